#include "logmask.h"

#include <stdbool.h>
#include <stdio.h>

#include "fl_test.h"
#include "utf8.h"

static fl_log_form form;

struct line {
    const char *line;
    int severity; /* expected; the record gives none */
    const char *text;
    const char *location; /* NULL: none */
};

/* What every form promises, whatever the line. */
static void check_form(fl_slice line)
{
    fl_slice text = fl_log_form_text(&form);
    ck_assert_uint_le(text.len, FL_MAX_LOG_TEXT_BYTES);
    ck_assert_uint_eq(fl_utf8_valid_prefix(text), text.len);
    for (size_t i = 0; i < text.len; i++) {
        ck_assert_msg(text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f, "control character at %zu", i);
        ck_assert(text.ptr[i] != ' ' || (i > 0 && i + 1 < text.len && text.ptr[i + 1] != ' '));
    }
    ck_assert_uint_le(form.location_at + form.location_len, text.len);
    ck_assert(line.ptr != NULL);
}

static void check_line(const struct line *l)
{
    fl_log_form_of(&form, SLICE(l->line), 0);
    check_form(SLICE(l->line));
    char text[FL_MAX_LOG_TEXT_BYTES + 1], location[FL_MAX_LOG_TEXT_BYTES + 1];
    snprintf(text, sizeof(text), "%.*s", (int)form.len, (const char *)form.key + 1);
    snprintf(location, sizeof(location), "%.*s", (int)form.location_len,
             (const char *)form.key + 1 + form.location_at);
    ck_assert_msg(strcmp(text, l->text) == 0, "line '%s'\n  form '%s'\n  not  '%s'", l->line, text,
                  l->text);
    ck_assert_msg(form.severity == l->severity, "line '%s' has severity %d, not %d", l->line,
                  form.severity, l->severity);
    ck_assert_msg(strcmp(location, l->location != NULL ? l->location : "") == 0,
                  "line '%s' has location '%s'", l->line, location);
}

#define CHECK_LINES(lines)                                                                         \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < sizeof(lines) / sizeof((lines)[0]); i_++)                         \
            check_line(&(lines)[i_]);                                                              \
    } while (0)

START_TEST(values_are_masked_and_words_stay)
{
    static const struct line lines[] = {
        {"user 42 logged in", 0, "user <*> logged in", NULL},
        {"order order_1234 paid", 0, "order <*> paid", NULL},
        {"order id=1234, status=paid", 0, "order id=<*>, status=paid", NULL},
        {"[verifyCode][receivedCode: 1234]", 0, "[verifyCode][receivedCode: <*>]", NULL},
        {"took 12.5ms (limit 3)", 0, "took <*> (limit <*>)", NULL},
        {"rate=1e-05 load=0.99%", 0, "rate=<*> load=<*>%", NULL},
        {"[code: -1] [code: 1]", 0, "[code: <*>] [code: <*>]", NULL},
        {"delta=-5 or (-5) or \"-5\"", 0, "delta=<*> or (<*>) or \"<*>\"", NULL},
        {"a-b non-zero", 0, "a-b non-zero", NULL},
        {"fast-forward to step-3", 0, "fast-forward to step-<*>", NULL},
        {"object deadbeef gone", 0, "object <*> gone", NULL},
        {"deadbee was added, cafe decade facade", 0, "deadbee was added, cafe decade facade", NULL},
        {"id e24bb484-516a-4aad-b37f-517e7139e913.", 0, "id <*>.", NULL},
        {"id abcdefab-abcd-abcd-abcd-abcdefabcdef!", 0, "id <*>!", NULL},
        {"trace 4bf92f3577b34da6a3ce929d0e0e4736", 0, "trace <*>", NULL},
        {"pod payment-7d8f9c6b5-xkqlp restarted", 0, "pod payment-<*> restarted", NULL},
        {"dial tcp 10.0.0.1:6379: connection refused", 0, "dial tcp <*>: connection refused", NULL},
        {"net 10.1.0.0/16 via fe80::1ff:fe23:4567:890a", 0, "net <*> via <*>", NULL},
        {"from [2001:db8::ff:a] now", 0, "from [<*>] now", NULL},
        {"host db-1.prod.example.com:5432 down", 0, "host db-<*>.prod.example.com:<*> down", NULL},
        {"GET /api/v1/orders/1234/items 200", 0, "GET /api/<*>/orders/<*>/items <*>", NULL},
        {"GET /q?user=7&name=bob&page=2", 0, "GET /q?user=<*>&name=bob&page=<*>", NULL},
        {"sizes [1, 2, 3] and [1,2]", 0, "sizes [<*>] and [<*>]", NULL},
        {"x1=5,y1=6, z=7", 0, "<*>=<*>,<*>=<*>, z=<*>", NULL},
        {"step 5:bad and 3, done", 0, "step <*>:bad and <*>, done", NULL},
        {"Travel Date: 2023-01-29 15:38:06, next", 0, "Travel Date: <*>, next", NULL},
        {"Travel Date: 2023-01-29, next", 0, "Travel Date: <*>, next", NULL},
        {"at 2023-01-29T09:34:00.123+08:00 it failed", 0, "at <*> it failed", NULL},
        {"msg=\"John Smith 42\" k=v", 0, "msg=\"John Smith <*>\" k=v", NULL},
        {"key:D1345 other key: D1345", 0, "key:<*> other key: <*>", NULL},
        {"java.lang.IllegalStateException: no", 0, "java.lang.IllegalStateException: no", NULL},
        {"at com.example.Http2Client.send(Unknown)", 0, "at com.example.<*>.send(Unknown)", NULL},
        {"literal <*> and <other>", 0, "literal <*> and <other>", NULL},
        {"  spaces\t and\r\nlines \n", 0, "spaces and lines", NULL},
        {"caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 12", 0, "caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 <*>",
         NULL},
        {"", 0, "", NULL},
        {" \t\n", 0, "", NULL},
        {"-", 0, "-", NULL},
        {"7", 0, "<*>", NULL},
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(time_and_level_are_dropped)
{
    static const struct line lines[] = {
        {"17:24:35.540 INFO  started", 9, "started", NULL},
        {"17:24:35,540 WARN started", 13, "started", NULL},
        {"2023-01-29T09:34:00Z ERROR boom", 17, "boom", NULL},
        {"2023-01-29 09:34:00,123 [INFO] boom", 9, "boom", NULL},
        {"2023-01-29 09:34:00.123+0800 [main] DEBUG x.y - boom", 5, "[main] DEBUG x.y - boom",
         NULL},
        {"[2023-01-29 09:34:00,123] [ERROR] boom", 17, "boom", NULL},
        {"[2023-01-29T09:34:00Z INFO  app::db] boom", 9, "app::db] boom", NULL},
        {"2023/01/29 09:34:00 boom", 0, "boom", NULL},
        {"2023-01-29 09:34:00.000 UTC [71] FATAL:  no role", 21, "[<*>] FATAL: no role", NULL},
        {"2023-01-29 boom", 0, "boom", NULL},
        {"1674984275 boom", 0, "boom", NULL},
        {"1674984275.540 boom", 0, "boom", NULL},
        {"1674984275540 error: boom", 17, "boom", NULL},
        {"Jan  2 15:04:05 host app[12]: boom", 0, "host app[<*>]: boom", NULL},
        {"Jan 12 15:04:05 boom", 0, "boom", NULL},
        {"Mon Jan  2 15:04:05 2006 boom", 0, "boom", NULL},
        {"<34>Jan  2 15:04:05 host su: boom", 21, "host su: boom", NULL},
        {"<165>1 2003-10-11T22:14:15.003Z host app - boom", 9, "host app - boom", NULL},
        {"29/Jan/2023:09:34:00 +0000 boom", 0, "boom", NULL},
        {"E0129 09:34:00.123456 77 srv.go:12] boom", 17, "<*> srv.go:12] boom", "srv.go:12"},
        {"09:34:00 | warning | boom", 13, "boom", NULL},
        {"INFO: boom", 9, "boom", NULL},
        {"error: boom", 17, "boom", NULL},
        {"[Critical] boom", 21, "boom", NULL},
        {"SEVERE boom", 17, "boom", NULL},
        {"(trace) boom", 1, "boom", NULL},
        {"ERROR 2023-01-29T09:34:00Z boom", 17, "boom", NULL},
        {"level=warn ts=2023-01-29T09:34:00Z msg=boom", 13, "msg=boom", NULL},
        {"time=\"2023-01-29T09:34:00Z\" level=error msg=\"no route\"", 17, "msg=\"no route\"",
         NULL},
        {"\x1b[31mERROR\x1b[0m boom \x1b[1mnow\x1b[0m", 17, "boom now", NULL},
        {"17:24:35.540 INFO", 9, "", NULL},
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(what_only_resembles_a_time_or_level_stays)
{
    static const struct line lines[] = {
        {"Error while reading", 0, "Error while reading", NULL},
        {"error while reading", 0, "error while reading", NULL},
        {"INFORMATION desk", 0, "INFORMATION desk", NULL},
        {"ERROR_CODE 5", 0, "ERROR_CODE <*>", NULL},
        {"error.log rotated", 0, "error.log rotated", NULL},
        {"10:20:30:40:50:60 joined", 0, "<*> joined", NULL},
        {"12345678901 items", 0, "<*> items", NULL},
        {"January 2 15:04:05", 0, "January <*>", NULL},
        {"May the force", 0, "May the force", NULL},
        {"2023-01-29-backup started", 0, "<*> started", NULL},
        {"<b>bold</b>", 0, "<b>bold</b>", NULL},
        {"level=high water", 0, "level=high water", NULL},
        {"time=never", 0, "time=never", NULL},
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(a_code_location_stays)
{
    static const struct line lines[] = {
        {"17:24:35.540 INFO  v.c.VerifyCodeController#51 TraceID: f16f48f8dfc4ae48f1075da798bbfa8c "
         "SpanID: 863f2b0321d2a6d7 [verifyCode][receivedCode: 1234]",
         9, "v.c.VerifyCodeController#51 TraceID: <*> SpanID: <*> [verifyCode][receivedCode: <*>]",
         "v.c.VerifyCodeController#51"},
        {"21:54:42.238 ERROR o.a.c.c.C.[.[.[.[dispatcherServlet]#175 Servlet.service() threw", 17,
         "o.a.c.c.C.[.[.[.[dispatcherServlet]#175 Servlet.service() threw",
         "o.a.c.c.C.[.[.[.[dispatcherServlet]#175"},
        {"INFO FoodServiceImpl#240 got 3", 9, "FoodServiceImpl#240 got <*>", "FoodServiceImpl#240"},
        {"INFO [FoodServiceImpl#240] got 3", 9, "[FoodServiceImpl#240] got <*>",
         "FoodServiceImpl#240"},
        {"2023/01/29 09:34:00 main.go:12: boom 7", 0, "main.go:12: boom <*>", "main.go:12"},
        {"INFO pkg/db/pool2.go:120 boom", 9, "pkg/db/pool2.go:120 boom", "pkg/db/pool2.go:120"},
        {"ERROR caller=server/main.go:9 msg=x", 17, "caller=server/main.go:9 msg=x",
         "server/main.go:9"},
        {"WARN [main] (OrderService.java:88) - slow", 13, "[main] (OrderService.java:88) - slow",
         "OrderService.java:88"},
        {"src/app.js:12:34 TypeError", 0, "src/app.js:12:<*> TypeError", "src/app.js:12"},
        {"\x1b[34mmain.go:12\x1b[0m boom", 0, "main.go:12 boom", "main.go:12"},
        {"C:\\src\\App.cs:7 boom", 0, "C:\\src\\App.cs:7 boom", "\\src\\App.cs:7"},
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(what_only_resembles_a_location_is_masked)
{
    static const struct line lines[] = {
        {"order#42 paid", 0, "order#<*> paid", NULL},
        {"connect db.example.com:5432", 0, "connect db.example.com:<*>", NULL},
        {"connect main.golang:12", 0, "connect main.golang:<*>", NULL},
        {"java.lang.Error: no\n at a.B.c(B.java:7)", 0, "java.lang.Error: no at a.B.c(B.java:<*>)",
         NULL},
        {"one two three four main.go:12", 0, "one two three four main.go:<*>", NULL},
        {"listen .go:12", 0, "listen .go:<*>", NULL},
        {"file main.go:12.5", 0, "file main.go:<*>", NULL},
        {"file main.go:12a", 0, "file main.go:<*>", NULL},
        {"file main.go:1234567", 0, "file main.go:<*>", NULL},
        {"a.b#", 0, "a.b#", NULL},
        {"main.go:", 0, "main.go:", NULL},
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(a_json_object_is_its_message)
{
    static const struct line lines[] = {
        {"{\"level\":\"error\",\"msg\":\"no route to 10.0.0.1\"}", 17, "no route to <*>", NULL},
        {"{\"level\":\"info\",\"ts\":1674984275.5,\"caller\":\"srv/main.go:12\",\"msg\":\"got 3\"}",
         9, "srv/main.go:12 got <*>", "srv/main.go:12"},
        {"{\"level\":50,\"time\":1674984275540,\"pid\":7,\"msg\":\"down\"}", 17, "down", NULL},
        {"{\"message\":\"failed\",\"error\":\"timeout after 5s\",\"severity\":\"WARNING\"}", 13,
         "failed error=timeout after <*>", NULL},
        {"{\"log\":\"2023-01-29T09:34:00Z ERROR boom\\n\",\"stream\":\"stderr\"}", 17, "boom",
         NULL},
        {"{\"a\":\"b c\",\"n\":12,\"deep\":{\"x\":[1,\"}\"]},\"time\":\"12:00:00\"}", 0,
         "a=b c n=<*> deep={\"x\":[<*>,\"}\"]}", NULL},
        {"{\"msg\":\"tab\\tquote\\\" slash\\/ \\u00e9 \\ud800 \\u0000end\"}", 0,
         "tab quote\" slash/ \xc3\xa9 ? end", NULL},
        {"{\"msg\":\"cut off he", 0, "cut off he", NULL},
        {"{\"msg\":5,\"k\":\"v\"}", 0, "msg=<*> k=v", NULL},
        {"{} nothing", 0, "{} nothing", NULL},
        {"{not json 5}", 0, "{not json <*>}", NULL},
        {"{\"key\" 5}", 0, "{\"key\" <*>}", NULL},
        {"{\"msg\":", 0, "{\"msg\":", NULL},
        {"[{\"msg\":\"x\"}]", 0, "[{\"msg\":\"x\"}]", NULL},
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(the_records_severity_counts_before_the_lines)
{
    fl_log_form_of(&form, SLICE("INFO boom"), 18);
    ck_assert_int_eq(form.severity, 17);
    ck_assert_uint_eq(form.len, 4);
    fl_log_form_of(&form, SLICE("INFO boom"), 0);
    ck_assert_int_eq(form.severity, 9);
    static const int classes[][2] = {{1, 1},   {4, 1},   {5, 5},   {9, 9},   {12, 9}, {13, 13},
                                     {16, 13}, {20, 17}, {21, 21}, {24, 21}, {25, 0}, {-1, 0}};
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        fl_log_form_of(&form, SLICE("boom"), classes[i][0]);
        ck_assert_int_eq(form.severity, classes[i][1]);
    }
}
END_TEST

START_TEST(bytes_that_are_no_text_become_question_marks)
{
    static const struct {
        fl_slice line;
        const char *text;
    } lines[] = {
        {BYTES_INIT("nul\0in it"), "nul in it"},
        {BYTES_INIT("bad \xff\xfe byte"), "bad ?? byte"},
        {BYTES_INIT("cut \xe4\xb8"), "cut ??"},
        {BYTES_INIT("overlong \xc0\xaf"), "overlong ??"},
        {BYTES_INIT("surrogate \xed\xa0\x80"), "surrogate ???"},
        {BYTES_INIT("nel \xc2\x85 \xc2\xa0 del \x7f end"), "nel ?? \xc2\xa0 del end"},
        {BYTES_INIT("esc \x1b] and \x1b[ 12"), "esc ] and [ <*>"},
        {BYTES_INIT("\xff\xff 7\xff"), "?? <*>"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        fl_log_form_of(&form, lines[i].line, 0);
        check_form(lines[i].line);
        char text[64];
        snprintf(text, sizeof(text), "%.*s", (int)form.len, (const char *)form.key + 1);
        ck_assert_str_eq(text, lines[i].text);
    }
}
END_TEST

/* `unit` repeated to `len` bytes. */
static fl_slice repeat(const char *unit, size_t len)
{
    unsigned char *bytes = malloc(len);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0, n = strlen(unit); i < len; i++)
        bytes[i] = (unsigned char)unit[i % n];
    return (fl_slice){.ptr = bytes, .len = len};
}

START_TEST(a_line_of_a_megabyte_is_cut_at_a_token)
{
    fl_slice line = repeat("words and ", 1 << 20);
    fl_log_form_of(&form, line, 0);
    check_form(line);
    fl_slice text = fl_log_form_text(&form);
    ck_assert_uint_gt(text.len, FL_MAX_LOG_TEXT_BYTES - 16);
    ck_assert_mem_eq(text.ptr + text.len - 4, " <*>", 4);
    free((void *)(uintptr_t)line.ptr);

    static const char *const units[] = {"x", "0",   "f",     "\xff",    "[",  "1,",  "1=",     "1 ",
                                        "-", "a1-", "\x1b[", "{\"a\":", "[[", "1::", "a.go:1 "};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        line = repeat(units[i], 1 << 20);
        fl_log_form_of(&form, line, 0);
        check_form(line);
        ck_assert_uint_ge(form.len, 3);
        ck_assert_mem_eq(form.key + 1 + form.len - 3, "<*>", 3);
        free((void *)(uintptr_t)line.ptr);
    }
}
END_TEST

START_TEST(a_message_of_a_megabyte_in_json_is_cut_at_a_token)
{
    fl_slice line = repeat("word \\n", 1 << 20);
    memcpy((void *)(uintptr_t)line.ptr, "{\"msg\":\"", 8);
    fl_log_form_of(&form, line, 0);
    check_form(line);
    ck_assert_uint_gt(form.len, FL_MAX_LOG_TEXT_BYTES - 16);
    ck_assert_mem_eq(form.key + 1 + form.len - 4, " <*>", 4);
    free((void *)(uintptr_t)line.ptr);
}
END_TEST

START_TEST(a_location_in_a_token_that_does_not_fit_goes_with_it)
{
    fl_slice line = repeat("!", 3000);
    memcpy((void *)(uintptr_t)line.ptr, "at main.go:12", 13);
    fl_log_form_of(&form, line, 0);
    check_form(line);
    ck_assert_uint_eq(form.location_len, 0);
    ck_assert_uint_eq(form.len, 6);
    ck_assert_mem_eq(form.key + 1, "at <*>", 6);
    free((void *)(uintptr_t)line.ptr);
}
END_TEST

START_TEST(no_bytes_at_all_are_an_empty_line)
{
    fl_log_form_of(&form, (fl_slice){0}, 9);
    ck_assert_uint_eq(form.len, 0);
    ck_assert_uint_eq(form.token_count, 0);
    ck_assert_int_eq(form.severity, 9);
}
END_TEST

START_TEST(values_of_other_lengths_cut_at_the_same_token)
{
    fl_log_form first;
    char line[8192];
    for (int digits = 1; digits < 6; digits++) {
        size_t len = 0;
        for (int i = 0; i < 300; i++)
            len += (size_t)snprintf(line + len, sizeof(line) - len, "id=%.*s ", digits, "54321");
        fl_log_form_of(&form, (fl_slice){(const unsigned char *)line, len}, 0);
        if (digits == 1)
            first = form;
        ck_assert_uint_eq(form.len, first.len);
        ck_assert_mem_eq(form.key, first.key, first.len + 1);
    }
}
END_TEST

START_TEST(each_prefix_of_a_line_has_a_form)
{
    static const char *const lines[] = {
        "<34>1 2023-01-29T09:34:00.123+08:00 [ERROR] pkg/a.go:12 k=\"v 1\" 10.0.0.1:80 "
        "\xe4\xb8\xad",
        "{\"level\":\"error\",\"caller\":\"a/b.go:1\",\"msg\":\"x \\u00e9 \\\" 12\",\"err\":\"y\"}",
        "Mon Jan  2 15:04:05 2006 \x1b[31mWARN\x1b[0m a.b.C#12 "
        "e24bb484-516a-4aad-b37f-517e7139e913",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        for (size_t len = 0; len <= strlen(lines[i]); len++) {
            /* An own allocation of that size, so that a read past it is an error under ASan. */
            unsigned char *copy = malloc(len + (len == 0));
            ck_assert_ptr_nonnull(copy);
            memcpy(copy, lines[i], len);
            fl_log_form_of(&form, (fl_slice){.ptr = copy, .len = len}, 0);
            check_form((fl_slice){.ptr = copy, .len = len});
            free(copy);
        }
}
END_TEST

static Suite *logmask_suite(void)
{
    Suite *suite = suite_create("correlate/logmask");
    TCase *cases = tcase_create("logmask");
    tcase_add_test(cases, values_are_masked_and_words_stay);
    tcase_add_test(cases, time_and_level_are_dropped);
    tcase_add_test(cases, what_only_resembles_a_time_or_level_stays);
    tcase_add_test(cases, a_code_location_stays);
    tcase_add_test(cases, what_only_resembles_a_location_is_masked);
    tcase_add_test(cases, a_json_object_is_its_message);
    tcase_add_test(cases, the_records_severity_counts_before_the_lines);
    tcase_add_test(cases, bytes_that_are_no_text_become_question_marks);
    tcase_add_test(cases, a_line_of_a_megabyte_is_cut_at_a_token);
    tcase_add_test(cases, a_message_of_a_megabyte_in_json_is_cut_at_a_token);
    tcase_add_test(cases, a_location_in_a_token_that_does_not_fit_goes_with_it);
    tcase_add_test(cases, no_bytes_at_all_are_an_empty_line);
    tcase_add_test(cases, values_of_other_lengths_cut_at_the_same_token);
    tcase_add_test(cases, each_prefix_of_a_line_has_a_form);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(logmask_suite)
