/*
 * cmd_gc.c - garbage collection logs of a Java program to figures and findings.
 *
 * The exit code says whether there is an answer, not what it is, as with `faultline leak`.
 */
#include <assert.h>

#include "args.h"
#include "gc_report.h"
#include "gc_run.h"
#include "given_signatures.h"

enum { REPORT_BYTES = 16 << 20 };

/* The list of operands is too large for a stack, and a program runs one command. */
static fl_exit run_gc(fl_cli *cli, const fl_args *args)
{
    static const char *paths[FL_MAX_OPERANDS + 1];
    fl_error err = {0};
    fl_gc_report report;
    fl_signatures *library = NULL;
    bool damaged = false;
    fl_arena arena = fl_arena_of(REPORT_BYTES);
    fl_buf page = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_gc_request request = {
        .paths = paths, .count = args->more_count + 1, .limit_bytes = fl_args_size(args, "limit")};
    assert(args->operand != NULL); /* required */
    paths[0] = args->operand;
    for (size_t i = 0; i < args->more_count; i++)
        paths[i + 1] = args->more[i];
    fl_status status = fl_given_signatures(&library, args, &err);
    request.library = library;
    if (status == FL_OK)
        status = fl_gc_run(&report, &damaged, &request, &arena, &err);
    if (status == FL_OK)
        status = fl_args_wants_json(args) ? fl_gc_report_json(&page, &report, &err)
                                          : fl_gc_report_text(&page, &report, &cli->style, &err);
    fl_exit code = fl_cli_finish(cli, &page, status, &err);
    fl_signatures_destroy(library);
    fl_arena_dispose(&arena);
    return code == FL_EXIT_OK && damaged ? FL_EXIT_PARTIAL : code;
}

static const fl_option options[] = {
    {.name = "limit",
     .kind = FL_OPTION_SIZE,
     .argument = "SIZE",
     .help =
         "Time until the heap has this size, such as 2GiB; without it, the largest heap that the"
         " log tells"},
    FL_OPTION_SIGNATURES,
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_operand operand = {
    .name = "FILE",
    .help =
        "A garbage collection log of a Java virtual machine: unified logging (Java 9 and later:"
        " -Xlog:gc*:file=gc.log) or Java 8's (-Xloggc:gc.log -XX:+PrintGCDetails); plain, gzip or"
        " zstd; - is standard input. Several are rotated files of one program, in any order",
    .required = true,
    .is_path = true,
    .more = "FILE",
};

static const fl_example examples[] = {
    {"faultline gc gc.log", "pauses, rates, what stays after collections, and what is wrong"},
    {"faultline gc gc.log gc.log.0 gc.log.1 --format json", "rotated files, for a program"},
    {"faultline gc - < gc.log", "the log out of a pipe, as kubectl logs gives it"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "there is an answer, whatever it is"},
    {FL_EXIT_ERROR, "there is no answer, or it could not be written"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "a file broke off; what came before it was used"},
};

const fl_command fl_cmd_gc = {
    .name = "gc",
    .summary = "read garbage collection logs of Java programs",
    .description =
        "Reads what a Java virtual machine logged about its garbage collections, of every collector"
        " (Serial, Parallel, CMS, G1, ZGC, Shenandoah) from Java 5 to 25, and says how long the"
        " program was stopped and why, how much it allocates and promotes, whether what stays after"
        " collections grows, and which collections failed.\n"
        "The trend is judged by the rules that `faultline leak` uses, and only by what collections "
        "of"
        " the old part leave: what those of the young part leave is not yet garbage that stays."
        " Each long pause comes with the command that prints its line.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_gc,
};
