/*
 * commands.c - the one table of commands. Adding a command is a file and a line here.
 *
 * The order is that of `faultline help`: what is used first stands first. Commands are found by
 * their whole name only; help, man pages, completion and the misspelling's suggestion all walk this
 * table.
 */
#include <string.h>

#include "cli.h"

/* One a line, so that two who add a command do not meet. */
/* clang-format off */
const fl_command *const fl_commands[] = {
    &fl_cmd_triage,
    &fl_cmd_sources,
    &fl_cmd_incidents,
    &fl_cmd_show,
    &fl_cmd_confirm,
    &fl_cmd_reject,
    &fl_cmd_resolve,
    &fl_cmd_similar,
    &fl_cmd_postmortem,
    &fl_cmd_graph,
    &fl_cmd_recommend,
    &fl_cmd_learn,
    &fl_cmd_review,
    &fl_cmd_leak,
    &fl_cmd_gc,
    &fl_cmd_crash,
    &fl_cmd_signatures,
    &fl_cmd_profile,
    &fl_cmd_heap,
    &fl_cmd_jfr,
    &fl_cmd_trace,
    &fl_cmd_mcp,
    &fl_cmd_config,
    &fl_cmd_drill,
    &fl_cmd_serve,
    &fl_cmd_web,
    &fl_cmd_status,
    &fl_cmd_tail,
    &fl_cmd_watch,
    &fl_cmd_token,
    &fl_cmd_completion,
    &fl_cmd_help,
    &fl_cmd_version,
};
/* clang-format on */
const size_t fl_command_count = FL_COUNT(fl_commands);

const fl_option fl_common_options[] = {
    {.name = "help", .letter = 'h', .kind = FL_OPTION_FLAG, .help = "Show this help and exit"},
    {.name = "version", .letter = 'V', .kind = FL_OPTION_FLAG, .help = "Show the version and exit"},
    {.name = "color",
     .kind = FL_OPTION_FLAG,
     .help = "Use colours even where the output is not a terminal"},
    {.name = "no-color", .kind = FL_OPTION_FLAG, .help = "Use no colours, as NO_COLOR does"},
};
const size_t fl_common_option_count = FL_COUNT(fl_common_options);

const fl_command *fl_command_find(const char *name)
{
    for (size_t i = 0; i < fl_command_count; i++)
        if (strcmp(fl_commands[i]->name, name) == 0)
            return fl_commands[i];
    return NULL;
}
