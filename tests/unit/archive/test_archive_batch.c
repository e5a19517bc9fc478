#include "archive.h"

#include "batch_priv.h"
#include "block_text.h"
#include "faultline/limits.h"
#include "fl_test.h"
#include "made_records.h"
#include "mem.h"
#include "otlp.h"

static fl_error err;
static fl_archive_batch *batch;
static fl_batch_reader *reader;

static void set_up(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_archive_batch_create(&batch, &err));
    ck_assert_ok(fl_batch_reader_create(&reader, &err));
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_archive_batch_destroy(batch);
    fl_batch_reader_destroy(reader);
}

/* The dump, but for rejects, is what the batch tells; disposes of it. */
static void check_same(otlp_dump *direct)
{
    otlp_dump back;
    fl_sink sink = block_text_sink(&back);
    ck_assert_ok(fl_archive_batch_replay(batch, &sink, &err));
    ck_assert_uint_gt(back.text.len, 0);
    ck_assert_str_eq(back.text.ptr, direct->text.ptr);
    fl_buf_dispose(&direct->text);
    fl_buf_dispose(&back.text);
}

START_TEST(rare_records_come_back_in_their_order)
{
    otlp_dump direct;
    fl_sink sink = block_text_sink(&direct);
    made_records_push(&sink);
    made_records_push(fl_archive_batch_sink(batch));
    ck_assert_uint_eq(fl_archive_batch_records(batch), 9);
    ck_assert_uint_eq(fl_archive_batch_count(batch, FL_ARCHIVE_POINT), 4);
    ck_assert_uint_eq(fl_archive_batch_rejected(batch), 0);
    ck_assert_ptr_null(fl_archive_batch_reason(batch, 0));
    check_same(&direct);
}
END_TEST

START_TEST(genuine_records_come_back)
{
    static const char *const files[] = {"logs.json",   "metrics.json",   "traces.json",
                                        "logs_sdk.pb", "metrics_sdk.pb", "traces_sdk.pb"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        otlp_dump direct;
        const fl_sink dumping = block_text_sink(&direct);
        const fl_sink *const sinks[] = {&dumping, fl_archive_batch_sink(batch)};
        fl_archive_batch_clear(batch);
        snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/otlp/%s", files[i]);
        for (size_t s = 0; s < 2; s++) {
            fl_otlp *otlp;
            ck_assert_ok(fl_otlp_create(&otlp, sinks[s], &err));
            ck_assert_ok(fl_otlp_file(otlp, path, &err));
            fl_otlp_destroy(otlp);
        }
        ck_assert_uint_eq(fl_archive_batch_records(batch),
                          direct.spans + direct.logs + direct.points);
        check_same(&direct);
    }
}
END_TEST

START_TEST(the_same_records_have_the_same_bytes)
{
    fl_archive_batch *other;
    ck_assert_ok(fl_archive_batch_create(&other, &err));
    made_records_push(fl_archive_batch_sink(other));
    fl_archive_batch_clear(other);
    made_records_push(fl_archive_batch_sink(other));
    made_records_push(fl_archive_batch_sink(batch));
    ck_assert(fl_slice_equal(fl_batch_bytes(batch), fl_batch_bytes(other)));
    fl_archive_batch_destroy(other);
}
END_TEST

START_TEST(rejects_are_counted_and_the_first_are_told)
{
    const fl_sink *sink = fl_archive_batch_sink(batch);
    char reason[] = "line 0 is none";
    for (unsigned i = 0; i < 5; i++) {
        const fl_reject reject = {.reason = reason, .records = i + 1};
        reason[5] = (char)('0' + i);
        ck_assert_ok(sink->reject(sink->payload, &reject, &err));
    }
    ck_assert_uint_eq(fl_archive_batch_rejected(batch), 1 + 2 + 3 + 4 + 5);
    ck_assert_str_eq(fl_archive_batch_reason(batch, 0), "line 0 is none");
    ck_assert_str_eq(fl_archive_batch_reason(batch, 2), "line 2 is none");
    ck_assert_ptr_null(fl_archive_batch_reason(batch, 3));
    fl_archive_batch_clear(batch);
    ck_assert_uint_eq(fl_archive_batch_rejected(batch), 0);
    ck_assert_ptr_null(fl_archive_batch_reason(batch, 0));
}
END_TEST

START_TEST(a_record_that_nobody_could_read_costs_itself)
{
    static const fl_attr attrs[FL_MAX_ATTRS_PER_RECORD + 1];
    static const uint64_t counts[FL_MAX_BUCKETS_PER_POINT + 1];
    static const fl_span_event events[FL_MAX_EVENTS_PER_SPAN + 1];
    const fl_sink *sink = fl_archive_batch_sink(batch);
    uint32_t handle;
    ck_assert_ok(sink->resource(sink->payload, &(fl_resource){0}, &handle, &err));
    const fl_log log = {.attrs = {attrs, FL_MAX_ATTRS_PER_RECORD + 1}};
    ck_assert_ok(sink->log(sink->payload, handle, &log, &err));
    const fl_span span = {.id = 1, .events = events, .event_count = FL_MAX_EVENTS_PER_SPAN + 1};
    ck_assert_ok(sink->span(sink->payload, handle, &span, &err));
    const fl_point point = {.kind = FL_POINT_EXP_HISTOGRAM,
                            .counts = counts,
                            .bucket_count = FL_MAX_BUCKETS_PER_POINT + 1};
    ck_assert_ok(sink->point(sink->payload, handle, &point, &err));
    const fl_alert_record alert = {.labels = log.attrs};
    ck_assert_ok(sink->alert(sink->payload, &alert, &err));
    ck_assert_uint_eq(fl_archive_batch_records(batch), 0);
    ck_assert_uint_eq(fl_archive_batch_rejected(batch), 4);
    ck_assert_str_eq(fl_archive_batch_reason(batch, 0),
                     "a record has more attributes than are kept");
    ck_assert_str_eq(fl_archive_batch_reason(batch, 2), "a point has more buckets than are kept");
}
END_TEST

START_TEST(a_request_above_the_log_s_ceiling_is_refused)
{
    static unsigned char body[1 << 20];
    const fl_sink *sink = fl_archive_batch_sink(batch);
    const fl_log log = {.body = {body, sizeof(body)}};
    uint32_t handle;
    fl_status status = sink->resource(sink->payload, &(fl_resource){0}, &handle, &err);
    for (int i = 0; i < 100 && status == FL_OK; i++)
        status = sink->log(sink->payload, handle, &log, &err);
    ck_assert_fails(FL_E_LIMIT, status);
    ck_assert_str_eq(err.message, "the records of one request are above 67112960 bytes");
    ck_assert_uint_eq(fl_archive_batch_records(batch), 64);
    fl_archive_batch_clear(batch);
    err = (fl_error){0};
    ck_assert_ok(sink->resource(sink->payload, &(fl_resource){0}, &handle, &err));
    ck_assert_ok(sink->log(sink->payload, handle, &log, &err));
}
END_TEST

static fl_status read_bytes(fl_slice bytes)
{
    fl_batch_facts facts;
    const fl_sink sink = fl_batch_facts_sink(&facts);
    fl_batch_facts_clear(&facts);
    err = (fl_error){0};
    return fl_batch_read(reader, bytes, &sink, &err);
}

#define RESOURCE  "\1R\0\0\0\0"
#define EIGHT     "\0\0\0\0\0\0\0\0"
#define SERIES(k) "\x0f\0\0" k "\0\0\0" EIGHT "\0" /* with its length */
#define NUMBER(k) "N\0\0\0" SERIES(k) "\0\0" EIGHT

START_TEST(malformed_bytes_are_refused_at_their_place)
{
    static const struct {
        fl_slice bytes;
        fl_status status;
        uint64_t offset;
        const char *message;
    } cases[] = {
        {BYTES_INIT(""), FL_E_TRUNCATED, 0, "a batch ends inside an item"},
        {BYTES_INIT("\2"), FL_E_UNSUPPORTED, 0, "a batch of version 2, this program reads 1"},
        {BYTES_INIT("\1X"), FL_E_SYNTAX, 1, "an item of a batch: it is of an unknown kind"},
        {BYTES_INIT("\1R\0\0"), FL_E_TRUNCATED, 4, "a batch ends inside an item"},
        {BYTES_INIT("\1R\0\0\0\x81\x08"), FL_E_SYNTAX, 1,
         "an item of a batch: it has too many attributes"},
        {BYTES_INIT("\1R\0\0\0\1\0\7"), FL_E_SYNTAX, 1,
         "an item of a batch: an attribute is of an unknown kind"},
        {BYTES_INIT("\1L\0"), FL_E_SYNTAX, 1, "an item of a batch: its resource is unknown"},
        {BYTES_INIT(RESOURCE "S\0" EIGHT EIGHT EIGHT EIGHT EIGHT "\0\0\0\0\0\0"), FL_E_SYNTAX, 6,
         "an item of a batch: a span without an id, or that ends before it begins"},
        {BYTES_INIT(RESOURCE "S\0" EIGHT EIGHT "\0\0\0\0\0\0\0\1" EIGHT EIGHT "\0\6\0\0\0\0"),
         FL_E_SYNTAX, 6, "an item of a batch: a span of an unknown kind"},
        {BYTES_INIT(RESOURCE "S\0" EIGHT EIGHT "\0\0\0\0\0\0\0\1" EIGHT EIGHT "\0\0\0\0\0\x81\x08"),
         FL_E_SYNTAX, 6, "an item of a batch: a span has too many events"},
        {BYTES_INIT(RESOURCE NUMBER("\6")), FL_E_SYNTAX, 6,
         "an item of a batch: a point of an unknown kind"},
        {BYTES_INIT(RESOURCE NUMBER("\2")), FL_E_SYNTAX, 6,
         "an item of a batch: a number that is a histogram"},
        {BYTES_INIT(RESOURCE "N\0\1\0\0"), FL_E_SYNTAX, 6,
         "an item of a batch: it has more of the series before than there is"},
        {BYTES_INIT(RESOURCE "N\0\0\1\0"), FL_E_SYNTAX, 6,
         "an item of a batch: it has more of the series before than there is"},
        {BYTES_INIT(RESOURCE "N\0\0\0\1\0\0\0" EIGHT), FL_E_SYNTAX, 6,
         "an item of a batch: a series ends too early"},
        {BYTES_INIT(RESOURCE NUMBER("\0") "N\0\x0f\0\1\0\0\0" EIGHT), FL_E_SYNTAX, 36,
         "an item of a batch: a series has more than belongs to it"},
        {BYTES_INIT("\1C" EIGHT "\4\0\0\0\0\0\0"), FL_E_SYNTAX, 1,
         "an item of a batch: a change of an unknown kind"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fl_status status = read_bytes(cases[i].bytes);
        ck_assert_msg(status == cases[i].status && err.offset == cases[i].offset &&
                          strcmp(err.message, cases[i].message) == 0,
                      "case %zu: %s at %llu: %s", i, fl_status_name(status),
                      (unsigned long long)err.offset, err.message);
    }
}
END_TEST

START_TEST(histograms_that_do_not_fit_are_refused)
{
    static const char head[] = RESOURCE "H\0\0\0" SERIES("\2") "\0\0\0" EIGHT EIGHT EIGHT "\0\0\0";
    static const struct {
        fl_slice tail;
        const char kind;
        const char *message;
    } cases[] = {
        {BYTES_INIT("\0\0\2\1\1"), FL_POINT_HISTOGRAM,
         "an item of a batch: a histogram's buckets do not fit its bounds"},
        {BYTES_INIT("\1" EIGHT "\0\0"), FL_POINT_SUMMARY,
         "an item of a batch: a summary's values do not fit its quantiles"},
        {BYTES_INIT("\0\0\0"), FL_POINT_GAUGE, "an item of a batch: a histogram that is a number"},
        {BYTES_INIT("\x81\x20"), FL_POINT_HISTOGRAM,
         "an item of a batch: a point has too many bounds"},
        {BYTES_INIT("\0\0\x81\x20"), FL_POINT_HISTOGRAM,
         "an item of a batch: a point has too many buckets"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char bytes[256];
        memcpy(bytes, head, sizeof(head) - 1);
        bytes[sizeof(RESOURCE) - 1 + 4 + 3] = (unsigned char)cases[i].kind;
        memcpy(bytes + sizeof(head) - 1, cases[i].tail.ptr, cases[i].tail.len);
        ck_assert_fails(FL_E_SYNTAX,
                        read_bytes((fl_slice){bytes, sizeof(head) - 1 + cases[i].tail.len}));
        ck_assert_str_eq(err.message, cases[i].message);
        ck_assert_uint_eq(err.offset, 6);
    }
}
END_TEST

/* Series like their neighbours, and too long to be remembered, between each other. */
START_TEST(series_come_back_whatever_stands_before_them)
{
    static unsigned char text[2 * BATCH_SHARED_BYTES];
    static const size_t lengths[] = {3, 3, 4000, 4060, 4061, 4070, 4096, 4100, 8000, 20, 0, 3};
    otlp_dump direct;
    fl_sink dumping = block_text_sink(&direct);
    const fl_sink *const sinks[] = {&dumping, fl_archive_batch_sink(batch)};
    memset(text, 'x', sizeof(text));
    for (size_t s = 0; s < 2; s++) {
        uint32_t handle;
        ck_assert_ok(sinks[s]->resource(sinks[s]->payload, &(fl_resource){0}, &handle, &err));
        for (size_t i = 0; i < 3 * sizeof(lengths) / sizeof(lengths[0]); i++) {
            const fl_attr attr = {SLICE("k"),
                                  {.kind = FL_VALUE_STRING, .text = {text, lengths[i / 3]}}};
            const fl_point point = {.metric = SLICE(i % 2 == 0 ? "m" : "metric"),
                                    .kind = i % 5 == 0 ? FL_POINT_SUM : FL_POINT_GAUGE,
                                    .start_ns = i % 7 == 0 ? INT64_MIN : INT64_MAX,
                                    .time_ns = (int64_t)(i * i),
                                    .value = (double)i,
                                    .attrs = {&attr, i % 4 != 0}};
            ck_assert_ok(sinks[s]->point(sinks[s]->payload, handle, &point, &err));
        }
    }
    check_same(&direct);
}
END_TEST

/* A cut at an item's end is a shorter batch; any other is seen. */
START_TEST(each_prefix_is_whole_or_refused)
{
    size_t whole = 0;
    made_records_push(fl_archive_batch_sink(batch));
    fl_slice bytes = fl_batch_bytes(batch);
    for (size_t len = 0; len <= bytes.len; len++) {
        unsigned char *copy = malloc(len + 1); /* so that reading beyond it is noticed */
        memcpy(copy, bytes.ptr, len);
        fl_status status = read_bytes((fl_slice){copy, len});
        whole += status == FL_OK;
        ck_assert(status == FL_OK || (status == FL_E_TRUNCATED && err.offset == len));
        free(copy);
    }
    ck_assert_uint_eq(whole, 1 + 1 + 9); /* the version, the resource, the records */
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    for (long allowed = 0; status != FL_OK; allowed++) {
        fl_archive_batch *made = NULL;
        fl_batch_facts facts;
        const fl_sink counting = fl_batch_facts_sink(&facts);
        const fl_resource resource = {.service = SLICE("pay")};
        static unsigned char body[9000];
        const fl_log log = {.body = {body, sizeof(body)}};
        uint32_t handle;
        err = (fl_error){0};
        fl_batch_facts_clear(&facts);
        fl_mem_fail_after(allowed);
        status = fl_archive_batch_create(&made, &err);
        if (status == FL_OK) {
            const fl_sink *sink = fl_archive_batch_sink(made);
            status = sink->resource(sink->payload, &resource, &handle, &err);
            if (status == FL_OK)
                status = sink->log(sink->payload, handle, &log, &err);
        }
        if (status == FL_OK)
            status = fl_archive_batch_replay(made, &counting, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || (status == FL_E_NOMEM && allowed < 50));
        ck_assert(status != FL_OK || facts.counts[FL_ARCHIVE_LOG] == 1);
        fl_archive_batch_destroy(made);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("archive/archive_batch");
    TCase *tests = tcase_create("batch");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, rare_records_come_back_in_their_order);
    tcase_add_test(tests, genuine_records_come_back);
    tcase_add_test(tests, the_same_records_have_the_same_bytes);
    tcase_add_test(tests, rejects_are_counted_and_the_first_are_told);
    tcase_add_test(tests, a_record_that_nobody_could_read_costs_itself);
    tcase_add_test(tests, a_request_above_the_log_s_ceiling_is_refused);
    tcase_add_test(tests, malformed_bytes_are_refused_at_their_place);
    tcase_add_test(tests, histograms_that_do_not_fit_are_refused);
    tcase_add_test(tests, series_come_back_whatever_stands_before_them);
    tcase_add_test(tests, each_prefix_is_whole_or_refused);
    tcase_add_test(tests, survives_each_allocation_failing);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
