#include "mem.h"
#include "timeline_made.h"

#define MS INT64_C(1000000)

static made_timeline made;
static fl_error err;
static uint64_t next_id;

static void setup(void)
{
    err = (fl_error){0};
    made = (made_timeline){0};
    next_id = 1;
    ck_assert_ok(made_begin(&made, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    made_dispose(&made);
}

/* Calls of one service by another, in traces of their own. The server takes 10 ms; the way there
 * and back takes 1 to 2 ms, not always the same. */
typedef struct calls {
    const char *client, *server;
    int64_t client_ahead_ns, server_ahead_ns; /* of true time */
    unsigned count;
    fl_span_kind client_kind, server_kind;
    int64_t way_ns;     /* 0: 1 to 2 ms */
    int64_t overrun_ns; /* the server works on after its client left */
} calls;

static int64_t way_of(const calls *c, unsigned i)
{
    return c->way_ns != 0 ? c->way_ns : MS + (int64_t)(i * 7 % 11) * MS / 11;
}

static made_record span_of(const char *service, fl_span_kind kind, int64_t start_ns,
                           int64_t duration_ns)
{
    return (made_record){.kind = MADE_SPAN,
                         .service = service,
                         .span = {.id = next_id++,
                                  .name = SLICE("op"),
                                  .kind = kind,
                                  .start_ns = start_ns,
                                  .end_ns = start_ns + duration_ns}};
}

static void push(const made_record *record)
{
    ck_assert_ok(made_push(&made, record, &err));
}

static void push_calls(const calls *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        int64_t way = way_of(c, i), there = way / 2, at = MADE_AT - 100 * MADE_SECOND;
        at += (int64_t)i * MADE_SECOND;
        made_record client =
            span_of(c->client, c->client_kind, at + c->client_ahead_ns, 10 * MS + way);
        made_record server = span_of(c->server, c->server_kind, at + there + c->server_ahead_ns,
                                     10 * MS + c->overrun_ns);
        client.span.trace.lo = server.span.trace.lo = client.span.id;
        server.span.parent = client.span.id;
        push(&client);
        push(&server);
    }
}

static void finish(void)
{
    ck_assert_ok(made_finish(&made, &err));
}

#define TOLD .client_kind = FL_SPAN_CLIENT, .server_kind = FL_SPAN_SERVER

/* The clock of that service; NULL where it is that of the others. */
static const fl_clock *clock_of(const char *service)
{
    for (size_t i = 0; i < made.timeline->clock_count; i++)
        if (made.timeline->entities[made.timeline->clocks[i].entity].service ==
            made_service(&made, service))
            return &made.timeline->clocks[i];
    return NULL;
}

static void assert_ahead(const char *service, int64_t expected_ns)
{
    const fl_clock *clock = clock_of(service);
    ck_assert_msg(clock != NULL, "%s has the clock of the others", service);
    ck_assert_int_le(clock->offset_ns - expected_ns, clock->error_ns);
    ck_assert_int_le(expected_ns - clock->offset_ns, clock->error_ns);
    ck_assert_int_gt(clock->error_ns, 0);
}

START_TEST(clocks_that_agree_are_not_told_of)
{
    push_calls(&(calls){.client = "shop", .server = "cart", .count = 50, TOLD});
    finish();
    ck_assert_uint_eq(0, made.timeline->clock_count);
}
END_TEST

static const int64_t offsets_ns[] = {-3600000 * MS, -2000 * MS, -50 * MS,  -5 * MS,
                                     5 * MS,        50 * MS,    2000 * MS, 200000 * MS};

/* The way takes at most 2 ms, so that the error is at most 1 ms. */
START_TEST(an_offset_beyond_the_network_is_found_within_its_error)
{
    push_calls(&(calls){.client = "shop", .server = "base", .count = 100, TOLD});
    push_calls(&(calls){
        .client = "shop", .server = "cart", .server_ahead_ns = offsets_ns[_i], .count = 50, TOLD});
    finish();
    ck_assert_uint_eq(1, made.timeline->clock_count);
    assert_ahead("cart", offsets_ns[_i]);
    ck_assert_int_le(clock_of("cart")->error_ns, MS);
    ck_assert_uint_eq(50, clock_of("cart")->calls);
}
END_TEST

START_TEST(spans_and_lines_are_put_where_they_belong)
{
    push_calls(&(calls){.client = "shop", .server = "base", .count = 100, TOLD});
    uint64_t first = next_id;
    push_calls(&(calls){.client = "shop",
                        .server = "cart",
                        .server_ahead_ns = -65 * MADE_SECOND,
                        .count = 20,
                        TOLD});
    made_record line = {.kind = MADE_LOG,
                        .service = "cart",
                        .log = {.time_ns = MADE_AT - 165 * MADE_SECOND + 5 * MS,
                                .severity = 9,
                                .body = SLICE("here"),
                                .trace = {.lo = first},
                                .span = first + 1}};
    push(&line);
    finish();
    const fl_span_row *spans = made.timeline->spans;
    for (uint64_t id = first; id < next_id; id += 2) {
        const fl_span_row *client = &spans[made_span_row(&made, id)];
        const fl_span_row *server = &spans[made_span_row(&made, id + 1)];
        ck_assert(&spans[server->parent] == client);
        ck_assert_int_ge(server->start_ns, client->start_ns - MS);
        ck_assert_int_le(server->start_ns + server->duration_ns,
                         client->start_ns + client->duration_ns + MS);
        ck_assert_uint_eq(client->window, server->window);
    }
    ck_assert_uint_eq(1, made.timeline->span_log_count);
    const fl_span_log *told = &made.timeline->span_logs[0];
    ck_assert_uint_eq(first + 1, spans[told->span].id);
    ck_assert_int_ge(told->time_ns, spans[told->span].start_ns);
    ck_assert_int_le(told->time_ns, spans[told->span].start_ns + spans[told->span].duration_ns);
}
END_TEST

static const struct quiet {
    const char *why;
    calls calls;
} quiet[] = {
    {"the network explains it",
     {.client = "shop",
      .server = "cart",
      .server_ahead_ns = 3 * MS,
      .way_ns = 20 * MS,
      .count = 50,
      TOLD}},
    {"milliseconds are cut",
     {.client = "shop",
      .server = "cart",
      .server_ahead_ns = MS,
      .way_ns = 1000,
      .count = 50,
      TOLD}},
    {"few calls",
     {.client = "shop", .server = "cart", .server_ahead_ns = 500 * MS, .count = 7, TOLD}},
    {"the server works on after its client gave up",
     {.client = "shop", .server = "cart", .overrun_ns = 300 * MS, .count = 50, TOLD}},
    {"a consumer is not waited for",
     {.client = "shop",
      .server = "cart",
      .server_ahead_ns = 500 * MS,
      .count = 50,
      .client_kind = FL_SPAN_PRODUCER,
      .server_kind = FL_SPAN_CONSUMER}},
    {"nobody says that it is waited for",
     {.client = "shop", .server = "cart", .server_ahead_ns = 500 * MS, .count = 50}},
    {"it is one service",
     {.client = "shop", .server = "shop", .server_ahead_ns = -500 * MS, .count = 50, TOLD}},
    {"it is no clock",
     {.client = "shop",
      .server = "cart",
      .server_ahead_ns = -90000 * 1000 * MS,
      .count = 50,
      TOLD}},
};

START_TEST(what_has_another_reason_is_no_clock)
{
    push_calls(&quiet[_i].calls);
    finish();
    ck_assert_msg(made.timeline->clock_count == 0, "%s", quiet[_i].why);
}
END_TEST

START_TEST(a_server_that_begins_before_it_is_called_is_enough)
{
    push_calls(&(calls){.client = "shop", .server = "base", .count = 100});
    push_calls(
        &(calls){.client = "shop", .server = "cart", .server_ahead_ns = -500 * MS, .count = 50});
    finish();
    ck_assert_uint_eq(1, made.timeline->clock_count);
    assert_ahead("cart", -500 * MS);
}
END_TEST

START_TEST(one_clock_that_differs_from_many_is_the_one_that_is_told)
{
    push_calls(
        &(calls){.client = "shop", .server = "a", .client_ahead_ns = 700 * MS, .count = 50, TOLD});
    push_calls(
        &(calls){.client = "shop", .server = "b", .client_ahead_ns = 700 * MS, .count = 50, TOLD});
    push_calls(
        &(calls){.client = "shop", .server = "c", .client_ahead_ns = 700 * MS, .count = 50, TOLD});
    push_calls(&(calls){.client = "a", .server = "d", .count = 60, TOLD});
    finish();
    ck_assert_uint_eq(1, made.timeline->clock_count);
    assert_ahead("shop", 700 * MS);
}
END_TEST

START_TEST(offsets_add_up_along_the_calls)
{
    push_calls(&(calls){.client = "shop", .server = "base", .count = 100, TOLD});
    push_calls(
        &(calls){.client = "shop", .server = "a", .server_ahead_ns = 300 * MS, .count = 50, TOLD});
    push_calls(&(calls){.client = "a",
                        .server = "b",
                        .client_ahead_ns = 300 * MS,
                        .server_ahead_ns = -200 * MS,
                        .count = 50,
                        TOLD});
    push_calls(&(calls){.client = "b",
                        .server = "c",
                        .client_ahead_ns = -200 * MS,
                        .server_ahead_ns = -200 * MS,
                        .count = 50,
                        TOLD});
    finish();
    ck_assert_uint_eq(3, made.timeline->clock_count);
    assert_ahead("a", 300 * MS);
    assert_ahead("b", -200 * MS);
    assert_ahead("c", -200 * MS);
    ck_assert_int_gt(clock_of("b")->error_ns, clock_of("a")->error_ns);
}
END_TEST

START_TEST(a_clock_that_jumps_has_a_large_error_or_none_is_told)
{
    push_calls(&(calls){
        .client = "shop", .server = "cart", .server_ahead_ns = 400 * MS, .count = 30, TOLD});
    push_calls(&(calls){
        .client = "shop", .server = "cart", .server_ahead_ns = -400 * MS, .count = 30, TOLD});
    finish();
    ck_assert_uint_eq(0, made.timeline->clock_count);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    long successes = 0;
    fl_status status;
    do {
        made_dispose(&made);
        ck_assert_ok(made_begin(&made, &err));
        push_calls(&(calls){
            .client = "shop", .server = "cart", .server_ahead_ns = -500 * MS, .count = 20, TOLD});
        fl_mem_fail_after(successes++);
        status = made_finish(&made, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        err = (fl_error){0};
    } while (status != FL_OK);
    ck_assert_uint_eq(1, made.timeline->clock_count);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("timeline_clocks");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, clocks_that_agree_are_not_told_of);
    tcase_add_loop_test(tests, an_offset_beyond_the_network_is_found_within_its_error, 0,
                        ROWS(offsets_ns));
    tcase_add_test(tests, spans_and_lines_are_put_where_they_belong);
    tcase_add_loop_test(tests, what_has_another_reason_is_no_clock, 0, ROWS(quiet));
    tcase_add_test(tests, a_server_that_begins_before_it_is_called_is_enough);
    tcase_add_test(tests, one_clock_that_differs_from_many_is_the_one_that_is_told);
    tcase_add_test(tests, offsets_add_up_along_the_calls);
    tcase_add_test(tests, a_clock_that_jumps_has_a_large_error_or_none_is_told);
    tcase_add_test(tests, each_allocation_may_fail);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
