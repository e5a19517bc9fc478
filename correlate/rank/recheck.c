/*
 * recheck.c - an earlier answer's evidence, measured again after a fix.
 *
 * Every sentence of evidence begins with what was measured (heads.c), so that the stream is found
 * in later telemetry without anything of the earlier run. The value now is told beside the two that
 * the answer has, and it has cleared when it is nearer to the baseline's: on the scale of
 * logarithms half the way back is the geometric mean. A stream that is not there, or has no value
 * in the windows, says nothing.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "faultline/limits.h"
#include "rank_priv.h"
#include "slice.h"

/* What is below this share of the larger figure is nothing: zero has no logarithm. */
#define LEAST_SHARE 0.01

typedef struct again {
    struct rank rank; /* timeline, streams and arena only */
    const fl_evidence *asked;
    double value; /* NaN: not seen */
} again;

static bool begins_with(const char *text, const char *head)
{
    return head[0] != '\0' && strncmp(text, head, strlen(head)) == 0;
}

/* Of what was measured in the incident's windows; NaN: nothing. */
static double median_now(again *a, const double *values)
{
    const fl_timeline *t = a->rank.timeline;
    double *kept = fl_arena_alloc(a->rank.arena, t->window_count + 1, sizeof(*kept));
    size_t count = 0;
    for (size_t w = 0; kept != NULL && w < t->window_count; w++)
        if (t->windows[w].incident && !isnan(values[w]))
            kept[count++] = values[w];
    return kept != NULL ? fl_median(kept, count) : NAN;
}

/* The same for counts; windows without any record of their kind do not count. */
static double mean_count(const again *a, const double *counts, bool of_logs)
{
    const fl_timeline *t = a->rank.timeline;
    double sum = 0;
    size_t count = 0;
    for (size_t w = 0; w < t->window_count; w++) {
        const fl_window *window = &t->windows[w];
        if (!window->incident || (of_logs ? !window->has_logs : !window->has_spans))
            continue;
        sum += counts != NULL ? counts[w] : 0;
        count++;
    }
    return count > 0 ? sum / (double)count : NAN;
}

static void find_metric(again *a)
{
    const fl_timeline *t = a->rank.timeline;
    for (uint32_t i = 0; i < t->metric_series_count && isnan(a->value); i++)
        if (begins_with(a->asked->text, fl_rank_head(&a->rank, PART_METRIC, i)))
            a->value = median_now(a, t->metrics[i].values);
}

/* NaN stays what it is: fmax() alone would make a time of nothing out of it. */
static double from_log_ms(double value)
{
    return isnan(value) ? value : fmax(exp(value) - 0.5, 0);
}

/* Durations of a span's own time and of the wire, back from their logarithms. */
static void find_duration(again *a)
{
    const fl_streams *s = a->rank.streams;
    for (uint32_t i = 0; i < s->value_count && isnan(a->value); i++)
        if (s->values[i].kind != FL_STREAM_TOTAL &&
            begins_with(a->asked->text, fl_rank_head(&a->rank, PART_VALUE, i)))
            a->value = from_log_ms(median_now(a, s->values[i].values));
}

/* Whether a service says anything in the incident's windows: then a line that is not there is gone.
 */
static bool service_logs(const again *a, const char *text)
{
    const fl_timeline *t = a->rank.timeline;
    for (size_t i = 0; i < t->log_series_count; i++) {
        const char *service = t->services[t->logs[i].service];
        size_t len = strlen(service);
        if (strncmp(text, service, len) == 0 && strncmp(text + len, " logs ", 6) == 0 &&
            mean_count(a, t->logs[i].counts, true) > 0)
            return true;
    }
    return false;
}

/* Lines a minute. */
static void find_lines(again *a)
{
    const fl_timeline *t = a->rank.timeline;
    double minutes = (double)t->step_ns / 60e9;
    if (!service_logs(a, a->asked->text))
        return;
    a->value = 0;
    for (uint32_t i = 0; i < t->log_series_count; i++)
        if (begins_with(a->asked->text, fl_rank_head(&a->rank, PART_LINES, i)))
            a->value = mean_count(a, t->logs[i].counts, true) / minutes;
}

/* Calls a window that had vanished. */
static void find_calls(again *a)
{
    const fl_streams *s = a->rank.streams;
    for (uint32_t i = 0; i < s->value_count && isnan(a->value); i++)
        if (s->values[i].kind == FL_STREAM_WIRE &&
            begins_with(a->asked->text, fl_rank_head(&a->rank, PART_EDGE_GONE, i)))
            a->value = mean_count(a, s->values[i].counts, false);
}

/* How often a transition happened in the incident's windows. */
static double count_now(const again *a, const fl_transition *row)
{
    double count = 0;
    for (size_t i = 0; i < row->count; i++)
        count += a->rank.timeline->windows[row->windows[i]].incident;
    return count;
}

/* "in SERVICE, NEXT came after STEP in": whether that is this context, and which next step. */
static bool split_context(fl_slice *next, again *a, const fl_context *context)
{
    const fl_timeline *t = a->rank.timeline;
    char *head = fl_arena_printf(a->rank.arena, "in %s, ",
                                 t->services[t->operations[context->operation].service]);
    char *tail = fl_arena_printf(a->rank.arena, " came after %s in ",
                                 fl_rank_step_text(&a->rank, context->operation, context->step));
    if (head == NULL || tail == NULL || !begins_with(a->asked->text, head))
        return false;
    const char *from = a->asked->text + strlen(head), *end = strstr(from, tail);
    if (end == NULL)
        return false;
    *next = (fl_slice){(const unsigned char *)from, (size_t)(end - from)};
    return true;
}

/* The share of the cases in which that step came next. */
static void find_share(again *a)
{
    const fl_streams *s = a->rank.streams;
    for (size_t i = 0; i < s->context_count && isnan(a->value); i++) {
        const fl_context *context = &s->contexts[i];
        fl_slice wanted;
        double all = 0, found = 0;
        if (!split_context(&wanted, a, context))
            continue;
        for (uint32_t k = 0; k < context->row_count; k++) {
            const fl_transition *row = &s->rows[s->context_rows[context->first_row + k]];
            const char *text = fl_rank_step_text(&a->rank, context->operation, row->next);
            double count = count_now(a, row);
            all += count;
            found += fl_slice_equal(fl_slice_of(text), wanted) ? count : 0;
        }
        a->value = all > 0 ? found / all : NAN;
    }
}

/* What cannot be measured, or was not, stays NaN. */
static void measure(again *a)
{
    static void (*const find[])(again *) = {find_metric, find_duration, find_share, find_lines,
                                            find_calls};
    a->value = NAN;
    for (size_t i = 0; i < sizeof(find) / sizeof(find[0]) && isnan(a->value); i++)
        find[i](a);
}

/* Shares as they are, anything else by its logarithm. */
static double on_scale(double value, bool is_share, double least)
{
    return is_share ? value : log(fmax(value, 0) + least);
}

static fl_recheck_state judge(const fl_evidence *e, double after)
{
    bool is_share = e->unit != NULL && strcmp(e->unit, "1") == 0;
    double least = LEAST_SHARE * fmax(fabs(e->value), fabs(e->baseline));
    double before = on_scale(e->baseline, is_share, least);
    double during = on_scale(e->value, is_share, least), now = on_scale(after, is_share, least);
    return fabs(now - before) < fabs(now - during) ? FL_RECHECK_CLEARED : FL_RECHECK_STILL_THERE;
}

/* A figure of telemetry with two sides that differ. */
static bool is_measurable(const fl_evidence *e)
{
    bool measured = e->modality == FL_MODALITY_METRICS || e->modality == FL_MODALITY_LOGS ||
                    e->modality == FL_MODALITY_TRACES;
    return measured && !e->against && e->text != NULL && isfinite(e->value) &&
           isfinite(e->baseline) && e->value != e->baseline;
}

/* By the heaviest evidence that can be measured. */
static void recheck(fl_recheck *out, again *a, const fl_hypothesis *h)
{
    for (size_t k = 0; k < h->evidence_count && out->evidence == NULL; k++) {
        a->asked = &h->evidence[k];
        fl_arena_reset(a->rank.arena);
        if (!is_measurable(a->asked))
            continue;
        measure(a);
        if (isnan(a->value))
            continue;
        out->evidence = a->asked;
        out->after = a->value;
        out->state = judge(a->asked, a->value);
    }
}

void fl_rank_recheck(fl_recheck *out, const fl_streams *streams, const fl_incident *before)
{
    assert(streams != NULL && before != NULL);
    fl_arena scratch = fl_arena_of(FL_MAX_RANK_SCRATCH_BYTES);
    again a = {.rank = {.streams = streams, .timeline = streams->timeline, .arena = &scratch}};
    for (size_t i = 0; i < before->hypothesis_count; i++) {
        out[i] = (fl_recheck){.hypothesis = i, .after = NAN};
        recheck(&out[i], &a, &before->hypotheses[i]);
    }
    fl_arena_dispose(&scratch);
}
