/*
 * workers.h - a fixed pool of threads that run jobs, and a budget of bytes. Both are shared by all
 * transports of one process.
 *
 * A job stands in what it is about (intrusive), so that queueing allocates nothing. The queue is
 * bounded by a count; what jobs hold is bounded by the budget.
 */
#ifndef FL_WORKERS_H
#define FL_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "faultline/status.h"

/* Handlers wait for the log's sync, which many of them share: two a core, and never few. */
enum { FL_WORKERS_PER_CORE = 2, FL_MIN_WORKERS = 8, FL_MAX_WORKERS = 256 };

typedef struct fl_workers fl_workers;
typedef struct fl_job {
    struct fl_job *next;
    void (*run)(struct fl_job *job);
} fl_job;

typedef struct fl_workers_stats {
    unsigned threads, busy;
    size_t queued, max_queued;
    uint64_t done, refused;
} fl_workers_stats;

/* `threads` 0: as many as the machine asks for. */
FL_NODISCARD fl_status fl_workers_create(fl_workers **out, unsigned threads, size_t max_queued,
                                         fl_error *err);
/* Runs what is queued to its end. NULL is a no-op. No job may be submitted any more. */
void fl_workers_destroy(fl_workers *workers);
/* From any thread. False: the queue is full, and the job was not taken. */
FL_NODISCARD bool fl_workers_submit(fl_workers *workers, fl_job *job);
fl_workers_stats fl_workers_stats_of(fl_workers *workers);

/* Bytes that are in memory for requests, in all. */
typedef struct fl_budget {
    atomic_size_t used;
    size_t max;
} fl_budget;

/* False: over the budget, and nothing was taken. */
FL_NODISCARD bool fl_budget_take(fl_budget *budget, size_t bytes);
void fl_budget_give(fl_budget *budget, size_t bytes);

#endif
