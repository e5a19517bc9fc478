#include "heap_locals.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum {
    OBJECT = 0x100,
    CLASS = 0x200,
    THREAD = 0x300,
    WORKER = 0x400,
    MAP = 0x500,
    REFERENCE = 0x600,
    WEAK = 0x700,
    ENTRY = 0x800,
    ENTRIES = 0x900,
    LOCAL = 0xa00,
    CONTEXT = 0xb00,
    BYTES = 0xc00,
    KEY = 0x8000,
    VALUES = 0x9000 /* 0x1000 for each thread */
};

static fl_error err;
static built_heap built;
static fl_heap_locals locals;

/* A thread with a map of two slots, the first of them empty: its value is an array of `bytes`. */
static void thread(uint64_t at, uint64_t class_id, uint64_t key, uint32_t bytes)
{
    static const char zeros[256];
    const uint64_t table[] = {0, at + 0x80};
    fl_hprof_made *m = &built.made;
    made_instance(m, at, class_id, 8);
    made_id(m, at + 0x20);
    made_instance(m, at + 0x20, MAP, 8);
    made_id(m, at + 0x40);
    made_objects(m, at + 0x40, ENTRIES, table, 2);
    made_instance(m, at + 0x80, ENTRY, 16);
    made_id(m, at + 0x100);
    made_id(m, key);
    made_values(m, at + 0x100, FL_HEAP_BYTE, zeros, bytes);
    made_root_of(m, 0x08, at, (uint32_t)at, 1);
}

static void setup(void)
{
    static const made_member thread_fields[] = {{"threadLocals", FL_HEAP_REFERENCE, 0}};
    static const made_member map_fields[] = {{"table", FL_HEAP_REFERENCE, 0}};
    static const made_member reference_fields[] = {{"referent", FL_HEAP_REFERENCE, 0}};
    static const made_member entry_fields[] = {{"value", FL_HEAP_REFERENCE, 0}};
    static const made_member context_statics[] = {{"LIMIT", FL_HEAP_INT, KEY},
                                                  {"CURRENT", FL_HEAP_REFERENCE, KEY}};
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {THREAD, OBJECT, "java/lang/Thread", NULL, 0, thread_fields, 1},
        {WORKER, THREAD, "shop/Worker", NULL, 0, NULL, 0},
        {MAP, OBJECT, "java/lang/ThreadLocal$ThreadLocalMap", NULL, 0, map_fields, 1},
        {REFERENCE, OBJECT, "java/lang/ref/Reference", NULL, 0, reference_fields, 1},
        {WEAK, REFERENCE, "java/lang/ref/WeakReference", NULL, 0, NULL, 0},
        {ENTRY, WEAK, "java/lang/ThreadLocal$ThreadLocalMap$Entry", NULL, 0, entry_fields, 1},
        {ENTRIES, OBJECT, "[Ljava/lang/ThreadLocal$ThreadLocalMap$Entry;", NULL, 0, NULL, 0},
        {LOCAL, OBJECT, "java/lang/ThreadLocal", NULL, 0, NULL, 0},
        {CONTEXT, OBJECT, "shop/Context", context_statics, 2, NULL, 0},
        {BYTES, OBJECT, "[B", NULL, 0, NULL, 0},
    };
    err = (fl_error){0};
    locals = (fl_heap_locals){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_instance(&built.made, KEY, LOCAL, 0);
    thread(0x9000, THREAD, KEY, 84);               /* 104 bytes as an array */
    thread(0xa000, WORKER, KEY, 184);              /* 200 */
    thread(0xb000, WORKER, 0, 4);                  /* 24, and its ThreadLocal is gone */
    made_instance(&built.made, 0xc000, WORKER, 8); /* the map of another one: rows of that alone */
    made_id(&built.made, 0xa020);
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_locals_dispose(&locals);
    built_close(&built);
}

START_TEST(values_are_summed_by_thread)
{
    ck_assert_ok(fl_heap_locals_find(&locals, built.heap, &err));
    static const struct {
        uint64_t thread, bytes;
        uint32_t stale;
    } expected[] = {{0xa000, 200, 0}, {0x9000, 104, 0}, {0xb000, 24, 1}};
    ck_assert_uint_eq(locals.thread_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(fl_heap_id(built.heap, locals.threads[i].thread), expected[i].thread);
        ck_assert_uint_eq(locals.threads[i].retained_bytes, expected[i].bytes);
        ck_assert_uint_eq(locals.threads[i].stale, expected[i].stale);
        ck_assert_uint_eq(locals.threads[i].entries, 1);
    }
}
END_TEST

START_TEST(a_thread_local_has_the_name_of_its_static)
{
    ck_assert_ok(fl_heap_locals_find(&locals, built.heap, &err));
    ck_assert_uint_eq(locals.key_count, 1);
    const fl_heap_local_key *key = &locals.keys[0];
    ck_assert_uint_eq(key->threads, 2);
    ck_assert_uint_eq(key->retained_bytes, 304);
    ck_assert(
        fl_slice_equal(fl_heap_class_at(built.heap, key->holder)->name, SLICE("shop.Context")));
    ck_assert(fl_slice_equal(key->member->name, SLICE("CURRENT")));
    ck_assert(
        fl_slice_equal(fl_heap_class_at(built.heap, key->value_class)->name, SLICE("byte[]")));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 100);
        fl_mem_fail_after(i);
        fl_heap_locals_dispose(&locals);
        status = fl_heap_locals_find(&locals, built.heap, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_uint_eq(locals.count, 3);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_locals");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, values_are_summed_by_thread);
    tcase_add_test(tcase, a_thread_local_has_the_name_of_its_static);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
