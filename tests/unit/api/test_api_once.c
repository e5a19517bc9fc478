/*
 * A write under a key: once, whatever comes again, and for how long.
 */
#include "api_once.h"

#include <stdio.h>
#include <string.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

static fl_error err;
static fl_api_once *once;
static fl_http_reply reply;
static size_t place;
static int64_t now_ns;

static void setup(void)
{
    err = (fl_error){0};
    now_ns = 1000 * FL_NS_PER_S;
    ck_assert_ok(fl_api_once_create(&once, &err));
    fl_http_reply_init(&reply);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_http_reply_dispose(&reply);
    fl_api_once_destroy(once);
}

/* Leaves the answer in `reply`, which begins anew. */
static fl_api_once_turn begin(const char *key, const char *path, const char *body)
{
    const fl_http_field header = {"Idempotency-Key", key};
    const fl_http_request request = {.method = "POST",
                                     .path = path,
                                     .body = fl_slice_of(body),
                                     .headers = &header,
                                     .header_count = key != NULL ? 1 : 0};
    fl_http_reply_dispose(&reply);
    fl_http_reply_init(&reply);
    return fl_api_once_begin(&place, once, &request, &reply, now_ns);
}

static void end(unsigned status, const char *body)
{
    fl_http_reply_dispose(&reply);
    fl_http_reply_init(&reply);
    reply.status = status;
    reply.content_type = "application/json";
    fl_buf_text(&reply.body, body);
    fl_api_once_end(once, place, &reply);
}

START_TEST(without_a_key_everything_is_done)
{
    ck_assert_int_eq(begin(NULL, "/a", "x"), FL_API_ONCE_FREE);
    ck_assert_int_eq(begin(NULL, "/a", "x"), FL_API_ONCE_FREE);
}
END_TEST

START_TEST(the_second_gets_the_answer_of_the_first)
{
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
    end(422, "no");
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_ANSWERED);
    ck_assert_uint_eq(reply.status, 422);
    ck_assert_str_eq(reply.body.ptr, "no");
    ck_assert_str_eq(reply.content_type, "application/json");
    ck_assert_str_eq(reply.extra[0].name, "Idempotent-Replayed");
    ck_assert_int_eq(begin("k", "/b", "x"), FL_API_ONCE_FIRST); /* another path: another request */
}
END_TEST

START_TEST(another_request_under_the_key_is_refused)
{
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_ANSWERED);
    ck_assert_uint_eq(reply.status, 409);
    end(200, "yes");
    ck_assert_int_eq(begin("k", "/a", "y"), FL_API_ONCE_ANSWERED);
    ck_assert_uint_eq(reply.status, 422);
}
END_TEST

START_TEST(what_failed_for_our_reasons_may_be_tried_again)
{
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
    end(503, "later");
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
    end(200, "yes");
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_ANSWERED);
    ck_assert_uint_eq(reply.status, 200);
}
END_TEST

START_TEST(a_key_is_kept_for_a_day)
{
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
    end(200, "yes");
    now_ns += 24 * 3600 * FL_NS_PER_S;
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_ANSWERED);
    now_ns += 1;
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
}
END_TEST

static const char *key_of(int n)
{
    static char key[32];
    snprintf(key, sizeof(key), "key-%d", n);
    return key;
}

START_TEST(the_oldest_key_makes_room_and_one_under_way_does_not)
{
    ck_assert_int_eq(begin("running", "/a", "x"), FL_API_ONCE_FIRST);
    size_t running = place;
    for (int n = 0; n < API_ONCE_MOST; n++) {
        now_ns++;
        ck_assert_int_eq(begin(key_of(n), "/a", "x"), FL_API_ONCE_FIRST);
        ck_assert_uint_ne(place, running);
        end(200, "yes");
    }
    ck_assert_int_eq(begin(key_of(API_ONCE_MOST - 1), "/a", "x"), FL_API_ONCE_ANSWERED);
    ck_assert_int_eq(begin("running", "/a", "x"), FL_API_ONCE_ANSWERED);
    ck_assert_uint_eq(reply.status, 409);
    ck_assert_int_eq(begin(key_of(0), "/a", "x"), FL_API_ONCE_FIRST); /* was pushed out */
}
END_TEST

START_TEST(where_all_are_under_way_one_more_is_told_so)
{
    for (int n = 0; n < API_ONCE_MOST; n++)
        ck_assert_int_eq(begin(key_of(n), "/a", "x"), FL_API_ONCE_FIRST);
    ck_assert_int_eq(begin("one more", "/a", "x"), FL_API_ONCE_ANSWERED);
    ck_assert_uint_eq(reply.status, 400); /* a blank is in no key */
    ck_assert_int_eq(begin("one-more", "/a", "x"), FL_API_ONCE_ANSWERED);
    ck_assert_uint_eq(reply.status, 503);
    ck_assert_uint_eq(reply.retry_after_s, 1);
}
END_TEST

START_TEST(what_is_no_key_is_refused)
{
    static char long_key[API_ONCE_KEY_BYTES + 2];
    memset(long_key, 'k', API_ONCE_KEY_BYTES + 1);
    const char *const wrong[] = {"", " ", "a b", "a\tb", "\x7f", "\xc3\xa9", long_key};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(begin(wrong[i], "/a", "x"), FL_API_ONCE_ANSWERED);
        ck_assert_uint_eq(reply.status, 400);
    }
    long_key[API_ONCE_KEY_BYTES] = '\0';
    ck_assert_int_eq(begin(long_key, "/a", "x"), FL_API_ONCE_FIRST);
}
END_TEST

START_TEST(an_answer_that_there_is_no_memory_for_is_forgotten)
{
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
    reply.status = 200;
    fl_buf_text(&reply.body, "yes");
    fl_mem_fail_after(0);
    fl_api_once_end(once, place, &reply);
    fl_mem_fail_after(-1);
    ck_assert_int_eq(begin("k", "/a", "x"), FL_API_ONCE_FIRST);
    fl_api_once *none;
    fl_mem_fail_after(0);
    fl_status status = fl_api_once_create(&none, &err);
    fl_mem_fail_after(-1);
    ck_assert_fails(FL_E_NOMEM, status);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("api_once");
    TCase *cases = tcase_create("api_once");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, without_a_key_everything_is_done);
    tcase_add_test(cases, the_second_gets_the_answer_of_the_first);
    tcase_add_test(cases, another_request_under_the_key_is_refused);
    tcase_add_test(cases, what_failed_for_our_reasons_may_be_tried_again);
    tcase_add_test(cases, a_key_is_kept_for_a_day);
    tcase_add_test(cases, the_oldest_key_makes_room_and_one_under_way_does_not);
    tcase_add_test(cases, where_all_are_under_way_one_more_is_told_so);
    tcase_add_test(cases, what_is_no_key_is_refused);
    tcase_add_test(cases, an_answer_that_there_is_no_memory_for_is_forgotten);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
