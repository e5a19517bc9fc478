/* fuzz_answers.c - answers of servers of telemetry: the first byte says which reader gets the rest;
 * what is handed out keeps its promises, what is refused lies within the input. */
#include "answers.h"
#include "fuzz.h"
#include "slice.h"

static fl_status on_name(void *payload, fl_slice name, fl_error *err)
{
    (void)payload, (void)err;
    assert(name.ptr != NULL);
    return FL_OK;
}

static fl_status on_labels(void *payload, const fl_labels *labels, fl_error *err)
{
    (void)payload, (void)err;
    assert(labels->count <= FL_MAX_LABELS);
    for (size_t i = 0; i < labels->count; i++)
        assert(labels->items[i].key.len > 0 && labels->items[i].value.text.len > 0);
    return FL_OK;
}

static fl_status on_trace(void *payload, const fl_found_trace *found, fl_error *err)
{
    (void)payload, (void)err;
    assert(found->id.hi != 0 || found->id.lo != 0);
    return FL_OK;
}

static fl_status on_target(void *payload, const fl_scraped *target, fl_error *err)
{
    return on_labels(payload, target->labels, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena text = fl_arena_of(1 << 20);
    fl_error err = {0};
    char version[FL_VERSION_TEXT];
    int64_t time_ns;
    uint64_t count;
    bool any;
    fl_status status = FL_OK;
    if (size == 0)
        return 0;
    fl_slice body = {.ptr = data + 1, .len = size - 1};
    switch (data[0] % 8) {
    case 0:
        status = fl_answer_names(body, &text, on_name, NULL, &err);
        break;
    case 1:
        status = fl_answer_series(body, &text, on_labels, NULL, &err);
        break;
    case 2:
        status = fl_answer_traces(body, &text, on_trace, NULL, &err);
        break;
    case 3:
        status = fl_answer_version(version, body, &text, &err);
        assert(strlen(version) < FL_VERSION_TEXT);
        break;
    case 4:
        status = fl_answer_time(&time_ns, body, &text, &err);
        assert(status != FL_OK || time_ns > 0);
        break;
    case 6:
        status = fl_answer_series_count(&count, body, &text, &err);
        break;
    case 7:
        status = fl_answer_has_any(&any, body, &text, &err);
        break;
    default:
        status = fl_answer_targets(body, &text, on_target, NULL, &err);
        break;
    }
    assert(status == FL_OK || status == FL_E_SYNTAX || status == FL_E_TRUNCATED ||
           status == FL_E_LIMIT || (status == FL_E_IO && err.offset == FL_NO_OFFSET));
    assert(status == FL_OK || status == FL_E_IO || err.offset <= body.len);
    fl_arena_dispose(&text);
    return 0;
}
