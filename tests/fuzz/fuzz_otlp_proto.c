/* Any bytes as one request, the signal out of its first byte or its content: no crash, and every
 * record keeps the contract of record.h. */
#include <assert.h>

#include "fuzz.h"
#include "otlp.h"
#include "otlp_contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fl_otlp *otlp;
    static otlp_contract seen;
    fl_sink sink = otlp_contract_sink(&seen);
    if (size == 0 || (otlp == NULL && fl_otlp_create(&otlp, &sink, NULL) != FL_OK))
        return 0;
    seen = (otlp_contract){.end = size};
    fl_slice request = {data + 1, size - 1};
    fl_status status = fl_otlp_proto(otlp, request, (fl_otlp_signal)(data[0] % 4), "fuzz", 1, NULL);
    assert(status == FL_OK);
    return 0;
}
