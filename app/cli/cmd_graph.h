/*
 * cmd_graph.h - one action of `faultline graph`: a file cmd_graph_*.c with a descriptor, and a line
 * in the table of cmd_graph.c.
 *
 * The command opens the store, checks the number of operands and the format, runs the action, and
 * prints what it left in `out`. An action whose answer may be larger than memory writes `out` away
 * as it goes, with fl_graph_flush().
 */
#ifndef FL_CMD_GRAPH_H
#define FL_CMD_GRAPH_H

#include "stored.h"

/* What an action wants of the store that --store names. */
typedef enum fl_graph_access {
    FL_GRAPH_READS, /* it must be there: asking makes none */
    FL_GRAPH_MAKES, /* it is made where it is missing */
    FL_GRAPH_OPENS  /* the action opens what it needs */
} fl_graph_access;

typedef struct fl_graph_call {
    fl_cli *cli;
    const fl_args *args;
    const char *format; /* one of the action's */
    int64_t as_of_ns;   /* --as-of, or now */
    fl_stored stored;   /* its store is NULL for an action that opens its own */
    fl_buf out;         /* the answer so far */
    fl_exit code;       /* FL_EXIT_OK unless the action says another, where it does not fail */
} fl_graph_call;

typedef struct fl_graph_action {
    fl_action about;            /* first: the table of the operand points here */
    const char *const *formats; /* the first where none is named; NULL at the end */
    size_t least, most;         /* operands */
    fl_graph_access access;
    fl_status (*run)(fl_graph_call *call, fl_error *err);
} fl_graph_action;

/* Whether the answer is wanted in `format`: as given, or the first of the action where none is. */
bool fl_graph_wants(const fl_graph_call *call, const char *format);
/* Write what the answer holds and empty it. FL_E_IO where it could not be written. */
FL_NODISCARD fl_status fl_graph_flush(fl_graph_call *call, fl_error *err);

extern const char *const fl_graph_text_json[]; /* "text", "json" */

extern const fl_graph_action fl_graph_action_paths;
extern const fl_graph_action fl_graph_action_export;
extern const fl_graph_action fl_graph_action_import;
extern const fl_graph_action fl_graph_action_neighbours;
extern const fl_graph_action fl_graph_action_show;
extern const fl_graph_action fl_graph_action_as_of;
extern const fl_graph_action fl_graph_action_check;
extern const fl_graph_action fl_graph_action_copy;
extern const fl_graph_action fl_graph_action_migrate;
extern const fl_graph_action fl_graph_action_stats;
extern const fl_graph_action fl_graph_action_init;

#endif
