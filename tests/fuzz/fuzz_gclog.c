/* Any bytes: no crash; what is handed out has a name, a line and no number below -1; a log that the
 * sniffer does not know has no collection in its first lines that could be read. */
#include <assert.h>

#include "fuzz.h"
#include "gclog_read.h"

static fl_status on_event(void *payload, const fl_gc_event *event, fl_error *err)
{
    uint64_t *line = payload;
    (void)err;
    assert(event->name.len > 0 && event->line >= *line);
    assert(event->pause_ns >= -1 && event->before_bytes >= -1 && event->after_bytes >= -1);
    assert(event->capacity_bytes >= -1 && event->promoted_bytes >= -1);
    assert(event->humongous_bytes >= -1 && event->metaspace_bytes >= -1);
    assert(event->time_ns >= -1 && event->since_ns >= -1);
    *line = event->line;
    return FL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t line = 0;
    const fl_gclog_visitor visitor = {.event = on_event, .payload = &line};
    fl_slice bytes = {.ptr = data, .len = size};
    fl_stream *in = NULL;
    fl_gc_about about;
    fl_error err = {0};
    (void)fl_gclog_sniff(bytes);
    if (fl_stream_over(&in, bytes, "fuzz", &err) != FL_OK)
        return 0;
    if (fl_gclog_read(&about, in, &visitor, &err) != FL_OK)
        assert(err.message[0] != '\0');
    fl_stream_close(in);
    return 0;
}
