/*
 * cmd_confirm.c - what people know of an incident becomes evidence: confirm, reject, resolve.
 *
 * All three name an incident and one of its causes: a hypothesis by its number, or a cause in
 * words. They print how sure the graph was and is of each edge that the evidence is for.
 */
#include <assert.h>
#include <stdlib.h>

#include "report_memory.h"
#include "stored.h"

/* Of this user, where the environment says who that is. */
static const char *author_of(const fl_args *args)
{
    const char *given = fl_args_text(args, "author"), *user = getenv("USER");
    if (given != NULL)
        return given;
    return user != NULL && user[0] != '\0' ? user : "unknown";
}

/* The cause in words, or that of hypothesis N (1 where nothing is said). */
static fl_status find_cause(fl_graph_node *out, fl_stored *stored, const fl_args *args,
                            const char *words, int64_t now_ns, fl_error *err)
{
    const fl_incident *incident = stored->incident;
    if (words != NULL)
        return fl_symptoms_said(out, FL_NODE_CAUSE, words, now_ns, &stored->arena, err);
    uint64_t number = fl_args_count(args, "hypothesis");
    if (number == 0 || number > incident->hypothesis_count)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                       "incident %.64s has %zu hypotheses, and no number %llu", incident->id,
                       incident->hypothesis_count, (unsigned long long)number);
    return fl_symptoms_cause(out, &incident->hypotheses[number - 1], now_ns, &stored->arena, err);
}

/* An incident without symptoms is a mistake to say, not a silent nothing. */
static fl_status learn(fl_learnt *out, fl_stored *stored, const fl_lesson *lesson, fl_error *err)
{
    fl_status status = fl_memory_learn(out, stored->store, lesson, &stored->arena, err);
    if (status == FL_OK && out->count == 0)
        status =
            fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                    "incident %.64s shows no symptom beyond the gate: there is nothing to learn"
                    " from it",
                    lesson->incident->id);
    return status;
}

/* What one of the three commands says, apart from the cause. */
typedef struct saying {
    const char *what;               /* "confirmed" */
    const char *cause, *fix, *note; /* in words; NULL: not said */
    bool supports;
    fl_evidence_source source, fix_source;
} saying;

/* From the store to the answer; everything that was opened is closed on every way out. */
static fl_exit say(fl_cli *cli, const fl_args *args, const saying *said)
{
    assert(args->operand != NULL); /* required */
    fl_stored stored;
    fl_graph_node cause, fix;
    fl_learnt learnt;
    fl_error err = {0};
    fl_buf out = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_lesson lesson = {.cause = &cause,
                        .supports = said->supports,
                        .source = said->source,
                        .fix_source = said->fix_source,
                        .author = author_of(args),
                        .note = said->note,
                        .now_ns = cli->now_ns};
    fl_status status = fl_stored_open(&stored, args, args->operand, &err);
    lesson.incident = stored.incident;
    if (status == FL_OK)
        status = find_cause(&cause, &stored, args, said->cause, cli->now_ns, &err);
    if (status == FL_OK && said->fix != NULL) {
        status = fl_symptoms_said(&fix, FL_NODE_FIX, said->fix, cli->now_ns, &stored.arena, &err);
        lesson.fix = &fix;
    }
    if (status == FL_OK)
        status = learn(&learnt, &stored, &lesson, &err);
    if (status == FL_OK)
        status = fl_args_wants_json(args)
                     ? fl_report_learnt_json(&out, said->what, &lesson, &learnt, &err)
                     : fl_report_learnt_text(&out, said->what, &lesson, &learnt, &cli->style, &err);
    fl_stored_dispose(&stored);
    return fl_cli_finish(cli, &out, status, &err);
}

static const fl_operand incident_operand = {
    .name = "INCIDENT", .help = "the incident's id, or enough of its beginning", .required = true};

#define OPTION_HYPOTHESIS                                                                          \
    {                                                                                              \
        .name = "hypothesis", .kind = FL_OPTION_COUNT, .argument = "N", .fallback = "1",           \
        .help = "Which hypothesis of the incident is meant, counted as 'show' lists them"          \
    }
#define OPTION_CAUSE                                                                               \
    {                                                                                              \
        .name = "cause", .kind = FL_OPTION_TEXT, .argument = "TEXT",                               \
        .help = "The cause in words, where no hypothesis names it"                                 \
    }
#define OPTION_AUTHOR                                                                              \
    {                                                                                              \
        .name = "author", .kind = FL_OPTION_TEXT, .argument = "NAME",                              \
        .help = "Who says it, instead of $USER"                                                    \
    }
#define OPTION_STORE                                                                               \
    {                                                                                              \
        .name = "store", .kind = FL_OPTION_TEXT, .argument = "URL",                                \
        .help = "The store of the incident and the graph: a file, sqlite:FILE or "                 \
                "postgresql://HOST/NAME"                                                           \
    }

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "it was learnt, or known before"},
    {FL_EXIT_ERROR, "no such incident or hypothesis, or the store could not be used"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

/* --- confirm --- */

static fl_exit run_confirm(fl_cli *cli, const fl_args *args)
{
    const saying said = {.what = "confirmed",
                         .cause = fl_args_text(args, "cause"),
                         .fix = fl_args_text(args, "fix"),
                         .note = fl_args_text(args, "note"),
                         .supports = true,
                         .source = FL_SOURCE_PERSON,
                         .fix_source = FL_SOURCE_PERSON};
    return say(cli, args, &said);
}

static const fl_option confirm_options[] = {
    OPTION_HYPOTHESIS,
    OPTION_CAUSE,
    {.name = "fix", .kind = FL_OPTION_TEXT, .argument = "TEXT", .help = "What fixes this cause"},
    {.name = "note", .kind = FL_OPTION_TEXT, .argument = "TEXT", .help = "Kept with the evidence"},
    OPTION_AUTHOR,
    OPTION_STORE,
    FL_OPTION_FORMAT("How to print what moved"),
};

static const fl_example confirm_examples[] = {
    {"faultline confirm 20230129T0934 --fix 'raise maxTotal to 64'",
     "the first hypothesis was right, and this fixed it"},
    {"faultline confirm 20230129T0934 --cause 'expired certificate of the ledger'",
     "it was something that no hypothesis names"},
};

const fl_command fl_cmd_confirm = {
    .name = "confirm",
    .summary = "say what the cause of an incident was",
    .description =
        "Adds evidence to the graph: every symptom of the incident is explained by this cause, and"
        " the cause is resolved by the fix, where one is given. Prints how sure the graph was and"
        " is of each. The next incident with such symptoms is told.",
    .options = confirm_options,
    .option_count = FL_COUNT(confirm_options),
    .operand = &incident_operand,
    .examples = confirm_examples,
    .example_count = FL_COUNT(confirm_examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_confirm,
};

/* --- reject --- */

static fl_exit run_reject(fl_cli *cli, const fl_args *args)
{
    const saying said = {.what = "rejected",
                         .cause = fl_args_text(args, "cause"),
                         .note = fl_args_text(args, "why"),
                         .supports = false,
                         .source = FL_SOURCE_PERSON,
                         .fix_source = FL_SOURCE_PERSON};
    return say(cli, args, &said);
}

static const fl_option reject_options[] = {
    OPTION_HYPOTHESIS,
    OPTION_CAUSE,
    {.name = "why",
     .kind = FL_OPTION_TEXT,
     .required = true,
     .argument = "TEXT",
     .help = "What speaks against it; kept with the evidence"},
    OPTION_AUTHOR,
    OPTION_STORE,
    FL_OPTION_FORMAT("How to print what moved"),
};

static const fl_example reject_examples[] = {
    {"faultline reject 20230129T0934 --hypothesis 1 --why 'it was restarted and nothing changed'",
     "the first hypothesis was wrong"},
};

const fl_command fl_cmd_reject = {
    .name = "reject",
    .summary = "say what the cause of an incident was not",
    .description = "Adds evidence to the graph that the symptoms of the incident are not explained"
                   " by this cause, and prints how sure the graph was and is.",
    .options = reject_options,
    .option_count = FL_COUNT(reject_options),
    .operand = &incident_operand,
    .examples = reject_examples,
    .example_count = FL_COUNT(reject_examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_reject,
};

/* --- resolve --- */

static fl_exit run_resolve(fl_cli *cli, const fl_args *args)
{
    const saying said = {.what = "resolved",
                         .cause = fl_args_text(args, "cause"),
                         .fix = fl_args_text(args, "fix"),
                         .note = fl_args_text(args, "note"),
                         .supports = true,
                         .source = FL_SOURCE_FIX,
                         .fix_source = FL_SOURCE_FIX};
    return say(cli, args, &said);
}

static const fl_option resolve_options[] = {
    {.name = "fix",
     .kind = FL_OPTION_TEXT,
     .required = true,
     .argument = "TEXT",
     .help = "What was done, after which the symptom was gone"},
    OPTION_HYPOTHESIS,
    OPTION_CAUSE,
    {.name = "note", .kind = FL_OPTION_TEXT, .argument = "TEXT", .help = "Kept with the evidence"},
    OPTION_AUTHOR,
    OPTION_STORE,
    FL_OPTION_FORMAT("How to print what moved"),
};

static const fl_example resolve_examples[] = {
    {"faultline resolve 20230129T0934 --fix 'rolled back to 1.8.2'",
     "the symptom cleared after this, which speaks for the first hypothesis as well"},
};

const fl_command fl_cmd_resolve = {
    .name = "resolve",
    .summary = "say what ended an incident",
    .description =
        "Adds evidence to the graph that the fix helped, and so that its cause was the right one."
        " It counts as much as a confirmation, and beside one.",
    .options = resolve_options,
    .option_count = FL_COUNT(resolve_options),
    .operand = &incident_operand,
    .examples = resolve_examples,
    .example_count = FL_COUNT(resolve_examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_resolve,
};
