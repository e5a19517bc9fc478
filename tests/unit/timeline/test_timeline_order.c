/* The same records, in any order and however often they are sent, give the same timeline; and
 * whichever allocation fails, nothing breaks and nothing leaks. */
#include "mem.h"
#include "timeline_made.h"

enum { MAX_RECORDS = 2000 };

static made_record records[MAX_RECORDS];
static size_t record_count;
static const made_record *order[2 * MAX_RECORDS];

static const char *const services[] = {"shop", "cart", "bank", NULL};
static const char *const lines[] = {"started", "stopped", "user came", "no connection in the pool",
                                    ""};
static const char *const edges[] = {"shop", "cart", "cart", "ghost", "shop", "cart"};

static uint64_t random_state;

static size_t random_below(size_t bound)
{
    random_state = fl_hash_mix(random_state + 0x9e3779b97f4a7c15u);
    return (size_t)(random_state % bound);
}

static made_record *add(made_kind kind)
{
    made_record *record = &records[record_count++];
    *record = (made_record){.kind = kind, .baseline = random_below(3) == 0};
    record->service = services[random_below(4)];
    record->instance = random_below(2) == 0 ? "pod-0" : NULL;
    record->node = random_below(2) == 0 ? "node-0" : NULL;
    return record;
}

/* Within half an hour before the incident and ten minutes after its begin. */
static int64_t moment(void)
{
    return MADE_AT - 30 * MADE_MINUTE + (int64_t)random_below(2400) * MADE_SECOND;
}

/* Few ids and few moments: parents, loops, doubles and shared ids all occur. */
static void add_span(void)
{
    static const fl_span_event event = {.name = FL_SLICE_INIT("retry")};
    made_record *record = add(MADE_SPAN);
    int64_t start = moment();
    record->span = (fl_span){.trace = {.hi = random_below(2), .lo = 1 + random_below(20)},
                             .id = 1 + random_below(8),
                             .parent = random_below(9),
                             .name = random_below(2) == 0 ? SLICE("GET /") : SLICE("POST /pay"),
                             .kind = (fl_span_kind)random_below(6),
                             .start_ns = start,
                             .end_ns = start + (int64_t)random_below(3) * MADE_SECOND,
                             .is_error = random_below(5) == 0,
                             .events = &event,
                             .event_count = random_below(2)};
}

static void add_log(void)
{
    static const fl_attr place[] = {
        {FL_SLICE_INIT("code.file.path"),
         {.kind = FL_VALUE_STRING, .text = FL_SLICE_INIT("src/a.go")}},
        {FL_SLICE_INIT("code.line.number"), {.kind = FL_VALUE_INT, .number = 7}}};
    made_record *record = add(MADE_LOG);
    const char *line = lines[random_below(5)];
    record->log = (fl_log){.time_ns = moment(),
                           .severity = (int)random_below(25),
                           .body = SLICE(line),
                           .trace = {.lo = random_below(30)},
                           .span = random_below(12),
                           .attrs = {.items = place, .count = random_below(2) * 2}};
}

static void add_point(void)
{
    static const double bounds[] = {0.1, 0.5, 0.9}, values[] = {1, 2, 3};
    static const uint64_t counts[][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {0, 9, 9, 12}};
    static const fl_attr attr = {FL_SLICE_INIT("core"), {.kind = FL_VALUE_INT, .number = 1}};
    made_record *record = add(MADE_POINT);
    fl_point *point = &record->point;
    *point = (fl_point){.metric = random_below(2) == 0 ? SLICE("cpu") : SLICE("request.duration"),
                        .unit = random_below(2) == 0 ? SLICE("%") : SLICE(""),
                        .kind = (fl_point_kind)random_below(5),
                        .temporality = (fl_temporality)random_below(3),
                        .monotonic = random_below(2) == 0,
                        .time_ns = moment(),
                        .value = (double)random_below(1000) / 7,
                        .count = random_below(100),
                        .sum = (double)random_below(100) / 3,
                        .attrs = {.items = &attr, .count = random_below(2)}};
    if (point->kind >= FL_POINT_HISTOGRAM) {
        point->counts = counts[random_below(3)];
        point->bounds = bounds;
        point->values = values;
        point->bound_count = 3;
        point->bucket_count = 4;
        point->scale = (int32_t)random_below(7) - 1;
    }
}

static void make_records(size_t count)
{
    random_state = 42;
    record_count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t kind = random_below(3);
        if (kind == 0)
            add_span();
        else if (kind == 1)
            add_log();
        else
            add_point();
    }
}

static size_t shuffled(bool with_doubles)
{
    size_t count = 0;
    for (size_t i = 0; i < record_count; i++)
        order[count++] = &records[i];
    for (size_t i = 0; with_doubles && i < record_count; i++)
        order[count++] = &records[random_below(record_count)];
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(i);
        const made_record *held = order[i - 1];
        order[i - 1] = order[j];
        order[j] = held;
    }
    return count;
}

static fl_status dump_of(fl_buf *out, size_t count, fl_error *err)
{
    made_timeline made = {.edges = edges, .edge_count = 3};
    fl_status status = made_run(&made, order, count, err);
    if (status == FL_OK)
        made_dump(out, made.timeline);
    made_dispose(&made);
    return status;
}

START_TEST(any_order_and_any_repetition_give_the_same_timeline)
{
    fl_error err = {0};
    fl_buf first = fl_buf_of(16u << 20), other = fl_buf_of(16u << 20);
    make_records(MAX_RECORDS);
    for (size_t i = 0; i < record_count; i++)
        order[i] = &records[i];
    ck_assert_ok(dump_of(&first, record_count, &err));
    ck_assert_uint_gt(first.len, 100000);
    for (size_t round = 0; round < 20; round++) {
        fl_buf_clear(&other);
        ck_assert_ok(dump_of(&other, shuffled(round % 2 == 1), &err));
        ck_assert_str_eq(other.ptr, first.ptr);
    }
    fl_buf_dispose(&first);
    fl_buf_dispose(&other);
}
END_TEST

/* The dump shows all parts: a test that compares nothing cannot fail. */
START_TEST(the_records_reach_every_part_of_the_timeline)
{
    static const char *const parts[] = {
        "\nwindow ",      "\nservice ",   "unknown_service", "\nentity ",     "\noperation ",
        "\nspan ",        "parent 1",     "\nline of span ", "a.go:7 ",       "\nlogs of ",
        "cpu - {core=1}", "duration p99", "duration rate",   "duration mean", "duration p50",
        "for -1",         " calls "};
    fl_error err = {0};
    fl_buf text = fl_buf_of(16u << 20);
    make_records(MAX_RECORDS);
    ck_assert_ok(dump_of(&text, shuffled(false), &err));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        ck_assert_msg(strstr(text.ptr, parts[i]) != NULL, "no \"%s\" in the timeline", parts[i]);
    fl_buf_dispose(&text);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_error err = {0};
    fl_buf whole = fl_buf_of(16u << 20), text = fl_buf_of(16u << 20);
    make_records(60);
    size_t count = shuffled(false);
    ck_assert_ok(dump_of(&whole, count, &err));
    size_t failures = 0;
    for (long allowed = 0;; allowed++) {
        fl_error own = {0};
        made_timeline made = {.edges = edges, .edge_count = 3};
        fl_mem_fail_after(allowed);
        fl_status status = made_run(&made, order, count, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK) { /* then nothing is missing */
            fl_buf_clear(&text);
            made_dump(&text, made.timeline);
            ck_assert_str_eq(text.ptr, whole.ptr);
            made_dispose(&made);
            break;
        }
        ck_assert_msg(status == FL_E_NOMEM, "allocation %ld: %s: %s", allowed,
                      fl_status_name(status), own.message);
        ck_assert_ptr_null(made.timeline);
        failures++;
    }
    ck_assert_uint_gt(failures, 50);
    fl_buf_dispose(&whole);
    fl_buf_dispose(&text);
}
END_TEST

static Suite *order_suite(void)
{
    Suite *suite = suite_create("timeline/order");
    TCase *cases = tcase_create("order");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, any_order_and_any_repetition_give_the_same_timeline);
    tcase_add_test(cases, the_records_reach_every_part_of_the_timeline);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(order_suite)
