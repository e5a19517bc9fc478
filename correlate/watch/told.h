/*
 * told.h - requests that metrics tell of (base/contract/request_metrics.h): totals as they come,
 * and by how much they rose.
 *
 * A total says something only against the one before of the same series. The first one does not: it
 * may have been counted for months. Where the sender was heard before and the series is new, it
 * began at zero since: the first errors of a service are such series, and would be missed else. A
 * total that falls is that of a process that began again. Totals that say since when they count are
 * another series where that is another moment: senders that do not tell their processes apart send
 * those of several under one name.
 */
#ifndef FL_TOLD_H
#define FL_TOLD_H

#include "faultline/record.h"

typedef struct fl_told fl_told;

/* `requests`, maybe none, that were over in (from_ns, to_ns]. */
typedef struct fl_rise {
    int64_t from_ns, to_ns;
    double requests;
    double ms; /* that they took together, where that is known */
} fl_rise;

/* A histogram whose numbers come one by one has counted before it can tell how long that took. */
typedef struct fl_told_rises {
    bool is_counted, is_timed;
    fl_rise counted; /* without its ms */
    fl_rise timed;   /* of the same requests, or of those of several moments */
} fl_told_rises;

enum { FL_MAX_TOLD_SERIES = 1 << 15 };             /* 120 bytes each with their place in a map */
#define FL_MAX_RISE_NS (INT64_C(300) * 1000000000) /* longer is a gap, as it is for Prometheus */

/* The caller owns *out. */
FL_NODISCARD fl_status fl_told_create(fl_told **out, fl_error *err);
void fl_told_destroy(fl_told *told); /* NULL is a no-op */

typedef struct fl_told_point {
    const fl_point *point;
    uint32_t sender;    /* a process; its number is the caller's */
    unsigned metric;    /* of fl_request_metric() */
    double ms_per_unit; /* of fl_request_metric_ms() */
} fl_told_point;

/* FL_E_NOMEM; a series beyond the limit tells nothing, and is counted. */
FL_NODISCARD fl_status fl_told_take(fl_told_rises *out, fl_told *told, const fl_told_point *in,
                                    fl_error *err);
uint64_t fl_told_crowded(const fl_told *told); /* points of series beyond the limit */

#endif
