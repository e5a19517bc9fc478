#include "histo.h"

#include <string.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_arena arena;
static fl_histo histo;

static void set_up(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static fl_status read_text(const char *text)
{
    err = (fl_error){0};
    return fl_histo_read(&histo, fl_slice_of(text), &arena, &err);
}

#define HEADER                                                                                     \
    " num     #instances         #bytes  class name (module)\n"                                    \
    "-------------------------------------------------------\n"

START_TEST(texts_of_all_versions_are_read)
{
    static const char *const texts[] = {
        HEADER "   1:       10    240  [B (java.base@17.0.15)\n"
               "   2:        3     72  [[Lshop.Item;\nTotal           13      312\n",
        "4711:\n\n num     #instances         #bytes  class name\n"
        "----------------------------------------------\n"
        "   1:            10            240  [B\r\n   2:  3  72  [[Lshop.Item;\r\n"
        "Total            13            312\r\nsome other output\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert(fl_histo_is(fl_slice_of(texts[i])));
        ck_assert_ok(read_text(texts[i]));
        ck_assert_uint_eq(histo.count, 2);
        ck_assert(fl_slice_equal(histo.rows[0].name, SLICE("byte[]")));
        ck_assert(fl_slice_equal(histo.rows[1].name, SLICE("shop.Item[][]")));
        ck_assert_uint_eq(histo.rows[0].instances, 10);
        ck_assert_uint_eq(histo.rows[1].bytes, 72);
        ck_assert_uint_eq(histo.instances, 13);
        ck_assert_uint_eq(histo.bytes, 312);
        ck_assert(!histo.is_cut);
    }
}
END_TEST

START_TEST(names_are_those_of_the_language)
{
    static const struct {
        const char *row, *name;
    } cases[] = {
        {"1: 1 16 [C\n", "char[]"},    {"1: 1 16 [[J\n", "long[][]"},
        {"1: 1 16 [Z\n", "boolean[]"}, {"1: 1 16 shop.Item$1\n", "shop.Item$1"},
        {"1: 1 16 [Q\n", "Q[]"},       {"1: 1 16 <constMethodKlass>\n", "<constMethodKlass>"},
        {"1: 1 16 [Lx;\n", "x[]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = fl_arena_printf(&arena, "%s%s", HEADER, cases[i].row);
        ck_assert_ok(read_text(text));
        ck_assert(fl_slice_equal(histo.rows[0].name, fl_slice_of(cases[i].name)));
        ck_assert(histo.is_cut);
        ck_assert_uint_eq(histo.bytes, 16);
    }
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_place)
{
    static const struct {
        const char *text;
        fl_status status;
        uint64_t offset;
        const char *message;
    } cases[] = {
        {"", FL_E_UNSUPPORTED, 0, "no class histogram: there is no line 'num #instances #bytes'"},
        {"a\nb\nc\nd\ne\nf\ng\nh\nnum #instances #bytes\n", FL_E_UNSUPPORTED, 0,
         "no class histogram: there is no line 'num #instances #bytes'"},
        {"num #instances #bytes\n1: x 2 a\n", FL_E_SYNTAX, 22,
         "line 2: no row of a class histogram"},
        {"num #instances #bytes\n1: 1 2\n", FL_E_SYNTAX, 22, "line 2: no row of a class histogram"},
        {"num #instances #bytes\n1 1 2 a\n", FL_E_SYNTAX, 22,
         "line 2: no row of a class histogram"},
        {"num #instances #bytes\n1: 99999999999999999999 2 a\n", FL_E_SYNTAX, 22,
         "line 2: no row of a class histogram"},
        {"num #instances #bytes\nTotal 1\n", FL_E_SYNTAX, 22, "line 2: the totals have no numbers"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_fails(cases[i].status, read_text(cases[i].text));
        ck_assert_uint_eq(err.offset, cases[i].offset);
        ck_assert_str_eq(err.message, cases[i].message);
    }
}
END_TEST

START_TEST(each_prefix_gives_the_rows_that_are_whole_or_fails)
{
    static const char whole[] = HEADER "   1:  10  240  [B (java.base@17)\n   2:  3  72  a.B\n"
                                       "Total  13  312\n";
    for (size_t len = 0; len < sizeof(whole); len++) {
        fl_slice part = {.ptr = (const unsigned char *)whole, .len = len};
        err = (fl_error){0};
        if (fl_histo_read(&histo, part, &arena, &err) == FL_OK)
            ck_assert_uint_le(histo.count, 2);
        else
            ck_assert(err.message[0] != '\0');
    }
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_arena_dispose(&arena);
        arena = fl_arena_of(1 << 20);
        fl_mem_fail_after(n);
        status = read_text(HEADER "1: 1 16 [C\nTotal 1 16\n");
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_str_eq(err.message, "no memory for a class histogram");
        ck_assert_int_lt(n, 10);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("histo/histo");
    TCase *tcase = tcase_create("histo");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, texts_of_all_versions_are_read);
    tcase_add_test(tcase, names_are_those_of_the_language);
    tcase_add_test(tcase, what_is_wrong_is_said_with_its_place);
    tcase_add_test(tcase, each_prefix_gives_the_rows_that_are_whole_or_fails);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
