/*
 * postgres_pipe.c - statements to PostgreSQL one after another, none waiting for the answer of the
 * one before it: libpq's pipeline mode.
 *
 * https://www.postgresql.org/docs/15/libpq-pipeline-mode.html. The answers come in the order of the
 * statements, each ended by NULL, and PGRES_PIPELINE_SYNC at the end. A statement that fails makes
 * the server pass over all that follow it. libpq does not read while it writes, so that answers
 * have to be few and short, as those of INSERTs are, or both sides would wait for each other.
 */
#include <assert.h>
#include <stdlib.h>

#include "postgres_priv.h"

fl_status fl_postgres_pipe_begin(postgres_store *store, fl_error *err)
{
    assert(store->piped == 0);
    return PQenterPipelineMode(store->db) == 1 ? FL_OK
                                               : fl_postgres_fail(store, NULL, "writing to", err);
}

fl_status fl_postgres_pipe_send(postgres_store *store, const char *sql,
                                const fl_postgres_params *params, fl_error *err)
{
    assert(store->piped < FL_POSTGRES_MAX_PIPED);
    if (PQsendQueryParams(store->db, sql, params->count, NULL, params->values, NULL, NULL, 0) != 1)
        return fl_postgres_fail(store, NULL, "writing to", err);
    store->piped++;
    return FL_OK;
}

/* All answers to the next statement; only the first failure is worth a sentence, since what comes
 * after it was passed over. */
static fl_status take_answer(size_t *changed, postgres_store *store, fl_error *err)
{
    fl_status status = FL_OK;
    *changed = 0;
    for (PGresult *result; (result = PQgetResult(store->db)) != NULL; PQclear(result)) {
        ExecStatusType code = PQresultStatus(result);
        if (code == PGRES_COMMAND_OK || code == PGRES_TUPLES_OK)
            *changed = strtoul(PQcmdTuples(result), NULL, 10);
        else if (status == FL_OK)
            status = fl_postgres_fail(store, result, "writing to", err);
    }
    return status;
}

/* Also after a failure: the connection is as it was before, or gone. */
fl_status fl_postgres_pipe_end(size_t *changed, postgres_store *store, fl_error *err)
{
    fl_status status = FL_OK;
    bool sent = PQpipelineSync(store->db) == 1;
    if (!sent)
        status = fl_postgres_fail(store, NULL, "writing to", err);
    for (size_t i = 0; sent && i < store->piped; i++) {
        fl_status answer = take_answer(&changed[i], store, status == FL_OK ? err : NULL);
        status = status == FL_OK ? answer : status;
    }
    if (sent)
        PQclear(PQgetResult(store->db)); /* the sync */
    bool left = PQexitPipelineMode(store->db) == 1;
    assert(left || PQstatus(store->db) != CONNECTION_OK);
    (void)left;
    store->piped = 0;
    return status;
}
