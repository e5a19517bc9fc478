/*
 * Types of metrics that one reader was told, and all have to know.
 */
#include <pthread.h>
#include <stdio.h>

#include "faultline/limits.h"
#include "made_proto.h"
#include "metric_types.h"
#include "received.h"

static fl_error err;
static fl_metric_types *types;
static received r;
static fl_prometheus *reader;
static fl_metric_types_seen seen;

static void setup(void)
{
    err = (fl_error){0};
    seen = 0;
    received_init(&r);
    ck_assert_ok(fl_metric_types_create(&types, &err));
    ck_assert_ok(fl_prometheus_create(&reader, &r.to, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_prometheus_destroy(reader);
    fl_metric_types_destroy(types);
    received_dispose(&r);
}

static void tell(const char *name, unsigned type, const char *unit)
{
    fl_prometheus_family family = {.name = SLICE(name), .unit = SLICE(unit), .type = type};
    fl_metric_types_told(types, &family);
}

/* What the reader makes of a series of that name, after it caught up. */
static const char *kind_of(const char *name)
{
    fl_buf request = fl_buf_of(1 << 16), series = fl_buf_of(1 << 16), inner = fl_buf_of(1 << 16);
    ck_assert_ok(fl_metric_types_catch_up(types, &seen, reader, &err));
    made_text(&inner, 1, "__name__");
    made_text(&inner, 2, name);
    made_message(&series, 1, &inner);
    made_double(&inner, 1, 1);
    made_u64(&inner, 2, 1000);
    made_message(&series, 2, &inner);
    made_message(&request, 1, &series);
    received_clear(&r);
    ck_assert_ok(fl_prometheus_write_proto(reader, fl_buf_slice(&request), &err));
    fl_buf_dispose(&request);
    fl_buf_dispose(&series);
    fl_buf_dispose(&inner);
    return received_text(&r);
}

START_TEST(a_reader_learns_what_another_was_told)
{
    ck_assert_ptr_nonnull(strstr(kind_of("jobs"), "gauge of 0: jobs []"));
    tell("jobs", 1, "By");
    ck_assert_ptr_nonnull(strstr(kind_of("jobs"), "sum"));
    ck_assert_ptr_nonnull(strstr(kind_of("jobs"), "[By]"));
}
END_TEST

START_TEST(the_last_word_counts_and_a_repeated_one_is_no_news)
{
    tell("jobs", 1, "");
    ck_assert_ptr_nonnull(strstr(kind_of("jobs"), "sum"));
    fl_metric_types_seen before = seen;
    tell("jobs", 1, "");
    kind_of("jobs");
    ck_assert_uint_eq(seen, before);
    tell("jobs", 2, "");
    ck_assert_ptr_nonnull(strstr(kind_of("jobs"), "gauge"));
    ck_assert_uint_gt(seen, before);
}
END_TEST

START_TEST(families_beyond_the_limit_are_forgotten)
{
    char name[32];
    for (unsigned i = 0; i < FL_MAX_METRICS + 10; i++) {
        snprintf(name, sizeof(name), "family%u", i);
        tell(name, 1, "");
    }
    tell("family5", 2, "");
    ck_assert_ok(fl_metric_types_catch_up(types, &seen, reader, &err));
    ck_assert_uint_eq(seen, FL_MAX_METRICS + 1);
    ck_assert_ptr_nonnull(strstr(kind_of("family5"), "gauge"));
    ck_assert_ptr_nonnull(strstr(kind_of("family7"), "sum"));
}
END_TEST

START_TEST(want_of_memory_forgets_and_is_told_again)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        ck_assert_int_lt(n, 100);
        fl_mem_fail_after(n);
        fl_metric_types *made;
        status = fl_metric_types_create(&made, NULL);
        if (status == FL_OK)
            fl_metric_types_destroy(made);
        else
            ck_assert_int_eq(status, FL_E_NOMEM);
    }
    for (long n = 0; n < 20; n++) {
        fl_mem_fail_after(n);
        tell("jobs", 1, "By");
    }
    status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        ck_assert_int_lt(n, 100);
        fl_mem_fail_after(n);
        status = fl_metric_types_catch_up(types, &seen, reader, NULL);
    }
    fl_mem_fail_after(-1);
    ck_assert_ptr_nonnull(strstr(kind_of("jobs"), "[By]"));
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 400 };

static void *tell_and_catch_up(void *payload)
{
    const unsigned *start = payload;
    fl_metric_types_seen mine = 0;
    fl_prometheus *own;
    received sink;
    received_init(&sink);
    if (fl_prometheus_create(&own, &sink.to, NULL) != FL_OK)
        return NULL;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "family%u", (*start + i) % 100);
        fl_prometheus_family family = {.name = SLICE(name), .type = 1 + i % 2};
        fl_metric_types_told(types, &family);
        if (fl_metric_types_catch_up(types, &mine, own, NULL) != FL_OK)
            break;
    }
    fl_prometheus_destroy(own);
    fl_buf_dispose(&sink.dump.text);
    return payload;
}

START_TEST(threads_tell_and_catch_up_at_once)
{
    pthread_t threads[THREADS];
    unsigned starts[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        starts[i] = i * 25;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, tell_and_catch_up, &starts[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        ck_assert_ptr_eq(result, &starts[i]);
    }
    tell("family0", 1, "");
    ck_assert_ptr_nonnull(strstr(kind_of("family0"), "sum"));
}
END_TEST

static Suite *metric_types_suite(void)
{
    Suite *suite = suite_create("metric_types");
    TCase *cases = tcase_create("metric_types");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_reader_learns_what_another_was_told);
    tcase_add_test(cases, the_last_word_counts_and_a_repeated_one_is_no_news);
    tcase_add_test(cases, families_beyond_the_limit_are_forgotten);
    tcase_add_test(cases, want_of_memory_forgets_and_is_told_again);
    tcase_add_test(cases, threads_tell_and_catch_up_at_once);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(metric_types_suite)
