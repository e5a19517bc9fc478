/*
 * cmd_graph_show.c - graph show: one node with its edges and what they rest on; graph neighbours:
 * what lies around it.
 */
#include <assert.h>

#include "cmd_graph.h"
#include "graph_find.h"
#include "report_graph_view.h"

enum { FIRST_EVIDENCE = 5 }; /* of an edge, in the text; the JSON answer has all */

/* The node that the word names, in the call's arena. */
static fl_status find(fl_graph_node *out, fl_graph_call *call, fl_error *err)
{
    assert(call->args->more_count == 1);
    const fl_graph_find_question question = {.word = call->args->more[0],
                                             .as_of_ns = call->as_of_ns};
    return fl_graph_find(out, call->stored.store, &question, &call->stored.arena, err);
}

/* Everything as of one time: what was recorded later does not show and does not count. */
static fl_status run_show(fl_graph_call *call, fl_error *err)
{
    fl_graph_node node;
    fl_graph_node_view view;
    fl_status status = find(&node, call, err);
    if (status == FL_OK)
        status = fl_graph_view_node(&view, call->stored.store, &node, call->as_of_ns,
                                    &call->stored.arena, err);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json")
               ? fl_report_node_json(&call->out, &view, err)
               : fl_report_node_text(&call->out, &view, FIRST_EVIDENCE, &call->cli->style, err);
}

/* An option that is beyond its bound is a mistake to say, not a smaller answer. */
static fl_status bounded(size_t *out, const fl_args *args, const char *name, size_t least,
                         size_t most, fl_error *err)
{
    uint64_t given = fl_args_count(args, name);
    *out = (size_t)given;
    if (given < least || given > most)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "option --%s: %llu is not from %zu to %zu",
                       name, (unsigned long long)given, least, most);
    return FL_OK;
}

/* The bounds are checked before the store is asked anything. */
static fl_status run_neighbours(fl_graph_call *call, fl_error *err)
{
    fl_graph_node node;
    fl_graph_around around;
    fl_graph_around_question question = {.node = &node,
                                         .time_ns = fl_args_duration(call->args, "time-limit"),
                                         .as_of_ns = call->as_of_ns,
                                         .by_rank = fl_args_flag(call->args, "rank")};
    fl_status status = bounded(&question.depth, call->args, "depth", 0, FL_VIEW_MAX_DEPTH, err);
    if (status == FL_OK)
        status = bounded(&question.most, call->args, "limit", 1, FL_VIEW_MAX_NEIGHBOURS, err);
    if (status == FL_OK)
        status = find(&node, call, err);
    if (status == FL_OK)
        status =
            fl_graph_view_around(&around, call->stored.store, &question, &call->stored.arena, err);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json")
               ? fl_report_around_json(&call->out, &around, err)
               : fl_report_around_text(&call->out, &around, &call->cli->style, err);
}

const fl_graph_action fl_graph_action_show = {
    .about = {.name = "show",
              .operands = "NODE",
              .help = "a node, its edges, how sure they are and what that rests on; NODE is"
                      " kind:key, an id, or enough of the beginning of a key, a title or an id"},
    .formats = fl_graph_text_json,
    .least = 1,
    .most = 1,
    .run = run_show,
};

const fl_graph_action fl_graph_action_neighbours = {
    .about = {.name = "neighbours",
              .operands = "NODE",
              .help = "what lies around a node, up to --depth edges away"},
    .formats = fl_graph_text_json,
    .least = 1,
    .most = 1,
    .run = run_neighbours,
};
