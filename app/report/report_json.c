/*
 * report_json.c - the answer as its JSON contract (schemas/json/triage.schema.json).
 *
 * jansson keeps members in the order of their insertion, so this file is also the contract's order.
 *
 * Members that have no value are null and not absent, so that a reader asks for one without a test,
 * and lists are empty and not null. Times are RFC 3339 in UTC, probabilities and scores have six
 * decimals. The same incident gives the same bytes: no clock, no locale and no hash order takes
 * part.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>

#include "report.h"
#include "slice.h"
#include "timestamp.h"
#include "utf8.h"

typedef struct writer {
    fl_status status; /* the first failure */
} writer;

/* The first failure wins; the rest of the document is still built, and dropped at the end. */
static void failed(writer *w, fl_status status)
{
    if (w->status == FL_OK)
        w->status = status;
}

/* Takes `value`, which may be NULL when memory ran out while it was made. */
static void put(writer *w, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) != 0)
        failed(w, FL_E_NOMEM);
}

/* As put(), at the end of an array. */
static void append(writer *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        failed(w, FL_E_NOMEM);
}

/* Texts are UTF-8, but for names of files, which may be anything: what is not becomes U+FFFD, byte
 * by byte, or the whole document would be unreadable. */
static json_t *repaired(fl_slice bytes)
{
    fl_buf text = fl_buf_of(3 * bytes.len);
    while (bytes.len > 0) {
        size_t good = fl_utf8_valid_prefix(bytes);
        fl_buf_add(&text, (fl_slice){.ptr = bytes.ptr, .len = good});
        bytes.ptr += good;
        bytes.len -= good;
        if (bytes.len > 0) {
            fl_buf_text(&text, "\xef\xbf\xbd");
            bytes.ptr++;
            bytes.len--;
        }
    }
    json_t *value = text.status == FL_OK ? json_stringn_nocheck(text.ptr, text.len) : NULL;
    fl_buf_dispose(&text);
    return value;
}

/* null for NULL. */
static json_t *text_of(const char *text)
{
    if (text == NULL)
        return json_null();
    fl_slice bytes = fl_slice_of(text);
    return fl_utf8_valid_prefix(bytes) == bytes.len ? json_stringn_nocheck(text, bytes.len)
                                                    : repaired(bytes);
}

/* text_of() as a member. */
static void put_text(writer *w, json_t *object, const char *key, const char *text)
{
    put(w, object, key, text_of(text));
}

/* RFC 3339, UTC, with as many decimals as the nanoseconds need. */
static void put_time(writer *w, json_t *object, const char *key, int64_t time_ns)
{
    char text[FL_TIME_TEXT];
    put(w, object, key, json_string_nocheck(fl_time_format(text, time_ns)));
}

/* jansson's integers are signed: a count beyond them is shown as the largest. */
static void put_count(writer *w, json_t *object, const char *key, uint64_t count)
{
    put(w, object, key, json_integer((json_int_t)(count < INT64_MAX ? count : INT64_MAX)));
}

/* JSON has no NaN and no infinity; adding 0 turns minus zero, which prints as "-0.0", into zero. */
static void put_number(writer *w, json_t *object, const char *key, double value)
{
    put(w, object, key, isfinite(value) ? json_real(value + 0.0) : json_null());
}

/* Six decimals: beyond them two builds of the same sum differ. */
static void put_rounded(writer *w, json_t *object, const char *key, double value)
{
    put_number(w, object, key, fabs(value) < 1e9 ? round(value * 1e6) / 1e6 : value);
}

/* The object is always there, so that a reader finds its members; null says that there is none. */
static json_t *range_of(writer *w, fl_range range)
{
    json_t *object = json_object();
    if (range.from_ns == 0 && range.to_ns == 0) {
        put(w, object, "from", json_null());
        put(w, object, "to", json_null());
    } else {
        put_time(w, object, "from", range.from_ns);
        put_time(w, object, "to", range.to_ns);
    }
    return object;
}

/* Likewise: three members, all null where it cannot be told when it began. */
static json_t *onset_of(writer *w, fl_onset onset)
{
    assert(onset.low_ns <= onset.at_ns && onset.at_ns <= onset.high_ns);
    const char *const keys[] = {"at", "low", "high"};
    const int64_t times[] = {onset.at_ns, onset.low_ns, onset.high_ns};
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (onset.at_ns == 0)
            put(w, object, keys[i], json_null());
        else
            put_time(w, object, keys[i], times[i]);
    }
    return object;
}

/* What was asked: the moment, and the two spans of time that were compared. */
static json_t *incident_of(writer *w, const fl_incident *incident)
{
    json_t *object = json_object();
    put_text(w, object, "id", incident->id);
    put_time(w, object, "at", incident->at_ns);
    put(w, object, "window", range_of(w, incident->window));
    put(w, object, "baseline", range_of(w, incident->baseline));
    put(w, object, "onset", onset_of(w, incident->onset));
    return object;
}

/* What data there was. A missing modality is not evidence of health, so it is named. */
static json_t *modalities_of(writer *w, const fl_incident *incident)
{
    json_t *object = json_object(), *metrics = json_object(), *logs = json_object();
    json_t *traces = json_object(), *changes = json_object(), *missing = json_array();
    put_count(w, metrics, "series", incident->metric_series);
    put_count(w, logs, "records", incident->log_records);
    put_count(w, logs, "templates", incident->log_templates);
    put_count(w, traces, "spans", incident->trace_spans);
    put_count(w, traces, "edges", incident->trace_edges);
    put_count(w, changes, "events", incident->change_events);
    for (int i = 0; i < FL_MODALITY_COUNT; i++)
        if (incident->missing[i])
            append(w, missing, json_string_nocheck(fl_modality_name((fl_modality)i)));
    put(w, object, "metrics", metrics);
    put(w, object, "logs", logs);
    put(w, object, "traces", traces);
    put(w, object, "changes", changes);
    put(w, object, "missing", missing);
    return object;
}

/* "against" and "weight_nats" are ours on top of the contract's names. */
static json_t *evidence_of(writer *w, const fl_evidence *evidence)
{
    json_t *object = json_object();
    put_text(w, object, "modality", fl_modality_name(evidence->modality));
    put_text(w, object, "text", evidence->text);
    if (evidence->at_ns != 0)
        put_time(w, object, "at", evidence->at_ns);
    else
        put(w, object, "at", json_null());
    put_number(w, object, "value", evidence->value);
    put_number(w, object, "baseline", evidence->baseline);
    put_text(w, object, "unit", evidence->unit);
    put_text(w, object, "query", evidence->query);
    put(w, object, "against", json_boolean(evidence->against));
    put_rounded(w, object, "weight_nats", evidence->weight_nats);
    return object;
}

/* All four members in every case: before and after are null but for a code region. */
static json_t *locus_of(writer *w, const fl_hypothesis *hypothesis)
{
    json_t *object = json_object();
    put_text(w, object, "kind", fl_locus_name(hypothesis->locus));
    put_text(w, object, "name", hypothesis->locus_name);
    put_text(w, object, "before", hypothesis->before);
    put_text(w, object, "after", hypothesis->after);
    return object;
}

/* null where nothing that was thrown is known by its type, its message or its place. */
static json_t *exception_of(writer *w, const fl_hypothesis *hypothesis)
{
    if (hypothesis->exception_type == NULL && hypothesis->exception_message == NULL &&
        hypothesis->exception_frame == NULL)
        return json_null();
    json_t *object = json_object();
    put_text(w, object, "type", hypothesis->exception_type);
    put_text(w, object, "message", hypothesis->exception_message);
    put_text(w, object, "frame", hypothesis->exception_frame);
    return object;
}

/* Evidence in the order of the incident, heaviest first. */
static json_t *hypothesis_of(writer *w, const fl_hypothesis *hypothesis)
{
    assert(hypothesis->evidence != NULL || hypothesis->evidence_count == 0);
    json_t *object = json_object(), *evidence = json_array();
    for (size_t i = 0; i < hypothesis->evidence_count; i++)
        append(w, evidence, evidence_of(w, &hypothesis->evidence[i]));
    put_count(w, object, "rank", hypothesis->rank);
    put_text(w, object, "service", hypothesis->service);
    put_text(w, object, "instance", hypothesis->instance);
    put_text(w, object, "cause", fl_cause_name(hypothesis->cause));
    put_text(w, object, "resource", fl_resource_name(hypothesis->resource));
    put(w, object, "locus", locus_of(w, hypothesis));
    put(w, object, "exception", exception_of(w, hypothesis));
    put(w, object, "onset", onset_of(w, hypothesis->onset));
    put_rounded(w, object, "score", hypothesis->score);
    put_rounded(w, object, "probability", hypothesis->probability);
    put(w, object, "evidence", evidence);
    return object;
}

/* The whole contract, member by member in its order. */
static json_t *document_of(writer *w, const fl_incident *incident)
{
    json_t *object = json_object(), *hypotheses = json_array(), *ruled_out = json_array();
    json_t *warnings = json_array();
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        append(w, hypotheses, hypothesis_of(w, &incident->hypotheses[i]));
    for (size_t i = 0; i < incident->ruled_out_count; i++) {
        json_t *item = json_object();
        put_text(w, item, "service", incident->ruled_out[i].service);
        put_text(w, item, "text", incident->ruled_out[i].text);
        append(w, ruled_out, item);
    }
    for (size_t i = 0; i < incident->warning_count; i++)
        append(w, warnings, text_of(incident->warnings[i]));
    put(w, object, "schema", json_string_nocheck("faultline.triage/1"));
    put(w, object, "incident", incident_of(w, incident));
    put(w, object, "modalities", modalities_of(w, incident));
    put_text(w, object, "verdict", fl_verdict_name(incident->verdict));
    put(w, object, "hypotheses", hypotheses);
    put(w, object, "ruled_out", ruled_out);
    put(w, object, "warnings", warnings);
    put_count(w, object, "rejected_records", incident->rejected_records);
    return object;
}

/* A callback of jansson: -1 ends the dump. The buffer keeps why. */
static int to_buf(const char *bytes, size_t len, void *payload)
{
    fl_buf *out = payload;
    fl_buf_add(out, (fl_slice){.ptr = (const unsigned char *)bytes, .len = len});
    return out->status == FL_OK ? 0 : -1;
}

fl_status fl_report_json(fl_buf *out, const fl_incident *incident, fl_error *err)
{
    assert(out != NULL && incident != NULL);
    writer w = {.status = FL_OK};
    json_t *document = document_of(&w, incident);
    if (w.status == FL_OK &&
        json_dump_callback(document, to_buf, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0)
        failed(&w, out->status != FL_OK ? out->status : FL_E_NOMEM);
    json_decref(document);
    fl_buf_char(out, '\n');
    if (w.status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing the answer");
    return fl_buf_check(out, "the JSON answer", err);
}
