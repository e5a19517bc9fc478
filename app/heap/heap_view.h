/*
 * heap_view.h - a heap dump for a person to look at: what it is, and its classes.
 *
 * Sizes are bytes, as jmap and MAT show them. Each view appends to `out`, whose failures are
 * sticky. The JSON members are described in docs/formats/hprof.md.
 */
#ifndef FL_HEAP_VIEW_H
#define FL_HEAP_VIEW_H

#include "buf.h"
#include "census.h"

#define FL_MAX_HEAP_VIEW_BYTES (256u << 20)

/* What stands above the figures. */
typedef struct fl_heap_title {
    const char *file, *version;
    unsigned id_bytes;
    int64_t time_ns;
    uint64_t file_bytes;
    const fl_error *damage; /* NULL: the dump is whole */
    fl_heap_layout layout;
    bool layout_given;  /* and not inferred */
    bool without_roots; /* classes stand in for them */
    bool counts_all;    /* what follows counts what is not reachable, too, and says so */
    uint64_t objects, bytes;
} fl_heap_title;

void fl_heap_view_title(fl_buf *out, const fl_heap_title *title);
void fl_heap_view_title_json(fl_buf *out, const fl_heap_title *title); /* members of an object */

typedef struct fl_heap_histogram {
    const fl_heap_class **rows; /* ordered, the largest first */
    size_t count, total_count;  /* shown; that have instances */
    bool has_retained;
} fl_heap_histogram;

/* The classes with instances, at most `top` (0: all), by bytes, or by what they retain where that
 * is known. `rows` has room for `count` of them. */
fl_heap_histogram fl_heap_histogram_of(const fl_heap_class **rows, size_t count, size_t top,
                                       bool has_retained);
void fl_heap_view_histogram(fl_buf *out, const fl_heap_title *title,
                            const fl_heap_histogram *histogram);
void fl_heap_view_histogram_json(fl_buf *out, const fl_heap_title *title,
                                 const fl_heap_histogram *histogram);

#endif
