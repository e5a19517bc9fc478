/* Any bytes: no crash; counts are within their limits, and every frame has a letter and its text.
 */
#include <assert.h>

#include "fuzz.h"
#include "hserr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena arena = fl_arena_of(8u << 20);
    fl_stream *in = NULL;
    fl_crash crash;
    fl_error err = {0};
    fl_slice bytes = {.ptr = data, .len = size};
    (void)fl_hserr_sniff(bytes);
    if (fl_stream_over(&in, bytes, "fuzz", &err) != FL_OK)
        return 0;
    if (fl_hserr_read(&crash, in, &arena, &err) == FL_OK) {
        assert(crash.native_count <= FL_CRASH_MAX_FRAMES &&
               crash.java_count <= FL_CRASH_MAX_FRAMES);
        assert(crash.event_count <= FL_CRASH_MAX_EVENTS);
        for (size_t i = 0; i < crash.native_count; i++)
            assert(crash.native_frames[i].kind != '\0' && crash.native_frames[i].text != NULL);
        for (size_t i = 0; i < crash.event_count; i++)
            assert(crash.events[i].count <= FL_CRASH_LAST_EVENTS && crash.events[i].name != NULL);
    } else
        assert(err.message[0] != '\0');
    fl_stream_close(in);
    fl_arena_dispose(&arena);
    return 0;
}
