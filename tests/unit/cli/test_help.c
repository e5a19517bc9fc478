#include "help.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "args.h"

#include "fl_test.h"

static fl_buf out;
static char path[] = "/tmp/fl_help_XXXXXX";

static void setup(void)
{
    out = fl_buf_of(FL_MAX_HELP_BYTES);
    memcpy(path, "/tmp/fl_help_XXXXXX", sizeof(path));
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void teardown(void)
{
    fl_buf_dispose(&out);
    unlink(path);
}

/* Run `command` with the buffer in the file $FL_PAGE; its exit code, or -1 where the program is not
 * installed. */
static int check_with(const char *program, const char *command)
{
    char line[512];
    snprintf(line, sizeof(line), "command -v %s >/dev/null", program);
    if (system(line) != 0)
        return -1;
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(out.ptr, 1, out.len, file), out.len);
    fclose(file);
    setenv("FL_PAGE", path, 1);
    int result = system(command);
    return WIFEXITED(result) ? WEXITSTATUS(result) : 99;
}

/* Every name in the table is said by its page. */
static void check_says_all(const fl_command *command, const char *text, const char *dashes)
{
    char label[64];
    ck_assert_ptr_nonnull(strstr(text, command->name));
    for (size_t i = 0; i < command->option_count; i++) {
        snprintf(label, sizeof(label), "%s%s", dashes, command->options[i].name);
        for (char *at = label + strlen(dashes); strlen(dashes) > 2 && *at != '\0'; at++)
            if (*at == '-') { /* roff writes a hyphen as \- */
                memmove(at + 1, at, strlen(at) + 1);
                *at++ = '\\';
            }
        ck_assert_msg(strstr(text, label) != NULL, "%s is not in the page of %s", label,
                      command->name);
    }
}

START_TEST(help_says_every_option_and_exit_code)
{
    const fl_command *command = fl_commands[_i];
    fl_help_text(&out, command, &(fl_report_style){0});
    ck_assert_int_eq(out.status, FL_OK);
    check_says_all(command, out.ptr, "--");
    for (size_t i = 0; i < command->exit_count; i++) {
        char line[256];
        snprintf(line, sizeof(line), "\n  %d  %.20s", (int)command->exits[i].code,
                 command->exits[i].when);
        ck_assert_msg(strstr(out.ptr, line) != NULL, "%s is not in the page", line);
    }
}
END_TEST

START_TEST(help_of_the_program_names_every_command)
{
    fl_help_text(&out, NULL, &(fl_report_style){0});
    for (size_t i = 0; i < fl_command_count; i++)
        ck_assert_ptr_nonnull(strstr(out.ptr, fl_commands[i]->summary));
}
END_TEST

START_TEST(a_man_page_says_every_option_and_passes_groff)
{
    const fl_command *command = (size_t)_i < fl_command_count ? fl_commands[_i] : NULL;
    fl_help_man(&out, command);
    ck_assert_int_eq(out.status, FL_OK);
    if (command != NULL)
        check_says_all(command, out.ptr, "\\-\\-");
    int code = check_with("groff", "test -z \"$(groff -man -Tutf8 -ww -z $FL_PAGE 2>&1)\"");
    ck_assert_msg(code == 0 || code == -1, "groff complains about the page");
}
END_TEST

static const struct {
    const char *shell, *command;
} syntax[] = {
    {"bash", "bash -n \"$FL_PAGE\""},
    {"zsh", "zsh -n \"$FL_PAGE\""},
    {"fish", "fish -n \"$FL_PAGE\""},
};

START_TEST(a_completion_script_is_one_that_its_shell_reads)
{
    fl_completion(&out, syntax[_i].shell);
    ck_assert_int_eq(out.status, FL_OK);
    for (size_t i = 0; i < fl_command_count; i++)
        ck_assert_ptr_nonnull(strstr(out.ptr, fl_commands[i]->name));
    int code = check_with(syntax[_i].shell, syntax[_i].command);
    ck_assert_msg(code == 0 || code == -1, "%s refuses its script", syntax[_i].shell);
}
END_TEST

/* The words typed so far, the last one being completed, and a word that is offered, or is not. */
static const struct {
    const char *words, *offered, *not_offered;
} typed[] = {
    {"faultline tri", "triage", "drill"},
    {"faultline triage --ba", "--baseline", "--otlp"},
    {"faultline triage --format j", "json", "text"},
    {"faultline drill --", "--min-ac1", "--topology"},
    {"faultline completion z", "zsh", "bash"},
    {"faultline help inc", "incidents", "triage"},
};

START_TEST(bash_completes_from_the_table)
{
    char command[512];
    fl_completion(&out, "bash");
    snprintf(command, sizeof(command),
             "bash -c 'source $FL_PAGE; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));"
             " _faultline; w=\" ${COMPREPLY[*]} \"; [[ $w == *\" %s \"* && $w != *\" %s \"* ]]'",
             typed[_i].words, typed[_i].offered, typed[_i].not_offered);
    ck_assert_int_le(check_with("bash", command), 0);
}
END_TEST

START_TEST(fish_completes_from_the_table)
{
    char command[512];
    fl_completion(&out, "fish");
    snprintf(command, sizeof(command),
             "env HOME=/nonexistent fish --no-config -c 'source $FL_PAGE; complete -C \"%s\"'"
             " 2>/dev/null | cut -f1 | grep -qx -e '%s'",
             typed[_i].words, typed[_i].offered);
    ck_assert_int_le(check_with("fish", command), 0);
}
END_TEST

START_TEST(the_table_is_sound)
{
    for (size_t c = 0; c < fl_command_count; c++) {
        const fl_command *command = fl_commands[c];
        ck_assert_ptr_eq(fl_command_find(command->name), command);
        ck_assert(command->run != NULL);
        ck_assert_uint_gt(command->exit_count, 0);
        ck_assert(!isupper((unsigned char)command->summary[0]));
        for (size_t i = 0; i < command->option_count; i++) {
            const fl_option *option = &command->options[i];
            ck_assert_ptr_eq(fl_option_find(command, option->name), option);
            ck_assert_msg((option->kind == FL_OPTION_FLAG) == (option->argument == NULL),
                          "--%s of %s: a value has a name, a flag has none", option->name,
                          command->name);
            ck_assert((option->kind == FL_OPTION_CHOICE) == (option->choices != NULL));
            ck_assert(!option->required || option->fallback == NULL);
            ck_assert(option->help[strlen(option->help) - 1] != '.');
        }
        for (size_t i = 0; i < command->example_count; i++)
            ck_assert(strncmp(command->examples[i].line, "faultline ", 10) == 0);
    }
}
END_TEST

static Suite *help_suite(void)
{
    Suite *suite = suite_create("cli/help");
    TCase *cases = tcase_create("help");
    int commands = (int)fl_command_count;
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, help_says_every_option_and_exit_code, 0, commands);
    tcase_add_test(cases, help_of_the_program_names_every_command);
    tcase_add_loop_test(cases, a_man_page_says_every_option_and_passes_groff, 0, commands + 1);
    tcase_add_loop_test(cases, a_completion_script_is_one_that_its_shell_reads, 0, 3);
    tcase_add_loop_test(cases, bash_completes_from_the_table, 0, sizeof(typed) / sizeof(typed[0]));
    tcase_add_loop_test(cases, fish_completes_from_the_table, 0, sizeof(typed) / sizeof(typed[0]));
    tcase_add_test(cases, the_table_is_sound);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(help_suite)
