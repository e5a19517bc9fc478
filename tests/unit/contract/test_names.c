#include "names.h"

#include "fl_test.h"

START_TEST(every_cause_is_read_back_from_its_name)
{
    for (int i = 0; i < FL_CAUSE_COUNT; i++) {
        fl_cause back = FL_CAUSE_COUNT;
        ck_assert(fl_cause_parse(&back, fl_cause_name((fl_cause)i)));
        ck_assert_int_eq((int)back, i);
    }
}
END_TEST

START_TEST(every_locus_and_modality_is_read_back_from_its_name)
{
    for (int i = 0; i < FL_LOCUS_COUNT; i++) {
        fl_locus_kind back = FL_LOCUS_COUNT;
        ck_assert(fl_locus_parse(&back, fl_locus_name((fl_locus_kind)i)));
        ck_assert_int_eq((int)back, i);
    }
    for (int i = 0; i < FL_KEPT_KIND_COUNT; i++) {
        fl_kept_kind back = FL_KEPT_KIND_COUNT;
        ck_assert(fl_kept_kind_parse(&back, fl_kept_kind_name((fl_kept_kind)i)));
        ck_assert_int_eq((int)back, i);
    }
    for (int i = 0; i < FL_MODALITY_COUNT; i++) {
        fl_modality back = FL_MODALITY_COUNT;
        ck_assert(fl_modality_parse(&back, fl_modality_name((fl_modality)i)));
        ck_assert_int_eq((int)back, i);
    }
}
END_TEST

START_TEST(no_resource_has_no_name_and_others_are_read_back)
{
    ck_assert_ptr_null(fl_resource_name(FL_RESOURCE_NONE));
    for (int i = FL_RESOURCE_NONE + 1; i < FL_RESOURCE_COUNT; i++) {
        fl_resource_kind back = FL_RESOURCE_NONE;
        ck_assert(fl_resource_parse(&back, fl_resource_name((fl_resource_kind)i)));
        ck_assert_int_eq((int)back, i);
    }
}
END_TEST

START_TEST(words_of_the_contract_are_spelled_as_published)
{
    ck_assert_str_eq(fl_cause_name(FL_CAUSE_NETWORK_DELAY), "network-delay");
    ck_assert_str_eq(fl_locus_name(FL_LOCUS_CODE_REGION), "code-region");
    ck_assert_str_eq(fl_resource_name(FL_RESOURCE_NETWORK), "network");
    ck_assert_str_eq(fl_verdict_name(FL_VERDICT_CAUSE_FOUND), "cause-found");
    ck_assert_str_eq(fl_verdict_name(FL_VERDICT_NO_CONFIDENT_CAUSE), "no-confident-cause");
}
END_TEST

START_TEST(unknown_words_leave_the_result_alone)
{
    fl_cause cause = FL_CAUSE_POOL;
    fl_resource_kind resource = FL_RESOURCE_DISK;
    fl_verdict verdict = FL_VERDICT_NO_CONFIDENT_CAUSE;
    ck_assert(!fl_cause_parse(&cause, "CPU"));
    ck_assert(!fl_cause_parse(&cause, ""));
    ck_assert(!fl_resource_parse(&resource, NULL));
    ck_assert(!fl_verdict_parse(&verdict, "cause-found "));
    ck_assert_int_eq(cause, FL_CAUSE_POOL);
    ck_assert_int_eq(resource, FL_RESOURCE_DISK);
    ck_assert_int_eq(verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
}
END_TEST

static Suite *names_suite(void)
{
    Suite *suite = suite_create("contract/names");
    TCase *cases = tcase_create("names");
    tcase_add_test(cases, every_cause_is_read_back_from_its_name);
    tcase_add_test(cases, every_locus_and_modality_is_read_back_from_its_name);
    tcase_add_test(cases, no_resource_has_no_name_and_others_are_read_back);
    tcase_add_test(cases, words_of_the_contract_are_spelled_as_published);
    tcase_add_test(cases, unknown_words_leave_the_result_alone);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(names_suite)
