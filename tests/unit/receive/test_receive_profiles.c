/*
 * Profiles that are sent: what a plain one and an upload of Pyroscope are kept as, and what is
 * refused; requests from many threads.
 */
#include <pthread.h>

#include "receive_case.h"

/* After the recorded profile was taken. */
#define ARRIVAL_NS (RECEIVE_NOW_NS + INT64_C(365) * 86400 * 1000000000)

static receive_case c;
static fl_bytes heap;

/* What the archive keeps: service/instance/type/time/bytes, one a line. */
static fl_buf kept;

static void setup(void)
{
    c = (receive_case){0};
    receive_case_open(&c);
    heap = fl_file_read("tests/fixtures/profiles/go/1.26/label_cardinality/heap-00.pb.gz");
    kept = fl_buf_of(1 << 16);
}

static void teardown(void)
{
    receive_case_close(&c);
    fl_buf_dispose(&kept);
    free(heap.ptr);
}

static fl_status put_profile(void *payload, const fl_archive_profile *who, const char *name,
                             uint64_t size_bytes, fl_error *err)
{
    (void)err;
    ck_assert_ptr_nonnull(name);
    fl_buf_printf(payload, "%.*s/%.*s/%.*s/%" PRId64 "/%" PRIu64 "\n", FL_SLICE_ARG(who->service),
                  FL_SLICE_ARG(who->instance), FL_SLICE_ARG(who->type), who->time_ns, size_bytes);
    return FL_OK;
}

static const char *profiles(void)
{
    fl_error err = {0};
    fl_buf_clear(&kept);
    ck_assert_ok(fl_archive_profiles(c.archive, 0, INT64_MAX, put_profile, &kept, &err));
    return kept.len > 0 ? kept.ptr : "";
}

static unsigned post(const char *path, fl_slice body, const char *const parameters[])
{
    receive_case_request(&c, "POST", path, "application/octet-stream", body);
    c.request.arrival_ns = ARRIVAL_NS;
    for (size_t i = 0; parameters[i] != NULL; i += 2)
        receive_case_parameter(&c, parameters[i], parameters[i + 1]);
    return receive_case_send(&c);
}

#define WITH(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

START_TEST(a_plain_profile_is_kept_under_what_the_query_says)
{
    char wanted[128];
    ck_assert_uint_eq(
        post("/v1/profiles", fl_bytes_slice(heap),
             WITH("service", "cart", "type", "heap", "instance", "cart.0", "time", "1795381600")),
        200);
    ck_assert_str_eq(receive_case_body(&c), "{\"accepted\": 1, \"refused\": 0}\n");
    snprintf(wanted, sizeof(wanted), "cart/cart.0/heap/1795381600000000000/%zu\n", heap.len);
    ck_assert_str_eq(profiles(), wanted);
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_PPROF).profiles, 1);
    ck_assert_uint_eq(c.tapped, 0);
}
END_TEST

START_TEST(its_type_and_time_are_told_by_the_profile_itself)
{
    ck_assert_uint_eq(post("/v1/profiles", fl_bytes_slice(heap), WITH("service", "cart")), 200);
    ck_assert_ptr_nonnull(strstr(profiles(), "cart//heap/"));
    ck_assert_ptr_null(strstr(profiles(), "/0/"));
}
END_TEST

START_TEST(an_upload_of_pyroscope_is_kept_under_its_name_and_labels)
{
    ck_assert_uint_eq(post("/ingest", fl_bytes_slice(heap),
                           WITH("name", "checkout{region=eu,pod=checkout.7}", "from", "1795381633",
                                "until", "1795381635", "spyName", "gospy")),
                      200);
    ck_assert_uint_eq(c.reply.body.len, 0);
    ck_assert_ptr_nonnull(strstr(profiles(), "checkout/checkout.7/heap/1795381633000000000/"));
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_PYROSCOPE).profiles, 1);
}
END_TEST

START_TEST(a_form_holds_the_profile_as_a_part)
{
    static const char head[] = "--b\r\nContent-Disposition: form-data; name=\"profile\"; "
                               "filename=\"p\"\r\n\r\n";
    fl_bytes with_head = fl_joined(BYTES(head), fl_bytes_slice(heap));
    fl_bytes form = fl_joined(fl_bytes_slice(with_head), BYTES("\r\n--b--\r\n"));
    receive_case_request(&c, "POST", "/ingest", "multipart/form-data; boundary=b",
                         fl_bytes_slice(form));
    c.request.arrival_ns = ARRIVAL_NS;
    receive_case_parameter(&c, "name", "cart");
    ck_assert_uint_eq(receive_case_send(&c), 200);
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "/%zu\n", heap.len);
    ck_assert_ptr_nonnull(strstr(profiles(), wanted));
    free(with_head.ptr);
    free(form.ptr);
}
END_TEST

START_TEST(the_same_profile_again_is_kept_once)
{
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(
            post("/ingest", fl_bytes_slice(heap), WITH("name", "cart", "from", "1795381633")), 200);
    ck_assert_uint_eq(fl_archive_stats_of(c.archive).profiles, 1);
}
END_TEST

START_TEST(what_is_no_profile_or_nobody_s_is_refused)
{
    fl_slice good = fl_bytes_slice(heap);
    ck_assert_uint_eq(post("/ingest", BYTES("<html>no</html>"), WITH("name", "cart")), 400);
    ck_assert_uint_eq(post("/ingest", BYTES(""), WITH("name", "cart")), 400);
    ck_assert_uint_eq(post("/ingest", good, WITH("name", "cart", "format", "jfr")), 400);
    ck_assert_str_eq(receive_case_body(&c), "format 'jfr' is not read, pprof is\n");
    char name[202];
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    ck_assert_uint_eq(post("/ingest", good, WITH("name", name)), 400);
    ck_assert_str_eq(receive_case_body(&c),
                     "service, instance and type are longer than 200 letters together\n");
    ck_assert_uint_eq(post("/ingest", good, WITH("name", "cart", "from", "1995381633")), 400);
    ck_assert_str_eq(receive_case_body(&c), "the profile's time is too far ahead of the clock\n");
    ck_assert_uint_eq(post("/v1/profiles", good, WITH("service", "cart", "time", "soon")), 400);
    for (size_t len = 1; len < heap.len; len += heap.len / 13 + 1) {
        fl_bytes part = received_exact(good, len);
        ck_assert_uint_eq(post("/v1/profiles", fl_bytes_slice(part), WITH("service", "cart")), 400);
        free(part.ptr);
    }
    ck_assert_str_eq(profiles(), "");
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_PYROSCOPE).lost[FL_RECEIVE_LOST_AHEAD], 0);
}
END_TEST

START_TEST(a_full_disk_refuses_a_profile_for_now)
{
    c.disk->capacity = 1;
    ck_assert_uint_eq(post("/ingest", fl_bytes_slice(heap), WITH("name", "cart")), 503);
    ck_assert_uint_eq(c.reply.retry_after_s, 5);
    c.disk->capacity = UINT64_MAX;
    ck_assert_uint_eq(post("/ingest", fl_bytes_slice(heap), WITH("name", "cart")), 200);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 6, ROUNDS = 40 };

static void *send_many(void *payload)
{
    size_t count, accepted = 0;
    const fl_http_route *routes = fl_receive_routes(c.receive, &count);
    unsigned number = *(const unsigned *)payload;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"%lld\","
                 "\"body\":{\"stringValue\":\"%u of %u\"}}]}]}]}",
                 (long long)RECEIVE_NOW_NS, i, number);
        fl_http_request request = {.method = "POST",
                                   .path = "/v1/logs",
                                   .body = SLICE(body),
                                   .content_type = "application/json",
                                   .client = "127.0.0.1",
                                   .arrival_ns = RECEIVE_NOW_NS};
        fl_http_reply reply;
        fl_http_reply_init(&reply);
        for (size_t k = 0; k < count; k++)
            if (strcmp(routes[k].path, request.path) == 0)
                routes[k].run(routes[k].context, &request, &reply);
        accepted += reply.status == 200;
        fl_http_reply_dispose(&reply);
    }
    return accepted == ROUNDS ? payload : NULL;
}

START_TEST(requests_of_many_threads_are_all_kept)
{
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        ck_assert_ptr_eq(result, &numbers[i]);
    }
    fl_receive_counts counts = receive_case_counts(&c, FL_RECEIVE_OTLP_LOGS);
    ck_assert_uint_eq(counts.requests, THREADS * ROUNDS);
    ck_assert_uint_eq(counts.records[FL_ARCHIVE_LOG], THREADS * ROUNDS);
    ck_assert_uint_eq(receive_case_records(&c), THREADS * ROUNDS);
    ck_assert_uint_eq(c.tapped, THREADS * ROUNDS);
}
END_TEST

static Suite *receive_profiles_suite(void)
{
    Suite *suite = suite_create("receive_profiles");
    TCase *cases = tcase_create("receive_profiles");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_plain_profile_is_kept_under_what_the_query_says);
    tcase_add_test(cases, its_type_and_time_are_told_by_the_profile_itself);
    tcase_add_test(cases, an_upload_of_pyroscope_is_kept_under_its_name_and_labels);
    tcase_add_test(cases, a_form_holds_the_profile_as_a_part);
    tcase_add_test(cases, the_same_profile_again_is_kept_once);
    tcase_add_test(cases, what_is_no_profile_or_nobody_s_is_refused);
    tcase_add_test(cases, a_full_disk_refuses_a_profile_for_now);
    tcase_add_test(cases, requests_of_many_threads_are_all_kept);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(receive_profiles_suite)
