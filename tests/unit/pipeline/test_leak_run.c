/*
 * A leak run over the profiles of the shop's order service, which keeps its receipts: what it
 * reads, what it refuses, and that no allocation that fails is missed.
 */
#include "faultline/leak_run.h"

#include <stdio.h>

#include "fl_test.h"
#include "leak_diff.h"
#include "mem.h"

#define PROFILES     FL_SOURCE_DIR "/examples/shop/incidents/cache-growth/profiles/orders"
#define HEAP(minute) PROFILES "/heap-20261123T00" minute "50Z.pb.gz"

static fl_error err;
static fl_leak_run *run;

static void setup(void)
{
    err = (fl_error){0};
    run = NULL;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_leak_run_destroy(run);
}

static fl_status start(const char *const *inputs, size_t count, const fl_leak_asker *asker)
{
    const fl_leak_request request = {.inputs = inputs, .input_count = count, .asker = asker};
    return fl_leak_run_create(&run, &request, &err);
}

START_TEST(a_folder_is_read_as_one_series)
{
    const char *const inputs[] = {PROFILES};
    size_t count;
    ck_assert_ok(start(inputs, 1, NULL));
    const fl_leak_inputs *read = fl_leak_run_inputs(run);
    ck_assert_uint_eq(read->counts[FL_LEAK_INPUT_HEAP], 12);
    ck_assert_uint_eq(read->counts[FL_LEAK_INPUT_GOROUTINE], 12);
    ck_assert_uint_eq(read->counts[FL_LEAK_INPUT_STATS], 1);
    ck_assert_uint_eq(read->unreadable, 0);
    ck_assert_int_eq(fl_leak_run_report(run)->verdict, FL_LEAK_LEAK);
    const fl_leak_total *totals = fl_leak_run_totals(run, &count);
    ck_assert_uint_eq(count, 24);
    for (size_t i = 0; i < count; i++)
        ck_assert(totals[i].time_ns > 0 &&
                  (totals[i].heap_bytes >= 0) != (totals[i].goroutines > 0));
}
END_TEST

START_TEST(a_file_that_is_named_twice_is_read_once)
{
    const char *const inputs[] = {HEAP("03"), HEAP("14"), HEAP("03"), PROFILES};
    ck_assert_ok(start(inputs, 4, NULL));
    ck_assert_uint_eq(fl_leak_run_inputs(run)->counts[FL_LEAK_INPUT_HEAP], 12);
}
END_TEST

static const struct bad {
    const char *input;
    fl_status status;
    const char *message;
} bad[] = {
    {"/none/at/all", FL_E_IO, "cannot read /none/at/all: No such file or directory"},
    {"http://localhost", FL_E_UNSUPPORTED, "no network here to ask http://localhost"},
    {FL_SOURCE_DIR "/LICENSE", FL_E_UNSUPPORTED, NULL},
    {FL_SOURCE_DIR "/CMakePresets.json", FL_E_UNSUPPORTED, NULL},
    {FL_SOURCE_DIR "/tests/unit/pipeline/", FL_E_UNSUPPORTED, NULL},
};

START_TEST(what_cannot_be_judged_is_refused)
{
    const char *const inputs[] = {bad[_i].input};
    ck_assert_fails(bad[_i].status, start(inputs, 1, NULL));
    ck_assert_ptr_null(run);
    if (bad[_i].message != NULL)
        ck_assert_str_eq(err.message, bad[_i].message);
    else
        ck_assert_ptr_nonnull(strstr(err.message, "not a profile"));
}
END_TEST

/* Answers with two files, one web page and one failure, and ends as `payload` says. */
static fl_status answer(void *payload, const char *address, fl_leak_taker *taker, fl_error *error)
{
    static unsigned char bytes[1 << 20];
    static const char *const paths[] = {HEAP("03"), HEAP("14")};
    const fl_error failed = {.status = FL_E_IO, .message = "no answer"};
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "rb");
        ck_assert_ptr_nonnull(file);
        size_t len = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        ck_assert_ok(fl_leak_take(taker, address, (fl_slice){.ptr = bytes, .len = len}, 0, error));
    }
    ck_assert_fails(FL_E_UNSUPPORTED,
                    fl_leak_take(taker, "page", SLICE("<!DOCTYPE html><html></html>"), 0, NULL));
    fl_leak_take_failure(taker, &failed);
    fl_leak_take_cost(taker, 4, 1000, 5);
    const fl_status *status = payload;
    return *status == FL_OK ? FL_OK : fl_fail(error, *status, FL_NO_OFFSET, "it ended");
}

START_TEST(an_asker_hands_over_what_it_was_answered)
{
    fl_status status = FL_OK;
    const char *const inputs[] = {"http://program"};
    const fl_leak_asker asker = {.ask = answer, .payload = &status};
    ck_assert_ok(start(inputs, 1, &asker));
    const fl_leak_inputs *read = fl_leak_run_inputs(run);
    ck_assert_uint_eq(read->counts[FL_LEAK_INPUT_HEAP], 2);
    ck_assert_uint_eq(read->unreadable, 1);
    ck_assert_uint_eq(read->unknown, 1);
    ck_assert_uint_eq(read->requests, 4);
    ck_assert_uint_eq(read->fetched_bytes, 1000);
}
END_TEST

START_TEST(an_asker_that_fails_ends_the_run)
{
    fl_status status = FL_E_IO;
    const char *const inputs[] = {"http://program"};
    const fl_leak_asker asker = {.ask = answer, .payload = &status};
    ck_assert_fails(FL_E_IO, start(inputs, 1, &asker));
    ck_assert_str_eq(err.message, "it ended");
}
END_TEST

/* Every failing allocation up to a few hundred, then ever larger steps: a run makes thousands. */
START_TEST(every_allocation_may_fail)
{
    const char *const inputs[] = {HEAP("03"), HEAP("14"), PROFILES "/memstats.jsonl"};
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK && n < 1000000; n += 1 + n / 64) {
        setup();
        fl_mem_fail_after(n);
        status = start(inputs, 3, NULL);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%ld: %s", n, err.message);
    }
    ck_assert_ok(status);
}
END_TEST

START_TEST(a_comparison_survives_every_allocation_that_fails)
{
    fl_status status = FL_E_NOMEM;
    fl_arena arena = fl_arena_of(64 << 20);
    fl_leak_diff diff;
    for (long n = 0; status != FL_OK && n < 100000; n += 1 + n / 64) {
        setup();
        fl_arena_dispose(&arena);
        fl_mem_fail_after(n);
        status = fl_leak_diff_files(&diff, HEAP("14"), HEAP("03"), &arena, &err);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%ld: %s", n, err.message);
    }
    ck_assert_ok(status);
    ck_assert_str_eq(diff.unit, "bytes");
    ck_assert_int_lt(diff.from_ns, diff.to_ns);
    ck_assert_double_gt(diff.after, diff.before + 100e6);
    double sum = 0;
    for (size_t i = 0; i < diff.count; i++)
        sum += diff.rows[i].after - diff.rows[i].before;
    ck_assert_double_eq_tol(sum, diff.after - diff.before, 1);
    fl_arena_dispose(&arena);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("leak_run");
    TCase *cases = tcase_create("leak_run");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_folder_is_read_as_one_series);
    tcase_add_test(cases, a_file_that_is_named_twice_is_read_once);
    tcase_add_loop_test(cases, what_cannot_be_judged_is_refused, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, an_asker_hands_over_what_it_was_answered);
    tcase_add_test(cases, an_asker_that_fails_ends_the_run);
    tcase_add_test(cases, every_allocation_may_fail);
    tcase_add_test(cases, a_comparison_survives_every_allocation_that_fails);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
