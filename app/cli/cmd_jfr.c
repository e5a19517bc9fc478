/*
 * cmd_jfr.c - a recording of the JVM's Flight Recorder to its answers.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "jfr_judge.h"
#include "jfr_view.h"
#include "slice.h"

enum { PAGE_BYTES = 256 << 20, JUDGE_BYTES = 64 << 20, PAGE_ROWS = 10, JSON_ROWS = 1000 };

/* One of the choices: the table has made sure of it. */
static fl_jfr_view view_of(const char *name)
{
    size_t i = 0;
    while (strcmp(fl_jfr_view_names[i], name) != 0)
        i++;
    assert(i < FL_JFR_VIEW_COUNT);
    return (fl_jfr_view)i;
}

/* Damage was said on the page; here it is what scripts see. */
static fl_exit code_of(const fl_jfr_recording *recording)
{
    return recording->totals.warning_count > 0 ? FL_EXIT_PARTIAL : FL_EXIT_OK;
}

/* A page is read from its top; a program reads more, but hardly the stacks of a million sites. */
static size_t rows_of(const fl_args *args)
{
    if (fl_args_has(args, "rows"))
        return fl_args_count(args, "rows");
    return fl_args_wants_json(args) ? JSON_ROWS : PAGE_ROWS;
}

/* Read, then shown: a page that could not be written is worse than a chunk that was cut. */
static fl_exit run_jfr(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_jfr_recording *recording;
    fl_buf page = fl_buf_of(PAGE_BYTES);
    assert(args->operand != NULL);
    fl_status status = fl_jfr_recording_file(&recording, args->operand, &err);
    if (status != FL_OK)
        return fl_cli_finish(cli, &page, status, &err);
    fl_leak_report report;
    fl_arena arena = fl_arena_of(JUDGE_BYTES);
    const fl_jfr_request request = {.name = args->operand};
    status = fl_jfr_judge(&report, recording, &request, &arena, &err);
    fl_jfr_shown shown = {.recording = recording,
                          .report = &report,
                          .name = args->operand,
                          .view = view_of(fl_args_text(args, "view")),
                          .rows = rows_of(args)};
    if (status == FL_OK)
        status = fl_args_wants_json(args) ? fl_jfr_view_json(&page, &shown, &err)
                                          : fl_jfr_view_text(&page, &shown, &cli->style, &err);
    fl_arena_dispose(&arena);
    fl_exit code = code_of(recording);
    fl_jfr_recording_destroy(recording);
    fl_exit written = fl_cli_finish(cli, &page, status, &err);
    return written != FL_EXIT_OK ? written : code;
}

static const fl_option options[] = {
    {.name = "view",
     .kind = FL_OPTION_CHOICE,
     .argument = "VIEW",
     .choices = fl_jfr_view_names,
     .fallback = "summary",
     .help = "What to show of it on the page; the JSON answer has everything"},
    {.name = "rows",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .help = "At most so many rows of each list; 0 is all; without it 10, and 1,000 in JSON"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_operand operand = {
    .name = "FILE",
    .help = "A recording (.jfr), plain, gzip or zstd; - is standard input",
    .required = true,
    .is_path = true,
};

static const fl_example examples[] = {
    {"faultline jfr rec.jfr", "what allocates, runs, throws and stays, and how the heap went"},
    {"faultline jfr rec.jfr --view old --rows 0", "who holds the objects that stayed"},
    {"faultline profile flame --sample-type alloc_space rec.jfr > alloc.svg",
     "its allocations as a flame graph"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the recording was read"},
    {FL_EXIT_ERROR, "it is no recording, or nothing of it could be read"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "a chunk was not finished or is damaged, and the rest was read"},
};

const fl_command fl_cmd_jfr = {
    .name = "jfr",
    .summary = "look at a Flight Recorder recording of a JVM",
    .description =
        "Reads recordings of OpenJDK 8 to 25 and of other programs that write format 2: "
        "allocations,"
        " execution, exceptions and waits by the line of the program's own code, garbage"
        " collections and the heap after them, load, and the objects that stayed with the chain of"
        " who holds them. Events of other kinds are counted.\n"
        "A chunk that its writer did not finish, and a file that is cut, are read as far as they"
        " go. To see who holds what, record with path-to-gc-roots=true.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_jfr,
};
