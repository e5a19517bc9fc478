/*
 * incident_keep.c - one round of the keeper: look, sort what came into groups, hear what the triage
 * says, ask for the next one, write what changed.
 *
 * Invariant: at the end of a round every group has an item under its key, and every item without a
 * state has a group.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "incidents_priv.h"
#include "mem.h"
#include "report.h"
#include "slice.h"
#include "timestamp.h"

static const int64_t look_every_ns = FL_NS_PER_S;
static const int64_t calls_every_ns = 15 * FL_NS_PER_S;
static const int64_t window_ns = 300 * FL_NS_PER_S; /* `faultline triage` looks as far */
static const int64_t grown_ns = 60 * FL_NS_PER_S;   /* one more of the triage's minutes */
static const int64_t rule_wait_ns = 120 * FL_NS_PER_S;

/* Of the incidents. What a machine does is measured by the monotonic clock. */
int64_t fl_incidents_now(const fl_incidents *incidents)
{
    const fl_incidents_options *o = &incidents->options;
    return o->now != NULL ? o->now(o->payload) : fl_time_now();
}

/* ---- what came ---- */

/* Alerts come through the taps and breaks through the look; both wait in one list, so that the
 * order in which they are told is that in which they came. */

/* Breaks and calls out of the watch. */
static void look(fl_incidents *incidents, int64_t now_ns)
{
    fl_error err = {0};
    if (now_ns - incidents->looked_ns < look_every_ns)
        return;
    incidents->looked_ns = now_ns;
    pthread_mutex_lock(&incidents->watching);
    fl_status status =
        fl_watch_advance(incidents->watch, now_ns, fl_incidents_post, incidents, &err);
    if (now_ns - incidents->called_ns >= calls_every_ns && status == FL_OK) {
        pthread_mutex_lock(&incidents->lock);
        fl_calls_clear(incidents->calls);
        status = fl_watch_calls(incidents->watch, incidents->calls, &err);
        pthread_mutex_unlock(&incidents->lock);
        incidents->called_ns = now_ns;
    }
    pthread_mutex_unlock(&incidents->watching);
    pthread_mutex_lock(&incidents->lock);
    incidents->stats.taps_failed += status != FL_OK;
    pthread_mutex_unlock(&incidents->lock);
}

/* Within the lock. Where there is no memory the rest waits for the next round. */
static void sort_mail(fl_incidents *incidents, int64_t now_ns)
{
    int64_t now_mono = fl_time_monotonic();
    while (incidents->first_mail != NULL) {
        incidents_mail *mail = incidents->first_mail;
        uint64_t key;
        fl_status status = fl_groups_tell(&key, incidents->groups, &mail->sign, now_ns, NULL);
        if (status == FL_E_NOMEM)
            return;
        incidents->stats.signs_taken += status == FL_OK;
        incidents->stats.signs_refused += status != FL_OK;
        if (now_mono - mail->came_ns > incidents->stats.longest_wait_ns)
            incidents->stats.longest_wait_ns = now_mono - mail->came_ns;
        incidents->first_mail = mail->next;
        if (mail->next == NULL)
            incidents->last_mail = &incidents->first_mail;
        incidents->mail_count--;
        fl_mem_free(mail);
    }
    assert(incidents->mail_count == 0);
}

/* ---- triages ---- */

/* One at a time: incidents that open at once are rarely many, and each reads the same hour. Which
 * is next depends on what was never looked at, then on what has waited longest. */

/* Within the lock. */
static void hear_triage(fl_incidents *incidents, int64_t now_ns)
{
    incidents_job *job = &incidents->job;
    const char *causes[INCIDENTS_MAX_CAUSES];
    if (incidents->job_state != JOB_DONE)
        return;
    incidents->job_state = JOB_NONE;
    assert(job->took_ns >= 0);
    incidents->rest_until_ns = now_ns + job->took_ns;
    incidents->stats.triages++;
    incidents->stats.triages_failed += job->status != FL_OK;
    incidents->stats.triage_ns += job->took_ns;
    incidents_item *item = job->is_last ? NULL : fl_incidents_item(incidents, job->key);
    if (item != NULL) {
        item->triaged_version = job->version;
        item->triaged_from_ns = job->at_ns;
        item->triaged_to_ns = job->to_ns;
        int64_t rest = 4 * job->took_ns;
        int64_t least = incidents->options.triage_every_ns;
        item->next_triage_ns = now_ns + (rest > least ? rest : least);
    }
    if (item != NULL && job->status == FL_OK) {
        fl_mem_free(item->answer);
        item->answer = job->answer;
        item->head = job->head;
        job->answer = NULL;
        item->written_version = 0; /* the page is another */
        for (size_t i = 0; i < job->cause_count; i++)
            causes[i] = job->causes[i];
        const fl_causes all = {causes, job->cause_count};
        if (fl_groups_diagnose(incidents->groups, job->key, &all, now_ns, NULL) != FL_OK)
            incidents->stats.triages_failed++; /* for want of memory: the next one says it again */
    }
    fl_mem_free(job->answer);
    job->answer = NULL;
}

/* When it began: a break tells that, an alert only when its rule had waited. */
static void window_of(fl_range *out, const fl_group *group, int64_t now_ns)
{
    bool is_alert = group->members[0].sign->kind == FL_SIGN_ALERT;
    out->from_ns = group->onset_ns - (is_alert ? rule_wait_ns : 0);
    out->from_ns -= out->from_ns % FL_NS_PER_S;
    int64_t most = out->from_ns + window_ns + (is_alert ? rule_wait_ns : 0);
    out->to_ns = now_ns < most ? now_ns : most;
    if (out->to_ns < out->from_ns + grown_ns)
        out->to_ns = out->from_ns + grown_ns;
}

/* `group` NULL: the last triage of what is over, for the graph to remember. */
static void ask_for(fl_incidents *incidents, const incidents_item *item, const fl_group *group,
                    const fl_range *window)
{
    incidents_job *job = &incidents->job;
    assert(incidents->job_state == JOB_NONE && job->answer == NULL);
    const char *service = group != NULL ? group->members[0].sign->service : NULL;
    *job = (incidents_job){.key = item->key,
                           .at_ns = window->from_ns,
                           .to_ns = window->to_ns,
                           .version = group != NULL ? group->version : 0,
                           .is_last = group == NULL};
    (void)snprintf(job->id, sizeof(job->id), "%s", item->id);
    (void)snprintf(job->service, sizeof(job->service), "%s", service != NULL ? service : "");
    incidents->job_state = JOB_ASKED;
    pthread_cond_signal(&incidents->asked);
}

/* Whether there is more to see than the last time. */
static bool is_due(const incidents_item *item, const fl_group *group, const fl_range *window,
                   int64_t now_ns)
{
    if (item->is_followed || now_ns < item->next_triage_ns)
        return false;
    return item->triaged_version != group->version ||
           window->to_ns - item->triaged_to_ns >= grown_ns;
}

/* Within the lock: those that were never triaged first, then the one that waits longest. */
static void ask_triage(fl_incidents *incidents, int64_t now_ns)
{
    const incidents_item *best = NULL;
    fl_range window = {0};
    if (incidents->job_state != JOB_NONE || now_ns < incidents->rest_until_ns)
        return;
    for (size_t i = 0; i < incidents->item_count; i++) {
        incidents_item *item = incidents->items[i];
        const fl_group *group =
            item->state == NULL ? fl_groups_find(incidents->groups, item->key) : NULL;
        fl_range own;
        if (group == NULL)
            continue;
        window_of(&own, group, now_ns);
        if (!is_due(item, group, &own, now_ns) ||
            (best != NULL && best->next_triage_ns <= item->next_triage_ns))
            continue;
        best = item;
        window = own;
    }
    if (best != NULL) {
        ask_for(incidents, best, fl_groups_find(incidents->groups, best->key), &window);
        return;
    }
    for (size_t i = 0; i < incidents->item_count; i++) {
        incidents_item *item = incidents->items[i];
        if (item->state == NULL || !item->wants_note)
            continue;
        item->wants_note = false;
        window = (fl_range){item->triaged_from_ns, item->triaged_to_ns};
        ask_for(incidents, item, NULL, &window);
        return;
    }
}

/* ---- a round ---- */

/* In this order: a diagnosis is heard by groups that are up to date, and a question asked of what
 * is left of them. */
static void sort_all(fl_incidents *incidents, int64_t now_ns)
{
    pthread_mutex_lock(&incidents->lock);
    sort_mail(incidents, now_ns);
    fl_incidents_give_items(incidents);
    hear_triage(incidents, now_ns);
    fl_groups_settle(incidents->groups, now_ns);
    fl_incidents_give_items(incidents);
    ask_triage(incidents, now_ns);
    fl_incidents_forget(incidents);
    pthread_mutex_unlock(&incidents->lock);
}

/* The clock is read once: all of a round happens at one moment. */
void fl_incidents_keep(fl_incidents *incidents)
{
    int64_t now_ns = fl_incidents_now(incidents);
    look(incidents, now_ns);
    sort_all(incidents, now_ns);
    fl_incidents_write(incidents, now_ns, false);
    fl_incidents_renew(incidents, now_ns);
}

/* Leases are left to run out: after a restart of the same owner nobody waits for that. */
void fl_incidents_finish(fl_incidents *incidents)
{
    int64_t now_ns = fl_incidents_now(incidents);
    pthread_mutex_lock(&incidents->lock);
    sort_mail(incidents, now_ns);
    fl_incidents_give_items(incidents);
    pthread_mutex_unlock(&incidents->lock);
    fl_incidents_write(incidents, now_ns, true);
}
