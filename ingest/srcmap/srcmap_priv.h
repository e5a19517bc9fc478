/*
 * srcmap_priv.h - between the JSON of a map and the decoding of its mappings.
 */
#ifndef FL_SRCMAP_PRIV_H
#define FL_SRCMAP_PRIV_H

#include "arena.h"
#include "srcmap.h"

#define FL_SRCMAP_NONE UINT32_MAX

/* One segment; 20 bytes each, so that a map of a million takes 20 MB. */
typedef struct fl_srcseg {
    uint32_t column;                     /* in the generated line */
    uint32_t source;                     /* index, or FL_SRCMAP_NONE: code without a source */
    uint32_t source_line, source_column; /* both from 0 */
    uint32_t name;                       /* index, or FL_SRCMAP_NONE */
} fl_srcseg;

/*
 * Invariants: (1) the segments of line i are segments[lines[i] .. lines[i + 1]), the last line's up
 * to segment_count; (2) within a line columns rise; (3) sources and names are below their counts.
 */
struct fl_srcmap {
    fl_arena arena; /* texts */
    fl_srcseg *segments;
    size_t segment_count, segment_cap;
    uint32_t *lines;
    size_t line_count, line_cap;
    fl_slice *sources, *names;
    size_t source_count, source_cap, name_count, name_cap;
    fl_slice file;
};

/* What a map, or a section's map, adds its segments with. */
typedef struct fl_srcbase {
    uint32_t line, column;     /* where it begins in the generated code */
    size_t source_at, name_at; /* of its own sources and names among all */
    size_t source_count, name_count;
} fl_srcbase;

/* Decode mappings behind what is there. `offset` is where they stand in the JSON, for errors. */
FL_NODISCARD fl_status fl_srcmap_decode(fl_srcmap *map, fl_slice mappings, const fl_srcbase *base,
                                        uint64_t offset, fl_error *err);

#endif
