/*
 * graph_ahead.h - rows that will be asked for one by one, read from the store all at once.
 *
 * A walk of the graph asks for the edges of one node, then of the next. On a server each of these
 * questions is a way there and back. Whoever knows the ids beforehand has their rows read ahead;
 * the questions of graph_store.h are then answered from memory, until the rows are forgotten. What
 * was not read ahead, what was cut by its limit, and all that is written is as without it.
 */
#ifndef FL_GRAPH_AHEAD_H
#define FL_GRAPH_AHEAD_H

#include "graph_store.h"

/* `ids` need no order and may repeat; they are asked for with `scope`, `as_of_ns` and `limit` (not
 * 0) of the question. Ids that were read ahead before are not asked again. Beyond a budget nothing
 * more is kept, which is no failure. */
FL_NODISCARD fl_status fl_graph_ahead_nodes(fl_store *store, const fl_graph_question *question,
                                            const uint64_t *ids, size_t count, fl_error *err);
FL_NODISCARD fl_status fl_graph_ahead_edges(fl_store *store, const fl_graph_question *question,
                                            const uint64_t *ids, size_t count, fl_error *err);
FL_NODISCARD fl_status fl_graph_ahead_evidence(fl_store *store, const fl_graph_question *question,
                                               const uint64_t *ids, size_t count, fl_error *err);
/* Everything that was read ahead; also when nothing was. */
void fl_graph_ahead_forget(fl_store *store);

#endif
