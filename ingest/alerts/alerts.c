/*
 * alerts.c - alerts out of JSON.
 *
 *   ALERT := { "labels": { NAME: VALUE }, "annotations"?: { NAME: VALUE }, "startsAt" | "activeAt":
 * T, "endsAt"?: T, "status"?: "firing" | "resolved" | { "state" }, "state"?: "firing" | "pending",
 * "fingerprint"?: HEX, "generatorURL"?: URL }
 *
 * T is RFC 3339; the year 1 is Go's zero time, which means "not over". An alert of a webhook is
 * resolved where its status says so. A list tells when an alert ends if nothing is heard of it,
 * which is not known yet: its end is not taken. One that Prometheus calls pending has not fired.
 * Without a fingerprint it is computed from the labels as Prometheus does it: FNV-1a over the names
 * in order, each name and value followed by a byte FF.
 */
#include "alerts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "labels.h"
#include "number.h"
#include "slice.h"
#include "timestamp.h"

enum { FNV_SEPARATOR = 0xff };

static const uint64_t fnv_offset = UINT64_C(14695981039346656037);
static const uint64_t fnv_prime = UINT64_C(1099511628211);

struct reading {
    fl_intake *to;
    fl_json in;
    fl_arena arena; /* of one alert */
    fl_labels labels, who;
    fl_alert_record alert;
    bool has_start, has_fingerprint, is_pending, is_listed;
    fl_error *err;
};

/* ---- one alert ---- */

static void read_labels(struct reading *x)
{
    fl_slice name;
    fl_labels_clear(&x->labels);
    if (!fl_json_enter_object(&x->in))
        return;
    while (fl_json_next_member(&x->in, &name)) {
        fl_slice value = fl_json_string(&x->in);
        if (fl_json_ok(&x->in))
            fl_labels_add(&x->labels, name, value);
    }
}

/* The first one that is there: teams call it differently. */
static void read_annotations(struct reading *x)
{
    static const fl_slice names[] = {FL_SLICE_INIT("summary"), FL_SLICE_INIT("message"),
                                     FL_SLICE_INIT("description")};
    size_t best = sizeof(names) / sizeof(names[0]);
    fl_slice name;
    if (!fl_json_enter_object(&x->in))
        return;
    while (fl_json_next_member(&x->in, &name)) {
        fl_slice value = fl_json_string(&x->in);
        for (size_t i = 0; i < best; i++)
            if (fl_json_ok(&x->in) && fl_slice_equal(name, names[i])) {
                x->alert.summary = value;
                best = i;
            }
    }
}

/* Nanoseconds; 0 for Go's zero time. */
static int64_t read_time(struct reading *x)
{
    size_t at = x->in.pos;
    int64_t time_ns = 0;
    if (fl_json_null(&x->in))
        return 0;
    fl_slice text = fl_json_string(&x->in);
    if (!fl_json_ok(&x->in) || fl_slice_starts_with(text, FL_SLICE("0001-01-01T00:00:00")))
        return 0;
    if (text.len < 20 || fl_time_parse(&time_ns, text, 0, NULL) != FL_OK)
        fl_json_fail(&x->in, at, "a time is not RFC 3339");
    return time_ns;
}

static void read_fingerprint(struct reading *x)
{
    unsigned char bytes[8];
    fl_slice text = fl_json_string(&x->in);
    x->has_fingerprint = fl_json_ok(&x->in) && fl_parse_hex(text, bytes, sizeof(bytes));
    for (size_t i = 0; x->has_fingerprint && i < sizeof(bytes); i++)
        x->alert.fingerprint = x->alert.fingerprint << 8 | bytes[i];
}

/* A word, or an object with more about silences. */
static void read_status(struct reading *x)
{
    if (fl_json_peek(&x->in) != FL_JSON_STRING) {
        fl_json_skip(&x->in);
        return;
    }
    fl_slice word = fl_json_string(&x->in);
    x->alert.is_resolved = fl_slice_equal(word, FL_SLICE("resolved"));
    x->is_pending = fl_slice_equal(word, FL_SLICE("pending"));
}

static void read_member(struct reading *x, fl_slice key)
{
    fl_alert_record *alert = &x->alert;
    if (fl_slice_equal(key, FL_SLICE("labels"))) {
        read_labels(x);
    } else if (fl_slice_equal(key, FL_SLICE("annotations"))) {
        read_annotations(x);
    } else if (fl_slice_equal(key, FL_SLICE("startsAt")) ||
               fl_slice_equal(key, FL_SLICE("activeAt"))) {
        alert->starts_ns = read_time(x);
        x->has_start = alert->starts_ns > 0;
    } else if (fl_slice_equal(key, FL_SLICE("endsAt")) && !x->is_listed) {
        alert->ends_ns = read_time(x);
    } else if (fl_slice_equal(key, FL_SLICE("status")) || fl_slice_equal(key, FL_SLICE("state"))) {
        read_status(x);
    } else if (fl_slice_equal(key, FL_SLICE("fingerprint"))) {
        read_fingerprint(x);
    } else if (fl_slice_equal(key, FL_SLICE("generatorURL"))) {
        alert->url = fl_json_string(&x->in);
    } else {
        fl_json_skip(&x->in);
    }
}

static uint64_t hash_text(uint64_t hash, fl_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ text.ptr[i]) * fnv_prime;
    return (hash ^ FNV_SEPARATOR) * fnv_prime;
}

static int compare_labels(const void *left, const void *right)
{
    return fl_slice_compare(((const fl_attr *)left)->key, ((const fl_attr *)right)->key);
}

/* The labels are sorted, so that the same alert looks the same however it came. */
static uint64_t fingerprint_of(const fl_labels *labels)
{
    uint64_t hash = fnv_offset;
    assert(labels->count <= FL_MAX_LABELS);
    for (size_t i = 0; i < labels->count; i++)
        hash = hash_text(hash_text(hash, labels->items[i].key), labels->items[i].value.text);
    return hash;
}

static fl_status push(struct reading *x)
{
    fl_alert_record *alert = &x->alert;
    fl_attr told[FL_WHO_LABELS];
    assert(x->labels.count > 0 && x->has_start);
    if (x->labels.count > 1)
        qsort(x->labels.items, x->labels.count, sizeof(x->labels.items[0]), compare_labels);
    x->who = x->labels;
    fl_resource who = fl_labels_take_who(&x->who, told);
    alert->service = who.service;
    alert->instance = who.instance;
    alert->node = who.node;
    alert->name = fl_labels_find(&x->labels, FL_SLICE("alertname"));
    alert->severity = fl_labels_find(&x->labels, FL_SLICE("severity"));
    alert->labels = (fl_attrs){.items = x->labels.items, .count = x->labels.count};
    if (!x->has_fingerprint)
        alert->fingerprint = fingerprint_of(&x->labels);
    return x->to->sink->alert(x->to->sink->payload, alert, x->err);
}

/* False in *sound where the JSON cannot be read on, which was then refused. */
static fl_status read_alert(struct reading *x, bool *sound)
{
    fl_slice key;
    fl_arena_reset(&x->arena);
    fl_labels_clear(&x->labels);
    x->alert = (fl_alert_record){0};
    x->has_start = x->has_fingerprint = x->is_pending = false;
    *sound = true;
    fl_json_mark mark = fl_json_here(&x->in);
    if (fl_json_enter_object(&x->in))
        while (fl_json_next_member(&x->in, &key))
            read_member(x, key);
    if (fl_json_ok(&x->in) && x->labels.count == 0)
        fl_json_fail(&x->in, mark.pos, "an alert without labels");
    if (fl_json_ok(&x->in) && !x->has_start)
        fl_json_fail(&x->in, mark.pos, "an alert without startsAt");
    if (fl_json_ok(&x->in) && x->alert.ends_ns != 0 && x->alert.ends_ns < x->alert.starts_ns)
        fl_json_fail(&x->in, mark.pos, "an alert ends before it starts");
    if (!fl_json_ok(&x->in))
        return fl_intake_pass_over(x->to, &x->in, mark, sound, x->err);
    return x->is_pending ? FL_OK : push(x);
}

/* ---- a payload ---- */

/* Where the alerts stand, and what the members around them say. */
struct layout {
    fl_slice alerts;  /* the list; ptr is NULL where there is none */
    fl_slice version; /* of a webhook */
    bool is_webhook;
};

/* Look through an object: `alerts` in it, or in its "data". O(bytes), nothing is kept. */
static void find_members(struct layout *out, fl_json *in)
{
    fl_slice key, inner;
    (void)fl_json_enter_object(in);
    while (fl_json_next_member(in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("alerts")) && fl_json_peek(in) == FL_JSON_ARRAY) {
            out->alerts = fl_json_raw(in);
            out->is_webhook = true;
        } else if (fl_slice_equal(key, FL_SLICE("version")) && fl_json_peek(in) == FL_JSON_STRING) {
            out->version = fl_json_string(in);
        } else if (fl_slice_equal(key, FL_SLICE("data")) && fl_json_peek(in) == FL_JSON_OBJECT) {
            (void)fl_json_enter_object(in);
            while (fl_json_next_member(in, &inner))
                if (fl_slice_equal(inner, FL_SLICE("alerts")) && fl_json_peek(in) == FL_JSON_ARRAY)
                    out->alerts = fl_json_raw(in);
                else
                    fl_json_skip(in);
        } else {
            fl_json_skip(in);
        }
    }
}

/* Of a list, alerts are told by the members of its first element. */
static bool is_list(fl_json in)
{
    fl_slice key;
    bool has_labels = false, has_start = false;
    if (!fl_json_enter_array(&in) || !fl_json_next_element(&in) ||
        fl_json_peek(&in) != FL_JSON_OBJECT)
        return false;
    (void)fl_json_enter_object(&in);
    while (fl_json_next_member(&in, &key)) {
        has_labels |= fl_slice_equal(key, FL_SLICE("labels"));
        has_start |= fl_slice_equal(key, FL_SLICE("startsAt"));
        fl_json_skip(&in);
    }
    return has_labels && has_start;
}

/* A body that breaks behind its alerts is told from the front: they are used. */
static fl_status find_alerts(struct layout *out, const struct reading *x)
{
    fl_json in = x->in;
    fl_json_kind kind = fl_json_peek(&in);
    *out = (struct layout){0};
    if (kind == FL_JSON_ARRAY && is_list(in))
        out->alerts = (fl_slice){.ptr = x->to->bytes.ptr, .len = x->to->bytes.len};
    else if (kind == FL_JSON_OBJECT)
        find_members(out, &in);
    if (in.err.status == FL_E_NOMEM)
        return fl_fail(x->err, FL_E_NOMEM, FL_NO_OFFSET, "%s: out of memory", x->to->source);
    if (out->alerts.ptr == NULL)
        return fl_fail(x->err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s holds no alerts", x->to->source);
    if (out->version.ptr != NULL && !fl_slice_equal(out->version, FL_SLICE("4")))
        return fl_fail(x->err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "%s: a webhook of version %.*s is not read, 4 is", x->to->source,
                       out->version.len < 20 ? (int)out->version.len : 20,
                       (const char *)out->version.ptr);
    return FL_OK;
}

static fl_status read_list(struct reading *x)
{
    fl_status status = FL_OK;
    bool sound = true;
    if (fl_json_enter_array(&x->in))
        while (status == FL_OK && sound && fl_json_next_element(&x->in))
            status = read_alert(x, &sound);
    if (status == FL_OK && sound && fl_json_ok(&x->in) && x->is_listed)
        (void)fl_json_finish(&x->in);
    if (status == FL_OK && sound && !fl_json_ok(&x->in))
        status = fl_intake_refuse_error(x->to, &x->in.err, 0, 1, x->err);
    return status;
}

fl_status fl_alerts_json(fl_intake *to, fl_slice body, fl_error *err)
{
    struct layout layout;
    assert(to->sink->alert != NULL);
    body = fl_intake_text(body);
    fl_intake_begin(to, body, true);
    struct reading x = {.to = to, .arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES), .err = err};
    x.in = fl_json_over(body, &x.arena);
    fl_status status = find_alerts(&layout, &x);
    if (status == FL_OK) {
        x.in = fl_intake_reader(to, layout.alerts, &x.arena);
        x.is_listed = !layout.is_webhook;
        status = read_list(&x);
    }
    fl_arena_dispose(&x.arena);
    return status;
}
