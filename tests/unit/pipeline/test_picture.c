/* What is drawn of a triage of the made-up shop, whose stock is slow and fails for a while. */
#include "faultline/picture.h"

#include <math.h>
#include <stdio.h>

#include "arena.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "made_shop.h"
#include "mem.h"
#include "report_picture.h"

#define MINUTE INT64_C(60000000000)
#define AT     (INT64_C(1700000000) * 1000000000)

static fl_error err;
static fl_triage *triage;
static made_shop shop;
static fl_triage_request request;
static int extra_series, jobs_a_minute;

static void setup(void)
{
    err = (fl_error){0};
    triage = NULL;
    extra_series = jobs_a_minute = 0;
    shop = (made_shop){.begin_ns = AT - 20 * MINUTE,
                       .broken_from_ns = AT,
                       .broken_to_ns = AT + 5 * MINUTE,
                       .a_second = 1};
    request = (fl_triage_request){.at_ns = AT, .window_ns = 5 * MINUTE};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_triage_destroy(triage);
}

static void push_gauge(const fl_sink *sink, uint32_t handle, const char *name, int64_t at_ns,
                       double value)
{
    const fl_point point = {.metric = SLICE(name),
                            .unit = SLICE("{thing}"),
                            .kind = FL_POINT_GAUGE,
                            .time_ns = at_ns,
                            .value = value};
    ck_assert_ok(sink->point(sink->payload, handle, &point, &err));
}

static void push_alert(const fl_sink *sink, bool is_resolved, int64_t starts_ns)
{
    const fl_alert_record alert = {.fingerprint = 7,
                                   .starts_ns = starts_ns,
                                   .ends_ns = is_resolved ? AT + 4 * MINUTE : 0,
                                   .is_resolved = is_resolved,
                                   .name = SLICE("HighErrorRate"),
                                   .severity = SLICE("critical"),
                                   .summary = SLICE("half of the orders fail"),
                                   .service = SLICE("storefront"),
                                   .url = SLICE("http://alerts/7")};
    ck_assert_ok(sink->alert(sink->payload, &alert, &err));
}

static void push_change(const fl_sink *sink, int64_t at_ns)
{
    const fl_change_record change = {.time_ns = at_ns,
                                     .kind = FL_CHANGE_CONFIG,
                                     .service = SLICE("stock"),
                                     .key = SLICE("pool.size"),
                                     .before = SLICE("50"),
                                     .after = SLICE("5"),
                                     .source = SLICE("argocd"),
                                     .url = SLICE("http://deploys/1")};
    ck_assert_ok(sink->change(sink->payload, &change, &err));
}

/* A second service that is called from outside: every job takes a second, the fourth fails. */
static void push_jobs(const fl_sink *sink, int64_t at_ns)
{
    const fl_resource jobs = {.service = SLICE("jobs")};
    uint32_t handle = 0;
    ck_assert_ok(sink->resource(sink->payload, &jobs, &handle, &err));
    for (int i = 0; i < jobs_a_minute; i++) {
        const fl_span span = {.trace = {(uint64_t)at_ns + (uint64_t)i, 2},
                              .id = (uint64_t)at_ns + (uint64_t)i,
                              .name = SLICE("job"),
                              .kind = FL_SPAN_CONSUMER,
                              .start_ns = at_ns + i,
                              .end_ns = at_ns + i + 1000000000,
                              .is_error = i == 3};
        ck_assert_ok(sink->span(sink->payload, handle, &span, &err));
    }
}

static fl_status push_all(void *payload, const fl_sink *sink, fl_error *error)
{
    (void)payload;
    (void)error;
    made_shop_tell(&shop, shop.begin_ns, AT + 5 * MINUTE, sink);
    const fl_resource stock = {.service = SLICE("stock"), .instance = SLICE("stock-1")};
    uint32_t handle = 0;
    ck_assert_ok(sink->resource(sink->payload, &stock, &handle, &err));
    for (int64_t at = shop.begin_ns; at < AT + 5 * MINUTE; at += MINUTE) {
        push_gauge(sink, handle, "queue_length", at, at >= AT ? 80 : 3);
        push_jobs(sink, at);
        for (int i = 0; i < extra_series; i++) {
            char name[32];
            (void)snprintf(name, sizeof(name), "gauge_%d", i);
            fl_resource other = {.service = SLICE(name)};
            uint32_t own = 0;
            ck_assert_ok(sink->resource(sink->payload, &other, &own, &err));
            push_gauge(sink, own, name, at, at >= AT ? 50 : 1);
        }
    }
    push_change(sink, AT - 3 * MINUTE);
    push_change(sink, AT - 2000 * MINUTE); /* of the day before yesterday */
    push_change(sink, AT + 30 * MINUTE);   /* after the window */
    push_alert(sink, false, AT + MINUTE);
    push_alert(sink, false, AT + MINUTE);
    push_alert(sink, true, AT + MINUTE);
    return FL_OK;
}

static const fl_triage_feed feed = {.read = push_all, .tells_changes = true};

static const fl_picture *draw(void)
{
    const fl_picture *picture = NULL;
    request.feeds = &feed;
    request.feed_count = 1;
    fl_triage_destroy(triage);
    triage = NULL;
    ck_assert_ok(fl_triage_run(&triage, &request, &err));
    ck_assert_ok(fl_triage_picture(&picture, triage, &err));
    return picture;
}

static const fl_lane *lane_of(const fl_picture *picture, const char *service, const char *name)
{
    for (size_t i = 0; i < picture->lane_count; i++)
        if (strcmp(picture->lanes[i].service, service) == 0 &&
            strcmp(picture->lanes[i].name, name) == 0)
            return &picture->lanes[i];
    ck_abort_msg("there is no lane %s of %s", name, service);
    return NULL;
}

static double sum_of(const fl_picture *picture, const fl_lane *lane, size_t from, size_t to)
{
    double sum = 0;
    ck_assert_uint_le(to, picture->step_count);
    for (size_t i = from; i < to; i++)
        sum += isnan(lane->values[i]) ? 0 : lane->values[i];
    return sum;
}

START_TEST(the_axis_has_the_window_and_the_baseline_before_it)
{
    const fl_picture *picture = draw();
    ck_assert_str_eq(picture->incident, fl_triage_incident(triage)->id);
    ck_assert_int_eq(picture->at_ns, AT);
    ck_assert_int_eq(picture->step_ns, MINUTE);
    ck_assert_int_eq(picture->from_ns, AT - 20 * MINUTE);
    ck_assert_uint_eq(picture->step_count, 25);
    ck_assert_int_eq(picture->baseline.from_ns, AT - 20 * MINUTE);
    ck_assert_int_eq(picture->baseline.to_ns, AT);
    ck_assert_int_eq(picture->window.to_ns, AT + 5 * MINUTE);
    ck_assert_double_eq(picture->spans_kept, 1);
}
END_TEST

START_TEST(entry_services_show_what_users_met)
{
    const fl_picture *picture = draw();
    const fl_lane *requests = lane_of(picture, "storefront", "requests");
    const fl_lane *errors = lane_of(picture, "storefront", "errors");
    const fl_lane *p50 = lane_of(picture, "storefront", "p50");
    ck_assert(requests->is_entry && errors->is_entry && p50->is_entry);
    ck_assert_ptr_eq(requests, &picture->lanes[0]); /* first of all */
    ck_assert_str_eq(requests->role, "traffic");
    double all = sum_of(picture, requests, 20, 25), failed = sum_of(picture, errors, 20, 25);
    ck_assert_double_gt(all, 200); /* one a second */
    ck_assert_double_lt(all, 400);
    ck_assert_double_gt(failed, 0.35 * all); /* half of them fail */
    ck_assert_double_lt(failed, 0.65 * all);
    ck_assert_double_eq(sum_of(picture, errors, 0, 20), 0);
    ck_assert_double_lt(p50->usual, 30);
    ck_assert_double_gt(p50->values[22], 100);
    ck_assert_double_gt(p50->deviations, 5);
    ck_assert_double_le(p50->usual_low, p50->usual);
    ck_assert_double_le(p50->usual, p50->usual_high);
    for (size_t i = 4; i < picture->lane_count; i++)
        ck_assert(!picture->lanes[i].is_entry);
}
END_TEST

START_TEST(each_entry_service_has_its_own_series)
{
    jobs_a_minute = 6;
    const fl_picture *picture = draw();
    const fl_lane *requests = lane_of(picture, "jobs", "requests");
    const fl_lane *errors = lane_of(picture, "jobs", "errors");
    for (size_t i = 0; i < picture->step_count; i++) {
        ck_assert_double_eq(requests->values[i], 6);
        ck_assert_double_eq(errors->values[i], 1);
        ck_assert_double_eq(lane_of(picture, "jobs", "p50")->values[i], 1000);
        ck_assert_double_eq(lane_of(picture, "jobs", "p99")->values[i], 1000);
    }
    ck_assert_double_eq(requests->deviations, 0);
    const fl_lane *others = lane_of(picture, "storefront", "requests");
    ck_assert_double_gt(sum_of(picture, others, 20, 25), 200);
}
END_TEST

START_TEST(a_lane_of_evidence_has_its_query_rank_and_weight)
{
    const fl_picture *picture = draw();
    const fl_hypothesis *first = &fl_triage_incident(triage)->hypotheses[0];
    ck_assert_str_eq(first->service, "stock");
    size_t lanes = 0;
    for (size_t i = 0; i < picture->lane_count; i++) {
        const fl_lane *lane = &picture->lanes[i];
        bool is_found = false;
        if (lane->hypothesis != 1)
            continue;
        for (size_t e = 0; e < first->evidence_count; e++)
            is_found |= strcmp(lane->query, first->evidence[e].query) == 0 &&
                        lane->weight_nats == first->evidence[e].weight_nats;
        ck_assert_msg(is_found, "%s", lane->query);
        ck_assert(strncmp(lane->why, "evidence ", 9) == 0);
        lanes++;
    }
    ck_assert_uint_gt(lanes, 0);
}
END_TEST

START_TEST(what_stands_out_is_there_with_how_far)
{
    const fl_lane *queue = lane_of(draw(), "stock", "queue_length");
    ck_assert_str_eq(queue->instance, "stock-1");
    ck_assert_str_eq(queue->unit, "{thing}");
    ck_assert_double_eq(queue->usual, 3);
    ck_assert_double_eq(queue->values[19], 3);
    ck_assert_double_eq(queue->values[20], 80);
    ck_assert_double_eq(queue->deviations, 99);
}
END_TEST

START_TEST(calls_have_both_sides_and_what_changed_most_is_first)
{
    const fl_picture *picture = draw();
    ck_assert_uint_eq(picture->call_count, 2);
    const fl_picture_call *stock = &picture->calls[0], *mail = &picture->calls[1];
    ck_assert_str_eq(stock->caller, "storefront");
    ck_assert_str_eq(stock->callee, "stock");
    ck_assert_str_eq(mail->callee, "mail");
    ck_assert(stock->is_traced);
    ck_assert_double_gt(stock->during.p50_ms, 10 * stock->before.p50_ms);
    ck_assert_double_lt(mail->during.p50_ms, 1.5 * mail->before.p50_ms);
    ck_assert_uint_gt(stock->during.errors, 50);
    ck_assert_uint_eq(stock->before.errors, 0);
    ck_assert_double_eq_tol(stock->before.gap_ms, 0.6, 1e-6); /* as the shop is made */
    ck_assert_double_eq_tol(stock->before.per_minute, (double)stock->before.calls / 20, 1e-9);
    ck_assert_double_ge(stock->before.p99_ms, stock->before.p50_ms);
}
END_TEST

/* The two of the shop are in the topology, too, behind all others, and are not left out. */
START_TEST(calls_of_a_topology_that_there_is_no_room_for_are_counted_once)
{
    fl_folder folder;
    fl_buf list = fl_buf_of(1 << 16);
    extra_series = (int)FL_PICTURE_CALLS + 20;
    fl_folder_open(&folder);
    fl_buf_text(&list, "[{\"client\":\"storefront\",\"server\":\"stock\"},"
                       "{\"client\":\"storefront\",\"server\":\"mail\"}");
    for (int i = 1; i < extra_series; i++)
        fl_buf_printf(&list, ",{\"client\":\"gauge_0\",\"server\":\"gauge_%d\"}", i);
    fl_buf_char(&list, ']');
    request.topology = fl_folder_write(&folder, "topology.json", fl_buf_slice(&list));
    const fl_picture *picture = draw();
    ck_assert_uint_eq(picture->call_count, FL_PICTURE_CALLS);
    ck_assert_uint_eq(picture->calls_left_out, 2 + 19);
    ck_assert_str_eq(picture->calls[0].callee, "stock");
    ck_assert(picture->calls[1].is_traced);
    for (size_t i = 2; i < picture->call_count; i++)
        ck_assert(!picture->calls[i].is_traced);
    fl_folder_remove(&folder);
    fl_buf_dispose(&list);
}
END_TEST

START_TEST(events_are_changes_and_alerts_each_once)
{
    const fl_picture *picture = draw();
    ck_assert_uint_eq(picture->event_count, 2);
    const fl_picture_event *change = &picture->events[0], *alert = &picture->events[1];
    ck_assert_int_eq(change->kind, FL_PICTURE_CHANGE);
    ck_assert_str_eq(change->text, "configuration pool.size: 50 -> 5 (argocd)");
    ck_assert_str_eq(change->service, "stock");
    ck_assert_str_eq(change->query, "http://deploys/1");
    ck_assert_int_eq(alert->kind, FL_PICTURE_ALERT);
    ck_assert_str_eq(alert->text, "HighErrorRate (critical): half of the orders fail");
    ck_assert_int_eq(alert->at_ns, AT + MINUTE);
    ck_assert_int_eq(alert->until_ns, AT + 4 * MINUTE);
}
END_TEST

/* Steps of several windows add counts up, and lose none. */
START_TEST(a_long_window_has_coarser_steps)
{
    const fl_picture *fine = draw();
    double all = sum_of(fine, lane_of(fine, "storefront", "requests"), 0, fine->step_count);
    request.window_ns = 2400 * MINUTE;
    const fl_picture *coarse = draw();
    ck_assert_uint_le(coarse->step_count, FL_PICTURE_STEPS);
    ck_assert_int_eq(coarse->step_ns, 15 * MINUTE);
    ck_assert_int_eq((AT - coarse->from_ns) % coarse->step_ns, 0);
    ck_assert_int_ge(coarse->from_ns + (int64_t)coarse->step_count * coarse->step_ns,
                     coarse->window.to_ns);
    const fl_lane *requests = lane_of(coarse, "storefront", "requests");
    ck_assert_double_eq(sum_of(coarse, requests, 0, coarse->step_count), all);
    ck_assert(isnan(requests->values[coarse->step_count - 1])); /* nothing was measured there */
}
END_TEST

START_TEST(too_many_series_are_left_out_and_counted)
{
    extra_series = 400;
    const fl_picture *picture = draw();
    ck_assert_uint_eq(picture->lane_count, FL_PICTURE_LANES);
    ck_assert_uint_gt(picture->lanes_left_out, 150);
    ck_assert(picture->lanes[0].is_entry);
    (void)lane_of(picture, "stock", "queue_length");
}
END_TEST

START_TEST(without_spans_the_metrics_of_the_reported_service_are_the_entry)
{
    shop.a_second = 0;
    request.service = "stock";
    const fl_picture *picture = draw();
    ck_assert_uint_eq(picture->call_count, 0);
    ck_assert_uint_gt(picture->lane_count, 0);
    for (size_t i = 0; i < picture->lane_count; i++)
        ck_assert(!picture->lanes[i].is_entry); /* a queue is not what users meet */
}
END_TEST

/* gauge_0 calls gauge_1, which calls gauge_2. */
START_TEST(without_spans_who_calls_and_is_not_called_is_the_entry)
{
    fl_folder folder;
    shop.a_second = 0;
    extra_series = 4;
    fl_folder_open(&folder);
    request.topology = fl_folder_write(&folder, "topology.json",
                                       SLICE("[{\"client\":\"gauge_0\",\"server\":\"gauge_1\"},"
                                             "{\"client\":\"gauge_1\",\"server\":\"gauge_2\"}]"));
    request.roles = fl_folder_write(&folder, "roles.yaml",
                                    SLICE("rules:\n- {match: gauge_*, role: traffic}\n"));
    const fl_picture *picture = draw();
    for (int i = 0; i < extra_series; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "gauge_%d", i);
        ck_assert_int_eq(lane_of(picture, name, name)->is_entry, i == 0);
    }
    fl_folder_remove(&folder);
}
END_TEST

static void write_json(fl_buf *out)
{
    fl_buf_clear(out);
    ck_assert_ok(fl_report_picture_json(out, draw(), &err));
}

START_TEST(the_same_triage_gives_the_same_bytes)
{
    fl_buf once = fl_buf_of(1 << 24), again = fl_buf_of(1 << 24);
    extra_series = 20;
    write_json(&once);
    write_json(&again);
    ck_assert_str_eq(once.ptr, again.ptr);
    const fl_picture *same = NULL;
    ck_assert_ok(fl_triage_picture(&same, triage, &err));
    fl_buf_clear(&again);
    ck_assert_ok(fl_report_picture_json(&again, same, &err));
    ck_assert_str_eq(once.ptr, again.ptr);
    fl_buf_dispose(&once);
    fl_buf_dispose(&again);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_buf whole = fl_buf_of(1 << 24), text = fl_buf_of(1 << 24);
    write_json(&whole);
    fl_triage_destroy(triage);
    triage = NULL;
    ck_assert_ok(fl_triage_run(&triage, &request, &err));
    long allowed = 0;
    const fl_picture *picture = NULL;
    for (fl_status status = FL_E_NOMEM; status != FL_OK; allowed++) {
        fl_error own = {0};
        fl_mem_fail_after(allowed);
        status = fl_triage_picture(&picture, triage, &own);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_eq(status == FL_OK, picture != NULL);
    }
    ck_assert_int_gt(allowed, 5);
    ck_assert_ok(fl_report_picture_json(&text, picture, &err));
    ck_assert_str_eq(text.ptr, whole.ptr);
    fl_buf_dispose(&whole);
    fl_buf_dispose(&text);
}
END_TEST

static Suite *picture_suite(void)
{
    Suite *suite = suite_create("pipeline/picture");
    TCase *cases = tcase_create("picture");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, the_axis_has_the_window_and_the_baseline_before_it);
    tcase_add_test(cases, entry_services_show_what_users_met);
    tcase_add_test(cases, each_entry_service_has_its_own_series);
    tcase_add_test(cases, a_lane_of_evidence_has_its_query_rank_and_weight);
    tcase_add_test(cases, what_stands_out_is_there_with_how_far);
    tcase_add_test(cases, calls_have_both_sides_and_what_changed_most_is_first);
    tcase_add_test(cases, calls_of_a_topology_that_there_is_no_room_for_are_counted_once);
    tcase_add_test(cases, events_are_changes_and_alerts_each_once);
    tcase_add_test(cases, a_long_window_has_coarser_steps);
    tcase_add_test(cases, too_many_series_are_left_out_and_counted);
    tcase_add_test(cases, without_spans_the_metrics_of_the_reported_service_are_the_entry);
    tcase_add_test(cases, without_spans_who_calls_and_is_not_called_is_the_entry);
    tcase_add_test(cases, the_same_triage_gives_the_same_bytes);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(picture_suite)
