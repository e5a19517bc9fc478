#include "trace_streams.h"

#include "made_spans.h"
#include "mem.h"

static fl_error err;
static fl_arena arena;
static struct made_spans made;
static fl_streams streams;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64u << 20);
    made_init(&made, 2, 2);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static void build(void)
{
    ck_assert_ok(fl_streams_build(&streams, &made.timeline, &arena, &err));
}

/* ---- the streams as text ---- */

static void path_of(char *out, size_t cap, uint32_t operation)
{
    const fl_operation *op = &made.operations[operation];
    snprintf(out, cap, "%s/%s", made.services[op->service], op->name != NULL ? op->name : "");
}

static void spell_step(char *out, size_t cap, fl_step step)
{
    static const char *const plain[] = {
        [FL_STEP_START] = "START", [FL_STEP_END] = "END", [FL_STEP_END_ERROR] = "E!END"};
    uint32_t index = fl_step_index(step);
    char one[64], two[64];
    switch (fl_step_kind_of(step)) {
    case FL_STEP_START:
    case FL_STEP_END:
    case FL_STEP_END_ERROR:
        snprintf(out, cap, "%s", plain[fl_step_kind_of(step)]);
        return;
    case FL_STEP_LOG:
        snprintf(out, cap, "\"%s\"", made.templates[index].text);
        return;
    case FL_STEP_LOCAL:
        path_of(one, sizeof(one), index);
        snprintf(out, cap, "%s", one);
        return;
    case FL_STEP_REMOTE:
        if (index != FL_ANY_SERVER)
            path_of(one, sizeof(one), index);
        snprintf(out, cap, "!%s", index == FL_ANY_SERVER ? "any" : one);
        return;
    case FL_STEP_CALL:
        path_of(one, sizeof(one), streams.calls[index].client);
        path_of(two, sizeof(two), streams.calls[index].server);
        snprintf(out, cap, "%s>%s", one, two);
        return;
    }
    ck_abort_msg("step kind %d", (int)fl_step_kind_of(step));
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Every transition as "L|C operation: step > step @windows", sorted. */
static char *spell_transitions(void)
{
    static char lines[1024][256], text[1 << 16];
    size_t count = 0, len = 0;
    for (size_t c = 0; c < streams.context_count; c++) {
        const fl_context *context = &streams.contexts[c];
        for (uint32_t b = 0; b < context->row_count; b++) {
            const fl_transition *row = &streams.rows[streams.context_rows[context->first_row + b]];
            char operation[64], from[160], to[160];
            path_of(operation, sizeof(operation), context->operation);
            spell_step(from, sizeof(from), context->step);
            spell_step(to, sizeof(to), row->next);
            ck_assert_uint_lt(count, 1024);
            int at = snprintf(lines[count], 256, "%c %.60s: %.60s > %.60s @",
                              context->chain == FL_CHAIN_LOGS ? 'L' : 'C', operation, from, to);
            for (size_t i = 0; i < row->count && at < 240; i++)
                at += snprintf(lines[count] + at, 256 - (size_t)at, "%u", row->windows[i]);
            count++;
        }
    }
    qsort(lines, count, sizeof(lines[0]), compare_lines);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", lines[i]);
    return text;
}

static void check_transitions(const char *expected)
{
    ck_assert_str_eq(spell_transitions(), expected);
}

/* exp(value) - 0.5 ms of the stream in a window; NaN where there is none. */
static double ms_of(fl_value_stream_kind kind, const char *from, const char *to, uint32_t window)
{
    for (size_t i = 0; i < streams.value_count; i++) {
        const fl_value_stream *s = &streams.values[i];
        bool same = s->kind == kind &&
                    (kind == FL_STREAM_WIRE ? strcmp(made.services[s->caller], from) == 0 &&
                                                  strcmp(made.services[s->callee], to) == 0
                                            : s->operation == made_operation(&made, from));
        if (same)
            return exp(s->values[window]) - 0.5;
    }
    return NAN;
}

static double self_ms(const char *path, uint32_t window)
{
    return ms_of(FL_STREAM_SELF, path, NULL, window);
}

/* ---- durations ---- */

START_TEST(self_time_is_what_children_leave)
{
    static const struct {
        const char *name;
        double children[4][2]; /* start, duration; of a parent of 100 ms */
        size_t count;
        double self;
    } cases[] = {
        {"no child", {{0}}, 0, 100},
        {"one child", {{10, 30}}, 1, 70},
        {"one after the other", {{10, 20}, {40, 20}}, 2, 60},
        {"touching", {{0, 50}, {50, 50}}, 2, 0},
        {"overlapping", {{10, 40}, {30, 40}}, 2, 40},
        {"nested", {{10, 60}, {20, 10}}, 2, 40},
        {"nested, then a gap, then another", {{10, 60}, {20, 10}, {80, 5}}, 3, 35},
        {"the same interval twice", {{10, 30}, {10, 30}}, 2, 70},
        {"beginning before its parent", {{-20, 30}}, 1, 90},
        {"ending after its parent", {{80, 50}}, 1, 80},
        {"all before its parent", {{-50, 30}}, 1, 100},
        {"all after its parent", {{120, 30}}, 1, 100},
        {"around its parent", {{-10, 500}}, 1, 0},
        {"without duration", {{40, 0}}, 1, 100},
        {"four in parallel", {{0, 90}, {1, 90}, {2, 90}, {3, 90}}, 4, 7},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made_init(&made, 2, 2);
        uint32_t parent = made_span(&made, FL_NO_INDEX, "shop/buy", 1, 1000, 100);
        for (size_t c = 0; c < cases[i].count; c++)
            made_span(&made, parent, "shop/step", 1, 1000 + cases[i].children[c][0],
                      cases[i].children[c][1]);
        build();
        double self = self_ms("shop/buy", 1);
        ck_assert_msg(fabs(self - cases[i].self) < 1e-9, "%s: %f ms, not %f", cases[i].name, self,
                      cases[i].self);
        double total = ms_of(FL_STREAM_TOTAL, "shop/buy", NULL, 1);
        ck_assert_msg(cases[i].count == 0 ? isnan(total) : fabs(total - 100) < 1e-9,
                      "%s: %f ms in all", cases[i].name, total);
        fl_arena_reset(&arena);
    }
}
END_TEST

START_TEST(a_child_that_only_its_lines_tell_of_takes_no_time)
{
    uint32_t parent = made_span(&made, FL_NO_INDEX, "shop/buy", 0, 0, 100);
    made_span(&made, parent, "shop/", 0, 10, -1);
    build();
    ck_assert_double_eq_tol(self_ms("shop/buy", 0), 100, 1e-9);
    ck_assert(isnan(self_ms("shop/", 0)));
}
END_TEST

START_TEST(a_window_holds_the_median_and_the_count)
{
    const double odd[] = {30, 10, 20}, even[] = {10, 40};
    for (size_t i = 0; i < 3; i++)
        made_span(&made, FL_NO_INDEX, "shop/buy", 0, (double)i, odd[i]);
    for (size_t i = 0; i < 2; i++)
        made_span(&made, FL_NO_INDEX, "shop/buy", 2, (double)i, even[i]);
    build();
    ck_assert_uint_eq(streams.value_count, 1);
    const fl_value_stream *s = &streams.values[0];
    ck_assert_double_eq_tol(s->values[0], log(20.5), 1e-12);
    ck_assert_double_nan(s->values[1]);
    ck_assert_double_eq_tol(s->values[2], (log(10.5) + log(40.5)) / 2, 1e-12);
    ck_assert_double_nan(s->values[3]);
    ck_assert_double_eq(s->counts[0], 3);
    ck_assert_double_eq(s->counts[1], 0);
    ck_assert_double_eq(s->counts[2], 2);
    ck_assert_uint_eq(s->caller, FL_NO_INDEX);
}
END_TEST

/* cart calls pay through a client span. */
static uint32_t made_call(uint32_t parent, uint32_t window, double start, double client,
                          double skew, double server)
{
    uint32_t call = made_span(&made, parent, "cart/GET", window, start, client);
    return made_span(&made, call, "pay/charge", window, start + skew, server);
}

START_TEST(the_wire_is_what_the_server_leaves_of_the_client)
{
    uint32_t root = made_span(&made, FL_NO_INDEX, "cart/order", 1, 0, 100);
    made_call(root, 1, 10, 50, 5, 30);
    build();
    ck_assert_double_eq_tol(ms_of(FL_STREAM_WIRE, "cart", "pay", 1), 20, 1e-9);
    ck_assert_double_eq_tol(self_ms("cart/order", 1), 50, 1e-9);
    ck_assert_double_eq_tol(self_ms("pay/charge", 1), 30, 1e-9);
    ck_assert(isnan(self_ms("cart/GET", 1))); /* it only waits */
    ck_assert_uint_eq(streams.edge_count, 1);
}
END_TEST

START_TEST(clocks_that_differ_do_not_change_the_wire)
{
    const double skews[] = {-86400000, -1000, 0, 5, 1000, 86400000};
    for (size_t i = 0; i < sizeof(skews) / sizeof(skews[0]); i++) {
        made_init(&made, 2, 2);
        made_call(made_span(&made, FL_NO_INDEX, "cart/order", 1, 0, 100), 1, 10, 50, skews[i], 30);
        build();
        ck_assert_double_eq_tol(ms_of(FL_STREAM_WIRE, "cart", "pay", 1), 20, 1e-9);
        ck_assert_double_eq_tol(self_ms("cart/order", 1), 50, 1e-9);
        fl_arena_reset(&arena);
    }
}
END_TEST

START_TEST(a_server_that_took_longer_than_its_client_leaves_no_wire)
{
    made_call(FL_NO_INDEX, 1, 10, 50, 0, 80);
    build();
    ck_assert_double_eq_tol(ms_of(FL_STREAM_WIRE, "cart", "pay", 1), 0, 1e-9);
}
END_TEST

START_TEST(a_server_that_only_its_lines_tell_of_gives_no_wire)
{
    uint32_t call = made_span(&made, FL_NO_INDEX, "cart/GET", 1, 0, 50);
    made_span(&made, call, "pay/", 1, 0, -1);
    build();
    ck_assert(isnan(ms_of(FL_STREAM_WIRE, "cart", "pay", 1)));
    ck_assert_uint_eq(streams.edge_count, 1);
}
END_TEST

/* ---- clients ---- */

START_TEST(an_operation_is_a_client_when_half_of_its_spans_wait_for_one_other_service)
{
    for (unsigned waiting = 0; waiting <= 4; waiting++)
        for (int kind = FL_SPAN_UNSPECIFIED; kind <= FL_SPAN_CLIENT; kind++) {
            made_init(&made, 2, 2);
            for (unsigned i = 0; i < 4; i++) {
                uint32_t call = made_span(&made, FL_NO_INDEX, "cart/GET", 0, i, 50);
                made.spans[call].kind = (uint8_t)kind;
                if (i < waiting)
                    made_span(&made, call, "pay/charge", 0, i, 30);
            }
            build();
            bool serves = kind == FL_SPAN_SERVER;
            bool is_client = !serves && waiting >= 2; /* calls that fail lack the server's span */
            ck_assert_msg(isnan(self_ms("cart/GET", 0)) == is_client, "%u of 4 wait, kind %d",
                          waiting, kind);
            ck_assert(isnan(ms_of(FL_STREAM_WIRE, "cart", "pay", 0)) == (serves || waiting == 0));
            fl_arena_reset(&arena);
        }
}
END_TEST

/* Without a span around the call, what the call leaves is its caller's own time. */
START_TEST(a_span_that_serves_has_time_of_its_own_though_it_only_calls_one_other)
{
    made_init(&made, 2, 2);
    uint32_t order = made_span(&made, FL_NO_INDEX, "cart/order", 0, 0, 50);
    made.spans[order].kind = FL_SPAN_SERVER;
    uint32_t charge = made_span(&made, order, "pay/charge", 0, 10, 30);
    made.spans[charge].kind = FL_SPAN_CONSUMER;
    made_span(&made, charge, "bank/book", 0, 15, 10);
    build();
    ck_assert_double_eq_tol(self_ms("cart/order", 0), 20, 1e-6);
    ck_assert_double_eq_tol(self_ms("pay/charge", 0), 20, 1e-6);
    ck_assert(isnan(ms_of(FL_STREAM_WIRE, "cart", "pay", 0)));
    ck_assert(isnan(ms_of(FL_STREAM_WIRE, "pay", "bank", 0)));
}
END_TEST

START_TEST(who_has_other_children_is_no_client)
{
    uint32_t root = made_span(&made, FL_NO_INDEX, "cart/order", 0, 0, 100);
    made_span(&made, root, "pay/charge", 0, 10, 20);
    made_span(&made, root, "stock/take", 0, 40, 20);
    build();
    ck_assert_double_eq_tol(self_ms("cart/order", 0), 60, 1e-9);
    ck_assert(isnan(ms_of(FL_STREAM_WIRE, "cart", "pay", 0)));
    ck_assert_uint_eq(streams.edge_count, 2);
    check_transitions("C cart/order: !pay/charge > !stock/take @0\n"
                      "C cart/order: !stock/take > END @0\n"
                      "C cart/order: START > !pay/charge @0\n"
                      "C pay/charge: START > END @0\n"
                      "C stock/take: START > END @0\n");
}
END_TEST

/* ---- chains ---- */

START_TEST(a_trace_gives_its_chains)
{
    uint32_t root = made_span(&made, FL_NO_INDEX, "cart/order", 0, 0, 100);
    uint32_t check = made_span(&made, root, "cart/check", 0, 1, 5);
    uint32_t call = made_span(&made, root, "cart/GET", 0, 10, 50);
    uint32_t server = made_span(&made, call, "pay/charge", 0, 12, 40);
    made_log(&made, root, "order begins", false);
    made_log(&made, root, "order done", false);
    made_log(&made, server, "card refused", true);
    made.spans[server].is_error = true;
    made_trace(&made);
    made_span(&made, FL_NO_INDEX, "cart/order", 2, 0, 10);
    (void)check;
    build();
    check_transitions("C cart/GET: START > !any @0\n"
                      "C cart/check: START > END @0\n"
                      "C cart/order: START > END @2\n"
                      "C cart/order: START > cart/check @0\n"
                      "C cart/order: cart/GET>pay/charge > END @0\n"
                      "C cart/order: cart/check > cart/GET>pay/charge @0\n"
                      "C pay/charge: START > E!END @0\n"
                      "L cart/check: START > END @0\n"
                      "L cart/order: \"order begins\" > \"order done\" @0\n"
                      "L cart/order: \"order done\" > END @0\n"
                      "L cart/order: START > \"order begins\" @0\n"
                      "L cart/order: START > END @2\n" /* nothing was written: visible */
                      "L pay/charge: \"card refused\" > E!END @0\n"
                      "L pay/charge: START > \"card refused\" @0\n");
    ck_assert_uint_eq(streams.call_count, 1);
}
END_TEST

START_TEST(without_any_line_there_is_no_chain_of_lines)
{
    made_span(&made, FL_NO_INDEX, "cart/order", 0, 0, 100);
    build();
    check_transitions("C cart/order: START > END @0\n");
}
END_TEST

START_TEST(a_waiting_client_writes_only_the_lines_that_it_has)
{
    made_call(FL_NO_INDEX, 0, 0, 50, 0, 30);
    made_trace(&made);
    uint32_t call = made_span(&made, FL_NO_INDEX, "cart/GET", 1, 0, 50);
    made_span(&made, call, "pay/charge", 1, 10, 30);
    made_log(&made, call, "retried", false);
    build();
    check_transitions("C cart/GET: START > !any @01\n"
                      "C pay/charge: START > END @01\n"
                      "L cart/GET: \"retried\" > END @1\n"
                      "L cart/GET: START > \"retried\" @1\n"
                      "L pay/charge: START > END @01\n");
}
END_TEST

START_TEST(a_call_that_failed_ends_without_a_server)
{
    made_call(FL_NO_INDEX, 0, 0, 50, 0, 30);
    made_trace(&made);
    uint32_t failed = made_span(&made, FL_NO_INDEX, "cart/GET", 1, 0, 50);
    made.spans[failed].is_error = true;
    build();
    check_transitions("C cart/GET: START > !any @0\n"
                      "C cart/GET: START > E!END @1\n"
                      "C pay/charge: START > END @0\n");
}
END_TEST

START_TEST(a_span_that_only_its_lines_tell_of_has_only_their_chain)
{
    uint32_t span = made_span(&made, FL_NO_INDEX, "cart/", 3, 0, -1);
    made_log(&made, span, "one", false);
    made_log(&made, span, "one", false);
    build();
    check_transitions("L cart/: \"one\" > \"one\" @3\n"
                      "L cart/: \"one\" > END @3\n"
                      "L cart/: START > \"one\" @3\n");
    ck_assert_uint_eq(streams.value_count, 0);
}
END_TEST

/* Where spans were sampled away, what is left of their lines tells no order. */
START_TEST(lines_without_a_span_tell_no_order_where_spans_were_recorded)
{
    uint32_t lost = made_span(&made, FL_NO_INDEX, "cart/", 3, 0, -1);
    made_log(&made, lost, "one", false);
    made_log(&made, lost, "two", false);
    made_trace(&made);
    uint32_t kept = made_span(&made, FL_NO_INDEX, "pay/charge", 3, 0, 10);
    made_log(&made, kept, "three", false);
    build();
    check_transitions("C pay/charge: START > END @3\n"
                      "L pay/charge: \"three\" > END @3\n"
                      "L pay/charge: START > \"three\" @3\n");
}
END_TEST

START_TEST(an_empty_timeline_gives_empty_streams)
{
    build();
    ck_assert_uint_eq(
        streams.context_count + streams.row_count + streams.value_count + streams.edge_count, 0);
    ck_assert_uint_eq(streams.first_of_span[0], 0);
}
END_TEST

/* ---- properties of any forest ---- */

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Parents come before or after their children in a row, since clocks differ; there are no loops. */
static void make_forest(uint64_t seed)
{
    static const char *const paths[] = {"a/in", "a/GET", "b/in", "b/GET", "b/step",
                                        "c/in", "c/db",  "a/",   "b/",    "c/"};
    static const char *const texts[] = {"begin", "found", "lost", "done"};
    made_init(&made, 2, 2);
    for (size_t trace = 0; trace < 40; trace++) {
        size_t first = made.timeline.span_count, count = 1 + next_random(&seed) % 11;
        uint32_t window = next_random(&seed) % 4;
        for (size_t i = 0; i < count; i++) {
            uint32_t path = next_random(&seed) % 10;
            double duration = path > 6 ? -1.0 : (double)(next_random(&seed) % 100);
            made_span(&made, FL_NO_INDEX, paths[path], window, next_random(&seed) % 100, duration);
        }
        bool forward = next_random(&seed) % 2 == 0;
        for (size_t i = 1; i < count; i++) {
            size_t child = forward ? first + i : first + count - 1 - i;
            size_t parent = forward ? first + next_random(&seed) % i
                                    : first + count - 1 - next_random(&seed) % i;
            if (next_random(&seed) % 8 != 0)
                made.spans[child].parent = (uint32_t)parent;
        }
        for (size_t i = first; i < first + count; i++)
            for (uint32_t lines = next_random(&seed) % 4; lines > 1; lines--)
                made_log(&made, (uint32_t)i, texts[next_random(&seed) % 4], false);
        made_trace(&made);
    }
}

/* Each span's transitions, as the definition says, from nothing but the rows. */
static size_t expected_transitions(uint32_t span)
{
    const fl_timeline *t = &made.timeline;
    size_t lines = 0, children = 0, remote = 0, client_spans = 0, waiting_spans = 0;
    for (size_t i = 0; i < t->span_log_count; i++)
        lines += made.logs[i].span == span;
    for (size_t other = 0; other < t->span_count; other++) {
        if (made.spans[other].operation != made.spans[span].operation)
            continue;
        size_t below = 0, elsewhere = 0;
        for (size_t i = 0; i < t->span_count; i++)
            if (made.spans[i].parent == other) {
                below++;
                elsewhere += made.operations[made.spans[i].operation].service !=
                             made.operations[made.spans[other].operation].service;
            }
        bool waits = below == 1 && elsewhere == 1 && made.spans[other].duration_ns >= 0;
        client_spans++;
        waiting_spans += waits;
        if (other == span) {
            children = below;
            remote = waits;
        }
    }
    if (lines > 0 && made.spans[span].duration_ns < 0 &&
        made.windows[made.spans[span].window].has_spans)
        return 0;
    bool is_client = waiting_spans > 0 && 2 * waiting_spans >= client_spans;
    size_t of_lines = t->log_records > 0 && (lines > 0 || !(is_client && remote)) ? lines + 1 : 0;
    size_t of_calls = made.spans[span].duration_ns < 0 ? 0 : remote ? 1 : children + 1;
    return of_lines + of_calls;
}

START_TEST(every_transition_of_every_span_is_counted_once)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        make_forest(seed);
        build();
        size_t spans = made.timeline.span_count, pairs = streams.first_of_span[spans], rows = 0,
               times = 0;
        size_t *used = calloc(streams.row_count, sizeof(*used)),
               *in_context = calloc(streams.row_count, sizeof(*in_context));
        ck_assert(used != NULL && in_context != NULL);
        for (uint32_t s = 0; s < spans; s++) {
            ck_assert_uint_eq(streams.first_of_span[s + 1] - streams.first_of_span[s],
                              expected_transitions(s));
            for (uint32_t i = streams.first_of_span[s]; i < streams.first_of_span[s + 1]; i++) {
                const fl_transition *row = &streams.rows[streams.span_rows[i]];
                used[streams.span_rows[i]]++;
                ck_assert_uint_eq(streams.contexts[row->context].operation,
                                  made.spans[s].operation);
            }
        }
        for (size_t c = 0; c < streams.context_count; c++)
            for (uint32_t b = 0; b < streams.contexts[c].row_count; b++) {
                uint32_t row = streams.context_rows[streams.contexts[c].first_row + b];
                ck_assert_uint_eq(streams.rows[row].context, c);
                in_context[row]++;
                rows++;
            }
        for (size_t r = 0; r < streams.row_count; r++) {
            ck_assert_uint_eq(in_context[r], 1);
            ck_assert_uint_eq(used[r], streams.rows[r].count);
            times += streams.rows[r].count;
        }
        ck_assert_uint_eq(rows, streams.row_count);
        ck_assert_uint_eq(times, pairs);
        free(used);
        free(in_context);
        fl_arena_reset(&arena);
    }
}
END_TEST

START_TEST(no_self_time_is_negative_or_above_the_total)
{
    for (uint64_t seed = 20; seed < 40; seed++) {
        make_forest(seed);
        build();
        for (size_t i = 0; i < streams.value_count; i++)
            for (size_t w = 0; w < made.timeline.window_count; w++) {
                double value = streams.values[i].values[w];
                ck_assert(isnan(value) == (streams.values[i].counts[w] == 0));
                ck_assert(isnan(value) || (value >= log(0.5) - 1e-12 && value <= log(100.5)));
            }
        for (size_t i = 1; i < streams.value_count; i++)
            ck_assert_int_ge((int)streams.values[i].kind, (int)streams.values[i - 1].kind);
        fl_arena_reset(&arena);
    }
}
END_TEST

START_TEST(the_same_spans_give_the_same_streams)
{
    char *first = NULL;
    for (int run = 0; run < 3; run++) {
        make_forest(7);
        build();
        char *text = spell_transitions();
        if (first == NULL)
            first = strdup(text);
        ck_assert_ptr_nonnull(first);
        ck_assert_str_eq(first, text);
        fl_arena_reset(&arena);
    }
    ck_assert_uint_gt(strlen(first), 1000);
    free(first);
}
END_TEST

/* ---- memory ---- */

START_TEST(survives_each_allocation_failing)
{
    make_forest(3);
    for (long n = 0;; n++) {
        ck_assert_int_lt(n, 1000);
        fl_arena fresh = fl_arena_of(64u << 20);
        fl_mem_fail_after(n);
        fl_status status = fl_streams_build(&streams, &made.timeline, &fresh, NULL);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&fresh);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        if (status == FL_OK) {
            ck_assert_int_gt(n, 3);
            break;
        }
    }
}
END_TEST

START_TEST(every_budget_is_enough_or_refused)
{
    make_forest(3);
    build();
    size_t enough = arena.used_bytes;
    for (size_t budget = 0; budget <= enough; budget += 16 + budget / 16) {
        fl_arena small = fl_arena_of(budget);
        fl_error own = {0};
        fl_status status = fl_streams_build(&streams, &made.timeline, &small, &own);
        ck_assert_fails(budget == enough ? FL_OK : FL_E_NOMEM, status);
        if (status != FL_OK)
            ck_assert_msg(strncmp(own.message, "no memory for ", 14) == 0, "%s", own.message);
        fl_arena_dispose(&small);
    }
}
END_TEST

static Suite *trace_streams_suite(void)
{
    Suite *suite = suite_create("correlate/trace_streams");
    TCase *cases = tcase_create("trace_streams");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, self_time_is_what_children_leave);
    tcase_add_test(cases, a_child_that_only_its_lines_tell_of_takes_no_time);
    tcase_add_test(cases, a_window_holds_the_median_and_the_count);
    tcase_add_test(cases, the_wire_is_what_the_server_leaves_of_the_client);
    tcase_add_test(cases, clocks_that_differ_do_not_change_the_wire);
    tcase_add_test(cases, a_server_that_took_longer_than_its_client_leaves_no_wire);
    tcase_add_test(cases, a_server_that_only_its_lines_tell_of_gives_no_wire);
    tcase_add_test(cases,
                   an_operation_is_a_client_when_half_of_its_spans_wait_for_one_other_service);
    tcase_add_test(cases, who_has_other_children_is_no_client);
    tcase_add_test(cases, a_span_that_serves_has_time_of_its_own_though_it_only_calls_one_other);
    tcase_add_test(cases, a_trace_gives_its_chains);
    tcase_add_test(cases, without_any_line_there_is_no_chain_of_lines);
    tcase_add_test(cases, a_waiting_client_writes_only_the_lines_that_it_has);
    tcase_add_test(cases, a_call_that_failed_ends_without_a_server);
    tcase_add_test(cases, a_span_that_only_its_lines_tell_of_has_only_their_chain);
    tcase_add_test(cases, lines_without_a_span_tell_no_order_where_spans_were_recorded);
    tcase_add_test(cases, an_empty_timeline_gives_empty_streams);
    tcase_add_test(cases, every_transition_of_every_span_is_counted_once);
    tcase_add_test(cases, no_self_time_is_negative_or_above_the_total);
    tcase_add_test(cases, the_same_spans_give_the_same_streams);
    tcase_add_test(cases, survives_each_allocation_failing);
    tcase_add_test(cases, every_budget_is_enough_or_refused);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(trace_streams_suite)
