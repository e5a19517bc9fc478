/* fuzz_jaeger.c - answers of Jaeger: what is pushed keeps the contract of records, what is refused
 * lies within the input. */
#include "fuzz.h"
#include "jaeger.h"
#include "otlp_contract.h"

/* A span may be of any process of its trace. */
static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    otlp_contract *seen = payload;
    assert(resource > 0 && resource <= seen->resources);
    return otlp_check_span(payload, seen->resources, span, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    otlp_contract seen = {.end = size};
    fl_sink sink = otlp_contract_sink(&seen);
    sink.span = on_span;
    fl_intake to = {.sink = &sink, .source = "fuzz"};
    fl_error err = {0};
    fl_status status = fl_jaeger_json(&to, (fl_slice){.ptr = data, .len = size}, &err);
    assert(status == FL_OK || status == FL_E_UNSUPPORTED || status == FL_E_IO);
    assert(seen.rejects == to.rejects);
    return 0;
}
