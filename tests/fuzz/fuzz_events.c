/* fuzz_events.c - change events: what is read keeps the contract, and what is refused lies within
 * the input. */
#include <assert.h>

#include "events.h"
#include "fuzz.h"

struct seen {
    size_t size, changes, rejects;
};

static fl_status on_change(void *payload, const fl_change_record *change, fl_error *err)
{
    (void)err;
    struct seen *seen = payload;
    assert(change->kind < FL_CHANGE_KIND_COUNT && change->time_ns >= 0);
    assert(++seen->changes <= 64 * (seen->size + 1));
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)err;
    struct seen *seen = payload;
    assert(reject->line > 0 && reject->offset <= seen->size && reject->reason[0] != '\0');
    assert(++seen->rejects <= seen->size + 1);
    return FL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.size = size};
    fl_sink sink = {.payload = &seen, .change = on_change, .reject = on_reject};
    fl_slice bytes = {.ptr = data, .len = size};
    fl_status status = fl_events_bytes(&sink, bytes, "events", false, NULL);
    assert(status == FL_OK);
    size_t rejects = seen.rejects;
    status = fl_events_bytes(&sink, bytes, "events", true, NULL);
    assert((status == FL_OK) == (rejects == 0));
    (void)status;
    return 0;
}
