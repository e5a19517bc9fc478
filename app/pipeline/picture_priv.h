/*
 * picture_priv.h - what the files that make a picture share.
 *
 *   picture.c         the time axis; a row of windows as a lane; which lanes are kept
 *   picture_series.c  metrics, log lines and times of spans that stand out or are evidence
 *   picture_entry.c   requests, errors and times of services that are called from outside
 *   picture_calls.c   who called whom, before and during
 *   picture_events.c  changes, alerts, what profiles found
 */
#ifndef FL_PICTURE_PRIV_H
#define FL_PICTURE_PRIV_H

#include "arena.h"
#include "faultline/picture.h"
#include "streams.h"

typedef struct fl_picture_input {
    const fl_incident *incident;
    const fl_streams *streams;       /* and their timeline */
    const char *service;             /* whose symptom was reported; NULL: not known */
    const fl_picture_stacks *stacks; /* of profiles that findings rest on */
    size_t stack_count;
} fl_picture_input;

/* Texts and arrays are in `arena` or are those of the input. */
FL_NODISCARD fl_status fl_picture_build(fl_picture *out, const fl_picture_input *in,
                                        fl_arena *arena, fl_error *err);

/* A number for each window of the timeline, and what kind of number it is. */
typedef struct picture_row {
    double *values; /* NaN: nothing was measured */
    bool is_count;  /* steps add windows up, and are Poisson at best; else they are the mean */
} picture_row;

/* A lane that may be drawn: where its row comes from, and why it would be. */
typedef enum picture_source { SOURCE_ENTRY, SOURCE_METRIC, SOURCE_LOG, SOURCE_TIME } picture_source;
typedef struct picture_candidate {
    picture_source source;
    uint32_t index;   /* of the timeline's series or the streams' values; entry * 4 + what */
    uint32_t service; /* of the timeline */
    uint32_t cited;   /* place among the evidence; FL_NO_INDEX: of none */
    bool is_entry, is_suspect; /* suspect: a hypothesis is about its service */
    double deviations;
} picture_candidate;

/* Evidence that a lane may show. */
typedef struct picture_cited {
    const fl_hypothesis *hypothesis;
    const fl_evidence *evidence;
    size_t lanes; /* that show it */
} picture_cited;

enum {
    PICTURE_HYPOTHESES = 20,  /* whose evidence is drawn */
    PICTURE_ENTRIES = 12,     /* services */
    PICTURE_ENTRY_LANES = 60, /* they are always kept */
    PICTURE_ENTRY_ROWS = 4    /* requests, errors, p50, p99 */
};

typedef struct picture_entry {
    uint32_t service;
    uint64_t requests;
    double *rows[PICTURE_ENTRY_ROWS];
} picture_entry;

struct picture {
    const fl_picture_input *in;
    const fl_timeline *timeline;
    fl_picture *out;
    fl_arena *arena;
    fl_arena scratch, texts;     /* texts: of one series, while it is looked at */
    uint32_t *step_of;           /* of each window; FL_NO_INDEX: not on the axis */
    bool *is_suspect;            /* of each service */
    bool *is_caller, *is_callee; /* of each service: as the topology tells */
    picture_cited *cited;
    size_t cited_count;
    picture_entry entries[PICTURE_ENTRIES];
    size_t entry_count;
    picture_candidate *candidates;
    size_t candidate_count, candidate_capacity;
    double *row, *sorted; /* of one series: a number a window */
};

FL_NODISCARD fl_status fl_picture_no_memory(fl_error *err);

/* --- picture.c --- */
/* How far the worst incident window is from the baseline's median, in its usual deviations. */
double fl_picture_deviations(struct picture *p, const picture_row *row);
FL_NODISCARD fl_status fl_picture_add(struct picture *p, const picture_candidate *candidate,
                                      fl_error *err);

/* --- picture_series.c --- */
FL_NODISCARD fl_status fl_picture_cite(struct picture *p, fl_error *err);
FL_NODISCARD fl_status fl_picture_find_series(struct picture *p, fl_error *err);
/* Into p->row. */
picture_row fl_picture_row_of(struct picture *p, picture_source source, uint32_t index);
/* Kind, names, unit, role and query; NULL in what there was no memory for. */
void fl_picture_name_series(fl_lane *lane, struct picture *p, const picture_candidate *candidate);

/* --- picture_entry.c --- */
FL_NODISCARD fl_status fl_picture_find_entries(struct picture *p, fl_error *err);
void fl_picture_name_entry(fl_lane *lane, struct picture *p, const picture_candidate *candidate);
/* As the topology tells, and the question: for where there are no spans. */
bool fl_picture_is_entry(const struct picture *p, uint32_t service);

/* --- picture_calls.c, picture_events.c --- */
FL_NODISCARD fl_status fl_picture_find_calls(struct picture *p, fl_error *err);
FL_NODISCARD fl_status fl_picture_find_events(struct picture *p, fl_error *err);

#endif
