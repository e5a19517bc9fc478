#include "heap_finalizers.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum {
    OBJECT = 0x100,
    CLASS = 0x200,
    REFERENCE = 0x300,
    SOFT = 0x400,
    WEAK = 0x500,
    FINAL = 0x600,
    FINALIZER = 0x700,
    PHANTOM = 0x800,
    QUEUE = 0x900,
    SLOW = 0xa00,
    CACHE = 0xb00,
    OBJECTS = 0xc00
};
enum { OWN_QUEUE = 0x7000, ENQUEUED = 0x7100, NOBODY = 0x7200, KEPT = 0x7300, FINALIZERS = 0x9000 };
enum { REGISTERED = 3, QUEUED = 5, TAKEN = 1, ALL = REGISTERED + QUEUED + TAKEN };

static fl_error err;
static built_heap built;
static fl_heap_finalizers found;

static void reference(uint64_t at, uint64_t class_id, uint64_t referent, uint64_t queue,
                      uint64_t discovered)
{
    made_instance(&built.made, at, class_id, 24);
    made_id(&built.made, referent);
    made_id(&built.made, queue);
    made_id(&built.made, discovered);
}

/* Nine finalizers; the objects of the first two are also kept by an array. */
static void put_finalizers(void)
{
    uint64_t finalizers[ALL], kept[2];
    for (size_t i = 0; i < ALL; i++) {
        uint64_t at = FINALIZERS + 0x100 * i;
        uint64_t queue = i < REGISTERED ? OWN_QUEUE : i < REGISTERED + QUEUED ? ENQUEUED : NOBODY;
        finalizers[i] = at;
        if (i < 2)
            kept[i] = at + 0x80;
        reference(at, FINALIZER, at + 0x80, queue, 0);
        made_instance(&built.made, at + 0x80, SLOW, 8);
        made_number(&built.made, 0, 8);
    }
    made_objects(&built.made, 0x8000, OBJECTS, finalizers, ALL);
    made_objects(&built.made, KEPT, OBJECTS, kept, 2);
}

static void setup(void)
{
    static const made_member reference_fields[] = {{"referent", FL_HEAP_REFERENCE, 0},
                                                   {"queue", FL_HEAP_REFERENCE, 0},
                                                   {"discovered", FL_HEAP_REFERENCE, 0}};
    static const made_member queue_statics[] = {{"NULL_QUEUE", FL_HEAP_REFERENCE, NOBODY},
                                                {"ENQUEUED", FL_HEAP_REFERENCE, ENQUEUED}};
    static const made_member finalizer_statics[] = {{"unfinalized", FL_HEAP_REFERENCE, 0x8000}};
    static const made_member cache_statics[] = {{"KEPT", FL_HEAP_REFERENCE, KEPT},
                                                {"SOFT", FL_HEAP_REFERENCE, 0x7400},
                                                {"WEAK", FL_HEAP_REFERENCE, 0x7500},
                                                {"PHANTOM", FL_HEAP_REFERENCE, 0x7600}};
    static const made_member slow[] = {{"x", FL_HEAP_LONG, 0}};
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {REFERENCE, OBJECT, "java/lang/ref/Reference", NULL, 0, reference_fields, 3},
        {SOFT, REFERENCE, "java/lang/ref/SoftReference", NULL, 0, NULL, 0},
        {WEAK, REFERENCE, "java/lang/ref/WeakReference", NULL, 0, NULL, 0},
        {FINAL, REFERENCE, "java/lang/ref/FinalReference", NULL, 0, NULL, 0},
        {FINALIZER, FINAL, "java/lang/ref/Finalizer", finalizer_statics, 1, NULL, 0},
        {PHANTOM, REFERENCE, "java/lang/ref/PhantomReference", NULL, 0, NULL, 0},
        {QUEUE, OBJECT, "java/lang/ref/ReferenceQueue", queue_statics, 2, NULL, 0},
        {SLOW, OBJECT, "shop/Slow", NULL, 0, slow, 1},
        {CACHE, OBJECT, "shop/Cache", cache_statics, 4, NULL, 0},
        {OBJECTS, OBJECT, "[Ljava/lang/Object;", NULL, 0, NULL, 0},
    };
    err = (fl_error){0};
    found = (fl_heap_finalizers){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_instance(&built.made, OWN_QUEUE, QUEUE, 0);
    made_instance(&built.made, ENQUEUED, QUEUE, 0);
    made_instance(&built.made, NOBODY, QUEUE, 0);
    reference(0x7400, SOFT, OWN_QUEUE, NOBODY, 0);
    reference(0x7500, WEAK, 0, ENQUEUED, 0x7400); /* once queued it is pending no more */
    reference(0x7600, PHANTOM, 0, OWN_QUEUE, 0x7500);
    put_finalizers();
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_finalizers_dispose(&found);
    built_close(&built);
}

START_TEST(objects_are_counted_by_where_their_finalizer_is)
{
    ck_assert_ok(fl_heap_finalizers_find(&found, built.heap, &err));
    ck_assert(found.has_queue);
    ck_assert_uint_eq(found.count, 1);
    const fl_heap_finalizable *row = &found.rows[0];
    ck_assert(
        fl_slice_equal(fl_heap_class_at(built.heap, row->class_index)->name, SLICE("shop.Slow")));
    ck_assert_uint_eq(row->registered, REGISTERED);
    ck_assert_uint_eq(row->queued, QUEUED);
    ck_assert_uint_eq(row->taken, TAKEN);
    ck_assert_uint_eq(found.queued, QUEUED);
}
END_TEST

START_TEST(what_something_else_keeps_is_not_kept_by_finalizers)
{
    ck_assert_ok(fl_heap_finalizers_find(&found, built.heap, &err));
    ck_assert_uint_eq(found.kept_bytes, (ALL - 2) * 24);
    ck_assert_uint_eq(fl_heap_id(built.heap, found.rows[0].first), FINALIZERS + 0x280);
}
END_TEST

START_TEST(references_are_counted_by_kind_and_state)
{
    ck_assert_ok(fl_heap_finalizers_find(&found, built.heap, &err));
    static const fl_heap_references expected[] = {
        {FL_HEAP_SOFT, 0, 1, 0, 0, 0},
        {FL_HEAP_WEAK, 0, 1, 1, 1, 0},
        {FL_HEAP_FINAL, 0, ALL, 0, QUEUED, 0},
        {FL_HEAP_PHANTOM, 0, 1, 1, 0, 1},
    };
    ck_assert_uint_eq(found.reference_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const fl_heap_references *row = &found.references[i];
        ck_assert_int_eq(row->kind, expected[i].kind);
        ck_assert_uint_eq(row->count, expected[i].count);
        ck_assert_uint_eq(row->cleared, expected[i].cleared);
        ck_assert_uint_eq(row->queued, expected[i].queued);
        ck_assert_uint_eq(row->pending, expected[i].pending);
    }
}
END_TEST

START_TEST(a_short_queue_and_a_small_one_are_nothing_to_tell)
{
    fl_heap_finalizers many = {.queued = FL_HEAP_QUEUED_LEAST, .kept_bytes = 100};
    ck_assert(fl_heap_finalizers_wait(&many, 1000));
    ck_assert(!fl_heap_finalizers_wait(&many, 1001));
    many.queued--;
    ck_assert(!fl_heap_finalizers_wait(&many, 1000));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 20);
        fl_mem_fail_after(i);
        fl_heap_finalizers_dispose(&found);
        status = fl_heap_finalizers_find(&found, built.heap, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_uint_eq(found.count, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_finalizers");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, objects_are_counted_by_where_their_finalizer_is);
    tcase_add_test(tcase, what_something_else_keeps_is_not_kept_by_finalizers);
    tcase_add_test(tcase, references_are_counted_by_kind_and_state);
    tcase_add_test(tcase, a_short_queue_and_a_small_one_are_nothing_to_tell);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
