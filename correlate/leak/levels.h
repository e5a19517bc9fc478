/*
 * levels.h - a series of how much was alive after each collection: does it grow?
 *
 * No sampling is in such a series, but garbage of the moment is: of each of some equal parts of the
 * time the smallest level counts, and what these scatter around their line is their error. The
 * first part of a program's life fills its caches and is left out (docs/leaks-method.md).
 */
#ifndef FL_LEVELS_H
#define FL_LEVELS_H

#include "trend.h"

typedef struct fl_levels {
    fl_series series; /* the smallest level of each part; in the arena */
    fl_trend trend;
    bool is_known; /* enough parts have a level */
    bool is_late;  /* of its last part only, in which it began to rise */
} fl_levels;

enum { FL_LEVELS_MIN = 4 };
/* Deviation of a rounding error of levels in whole MiB. */
#define FL_LEVELS_MIB_ERROR (1048576 / 3.4641016)

/* Levels in rising time; those that are not finite are passed over. */
typedef struct fl_levels_input {
    const double *time_s, *bytes;
    size_t count;
    double rounding; /* the deviation of what their source rounds */
} fl_levels_input;

/* FL_E_NOMEM where the arena is exhausted. */
FL_NODISCARD fl_status fl_levels_of(fl_levels *out, const fl_levels_input *in, fl_arena *arena,
                                    fl_error *err);
/* Of levels that are known: where they were flat and then rose to the end, only the rise. */
FL_NODISCARD fl_status fl_levels_cut_late(fl_levels *levels, double rounding, fl_arena *arena,
                                          fl_error *err);
/* It rises steadily, by more than noise and rounding. */
bool fl_levels_grow(const fl_levels *levels);

#endif
