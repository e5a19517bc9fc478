/*
 * cmd_help.c - commands about the program itself: help, completion, version.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "faultline/triage.h"
#include "help.h"

static const fl_exit_note exits[] = {
    {FL_EXIT_OK, "it was shown"},
    {FL_EXIT_ERROR, "it could not be written"},
    {FL_EXIT_USAGE, "the command line was not understood"},
};

/* --- help --- */

/* "faultline help faultline" is the program's own page, as man(1) would have it. */
static fl_exit run_help(fl_cli *cli, const fl_args *args)
{
    const fl_command *command = NULL;
    if (args->operand != NULL && strcmp(args->operand, "faultline") != 0) {
        command = fl_command_find(args->operand);
        if (command == NULL) {
            fl_cli_complain(cli, "help: unknown command '%s'; 'faultline help' lists them",
                            args->operand);
            return FL_EXIT_USAGE;
        }
    }
    fl_buf page = fl_buf_of(FL_MAX_HELP_BYTES);
    if (fl_args_flag(args, "man"))
        fl_help_man(&page, command);
    else
        fl_help_text(&page, command, &cli->style);
    return fl_cli_write_buf(cli, &page);
}

static const fl_option help_options[] = {
    {.name = "man", .kind = FL_OPTION_FLAG, .help = "Write the page as roff, for man(1)"},
};

static const fl_operand help_operand = {
    .name = "COMMAND", .help = "what to explain; without it, the program and its commands"};

static const fl_example help_examples[] = {
    {"faultline help triage", "explain the command triage"},
};

const fl_command fl_cmd_help = {
    .name = "help",
    .summary = "explain a command",
    .description =
        "Explains the program or one of its commands. 'faultline COMMAND --help' does the"
        " same.",
    .options = help_options,
    .option_count = FL_COUNT(help_options),
    .operand = &help_operand,
    .examples = help_examples,
    .example_count = FL_COUNT(help_examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_help,
};

/* --- completion --- */

/* Which shells there are is the operand's table of choices. */
static fl_exit run_completion(fl_cli *cli, const fl_args *args)
{
    fl_buf script = fl_buf_of(FL_MAX_HELP_BYTES);
    assert(args->operand != NULL); /* required, and one of the shells */
    fl_completion(&script, args->operand);
    return fl_cli_write_buf(cli, &script);
}

static const fl_operand completion_operand = {
    .name = "SHELL", .help = "bash, zsh or fish", .required = true, .choices = fl_shells};

static const fl_example completion_examples[] = {
    {"faultline completion bash", "print the script; an installed faultline brings it along"},
};

const fl_command fl_cmd_completion = {
    .name = "completion",
    .summary = "print a completion script for a shell",
    .description =
        "Prints a script that lets a shell complete the commands, options and values of faultline."
        " Load it with 'source <(faultline completion bash)', and likewise in zsh and fish.",
    .operand = &completion_operand,
    .examples = completion_examples,
    .example_count = FL_COUNT(completion_examples),
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_completion,
};

/* --- version --- */

/* One line, in the form that the GNU coding standards ask for. */
static fl_exit run_version(fl_cli *cli, const fl_args *args)
{
    (void)args;
    fl_buf line = fl_buf_of(256);
    fl_buf_printf(&line, "faultline %s\n", fl_version());
    return fl_cli_write_buf(cli, &line);
}

const fl_command fl_cmd_version = {
    .name = "version",
    .summary = "print the version",
    .description = "Prints the program's name and version, as --version does.",
    .exits = exits,
    .exit_count = FL_COUNT(exits),
    .run = run_version,
};
