/*
 * cmd_confirm.c - what people know of an incident's cause becomes evidence: confirm, reject.
 */
#include "saying.h"

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "it was learnt, or known before"},
    {FL_EXIT_ERROR, "no such incident or hypothesis, or the store could not be used"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

/* --- confirm --- */

/* A person knows the cause, and perhaps what fixes it. */
static fl_exit run_confirm(fl_cli *cli, const fl_args *args)
{
    const fl_saying said = {.what = "confirmed",
                            .cause = fl_args_text(args, "cause"),
                            .fix = fl_args_text(args, "fix"),
                            .note = fl_args_text(args, "note"),
                            .supports = true,
                            .source = FL_SOURCE_PERSON,
                            .fix_source = FL_SOURCE_PERSON};
    return fl_say(cli, args, &said);
}

static const fl_option confirm_options[] = {
    FL_SAYING_HYPOTHESIS,
    FL_SAYING_CAUSE,
    {.name = "fix", .kind = FL_OPTION_TEXT, .argument = "TEXT", .help = "What fixes this cause"},
    {.name = "note", .kind = FL_OPTION_TEXT, .argument = "TEXT", .help = "Kept with the evidence"},
    FL_SAYING_AUTHOR,
    FL_SAYING_STORE,
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
    .operand = &fl_saying_operand,
    .examples = confirm_examples,
    .example_count = FL_COUNT(confirm_examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_confirm,
};

/* --- reject --- */

/* A person knows what it was not; why is required, since others will ask. */
static fl_exit run_reject(fl_cli *cli, const fl_args *args)
{
    const fl_saying said = {.what = "rejected",
                            .cause = fl_args_text(args, "cause"),
                            .note = fl_args_text(args, "why"),
                            .supports = false,
                            .source = FL_SOURCE_PERSON,
                            .fix_source = FL_SOURCE_PERSON};
    return fl_say(cli, args, &said);
}

static const fl_option reject_options[] = {
    FL_SAYING_HYPOTHESIS,
    FL_SAYING_CAUSE,
    {.name = "why",
     .kind = FL_OPTION_TEXT,
     .required = true,
     .argument = "TEXT",
     .help = "What speaks against it; kept with the evidence"},
    FL_SAYING_AUTHOR,
    FL_SAYING_STORE,
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
    .operand = &fl_saying_operand,
    .examples = reject_examples,
    .example_count = FL_COUNT(reject_examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_reject,
};
