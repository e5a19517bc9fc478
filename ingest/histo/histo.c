/*
 * histo.c - the header, then a row a line, until the line of totals. What stands behind that (the
 * next output of a script) is not read.
 */
#include "histo.h"

#include <assert.h>
#include <string.h>

#include "number.h"
#include "slice.h"

/* How far a text is looked through for its header, and rows at first. */
enum { HEAD_LINES = 8, FIRST_ROWS = 256 };

/* Where in the text reading stands. */
typedef struct scan {
    fl_slice text;
    size_t at;
    uint64_t line;
} scan;

/* The next line without its end; false behind the last. */
static bool next_line(scan *s, fl_slice *line, size_t *offset)
{
    if (s->at >= s->text.len)
        return false;
    const unsigned char *end = memchr(s->text.ptr + s->at, '\n', s->text.len - s->at);
    size_t stop = end != NULL ? (size_t)(end - s->text.ptr) : s->text.len;
    *offset = s->at;
    *line = fl_slice_trim(fl_slice_part(s->text, s->at, stop));
    s->at = stop + (end != NULL ? 1 : 0);
    s->line++;
    return true;
}

/* The next word of a line, which is taken off its front. */
static fl_slice take_word(fl_slice *line)
{
    size_t from = 0, to;
    while (from < line->len && (line->ptr[from] == ' ' || line->ptr[from] == '\t'))
        from++;
    for (to = from; to < line->len && line->ptr[to] != ' ' && line->ptr[to] != '\t';)
        to++;
    fl_slice word = fl_slice_part(*line, from, to);
    *line = fl_slice_part(*line, to, line->len);
    return word;
}

static bool is_header(fl_slice line)
{
    return fl_slice_equal(take_word(&line), FL_SLICE("num")) &&
           fl_slice_equal(take_word(&line), FL_SLICE("#instances")) &&
           fl_slice_equal(take_word(&line), FL_SLICE("#bytes"));
}

/* Past the header; false where the first lines have none. */
static bool find_header(scan *s)
{
    fl_slice line;
    size_t offset;
    for (int i = 0; i < HEAD_LINES && next_line(s, &line, &offset); i++)
        if (is_header(line))
            return true;
    return false;
}

bool fl_histo_is(fl_slice head)
{
    scan s = {.text = head};
    return find_header(&s);
}

/* "[[Lshop.Item;" is "shop.Item[][]", "[B" is "byte[]"; what is neither stays. NULL ptr: no memory.
 */
static fl_slice readable(fl_slice name, fl_arena *arena)
{
    static const char *const types[] = {"Bbyte", "Cchar", "Ddouble", "Ffloat",
                                        "Iint",  "Jlong", "Sshort",  "Zboolean"};
    size_t depth = 0;
    while (depth < name.len && name.ptr[depth] == '[')
        depth++;
    fl_slice inner = fl_slice_part(name, depth, name.len);
    bool is_class = inner.len > 2 && inner.ptr[0] == 'L' && inner.ptr[inner.len - 1] == ';';
    if (depth > 0 && is_class)
        inner = fl_slice_part(inner, 1, inner.len - 1);
    for (size_t i = 0; depth > 0 && inner.len == 1 && i < sizeof(types) / sizeof(types[0]); i++)
        if (inner.ptr[0] == (unsigned char)types[i][0]) {
            inner = fl_slice_of(types[i] + 1);
            break;
        }
    unsigned char *text = fl_arena_bytes(arena, inner.len + 2 * depth + 1);
    if (text == NULL)
        return (fl_slice){0};
    memcpy(text, inner.ptr, inner.len);
    for (size_t i = 0; i < depth; i++)
        memcpy(text + inner.len + 2 * i, "[]", 2);
    return (fl_slice){.ptr = text, .len = inner.len + 2 * depth};
}

/* "1:  196819  11110000  [B (java.base@17.0.15)". False where it is no row. */
static bool split_row(fl_histo_row *row, fl_slice line)
{
    uint64_t rank;
    fl_slice number = take_word(&line);
    if (number.len < 2 || number.ptr[number.len - 1] != ':' ||
        !fl_parse_u64(fl_slice_part(number, 0, number.len - 1), &rank) ||
        !fl_parse_u64(take_word(&line), &row->instances) ||
        !fl_parse_u64(take_word(&line), &row->bytes))
        return false;
    row->name = take_word(&line);
    return row->name.len > 0;
}

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a class histogram");
}

/* Room grows in the arena; the old rows stay there until it goes. */
static fl_status add_row(fl_histo *out, size_t *cap, const fl_histo_row *row, fl_arena *arena,
                         fl_error *err)
{
    assert(out->count <= *cap);
    if (out->count == FL_MAX_HISTO_ROWS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a class histogram has more than %d classes",
                       FL_MAX_HISTO_ROWS);
    if (out->count == *cap) {
        size_t grown = *cap == 0 ? FIRST_ROWS : 2 * *cap;
        fl_histo_row *rows = fl_arena_alloc(arena, grown, sizeof(*rows));
        if (rows == NULL)
            return no_memory(err);
        if (out->count > 0)
            memcpy(rows, out->rows, out->count * sizeof(*rows));
        out->rows = rows;
        *cap = grown;
    }
    out->rows[out->count] = *row;
    out->rows[out->count].name = readable(row->name, arena);
    return out->rows[out->count++].name.ptr != NULL ? FL_OK : no_memory(err);
}

/* A text that ends early has no totals: its rows stand in. */
static void sum_up(fl_histo *out)
{
    out->is_cut = true;
    for (size_t i = 0; i < out->count; i++) {
        out->instances += out->rows[i].instances;
        out->bytes += out->rows[i].bytes;
    }
}

fl_status fl_histo_read(fl_histo *out, fl_slice text, fl_arena *arena, fl_error *err)
{
    scan s = {.text = text};
    fl_slice line;
    size_t offset, cap = 0;
    *out = (fl_histo){0};
    if (!find_header(&s))
        return fl_fail(err, FL_E_UNSUPPORTED, 0,
                       "no class histogram: there is no line 'num"
                       " #instances #bytes'");
    while (next_line(&s, &line, &offset)) {
        fl_histo_row row = {0};
        if (line.len == 0 || line.ptr[0] == '-')
            continue;
        if (fl_slice_starts_with(line, FL_SLICE("Total"))) {
            (void)take_word(&line);
            if (!fl_parse_u64(take_word(&line), &out->instances) ||
                !fl_parse_u64(take_word(&line), &out->bytes))
                return fl_fail(err, FL_E_SYNTAX, offset, "line %llu: the totals have no numbers",
                               (unsigned long long)s.line);
            return FL_OK;
        }
        bool is_last = s.at >= text.len && text.ptr[text.len - 1] != '\n';
        if (!split_row(&row, line)) {
            if (is_last)
                break; /* cut within its last line */
            return fl_fail(err, FL_E_SYNTAX, offset, "line %llu: no row of a class histogram",
                           (unsigned long long)s.line);
        }
        fl_status status = add_row(out, &cap, &row, arena, err);
        if (status != FL_OK)
            return status;
    }
    sum_up(out);
    return FL_OK;
}
