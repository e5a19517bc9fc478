/*
 * The rules as data: what is refused in a document of rules, and how phrases are found.
 */
#include "learn_rules.h"

#include "mem.h"
#include "slice.h"

#include "fl_test.h"

static fl_error err;
static fl_learn_rules *rules;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_learn_rules_create(&rules, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_learn_rules_destroy(rules);
}

static const struct {
    const char *text, *message;
    uint64_t offset;
} bad[] = {
    {"rules: []", "own:1:1: the document has no key 'rules'", 7},
    {"- a", "own:1:1: the document is a mapping", 0},
    {"sections: {a: b}", "own:1:1: sections is a list", 10},
    {"sections: [{role: cause}]", "own:1:12: a section has a list of names", 11},
    {"sections: [{role: none, names: [xx]}]", "own:1:12: a section has no such role", 11},
    {"sections: [{role: cause, names: [x]}]", "own:1:34: a phrase is a text of 2 to 128 bytes", 33},
    {"sections: [{role: cause, names: [Xx]}]", "own:1:34: a phrase is in small letters", 33},
    {"sections: [{rol: cause}]", "own:1:13: a section has no key 'rol'", 17},
    {"cues: [{kind: hedges, words: [aa]}]", "own:1:8: a cue has no such kind", 7},
    {"cues: [{kind: fix, words: aa}]", "own:1:20: a list of phrases is wanted", 26},
    {"cues: [{kind: fix, ends: aa}]", "own:1:20: a list of phrases is wanted", 25},
    {"words: []", "own:1:1: words is a mapping", 7},
    {"words: {odd: [aa]}", "own:1:9: there is no list of words 'odd'", 13},
    {"components: [{versions: go}]", "own:1:14: a component has a name", 13},
    {"components: [{name: xx, versions: npm}]",
     "own:1:14: a component has versions: semver, go, maven or debian", 13},
    {"components: [{name: xx, versions: go, aliases: yy}]", "own:1:39: a list of phrases is wanted",
     47},
};

START_TEST(a_mistake_in_rules_is_named_with_its_place)
{
    ck_assert_fails(FL_E_SYNTAX, fl_learn_rules_add(rules, SLICE(bad[_i].text), "own", &err));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_uint_eq(err.offset, bad[_i].offset);
}
END_TEST

START_TEST(own_rules_are_found_beside_the_built_in_ones)
{
    const char *own = "sections: [{role: fix, names: [abhilfe]}]\n"
                      "cues: [{kind: explained-by, words: [verursacht durch]}]\n"
                      "components: [{name: our-ledger, versions: semver}]\n";
    ck_assert_int_eq(fl_learn_section_of(rules, SLICE("abhilfe")), FL_SECTION_NONE);
    ck_assert_ok(fl_learn_rules_add(rules, SLICE(own), "own", &err));
    ck_assert_int_eq(fl_learn_section_of(rules, SLICE("abhilfe")), FL_SECTION_FIX);
    const fl_phrase *phrase =
        fl_learn_phrase_at(rules, FL_PHRASES(FL_PHRASE_COMPONENT), SLICE("our-ledger 1.2"), 0);
    ck_assert_ptr_nonnull(phrase);
    ck_assert_str_eq(phrase->component->name, "our-ledger");
    ck_assert(fl_learn_has(rules, FL_PHRASES(FL_CUE_EXPLAINED_BY), SLICE("x verursacht durch y")));
}
END_TEST

START_TEST(the_longest_phrase_of_the_kind_wins)
{
    size_t at;
    fl_slice text = SLICE("it was caused by that");
    const fl_phrase *phrase =
        fl_learn_phrase_from(rules, FL_PHRASES(FL_CUE_EXPLAINED_BY), text, 0, &at);
    ck_assert_ptr_nonnull(phrase);
    ck_assert_str_eq((const char *)phrase->text.ptr, "caused by");
    ck_assert_uint_eq(at, 7);
    ck_assert_ptr_null(fl_learn_phrase_at(rules, FL_PHRASES(FL_CUE_FIX), text, 7));
}
END_TEST

START_TEST(latin_phrases_are_whole_words_and_chinese_ones_are_not)
{
    ck_assert(!fl_learn_has(rules, FL_PHRASES(FL_WORD_NEGATION), SLICE("a knot and a notice")));
    ck_assert(fl_learn_has(rules, FL_PHRASES(FL_WORD_NEGATION), SLICE("it is not that")));
    ck_assert(fl_learn_has(rules, FL_PHRASES(FL_CUE_EXPLAINS),
                           SLICE("\xE7\xBC\x93\xE5\xAD\x98\xE5\xAF\xBC\xE8\x87\xB4OOM")));
}
END_TEST

static const struct {
    const char *heading;
    fl_section section;
} headings[] = {
    {"root cause", FL_SECTION_CAUSE},
    {"root cause analysis", FL_SECTION_CAUSE},
    {"customer impact", FL_SECTION_SYMPTOM},
    {"what we ruled out", FL_SECTION_RULED_OUT},
    {"how we fixed it", FL_SECTION_FIX},
    {"timeline", FL_SECTION_SKIP},
    {"action items", FL_SECTION_SKIP},
    {"\xE6\xA0\xB9\xE5\x9B\xA0", FL_SECTION_CAUSE},
    {"the weather", FL_SECTION_NONE},
    {"causeway", FL_SECTION_NONE},
    {"what every reader should know about the root cause", FL_SECTION_NONE},
    {"", FL_SECTION_NONE},
};

START_TEST(a_heading_has_the_role_of_its_words)
{
    ck_assert_int_eq(fl_learn_section_of(rules, SLICE(headings[_i].heading)), headings[_i].section);
}
END_TEST

START_TEST(nothing_is_found_in_nothing)
{
    size_t at;
    ck_assert_ptr_null(fl_learn_phrase_from(rules, ~UINT64_C(0), SLICE(""), 0, &at));
    ck_assert_ptr_null(fl_learn_phrase_at(rules, ~UINT64_C(0), SLICE("a"), 0));
    ck_assert(!fl_learn_is(rules, FL_PHRASES(FL_WORD_VAGUE), SLICE("thi")));
    ck_assert(fl_learn_is(rules, FL_PHRASES(FL_WORD_VAGUE), SLICE("this")));
    fl_learn_rules_destroy(NULL);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("learn_rules");
    TCase *tests = tcase_create("rules");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_mistake_in_rules_is_named_with_its_place, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tests, own_rules_are_found_beside_the_built_in_ones);
    tcase_add_test(tests, the_longest_phrase_of_the_kind_wins);
    tcase_add_test(tests, latin_phrases_are_whole_words_and_chinese_ones_are_not);
    tcase_add_loop_test(tests, a_heading_has_the_role_of_its_words, 0,
                        sizeof(headings) / sizeof(headings[0]));
    tcase_add_test(tests, nothing_is_found_in_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
