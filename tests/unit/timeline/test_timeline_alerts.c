/*
 * Alerts: told as records, and seen as the series that Prometheus writes of its rules.
 */
#include "mem.h"
#include "timeline_made.h"

static fl_error err;
static made_timeline made;
static fl_buf text;

static void setup(void)
{
    err = (fl_error){0};
    made = (made_timeline){0};
    text = fl_buf_of(1 << 20);
    ck_assert_ok(made_begin(&made, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    made_dispose(&made);
    fl_buf_dispose(&text);
}

static fl_status log_of(const char *service, fl_error *e)
{
    fl_sink sink = fl_timeline_sink(made.builder, false);
    fl_resource resource = {.service = fl_slice_of(service)};
    fl_log log = {.time_ns = MADE_AT, .body = SLICE("line")};
    uint32_t handle;
    fl_status status = sink.resource(sink.payload, &resource, &handle, e);
    return status == FL_OK ? sink.log(sink.payload, handle, &log, e) : status;
}

static fl_alert_record alert_of(uint64_t fingerprint, const char *name, const char *service,
                                int minute)
{
    return (fl_alert_record){.fingerprint = fingerprint,
                             .starts_ns = MADE_AT + minute * MADE_MINUTE,
                             .name = fl_slice_of(name),
                             .service = fl_slice_of(service),
                             .severity = SLICE("page"),
                             .summary = SLICE("it is slow")};
}

static fl_status tell(const fl_alert_record *alert, bool from_baseline, fl_error *e)
{
    fl_sink sink = fl_timeline_sink(made.builder, from_baseline);
    return sink.alert(sink.payload, alert, e);
}

/* One sample of ALERTS or of its sister. */
static fl_status sample_at(const char *metric, const char *name, const char *state, int64_t time_ns,
                           fl_error *e)
{
    fl_sink sink = fl_timeline_sink(made.builder, false);
    fl_resource resource = {.service = SLICE("pay")};
    const fl_attr attrs[] = {
        {.key = SLICE("alertname"), .value = {.kind = FL_VALUE_STRING, .text = fl_slice_of(name)}},
        {.key = SLICE("alertstate"),
         .value = {.kind = FL_VALUE_STRING, .text = fl_slice_of(state)}},
        {.key = SLICE("severity"), .value = {.kind = FL_VALUE_STRING, .text = SLICE("page")}}};
    fl_point point = {.metric = fl_slice_of(metric),
                      .kind = FL_POINT_GAUGE,
                      .time_ns = time_ns,
                      .value = 1,
                      .attrs = {.items = attrs, .count = 3}};
    uint32_t handle;
    fl_status status = sink.resource(sink.payload, &resource, &handle, e);
    return status == FL_OK ? sink.point(sink.payload, handle, &point, e) : status;
}

static fl_status sample(const char *metric, const char *name, const char *state, int second,
                        fl_error *e)
{
    return sample_at(metric, name, state, MADE_AT + second * (MADE_MINUTE / 60), e);
}

/* "start..end name service severity: summary" in seconds; an end that is not known is "-". */
static const char *alerts_of(fl_error *e)
{
    fl_buf_clear(&text);
    if (made_finish(&made, e) != FL_OK)
        return NULL;
    const fl_timeline *t = made.timeline;
    for (size_t i = 0; i < t->alert_count; i++) {
        const fl_alert *a = &t->alerts[i];
        fl_buf_printf(&text, "%lld..", (long long)((a->starts_ns - MADE_AT) / (MADE_MINUTE / 60)));
        if (a->ends_ns != 0)
            fl_buf_printf(&text, "%lld", (long long)((a->ends_ns - MADE_AT) / (MADE_MINUTE / 60)));
        fl_buf_printf(&text, " %s %s %s: %s\n", made_text(a->name),
                      a->service != FL_NO_INDEX ? t->services[a->service] : "?",
                      made_text(a->severity), made_text(a->summary));
    }
    return text.len > 0 ? text.ptr : "";
}

START_TEST(an_alert_is_kept_once_with_its_end)
{
    fl_alert_record slow = alert_of(1, "Slow", "pay", -2), late = alert_of(2, "Late", "mail", 1);
    ck_assert_ok(log_of("pay", &err));
    ck_assert_ok(tell(&late, false, &err));
    ck_assert_ok(tell(&slow, false, &err));
    ck_assert_ok(tell(&slow, false, &err));
    slow.is_resolved = true;
    slow.ends_ns = MADE_AT + 3 * MADE_MINUTE;
    ck_assert_ok(tell(&slow, false, &err));
    ck_assert_str_eq(alerts_of(&err), "-120..180 Slow pay page: it is slow\n"
                                      "60.. Late ? page: it is slow\n");
}
END_TEST

START_TEST(other_words_of_the_same_alert_do_not_depend_on_the_order)
{
    fl_alert_record one = alert_of(1, "Slow", "pay", -2), two = one;
    two.summary = SLICE("a value of 7");
    for (int way = 0; way < 2; way++) {
        ck_assert_ok(log_of("pay", &err));
        ck_assert_ok(tell(way == 0 ? &one : &two, false, &err));
        ck_assert_ok(tell(way == 0 ? &two : &one, false, &err));
        ck_assert_str_eq(alerts_of(&err), "-120.. Slow pay page: a value of 7\n");
        made_dispose(&made);
        ck_assert_ok(made_begin(&made, &err));
    }
}
END_TEST

START_TEST(what_is_said_to_be_usual_has_no_alerts)
{
    fl_alert_record slow = alert_of(1, "Slow", "pay", -2), never = slow;
    never.starts_ns = 0;
    ck_assert_ok(log_of("pay", &err));
    ck_assert_ok(tell(&slow, true, &err));
    ck_assert_ok(tell(&never, false, &err));
    ck_assert_str_eq(alerts_of(&err), "");
}
END_TEST

START_TEST(samples_of_a_rule_that_fires_are_an_alert_and_no_metric)
{
    /* In any order: what lies within five minutes is one alert, what is farther away another. */
    static const int seconds[] = {60, -900, 0, 120, -870, -930, 30};
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
        ck_assert_ok(sample("ALERTS", "Slow", "firing", seconds[i], &err));
    ck_assert_ok(sample("ALERTS", "Slow", "pending", -60, &err));
    ck_assert_ok(sample("ALERTS_FOR_STATE", "Slow", "", 0, &err));
    ck_assert_ok(log_of("pay", &err));
    ck_assert_str_eq(alerts_of(&err), "-930..-870 Slow pay page: -\n"
                                      "0.. Slow pay page: -\n");
    ck_assert_uint_eq(made.timeline->metric_series_count, 0);
}
END_TEST

START_TEST(samples_at_the_end_of_all_numbers_are_dropped)
{
    ck_assert_ok(log_of("pay", &err));
    for (int i = 0; i < 2; i++) {
        ck_assert_ok(sample_at("ALERTS", "Slow", "firing", INT64_MAX - i, &err));
        ck_assert_ok(sample_at("ALERTS", "Slow", "firing", INT64_MIN + i, &err));
    }
    ck_assert_ok(sample("ALERTS", "Slow", "firing", 0, &err));
    ck_assert_str_eq(alerts_of(&err), "0.. Slow pay page: -\n");
}
END_TEST

START_TEST(stretches_that_turn_out_to_touch_are_one)
{
    static const int seconds[] = {-1200, -600, -900}; /* the last joins the two before */
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
        ck_assert_ok(sample("ALERTS", "Slow", "firing", seconds[i], &err));
    ck_assert_ok(sample("ALERTS", "Other", "firing", -700, &err));
    ck_assert_str_eq(alerts_of(&err), "-1200..-600 Slow pay page: -\n"
                                      "-700..-700 Other pay page: -\n");
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error)
{
    fl_alert_record slow = alert_of(1, "Slow", "pay", -2);
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        made_dispose(&made);
        ck_assert_int_lt(after, 400);
        fl_mem_fail_after(after);
        fl_status status = made_begin(&made, &own);
        if (status == FL_OK)
            status = log_of("pay", &own);
        if (status == FL_OK)
            status = tell(&slow, false, &own);
        if (status == FL_OK)
            status = sample("ALERTS", "Other", "firing", 0, &own);
        if (status == FL_OK)
            status = alerts_of(&own) != NULL ? FL_OK : FL_E_NOMEM;
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_uint_eq(made.timeline->alert_count, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("timeline/timeline_alerts");
    TCase *cases = tcase_create("timeline_alerts");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_alert_is_kept_once_with_its_end);
    tcase_add_test(cases, other_words_of_the_same_alert_do_not_depend_on_the_order);
    tcase_add_test(cases, what_is_said_to_be_usual_has_no_alerts);
    tcase_add_test(cases, samples_of_a_rule_that_fires_are_an_alert_and_no_metric);
    tcase_add_test(cases, samples_at_the_end_of_all_numbers_are_dropped);
    tcase_add_test(cases, stretches_that_turn_out_to_touch_are_one);
    tcase_add_test(cases, each_allocation_that_fails_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
