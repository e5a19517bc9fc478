#include "graph_check.h"

#include "check_circle.h"
#include "mem.h"

#include "fl_graph_made.h"
#include "fl_store_place.h"
#include "fl_test.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;
static fl_made_graph made;

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    store = NULL;
    fl_make_graph(&made);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_graph_add(NULL, store, &made.batch, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static fl_status keep_last(const fl_graph_fault *fault, void *payload, fl_error *e)
{
    (void)e;
    snprintf(payload, 256, "%s: %s", fl_fault_kind_name(fault->kind), fault->sentence);
    return FL_OK;
}

START_TEST(what_the_store_lets_in_is_sound)
{
    char last[256] = "";
    fl_graph_checked checked;
    ck_assert_ok(fl_graph_check(&checked, store, FL_MADE_AT_NS + 9, keep_last, last, &err));
    ck_assert_str_eq(last, "");
    ck_assert_uint_eq(fl_graph_checked_faults(&checked), 0);
    ck_assert_uint_eq(checked.nodes, 4);
    ck_assert_uint_eq(checked.edges, 3);
    ck_assert_uint_eq(checked.evidence, 3);
}
END_TEST

START_TEST(what_was_recorded_after_now_is_a_note)
{
    char last[256] = "";
    fl_graph_checked checked;
    ck_assert_ok(fl_graph_check(&checked, store, FL_MADE_AT_NS, keep_last, last, &err));
    ck_assert_str_eq(last, "future: recorded later than now");
    ck_assert_uint_eq(fl_graph_checked_faults(&checked), 0);
    ck_assert_uint_eq(checked.counts[FL_FAULT_FUTURE], 5);
}
END_TEST

enum { MANY = 50 };

START_TEST(an_author_beyond_the_cap_is_a_note)
{
    char last[256] = "", references[MANY][16];
    fl_graph_evidence items[MANY];
    fl_graph_checked checked;
    for (int i = 0; i < MANY; i++) {
        snprintf(references[i], sizeof(references[i]), "incident-%d", i);
        items[i] = fl_made_evidence(&made.edges[1], "eve", true, FL_MADE_AT_NS);
        items[i].reference = references[i];
        items[i].id = fl_graph_evidence_id(&items[i]);
    }
    const fl_graph_batch batch = {.evidence = items, .evidence_count = MANY};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    ck_assert_ok(fl_graph_check(&checked, store, FL_MADE_AT_NS + 9, keep_last, last, &err));
    ck_assert_str_eq(last, "beyond-cap: eve (person) says 50 things of one edge: they count as 20"
                           " of 50");
    ck_assert_uint_eq(checked.counts[FL_FAULT_BEYOND_CAP], 1);
}
END_TEST

static fl_status refuse(const fl_graph_fault *fault, void *payload, fl_error *e)
{
    (void)fault;
    (void)payload;
    return fl_fail(e, FL_E_IO, FL_NO_OFFSET, "nobody listens");
}

START_TEST(a_visit_that_fails_ends_the_check)
{
    fl_graph_checked checked;
    ck_assert_fails(FL_E_IO, fl_graph_check(&checked, store, 0, refuse, NULL, &err));
    ck_assert_str_eq(err.message, "nobody listens");
    err = (fl_error){0};
    ck_assert_ok(fl_graph_check(&checked, store, FL_GRAPH_NOW, refuse, NULL, &err));
}
END_TEST

START_TEST(every_failed_allocation_is_an_error_and_leaks_nothing)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK && n < 100; n++) {
        char last[256];
        fl_graph_checked checked;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_graph_check(&checked, store, FL_GRAPH_NOW, keep_last, last, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_int_eq(status, FL_OK);
}
END_TEST

/* ---- circles ---- */

static const struct {
    const char *edges; /* "ab" leads from a to b */
    size_t nodes;
} graphs[] = {
    {"", 0},
    {"ab", 0},
    {"ab bc ac", 0},
    {"aa", 1},
    {"ab ba", 2},
    {"ab bc ca", 3},
    {"xa ab ba by", 2},       /* what leads to a circle and away from it is not in it */
    {"ab ba bc cd dc", 4},    /* two circles with a way between them */
    {"ab ba bm mc cd dc", 5}, /* m lies between them */
    {"ab ab ba", 2},
};

START_TEST(circles_are_found_and_nothing_else)
{
    fl_circle circle = {0};
    size_t found;
    for (const char *e = graphs[_i].edges; *e != '\0'; e += e[2] == ' ' ? 3 : 2)
        ck_assert_ok(fl_circle_add(&circle, (uint64_t)e[0], (uint64_t)e[1], &err));
    ck_assert_ok(fl_circle_find(&found, &circle, &err));
    ck_assert_uint_eq(found, graphs[_i].nodes);
    fl_circle_dispose(&circle);
}
END_TEST

START_TEST(a_circle_of_a_hundred_thousand_is_one)
{
    enum { LONG = 100000 };
    fl_circle circle = {0};
    size_t found;
    for (uint64_t i = 0; i < LONG; i++)
        ck_assert_ok(fl_circle_add(&circle, i, (i + 1) % LONG, &err));
    ck_assert_ok(fl_circle_find(&found, &circle, &err));
    ck_assert_uint_eq(found, LONG);
    fl_circle_dispose(&circle);
}
END_TEST

START_TEST(looking_for_circles_survives_each_failed_allocation)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK && n < 50; n++) {
        fl_circle circle = {0};
        size_t found;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_circle_add(&circle, 1, 2, &err);
        if (status == FL_OK)
            status = fl_circle_add(&circle, 2, 1, &err);
        if (status == FL_OK)
            status = fl_circle_find(&found, &circle, &err);
        fl_circle_dispose(&circle);
        fl_mem_fail_after(-1);
    }
    ck_assert_int_eq(status, FL_OK);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("graph_check");
    TCase *tc = tcase_create("cases");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_the_store_lets_in_is_sound);
    tcase_add_test(tc, what_was_recorded_after_now_is_a_note);
    tcase_add_test(tc, an_author_beyond_the_cap_is_a_note);
    tcase_add_test(tc, a_visit_that_fails_ends_the_check);
    tcase_add_test(tc, every_failed_allocation_is_an_error_and_leaks_nothing);
    suite_add_tcase(s, tc);
    TCase *circles = tcase_create("circles");
    tcase_add_loop_test(circles, circles_are_found_and_nothing_else, 0,
                        sizeof(graphs) / sizeof(graphs[0]));
    tcase_add_test(circles, a_circle_of_a_hundred_thousand_is_one);
    tcase_add_test(circles, looking_for_circles_survives_each_failed_allocation);
    suite_add_tcase(s, circles);
    return s;
}

FL_TEST_MAIN(suite)
