/*
 * What is drawn of an incident, beside its document: on both engines.
 */
#include "fl_incidents.h"
#include "fl_store_place.h"
#include "mem.h"
#include "store.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static void check_is(const char *id, const char *text)
{
    char *picture = NULL;
    ck_assert_ok(fl_store_get_picture(store, id, &picture, &err));
    ck_assert_str_eq(picture, text);
    fl_mem_free(picture);
}

START_TEST(a_picture_is_there_again_also_after_opening)
{
    static const char text[] = "{\"a\": \"it's \\u001b \u00e9\", \"n\": [1, 2, 3]}\n";
    ck_assert_ok(fl_store_put_picture(store, "3f9a", SLICE(text), &err));
    check_is("3f9a", text);
    fl_store_close(store);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_EXISTING, &err));
    check_is("3f9a", text);
}
END_TEST

/* Servers may be set up to answer bytes in another form; SQLite does not look at this. */
START_TEST(a_picture_is_there_again_whatever_form_a_server_prefers)
{
    ck_assert_int_eq(setenv("PGOPTIONS", "-c bytea_output=escape", 1), 0);
    fl_store_close(store);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_EXISTING, &err));
    ck_assert_ok(fl_store_put_picture(store, "3f9a", SLICE("{\"a\": 1}"), &err));
    check_is("3f9a", "{\"a\": 1}");
    ck_assert_int_eq(unsetenv("PGOPTIONS"), 0);
}
END_TEST

START_TEST(a_newer_picture_replaces_the_older_of_its_incident_only)
{
    ck_assert_ok(fl_store_put_picture(store, "a", SLICE("one"), &err));
    ck_assert_ok(fl_store_put_picture(store, "b", SLICE("two"), &err));
    ck_assert_ok(fl_store_put_picture(store, "a", SLICE("three, and longer than it was"), &err));
    check_is("a", "three, and longer than it was");
    check_is("b", "two");
}
END_TEST

START_TEST(an_incident_without_one_is_said_so_and_a_beginning_is_no_id)
{
    char *picture = (char *)&store;
    ck_assert_ok(fl_store_put(store, &fl_test_incident, SLICE("{}"), 1, &err));
    ck_assert_fails(FL_E_NOTFOUND,
                    fl_store_get_picture(store, fl_test_incident.id, &picture, &err));
    ck_assert_str_eq(err.message, "there is no picture of incident 3f9a2c11d0e4");
    ck_assert_ptr_null(picture);
    ck_assert_ok(fl_store_put_picture(store, fl_test_incident.id, SLICE("x"), &err));
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_store_get_picture(store, "3f9a", &picture, &err));
}
END_TEST

START_TEST(a_large_picture_is_kept_and_one_that_is_too_large_is_refused)
{
    size_t len = 2u << 20;
    char *text = malloc((16u << 20) + 2);
    memset(text, '7', (16u << 20) + 1);
    text[(16u << 20) + 1] = '\0';
    fl_slice all = {.ptr = (const unsigned char *)text, .len = (16u << 20) + 1};
    ck_assert_fails(FL_E_LIMIT, fl_store_put_picture(store, "a", all, &err));
    ck_assert_str_eq(err.message, "the picture of a is larger than 16777216 bytes");
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('0' + i * 2654435761u % 64);
    text[len] = '\0';
    ck_assert_ok(fl_store_put_picture(store, "a", SLICE(text), &err));
    check_is("a", text);
    free(text);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    long allowed = 0;
    for (; status != FL_OK; allowed++) {
        char *picture = NULL;
        fl_error own = {0};
        fl_mem_fail_after(allowed);
        status = fl_store_put_picture(store, "a", SLICE("drawn"), &own);
        if (status == FL_OK)
            status = fl_store_get_picture(store, "a", &picture, &own);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", own.message);
        ck_assert_int_eq(status == FL_OK, picture != NULL);
        fl_mem_free(picture);
    }
    ck_assert_int_gt(allowed, 3);
}
END_TEST

static Suite *picture_suite(void)
{
    Suite *suite = suite_create("store/store_picture");
    TCase *cases = tcase_create("picture");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_picture_is_there_again_also_after_opening);
    tcase_add_test(cases, a_picture_is_there_again_whatever_form_a_server_prefers);
    tcase_add_test(cases, a_newer_picture_replaces_the_older_of_its_incident_only);
    tcase_add_test(cases, an_incident_without_one_is_said_so_and_a_beginning_is_no_id);
    tcase_add_test(cases, a_large_picture_is_kept_and_one_that_is_too_large_is_refused);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(picture_suite)
