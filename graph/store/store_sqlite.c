/*
 * store_sqlite.c - incidents in one SQLite file.
 *
 * Identity: application_id says that a file is a Faultline store, user_version which migrations it
 * has. Nothing is written before both were read: a file of someone else, or of a newer version, is
 * left as it was found. Migrations are schemas/sql/sqlite/, embedded; each runs in the transaction
 * that counts user_version up, so that two processes that meet an empty file make one store.
 * WAL lets readers and one writer work side by side; a writer waits BUSY_MS for another.
 *
 * Schema, version 1: a row an incident, with what a list shows in columns of its own and the whole
 * answer as the JSON document that was printed:
 *
 *     incident (id, at_ns, stored_ns, verdict, service, cause, probability, document)
 *
 * service, cause and probability are those of the first hypothesis, NULL where there is none. The
 * same id written again replaces the row: a triage that is repeated is one incident. Times are
 * nanoseconds since the epoch, UTC. All values are bound, never printed into SQL.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "fl_sql_001_incidents.h"
#include "fl_sql_002_graph.h"
#include "fl_sql_003_statistics.h"
#include "fl_sql_004_changes.h"
#include "fl_sql_005_live.h"
#include "fl_sql_006_picture.h"
#include "mem.h"
#include "sqlite_priv.h"

enum {
    APPLICATION_ID = 0x464C4E31, /* "FLN1" */
    BUSY_MS = 5000,
    RETRY_MS = 20,
    SMALLEST_PAGE = 512,
    MAX_NAME = 3 * 4096 + 32 /* of a path, each byte as three */
};

/* What was committed survives the end of the program at any moment; what a power failure takes are
 * the last commits, never the order (sqlite.org/pragma.html#pragma_synchronous). A batch of
 * evidence touches as many pages as it has rows: 64 MB of them are kept, and as many gather in the
 * log before they are written to their places, most of them once for several batches. */
#define SESSION                                                                                    \
    "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536;"           \
    "PRAGMA wal_autocheckpoint = 16384"

static const fl_slice *const migrations[] = {&fl_sql_001_incidents,  &fl_sql_002_graph,
                                             &fl_sql_003_statistics, &fl_sql_004_changes,
                                             &fl_sql_005_live,       &fl_sql_006_picture};

enum { VERSION = sizeof(migrations) / sizeof(migrations[0]) };

/* The last failure of the database as a sentence. `what` is what was being done: "opening". */
fl_status fl_sqlite_fail(const sqlite_store *store, const char *what, fl_error *err)
{
    int code = sqlite3_errcode(store->db);
    if (code == SQLITE_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while %s store %s", what,
                       store->path);
    if (code == SQLITE_NOTADB)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%s is not a Faultline store", store->path);
    if (code == SQLITE_BUSY)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "store %s is being written by another process",
                       store->path);
    if (code == SQLITE_CORRUPT)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "store %s is damaged: %s", store->path,
                       sqlite3_errmsg(store->db));
    int system = sqlite3_system_errno(store->db);
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s store %s failed: %s%s%s", what, store->path,
                   sqlite3_errmsg(store->db), system != 0 ? ": " : "",
                   system != 0 ? strerror(system) : "");
}

/* Statements that give no rows. */
fl_status fl_sqlite_run(sqlite_store *store, const char *sql, const char *what, fl_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? FL_OK
               : fl_sqlite_fail(store, what, err);
}

/* *out is the caller's to finalize, also after a failure, when it is NULL. */
fl_status fl_sqlite_prepare(sqlite3_stmt **out, sqlite_store *store, const char *sql,
                            const char *what, fl_error *err)
{
    assert(*out == NULL && sql != NULL);
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK
               ? FL_OK
               : fl_sqlite_fail(store, what, err);
}

/* The one number that a PRAGMA or a count gives. */
static fl_status read_integer(int64_t *out, sqlite_store *store, const char *sql, fl_error *err)
{
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "opening", err);
    if (status == FL_OK && sqlite3_step(statement) != SQLITE_ROW)
        status = fl_sqlite_fail(store, "opening", err);
    if (status == FL_OK)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

/* *version is 0 for an empty file; a file that is not ours is refused. Inside a transaction, or
 * another process could make the store between the three questions. */
static fl_status identify(int64_t *version, sqlite_store *store, fl_error *err)
{
    int64_t application = 0, tables = 0;
    fl_status status = read_integer(&application, store, "PRAGMA application_id", err);
    if (status == FL_OK)
        status = read_integer(version, store, "PRAGMA user_version", err);
    if (status == FL_OK)
        status = read_integer(&tables, store, "SELECT count(*) FROM sqlite_schema", err);
    if (status != FL_OK)
        return status;
    bool is_empty = application == 0 && *version == 0 && tables == 0;
    if (!is_empty && application != APPLICATION_ID)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "%s is an SQLite file but not a Faultline store", store->path);
    if (*version > VERSION)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "store %s has version %lld; this program knows up to %d: upgrade it",
                       store->path, (long long)*version, VERSION);
    return FL_OK;
}

/* Inside a transaction that holds the write lock. */
static fl_status apply_next(sqlite_store *store, int64_t version, fl_error *err)
{
    char stamp[96];
    assert(version >= 0 && version < VERSION);
    fl_status status =
        fl_sqlite_run(store, (const char *)migrations[version]->ptr, "migrating", err);
    snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %lld",
             APPLICATION_ID, (long long)version + 1);
    return status == FL_OK ? fl_sqlite_run(store, stamp, "migrating", err) : status;
}

/* The next version, or not at all. It is asked for again: another process may have been faster. */
static fl_status migrate_once(int64_t *version, sqlite_store *store, fl_error *err)
{
    fl_status status = fl_sqlite_run(store, "BEGIN IMMEDIATE", "migrating", err);
    if (status != FL_OK)
        return status;
    status = identify(version, store, err);
    if (status == FL_OK && *version < VERSION) {
        status = apply_next(store, *version, err);
        ++*version;
    }
    if (status == FL_OK)
        status = fl_sqlite_run(store, "COMMIT", "migrating", err);
    if (status != FL_OK)
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* A version after the other, each in a transaction of its own: one that fails leaves the store a
 * whole one of the version before it. */
static fl_status migrate(sqlite_store *store, fl_error *err)
{
    int64_t version = 0;
    fl_status status = FL_OK;
    while (status == FL_OK && version < VERSION)
        status = migrate_once(&version, store, err);
    return status;
}

/* Changing the journal needs the file for itself, and SQLite does not always wait for that. A file
 * system without shared memory keeps its old journal, which is slower and as safe. */
static fl_status enter_wal(sqlite_store *store, fl_error *err)
{
    int code = SQLITE_OK;
    for (int waited = 0; waited < BUSY_MS; waited += RETRY_MS) {
        code = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (code != SQLITE_BUSY)
            break;
        sqlite3_sleep(RETRY_MS);
    }
    return code == SQLITE_OK || code == SQLITE_READONLY ? FL_OK
                                                        : fl_sqlite_fail(store, "opening", err);
}

/* Everything between opening the file and using it. A failure leaves the file as it was. */
static fl_status set_up(sqlite_store *store, fl_error *err)
{
    int64_t version = 0;
    sqlite3_busy_timeout(store->db, BUSY_MS);
    sqlite3_extended_result_codes(store->db, 0);
    fl_status status = fl_sqlite_run(store, "BEGIN", "opening", err);
    if (status == FL_OK)
        status = identify(&version, store, err);
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* nothing was written */
    if (status == FL_OK && version < VERSION)
        status = migrate(store, err);
    if (status == FL_OK && !store->read_only)
        status = enter_wal(store, err);
    if (status == FL_OK)
        status = fl_sqlite_run(store, SESSION, "opening", err);
    return status;
}

/* Every statement was finalized by the function that prepared it. */
static void sqlite_close(fl_store *base)
{
    sqlite_store *store = (sqlite_store *)base;
    int code = sqlite3_close(store->db);
    assert(code == SQLITE_OK); /* anything else is a statement that was not finalized */
    (void)code;
    fl_mem_free(store);
}

/* SQLite takes a file that is shorter than its smallest page for an empty one, and writes over it.
 */
static fl_status check_size(const char *path, fl_error *err)
{
    struct stat info;
    if (stat(path, &info) == 0 && info.st_size > 0 && info.st_size < SMALLEST_PAGE)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.127s is not a Faultline store", path);
    return FL_OK;
}

/* "file:PATH?immutable=1", in which only letters, digits and a few marks stand for themselves. */
static bool immutable_name(char *out, size_t size, const char *location)
{
    static const char hex[] = "0123456789ABCDEF";
    fl_buf name = fl_buf_of(size - 1);
    fl_buf_text(&name, "file:");
    for (const char *p = location; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("/._-", c) != NULL;
        if (plain)
            fl_buf_char(&name, *p);
        else
            fl_buf_printf(&name, "%%%c%c", hex[c >> 4], hex[c & 15]);
    }
    fl_buf_text(&name, "?immutable=1");
    bool fits = name.status == FL_OK;
    if (fits)
        memcpy(out, name.ptr, name.len + 1);
    fl_buf_dispose(&name);
    return fits;
}

/* Whether there is a log beside the file with something in it. */
static bool has_log(const char *location)
{
    char log[MAX_NAME];
    struct stat info;
    int len = snprintf(log, sizeof(log), "%s-wal", location);
    return len > 0 && (size_t)len < sizeof(log) && stat(log, &info) == 0 && info.st_size > 0;
}

/* On a disk that is read only nothing can be made beside the file, which SQLite wants even for
 * reading; nobody changes it there either, and it is opened as what does not change. Not where a
 * log is left: what is in that would be passed over. */
static int open_database(sqlite_store *store, const char *location)
{
    char name[MAX_NAME];
    bool exists = access(location, F_OK) == 0;
    store->read_only = exists && access(location, W_OK) != 0 && errno == EROFS;
    if (!store->read_only)
        return sqlite3_open_v2(location, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                               NULL);
    if (has_log(location) || !immutable_name(name, sizeof(name), location))
        return sqlite3_open_v2(location, &store->db, SQLITE_OPEN_READONLY, NULL);
    return sqlite3_open_v2(name, &store->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
}

/* Not yet connected; NULL: no memory. */
static sqlite_store *make_store(const char *location)
{
    sqlite_store *store = fl_mem_calloc(1, sizeof(*store));
    if (store == NULL)
        return NULL;
    store->base.kind = &fl_store_sqlite;
    snprintf(store->path, sizeof(store->path), "%s", location);
    return store;
}

/* A connection that could not be opened is closed all the same, as SQLite asks. */
static fl_status sqlite_open(fl_store **out, const char *location, fl_store_mode mode,
                             fl_error *err)
{
    assert(out != NULL && location != NULL);
    if (mode == FL_STORE_EXISTING && access(location, F_OK) != 0)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "no store at %.150s", location);
    fl_status status = check_size(location, err);
    if (status != FL_OK)
        return status;
    sqlite_store *store = make_store(location);
    if (store == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while opening a store");
    int code = open_database(store, location);
    status = code == SQLITE_OK ? set_up(store, err) : fl_sqlite_fail(store, "opening", err);
    if (status != FL_OK) {
        sqlite_close(&store->base);
        return status;
    }
    *out = &store->base;
    return FL_OK;
}

/* A file that was moved or replaced is asked on for ever otherwise, by its old name. */
static bool sqlite_is_there(fl_store *base)
{
    int has_moved = 0;
    sqlite_store *store = (sqlite_store *)base;
    int code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    return code != SQLITE_OK || has_moved == 0;
}

/* Read only: not even a log is made beside it. */
static fl_status sqlite_plan(fl_store_plan *out, const char *location, fl_error *err)
{
    *out = (fl_store_plan){.newest = VERSION, .sql = migrations};
    if (access(location, F_OK) != 0)
        return FL_OK;
    fl_status status = check_size(location, err);
    if (status != FL_OK)
        return status;
    sqlite_store *store = make_store(location);
    if (store == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while opening a store");
    int code = sqlite3_open_v2(location, &store->db, SQLITE_OPEN_READONLY, NULL);
    status = code == SQLITE_OK ? identify(&out->version, store, err)
                               : fl_sqlite_fail(store, "opening", err);
    sqlite_close(&store->base);
    return status;
}

/* integrity_check says "ok" where nothing is wrong, and one fault a row; foreign_key_check gives
 * the row that refers, of which only the table can be said in a WITHOUT ROWID table. */
static fl_status sqlite_check(fl_store *base, fl_store_fault *visit, void *payload, fl_error *err)
{
    static const char sql[] =
        "SELECT integrity_check FROM pragma_integrity_check(100) WHERE integrity_check <> 'ok'"
        " UNION ALL SELECT count(*) || ' rows of ' || \"table\" || ' refer to rows of ' || parent "
        "||"
        " ' that are not there' FROM pragma_foreign_key_check GROUP BY \"table\", parent";
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_ROW;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "checking", err);
    while (status == FL_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *sentence = (const char *)sqlite3_column_text(statement, 0);
        status = visit(sentence != NULL ? sentence : "a fault without a name", payload, err);
    }
    if (status == FL_OK && code != SQLITE_DONE)
        status = fl_sqlite_fail(store, "checking", err);
    sqlite3_finalize(statement);
    return status;
}

/* NULL for NULL. The text outlives the statement. */
static int bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    return text != NULL ? sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC)
                        : sqlite3_bind_null(statement, at);
}

/* The first read begins it; in WAL mode it is in nobody's way. */
static fl_status sqlite_hold(fl_store *base, fl_error *err)
{
    return fl_sqlite_run((sqlite_store *)base, "BEGIN", "reading", err);
}

static void sqlite_release(fl_store *base)
{
    (void)sqlite3_exec(((sqlite_store *)base)->db, "ROLLBACK", NULL, NULL, NULL);
}

/* The parameters of the INSERT below. Texts are not copied: they outlive the statement. A
 * probability that is not a number stays unbound, which is NULL. */
static int bind_incident(sqlite3_stmt *statement, const fl_incident *incident, fl_slice document,
                         int64_t now_ns)
{
    assert(incident->id != NULL && incident->hypothesis_count <= INT32_MAX);
    const fl_hypothesis *best = incident->hypothesis_count > 0 ? incident->hypotheses : NULL;
    int code = bind_text(statement, 1, incident->id);
    code |= sqlite3_bind_int64(statement, 2, incident->at_ns);
    code |= sqlite3_bind_int64(statement, 3, now_ns);
    code |= bind_text(statement, 4, fl_verdict_name(incident->verdict));
    code |= bind_text(statement, 5, best != NULL ? best->service : NULL);
    code |= bind_text(statement, 6, best != NULL ? fl_cause_name(best->cause) : NULL);
    if (best != NULL && isfinite(best->probability))
        code |= sqlite3_bind_double(statement, 7, best->probability);
    code |= sqlite3_bind_text64(statement, 8, (const char *)document.ptr, document.len,
                                SQLITE_STATIC, SQLITE_UTF8);
    return code;
}

/* One statement, so it happens whole or not at all without a transaction of its own. */
static fl_status sqlite_put(fl_store *base, const fl_incident *incident, fl_slice document,
                            int64_t now_ns, fl_error *err)
{
    static const char sql[] =
        "INSERT INTO incident (id, at_ns, stored_ns, verdict, service, cause, probability, "
        "document)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET"
        " at_ns = excluded.at_ns, stored_ns = CASE WHEN excluded.stored_ns > incident.stored_ns"
        " THEN excluded.stored_ns WHEN excluded.document = incident.document"
        " THEN incident.stored_ns ELSE incident.stored_ns + 1 END, verdict = excluded.verdict,"
        " service = excluded.service, cause = excluded.cause, probability = excluded.probability,"
        " document = excluded.document";
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "writing", err);
    if (status == FL_OK && (bind_incident(statement, incident, document, now_ns) != SQLITE_OK ||
                            sqlite3_step(statement) != SQLITE_DONE))
        status = fl_sqlite_fail(store, "writing", err);
    sqlite3_finalize(statement);
    return status;
}

/* SQLite's, until the next step; NULL for NULL or for want of memory. */
static const char *column_text(sqlite3_stmt *statement, int at)
{
    return (const char *)sqlite3_column_text(statement, at);
}

/* The columns of the SELECT in sqlite_find(), in its order. */
static fl_status visit_row(sqlite3_stmt *statement, fl_store_visit *visit, void *payload,
                           fl_error *err)
{
    bool has_probability = sqlite3_column_type(statement, 6) != SQLITE_NULL;
    fl_store_row row = {
        .id = column_text(statement, 0),
        .at_ns = sqlite3_column_int64(statement, 1),
        .stored_ns = sqlite3_column_int64(statement, 2),
        .verdict = column_text(statement, 3),
        .service = column_text(statement, 4),
        .cause = column_text(statement, 5),
        .probability = has_probability ? sqlite3_column_double(statement, 6) : NAN,
        .state = column_text(statement, 7),
    };
    if (row.id == NULL || row.verdict == NULL) /* both are NOT NULL: only for want of memory */
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
    return visit(&row, payload, err);
}

/* The last triaged first; equal times in the order of ids, so that a list is repeatable. The first
 * comparison is the one that the index serves; the second takes what has the same time. */
static fl_status sqlite_find(fl_store *base, const fl_store_question *question,
                             fl_store_visit *visit, void *payload, fl_error *err)
{
    static const char sql[] =
        "SELECT id, at_ns, stored_ns, verdict, service, cause, probability,"
        " (SELECT state FROM live WHERE live.id = incident.id) FROM incident"
        " WHERE stored_ns <= ?2 AND (stored_ns < ?2 OR id > ?3) AND stored_ns >= ?4"
        " AND (?5 IS NULL OR service = ?5)"
        " AND (?6 IS NULL OR EXISTS (SELECT 1 FROM live WHERE live.id = incident.id AND"
        " live.state = ?6))"
        " ORDER BY stored_ns DESC, id LIMIT ?1";
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "reading", err);
    if (status != FL_OK)
        return status;
    int code = sqlite3_bind_int64(statement, 1, (int64_t)question->limit);
    code |= sqlite3_bind_int64(statement, 2, question->behind_ns);
    code |= bind_text(statement, 3, question->behind_id);
    code |= sqlite3_bind_int64(statement, 4, question->since_ns);
    code |= bind_text(statement, 5, question->service);
    code |= bind_text(statement, 6, question->state);
    if (code != SQLITE_OK)
        status = fl_sqlite_fail(store, "reading", err);
    code = SQLITE_ROW;
    while (status == FL_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = visit_row(statement, visit, payload, err);
    if (status == FL_OK && code != SQLITE_DONE)
        status = fl_sqlite_fail(store, "reading", err);
    sqlite3_finalize(statement);
    return status;
}

/* The columns of the SELECT in find_matches(). */
static fl_status add_match(fl_store_match *found, sqlite3_stmt *statement, fl_error *err)
{
    const char *id = column_text(statement, 0);
    fl_slice text = {.ptr = (const unsigned char *)column_text(statement, 1),
                     .len = (size_t)sqlite3_column_bytes(statement, 1)};
    if (id == NULL || text.ptr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
    return fl_store_match_add(found, id, text, err);
}

/* Ids that begin with the prefix, a few more than one: enough to say that there are several. */
static fl_status find_matches(fl_store_match *found, sqlite_store *store, fl_error *err)
{
    static const char sql[] = "SELECT id, document FROM incident"
                              " WHERE id >= ?1 AND id < ?1 || char(1114111) ORDER BY id LIMIT ?2";
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "reading", err);
    if (status != FL_OK)
        return status;
    if (bind_text(statement, 1, found->prefix) != SQLITE_OK ||
        sqlite3_bind_int(statement, 2, FL_STORE_LISTED_MATCHES) != SQLITE_OK)
        status = fl_sqlite_fail(store, "reading", err);
    int code = SQLITE_DONE;
    while (status == FL_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = add_match(found, statement, err);
    if (status == FL_OK && code != SQLITE_DONE)
        status = fl_sqlite_fail(store, "reading", err);
    sqlite3_finalize(statement);
    return status;
}

static fl_status sqlite_get(fl_store *base, const char *id_prefix, char **document, fl_error *err)
{
    char where[160];
    sqlite_store *store = (sqlite_store *)base;
    fl_store_match found = {.prefix = id_prefix};
    fl_status status = find_matches(&found, store, err);
    snprintf(where, sizeof(where), "store %.80s", store->path);
    return fl_store_match_take(document, &found, status, where, err);
}

/* One row by the primary key, without its document. */
static fl_status sqlite_stamp(int64_t *stored_ns, bool *is_there, fl_store *base, const char *id,
                              fl_error *err)
{
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(
        &statement, store, "SELECT stored_ns FROM incident WHERE id = ?1", "reading", err);
    if (status != FL_OK)
        return status;
    int code = bind_text(statement, 1, id);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *is_there = code == SQLITE_ROW;
    if (*is_there)
        *stored_ns = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        status = fl_sqlite_fail(store, "reading", err);
    sqlite3_finalize(statement);
    return status;
}

/* ?1 is the id, ?2 the packed picture. */
static fl_status sqlite_put_picture(fl_store *base, const char *id, fl_slice packed, fl_error *err)
{
    static const char sql[] = "INSERT INTO picture (id, document) VALUES (?1, ?2)"
                              " ON CONFLICT (id) DO UPDATE SET document = excluded.document";
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(&statement, store, sql, "writing", err);
    if (status == FL_OK &&
        (bind_text(statement, 1, id) != SQLITE_OK ||
         sqlite3_bind_blob64(statement, 2, packed.ptr, packed.len, SQLITE_STATIC) != SQLITE_OK ||
         sqlite3_step(statement) != SQLITE_DONE))
        status = fl_sqlite_fail(store, "writing", err);
    sqlite3_finalize(statement);
    return status;
}

static fl_status sqlite_get_picture(fl_buf *out, fl_store *base, const char *id, fl_error *err)
{
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *statement = NULL;
    fl_status status = fl_sqlite_prepare(
        &statement, store, "SELECT document FROM picture WHERE id = ?1", "reading", err);
    if (status != FL_OK)
        return status;
    int code = bind_text(statement, 1, id);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const unsigned char *bytes = sqlite3_column_blob(statement, 0);
        fl_buf_add(out,
                   (fl_slice){.ptr = bytes, .len = (size_t)sqlite3_column_bytes(statement, 0)});
        status = fl_buf_check(out, "a picture", err);
    } else if (code != SQLITE_DONE) {
        status = fl_sqlite_fail(store, "reading", err);
    }
    sqlite3_finalize(statement);
    return status;
}

const fl_store_kind fl_store_sqlite = {
    .scheme = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .is_there = sqlite_is_there,
    .plan = sqlite_plan,
    .check = sqlite_check,
    .hold = sqlite_hold,
    .release = sqlite_release,
    .put = sqlite_put,
    .find = sqlite_find,
    .get = sqlite_get,
    .stamp = sqlite_stamp,
    .put_picture = sqlite_put_picture,
    .get_picture = sqlite_get_picture,
    .graph = &fl_graph_sqlite,
    .live = &fl_live_sqlite,
};
