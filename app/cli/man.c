/*
 * man.c - man pages in roff, man(7), from the command table.
 *
 * A hyphen that is typed is written \-, or the reader's shell gets a typographic one; a line of
 * text never begins with a dot or an apostrophe, which roff would obey.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "faultline/triage.h"
#include "help.h"

/* Text of the table as roff; a line that goes on after it stays one. */
static void escaped(fl_buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fl_buf_text(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fl_buf_text(out, "\\e");
        else if (*text == '-')
            fl_buf_text(out, "\\-");
        else if (*text == '~')
            fl_buf_text(out, "\\(ti");
        else if (*text == '\n')
            fl_buf_text(out, "\n.PP\n");
        else
            fl_buf_char(out, *text);
    }
}

/* A line of text of its own. */
static void sentence(fl_buf *out, const char *text)
{
    escaped(out, text);
    fl_buf_char(out, '\n');
}

/* No date: the same program writes the same page. */
static void head(fl_buf *out, const fl_command *command)
{
    fl_buf_text(out, ".TH FAULTLINE");
    if (command != NULL) {
        fl_buf_text(out, "\\-");
        for (const char *p = command->name; *p != '\0'; p++)
            fl_buf_char(out, (char)toupper((unsigned char)*p));
    }
    fl_buf_printf(out, " 1 \"\" \"Faultline %s\" \"Faultline Manual\"\n.SH NAME\nfaultline",
                  fl_version());
    if (command != NULL)
        fl_buf_printf(out, "\\-%s", command->name);
    fl_buf_text(out, " \\- ");
    sentence(out, command != NULL ? command->summary : "from telemetry to a ranked root cause");
}

/* The same line as in the help page. */
static void synopsis(fl_buf *out, const fl_command *command)
{
    fl_buf line = fl_buf_of(1024);
    fl_help_synopsis(&line, command);
    fl_buf_text(out, ".SH SYNOPSIS\n.B faultline\n");
    sentence(out, line.ptr != NULL ? line.ptr : "");
    fl_buf_dispose(&line);
}

/* Letter, name and value, then the sentence of the table and what else it says. */
static void one_option(fl_buf *out, const fl_option *option)
{
    fl_buf_text(out, ".TP\n");
    if (option->letter != 0)
        fl_buf_printf(out, "\\fB\\-%c\\fR, ", option->letter);
    fl_buf_text(out, "\\fB");
    escaped(out, "--");
    escaped(out, option->name);
    fl_buf_text(out, "\\fR");
    if (option->argument != NULL)
        fl_buf_printf(out, " \\fI%s\\fR", option->argument);
    fl_buf_char(out, '\n');
    escaped(out, option->help);
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++)
        fl_buf_printf(out, "%s%s", i == 0 ? ": " : " or ", option->choices[i]);
    fl_buf_text(out, ".\n");
    if (option->required)
        fl_buf_text(out, "Required.\n");
    if (option->repeatable)
        fl_buf_text(out, "May be repeated.\n");
    if (option->fallback != NULL) {
        fl_buf_text(out, "Otherwise ");
        escaped(out, option->fallback);
        fl_buf_text(out, ".\n");
    }
}

/* A command's own first, then the common ones. */
static void options(fl_buf *out, const fl_command *command)
{
    fl_buf_text(out, ".SH OPTIONS\n");
    for (size_t i = 0; command != NULL && i < command->option_count; i++)
        one_option(out, &command->options[i]);
    for (size_t i = 0; i < fl_common_option_count; i++)
        one_option(out, &fl_common_options[i]);
}

/* What only a command has: exit codes and examples. */
static void command_sections(fl_buf *out, const fl_command *command)
{
    fl_buf_text(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < command->exit_count; i++) {
        fl_buf_printf(out, ".TP\n\\fB%d\\fR\n", (int)command->exits[i].code);
        sentence(out, command->exits[i].when);
    }
    if (command->example_count > 0)
        fl_buf_text(out, ".SH EXAMPLES\n");
    for (size_t i = 0; i < command->example_count; i++) {
        fl_buf_text(out, ".TP\n.nf\n\\fB");
        escaped(out, command->examples[i].line);
        fl_buf_text(out, "\\fR\n.fi\n");
        sentence(out, command->examples[i].what);
    }
}

/* What only the program has: its commands. */
static void program_sections(fl_buf *out)
{
    fl_buf_text(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < fl_command_count; i++) {
        fl_buf_printf(out, ".TP\n\\fB%s\\fR\n", fl_commands[i]->name);
        sentence(out, fl_commands[i]->summary);
    }
}

/* The same on every page: what holds for all commands. */
static void environment(fl_buf *out)
{
    fl_buf_text(out, ".SH ENVIRONMENT\n");
    for (const fl_help_note *note = fl_help_environment; note->name != NULL; note++) {
        fl_buf_printf(out, ".TP\n\\fB%s\\fR\n", note->name);
        escaped(out, note->text);
        fl_buf_text(out, ".\n");
    }
}

/* All other pages: man has no links, so each names the rest. */
static void see_also(fl_buf *out, const fl_command *command)
{
    const char *comma = "";
    fl_buf_text(out, ".SH SEE ALSO\n");
    if (command != NULL) {
        fl_buf_text(out, "\\fBfaultline\\fR(1)");
        comma = ", ";
    }
    for (size_t i = 0; i < fl_command_count; i++) {
        if (fl_commands[i] == command)
            continue;
        fl_buf_printf(out, "%s\\fBfaultline\\-%s\\fR(1)", comma, fl_commands[i]->name);
        comma = ", ";
    }
    fl_buf_char(out, '\n');
}

/* The operand, what may follow it, and what it chooses between. */
static void operands(fl_buf *out, const fl_operand *operand)
{
    fl_buf_printf(out, ".TP\n\\fI%s\\fR\n", operand->name);
    sentence(out, operand->help);
    if (operand->more_help != NULL) {
        fl_buf_printf(out, ".TP\n\\fI%s\\fR\n", operand->more);
        sentence(out, operand->more_help);
    }
    if (operand->actions == NULL)
        return;
    fl_buf_text(out, ".SH ACTIONS\n");
    for (const fl_action *const *action = operand->actions; *action != NULL; action++) {
        fl_buf_text(out, ".TP\n\\fB");
        escaped(out, (*action)->name);
        fl_buf_text(out, "\\fR");
        if ((*action)->operands != NULL)
            fl_buf_printf(out, " \\fI%s\\fR", (*action)->operands);
        fl_buf_char(out, '\n');
        sentence(out, (*action)->help);
    }
}

void fl_help_man(fl_buf *out, const fl_command *command)
{
    assert(out != NULL);
    head(out, command);
    synopsis(out, command);
    fl_buf_text(out, ".SH DESCRIPTION\n");
    sentence(out, command != NULL ? command->description
                                  : "Faultline finds the cause of an incident from telemetry that"
                                    " is already there, shows the evidence, and remembers it.");
    if (command != NULL && command->operand != NULL)
        operands(out, command->operand);
    if (command == NULL)
        program_sections(out);
    options(out, command);
    if (command != NULL)
        command_sections(out, command);
    environment(out);
    see_also(out, command);
}
