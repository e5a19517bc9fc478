/*
 * postmortem_draft.c - facts as rows. The wording is calm and blameless: it says what services and
 * changes did, and how sure that is.
 */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "page.h"
#include "postmortem_priv.h"
#include "slice.h"
#include "svg_chart.h"
#include "timestamp.h"

enum { TEXT_BYTES = 1600 };

static const struct {
    const char *name;
    char letter;
    const char *empty;
} sections[PM_SECTIONS] = {
    [PM_SUMMARY] = {"summary", 'S', ""},
    [PM_IMPACT] = {"impact", 'I', "Not known: there are no series of an entry service."},
    [PM_TIMELINE] = {"timeline", 'T', "Nothing of the telemetry has a time."},
    [PM_FACTORS] = {"factors", 'F', "No hypothesis stands out from chance."},
    [PM_RESPONSE] = {"response", 'R', ""},
    [PM_RULED_OUT] = {"ruled_out", 'X', "Nothing was considered that had to be ruled out."},
    [PM_MISSING] = {"missing", 'D',
                    "Nothing was missing: there were metrics, logs, traces and "
                    "changes, and all records could be read."},
    [PM_KNOWN] = {"known", 'K', "The graph knows no incident with such symptoms."},
    [PM_ACTIONS] = {"actions", 'A', "The graph knows no fix for such symptoms."},
};

/* The words of templates and of the JSON contract. */
const char *fl_pm_section_name(pm_section section)
{
    assert(section < PM_SECTIONS);
    return sections[section].name;
}

/* Cut to what one row may take; writers cut further where a text is shown. */
const char *fl_pm_text(pm_draft *draft, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    assert(draft->arena != NULL);
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const char *copy = fl_arena_cstr(draft->arena, fl_slice_of(text));
    draft->is_full |= copy == NULL;
    return copy != NULL ? copy : "";
}

/* To the second: what is finer than that nobody acts on. */
const char *fl_pm_time(pm_draft *draft, int64_t at_ns)
{
    char text[FL_TIME_TEXT];
    return fl_pm_text(draft, "%s", fl_time_format_s(text, at_ns));
}

/* As the answer shows it: never a certainty by rounding. */
const char *fl_pm_percent(pm_draft *draft, double ratio)
{
    char text[FL_PERCENT_TEXT];
    return fl_pm_text(draft, "%s", fl_page_percent(text, ratio));
}

/* Whole seconds: the estimates behind them are not finer. */
static const char *duration(pm_draft *draft, int64_t from_ns, int64_t to_ns)
{
    char text[FL_TIME_TEXT];
    assert(to_ns >= from_ns);
    int64_t whole = (to_ns - from_ns) / FL_NS_PER_S * FL_NS_PER_S;
    return fl_pm_text(draft, "%s", fl_duration_format(text, whole));
}

/* Ids count within their section, so that a row can be cited: "see F1.2". */
pm_row *fl_pm_add(pm_draft *draft, pm_section section)
{
    pm_rows *rows = &draft->sections[section];
    assert(section < PM_SECTIONS && rows->items != NULL);
    if (rows->count == PM_MOST_ROWS)
        return NULL;
    pm_row *row = &rows->items[rows->count++];
    *row = (pm_row){.id = fl_pm_text(draft, "%c%zu", sections[section].letter, rows->count),
                    .text = ""};
    return row;
}

/* A row that is a sentence and has no query. */
static void say(pm_draft *draft, pm_section section, const char *lead, const char *text)
{
    pm_row *row = fl_pm_add(draft, section);
    if (row == NULL)
        return;
    row->lead = lead;
    row->text = text;
}

/* ---- words of a hypothesis ---- */

/* The same words head the draft, its summary and the factor. */
const char *fl_pm_cause(pm_draft *draft, const fl_hypothesis *hypothesis)
{
    bool is_known = hypothesis->cause != FL_CAUSE_UNKNOWN;
    return fl_pm_text(draft, "%s in %.200s",
                      is_known ? fl_cause_name(hypothesis->cause) : "unknown cause",
                      hypothesis->service != NULL ? hypothesis->service : "a service not named");
}

/* Where in it; "" where that is not told. */
const char *fl_pm_locus(pm_draft *draft, const fl_hypothesis *hypothesis)
{
    if (hypothesis->locus == FL_LOCUS_CODE_REGION && hypothesis->before != NULL)
        return fl_pm_text(draft, "between \"%.300s\" and \"%.300s\"", hypothesis->before,
                          hypothesis->after != NULL ? hypothesis->after : "");
    if (hypothesis->locus_name == NULL)
        return "";
    return fl_pm_text(draft, "at the %s %.300s", fl_locus_name(hypothesis->locus),
                      hypothesis->locus_name);
}

/* ---- summary ---- */

/* The estimate with its interval, or that there is none: the asked moment is no begin. */
static void say_begin(pm_draft *draft)
{
    const fl_onset *began = &draft->facts.began;
    const fl_incident *incident = draft->in->incident;
    if (began->at_ns != 0)
        say(draft, PM_SUMMARY, NULL,
            fl_pm_text(draft, "By the data the trouble began at %s (between %s and %s with 90 %%).",
                       fl_pm_time(draft, began->at_ns), fl_pm_time(draft, began->low_ns),
                       fl_pm_time(draft, began->high_ns)));
    else
        say(draft, PM_SUMMARY, NULL,
            fl_pm_text(draft, "When the trouble began is not known; it was looked at from %s on.",
                       fl_pm_time(draft, incident->at_ns)));
}

/* The verdict decides how it is said: a probable cause is not called a cause. */
static void say_cause(pm_draft *draft)
{
    const fl_incident *incident = draft->in->incident;
    if (incident->hypothesis_count == 0) {
        say(draft, PM_SUMMARY, NULL, "No cause stands out from the data.");
        return;
    }
    const fl_hypothesis *first = &incident->hypotheses[0];
    bool is_found = incident->verdict == FL_VERDICT_CAUSE_FOUND;
    const char *locus = fl_pm_locus(draft, first);
    say(draft, PM_SUMMARY, NULL,
        fl_pm_text(draft, "%s: %s%s%s (%s).",
                   is_found ? "The most probable cause is"
                            : "There is no confident cause; the most probable one is",
                   fl_pm_cause(draft, first), locus[0] != '\0' ? ", " : "", locus,
                   fl_pm_percent(draft, first->probability)));
}

/* "about" where traces were sampled. */
static const char *about(const pm_draft *draft)
{
    const fl_picture *picture = draft->in->picture;
    return picture != NULL && picture->spans_kept < 1 ? "about " : "";
}

/* Requests are counted where they enter; a service behind another counts them again, so that they
 * are not added up. */
static void say_worst(pm_draft *draft)
{
    const pm_facts *facts = &draft->facts;
    const pm_impact *worst = NULL;
    for (size_t i = 0; i < facts->impact_count; i++)
        if (worst == NULL || facts->impacts[i].failed > worst->failed)
            worst = &facts->impacts[i];
    if (worst == NULL)
        return;
    say(draft, PM_SUMMARY, NULL,
        fl_pm_text(draft, "Of %s%.0f requests to %.200s %.0f failed because of it (%s).",
                   about(draft), worst->requests, worst->service, worst->failed,
                   fl_pm_percent(draft, worst->share)));
}

/* Four sentences that somebody who reads nothing else should know. */
static void put_summary(pm_draft *draft)
{
    say_begin(draft);
    say_cause(draft);
    say_worst(draft);
    const fl_memory *memory = draft->in->memory;
    if (memory != NULL && memory->seen > 0)
        say(draft, PM_SUMMARY, NULL,
            fl_pm_text(draft, "Such symptoms were seen in %zu incidents before.", memory->seen));
}

/* ---- impact ---- */

/* Counts first, since shares of few requests mislead; then how slow it was. */
static void say_impact(pm_draft *draft, const pm_impact *impact)
{
    char slowest[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT];
    const char *slow = "";
    assert(impact->service != NULL && draft->in->picture != NULL);
    if (isfinite(impact->slowest_ms))
        slow = fl_pm_text(draft, " One in a hundred took %s or longer (usually %s).",
                          fl_amount(slowest, impact->slowest_ms, "ms"),
                          fl_amount(usual, impact->usual_ms, "ms"));
    pm_row *row = fl_pm_add(draft, PM_IMPACT);
    if (row == NULL)
        return;
    row->service = impact->service;
    row->text = fl_pm_text(
        draft, "for %s (%s to %s%s): %s%.0f of %.0f requests failed beyond what is usual (%s).%s",
        duration(draft, impact->from_ns, impact->to_ns), fl_pm_time(draft, impact->from_ns),
        fl_pm_time(draft, impact->to_ns), impact->is_over ? "" : ", where the data ends",
        about(draft), impact->failed, impact->requests, fl_pm_percent(draft, impact->share), slow);
    const fl_picture *picture = draft->in->picture;
    for (size_t i = 0; i < picture->lane_count && row->source == NULL; i++)
        if (picture->lanes[i].is_entry && strcmp(picture->lanes[i].service, impact->service) == 0)
            row->source = picture->lanes[i].query;
}

/* Where no span tells it, metrics of a service that is called from outside. */
static void say_metrics(pm_draft *draft)
{
    const fl_picture *picture = draft->in->picture;
    for (size_t i = 0; picture != NULL && i < picture->lane_count; i++) {
        const fl_lane *lane = &picture->lanes[i];
        char most[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT];
        double worst = NAN;
        if (!lane->is_entry || lane->kind == FL_PICTURE_TRACE || !(lane->deviations >= 5))
            continue;
        for (size_t s = 0; s < picture->step_count; s++)
            if (picture->from_ns + (int64_t)s * picture->step_ns >= picture->at_ns)
                worst = fmax(worst, lane->values[s]);
        pm_row *row = fl_pm_add(draft, PM_IMPACT);
        if (row == NULL)
            return;
        row->service = lane->service;
        row->text = fl_pm_text(draft, "%.200s reached %s (usually %s).", lane->name,
                               fl_amount(most, worst, lane->unit),
                               fl_amount(usual, lane->usual, lane->unit));
        row->source = lane->query;
    }
}

/* A service that was well is not listed; that all were well is said. */
static void put_impact(pm_draft *draft)
{
    const pm_facts *facts = &draft->facts;
    for (size_t i = 0; i < facts->impact_count; i++)
        say_impact(draft, &facts->impacts[i]);
    if (facts->impact_count == 0 && facts->has_entries)
        draft->sections[PM_IMPACT].empty =
            "No entry service failed more often or took longer than usual.";
    else if (!facts->has_entries)
        say_metrics(draft);
}

/* ---- detection and response ---- */

/* The three times are all counted from the estimated begin. */
static void say_after(pm_draft *draft, const char *lead, int64_t at_ns, const char *how)
{
    int64_t began_ns = draft->facts.began.at_ns;
    if (began_ns == 0)
        say(draft, PM_RESPONSE, lead,
            fl_pm_text(draft, "unknown, as it is not known when the trouble began; %s at %s.", how,
                       fl_pm_time(draft, at_ns)));
    else if (at_ns < began_ns)
        say(draft, PM_RESPONSE, lead,
            fl_pm_text(draft, "none: %s at %s, before the estimated begin.", how,
                       fl_pm_time(draft, at_ns)));
    else
        say(draft, PM_RESPONSE, lead,
            fl_pm_text(draft, "%s: %s at %s.", duration(draft, began_ns, at_ns), how,
                       fl_pm_time(draft, at_ns)));
}

/* Each of the three is there, known or not: an empty one is a task for people. */
static void put_response(pm_draft *draft)
{
    const pm_facts *facts = &draft->facts;
    if (facts->detected_ns != 0)
        say_after(draft, "Time to detect (TTD)", facts->detected_ns, facts->detected_by);
    else
        say(draft, PM_RESPONSE, "Time to detect (TTD)",
            "unknown: no alert is among the data. For people to write.");
    if (facts->acknowledged_ns != 0)
        say_after(draft, "Time to acknowledge (TTA), at the latest", facts->acknowledged_ns,
                  "somebody first named a cause of it, as the graph has it,");
    else
        say(draft, PM_RESPONSE, "Time to acknowledge (TTA)",
            "unknown: telemetry does not tell when somebody took it on. For people to write.");
    if (facts->mitigated_ns != 0)
        say_after(draft, "Time to mitigate (TTM)", facts->mitigated_ns,
                  "every entry service was as usual again");
    else if (facts->impact_count > 0)
        say(draft, PM_RESPONSE, "Time to mitigate (TTM)",
            fl_pm_text(draft,
                       "unknown: it was not over at %s, where the data that was looked at "
                       "ends. For people to write.",
                       fl_pm_time(draft, draft->in->incident->window.to_ns)));
    else
        say(draft, PM_RESPONSE, "Time to mitigate (TTM)",
            "unknown: no series of an entry service tells it. For people to write.");
}

/* ---- what was ruled out, what was missing ---- */

/* As the answer has them, with their reasons. */
static void put_ruled_out(pm_draft *draft)
{
    const fl_incident *incident = draft->in->incident;
    for (size_t i = 0; i < incident->ruled_out_count; i++) {
        pm_row *row = fl_pm_add(draft, PM_RULED_OUT);
        if (row == NULL)
            return;
        row->service = incident->ruled_out[i].service;
        row->text = incident->ruled_out[i].text;
    }
}

/* What was not looked at could not have been found: that belongs into a postmortem. */
static void put_missing(pm_draft *draft)
{
    const fl_incident *incident = draft->in->incident;
    for (size_t m = 0; m < FL_MODALITY_COUNT; m++)
        if (incident->missing[m])
            say(draft, PM_MISSING, NULL,
                fl_pm_text(draft,
                           "There were no %s in the window: what they would have shown is "
                           "not known.",
                           fl_modality_name((fl_modality)m)));
    for (size_t i = 0; i < incident->warning_count; i++)
        say(draft, PM_MISSING, NULL, fl_pm_text(draft, "%.600s", incident->warnings[i]));
}

/* ---- all ---- */

/* Facts first; then every section in the order in which it is read. */
fl_status fl_pm_draft(pm_draft *out, const fl_postmortem_input *in, fl_arena *arena, fl_error *err)
{
    static void (*const put[])(pm_draft *) = {
        put_summary,   put_impact,  fl_pm_put_timeline, fl_pm_put_factors, put_response,
        put_ruled_out, put_missing, fl_pm_put_known,    fl_pm_put_actions};
    *out = (pm_draft){.in = in, .arena = arena};
    assert(in->incident != NULL && in->incident->id != NULL);
    fl_pm_find_facts(&out->facts, in, arena);
    for (size_t s = 0; s < PM_SECTIONS; s++) {
        out->sections[s].items = fl_arena_alloc(arena, PM_MOST_ROWS, sizeof(pm_row));
        out->sections[s].empty = sections[s].empty;
        if (out->sections[s].items == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a postmortem");
    }
    const fl_hypothesis *first =
        in->incident->hypothesis_count > 0 ? in->incident->hypotheses : NULL;
    bool is_found = in->incident->verdict == FL_VERDICT_CAUSE_FOUND && first != NULL;
    out->title = is_found ? fl_pm_cause(out, first) : "cause not known yet";
    for (size_t i = 0; i < sizeof(put) / sizeof(put[0]); i++)
        put[i](out);
    return out->is_full ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a postmortem")
                        : FL_OK;
}
