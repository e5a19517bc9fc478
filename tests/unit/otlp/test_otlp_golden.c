/*
 * test_otlp_golden.c - tests/golden/otlp/<case>/input.jsonl gives the text in `expected`, record by
 * record and reject by reject.
 */
#include <dirent.h>
#include <stdio.h>

#include "fl_golden.h"
#include "otlp_decode.h"

#define GOLDEN FL_SOURCE_DIR "/tests/golden/otlp"

static otlp_decoder decoder;

static void setup(void)
{
    otlp_decoder_init(&decoder);
}

static void teardown(void)
{
    otlp_decoder_dispose(&decoder);
}

static void check_case(const char *name)
{
    char input[512], expected[512];
    snprintf(input, sizeof(input), GOLDEN "/%s/input.jsonl", name);
    snprintf(expected, sizeof(expected), "otlp/%s/expected", name);
    otlp_decoder_clear(&decoder);
    ck_assert_int_eq(otlp_decode_file(&decoder, input), FL_OK);
    fl_golden_check(expected, otlp_decoder_text(&decoder), decoder.dump.text.len);
}

START_TEST(each_case_gives_the_records_and_rejects_that_are_expected)
{
    DIR *folder = opendir(GOLDEN);
    ck_assert_ptr_nonnull(folder);
    unsigned cases = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.') {
            check_case(entry->d_name);
            cases++;
        }
    closedir(folder);
    ck_assert_uint_ge(cases, 10);
}
END_TEST

static Suite *otlp_golden_suite(void)
{
    Suite *suite = suite_create("otlp/golden");
    TCase *cases = tcase_create("golden");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, each_case_gives_the_records_and_rejects_that_are_expected);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(otlp_golden_suite)
