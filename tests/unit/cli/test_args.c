#include "args.h"

#include "fl_test.h"

static const char *const formats[] = {"text", "json", NULL};

static const fl_option options[] = {
    {.name = "otlp",
     .letter = 'o',
     .kind = FL_OPTION_FOLDER,
     .required = true,
     .repeatable = true,
     .argument = "DIR",
     .help = "input"},
    {.name = "at", .kind = FL_OPTION_TIME, .argument = "TIME", .help = "when"},
    {.name = "window",
     .kind = FL_OPTION_DURATION,
     .argument = "DURATION",
     .fallback = "5m",
     .help = "how long"},
    {.name = "limit",
     .letter = 'n',
     .kind = FL_OPTION_COUNT,
     .argument = "N",
     .fallback = "20",
     .help = "how many"},
    {.name = "ratio", .kind = FL_OPTION_RATIO, .argument = "RATIO", .help = "how much"},
    {.name = "format",
     .kind = FL_OPTION_CHOICE,
     .argument = "FORMAT",
     .choices = formats,
     .fallback = "text",
     .help = "how"},
    {.name = "verbose", .letter = 'v', .kind = FL_OPTION_FLAG, .help = "more"},
    {.name = "quiet", .letter = 'q', .kind = FL_OPTION_FLAG, .help = "less"},
};

static const fl_operand operand = {.name = "ID", .help = "which"};
static const fl_operand path = {
    .name = "PATH", .help = "which", .required = true, .is_path = true, .more = "PATH"};
static const fl_command many = {.name = "many", .operand = &path};
static const fl_example example = {"faultline try --otlp DIR", "an example"};

static const fl_command command = {
    .name = "try",
    .options = options,
    .option_count = FL_COUNT(options),
    .operand = &operand,
    .examples = &example,
    .example_count = 1,
};

#define NOW_NS INT64_C(1674984859000000000)

static fl_error err;
static fl_args args;

/* Words divided by one blank each. */
static fl_status parse(const char *line)
{
    static char copy[8192];
    static char *words[1024];
    int count = 0;
    err = (fl_error){0};
    ck_assert_uint_lt(strlen(line), sizeof(copy));
    memcpy(copy, line, strlen(line) + 1);
    for (char *at = copy; *at != '\0';) {
        ck_assert_int_lt(count, 1024);
        words[count++] = at;
        at += strcspn(at, " ");
        if (*at == ' ')
            *at++ = '\0';
    }
    fl_status status = fl_args_parse(&args, &command, count, words, &err);
    return status == FL_OK ? fl_args_check(&args, NOW_NS, &err) : status;
}

START_TEST(values_stand_behind_a_blank_an_equals_sign_or_a_letter)
{
    static const char *const same[] = {"--otlp a --limit 7", "--limit=7 --otlp=a", "-o a -n 7",
                                       "-n7 -oa"};
    ck_assert_ok(parse(same[_i]));
    ck_assert_str_eq(fl_args_text(&args, "otlp"), "a");
    ck_assert_uint_eq(fl_args_count(&args, "limit"), 7);
}
END_TEST

START_TEST(what_is_not_given_has_its_fallback_or_nothing)
{
    ck_assert_ok(parse("-o a"));
    ck_assert_str_eq(fl_args_text(&args, "format"), "text");
    ck_assert_int_eq(fl_args_duration(&args, "window"), INT64_C(300000000000));
    ck_assert_uint_eq(fl_args_count(&args, "limit"), 20);
    ck_assert_ptr_null(fl_args_text(&args, "at"));
    ck_assert(!fl_args_has(&args, "limit"));
    ck_assert(!fl_args_flag(&args, "verbose"));
}
END_TEST

START_TEST(a_repeated_option_is_a_list_and_another_is_replaced)
{
    const char *list[FL_MAX_GIVEN];
    ck_assert_ok(parse("--otlp a --limit 1 -o b --limit 2"));
    ck_assert_uint_eq(fl_args_list(&args, "otlp", list), 2);
    ck_assert_str_eq(list[0], "a");
    ck_assert_str_eq(list[1], "b");
    ck_assert_uint_eq(fl_args_count(&args, "limit"), 2);
}
END_TEST

START_TEST(flags_of_one_letter_stand_together_and_the_last_may_have_a_value)
{
    ck_assert_ok(parse("-vqoa"));
    ck_assert(fl_args_flag(&args, "verbose"));
    ck_assert(fl_args_flag(&args, "quiet"));
    ck_assert_str_eq(fl_args_text(&args, "otlp"), "a");
}
END_TEST

START_TEST(operands_stand_anywhere_and_two_dashes_end_the_options)
{
    ck_assert_ok(parse("3f9a -o a"));
    ck_assert_str_eq(args.operand, "3f9a");
    ck_assert_ok(parse("-o a -- --limit"));
    ck_assert_str_eq(args.operand, "--limit");
    ck_assert_ok(parse("-o a -"));
    ck_assert_str_eq(args.operand, "-");
}
END_TEST

START_TEST(further_operands_are_kept_in_order_where_the_table_names_them)
{
    static char word[] = "x";
    static char *words[FL_MAX_OPERANDS + 2];
    char first[] = "a", end[] = "--", dash[] = "-b", last[] = "c";
    char *few[] = {first, end, dash, last};
    ck_assert_ok(fl_args_parse(&args, &many, 4, few, &err));
    ck_assert_str_eq(args.operand, "a");
    ck_assert_uint_eq(args.more_count, 2);
    ck_assert_str_eq(args.more[0], "-b");
    ck_assert_str_eq(args.more[1], "c");
    for (size_t i = 0; i < FL_MAX_OPERANDS + 2; i++)
        words[i] = word;
    ck_assert_ok(fl_args_parse(&args, &many, FL_MAX_OPERANDS + 1, words, &err));
    ck_assert_fails(FL_E_SYNTAX, fl_args_parse(&args, &many, FL_MAX_OPERANDS + 2, words, &err));
    ck_assert_str_eq(err.message, "more than 4096 PATH: name their folder");
}
END_TEST

START_TEST(a_value_may_look_like_an_option)
{
    ck_assert_ok(parse("--otlp --limit --at -2h"));
    ck_assert_str_eq(fl_args_text(&args, "otlp"), "--limit");
    ck_assert_str_eq(fl_args_text(&args, "at"), "-2h");
}
END_TEST

static const struct {
    const char *line, *message;
} bad[] = {
    {"", "option --otlp DIR is missing, as in: faultline try --otlp DIR"},
    {"--oltp a", "unknown option '--oltp'; did you mean '--otlp'?"},
    {"--otpl=a", "unknown option '--otpl'; did you mean '--otlp'?"},
    {"--formt json", "unknown option '--formt'; did you mean '--format'?"},
    {"--zzzzzzzz", "unknown option '--zzzzzzzz'"},
    {"-z", "unknown option '-z'"},
    {"-vz", "unknown option '-z'"},
    {"-\xff", "unknown option '-?'"},
    {"--otlp", "option --otlp needs a value: DIR"},
    {"-v -o", "option -o needs a value: DIR"},
    {"--verbose=yes -o a", "option --verbose takes no value"},
    {"--otlp= x", "option --otlp is empty"},
    {"-o a x y", "one ID is enough: 'x' and 'y'"},
    {"-o a --limit -3", "option --limit: '-3' is not a whole number"},
    {"-o a --limit 3x", "option --limit: '3x' is not a whole number"},
    {"-o a --ratio 1.5", "option --ratio: '1.5' is not a number from 0 to 1"},
    {"-o a --ratio NaN", "option --ratio: 'NaN' is not a number from 0 to 1"},
    {"-o a --format xml", "option --format is 'xml'; choose one of: text, json"},
    {"-o a --at soon", "option --at: time 'soon' is not RFC 3339, -DURATION or an epoch"},
};

START_TEST(a_misuse_is_explained)
{
    ck_assert_fails(FL_E_SYNTAX, parse(bad[_i].line));
    ck_assert_str_eq(err.message, bad[_i].message);
}
END_TEST

START_TEST(more_options_than_anyone_types_are_refused)
{
    static char line[4 * (FL_MAX_GIVEN + 2)];
    for (size_t i = 0; i <= FL_MAX_GIVEN; i++)
        memcpy(line + 3 * i, "-v ", 4);
    ck_assert_fails(FL_E_SYNTAX, parse(line));
    ck_assert_str_eq(err.message, "more than 256 options");
}
END_TEST

START_TEST(the_nearest_name_is_found_by_edits)
{
    static const char *const names[] = {"triage", "drill", "incidents", "show", "help"};
    ck_assert_str_eq(fl_nearest("traige", names, 5), "triage"); /* a swap is one edit */
    ck_assert_str_eq(fl_nearest("incident", names, 5), "incidents");
    ck_assert_str_eq(fl_nearest("hlep", names, 5), "help");
    ck_assert_ptr_null(fl_nearest("postmortem", names, 5));
    ck_assert_ptr_null(fl_nearest("", names, 5));
    ck_assert_ptr_null(fl_nearest("a word that is far longer than any name that a command could"
                                  " have here",
                                  names, 5));
}
END_TEST

static Suite *args_suite(void)
{
    Suite *suite = suite_create("cli/args");
    TCase *cases = tcase_create("args");
    tcase_add_loop_test(cases, values_stand_behind_a_blank_an_equals_sign_or_a_letter, 0, 4);
    tcase_add_test(cases, what_is_not_given_has_its_fallback_or_nothing);
    tcase_add_test(cases, a_repeated_option_is_a_list_and_another_is_replaced);
    tcase_add_test(cases, flags_of_one_letter_stand_together_and_the_last_may_have_a_value);
    tcase_add_test(cases, operands_stand_anywhere_and_two_dashes_end_the_options);
    tcase_add_test(cases, further_operands_are_kept_in_order_where_the_table_names_them);
    tcase_add_test(cases, a_value_may_look_like_an_option);
    tcase_add_loop_test(cases, a_misuse_is_explained, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, more_options_than_anyone_types_are_refused);
    tcase_add_test(cases, the_nearest_name_is_found_by_edits);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(args_suite)
