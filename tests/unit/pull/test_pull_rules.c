#include "fl_test.h"
#include "pull_priv.h"
#include "timestamp.h"

static fl_error err;
static const fl_pull_pause rule = {.first_ns = 100, .max_ns = 1000};

START_TEST(pauses_double_up_to_the_most_and_half_of_each_is_random)
{
    static const int64_t whole[] = {100, 200, 400, 800, 1000, 1000};
    uint64_t random = 7;
    for (unsigned tries = 1; tries <= 6; tries++)
        for (int i = 0; i < 1000; i++) {
            int64_t pause = fl_pull_pause_ns(&rule, tries, 0, &random);
            ck_assert_int_ge(pause, whole[tries - 1] / 2);
            ck_assert_int_le(pause, whole[tries - 1]);
        }
}
END_TEST

START_TEST(the_same_seed_gives_the_same_pauses_and_another_gives_others)
{
    uint64_t a = 1, b = 1, c = 2;
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        int64_t x = fl_pull_pause_ns(&rule, 4, 0, &a);
        ck_assert_int_eq(x, fl_pull_pause_ns(&rule, 4, 0, &b));
        differ += x != fl_pull_pause_ns(&rule, 4, 0, &c);
    }
    ck_assert_int_gt(differ, 50);
}
END_TEST

START_TEST(what_the_server_asks_for_is_waited_for_up_to_the_most)
{
    uint64_t random = 1;
    ck_assert_int_eq(fl_pull_pause_ns(&rule, 1, 900, &random), 900);
    ck_assert_int_eq(fl_pull_pause_ns(&rule, 1, 1000, &random), 1000);
    ck_assert_int_lt(fl_pull_pause_ns(&rule, 1, 1001, &random), 0);
    ck_assert_int_ge(fl_pull_pause_ns(&rule, 4, 1, &random), 400);
}
END_TEST

static fl_pull_breaker breaker;
static bool may_wait;

static bool permits(int64_t now_ns)
{
    return fl_pull_breaker_permits(&breaker, now_ns, &may_wait);
}

static void learn_failures(int times, int64_t now_ns)
{
    for (int i = 0; i < times; i++)
        fl_pull_breaker_learn(&breaker, true, now_ns);
}

START_TEST(failures_in_a_row_open_it_and_a_success_between_them_does_not)
{
    breaker = (fl_pull_breaker){.limit = 3, .first_ns = 100};
    learn_failures(2, 0);
    ck_assert(permits(0));
    fl_pull_breaker_learn(&breaker, false, 0);
    learn_failures(2, 0);
    ck_assert(permits(0));
    learn_failures(1, 0);
    ck_assert(!permits(99));
    ck_assert(!may_wait);
}
END_TEST

START_TEST(one_probe_goes_when_the_time_is_over_and_decides)
{
    breaker = (fl_pull_breaker){.limit = 1, .first_ns = 100};
    learn_failures(1, 0);
    ck_assert(permits(100));
    ck_assert_int_eq(breaker.state, FL_PULL_HALF);
    fl_pull_breaker_sent(&breaker);
    ck_assert(!permits(100));
    ck_assert(may_wait); /* for the probe's end */
    learn_failures(1, 100);
    ck_assert(!permits(299)); /* twice as long */
    ck_assert(permits(300));
    fl_pull_breaker_sent(&breaker);
    fl_pull_breaker_learn(&breaker, false, 300);
    ck_assert_int_eq(breaker.state, FL_PULL_CLOSED);
    learn_failures(1, 400);
    ck_assert(permits(500)); /* as short as at first */
}
END_TEST

START_TEST(the_time_is_at_most_sixteenfold)
{
    int64_t now = 0;
    breaker = (fl_pull_breaker){.limit = 1, .first_ns = 100};
    learn_failures(1, now);
    for (int i = 0; i < 20; i++) {
        now = breaker.until_ns;
        ck_assert(permits(now));
        fl_pull_breaker_sent(&breaker);
        learn_failures(1, now);
        ck_assert_int_le(breaker.until_ns - now, 1600);
    }
    ck_assert_int_eq(breaker.until_ns - now, 1600);
}
END_TEST

START_TEST(failures_of_what_was_on_its_way_do_not_prolong_it)
{
    breaker = (fl_pull_breaker){.limit = 1, .first_ns = 100};
    learn_failures(1, 0);
    learn_failures(5, 50);
    ck_assert_int_eq(breaker.until_ns, 100);
    fl_pull_breaker_learn(&breaker, false, 60); /* and a success of these closes it */
    ck_assert(permits(60));
}
END_TEST

static const struct {
    const char *from, *to;
    fl_status status;
} redirects[] = {
    {"http://host/a", "http://host/b?c=d", FL_OK},
    {"http://host:9090/a", "http://host:9090/b", FL_OK},
    {"http://host/a", "http://host:80/b", FL_OK},
    {"http://HOST/a", "http://host/b", FL_OK},
    {"http://host/a", "https://host/a", FL_OK},
    {"http://host:9090/a", "https://host/a", FL_OK},
    {"https://host/a", "http://host/a", FL_E_UNSUPPORTED},
    {"http://host/a", "http://host:81/a", FL_E_UNSUPPORTED},
    {"http://host/a", "http://other/a", FL_E_UNSUPPORTED},
    {"http://host/a", "http://host.other/a", FL_E_UNSUPPORTED},
    {"http://host/a", "file:///etc/passwd", FL_E_UNSUPPORTED},
    {"http://host/a", "gopher://host/a", FL_E_UNSUPPORTED},
    {"http://host/a", "https://host:22222@other/a", FL_E_UNSUPPORTED},
};

START_TEST(redirects_are_followed_within_one_place_only)
{
    err = (fl_error){0};
    ck_assert_msg(fl_pull_may_follow(redirects[_i].from, redirects[_i].to, &err) ==
                      redirects[_i].status,
                  "%s to %s", redirects[_i].from, redirects[_i].to);
}
END_TEST

START_TEST(texts_are_escaped_for_a_query)
{
    fl_buf out = fl_buf_of(1024);
    fl_pull_escape(&out, BYTES("aZ09-._~ {a=\"b\"}&+%/\xc3\xa4"));
    ck_assert_str_eq(out.ptr, "aZ09-._~%20%7Ba%3D%22b%22%7D%26%2B%25%2F%C3%A4");
    fl_buf_dispose(&out);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pull_rules");
    TCase *tests = tcase_create("rules");
    tcase_add_test(tests, pauses_double_up_to_the_most_and_half_of_each_is_random);
    tcase_add_test(tests, the_same_seed_gives_the_same_pauses_and_another_gives_others);
    tcase_add_test(tests, what_the_server_asks_for_is_waited_for_up_to_the_most);
    tcase_add_test(tests, failures_in_a_row_open_it_and_a_success_between_them_does_not);
    tcase_add_test(tests, one_probe_goes_when_the_time_is_over_and_decides);
    tcase_add_test(tests, the_time_is_at_most_sixteenfold);
    tcase_add_test(tests, failures_of_what_was_on_its_way_do_not_prolong_it);
    tcase_add_loop_test(tests, redirects_are_followed_within_one_place_only, 0,
                        sizeof(redirects) / sizeof(redirects[0]));
    tcase_add_test(tests, texts_are_escaped_for_a_query);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
