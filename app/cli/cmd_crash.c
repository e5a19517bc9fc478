/*
 * cmd_crash.c - a crash report of a Java virtual machine: what crashed, where, who called it.
 */
#include <assert.h>

#include "args.h"
#include "crash_view.h"
#include "page.h"

enum { REPORT_BYTES = (32 << 20) + 2 * FL_CRASH_MAX_TEXT_BYTES };

/* A text with its names as they were; there is no document of it. Both it and the mapping are a
 * stranger's: what would steer a terminal is no part of a stack trace. */
static fl_status write_retraced(fl_cli *cli, fl_buf *page, const fl_crash_report *report,
                                bool as_json, fl_error *err)
{
    for (size_t i = 0; i < report->warning_count; i++)
        fl_cli_complain(cli, "%s", report->warnings[i]);
    if (as_json)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "no crash report: a stack trace is answered as text only");
    fl_page shown = fl_page_on(page, &cli->style);
    fl_page_lines(&shown, report->retraced);
    return fl_buf_check(page, "the text", err);
}

/* A report that breaks off is an answer with a warning, and an exit code of its own. */
static fl_exit run_crash(fl_cli *cli, const fl_args *args)
{
    const char *binaries[FL_MAX_GIVEN];
    fl_error err = {0};
    fl_crash_report report;
    fl_arena arena = fl_arena_of(REPORT_BYTES);
    fl_buf page = fl_buf_of(2 * (size_t)FL_CRASH_MAX_TEXT_BYTES);
    const fl_crash_request request = {.path = args->operand,
                                      .binaries = binaries,
                                      .binary_count = fl_args_list(args, "binary", binaries),
                                      .symbols_folder = fl_args_text(args, "symbols"),
                                      .mapping = fl_args_text(args, "mapping")};
    assert(args->operand != NULL); /* required */
    fl_status status = fl_crash_run(&report, &request, &arena, &err);
    bool is_text = status == FL_OK && report.retraced.ptr != NULL;
    bool is_whole = status == FL_OK && (is_text || report.crash.is_whole);
    if (is_text)
        status = write_retraced(cli, &page, &report, fl_args_wants_json(args), &err);
    else if (status == FL_OK)
        status = fl_args_wants_json(args) ? fl_crash_json(&page, &report, &err)
                                          : fl_crash_text(&page, &report, &cli->style, &err);
    fl_exit code = fl_cli_finish(cli, &page, status, &err);
    fl_arena_dispose(&arena);
    return code == FL_EXIT_OK && !is_whole ? FL_EXIT_PARTIAL : code;
}

static const fl_option options[] = {
    {.name = "binary",
     .kind = FL_OPTION_FILE,
     .repeatable = true,
     .argument = "FILE",
     .help = "A library that stands in the stack, or its .debug file: names its functions, with"
             " lines and inlined calls where it has DWARF (ELF)"},
    {.name = "symbols",
     .kind = FL_OPTION_FOLDER,
     .argument = "DIR",
     .help = "A folder with libraries of the stack by their names, or their .debug files; DWARF of"
             " the same build id is looked for in DIR/.build-id and /usr/lib/debug/.build-id, then"
             " the file that the library names (.gnu_debuglink), whose CRC32 is checked"},
    {.name = "mapping",
     .kind = FL_OPTION_FILE,
     .argument = "FILE",
     .help =
         "The mapping file of ProGuard or R8: names Java frames as the source has them; FILE may"
         " then be any text with stack traces, too, which is printed with its names"},
    FL_OPTION_FORMAT("How to print the answer"),
};

static const fl_operand operand = {
    .name = "FILE",
    .help =
        "The crash report of a Java virtual machine (hs_err_pidN.log), Java 8 to 25; plain, gzip"
        " or zstd; - is standard input",
    .required = true,
    .is_path = true,
};

static const fl_example examples[] = {
    {"faultline crash hs_err_pid4711.log", "what crashed, who called it, and what was before"},
    {"faultline crash hs_err_pid4711.log --binary libfoo.so --format json",
     "with the functions of a library, for a program"},
    {"faultline crash trace.txt --mapping mapping.txt",
     "a stack trace with the names, lines and inlined calls that the source has"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "there is an answer"},
    {FL_EXIT_ERROR, "there is no answer, or it could not be written"},
    {FL_EXIT_USAGE, "the command line was not understood"},
    {FL_EXIT_PARTIAL, "the report ends in the middle; what came before it was used"},
};

const fl_command fl_cmd_crash = {
    .name = "crash",
    .summary = "read crash reports of Java virtual machines",
    .description =
        "Reads what a Java virtual machine wrote when it crashed, and says whose code it was: "
        "native"
        " code of a library, compiled or interpreted Java code, or the virtual machine; which Java"
        " method that is not of the platform called it; what that means and what to try; then the"
        " stack, the heap and the last events; where memory was the cause, what the virtual machine"
        " counts of its own (-XX:NativeMemoryTracking) and the limits of the machine and the"
        " container.\n"
        "Functions of libraries that the report does not name, their lines and inlined calls come "
        "from"
        " --binary and --symbols, names of Java"
        " methods that ProGuard or R8 made short from --mapping.",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_crash,
};
