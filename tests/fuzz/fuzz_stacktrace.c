/* fuzz_stacktrace.c - any text as a stack trace: what is found lies within it. */
#include "stacktrace.h"

#include <assert.h>

#include "fuzz.h"

static void check(fl_slice part, const uint8_t *data, size_t size)
{
    assert(part.len == 0 || (part.ptr >= data && part.ptr + part.len <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_frame frame;
    bool found = fl_stack_first_frame(&frame, (fl_slice){.ptr = data, .len = size});
    assert(found || (frame.file.len == 0 && frame.function.len == 0));
    assert(frame.line.len == 0 || frame.file.len > 0);
    check(frame.file, data, size);
    check(frame.line, data, size);
    check(frame.function, data, size);
    return 0;
}
