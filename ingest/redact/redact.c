/*
 * redact.c - the sink: each text of a record through the rules, the record on to the sink behind.
 *
 * Records are borrowed and never changed: where something is taken out, the text, its attribute and
 * the list of attributes are copied into an arena that is emptied at the next record. What nothing
 * is taken out of goes on as it came.
 *
 * Not looked at: names of metrics and units, identifiers, service, instance and node of a resource
 * (they are what incidents are told by), bytes in base64, and numbers, but for those that are as
 * long as a card's.
 */
#include "redact.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "faultline/limits.h"
#include "mem.h"
#include "redact_priv.h"
#include "slice.h"

/* Labels of metrics are short and come with every sample: shorter values hold no secret that a rule
 * would find (the shortest is an address, "a@b.io"). */
enum { SHORTEST = 6 };

struct fl_redact {
    fl_redact_rules *rules;
    const fl_sink *behind;
    fl_sink sink;
    fl_arena arena; /* of the record that is being passed on */
};

static const fl_slice BY_KEY = FL_SLICE_INIT("[redacted:key]");
static const fl_slice UNCHECKED = FL_SLICE_INIT("[redacted:unchecked]");

static void count(const fl_redact *redact, size_t at, uint64_t more)
{
    atomic_fetch_add_explicit(&redact->rules->counts[at], more, memory_order_relaxed);
}

static fl_status no_room(const fl_redact *redact, fl_error *err)
{
    fl_status status =
        redact->arena.used_bytes > redact->arena.max_bytes / 2 ? FL_E_LIMIT : FL_E_NOMEM;
    return fl_fail(err, status, FL_NO_OFFSET, "no memory to redact a record");
}

/* ---- one text ---- */

/* A text that is being put together: what was copied of the old one, and what was put in. */
struct patch {
    unsigned char *to;
    size_t len, cap;
    size_t taken; /* of the old text */
};

/* What stands between the places, and the replacement. */
static fl_status put(struct patch *patch, fl_redact *redact, fl_slice bytes, fl_error *err)
{
    if (patch->len + bytes.len > patch->cap) {
        size_t cap = 2 * (patch->len + bytes.len);
        unsigned char *grown = fl_arena_bytes(&redact->arena, cap);
        if (grown == NULL)
            return no_room(redact, err);
        if (patch->len > 0)
            memcpy(grown, patch->to, patch->len);
        patch->to = grown;
        patch->cap = cap;
    }
    if (bytes.len > 0)
        memcpy(patch->to + patch->len, bytes.ptr, bytes.len);
    patch->len += bytes.len;
    return FL_OK;
}

/* Every place where one rule matches. A match of nothing moves on by a byte. */
static fl_status apply(fl_slice *text, fl_redact *redact, size_t at, fl_error *err)
{
    const fl_redact_compiled *rule = &redact->rules->rules[at];
    struct patch patch = {0};
    fl_slice old = *text;
    uint64_t places = 0;
    for (size_t from = 0; from <= old.len;) {
        fl_regex_span span;
        fl_status status = fl_regex_find(&span, rule->regex, old, from, NULL);
        if (status == FL_E_LIMIT) {
            *text = UNCHECKED;
            count(redact, FL_REDACT_UNCHECKED, 1);
            return FL_OK;
        }
        if (status != FL_OK)
            return no_room(redact, err);
        if (!span.found)
            break;
        from = span.end > from ? span.end : from + 1;
        fl_slice found = fl_slice_part(old, span.from, span.from + span.len);
        if (span.len == 0 || span.from < patch.taken ||
            (rule->is_card && !fl_redact_is_card(found)))
            continue;
        status = put(&patch, redact, fl_slice_part(old, patch.taken, span.from), err);
        if (status == FL_OK)
            status = put(&patch, redact, rule->replace, err);
        if (status != FL_OK)
            return status;
        patch.taken = span.from + span.len;
        places++;
    }
    if (places == 0)
        return FL_OK;
    count(redact, at, places);
    fl_status status = put(&patch, redact, fl_slice_part(old, patch.taken, old.len), err);
    *text = (fl_slice){patch.to, patch.len};
    return status;
}

/* The rules that the first pass let through, in the order of the table. */
static fl_status run_rules(fl_slice *text, fl_redact *redact, uint64_t rules, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t at = 0; status == FL_OK && rules != 0; at++, rules >>= 1)
        if ((rules & 1) != 0)
            status = apply(text, redact, at, err);
    return status;
}

/* Left as it is where nothing is to be taken out, which is nearly always. */
static fl_status take_out(fl_slice *text, fl_redact *redact, fl_error *err)
{
    uint64_t rules = fl_redact_scan_text(&redact->rules->scan, *text);
    return rules == 0 ? FL_OK : run_rules(text, redact, rules, err);
}

fl_status fl_redact_text(fl_slice *out, fl_redact *redact, fl_slice text, fl_error *err)
{
    assert(out != NULL && redact != NULL);
    fl_arena_reset(&redact->arena);
    *out = text;
    return take_out(out, redact, err);
}

/* ---- attributes ---- */

/* A number of a card's length is looked at as its digits. */
static fl_status take_out_number(fl_value *value, fl_redact *redact, fl_error *err)
{
    char digits[24];
    if (value->number < INT64_C(10000000000000) || redact->rules->scan.digit_rules == 0)
        return FL_OK;
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)value->number);
    fl_slice text = {(const unsigned char *)digits, (size_t)len}, kept = text;
    fl_status status = run_rules(&kept, redact, redact->rules->scan.digit_rules, err);
    if (status == FL_OK && kept.ptr != text.ptr)
        *value = (fl_value){.kind = FL_VALUE_STRING, .text = kept};
    return status;
}

/* What is kept of a value. */
static fl_status take_out_value(fl_value *value, fl_redact *redact, fl_slice key, fl_error *err)
{
    bool is_text = value->kind == FL_VALUE_STRING || value->kind == FL_VALUE_OTHER;
    if ((is_text || value->kind == FL_VALUE_BYTES) && fl_redact_is_secret(redact->rules, key)) {
        *value = (fl_value){.kind = FL_VALUE_STRING, .text = BY_KEY};
        count(redact, FL_REDACT_BY_KEY, 1);
        return FL_OK;
    }
    if (value->kind == FL_VALUE_INT)
        return take_out_number(value, redact, err);
    if (!is_text || value->text.len < SHORTEST)
        return FL_OK;
    return take_out(&value->text, redact, err);
}

static bool is_changed(const fl_value *before, const fl_value *after)
{
    return before->kind != after->kind || before->text.ptr != after->text.ptr ||
           before->text.len != after->text.len;
}

/* `attrs` itself, or a copy in which values are others. */
static fl_status take_out_attrs(fl_attrs *attrs, fl_redact *redact, fl_error *err)
{
    fl_attr *copy = NULL;
    for (size_t i = 0; i < attrs->count; i++) {
        const fl_attr *attr = &attrs->items[i];
        fl_value value = attr->value;
        fl_status status = take_out_value(&value, redact, attr->key, err);
        if (status != FL_OK)
            return status;
        if (!is_changed(&attr->value, &value))
            continue;
        if (copy == NULL) {
            copy = fl_arena_alloc(&redact->arena, attrs->count, sizeof(*copy));
            if (copy == NULL)
                return no_room(redact, err);
            memcpy(copy, attrs->items, attrs->count * sizeof(*copy));
        }
        copy[i].value = value;
    }
    if (copy != NULL)
        attrs->items = copy;
    return FL_OK;
}

/* ---- the sink ---- */

static fl_status redact_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                                 fl_error *err)
{
    fl_redact *redact = payload;
    fl_resource kept = *resource;
    fl_arena_reset(&redact->arena);
    fl_status status = take_out_attrs(&kept.attrs, redact, err);
    return status == FL_OK ? redact->behind->resource(redact->behind->payload, &kept, handle, err)
                           : status;
}

static fl_status take_out_events(fl_span *span, fl_redact *redact, fl_error *err)
{
    fl_status status = FL_OK;
    fl_span_event *events = NULL;
    for (size_t i = 0; status == FL_OK && i < span->event_count; i++) {
        fl_span_event event = span->events[i];
        status = take_out(&event.name, redact, err);
        if (status == FL_OK)
            status = take_out_attrs(&event.attrs, redact, err);
        bool same = event.name.ptr == span->events[i].name.ptr &&
                    event.attrs.items == span->events[i].attrs.items;
        if (status != FL_OK || same)
            continue;
        if (events == NULL) {
            events = fl_arena_alloc(&redact->arena, span->event_count, sizeof(*events));
            if (events == NULL)
                return no_room(redact, err);
            memcpy(events, span->events, span->event_count * sizeof(*events));
            span->events = events;
        }
        events[i] = event;
    }
    return status;
}

static fl_status redact_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    fl_redact *redact = payload;
    fl_span kept = *span;
    fl_arena_reset(&redact->arena);
    fl_status status = take_out(&kept.name, redact, err);
    if (status == FL_OK)
        status = take_out_attrs(&kept.attrs, redact, err);
    if (status == FL_OK)
        status = take_out_events(&kept, redact, err);
    return status == FL_OK ? redact->behind->span(redact->behind->payload, resource, &kept, err)
                           : status;
}

static fl_status redact_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    fl_redact *redact = payload;
    fl_log kept = *log;
    fl_arena_reset(&redact->arena);
    fl_status status = take_out(&kept.body, redact, err);
    if (status == FL_OK)
        status = take_out_attrs(&kept.attrs, redact, err);
    return status == FL_OK ? redact->behind->log(redact->behind->payload, resource, &kept, err)
                           : status;
}

static fl_status redact_point(void *payload, uint32_t resource, const fl_point *point,
                              fl_error *err)
{
    fl_redact *redact = payload;
    fl_attrs attrs = point->attrs;
    fl_arena_reset(&redact->arena);
    fl_status status = take_out_attrs(&attrs, redact, err);
    if (status != FL_OK)
        return status;
    if (attrs.items == point->attrs.items)
        return redact->behind->point(redact->behind->payload, resource, point, err);
    fl_point kept = *point;
    kept.attrs = attrs;
    return redact->behind->point(redact->behind->payload, resource, &kept, err);
}

/* A value of a configuration whose key names a secret is one. */
static fl_status redact_change(void *payload, const fl_change_record *change, fl_error *err)
{
    fl_redact *redact = payload;
    fl_change_record kept = *change;
    fl_slice *const texts[] = {&kept.before, &kept.after, &kept.source, &kept.url};
    bool is_secret = fl_redact_is_secret(redact->rules, kept.key);
    fl_status status = FL_OK;
    fl_arena_reset(&redact->arena);
    for (size_t i = 0; status == FL_OK && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (is_secret && i < 2 && texts[i]->len > 0) {
            *texts[i] = BY_KEY;
            count(redact, FL_REDACT_BY_KEY, 1);
        } else {
            status = take_out(texts[i], redact, err);
        }
    }
    return status == FL_OK ? redact->behind->change(redact->behind->payload, &kept, err) : status;
}

static fl_status redact_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    fl_redact *redact = payload;
    fl_alert_record kept = *alert;
    fl_arena_reset(&redact->arena);
    fl_status status = take_out(&kept.summary, redact, err);
    if (status == FL_OK)
        status = take_out(&kept.url, redact, err);
    if (status == FL_OK)
        status = take_out_attrs(&kept.labels, redact, err);
    return status == FL_OK ? redact->behind->alert(redact->behind->payload, &kept, err) : status;
}

static fl_status pass_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    const fl_redact *redact = payload;
    return redact->behind->reject(redact->behind->payload, reject, err);
}

fl_status fl_redact_create(fl_redact **out, fl_redact_rules *rules, const fl_sink *behind,
                           fl_error *err)
{
    assert(out != NULL && rules != NULL && behind != NULL);
    fl_redact *redact = fl_mem_calloc(1, sizeof(*redact));
    *out = redact;
    if (redact == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for redaction");
    redact->rules = fl_redact_rules_keep(rules);
    redact->behind = behind;
    redact->arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    redact->sink = (fl_sink){.payload = redact,
                             .resource = redact_resource,
                             .span = redact_span,
                             .log = redact_log,
                             .point = redact_point,
                             .change = behind->change != NULL ? redact_change : NULL,
                             .alert = behind->alert != NULL ? redact_alert : NULL,
                             .reject = pass_reject};
    return FL_OK;
}

void fl_redact_destroy(fl_redact *redact)
{
    if (redact == NULL)
        return;
    fl_redact_rules_destroy(redact->rules);
    fl_arena_dispose(&redact->arena);
    fl_mem_free(redact);
}

const fl_sink *fl_redact_sink(const fl_redact *redact)
{
    assert(redact != NULL);
    return &redact->sink;
}
