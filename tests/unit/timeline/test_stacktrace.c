/*
 * The first frame of a stack trace that is of the program's own, in five languages, and exceptions
 * from attributes to templates.
 */
#include "stacktrace.h"

#include "faultline/limits.h"
#include "mem.h"
#include "timeline_made.h"

/* clang-format off */
static const struct {
    const char *name, *trace, *frame; /* "file:line function"; NULL: none */
} traces[] = {
    {"java", "java.lang.IllegalStateException: no price\n\tat com.acme.pay.Charger.charge(Charger.java:91)\n\tat com.acme.pay.Web.post(Web.java:12)\n", "Charger.java:91 com.acme.pay.Charger.charge"},
    {"java below a library", "java.sql.SQLTimeoutException\n\tat java.util.concurrent.FutureTask.get(FutureTask.java:205)\n\tat com.zaxxer.hikari.pool.HikariPool.get(HikariPool.java:197)\n\tat com.acme.Db$Pool.lambda$take$0(Db.java:33) ~[app.jar:1.2]\n", "Db.java:33 com.acme.Db$Pool.lambda$take$0"},
    {"java below native code", "java.net.ConnectException\n\tat java.net.PlainSocketImpl.socketConnect(Native Method)\n\tat com.acme.Net.open(Net.kt:7)\r\n", "Net.kt:7 com.acme.Net.open"},
    {"java, a cause", "a.B: x\n\tat com.acme.A.f(A.java:1)\nCaused by: c.D: y\n\tat com.acme.D.g(D.java:2)\n\t... 12 more\n", "A.java:1 com.acme.A.f"},
    {"java, nothing of its own", "x\n\tat java.lang.Thread.run(Thread.java:833)\n", "Thread.java:833 java.lang.Thread.run"},
    {"java without a source", "x\n\tat com.acme.A.f(Unknown Source)\n", " com.acme.A.f"},
    {"python", "Traceback (most recent call last):\n  File \"/app/web.py\", line 12, in post\n    charge(order)\n  File \"/app/pay.py\", line 91, in charge\n    raise ValueError('x')\nValueError: x\n", "pay.py:91 charge"},
    {"python in a library", "Traceback (most recent call last):\n  File \"/app/pay.py\", line 91, in charge\n    requests.post(u)\n  File \"/usr/lib/python3.11/site-packages/requests/api.py\", line 5, in post\n    x\nE: y", "pay.py:91 charge"},
    {"python, a module", "  File \"/app/main.py\", line 3, in <module>\n", "main.py:3 <module>"},
    {"go", "goroutine 7 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\nmain.(*Charger).Charge(0xc000010000, {0x1, 0x2})\n\t/app/charge.go:91 +0x1d\nmain.main()\n\t/app/main.go:12 +0x1\n", "charge.go:91 main.(*Charger).Charge"},
    {"go, a panic", "panic: oops\n\ngoroutine 1 [running]:\npanic({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:884 +0x212\ngithub.com/acme/shop/pay.f(...)\n\t/app/pay/pay.go:7\n", "pay.go:7 github.com/acme/shop/pay.f"},
    {"go, a module of others", "x()\n\t/root/go/pkg/mod/github.com/x/y@v1/y.go:3 +0x1\nmain.f()\n\t/src/f.go:4 +0x1\n", "f.go:4 main.f"},
    {"javascript", "TypeError: x is not a function\n    at Charger.charge (/app/src/pay.js:91:13)\n    at /app/src/web.js:12:5\n", "pay.js:91 Charger.charge"},
    {"javascript below node and modules", "Error: x\n    at node:internal/process/task_queues:95:5\n    at Client.query (/app/node_modules/pg/lib/client.js:5:1)\n    at async take (file:///app/db.ts:7:9)\n", "db.ts:7 take"},
    {"javascript without a name", "Error: x\n    at /app/web.js:12:5\n", "web.js:12"},
    {"dotnet", "System.InvalidOperationException: x\n   at System.Linq.Enumerable.First[T](IEnumerable`1 s)\n   at Acme.Pay.Charger.Charge(Order order) in /src/Pay/Charger.cs:line 91\n   at Acme.Web.Post()\n", "Charger.cs:91 Acme.Pay.Charger.Charge"},
    {"dotnet on another system", "   at Acme.Pay.Charge(Order o, Int32 n) in C:\\src\\Pay.cs:line 9\n", "Pay.cs:9 Acme.Pay.Charge"},
    {"dotnet without symbols", "   at Acme.Pay.Charge(Order order)\n", " Acme.Pay.Charge"},
    {"python without a path", "  File \", line 2\n", NULL},
    {"a folder", "    at f (/app/:2:5)\n", NULL},
    {"none", "the pool is empty\nat the end of the day\n", NULL},
    {"empty", "", NULL},
    {"only words", "at \nat (\nat ()\nFile \nFile \"\n\t:\n(\n\t/a.go:\n", NULL},
};
/* clang-format on */
enum { TRACES = sizeof(traces) / sizeof(traces[0]) };

static const char *frame_of(fl_slice trace, char out[512])
{
    fl_frame frame;
    if (!fl_stack_first_frame(&frame, trace))
        return NULL;
    snprintf(out, 512, "%.*s%s%.*s%s%.*s", FL_SLICE_ARG(frame.file), frame.line.len > 0 ? ":" : "",
             FL_SLICE_ARG(frame.line), frame.function.len > 0 ? " " : "",
             FL_SLICE_ARG(frame.function));
    return out;
}

START_TEST(the_first_own_frame_is_found)
{
    char text[512];
    const char *frame = frame_of(SLICE(traces[_i].trace), text);
    if (traces[_i].frame == NULL)
        ck_assert_msg(frame == NULL, "%s: %s", traces[_i].name, frame);
    else
        ck_assert_msg(frame != NULL && strcmp(frame, traces[_i].frame) == 0, "%s: %s",
                      traces[_i].name, frame);
}
END_TEST

START_TEST(every_prefix_of_a_trace_is_harmless)
{
    fl_slice whole = SLICE(traces[_i].trace);
    for (size_t len = 0; len <= whole.len; len++) {
        fl_frame frame;
        unsigned char *copy = malloc(len + 1);
        memcpy(copy, whole.ptr, len);
        (void)fl_stack_first_frame(&frame, (fl_slice){.ptr = copy, .len = len});
        ck_assert_uint_le(frame.line.len, 9);
        free(copy);
    }
}
END_TEST

START_TEST(a_trace_is_read_up_to_its_limit)
{
    fl_buf text = fl_buf_of(1 << 20);
    char out[512];
    while (text.len < FL_MAX_STACK_BYTES)
        fl_buf_text(&text, "\tat java.lang.Object.wait(Object.java:1)\n");
    fl_buf_text(&text, "\tat com.acme.A.f(A.java:1)\n");
    ck_assert_str_eq(frame_of(fl_buf_slice(&text), out), "Object.java:1 java.lang.Object.wait");
    fl_buf_dispose(&text);
}
END_TEST

/* ---- from attributes to templates ---- */

static fl_error err;
static made_timeline made;

static void setup(void)
{
    err = (fl_error){0};
    made = (made_timeline){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    made_dispose(&made);
}

static fl_attr word(const char *key, const char *value)
{
    return (fl_attr){.key = fl_slice_of(key),
                     .value = {.kind = FL_VALUE_STRING, .text = fl_slice_of(value)}};
}

static fl_status push_exception(bool as_event, const char *trace, fl_error *e)
{
    fl_attr attrs[3] = {word("exception.type", "acme.NoPrice"),
                        word("exception.message", "no price for 7"),
                        word("exception.stacktrace", trace)};
    fl_attrs list = {.items = attrs, .count = trace != NULL ? 3 : 2};
    fl_span_event event = {.time_ns = MADE_AT, .name = SLICE("exception"), .attrs = list};
    made_record record = {.kind = as_event ? MADE_SPAN : MADE_LOG, .service = "pay"};
    record.span = (fl_span){.trace = {.lo = 1},
                            .id = 1,
                            .name = SLICE("charge"),
                            .start_ns = MADE_AT,
                            .end_ns = MADE_AT + 1,
                            .events = &event,
                            .event_count = 1};
    record.log = (fl_log){.time_ns = MADE_AT, .body = SLICE("charge failed"), .attrs = list};
    return made_push(&made, &record, e);
}

#define AT_A "x\n\tat com.acme.A.f(A.java:1)\n"
#define AT_B "x\n\tat com.acme.B.f(B.java:2)\n"

START_TEST(a_span_event_and_a_log_keep_type_and_frame)
{
    ck_assert_ok(made_begin(&made, &err));
    ck_assert_ok(push_exception(true, AT_A, &err));
    ck_assert_ok(push_exception(false, AT_B, &err));
    ck_assert_ok(made_finish(&made, &err));
    ck_assert_uint_eq(made.timeline->template_count, 2);
    const fl_template *event = &made.timeline->templates[0], *log = &made.timeline->templates[1];
    ck_assert_str_eq(event->text, "A.java:1 acme.NoPrice: no price for 7");
    ck_assert_str_eq(event->exception_type, "acme.NoPrice");
    ck_assert_str_eq(event->exception_frame, "A.java:1 com.acme.A.f");
    ck_assert_str_eq(log->text, "B.java:2 charge failed: acme.NoPrice: no price for 7");
    ck_assert_str_eq(log->exception_frame, "B.java:2 com.acme.B.f");
}
END_TEST

START_TEST(of_two_frames_of_one_form_the_first_by_text_counts)
{
    for (int turn = 0; turn < 2; turn++) {
        made.form = SLICE("one form");
        ck_assert_ok(made_begin(&made, &err));
        ck_assert_ok(push_exception(true, turn == 0 ? AT_A : AT_B, &err));
        ck_assert_ok(push_exception(true, turn == 0 ? AT_B : AT_A, &err));
        ck_assert_ok(push_exception(true, NULL, &err));
        ck_assert_ok(made_finish(&made, &err));
        ck_assert_str_eq(made.timeline->templates[0].exception_frame, "A.java:1 com.acme.A.f");
        made_dispose(&made);
    }
}
END_TEST

START_TEST(whichever_allocation_fails_nothing_leaks)
{
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 500);
        fl_mem_fail_after(after);
        fl_status status = made_begin(&made, &own);
        if (status == FL_OK)
            status = push_exception(true, AT_A, &own);
        if (status == FL_OK)
            status = push_exception(false, AT_B, &own);
        if (status == FL_OK)
            status = made_finish(&made, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
        made_dispose(&made);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("timeline/stacktrace");
    TCase *cases = tcase_create("stacktrace");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, the_first_own_frame_is_found, 0, TRACES);
    tcase_add_loop_test(cases, every_prefix_of_a_trace_is_harmless, 0, TRACES);
    tcase_add_test(cases, a_trace_is_read_up_to_its_limit);
    tcase_add_test(cases, a_span_event_and_a_log_keep_type_and_frame);
    tcase_add_test(cases, of_two_frames_of_one_form_the_first_by_text_counts);
    tcase_add_test(cases, whichever_allocation_fails_nothing_leaks);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
