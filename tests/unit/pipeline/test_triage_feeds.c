/* Records that a callback pushes, in the place of files or beside them. */
#include "faultline/triage.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "made_incident.h"
#include "otlp.h"
#include "slice.h"

static fl_folder folder;
static fl_error err;
static fl_buf text;
static fl_triage *triage;
static fl_triage_request request;

static void setup(void)
{
    fl_folder_open(&folder);
    err = (fl_error){0};
    text = fl_buf_of(256u << 20);
    triage = NULL;
    request = (fl_triage_request){.at_ns = MADE_INCIDENT_AT};
}

static void teardown(void)
{
    fl_triage_destroy(triage);
    fl_buf_dispose(&text);
    fl_folder_remove(&folder);
}

static const fl_incident *run(void)
{
    fl_triage_destroy(triage);
    triage = NULL;
    ck_assert_ok(fl_triage_run(&triage, &request, &err));
    return fl_triage_incident(triage);
}

/* All of `payload`, a buffer with one request a line. */
static fl_status push(void *payload, const fl_sink *sink, fl_error *error)
{
    fl_otlp *otlp;
    fl_status status = fl_otlp_create(&otlp, sink, error);
    fl_slice rest = fl_buf_slice(payload);
    while (status == FL_OK && rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - (const char *)rest.ptr) : rest.len;
        fl_slice line = {.ptr = rest.ptr, .len = len};
        status = fl_otlp_json(otlp, line, "feed", 1, 0, error);
        size_t used = len + (end != NULL);
        rest = (fl_slice){.ptr = rest.ptr + used, .len = rest.len - used};
    }
    fl_otlp_destroy(otlp);
    return status;
}

static fl_status push_and_break(void *payload, const fl_sink *sink, fl_error *error)
{
    fl_status status = push(payload, sink, error);
    return status == FL_OK ? fl_fail(error, FL_E_IO, FL_NO_OFFSET, "the source went away") : status;
}

static fl_status run_out(void *payload, const fl_sink *sink, fl_error *error)
{
    (void)payload;
    (void)sink;
    return fl_fail(error, FL_E_LIMIT, FL_NO_OFFSET, "too much");
}

/* A shop calls two services; `ahead_ns` is what the second one's clock is ahead. */
static fl_status push_calls(void *payload, const fl_sink *sink, fl_error *error)
{
    static const char *const services[] = {"shop", "base", "cart"};
    const int64_t *ahead_ns = payload;
    uint32_t handles[3];
    fl_status status = FL_OK;
    for (size_t i = 0; i < 3 && status == FL_OK; i++) {
        fl_resource resource = {.service = fl_slice_of(services[i]),
                                .instance = fl_slice_of(i == 2 ? "cart-0" : "")};
        status = sink->resource(sink->payload, &resource, &handles[i], error);
    }
    for (uint64_t i = 0; i < 60 && status == FL_OK; i++) {
        uint32_t callee = i % 3 == 0 ? 2 : 1;
        int64_t at_ns = MADE_INCIDENT_AT - 60000000000 + (int64_t)i * 1000000000;
        fl_span client = {.trace = {.lo = i + 1},
                          .id = 2 * i + 1,
                          .name = FL_SLICE("call"),
                          .kind = FL_SPAN_CLIENT,
                          .start_ns = at_ns,
                          .end_ns = at_ns + 12000000};
        fl_span server = client;
        server.id = 2 * i + 2;
        server.parent = client.id;
        server.kind = FL_SPAN_SERVER;
        server.start_ns += 1000000 + (callee == 2 ? *ahead_ns : 0);
        server.end_ns += -1000000 + (callee == 2 ? *ahead_ns : 0);
        status = sink->span(sink->payload, handles[0], &client, error);
        if (status == FL_OK)
            status = sink->span(sink->payload, handles[callee], &server, error);
    }
    return status;
}

START_TEST(a_clock_that_differs_is_said_with_its_error)
{
    int64_t ahead_ns = INT64_C(-2300000000);
    fl_triage_feed feed = {.read = push_calls, .payload = &ahead_ns};
    request.feeds = &feed;
    request.feed_count = 1;
    const fl_incident *incident = run();
    ck_assert_uint_eq(1, incident->clock_count);
    ck_assert_str_eq("cart", incident->clocks[0].service);
    ck_assert_str_eq("cart-0", incident->clocks[0].instance);
    ck_assert_int_eq(ahead_ns, incident->clocks[0].offset_ns);
    ck_assert_int_eq(1000000, incident->clocks[0].error_ns);
    ck_assert_uint_eq(20, incident->clocks[0].calls);
    bool is_said = false;
    for (size_t i = 0; i < incident->warning_count; i++)
        is_said |= strcmp(incident->warnings[i],
                          "the clock of cart (cart-0) is 2300.0 ms behind those of most (within "
                          "1.0 ms, by 20 calls): its times were put right") == 0;
    ck_assert(is_said);
    ahead_ns = 0;
    incident = run();
    ck_assert_uint_eq(0, incident->clock_count);
    for (size_t i = 0; i < incident->warning_count; i++)
        ck_assert_ptr_null(strstr(incident->warnings[i], "clock"));
}
END_TEST

START_TEST(a_feed_answers_as_the_file_with_the_same_records)
{
    made_incident(&text, 10, 12, MADE_ALL);
    const char *path = fl_folder_write(&folder, "good.jsonl", fl_buf_slice(&text));
    request.otlp = &path;
    request.otlp_count = 1;
    char id[128];
    snprintf(id, sizeof(id), "%s", run()->id);
    made_incident(&text, 10, 12, MADE_ALL);
    fl_triage_feed feed = {.read = push, .payload = &text};
    request.otlp_count = 0;
    request.feeds = &feed;
    request.feed_count = 1;
    const fl_incident *incident = run();
    ck_assert_str_eq(incident->id, id); /* a hash of what was found, too */
    ck_assert_str_eq(incident->hypotheses[0].service, "bank");
    ck_assert_uint_eq(incident->rejected_records, 0);
    ck_assert(incident->missing[FL_MODALITY_CHANGES]);
    feed.tells_changes = true;
    ck_assert(!run()->missing[FL_MODALITY_CHANGES]);
}
END_TEST

START_TEST(a_feed_that_breaks_costs_itself_unless_strict)
{
    made_incident(&text, 10, 12, MADE_ALL);
    fl_triage_feed feed = {.read = push_and_break, .payload = &text};
    request.feeds = &feed;
    request.feed_count = 1;
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->warning_count, 1);
    ck_assert_str_eq(incident->warnings[0], "the source went away");
    ck_assert_uint_eq(incident->rejected_records, 1);
    ck_assert_str_eq(incident->hypotheses[0].service, "bank");
    request.strict = true;
    fl_triage *none;
    ck_assert_fails(FL_E_IO, fl_triage_run(&none, &request, &err));
    ck_assert_str_eq(err.message, "the source went away");
}
END_TEST

START_TEST(any_other_failure_of_a_feed_ends_the_triage)
{
    fl_triage_feed feed = {.read = run_out};
    fl_triage *none;
    request.feeds = &feed;
    request.feed_count = 1;
    ck_assert_fails(FL_E_LIMIT, fl_triage_run(&none, &request, &err));
    ck_assert_str_eq(err.message, "too much");
    ck_assert_ptr_null(none);
}
END_TEST

static Suite *triage_feeds_suite(void)
{
    Suite *suite = suite_create("pipeline/triage_feeds");
    TCase *cases = tcase_create("triage_feeds");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_clock_that_differs_is_said_with_its_error);
    tcase_add_test(cases, a_feed_answers_as_the_file_with_the_same_records);
    tcase_add_test(cases, a_feed_that_breaks_costs_itself_unless_strict);
    tcase_add_test(cases, any_other_failure_of_a_feed_ends_the_triage);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(triage_feeds_suite)
