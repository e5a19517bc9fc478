/*
 * test_redact.c - what is taken out, what is left as it is, and where in a record it is looked for.
 */
#include "fl_test.h"

#include <stdio.h>

#include "mem.h"
#include "redact.h"
#include "redact_priv.h"

static fl_redact_rules *rules;
static fl_redact *redact;
static fl_error err;

/* ---- a sink that remembers the last record ---- */

static struct last {
    char text[4096];
} last;

static void note(const char *what, fl_slice text)
{
    size_t used = strlen(last.text);
    snprintf(last.text + used, sizeof(last.text) - used, "%s=%.*s\n", what, (int)text.len,
             text.len > 0 ? (const char *)text.ptr : "");
}

static void note_attrs(fl_attrs attrs)
{
    for (size_t i = 0; i < attrs.count; i++) {
        char key[64], number[32];
        const fl_value *value = &attrs.items[i].value;
        snprintf(key, sizeof(key), "%.*s", (int)attrs.items[i].key.len,
                 (const char *)attrs.items[i].key.ptr);
        snprintf(number, sizeof(number), "%lld", (long long)value->number);
        note(key, value->kind == FL_VALUE_INT ? SLICE(number) : value->text);
    }
}

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *e)
{
    (void)payload;
    (void)e;
    *handle = 7;
    note_attrs(resource->attrs);
    return FL_OK;
}

static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *e)
{
    (void)payload;
    (void)e;
    ck_assert_uint_eq(resource, 7);
    note("name", span->name);
    note_attrs(span->attrs);
    for (size_t i = 0; i < span->event_count; i++) {
        note("event", span->events[i].name);
        note_attrs(span->events[i].attrs);
    }
    return FL_OK;
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *e)
{
    (void)payload;
    (void)e;
    ck_assert_uint_eq(resource, 7);
    note("body", log->body);
    note_attrs(log->attrs);
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *e)
{
    (void)payload;
    (void)resource;
    (void)e;
    note("metric", point->metric);
    note_attrs(point->attrs);
    return FL_OK;
}

static fl_status on_change(void *payload, const fl_change_record *change, fl_error *e)
{
    (void)payload;
    (void)e;
    note("key", change->key);
    note("before", change->before);
    note("after", change->after);
    note("url", change->url);
    return FL_OK;
}

static fl_status on_alert(void *payload, const fl_alert_record *alert, fl_error *e)
{
    (void)payload;
    (void)e;
    note("summary", alert->summary);
    note_attrs(alert->labels);
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *e)
{
    (void)payload;
    (void)e;
    note("reject", SLICE(reject->reason));
    return FL_OK;
}

static const fl_sink behind = {.resource = on_resource,
                               .span = on_span,
                               .log = on_log,
                               .point = on_point,
                               .change = on_change,
                               .alert = on_alert,
                               .reject = on_reject};

static void setup(void)
{
    err = (fl_error){0};
    last.text[0] = '\0';
    ck_assert_ok(fl_redact_rules_create(&rules, &(fl_redact_options){0}, &err));
    ck_assert_ok(fl_redact_create(&redact, rules, &behind, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_redact_destroy(redact);
    fl_redact_rules_destroy(rules);
}

static void check_text(const char *text, const char *expected)
{
    fl_slice out;
    char shown[4096];
    ck_assert_ok(fl_redact_text(&out, redact, SLICE(text), &err));
    snprintf(shown, sizeof(shown), "%.*s", (int)out.len, (const char *)out.ptr);
    ck_assert_str_eq(shown, expected);
}

/* ---- texts ---- */

/* Made up, but of the form; those of the second column must be gone. */
static const struct {
    const char *text, *kept;
} taken_out[] = {
    {"login of jane.doe+x@mail.example.com failed", "login of [redacted:email] failed"},
    {"<bob@example.org>, <eve@example.co.uk>", "<[redacted:email]>, <[redacted:email]>"},
    {"to=a@b.io", "to=[redacted:email]"},
    {"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl end", "jwt [redacted:jwt] end"},
    {"token=eyJ0eXAiOiJKV1QifQ.eyJpc3MiOiJqb2UifQ.", "token=[redacted:jwt]"},
    {"GET / Authorization: Bearer abc123DEF456ghi789", "GET / Authorization: Bearer"
                                                       " [redacted:authorization]"},
    {"curl -H 'Authorization: Basic dXNlcjpwYXNz' x", "curl -H 'Authorization: Basic"
                                                      " [redacted:authorization]' x"},
    {"{\"authorization\":\"Token 0123456789abcdef\"}",
     "{\"authorization\":\"Token [redacted:authorization]\"}"},
    {"key AKIAIOSFODNN7EXAMPLE used", "key [redacted:api-key] used"},
    {"remote https://ghp_0123456789abcdefghijABCDEFGHIJ012345@x", "remote"
                                                                  " https://[redacted:api-key]@x"},
    {"xoxb-123456789012-abcdef", "[redacted:api-key]"},
    {"postgres://app:hunter2@db:5432/shop?x=1", "postgres://app:[redacted:url-password]@db:5432/"
                                                "shop?x=1"},
    {"redis://:s3cr%21t@cache:6379/0", "redis://:[redacted:url-password]@cache:6379/0"},
    {"https://me:pw@mail.example.com/", "https://me:[redacted:url-password]@mail.example.com/"},
    {"password=hunter2&user=x", "password=[redacted:password]&user=x"},
    {"DB_PASSWORD: correct-horse", "DB_PASSWORD: [redacted:password]"},
    {"{\"user\":\"x\",\"password\":\"a b c\",\"n\":1}",
     "{\"user\":\"x\",\"password\":\"[redacted:password]\",\"n\":1}"},
    {"{\\\"password\\\":\\\"hunter2\\\"}", "{\\\"password\\\":\\\"[redacted:password]\\\"}"},
    {"Server=x;Pwd=abc;Y=1", "Server=x;Pwd=[redacted:password];Y=1"},
    {"GET /x?api_key=0123456789abcdef&y=1", "GET /x?api_key=[redacted:secret]&y=1"},
    {"client_secret: 'Zm9vYmFyYmF6'", "client_secret: '[redacted:secret]'"},
    {"refreshToken=\"9f8e7d6c5b4a\"", "refreshToken=\"9f8e7d6c5b4a\""}, /* no word of its own */
    {"refresh_token=9f8e7d6c5b4a", "refresh_token=[redacted:secret]"},
    {"card 4111111111111111 declined", "card [redacted:card] declined"},
    {"4111 1111 1111 1111", "[redacted:card]"},
    {"2024-01-05 12:00:00 5500-0055-5555-5559 x", "2024-01-05 12:00:00 [redacted:card] x"},
    {"amex 3782 822463 10005.", "amex [redacted:card]."},
    {"{\"pan\":\"6011111111111117\"}", "{\"pan\":\"[redacted:card]\"}"},
    {"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\nx",
     "[redacted:private-key]\nx"},
    {"a -----BEGIN PRIVATE KEY-----\\nMIIB", "a [redacted:private-key]"},
    {"\xff\xfe me@example.com \xc3", "\xff\xfe [redacted:email] \xc3"},
    {"a@example.com b@example.com password=x 4111111111111111",
     "[redacted:email] [redacted:email] password=[redacted:password] [redacted:card]"},
};

START_TEST(secrets_are_taken_out_and_the_rest_stays)
{
    check_text(taken_out[_i].text, taken_out[_i].kept);
    check_text(taken_out[_i].kept, taken_out[_i].kept); /* once is enough */
}
END_TEST

static const char *const left[] = {
    "",
    "connection pool exhausted after 30000 ms",
    "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904 of main",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
    "uuid 550e8400-e29b-41d4-a716-446655440000",
    "uuid 41111111-1111-1111-1111-111111111111",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "at 1700000000000 or 1700000000000000000 ns, 2024-01-05T12:34:56.123456789Z",
    "order 4111111111111112 is no card", /* Luhn's digit is another */
    "order-4111111111111111 is an identifier",
    "0.4111111111111111 and 4111111111111111.5",
    "id 41111111111111110000",
    "9999999999999995", /* Luhn holds, no issuer */
    "getty@tty1.service and logo@2x.png",
    "module @angular/core@15.2.3, image repo@sha256:abc",
    "java.lang.Object@1b6d3586 com.acme.Foo@6d06d69c",
    "10.0.0.1:8080 -> 10.0.0.2:9090",
    "http://host:8080/path?a=b@c",
    "user@host and root@10.0.0.1",
    "Failed password for root from 10.0.0.1 port 22 ssh2",
    "unexpected token: '}' at line 3",
    "token expired",
    "next token: identifier",
    "max_tokens=512 tokens: 4096 used",
    "secret not found; retry=3",
    "password=null password: \"\" pwd=/root/x PASSWORD=${DB_PASSWORD}",
    "password=****** passwd: 12",
    "std::string token::value = 1",
    "Bearer authentication required",
    "basic authentication failed, authorization failed",
    "SELECT * FROM credentials WHERE id = 7",
    "partition=3 offset=123456789012 lag=0",
    "glpat is a prefix; sk_live is another",
    "author=jane authority=x",
};

START_TEST(what_is_no_secret_is_left_as_it_is)
{
    fl_slice out, text = SLICE(left[_i]);
    check_text(left[_i], left[_i]);
    ck_assert_ok(fl_redact_text(&out, redact, text, &err));
    ck_assert(out.ptr == text.ptr && out.len == text.len); /* not even copied */
}
END_TEST

/* ---- records ---- */

#define TEXT_ATTR(k, v)                                                                            \
    {                                                                                              \
        BYTES_INIT(k),                                                                             \
        {                                                                                          \
            .kind = FL_VALUE_STRING, .text = BYTES_INIT(v)                                         \
        }                                                                                          \
    }

static const fl_attr attrs[] = {
    TEXT_ATTR("http.route", "/cart"),
    TEXT_ATTR("http.request.header.authorization", "x"),
    TEXT_ATTR("enduser.id", "jane@example.com"),
    TEXT_ATTR("DB_PASSWORD", "hunter2"),
    {BYTES_INIT("card"), {.kind = FL_VALUE_INT, .number = INT64_C(4111111111111111)}},
    {BYTES_INIT("order"), {.kind = FL_VALUE_INT, .number = INT64_C(4111111111111112)}},
    {BYTES_INIT("token"), {.kind = FL_VALUE_INT, .number = 12}},
    TEXT_ATTR("token.count", "12"),
};
static const char attrs_kept[] = "http.route=/cart\n"
                                 "http.request.header.authorization=[redacted:key]\n"
                                 "enduser.id=[redacted:email]\n"
                                 "DB_PASSWORD=[redacted:key]\n"
                                 "card=[redacted:card]\n"
                                 "order=4111111111111112\n"
                                 "token=12\n"
                                 "token.count=12\n";
static const fl_attrs all = {attrs, sizeof(attrs) / sizeof(attrs[0])};

static void check_last(const char *begin)
{
    char expected[2048];
    snprintf(expected, sizeof(expected), "%s%s", begin, attrs_kept);
    ck_assert_str_eq(last.text, expected);
    last.text[0] = '\0';
}

START_TEST(every_kind_of_record_is_looked_at)
{
    const fl_sink *sink = fl_redact_sink(redact);
    uint32_t handle;
    const fl_resource resource = {.service = SLICE("a@b.io"), .attrs = all};
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    ck_assert_uint_eq(handle, 7);
    check_last("");
    const fl_log log = {.body = SLICE("mail to a@b.io"), .attrs = all};
    ck_assert_ok(sink->log(sink->payload, 7, &log, &err));
    check_last("body=mail to [redacted:email]\n");
    const fl_point point = {.metric = SLICE("a@b.io"), .attrs = all};
    ck_assert_ok(sink->point(sink->payload, 7, &point, &err));
    check_last("metric=a@b.io\n"); /* a name is no value */
    const fl_alert_record alert = {.summary = SLICE("a@b.io is gone"), .labels = all};
    ck_assert_ok(sink->alert(sink->payload, &alert, &err));
    check_last("summary=[redacted:email] is gone\n");
    const fl_span_event events[] = {{.name = SLICE("plain")},
                                    {.name = SLICE("of a@b.io"), .attrs = all}};
    const fl_span span = {.name = SLICE("GET /u/a@b.io"), .events = events, .event_count = 2};
    ck_assert_ok(sink->span(sink->payload, 7, &span, &err));
    check_last("name=GET /u/[redacted:email]\nevent=plain\nevent=of [redacted:email]\n");
    ck_assert(events[1].attrs.items == attrs); /* what came is never changed */
    ck_assert_int_eq(attrs[3].value.text.ptr[0], 'h');
}
END_TEST

START_TEST(a_change_of_a_secret_setting_tells_neither_value)
{
    const fl_sink *sink = fl_redact_sink(redact);
    fl_change_record change = {.key = SLICE("db.password"),
                               .before = SLICE("one"),
                               .after = SLICE("two"),
                               .url = SLICE("https://u:p@git.example/x")};
    ck_assert_ok(sink->change(sink->payload, &change, &err));
    ck_assert_str_eq(last.text, "key=db.password\nbefore=[redacted:key]\nafter=[redacted:key]\n"
                                "url=https://u:[redacted:url-password]@git.example/x\n");
    last.text[0] = '\0';
    change =
        (fl_change_record){.key = SLICE("timeout"), .before = SLICE("1s"), .after = SLICE("2s")};
    ck_assert_ok(sink->change(sink->payload, &change, &err));
    ck_assert_str_eq(last.text, "key=timeout\nbefore=1s\nafter=2s\nurl=\n");
}
END_TEST

START_TEST(rejects_and_absent_members_pass_through)
{
    fl_sink few = behind;
    fl_redact *other;
    few.change = NULL;
    few.alert = NULL;
    ck_assert_ok(fl_redact_create(&other, rules, &few, &err));
    const fl_sink *sink = fl_redact_sink(other);
    ck_assert(sink->change == NULL && sink->alert == NULL);
    ck_assert_ok(sink->reject(sink->payload, &(fl_reject){.reason = "too long"}, &err));
    ck_assert_str_eq(last.text, "reject=too long\n");
    fl_redact_destroy(other);
}
END_TEST

/* ---- rules of one's own ---- */

static char slow_names[256];

static void on_slow(void *payload, const char *name)
{
    (void)payload;
    strncat(slow_names, name, sizeof(slow_names) - strlen(slow_names) - 1);
    strncat(slow_names, " ", sizeof(slow_names) - strlen(slow_names) - 1);
}

START_TEST(own_rules_come_first_and_those_without_a_literal_are_told)
{
    static const fl_redact_rule own[] = {
        {.name = "customer", .pattern = "CUST-[0-9]{8}", .replace = "CUST-?"},
        {.name = "plate", .pattern = "\\b[A-Z]{2}[0-9]{4}\\b"},
        {.name = "mail", .pattern = "jane@(\\S+)", .ignore_case = true},
    };
    static const char *const without[] = {"card"}, *const keys[] = {"user.birthday"};
    const fl_redact_options options = {.rules = own,
                                       .rule_count = 3,
                                       .without = without,
                                       .without_count = 1,
                                       .keys = keys,
                                       .key_count = 1,
                                       .slow = on_slow};
    slow_names[0] = '\0';
    teardown();
    ck_assert_ok(fl_redact_rules_create(&rules, &options, &err));
    ck_assert_ok(fl_redact_create(&redact, rules, &behind, &err));
    ck_assert_str_eq(slow_names, "plate ");
    check_text("of CUST-12345678, AB1234", "of CUST-?, [redacted:plate]");
    check_text("JANE@example.com bob@example.com", "JANE@[redacted:mail] [redacted:email]");
    check_text("4111111111111111", "4111111111111111");
    ck_assert(fl_redact_is_secret(rules, SLICE("User.Birthday")));
    ck_assert(!fl_redact_is_secret(rules, SLICE("birthday")));
    fl_redact_count counts[FL_REDACT_MAX_RULES + 2];
    size_t count = fl_redact_counts(rules, counts);
    ck_assert_str_eq(counts[0].name, "customer");
    ck_assert_uint_eq(counts[0].redacted, 1);
    ck_assert_uint_eq(counts[1].redacted, 1);
    ck_assert_str_eq(counts[count - 2].name, "key");
    ck_assert_str_eq(counts[count - 1].name, "unchecked");
}
END_TEST

START_TEST(without_the_built_in_rules_nothing_is_taken_out)
{
    teardown();
    ck_assert_ok(
        fl_redact_rules_create(&rules, &(fl_redact_options){.without_builtin = true}, &err));
    ck_assert_ok(fl_redact_create(&redact, rules, &behind, &err));
    check_text("password=x a@b.io 4111111111111111", "password=x a@b.io 4111111111111111");
    ck_assert(!fl_redact_is_secret(rules, SLICE("password")));
}
END_TEST

static const struct {
    fl_redact_rule rule;
    fl_status status;
    const char *said;
} bad_rules[] = {
    {{"a b", "x", NULL, false},
     FL_E_SYNTAX,
     "redaction rule 'a b': a name has small letters, digits and '-', at most 48"},
    {{"a", "(", NULL, false},
     FL_E_SYNTAX,
     "redaction rule 'a': pattern '(': missing closing parenthesis"},
};

START_TEST(a_rule_that_cannot_be_is_refused)
{
    fl_redact_rules *none;
    fl_error said = {0};
    const fl_redact_options options = {.rules = &bad_rules[_i].rule, .rule_count = 1};
    ck_assert_fails(bad_rules[_i].status, fl_redact_rules_create(&none, &options, &said));
    ck_assert_ptr_null(none);
    ck_assert_str_eq(said.message, bad_rules[_i].said);
}
END_TEST

START_TEST(a_built_in_rule_that_there_is_not_is_told)
{
    fl_redact_rules *none;
    fl_error said = {0};
    static const char *const without[] = {"e-mail"};
    const fl_redact_options options = {.without = without, .without_count = 1};
    ck_assert_fails(FL_E_NOTFOUND, fl_redact_rules_create(&none, &options, &said));
    ck_assert_str_eq(said.message, "there is no built-in redaction rule 'e-mail'");
}
END_TEST

START_TEST(a_pattern_that_backtracks_too_much_costs_the_text)
{
    static const fl_redact_rule own = {.name = "bomb", .pattern = "(?:x+x+)+yyyy"};
    char text[64];
    fl_redact_count counts[FL_REDACT_MAX_RULES + 2];
    teardown();
    ck_assert_ok(
        fl_redact_rules_create(&rules, &(fl_redact_options){.rules = &own, .rule_count = 1}, &err));
    ck_assert_ok(fl_redact_create(&redact, rules, &behind, &err));
    snprintf(text, sizeof(text), "%s", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx yyyy");
    check_text(text, "[redacted:unchecked]");
    size_t count = fl_redact_counts(rules, counts);
    ck_assert_uint_eq(counts[count - 1].redacted, 1);
}
END_TEST

/* ---- the first pass ---- */

START_TEST(the_first_pass_sees_what_a_rule_needs_wherever_it_stands)
{
    static const char *const needles[] = {
        "4111111111111111", "4111 1111 1111 1111",  "3782-822463-10005",
        "30569309025904",   "PassWord=hunter2",     "eyJhbGciOiJIUzI1NiJ9.eyJz.x",
        "bob@example.com",  "AKIAIOSFODNN7EXAMPLE", "-----BEGIN PRIVATE KEY-----"};
    for (size_t n = 0; n < sizeof(needles) / sizeof(needles[0]); n++)
        for (size_t before = 0; before < 40; before++)
            for (size_t after = 0; after < 12; after++) {
                char text[128];
                snprintf(text, sizeof(text), "%*s%s%*s", (int)before, "", needles[n], (int)after,
                         "");
                ck_assert_msg(fl_redact_scan_text(&rules->scan, SLICE(text)) != 0, "'%s'", text);
            }
}
END_TEST

static const struct {
    const char *pattern, *needs;
} needs[] = {
    {"CUST-[0-9]{8}", "cust-"},
    {"abcd|efgh+i", "abcd efgh"},
    {"abcd|ef", ""},
    {"abcde?", "abcd"},
    {"abc(defgh)?ijk", ""},
    {"ab\\.cd\\d+efghij", "efghij"},
    {"[abc]defgh[^]x]", "defgh"},
    {"(?i)ABCDE", "abcde"},
    {"(?x)a b c d e", ""},
    {"\\Qabcd\\E", ""},
    {"\\x41bcdef", ""},
    {"abcd{0,2}efgh", "efgh"},
    {"abcd{x|y", ""},
    {"abcd{,2}efgh", ""},
    {"abcd{2,}efgh", "efgh"},
    {"(a|b)cdefg|(hijklm|n)opqr", "cdefg opqr"},
    {"[[:alpha:]]]abcd", "]abcd"},
    {"abcd\xc3\xa9", "abcd"},
    {"", ""},
    {"a+bcde", "bcde"},
    {"(unclosed", ""},
    {"[unclosed", ""},
    {"trailing\\", ""},
};

START_TEST(what_a_pattern_needs_is_read_off_it)
{
    fl_redact_needs found;
    char text[512] = "";
    fl_redact_literals(&found, SLICE(needs[_i].pattern));
    for (size_t i = 0; i < found.count; i++) {
        strncat(text, i > 0 ? " " : "", 2);
        strncat(text, found.text[i], 64);
    }
    ck_assert_str_eq(text, needs[_i].needs);
}
END_TEST

START_TEST(cards_are_told_from_other_numbers)
{
    static const char *const cards[] = {"4111111111111111", "5555555555554444", "2221000000000009",
                                        "378282246310005",  "6011111111111117", "3530111333300000",
                                        "30569309025904",   "6200000000000005"};
    static const char *const none[] = {
        "4111111111111112",    "411111111111111",  "9999999999999995",       "1700000000000000",
        "4111111111111111111", "0000000000000000", "2720990000000000000000", "123"};
    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++)
        ck_assert_msg(fl_redact_is_card(SLICE(cards[i])), "%s", cards[i]);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        ck_assert_msg(!fl_redact_is_card(SLICE(none[i])), "%s", none[i]);
}
END_TEST

/* ---- memory ---- */

START_TEST(every_failing_allocation_is_an_error_and_nothing_leaks)
{
    static const fl_redact_rule own = {.name = "own", .pattern = "abcd|efgh"};
    const fl_redact_options options = {.rules = &own, .rule_count = 1};
    bool failed = true;
    for (long n = 0; failed; n++) {
        fl_redact_rules *made = NULL;
        fl_redact *sink = NULL;
        fl_slice out;
        fl_mem_fail_after(n);
        fl_status status = fl_redact_rules_create(&made, &options, NULL);
        if (status == FL_OK)
            status = fl_redact_create(&sink, made, &behind, NULL);
        if (status == FL_OK)
            status = fl_redact_text(&out, sink, SLICE("a@b.io password=x"), NULL);
        fl_mem_fail_after(-1);
        failed = status != FL_OK;
        ck_assert(!failed || status == FL_E_NOMEM);
        fl_redact_destroy(sink);
        fl_redact_rules_destroy(made);
        ck_assert_int_lt(n, 3000);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("redact");
    TCase *tests = tcase_create("redact");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, secrets_are_taken_out_and_the_rest_stays, 0,
                        (int)(sizeof(taken_out) / sizeof(taken_out[0])));
    tcase_add_loop_test(tests, what_is_no_secret_is_left_as_it_is, 0,
                        (int)(sizeof(left) / sizeof(left[0])));
    tcase_add_test(tests, every_kind_of_record_is_looked_at);
    tcase_add_test(tests, a_change_of_a_secret_setting_tells_neither_value);
    tcase_add_test(tests, rejects_and_absent_members_pass_through);
    tcase_add_test(tests, own_rules_come_first_and_those_without_a_literal_are_told);
    tcase_add_test(tests, without_the_built_in_rules_nothing_is_taken_out);
    tcase_add_loop_test(tests, a_rule_that_cannot_be_is_refused, 0, 2);
    tcase_add_test(tests, a_built_in_rule_that_there_is_not_is_told);
    tcase_add_test(tests, a_pattern_that_backtracks_too_much_costs_the_text);
    tcase_add_test(tests, the_first_pass_sees_what_a_rule_needs_wherever_it_stands);
    tcase_add_loop_test(tests, what_a_pattern_needs_is_read_off_it, 0,
                        (int)(sizeof(needs) / sizeof(needs[0])));
    tcase_add_test(tests, cards_are_told_from_other_numbers);
    tcase_add_test(tests, every_failing_allocation_is_an_error_and_nothing_leaks);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(suite)
