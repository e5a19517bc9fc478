/* fuzz_alerts.c - alerts: what is pushed keeps the contract, what is refused lies within the input.
 */
#include <assert.h>

#include "alerts.h"
#include "fuzz.h"

struct seen {
    size_t size, alerts, rejects;
};

static fl_status on_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    struct seen *seen = payload;
    (void)err;
    assert(alert->starts_ns > 0 && alert->labels.count > 0 && alert->labels.count <= 128);
    assert(alert->ends_ns == 0 || alert->ends_ns >= alert->starts_ns);
    assert(++seen->alerts <= seen->size);
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    struct seen *seen = payload;
    (void)err;
    assert(reject->line > 0 && reject->offset <= seen->size && reject->reason[0] != '\0');
    assert(++seen->rejects <= seen->size + 1);
    return FL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.size = size};
    fl_sink sink = {.payload = &seen, .alert = on_alert, .reject = on_reject};
    fl_intake to = {.sink = &sink, .source = "fuzz"};
    fl_slice bytes = {.ptr = data, .len = size};
    fl_error err = {0};
    fl_status status = fl_alerts_json(&to, bytes, &err);
    size_t rejects = seen.rejects;
    assert(status == FL_OK || status == FL_E_UNSUPPORTED);
    to.strict = true;
    if (status == FL_OK)
        status = fl_alerts_json(&to, bytes, &err) == FL_OK ? FL_OK : FL_E_SYNTAX;
    assert(status == FL_E_UNSUPPORTED || (status == FL_OK) == (rejects == 0));
    return 0;
}
