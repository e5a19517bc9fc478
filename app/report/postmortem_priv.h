/*
 * postmortem_priv.h - a draft between what is known and how it is written.
 *
 *   postmortem_facts.c    what users met, and when what was noticed: figures and times
 *   postmortem_draft.c    sections of rows, as plain texts
 *   postmortem_rows.c     the sections that come from hypotheses, events and the graph
 *   postmortem_write.c    a template, its fields, and rows as Markdown and HTML
 *   postmortem_json.c     the same as JSON
 *   postmortem.c          from the store to a draft
 */
#ifndef FL_POSTMORTEM_PRIV_H
#define FL_POSTMORTEM_PRIV_H

#include "arena.h"
#include "postmortem.h"

enum {
    PM_MOST_IMPACTS = 12, /* entry services of a picture */
    PM_MOST_FACTORS = 5,
    PM_MOST_EVIDENCE = 7, /* of a factor */
    PM_MOST_ROWS = 80,    /* of a section: nobody reads a longer timeline */
    PM_MOST_CHARTS = 30
};

/* What the callers of one entry service met. */
typedef struct pm_impact {
    const char *service;
    int64_t from_ns, to_ns;      /* from the first step that is bad to the end of the last */
    bool is_over;                /* a step that is not bad follows */
    double requests, failed;     /* within; failed beyond what is usual */
    double share;                /* of the two; NaN: no requests */
    double slowest_ms, usual_ms; /* p99 of the slowest step; NaN: never slow */
} pm_impact;

typedef struct pm_facts {
    pm_impact impacts[PM_MOST_IMPACTS];
    size_t impact_count;
    bool has_entries; /* there are series of entry services at all */
    fl_onset began;
    int64_t detected_ns, mitigated_ns; /* 0: not known */
    const char *detected_by;           /* a sentence */
    int64_t opened_ns, closed_ns;      /* by a daemon; 0: not */
    int64_t acknowledged_ns;           /* at the latest; 0: not known */
} pm_facts;

typedef struct pm_row {
    const char *id;      /* "F1": of the mark */
    int64_t at_ns;       /* 0: of no moment */
    const char *service; /* NULL: none */
    const char *lead;    /* a few words, in bold; NULL: none */
    const char *text;
    const char *source;       /* a query, command or URL that shows it again; NULL: none */
    const fl_kept_step *path; /* of a heap: who keeps what it tells of */
    size_t path_count;
    bool is_below;  /* belongs to the row above */
    bool is_choice; /* people tick it */
} pm_row;

typedef enum pm_section {
    PM_SUMMARY,
    PM_IMPACT,
    PM_TIMELINE,
    PM_FACTORS,
    PM_RESPONSE,
    PM_RULED_OUT,
    PM_MISSING,
    PM_KNOWN,
    PM_ACTIONS,
    PM_SECTIONS
} pm_section;
const char *fl_pm_section_name(pm_section section); /* of the template's field */

typedef struct pm_rows {
    pm_row *items;
    size_t count;
    const char *empty; /* what is said where there is none */
} pm_rows;

typedef struct pm_draft {
    const fl_postmortem_input *in;
    pm_facts facts;
    pm_rows sections[PM_SECTIONS];
    const char *title;
    size_t factors;
    fl_arena *arena;
    bool is_full; /* no memory for some text */
} pm_draft;

/* --- postmortem_facts.c --- */
void fl_pm_find_facts(pm_facts *out, const fl_postmortem_input *in, fl_arena *arena);

/* --- postmortem_draft.c --- */
/* Texts live in `arena`. */
FL_NODISCARD fl_status fl_pm_draft(pm_draft *out, const fl_postmortem_input *in, fl_arena *arena,
                                   fl_error *err);
/* Its id is made of the section's letter and its number; a full section takes no more. NULL then.
 */
pm_row *fl_pm_add(pm_draft *draft, pm_section section);
/* printf into the draft's arena; "" for want of memory, which the draft remembers. */
const char *fl_pm_text(pm_draft *draft, const char *format, ...) FL_PRINTF(2, 3);
const char *fl_pm_time(pm_draft *draft, int64_t at_ns);
const char *fl_pm_percent(pm_draft *draft, double ratio);
/* "pool in payment-gateway": what a hypothesis says, in words. */
const char *fl_pm_cause(pm_draft *draft, const fl_hypothesis *hypothesis);
const char *fl_pm_locus(pm_draft *draft, const fl_hypothesis *hypothesis);

/* --- postmortem_rows.c --- */
void fl_pm_put_timeline(pm_draft *draft);
void fl_pm_put_factors(pm_draft *draft);
void fl_pm_put_known(pm_draft *draft);
void fl_pm_put_actions(pm_draft *draft);

/* --- postmortem_write.c, postmortem_json.c --- */
FL_NODISCARD fl_status fl_pm_fill(fl_buf *out, pm_draft *draft,
                                  const fl_postmortem_options *options, fl_error *err);
FL_NODISCARD fl_status fl_pm_json(fl_buf *out, const pm_draft *draft, fl_error *err);

#endif
