/*
 * sqlite_graph.c - the graph in an SQLite file: schemas/sql/sqlite/002_graph.sql.
 *
 * A batch is one transaction that takes the write lock at its beginning, so that two programs wait
 * for each other instead of failing in the middle. Ids are unsigned here and signed there: the same
 * 64 bits.
 */
#include <assert.h>

#include "buf.h"
#include "graph_sql.h"
#include "slice.h"
#include "sqlite_priv.h"

/* The one team of a file that has one. */
static const char team[] = "default";

/* The same 64 bits. */
static int bind_id(sqlite3_stmt *statement, int at, uint64_t id)
{
    int64_t bits;
    memcpy(&bits, &id, sizeof(bits));
    return sqlite3_bind_int64(statement, at, bits);
}

static uint64_t column_id(sqlite3_stmt *statement, int at)
{
    int64_t bits = sqlite3_column_int64(statement, at);
    uint64_t id;
    memcpy(&id, &bits, sizeof(id));
    return id;
}

/* NULL for NULL. The text outlives the statement. */
static int bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    return text != NULL ? sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC)
                        : sqlite3_bind_null(statement, at);
}

/* $2 on; $1 is the team. */
static int bind_node(sqlite3_stmt *statement, const void *row)
{
    const fl_graph_node *node = row;
    int code = bind_id(statement, 2, node->id);
    code |= bind_text(statement, 3, fl_node_kind_name(node->kind));
    code |= bind_text(statement, 4, node->key);
    code |= bind_text(statement, 5, node->title);
    return code | sqlite3_bind_int64(statement, 6, node->recorded_ns);
}

static int bind_edge(sqlite3_stmt *statement, const void *row)
{
    const fl_graph_edge *edge = row;
    int code = bind_id(statement, 2, edge->id);
    code |= bind_text(statement, 3, fl_edge_kind_name(edge->kind));
    code |= bind_id(statement, 4, edge->from);
    code |= bind_id(statement, 5, edge->to);
    code |= bind_text(statement, 6, edge->qualifier);
    return code | sqlite3_bind_int64(statement, 7, edge->recorded_ns);
}

static int bind_evidence(sqlite3_stmt *statement, const void *row)
{
    const fl_graph_evidence *item = row;
    int code = bind_id(statement, 2, item->id);
    code |= bind_id(statement, 3, item->edge);
    code |= bind_text(statement, 4, fl_source_name(item->source));
    code |= bind_text(statement, 5, item->author);
    code |= bind_text(statement, 6, item->reference);
    code |= sqlite3_bind_int(statement, 7, item->supports);
    code |= sqlite3_bind_int64(statement, 8, item->at_ns);
    code |= sqlite3_bind_int64(statement, 9, item->recorded_ns);
    return code | bind_text(statement, 10, item->note);
}

/* Rows of one kind, and how they are bound. */
typedef struct rows {
    const char *sql;
    const void *first;
    size_t count, size;
    int (*bind)(sqlite3_stmt *statement, const void *row);
    uint64_t (*edge_of)(const void *row); /* that it belongs to; NULL: none */
} rows;

static uint64_t edge_of_edge(const void *row)
{
    return ((const fl_graph_edge *)row)->id;
}

static uint64_t edge_of_evidence(const void *row)
{
    return ((const fl_graph_evidence *)row)->edge;
}

/* Edges of which something came, as one batch notes them: 004_changes.sql. Writers follow each
 * other, so that numbers are in the order of the commits. One row a batch costs a hundredth of one
 * row an edge. */
typedef struct change_log {
    fl_buf ids;
    uint64_t edge; /* the newest; 0: none */
} change_log;

enum {
    KEPT_CHANGES = 200000, /* ids; beyond them the oldest rows go */
    ID_BYTES = 8,
    MAX_LOG_BYTES = 256 << 20
};

/* One number, 0 for none, of a statement whose first parameter is the team. */
static fl_status read_number(int64_t *out, sqlite_store *store, const char *sql, fl_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_ERROR;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "reading", err);
    if (status == FL_OK && bind_text(statement, 1, team) == SQLITE_OK)
        code = sqlite3_step(statement);
    if (status == FL_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        status = fl_sqlite_fail(store, "reading", err);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return status;
}

#define NEWEST_CHANGE "SELECT max(number) FROM change WHERE team = $1"

/* Rows come sorted by edge: each edge once. */
static void note_change(change_log *log, uint64_t edge)
{
    unsigned char bytes[ID_BYTES];
    if (log->edge == edge)
        return;
    log->edge = edge;
    for (size_t i = 0; i < ID_BYTES; i++)
        bytes[i] = (unsigned char)(edge >> 8 * i);
    fl_buf_add(&log->ids, (fl_slice){.ptr = bytes, .len = ID_BYTES});
}

/* A statement on the log: $1 is the team, $2 a number, $3 the ids where it has them. */
static fl_status run_on_log(sqlite_store *store, const char *sql, int64_t number, const fl_buf *ids,
                            fl_error *err)
{
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "writing", err);
    if (status != FL_OK)
        return status;
    int code = bind_text(statement, 1, team) | sqlite3_bind_int64(statement, 2, number);
    if (ids != NULL)
        code |= sqlite3_bind_blob(statement, 3, ids->ptr, (int)ids->len, SQLITE_STATIC);
    if (code != SQLITE_OK || sqlite3_step(statement) != SQLITE_DONE)
        status = fl_sqlite_fail(store, "writing", err);
    sqlite3_finalize(statement);
    return status;
}

/* Inside of the transaction that writes. */
static fl_status write_log(const change_log *log, sqlite_store *store, fl_error *err)
{
    int64_t number = 0;
    if (log->edge == 0)
        return FL_OK;
    fl_status status = fl_buf_check(&log->ids, "a batch for the store", err);
    if (status == FL_OK)
        status = read_number(&number, store, NEWEST_CHANGE, err);
    number += (int64_t)(log->ids.len / ID_BYTES);
    if (status == FL_OK)
        status = run_on_log(store, "INSERT INTO change (team, number, edges) VALUES ($1, $2, $3)",
                            number, &log->ids, err);
    if (status == FL_OK && number > KEPT_CHANGES)
        status = run_on_log(store, "DELETE FROM change WHERE team = $1 AND number <= $2",
                            number - KEPT_CHANGES, NULL, err);
    return status;
}

/* *added counts those that were not there. */
static fl_status add_rows(size_t *added, sqlite_store *store, const rows *all, change_log *log,
                          fl_error *err)
{
    assert(all->count == 0 || all->first != NULL);
    sqlite3_stmt *statement = NULL;
    fl_status status =
        all->count > 0 ? fl_sqlite_prepare(&statement, store, all->sql, "writing", err) : FL_OK;
    if (status == FL_OK && all->count > 0 && bind_text(statement, 1, team) != SQLITE_OK)
        status = fl_sqlite_fail(store, "writing", err);
    for (size_t i = 0; status == FL_OK && i < all->count; i++) {
        const void *row = (const unsigned char *)all->first + i * all->size;
        if (all->bind(statement, row) != SQLITE_OK || sqlite3_step(statement) != SQLITE_DONE) {
            bool no_edge = sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_FOREIGNKEY;
            status = no_edge ? fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                                       "there is evidence for an edge that is not there")
                             : fl_sqlite_fail(store, "writing", err);
        }
        bool is_new = status == FL_OK && sqlite3_changes(store->db) > 0;
        *added += is_new;
        sqlite3_reset(statement);
        if (is_new && all->edge_of != NULL)
            note_change(log, all->edge_of(row));
    }
    sqlite3_finalize(statement);
    return status;
}

/* In the order in which they refer to each other. */
static fl_status add_all(fl_graph_added *added, sqlite_store *store, const fl_graph_batch *batch,
                         fl_error *err)
{
    const rows nodes = {FL_SQL_ADD_NODE,       batch->nodes, batch->node_count,
                        sizeof(*batch->nodes), bind_node,    NULL};
    const rows edges = {FL_SQL_ADD_EDGE,       batch->edges, batch->edge_count,
                        sizeof(*batch->edges), bind_edge,    edge_of_edge};
    const rows evidence = {FL_SQL_ADD_EVIDENCE,      batch->evidence, batch->evidence_count,
                           sizeof(*batch->evidence), bind_evidence,   edge_of_evidence};
    change_log log = {.ids = fl_buf_of(MAX_LOG_BYTES)};
    fl_status status = add_rows(&added->nodes, store, &nodes, &log, err);
    if (status == FL_OK)
        status = add_rows(&added->edges, store, &edges, &log, err);
    if (status == FL_OK)
        status = add_rows(&added->evidence, store, &evidence, &log, err);
    if (status == FL_OK)
        status = write_log(&log, store, err);
    fl_buf_dispose(&log.ids);
    return status;
}

/* From as many rows on a batch touches more pages than the 64 MB of a session hold. With four times
 * as much they are not read again and none is written before the commit; and with as much in the
 * log, a page that several batches changed is written to its place once. */
enum { MANY_ROWS = 10000 };
static const char for_many[] = "PRAGMA cache_size = -262144; PRAGMA wal_autocheckpoint = 65536";

/* Before the transaction. What was not granted costs time only. */
static void expect_many(sqlite_store *store, const fl_graph_batch *batch)
{
    if (store->is_bulk || batch->node_count + batch->edge_count + batch->evidence_count < MANY_ROWS)
        return;
    assert(sqlite3_get_autocommit(store->db) != 0);
    store->is_bulk = sqlite3_exec(store->db, for_many, NULL, NULL, NULL) == SQLITE_OK;
}

static fl_status graph_add(fl_graph_added *added, fl_store *base, const fl_graph_batch *batch,
                           fl_error *err)
{
    sqlite_store *store = (sqlite_store *)base;
    expect_many(store, batch);
    fl_status status = fl_sqlite_run(store, "BEGIN IMMEDIATE", "writing", err);
    if (status != FL_OK)
        return status;
    status = add_all(added, store, batch, err);
    if (status == FL_OK)
        status = fl_sqlite_run(store, "COMMIT", "writing", err);
    if (status != FL_OK) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        *added = (fl_graph_added){0};
    }
    return status;
}

static const char *column_text(sqlite3_stmt *statement, int at)
{
    return (const char *)sqlite3_column_text(statement, at);
}

static fl_status visit_node(sqlite3_stmt *statement, const fl_graph_walk *to, fl_error *err)
{
    fl_graph_node node = {
        .id = column_id(statement, 0),
        .key = column_text(statement, 2),
        .title = column_text(statement, 3),
        .recorded_ns = sqlite3_column_int64(statement, 4),
    };
    if (node.key == NULL || !fl_node_kind_of(fl_slice_of(column_text(statement, 1)), &node.kind))
        return fl_graph_fail_kind("a node", err);
    return to->node(&node, to->payload, err);
}

static fl_status visit_edge(sqlite3_stmt *statement, const fl_graph_walk *to, fl_error *err)
{
    fl_graph_edge edge = {
        .id = column_id(statement, 0),
        .from = column_id(statement, 2),
        .to = column_id(statement, 3),
        .qualifier = column_text(statement, 4),
        .recorded_ns = sqlite3_column_int64(statement, 5),
    };
    if (!fl_edge_kind_of(fl_slice_of(column_text(statement, 1)), &edge.kind))
        return fl_graph_fail_kind("an edge", err);
    return to->edge(&edge, to->payload, err);
}

static fl_status visit_evidence(sqlite3_stmt *statement, const fl_graph_walk *to, fl_error *err)
{
    fl_graph_evidence item = {
        .id = column_id(statement, 0),
        .edge = column_id(statement, 1),
        .author = column_text(statement, 3),
        .reference = column_text(statement, 4),
        .supports = sqlite3_column_int(statement, 5) != 0,
        .at_ns = sqlite3_column_int64(statement, 6),
        .recorded_ns = sqlite3_column_int64(statement, 7),
        .note = column_text(statement, 8),
    };
    if (item.author == NULL || item.reference == NULL ||
        !fl_source_of(fl_slice_of(column_text(statement, 2)), &item.source))
        return fl_graph_fail_kind("evidence", err);
    return to->evidence(&item, to->payload, err);
}

/* The limit is last, whatever else is asked. SQLite takes -1 for no limit. */
static int bind_question(sqlite3_stmt *statement, const fl_graph_question *question, uint64_t id)
{
    int at = 1, code = bind_text(statement, at++, team);
    int64_t limit =
        question->limit == 0 || question->limit > INT64_MAX ? -1 : (int64_t)question->limit;
    code |= sqlite3_bind_int64(statement, at++, question->as_of_ns);
    if (question->scope != FL_GRAPH_ALL)
        code |= bind_id(statement, at++, id);
    return code | sqlite3_bind_int64(statement, at, limit);
}

/* One statement, asked for each id: there is no way to a server that asking at once would save. */
static fl_status ask(fl_store *base, const char *sql, const fl_graph_question *question,
                     fl_status (*visit)(sqlite3_stmt *, const fl_graph_walk *, fl_error *),
                     const fl_graph_walk *to, fl_error *err)
{
    assert(sql != NULL && visit != NULL);
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    const uint64_t *ids = question->ids != NULL ? question->ids : &question->id;
    size_t count = question->ids != NULL ? question->id_count : 1;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "reading", err);
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        int code = SQLITE_ROW;
        if (bind_question(statement, question, ids[i]) != SQLITE_OK)
            status = fl_sqlite_fail(store, "reading", err);
        while (status == FL_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
            status = visit(statement, to, err);
        if (status == FL_OK && code != SQLITE_DONE)
            status = fl_sqlite_fail(store, "reading", err);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return status;
}

static fl_status graph_nodes(fl_store *store, const fl_graph_question *question,
                             fl_graph_visit_node *visit, void *payload, fl_error *err)
{
    const fl_graph_walk to = {.node = visit, .payload = payload};
    return ask(store, fl_sql_nodes[question->scope], question, visit_node, &to, err);
}

static fl_status graph_edges(fl_store *store, const fl_graph_question *question,
                             fl_graph_visit_edge *visit, void *payload, fl_error *err)
{
    const fl_graph_walk to = {.edge = visit, .payload = payload};
    return ask(store, fl_sql_edges[question->scope], question, visit_edge, &to, err);
}

static fl_status graph_evidence(fl_store *store, const fl_graph_question *question,
                                fl_graph_visit_evidence *visit, void *payload, fl_error *err)
{
    const fl_graph_walk to = {.evidence = visit, .payload = payload};
    const char *const *sql = question->brief ? fl_sql_evidence_brief : fl_sql_evidence;
    return ask(store, sql[question->scope], question, visit_evidence, &to, err);
}

/* The ids of one row; what is not a whole id at the end is passed over. */
static fl_status visit_ids(const unsigned char *bytes, size_t len, fl_graph_visit_id *visit,
                           void *payload, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t at = 0; status == FL_OK && len - at >= ID_BYTES; at += ID_BYTES) {
        uint64_t id = 0;
        for (size_t i = 0; i < ID_BYTES; i++)
            id |= (uint64_t)bytes[at + i] << 8 * i;
        status = visit(id, payload, err);
    }
    return status;
}

/* Those behind the mark. */
static fl_status visit_changes(sqlite_store *store, int64_t since, fl_graph_visit_id *visit,
                               void *payload, fl_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_DONE;
    fl_status status = fl_sqlite_prepare(&statement, store,
                                         "SELECT edges FROM change WHERE team = $1 AND number > $2",
                                         "reading", err);
    if (status == FL_OK && (bind_text(statement, 1, team) != SQLITE_OK ||
                            sqlite3_bind_int64(statement, 2, since) != SQLITE_OK))
        status = fl_sqlite_fail(store, "reading", err);
    while (status == FL_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = visit_ids(sqlite3_column_blob(statement, 0),
                           (size_t)sqlite3_column_bytes(statement, 0), visit, payload, err);
    if (status == FL_OK && code != SQLITE_DONE)
        status = fl_sqlite_fail(store, "reading", err);
    sqlite3_finalize(statement);
    return status;
}

/* A mark beyond the newest is one of another file, which was put into the place of this one. */
static fl_status graph_changed(fl_graph_mark *mark, fl_store *base, fl_graph_visit_id *visit,
                               void *payload, fl_error *err)
{
    sqlite_store *store = (sqlite_store *)base;
    int64_t before = 0, newest = 0, since = mark->at;
    bool was_set = mark->is_set;
    assert(sqlite3_get_autocommit(store->db) == 0); /* held */
    fl_status status =
        read_number(&before, store,
                    "SELECT number - length(edges) / 8 FROM change WHERE team = $1 AND number ="
                    " (SELECT min(number) FROM change WHERE team = $1)",
                    err);
    if (status == FL_OK)
        status = read_number(&newest, store, NEWEST_CHANGE, err);
    if (status != FL_OK)
        return status;
    *mark = (fl_graph_mark){
        .at = newest, .is_set = true, .is_lost = was_set && (since > newest || since < before)};
    return was_set && !mark->is_lost && since < newest
               ? visit_changes(store, since, visit, payload, err)
               : FL_OK;
}

const fl_graph_kind fl_graph_sqlite = {
    .add = graph_add,
    .nodes = graph_nodes,
    .edges = graph_edges,
    .evidence = graph_evidence,
    .changed = graph_changed,
};
