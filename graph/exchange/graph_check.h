/*
 * graph_check.h - whether a store keeps what it promises.
 *
 *   database         the database itself finds a fault: pages, indexes, references
 *   unknown-kind     a kind that this program does not know; rows behind it are not looked at
 *   wrong-id         an id is not the hash of what the row says
 *   text             empty where it must not be, too long, or not UTF-8
 *   dangling-edge    an edge whose end is not there
 *   forbidden-edge   an edge between kinds that it may not join
 *   stray-evidence   evidence for an edge that is not there
 *   circle           changes that introduce each other in a circle
 *
 * and, as a note that breaks nothing:
 *
 *   beyond-cap       what one author says of an edge weighs more than the cap of its source, and is
 *                    counted as the cap
 *   future           recorded later than now: a clock was wrong somewhere
 */
#ifndef FL_GRAPH_CHECK_H
#define FL_GRAPH_CHECK_H

#include <stdbool.h>

#include "graph_store.h"

typedef enum fl_fault_kind {
    FL_FAULT_DATABASE,
    FL_FAULT_UNKNOWN_KIND,
    FL_FAULT_WRONG_ID,
    FL_FAULT_TEXT,
    FL_FAULT_DANGLING_EDGE,
    FL_FAULT_FORBIDDEN_EDGE,
    FL_FAULT_STRAY_EVIDENCE,
    FL_FAULT_CIRCLE,
    FL_FAULT_BEYOND_CAP, /* notes from here on */
    FL_FAULT_FUTURE,
    FL_FAULT_KIND_COUNT
} fl_fault_kind;

const char *fl_fault_kind_name(fl_fault_kind kind); /* "dangling-edge" */
bool fl_fault_is_note(fl_fault_kind kind);

typedef struct fl_graph_fault {
    fl_fault_kind kind;
    uint64_t id;          /* of the row; 0: of none */
    const char *sentence; /* borrowed during the visit */
} fl_graph_fault;

typedef struct fl_graph_checked {
    uint64_t nodes, edges, evidence; /* rows that were looked at */
    uint64_t counts[FL_FAULT_KIND_COUNT];
} fl_graph_checked;

typedef fl_status fl_graph_visit_fault(const fl_graph_fault *fault, void *payload, fl_error *err);

/* All of the store, as of one moment of it. What is wrong is visited and is no failure; a store
 * that cannot be read is. Holds 32 bytes a node and an edge. */
FL_NODISCARD fl_status fl_graph_check(fl_graph_checked *out, fl_store *store, int64_t now_ns,
                                      fl_graph_visit_fault *visit, void *payload, fl_error *err);
/* Faults that are no notes. */
uint64_t fl_graph_checked_faults(const fl_graph_checked *checked);

#endif
