/*
 * postgres_copy.c - rows to PostgreSQL by COPY, in its binary form.
 *
 * https://www.postgresql.org/docs/15/sql-copy.html, all integers big-endian:
 *
 *   file   = "PGCOPY\n\377\r\n\0" flags:i32 extension-length:i32 row* -1:i16
 *   row    = column-count:i16 column*
 *   column = -1:i32 (NULL) | length:i32 bytes
 *
 * COPY writes rows to a table a page at a time and asks nothing of a row that is not there yet, so
 * that it costs the server half of an INSERT that passes over conflicts. But one row that is there
 * ends it. So it runs behind a savepoint, and who calls it then adds the rows in another way.
 */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "graph_sql.h"
#include "postgres_priv.h"
#include "slice.h"

/* Sent on in parts of about this size, which are enough for the cost of a call not to count. */
enum { PART_BYTES = 1 << 16, MAX_PART_BYTES = 1 << 20 };

static const char unique_violation[] = "23505";

_Static_assert(offsetof(fl_graph_node, id) == 0 && offsetof(fl_graph_edge, id) == 0 &&
                   offsetof(fl_graph_evidence, id) == 0,
               "rows begin with their id");

static uint64_t id_of(const void *row)
{
    uint64_t id;
    memcpy(&id, row, sizeof(id));
    return id;
}

/* ---- columns ---- */

/* The lowest `width` bytes of `value`, the highest of them first. */
static void put_bytes(fl_buf *out, uint64_t value, size_t width)
{
    unsigned char bytes[sizeof(value)];
    assert(width <= sizeof(bytes));
    for (size_t i = 0; i < width; i++)
        bytes[i] = (unsigned char)(value >> 8 * (width - 1 - i));
    fl_buf_add(out, (fl_slice){bytes, width});
}

static void put_bigint(fl_buf *out, uint64_t value)
{
    put_bytes(out, sizeof(value), 4);
    put_bytes(out, value, sizeof(value));
}

static void put_text(fl_buf *out, const char *text)
{
    const fl_slice bytes = fl_slice_of(text);
    put_bytes(out, text != NULL ? bytes.len : UINT32_MAX, 4);
    fl_buf_add(out, bytes);
}

/* Each row begins with its count of columns, and with the team. */
static void put_head(fl_buf *out, unsigned columns)
{
    put_bytes(out, columns, 2);
    put_text(out, FL_POSTGRES_TEAM);
}

void fl_postgres_put_node(fl_buf *out, const void *row)
{
    const fl_graph_node *node = row;
    put_head(out, 6);
    put_bigint(out, node->id);
    put_text(out, fl_node_kind_name(node->kind));
    put_text(out, node->key);
    put_text(out, node->title);
    put_bigint(out, (uint64_t)node->recorded_ns);
}

void fl_postgres_put_edge(fl_buf *out, const void *row)
{
    const fl_graph_edge *edge = row;
    put_head(out, 7);
    put_bigint(out, edge->id);
    put_text(out, fl_edge_kind_name(edge->kind));
    put_bigint(out, edge->from);
    put_bigint(out, edge->to);
    put_text(out, edge->qualifier);
    put_bigint(out, (uint64_t)edge->recorded_ns);
}

void fl_postgres_put_evidence(fl_buf *out, const void *row)
{
    const fl_graph_evidence *item = row;
    put_head(out, 10);
    put_bigint(out, item->id);
    put_bigint(out, item->edge);
    put_text(out, fl_source_name(item->source));
    put_text(out, item->author);
    put_text(out, item->reference);
    put_bytes(out, 2, 4); /* smallint */
    put_bytes(out, item->supports, 2);
    put_bigint(out, (uint64_t)item->at_ns);
    put_bigint(out, (uint64_t)item->recorded_ns);
    put_text(out, item->note);
}

/* ---- the stream ---- */

static fl_status send_part(postgres_store *store, fl_buf *part, fl_error *err)
{
    fl_status status = fl_buf_check(part, "a part of a batch for the store", err);
    assert(part->len <= MAX_PART_BYTES);
    if (status == FL_OK && PQputCopyData(store->db, part->ptr, (int)part->len) != 1)
        status = fl_postgres_fail(store, NULL, "writing to", err);
    fl_buf_clear(part);
    return status;
}

/* Sorted, so that what is there twice stands together; the first of them counts, as in a store. */
static fl_status send_rows(postgres_store *store, const fl_postgres_rows *all, fl_error *err)
{
    static const unsigned char signature[] = "PGCOPY\n\377\r\n";
    fl_buf part = fl_buf_of(MAX_PART_BYTES);
    fl_status status = FL_OK;
    fl_buf_add(&part, (fl_slice){signature, sizeof(signature)}); /* and its NUL */
    put_bytes(&part, 0, 8);                                      /* no flags, no extension */
    const unsigned char *row = all->first;
    for (size_t i = 0; status == FL_OK && i < all->count; i++, row += all->size) {
        if (i > 0 && id_of(row) == id_of(row - all->size))
            continue;
        all->put(&part, row);
        if (part.len >= PART_BYTES || part.status != FL_OK)
            status = send_part(store, &part, err);
    }
    if (status == FL_OK) {
        put_bytes(&part, UINT16_MAX, 2);
        status = send_part(store, &part, err);
    }
    fl_buf_dispose(&part);
    return status;
}

/* What the server says at the end. A `reason` ends the copy as a failure. */
static fl_status end_copy(size_t *added, postgres_store *store, const char *reason, fl_error *err)
{
    fl_status status = FL_OK;
    if (PQputCopyEnd(store->db, reason) != 1)
        return fl_postgres_fail(store, NULL, "writing to", err);
    for (PGresult *result; (result = PQgetResult(store->db)) != NULL; PQclear(result)) {
        assert(PQresultStatus(result) != PGRES_COPY_IN); /* it was ended */
        if (PQresultStatus(result) == PGRES_COMMAND_OK)
            *added = strtoul(PQcmdTuples(result), NULL, 10);
        else if (status == FL_OK)
            status = fl_postgres_fail(store, result, "writing to", err);
    }
    return status;
}

fl_status fl_postgres_copy(bool *conflict, size_t *added, postgres_store *store,
                           const fl_postgres_rows *all, fl_error *err)
{
    assert(all->count > 0 && all->put != NULL);
    fl_error failure = {0}, late = {0};
    *conflict = false;
    *added = 0;
    PGresult *begun = PQexec(store->db, all->copy_sql);
    if (PQresultStatus(begun) != PGRES_COPY_IN) {
        fl_status status = fl_postgres_fail(store, begun, "writing to", err);
        PQclear(begun);
        return status;
    }
    PQclear(begun);
    fl_status status = send_rows(store, all, &failure);
    const char *reason = status != FL_OK ? "the program could not go on" : NULL;
    fl_status ended = end_copy(added, store, reason, &late);
    if (status == FL_OK && ended != FL_OK) {
        status = ended;
        failure = late;
    }
    *conflict = status != FL_OK && strcmp(store->state, unique_violation) == 0;
    if (*conflict)
        return fl_postgres_run(NULL, store, FL_SQL_PG_UNDO_COPY, NULL, err);
    return status == FL_OK ? FL_OK : fl_fail(err, status, failure.offset, "%s", failure.message);
}
