/*
 * cmd_graph_export.c - graph export: all of the graph, for other programs; graph stats: how much
 * that is.
 */
#include <assert.h>

#include "cmd_graph.h"
#include "report_graph.h"

static fl_status run_export(fl_graph_call *call, fl_error *err)
{
    assert(call->stored.store != NULL);
    return fl_graph_wants(call, "dot")
               ? fl_report_graph_dot(&call->out, call->stored.store, call->as_of_ns, err)
               : fl_report_graph_json(&call->out, call->stored.store, call->as_of_ns, err);
}

static fl_status run_stats(fl_graph_call *call, fl_error *err)
{
    assert(call->stored.store != NULL);
    return fl_report_graph_stats(&call->out, call->stored.store, call->as_of_ns, &call->cli->style,
                                 err);
}

/* JSON where no format is named: an export is for a program. */
static const char *const export_formats[] = {"json", "dot", NULL};
static const char *const stats_formats[] = {"text", NULL};

const fl_graph_action fl_graph_action_export = {
    .about = {.name = "export", .help = "all of it, as JSON or for Graphviz"},
    .formats = export_formats,
    .run = run_export,
};

const fl_graph_action fl_graph_action_stats = {
    .about = {.name = "stats", .help = "how much it holds, by kind"},
    .formats = stats_formats,
    .run = run_stats,
};
