/*
 * queries.c - strings of three languages, which agree on Go's: in double quotes with backslashes,
 * or between backquotes as they are.
 */
#include "queries.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "slice.h"

enum { MAX_QUERY_BYTES = 64 << 10 };

static const char VARIES[] = "<*>";

/* In double quotes. UTF-8 stays as it is, bytes that cannot be typed are escaped. */
static void put_string(fl_buf *out, const char *text)
{
    fl_buf_char(out, '"');
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            fl_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            fl_buf_text(out, "\\n");
        else if (c < 0x20 || c == 0x7F)
            fl_buf_printf(out, "\\x%02x", c);
        else
            fl_buf_char(out, (char)c);
    }
    fl_buf_char(out, '"');
}

/* Between backquotes where that is possible: a regular expression stays readable. */
static void put_raw(fl_buf *out, const char *text)
{
    if (strpbrk(text, "`\n\r") != NULL)
        put_string(out, text);
    else
        fl_buf_printf(out, "`%s`", text);
}

static const char *finish(fl_buf *out, fl_arena *arena)
{
    const char *text = out->status == FL_OK ? fl_arena_cstr(arena, fl_buf_slice(out)) : NULL;
    fl_buf_dispose(out);
    return text;
}

static bool is_plain_name(const char *metric)
{
    bool is_plain = metric[0] != '\0' && !(metric[0] >= '0' && metric[0] <= '9');
    for (const char *at = metric; *at != '\0' && is_plain; at++)
        is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                   (*at >= '0' && *at <= '9') || *at == '_' || *at == ':';
    return is_plain;
}

const char *fl_query_metric(fl_arena *arena, const char *metric, const char *service,
                            const char *instance)
{
    fl_buf out = fl_buf_of(MAX_QUERY_BYTES);
    assert(arena != NULL && metric != NULL && service != NULL);
    if (is_plain_name(metric)) {
        fl_buf_printf(&out, "%s{", metric);
    } else {
        fl_buf_text(&out, "{__name__=");
        put_string(&out, metric);
        fl_buf_char(&out, ',');
    }
    fl_buf_text(&out, "service_name=");
    put_string(&out, service);
    if (instance != NULL) {
        fl_buf_text(&out, ",instance=");
        put_string(&out, instance);
    }
    fl_buf_char(&out, '}');
    return finish(&out, arena);
}

/* RE2's special characters lose their meaning, what varies becomes anything. */
static void put_pattern(fl_buf *out, const char *text)
{
    while (*text != '\0')
        if (strncmp(text, VARIES, sizeof(VARIES) - 1) == 0) {
            fl_buf_text(out, ".*");
            text += sizeof(VARIES) - 1;
        } else {
            if (strchr("\\.+*?()|[]{}^$", *text) != NULL)
                fl_buf_char(out, '\\');
            fl_buf_char(out, *text++);
        }
}

const char *fl_query_lines(fl_arena *arena, const char *service, const char *text)
{
    fl_buf out = fl_buf_of(MAX_QUERY_BYTES), pattern = fl_buf_of(MAX_QUERY_BYTES);
    assert(arena != NULL && service != NULL && text != NULL);
    fl_buf_text(&out, "{service_name=");
    put_string(&out, service);
    fl_buf_char(&out, '}');
    if (strstr(text, VARIES) == NULL) {
        fl_buf_text(&out, " |= ");
        put_raw(&out, text);
    } else {
        put_pattern(&pattern, text);
        fl_buf_text(&out, " |~ ");
        put_raw(&out, pattern.ptr != NULL ? pattern.ptr : "");
    }
    if (pattern.status != FL_OK && out.status == FL_OK)
        out.status = pattern.status;
    fl_buf_dispose(&pattern);
    return finish(&out, arena);
}

/* The place finds the statement whatever it prints. */
const char *fl_query_template(fl_arena *arena, const char *service, const fl_template *line)
{
    assert(line != NULL);
    return fl_query_lines(arena, service, line->location != NULL ? line->location : line->text);
}

const char *fl_query_spans(fl_arena *arena, const char *service, const char *attribute,
                           const char *value)
{
    fl_buf out = fl_buf_of(MAX_QUERY_BYTES);
    assert(arena != NULL && service != NULL && attribute != NULL && value != NULL);
    fl_buf_text(&out, "{ resource.service.name = ");
    put_string(&out, service);
    fl_buf_printf(&out, " && %s = ", attribute);
    put_string(&out, value);
    fl_buf_text(&out, " }");
    return finish(&out, arena);
}

const char *fl_query_calls(fl_arena *arena, const char *caller, const char *callee)
{
    fl_buf out = fl_buf_of(MAX_QUERY_BYTES);
    assert(arena != NULL && caller != NULL && callee != NULL);
    fl_buf_text(&out, "{ resource.service.name = ");
    put_string(&out, caller);
    fl_buf_text(&out, " } > { resource.service.name = ");
    put_string(&out, callee);
    fl_buf_text(&out, " }");
    return finish(&out, arena);
}

const char *fl_query_alert(fl_arena *arena, const char *name)
{
    fl_buf out = fl_buf_of(MAX_QUERY_BYTES);
    assert(arena != NULL && name != NULL);
    fl_buf_text(&out, "ALERTS{alertname=");
    put_string(&out, name);
    fl_buf_char(&out, '}');
    return finish(&out, arena);
}
