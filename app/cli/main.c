/*
 * main.c - the process: its streams, its clock, its signals.
 *
 * Everything else gets what it needs of the outside world from fl_cli, so that a run of the program
 * is a function that tests can call. jansson allocates through mem.c, as all of the program does:
 * its failures are rehearsed with the others.
 */
#include <jansson.h>
#include <signal.h>
#include <unistd.h>

#include "cli.h"
#include "mem.h"
#include "terminal.h"
#include "timestamp.h"

int main(int argc, char **argv)
{
    fl_terminal_facts out = fl_terminal_look(STDOUT_FILENO), err = fl_terminal_look(STDERR_FILENO);
    fl_cli cli = {
        .out = stdout,
        .err = stderr,
        .now_ns = fl_time_now(),
        .style = fl_terminal_style(&out),
        .progress = err.is_terminal && fl_terminal_understands(&err),
    };
    signal(SIGPIPE, SIG_IGN); /* a reader that left is a write error with a sentence, not a death */
    json_set_alloc_funcs(fl_mem_alloc, fl_mem_free);
    return (int)fl_cli_run(&cli, argc, argv);
}
