/*
 * report_json.c - the answer as its JSON contract (schemas/json/triage.schema.json).
 *
 * jansson keeps members in the order of their insertion, so this file is also the contract's order.
 *
 * Members that have no value are null and not absent, so that a reader asks for one without a test,
 * and lists are empty and not null. Times are RFC 3339 in UTC, probabilities and scores have six
 * decimals. The same incident gives the same bytes: no clock, no locale and no hash order takes
 * part.
 */
#include <assert.h>
#include <jansson.h>

#include "json_put.h"
#include "report.h"
#include "timestamp.h"

/* What was asked: the moment, and the two spans of time that were compared. */
static json_t *incident_of(fl_put *w, const fl_incident *incident)
{
    json_t *object = json_object();
    fl_put_text(w, object, "id", incident->id);
    fl_put_time(w, object, "at", incident->at_ns);
    fl_put_range(w, object, "window", incident->window);
    fl_put_range(w, object, "baseline", incident->baseline);
    fl_put_onset(w, object, "onset", incident->onset);
    return object;
}

/* What data there was. A missing modality is not evidence of health, so it is named. */
static json_t *modalities_of(fl_put *w, const fl_incident *incident)
{
    json_t *object = json_object(), *metrics = json_object(), *logs = json_object();
    json_t *traces = json_object(), *changes = json_object(), *missing = json_array();
    fl_put_count(w, metrics, "series", incident->metric_series);
    fl_put_count(w, logs, "records", incident->log_records);
    fl_put_count(w, logs, "templates", incident->log_templates);
    fl_put_count(w, traces, "spans", incident->trace_spans);
    fl_put_count(w, traces, "edges", incident->trace_edges);
    fl_put_count(w, changes, "events", incident->change_events);
    for (int i = 0; i < FL_MODALITY_COUNT; i++)
        if (incident->missing[i])
            fl_put_item(w, missing, json_string_nocheck(fl_modality_name((fl_modality)i)));
    fl_put_value(w, object, "metrics", metrics);
    fl_put_value(w, object, "logs", logs);
    fl_put_value(w, object, "traces", traces);
    fl_put_value(w, object, "changes", changes);
    fl_put_value(w, object, "missing", missing);
    return object;
}

/* "against" and "weight_nats" are ours on top of the contract's names. */
static json_t *evidence_of(fl_put *w, const fl_evidence *evidence)
{
    json_t *object = json_object();
    fl_put_text(w, object, "modality", fl_modality_name(evidence->modality));
    fl_put_text(w, object, "text", evidence->text);
    fl_put_moment(w, object, "at", evidence->at_ns);
    fl_put_number(w, object, "value", evidence->value);
    fl_put_number(w, object, "baseline", evidence->baseline);
    fl_put_text(w, object, "unit", evidence->unit);
    fl_put_text(w, object, "query", evidence->query);
    fl_put_value(w, object, "against", json_boolean(evidence->against));
    fl_put_rounded(w, object, "weight_nats", evidence->weight_nats);
    if (evidence->finding != NULL)
        fl_put_text(w, object, "finding", evidence->finding);
    if (evidence->path_count > 0)
        fl_put_path(w, object, "path", evidence->path, evidence->path_count);
    return object;
}

/* All four members in every case: before and after are null but for a code region. */
static json_t *locus_of(fl_put *w, const fl_hypothesis *hypothesis)
{
    json_t *object = json_object();
    fl_put_text(w, object, "kind", fl_locus_name(hypothesis->locus));
    fl_put_text(w, object, "name", hypothesis->locus_name);
    fl_put_text(w, object, "before", hypothesis->before);
    fl_put_text(w, object, "after", hypothesis->after);
    return object;
}

/* null where nothing that was thrown is known by its type, its message or its place. */
static json_t *exception_of(fl_put *w, const fl_hypothesis *hypothesis)
{
    if (hypothesis->exception_type == NULL && hypothesis->exception_message == NULL &&
        hypothesis->exception_frame == NULL)
        return json_null();
    json_t *object = json_object();
    fl_put_text(w, object, "type", hypothesis->exception_type);
    fl_put_text(w, object, "message", hypothesis->exception_message);
    fl_put_text(w, object, "frame", hypothesis->exception_frame);
    return object;
}

/* Evidence in the order of the incident, heaviest first. */
static json_t *hypothesis_of(fl_put *w, const fl_hypothesis *hypothesis)
{
    assert(hypothesis->evidence != NULL || hypothesis->evidence_count == 0);
    json_t *object = json_object(), *evidence = json_array();
    for (size_t i = 0; i < hypothesis->evidence_count; i++)
        fl_put_item(w, evidence, evidence_of(w, &hypothesis->evidence[i]));
    fl_put_count(w, object, "rank", hypothesis->rank);
    fl_put_text(w, object, "service", hypothesis->service);
    fl_put_text(w, object, "instance", hypothesis->instance);
    fl_put_text(w, object, "cause", fl_cause_name(hypothesis->cause));
    fl_put_text(w, object, "resource", fl_resource_name(hypothesis->resource));
    fl_put_value(w, object, "locus", locus_of(w, hypothesis));
    fl_put_value(w, object, "exception", exception_of(w, hypothesis));
    fl_put_onset(w, object, "onset", hypothesis->onset);
    fl_put_rounded(w, object, "score", hypothesis->score);
    fl_put_rounded(w, object, "probability", hypothesis->probability);
    fl_put_value(w, object, "evidence", evidence);
    return object;
}

/* In the order of time; there is no member where there is none. */
static json_t *moments_of(fl_put *w, const fl_incident *incident)
{
    json_t *list = json_array();
    for (size_t i = 0; i < incident->moment_count; i++) {
        const fl_moment *moment = &incident->moments[i];
        json_t *item = json_object();
        fl_put_time(w, item, "at", moment->at_ns);
        fl_put_text(w, item, "service", moment->service);
        fl_put_text(w, item, "text", moment->text);
        fl_put_text(w, item, "query", moment->query);
        fl_put_item(w, list, item);
    }
    return list;
}

/* As for moments: a member only where there is one. */
static json_t *clocks_of(fl_put *w, const fl_incident *incident)
{
    json_t *list = json_array();
    for (size_t i = 0; i < incident->clock_count; i++) {
        const fl_clock_skew *clock = &incident->clocks[i];
        json_t *item = json_object();
        fl_put_text(w, item, "service", clock->service);
        fl_put_text(w, item, "instance", clock->instance);
        fl_put_number(w, item, "ahead_ms", (double)(clock->offset_ns / 1000) / 1e3);
        fl_put_number(w, item, "within_ms", (double)((clock->error_ns + 999) / 1000) / 1e3);
        fl_put_count(w, item, "calls", clock->calls);
        fl_put_item(w, list, item);
    }
    return list;
}

/* The whole contract, member by member in its order. */
static json_t *document_of(fl_put *w, const fl_incident *incident)
{
    json_t *object = json_object(), *hypotheses = json_array(), *ruled_out = json_array();
    json_t *warnings = json_array();
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        fl_put_item(w, hypotheses, hypothesis_of(w, &incident->hypotheses[i]));
    for (size_t i = 0; i < incident->ruled_out_count; i++) {
        json_t *item = json_object();
        fl_put_text(w, item, "service", incident->ruled_out[i].service);
        fl_put_text(w, item, "text", incident->ruled_out[i].text);
        fl_put_item(w, ruled_out, item);
    }
    for (size_t i = 0; i < incident->warning_count; i++)
        fl_put_item(w, warnings, fl_put_text_of(incident->warnings[i]));
    fl_put_value(w, object, "schema", json_string_nocheck("faultline.triage/1"));
    fl_put_value(w, object, "incident", incident_of(w, incident));
    fl_put_value(w, object, "modalities", modalities_of(w, incident));
    fl_put_text(w, object, "verdict", fl_verdict_name(incident->verdict));
    fl_put_value(w, object, "hypotheses", hypotheses);
    fl_put_value(w, object, "ruled_out", ruled_out);
    if (incident->moment_count > 0)
        fl_put_value(w, object, "events", moments_of(w, incident));
    if (incident->clock_count > 0)
        fl_put_value(w, object, "clocks", clocks_of(w, incident));
    fl_put_value(w, object, "warnings", warnings);
    fl_put_count(w, object, "rejected_records", incident->rejected_records);
    return object;
}

fl_status fl_report_json(fl_buf *out, const fl_incident *incident, fl_error *err)
{
    assert(out != NULL && incident != NULL);
    fl_put w = {.status = FL_OK};
    return fl_put_document(out, &w, document_of(&w, incident), err);
}
