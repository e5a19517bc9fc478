/*
 * class_growth.h - classes of which there is more from histogram to histogram.
 *
 * Less is known than from heap dumps: a histogram names a class and not who holds it, and may count
 * garbage. So a class grows only where most steps go up, the last third of the series still does,
 * and what there is more is a part of the heap, or comes with a class of which that is so: as many
 * requests as there are arrays in them.
 */
#ifndef FL_CLASS_GROWTH_H
#define FL_CLASS_GROWTH_H

#include <stdbool.h>

#include "faultline/status.h"

/* A class at one moment. */
typedef struct fl_class_cell {
    uint32_t class_id;
    uint64_t instances, bytes;
} fl_class_cell;

/* One histogram: its classes by class_id; those that take little may be missing. */
typedef struct fl_class_snapshot {
    const fl_class_cell *cells;
    size_t count;
    uint64_t bytes; /* of all classes */
} fl_class_snapshot;

typedef struct fl_class_growth {
    uint32_t class_id;
    uint64_t first_instances, last_instances, first_bytes, last_bytes;
    uint32_t rises; /* of the steps; the rest is as many or fewer instances */
} fl_class_growth;

/* As between heap dumps: 1.2 times as much, and 2 % of the heap more. Seven of eight steps go up by
 * chance in one series of 28 (binomial, a half each); of shorter series all have to. */
#define FL_CLASS_GROWTH_RATIO 1.2
#define FL_CLASS_GROWTH_SHARE 0.02
#define FL_CLASS_GROWTH_RISES 0.85
/* A companion has at least one instance more for each four of the class that grew most. */
#define FL_CLASS_GROWTH_COMPANY 0.25

/* At most `most`, those that grew most first; `count` snapshots, 2 or more, in the order of time.
 * Returns how many. */
size_t fl_class_growth_find(fl_class_growth *out, size_t most, const fl_class_snapshot *series,
                            size_t count);

#endif
