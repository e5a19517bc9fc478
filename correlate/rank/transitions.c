/*
 * transitions.c - did the flow change? For each context (an operation after a step) the counts of
 * what came next are compared between the baseline's and the incident's windows.
 *
 * The baseline is cleaned first: of its windows near the incident only those stay that fit the
 * window which most others fit (the medoid). A change is excused where, in the same trace, a change
 * below explains it. What is left is a code region: after this step, that step no longer comes,
 * another does instead.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "map.h"
#include "rank_priv.h"

/* A step of a changed context is part of the change when its share has at least doubled. */
#define LEAST_LIFT 2.0

/* Counts of one context: a row for each window, a column for each step that may come next. */
struct matrix {
    size_t outcomes;
    double *baseline, *incident; /* window-major */
    size_t baseline_count, incident_count;
    uint32_t *when;  /* the window of each baseline row */
    uint32_t *place; /* among the incident's windows, of each incident row */
};

struct transitions {
    struct rank *r;
    uint32_t *place; /* window -> 1 + position among the baseline's, or among the incident's */
    uint8_t *is_incident;
    bool *is_more;    /* per transition row: its share of the context has grown */
    bool *is_deviant; /* the same, in a context that really changed */
    bool *touched;    /* per context */
    fl_map *excused;  /* row << 32 | window -> how many */
};

/* Which side each window is on and where there; a window may be on neither. */
static fl_status map_windows(struct transitions *x, fl_error *err)
{
    struct rank *r = x->r;
    size_t windows = r->timeline->window_count;
    fl_status status = FL_RANK_NEW(r->arena, x->place, windows, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x->is_incident, windows, "windows", err);
    for (uint32_t i = 0; i < r->traces.baseline_count && status == FL_OK; i++)
        x->place[r->traces.baseline[i]] = i + 1;
    for (uint32_t i = 0; i < r->traces.incident_count && status == FL_OK; i++) {
        x->place[r->traces.incident[i]] = i + 1;
        x->is_incident[r->traces.incident[i]] = 1;
    }
    return status;
}

/* None before the first excuses were found. */
static double excused_count(const struct transitions *x, uint32_t row, uint32_t window)
{
    const uint64_t *count =
        x->excused != NULL ? fl_map_find(x->excused, (uint64_t)row << 32 | window) : NULL;
    return count != NULL ? (double)*count : 0;
}

/* Where no line was recorded at all, that none followed says nothing. */
static bool is_told(const struct rank *r, const fl_context *context, uint32_t window)
{
    return context->chain != FL_CHAIN_LOGS || r->timeline->windows[window].has_logs;
}

/* One transition's column. */
static void count_row(struct matrix *m, struct transitions *x, const fl_context *context,
                      uint32_t b)
{
    const struct rank *r = x->r;
    uint32_t row = r->streams->context_rows[context->first_row + b];
    const fl_transition *transition = &r->streams->rows[row];
    for (size_t i = 0; i < transition->count; i++) {
        uint32_t w = transition->windows[i], place = x->place[w];
        if (place > 0 && is_told(r, context, w))
            (x->is_incident[w] != 0 ? m->incident : m->baseline)[(place - 1) * m->outcomes + b] +=
                1;
    }
    for (size_t i = 0; i < m->incident_count; i++)
        if (is_told(r, context, r->traces.incident[i]))
            m->incident[i * m->outcomes + b] -= excused_count(x, row, r->traces.incident[i]);
}

static fl_status fill_matrix(struct matrix *m, struct transitions *x, const fl_context *context,
                             fl_error *err)
{
    struct rank *r = x->r;
    *m = (struct matrix){.outcomes = context->row_count,
                         .baseline_count = r->traces.baseline_count,
                         .incident_count = r->traces.incident_count};
    fl_status status =
        FL_RANK_NEW(&r->scratch, m->baseline, m->outcomes * m->baseline_count, "counts", err);
    if (status == FL_OK)
        status =
            FL_RANK_NEW(&r->scratch, m->incident, m->outcomes * m->incident_count, "counts", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&r->scratch, m->when, m->baseline_count, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&r->scratch, m->place, m->incident_count, "windows", err);
    for (size_t i = 0; i < m->baseline_count && status == FL_OK; i++)
        m->when[i] = r->traces.baseline[i];
    for (uint32_t i = 0; i < m->incident_count && status == FL_OK; i++)
        m->place[i] = i;
    for (uint32_t b = 0; b < context->row_count && status == FL_OK; b++)
        count_row(m, x, context, b);
    return status;
}

/* Counts are whole numbers far below 2^53: the sum is exact in any order. */
static double sum_of(const double *row, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += row[i];
    return sum;
}

/* Drop windows without a count, and their numbers; they say nothing about what comes next. */
static size_t without_empty(double *rows, size_t count, size_t outcomes, uint32_t *numbers)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (sum_of(rows + i * outcomes, outcomes) == 0)
            continue;
        numbers[kept] = numbers[i];
        memmove(rows + kept++ * outcomes, rows + i * outcomes, outcomes * sizeof(*rows));
    }
    return kept;
}

/* Whether window i could come from what made window j: no real difference between the two. */
static fl_status fits(bool *out, struct rank *r, const struct matrix *m, size_t i, size_t j,
                      fl_error *err)
{
    fl_lbf_counts pair = {.outcome_count = m->outcomes,
                          .baseline = m->baseline + j * m->outcomes,
                          .baseline_count = 1,
                          .incident = m->baseline + i * m->outcomes,
                          .incident_count = 1};
    fl_lbf_result result;
    fl_status status = fl_lbf_counts_test(&result, &pair, &r->scratch, err);
    *out = status == FL_OK && result.lbf <= FL_LBF_REAL;
    return status;
}

/* An end with an error, or a line of a level that says so. */
static bool is_error_step(const struct rank *r, fl_step step)
{
    return fl_step_kind_of(step) == FL_STEP_END_ERROR ||
           (fl_step_kind_of(step) == FL_STEP_LOG &&
            r->timeline->templates[fl_step_index(step)].is_error);
}

/* The share of a window's steps that are errors: of windows that fit equally many, the healthier.
 */
static double error_share(const struct rank *r, const fl_context *context, const double *row)
{
    double errors = 0;
    for (uint32_t b = 0; b < context->row_count; b++) {
        fl_step next = r->streams->rows[r->streams->context_rows[context->first_row + b]].next;
        errors += is_error_step(r, next) ? row[b] : 0;
    }
    return errors / sum_of(row, context->row_count);
}

/* A window of few counts fits everything; only those with at least the median count can tell. */
static fl_status median_count(double *out, struct rank *r, const struct matrix *m, fl_error *err)
{
    double *counts;
    fl_status status = FL_RANK_NEW(&r->scratch, counts, m->baseline_count, "windows", err);
    for (size_t i = 0; i < m->baseline_count && status == FL_OK; i++)
        counts[i] = sum_of(m->baseline + i * m->outcomes, m->outcomes);
    *out = status == FL_OK ? fl_median(counts, m->baseline_count) : 0;
    return status;
}

/* Just before and after the incident's time, a window that does not fit is the incident itself,
 * begun before it was noticed. At any other time it shows what this system does now and then, and
 * stays. */
static const int64_t near_ns = INT64_C(600) * 1000000000;

static bool is_near(const struct rank *r, uint32_t window)
{
    int64_t away = r->timeline->windows[window].from_ns - r->timeline->at_ns;
    return away > -near_ns && away < near_ns;
}

/* Of the baseline windows near the incident, those that fit the medoid: as a bit at each one's
 * place among the matrix's rows. */
static fl_status find_fitting(uint32_t *out, struct matrix *m, struct rank *r,
                              const fl_context *context, fl_error *err)
{
    assert(m->baseline_count > 0 && m->outcomes >= 2);
    size_t count = m->baseline_count, best = 0, best_fits = 0;
    double best_errors = 2, enough;
    bool *fit;
    fl_status status = FL_RANK_NEW(&r->scratch, fit, count * count + 1, "windows", err);
    if (status == FL_OK)
        status = median_count(&enough, r, m, err);
    for (size_t j = 0; j < count && status == FL_OK; j++) {
        if (sum_of(m->baseline + j * m->outcomes, m->outcomes) < enough)
            continue;
        size_t fitting = 0;
        double errors = error_share(r, context, m->baseline + j * m->outcomes);
        for (size_t i = 0; i < count && status == FL_OK; i++) {
            status = fits(&fit[j * count + i], r, m, i, j, err);
            fitting += fit[j * count + i];
        }
        if (fitting > best_fits || (fitting == best_fits && errors <= best_errors)) {
            best = j;
            best_fits = fitting;
            best_errors = errors;
        }
    }
    *out = 0;
    for (size_t i = 0; i < count && status == FL_OK; i++)
        if (fit[best * count + i] || !is_near(r, m->when[i]))
            *out |= UINT32_C(1) << i;
    return status;
}

/* Of the baseline windows near the incident, keep those that fit the others. */
static fl_status clean(struct matrix *m, struct rank *r, size_t index, fl_error *err)
{
    static_assert(MAX_HISTORY <= 32, "a bit each");
    assert(m->baseline_count <= MAX_HISTORY);
    bool any_near = false;
    for (size_t i = 0; i < m->baseline_count; i++)
        any_near |= is_near(r, m->when[i]);
    if (!any_near)
        return FL_OK;
    fl_status status = FL_OK;
    if (r->kept[index] == 0)
        status = find_fitting(&r->kept[index], m, r, &r->streams->contexts[index], err);
    size_t kept = 0;
    for (size_t i = 0; i < m->baseline_count && status == FL_OK; i++)
        if ((r->kept[index] >> i & 1) != 0)
            memmove(m->baseline + kept++ * m->outcomes, m->baseline + i * m->outcomes,
                    m->outcomes * sizeof(*m->baseline));
    if (status == FL_OK && kept > 0)
        m->baseline_count = kept;
    return status;
}

/* Which step became rarer and which more frequent in the changed windows. */
static void find_direction(struct context_result *out, struct transitions *x,
                           const fl_context *context, const struct matrix *m)
{
    const struct rank *r = x->r;
    assert(out->test.onset < m->incident_count);
    double before = sum_of(m->baseline, m->outcomes * m->baseline_count);
    const double *from = m->incident + out->test.onset * m->outcomes;
    size_t windows = out->test.end - out->test.onset;
    double after = sum_of(from, m->outcomes * windows), least = INFINITY, most = -INFINITY;
    for (uint32_t b = 0; b < m->outcomes; b++) {
        double n = 0, y = 0;
        for (size_t i = 0; i < m->baseline_count; i++)
            n += m->baseline[i * m->outcomes + b];
        for (size_t i = 0; i < windows; i++)
            y += from[i * m->outcomes + b];
        double excess = y - after * n / before;
        uint32_t row = r->streams->context_rows[context->first_row + b];
        double lift = (y + 0.5) / (after + 1) / ((n + 0.5) / (before + 1));
        x->is_more[row] = lift > LEAST_LIFT;
        if (excess < least) {
            least = excess;
            out->lost = row;
            out->lost_before = n;
            out->lost_after = y;
        }
        if (excess > most) {
            most = excess;
            out->gain = row;
            out->gain_before = n;
            out->gain_after = y;
        }
    }
    out->total_before = before;
    out->total_after = after;
    bool recovery = is_error_step(r, r->streams->rows[out->lost].next) &&
                    !is_error_step(r, r->streams->rows[out->gain].next);
    out->worse = out->test.lbf > FL_LBF_REAL && !recovery;
}

/* Empty windows out, the baseline cleaned, then one test; onset and end are translated back to the
 * places among the incident's windows. */
static fl_status test_context(struct transitions *x, size_t index, fl_error *err)
{
    struct rank *r = x->r;
    const fl_context *context = &r->streams->contexts[index];
    struct context_result *out = &r->contexts[index];
    *out = (struct context_result){.excused_lbf = out->excused_lbf};
    if (context->row_count < 2)
        return FL_OK; /* it always went one way and still does */
    struct matrix m;
    fl_arena_reset(&r->scratch);
    fl_status status = fill_matrix(&m, x, context, err);
    if (status != FL_OK)
        return status;
    m.baseline_count = without_empty(m.baseline, m.baseline_count, m.outcomes, m.when);
    m.incident_count = without_empty(m.incident, m.incident_count, m.outcomes, m.place);
    if (m.baseline_count == 0 || m.incident_count == 0)
        return FL_OK;
    if (m.baseline_count > 2)
        status = clean(&m, r, index, err);
    fl_lbf_counts test = {.outcome_count = m.outcomes,
                          .baseline = m.baseline,
                          .baseline_count = m.baseline_count,
                          .incident = m.incident,
                          .incident_count = m.incident_count};
    if (status == FL_OK)
        status = fl_lbf_counts_test(&out->test, &test, &r->scratch, err);
    if (status != FL_OK)
        return status;
    find_direction(out, x, context, &m);
    out->test.end = m.place[out->test.end - 1] + 1;
    out->test.onset = m.place[out->test.onset];
    return FL_OK;
}

/* ---- excusing ---- */

/* Steps that became more frequent where the context became worse. */
static void mark_deviant(struct transitions *x)
{
    const fl_streams *s = x->r->streams;
    for (size_t i = 0; i < s->row_count; i++)
        x->is_deviant[i] = x->is_more[i] && x->r->contexts[s->rows[i].context].worse;
}

/* Whether the span took a step that is part of a change. */
static bool span_deviates(const struct transitions *x, uint32_t span)
{
    const fl_streams *s = x->r->streams;
    for (uint32_t i = s->first_of_span[span]; i < s->first_of_span[span + 1]; i++)
        if (x->is_deviant[s->span_rows[i]])
            return true;
    return false;
}

/* Mark every span above one that deviates. Ends at a marked span, so each is visited once. */
static void mark_above(const fl_timeline *t, bool *below_deviates, uint32_t span)
{
    for (uint32_t up = t->spans[span].parent; up != FL_NO_INDEX && !below_deviates[up];
         up = t->spans[up].parent)
        below_deviates[up] = true;
}

static fl_status excuse_span(struct transitions *x, uint32_t span, fl_error *err)
{
    const fl_streams *s = x->r->streams;
    fl_status status = FL_OK;
    for (uint32_t i = s->first_of_span[span]; i < s->first_of_span[span + 1] && status == FL_OK;
         i++) {
        uint32_t row = s->span_rows[i];
        uint64_t *count;
        if (!x->is_deviant[row])
            continue;
        x->touched[s->rows[row].context] = true;
        status = fl_map_slot(&count, x->excused,
                             (uint64_t)row << 32 | s->timeline->spans[span].window, NULL, err);
        if (status == FL_OK)
            ++*count;
    }
    return status;
}

static fl_status excuse(struct transitions *x, fl_error *err)
{
    const fl_timeline *t = x->r->timeline;
    bool *below_deviates;
    fl_status status = FL_RANK_NEW(x->r->arena, below_deviates, t->span_count, "spans", err);
    if (status == FL_OK)
        status = fl_map_create(&x->excused, x->r->streams->first_of_span[t->span_count] + 1, err);
    if (status != FL_OK)
        return status;
    mark_deviant(x);
    for (uint32_t i = 0; i < t->span_count; i++)
        if (x->is_incident[t->spans[i].window] != 0 && span_deviates(x, i))
            mark_above(t, below_deviates, i);
    for (uint32_t i = 0; i < t->span_count && status == FL_OK; i++)
        if (below_deviates[i] && x->is_incident[t->spans[i].window] != 0)
            status = excuse_span(x, i, err);
    for (size_t i = 0; i < x->r->streams->context_count && status == FL_OK; i++)
        if (x->touched[i]) {
            x->r->contexts[i].excused_lbf = x->r->contexts[i].test.lbf;
            status = test_context(x, i, err);
        }
    return status;
}

/* ---- candidates ---- */

static const char *template_or_step(struct rank *r, uint32_t operation, fl_step step)
{
    return fl_step_kind_of(step) == FL_STEP_LOG ? r->timeline->templates[fl_step_index(step)].text
                                                : fl_rank_step_text(r, operation, step);
}

/* A code region is told by its lines. Without a line among its steps, a chain of lines says only
 * what the chain of calls says as well. */
static bool tells_of_lines(const struct rank *r, uint32_t index)
{
    const struct context_result *result = &r->contexts[index];
    const fl_context *context = &r->streams->contexts[index];
    return context->chain != FL_CHAIN_LOGS || fl_step_kind_of(context->step) == FL_STEP_LOG ||
           fl_step_kind_of(r->streams->rows[result->lost].next) == FL_STEP_LOG ||
           fl_step_kind_of(r->streams->rows[result->gain].next) == FL_STEP_LOG;
}

bool fl_rank_calls_fail(const struct rank *r, uint32_t context)
{
    return is_error_step(r, r->streams->rows[r->contexts[context].gain].next);
}

/* A step to a service that fell silent: its failure is that service's, its absence says nothing. */
static fl_status add_code_region(struct rank *r, uint32_t index, fl_error *err)
{
    bool is_silenced = fl_rank_silenced_by(r, index) != FL_NO_INDEX;
    if (is_silenced && fl_rank_calls_fail(r, index))
        return FL_OK;
    const struct context_result *result = &r->contexts[index];
    const fl_context *context = &r->streams->contexts[index];
    fl_step gain = r->streams->rows[result->gain].next, lost = r->streams->rows[result->lost].next;
    bool logs = context->chain == FL_CHAIN_LOGS;
    struct candidate c = {.service = r->timeline->operations[context->operation].service,
                          .cause = is_error_step(r, gain) ? FL_CAUSE_EXCEPTION : FL_CAUSE_CODE_PATH,
                          .locus = logs ? FL_LOCUS_CODE_REGION : FL_LOCUS_OPERATION,
                          .locus_name = fl_rank_operation_text(r, context->operation),
                          .score =
                              is_silenced ? fl_rank_below_gate(result->test.lbf) : result->test.lbf,
                          .order = logs ? 0 : 1};
    if (logs) {
        c.before = template_or_step(r, context->operation, context->step);
        c.after = template_or_step(r, context->operation, lost);
    }
    fl_rank_add_part(&c, PART_CONTEXT, index, c.score);
    return fl_rank_add(r, &c, err);
}

static uint32_t callee_of(const fl_streams *s, const fl_context *context)
{
    if (context->chain != FL_CHAIN_CALLS)
        return FL_NO_INDEX;
    if (fl_step_kind_of(context->step) == FL_STEP_REMOTE)
        return fl_step_index(context->step); /* FL_ANY_SERVER is only ever a next step */
    return fl_step_kind_of(context->step) == FL_STEP_CALL
               ? s->calls[fl_step_index(context->step)].server
               : FL_NO_INDEX;
}

/* Callers that stop after a call, all of the same callee, speak of the callee's response. One
 * caller alone may as well be at fault itself: half. */
static fl_status add_callee(struct rank *r, uint32_t operation, fl_error *err)
{
    assert(operation < r->timeline->operation_count);
    const fl_streams *s = r->streams;
    struct candidate c = {.service = r->timeline->operations[operation].service,
                          .cause = FL_CAUSE_EXCEPTION,
                          .locus = FL_LOCUS_OPERATION,
                          .locus_name = fl_rank_operation_text(r, operation),
                          .order = 2};
    uint32_t first_caller = FL_NO_INDEX;
    bool several = false;
    for (uint32_t i = 0; i < s->context_count; i++) {
        const struct context_result *result = &r->contexts[i];
        if (callee_of(s, &s->contexts[i]) != operation || result->total_after == 0 ||
            fl_rank_silenced_by(r, i) != FL_NO_INDEX)
            continue;
        fl_step_kind gain = fl_step_kind_of(s->rows[result->gain].next);
        bool aborts = result->worse && (gain == FL_STEP_END || gain == FL_STEP_END_ERROR);
        uint32_t caller = r->timeline->operations[s->contexts[i].operation].service;
        c.score += aborts ? result->test.lbf : fmin(result->test.lbf, 0);
        if (!aborts)
            continue;
        several |= first_caller != FL_NO_INDEX && first_caller != caller;
        first_caller = caller;
        fl_rank_add_part(&c, PART_CONTEXT, i, result->test.lbf);
    }
    if (!several) {
        c.score /= 2;
        for (size_t i = 0; i < c.part_count; i++)
            c.parts[i].weight /= 2;
    }
    return c.part_count > 0 ? fl_rank_add(r, &c, err) : FL_OK;
}

static fl_status add_candidates(struct rank *r, fl_error *err)
{
    const fl_streams *s = r->streams;
    bool *is_callee;
    fl_status status =
        FL_RANK_NEW(r->arena, is_callee, r->timeline->operation_count, "operations", err);
    for (uint32_t i = 0; i < s->context_count && status == FL_OK; i++) {
        if (!r->contexts[i].worse || !tells_of_lines(r, i))
            continue;
        status = add_code_region(r, i, err);
        uint32_t callee = callee_of(s, &s->contexts[i]);
        if (callee != FL_NO_INDEX)
            is_callee[callee] = true;
    }
    for (uint32_t op = 0; op < r->timeline->operation_count && status == FL_OK; op++)
        if (is_callee[op])
            status = add_callee(r, op, err);
    return status == FL_OK ? fl_rank_add_silent(r, err) : status;
}

fl_status fl_rank_transitions(struct rank *r, fl_error *err)
{
    struct transitions x = {.r = r};
    fl_status status = map_windows(&x, err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, r->contexts, r->streams->context_count, "contexts", err);
    if (status == FL_OK && r->kept == NULL)
        status = FL_RANK_NEW(r->arena, r->kept, r->streams->context_count, "contexts", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.is_deviant, r->streams->row_count, "transitions", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.is_more, r->streams->row_count, "transitions", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.touched, r->streams->context_count, "contexts", err);
    if (status != FL_OK || r->traces.baseline_count == 0 || r->traces.incident_count == 0)
        return status;
    for (size_t i = 0; i < r->streams->context_count && status == FL_OK; i++)
        status = test_context(&x, i, err);
    if (status == FL_OK)
        status = excuse(&x, err);
    fl_map_destroy(x.excused);
    return status == FL_OK ? add_candidates(r, err) : status;
}
