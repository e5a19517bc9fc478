#include "heap_paths.h"

#include <stdio.h>

#include "fl_hprof_made.h"
#include "fl_test.h"
#include "hprof.h"
#include "mem.h"

static fl_error err;
/* How the class Bag is kept: as a root, by an array, or by nothing in a dump that has no roots. */
static enum { BAG_IS_ROOT, BAG_IN_ARRAY, NO_ROOTS } bag_kept;

static void set_up(void)
{
    err = (fl_error){0};
    bag_kept = BAG_IS_ROOT;
}

/* Bag.ITEMS -> Object[] of so many Items; Bag.FIXED -> a table of one size; a chain of Links that a
 * JNI global keeps. */
static fl_hprof_made bag_of(uint32_t items, uint32_t fixed)
{
    static const made_member statics[] = {{"ITEMS", FL_HEAP_REFERENCE, 0x10000},
                                          {"FIXED", FL_HEAP_REFERENCE, 0x20000}};
    static const made_member item[] = {{"a", FL_HEAP_LONG, 0}, {"b", FL_HEAP_LONG, 0}};
    static const made_member link[] = {{"next", FL_HEAP_REFERENCE, 0}};
    static uint64_t elements[4096];
    fl_hprof_made m = made_begin("1.0.2", 8);
    ck_assert_uint_le(items, 4096);
    made_loaded(&m, 0x100, "Bag");
    made_loaded(&m, 0x200, "Item");
    made_loaded(&m, 0x300, "[LItem;");
    made_loaded(&m, 0x400, "[J");
    made_loaded(&m, 0x500, "Link");
    made_loaded(&m, 0x600, "java/lang/Class");
    uint64_t s = made_names(&m, statics, 2), f = made_names(&m, item, 2),
             n = made_names(&m, link, 1);
    made_segment(&m);
    made_class_item(&m, &(made_class){0x100, 0, 0, statics, 2, s, NULL, 0, 0});
    made_class_item(&m, &(made_class){0x200, 0, 0, NULL, 0, 0, item, 2, f});
    made_class_item(&m, &(made_class){.id = 0x300});
    made_class_item(&m, &(made_class){.id = 0x400});
    made_class_item(&m, &(made_class){0x500, 0, 0, NULL, 0, 0, link, 1, n});
    made_class_item(&m, &(made_class){.id = 0x600});
    for (uint64_t c = bag_kept == BAG_IS_ROOT ? 0x100 : 0x200; c <= 0x600; c += 0x100)
        if (bag_kept != NO_ROOTS)
            made_root(&m, 0x05, c);
    for (uint64_t held = 0x40000; held <= 0x48000 && bag_kept != NO_ROOTS; held += 0x8000) {
        made_root(&m, 0x01, held); /* the second one is there if Bag is in an array */
        made_id(&m, 0);
    }
    if (bag_kept == BAG_IN_ARRAY)
        made_objects(&m, 0x48000, 0x300, (const uint64_t[]){0x100}, 1);
    for (uint32_t i = 0; i < items; i++)
        elements[i] = 0x50000 + 64 * (uint64_t)i;
    made_objects(&m, 0x10000, 0x300, elements, items);
    made_number(&m, 0x23, 1);
    made_id(&m, 0x20000);
    made_number(&m, 0, 4);
    made_number(&m, fixed, 4);
    made_number(&m, FL_HEAP_LONG, 1);
    for (uint32_t i = 0; i < fixed; i++)
        made_number(&m, i, 8);
    for (uint32_t i = 0; i < items; i++) {
        made_instance(&m, elements[i], 0x200, 16);
        made_number(&m, i, 8);
        made_number(&m, i, 8);
    }
    for (uint64_t i = 0; i < 100; i++) {
        made_instance(&m, 0x40000 + 32 * i, 0x500, 8);
        made_id(&m, i < 99 ? 0x40000 + 32 * (i + 1) : 0);
    }
    made_segment_end(&m);
    return m;
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

/* What is said of two heaps; NULL: nothing grew. */
static const char *grown(uint32_t items_before, uint32_t items_after, uint32_t fixed)
{
    static char holder[64];
    fl_hprof_made first = bag_of(items_before, fixed), second = bag_of(items_after, fixed);
    fl_heap_paths *before = paths_of(&first, 50), *after = paths_of(&second, 50);
    fl_heap_growth growths[3];
    size_t count;
    fl_mem_fail_after(0);
    fl_status status = fl_heap_growth_find(&count, growths, 3, before, after, &err);
    fl_mem_fail_after(-1);
    ck_assert_fails(FL_E_NOMEM, status);
    err = (fl_error){0};
    ck_assert_ok(fl_heap_growth_find(&count, growths, 3, before, after, &err));
    ck_assert_uint_le(count, 1);
    if (count > 0) {
        snprintf(holder, sizeof(holder), "%s", fl_heap_paths_holder(after, growths[0].row));
        ck_assert_str_eq(fl_heap_paths_at(after, growths[0].container)->label, ".ITEMS Item[]");
        ck_assert_str_eq(fl_heap_paths_at(after, growths[0].row)->label, "Item");
        ck_assert_uint_eq(growths[0].before_objects, items_before);
        ck_assert_uint_eq(growths[0].after_objects, items_after);
    }
    fl_heap_paths_destroy(before);
    fl_heap_paths_destroy(after);
    return count > 0 ? holder : NULL;
}

START_TEST(a_container_that_grows_is_named_and_others_are_not)
{
    ck_assert_str_eq(grown(1000, 2000, 100), "Bag.ITEMS");
    ck_assert_str_eq(grown(1000, 1300, 100), "Bag.ITEMS");
    ck_assert_ptr_null(grown(1000, 1000, 100));
    ck_assert_ptr_null(grown(1000, 1100, 100));  /* less than a fifth more */
    ck_assert_ptr_null(grown(2000, 1000, 100));  /* less than before */
    ck_assert_ptr_null(grown(100, 200, 100000)); /* and little of the heap */
}
END_TEST

START_TEST(a_class_is_itself_wherever_it_hangs)
{
    for (int turn = 0; turn < 2; turn++) {
        bag_kept = turn == 0 ? NO_ROOTS : BAG_IN_ARRAY;
        fl_hprof_made first = bag_of(1000, 100);
        bag_kept = turn == 0 ? BAG_IN_ARRAY : NO_ROOTS;
        fl_hprof_made second = bag_of(2000, 100);
        fl_heap_paths *before = paths_of(&first, 50), *after = paths_of(&second, 50);
        fl_heap_growth growths[3];
        size_t count;
        ck_assert_ok(fl_heap_growth_find(&count, growths, 3, before, after, &err));
        ck_assert_uint_eq(count, 1);
        ck_assert_str_eq(fl_heap_paths_holder(after, growths[0].row), "Bag.ITEMS");
        fl_heap_paths_destroy(before);
        fl_heap_paths_destroy(after);
    }
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
    tcase_add_test(tcase, a_container_that_grows_is_named_and_others_are_not);
    tcase_add_test(tcase, a_class_is_itself_wherever_it_hangs);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
