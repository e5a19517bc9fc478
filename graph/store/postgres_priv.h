/*
 * postgres_priv.h - one connection to a PostgreSQL server, shared by what is kept there.
 */
#ifndef FL_POSTGRES_PRIV_H
#define FL_POSTGRES_PRIV_H

#include "buf.h"
#include "libpq_lazy.h"
#include "store_priv.h"

/* The kinds of rows that a batch has. */
enum { FL_POSTGRES_NODES, FL_POSTGRES_EDGES, FL_POSTGRES_EVIDENCE, FL_POSTGRES_KINDS };

enum { FL_POSTGRES_MAX_NAMED = 32 }; /* twice as many as there are questions */

/* A statement with rows that was asked before. */
typedef struct fl_postgres_asked {
    const char *sql;
    bool is_named; /* prepared on the server, under a name of its place */
} fl_postgres_asked;

typedef struct postgres_store {
    fl_store base;
    PGconn *db;
    char state[6]; /* SQLSTATE of the last failure; "" where the server said none */
    bool held;     /* inside of fl_store_hold() */
    /* Batches of each kind that are not to be copied: one before had rows that were there. */
    unsigned known[FL_POSTGRES_KINDS];
    size_t piped;    /* statements that were sent and not answered */
    size_t unlisted; /* rows that were added since ranges of changes were last told */
    /* Of each kind, since statistics were made, and when to make them again. */
    size_t uncounted[FL_POSTGRES_KINDS], next_count[FL_POSTGRES_KINDS];
    fl_postgres_asked asked[FL_POSTGRES_MAX_NAMED];
    size_t asked_count;
} postgres_store;

/* The one team of a store that has one. */
#define FL_POSTGRES_TEAM "default"

enum { FL_POSTGRES_MAX_PARAMS = 12, FL_POSTGRES_NUMBER_TEXT = 24 };

/* Parameters as texts, which the server casts to the types of the columns. */
typedef struct fl_postgres_params {
    const char *values[FL_POSTGRES_MAX_PARAMS];
    int count;
    char numbers[FL_POSTGRES_MAX_PARAMS][FL_POSTGRES_NUMBER_TEXT];
} fl_postgres_params;

void fl_postgres_text(fl_postgres_params *params, const char *value); /* NULL is NULL; borrowed */
void fl_postgres_number(fl_postgres_params *params, int64_t value);

/* What the server said of the last failure, as a sentence; `result` may be NULL. */
fl_status fl_postgres_fail(postgres_store *store, const PGresult *result, const char *what,
                           fl_error *err);
/* A statement without rows; *changed (may be NULL) says how many it touched. */
FL_NODISCARD fl_status fl_postgres_run(size_t *changed, postgres_store *store, const char *sql,
                                       const fl_postgres_params *params, fl_error *err);
/* Several without rows in one go, at most FL_POSTGRES_MAX_PIPED: begun, sent one by one, and ended
 * in any case, which says what each touched. The first that fails is the failure of all. */
enum { FL_POSTGRES_MAX_PIPED = 8 };
FL_NODISCARD fl_status fl_postgres_pipe_begin(postgres_store *store, fl_error *err);
FL_NODISCARD fl_status fl_postgres_pipe_send(postgres_store *store, const char *sql,
                                             const fl_postgres_params *params, fl_error *err);
FL_NODISCARD fl_status fl_postgres_pipe_end(size_t *changed, postgres_store *store, fl_error *err);
/* Rows one by one, so that a scan of all evidence needs no memory for it. */
typedef fl_status fl_postgres_row(const PGresult *row, void *payload, fl_error *err);
FL_NODISCARD fl_status fl_postgres_ask(postgres_store *store, const char *sql,
                                       const fl_postgres_params *params, fl_postgres_row *visit,
                                       void *payload, fl_error *err);

/* The work of one transaction; it may be run more than once, and must then start afresh. */
typedef fl_status fl_postgres_work(postgres_store *store, void *payload, fl_error *err);
/* Run it in a transaction. Where another transaction was in the way, or the server went and came
 * back, it is rolled back and run again, up to 8 times with growing waits. */
FL_NODISCARD fl_status fl_postgres_transact(postgres_store *store, fl_postgres_work *work,
                                            void *payload, fl_error *err);

/* --- postgres_picture.c: fl_store_kind --- */
fl_status fl_postgres_put_picture(fl_store *base, const char *id, fl_slice packed, fl_error *err);
fl_status fl_postgres_get_picture(fl_buf *out, fl_store *base, const char *id, fl_error *err);

/* Rows of one kind, in the order of their keys, and how they are sent. */
typedef struct fl_postgres_rows {
    int kind;
    const void *first;
    size_t count, size;
    const char *insert_sql;
    size_t column_count;
    void (*add)(fl_buf *columns, const void *row); /* as texts, for the INSERT */
    const char *copy_sql;
    void (*put)(fl_buf *out, const void *row); /* one after the other, for the COPY */
} fl_postgres_rows;

void fl_postgres_put_node(fl_buf *out, const void *row);
void fl_postgres_put_edge(fl_buf *out, const void *row);
void fl_postgres_put_evidence(fl_buf *out, const void *row);

/* All rows at once, inside of a transaction. Where one of them is there already none is added, and
 * *conflict says so; the transaction goes on. */
FL_NODISCARD fl_status fl_postgres_copy(bool *conflict, size_t *added, postgres_store *store,
                                        const fl_postgres_rows *all, fl_error *err);

/* Text of column `at`; NULL for NULL. */
const char *fl_postgres_column(const PGresult *row, int at);
int64_t fl_postgres_column_number(const PGresult *row, int at);

extern const fl_graph_kind fl_graph_postgres;
extern const fl_live_kind fl_live_postgres;

#endif
