/*
 * Any bytes as a mangled name, with "_Z" in front where it is not there: no crash, an answer within
 * the bounds, the same answer twice.
 */
#include <assert.h>
#include <string.h>

#include "demangle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char name[FL_DEMANGLE_MAX_BYTES + 2] = "_Z";
    fl_slice first, second;
    if (size > FL_DEMANGLE_MAX_BYTES)
        return 0;
    size_t begin = size >= 2 && data[0] == '_' && data[1] == 'Z' ? 0 : 2;
    if (size > 0)
        memcpy(name + begin, data, size);
    fl_arena arena = fl_arena_of(1 << 20);
    const fl_slice in = {.ptr = name, .len = begin + size};
    assert(fl_demangle(&first, in, &arena) && fl_demangle(&second, in, &arena));
    assert(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
    assert(first.ptr == name || (first.len > 0 && first.len < 40 << 10));
    fl_arena_dispose(&arena);
    return 0;
}
