/*
 * incidents.c - start and stop, the taps, the threads.
 *
 * A tap is on the thread of a request, which its sender waits for: it takes the watch's lock for as
 * long as its own records need, and leaves what it found for the keeper. The keeper does not wait
 * for a triage, nor a page for the store: a slow disk or a long triage makes neither older.
 */
#include "incidents.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "incidents_priv.h"
#include "mem.h"
#include "sign.h"
#include "slice.h"
#include "timestamp.h"

static const int64_t default_triage_every_ns = 2 * FL_NS_PER_S;
static const int64_t default_lease_ns = 30 * FL_NS_PER_S;
static const int64_t default_quiet_ns = 300 * FL_NS_PER_S;

/* ---- taps ---- */

/* The watch calls it from within a tap: the sign waits for the keeper. */
/* A copy, since what the watch tells of lives during its call. What finds no room is counted; it is
 * safe in the archive, and a sender repeats alerts that last. */
fl_status fl_incidents_post(void *payload, const fl_sign *sign, fl_error *err)
{
    fl_incidents *incidents = payload;
    incidents_mail *mail = fl_mem_alloc(sizeof(*mail) + fl_sign_text_bytes(sign));
    if (mail == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a sign of trouble");
    fl_sign_copy(&mail->sign, (char *)(mail + 1), sign);
    mail->next = NULL;
    mail->came_ns = fl_time_monotonic();
    pthread_mutex_lock(&incidents->lock);
    bool is_room = incidents->mail_count < FL_MAX_SIGNS;
    if (is_room) {
        *incidents->last_mail = mail;
        incidents->last_mail = &mail->next;
        incidents->mail_count++;
    } else {
        incidents->stats.signs_refused++;
    }
    pthread_mutex_unlock(&incidents->lock);
    if (!is_room)
        fl_mem_free(mail);
    return FL_OK;
}

/* What the watch cannot take for want of memory is safe in the archive all the same. */
void fl_incidents_take(fl_incidents *incidents, fl_incidents_replay *replay, const void *from)
{
    fl_error err = {0};
    pthread_mutex_lock(&incidents->watching);
    fl_status status = replay(from, fl_watch_sink(incidents->watch), &err);
    pthread_mutex_unlock(&incidents->watching);
    pthread_mutex_lock(&incidents->lock);
    incidents->stats.taps_failed += status != FL_OK;
    if (incidents->mail_count > 0)
        pthread_cond_signal(&incidents->wake);
    pthread_mutex_unlock(&incidents->lock);
}

typedef struct tapped {
    const fl_archive_batch *batch;
    uint64_t *passed; /* points that were not told */
} tapped;

static fl_status replay_batch(const void *from, const fl_sink *sink, fl_error *err)
{
    const tapped *tap = from;
    return fl_archive_batch_replay_requests(tap->passed, tap->batch, sink, err);
}

/* Logs, and points that tell of no requests, have nothing for the watch but that they come. */
void fl_incidents_batch(void *payload, const fl_archive_batch *batch)
{
    fl_incidents *incidents = payload;
    uint64_t points = fl_archive_batch_count(batch, FL_ARCHIVE_POINT);
    uint64_t logs = fl_archive_batch_count(batch, FL_ARCHIVE_LOG);
    if (fl_archive_batch_count(batch, FL_ARCHIVE_SPAN) > 0 ||
        fl_archive_batch_count(batch, FL_ARCHIVE_ALERT) > 0 ||
        fl_archive_batch_requests(batch) > 0) {
        logs = 0; /* they are told */
        fl_incidents_take(incidents, replay_batch, &(tapped){batch, &points});
    }
    pthread_mutex_lock(&incidents->watching);
    fl_watch_goes_on(incidents->watch, points, logs);
    pthread_mutex_unlock(&incidents->watching);
}

/* ---- threads ---- */

/* A moment so many milliseconds from now, as pthread_cond_timedwait() wants it. */
static struct timespec soon(long ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* It wakes for signs and for answers, and else every few milliseconds: pages, leases, the watch. */
static void *keep(void *payload)
{
    fl_incidents *incidents = payload;
    for (;;) {
        pthread_mutex_lock(&incidents->lock);
        if (!incidents->is_stopping && incidents->mail_count == 0 &&
            incidents->job_state != JOB_DONE) {
            struct timespec at = soon(INCIDENTS_TICK_MS);
            (void)pthread_cond_timedwait(&incidents->wake, &incidents->lock, &at);
        }
        bool is_over = incidents->is_stopping;
        pthread_mutex_unlock(&incidents->lock);
        if (is_over)
            return NULL;
        fl_incidents_keep(incidents);
    }
}

/* True where there was one. */
static bool run_job(fl_incidents *incidents)
{
    pthread_mutex_lock(&incidents->lock);
    bool is_asked = incidents->job_state == JOB_ASKED;
    if (is_asked)
        incidents->job_state = JOB_RUNNING;
    pthread_mutex_unlock(&incidents->lock);
    if (!is_asked)
        return false;
    fl_incident_triage(incidents, &incidents->job);
    pthread_mutex_lock(&incidents->lock);
    assert(incidents->job_state == JOB_RUNNING);
    incidents->job_state = JOB_DONE;
    pthread_cond_signal(&incidents->wake);
    pthread_mutex_unlock(&incidents->lock);
    return true;
}

/* How often it is asked is up to the keeper: half of the time at most. */
static void *triage(void *payload)
{
    fl_incidents *incidents = payload;
    for (;;) {
        pthread_mutex_lock(&incidents->lock);
        while (!incidents->is_stopping && incidents->job_state != JOB_ASKED)
            (void)pthread_cond_wait(&incidents->asked, &incidents->lock);
        bool is_over = incidents->is_stopping;
        pthread_mutex_unlock(&incidents->lock);
        if (is_over)
            return NULL;
        (void)run_job(incidents);
    }
}

/* It ends when the past has been told. */
static void *refill(void *payload)
{
    fl_incidents_refill(payload);
    return NULL;
}

void fl_incidents_turn(fl_incidents *incidents)
{
    assert(!incidents->has_keeper);
    if (incidents->stats.is_refilling)
        fl_incidents_refill(incidents);
    fl_incidents_keep(incidents);
    if (run_job(incidents))
        fl_incidents_keep(incidents);
}

/* ---- start and stop ---- */

/* NULL for want of memory. */
static char *copy_of(const char *text)
{
    char *out = fl_mem_alloc(strlen(text) + 1);
    if (out != NULL)
        memcpy(out, text, strlen(text) + 1);
    return out;
}

/* The store last: nothing has been claimed where memory ran out before. */
static fl_status make_parts(fl_incidents *incidents, fl_error *err)
{
    const fl_incidents_options *o = &incidents->options;
    incidents->store_url = copy_of(o->store);
    incidents->owner = copy_of(o->owner);
    if (incidents->store_url == NULL || incidents->owner == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for incidents");
    const fl_watch_options watch = {.false_alarms_a_week = o->false_alarms_a_week,
                                    .entries = o->entries,
                                    .entry_count = o->entry_count,
                                    .past_ns = o->past_ns,
                                    .sustained_ns = o->sustained_ns,
                                    .alert = fl_incidents_post,
                                    .payload = incidents};
    fl_status status = fl_watch_create(&incidents->watch, &watch, err);
    if (status == FL_OK)
        status = fl_calls_create(&incidents->calls, err);
    const fl_groups_options groups = {.calls = incidents->calls,
                                      .effect_ns = o->effect_ns,
                                      .quiet_ns = o->quiet_ns,
                                      .max_groups = o->most_open,
                                      .ended = fl_incidents_ended,
                                      .payload = incidents};
    if (status == FL_OK)
        status = fl_groups_create(&incidents->groups, &groups, err);
    if (status == FL_OK)
        status = fl_store_open(&incidents->store, incidents->store_url, FL_STORE_CREATE, err);
    return status;
}

/* What was started is stopped by fl_incidents_stop(). */
static fl_status start_threads(fl_incidents *incidents, fl_error *err)
{
    if (incidents->options.has_no_thread)
        return FL_OK;
    incidents->has_keeper = pthread_create(&incidents->keeper, NULL, keep, incidents) == 0;
    incidents->has_triager = pthread_create(&incidents->triager, NULL, triage, incidents) == 0;
    incidents->has_refiller = pthread_create(&incidents->refiller, NULL, refill, incidents) == 0;
    if (!incidents->has_keeper || !incidents->has_triager || !incidents->has_refiller)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no thread for incidents");
    return FL_OK;
}

/* First what was open, then what came after that was written, then what comes. */
fl_status fl_incidents_start(fl_incidents **out, const fl_incidents_options *options, fl_error *err)
{
    assert(options->store != NULL && options->owner != NULL && options->read != NULL);
    *out = NULL;
    fl_incidents *incidents = fl_mem_calloc(1, sizeof(*incidents));
    if (incidents == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for incidents");
    incidents->options = *options;
    fl_incidents_options *o = &incidents->options;
    o->triage_every_ns = o->triage_every_ns > 0 ? o->triage_every_ns : default_triage_every_ns;
    o->lease_ns = o->lease_ns > 0 ? o->lease_ns : default_lease_ns;
    o->quiet_ns = o->quiet_ns > 0 ? o->quiet_ns : default_quiet_ns;
    incidents->last_mail = &incidents->first_mail;
    (void)pthread_mutex_init(&incidents->lock, NULL);
    (void)pthread_mutex_init(&incidents->watching, NULL);
    (void)pthread_cond_init(&incidents->wake, NULL);
    (void)pthread_cond_init(&incidents->asked, NULL);
    fl_status status = make_parts(incidents, err);
    if (status == FL_OK)
        status = fl_incidents_claim(incidents, true, err);
    if (status == FL_OK)
        status = fl_incidents_read_alerts(incidents, fl_incidents_now(incidents), err);
    if (status == FL_OK)
        status = fl_incidents_begin_refill(incidents, err);
    if (status == FL_OK)
        status = start_threads(incidents, err);
    if (status != FL_OK) {
        fl_incidents_stop(incidents);
        return status;
    }
    *out = incidents;
    return FL_OK;
}

/* A triage under way is waited for: it reads what the caller is about to close. */
static void stop_threads(fl_incidents *incidents)
{
    pthread_mutex_lock(&incidents->lock);
    incidents->is_stopping = true;
    pthread_cond_broadcast(&incidents->wake);
    pthread_cond_broadcast(&incidents->asked);
    pthread_mutex_unlock(&incidents->lock);
    if (incidents->has_keeper)
        (void)pthread_join(incidents->keeper, NULL);
    if (incidents->has_triager)
        (void)pthread_join(incidents->triager, NULL);
    if (incidents->has_refiller)
        (void)pthread_join(incidents->refiller, NULL);
}

/* What had come is told before the end: a last round writes it. */
void fl_incidents_stop(fl_incidents *incidents)
{
    if (incidents == NULL)
        return;
    stop_threads(incidents);
    if (incidents->store != NULL && incidents->groups != NULL)
        fl_incidents_finish(incidents);
    while (incidents->first_mail != NULL) {
        incidents_mail *mail = incidents->first_mail;
        incidents->first_mail = mail->next;
        fl_mem_free(mail);
    }
    for (size_t i = 0; i < incidents->item_count; i++)
        fl_incidents_free_item(incidents->items[i]);
    fl_mem_free(incidents->items);
    fl_mem_free(incidents->job.answer);
    fl_groups_destroy(incidents->groups);
    fl_calls_destroy(incidents->calls);
    fl_watch_destroy(incidents->watch);
    fl_store_close(incidents->store);
    fl_store_close(incidents->triage_store);
    (void)pthread_mutex_destroy(&incidents->lock);
    (void)pthread_mutex_destroy(&incidents->watching);
    (void)pthread_cond_destroy(&incidents->wake);
    (void)pthread_cond_destroy(&incidents->asked);
    fl_mem_free(incidents->store_url);
    fl_mem_free(incidents->owner);
    fl_mem_free(incidents);
}

/* What another daemon keeps is told under that one's id: it is the page that there will be. */
size_t fl_incidents_visit(fl_incidents *incidents, size_t most, fl_incidents_visitor *visit,
                          void *payload)
{
    pthread_mutex_lock(&incidents->lock);
    size_t count = fl_groups_count(incidents->groups);
    for (size_t i = 0; i < count && i < most; i++) {
        const fl_group *group = fl_groups_at(incidents->groups, i);
        const incidents_item *item = fl_incidents_item(incidents, group->key);
        if (item == NULL) /* for want of memory; the next round tries again */
            continue;
        const fl_incidents_open open = {.id = item->is_followed ? item->merged_to : item->id,
                                        .trouble_at = group->root,
                                        .opened_ns = item->opened_ns,
                                        .onset_ns = group->onset_ns,
                                        .verdict = item->answer != NULL ? item->head.verdict : NULL,
                                        .service =
                                            item->head.cause != NULL ? item->head.service : NULL,
                                        .cause = item->head.cause,
                                        .probability = item->head.probability,
                                        .signs = group->member_count,
                                        .signs_lasting = group->lasting_count};
        visit(payload, &open);
    }
    pthread_mutex_unlock(&incidents->lock);
    return count;
}

/* One lock after the other: figures of both need not be of one moment. */
fl_incidents_stats fl_incidents_stats_of(fl_incidents *incidents)
{
    pthread_mutex_lock(&incidents->watching);
    fl_watch_stats watch = fl_watch_stats_of(incidents->watch);
    pthread_mutex_unlock(&incidents->watching);
    pthread_mutex_lock(&incidents->lock);
    fl_incidents_stats stats = incidents->stats;
    stats.open = fl_groups_count(incidents->groups);
    stats.signs = 0;
    for (size_t i = 0; i < stats.open; i++)
        stats.signs += fl_groups_at(incidents->groups, i)->member_count;
    stats.signs_waiting = incidents->mail_count;
    pthread_mutex_unlock(&incidents->lock);
    stats.spans = watch.spans;
    stats.points = watch.points;
    stats.logs = watch.logs;
    stats.alerts = watch.alerts;
    stats.breaks = watch.breaks;
    stats.entries = watch.entries;
    stats.services = watch.services;
    return stats;
}
