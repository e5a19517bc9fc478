/* fuzz_pyroscope.c - uploads to Pyroscope: a query, or ('f' in front) a form with the boundary b.
 */
#include <assert.h>

#include "fuzz.h"
#include "pyroscope.h"
#include "slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fl_pyroscope_upload upload;
    fl_slice bytes = {.ptr = data, .len = size}, profile;
    fl_error err = {0};
    if (size > 0 && data[0] == 'f') {
        bytes = (fl_slice){.ptr = data + 1, .len = size - 1};
        fl_slice type = FL_SLICE("multipart/form-data; boundary=b");
        fl_status status = fl_pyroscope_profile(&profile, type, bytes, &err);
        assert(status == FL_OK ? profile.len <= size : err.offset <= size);
        return 0;
    }
    fl_arena arena = fl_arena_of(16 << 20);
    fl_status status = fl_pyroscope_query(&upload, bytes, &arena, &err);
    assert(status == FL_OK ? upload.app.len > 0 : err.offset <= size || status == FL_E_NOMEM);
    fl_arena_dispose(&arena);
    return 0;
}
