#include "heap_ways.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum { OBJECT = 0x100, CLASS = 0x200, LINK = 0x300, WEAK = 0x400, REFERENCE = 0x500, BAG = 0x600 };
enum { CHAIN = 100, FIRST = 0x8000, STEP = 0x20, SIDE = 0x7000, LONE = 0x7100, LAST = 0x7200 };

static fl_error err;
static built_heap built;

static void link_to(uint64_t at, uint64_t next)
{
    made_instance(&built.made, at, LINK, 8);
    made_id(&built.made, next);
}

/* A chain of links that a static holds; a weak reference beside it, and a link that nothing has. */
static void setup(void)
{
    static const made_member statics[] = {{"HEAD", FL_HEAP_REFERENCE, FIRST},
                                          {"SIDE", FL_HEAP_REFERENCE, SIDE}};
    static const made_member link[] = {{"next", FL_HEAP_REFERENCE, 0}};
    static const made_member referent[] = {{"referent", FL_HEAP_REFERENCE, 0}};
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {LINK, OBJECT, "shop/Link", NULL, 0, link, 1},
        {REFERENCE, OBJECT, "java/lang/ref/Reference", NULL, 0, referent, 1},
        {WEAK, REFERENCE, "java/lang/ref/WeakReference", NULL, 0, NULL, 0},
        {BAG, OBJECT, "shop/Bag", statics, 2, NULL, 0},
    };
    err = (fl_error){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_instance(&built.made, SIDE, WEAK, 8);
    made_id(&built.made, LAST);
    link_to(LONE, 0);
    link_to(LAST, 0);
    for (uint64_t i = 0; i < CHAIN; i++)
        link_to(FIRST + i * STEP, i + 1 < CHAIN ? FIRST + (i + 1) * STEP : 0);
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    built_close(&built);
}

static uint64_t id_of(const fl_heap_step *step)
{
    return fl_heap_id(built.heap, step->object);
}

START_TEST(a_way_begins_at_the_root_and_names_each_reference)
{
    fl_heap_way way;
    fl_heap_object wanted = fl_heap_find(built.heap, FIRST + STEP);
    ck_assert_ok(fl_heap_ways_find(&way, built.heap, &wanted, 1, &err));
    ck_assert_uint_eq(way.count, 3);
    ck_assert_uint_eq(id_of(&way.steps[0]), BAG);
    ck_assert_int_eq(way.steps[0].edge.kind, FL_HEAP_EDGE_STATIC);
    ck_assert(fl_slice_equal(way.steps[0].edge.member->name, SLICE("HEAD")));
    ck_assert_uint_eq(id_of(&way.steps[1]), FIRST);
    ck_assert(fl_slice_equal(way.steps[1].edge.member->name, SLICE("next")));
    ck_assert_uint_eq(id_of(&way.steps[2]), FIRST + STEP);
    ck_assert_uint_eq(way.steps[2].edge.to, FL_HEAP_NONE);
}
END_TEST

START_TEST(what_no_root_keeps_has_no_way)
{
    fl_heap_way ways[2];
    const fl_heap_object wanted[] = {fl_heap_find(built.heap, LONE),
                                     fl_heap_find(built.heap, LAST)};
    ck_assert_ok(fl_heap_ways_find(ways, built.heap, wanted, 2, &err));
    ck_assert_uint_eq(ways[0].count, 0);
    ck_assert_uint_eq(ways[1].count, 0); /* the reference is weak */
}
END_TEST

START_TEST(a_long_way_keeps_its_beginning_and_its_end)
{
    fl_heap_way way;
    fl_heap_object wanted = fl_heap_find(built.heap, FIRST + (CHAIN - 1) * STEP);
    ck_assert_ok(fl_heap_ways_find(&way, built.heap, &wanted, 1, &err));
    ck_assert_uint_eq(way.count, FL_HEAP_WAY_STEPS);
    ck_assert_uint_eq(way.left_out, CHAIN + 1 - FL_HEAP_WAY_STEPS);
    ck_assert_uint_eq(id_of(&way.steps[0]), BAG);
    ck_assert_uint_eq(id_of(&way.steps[FL_HEAP_WAY_STEPS / 2 - 1]),
                      FIRST + (FL_HEAP_WAY_STEPS / 2 - 2) * STEP);
    ck_assert_uint_eq(id_of(&way.steps[FL_HEAP_WAY_STEPS - 1]), FIRST + (CHAIN - 1) * STEP);
    ck_assert_uint_eq(id_of(&way.steps[FL_HEAP_WAY_STEPS / 2]),
                      FIRST + (CHAIN - FL_HEAP_WAY_STEPS / 2) * STEP);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_heap_way way;
    fl_heap_object wanted = fl_heap_find(built.heap, FIRST);
    for (long i = 0; i < 3; i++) {
        fl_mem_fail_after(i);
        ck_assert_fails(FL_E_NOMEM, fl_heap_ways_find(&way, built.heap, &wanted, 1, &err));
    }
    fl_mem_fail_after(3);
    ck_assert_ok(fl_heap_ways_find(&way, built.heap, &wanted, 1, &err));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_ways");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_way_begins_at_the_root_and_names_each_reference);
    tcase_add_test(tcase, what_no_root_keeps_has_no_way);
    tcase_add_test(tcase, a_long_way_keeps_its_beginning_and_its_end);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
