/* fuzz_snappy.c - snappy blocks: what is read is as long as it says, and failures lie within. */
#include <assert.h>

#include "fuzz.h"
#include "snappy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena arena = fl_arena_of(1 << 20);
    fl_slice plain, block = {.ptr = data, .len = size};
    fl_error err = {0};
    fl_status status = fl_snappy_decode(&plain, block, 1 << 20, &arena, &err);
    uint64_t sum = 0;
    assert(status == FL_OK || err.offset <= size || status == FL_E_NOMEM);
    for (size_t i = 0; i < plain.len; i++)
        sum += plain.ptr[i];
    assert(status != FL_OK || sum <= 255 * (uint64_t)plain.len);
    fl_arena_dispose(&arena);
    return 0;
}
