/*
 * gostats_priv.h - between the decoders of memory statistics: the rows that they fill.
 */
#ifndef FL_GOSTATS_PRIV_H
#define FL_GOSTATS_PRIV_H

#include "gostats_read.h"

typedef struct fl_gostats_row {
    int64_t time_ns;
    double values[FL_GOSTAT_COUNT]; /* NaN: not told */
} fl_gostats_row;

/*
 * Rows of one file, thinned out evenly where they are many.
 *
 * Invariants: (1) rows[i] is the file's row i * stride, so that what is kept does not depend on
 * how many were expected; (2) seen counts all rows; `last` is the newest one when seen > 0;
 * (3) all times are of the kind `is_since_start`, once seen > 0.
 */
typedef struct fl_gostats_rows {
    fl_gostats_row *rows; /* arena */
    size_t count, cap;    /* at most FL_MAX_GOSTATS_ROWS */
    uint64_t seen, stride;
    fl_gostats_row last;
    bool is_since_start;
    uint64_t rejected;
    fl_error first_reject;
    fl_arena *arena;
} fl_gostats_rows;

void fl_gostats_row_clear(fl_gostats_row *row);
FL_NODISCARD fl_status fl_gostats_rows_add(fl_gostats_rows *rows, const fl_gostats_row *row,
                                           fl_error *err);
/* Count a row that could not be read. */
void fl_gostats_reject(fl_gostats_rows *rows, uint64_t offset, const char *message);

/* Fill rows from the whole of `bytes`; *is_expvar: memstats stood inside of another object. */
FL_NODISCARD fl_status fl_gostats_read_json(fl_gostats_rows *rows, fl_slice bytes,
                                            int64_t default_ns, bool *is_expvar, fl_error *err);
FL_NODISCARD fl_status fl_gostats_read_gctrace(fl_gostats_rows *rows, fl_slice bytes,
                                               fl_error *err);
/* Whether `line` begins as a line of gctrace does, possibly behind a log shipper's prefix; *at is
 * where. */
bool fl_gctrace_find(size_t *at, fl_slice line);

#endif
