/*
 * lines.c - do errors pile up? For services whose log lines name no span, which line follows which
 * cannot be told; what is left is how many lines of each error template a window holds, compared by
 * logarithms like any other value. Services whose lines do name spans are judged by those
 * (transitions.c), which tells a cause from what it causes.
 *
 * A caller logs its callee's failures too: along the call graph (given, of metrics, or of spans), a
 * service below which errors pile up as well is no candidate beyond the gate.
 */
#include <assert.h>
#include <math.h>

#include "rank_priv.h"

/* Fewer than six deviations: a factor of e between quiet minutes is usual for error lines. */
#define SCALE_FALLBACK 1.0

static double log_count(double count)
{
    return log(count + 1);
}

/* Services of which at least one line stands under a span. */
static fl_status find_traced(bool **out, const struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    fl_status status = FL_RANK_NEW(r->arena, *out, t->service_count, "services", err);
    for (size_t i = 0; i < t->span_log_count && status == FL_OK; i++)
        (*out)[t->operations[t->spans[t->span_logs[i].span].operation].service] = true;
    return status;
}

static double *log_counts(struct rank *r, const double *counts, const uint32_t *windows,
                          size_t count)
{
    double *out = fl_rank_pick(r, counts, windows, count);
    for (size_t i = 0; i < count && out != NULL; i++)
        out[i] = r->timeline->windows[windows[i]].has_logs ? log_count(out[i]) : NAN;
    return out;
}

static fl_status test_series(struct rank *r, uint32_t index, fl_error *err)
{
    const fl_log_series *series = &r->timeline->logs[index];
    const struct sides *sides = &r->traces;
    fl_arena_reset(&r->scratch);
    double *past = log_counts(r, series->counts, sides->baseline, sides->baseline_count);
    double *now = log_counts(r, series->counts, sides->incident, sides->incident_count);
    if (past == NULL || now == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare log counts");
    fl_lbf_values test = {.baseline = past,
                          .baseline_count = sides->baseline_count,
                          .incident = now,
                          .incident_count = sides->incident_count,
                          .prior_scale = SCALE_FALLBACK,
                          .rises_only = true};
    return fl_lbf_values_test(&r->lines[index], &test, &r->scratch, err);
}

/* Along one call, where its caller was reached and its callee was not. */
static void step(uint32_t caller, uint32_t callee, const bool *fails, bool *seen, bool *grew,
                 bool *found)
{
    if (!seen[caller] || seen[callee])
        return;
    *grew = seen[callee] = true;
    *found |= fails[callee];
}

/* Whether errors pile up in something that `service` calls, however far below. */
static bool fails_below(const struct rank *r, uint32_t service, const bool *fails, bool *seen)
{
    const fl_timeline *t = r->timeline;
    bool grew = true, found = false;
    for (size_t i = 0; i < t->service_count; i++)
        seen[i] = i == service;
    while (grew && !found) {
        grew = false;
        for (size_t e = 0; e < t->topology_count; e++)
            step(t->topology[e].caller, t->topology[e].callee, fails, seen, &grew, &found);
        for (size_t i = 0; i < r->streams->value_count; i++)
            if (r->streams->values[i].kind == FL_STREAM_WIRE) /* what spans tell of calls */
                step(r->streams->values[i].caller, r->streams->values[i].callee, fails, seen, &grew,
                     &found);
    }
    return found;
}

static fl_status add_lines(struct rank *r, const bool *traced, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    bool *fails, *seen;
    fl_status status = FL_RANK_NEW(r->arena, fails, t->service_count, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, seen, t->service_count, "services", err);
    for (size_t i = 0; i < t->log_series_count && status == FL_OK; i++)
        fails[t->logs[i].service] |= r->lines[i].lbf > FL_LBF_REAL;
    for (uint32_t i = 0; i < t->log_series_count && status == FL_OK; i++) {
        const fl_log_series *series = &t->logs[i];
        double score = r->lines[i].lbf;
        if (traced[series->service] || score <= 0)
            continue;
        if (fails_below(r, series->service, fails, seen))
            score = fl_rank_below_gate(score);
        struct candidate c = {.service = series->service,
                              .cause = FL_CAUSE_EXCEPTION,
                              .locus = FL_LOCUS_EXCEPTION,
                              .locus_name = t->templates[series->template_index].text,
                              .score = score,
                              .order = 3};
        fl_rank_add_part(&c, PART_LINES, i, score);
        status = fl_rank_add(r, &c, err);
    }
    return status;
}

fl_status fl_rank_lines(struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    bool *traced;
    fl_status status = FL_RANK_NEW(r->arena, r->lines, t->log_series_count, "log series", err);
    if (status == FL_OK)
        status = find_traced(&traced, r, err);
    if (status != FL_OK || r->traces.baseline_count == 0 || r->traces.incident_count == 0)
        return status;
    for (uint32_t i = 0; i < t->log_series_count && status == FL_OK; i++)
        if (!traced[t->logs[i].service] && t->templates[t->logs[i].template_index].is_error)
            status = test_series(r, i, err);
    return status == FL_OK ? add_lines(r, traced, err) : status;
}
