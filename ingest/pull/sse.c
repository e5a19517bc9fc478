/*
 * sse.c - bytes to lines, lines to events.
 *
 * A buffer that overflows is sticky: the event that it belongs to is told as cut, and the next one
 * begins anew.
 */
#include "sse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void fl_sse_init(fl_sse *sse, fl_sse_take *take, void *payload)
{
    assert(take != NULL);
    *sse = (fl_sse){.take = take,
                    .payload = payload,
                    .line = fl_buf_of(FL_SSE_EVENT_BYTES),
                    .data = fl_buf_of(FL_SSE_EVENT_BYTES)};
}

void fl_sse_dispose(fl_sse *sse)
{
    fl_buf_dispose(&sse->line);
    fl_buf_dispose(&sse->data);
}

/* The end of an event; one without data tells nothing. */
static void dispatch(fl_sse *sse)
{
    if (sse->has_data) {
        const fl_sse_event event = {.name = sse->name[0] != '\0' ? sse->name : "message",
                                    .data = sse->data.len > 0 ? sse->data.ptr : "",
                                    .is_cut = sse->data.status != FL_OK};
        sse->take(sse->payload, &event);
    }
    fl_buf_clear(&sse->data);
    sse->has_data = false;
    sse->name[0] = '\0';
}

/* Lines of data are told with the line ends between them. A NUL ends a text early, and nothing
 * else. */
static void take_field(fl_sse *sse, const char *name, size_t len, const char *value)
{
    if (len == 5 && memcmp(name, "event", len) == 0) {
        (void)snprintf(sse->name, sizeof(sse->name), "%s", value);
    } else if (len == 4 && memcmp(name, "data", len) == 0) {
        if (sse->has_data)
            fl_buf_char(&sse->data, '\n');
        fl_buf_text(&sse->data, value);
        sse->has_data = true;
    }
}

/* A line that was too long for its buffer was of an event that cannot be told whole. */
static void take_line(fl_sse *sse)
{
    const char *line = sse->line.len > 0 ? sse->line.ptr : "";
    assert(sse->line.len <= FL_SSE_EVENT_BYTES);
    if (sse->line.status != FL_OK) {
        sse->has_data = true;
        sse->data.status = sse->data.status == FL_OK ? sse->line.status : sse->data.status;
    } else if (sse->line.len == 0) {
        dispatch(sse);
    } else {
        const char *colon = memchr(line, ':', sse->line.len);
        size_t len = colon != NULL ? (size_t)(colon - line) : sse->line.len;
        const char *value = colon != NULL ? colon + 1 : "";
        take_field(sse, line, len, value + (*value == ' '));
    }
    fl_buf_clear(&sse->line);
}

/* The first line may begin with a byte order mark. */
static void skip_mark(fl_sse *sse)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (sse->is_begun || sse->line.len < 3)
        return;
    sse->is_begun = true;
    if (memcmp(sse->line.ptr, mark, 3) == 0)
        fl_buf_clear(&sse->line);
}

void fl_sse_feed(fl_sse *sse, fl_slice bytes)
{
    assert(sse->take != NULL);
    for (size_t i = 0; i < bytes.len; i++) {
        char c = (char)bytes.ptr[i];
        bool is_second = c == '\n' && sse->is_after_cr; /* of one line end */
        sse->is_after_cr = c == '\r';
        if (is_second)
            continue;
        if (c == '\n' || c == '\r') {
            take_line(sse);
            sse->is_begun = true;
        } else {
            fl_buf_char(&sse->line, c);
            skip_mark(sse);
        }
    }
}
