/*
 * incident_triage.c - one triage of an open incident: over what was accepted, beside what the graph
 * remembers. The last one of an incident is also remembered.
 *
 * Alerts count by whose they are and by when they began: the first one's service is the symptom
 * that the ranking is asked about, and the window begins before it. Of causes that telemetry calls
 * real they speak for those that explain them (correlate/rank/alerts.c).
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "incidents_priv.h"
#include "mem.h"
#include "remember.h"
#include "report.h"
#include "report_picture.h"
#include "symptoms.h"
#include "timestamp.h"

static const int64_t default_baseline_ns = INT64_C(3600) * 1000000000;

typedef struct feeding {
    const fl_incidents *incidents;
    int64_t from_ns, to_ns;
} feeding;

static fl_status pass_over_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    (void)payload;
    (void)alert;
    (void)err;
    return FL_OK;
}

/* The incident has its alerts already. */
static fl_status feed(void *payload, const fl_sink *sink, fl_error *err)
{
    const feeding *from = payload;
    const fl_incidents_options *o = &from->incidents->options;
    fl_sink all = *sink;
    if (all.alert == NULL)
        all.alert = pass_over_alert;
    return o->read(o->payload, from->from_ns, from->to_ns, &all, err);
}

/* Services of what telemetry calls real, in the order of the ranking, each once. */
static void take_causes(incidents_job *job, const fl_incident *incident)
{
    job->cause_count = 0;
    if (incident->verdict != FL_VERDICT_CAUSE_FOUND)
        return;
    for (size_t i = 0; i < incident->hypothesis_count; i++) {
        const fl_hypothesis *h = &incident->hypotheses[i];
        bool is_known = h->service == NULL || h->score < FL_SYMPTOM_NATS;
        for (size_t c = 0; c < job->cause_count; c++)
            is_known |= strcmp(job->causes[c], h->service != NULL ? h->service : "") == 0;
        if (is_known || job->cause_count == INCIDENTS_MAX_CAUSES)
            continue;
        (void)snprintf(job->causes[job->cause_count++], sizeof(job->causes[0]), "%s", h->service);
    }
}

/* As the store's columns have it, so that a list of open incidents and one of all say the same. */
void fl_incident_head_of(incidents_head *out, const fl_incident *incident)
{
    const fl_hypothesis *best = incident->hypothesis_count > 0 ? &incident->hypotheses[0] : NULL;
    *out = (incidents_head){.verdict = fl_verdict_name(incident->verdict)};
    if (best == NULL)
        return;
    out->cause = fl_cause_name(best->cause);
    out->probability = best->probability;
    (void)snprintf(out->service, sizeof(out->service), "%s",
                   best->service != NULL ? best->service : "");
}

/* The answer under the incident's own id, which it keeps however often it is triaged. */
static fl_status write_answer(incidents_job *job, const fl_incident *incident, fl_error *err)
{
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_report_json(&out, incident, err);
    if (status != FL_OK) {
        fl_buf_dispose(&out);
        return status;
    }
    job->answer = out.ptr; /* whoever has the job frees it */
    return FL_OK;
}

/* What is drawn of it, beside the page that the keeper writes. */
static fl_status keep_picture(fl_incidents *incidents, const incidents_job *job, fl_triage *triage,
                              fl_error *err)
{
    const fl_picture *picture = NULL;
    fl_buf out = fl_buf_of(FL_MAX_PICTURE_BYTES);
    fl_status status = fl_triage_picture(&picture, triage, err);
    if (status == FL_OK) {
        fl_picture mine = *picture;
        mine.incident = job->id;
        status = fl_report_picture_json(&out, &mine, err);
    }
    if (status == FL_OK)
        status = fl_store_put_picture(incidents->triage_store, job->id, fl_buf_slice(&out), err);
    fl_buf_dispose(&out);
    return status;
}

/* Without its graph a triage has the answer of telemetry alone. */
static fl_status answer(fl_incidents *incidents, incidents_job *job, fl_triage *triage,
                        fl_error *err)
{
    fl_remember remember = {0};
    fl_error why = {0};
    int64_t now = job->to_ns;
    if (incidents->triage_store == NULL &&
        fl_store_open(&incidents->triage_store, incidents->store_url, FL_STORE_CREATE, &why) !=
            FL_OK)
        incidents->triage_store = NULL;
    bool has_memory =
        incidents->triage_store != NULL &&
        fl_remember_recall(&remember, triage, incidents->triage_store, now, &why) == FL_OK;
    fl_incident mine = *fl_triage_incident(triage);
    mine.id = job->id;
    take_causes(job, &mine);
    fl_incident_head_of(&job->head, &mine);
    fl_status status = write_answer(job, &mine, err);
    if (status == FL_OK && incidents->triage_store != NULL && why.status == FL_OK)
        (void)keep_picture(incidents, job, triage, &why); /* the next triage keeps a newer one */
    if (status == FL_OK && job->is_last && has_memory)
        status = fl_remember_note(&remember, &mine, incidents->triage_store, now, err);
    fl_remember_dispose(&remember);
    if (why.status != FL_OK) { /* the connection is made anew the next time */
        fl_store_close(incidents->triage_store);
        incidents->triage_store = NULL;
    }
    return status;
}

/* A failure is the job's: the page keeps the last answer, and the next triage may do better. */
void fl_incident_triage(fl_incidents *incidents, incidents_job *job)
{
    fl_error err = {0};
    fl_triage *triage = NULL;
    int64_t began = fl_time_monotonic();
    int64_t baseline =
        incidents->options.baseline_ns > 0 ? incidents->options.baseline_ns : default_baseline_ns;
    assert(job->to_ns > job->at_ns && job->answer == NULL);
    feeding from = {.incidents = incidents, .from_ns = job->at_ns - baseline, .to_ns = job->to_ns};
    const fl_triage_feed feeds[] = {{.read = feed, .payload = &from, .tells_changes = true}};
    const fl_triage_request request = {.feeds = feeds,
                                       .feed_count = 1,
                                       .at_ns = job->at_ns,
                                       .window_ns = job->to_ns - job->at_ns,
                                       .service = job->service[0] != '\0' ? job->service : NULL};
    job->status = fl_triage_run(&triage, &request, &err);
    if (job->status == FL_OK)
        job->status = answer(incidents, job, triage, &err);
    fl_triage_destroy(triage);
    job->took_ns = fl_time_monotonic() - began;
}
