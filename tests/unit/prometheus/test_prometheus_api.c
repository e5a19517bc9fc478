/*
 * Answers of Prometheus' HTTP API and lines of an export: recorded ones, each shape, what is
 * refused and where reading goes on.
 */
#include "prometheus.h"

#include "received.h"

static received r;
static fl_error err;
static fl_prometheus *p;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
    ck_assert_ok(fl_prometheus_create(&p, &r.to, &err));
    fl_prometheus_set_name(p, SLICE("named"));
}

static void teardown(void)
{
    received_dispose(&r);
    fl_prometheus_destroy(p);
}

#define OK(data)  "{\"status\":\"success\",\"data\":" data "}"
#define MATRIX(s) OK("{\"resultType\":\"matrix\",\"result\":[" s "]}")
#define UP        "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[[1,\"1\"],[2.5,\"0.5\"]]}"
#define WHO       "resource 0 service=a instance= node= job=\"a\"\n"
#define READ_UP(n)                                                                                 \
    "gauge of " n ": up [] 0..1000000000 value 1\ngauge of " n ": up [] 0..2500000000 value 0.5\n"
#define NOBODY "resource 0 service= instance= node=\n"

/* clang-format off */
static const struct {
    const char *text, *read;
} good[] = {
    {MATRIX(""), ""},
    {"\xef\xbb\xbf \n" MATRIX(""), ""},
    {MATRIX(UP), WHO READ_UP("0")},
    {MATRIX("{\"values\":[[1,\"1\"],[2.5,\"0.5\"]],\"metric\":{\"__name__\":\"up\",\"job\":\"a\"}}"), WHO READ_UP("0")},
    {"{\"data\":{\"result\":[" UP "],\"resultType\":\"matrix\"},\"status\":\"success\"}", WHO READ_UP("0")},
    {OK("{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"value\":[1,\"7\"]}]}"), WHO "gauge of 0: up [] 0..1000000000 value 7\n"},
    {OK("{\"resultType\":\"vector\",\"result\":[{\"value\":[1,\"7\"],\"metric\":{\"__name__\":\"up\",\"job\":\"a\"}}]}"), WHO "gauge of 0: up [] 0..1000000000 value 7\n"},
    {OK("{\"resultType\":\"scalar\",\"result\":[1.001,\"7\"]}"), NOBODY "gauge of 0: named [] 0..1001000000 value 7\n"},
    {MATRIX("{\"metric\":{\"code\":\"5\\u0030\"},\"values\":[[1,\"1e3\"]]}"), NOBODY "gauge of 0: named [] 0..1000000000 value 1000 code=\"50\"\n"},
    {MATRIX("{\"metric\":{},\"values\":[[1,\"NaN\"],[2,\"+Inf\"],[3,\"-Inf\"],[4,\"Inf\"],[5,\"5\"]]}"), NOBODY "gauge of 0: named [] 0..5000000000 value 5\n"},
    {MATRIX("{\"metric\":{\"__name__\":\"d_bucket\",\"le\":\"1\"},\"values\":[[1,\"1\"]],\"histograms\":[[1,{}]]}"), NOBODY "part of 0: d [] 0..1000000000 below 1 value 1\n"},
    {OK("{\"up\":[{\"type\":\"counter\",\"help\":\"\",\"unit\":\"\"},{\"type\":\"gauge\"}],\"x\":[]}"), ""},
    {OK("[{\"__name__\":\"up\"}]"), ""},
    {OK("[\"a\"]"), ""},
    {OK("null"), ""},
    {"{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[1,0.5],\"timestamps\":[1000,2500]}\n", WHO READ_UP("0")},
    {"{\"metric\":{\"__name__\":\"up\"},\"values\":[null,1],\"timestamps\":[1000,2000]}\n{\"metric\":{\"__name__\":\"up\"},\"values\":[],\"timestamps\":[]}", NOBODY "gauge of 0: up [] 0..2000000000 value 1\nresource 1 service= instance= node=\n"},
};

static const struct {
    const char *text, *read;
} bad[] = {
    {MATRIX("{\"values\":[[1,\"1\"]]}," UP), "reject line 1 byte 60 records 1: a series without 'metric'\n" WHO READ_UP("0")},
    {MATRIX("{\"metric\":{\"__name__\":\"up\"},\"values\":[[1,\"one\"]]}," UP), NOBODY "reject line 1 byte 101 records 1: expected a number, found \"one\"\nresource 1 service=a instance= node= job=\"a\"\n" READ_UP("1")},
    {MATRIX("{\"metric\":{\"__name__\":\"up\"},\"values\":[[-1,\"1\"]]}"), NOBODY "reject line 1 byte 99 records 1: a sample's time is not between the years 1970 and 2262\n"},
    {MATRIX("{\"metric\":{\"__name__\":\"up\"},\"values\":[[1e99,\"1\"]]}"), NOBODY "reject line 1 byte 99 records 1: a sample's time is not between the years 1970 and 2262\n"},
    {MATRIX("{\"metric\":{\"__name__\":\"up\"},\"values\":[[1]]}"), NOBODY "reject line 1 byte 98 records 1: a sample is not [seconds, value]\n"},
    {MATRIX("{\"metric\":{\"__name__\":\"up\"},\"values\":[[1,\"1\",2]]}"), NOBODY "reject line 1 byte 98 records 1: a sample is not [seconds, value]\n"},
    {MATRIX("{\"metric\":{\"__name__\":\"up\"},\"values\":7}"), NOBODY "reject line 1 byte 97 records 1: expected an array, found a number\n"},
    {MATRIX("{\"metric\":[],\"value\":[1,\"1\"]}"), "reject line 1 byte 70 records 1: expected an object, found an array\n"},
    {MATRIX("{\"metric\":{\"a\":1},\"value\":[1,\"1\"]}"), "reject line 1 byte 75 records 1: expected a string, found a number\n"},
    {MATRIX("7," UP), NOBODY "reject line 1 byte 62 records 1: expected a number, found an object\n"},
    {MATRIX(UP) " x", WHO READ_UP("0") "reject line 1 byte 133 records 1: expected the end of the input, found 'x'\n"},
    {"{\"status\":\"success\",\n\"data\":{\"result\":[" UP ",{]}}", WHO READ_UP("0") "reject line 2 byte 110 records 1: expected a key or '}'\n"},
    {"{\"metric\":{\"__name__\":\"up\"},\"values\":[1,2],\"timestamps\":[1000]}\n", NOBODY "gauge of 0: up [] 0..1000000000 value 1\nreject line 1 byte 56 records 1: not as many timestamps as values\n"},
    {"{\"metric\":{\"__name__\":\"up\"},\"values\":[1],\"timestamps\":[-5]}\n", NOBODY "reject line 1 byte 57 records 1: a sample's time is not between the years 1970 and 2262\n"},
    {"{\"metric\":{}\n{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[[1,\"1\"],[2.5,\"0.5\"]]}", NOBODY "reject line 2 byte 13 records 1: expected ',' or '}' after a member\nresource 1 service=a instance= node= job=\"a\"\n" READ_UP("1")},
    {"{\"metric\":{}}\nnonsense\n{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[[1,\"1\"],[2.5,\"0.5\"]]}", NOBODY "reject line 2 byte 14 records 1: expected an object, found null\nresource 1 service=a instance= node= job=\"a\"\n" READ_UP("1")},
};

static const struct {
    const char *text;
    fl_status status;
    const char *message;
} refused[] = {
    {"", FL_E_UNSUPPORTED, "test holds no answer of Prometheus"},
    {"[]", FL_E_UNSUPPORTED, "test holds no answer of Prometheus"},
    {"{}", FL_E_UNSUPPORTED, "test holds no answer of Prometheus"},
    {"{\"resourceSpans\":[]}", FL_E_UNSUPPORTED, "test holds no answer of Prometheus"},
    {"{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out\"}", FL_E_IO, "test: the server answered timeout: query timed out"},
    {"{\"errorType\":\"\\u0074imeout\",\"error\":\"a \\\"b\\\"\",\"data\":{\"result\":[" UP "]},\"status\":\"error\"}", FL_E_IO, "test: the server answered timeout: a \"b\""},
};
/* clang-format on */

START_TEST(each_shape_of_an_answer_is_read)
{
    ck_assert_ok(fl_prometheus_answer(p, SLICE(good[_i].text), &err));
    ck_assert_str_eq(received_text(&r), good[_i].read);
}
END_TEST

START_TEST(what_is_wrong_costs_itself_and_is_named)
{
    ck_assert_ok(fl_prometheus_answer(p, SLICE(bad[_i].text), &err));
    ck_assert_str_eq(received_text(&r), bad[_i].read);
}
END_TEST

START_TEST(what_is_no_answer_or_says_an_error_fails)
{
    ck_assert_fails(refused[_i].status, fl_prometheus_answer(p, SLICE(refused[_i].text), &err));
    ck_assert_str_eq(err.message, refused[_i].message);
}
END_TEST

START_TEST(a_recorded_matrix_is_read)
{
    fl_bytes body = received_fixture("prom_query_range.json");
    ck_assert_ok(fl_prometheus_answer(p, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(r.dump.resources, 3);
    ck_assert_uint_eq(r.dump.points, 25 + 25 + 10);
    ck_assert_uint_eq(r.dump.rejects, 0);
    ck_assert_ptr_nonnull(strstr(received_text(&r),
                                 "gauge of 1: named [] 0..1795379340000000000 value "
                                 "0.49993966245453136 code=\"200\" handler=\"/metrics\"\n"));
    free(body.ptr);
}
END_TEST

START_TEST(recorded_types_are_kept_for_what_follows)
{
    fl_bytes body = received_fixture("prom_metadata.json");
    ck_assert_ok(fl_prometheus_answer(p, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(fl_prometheus_counts_of(p)->metadata, 5);
    ck_assert_uint_eq(r.dump.points, 0);
    ck_assert_ok(fl_prometheus_answer(
        p,
        SLICE(MATRIX("{\"metric\":{\"__name__\":\"prometheus_tsdb_head_gc_duration_seconds_sum\"},"
                     "\"values\":[[1,\"1\"]]}")),
        &err));
    ck_assert_ptr_nonnull(strstr(received_text(&r), "sum 0 value 1"));
    free(body.ptr);
}
END_TEST

START_TEST(a_recorded_error_is_told)
{
    fl_bytes body = received_fixture("prom_error.json");
    ck_assert_fails(FL_E_IO, fl_prometheus_answer(p, fl_bytes_slice(body), &err));
    ck_assert_str_eq(err.message,
                     "test: the server answered bad_data: invalid parameter \"start\": "
                     "cannot parse \"\" to a valid timestamp");
    free(body.ptr);
}
END_TEST

START_TEST(a_recorded_export_is_read)
{
    fl_bytes body = received_fixture("victoriametrics_export.ndjson");
    ck_assert_ok(fl_prometheus_answer(p, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(r.dump.rejects, 0);
    ck_assert_uint_eq(r.dump.points, fl_prometheus_counts_of(p)->samples);
    ck_assert_ptr_nonnull(strstr(received_text(&r),
                                 "gauge of 0: up [] 0..1795379164207000000 value 1 "
                                 "cluster=\"eco\"\n"));
    free(body.ptr);
}
END_TEST

START_TEST(warnings_are_counted)
{
    ck_assert_ok(fl_prometheus_answer(
        p, SLICE("{\"status\":\"success\",\"warnings\":[\"a\",\"b\"],\"data\":{\"result\":[]}}"),
        &err));
    ck_assert_uint_eq(fl_prometheus_counts_of(p)->warnings, 2);
}
END_TEST

START_TEST(a_series_without_a_name_wants_one)
{
    fl_prometheus_set_name(p, SLICE(""));
    ck_assert_ok(
        fl_prometheus_answer(p, SLICE(MATRIX("{\"metric\":{},\"values\":[[1,\"1\"]]}," UP)), &err));
    ck_assert_str_eq(received_text(&r), "reject line 1 byte 70 records 1: a series without "
                                        "__name__\n" WHO READ_UP("0"));
    ck_assert_uint_eq(fl_prometheus_rejects(p), 1);
}
END_TEST

START_TEST(every_prefix_fails_or_is_read_as_far_as_it_goes)
{
    const char *texts[] = {MATRIX(UP "," UP),
                           "{\"metric\":{\"__name__\":\"up\"},\"values\":[1],\"timestamps\":[1]}"};
    for (size_t t = 0; t < 2; t++)
        for (size_t len = 0; len < strlen(texts[t]); len++) {
            fl_bytes part = received_exact(SLICE(texts[t]), len);
            fl_error own = {0};
            received_clear(&r);
            fl_status status = fl_prometheus_answer(p, fl_bytes_slice(part), &own);
            ck_assert(status == FL_E_UNSUPPORTED || (status == FL_OK && r.dump.rejects == 1));
            free(part.ptr);
        }
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *text =
        "{\"status\":\"success\",\"data\":{\"result\":[{\"metric\":{\"__name__\":"
        "\"\\u0075p\"},\"values\":[[1,\"1\"]]}],\"up\":[{\"type\":\"gauge\",\"unit\":"
        "\"s\"}]}}";
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        fl_prometheus *other = NULL;
        ck_assert_int_lt(after, 100);
        received_clear(&r);
        fl_mem_fail_after(after);
        fl_status status = fl_prometheus_create(&other, &r.to, &own);
        if (status == FL_OK)
            status = fl_prometheus_answer(other, SLICE(text), &own);
        fl_mem_fail_after(-1);
        fl_prometheus_destroy(other);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_uint_eq(r.dump.points, 1);
}
END_TEST

static Suite *api_suite(void)
{
    Suite *suite = suite_create("prometheus/api");
    TCase *cases = tcase_create("api");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_shape_of_an_answer_is_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_costs_itself_and_is_named, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, what_is_no_answer_or_says_an_error_fails, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(cases, a_recorded_matrix_is_read);
    tcase_add_test(cases, recorded_types_are_kept_for_what_follows);
    tcase_add_test(cases, a_recorded_error_is_told);
    tcase_add_test(cases, a_recorded_export_is_read);
    tcase_add_test(cases, warnings_are_counted);
    tcase_add_test(cases, a_series_without_a_name_wants_one);
    tcase_add_test(cases, every_prefix_fails_or_is_read_as_far_as_it_goes);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(api_suite)
