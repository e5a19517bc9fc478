/*
 * Alerts: webhooks and lists of Alertmanager and Prometheus as recorded, what is refused.
 */
#include "alerts.h"

#include "received.h"

static received r;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
}

static void teardown(void)
{
    received_dispose(&r);
}

#define HOOK(alerts) "{\"version\":\"4\",\"alerts\":[" alerts "]}"
#define ONE                                                                                        \
    "{\"status\":\"firing\",\"labels\":{\"alertname\":\"Slow\",\"service\":\"cart\"},"             \
    "\"startsAt\":\"2026-11-22T20:26:03.62Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","                \
    "\"fingerprint\":\"00000000000000ff\"}"
#define READ_ONE                                                                                   \
    "alert 00000000000000ff 1795379163620000000..0 Slow () of cart  :  <> alertname=\"Slow\" "     \
    "service=\"cart\"\n"

/* clang-format off */
static const struct {
    const char *text, *read;
} good[] = {
    {HOOK(""), ""},
    {"\xef\xbb\xbf" HOOK(ONE), READ_ONE},
    {"{\"alerts\":[" ONE "]}", READ_ONE},
    {HOOK("{\"status\":\"resolved\",\"startsAt\":\"2026-11-22T21:26:03+01:00\",\"endsAt\":\"2026-11-22T20:26:05Z\",\"labels\":{\"b\":\"2\",\"a\":\"1\",\"pod\":\"p-0\",\"node\":\"n1\",\"severity\":\"page\"},\"annotations\":{\"description\":\"d\",\"summary\":\"s \\u003e 2\",\"message\":\"m\"},\"generatorURL\":\"http://x\"}"),
     "alert 9c2725c075e4eb2e 1795379163000000000..1795379165000000000 resolved  (page) of  p-0 n1: s > 2 <http://x> a=\"1\" b=\"2\" node=\"n1\" pod=\"p-0\" severity=\"page\"\n"},
    {"{\"status\":\"success\",\"data\":{\"alerts\":[{\"state\":\"pending\",\"activeAt\":\"2026-11-22T20:26:03Z\",\"labels\":{\"alertname\":\"Slow\"}}]}}", ""},
    {"[{\"labels\":{\"alertname\":\"Slow\",\"service\":\"cart\"},\"startsAt\":\"2026-11-22T20:26:03.62Z\",\"endsAt\":\"2026-11-22T20:30:00Z\",\"status\":{\"state\":\"active\"},\"fingerprint\":\"00000000000000ff\"}]", READ_ONE},
};

static const struct {
    const char *text, *read;
} bad[] = {
    {HOOK("{\"startsAt\":\"2026-11-22T20:26:03Z\"}," ONE), "reject line 1 byte 25 records 1: an alert without labels\n" READ_ONE},
    {HOOK("{\"labels\":{\"alertname\":\"Slow\"}}," ONE), "reject line 1 byte 25 records 1: an alert without startsAt\n" READ_ONE},
    {HOOK("{\"labels\":{\"a\":\"b\"},\"startsAt\":\"0001-01-01T00:00:00Z\"}"), "reject line 1 byte 25 records 1: an alert without startsAt\n"},
    {HOOK("{\"labels\":{\"a\":\"b\"},\"startsAt\":\"yesterday, about noon\"}"), "reject line 1 byte 56 records 1: a time is not RFC 3339\n"},
    {HOOK("{\"labels\":{\"a\":\"b\"},\"startsAt\":\"-2h\"}"), "reject line 1 byte 56 records 1: a time is not RFC 3339\n"},
    {HOOK("{\"labels\":{\"a\":\"b\"},\"startsAt\":7}"), "reject line 1 byte 56 records 1: expected a string, found a number\n"},
    {HOOK("{\"labels\":{\"a\":\"b\"},\"startsAt\":\"2026-11-22T20:26:03Z\",\"endsAt\":\"2026-11-22T20:26:02Z\"}"), "reject line 1 byte 25 records 1: an alert ends before it starts\n"},
    {HOOK("{\"labels\":{\"a\":1}}," ONE), "reject line 1 byte 40 records 1: expected a string, found a number\n" READ_ONE},
    {HOOK("7," ONE), "reject line 1 byte 25 records 1: expected an object, found a number\n" READ_ONE},
};

static const struct {
    const char *text, *message;
} refused[] = {
    {"", "test holds no alerts"},
    {"{}", "test holds no alerts"},
    {"[]", "test holds no alerts"},
    {"[{\"labels\":{}}]", "test holds no alerts"},
    {"{\"alerts\":7}", "test holds no alerts"},
    {"{\"status\":\"success\",\"data\":{\"result\":[]}}", "test holds no alerts"},
    {"{\"version\":\"3\",\"alerts\":[" ONE "]}", "test: a webhook of version 3 is not read, 4 is"},
};
/* clang-format on */

START_TEST(each_form_is_read)
{
    ck_assert_ok(fl_alerts_json(&r.to, SLICE(good[_i].text), &err));
    ck_assert_str_eq(received_text(&r), good[_i].read);
}
END_TEST

START_TEST(what_is_wrong_costs_itself_and_is_named)
{
    ck_assert_ok(fl_alerts_json(&r.to, SLICE(bad[_i].text), &err));
    ck_assert_str_eq(received_text(&r), bad[_i].read);
}
END_TEST

START_TEST(what_holds_no_alerts_is_told)
{
    ck_assert_fails(FL_E_UNSUPPORTED, fl_alerts_json(&r.to, SLICE(refused[_i].text), &err));
    ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_str_eq(received_text(&r), "");
}
END_TEST

/* clang-format off */
static const struct {
    const char *file, *read;
} recorded[] = {
    {"alertmanager_webhook_firing.json",
     "alert 1dfe12913e50157f 1795379163620000000..0 AlwaysFiring (critical) of node 127.0.0.1:39100 : 127.0.0.1:39100 up <http://vm:39090/graph?g0.expr=up+%3D%3D+1&g0.tab=1> alertname=\"AlwaysFiring\" cluster=\"eco\" instance=\"127.0.0.1:39100\" job=\"node\" severity=\"critical\"\n"},
    {"alertmanager_webhook_resolved.json",
     "alert c75f68922c9ebc87 1795381579000000000..1795381584000000000 resolved HighLatency (critical) of checkout  : p99 > 2s <http://127.0.0.1/g> alertname=\"HighLatency\" service=\"checkout\" severity=\"critical\"\n"},
};
/* clang-format on */

START_TEST(recorded_webhooks_are_read)
{
    fl_bytes body = received_fixture(recorded[_i].file);
    ck_assert_ok(fl_alerts_json(&r.to, fl_bytes_slice(body), &err));
    ck_assert_str_eq(received_text(&r), recorded[_i].read);
    free(body.ptr);
}
END_TEST

START_TEST(recorded_lists_are_read)
{
    fl_bytes body = received_fixture("alertmanager_api_v2_alerts.json");
    ck_assert_ok(fl_alerts_json(&r.to, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(received_count(&r, "alert 1dfe12913e50157f 1795379163620000000..0 "), 1);
    ck_assert_uint_eq(received_count(&r, "alert 978d85a4d201736d 1795379165620000000..0 "), 1);
    free(body.ptr);
    body = received_fixture("prom_alerts.json");
    received_clear(&r);
    ck_assert_ok(fl_alerts_json(&r.to, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(r.dump.logs, 2);
    ck_assert_ptr_nonnull(strstr(received_text(&r), "AlwaysFiring (critical) of prometheus "));
    free(body.ptr);
}
END_TEST

/* Alertmanager computed those of the recordings. */
START_TEST(fingerprints_are_those_of_alertmanager)
{
    for (size_t i = 0; i < 2; i++) {
        fl_bytes body = received_fixture(recorded[i].file);
        char given[64];
        memcpy(given, recorded[i].read, 22);
        given[22] = '\0';
        unsigned char *at = (unsigned char *)strstr((char *)body.ptr, "\"fingerprint\"");
        ck_assert_ptr_nonnull(at);
        at[1] = 'F'; /* no such member */
        received_clear(&r);
        ck_assert_ok(fl_alerts_json(&r.to, fl_bytes_slice(body), &err));
        ck_assert_msg(strncmp(received_text(&r), given, 22) == 0, "%s", received_text(&r));
        free(body.ptr);
    }
}
END_TEST

START_TEST(strict_and_the_sink_end_the_reading)
{
    r.to.strict = true;
    ck_assert_fails(FL_E_SYNTAX, fl_alerts_json(&r.to, SLICE(bad[0].text), &err));
    ck_assert_str_eq(err.message, "test:1: an alert without labels");
    r.dump.stop_after = 1;
    r.dump.stop_with = FL_E_STOPPED;
    err = (fl_error){0};
    ck_assert_fails(FL_E_STOPPED, fl_alerts_json(&r.to, SLICE(HOOK(ONE "," ONE)), &err));
    ck_assert_uint_eq(r.dump.logs, 1);
}
END_TEST

START_TEST(every_prefix_is_refused_or_read_as_far_as_it_goes)
{
    const char *texts[] = {HOOK(ONE "," ONE), "[" ONE "," ONE "]"};
    for (size_t t = 0; t < 2; t++)
        for (size_t len = 0; len < strlen(texts[t]); len++) {
            fl_bytes part = received_exact(SLICE(texts[t]), len);
            fl_error own = {0};
            received_clear(&r);
            fl_status status = fl_alerts_json(&r.to, fl_bytes_slice(part), &own);
            ck_assert(status == FL_E_UNSUPPORTED || (status == FL_OK && r.dump.logs <= 2));
            ck_assert_uint_le(r.dump.rejects, 1);
            free(part.ptr);
        }
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *text = HOOK("{\"labels\":{\"\\u0061\":\"\\u0062\"},\"startsAt\":\"2026-11-22T20:26:"
                            "03Z\"}");
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 100);
        received_clear(&r);
        fl_mem_fail_after(after);
        fl_status status = fl_alerts_json(&r.to, SLICE(text), &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_uint_eq(r.dump.logs, 1);
}
END_TEST

static Suite *alerts_suite(void)
{
    Suite *suite = suite_create("alerts");
    TCase *cases = tcase_create("alerts");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_form_is_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_costs_itself_and_is_named, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, what_holds_no_alerts_is_told, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_loop_test(cases, recorded_webhooks_are_read, 0,
                        sizeof(recorded) / sizeof(recorded[0]));
    tcase_add_test(cases, recorded_lists_are_read);
    tcase_add_test(cases, fingerprints_are_those_of_alertmanager);
    tcase_add_test(cases, strict_and_the_sink_end_the_reading);
    tcase_add_test(cases, every_prefix_is_refused_or_read_as_far_as_it_goes);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(alerts_suite)
