#include "gate.h"

#include "advice.h"
#include "quantity.h"
#include "slice.h"

#include "fl_test.h"

static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
}

/* ---- quantities ---- */

START_TEST(a_value_is_read_in_the_dimension_of_its_bound)
{
    static const struct {
        const char *text;
        fl_dimension dimension;
        double value;
    } good[] = {
        {"2000ms", FL_DIMENSION_TIME, 2},
        {"1m30s", FL_DIMENSION_TIME, 90},
        {"512m", FL_DIMENSION_TIME, 512 * 60.0},
        {"512m", FL_DIMENSION_SIZE, 512 * 1024.0 * 1024.0},
        {"512M", FL_DIMENSION_SIZE, 512 * 1024.0 * 1024.0},
        {"2 GiB", FL_DIMENSION_SIZE, 2147483648.0},
        {"1GB", FL_DIMENSION_SIZE, 1e9},
        {"1.5Gi", FL_DIMENSION_SIZE, 1610612736.0},
        {"1048576", FL_DIMENSION_SIZE, 1048576},
        {"0", FL_DIMENSION_TIME, 0},
        {"-1", FL_DIMENSION_PLAIN, -1},
        {"75%", FL_DIMENSION_PLAIN, 75},
        {"0.5", FL_DIMENSION_PLAIN, 0.5},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        double value = -7;
        ck_assert_msg(fl_quantity_read(&value, good[i].dimension, SLICE(good[i].text)), "%s",
                      good[i].text);
        ck_assert_double_eq_tol(value, good[i].value, 1e-9);
    }
}
END_TEST

START_TEST(what_is_no_quantity_of_the_dimension_is_refused_and_harmless)
{
    static const struct {
        const char *text;
        fl_dimension dimension;
    } bad[] = {
        {"", FL_DIMENSION_PLAIN},      {"fast", FL_DIMENSION_TIME},   {"2000", FL_DIMENSION_TIME},
        {"2s", FL_DIMENSION_SIZE},     {"2GiB", FL_DIMENSION_TIME},   {"1 2", FL_DIMENSION_PLAIN},
        {"1e999", FL_DIMENSION_PLAIN}, {"--1", FL_DIMENSION_PLAIN},   {".", FL_DIMENSION_PLAIN},
        {"1ki2", FL_DIMENSION_SIZE},   {"1.2.3", FL_DIMENSION_PLAIN}, {"ms", FL_DIMENSION_TIME},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double value = -7;
        ck_assert_msg(!fl_quantity_read(&value, bad[i].dimension, SLICE(bad[i].text)), "%s",
                      bad[i].text);
        ck_assert_double_eq(value, -7);
    }
}
END_TEST

START_TEST(a_bound_has_units_that_mean_one_thing)
{
    double value;
    fl_dimension dimension;
    ck_assert(fl_quantity_bound(&value, &dimension, SLICE("8")));
    ck_assert_int_eq(dimension, FL_DIMENSION_PLAIN);
    ck_assert(fl_quantity_bound(&value, &dimension, SLICE("5min")));
    ck_assert_int_eq(dimension, FL_DIMENSION_TIME);
    ck_assert_double_eq(value, 300);
    ck_assert(fl_quantity_bound(&value, &dimension, SLICE("512MiB")));
    ck_assert_int_eq(dimension, FL_DIMENSION_SIZE);
    ck_assert(!fl_quantity_bound(&value, &dimension, SLICE("512m")));
    ck_assert(!fl_quantity_bound(&value, &dimension, SLICE("512G")));
    ck_assert(!fl_quantity_bound(&value, &dimension, SLICE("a lot")));
}
END_TEST

/* ---- components ---- */

/* Each range with a version inside, at and outside of its ends, in the words of its ecosystem. */
static const struct {
    const char *gate, *version;
    fl_gate_answer answer;
} components[] = {
    {"maven >=6.0 <6.3", "6.2.5", FL_GATE_HOLDS},
    {"maven >=6.0 <6.3", "6.2.5.RELEASE", FL_GATE_HOLDS},
    {"maven >=6.0 <6.3", "6.3", FL_GATE_FAILS},
    {"maven >=6.0 <6.3", "6.3-SNAPSHOT", FL_GATE_HOLDS}, /* before 6.3, in Maven's order */
    {"maven [2.0,3.0)", "2.7.18", FL_GATE_HOLDS},
    {"maven [2.0,3.0)", "3.0.0", FL_GATE_FAILS},
    {"maven =2.7.18", "2.7.18", FL_GATE_HOLDS},
    {"semver <1.23", "1.22.12", FL_GATE_HOLDS},
    {"semver <1.23", "go1.22.12", FL_GATE_HOLDS}, /* as the toolchain calls itself */
    {"go <v1.23.0", "v1.23.0", FL_GATE_FAILS},
    {"semver >=1.15 <1.15.1 || >=1.20", "1.21", FL_GATE_HOLDS},
    {"go <v0.26.0", "v0.0.0-20191109021931-daa7c04131f5", FL_GATE_HOLDS},
    {"semver ^1.2.3", "1.9.0", FL_GATE_HOLDS},
    {"semver ^1.2.3", "2.0.0", FL_GATE_FAILS},
    {"semver <2.0.0", "2.0.0-rc.1", FL_GATE_HOLDS},
    {"debian <2:1.0~rc1-1", "1:9.9-1", FL_GATE_HOLDS},
    {"debian >=1.0~beta1", "1.0", FL_GATE_HOLDS},
    {"debian >=1.0", "1.0~beta1", FL_GATE_FAILS},
    {"maven *", "", FL_GATE_HOLDS},
    {"*", "", FL_GATE_HOLDS},
    {"", "anything", FL_GATE_HOLDS},
    {"semver <1.23", "", FL_GATE_UNKNOWN},
    {"semver <1.23", "latest", FL_GATE_UNKNOWN},
    {"cargo <1", "0.1", FL_GATE_UNKNOWN}, /* a store may hold anything */
    {"go ||", "1.0", FL_GATE_UNKNOWN},
};

START_TEST(a_component_passes_by_its_ecosystems_order)
{
    for (size_t i = 0; i < sizeof(components) / sizeof(components[0]); i++)
        ck_assert_msg(fl_gate_component(SLICE(components[i].gate), SLICE(components[i].version)) ==
                          components[i].answer,
                      "%s with %s", components[i].gate, components[i].version);
}
END_TEST

/* ---- settings ---- */

static const struct {
    const char *gate, *value; /* NULL: not there */
    fl_gate_answer answer;
} settings[] = {
    {">=1s", "2000ms", FL_GATE_HOLDS},
    {">=1s", "1s", FL_GATE_HOLDS},
    {">1s", "1000ms", FL_GATE_FAILS},
    {">=1s", "500ms", FL_GATE_FAILS},
    {">=1s", "2000", FL_GATE_UNKNOWN},
    {">=1s", NULL, FL_GATE_FAILS},
    {"absent", NULL, FL_GATE_HOLDS},
    {"absent", "x", FL_GATE_FAILS},
    {"present", "x", FL_GATE_HOLDS},
    {"present", NULL, FL_GATE_FAILS},
    {">=1s || absent", NULL, FL_GATE_HOLDS},
    {">=1s <5min", "4min", FL_GATE_HOLDS},
    {">=1s <5min", "5min", FL_GATE_FAILS},
    {"=true", "TRUE", FL_GATE_HOLDS},
    {"=true", "false", FL_GATE_FAILS},
    {"!=true", "no", FL_GATE_HOLDS},
    {"<=512MiB", "512m", FL_GATE_HOLDS},
    {"<=512MiB", "1Gi", FL_GATE_FAILS},
    {"<8", "4", FL_GATE_HOLDS},
    {"<8", "many", FL_GATE_UNKNOWN},
    {"", "x", FL_GATE_HOLDS},
    {"", NULL, FL_GATE_FAILS},
    {">=soon", "1s", FL_GATE_UNKNOWN},
    {"=0 || >=1h", "0", FL_GATE_HOLDS},
    {">=1s =fast", "slow", FL_GATE_FAILS}, /* what is unknown does not save what fails */
};

START_TEST(a_setting_passes_by_its_value)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        fl_slice value = fl_slice_of(settings[i].value);
        ck_assert_msg(
            fl_gate_config(SLICE(settings[i].gate), settings[i].value != NULL ? &value : NULL) ==
                settings[i].answer,
            "%s with %s", settings[i].gate,
            settings[i].value != NULL ? settings[i].value : "nothing");
    }
    ck_assert(fl_gate_takes_absence(SLICE(">=1s || absent")));
    ck_assert(!fl_gate_takes_absence(SLICE(">=1s")));
    ck_assert(!fl_gate_takes_absence(SLICE("go <1.23")));
}
END_TEST

static const struct {
    const char *gate, *message;
    bool is_component;
    uint64_t offset;
} malformed[] = {
    {"cargo >=1", "a component's versions begin with semver, go, maven or debian", true, 0},
    {"maven", "range: a version is expected", true, 5},
    {"go >=", "version: it is empty", true, 5},
    {"semver >=1 || || 2", "range: nothing stands before \"||\"", true, 14},
    {"|| absent", "nothing stands before \"||\"", false, 0},
    {" ", "a condition is expected", false, 1},
    {"about 5", "a condition is absent, present, or a value after = != >= > <= <", false, 0},
    {"absent >=", "a value is expected after \">=\"", false, 9},
    {">=512m", "a bound is a number, a time such as 500ms or 5min, or a size such as 2GiB", false,
     2},
};

START_TEST(a_malformed_gate_is_named_with_its_place)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        err = (fl_error){0};
        fl_slice gate = SLICE(malformed[i].gate);
        ck_assert_fails(FL_E_SYNTAX, malformed[i].is_component ? fl_gate_check_component(gate, &err)
                                                               : fl_gate_check_config(gate, &err));
        if (strstr(err.message, malformed[i].message) == NULL)
            ck_abort_msg("%s: %s", malformed[i].gate, err.message);
        ck_assert_msg(err.offset == malformed[i].offset, "%s: %llu", malformed[i].gate,
                      (unsigned long long)err.offset);
    }
}
END_TEST

/* ---- advice ---- */

static bool is(fl_slice text, const char *expected)
{
    return fl_slice_equal(text, SLICE(expected));
}

START_TEST(words_of_a_form_are_taken_apart)
{
    fl_advice_words words;
    fl_advice_read(&words, SLICE(" set redis.timeout=500ms "));
    ck_assert_int_eq(words.kind, FL_ADVICE_SET);
    ck_assert(is(words.name, "redis.timeout") && is(words.value, "500ms"));
    fl_advice_read(&words, SLICE("avoid GODEBUG"));
    ck_assert_int_eq(words.kind, FL_ADVICE_AVOID);
    ck_assert(is(words.name, "GODEBUG") && words.value.len == 0);
    fl_advice_read(&words, SLICE("upgrade go to 1.23"));
    ck_assert_int_eq(words.kind, FL_ADVICE_UPGRADE);
    ck_assert(is(words.name, "go") && is(words.value, "1.23"));
    fl_advice_read(&words, SLICE("alert Slow if x{a=\" for 1m\"} > 1 for 5m"));
    ck_assert_int_eq(words.kind, FL_ADVICE_ALERT);
    ck_assert(is(words.name, "Slow") && is(words.value, "x{a=\" for 1m\"} > 1"));
    ck_assert(is(words.duration, "5m"));
    fl_advice_read(&words, SLICE("check the pool is bounded"));
    ck_assert_int_eq(words.kind, FL_ADVICE_CHECK);
    ck_assert(is(words.text, "the pool is bounded"));
}
END_TEST

START_TEST(what_fits_no_form_is_something_to_do)
{
    static const char *const loose[] = {"raise maxTotal to 64",
                                        "set timeouts properly",
                                        "set a=b and c=d",
                                        "set =5",
                                        "alert on it",
                                        "alert 9x if y for 5m",
                                        "alert X if y for ever",
                                        "alert X if  for 5m",
                                        "upgrade everything",
                                        "limit memory",
                                        "set"};
    fl_advice_words words;
    for (size_t i = 0; i < sizeof(loose) / sizeof(loose[0]); i++) {
        fl_advice_read(&words, SLICE(loose[i]));
        ck_assert_msg(words.kind == FL_ADVICE_DO, "%s", loose[i]);
        ck_assert(is(words.text, loose[i]));
    }
    fl_advice_read(&words, SLICE(""));
    ck_assert_int_eq(words.kind, FL_ADVICE_DO);
    ck_assert_uint_eq(words.text.len, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gate");
    TCase *tests = tcase_create("gate");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_value_is_read_in_the_dimension_of_its_bound);
    tcase_add_test(tests, what_is_no_quantity_of_the_dimension_is_refused_and_harmless);
    tcase_add_test(tests, a_bound_has_units_that_mean_one_thing);
    tcase_add_test(tests, a_component_passes_by_its_ecosystems_order);
    tcase_add_test(tests, a_setting_passes_by_its_value);
    tcase_add_test(tests, a_malformed_gate_is_named_with_its_place);
    tcase_add_test(tests, words_of_a_form_are_taken_apart);
    tcase_add_test(tests, what_fits_no_form_is_something_to_do);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
