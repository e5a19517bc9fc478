/*
 * puller_priv.h - the puller's plan: what is asked when, of whom.
 *
 * A plan is made of the configuration and the lists of targets, and replaced as a whole when a list
 * changes; what was learnt of targets that stay is taken over. Times are monotonic but where they
 * are called wall.
 */
#ifndef FL_PULLER_PRIV_H
#define FL_PULLER_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "arena.h"
#include "prometheus.h"
#include "pull.h"
#include "puller.h"

enum { PULLER_PROFILES = 8, PULLER_MAX_TARGETS = 512, PULLER_MAX_GROUPS = 64 };

/* Texts are in the arena of the list. */
typedef struct puller_target {
    const char *service, *instance, *url;
    const fl_config_pprof *group;
    fl_puller *puller;
    fl_pull_source *server;
    size_t next; /* profile of the round in hand */
    bool is_in_round, has_failed;
    uint32_t missing;   /* bit i: it has no profile i of the group's list */
    int64_t missing_ns; /* since when the first of them is known */
    int64_t due_ns, began_ns, busy_ns;
    bool is_stretched;
} puller_target;

typedef struct puller_query {
    fl_puller *puller;
    const fl_config_source *source;
    const fl_config_query *query;
    fl_pull_source *server;
    int64_t due_ns, at_wall_ns;
    bool is_asked;
} puller_query;

/* A group of targets whose list may change. */
typedef struct puller_group {
    fl_puller *puller;
    const fl_config_pprof *config;
    fl_pull_source *server; /* a Prometheus, whose targets they are; NULL: none */
    int64_t due_ns;
    bool is_asked;
    fl_arena found_arena; /* of what the Prometheus told last */
    puller_target *found;
    size_t found_count;
    uint64_t found_hash;
    int64_t file_time_ns; /* of the file that was read */
    uint64_t file_bytes;
} puller_group;

/* All that goes when a list of targets changes. */
typedef struct puller_plan {
    fl_arena arena;
    fl_pull *pull;
    puller_target *targets;
    size_t target_count;
    puller_query *queries;
    size_t query_count;
} puller_plan;

struct fl_puller {
    fl_puller_options options;
    fl_receive_tap taps[FL_RECEIVE_MAX_TAPS];
    puller_plan plan;
    puller_group groups[PULLER_MAX_GROUPS];
    size_t group_count;
    bool is_changed; /* a list of targets: another plan is wanted */
    int64_t look_ns; /* when the files of targets are looked at again */
    fl_archive_batch *batch;
    pthread_t thread;
    _Atomic bool should_stop;
    pthread_mutex_t lock; /* of `shown` */
    fl_puller_stats stats, shown;
    fl_pull_stats before; /* of plans that are gone */
};

/* ---- lists of targets (puller_targets.c) ---- */

/* A plan of the configuration, the files and what Prometheus told. */
FL_NODISCARD fl_status fl_puller_plan(puller_plan *out, fl_puller *puller, fl_error *err);
void fl_puller_plan_dispose(puller_plan *plan);
/* Whether a file of targets is another one than was read. */
bool fl_puller_files_changed(const fl_puller *puller);
/* Ask the Prometheus of a group for its targets. */
FL_NODISCARD fl_status fl_puller_ask_targets(puller_group *group, fl_error *err);

/* ---- what is asked (puller_ask.c) ---- */

/* The next moment of the schedule after now, shifted by a hash of `name`. */
int64_t fl_puller_next(const char *name, int64_t interval_ns, int64_t now_ns, int64_t wall_ns);
FL_NODISCARD fl_status fl_puller_begin_round(puller_target *target, int64_t now_ns, fl_error *err);
FL_NODISCARD fl_status fl_puller_ask_query(puller_query *query, fl_error *err);

void fl_puller_say(const fl_puller *puller, const char *format, ...) FL_PRINTF(2, 3);

#endif
