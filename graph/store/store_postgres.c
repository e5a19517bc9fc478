/*
 * store_postgres.c - incidents in a PostgreSQL database that a team shares.
 *
 *   postgresql://[user[:password]@][host][:port][/database][?parameters]
 *
 * libpq reads the URL, so that PGHOST, service files, .pgpass and the TLS modes mean what they mean
 * everywhere else; "postgresql://" alone takes all of it from there. Everything lies in a schema of
 * its own, `faultline`, whose table `version` says which migrations it has; each runs in a
 * transaction that holds an advisory lock, so that programs that start together make one store.
 *
 * Values are parameters, never text pasted into SQL. All writes may be repeated (graph_store.h), so
 * that a transaction that was in another's way, or whose server was restarted, is simply run again:
 * also when its end was not heard of, since what it added then is there already.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fl_sql_pg_001_incidents.h"
#include "fl_sql_pg_002_graph.h"
#include "fl_sql_pg_003_checked_in_batches.h"
#include "fl_sql_pg_004_changes.h"
#include "fl_sql_pg_005_answers_from_indexes.h"
#include "fl_sql_pg_006_live.h"
#include "fl_sql_pg_007_picture.h"
#include "mem.h"
#include "number.h"
#include "postgres_priv.h"
#include "slice.h"

static const fl_slice *const migrations[] = {&fl_sql_pg_001_incidents,
                                             &fl_sql_pg_002_graph,
                                             &fl_sql_pg_003_checked_in_batches,
                                             &fl_sql_pg_004_changes,
                                             &fl_sql_pg_005_answers_from_indexes,
                                             &fl_sql_pg_006_live,
                                             &fl_sql_pg_007_picture};

enum {
    VERSION = sizeof(migrations) / sizeof(migrations[0]),
    MAX_URL_BYTES = 4096,
    ATTEMPTS = 8,
    FIRST_WAIT_MS = 20 /* doubled each time: five seconds in all, as SQLite's writers wait */
};

/* jit costs more than it gives for statements that touch a few rows. A statement that takes a
 * minute has met something that waiting does not mend. */
#define SESSION                                                                                    \
    "SET search_path = faultline; SET jit = off; SET statement_timeout = '60s';"                   \
    "SET lock_timeout = '10s'; SET client_min_messages = warning;"                                 \
    "SET bytea_output = 'hex'"

/* ---- failures ---- */

/* The first line of what the server says, without its "ERROR:  ". */
static void first_line(char *out, size_t size, const char *message)
{
    static const char *const prefixes[] = {"ERROR:  ", "FATAL:  "};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const char *found = strstr(message, prefixes[i]);
        message = found != NULL ? found + strlen(prefixes[i]) : message;
    }
    snprintf(out, size, "%s", message);
    out[strcspn(out, "\n")] = '\0';
}

fl_status fl_postgres_fail(postgres_store *store, const PGresult *result, const char *what,
                           fl_error *err)
{
    char line[160];
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result != NULL ? PQresultErrorMessage(result) : "";
    first_line(line, sizeof(line), message[0] != '\0' ? message : PQerrorMessage(store->db));
    snprintf(store->state, sizeof(store->state), "%s", state != NULL ? state : "");
    if (strcmp(store->state, "23503") == 0) /* foreign_key_violation */
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "there is evidence for an edge that is not there");
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s the store at %.64s failed: %s", what,
                   PQhost(store->db) != NULL ? PQhost(store->db) : "the server", line);
}

/* Serialization failure, deadlock, lock timeout; or the server is gone or going. */
static bool may_try_again(const postgres_store *store)
{
    static const char *const passing[] = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03"};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        if (strcmp(store->state, passing[i]) == 0)
            return true;
    return PQstatus(store->db) != CONNECTION_OK;
}

/* ---- statements ---- */

void fl_postgres_text(fl_postgres_params *params, const char *value)
{
    assert(params->count < FL_POSTGRES_MAX_PARAMS);
    params->values[params->count++] = value;
}

void fl_postgres_number(fl_postgres_params *params, int64_t value)
{
    assert(params->count < FL_POSTGRES_MAX_PARAMS);
    char *text = params->numbers[params->count];
    snprintf(text, FL_POSTGRES_NUMBER_TEXT, "%" PRId64, value);
    params->values[params->count++] = text;
}

const char *fl_postgres_column(const PGresult *row, int at)
{
    return PQgetisnull(row, 0, at) ? NULL : PQgetvalue(row, 0, at);
}

int64_t fl_postgres_column_number(const PGresult *row, int at)
{
    int64_t value = 0;
    bool is_number = fl_parse_i64(fl_slice_of(PQgetvalue(row, 0, at)), &value);
    assert(is_number || PQgetisnull(row, 0, at));
    return value;
}

fl_status fl_postgres_run(size_t *changed, postgres_store *store, const char *sql,
                          const fl_postgres_params *params, fl_error *err)
{
    assert(store->db != NULL && sql != NULL);
    PGresult *result = params != NULL ? PQexecParams(store->db, sql, params->count, NULL,
                                                     params->values, NULL, NULL, 0)
                                      : PQexec(store->db, sql);
    ExecStatusType code = PQresultStatus(result);
    bool ran = code == PGRES_COMMAND_OK || code == PGRES_TUPLES_OK;
    fl_status status = ran ? FL_OK : fl_postgres_fail(store, result, "writing to", err);
    if (changed != NULL)
        *changed = ran ? strtoul(PQcmdTuples(result), NULL, 10) : 0;
    PQclear(result);
    return status;
}

/* What is still to come of a walk that ended early. */
static void drain(postgres_store *store)
{
    char ignored[64];
    PGcancel *cancel = PQgetCancel(store->db);
    (void)PQcancel(cancel, ignored, sizeof(ignored));
    PQfreeCancel(cancel);
    for (PGresult *rest = PQgetResult(store->db); rest != NULL; rest = PQgetResult(store->db))
        PQclear(rest);
}

/* Its name on the server; false where it has none. A statement that is asked a second time will be
 * asked again, and is worth a name: the server then plans it once. `sql` is a literal and known by
 * its address. */
static bool name_statement(char *name, postgres_store *store, const char *sql)
{
    size_t i = 0;
    while (i < store->asked_count && store->asked[i].sql != sql)
        i++;
    if (i == FL_POSTGRES_MAX_NAMED)
        return false;
    fl_postgres_asked *asked = &store->asked[i];
    snprintf(name, FL_POSTGRES_NUMBER_TEXT, "fl%zu", i);
    if (i == store->asked_count) {
        store->asked[store->asked_count++] = (fl_postgres_asked){.sql = sql};
        return false;
    }
    if (!asked->is_named) {
        PGresult *result = PQprepare(store->db, name, sql, 0, NULL);
        asked->is_named = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    return asked->is_named;
}

static bool send(postgres_store *store, const char *sql, const fl_postgres_params *params)
{
    char name[FL_POSTGRES_NUMBER_TEXT];
    if (name_statement(name, store, sql))
        return PQsendQueryPrepared(store->db, name, params->count, params->values, NULL, NULL, 0) ==
               1;
    return PQsendQueryParams(store->db, sql, params->count, NULL, params->values, NULL, NULL, 0) ==
           1;
}

static fl_status ask_once(postgres_store *store, const char *sql, const fl_postgres_params *params,
                          fl_postgres_row *visit, void *payload, fl_error *err)
{
    fl_status status = FL_OK;
    if (!send(store, sql, params) || PQsetSingleRowMode(store->db) != 1)
        return fl_postgres_fail(store, NULL, "reading", err);
    PGresult *row;
    while (status == FL_OK && (row = PQgetResult(store->db)) != NULL) {
        if (PQresultStatus(row) == PGRES_SINGLE_TUPLE)
            status = visit(row, payload, err);
        else if (PQresultStatus(row) != PGRES_TUPLES_OK)
            status = fl_postgres_fail(store, row, "reading", err);
        PQclear(row);
    }
    if (status != FL_OK)
        drain(store);
    return status;
}

/* A server that was restarted since the last statement is asked again, once it answers. Nothing was
 * visited before that shows: the statement is the first to notice. */
static fl_status revive(postgres_store *store, fl_error *err)
{
    if (PQstatus(store->db) == CONNECTION_OK)
        return FL_OK;
    store->asked_count = 0; /* their names went with the connection */
    if (!store->held)       /* so did the moment that is held */
        PQreset(store->db);
    if (PQstatus(store->db) != CONNECTION_OK)
        return fl_postgres_fail(store, NULL, "reaching", err);
    return fl_postgres_run(NULL, store, SESSION, NULL, err);
}

static void wait_ms(unsigned ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&time, NULL);
}

typedef struct counted {
    fl_postgres_row *visit;
    void *payload;
    size_t rows;
} counted;

static fl_status count_row(const PGresult *row, void *payload, fl_error *err)
{
    counted *to = payload;
    to->rows++;
    return to->visit(row, to->payload, err);
}

/* Asked again as transactions are, as long as no row was given: what was visited cannot be taken
 * back. */
fl_status fl_postgres_ask(postgres_store *store, const char *sql, const fl_postgres_params *params,
                          fl_postgres_row *visit, void *payload, fl_error *err)
{
    assert(PQtransactionStatus(store->db) != PQTRANS_ACTIVE); /* one walk at a time */
    counted to = {.visit = visit, .payload = payload};
    unsigned wait = FIRST_WAIT_MS;
    fl_error last = {0};
    fl_status status = FL_OK;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++, wait *= 2) {
        last = (fl_error){0};
        store->state[0] = '\0';
        status = revive(store, &last);
        if (status == FL_OK)
            status = ask_once(store, sql, params, count_row, &to, &last);
        if (status == FL_OK || to.rows > 0 || store->held || !may_try_again(store))
            break;
        wait_ms(wait);
    }
    /* A visitor may end a walk without a sentence. */
    return last.status != FL_OK ? fl_fail(err, status, last.offset, "%s", last.message) : status;
}

/* ---- transactions ---- */

static fl_status transact_once(postgres_store *store, fl_postgres_work *work, void *payload,
                               fl_error *err)
{
    store->state[0] = '\0';
    fl_status status = revive(store, err);
    if (status == FL_OK)
        status = fl_postgres_run(NULL, store, "BEGIN", NULL, err);
    if (status == FL_OK)
        status = work(store, payload, err);
    if (status == FL_OK)
        status = fl_postgres_run(NULL, store, "COMMIT", NULL, err);
    if (status != FL_OK && PQstatus(store->db) == CONNECTION_OK)
        PQclear(PQexec(store->db, "ROLLBACK"));
    return status;
}

fl_status fl_postgres_transact(postgres_store *store, fl_postgres_work *work, void *payload,
                               fl_error *err)
{
    assert(work != NULL);
    unsigned wait = FIRST_WAIT_MS;
    fl_error first = {0};
    fl_status status = FL_OK;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++, wait *= 2) {
        first = (fl_error){0};
        status = transact_once(store, work, payload, &first);
        if (status == FL_OK || !may_try_again(store))
            break;
        wait_ms(wait);
    }
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", first.message);
    return FL_OK;
}

/* ---- opening ---- */

/* Notices of the server are for nobody here: the terminal belongs to the answer. */
static void quiet(void *payload, const char *message)
{
    (void)payload;
    (void)message;
}

static fl_status take_number(const PGresult *row, void *payload, fl_error *err)
{
    (void)err;
    *(int64_t *)payload = fl_postgres_column_number(row, 0);
    return FL_OK;
}

/* What a newer program wrote may mean something that this one does not know. */
static fl_status check_version(const postgres_store *store, int64_t version, fl_error *err)
{
    if (version <= VERSION)
        return FL_OK;
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                   "the store at %.64s has version %lld; this program knows up to %d: upgrade it",
                   PQhost(store->db), (long long)version, VERSION);
}

/* The schema, its version, and the migration from there on, if there is one; the payload is the
 * version then. */
static fl_status migrate_once(postgres_store *store, void *payload, fl_error *err)
{
    /* Any number does; this is "FLN1". Released at the end of the transaction. */
    static const char prepare[] =
        "SELECT pg_advisory_xact_lock(1179405873);"
        "CREATE SCHEMA IF NOT EXISTS faultline;"
        "CREATE TABLE IF NOT EXISTS faultline.version (version integer NOT NULL);";
    int64_t *version = payload;
    const fl_postgres_params none = {.count = 0};
    fl_postgres_params now = {.count = 0};
    fl_status status = fl_postgres_run(NULL, store, prepare, NULL, err);
    if (status == FL_OK)
        status = ask_once(store, "SELECT coalesce(max(version), 0) FROM faultline.version", &none,
                          take_number, version, err);
    if (status == FL_OK)
        status = check_version(store, *version, err);
    if (status != FL_OK || *version == VERSION)
        return status;
    status = fl_postgres_run(NULL, store, (const char *)migrations[*version]->ptr, NULL, err);
    fl_postgres_number(&now, ++*version);
    return status == FL_OK ? fl_postgres_run(NULL, store,
                                             "INSERT INTO faultline.version VALUES ($1)", &now, err)
                           : status;
}

/* A version after the other, each in a transaction of its own: one that fails leaves the store a
 * whole one of the version before it. */
static fl_status migrate(postgres_store *store, fl_error *err)
{
    int64_t version = 0;
    fl_status status = FL_OK;
    while (status == FL_OK && version < VERSION)
        status = fl_postgres_transact(store, migrate_once, &version, err);
    return status;
}

/* Whether a store is there is asked first, so that reading from a place where none is makes none,
 * and needs no right to make one. */
static fl_status find_store(int64_t *version, postgres_store *store, fl_error *err)
{
    int64_t there = 0;
    const fl_postgres_params none = {.count = 0};
    *version = 0;
    fl_status status = fl_postgres_ask(
        store,
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'faultline' AND tablename = 'version'",
        &none, take_number, &there, err);
    if (status == FL_OK && there > 0)
        status = fl_postgres_ask(store, "SELECT coalesce(max(version), 0) FROM faultline.version",
                                 &none, take_number, version, err);
    return status;
}

static void postgres_close(fl_store *base)
{
    postgres_store *store = (postgres_store *)base;
    PQfinish(store->db);
    fl_mem_free(store);
}

/* The version of what is there; 0 where nothing is. */
static fl_status look(int64_t *version, postgres_store *store, fl_error *err)
{
    if (PQstatus(store->db) != CONNECTION_OK)
        return fl_postgres_fail(store, NULL, "reaching", err);
    PQsetNoticeProcessor(store->db, quiet, NULL);
    fl_status status = fl_postgres_run(NULL, store, SESSION, NULL, err);
    return status == FL_OK ? find_store(version, store, err) : status;
}

/* Nothing is written where the version is the newest: a reader needs no right to. */
static fl_status set_up(postgres_store *store, fl_store_mode mode, fl_error *err)
{
    int64_t version = 0;
    fl_status status = look(&version, store, err);
    if (status == FL_OK && version == 0 && mode == FL_STORE_EXISTING)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "no store in database %.64s at %.64s",
                       PQdb(store->db), PQhost(store->db));
    if (status == FL_OK && version != VERSION)
        status = migrate(store, err);
    return status;
}

/* What libpq knows of the connection; one that was cut and not used since looks well. */
static bool postgres_is_there(fl_store *base)
{
    return PQstatus(((postgres_store *)base)->db) == CONNECTION_OK;
}

/* *out may stand for a connection that failed: look() says so. The caller closes it. */
static fl_status connect_to(postgres_store **out, const char *location, fl_error *err)
{
    char url[MAX_URL_BYTES];
    int len = snprintf(url, sizeof(url), "postgresql:%s", location);
    if (len < 0 || (size_t)len >= sizeof(url))
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "the store's name is longer than %d bytes",
                       MAX_URL_BYTES - 1);
    fl_status status = fl_libpq_load(err);
    if (status != FL_OK)
        return status;
    postgres_store *store = fl_mem_calloc(1, sizeof(*store));
    if (store == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while opening a store");
    store->base.kind = &fl_store_postgres;
    /* The URL wins over what stands beside it. */
    const char *const names[] = {"connect_timeout", "fallback_application_name", "client_encoding",
                                 "dbname", NULL};
    const char *const values[] = {"10", "faultline", "UTF8", url, NULL};
    store->db = PQconnectdbParams(names, values, 1);
    if (store->db == NULL) {
        fl_mem_free(store);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while opening a store");
    }
    *out = store;
    return FL_OK;
}

static fl_status postgres_open(fl_store **out, const char *location, fl_store_mode mode,
                               fl_error *err)
{
    postgres_store *store = NULL;
    fl_status status = connect_to(&store, location, err);
    if (status != FL_OK)
        return status;
    status = set_up(store, mode, err);
    if (status != FL_OK) {
        postgres_close(&store->base);
        return status;
    }
    *out = &store->base;
    return FL_OK;
}

/* Asks only; the advisory lock is for who writes. */
static fl_status postgres_plan(fl_store_plan *out, const char *location, fl_error *err)
{
    postgres_store *store = NULL;
    *out = (fl_store_plan){.newest = VERSION, .sql = migrations};
    fl_status status = connect_to(&store, location, err);
    if (status != FL_OK)
        return status;
    status = look(&out->version, store, err);
    if (status == FL_OK)
        status = check_version(store, out->version, err);
    postgres_close(&store->base);
    return status;
}

typedef struct faults {
    fl_store_fault *visit;
    void *payload;
} faults;

static fl_status visit_fault(const PGresult *row, void *payload, fl_error *err)
{
    const faults *to = payload;
    return to->visit(PQgetvalue(row, 0, 0), to->payload, err);
}

/* What the server holds true of the tables, unless somebody told it not to: references and indexes
 * that were never checked. */
static fl_status postgres_check(fl_store *base, fl_store_fault *visit, void *payload, fl_error *err)
{
    static const char sql[] =
        "SELECT 'constraint ' || conname || ' was never checked' FROM pg_constraint"
        " WHERE connamespace = 'faultline'::regnamespace AND NOT convalidated"
        " UNION ALL SELECT 'index ' || relname || ' is not valid' FROM pg_index"
        " JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE relnamespace = 'faultline'::regnamespace AND NOT indisvalid ORDER BY 1";
    faults to = {.visit = visit, .payload = payload};
    const fl_postgres_params none = {.count = 0};
    return fl_postgres_ask((postgres_store *)base, sql, &none, visit_fault, &to, err);
}

/* ---- one moment ---- */

/* How long a walk takes is up to who reads: the time limit of a statement is not for it. */
static fl_status postgres_hold(fl_store *base, fl_error *err)
{
    postgres_store *store = (postgres_store *)base;
    fl_status status = revive(store, err);
    if (status == FL_OK)
        status = fl_postgres_run(NULL, store,
                                 "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
                                 " SET LOCAL statement_timeout = 0",
                                 NULL, err);
    store->held = status == FL_OK;
    return status;
}

static void postgres_release(fl_store *base)
{
    postgres_store *store = (postgres_store *)base;
    store->held = false;
    if (PQstatus(store->db) == CONNECTION_OK)
        PQclear(PQexec(store->db, "ROLLBACK"));
}

/* ---- incidents ---- */

typedef struct put {
    const fl_incident *incident;
    const char *document;
    int64_t now_ns;
} put;

static fl_status put_incident(postgres_store *store, void *payload, fl_error *err)
{
    static const char sql[] =
        "INSERT INTO incident (team, id, at_ns, stored_ns, verdict, service, cause, probability,"
        " document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (team, id) DO UPDATE "
        "SET"
        " at_ns = excluded.at_ns, stored_ns = CASE WHEN excluded.stored_ns > incident.stored_ns"
        " THEN excluded.stored_ns WHEN excluded.document = incident.document"
        " THEN incident.stored_ns ELSE incident.stored_ns + 1 END, verdict = excluded.verdict,"
        " service = excluded.service, cause = excluded.cause, probability = excluded.probability,"
        " document = excluded.document";
    const put *in = payload;
    const fl_hypothesis *best =
        in->incident->hypothesis_count > 0 ? in->incident->hypotheses : NULL;
    char probability[32];
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, in->incident->id);
    fl_postgres_number(&params, in->incident->at_ns);
    fl_postgres_number(&params, in->now_ns);
    fl_postgres_text(&params, fl_verdict_name(in->incident->verdict));
    fl_postgres_text(&params, best != NULL ? best->service : NULL);
    fl_postgres_text(&params, best != NULL ? fl_cause_name(best->cause) : NULL);
    if (best != NULL && isfinite(best->probability))
        snprintf(probability, sizeof(probability), "%.17g", best->probability);
    fl_postgres_text(&params, best != NULL && isfinite(best->probability) ? probability : NULL);
    fl_postgres_text(&params, in->document);
    return fl_postgres_run(NULL, store, sql, &params, err);
}

/* The document is passed as a C string, which JSON is: it has no NUL. */
static fl_status postgres_put(fl_store *base, const fl_incident *incident, fl_slice document,
                              int64_t now_ns, fl_error *err)
{
    assert(memchr(document.ptr, 0, document.len) == NULL);
    char *text = fl_mem_alloc(document.len + 1);
    if (text == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing to a store");
    memcpy(text, document.ptr, document.len);
    text[document.len] = '\0';
    put in = {.incident = incident, .document = text, .now_ns = now_ns};
    fl_status status = fl_postgres_transact((postgres_store *)base, put_incident, &in, err);
    fl_mem_free(text);
    return status;
}

typedef struct list {
    fl_store_visit *visit;
    void *payload;
} list;

static fl_status visit_incident(const PGresult *row, void *payload, fl_error *err)
{
    const list *to = payload;
    double probability = NAN;
    if (!PQgetisnull(row, 0, 6))
        (void)fl_parse_double(fl_slice_of(PQgetvalue(row, 0, 6)), &probability);
    fl_store_row out = {.id = fl_postgres_column(row, 0),
                        .at_ns = fl_postgres_column_number(row, 1),
                        .stored_ns = fl_postgres_column_number(row, 2),
                        .verdict = fl_postgres_column(row, 3),
                        .service = fl_postgres_column(row, 4),
                        .cause = fl_postgres_column(row, 5),
                        .probability = probability,
                        .state = fl_postgres_column(row, 7)};
    return to->visit(&out, to->payload, err);
}

static fl_status postgres_find(fl_store *base, const fl_store_question *question,
                               fl_store_visit *visit, void *payload, fl_error *err)
{
    static const char sql[] =
        "SELECT id, at_ns, stored_ns, verdict, service, cause, probability, (SELECT state FROM live"
        " WHERE team = $1 AND live.id = incident.id) FROM incident"
        " WHERE team = $1 AND stored_ns <= $3 AND (stored_ns < $3 OR id > $4) AND stored_ns >= $5"
        " AND ($6::text IS NULL OR service = $6)"
        " AND ($7::text IS NULL OR EXISTS (SELECT 1 FROM live WHERE live.team = $1 AND"
        " live.id = incident.id AND live.state = $7))"
        " ORDER BY stored_ns DESC, id LIMIT $2";
    list to = {.visit = visit, .payload = payload};
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_number(&params, (int64_t)question->limit);
    fl_postgres_number(&params, question->behind_ns);
    fl_postgres_text(&params, question->behind_id);
    fl_postgres_number(&params, question->since_ns);
    fl_postgres_text(&params, question->service);
    fl_postgres_text(&params, question->state);
    return fl_postgres_ask((postgres_store *)base, sql, &params, visit_incident, &to, err);
}

static fl_status add_match(const PGresult *row, void *payload, fl_error *err)
{
    return fl_store_match_add(payload, PQgetvalue(row, 0, 0), fl_slice_of(PQgetvalue(row, 0, 1)),
                              err);
}

static fl_status postgres_get(fl_store *base, const char *id_prefix, char **document, fl_error *err)
{
    static const char sql[] = "SELECT id, document FROM incident WHERE team = $1 AND"
                              " starts_with(id, $2) ORDER BY id LIMIT $3";
    fl_store_match found = {.prefix = id_prefix};
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, id_prefix);
    fl_postgres_number(&params, FL_STORE_LISTED_MATCHES);
    fl_status status =
        fl_postgres_ask((postgres_store *)base, sql, &params, add_match, &found, err);
    return fl_store_match_take(document, &found, status, "the store", err);
}

/* Comes empty; filled by the one row that there may be. */
typedef struct stamp {
    int64_t stored_ns;
    bool is_there;
} stamp;

static fl_status take_stamp(const PGresult *row, void *payload, fl_error *err)
{
    (void)err;
    *(stamp *)payload = (stamp){.stored_ns = fl_postgres_column_number(row, 0), .is_there = true};
    return FL_OK;
}

/* One row by the primary key, without its document. */
static fl_status postgres_stamp(int64_t *stored_ns, bool *is_there, fl_store *base, const char *id,
                                fl_error *err)
{
    static const char sql[] = "SELECT stored_ns FROM incident WHERE team = $1 AND id = $2";
    stamp found = {0};
    fl_postgres_params params = {.count = 0};
    fl_postgres_text(&params, FL_POSTGRES_TEAM);
    fl_postgres_text(&params, id);
    fl_status status =
        fl_postgres_ask((postgres_store *)base, sql, &params, take_stamp, &found, err);
    *stored_ns = found.stored_ns;
    *is_there = found.is_there;
    return status;
}

const fl_store_kind fl_store_postgres = {
    .scheme = "postgresql",
    .open = postgres_open,
    .close = postgres_close,
    .is_there = postgres_is_there,
    .plan = postgres_plan,
    .check = postgres_check,
    .hold = postgres_hold,
    .release = postgres_release,
    .put = postgres_put,
    .find = postgres_find,
    .get = postgres_get,
    .stamp = postgres_stamp,
    .put_picture = fl_postgres_put_picture,
    .get_picture = fl_postgres_get_picture,
    .graph = &fl_graph_postgres,
    .live = &fl_live_postgres,
};
