/*
 * report_load.c - a stored JSON document back to an incident.
 *
 * The document comes out of a file that others can write to, so nothing in it is taken on trust:
 * each member is checked for its kind, its range and its word. Failures are sticky; a member is
 * named by where it stands ("hypothesis 2 evidence 1: 'modality' ...").
 *
 * The order of the checks is that of the document, so that a message names the first fault. After
 * it no member is looked at for its value any more, but lists keep their length: nothing of a
 * failed incident is given out. Members that are not known are passed over, as a later version may
 * add some.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>

#include "names.h"
#include "report.h"
#include "slice.h"
#include "timestamp.h"

typedef struct loader {
    fl_arena *arena;
    fl_error err;                /* the first failure */
    size_t hypothesis, evidence; /* where we are, from 1; 0: not inside one */
} loader;

/* No failure so far. */
static bool ok(const loader *in)
{
    return in->err.status == FL_OK;
}

/* One sentence for the arena, the copies and jansson. */
static void out_of_memory(loader *in)
{
    (void)fl_fail(&in->err, FL_E_NOMEM, FL_NO_OFFSET,
                  "out of memory while reading a triage document");
}

/* `what` completes the sentence "'key' ...". */
static void complain(loader *in, const char *key, const char *what)
{
    assert(key != NULL && what != NULL);
    char where[64] = "";
    if (in->evidence > 0)
        snprintf(where, sizeof(where), "hypothesis %zu evidence %zu: ", in->hypothesis,
                 in->evidence);
    else if (in->hypothesis > 0)
        snprintf(where, sizeof(where), "hypothesis %zu: ", in->hypothesis);
    (void)fl_fail(&in->err, FL_E_SYNTAX, FL_NO_OFFSET, "triage document: %s'%s' %s", where, key,
                  what);
}

/* The value of a member that the contract demands; NULL, after a complaint, where it is missing. */
static const json_t *member(loader *in, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        complain(in, key, "is missing");
    return value;
}

/* What follows it asks jansson for members of the result, which is harmless for any kind of value.
 */
static const json_t *object_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    if (value != NULL && !json_is_object(value))
        complain(in, key, "is not an object");
    return value;
}

/* As object_at(), and the size of what is no array is 0. */
static const json_t *array_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    if (value != NULL && !json_is_array(value))
        complain(in, key, "is not an array");
    return value;
}

/* Zeroed room for `count` items; NULL, as a failure, when the arena is full. */
static void *room_for(loader *in, size_t count, size_t size)
{
    assert(size > 0);
    void *room = ok(in) ? fl_arena_alloc(in->arena, count > 0 ? count : 1, size) : NULL;
    if (room == NULL)
        out_of_memory(in);
    return room;
}

/* A copy in the arena: the document is freed before the incident is used. */
static const char *text_in(loader *in, const json_t *value, const char *key)
{
    if (!json_is_string(value)) {
        complain(in, key, "is not a string");
        return NULL;
    }
    const char *copy = fl_arena_cstr(in->arena, fl_slice_of(json_string_value(value)));
    if (copy == NULL)
        out_of_memory(in);
    return copy;
}

/* A member that must be a string. */
static const char *text_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    return value != NULL ? text_in(in, value, key) : NULL;
}

/* NULL for null. The member must be there all the same. */
static const char *nullable_text_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    return value == NULL || json_is_null(value) ? NULL : text_in(in, value, key);
}

/* 0 after a complaint. */
static uint64_t count_at(loader *in, const json_t *object, const char *key, uint64_t max)
{
    const json_t *value = member(in, object, key);
    if (value == NULL)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > max) {
        complain(in, key, "is not a count");
        return 0;
    }
    return (uint64_t)json_integer_value(value);
}

/* NaN for null. */
static double number_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    if (value == NULL || json_is_null(value))
        return NAN;
    if (!json_is_number(value))
        complain(in, key, "is not a number");
    return json_number_value(value);
}

/* JSON's true or false; a number is neither. */
static bool flag_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    if (value != NULL && !json_is_boolean(value))
        complain(in, key, "is not true or false");
    return json_is_true(value);
}

/* Absolute times only: "now" is 0, so that an age like -2h is before 1970 and refused. */
static int64_t time_in(loader *in, const json_t *value, const char *key)
{
    int64_t time_ns = 0;
    if (!json_is_string(value) ||
        fl_time_parse(&time_ns, fl_slice_of(json_string_value(value)), 0, NULL) != FL_OK)
        complain(in, key, "is not a time");
    return time_ns;
}

/* A member that must be a time; null is none. */
static int64_t time_at(loader *in, const json_t *object, const char *key)
{
    const json_t *value = member(in, object, key);
    return value != NULL ? time_in(in, value, key) : 0;
}

/* Both ends or neither: null twice is the span that there is not. */
static fl_range range_at(loader *in, const json_t *object, const char *key)
{
    fl_range range = {0};
    const json_t *pair = object_at(in, object, key);
    const json_t *from = ok(in) ? member(in, pair, "from") : NULL;
    const json_t *to = ok(in) ? member(in, pair, "to") : NULL;
    if (!ok(in) || (json_is_null(from) && json_is_null(to)))
        return range;
    range = (fl_range){.from_ns = time_in(in, from, "from"), .to_ns = time_in(in, to, "to")};
    if (ok(in) && range.to_ns < range.from_ns)
        complain(in, key, "ends before it begins");
    return range;
}

/* A document of before there were onsets has none; all three ends, or null thrice. */
static fl_onset onset_at(loader *in, const json_t *object)
{
    fl_onset onset = {0};
    if (!ok(in) || json_object_get(object, "onset") == NULL)
        return onset;
    const json_t *onsets = object_at(in, object, "onset");
    const json_t *at = ok(in) ? member(in, onsets, "at") : NULL;
    const json_t *low = ok(in) ? member(in, onsets, "low") : NULL;
    const json_t *high = ok(in) ? member(in, onsets, "high") : NULL;
    if (!ok(in) || (json_is_null(at) && json_is_null(low) && json_is_null(high)))
        return onset;
    onset = (fl_onset){.at_ns = time_in(in, at, "at"),
                       .low_ns = time_in(in, low, "low"),
                       .high_ns = time_in(in, high, "high")};
    if (ok(in) && (onset.low_ns > onset.at_ns || onset.at_ns > onset.high_ns))
        complain(in, "onset", "is not in the order low, at, high");
    return onset;
}

/* NULL where it is missing or no string: the tables of names.h know no such word. */
static const char *word_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* One step of a way through a heap; only the heap itself is of no class. */
static void load_step(loader *in, fl_kept_step *out, const json_t *item, size_t at)
{
    const json_t *before = ok(in) ? member(in, item, "before_bytes") : NULL;
    if (!ok(in))
        return;
    if (!fl_kept_kind_parse(&out->kind, word_at(item, "what")))
        complain(in, "what", "is not a known word");
    out->type = nullable_text_at(in, item, "class");
    out->field = nullable_text_at(in, item, "field");
    out->objects = count_at(in, item, "objects", INT64_MAX);
    out->retained_bytes = count_at(in, item, "retained_bytes", INT64_MAX);
    out->has_before = !json_is_null(before);
    if (out->has_before)
        out->before_bytes = count_at(in, item, "before_bytes", INT64_MAX);
    out->left_out = count_at(in, item, "left_out", INT64_MAX);
    if (ok(in) && (out->kind == FL_KEPT_HEAP) != (at == 0))
        complain(in, "path", "does not begin with the heap");
    else if (ok(in) && (out->kind == FL_KEPT_HEAP) != (out->type == NULL))
        complain(in, "class", "is missing in a step of a path, or of the heap");
}

/* Most evidence has none. */
static void load_path(loader *in, fl_evidence *out, const json_t *item)
{
    if (!ok(in) || json_object_get(item, "path") == NULL)
        return;
    const json_t *list = array_at(in, item, "path");
    size_t count = json_array_size(list);
    if (ok(in) && (count == 0 || count > FL_KEPT_STEPS))
        complain(in, "path", "has no steps, or too many");
    fl_kept_step *steps = ok(in) ? room_for(in, count, sizeof(*steps)) : NULL;
    for (size_t i = 0; ok(in) && i < count; i++)
        load_step(in, &steps[i], json_array_get(list, i), i);
    out->path = ok(in) ? steps : NULL;
    out->path_count = ok(in) ? count : 0;
}

/* `at` alone may be null: evidence about a whole window has no moment. */
static void load_evidence(loader *in, fl_evidence *out, const json_t *item)
{
    if (!fl_modality_parse(&out->modality, word_at(item, "modality")))
        complain(in, "modality", "is not a known word");
    out->text = text_at(in, item, "text");
    if (!json_is_null(json_object_get(item, "at")))
        out->at_ns = time_at(in, item, "at");
    out->value = number_at(in, item, "value");
    out->baseline = number_at(in, item, "baseline");
    out->unit = nullable_text_at(in, item, "unit");
    out->query = nullable_text_at(in, item, "query");
    out->against = flag_at(in, item, "against");
    out->weight_nats = number_at(in, item, "weight_nats");
    /* Older documents have none, and most evidence is of no leak. */
    if (json_object_get(item, "finding") != NULL)
        out->finding = nullable_text_at(in, item, "finding");
    load_path(in, out, item);
}

/* All four members, null where the kind of locus has none. */
static void load_locus(loader *in, fl_hypothesis *out, const json_t *item)
{
    const json_t *locus = object_at(in, item, "locus");
    if (!ok(in))
        return;
    if (!fl_locus_parse(&out->locus, word_at(locus, "kind")))
        complain(in, "kind", "is not a known word");
    out->locus_name = nullable_text_at(in, locus, "name");
    out->before = nullable_text_at(in, locus, "before");
    out->after = nullable_text_at(in, locus, "after");
}

/* Who and what: service, instance, cause and resource. */
static void load_names(loader *in, fl_hypothesis *out, const json_t *item)
{
    const json_t *resource = member(in, item, "resource");
    out->service = nullable_text_at(in, item, "service");
    out->instance = nullable_text_at(in, item, "instance");
    if (!fl_cause_parse(&out->cause, word_at(item, "cause")))
        complain(in, "cause", "is not a known word");
    if (resource != NULL && !json_is_null(resource) &&
        !fl_resource_parse(&out->resource, json_string_value(resource)))
        complain(in, "resource", "is not a known word");
}

/* Documents of before there were exceptions do not have the member. */
static void load_exception(loader *in, fl_hypothesis *out, const json_t *item)
{
    const json_t *thrown = json_object_get(item, "exception");
    if (!ok(in) || thrown == NULL || json_is_null(thrown))
        return;
    thrown = object_at(in, item, "exception");
    if (!ok(in))
        return;
    out->exception_type = nullable_text_at(in, thrown, "type");
    out->exception_message = nullable_text_at(in, thrown, "message");
    out->exception_frame = nullable_text_at(in, thrown, "frame");
}

/* Rank and probability are checked for their range, since pages are laid out by them. */
static void load_hypothesis(loader *in, fl_hypothesis *out, const json_t *item)
{
    out->rank = (uint32_t)count_at(in, item, "rank", UINT32_MAX);
    if (ok(in) && out->rank == 0)
        complain(in, "rank", "does not count from 1");
    load_names(in, out, item);
    load_locus(in, out, item);
    load_exception(in, out, item);
    out->onset = onset_at(in, item);
    out->score = number_at(in, item, "score");
    out->probability = number_at(in, item, "probability");
    if (ok(in) && !(out->probability >= 0 && out->probability <= 1))
        complain(in, "probability", "is not within 0 and 1");
    const json_t *list = array_at(in, item, "evidence");
    fl_evidence *evidence = room_for(in, json_array_size(list), sizeof(*evidence));
    for (size_t i = 0; ok(in) && i < json_array_size(list); i++) {
        in->evidence = i + 1;
        load_evidence(in, &evidence[i], json_array_get(list, i));
    }
    in->evidence = 0;
    out->evidence = evidence;
    out->evidence_count = json_array_size(list);
}

/* In the order of the document, which is that of their ranks. */
static void load_hypotheses(loader *in, fl_incident *out, const json_t *root)
{
    const json_t *list = array_at(in, root, "hypotheses");
    fl_hypothesis *items = room_for(in, json_array_size(list), sizeof(*items));
    for (size_t i = 0; ok(in) && i < json_array_size(list); i++) {
        in->hypothesis = i + 1;
        load_hypothesis(in, &items[i], json_array_get(list, i));
    }
    in->hypothesis = 0;
    out->hypotheses = items;
    out->hypothesis_count = json_array_size(list);
}

/* A service that is not named is null; the sentence must be there. */
static void load_ruled_out(loader *in, fl_incident *out, const json_t *root)
{
    const json_t *list = array_at(in, root, "ruled_out");
    fl_ruled_out *items = room_for(in, json_array_size(list), sizeof(*items));
    for (size_t i = 0; ok(in) && i < json_array_size(list); i++) {
        items[i].service = nullable_text_at(in, json_array_get(list, i), "service");
        items[i].text = text_at(in, json_array_get(list, i), "text");
    }
    out->ruled_out = items;
    out->ruled_out_count = json_array_size(list);
}

/* Documents of before there were any have none. */
static void load_moments(loader *in, fl_incident *out, const json_t *root)
{
    if (!ok(in) || json_object_get(root, "events") == NULL)
        return;
    const json_t *list = array_at(in, root, "events");
    fl_moment *items = room_for(in, json_array_size(list), sizeof(*items));
    for (size_t i = 0; ok(in) && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        items[i].at_ns = time_at(in, item, "at");
        items[i].service = text_at(in, item, "service");
        items[i].text = text_at(in, item, "text");
        items[i].query = nullable_text_at(in, item, "query");
    }
    out->moments = items;
    out->moment_count = json_array_size(list);
}

/* Milliseconds to nanoseconds, of at most a day. */
static int64_t ms_at(loader *in, const json_t *object, const char *key)
{
    const double most_ms = 86400e3;
    double ms = number_at(in, object, key);
    if (!ok(in))
        return 0;
    if (!(ms >= -most_ms && ms <= most_ms)) {
        complain(in, key, "is not within a day");
        return 0;
    }
    return llround(ms * 1e3) * 1000;
}

/* Documents have them only where clocks differed. */
static void load_clocks(loader *in, fl_incident *out, const json_t *root)
{
    if (!ok(in) || json_object_get(root, "clocks") == NULL)
        return;
    const json_t *list = array_at(in, root, "clocks");
    fl_clock_skew *items = room_for(in, json_array_size(list), sizeof(*items));
    for (size_t i = 0; ok(in) && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        items[i].service = text_at(in, item, "service");
        items[i].instance = nullable_text_at(in, item, "instance");
        items[i].offset_ns = ms_at(in, item, "ahead_ms");
        items[i].error_ns = ms_at(in, item, "within_ms");
        items[i].calls = count_at(in, item, "calls", INT64_MAX);
    }
    out->clocks = items;
    out->clock_count = json_array_size(list);
}

/* A list of sentences. */
static void load_warnings(loader *in, fl_incident *out, const json_t *root)
{
    const json_t *list = array_at(in, root, "warnings");
    const char **items = room_for(in, json_array_size(list), sizeof(*items));
    for (size_t i = 0; ok(in) && i < json_array_size(list); i++)
        items[i] = text_in(in, json_array_get(list, i), "warnings");
    out->warnings = items;
    out->warning_count = json_array_size(list);
}

/* Counts, and the names of what was missing. */
static void load_modalities(loader *in, fl_incident *out, const json_t *root)
{
    const json_t *all = object_at(in, root, "modalities");
    const json_t *metrics = ok(in) ? object_at(in, all, "metrics") : NULL;
    const json_t *logs = ok(in) ? object_at(in, all, "logs") : NULL;
    const json_t *traces = ok(in) ? object_at(in, all, "traces") : NULL;
    const json_t *missing = ok(in) ? array_at(in, all, "missing") : NULL;
    if (!ok(in))
        return;
    out->metric_series = count_at(in, metrics, "series", INT64_MAX);
    out->log_records = count_at(in, logs, "records", INT64_MAX);
    out->log_templates = count_at(in, logs, "templates", INT64_MAX);
    out->trace_spans = count_at(in, traces, "spans", INT64_MAX);
    out->trace_edges = count_at(in, traces, "edges", INT64_MAX);
    const json_t *changes = json_object_get(all, "changes"); /* later than the others */
    if (ok(in) && changes != NULL)
        out->change_events = count_at(in, changes, "events", INT64_MAX);
    for (size_t i = 0; ok(in) && i < json_array_size(missing); i++) {
        fl_modality modality;
        if (fl_modality_parse(&modality, json_string_value(json_array_get(missing, i))))
            out->missing[modality] = true;
        else
            complain(in, "missing", "holds an unknown word");
    }
}

/* The members that stand once: what was asked, and the verdict. */
static void load_incident(loader *in, fl_incident *out, const json_t *root)
{
    const json_t *incident = object_at(in, root, "incident");
    if (!ok(in))
        return;
    out->id = text_at(in, incident, "id");
    out->at_ns = time_at(in, incident, "at");
    out->window = range_at(in, incident, "window");
    out->baseline = range_at(in, incident, "baseline");
    out->onset = onset_at(in, incident);
    if (!fl_verdict_parse(&out->verdict, word_at(root, "verdict")))
        complain(in, "verdict", "is not a known word");
    out->rejected_records = count_at(in, root, "rejected_records", INT64_MAX);
}

/* jansson does not always say that memory ran out; an empty sentence means that too. */
static json_t *parse(loader *in, fl_slice document)
{
    if (document.len > FL_MAX_DOCUMENT_BYTES) {
        (void)fl_fail(&in->err, FL_E_LIMIT, FL_NO_OFFSET,
                      "a triage document of %zu bytes is larger than %u", document.len,
                      FL_MAX_DOCUMENT_BYTES);
        return NULL;
    }
    json_error_t at = {0};
    json_t *root = json_loadb(document.len > 0 ? (const char *)document.ptr : "", document.len,
                              JSON_REJECT_DUPLICATES, &at);
    if (root == NULL && (json_error_code(&at) == json_error_out_of_memory || at.text[0] == '\0'))
        out_of_memory(in);
    else if (root == NULL)
        (void)fl_fail(&in->err, FL_E_SYNTAX, (uint64_t)at.position,
                      "triage document is not JSON: %s", at.text);
    return root;
}

/* A document of another version is refused by its name, before its members are. */
static void check_schema(loader *in, const json_t *root)
{
    const char *schema = word_at(root, "schema");
    if (schema == NULL)
        complain(in, "schema", "is missing");
    else if (strcmp(schema, "faultline.triage/1") != 0)
        (void)fl_fail(&in->err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                      "document of schema '%.40s'; this program reads faultline.triage/1", schema);
}

fl_status fl_report_load(const fl_incident **out, fl_arena *arena, fl_slice document, fl_error *err)
{
    assert(out != NULL && arena != NULL);
    loader in = {.arena = arena};
    json_t *root = parse(&in, document);
    fl_incident *incident = ok(&in) ? room_for(&in, 1, sizeof(*incident)) : NULL;
    if (ok(&in))
        check_schema(&in, root);
    if (ok(&in)) {
        load_incident(&in, incident, root);
        load_modalities(&in, incident, root);
        load_hypotheses(&in, incident, root);
        load_ruled_out(&in, incident, root);
        load_moments(&in, incident, root);
        load_clocks(&in, incident, root);
        load_warnings(&in, incident, root);
    }
    json_decref(root);
    if (!ok(&in))
        return fl_fail(err, in.err.status, in.err.offset, "%s", in.err.message);
    *out = incident;
    return FL_OK;
}
