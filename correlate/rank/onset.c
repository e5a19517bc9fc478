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
#include "sort.h"

enum {
    ROUNDS = 3,
    MAX_STREAMS = 3,    /* of a hypothesis, the heaviest */
    MAX_HYPOTHESES = 5, /* what fits a first screen */
    /* Spans of an operation that are read, near the incident and of the history. Spans are sorted
     * by a hash of their trace, so the first ones are a fair sample. The error of a median of a
     * thousand is 4 % of the spread; a thousand in ten minutes are one in 0.6 s, and the interval
     * is never shorter than `delay_ns`. */
    MAX_SPANS = 1000,
    STUDENT_DEGREES = 4
};
#define STRAY 0.05
/* How many events say as much as one that is independent of the others. */
#define TEMPER 2.0
/* exp(-50): what one event says before it is bounded. */
#define LEAST_ODDS 1.9287498479639178e-22
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
    double value;    /* a logarithm, a measured number, or the place of what came next */
    double ratio;    /* nats, for the changed distribution */
    bool is_history; /* of a baseline window: tells what is usual */
};

struct onsets {
    struct rank *r;
    bool *is_history;      /* per window */
    bool *operations;      /* whose spans are asked for */
    const uint32_t *rows;  /* the spans of these, by operation */
    const uint32_t *first; /* per operation: its first place among the rows */
    int64_t cadence_ns;    /* usual distance of the metrics' windows */
    int64_t end_ns;        /* of what changed, by any hypothesis */
};

struct spread {
    double center, scale;
};

/* A part of the evidence at work: its events of the range, and what was usual. */
struct stream {
    const struct evidence_part *part;
    size_t first, end;    /* among the events */
    double *history;      /* values; of steps how often each came */
    size_t history_count; /* values; of steps all of them */
    struct spread usual;  /* of values */
};

/* One hypothesis at work. */
struct search {
    struct onsets *all;
    fl_range range;       /* where the onset is looked for */
    struct event *events; /* within the range, those of one stream side by side */
    size_t count, max;
    fl_keyed *order;       /* the events by time */
    double *gaps;          /* logarithm of the time up to each, and up to the end of the range */
    double *mass;          /* of the onset within each gap */
    double *room;          /* for a number of each event */
    int64_t resolution_ns; /* of the coarsest stream that is not made of single events; 0: none */
    fl_onset found;
};

/* ---- events ---- */

static void add_event(struct search *x, int64_t time_ns, double value, bool is_history)
{
    assert(!isnan(value) && x->count < x->max);
    if (time_ns >= x->range.from_ns && time_ns < x->range.to_ns)
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
        if (server == FL_NO_INDEX ||
            t->operations[t->spans[server].operation].service != stream->callee)
            return NAN;
        ns -= (double)t->spans[server].duration_ns;
    } else if (stream->kind == FL_STREAM_SELF) {
        ns = (double)fl_span_self_ns(t, s->children, s->first_child, span);
    }
    return fl_log_ms(fmax(ns, 0));
}

/* Whether a stream measures spans of an operation. */
static bool measures(const struct rank *r, const fl_value_stream *stream, uint32_t operation)
{
    return stream->kind == FL_STREAM_WIRE
               ? r->timeline->operations[operation].service == stream->caller
               : operation == stream->operation;
}

static void add_values(struct search *x, struct stream *stream)
{
    const struct rank *r = x->all->r;
    const fl_value_stream *values = &r->streams->values[stream->part->index];
    for (uint32_t op = 0; op < r->timeline->operation_count; op++) {
        if (!measures(r, values, op))
            continue;
        for (uint32_t i = x->all->first[op]; i < x->all->first[op + 1]; i++) {
            const fl_span_row *row = &r->timeline->spans[x->all->rows[i]];
            bool is_history = x->all->is_history[row->window];
            double value = value_of(r, values, x->all->rows[i]);
            if (isnan(value))
                continue;
            if (is_history)
                stream->history[stream->history_count++] = value;
            add_event(x, row->start_ns, value, is_history);
        }
    }
}

/* Among the rows of its context. */
static uint32_t place_of(const fl_streams *s, const fl_context *context, uint32_t row)
{
    uint32_t place = 0;
    while (s->context_rows[context->first_row + place] != row)
        place++;
    assert(place < context->row_count);
    return place;
}

/* What came next. */
static void add_steps(struct search *x, struct stream *stream)
{
    const struct rank *r = x->all->r;
    const fl_streams *s = r->streams;
    uint32_t index = stream->part->index;
    const fl_context *context = &s->contexts[index];
    for (uint32_t b = 0; b < context->row_count; b++) {
        const fl_transition *row = &s->rows[s->context_rows[context->first_row + b]];
        size_t count = 0;
        for (size_t i = 0; i < row->count; i++)
            count += x->all->is_history[row->windows[i]];
        stream->history[b] = (double)count;
        stream->history_count += count;
    }
    for (uint32_t i = x->all->first[context->operation]; i < x->all->first[context->operation + 1];
         i++) {
        uint32_t span = x->all->rows[i];
        const fl_span_row *row = &r->timeline->spans[span];
        bool is_history = x->all->is_history[row->window];
        for (uint32_t k = s->first_of_span[span]; k < s->first_of_span[span + 1]; k++) {
            if (s->rows[s->span_rows[k]].context != index)
                continue;
            add_event(x, row->start_ns, place_of(s, context, s->span_rows[k]), is_history);
        }
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

static void add_windows(struct search *x, const struct stream *stream)
{
    const fl_timeline *t = x->all->r->timeline;
    bool is_metric = stream->part->kind != PART_LINES;
    for (uint32_t w = 0; w < t->window_count; w++) {
        int64_t middle = t->windows[w].from_ns + t->step_ns / 2;
        double value = window_value(x->all->r, stream->part, w);
        if (!isnan(value))
            add_event(x, middle, value, false);
    }
    int64_t resolution = is_metric ? x->all->cadence_ns : t->step_ns;
    x->resolution_ns = resolution > x->resolution_ns ? resolution : x->resolution_ns;
}

/* ---- ratios ---- */

/* ln of the two distributions' ratio, each mixed with STRAY of the other. */
static double bounded(double odds)
{
    return log(((1 - STRAY) * odds + STRAY) / ((1 - STRAY) + STRAY * odds)) / TEMPER;
}

/* Reorders the values, which become deviations. */
static struct spread spread_of(double *values, size_t count)
{
    struct spread out = {.center = fl_median(values, count), .scale = NAN};
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - out.center);
    if (count > 0)
        out.scale = fmax(fl_median(values, count) / NORMAL_QUANTILE, SCALE_FLOOR);
    return out;
}

/* Of Student's densities for 4 degrees of freedom, whose power is 5/2. */
static void compare(struct event *events, size_t count, const struct spread *before,
                    const struct spread *after)
{
    static_assert(STUDENT_DEGREES == 4, "the power below is (degrees + 1) / 2");
    double scales = before->scale / after->scale;
    for (size_t i = 0; i < count; i++) {
        double old = (events[i].value - before->center) / before->scale;
        double new = (events[i].value - after->center) / after->scale;
        double heads = (4 + old * old) / (4 + new *new);
        double odds = heads * heads * sqrt(heads) * scales;
        events[i].ratio = bounded(fmin(fmax(odds, LEAST_ODDS), 1 / LEAST_ODDS));
    }
}

static void weigh_values(struct search *x, const struct stream *stream)
{
    size_t count = 0;
    for (size_t i = stream->first; i < stream->end; i++)
        if (!x->events[i].is_history && x->events[i].time_ns >= x->found.at_ns)
            x->room[count++] = x->events[i].value;
    struct spread after = spread_of(x->room, count);
    if (after.center > stream->usual.center) /* not NaN, and the bad direction */
        compare(x->events + stream->first, stream->end - stream->first, &stream->usual, &after);
}

/* The share of each step, smoothed by half an event over those that there are. `room` holds a
 * number for each of the steps. */
static void weigh_steps(struct search *x, const struct stream *stream, double *room)
{
    const fl_context *c = &x->all->r->streams->contexts[stream->part->index];
    double each = 0.5 / c->row_count, total = 0;
    memset(room, 0, c->row_count * sizeof(*room));
    for (size_t i = stream->first; i < stream->end; i++) {
        const struct event *event = &x->events[i];
        bool counts = !event->is_history && event->time_ns >= x->found.at_ns;
        room[(size_t)event->value] += counts;
        total += counts;
    }
    for (uint32_t b = 0; b < c->row_count; b++)
        room[b] = bounded((room[b] + each) / (total + 0.5) * ((double)stream->history_count + 0.5) /
                          (stream->history[b] + each));
    for (size_t i = stream->first; i < stream->end; i++)
        x->events[i].ratio = room[(size_t)x->events[i].value];
}

/* What the test has learnt of a series, in the units in which it was measured. */
static void weigh_windows(struct search *x, const struct stream *stream)
{
    const struct rank *r = x->all->r;
    uint32_t index = stream->part->index;
    struct spread before, after;
    if (stream->part->kind == PART_LINES) {
        const fl_lbf_shift *test = &r->lines[index];
        before = (struct spread){test->center, test->sigma};
        after = (struct spread){test->center + test->shift, test->sigma};
    } else {
        const struct metric_result *m = &r->metric_results[index];
        double sigmas = m->test.shift > 0 && m->test.sigma > 0 ? m->test.shift / m->test.sigma
                                                               : sqrt(2 * fmax(m->test.lbf, 0) + 1);
        double scale = fabs(m->after - m->before) / sigmas;
        before = (struct spread){m->before, scale};
        after = (struct spread){m->after, scale};
    }
    if (before.scale > 0)
        compare(x->events + stream->first, stream->end - stream->first, &before, &after);
}

/* ---- the posterior ---- */

/* The events by time, and how long nothing happened before each and after the last. */
static fl_status put_in_order(struct search *x, fl_error *err)
{
    fl_arena *scratch = &x->all->r->scratch;
    fl_keyed *room;
    fl_status status = FL_RANK_NEW(scratch, x->order, x->count, "events", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(scratch, room, x->count, "events", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(scratch, x->gaps, x->count + 1, "events", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(scratch, x->mass, x->count + 1, "events", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < x->count; i++)
        x->order[i] = (fl_keyed){.key = fl_sort_number(x->events[i].time_ns), .index = (uint32_t)i};
    fl_sort_keyed(x->order, room, x->count);
    int64_t from = x->range.from_ns;
    for (size_t i = 0; i <= x->count; i++) {
        int64_t to = i < x->count ? x->events[x->order[i].index].time_ns : x->range.to_ns;
        assert(to >= from);
        x->gaps[i] = to > from ? log((double)(to - from)) : -INFINITY;
        from = to;
    }
    return FL_OK;
}

/* Where `share` of the mass lies before: mass[i] is that of the time up to event i, and the last
 * one's up to the end of the range. */
static int64_t quantile(const struct search *x, double share)
{
    double before = 0;
    int64_t from = x->range.from_ns;
    for (size_t i = 0; i <= x->count; i++) {
        int64_t to = i < x->count ? x->events[x->order[i].index].time_ns : x->range.to_ns;
        if (before + x->mass[i] >= share && x->mass[i] > 0)
            return from + (int64_t)((double)(to - from) * (share - before) / x->mass[i]);
        before += x->mass[i];
        from = to;
    }
    return x->range.to_ns;
}

/* What is less probable than that by so many nats is not seen in a sum of doubles. */
#define NEGLIGIBLE 40.0

static void locate(struct search *x)
{
    double behind = 0, top = -INFINITY, total = 0;
    bool is_told = false;
    for (size_t i = x->count + 1; i-- > 0;) {
        double ratio = i < x->count ? x->events[x->order[i].index].ratio : 0;
        is_told |= ratio != 0;
        behind += ratio;
        x->mass[i] = x->gaps[i] + behind;
        top = fmax(top, x->mass[i]);
    }
    if (!is_told)
        return;
    for (size_t i = 0; i <= x->count; i++) {
        x->mass[i] = x->mass[i] > top - NEGLIGIBLE ? exp(x->mass[i] - top) : 0;
        total += x->mass[i];
    }
    for (size_t i = 0; i <= x->count; i++)
        x->mass[i] /= total;
    x->found = (fl_onset){.at_ns = quantile(x, 0.5),
                          .low_ns = quantile(x, LOW_QUANTILE),
                          .high_ns = quantile(x, HIGH_QUANTILE)};
}

/* ---- one hypothesis ---- */

/* The heaviest parts that are beyond the gate, and in any case the first. */
static size_t choose_parts(struct evidence_part out[MAX_STREAMS], const struct candidate *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->part_count && count < MAX_STREAMS; i++)
        if (c->parts[i].kind != PART_EDGE_GONE && c->parts[i].kind != PART_CHANGE &&
            c->parts[i].kind != PART_FINDING && c->parts[i].kind != PART_ALERT &&
            c->parts[i].weight > 0 && (count == 0 || c->parts[i].weight > FL_LBF_REAL))
            out[count++] = c->parts[i];
    return count;
}

static void weigh(struct search *x, const struct stream *stream)
{
    if (stream->part->kind == PART_VALUE)
        weigh_values(x, stream);
    else if (stream->part->kind == PART_CONTEXT)
        weigh_steps(x, stream, x->room);
    else
        weigh_windows(x, stream);
}

/* How many events a part can have; of a context also how many steps. */
static size_t most_events(const struct onsets *x, const struct evidence_part *part)
{
    const struct rank *r = x->r;
    const fl_streams *s = r->streams;
    size_t count = 0;
    if (part->kind == PART_VALUE) {
        for (uint32_t op = 0; op < r->timeline->operation_count; op++)
            if (measures(r, &s->values[part->index], op))
                count += x->first[op + 1] - x->first[op];
        return count;
    }
    if (part->kind != PART_CONTEXT)
        return r->timeline->window_count;
    const fl_context *context = &s->contexts[part->index];
    for (uint32_t i = x->first[context->operation]; i < x->first[context->operation + 1]; i++)
        count += s->first_of_span[x->rows[i] + 1] - s->first_of_span[x->rows[i]];
    return count + context->row_count;
}

/* The events of all parts. */
static fl_status read_events(struct search *x, struct stream *streams, size_t count, fl_error *err)
{
    fl_arena *scratch = &x->all->r->scratch;
    fl_status status = FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        size_t most = most_events(x->all, streams[i].part);
        x->max += most;
        status = FL_RANK_NEW(scratch, streams[i].history, most, "events", err);
    }
    if (status == FL_OK)
        status = FL_RANK_NEW(scratch, x->events, x->max, "events", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(scratch, x->room, x->max, "events", err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        streams[i].first = x->count;
        if (streams[i].part->kind == PART_VALUE) {
            add_values(x, &streams[i]);
            streams[i].usual = spread_of(streams[i].history, streams[i].history_count);
        } else if (streams[i].part->kind == PART_CONTEXT) {
            add_steps(x, &streams[i]);
        } else {
            add_windows(x, &streams[i]);
        }
        streams[i].end = x->count;
    }
    return status == FL_OK && x->count > 0 ? put_in_order(x, err) : status;
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

/* How far the times of a service can be off, after they were put right: an order of less than that
 * between services is none. */
static int64_t clock_error_ns(const fl_timeline *t, uint32_t service)
{
    int64_t most_ns = 0;
    for (size_t i = 0; i < t->clock_count; i++)
        if (t->entities[t->clocks[i].entity].service == service && t->clocks[i].error_ns > most_ns)
            most_ns = t->clocks[i].error_ns;
    return most_ns;
}

static fl_status find_onset(fl_onset *out, struct onsets *all, const struct candidate *c,
                            fl_error *err)
{
    struct rank *r = all->r;
    struct search x = {.all = all, .range = range_of(r, c)};
    struct evidence_part parts[MAX_STREAMS];
    struct stream streams[MAX_STREAMS] = {0};
    size_t count = choose_parts(parts, c);
    for (size_t i = 0; i < count; i++)
        streams[i].part = &parts[i];
    fl_arena_reset(&r->scratch);
    fl_status status = read_events(&x, streams, count, err);
    x.found.at_ns = c->span.from_ns;
    for (size_t round = 0; round < ROUNDS && status == FL_OK && x.count > 0; round++) {
        int64_t last_ns = x.found.at_ns;
        for (size_t i = 0; i < count; i++)
            weigh(&x, &streams[i]);
        locate(&x);
        if (x.found.at_ns == last_ns)
            break; /* it would be found again */
    }
    if (status != FL_OK || x.found.high_ns == 0)
        return status;
    x.found.low_ns -= x.resolution_ns > delay_ns ? x.resolution_ns / 2 : delay_ns;
    x.found.high_ns += x.resolution_ns / 2;
    int64_t clock_ns = clock_error_ns(r->timeline, c->service);
    x.found.low_ns -= clock_ns;
    x.found.high_ns += clock_ns;
    /* Milliseconds are what people read; the interval does not get shorter by it. */
    *out = (fl_onset){.at_ns = x.found.at_ns / ms_ns * ms_ns,
                      .low_ns = x.found.low_ns / ms_ns * ms_ns,
                      .high_ns = (x.found.high_ns + ms_ns - 1) / ms_ns * ms_ns};
    return FL_OK;
}

/* ---- all of them ---- */

/* Of one operation's spans. */
struct taken {
    uint32_t near, usual;
};

/* Whether a span is read: of those that may be of the incident, and of the others, as many of an
 * operation that is asked for as tell enough. */
static bool is_read(const struct onsets *x, const fl_span_row *row, struct taken *taken)
{
    if (!x->operations[row->operation])
        return false;
    if (row->start_ns >= x->r->timeline->at_ns - reach_ns && row->start_ns < x->end_ns)
        return taken[row->operation].near++ < MAX_SPANS;
    return x->is_history[row->window] && taken[row->operation].usual++ < MAX_SPANS;
}

/* The spans that are read, by operation and in their order. */
static fl_status gather(struct onsets *x, fl_error *err)
{
    const fl_timeline *t = x->r->timeline;
    fl_arena *arena = x->r->arena;
    struct taken *taken;
    uint32_t *first, *rows, *read, count = 0, read_count = 0;
    fl_arena_reset(&x->r->scratch);
    fl_status status = FL_RANK_NEW(arena, first, t->operation_count + 2, "operations", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&x->r->scratch, taken, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&x->r->scratch, read, t->span_count, "spans", err);
    if (status != FL_OK)
        return status;
    for (uint32_t i = 0; i < t->span_count; i++)
        if (is_read(x, &t->spans[i], taken)) {
            read[read_count++] = i;
            first[t->spans[i].operation + 2]++;
        }
    /* first[op + 1] is where op's next span goes: where its spans begin, and at last where they
     * end.
     */
    for (size_t op = 0; op < t->operation_count; op++)
        count = first[op + 2] += count;
    assert(count == read_count);
    status = FL_RANK_NEW(arena, rows, count, "spans", err);
    for (uint32_t i = 0; i < count && status == FL_OK; i++)
        rows[first[t->spans[read[i]].operation + 1]++] = read[i];
    x->first = first;
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
        for (uint32_t op = 0; op < x->r->timeline->operation_count; op++)
            if (parts[i].kind == PART_VALUE && measures(x->r, &s->values[parts[i].index], op))
                x->operations[op] = true;
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
    if (status != FL_OK)
        return status;
    count = count < MAX_HYPOTHESES ? count : MAX_HYPOTHESES;
    while (count > 0 && r->candidates[count - 1].score <= FL_LBF_REAL)
        count--; /* what is not beyond chance did not begin */
    for (size_t i = 0; i < r->traces.baseline_count; i++)
        x.is_history[r->traces.baseline[i]] = true;
    for (size_t i = 0; i < count; i++) {
        ask_for(&x, &r->candidates[i]);
        x.end_ns = r->candidates[i].span.to_ns > x.end_ns ? r->candidates[i].span.to_ns : x.end_ns;
    }
    status = gather(&x, err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = find_onset(&out[i], &x, &r->candidates[i], err);
    return status;
}
