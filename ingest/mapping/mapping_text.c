/*
 * mapping_text.c - stack traces in a text, with the names of a mapping.
 *
 *   at [loader/][module/]a.b.c(SourceFile:12) ~[more]     a frame, wherever "at " stands as a word
 *   Caused by: a.b: message                               a class at the start, or behind words
 *                                                         like these
 *
 * An inlined call becomes a line of its own with the same words around it, as Java would have
 * printed it. Where several answers are possible each later one begins with "<or> ".
 */
#include <assert.h>
#include <string.h>

#include "mapping_priv.h"
#include "number.h"

typedef struct frame_text {
    fl_slice before;             /* up to the class */
    fl_slice class_name, method; /* as they stand */
    fl_slice place;              /* between the brackets */
    fl_slice after;              /* behind them */
    uint32_t line;
} frame_text;

/* Of names as compilers and tools that make them short write them; any letter beyond ASCII. */
static bool is_name_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '.' || c == '-' || c == '<' || c == '>' || c >= 0x80;
}

/* "a.b.c" to class and method. */
static bool split(frame_text *out, fl_slice name)
{
    size_t dot = name.len;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_byte(name.ptr[i]))
            return false;
        dot = name.ptr[i] == '.' ? i : dot;
    }
    if (dot == 0 || dot + 1 >= name.len)
        return false;
    out->class_name = fl_slice_part(name, 0, dot);
    out->method = fl_slice_part(name, dot + 1, name.len);
    return true;
}

/* The number behind the last colon. */
static uint32_t line_of(fl_slice place)
{
    uint64_t line = 0;
    for (size_t at = place.len; at > 0; at--)
        if (place.ptr[at - 1] == ':') {
            fl_slice digits = fl_slice_part(place, at, place.len);
            return digits.len <= 9 && fl_parse_u64(digits, &line) ? (uint32_t)line : 0;
        }
    return 0;
}

/* What comes next behind a place of a line, looked for again only when it was passed: a line may be
 * the whole of a file, and full of words that begin no frame. */
typedef struct ahead {
    size_t open, close; /* brackets; line.len: none */
    size_t name;        /* behind the last '/' of "app//java.base@17/a.b.c"; 0: none */
} ahead;

static void look_ahead(ahead *a, fl_slice line, size_t from)
{
    fl_slice rest = fl_slice_part(line, from, line.len);
    if (a->close < from)
        a->close = from + fl_slice_find(rest, FL_SLICE(")"));
    if (a->open >= from)
        return;
    a->open = from + fl_slice_find(rest, FL_SLICE("("));
    a->name = 0;
    for (size_t at = a->open; at > from && a->name == 0; at--)
        a->name = line.ptr[at - 1] == '/' ? at : 0;
}

/* The first "at " that is a word and has a frame behind it. */
static bool parse_frame(frame_text *out, fl_slice line)
{
    static const fl_slice at = FL_SLICE_INIT("at ");
    ahead next = {0};
    for (size_t from = 0; from < line.len;) {
        size_t found = from + fl_slice_find(fl_slice_part(line, from, line.len), at);
        if (found == line.len)
            return false;
        from = found + at.len;
        if (found > 0 && line.ptr[found - 1] != ' ' && line.ptr[found - 1] != '\t')
            continue;
        look_ahead(&next, line, from);
        if (next.open == line.len || next.close == line.len)
            return false;
        size_t start = next.name > from ? next.name : from;
        if (next.open > next.close || !split(out, fl_slice_part(line, start, next.open))) {
            from = next.open < next.close ? start : from; /* words between have the same name */
            continue;
        }
        out->before = fl_slice_part(line, 0, start);
        out->place = fl_slice_part(line, next.open + 1, next.close);
        out->after = fl_slice_part(line, next.close + 1, line.len);
        out->line = line_of(out->place);
        return true;
    }
    return false;
}

/* Where a class of an exception may begin: behind words that Java puts in front of it, or at the
 * start of the line. */
static size_t exception_start(fl_slice line)
{
    static const fl_slice words[] = {FL_SLICE_INIT("Caused by: "), FL_SLICE_INIT("Suppressed: "),
                                     FL_SLICE_INIT("CIRCULAR REFERENCE: ")};
    static const fl_slice thread = FL_SLICE_INIT("Exception in thread \"");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t at = fl_slice_find(line, words[i]);
        if (at < line.len)
            return at + words[i].len;
    }
    size_t at = fl_slice_find(line, thread);
    if (at < line.len) {
        fl_slice rest = fl_slice_part(line, at + thread.len, line.len);
        size_t quote = fl_slice_find(rest, FL_SLICE("\" "));
        if (quote < rest.len)
            return at + thread.len + quote + 2;
    }
    for (at = 0; at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t');)
        at++;
    return at;
}

/* "a.b" in "a.b: message" and in a line of its own. */
static bool parse_exception(fl_slice *class_name, fl_slice line)
{
    size_t start = exception_start(line), end = start;
    while (end < line.len && is_name_byte(line.ptr[end]))
        end++;
    *class_name = fl_slice_part(line, start, end);
    return end > start && (end == line.len || line.ptr[end] == ':');
}

bool fl_mapping_is_frame(fl_slice line)
{
    frame_text frame;
    return parse_frame(&frame, line);
}

fl_status fl_mapping_want_line(fl_mapping *mapping, fl_slice line, fl_error *err)
{
    frame_text frame;
    fl_slice class_name;
    assert(mapping != NULL);
    if (parse_frame(&frame, line))
        return fl_mapping_want(mapping, frame.class_name, (fl_slice){0}, err);
    if (parse_exception(&class_name, line))
        return fl_mapping_want(mapping, class_name, (fl_slice){0}, err);
    return FL_OK;
}

/* ---- writing ---- */

/* The outermost class's name and an extension: what compilers name files by. */
static void put_guessed_file(fl_buf *out, fl_slice class_name)
{
    size_t start = 0, end = class_name.len;
    for (size_t i = 0; i < class_name.len; i++)
        start = class_name.ptr[i] == '.' ? i + 1 : start;
    fl_slice name = fl_slice_part(class_name, start, class_name.len);
    end = fl_slice_find(name, FL_SLICE("$"));
    fl_buf_add(out, fl_slice_part(name, 0, end > 0 ? end : name.len));
    fl_buf_text(out, ".java");
}

/* One line. */
static void put_frame(fl_buf *out, const frame_text *text, const fl_mapping_frame *frame,
                      bool is_other)
{
    size_t word = text->before.len;
    while (word > 0 &&
           !fl_slice_starts_with(fl_slice_part(text->before, word - 1, text->before.len),
                                 FL_SLICE("at ")))
        word--;
    assert(word > 0); /* parse_frame found it */
    fl_buf_add(out, fl_slice_part(text->before, 0, word - 1));
    if (is_other)
        fl_buf_text(out, "<or> ");
    fl_buf_add(out, fl_slice_part(text->before, word - 1, text->before.len));
    fl_buf_printf(out, "%.*s.%.*s(", FL_SLICE_ARG(frame->class_name), FL_SLICE_ARG(frame->method));
    if (frame->file.len > 0)
        fl_buf_add(out, frame->file);
    else
        put_guessed_file(out, frame->class_name);
    if (frame->line > 0)
        fl_buf_printf(out, ":%u", (unsigned)frame->line);
    fl_buf_char(out, ')');
    fl_buf_add(out, text->after);
}

/* A class that the mapping has keeps its method's short name where that is not told. */
static void write_frame(fl_buf *out, const fl_mapping *mapping, const frame_text *text)
{
    fl_mapping_frame frames[FL_MAPPING_MAX_FRAMES];
    const fl_mapping_query query = {
        .class_name = text->class_name, .method = text->method, .line = text->line};
    size_t count = fl_mapping_find(mapping, &query, frames);
    fl_slice class_name = fl_mapping_class(mapping, text->class_name);
    if (count == 0) {
        fl_buf_add(out, text->before);
        fl_buf_printf(out, "%.*s.%.*s(%.*s)",
                      FL_SLICE_ARG(class_name.len > 0 ? class_name : text->class_name),
                      FL_SLICE_ARG(text->method), FL_SLICE_ARG(text->place));
        fl_buf_add(out, text->after);
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fl_buf_char(out, '\n');
        put_frame(out, text, &frames[i],
                  i > 0 && frames[i].alternative != frames[i - 1].alternative);
    }
}

void fl_mapping_write_line(fl_buf *out, const fl_mapping *mapping, fl_slice line)
{
    frame_text frame;
    fl_slice name, plain = {0};
    assert(out != NULL && mapping != NULL);
    if (parse_frame(&frame, line)) {
        write_frame(out, mapping, &frame);
        return;
    }
    if (parse_exception(&name, line))
        plain = fl_mapping_class(mapping, name);
    if (plain.len == 0) {
        fl_buf_add(out, line);
        return;
    }
    fl_buf_add(out, fl_slice_part(line, 0, (size_t)(name.ptr - line.ptr)));
    fl_buf_add(out, plain);
    fl_buf_add(out, fl_slice_part(line, (size_t)(name.ptr - line.ptr) + name.len, line.len));
}
