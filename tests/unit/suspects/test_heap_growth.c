#include "heap_growth.h"

#include <stdio.h>

#include "heap_bag.h"
#include "heap_built.h"
#include "hprof.h"
#include "mem.h"

static fl_error err;

static void set_up(void)
{
    err = (fl_error){0};
    bag_kept = BAG_IS_ROOT;
}

static fl_heap_paths *paths_of(uint32_t items, uint32_t fixed)
{
    fl_hprof_made made = bag_of(items, fixed);
    fl_hprof *dump;
    fl_heap *heap;
    fl_heap_paths *paths;
    const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_COMPRESSED};
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    fl_heap_source source = fl_hprof_source(dump);
    ck_assert_ok(fl_heap_create(&heap, &source, &options, &err));
    ck_assert_ok(fl_heap_paths_create(&paths, heap, 50, &err));
    fl_heap_destroy(heap);
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
    return paths;
}

/* What is said of heaps with so many items, dump by dump; NULL: nothing grew. */
static const char *grown(const uint32_t *items, size_t count, uint32_t fixed)
{
    static char holder[64];
    fl_heap_paths *series[8];
    fl_heap_growth growths[3];
    size_t found;
    for (size_t i = 0; i < count; i++)
        series[i] = paths_of(items[i], fixed);
    const fl_heap_paths *const *all = (const fl_heap_paths *const *)series;
    fl_mem_fail_after(0);
    fl_status status = fl_heap_growth_find(&found, growths, 3, all, count, &err);
    fl_mem_fail_after(-1);
    ck_assert_fails(FL_E_NOMEM, status);
    ck_assert_str_eq(err.message, "out of memory for what grew in the heap");
    err = (fl_error){0};
    ck_assert_ok(fl_heap_growth_find(&found, growths, 3, all, count, &err));
    ck_assert_uint_le(found, 1);
    if (found > 0) {
        const fl_heap_paths *last = series[count - 1];
        const char *field;
        snprintf(holder, sizeof(holder), "%s", fl_heap_growth_holder(&field, last, &growths[0]));
        ck_assert_ptr_null(field);
        ck_assert_str_eq(fl_heap_paths_at(last, growths[0].container)->label, ".ITEMS Item[]");
        ck_assert_str_eq(fl_heap_paths_at(last, growths[0].row)->label, "Item");
        ck_assert_uint_eq(growths[0].before_objects, items[0]);
        ck_assert_uint_eq(growths[0].after_objects, items[count - 1]);
        ck_assert_uint_eq(growths[0].bytes[0], growths[0].before_bytes);
        ck_assert_uint_eq(growths[0].bytes[count - 1], growths[0].after_bytes);
    }
    for (size_t i = 0; i < count; i++)
        fl_heap_paths_destroy(series[i]);
    return found > 0 ? holder : NULL;
}

START_TEST(a_container_that_grows_is_named_and_others_are_not)
{
    static const struct {
        uint32_t before, after, fixed;
        const char *holder;
    } cases[] = {
        {1000, 2000, 100, "Bag.ITEMS"}, {1000, 1300, 100, "Bag.ITEMS"},
        {1000, 1000, 100, NULL},        {1000, 1100, 100, NULL}, /* less than a fifth more */
        {2000, 1000, 100, NULL},                                 /* less than before */
        {100, 200, 100000, NULL},                                /* and little of the heap */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint32_t items[] = {cases[i].before, cases[i].after};
        const char *holder = grown(items, 2, cases[i].fixed);
        if (cases[i].holder == NULL)
            ck_assert_ptr_null(holder);
        else
            ck_assert_str_eq(holder, cases[i].holder);
    }
}
END_TEST

START_TEST(of_many_dumps_each_has_to_have_more)
{
    ck_assert_str_eq(grown((const uint32_t[]){1000, 1400, 1500, 2000}, 4, 100), "Bag.ITEMS");
    ck_assert_ptr_null(grown((const uint32_t[]){1000, 2000, 2000}, 3, 100)); /* loaded once */
    ck_assert_ptr_null(grown((const uint32_t[]){1000, 3000, 2000}, 3, 100)); /* emptied */
    ck_assert_ptr_null(grown((const uint32_t[]){1000, 1050, 1100}, 3, 100)); /* too little */
}
END_TEST

START_TEST(a_class_is_itself_wherever_it_hangs)
{
    for (int turn = 0; turn < 2; turn++) {
        fl_heap_growth growths[3];
        const char *field;
        size_t count;
        bag_kept = turn == 0 ? NO_ROOTS : BAG_IN_ARRAY;
        fl_heap_paths *before = paths_of(1000, 100);
        bag_kept = turn == 0 ? BAG_IN_ARRAY : NO_ROOTS;
        fl_heap_paths *after = paths_of(2000, 100);
        const fl_heap_paths *const series[] = {before, after};
        ck_assert_ok(fl_heap_growth_find(&count, growths, 3, series, 2, &err));
        ck_assert_uint_eq(count, 1);
        ck_assert_str_eq(fl_heap_growth_holder(&field, after, &growths[0]), "Bag.ITEMS");
        fl_heap_paths_destroy(before);
        fl_heap_paths_destroy(after);
    }
}
END_TEST

/* Two loaders have a class of one name, of which the second keeps more: nothing grew between two
 * dumps that are the same. */
START_TEST(classes_of_one_name_are_compared_each_with_itself)
{
    static const made_member few = {"ALL", FL_HEAP_REFERENCE, 0x1000},
                             many = {"ALL", FL_HEAP_REFERENCE, 0x2000};
    static const built_class classes[] = {
        {.id = 0x100, .name = "java/lang/Object"},
        {.id = 0x200, .super = 0x100, .name = "java/lang/Class"},
        {.id = 0x300, .super = 0x100, .name = "Twin", .statics = &few, .static_count = 1},
        {.id = 0x400, .super = 0x100, .name = "Twin", .statics = &many, .static_count = 1},
        {.id = 0x500, .super = 0x100, .name = "[J"}};
    static const unsigned char zeros[8000];
    built_heap built = {.made = built_begin(8, classes, 5)};
    fl_heap_paths *paths;
    fl_heap_growth growth;
    size_t found;
    made_values(&built.made, 0x1000, FL_HEAP_LONG, zeros, 20);
    made_values(&built.made, 0x2000, FL_HEAP_LONG, zeros, 1000);
    ck_assert_ok(built_open(&built, false, &err));
    ck_assert_ok(fl_heap_paths_create(&paths, built.heap, 50, &err));
    const fl_heap_paths *both[] = {paths, paths};
    ck_assert_ok(fl_heap_growth_find(&found, &growth, 1, both, 2, &err));
    ck_assert_uint_eq(found, 0);
    fl_heap_paths_destroy(paths);
    built_close(&built);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/heap_growth");
    TCase *tcase = tcase_create("growth");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_container_that_grows_is_named_and_others_are_not);
    tcase_add_test(tcase, of_many_dumps_each_has_to_have_more);
    tcase_add_test(tcase, a_class_is_itself_wherever_it_hangs);
    tcase_add_test(tcase, classes_of_one_name_are_compared_each_with_itself);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
