/*
 * goroutine.c - lines to goroutines.
 *
 *   stacks    = header NL { frame } [ creator ] ( NL | end )                       (debug=2)
 *   frame     = function "(" arguments ")" NL TAB file ":" line [ " +0x" offset ... ] NL
 *   creator   = "created by " function [ " in goroutine " number ] NL TAB file ":" line ... NL
 *   elided    = "...additional frames elided..." | "..." number " frames elided..."
 *   counts    = name " profile: total " number NL { record }                       (debug=1)
 *   record    = number " @" { " 0x" address } NL [ "# labels: " json NL ]
 *               { "#" TAB "0x" address TAB function "+0x" offset TAB file ":" line NL } NL
 *   crash     = "fatal error: " message | "panic: " message | ... "http: panic serving " message
 *
 * Anything else is a line of somebody else's and ends the goroutine before it. A line may stand
 * behind the prefix of a container runtime ("2026-01-02T03:04:05Z stderr F "). A crash belongs to
 * the next goroutine that follows within CRASH_REACH lines; "panic: " is one only then, since
 * programs log such lines too.
 *
 * Invariants: (1) `function` holds text only between a function's line and its file's; (2) a
 * goroutine is counted once, when it ends, or rejected.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "goroutine_priv.h"
#include "mem.h"
#include "number.h"
#include "slice.h"

enum { MAX_FUNCTION = 4096, CRASH_REACH = 128, MAX_MESSAGE = 512, GO_CUT_BYTES = 64 << 20 };

typedef enum go_place { OUTSIDE, IN_STACK, IN_RECORD } go_place;

typedef struct go_crash {
    fl_gocrash crash;
    uint32_t group;
} go_crash;

/* The structure that is handed out, with what it lives in. */
typedef struct go_reader {
    fl_goroutines out; /* first: the handle is this */
    fl_gotable *table;
    go_place place;
    bool is_stacks, is_counts;
    /* the goroutine or record that is being read */
    fl_goheader header;
    char state[64];
    uint64_t begin_offset, count;
    uint32_t stack[FL_MAX_GO_STACK];
    size_t stack_count;
    uint32_t created_by;
    bool is_elided, has_dropped_frame;
    /* a function that waits for its file */
    char function[MAX_FUNCTION];
    size_t function_len;
    bool has_function, is_creator;
    go_crash crashes[FL_MAX_GO_CRASHES];
    size_t crash_count;
    uint64_t crash_line; /* of the last crash that still waits for its goroutine; 0: none */
} go_reader;

/* The bytes of `text` from `at` on. */
static fl_slice rest_of(fl_slice text, size_t at)
{
    assert(at <= text.len);
    return (fl_slice){.ptr = text.ptr + at, .len = text.len - at};
}

/* Count a goroutine that could not be read; the first reason is kept. */
static void reject(go_reader *in, uint64_t offset, const char *why)
{
    assert(why != NULL);
    if (in->out.rejected++ == 0)
        (void)fl_fail(&in->out.first_reject, FL_E_SYNTAX, offset, "%s", why);
}

/* The goroutine or record ends: count it. */
static fl_status end_block(go_reader *in, fl_error *err)
{
    assert(in->stack_count <= FL_MAX_GO_STACK);
    if (in->place == OUTSIDE)
        return FL_OK;
    bool is_stack = in->place == IN_STACK;
    in->place = OUTSIDE;
    if (in->has_function) {
        in->has_function = false;
        reject(in, in->begin_offset, "a goroutine ends between a function and its file");
        return FL_OK;
    }
    fl_gostack stack = {.frames = in->stack,
                        .count = in->stack_count,
                        .created_by = in->created_by,
                        .state = in->header.state,
                        .is_leaked = in->header.is_leaked,
                        .is_elided = in->is_elided};
    uint32_t group = FL_GO_NONE;
    fl_status status =
        in->has_dropped_frame ? FL_OK : fl_gotable_group(&group, in->table, &stack, err);
    if (status != FL_OK)
        return status;
    if (in->crash_line != 0 && is_stack)
        in->crashes[in->crash_count - 1].group = group;
    in->crash_line = is_stack ? 0 : in->crash_line;
    if (group == FL_GO_NONE) {
        in->out.dropped += in->count;
        return FL_OK;
    }
    return fl_gotable_count(in->table, group, in->count, is_stack ? &in->header : NULL, err);
}

/* `count` goroutines begin, whose stack is not known yet. */
static void begin_block(go_reader *in, go_place place, uint64_t count, uint64_t offset)
{
    assert(in->place == OUTSIDE && place != OUTSIDE);
    in->place = place;
    in->count = count;
    in->begin_offset = offset;
    in->stack_count = 0;
    in->created_by = FL_GO_NONE;
    in->is_elided = in->has_dropped_frame = in->has_function = false;
}

/* A header; its state is kept, since the line is gone when the goroutine ends. */
static void begin_goroutine(go_reader *in, const fl_line *line, fl_slice text)
{
    assert(text.ptr >= line->text.ptr && text.len <= line->text.len);
    size_t at;
    const char *why;
    if (!fl_goheader_parse(&in->header, text, &at, &why)) {
        reject(in, line->offset + (size_t)(text.ptr - line->text.ptr) + at, why);
        return;
    }
    size_t len =
        in->header.state.len < sizeof(in->state) ? in->header.state.len : sizeof(in->state);
    if (len > 0)
        memcpy(in->state, in->header.state.ptr, len);
    in->header.state = (fl_slice){.ptr = (const unsigned char *)in->state, .len = len};
    in->is_stacks = true;
    begin_block(in, IN_STACK, 1, line->offset);
}

/* "14701 @ 0x48a1ae ...": the addresses are those of the frames below, and of hidden ones. */
static bool begin_record(go_reader *in, const fl_line *line, fl_slice text)
{
    size_t at = fl_slice_find((fl_slice){.ptr = text.ptr, .len = text.len < 24 ? text.len : 24},
                              FL_SLICE(" @"));
    uint64_t count;
    if (at + 2 > text.len || !fl_parse_u64((fl_slice){.ptr = text.ptr, .len = at}, &count) ||
        count == 0)
        return false;
    begin_block(in, IN_RECORD, count, line->offset);
    in->header = (fl_goheader){.is_leaked = in->out.form == FL_GOROUTINES_LEAKED};
    return true;
}

/* "goroutine profile: total 14706"; only behind such a line are records looked for. */
static bool begin_counts(go_reader *in, fl_slice text)
{
    static const fl_slice plain = FL_SLICE_INIT("goroutine profile: total "),
                          leaked = FL_SLICE_INIT("goroutineleak profile: total ");
    bool is_leaked = fl_slice_starts_with(text, leaked);
    if (!is_leaked && !fl_slice_starts_with(text, plain))
        return false;
    uint64_t total;
    if (fl_parse_u64(rest_of(text, is_leaked ? leaked.len : plain.len), &total))
        in->out.stated_total += total;
    in->is_counts = true;
    in->out.form = is_leaked ? FL_GOROUTINES_LEAKED : FL_GOROUTINES_COUNTS;
    return true;
}

/* Until its file's line comes. A name longer than any real one is cut. */
static void keep_function(go_reader *in, fl_slice text, bool is_creator)
{
    assert(!in->has_function);
    in->function_len = text.len < MAX_FUNCTION ? text.len : MAX_FUNCTION;
    memcpy(in->function, text.ptr, in->function_len);
    in->has_function = true;
    in->is_creator = is_creator;
}

/* A whole frame, of the stack or of the creator. */
static fl_status push_frame(go_reader *in, fl_slice function, fl_slice location, bool is_creator,
                            fl_error *err)
{
    uint32_t frame;
    fl_status status = fl_gotable_frame(&frame, in->table, function, location, err);
    if (status != FL_OK)
        return status;
    in->has_dropped_frame |= frame == FL_GO_NONE;
    if (is_creator)
        in->created_by = frame;
    else if (in->stack_count < FL_MAX_GO_STACK)
        in->stack[in->stack_count++] = frame;
    else
        in->is_elided = true;
    return FL_OK;
}

/* "file:line" out of "/a b/c.go:61 +0x1c fp=0x...": to the blank behind the last colon. */
static fl_slice location_of(fl_slice text)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    const unsigned char *blank = memchr(text.ptr + colon, ' ', text.len - colon);
    return blank != NULL ? (fl_slice){.ptr = text.ptr, .len = (size_t)(blank - text.ptr)} : text;
}

/* The name in "main.(*T).run(0x1, {0x2, 0x3})": arguments hold no parentheses. */
static fl_slice name_of(fl_slice text)
{
    size_t open = text.len;
    while (open > 0 && text.ptr[open - 1] != '(')
        open--;
    return (fl_slice){.ptr = text.ptr, .len = open > 0 ? open - 1 : 0};
}

/* Since Go 1.21 with the goroutine that executed the `go` statement, which may be gone. */
static bool read_creator(go_reader *in, fl_slice text)
{
    static const fl_slice by = FL_SLICE_INIT("created by "), who = FL_SLICE_INIT(" in goroutine ");
    if (text.ptr[0] != 'c' || !fl_slice_starts_with(text, by))
        return false;
    fl_slice name = rest_of(text, by.len);
    name.len = fl_slice_find(name, who);
    keep_function(in, name, true);
    return true;
}

/* Go prints the 50 innermost and the 50 outermost frames. */
static bool read_elided(go_reader *in, fl_slice text)
{
    bool is_elided = fl_slice_starts_with(text, FL_SLICE("...")) &&
                     fl_slice_ends_with(text, FL_SLICE("frames elided..."));
    in->is_elided |= is_elided;
    return is_elided;
}

/* A line of a goroutine; *taken: it was one. */
static fl_status read_stack_line(go_reader *in, fl_slice text, bool *taken, fl_error *err)
{
    assert(text.len > 0);
    *taken = true;
    bool is_file = text.len > 1 && text.ptr[0] == '\t';
    if (is_file && in->has_function) {
        fl_slice function = {.ptr = (const unsigned char *)in->function, .len = in->function_len};
        in->has_function = false;
        return push_frame(in, function, location_of(rest_of(text, 1)), in->is_creator, err);
    }
    if (is_file || in->has_function) /* no stack, with Go's reason; or no file */
        *taken = is_file;
    else if (!read_creator(in, text) && !read_elided(in, text)) {
        fl_slice name = text.ptr[text.len - 1] == ')' ? name_of(text) : (fl_slice){0};
        *taken = name.len > 0;
        if (*taken)
            keep_function(in, name, false);
    }
    return FL_OK;
}

/* "#", address, function+offset, file:line, with tabs between. */
static fl_status read_record_line(go_reader *in, fl_slice text, bool *taken, fl_error *err)
{
    assert(text.len > 0);
    fl_slice fields[4];
    size_t count = 0;
    *taken = text.ptr[0] == '#';
    for (size_t pos = 0; pos < text.len && count < 4;) {
        const unsigned char *tab = memchr(text.ptr + pos, '\t', text.len - pos);
        size_t end = tab != NULL && count < 3 ? (size_t)(tab - text.ptr) : text.len;
        if (end > pos)
            fields[count++] = (fl_slice){.ptr = text.ptr + pos, .len = end - pos};
        pos = end + 1;
    }
    if (!*taken || count < 3)
        return FL_OK; /* labels, or the mere address of what has no name */
    fl_slice name = fields[2];
    size_t plus = name.len;
    while (plus > 0 && name.ptr[plus - 1] != '+')
        plus--;
    if (plus > 1)
        name.len = plus - 1;
    fl_slice location = count == 4 ? fl_slice_trim(fields[3]) : (fl_slice){0};
    return push_frame(in, name, location, false, err);
}

/* One that waits for its goroutine. Beyond the budget crashes repeat what the first ones say. */
static void add_crash(go_reader *in, fl_gocrash_kind kind, fl_slice message, const fl_line *line)
{
    if (in->crash_count == FL_MAX_GO_CRASHES)
        return;
    if (message.len > MAX_MESSAGE)
        message.len = MAX_MESSAGE;
    fl_slice kept = fl_arena_copy(fl_gotable_arena(in->table), message);
    if (kept.ptr == NULL)
        return;
    in->crashes[in->crash_count++] = (go_crash){
        .crash = {.kind = kind, .message = kept, .offset = line->offset, .line = line->number},
        .group = FL_GO_NONE};
    in->crash_line = line->number;
}

/* A panic within a panic, and the fatal error that a panic leads to, are one crash: the first. What
 * net/http logs is one of its own. */
static void read_crash(go_reader *in, fl_slice text, const fl_line *line)
{
    assert(in->place == OUTSIDE);
    static const fl_slice fatal = FL_SLICE_INIT("fatal error: "), panic = FL_SLICE_INIT("panic: "),
                          handled = FL_SLICE_INIT("http: panic serving ");
    if (in->crash_line != 0 && line->number - in->crash_line > CRASH_REACH)
        in->crash_line = 0;
    bool is_open = in->crash_line != 0;
    if (is_open && in->crashes[in->crash_count - 1].crash.kind != FL_GOCRASH_PANIC)
        return;
    if (!is_open && fl_slice_starts_with(text, fatal))
        add_crash(in, FL_GOCRASH_FATAL, rest_of(text, fatal.len), line);
    else if (!is_open && fl_slice_starts_with(text, panic))
        add_crash(in, FL_GOCRASH_PANIC, rest_of(text, panic.len), line);
    else {
        size_t at = fl_slice_find(text, handled);
        fl_slice who = at < text.len ? rest_of(text, at + handled.len) : (fl_slice){0};
        size_t colon = fl_slice_find(who, FL_SLICE(": "));
        if (colon < who.len)
            add_crash(in, FL_GOCRASH_HANDLED, rest_of(who, colon + 2), line);
    }
}

/* Without "2026-01-02T03:04:05.123Z stderr F ", as container runtimes write before each line. */
static fl_slice without_prefix(fl_slice text)
{
    static const fl_slice marks[] = {FL_SLICE_INIT(" stderr F "), FL_SLICE_INIT(" stdout F ")};
    enum { LONGEST_TIME = 40 };
    if (text.len < 30 || text.ptr[4] != '-' || text.ptr[10] != 'T')
        return text;
    fl_slice head = {.ptr = text.ptr,
                     .len = text.len < LONGEST_TIME + 10 ? text.len : LONGEST_TIME + 10};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t at = fl_slice_find(head, marks[i]);
        if (at < head.len)
            return rest_of(text, at + marks[i].len);
    }
    return text;
}

/* A line belongs to the goroutine that is open, or ends it and is looked at anew. */
static fl_status read_line(go_reader *in, const fl_line *line, fl_error *err)
{
    fl_slice text = without_prefix(line->text);
    bool taken = false;
    if (text.len == 0)
        return end_block(in, err);
    fl_status status = FL_OK;
    if (in->place == IN_STACK)
        status = read_stack_line(in, text, &taken, err);
    else if (in->place == IN_RECORD)
        status = read_record_line(in, text, &taken, err);
    if (status != FL_OK || taken)
        return status;
    status = end_block(in, err);
    if (status != FL_OK)
        return status;
    if (fl_goheader_begins(text))
        begin_goroutine(in, line, text);
    else if (!begin_counts(in, text) && !(in->is_counts && begin_record(in, line, text)))
        read_crash(in, text, line);
    return FL_OK;
}

/* A panic that no goroutine follows was a line of a log. */
static void drop_mere_words(go_reader *in)
{
    assert(in->crash_count <= FL_MAX_GO_CRASHES);
    size_t kept = 0;
    for (size_t i = 0; i < in->crash_count; i++)
        if (in->crashes[i].crash.kind == FL_GOCRASH_FATAL || in->crashes[i].group != FL_GO_NONE)
            in->crashes[kept++] = in->crashes[i];
    in->crash_count = kept;
}

/* Bring groups and crashes into their final order and place. */
static fl_status finish(go_reader *in, fl_error *err)
{
    uint32_t *moved;
    drop_mere_words(in);
    fl_status status = fl_gotable_finish(in->table, &in->out, &moved, err);
    if (status != FL_OK)
        return status;
    fl_gocrash *crashes =
        fl_arena_alloc(fl_gotable_arena(in->table), in->crash_count + 1, sizeof(*crashes));
    if (crashes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    for (size_t i = 0; i < in->crash_count; i++) {
        crashes[i] = in->crashes[i].crash;
        if (in->crashes[i].group != FL_GO_NONE)
            crashes[i].group = &in->out.groups[moved[in->crashes[i].group]];
    }
    in->out.crashes = crashes;
    in->out.crash_count = in->crash_count;
    if (!in->is_counts)
        in->out.form = FL_GOROUTINES_STACKS;
    uint64_t seen = in->out.total + in->out.dropped;
    /* A line that was cut has no end, which input_bytes counts all the same. */
    bool is_full = in->out.input_bytes == GO_CUT_BYTES || in->out.input_bytes == GO_CUT_BYTES + 1;
    in->out.is_cut = in->is_counts ? seen < in->out.stated_total : in->is_stacks && is_full;
    return FL_OK;
}

/* All lines; a stream that breaks off ends the last goroutine as it stands. */
static fl_status read_lines(go_reader *in, fl_lines *lines, fl_error *err)
{
    fl_line line;
    bool more = true;
    while (more) {
        fl_status status = fl_lines_next(lines, &line, &more, &in->out.broken);
        if (status == FL_E_NOMEM)
            return fl_fail(err, status, FL_NO_OFFSET, "%s", in->out.broken.message);
        if (status != FL_OK || !more)
            break;
        in->out.input_bytes = line.offset + line.text.len + 1;
        status = read_line(in, &line, err);
        if (status != FL_OK)
            return status;
    }
    if (in->has_function) /* the input ends here, not the goroutine's text */
        in->has_function = false, in->is_elided = true;
    return end_block(in, err);
}

/* What there is to say where nothing was read. */
static fl_status refuse(const go_reader *in, fl_error *err)
{
    const fl_error *why = in->out.broken.status != FL_OK ? &in->out.broken : &in->out.first_reject;
    if (why->status != FL_OK)
        return fl_fail(err, why->status, why->offset, "%s", why->message);
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                   "no goroutines and no crash of a Go program");
}

/* An empty dump of debug=1 is an answer: no goroutine is leaked. */
static fl_status read_all(go_reader *in, fl_stream *stream, fl_error *err)
{
    fl_lines *lines;
    fl_status status = fl_gotable_create(&in->table, err);
    if (status == FL_OK)
        status = fl_lines_create(&lines, stream, FL_MAX_GO_LINE_BYTES, err);
    if (status != FL_OK)
        return status;
    status = read_lines(in, lines, err);
    fl_lines_destroy(lines);
    if (status == FL_OK)
        status = finish(in, err);
    if (status != FL_OK)
        return status;
    bool is_empty = in->out.total == 0 && in->out.crash_count == 0 && in->out.dropped == 0;
    return is_empty && !in->is_counts ? refuse(in, err) : FL_OK;
}

fl_status fl_goroutines_read(fl_goroutines **out, fl_stream *in, fl_error *err)
{
    assert(out != NULL && in != NULL);
    *out = NULL;
    go_reader *reader = fl_mem_calloc(1, sizeof(*reader));
    if (reader == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    fl_status status = read_all(reader, in, err);
    if (status == FL_OK)
        *out = &reader->out;
    else
        fl_goroutines_destroy(&reader->out);
    return status;
}

void fl_goroutines_destroy(fl_goroutines *goroutines)
{
    go_reader *in = (go_reader *)goroutines;
    if (in == NULL)
        return;
    fl_gotable_destroy(in->table);
    fl_mem_free(in);
}

bool fl_goroutines_sniff(fl_slice head)
{
    while (head.len > 0) {
        const unsigned char *feed = memchr(head.ptr, '\n', head.len);
        size_t len = feed != NULL ? (size_t)(feed - head.ptr) : head.len;
        fl_slice line = without_prefix((fl_slice){.ptr = head.ptr, .len = len});
        if (fl_goheader_begins(line) || fl_slice_starts_with(line, FL_SLICE("fatal error: ")) ||
            fl_slice_starts_with(line, FL_SLICE("goroutine profile: total ")) ||
            fl_slice_starts_with(line, FL_SLICE("goroutineleak profile: total ")))
            return true;
        head = rest_of(head, len + (feed != NULL));
    }
    return false;
}
