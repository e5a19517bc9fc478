/*
 * watch_priv.h - what the watch keeps, for its own files.
 */
#ifndef FL_WATCH_PRIV_H
#define FL_WATCH_PRIV_H

#include "arena.h"
#include "intern.h"
#include "links.h"
#include "map.h"
#include "request_metrics.h"
#include "told.h"
#include "watch.h"

enum {
    WATCH_STEP_S = 10,
    WATCH_WINDOW_STEPS = 6, /* a minute: what lbf.h's constants were fitted with */
    WATCH_NOW_WINDOWS = 10, /* in which a break is looked for */
    WATCH_PAST_WINDOWS = 110,
    WATCH_WINDOWS = WATCH_NOW_WINDOWS + WATCH_PAST_WINDOWS,
    WATCH_AHEAD_STEPS = 6, /* clocks that differ */
    WATCH_STEPS = WATCH_WINDOWS * WATCH_WINDOW_STEPS + 2 * WATCH_AHEAD_STEPS + 1,
    WATCH_FEWEST_PAST = 10,        /* windows with requests; fewer are no baseline */
    WATCH_SERVICE_OPERATIONS = 16, /* of one service; more count as one */
    WATCH_SERVICE_ROUTES = 8,      /* of them, that metrics tell of */
    WATCH_LINKED_STEPS = 30        /* of a past that is told again, whose calls are looked at */
};
#define WATCH_STEP_NS   (WATCH_STEP_S * INT64_C(1000000000))
#define WATCH_WINDOW_NS (WATCH_WINDOW_STEPS * WATCH_STEP_NS)

typedef struct watch_cell {
    uint32_t requests, errors; /* of them, so never more */
    uint32_t timed;            /* whose latency is known */
    float log_ms;              /* the sum of their ln(latency in ms) */
} watch_cell;

/* Who told of an operation: spans, or a metric by its number. */
enum { WATCH_BY_SPANS, WATCH_BY_METRIC };

typedef struct watch_operation {
    uint64_t hash;   /* of the name; 0: all that have no place of their own */
    unsigned source; /* WATCH_BY_SPANS, or WATCH_BY_METRIC and on */
    watch_cell cells[WATCH_STEPS];
} watch_operation;

/* One of the three ways to break. */
typedef struct watch_break {
    bool is_open;         /* told, and not cleared */
    int64_t onset_ns;     /* 0: there is none */
    int64_t cleared_ns;   /* 0: not */
    int64_t suspected_ns; /* seen since, and not told yet; 0: not */
    double usual, broken; /* the figure before and during */
} watch_break;

/* A metric that a service is told by. */
typedef struct watch_teller {
    unsigned source; /* 0: none */
    unsigned rank;   /* the lower the better */
    int64_t told_ns; /* its newest rise */
} watch_teller;

/* What metrics tell of a service. Two may count the same requests: the better one is taken. */
typedef struct watch_metrics {
    watch_teller counting, timing;
    int64_t gap_ns; /* from one point of what counts to the next, mostly */
} watch_metrics;

/* Several processes of a service count each for itself. */
typedef struct watch_instance {
    uint64_t key;
    uint32_t service;
    int64_t heard_ns; /* it was announced */
} watch_instance;

typedef enum watch_entry { FL_ENTRY_FOUND, FL_ENTRY_NAMED, FL_ENTRY_NOT } watch_entry;

typedef struct watch_service {
    fl_sym name;
    watch_entry is_named;
    uint32_t operations[WATCH_SERVICE_OPERATIONS];
    size_t operation_count;
    double entered, inner; /* requests from outside and from inside; they fade */
    int64_t span_step;     /* of the newest request that a span told of; 0: none */
    watch_metrics metrics;
    bool is_by_spans, is_by_metrics; /* who tells of its requests, as of the last look */
    watch_break breaks[FL_SIGN_KIND_COUNT];
} watch_service;

typedef struct watch_call {
    uint32_t caller, callee;
    int64_t seen_ns;
} watch_call;

struct fl_watch {
    fl_watch_options options;
    fl_sink sink;
    fl_intern *names;
    watch_service *services;
    size_t service_count;
    watch_operation **operations;
    size_t operation_count;
    fl_map *call_at; /* caller and callee to a place in `calls` */
    watch_call *calls;
    size_t call_count;
    fl_links *links;
    fl_map *instance_at; /* their keys to their places */
    watch_instance *instances;
    size_t instance_count, instance_free; /* how many of them have no instance now */
    size_t instance_next;                 /* where the next of those may be */
    int64_t instances_swept_ns;
    fl_told *told, *told_again; /* as it comes; of the past, while that is told */
    int64_t now_ns, looked_step, turned_ns, paused_ns;
    bool is_paused;
    int64_t head_step;            /* the newest that is kept */
    uint32_t points[WATCH_STEPS]; /* of everybody: telemetry goes on */
    uint32_t spans[WATCH_STEPS];
    const char **entries;
    size_t past_windows, sustained_windows;
    fl_arena scratch, names_arena;
    fl_watch_stats stats;
};

/* Requests of one service, window by window, the oldest first. */
typedef struct watch_windows {
    double requests[WATCH_WINDOWS], errors[WATCH_WINDOWS];
    double slowness[WATCH_WINDOWS]; /* ln of latency over the operation's usual one; NaN: none */
    double others[WATCH_WINDOWS];   /* telemetry that is not this service's requests */
    int64_t end_ns;
} watch_windows;

/* Look at one service, which is passed over where it is no entry. */
FL_NODISCARD fl_status fl_watch_look(fl_watch *watch, watch_service *service, int64_t end_step,
                                     fl_watch_visit *visit, void *payload, fl_error *err);
bool fl_watch_is_entry(const watch_service *service);

/* The number of a service, which is made where it is new; FL_NO_SERVICE: there is no room. */
FL_NODISCARD fl_status fl_watch_service(uint32_t *out, fl_watch *watch, fl_slice name,
                                        fl_error *err);
/* So many more requests; a cell that is full takes no more. */
static inline void fl_watch_add(watch_cell *cell, uint32_t count, bool is_error)
{
    uint32_t room = UINT32_MAX - cell->requests, more = count < room ? count : room;
    cell->requests += more;
    cell->errors += is_error ? more : 0;
}
/* The same of those whose latency is known, with the sum of its logarithms. */
static inline void fl_watch_add_timed(watch_cell *cell, uint32_t count, double log_ms)
{
    if (count > UINT32_MAX - cell->timed)
        return;
    cell->timed += count;
    cell->log_ms += (float)log_ms;
}

/* The place of an operation in the rings, made where it is new; *out NULL: there is no room. */
FL_NODISCARD fl_status fl_watch_operation(watch_operation **out, fl_watch *watch,
                                          watch_service *service, unsigned source, uint64_t hash,
                                          fl_error *err);
/* Whether a record's step is kept; those that are not are counted. */
bool fl_watch_is_kept(fl_watch *watch, int64_t step);
/* Whether a step is in the rings. */
static inline bool fl_watch_has_step(const fl_watch *watch, int64_t step)
{
    return step <= watch->head_step && step > watch->head_step - WATCH_STEPS;
}

/* --- watch_told.c: requests that metrics tell of --- */

/* Handles below FL_MAX_WATCHED_SERVICES are services, those above instances of one, and from
 * WATCH_CROWDED on services again, of whose instances there are too many. */
enum { WATCH_CROWDED = FL_MAX_WATCHED_SERVICES + FL_MAX_WATCHED_INSTANCES };
FL_NODISCARD fl_status fl_watch_instance(uint32_t *handle, fl_watch *watch, uint32_t service,
                                         fl_slice instance, fl_error *err);
static inline uint32_t fl_watch_service_of(const fl_watch *watch, uint32_t handle)
{
    if (handle < FL_MAX_WATCHED_SERVICES || handle == FL_NO_SERVICE)
        return handle;
    return handle >= WATCH_CROWDED ? handle - WATCH_CROWDED
                                   : watch->instances[handle - FL_MAX_WATCHED_SERVICES].service;
}
/* A point of one of those metrics. */
FL_NODISCARD fl_status fl_watch_take_told(fl_watch *watch, uint32_t handle, unsigned metric,
                                          const fl_point *point, fl_error *err);
/* Who tells of a service's requests, before it is looked at. */
void fl_watch_choose(const fl_watch *watch, watch_service *service);
/* The step up to which all of a service's metrics have told; 0: they do not go on. */
int64_t fl_watch_told_step(const fl_watch *watch, const watch_service *service, int64_t end_step);

/* What is known of who calls whom is taken out of the spans that wait for that. */
void fl_watch_turn(fl_watch *watch);

#endif
