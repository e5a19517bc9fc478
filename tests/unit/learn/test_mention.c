/*
 * Components with versions and settings with values, as sentences name them.
 */
#include "mention.h"

#include "buf.h"
#include "slice.h"

#include "fl_test.h"

static fl_error err;
static fl_learn_rules *rules;
static fl_arena arena;
static fl_buf seen;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    seen = fl_buf_of(1 << 16);
    ck_assert_ok(fl_learn_rules_create(&rules, &err));
}

static void teardown(void)
{
    fl_learn_rules_destroy(rules);
    fl_arena_dispose(&arena);
    fl_buf_dispose(&seen);
}

/* "name range; ..." of a sentence, with '!' where it is bound to the version. */
static const char *mentions(const char *text)
{
    fl_sentence sentence;
    fl_sentences from = {.block = SLICE(text), .arena = &arena};
    fl_mention found[FL_MAX_MENTIONS];
    bool nomem;
    fl_buf_clear(&seen);
    fl_buf_text(&seen, "");
    ck_assert(fl_sentence_next(&sentence, &from, &nomem));
    size_t count = fl_mentions_find(found, rules, &sentence);
    for (size_t i = 0; i < count; i++)
        fl_buf_printf(&seen, "%s%.*s %s%s", i > 0 ? "; " : "", FL_SLICE_ARG(found[i].name),
                      found[i].is_config ? "set" : found[i].range, found[i].is_bound ? "!" : "");
    return seen.len > 0 ? seen.ptr : "";
}

static const struct {
    const char *text, *found;
} cases[] = {
    {"nothing here", ""},
    {"Spring Boot 2.7.18 with Lettuce 6.2.5", "spring-boot =2.7.18; lettuce =6.2.5"},
    {"redis:7.0.4-alpine", "redis =7.0.4-alpine"},
    {"Go 1.21.3", "go =1.21.3"},
    {"PostgreSQL before 15.2", "postgresql <15.2!"},
    {"kafka 3.1 and later", "kafka >=3.1!"},
    {"kafka 3.1 or older", "kafka <=3.1!"},
    {"kafka since 3.1", "kafka >=3.1!"},
    {"grpc-go 1.52.0 to 1.55.0", "grpc-go >=1.52.0 <=1.55.0!"},
    {"grpc-go 1.52.0 - 1.55.0", "grpc-go >=1.52.0 <=1.55.0!"},
    {"fixed in grpc-go 1.55.1", "grpc-go <1.55.1!"},
    {"We upgraded grpc-go from 1.54.0 to 1.55.1", "grpc-go <1.55.1!"},
    {"We upgraded grpc-go to 1.55.1", "grpc-go <1.55.1!"},
    {"After the upgrade to redis 7.0.4 it failed", "redis =7.0.4"},
    {"Versions 1.1 to 1.3 are affected", " >=1.1 <=1.3!"},
    {"fixed in v1.4.2", " <1.4.2!"},
    {"telemetry-agent v0.31.0", "telemetry-agent =0.31.0"},
    {"telemetry-agent@0.31.0", "telemetry-agent =0.31.0"},
    {"it took 1.2 s, 200ms and 4.5%", ""},
    {"in redis", "redis *"},
    {"redis-cli and spring.redis.timeout", ""},
    {"redis.timeout=2000ms", "redis.timeout=2000ms set"},
    {"-XX:MaxRAMPercentage=75.", "-XX:MaxRAMPercentage=75 set"},
    {"GOGC=off, pool.size=8)", "GOGC=off set; pool.size=8 set"},
    {"a == b, a >= b, a = b, a=, =b, 1=2", ""},
    {"a!=bb", ""},
};

START_TEST(a_sentence_names_components_and_settings)
{
    ck_assert_str_eq(mentions(cases[_i].text), cases[_i].found);
}
END_TEST

START_TEST(more_mentions_than_there_is_room_for_are_left_out)
{
    const char *text = "a1=1 b1=1 c1=1 d1=1 e1=1 f1=1 g1=1 h1=1 i1=1 j1=1";
    ck_assert_str_eq(mentions(text), "a1=1 set; b1=1 set; c1=1 set; d1=1 set; e1=1 set; f1=1 set;"
                                     " g1=1 set; h1=1 set");
}
END_TEST

START_TEST(a_qualifier_names_the_ecosystem_and_its_range_is_read_by_the_order_of_versions)
{
    char qualifier[FL_QUALIFIER_TEXT];
    fl_mention m = {.versions = FL_ECOSYSTEM_MAVEN, .range = ">=5.0 <=6.2"};
    fl_mention_qualifier(qualifier, &m);
    ck_assert_str_eq(qualifier, "maven >=5.0 <=6.2");
    ck_assert_ok(fl_version_range_check(m.versions, SLICE(m.range), &err));
    ck_assert(fl_version_in_range(m.versions, SLICE(m.range), SLICE("6.1.9")));
    fl_mention any = {.range = "*"};
    fl_mention_qualifier(qualifier, &any);
    ck_assert_str_eq(qualifier, "*");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("mention");
    TCase *tests = tcase_create("mentions");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_sentence_names_components_and_settings, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tests, more_mentions_than_there_is_room_for_are_left_out);
    tcase_add_test(tests,
                   a_qualifier_names_the_ecosystem_and_its_range_is_read_by_the_order_of_versions);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
