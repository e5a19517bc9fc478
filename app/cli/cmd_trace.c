/*
 * cmd_trace.c - an execution trace of a Go program: what its scheduler and its collector did.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "fetch.h"
#include "given_signatures.h"
#include "slice.h"
#include "trace_run.h"
#include "trace_view.h"

enum { ROWS = 15, MAX_TRACE_PAGE_BYTES = 64 << 20 };

static const char *const views[] = {"summary", "waits",   "goroutines", "gc",
                                    "maps",    "latency", "tasks",      NULL};

/* The choices stand in the order of fl_trace_shown; arguments were checked against them. */
static fl_trace_shown view_of(const char *name)
{
    size_t at = 0;
    while (strcmp(views[at], name) != 0)
        at++;
    assert(at < FL_TRACE_SHOWN_COUNT);
    return (fl_trace_shown)at;
}

/* Warnings go to standard error in any case; JSON has them, too. */
static fl_exit run_trace(fl_cli *cli, const fl_args *args)
{
    assert(args->operand != NULL); /* required */
    fl_error err = {0};
    fl_trace_run *run = NULL;
    fl_buf out = fl_buf_of(MAX_TRACE_PAGE_BYTES);
    const char *input = args->operand;
    bool is_url = fl_fetch_is_url(input);
    bool as_json = fl_args_wants_json(args);
    fl_signatures *library = NULL;
    fl_status status = fl_given_signatures(&library, args, &err);
    bool as_svg = strcmp(fl_args_text(args, "format"), "svg") == 0;
    const fl_trace_options options = {.library = library, .with_course = as_svg};
    if (status == FL_OK)
        status = fl_trace_run_input(&run, input, &options, &err);
    if (status != FL_OK) {
        fl_signatures_destroy(library);
        return fl_cli_finish(cli, &out, status, &err);
    }
    const fl_gotrace_info *info = fl_trace_run_info(run);
    fl_trace_title title = {.name = is_url ? "trace" : input,
                            .version = info->version,
                            .generations = info->generations,
                            .clock_to_wall_ns = info->clock_to_wall_ns,
                            .clock_assumed = info->clock_assumed};
    title.warnings = fl_trace_run_warnings(run, &title.warning_count);
    size_t most = fl_args_has(args, "rows") || !as_json ? (size_t)fl_args_count(args, "rows") : 0;
    if (as_svg)
        status = fl_trace_view_svg(&out, fl_trace_run_report(run), &title, &err);
    else
        status = as_json ? fl_trace_view_json(&out, fl_trace_run_report(run), &title, most, &err)
                         : fl_trace_view_text(&out, fl_trace_run_report(run), &title,
                                              view_of(fl_args_text(args, "view")), most, &err);
    for (size_t i = 0; i < title.warning_count; i++)
        fl_cli_complain(cli, "%s: %s", title.name, title.warnings[i]);
    bool partial = info->broken.status != FL_OK;
    fl_trace_run_destroy(run);
    fl_signatures_destroy(library);
    fl_exit code = fl_cli_finish(cli, &out, status, &err);
    return code == FL_EXIT_OK && partial ? FL_EXIT_PARTIAL : code;
}

static const char *const formats[] = {"text", "json", "svg", NULL};

static const fl_option trace_options[] = {
    {.name = "view",
     .kind = FL_OPTION_CHOICE,
     .argument = "VIEW",
     .choices = views,
     .fallback = "summary",
     .help = "Which tables; JSON has all of them"},
    {.name = "rows",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .fallback = "15",
     .help = "At most so many rows of each table; 0 is all, and the default of JSON"},
    FL_OPTION_SIGNATURES,
    {.name = "format",
     .kind = FL_OPTION_CHOICE,
     .argument = "FORMAT",
     .choices = formats,
     .fallback = "text",
     .help = "text, json after schemas/json/trace.schema.json, or svg: processors, collections,"
             " goroutines and delays on one axis of time, for the browser"},
};

static const fl_operand operand = {
    .name = "FILE|URL",
    .help = "the trace, plain or compressed, - for standard input, or an address that sends one",
    .required = true,
    .is_path = true};

static const fl_example examples[] = {
    {"faultline trace trace.out", "what stands out, and where goroutines wait"},
    {"faultline trace trace.out --view gc", "collections, and who pays for them"},
    {"faultline trace --format svg trace.out > trace.svg", "a timeline for the browser"},
    {"faultline trace 'http://localhost:6060/debug/pprof/trace?seconds=5'",
     "trace a running program for five seconds"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the trace was read to its end"},
    {FL_EXIT_ERROR, "it is no trace, or there is nothing of use in it"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "it breaks off; what is before that is shown"},
};

const fl_command fl_cmd_trace = {
    .name = "trace",
    .summary = "what the scheduler and collector of a Go program did",
    .description =
        "Reads an execution trace of a Go program (runtime/trace, /debug/pprof/trace, go test"
        " -trace, the flight recorder; written by Go 1.7 or later) and says where goroutines wait"
        " and for what, what the processors did, how collections went and who paid for them, which"
        " maps grew while something was slow, and which goroutines are created and never end.\n"
        "A trace has no events of maps: they are seen in samples of the processor, so take a CPU"
        " profile while the trace is written.\n"
        "docs/traces.md says what each table and each finding means.",
    .options = trace_options,
    .option_count = FL_COUNT(trace_options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_trace,
};
