/*
 * postgres_live.c - incidents that daemons keep open, in PostgreSQL.
 *
 * A sign goes to the incident that asks where it has none that is open, or one with a higher id.
 * That is one statement, and the row's lock decides between daemons that ask at once.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "postgres_priv.h"

enum { MAX_SIGNS_BYTES = 4 << 20 }; /* of all that an incident may have, as text */

typedef struct publishing {
    const fl_live *live;
    const char *signs;
    int64_t now_ns;
    size_t written;
} publishing;

/* The row's lock decides between daemons that ask for the same sign at once: the second waits, and
 * then sees whose it is. Between his own incidents a keeper moves signs as he likes. Signs of what
 * is over are given up, so that the table holds only what is open. */
static fl_status write_signs(postgres_store *store, const publishing *p, fl_error *err)
{
    static const char take_sql[] =
        "INSERT INTO live_sign (team, sign, id) SELECT $1, sign, $3"
        " FROM unnest($2::bigint[]) AS sign ON CONFLICT (team, sign) DO UPDATE"
        " SET id = excluded.id WHERE excluded.id < live_sign.id OR NOT EXISTS (SELECT 1 FROM live"
        " WHERE team = $1 AND live.id = live_sign.id AND state = 'open' AND owner <> $4)";
    static const char drop_sql[] = "DELETE FROM live_sign WHERE team = $1 AND id = $2";
    bool is_open = strcmp(p->live->state, "open") == 0;
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    if (is_open)
        fl_postgres_text(&params, p->signs);
    fl_postgres_text(&params, p->live->id);
    if (is_open)
        fl_postgres_text(&params, p->live->owner);
    return fl_postgres_run(NULL, store, is_open ? take_sql : drop_sql, &params, err);
}

/* The incident first: its row says to whom it belongs. */
static fl_status publish(postgres_store *store, void *payload, fl_error *err)
{
    static const char sql[] =
        "INSERT INTO live (team, id, state, merged_to, owner, lease_ns, opened_ns, changed_ns,"
        " closed_ns, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (team, id) DO UPDATE SET state = excluded.state,"
        " merged_to = excluded.merged_to, owner = excluded.owner, lease_ns = excluded.lease_ns,"
        " changed_ns = excluded.changed_ns, closed_ns = excluded.closed_ns, body = excluded.body"
        " WHERE live.owner = excluded.owner OR (live.state = 'open' AND live.lease_ns < $11)";
    publishing *p = payload;
    const fl_live *live = p->live;
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, live->id);
    fl_postgres_text(&params, live->state);
    fl_postgres_text(&params, live->merged_to);
    fl_postgres_text(&params, live->owner);
    fl_postgres_number(&params, live->lease_ns);
    fl_postgres_number(&params, live->opened_ns);
    fl_postgres_number(&params, live->changed_ns);
    if (live->closed_ns != 0)
        fl_postgres_number(&params, live->closed_ns);
    else
        fl_postgres_text(&params, NULL);
    fl_postgres_text(&params, live->body);
    fl_postgres_number(&params, p->now_ns);
    p->written = 0;
    fl_status status = fl_postgres_run(&p->written, store, sql, &params, err);
    return status == FL_OK && p->written > 0 ? write_signs(store, p, err) : status;
}

/* min() over nothing is a row with NULL. */
static fl_status take_id(const PGresult *row, void *payload, fl_error *err)
{
    const char *id = fl_postgres_column(row, 0);
    (void)err;
    if (id != NULL)
        (void)snprintf(payload, FL_LIVE_ID_BYTES, "%s", id);
    return FL_OK;
}

/* Those that stayed with another are its own: it has a lower id, or we do not keep this one. */
static fl_status find_other(fl_live_published *out, postgres_store *store, const publishing *p,
                            fl_error *err)
{
    static const char sql[] =
        "SELECT min(id) FROM live_sign WHERE team = $1 AND sign = ANY ($2::bigint[]) AND id <> $3"
        " AND EXISTS (SELECT 1 FROM live WHERE team = $1 AND live.id = live_sign.id"
        " AND state = 'open' AND owner <> $4)";
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, p->signs);
    fl_postgres_text(&params, p->live->id);
    fl_postgres_text(&params, p->live->owner);
    return fl_postgres_ask(store, sql, &params, take_id, out->other, err);
}

/* The question comes after the commit: what another daemon took meanwhile is then seen by one of
 * the two at least, and the next writing tells the other. */
static fl_status postgres_publish(fl_live_published *out, fl_store *base, const fl_live *live,
                                  const fl_live_signs *signs, fl_error *err)
{
    postgres_store *store = (postgres_store *)base;
    fl_buf text = fl_buf_of(MAX_SIGNS_BYTES);
    fl_live_put_signs(&text, signs, "{}");
    fl_status status = fl_buf_check(&text, "the list of an incident's signs", err);
    publishing p = {.live = live, .signs = text.ptr, .now_ns = signs->now_ns};
    if (status == FL_OK)
        status = fl_postgres_transact(store, publish, &p, err);
    if (status == FL_OK) {
        out->is_ours = p.written > 0;
        status = find_other(out, store, &p, err);
    }
    fl_buf_dispose(&text);
    return status;
}

typedef struct claiming {
    fl_live_visit *visit;
    void *payload;
} claiming;

/* The columns of the RETURNING below. */
static fl_status visit_claimed(const PGresult *row, void *payload, fl_error *err)
{
    const claiming *to = payload;
    const fl_live live = {.id = fl_postgres_column(row, 0),
                          .state = fl_postgres_column(row, 1),
                          .owner = fl_postgres_column(row, 2),
                          .lease_ns = fl_postgres_column_number(row, 3),
                          .opened_ns = fl_postgres_column_number(row, 4),
                          .changed_ns = fl_postgres_column_number(row, 5),
                          .body = fl_postgres_column(row, 6)};
    assert(live.id != NULL && live.body != NULL); /* NOT NULL */
    return to->visit(&live, to->payload, err);
}

/* One statement: rows that another daemon is claiming right now are locked, and passed over. */
static fl_status postgres_claim(fl_store *base, const fl_live_claimer *by, fl_live_visit *visit,
                                void *payload, fl_error *err)
{
    static const char sql[] =
        "UPDATE live SET owner = $2, lease_ns = $4 WHERE team = $1 AND id IN (SELECT id FROM live"
        " WHERE team = $1 AND state = 'open' AND (lease_ns < $3 OR ($5::boolean AND owner = $2))"
        " ORDER BY id FOR UPDATE SKIP LOCKED)"
        " RETURNING id, state, owner, lease_ns, opened_ns, changed_ns, body";
    claiming to = {.visit = visit, .payload = payload};
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, by->owner);
    fl_postgres_number(&params, by->now_ns);
    fl_postgres_number(&params, by->lease_ns);
    fl_postgres_text(&params, by->with_own ? "true" : "false");
    return fl_postgres_ask((postgres_store *)base, sql, &params, visit_claimed, &to, err);
}

/* An incident that was claimed by another has his name: it is not ours to renew. */
static fl_status renew(postgres_store *store, void *payload, fl_error *err)
{
    static const char sql[] =
        "UPDATE live SET lease_ns = $3 WHERE team = $1 AND owner = $2 AND state = 'open'";
    const fl_live_claimer *by = payload;
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, by->owner);
    fl_postgres_number(&params, by->lease_ns);
    return fl_postgres_run(NULL, store, sql, &params, err);
}

/* In a transaction of its own, which is tried again where another is in the way. */
static fl_status postgres_renew(fl_store *base, const fl_live_claimer *by, fl_error *err)
{
    fl_live_claimer mine = *by;
    return fl_postgres_transact((postgres_store *)base, renew, &mine, err);
}

const fl_live_kind fl_live_postgres = {
    .publish = postgres_publish, .claim = postgres_claim, .renew = postgres_renew};
