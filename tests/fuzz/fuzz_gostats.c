/* Any bytes: no crash; what is read has rows and whole columns; the sniffer agrees on a refusal. */
#include <assert.h>
#include <math.h>

#include "fuzz.h"
#include "gostats_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena arena = fl_arena_of(8u << 20);
    fl_slice bytes = {.ptr = data, .len = size};
    fl_gostats stats;
    fl_error err = {0};
    (void)fl_gostats_sniff(bytes);
    if (fl_gostats_read(&stats, bytes, 1, &arena, &err) == FL_OK) {
        assert(stats.row_count > 0);
        bool has_any = false;
        for (size_t s = 0; s < FL_GOSTAT_COUNT; s++) {
            if (stats.values[s] == NULL)
                continue;
            has_any = true;
            for (size_t i = 0; i < stats.row_count; i++)
                assert(isnan(stats.values[s][i]) || stats.values[s][i] >= 0);
        }
        assert(has_any);
    } else
        assert(err.message[0] != '\0');
    fl_arena_dispose(&arena);
    return 0;
}
