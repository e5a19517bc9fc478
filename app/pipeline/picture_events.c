/*
 * picture_events.c - what happened: changes, alerts, what profiles found. By time; of too many the
 * oldest leave.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "picture_priv.h"

/* A change may wait a day for what it breaks; older ones are the baseline's. */
static const int64_t past_ns = INT64_C(86400) * 1000000000;

/* For texts that may be NULL: those without come first. */
static int compare_texts(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* By time; equal times by content. */
static int compare_events(const void *left, const void *right)
{
    const fl_picture_event *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = compare_texts(a->service, b->service);
    return order != 0 ? order : compare_texts(a->text, b->text);
}

/* For people; the contract has words of its own. */
static const char *word_of(fl_change_kind kind)
{
    static const char *const words[] = {[FL_CHANGE_DEPLOY] = "deploy",
                                        [FL_CHANGE_CONFIG] = "configuration",
                                        [FL_CHANGE_FLAG] = "flag",
                                        [FL_CHANGE_MERGE_REQUEST] = "merge request"};
    assert(kind < FL_CHANGE_KIND_COUNT);
    return words[kind];
}

/* "configuration pool.size: 50 -> 5 (argocd)"; a version that the telemetry shows has no source. */
static const char *sentence(fl_arena *arena, const fl_change *change)
{
    bool has_key = change->key != NULL, has_after = change->after != NULL;
    bool has_before = change->before != NULL;
    const char *source = change->is_seen ? "seen in the telemetry" : change->source;
    return fl_arena_printf(arena, "%s%s%s%s%s%s%s%s%s%s", word_of(change->kind), has_key ? " " : "",
                           has_key ? change->key : "", has_before || has_after ? ": " : "",
                           has_before ? change->before : "", has_after && has_before ? " -> " : "",
                           has_after ? change->after : "", source != NULL ? " (" : "",
                           source != NULL ? source : "", source != NULL ? ")" : "");
}

/* What came after the window is not part of the incident. */
static bool is_near(const struct picture *p, int64_t at_ns)
{
    return at_ns >= p->out->at_ns - past_ns && at_ns < p->out->window.to_ns;
}

/* Texts are made here, since a change has none. */
static fl_status add_changes(fl_picture_event *out, size_t *count, struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    for (size_t i = 0; i < t->change_count; i++) {
        const fl_change *change = &t->changes[i];
        if (!is_near(p, change->time_ns))
            continue;
        fl_picture_event event = {.at_ns = change->time_ns,
                                  .kind = FL_PICTURE_CHANGE,
                                  .text = sentence(p->arena, change),
                                  .query = change->url};
        if (change->service != FL_NO_INDEX)
            event.service = t->services[change->service];
        if (event.text == NULL)
            return fl_picture_no_memory(err);
        out[(*count)++] = event;
    }
    return FL_OK;
}

/* "HighErrorRate (critical): 12 % of requests fail" */
static const char *alert_sentence(fl_arena *arena, const fl_alert *alert)
{
    bool has_severity = alert->severity != NULL, has_summary = alert->summary != NULL;
    return fl_arena_printf(arena, "%.300s%s%.100s%s%s%.400s",
                           alert->name != NULL ? alert->name : "an alert without a name",
                           has_severity ? " (" : "", has_severity ? alert->severity : "",
                           has_severity ? ")" : "", has_summary ? ": " : "",
                           has_summary ? alert->summary : "");
}

/* Each rule once for each time it began to fire, as the timeline keeps them. */
static fl_status add_alerts(fl_picture_event *out, size_t *count, struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    for (size_t i = 0; i < t->alert_count; i++) {
        const fl_alert *alert = &t->alerts[i];
        if (!is_near(p, alert->starts_ns))
            continue;
        fl_picture_event event = {.at_ns = alert->starts_ns,
                                  .until_ns = alert->ends_ns,
                                  .kind = FL_PICTURE_ALERT,
                                  .text = alert_sentence(p->arena, alert)};
        if (alert->service != FL_NO_INDEX)
            event.service = t->services[alert->service];
        if (event.text == NULL)
            return fl_picture_no_memory(err);
        out[(*count)++] = event;
    }
    return FL_OK;
}

/* What profiles found has moments of its own. */
static void add_moments(fl_picture_event *out, size_t *count, const struct picture *p)
{
    const fl_incident *incident = p->in->incident;
    for (size_t i = 0; i < incident->moment_count; i++) {
        const fl_moment *moment = &incident->moments[i];
        out[(*count)++] = (fl_picture_event){.at_ns = moment->at_ns,
                                             .kind = FL_PICTURE_PROFILE,
                                             .service = moment->service,
                                             .text = moment->text,
                                             .query = moment->query};
    }
}

/* Gathered, sorted, and the newest kept. */
fl_status fl_picture_find_events(struct picture *p, fl_error *err)
{
    size_t capacity =
        p->timeline->change_count + p->timeline->alert_count + p->in->incident->moment_count;
    size_t count = 0;
    fl_picture_event *all = fl_arena_alloc(&p->scratch, capacity + 1, sizeof(*all));
    fl_picture_event *kept = fl_arena_alloc(p->arena, FL_PICTURE_EVENTS, sizeof(*kept));
    if (all == NULL || kept == NULL)
        return fl_picture_no_memory(err);
    fl_status status = add_changes(all, &count, p, err);
    if (status == FL_OK)
        status = add_alerts(all, &count, p, err);
    if (status != FL_OK)
        return status;
    add_moments(all, &count, p);
    assert(count <= capacity);
    if (count > 0)
        qsort(all, count, sizeof(*all), compare_events);
    size_t most = count < FL_PICTURE_EVENTS ? count : FL_PICTURE_EVENTS;
    if (most > 0)
        memcpy(kept, all + (count - most), most * sizeof(*kept));
    p->out->events = kept;
    p->out->event_count = most;
    p->out->events_left_out = count - most;
    return FL_OK;
}
