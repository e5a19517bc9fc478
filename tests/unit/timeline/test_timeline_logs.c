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

static void push_from(const char *service, int64_t after_ns, const char *line, const fl_attr *attrs,
                      size_t count)
{
    made_record record = {.kind = MADE_LOG,
                          .service = service,
                          .log = {.time_ns = MADE_AT + after_ns,
                                  .body = SLICE(line),
                                  .attrs = {.items = attrs, .count = count}}};
    ck_assert_ok(made_push(&made, &record, &err));
}

static void push_at(int64_t after_ns, const char *line)
{
    push_from("cart", after_ns, line, NULL, 0);
}

static void finish(void)
{
    ck_assert_ok(made_finish(&made, &err));
}

static const fl_log_series *series_of(const char *service, const char *text)
{
    const fl_timeline *t = made.timeline;
    for (size_t i = 0; i < t->log_series_count; i++)
        if (strcmp(t->services[t->logs[i].service], service) == 0 &&
            strcmp(t->templates[t->logs[i].template_index].text, text) == 0)
            return &t->logs[i];
    ck_abort_msg("no line of %s reads %s", service, text);
}

START_TEST(lines_are_counted_per_service_template_and_window)
{
    for (int64_t i = 0; i < 5; i++)
        push_at(i, "started");
    push_at(MADE_MINUTE, "started");
    push_at(MADE_MINUTE, "stopped");
    push_from("bank", MADE_MINUTE, "started", NULL, 0);
    finish();
    ck_assert_uint_eq(made.timeline->log_series_count, 3);
    ck_assert_uint_eq(made.timeline->log_records, 8);
    ck_assert_double_eq(series_of("cart", "started")->counts[0], 5);
    ck_assert_double_eq(series_of("cart", "started")->counts[1], 1);
    ck_assert_double_eq(series_of("cart", "stopped")->counts[0], 0);
    ck_assert_double_eq(series_of("cart", "stopped")->counts[1], 1);
    ck_assert_double_eq(series_of("bank", "started")->counts[1], 1);
    ck_assert(made.timeline->windows[0].has_logs);
}
END_TEST

START_TEST(a_record_sent_twice_counts_once)
{
    for (size_t i = 0; i < 4; i++)
        push_at(7, "started");
    push_at(8, "started"); /* another moment: a repeat */
    finish();
    ck_assert_double_eq(series_of("cart", "started")->counts[0], 2);
}
END_TEST

START_TEST(equal_lines_of_two_instances_are_two)
{
    made_record record = {
        .kind = MADE_LOG, .service = "cart", .log = {.time_ns = MADE_AT, .body = SLICE("up")}};
    record.instance = "cart-0";
    ck_assert_ok(made_push(&made, &record, &err));
    record.instance = "cart-1";
    ck_assert_ok(made_push(&made, &record, &err));
    finish();
    ck_assert_double_eq(series_of("cart", "up")->counts[0], 2);
}
END_TEST

START_TEST(lines_without_a_trace_belong_to_no_span)
{
    made_record record = {.kind = MADE_LOG,
                          .service = "cart",
                          .log = {.time_ns = MADE_AT, .body = SLICE("up"), .span = 5}};
    ck_assert_ok(made_push(&made, &record, &err));
    finish();
    ck_assert_uint_eq(made.timeline->span_count, 0);
    ck_assert_uint_eq(made.timeline->span_log_count, 0);
    ck_assert_double_eq(series_of("cart", "up")->counts[0], 1);
}
END_TEST

START_TEST(an_empty_line_counts)
{
    push_at(0, "");
    finish();
    ck_assert_double_eq(series_of("cart", "")->counts[0], 1);
    ck_assert_str_eq(series_of("cart", "")->example, "");
}
END_TEST

/* All lines of one form, as a miner would have it. */
static void begin_with_one_form(void)
{
    made_dispose(&made);
    made.form = SLICE("user <*> came");
    ck_assert_ok(made_begin(&made, &err));
}

START_TEST(the_example_is_of_the_incident_where_there_is_one)
{
    static const char *const baseline_first[] = {"user 1 came", "user 2 came"};
    for (size_t order = 0; order < 2; order++) {
        begin_with_one_form();
        push_at(order == 0 ? -MADE_MINUTE : 0, baseline_first[order]);
        push_at(order == 0 ? 0 : -MADE_MINUTE, baseline_first[1 - order]);
        finish();
        ck_assert_str_eq(series_of("cart", "user <*> came")->example, "user 2 came");
    }
    begin_with_one_form();
    push_at(-MADE_MINUTE, "user 1 came");
    finish();
    ck_assert_str_eq(series_of("cart", "user <*> came")->example, "user 1 came");
}
END_TEST

START_TEST(the_example_does_not_depend_on_the_order)
{
    char first[64] = "";
    for (unsigned start = 0; start < 20; start++) {
        begin_with_one_form();
        for (unsigned i = 0; i < 20; i++) {
            char line[64];
            snprintf(line, sizeof(line), "user %u came", (start + i) % 20);
            push_at((start + i) % 20, line);
        }
        finish();
        const char *example = series_of("cart", "user <*> came")->example;
        if (start == 0)
            snprintf(first, sizeof(first), "%s", example);
        ck_assert_str_eq(example, first);
    }
}
END_TEST

START_TEST(a_long_example_is_cut_between_characters)
{
    char line[600] = "";
    for (size_t i = 0; i < 120; i++)
        memcpy(line + 1 + 3 * i, "\xe2\x82\xac",
               4); /* euro signs from byte 1 on: byte 240 is inside of one */
    line[0] = 'x';
    push_at(0, line);
    finish();
    const char *example = series_of("cart", line)->example;
    ck_assert_uint_eq(strlen(example), 238);
    ck_assert_mem_eq(example, line, 238);
}
END_TEST

START_TEST(a_long_example_makes_room_for_a_short_one)
{
    char line[300];
    memset(line, 'y', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    begin_with_one_form();
    push_at(-MADE_MINUTE, line);
    push_at(0, "z");
    finish();
    ck_assert_str_eq(series_of("cart", "user <*> came")->example, "z");
}
END_TEST

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .kind = FL_VALUE_STRING, .text = FL_SLICE_INIT(literal)                                    \
    }
#define FILE_IS(path)                                                                              \
    {                                                                                              \
        FL_SLICE_INIT("code.file.path"), TEXT(path)                                                \
    }
#define LINE_IS(line)                                                                              \
    {                                                                                              \
        FL_SLICE_INIT("code.line.number"),                                                         \
        {                                                                                          \
            .kind = FL_VALUE_INT, .number = (line)                                                 \
        }                                                                                          \
    }

static const struct spelled {
    fl_attr attrs[4];
    size_t count;
    const char *body, *text;
} spelled[] = {
    {{FILE_IS("/src/cart/file.go"), LINE_IS(12)}, 2, "body", "file.go:12 body"},
    {{FILE_IS("file.go"), LINE_IS(12)}, 2, "body", "file.go:12 body"},
    {{LINE_IS(12), FILE_IS("a/file.go")}, 2, "", "file.go:12 "},
    {{FILE_IS("file.go")}, 1, "body", "body"},
    {{FILE_IS("file.go"), LINE_IS(0)}, 2, "body", "body"},
    {{FILE_IS("src/"), LINE_IS(12)}, 2, "body", "body"},
    {{LINE_IS(12)}, 1, "body", "body"},
    {{{FL_SLICE_INIT("exception.type"), TEXT("IOError")}}, 1, "failed", "failed: IOError"},
    {{{FL_SLICE_INIT("exception.type"), TEXT("IOError")},
      {FL_SLICE_INIT("exception.message"), TEXT("no disk")}},
     2,
     "failed",
     "failed: IOError: no disk"},
    {{{FL_SLICE_INIT("exception.message"), TEXT("no disk")}, FILE_IS("a.py"), LINE_IS(3)},
     3,
     "failed",
     "a.py:3 failed: no disk"},
    {{{FL_SLICE_INIT("code.file.path"), {.kind = FL_VALUE_INT, .number = 5}}, LINE_IS(3)},
     2,
     "body",
     "body"},
    {{{FL_SLICE_INIT("code.function.name"), TEXT("main")}}, 1, "body", "body"},
};

START_TEST(structured_attributes_stand_where_a_line_of_text_has_them)
{
    for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++) {
        made_dispose(&made);
        ck_assert_ok(made_begin(&made, &err));
        push_from("cart", 0, spelled[i].body, spelled[i].attrs, spelled[i].count);
        finish();
        ck_assert_uint_eq(made.timeline->template_count, 1);
        ck_assert_str_eq(made.timeline->templates[0].text, spelled[i].text);
        ck_assert_str_eq(made.timeline->logs[0].example, spelled[i].text);
    }
}
END_TEST

/* More pairs of service and form than are counted apart: the rest is counted as lost, and the
 * reading goes on. */
START_TEST(more_examples_than_the_budget_do_not_end_the_reading)
{
    enum { SERVICES = 210, LINES = 1000 };
    for (unsigned service = 0; service < SERVICES; service++)
        for (unsigned line = 0; line < LINES; line++) {
            char name[32], text[32];
            snprintf(name, sizeof(name), "s%u", service);
            snprintf(text, sizeof(text), "line %u", line);
            push_from(name, 0, text, NULL, 0);
        }
    finish();
    ck_assert_uint_eq(made.timeline->log_records, SERVICES * LINES);
    ck_assert_uint_eq(made.timeline->log_series_count, SERVICES * LINES);
}
END_TEST

/* Lines that never repeat: those of the incident stay, then the frequent. */
START_TEST(of_more_series_than_there_is_room_for_the_incidents_and_the_frequent_stay)
{
    enum { MINUTES = 1400, LINES = 5 };
    char line[48];
    for (int64_t minute = 0; minute < MINUTES; minute++)
        for (unsigned i = 0; i < LINES; i++) {
            snprintf(line, sizeof(line), "only in minute %d line %u", (int)minute, i);
            push_at(-minute * MADE_MINUTE, line);
            push_at(-minute * MADE_MINUTE, "in every minute");
        }
    finish();
    size_t room = FL_MAX_LOG_CELLS / MINUTES;
    ck_assert_uint_eq(made.timeline->window_count, MINUTES);
    ck_assert_uint_eq(made.timeline->log_series_count, room);
    ck_assert_double_eq(series_of("cart", "in every minute")->counts[0], 1);
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(line, sizeof(line), "only in minute 0 line %u", i);
        ck_assert_double_eq(series_of("cart", line)->counts[MINUTES - 1], 1);
    }
    ck_assert_uint_eq(fl_timeline_losses_of(made.builder).over_budget, MINUTES * LINES + 1 - room);
    ck_assert_uint_eq(made.timeline->log_records, MINUTES * (LINES + 1));
}
END_TEST

/* More lines than the budget: the example is of one that is counted, and in any order the same. */
START_TEST(over_the_budget_the_example_does_not_depend_on_the_order)
{
    enum { LINES = FL_MAX_LOGS + FL_MAX_LOGS / 2 };
    char line[64], first[64] = "";
    for (unsigned order = 0; order < 3; order++) {
        begin_with_one_form();
        fl_sink sink = fl_timeline_sink(made.builder, false);
        fl_resource resource = {.service = SLICE("cart")};
        uint32_t handle;
        ck_assert_ok(sink.resource(sink.payload, &resource, &handle, &err));
        for (unsigned i = 0; i < LINES; i++) {
            unsigned n = order == 0 ? i : order == 1 ? LINES - 1 - i : (i + LINES / 2) % LINES;
            snprintf(line, sizeof(line), "user %u came", n);
            fl_log log = {.time_ns = MADE_AT, .body = SLICE(line), .trace = {.lo = n + 1}};
            ck_assert_ok(sink.log(sink.payload, handle, &log, &err));
        }
        finish();
        ck_assert_double_eq(made.timeline->log_sampling, 0.5);
        const char *example = series_of("cart", "user <*> came")->example;
        if (order == 0)
            snprintf(first, sizeof(first), "%s", example);
        ck_assert_str_eq(example, first);
    }
}
END_TEST

static Suite *logs_suite(void)
{
    Suite *suite = suite_create("timeline/logs");
    TCase *cases = tcase_create("logs");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, lines_are_counted_per_service_template_and_window);
    tcase_add_test(cases, a_record_sent_twice_counts_once);
    tcase_add_test(cases, equal_lines_of_two_instances_are_two);
    tcase_add_test(cases, lines_without_a_trace_belong_to_no_span);
    tcase_add_test(cases, an_empty_line_counts);
    tcase_add_test(cases, the_example_is_of_the_incident_where_there_is_one);
    tcase_add_test(cases, the_example_does_not_depend_on_the_order);
    tcase_add_test(cases, a_long_example_is_cut_between_characters);
    tcase_add_test(cases, a_long_example_makes_room_for_a_short_one);
    tcase_add_test(cases, structured_attributes_stand_where_a_line_of_text_has_them);
    tcase_add_test(cases,
                   of_more_series_than_there_is_room_for_the_incidents_and_the_frequent_stay);
    tcase_add_test(cases, over_the_budget_the_example_does_not_depend_on_the_order);
    tcase_add_test(cases, more_examples_than_the_budget_do_not_end_the_reading);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(logs_suite)
