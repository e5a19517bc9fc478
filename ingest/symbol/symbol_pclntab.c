/*
 * symbol_pclntab.c - Go's table of functions, files and lines.
 *
 *   header    magic u32, 0, 0, quantum u8, pointer size u8, then words of that size:
 *             functions, files, [text start, since 1.18,] names, units, files, counters, functab
 *             (the last five are offsets from the header's begin)
 *   functab   for each function: entry, offset of its record from functab; then the end of the
 * last. Words before 1.18; since then 4 bytes each, the entry counted from the text's start record
 * entry (a word; since 1.18 4 bytes from the text's start), name i32, args, deferreturn, pcsp,
 * pcfile, pcln, npcdata u32, unit u32, [start line i32, since 1.20,] func id u8, flag u8, pad u8,
 * nfuncdata u8, npcdata x u32, nfuncdata x (u32; before 1.18 words, aligned) counter   pairs of
 * varints: value difference (zigzag; 0 ends), address difference in quanta; begins at value -1 and
 * the function's entry unit      u32 for each file number of a compilation unit: its offset in the
 * files, ~0 is none tree      of inlined calls, 1.20 on: func id u8, pad, name i32, parent address
 * i32, start line i32; before: parent i16, func id u8, pad, file i32, line i32, name i32, parent
 * address
 *
 * Magics: FFFFFFFA 1.16, FFFFFFF0 1.18, FFFFFFF1 1.20 and later; FFFFFFFB before 1.16 is not read.
 * Every place is checked where it is read, so that damage costs what it touches. Cost of an
 * address: a binary search, and three counters decoded up to it.
 */
#include <assert.h>
#include <string.h>

#include "slice.h"
#include "symbol_priv.h"

enum { PCDATA_TREE = 2, FUNCDATA_TREE = 3, HEADER_BYTES = 8 };

uint64_t fl_bin_uint(fl_bin *bin, uint64_t at, unsigned width)
{
    assert(width >= 1 && width <= 8);
    if (at > bin->bytes.len || width > bin->bytes.len - at) {
        bin->is_short = true;
        return 0;
    }
    const unsigned char *p = bin->bytes.ptr + at;
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)p[i] << 8 * (bin->is_big ? width - 1 - i : i);
    return value;
}

/* What is left where less than `len` is. */
fl_slice fl_bin_slice(const fl_bin *bin, uint64_t at, uint64_t len)
{
    if (at >= bin->bytes.len)
        return (fl_slice){0};
    uint64_t left = bin->bytes.len - at;
    return (fl_slice){.ptr = bin->bytes.ptr + at, .len = (size_t)(len < left ? len : left)};
}

fl_slice fl_bin_text(const fl_bin *bin, uint64_t at)
{
    fl_slice rest = fl_bin_slice(bin, at, UINT64_MAX);
    const unsigned char *end = rest.len > 0 ? memchr(rest.ptr, '\0', rest.len) : NULL;
    if (end == NULL)
        return (fl_slice){0};
    rest.len = (size_t)(end - rest.ptr);
    return rest;
}

/* The release that began a table's layout; 0: not known. */
static unsigned version_of(uint64_t magic)
{
    switch (magic) {
    case 0xfffffffa:
        return 16;
    case 0xfffffff0:
        return 18;
    case 0xfffffff1:
        return 20;
    default:
        return 0;
    }
}

/* One of the table's parts, from the offset in the header's word to the table's end. */
static fl_bin part_at(fl_bin *table, uint64_t word, unsigned width)
{
    uint64_t at = fl_bin_uint(table, HEADER_BYTES + word * width, width);
    if (at > table->bytes.len)
        table->is_short = true;
    return (fl_bin){.bytes = fl_bin_slice(table, at, UINT64_MAX), .is_big = table->is_big};
}

fl_status fl_pclntab_read(fl_pclntab *out, fl_slice bytes, bool is_big, uint64_t offset,
                          fl_error *err)
{
    fl_bin table = {.bytes = bytes, .is_big = is_big};
    uint64_t magic = fl_bin_uint(&table, 0, 4);
    *out = (fl_pclntab){.version = version_of(magic),
                        .quantum = (unsigned)fl_bin_uint(&table, 6, 1),
                        .pointer_size = (unsigned)fl_bin_uint(&table, 7, 1)};
    if (table.is_short)
        return fl_fail(err, FL_E_TRUNCATED, offset, "Go's function table ends in its header");
    if (out->version == 0)
        return fl_fail(err, FL_E_UNSUPPORTED, offset,
                       "Go's function table has the unknown magic %08x%s", (unsigned)magic,
                       magic == 0xfffffffb ? ", of before Go 1.16" : "");
    if ((out->pointer_size != 4 && out->pointer_size != 8) || out->quantum == 0 || out->quantum > 4)
        return fl_fail(err, FL_E_SYNTAX, offset + 6,
                       "Go's function table has pointers of %u bytes and steps of %u",
                       out->pointer_size, out->quantum);
    unsigned width = out->pointer_size, first = out->version == 16 ? 2 : 3;
    out->function_count = fl_bin_uint(&table, HEADER_BYTES, width);
    if (out->version != 16)
        out->text_start = fl_bin_uint(&table, HEADER_BYTES + 2 * width, width);
    out->name_at = fl_bin_uint(&table, HEADER_BYTES + first * width, width);
    out->names = part_at(&table, first, width);
    out->units = part_at(&table, first + 1, width);
    out->files = part_at(&table, first + 2, width);
    out->counters = part_at(&table, first + 3, width);
    out->functions = part_at(&table, first + 4, width);
    out->functab_entry = out->version == 16 ? width : 4;
    if (table.is_short)
        return fl_fail(err, FL_E_TRUNCATED, offset,
                       "a part of Go's function table lies outside of it");
    uint64_t room = out->functions.bytes.len / out->functab_entry;
    if (out->function_count == 0 || out->function_count > (room - (room > 0)) / 2)
        return fl_fail(err, FL_E_SYNTAX, offset + HEADER_BYTES,
                       "Go's function table tells of %llu functions, for which it has no room",
                       (unsigned long long)out->function_count);
    return FL_OK;
}

/* --- one function's record --- */

typedef struct go_record {
    uint64_t at, entry; /* entry: an address */
    uint64_t name, pcfile, pcln, npcdata, unit, start_line, nfuncdata;
    uint64_t data_at; /* of the first pcdata */
} go_record;

/* One more entry than functions: the end of the last one. */
static inline uint64_t entry_of(fl_pclntab *table, uint64_t index)
{
    assert(index <= table->function_count);
    fl_slice index_bytes = table->functions.bytes; /* whose size was checked with the header */
    if (table->version != 16 && !table->functions.is_big) {
        const unsigned char *p = index_bytes.ptr + index * 8;
        return table->text_start +
               (p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    }
    uint64_t entry = fl_bin_uint(&table->functions, index * 2 * table->functab_entry,
                                 (unsigned)table->functab_entry);
    return table->version == 16 ? entry : entry + table->text_start;
}

/* The function whose entry is the last at or before `address`; the count where there is none. */
static uint64_t find_function(fl_pclntab *table, uint64_t address)
{
    uint64_t low = 0, high = table->function_count;
    if (address < entry_of(table, 0) || address >= entry_of(table, high))
        return high;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (entry_of(table, middle) <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The fields that addresses need, wherever the layout has them. */
static bool read_record(go_record *out, fl_pclntab *table, uint64_t index)
{
    assert(index < table->function_count);
    fl_bin *in = &table->functions;
    unsigned width = (unsigned)table->functab_entry;
    in->is_short = false;
    out->at = fl_bin_uint(in, (index * 2 + 1) * width, width);
    out->entry = entry_of(table, index);
    uint64_t at = out->at + (table->version == 16 ? table->pointer_size : 4);
    out->name = fl_bin_uint(in, at, 4);
    out->pcfile = fl_bin_uint(in, at + 16, 4);
    out->pcln = fl_bin_uint(in, at + 20, 4);
    out->npcdata = fl_bin_uint(in, at + 24, 4);
    out->unit = fl_bin_uint(in, at + 28, 4);
    at += 32;
    out->start_line = table->version == 20 ? fl_bin_uint(in, at, 4) : 0;
    at += table->version == 20 ? 4 : 0;
    out->nfuncdata = fl_bin_uint(in, at + 3, 1);
    out->data_at = at + 4;
    return !in->is_short;
}

/* A varint of more than one byte, at most 5. Damage puts *at behind all bytes. */
static uint32_t read_long_varint(fl_slice bytes, size_t *at)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35 && *at < bytes.len; shift += 7) {
        uint32_t byte = bytes.ptr[(*at)++];
        value |= (byte & 0x7f) << (shift < 32 ? shift : 31);
        if ((byte & 0x80) == 0)
            return value;
    }
    *at = bytes.len + 1;
    return 0;
}

/* Nearly all are of one byte: this is where addresses take their time. */
static inline uint32_t read_varint(fl_slice bytes, size_t *at)
{
    if (*at < bytes.len && bytes.ptr[*at] < 0x80)
        return bytes.ptr[(*at)++];
    return read_long_varint(bytes, at);
}

/* The counter's value at `address`; -1 where there is none. */
static int64_t counter_at(const fl_pclntab *table, uint64_t counter, const go_record *record,
                          uint64_t address)
{
    fl_slice bytes = table->counters.bytes;
    uint64_t pc = record->entry;
    size_t at = (size_t)counter;
    int64_t value = -1;
    assert(table->quantum > 0);
    if (counter == 0 || counter >= bytes.len)
        return -1;
    for (bool is_first = true;; is_first = false) {
        uint32_t step = read_varint(bytes, &at);
        if (step == 0 && !is_first)
            return -1;
        value += (int64_t)(step >> 1) ^ -(int64_t)(step & 1);
        pc += (uint64_t)read_varint(bytes, &at) * table->quantum;
        if (at > bytes.len)
            return -1;
        if (address < pc)
            return value;
    }
}

/* Of a compilation unit's file number. */
static fl_slice file_of(fl_pclntab *table, uint64_t unit, int64_t number)
{
    if (number < 0)
        return (fl_slice){0};
    table->units.is_short = false;
    uint64_t at = fl_bin_uint(&table->units, (unit + (uint64_t)number) * 4, 4);
    if (table->units.is_short || at == UINT32_MAX)
        return (fl_slice){0};
    return fl_bin_text(&table->files, at);
}

/* The counter of places in the tree of inlined calls; 0 where the function has none. */
static uint64_t tree_counter(fl_pclntab *table, const go_record *record)
{
    if (record->npcdata <= PCDATA_TREE)
        return 0;
    return fl_bin_uint(&table->functions, record->data_at + PCDATA_TREE * 4, 4);
}

/* Where the tree begins in `trees`; false where there is none. */
static bool find_tree(uint64_t *out, fl_pclntab *table, const go_record *record)
{
    if (record->nfuncdata <= FUNCDATA_TREE || record->npcdata > UINT32_MAX / 4)
        return false;
    uint64_t at = record->data_at + record->npcdata * 4;
    fl_bin *in = &table->functions;
    in->is_short = false;
    if (table->version == 16) {
        uint64_t width = table->pointer_size;
        at = (at + width - 1) / width * width;
        uint64_t pointer = fl_bin_uint(in, at + FUNCDATA_TREE * width, (unsigned)width);
        *out = pointer - table->tree_base;
        return !in->is_short && pointer >= table->tree_base && pointer != 0;
    }
    *out = fl_bin_uint(in, at + FUNCDATA_TREE * 4, 4);
    return !in->is_short && *out != UINT32_MAX && table->tree_base != 0;
}

/* --- an address --- */

/* One step outwards in the tree, `place` to its caller's; false at damage. */
typedef struct go_walk {
    fl_pclntab *table;
    const go_record *record;
    uint64_t tree, counter;
    int64_t place; /* in the tree; below 0: the function itself */
    fl_slice file;
    int64_t line;
} go_walk;

/* Line and file at an address come from the counters. */
static void look_at(go_walk *walk, uint64_t address)
{
    const go_record *record = walk->record;
    walk->line = counter_at(walk->table, record->pcln, record, address);
    walk->file = file_of(walk->table, record->unit,
                         counter_at(walk->table, record->pcfile, record, address));
}

/* 1.20 on: the call's own address tells its line and, again, where it stands in the tree. */
static bool step_new(go_walk *walk, fl_symbol *out)
{
    assert(walk->place >= 0 && walk->table->version == 20);
    fl_bin *in = &walk->table->trees;
    uint64_t at = walk->tree + (uint64_t)walk->place * 16;
    in->is_short = false;
    uint64_t name = fl_bin_uint(in, at + 4, 4), parent = fl_bin_uint(in, at + 8, 4);
    out->start_line = (uint32_t)fl_bin_uint(in, at + 12, 4);
    if (in->is_short)
        return false;
    out->function = fl_bin_text(&walk->table->names, name);
    uint64_t call = walk->record->entry + parent;
    walk->place = counter_at(walk->table, walk->counter, walk->record, call);
    look_at(walk, call);
    return true;
}

/* Before: the tree itself holds the call's file and line, and its parent. */
static bool step_old(go_walk *walk, fl_symbol *out)
{
    assert(walk->place >= 0 && walk->table->version < 20);
    fl_bin *in = &walk->table->trees;
    uint64_t at = walk->tree + (uint64_t)walk->place * 20;
    in->is_short = false;
    int16_t parent = (int16_t)fl_bin_uint(in, at, 2);
    uint64_t file = fl_bin_uint(in, at + 4, 4), line = fl_bin_uint(in, at + 8, 4);
    uint64_t name = fl_bin_uint(in, at + 12, 4);
    if (in->is_short)
        return false;
    out->function = fl_bin_text(&walk->table->names, name);
    walk->place = parent;
    walk->line = (int64_t)line;
    walk->file = file_of(walk->table, walk->record->unit, (int64_t)file);
    return true;
}

/* A line that no source has is damage: not told. */
static void show_place(fl_symbol *out, const go_walk *walk)
{
    out->file = walk->file;
    out->line = walk->line > 0 && walk->line <= UINT32_MAX ? (uint32_t)walk->line : 0;
}

size_t fl_pclntab_find(const fl_pclntab *from, uint64_t address, fl_symbol out[FL_MAX_INLINED])
{
    fl_pclntab copy = *from, *table = &copy; /* reads mark their parts */
    go_record record;
    size_t count = 0;
    uint64_t index = find_function(table, address);
    if (index == table->function_count || !read_record(&record, table, index))
        return 0;
    go_walk walk = {.table = table, .record = &record, .place = -1};
    walk.counter = tree_counter(table, &record);
    if (walk.counter != 0 && find_tree(&walk.tree, table, &record))
        walk.place = counter_at(table, walk.counter, &record, address);
    look_at(&walk, address);
    while (walk.place >= 0 && count + 1 < FL_MAX_INLINED) {
        fl_symbol *symbol = &out[count];
        *symbol = (fl_symbol){0};
        show_place(symbol, &walk);
        if (!(table->version == 20 ? step_new(&walk, symbol) : step_old(&walk, symbol)))
            break;
        count++;
    }
    out[count] = (fl_symbol){.function = fl_bin_text(&table->names, record.name),
                             .start_line = (uint32_t)record.start_line};
    show_place(&out[count], &walk);
    return out[count].function.len > 0 ? count + 1 : 0;
}
