#include "follow.h"

#include <stdio.h>

#include "mem.h"
#include "report.h"
#include "report_picture.h"
#include "slice.h"
#include "store.h"
#include "timestamp.h"

#include "fl_folder.h"
#include "fl_pictures.h"
#include "fl_test.h"

static fl_folder folder;
static fl_error err;
static fl_follow *follow;
static fl_follow_news news;
static char place[512];

/* Another fact, another document. */
static void put(uint64_t lines)
{
    fl_store *store = NULL;
    fl_incident incident = fl_test_incident;
    fl_buf text = fl_buf_of(1 << 20);
    incident.log_records = lines;
    ck_assert_ok(fl_report_json(&text, &incident, &err));
    ck_assert_ok(fl_store_open(&store, place, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_store_put(store, &incident, fl_buf_slice(&text), 1, &err));
    fl_store_close(store);
    fl_buf_dispose(&text);
}

static void put_picture(void)
{
    fl_store *store = NULL;
    fl_buf text = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_picture_json(&text, &fl_test_picture, &err));
    ck_assert_ok(fl_store_open(&store, place, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_store_put_picture(store, fl_test_incident.id, fl_buf_slice(&text), &err));
    fl_store_close(store);
    fl_buf_dispose(&text);
}

static void setup(void)
{
    err = (fl_error){0};
    fl_folder_open(&folder);
    snprintf(place, sizeof(place), "%s/store.db", folder.path);
    put(1);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_follow_close(follow);
    follow = NULL;
    fl_folder_remove(&folder);
}

static void open_at(const char *id)
{
    ck_assert_ok(fl_follow_open(&follow, &(fl_follow_options){.store = place}, &err));
    ck_assert_ok(fl_follow_turn_to(follow, id, &err));
}

/* Until a step tells something; waits are those of the store. */
static void step_to_news(void)
{
    do
        ck_assert_ok(fl_follow_step(follow, FL_NS_PER_S, &news, &err));
    while (!news.is_new && !news.is_gone && !news.is_lost && !news.is_back);
}

START_TEST(the_first_look_is_new_and_the_next_only_where_something_changed)
{
    put_picture();
    open_at("3f9a");
    step_to_news();
    ck_assert(news.is_new && !news.is_gone && !news.is_lost && !news.is_back);
    ck_assert_ptr_nonnull(strstr(news.document, "\"records\": 1,"));
    ck_assert_ptr_nonnull(strstr(news.picture, "faultline.timeline/1"));
    ck_assert_ok(fl_follow_turn_to(follow, "3f9a2c11d0e4", &err));
    ck_assert_ok(fl_follow_step(follow, 0, &news, &err));
    ck_assert(!news.is_new && news.document != NULL);
    put(2);
    step_to_news();
    ck_assert(news.is_new);
    ck_assert_ptr_nonnull(strstr(news.document, "\"records\": 2,"));
}
END_TEST

START_TEST(what_is_not_there_at_first_is_a_failure)
{
    open_at("nope");
    ck_assert_fails(FL_E_NOTFOUND, fl_follow_step(follow, 0, &news, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "no incident 'nope' in store "));
}
END_TEST

START_TEST(an_incident_without_a_picture_has_none)
{
    open_at("3f9a");
    step_to_news();
    ck_assert_ptr_null(news.picture);
}
END_TEST

START_TEST(what_is_not_there_any_more_is_gone)
{
    open_at("3f9a");
    step_to_news();
    ck_assert_ok(fl_follow_turn_to(follow, "elsewhere", &err));
    step_to_news();
    ck_assert(news.is_gone && !news.is_new && !news.is_lost);
}
END_TEST

START_TEST(a_store_that_went_away_is_said_once_and_its_return_too)
{
    char away[600];
    snprintf(away, sizeof(away), "%s.away", place);
    open_at("3f9a");
    step_to_news();
    ck_assert_int_eq(rename(place, away), 0);
    step_to_news();
    ck_assert(news.is_lost && !news.is_gone);
    ck_assert_ptr_nonnull(strstr(news.why, "no store at "));
    ck_assert_int_eq(news.again_ns, FL_NS_PER_S / 2);
    for (int64_t again_ns = 0; again_ns <= FL_NS_PER_S / 2; again_ns = news.again_ns) {
        ck_assert_ok(fl_follow_step(follow, FL_NS_PER_S, &news, &err));
        ck_assert(!news.is_lost && !news.is_back && news.document != NULL);
        if (news.again_ns == 0)
            news.again_ns = again_ns; /* a step that waited */
    }
    ck_assert_int_eq(rename(away, place), 0);
    step_to_news();
    ck_assert(news.is_back && !news.is_new);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    for (long failures = 0; status != FL_OK; failures++) {
        fl_mem_fail_after(failures);
        status = fl_follow_open(&follow, &(fl_follow_options){.store = place}, NULL);
        if (status == FL_OK)
            status = fl_follow_turn_to(follow, "3f9a", NULL);
        if (status == FL_OK)
            status = fl_follow_step(follow, 0, &news, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM || status == FL_E_IO);
        fl_follow_close(follow);
        follow = NULL;
        ck_assert_int_lt(failures, 10000);
    }
}
END_TEST

static Suite *follow_suite(void)
{
    Suite *suite = suite_create("cli/follow");
    TCase *cases = tcase_create("follow");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, the_first_look_is_new_and_the_next_only_where_something_changed);
    tcase_add_test(cases, what_is_not_there_at_first_is_a_failure);
    tcase_add_test(cases, an_incident_without_a_picture_has_none);
    tcase_add_test(cases, what_is_not_there_any_more_is_gone);
    tcase_add_test(cases, a_store_that_went_away_is_said_once_and_its_return_too);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(follow_suite)
