#include "terminal.h"

#include "fl_test.h"

static const struct {
    fl_terminal_facts facts;
    bool color, unicode;
    size_t width;
} styles[] = {
    {{0}, false, false, 0},
    {{.is_terminal = true}, false, false, 0}, /* TERM is not set */
    {{.is_terminal = true, .term = "xterm", .width = 90}, true, false, 90},
    {{.is_terminal = true, .term = "dumb", .width = 90}, false, false, 90},
    {{.is_terminal = true, .term = "xterm", .no_color = "1"}, false, false, 0},
    {{.is_terminal = true, .term = "xterm", .no_color = ""}, true, false, 0},
    {{.term = "xterm", .force_color = "1"}, true, false, 0},
    {{.term = "xterm", .force_color = "0"}, false, false, 0},
    {{.is_terminal = true, .term = "xterm", .force_color = "0"}, false, false, 0},
    {{.force_color = "1", .no_color = "1"}, false, false, 0},
    {{.is_terminal = true, .term = "xterm", .lang = "de_DE.UTF-8"}, true, true, 0},
    {{.is_terminal = true, .term = "xterm", .lang = "C.utf8"}, true, true, 0},
    {{.is_terminal = true, .term = "xterm", .lang = "C.UTF-8", .lc_all = "C"}, true, false, 0},
    {{.lang = "C.UTF-8"}, false, false, 0}, /* not a terminal: plain */
    {{.is_terminal = true, .width = 90, .columns = "70"}, false, false, 70},
    {{.is_terminal = true, .width = 90, .columns = "many"}, false, false, 90},
    {{.is_terminal = true, .width = 400}, false, false, 200},
    {{.width = 90, .columns = "70"}, false, false, 0},
};

START_TEST(the_style_follows_the_terminal_and_the_environment)
{
    fl_report_style style = fl_terminal_style(&styles[_i].facts);
    ck_assert_int_eq(style.color, styles[_i].color);
    ck_assert_int_eq(style.unicode, styles[_i].unicode);
    ck_assert_uint_eq(style.width, styles[_i].width);
}
END_TEST

static fl_report_style overridden(fl_report_style style, char *option)
{
    fl_args args;
    ck_assert_int_eq(fl_args_parse(&args, NULL, 1, &option, NULL), FL_OK);
    fl_terminal_override(&style, &args);
    return style;
}

START_TEST(options_are_stronger_than_the_environment)
{
    char color[] = "--color", no_color[] = "--no-color";
    ck_assert(overridden((fl_report_style){0}, color).color);
    ck_assert(!overridden((fl_report_style){.color = true}, no_color).color);
}
END_TEST

START_TEST(progress_is_silent_within_the_first_second_and_off_a_terminal)
{
    char text[256] = "";
    FILE *err = fmemopen(text, sizeof(text), "w");
    fl_cli cli = {.out = stdout, .err = err, .progress = true};
    fl_progress progress = fl_progress_begin(&cli);
    fl_progress_show(&progress, "reading", 1, 2);
    fl_progress_end(&progress);
    fflush(err);
    ck_assert_str_eq(text, "");
    cli.progress = false;
    progress.started_ns -= INT64_C(2000000000);
    fl_progress_show(&progress, "reading", 1, 2);
    fl_progress_end(&progress);
    fflush(err);
    ck_assert_str_eq(text, "");
    fclose(err);
}
END_TEST

START_TEST(progress_shows_after_a_second_and_leaves_no_trace)
{
    char text[256] = "";
    FILE *err = fmemopen(text, sizeof(text), "w");
    fl_cli cli = {.out = stdout, .err = err, .progress = true};
    fl_progress progress = fl_progress_begin(&cli);
    progress.started_ns -= INT64_C(2000000000);
    fl_progress_show(&progress, "reading \033[31mlogs", 1, 4);
    fl_progress_show(&progress, "reading again at once", 2, 4);
    fl_progress_end(&progress);
    fflush(err);
    ck_assert_str_eq(text, "\r\033[Kreading ?[31mlogs 25 %\r\033[K");
    fclose(err);
}
END_TEST

static Suite *terminal_suite(void)
{
    Suite *suite = suite_create("cli/terminal");
    TCase *cases = tcase_create("terminal");
    tcase_add_loop_test(cases, the_style_follows_the_terminal_and_the_environment, 0,
                        sizeof(styles) / sizeof(styles[0]));
    tcase_add_test(cases, options_are_stronger_than_the_environment);
    tcase_add_test(cases, progress_is_silent_within_the_first_second_and_off_a_terminal);
    tcase_add_test(cases, progress_shows_after_a_second_and_leaves_no_trace);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(terminal_suite)
