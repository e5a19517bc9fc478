/*
 * puller_ask.c - one query, one round of profiles, and where their answers go.
 *
 * A round's cost to the target is the time that its answers took, which is more than the processor
 * time that they took: so the share that the configuration allows is kept on the safe side. Of a
 * profile that is sampled over seconds these seconds are not counted.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "puller_priv.h"
#include "redact.h"
#include "slice.h"
#include "stream.h"
#include "timestamp.h"

/* Of a CPU profile. Go samples 100 times a second: 500 stacks tell what is above one percent. */
enum { CPU_SECONDS = 5, PATH_BYTES = 8192 };

/* A program that was replaced by a newer one may have it: a day is how often that happens. */
static const int64_t forget_missing_ns = 86400 * FL_NS_PER_S;

int64_t fl_puller_next(const char *name, int64_t interval_ns, int64_t now_ns, int64_t wall_ns)
{
    assert(interval_ns > 0 && wall_ns >= 0);
    int64_t shift =
        name != NULL ? (int64_t)(fl_hash_stable(fl_slice_of(name)) % (uint64_t)interval_ns) : 0;
    int64_t into = (wall_ns - shift) % interval_ns;
    if (into < 0)
        into += interval_ns;
    return now_ns + interval_ns - into;
}

/* ---- profiles ---- */

static fl_status next_profile(puller_target *target, fl_error *err);

/* A bit for each profile that the program does not have: a 404 is not asked for again. */
static bool is_missing(const puller_target *target, size_t profile)
{
    return (target->missing >> profile & 1) != 0;
}

static const char *name_of(const puller_target *target)
{
    return target->group->profiles.items[target->next];
}

/* The one that makes the program work for as long as it is taken. */
static bool is_cpu(const char *name)
{
    return strcmp(name, "profile") == 0;
}

/* Go's profiles are gzip: anything else is a page of whoever stands in front of the program. */
static fl_status keep_profile(puller_target *target, const fl_pull_answer *answer)
{
    fl_puller *puller = target->puller;
    fl_error err = {0};
    const char *name = name_of(target);
    if (!fl_stream_is_packed(answer->body)) {
        puller->stats.profile_failures++;
        return FL_OK;
    }
    const fl_archive_profile who = {.service = fl_slice_of(target->service),
                                    .instance = fl_slice_of(target->instance),
                                    .type = is_cpu(name) ? FL_SLICE("cpu") : fl_slice_of(name),
                                    .time_ns = answer->sent_ns};
    fl_status status = fl_archive_put_profile(puller->options.archive, &who, answer->body, &err);
    if (status == FL_OK) {
        puller->stats.profiles++;
        puller->stats.profile_bytes += answer->body.len;
    } else
        puller->stats.not_kept++;
    return status == FL_E_NOMEM ? status : FL_OK;
}

/* The next round comes after the interval, or later where this one took too much of its time. */
static void end_round(puller_target *target)
{
    const fl_config_pprof *group = target->group;
    int64_t now_ns = fl_time_monotonic(), wall_ns = fl_time_now();
    double share = group->overhead_ratio > 0 ? group->overhead_ratio : 1;
    int64_t least_ns = (int64_t)((double)target->busy_ns / share);
    target->is_in_round = false;
    target->puller->stats.busy_ns += target->busy_ns;
    target->is_stretched = least_ns > group->interval_ns;
    target->due_ns = target->is_stretched
                         ? target->began_ns + least_ns
                         : fl_puller_next(target->url, group->interval_ns, now_ns, wall_ns);
    if (target->missing != 0 && now_ns - target->missing_ns > forget_missing_ns)
        target->missing = 0;
}

/* A profile that failed costs itself; the round goes on with the next. */
static fl_status on_profile(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    puller_target *target = payload;
    fl_puller *puller = target->puller;
    fl_status status = FL_OK;
    if (answer->http != 0) {
        int64_t waited_ns = is_cpu(name_of(target)) ? CPU_SECONDS * FL_NS_PER_S : 0;
        target->busy_ns += answer->duration_ns > waited_ns ? answer->duration_ns - waited_ns : 0;
    }
    if (answer->status == FL_OK)
        status = keep_profile(target, answer);
    else if (answer->status == FL_E_NOTFOUND) {
        puller->stats.not_served++;
        if (target->missing == 0)
            target->missing_ns = fl_time_monotonic();
        target->missing |= 1u << target->next;
    } else {
        puller->stats.profile_failures++;
        if (!target->has_failed)
            fl_puller_say(puller, "profiles of %s: %s", target->service, answer->message);
    }
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "no memory for a profile");
    bool is_there = answer->http != 0;
    target->has_failed = !is_there;
    if (!is_there) { /* nobody there: the other questions would be as vain */
        end_round(target);
        return FL_OK;
    }
    target->next++;
    return next_profile(target, err);
}

static fl_status next_profile(puller_target *target, fl_error *err)
{
    const fl_config_texts *list = &target->group->profiles;
    char path[256];
    size_t count = list->count < PULLER_PROFILES ? list->count : PULLER_PROFILES;
    while (target->next < count && is_missing(target, target->next))
        target->next++;
    if (target->next == count) {
        end_round(target);
        return FL_OK;
    }
    const char *name = name_of(target);
    if (is_cpu(name))
        (void)snprintf(path, sizeof(path), "/%s?seconds=%d", name, CPU_SECONDS);
    else
        (void)snprintf(path, sizeof(path), "/%s", name);
    return fl_pull_get(target->server, path, on_profile, target, err);
}

fl_status fl_puller_begin_round(puller_target *target, int64_t now_ns, fl_error *err)
{
    assert(!target->is_in_round && target->server != NULL);
    target->is_in_round = true;
    target->next = 0;
    target->busy_ns = 0;
    target->began_ns = now_ns;
    return next_profile(target, err);
}

/* ---- queries ---- */

/* Durable, and then seen by who looks at all that is accepted. */
static void commit(fl_puller *puller)
{
    fl_error err = {0};
    bool repeated = false;
    fl_status status = fl_archive_commit(&repeated, puller->options.archive, puller->batch, &err);
    if (status != FL_OK) {
        puller->stats.not_kept++;
        return;
    }
    puller->stats.points += repeated ? 0 : fl_archive_batch_records(puller->batch);
    for (size_t i = 0; !repeated && i < puller->options.tap_count; i++)
        puller->taps[i].batch(puller->taps[i].payload, puller->batch);
}

/* Labels hold what people write, as attributes do. */
static fl_status decode(puller_query *query, fl_slice body, fl_error *err)
{
    fl_puller *puller = query->puller;
    fl_redact_rules *rules =
        puller->options.receive != NULL ? fl_receive_redaction(puller->options.receive) : NULL;
    const fl_sink *sink = fl_archive_batch_sink(puller->batch);
    fl_redact *redact = NULL;
    fl_prometheus *decoder = NULL;
    fl_status status = FL_OK;
    if (rules != NULL)
        status = fl_redact_create(&redact, rules, sink, err);
    const fl_intake to = {.sink = redact != NULL ? fl_redact_sink(redact) : sink,
                          .source = query->source->url};
    if (status == FL_OK)
        status = fl_prometheus_create(&decoder, &to, err);
    if (status == FL_OK) {
        fl_prometheus_set_name(decoder, fl_slice_of(query->query->name));
        status = fl_prometheus_answer(decoder, body, err);
    }
    fl_prometheus_destroy(decoder);
    fl_redact_destroy(redact);
    fl_redact_rules_destroy(rules);
    return status;
}

static fl_status on_query(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    puller_query *query = payload;
    fl_puller *puller = query->puller;
    fl_error why = {0};
    query->is_asked = false;
    puller->stats.queries++;
    fl_archive_batch_clear(puller->batch);
    fl_status status = answer->status;
    const char *message = answer->message;
    if (status == FL_OK) {
        status = decode(query, answer->body, &why);
        message = why.message;
    }
    if (status == FL_E_NOMEM)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", message);
    if (status != FL_OK) {
        puller->stats.query_failures++;
        fl_puller_say(puller, "query '%.80s': %s", query->query->query, message);
        return FL_OK;
    }
    commit(puller);
    return FL_OK;
}

/* For the moment of the schedule, not for that of the request. */
fl_status fl_puller_ask_query(puller_query *query, fl_error *err)
{
    fl_buf path = fl_buf_of(PATH_BYTES);
    int64_t wall_ns = fl_time_now(), interval_ns = query->source->interval_ns;
    assert(!query->is_asked && interval_ns > 0);
    query->at_wall_ns = wall_ns - wall_ns % interval_ns;
    query->due_ns = fl_puller_next(NULL, interval_ns, fl_time_monotonic(), wall_ns);
    fl_buf_text(&path, "/api/v1/query?query=");
    fl_pull_escape(&path, fl_slice_of(query->query->query));
    fl_buf_printf(&path, "&time=%lld.%03d", (long long)(query->at_wall_ns / FL_NS_PER_S),
                  (int)(query->at_wall_ns % FL_NS_PER_S / FL_NS_PER_MS));
    fl_status status = fl_buf_check(&path, "a query", err);
    if (status == FL_OK)
        status = fl_pull_get(query->server, path.ptr, on_query, query, err);
    query->is_asked = status == FL_OK;
    fl_buf_dispose(&path);
    return status;
}
