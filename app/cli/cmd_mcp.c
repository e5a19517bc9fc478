/*
 * cmd_mcp.c - a server of the Model Context Protocol on standard input and output, for an
 * assistant that starts it.
 */
#include <unistd.h>

#include "args.h"
#include "mcp_tools.h"

static fl_exit run_mcp(fl_cli *cli, const fl_args *args)
{
    fl_error err = {0};
    fl_mcp_tools tools;
    const char *roots[FL_MAX_GIVEN];
    const fl_mcp_tools_options options = {.store = fl_args_text(args, "store"),
                                          .roots = roots,
                                          .root_count = fl_args_list(args, "files", roots),
                                          .allows_writing = fl_args_flag(args, "allow-write")};
    fl_status status = fl_mcp_tools_init(&tools, &options, &err);
    if (status == FL_OK)
        status = fl_mcp_serve_lines(&tools.mcp, STDIN_FILENO, cli->out, &err);
    fl_mcp_tools_dispose(&tools);
    return status == FL_OK ? FL_EXIT_OK : fl_cli_fail(cli, &err);
}

static const fl_option options[] = {
    {.name = "store",
     .kind = FL_OPTION_TEXT,
     .argument = "URL",
     .help = "The store to answer from: a file, sqlite:FILE or postgresql://HOST/NAME"},
    {.name = "files",
     .kind = FL_OPTION_FOLDER,
     .repeatable = true,
     .argument = "DIR",
     .help = "A folder from which telemetry and profiles may be read; without it there are no tools"
             " that read files"},
    {.name = "allow-write",
     .kind = FL_OPTION_FLAG,
     .help = "Offer tools that write to the graph, and keep what is triaged"},
};

static const fl_example examples[] = {
    {"faultline mcp", "answer an assistant from the default store; reads only"},
    {"faultline mcp --files /var/dumps", "let it triage the telemetry in that folder, too"},
};

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "the assistant closed standard input"},
    {FL_EXIT_ERROR, "a folder is not there, or the assistant is gone"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

const fl_command fl_cmd_mcp = {
    .name = "mcp",
    .summary = "answer an assistant over the Model Context Protocol",
    .description =
        "Reads messages of the Model Context Protocol (2025-11-25 with its handshake, and "
        "2026-07-28"
        " without one) as lines of standard input and answers on standard output. Tools: incidents,"
        " incident, graph_paths, similar, recommend; with --files triage and leak_analysis; with"
        " --allow-write confirm and reject.\n"
        "Answers are short, and each says the command line that shows it again. What comes from"
        " telemetry stands behind a mark at the beginning of each line, and is said to be data: a"
        " log line may have been written to be read by an assistant.",
    .options = options,
    .option_count = FL_COUNT(options),
    .examples = examples,
    .example_count = FL_COUNT(examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_mcp,
};
