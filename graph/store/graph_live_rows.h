/*
 * graph_live_rows.h - edges and evidence as arrays, for graph_live.c.
 *
 * Compressed sparse rows that can grow: the edges of a node and the evidence of an edge are each a
 * run in one array. A run that grows is written again behind the last one; when most of an array is
 * runs that were left behind, it is written anew.
 *
 * Invariants:
 *   (1) runs of edges are in the order of the edges' ids as signed numbers, runs of evidence in
 * that of the store, which is how they came; (2) edges below `linked` stand in the runs of both
 * their ends, others in none yet; (3) items beyond `item_count` when a refresh began belong to no
 * edge until they are kept.
 *
 * Cost: an edge 40 bytes, 8 in the runs and its place in a table, a node 48 and the same, an item
 * 40. Texts are kept once each.
 */
#ifndef FL_GRAPH_LIVE_ROWS_H
#define FL_GRAPH_LIVE_ROWS_H

#include "graph_store.h"
#include "intern.h"
#include "map.h"

#define FL_LIVE_NO_TEXT UINT32_MAX

typedef struct fl_live_run {
    uint32_t from, count;
} fl_live_run;

typedef struct fl_live_node {
    uint64_t id;
    fl_live_run out, in; /* of `places`: numbers of edges */
    int64_t recorded_ns;
    fl_sym key; /* FL_LIVE_NO_TEXT: edges lead here, and the node itself was not read yet */
    fl_sym title;
    unsigned char kind;
} fl_live_node;

typedef struct fl_live_edge {
    uint64_t id;
    int64_t recorded_ns;
    uint32_t from, to; /* numbers of nodes */
    fl_live_run items;
    fl_sym qualifier; /* or FL_LIVE_NO_TEXT */
    unsigned char kind;
} fl_live_edge;

typedef struct fl_live_item {
    uint64_t id;
    int64_t at_ns, recorded_ns;
    fl_sym author, reference, note; /* note: or FL_LIVE_NO_TEXT */
    unsigned char source, supports;
} fl_live_item;

/* Begun as {0}. */
typedef struct fl_live_rows {
    fl_intern *texts; /* each with its NUL */
    fl_map *node_numbers, *edge_numbers;
    fl_live_node *nodes;
    fl_live_edge *edges;
    fl_live_item *items;
    uint32_t *places;
    size_t node_count, edge_count, item_count, place_count;
    size_t node_room, edge_room, item_room, place_room;
    size_t linked;                  /* edges */
    size_t left_items, left_places; /* of runs that were written again */
} fl_live_rows;

FL_NODISCARD fl_status fl_live_rows_open(fl_live_rows *rows, fl_error *err);
void fl_live_rows_dispose(fl_live_rows *rows); /* leaves it as begun */
size_t fl_live_rows_bytes(const fl_live_rows *rows);

/* NULL where there is none; valid until rows are added. */
const fl_live_node *fl_live_rows_node(const fl_live_rows *rows, uint64_t id);
fl_live_edge *fl_live_rows_edge(const fl_live_rows *rows, uint64_t id);

/* Nothing where it is there, or where no edge leads. */
FL_NODISCARD fl_status fl_live_rows_name_node(fl_live_rows *rows, const fl_graph_node *node,
                                              fl_error *err);
/* Nothing where it is there. */
FL_NODISCARD fl_status fl_live_rows_add_edge(fl_live_rows *rows, const fl_graph_edge *edge,
                                             fl_error *err);
/* Edges that were added into the runs of their ends. */
FL_NODISCARD fl_status fl_live_rows_link(fl_live_rows *rows, fl_error *err);
/* Behind the last item, for no edge yet. */
FL_NODISCARD fl_status fl_live_rows_add_item(fl_live_rows *rows, const fl_graph_evidence *item,
                                             fl_error *err);
/* The items of an edge are these from now on; its number is known. */
void fl_live_rows_keep_items(fl_live_rows *rows, uint32_t edge, fl_live_run items);
/* Leave what was left behind, where that is most of it. */
FL_NODISCARD fl_status fl_live_rows_tidy(fl_live_rows *rows, fl_error *err);

/* As the store told them; texts are those of the rows. The node was named. */
void fl_live_rows_tell_node(fl_graph_node *out, const fl_live_rows *rows, const fl_live_node *node);
void fl_live_rows_tell_edge(fl_graph_edge *out, const fl_live_rows *rows, uint32_t number);
void fl_live_rows_tell_item(fl_graph_evidence *out, const fl_live_rows *rows, uint64_t edge,
                            uint32_t place);

#endif
