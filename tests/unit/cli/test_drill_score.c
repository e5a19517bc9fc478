#include "drill_score.h"

#include <math.h>

#include "fl_test.h"

#define H(r, s)                                                                                    \
    {                                                                                              \
        .rank = (r), .service = (s)                                                                \
    }

static fl_drill_ranks rank(const fl_hypothesis *list, size_t count, const fl_drill_answer *answer)
{
    fl_incident incident = {.hypotheses = list, .hypothesis_count = count};
    return fl_drill_rank(&incident, answer);
}

START_TEST(services_are_counted_once_however_many_hypotheses_they_have)
{
    const fl_hypothesis list[] = {H(1, "a"), H(2, "a"), H(3, "a"), H(4, "b"), H(5, "c")};
    const fl_drill_answer b = {.service = "b"}, c = {.service = "c"}, d = {.service = "d"};
    ck_assert_uint_eq(rank(list, 5, &b).service, 2);
    ck_assert_uint_eq(rank(list, 5, &c).service, 3);
    ck_assert_uint_eq(rank(list, 5, &d).service, 0);
}
END_TEST

START_TEST(a_tie_counts_against)
{
    const fl_hypothesis list[] = {H(1, "a"), H(1, "b"), H(1, "c"), H(4, "d")};
    const fl_drill_answer a = {.service = "a"}, d = {.service = "d"};
    ck_assert_uint_eq(rank(list, 4, &a).service, 3);
    ck_assert_uint_eq(rank(list, 4, &d).service, 4);
}
END_TEST

START_TEST(a_tie_is_a_tie_however_the_ranks_are_numbered)
{
    const fl_hypothesis dense[] = {H(1, "a"), H(2, "b"), H(2, "c"), H(3, "d")};
    const fl_drill_answer b = {.service = "b"}, d = {.service = "d"};
    ck_assert_uint_eq(rank(dense, 4, &b).service, 3);
    ck_assert_uint_eq(rank(dense, 4, &d).service, 4);
}
END_TEST

START_TEST(a_tie_with_oneself_does_not_push_a_service_down)
{
    const fl_hypothesis list[] = {H(1, "a"), H(1, "a"), H(3, "b")};
    const fl_drill_answer a = {.service = "a"};
    ck_assert_uint_eq(rank(list, 3, &a).service, 1);
}
END_TEST

START_TEST(the_order_of_the_list_does_not_matter)
{
    const fl_hypothesis list[] = {H(3, "c"), H(1, "b"), H(2, "c"), H(1, "a")};
    const fl_drill_answer a = {.service = "a"}, c = {.service = "c"};
    ck_assert_uint_eq(rank(list, 4, &a).service, 2);
    ck_assert_uint_eq(rank(list, 4, &c).service, 3);
}
END_TEST

START_TEST(hypotheses_without_a_service_stand_in_the_way_as_one)
{
    const fl_hypothesis list[] = {H(1, NULL), H(2, NULL), H(3, "a")};
    const fl_drill_answer a = {.service = "a"};
    ck_assert_uint_eq(rank(list, 3, &a).service, 2);
}
END_TEST

static const fl_hypothesis fine_list[] = {
    {.rank = 1, .service = "a", .resource = FL_RESOURCE_MEMORY, .locus = FL_LOCUS_METRIC},
    {.rank = 2, .service = "b", .resource = FL_RESOURCE_CPU, .locus = FL_LOCUS_METRIC},
    {.rank = 3, .service = "a", .resource = FL_RESOURCE_CPU, .locus = FL_LOCUS_METRIC},
    {.rank = 4,
     .service = "a",
     .locus = FL_LOCUS_CODE_REGION,
     .before = "INFO X#10 begin",
     .after = "ERROR X#12 end"},
};

/* What is known of the cause, and where it stands. */
static const struct {
    fl_drill_answer answer;
    size_t rank;
} fine[] = {
    {{.service = "a", .resource = FL_RESOURCE_CPU}, 3},
    {{.service = "b", .resource = FL_RESOURCE_CPU}, 2},
    {{.service = "b", .resource = FL_RESOURCE_NETWORK}, 0},
    {{.service = "c", .resource = FL_RESOURCE_CPU}, 0},
    {{.service = "a", .region = {"X#10", "X#12"}}, 4},
    {{.service = "b", .region = {"X#10", "X#12"}}, 0},
    {{.service = "a", .region = {"X#10", "X#99"}}, 0},
    {{.service = "a", .region = {"X#99", "X#12"}}, 0},
    {{.service = "a", .region = {"X#12", "X#10"}}, 0}, /* a region has a direction */
    {{.service = "a"}, 0},
};

START_TEST(a_finer_cause_needs_service_and_resource_or_both_statements)
{
    ck_assert_uint_eq(rank(fine_list, 4, &fine[_i].answer).fine, fine[_i].rank);
}
END_TEST

START_TEST(a_finer_cause_is_counted_among_hypotheses_and_ties_against_it)
{
    const fl_hypothesis list[] = {
        {.rank = 1, .service = "a", .resource = FL_RESOURCE_MEMORY},
        {.rank = 1, .service = "a", .resource = FL_RESOURCE_CPU},
        {.rank = 3, .service = "b", .resource = FL_RESOURCE_CPU},
    };
    const fl_drill_answer answer = {.service = "a", .resource = FL_RESOURCE_CPU};
    ck_assert_uint_eq(rank(list, 3, &answer).service, 1);
    ck_assert_uint_eq(rank(list, 3, &answer).fine, 2);
}
END_TEST

START_TEST(statements_that_are_missing_match_nothing)
{
    const fl_hypothesis list[] = {{.rank = 1, .service = "a", .locus = FL_LOCUS_CODE_REGION}};
    const fl_drill_answer answer = {.service = "a", .region = {"X", "Y"}};
    ck_assert_uint_eq(rank(list, 1, &answer).fine, 0);
}
END_TEST

START_TEST(an_empty_ranking_hits_nothing)
{
    const fl_drill_answer answer = {.service = "a", .resource = FL_RESOURCE_CPU};
    fl_drill_ranks ranks = rank(NULL, 0, &answer);
    ck_assert_uint_eq(ranks.service, 0);
    ck_assert_uint_eq(ranks.fine, 0);
}
END_TEST

START_TEST(of_several_causes_one_is_asked_for_first_and_all_later)
{
    const fl_hypothesis list[] = {H(1, "x"), H(2, "b"), H(3, "a")};
    const fl_drill_answer two = {.service = "a", .also = {"b"}, .also_count = 1};
    const fl_drill_answer three = {.service = "a", .also = {"b", "c"}, .also_count = 2};
    fl_drill_tally tally = {0};
    fl_drill_ranks ranks = rank(list, 3, &two);
    ck_assert_uint_eq(ranks.service, 2);
    ck_assert_uint_eq(ranks.last, 3);
    fl_drill_count(&tally, &two, ranks);
    ck_assert_uint_eq(tally.hits[0], 0);
    ck_assert_uint_eq(tally.hits[1], 1);
    ck_assert_uint_eq(rank(list, 3, &three).last, 0);
    ck_assert_uint_eq(rank(list, 3, &three).service, 2);
}
END_TEST

START_TEST(of_two_causes_either_is_right_at_one)
{
    const fl_hypothesis list[] = {H(1, "b"), H(2, "x")};
    const fl_drill_answer two = {
        .service = "a", .resource = FL_RESOURCE_CPU, .also = {"b"}, .also_count = 1};
    fl_drill_tally tally = {0};
    fl_drill_count(&tally, &two, rank(list, 2, &two));
    ck_assert_uint_eq(tally.hits[0], 1);
    ck_assert_uint_eq(tally.hits[1], 0);
    ck_assert_uint_eq(tally.fine_n, 0);
}
END_TEST

START_TEST(where_nothing_was_wrong_no_confident_cause_is_the_hit)
{
    const fl_drill_answer none = {0};
    const fl_hypothesis list[] = {H(1, "a")};
    fl_incident incident = {.hypotheses = list, .hypothesis_count = 1};
    fl_drill_tally tally = {0};
    incident.verdict = FL_VERDICT_NO_CONFIDENT_CAUSE;
    fl_drill_count(&tally, &none, fl_drill_rank(&incident, &none));
    incident.verdict = FL_VERDICT_CAUSE_FOUND;
    fl_drill_count(&tally, &none, fl_drill_rank(&incident, &none));
    ck_assert_uint_eq(tally.n, 2);
    for (size_t i = 0; i < FL_DRILL_KS; i++)
        ck_assert_uint_eq(tally.hits[i], 1);
}
END_TEST

START_TEST(hits_are_counted_at_one_three_and_five_and_fine_ones_over_their_own_n)
{
    fl_drill_tally tally = {0};
    const fl_drill_answer coarse = {.service = "a"};
    const fl_drill_answer cpu = {.service = "a", .resource = FL_RESOURCE_CPU};
    fl_drill_count(&tally, &coarse, (fl_drill_ranks){.service = 1, .last = 1});
    fl_drill_count(&tally, &coarse, (fl_drill_ranks){.service = 5, .last = 5});
    fl_drill_count(&tally, &cpu, (fl_drill_ranks){.service = 3, .last = 3, .fine = 4});
    fl_drill_count(&tally, &cpu, (fl_drill_ranks){.service = 6, .last = 6});
    fl_drill_count(&tally, &cpu, (fl_drill_ranks){0});
    ck_assert_uint_eq(tally.n, 5);
    ck_assert_uint_eq(tally.hits[0], 1);
    ck_assert_uint_eq(tally.hits[1], 2);
    ck_assert_uint_eq(tally.hits[2], 3);
    ck_assert_uint_eq(tally.fine_n, 3);
    ck_assert_uint_eq(tally.fine_hits[0], 0);
    ck_assert_uint_eq(tally.fine_hits[1], 0);
    ck_assert_uint_eq(tally.fine_hits[2], 1);
    ck_assert_double_eq(fl_drill_ratio(tally.hits[2], tally.n), 0.6);
    ck_assert(isnan(fl_drill_ratio(0, 0)));
}
END_TEST

START_TEST(the_median_is_the_middle_or_the_mean_of_two)
{
    int64_t odd[] = {9, 1, 5}, even[] = {8, 2, 4, 100}, one[] = {7};
    int64_t big[] = {INT64_MAX, INT64_MAX - 2};
    ck_assert_int_eq(fl_drill_median(odd, 3), 5);
    ck_assert_int_eq(fl_drill_median(even, 4), 6);
    ck_assert_int_eq(fl_drill_median(one, 1), 7);
    ck_assert_int_eq(fl_drill_median(big, 2), INT64_MAX - 1);
    ck_assert_int_eq(fl_drill_median(NULL, 0), 0);
}
END_TEST

static Suite *drill_score_suite(void)
{
    Suite *suite = suite_create("cli/drill_score");
    TCase *cases = tcase_create("drill_score");
    tcase_add_test(cases, services_are_counted_once_however_many_hypotheses_they_have);
    tcase_add_test(cases, a_tie_counts_against);
    tcase_add_test(cases, a_tie_is_a_tie_however_the_ranks_are_numbered);
    tcase_add_test(cases, a_tie_with_oneself_does_not_push_a_service_down);
    tcase_add_test(cases, the_order_of_the_list_does_not_matter);
    tcase_add_test(cases, hypotheses_without_a_service_stand_in_the_way_as_one);
    tcase_add_loop_test(cases, a_finer_cause_needs_service_and_resource_or_both_statements, 0,
                        sizeof(fine) / sizeof(fine[0]));
    tcase_add_test(cases, a_finer_cause_is_counted_among_hypotheses_and_ties_against_it);
    tcase_add_test(cases, statements_that_are_missing_match_nothing);
    tcase_add_test(cases, an_empty_ranking_hits_nothing);
    tcase_add_test(cases, of_several_causes_one_is_asked_for_first_and_all_later);
    tcase_add_test(cases, of_two_causes_either_is_right_at_one);
    tcase_add_test(cases, where_nothing_was_wrong_no_confident_cause_is_the_hit);
    tcase_add_test(cases, hits_are_counted_at_one_three_and_five_and_fine_ones_over_their_own_n);
    tcase_add_test(cases, the_median_is_the_middle_or_the_mean_of_two);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(drill_score_suite)
