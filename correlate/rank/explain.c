/*
 * explain.c - candidates to hypotheses: probability, verdict, and each piece of evidence as one
 * sentence with its figure, its baseline, its time and the query that shows the raw data again
 * (PromQL, LogQL, TraceQL).
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "queries.h"
#include "rank_priv.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_HYPOTHESES = 20 };

/* Where the test saw the shift begin; without a window of its own, the moment that was asked about.
 */
static int64_t onset_of(const struct rank *r, const struct sides *sides, size_t onset)
{
    return onset < sides->incident_count ? r->timeline->windows[sides->incident[onset]].from_ns
                                         : r->timeline->at_ns;
}

/* NaN of nothing: JSON shows null, and no sentence divides by zero. */
static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* A step that no longer follows another, and what follows in its place. The query asks for what is
 * there now: a line that is gone cannot be shown. */
static void explain_context(fl_evidence *out, struct rank *r, uint32_t index)
{
    const struct context_result *c = &r->contexts[index];
    const fl_context *context = &r->streams->contexts[index];
    const char *service =
        r->timeline->services[r->timeline->operations[context->operation].service];
    const char *from = fl_rank_step_text(r, context->operation, context->step);
    const char *lost = fl_rank_step_text(r, context->operation, r->streams->rows[c->lost].next);
    const char *gain = fl_rank_step_text(r, context->operation, r->streams->rows[c->gain].next);
    bool logs = context->chain == FL_CHAIN_LOGS;
    out->modality = logs ? FL_MODALITY_LOGS : FL_MODALITY_TRACES;
    out->text = fl_arena_printf(r->arena,
                                "in %s, %s came after %s in %.0f of %.0f cases (baseline %.0f of "
                                "%.0f); %s came in %.0f (baseline %.0f)",
                                service, lost, from, c->lost_after, c->total_after, c->lost_before,
                                c->total_before, gain, c->gain_after, c->gain_before);
    out->at_ns = onset_of(r, &r->traces, c->test.onset);
    out->value = share(c->lost_after, c->total_after);
    out->baseline = share(c->lost_before, c->total_before);
    out->unit = "1";
    fl_step asked = r->streams->rows[c->gain].next;
    if (fl_step_kind_of(asked) != FL_STEP_LOG)
        asked = context->step;
    if (logs && fl_step_kind_of(asked) == FL_STEP_LOG)
        out->query =
            fl_query_template(r->arena, service, &r->timeline->templates[fl_step_index(asked)]);
    else
        out->query = fl_query_spans(r->arena, service, "name",
                                    fl_rank_operation_text(r, context->operation));
}

/* Back from ln(0.5 ms + x). */
static double to_ms(double log_value)
{
    return fmax(exp(log_value) - 0.5, 0);
}

/* Time on the wire between two services, or a service's own: medians of the two sides. */
static void explain_value(fl_evidence *out, struct rank *r, uint32_t index)
{
    const fl_value_stream *stream = &r->streams->values[index];
    const fl_lbf_shift *test = &r->values[index].test;
    const fl_timeline *t = r->timeline;
    double now = to_ms(test->center + test->shift), before = to_ms(test->center);
    out->modality = FL_MODALITY_TRACES;
    out->value = now;
    out->baseline = before;
    out->unit = "ms";
    out->at_ns = onset_of(r, &r->traces, test->onset);
    char during[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT];
    fl_amount(during, now, "ms");
    fl_amount(usual, before, "ms");
    if (stream->kind == FL_STREAM_WIRE) {
        out->text = fl_arena_printf(r->arena, "%s%s outside of both (baseline %s)",
                                    fl_rank_head(r, PART_VALUE, index), during, usual);
        out->query =
            fl_query_calls(r->arena, t->services[stream->caller], t->services[stream->callee]);
        return;
    }
    const char *service = t->services[t->operations[stream->operation].service];
    out->text = fl_arena_printf(r->arena, "%s%s of its own, without its callees (baseline %s)",
                                fl_rank_head(r, PART_VALUE, index), during, usual);
    out->query =
        fl_query_spans(r->arena, service, "name", fl_rank_operation_text(r, stream->operation));
}

/* One instance's series where the metric has instances, so that the query finds just it. */
static void explain_metric(fl_evidence *out, struct rank *r, uint32_t index)
{
    const fl_metric_series *series = &r->timeline->metrics[index];
    const struct metric_result *m = &r->metric_results[index];
    const fl_entity *entity = &r->timeline->entities[series->entity];
    const char *service = r->timeline->services[entity->service];
    char now[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT];
    out->modality = FL_MODALITY_METRICS;
    out->text = fl_arena_printf(r->arena, "%s%s (baseline %s)", fl_rank_head(r, PART_METRIC, index),
                                fl_amount(now, m->after, series->unit),
                                fl_amount(usual, m->before, series->unit));
    out->at_ns = onset_of(r, &r->metrics, m->test.onset);
    out->value = m->after;
    out->baseline = m->before;
    out->unit = series->unit[0] != '\0' ? series->unit : NULL;
    out->query = fl_query_metric(r->arena, series->name, service, entity->instance);
}

/* The service's worst series, dated by its own window. */
static void explain_service(fl_evidence *out, struct rank *r, uint32_t index)
{
    explain_metric(out, r, index);
    out->at_ns = r->timeline->windows[r->metric_results[index].window].from_ns;
}

/* Counts a step become counts a minute, which people compare. The location, where there is one,
 * finds the statement whatever it prints. */
static void explain_lines(fl_evidence *out, struct rank *r, uint32_t index)
{
    const fl_log_series *series = &r->timeline->logs[index];
    const fl_lbf_shift *test = &r->lines[index];
    const fl_template *line = &r->timeline->templates[series->template_index];
    const char *service = r->timeline->services[series->service];
    char now[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT];
    double minutes = (double)r->timeline->step_ns / 60e9;
    out->value = (exp(test->center + test->shift) - 1) / minutes;
    out->baseline = (exp(test->center) - 1) / minutes;
    out->modality = FL_MODALITY_LOGS;
    out->text = fl_arena_printf(
        r->arena, "%s%s times a minute (baseline %s)", fl_rank_head(r, PART_LINES, index),
        fl_amount(now, out->value, NULL), fl_amount(usual, out->baseline, NULL));
    out->at_ns = onset_of(r, &r->traces, test->onset);
    out->unit = "{line}/min";
    out->query = fl_query_template(r->arena, service, line);
}

/* A call that stopped: there is nothing to measure but that it was there. */
static void explain_vanished(fl_evidence *out, struct rank *r, uint32_t index)
{
    const fl_value_stream *stream = &r->streams->values[index];
    const char *caller = r->timeline->services[stream->caller],
               *callee = r->timeline->services[stream->callee];
    char usual[FL_AMOUNT_TEXT];
    double before = 0;
    for (size_t i = 0; i < r->traces.baseline_count; i++)
        before += stream->counts[r->traces.baseline[i]];
    before /= (double)r->traces.baseline_count;
    out->modality = FL_MODALITY_TRACES;
    out->text =
        fl_arena_printf(r->arena, "%s(baseline %s calls a window)",
                        fl_rank_head(r, PART_EDGE_GONE, index), fl_amount(usual, before, NULL));
    out->at_ns = onset_of(r, &r->traces, 0);
    out->value = 0;
    out->baseline = before;
    out->unit = "{call}";
    out->query = fl_query_calls(r->arena, caller, callee);
}

/* Heaviest first, for or against; then an order that does not depend on how they were found. */
static int compare_parts(const void *left, const void *right)
{
    const struct evidence_part *a = left, *b = right;
    if (fabs(a->weight) != fabs(b->weight))
        return fabs(a->weight) > fabs(b->weight) ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Few and nearly in order. */
void fl_rank_sort_evidence(fl_evidence *all, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && fabs(all[k].weight_nats) > fabs(all[k - 1].weight_nats); k--) {
            fl_evidence swapped = all[k];
            all[k] = all[k - 1];
            all[k - 1] = swapped;
        }
}

/* The sentence with the time of day from which it holds; the answer's head has the day. */
static const char *with_time(struct rank *r, const fl_evidence *evidence)
{
    char time[FL_TIME_TEXT];
    bool is_measured = evidence->modality == FL_MODALITY_METRICS ||
                       evidence->modality == FL_MODALITY_LOGS ||
                       evidence->modality == FL_MODALITY_TRACES;
    if (evidence->text == NULL || !is_measured)
        return evidence->text; /* no memory; or the sentence has its own time */
    fl_time_format(time, evidence->at_ns);
    return fl_arena_printf(r->arena, "%s, from %.8s", evidence->text, time + strlen("2023-01-29T"));
}

static fl_status explain_parts(fl_hypothesis *out, struct rank *r, struct candidate *c,
                               fl_error *err)
{
    static void (*const explain[])(fl_evidence *, struct rank *, uint32_t) = {
        [PART_CONTEXT] = explain_context,       [PART_VALUE] = explain_value,
        [PART_METRIC] = explain_metric,         [PART_SERVICE] = explain_service,
        [PART_LINES] = explain_lines,           [PART_EDGE_GONE] = explain_vanished,
        [PART_CHANGE] = fl_rank_explain_change, [PART_FINDING] = fl_rank_explain_finding};
    fl_evidence *evidence;
    fl_status status =
        FL_RANK_NEW(r->arena, evidence, MAX_PARTS + FL_RANK_UNMEASURED, "evidence", err);
    if (status != FL_OK)
        return status;
    fl_rank_doubt(c, r);
    qsort(c->parts, c->part_count, sizeof(c->parts[0]), compare_parts);
    for (size_t i = 0; i < c->part_count; i++) {
        if (c->parts[i].kind == PART_ALERT)
            fl_rank_explain_alert(&evidence[i], r, c, c->parts[i].index);
        else
            explain[c->parts[i].kind](&evidence[i], r, c->parts[i].index);
        evidence[i].text = with_time(r, &evidence[i]);
        evidence[i].weight_nats = c->parts[i].weight;
        evidence[i].against = c->parts[i].weight < 0;
        if (evidence[i].text == NULL || evidence[i].query == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for evidence");
    }
    out->evidence = evidence;
    out->evidence_count = c->part_count;
    status = fl_rank_unmeasured(evidence, &out->evidence_count, r, c, err);
    fl_rank_sort_evidence(evidence, out->evidence_count);
    return status;
}

/* The instance, where a service has only one. */
static const char *only_instance(const fl_timeline *t, uint32_t service)
{
    const char *found = NULL;
    for (size_t i = 0; i < t->entity_count; i++) {
        if (t->entities[i].service != service || t->entities[i].instance == NULL)
            continue;
        if (found != NULL && strcmp(found, t->entities[i].instance) != 0)
            return NULL;
        found = t->entities[i].instance;
    }
    return found;
}

double fl_rank_first_probability(const struct rank *r)
{
    if (r->candidate_count == 0)
        return 0;
    if (r->candidates[0].probability > 0)
        return r->candidates[0].probability;
    double best = r->candidates[0].score, second = fmax(fl_rank_second_score(r), FL_LBF_REAL);
    double services = (double)(r->timeline->service_count > 0 ? r->timeline->service_count : 1);
    double x = FIT_CONSTANT + FIT_SCORE * (best - log(services)) + FIT_MARGIN * (best - second);
    return 1 / (1 + exp(-x));
}

void fl_rank_spread_probability(fl_hypothesis *all, size_t count, double first)
{
    assert(first >= 0 && first <= 1);
    size_t equal = 0;
    double total = 0;
    while (equal < count && all[equal].score == all[0].score)
        equal++;
    for (size_t i = equal; i < count; i++)
        total += exp(all[i].score - all[0].score);
    double each = equal > 0 ? fmin(first, 1 / (double)equal) : 0;
    double rest = fmin(each, (1 - (double)equal * each) / (total + 1));
    for (size_t i = 0; i < count; i++)
        all[i].probability = i < equal ? each : rest * exp(all[i].score - all[0].score);
}

/* ---- ruled out ---- */

static bool has_own_cause(const struct rank *r, uint32_t service)
{
    for (size_t i = 0; i < r->candidate_count; i++)
        if (r->candidates[i].service == service && r->candidates[i].score > FL_LBF_REAL)
            return true;
    return false;
}

static const char *why_waiting(struct rank *r, uint32_t service)
{
    uint32_t best = FL_NO_INDEX;
    for (uint32_t i = 0; i < r->streams->value_count; i++) {
        const fl_value_stream *stream = &r->streams->values[i];
        if (stream->kind == FL_STREAM_TOTAL &&
            r->timeline->operations[stream->operation].service == service &&
            r->values[i].test.lbf > FL_LBF_REAL &&
            (best == FL_NO_INDEX || r->values[i].test.lbf > r->values[best].test.lbf))
            best = i;
    }
    if (best == FL_NO_INDEX)
        return NULL;
    const fl_lbf_shift *test = &r->values[best].test;
    char now[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT];
    return fl_arena_printf(r->arena,
                           "%s takes %s in all (baseline %s), but not more time of its "
                           "own: it waits for what it calls",
                           fl_rank_operation_text(r, r->streams->values[best].operation),
                           fl_amount(now, to_ms(test->center + test->shift), "ms"),
                           fl_amount(usual, to_ms(test->center), "ms"));
}

static const char *why_excused(struct rank *r, uint32_t service)
{
    for (uint32_t i = 0; i < r->streams->context_count; i++) {
        const struct context_result *c = &r->contexts[i];
        const fl_context *context = &r->streams->contexts[i];
        if (r->timeline->operations[context->operation].service == service &&
            c->excused_lbf > FL_LBF_REAL && c->test.lbf <= FL_LBF_REAL)
            return fl_arena_printf(r->arena,
                                   "its %s goes another way after %s, but only in traces in which "
                                   "a span below it does so too",
                                   fl_rank_operation_text(r, context->operation),
                                   fl_rank_step_text(r, context->operation, context->step));
    }
    return NULL;
}

static fl_status rule_out(fl_incident *out, struct rank *r, fl_error *err)
{
    fl_ruled_out *list;
    size_t count = 0;
    fl_status status = FL_RANK_NEW(r->arena, list, 2 * r->timeline->service_count, "services", err);
    for (uint32_t s = 0; s < r->timeline->service_count && status == FL_OK; s++) {
        if (has_own_cause(r, s))
            continue;
        const char *text = why_excused(r, s);
        if (text == NULL)
            text = why_waiting(r, s);
        if (text == NULL)
            text = fl_rank_why_shared(r, s);
        if (text == NULL)
            text = fl_rank_why_late(r, s);
        const char *change = fl_rank_innocent_change(r, s, out->onset.at_ns);
        if (change != NULL)
            list[count++] = (fl_ruled_out){.service = r->timeline->services[s], .text = change};
        if (text != NULL)
            list[count++] = (fl_ruled_out){.service = r->timeline->services[s], .text = text};
    }
    out->ruled_out = list;
    out->ruled_out_count = count;
    return status;
}

/* Likelier than not, beyond the gate, and no other service fits as well. */
static bool is_confident(const struct rank *r, double first)
{
    return r->candidate_count > 0 && first >= 0.5 && r->candidates[0].score > FL_LBF_REAL &&
           fl_rank_second_score(r) < r->candidates[0].score;
}

/* ---- exceptions ---- */

/* The template that a hypothesis of an exception rests on: the heaviest of error lines that came
 * instead, or that pile up. FL_NO_INDEX: none. */
static uint32_t thrown_template(const struct rank *r, const struct candidate *c)
{
    for (size_t i = 0; i < c->part_count; i++) {
        const struct evidence_part *part = &c->parts[i];
        if (part->kind == PART_LINES)
            return r->timeline->logs[part->index].template_index;
        if (part->kind != PART_CONTEXT)
            continue;
        fl_step gain = r->streams->rows[r->contexts[part->index].gain].next;
        if (fl_step_kind_of(gain) == FL_STEP_LOG &&
            r->timeline->templates[fl_step_index(gain)].is_error)
            return fl_step_index(gain);
    }
    return FL_NO_INDEX;
}

/* The word of a line that reads like the type of an exception: what ends with one of these and is
 * followed by a colon. */
static fl_slice type_in(fl_slice text)
{
    static const fl_slice endings[] = {FL_SLICE_INIT("Exception:"), FL_SLICE_INIT("Error:")};
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ' ')
            continue;
        fl_slice word = {.ptr = text.ptr + start, .len = i - start};
        for (size_t k = 0; k < sizeof(endings) / sizeof(endings[0]); k++)
            if (word.len > endings[k].len && fl_slice_ends_with(word, endings[k]))
                return (fl_slice){.ptr = word.ptr, .len = word.len - 1};
        start = i + 1;
    }
    return (fl_slice){0};
}

/* Type, message and first frame: as recorded, else as the line reads. */
static fl_status explain_thrown(fl_hypothesis *out, struct rank *r, const struct candidate *c,
                                fl_error *err)
{
    uint32_t index = thrown_template(r, c);
    if (index == FL_NO_INDEX)
        return FL_OK;
    const fl_template *line = &r->timeline->templates[index];
    fl_slice text = fl_slice_of(line->text), type = fl_slice_of(line->exception_type);
    if (type.len == 0)
        type = type_in(text);
    if (type.len == 0 && line->exception_frame == NULL)
        return FL_OK;
    size_t at = type.len > 0 ? fl_slice_find(text, type) : text.len, end = at + type.len;
    if (at < text.len && end + 2 < text.len && text.ptr[end] == ':')
        out->exception_message = fl_arena_printf(r->arena, "%.*s", (int)(text.len - end - 2),
                                                 (const char *)text.ptr + end + 2);
    if (type.len > 0)
        out->exception_type = fl_arena_printf(r->arena, "%.*s", FL_SLICE_ARG(type));
    out->exception_frame = line->exception_frame;
    return type.len > 0 && out->exception_type == NULL
               ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what was thrown")
               : FL_OK;
}

/* When each began, and with the first one the incident. */
static fl_status date_hypotheses(fl_incident *out, fl_hypothesis *all, size_t count, struct rank *r,
                                 fl_error *err)
{
    fl_onset *onsets;
    fl_status status = FL_RANK_NEW(r->arena, onsets, count, "hypotheses", err);
    if (status == FL_OK)
        status = fl_rank_onsets(onsets, count, r, err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        all[i].onset = onsets[i];
    if (status == FL_OK && count > 0)
        out->onset = onsets[0];
    return status;
}

fl_status fl_rank_explain(fl_incident *out, struct rank *r, fl_error *err)
{
    size_t count = r->candidate_count < MAX_HYPOTHESES ? r->candidate_count : MAX_HYPOTHESES;
    fl_hypothesis *all;
    fl_status status = FL_RANK_NEW(r->arena, all, count, "hypotheses", err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        struct candidate *c = &r->candidates[i];
        bool tie = i > 0 && c->score == all[i - 1].score;
        all[i] = (fl_hypothesis){.rank = tie ? all[i - 1].rank : (uint32_t)i + 1,
                                 .service = r->timeline->services[c->service],
                                 .instance = only_instance(r->timeline, c->service),
                                 .cause = c->cause,
                                 .resource = c->resource,
                                 .locus = c->locus,
                                 .locus_name = c->locus_name,
                                 .before = c->before,
                                 .after = c->after,
                                 .score = c->score};
        status = explain_parts(&all[i], r, c, err);
        if (status == FL_OK)
            status = explain_thrown(&all[i], r, c, err);
    }
    if (status == FL_OK)
        status = date_hypotheses(out, all, count, r, err);
    if (status != FL_OK)
        return status;
    double first = fl_rank_first_probability(r);
    fl_rank_spread_probability(all, count, first);
    out->hypotheses = all;
    out->hypothesis_count = count;
    out->verdict = is_confident(r, first) ? FL_VERDICT_CAUSE_FOUND : FL_VERDICT_NO_CONFIDENT_CAUSE;
    return rule_out(out, r, err);
}
