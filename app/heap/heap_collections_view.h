/*
 * heap_collections_view.h - collections, repeated texts, ThreadLocals and what they prove, as text
 * and as JSON; what no root keeps, and classes that several loaders have.
 */
#ifndef FL_HEAP_COLLECTIONS_VIEW_H
#define FL_HEAP_COLLECTIONS_VIEW_H

#include "heap_faults.h"
#include "heap_view.h"

typedef struct fl_heap_contents {
    const fl_heap_title *title;
    const fl_heap *heap;
    const fl_heap_faults *faults;
    const fl_heap_collections *collections;
    const fl_heap_strings *strings;
    const fl_heap_locals *locals;
    size_t top; /* rows of each table; 0: all */
} fl_heap_contents;

/* FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_view_collections(fl_buf *out, const fl_heap_contents *contents,
                                                fl_error *err);
FL_NODISCARD fl_status fl_heap_view_collections_json(fl_buf *out, const fl_heap_contents *contents,
                                                     fl_error *err);

#endif
