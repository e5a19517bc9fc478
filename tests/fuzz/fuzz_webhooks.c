/* fuzz_webhooks.c - deliveries of GitHub and GitLab: what is pushed keeps the contract, what is
 * refused lies within the input. */
#include <assert.h>

#include "changes.h"
#include "fuzz.h"

struct seen {
    size_t size, changes;
};

static fl_status on_change(void *payload, const fl_change_record *change, fl_error *err)
{
    struct seen *seen = payload;
    (void)err;
    assert(change->kind < FL_CHANGE_KIND_COUNT && change->time_ns >= 0 && change->source.len > 0);
    assert(change->before.len <= 12 && ++seen->changes <= seen->size);
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    const struct seen *seen = payload;
    (void)err;
    assert(reject->line > 0 && reject->offset <= seen->size && reject->reason[0] != '\0');
    return FL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.size = size};
    fl_sink sink = {.payload = &seen, .change = on_change, .reject = on_reject};
    fl_intake to = {.sink = &sink, .source = "fuzz"};
    fl_slice bytes = {.ptr = data, .len = size};
    fl_error err = {0};
    fl_status status = fl_changes_json(&to, bytes, 5, &err);
    assert(status == FL_OK || status == FL_E_UNSUPPORTED);
    if (size > 0)
        assert(!fl_changes_github_signed((fl_slice){.ptr = data, .len = 1}, bytes, bytes));
    return 0;
}
