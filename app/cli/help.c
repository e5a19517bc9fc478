/*
 * help.c - help for the terminal, laid out from the command table.
 *
 * Layout: labels at INDENT, their texts at MAX_LABEL and wrapped under themselves. Everything is
 * out of the table that parsing uses, so help cannot promise an option that does not exist.
 */
#include "help.h"

#include <assert.h>
#include <string.h>

#include "page.h"

enum { INDENT = 2, MAX_LABEL = 27 };

const fl_help_note fl_help_environment[] = {
    {"NO_COLOR", "where it is set and not empty, no colours are used"},
    {"FORCE_COLOR",
     "where it is set and neither empty nor 0, colours are used even if the output is"
     " not a terminal; NO_COLOR is stronger"},
    {"TERM", "where it is not set or \"dumb\", neither colours nor progress are shown"},
    {"COLUMNS", "width of the page on a terminal"},
    {"XDG_STATE_HOME", "where the store of incidents is kept, as faultline/faultline.db; where it"
                       " is not set, ~/.local/state"},
    {NULL, NULL},
};

void fl_help_synopsis(fl_buf *out, const fl_command *command)
{
    if (command == NULL) {
        fl_buf_text(out, "COMMAND [OPTION]...");
        return;
    }
    fl_buf_text(out, command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        const fl_option *option = &command->options[i];
        if (option->required)
            fl_buf_printf(out, " --%s %s", option->name, option->argument);
    }
    fl_buf_text(out, " [OPTION]...");
    if (command->operand != NULL)
        fl_buf_printf(out, command->operand->required ? " %s" : " [%s]", command->operand->name);
    if (command->operand != NULL && command->operand->more != NULL)
        fl_buf_printf(out, " [%s...]", command->operand->more);
}

/* A blank line before it, none after. */
static void heading(fl_page *page, const char *text)
{
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, text);
    fl_page_newline(page);
}

/* A label and its wrapped text; a label that is too wide has a line of its own. */
static void entry(fl_page *page, const char *label, size_t at, const char *text)
{
    fl_page_pad(page, INDENT);
    fl_page_put(page, FL_INK_BOLD, label);
    if (page->column + 2 > at)
        fl_page_newline(page);
    fl_page_pad(page, at);
    fl_page_wrap(page, FL_INK_PLAIN, text);
    fl_page_newline(page);
}

/* Texts of the table: a paragraph a line. */
static void paragraphs(fl_page *page, const char *text)
{
    char line[1024];
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        assert(len < sizeof(line));
        memcpy(line, text, len);
        line[len] = '\0';
        fl_page_wrap(page, FL_INK_PLAIN, line);
        fl_page_newline(page);
        text += len + (text[len] == '\n');
    }
}

/* "-n, --limit N", with room for a letter where there is none, so that names stand below each
 * other. */
static void option_label(char *out, size_t size, const fl_option *option)
{
    char letter[8] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(out, size, "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
}

/* The sentence of the table, and what the table says besides: choices, required, repeatable,
 * default. */
static void option_text(fl_buf *out, const fl_option *option)
{
    fl_buf_text(out, option->help);
    if (option->choices != NULL)
        for (size_t i = 0; option->choices[i] != NULL; i++)
            fl_buf_printf(out, "%s%s", i == 0 ? ": " : " or ", option->choices[i]);
    if (option->required)
        fl_buf_text(out, " (required)");
    if (option->repeatable)
        fl_buf_text(out, " (may be repeated)");
    if (option->fallback != NULL)
        fl_buf_printf(out, " (otherwise %s)", option->fallback);
}

/* Nothing, not even a heading, for an empty table. */
static void options(fl_page *page, const char *title, const fl_option *table, size_t count)
{
    assert(table != NULL || count == 0);
    if (count == 0)
        return;
    heading(page, title);
    for (size_t i = 0; i < count; i++) {
        char label[64];
        fl_buf text = fl_buf_of(1024);
        option_label(label, sizeof(label), &table[i]);
        option_text(&text, &table[i]);
        entry(page, label, MAX_LABEL, text.ptr != NULL ? text.ptr : "");
        fl_buf_dispose(&text);
    }
}

/* As each command documents them; scripts depend on these. */
static void exit_codes(fl_page *page, const fl_command *command)
{
    heading(page, "Exit codes");
    for (size_t i = 0; i < command->exit_count; i++) {
        char code[16];
        snprintf(code, sizeof(code), "%d", (int)command->exits[i].code);
        entry(page, code, 5, command->exits[i].when);
    }
}

/* The operand, and what it chooses between. */
static void operands(fl_page *page, const fl_operand *operand)
{
    entry(page, operand->name, MAX_LABEL, operand->help);
    if (operand->more_help != NULL)
        entry(page, operand->more, MAX_LABEL, operand->more_help);
    if (operand->actions == NULL)
        return;
    heading(page, "Actions");
    for (const fl_action *const *action = operand->actions; *action != NULL; action++) {
        char label[64];
        const char *rest = (*action)->operands;
        snprintf(label, sizeof(label), "%s%s%s", (*action)->name, rest != NULL ? " " : "",
                 rest != NULL ? rest : "");
        entry(page, label, MAX_LABEL, (*action)->help);
    }
}

/* What one command does, in the order in which a reader asks. */
static void command_page(fl_page *page, const fl_command *command)
{
    fl_page_printf(page, FL_INK_PLAIN, "faultline %s - %s", command->name, command->summary);
    fl_page_newline(page);
    heading(page, "Usage");
    fl_buf synopsis = fl_buf_of(1024);
    fl_help_synopsis(&synopsis, command);
    fl_page_put(page, FL_INK_PLAIN, "  faultline ");
    fl_page_wrap(page, FL_INK_PLAIN, synopsis.ptr != NULL ? synopsis.ptr : "");
    fl_page_newline(page);
    fl_buf_dispose(&synopsis);
    if (command->operand != NULL)
        operands(page, command->operand);
    fl_page_newline(page);
    paragraphs(page, command->description);
    options(page, "Options", command->options, command->option_count);
    options(page, "Common options", fl_common_options, fl_common_option_count);
    if (command->example_count > 0)
        heading(page, "Examples");
    for (size_t i = 0; i < command->example_count; i++) {
        fl_page_put(page, FL_INK_PLAIN, "  ");
        fl_page_put(page, FL_INK_BOLD, command->examples[i].line);
        fl_page_newline(page);
        fl_page_pad(page, 6);
        fl_page_wrap(page, FL_INK_PLAIN, command->examples[i].what);
        fl_page_newline(page);
    }
    exit_codes(page, command);
}

/* The commands, and what holds for all of them. */
static void program_page(fl_page *page)
{
    fl_page_put(page, FL_INK_PLAIN, "faultline - from telemetry to a ranked root cause");
    fl_page_newline(page);
    heading(page, "Usage");
    fl_page_put(page, FL_INK_PLAIN, "  faultline COMMAND [OPTION]...");
    fl_page_newline(page);
    heading(page, "Commands");
    for (size_t i = 0; i < fl_command_count; i++)
        entry(page, fl_commands[i]->name, 14, fl_commands[i]->summary);
    options(page, "Common options", fl_common_options, fl_common_option_count);
    heading(page, "Environment");
    for (const fl_help_note *note = fl_help_environment; note->name != NULL; note++)
        entry(page, note->name, 18, note->text);
    fl_page_newline(page);
    fl_page_wrap(page, FL_INK_PLAIN,
                 "'faultline help COMMAND' explains a command and gives examples.");
    fl_page_newline(page);
}

void fl_help_text(fl_buf *out, const fl_command *command, const fl_report_style *style)
{
    assert(out != NULL && style != NULL);
    fl_page page = fl_page_on(out, style);
    if (command != NULL)
        command_page(&page, command);
    else
        program_page(&page);
}
