#include "heap_strings.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"

enum { OBJECT = 0x100, CLASS = 0x200, STRING = 0x300, BYTES = 0x400, CHARS = 0x500 };

static fl_error err;
static built_heap built;
static fl_heap_strings strings;

/* Three Strings "alpha", two of them with one array; "beta" twice, once in each coding; one without
 * characters. Strings have 24 bytes, arrays of up to 8 bytes 24. */
static void setup(void)
{
    static const made_member string[] = {{"value", FL_HEAP_REFERENCE, 0},
                                         {"coder", FL_HEAP_BYTE, 0}};
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {STRING, OBJECT, "java/lang/String", NULL, 0, string, 2},
        {BYTES, OBJECT, "[B", NULL, 0, NULL, 0},
        {CHARS, OBJECT, "[C", NULL, 0, NULL, 0},
    };
    err = (fl_error){0};
    strings = (fl_heap_strings){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    fl_hprof_made *m = &built.made;
    made_values(m, 0x8000, FL_HEAP_BYTE, "alpha", 5);
    made_values(m, 0x8018, FL_HEAP_BYTE, "alpha", 5);
    made_values(m, 0x8030, FL_HEAP_BYTE, "beta", 4);
    made_values(m, 0x8048, FL_HEAP_CHAR, "\0b\0e\0t\0a", 4);
    built_string(m, 0x8060, STRING, 0x8000, 0);
    built_string(m, 0x8078, STRING, 0x8018, 0);
    built_string(m, 0x8090, STRING, 0x8018, 0);
    built_string(m, 0x80a8, STRING, 0x8030, 0);
    built_string(m, 0x80c0, STRING, 0x8048, 0);
    built_string(m, 0x80d8, STRING, 0, 0);
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_strings_dispose(&strings);
    built_close(&built);
}

START_TEST(equal_strings_cost_all_but_one_of_them_and_of_their_arrays)
{
    ck_assert_ok(fl_heap_strings_find(&strings, built.heap, 10, &err));
    ck_assert_uint_eq(strings.strings, 5);
    ck_assert_uint_eq(strings.texts, 3);
    ck_assert_uint_eq(strings.bytes, 5 * 24 + 4 * 24);
    ck_assert_uint_eq(strings.lost_bytes, 2 * 24 + 24);
    ck_assert_uint_eq(strings.row_count, 1);
    ck_assert_uint_eq(fl_heap_id(built.heap, strings.rows[0].example), 0x8060);
    ck_assert_uint_eq(strings.rows[0].strings, 3);
    ck_assert_uint_eq(strings.rows[0].arrays, 2);
    ck_assert_uint_eq(strings.rows[0].lost_bytes, 2 * 24 + 24);
}
END_TEST

START_TEST(rows_are_as_many_as_asked_for)
{
    ck_assert_ok(fl_heap_strings_find(&strings, built.heap, 0, &err));
    ck_assert_uint_eq(strings.row_count, 0);
    ck_assert_uint_eq(strings.lost_bytes, 72);
}
END_TEST

/* Some hundred texts, the i-th i + 1 times: those that stand most often come first. */
START_TEST(the_rows_that_lose_most_come_first)
{
    static const made_member string[] = {{"value", FL_HEAP_REFERENCE, 0}};
    static const built_class classes[] = {
        {STRING, 0, "java/lang/String", NULL, 0, string, 1},
        {BYTES, 0, "[B", NULL, 0, NULL, 0},
    };
    enum { TEXTS = 60 };
    built_close(&built);
    built.made = built_begin(8, classes, 2);
    uint64_t id = 0x8000;
    for (unsigned i = 0; i < TEXTS; i++) {
        unsigned which = i * 37 % TEXTS;
        char text[2] = {(char)('0' + which / 10), (char)('0' + which % 10)};
        made_values(&built.made, id, FL_HEAP_BYTE, text, 2);
        for (unsigned k = 0; k <= which; k++) {
            made_instance(&built.made, id + 24 + k * 16, STRING, 8);
            made_id(&built.made, id);
        }
        id += 24 + (uint64_t)(which + 1) * 16;
    }
    ck_assert_ok(built_open(&built, false, &err));
    ck_assert_ok(fl_heap_strings_find(&strings, built.heap, 7, &err));
    ck_assert_uint_eq(strings.texts, TEXTS);
    ck_assert_uint_eq(strings.row_count, 7);
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_uint_eq(strings.rows[i].strings, TEXTS - i);
        ck_assert_uint_eq(strings.rows[i].arrays, 1);
        ck_assert_uint_eq(strings.rows[i].lost_bytes, (TEXTS - i - 1) * UINT64_C(16));
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 100);
        fl_mem_fail_after(i);
        fl_heap_strings_dispose(&strings);
        status = fl_heap_strings_find(&strings, built.heap, 10, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_strings");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, equal_strings_cost_all_but_one_of_them_and_of_their_arrays);
    tcase_add_test(tcase, rows_are_as_many_as_asked_for);
    tcase_add_test(tcase, the_rows_that_lose_most_come_first);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
