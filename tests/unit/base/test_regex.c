#include "regex.h"

#include "fl_test.h"
#include "mem.h"
#include "timestamp.h"

static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
}

static const struct {
    fl_slice pattern;
    fl_slice text;
    bool ignore_case;
    bool matched;
} matches[] = {
    {BYTES_INIT("pool"), BYTES_INIT("connection pool exhausted"), false, true},
    {BYTES_INIT("^pool"), BYTES_INIT("connection pool exhausted"), false, false},
    {BYTES_INIT("POOL"), BYTES_INIT("connection pool exhausted"), false, false},
    {BYTES_INIT("POOL"), BYTES_INIT("connection pool exhausted"), true, true},
    {BYTES_INIT("^(\\S+) took (\\d+)ms$"), BYTES_INIT("GET took 123ms"), false, true},
    {BYTES_INIT(""), BYTES_INIT(""), false, true},
    {BYTES_INIT(""), BYTES_INIT("x"), false, true},
    {BYTES_INIT("x"), BYTES_INIT(""), false, false},
    {BYTES_INIT("a.b"), BYTES_INIT("a\0b"), false, true},
    {BYTES_INIT("^.$"), BYTES_INIT("\xc3\xa9"), false, true},
    {BYTES_INIT("\xc3\x89"), BYTES_INIT("caf\xc3\xa9"), true, true},
    {BYTES_INIT("\\x{1F600}"), BYTES_INIT("\xf0\x9f\x98\x80"), false, true},
    /* not UTF-8: nothing matches the broken bytes, the rest is searched */
    {BYTES_INIT("^.$"), BYTES_INIT("\xff"), false, false},
    {BYTES_INIT("."), BYTES_INIT("\xff\xfe\xc3"), false, false},
    {BYTES_INIT("timeout"), BYTES_INIT("\xff\xff timeout \xc3"), false, true},
    {BYTES_INIT("ab"),
     BYTES_INIT("a\x80"
                "b"),
     false, false},
    {BYTES_INIT("x$"), BYTES_INIT("\xed\xa0\x80x"), false, true},
};

START_TEST(a_pattern_matches_what_it_says)
{
    fl_regex *regex;
    bool matched = !matches[_i].matched;
    ck_assert_ok(fl_regex_create(&regex, matches[_i].pattern, matches[_i].ignore_case, &err));
    for (int i = 0; i < 150; i++) { /* the interpreter, then the JIT */
        ck_assert_ok(fl_regex_match(&matched, regex, matches[_i].text, &err));
        ck_assert_int_eq(matched, matches[_i].matched);
    }
    fl_regex_destroy(regex);
}
END_TEST

static const struct {
    const char *pattern, *text;
    size_t start;
    fl_regex_span span;
} places[] = {
    {"o+", "foo boo", 0, {true, 1, 2, 3}},
    {"o+", "foo boo", 3, {true, 5, 2, 7}},
    {"o+", "foo boo", 7, {false, 0, 0, 0}},
    {"key=(\\w+);", "a key=value;", 0, {true, 6, 5, 12}}, /* the group's place, the whole's end */
    {"a(b)?c(d)", "acd", 0, {true, 0, 3, 3}},             /* the first took no part */
    {"(?|x(1)|y(2))", "y2", 0, {true, 1, 1, 2}},
    {"(a)(b)(c)", "abc", 0, {true, 0, 1, 3}},
    {"(?<=x)y", "xy", 1, {true, 1, 1, 2}}, /* what stands before is seen */
    {"", "ab", 2, {true, 2, 0, 2}},
    {"x\\Ky", "xy", 0, {true, 1, 1, 2}},
};

START_TEST(a_match_is_found_where_it_stands)
{
    fl_regex *regex;
    fl_regex_span span;
    ck_assert_ok(fl_regex_create(&regex, SLICE(places[_i].pattern), false, &err));
    for (int i = 0; i < 150; i++) { /* the interpreter, then the JIT */
        ck_assert_ok(fl_regex_find(&span, regex, SLICE(places[_i].text), places[_i].start, &err));
        ck_assert_int_eq(span.found, places[_i].span.found);
        ck_assert_uint_eq(span.from, places[_i].span.from);
        ck_assert_uint_eq(span.len, places[_i].span.len);
        ck_assert_uint_eq(span.end, places[_i].span.end);
    }
    fl_regex_destroy(regex);
}
END_TEST

static const struct {
    fl_slice pattern;
    fl_status status;
    uint64_t offset;
    const char *message;
} malformed[] = {
    {BYTES_INIT("a(b"), FL_E_SYNTAX, 3, "pattern 'a(b': missing closing parenthesis"},
    {BYTES_INIT("a)"), FL_E_SYNTAX, 1, "pattern 'a)': unmatched closing parenthesis"},
    {BYTES_INIT("[a"), FL_E_SYNTAX, 2, "pattern '[a': missing terminating ] for character class"},
    {BYTES_INIT("*"), FL_E_SYNTAX, 0, "pattern '*': quantifier does not follow a repeatable item"},
    {BYTES_INIT("a\\"), FL_E_SYNTAX, 2, "pattern 'a\\': \\ at end of pattern"},
    {BYTES_INIT("a{5,2}"), FL_E_SYNTAX, 5,
     "pattern 'a{5,2}': numbers out of order in {} quantifier"},
    {BYTES_INIT("a\\Cb"), FL_E_SYNTAX, 3,
     "pattern 'a\\Cb': using \\C is disabled by the application"},
    {BYTES_INIT("ab\xff\x1b[0m"), FL_E_SYNTAX, 2,
     "pattern 'ab??[0m': UTF-8 error: illegal byte (0xfe or 0xff)"},
    {BYTES_INIT("(?:(?:(?:a{1000}){1000}){1000})"), FL_E_LIMIT, 31,
     "pattern '(?:(?:(?:a{1000}){1000}){1000})': regular expression is too large"},
};

START_TEST(a_malformed_pattern_is_named_with_the_reason)
{
    fl_regex *regex;
    ck_assert_fails(malformed[_i].status,
                    fl_regex_create(&regex, malformed[_i].pattern, false, &err));
    ck_assert_ptr_null(regex);
    ck_assert_str_eq(err.message, malformed[_i].message);
    ck_assert_uint_eq(err.offset, malformed[_i].offset);
}
END_TEST

START_TEST(patterns_that_are_too_long_or_too_deep_are_refused)
{
    static char text[FL_REGEX_MAX_PATTERN_BYTES + 1];
    fl_regex *regex;
    memset(text, 'a', sizeof(text));
    fl_slice pattern = {(unsigned char *)text, sizeof(text)};
    ck_assert_fails(FL_E_LIMIT, fl_regex_create(&regex, pattern, false, &err));
    ck_assert_str_eq(err.message, "a pattern of 16385 bytes is longer than 16384");
    err = (fl_error){0};
    pattern.len--;
    ck_assert_ok(fl_regex_create(&regex, pattern, false, &err));
    fl_regex_destroy(regex);
    memset(text, '(', 300);
    memset(text + 300, ')', 300);
    pattern.len = 600;
    ck_assert_fails(FL_E_SYNTAX, fl_regex_create(&regex, pattern, false, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "parentheses are too deeply nested"));
}
END_TEST

/* Each takes exponential or high polynomial time on its text where nothing ends it. */
static const struct {
    const char *pattern;
    const char *unit;
} catastrophic[] = {
    {"(a+)+$", "a"},
    {"(a|aa)+$", "a"},
    {"^(([a-z])+.)+[A-Z]([a-z])+$", "a"},
    {"(.*)*x\\d$", "y"},
    {"(x+x+)+y", "x"},
    {"(*NO_JIT)(a+)+$", "a"},
    {"^(?:a?){50}a{50}$", "a"},
    {"(*LIMIT_MATCH=4000000000)(a+)+$", "a"},
};

START_TEST(a_catastrophic_pattern_is_ended_quickly)
{
    static unsigned char text[50001];
    memset(text, catastrophic[_i].unit[0], sizeof(text) - 1);
    text[sizeof(text) - 1] = '!';
    fl_regex *regex;
    bool matched = true;
    ck_assert_ok(fl_regex_create(&regex, SLICE(catastrophic[_i].pattern), false, &err));
    int64_t start_ns = fl_time_monotonic();
    fl_status status = fl_regex_match(&matched, regex, (fl_slice){text, sizeof(text)}, &err);
    ck_assert_int_lt(fl_time_monotonic() - start_ns, 5 * FL_NS_PER_S);
    ck_assert(!matched);
    if (status != FL_OK) {
        ck_assert_fails(FL_E_LIMIT, status);
        ck_assert_ptr_nonnull(strstr(err.message, "backtracks too much on a text of 50001 bytes"));
    }
    if (_i == 0)
        ck_assert_fails(FL_E_LIMIT, status);
    fl_regex_destroy(regex);
}
END_TEST

/* More rounds of a group than the JIT's stack holds: the interpreter takes over. */
START_TEST(a_long_match_does_not_fail_for_the_jit_stack)
{
    static unsigned char text[20000];
    memset(text, 'a', sizeof(text));
    fl_regex *regex;
    bool matched = false;
    ck_assert_ok(fl_regex_create(&regex, BYTES("^(?:a|b(c))*$"), false, &err));
    ck_assert_ok(fl_regex_match(&matched, regex, (fl_slice){text, sizeof(text)}, &err));
    ck_assert(matched);
    fl_regex_destroy(regex);
}
END_TEST

START_TEST(a_pattern_that_is_used_often_is_translated_and_matches_as_before)
{
    fl_regex *regex;
    bool matched;
    ck_assert_ok(fl_regex_create(&regex, BYTES("^(\\w+)=(?:x|y)*$"), false, &err));
    ck_assert(!fl_regex_is_jit(regex));
    for (int i = 0; i < 200; i++) {
        ck_assert_ok(fl_regex_match(&matched, regex, BYTES("key=xyxyxy"), &err));
        ck_assert(matched);
        ck_assert_ok(fl_regex_match(&matched, regex, BYTES("key=z"), &err));
        ck_assert(!matched);
        if (i == 10)
            ck_assert(!fl_regex_is_jit(regex));
    }
#if defined(__x86_64__) || defined(__aarch64__) /* others may have no JIT */
    ck_assert(fl_regex_is_jit(regex));
#endif
    fl_regex_destroy(regex);
}
END_TEST

/* The copy may find no memory: then the interpreter goes on. */
START_TEST(a_translation_without_memory_changes_no_answer)
{
    for (long allowed = 1; allowed < 8; allowed++) {
        fl_regex *regex;
        bool matched = false;
        static unsigned char text[5000];
        memset(text, 'a', sizeof(text));
        ck_assert_ok(fl_regex_create(&regex, BYTES("a{3}$"), false, &err));
        fl_mem_fail_after(allowed);
        fl_status status = fl_regex_match(&matched, regex, (fl_slice){text, sizeof(text)}, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_E_NOMEM || (status == FL_OK && matched));
        ck_assert_ok(fl_regex_match(&matched, regex, (fl_slice){text, sizeof(text)}, &err));
        ck_assert(matched);
        fl_regex_destroy(regex);
    }
}
END_TEST

START_TEST(the_interpreter_gives_the_same_answers)
{
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        char pattern[100] = "(*NO_JIT)";
        memcpy(pattern + 9, matches[i].pattern.ptr, matches[i].pattern.len);
        fl_regex *regex;
        bool matched;
        ck_assert_ok(fl_regex_create(&regex, SLICE(pattern), matches[i].ignore_case, &err));
        ck_assert(!fl_regex_is_jit(regex));
        ck_assert_ok(fl_regex_match(&matched, regex, matches[i].text, &err));
        ck_assert_int_eq(matched, matches[i].matched);
        fl_regex_destroy(regex);
    }
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long allowed = 0; status != FL_OK; allowed++) {
        fl_regex *regex;
        bool matched = false;
        err = (fl_error){0};
        fl_mem_fail_after(allowed);
        status = fl_regex_create(&regex, BYTES("(*NO_JIT)^(\\w+)=(?:x|y)*"), true, &err);
        if (status == FL_OK) {
            status = fl_regex_match(&matched, regex, BYTES("key=xyxyxy"), &err);
            fl_regex_destroy(regex);
        }
        fl_mem_fail_after(-1);
        ck_assert_int_eq(matched, status == FL_OK);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_eq(err.status, status);
        ck_assert_int_lt(allowed, 50);
    }
}
END_TEST

static Suite *regex_suite(void)
{
    Suite *suite = suite_create("base/regex");
    TCase *cases = tcase_create("regex");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, a_match_is_found_where_it_stands, 0,
                        (int)(sizeof(places) / sizeof(places[0])));
    tcase_add_loop_test(cases, a_pattern_matches_what_it_says, 0,
                        (int)(sizeof(matches) / sizeof(matches[0])));
    tcase_add_loop_test(cases, a_malformed_pattern_is_named_with_the_reason, 0,
                        (int)(sizeof(malformed) / sizeof(malformed[0])));
    tcase_add_test(cases, patterns_that_are_too_long_or_too_deep_are_refused);
    tcase_add_loop_test(cases, a_catastrophic_pattern_is_ended_quickly, 0,
                        (int)(sizeof(catastrophic) / sizeof(catastrophic[0])));
    tcase_add_test(cases, a_long_match_does_not_fail_for_the_jit_stack);
    tcase_add_test(cases, a_pattern_that_is_used_often_is_translated_and_matches_as_before);
    tcase_add_test(cases, a_translation_without_memory_changes_no_answer);
    tcase_add_test(cases, the_interpreter_gives_the_same_answers);
    tcase_add_test(cases, each_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(regex_suite)
