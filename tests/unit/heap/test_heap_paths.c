#include "heap_paths.h"

#include "heap_bag.h"
#include "hprof.h"
#include "mem.h"

static fl_error err;
static void set_up(void)
{
    err = (fl_error){0};
    bag_kept = BAG_IS_ROOT;
}

static fl_heap_paths *paths_of(fl_hprof_made *made, uint64_t least)
{
    fl_hprof *dump;
    fl_heap *heap;
    fl_heap_paths *paths;
    const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_COMPRESSED};
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(made), &err));
    fl_heap_source source = fl_hprof_source(dump);
    ck_assert_ok(fl_heap_create(&heap, &source, &options, &err));
    ck_assert_ok(fl_heap_paths_create(&paths, heap, least, &err));
    fl_heap_destroy(heap);
    fl_hprof_close(dump);
    fl_buf_dispose(&made->out);
    return paths;
}

static const fl_heap_path *row_named(const fl_heap_paths *paths, const char *label, size_t *at)
{
    for (*at = 0; *at < fl_heap_paths_count(paths); ++*at)
        if (strcmp(fl_heap_paths_at(paths, *at)->label, label) == 0)
            return fl_heap_paths_at(paths, *at);
    ck_abort_msg("no row %s", label);
    return NULL;
}

START_TEST(paths_name_statics_and_put_objects_of_a_class_together)
{
    fl_hprof_made made = bag_of(1000, 100);
    fl_heap_paths *paths = paths_of(&made, 100);
    size_t at;
    const fl_heap_path *row = row_named(paths, ".ITEMS Item[]", &at);
    ck_assert_str_eq(row->holder, "Bag.ITEMS");
    ck_assert_uint_eq(row->depth, 2);
    ck_assert_uint_eq(row->retained_bytes, 4016 + 1000 * 32);
    row = row_named(paths, "Item", &at);
    ck_assert_uint_eq(row->objects, 1000);
    /* the first of equals: before it by address are six classes, two arrays and 100 links */
    ck_assert_uint_eq(row->largest, 108);
    ck_assert_str_eq(fl_heap_paths_holder(paths, at), "Bag.ITEMS");
    ck_assert_uint_eq(fl_heap_paths_descend(paths, 0), at);
    /* a list is one row, and nobody's static */
    row = row_named(paths, "Link", &at);
    ck_assert_uint_eq(row->objects, 100);
    ck_assert_uint_eq(row->retained_bytes, 3200);
    ck_assert_str_eq(fl_heap_paths_holder(paths, at), "Link");
    fl_heap_paths_destroy(paths);
}
END_TEST

START_TEST(what_retains_little_is_no_row)
{
    fl_hprof_made made = bag_of(1000, 100);
    fl_heap_paths *paths = paths_of(&made, 20000);
    ck_assert_uint_eq(fl_heap_paths_count(paths), 4); /* the heap, Bag, its array, its items */
    fl_heap_paths_destroy(paths);
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    fl_hprof_made made = bag_of(200, 100);
    fl_hprof *dump;
    fl_heap *heap;
    const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_COMPRESSED};
    fl_status status = FL_E_NOMEM;
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    fl_heap_source source = fl_hprof_source(dump);
    ck_assert_ok(fl_heap_create(&heap, &source, &options, &err));
    for (long n = 0; status != FL_OK; n++) {
        fl_heap_paths *paths;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_heap_paths_create(&paths, heap, 100, &err);
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_str_eq(err.message, "out of memory for the paths of the heap");
        fl_heap_paths_destroy(paths);
        ck_assert_int_lt(n, 100);
    }
    fl_heap_destroy(heap);
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/heap_paths");
    TCase *tcase = tcase_create("paths");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, paths_name_statics_and_put_objects_of_a_class_together);
    tcase_add_test(tcase, what_retains_little_is_no_row);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
