#include "faultline/leak.h"

#include "fl_test.h"
#include "slice.h"

START_TEST(every_verdict_and_subject_is_read_back_from_its_name)
{
    for (int i = 0; i < FL_LEAK_VERDICT_COUNT; i++) {
        fl_leak_verdict back = FL_LEAK_VERDICT_COUNT;
        ck_assert(
            fl_leak_verdict_find(&back, fl_slice_of(fl_leak_verdict_name((fl_leak_verdict)i))));
        ck_assert_int_eq((int)back, i);
    }
    for (int i = 0; i < FL_LEAK_SUBJECT_COUNT; i++) {
        fl_leak_subject back = FL_LEAK_SUBJECT_COUNT;
        ck_assert(
            fl_leak_subject_find(&back, fl_slice_of(fl_leak_subject_name((fl_leak_subject)i))));
        ck_assert_int_eq((int)back, i);
    }
}
END_TEST

START_TEST(every_feature_has_a_name_of_its_own_and_a_meaning)
{
    for (int i = 0; i < FL_LEAK_FEATURE_COUNT; i++) {
        const fl_leak_feature_info *info = fl_leak_feature_info_of((fl_leak_feature)i);
        fl_leak_feature back = FL_LEAK_FEATURE_COUNT;
        ck_assert(fl_leak_feature_find(&back, fl_slice_of(info->name)));
        ck_assert_int_eq((int)back, i);
        ck_assert(info->text[0] != '\0');
        ck_assert_int_eq(info->is_text, strcmp(info->unit, "text") == 0);
        ck_assert_int_eq(info->in == FL_LEAK_IN_PROFILES, i < FL_LEAK_F_TRACE_PLACE);
    }
}
END_TEST

START_TEST(words_of_the_contract_are_spelled_as_published)
{
    ck_assert_str_eq(fl_leak_verdict_name(FL_LEAK_GC_PRESSURE), "gc-pressure");
    ck_assert_str_eq(fl_leak_verdict_name(FL_LEAK_NOT_ENOUGH_DATA), "not-enough-data");
    ck_assert_str_eq(fl_leak_source_name(FL_LEAK_FROM_ALLOCS), "allocs");
    ck_assert_str_eq(fl_leak_feature_info_of(FL_LEAK_F_GROWTH_Z)->name, "growth_z");
}
END_TEST

START_TEST(unknown_words_leave_the_result_alone)
{
    fl_leak_verdict verdict = FL_LEAK_CHURN;
    fl_leak_subject subject = FL_LEAK_LOCK;
    fl_leak_feature feature = FL_LEAK_F_LEAF;
    ck_assert(!fl_leak_verdict_find(&verdict, FL_SLICE("Leak")));
    ck_assert(!fl_leak_verdict_find(&verdict, FL_SLICE("")));
    ck_assert(!fl_leak_subject_find(&subject, FL_SLICE("sit")));
    ck_assert(!fl_leak_feature_find(&feature, FL_SLICE("growth_zz")));
    ck_assert_int_eq(verdict, FL_LEAK_CHURN);
    ck_assert_int_eq(subject, FL_LEAK_LOCK);
    ck_assert_int_eq(feature, FL_LEAK_F_LEAF);
}
END_TEST

static Suite *leak_names_suite(void)
{
    Suite *suite = suite_create("contract/leak_names");
    TCase *cases = tcase_create("leak_names");
    tcase_add_test(cases, every_verdict_and_subject_is_read_back_from_its_name);
    tcase_add_test(cases, every_feature_has_a_name_of_its_own_and_a_meaning);
    tcase_add_test(cases, words_of_the_contract_are_spelled_as_published);
    tcase_add_test(cases, unknown_words_leave_the_result_alone);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_names_suite)
