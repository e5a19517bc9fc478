#include "heap_signs.h"

#include "fl_test.h"
#include "heap_growing.h"
#include "mem.h"

enum { DUMPS = 3 };

static fl_error err;
static fl_arena arena;
static fl_heap_record records[DUMPS];
static fl_heap_signs signs;

static void set_up(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    signs = (fl_heap_signs){0};
    for (size_t i = 0; i < DUMPS; i++)
        records[i] = (fl_heap_record){0};
}

static void forget(void)
{
    for (size_t i = 0; i < DUMPS; i++)
        fl_heap_record_dispose(&records[i]);
    err = (fl_error){0};
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    forget();
    fl_arena_dispose(&arena);
}

/* Records of the same heap at several sizes, and what they say. */
static void look(const growing *like, const uint32_t counts[DUMPS])
{
    const fl_heap_record *all[DUMPS];
    forget();
    for (size_t i = 0; i < DUMPS; i++) {
        built_heap built = {0};
        growing here = *like;
        here.count = like->count > 0 ? like->count : counts[i];
        here.threads = like->threads > 0 ? counts[i] : 1;
        here.loaders = like->loaders > 0 ? counts[i] : 0;
        ck_assert_ok(growing_open(&built, &here, &err));
        ck_assert_ok(fl_heap_record_make(&records[i], built.heap, &err));
        built_close(&built);
        all[i] = &records[i];
    }
    ck_assert_ok(fl_heap_signs_find(&signs, all, DUMPS, &arena, &err));
}

static const growing list = {.collection = "java/util/ArrayList",
                             .size = "size",
                             .array = "elementData",
                             .field = "ITEMS",
                             .element = "shop/Item"};
static const growing map = {.collection = "java/util/HashMap",
                            .size = "size",
                            .array = "table",
                            .field = "ITEMS",
                            .element = "shop/Item",
                            .has_nodes = true};

START_TEST(the_kind_is_read_off_the_path)
{
    growing listeners = list, observers = list, queue = list, inner = list, lambda = map,
            plain_lambda = map, changed = map;
    listeners.field = "listeners";
    observers.element = "shop/PriceObserver";
    queue.collection = "java/util/ArrayDeque";
    queue.array = "elements";
    inner.has_outer = true;
    inner.element = "shop/Page$Row";
    lambda.element = plain_lambda.element = "shop/Cache$$Lambda$7";
    lambda.collection = "java/util/concurrent/ConcurrentHashMap";
    lambda.size = "baseCount";
    changed.one_key = true;
    const struct {
        const growing *heap;
        const char *kind, *holder;
    } cases[] = {
        {&list, "collection-grows", "shop.Reg.ITEMS"},
        {&map, "map-grows", "shop.Reg.ITEMS"},
        {&listeners, "listeners-never-removed", "shop.Reg.listeners"},
        {&observers, "listeners-never-removed", "shop.Reg.ITEMS"},
        {&queue, "queue-unbounded", "shop.Reg.ITEMS"},
        {&inner, "inner-class-holds-outer", "shop.Reg.ITEMS"},
        {&lambda, "lambda-captures", "shop.Reg.ITEMS"},
        {&plain_lambda, "map-grows", "shop.Reg.ITEMS"},
        {&changed, "keys-changed", "shop.Reg.ITEMS"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        look(cases[i].heap, (const uint32_t[]){200, 400, 600});
        ck_assert_uint_eq(signs.count, 1);
        ck_assert_uint_eq(signs.leaks, 1);
        const fl_heap_sign *sign = &signs.rows[0];
        ck_assert_str_eq(fl_heap_sign_name(sign->kind), cases[i].kind);
        ck_assert_str_eq(sign->holder, cases[i].holder);
        ck_assert(sign->has_growth);
        ck_assert_uint_ge(sign->evidence_count, 3);
        ck_assert_uint_gt(strlen(fl_heap_sign_hint(sign->kind)), 20);
        ck_assert_double_eq(sign->evidence[0].value,
                            (double)(sign->after_bytes - sign->before_bytes));
    }
}
END_TEST

START_TEST(sentences_have_the_figures)
{
    growing changed = map;
    changed.one_key = true;
    look(&changed, (const uint32_t[]){200, 400, 600});
    const fl_heap_sign *sign = &signs.rows[0];
    ck_assert_uint_eq(sign->evidence_count, 5);
    ck_assert_ptr_nonnull(strstr(sign->evidence[0].text, "more in each of 3 dumps: "));
    ck_assert_ptr_nonnull(strstr(sign->evidence[1].text, "there are 600, in the first dump 200"));
    ck_assert_str_eq(sign->evidence[2].text,
                     ".ITEMS java.util.HashMap has 600 entries in an array of 600");
    ck_assert_str_eq(sign->evidence[3].text,
                     "600 of 600 entries of a java.util.HashMap have a key that is also the key of"
                     " another entry; the keys are of shop.Key");
    ck_assert_ptr_nonnull(strstr(sign->evidence[4].text, "class shop.Reg > .ITEMS "));
    growing inner = list;
    inner.has_outer = true;
    look(&inner, (const uint32_t[]){200, 400, 600});
    ck_assert_str_eq(signs.rows[0].evidence[3].text,
                     "each shop.Item alone keeps, by this$0, a shop.Page");
}
END_TEST

START_TEST(what_does_not_grow_in_each_dump_is_no_leak)
{
    static const uint32_t healthy[][DUMPS] = {
        {600, 600, 600}, {600, 500, 600}, {200, 600, 600}, {200, 600, 400}, {600, 620, 640}};
    for (size_t i = 0; i < sizeof(healthy) / sizeof(healthy[0]); i++) {
        look(&map, healthy[i]);
        ck_assert_uint_eq(signs.count, 0);
    }
}
END_TEST

START_TEST(threads_that_never_end_are_counted)
{
    growing threads = list;
    threads.count = 600;
    threads.threads = 1;
    threads.task = GROWING_TASK;
    look(&threads, (const uint32_t[]){10, 20, 40});
    ck_assert_uint_eq(signs.leaks, 1);
    ck_assert_str_eq(fl_heap_sign_name(signs.rows[0].kind), "threads-never-end");
    ck_assert_str_eq(signs.rows[0].holder, "shop.Poller");
    ck_assert_str_eq(signs.rows[0].evidence[0].text,
                     "40 threads \"pool-#-job-#\" run a shop.Poller, in the first dump 10");
    look(&threads, (const uint32_t[]){10, 15, 20}); /* a pool that fills up */
    ck_assert_uint_eq(signs.count, 0);
    look(&threads, (const uint32_t[]){40, 40, 40});
    ck_assert_uint_eq(signs.count, 0);
    threads.task = 0;
    look(&threads, (const uint32_t[]){10, 20, 40});
    ck_assert_str_eq(signs.rows[0].holder, "java.lang.Thread");
}
END_TEST

START_TEST(loaders_with_a_class_of_one_name_are_counted)
{
    growing loaders = list;
    loaders.count = 600;
    loaders.loaders = 1;
    look(&loaders, (const uint32_t[]){2, 4, 8});
    ck_assert_uint_eq(signs.leaks, 1);
    ck_assert_str_eq(fl_heap_sign_name(signs.rows[0].kind), "class-loaders-stay");
    ck_assert_str_eq(signs.rows[0].evidence[0].text,
                     "8 loaders java.lang.ClassLoader have a class plug.Plugin each, in the first"
                     " dump 2");
    look(&loaders, (const uint32_t[]){3, 3, 3});
    ck_assert_uint_eq(signs.count, 0);
}
END_TEST

START_TEST(one_record_alone_is_no_leak)
{
    look(&map, (const uint32_t[]){200, 400, 600});
    const fl_heap_record *last = &records[2];
    ck_assert_ok(fl_heap_signs_find(&signs, &last, 1, &arena, &err));
    ck_assert_uint_eq(signs.count, 0);
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    built_heap built = {0};
    growing here = map;
    here.count = 300;
    here.threads = 2;
    here.loaders = 2;
    here.one_key = true;
    ck_assert_ok(growing_open(&built, &here, &err));
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_heap_record_make(&records[0], built.heap, &err);
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
        ck_assert_int_lt(n, 400);
    }
    ck_assert_ok(fl_heap_record_make(&records[1], built.heap, &err));
    built_close(&built);
    const fl_heap_record *both[] = {&records[0], &records[1]};
    status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_arena small = fl_arena_of(1 << 16);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_heap_signs_find(&signs, both, 2, &small, &err);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&small);
        ck_assert_int_lt(n, 50);
    }
    ck_assert_uint_eq(signs.count, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/heap_signs");
    TCase *tcase = tcase_create("signs");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_kind_is_read_off_the_path);
    tcase_add_test(tcase, sentences_have_the_figures);
    tcase_add_test(tcase, what_does_not_grow_in_each_dump_is_no_leak);
    tcase_add_test(tcase, threads_that_never_end_are_counted);
    tcase_add_test(tcase, loaders_with_a_class_of_one_name_are_counted);
    tcase_add_test(tcase, one_record_alone_is_no_leak);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
