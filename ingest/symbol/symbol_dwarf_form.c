/*
 * symbol_dwarf_form.c - numbers and attributes of DWARF, and lists of ranges.
 *
 *   abbrev      code, tag (LEB128), children u8, then (name, form) pairs up to (0, 0); the table
 *               ends with the code 0
 *   entry       code, then one value for each pair; the code 0 ends the children of an entry
 *   rnglists    kind u8, then its numbers; 0 ends the list
 *   ranges      before DWARF 5: pairs of addresses, (0, 0) ends, (-1, x) is a new base
 *
 * (DWARF 5, 7.5 and 7.25; 2.17.3 of DWARF 4.) Forms of split and supplementary files are stepped
 * over: such names stay unknown.
 *
 * Cost: entries may share a text, a list or a kind without any bytes of their own, so each of these
 * has a limit: a small file is not made to be read for long.
 */
#include <assert.h>
#include <string.h>

#include "symbol_dwarf_priv.h"

enum form {
    FORM_ADDR = 1,
    FORM_BLOCK2 = 3,
    FORM_BLOCK4,
    FORM_DATA2,
    FORM_DATA4,
    FORM_DATA8,
    FORM_STRING,
    FORM_BLOCK,
    FORM_BLOCK1,
    FORM_DATA1,
    FORM_FLAG,
    FORM_SDATA,
    FORM_STRP,
    FORM_UDATA,
    FORM_REF_ADDR,
    FORM_REF1,
    FORM_REF2,
    FORM_REF4,
    FORM_REF8,
    FORM_REF_UDATA,
    FORM_INDIRECT,
    FORM_SEC_OFFSET,
    FORM_EXPRLOC,
    FORM_FLAG_PRESENT,
    FORM_STRX,
    FORM_ADDRX,
    FORM_REF_SUP4,
    FORM_STRP_SUP,
    FORM_DATA16,
    FORM_LINE_STRP,
    FORM_REF_SIG8,
    FORM_IMPLICIT_CONST,
    FORM_LOCLISTX,
    FORM_RNGLISTX,
    FORM_REF_SUP8,
    FORM_STRX1,
    FORM_STRX2,
    FORM_STRX3,
    FORM_STRX4,
    FORM_ADDRX1,
    FORM_ADDRX2,
    FORM_ADDRX3,
    FORM_ADDRX4,
    FORM_GNU_REF_ALT = 0x1f20,
    FORM_GNU_STRP_ALT
};

enum {
    MAX_ABBREVS = 1 << 20,
    MAX_ATTRS = 256, /* of one kind: DWARF 5 names some 140, each at most once */
    MAX_FIXED_BYTES = 1 << 16,
    MAX_TEXT_BYTES = 1 << 16 /* of a name: longer ones are not told */
};

/* ---- numbers ---- */

fl_dwarf_in fl_dwarf_in_at(fl_slice bytes, uint64_t at, bool is_big)
{
    return (fl_dwarf_in){.bytes = bytes,
                         .at = at <= bytes.len ? (size_t)at : bytes.len,
                         .is_big = is_big,
                         .is_short = at > bytes.len};
}

/* A read that is too long leaves nothing to read: what follows is short, too. */
uint64_t fl_dwarf_uint(fl_dwarf_in *in, unsigned width)
{
    assert(width >= 1 && width <= 8);
    if (width > in->bytes.len - in->at) {
        in->at = in->bytes.len;
        in->is_short = true;
        return 0;
    }
    const unsigned char *p = in->bytes.ptr + in->at;
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)p[i] << 8 * (in->is_big ? width - 1 - i : i);
    in->at += width;
    return value;
}

/* The sign is the highest bit of the last byte's seven. */
int64_t fl_dwarf_signed(fl_dwarf_in *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; in->at < in->bytes.len;) {
        unsigned char byte = in->bytes.ptr[in->at++];
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) == 0) {
            if (shift < 64 && (byte & 0x40) != 0)
                value |= UINT64_MAX << shift;
            return (int64_t)value;
        }
    }
    in->is_short = true;
    return 0;
}

void fl_dwarf_skip(fl_dwarf_in *in, uint64_t len)
{
    uint64_t left = in->bytes.len - in->at;
    in->is_short |= len > left;
    in->at += (size_t)(len < left ? len : left);
}

fl_slice fl_dwarf_text(fl_dwarf_in *in)
{
    fl_slice rest = {0};
    if (in->at < in->bytes.len)
        rest = fl_slice_part(in->bytes, in->at, in->bytes.len);
    const unsigned char *end = rest.len > 0 ? memchr(rest.ptr, '\0', rest.len) : NULL;
    if (end == NULL) {
        in->at = in->bytes.len;
        in->is_short = true;
        return (fl_slice){0};
    }
    rest.len = (size_t)(end - rest.ptr);
    in->at += rest.len + 1;
    return rest;
}

/* A text of another section. */
static fl_slice text_at(const fl_dwarf_sections *sections, unsigned section, uint64_t at)
{
    fl_dwarf_in in = fl_dwarf_in_at(sections->of[section], at, false);
    if (in.bytes.len - in.at > MAX_TEXT_BYTES)
        in.bytes.len = in.at + MAX_TEXT_BYTES;
    return in.is_short ? (fl_slice){0} : fl_dwarf_text(&in);
}

/* Item `index` of a table of numbers. */
static uint64_t item_at(const fl_dwarf_sections *sections, unsigned section, uint64_t base,
                        uint64_t index, unsigned width)
{
    if (base > UINT32_MAX || index > UINT32_MAX)
        return 0;
    fl_dwarf_in in = fl_dwarf_in_at(sections->of[section], base + index * width, sections->is_big);
    return fl_dwarf_uint(&in, width);
}

/* ---- forms ---- */

/* Bytes of forms that are always as long, and of those that the unit's header makes so. */
enum { SIZE_VARIES, SIZE_NOTHING = 32, SIZE_ADDRESS, SIZE_OFFSET, SIZE_REFERENCE };
static const unsigned char SIZES[] = {
    [FORM_FLAG_PRESENT] = SIZE_NOTHING,
    [FORM_IMPLICIT_CONST] = SIZE_NOTHING, /* it stands with the kind of entry */
    [FORM_DATA1] = 1,
    [FORM_FLAG] = 1,
    [FORM_REF1] = 1,
    [FORM_STRX1] = 1,
    [FORM_ADDRX1] = 1,
    [FORM_DATA2] = 2,
    [FORM_REF2] = 2,
    [FORM_STRX2] = 2,
    [FORM_ADDRX2] = 2,
    [FORM_STRX3] = 3,
    [FORM_ADDRX3] = 3,
    [FORM_DATA4] = 4,
    [FORM_REF4] = 4,
    [FORM_REF_SUP4] = 4,
    [FORM_STRX4] = 4,
    [FORM_ADDRX4] = 4,
    [FORM_DATA8] = 8,
    [FORM_REF8] = 8,
    [FORM_REF_SIG8] = 8,
    [FORM_REF_SUP8] = 8,
    [FORM_DATA16] = 16,
    [FORM_ADDR] = SIZE_ADDRESS,
    [FORM_REF_ADDR] = SIZE_REFERENCE,
    [FORM_STRP] = SIZE_OFFSET,
    [FORM_LINE_STRP] = SIZE_OFFSET,
    [FORM_SEC_OFFSET] = SIZE_OFFSET,
    [FORM_STRP_SUP] = SIZE_OFFSET,
};

/* UINT32_MAX: it depends on the entry, or the form is not known. */
static uint32_t fixed_bytes(unsigned kind, const fl_dwarf_unit_form *form)
{
    if (kind == FORM_GNU_REF_ALT || kind == FORM_GNU_STRP_ALT)
        return form->offset_bytes;
    unsigned size = kind < sizeof(SIZES) ? SIZES[kind] : SIZE_VARIES;
    switch (size) {
    case SIZE_VARIES:
        return UINT32_MAX;
    case SIZE_NOTHING:
        return 0;
    case SIZE_ADDRESS:
        return form->address_bytes;
    case SIZE_OFFSET:
        return form->offset_bytes;
    case SIZE_REFERENCE: /* DWARF 2 has addresses there */
        return form->version <= 2 ? form->address_bytes : form->offset_bytes;
    default:
        return size;
    }
}

/* Forms of which the length stands in the entry; false: the form is not known. */
static bool take_variable(fl_dwarf_value *out, fl_dwarf_in *in, unsigned kind)
{
    switch (kind) {
    case FORM_STRING:
        out->text = fl_dwarf_text(in);
        return true;
    case FORM_SDATA:
        out->number = (uint64_t)fl_dwarf_signed(in);
        return true;
    case FORM_UDATA:
    case FORM_REF_UDATA:
    case FORM_STRX:
    case FORM_ADDRX:
    case FORM_LOCLISTX:
    case FORM_RNGLISTX:
        out->number = fl_dwarf_number(in);
        return true;
    case FORM_BLOCK:
    case FORM_EXPRLOC:
        fl_dwarf_skip(in, fl_dwarf_number(in));
        return true;
    case FORM_BLOCK1:
        fl_dwarf_skip(in, fl_dwarf_uint(in, 1));
        return true;
    case FORM_BLOCK2:
        fl_dwarf_skip(in, fl_dwarf_uint(in, 2));
        return true;
    case FORM_BLOCK4:
        fl_dwarf_skip(in, fl_dwarf_uint(in, 4));
        return true;
    default:
        return false;
    }
}

/* Places and indexes to what stands there. */
static void resolve(fl_dwarf_value *out, const fl_dwarf_sections *sections,
                    const fl_dwarf_unit_form *form)
{
    switch (out->form) {
    case FORM_STRP:
        out->text = text_at(sections, FL_DWARF_STR, out->number);
        return;
    case FORM_LINE_STRP:
        out->text = text_at(sections, FL_DWARF_LINE_STR, out->number);
        return;
    case FORM_STRX:
    case FORM_STRX1:
    case FORM_STRX2:
    case FORM_STRX3:
    case FORM_STRX4:
        out->text = text_at(sections, FL_DWARF_STR,
                            item_at(sections, FL_DWARF_STR_OFFSETS, form->str_offsets_base,
                                    out->number, form->offset_bytes));
        return;
    case FORM_ADDRX:
    case FORM_ADDRX1:
    case FORM_ADDRX2:
    case FORM_ADDRX3:
    case FORM_ADDRX4:
        out->number =
            item_at(sections, FL_DWARF_ADDR, form->addr_base, out->number, form->address_bytes);
        out->form = FORM_ADDR;
        return;
    case FORM_REF1:
    case FORM_REF2:
    case FORM_REF4:
    case FORM_REF8:
    case FORM_REF_UDATA: /* counted from the unit */
        out->number += form->begin;
        out->form = FORM_REF_ADDR;
        return;
    case FORM_REF_SIG8:
    case FORM_REF_SUP4:
    case FORM_REF_SUP8:
    case FORM_GNU_REF_ALT: /* of another file or by a signature: no place in this one */
        out->form = 0;
        return;
    default:
        return;
    }
}

/* Without sections nothing is looked up: the value is stepped over. */
bool fl_dwarf_take_value(fl_dwarf_value *out, fl_dwarf_in *in, const fl_dwarf_sections *sections,
                         const fl_dwarf_unit_form *form, unsigned kind, int64_t implicit)
{
    *out = (fl_dwarf_value){.number = (uint64_t)implicit};
    if (kind == FORM_INDIRECT)
        kind = (unsigned)(fl_dwarf_number(in) & UINT16_MAX);
    out->form = (uint16_t)kind;
    uint32_t bytes = fixed_bytes(kind, form);
    if (kind == FORM_FLAG_PRESENT)
        out->number = 1;
    else if (bytes > 0 && bytes <= 8)
        out->number = fl_dwarf_uint(in, bytes);
    else if (bytes == 16)
        fl_dwarf_skip(in, bytes);
    else if (bytes == UINT32_MAX && !take_variable(out, in, kind))
        return false;
    if (sections != NULL)
        resolve(out, sections, form);
    return !in->is_short;
}

/* ---- entries ---- */

/* An attribute that nobody asks for. */
static bool skip_form(fl_dwarf_in *in, const fl_dwarf_unit_form *form, const fl_dwarf_attr *attr)
{
    fl_dwarf_value value;
    return fl_dwarf_take_value(&value, in, NULL, form, attr->form, 0);
}

/* Most kinds of entries are of one length: one addition then. */
bool fl_dwarf_skip_die(fl_dwarf_in *in, const fl_dwarf_unit_form *form,
                       const fl_dwarf_abbrevs *abbrevs, const fl_dwarf_abbrev *abbrev)
{
    if (abbrev->fixed_bytes != UINT32_MAX) {
        fl_dwarf_skip(in, abbrev->fixed_bytes);
        return !in->is_short;
    }
    for (uint32_t i = 0; i < abbrev->count; i++) {
        const fl_dwarf_attr *attr = &abbrevs->attrs[abbrev->first + i];
        uint32_t bytes = fixed_bytes(attr->form, form);
        if (bytes != UINT32_MAX)
            fl_dwarf_skip(in, bytes);
        else if (!skip_form(in, form, attr))
            return false;
    }
    return !in->is_short;
}

/* Where a value goes; NULL: nobody asks for it. (DWARF 5, table 7.5.) */
static fl_dwarf_value *place_of(fl_dwarf_die *die, unsigned name)
{
    switch (name) {
    case 0x03:
        return &die->name;
    case 0x10:
        return &die->line_table;
    case 0x11:
        return &die->low;
    case 0x12:
        return &die->high;
    case 0x1b:
        return &die->directory;
    case 0x31:
        return &die->origin;
    case 0x47:
        return &die->specification;
    case 0x55:
        return &die->ranges;
    case 0x58:
        return &die->call_file;
    case 0x59:
        return &die->call_line;
    case 0x6e:
    case 0x2007: /* of before DWARF 4 */
        return &die->linkage;
    case 0x72:
        return &die->str_offsets_base;
    case 0x73:
        return &die->addr_base;
    case 0x74:
        return &die->rnglists_base;
    default:
        return NULL;
    }
}

/* All attributes are walked, since the next entry begins behind them. */
bool fl_dwarf_take_die(fl_dwarf_die *out, fl_dwarf_in *in, const fl_dwarf_sections *sections,
                       const fl_dwarf_unit_form *form, const fl_dwarf_abbrevs *abbrevs,
                       const fl_dwarf_abbrev *abbrev)
{
    *out = (fl_dwarf_die){.abbrev = abbrev};
    for (uint32_t i = 0; i < abbrev->count; i++) {
        const fl_dwarf_attr *attr = &abbrevs->attrs[abbrev->first + i];
        fl_dwarf_value *value = place_of(out, attr->name);
        bool is_good = value == NULL ? skip_form(in, form, attr)
                                     : fl_dwarf_take_value(value, in, sections, form, attr->form,
                                                           attr->implicit);
        if (!is_good)
            return false;
    }
    return true;
}

/* One kind; false at the end of the table. */
static bool take_abbrev(fl_dwarf_abbrev *out, fl_dwarf_in *in, const fl_dwarf_unit_form *form,
                        fl_dwarf_attr *attrs, size_t *attr_count)
{
    *out = (fl_dwarf_abbrev){.code = fl_dwarf_number(in), .first = (uint32_t)*attr_count};
    if (out->code == 0)
        return false;
    out->tag = (uint16_t)fl_dwarf_number(in);
    out->has_children = fl_dwarf_uint(in, 1) != 0;
    for (;;) {
        uint64_t name = fl_dwarf_number(in), kind = fl_dwarf_number(in);
        int64_t implicit = kind == FORM_IMPLICIT_CONST ? fl_dwarf_signed(in) : 0;
        if (in->is_short || (name == 0 && kind == 0))
            break;
        if (out->count == MAX_ATTRS) {
            in->is_short = true; /* no table at all */
            break;
        }
        uint32_t bytes = fixed_bytes((unsigned)(kind & UINT16_MAX), form);
        out->fixed_bytes = bytes == UINT32_MAX || out->fixed_bytes > MAX_FIXED_BYTES
                               ? UINT32_MAX
                               : out->fixed_bytes + bytes;
        if (attrs != NULL)
            attrs[*attr_count] = (fl_dwarf_attr){
                .name = (uint16_t)name, .form = (uint16_t)kind, .implicit = implicit};
        (*attr_count)++;
        out->count++;
    }
    return !in->is_short;
}

/* Twice over the table: how much there is, then into rows of just that length. */
bool fl_dwarf_read_abbrevs(fl_dwarf_abbrevs *out, const fl_dwarf_sections *sections,
                           const fl_dwarf_unit_form *form, fl_arena *arena)
{
    const fl_dwarf_in start =
        fl_dwarf_in_at(sections->of[FL_DWARF_ABBREV], form->abbrev, sections->is_big);
    fl_dwarf_in in = start;
    fl_dwarf_abbrev row;
    size_t attr_count = 0, count = 0;
    *out = (fl_dwarf_abbrevs){0};
    while (count < MAX_ABBREVS && take_abbrev(&row, &in, form, NULL, &attr_count))
        count++;
    out->bytes = in.at - start.at;
    fl_dwarf_abbrev *rows = fl_arena_alloc(arena, count + 1, sizeof(*rows));
    fl_dwarf_attr *attrs = fl_arena_alloc(arena, attr_count + 1, sizeof(*attrs));
    if (rows == NULL || attrs == NULL || in.is_short)
        return false;
    in = start;
    attr_count = 0;
    for (size_t i = 0; i < count; i++) {
        (void)take_abbrev(&rows[i], &in, form, attrs, &attr_count);
        if (i > 0 && rows[i].code <= rows[i - 1].code)
            return false;
    }
    out->rows = rows;
    out->count = count;
    out->attrs = attrs;
    return true;
}

/* Codes are mostly 1, 2, 3 ... */
const fl_dwarf_abbrev *fl_dwarf_abbrev_of(const fl_dwarf_abbrevs *abbrevs, uint64_t code)
{
    size_t low = 0, high = abbrevs->count;
    if (code >= 1 && code <= high && abbrevs->rows[code - 1].code == code)
        return &abbrevs->rows[code - 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (abbrevs->rows[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < abbrevs->count && abbrevs->rows[low].code == code ? &abbrevs->rows[low] : NULL;
}

/* ---- ranges ---- */

enum {
    RANGE_END,
    RANGE_BASEX,
    RANGE_STARTX_ENDX,
    RANGE_STARTX_LENGTH,
    RANGE_OFFSET_PAIR,
    RANGE_BASE,
    RANGE_START_END,
    RANGE_START_LENGTH
};

/* A number of the unit's table of addresses. */
static uint64_t indexed(fl_dwarf_walk *walk, const fl_dwarf_sections *sections,
                        const fl_dwarf_unit_form *form)
{
    return item_at(sections, FL_DWARF_ADDR, form->addr_base, fl_dwarf_number(&walk->in),
                   form->address_bytes);
}

/* One entry of .debug_rnglists; false: the list ended. *is_range: not just a new base. */
static bool take_listed(fl_dwarf_range *out, fl_dwarf_walk *walk, bool *is_range,
                        const fl_dwarf_sections *sections, const fl_dwarf_unit_form *form)
{
    unsigned width = form->address_bytes;
    *is_range = true;
    switch (fl_dwarf_uint(&walk->in, 1)) {
    case RANGE_BASEX:
        walk->base = indexed(walk, sections, form);
        *is_range = false;
        return true;
    case RANGE_BASE:
        walk->base = fl_dwarf_uint(&walk->in, width);
        *is_range = false;
        return true;
    case RANGE_STARTX_ENDX:
        out->low = indexed(walk, sections, form);
        out->high = indexed(walk, sections, form);
        return true;
    case RANGE_STARTX_LENGTH:
        out->low = indexed(walk, sections, form);
        out->high = out->low + fl_dwarf_number(&walk->in);
        return true;
    case RANGE_OFFSET_PAIR:
        out->low = walk->base + fl_dwarf_number(&walk->in);
        out->high = walk->base + fl_dwarf_number(&walk->in);
        return true;
    case RANGE_START_END:
        out->low = fl_dwarf_uint(&walk->in, width);
        out->high = fl_dwarf_uint(&walk->in, width);
        return true;
    case RANGE_START_LENGTH:
        out->low = fl_dwarf_uint(&walk->in, width);
        out->high = out->low + fl_dwarf_number(&walk->in);
        return true;
    default: /* the end, or a kind that is not known */
        return false;
    }
}

/* One pair of .debug_ranges. */
static bool take_pair(fl_dwarf_range *out, fl_dwarf_walk *walk, bool *is_range, unsigned width)
{
    uint64_t first = fl_dwarf_uint(&walk->in, width), second = fl_dwarf_uint(&walk->in, width);
    uint64_t all = width == 8 ? UINT64_MAX : UINT32_MAX;
    *is_range = first != all;
    if (first == 0 && second == 0)
        return false;
    if (first == all)
        walk->base = second;
    *out = (fl_dwarf_range){.low = walk->base + first, .high = walk->base + second};
    return true;
}

/* Where an entry's list is. */
static void begin_list(fl_dwarf_walk *walk, const fl_dwarf_sections *sections,
                       const fl_dwarf_unit_form *form, const fl_dwarf_die *die)
{
    uint64_t at = die->ranges.number;
    walk->began = true;
    walk->base = form->low;
    if (die->ranges.form == FORM_RNGLISTX)
        at = form->rnglists_base +
             item_at(sections, FL_DWARF_RNGLISTS, form->rnglists_base, at, form->offset_bytes);
    walk->in =
        fl_dwarf_in_at(sections->of[form->version >= 5 ? FL_DWARF_RNGLISTS : FL_DWARF_RANGES], at,
                       sections->is_big);
}

/* An entry without a list has one range, whose end may be a length. */
bool fl_dwarf_next_range(fl_dwarf_range *out, fl_dwarf_walk *walk,
                         const fl_dwarf_sections *sections, const fl_dwarf_unit_form *form,
                         const fl_dwarf_die *die)
{
    if (walk->is_done)
        return false;
    if (die->ranges.form == 0) {
        walk->is_done = true;
        bool is_length = die->high.form != FORM_ADDR;
        *out = (fl_dwarf_range){.low = die->low.number,
                                .high = die->high.number + (is_length ? die->low.number : 0)};
        return die->low.form != 0 && die->high.form != 0 && out->high > out->low;
    }
    if (!walk->began)
        begin_list(walk, sections, form, die);
    for (bool is_range = false; walk->steps++ < FL_DWARF_MAX_RANGES;) {
        bool is_more = form->version >= 5 ? take_listed(out, walk, &is_range, sections, form)
                                          : take_pair(out, walk, &is_range, form->address_bytes);
        if (!is_more || walk->in.is_short)
            break;
        if (is_range && out->high > out->low)
            return true;
    }
    walk->is_done = true;
    return false;
}
