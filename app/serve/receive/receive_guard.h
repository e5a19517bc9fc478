/*
 * receive_guard.h - a sink in front of a batch: counts what passes, and holds its times against the
 * clock.
 */
#ifndef FL_RECEIVE_GUARD_H
#define FL_RECEIVE_GUARD_H

#include "faultline/record.h"

typedef struct fl_receive_guard {
    fl_sink sink; /* its payload is the guard: do not copy one */
    const fl_sink *to;
    int64_t latest_ns; /* later ones are refused */
    int64_t oldest_ns; /* and earlier ones */
    int64_t late_ns;   /* earlier ones are late */
    uint64_t late, unreadable, ahead, too_old;
    char reason[256]; /* of the first refusal; empty: there was none */
} fl_receive_guard;

/* `to` is borrowed. */
void fl_receive_guard_init(fl_receive_guard *guard, const fl_sink *to);
/* For the next request, which arrived at `now_ns`. `max_age_ns` 0: however old. */
void fl_receive_guard_begin(fl_receive_guard *guard, int64_t now_ns, int64_t max_ahead_ns,
                            int64_t max_age_ns);
/* How many records were refused. */
uint64_t fl_receive_guard_refused(const fl_receive_guard *guard);

#endif
