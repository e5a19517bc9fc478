#include "service.h"

#include <stdio.h>

#include "fl_test.h"
#include "json_tree.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_arena arena;
static fl_service service;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static fl_status read(const char *text)
{
    return fl_service_read(&service, &arena, SLICE(text), "s", &err);
}

static const char yaml[] = "name: checkout\n"
                           "kind: http-service\n"
                           "components:\n"
                           "  - {name: spring-boot, version: 2.7.18}\n"
                           "  - {name: lettuce}\n"
                           "config:\n"
                           "  redis: {timeout: 2000ms, hosts: [a, b]}\n"
                           "  plain.dotted: 5\n"
                           "depends_on: [redis, ledger]\n";
static const char json[] =
    "{\"name\": \"checkout\", \"kind\": \"http-service\",\n"
    " \"components\": [{\"name\": \"spring-boot\", \"version\": \"2.7.18\"}, {\"name\": "
    "\"lettuce\"}],\n"
    " \"config\": {\"redis\": {\"timeout\": \"2000ms\", \"hosts\": [\"a\", \"b\"]}, "
    "\"plain.dotted\": 5},\n"
    " \"depends_on\": [\"redis\", \"ledger\"]}\n";

static void check_whole(void)
{
    static const char *const settings[][2] = {{"redis.timeout", "2000ms"},
                                              {"redis.hosts[0]", "a"},
                                              {"redis.hosts[1]", "b"},
                                              {"plain.dotted", "5"}};
    ck_assert_str_eq(service.name, "checkout");
    ck_assert_str_eq(service.kind, "http-service");
    ck_assert_uint_eq(service.component_count, 2);
    ck_assert_str_eq(service.components[0].value, "2.7.18");
    ck_assert_ptr_null(service.components[1].value);
    ck_assert_uint_eq(service.setting_count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(service.settings[i].name, settings[i][0]);
        ck_assert_str_eq(service.settings[i].value, settings[i][1]);
    }
    ck_assert_uint_eq(service.depends_on_count, 2);
    ck_assert_str_eq(service.depends_on[1], "ledger");
}

START_TEST(yaml_and_json_say_the_same)
{
    ck_assert_ok(read(yaml));
    check_whole();
    ck_assert_ok(read(json));
    check_whole();
}
END_TEST

START_TEST(a_name_is_enough)
{
    ck_assert_ok(read("name: x"));
    ck_assert_uint_eq(service.component_count + service.setting_count, 0);
    ck_assert_ok(read("{\"name\": \"\\ud83d\\ude00 \\u0041\"}"));
    ck_assert_str_eq(service.name, "\xF0\x9F\x98\x80 A");
    ck_assert_ok(read("name: x\nconfig: {}\ncomponents: []\n"));
    ck_assert_ok(read("{\"name\": \"x\", \"config\": {\"a\": true, \"b\": null, \"c\": 1e3}}"));
    ck_assert_uint_eq(service.setting_count, 3);
    ck_assert_str_eq(service.settings[1].value, "null");
}
END_TEST

static const struct {
    const char *text, *message;
} malformed[] = {
    {"", "s:1:1: the document is empty"},
    {"[]", "s:1:1: a service is a mapping"},
    {"kind: x", "s:1:1: name is missing"},
    {"name: x\nversion: 1", "s:2:1: a service has no key 'version'"},
    {"name: [x]", "s:1:1: name is a text"},
    {"name: x\ncomponents: {}", "s:2:1: components is a list"},
    {"name: x\ncomponents: [y]", "s:2:14: a component is a mapping"},
    {"name: x\ncomponents:\n  - {version: 1}", "s:3:5: name is missing"},
    {"name: x\ncomponents:\n  - {name: y, vers: 1}", "s:3:15: a component has no key 'vers'"},
    {"name: x\nconfig: 5", "s:2:1: config is a mapping of settings to values"},
    {"name: x\nconfig:\n  '': 1", "s:3:3: a setting has a name"},
    {"name: x\nname: y", "s:2:1: this key is given twice"},
    {"name: x\ndepends_on: [[]]", "s:2:14: depends_on is a list of texts"},
    {"{\"name\": 5,}", "s:1:12: expected a key after ','"},
    {"{\"name\": \"x\"", "s:1:13: expected ',' or '}' after a member"},
    {"{\"name\": \"x\"} y", "s:1:15: "},
    {"{\n \"name\": \"x\",\n \"nam\": 1}", "s:3:9: a service has no key 'nam'"},
    {"{\"name\": \"x\", \"name\": \"y\"}", "s:1:23: this key is given twice"},
    {"{\"name\": \"a\\u0000b\"}", "s:1:10: a text holds no NUL"},
};

START_TEST(a_mistake_is_named_with_its_place)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        err = (fl_error){0};
        ck_assert_msg(read(malformed[i].text) == FL_E_SYNTAX, "%s", malformed[i].text);
        ck_assert_msg(strncmp(err.message, malformed[i].message, strlen(malformed[i].message)) == 0,
                      "%s: %s", malformed[i].text, err.message);
        ck_assert_uint_le(err.offset, strlen(malformed[i].text));
    }
}
END_TEST

START_TEST(what_is_too_large_is_refused)
{
    char *text = malloc(FL_MAX_SERVICE_BYTES + 64);
    ck_assert_ptr_nonnull(text);
    int len = snprintf(text, 64, "name: ");
    memset(text + len, 'x', 500);
    text[len + 500] = '\0';
    ck_assert_fails(FL_E_SYNTAX, read(text));
    ck_assert_str_eq(err.message, "s:1:1: a text is longer than 400 bytes");
    memset(text + len, 'x', FL_MAX_SERVICE_BYTES);
    text[len + FL_MAX_SERVICE_BYTES] = '\0';
    err = (fl_error){0};
    ck_assert_fails(FL_E_LIMIT, read(text));
    size_t used = (size_t)snprintf(text, 64, "name: x\ncomponents:\n");
    for (size_t i = 0; i <= FL_MAX_SERVICE_COMPONENTS; i++)
        used += (size_t)snprintf(text + used, 64, "  - {name: c%zu}\n", i);
    err = (fl_error){0};
    ck_assert_fails(FL_E_SYNTAX, read(text));
    ck_assert_str_eq(err.message, "s:2:1: more than 1000 components");
    /* Nested names that grow beyond a key. */
    used = (size_t)snprintf(text, 64, "{\"name\": \"x\", \"config\": {\"");
    for (size_t level = 0; level < 3; level++) {
        memset(text + used, 'a', 200);
        used += 200;
        used += (size_t)snprintf(text + used, 64, "\": {\"");
    }
    snprintf(text + used, 64, "b\": 1}}}}}");
    err = (fl_error){0};
    ck_assert_fails(FL_E_SYNTAX, read(text));
    ck_assert_ptr_nonnull(strstr(err.message, "a text is longer than 400 bytes"));
    free(text);
}
END_TEST

START_TEST(json_nests_no_deeper_than_yaml)
{
    char text[256] = "{\"name\": ";
    for (size_t i = 0; i < FL_YAML_MAX_DEPTH; i++)
        text[9 + i] = '[';
    ck_assert_fails(FL_E_SYNTAX, read(text));
    ck_assert_str_eq(err.message, "s:1:25: nested more than 16 deep");
}
END_TEST

START_TEST(each_prefix_reads_or_fails_cleanly)
{
    const char *const texts[] = {yaml, json};
    for (size_t t = 0; t < 2; t++) {
        for (size_t len = 0; len < strlen(texts[t]); len++) {
            err = (fl_error){0};
            fl_arena_reset(&arena);
            fl_slice part = {.ptr = (const unsigned char *)texts[t], .len = len};
            fl_status status = fl_service_read(&service, &arena, part, "s", &err);
            ck_assert(status == FL_OK || status == FL_E_SYNTAX);
            ck_assert(t == 0 || len + 1 == strlen(texts[t]) || status == FL_E_SYNTAX);
        }
    }
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    const char *const texts[] = {yaml, json};
    for (size_t t = 0; t < 2; t++) {
        for (long n = 0;; n++) {
            err = (fl_error){0};
            fl_arena_dispose(&arena);
            fl_mem_fail_after(n);
            fl_status status = read(texts[t]);
            fl_mem_fail_after(-1);
            if (status == FL_OK)
                break;
            ck_assert_int_eq(status, FL_E_NOMEM);
            ck_assert_int_lt(n, 10000);
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("service");
    TCase *tests = tcase_create("service");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, yaml_and_json_say_the_same);
    tcase_add_test(tests, a_name_is_enough);
    tcase_add_test(tests, a_mistake_is_named_with_its_place);
    tcase_add_test(tests, what_is_too_large_is_refused);
    tcase_add_test(tests, json_nests_no_deeper_than_yaml);
    tcase_add_test(tests, each_prefix_reads_or_fails_cleanly);
    tcase_add_test(tests, each_allocation_may_fail);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
