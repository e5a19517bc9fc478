/* Any bytes as a file: each form that a file may have, and each way that one may break. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "otlp.h"
#include "otlp_contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fl_otlp *otlp;
    static otlp_contract seen;
    static char path[] = "/tmp/faultline-fuzz-otlp-XXXXXX";
    static int fd = -1;
    fl_sink sink = otlp_contract_sink(&seen);
    if (otlp == NULL && fl_otlp_create(&otlp, &sink, NULL) != FL_OK)
        return 0;
    if (fd < 0)
        fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    seen = (otlp_contract){.end = UINT64_MAX}; /* offsets are those of the decompressed bytes */
    fl_error err = {0};
    fl_status status = fl_otlp_file(otlp, path, &err);
    assert(status == FL_OK || status == FL_E_UNSUPPORTED);
    assert(status == FL_OK || seen.records + seen.rejects == 0);
    return 0;
}
