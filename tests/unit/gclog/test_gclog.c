#include <inttypes.h>
#include <stdio.h>

#include "buf.h"
#include "fl_file.h"
#include "fl_golden.h"
#include "fl_test.h"
#include "gclog_read.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_gc_about about;
static fl_buf dump;
static fl_gc_event last;
static char last_name[128], last_cause[128];

static void setup(void)
{
    err = (fl_error){0};
    dump = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&dump);
}

static void add(const char *name, int64_t value, bool known)
{
    if (known)
        fl_buf_printf(&dump, " %s=%" PRId64, name, value);
}

/* What is known of an event, on one line. */
static fl_status on_event(void *payload, const fl_gc_event *e, fl_error *error)
{
    (void)payload;
    (void)error;
    last = *e;
    snprintf(last_name, sizeof(last_name), "%.*s", FL_SLICE_ARG(e->name));
    snprintf(last_cause, sizeof(last_cause), "%.*s", FL_SLICE_ARG(e->cause));
    fl_buf_printf(&dump, "%" PRIu64 " %s '%s' '%s'", e->line, fl_gc_kind_name(e->kind), last_name,
                  last_cause);
    add("at", e->time_ns, e->time_ns >= 0);
    add("since", e->since_ns, e->since_ns >= 0);
    add("pause", e->pause_ns, e->pause_ns >= 0);
    add("before", e->before_bytes, e->before_bytes >= 0);
    add("after", e->after_bytes, e->after_bytes >= 0);
    add("of", e->capacity_bytes, e->capacity_bytes >= 0);
    add("promoted", e->promoted_bytes, e->promoted_bytes >= 0);
    add("humongous", e->humongous_bytes, e->humongous_bytes >= 0);
    add("metaspace", e->metaspace_bytes, e->metaspace_bytes >= 0);
    for (int t = 0; t < FL_GC_TROUBLE_COUNT; t++)
        if ((e->troubles & 1u << t) != 0)
            fl_buf_printf(&dump, " %s", fl_gc_trouble_name((fl_gc_trouble)t));
    fl_buf_text(&dump, "\n");
    return FL_OK;
}

static fl_status read_text(fl_slice text)
{
    const fl_gclog_visitor visitor = {.event = on_event};
    fl_stream *in = NULL;
    fl_status status = fl_stream_over(&in, text, "gc.log", &err);
    if (status == FL_OK)
        status = fl_gclog_read(&about, in, &visitor, &err);
    fl_stream_close(in);
    return status;
}

/* ---- recordings, as they were written by each collector of Java 17 and 25 ---- */

static const char *const fixtures[] = {
    "java17-serial.log.zst",
    "java17-parallel.log.zst",
    "java17-g1.log.zst",
    "java17-z.log.zst",
    "java17-shenandoah.log.zst",
    "java25-serial.log.zst",
    "java25-parallel.log.zst",
    "java25-g1.log.zst",
    "java25-g1-failure.log.zst",
    "java25-g1-humongous.log.zst",
    "java25-z.log.zst",
    "java25-shenandoah.log.zst",
    "java8-details.log",
    "java8-parallel.log",
    "java8-g1.log",
    "java8-plain.log",
};

START_TEST(recorded_logs_are_read_as_their_golden_lists_say)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/fixtures/gclog/%s", fixtures[_i]);
    fl_bytes bytes = fl_file_read(path);
    fl_slice text = {.ptr = bytes.ptr, .len = bytes.len};
    ck_assert(
        fl_gclog_sniff((fl_slice){.ptr = text.ptr, .len = text.len < 4096 ? text.len : 4096}));
    ck_assert_ok(read_text(text));
    ck_assert_uint_eq(about.rejected, 0);
    fl_buf_printf(&dump,
                  "%s, version '%s', %" PRIu64 " processors, at most %" PRId64 ", regions %" PRId64
                  "\n",
                  fl_gc_collector_name(about.collector), about.version, about.cpus, about.max_bytes,
                  about.region_bytes);
    snprintf(path, sizeof(path), "gclog/%s.txt", fixtures[_i]);
    fl_golden_check(path, dump.ptr, dump.len);
    free(bytes.ptr);
}
END_TEST

/* ---- decorations ---- */

START_TEST(any_decorations_or_none_give_the_same_collection)
{
    static const struct {
        const char *prefix;
        int64_t time_ns, since_ns;
    } cases[] = {
        {"", -1, -1},
        {"[0.531s] ", -1, 531000000},
        {"[0.531s][info ][gc          ] ", -1, 531000000},
        {"[531ms] ", -1, 531000000},
        {"[531000000ns] ", -1, 531000000},
        {"[1700000000531ms][531ms] ", INT64_C(1700000000531000000), 531000000},
        {"[2023-11-14T22:13:20.531+0000][gc] ", INT64_C(1700000000531000000), -1},
        {"[2023-11-14T23:13:20.531+0100][2023-11-14T22:13:20.531+0000][0.531s][12345][7][info][gc]"
         " ",
         INT64_C(1700000000531000000), 531000000},
        {"[some-host][info][gc] ", -1, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "%sGC(7) Pause Young (Normal) (G1 Evacuation Pause) 6M->2M(128M) 7.405ms\n",
                 cases[i].prefix);
        ck_assert_ok(read_text(SLICE(text)));
        ck_assert_uint_eq(about.events, 1);
        ck_assert_int_eq(last.time_ns, cases[i].time_ns);
        ck_assert_int_eq(last.since_ns, cases[i].since_ns);
        ck_assert_int_eq(last.pause_ns, 7405000);
        ck_assert_int_eq(last.capacity_bytes, INT64_C(128) << 20);
        ck_assert_str_eq(last_name, "Pause Young (Normal)");
        ck_assert_str_eq(last_cause, "G1 Evacuation Pause");
    }
}
END_TEST

START_TEST(what_lines_tell_before_a_collection_goes_to_that_one)
{
    ck_assert_ok(read_text(
        SLICE("[gc,init] Heap Region Size: 2M\n"
              "[gc,start] GC(1) Concurrent Mark Cycle\n"
              "[gc,heap] GC(2) Old regions: 5->8\n"
              "[gc,heap] GC(2) Humongous regions: 3->1\n"
              "[gc,metaspace] GC(2) Metaspace: 100K(320K)->90K(320K)\n"
              "[gc] GC(2) To-space exhausted\n"
              "[gc] GC(2) Pause Young (Mixed) (G1 Evacuation Pause) 9M->8M(9M) 1.0ms\n")));
    ck_assert_int_eq(last.kind, FL_GC_MIXED);
    ck_assert_int_eq(last.promoted_bytes, 6 << 20);
    ck_assert_int_eq(last.humongous_bytes, 2 << 20);
    ck_assert_int_eq(last.metaspace_bytes, 90 << 10);
    ck_assert_uint_eq(last.troubles, 1u << FL_GC_EVACUATION_FAILED);
    ck_assert_ok(read_text(SLICE("GC(3) Pause Full (System.gc()) 9M->8M(9M) 1.5ms\n")));
    ck_assert_int_eq(last.promoted_bytes, -1);
    ck_assert_uint_eq(last.troubles, 1u << FL_GC_EXPLICIT);
    ck_assert_str_eq(last_cause, "System.gc()");
}
END_TEST

/* What Java 22 and later write behind the cause. */
START_TEST(regions_that_are_pinned_are_no_lack_of_room)
{
    ck_assert_ok(read_text(SLICE("GC(3) Pause Young (Normal) (G1 Evacuation Pause) (Evacuation"
                                 " Failure: Pinned) 9M->8M(9M) 1.5ms\n")));
    ck_assert_uint_eq(last.troubles, 0);
    ck_assert_str_eq(last_cause, "G1 Evacuation Pause");
    ck_assert_ok(read_text(SLICE("GC(3) Pause Young (Normal) (G1 Evacuation Pause) (Evacuation"
                                 " Failure: Allocation / Pinned) 9M->8M(9M) 1.5ms\n")));
    ck_assert_uint_eq(last.troubles, 1u << FL_GC_EVACUATION_FAILED);
    ck_assert_str_eq(last_cause, "G1 Evacuation Pause");
    ck_assert_ok(read_text(SLICE("GC(0) Concurrent cleanup (Young) 12M->3M(81M) 0.05ms\n")));
    ck_assert_str_eq(last_name, "Concurrent cleanup (Young)");
    ck_assert_str_eq(last_cause, "");
}
END_TEST

START_TEST(a_stall_names_the_thread_and_its_wait)
{
    ck_assert_ok(
        read_text(SLICE("[6.1s][info][gc] Allocation Stall (http-nio-8080-exec-3) 12.345ms\n")));
    ck_assert_int_eq(last.kind, FL_GC_STALL);
    ck_assert_str_eq(last_name, "Allocation Stall");
    ck_assert_str_eq(last_cause, "http-nio-8080-exec-3");
    ck_assert_int_eq(last.pause_ns, 12345000);
}
END_TEST

START_TEST(a_log_may_stand_in_the_output_of_a_program)
{
    ck_assert_ok(
        read_text(SLICE("2024-01-01 INFO started in [main] 12.3 secs\n"
                        "[not closed\n[a] [b] c\n[]\n\n \n"
                        "[0.2s][info][gc] GC(0) Pause Young (Allocation Failure) 6M->2M(9M) 2ms\r\n"
                        "{\"level\":\"info\"}\n")));
    ck_assert_uint_eq(about.events, 1);
    ck_assert_uint_eq(about.lines, 8);
    ck_assert_uint_eq(about.rejected, 0);
}
END_TEST

/* ---- what cannot be read ---- */

static const struct {
    const char *text;
    fl_status status;
    uint64_t offset;
    const char *message;
} hopeless[] = {
    {"", FL_E_UNSUPPORTED, FL_NO_OFFSET, "no garbage collection log of a Java virtual machine"},
    {"a log of something\nelse\n", FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "no garbage collection log of a Java virtual machine"},
    {"[0.1s][gc] GC(1) Pause Young (Normal) (G1 Evacuation Pause) 6M->2M(128M) soon\n", FL_E_SYNTAX,
     73, "what a collection took is not as a Java virtual machine writes it"},
    {"GC(1) Pause Full (Ergonomics) 6X->2M(128M) 1.0ms\n", FL_E_SYNTAX, 30,
     "what a collection took is not as a Java virtual machine writes it"},
    {"x\nGC(1) Pause Full 99999999999999999999G->2M(128M) 1.0ms\n", FL_E_SYNTAX, 19,
     "what a collection took is not as a Java virtual machine writes it"},
    {"[gc] Allocation Stall (main) ages\n", FL_E_SYNTAX, 29,
     "how long a thread stalled is not as a Java virtual machine writes it"},
    {"x\n1.5: [GC (Allocation Failure)  65536K->10720K(251392K)\n", FL_E_SYNTAX, 2,
     "a collection has no duration"},
};

START_TEST(what_holds_no_collection_says_why)
{
    ck_assert_fails(hopeless[_i].status, read_text(SLICE(hopeless[_i].text)));
    ck_assert_str_eq(err.message, hopeless[_i].message);
    ck_assert_uint_eq(err.offset, hopeless[_i].offset);
}
END_TEST

START_TEST(a_broken_line_costs_itself)
{
    ck_assert_ok(
        read_text(SLICE("GC(0) Pause Full 6M->2M(9M) 1.0ms\nGC(1) Pause Full 6M->2M(9M) x\n"
                        "GC(2) Pause Full 5M->2M(9M) 2.0ms\n")));
    ck_assert_uint_eq(about.events, 2);
    ck_assert_uint_eq(about.rejected, 1);
    ck_assert_uint_eq(about.first_reject.offset, 62);
}
END_TEST

START_TEST(a_collector_without_collections_is_a_log)
{
    ck_assert_ok(read_text(SLICE("[0.016s][info][gc] Using Shenandoah\n")));
    ck_assert_uint_eq(about.events, 0);
    ck_assert_int_eq(about.collector, FL_GC_COLLECTOR_SHENANDOAH);
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    static const char *const names[] = {"java8-details.log", "java8-g1.log", "java25-z.log.zst"};
    char path[256];
    for (size_t f = 0; f < sizeof(names) / sizeof(names[0]); f++) {
        snprintf(path, sizeof(path), "tests/fixtures/gclog/%s", names[f]);
        fl_bytes bytes = fl_file_read(path);
        size_t most = bytes.len < 8000 ? bytes.len : 8000;
        uint64_t before = 0;
        for (size_t len = 0; len <= most; len++) {
            err = (fl_error){0};
            fl_buf_clear(&dump);
            fl_status status = read_text((fl_slice){.ptr = bytes.ptr, .len = len});
            ck_assert(status == FL_OK || err.message[0] != '\0');
            ck_assert_uint_ge(about.events + about.rejected, before);
            before = about.events;
        }
        free(bytes.ptr);
    }
}
END_TEST

/* A list of dump lines is as long for the log with one byte flipped, or a line shorter or longer.
 */
START_TEST(flipped_bits_cost_at_most_the_collections_they_hit)
{
    fl_bytes bytes = fl_file_read("tests/fixtures/gclog/java8-parallel.log");
    for (size_t i = 0; i < bytes.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes.ptr[i] ^= (unsigned char)(1 << bit);
            fl_buf_clear(&dump);
            err = (fl_error){0};
            fl_status status = read_text((fl_slice){.ptr = bytes.ptr, .len = bytes.len});
            ck_assert_msg(status == FL_OK && about.events >= 3 && about.events <= 5,
                          "byte %zu, bit %d: %d events", i, bit, (int)about.events);
            bytes.ptr[i] ^= (unsigned char)(1 << bit);
        }
    free(bytes.ptr);
}
END_TEST

static fl_status refuse(void *payload, const fl_gc_event *event, fl_error *error)
{
    (void)payload;
    return fl_fail(error, FL_E_STOPPED, event->line, "no more of them");
}

START_TEST(a_visitor_ends_the_reading)
{
    const fl_gclog_visitor visitor = {.event = refuse};
    fl_stream *in = NULL;
    ck_assert_ok(
        fl_stream_over(&in, SLICE("GC(0) Pause Full 6M->2M(9M) 1.0ms\n\n\n"), "gc.log", &err));
    ck_assert_fails(FL_E_STOPPED, fl_gclog_read(&about, in, &visitor, &err));
    ck_assert_str_eq(err.message, "no more of them");
    ck_assert_uint_eq(about.lines, 1);
    fl_stream_close(in);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status == FL_E_NOMEM && n < 100; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = read_text(SLICE("GC(0) Pause Full 6M->2M(9M) 1.0ms\n"));
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_ok(status);
}
END_TEST

START_TEST(what_a_file_is_shows_in_its_first_bytes)
{
    ck_assert(fl_gclog_sniff(SLICE("hello\n[0.1s][info][gc,start] GC(0) Pause Young")));
    ck_assert(
        fl_gclog_sniff(SLICE("2015-05-26T14:45:37.987-0200: 151.126: [GC (Allocation Failure)")));
    ck_assert(fl_gclog_sniff(SLICE("[Full GC 11000K->9000K(251392K), 0,02 secs]")));
    ck_assert(!fl_gclog_sniff(SLICE("gc 1 @0.01s 2%: 0.1+0.2+0.3 ms clock")));
    ck_assert(!fl_gclog_sniff(SLICE("[gcc] error: [main] x\n[info] [GCC]")));
    ck_assert(!fl_gclog_sniff(SLICE("{\"gc\": [1, 2]}")));
    ck_assert(!fl_gclog_sniff(SLICE("")));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gclog");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, recorded_logs_are_read_as_their_golden_lists_say, 0,
                        sizeof(fixtures) / sizeof(fixtures[0]));
    tcase_add_test(tc, any_decorations_or_none_give_the_same_collection);
    tcase_add_test(tc, what_lines_tell_before_a_collection_goes_to_that_one);
    tcase_add_test(tc, regions_that_are_pinned_are_no_lack_of_room);
    tcase_add_test(tc, a_stall_names_the_thread_and_its_wait);
    tcase_add_test(tc, a_log_may_stand_in_the_output_of_a_program);
    tcase_add_loop_test(tc, what_holds_no_collection_says_why, 0,
                        sizeof(hopeless) / sizeof(hopeless[0]));
    tcase_add_test(tc, a_broken_line_costs_itself);
    tcase_add_test(tc, a_collector_without_collections_is_a_log);
    tcase_add_test(tc, every_prefix_is_read_or_refused);
    tcase_add_test(tc, flipped_bits_cost_at_most_the_collections_they_hit);
    tcase_add_test(tc, a_visitor_ends_the_reading);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_test(tc, what_a_file_is_shows_in_its_first_bytes);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
