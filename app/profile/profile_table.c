/*
 * profile_table.c - top and tree, as text and as JSON.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "profile_measure.h"
#include "profile_text.h"
#include "profile_view.h"
#include "slice.h"
#include "timestamp.h"

/* INT64_MIN saturates. */
static int64_t magnitude(int64_t value)
{
    return value == INT64_MIN ? INT64_MAX : value < 0 ? -value : value;
}

/* The unit of all figures: by the smallest that is shown and the total. */
static fl_measure unit_of(const fl_callgraph *graph)
{
    int64_t smallest = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        int64_t own = magnitude(graph->nodes[i].flat);
        if (own == 0)
            own = magnitude(graph->nodes[i].cum);
        if (own > 0 && (smallest == 0 || own < smallest))
            smallest = own;
    }
    return fl_measure_for(graph->unit, smallest, graph->total);
}

/* --- what stands above --- */

/* A text that is not there takes no line. */
static void put_line(fl_buf *out, const char *label, fl_slice text)
{
    if (text.len == 0)
        return;
    fl_buf_text(out, label);
    fl_profile_text_terminal(out, text);
    fl_buf_char(out, '\n');
}

/* "2026-11-22 20:45:04 UTC" */
static void put_time(fl_buf *out, int64_t time_ns)
{
    char text[FL_TIME_TEXT];
    if (time_ns <= 0)
        return;
    fl_time_format(text, time_ns - time_ns % FL_NS_PER_S);
    text[10] = ' ';
    fl_buf_printf(out, "Time: %.19s UTC\n", text);
}

/* How much of the time that was covered the samples account for. */
static void put_duration(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title,
                         fl_measure unit)
{
    char duration[FL_MEASURE_TEXT], total[FL_MEASURE_TEXT], percent[FL_PERCENTAGE_TEXT];
    if (title->duration_ns == 0)
        return;
    fl_slice ns = FL_SLICE("nanoseconds");
    fl_measure_format(duration, title->duration_ns, fl_measure_of(ns, title->duration_ns));
    fl_measure_format(total, graph->total, unit);
    fl_buf_printf(out, "Duration: %s, Total samples = %s ", duration, total);
    bool is_time = fl_slice_equal(graph->unit, ns);
    if (is_time && graph->total != 0)
        fl_buf_printf(out, "(%s)", fl_percentage_format(percent, graph->total, title->duration_ns));
    fl_buf_char(out, '\n');
}

/* What was left out must be seen beside the figures. */
static void put_filters(fl_buf *out, const fl_profile_title *title)
{
    if (title->focus == NULL && title->ignore == NULL)
        return;
    fl_buf_text(out, "Active filters:\n");
    if (title->focus != NULL)
        put_line(out, "   focus=", fl_slice_of(title->focus));
    if (title->ignore != NULL)
        put_line(out, "   ignore=", fl_slice_of(title->ignore));
}

/* How much of the whole the rows are. */
static void put_shown(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title,
                      fl_measure unit)
{
    char shown[FL_MEASURE_TEXT], total[FL_MEASURE_TEXT], percent[FL_PERCENTAGE_TEXT];
    fl_slice share = fl_slice_of(fl_percentage_format(percent, graph->shown_flat, graph->total));
    share = fl_slice_trim(share);
    fl_buf_printf(out, "Showing nodes accounting for %s, %.*s of %s total\n",
                  fl_measure_format(shown, graph->shown_flat, unit), FL_SLICE_ARG(share),
                  fl_measure_format(total, graph->total, unit));
    if (graph->total == 0)
        return;
    int64_t cutoff = magnitude((int64_t)((double)graph->total * title->node_fraction));
    if (graph->dropped_nodes > 0)
        fl_buf_printf(out, "Dropped %zu node%s (cum <= %s)\n", graph->dropped_nodes,
                      graph->dropped_nodes > 1 ? "s" : "", fl_measure_format(shown, cutoff, unit));
    if (graph->node_count > 0 && graph->node_count < graph->kept_nodes)
        fl_buf_printf(out, "Showing top %zu nodes out of %zu\n", graph->node_count,
                      graph->kept_nodes);
}

/* In the order of pprof. */
static void put_title(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title,
                      fl_measure unit)
{
    put_line(out, "File: ", title->file);
    put_line(out, "Build ID: ", title->build_id);
    for (size_t i = 0; i < title->comment_count; i++)
        if (!fl_slice_starts_with(title->comments[i], FL_SLICE("#")))
            put_line(out, "", title->comments[i]);
    put_line(out, "Type: ", graph->type);
    put_line(out, "Doc: ", title->doc_url);
    put_time(out, title->time_ns);
    put_duration(out, graph, title, unit);
    put_filters(out, title);
    put_shown(out, graph, title, unit);
}

/* --- text --- */

/* The five figures of a row. */
static void put_figures(fl_buf *out, const fl_callgraph *graph, const fl_call_node *node,
                        int64_t flat_sum, fl_measure unit)
{
    char flat[FL_MEASURE_TEXT], cum[FL_MEASURE_TEXT];
    char percents[3][FL_PERCENTAGE_TEXT];
    fl_buf_printf(out, "%10s %s %s %10s %s", fl_measure_format(flat, node->flat, unit),
                  fl_percentage_format(percents[0], node->flat, graph->total),
                  fl_percentage_format(percents[1], flat_sum, graph->total),
                  fl_measure_format(cum, node->cum, unit),
                  fl_percentage_format(percents[2], node->cum, graph->total));
}

void fl_profile_view_top(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title)
{
    static const char *const inlining[] = {[FL_CALL_REAL] = "",
                                           [FL_CALL_PARTLY_INLINED] = " (partial-inline)",
                                           [FL_CALL_INLINED] = " (inline)"};
    fl_measure unit = unit_of(graph);
    int64_t sum = 0;
    put_title(out, graph, title, unit);
    fl_buf_text(out, "      flat  flat%   sum%        cum   cum%\n");
    for (size_t i = 0; i < graph->node_count; i++) {
        const fl_call_node *node = &graph->nodes[i];
        sum = fl_profile_add(sum, node->flat);
        put_figures(out, graph, node, sum, unit);
        fl_buf_text(out, "  ");
        fl_profile_text_terminal(out, node->name);
        fl_buf_printf(out, "%s\n", inlining[node->inlining]);
    }
}

/* A call as a share of the function that it is listed under. */
static void put_call(fl_buf *out, const fl_call_edge *edge, const fl_call_node *other,
                     int64_t of_cum, fl_measure unit)
{
    char weight[FL_MEASURE_TEXT], percent[FL_PERCENTAGE_TEXT];
    fl_buf_printf(out, "%50s %s |   ", fl_measure_format(weight, edge->weight, unit),
                  fl_percentage_format(percent, edge->weight, of_cum));
    fl_profile_text_terminal(out, other->name);
    fl_buf_printf(out, "%s\n", edge->is_inlined ? " (inline)" : "");
}

void fl_profile_view_tree(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title)
{
    static const char rule[] = "----------------------------------------------------------+"
                               "-------------\n";
    fl_measure unit = unit_of(graph);
    int64_t sum = 0;
    put_title(out, graph, title, unit);
    fl_buf_text(out, rule);
    fl_buf_text(out,
                "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n");
    for (size_t i = 0; i < graph->node_count; i++) {
        const fl_call_node *node = &graph->nodes[i];
        fl_buf_text(out, rule);
        for (uint32_t k = 0; k < node->in_count; k++) {
            const fl_call_edge *edge = &graph->in[node->in_at + k];
            put_call(out, edge, &graph->nodes[edge->caller], node->cum, unit);
        }
        sum = fl_profile_add(sum, node->flat);
        put_figures(out, graph, node, sum, unit);
        fl_buf_text(out, "                | ");
        fl_profile_text_terminal(out, node->name);
        fl_buf_char(out, '\n');
        for (uint32_t k = 0; k < node->out_count; k++) {
            const fl_call_edge *edge = &graph->out[node->out_at + k];
            put_call(out, edge, &graph->nodes[edge->callee], node->cum, unit);
        }
    }
    if (graph->node_count > 0)
        fl_buf_text(out, rule);
}

/* --- JSON --- */

/* A text that is not there is null, not absent. */
static void json_member(fl_buf *out, const char *name, fl_slice text)
{
    fl_buf_printf(out, ",\"%s\":", name);
    if (text.len > 0)
        fl_profile_text_json(out, text);
    else
        fl_buf_text(out, "null");
}

/* What both views begin with; the rows follow. */
static void json_head(fl_buf *out, const char *view, const fl_callgraph *graph,
                      const fl_profile_title *title)
{
    char text[FL_TIME_TEXT];
    fl_buf_printf(out, "{\"schema\":\"faultline.profile/1\",\"view\":\"%s\"", view);
    json_member(out, "file", title->file);
    json_member(out, "build_id", title->build_id);
    fl_slice time = {0};
    if (title->time_ns > 0)
        time = fl_slice_of(fl_time_format(text, title->time_ns));
    json_member(out, "time", time);
    json_member(out, "sample_type", graph->type);
    json_member(out, "unit", graph->unit);
    fl_buf_printf(out,
                  ",\"duration_ns\":%" PRId64 ",\"total\":%" PRId64 ",\"shown\":%" PRId64
                  ",\"functions\":%zu,\"dropped\":%zu,\"rows\":[",
                  title->duration_ns, graph->total, graph->shown_flat, graph->kept_nodes,
                  graph->dropped_nodes);
}

/* {"function","flat","cum","inlined" and what the caller adds before the brace. */
static void json_node(fl_buf *out, const fl_call_node *node, bool is_first)
{
    static const char *const inlining[] = {
        [FL_CALL_REAL] = "no", [FL_CALL_PARTLY_INLINED] = "partly", [FL_CALL_INLINED] = "yes"};
    fl_buf_text(out, is_first ? "\n{\"function\":" : ",\n{\"function\":");
    fl_profile_text_json(out, node->name);
    fl_buf_printf(out, ",\"flat\":%" PRId64 ",\"cum\":%" PRId64 ",\"inlined\":\"%s\"", node->flat,
                  node->cum, inlining[node->inlining]);
}

void fl_profile_view_top_json(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title)
{
    json_head(out, "top", graph, title);
    for (size_t i = 0; i < graph->node_count; i++) {
        json_node(out, &graph->nodes[i], i == 0);
        fl_buf_char(out, '}');
    }
    fl_buf_text(out, "]}\n");
}

/* "callers" or "callees": the other end of each edge. */
static void json_calls(fl_buf *out, const fl_callgraph *graph, bool callers, uint32_t at,
                       uint32_t count)
{
    fl_buf_text(out, callers ? ",\"callers\":[" : ",\"callees\":[");
    for (uint32_t k = 0; k < count; k++) {
        const fl_call_edge *edge = &(callers ? graph->in : graph->out)[at + k];
        uint32_t other = callers ? edge->caller : edge->callee;
        fl_buf_text(out, k == 0 ? "{\"function\":" : ",{\"function\":");
        fl_profile_text_json(out, graph->nodes[other].name);
        fl_buf_printf(out, ",\"value\":%" PRId64 ",\"inlined\":%s,\"residual\":%s}", edge->weight,
                      edge->is_inlined ? "true" : "false", edge->is_residual ? "true" : "false");
    }
    fl_buf_char(out, ']');
}

void fl_profile_view_tree_json(fl_buf *out, const fl_callgraph *graph,
                               const fl_profile_title *title)
{
    json_head(out, "tree", graph, title);
    for (size_t i = 0; i < graph->node_count; i++) {
        const fl_call_node *node = &graph->nodes[i];
        json_node(out, node, i == 0);
        json_calls(out, graph, true, node->in_at, node->in_count);
        json_calls(out, graph, false, node->out_at, node->out_count);
        fl_buf_char(out, '}');
    }
    fl_buf_text(out, "]}\n");
}
