/*
 * cmd_graph_export.c - graph export: all of the graph, for other programs; graph stats: how much
 * that is.
 */
#include <assert.h>

#include "cmd_graph.h"
#include "graph_export.h"
#include "report_graph.h"

/* What an export calls when its buffer is full enough. */
static fl_status flush(void *payload, fl_error *err)
{
    return fl_graph_flush(payload, err);
}

/* Written as it is read: the graph may be larger than memory. */
static fl_status run_export(fl_graph_call *call, fl_error *err)
{
    assert(call->stored.store != NULL);
    const fl_graph_sink sink = {.out = &call->out, .flush = flush, .payload = call};
    return fl_graph_export(&sink, call->stored.store, call->format, call->as_of_ns, err);
}

/* One walk over everything; nothing is kept but counts. */
static fl_status run_stats(fl_graph_call *call, fl_error *err)
{
    fl_store *store = call->stored.store;
    assert(store != NULL);
    return fl_graph_wants(call, "json")
               ? fl_report_graph_stats_json(&call->out, store, call->as_of_ns, err)
               : fl_report_graph_stats(&call->out, store, call->as_of_ns, &call->cli->style, err);
}

/* JSON where no format is named: an export is for a program. */
static const char *const export_formats[] = {"json", "dot", "graphml", "cypher", NULL};

const fl_graph_action fl_graph_action_export = {
    .about = {.name = "export",
              .help = "all of it: JSON, which 'graph import' reads; dot for Graphviz; graphml for "
                      "networkx, igraph"
                      " and Gephi; cypher for Neo4j"},
    .formats = export_formats,
    .run = run_export,
};

const fl_graph_action fl_graph_action_stats = {
    .about = {.name = "stats", .help = "how much it holds, by kind"},
    .formats = fl_graph_text_json,
    .run = run_stats,
};
