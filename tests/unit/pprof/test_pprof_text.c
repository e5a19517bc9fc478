#include <math.h>

#include "mem.h"
#include "pprof.h"
#include "profile_made.h"
#include "slice.h"

static fl_profile *profile;
static fl_buf text;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    text = fl_buf_of(16 << 20);
    ck_assert_ok(fl_profile_create(&profile, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_profile_destroy(profile);
    fl_buf_dispose(&text);
}

static fl_status read_text(const char *input)
{
    err = (fl_error){0};
    return fl_profile_read_bytes(profile, SLICE(input), "in", NULL, &err);
}

static const char *dump(void)
{
    fl_buf_clear(&text);
    profile_dump(&text, profile);
    ck_assert_int_eq(text.status, FL_OK);
    return text.ptr;
}

/* The addresses of the innermost two have no lines: Go leaves runtime frames out. */
static const char heap[] = "heap profile: 2: 2048 [5: 5120] @ heap/1048576\n"
                           "2: 2048 [5: 5120] @ 0x487bf3 0x48c389 0x60d60d 0x617b4d\n"
                           "#\t0x60d60c\tmain.(*cache).put+0x42c\t\t/src/my app/cache.go:58\n"
                           "#\t0x617b4c\tmain.handle[...].func1+0x2ac\t/src/main.go:66\n"
                           "\n"
                           "0: 0 [1: 524288] @ 0x617b4d\n"
                           "#\t0x617b4c\tmain.handle[...].func1+0x2ac\t/src/main.go:66\n"
                           "\n"
                           "0: 0 [0: 0] @ 0x1\n"
                           "\n"
                           "# runtime.MemStats\n"
                           "# Alloc = 4096\n";

START_TEST(a_heap_is_unsampled_and_keeps_addresses_without_lines)
{
    ck_assert_ok(read_text(heap));
    /* 1 / (1 - exp(-1024 / 524288)) = 512.5, by the formula of runtime/mprof.go */
    ck_assert_str_eq(dump(), "heap period 524288 time 0 duration 0\n"
                             "type alloc_objects/count\n"
                             "type alloc_space/bytes\n"
                             "type inuse_objects/count\n"
                             "type inuse_space/bytes default\n"
                             "comment runtime.MemStats\n"
                             "comment Alloc = 4096\n"
                             "sample 2562 2624000 1025 1049600 bytes=1024\n"
                             "  0x487bf2\n"
                             "  0x48c388\n"
                             "  0x60d60c main.(*cache).put /src/my app/cache.go:58 from 0\n"
                             "  0x617b4c main.handle[...].func1 /src/main.go:66 from 0\n"
                             "sample 1 829411 0 0 bytes=524288\n"
                             "  0x617b4c main.handle[...].func1 /src/main.go:66 from 0\n"
                             "sample 0 0 0 0\n"
                             "  0\n");
    ck_assert_uint_eq(profile->frame_count, 5);
    ck_assert_int_eq(profile->form, FL_PROFILE_FORM_TEXT);
}
END_TEST

START_TEST(gperftools_heaps_say_their_rate_otherwise)
{
    ck_assert_ok(read_text("heap profile: 1: 1024 [1: 1024] @ heap_v2/524288\n"
                           "1: 1024 [1: 1024] @ 0x10\nMAPPED_LIBRARIES:\nnothing of this is read"));
    ck_assert_int_eq(fl_profile_value(profile, 0, 2), 512);
    ck_assert_ok(read_text("heap profile: 1: 1024 [1: 1024] @ heapprofile\n"
                           "1: 1024 [1: 1024] @ 0x10\n"));
    ck_assert_int_eq(fl_profile_value(profile, 0, 3), 1024);
    ck_assert_int_eq(profile->period, 1);
}
END_TEST

START_TEST(cycles_become_nanoseconds)
{
    ck_assert_ok(read_text("--- contention:\ncycles/second=2000000000\n"
                           "3000000 7 @ 0x20 0x30\n#\t0x1f\tmain.wait+0x1\t/m.go:3\n"
                           "#\t0x2f\tmain.main+0x9\t/m.go:9\n\n"));
    ck_assert_str_eq(dump(), "block period 1 time 0 duration 0\n"
                             "type contentions/count\n"
                             "type delay/nanoseconds default\n"
                             "sample 7 1500000\n"
                             "  0x1f main.wait /m.go:3 from 0\n"
                             "  0x2f main.main /m.go:9 from 0\n");
    ck_assert_ok(
        read_text("--- mutex:\ncycles/second=1000000000\nsampling period=5\n10 2 @ 0x2\n"));
    ck_assert_int_eq(profile->kind, FL_PROFILE_MUTEX);
    ck_assert_int_eq(profile->period, 5);
    ck_assert_int_eq(fl_profile_value(profile, 0, 0), 2);
    ck_assert_int_eq(fl_profile_value(profile, 0, 1), 10);
}
END_TEST

START_TEST(counts_have_the_kind_that_their_header_names)
{
    ck_assert_ok(read_text("goroutine profile: total 3\n"
                           "2 @ 0x20\n# labels: {\"tenant\":\"a\\\"b\", \"k\":\"v\"}\n"
                           "#\t0x1f\tmain.f+0x1\tc:/m.go:3\n\n1 @\n#\t0x0\n"));
    ck_assert_str_eq(dump(), "goroutine period 1 time 0 duration 0\n"
                             "type goroutine/count default\n"
                             "sample 2 tenant=a\\\"b k=v\n"
                             "  0x1f main.f c:/m.go:3 from 0\n"
                             "sample 1\n");
    ck_assert_ok(read_text("threadcreate profile: total 1\n1 @ 0x2\n"));
    ck_assert_int_eq(profile->kind, FL_PROFILE_THREAD_CREATE);
    ck_assert_ok(read_text("example.com/pool.Open profile: total 1\n1 @ 0x2\n"));
    ck_assert_int_eq(profile->kind, FL_PROFILE_OTHER);
}
END_TEST

START_TEST(lines_that_fit_no_address_are_the_stack)
{
    ck_assert_ok(read_text("goroutine profile: total 1\n1 @ 0x20 0x30\n"
                           "#\t0x99\tmain.f+0x1\t/m.go:3\n#\t0xaa\tmain.g+0x1\t/m.go:4\n"));
    ck_assert_uint_eq(profile->samples[0].stack_count, 2);
    ck_assert_uint_eq(profile->frames[profile->stack[0]].address, 0x99);
}
END_TEST

static const struct {
    const char *input;
    uint64_t offset;
    const char *message;
} damages[] = {
    {"heap profile: 1: 2 [3: 4]\n", 0,
     "in: line 1: a heap profile says no sampling rate ('@ heap/1048576')"},
    {"heap profile: 1: 2 [3: 4] @ heap/x\n", 0,
     "in: line 1: a heap profile says no sampling rate ('@ heap/1048576')"},
    {"heap profile: 1: 2 [3: 4] @ heap/8\n1: 2 [3 4] @ 0x1\n", 35, "in: line 2: this is no record"},
    {"heap profile: 1: 2 [3: 4] @ heap/8\n1: -2 [3: 4] @ 0x1\n", 35,
     "in: line 2: this is no record"},
    {"heap profile: 1: 2 [3: 4] @ heap/8\n0: 2 [3: 4] @ 0x1\n", 35,
     "in: line 2: no objects, but their bytes"},
    {"heap profile: 1: 2 [3: 4] @ heap/8\n1: 2 [3: 4]\n", 35, "in: line 2: this is no record"},
    {"goroutine profile: total 1\n1 @ 0x1 12\n", 27,
     "in: line 2: a record has something else than addresses behind its '@'"},
    {"goroutine profile: total 1\n1 @ 0x12345678123456789\n", 27,
     "in: line 2: a record has something else than addresses behind its '@'"},
    {"goroutine profile: total 1\n9999999999999999999 @ 0x1\n", 27,
     "in: line 2: this is no record"},
    {"goroutine profile: total 1\n#\t0x1\tf+0x1\tg:1\n", 27, "in: line 2: a line without a record"},
    {"goroutine profile: total 1\n1 @ 0x1\n#\t0xz\tf+0x1\tg:1\n", 35,
     "in: line 3: this line has no address"},
    {"--- mutex:\ncycles/second=0\n", 11, "in: line 2: cycles/second is no positive number"},
    {"--- mutex:\nsampling period=x\n", 11, "in: line 2: the sampling period is no number"},
    {"--- contention:\n5 @ 0x1\n", 16, "in: line 2: this is no record"},
};

START_TEST(damage_is_refused_with_its_line)
{
    ck_assert_fails(FL_E_SYNTAX, read_text(damages[_i].input));
    ck_assert_str_eq(err.message, damages[_i].message);
    ck_assert_uint_eq(err.offset, damages[_i].offset);
    ck_assert_uint_eq(profile->sample_count, 0);
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    for (size_t len = 0; len < sizeof(heap) - 1; len++) {
        err = (fl_error){0};
        fl_slice prefix = {(const unsigned char *)heap, len};
        fl_status status = fl_profile_read_bytes(profile, prefix, "in", NULL, &err);
        ck_assert(status == FL_OK || (err.message[0] != '\0' && profile->sample_count == 0));
    }
}
END_TEST

START_TEST(more_addresses_than_any_runtime_writes_are_refused)
{
    fl_buf input = fl_buf_of(1 << 20);
    fl_buf_text(&input, "goroutine profile: total 1\n1 @");
    for (int i = 0; i < 1025; i++)
        fl_buf_text(&input, " 0x1");
    ck_assert_fails(FL_E_SYNTAX, read_text(input.ptr));
    ck_assert_str_eq(err.message, "in: line 2: a record has more than 1024 addresses");
    fl_buf_clear(&input);
    fl_buf_text(&input, "goroutine profile: total 1\n1 @ 0x2\n");
    for (int i = 0; i < 1025; i++)
        fl_buf_text(&input, "#\t0x1\tmain.f+0x1\t/m.go:1\n");
    ck_assert_fails(FL_E_SYNTAX, read_text(input.ptr));
    ck_assert_str_eq(err.message, "in: line 1027: a record has more than 1024 lines");
    fl_buf_dispose(&input);
}
END_TEST

static const char dump_of_two[] = "goroutine 1 [running]:\n"
                                  "main.main()\n"
                                  "\t/m.go:5 +0x1\n"
                                  "\n"
                                  "goroutine 7 [chan send, 3 minutes]:\n"
                                  "main.work(0x1)\n"
                                  "\t/m.go:9 +0x2\n"
                                  "created by main.main in goroutine 1\n"
                                  "\t/m.go:4 +0x3\n"
                                  "\n"
                                  "goroutine 8 [chan send, 3 minutes]:\n"
                                  "main.work(0x2)\n"
                                  "\t/m.go:9 +0x2\n"
                                  "created by main.main in goroutine 1\n"
                                  "\t/m.go:4 +0x3\n";

START_TEST(goroutines_one_by_one_are_counted_by_their_stacks)
{
    ck_assert_ok(read_text(dump_of_two));
    ck_assert_int_eq(profile->kind, FL_PROFILE_GOROUTINE);
    ck_assert_int_eq(profile->form, FL_PROFILE_FORM_STACKS);
    ck_assert_uint_eq(profile->input_bytes, sizeof(dump_of_two) - 1);
    ck_assert_uint_eq(profile->sample_count, 2);
    ck_assert_int_eq(fl_profile_value(profile, 0, 0) + fl_profile_value(profile, 1, 0), 3);
}
END_TEST

START_TEST(goroutines_behind_other_lines_are_read_where_that_is_asked_for)
{
    fl_buf log = fl_buf_of(1 << 20);
    const fl_pprof_options anywhere = {.in_logs = true};
    for (int i = 0; i < 1000; i++)
        fl_buf_text(&log, "the server is ready and waits for requests\n");
    fl_buf_text(&log, dump_of_two);
    ck_assert_fails(FL_E_UNSUPPORTED, read_text(log.ptr));
    ck_assert_str_eq(
        err.message,
        "in: this is text (\"the server is ready and waits for reques\"), not a profile");
    err = (fl_error){0};
    ck_assert_ok(fl_profile_read_bytes(profile, fl_buf_slice(&log), "in", &anywhere, &err));
    ck_assert_uint_eq(profile->sample_count, 2);
    ck_assert_fails(FL_E_UNSUPPORTED, fl_profile_read_bytes(profile, BYTES("404 page not found\n"),
                                                            "in", &anywhere, &err));
    ck_assert_str_eq(err.message, "in: this is text (\"404 page not found\"), not a profile");
    ck_assert_uint_eq(profile->sample_count, 0);
    fl_buf_dispose(&log);
}
END_TEST

START_TEST(survives_each_allocation_failing_in_goroutines)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = read_text(dump_of_two);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
        ck_assert_int_eq(err.status, status);
        ck_assert_uint_eq(profile->sample_count, status == FL_OK ? 2 : 0);
    }
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    bool done = false;
    for (long n = 0; !done; n++) {
        fl_profile *fresh = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        fl_status status = fl_profile_create(&fresh, &err);
        if (status == FL_OK)
            status = fl_profile_read_bytes(fresh, SLICE(heap), "in", NULL, &err);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
        done = status == FL_OK;
        ck_assert_uint_eq(fresh != NULL ? fresh->sample_count : 0, done ? 3 : 0);
        fl_profile_destroy(fresh);
    }
}
END_TEST

static Suite *pprof_text_suite(void)
{
    Suite *suite = suite_create("pprof/text");
    TCase *cases = tcase_create("text");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_heap_is_unsampled_and_keeps_addresses_without_lines);
    tcase_add_test(cases, gperftools_heaps_say_their_rate_otherwise);
    tcase_add_test(cases, cycles_become_nanoseconds);
    tcase_add_test(cases, counts_have_the_kind_that_their_header_names);
    tcase_add_test(cases, lines_that_fit_no_address_are_the_stack);
    tcase_add_loop_test(cases, damage_is_refused_with_its_line, 0,
                        (int)(sizeof(damages) / sizeof(damages[0])));
    tcase_add_test(cases, every_prefix_is_read_or_refused);
    tcase_add_test(cases, more_addresses_than_any_runtime_writes_are_refused);
    tcase_add_test(cases, goroutines_one_by_one_are_counted_by_their_stacks);
    tcase_add_test(cases, goroutines_behind_other_lines_are_read_where_that_is_asked_for);
    tcase_add_test(cases, survives_each_allocation_failing_in_goroutines);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(pprof_text_suite)
