/* fuzz_zipkin.c - spans of Zipkin: what is pushed keeps the contract of records, what is refused
 * lies within the input. */
#include "fuzz.h"
#include "otlp_contract.h"
#include "zipkin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    otlp_contract seen = {.end = size};
    fl_sink sink = otlp_contract_sink(&seen);
    fl_intake to = {.sink = &sink, .source = "fuzz"};
    fl_error err = {0};
    fl_status status = fl_zipkin_json(&to, (fl_slice){.ptr = data, .len = size}, &err);
    assert(status == FL_OK || status == FL_E_UNSUPPORTED);
    assert(seen.rejects == to.rejects);
    return 0;
}
