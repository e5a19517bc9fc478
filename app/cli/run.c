/*
 * run.c - one run of the program: find the command, check its words, run it, flush what it said.
 *
 * Exit codes: 2 for a command line that was not understood, with a hint where to read on; 1 for
 * anything that failed, also for an answer that could not be written; else what the command says.
 * One sentence a failure goes to stderr, and stdout holds the answer and nothing else.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "help.h"
#include "profile_text.h"
#include "slice.h"
#include "terminal.h"

enum { MAX_COMMANDS = 64, MESSAGE_BYTES = 8192 };

/* Names out of files stand in messages: what could move the cursor is shown as a question mark.
 * Without an allocation, since messages tell of those that failed. Threads of a daemon say things
 * too: a line is never written into another one. */
void fl_cli_complain(fl_cli *cli, const char *format, ...)
{
    char text[MESSAGE_BYTES] = "", clean[MESSAGE_BYTES];
    fl_buf out = {.ptr = clean, .cap = sizeof(clean), .max_bytes = sizeof(clean) - 1};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fl_profile_text_terminal(&out, fl_slice_of(text)); /* makes nothing longer */
    assert(out.ptr == clean && out.status == FL_OK);
    flockfile(cli->err);
    fprintf(cli->err, "faultline: %.*s\n", (int)out.len, clean);
    funlockfile(cli->err);
}

fl_exit fl_cli_fail(fl_cli *cli, const fl_error *err)
{
    assert(err->status != FL_OK);
    if (err->offset != FL_NO_OFFSET && err->offset > 0)
        fl_cli_complain(cli, "%s (byte %llu)", err->message, (unsigned long long)err->offset);
    else
        fl_cli_complain(cli, "%s", err->message);
    return FL_EXIT_ERROR;
}

bool fl_cli_write(fl_cli *cli, fl_slice bytes)
{
    if (bytes.len == 0 || fwrite(bytes.ptr, 1, bytes.len, cli->out) == bytes.len)
        return true;
    fl_cli_complain(cli, "cannot write the answer: %s", strerror(errno));
    return false;
}

fl_exit fl_cli_write_buf(fl_cli *cli, fl_buf *buf)
{
    fl_error err = {0};
    fl_exit code = FL_EXIT_OK;
    if (fl_buf_check(buf, "the output", &err) != FL_OK)
        code = fl_cli_fail(cli, &err);
    else if (!fl_cli_write(cli, fl_buf_slice(buf)))
        code = FL_EXIT_ERROR;
    fl_buf_dispose(buf);
    return code;
}

fl_exit fl_cli_finish(fl_cli *cli, fl_buf *buf, fl_status status, const fl_error *err)
{
    assert((status == FL_OK) == (err->status == FL_OK));
    if (status == FL_OK)
        return fl_cli_write_buf(cli, buf);
    fl_buf_dispose(buf);
    return fl_cli_fail(cli, err);
}

/* `message` on stderr, and where to read on. `command` NULL: the program itself was misused. */
static fl_exit misused(fl_cli *cli, const fl_command *command, const char *message)
{
    fl_cli_complain(cli, "%s%s%s", command != NULL ? command->name : "",
                    command != NULL ? ": " : "", message);
    fprintf(cli->err, "Try 'faultline %s%s--help'.\n", command != NULL ? command->name : "",
            command != NULL ? " " : "");
    return FL_EXIT_USAGE;
}

/* The nearest one is shown and never run. */
static fl_exit unknown_command(fl_cli *cli, const char *name)
{
    char message[192];
    const char *names[MAX_COMMANDS];
    assert(fl_command_count <= MAX_COMMANDS);
    for (size_t i = 0; i < fl_command_count; i++)
        names[i] = fl_commands[i]->name;
    const char *near = fl_nearest(name, names, fl_command_count);
    if (near != NULL)
        snprintf(message, sizeof(message), "unknown command '%.64s'; did you mean '%s'?", name,
                 near);
    else
        snprintf(message, sizeof(message), "unknown command '%.64s'", name);
    return misused(cli, NULL, message);
}

/* `command` NULL: the program's own page. */
static fl_exit show_help(fl_cli *cli, const fl_command *command)
{
    fl_buf page = fl_buf_of(FL_MAX_HELP_BYTES);
    fl_help_text(&page, command, &cli->style);
    return fl_cli_write_buf(cli, &page);
}

/* --help and --version win over everything, also over what is wrong with the rest of the line. */
static fl_exit run_command(fl_cli *cli, const fl_command *command, const fl_args *args)
{
    fl_error err = {0};
    fl_terminal_override(&cli->style, args);
    if (fl_args_flag(args, "help"))
        return show_help(cli, command);
    if (fl_args_flag(args, "version"))
        return fl_cmd_version.run(cli, args);
    if (fl_args_check(args, cli->now_ns, &err) != FL_OK)
        return misused(cli, command, err.message);
    return command->run(cli, args);
}

/* Options before the command; returns how many words they take. They have no values. */
static int leading_options(int argc, char *const *argv)
{
    int count = 0;
    while (count < argc && argv[count][0] == '-' && argv[count][1] != '\0')
        count++;
    return count;
}

/* `argv` without the program's name. */
static fl_exit run_words(fl_cli *cli, int argc, char *const *argv)
{
    fl_args args;
    fl_error err = {0};
    int leading = leading_options(argc, argv);
    if (fl_args_parse(&args, NULL, leading, argv, &err) != FL_OK)
        return misused(cli, NULL, err.message);
    fl_terminal_override(&cli->style, &args);
    if (fl_args_flag(&args, "help"))
        return show_help(cli, NULL);
    if (fl_args_flag(&args, "version"))
        return fl_cmd_version.run(cli, &args);
    if (leading == argc)
        return misused(cli, NULL, "no command given");
    const fl_command *command = fl_command_find(argv[leading]);
    if (command == NULL)
        return unknown_command(cli, argv[leading]);
    if (fl_args_parse(&args, command, argc - leading - 1, argv + leading + 1, &err) != FL_OK)
        return misused(cli, command, err.message);
    return run_command(cli, command, &args);
}

fl_exit fl_cli_run(fl_cli *cli, int argc, char *const *argv)
{
    assert(cli != NULL && cli->out != NULL && cli->err != NULL);
    fl_exit code = run_words(cli, argc > 0 ? argc - 1 : 0, argv + (argc > 0));
    /* Only now is it known whether what was said was heard. */
    if (fflush(cli->out) != 0 && code != FL_EXIT_ERROR) {
        fl_cli_complain(cli, "cannot write the answer: %s", strerror(errno));
        code = FL_EXIT_ERROR;
    }
    return code;
}
