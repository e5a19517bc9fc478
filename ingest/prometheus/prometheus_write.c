/*
 * prometheus_write.c - remote write 1.0 (prompb).
 *
 *   WriteRequest  1 TimeSeries*, 3 MetricMetadata*
 *   TimeSeries    1 Label*, 2 Sample*, 3 Exemplar*, 4 Histogram*
 *   Label         1 name, 2 value
 *   Sample        1 F value (double), 2 V timestamp (milliseconds)
 *   Metadata      1 V type, 2 family name, 4 help, 5 unit
 * F is 8 fixed bytes, V a varint; a field that is zero is left out. Labels come before samples, as
 * every sender writes them; a series in another order is read too, in two steps. Senders sort
 * labels and send metadata apart from samples; neither is relied on.
 *
 * Each series is a message with a length of its own: one that is malformed is refused, and the next
 * one is read.
 */
#include <assert.h>

#include "prometheus_priv.h"
#include "slice.h"
#include "snappy.h"
#include "timestamp.h"

enum { REQUEST_SERIES = 1, REQUEST_METADATA = 3 };
enum { SERIES_LABEL = 1, SERIES_SAMPLE = 2, SERIES_EXEMPLAR = 3, SERIES_HISTOGRAM = 4 };

static const fl_slice write_v1 = FL_SLICE_INIT("prometheus.WriteRequest");

fl_status fl_prometheus_write_type(fl_slice content_type, fl_error *err)
{
    static const fl_slice media = FL_SLICE_INIT("application/x-protobuf");
    static const fl_slice key = FL_SLICE_INIT("proto=");
    fl_slice rest = fl_slice_trim(content_type), proto = write_v1;
    if (!fl_slice_starts_with(rest, media) ||
        (rest.len > media.len && rest.ptr[media.len] != ';' && rest.ptr[media.len] != ' '))
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "remote write wants Content-Type application/x-protobuf");
    size_t at = fl_slice_find(rest, key);
    if (at < rest.len) {
        proto = (fl_slice){.ptr = rest.ptr + at + key.len, .len = rest.len - at - key.len};
        proto.len = fl_slice_find(proto, FL_SLICE(";"));
        proto = fl_slice_trim(proto);
        if (proto.len >= 2 && proto.ptr[0] == '"')
            proto = (fl_slice){.ptr = proto.ptr + 1, .len = proto.len - 2};
    }
    if (!fl_slice_equal(proto, write_v1))
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "remote write of %.*s is not read, prometheus.WriteRequest is",
                       proto.len < 64 ? (int)proto.len : 64, (const char *)proto.ptr);
    return FL_OK;
}

static void read_label(fl_prometheus *p, fl_proto *series)
{
    fl_proto in;
    fl_slice name = {0}, value = {0};
    fl_proto_enter(&in, series);
    while (fl_proto_next(&in))
        if (in.field == 1)
            name = fl_proto_text(&in);
        else if (in.field == 2)
            value = fl_proto_text(&in);
    if (fl_proto_ok(&in) && name.len == 0)
        (void)fl_fail(&in.err, FL_E_SYNTAX, in.base_offset, "a label without a name");
    if (fl_proto_adopt(series, &in))
        fl_labels_add(&p->labels, name, value);
}

/* Sets the series' failure, or returns the sink's. */
static fl_status read_sample(fl_prometheus *p, fl_proto *series, fl_error *err)
{
    fl_proto in;
    double value = 0;
    int64_t time_ms = 0, time_ns;
    fl_proto_enter(&in, series);
    while (fl_proto_next(&in))
        if (in.field == 1)
            value = fl_proto_double(&in);
        else if (in.field == 2)
            time_ms = fl_proto_i64(&in);
    if (fl_proto_ok(&in) && !fl_intake_time(&time_ns, time_ms, FL_NS_PER_MS))
        (void)fl_fail(&in.err, FL_E_SYNTAX, in.base_offset,
                      "a sample's time is not between the years 1970 and 2262");
    return fl_proto_adopt(series, &in) ? fl_prometheus_sample(p, time_ns, value, err) : FL_OK;
}

/* The labels of the whole series, then what is no label. */
static fl_status read_series(fl_prometheus *p, fl_proto *request, fl_error *err)
{
    fl_proto labels = fl_proto_message(request), rest = labels;
    const char *complaint = NULL;
    rest.pos = rest.bytes.len;
    fl_labels_clear(&p->labels);
    while (fl_proto_next(&labels))
        if (labels.field == SERIES_LABEL)
            read_label(p, &labels);
        else if (rest.pos == rest.bytes.len)
            rest.pos = labels.field_pos;
    if (!fl_proto_ok(&labels))
        return fl_intake_refuse_error(&p->to, &labels.err, labels.base_offset, 1, err);
    fl_status status = fl_prometheus_begin(p, &complaint, err);
    if (status == FL_OK && complaint != NULL)
        return fl_intake_refuse(&p->to, labels.base_offset, 1, complaint, err);
    while (status == FL_OK && fl_proto_next(&rest)) {
        p->counts.exemplars += rest.field == SERIES_EXEMPLAR;
        p->counts.native_histograms += rest.field == SERIES_HISTOGRAM;
        if (rest.field == SERIES_SAMPLE)
            status = read_sample(p, &rest, err);
    }
    if (status == FL_OK && !fl_proto_ok(&rest))
        status = fl_intake_refuse_error(&p->to, &rest.err, rest.base_offset, 1, err);
    return status;
}

static fl_status read_metadata(fl_prometheus *p, fl_proto *request, fl_error *err)
{
    fl_proto in;
    uint64_t type = TYPE_UNKNOWN;
    fl_slice family = {0}, unit = {0};
    fl_proto_enter(&in, request);
    while (fl_proto_next(&in))
        switch (in.field) {
        case 1:
            type = fl_proto_u64(&in);
            break;
        case 2:
            family = fl_proto_text(&in);
            break;
        case 5:
            unit = fl_proto_text(&in);
            break;
        default:
            break;
        }
    if (!fl_proto_ok(&in))
        return fl_intake_refuse_error(&p->to, &in.err, in.base_offset, 1, err);
    if (type >= TYPE_COUNT)
        type = TYPE_UNKNOWN;
    return fl_prometheus_note(p, family, (prometheus_type)type, unit, err);
}

fl_status fl_prometheus_write_proto(fl_prometheus *p, fl_slice message, fl_error *err)
{
    fl_proto in = fl_proto_over(message);
    fl_status status = FL_OK;
    p->rejects += p->to.rejects;
    p->has_who = false; /* handles hold for one payload */
    p->keeps_texts = true;
    fl_intake_begin(&p->to, message, false);
    while (status == FL_OK && fl_proto_next(&in))
        if (in.field == REQUEST_SERIES && in.type == FL_PROTO_BYTES)
            status = read_series(p, &in, err);
        else if (in.field == REQUEST_METADATA && in.type == FL_PROTO_BYTES)
            status = read_metadata(p, &in, err);
    if (status == FL_OK && !fl_proto_ok(&in))
        status = fl_intake_refuse_error(&p->to, &in.err, 0, 1, err);
    p->has_who = p->keeps_texts = false;
    return status;
}

fl_status fl_prometheus_write(fl_prometheus *p, fl_slice body, fl_error *err)
{
    fl_slice message;
    assert(p != NULL);
    fl_arena_reset(&p->body);
    fl_status status = fl_snappy_decode(&message, body, FL_MAX_REMOTE_WRITE_BYTES, &p->body, err);
    return status == FL_OK ? fl_prometheus_write_proto(p, message, err) : status;
}
