/*
 * graph_sql.h - the statements on the graph, one text for every kind of store.
 *
 * SQLite numbers $1, $2 ... by their first appearance, PostgreSQL by their digits: they are written
 * so that both agree. Every statement names the team in each WHERE and JOIN, first, so that a
 * database that is divided by team answers from one part (tests/unit/store/test_graph_sql.c).
 */
#ifndef FL_GRAPH_SQL_H
#define FL_GRAPH_SQL_H

#include "graph_store.h"

/* The columns, in the order of their parameters. */
#define FL_SQL_NODE_COLUMNS "id, kind, key, title, recorded_ns"
#define FL_SQL_EDGE_COLUMNS "id, kind, from_id, to_id, qualifier, recorded_ns"
#define FL_SQL_EVIDENCE_COLUMNS                                                                    \
    "id, edge_id, source, author, reference, supports, at_ns, recorded_ns, note"
/* In the same places those of the index alone (005_answers_from_indexes.sql). */
#define FL_SQL_BRIEF_COLUMNS                                                                       \
    "id, edge_id, source, author, reference, supports, at_ns, recorded_ns, NULL AS note"

#define FL_SQL_ADD_NODE                                                                            \
    "INSERT INTO node (team, " FL_SQL_NODE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)"             \
    " ON CONFLICT DO NOTHING"
#define FL_SQL_ADD_EDGE                                                                            \
    "INSERT INTO edge (team, " FL_SQL_EDGE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)"         \
    " ON CONFLICT DO NOTHING"
#define FL_SQL_ADD_EVIDENCE                                                                        \
    "INSERT INTO evidence (team, " FL_SQL_EVIDENCE_COLUMNS                                         \
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"

/* As many rows as come, in PostgreSQL (postgres_copy.c). One that is there already ends the copy,
 * which is then undone. */
#define FL_SQL_PG_COPY(table, columns)                                                             \
    "SAVEPOINT before_copy; COPY " table " (team, " columns ") FROM STDIN (FORMAT BINARY)"
#define FL_SQL_PG_UNDO_COPY "ROLLBACK TO SAVEPOINT before_copy"

/* Questions: team, as-of time, where there is one the id, and the limit. */
#define FL_SQL_ASKED    " WHERE team = $1 AND recorded_ns <= $2"
#define FL_SQL_BY_ID    " ORDER BY id LIMIT "
#define FL_SQL_BY_EDGE  " ORDER BY edge_id, source, author, id LIMIT "
#define FL_SQL_NODES    "SELECT " FL_SQL_NODE_COLUMNS " FROM node" FL_SQL_ASKED
#define FL_SQL_EDGES    "SELECT " FL_SQL_EDGE_COLUMNS " FROM edge" FL_SQL_ASKED
#define FL_SQL_EVIDENCE "SELECT " FL_SQL_EVIDENCE_COLUMNS " FROM evidence" FL_SQL_ASKED

#define FL_SQL_BRIEF "SELECT " FL_SQL_BRIEF_COLUMNS " FROM evidence" FL_SQL_ASKED

static const char *const fl_sql_nodes[] = {
    [FL_GRAPH_ALL] = FL_SQL_NODES FL_SQL_BY_ID "$3",
    [FL_GRAPH_ONE] = FL_SQL_NODES " AND id = $3" FL_SQL_BY_ID "$4",
};
static const char *const fl_sql_edges[] = {
    [FL_GRAPH_ALL] = FL_SQL_EDGES FL_SQL_BY_ID "$3",
    [FL_GRAPH_ONE] = FL_SQL_EDGES " AND id = $3" FL_SQL_BY_ID "$4",
    [FL_GRAPH_OUT] = FL_SQL_EDGES " AND from_id = $3" FL_SQL_BY_ID "$4",
    [FL_GRAPH_IN] = FL_SQL_EDGES " AND to_id = $3" FL_SQL_BY_ID "$4",
};
static const char *const fl_sql_evidence[] = {
    [FL_GRAPH_ALL] = FL_SQL_EVIDENCE FL_SQL_BY_EDGE "$3",
    [FL_GRAPH_ONE] = FL_SQL_EVIDENCE " AND edge_id = $3" FL_SQL_BY_EDGE "$4",
};
static const char *const fl_sql_evidence_brief[] = {
    [FL_GRAPH_ALL] = FL_SQL_BRIEF FL_SQL_BY_EDGE "$3",
    [FL_GRAPH_ONE] = FL_SQL_BRIEF " AND edge_id = $3" FL_SQL_BY_EDGE "$4",
};

/* Several ids at once, as PostgreSQL takes them: the rows of each by a walk of its index, and cut
 * there. What is lateral can only be walked once for each id, one after the other, and keeps its
 * own order: with the ids in theirs nothing is left to sort, and the first rows come before the
 * last are found. */
#define FL_SQL_EACH(columns, table, id, order)                                                     \
    "SELECT found.* FROM unnest($3::bigint[]) WITH ORDINALITY AS asked (at, place),"               \
    " LATERAL (SELECT " columns " FROM " table " WHERE team = $1 AND recorded_ns <= $2 AND " id    \
    " = asked.at ORDER BY " order " LIMIT $4) AS found ORDER BY asked.place"

/* Edges of evidence that are not there. */
#define FL_SQL_PG_MISSING_EDGES                                                                    \
    "SELECT FROM unnest($2::bigint[]) AS asked (at) WHERE NOT EXISTS"                              \
    " (SELECT FROM edge WHERE team = $1 AND id = asked.at)"

/* What changed: 004_changes.sql. Transactions that are open, and all that come, have no number
 * below the mark. Numbers that are still to be given stand in rows that were restored from
 * elsewhere, and are not news. */
#define FL_SQL_PG_MARK "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
#define FL_SQL_PG_SINCE                                                                            \
    " WHERE team = $1 AND changed >= $2"                                                           \
    " AND changed < pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
#define FL_SQL_PG_CHANGED                                                                          \
    "SELECT id FROM edge" FL_SQL_PG_SINCE " UNION SELECT edge_id FROM evidence" FL_SQL_PG_SINCE

/* The server says of a range of pages which changes it has when it is vacuumed, and as long as it
 * does not every question for changes reads the range. After a load that is all of it. Who vacuums
 * meanwhile does the same, and is not waited for. */
#define FL_SQL_PG_LIST_CHANGES                                                                     \
    "BEGIN; SET LOCAL lock_timeout = '20ms'; SELECT brin_summarize_new_values('edge_changed'),"    \
    " brin_summarize_new_values('evidence_changed'); COMMIT"

/* Without statistics a server takes a team for rare, and reads all that it has for its changes. It
 * makes them by itself a minute or more after a load. */
#define FL_SQL_PG_ANALYZE(table) "BEGIN; SET LOCAL lock_timeout = '20ms'; ANALYZE " table "; COMMIT"

static const char *const fl_sql_pg_nodes_each[] = {
    [FL_GRAPH_ONE] = FL_SQL_EACH(FL_SQL_NODE_COLUMNS, "node", "id", "id"),
};
static const char *const fl_sql_pg_edges_each[] = {
    [FL_GRAPH_ONE] = FL_SQL_EACH(FL_SQL_EDGE_COLUMNS, "edge", "id", "id"),
    [FL_GRAPH_OUT] = FL_SQL_EACH(FL_SQL_EDGE_COLUMNS, "edge", "from_id", "id"),
    [FL_GRAPH_IN] = FL_SQL_EACH(FL_SQL_EDGE_COLUMNS, "edge", "to_id", "id"),
};
static const char *const fl_sql_pg_evidence_each[] = {
    [FL_GRAPH_ONE] =
        FL_SQL_EACH(FL_SQL_EVIDENCE_COLUMNS, "evidence", "edge_id", "source, author, id"),
};
static const char *const fl_sql_pg_evidence_brief_each[] = {
    [FL_GRAPH_ONE] = FL_SQL_EACH(FL_SQL_BRIEF_COLUMNS, "evidence", "edge_id", "source, author, id"),
};

#endif
