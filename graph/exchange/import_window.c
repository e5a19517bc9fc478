/*
 * import_window.c - reads ahead until the end of a value, which is found by its quotes and
 * brackets.
 *
 * Invariants: (1) begin <= end <= WINDOW_BYTES; (2) offset and line are those of bytes[begin]; (3)
 * a byte is looked at once while a value is sought, however the source hands it over.
 */
#include "import_window.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "slice.h"

enum { WINDOW_BYTES = 2 * FL_MAX_IMPORT_VALUE_BYTES };

/* Two values at their largest: while one is taken, the beginning of the next may be there. */
fl_status fl_window_open(fl_window *out, const fl_graph_source *source, fl_error *err)
{
    assert(source != NULL && source->read != NULL && source->name != NULL);
    *out = (fl_window){.source = source, .bytes = fl_mem_alloc(WINDOW_BYTES), .line = 1};
    if (out->bytes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading %.80s",
                       source->name);
    return FL_OK;
}

void fl_window_close(fl_window *window)
{
    fl_mem_free(window->bytes);
    *window = (fl_window){0};
}

fl_status fl_window_fail(const fl_window *window, const fl_window_value *value,
                         const fl_error *inner, fl_error *err)
{
    uint64_t line = value->line, within = 0;
    if (inner->offset != FL_NO_OFFSET)
        within = inner->offset < value->text.len ? inner->offset : value->text.len;
    for (size_t i = 0; i < within; i++)
        line += value->text.ptr[i] == '\n';
    return fl_fail(err, inner->status, value->offset + within, "%.60s:%llu: %.110s",
                   window->source->name, (unsigned long long)line, inner->message);
}

/* A failure where the window stands. */
static fl_status fail_here(const fl_window *w, fl_status status, const char *message, fl_error *err)
{
    const fl_window_value here = {.offset = w->offset, .line = w->line};
    fl_error inner = {0};
    (void)fl_fail(&inner, status, FL_NO_OFFSET, "%s", message);
    return fl_window_fail(w, &here, &inner, err);
}

/* What stands before `begin` is gone; *more is false at the end of the source. */
static fl_status read_more(bool *more, fl_window *w, fl_error *err)
{
    size_t len = 0;
    *more = false;
    if (w->ended)
        return FL_OK;
    if (w->begin > 0) {
        memmove(w->bytes, w->bytes + w->begin, w->end - w->begin);
        w->end -= w->begin;
        w->begin = 0;
    }
    assert(w->end < WINDOW_BYTES);
    fl_status status =
        w->source->read(w->source->payload, w->bytes + w->end, WINDOW_BYTES - w->end, &len, err);
    assert(len <= WINDOW_BYTES - w->end);
    w->end += len;
    w->ended = len == 0;
    *more = len > 0;
    return status;
}

/* Past `len` bytes. */
static void take(fl_window *w, size_t len)
{
    assert(len <= w->end - w->begin);
    for (size_t i = 0; i < len; i++)
        w->line += w->bytes[w->begin + i] == '\n';
    w->begin += len;
    w->offset += len;
}

/* RFC 8259, section 2. */
static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* At the end of what was read the source is asked once more; nothing is looked at twice. */
fl_status fl_window_peek(int *out, fl_window *w, fl_error *err)
{
    bool more = true;
    while (more) {
        size_t spaces = 0;
        while (w->begin + spaces < w->end && is_space(w->bytes[w->begin + spaces]))
            spaces++;
        take(w, spaces);
        if (w->begin < w->end) {
            *out = w->bytes[w->begin];
            return FL_OK;
        }
        fl_status status = read_more(&more, w, err);
        if (status != FL_OK)
            return status;
    }
    *out = -1;
    return FL_OK;
}

/* The byte that was found is shown only where it prints. */
fl_status fl_window_expect(fl_window *w, char wanted, fl_error *err)
{
    char message[64];
    int next;
    fl_status status = fl_window_peek(&next, w, err);
    if (status != FL_OK)
        return status;
    if (next == wanted) {
        take(w, 1);
        return FL_OK;
    }
    if (next < 0)
        snprintf(message, sizeof(message), "the document ends where '%c' was expected", wanted);
    else
        snprintf(message, sizeof(message), "expected '%c', found '%c'", wanted,
                 next > ' ' && next < 0x7F ? next : '?');
    return fail_here(w, next < 0 ? FL_E_TRUNCATED : FL_E_SYNTAX, message, err);
}

/* How far the end of a value has been sought. */
typedef struct search {
    size_t at; /* bytes looked at, from the value's first */
    size_t depth;
    bool in_string, escaped, found;
} search;

/* A string, an object or an array ends with its own last byte; anything else before a delimiter. */
static void look_at(search *s, unsigned char c)
{
    if (s->in_string) {
        bool closes = c == '"' && !s->escaped;
        s->escaped = c == '\\' && !s->escaped;
        s->in_string = !closes;
        s->found = closes && s->depth == 0;
        s->at++;
        return;
    }
    bool is_delimiter = is_space(c) || c == ',' || c == ':' || c == ']' || c == '}';
    if (s->depth == 0 && s->at > 0 && is_delimiter) {
        s->found = true;
        return;
    }
    s->in_string = c == '"';
    s->depth += c == '{' || c == '[';
    if ((c == '}' || c == ']') && s->depth > 0) {
        s->depth--;
        s->found = s->depth == 0;
    }
    s->at++;
}

/* A value that is cut off by the end of the document is told from one that is too large. */
fl_status fl_window_take(fl_window_value *out, fl_window *w, fl_error *err)
{
    int first;
    bool more = true;
    search s = {0};
    fl_status status = fl_window_peek(&first, w, err);
    if (status == FL_OK && first < 0)
        return fail_here(w, FL_E_TRUNCATED, "the document ends where a value was expected", err);
    while (status == FL_OK && !s.found && more) {
        while (!s.found && w->begin + s.at < w->end && s.at < FL_MAX_IMPORT_VALUE_BYTES)
            look_at(&s, w->bytes[w->begin + s.at]);
        if (!s.found && s.at == FL_MAX_IMPORT_VALUE_BYTES)
            return fail_here(w, FL_E_LIMIT, "a row larger than 256 KiB begins here", err);
        if (!s.found)
            status = read_more(&more, w, err);
    }
    if (status != FL_OK)
        return status;
    if (!s.found && (s.depth > 0 || s.in_string))
        return fail_here(w, FL_E_TRUNCATED, "the document ends inside of what begins here", err);
    *out = (fl_window_value){
        .text = {.ptr = w->bytes + w->begin, .len = s.at}, .offset = w->offset, .line = w->line};
    take(w, s.at);
    return FL_OK;
}
