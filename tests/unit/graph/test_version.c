#include "version.h"

#include "slice.h"

#include "fl_test.h"

static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
}

static void check_both(fl_ecosystem ecosystem, const char *text)
{
    ck_assert_msg(fl_version_check(ecosystem, SLICE(text), &err) == FL_OK, "%s: %s", text,
                  err.message);
}

/* Each is smaller than all that follow it. */
static void ascends(fl_ecosystem ecosystem, const char *const *versions)
{
    for (size_t i = 0; versions[i] != NULL; i++) {
        check_both(ecosystem, versions[i]);
        for (size_t j = 0; versions[j] != NULL; j++) {
            int order = fl_version_compare(ecosystem, SLICE(versions[i]), SLICE(versions[j]));
            int expected = (i > j) - (i < j);
            ck_assert_msg((order > 0) - (order < 0) == expected, "%s and %s: %d", versions[i],
                          versions[j], order);
        }
    }
}

static void all_equal(fl_ecosystem ecosystem, const char *const *versions)
{
    for (size_t i = 0; versions[i] != NULL; i++) {
        check_both(ecosystem, versions[i]);
        for (size_t j = 0; versions[j] != NULL; j++)
            ck_assert_msg(fl_version_compare(ecosystem, SLICE(versions[i]), SLICE(versions[j])) ==
                              0,
                          "%s and %s", versions[i], versions[j]);
    }
}

START_TEST(semver_has_the_order_of_its_specification)
{
    /* semver.org 2.0.0, section 11. */
    static const char *const order[] = {
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "2.0.0",
        "2.1.0",
        "2.1.1",
        "10.0.0",
        "99999999999999999999999.999999999999999999.99999999999999999",
        NULL};
    static const char *const equal[] = {
        "1.0.0+20130313144700", "1.0.0+exp.sha.5114f85", "1.0.0", "v1", "1.0", NULL};
    ascends(FL_ECOSYSTEM_SEMVER, order);
    all_equal(FL_ECOSYSTEM_SEMVER, equal);
}
END_TEST

START_TEST(pseudo_versions_of_go_lie_between_the_tags_around_them)
{
    /* Go Modules Reference, "Pseudo-versions": the three forms. */
    static const char *const order[] = {"v0.0.0-20191109021931-daa7c04131f5",
                                        "v1.2.3-pre",
                                        "v1.2.3-pre.0.20191109021931-daa7c04131f5",
                                        "v1.2.3",
                                        "v1.2.4-0.20191109021931-daa7c04131f5",
                                        "v1.2.4-0.20201109021931-000000000000",
                                        "v1.2.4",
                                        "v2.0.0+incompatible",
                                        NULL};
    ascends(FL_ECOSYSTEM_GO, order);
}
END_TEST

START_TEST(maven_has_the_order_of_the_pom_reference)
{
    /* "Version Order Specification", its examples, and those of ComparableVersion's description. */
    static const char *const order[] = {"1-alpha2",
                                        "1-alpha10",
                                        "1-beta2",
                                        "1-milestone",
                                        "1-rc1",
                                        "1-cr2",
                                        "1-snapshot",
                                        "1",
                                        "1-sp",
                                        "1-abc",
                                        "1-foo2",
                                        "1-foo10",
                                        "1-1-snapshot",
                                        "1-1",
                                        "1-2",
                                        "1.1",
                                        "1.2-alpha",
                                        "1.2",
                                        "1.10",
                                        "2.7.18",
                                        "99999999999999999999",
                                        NULL};
    static const char *const one[] = {"1",       "1.0",     "1.0.0",       "1.ga", "1-ga", "1-0",
                                      "1.final", "1-FINAL", "1.0.RELEASE", "1.",   "1-",   NULL};
    static const char *const foo[] = {"1.foo", "1-foo", "1.0.0-foo.0.0", "1-FOO", NULL};
    static const char *const alpha[] = {"1-a1", "1-alpha-1", "1alpha1", "1a1", NULL};
    static const char *const mixed[] = {"1-1.foo-bar1baz-.1", "1-1.foo-bar-1-baz-0.1", NULL};
    ascends(FL_ECOSYSTEM_MAVEN, order);
    all_equal(FL_ECOSYSTEM_MAVEN, one);
    all_equal(FL_ECOSYSTEM_MAVEN, foo);
    all_equal(FL_ECOSYSTEM_MAVEN, alpha);
    all_equal(FL_ECOSYSTEM_MAVEN, mixed);
    ascends(FL_ECOSYSTEM_MAVEN, (const char *const[]){"1-ga.1", "1-sp.1", NULL});
    ascends(FL_ECOSYSTEM_MAVEN, (const char *const[]){"1-sp-1", "1-ga-1", NULL});
    all_equal(FL_ECOSYSTEM_MAVEN, (const char *const[]){"1-ga-1", "1-1", NULL});
}
END_TEST

START_TEST(debian_has_the_order_of_its_manual_page)
{
    /* deb-version(7), and what dpkg --compare-versions says of the rest. */
    static const char *const order[] = {"0~~",
                                        "0~~a",
                                        "0~",
                                        "0",
                                        "0a",
                                        "0+b1",
                                        "1.0~beta1~svc1245",
                                        "1.0~beta1",
                                        "1.0~rc1-1",
                                        "1.0-1~deb12u1",
                                        "1.0-1",
                                        "1.0-1+deb12u2",
                                        "1.0-1+deb12u14",
                                        "1.0.1-1",
                                        "1.10-1",
                                        "1:0.1-1",
                                        NULL};
    static const char *const equal[] = {"1.0", "0:1.0", "1.0-0", "1.00", NULL};
    ascends(FL_ECOSYSTEM_DEBIAN, order);
    all_equal(FL_ECOSYSTEM_DEBIAN, equal);
}
END_TEST

static const struct {
    fl_ecosystem ecosystem;
    const char *text;
    uint64_t offset;
    const char *message;
} bad[] = {
    {FL_ECOSYSTEM_SEMVER, "", 0, "version: it is empty"},
    {FL_ECOSYSTEM_SEMVER, "latest", 0, "version: a number is expected"},
    {FL_ECOSYSTEM_SEMVER, "1..2", 2, "version: a number is expected"},
    {FL_ECOSYSTEM_SEMVER, "1.2.3.4", 5, "version: this character has no place"},
    {FL_ECOSYSTEM_SEMVER, "1.2.3-", 6, "version: an identifier is empty"},
    {FL_ECOSYSTEM_SEMVER, "1.2.3-a..b", 8, "version: an identifier is empty"},
    {FL_ECOSYSTEM_SEMVER, "1.2.3-a_b", 7, "version: this character has no place"},
    {FL_ECOSYSTEM_GO, "1.2.3", 0, "version: Go's versions start with v"},
    {FL_ECOSYSTEM_MAVEN, "1.0 beta", 3, "version: this character has no place"},
    {FL_ECOSYSTEM_DEBIAN, ":1", 0, "version: the epoch before the colon is empty"},
    {FL_ECOSYSTEM_DEBIAN, "1:a", 2, "version: Debian's start with a digit"},
    {FL_ECOSYSTEM_DEBIAN, "1-", 2, "version: the revision after the dash is empty"},
    {FL_ECOSYSTEM_DEBIAN, "1_2", 1, "version: this character has no place"},
};

START_TEST(a_text_that_is_no_version_is_refused_where_it_goes_wrong)
{
    fl_status status = fl_version_check(bad[_i].ecosystem, SLICE(bad[_i].text), &err);
    ck_assert_fails(FL_E_SYNTAX, status);
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_uint_eq(err.offset, bad[_i].offset);
}
END_TEST

START_TEST(a_version_beyond_the_limit_is_refused)
{
    char text[FL_VERSION_BYTES + 2];
    memset(text, '1', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (fl_ecosystem e = 0; e < FL_ECOSYSTEM_COUNT; e++)
        ck_assert_fails(FL_E_LIMIT, fl_version_check(e, SLICE(text), &err));
}
END_TEST

START_TEST(a_version_of_nothing_but_separators_is_compared_within_its_bounds)
{
    char a[FL_VERSION_BYTES], b[FL_VERSION_BYTES];
    for (size_t i = 0; i < sizeof(a); i++) {
        a[i] = '.';
        b[i] = i % 2 == 0 ? 'a' : '1';
    }
    fl_slice left = {.ptr = (unsigned char *)a, .len = sizeof(a)};
    fl_slice right = {.ptr = (unsigned char *)b, .len = sizeof(b)};
    ck_assert_ok(fl_version_check(FL_ECOSYSTEM_MAVEN, left, &err));
    ck_assert_ok(fl_version_check(FL_ECOSYSTEM_MAVEN, right, &err));
    ck_assert_int_eq(fl_version_compare(FL_ECOSYSTEM_MAVEN, left, left), 0);
    ck_assert_int_ne(fl_version_compare(FL_ECOSYSTEM_MAVEN, left, right), 0);
}
END_TEST

static const struct {
    fl_ecosystem ecosystem;
    const char *range, *in, *out;
} ranges[] = {
    {FL_ECOSYSTEM_SEMVER, ">=6.2.0 <6.2.6", "6.2.5", "6.2.6"},
    {FL_ECOSYSTEM_SEMVER, ">= 6.2.0, < 6.2.6", "6.2.0", "6.1.9"},
    {FL_ECOSYSTEM_SEMVER, "=1.2.3", "1.2.3", "1.2.4"},
    {FL_ECOSYSTEM_SEMVER, "1.2.3", "v1.2.3", "1.2.3-rc.1"},
    {FL_ECOSYSTEM_SEMVER, "!=1.2.3", "1.2.4", "1.2.3"},
    {FL_ECOSYSTEM_SEMVER, ">1.2.3", "1.2.4", "1.2.3"},
    {FL_ECOSYSTEM_SEMVER, "<=1.2.3", "1.2.3", "1.2.4"},
    {FL_ECOSYSTEM_SEMVER, "^1.2.3", "1.9.0", "2.0.0"},
    {FL_ECOSYSTEM_SEMVER, "^1.2.3", "1.2.3", "2.0.0-rc.1"},
    {FL_ECOSYSTEM_SEMVER, "^0.2.3", "0.2.9", "0.3.0"},
    {FL_ECOSYSTEM_SEMVER, "^0.0.3", "0.0.3", "0.0.4"},
    {FL_ECOSYSTEM_SEMVER, "^9.99", "9.100.0", "10.0.0"},
    {FL_ECOSYSTEM_SEMVER, "~1.9.3", "1.9.9", "1.10.0"},
    {FL_ECOSYSTEM_SEMVER, "~1", "1.9.9", "2.0.0"},
    {FL_ECOSYSTEM_SEMVER, "<1.0.0 || >=2.0.0 <2.1.0", "2.0.5", "1.5.0"},
    {FL_ECOSYSTEM_SEMVER, "<2.0.0", "2.0.0-rc.1", "2.0.0"},
    {FL_ECOSYSTEM_GO, "<v1.23.0", "v1.22.12", "v1.23.0"},
    {FL_ECOSYSTEM_MAVEN, "[2.7,3.0)", "2.7.18", "3.0.0"},
    {FL_ECOSYSTEM_MAVEN, "(,6.2.5]", "6.2.5.RELEASE", "6.2.6"},
    {FL_ECOSYSTEM_MAVEN, "(1.0,)", "1.0.1", "1.0"},
    {FL_ECOSYSTEM_MAVEN, "[1.3]", "1.3.0", "1.3.1"},
    {FL_ECOSYSTEM_MAVEN, "[1.0,1.2) || [2.0,)", "2.0", "1.5"},
    {FL_ECOSYSTEM_DEBIAN, "<2:7.0.15-1~deb12u2", "9.0-1", "2:7.0.15-1"},
};

START_TEST(a_range_holds_what_it_says)
{
    fl_ecosystem e = ranges[_i].ecosystem;
    ck_assert_ok(fl_version_range_check(e, SLICE(ranges[_i].range), &err));
    ck_assert_msg(fl_version_in_range(e, SLICE(ranges[_i].range), SLICE(ranges[_i].in)), "%s in %s",
                  ranges[_i].in, ranges[_i].range);
    ck_assert_msg(!fl_version_in_range(e, SLICE(ranges[_i].range), SLICE(ranges[_i].out)),
                  "%s in %s", ranges[_i].out, ranges[_i].range);
}
END_TEST

START_TEST(a_star_holds_every_version)
{
    ck_assert_ok(fl_version_range_check(FL_ECOSYSTEM_MAVEN, SLICE("*"), &err));
    ck_assert(fl_version_in_range(FL_ECOSYSTEM_MAVEN, SLICE("*"), SLICE("0-alpha")));
}
END_TEST

static const struct {
    fl_ecosystem ecosystem;
    const char *range;
    uint64_t offset;
    const char *message;
} bad_ranges[] = {
    {FL_ECOSYSTEM_SEMVER, "", 0, "range: a version is expected"},
    {FL_ECOSYSTEM_SEMVER, "1.0 ||", 6, "range: a version is expected"},
    {FL_ECOSYSTEM_SEMVER, "|| 1.0", 0, "range: nothing stands before \"||\""},
    {FL_ECOSYSTEM_SEMVER, "=>1.0", 0, "range: a comparator is one of = != < <= > >= ^ ~ *"},
    {FL_ECOSYSTEM_SEMVER, ">=", 2, "range: version: it is empty"},
    {FL_ECOSYSTEM_SEMVER, ">=1.0 <x", 7, "range: version: a number is expected"},
    {FL_ECOSYSTEM_SEMVER, "1.0 | 2.0", 4, "range: version: it is empty"},
    {FL_ECOSYSTEM_MAVEN, "[1.0,2.0", 0, "range: the interval is not closed"},
    {FL_ECOSYSTEM_MAVEN, "(1.0)", 0, "range: an interval of one version is \"[VERSION]\""},
    {FL_ECOSYSTEM_MAVEN, "[1.0,2 0)", 6, "range: version: this character has no place"},
    {FL_ECOSYSTEM_MAVEN, "^1.0", 1, "range: \"^\" says nothing of maven versions"},
};

START_TEST(a_text_that_is_no_range_is_refused_where_it_goes_wrong)
{
    fl_status status =
        fl_version_range_check(bad_ranges[_i].ecosystem, SLICE(bad_ranges[_i].range), &err);
    ck_assert_fails(FL_E_SYNTAX, status);
    ck_assert_str_eq(err.message, bad_ranges[_i].message);
    ck_assert_uint_eq(err.offset, bad_ranges[_i].offset);
}
END_TEST

START_TEST(every_ecosystem_is_found_by_its_name)
{
    for (fl_ecosystem e = 0; e < FL_ECOSYSTEM_COUNT; e++) {
        fl_ecosystem found = FL_ECOSYSTEM_COUNT;
        ck_assert(fl_ecosystem_of(fl_slice_of(fl_ecosystem_name(e)), &found));
        ck_assert_int_eq(found, e);
    }
    fl_ecosystem none;
    ck_assert(!fl_ecosystem_of(SLICE("pypi"), &none));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("version");
    TCase *tc = tcase_create("version");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, semver_has_the_order_of_its_specification);
    tcase_add_test(tc, pseudo_versions_of_go_lie_between_the_tags_around_them);
    tcase_add_test(tc, maven_has_the_order_of_the_pom_reference);
    tcase_add_test(tc, debian_has_the_order_of_its_manual_page);
    tcase_add_loop_test(tc, a_text_that_is_no_version_is_refused_where_it_goes_wrong, 0,
                        COUNT(bad));
    tcase_add_test(tc, a_version_beyond_the_limit_is_refused);
    tcase_add_test(tc, a_version_of_nothing_but_separators_is_compared_within_its_bounds);
    tcase_add_loop_test(tc, a_range_holds_what_it_says, 0, COUNT(ranges));
    tcase_add_test(tc, a_star_holds_every_version);
    tcase_add_loop_test(tc, a_text_that_is_no_range_is_refused_where_it_goes_wrong, 0,
                        COUNT(bad_ranges));
    tcase_add_test(tc, every_ecosystem_is_found_by_its_name);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
