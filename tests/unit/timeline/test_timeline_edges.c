/*
 * Who calls whom, as metrics tell it.
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
    text = fl_buf_of(1 << 16);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    made_dispose(&made);
    fl_buf_dispose(&text);
}

typedef struct call {
    const char *metric, *from_key, *from, *to_key, *to;
    double value;
} call;

static fl_status push(const call *what, fl_error *e)
{
    fl_attr labels[2] = {{.key = fl_slice_of(what->from_key),
                          .value = {.kind = FL_VALUE_STRING, .text = fl_slice_of(what->from)}},
                         {.key = fl_slice_of(what->to_key),
                          .value = {.kind = FL_VALUE_STRING, .text = fl_slice_of(what->to)}}};
    made_record record = {.kind = MADE_POINT,
                          .service = "gateway",
                          .point = {.metric = fl_slice_of(what->metric),
                                    .kind = FL_POINT_GAUGE,
                                    .time_ns = MADE_AT,
                                    .value = what->value,
                                    .attrs = {.items = labels, .count = 2}}};
    return made_push(&made, &record, e);
}

static fl_status build(const call *calls, size_t count, fl_error *e)
{
    static const char *const others[] = {"cart", "bank", "shop"};
    fl_status status = made_begin(&made, e);
    for (size_t i = 0; i < 3 && status == FL_OK; i++) {
        made_record known = {.kind = MADE_LOG, .service = others[i]};
        known.log = (fl_log){.time_ns = MADE_AT, .body = SLICE("up")};
        status = made_push(&made, &known, e);
    }
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = push(&calls[i], e);
    return status == FL_OK ? made_finish(&made, e) : status;
}

static const char *edges_of(const call *calls, size_t count)
{
    ck_assert_ok(build(calls, count, &err));
    fl_buf_clear(&text);
    for (size_t i = 0; i < made.timeline->topology_count; i++)
        fl_buf_printf(&text, "%s>%s ", made.timeline->services[made.timeline->topology[i].caller],
                      made.timeline->services[made.timeline->topology[i].callee]);
    return text.len > 0 ? text.ptr : "";
}

#define GRAPH(from, to, value)                                                                     \
    {                                                                                              \
        "traces_service_graph_request_total", "client", from, "server", to, value                  \
    }

START_TEST(a_service_graph_names_callers_and_callees)
{
    const call calls[] = {GRAPH("shop", "cart", 3),     GRAPH("cart", "bank", 1),
                          GRAPH("shop", "cart", 4),     GRAPH("user", "shop", 9),
                          GRAPH("bank", "postgres", 9), GRAPH("shop", "bank", 0),
                          GRAPH("cart", "cart", 2)};
    ck_assert_str_eq(edges_of(calls, sizeof(calls) / sizeof(calls[0])), "cart>bank shop>cart ");
}
END_TEST

START_TEST(a_mesh_names_sources_and_destinations)
{
    const call calls[] = {
        {"istio_requests_total", "source_workload", "shop", "destination_workload", "cart", 1},
        {"istio_requests_total", "source_app", "cart", "destination_app", "bank", 1},
        {"istio_request_duration_milliseconds", "source_canonical_service", "shop",
         "destination_canonical_service", "bank", 1},
        {"other_requests_total", "source_app", "bank", "destination_app", "cart", 1}};
    ck_assert_str_eq(edges_of(calls, 4), "cart>bank shop>bank shop>cart ");
}
END_TEST

START_TEST(a_given_call_graph_counts_alone)
{
    static const char *const given[] = {"bank", "cart"};
    const call calls[] = {GRAPH("shop", "cart", 3)};
    made.edges = given;
    made.edge_count = 1;
    ck_assert_str_eq(edges_of(calls, 1), "bank>cart ");
}
END_TEST

START_TEST(a_label_is_found_by_its_whole_name)
{
    const call calls[] = {
        {"traces_service_graph_request_total", "xclient", "shop", "server", "cart", 1},
        {"traces_service_graph_request_total", "client", "shop", "servers", "cart", 1},
        {"traces_service_graph_request_total", "client", "", "server", "cart", 1}};
    ck_assert_str_eq(edges_of(calls, 3), "");
}
END_TEST

START_TEST(whichever_allocation_fails_nothing_leaks)
{
    const call calls[] = {GRAPH("shop", "cart", 3), GRAPH("cart", "bank", 1)};
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 1000);
        fl_mem_fail_after(after);
        fl_status status = build(calls, 2, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
        made_dispose(&made);
    }
    ck_assert_uint_eq(made.timeline->topology_count, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("timeline/timeline_edges");
    TCase *cases = tcase_create("edges");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_service_graph_names_callers_and_callees);
    tcase_add_test(cases, a_mesh_names_sources_and_destinations);
    tcase_add_test(cases, a_given_call_graph_counts_alone);
    tcase_add_test(cases, a_label_is_found_by_its_whole_name);
    tcase_add_test(cases, whichever_allocation_fails_nothing_leaks);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
