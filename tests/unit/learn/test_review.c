/*
 * Proposals in a store, and what people say of them; on every kind of store.
 */
#include "review.h"

#include <inttypes.h>
#include <stdio.h>

#include "edge_confidence.h"
#include "mem.h"

#include "fl_learnt_text.h"
#include "fl_store_place.h"

#define NOW INT64_C(1700000000000000000)

static const char *const ticket = "# Shop down\n\nDate: 2023-11-10\n\n## Root cause\nThe disk was "
                                  "full because logs were kept for ever.\n\n## Fix\n- Added a "
                                  "disk\n";

static fl_error err;
static fl_learnt_text learnt;
static fl_store_place place;
static fl_store *store;
static fl_arena arena;
static fl_waiting_list list;

static void look(void)
{
    ck_assert_ok(fl_review_list(&list, store, &arena, &err));
}

static fl_graph_added keep(const char *text)
{
    fl_graph_added added;
    fl_learnt_lines(&learnt, SLICE(text), FL_EDGE_KIND_COUNT);
    ck_assert_ok(fl_learn_keep(&added, store, learnt.proposals, NOW, &err));
    return added;
}

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64u << 20);
    store = NULL;
    fl_learnt_begin(&learnt);
    learnt.now_ns = NOW;
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    ck_assert_uint_eq(keep(ticket).evidence, 3);
    look();
    ck_assert_uint_eq(list.count, 3);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_arena_dispose(&arena);
    fl_store_place_clear(&place);
    fl_learnt_end(&learnt);
}

static fl_reviewed say(const fl_waiting *waiting, fl_verdict_of_person verdict, const char *to)
{
    fl_reviewed out;
    fl_review review = {.verdict = verdict, .to = to, .author = "ada", .now_ns = NOW};
    ck_assert_ok(fl_review_say(&out, store, waiting, &review, &arena, &err));
    return out;
}

START_TEST(what_is_kept_reads_as_it_was_proposed)
{
    for (size_t i = 0; i < list.count; i++) {
        const fl_proposal *read = &list.items[i].proposal, *made = NULL;
        for (size_t k = 0; k < fl_proposals_count(learnt.proposals); k++)
            if (fl_proposals_at(learnt.proposals, k)->id == read->id)
                made = fl_proposals_at(learnt.proposals, k);
        ck_assert_ptr_nonnull(made);
        ck_assert_str_eq(read->sentence, made->sentence);
        ck_assert_str_eq(read->document, made->document);
        ck_assert_str_eq(read->rule, made->rule);
        ck_assert_str_eq(read->reference, made->reference);
        ck_assert_str_eq(read->from.title, made->from.title);
        ck_assert_str_eq(read->to.key, made->to.key);
        ck_assert_uint_eq(read->offset, made->offset);
        ck_assert_int_eq(read->kind, made->kind);
        ck_assert_int_eq(read->at_ns, made->at_ns);
        ck_assert(read->supports == made->supports && read->is_hedged == made->is_hedged);
    }
}
END_TEST

START_TEST(the_list_is_in_the_order_of_the_text)
{
    for (size_t i = 1; i < list.count; i++)
        ck_assert_uint_ge(list.items[i].proposal.offset, list.items[i - 1].proposal.offset);
}
END_TEST

START_TEST(keeping_again_adds_nothing_and_leaves_answers_alone)
{
    say(&list.items[0], FL_REVIEW_ACCEPT, NULL);
    fl_graph_added added = keep(ticket);
    ck_assert_uint_eq(added.nodes + added.edges + added.evidence, 0);
    look();
    ck_assert_uint_eq(list.count, 2);
}
END_TEST

START_TEST(accepting_raises_and_rejecting_lowers)
{
    fl_reviewed accepted = say(&list.items[0], FL_REVIEW_ACCEPT, NULL);
    ck_assert(accepted.after.mean > accepted.before.mean);
    ck_assert_uint_eq(accepted.items_after, accepted.items_before + 1);
    fl_reviewed rejected = say(&list.items[1], FL_REVIEW_REJECT, NULL);
    ck_assert(rejected.after.mean < 0.5 && rejected.before.mean > 0.5);
    look();
    ck_assert_uint_eq(list.count, 1);
}
END_TEST

START_TEST(an_edit_speaks_against_the_old_edge_and_for_the_new_one)
{
    uint64_t old = list.items[0].edge;
    fl_reviewed edited = say(&list.items[0], FL_REVIEW_EDIT, "Full  Disk");
    ck_assert_str_eq(edited.to.key, "full disk");
    ck_assert(edited.after.mean > 0.5);
    ck_assert_uint_eq(edited.items_before, 0);
    fl_edge_belief belief;
    fl_edge_question question = {.edge = old, .known_ns = NOW, .at_ns = NOW, .limit = 10};
    ck_assert_ok(fl_edge_belief_of(&belief, store, &question, &err));
    ck_assert_uint_eq(belief.contradicting, 1);
    look();
    ck_assert_uint_eq(list.count, 2);
}
END_TEST

START_TEST(an_edit_that_changes_nothing_is_refused)
{
    fl_reviewed out;
    fl_review review = {.verdict = FL_REVIEW_EDIT, .author = "ada", .now_ns = NOW};
    ck_assert_fails(FL_E_SYNTAX, fl_review_say(&out, store, &list.items[0], &review, &arena, &err));
    ck_assert_str_eq(err.message, "the edit changes nothing: accept or reject the proposal");
    err = (fl_error){0};
    review.to = " ";
    ck_assert_fails(FL_E_SYNTAX, fl_review_say(&out, store, &list.items[0], &review, &arena, &err));
    look();
    ck_assert_uint_eq(list.count, 3);
}
END_TEST

START_TEST(what_the_text_rules_out_is_accepted_as_evidence_against)
{
    keep("# Search slow\nWe ruled out the network.");
    look();
    const fl_waiting *against = NULL;
    for (size_t i = 0; i < list.count; i++)
        if (!list.items[i].proposal.supports)
            against = &list.items[i];
    ck_assert_ptr_nonnull(against);
    fl_reviewed accepted = say(against, FL_REVIEW_ACCEPT, NULL);
    ck_assert(accepted.after.mean < accepted.before.mean);
}
END_TEST

START_TEST(an_id_may_be_shortened_while_it_is_one)
{
    char id[17];
    const fl_waiting *found;
    snprintf(id, sizeof(id), "%016" PRIx64, list.items[1].proposal.id);
    ck_assert_ok(fl_review_find(&found, &list, id, &err));
    ck_assert_ptr_eq(found, &list.items[1]);
    id[8] = '\0';
    ck_assert_ok(fl_review_find(&found, &list, id, &err));
    ck_assert_fails(FL_E_NOTFOUND, fl_review_find(&found, &list, "", &err));
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_review_find(&found, &list, "xyz", &err));
    ck_assert_str_eq(err.message, "no proposal xyz waits for a review");
}
END_TEST

START_TEST(many_documents_of_nobody_count_as_one_voice)
{
    char text[128];
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "Copy %d.\n\nWrites stop because the disk is full.", i);
        keep(text);
    }
    look();
    uint64_t edge = list.items[list.count - 1].edge;
    fl_edge_belief belief;
    fl_edge_question question = {.edge = edge, .known_ns = NOW, .at_ns = NOW, .limit = 100};
    ck_assert_ok(fl_edge_belief_of(&belief, store, &question, &err));
    ck_assert_uint_ge(belief.supporting, 1);
    ck_assert(belief.confidence.a <= 0.5 + fl_source_cap(FL_SOURCE_DOCUMENT) + 1e-9);
}
END_TEST

START_TEST(want_of_memory_is_said_and_nothing_is_half_said)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        ck_assert_int_lt(n, 3000);
        err = (fl_error){0};
        fl_waiting_list again;
        fl_reviewed out;
        fl_arena own = fl_arena_of(64u << 20);
        fl_review review = {.verdict = FL_REVIEW_EDIT, .to = "x y", .author = "bob", .now_ns = NOW};
        fl_mem_fail_after(n);
        status = fl_review_list(&again, store, &own, &err);
        if (status == FL_OK)
            status = fl_review_say(&out, store, &list.items[2], &review, &own, &err);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&own);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    look();
    ck_assert_uint_eq(list.count, 2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("review");
    TCase *tests = tcase_create("reviews");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_kept_reads_as_it_was_proposed);
    tcase_add_test(tests, the_list_is_in_the_order_of_the_text);
    tcase_add_test(tests, keeping_again_adds_nothing_and_leaves_answers_alone);
    tcase_add_test(tests, accepting_raises_and_rejecting_lowers);
    tcase_add_test(tests, an_edit_speaks_against_the_old_edge_and_for_the_new_one);
    tcase_add_test(tests, an_edit_that_changes_nothing_is_refused);
    tcase_add_test(tests, what_the_text_rules_out_is_accepted_as_evidence_against);
    tcase_add_test(tests, an_id_may_be_shortened_while_it_is_one);
    tcase_add_test(tests, many_documents_of_nobody_count_as_one_voice);
    tcase_add_test(tests, want_of_memory_is_said_and_nothing_is_half_said);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
