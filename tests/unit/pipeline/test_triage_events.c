/*
 * Files of events: what each is taken for, and a triage whose time and service an alert tells.
 */
#include "triage_events.h"

#include "faultline/triage.h"
#include "fl_folder.h"
#include "made_incident.h"
#include "received.h"

static received r;
static fl_error err;
static fl_folder folder;
static fl_arena arena;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
    fl_folder_open(&folder);
    arena = fl_arena_of(1 << 20);
}

static void teardown(void)
{
    received_dispose(&r);
    fl_folder_remove(&folder);
    fl_arena_dispose(&arena);
}

static const char *write_text(const char *name, const char *text)
{
    return fl_folder_write(&folder, name, SLICE(text));
}

#define ALERT(name, status, at, more)                                                              \
    "{\"status\":\"" status "\",\"labels\":{\"alertname\":\"" name "\"" more                       \
    "},\"startsAt\":\"2023-11-14T22:" at "Z\"}"
#define HOOK(alerts) "{\"version\":\"4\",\"alerts\":[" alerts "]}"
#define EVENT        "{\"time\":1700000000,\"kind\":\"deploy\",\"service\":\"bank\"}"
#define MERGED                                                                                     \
    "{\"object_kind\":\"merge_request\",\"project\":{\"name\":\"bank\"},\"object_attributes\":{"   \
    "\"action\":\"merge\",\"updated_at\":\"2023-11-14 22:13:20 UTC\"}}"

/* clang-format off */
static const struct {
    const char *text, *read;
} files[] = {
    {EVENT "\n" EVENT "\n", "deploy 1700000000000000000 [bank]  >  \ndeploy 1700000000000000000 [bank]  >  \n"},
    {"[" EVENT "]", "deploy 1700000000000000000 [bank]  >  \n"},
    {MERGED, "merge-request 1700000000000000000 [bank]  > gitlab \n"},
    {HOOK(ALERT("Slow", "firing", "13:20", "")), "alert 2a6d61766e100a13 1700000000000000000..0 Slow () of   :  <> alertname=\"Slow\"\n"},
    {HOOK("{}"), "reject line 1 byte 25 records 1: an alert without labels\n"},
    {"", ""},
    {"{\"time\":1}", "reject line 1 byte 8 records 1: 'time' is not RFC 3339 or an epoch\n"},
};
/* clang-format on */

START_TEST(a_file_is_told_by_its_content)
{
    const char *path = write_text("events", files[_i].text);
    ck_assert_ok(fl_triage_events_read(&r.sink, path, false, &err));
    ck_assert_str_eq(received_text(&r), files[_i].read);
}
END_TEST

START_TEST(files_may_be_compressed_or_missing)
{
    fl_bytes packed = fl_gzip(SLICE(MERGED));
    const char *path = fl_folder_write(&folder, "hook.gz", fl_bytes_slice(packed));
    ck_assert_ok(fl_triage_events_read(&r.sink, path, true, &err));
    ck_assert_uint_eq(r.dump.logs, 1);
    packed.len -= 9;
    path = fl_folder_write(&folder, "cut.gz", fl_bytes_slice(packed));
    ck_assert_ok(fl_triage_events_read(&r.sink, path, false, &err));
    ck_assert_uint_ge(r.dump.rejects, 1);
    ck_assert_fails(FL_E_NOTFOUND, fl_triage_events_read(&r.sink, "/nonexistent/e", false, &err));
    free(packed.ptr);
}
END_TEST

START_TEST(the_earliest_alert_that_fires_tells)
{
    fl_triage_alert alert;
    const char *paths[3] = {
        write_text("a", HOOK(ALERT("Old", "resolved", "01:00", ",\"service\":\"shop\""))),
        write_text("b", EVENT),
        write_text("c", HOOK(ALERT("Late", "firing", "14:00", "") "," ALERT(
                            "Slow", "firing", "13:20",
                            ",\"service\":\"bank\"") "," ALERT("Gone", "resolved", "02:00", "")))};
    ck_assert_ok(fl_triage_alerts_read(&alert, paths, 3, &arena, &err));
    ck_assert_uint_eq(alert.count, 4);
    ck_assert_int_eq(alert.starts_ns, MADE_INCIDENT_AT);
    ck_assert_str_eq(alert.service, "bank");
    ck_assert_ok(fl_triage_alerts_read(&alert, paths, 1, &arena, &err));
    ck_assert_str_eq(alert.service, "shop");
    ck_assert_ok(fl_triage_alerts_read(&alert, paths + 1, 1, &arena, &err));
    ck_assert_uint_eq(alert.count, 0);
}
END_TEST

START_TEST(a_triage_may_begin_with_an_alert)
{
    fl_buf text = fl_buf_of(16u << 20);
    fl_triage *triage = NULL;
    made_incident(&text, 10, 12, MADE_ALL);
    const char *otlp[1] = {fl_folder_write(&folder, "otlp.jsonl", fl_buf_slice(&text))};
    const char *hook[1] = {
        write_text("hook.json", HOOK(ALERT("Slow", "firing", "13:20", ",\"service\":\"shop\"")))};
    fl_triage_request request = {.otlp = otlp,
                                 .otlp_count = 1,
                                 .events = hook,
                                 .events_count = 1,
                                 .at_from_alerts = true,
                                 .strict = true};
    ck_assert_ok(fl_triage_run(&triage, &request, &err));
    const fl_incident *incident = fl_triage_incident(triage);
    ck_assert_int_eq(incident->at_ns, MADE_INCIDENT_AT);
    ck_assert_str_eq(incident->hypotheses[0].service, "bank");
    fl_triage_destroy(triage);
    request.events_count = 0;
    ck_assert_fails(FL_E_IO, fl_triage_run(&triage, &request, &err));
    ck_assert_str_eq(err.message,
                     "no alert among the events tells when it began: say it with --at TIME");
    fl_buf_dispose(&text);
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *paths[1] = {write_text("a", HOOK(ALERT("S", "firing", "13:20", ",\"app\":\"b\"")))};
    for (int64_t after = 0;; after++) {
        fl_triage_alert alert;
        fl_error own = {0};
        ck_assert_int_lt(after, 100);
        fl_mem_fail_after(after);
        fl_status status = fl_triage_alerts_read(&alert, paths, 1, &arena, &own);
        if (status == FL_OK)
            status = fl_triage_events_read(&r.sink, paths[0], false, &own);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&arena);
        arena = fl_arena_of(1 << 20);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
}
END_TEST

static Suite *triage_events_suite(void)
{
    Suite *suite = suite_create("pipeline/triage_events");
    TCase *cases = tcase_create("triage_events");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, a_file_is_told_by_its_content, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_test(cases, files_may_be_compressed_or_missing);
    tcase_add_test(cases, the_earliest_alert_that_fires_tells);
    tcase_add_test(cases, a_triage_may_begin_with_an_alert);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(triage_events_suite)
