#include "heap_threads.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum {
    OBJECT = 0x100,
    CLASS = 0x200,
    THREAD = 0x300,
    BASE_VIRTUAL = 0x400,
    VIRTUAL = 0x500,
    HOLDER = 0x600,
    CONTINUATION = 0x700,
    TARGET = 0x800,
    TASK = 0x900,
    BYTES_CLASS = 0xa00,
    POOL = 0xb00,
    OBJECTS = 0xc00
};
enum { MAIN = 0x10000, WORKER = 0x11000, IDLE = 0x12000, FIRST_VIRTUAL = 0x20000, TRACE = 7 };
enum { WAITING_STATUS = 657, RUNNABLE_STATUS = 5 };

static fl_error err;
static built_heap built;
static fl_heap_threads threads;

/* What a thread of Java 19 and later has in its holder. */
static void thread(uint64_t at, unsigned status, unsigned daemon)
{
    made_instance(&built.made, at, THREAD, 8);
    made_id(&built.made, at + 0x40);
    made_instance(&built.made, at + 0x40, HOLDER, 5);
    made_number(&built.made, daemon, 1);
    made_number(&built.made, status, 4);
}

/* With a task that has an array of its own, or without a continuation. */
static void virtual_thread(uint64_t at, unsigned state, uint64_t carrier, bool has_task)
{
    static const char zeros[984];
    fl_hprof_made *m = &built.made;
    made_instance(m, at, VIRTUAL, 28);
    made_id(m, has_task ? at + 0x40 : 0);
    made_id(m, carrier);
    made_number(m, state, 4);
    made_id(m, 0); /* the holder of the super class */
    if (!has_task)
        return;
    made_instance(m, at + 0x40, CONTINUATION, 8);
    made_id(m, at + 0x80);
    made_instance(m, at + 0x80, TARGET, 8);
    made_id(m, at + 0xc0);
    made_instance(m, at + 0xc0, TASK, 8);
    made_id(m, at + 0x100);
    made_values(m, at + 0x100, FL_HEAP_BYTE, zeros, sizeof(zeros));
}

/* Two frames, the inner one of a native method. */
static void put_stack(fl_hprof_made *m)
{
    uint64_t run = made_name(m, "run"), park = made_name(m, "park"), file = made_name(m, "T.java");
    const struct {
        uint64_t id, method, file;
        uint32_t serial;
        int32_t line;
    } frames[] = {{0xf1, park, 0, THREAD, -3}, {0xf2, run, file, TASK, 42}};
    for (size_t i = 0; i < 2; i++) {
        made_record(m, 0x04, 40);
        made_id(m, frames[i].id);
        made_id(m, frames[i].method);
        made_id(m, 0);
        made_id(m, frames[i].file);
        made_number(m, frames[i].serial, 4);
        made_number(m, (uint32_t)frames[i].line, 4);
    }
    made_record(m, 0x05, 12 + 2 * 8);
    made_number(m, TRACE, 4);
    made_number(m, 1, 4);
    made_number(m, 2, 4);
    made_id(m, 0xf1);
    made_id(m, 0xf2);
}

static const made_member thread_fields[] = {{"holder", FL_HEAP_REFERENCE, 0}};
static const made_member holder_fields[] = {{"daemon", FL_HEAP_BOOLEAN, 0},
                                            {"threadStatus", FL_HEAP_INT, 0}};
static const made_member virtual_fields[] = {{"cont", FL_HEAP_REFERENCE, 0},
                                             {"carrierThread", FL_HEAP_REFERENCE, 0},
                                             {"state", FL_HEAP_INT, 0}};
static const made_member continuation_fields[] = {{"target", FL_HEAP_REFERENCE, 0}};
static const made_member target_fields[] = {{"val$task", FL_HEAP_REFERENCE, 0}};
static const made_member task_fields[] = {{"body", FL_HEAP_REFERENCE, 0}};
static const made_member pool_statics[] = {{"WAITING", FL_HEAP_REFERENCE, 0x8000}};
static const built_class classes[] = {
    {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
    {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
    {THREAD, OBJECT, "java/lang/Thread", NULL, 0, thread_fields, 1},
    {BASE_VIRTUAL, THREAD, "java/lang/BaseVirtualThread", NULL, 0, NULL, 0},
    {VIRTUAL, BASE_VIRTUAL, "java/lang/VirtualThread", NULL, 0, virtual_fields, 3},
    {HOLDER, OBJECT, "java/lang/Thread$FieldHolder", NULL, 0, holder_fields, 2},
    {CONTINUATION, OBJECT, "jdk/internal/vm/Continuation", NULL, 0, continuation_fields, 1},
    {TARGET, OBJECT, "java/lang/VirtualThread$VThreadContinuation$1", NULL, 0, target_fields, 1},
    {TASK, OBJECT, "shop/Task", NULL, 0, task_fields, 1},
    {BYTES_CLASS, OBJECT, "[B", NULL, 0, NULL, 0},
    {POOL, OBJECT, "shop/Pool", pool_statics, 1, NULL, 0},
    {OBJECTS, OBJECT, "[Ljava/lang/Object;", NULL, 0, NULL, 0},
};

static void setup(void)
{
    const uint64_t kept[] = {FIRST_VIRTUAL, FIRST_VIRTUAL + 0x1000, FIRST_VIRTUAL + 0x2000};
    fl_hprof_made *m = &built.made;
    err = (fl_error){0};
    threads = (fl_heap_threads){0};
    *m = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_segment_end(m);
    put_stack(m);
    made_segment(m);
    thread(MAIN, RUNNABLE_STATUS, 0);
    thread(WORKER, WAITING_STATUS, 1);
    thread(IDLE, 2, 0); /* ended */
    virtual_thread(FIRST_VIRTUAL, 5, 0, true);
    virtual_thread(FIRST_VIRTUAL + 0x1000, 3, WORKER, true);
    virtual_thread(FIRST_VIRTUAL + 0x2000, 99, 0, false);
    virtual_thread(FIRST_VIRTUAL + 0x3000, 0x100 | 4, 0, true); /* suspended; nothing keeps it */
    made_objects(m, 0x8000, OBJECTS, kept, 3);
    made_values(m, 0x30000, FL_HEAP_BYTE, "0123456789", 10);
    made_root_of(m, 0x08, MAIN, 1, 0);
    made_root_of(m, 0x08, WORKER, 2, TRACE);
    made_root_of(m, 0x08, WORKER, 2, TRACE); /* twice: said once */
    made_root_of(m, 0x03, 0x30000, 2, 1);
    ck_assert_ok(built_open(&built, false, &err));
    ck_assert_ok(fl_heap_threads_find(&threads, built.heap, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_threads_dispose(&threads);
    built_close(&built);
}

START_TEST(threads_that_run_are_those_of_the_roots)
{
    ck_assert_uint_eq(threads.count, 2);
    ck_assert_uint_eq(threads.idle, 1);
    ck_assert_uint_eq(threads.idle_bytes,
                      fl_heap_retained_bytes(built.heap, fl_heap_find(built.heap, IDLE)));
    const fl_heap_thread *worker = &threads.rows[0], *first = &threads.rows[1];
    ck_assert_uint_eq(fl_heap_id(built.heap, worker->object), WORKER); /* keeps what lies on it */
    ck_assert_uint_eq(worker->retained_bytes, first->retained_bytes + 32);
    ck_assert_str_eq(fl_heap_thread_state_name(worker->state), "waiting");
    ck_assert_str_eq(fl_heap_thread_state_name(first->state), "runnable");
    ck_assert(worker->is_daemon && !first->is_daemon);
    ck_assert_uint_eq(worker->locals, 1);
    ck_assert_uint_eq(first->locals, 0);
}
END_TEST

START_TEST(a_stack_has_its_frames_with_class_and_line)
{
    fl_heap_frame frames[2];
    ck_assert_uint_eq(fl_heap_thread_frames(frames, 1, built.heap, &threads, &threads.rows[0]), 2);
    ck_assert_uint_eq(fl_heap_thread_frames(frames, 2, built.heap, &threads, &threads.rows[0]), 2);
    ck_assert(fl_slice_equal(frames[0].class_name, SLICE("java.lang.Thread")));
    ck_assert(fl_slice_equal(frames[0].method, SLICE("park")));
    ck_assert_uint_eq(frames[0].source.len, 0);
    ck_assert_int_eq(frames[0].line, -3);
    ck_assert(fl_slice_equal(frames[1].class_name, SLICE("shop.Task")));
    ck_assert(fl_slice_equal(frames[1].source, SLICE("T.java")));
    ck_assert_int_eq(frames[1].line, 42);
    ck_assert_uint_eq(fl_heap_thread_frames(frames, 2, built.heap, &threads, &threads.rows[1]), 0);
}
END_TEST

START_TEST(virtual_threads_are_summed_by_what_they_run)
{
    ck_assert_uint_eq(threads.virtual_count, 2);
    const fl_heap_virtual *row = &threads.virtuals[0];
    ck_assert(
        fl_slice_equal(fl_heap_class_at(built.heap, row->task_class)->name, SLICE("shop.Task")));
    ck_assert_uint_eq(row->count, 3);
    ck_assert_uint_eq(row->counts[FL_HEAP_THREAD_WAITING], 2);
    ck_assert_uint_eq(row->counts[FL_HEAP_THREAD_RUNNABLE], 1);
    ck_assert_uint_eq(row->unreached, 1);
    fl_heap_object first = fl_heap_find(built.heap, FIRST_VIRTUAL);
    fl_heap_object last = fl_heap_find(built.heap, FIRST_VIRTUAL + 0x3000);
    ck_assert_uint_eq(row->retained_bytes, 2 * fl_heap_retained_bytes(built.heap, first) +
                                               fl_heap_shallow_bytes(built.heap, last));
    ck_assert_uint_eq(row->largest, first);
    ck_assert_uint_eq(threads.virtuals[1].task_class, FL_HEAP_NONE);
    ck_assert_uint_eq(threads.virtuals[1].counts[FL_HEAP_THREAD_ENDED], 1);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 40);
        fl_mem_fail_after(i);
        fl_heap_threads_dispose(&threads);
        status = fl_heap_threads_find(&threads, built.heap, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_uint_eq(threads.count, 2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_threads");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, threads_that_run_are_those_of_the_roots);
    tcase_add_test(tcase, a_stack_has_its_frames_with_class_and_line);
    tcase_add_test(tcase, virtual_threads_are_summed_by_what_they_run);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
