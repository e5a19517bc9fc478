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

/* One kind of object of one class: instances, arrays of references or arrays of others. */
enum { FL_CENSUS_KINDS = 3 };
typedef struct fl_census_tally {
    uint64_t count;
    uint64_t nearest_bytes, nearest_count; /* as in an entry; meant for instances */
    uint64_t rounded_bytes, moved_bytes;   /* census_count.c; meant for arrays */
    uint64_t unit;                         /* log2 of an element's bytes, of a reference 2 */
} fl_census_tally;

/* How far the ids of objects reach and how they are aligned says how objects can be numbered. */
typedef struct fl_census_range {
    uint64_t objects, min_id, max_id; /* UINT64_MAX, 0 where there are none */
    uint64_t id_bits;
} fl_census_range;

/* What one thread counts. */
typedef struct fl_census_counts {
    fl_census_tally *tallies; /* [FL_CENSUS_KINDS * class_count] */
    size_t class_count;
    fl_census_range range;
    fl_census_cache cache;
} fl_census_counts;

typedef struct fl_census_votes {
    uint64_t of[FL_HEAP_LAYOUT_COUNT], count;
} fl_census_votes;

/* Where a reading began and where it ended, for the parts before and behind it. */
typedef struct fl_census_reading {
    bool has_items, begins_with_object, ends_with_object;
    uint64_t first_id;
    fl_heap_brief before; /* the last object, unless something else follows it */
    size_t tally;         /* where that is counted */
    fl_census_votes votes;
    uint64_t last_offset; /* of the last item, or within it */
} fl_census_reading;

struct fl_census {
    unsigned id_bytes;
    fl_census_entry *entries; /* [0]: instances of classes that the dump does not have */
    size_t count, cap;
    fl_map *by_id;
    fl_census_counts counts;                 /* until all is read */
    uint32_t values_class[FL_HEAP_TYPE_END]; /* for arrays of primitives */
    uint32_t *order;                         /* [count] classes, super classes first */
    uint32_t class_class; /* java.lang.Class; 0 where the dump does not have it */
    fl_slice *names;
    size_t name_count, name_cap;
    fl_map *names_by_id;
    fl_census_root *roots;
    size_t root_count, root_cap;
    fl_census_table frames, traces;
    fl_census_votes votes;
    fl_census_totals totals;
    uint64_t last_offset; /* of the last item in the dump, or within it */
    fl_arena arena;       /* readable names, members */
    bool is_part;         /* the maps are those of another census, and are only read */
    fl_heap_item *late;   /* of a part: dumps of classes, for the whole to take */
    size_t late_count, late_cap;
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
/* Items where they belong: objects to `counts`, others to the census. FL_E_NOTFOUND, without a
 * sentence: a part has a class that the names before it do not have. */
FL_NODISCARD fl_status fl_census_take(fl_census *census, fl_census_counts *counts,
                                      fl_census_reading *reading, const fl_heap_item *items,
                                      size_t count, fl_error *err);
/* All items of a source to the census, from the first. */
FL_NODISCARD fl_status fl_census_read(fl_census *census, const fl_heap_source *source,
                                      fl_error *err);
/* What a part kept for the whole: its roots and its classes. */
FL_NODISCARD fl_status fl_census_adopt(fl_census *census, const fl_census *part, fl_error *err);

/* --- census_count.c --- */
/* Room for tallies of all classes of the census; those that are there stay. */
FL_NODISCARD fl_status fl_census_counts_grow(fl_census_counts *counts, const fl_census *census,
                                             fl_error *err);
void fl_census_counts_dispose(fl_census_counts *counts);
/* Objects that follow one another in the dump, and what the reading ended with before. */
void fl_census_count(const fl_census *census, fl_census_counts *counts, fl_census_reading *reading,
                     const fl_heap_brief *rows, size_t count);
/* The rows of a lane that is of this reading. */
void fl_census_count_lane(const fl_census *census, fl_census_counts *counts,
                          fl_census_reading *reading, const fl_heap_lane *lane);
/* An object that is counted elsewhere: its id alone. */
void fl_census_note_id(fl_census_counts *counts, uint64_t id);
/* What `reading` ended with lies before `id`, and tells by that how large it is. */
void fl_census_compare(fl_census_counts *counts, fl_census_votes *votes,
                       const fl_census_reading *reading, uint64_t id);
/* The order of the parts does not matter. */
void fl_census_counts_add(fl_census_counts *to, const fl_census_counts *from);
/* After the last object: what was counted becomes facts of the classes. */
void fl_census_settle(fl_census *census, const fl_census_counts *counts);

/* --- census_parts.c --- */
/* All items of a dump, in parts where it has some. */
FL_NODISCARD fl_status fl_census_read_parts(fl_census *census, const fl_heap_source *source,
                                            fl_error *err);

/* --- census_classes.c --- */
/* After the last item: names, members, layout, sizes. */
FL_NODISCARD fl_status fl_census_link(fl_census *census, fl_heap_layout layout, fl_error *err);

#endif
