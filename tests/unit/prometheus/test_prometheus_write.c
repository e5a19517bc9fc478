/*
 * Remote write 1.0: a recorded request, what names and types make of a series, what is refused.
 */
#include "prometheus.h"

#include <math.h>

#include "made_proto.h"
#include "made_snappy.h"
#include "received.h"

static received r;
static fl_error err;
static fl_prometheus *p;
static fl_buf request, series, inner;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
    ck_assert_ok(fl_prometheus_create(&p, &r.to, &err));
    request = fl_buf_of(1 << 20);
    series = fl_buf_of(1 << 20);
    inner = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    received_dispose(&r);
    fl_prometheus_destroy(p);
    fl_buf_dispose(&request);
    fl_buf_dispose(&series);
    fl_buf_dispose(&inner);
}

static void label(const char *name, const char *value)
{
    made_text(&inner, 1, name);
    made_text(&inner, 2, value);
    made_message(&series, 1, &inner);
}

static void sample(double value, int64_t time_ms)
{
    made_double(&inner, 1, value);
    made_u64(&inner, 2, (uint64_t)time_ms);
    made_message(&series, 2, &inner);
}

static void end_series(void)
{
    made_message(&request, 1, &series);
}

static void metadata(uint64_t type, const char *family, const char *unit)
{
    made_u64(&inner, 1, type);
    made_text(&inner, 2, family);
    made_text(&inner, 4, "help");
    if (unit != NULL)
        made_text(&inner, 5, unit);
    made_message(&request, 3, &inner);
}

static const char *write_made(void)
{
    received_clear(&r);
    ck_assert_ok(fl_prometheus_write_proto(p, fl_buf_slice(&request), &err));
    fl_buf_clear(&request);
    return received_text(&r);
}

/* Behind the line that announces who it is. */
static const char *read_one(const char *name, const char *label_name, const char *label_value)
{
    label("__name__", name);
    if (label_name != NULL)
        label(label_name, label_value);
    sample(1.5, 1000);
    end_series();
    const char *text = write_made(), *line = strchr(text, '\n');
    return line != NULL ? line + 1 : text;
}

/* clang-format off */
static const struct {
    const char *name, *label, *value, *read;
} by_name[] = {
    {"up", NULL, NULL, "gauge of 0: up [] 0..1000000000 value 1.5\n"},
    {"http_requests_total", "code", "200", "sum of 0: http_requests_total [] cumulative monotonic 0..1000000000 value 1.5 code=\"200\"\n"},
    {"cpu_seconds_total", NULL, NULL, "sum of 0: cpu_seconds_total [s] cumulative monotonic 0..1000000000 value 1.5\n"},
    {"rpc_duration_seconds_bucket", "le", "0.5", "part of 0: rpc_duration_seconds [s] 0..1000000000 below 0.5 value 1.5\n"},
    {"rpc_duration_seconds_bucket", "le", "+Inf", "part of 0: rpc_duration_seconds [s] 0..1000000000 below inf value 1.5\n"},
    {"rpc_duration_seconds_bucket", "le", "much", "gauge of 0: rpc_duration_seconds_bucket [] 0..1000000000 value 1.5 le=\"much\"\n"},
    {"rpc_duration_seconds_bucket", NULL, NULL, "gauge of 0: rpc_duration_seconds_bucket [] 0..1000000000 value 1.5\n"},
    {"rpc_duration_seconds_sum", NULL, NULL, "part of 0: rpc_duration_seconds [s] 0..1000000000 sum 0 value 1.5\n"},
    {"rpc_duration_seconds_count", NULL, NULL, "part of 0: rpc_duration_seconds [s] 0..1000000000 count 0 value 1.5\n"},
    {"gc_pause_seconds", "quantile", "0.99", "part of 0: gc_pause_seconds [s] 0..1000000000 quantile 0.99 value 1.5\n"},
    {"heap_bytes", NULL, NULL, "gauge of 0: heap_bytes [By] 0..1000000000 value 1.5\n"},
    {"_total", NULL, NULL, "gauge of 0: _total [] 0..1000000000 value 1.5\n"},
};

/* Types as MetricMetadata numbers them: 1 counter, 2 gauge, 3 histogram, 5 summary. */
static const struct {
    unsigned type;
    const char *family, *unit, *name, *label, *value, *read;
} by_type[] = {
    {2, "jobs_total", NULL, "jobs_total", NULL, NULL, "gauge of 0: jobs_total [] 0..1000000000 value 1.5\n"},
    {2, "threads_count", "{thread}", "threads_count", NULL, NULL, "gauge of 0: threads_count [{thread}] 0..1000000000 value 1.5\n"},
    {1, "requests", NULL, "requests", NULL, NULL, "sum of 0: requests [] cumulative monotonic 0..1000000000 value 1.5\n"},
    {1, "requests", NULL, "requests_total", NULL, NULL, "sum of 0: requests_total [] cumulative monotonic 0..1000000000 value 1.5\n"},
    {3, "d", "s", "d_bucket", "le", "1", "part of 0: d [s] 0..1000000000 below 1 value 1.5\n"},
    {3, "d", "s", "d_count", NULL, NULL, "part of 0: d [s] 0..1000000000 count 0 value 1.5\n"},
    {5, "d", "s", "d_sum", NULL, NULL, "part of 0: d [s] 0..1000000000 sum 0 value 1.5\n"},
    {5, "d", "s", "d", "quantile", "0.5", "part of 0: d [s] 0..1000000000 quantile 0.5 value 1.5\n"},
    {2, "d", NULL, "d", "quantile", "0.5", "gauge of 0: d [] 0..1000000000 value 1.5 quantile=\"0.5\"\n"},
    {0, "d_total", NULL, "d_total", NULL, NULL, "sum of 0: d_total [] cumulative monotonic 0..1000000000 value 1.5\n"},
    {99, "d_total", NULL, "d_total", NULL, NULL, "sum of 0: d_total [] cumulative monotonic 0..1000000000 value 1.5\n"},
};
/* clang-format on */

START_TEST(without_metadata_the_name_says_the_kind)
{
    ck_assert_str_eq(read_one(by_name[_i].name, by_name[_i].label, by_name[_i].value),
                     by_name[_i].read);
}
END_TEST

START_TEST(metadata_of_an_earlier_request_says_the_kind)
{
    metadata(by_type[_i].type, by_type[_i].family, by_type[_i].unit);
    ck_assert_str_eq(write_made(), "");
    ck_assert_str_eq(read_one(by_type[_i].name, by_type[_i].label, by_type[_i].value),
                     by_type[_i].read);
    ck_assert_uint_eq(fl_prometheus_counts_of(p)->metadata, 1);
}
END_TEST

static void series_of(const char *job, const char *name)
{
    label("__name__", name);
    label("job", job);
    sample(1, 1000);
    end_series();
}

START_TEST(series_that_follow_each_other_share_who_they_are_about)
{
    for (int i = 0; i < 2; i++) {
        series_of("cart", "a");
        series_of("cart", "b");
        series_of("shop/cart", "c");
        series_of("cart", "d");
        ck_assert_ptr_nonnull(write_made());
        ck_assert_uint_eq(received_count(&r, "resource "), 3);
        ck_assert_uint_eq(received_count(&r, "gauge of 0: "), 2);
        ck_assert_uint_eq(received_count(&r, "gauge of 1: c "), 1);
        ck_assert_uint_eq(received_count(&r, "gauge of 2: d "), 1);
    }
}
END_TEST

static fl_status told_status;
static unsigned told_count;

/* Hands on to the reader in `payload`. */
static void hand_on(void *payload, const fl_prometheus_family *family)
{
    told_count++;
    if (payload != NULL)
        told_status = fl_prometheus_tell(payload, family, &err);
}

START_TEST(what_one_reader_is_told_can_be_handed_on_to_another)
{
    fl_prometheus *other = NULL;
    ck_assert_ok(fl_prometheus_create(&other, &r.to, &err));
    fl_prometheus_on_family(other, hand_on, p);
    metadata(1, "requests", "By");
    ck_assert_ok(fl_prometheus_write_proto(other, fl_buf_slice(&request), &err));
    ck_assert_ok(told_status);
    ck_assert_uint_eq(told_count, 1);
    ck_assert_ok(fl_prometheus_write_proto(other, fl_buf_slice(&request), &err));
    ck_assert_uint_eq(told_count, 1);
    fl_buf_clear(&request);
    metadata(2, "requests", "By");
    metadata(1, "", "By");
    ck_assert_ok(fl_prometheus_write_proto(other, fl_buf_slice(&request), &err));
    ck_assert_uint_eq(told_count, 2);
    fl_buf_clear(&request);
    fl_prometheus_destroy(other);
    ck_assert_str_eq(read_one("requests", NULL, NULL),
                     "gauge of 0: requests [By] 0..1000000000 value 1.5\n");
    ck_assert_uint_eq(fl_prometheus_counts_of(p)->metadata, 0);
}
END_TEST

START_TEST(samples_that_mean_no_value_are_counted)
{
    label("__name__", "up");
    label("job", "cart");
    sample(1, 1000);
    made_fixed64(&inner, 1, UINT64_C(0x7ff0000000000002)); /* StaleNaN */
    made_u64(&inner, 2, 2000);
    made_message(&series, 2, &inner);
    sample(NAN, 3000);
    sample(INFINITY, 4000);
    made_text(&series, 3, ""); /* an exemplar, a native histogram */
    made_text(&series, 4, "");
    end_series();
    label("__name__", "up_created");
    sample(1, 1000);
    end_series();
    ck_assert_str_eq(write_made(), "resource 0 service=cart instance= node= job=\"cart\"\n"
                                   "gauge of 0: up [] 0..1000000000 value 1\n");
    const fl_prometheus_counts *counts = fl_prometheus_counts_of(p);
    ck_assert_uint_eq(counts->samples, 1);
    ck_assert_uint_eq(counts->series, 1);
    ck_assert_uint_eq(counts->stale, 1);
    ck_assert_uint_eq(counts->not_finite, 2);
    ck_assert_uint_eq(counts->exemplars, 1);
    ck_assert_uint_eq(counts->native_histograms, 1);
    ck_assert_uint_eq(counts->created, 1);
}
END_TEST

START_TEST(labels_may_come_behind_samples_and_zero_may_be_left_out)
{
    made_u64(&inner, 2, 1000); /* a value of zero is no field */
    made_message(&series, 2, &inner);
    label("__name__", "up");
    end_series();
    ck_assert_ptr_nonnull(strstr(write_made(), "gauge of 0: up [] 0..1000000000 value 0\n"));
}
END_TEST

START_TEST(a_recorded_request_is_read)
{
    fl_bytes body = received_fixture("remote_write_1.snappy");
    ck_assert_ok(fl_prometheus_write(p, fl_bytes_slice(body), &err));
    const fl_prometheus_counts *counts = fl_prometheus_counts_of(p);
    ck_assert_uint_eq(counts->series, 500);
    ck_assert_uint_eq(counts->samples, 500);
    ck_assert_uint_eq(r.dump.points, 500);
    ck_assert_uint_eq(r.dump.rejects, 0);
    ck_assert_ptr_nonnull(strstr(
        received_text(&r), "part of 0: go_gc_duration_seconds [s] 0..1795379163118000000 count "
                           "0 value 0 cluster=\"eco\"\n"));
    ck_assert_ptr_nonnull(
        strstr(received_text(&r), "resource 0 service=node instance=127.0.0.1:39100"));
    free(body.ptr);
}
END_TEST

START_TEST(a_series_that_is_wrong_costs_itself)
{
    label("__name__", "before");
    sample(1, 1000);
    end_series();
    label("job", "cart"); /* no name */
    sample(1, 1000);
    end_series();
    label("", "x");
    end_series();
    label("__name__", "late");
    sample(1, -1);
    end_series();
    label("__name__", "torn");
    made_bytes(&series, 2, SLICE("\x09zz"));
    end_series();
    label("__name__", "bad\xff");
    end_series();
    label("__name__", "d");
    label("quantile", "1.5");
    sample(1, 1000);
    end_series();
    label("__name__", "after");
    sample(2, 2000);
    end_series();
    const char *text = write_made();
    ck_assert_uint_eq(r.dump.points, 2);
    ck_assert_uint_eq(received_count(&r, ": a series without __name__\n"), 1);
    ck_assert_uint_eq(received_count(&r, ": a label without a name\n"), 1);
    ck_assert_uint_eq(
        received_count(&r, ": a sample's time is not between the years 1970 and 2262\n"), 1);
    ck_assert_uint_eq(received_count(&r, ": message ends inside the 8 bytes of field 1\n"), 1);
    ck_assert_uint_eq(received_count(&r, ": invalid UTF-8 in field 2\n"), 1);
    ck_assert_uint_eq(received_count(&r, ": a quantile that is not between 0 and 1\n"), 1);
    ck_assert_uint_eq(fl_prometheus_rejects(p), 6);
    ck_assert_ptr_nonnull(strstr(text, "after"));
}
END_TEST

/* clang-format off */
static const struct {
    fl_slice message;
    const char *read;
} broken[] = {
    {BYTES_INIT("\x0a"), "reject line 0 byte 1 records 1: message ends inside the length of field 1\n"},
    {BYTES_INIT("\x0a\x05\x0a"), "reject line 0 byte 1 records 1: field 1 of 5 bytes runs past the end\n"},
    {BYTES_INIT("\x0a\x02\x0a\x05"), "reject line 0 byte 3 records 1: field 1 of 5 bytes runs past the end\n"},
    {BYTES_INIT("\x0a\x02\x08\x01"), "reject line 0 byte 2 records 1: expected a length and bytes in field 1, found a varint\n"},
    {BYTES_INIT("\x0b"), "reject line 0 byte 0 records 1: field 1 is a group, which is not read here\n"},
    {BYTES_INIT("\x1a\x02\x12\x05"), "reject line 0 byte 3 records 1: field 2 of 5 bytes runs past the end\n"},
    {BYTES_INIT("\x1a\x03\x12\x01\xff"), "reject line 0 byte 4 records 1: invalid UTF-8 in field 2\n"},
    {BYTES_INIT("\x0a\x00"), "reject line 0 byte 2 records 1: a series without __name__\n"},
};

static const struct {
    const char *type, *message;
} types[] = {
    {"application/x-protobuf", NULL},
    {" application/x-protobuf ; charset=utf-8", NULL},
    {"application/x-protobuf;proto=prometheus.WriteRequest", NULL},
    {"application/x-protobuf; proto=\"prometheus.WriteRequest\"; a=b", NULL},
    {"application/x-protobuf;proto=io.prometheus.write.v2.Request", "remote write of io.prometheus.write.v2.Request is not read, prometheus.WriteRequest is"},
    {"application/json", "remote write wants Content-Type application/x-protobuf"},
    {"application/x-protobuffer", "remote write wants Content-Type application/x-protobuf"},
    {"", "remote write wants Content-Type application/x-protobuf"},
    {"application/x-protobuf;proto=", "remote write of  is not read, prometheus.WriteRequest is"},
    {"application/x-protobuf;proto=\"", "remote write of \" is not read, prometheus.WriteRequest is"},
};
/* clang-format on */

START_TEST(what_is_broken_is_named_with_its_place)
{
    ck_assert_ok(fl_prometheus_write_proto(p, broken[_i].message, &err));
    ck_assert_str_eq(received_text(&r), broken[_i].read);
}
END_TEST

START_TEST(a_content_type_says_whether_it_is_read)
{
    fl_status status = fl_prometheus_write_type(SLICE(types[_i].type), &err);
    ck_assert_fails(types[_i].message == NULL ? FL_OK : FL_E_UNSUPPORTED, status);
    ck_assert_str_eq(err.message, types[_i].message == NULL ? "" : types[_i].message);
}
END_TEST

START_TEST(a_body_that_is_no_snappy_block_is_refused_as_a_whole)
{
    ck_assert_fails(FL_E_SYNTAX, fl_prometheus_write(p, BYTES("\xff\xff\xff\xff\xff\x01"), &err));
    ck_assert_str_eq(err.message, "snappy block says a length of more than 32 bits");
    ck_assert_uint_eq(r.dump.rejects, 0);
}
END_TEST

START_TEST(strict_ends_at_the_first_refusal)
{
    fl_prometheus_destroy(p);
    r.to.strict = true;
    ck_assert_ok(fl_prometheus_create(&p, &r.to, &err));
    fl_prometheus_set_source(p, "body");
    ck_assert_fails(FL_E_SYNTAX, fl_prometheus_write_proto(p, BYTES("\x0a\x00\x0a\x00"), &err));
    ck_assert_str_eq(err.message, "body: a series without __name__");
    ck_assert_uint_eq(err.offset, 2);
}
END_TEST

START_TEST(what_the_sink_says_ends_the_reading)
{
    fl_bytes body = received_fixture("remote_write_1.snappy");
    r.dump.stop_after = 7;
    r.dump.stop_with = FL_E_STOPPED;
    ck_assert_fails(FL_E_STOPPED, fl_prometheus_write(p, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(r.dump.points, 7);
    free(body.ptr);
}
END_TEST

START_TEST(every_prefix_is_read_as_far_as_it_goes)
{
    metadata(1, "requests", "1");
    label("__name__", "requests");
    label("job", "cart");
    sample(1, 1000);
    sample(2, 2000);
    end_series();
    for (size_t len = 0; len <= request.len; len++) {
        fl_bytes part = received_exact(fl_buf_slice(&request), len);
        received_clear(&r);
        ck_assert_ok(fl_prometheus_write_proto(p, fl_bytes_slice(part), &err));
        ck_assert_uint_le(r.dump.rejects, 1);
        free(part.ptr);
    }
    ck_assert_uint_eq(r.dump.points, 2);
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    fl_buf block = fl_buf_of(1 << 20);
    metadata(1, "requests", "1");
    label("__name__", "requests");
    sample(1, 1000);
    end_series();
    made_snappy_block(&block, fl_buf_slice(&request));
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        fl_prometheus *other = NULL;
        ck_assert_int_lt(after, 100);
        received_clear(&r);
        fl_mem_fail_after(after);
        fl_status status = fl_prometheus_create(&other, &r.to, &own);
        if (status == FL_OK)
            status = fl_prometheus_write(other, fl_buf_slice(&block), &own);
        fl_mem_fail_after(-1);
        fl_prometheus_destroy(other);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
        ck_assert_str_ne(own.message, "");
    }
    ck_assert_uint_eq(r.dump.points, 1);
    fl_buf_dispose(&block);
}
END_TEST

static Suite *write_suite(void)
{
    Suite *suite = suite_create("prometheus/write");
    TCase *cases = tcase_create("write");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, without_metadata_the_name_says_the_kind, 0,
                        sizeof(by_name) / sizeof(by_name[0]));
    tcase_add_loop_test(cases, metadata_of_an_earlier_request_says_the_kind, 0,
                        sizeof(by_type) / sizeof(by_type[0]));
    tcase_add_test(cases, series_that_follow_each_other_share_who_they_are_about);
    tcase_add_test(cases, what_one_reader_is_told_can_be_handed_on_to_another);
    tcase_add_test(cases, samples_that_mean_no_value_are_counted);
    tcase_add_test(cases, labels_may_come_behind_samples_and_zero_may_be_left_out);
    tcase_add_test(cases, a_recorded_request_is_read);
    tcase_add_test(cases, a_series_that_is_wrong_costs_itself);
    tcase_add_loop_test(cases, what_is_broken_is_named_with_its_place, 0,
                        sizeof(broken) / sizeof(broken[0]));
    tcase_add_loop_test(cases, a_content_type_says_whether_it_is_read, 0,
                        sizeof(types) / sizeof(types[0]));
    tcase_add_test(cases, a_body_that_is_no_snappy_block_is_refused_as_a_whole);
    tcase_add_test(cases, strict_ends_at_the_first_refusal);
    tcase_add_test(cases, what_the_sink_says_ends_the_reading);
    tcase_add_test(cases, every_prefix_is_read_as_far_as_it_goes);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(write_suite)
