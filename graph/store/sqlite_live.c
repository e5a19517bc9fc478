/*
 * sqlite_live.c - incidents that a daemon keeps open, in an SQLite file.
 *
 * The same as in PostgreSQL, whose comments say why; here a writer has the file for himself.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sqlite_priv.h"

enum { MAX_SIGNS_BYTES = 4 << 20 }; /* of all that an incident may have, as text */

/* NULL for NULL. The text outlives the statement. */
static int bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    return text != NULL ? sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC)
                        : sqlite3_bind_null(statement, at);
}

/* Nothing is changed where another keeps it, which is no failure. */
static fl_status write_incident(bool *is_ours, sqlite_store *store, const fl_live *live,
                                int64_t now_ns, fl_error *err)
{
    static const char sql[] =
        "INSERT INTO live (id, state, merged_to, owner, lease_ns, opened_ns, changed_ns, closed_ns,"
        " body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0), ?9) ON CONFLICT (id) DO UPDATE"
        " SET state = excluded.state, merged_to = excluded.merged_to, owner = excluded.owner,"
        " lease_ns = excluded.lease_ns, changed_ns = excluded.changed_ns,"
        " closed_ns = excluded.closed_ns, body = excluded.body WHERE live.owner = excluded.owner"
        " OR (live.state = 'open' AND live.lease_ns < ?10)";
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "writing", err);
    if (status != FL_OK)
        return status;
    int code = bind_text(statement, 1, live->id) | bind_text(statement, 2, live->state) |
               bind_text(statement, 3, live->merged_to) | bind_text(statement, 4, live->owner) |
               sqlite3_bind_int64(statement, 5, live->lease_ns) |
               sqlite3_bind_int64(statement, 6, live->opened_ns) |
               sqlite3_bind_int64(statement, 7, live->changed_ns) |
               sqlite3_bind_int64(statement, 8, live->closed_ns) |
               bind_text(statement, 9, live->body) | sqlite3_bind_int64(statement, 10, now_ns);
    if (code != SQLITE_OK || sqlite3_step(statement) != SQLITE_DONE)
        status = fl_sqlite_fail(store, "writing", err);
    *is_ours = status == FL_OK && sqlite3_changes(store->db) > 0;
    sqlite3_finalize(statement);
    return status;
}

/* ?1 are the signs, ?2 the incident, ?3 its keeper. Between his own incidents signs move as he
 * says: which of them had a sign before is his to know. */
static fl_status write_signs(sqlite_store *store, const fl_live *live, const char *signs,
                             fl_error *err)
{
    static const char take_sql[] =
        "INSERT INTO live_sign (sign, id) SELECT value, ?2 FROM json_each(?1) WHERE true"
        " ON CONFLICT (sign) DO UPDATE SET id = excluded.id WHERE excluded.id < live_sign.id"
        " OR NOT EXISTS (SELECT 1 FROM live WHERE live.id = live_sign.id AND state = 'open'"
        " AND owner <> ?3)";
    static const char drop_sql[] =
        "DELETE FROM live_sign WHERE ?1 IS NOT NULL AND id = ?2 AND ?3 IS NOT NULL";
    sqlite3_stmt *statement = NULL;
    bool is_open = strcmp(live->state, "open") == 0;
    fl_status status =
        fl_sqlite_prepare(&statement, store, is_open ? take_sql : drop_sql, "writing", err);
    if (status == FL_OK && ((bind_text(statement, 1, signs) | bind_text(statement, 2, live->id) |
                             bind_text(statement, 3, live->owner)) != SQLITE_OK ||
                            sqlite3_step(statement) != SQLITE_DONE))
        status = fl_sqlite_fail(store, "writing", err);
    sqlite3_finalize(statement);
    return status;
}

/* min() over nothing is a row with NULL. */
static fl_status find_other(fl_live_published *out, sqlite_store *store, const fl_live *live,
                            const char *signs, fl_error *err)
{
    static const char sql[] =
        "SELECT min(id) FROM live_sign WHERE sign IN (SELECT value FROM json_each(?1))"
        " AND id <> ?2 AND EXISTS (SELECT 1 FROM live WHERE live.id = live_sign.id"
        " AND state = 'open' AND owner <> ?3)";
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "reading", err);
    if (status == FL_OK && ((bind_text(statement, 1, signs) | bind_text(statement, 2, live->id) |
                             bind_text(statement, 3, live->owner)) != SQLITE_OK ||
                            sqlite3_step(statement) != SQLITE_ROW))
        status = fl_sqlite_fail(store, "reading", err);
    if (status == FL_OK) {
        const char *id = (const char *)sqlite3_column_text(statement, 0);
        (void)snprintf(out->other, sizeof(out->other), "%s", id != NULL ? id : "");
    }
    sqlite3_finalize(statement);
    return status;
}

/* The write lock is taken at the beginning: a reader that becomes a writer may be refused. */
static fl_status sqlite_publish(fl_live_published *out, fl_store *base, const fl_live *live,
                                const fl_live_signs *signs, fl_error *err)
{
    sqlite_store *store = (sqlite_store *)base;
    fl_buf text = fl_buf_of(MAX_SIGNS_BYTES);
    fl_live_put_signs(&text, signs, "[]");
    fl_status status = fl_buf_check(&text, "the list of an incident's signs", err);
    if (status == FL_OK)
        status = fl_sqlite_run(store, "BEGIN IMMEDIATE", "writing", err);
    if (status != FL_OK) {
        fl_buf_dispose(&text);
        return status;
    }
    status = write_incident(&out->is_ours, store, live, signs->now_ns, err);
    if (status == FL_OK && out->is_ours)
        status = write_signs(store, live, text.ptr, err);
    if (status == FL_OK)
        status = find_other(out, store, live, text.ptr, err);
    if (status == FL_OK)
        status = fl_sqlite_run(store, "COMMIT", "writing", err);
    if (status != FL_OK)
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    fl_buf_dispose(&text);
    return status;
}

/* The columns of the RETURNING below. */
static fl_status visit_claimed(sqlite3_stmt *statement, fl_live_visit *visit, void *payload,
                               fl_error *err)
{
    const fl_live live = {.id = (const char *)sqlite3_column_text(statement, 0),
                          .state = (const char *)sqlite3_column_text(statement, 1),
                          .owner = (const char *)sqlite3_column_text(statement, 2),
                          .lease_ns = sqlite3_column_int64(statement, 3),
                          .opened_ns = sqlite3_column_int64(statement, 4),
                          .changed_ns = sqlite3_column_int64(statement, 5),
                          .body = (const char *)sqlite3_column_text(statement, 6)};
    if (live.id == NULL || live.body == NULL) /* both are NOT NULL: only for want of memory */
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
    return visit(&live, payload, err);
}

/* The statement is run to its end, and only then are all of its rows changed. */
static fl_status sqlite_claim(fl_store *base, const fl_live_claimer *by, fl_live_visit *visit,
                              void *payload, fl_error *err)
{
    static const char sql[] = "UPDATE live SET owner = ?1, lease_ns = ?3 WHERE state = 'open'"
                              " AND (lease_ns < ?2 OR (?4 AND owner = ?1))"
                              " RETURNING id, state, owner, lease_ns, opened_ns, changed_ns, body";
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "writing", err);
    if (status == FL_OK &&
        (bind_text(statement, 1, by->owner) | sqlite3_bind_int64(statement, 2, by->now_ns) |
         sqlite3_bind_int64(statement, 3, by->lease_ns) |
         sqlite3_bind_int(statement, 4, by->with_own)) != SQLITE_OK)
        status = fl_sqlite_fail(store, "writing", err);
    int code = SQLITE_DONE;
    while (status == FL_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = visit_claimed(statement, visit, payload, err);
    if (status == FL_OK && code != SQLITE_DONE)
        status = fl_sqlite_fail(store, "writing", err);
    sqlite3_finalize(statement);
    return status;
}

/* One statement: it happens whole or not at all. */
static fl_status sqlite_renew(fl_store *base, const fl_live_claimer *by, fl_error *err)
{
    static const char sql[] = "UPDATE live SET lease_ns = ?2 WHERE owner = ?1 AND state = 'open'";
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    assert(by->lease_ns > 0);
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "writing", err);
    if (status == FL_OK && ((bind_text(statement, 1, by->owner) |
                             sqlite3_bind_int64(statement, 2, by->lease_ns)) != SQLITE_OK ||
                            sqlite3_step(statement) != SQLITE_DONE))
        status = fl_sqlite_fail(store, "writing", err);
    sqlite3_finalize(statement);
    return status;
}

const fl_live_kind fl_live_sqlite = {
    .publish = sqlite_publish, .claim = sqlite_claim, .renew = sqlite_renew};
