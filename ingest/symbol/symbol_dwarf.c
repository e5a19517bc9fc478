/*
 * symbol_dwarf.c - units, and the tables that are made of one.
 *
 *   unit        length, version u16, (5: kind u8, address bytes u8), place of its abbrevs,
 *               (2 to 4: address bytes u8), then entries: a tree, written parents first
 *   entries     a function with ranges, and inlined calls in it: one `entry` each, with the ranges
 *   scopes      namespaces, classes: from where to where, so that a name's scopes are found by
 * place segments    ranges made flat: from an address up to the next segment, the innermost entry
 *
 * Invariant: an entry's parent stands before it, so a chain of inlined calls ends. Scopes are in
 * the order of their begin, each after the one that it is in. Addresses of a unit are kept as 32
 * bits above its lowest; what is farther off is left out. Linkers leave what was written of code
 * that they dropped at the address 0, where no program has code: that is left out, too.
 */
#include "symbol_dwarf.h"

#include <assert.h>
#include <libdeflate.h>
#include <string.h>
#include <zstd.h>

#include "faultline/limits.h"
#include "mem.h"
#include "sort.h"
#include "symbol_dwarf_priv.h"

enum {
    MAX_DEPTH = 128, /* deeper entries are walked, but not kept */
    MAX_HOPS = 8,    /* from a call to the function's own entry */
    MAX_SCOPES = 16, /* around one name */
    MAX_UNITS = 1 << 20,
    MAX_UNIT_ROWS = 1 << 22,             /* entries, ranges, scopes of one unit */
    MAX_RANGE_STEPS = 2 * MAX_UNIT_ROWS, /* over lists, which entries may share */
    MAX_SHARES = 16,          /* abbrevs are read so often as all sections together are long */
    DEFLATE_MAX_RATIO = 1032, /* zlib.net/zlib_tech.html: 258 bytes for two bits */
    ZSTD_MAX_RATIO = 1 << 16  /* a block of 128 KiB for four bytes, nearly */
};
enum tag {
    TAG_CLASS = 0x02,
    TAG_COMPILE_UNIT = 0x11,
    TAG_STRUCTURE = 0x13,
    TAG_UNION = 0x17,
    TAG_INLINED = 0x1d,
    TAG_SUBPROGRAM = 0x2e,
    TAG_NAMESPACE = 0x39
};
static const uint32_t NONE = UINT32_MAX;

typedef struct scope {
    uint32_t begin, end, parent; /* places from the unit's begin; parent NONE: the unit */
} scope;

typedef struct entry {
    uint32_t at, parent; /* the place; NONE: a function */
    uint32_t call_file, call_line;
    fl_slice name; /* once it was asked for */
} entry;

typedef struct segment {
    uint32_t low, entry; /* NONE: a gap */
} segment;

typedef struct unit_range {
    uint64_t low, high;
    uint32_t unit;
} unit_range;

typedef struct unit {
    fl_dwarf_unit_form form;
    uint64_t line_table; /* UINT64_MAX: none */
    fl_slice directory;
    uint64_t base;               /* the lowest address */
    bool was_built, has_entries; /* has_entries: abbrevs and scopes are there, too */
    fl_dwarf_abbrevs abbrevs;
    scope *scopes;
    entry *entries;
    segment *segments;
    size_t scope_count, entry_count, segment_count;
    fl_dwarf_lines lines;
} unit;

/* Rows that grow while a unit is walked, and serve the next one. */
typedef struct rows {
    void *ptr;
    size_t count, cap;
} rows;

struct fl_dwarf {
    const fl_elf *elf;
    fl_arena *arena;
    fl_dwarf_sections sections;
    unit *units;
    size_t unit_count;
    unit_range *ranges; /* by address */
    size_t range_count;
    bool was_loaded;
};

/* Only whether it is there: to read it costs more than most questions do. */
fl_dwarf *fl_dwarf_over(const fl_elf *elf)
{
    assert(elf != NULL);
    if (fl_elf_find(elf, ".debug_info") == NULL || fl_elf_find(elf, ".debug_abbrev") == NULL)
        return NULL;
    fl_dwarf *made = fl_arena_alloc(&elf->file->arena, 1, sizeof(*made));
    if (made != NULL) {
        made->elf = elf;
        made->arena = &elf->file->arena;
    }
    return made;
}

/* One row more, or NULL: no memory, or the limit. */
static void *add_row(rows *to, size_t size)
{
    if (to->count == to->cap) {
        size_t cap = to->cap == 0 ? 256 : 2 * to->cap;
        void *ptr = cap > MAX_UNIT_ROWS ? NULL : fl_mem_realloc(to->ptr, cap, size);
        if (ptr == NULL)
            return NULL;
        to->ptr = ptr;
        to->cap = cap;
    }
    return (unsigned char *)to->ptr + size * to->count++;
}

/* Rows for as long as the file is open; NULL where there are none or no memory. */
static void *keep_rows(fl_arena *arena, const rows *from, size_t size)
{
    void *kept = from->count > 0 ? fl_arena_alloc(arena, from->count, size) : NULL;
    if (kept != NULL)
        memcpy(kept, from->ptr, from->count * size);
    return kept;
}

/* ---- sections ---- */

/* Behind its header: kind u32, (64 bit: 4 bytes), size, align. Empty where it cannot be. */
static fl_slice inflate(const fl_elf *elf, fl_slice packed, fl_arena *arena)
{
    enum { KIND_ZLIB = 1, KIND_ZSTD = 2 };
    fl_dwarf_in in = fl_dwarf_in_at(packed, 0, elf->is_big);
    uint64_t kind = fl_dwarf_uint(&in, 4), size;
    fl_dwarf_skip(&in, elf->is_64 ? 4 : 0);
    size = fl_dwarf_uint(&in, elf->is_64 ? 8 : 4);
    (void)fl_dwarf_uint(&in, elf->is_64 ? 8 : 4);
    if (in.is_short)
        return (fl_slice){0};
    fl_slice body = fl_slice_part(packed, in.at, packed.len);
    uint64_t ratio = kind == KIND_ZSTD ? ZSTD_MAX_RATIO : DEFLATE_MAX_RATIO;
    if (size == 0 || size > FL_MAX_SYMBOL_BYTES || size / ratio > body.len)
        return (fl_slice){0};
    unsigned char *room = fl_arena_bytes(arena, (size_t)size);
    bool is_good = false;
    if (room != NULL && kind == KIND_ZLIB) {
        struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
        is_good = inflater != NULL &&
                  libdeflate_zlib_decompress(inflater, body.ptr, body.len, room, (size_t)size,
                                             NULL) == LIBDEFLATE_SUCCESS;
        libdeflate_free_decompressor(inflater);
    } else if (room != NULL && kind == KIND_ZSTD)
        is_good = ZSTD_decompress(room, (size_t)size, body.ptr, body.len) == (size_t)size;
    return is_good ? (fl_slice){.ptr = room, .len = (size_t)size} : (fl_slice){0};
}

/* A section that is missing or damaged is empty. */
static fl_slice load_section(const fl_dwarf *d, const char *name)
{
    enum { COMPRESSED = 0x800 };
    const fl_elf_section *section = fl_elf_find(d->elf, name);
    fl_bin bytes;
    if (section == NULL || fl_elf_section_bytes(&bytes, d->elf, section, NULL) != FL_OK)
        return (fl_slice){0};
    return (section->flags & COMPRESSED) != 0 ? inflate(d->elf, bytes.bytes, d->arena)
                                              : bytes.bytes;
}

/* ---- units ---- */

/* Its header; false where it is odd. Kinds of DWARF 5 that hold no functions have no abbrevs. */
static bool read_unit_header(fl_dwarf_unit_form *out, const fl_dwarf *d, uint64_t at,
                             bool *has_code)
{
    enum { KIND_COMPILE = 1, KIND_PARTIAL = 3 };
    fl_dwarf_in in = fl_dwarf_in_at(d->sections.of[FL_DWARF_INFO], at, d->sections.is_big);
    uint64_t length = fl_dwarf_uint(&in, 4);
    *out = (fl_dwarf_unit_form){.begin = at, .offset_bytes = length == UINT32_MAX ? 8 : 4};
    if (length == UINT32_MAX)
        length = fl_dwarf_uint(&in, 8);
    if (in.is_short || length > in.bytes.len - in.at || length == 0)
        return false;
    out->end = in.at + length;
    in.bytes.len = (size_t)out->end;
    out->version = (unsigned)fl_dwarf_uint(&in, 2);
    uint64_t kind = out->version >= 5 ? fl_dwarf_uint(&in, 1) : KIND_COMPILE;
    if (out->version >= 5)
        out->address_bytes = (unsigned)fl_dwarf_uint(&in, 1);
    out->abbrev = fl_dwarf_uint(&in, out->offset_bytes);
    if (out->version < 5)
        out->address_bytes = (unsigned)fl_dwarf_uint(&in, 1);
    out->first = in.at;
    *has_code = !in.is_short && out->version >= 2 && out->version <= 5 &&
                (out->address_bytes == 4 || out->address_bytes == 8) &&
                out->end - out->begin <= UINT32_MAX && kind >= KIND_COMPILE &&
                kind <= KIND_PARTIAL && kind != 2;
    return true;
}

/* The first entry: where the code is, and the bases of what else is read. */
static bool read_root(unit *u, fl_dwarf_die *die, const fl_dwarf *d,
                      const fl_dwarf_abbrevs *abbrevs)
{
    fl_slice bytes = fl_slice_part(d->sections.of[FL_DWARF_INFO], 0, (size_t)u->form.end);
    const fl_dwarf_in start = fl_dwarf_in_at(bytes, u->form.first, d->sections.is_big);
    fl_dwarf_in in = start;
    const fl_dwarf_abbrev *abbrev = fl_dwarf_abbrev_of(abbrevs, fl_dwarf_number(&in));
    if (abbrev == NULL || !fl_dwarf_take_die(die, &in, &d->sections, &u->form, abbrevs, abbrev))
        return false;
    u->form.str_offsets_base = die->str_offsets_base.number;
    u->form.addr_base = die->addr_base.number;
    u->form.rnglists_base = die->rnglists_base.number;
    in = start; /* again, with the bases */
    (void)fl_dwarf_number(&in);
    if (!fl_dwarf_take_die(die, &in, &d->sections, &u->form, abbrevs, abbrev))
        return false;
    u->form.low = die->low.number;
    u->line_table = die->line_table.form != 0 ? die->line_table.number : UINT64_MAX;
    u->directory = die->directory.text;
    return abbrev->tag == TAG_COMPILE_UNIT;
}

/* Its ranges go to where addresses are looked up; *steps counts those over the lists of all. */
static bool take_unit_ranges(rows *ranges, unit *u, const fl_dwarf *d, const fl_dwarf_die *root,
                             uint32_t number, uint64_t *steps)
{
    fl_dwarf_walk walk = {0};
    fl_dwarf_range range;
    u->base = UINT64_MAX;
    while (fl_dwarf_next_range(&range, &walk, &d->sections, &u->form, root)) {
        if (range.low == 0)
            continue;
        unit_range *row = add_row(ranges, sizeof(*row));
        if (row == NULL)
            return false;
        *row = (unit_range){.low = range.low, .high = range.high, .unit = number};
        u->base = range.low < u->base ? range.low : u->base;
    }
    *steps += walk.steps;
    return *steps <= MAX_RANGE_STEPS;
}

/* What units are looked up by. */
static uint64_t by_low(const void *row)
{
    return ((const unit_range *)row)->low;
}

/* Ranges of two units at one address are told by the first, whatever the order of the file. */
static int compare_ranges(const void *a, const void *b)
{
    const unit_range *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

/* All units, as far as their headers hold. */
static void scan_units(fl_dwarf *d)
{
    static const fl_row_order order = {.numbers = {by_low}, .compare = compare_ranges};
    uint64_t size = d->sections.of[FL_DWARF_INFO].len, steps = 0;
    uint64_t left = MAX_SHARES * (size + d->sections.of[FL_DWARF_ABBREV].len);
    fl_arena scratch = fl_arena_of(FL_MAX_SYMBOL_BYTES);
    rows units = {0}, ranges = {0};
    bool has_code, is_good = true;
    fl_dwarf_unit_form form;
    for (uint64_t at = 0; at < size && is_good && units.count < MAX_UNITS; at = form.end) {
        fl_dwarf_abbrevs abbrevs;
        fl_dwarf_die root;
        if (!read_unit_header(&form, d, at, &has_code))
            break;
        if (!has_code)
            continue;
        unit *u = add_row(&units, sizeof(*u));
        if (u == NULL)
            break;
        *u = (unit){.form = form, .line_table = UINT64_MAX};
        fl_arena_reset(&scratch);
        bool has_kinds = fl_dwarf_read_abbrevs(&abbrevs, &d->sections, &form, &scratch);
        if (abbrevs.bytes > left)
            break;
        left -= abbrevs.bytes;
        if (has_kinds && read_root(u, &root, d, &abbrevs))
            is_good = take_unit_ranges(&ranges, u, d, &root, (uint32_t)units.count - 1, &steps);
    }
    fl_arena_dispose(&scratch);
    if (ranges.count > 0)
        fl_sort_rows(ranges.ptr, ranges.count, sizeof(unit_range), &order);
    d->units = keep_rows(d->arena, &units, sizeof(unit));
    d->unit_count = d->units != NULL ? units.count : 0;
    d->ranges = keep_rows(d->arena, &ranges, sizeof(unit_range));
    d->range_count = d->ranges != NULL && d->units != NULL ? ranges.count : 0;
    fl_mem_free(units.ptr);
    fl_mem_free(ranges.ptr);
}

/* Once, whatever comes of it. */
static void load(fl_dwarf *d)
{
    static const char *const names[FL_DWARF_SECTIONS] = {
        ".debug_info",     ".debug_abbrev", ".debug_line", ".debug_str",        ".debug_line_str",
        ".debug_rnglists", ".debug_ranges", ".debug_addr", ".debug_str_offsets"};
    assert(!d->was_loaded);
    d->was_loaded = true;
    d->sections.is_big = d->elf->is_big;
    for (size_t i = 0; i < FL_DWARF_SECTIONS; i++)
        d->sections.of[i] = load_section(d, names[i]);
    scan_units(d);
}

/* ---- building a unit ---- */

typedef struct open_row {
    uint32_t row;
    unsigned depth;
} open_row;

/* What is known while the entries go by. */
typedef struct building {
    fl_dwarf *d;
    unit *u;
    fl_dwarf_in in;
    unsigned depth;
    rows scopes, entries, ranges;
    open_row open_scopes[MAX_DEPTH], open_entries[MAX_DEPTH];
    size_t open_scope_count, open_entry_count;
    uint64_t range_steps;
    bool failed;
} building;

typedef struct entry_range {
    uint32_t low, high, entry;
} entry_range;

/* What stands in front of a name, with "::". */
static bool is_scope(unsigned tag)
{
    return tag == TAG_NAMESPACE || tag == TAG_CLASS || tag == TAG_STRUCTURE || tag == TAG_UNION;
}

/* What stands at the depth that was left, or deeper, is closed. */
static void close_rows(building *b)
{
    scope *scopes = b->scopes.ptr;
    while (b->open_scope_count > 0 && b->open_scopes[b->open_scope_count - 1].depth >= b->depth) {
        scopes[b->open_scopes[--b->open_scope_count].row].end =
            (uint32_t)(b->in.at - b->u->form.begin);
    }
    while (b->open_entry_count > 0 && b->open_entries[b->open_entry_count - 1].depth >= b->depth)
        b->open_entry_count--;
}

/* Deeper than MAX_DEPTH names lose their outermost scopes, nothing else. */
static void take_scope(building *b, uint64_t at)
{
    if (b->open_scope_count == MAX_DEPTH)
        return;
    scope *row = add_row(&b->scopes, sizeof(*row));
    b->failed |= row == NULL;
    if (row == NULL)
        return;
    uint32_t place = (uint32_t)(at - b->u->form.begin);
    *row = (scope){.begin = place,
                   .end = UINT32_MAX, /* until it is closed */
                   .parent = b->open_scope_count > 0 ? b->open_scopes[b->open_scope_count - 1].row
                                                     : NONE};
    b->open_scopes[b->open_scope_count++] =
        (open_row){.row = (uint32_t)b->scopes.count - 1, .depth = b->depth};
}

/* Ranges of a function or an inlined call. One without any has no code here. */
static void take_entry(building *b, const fl_dwarf_die *die)
{
    fl_dwarf_walk walk = {0};
    fl_dwarf_range range;
    size_t before = b->ranges.count;
    uint64_t base = b->u->base;
    uint32_t number = (uint32_t)b->entries.count;
    while (fl_dwarf_next_range(&range, &walk, &b->d->sections, &b->u->form, die)) {
        if (range.low == 0 || range.low < base || range.high - base > UINT32_MAX)
            continue;
        entry_range *row = add_row(&b->ranges, sizeof(*row));
        b->failed |= row == NULL;
        if (row == NULL)
            return;
        *row = (entry_range){.low = (uint32_t)(range.low - base),
                             .high = (uint32_t)(range.high - base),
                             .entry = number};
    }
    b->range_steps += walk.steps;
    b->failed |= b->range_steps > MAX_RANGE_STEPS;
    if (b->ranges.count == before)
        return;
    entry *row = add_row(&b->entries, sizeof(*row));
    b->failed |= row == NULL;
    if (row == NULL)
        return;
    bool is_inlined = die->abbrev->tag == TAG_INLINED && b->open_entry_count > 0;
    *row = (entry){.at = (uint32_t)(die->at - b->u->form.begin),
                   .parent = is_inlined ? b->open_entries[b->open_entry_count - 1].row : NONE,
                   .call_file = (uint32_t)die->call_file.number,
                   .call_line = (uint32_t)die->call_line.number};
    if (die->abbrev->has_children && b->open_entry_count < MAX_DEPTH)
        b->open_entries[b->open_entry_count++] = (open_row){.row = number, .depth = b->depth};
}

/* One entry; false at the end or where the tree is damaged. */
static bool walk_die(building *b)
{
    fl_dwarf_die die;
    uint64_t at = b->in.at;
    uint64_t code = fl_dwarf_number(&b->in);
    if (b->in.is_short)
        return false;
    if (code == 0) {
        if (b->depth == 0)
            return false;
        b->depth--;
        close_rows(b);
        return b->depth > 0;
    }
    const fl_dwarf_abbrev *abbrev = fl_dwarf_abbrev_of(&b->u->abbrevs, code);
    if (abbrev == NULL)
        return false;
    if (abbrev->tag == TAG_SUBPROGRAM || abbrev->tag == TAG_INLINED) {
        if (!fl_dwarf_take_die(&die, &b->in, &b->d->sections, &b->u->form, &b->u->abbrevs, abbrev))
            return false;
        die.at = at;
        take_entry(b, &die);
    } else if (!fl_dwarf_skip_die(&b->in, &b->u->form, &b->u->abbrevs, abbrev))
        return false;
    if (is_scope(abbrev->tag) && abbrev->has_children)
        take_scope(b, at);
    b->depth += abbrev->has_children;
    return b->depth > 0 && !b->failed;
}

/* The outer before the inner: by begin, then the longer, then as they stand in the file. */
static uint64_t by_range(const void *row)
{
    return ((const entry_range *)row)->low;
}

static int compare_entry_ranges(const void *a, const void *b)
{
    const entry_range *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    if (x->high != y->high)
        return x->high > y->high ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* From here on, this entry; what would be empty is written over. */
static bool put_segment(rows *out, uint32_t low, uint32_t number)
{
    segment *last = out->count > 0 ? (segment *)out->ptr + (out->count - 1) : NULL;
    if (last == NULL || last->low != low) {
        last = add_row(out, sizeof(*last));
        if (last == NULL)
            return false;
    }
    *last = (segment){.low = low, .entry = number};
    return true;
}

/* Ranges that lie in each other, made flat. One that reaches beyond the one around it is cut. */
static bool flatten(rows *out, rows *ranges)
{
    static const fl_row_order order = {.numbers = {by_range}, .compare = compare_entry_ranges};
    rows open = {0};
    bool is_good = true;
    entry_range *all = ranges->ptr;
    if (ranges->count > 0)
        fl_sort_rows(all, ranges->count, sizeof(*all), &order);
    for (size_t i = 0; i <= ranges->count && is_good; i++) {
        uint64_t until = i < ranges->count ? all[i].low : UINT64_MAX;
        while (open.count > 0 && ((entry_range *)open.ptr)[open.count - 1].high <= until &&
               is_good) {
            uint32_t high = ((entry_range *)open.ptr)[--open.count].high;
            is_good = put_segment(
                out, high, open.count > 0 ? ((entry_range *)open.ptr)[open.count - 1].entry : NONE);
        }
        if (i == ranges->count || !is_good)
            break;
        entry_range *row = add_row(&open, sizeof(*row));
        is_good = row != NULL && put_segment(out, all[i].low, all[i].entry);
        if (!is_good)
            break;
        *row = all[i];
        if (open.count > 1 && row[-1].high < row->high)
            row->high = row[-1].high;
    }
    fl_mem_free(open.ptr);
    return is_good;
}

/* Kept only whole: half of a unit's functions would give wrong names for the rest. */
static void keep_unit(building *b)
{
    unit *u = b->u;
    rows segments = {0};
    fl_arena *arena = b->d->arena;
    if (!b->failed && flatten(&segments, &b->ranges)) {
        u->scopes = keep_rows(arena, &b->scopes, sizeof(scope));
        u->scope_count = u->scopes != NULL ? b->scopes.count : 0;
        u->entries = keep_rows(arena, &b->entries, sizeof(entry));
        u->entry_count = u->entries != NULL ? b->entries.count : 0;
        u->segments = keep_rows(arena, &segments, sizeof(segment));
        u->segment_count = u->segments != NULL && u->entries != NULL ? segments.count : 0;
    }
    fl_mem_free(segments.ptr);
}

/* Entries, scopes, ranges; lines only of a unit with code. */
static void build(fl_dwarf *d, unit *u)
{
    building b = {.d = d, .u = u};
    assert(!u->was_built);
    u->was_built = true;
    u->has_entries = fl_dwarf_read_abbrevs(&u->abbrevs, &d->sections, &u->form, d->arena);
    if (!u->has_entries)
        return;
    b.in = fl_dwarf_in_at(fl_slice_part(d->sections.of[FL_DWARF_INFO], 0, (size_t)u->form.end),
                          u->form.first, d->sections.is_big);
    while (walk_die(&b))
        continue;
    keep_unit(&b);
    fl_mem_free(b.scopes.ptr);
    fl_mem_free(b.entries.ptr);
    fl_mem_free(b.ranges.ptr);
    if (u->line_table != UINT64_MAX)
        fl_dwarf_read_lines(&u->lines, &d->sections, u->line_table, &u->form, u->directory,
                            d->arena);
}

/* ---- names ---- */

/* The unit of a place in .debug_info, built; NULL: none. */
static unit *unit_at(fl_dwarf *d, uint64_t at)
{
    size_t low = 0, high = d->unit_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->units[middle].form.begin <= at)
            low = middle + 1;
        else
            high = middle;
    }
    unit *u = low > 0 ? &d->units[low - 1] : NULL;
    if (u == NULL || at < u->form.first || at >= u->form.end)
        return NULL;
    if (!u->was_built)
        build(d, u);
    return u->has_entries ? u : NULL;
}

/* Any entry of a built unit by its place. */
static bool die_at(fl_dwarf_die *out, const fl_dwarf *d, const unit *u, uint64_t at)
{
    fl_dwarf_in in =
        fl_dwarf_in_at(fl_slice_part(d->sections.of[FL_DWARF_INFO], 0, (size_t)u->form.end), at,
                       d->sections.is_big);
    const fl_dwarf_abbrev *abbrev = fl_dwarf_abbrev_of(&u->abbrevs, fl_dwarf_number(&in));
    if (abbrev == NULL || !fl_dwarf_take_die(out, &in, &d->sections, &u->form, &u->abbrevs, abbrev))
        return false;
    out->at = at;
    return true;
}

/* The innermost scope around a place of the unit. */
static uint32_t scope_of(const unit *u, uint32_t place)
{
    size_t low = 0, high = u->scope_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (u->scopes[middle].begin < place)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t number = low > 0 ? (uint32_t)(low - 1) : NONE;
    while (number != NONE && u->scopes[number].end <= place)
        number = u->scopes[number].parent;
    return number;
}

/* "space::Class::name". */
static fl_slice qualified(fl_dwarf *d, const unit *u, const fl_dwarf_die *die)
{
    static const fl_slice unnamed = FL_SLICE_INIT("(anonymous)");
    fl_slice parts[MAX_SCOPES + 1] = {die->name.text};
    size_t count = 1, len = die->name.text.len, at = 0;
    fl_dwarf_die outer;
    uint32_t number = scope_of(u, (uint32_t)(die->at - u->form.begin));
    for (; number != NONE && count <= MAX_SCOPES; number = u->scopes[number].parent) {
        if (!die_at(&outer, d, u, u->form.begin + u->scopes[number].begin))
            break;
        parts[count] = outer.name.text.len > 0 ? outer.name.text : unnamed;
        len += parts[count++].len + 2;
    }
    if (count == 1)
        return parts[0];
    unsigned char *text = fl_arena_bytes(d->arena, len);
    if (text == NULL)
        return parts[0];
    for (size_t i = count; i > 0; i--) {
        memcpy(text + at, parts[i - 1].ptr, parts[i - 1].len);
        at += parts[i - 1].len;
        if (i > 1) {
            memcpy(text + at, "::", 2);
            at += 2;
        }
    }
    assert(at == len);
    return (fl_slice){.ptr = text, .len = len};
}

/* By what the entry refers to, until one has a name. */
static fl_slice name_of(fl_dwarf *d, uint64_t at)
{
    fl_slice linkage = {0};
    fl_dwarf_die die;
    for (int hop = 0; hop < MAX_HOPS; hop++) {
        const unit *u = unit_at(d, at);
        if (u == NULL || !die_at(&die, d, u, at))
            break;
        if (linkage.len == 0)
            linkage = die.linkage.text;
        if (die.specification.form == 0 && die.origin.form == 0 && die.name.text.len > 0)
            return qualified(d, u, &die);
        if (die.specification.form == 0 && die.origin.form == 0)
            break;
        at = die.specification.form != 0 ? die.specification.number : die.origin.number;
    }
    return linkage;
}

/* ---- questions ---- */

/* The unit of an address, built; NULL: none. */
static unit *unit_of_address(fl_dwarf *d, uint64_t address)
{
    size_t low = 0, high = d->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->ranges[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || address >= d->ranges[low - 1].high)
        return NULL;
    unit *u = &d->units[d->ranges[low - 1].unit];
    if (!u->was_built)
        build(d, u);
    return u;
}

/* The innermost entry at an address of the unit; NONE: no function. */
static uint32_t entry_of(const unit *u, uint64_t address)
{
    uint64_t place = address - u->base;
    size_t low = 0, high = u->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (u->segments[middle].low <= place)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? u->segments[low - 1].entry : NONE;
}

/* The line of the innermost is the line table's; each outer one's is where it called. */
size_t fl_dwarf_find(fl_dwarf *d, uint64_t address, fl_symbol out[FL_MAX_INLINED])
{
    size_t count = 0;
    assert(d != NULL && out != NULL);
    if (!d->was_loaded)
        load(d);
    unit *u = unit_of_address(d, address);
    uint32_t number = u != NULL ? entry_of(u, address) : NONE;
    if (number == NONE)
        return 0;
    const fl_dwarf_row *row = fl_dwarf_row_of(&u->lines, address);
    uint64_t file = row != NULL ? row->file : UINT64_MAX;
    uint32_t line = row != NULL ? row->line : 0;
    for (; number != NONE && count < FL_MAX_INLINED; number = u->entries[number].parent) {
        entry *e = &u->entries[number];
        assert(number < u->entry_count && (e->parent == NONE || e->parent < number));
        if (e->name.ptr == NULL)
            e->name = name_of(d, u->form.begin + e->at);
        out[count++] = (fl_symbol){.function = e->name,
                                   .file = fl_dwarf_file_path(&u->lines, file, d->arena),
                                   .line = line};
        file = e->call_file;
        line = e->call_line;
    }
    return count;
}
