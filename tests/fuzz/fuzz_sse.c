/* fuzz_sse.c - events of a daemon that may be anybody: in one part and cut in two, they are told
 * the same. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "slice.h"
#include "sse.h"

static void take(void *payload, const fl_sse_event *event)
{
    assert(event->name[0] != '\0' && strlen(event->name) < FL_SSE_NAME_BYTES);
    assert(strlen(event->data) <= FL_SSE_EVENT_BYTES);
    fl_buf_printf(payload, "%s\n%s\n%d\n", event->name, event->data, event->is_cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_sse sse;
    fl_slice whole = {.ptr = data, .len = size};
    fl_buf once = fl_buf_of(64u << 20), twice = fl_buf_of(64u << 20);
    size_t cut = size > 0 ? data[0] % (size + 1) : 0;
    fl_sse_init(&sse, take, &once);
    fl_sse_feed(&sse, whole);
    fl_sse_dispose(&sse);
    fl_sse_init(&sse, take, &twice);
    fl_sse_feed(&sse, fl_slice_part(whole, 0, cut));
    fl_sse_feed(&sse, fl_slice_part(whole, cut, size));
    fl_sse_dispose(&sse);
    assert(once.len == twice.len && (once.len == 0 || memcmp(once.ptr, twice.ptr, once.len) == 0));
    fl_buf_dispose(&once);
    fl_buf_dispose(&twice);
    return 0;
}
