/*
 * profile_view.h - profiles for a person to look at by hand: tables, call trees, flame graphs.
 *
 * The texts of top and tree are those of "go tool pprof -top" and "-tree", figure for figure and
 * line for line, so that nobody has to learn to read them again. The JSON members are described in
 * docs/formats/pprof.md.
 */
#ifndef FL_PROFILE_VIEW_H
#define FL_PROFILE_VIEW_H

#include "buf.h"
#include "callgraph.h"

/* A flame graph of 100,000 boxes is about 20 MB. */
#define FL_MAX_PROFILE_VIEW_BYTES (256u << 20)

/* What stands above the figures. */
typedef struct fl_profile_title {
    fl_slice file, build_id, doc_url; /* `file`: the program */
    const fl_slice *comments;
    size_t comment_count;
    int64_t time_ns, duration_ns; /* 0: not said */
    const char *focus, *ignore;   /* NULL: none */
    double node_fraction;         /* that the graph was made with */
} fl_profile_title;

/* Each appends to `out`, whose failures are sticky. */
void fl_profile_view_top(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title);
void fl_profile_view_top_json(fl_buf *out, const fl_callgraph *graph,
                              const fl_profile_title *title);
/* The graph has edges. */
void fl_profile_view_tree(fl_buf *out, const fl_callgraph *graph, const fl_profile_title *title);
void fl_profile_view_tree_json(fl_buf *out, const fl_callgraph *graph,
                               const fl_profile_title *title);

/* One line a stack, "main.main;pkg.f 1024": what other flame graph programs read. With a base, two
 * numbers, the base's first. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_profile_view_folded(fl_buf *out, const fl_call_tree *tree, bool has_base,
                                              fl_error *err);
/* {"name","value","base","children"}, nested. */
void fl_profile_view_stacks_json(fl_buf *out, const fl_call_tree *tree, bool has_base);
/* A self-contained picture: no script, nothing that is fetched. With a base, red is more than
 * there and blue is less. FL_E_NOMEM, or FL_E_LIMIT where it would be taller than can be drawn. */
FL_NODISCARD fl_status fl_profile_view_flame(fl_buf *out, const fl_call_tree *tree, bool has_base,
                                             const char *title, fl_error *err);

#endif
