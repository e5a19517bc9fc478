#include "heap_kept.h"

#include <string.h>

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"

enum { OBJECT = 0x100, CLASS = 0x200, LINK = 0x300, KNOT = 0x400, BAG = 0x500 };
enum { CHAIN = 60, FIRST = 0x8000, STEP = 0x20, LIST = 0x20000, LONGEST = 600 };

static fl_error err;
static built_heap built;
static fl_arena arena;
static fl_heap_kept kept;
static char long_name[LONGEST + 1];

static void link_to(uint64_t at, uint64_t class_id, uint64_t next)
{
    made_instance(&built.made, at, class_id, 8);
    made_id(&built.made, next);
}

/* Two classes in turn below one static, a list of one class below another. The second class has a
 * name that is longer than any, with a character of two bytes at the place where it is cut. */
static void setup(void)
{
    static const made_member statics[] = {{"HEAD", FL_HEAP_REFERENCE, FIRST},
                                          {"LIST", FL_HEAP_REFERENCE, LIST}};
    static const made_member link[] = {{"next", FL_HEAP_REFERENCE, 0}};
    const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {LINK, OBJECT, "shop/Link", NULL, 0, link, 1},
        {KNOT, OBJECT, long_name, NULL, 0, link, 1},
        {BAG, OBJECT, "shop/Bag", statics, 2, NULL, 0},
    };
    memset(long_name, 'k', LONGEST);
    memcpy(long_name + FL_KEPT_NAME_BYTES - 1, "\xC3\xA9", 2);
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    for (uint64_t i = 0; i < CHAIN; i++) {
        link_to(FIRST + i * STEP, i % 2 ? KNOT : LINK, i + 1 < CHAIN ? FIRST + (i + 1) * STEP : 0);
        link_to(LIST + i * STEP, LINK, i + 1 < CHAIN ? LIST + (i + 1) * STEP : 0);
    }
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    built_close(&built);
}

static fl_status ask(uint64_t id)
{
    const fl_kept_step whole = {.kind = FL_KEPT_HEAP, .objects = 9, .retained_bytes = 99};
    return fl_heap_kept_object(&kept, built.heap, fl_heap_find(built.heap, id), &whole, &arena,
                               &err);
}

START_TEST(neighbours_of_one_class_are_one_step)
{
    ck_assert_ok(ask(LIST + (CHAIN - 1) * STEP));
    ck_assert_uint_eq(kept.count, 3);
    ck_assert_int_eq(kept.steps[0].kind, FL_KEPT_HEAP);
    ck_assert_uint_eq(kept.steps[0].retained_bytes, 99);
    ck_assert_int_eq(kept.steps[1].kind, FL_KEPT_CLASS);
    ck_assert_str_eq(kept.steps[1].type, "shop.Bag");
    ck_assert_str_eq(kept.steps[2].type, "shop.Link");
    ck_assert_str_eq(kept.steps[2].field, "LIST");
    ck_assert_uint_eq(kept.steps[2].objects, CHAIN);
    ck_assert_uint_eq(kept.steps[2].retained_bytes, CHAIN * 16);
}
END_TEST

START_TEST(a_long_way_keeps_the_heap_and_its_end)
{
    ck_assert_ok(ask(FIRST + (CHAIN - 1) * STEP));
    ck_assert_uint_eq(kept.count, FL_KEPT_STEPS);
    ck_assert_int_eq(kept.steps[0].kind, FL_KEPT_HEAP);
    ck_assert_uint_eq(kept.steps[0].left_out, 0);
    ck_assert_uint_eq(kept.steps[1].left_out, CHAIN + 1 - (FL_KEPT_STEPS - 1));
    ck_assert_uint_eq(kept.steps[2].left_out, 0);
    ck_assert_uint_eq(kept.steps[FL_KEPT_STEPS - 1].retained_bytes, 16);
    ck_assert_uint_eq(kept.steps[FL_KEPT_STEPS - 2].retained_bytes, 32);
    ck_assert_str_eq(kept.steps[FL_KEPT_STEPS - 1].field, "next");
}
END_TEST

START_TEST(a_long_name_is_cut_between_characters)
{
    ck_assert_ok(ask(FIRST + STEP));
    ck_assert_uint_eq(kept.count, 4);
    ck_assert_uint_eq(strlen(kept.steps[3].type), FL_KEPT_NAME_BYTES - 1);
}
END_TEST

START_TEST(rows_say_what_they_kept_before)
{
    fl_heap_paths *paths;
    size_t row = 0;
    ck_assert_ok(fl_heap_paths_create(&paths, built.heap, 1, &err));
    while (strcmp(fl_heap_paths_at(paths, row)->label, ".LIST shop.Link") != 0)
        row++;
    ck_assert_ok(fl_heap_kept_row(&kept, paths, row, NULL, &arena, &err));
    ck_assert_uint_eq(kept.count, 3);
    ck_assert(!kept.steps[2].has_before);
    ck_assert_str_eq(kept.steps[1].type, "shop.Bag");
    ck_assert_str_eq(kept.steps[2].type, "shop.Link");
    ck_assert_str_eq(kept.steps[2].field, "LIST");
    ck_assert_uint_eq(kept.steps[2].objects, CHAIN);
    ck_assert_ok(fl_heap_kept_row(&kept, paths, row, paths, &arena, &err));
    for (size_t i = 0; i < kept.count; i++) {
        ck_assert(kept.steps[i].has_before);
        ck_assert_uint_eq(kept.steps[i].before_bytes, kept.steps[i].retained_bytes);
    }
    row = fl_heap_paths_count(paths) - 1; /* the end of the two classes in turn */
    ck_assert_ok(fl_heap_kept_row(&kept, paths, row, paths, &arena, &err));
    ck_assert_uint_eq(kept.count, FL_KEPT_STEPS);
    ck_assert_uint_eq(kept.steps[1].left_out,
                      fl_heap_paths_at(paths, row)->depth - (FL_KEPT_STEPS - 1));
    fl_heap_paths_destroy(paths);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_heap_paths *paths;
    ck_assert_ok(fl_heap_paths_create(&paths, built.heap, 1, &err));
    fl_arena_dispose(&arena);
    arena = fl_arena_of(1 << 20);
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, ask(LIST));
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOMEM, fl_heap_kept_row(&kept, paths, 1, NULL, &arena, &err));
    ck_assert_str_eq(err.message, "out of memory for who keeps what");
    fl_mem_fail_after(-1);
    fl_heap_paths_destroy(paths);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("suspects/heap_kept");
    TCase *tc = tcase_create("heap_kept");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, neighbours_of_one_class_are_one_step);
    tcase_add_test(tc, a_long_way_keeps_the_heap_and_its_end);
    tcase_add_test(tc, a_long_name_is_cut_between_characters);
    tcase_add_test(tc, rows_say_what_they_kept_before);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
