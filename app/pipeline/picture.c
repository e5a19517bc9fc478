/*
 * picture.c - from the timeline to what is drawn of it.
 *
 * The axis ends with the incident's window and begins with the baseline that leads up to it: an
 * hour of it, or twice the window, as far as there is data. A step is one window of the timeline,
 * or as many as it takes to stay within FL_PICTURE_STEPS; the incident's time is the border of two.
 *
 * Which lanes: the entry services' always; then series that evidence is about, at most two for each
 * piece of it; then what else stands out, most first, and no service with more than its share.
 * Everything is ordered by content, so that the same timeline gives the same picture. Cost: two
 * selections over each series, and one pass over the spans.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "lbf.h"
#include "picture_priv.h"
#include "sort.h"

static const int64_t least_past_ns = INT64_C(3600) * 1000000000;

enum {
    MOST_GAP = 10, /* windows without data, beyond which the baseline is another one */
    LANES_PER_EVIDENCE = 2,
    LANES_PER_SERVICE = 8,   /* of those that only stand out */
    MAX_TEXT_BYTES = 1 << 20 /* queries are at most 64 KiB */
};

#define STANDS_OUT      5.0    /* usual deviations: once in millions of windows by chance */
#define MOST_DEVIATIONS 99.0   /* more says no more */
#define MODEL_SCALE     0.1    /* a change of 10 % is not told from noise by its size alone */
#define NORMAL_MAD      1.4826 /* of a normal distribution: deviation over median deviation */

fl_status fl_picture_no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a picture");
}

/* ---- the axis ---- */

/* Windows of the baseline just before the incident are sorted by time, as all are. */
static int64_t first_shown_ns(const struct picture *p)
{
    const fl_timeline *t = p->timeline;
    int64_t window_ns = p->out->window.to_ns - p->out->window.from_ns;
    int64_t most_ns = 2 * window_ns > least_past_ns ? 2 * window_ns : least_past_ns;
    int64_t from_ns = t->at_ns;
    for (size_t w = t->window_count; w > 0; w--) {
        const fl_window *window = &t->windows[w - 1];
        if (window->from_ns >= t->at_ns)
            continue;
        if (from_ns - window->to_ns > MOST_GAP * t->step_ns || t->at_ns - window->from_ns > most_ns)
            break;
        from_ns = window->from_ns;
    }
    return from_ns;
}

/* Rounded up: what is left of a step is drawn as a whole one. */
static size_t steps_in(int64_t duration_ns, int64_t step_ns)
{
    assert(duration_ns >= 0 && step_ns > 0);
    return (size_t)((duration_ns + step_ns - 1) / step_ns);
}

/* Times that people read: 1, 2, 5, 10, 15, 20, 30 and 60 windows, then multiples of 60. */
static int64_t step_for(const struct picture *p, int64_t past_ns, int64_t window_ns)
{
    static const int64_t nice[] = {1, 2, 5, 10, 15, 20, 30, 60};
    int64_t factor = 1;
    for (size_t i = 0;; i++) {
        size_t count = sizeof(nice) / sizeof(nice[0]);
        factor = i < count ? nice[i] : 60 * (int64_t)(i - count + 2);
        int64_t step_ns = factor * p->timeline->step_ns;
        if (steps_in(past_ns, step_ns) + steps_in(window_ns, step_ns) <= FL_PICTURE_STEPS)
            return step_ns;
    }
}

/* Where it begins, how wide a step is, and in which step each window lies. */
static fl_status make_axis(struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    fl_picture *out = p->out;
    int64_t window_ns = out->window.to_ns - out->window.from_ns;
    int64_t past_ns = t->at_ns - first_shown_ns(p);
    out->step_ns = step_for(p, past_ns, window_ns);
    size_t before = steps_in(past_ns, out->step_ns);
    out->from_ns = t->at_ns - (int64_t)before * out->step_ns;
    out->step_count = before + steps_in(window_ns, out->step_ns);
    if (before > 0)
        out->baseline = (fl_range){out->from_ns, t->at_ns};
    p->step_of = fl_arena_alloc(&p->scratch, t->window_count + 1, sizeof(*p->step_of));
    if (p->step_of == NULL)
        return fl_picture_no_memory(err);
    for (size_t w = 0; w < t->window_count; w++) {
        int64_t since = t->windows[w].from_ns - out->from_ns;
        size_t step = since >= 0 ? (size_t)(since / out->step_ns) : out->step_count;
        p->step_of[w] = step < out->step_count ? (uint32_t)step : FL_NO_INDEX;
    }
    return FL_OK;
}

/* ---- a row ---- */

/* The numbers of the baseline, or of the incident, into p->sorted. */
static size_t gather(struct picture *p, const picture_row *row, bool of_incident)
{
    size_t count = 0;
    for (size_t w = 0; w < p->timeline->window_count; w++)
        if (p->timeline->windows[w].incident == of_incident && !isnan(row->values[w]))
            p->sorted[count++] = row->values[w];
    return count;
}

/* Of what gather() left; reorders it. */
static double median_deviation(struct picture *p, size_t count, double median)
{
    for (size_t i = 0; i < count; i++)
        p->sorted[i] = fabs(p->sorted[i] - median);
    return NORMAL_MAD * fl_median(p->sorted, count);
}

/* A count scatters by its root at least (Poisson), anything else by a tenth; where the baseline is
 * always the same and not above 0, any other value is as far as can be told. */
double fl_picture_deviations(struct picture *p, const picture_row *row)
{
    size_t count = gather(p, row, false);
    double median = fl_median(p->sorted, count);
    if (isnan(median))
        return NAN;
    double usual = fmax(median_deviation(p, count, median), MODEL_SCALE * fabs(median));
    if (row->is_count)
        usual = fmax(usual, sqrt(fmax(median, 1)));
    double worst = NAN;
    for (size_t w = 0; w < p->timeline->window_count; w++) {
        double off = row->values[w] - median;
        if (p->timeline->windows[w].incident && !isnan(off) &&
            (isnan(worst) || fabs(off) > fabs(worst)))
            worst = off;
    }
    if (isnan(worst) || worst == 0)
        return worst;
    double deviations = usual > 0 ? worst / usual : copysign(MOST_DEVIATIONS, worst);
    return fmin(fmax(deviations, -MOST_DEVIATIONS), MOST_DEVIATIONS);
}

/* The median and what nine in ten windows of the baseline are within; a step of several windows
 * that adds them up is usual at as many times that. */
static void tell_usual(fl_lane *lane, struct picture *p, const picture_row *row)
{
    size_t count = gather(p, row, false);
    double windows = row->is_count ? (double)(p->out->step_ns / p->timeline->step_ns) : 1;
    lane->usual = lane->usual_low = lane->usual_high = NAN;
    if (count == 0)
        return;
    lane->usual = windows * fl_median(p->sorted, count);
    lane->usual_low = windows * fl_select(p->sorted, count, (count - 1) / 20);
    lane->usual_high = windows * fl_select(p->sorted, count, count - 1 - (count - 1) / 20);
}

/* Sums of counts, means of everything else. */
static fl_status to_steps(fl_lane *lane, struct picture *p, const picture_row *row, fl_error *err)
{
    size_t steps = p->out->step_count;
    double *values = fl_arena_alloc(p->arena, steps, sizeof(*values));
    uint32_t *counts = fl_arena_alloc(&p->scratch, steps, sizeof(*counts));
    if (values == NULL || counts == NULL)
        return fl_picture_no_memory(err);
    for (size_t w = 0; w < p->timeline->window_count; w++)
        if (p->step_of[w] != FL_NO_INDEX && !isnan(row->values[w])) {
            assert(p->step_of[w] < steps);
            values[p->step_of[w]] += row->values[w];
            counts[p->step_of[w]]++;
        }
    for (size_t s = 0; s < steps; s++)
        if (counts[s] == 0)
            values[s] = NAN;
        else if (!row->is_count)
            values[s] /= counts[s];
    lane->values = values;
    return FL_OK;
}

/* ---- which lanes ---- */

fl_status fl_picture_add(struct picture *p, const picture_candidate *candidate, fl_error *err)
{
    assert(candidate->service < p->timeline->service_count);
    if (p->candidate_count == p->candidate_capacity)
        return fl_picture_no_memory(err); /* there is a place for each series */
    bool is_wanted = candidate->is_entry || candidate->cited != FL_NO_INDEX;
    if (is_wanted || fabs(candidate->deviations) >= STANDS_OUT)
        p->candidates[p->candidate_count++] = *candidate;
    return FL_OK;
}

/* What users met, what the answer rests on, what is near it, the rest. */
static int group_of(const picture_candidate *c)
{
    return c->is_entry ? 0 : c->cited != FL_NO_INDEX ? 1 : c->is_suspect ? 2 : 3;
}

/* Services, sources and their indexes are in the order of content. */
static int compare_candidates(const void *left, const void *right)
{
    const picture_candidate *a = left, *b = right;
    int group = group_of(a) - group_of(b);
    if (group != 0)
        return group;
    if (a->is_entry && a->service != b->service)
        return a->service < b->service ? -1 : 1;
    if (group_of(a) == 1 && a->cited != b->cited)
        return a->cited < b->cited ? -1 : 1;
    double x = isnan(a->deviations) ? 0 : fabs(a->deviations);
    double y = isnan(b->deviations) ? 0 : fabs(b->deviations);
    if (a->source != SOURCE_ENTRY && b->source != SOURCE_ENTRY && x != y)
        return x > y ? -1 : 1;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Whether there is room for it; counts it where there is. */
static bool admit(struct picture *p, const picture_candidate *c, uint32_t *of_service)
{
    if (c->is_entry && c->source == SOURCE_ENTRY)
        return true;
    if (c->is_entry)
        return of_service[c->service]++ < LANES_PER_SERVICE &&
               p->out->lane_count < PICTURE_ENTRY_LANES;
    if (c->cited != FL_NO_INDEX)
        return p->cited[c->cited].lanes++ < LANES_PER_EVIDENCE;
    return of_service[c->service]++ < LANES_PER_SERVICE;
}

/* Which way it is off. */
static const char *side_of(double deviations)
{
    return deviations < 0 ? "below" : "above";
}

/* One sentence; how far it is from what is usual where that can be told. */
static const char *reason(const fl_lane *lane, struct picture *p, const picture_candidate *c)
{
    double far = fabs(lane->deviations);
    bool is_far = far >= STANDS_OUT;
    const char *most = far >= MOST_DEVIATIONS ? "more than " : "";
    if (c->cited != FL_NO_INDEX) {
        const fl_hypothesis *h = p->cited[c->cited].hypothesis;
        return fl_arena_printf(p->arena, "evidence %s hypothesis %u, %s of %s",
                               p->cited[c->cited].evidence->against ? "against" : "for", h->rank,
                               fl_cause_name(h->cause), h->service != NULL ? h->service : "?");
    }
    const char *what = c->is_entry ? "what callers from outside met; " : "";
    if (!is_far)
        return fl_arena_printf(p->arena, "what callers from outside met");
    return fl_arena_printf(p->arena, "%sup to %s%.3g usual deviations %s what is usual", what, most,
                           far, side_of(lane->deviations));
}

/* Its numbers are read again: keeping them for all candidates would take a window's room each. */
static fl_status draw(fl_lane *lane, struct picture *p, const picture_candidate *c, fl_error *err)
{
    *lane = (fl_lane){.is_entry = c->is_entry, .deviations = c->deviations};
    picture_row row = fl_picture_row_of(p, c->source, c->index);
    if (c->cited != FL_NO_INDEX) {
        lane->hypothesis = p->cited[c->cited].hypothesis->rank;
        lane->weight_nats = p->cited[c->cited].evidence->weight_nats;
    }
    if (c->source == SOURCE_ENTRY)
        fl_picture_name_entry(lane, p, c);
    else
        fl_picture_name_series(lane, p, c);
    lane->why = reason(lane, p, c);
    if (lane->name == NULL || lane->why == NULL || lane->query == NULL)
        return fl_picture_no_memory(err);
    tell_usual(lane, p, &row);
    return to_steps(lane, p, &row, err);
}

/* Everything that was wanted and found no room is counted. */
static fl_status choose_lanes(struct picture *p, fl_error *err)
{
    fl_lane *lanes = fl_arena_alloc(p->arena, FL_PICTURE_LANES, sizeof(*lanes));
    uint32_t *of_service =
        fl_arena_alloc(&p->scratch, p->timeline->service_count + 1, sizeof(*of_service));
    fl_status status = lanes != NULL && of_service != NULL ? FL_OK : fl_picture_no_memory(err);
    if (status == FL_OK && p->candidate_count > 0)
        qsort(p->candidates, p->candidate_count, sizeof(p->candidates[0]), compare_candidates);
    for (size_t i = 0; i < p->candidate_count && status == FL_OK; i++) {
        const picture_candidate *c = &p->candidates[i];
        bool has_room = p->out->lane_count < FL_PICTURE_LANES;
        if (has_room && admit(p, c, of_service))
            status = draw(&lanes[p->out->lane_count++], p, c, err);
        else
            p->out->lanes_left_out++;
    }
    p->out->lanes = lanes;
    return status;
}

/* ---- all of it ---- */

/* Once for all series. */
static void take_topology(struct picture *p)
{
    const fl_timeline *t = p->timeline;
    for (size_t i = 0; i < t->topology_count; i++) {
        assert(t->topology[i].caller < t->service_count);
        assert(t->topology[i].callee < t->service_count);
        p->is_caller[t->topology[i].caller] = true;
        p->is_callee[t->topology[i].callee] = true;
    }
}

/* A place for each series that there is: no table grows while it is filled. */
static fl_status make_room(struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    p->candidate_capacity = PICTURE_ENTRIES * PICTURE_ENTRY_ROWS + t->metric_series_count +
                            t->log_series_count + p->in->streams->value_count;
    p->candidates = fl_arena_alloc(&p->scratch, p->candidate_capacity, sizeof(p->candidates[0]));
    p->row = fl_arena_alloc(&p->scratch, t->window_count + 1, sizeof(double));
    p->sorted = fl_arena_alloc(&p->scratch, t->window_count + 1, sizeof(double));
    p->is_suspect = fl_arena_alloc(&p->scratch, t->service_count + 1, sizeof(bool));
    p->is_caller = fl_arena_alloc(&p->scratch, t->service_count + 1, sizeof(bool));
    p->is_callee = fl_arena_alloc(&p->scratch, t->service_count + 1, sizeof(bool));
    bool has_rows = p->candidates != NULL && p->row != NULL && p->sorted != NULL;
    if (!has_rows || p->is_suspect == NULL || p->is_caller == NULL || p->is_callee == NULL)
        return fl_picture_no_memory(err);
    take_topology(p);
    return FL_OK;
}

/* Stages in the order in which they need each other; the last two use the scratch memory anew. */
fl_status fl_picture_build(fl_picture *out, const fl_picture_input *in, fl_arena *arena,
                           fl_error *err)
{
    assert(out != NULL && in->incident != NULL && in->streams != NULL && arena != NULL);
    const fl_incident *incident = in->incident;
    *out = (fl_picture){.incident = incident->id,
                        .at_ns = incident->at_ns,
                        .window = incident->window,
                        .onset = incident->onset,
                        .stacks = in->stacks,
                        .stack_count = in->stack_count,
                        .spans_kept = in->streams->timeline->span_sampling,
                        .logs_kept = in->streams->timeline->log_sampling};
    struct picture p = {.in = in,
                        .timeline = in->streams->timeline,
                        .out = out,
                        .arena = arena,
                        .scratch = fl_arena_of(FL_MAX_PICTURE_SCRATCH_BYTES),
                        .texts = fl_arena_of(MAX_TEXT_BYTES)};
    static fl_status (*const stages[])(struct picture *, fl_error *) = {make_axis,
                                                                        make_room,
                                                                        fl_picture_cite,
                                                                        fl_picture_find_entries,
                                                                        fl_picture_find_series,
                                                                        choose_lanes,
                                                                        fl_picture_find_calls,
                                                                        fl_picture_find_events};
    fl_status status = FL_OK;
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]) && status == FL_OK; i++)
        status = stages[i](&p, err);
    fl_arena_dispose(&p.scratch);
    fl_arena_dispose(&p.texts);
    return status;
}
