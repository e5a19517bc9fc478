/*
 * postgres_graph.c - the graph in PostgreSQL: schemas/sql/postgresql/002_graph.sql.
 *
 * Many rows are copied (postgres_copy.c). Few, and such as are there already in part, go over in
 * chunks: one statement a chunk, a column of values each parameter, which the server unnests. So a
 * row costs no round trip, everything stays a parameter, and rows that are there already are passed
 * over by ON CONFLICT. Rows that refer to others come after them; whether
 * the edges of evidence are there is one more statement (003_checked_in_batches.sql says why).
 */
#include <assert.h>

#include "buf.h"
#include "graph_sql.h"
#include "postgres_priv.h"
#include "slice.h"

enum {
    CHUNK_ROWS = 5000, /* beyond that a statement is not noticeably cheaper a row */
    MAX_COLUMN_BYTES = 256 << 20,
    MAX_COLUMNS = 9,
    COPY_ROWS = 200, /* from here on a copy is cheaper, with its savepoint and its turn-arounds */
    /* A copy that is undone costs as much as the batch, and leaves what it wrote to be vacuumed: at
     * most one in as many is. */
    NEW_BATCHES = 16
};

/* PostgreSQL's arrays as texts: {1,2} or {"a","b"}; only '"' and '\' are escaped. */
static void add_number(fl_buf *column, uint64_t bits)
{
    int64_t value;
    memcpy(&value, &bits, sizeof(value));
    fl_buf_printf(column, "%s%lld", column->len > 1 ? "," : "", (long long)value);
}

static void add_text(fl_buf *column, const char *text)
{
    if (column->len > 1)
        fl_buf_char(column, ',');
    if (text == NULL) {
        fl_buf_text(column, "NULL");
        return;
    }
    fl_buf_char(column, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fl_buf_char(column, '\\');
        fl_buf_char(column, *text);
    }
    fl_buf_char(column, '"');
}

static void add_node(fl_buf *columns, const void *row)
{
    const fl_graph_node *node = row;
    add_number(&columns[0], node->id);
    add_text(&columns[1], fl_node_kind_name(node->kind));
    add_text(&columns[2], node->key);
    add_text(&columns[3], node->title);
    add_number(&columns[4], (uint64_t)node->recorded_ns);
}

static void add_edge(fl_buf *columns, const void *row)
{
    const fl_graph_edge *edge = row;
    add_number(&columns[0], edge->id);
    add_text(&columns[1], fl_edge_kind_name(edge->kind));
    add_number(&columns[2], edge->from);
    add_number(&columns[3], edge->to);
    add_text(&columns[4], edge->qualifier);
    add_number(&columns[5], (uint64_t)edge->recorded_ns);
}

static void add_evidence(fl_buf *columns, const void *row)
{
    const fl_graph_evidence *item = row;
    add_number(&columns[0], item->id);
    add_number(&columns[1], item->edge);
    add_text(&columns[2], fl_source_name(item->source));
    add_text(&columns[3], item->author);
    add_text(&columns[4], item->reference);
    add_number(&columns[5], item->supports);
    add_number(&columns[6], (uint64_t)item->at_ns);
    add_number(&columns[7], (uint64_t)item->recorded_ns);
    add_text(&columns[8], item->note);
}

#define UNNEST(table, columns, arrays)                                                             \
    "INSERT INTO " table " (team, " columns ") SELECT $1, * FROM unnest(" arrays                   \
    ") ON CONFLICT DO NOTHING"

static const char add_nodes_sql[] = UNNEST(
    "node", FL_SQL_NODE_COLUMNS, "$2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[]");
static const char add_edges_sql[] =
    UNNEST("edge", FL_SQL_EDGE_COLUMNS,
           "$2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[]");
static const char add_evidence_sql[] =
    UNNEST("evidence", FL_SQL_EVIDENCE_COLUMNS,
           "$2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::smallint[],"
           " $8::bigint[], $9::bigint[], $10::text[]");

static const char copy_nodes_sql[] = FL_SQL_PG_COPY("node", FL_SQL_NODE_COLUMNS);
static const char copy_edges_sql[] = FL_SQL_PG_COPY("edge", FL_SQL_EDGE_COLUMNS);
static const char copy_evidence_sql[] = FL_SQL_PG_COPY("evidence", FL_SQL_EVIDENCE_COLUMNS);

/* The next rows, CHUNK_ROWS at most, as columns. */
static fl_status fill_columns(fl_buf *columns, const fl_postgres_rows *all, size_t from, size_t to,
                              fl_error *err)
{
    assert(from < to && to <= all->count);
    fl_status status = FL_OK;
    for (size_t c = 0; c < all->column_count; c++) {
        fl_buf_clear(&columns[c]);
        fl_buf_char(&columns[c], '{');
    }
    for (size_t i = from; i < to; i++)
        all->add(columns, (const unsigned char *)all->first + i * all->size);
    for (size_t c = 0; status == FL_OK && c < all->column_count; c++) {
        fl_buf_char(&columns[c], '}');
        status = fl_buf_check(&columns[c], "a batch for the store", err);
    }
    return status;
}

static fl_status insert_rows(size_t *added, postgres_store *store, const fl_postgres_rows *all,
                             fl_error *err)
{
    fl_buf columns[MAX_COLUMNS];
    fl_status status = FL_OK;
    assert(all->column_count <= MAX_COLUMNS);
    *added = 0;
    for (size_t c = 0; c < MAX_COLUMNS; c++)
        columns[c] = fl_buf_of(MAX_COLUMN_BYTES);
    for (size_t from = 0; status == FL_OK && from < all->count; from += CHUNK_ROWS) {
        size_t changed = 0, to = from + CHUNK_ROWS < all->count ? from + CHUNK_ROWS : all->count;
        fl_postgres_params params = {.count = 0};
        status = fill_columns(columns, all, from, to, err);
        fl_postgres_text(&params, FL_POSTGRES_TEAM);
        for (size_t c = 0; c < all->column_count; c++)
            fl_postgres_text(&params, columns[c].ptr);
        if (status == FL_OK)
            status = fl_postgres_run(&changed, store, all->insert_sql, &params, err);
        *added += changed;
    }
    for (size_t c = 0; c < MAX_COLUMNS; c++)
        fl_buf_dispose(&columns[c]);
    return status;
}

/* Copied as long as everything that comes is new: a batch that is repeated is inserted, and so are
 * those after it, until enough of them were new. */
static fl_status add_rows(size_t *added, postgres_store *store, const fl_postgres_rows *all,
                          fl_error *err)
{
    bool conflict = false;
    unsigned *known = &store->known[all->kind];
    *added = 0;
    if (all->count >= COPY_ROWS && *known == 0) {
        fl_status status = fl_postgres_copy(&conflict, added, store, all, err);
        if (status != FL_OK || !conflict)
            return status;
    }
    fl_status status = insert_rows(added, store, all, err);
    if (conflict || *added < all->count)
        *known = NEW_BATCHES;
    else if (*known > 0 && all->count >= COPY_ROWS)
        (*known)--;
    return status;
}

/* Each edge once: evidence comes sorted by it. Within the transaction that adds the evidence. */
static fl_status check_edges(postgres_store *store, const fl_graph_batch *batch, fl_error *err)
{
    fl_buf ids = fl_buf_of(MAX_COLUMN_BYTES);
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < batch->evidence_count;) {
        size_t missing = 0;
        fl_postgres_params params = {.count = 0};
        fl_buf_clear(&ids);
        fl_buf_char(&ids, '{');
        for (size_t to = i + CHUNK_ROWS; i < to && i < batch->evidence_count; i++)
            if (i == 0 || batch->evidence[i].edge != batch->evidence[i - 1].edge)
                add_number(&ids, batch->evidence[i].edge);
        fl_buf_char(&ids, '}');
        status = fl_buf_check(&ids, "a batch for the store", err);
        fl_postgres_text(&params, FL_POSTGRES_TEAM);
        fl_postgres_text(&params, ids.ptr);
        if (status == FL_OK)
            status = fl_postgres_run(&missing, store, FL_SQL_PG_MISSING_EDGES, &params, err);
        if (status == FL_OK && missing > 0)
            status = fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                             "there is evidence for an edge that is not there");
    }
    fl_buf_dispose(&ids);
    return status;
}

/* Statements of a few rows in the way of each other, so that the whole costs one turn-around and
 * not four: rows of every kind, and before the evidence how many of its edges are missing. */
static fl_status send_few(size_t *kinds, postgres_store *store, const fl_postgres_rows *all,
                          fl_buf *columns, fl_error *err)
{
    fl_status status = FL_OK;
    *kinds = 0;
    for (const fl_postgres_rows *one = all; status == FL_OK && one < all + FL_POSTGRES_KINDS;
         one++) {
        fl_postgres_params params = {.count = 0};
        if (one->count == 0)
            continue;
        *kinds |= (size_t)1 << one->kind;
        status = fill_columns(columns, one, 0, one->count, err);
        fl_postgres_text(&params, FL_POSTGRES_TEAM);
        if (status == FL_OK && one->kind == FL_POSTGRES_EVIDENCE) {
            fl_postgres_text(&params, columns[1].ptr);
            status = fl_postgres_pipe_send(store, FL_SQL_PG_MISSING_EDGES, &params, err);
            params.count = 1;
        }
        for (size_t c = 0; c < one->column_count; c++)
            fl_postgres_text(&params, columns[c].ptr);
        if (status == FL_OK)
            status = fl_postgres_pipe_send(store, one->insert_sql, &params, err);
    }
    return status;
}

/* What was sent failed first, or else what was answered. */
static fl_status add_few(fl_graph_added *added, postgres_store *store, const fl_postgres_rows *all,
                         fl_error *err)
{
    fl_buf columns[MAX_COLUMNS];
    size_t changed[FL_POSTGRES_MAX_PIPED] = {0}, kinds, at = 0, missing = 0;
    size_t *const counts[] = {&added->nodes, &added->edges, &added->evidence};
    fl_error late = {0};
    *added = (fl_graph_added){0};
    fl_status status = fl_postgres_pipe_begin(store, err);
    if (status != FL_OK)
        return status;
    for (size_t c = 0; c < MAX_COLUMNS; c++)
        columns[c] = fl_buf_of(MAX_COLUMN_BYTES);
    status = send_few(&kinds, store, all, columns, err);
    fl_status ended = fl_postgres_pipe_end(changed, store, &late);
    if (status == FL_OK && ended != FL_OK)
        status = fl_fail(err, ended, late.offset, "%s", late.message);
    for (size_t k = 0; k < FL_POSTGRES_KINDS; k++) {
        if ((kinds >> k & 1) == 0)
            continue;
        if (k == FL_POSTGRES_EVIDENCE)
            missing = changed[at++];
        *counts[k] = changed[at++];
        if (*counts[k] < all[k].count)
            store->known[k] = NEW_BATCHES;
    }
    if (status == FL_OK && missing > 0)
        status = fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "there is evidence for an edge that is not there");
    for (size_t c = 0; c < MAX_COLUMNS; c++)
        fl_buf_dispose(&columns[c]);
    return status;
}

typedef struct addition {
    const fl_graph_batch *batch;
    fl_graph_added *added;
} addition;

/* May run again from the beginning: counts are set, not added to. */
static fl_status add_all(postgres_store *store, void *payload, fl_error *err)
{
    const addition *in = payload;
    const fl_graph_batch *b = in->batch;
    const fl_postgres_rows all[] = {
        {FL_POSTGRES_NODES, b->nodes, b->node_count, sizeof(*b->nodes), add_nodes_sql, 5, add_node,
         copy_nodes_sql, fl_postgres_put_node},
        {FL_POSTGRES_EDGES, b->edges, b->edge_count, sizeof(*b->edges), add_edges_sql, 6, add_edge,
         copy_edges_sql, fl_postgres_put_edge},
        {FL_POSTGRES_EVIDENCE, b->evidence, b->evidence_count, sizeof(*b->evidence),
         add_evidence_sql, 9, add_evidence, copy_evidence_sql, fl_postgres_put_evidence}};
    if (b->node_count < COPY_ROWS && b->edge_count < COPY_ROWS && b->evidence_count < COPY_ROWS)
        return add_few(in->added, store, all, err);
    fl_status status = add_rows(&in->added->nodes, store, &all[FL_POSTGRES_NODES], err);
    if (status == FL_OK)
        status = add_rows(&in->added->edges, store, &all[FL_POSTGRES_EDGES], err);
    if (status == FL_OK)
        status = check_edges(store, b, err);
    if (status == FL_OK)
        status = add_rows(&in->added->evidence, store, &all[FL_POSTGRES_EVIDENCE], err);
    return status;
}

/* From so many rows on, some thousand pages, reading them to find changes is worth sparing.
 * Statistics are made after as many, and then whenever there are four times as many more: what they
 * say of a team stays true while a table grows. Only the owner of the tables may do either; without
 * it everything else is as it is. */
enum { MANY_UNLISTED = 50000, MORE_TO_COUNT = 4 };

static void run_aside(postgres_store *store, const char *sql)
{
    PGresult *result = PQexec(store->db, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        PQclear(PQexec(store->db, "ROLLBACK"));
    PQclear(result);
}

static void list_changes(postgres_store *store, const fl_graph_added *added)
{
    static const char *const analyze[] = {[FL_POSTGRES_NODES] = FL_SQL_PG_ANALYZE("node"),
                                          [FL_POSTGRES_EDGES] = FL_SQL_PG_ANALYZE("edge"),
                                          [FL_POSTGRES_EVIDENCE] = FL_SQL_PG_ANALYZE("evidence")};
    const size_t rows[] = {[FL_POSTGRES_NODES] = added->nodes,
                           [FL_POSTGRES_EDGES] = added->edges,
                           [FL_POSTGRES_EVIDENCE] = added->evidence};
    store->unlisted += added->edges + added->evidence;
    if (store->unlisted >= MANY_UNLISTED) {
        store->unlisted = 0;
        run_aside(store, FL_SQL_PG_LIST_CHANGES);
    }
    for (size_t k = 0; k < FL_POSTGRES_KINDS; k++) {
        store->uncounted[k] += rows[k];
        if (store->uncounted[k] < MANY_UNLISTED || store->uncounted[k] < store->next_count[k])
            continue;
        store->next_count[k] = MORE_TO_COUNT * store->uncounted[k];
        store->uncounted[k] = 0;
        run_aside(store, analyze[k]);
    }
}

static fl_status graph_add(fl_graph_added *added, fl_store *base, const fl_graph_batch *batch,
                           fl_error *err)
{
    postgres_store *store = (postgres_store *)base;
    addition in = {.batch = batch, .added = added};
    fl_status status = fl_postgres_transact(store, add_all, &in, err);
    if (status == FL_OK)
        list_changes(store, added);
    else
        *added = (fl_graph_added){0};
    return status;
}

/* ---- questions ---- */

static uint64_t column_id(const PGresult *row, int at)
{
    return (uint64_t)fl_postgres_column_number(row, at);
}

static fl_status visit_node(const PGresult *row, void *payload, fl_error *err)
{
    const fl_graph_walk *to = payload;
    fl_graph_node node = {.id = column_id(row, 0),
                          .key = fl_postgres_column(row, 2),
                          .title = fl_postgres_column(row, 3),
                          .recorded_ns = fl_postgres_column_number(row, 4)};
    if (!fl_node_kind_of(fl_slice_of(fl_postgres_column(row, 1)), &node.kind))
        return fl_graph_fail_kind("a node", err);
    return to->node(&node, to->payload, err);
}

static fl_status visit_edge(const PGresult *row, void *payload, fl_error *err)
{
    const fl_graph_walk *to = payload;
    fl_graph_edge edge = {.id = column_id(row, 0),
                          .from = column_id(row, 2),
                          .to = column_id(row, 3),
                          .qualifier = fl_postgres_column(row, 4),
                          .recorded_ns = fl_postgres_column_number(row, 5)};
    if (!fl_edge_kind_of(fl_slice_of(fl_postgres_column(row, 1)), &edge.kind))
        return fl_graph_fail_kind("an edge", err);
    return to->edge(&edge, to->payload, err);
}

static fl_status visit_evidence(const PGresult *row, void *payload, fl_error *err)
{
    const fl_graph_walk *to = payload;
    fl_graph_evidence item = {.id = column_id(row, 0),
                              .edge = column_id(row, 1),
                              .author = fl_postgres_column(row, 3),
                              .reference = fl_postgres_column(row, 4),
                              .supports = fl_postgres_column_number(row, 5) != 0,
                              .at_ns = fl_postgres_column_number(row, 6),
                              .recorded_ns = fl_postgres_column_number(row, 7),
                              .note = fl_postgres_column(row, 8)};
    if (!fl_source_of(fl_slice_of(fl_postgres_column(row, 2)), &item.source))
        return fl_graph_fail_kind("evidence", err);
    return to->evidence(&item, to->payload, err);
}

static fl_status ids_text(fl_buf *out, const fl_graph_question *question, fl_error *err)
{
    fl_buf_char(out, '{');
    for (size_t i = 0; i < question->id_count; i++)
        add_number(out, question->ids[i]);
    fl_buf_char(out, '}');
    return fl_buf_check(out, "a question to the store", err);
}

/* LIMIT NULL is no limit. */
static fl_status ask(fl_store *store, const char *sql, const fl_graph_question *question,
                     fl_postgres_row *visit, fl_graph_walk *to, fl_error *err)
{
    assert(sql != NULL && visit != NULL);
    fl_postgres_params params = {.count = 0};
    fl_status status = FL_OK;
    fl_buf ids = fl_buf_of(MAX_COLUMN_BYTES);
    int64_t id;
    memcpy(&id, &question->id, sizeof(id));
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_number(&params, question->as_of_ns);
    if (question->ids != NULL) {
        status = ids_text(&ids, question, err);
        fl_postgres_text(&params, ids.ptr);
    } else if (question->scope != FL_GRAPH_ALL) {
        fl_postgres_number(&params, id);
    }
    if (question->limit == 0 || question->limit > INT64_MAX)
        fl_postgres_text(&params, NULL);
    else
        fl_postgres_number(&params, (int64_t)question->limit);
    if (status == FL_OK)
        status = fl_postgres_ask((postgres_store *)store, sql, &params, visit, to, err);
    fl_buf_dispose(&ids);
    return status;
}

static fl_status graph_nodes(fl_store *store, const fl_graph_question *question,
                             fl_graph_visit_node *visit, void *payload, fl_error *err)
{
    fl_graph_walk to = {.node = visit, .payload = payload};
    const char *const *sql = question->ids != NULL ? fl_sql_pg_nodes_each : fl_sql_nodes;
    return ask(store, sql[question->scope], question, visit_node, &to, err);
}

static fl_status graph_edges(fl_store *store, const fl_graph_question *question,
                             fl_graph_visit_edge *visit, void *payload, fl_error *err)
{
    fl_graph_walk to = {.edge = visit, .payload = payload};
    const char *const *sql = question->ids != NULL ? fl_sql_pg_edges_each : fl_sql_edges;
    return ask(store, sql[question->scope], question, visit_edge, &to, err);
}

static fl_status graph_evidence(fl_store *store, const fl_graph_question *question,
                                fl_graph_visit_evidence *visit, void *payload, fl_error *err)
{
    fl_graph_walk to = {.evidence = visit, .payload = payload};
    const char *const *each =
        question->brief ? fl_sql_pg_evidence_brief_each : fl_sql_pg_evidence_each;
    const char *const *one = question->brief ? fl_sql_evidence_brief : fl_sql_evidence;
    const char *const *sql = question->ids != NULL ? each : one;
    return ask(store, sql[question->scope], question, visit_evidence, &to, err);
}

/* ---- what changed ---- */

static fl_status take_number(const PGresult *row, void *payload, fl_error *err)
{
    (void)err;
    *(int64_t *)payload = fl_postgres_column_number(row, 0);
    return FL_OK;
}

typedef struct id_walk {
    fl_graph_visit_id *visit;
    void *payload;
} id_walk;

static fl_status visit_id(const PGresult *row, void *payload, fl_error *err)
{
    const id_walk *to = payload;
    return to->visit(column_id(row, 0), to->payload, err);
}

/* The mark is that of the snapshot in which everything else is read. Figures that the server has of
 * a column that only grows are always too old, and it would take the newest for a third of all: it
 * is told to use the index. */
static fl_status graph_changed(fl_graph_mark *mark, fl_store *base, fl_graph_visit_id *visit,
                               void *payload, fl_error *err)
{
    postgres_store *store = (postgres_store *)base;
    fl_postgres_params params = {.count = 0};
    id_walk to = {.visit = visit, .payload = payload};
    int64_t since = mark->at;
    assert(store->held);
    fl_status status = fl_postgres_ask(store, FL_SQL_PG_MARK, &params, take_number, &mark->at, err);
    if (status != FL_OK || !mark->is_set) {
        mark->is_set = status == FL_OK;
        return status;
    }
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_number(&params, since);
    status = fl_postgres_run(NULL, store, "SET LOCAL enable_seqscan = off", NULL, err);
    if (status == FL_OK)
        status = fl_postgres_ask(store, FL_SQL_PG_CHANGED, &params, visit_id, &to, err);
    if (status == FL_OK)
        status = fl_postgres_run(NULL, store, "SET LOCAL enable_seqscan = on", NULL, err);
    return status;
}

const fl_graph_kind fl_graph_postgres = {
    .add = graph_add,
    .nodes = graph_nodes,
    .edges = graph_edges,
    .evidence = graph_evidence,
    .changed = graph_changed,
};
