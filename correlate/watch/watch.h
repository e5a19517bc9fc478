/*
 * watch.h - sees every record that comes in, and says when an entry service breaks.
 *
 * Kept for each service and operation, in steps of ten seconds over two hours: requests, errors and
 * the mean of ln(latency), as spans tell, or where there are none of a service, metrics that count
 * its requests (request_metrics.h). An entry service, one that is called from outside, or of which
 * only metrics tell, breaks where over minutes that still go on
 *     more of its requests fail    at least one in a hundred more
 *     they take longer             half as long again, at equal operations
 *     they stay away               at least half, while other telemetry goes on
 * than in the two hours before, by a log Bayes factor (lbf.h) beyond the gate that a wanted rate of
 * false alarms sets: were the past exchangeable, a factor of e^g would be met by chance once in e^g
 * tests, so the gate is ln(tests in a week / false alarms wanted in a week).
 * It has to stay for three looks, and errors have to be five: a restart of seconds that lies across
 * two minutes, or some bad luck of a service that is hardly asked, is no break. How often that is
 * wrong: docs/benchmarks.md, bench_watch.
 *
 * No clock, thread or file: times come with the calls. One thread at a time.
 */
#ifndef FL_WATCH_H
#define FL_WATCH_H

#include "faultline/record.h"
#include "groups.h"

typedef struct fl_watch fl_watch;

typedef struct fl_watch_options {
    double false_alarms_a_week; /* 0: 1, over the whole system */
    /* Entries are these alone; none: those that are called from outside. Copied. */
    const char *const *entries;
    size_t entry_count;
    int64_t past_ns;      /* what the last ten minutes are compared with; 0, or more: 110 minutes */
    int64_t sustained_ns; /* how long a break lasts, in whole minutes of 2 to 10; 0: 2 minutes */
    int64_t lateness_ns;  /* how late records may come; 0: 20 s, four times OTel's batches */
    /* Called by the sink for each alert, with texts that live during the call. FL_OK: go on. */
    fl_status (*alert)(void *payload, const fl_sign *sign, fl_error *err);
    void *payload;
} fl_watch_options;

enum {
    FL_MAX_WATCHED_SERVICES = FL_MAX_CALL_SERVICES,
    FL_MAX_WATCHED_OPERATIONS = 2048,   /* 12 KB each; more of a service count as one */
    FL_MAX_WATCHED_INSTANCES = 1 << 14, /* of services, that metrics tell of; 24 bytes each */
    FL_MAX_LINKED_SPANS = 1 << 17       /* 72 bytes each */
};

/* The caller owns *out. */
FL_NODISCARD fl_status fl_watch_create(fl_watch **out, const fl_watch_options *options,
                                       fl_error *err);
void fl_watch_destroy(fl_watch *watch); /* NULL is a no-op */
/* Borrowed. It takes every kind of record; logs only tell that telemetry comes in. */
const fl_sink *fl_watch_sink(fl_watch *watch);

/* So many points and logs came that nobody shows the watch: telemetry goes on. */
void fl_watch_goes_on(fl_watch *watch, uint64_t points, uint64_t logs);

/* A break that began or ended: a sign whose texts live during the call. */
typedef fl_status fl_watch_visit(void *payload, const fl_sign *sign, fl_error *err);
/* It is `now`: records up to a minute ahead of it are taken, what is older than two hours is
 * forgotten, and where a step of ten seconds is over the entry services are looked at. */
FL_NODISCARD fl_status fl_watch_advance(fl_watch *watch, int64_t now_ns, fl_watch_visit *visit,
                                        void *payload, fl_error *err);

/* --- after a restart, out of what was kept (watch_again.c) --- */

/* While it is paused, time goes on and nothing is looked at: the past is being told, in no order
 * and not yet whole. When it goes on, who is an entry is known at once. */
void fl_watch_pause(fl_watch *watch, bool is_paused);
/* As though nothing had been seen of [from_ns, to_ns): it could not be told whole. */
void fl_watch_forget(fl_watch *watch, int64_t from_ns, int64_t to_ns);
/* A break that was told before, by this watch or another: it is followed to its end, which is told
 * under the same key. One that is no newer than what the watch has, or that comes while it has
 * one open, changes nothing. `*is_followed` says whether its end will be told. */
FL_NODISCARD fl_status fl_watch_adopt(bool *is_followed, fl_watch *watch, const fl_sign *sign,
                                      fl_error *err);

/* The calls that were seen in the last hours, into `calls`. */
FL_NODISCARD fl_status fl_watch_calls(fl_watch *watch, fl_calls *calls, fl_error *err);

typedef struct fl_watch_stats {
    size_t services, entries, operations;
    uint64_t spans, points, logs, alerts; /* seen */
    uint64_t early, late;                 /* spans outside of what is kept */
    uint64_t crowded; /* spans and points beyond the limits of services, instances and series */
    uint64_t breaks;  /* found */
    double gate_nats; /* of the last look */
} fl_watch_stats;
fl_watch_stats fl_watch_stats_of(const fl_watch *watch);

#endif
