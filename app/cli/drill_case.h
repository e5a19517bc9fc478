/*
 * drill_case.h - labelled cases on disk: where they are, what is asked, and what was true.
 *
 * A case is a folder with a truth.json. The question (time, baseline, symptom) and the answer (the
 * cause) stand in that same file and are read by two functions, so that a caller can triage between
 * them and nothing of the answer is in memory before.
 */
#ifndef FL_DRILL_CASE_H
#define FL_DRILL_CASE_H

#include "arena.h"
#include "drill_score.h"

enum { FL_DRILL_MAX_DEPTH = 4, FL_DRILL_MAX_CASES = 100000, FL_DRILL_MAX_DUMPS = 64 };

typedef struct fl_drill_case {
    const char *folder; /* as it is to be opened */
    const char *name; /* relative to the folder of all cases; the system's name where that is "" */
    const char *system;
} fl_drill_case;

typedef struct fl_drill_cases {
    const fl_drill_case *items; /* by system, then name */
    size_t count;
} fl_drill_cases;

/* Every folder with a truth.json, at most FL_DRILL_MAX_DEPTH below `root`. A case's system is the
 * first folder on its way where there are several, else the name of `root`. FL_E_IO where `root`
 * cannot be read, FL_E_NOTFOUND where it holds no case. Results live in `arena`. */
FL_NODISCARD fl_status fl_drill_find(fl_drill_cases *out, fl_arena *arena, const char *root,
                                     fl_error *err);

typedef struct fl_drill_question {
    int64_t at_ns;
    const char *baseline; /* a folder, or NULL */
    const char *topology; /* service_graph.json of the baseline, or NULL */
    const char *pprof;    /* the folder profiles/ of the case, with one for each service; or NULL */
    /* What heaps/ and traces/ of the case hold, a folder for each service: "SERVICE=FILE,FILE" and
     * "SERVICE=FILE", by name. */
    const char *heaps[FL_DRILL_MAX_DUMPS], *traces[FL_DRILL_MAX_DUMPS];
    size_t heap_count, trace_count;
    const char *service; /* whose symptom is reported, or NULL */
    const char *events;  /* events.jsonl or events.json of the case, or NULL */
} fl_drill_question;

/* What a triage may know. */
FL_NODISCARD fl_status fl_drill_read_question(fl_drill_question *out, fl_arena *arena,
                                              const fl_drill_case *which, fl_error *err);
/* What it may not. */
FL_NODISCARD fl_status fl_drill_read_answer(fl_drill_answer *out, fl_arena *arena,
                                            const fl_drill_case *which, fl_error *err);

#endif
