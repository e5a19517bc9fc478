/*
 * onset.c - when did it begin? A change-point of the streams that carry a hypothesis, as a
 * posterior over time and not over windows.
 *
 * Each span (and where only a number a window is there, each window) is an event with a log
 * likelihood ratio: how much better it fits what came after the onset than what was before. For an
 * onset t, events before t come from the baseline's distribution and events from t on from the
 * changed one, so that
 *
 *     p(t | data) ~ exp( sum of the ratios of all events at or after t ),   t uniform
 *
 * is constant between two events (Smith, Biometrika 62, 1975: inference about a change-point). Its
 * quantiles are the answer. The changed distribution is learnt from the events after the median of
 * the last round, beginning with the windows that the test names; three rounds are enough.
 *
 * An event is wrong with a probability of STRAY, which bounds what one of them can say, and events
 * of one trace or one second are not independent: their ratios are tempered. The stated time takes
 * no part but in how far back is looked.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rank_priv.h"

enum {
    ROUNDS = 3,
    MAX_STREAMS = 3,    /* of a hypothesis, the heaviest */
    MAX_HYPOTHESES = 5, /* what fits a first screen */
    STUDENT_DEGREES = 4
};
#define STRAY 0.05
/* How many events say as much as one that is independent of the others. */
#define TEMPER 2.0
/* Of a logarithm of a time; as in lbf.c, a change of 20 % is noise by its size alone. */
#define SCALE_FLOOR     0.2
#define NORMAL_QUANTILE 0.6744898
/* The interval's ends. */
#define LOW_QUANTILE  0.05
#define HIGH_QUANTILE 0.95
/* What begins shows only when a process has taken it in and a request has met it: with an
 * exponential delay of five seconds on average, 95 % within three times that. */
static const int64_t delay_ns = INT64_C(15) * 1000000000;
/* How long before its stated time an incident may have begun. */
static const int64_t ms_ns = 1000000, reach_ns = INT64_C(600) * 1000000000;

struct event {
    int64_t time_ns;
    double value;    /* a logarithm, or the number of what came next */
    double ratio;    /* nats, for the changed distribution */
    bool is_history; /* of a baseline window: tells what is usual */
};

struct onsets {
    struct rank *r;
    bool *is_history;     /* per window */
    bool *operations;     /* whose spans are asked for */
    bool *callers;        /* whose calls are asked for */
    const uint32_t *rows; /* the spans of these */
    size_t row_count;
    size_t most_events; /* that one stream can have in them */
    int64_t cadence_ns; /* usual distance of the metrics' windows */
};

/* One hypothesis at work. */
struct search {
    struct onsets *all;
    fl_range range;       /* where the onset is looked for */
    struct event *events; /* of all streams, those of one stream side by side */
    size_t count;
    int64_t resolution_ns; /* of the coarsest stream that is not made of single events; 0: none */
    fl_onset found;
};

/* ---- events ---- */

static void add_event(struct search *x, int64_t time_ns, double value, bool is_history)
{
    assert(!isnan(value));
    if (!is_history && (time_ns < x->range.from_ns || time_ns >= x->range.to_ns))
        return;
    x->events[x->count++] =
        (struct event){.time_ns = time_ns, .value = value, .is_history = is_history};
}

/* The time that a value stream measures in a span; NaN where the span is none of its. */
static double value_of(const struct rank *r, const fl_value_stream *stream, uint32_t span)
{
    const fl_streams *s = r->streams;
    const fl_timeline *t = r->timeline;
    const fl_span_row *row = &t->spans[span];
    double ns = (double)row->duration_ns;
    if (row->duration_ns < 0)
        return NAN;
    if (stream->kind == FL_STREAM_WIRE) {
        uint32_t server = s->server[span];
        if (server == FL_NO_INDEX || t->operations[row->operation].service != stream->caller ||
            t->operations[t->spans[server].operation].service != stream->callee)
            return NAN;
        ns -= (double)t->spans[server].duration_ns;
    } else if (row->operation != stream->operation) {
        return NAN;
    } else if (stream->kind == FL_STREAM_SELF) {
        ns = (double)fl_span_self_ns(t, s->children, s->first_child, span);
    }
    return fl_log_ms(fmax(ns, 0));
}

static void add_values(struct search *x, uint32_t index)
{
    const struct rank *r = x->all->r;
    for (size_t i = 0; i < x->all->row_count; i++) {
        const fl_span_row *row = &r->timeline->spans[x->all->rows[i]];
        double value = value_of(r, &r->streams->values[index], x->all->rows[i]);
        if (!isnan(value))
            add_event(x, row->start_ns, value, x->all->is_history[row->window]);
    }
}

/* What came next, as the row's place among those of its context. */
static void add_steps(struct search *x, uint32_t index)
{
    const struct rank *r = x->all->r;
    const fl_streams *s = r->streams;
    for (size_t i = 0; i < x->all->row_count; i++) {
        uint32_t span = x->all->rows[i];
        const fl_span_row *row = &r->timeline->spans[span];
        if (row->operation != s->contexts[index].operation)
            continue;
        for (uint32_t k = s->first_of_span[span]; k < s->first_of_span[span + 1]; k++)
            if (s->rows[s->span_rows[k]].context == index)
                add_event(x, row->start_ns, s->span_rows[k], x->all->is_history[row->window]);
    }
}

/* The number that a window has for a part; NaN: none. */
static double window_value(const struct rank *r, const struct evidence_part *part, uint32_t w)
{
    const fl_window *window = &r->timeline->windows[w];
    if (part->kind == PART_LINES)
        return window->has_logs ? log(r->timeline->logs[part->index].counts[w] + 1) : NAN;
    return r->timeline->metrics[part->index].values[w];
}

static void add_windows(struct search *x, const struct evidence_part *part)
{
    const fl_timeline *t = x->all->r->timeline;
    bool is_metric = part->kind != PART_LINES;
    for (uint32_t w = 0; w < t->window_count; w++) {
        int64_t middle = t->windows[w].from_ns + t->step_ns / 2;
        double value = window_value(x->all->r, part, w);
        if (!isnan(value))
            add_event(x, middle, value, false);
    }
    int64_t resolution = is_metric ? x->all->cadence_ns : t->step_ns;
    x->resolution_ns = resolution > x->resolution_ns ? resolution : x->resolution_ns;
}

/* ---- ratios ---- */

static double bounded(double ratio)
{
    /* ln of the two distributions' ratio, each mixed with STRAY of the other. */
    double odds = exp(fmin(fmax(ratio, -50), 50));
    return log(((1 - STRAY) * odds + STRAY) / ((1 - STRAY) + STRAY * odds)) / TEMPER;
}

struct spread {
    double center, scale;
};

/* Of the events for which is_history is `history`; those of the range count from `from_ns` on. */
static struct spread spread_of(const struct event *events, size_t count, bool history,
                               int64_t from_ns, double *sorted)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (events[i].is_history == history && (history || events[i].time_ns >= from_ns))
            sorted[n++] = events[i].value;
    struct spread out = {.center = fl_median(sorted, n)};
    for (size_t i = 0; i < n; i++)
        sorted[i] = fabs(sorted[i] - out.center);
    out.scale = n > 0 ? fmax(fl_median(sorted, n) / NORMAL_QUANTILE, SCALE_FLOOR) : NAN;
    return out;
}

static double log_density(const struct spread *s, double value)
{
    return fl_log_student((value - s->center) / s->scale, STUDENT_DEGREES) - log(s->scale);
}

static void compare(struct event *events, size_t count, const struct spread *before,
                    const struct spread *after)
{
    for (size_t i = 0; i < count; i++)
        events[i].ratio =
            bounded(log_density(after, events[i].value) - log_density(before, events[i].value));
}

static fl_status weigh_values(struct search *x, struct event *events, size_t count, int64_t from_ns,
                              fl_error *err)
{
    double *sorted;
    fl_status status = FL_RANK_NEW(&x->all->r->scratch, sorted, count, "events", err);
    if (status != FL_OK)
        return status;
    struct spread before = spread_of(events, count, true, 0, sorted);
    struct spread after = spread_of(events, count, false, from_ns, sorted);
    if (after.center > before.center) /* not NaN, and the bad direction */
        compare(events, count, &before, &after);
    return FL_OK;
}

/* The share of each step, smoothed by half an event over those that there are. */
static void weigh_steps(const struct rank *r, uint32_t context, struct event *events, size_t count,
                        int64_t from_ns)
{
    const fl_context *c = &r->streams->contexts[context];
    for (uint32_t b = 0; b < c->row_count; b++) {
        double row = r->streams->context_rows[c->first_row + b];
        double n[2] = {0}, total[2] = {0};
        for (size_t i = 0; i < count; i++) {
            if (!events[i].is_history && events[i].time_ns < from_ns)
                continue;
            n[events[i].is_history] += events[i].value == row;
            total[events[i].is_history] += 1;
        }
        double each = 0.5 / c->row_count;
        double ratio = log((n[0] + each) / (total[0] + 0.5) * (total[1] + 0.5) / (n[1] + each));
        for (size_t i = 0; i < count; i++)
            if (events[i].value == row)
                events[i].ratio = bounded(ratio);
    }
}

/* What the test has learnt of a series, in the units in which it was measured. */
static void weigh_windows(const struct rank *r, const struct evidence_part *part,
                          struct event *events, size_t count)
{
    struct spread before, after;
    if (part->kind == PART_LINES) {
        const fl_lbf_shift *test = &r->lines[part->index];
        before = (struct spread){test->center, test->sigma};
        after = (struct spread){test->center + test->shift, test->sigma};
    } else {
        const struct metric_result *m = &r->metric_results[part->index];
        double sigmas = m->test.shift > 0 && m->test.sigma > 0 ? m->test.shift / m->test.sigma
                                                               : sqrt(2 * fmax(m->test.lbf, 0) + 1);
        double scale = fabs(m->after - m->before) / sigmas;
        before = (struct spread){m->before, scale};
        after = (struct spread){m->after, scale};
    }
    if (before.scale > 0)
        compare(events, count, &before, &after);
}

/* ---- the posterior ---- */

static int compare_times(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->ratio > b->ratio) - (a->ratio < b->ratio);
}

/* Where `share` of the mass lies before: mass[i] is that of the time up to event i, and the last
 * one's up to the end of the range. */
static int64_t quantile(const struct search *x, const struct event *sorted, const double *mass,
                        size_t count, double share)
{
    double before = 0;
    int64_t from = x->range.from_ns;
    for (size_t i = 0; i <= count; i++) {
        int64_t to = i < count ? sorted[i].time_ns : x->range.to_ns;
        if (before + mass[i] >= share && mass[i] > 0)
            return from + (int64_t)((double)(to - from) * (share - before) / mass[i]);
        before += mass[i];
        from = to;
    }
    return x->range.to_ns;
}

static fl_status locate(struct search *x, fl_error *err)
{
    struct event *sorted;
    double *mass, behind = 0;
    size_t count = 0;
    fl_status status = FL_RANK_NEW(&x->all->r->scratch, sorted, x->count, "events", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&x->all->r->scratch, mass, x->count + 1, "events", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < x->count; i++)
        if (x->events[i].ratio != 0 && x->events[i].time_ns >= x->range.from_ns &&
            x->events[i].time_ns < x->range.to_ns)
            sorted[count++] = x->events[i];
    if (count == 0)
        return FL_OK;
    qsort(sorted, count, sizeof(*sorted), compare_times);
    for (size_t i = count + 1; i-- > 0;) {
        int64_t from = i > 0 ? sorted[i - 1].time_ns : x->range.from_ns;
        int64_t to = i < count ? sorted[i].time_ns : x->range.to_ns;
        behind += i < count ? sorted[i].ratio : 0;
        mass[i] = to > from ? log((double)(to - from)) + behind : -INFINITY;
    }
    double total = fl_log_sum_exp(mass, count + 1);
    for (size_t i = 0; i <= count; i++)
        mass[i] = exp(mass[i] - total);
    x->found = (fl_onset){.at_ns = quantile(x, sorted, mass, count, 0.5),
                          .low_ns = quantile(x, sorted, mass, count, LOW_QUANTILE),
                          .high_ns = quantile(x, sorted, mass, count, HIGH_QUANTILE)};
    return FL_OK;
}

/* ---- one hypothesis ---- */

/* The heaviest parts that are beyond the gate, and in any case the first. */
static size_t choose_parts(struct evidence_part out[MAX_STREAMS], const struct candidate *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->part_count && count < MAX_STREAMS; i++)
        if (c->parts[i].kind != PART_EDGE_GONE && c->parts[i].weight > 0 &&
            (count == 0 || c->parts[i].weight > FL_LBF_REAL))
            out[count++] = c->parts[i];
    return count;
}

static fl_status weigh(struct search *x, const struct evidence_part *part, struct event *events,
                       size_t count, int64_t from_ns, fl_error *err)
{
    if (part->kind == PART_VALUE)
        return weigh_values(x, events, count, from_ns, err);
    if (part->kind == PART_CONTEXT)
        weigh_steps(x->all->r, part->index, events, count, from_ns);
    else
        weigh_windows(x->all->r, part, events, count);
    return FL_OK;
}

/* The onset is looked for from `reach_ns` before the stated time to the end of what changed. */
static fl_range range_of(const struct rank *r, const struct candidate *c)
{
    const fl_timeline *t = r->timeline;
    fl_range range = {.from_ns = c->span.from_ns, .to_ns = c->span.to_ns};
    for (size_t w = 0; w < t->window_count; w++)
        if (t->windows[w].from_ns >= t->at_ns - reach_ns && t->windows[w].from_ns < range.from_ns)
            range.from_ns = t->windows[w].from_ns;
    return range;
}

static fl_status find_onset(fl_onset *out, struct onsets *all, const struct candidate *c,
                            fl_error *err)
{
    struct rank *r = all->r;
    struct search x = {.all = all, .range = range_of(r, c)};
    struct evidence_part parts[MAX_STREAMS];
    size_t part_count = choose_parts(parts, c), ends[MAX_STREAMS];
    size_t most = all->most_events + r->timeline->window_count;
    fl_arena_reset(&r->scratch);
    fl_status status = FL_RANK_NEW(&r->scratch, x.events, MAX_STREAMS * most, "events", err);
    for (size_t i = 0; i < part_count && status == FL_OK; i++) {
        if (parts[i].kind == PART_VALUE)
            add_values(&x, parts[i].index);
        else if (parts[i].kind == PART_CONTEXT)
            add_steps(&x, parts[i].index);
        else
            add_windows(&x, &parts[i]);
        ends[i] = x.count;
    }
    x.found.at_ns = c->span.from_ns;
    for (size_t round = 0; round < ROUNDS && status == FL_OK && x.count > 0; round++) {
        for (size_t i = 0, from = 0; i < part_count && status == FL_OK; from = ends[i++])
            status = weigh(&x, &parts[i], x.events + from, ends[i] - from, x.found.at_ns, err);
        if (status == FL_OK)
            status = locate(&x, err);
    }
    if (status != FL_OK || x.found.high_ns == 0)
        return status;
    x.found.low_ns -= x.resolution_ns > delay_ns ? x.resolution_ns / 2 : delay_ns;
    x.found.high_ns += x.resolution_ns / 2;
    /* Milliseconds are what people read; the interval does not get shorter by it. */
    *out = (fl_onset){.at_ns = x.found.at_ns / ms_ns * ms_ns,
                      .low_ns = x.found.low_ns / ms_ns * ms_ns,
                      .high_ns = (x.found.high_ns + ms_ns - 1) / ms_ns * ms_ns};
    return FL_OK;
}

/* ---- all of them ---- */

/* Spans are many and read once: those that any hypothesis asks for. */
static fl_status gather(struct onsets *x, fl_error *err)
{
    const struct rank *r = x->r;
    const fl_timeline *t = r->timeline;
    const fl_streams *s = r->streams;
    uint32_t *rows;
    fl_status status = FL_RANK_NEW(x->r->arena, rows, t->span_count, "spans", err);
    for (uint32_t i = 0; i < t->span_count && status == FL_OK; i++) {
        uint32_t operation = t->spans[i].operation;
        if (!x->operations[operation] &&
            (s->server[i] == FL_NO_INDEX || !x->callers[t->operations[operation].service]))
            continue;
        rows[x->row_count++] = i;
        x->most_events += s->first_of_span[i + 1] - s->first_of_span[i] + 1;
    }
    x->rows = rows;
    return status;
}

static void ask_for(struct onsets *x, const struct candidate *c)
{
    struct evidence_part parts[MAX_STREAMS];
    size_t count = choose_parts(parts, c);
    const fl_streams *s = x->r->streams;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].kind == PART_CONTEXT)
            x->operations[s->contexts[parts[i].index].operation] = true;
        else if (parts[i].kind == PART_VALUE && s->values[parts[i].index].kind == FL_STREAM_WIRE)
            x->callers[s->values[parts[i].index].caller] = true;
        else if (parts[i].kind == PART_VALUE)
            x->operations[s->values[parts[i].index].operation] = true;
    }
}

/* The usual distance of windows with metrics. */
static int64_t cadence_of(const struct rank *r)
{
    const fl_timeline *t = r->timeline;
    int64_t least = INT64_MAX, last = INT64_MIN;
    for (size_t w = 0; w < t->window_count; w++) {
        if (!t->windows[w].has_metrics)
            continue;
        if (last != INT64_MIN && t->windows[w].from_ns - last < least)
            least = t->windows[w].from_ns - last;
        last = t->windows[w].from_ns;
    }
    return least != INT64_MAX ? least : t->step_ns;
}

fl_status fl_rank_onsets(fl_onset *out, size_t count, struct rank *r, fl_error *err)
{
    assert(count <= r->candidate_count);
    struct onsets x = {.r = r, .cadence_ns = cadence_of(r)};
    const fl_timeline *t = r->timeline;
    fl_status status = FL_RANK_NEW(r->arena, x.is_history, t->window_count, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.operations, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.callers, t->service_count, "services", err);
    if (status != FL_OK)
        return status;
    count = count < MAX_HYPOTHESES ? count : MAX_HYPOTHESES;
    while (count > 0 && r->candidates[count - 1].score <= FL_LBF_REAL)
        count--; /* what is not beyond chance did not begin */
    for (size_t i = 0; i < r->traces.baseline_count; i++)
        x.is_history[r->traces.baseline[i]] = true;
    for (size_t i = 0; i < count; i++)
        ask_for(&x, &r->candidates[i]);
    status = gather(&x, err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = find_onset(&out[i], &x, &r->candidates[i], err);
    return status;
}
