/* Any bytes: no crash; the groups' counts are the total, and each group is whole and ordered. */
#include <assert.h>

#include "fuzz.h"
#include "goroutine_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_slice bytes = {.ptr = data, .len = size};
    fl_stream *in;
    fl_goroutines *found;
    fl_error err = {0};
    (void)fl_goroutines_sniff(bytes);
    if (fl_stream_over(&in, bytes, "fuzz", &err) != FL_OK)
        return 0;
    if (fl_goroutines_read(&found, in, &err) == FL_OK) {
        uint64_t total = 0;
        for (size_t i = 0; i < found->group_count; i++) {
            const fl_gogroup *group = &found->groups[i];
            assert(group->count > 0 && (i == 0 || group->count <= found->groups[i - 1].count));
            assert(group->waiting_count <= group->count && group->wait_min <= group->wait_median);
            assert(group->wait_median <= group->wait_max);
            for (size_t k = 0; k < group->stack_count; k++)
                assert(group->stack[k] != NULL && group->stack[k]->function.ptr != NULL);
            total += group->count;
        }
        assert(total == found->total);
        fl_goroutines_destroy(found);
    } else
        assert(err.message[0] != '\0');
    fl_stream_close(in);
    return 0;
}
