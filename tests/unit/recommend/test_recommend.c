#include "recommend.h"

#include <jansson.h>
#include <stdio.h>

#include "fl_store_place.h"
#include "library_load.h"
#include "mem.h"
#include "report_recommend.h"
#include "report_recommend_priv.h"
#include "slice.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;
static fl_library *library;
static fl_arena arena;
static fl_recommended advice;
static fl_service service;

#define DAY_NS INT64_C(86400000000000)

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(256 << 20);
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_library_create(&library, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_library_destroy(library);
    fl_store_close(store);
    fl_store_place_clear(&place);
    fl_arena_dispose(&arena);
}

/* One cause of three requirements, with every form of advice. */
static const char pool[] = "components: [{name: lettuce, aliases: ['io.lettuce:lettuce-core']}]\n"
                           "settings: [{name: redis.timeout, aliases: [spring.redis.timeout]}]\n"
                           "items:\n"
                           "  - name: pool-starved\n"
                           "    title: The pool is starved\n"
                           "    cause: commands hold connections\n"
                           "    symptoms: [{said: pool starved}]\n"
                           "    needs:\n"
                           "      - {component: lettuce, versions: 'maven >=6 <7'}\n"
                           "      - {setting: redis.timeout, is: '>=1s || absent'}\n"
                           "    fixes:\n"
                           "      - {do: 'set redis.timeout=500ms', why: shorter}\n"
                           "      - {do: 'limit redis.pool.max-active=64', why: more}\n"
                           "      - {do: 'avoid redis.cluster', why: simpler}\n"
                           "      - {do: 'upgrade lettuce to 6.3', why: newer}\n"
                           "      - {do: 'alert PoolWaits if waiting{job=\"$service\"} > 0 for "
                           "5m', why: early, plan: Slow "
                           "it down}\n"
                           "      - {do: 'check commands are short', why: few are}\n"
                           "      - {do: give scripts a client of their own, why: they are slow}\n"
                           "    references: ['https://example.org/1']\n";

static void load(const char *yaml)
{
    fl_library_loaded loaded;
    ck_assert_ok(fl_library_add(library, SLICE(yaml), "own.yaml", &err));
    ck_assert_ok(fl_library_load(&loaded, store, library, false, DAY_NS, &err));
}

static fl_status ask_at(const char *yaml, int64_t now_ns)
{
    fl_status status = fl_service_read(&service, &arena, SLICE(yaml), "s", &err);
    const fl_recommend_question question = {
        .service = &service, .names = library, .now_ns = now_ns};
    return status == FL_OK ? fl_recommend(&advice, store, &question, &arena, &err) : status;
}

static void ask(const char *yaml)
{
    ck_assert_ok(ask_at(yaml, DAY_NS));
}

#define LETTUCE "name: s\ncomponents: [{name: lettuce, version: 6.2.5}]\n"

START_TEST(advice_comes_by_kind_with_its_path)
{
    static const fl_advice_kind kinds[] = {FL_ADVICE_SET,   FL_ADVICE_LIMIT, FL_ADVICE_UPGRADE,
                                           FL_ADVICE_ALERT, FL_ADVICE_CHECK, FL_ADVICE_DO};
    load(pool);
    ask("name: s\ncomponents: [{name: 'io.lettuce:lettuce-core', version: 6.2.5.RELEASE}]\n"
        "config: {SPRING_REDIS_TIMEOUT: 2000ms}\n");
    ck_assert_uint_eq(advice.causes, 1);
    ck_assert_uint_eq(advice.count, 6);
    ck_assert_uint_eq(advice.met, 1); /* there is no cluster to avoid */
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(advice.items[i].words.kind, kinds[i]);
    const fl_recommendation *first = &advice.items[0];
    ck_assert_str_eq(first->now, "2000ms");
    ck_assert_str_eq(first->now_name, "SPRING_REDIS_TIMEOUT");
    ck_assert_uint_eq(first->path_count, 1);
    ck_assert_str_eq(first->paths[0].key, "pool-starved");
    ck_assert_str_eq(first->paths[0].why, "shorter");
    ck_assert_uint_eq(first->paths[0].gate_count, 2);
    ck_assert_uint_eq(first->paths[0].symptom_count, 1);
    ck_assert_str_eq(first->paths[0].references[0], "https://example.org/1");
    ck_assert(first->paths[0].curated && !first->paths[0].own);
    ck_assert_uint_eq(first->prevented, 0);
    /* Two edges of Beta(1, 1/2): the product of two means of 2/3. */
    ck_assert_double_eq_tol(first->confidence.mean, 4.0 / 9, 1e-9);
    ck_assert_uint_eq(first->evidence, 1);
    ck_assert_uint_eq(advice.items[3].plan_count, 1);
    ck_assert_str_eq(advice.items[3].plans[0], "Slow it down");
}
END_TEST

static const struct {
    const char *yaml;
    size_t causes, unsure;
} gates[] = {
    {LETTUCE, 1, 0}, /* the timeout is absent */
    {LETTUCE "config: {redis.timeout: 1s}\n", 1, 0},
    {LETTUCE "config: {redis.timeout: 999ms}\n", 0, 0},
    {LETTUCE "config: {redis.timeout: '2000'}\n", 0, 1}, /* of what? */
    {"name: s\ncomponents: [{name: lettuce, version: 7.0}]\n", 0, 0},
    {"name: s\ncomponents: [{name: lettuce, version: 5.3.7}]\n", 0, 0},
    {"name: s\ncomponents: [{name: lettuce}]\n", 0, 1},
    {"name: s\ndepends_on: [Lettuce]\n", 0, 1},
    {"name: s\ncomponents: [{name: lettuce, version: 5.0}, {name: lettuce, version: 6.1}]\n", 1, 0},
    {"name: s\ncomponents: [{name: jedis, version: 6.2}]\n", 0, 0},
    {"name: s\nconfig: {redis.timeout: 2s}\n", 0, 0},
    {"name: s\n", 0, 0},
};

START_TEST(a_cause_applies_where_all_that_it_requires_is_there)
{
    load(pool);
    for (size_t i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
        ask(gates[i].yaml);
        ck_assert_msg(advice.causes == gates[i].causes && advice.unsure_count == gates[i].unsure,
                      "%s: %zu causes, %zu unsure", gates[i].yaml, advice.causes,
                      advice.unsure_count);
        ck_assert(advice.causes > 0 || advice.count == 0);
    }
}
END_TEST

START_TEST(what_a_service_does_already_is_not_advised)
{
    load(pool);
    ask(LETTUCE "config: {redis.pool.max-active: 64}\n");
    ck_assert_uint_eq(advice.met, 2);
    for (size_t i = 0; i < advice.count; i++)
        ck_assert_int_ne(advice.items[i].words.kind, FL_ADVICE_LIMIT);
    ask(LETTUCE "config: {redis.cluster: 'yes'}\n");
    ck_assert_uint_eq(advice.met, 0);
    ck_assert_int_eq(advice.items[1].words.kind, FL_ADVICE_AVOID);
    ask("name: s\ncomponents: [{name: lettuce, version: 6.3.1}]\n");
    for (size_t i = 0; i < advice.count; i++)
        ck_assert_int_ne(advice.items[i].words.kind, FL_ADVICE_UPGRADE);
}
END_TEST

START_TEST(a_toolchain_that_is_new_enough_is_not_to_be_upgraded)
{
    load("items:\n  - name: old\n    title: Old\n    cause: old\n    symptoms: [{said: old}]\n"
         "    needs: [{component: go}]\n    fixes: [{do: upgrade go to 1.25, why: new}]\n"
         "    references: ['https://example.org/1']\n");
    ask("name: s\ncomponents: [{name: go, version: go1.24.9}]\n");
    ck_assert_uint_eq(advice.count, 1);
    ask("name: s\ncomponents: [{name: go, version: go1.25.1}]\n");
    ck_assert_uint_eq(advice.count, 0);
    ck_assert_uint_eq(advice.met, 1);
}
END_TEST

static char *shown_as(fl_status (*form)(fl_buf *, const fl_recommend_shown *, fl_error *))
{
    fl_buf out = fl_buf_of(1 << 20);
    const fl_recommend_shown shown = {.service = &service, .advice = &advice};
    ck_assert_ok(form(&out, &shown, &err));
    return out.ptr; /* the caller's */
}

/* ---- a team's own graph ---- */

typedef struct own {
    fl_graph_node nodes[8];
    fl_graph_edge edges[8];
    fl_graph_evidence evidence[8];
    size_t node_count, edge_count, evidence_count;
} own;

static uint64_t add_node(own *o, fl_node_kind kind, const char *key)
{
    o->nodes[o->node_count] = (fl_graph_node){
        .id = fl_node_id(kind, fl_slice_of(key)), .kind = kind, .key = key, .recorded_ns = DAY_NS};
    return o->nodes[o->node_count++].id;
}

/* With one person's word for it, unless `said` is 0; against it where it is below. */
static void add_edge(own *o, fl_edge_kind kind, uint64_t from, uint64_t to, const char *qualifier,
                     int said)
{
    fl_graph_edge *edge = &o->edges[o->edge_count++];
    *edge = (fl_graph_edge){.id = fl_edge_id(kind, from, to, fl_slice_of(qualifier)),
                            .kind = kind,
                            .from = from,
                            .to = to,
                            .qualifier = qualifier,
                            .recorded_ns = DAY_NS};
    if (said == 0)
        return;
    fl_graph_evidence *item = &o->evidence[o->evidence_count++];
    *item = (fl_graph_evidence){.edge = edge->id,
                                .source = FL_SOURCE_PERSON,
                                .author = "ada",
                                .reference = "incident-7",
                                .supports = said > 0,
                                .at_ns = DAY_NS,
                                .recorded_ns = DAY_NS,
                                .note = "it helped"};
    item->id = fl_graph_evidence_id(item);
}

static void keep(const own *o)
{
    const fl_graph_batch batch = {.nodes = o->nodes,
                                  .node_count = o->node_count,
                                  .edges = o->edges,
                                  .edge_count = o->edge_count,
                                  .evidence = o->evidence,
                                  .evidence_count = o->evidence_count};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
}

START_TEST(what_a_team_learnt_of_an_exact_value_is_advised)
{
    own o = {.node_count = 0};
    uint64_t cause = add_node(&o, FL_NODE_CAUSE, "checkout|pool|starved");
    uint64_t config = add_node(&o, FL_NODE_CONFIG, "redis.timeout=2000ms");
    uint64_t fix = add_node(&o, FL_NODE_FIX, "raise maxTotal to 64");
    uint64_t incident = add_node(&o, FL_NODE_INCIDENT, "incident-7");
    add_edge(&o, FL_EDGE_REQUIRES, cause, config, NULL, 1);
    add_edge(&o, FL_EDGE_RESOLVED_BY, cause, fix, NULL, 1);
    add_edge(&o, FL_EDGE_DIAGNOSED_AS, incident, cause, NULL, 0);
    keep(&o);
    ask("name: s\nconfig: {redis.timeout: 2000ms}\n");
    ck_assert_uint_eq(advice.count, 1);
    ck_assert_str_eq(advice.items[0].text, "raise maxTotal to 64");
    ck_assert_int_eq(advice.items[0].words.kind, FL_ADVICE_DO);
    ck_assert_uint_eq(advice.items[0].prevented, 1);
    ck_assert(advice.items[0].paths[0].own && !advice.items[0].paths[0].curated);
    ck_assert_str_eq(advice.items[0].paths[0].why, "it helped");
    ask("name: s\nconfig: {redis.timeout: 2001ms}\n");
    ck_assert_uint_eq(advice.count, 0);
    ck_assert_ok(ask_at("name: s\nconfig: {redis.timeout: 2000ms}\n", DAY_NS - 1));
    ck_assert_uint_eq(advice.count, 0); /* not known yet */
}
END_TEST

START_TEST(edges_that_are_spoken_against_are_not_used)
{
    own o = {.node_count = 0};
    uint64_t cause = add_node(&o, FL_NODE_CAUSE, "c");
    uint64_t go = add_node(&o, FL_NODE_COMPONENT, "go");
    uint64_t os = add_node(&o, FL_NODE_COMPONENT, "openbsd");
    uint64_t good = add_node(&o, FL_NODE_FIX, "good"), bad = add_node(&o, FL_NODE_FIX, "bad");
    add_edge(&o, FL_EDGE_REQUIRES, cause, go, "semver <1.20", -1); /* superseded by: */
    add_edge(&o, FL_EDGE_REQUIRES, cause, go, "semver <1.23", 1);
    add_edge(&o, FL_EDGE_REQUIRES, cause, os, NULL, -1); /* it was thought to need that */
    add_edge(&o, FL_EDGE_RESOLVED_BY, cause, good, NULL, 1);
    add_edge(&o, FL_EDGE_RESOLVED_BY, cause, bad, NULL, -1);
    keep(&o);
    ask("name: s\ncomponents: [{name: go, version: 1.22}]\n");
    ck_assert_uint_eq(advice.count, 1);
    ck_assert_str_eq(advice.items[0].text, "good");
    ck_assert_uint_eq(advice.items[0].paths[0].gate_count, 1);
    ck_assert_str_eq(advice.items[0].paths[0].gates[0].gate, "semver <1.23");
    ask("name: s\ncomponents: [{name: go, version: 1.23}]\n");
    ck_assert_uint_eq(advice.count, 0);
}
END_TEST

START_TEST(a_cause_without_a_fix_is_a_risk_to_be_known_of)
{
    own o = {.node_count = 0};
    uint64_t cause = add_node(&o, FL_NODE_CAUSE, "pool starved <b>");
    add_edge(&o, FL_EDGE_REQUIRES, cause, add_node(&o, FL_NODE_COMPONENT, "lettuce"),
             "maven =6.2.5", 1);
    add_edge(&o, FL_EDGE_REQUIRES, cause, add_node(&o, FL_NODE_CONFIG, "redis.timeout=2000ms"),
             NULL, 1);
    keep(&o);
    ask(LETTUCE "config: {redis.timeout: 2000ms}\n");
    ck_assert_uint_eq(advice.count, 0);
    ck_assert_uint_eq(advice.risk_count, 1);
    ck_assert_str_eq(advice.risks[0].title, "pool starved <b>");
    ck_assert_str_eq(advice.risks[0].why, "it helped");
    ck_assert_double_eq_tol(advice.risks[0].confidence.mean, 0.75, 1e-9); /* Beta(3/2, 1/2) */
    char *markdown = shown_as(fl_report_recommend_markdown);
    ck_assert_ptr_nonnull(strstr(markdown, "**pool starved \\<b\\>**"));
    fl_mem_free(markdown);
    ask(LETTUCE "config: {redis.timeout: 1999ms}\n");
    ck_assert_uint_eq(advice.risk_count, 0);
}
END_TEST

START_TEST(a_fix_of_two_causes_is_one_piece_of_advice)
{
    own o = {.node_count = 0};
    uint64_t a = add_node(&o, FL_NODE_CAUSE, "a"), b = add_node(&o, FL_NODE_CAUSE, "b");
    uint64_t go = add_node(&o, FL_NODE_COMPONENT, "go"), fix = add_node(&o, FL_NODE_FIX, "set x=1");
    add_edge(&o, FL_EDGE_REQUIRES, a, go, NULL, 1);
    add_edge(&o, FL_EDGE_REQUIRES, b, go, NULL, 1);
    add_edge(&o, FL_EDGE_RESOLVED_BY, a, fix, NULL, 1);
    add_edge(&o, FL_EDGE_RESOLVED_BY, b, fix, NULL, 1);
    keep(&o);
    ask("name: s\ncomponents: [{name: Go}]\n");
    ck_assert_uint_eq(advice.causes, 2);
    ck_assert_uint_eq(advice.count, 1);
    ck_assert_uint_eq(advice.items[0].path_count, 2);
    ck_assert_str_eq(advice.items[0].paths[0].key, "a");
    ck_assert_uint_eq(advice.items[0].evidence, 2);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    load(pool);
    for (long n = 0;; n++) {
        err = (fl_error){0};
        fl_arena_dispose(&arena);
        fl_mem_fail_after(n);
        fl_status status = ask_at(LETTUCE, DAY_NS);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_int_lt(n, 10000);
    }
    ck_assert_uint_eq(advice.causes, 1);
}
END_TEST

/* ---- forms ---- */

/* Quotes, markup, templates, code and marks that reorder text. */
#define HOSTILE                                                                                    \
    "name: \"x\\\"} or vector(1) {{ .Labels }} `rm` <script>alert(1)</script>\\\\ "                \
    "[a](https://evil) \\u202Eabc\\n# h\\n- deny\"\n"                                              \
    "components: [{name: lettuce, version: 6.2.5}]\n"                                              \
    "config: {redis.timeout: '2000ms\"'}\n"

START_TEST(hostile_text_stays_text_in_every_form)
{
    load(pool);
    ask(HOSTILE);
    ck_assert_uint_eq(advice.unsure_count, 1);
    ask("name: \"x\\\"} or vector(1) {{ .Labels }} <script>alert(1)</script> \\u202Eabc\\n# h\"\n"
        "components: [{name: lettuce, version: 6.2.5}]\n");
    char *rules = shown_as(fl_report_recommend_rules);
    ck_assert_ptr_nonnull(strstr(rules, "waiting{job=\\\"x\\\\\\\"} or vector(1)"));
    ck_assert_ptr_null(strstr(rules, "\n# h"));
    ck_assert_ptr_nonnull(strstr(rules, "{{ \\\"{{\\\" }} .Labels }}"));
    ck_assert_ptr_null(strstr(rules, "\xE2\x80\xAE"));
    char *markdown = shown_as(fl_report_recommend_markdown);
    ck_assert_ptr_null(strstr(markdown, "<script>"));
    ck_assert_ptr_null(strstr(markdown, "\n# h"));
    ck_assert_ptr_nonnull(strstr(markdown, "\\<script\\>"));
    char *rego = shown_as(fl_report_recommend_rego);
    ck_assert_ptr_nonnull(
        strstr(rego, "service := \"x\\\"} or vector(1) {{ .Labels }} <script>alert(1)</script> "
                     "\\u202eabc\\n# h\"\n"));
    char *json = shown_as(fl_report_recommend_json);
    json_t *document = json_loads(json, 0, NULL);
    ck_assert_ptr_nonnull(document);
    ck_assert_str_eq(json_string_value(json_object_get(document, "service")), service.name);
    json_decref(document);
    fl_mem_free(rules);
    fl_mem_free(markdown);
    fl_mem_free(rego);
    fl_mem_free(json);
}
END_TEST

START_TEST(quotes_are_read_back_as_what_was_quoted)
{
    static const char *const texts[] = {"",
                                        "plain",
                                        "\"\\\n\t\x01\x7F",
                                        "\xC3\xA4\xE2\x82\xAC",
                                        "\xF0\x9F\x98\x80",
                                        "\xE2\x80\xAE\xE2\x81\xA6",
                                        "\xC2\x9B"};
    fl_buf out = fl_buf_of(1024);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fl_buf_clear(&out);
        fl_recommend_quote(&out, texts[i]);
        json_t *text = json_loads(out.ptr, JSON_DECODE_ANY, NULL);
        ck_assert_msg(text != NULL, "%s", out.ptr);
        ck_assert_str_eq(json_string_value(text), texts[i]);
        json_decref(text);
    }
    fl_buf_clear(&out);
    fl_recommend_quote(&out, "a\xFF\xE2\x82z");
    ck_assert_str_eq(out.ptr, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\"");
    fl_buf_dispose(&out);
}
END_TEST

START_TEST(an_expression_that_does_not_close_is_told)
{
    static const char *const good[] = {"up == 0",   "a{b=\"}\"} > 1", "f(a[5m])",
                                       "a{b='\"'}", "a{b=`\\`}",      "a{b=\"\\\"\"}"};
    static const char *const bad[] = {"", "a{", "a)", "a{b=\"}", "(a]", "a # c", "a\nb", "a{b='x"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(fl_recommend_closes(SLICE(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!fl_recommend_closes(SLICE(bad[i])), "%s", bad[i]);
}
END_TEST

START_TEST(nothing_to_say_is_an_answer_in_every_form)
{
    const fl_report_style style = {.width = 80};
    fl_buf out = fl_buf_of(1 << 16);
    ask("name: s\n");
    const fl_recommend_shown shown = {.service = &service, .advice = &advice};
    ck_assert_ok(fl_report_recommend_text(&out, &shown, &style, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "No recommendation"));
    fl_buf_dispose(&out);
    char *rules = shown_as(fl_report_recommend_rules);
    ck_assert_str_eq(rules, "# no alert is recommended\ngroups: []\n");
    fl_mem_free(rules);
    char *markdown = shown_as(fl_report_recommend_markdown);
    ck_assert_ptr_nonnull(strstr(markdown, "No recommendation."));
    fl_mem_free(markdown);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("recommend");
    TCase *tests = tcase_create("recommend");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, advice_comes_by_kind_with_its_path);
    tcase_add_test(tests, a_cause_applies_where_all_that_it_requires_is_there);
    tcase_add_test(tests, what_a_service_does_already_is_not_advised);
    tcase_add_test(tests, a_toolchain_that_is_new_enough_is_not_to_be_upgraded);
    tcase_add_test(tests, what_a_team_learnt_of_an_exact_value_is_advised);
    tcase_add_test(tests, edges_that_are_spoken_against_are_not_used);
    tcase_add_test(tests, a_cause_without_a_fix_is_a_risk_to_be_known_of);
    tcase_add_test(tests, a_fix_of_two_causes_is_one_piece_of_advice);
    tcase_add_test(tests, each_allocation_may_fail);
    tcase_add_test(tests, hostile_text_stays_text_in_every_form);
    tcase_add_test(tests, quotes_are_read_back_as_what_was_quoted);
    tcase_add_test(tests, an_expression_that_does_not_close_is_told);
    tcase_add_test(tests, nothing_to_say_is_an_answer_in_every_form);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
