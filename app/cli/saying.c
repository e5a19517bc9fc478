/*
 * saying.c - from the store to what moved; everything that was opened is closed on every way out.
 */
#include "saying.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "resolve_verify.h"
#include "said.h"

/* Of this user, where the environment says who that is. */
static const char *author_of(const fl_args *args)
{
    const char *given = fl_args_text(args, "author"), *user = getenv("USER");
    if (given != NULL)
        return given;
    return user != NULL && user[0] != '\0' ? user : "unknown";
}

/* Everything of one run that has to be closed. */
typedef struct run {
    fl_cli *cli;
    const fl_args *args;
    const fl_saying *said;
    fl_stored stored;
    fl_verification verification;
    fl_lesson lesson;
    fl_learnt learnt;
} run;

/* The cause and the fix of the lesson. */
static fl_status name_nodes(run *r, fl_error *err)
{
    const fl_said said = {.cause = r->said->cause,
                          .hypothesis = fl_args_count(r->args, "hypothesis"),
                          .fix = r->said->fix};
    return fl_said_name(&r->lesson, &said, &r->stored.arena, err);
}

/* What later telemetry says decides what is learnt; where it says nothing, nothing is. */
static fl_status verify(run *r, fl_error *err)
{
    fl_status status =
        fl_resolve_verify(&r->verification, r->cli, r->args, r->stored.incident, err);
    if (status != FL_OK)
        return status;
    r->lesson.explains = r->verification.cleared;
    r->lesson.explains_count = r->verification.cleared_count;
    r->lesson.fix_failed = r->verification.found.verdict == FL_RECHECK_STILL_THERE;
    return FL_OK;
}

/* Nothing was measured, and so nothing is said. */
static bool is_silent(const run *r)
{
    return r->said->is_verified && r->verification.found.verdict == FL_RECHECK_NOT_SEEN;
}

/* What was measured stands before what was learnt from it. */
static fl_status write_answer(fl_buf *out, const run *r, fl_error *err)
{
    const fl_verified *found = r->said->is_verified ? &r->verification.found : NULL;
    fl_status status = FL_OK;
    if (fl_args_wants_json(r->args))
        return fl_report_learnt_json(out, r->said->what, &r->lesson, &r->learnt, found, err);
    if (found != NULL)
        status = fl_report_verified_text(out, r->lesson.incident, found, &r->cli->style, err);
    if (status == FL_OK && !is_silent(r))
        status =
            fl_report_learnt_text(out, r->said->what, &r->lesson, &r->learnt, &r->cli->style, err);
    return status;
}

/* Scripts wait for a fix to take effect and branch on it. */
static fl_exit code_of(const run *r)
{
    static const fl_exit codes[] = {[FL_RECHECK_NOT_SEEN] = FL_EXIT_PARTIAL,
                                    [FL_RECHECK_CLEARED] = FL_EXIT_OK,
                                    [FL_RECHECK_STILL_THERE] = FL_EXIT_STILL_THERE};
    return r->said->is_verified ? codes[r->verification.found.verdict] : FL_EXIT_OK;
}

/* The telemetry is asked before the graph is written to: a run that fails has said nothing. */
static fl_status say(fl_buf *out, run *r, fl_error *err)
{
    fl_status status = fl_stored_open(&r->stored, r->args, r->args->operand, err);
    r->lesson.incident = r->stored.incident;
    if (status == FL_OK)
        status = name_nodes(r, err);
    if (status == FL_OK && r->said->is_verified)
        status = verify(r, err);
    if (status == FL_OK && !is_silent(r))
        status = fl_said_learn(&r->learnt, r->stored.store, &r->lesson, &r->stored.arena, err);
    return status == FL_OK ? write_answer(out, r, err) : status;
}

fl_exit fl_say(fl_cli *cli, const fl_args *args, const fl_saying *said)
{
    assert(args->operand != NULL); /* required */
    fl_error err = {0};
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    run r = {.cli = cli,
             .args = args,
             .said = said,
             .lesson = {.supports = said->supports,
                        .source = said->source,
                        .fix_source = said->fix_source,
                        .author = author_of(args),
                        .note = said->note,
                        .now_ns = cli->now_ns}};
    fl_status status = say(&out, &r, &err);
    fl_exit code = status == FL_OK ? code_of(&r) : FL_EXIT_ERROR;
    fl_stored_dispose(&r.stored);
    fl_verification_dispose(&r.verification);
    fl_exit written = fl_cli_finish(cli, &out, status, &err);
    return written != FL_EXIT_OK ? written : code;
}

const fl_operand fl_saying_operand = {
    .name = "INCIDENT", .help = "the incident's id, or enough of its beginning", .required = true};
