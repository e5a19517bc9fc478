#include "heap_faults.h"

#include "fl_test.h"
#include "heap_of_maps.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static built_heap maps;
static fl_heap_faults faults;
static uint32_t hash_map; /* row of the table */

static void setup(void)
{
    err = (fl_error){0};
    faults = (fl_heap_faults){0};
    ck_assert_ok(maps_open(&maps, 8, &err));
    hash_map = 0;
    while (strcmp(fl_heap_collection_info(hash_map)->name, "java.util.HashMap") != 0)
        hash_map++;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_faults_dispose(&faults);
    built_close(&maps);
}

/* Figures of a map as if they were those of the heap's. */
static fl_status judge(const fl_heap_collection *figures, const fl_heap_locals *locals,
                       const fl_heap_strings *strings)
{
    static const fl_heap_locals no_locals;
    static const fl_heap_strings no_strings;
    fl_heap_collection row = figures != NULL ? *figures : (fl_heap_collection){0};
    row.object = fl_heap_find(maps.heap, MAPS_BIG);
    row.info = hash_map;
    const fl_heap_collections collections = {.rows = &row, .count = 1};
    fl_heap_faults_dispose(&faults);
    return fl_heap_faults_find(&faults, maps.heap, &collections,
                               locals != NULL ? locals : &no_locals,
                               strings != NULL ? strings : &no_strings, &err);
}

START_TEST(figures_of_a_map_say_what_is_wrong_with_its_keys)
{
    static const struct {
        fl_heap_collection map;
        int kind; /* -1: nothing */
        uint64_t part;
    } cases[] = {
        {{.entries = 1000}, -1, 0},
        {{.entries = 1000, .equal_keys = 499}, -1, 0},
        {{.entries = 1000, .equal_keys = 500}, FL_HEAP_KEYS_WITHOUT_EQUALS, 500},
        {{.entries = 99, .equal_keys = 99}, -1, 0},
        {{.entries = 1000, .same_keys = 2}, FL_HEAP_KEYS_CHANGED, 2},
        {{.entries = 1000, .same_keys = 2, .equal_keys = 900}, FL_HEAP_KEYS_WITHOUT_EQUALS, 900},
        {{.entries = 1000, .in_long = 49, .longest = 9}, -1, 0},
        {{.entries = 1000, .in_long = 50, .longest = 9}, FL_HEAP_HASHES_COLLIDE, 50},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_ok(judge(&cases[i].map, NULL, NULL));
        ck_assert_uint_eq(faults.count, cases[i].kind < 0 ? 0 : 1);
        if (cases[i].kind < 0)
            continue;
        ck_assert_int_eq((int)faults.rows[0].kind, cases[i].kind);
        ck_assert_uint_eq(faults.rows[0].part, cases[i].part);
        ck_assert_uint_eq(faults.rows[0].whole, 1000);
        ck_assert_uint_eq(faults.rows[0].bytes, 248);
        ck_assert(fl_slice_equal(fl_heap_class_at(maps.heap, faults.rows[0].key_class)->name,
                                 SLICE("java.lang.String")));
    }
}
END_TEST

START_TEST(a_thread_local_of_several_threads_must_keep_a_part_of_the_heap)
{
    fl_heap_local_key key = {.key = fl_heap_find(maps.heap, MAPS_SMALL),
                             .threads = 4,
                             .retained_bytes = 1u << 20,
                             .holder = FL_HEAP_NONE};
    const fl_heap_locals locals = {.keys = &key, .key_count = 1, .thread_count = 5};
    ck_assert_ok(judge(NULL, &locals, NULL));
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_int_eq(faults.rows[0].kind, FL_HEAP_LOCALS_IN_POOL);
    ck_assert_uint_eq(faults.rows[0].part, 4);
    ck_assert_uint_eq(faults.rows[0].whole, 5);
    key.threads = 3;
    ck_assert_ok(judge(NULL, &locals, NULL));
    ck_assert_uint_eq(faults.count, 0);
    key.threads = 4;
    key.retained_bytes = 16;
    ck_assert_ok(judge(NULL, &locals, NULL));
    ck_assert_uint_eq(faults.count, 0);
}
END_TEST

START_TEST(repeated_texts_must_cost_a_part_of_the_heap)
{
    fl_heap_text text = {.example = fl_heap_find(maps.heap, MAPS_KEY_A)};
    fl_heap_strings strings = {
        .strings = 100, .texts = 10, .lost_bytes = 1u << 20, .rows = &text, .row_count = 1};
    ck_assert_ok(judge(NULL, NULL, &strings));
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_int_eq(faults.rows[0].kind, FL_HEAP_TEXTS_REPEATED);
    ck_assert_uint_eq(faults.rows[0].part, 90);
    strings.lost_bytes = 8;
    ck_assert_ok(judge(NULL, NULL, &strings));
    ck_assert_uint_eq(faults.count, 0);
}
END_TEST

START_TEST(every_kind_has_a_name_and_a_hint)
{
    for (int i = 0; i < FL_HEAP_FAULT_KIND_COUNT; i++) {
        ck_assert_uint_gt(strlen(fl_heap_fault_name((fl_heap_fault_kind)i)), 5);
        ck_assert_uint_gt(strlen(fl_heap_fault_hint((fl_heap_fault_kind)i)), 20);
    }
}
END_TEST

START_TEST(an_allocation_may_fail)
{
    static const fl_heap_collection map = {.entries = 1000, .same_keys = 2};
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, judge(&map, NULL, NULL));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_faults");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, figures_of_a_map_say_what_is_wrong_with_its_keys);
    tcase_add_test(tcase, a_thread_local_of_several_threads_must_keep_a_part_of_the_heap);
    tcase_add_test(tcase, repeated_texts_must_cost_a_part_of_the_heap);
    tcase_add_test(tcase, every_kind_has_a_name_and_a_hint);
    tcase_add_test(tcase, an_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
