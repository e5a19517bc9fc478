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

enum {
    MAX_ALERTED = 64, /* services, the first to fire; each is MAX_HOPS walks over the calls */
    MAX_HOPS = 8      /* as far as groups follow a trouble */
};

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
    uint8_t *reach; /* per service: calls on the way there, and one; 0: no cause there explains */
    double nats;    /* that it says of such a cause */
} alerted;

/* A service that was just reached leads on to what it calls. */
static bool follow_call(uint8_t *out, uint32_t caller, uint32_t callee, unsigned hop)
{
    if (out[caller] != hop + 1 || out[callee] != 0)
        return false;
    out[callee] = (uint8_t)(hop + 2);
    return true;
}

/* Which services one calls, directly or not, and itself. All calls once for each hop: with many
 * services they cost more than what is reached. */
static void follow_calls(uint8_t *out, const struct rank *r, uint32_t from)
{
    const fl_timeline *t = r->timeline;
    bool is_more = true;
    assert(from < t->service_count);
    memset(out, 0, t->service_count * sizeof(*out));
    out[from] = 1;
    for (unsigned hop = 0; hop < MAX_HOPS && is_more; hop++) {
        is_more = false;
        for (size_t i = 0; i < t->topology_count; i++)
            is_more |= follow_call(out, t->topology[i].caller, t->topology[i].callee, hop);
        for (size_t i = 0; i < r->streams->call_count; i++) {
            const fl_call *call = &r->streams->calls[i];
            is_more |= follow_call(out, t->operations[call->client].service,
                                   t->operations[call->server].service, hop);
        }
    }
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
    fl_status status = FL_OK;
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
        status = FL_RANK_NEW(r->arena, one->reach, t->service_count, "services", err);
        if (status != FL_OK)
            return status;
        follow_calls(one->reach, r, one->service);
        size_t explaining = 0;
        for (size_t s = 0; s < t->service_count; s++)
            explaining += one->reach[s] > 0;
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
        sum += all[i].reach[c->service] > 0 ? all[i].nats : 0;
    if (sum <= 0)
        return;
    double clipped = fmin(most, sum) / (FIT_SCORE + FIT_MARGIN);
    for (size_t i = 0; i < count; i++) {
        double part = all[i].reach[c->service] > 0 ? all[i].nats * clipped / sum : 0;
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
