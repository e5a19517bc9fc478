/*
 * mapping_priv.h - between the reading of a mapping file and the questions to it.
 */
#ifndef FL_MAPPING_PRIV_H
#define FL_MAPPING_PRIV_H

#include "arena.h"
#include "intern.h"
#include "mapping.h"
#include "slice.h"

/* One line of a method. Lines are 0 where the file does not tell. */
typedef struct fl_mapping_member {
    fl_slice short_name;
    fl_slice class_name; /* where it was inlined from; empty: the class that it stands in */
    fl_slice method, arguments, returned;
    fl_slice signature;              /* R8: the short method's descriptor, where it was changed */
    uint32_t from, to;               /* in the short class */
    uint32_t source_from, source_to; /* source_to 0: only one number was given, a place of a call */
    bool is_synthesized;
    size_t position; /* in the file, among the members */
} fl_mapping_member;

typedef struct fl_mapping_entry {
    fl_slice class_name; /* empty: wanted, not found */
    fl_slice file;
    size_t first, count; /* of its members: by their short names, then as they stand in the file */
} fl_mapping_entry;

struct fl_mapping {
    fl_arena arena;
    fl_intern *wanted; /* short names; the entries are by its ids */
    fl_mapping_entry *entries;
    size_t entry_cap;
    fl_mapping_member *members;
    size_t member_count, member_cap;
    uint64_t class_count; /* of the whole file */
    uint64_t bad_lines, first_bad_line;
    bool was_read;
};

/* A method's line without its indent: "1:5:void a.b.c(int):3:4 -> d". False: none, such as that of
 * a field (*is_field), or odd. Slices point into the line. */
bool fl_mapping_parse_member(fl_mapping_member *out, fl_slice line, bool *is_field);
/* The entry of a short class that the file has, or NULL. */
const fl_mapping_entry *fl_mapping_entry_of(const fl_mapping *mapping, fl_slice short_name);

/* One type of a descriptor: "[Ljava/lang/String;" to its class ("java/lang/String", empty for
 * numbers), its letter and its dimensions. Steps over it; false at the end or where it is odd. */
typedef struct fl_mapping_type {
    char letter;
    fl_slice class_name; /* with '/' */
    unsigned dimensions;
} fl_mapping_type;
bool fl_mapping_take_type(fl_slice *in, fl_mapping_type *out);

#endif
