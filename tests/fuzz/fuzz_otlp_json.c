/* Any bytes as one request: no crash, every record keeps the contract of record.h, and strict mode
 * ends where the first reject was. */
#include <assert.h>

#include "fuzz.h"
#include "otlp.h"
#include "otlp_contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fl_otlp *otlp;
    static otlp_contract seen;
    fl_sink sink = otlp_contract_sink(&seen);
    if (otlp == NULL && fl_otlp_create(&otlp, &sink, NULL) != FL_OK)
        return 0;
    seen = (otlp_contract){.end = 7 + size};
    fl_slice request = {data, size};
    fl_status status = fl_otlp_json(otlp, request, "fuzz", 1, 7, NULL);
    assert(status == FL_OK);
    uint64_t rejects = seen.rejects;
    fl_otlp_set_strict(otlp, true);
    seen = (otlp_contract){.end = 7 + size};
    status = fl_otlp_json(otlp, request, "fuzz", 1, 7, NULL);
    fl_otlp_set_strict(otlp, false);
    assert((status == FL_OK) == (rejects == 0) && seen.rejects == 0);
    return 0;
}
