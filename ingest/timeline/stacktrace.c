/*
 * stacktrace.c - frames are told by the shape of their line.
 *
 *   Java        "at" function "(" file ":" line ")"              nearest first; what a cause is
 *                                                                caused by comes after it
 *   .NET        "at" function "(" parameters ")" [ "in" path ":line" line ]     nearest first
 *   JavaScript  "at" [ "async" ] [ function "(" ] path ":" line ":" column [ ")" ]  nearest first
 *   Python      "File" '"' path '"' ", line" line ", in" function               nearest last
 *   Go          function "(" arguments ")" LF TAB path ":" line [ "+0x" offset ]  nearest first
 *
 * A frame is the program's own unless its function or its path is one of a runtime or of an
 * installed package. Cost: one pass over the lines, a few comparisons each.
 */
#include "stacktrace.h"

#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "slice.h"

/* Functions that begin so are of the runtime, or of libraries which most programs of the kind have
 * below their own code. */
static const fl_slice foreign_functions[] = {
    FL_SLICE_INIT("java."),
    FL_SLICE_INIT("javax."),
    FL_SLICE_INIT("jdk."),
    FL_SLICE_INIT("sun."),
    FL_SLICE_INIT("com.sun."),
    FL_SLICE_INIT("jakarta."),
    FL_SLICE_INIT("kotlin."),
    FL_SLICE_INIT("kotlinx."),
    FL_SLICE_INIT("scala."),
    FL_SLICE_INIT("org.apache."),
    FL_SLICE_INIT("org.hibernate."),
    FL_SLICE_INIT("io.netty."),
    FL_SLICE_INIT("io.grpc."),
    FL_SLICE_INIT("reactor."),
    FL_SLICE_INIT("com.zaxxer."),
    FL_SLICE_INIT("com.mysql."),
    FL_SLICE_INIT("org.postgresql."),
    FL_SLICE_INIT("redis.clients."),
    FL_SLICE_INIT("org.springframework."),
    FL_SLICE_INIT("com.fasterxml."),
    FL_SLICE_INIT("System."),
    FL_SLICE_INIT("Microsoft."),
    FL_SLICE_INIT("Npgsql."),
    FL_SLICE_INIT("runtime."),
    FL_SLICE_INIT("runtime/"),
    FL_SLICE_INIT("panic("),
    FL_SLICE_INIT("testing."),
};

/* Folders in which runtimes and package managers keep what is not the program's. */
static const fl_slice foreign_paths[] = {
    FL_SLICE_INIT("/site-packages/"), FL_SLICE_INIT("/dist-packages/"),
    FL_SLICE_INIT("/lib/python"),     FL_SLICE_INIT("<frozen "),
    FL_SLICE_INIT("node_modules/"),   FL_SLICE_INIT("node:"),
    FL_SLICE_INIT("internal/"),       FL_SLICE_INIT("/go/src/"),
    FL_SLICE_INIT("/pkg/mod/"),       FL_SLICE_INIT("<anonymous>"),
};

struct found {
    fl_frame frame;
    fl_slice path;
    bool nearest_last;
};

/* ---- pieces ---- */

static fl_slice tail(fl_slice text, size_t from)
{
    assert(from <= text.len);
    return (fl_slice){.ptr = text.ptr + from, .len = text.len - from};
}

static fl_slice head(fl_slice text, size_t len)
{
    assert(len <= text.len);
    return (fl_slice){.ptr = text.ptr, .len = len};
}

/* The place of the last `c`; text.len where there is none. */
static size_t find_last(fl_slice text, char c)
{
    for (size_t i = text.len; i-- > 0;)
        if (text.ptr[i] == (unsigned char)c)
            return i;
    return text.len;
}

static fl_slice base_name(fl_slice path)
{
    size_t slash = find_last(path, '/'), back = find_last(path, '\\');
    if (slash < path.len)
        return tail(path, slash + 1);
    return back < path.len ? tail(path, back + 1) : path;
}

/* The digits at the start. */
static fl_slice digits(fl_slice text)
{
    size_t len = 0;
    while (len < text.len && len < 9 && text.ptr[len] >= '0' && text.ptr[len] <= '9')
        len++;
    return head(text, len);
}

/* "path:12" to its two ends; false where no digits end it. */
static bool split_place(fl_slice text, fl_slice *path, fl_slice *line)
{
    size_t colon = find_last(text, ':');
    if (colon == text.len || colon == 0)
        return false;
    *line = digits(tail(text, colon + 1));
    *path = head(text, colon);
    return line->len > 0 && line->len == text.len - colon - 1;
}

static bool take_path(struct found *out, fl_slice path, fl_slice line)
{
    out->path = path;
    out->frame.file = base_name(path);
    out->frame.line = line;
    return out->frame.file.len > 0;
}

/* ---- lines ---- */

/* After "at ": "a.b.C.d(File.java:12)", also "(Native Method)" and "(Unknown Source)". */
static bool read_java(struct found *out, fl_slice text)
{
    size_t open = fl_slice_find(text, FL_SLICE("("));
    if (open == 0 || open >= text.len || text.ptr[text.len - 1] != ')' ||
        memchr(text.ptr, ' ', open) != NULL)
        return false;
    fl_slice inside = head(tail(text, open + 1), text.len - open - 2), path, line;
    out->frame.function = head(text, open);
    if (fl_slice_equal(inside, FL_SLICE("Native Method")) ||
        fl_slice_equal(inside, FL_SLICE("Unknown Source")))
        return true;
    if (!split_place(inside, &path, &line) || memchr(path.ptr, '/', path.len) != NULL)
        return false;
    return take_path(out, path, line);
}

/* After "at ": "A.B.C(Type name) in /src/C.cs:line 12". */
static bool read_dotnet(struct found *out, fl_slice text)
{
    static const fl_slice in = FL_SLICE_INIT(") in "), word = FL_SLICE_INIT(":line ");
    size_t open = fl_slice_find(text, FL_SLICE("(")), close = fl_slice_find(text, in);
    if (open == 0 || open >= text.len || text.ptr[open - 1] == ' ')
        return false;
    out->frame.function = head(text, open);
    if (close == text.len) /* without debugging symbols */
        return text.ptr[text.len - 1] == ')';
    fl_slice place = tail(text, close + in.len);
    size_t colon = fl_slice_find(place, word);
    if (colon == place.len)
        return false;
    return take_path(out, head(place, colon), digits(tail(place, colon + word.len)));
}

/* After "at ": "f (/app/a.js:12:5)", "async f (…)", "/app/a.js:12:5". */
static bool read_javascript(struct found *out, fl_slice text)
{
    fl_slice path, line, column;
    if (fl_slice_starts_with(text, FL_SLICE("async ")))
        text = tail(text, 6);
    size_t open = fl_slice_find(text, FL_SLICE(" ("));
    fl_slice place = text;
    if (open < text.len && text.ptr[text.len - 1] == ')') {
        out->frame.function = head(text, open);
        place = head(tail(text, open + 2), text.len - open - 3);
    }
    if (!split_place(place, &path, &column) || !split_place(path, &path, &line))
        return false;
    return take_path(out, path, line);
}

/* After "File ": "\"/app/a.py\", line 12, in f". */
static bool read_python(struct found *out, fl_slice text)
{
    static const fl_slice word = FL_SLICE_INIT("\", line "), in = FL_SLICE_INIT(", in ");
    size_t close = fl_slice_find(text, word);
    if (text.len == 0 || text.ptr[0] != '"' || close == 0 || close == text.len)
        return false;
    fl_slice rest = tail(text, close + word.len), line = digits(rest);
    size_t name = fl_slice_find(rest, in);
    if (line.len == 0)
        return false;
    if (name < rest.len)
        out->frame.function = fl_slice_trim(tail(rest, name + in.len));
    out->nearest_last = true;
    return take_path(out, head(tail(text, 1), close - 1), line);
}

/* "\t/app/a.go:12 +0x1d" below "main.(*T).f(0xc0…)". */
static bool read_go(struct found *out, fl_slice text, fl_slice above)
{
    size_t space = fl_slice_find(text, FL_SLICE(" +0x")), open = find_last(above, '(');
    fl_slice path, line;
    if (text.len == 0 || text.ptr[0] != '\t' || open == 0 || open >= above.len ||
        !split_place(fl_slice_trim(head(text, space)), &path, &line) ||
        !fl_slice_ends_with(path, FL_SLICE(".go")))
        return false;
    out->frame.function = head(above, open);
    return take_path(out, path, line);
}

/* Logback appends the archive: "a.B.c(B.java:1) ~[b.jar:2.0]". */
static fl_slice without_archive(fl_slice text)
{
    size_t close = fl_slice_find(text, FL_SLICE(") ~["));
    if (close == text.len)
        close = fl_slice_find(text, FL_SLICE(") ["));
    return close < text.len && text.ptr[text.len - 1] == ']' ? head(text, close + 1) : text;
}

static bool read_frame(struct found *out, fl_slice line, fl_slice above)
{
    fl_slice text = fl_slice_trim(line);
    struct found none = {0};
    *out = none;
    if (fl_slice_starts_with(text, FL_SLICE("File ")))
        return read_python(out, tail(text, 5));
    if (!fl_slice_starts_with(text, FL_SLICE("at ")))
        return read_go(out, line, above);
    text = without_archive(tail(text, 3));
    if (read_java(out, text))
        return true;
    *out = none;
    if (read_javascript(out, text))
        return true;
    *out = none;
    return text.len > 0 && read_dotnet(out, text);
}

/* ---- traces ---- */

static bool is_own(const struct found *found)
{
    for (size_t i = 0; i < sizeof(foreign_functions) / sizeof(foreign_functions[0]); i++)
        if (fl_slice_starts_with(found->frame.function, foreign_functions[i]))
            return false;
    for (size_t i = 0; i < sizeof(foreign_paths) / sizeof(foreign_paths[0]); i++)
        if (fl_slice_find(found->path, foreign_paths[i]) < found->path.len)
            return false;
    return true;
}

bool fl_stack_first_frame(fl_frame *out, fl_slice trace)
{
    assert(out != NULL);
    struct found found;
    fl_slice above = {0};
    bool any = false, own = false;
    if (trace.len > FL_MAX_STACK_BYTES)
        trace.len = FL_MAX_STACK_BYTES;
    *out = (fl_frame){0};
    while (trace.len > 0) {
        size_t len = fl_slice_find(trace, FL_SLICE("\n"));
        fl_slice line = head(trace, len);
        if (read_frame(&found, line, above)) {
            bool is_mine = is_own(&found);
            /* Of two of a kind the nearer one; the program's own before any other. */
            if (!any || (is_mine && !own) || (found.nearest_last && is_mine >= own)) {
                *out = found.frame;
                own = is_mine;
            }
            any = true;
        }
        above = line;
        trace = tail(trace, len < trace.len ? len + 1 : len);
    }
    return any;
}
