/*
 * leak_diff.h - two snapshots of one program side by side, with the error that sampling makes: what
 * differs by more than that, and what only seems to.
 */
#ifndef FL_LEAK_DIFF_H
#define FL_LEAK_DIFF_H

#include "arena.h"
#include "faultline/status.h"

typedef struct fl_leak_diff_row {
    const char *function, *file; /* file may be NULL */
    uint64_t line;
    double before, after; /* bytes in use, or goroutines */
    double error;         /* one standard error of the difference; 0: exact */
} fl_leak_diff_row;

typedef struct fl_leak_diff {
    const fl_leak_diff_row *rows; /* the largest difference first */
    size_t count;
    const char *unit;       /* "bytes" or "goroutines" */
    int64_t from_ns, to_ns; /* 0 where a profile does not say */
    double before, after;   /* totals */
    double error;           /* of their difference */
    double sampling_bytes;  /* one sample each so many; 0: exact */
} fl_leak_diff;

/* The standard errors beyond which a difference of one of many functions is taken for real: chance
 * alone makes one in two thousand look so. */
#define FL_LEAK_DIFF_REAL 3.5

/* Compare two heap or two goroutine profiles; the one that was taken earlier counts as the first.
 * Everything lives in `arena`. FL_E_UNSUPPORTED: profiles of other or of different kinds;
 * FL_E_SYNTAX: of two programs; otherwise as of pprof.h. */
FL_NODISCARD fl_status fl_leak_diff_files(fl_leak_diff *out, const char *first, const char *second,
                                          fl_arena *arena, fl_error *err);

#endif
