/*
 * Texts to edges: what each form of saying proposes, and what proposes nothing.
 */
#include "learn.h"

#include <stdio.h>

#include "mem.h"
#include "symptoms.h"

#include "fl_learnt_text.h"

static fl_error err;
static fl_learnt_text learnt;

static void setup(void)
{
    err = (fl_error){0};
    fl_learnt_begin(&learnt);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_learnt_end(&learnt);
}

/* clang-format off */
static const struct {
    const char *text, *edges;
} texts[] = {
    {"", ""},
    {"The weather was fine.", ""},
    {"The queue was full because the worker hung.", "explained-by | The queue was full | the worker hung\n"},
    {"The outage of the shop was caused by a full disk.", "explained-by | The outage of the shop | a full disk\n"},
    {"A full disk caused timeouts.", "explained-by | timeouts | A full disk\n"},
    {"Because the disk was full, writes failed.", "explained-by | writes failed | the disk was full\n"},
    {"The pool was empty, which led to timeouts.", "explained-by | timeouts | The pool was empty\n"},
    {"A full disk might have caused timeouts.", "explained-by | timeouts | A full disk ?\n"},
    /* no statement */
    {"A full disk did not cause timeouts.", ""},
    {"This caused timeouts.", ""},
    {"Was it caused by the disk?", ""},
    {"Look at the causes of timeouts.", ""},
    {"Check what caused timeouts.", ""},
    /* sections, labels */
    {"# Shop down\n## Root cause\nThe disk was full.\n## Fix\n- Added a disk\n",
     "explained-by | Shop down | The disk was full\nresolved-by | The disk was full | Added a disk\n"},
    {"Symptom: the shop is down\n\nRoot cause: the disk was full\n\nFix: added a disk\n",
     "explained-by | the shop is down | the disk was full\nresolved-by | the disk was full | added a disk\n"},
    {"**Problem:** orders fail.\n\n**Cause:** unknown\n\n**Fix:** restart it\n", ""},
    {"# Shop down\n## Timeline\n- timeouts because of the disk\n", ""},
    {"# Shop down\nThe root cause was a full disk.", "explained-by | Shop down | a full disk\n"},
    {"# Shop down\nThe outage was caused by a full disk. Fixed by adding a disk.",
     "explained-by | Shop down | a full disk\nresolved-by | a full disk | adding a disk\n"},
    {"# Shop down\n## Cause\nThe disk was full.\n## Symptoms\nThe search is slow.\n## Cause\nThe index was gone.\n",
     "explained-by | Shop down | The disk was full\nexplained-by | The search is slow | The index was gone\n"},
    /* ruled out */
    {"# Shop down\nWe ruled out the network. It was not caused by the disk, as first assumed.",
     "-explained-by | Shop down | the network\n-explained-by | Shop down | the disk\n"},
    {"# Shop down\nThe DNS change is unrelated.", "-explained-by | Shop down | The DNS change\n"},
    {"# Shop down\nAt first we suspected the encoder. A benchmark showed no difference.",
     "-explained-by | Shop down | the encoder\n"},
    {"# Shop down\nAt first we suspected the encoder. We were right.", ""},
    {"# Shop down\n## What we ruled out\n- Disk: 30 % used.\n", "-explained-by | Shop down | Disk\n"},
    /* why */
    {"Why was the shop down? Because the disk was full.",
     "explained-by | the shop down | the disk was full\n"},
    {"# Shop down\nThat is why is it slow here.", ""},
    /* changes, versions, settings */
    {"# Shop down\nThe root cause was a full disk. Introduced by !12, which moved the logs.",
     "explained-by | Shop down | a full disk\nintroduced | !12 | a full disk\n"},
    {"# Shop down\nThe root cause was a bug in redis 6.0.1.",
     "explained-by | Shop down | a bug in redis 6.0.1\nrequires | a bug in redis 6.0.1 | redis [semver =6.0.1]\n"},
    {"# Shop down\nThe root cause was pool.size=4.",
     "explained-by | Shop down | pool.size=4\nrequires | pool.size=4 | pool.size=4\n"},
    {"# Shop down\nThe root cause was a leak in lettuce. It is fixed in lettuce 6.2.6.",
     "explained-by | Shop down | a leak in lettuce\nrequires | a leak in lettuce | lettuce [maven <6.2.6]\n"},
    {"**Service:** shop\n\n## Environment\nredis 6.2\n", "runs | shop | redis [semver =6.2]\n"},
    {"Redis 6.2.5 + lettuce 6.1.0 \xE2\x86\x92 redis.timeout=2s \xE2\x86\x92 pool starved",
     "requires | pool starved | redis [semver =6.2.5]\nrequires | pool starved | lettuce [maven =6.1.0]\n"
     "requires | pool starved | redis.timeout=2s\n"},
    /* tables, logs */
    {"| Symptom | Cause | Fix |\n|---|---|---|\n| slow search | index gone | reindex it |\n| odd | unknown | pray often |\n",
     "explained-by | slow search | index gone\nresolved-by | index gone | reindex\n"},
    {"# T\n## Logs\n```\n2024-01-01 10:00:00 ERROR pool 17 exhausted\nat com.a.B.c(D.java:1)\n```\n## Cause\nThe disk was full.",
     "explained-by | pool <*> exhausted | The disk was full\n"},
    {"# T\n## Logs\n```\n10:00:00 ERROR a.b.PoolException: no connection of 8 left\n```\n## Cause\nThe disk was full.",
     "explained-by | exception: a.b.PoolException: no connection of <*> left | The disk was full\n"
     "explained-by | exception: a.b.PoolException: no connection of <*> left | The disk was full\n"},
    /* plans */
    {"name: disk-full\ntrigger: \"disk > 0.9\"\nactions:\n- type: config-update\n  key: \"log.keep\"\n  value: \"2d\"\n",
     "explained-by | disk > 0.9 | disk-full\nresolved-by | disk-full | config-update log.keep=2d\n"},
    {"{\"plan\":\"p\",\"action\":\"restart-pod\",\"trigger\":\"cpu > 1\",\"outcome\":\"cleared\"}", ""},
    {"{\"plan\":\"burst\",\"action\":\"restart-pod\",\"trigger\":\"cpu > 1\",\"outcome\":\"cleared\"}",
     "resolved-by | burst | restart-pod\nexplained-by | cpu > 1 | burst\n"},
    {"{\"plan\":\"burst\",\"action\":\"restart-pod\",\"trigger\":\"cpu > 1\",\"outcome\":\"not-cleared\"}",
     "-resolved-by | burst | restart-pod\n"},
    {"{\"plan\":\"burst\",\"action\":\"restart-pod\",\"trigger\":\"cpu > 1\",\"outcome\":\"done\"}", ""},
    /* Chinese */
    {"\xE7\xBC\x93\xE5\xAD\x98\xE8\xBF\x87\xE5\xA4\xA7\xEF\xBC\x8C\xE5\xAF\xBC\xE8\x87\xB4 OOM\xE3\x80\x82",
     "explained-by | OOM | \xE7\xBC\x93\xE5\xAD\x98\xE8\xBF\x87\xE5\xA4\xA7\n"},
    {"\xE7\x94\xB1\xE4\xBA\x8E\xE7\xBC\x93\xE5\xAD\x98\xE8\xBF\x87\xE5\xA4\xA7\xEF\xBC\x8C\xE6\x9C\x8D\xE5\x8A\xA1\xE5\xB4\xA9\xE6\xBA\x83\xE3\x80\x82",
     "explained-by | \xE6\x9C\x8D\xE5\x8A\xA1\xE5\xB4\xA9\xE6\xBA\x83 | \xE7\xBC\x93\xE5\xAD\x98\xE8\xBF\x87\xE5\xA4\xA7\n"},
    /* hostile texts are texts */
    {"<script>x</script> caused '; DROP TABLE node; --.", ""},
};
/* clang-format on */

START_TEST(a_text_proposes_what_it_says)
{
    ck_assert_str_eq(fl_learnt_lines(&learnt, SLICE(texts[_i].text), FL_EDGE_IMPLEMENTS),
                     texts[_i].edges);
}
END_TEST

START_TEST(a_proposal_keeps_its_sentence_its_place_and_its_author)
{
    const char *text = "Intro.\n\nOne `thing`. Writes **failed** because the disk was full. More.";
    fl_learnt_lines(&learnt, SLICE(text), FL_EDGE_KIND_COUNT);
    const fl_proposal *p = fl_proposals_at(learnt.proposals, 0);
    ck_assert_str_eq(p->sentence, "Writes failed because the disk was full.");
    ck_assert_str_eq(p->rule, "because");
    ck_assert_str_eq(p->document, "doc.md");
    ck_assert_str_eq(p->author, "documents");
    ck_assert_uint_eq(p->offset, (uint64_t)(strstr(text, "Writes") - text));
    ck_assert_int_eq(p->at_ns, 1000);
    ck_assert_str_eq(p->to.key, "the disk was full");
    const char *issue =
        "{\"title\":\"t\",\"user\":{\"login\":\"ann\"},\"created_at\":\"1970-01-01T00:"
        "00:05Z\",\"body\":\"Writes failed because the disk was full.\"}";
    fl_learnt_lines(&learnt, SLICE(issue), FL_EDGE_KIND_COUNT);
    p = fl_proposals_at(learnt.proposals, 0);
    ck_assert_str_eq(p->author, "document by ann");
    ck_assert_int_eq(p->at_ns, INT64_C(5000000000));
}
END_TEST

START_TEST(an_issue_that_grows_says_its_old_sentences_once)
{
    const char *shorter =
        "{\"title\":\"t\",\"html_url\":\"u/1\",\"body\":\"A fails because of B and so on.\"}";
    const char *longer =
        "{\"title\":\"t\",\"html_url\":\"u/1\",\"body\":\"A fails because of B and so on.\","
        "\"comments\":[{\"body\":\"Thanks.\"}]}";
    fl_learnt_lines(&learnt, SLICE(shorter), FL_EDGE_KIND_COUNT);
    ck_assert_uint_eq(fl_proposals_count(learnt.proposals), 1);
    ck_assert_ok(fl_documents_read(SLICE(longer), "later.json", fl_learnt_take, &learnt, &err));
    ck_assert_uint_eq(fl_proposals_count(learnt.proposals), 1);
}
END_TEST

START_TEST(the_same_text_under_another_name_proposes_nothing_new)
{
    fl_slice text = SLICE("Writes failed because the disk was full.");
    fl_learnt_lines(&learnt, text, FL_EDGE_KIND_COUNT);
    ck_assert_ok(fl_documents_read(text, "copy.txt", fl_learnt_take, &learnt, &err));
    ck_assert_uint_eq(fl_proposals_count(learnt.proposals), 1);
}
END_TEST

START_TEST(an_exception_in_a_log_has_the_fingerprints_that_triage_gives_it)
{
    const char *text = "# T\n## Logs\n```\nERROR a.b.PoolException: no connection of 8 left\n```\n"
                       "## Cause\nThe disk was full.";
    fl_learnt_lines(&learnt, SLICE(text), FL_EDGE_KIND_COUNT);
    ck_assert_uint_eq(fl_proposals_count(learnt.proposals), 2);
    fl_arena arena = fl_arena_of(1 << 16);
    fl_hypothesis shown = {.locus = FL_LOCUS_EXCEPTION,
                           .cause = FL_CAUSE_EXCEPTION,
                           .exception_type = "a.b.PoolException",
                           .exception_message = "no connection of <*> left"};
    for (size_t i = 0; i < 2; i++) {
        fl_graph_node node;
        ck_assert_ok(fl_symptoms_one(&node, &shown, 1, &arena, &err));
        ck_assert_uint_eq(fl_proposals_at(learnt.proposals, i)->from.id, node.id);
        shown.locus = FL_LOCUS_CODE_REGION;
    }
    fl_arena_dispose(&arena);
}
END_TEST

START_TEST(want_of_memory_is_said)
{
    fl_slice text = SLICE(texts[14].text);
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        ck_assert_int_lt(n, 2000);
        err = (fl_error){0};
        fl_proposals *all = NULL;
        fl_learn_rules *rules = NULL;
        fl_mem_fail_after(n);
        status = fl_learn_rules_create(&rules, &err);
        if (status == FL_OK)
            status = fl_proposals_create(&all, &err);
        fl_learnt_text t = {.rules = rules, .proposals = all, .now_ns = 1};
        if (status == FL_OK)
            status = fl_documents_read(text, "doc", fl_learnt_take, &t, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert(status == FL_OK || err.message[0] != '\0');
        fl_proposals_destroy(all);
        fl_learn_rules_destroy(rules);
    }
}
END_TEST

/* Each of them would be slow where a rule went back over its text. */
START_TEST(texts_of_a_megabyte_take_no_longer_than_their_length)
{
    static const char *const units[] = {
        "a",       "because ",   "[",        "(",     "`",
        "1.",      "caused by ", "=",        ".",     "\xE5\xAF\xBC\xE8\x87\xB4",
        "a,",      "\n",         "| ",       "- x\n", "v1.2 ",
        "not ",    "k=v;",       "https://", "**",    "<p>",
        "why was "};
    enum { LONG = 1 << 20 };
    char *text = malloc(LONG + 16);
    ck_assert_ptr_nonnull(text);
    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
        size_t len = 0;
        while (len < LONG) {
            memcpy(text + len, units[u], strlen(units[u]));
            len += strlen(units[u]);
        }
        text[len] = '\0';
        fl_learnt_lines(&learnt, SLICE(text), FL_EDGE_KIND_COUNT);
    }
    free(text);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("learn");
    TCase *tests = tcase_create("texts");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_text_proposes_what_it_says, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tests, a_proposal_keeps_its_sentence_its_place_and_its_author);
    tcase_add_test(tests, an_issue_that_grows_says_its_old_sentences_once);
    tcase_add_test(tests, the_same_text_under_another_name_proposes_nothing_new);
    tcase_add_test(tests, an_exception_in_a_log_has_the_fingerprints_that_triage_gives_it);
    tcase_add_test(tests, want_of_memory_is_said);
    tcase_add_test(tests, texts_of_a_megabyte_take_no_longer_than_their_length);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
