/* Any bytes: no crash; what is a histogram has rows with names. */
#include <assert.h>

#include "fuzz.h"
#include "histo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena arena = fl_arena_of(16u << 20);
    fl_slice bytes = {.ptr = data, .len = size};
    fl_histo histo;
    fl_error err = {0};
    bool is_one = fl_histo_is(bytes);
    if (fl_histo_read(&histo, bytes, &arena, &err) == FL_OK) {
        assert(is_one);
        for (size_t i = 0; i < histo.count; i++)
            assert(histo.rows[i].name.len > 0);
    } else
        assert(err.message[0] != '\0');
    fl_arena_dispose(&arena);
    return 0;
}
