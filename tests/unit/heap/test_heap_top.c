#include "heap_top.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum { OBJECT = 0x100, CLASS = 0x200, ITEM = 0x300, OTHER = 0x400, BYTES_CLASS = 0x500 };

static fl_error err;
static built_heap built;
static fl_heap_top top;

/* Items of growing size, each a root; one more object of another package. */
static void setup(void)
{
    static const char zeros[256];
    static const made_member item[] = {{"body", FL_HEAP_REFERENCE, 0}};
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {ITEM, OBJECT, "shop/Item", NULL, 0, item, 1},
        {OTHER, OBJECT, "shop/cart/Other", NULL, 0, item, 1},
        {BYTES_CLASS, OBJECT, "[B", NULL, 0, NULL, 0},
    };
    err = (fl_error){0};
    top = (fl_heap_top){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t at = 0x8000 + 0x1000 * i;
        made_instance(&built.made, at, i < 3 ? ITEM : OTHER, 8);
        made_id(&built.made, at + 0x100);
        made_values(&built.made, at + 0x100, FL_HEAP_BYTE, zeros, (uint32_t)(8 * i));
        made_root(&built.made, 0x05, at);
    }
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_top_dispose(&top);
    built_close(&built);
}

static const fl_heap_top_row *named(const fl_heap_top_row *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (fl_slice_equal(rows[i].name, SLICE(name)))
            return &rows[i];
    ck_abort_msg("no row %s", name);
    return NULL;
}

START_TEST(the_largest_objects_come_first_and_are_bounded)
{
    ck_assert_ok(fl_heap_top_find(&top, built.heap, 0, &err));
    uint64_t before = UINT64_MAX;
    for (size_t i = 0; i < top.object_count; i++) {
        uint64_t bytes = fl_heap_retained_bytes(built.heap, top.objects[i]);
        ck_assert_uint_le(bytes, before);
        before = bytes;
    }
    ck_assert_uint_eq(top.object_count, top.total_count);
    const fl_heap_object first = top.objects[0], second = top.objects[1];
    fl_heap_top_dispose(&top);
    ck_assert_ok(fl_heap_top_find(&top, built.heap, 2, &err));
    ck_assert_uint_eq(top.object_count, 2);
    ck_assert_uint_eq(top.objects[0], first);
    ck_assert_uint_eq(top.objects[1], second);
}
END_TEST

/* More than are gathered at once, their sizes in no order and many of them equal. */
START_TEST(the_largest_of_many_are_those_of_all)
{
    enum { MANY = 15000, FEW = 100 };
    static const char zeros[8 * 700];
    static fl_heap_object all[FEW];
    built_close(&built);
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {BYTES_CLASS, OBJECT, "[B", NULL, 0, NULL, 0},
    };
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t at = 0x100000 + 0x2000 * (uint64_t)i;
        made_values(&built.made, at, FL_HEAP_BYTE, zeros, 8 * (i * 7919u % 701u));
        made_root(&built.made, 0x05, at);
    }
    ck_assert_ok(built_open(&built, false, &err));
    ck_assert_ok(fl_heap_top_find(&top, built.heap, 0, &err));
    ck_assert_uint_ge(top.object_count, MANY);
    memcpy(all, top.objects, sizeof(all));
    static const size_t mosts[] = {1, 2, FEW - 1, FEW};
    for (size_t k = 0; k < sizeof(mosts) / sizeof(mosts[0]); k++) {
        fl_heap_top_dispose(&top);
        ck_assert_ok(fl_heap_top_find(&top, built.heap, mosts[k], &err));
        ck_assert_uint_eq(top.object_count, mosts[k]);
        ck_assert_mem_eq(top.objects, all, mosts[k] * sizeof(*all));
    }
}
END_TEST

START_TEST(classes_and_packages_are_summed_up)
{
    ck_assert_ok(fl_heap_top_find(&top, built.heap, 0, &err));
    uint64_t items = 3 * 16 + 16 + 24 + 32; /* arrays of 0, 8 and 16 bytes */
    fl_heap_object class = fl_heap_find(built.heap, ITEM);
    const fl_heap_top_row *row = named(top.classes, top.class_count, "shop.Item");
    ck_assert_uint_eq(row->objects, 4); /* the class object is one of them */
    ck_assert_uint_eq(row->retained_bytes, items + fl_heap_retained_bytes(built.heap, class));
    row = named(top.packages, top.package_count, "shop");
    ck_assert_uint_eq(row->objects, 4);
    ck_assert_uint_eq(named(top.packages, top.package_count, "shop.cart")->objects, 2);
    ck_assert_uint_eq(top.loader_count, 1);
    uint64_t whole = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(built.heap); i++)
        whole += fl_heap_class_at(built.heap, i)->reached_bytes;
    ck_assert_uint_eq(top.loaders[0].retained_bytes, whole);
}
END_TEST

START_TEST(a_package_ends_before_the_last_dot)
{
    ck_assert(fl_slice_equal(fl_heap_top_package(SLICE("a.b.C[]")), SLICE("a.b")));
    ck_assert_uint_eq(fl_heap_top_package(SLICE("byte[]")).len, 0);
    ck_assert_uint_eq(fl_heap_top_package(SLICE("")).len, 0);
    ck_assert_uint_eq(fl_heap_top_package(SLICE(".C")).len, 0);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    for (long i = 0; i < 5; i++) {
        fl_mem_fail_after(i);
        ck_assert_fails(FL_E_NOMEM, fl_heap_top_find(&top, built.heap, 0, &err));
        fl_heap_top_dispose(&top);
    }
    fl_mem_fail_after(5);
    ck_assert_ok(fl_heap_top_find(&top, built.heap, 0, &err));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_top");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_largest_objects_come_first_and_are_bounded);
    tcase_add_test(tcase, the_largest_of_many_are_those_of_all);
    tcase_add_test(tcase, classes_and_packages_are_summed_up);
    tcase_add_test(tcase, a_package_ends_before_the_last_dot);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
