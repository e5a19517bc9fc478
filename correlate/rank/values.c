/*
 * values.c - did time change? Self times name slow operations; a call that no longer happens names
 * the caller that stopped making it.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "rank_priv.h"

/* Used where fewer than six deviations tell the fleet's scale: 0.3 is a factor of 1.35. */
#define SCALE_FALLBACK 0.3

double *fl_rank_pick(struct rank *r, const double *values, const uint32_t *windows, size_t count)
{
    double *out = fl_arena_alloc(&r->scratch, count, sizeof(*out));
    for (size_t i = 0; i < count && out != NULL; i++)
        out[i] = values[windows[i]];
    return out;
}

/* How far the values of one kind of stream usually are from their own median, over the fleet. */
static fl_status fleet_scale(double *out, struct rank *r, fl_value_stream_kind kind, fl_error *err)
{
    const fl_streams *s = r->streams;
    size_t windows = r->traces.baseline_count, count = 0;
    double *deviations, *own;
    fl_arena_reset(&r->scratch);
    fl_status status =
        FL_RANK_NEW(&r->scratch, deviations, s->value_count * windows, "deviations", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&r->scratch, own, windows, "deviations", err);
    for (size_t i = 0; i < s->value_count && status == FL_OK; i++) {
        size_t n = 0;
        if (s->values[i].kind != kind)
            continue;
        for (size_t w = 0; w < windows; w++)
            if (!isnan(s->values[i].values[r->traces.baseline[w]]))
                own[n++] = s->values[i].values[r->traces.baseline[w]];
        double median = fl_median(own, n);
        for (size_t w = 0; w < n && n > 1; w++)
            deviations[count++] = fabs(own[w] - median);
    }
    if (status == FL_OK)
        *out = fl_fleet_scale(deviations, count, SCALE_FALLBACK);
    return status;
}

static fl_status test_value(struct value_result *out, struct rank *r, const double *values,
                            double scale, fl_error *err)
{
    fl_arena_reset(&r->scratch);
    size_t past = r->traces.baseline_count, count = r->traces.incident_count;
    double *history = fl_rank_pick(r, values, r->traces.baseline, past);
    double *now = fl_rank_pick(r, values, r->traces.incident, count);
    if (history == NULL || now == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare %zu windows",
                       past + count);
    /* What stands out upwards of the history itself is an earlier incident, and no baseline. */
    fl_status status =
        past >= 3 ? fl_lbf_drop_rises(history, past, scale, &r->scratch, err) : FL_OK;
    fl_lbf_values test = {.baseline = history,
                          .baseline_count = past,
                          .incident = now,
                          .incident_count = count,
                          .prior_scale = scale,
                          .rises_only = true};
    return status == FL_OK ? fl_lbf_values_test(&out->test, &test, &r->scratch, err) : status;
}

uint32_t fl_rank_slowest(const struct rank *r, uint32_t service)
{
    assert(service < r->timeline->service_count);
    uint32_t best = FL_NO_INDEX;
    for (uint32_t i = 0; i < r->streams->value_count; i++) {
        const fl_value_stream *stream = &r->streams->values[i];
        if (stream->kind == FL_STREAM_SELF &&
            r->timeline->operations[stream->operation].service == service &&
            (best == FL_NO_INDEX || r->values[i].test.lbf > r->values[best].test.lbf))
            best = i;
    }
    return best;
}

/* Per operation: a service that it calls fell silent, so that the time there is no longer told from
 * its own. */
static fl_status find_misled(bool **out, struct rank *r, fl_error *err)
{
    fl_status status = FL_RANK_NEW(r->arena, *out, r->timeline->operation_count, "operations", err);
    for (uint32_t i = 0; i < r->streams->context_count && status == FL_OK; i++)
        if (fl_rank_silenced_by(r, i) != FL_NO_INDEX)
            (*out)[r->streams->contexts[i].operation] = true;
    return status;
}

static fl_status add_slow_operations(struct rank *r, fl_error *err)
{
    bool *misled;
    fl_status status = find_misled(&misled, r, err);
    for (uint32_t i = 0; i < r->streams->value_count && status == FL_OK; i++) {
        const fl_value_stream *stream = &r->streams->values[i];
        if (stream->kind != FL_STREAM_SELF || r->values[i].test.lbf <= 0)
            continue;
        struct candidate c = {.service = r->timeline->operations[stream->operation].service,
                              .cause = FL_CAUSE_UNKNOWN,
                              .locus = FL_LOCUS_OPERATION,
                              .locus_name = fl_rank_operation_text(r, stream->operation),
                              .score = misled[stream->operation]
                                           ? fl_rank_below_gate(r->values[i].test.lbf)
                                           : r->values[i].test.lbf,
                              .order = 4};
        fl_rank_add_part(&c, PART_VALUE, i, c.score);
        status = fl_rank_add(r, &c, err);
    }
    return status;
}

/* ---- calls that vanished ---- */

static size_t windows_with(const fl_value_stream *stream, const uint32_t *windows, size_t count)
{
    size_t present = 0;
    for (size_t i = 0; i < count; i++)
        present += stream->counts[windows[i]] > 0;
    return present;
}

/* Absent from the incident though there in more than half of the history. */
static bool is_gone(const struct rank *r, const fl_value_stream *stream)
{
    const struct sides *t = &r->traces;
    return stream->kind == FL_STREAM_WIRE &&
           windows_with(stream, t->incident, t->incident_count) == 0 &&
           2 * windows_with(stream, t->baseline, t->baseline_count) > t->baseline_count;
}

static bool is_active(const struct rank *r, uint32_t service)
{
    const fl_streams *s = r->streams;
    for (size_t i = 0; i < s->value_count; i++)
        if (s->values[i].kind == FL_STREAM_SELF &&
            r->timeline->operations[s->values[i].operation].service == service &&
            windows_with(&s->values[i], r->traces.incident, r->traces.incident_count) > 0)
            return true;
    return false;
}

static bool is_called_less(const struct rank *r, uint32_t service)
{
    for (size_t i = 0; i < r->streams->value_count; i++)
        if (r->streams->values[i].callee == service && is_gone(r, &r->streams->values[i]))
            return true;
    return false;
}

static fl_status add_vanished_calls(struct rank *r, fl_error *err)
{
    fl_status status = FL_OK;
    for (uint32_t i = 0; i < r->streams->value_count && status == FL_OK; i++) {
        const fl_value_stream *stream = &r->streams->values[i];
        if (!is_gone(r, stream) || r->silent[stream->callee] || is_called_less(r, stream->caller) ||
            !is_active(r, stream->caller))
            continue;
        size_t present = windows_with(stream, r->traces.baseline, r->traces.baseline_count);
        struct candidate c = {.service = stream->caller,
                              .cause = FL_CAUSE_CODE_PATH,
                              .locus = FL_LOCUS_EDGE,
                              .locus_name = fl_arena_printf(r->arena, "%s -> %s",
                                                            r->timeline->services[stream->caller],
                                                            r->timeline->services[stream->callee]),
                              .score = fl_lbf_vanished(present, r->traces.baseline_count - present,
                                                       r->traces.incident_count),
                              .order = 5};
        if (c.locus_name == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the names of calls");
        fl_rank_add_part(&c, PART_EDGE_GONE, i, c.score);
        status = fl_rank_add(r, &c, err);
    }
    return status;
}

fl_status fl_rank_values(struct rank *r, fl_error *err)
{
    double scale[3] = {0};
    fl_status status = FL_RANK_NEW(r->arena, r->values, r->streams->value_count, "durations", err);
    if (status != FL_OK || r->traces.baseline_count == 0 || r->traces.incident_count == 0)
        return status;
    for (int kind = 0; kind < 3 && status == FL_OK; kind++)
        status = fleet_scale(&scale[kind], r, (fl_value_stream_kind)kind, err);
    for (size_t i = 0; i < r->streams->value_count && status == FL_OK; i++)
        status = test_value(&r->values[i], r, r->streams->values[i].values,
                            scale[r->streams->values[i].kind], err);
    if (status == FL_OK)
        status = add_slow_operations(r, err);
    return status == FL_OK ? add_vanished_calls(r, err) : status;
}
