/*
 * postmortem_rows.c - rows out of hypotheses, events and the graph.
 *
 * The timeline puts everything that has a time into one order: changes and alerts, what evidence
 * says began, what users met. Where there is more than a section takes, what is heaviest stays:
 * events first, then evidence of the likelier hypothesis.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"
#include "postmortem_priv.h"
#include "timestamp.h"

enum {
    EVIDENCE_HYPOTHESES = 3, /* whose evidence is in the timeline */
    EVIDENCE_ROWS = 5,       /* of each */
    EVENT_ROWS = 40,
    KNOWN_PATHS = 3,
    KNOWN_SIMILAR = 3,
    FIXES_EACH = 2
};

/* ---- the timeline ---- */

static void at(pm_draft *draft, int64_t at_ns, const char *service, const char *text,
               const char *source)
{
    pm_row *row = at_ns > 0 ? fl_pm_add(draft, PM_TIMELINE) : NULL;
    if (row == NULL)
        return;
    row->at_ns = at_ns;
    row->service = service;
    row->text = text;
    row->source = source;
}

/* What kind of event it was, for a reader who does not see a lane. */
static const char *word_of(fl_picture_kind kind)
{
    return kind == FL_PICTURE_CHANGE  ? "Change: "
           : kind == FL_PICTURE_ALERT ? "Alert fired: "
                                      : "Profiles: ";
}

/* Of too many the newest, which are nearest to the incident; that something is over is an event
 * too. */
static void add_events(pm_draft *draft)
{
    const fl_picture *picture = draft->in->picture;
    size_t count = picture != NULL ? picture->event_count : 0;
    for (size_t i = count > EVENT_ROWS ? count - EVENT_ROWS : 0; i < count; i++) {
        const fl_picture_event *event = &picture->events[i];
        at(draft, event->at_ns, event->service,
           fl_pm_text(draft, "%s%.500s", word_of(event->kind), event->text), event->query);
        if (event->until_ns > 0)
            at(draft, event->until_ns, event->service,
               fl_pm_text(draft, "Over: %.500s", event->text), event->query);
    }
}

/* What telemetry shows, for the hypotheses that are likeliest. */
static void add_evidence(pm_draft *draft)
{
    const fl_incident *incident = draft->in->incident;
    for (size_t h = 0; h < incident->hypothesis_count && h < EVIDENCE_HYPOTHESES; h++) {
        const fl_hypothesis *hypothesis = &incident->hypotheses[h];
        size_t rows = 0;
        for (size_t e = 0; e < hypothesis->evidence_count && rows < EVIDENCE_ROWS; e++) {
            const fl_evidence *evidence = &hypothesis->evidence[e];
            if (evidence->against || evidence->at_ns == 0 ||
                evidence->modality == FL_MODALITY_MEMORY ||
                evidence->modality == FL_MODALITY_CHANGES)
                continue;
            at(draft, evidence->at_ns, hypothesis->service,
               fl_pm_text(draft, "%.900s (evidence for F%zu)", evidence->text, h + 1),
               evidence->query);
            rows++;
        }
    }
}

/* What the program itself concluded or did, in the same order of time. */
static void add_facts(pm_draft *draft)
{
    const pm_facts *facts = &draft->facts;
    at(draft, facts->began.at_ns, NULL, "The trouble begins, by the data.", NULL);
    at(draft, facts->opened_ns, NULL, "An incident is opened by the program.", NULL);
    at(draft, facts->closed_ns, NULL, "The incident is closed by the program.", NULL);
    for (size_t i = 0; i < facts->impact_count; i++) {
        const pm_impact *impact = &facts->impacts[i];
        at(draft, impact->from_ns, impact->service, "First minutes in which users are affected.",
           NULL);
        if (impact->is_over)
            at(draft, impact->to_ns, impact->service, "As usual for users again.", NULL);
    }
}

/* By time; equal times in the order in which they were added, which their ids tell. */
static int compare_rows(const void *left, const void *right)
{
    const pm_row *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    size_t x = strlen(a->id), y = strlen(b->id);
    return x != y ? (x < y ? -1 : 1) : strcmp(a->id, b->id);
}

/* Then numbered in their order, as people cite them. */
void fl_pm_put_timeline(pm_draft *draft)
{
    pm_rows *rows = &draft->sections[PM_TIMELINE];
    add_facts(draft);
    add_events(draft);
    add_evidence(draft);
    if (rows->count > 0)
        qsort(rows->items, rows->count, sizeof(rows->items[0]), compare_rows);
    for (size_t i = 0; i < rows->count; i++)
        rows->items[i].id = fl_pm_text(draft, "T%zu", i + 1);
}

/* ---- contributing factors ---- */

/* A hypothesis that telemetry calls real, or the first where the verdict is that there is one. */
static bool is_factor(const fl_incident *incident, size_t h)
{
    return fl_symptoms_telemetry_nats(&incident->hypotheses[h]) >= FL_SYMPTOM_NATS ||
           (h == 0 && incident->verdict == FL_VERDICT_CAUSE_FOUND);
}

/* For and against, heaviest first, as the answer has them. */
static void add_evidence_of(pm_draft *draft, const fl_hypothesis *hypothesis, size_t factor)
{
    for (size_t e = 0; e < hypothesis->evidence_count && e < PM_MOST_EVIDENCE; e++) {
        const fl_evidence *evidence = &hypothesis->evidence[e];
        pm_row *row = fl_pm_add(draft, PM_FACTORS);
        if (row == NULL)
            return;
        row->id = fl_pm_text(draft, "F%zu.%zu", factor, e + 1);
        row->lead = evidence->against ? "Against" : "For";
        row->text =
            fl_pm_text(draft, "%s: %.900s", fl_modality_name(evidence->modality), evidence->text);
        row->source = evidence->query;
        row->path = evidence->path;
        row->path_count = evidence->path_count;
        row->is_below = true;
    }
}

/* Numbered as the hypotheses are, so that what is said of one is said of that one. */
void fl_pm_put_factors(pm_draft *draft)
{
    const fl_incident *incident = draft->in->incident;
    assert(draft->factors == 0);
    for (size_t h = 0; h < incident->hypothesis_count && h < PM_MOST_FACTORS; h++) {
        const fl_hypothesis *hypothesis = &incident->hypotheses[h];
        if (!is_factor(incident, h))
            return;
        pm_row *row = fl_pm_add(draft, PM_FACTORS);
        if (row == NULL)
            return;
        row->id = fl_pm_text(draft, "F%zu", h + 1);
        row->lead = fl_pm_cause(draft, hypothesis);
        const char *locus = fl_pm_locus(draft, hypothesis);
        row->text = fl_pm_text(draft, "%s%sprobability %s", locus, locus[0] != '\0' ? "; " : "",
                               fl_pm_percent(draft, hypothesis->probability));
        row->is_choice = true;
        draft->factors = h + 1;
        add_evidence_of(draft, hypothesis, h + 1);
    }
}

/* ---- what the graph knows ---- */

/* The mean and the interval that holds it with 90 %. */
static const char *confidence(pm_draft *draft, const fl_confidence *c)
{
    return fl_pm_text(draft, "%s, between %s and %s", fl_pm_percent(draft, c->mean),
                      fl_pm_percent(draft, c->low), fl_pm_percent(draft, c->high));
}

/* What it turned out to be, and what helped then, where somebody said so. */
static void add_similar(pm_draft *draft, const fl_similar *similar)
{
    pm_row *row = fl_pm_add(draft, PM_KNOWN);
    assert(similar->incident != NULL);
    if (row == NULL)
        return;
    row->lead = fl_pm_text(draft, "Incident %.100s", similar->incident);
    row->text = fl_pm_text(draft, "%s alike, %zu symptoms in common%s%.200s%s%.200s.",
                           fl_pm_percent(draft, similar->overlap), similar->shared,
                           similar->cause_count > 0 ? "; it was " : "",
                           similar->cause_count > 0 ? similar->causes[0] : "",
                           similar->fix_count > 0 ? "; what helped: " : "",
                           similar->fix_count > 0 ? similar->fixes[0] : "");
    row->source = fl_pm_text(draft, "faultline show %.100s", similar->incident);
}

/* That nobody asked is not that nothing is known. */
void fl_pm_put_known(pm_draft *draft)
{
    const fl_memory *memory = draft->in->memory;
    if (memory == NULL) {
        draft->sections[PM_KNOWN].empty = "The graph was not asked.";
        return;
    }
    for (size_t i = 0; i < memory->path_count && i < KNOWN_PATHS; i++) {
        const fl_path *path = &memory->paths[i];
        pm_row *row = fl_pm_add(draft, PM_KNOWN);
        if (row == NULL)
            return;
        row->lead = fl_pm_text(draft, "%.300s", path->title);
        row->text = fl_pm_text(draft,
                               "explained such symptoms (%s): %zu incidents or documents say so, "
                               "%zu say it was not, %zu name another cause.",
                               confidence(draft, &path->confidence), path->supporting,
                               path->contradicting, path->elsewhere);
        row->source =
            fl_pm_text(draft, "faultline graph paths --incident %.100s", draft->in->incident->id);
    }
    for (size_t i = 0; i < memory->similar_count && i < KNOWN_SIMILAR; i++)
        add_similar(draft, &memory->similar[i]);
}

/* ---- action items ---- */

/* Each fix once, where several causes have it. */
static bool is_said(const pm_draft *draft, const char *title)
{
    const pm_rows *rows = &draft->sections[PM_ACTIONS];
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].lead != NULL && strcmp(rows->items[i].lead, title) == 0)
            return true;
    return false;
}

/* Why it is proposed stands in the row: people decide whether the same holds here. */
static void add_fix(pm_draft *draft, const fl_path *path, const fl_path_fix *fix)
{
    assert(fix->title != NULL && path->title != NULL);
    const char *title = fl_pm_text(draft, "%.300s", fix->title);
    pm_row *row = is_said(draft, title) ? NULL : fl_pm_add(draft, PM_ACTIONS);
    if (row == NULL)
        return;
    row->lead = title;
    row->text = fl_pm_text(draft,
                           "why: it is said to have helped %zu times against \"%.300s\" (%s), last "
                           "at %s.",
                           fix->count, path->title, confidence(draft, &fix->confidence),
                           fl_pm_time(draft, fix->last_ns));
    row->source =
        fl_pm_text(draft, "faultline graph paths --incident %.100s", draft->in->incident->id);
    row->is_choice = true;
}

/* A kind of data that was missing is a reason to collect it before the next time. */
static void add_missing(pm_draft *draft)
{
    static const fl_modality kinds[] = {FL_MODALITY_METRICS, FL_MODALITY_LOGS, FL_MODALITY_TRACES,
                                        FL_MODALITY_CHANGES};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!draft->in->incident->missing[kinds[i]])
            continue;
        pm_row *row = fl_pm_add(draft, PM_ACTIONS);
        if (row == NULL)
            return;
        row->lead = fl_pm_text(draft, "Send %s to the program", fl_modality_name(kinds[i]));
        row->text = "why: there were none in the window, so that they could not speak.";
        row->is_choice = true;
    }
}

/* Proposals only out of what helped before, and out of what was missing; none is invented. */
void fl_pm_put_actions(pm_draft *draft)
{
    const fl_memory *memory = draft->in->memory;
    for (size_t i = 0; memory != NULL && i < memory->path_count && i < KNOWN_PATHS; i++)
        for (size_t f = 0; f < memory->paths[i].fix_count && f < FIXES_EACH; f++)
            add_fix(draft, &memory->paths[i], &memory->paths[i].fixes[f]);
    add_missing(draft);
    assert(draft->sections[PM_ACTIONS].count <= PM_MOST_ROWS);
}
