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

/* Span `id` of trace 7, a second after the last one. */
static made_record span_of(uint64_t id, uint64_t parent, const char *service)
{
    return (made_record){.kind = MADE_SPAN,
                         .service = service,
                         .span = {.trace = {.lo = 7},
                                  .id = id,
                                  .parent = parent,
                                  .name = SLICE("GET /"),
                                  .kind = FL_SPAN_SERVER,
                                  .start_ns = MADE_AT + (int64_t)(id % 100) * MADE_SECOND,
                                  .end_ns = MADE_AT + (int64_t)(id % 100) * MADE_SECOND + 1000}};
}

static void push(made_record record)
{
    ck_assert_ok(made_push(&made, &record, &err));
}

static void push_span(uint64_t id, uint64_t parent)
{
    push(span_of(id, parent, "cart"));
}

static void push_line(uint64_t span, int64_t after_ns, const char *line, const char *service)
{
    push((made_record){.kind = MADE_LOG,
                       .service = service,
                       .log = {.time_ns = MADE_AT + after_ns,
                               .severity = 9,
                               .body = SLICE(line),
                               .trace = {.lo = 7},
                               .span = span}});
}

static const fl_span_row *row_of(uint64_t id)
{
    uint32_t row = made_span_row(&made, id);
    ck_assert_uint_ne(row, FL_NO_INDEX);
    return &made.timeline->spans[row];
}

/* The id of the parent of span `id` by the rows, 0 for a root. */
static uint64_t parent_of(uint64_t id)
{
    const fl_span_row *row = row_of(id);
    return row->parent == FL_NO_INDEX ? 0 : made.timeline->spans[row->parent].id;
}

static void finish(void)
{
    ck_assert_ok(made_finish(&made, &err));
}

START_TEST(a_span_keeps_what_it_said)
{
    made_record record = span_of(1, 0, "cart");
    record.instance = "cart-0";
    record.node = "n1";
    record.span.is_error = true;
    push(record);
    finish();
    const fl_span_row *row = row_of(1);
    const fl_timeline *t = made.timeline;
    ck_assert_uint_eq(t->span_count, 1);
    ck_assert_int_eq(row->start_ns, MADE_AT + MADE_SECOND);
    ck_assert_int_eq(row->duration_ns, 1000);
    ck_assert_int_eq(row->kind, FL_SPAN_SERVER);
    ck_assert(row->is_error);
    ck_assert_str_eq(t->services[t->operations[row->operation].service], "cart");
    ck_assert_str_eq(t->operations[row->operation].name, "GET /");
    ck_assert_str_eq(t->entities[row->entity].instance, "cart-0");
    ck_assert_str_eq(t->entities[row->entity].node, "n1");
    ck_assert(t->windows[row->window].incident);
    ck_assert(t->windows[row->window].has_spans);
    ck_assert(!t->windows[row->window].has_logs);
    ck_assert_uint_eq(t->span_records, 1);
}
END_TEST

START_TEST(parents_are_found_whatever_came_first)
{
    push_span(3, 2);
    push_span(1, 0);
    push_span(2, 1);
    finish();
    ck_assert_uint_eq(parent_of(1), 0);
    ck_assert_uint_eq(parent_of(2), 1);
    ck_assert_uint_eq(parent_of(3), 2);
}
END_TEST

START_TEST(a_span_whose_parent_never_arrives_is_a_root)
{
    push_span(5, 4);
    push_span(6, 5);
    finish();
    ck_assert_uint_eq(parent_of(5), 0);
    ck_assert_uint_eq(row_of(5)->parent_id, 4);
    ck_assert_uint_eq(parent_of(6), 5);
}
END_TEST

START_TEST(a_parent_in_another_trace_is_none)
{
    made_record other = span_of(1, 0, "cart");
    other.span.trace.lo = 8;
    push(other);
    push_span(2, 1);
    finish();
    ck_assert_uint_eq(parent_of(2), 0);
}
END_TEST

START_TEST(a_span_that_is_its_own_parent_is_a_root)
{
    push_span(1, 1);
    push_span(2, 1);
    finish();
    ck_assert_uint_eq(parent_of(1), 0);
    ck_assert_uint_eq(parent_of(2), 1);
}
END_TEST

/* Walk up from every row; false where that does not end. */
static bool is_forest(void)
{
    const fl_timeline *t = made.timeline;
    for (size_t i = 0; i < t->span_count; i++) {
        size_t steps = 0;
        for (uint32_t at = (uint32_t)i; at != FL_NO_INDEX; at = t->spans[at].parent)
            if (++steps > t->span_count)
                return false;
    }
    return true;
}

START_TEST(a_loop_of_two_is_cut_once)
{
    push_span(1, 2);
    push_span(2, 1);
    push_span(3, 2);
    finish();
    ck_assert(is_forest());
    ck_assert_uint_eq(parent_of(1), 2);
    ck_assert_uint_eq(parent_of(2), 0);
    ck_assert_uint_eq(parent_of(3), 2);
}
END_TEST

START_TEST(a_loop_of_three_is_cut_once)
{
    push_span(1, 3);
    push_span(2, 1);
    push_span(3, 2);
    finish();
    ck_assert(is_forest());
    ck_assert_uint_eq(parent_of(1), 3);
    ck_assert_uint_eq(parent_of(3), 2);
    ck_assert_uint_eq(parent_of(2), 0);
}
END_TEST

START_TEST(loops_and_tails_of_any_shape_become_trees)
{
    enum { SPANS = 60, ROUNDS = 50 };
    uint64_t state = 1;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t lost = 0;
        teardown();
        setup();
        for (uint64_t id = 1; id <= SPANS; id++) {
            state = fl_hash_mix(state + 1);
            push_span(id, 1 + state % SPANS); /* everyone has a parent: loops are certain */
        }
        finish();
        ck_assert(is_forest());
        for (uint64_t id = 1; id <= SPANS; id++)
            lost += parent_of(id) == 0;
        ck_assert_uint_ge(lost, 1);
        ck_assert_uint_le(lost, SPANS / 2); /* no more than one a loop */
    }
}
END_TEST

START_TEST(a_chain_of_100000_spans_is_linked_at_once)
{
    enum { DEPTH = 100000 };
    for (uint64_t id = 1; id <= DEPTH; id++) {
        made_record record = span_of(id, id - 1, "deep");
        record.span.start_ns = MADE_AT + (int64_t)id;
        record.span.end_ns = record.span.start_ns + 1;
        push(record);
    }
    finish();
    size_t steps = 0;
    for (uint32_t at = DEPTH - 1; at != FL_NO_INDEX; at = made.timeline->spans[at].parent)
        steps++;
    ck_assert_uint_eq(steps, DEPTH);
}
END_TEST

START_TEST(a_loop_of_100000_spans_is_cut_at_once)
{
    enum { DEPTH = 100000 };
    for (uint64_t id = 1; id <= DEPTH; id++) {
        made_record record = span_of(id, id == 1 ? DEPTH : id - 1, "round");
        record.span.start_ns = MADE_AT + (int64_t)id;
        record.span.end_ns = record.span.start_ns + 1;
        push(record);
    }
    finish();
    size_t roots = 0;
    for (size_t i = 0; i < made.timeline->span_count; i++)
        roots += made.timeline->spans[i].parent == FL_NO_INDEX;
    ck_assert_uint_eq(roots, 1);
}
END_TEST

START_TEST(a_span_sent_twice_counts_once)
{
    for (size_t i = 0; i < 3; i++) {
        push_span(1, 0);
        push_span(2, 1);
    }
    finish();
    ck_assert_uint_eq(made.timeline->span_count, 2);
    ck_assert_uint_eq(made.timeline->span_records, 2);
}
END_TEST

/* B3 lets the client and the server of one call share an id: both stay, the server below the
 * client, and what the server caused below the server. */
START_TEST(client_and_server_that_share_an_id_are_parent_and_child)
{
    made_record client = span_of(2, 1, "shop"), server = span_of(2, 1, "cart"),
                inner = span_of(3, 2, "cart");
    client.span.kind = FL_SPAN_CLIENT;
    client.span.end_ns += 5000;
    server.span.start_ns += 1000;
    server.span.end_ns += 3000;
    inner.span.kind = FL_SPAN_INTERNAL;
    push(server);
    push(inner);
    push(client);
    push(span_of(1, 0, "shop"));
    finish();
    const fl_timeline *t = made.timeline;
    ck_assert_uint_eq(t->span_count, 4);
    ck_assert_int_eq(t->spans[1].kind, FL_SPAN_CLIENT);
    ck_assert_int_eq(t->spans[2].kind, FL_SPAN_SERVER);
    ck_assert_uint_eq(t->spans[1].parent, 0);
    ck_assert_uint_eq(t->spans[2].parent, 1);
    ck_assert_uint_eq(row_of(3)->parent, 2);
}
END_TEST

START_TEST(equal_ids_in_two_traces_are_two_spans)
{
    made_record other = span_of(1, 0, "cart");
    other.span.trace.hi = 7;
    push(other);
    push_span(1, 0);
    finish();
    ck_assert_uint_eq(made.timeline->span_count, 2);
    ck_assert_uint_ne(made.timeline->spans[0].trace, made.timeline->spans[1].trace);
}
END_TEST

START_TEST(lines_stand_under_their_span_in_order_of_time)
{
    push_line(1, 300, "third", "cart");
    push_line(1, 100, "first", "cart");
    push_line(1, 200, "second", "cart");
    push_line(0, 50, "of no span", "cart");
    push_span(1, 0);
    finish();
    const fl_timeline *t = made.timeline;
    ck_assert_uint_eq(t->span_log_count, 3);
    ck_assert_uint_eq(t->span_count, 1);
    ck_assert_str_eq(t->templates[t->span_logs[0].template_index].text, "first");
    ck_assert_str_eq(t->templates[t->span_logs[1].template_index].text, "second");
    ck_assert_str_eq(t->templates[t->span_logs[2].template_index].text, "third");
    ck_assert_uint_eq(t->span_logs[0].span, 0);
}
END_TEST

START_TEST(a_span_that_only_lines_tell_of_has_no_duration)
{
    push_span(1, 0);
    push_line(9, 5 * MADE_SECOND, "later", "cart");
    push_line(9, 3 * MADE_SECOND, "sooner", "cart");
    push_line(8, 4 * MADE_SECOND, "alone", "bank");
    finish();
    const fl_timeline *t = made.timeline;
    ck_assert_uint_eq(t->span_count, 3);
    ck_assert_uint_eq(t->span_records, 1);
    const fl_span_row *told = row_of(9);
    ck_assert_int_eq(told->duration_ns, -1);
    ck_assert_int_eq(told->start_ns, MADE_AT + 3 * MADE_SECOND);
    ck_assert_uint_eq(told->parent, FL_NO_INDEX);
    ck_assert_ptr_null(t->operations[told->operation].name);
    ck_assert_str_eq(t->services[t->operations[told->operation].service], "cart");
    ck_assert_str_eq(t->services[t->operations[row_of(8)->operation].service], "bank");
    ck_assert_uint_eq(t->span_log_count, 3);
    for (size_t i = 1; i < t->span_count; i++)
        ck_assert_int_le(t->spans[i - 1].start_ns, t->spans[i].start_ns);
}
END_TEST

START_TEST(lines_alone_are_no_spans_of_their_window)
{
    push_line(9, 0, "alone", "cart");
    finish();
    ck_assert_uint_eq(made.timeline->span_count, 1);
    ck_assert(!made.timeline->windows[0].has_spans);
    ck_assert(made.timeline->windows[0].has_logs);
}
END_TEST

static void push_event(fl_slice name, int64_t time_ns, const fl_attr *attrs, size_t count)
{
    made_record record = span_of(1, 0, "cart");
    fl_span_event event = {
        .name = name, .time_ns = time_ns, .attrs = {.items = attrs, .count = count}};
    record.span.events = &event;
    record.span.event_count = 1;
    push(record);
}

static const char *only_line(void)
{
    finish();
    ck_assert_uint_eq(made.timeline->span_log_count, 1);
    return made.timeline->templates[made.timeline->span_logs[0].template_index].text;
}

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .kind = FL_VALUE_STRING, .text = FL_SLICE_INIT(literal)                                    \
    }

START_TEST(an_event_is_a_line_of_its_span)
{
    push_event(SLICE("cache miss"), MADE_AT + 30 * MADE_SECOND, NULL, 0);
    ck_assert_str_eq(only_line(), "cache miss");
    ck_assert_int_eq(made.timeline->span_logs[0].time_ns, MADE_AT + 30 * MADE_SECOND);
    ck_assert_uint_eq(made.timeline->log_records, 1);
}
END_TEST

START_TEST(an_event_without_a_time_is_at_the_spans_start)
{
    push_event(SLICE("cache miss"), 0, NULL, 0);
    ck_assert_str_eq(only_line(), "cache miss");
    ck_assert_int_eq(made.timeline->span_logs[0].time_ns, MADE_AT + MADE_SECOND);
}
END_TEST

START_TEST(an_exception_is_told_by_type_and_message)
{
    static const fl_attr attrs[] = {{FL_SLICE_INIT("exception.message"), TEXT("pool is empty")},
                                    {FL_SLICE_INIT("exception.stacktrace"), TEXT("at x")},
                                    {FL_SLICE_INIT("exception.type"), TEXT("TimeoutError")}};
    push_event(SLICE("exception"), MADE_AT, attrs, 3);
    ck_assert_str_eq(only_line(), "TimeoutError: pool is empty");
}
END_TEST

START_TEST(an_exception_may_lack_its_message_or_its_type)
{
    static const fl_attr type[] = {{FL_SLICE_INIT("exception.type"), TEXT("TimeoutError")}};
    static const fl_attr message[] = {{FL_SLICE_INIT("exception.message"), TEXT("pool is empty")}};
    push_event(SLICE("exception"), MADE_AT, type, 1);
    ck_assert_str_eq(only_line(), "TimeoutError");
    teardown();
    setup();
    push_event(SLICE("exception"), MADE_AT, message, 1);
    ck_assert_str_eq(only_line(), "pool is empty");
}
END_TEST

START_TEST(events_of_a_span_sent_twice_count_once)
{
    push_event(SLICE("cache miss"), MADE_AT, NULL, 0);
    push_event(SLICE("cache miss"), MADE_AT, NULL, 0);
    ck_assert_str_eq(only_line(), "cache miss");
}
END_TEST

static Suite *spans_suite(void)
{
    Suite *suite = suite_create("timeline/spans");
    TCase *cases = tcase_create("spans");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_span_keeps_what_it_said);
    tcase_add_test(cases, parents_are_found_whatever_came_first);
    tcase_add_test(cases, a_span_whose_parent_never_arrives_is_a_root);
    tcase_add_test(cases, a_parent_in_another_trace_is_none);
    tcase_add_test(cases, a_span_that_is_its_own_parent_is_a_root);
    tcase_add_test(cases, a_loop_of_two_is_cut_once);
    tcase_add_test(cases, a_loop_of_three_is_cut_once);
    tcase_add_test(cases, loops_and_tails_of_any_shape_become_trees);
    tcase_add_test(cases, a_chain_of_100000_spans_is_linked_at_once);
    tcase_add_test(cases, a_loop_of_100000_spans_is_cut_at_once);
    tcase_add_test(cases, a_span_sent_twice_counts_once);
    tcase_add_test(cases, client_and_server_that_share_an_id_are_parent_and_child);
    tcase_add_test(cases, equal_ids_in_two_traces_are_two_spans);
    tcase_add_test(cases, lines_stand_under_their_span_in_order_of_time);
    tcase_add_test(cases, a_span_that_only_lines_tell_of_has_no_duration);
    tcase_add_test(cases, lines_alone_are_no_spans_of_their_window);
    tcase_add_test(cases, an_event_is_a_line_of_its_span);
    tcase_add_test(cases, an_event_without_a_time_is_at_the_spans_start);
    tcase_add_test(cases, an_exception_is_told_by_type_and_message);
    tcase_add_test(cases, an_exception_may_lack_its_message_or_its_type);
    tcase_add_test(cases, events_of_a_span_sent_twice_count_once);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(spans_suite)
