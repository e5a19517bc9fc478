#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "mem.h"
#include "slice.h"

#include "fl_incidents.h"
#include "fl_store_place.h"
#include "fl_test.h"

#define DAY INT64_C(86400000000000)
#define NOW (FL_TEST_AT_NS + DAY)

static fl_error err;
static fl_arena arena;
static fl_store_place place;
static fl_store *store;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64u << 20);
    fl_store_place_make(&place);
    store = NULL;
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_arena_dispose(&arena);
    fl_store_place_clear(&place);
}

static fl_symptoms symptoms_of(const fl_incident *incident)
{
    fl_symptoms out;
    ck_assert_ok(fl_symptoms_of(&out, incident, NOW, &arena, &err));
    return out;
}

static fl_graph_node said(fl_node_kind kind, const char *text)
{
    fl_graph_node out;
    ck_assert_ok(fl_symptoms_said(&out, kind, text, NOW, &arena, &err));
    return out;
}

static fl_incident incident_named(const char *id)
{
    fl_incident out = fl_test_incident;
    out.id = id;
    return out;
}

static fl_learnt learn(const fl_incident *incident, const char *cause, const char *fix,
                       const char *author, bool supports)
{
    fl_learnt out;
    fl_graph_node cause_node, fix_node;
    fl_lesson lesson = {.incident = incident,
                        .supports = supports,
                        .source = FL_SOURCE_PERSON,
                        .fix_source = FL_SOURCE_PERSON,
                        .author = author,
                        .now_ns = NOW};
    if (cause != NULL) {
        cause_node = said(FL_NODE_CAUSE, cause);
        lesson.cause = &cause_node;
    }
    if (fix != NULL) {
        fix_node = said(FL_NODE_FIX, fix);
        lesson.fix = &fix_node;
    }
    ck_assert_ok(fl_memory_learn(&out, store, &lesson, &arena, &err));
    return out;
}

static fl_candidates candidates_of(const fl_incident *incident)
{
    fl_candidates out;
    ck_assert_ok(fl_memory_candidates(&out, incident, &arena, &err));
    return out;
}

static fl_memory recall(const fl_incident *incident)
{
    fl_memory out;
    fl_symptoms symptoms = symptoms_of(incident);
    fl_memory_question question = {.symptoms = &symptoms,
                                   .self = incident->id,
                                   .now_ns = NOW,
                                   .candidates = candidates_of(incident)};
    ck_assert_ok(fl_memory_recall(&out, store, &question, &arena, &err));
    return out;
}

START_TEST(what_is_beyond_the_gate_is_a_symptom_without_service_or_time)
{
    fl_symptoms found = symptoms_of(&fl_test_incident);
    ck_assert_uint_eq(found.count, 3);
    ck_assert_str_eq(found.nodes[0].key, "code-region|pool|redis.PoolExhaustedError: no connection"
                                         " within <*> ms");
    ck_assert_str_eq(found.nodes[1].key, "edge|network-delay|payment-gateway -> ledger");
    ck_assert_str_eq(found.nodes[2].key, "metric|cpu|container.cpu.usage");
    ck_assert_uint_eq(symptoms_of(&fl_test_empty_incident).count, 0);
}
END_TEST

START_TEST(a_weak_hypothesis_and_a_repeated_one_are_no_symptoms)
{
    fl_hypothesis hypotheses[3];
    fl_incident incident = fl_test_incident;
    memcpy(hypotheses, fl_test_hypotheses, sizeof(hypotheses));
    hypotheses[1] = hypotheses[0];
    hypotheses[1].service = "another";
    hypotheses[2].score = 2.9;
    incident.hypotheses = hypotheses;
    ck_assert_uint_eq(symptoms_of(&incident).count, 1);
}
END_TEST

START_TEST(words_that_differ_in_space_and_case_name_one_cause)
{
    fl_graph_node a = said(FL_NODE_CAUSE, "  Pool  too\tsmall "),
                  b = said(FL_NODE_CAUSE, "pool too small");
    ck_assert_uint_eq(a.id, b.id);
    ck_assert_str_eq(a.key, "pool too small");
    ck_assert_str_eq(a.title, "  Pool  too\tsmall ");
    ck_assert_fails(FL_E_SYNTAX, fl_symptoms_said(&a, FL_NODE_FIX, " \t", NOW, &arena, &err));
    ck_assert_str_eq(err.message, "a fix in no words");
}
END_TEST

START_TEST(words_beyond_the_limit_are_refused_with_what_to_do)
{
    char text[FL_MAX_NODE_KEY_BYTES + 2];
    fl_graph_node out;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ck_assert_fails(FL_E_LIMIT, fl_symptoms_said(&out, FL_NODE_FIX, text, NOW, &arena, &err));
    ck_assert_str_eq(err.message, "a fix of 1025 bytes; the graph keeps up to 1024: put the rest"
                                  " into a note");
}
END_TEST

START_TEST(a_confirmation_moves_every_symptom_and_the_fix)
{
    fl_learnt learnt = learn(&fl_test_incident, "pool too small", "raise maxTotal", "ada", true);
    ck_assert_uint_eq(learnt.count, 4);
    ck_assert_uint_eq(learnt.added.evidence, 4);
    for (size_t i = 0; i < learnt.count; i++) {
        ck_assert_double_eq_tol(learnt.moved[i].before.mean, 0.5, 1e-12);
        ck_assert_double_eq_tol(learnt.moved[i].after.mean, 0.75, 1e-2);
        ck_assert_uint_eq(learnt.moved[i].items_after, 1);
    }
    ck_assert_int_eq(learnt.moved[3].kind, FL_EDGE_RESOLVED_BY);
    ck_assert_str_eq(learnt.moved[3].to, "raise maxTotal");
}
END_TEST

START_TEST(saying_it_twice_is_saying_it_once)
{
    (void)learn(&fl_test_incident, "pool", "fix", "ada", true);
    fl_learnt again = learn(&fl_test_incident, "pool", "fix", "ada", true);
    ck_assert_uint_eq(again.added.evidence, 0);
    ck_assert_double_eq(again.moved[0].before.mean, again.moved[0].after.mean);
}
END_TEST

START_TEST(a_rejection_lowers_and_teaches_no_fix)
{
    fl_learnt learnt = learn(&fl_test_incident, "pool", "fix", "ada", false);
    ck_assert_uint_eq(learnt.count, 3);
    ck_assert(learnt.moved[0].after.mean < learnt.moved[0].before.mean);
}
END_TEST

START_TEST(the_next_incident_is_told_what_explained_and_fixed_the_last)
{
    fl_incident first = incident_named("one"), second = incident_named("two"),
                third = incident_named("three");
    (void)learn(&first, "pool too small", "raise maxTotal", "ada", true);
    (void)learn(&second, "pool too small", "restart", "bob", true);
    (void)learn(&second, "a bad disk", NULL, "bob", false);
    fl_memory memory = recall(&third);
    ck_assert_uint_eq(memory.seen, 2);
    ck_assert_uint_eq(memory.path_count, 2);
    const fl_path *best = &memory.paths[0];
    ck_assert_str_eq(best->title, "pool too small");
    ck_assert_uint_eq(best->supporting, 2);
    ck_assert_uint_eq(best->shared, 3);
    ck_assert_double_eq_tol(best->confidence.mean, 2.5 / 3, 1e-2);
    ck_assert_uint_eq(best->fix_count, 2);
    ck_assert(best->fixes[0].confidence.mean < best->confidence.mean);
    ck_assert(memory.paths[1].confidence.mean < 0.5);
    ck_assert_uint_eq(memory.similar_count, 2);
    ck_assert_double_eq_tol(memory.similar[0].overlap, 1, 1e-12);
    ck_assert(!memory.cut);
}
END_TEST

START_TEST(a_cause_of_all_that_is_seen_outranks_one_of_a_part)
{
    fl_incident whole = incident_named("whole"), part = incident_named("part"),
                asked = incident_named("asked");
    part.hypothesis_count = 1;
    (void)learn(&whole, "explains all", NULL, "ada", true);
    (void)learn(&part, "explains one", NULL, "ada", true);
    fl_memory memory = recall(&asked);
    ck_assert_str_eq(memory.paths[0].title, "explains all");
    ck_assert_uint_eq(memory.paths[1].shared, 1);
    ck_assert(memory.paths[0].confidence.mean > memory.paths[1].confidence.mean);
    ck_assert_str_eq(memory.similar[0].incident, "whole");
    ck_assert_uint_eq(memory.similar[1].shared, 1);
    ck_assert(memory.similar[1].overlap < 0.9);
}
END_TEST

START_TEST(an_incident_is_not_similar_to_itself)
{
    (void)learn(&fl_test_incident, NULL, NULL, "faultline", true);
    fl_memory memory = recall(&fl_test_incident);
    ck_assert_uint_eq(memory.seen, 0);
    ck_assert_uint_eq(memory.path_count, 0);
}
END_TEST

/* Of the cause that a hypothesis of the test incident names. */
static fl_learnt note(const char *id, size_t hypothesis, fl_evidence_source source,
                      const char *author)
{
    fl_learnt out;
    fl_incident incident = incident_named(id);
    fl_graph_node cause;
    ck_assert_ok(fl_symptoms_cause(&cause, &fl_test_hypotheses[hypothesis], NOW, &arena, &err));
    fl_lesson lesson = {.incident = &incident,
                        .cause = &cause,
                        .supports = true,
                        .source = source,
                        .author = author,
                        .now_ns = NOW};
    ck_assert_ok(fl_memory_learn(&out, store, &lesson, &arena, &err));
    return out;
}

static const fl_prior *priors_of(size_t *count, const char *id)
{
    const fl_prior *out;
    fl_incident incident = incident_named(id);
    fl_memory memory = recall(&incident);
    ck_assert_ok(fl_memory_priors(&out, count, &incident, &memory, &arena, &err));
    return out;
}

START_TEST(what_explains_an_incident_speaks_against_the_other_causes_of_its_symptoms)
{
    char id[16];
    for (int i = 0; i < 4; i++) {
        snprintf(id, sizeof(id), "i%d", i);
        fl_incident incident = incident_named(id);
        (void)learn(&incident, i < 3 ? "often" : "seldom", NULL, "ada", true);
    }
    fl_incident asked = incident_named("asked");
    fl_memory memory = recall(&asked);
    ck_assert_uint_eq(memory.path_count, 2);
    ck_assert_str_eq(memory.paths[0].title, "often");
    ck_assert_uint_eq(memory.paths[0].supporting, 3);
    ck_assert_uint_eq(memory.paths[0].elsewhere, 1);
    ck_assert_double_eq_tol(memory.paths[0].confidence.mean, 3.5 / 5, 1e-2);
    ck_assert_double_eq_tol(memory.paths[1].confidence.mean, 1.5 / 5, 1e-2);
}
END_TEST

START_TEST(two_causes_of_one_incident_do_not_speak_against_each_other)
{
    fl_incident both = incident_named("both"), asked = incident_named("asked");
    (void)learn(&both, "a", NULL, "ada", true);
    (void)learn(&both, "b", NULL, "bob", true);
    fl_memory memory = recall(&asked);
    ck_assert_uint_eq(memory.paths[0].elsewhere + memory.paths[1].elsewhere, 0);
    ck_assert_double_eq_tol(memory.paths[0].confidence.mean, 0.75, 1e-2);
}
END_TEST

START_TEST(no_author_moves_an_edge_past_the_cap_by_rivals_either)
{
    char id[24];
    fl_incident asked = incident_named("asked");
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof(id), "honest%d", i);
        fl_incident incident = incident_named(id);
        (void)learn(&incident, "true", NULL, "ada", true);
    }
    for (int i = 0; i < 45; i++) {
        snprintf(id, sizeof(id), "made%d", i);
        fl_incident incident = incident_named(id);
        (void)learn(&incident, i % 3 == 0 ? "x" : i % 3 == 1 ? "y" : "z", NULL, "eve", true);
    }
    fl_memory memory = recall(&asked);
    ck_assert_str_eq(memory.paths[0].title, "true");
    ck_assert_double_eq_tol(memory.paths[0].confidence.mean, 20.5 / 41, 1e-2);
    ck_assert_double_le(memory.paths[0].confidence.b, 0.5 + fl_source_cap(FL_SOURCE_PERSON));
}
END_TEST

/* One author, ten thousand incidents, one edge. */
static void flood(uint64_t edge, const char *author, bool supports)
{
    enum { ITEMS = 10000 };
    fl_graph_evidence *items = fl_arena_alloc(&arena, ITEMS, sizeof(*items));
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = (fl_graph_evidence){.edge = edge,
                                       .source = FL_SOURCE_PERSON,
                                       .author = author,
                                       .reference = fl_arena_printf(&arena, "made up %zu", i),
                                       .supports = supports,
                                       .at_ns = NOW,
                                       .recorded_ns = NOW};
        items[i].id = fl_graph_evidence_id(&items[i]);
    }
    const fl_graph_batch batch = {.evidence = items, .evidence_count = ITEMS};
    fl_graph_added added;
    ck_assert_ok(fl_graph_add(&added, store, &batch, &err));
    ck_assert_uint_eq(added.evidence, ITEMS);
}

START_TEST(ten_thousand_confirmations_of_one_author_count_for_its_cap)
{
    char id[16];
    size_t count;
    fl_incident asked = incident_named("asked");
    for (int i = 0; i < 4; i++) {
        snprintf(id, sizeof(id), "honest%d", i);
        (void)note(id, 0, FL_SOURCE_PERSON, i % 2 == 0 ? "ada" : "bob");
    }
    (void)note("made", 1, FL_SOURCE_PERSON, "eve");
    fl_graph_node cause;
    ck_assert_ok(fl_symptoms_cause(&cause, &fl_test_hypotheses[1], NOW, &arena, &err));
    fl_symptoms symptoms = symptoms_of(&asked);
    for (size_t i = 0; i < symptoms.count; i++)
        flood(fl_edge_id(FL_EDGE_EXPLAINED_BY, symptoms.nodes[i].id, cause.id, FL_SLICE("")), "eve",
              true);
    fl_memory memory = recall(&asked);
    const double cap = fl_source_cap(FL_SOURCE_PERSON);
    ck_assert_double_le(memory.paths[0].confidence.a, 0.5 + cap + 1e-9);
    ck_assert_double_le(memory.paths[1].confidence.b, 0.5 + cap + 1e-9);
    const fl_prior *priors = priors_of(&count, "asked");
    ck_assert_uint_eq(count, 2);
    /* S is 20 at most and C what others said: no more than ln(1 + 20 / b), which the ranking clips
     * at 19 to 1. */
    ck_assert_double_le(priors[1].log_odds, log1p(cap * 4));
}
END_TEST

START_TEST(people_make_a_prior_for_the_hypothesis_that_names_the_cause)
{
    size_t count;
    (void)note("one", 1, FL_SOURCE_PERSON, "ada");
    const fl_prior *priors = priors_of(&count, "asked");
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(priors[0].hypothesis, 1);
    /* ln(1 + S / b) with b = 1 / 4 and one observation that a day has aged */
    ck_assert_double_eq_tol(priors[0].log_odds, log(1 + 4), 1e-2);
    ck_assert_str_eq(priors[0].text,
                     "explained 1 of 1 earlier incident with such symptoms, the other"
                     " hypotheses 0 (0.75, 90 % interval 0.23 to 1.00)");
    ck_assert_str_eq(priors[0].query, "faultline graph paths --incident asked");
}
END_TEST

START_TEST(a_cause_that_is_no_hypothesis_now_does_not_speak_against_one_that_is)
{
    size_t count;
    char id[16];
    (void)note("one", 1, FL_SOURCE_PERSON, "ada");
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof(id), "other%d", i);
        fl_incident incident = incident_named(id);
        (void)learn(&incident, "of another service", NULL, "ada", true);
    }
    const fl_prior *priors = priors_of(&count, "asked");
    ck_assert_uint_eq(count, 1);
    ck_assert_double_eq_tol(priors[0].log_odds, log(1 + 4), 1e-2);
    (void)note("two", 0, FL_SOURCE_PERSON, "ada");
    priors = priors_of(&count, "asked");
    ck_assert_uint_eq(count, 2);
    ck_assert_double_lt(priors[1].log_odds, log(1 + 4));
    ck_assert_double_eq_tol(priors[0].log_odds, priors[1].log_odds, 1e-9);
}
END_TEST

START_TEST(what_was_said_of_the_incident_itself_is_no_prior_for_it)
{
    size_t count;
    (void)note("asked", 0, FL_SOURCE_PERSON, "ada");
    (void)priors_of(&count, "asked");
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(what_the_ranking_said_is_no_prior_and_counts_once)
{
    size_t count;
    char id[16];
    fl_incident asked = incident_named("asked");
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof(id), "auto%d", i);
        (void)note(id, 0, FL_SOURCE_AUTOMATIC, "faultline");
    }
    (void)priors_of(&count, "asked");
    ck_assert_uint_eq(count, 0);
    fl_memory memory = recall(&asked);
    (void)note("one", 1, FL_SOURCE_PERSON, "ada");
    const fl_prior *priors = priors_of(&count, "asked");
    ck_assert_uint_eq(count, 1); /* and none against what only the program has named */
    ck_assert_uint_eq(priors[0].hypothesis, 1);
    ck_assert_uint_eq(memory.paths[0].automatic, 50);
    ck_assert_double_le(memory.paths[0].confidence.a, 0.5 + fl_source_cap(FL_SOURCE_AUTOMATIC));
}
END_TEST

START_TEST(a_person_settles_what_the_program_thought_of_an_incident)
{
    fl_incident asked = incident_named("asked");
    (void)note("one", 0, FL_SOURCE_AUTOMATIC, "faultline");
    (void)note("one", 1, FL_SOURCE_PERSON, "ada");
    fl_memory memory = recall(&asked);
    ck_assert_uint_eq(memory.path_count, 2);
    ck_assert_uint_eq(memory.paths[0].supporting, 1);
    ck_assert_uint_eq(memory.paths[0].automatic, 0);
    ck_assert_uint_eq(memory.paths[1].supporting, 0);
    ck_assert_uint_eq(memory.paths[1].elsewhere, 1);
}
END_TEST

START_TEST(a_drill_tells_nothing)
{
    fl_incident asked = incident_named("asked");
    (void)note("one", 0, FL_SOURCE_DRILL, "drill");
    fl_memory memory = recall(&asked);
    ck_assert_uint_eq(memory.path_count, 0);
    ck_assert_uint_eq(memory.seen, 1);
}
END_TEST

START_TEST(a_similar_incident_says_what_is_common_and_what_it_was)
{
    fl_incident part = incident_named("part"), asked = incident_named("asked");
    part.hypothesis_count = 1;
    (void)learn(&part, "pool too small", "raise maxTotal", "ada", true);
    (void)learn(&part, "pool too small", "restart", "ada", true);
    fl_memory memory = recall(&asked);
    const fl_similar *similar = &memory.similar[0];
    ck_assert_uint_eq(similar->shared, 1);
    ck_assert_str_eq(similar->both[0],
                     "pool: redis.PoolExhaustedError: no connection within <*> ms");
    ck_assert_str_eq(similar->here[0], "network-delay: payment-gateway -> ledger");
    ck_assert_uint_eq(similar->there_count, 0);
    ck_assert_str_eq(similar->causes[0], "pool too small");
    ck_assert_uint_eq(similar->fix_count, 2);
    memory = recall(&part);
    ck_assert_uint_eq(memory.similar_count, 0);
}
END_TEST

START_TEST(only_the_most_similar_are_told_and_they_are_the_same)
{
    char id[16];
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof(id), "i%d", i);
        fl_incident incident = incident_named(id);
        incident.hypothesis_count = 1 + (size_t)i % 3;
        (void)learn(&incident, NULL, NULL, "faultline", true);
    }
    fl_incident asked = incident_named("asked");
    asked.hypothesis_count = 2;
    fl_memory all = recall(&asked), few;
    fl_symptoms symptoms = symptoms_of(&asked);
    fl_memory_question question = {
        .symptoms = &symptoms, .self = asked.id, .now_ns = NOW, .most_similar = 4};
    ck_assert_ok(fl_memory_recall(&few, store, &question, &arena, &err));
    ck_assert_uint_eq(all.similar_count, 30);
    ck_assert_uint_eq(few.similar_count, 4);
    ck_assert_uint_eq(few.seen, 30);
    for (size_t i = 0; i < few.similar_count; i++)
        ck_assert_str_eq(few.similar[i].incident, all.similar[i].incident);
    ck_assert_uint_eq(all.similar[10].theirs, 3);
    ck_assert_str_eq(all.similar[10].there[0], "cpu: container.cpu.usage");
}
END_TEST

START_TEST(when_the_time_is_over_what_was_read_is_the_answer_and_says_so)
{
    fl_incident first = incident_named("one"), asked = incident_named("two");
    fl_memory memory;
    fl_symptoms symptoms = symptoms_of(&asked);
    fl_memory_question question = {.symptoms = &symptoms, .now_ns = NOW, .time_ns = 1};
    (void)learn(&first, "pool too small", "raise maxTotal", "ada", true);
    ck_assert_ok(fl_memory_recall(&memory, store, &question, &arena, &err));
    ck_assert(memory.cut);
    ck_assert_uint_eq(memory.seen, 1); /* one symptom is read in any case */
    ck_assert_uint_eq(memory.causes, 1);
    ck_assert_uint_eq(memory.path_count + memory.similar_count, 0);
    question.time_ns = INT64_C(60000000000);
    ck_assert_ok(fl_memory_recall(&memory, store, &question, &arena, &err));
    ck_assert(!memory.cut);
    ck_assert_uint_eq(memory.path_count, 1);
    ck_assert_uint_eq(memory.paths[0].fix_count, 1);
    ck_assert_uint_eq(memory.similar_count, 1);
}
END_TEST

START_TEST(without_symptoms_nothing_is_remembered)
{
    (void)learn(&fl_test_incident, "pool", NULL, "ada", true);
    fl_memory memory = recall(&fl_test_empty_incident);
    ck_assert_uint_eq(memory.path_count + memory.similar_count, 0);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_incident incident = incident_named("one");
    fl_graph_node cause = said(FL_NODE_CAUSE, "pool"), fix = said(FL_NODE_FIX, "fix");
    fl_lesson lesson = {.incident = &incident,
                        .cause = &cause,
                        .fix = &fix,
                        .supports = true,
                        .author = "ada",
                        .now_ns = NOW};
    fl_status status = FL_E_NOMEM;
    for (long n = 0; n < 200 && status != FL_OK; n++) {
        fl_arena own = fl_arena_of(64u << 20);
        fl_learnt learnt;
        fl_memory memory;
        fl_symptoms symptoms;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_memory_learn(&learnt, store, &lesson, &own, &err);
        if (status == FL_OK)
            status = fl_symptoms_of(&symptoms, &fl_test_incident, NOW, &own, &err);
        if (status == FL_OK)
            status = fl_memory_recall(&memory, store,
                                      &(fl_memory_question){.symptoms = &symptoms, .now_ns = NOW},
                                      &own, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_arena_dispose(&own);
    }
    ck_assert_int_eq(status, FL_OK);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tc = tcase_create("memory");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_is_beyond_the_gate_is_a_symptom_without_service_or_time);
    tcase_add_test(tc, a_weak_hypothesis_and_a_repeated_one_are_no_symptoms);
    tcase_add_test(tc, words_that_differ_in_space_and_case_name_one_cause);
    tcase_add_test(tc, words_beyond_the_limit_are_refused_with_what_to_do);
    tcase_add_test(tc, a_confirmation_moves_every_symptom_and_the_fix);
    tcase_add_test(tc, saying_it_twice_is_saying_it_once);
    tcase_add_test(tc, a_rejection_lowers_and_teaches_no_fix);
    tcase_add_test(tc, the_next_incident_is_told_what_explained_and_fixed_the_last);
    tcase_add_test(tc, a_cause_of_all_that_is_seen_outranks_one_of_a_part);
    tcase_add_test(tc, an_incident_is_not_similar_to_itself);
    tcase_add_test(tc, when_the_time_is_over_what_was_read_is_the_answer_and_says_so);
    tcase_add_test(tc, without_symptoms_nothing_is_remembered);
    tcase_add_test(tc, what_explains_an_incident_speaks_against_the_other_causes_of_its_symptoms);
    tcase_add_test(tc, two_causes_of_one_incident_do_not_speak_against_each_other);
    tcase_add_test(tc, no_author_moves_an_edge_past_the_cap_by_rivals_either);
    tcase_add_test(tc, people_make_a_prior_for_the_hypothesis_that_names_the_cause);
    tcase_add_test(tc, what_was_said_of_the_incident_itself_is_no_prior_for_it);
    tcase_add_test(tc, what_the_ranking_said_is_no_prior_and_counts_once);
    tcase_add_test(tc, a_person_settles_what_the_program_thought_of_an_incident);
    tcase_add_test(tc, a_drill_tells_nothing);
    tcase_add_test(tc, a_similar_incident_says_what_is_common_and_what_it_was);
    tcase_add_test(tc, only_the_most_similar_are_told_and_they_are_the_same);
    tcase_add_test(tc, a_cause_that_is_no_hypothesis_now_does_not_speak_against_one_that_is);
    tcase_add_test(tc, ten_thousand_confirmations_of_one_author_count_for_its_cap);
    tcase_add_test(tc, every_allocation_may_fail);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
