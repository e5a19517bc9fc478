/*
 * graph_import.h - the graph out of a document of schemas/json/graph.schema.json.
 *
 * The document is read as a stream, a row at a time, and added in batches: what is held in memory
 * does not grow with it, but for 32 bytes a node. Its members stand in the order in which they are
 * exported (schema, nodes, edges, evidence), since edges refer to nodes. Adding what is there
 * already adds nothing. Members that are not known are passed over.
 */
#ifndef FL_GRAPH_IMPORT_H
#define FL_GRAPH_IMPORT_H

#include "graph_store.h"

/* Where the bytes come from: as fl_stream_read(). `name` is for messages. */
typedef struct fl_graph_source {
    const char *name;
    fl_status (*read)(void *payload, void *buf, size_t cap, size_t *len, fl_error *err);
    void *payload;
} fl_graph_source;

typedef struct fl_graph_imported {
    uint64_t nodes, edges, evidence; /* rows of the document */
    fl_graph_added added;            /* what the store did not have */
} fl_graph_imported;

/*
 * `store` NULL: only check the document, as far as it can be checked without one. A failure names
 * the line and has the offset; *out then says what was added before it, whole batches of rows that
 * fit together, and the import may be run again. FL_E_SYNTAX for a row that is not one: malformed,
 * an id that is not that of what the row says, an edge between kinds that it may not join.
 * FL_E_UNSUPPORTED for another schema, FL_E_LIMIT for a row or a text beyond the limits.
 */
FL_NODISCARD fl_status fl_graph_import(fl_graph_imported *out, fl_store *store,
                                       const fl_graph_source *source, fl_error *err);

#endif
