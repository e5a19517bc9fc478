/*
 * payloads.c - from a file's first bytes to its decoder.
 *
 * JSON is offered to each decoder in turn, which tells by its first members whether it is its own;
 * a snappy block is a push to Loki where its first stream begins with labels, else remote write.
 * Series without a name, as Prometheus' functions give them, go under the file's name without its
 * endings: who saves the answer of a query names the file after it.
 */
#include "payloads.h"

#include <assert.h>

#include "intake.h"
#include "jaeger.h"
#include "loki.h"
#include "mem.h"
#include "prometheus.h"
#include "slice.h"
#include "snappy.h"
#include "stream.h"
#include "zipkin.h"

struct fl_payloads {
    fl_sink sink;
    fl_intake to;
    fl_prometheus *prometheus;
    fl_stream_block block;
    fl_arena plain; /* of a snappy block */
};

fl_status fl_payloads_create(fl_payloads **out, const fl_sink *sink, bool strict, fl_error *err)
{
    *out = NULL;
    fl_payloads *p = fl_mem_calloc(1, sizeof(*p));
    if (p == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    p->sink = *sink;
    p->to = (fl_intake){.sink = &p->sink, .source = "", .strict = strict};
    p->plain = fl_arena_of(FL_MAX_PAYLOAD_BYTES);
    fl_status status = fl_prometheus_create(&p->prometheus, &p->to, err);
    if (status != FL_OK) {
        fl_payloads_destroy(p);
        return status;
    }
    *out = p;
    return FL_OK;
}

void fl_payloads_destroy(fl_payloads *p)
{
    if (p == NULL)
        return;
    fl_prometheus_destroy(p->prometheus);
    fl_arena_dispose(&p->plain);
    fl_mem_free(p->block.ptr);
    fl_mem_free(p);
}

/* "errors.json.gz" is "errors". */
static fl_slice stem_of(const char *path)
{
    fl_slice name = fl_slice_of(path);
    size_t from = name.len;
    while (from > 0 && name.ptr[from - 1] != '/')
        from--;
    name = (fl_slice){.ptr = name.ptr + from, .len = name.len - from};
    name.len = fl_slice_find(name, FL_SLICE("."));
    return name;
}

/* In the order in which their first members can be told apart at the least cost. */
static fl_status read_json(fl_payloads *p, fl_slice bytes, const char *path, fl_error *err)
{
    assert(bytes.len > 0 && p->to.source == path);
    static fl_status (*const readers[])(fl_intake *, fl_slice, fl_error *) = {
        fl_zipkin_json, fl_loki_json, fl_jaeger_json, fl_loki_answer};
    fl_error own = {0};
    fl_status status = FL_E_UNSUPPORTED;
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]) && status == FL_E_UNSUPPORTED;
         i++) {
        own = (fl_error){0};
        status = readers[i](&p->to, bytes, &own);
    }
    if (status == FL_E_UNSUPPORTED) {
        own = (fl_error){0};
        fl_prometheus_set_name(p->prometheus, stem_of(path));
        status = fl_prometheus_answer(p->prometheus, bytes, &own);
        fl_prometheus_set_name(p->prometheus, (fl_slice){0});
    }
    return status == FL_OK ? FL_OK : fl_fail(err, status, own.offset, "%s", own.message);
}

/* Whether the first stream of a push begins with labels as text. */
static bool is_loki(fl_slice message)
{
    fl_proto in = fl_proto_over(message);
    if (!fl_proto_next(&in) || in.field != 1 || in.type != FL_PROTO_BYTES)
        return false;
    fl_proto stream = fl_proto_message(&in);
    return fl_proto_next(&stream) && stream.field == 1 && stream.type == FL_PROTO_BYTES &&
           stream.body.len > 0 && stream.body.ptr[0] == '{';
}

/* Whether the message begins like a write: a series with a label, or metadata. */
static bool is_write(fl_slice message)
{
    fl_proto in = fl_proto_over(message);
    if (!fl_proto_next(&in) || in.type != FL_PROTO_BYTES || (in.field != 1 && in.field != 3))
        return false;
    fl_proto part = fl_proto_message(&in);
    if (!fl_proto_next(&part) || (in.field == 1 && part.field != 1))
        return false;
    if (in.field == 3)
        return part.field <= 5;
    fl_proto label = fl_proto_message(&part);
    return fl_proto_next(&label) && label.field <= 2 && label.type == FL_PROTO_BYTES;
}

static fl_status read_packed(fl_payloads *p, fl_slice bytes, const char *path, fl_error *err)
{
    fl_slice message;
    fl_arena_reset(&p->plain);
    fl_status status = fl_snappy_decode(&message, bytes, FL_MAX_PAYLOAD_BYTES, &p->plain, NULL);
    if (status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %s", path);
    if (status == FL_OK && is_loki(message))
        return fl_loki_plain_proto(&p->to, message, err);
    if (status == FL_OK && is_write(message))
        return fl_prometheus_write_proto(p->prometheus, message, err);
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s holds no telemetry that is read", path);
}

fl_status fl_payloads_bytes(fl_payloads *p, fl_slice bytes, const char *path, fl_error *err)
{
    assert(path != NULL);
    p->to.source = path;
    fl_prometheus_set_source(p->prometheus, path);
    fl_slice text = fl_slice_trim(fl_intake_text(bytes));
    if (text.len == 0)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s is empty", path);
    return text.ptr[0] == '{' || text.ptr[0] == '[' ? read_json(p, bytes, path, err)
                                                    : read_packed(p, bytes, path, err);
}

fl_status fl_payloads_file(fl_payloads *p, const char *path, fl_error *err)
{
    fl_stream *stream;
    fl_slice bytes;
    fl_error why = {0};
    fl_status status = fl_stream_open(&stream, path, err);
    if (status != FL_OK)
        return status;
    status = fl_stream_read_all(&bytes, &p->block, stream, FL_MAX_PAYLOAD_BYTES, &why);
    fl_stream_close(stream);
    if (status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %s", path);
    if (status == FL_OK && bytes.len > FL_MAX_PAYLOAD_BYTES)
        status = fl_fail(&why, FL_E_LIMIT, FL_MAX_PAYLOAD_BYTES, "larger than %u bytes",
                         FL_MAX_PAYLOAD_BYTES);
    if (status == FL_OK)
        return fl_payloads_bytes(p, bytes, path, err);
    p->to.source = path;
    fl_intake_begin(&p->to, (fl_slice){.len = SIZE_MAX}, false);
    return fl_intake_refuse_error(&p->to, &why, 0, 1, err);
}
