/*
 * heap_priv.h - a heap's graph from within.
 */
#ifndef FL_HEAP_PRIV_H
#define FL_HEAP_PRIV_H

#include "census_priv.h"
#include "heap_ids.h"
#include "heap_parts.h"

/* Where the references of a class's own fields stand, and where to go on in its super classes. */
typedef struct fl_heap_plan {
    const uint32_t *at; /* [count] in its own values */
    uint32_t count;
    uint32_t own_bytes;
    uint32_t next; /* the nearest super class with references; FL_HEAP_NONE: none */
    uint32_t skip; /* bytes from the beginning of its own values to those of `next` */
    uint64_t most; /* references of an instance, those of super classes included, or more */
} fl_heap_plan;

struct fl_heap {
    fl_heap_source source;
    fl_heap_parts parts; /* of the source, while objects are read */
    fl_heap_options options;
    fl_census *census;
    fl_heap_ids ids;
    fl_heap_plan *plans; /* [classes + 1]: the last is Reference without its referent */
    uint32_t class_class;
    uint32_t reference_class; /* java.lang.ref.Reference; FL_HEAP_NONE: none */
    uint32_t referent;        /* the number of that field in it */
    bool *is_weak;            /* [class] soft, weak, phantom */
    bool *is_kept;            /* [class] its object is a root by itself */
    uint32_t *class_of;       /* [object] */
    uint32_t *offset_low;     /* [object] of its item, 40 bits */
    uint8_t *offset_high;     /* NULL: 0 for all, as in a dump below 4 GiB */
    /* references while the tree is made, as dominators.h wants them */
    uint32_t *starts, *targets;
    uint32_t part_starts[FL_HEAP_MOST_PARTS]; /* where the references of each part begin, */
    uint32_t target_end;                      /* and where those of the last one end */
    fl_heap_root *roots;                      /* ordered by object */
    size_t root_count;
    uint32_t *root_objects; /* what hangs on no thread */
    size_t root_object_count;
    bool no_roots;  /* the dump ends before them: classes stand in */
    bool is_mapped; /* arrays by object are those of an index: borrowed, and not to be trusted */
    struct fl_heap_held {
        fl_heap_object thread, object;
        uint32_t frame;
    } * held; /* on stacks; ordered by thread */
    size_t held_count;
    uint32_t *idom;
    uint32_t *retained; /* [object] in units of 8 bytes, where the heap is below 32 GiB; or NULL */
    uint64_t *retained_wide;     /* the same for larger heaps */
    uint32_t *kid_starts, *kids; /* [objects + 2]: the last are those that only the roots keep */
    uint32_t *inbound_starts, *inbound;
};

static inline uint64_t fl_heap_offset(const fl_heap *heap, fl_heap_object object)
{
    uint64_t high = heap->offset_high != NULL ? heap->offset_high[object] : 0;
    return high << 32 | heap->offset_low[object];
}

/* What it retains, where the tree was made. */
static inline uint64_t fl_heap_kept_bytes(const fl_heap *heap, fl_heap_object object)
{
    return heap->retained != NULL ? (uint64_t)heap->retained[object] * 8
                                  : heap->retained_wide[object];
}

/* Whether it dominates anything, where the tree was made. */
static inline bool fl_heap_dominates(const fl_heap *heap, fl_heap_object object)
{
    return heap->kid_starts[object] != heap->kid_starts[object + (size_t)1];
}

/* A reference in an item's body; 0 beyond its end. */
static inline uint64_t fl_heap_id_in(fl_slice body, size_t at, unsigned width)
{
    uint64_t id = 0;
    if (at > body.len || body.len - at < width)
        return 0;
    for (unsigned i = 0; i < width; i++)
        id = id << 8 | body.ptr[at + i];
    return id;
}

static inline fl_heap_class *fl_heap_facts(const fl_heap *heap, uint32_t index)
{
    return &heap->census->entries[index].facts;
}

/* --- heap.c --- */
/* Class objects and loaders get their numbers. */
void fl_heap_name_objects(fl_heap *heap);

/* --- heap_plan.c --- */
FL_NODISCARD fl_status fl_heap_plan_all(fl_heap *heap, fl_error *err);
/* The plan with which the references of an instance of this class are read first. */
static inline uint32_t fl_heap_first_plan(const fl_heap *heap, uint32_t class_index)
{
    return class_index == heap->reference_class && heap->is_weak[class_index]
               ? (uint32_t)heap->census->count
               : class_index;
}

/* --- heap_number.c --- */
/* The pass in which every object gets its number. */
FL_NODISCARD fl_status fl_heap_number_objects(fl_heap *heap, fl_error *err);

/* --- heap_roots.c --- */
/* Roots to objects; what lies on a thread's stack to that thread. */
FL_NODISCARD fl_status fl_heap_take_roots(fl_heap *heap, fl_error *err);

/* --- heap_edges.c --- */
/* The pass in which every object gets its class, its place, its size and its references. */
FL_NODISCARD fl_status fl_heap_read_objects(fl_heap *heap, fl_error *err);

/* --- heap_tree.c --- */
/* Dominators, retained sizes, what each one dominates, and the sums by class. */
FL_NODISCARD fl_status fl_heap_make_tree(fl_heap *heap, fl_error *err);

#endif
