/*
 * puller.c - the thread: what is due is asked, what is answered is kept, figures are shown.
 *
 * Invariants: (1) all but `shown` and `should_stop` belongs to the thread once it runs; (2) a plan
 * is replaced between steps only, never inside of an answer's call.
 */
#include "puller.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "puller_priv.h"
#include "timestamp.h"

/* Files of targets are looked at this often; a Prometheus is asked at most this often. */
static const int64_t look_ns = 5 * FL_NS_PER_S, list_least_ns = 60 * FL_NS_PER_S;
/* After a failure of ours, such as want of memory, before anything is tried again. */
static const int64_t rest_ns = FL_NS_PER_S;

void fl_puller_say(const fl_puller *puller, const char *format, ...)
{
    char sentence[512];
    va_list args;
    if (puller->options.say == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    puller->options.say(puller->options.say_to, sentence);
}

/* ---- figures ---- */

/* Of clients that a reload has ended, and of those that run. */
static void add_cost(fl_pull_stats *sum, const fl_pull_stats *more)
{
    sum->requests += more->requests;
    sum->retries += more->retries;
    sum->wire_bytes += more->wire_bytes;
}

/* Of all servers of the plan in hand. */
static fl_pull_stats cost_of(const fl_puller *puller, uint64_t *open)
{
    const puller_plan *plan = &puller->plan;
    fl_pull_stats sum = {0};
    *open = 0;
    for (size_t i = 0; i < plan->target_count; i++) {
        fl_pull_stats one = fl_pull_stats_of(plan->targets[i].server);
        add_cost(&sum, &one);
        *open += one.state == FL_PULL_OPEN;
    }
    for (size_t i = 0; i < plan->query_count; i++) {
        if (i > 0 && plan->queries[i].server == plan->queries[i - 1].server)
            continue; /* one source has several queries */
        fl_pull_stats one = fl_pull_stats_of(plan->queries[i].server);
        add_cost(&sum, &one);
        *open += one.state == FL_PULL_OPEN;
    }
    for (size_t i = 0; i < puller->group_count; i++)
        if (puller->groups[i].server != NULL) {
            fl_pull_stats one = fl_pull_stats_of(puller->groups[i].server);
            add_cost(&sum, &one);
            *open += one.state == FL_PULL_OPEN;
        }
    return sum;
}

static void show(fl_puller *puller)
{
    fl_puller_stats *stats = &puller->stats;
    fl_pull_stats sum = cost_of(puller, &stats->sources_open);
    add_cost(&sum, &puller->before);
    stats->requests = sum.requests;
    stats->retries = sum.retries;
    stats->wire_bytes = sum.wire_bytes;
    stats->targets = puller->plan.target_count;
    stats->stretched = 0;
    for (size_t i = 0; i < puller->plan.target_count; i++)
        stats->stretched += puller->plan.targets[i].is_stretched;
    (void)pthread_mutex_lock(&puller->lock);
    puller->shown = *stats;
    (void)pthread_mutex_unlock(&puller->lock);
}

/* A copy that the thread left: nobody waits for a transfer to see figures. */
fl_puller_stats fl_puller_stats_of(fl_puller *puller)
{
    fl_puller_stats out = {0};
    if (puller == NULL)
        return out;
    (void)pthread_mutex_lock(&puller->lock);
    out = puller->shown;
    (void)pthread_mutex_unlock(&puller->lock);
    return out;
}

/* ---- the loop ---- */

/* Targets come and go faster than their profiles are asked for. */
static int64_t list_interval(const puller_group *group)
{
    int64_t interval_ns = group->config->interval_ns;
    return interval_ns < list_least_ns ? interval_ns : list_least_ns;
}

static fl_status ask_due(fl_puller *puller, int64_t now_ns, fl_error *err)
{
    const puller_plan *plan = &puller->plan;
    fl_status status = FL_OK;
    for (size_t i = 0; i < plan->target_count && status == FL_OK; i++)
        if (!plan->targets[i].is_in_round && plan->targets[i].due_ns <= now_ns)
            status = fl_puller_begin_round(&plan->targets[i], now_ns, err);
    for (size_t i = 0; i < plan->query_count && status == FL_OK; i++)
        if (!plan->queries[i].is_asked && plan->queries[i].due_ns <= now_ns)
            status = fl_puller_ask_query(&plan->queries[i], err);
    for (size_t i = 0; i < puller->group_count && status == FL_OK; i++) {
        puller_group *group = &puller->groups[i];
        if (group->server == NULL || group->is_asked || group->due_ns > now_ns)
            continue;
        group->due_ns = now_ns + list_interval(group);
        status = fl_puller_ask_targets(group, err);
    }
    return status;
}

/* Another plan; where it cannot be made the one in hand stays. */
static void plan_again(fl_puller *puller)
{
    puller_plan fresh;
    fl_error err = {0};
    uint64_t open;
    fl_pull_stats sum = cost_of(puller, &open);
    puller_group *before = fl_mem_calloc(puller->group_count + 1, sizeof(*before));
    puller->is_changed = false;
    if (before == NULL)
        return;
    memcpy(before, puller->groups, puller->group_count * sizeof(*before));
    fl_status status = fl_puller_plan(&fresh, puller, &err);
    if (status != FL_OK) {
        fl_puller_say(puller, "targets stay as they were: %s", err.message);
        for (size_t i = 0; i < puller->group_count; i++) {
            puller->groups[i].server = before[i].server;
            puller->groups[i].is_asked = before[i].is_asked;
        }
    } else {
        add_cost(&puller->before, &sum);
        fl_puller_plan_dispose(&puller->plan);
        puller->plan = fresh;
        puller->stats.list_changes++;
        fl_puller_say(puller, "%zu programs are asked for profiles", fresh.target_count);
    }
    fl_mem_free(before);
}

/* The only thread that touches the plan. */
static void *run(void *payload)
{
    fl_puller *puller = payload;
    while (!puller->should_stop) {
        fl_error err = {0};
        int64_t now_ns = fl_time_monotonic();
        if (now_ns >= puller->look_ns) {
            puller->look_ns = now_ns + look_ns;
            puller->is_changed |= fl_puller_files_changed(puller);
        }
        if (puller->is_changed)
            plan_again(puller);
        fl_status status = ask_due(puller, now_ns, &err);
        if (status == FL_OK)
            status = fl_pull_step(puller->plan.pull, FL_NS_PER_S, &err);
        show(puller);
        if (status != FL_OK) {
            fl_puller_say(puller, "%s; asked again in a second", err.message);
            const struct timespec rest = {.tv_sec = (time_t)(rest_ns / FL_NS_PER_S)};
            (void)nanosleep(&rest, NULL);
        }
    }
    return NULL;
}

/* ---- start and stop ---- */

static void destroy(fl_puller *puller)
{
    fl_puller_plan_dispose(&puller->plan);
    for (size_t i = 0; i < puller->group_count; i++)
        fl_arena_dispose(&puller->groups[i].found_arena);
    fl_archive_batch_destroy(puller->batch);
    (void)pthread_mutex_destroy(&puller->lock);
    fl_mem_free(puller);
}

/* A thread for nothing is not started. */
static bool is_wanted(const fl_config *config)
{
    bool any = config->sources.pprof.count > 0;
    for (size_t i = 0; i < config->sources.prometheus.count; i++)
        any |= config->sources.prometheus.items[i].queries.count > 0;
    return any;
}

static fl_status prepare(fl_puller *puller, fl_error *err)
{
    const fl_config_pprofs *list = &puller->options.config->sources.pprof;
    if (list->count > PULLER_MAX_GROUPS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d groups of targets",
                       PULLER_MAX_GROUPS);
    for (size_t i = 0; i < list->count; i++)
        puller->groups[puller->group_count++] =
            (puller_group){.puller = puller, .config = &list->items[i]};
    fl_status status = fl_archive_batch_create(&puller->batch, err);
    puller_plan first = {0};
    if (status == FL_OK)
        status = fl_puller_plan(&first, puller, err);
    puller->plan = first; /* not before: a plan knows by the one in hand that it is the first */
    if (status == FL_OK && pthread_create(&puller->thread, NULL, run, puller) != 0)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no thread to pull with");
    return status;
}

fl_status fl_puller_start(fl_puller **out, const fl_puller_options *options, fl_error *err)
{
    assert(options->config != NULL && options->archive != NULL);
    assert(options->tap_count <= FL_RECEIVE_MAX_TAPS);
    *out = NULL;
    if (!is_wanted(options->config))
        return FL_OK;
    fl_puller *puller = fl_mem_calloc(1, sizeof(*puller));
    if (puller == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to pull");
    puller->options = *options;
    for (size_t i = 0; i < options->tap_count; i++)
        puller->taps[i] = options->taps[i];
    (void)pthread_mutex_init(&puller->lock, NULL);
    fl_status status = prepare(puller, err);
    if (status != FL_OK) {
        destroy(puller);
        return status;
    }
    *out = puller;
    return FL_OK;
}

/* What is under way is given up: it is asked for again after the next start. */
void fl_puller_stop(fl_puller *puller)
{
    if (puller == NULL)
        return;
    puller->should_stop = true;
    (void)pthread_join(puller->thread, NULL);
    destroy(puller);
}
