/*
 * cmd_graph_copy.c - graph copy: all of a store into another.
 */
#include <assert.h>
#include <string.h>

#include "cmd_graph.h"
#include "graph_copy.h"
#include "report_exchange.h"

/* --store names neither of the two, and is refused rather than passed over. */
static fl_status check_names(const fl_graph_call *call, fl_error *err)
{
    assert(call->args->more_count == 2);
    if (fl_args_has(call->args, "store"))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph copy takes both stores behind it, and no --store");
    if (strcmp(call->args->more[0], call->args->more[1]) == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a store is not copied into itself");
    return FL_OK;
}

/* The store that is read must be there; the other is made. */
static fl_status run(fl_graph_call *call, fl_error *err)
{
    fl_graph_copied copied;
    fl_store *to = NULL;
    fl_status status = check_names(call, err);
    if (status == FL_OK)
        status = fl_store_open(&call->stored.store, call->args->more[0], FL_STORE_EXISTING, err);
    if (status == FL_OK)
        status = fl_store_open(&to, call->args->more[1], FL_STORE_CREATE, err);
    if (status == FL_OK)
        status = fl_graph_copy(&copied, call->stored.store, to, err);
    fl_store_close(to);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json")
               ? fl_report_copied_json(&call->out, &copied, err)
               : fl_report_copied_text(&call->out, &copied, &call->cli->style, err);
}

const fl_graph_action fl_graph_action_copy = {
    .about = {.name = "copy",
              .operands = "FROM TO",
              .help = "all of the store FROM, graph and incidents, into the store TO, also between"
                      " SQLite and PostgreSQL; a copy that was stopped is taken up by running it"
                      " again"},
    .formats = fl_graph_text_json,
    .least = 2,
    .most = 2,
    .access = FL_GRAPH_OPENS,
    .run = run,
};
