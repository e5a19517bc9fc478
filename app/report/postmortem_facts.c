/*
 * postmortem_facts.c - what users met, from the series of the entry services, and when it was
 * noticed.
 *
 * A step is bad where more requests fail than nine in ten steps of the baseline show and than
 * chance would add to that (three times the root: Poisson), or where half or the slowest hundredth
 * of the requests take twice as long as that. The impact lasts from the first bad step to the last;
 * requests that fail as often as ever are not counted as failed by the incident.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "postmortem_priv.h"
#include "slice.h"
#include "timestamp.h"

#define SLOW   2.0 /* times the usual: what people notice, whatever the service */
#define CHANCE 3.0 /* standard deviations */

typedef struct entry_lanes {
    const fl_lane *requests, *errors, *p50, *p99;
} entry_lanes;

/* The four series of a service, which follow each other. */
static entry_lanes lanes_of(const fl_picture *picture, const char *service)
{
    entry_lanes out = {0};
    assert(picture != NULL && service != NULL);
    for (size_t i = 0; i < picture->lane_count; i++) {
        const fl_lane *lane = &picture->lanes[i];
        if (!lane->is_entry || lane->kind != FL_PICTURE_TRACE ||
            strcmp(lane->service, service) != 0)
            continue;
        if (strcmp(lane->name, "requests") == 0)
            out.requests = lane;
        else if (strcmp(lane->name, "errors") == 0)
            out.errors = lane;
        else if (strcmp(lane->name, "p50") == 0)
            out.p50 = lane;
        else if (strcmp(lane->name, "p99") == 0)
            out.p99 = lane;
    }
    return out;
}

/* NaN on either side is not slow. */
static bool is_slow(const fl_lane *lane, size_t step)
{
    return lane != NULL && lane->values[step] > SLOW * lane->usual_high;
}

/* Where there is no baseline nothing is more than usual. */
static bool is_failing(const fl_lane *lane, size_t step)
{
    return lane != NULL &&
           lane->values[step] > lane->usual_high + CHANCE * sqrt(fmax(lane->usual_high, 1));
}

/* Any of the three is felt by users. */
static bool is_bad(const entry_lanes *lanes, size_t step)
{
    return is_failing(lanes->errors, step) || is_slow(lanes->p50, step) ||
           is_slow(lanes->p99, step);
}

/* The first step of the incident: that in which it began at the earliest. */
static size_t first_step(const fl_picture *picture)
{
    int64_t from_ns = picture->at_ns;
    if (picture->onset.at_ns != 0 && picture->onset.low_ns < from_ns)
        from_ns = picture->onset.low_ns;
    assert(picture->step_ns > 0);
    if (from_ns <= picture->from_ns)
        return 0;
    return (size_t)((from_ns - picture->from_ns) / picture->step_ns);
}

/* Errors of usual times are taken off; more of them than errors there were counts as none. */
static void sum_up(pm_impact *out, const entry_lanes *lanes, size_t first, size_t last)
{
    assert(first <= last);
    out->requests = out->failed = 0;
    out->slowest_ms = out->usual_ms = NAN;
    for (size_t i = first; i <= last; i++) {
        if (lanes->requests != NULL && isfinite(lanes->requests->values[i]))
            out->requests += lanes->requests->values[i];
        if (lanes->errors != NULL && isfinite(lanes->errors->values[i]))
            out->failed += lanes->errors->values[i] -
                           (isfinite(lanes->errors->usual) ? lanes->errors->usual : 0);
        if (is_slow(lanes->p99, i) && !(lanes->p99->values[i] < out->slowest_ms)) {
            out->slowest_ms = lanes->p99->values[i];
            out->usual_ms = lanes->p99->usual;
        }
    }
    out->requests = nearbyint(out->requests);
    out->failed = nearbyint(fmax(out->failed, 0));
    out->share = out->requests > 0 ? fmin(out->failed / out->requests, 1) : NAN;
}

/* The end of a step. The last one may reach beyond the window, where nothing was measured. */
static int64_t end_of(const fl_picture *picture, size_t step, int64_t from_ns)
{
    int64_t to_ns = picture->from_ns + (int64_t)(step + 1) * picture->step_ns;
    assert(step < picture->step_count);
    bool is_cut = picture->window.to_ns > from_ns && picture->window.to_ns < to_ns;
    return is_cut ? picture->window.to_ns : to_ns;
}

/* False where nothing of it was bad. */
static bool measure(pm_impact *out, const fl_picture *picture, const char *service)
{
    const entry_lanes lanes = lanes_of(picture, service);
    size_t first = picture->step_count, last = 0, told = 0;
    for (size_t i = first_step(picture); i < picture->step_count; i++) {
        if (lanes.p50 != NULL && isfinite(lanes.p50->values[i]))
            told = i;
        if (!is_bad(&lanes, i))
            continue;
        first = first < i ? first : i;
        last = i;
    }
    if (first == picture->step_count)
        return false;
    int64_t from_ns = picture->from_ns + (int64_t)first * picture->step_ns;
    *out = (pm_impact){.service = service,
                       .from_ns = from_ns,
                       .to_ns = end_of(picture, last, from_ns),
                       .is_over = told > last};
    sum_up(out, &lanes, first, last);
    return true;
}

/* Lanes of one service follow each other, so that each is looked at once. */
static void find_impacts(pm_facts *out, const fl_picture *picture)
{
    const char *seen = NULL;
    for (size_t i = 0; i < picture->lane_count && out->impact_count < PM_MOST_IMPACTS; i++) {
        const fl_lane *lane = &picture->lanes[i];
        if (!lane->is_entry || lane->kind != FL_PICTURE_TRACE ||
            (seen != NULL && strcmp(seen, lane->service) == 0))
            continue;
        seen = lane->service;
        out->has_entries = true;
        out->impact_count += measure(&out->impacts[out->impact_count], picture, lane->service);
    }
}

/* ---- times ---- */

/* 0 where it is missing or no time. */
static int64_t time_of(const json_t *object, const char *key)
{
    int64_t at_ns = 0;
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || fl_time_parse(&at_ns, fl_slice_of(text), 0, NULL) != FL_OK)
        return 0;
    return at_ns;
}

/* What a daemon says of an incident that it opened. A document without it is one of a command. */
static void find_live(pm_facts *out, const char *document)
{
    json_t *root = document != NULL ? json_loads(document, 0, NULL) : NULL;
    const json_t *live = json_object_get(root, "live");
    out->opened_ns = time_of(live, "opened");
    out->closed_ns = time_of(live, "closed");
    json_decref(root);
}

/* The first alert that fired no earlier than the trouble may have begun; one that fired long before
 * is of something else. */
static const fl_picture_event *first_alert(const fl_picture *picture, const fl_onset *began)
{
    int64_t from_ns = began->at_ns != 0 ? began->low_ns : picture->at_ns - picture->step_ns;
    for (size_t i = 0; i < picture->event_count; i++)
        if (picture->events[i].kind == FL_PICTURE_ALERT && picture->events[i].at_ns >= from_ns)
            return &picture->events[i];
    return NULL;
}

/* The earlier of the two. */
static void find_detection(pm_facts *out, const fl_picture *picture, fl_arena *arena)
{
    const fl_picture_event *alert = picture != NULL ? first_alert(picture, &out->began) : NULL;
    if (alert != NULL) {
        out->detected_ns = alert->at_ns;
        out->detected_by = fl_arena_printf(arena, "the alert %.200s fired", alert->text);
    }
    if (out->opened_ns != 0 && (alert == NULL || out->opened_ns < alert->at_ns)) {
        out->detected_ns = out->opened_ns;
        out->detected_by = "an incident was opened by the program";
    }
}

/* When the last entry service was well again; all of them have to be. */
static void find_mitigation(pm_facts *out)
{
    for (size_t i = 0; i < out->impact_count; i++) {
        if (!out->impacts[i].is_over) {
            out->mitigated_ns = 0;
            return;
        }
        if (out->impacts[i].to_ns > out->mitigated_ns)
            out->mitigated_ns = out->impacts[i].to_ns;
    }
}

/* Who names a cause while the trouble lasts has taken it on by then. What is said when it is over,
 * or where its end is not known, may be of those who look back, and tells nothing. */
static void find_acknowledgement(pm_facts *out, int64_t said_ns)
{
    int64_t over_ns = out->mitigated_ns != 0 ? out->mitigated_ns : out->closed_ns;
    if (said_ns != 0 && said_ns <= over_ns && said_ns >= out->began.low_ns)
        out->acknowledged_ns = said_ns;
}

/* Without a picture only what the answer and the daemon say is known. */
void fl_pm_find_facts(pm_facts *out, const fl_postmortem_input *in, fl_arena *arena)
{
    assert(out != NULL && in->incident != NULL);
    *out = (pm_facts){.began = in->incident->onset};
    find_live(out, in->document);
    if (in->picture != NULL)
        find_impacts(out, in->picture);
    find_detection(out, in->picture, arena);
    find_mitigation(out);
    find_acknowledgement(out, in->said_ns);
}
