/*
 * otlp_proto.c - the walk from a protobuf request down to its records, and what damage costs.
 *
 *   request  := (1 resource block)*
 *   block    := 1 resource, (2 scope block)*, 3 schema url      resource := (1 attribute)*
 *   scope    := 1 scope, (2 record)*, 3 schema url
 *
 * The three signals share these numbers, so that a request does not say which one it is:
 * fl_otlp_proto_sniff() tells by the wire types inside a record.
 *
 * Lengths bound everything: a record that cannot be read costs itself. A request that was cut
 * off has a last field that is longer than what is left; down to the scopes such a torn field is
 * read as far as it goes, so that the records before the cut are kept. A torn record is never read.
 *
 * Why torn fields are entered at all: a collector that is killed leaves its last message short, and
 * what happened right before is what a triage asks about. Why only down to the scopes: a field of a
 * record that is cut may read as another value, and a wrong value is worse than none.
 */
#include <assert.h>

#include "otlp_priv.h"

typedef void read_record_fn(fl_otlp *otlp, fl_proto *in);

typedef struct fl_otlp_reading {
    read_record_fn *read;
    const char *what;
} fl_otlp_reading;

/* --- torn requests --- */

/* Only a reader that ends where the request does can be the torn one. */
static bool ends_with_request(const fl_otlp *otlp, const fl_proto *in)
{
    return in->bytes.ptr + in->bytes.len == otlp->end;
}

void fl_otlp_proto_reject(fl_otlp *otlp, const fl_proto *in, const char *what)
{
    assert(!fl_proto_ok(in));
    if (otlp->broken && ends_with_request(otlp, in))
        return; /* a part of what was reported as lost */
    if (otlp->status == FL_OK)
        fl_otlp_reject(otlp, in->err.offset, 1, "%s: %s", what, in->err.message);
}

/* Apart from fl_proto's own: here the bytes are known to be cut somewhere. */
static bool read_varint(fl_slice bytes, size_t *pos, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && *pos < bytes.len; shift += 7) {
        unsigned char byte = bytes.ptr[(*pos)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Make what is left of the bytes field at `at` the field in hand. */
static bool take_torn_field(fl_proto *in, size_t at)
{
    assert(!fl_proto_ok(in));
    uint64_t tag = 0, len = 0;
    size_t pos = at;
    if (!read_varint(in->bytes, &pos, &tag) || !read_varint(in->bytes, &pos, &len))
        return false;
    if ((tag & 7) != FL_PROTO_BYTES || len <= in->bytes.len - pos)
        return false;
    in->field = (uint32_t)(tag >> 3);
    in->type = FL_PROTO_BYTES;
    in->body = (fl_slice){in->bytes.ptr + pos, in->bytes.len - pos};
    in->pos = in->bytes.len;
    return true;
}

/* The next bytes field numbered `field`, as a reader over it; *is_torn when its end is missing. */
static bool next_child(fl_otlp *otlp, fl_proto *in, uint32_t field, fl_proto *child, bool *is_torn)
{
    *is_torn = false;
    while (!*is_torn) {
        size_t at = in->pos;
        if (!fl_proto_next(in)) {
            if (fl_proto_ok(in) || !otlp->broken || !ends_with_request(otlp, in) ||
                !take_torn_field(in, at))
                return false;
            in->err.status = FL_OK;
            *is_torn = true;
        }
        if (in->field != field)
            continue;
        fl_proto_enter(child, in);
        return fl_proto_ok(in);
    }
    return false;
}

/* --- scopes, resources, request --- */

/* Records one by one; what is wrong with one is said of it alone. */
static void read_scope(fl_otlp *otlp, fl_proto *in, const fl_otlp_reading *reading)
{
    fl_proto record;
    bool is_torn;
    while (otlp->status == FL_OK && next_child(otlp, in, 2, &record, &is_torn)) {
        if (is_torn)
            return;
        reading->read(otlp, &record);
        if (!fl_proto_ok(&record))
            fl_otlp_proto_reject(otlp, &record, reading->what);
    }
    if (!fl_proto_ok(in))
        fl_otlp_proto_reject(otlp, in, "scope");
}

/* Announce the resource. One that cannot be read costs all of its records, in one reject. */
static void read_resource(fl_otlp *otlp, fl_proto *in)
{
    fl_otlp_begin(otlp);
    while (fl_proto_next(in))
        if (in->field == 1)
            fl_otlp_proto_attr(otlp, in, &otlp->attrs);
    if (otlp->status != FL_OK)
        return;
    if (fl_proto_ok(in))
        fl_otlp_push_resource(otlp);
    else
        fl_otlp_discard_begin(otlp, in->err.offset, in->err.message);
}

/* The resource may stand behind its scopes: it is looked for first. */
static void find_resource(fl_otlp *otlp, const fl_proto *block)
{
    fl_proto ahead = *block, resource;
    while (fl_proto_next(&ahead))
        if (ahead.field == 1 && ahead.type == FL_PROTO_BYTES) {
            fl_proto_enter(&resource, &ahead);
            read_resource(otlp, &resource);
            return;
        }
    fl_otlp_begin(otlp);
    fl_otlp_push_resource(otlp);
}

/* One resource and its scopes; records of a discarded resource are counted here. */
static void read_block(fl_otlp *otlp, fl_proto *in, const fl_otlp_reading *reading)
{
    fl_proto scope;
    bool is_torn;
    find_resource(otlp, in);
    while (otlp->status == FL_OK && next_child(otlp, in, 2, &scope, &is_torn))
        read_scope(otlp, &scope, reading);
    if (!fl_proto_ok(in))
        fl_otlp_proto_reject(otlp, in, "resource");
    fl_otlp_discard_end(otlp);
}

/* The first failure of the request itself is where it is torn. */
static void report_torn(fl_otlp *otlp, fl_proto request)
{
    while (fl_proto_next(&request))
        continue;
    if (fl_proto_ok(&request))
        return;
    if (!otlp->input_torn)
        fl_otlp_reject(otlp, request.err.offset, 1, "request: %s; the rest is lost",
                       request.err.message);
    otlp->broken = true;
}

/* Blocks in order. A torn request is reported before, so that its reject comes first. */
static void read_request(fl_otlp *otlp, fl_proto *in, const fl_otlp_reading *reading)
{
    fl_proto block;
    bool is_torn;
    report_torn(otlp, *in);
    while (otlp->status == FL_OK && next_child(otlp, in, 1, &block, &is_torn)) {
        otlp->found = true;
        read_block(otlp, &block, reading);
    }
    if (!fl_proto_ok(in))
        fl_otlp_proto_reject(otlp, in, "request");
}

fl_status fl_otlp_proto(fl_otlp *otlp, fl_slice request, fl_otlp_signal signal, const char *source,
                        uint64_t offset, fl_error *err)
{
    static const fl_otlp_reading readings[] = {
        [FL_OTLP_LOGS] = {fl_otlp_proto_log, "log record"},
        [FL_OTLP_TRACES] = {fl_otlp_proto_span, "span"},
        [FL_OTLP_METRICS] = {fl_otlp_proto_metric, "metric"},
    };
    assert(source != NULL && !otlp->discard);
    otlp->source = source;
    otlp->line = 0;
    otlp->base = offset;
    otlp->err = err;
    otlp->status = FL_OK;
    otlp->broken = false;
    otlp->end = request.ptr + request.len;
    if (signal == FL_OTLP_UNKNOWN)
        signal = fl_otlp_proto_sniff(request);
    if (signal == FL_OTLP_UNKNOWN)
        signal = FL_OTLP_LOGS; /* there are no records; what else is wrong is found on the way */
    assert((size_t)signal < sizeof(readings) / sizeof(readings[0]));
    fl_proto in = fl_proto_over(request);
    read_request(otlp, &in, &readings[signal]);
    return otlp->status;
}

/* --- telling the signal --- */

/* The next bytes field of that number, be it torn. */
static bool sniff_child(fl_proto *in, uint32_t field, fl_proto *child)
{
    for (;;) {
        size_t at = in->pos;
        if (!fl_proto_next(in) && (fl_proto_ok(in) || !take_torn_field(in, at)))
            return false;
        if (in->field == field && in->type == FL_PROTO_BYTES) {
            fl_proto_enter(child, in);
            return true;
        }
    }
}

/* A span has its times in fixed64 fields 7 and 8; a log record in 1 and 11, and its severity in
 * varint 2; a metric has no fixed64 at all, but a name in bytes 1. A record of none of these is
 * rejected as whatever it is taken for. */
static fl_otlp_signal signal_of_record(fl_proto *in)
{
    fl_otlp_signal guess = FL_OTLP_UNKNOWN;
    while (fl_proto_next(in)) {
        unsigned field = in->field;
        bool is_fixed = in->type == FL_PROTO_FIXED64, is_bytes = in->type == FL_PROTO_BYTES;
        if (is_fixed && (field == 7 || field == 8))
            return FL_OTLP_TRACES;
        if (is_fixed && (field == 1 || field == 11))
            return FL_OTLP_LOGS;
        if (field == 2 && in->type == FL_PROTO_VARINT)
            return FL_OTLP_LOGS;
        if (is_bytes && field == 1)
            guess = FL_OTLP_METRICS;
        else if (is_bytes && guess == FL_OTLP_UNKNOWN)
            guess = FL_OTLP_LOGS;
    }
    return guess;
}

fl_otlp_signal fl_otlp_proto_sniff(fl_slice request)
{
    fl_otlp_signal found = FL_OTLP_UNKNOWN;
    fl_proto in = fl_proto_over(request), block, scope, record;
    while (found == FL_OTLP_UNKNOWN && sniff_child(&in, 1, &block))
        while (found == FL_OTLP_UNKNOWN && sniff_child(&block, 2, &scope))
            while (found == FL_OTLP_UNKNOWN && sniff_child(&scope, 2, &record))
                found = signal_of_record(&record);
    return found;
}

bool fl_otlp_proto_is_plausible(fl_slice request)
{
    size_t pos = 0;
    uint64_t len = 0;
    if (request.len < 3 || request.ptr[0] != (1 << 3 | FL_PROTO_BYTES))
        return false;
    pos = 1;
    if (!read_varint(request, &pos, &len) || len < 2 || pos >= request.len)
        return false;
    unsigned tag = request.ptr[pos];
    return (tag & 7) == FL_PROTO_BYTES && tag >> 3 >= 1 && tag >> 3 <= 3;
}
