#include "parallel.h"

#include <stdatomic.h>

#include "fl_test.h"

enum { PARTS = 1000 };

typedef struct tally {
    unsigned times[PARTS]; /* each belongs to its part, and needs no protection */
    atomic_uint all;
} tally;

static void count_part(void *payload, size_t part)
{
    tally *t = payload;
    t->times[part]++;
    atomic_fetch_add(&t->all, 1);
}

START_TEST(each_part_is_done_once_and_before_the_return)
{
    for (size_t count = 0; count <= PARTS; count = count * 3 + 1) {
        tally t = {.all = 0};
        fl_parallel_run(count, count_part, &t);
        ck_assert_uint_eq(atomic_load(&t.all), count);
        for (size_t i = 0; i < PARTS; i++)
            ck_assert_uint_eq(t.times[i], i < count);
    }
}
END_TEST

static void run_parts_in_it(void *payload, size_t part)
{
    fl_parallel_run(3, count_part, &((tally *)payload)[part]);
}

START_TEST(a_task_may_have_parts_itself)
{
    tally t[4] = {{.all = 0}};
    fl_parallel_run(4, run_parts_in_it, t);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(atomic_load(&t[i].all), 3);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("base/parallel");
    TCase *tcase = tcase_create("parallel");
    tcase_add_test(tcase, each_part_is_done_once_and_before_the_return);
    tcase_add_test(tcase, a_task_may_have_parts_itself);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
