/*
 * sqlite_priv.h - one open SQLite file, shared by what is kept in it.
 */
#ifndef FL_SQLITE_PRIV_H
#define FL_SQLITE_PRIV_H

#include <sqlite3.h>

#include "store_priv.h"

typedef struct sqlite_store {
    fl_store base;
    sqlite3 *db;
    char path[128]; /* for messages, cut */
    bool read_only; /* the disk is */
    bool is_bulk;   /* large batches were written: it has more memory */
} sqlite_store;

/* The last failure of the database as a sentence. `what` is what was being done: "opening". */
fl_status fl_sqlite_fail(const sqlite_store *store, const char *what, fl_error *err);
/* Statements that give no rows. */
FL_NODISCARD fl_status fl_sqlite_run(sqlite_store *store, const char *sql, const char *what,
                                     fl_error *err);
/* *out is the caller's to finalize, also after a failure, when it is NULL. */
FL_NODISCARD fl_status fl_sqlite_prepare(sqlite3_stmt **out, sqlite_store *store, const char *sql,
                                         const char *what, fl_error *err);

extern const fl_graph_kind fl_graph_sqlite;
extern const fl_live_kind fl_live_sqlite;

#endif
