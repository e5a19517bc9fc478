/*
 * report_text.c - the answer as one screen for a person who was just woken up.
 *
 * Order: the verdict in one line; what was asked and what data was there; hypotheses with their
 * evidence, heaviest first; what was ruled out; warnings. A first screen shows at most
 * FL_REPORT_FIRST_EVIDENCE items of evidence, since nobody holds more than about seven in mind
 * (Miller, Psychological Review 1956); what was left out is counted, never dropped silently.
 *
 * Layout, in columns from the left margin:
 *
 *     0    the verdict, and the head's labels, whose values stand at LABEL
 *     0    rank, bar, probability, service and cause of each hypothesis
 *     BODY      what belongs to it: the locus, then a sign for each item of evidence
 *     EVIDENCE  its sentence, wrapped under itself; its query on a line of its own, never wrapped
 *
 * Where there is a picture, the row of its lane stands below the sentence, or on a wide page before
 * it (report_lanes.h). Colour, bar and row only repeat what a word or number says: the page reads
 * the same without them.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kept_text.h"
#include "page.h"
#include "report.h"
#include "report_lanes.h"
#include "timestamp.h"

enum {
    LABEL = 10,        /* column of the values in the head */
    BODY = 6,          /* column of what belongs to a hypothesis */
    LOCUS = 20,        /* column of its locus */
    EVIDENCE = 18,     /* column of an evidence sentence */
    LAST_STEPS = 7,    /* of a way through a heap, behind the heap itself */
    LEAD_EVIDENCE = 4, /* items of the first hypothesis, where others have any */
    /* Columns of the line of a hypothesis, and the bytes of its cause. */
    RANK = 5,
    BRACKETS = 2,
    PERCENT = 8,
    LEAST_BAR = 4,
    LONGEST_SERVICE = 48,
    CAUSE_TEXT = 64
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Never NULL: a hypothesis may be about somebody whom no telemetry names. */
static const char *service_of(const fl_hypothesis *hypothesis)
{
    return hypothesis->service != NULL ? hypothesis->service : "(service not named)";
}

/* A dim word and space up to where the values stand. */
static void label(fl_page *page, size_t to, const char *text)
{
    fl_page_put(page, FL_INK_DIM, text);
    fl_page_pad(page, to);
}

/* One line that answers the question; everything below it is the proof. */
static void write_verdict(fl_page *page, const fl_incident *incident)
{
    char percent[FL_PERCENT_TEXT];
    const fl_hypothesis *best = incident->hypotheses;
    if (incident->hypothesis_count == 0) {
        fl_page_put(page, FL_INK_WARN, "No confident cause: ");
        fl_page_wrap(page, FL_INK_PLAIN, "nothing stands out from the baseline.");
    } else if (incident->verdict == FL_VERDICT_CAUSE_FOUND) {
        fl_page_put(page, FL_INK_GOOD, "Cause found: ");
        fl_page_printf(page, FL_INK_BOLD, "%.200s", service_of(best));
        fl_page_printf(page, FL_INK_PLAIN, ", %s (%s)", fl_cause_name(best->cause),
                       fl_page_percent(percent, best->probability));
    } else {
        fl_page_put(page, FL_INK_WARN, "No confident cause: ");
        fl_page_printf(page, FL_INK_PLAIN, "the best candidate, %.200s, reaches %s",
                       service_of(best), fl_page_percent(percent, best->probability));
    }
    fl_page_newline(page);
    fl_page_newline(page);
}

/* From, to and how long; "none" where there is no such span. */
static void write_range(fl_page *page, const char *name, fl_range range)
{
    char from[FL_TIME_TEXT], to[FL_TIME_TEXT], length[FL_TIME_TEXT];
    label(page, LABEL, name);
    if (range.from_ns == 0 && range.to_ns == 0)
        fl_page_put(page, FL_INK_PLAIN, "none");
    else
        fl_page_printf(page, FL_INK_PLAIN, "%s to %s (%s)", fl_time_format(from, range.from_ns),
                       fl_time_format(to, range.to_ns),
                       fl_duration_format(length, range.to_ns - range.from_ns));
    fl_page_newline(page);
}

/* How much was looked at, and what was not there to be looked at. */
static void write_data(fl_page *page, const fl_incident *incident)
{
    char text[320], n[6][FL_COUNT_TEXT];
    snprintf(
        text, sizeof(text),
        "metrics %s series; logs %s records, %s templates; traces %s spans, %s edges; "
        "changes %s events",
        fl_page_count(n[0], incident->metric_series), fl_page_count(n[1], incident->log_records),
        fl_page_count(n[2], incident->log_templates), fl_page_count(n[3], incident->trace_spans),
        fl_page_count(n[4], incident->trace_edges), fl_page_count(n[5], incident->change_events));
    label(page, LABEL, "Data");
    fl_page_wrap(page, FL_INK_PLAIN, text);
    fl_page_newline(page);
    bool any = false;
    for (int i = 0; i < FL_MODALITY_COUNT; i++) {
        if (!incident->missing[i])
            continue;
        if (any)
            fl_page_put(page, FL_INK_WARN, ", ");
        else
            label(page, LABEL, "Missing");
        fl_page_put(page, FL_INK_WARN, fl_modality_name((fl_modality)i));
        any = true;
    }
    if (any) {
        fl_page_put(page, FL_INK_PLAIN, " (not evidence of health)");
        fl_page_newline(page);
    }
}

/* When it began, as the data says: the likeliest moment and how sure that is. */
static void write_onset(fl_page *page, fl_onset onset)
{
    char at[FL_TIME_TEXT], low[FL_TIME_TEXT], high[FL_TIME_TEXT], text[4 * FL_TIME_TEXT];
    snprintf(text, sizeof(text), "%s (90 %%: %s to %s)", fl_time_format(at, onset.at_ns),
             fl_time_format(low, onset.low_ns), fl_time_format(high, onset.high_ns));
    fl_page_wrap(page, FL_INK_PLAIN, text);
    fl_page_newline(page);
}

/* What was asked and what was there to answer it. */
static void write_head(fl_page *page, const fl_incident *incident)
{
    char at[FL_TIME_TEXT];
    label(page, LABEL, "Incident");
    fl_page_put(page, FL_INK_PLAIN, incident->id != NULL ? incident->id : "(none)");
    fl_page_newline(page);
    label(page, LABEL, "At");
    fl_page_put(page, FL_INK_PLAIN, fl_time_format(at, incident->at_ns));
    fl_page_newline(page);
    if (incident->onset.at_ns != 0) {
        label(page, LABEL, "Onset");
        write_onset(page, incident->onset);
    }
    write_range(page, "Window", incident->window);
    write_range(page, "Baseline", incident->baseline);
    write_data(page, incident);
}

/* A label below its hypothesis and a text that may wrap. */
static void write_locus_line(fl_page *page, const char *name, const char *text)
{
    fl_page_pad(page, BODY);
    label(page, LOCUS, name);
    fl_page_wrap(page, FL_INK_PLAIN, text);
    fl_page_newline(page);
}

/* Where in the service: what to open next. */
static void write_locus(fl_page *page, const fl_hypothesis *hypothesis)
{
    if (hypothesis->instance != NULL)
        write_locus_line(page, "instance", hypothesis->instance);
    if (hypothesis->locus == FL_LOCUS_CODE_REGION && hypothesis->before != NULL) {
        write_locus_line(page, "code between", hypothesis->before);
        write_locus_line(page, "and", hypothesis->after != NULL ? hypothesis->after : "its end");
    } else if (hypothesis->locus_name != NULL) {
        write_locus_line(page, fl_locus_name(hypothesis->locus), hypothesis->locus_name);
    }
}

/* The type, the message and the place of what is thrown. */
static void write_exception(fl_page *page, const fl_hypothesis *hypothesis)
{
    if (hypothesis->exception_type != NULL)
        write_locus_line(page, "throws", hypothesis->exception_type);
    if (hypothesis->exception_message != NULL)
        write_locus_line(page, "message", hypothesis->exception_message);
    if (hypothesis->exception_frame != NULL)
        write_locus_line(page, "at", hypothesis->exception_frame);
}

/* Only where it is not when the incident began: the head has said that. */
static void write_own_onset(fl_page *page, const fl_incident *incident,
                            const fl_hypothesis *hypothesis)
{
    const fl_onset *own = &hypothesis->onset;
    if (own->at_ns == 0 ||
        (own->low_ns <= incident->onset.high_ns && incident->onset.low_ns <= own->high_ns))
        return;
    fl_page_pad(page, BODY);
    label(page, LOCUS, "began");
    write_onset(page, *own);
}

/* Each step below the one that keeps it; of a long way the heap and what is nearest to its end,
 * since a finding is about that, and the page has other things to say. */
static void write_path(fl_page *page, const fl_evidence *evidence, size_t column)
{
    char name[FL_KEPT_NAME_TEXT], figures[FL_KEPT_FIGURES_TEXT], gap[FL_KEPT_GAP_TEXT];
    const char *branch = page->style.unicode ? "\xE2\x94\x94 " : "` ";
    size_t count = evidence->path_count, from = count > LAST_STEPS + 1 ? count - LAST_STEPS : 1;
    uint64_t hidden = from - 1;
    for (size_t i = 1; i <= from && i < count; i++)
        hidden += evidence->path[i].left_out;
    for (size_t i = 0, depth = 0; i < count; i = i == 0 ? from : i + 1, depth++) {
        const fl_kept_step *step = &evidence->path[i];
        fl_page_pad(page, column + (depth > 0 ? 2 * (depth - 1) : 0));
        if (depth > 0)
            fl_page_put(page, FL_INK_DIM, branch);
        if (depth > 0 && fl_kept_gap(gap, i == from ? hidden : step->left_out)[0] != '\0')
            fl_page_put(page, FL_INK_DIM, gap);
        fl_page_wrap(page, FL_INK_PLAIN, fl_kept_name(name, step));
        fl_page_put(page, FL_INK_PLAIN, " ");
        fl_page_wrap(page, FL_INK_DIM, fl_kept_figures(figures, evidence->path, i));
        fl_page_newline(page);
    }
}

/* '+' speaks for the hypothesis, '-' against it. */
static void write_evidence(fl_page *page, const fl_report_lanes *lanes, const fl_evidence *evidence,
                           const fl_lane *lane)
{
    size_t text = EVIDENCE + lanes->columns;
    fl_page_pad(page, BODY);
    fl_page_put(page, evidence->against ? FL_INK_BAD : FL_INK_GOOD, evidence->against ? "-" : "+");
    fl_page_pad(page, BODY + 2);
    label(page, EVIDENCE, fl_modality_name(evidence->modality));
    fl_report_lane_before(page, lanes, lane);
    fl_page_wrap(page, FL_INK_PLAIN, evidence->text != NULL ? evidence->text : "");
    fl_page_newline(page);
    fl_report_lane_below(page, lanes, lane, evidence, text);
    write_path(page, evidence, text);
    if (evidence->query == NULL)
        return;
    /* Not wrapped: it is there to be copied. */
    fl_page_pad(page, text);
    fl_page_put(page, FL_INK_DIM, "see  ");
    fl_page_put(page, FL_INK_DIM, evidence->query);
    fl_page_newline(page);
}

/* The resource is named only where the cause does not already say it. */
static const char *cause_of(char out[CAUSE_TEXT], const fl_hypothesis *hypothesis)
{
    const char *cause = fl_cause_name(hypothesis->cause);
    const char *resource = fl_resource_name(hypothesis->resource);
    bool is_said = resource == NULL || strcmp(resource, cause) == 0;
    (void)snprintf(out, CAUSE_TEXT, is_said ? "%s" : "%s (%s)", cause, resource);
    return out;
}

/* Lines of hypotheses stand below each other: what the widest of them takes. */
typedef struct layout {
    size_t cells, service; /* of the bar; of the service's name */
} layout;

/* Names are read, and the bar only repeats a number: it gives way. */
static layout lay_out(const fl_page *page, const fl_incident *incident, size_t shown)
{
    char text[CAUSE_TEXT];
    size_t service = 0, cause = 0, most = page->style.width >= 80 ? 20 : 10;
    for (size_t i = 0; i < shown; i++) {
        size_t own = fl_page_columns(service_of(&incident->hypotheses[i]));
        size_t other = fl_page_columns(cause_of(text, &incident->hypotheses[i]));
        service = own > service ? own : service;
        cause = other > cause ? other : cause;
    }
    service = min_size(service, LONGEST_SERVICE);
    size_t brackets = page->style.unicode ? 0 : BRACKETS;
    size_t rest = RANK + brackets + PERCENT + service + 2 + cause;
    size_t cells = page->style.width > rest ? page->style.width - rest : 0;
    cells = min_size(cells, most);
    return (layout){.cells = cells > LEAST_BAR ? cells : LEAST_BAR, .service = service};
}

/* A cause that has no room behind a long name stands below it. */
static void write_candidate(fl_page *page, const fl_hypothesis *hypothesis, const layout *columns,
                            bool first)
{
    char percent[FL_PERCENT_TEXT], cause[CAUSE_TEXT];
    fl_page_printf(page, FL_INK_PLAIN, "%3u  ", hypothesis->rank);
    fl_page_bar(page, hypothesis->probability, columns->cells);
    fl_page_printf(page, FL_INK_BOLD, " %5s", fl_page_percent(percent, hypothesis->probability));
    fl_page_put(page, FL_INK_PLAIN, "  ");
    size_t service_at = page->column, cause_at = service_at + columns->service + 2;
    fl_page_put(page, first ? FL_INK_BOLD : FL_INK_PLAIN, service_of(hypothesis));
    cause_of(cause, hypothesis);
    size_t from = page->column < cause_at ? cause_at : page->column + 1;
    if (from + fl_page_columns(cause) > page->style.width) {
        fl_page_newline(page);
        from = service_at;
    }
    fl_page_pad(page, from);
    fl_page_put(page, FL_INK_PLAIN, cause);
    fl_page_newline(page);
}

/* Say how much was left out; nothing when nothing was. */
static void write_more(fl_page *page, size_t indent, size_t hidden, const char *what)
{
    if (hidden == 0)
        return;
    fl_page_pad(page, indent);
    fl_page_printf(page, FL_INK_DIM, "%zu more %s in the JSON answer (--format json)", hidden,
                   what);
    fl_page_newline(page);
}

/* How many items of evidence hypothesis `at` shows out of `left` that the page still may show. */
static size_t evidence_share(const fl_incident *incident, size_t at, size_t shown, size_t left)
{
    assert(at < shown && shown <= incident->hypothesis_count);
    size_t own = incident->hypotheses[at].evidence_count, others = 0;
    for (size_t i = at + 1; i < shown; i++)
        others += incident->hypotheses[i].evidence_count > 0;
    if (at == 0 && others > 0)
        return min_size(own, LEAD_EVIDENCE);
    return min_size(own, left > others ? left - others : 1);
}

/* The heaviest come first, but the last that is shown is the heaviest counter-evidence where none
 * would be shown otherwise: a reader is told what does not fit. */
static size_t shown_at(const fl_hypothesis *hypothesis, size_t at, size_t take)
{
    assert(at < take && take <= hypothesis->evidence_count);
    if (at + 1 < take || take < 2)
        return at;
    for (size_t i = 0; i < hypothesis->evidence_count; i++)
        if (hypothesis->evidence[i].against)
            return i < take ? at : i;
    return at;
}

/* Services are padded to the widest shown, so that causes stand below each other. */
static void write_hypotheses(fl_page *page, const fl_report_lanes *lanes,
                             const fl_incident *incident)
{
    size_t shown = min_size(incident->hypothesis_count, FL_REPORT_FIRST_HYPOTHESES);
    size_t left = FL_REPORT_FIRST_EVIDENCE;
    const layout columns = lay_out(page, incident, shown);
    for (size_t i = 0; i < shown; i++) {
        const fl_hypothesis *hypothesis = &incident->hypotheses[i];
        size_t take = left > 0 ? min_size(left, evidence_share(incident, i, shown, left)) : 0;
        fl_page_newline(page);
        write_candidate(page, hypothesis, &columns, i == 0);
        write_locus(page, hypothesis);
        write_exception(page, hypothesis);
        write_own_onset(page, incident, hypothesis);
        for (size_t k = 0; k < take; k++) {
            const fl_evidence *evidence = &hypothesis->evidence[shown_at(hypothesis, k, take)];
            write_evidence(page, lanes, evidence,
                           fl_report_lane_of(lanes->picture, hypothesis, evidence));
        }
        left -= take;
        write_more(page, BODY, hypothesis->evidence_count - take,
                   hypothesis->evidence_count - take == 1 ? "item of evidence"
                                                          : "items of evidence");
    }
    size_t hidden = incident->hypothesis_count - shown;
    if (hidden > 0)
        fl_page_newline(page);
    write_more(page, 0, hidden, hidden == 1 ? "hypothesis" : "hypotheses");
}

/* What profiles found, on the incident's clock, and how to look at it again. */
static void write_moments(fl_page *page, const fl_incident *incident)
{
    char at[FL_TIME_TEXT];
    size_t shown = min_size(incident->moment_count, FL_REPORT_FIRST_MOMENTS);
    if (shown == 0)
        return;
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, "Events");
    fl_page_newline(page);
    for (size_t i = 0; i < shown; i++) {
        const fl_moment *moment = &incident->moments[i];
        fl_page_pad(page, 2);
        fl_page_put(page, FL_INK_DIM, fl_time_format_s(at, moment->at_ns));
        fl_page_pad(page, 24);
        fl_page_printf(page, FL_INK_BOLD, "%.200s: ", moment->service);
        fl_page_wrap(page, FL_INK_PLAIN, moment->text);
        fl_page_newline(page);
        if (moment->query == NULL)
            continue;
        fl_page_pad(page, 24);
        fl_page_put(page, FL_INK_DIM, "see  ");
        fl_page_wrap(page, FL_INK_PLAIN, moment->query);
        fl_page_newline(page);
    }
    write_more(page, 2, incident->moment_count - shown, "events");
}

/* What a reader would suspect next, and why not. */
static void write_ruled_out(fl_page *page, const fl_incident *incident)
{
    size_t shown = min_size(incident->ruled_out_count, FL_REPORT_FIRST_RULED_OUT);
    if (shown == 0)
        return;
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, "Ruled out");
    fl_page_newline(page);
    size_t columns = 0;
    for (size_t i = 0; i < shown; i++) {
        const char *service = incident->ruled_out[i].service;
        size_t own = service != NULL ? fl_page_columns(service) : 0;
        columns = own > columns ? own : columns;
    }
    for (size_t i = 0; i < shown; i++) {
        const char *service = incident->ruled_out[i].service;
        fl_page_pad(page, 2);
        fl_page_put(page, FL_INK_PLAIN, service != NULL ? service : "");
        fl_page_pad(page, 2 + min_size(columns, 32) + 2);
        fl_page_wrap(page, FL_INK_PLAIN, incident->ruled_out[i].text);
        fl_page_newline(page);
    }
    write_more(page, 2, incident->ruled_out_count - shown, "ruled out");
}

/* What may make the answer wrong, and so never hidden by a good verdict. */
static void write_warnings(fl_page *page, const fl_incident *incident)
{
    size_t shown = min_size(incident->warning_count, FL_REPORT_FIRST_WARNINGS);
    if (shown == 0)
        return;
    fl_page_newline(page);
    fl_page_put(page, FL_INK_WARN, "Warnings");
    fl_page_newline(page);
    for (size_t i = 0; i < shown; i++) {
        fl_page_put(page, FL_INK_WARN, "  ! ");
        fl_page_wrap(page, FL_INK_PLAIN, incident->warnings[i]);
        fl_page_newline(page);
    }
    size_t hidden = incident->warning_count - shown;
    write_more(page, 4, hidden, hidden == 1 ? "warning" : "warnings");
}

fl_status fl_report_text(fl_buf *out, const fl_incident *incident, const fl_picture *picture,
                         const fl_report_style *style, fl_error *err)
{
    assert(incident != NULL);
    fl_page page = fl_page_on(out, style);
    fl_report_lanes lanes = fl_report_lanes_on(&page, picture, EVIDENCE);
    write_verdict(&page, incident);
    write_head(&page, incident);
    fl_report_lanes_key(&page, &lanes, incident, FL_REPORT_FIRST_HYPOTHESES, LABEL);
    write_hypotheses(&page, &lanes, incident);
    write_moments(&page, incident);
    write_ruled_out(&page, incident);
    write_warnings(&page, incident);
    return fl_buf_check(out, "the report", err);
}
