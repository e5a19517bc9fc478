/*
 * loki_proto.c - pushes as protobuf (logproto, pkg/push/push.proto).
 *
 *   PushRequest  1 Stream*
 *   Stream       1 labels as text, 2 Entry*
 *   Entry        1 Timestamp, 2 line, 3 structured metadata*, 4 parsed*
 *   Timestamp    1 V seconds, 2 V nanoseconds
 *   metadata     1 name, 2 value
 * Each stream and each entry is a message with a length of its own: a malformed one is refused, and
 * the next one is read.
 */
#include <assert.h>

#include "loki_priv.h"
#include "slice.h"
#include "snappy.h"
#include "timestamp.h"

static int64_t read_time(fl_proto *entry)
{
    fl_proto in;
    int64_t seconds = 0, nanos = 0, time_ns = 0;
    fl_proto_enter(&in, entry);
    while (fl_proto_next(&in))
        if (in.field == 1)
            seconds = fl_proto_i64(&in);
        else if (in.field == 2)
            nanos = fl_proto_i64(&in);
    bool is_good = fl_intake_time(&time_ns, seconds, FL_NS_PER_S) && nanos >= 0 &&
                   nanos < FL_NS_PER_S && time_ns <= INT64_MAX - nanos;
    if (fl_proto_ok(&in) && !is_good)
        (void)fl_fail(&in.err, FL_E_SYNTAX, in.base_offset,
                      "an entry's time is not between the years 1970 and 2262");
    return fl_proto_adopt(entry, &in) ? time_ns + nanos : 0;
}

static void read_pair(struct loki *x, fl_proto *entry)
{
    fl_proto in;
    fl_slice name = {0}, value = {0};
    fl_proto_enter(&in, entry);
    while (fl_proto_next(&in))
        if (in.field == 1)
            name = fl_proto_text(&in);
        else if (in.field == 2)
            value = fl_proto_text(&in);
    if (fl_proto_adopt(entry, &in))
        fl_labels_add(&x->labels, name, value);
}

static fl_status read_entry(struct loki *x, fl_proto *stream)
{
    fl_proto in;
    fl_slice line = {0};
    int64_t time_ns = 0;
    bool has_time = false;
    x->labels.count = x->stream_labels;
    fl_proto_enter(&in, stream);
    while (fl_proto_next(&in))
        switch (in.field) {
        case 1:
            time_ns = read_time(&in);
            has_time = true;
            break;
        case 2:
            line = fl_proto_text(&in);
            break;
        case 3:
        case 4:
            read_pair(x, &in);
            break;
        default:
            break;
        }
    if (fl_proto_ok(&in) && !has_time)
        (void)fl_fail(&in.err, FL_E_SYNTAX, in.base_offset, "an entry without a time");
    return fl_proto_ok(&in) ? fl_loki_push_entry(x, time_ns, line)
                            : fl_intake_refuse_error(x->to, &in.err, in.base_offset, 1, x->err);
}

/* The labels first, wherever they stand. */
static fl_status read_stream(struct loki *x, fl_proto *request)
{
    fl_proto head = fl_proto_message(request), in = head;
    fl_slice text = {0};
    size_t bad_at = 0;
    fl_status status = FL_OK;
    fl_arena_reset(&x->arena);
    while (text.ptr == NULL && fl_proto_next(&head))
        if (head.field == 1)
            text = fl_proto_text(&head);
    if (!fl_proto_ok(&head))
        return fl_intake_refuse_error(x->to, &head.err, head.base_offset, 1, x->err);
    if (text.ptr == NULL)
        return fl_intake_refuse(x->to, in.base_offset, 1, "a stream without labels", x->err);
    if (!fl_loki_read_labels(x, text, &bad_at, &status))
        return status != FL_OK
                   ? fl_fail(x->err, status, FL_NO_OFFSET, "out of memory")
                   : fl_intake_refuse(x->to,
                                      in.base_offset + (uint64_t)(text.ptr - in.bytes.ptr) + bad_at,
                                      1, "labels are not {name=\"value\", ...}", x->err);
    status = fl_loki_begin_stream(x);
    while (status == FL_OK && fl_proto_next(&in))
        if (in.field == 2 && in.type == FL_PROTO_BYTES)
            status = read_entry(x, &in);
    if (status == FL_OK && !fl_proto_ok(&in))
        status = fl_intake_refuse_error(x->to, &in.err, in.base_offset, 1, x->err);
    return status;
}

fl_status fl_loki_plain_proto(fl_intake *to, fl_slice message, fl_error *err)
{
    struct loki x;
    fl_proto in = fl_proto_over(message);
    fl_status status = FL_OK;
    fl_loki_open(&x, to, message, false, err);
    while (status == FL_OK && fl_proto_next(&in))
        if (in.field == 1 && in.type == FL_PROTO_BYTES)
            status = read_stream(&x, &in);
    if (status == FL_OK && !fl_proto_ok(&in))
        status = fl_intake_refuse_error(to, &in.err, 0, 1, err);
    fl_loki_close(&x);
    return status;
}

fl_status fl_loki_proto(fl_intake *to, fl_slice body, fl_error *err)
{
    assert(to != NULL);
    fl_arena arena = fl_arena_of(FL_MAX_LOKI_BYTES);
    fl_slice message;
    fl_status status = fl_snappy_decode(&message, body, FL_MAX_LOKI_BYTES, &arena, err);
    if (status == FL_OK)
        status = fl_loki_plain_proto(to, message, err);
    fl_arena_dispose(&arena);
    return status;
}
