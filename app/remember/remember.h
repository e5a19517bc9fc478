/*
 * remember.h - what the graph knows, before an answer is given and after.
 *
 *   recall   what explained such symptoms before, as priors into the ranking
 *   note     that they were seen, and what telemetry alone diagnosed
 */
#ifndef FL_REMEMBER_H
#define FL_REMEMBER_H

#include "faultline/triage.h"
#include "memory.h"

typedef struct fl_remember {
    fl_arena arena;
    fl_memory memory;
    fl_graph_node diagnosed; /* by telemetry alone */
    bool is_diagnosed;
    char note[64]; /* what that rests on */
} fl_remember;

/* Ask the graph, and let what it knows speak in the triage's answer. The caller disposes of *out,
 * also after a failure; the triage then has its answer without memory. */
FL_NODISCARD fl_status fl_remember_recall(fl_remember *out, fl_triage *triage, fl_store *store,
                                          int64_t now_ns, fl_error *err);
void fl_remember_dispose(fl_remember *remember);
/* A diagnosis counts as the program's own, once an incident, and only where telemetry is confident
 * without what was remembered: an answer does not confirm itself. */
FL_NODISCARD fl_status fl_remember_note(fl_remember *remember, const fl_incident *incident,
                                        fl_store *store, int64_t now_ns, fl_error *err);

#endif
