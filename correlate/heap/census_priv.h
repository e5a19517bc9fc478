/*
 * census_priv.h - a census from within: what is counted while a dump is read.
 */
#ifndef FL_CENSUS_PRIV_H
#define FL_CENSUS_PRIV_H

#include "arena.h"
#include "census.h"
#include "map.h"

/* One class while it is counted. */
typedef struct fl_census_entry {
    fl_heap_class facts; /* what is shown; complete at the end */
    uint64_t name_id, super_id, loader_id;
    uint32_t serial;                            /* by which frames name it; 0: not loaded */
    fl_slice record;                            /* from the loader on; empty: not dumped */
    uint64_t array_bytes[FL_HEAP_LAYOUT_COUNT]; /* of its arrays, by layout */
    uint64_t array_count; /* a class that is not there may have instances and arrays */
    uint64_t nearest_bytes, nearest_count; /* smallest distance to what follows an instance */
    uint32_t class_bytes; /* of the object that stands for the class; 0: not dumped */
} fl_census_entry;

/* A root as the dump has it. */
typedef struct fl_census_root {
    uint64_t id;
    uint32_t kind, thread, frame, trace;
} fl_census_root;

/* A stack trace or a frame: its item. */
typedef struct fl_census_table {
    fl_heap_item *items;
    size_t count, cap;
    fl_map *by_id; /* to the place in items */
} fl_census_table;

/* Classes are asked for by runs of few: those asked for last, for one thread. */
enum { CENSUS_CACHE = 1024 };
typedef struct fl_census_cache {
    struct {
        uint64_t id;
        uint32_t index;
    } slots[CENSUS_CACHE];
} fl_census_cache;

/* The object before, to which the next one is a neighbour. */
typedef struct fl_census_neighbour {
    uint64_t id;
    fl_census_entry *entry; /* NULL: there is none */
    bool is_array;
    uint32_t type, count;
} fl_census_neighbour;

/* Where a reading began and where it ended, for the parts before and behind it. */
typedef struct fl_census_reading {
    bool has_items, begins_with_object;
    uint64_t first_id;
    fl_census_neighbour before; /* the last object, unless something else follows it */
} fl_census_reading;

struct fl_census {
    unsigned id_bytes;
    fl_census_entry *entries; /* [0]: instances of classes that the dump does not have */
    size_t count, cap;
    fl_map *by_id;
    fl_census_cache cache;
    uint32_t values_class[FL_HEAP_TYPE_END]; /* for arrays of primitives */
    uint32_t *order;                         /* [count] classes, super classes first */
    uint32_t class_class; /* java.lang.Class; 0 where the dump does not have it */
    fl_slice *names;
    size_t name_count, name_cap;
    fl_map *names_by_id;
    fl_census_root *roots;
    size_t root_count, root_cap;
    fl_census_table frames, traces;
    uint64_t votes[FL_HEAP_LAYOUT_COUNT], vote_count;
    fl_census_totals totals;
    uint64_t last_offset; /* of the last item in the dump */
    fl_arena arena;       /* readable names, members */
    bool is_part;         /* the maps are those of another census, and are only read */
};

/* Room for one more of `size` bytes each; NULL, with the old block untouched, where there is none.
 */
void *fl_census_grow(void *items, size_t count, size_t *cap, size_t size);

/* Runs of instances are of few classes: a hit in the cache costs one comparison. */
static inline uint32_t fl_census_class_of(const fl_census *census, fl_census_cache *cache,
                                          uint64_t id)
{
    size_t at = (size_t)(id >> 3) % CENSUS_CACHE;
    if (cache->slots[at].id == id)
        return cache->slots[at].index;
    const uint64_t *found = fl_map_find(census->by_id, id);
    if (found == NULL)
        return 0;
    cache->slots[at].id = id;
    cache->slots[at].index = (uint32_t)*found;
    return (uint32_t)*found;
}

/* --- census.c --- */
/* Names, classes, roots and traces without the objects: of `places` in the dump, each an offset
 * times 2, plus 1 where a record stands there. Sizes are those of `layout`, and nothing is counted.
 * FL_E_SYNTAX where a place has no such item. */
FL_NODISCARD fl_status fl_census_replay(fl_census **out, const fl_heap_source *source,
                                        const uint64_t *places, size_t count, fl_heap_layout layout,
                                        fl_error *err);

/* --- census.c --- */
/* Items to the census. FL_E_NOTFOUND, without a sentence: a part has a class that the names before
 * it do not have. */
FL_NODISCARD fl_status fl_census_read(fl_census *census, const fl_heap_source *source,
                                      fl_census_reading *reading, fl_error *err);
/* What lies before `id` tells how large it is, where the two are close. */
void fl_census_compare(fl_census *census, const fl_census_neighbour *before, uint64_t id);

/* --- census_parts.c --- */
/* All items of a dump, in parts where it has some. */
FL_NODISCARD fl_status fl_census_read_parts(fl_census *census, const fl_heap_source *source,
                                            fl_error *err);

/* --- census_classes.c --- */
/* After the last item: names, members, layout, sizes. */
FL_NODISCARD fl_status fl_census_link(fl_census *census, fl_heap_layout layout, fl_error *err);

#endif
