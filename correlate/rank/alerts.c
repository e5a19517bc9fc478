/*
 * alerts.c - rules that fired, weighed: a cause explains the alerts of its own service and of those
 * that call it, directly or not.
 *
 * An alert is a symptom. It was made of numbers that the other parts weigh themselves, so that it
 * makes no hypothesis and lifts none over the gate: it tells those apart that telemetry calls real.
 * With r the share of the services at which a cause would explain an alert, and e that of alerts
 * which have nothing to do with the incident, one that a hypothesis explains says of it
 *
 *     ln( 1 / ((1 - e) r + e) )          of an entry, which all would explain: nothing
 *
 * That a hypothesis does not explain an alert says nothing against it, since there may be two
 * incidents, and rules fire for reasons of their own: counted, it put healthy services before the
 * causes of labelled incidents where three of these had alerts and the cause had none.
 *
 * A service counts once, however many of its rules fire, by the first of them: they measure one
 * thing. Alerts of several services follow from one another as well, so that their sum is clipped,
 * as what is remembered is (priors.c), and turned into nats of score in the same way.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "queries.h"
#include "rank_priv.h"
#include "timestamp.h"

enum { MAX_ALERTED = 64 }; /* services, the first to fire; each is a walk over the calls */

/* One alert in ten is another incident's: what it is does not matter much, it bounds what one says.
 */
#define STRAY_SHARE 0.1
/* What says less is not shown. */
#define LEAST_SHOWN 0.05

/* A rule waits for as much as a quarter of an hour before it fires, and the stated time may be its.
 */
static const int64_t reach_ns = INT64_C(900) * 1000000000;

typedef struct alerted {
    uint32_t alert, service;
    bool *explains; /* per service: a cause there would */
    double nats;    /* that it says of such a cause */
} alerted;

/* Which services one calls, directly or not, and itself. */
static void follow_calls(bool *out, const struct rank *r, uint32_t from, uint32_t *queue)
{
    const fl_timeline *t = r->timeline;
    size_t first = 0, last = 0;
    out[from] = true;
    for (queue[last++] = from; first < last; first++) {
        for (size_t i = 0; i < t->topology_count; i++) {
            const fl_topology_edge *edge = &t->topology[i];
            if (edge->caller == queue[first] && !out[edge->callee]) {
                out[edge->callee] = true;
                queue[last++] = edge->callee;
            }
        }
        for (size_t i = 0; i < r->streams->call_count; i++) {
            const fl_call *call = &r->streams->calls[i];
            uint32_t callee = t->operations[call->server].service;
            if (t->operations[call->client].service == queue[first] && !out[callee]) {
                out[callee] = true;
                queue[last++] = callee;
            }
        }
    }
    assert(last <= t->service_count);
}

/* The end of the incident's windows; INT64_MIN where it has none. */
static int64_t end_of_incident(const fl_timeline *t)
{
    int64_t end = INT64_MIN;
    for (size_t w = 0; w < t->window_count; w++)
        if (t->windows[w].incident && t->windows[w].to_ns > end)
            end = t->windows[w].to_ns;
    return end;
}

/* Services with an alert that began with the incident, each with its first. */
static fl_status find_alerted(alerted *out, size_t *count, struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    int64_t end = end_of_incident(t);
    uint32_t *queue;
    fl_status status = FL_RANK_NEW(r->arena, queue, t->service_count + 1, "services", err);
    for (uint32_t i = 0; i < t->alert_count && *count < MAX_ALERTED && status == FL_OK; i++) {
        const fl_alert *alert = &t->alerts[i];
        bool is_known = alert->service == FL_NO_INDEX;
        if (alert->starts_ns < t->at_ns - reach_ns || alert->starts_ns >= end)
            continue;
        for (size_t k = 0; k < *count && !is_known; k++)
            is_known = out[k].service == alert->service;
        if (is_known)
            continue;
        alerted *one = &out[*count];
        *one = (alerted){.alert = i, .service = alert->service};
        status = FL_RANK_NEW(r->arena, one->explains, t->service_count, "services", err);
        if (status != FL_OK)
            return status;
        memset(one->explains, 0, t->service_count * sizeof(*one->explains));
        follow_calls(one->explains, r, one->service, queue);
        size_t explaining = 0;
        for (size_t s = 0; s < t->service_count; s++)
            explaining += one->explains[s];
        double share = (double)explaining / (double)t->service_count;
        one->nats = -log((1 - STRAY_SHARE) * share + STRAY_SHARE);
        *count += 1;
    }
    return status;
}

/* The sum is clipped; each alert then stands with its part of what is left. */
static void weigh(struct candidate *c, const alerted *all, size_t count)
{
    double sum = 0, most = log(FL_RANK_PRIOR_ODDS);
    for (size_t i = 0; i < count; i++)
        sum += all[i].explains[c->service] ? all[i].nats : 0;
    if (sum <= 0)
        return;
    double clipped = fmin(most, sum) / (FIT_SCORE + FIT_MARGIN);
    for (size_t i = 0; i < count; i++) {
        double part = all[i].explains[c->service] ? all[i].nats * clipped / sum : 0;
        if (part >= LEAST_SHOWN)
            fl_rank_add_part(c, PART_ALERT, all[i].alert, part);
    }
    c->score += clipped;
}

fl_status fl_rank_alerts(struct rank *r, fl_error *err)
{
    alerted all[MAX_ALERTED];
    size_t count = 0;
    if (r->timeline->alert_count == 0 || r->timeline->service_count == 0)
        return FL_OK;
    fl_status status = find_alerted(all, &count, r, err);
    for (size_t i = 0; i < r->candidate_count && status == FL_OK; i++)
        if (r->candidates[i].score > FL_LBF_REAL)
            weigh(&r->candidates[i], all, count);
    return status;
}

void fl_rank_explain_alert(fl_evidence *out, struct rank *r, const struct candidate *c,
                           uint32_t index)
{
    const fl_alert *alert = &r->timeline->alerts[index];
    const char *service = r->timeline->services[alert->service];
    const char *name = alert->name != NULL ? alert->name : "without a name";
    char time[FL_TIME_TEXT];
    fl_time_format(time, alert->starts_ns);
    bool is_own = alert->service == c->service;
    out->modality = FL_MODALITY_ALERTS;
    out->at_ns = alert->starts_ns;
    out->value = NAN;
    out->baseline = NAN;
    out->query = fl_query_alert(r->arena, alert->name != NULL ? alert->name : "");
    out->text = fl_arena_printf(r->arena, "the alert %.200s of %s%s fires from %.8s", name,
                                is_own ? service : "its caller ", is_own ? "" : service,
                                time + strlen("2023-01-29T"));
}
