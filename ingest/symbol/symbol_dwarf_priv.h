/*
 * symbol_dwarf_priv.h - between the parts of DWARF: forms of attributes, entries of units, lines.
 */
#ifndef FL_SYMBOL_DWARF_PRIV_H
#define FL_SYMBOL_DWARF_PRIV_H

#include "slice.h"
#include "symbol_dwarf.h"

/* A bounded cursor in the file's byte order; a read past the end is 0, and sticky. */
typedef struct fl_dwarf_in {
    fl_slice bytes;
    size_t at; /* <= bytes.len */
    bool is_big, is_short;
} fl_dwarf_in;

fl_dwarf_in fl_dwarf_in_at(fl_slice bytes, uint64_t at, bool is_big);
uint64_t fl_dwarf_uint(fl_dwarf_in *in, unsigned width); /* 1 to 8 bytes */
int64_t fl_dwarf_signed(fl_dwarf_in *in);                /* LEB128 */
void fl_dwarf_skip(fl_dwarf_in *in, uint64_t len);
fl_slice fl_dwarf_text(fl_dwarf_in *in); /* up to its NUL, which is stepped over */

static inline uint64_t fl_dwarf_number(fl_dwarf_in *in) /* unsigned LEB128 */
{
    uint64_t value = 0;
    for (unsigned shift = 0; in->at < in->bytes.len; shift += 7) {
        unsigned char byte = in->bytes.ptr[in->at++];
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    in->is_short = true;
    return 0;
}

enum {
    FL_DWARF_INFO,
    FL_DWARF_ABBREV,
    FL_DWARF_LINE,
    FL_DWARF_STR,
    FL_DWARF_LINE_STR,
    FL_DWARF_RNGLISTS,
    FL_DWARF_RANGES,
    FL_DWARF_ADDR,
    FL_DWARF_STR_OFFSETS,
    FL_DWARF_SECTIONS
};

/* An attribute of a kind of entries. */
typedef struct fl_dwarf_attr {
    uint16_t name, form;
    int64_t implicit;
} fl_dwarf_attr;

/* A kind of entries. */
typedef struct fl_dwarf_abbrev {
    uint64_t code;
    uint32_t first, count; /* of its attributes */
    uint32_t fixed_bytes;  /* of all attributes; UINT32_MAX: depends on the entry */
    uint16_t tag;
    bool has_children;
} fl_dwarf_abbrev;

typedef struct fl_dwarf_abbrevs {
    const fl_dwarf_abbrev *rows; /* by code */
    size_t count;
    const fl_dwarf_attr *attrs;
    size_t bytes; /* of the table in the file, of one that is damaged what was read */
} fl_dwarf_abbrevs;

/* How the attributes of a unit are written. */
typedef struct fl_dwarf_unit_form {
    uint64_t begin; /* of the unit, in .debug_info */
    uint64_t end;
    uint64_t first; /* entry */
    uint64_t abbrev;
    unsigned version, address_bytes, offset_bytes;
    uint64_t low; /* the base of its ranges */
    uint64_t str_offsets_base, addr_base, rnglists_base;
} fl_dwarf_unit_form;

typedef struct fl_dwarf_value {
    uint64_t number; /* a number, a place in a section, or an address */
    fl_slice text;   /* of strings */
    uint16_t form;
} fl_dwarf_value;

/* What is read of an entry; forms of 0 are not there. */
typedef struct fl_dwarf_die {
    uint64_t at; /* in .debug_info */
    const fl_dwarf_abbrev *abbrev;
    fl_dwarf_value name, linkage, low, high, ranges, origin, specification;
    fl_dwarf_value call_file, call_line, line_table, directory;
    fl_dwarf_value str_offsets_base, addr_base, rnglists_base;
} fl_dwarf_die;

/* Sections as they are in memory, inflated. */
typedef struct fl_dwarf_sections {
    fl_slice of[FL_DWARF_SECTIONS];
    bool is_big;
} fl_dwarf_sections;

/* The table at a unit's place, into `arena`; false where it is damaged or codes do not rise: of
 * that only out->bytes is told. */
bool fl_dwarf_read_abbrevs(fl_dwarf_abbrevs *out, const fl_dwarf_sections *sections,
                           const fl_dwarf_unit_form *form, fl_arena *arena);
/* Steps over an entry whose code was read; false where a form is not known. */
bool fl_dwarf_skip_die(fl_dwarf_in *in, const fl_dwarf_unit_form *form,
                       const fl_dwarf_abbrevs *abbrevs, const fl_dwarf_abbrev *abbrev);
/* The same, and keeps what is asked for above. */
bool fl_dwarf_take_die(fl_dwarf_die *out, fl_dwarf_in *in, const fl_dwarf_sections *sections,
                       const fl_dwarf_unit_form *form, const fl_dwarf_abbrevs *abbrevs,
                       const fl_dwarf_abbrev *abbrev);
/* One value of a form, where the cursor stands. */
bool fl_dwarf_take_value(fl_dwarf_value *out, fl_dwarf_in *in, const fl_dwarf_sections *sections,
                         const fl_dwarf_unit_form *form, unsigned kind, int64_t implicit);
const fl_dwarf_abbrev *fl_dwarf_abbrev_of(const fl_dwarf_abbrevs *abbrevs, uint64_t code);

enum { FL_DWARF_MAX_RANGES = 1 << 16 };

typedef struct fl_dwarf_range {
    uint64_t low, high;
} fl_dwarf_range;

/* Ranges of an entry, one after the other: begin with *walk = {0}; false at the end. */
typedef struct fl_dwarf_walk {
    fl_dwarf_in in;
    uint64_t base;
    uint32_t steps; /* at most FL_DWARF_MAX_RANGES: lists may be shared */
    bool began, is_done;
} fl_dwarf_walk;
bool fl_dwarf_next_range(fl_dwarf_range *out, fl_dwarf_walk *walk,
                         const fl_dwarf_sections *sections, const fl_dwarf_unit_form *form,
                         const fl_dwarf_die *die);

/* The line table of a unit. */
typedef struct fl_dwarf_row {
    uint64_t address;
    uint32_t file, line; /* line 0: not told */
} fl_dwarf_row;

typedef struct fl_dwarf_file {
    fl_slice directory, name;
    fl_slice path; /* joined when it is asked for */
} fl_dwarf_file;

typedef struct fl_dwarf_lines {
    fl_dwarf_row *rows; /* by address; the end of a stretch has the line 0 */
    size_t row_count;
    fl_dwarf_file *files; /* by their number: from 0 in DWARF 5, else from 1 */
    size_t file_count;
} fl_dwarf_lines;

/* The table at `at`, into `arena`; what is damaged ends it. */
void fl_dwarf_read_lines(fl_dwarf_lines *out, const fl_dwarf_sections *sections, uint64_t at,
                         const fl_dwarf_unit_form *form, fl_slice directory, fl_arena *arena);
/* The row of an address, or NULL. */
const fl_dwarf_row *fl_dwarf_row_of(const fl_dwarf_lines *lines, uint64_t address);
/* "dir/name" of a file's number; empty where there is none. */
fl_slice fl_dwarf_file_path(fl_dwarf_lines *lines, uint64_t file, fl_arena *arena);

#endif
