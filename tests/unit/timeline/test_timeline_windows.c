#include "faultline/limits.h"
#include "timeline_made.h"

static made_timeline made;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    made = (made_timeline){0};
    ck_assert_ok(made_begin(&made, &err));
}

static void teardown(void)
{
    made_dispose(&made);
}

static void push(int64_t time_ns, bool baseline)
{
    made_record record = {
        .kind = MADE_POINT,
        .service = "cart",
        .baseline = baseline,
        .point = {.metric = SLICE("load"), .kind = FL_POINT_GAUGE, .time_ns = time_ns, .value = 1}};
    ck_assert_ok(made_push(&made, &record, &err));
}

static void finish(void)
{
    ck_assert_ok(made_finish(&made, &err));
}

static const fl_window *window(size_t i)
{
    ck_assert_uint_lt(i, made.timeline->window_count);
    return &made.timeline->windows[i];
}

START_TEST(windows_count_from_the_incident)
{
    push(MADE_AT, false);
    push(MADE_AT - 1, false);
    push(MADE_AT + MADE_MINUTE - 1, false);
    push(MADE_AT + MADE_MINUTE, false);
    push(MADE_AT - MADE_MINUTE, false);
    push(MADE_AT - MADE_MINUTE - 1, false);
    finish();
    ck_assert_uint_eq(made.timeline->window_count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(window(i)->from_ns, MADE_AT + ((int64_t)i - 2) * MADE_MINUTE);
        ck_assert_int_eq(window(i)->to_ns, window(i)->from_ns + MADE_MINUTE);
        ck_assert_int_eq(window(i)->incident, i >= 2);
    }
}
END_TEST

START_TEST(records_after_the_incident_are_ignored_but_for_the_baselines)
{
    push(MADE_AT + 5 * MADE_MINUTE - 1, false);
    push(MADE_AT + 5 * MADE_MINUTE, false);
    push(MADE_AT + 90 * MADE_MINUTE, false);
    push(MADE_AT + 90 * MADE_MINUTE, true);
    finish();
    ck_assert_uint_eq(made.timeline->window_count, 2);
    ck_assert_uint_eq(made.timeline->point_records, 2);
    ck_assert(window(0)->incident);
    ck_assert(!window(1)->incident);
    ck_assert_int_eq(window(1)->from_ns, MADE_AT + 90 * MADE_MINUTE);
}
END_TEST

START_TEST(history_reaches_back_a_day_and_a_baseline_any_time)
{
    const int64_t day_ns = 1440 * MADE_MINUTE;
    push(MADE_AT - day_ns, false);
    push(MADE_AT - day_ns - 1, false);
    push(MADE_AT - 30 * day_ns, true);
    finish();
    ck_assert_uint_eq(made.timeline->window_count, 2);
    ck_assert_int_eq(window(0)->from_ns, MADE_AT - 30 * day_ns);
    ck_assert_int_eq(window(1)->from_ns, MADE_AT - day_ns);
}
END_TEST

/* What is said to be usual is no evidence of what was wrong, whenever it was recorded. */
START_TEST(a_baseline_record_inside_of_the_incident_is_left_out)
{
    push(MADE_AT, true);
    push(MADE_AT + 5 * MADE_MINUTE - 1, true);
    push(MADE_AT + MADE_MINUTE, false);
    push(MADE_AT - 1, true);
    push(MADE_AT + 5 * MADE_MINUTE, true);
    finish();
    ck_assert_uint_eq(made.timeline->window_count, 3);
    ck_assert_uint_eq(made.timeline->point_records, 3);
    ck_assert(!window(0)->incident && window(1)->incident && !window(2)->incident);
    ck_assert_int_eq(window(1)->from_ns, MADE_AT + MADE_MINUTE);
}
END_TEST

START_TEST(an_incident_of_one_step_works)
{
    made_dispose(&made);
    made.window_ns = MADE_MINUTE;
    ck_assert_ok(made_begin(&made, &err));
    push(MADE_AT, false);
    push(MADE_AT + MADE_MINUTE, false);
    finish();
    ck_assert_uint_eq(made.timeline->window_count, 1);
}
END_TEST

START_TEST(the_ends_of_time_are_no_trouble)
{
    static const int64_t moments[] = {1, MADE_AT, INT64_MAX - 1, INT64_MAX, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        made_dispose(&made);
        made.at_ns = moments[i];
        ck_assert_ok(made_begin(&made, &err));
        for (size_t k = 0; k < 4; k++) {
            push(moments[k], true);
            push(moments[k], false);
        }
        finish();
        for (size_t w = 0; w < made.timeline->window_count; w++)
            ck_assert_int_eq(window(w)->to_ns - window(w)->from_ns, MADE_MINUTE);
    }
}
END_TEST

START_TEST(of_more_windows_than_the_budget_the_nearest_are_kept)
{
    enum { MINUTES = FL_MAX_WINDOWS + 100 };
    for (int64_t order = 0; order < 2; order++) {
        made_dispose(&made);
        ck_assert_ok(made_begin(&made, &err));
        for (int64_t i = 0; i < MINUTES; i++)
            push(MADE_AT - (order == 0 ? i + 1 : MINUTES - i) * MADE_MINUTE, true);
        finish();
        ck_assert_uint_eq(made.timeline->window_count, FL_MAX_WINDOWS);
        ck_assert_int_eq(window(FL_MAX_WINDOWS - 1)->from_ns, MADE_AT - MADE_MINUTE);
        ck_assert_int_eq(window(0)->from_ns, MADE_AT - FL_MAX_WINDOWS * MADE_MINUTE);
        ck_assert_uint_eq(made.timeline->point_records, FL_MAX_WINDOWS);
        ck_assert_uint_eq(fl_timeline_losses_of(made.builder).over_budget, 100);
    }
}
END_TEST

static void push_from(const char *service, const char *instance, const char *node)
{
    made_record record = {.kind = MADE_LOG,
                          .service = service,
                          .instance = instance,
                          .node = node,
                          .log = {.time_ns = MADE_AT, .body = SLICE("up")}};
    ck_assert_ok(made_push(&made, &record, &err));
}

START_TEST(entities_are_sorted_and_named_once)
{
    push_from("cart", "cart-1", "n2");
    push_from("cart", "cart-0", "n1");
    push_from("cart", "cart-1", "n2");
    push_from("bank", NULL, NULL);
    finish();
    const fl_timeline *t = made.timeline;
    ck_assert_uint_eq(t->service_count, 2);
    ck_assert_str_eq(t->services[0], "bank");
    ck_assert_str_eq(t->services[1], "cart");
    ck_assert_uint_eq(t->entity_count, 3);
    ck_assert_uint_eq(t->entities[0].service, 0);
    ck_assert_ptr_null(t->entities[0].instance);
    ck_assert_ptr_null(t->entities[0].node);
    ck_assert_str_eq(t->entities[1].instance, "cart-0");
    ck_assert_str_eq(t->entities[2].instance, "cart-1");
    ck_assert_str_eq(t->entities[2].node, "n2");
}
END_TEST

START_TEST(a_service_without_a_name_is_called_as_the_sdks_call_it)
{
    push_from(NULL, "pod", NULL);
    finish();
    ck_assert_str_eq(made.timeline->services[0], "unknown_service");
}
END_TEST

START_TEST(a_long_name_is_cut_between_characters)
{
    static char name[3 * FL_MAX_NAME_LEN];
    name[0] = 'x';
    for (size_t i = 1; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "\xc3\xa4", 2);
    push_from(name, NULL, NULL);
    finish();
    ck_assert_uint_eq(strlen(made.timeline->services[0]), FL_MAX_NAME_LEN - 1);
}
END_TEST

START_TEST(a_nul_in_a_name_is_shown_as_a_question_mark)
{
    fl_sink sink = fl_timeline_sink(made.builder, false);
    static const char *const names[2] = {"ca\0rt", "ca?rt"};
    for (size_t i = 0; i < 2; i++) {
        fl_resource resource = {.service = {(const unsigned char *)names[i], 5}};
        fl_log log = {.time_ns = MADE_AT + (int64_t)i, .body = SLICE("up")};
        uint32_t handle;
        ck_assert_ok(sink.resource(sink.payload, &resource, &handle, &err));
        ck_assert_ok(sink.log(sink.payload, handle, &log, &err));
    }
    finish();
    ck_assert_uint_eq(made.timeline->service_count, 1);
    ck_assert_str_eq(made.timeline->services[0], "ca?rt");
}
END_TEST

START_TEST(more_instances_than_the_budget_count_as_their_service)
{
    char name[32];
    for (unsigned i = 0; i < FL_MAX_ENTITIES + 500; i++) {
        snprintf(name, sizeof(name), "pod-%u", i);
        push_from(i % 2 == 0 ? "cart" : "bank", name, NULL);
    }
    push_from("late", NULL, NULL);
    finish();
    const fl_timeline *t = made.timeline;
    ck_assert_uint_eq(t->service_count, 3);
    ck_assert_uint_eq(t->entity_count, FL_MAX_ENTITIES + 3);
    ck_assert_uint_eq(t->log_records, FL_MAX_ENTITIES + 3); /* equal lines of one entity are one */
}
END_TEST

START_TEST(more_operations_than_the_budget_count_as_other)
{
    char name[32];
    made_record record = {.kind = MADE_SPAN, .service = "cart"};
    for (unsigned i = 0; i < FL_MAX_OPERATIONS + 500; i++) {
        snprintf(name, sizeof(name), "GET /user/%u", i);
        record.span = (fl_span){.trace = {.lo = 1},
                                .id = i + 1,
                                .name = SLICE(name),
                                .start_ns = MADE_AT,
                                .end_ns = MADE_AT + 1};
        ck_assert_ok(made_push(&made, &record, &err));
    }
    finish();
    ck_assert_uint_eq(made.timeline->span_count, FL_MAX_OPERATIONS + 500);
    ck_assert_uint_eq(made.timeline->operation_count, FL_MAX_OPERATIONS + 2);
    ck_assert_uint_eq(fl_timeline_losses_of(made.builder).over_budget, 500);
    const fl_span_row *last = &made.timeline->spans[FL_MAX_OPERATIONS + 499];
    ck_assert_str_eq(made.timeline->operations[last->operation].name, "<other>");
}
END_TEST

START_TEST(a_given_topology_names_services_that_nothing_was_heard_of)
{
    static const char *const edges[] = {"shop", "cart", "cart", "zebra", "cart",
                                        "bank", "shop", "cart", "aa",    "aa"};
    push_from("cart", NULL, NULL);
    made.edges = edges;
    made.edge_count = 5;
    finish();
    const fl_timeline *t = made.timeline;
    static const char *const services[] = {"aa", "bank", "cart", "shop", "zebra"};
    ck_assert_uint_eq(t->service_count, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(t->services[i], services[i]);
    ck_assert_uint_eq(t->topology_count, 4); /* one was given twice */
    ck_assert_uint_eq(t->topology[0].caller, 0);
    ck_assert_uint_eq(t->topology[1].caller, 2);
    ck_assert_uint_eq(t->topology[1].callee, 1);
    ck_assert_uint_eq(t->topology[2].callee, 4);
    ck_assert_uint_eq(t->topology[3].caller, 3);
    ck_assert_uint_eq(t->operation_count, 5); /* one a service, for lines without a span */
}
END_TEST

START_TEST(nothing_at_all_is_a_timeline_too)
{
    finish();
    const fl_timeline *t = made.timeline;
    ck_assert_uint_eq(t->window_count + t->service_count + t->entity_count + t->span_count +
                          t->log_series_count + t->metric_series_count + t->template_count +
                          t->topology_count,
                      0);
    ck_assert_double_eq(t->span_sampling, 1);
    ck_assert_double_eq(t->log_sampling, 1);
}
END_TEST

START_TEST(rejects_are_counted_and_the_first_eight_are_told)
{
    fl_sink sink = fl_timeline_sink(made.builder, true);
    for (uint64_t i = 0; i < 10; i++) {
        fl_reject reject = {
            .source = "a.json", .line = i, .offset = 7 * i, .reason = "broken", .records = 2};
        ck_assert_ok(sink.reject(sink.payload, &reject, &err));
    }
    fl_timeline_losses losses = fl_timeline_losses_of(made.builder);
    ck_assert_uint_eq(losses.rejected, 20);
    ck_assert_uint_eq(losses.first_reject_count, 8);
    ck_assert_str_eq(losses.first_rejects[0], "a.json: broken (byte 0)");
    ck_assert_str_eq(losses.first_rejects[7], "a.json:7: broken (byte 49)");
    ck_assert_uint_eq(losses.over_budget, 0);
}
END_TEST

static Suite *windows_suite(void)
{
    Suite *suite = suite_create("timeline/windows");
    TCase *cases = tcase_create("windows");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, windows_count_from_the_incident);
    tcase_add_test(cases, records_after_the_incident_are_ignored_but_for_the_baselines);
    tcase_add_test(cases, history_reaches_back_a_day_and_a_baseline_any_time);
    tcase_add_test(cases, a_baseline_record_inside_of_the_incident_is_left_out);
    tcase_add_test(cases, an_incident_of_one_step_works);
    tcase_add_test(cases, the_ends_of_time_are_no_trouble);
    tcase_add_test(cases, of_more_windows_than_the_budget_the_nearest_are_kept);
    tcase_add_test(cases, entities_are_sorted_and_named_once);
    tcase_add_test(cases, a_service_without_a_name_is_called_as_the_sdks_call_it);
    tcase_add_test(cases, a_long_name_is_cut_between_characters);
    tcase_add_test(cases, a_nul_in_a_name_is_shown_as_a_question_mark);
    tcase_add_test(cases, more_instances_than_the_budget_count_as_their_service);
    tcase_add_test(cases, more_operations_than_the_budget_count_as_other);
    tcase_add_test(cases, a_given_topology_names_services_that_nothing_was_heard_of);
    tcase_add_test(cases, nothing_at_all_is_a_timeline_too);
    tcase_add_test(cases, rejects_are_counted_and_the_first_eight_are_told);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(windows_suite)
