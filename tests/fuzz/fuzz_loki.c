/* fuzz_loki.c - pushes to Loki and its answers: what is pushed keeps the contract of records, what
 * is refused lies within the input. The first byte says how the rest is read. */
#include <assert.h>

#include "fuzz.h"
#include "loki.h"

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

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    const struct seen *seen = payload;
    (void)err;
    assert(resource < seen->resources && log->time_ns >= 0 && log->attrs.count <= 128);
    assert(log->severity >= 0 && log->severity <= 24);
    for (size_t i = 0; i < log->attrs.count; i++)
        assert(log->attrs.items[i].key.len > 0 && log->attrs.items[i].value.text.len > 0);
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
    struct seen seen = {.size = is_packed ? FL_MAX_LOKI_BYTES : size};
    fl_sink sink = {.payload = &seen, .resource = on_resource, .log = on_log, .reject = on_reject};
    fl_intake to = {.sink = &sink, .source = "fuzz"};
    if (size == 0)
        return 0;
    fl_slice bytes = {.ptr = data + 1, .len = size - 1};
    fl_error err = {0};
    fl_status status = data[0] == 'p'   ? fl_loki_plain_proto(&to, bytes, &err)
                       : is_packed      ? fl_loki_proto(&to, bytes, &err)
                       : data[0] == 'a' ? fl_loki_answer(&to, bytes, &err)
                                        : fl_loki_json(&to, bytes, &err);
    assert((status == FL_OK) == (err.status == FL_OK));
    assert(status == FL_OK || err.message[0] != '\0');
    return 0;
}
