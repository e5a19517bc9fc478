#include "heap_groups.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"

enum { OBJECT = 0x100, CLASS = 0x200, LINK = 0x300, BOX = 0x400, BAG = 0x500 };
enum { OUTER = 0x8000, MIDDLE = 0x8040, INNER = 0x8080, OTHER = 0x80c0, LONE = 0x8100 };

static fl_error err;
static built_heap built;

static void refer(uint64_t at, uint64_t class_id, uint64_t to)
{
    made_instance(&built.made, at, class_id, 8);
    made_id(&built.made, to);
}

/* A box around a link around a box; another box, and one that nothing keeps. */
static void setup(void)
{
    static const made_member statics[] = {{"A", FL_HEAP_REFERENCE, OUTER},
                                          {"B", FL_HEAP_REFERENCE, OTHER}};
    static const made_member next[] = {{"next", FL_HEAP_REFERENCE, 0}};
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {LINK, OBJECT, "shop/Link", NULL, 0, next, 1},
        {BOX, OBJECT, "shop/Box", NULL, 0, next, 1},
        {BAG, OBJECT, "shop/Bag", statics, 2, NULL, 0},
    };
    err = (fl_error){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    refer(OUTER, BOX, MIDDLE);
    refer(MIDDLE, LINK, INNER);
    refer(INNER, BOX, 0);
    refer(OTHER, BOX, 0);
    refer(LONE, BOX, 0);
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    built_close(&built);
}

/* Boxes are group 0, links group 1, everything else is in none. */
static size_t group_of(void *payload, fl_heap_object object)
{
    const fl_heap_class *facts = fl_heap_class_at(payload, fl_heap_class_of(payload, object));
    return facts->id == BOX ? 0 : facts->id == LINK ? 1 : FL_HEAP_NO_GROUP;
}

START_TEST(what_lies_inside_of_its_own_group_is_not_counted_twice)
{
    uint64_t bytes[2] = {0, 0};
    ck_assert_ok(fl_heap_groups_retain(bytes, built.heap, 2, group_of, built.heap, &err));
    ck_assert_uint_eq(bytes[0], 4 * 16); /* the outer box with all in it, and the other one */
    ck_assert_uint_eq(bytes[1], 2 * 16);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    uint64_t bytes[2] = {0, 0};
    for (long i = 0; i < 2; i++) {
        fl_mem_fail_after(i);
        ck_assert_fails(FL_E_NOMEM,
                        fl_heap_groups_retain(bytes, built.heap, 2, group_of, built.heap, &err));
    }
    ck_assert_uint_eq(bytes[0] + bytes[1], 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_groups");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_lies_inside_of_its_own_group_is_not_counted_twice);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
