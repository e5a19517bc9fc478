/*
 * kept.h - who keeps memory alive, step by step from the whole heap down: the tree of dominators
 * along one way. Without any step of it what stands below would go.
 *
 * All texts are NUL-terminated UTF-8; names of classes and fields are anybody's words.
 */
#ifndef FAULTLINE_KEPT_H
#define FAULTLINE_KEPT_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_kept_kind {
    FL_KEPT_HEAP,    /* all that the roots keep: the first step, and no other */
    FL_KEPT_CLASS,   /* a class itself, which keeps by its statics */
    FL_KEPT_OBJECTS, /* objects of one class; a chain of such objects is one step */
    FL_KEPT_KIND_COUNT
} fl_kept_kind;

/* "heap", "class", "objects": the words of the JSON contract. */
const char *fl_kept_kind_name(fl_kept_kind kind);

/* A longer way keeps its beginning and its end: nobody reads more. */
#define FL_KEPT_STEPS 16u
/* Of a name; a longer one is cut. */
#define FL_KEPT_NAME_BYTES 512u

typedef struct fl_kept_step {
    fl_kept_kind kind;
    const char *type;  /* the class: "java.util.HashMap"; NULL of the heap */
    const char *field; /* by which the step above refers to it: "ENTRIES"; NULL: not known */
    uint64_t left_out; /* steps between the one above and this one that are not shown */
    uint64_t objects;
    uint64_t retained_bytes;
    bool has_before;       /* there was an earlier dump to compare with */
    uint64_t before_bytes; /* that it kept then; 0 where it kept nothing of note */
} fl_kept_step;

#ifdef __cplusplus
}
#endif

#endif
