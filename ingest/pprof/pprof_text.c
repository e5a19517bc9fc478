/*
 * pprof_text.c - Go's text profiles (debug=1), and those of gperftools that look the same.
 *
 *   heap       := "heap profile: N: B [N: B] @ " ("heap/" 2R | "heap_v2/" R | "heapprofile") LF
 *                 (objects ": " bytes " [" objects ": " bytes "] @" pc* LF line*)*
 *   count      := NAME " profile: total " N LF (count " @" pc* LF line*)*
 *   contention := "--- contention:" | "--- mutex:" LF
 *                 "cycles/second=" N LF ["sampling period=" N LF] (cycles " " count " @" pc* LF
 * line*)* pc         := " 0x" hex         line := "#" TAB "0x" hex [TAB+ name "+0x" hex TAB+ file
 * ":" line] | "# labels: {" quoted ":" quoted, ... "}" | "# " comment
 *
 * - Brackets in a heap's rows hold what was ever allocated, the numbers before them what is in use.
 *   They count what was sampled: each is divided by the probability 1 - exp(-S/R) that a block of
 *   the row's mean size S was (runtime/mprof.go; the header says 2R).
 * - A program counter is a return address; the address in its line is of the call, one less. Go
 *   leaves out the lines of a heap's innermost runtime frames: their addresses remain, as frames
 *   without a name, and a symbolizer can name them.
 * - Cycles become nanoseconds. Mutex events are scaled by their sampling when they are recorded
 *   (saveBlockEventStack() in runtime/mprof.go), so the period in the header is kept and not
 *   multiplied again.
 * - Comments of a heap are its runtime.MemStats, "HeapInuse = 2416640"; "# 0x..." are none.
 */
#include <assert.h>
#include <math.h>

#include "faultline/limits.h"
#include "hash.h"
#include "map.h"
#include "number.h"
#include "pprof_priv.h"

enum { MAX_PCS = 1024, MAX_NUMBERS = 4, KEPT_LABELS = 16 };

typedef enum form { HEAP, COUNT, CONTENTION } form;

/* A line behind a record. */
typedef struct named {
    uint64_t address;
    uint32_t function; /* FL_PROFILE_NONE: the line has an address alone */
    int64_t line;
} named;

/* One record: its numbers, its addresses, and the lines that name them. */
typedef struct record {
    int64_t numbers[MAX_NUMBERS];
    uint64_t pcs[MAX_PCS];
    size_t pc_count;
    named lines[MAX_PCS];
    size_t line_count;
    fl_profile_label labels[KEPT_LABELS];
    size_t label_count;
    bool is_open;
} record;

/* One text on its way. */
typedef struct text_reading {
    fl_pprof_reading *r;
    form form;
    fl_profile_kind kind;
    double rate; /* heap: bytes between samples; 0: nothing to undo */
    double ns_per_cycle;
    fl_map *functions; /* hash of name and file -> index + 1 */
    fl_map *frames;    /* hash of address, function, line -> index + 1 */
    fl_slice line;
    uint64_t number;
    record *record;
} text_reading;

/* --- lines and words --- */

/* Lines for a person, the offset of their start for a program. */
static fl_status fail_line(const text_reading *t, const char *what)
{
    return fl_pprof_fail(t->r, FL_E_SYNTAX, fl_pprof_offset(t->r, t->line.ptr), "line %llu: %s",
                         (unsigned long long)t->number, what);
}

/* The next line without its end; false behind the last. */
static bool next_line(text_reading *t, size_t *at)
{
    fl_slice input = t->r->input;
    if (*at >= input.len)
        return false;
    const unsigned char *start = input.ptr + *at, *feed = memchr(start, '\n', input.len - *at);
    size_t len = feed != NULL ? (size_t)(feed - start) : input.len - *at;
    *at += len + 1;
    t->number++;
    t->line = fl_slice_trim((fl_slice){start, len});
    return true;
}

/* Take the front of `rest` up to `stop`, which is passed over; all of it where there is none. */
static fl_slice take_until(fl_slice *rest, const char *stop)
{
    fl_slice needle = fl_slice_of(stop);
    assert(needle.len > 0);
    size_t at = fl_slice_find(*rest, needle);
    fl_slice front = {rest->ptr, at};
    size_t behind = at < rest->len ? at + needle.len : rest->len;
    *rest = (fl_slice){rest->ptr + behind, rest->len - behind};
    return front;
}

/* Pass over a prefix; false, and nothing passed, where it is another. */
static bool skip_text(fl_slice *rest, const char *prefix)
{
    fl_slice text = fl_slice_of(prefix);
    if (!fl_slice_starts_with(*rest, text))
        return false;
    *rest = (fl_slice){rest->ptr + text.len, rest->len - text.len};
    return true;
}

/* A count: not negative, below 2^62. */
static bool parse_count(fl_slice text, int64_t *out)
{
    return fl_parse_i64(fl_slice_trim(text), out) && *out >= 0 && *out <= INT64_C(1) << 62;
}

/* The value of a lower-case hex digit, 16 for any other byte. */
static unsigned digit_of(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : 16;
}

/* "0x1f": at most 16 digits. */
static bool parse_address(fl_slice text, uint64_t *out)
{
    uint64_t value = 0;
    if (!skip_text(&text, "0x") || text.len == 0 || text.len > 16)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = digit_of(text.ptr[i]);
        if (digit > 15)
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

/* --- headers --- */

/* NAME of "NAME profile: total N": one word of letters, digits, and what people put between. */
static fl_slice count_name(fl_slice line)
{
    fl_slice rest = line, name = take_until(&rest, " profile: total ");
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '<')
            return (fl_slice){0};
    return rest.len > 0 ? name : (fl_slice){0};
}

bool fl_pprof_is_text(fl_slice input)
{
    fl_slice line = take_until(&input, "\n");
    return fl_slice_starts_with(line, FL_SLICE("heap profile: ")) ||
           fl_slice_starts_with(line, FL_SLICE("--- contention:")) ||
           fl_slice_starts_with(line, FL_SLICE("--- mutex:")) || count_name(line).len > 0;
}

static fl_status add_type(text_reading *t, fl_slice name, const char *unit)
{
    return fl_profile_add_type(t->r->profile, name, fl_slice_of(unit), t->r->err);
}

/* In the order of Go's protobuf, the default last. */
static fl_status add_heap_types(text_reading *t)
{
    fl_status status = add_type(t, FL_SLICE("alloc_objects"), "count");
    if (status == FL_OK)
        status = add_type(t, FL_SLICE("alloc_space"), "bytes");
    if (status == FL_OK)
        status = add_type(t, FL_SLICE("inuse_objects"), "count");
    return status == FL_OK ? add_type(t, FL_SLICE("inuse_space"), "bytes") : status;
}

/* The sampling rate decides what the counts mean. */
static fl_status read_heap_header(text_reading *t)
{
    fl_profile *profile = t->r->profile;
    fl_slice rest = t->line;
    int64_t rate = 0;
    take_until(&rest, "@ ");
    if (skip_text(&rest, "heap/") && parse_count(rest, &rate))
        rate /= 2;
    else if (!(skip_text(&rest, "heap_v2/") && parse_count(rest, &rate)) &&
             !fl_slice_equal(rest, FL_SLICE("heapprofile")))
        return fail_line(t, "a heap profile says no sampling rate ('@ heap/1048576')");
    t->form = HEAP;
    t->kind = FL_PROFILE_HEAP;
    t->rate = (double)rate;
    profile->period = rate > 0 ? rate : 1;
    profile->period_type = (fl_profile_type){FL_SLICE("space"), FL_SLICE("bytes")};
    return add_heap_types(t);
}

/* Cycles are nanoseconds until the header says their length. */
static fl_status read_contention_header(text_reading *t, fl_profile_kind kind)
{
    fl_profile *profile = t->r->profile;
    t->form = CONTENTION;
    t->kind = kind;
    t->ns_per_cycle = 1;
    profile->period = 1;
    profile->period_type = (fl_profile_type){FL_SLICE("contentions"), FL_SLICE("count")};
    fl_status status = add_type(t, FL_SLICE("contentions"), "count");
    return status == FL_OK ? add_type(t, FL_SLICE("delay"), "nanoseconds") : status;
}

/* The kind is told by the name, which becomes the type. */
static fl_status read_count_header(text_reading *t)
{
    fl_profile *profile = t->r->profile;
    fl_slice name = count_name(t->line);
    t->form = COUNT;
    profile->period = 1;
    profile->period_type = (fl_profile_type){name, FL_SLICE("count")};
    return add_type(t, name, "count");
}

static fl_status read_header(text_reading *t)
{
    if (fl_slice_starts_with(t->line, FL_SLICE("heap profile: ")))
        return read_heap_header(t);
    if (fl_slice_starts_with(t->line, FL_SLICE("--- mutex:")))
        return read_contention_header(t, FL_PROFILE_MUTEX);
    if (fl_slice_starts_with(t->line, FL_SLICE("--- contention:")))
        return read_contention_header(t, FL_PROFILE_BLOCK);
    return read_count_header(t);
}

/* "cycles/second=2400000000"; others than these two do not matter here. */
static fl_status read_setting(text_reading *t)
{
    fl_slice rest = t->line;
    int64_t number = 0;
    if (skip_text(&rest, "cycles/second=")) {
        if (!parse_count(rest, &number) || number == 0)
            return fail_line(t, "cycles/second is no positive number");
        t->ns_per_cycle = 1e9 / (double)number;
    } else if (skip_text(&rest, "sampling period=")) {
        if (!parse_count(rest, &number))
            return fail_line(t, "the sampling period is no number");
        t->r->profile->period = number;
    }
    return FL_OK;
}

/* --- tables --- */

/* Functions are told apart by name and file; of two with one hash the second is kept twice. */
static fl_status find_function(uint32_t *out, text_reading *t, fl_slice name, fl_slice file)
{
    fl_profile *profile = t->r->profile;
    uint64_t *slot, hash = fl_hash_mix(fl_hash_keyed(name) ^ fl_hash_mix(fl_hash_keyed(file)));
    fl_profile_function function = {.name = name, .system_name = name, .file = file};
    fl_status status = fl_map_slot(&slot, t->functions, hash, NULL, t->r->err);
    if (status != FL_OK)
        return status;
    *out = (uint32_t)*slot - 1;
    if (*slot > 0 && fl_slice_equal(profile->functions[*out].system_name, name) &&
        fl_slice_equal(profile->functions[*out].file, file))
        return FL_OK;
    if (t->r->options.normalise_names)
        status = fl_profile_normalise_name(&function.name, profile, name, t->r->err);
    if (status == FL_OK)
        status = fl_profile_add_function(profile, &function, t->r->err);
    if (status != FL_OK)
        return status;
    *slot = profile->function_count;
    *out = (uint32_t)profile->function_count - 1;
    return FL_OK;
}

/* Push the frame of that address, function and line. Each is a location of its own: Go expands
 * inlined calls to program counters before it writes them. */
static fl_status push_frame(text_reading *t, const named *at)
{
    fl_profile *profile = t->r->profile;
    uint64_t *slot,
        hash = fl_hash_mix(at->address ^ fl_hash_mix((uint64_t)at->line << 32 | at->function));
    fl_status status = fl_map_slot(&slot, t->frames, hash, NULL, t->r->err);
    if (status != FL_OK)
        return status;
    uint32_t index = (uint32_t)*slot - 1;
    const fl_profile_frame *seen = *slot > 0 ? &profile->frames[index] : NULL;
    if (seen == NULL || seen->address != at->address || seen->function != at->function ||
        seen->line != at->line) {
        fl_profile_frame frame = {.function = at->function,
                                  .mapping = FL_PROFILE_NONE,
                                  .location = (uint32_t)profile->frame_count,
                                  .line = at->line,
                                  .address = at->address};
        status = fl_profile_add_frame(profile, &frame, t->r->err);
        if (status != FL_OK)
            return status;
        *slot = profile->frame_count;
        index = (uint32_t)profile->frame_count - 1;
    }
    return fl_profile_push_stack(profile, index, t->r->err);
}

/* --- records --- */

/* Each address with the line that names it, where one does. False where lines are left over, which
 * then are no lines of these addresses. */
static bool match_lines(const record *rec, named out[MAX_PCS])
{
    size_t line = 0;
    for (size_t i = 0; i < rec->pc_count; i++) {
        uint64_t call = rec->pcs[i] > 0 ? rec->pcs[i] - 1 : 0;
        out[i] = (named){.address = call, .function = FL_PROFILE_NONE};
        if (line < rec->line_count &&
            (rec->lines[line].address == call || rec->lines[line].address == rec->pcs[i]))
            out[i] = rec->lines[line++];
    }
    return line == rec->line_count;
}

/* Names that fit no address are worth more than addresses without names. */
static fl_status push_frames(text_reading *t)
{
    const record *rec = t->record;
    named matched[MAX_PCS];
    assert(rec->pc_count <= MAX_PCS && rec->line_count <= MAX_PCS);
    bool is_matched = match_lines(rec, matched);
    const named *frames = is_matched ? matched : rec->lines;
    size_t count = is_matched ? rec->pc_count : rec->line_count;
    fl_status status = FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = push_frame(t, &frames[i]);
    return status;
}

/* Beyond the range the builder clamps and counts it. */
static int64_t scaled(int64_t value, double scale)
{
    double product = (double)value * scale;
    assert(value >= 0 && scale >= 0);
    return product >= 0x1p62 ? INT64_MAX : (int64_t)product;
}

/* Undo the sampling of `objects` and `bytes`. */
static void set_heap_values(text_reading *t, size_t type, int64_t objects, int64_t bytes)
{
    double scale = 1;
    if (objects > 0 && bytes > 0 && t->rate > 1)
        scale = 1 / (1 - exp(-(double)bytes / (double)objects / t->rate));
    fl_profile_set_value(t->r->profile, type, scaled(objects, scale));
    fl_profile_set_value(t->r->profile, type + 1, scaled(bytes, scale));
}

/* The label that Go's protobuf has: the mean size of the row's blocks. */
static fl_status push_block_size(text_reading *t)
{
    const int64_t *n = t->record->numbers;
    fl_profile_label label = {.key = FL_SLICE("bytes")};
    if (n[0] > 0)
        label.number = n[1] / n[0];
    else if (n[2] > 0)
        label.number = n[3] / n[2];
    else
        return FL_OK;
    return fl_profile_push_label(t->r->profile, &label, t->r->err);
}

/* In the order of the types. */
static fl_status set_values(text_reading *t)
{
    fl_profile *profile = t->r->profile;
    const int64_t *n = t->record->numbers;
    assert(profile->type_count == (t->form == HEAP ? 4 : t->form == CONTENTION ? 2 : 1));
    switch (t->form) {
    case HEAP:
        set_heap_values(t, 0, n[2], n[3]);
        set_heap_values(t, 2, n[0], n[1]);
        return push_block_size(t);
    case CONTENTION:
        fl_profile_set_value(profile, 0, n[1]);
        fl_profile_set_value(profile, 1, scaled(n[0], t->ns_per_cycle));
        return FL_OK;
    case COUNT:
        fl_profile_set_value(profile, 0, n[0]);
        return FL_OK;
    }
    return FL_OK;
}

/* A record is whole when the next one begins. */
static fl_status end_record(text_reading *t)
{
    record *rec = t->record;
    if (!rec->is_open)
        return FL_OK;
    rec->is_open = false;
    fl_status status = fl_profile_sample_begin(t->r->profile, t->r->err);
    if (status == FL_OK)
        status = push_frames(t);
    if (status == FL_OK)
        status = set_values(t);
    for (size_t i = 0; i < rec->label_count && status == FL_OK; i++)
        status = fl_profile_push_label(t->r->profile, &rec->labels[i], t->r->err);
    if (status == FL_OK)
        fl_profile_sample_end(t->r->profile);
    return status;
}

/* The numbers before the "@". */
static bool parse_numbers(const text_reading *t, fl_slice text)
{
    int64_t *n = t->record->numbers;
    text = fl_slice_trim(text);
    switch (t->form) {
    case HEAP:
        return parse_count(take_until(&text, ":"), &n[0]) &&
               parse_count(take_until(&text, "["), &n[1]) &&
               parse_count(take_until(&text, ":"), &n[2]) &&
               parse_count(take_until(&text, "]"), &n[3]) && text.len == 0;
    case CONTENTION:
        return parse_count(take_until(&text, " "), &n[0]) && parse_count(text, &n[1]);
    case COUNT:
        return parse_count(text, &n[0]);
    }
    return false;
}

/* Its lines follow; it becomes a sample when they have ended. */
static fl_status begin_record(text_reading *t)
{
    record *rec = t->record;
    fl_slice rest = t->line, numbers = take_until(&rest, "@");
    rec->pc_count = rec->line_count = rec->label_count = 0;
    if (numbers.len == t->line.len || !parse_numbers(t, numbers))
        return fail_line(t, "this is no record");
    if (t->form == HEAP && ((rec->numbers[0] == 0 && rec->numbers[1] > 0) ||
                            (rec->numbers[2] == 0 && rec->numbers[3] > 0)))
        return fail_line(t, "no objects, but their bytes");
    for (rest = fl_slice_trim(rest); rest.len > 0;) {
        fl_slice word = take_until(&rest, " ");
        if (rec->pc_count == MAX_PCS)
            return fail_line(t, "a record has more than 1024 addresses");
        if (!parse_address(word, &rec->pcs[rec->pc_count++]))
            return fail_line(t, "a record has something else than addresses behind its '@'");
    }
    rec->is_open = true;
    return FL_OK;
}

/* --- what stands behind a record --- */

/* "name+0x1c": the offset is the address once more. */
static fl_slice without_offset(fl_slice name)
{
    for (size_t at = name.len; at > 0; at--)
        if (name.ptr[at - 1] == '+')
            return (fl_slice){name.ptr, at - 1};
    return name;
}

/* "file:12", where a Windows path has a colon of its own. */
static int64_t split_line(fl_slice *file)
{
    int64_t line = 0;
    for (size_t at = file->len; at > 0; at--)
        if (file->ptr[at - 1] == ':') {
            fl_slice digits = {file->ptr + at, file->len - at};
            if (!parse_count(digits, &line))
                return 0;
            file->len = at - 1;
            return line;
        }
    return 0;
}

/* Go aligns with tabs; a name may hold spaces. */
static fl_status read_name_line(text_reading *t, fl_slice rest)
{
    record *rec = t->record;
    named at = {.function = FL_PROFILE_NONE};
    if (!parse_address(take_until(&rest, "\t"), &at.address))
        return fail_line(t, "this line has no address");
    if (rest.len == 0)
        return FL_OK;
    fl_slice name = without_offset(take_until(&rest, "\t")), file = fl_slice_trim(rest);
    at.line = split_line(&file);
    if (rec->line_count == MAX_PCS)
        return fail_line(t, "a record has more than 1024 lines");
    fl_status status = find_function(&at.function, t, name, file);
    if (status == FL_OK)
        rec->lines[rec->line_count++] = at;
    return status;
}

/* The text of a quoted word, its escapes left as they are; ptr NULL where there is none. */
static fl_slice take_quoted(fl_slice *rest)
{
    take_until(rest, "\"");
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] != '"')
        end += rest->ptr[end] == '\\' ? 2 : 1;
    if (end >= rest->len)
        return (fl_slice){0};
    fl_slice word = {rest->ptr, end};
    *rest = (fl_slice){rest->ptr + end + 1, rest->len - end - 1};
    return word;
}

/* {"key":"value", ...}; more than are kept are left out. */
static void read_labels(text_reading *t, fl_slice rest)
{
    record *rec = t->record;
    while (rec->label_count < KEPT_LABELS) {
        fl_profile_label label = {.key = take_quoted(&rest)};
        label.text = take_quoted(&rest);
        if (label.text.ptr == NULL)
            return;
        rec->labels[rec->label_count++] = label;
    }
}

/* Lines and labels belong to the record before them. */
static fl_status read_comment(text_reading *t)
{
    fl_slice rest = t->line;
    if (skip_text(&rest, "#\t0x")) {
        rest = (fl_slice){rest.ptr - 2, rest.len + 2};
        return t->record->is_open ? read_name_line(t, rest)
                                  : fail_line(t, "a line without a record");
    }
    if (skip_text(&rest, "# labels: {") && t->record->is_open) {
        read_labels(t, rest);
        return FL_OK;
    }
    if (t->form != HEAP || !skip_text(&rest, "# ") || rest.len == 0)
        return FL_OK;
    return fl_profile_add_comment(t->r->profile, rest, t->r->err);
}

/* --- the whole --- */

/* What gperftools writes behind its records. */
static bool is_end(fl_slice line)
{
    return fl_slice_starts_with(line, FL_SLICE("MAPPED_LIBRARIES:")) ||
           fl_slice_starts_with(line, FL_SLICE("--- Memory map:"));
}

/* A setting has an equals sign, a record never. */
static fl_status read_line(text_reading *t)
{
    if (t->line.len == 0)
        return FL_OK;
    if (t->line.ptr[0] == '#')
        return read_comment(t);
    bool is_setting = t->form == CONTENTION && fl_slice_find(t->line, FL_SLICE("=")) < t->line.len;
    if (is_setting)
        return read_setting(t);
    fl_status status = end_record(t);
    return status == FL_OK ? begin_record(t) : status;
}

/* The header decides what the rest means. */
static fl_status read_lines(text_reading *t)
{
    fl_status status = FL_OK;
    size_t at = 0;
    while (t->line.len == 0 && next_line(t, &at)) /* white space may come first */
        continue;
    status = read_header(t);
    while (status == FL_OK && next_line(t, &at) && !is_end(t->line))
        status = read_line(t);
    return status == FL_OK ? end_record(t) : status;
}

fl_status fl_pprof_read_text(fl_pprof_reading *r)
{
    assert(r->err != NULL);
    text_reading t = {.r = r, .kind = FL_PROFILE_OTHER};
    t.record = fl_arena_alloc(fl_profile_arena(r->profile), 1, sizeof(*t.record));
    if (t.record == NULL)
        return fl_pprof_fail(r, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a record");
    fl_status status = fl_map_create(&t.functions, FL_MAX_PROFILE_TABLE, r->err);
    if (status == FL_OK)
        status = fl_map_create(&t.frames, FL_MAX_PROFILE_TABLE, r->err);
    if (status == FL_OK)
        status = read_lines(&t);
    if (status == FL_OK)
        fl_profile_finish(r->profile, (fl_slice){0}, t.kind);
    r->profile->form = FL_PROFILE_FORM_TEXT;
    fl_map_destroy(t.functions);
    fl_map_destroy(t.frames);
    return status;
}
