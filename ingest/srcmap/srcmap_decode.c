/*
 * srcmap_decode.c - the string of mappings.
 *
 *   mappings = line { ";" line }
 *   line     = [ segment { "," segment } ]
 *   segment  = column [ source source-line source-column [ name ] ]
 *
 * Each field is a difference to the one before it: the column's within its line, the others' in the
 * whole map. A number is written in base 64, 5 bits a digit, the lowest first; 32 in a digit says
 * that more follow; the lowest bit of the whole is the sign. (ECMA-426, section 9.) Numbers have 32
 * bits.
 *
 * Cost: arrays are made for as many segments and lines as the string can hold and cut afterwards;
 * one pass, a table look-up a character. Columns that fall within a line are legal and rare: such a
 * line is sorted when it ends.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "mem.h"
#include "sort.h"
#include "srcmap_priv.h"

/* A digit's value; BAD for what is none. */
enum { BAD = 0x80, MORE = 0x20, DIGIT_BITS = 5, DIGIT_MASK = 31, MAX_FIELDS = 5 };

static const unsigned char DIGITS[256] = {
#define B8 BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
    B8,  B8,  B8,  B8,  B8,  BAD, BAD, BAD, 62,  BAD, BAD, BAD, 63,  52,  53,  54,  55,  56, 57,
    58,  59,  60,  61,  BAD, BAD, BAD, BAD, BAD, BAD, BAD, 0,   1,   2,   3,   4,   5,   6,  7,
    8,   9,   10,  11,  12,  13,  14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25, BAD,
    BAD, BAD, BAD, BAD, BAD, 26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38, 39,
    40,  41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  BAD, BAD, BAD, BAD, BAD, B8, B8,
    B8,  B8,  B8,  B8,  B8,  B8,  B8,  B8,  B8,  B8,  B8,  B8,  B8,  B8
#undef B8
};

/* The walk over one string, and the fields that differences add up in. */
typedef struct decoder {
    fl_srcmap *map;
    const fl_srcbase *base;
    fl_slice text;
    size_t at;
    uint64_t offset;
    int64_t fields[MAX_FIELDS]; /* column, source, source line, source column, name */
    bool is_unsorted;           /* columns fell in this line */
    fl_error *err;
} decoder;

static fl_status fail(const decoder *d, size_t at, const char *why)
{
    return fl_fail(d->err, FL_E_SYNTAX, d->offset + at, "mappings: %s", why);
}

/* Make an array hold `count` items of `size`; at least doubled, so that many sections cost a few
 * moves. Pages of it that are never written cost nothing. */
static fl_status grow(void *list, size_t *cap, size_t count, size_t size, fl_error *err)
{
    void *items;
    if (count <= *cap)
        return FL_OK;
    size_t more = count < 2 * *cap ? 2 * *cap : count;
    memcpy(&items, list, sizeof(items));
    void *grown = fl_mem_realloc(items, more, size);
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a source map");
    memcpy(list, &grown, sizeof(grown));
    *cap = more;
    return FL_OK;
}

/* Room for as many segments and lines as there can be: a segment has a character and one behind it.
 */
static fl_status reserve(fl_srcmap *map, fl_slice text, const fl_srcbase *base, fl_error *err)
{
    size_t lines = text.len + 1, segments = text.len / 2 + 1;
    size_t begin = base->line > map->line_count ? base->line : map->line_count;
    lines = (lines < FL_MAX_SRCMAP_LINES ? lines : FL_MAX_SRCMAP_LINES) + begin + 1;
    segments = (segments < FL_MAX_SRCMAP_SEGMENTS ? segments : FL_MAX_SRCMAP_SEGMENTS);
    fl_status status = grow(&map->lines, &map->line_cap, lines, sizeof(*map->lines), err);
    if (status != FL_OK)
        return status;
    return grow(&map->segments, &map->segment_cap, map->segment_count + segments,
                sizeof(*map->segments), err);
}

static fl_status refuse_size(fl_error *err)
{
    return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a source map of more than %u lines or segments",
                   FL_MAX_SRCMAP_LINES);
}

/* Lines up to and with `line` (from 0) exist and end where the segments end now. */
static void open_lines(fl_srcmap *map, size_t line)
{
    assert(line < map->line_cap);
    while (map->line_count <= line)
        map->lines[map->line_count++] = (uint32_t)map->segment_count;
}

static uint64_t by_column(const void *row)
{
    return ((const fl_srcseg *)row)->column;
}

static int compare_segments(const void *a, const void *b)
{
    const fl_srcseg *x = a, *y = b;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->source_line != y->source_line)
        return x->source_line < y->source_line ? -1 : 1;
    return (x->source_column > y->source_column) - (x->source_column < y->source_column);
}

/* The line that is open ends. */
static void end_line(decoder *d)
{
    static const fl_row_order order = {.numbers = {by_column}, .compare = compare_segments};
    fl_srcmap *map = d->map;
    if (d->is_unsorted) {
        uint32_t from = map->lines[map->line_count - 1];
        fl_sort_rows(map->segments + from, map->segment_count - from, sizeof(*map->segments),
                     &order);
    }
    d->is_unsorted = false;
}

/* A number of several digits, the first of which was read; false where it is none of 32 bits. */
static bool read_long(decoder *d, uint64_t *value)
{
    for (unsigned shift = DIGIT_BITS; d->at < d->text.len && shift < 35; shift += DIGIT_BITS) {
        unsigned digit = DIGITS[d->text.ptr[d->at]];
        if (digit == BAD)
            return false;
        d->at++;
        *value |= (uint64_t)(digit & DIGIT_MASK) << shift;
        if ((digit & MORE) == 0)
            return *value <= (UINT64_C(1) << 32) - 1;
    }
    return false;
}

/* Read the fields of one segment; *count is how many it has. */
static inline fl_status read_fields(decoder *d, int64_t deltas[MAX_FIELDS], unsigned *count)
{
    size_t begin = d->at;
    *count = 0;
    while (d->at < d->text.len) {
        unsigned digit = DIGITS[d->text.ptr[d->at]];
        if (digit == BAD)
            break;
        if (*count == MAX_FIELDS)
            return fail(d, begin, "a segment of more than 5 numbers");
        d->at++;
        uint64_t value = digit & DIGIT_MASK;
        if ((digit & MORE) != 0 && !read_long(d, &value))
            return fail(d, begin, "a number that ends early or has more than 32 bits");
        deltas[(*count)++] = (value & 1) != 0 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
    }
    if (*count != 1 && *count != 4 && *count != 5)
        return fail(d, begin,
                    *count == 0 ? "a segment without a number" : "a segment of 2 or 3 numbers");
    return FL_OK;
}

/* Sums have a place in 32 bits; the place before a section begins is not its own. */
static bool in_range(const decoder *d, unsigned count)
{
    const int64_t *f = d->fields;
    if (f[0] < 0 || f[0] + d->base->column >= UINT32_MAX)
        return false;
    if (count == 1)
        return true;
    return f[1] >= 0 && (uint64_t)f[1] < d->base->source_count && f[2] >= 0 && f[2] < UINT32_MAX &&
           f[3] >= 0 && f[3] < UINT32_MAX &&
           (count == 4 || (f[4] >= 0 && (uint64_t)f[4] < d->base->name_count));
}

/* What exactly is out of range, in words. */
static fl_status refuse_range(const decoder *d, size_t begin, unsigned count)
{
    const int64_t *f = d->fields;
    if (f[0] < 0 || f[0] + d->base->column >= UINT32_MAX)
        return fail(d, begin, "a column outside of 0 to 2^32-2");
    if (f[1] < 0 || (uint64_t)f[1] >= d->base->source_count)
        return fl_fail(d->err, FL_E_SYNTAX, d->offset + begin, "mappings: source %lld of %zu",
                       (long long)f[1], d->base->source_count);
    if (count == 5 && (f[4] < 0 || (uint64_t)f[4] >= d->base->name_count))
        return fl_fail(d->err, FL_E_SYNTAX, d->offset + begin, "mappings: name %lld of %zu",
                       (long long)f[4], d->base->name_count);
    return fail(d, begin, "a place in a source outside of 0 to 2^32-2");
}

static fl_status read_segment(decoder *d)
{
    int64_t deltas[MAX_FIELDS];
    unsigned count;
    size_t begin = d->at;
    fl_srcmap *map = d->map;
    fl_status status = read_fields(d, deltas, &count);
    if (status != FL_OK)
        return status;
    if (map->segment_count == FL_MAX_SRCMAP_SEGMENTS)
        return refuse_size(d->err);
    for (unsigned i = 0; i < count; i++)
        d->fields[i] += deltas[i];
    if (!in_range(d, count))
        return refuse_range(d, begin, count);
    assert(map->segment_count < map->segment_cap && map->line_count > 0);
    bool is_first_line = map->line_count - 1 == d->base->line;
    fl_srcseg *to = &map->segments[map->segment_count];
    to->column = (uint32_t)d->fields[0] + (is_first_line ? d->base->column : 0);
    to->source =
        count == 1 ? FL_SRCMAP_NONE : (uint32_t)((size_t)d->fields[1] + d->base->source_at);
    to->source_line = (uint32_t)d->fields[2];
    to->source_column = (uint32_t)d->fields[3];
    to->name = count == 5 ? (uint32_t)((size_t)d->fields[4] + d->base->name_at) : FL_SRCMAP_NONE;
    d->is_unsorted |=
        map->segment_count > map->lines[map->line_count - 1] && to[-1].column > to->column;
    map->segment_count++;
    return FL_OK;
}

fl_status fl_srcmap_decode(fl_srcmap *map, fl_slice mappings, const fl_srcbase *base,
                           uint64_t offset, fl_error *err)
{
    decoder d = {.map = map, .base = base, .text = mappings, .offset = offset, .err = err};
    fl_status status = reserve(map, mappings, base, err);
    if (status != FL_OK)
        return status;
    assert(base->line + 1 >= map->line_count);
    open_lines(map, base->line);
    while (d.at < mappings.len) {
        unsigned char c = mappings.ptr[d.at];
        if (c == ';') {
            if (map->line_count == FL_MAX_SRCMAP_LINES)
                return refuse_size(err);
            end_line(&d);
            open_lines(map, map->line_count);
            d.fields[0] = 0;
            d.at++;
        } else if (c == ',')
            d.at++; /* empty segments are nothing, as decoders have it */
        else {
            status = DIGITS[c] == BAD ? fail(&d, d.at, "a character that is not base 64")
                                      : read_segment(&d);
            if (status != FL_OK)
                return status;
        }
    }
    end_line(&d);
    return FL_OK;
}
