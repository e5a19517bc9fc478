/* Any bytes: no crash; times never fall, and each goroutine goes on from the state it was in. */
#include <assert.h>

#include "fuzz.h"
#include "gotrace.h"

enum { SLOTS = 4096 };

struct seen {
    int64_t last_ns;
    uint8_t states[SLOTS];
};

static fl_status take(void *payload, const fl_gotrace_view *view, const fl_gotrace_event *events,
                      size_t count, fl_error *err)
{
    struct seen *seen = payload;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        const fl_gotrace_event *event = &events[i];
        size_t frames;
        const fl_gotrace_frame *stack = fl_gotrace_stack(view, event->stack, &frames);
        for (size_t k = 0; k < frames; k++)
            (void)fl_gotrace_text(view, stack[k].function);
        (void)fl_gotrace_text(view, event->text);
        assert(event->kind < FL_GOTRACE_KIND_COUNT && event->time_ns >= seen->last_ns);
        seen->last_ns = event->time_ns;
        if (event->kind != FL_GOTRACE_GO || event->target >= SLOTS)
            continue;
        uint8_t *state = &seen->states[event->target];
        assert(event->from == *state || event->from == FL_GOTRACE_UNKNOWN ||
               event->from == FL_GOTRACE_NOWHERE);
        *state = event->to;
    }
    return FL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_slice bytes = {.ptr = data, .len = size};
    struct seen seen = {0};
    fl_gotrace *trace = NULL;
    fl_stream *in;
    fl_error err = {0};
    (void)fl_gotrace_sniff(bytes);
    if (fl_stream_over(&in, bytes, "fuzz", &err) != FL_OK)
        return 0;
    if (fl_gotrace_create(&trace, &err) == FL_OK &&
        fl_gotrace_read(trace, in, take, &seen, &err) == FL_OK)
        assert(fl_gotrace_info_of(trace)->events > 0);
    else
        assert(err.message[0] != '\0');
    fl_gotrace_destroy(trace);
    fl_stream_close(in);
    return 0;
}
