/*
 * completion.c - completion scripts for bash, zsh and fish, from the command table.
 *
 * The words in the table are letters, digits and hyphens, and help texts hold no quotes that a
 * shell would obey: fl_completion() asserts the first, quoted() takes care of the second.
 *
 * A script is static text: completing starts no process, so it is as quick in a large folder as in
 * a small one, and it can be installed with the package. Each offers commands first, then the
 * options of the command that was typed, then the choices or files that an option takes.
 */
#include <assert.h>
#include <string.h>

#include "args.h"
#include "help.h"

const char *const fl_shells[] = {"bash", "zsh", "fish", NULL};

/* In single quotes for bash, zsh and fish alike: a quote is left, escaped and entered again. */
static void quoted(fl_buf *out, const char *text)
{
    fl_buf_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fl_buf_text(out, "'\\''");
        else
            fl_buf_char(out, *text);
    }
    fl_buf_char(out, '\'');
}

/* Divided by spaces; a table that ends with NULL. */
static void words(fl_buf *out, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++)
        fl_buf_printf(out, "%s%s", i > 0 ? " " : "", list[i]);
}

/* As words(), of all commands. */
static void command_words(fl_buf *out)
{
    for (size_t i = 0; i < fl_command_count; i++)
        fl_buf_printf(out, "%s%s", i > 0 ? " " : "", fl_commands[i]->name);
}

/* All but flags. */
static bool takes_value(const fl_option *option)
{
    return option->kind != FL_OPTION_FLAG;
}

/* A file is offered for a folder too: --otlp takes both. */
static bool takes_path(const fl_option *option)
{
    return option->kind == FL_OPTION_FILE || option->kind == FL_OPTION_FOLDER;
}

/* The words of the one operand: its choices, or for `help` the commands. */
static void operand_words(fl_buf *out, const fl_command *command)
{
    const char *choices[FL_MAX_CHOICES + 1];
    if (command->operand == NULL)
        return;
    if (fl_operand_choices(command->operand, choices) > 0)
        words(out, choices);
    else if (strcmp(command->operand->name, "COMMAND") == 0)
        command_words(out);
}

/* Further operands are files in every command that takes some. */
static bool takes_files(const fl_command *command)
{
    return command->operand != NULL &&
           (command->operand->is_path || command->operand->more != NULL);
}

/* What may follow an option that takes a value; keyed by command, since options differ. */
static void bash_values(fl_buf *out, const fl_command *command)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const fl_option *option = &command->options[i];
        if (!takes_value(option))
            continue;
        fl_buf_printf(out, "    %s:--%s", command->name, option->name);
        if (option->letter != 0)
            fl_buf_printf(out, " | %s:-%c", command->name, option->letter);
        fl_buf_text(out, ")\n");
        if (takes_path(option)) {
            fl_buf_text(out, "        compopt -o filenames\n"
                             "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n");
        } else if (option->choices != NULL) {
            fl_buf_text(out, "        mapfile -t COMPREPLY < <(compgen -W '");
            words(out, option->choices);
            fl_buf_text(out, "' -- \"$cur\")\n");
        }
        fl_buf_text(out, "        return\n        ;;\n");
    }
}

/* What may stand where no value is due. */
static void bash_words(fl_buf *out, const fl_command *command)
{
    fl_buf_printf(out, "    %s) words='", command != NULL ? command->name : "''");
    if (command == NULL)
        command_words(out);
    else
        operand_words(out, command);
    for (size_t i = 0; command != NULL && i < command->option_count; i++)
        fl_buf_printf(out, " --%s", command->options[i].name);
    for (size_t i = 0; i < fl_common_option_count; i++)
        fl_buf_printf(out, " --%s", fl_common_options[i].name);
    fl_buf_printf(out, "'%s ;;\n", command != NULL && takes_files(command) ? " files=yes" : "");
}

/* compgen and mapfile: bash 4 or later. */
static void bash(fl_buf *out)
{
    fl_buf_text(out, "# bash completion for faultline; made by: faultline completion bash\n"
                     "_faultline()\n{\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "    local command='' words='' files='' i\n"
                     "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                     "        case ${COMP_WORDS[i]} in\n        ");
    for (size_t i = 0; i < fl_command_count; i++)
        fl_buf_printf(out, "%s%s", i > 0 ? " | " : "", fl_commands[i]->name);
    fl_buf_text(out, ")\n            command=${COMP_WORDS[i]}\n            break\n"
                     "            ;;\n        esac\n    done\n    COMPREPLY=()\n"
                     "    case $command:$prev in\n");
    for (size_t i = 0; i < fl_command_count; i++)
        bash_values(out, fl_commands[i]);
    fl_buf_text(out, "    esac\n    case $command in\n");
    bash_words(out, NULL);
    for (size_t i = 0; i < fl_command_count; i++)
        bash_words(out, fl_commands[i]);
    fl_buf_text(out,
                "    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                "    if [[ -n $files && $cur != -* ]]; then\n"
                "        compopt -o filenames\n"
                "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\")\n"
                "    fi\n}\n"
                "complete -F _faultline faultline\n");
}

/* In a zsh _arguments spec, brackets and colons have a meaning. */
static void zsh_help(fl_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
            fl_buf_char(out, '\\');
        if (*text == '\'')
            fl_buf_text(out, "'\\''");
        else
            fl_buf_char(out, *text);
    }
}

/* One spec of _arguments: '*--name=[help]:value:action'. */
static void zsh_option(fl_buf *out, const fl_option *option)
{
    assert(strchr(option->name, '\'') == NULL);
    fl_buf_printf(out, "            '%s--%s%s[", option->repeatable ? "*" : "", option->name,
                  takes_value(option) ? "=" : "");
    zsh_help(out, option->help);
    fl_buf_char(out, ']');
    if (takes_value(option)) {
        fl_buf_printf(out, ":%s:", option->argument);
        if (takes_path(option)) {
            fl_buf_text(out, "_files");
        } else if (option->choices != NULL) {
            fl_buf_char(out, '(');
            words(out, option->choices);
            fl_buf_char(out, ')');
        }
    }
    fl_buf_text(out, "' \\\n");
}

/* The first operand, and those that may follow it. */
static void zsh_operands(fl_buf *out, const fl_command *command)
{
    const fl_operand *operand = command->operand;
    fl_buf_printf(out, "            '1:%s:", operand->name);
    if (operand->is_path) {
        fl_buf_text(out, "_files");
    } else {
        fl_buf_char(out, '(');
        operand_words(out, command);
        fl_buf_char(out, ')');
    }
    fl_buf_text(out, operand->more != NULL ? "' \\\n" : "'\n");
    if (operand->more != NULL)
        fl_buf_printf(out, "            '*:%s:_files'\n", operand->more);
}

/* The last spec has no line that goes on. */
static void zsh_command(fl_buf *out, const fl_command *command)
{
    fl_buf_printf(out, "    %s)\n        _arguments \\\n", command->name);
    for (size_t i = 0; i < command->option_count; i++)
        zsh_option(out, &command->options[i]);
    for (size_t i = 0; i < fl_common_option_count; i++)
        zsh_option(out, &fl_common_options[i]);
    if (command->operand != NULL) {
        zsh_operands(out, command);
    } else {
        fl_buf_text(out, "            && return\n");
    }
    fl_buf_text(out, "        ;;\n");
}

/* Works sourced and as a file in $fpath: the last lines tell which. */
static void zsh(fl_buf *out)
{
    fl_buf_text(out, "#compdef faultline\n# zsh completion for faultline; made by: faultline"
                     " completion zsh\n_faultline()\n{\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; i < fl_command_count; i++) {
        fl_buf_printf(out, "        '%s:", fl_commands[i]->name);
        zsh_help(out, fl_commands[i]->summary);
        fl_buf_text(out, "'\n");
    }
    fl_buf_text(out, "    )\n    if ((CURRENT == 2)); then\n"
                     "        _describe -t commands 'faultline command' commands\n        return\n"
                     "    fi\n    local command=$words[2]\n    shift words\n    ((CURRENT--))\n"
                     "    case $command in\n");
    for (size_t i = 0; i < fl_command_count; i++)
        zsh_command(out, fl_commands[i]);
    fl_buf_text(out, "    esac\n}\nif [[ $funcstack[1] == _faultline ]]; then\n"
                     "    _faultline \"$@\"\nelse\n    compdef _faultline faultline\nfi\n");
}

/* `condition` says when the option is offered; "" for always. */
static void fish_option(fl_buf *out, const char *condition, const fl_option *option)
{
    fl_buf_printf(out, "complete -c faultline%s -l %s", condition, option->name);
    if (option->letter != 0)
        fl_buf_printf(out, " -s %c", option->letter);
    if (takes_path(option)) {
        fl_buf_text(out, " -r -F");
    } else if (option->choices != NULL) {
        fl_buf_text(out, " -x -a '");
        words(out, option->choices);
        fl_buf_char(out, '\'');
    } else if (takes_value(option)) {
        fl_buf_text(out, " -x");
    }
    fl_buf_text(out, " -d ");
    quoted(out, option->help);
    fl_buf_char(out, '\n');
}

/* One `complete` for each option, with the condition under which it is offered. */
static void fish(fl_buf *out)
{
    fl_buf_text(out, "# fish completion for faultline; made by: faultline completion fish\n"
                     "complete -c faultline -f\n");
    for (size_t i = 0; i < fl_common_option_count; i++)
        fish_option(out, "", &fl_common_options[i]);
    for (size_t i = 0; i < fl_command_count; i++) {
        const fl_command *command = fl_commands[i];
        char condition[96];
        fl_buf_printf(out, "complete -c faultline -n __fish_use_subcommand -a %s -d ",
                      command->name);
        quoted(out, command->summary);
        fl_buf_char(out, '\n');
        snprintf(condition, sizeof(condition), " -n '__fish_seen_subcommand_from %s'",
                 command->name);
        for (size_t k = 0; k < command->option_count; k++)
            fish_option(out, condition, &command->options[k]);
        if (command->operand == NULL)
            continue;
        fl_buf_printf(out, "complete -c faultline%s%s -a '", condition,
                      takes_files(command) ? " -F" : "");
        operand_words(out, command);
        fl_buf_text(out, "'\n");
    }
}

void fl_completion(fl_buf *out, const char *shell)
{
    assert(shell != NULL);
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    for (size_t i = 0; i < fl_command_count; i++)
        assert(strspn(fl_commands[i]->name, letters) == strlen(fl_commands[i]->name));
    if (strcmp(shell, "bash") == 0)
        bash(out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(out);
    else
        fish(out);
}
