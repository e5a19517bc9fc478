/*
 * The tree of stacks that a picture keeps of two heaps of the shop's order service, which keeps its
 * receipts.
 */
#include "triage_stacks.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fl_test.h"
#include "mem.h"

#define PROFILES     FL_SOURCE_DIR "/examples/shop/incidents/cache-growth/profiles/orders"
#define HEAP(minute) PROFILES "/heap-20261123T00" minute "50Z.pb.gz"

static fl_error err;
static fl_arena arena;
static fl_picture_stacks stacks;
static const fl_triage_stacks_pair heaps = {.service = "orders",
                                            .type = "inuse_space",
                                            .before = HEAP("03"),
                                            .after = HEAP("14"),
                                            .before_ns = 1,
                                            .after_ns = 2};

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(4 << 20);
    stacks = (fl_picture_stacks){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

START_TEST(what_grew_is_in_the_tree_below_its_callers)
{
    ck_assert_ok(fl_triage_stacks_read(&stacks, &heaps, &arena, &err));
    ck_assert_uint_gt(stacks.frame_count, 10);
    ck_assert_uint_le(stacks.frame_count, FL_PICTURE_FRAMES);
    ck_assert_str_eq(stacks.frames[0].name, "all");
    ck_assert_str_eq(stacks.unit, "bytes");
    ck_assert_int_eq(stacks.before_ns, 1);
    double grown = 0;
    for (size_t i = 0; i < stacks.frame_count; i++) {
        const fl_picture_frame *frame = &stacks.frames[i];
        ck_assert(i == 0 ? frame->parent == 0 : frame->parent < i);
        if (strcmp(frame->name, "main.render") == 0)
            grown += frame->after - frame->before;
    }
    ck_assert_double_gt(grown, 2e8);
    ck_assert_double_gt(stacks.frames[0].after, grown);
}
END_TEST

/* What two ways of counting have to agree in: a caller holds at least what it calls. */
START_TEST(no_frame_holds_less_than_those_that_it_calls)
{
    double of_children[FL_PICTURE_FRAMES][2] = {{0}};
    ck_assert_ok(fl_triage_stacks_read(&stacks, &heaps, &arena, &err));
    for (size_t i = 1; i < stacks.frame_count; i++) {
        of_children[stacks.frames[i].parent][0] += stacks.frames[i].before;
        of_children[stacks.frames[i].parent][1] += stacks.frames[i].after;
    }
    for (size_t i = 0; i < stacks.frame_count; i++) {
        ck_assert_double_ge(stacks.frames[i].before, of_children[i][0]);
        ck_assert_double_ge(stacks.frames[i].after, of_children[i][1]);
    }
}
END_TEST

START_TEST(turned_round_it_is_what_shrank)
{
    fl_picture_stacks back;
    fl_triage_stacks_pair turned = heaps;
    turned.before = heaps.after;
    turned.after = heaps.before;
    ck_assert_ok(fl_triage_stacks_read(&stacks, &heaps, &arena, &err));
    ck_assert_ok(fl_triage_stacks_read(&back, &turned, &arena, &err));
    ck_assert_uint_eq(stacks.frame_count, back.frame_count);
    for (size_t i = 0; i < back.frame_count; i++) {
        ck_assert_str_eq(stacks.frames[i].name, back.frames[i].name);
        ck_assert_double_eq(stacks.frames[i].before, back.frames[i].after);
    }
}
END_TEST

/* A thousand leaves on twenty-five ways, of which one grows: small ones make room. */
START_TEST(of_a_large_tree_the_part_that_changed_is_kept)
{
    char path[2][64] = {"/tmp/fl_stacks_before_XXXXXX", "/tmp/fl_stacks_after_XXXXXX"};
    fl_triage_stacks_pair pair = {.service = "s", .type = "goroutine"};
    for (int side = 0; side < 2; side++) {
        int file = mkstemp(path[side]);
        ck_assert_int_ge(file, 0);
        FILE *out = fdopen(file, "w");
        fprintf(out, "goroutine profile: total 2000\n");
        for (int i = 0; i < 1000; i++) {
            int count = i == 777 && side == 1 ? 5000 : 1 + i % 3;
            fprintf(out, "%d @ 0x1 0x2 0x3\n", count);
            fprintf(out, "#\t0x1\tmain.leaf%d+0x1\t/s/a.go:%d\n", i, i + 1);
            fprintf(out, "#\t0x2\tmain.way%d+0x1\t/s/b.go:%d\n", i / 40, i / 40 + 1);
            fprintf(out, "#\t0x3\tmain.main+0x1\t/s/c.go:1\n\n");
        }
        fclose(out);
    }
    pair.before = path[0];
    pair.after = path[1];
    ck_assert_ok(fl_triage_stacks_read(&stacks, &pair, &arena, &err));
    unlink(path[0]);
    unlink(path[1]);
    ck_assert_uint_eq(stacks.frame_count, FL_PICTURE_FRAMES);
    ck_assert_uint_eq(stacks.frames_left_out, 1 + 1 + 25 + 1000 - FL_PICTURE_FRAMES);
    size_t found = 0;
    for (size_t i = 0; i < stacks.frame_count; i++)
        if (strcmp(stacks.frames[i].name, "main.leaf777") == 0) {
            const fl_picture_frame *way = &stacks.frames[stacks.frames[i].parent];
            ck_assert_str_eq(way->name, "main.way19");
            ck_assert_str_eq(stacks.frames[way->parent].name, "main.main");
            ck_assert_double_eq(stacks.frames[i].after, 5000);
            found++;
        }
    ck_assert_uint_eq(found, 1);
}
END_TEST

START_TEST(what_cannot_be_compared_has_no_picture_and_is_no_failure)
{
    const char *const none[] = {"/nowhere/heap.pb.gz", FL_SOURCE_DIR "/README.md",
                                "http://127.0.0.1:1/heap"};
    fl_triage_stacks_pair pair = heaps;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        pair.after = none[i];
        ck_assert_ok(fl_triage_stacks_read(&stacks, &pair, &arena, &err));
        ck_assert_uint_eq(stacks.frame_count, 0);
    }
    pair = heaps;
    pair.type = "goroutine"; /* a heap has none */
    ck_assert_ok(fl_triage_stacks_read(&stacks, &pair, &arena, &err));
    ck_assert_uint_eq(stacks.frame_count, 0);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    for (int64_t n = 0; status != FL_OK; n++) {
        ck_assert_int_lt(n, 100000);
        err = (fl_error){0};
        fl_arena_dispose(&arena);
        arena = fl_arena_of(4 << 20);
        fl_mem_fail_after(n);
        status = fl_triage_stacks_read(&stacks, &heaps, &arena, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_uint_gt(stacks.frame_count, 10);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("triage_stacks");
    TCase *cases = tcase_create("triage_stacks");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, what_grew_is_in_the_tree_below_its_callers);
    tcase_add_test(cases, no_frame_holds_less_than_those_that_it_calls);
    tcase_add_test(cases, turned_round_it_is_what_shrank);
    tcase_add_test(cases, of_a_large_tree_the_part_that_changed_is_kept);
    tcase_add_test(cases, what_cannot_be_compared_has_no_picture_and_is_no_failure);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
