/*
 * cmd_resolve.c - what ended an incident becomes evidence, where later telemetry agrees.
 */
#include "args.h"
#include "saying.h"

/* A fix that helped speaks for the cause that it is for. */
static fl_exit run_resolve(fl_cli *cli, const fl_args *args)
{
    const fl_saying said = {.what = "resolved",
                            .cause = fl_args_text(args, "cause"),
                            .fix = fl_args_text(args, "fix"),
                            .note = fl_args_text(args, "note"),
                            .supports = true,
                            .source = FL_SOURCE_FIX,
                            .fix_source = FL_SOURCE_FIX,
                            .is_verified = fl_args_has(args, "verify")};
    return fl_say(cli, args, &said);
}

/* A time without telemetry, or telemetry without a time, is a mistake. */
static fl_exit run_checked(fl_cli *cli, const fl_args *args)
{
    if (fl_args_has(args, "verify") == fl_args_has(args, "after"))
        return run_resolve(cli, args);
    fl_cli_complain(cli, "resolve: --verify PATH and --after TIME belong together");
    return FL_EXIT_USAGE;
}

static const fl_option resolve_options[] = {
    {.name = "fix",
     .kind = FL_OPTION_TEXT,
     .required = true,
     .argument = "TEXT",
     .help = "What was done, after which the symptom was gone"},
    {.name = "verify",
     .kind = FL_OPTION_FOLDER,
     .repeatable = true,
     .argument = "PATH",
     .help = "Telemetry from after the fix, as 'triage --otlp' takes it: whether each symptom has"
             " cleared is measured in it"},
    {.name = "after",
     .kind = FL_OPTION_TIME,
     .argument = "TIME",
     .help = "When the fix had taken effect, for --verify"},
    {.name = "window",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .fallback = "5m",
     .help = "How long after that to look"},
    {.name = "roles",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help = "YAML rules that say what metrics mean, where the triage had them"},
    FL_SAYING_HYPOTHESIS,
    FL_SAYING_CAUSE,
    {.name = "note", .kind = FL_OPTION_TEXT, .argument = "TEXT", .help = "Kept with the evidence"},
    FL_SAYING_AUTHOR,
    FL_SAYING_STORE,
    FL_OPTION_FORMAT("How to print what moved"),
};

static const fl_exit_note resolve_exits[] = {
    {FL_EXIT_OK, "it was learnt, or known before; with --verify, the symptom has cleared"},
    {FL_EXIT_ERROR, "no such incident or hypothesis, or the store or the telemetry could not be"
                    " used"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "with --verify, the symptom was not seen, and nothing was learnt"},
    {FL_EXIT_STILL_THERE, "with --verify, the symptom is still there"},
};

static const fl_example resolve_examples[] = {
    {"faultline resolve 20230129T0934 --fix 'rolled back to 1.8.2'",
     "the symptom cleared after this, which speaks for the first hypothesis as well"},
    {"faultline resolve 20230129T0934 --fix 'rolled back to 1.8.2' --verify later/ --after"
     " 2023-01-29T10:00:00Z",
     "see in the telemetry from ten o'clock on whether it has; what is learnt follows from that"},
};

const fl_command fl_cmd_resolve = {
    .name = "resolve",
    .summary = "say what ended an incident",
    .description =
        "Adds evidence to the graph that the fix helped, and so that its cause was the right one."
        " It counts as much as a confirmation, and beside one.\n"
        "With --verify later telemetry is asked first. Each symptom is measured by the heaviest"
        " evidence that can be: it has cleared when it is nearer to what it was before than during"
        " the incident. The symptom of the hypothesis that is meant decides. Where it has cleared,"
        " the symptoms that did so are evidence; where it is still there, that is evidence against"
        " the fix, and none for the cause; where it was not seen, nothing is learnt, since data"
        " that is missing is no recovery.",
    .options = resolve_options,
    .option_count = FL_COUNT(resolve_options),
    .operand = &fl_saying_operand,
    .examples = resolve_examples,
    .example_count = FL_COUNT(resolve_examples),
    .exits = resolve_exits,
    .exit_count = FL_COUNT(resolve_exits),
    .run = run_checked,
};
