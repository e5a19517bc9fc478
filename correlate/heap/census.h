/*
 * census.h - what one reading of a heap dump gives: classes with their names and members, how many
 * instances each has and what they weigh, and the roots.
 *
 * Memory: some 100 bytes a name, a class, a root; nothing for an object.
 *
 * What an instance weighs stands in no dump: it is modelled after HotSpot's layouts (heap.h). The
 * layout is the one in which most arrays end where their neighbour in the dump begins; without such
 * neighbours it is COMPRESSED for addresses within 32 GiB, else WIDE. An instance that is nearer to
 * its neighbour than the model says is as large as that distance.
 */
#ifndef FL_CENSUS_H
#define FL_CENSUS_H

#include "heap.h"

typedef struct fl_census fl_census;

/* Reads the source once. FL_E_NOMEM, FL_E_LIMIT. The caller owns *out; names point into the dump
 * or the census. */
FL_NODISCARD fl_status fl_census_create(fl_census **out, const fl_heap_source *source,
                                        fl_heap_layout layout, fl_error *err);
void fl_census_destroy(fl_census *census); /* NULL is a no-op */

typedef struct fl_census_totals {
    uint64_t objects, bytes; /* objects of java.lang.Class included */
    uint64_t min_id, max_id; /* of objects; 0, 0 where there are none */
    uint64_t id_bits;        /* all ids or'ed: how they are aligned */
    fl_heap_layout layout;
} fl_census_totals;

fl_census_totals fl_census_totals_of(const fl_census *census);
size_t fl_census_class_count(const fl_census *census);
const fl_heap_class *fl_census_class_at(const fl_census *census, uint32_t index);
/* FL_HEAP_NONE where there is none of this id. */
uint32_t fl_census_find_class(const fl_census *census, uint64_t id);
/* The class of arrays of a primitive type. */
uint32_t fl_census_values_class(const fl_census *census, fl_heap_type type);
/* A name by its id; "" where the dump has none. */
fl_slice fl_census_name(const fl_census *census, uint64_t id);

#endif
