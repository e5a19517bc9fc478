/* fuzz_prometheus.c - remote write and answers: what is pushed keeps the contract of records, what
 * is refused lies within the input. The first byte says how the rest is read. */
#include <assert.h>
#include <math.h>

#include "fuzz.h"
#include "prometheus.h"

struct seen {
    size_t size, refused;
    uint32_t resources;
};

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    struct seen *seen = payload;
    (void)err;
    assert(resource->attrs.count <= 4);
    *handle = seen->resources++;
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    const struct seen *seen = payload;
    (void)err;
    assert(resource < seen->resources && point->metric.len > 0 && isfinite(point->value));
    assert(point->time_ns >= 0 && point->attrs.count <= 128);
    assert(point->kind == FL_POINT_GAUGE || point->kind == FL_POINT_SUM ||
           point->kind == FL_POINT_PART);
    assert(point->kind != FL_POINT_PART || !isnan(point->param));
    for (size_t i = 0; i < point->attrs.count; i++)
        assert(point->attrs.items[i].key.len > 0 && point->attrs.items[i].value.text.len > 0);
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    struct seen *seen = payload;
    (void)err;
    assert(reject->offset <= seen->size && reject->reason[0] != '\0' && reject->records > 0);
    assert(++seen->refused <= seen->size + 1);
    return FL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_packed = size > 0 && data[0] == 'z'; /* offsets are those of the plain message */
    struct seen seen = {.size = is_packed ? FL_MAX_REMOTE_WRITE_BYTES : size};
    fl_sink sink = {
        .payload = &seen, .resource = on_resource, .point = on_point, .reject = on_reject};
    fl_intake to = {.sink = &sink, .source = "fuzz"};
    fl_prometheus *prometheus;
    if (size == 0 || fl_prometheus_create(&prometheus, &to, NULL) != FL_OK)
        return 0;
    fl_slice bytes = {.ptr = data + 1, .len = size - 1};
    fl_error err = {0};
    fl_status status;
    fl_prometheus_set_name(prometheus, (fl_slice){.ptr = (const unsigned char *)"n", .len = 1});
    if (data[0] == 'w')
        status = fl_prometheus_write_proto(prometheus, bytes, &err);
    else if (is_packed)
        status = fl_prometheus_write(prometheus, bytes, &err);
    else
        status = fl_prometheus_answer(prometheus, bytes, &err);
    assert((status == FL_OK) == (err.status == FL_OK));
    assert(seen.refused == fl_prometheus_rejects(prometheus));
    fl_prometheus_destroy(prometheus);
    return 0;
}
