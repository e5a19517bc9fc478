/*
 * breaks.c - one entry service: its rings as windows, the three tests, what began and what ended.
 *
 * The last ten minutes are compared with the 110 before them. A break goes on: its windows end with
 * the newest. It is sustained: there are two of them at least, so that one bad minute is none. It
 * is of a size that matters, over the whole past and over the ten minutes before: traffic that ebbs
 * away over the day breaks nothing.
 *
 * A break ends when the newest window is nearer to what was usual than to what was broken. One
 * whose past is out of reach has become the usual. Windows of a break are no baseline.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "lbf.h"
#include "watch_priv.h"

enum {
    RECENT_WINDOWS = 10,
    FEWEST_REQUESTS = 20, /* a window; below, noise alone halves them */
    FEWEST_ERRORS = 5 /* in a break; fewer are some unlucky requests of a service hardly asked */
};
#define ERRORS_MATTER   0.01  /* of the requests: what an objective of 99 % allows in all */
#define LATENCY_MATTERS 0.405 /* ln 1.5 */
#define TRAFFIC_MATTERS 0.693 /* ln 2 */
#define USUAL_SCALE     0.3   /* of ln(latency) and ln(traffic) where little is known (lbf.h) */

static const int64_t again_ns = INT64_C(300) * 1000000000; /* within it, it is the same break */
/* Half a minute across a border is in two windows of a minute for two steps. */
static const int64_t hold_ns = 2 * WATCH_STEP_NS;

/* ---- windows ---- */

typedef struct window_sum {
    double requests, errors, timed, log_ms;
} window_sum;

/* Six steps that need not begin at a whole minute. */
static window_sum sum_window(const watch_operation *operation, int64_t first_step)
{
    window_sum sum = {0};
    for (int64_t step = first_step; step < first_step + WATCH_WINDOW_STEPS; step++) {
        const watch_cell *cell = &operation->cells[step % WATCH_STEPS];
        sum.requests += cell->requests;
        sum.errors += cell->errors;
        sum.timed += cell->timed;
        sum.log_ms += (double)cell->log_ms;
    }
    return sum;
}

/* Windows are counted back from the end of the look, not from midnight. */
static int64_t first_step_of(int64_t end_step, size_t window)
{
    return end_step - (int64_t)(WATCH_WINDOWS - window) * WATCH_WINDOW_STEPS;
}

/* The requests of an operation, and how many of them failed. */
static void add_counts(watch_windows *out, const watch_operation *operation, int64_t end_step)
{
    for (size_t w = 0; w < WATCH_WINDOWS; w++) {
        window_sum sum = sum_window(operation, first_step_of(end_step, w));
        out->requests[w] += sum.requests;
        out->errors[w] += sum.errors;
    }
}

/* How long they took. An operation's usual latency is the median of the past windows' means. */
static void add_times(watch_windows *out, double weight[WATCH_WINDOWS],
                      const watch_operation *operation, int64_t end_step, const bool *is_past)
{
    double mean[WATCH_WINDOWS], timed[WATCH_WINDOWS], past[WATCH_WINDOWS];
    size_t count = 0;
    for (size_t w = 0; w < WATCH_WINDOWS; w++) {
        window_sum sum = sum_window(operation, first_step_of(end_step, w));
        timed[w] = sum.timed;
        mean[w] = sum.timed > 0 ? sum.log_ms / sum.timed : NAN;
        if (is_past[w] && sum.timed > 0)
            past[count++] = mean[w];
    }
    if (count < WATCH_FEWEST_PAST)
        return;
    double usual = fl_median(past, count);
    for (size_t w = 0; w < WATCH_WINDOWS; w++) {
        if (timed[w] == 0)
            continue;
        out->slowness[w] += timed[w] * (mean[w] - usual);
        weight[w] += timed[w];
    }
}

/* Of everybody, without the requests of this service: whether telemetry comes in at all. Requests
 * that metrics tell of are none of it: the points that tell of them go on when they stay away. */
static void add_others(watch_windows *out, const fl_watch *watch, const watch_service *service,
                       int64_t end_step)
{
    for (size_t w = 0; w < WATCH_WINDOWS; w++) {
        int64_t first = first_step_of(end_step, w);
        for (int64_t step = first; step < first + WATCH_WINDOW_STEPS; step++) {
            size_t at = (size_t)(step % WATCH_STEPS);
            out->others[w] += (double)watch->points[at] + (double)watch->spans[at];
        }
        if (!service->is_by_metrics)
            out->others[w] = fmax(0, out->others[w] - out->requests[w]);
    }
}

/* Windows before the last ten that no break of the service lies in. */
static void mark_past(bool out[WATCH_WINDOWS], const fl_watch *watch, const watch_service *service,
                      int64_t end_step)
{
    for (size_t w = 0; w < WATCH_WINDOWS; w++) {
        int64_t from = first_step_of(end_step, w) * WATCH_STEP_NS, to = from + WATCH_WINDOW_NS;
        out[w] = w < WATCH_PAST_WINDOWS && w >= WATCH_PAST_WINDOWS - watch->past_windows &&
                 fl_watch_has_step(watch, first_step_of(end_step, w));
        for (size_t k = 0; k < FL_SIGN_KIND_COUNT; k++) {
            const watch_break *b = &service->breaks[k];
            bool is_over = !b->is_open && b->cleared_ns <= from;
            out[w] &= b->onset_ns == 0 || to <= b->onset_ns || is_over;
        }
    }
}

/* Latencies of operations are put together only over their own usual ones: a mix that shifts is no
 * delay. */
static void gather(watch_windows *out, const fl_watch *watch, const watch_service *service,
                   int64_t end_step, const bool *is_past)
{
    double weight[WATCH_WINDOWS] = {0};
    *out = (watch_windows){.end_ns = end_step * WATCH_STEP_NS};
    const watch_metrics *by = &service->metrics;
    unsigned counting = service->is_by_metrics ? by->counting.source : WATCH_BY_SPANS;
    unsigned timing = service->is_by_metrics ? by->timing.source : WATCH_BY_SPANS;
    for (size_t i = 0; i < service->operation_count; i++) {
        const watch_operation *operation = watch->operations[service->operations[i]];
        if (operation->source == counting)
            add_counts(out, operation, end_step);
        if (operation->source == timing)
            add_times(out, weight, operation, end_step, is_past);
    }
    for (size_t w = 0; w < WATCH_WINDOWS; w++)
        out->slowness[w] = weight[w] > 0 ? out->slowness[w] / weight[w] : NAN;
    add_others(out, watch, service, end_step);
}

/* ---- tests ---- */

typedef struct finding {
    double lbf;
    size_t onset, end; /* of the last ten windows */
    double usual, broken;
    bool matters;
} finding;

/* Requests that failed, of the last windows. */
static double sum_errors(const watch_windows *in, size_t from, size_t to)
{
    double errors = 0;
    for (size_t w = WATCH_PAST_WINDOWS + from; w < WATCH_PAST_WINDOWS + to; w++)
        errors += in->errors[w];
    return errors;
}

/* Of errors in the wanted windows of a range; all where `wanted` is NULL. */
static double share(const watch_windows *in, size_t from, size_t to, const bool *wanted)
{
    double requests = 0, errors = 0;
    for (size_t w = from; w < to; w++)
        if (wanted == NULL || wanted[w]) {
            requests += in->requests[w];
            errors += in->errors[w];
        }
    return requests > 0 ? errors / requests : NAN;
}

/* Failed and answered requests as outcomes; windows without requests say nothing. */
static fl_status test_errors(finding *out, const watch_windows *in, const bool *is_past,
                             fl_arena *scratch, fl_error *err)
{
    double past[WATCH_PAST_WINDOWS][2], now[WATCH_NOW_WINDOWS][2];
    size_t count = 0;
    for (size_t w = 0; w < WATCH_PAST_WINDOWS; w++)
        if (is_past[w] && in->requests[w] > 0) {
            past[count][0] = in->requests[w] - in->errors[w];
            past[count++][1] = in->errors[w];
        }
    for (size_t w = 0; w < WATCH_NOW_WINDOWS; w++) {
        now[w][0] = in->requests[WATCH_PAST_WINDOWS + w] - in->errors[WATCH_PAST_WINDOWS + w];
        now[w][1] = in->errors[WATCH_PAST_WINDOWS + w];
    }
    if (count < WATCH_FEWEST_PAST || sum_errors(in, 0, WATCH_NOW_WINDOWS) < FEWEST_ERRORS)
        return FL_OK;
    past[0][1] += 1; /* Laplace's rule: that none was seen does not say that there is none */
    fl_lbf_result found;
    const fl_lbf_counts counts = {.outcome_count = 2,
                                  .baseline = past[0],
                                  .baseline_count = count,
                                  .incident = now[0],
                                  .incident_count = WATCH_NOW_WINDOWS};
    fl_status status = fl_lbf_counts_test(&found, &counts, scratch, err);
    if (status != FL_OK)
        return status;
    *out = (finding){.lbf = found.lbf, .onset = found.onset, .end = found.end};
    out->usual = share(in, 0, WATCH_PAST_WINDOWS, is_past);
    out->broken = share(in, WATCH_PAST_WINDOWS + found.onset, WATCH_PAST_WINDOWS + found.end, NULL);
    double recent = share(in, WATCH_PAST_WINDOWS - RECENT_WINDOWS, WATCH_PAST_WINDOWS, is_past);
    double least = isnan(recent) ? out->usual : fmax(out->usual, recent);
    out->matters = out->broken - least >= ERRORS_MATTER &&
                   sum_errors(in, found.onset, found.end) >= FEWEST_ERRORS;
    return FL_OK;
}

/* `values` are such that a rise is bad. */
static fl_status test_values(finding *out, const double values[WATCH_WINDOWS], const bool *is_past,
                             double matters, fl_arena *scratch, fl_error *err)
{
    double past[WATCH_PAST_WINDOWS], recent[RECENT_WINDOWS];
    size_t count = 0, recent_count = 0;
    for (size_t w = 0; w < WATCH_PAST_WINDOWS; w++) {
        if (!is_past[w] || isnan(values[w]))
            continue;
        past[count++] = values[w];
        if (w >= WATCH_PAST_WINDOWS - RECENT_WINDOWS)
            recent[recent_count++] = values[w];
    }
    if (count < WATCH_FEWEST_PAST)
        return FL_OK;
    fl_lbf_shift found;
    const fl_lbf_values in = {.baseline = past,
                              .baseline_count = count,
                              .incident = values + WATCH_PAST_WINDOWS,
                              .incident_count = WATCH_NOW_WINDOWS,
                              .prior_scale = USUAL_SCALE,
                              .rises_only = true};
    fl_status status = fl_lbf_values_test(&found, &in, scratch, err);
    if (status != FL_OK)
        return status;
    *out = (finding){.lbf = found.lbf,
                     .onset = found.onset,
                     .end = found.end,
                     .usual = found.center,
                     .broken = found.center + found.shift};
    double least = found.center;
    if (recent_count > 0)
        least = fmax(least, fl_median(recent, recent_count));
    out->matters = out->broken - least >= matters;
    return FL_OK;
}

/* Requests that stay away, told from telemetry that does. */
static fl_status test_traffic(finding *out, const watch_windows *in, const bool *is_past,
                              fl_arena *scratch, fl_error *err)
{
    double lack[WATCH_WINDOWS], past[WATCH_PAST_WINDOWS], others[WATCH_PAST_WINDOWS];
    size_t count = 0;
    for (size_t w = 0; w < WATCH_WINDOWS; w++) {
        bool is_there = in->requests[w] + in->others[w] > 0;
        lack[w] = is_there ? -log(in->requests[w] + 0.5) : NAN;
        if (w >= WATCH_PAST_WINDOWS || !is_past[w] || !is_there)
            continue;
        past[count] = in->requests[w];
        others[count++] = in->others[w];
    }
    if (count < WATCH_FEWEST_PAST || fl_median(past, count) < FEWEST_REQUESTS)
        return FL_OK;
    fl_status status = test_values(out, lack, is_past, TRAFFIC_MATTERS, scratch, err);
    if (status != FL_OK || !out->matters)
        return status;
    double usual = fl_median(others, count);
    for (size_t w = out->onset; w < out->end; w++)
        out->matters &= usual > 0 && in->others[WATCH_PAST_WINDOWS + w] >= usual / 2;
    return FL_OK;
}

/* out->lbf stays 0 where there is too little past to compare with. */
static fl_status test_kind(finding *out, fl_sign_kind kind, const watch_windows *in,
                           const bool *is_past, fl_arena *scratch, fl_error *err)
{
    *out = (finding){0};
    fl_arena_reset(scratch);
    if (kind == FL_SIGN_ERRORS)
        return test_errors(out, in, is_past, scratch, err);
    if (kind == FL_SIGN_LATENCY)
        return test_values(out, in->slowness, is_past, LATENCY_MATTERS, scratch, err);
    assert(kind == FL_SIGN_TRAFFIC);
    return test_traffic(out, in, is_past, scratch, err);
}

/* ---- beginnings and ends ---- */

typedef struct watch_look {
    const watch_windows *windows;
    const bool *is_past;
    double gate;
} watch_look;

/* The figure of the newest window; NaN where nothing can be told. */
static double newest(fl_sign_kind kind, const watch_windows *in)
{
    size_t w = WATCH_WINDOWS - 1;
    if (kind == FL_SIGN_ERRORS)
        return share(in, w, WATCH_WINDOWS, NULL);
    if (kind == FL_SIGN_LATENCY)
        return in->slowness[w];
    return in->requests[w] + in->others[w] > 0 ? -log(in->requests[w] + 0.5) : NAN;
}

/* Its past is out of reach. */
static bool is_usual_now(const watch_break *b, int64_t now_ns)
{
    return now_ns - b->onset_ns >= WATCH_PAST_WINDOWS * WATCH_WINDOW_NS;
}

/* Nothing measured is no recovery. */
static bool has_ended(const watch_break *b, fl_sign_kind kind, const watch_windows *in)
{
    if (is_usual_now(b, in->end_ns))
        return true;
    double now = newest(kind, in);
    return !isnan(now) && now < (b->usual + b->broken) / 2;
}

/* A sentence with both figures. */
static void say(char *out, size_t size, fl_sign_kind kind, const watch_break *b)
{
    if (kind == FL_SIGN_ERRORS)
        (void)snprintf(out, size, "%.1f %% of the requests fail, before %.1f %%", 100 * b->broken,
                       100 * b->usual);
    else if (kind == FL_SIGN_LATENCY)
        (void)snprintf(out, size, "requests take %.1f times as long as before",
                       exp(b->broken - b->usual));
    else
        (void)snprintf(out, size, "%.0f requests a minute, before %.0f",
                       fmax(0, exp(-b->broken) - 0.5), fmax(0, exp(-b->usual) - 0.5));
}

/* Figures as people read them: shares, a factor, requests a minute. */
static double figure(fl_sign_kind kind, const watch_break *b, double value)
{
    if (kind == FL_SIGN_LATENCY)
        return exp(value - b->usual);
    return kind == FL_SIGN_TRAFFIC ? fmax(0, exp(-value) - 0.5) : value;
}

/* The key is made of what two daemons that see the same would agree on. */
static fl_status tell(const fl_watch *watch, const watch_service *service, fl_sign_kind kind,
                      fl_watch_visit *visit, void *payload, fl_error *err)
{
    const watch_break *b = &service->breaks[kind];
    fl_slice name = fl_intern_text(watch->names, service->name);
    char text[FL_MAX_SIGN_TEXT_BYTES], summary[128];
    (void)snprintf(text, sizeof(text), "%.*s", (int)name.len, (const char *)name.ptr);
    say(summary, sizeof(summary), kind, b);
    uint64_t key = fl_hash_mix(fl_hash_stable(name) ^ (uint64_t)kind);
    const fl_sign sign = {.key = fl_hash_mix(key ^ (uint64_t)b->onset_ns),
                          .kind = kind,
                          .onset_ns = b->onset_ns,
                          .cleared_ns = b->is_open ? 0 : b->cleared_ns,
                          .name = fl_sign_kind_name(kind),
                          .service = text,
                          .summary = summary,
                          .value = figure(kind, b, b->broken),
                          .baseline = figure(kind, b, b->usual)};
    return visit(payload, &sign, err);
}

/* A service that recovers and breaks again at once has one break, not two. */
static void begin(watch_break *b, const finding *found, int64_t end_ns)
{
    int64_t onset = end_ns - (int64_t)(WATCH_NOW_WINDOWS - found->onset) * WATCH_WINDOW_NS;
    bool is_again = b->onset_ns != 0 && onset - b->cleared_ns <= again_ns;
    b->onset_ns = is_again ? b->onset_ns : onset;
    b->is_open = true;
    b->suspected_ns = 0;
    b->cleared_ns = 0;
    b->usual = found->usual;
    b->broken = found->broken;
}

/* What is open may end; what is not may begin. */
static fl_status look_at(bool *is_news, fl_watch *watch, watch_service *service, fl_sign_kind kind,
                         const watch_look *look, fl_error *err)
{
    watch_break *b = &service->breaks[kind];
    const watch_windows *in = look->windows;
    finding found;
    *is_news = false;
    if (b->is_open) {
        *is_news = has_ended(b, kind, in);
        if (*is_news) {
            b->is_open = false;
            b->cleared_ns = in->end_ns - WATCH_WINDOW_NS;
        }
        return FL_OK;
    }
    fl_status status = test_kind(&found, kind, in, look->is_past, &watch->scratch, err);
    bool is_sustained =
        found.end == WATCH_NOW_WINDOWS && found.onset + watch->sustained_windows <= found.end;
    if (status != FL_OK || found.lbf < look->gate || !found.matters || !is_sustained) {
        b->suspected_ns = 0;
        return status;
    }
    if (b->suspected_ns == 0)
        b->suspected_ns = in->end_ns;
    if (in->end_ns - b->suspected_ns < hold_ns)
        return FL_OK;
    begin(b, &found, in->end_ns);
    watch->stats.breaks++;
    *is_news = true;
    return FL_OK;
}

/* A break that was told is followed to its end, whatever the service has become. */
static bool is_watched(const watch_service *service)
{
    bool is_open = false;
    for (size_t k = 0; k < FL_SIGN_KIND_COUNT; k++)
        is_open |= service->breaks[k].is_open;
    return is_open || fl_watch_is_entry(service);
}

/* Where nothing is told of a service any more, its breaks end when they are too old to be ones. */
static fl_status look_away(fl_watch *watch, watch_service *service, fl_watch_visit *visit,
                           void *payload, fl_error *err)
{
    fl_status status = FL_OK;
    for (fl_sign_kind kind = FL_SIGN_ERRORS; kind < FL_SIGN_KIND_COUNT && status == FL_OK; kind++) {
        watch_break *b = &service->breaks[kind];
        if (!b->is_open || !is_usual_now(b, watch->now_ns))
            continue;
        b->is_open = false;
        b->cleared_ns = watch->now_ns;
        status = tell(watch, service, kind, visit, payload, err);
    }
    return status;
}

fl_status fl_watch_look(fl_watch *watch, watch_service *service, int64_t end_step,
                        fl_watch_visit *visit, void *payload, fl_error *err)
{
    bool is_past[WATCH_WINDOWS], is_news;
    watch_windows windows;
    fl_status status = FL_OK;
    if (service->is_by_metrics)
        end_step = fl_watch_told_step(watch, service, end_step);
    if (!is_watched(service))
        return FL_OK;
    if (end_step == 0)
        return look_away(watch, service, visit, payload, err);
    mark_past(is_past, watch, service, end_step);
    gather(&windows, watch, service, end_step, is_past);
    const watch_look look = {&windows, is_past, watch->stats.gate_nats};
    for (fl_sign_kind kind = FL_SIGN_ERRORS; kind < FL_SIGN_KIND_COUNT && status == FL_OK; kind++) {
        status = look_at(&is_news, watch, service, kind, &look, err);
        if (status == FL_OK && is_news)
            status = tell(watch, service, kind, visit, payload, err);
    }
    return status;
}
