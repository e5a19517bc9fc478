/*
 * graph_export.h - all of the graph as a document, in the languages of other programs.
 *
 * Rows are written as they come out of the store, and what is written can be taken away as it
 * grows, so that the size of the graph does not matter.
 *
 *   json     schemas/json/graph.schema.json: everything, to be read by fl_graph_import()
 *   dot      Graphviz: nodes and edges, to be drawn
 *   graphml  nodes and edges with their attributes and how sure they are, for networkx, igraph, yEd
 *   cypher   MERGE statements for Neo4j, that may be run again
 */
#ifndef FL_GRAPH_EXPORT_H
#define FL_GRAPH_EXPORT_H

#include "buf.h"
#include "graph_store.h"

/* Where a document goes. */
typedef struct fl_graph_sink {
    fl_buf *out;
    fl_status (*flush)(void *payload, fl_error *err); /* empties `out`; NULL: nothing does */
    void *payload;
} fl_graph_sink;

/* Bytes in the buffer at which it is flushed. */
#define FL_GRAPH_FLUSH_BYTES (64u << 10)

/* `format` is one of those above. What was recorded by `as_of_ns`, in the order of the store, as of
 * one moment of it. */
FL_NODISCARD fl_status fl_graph_export(const fl_graph_sink *sink, fl_store *store,
                                       const char *format, int64_t as_of_ns, fl_error *err);

#endif
