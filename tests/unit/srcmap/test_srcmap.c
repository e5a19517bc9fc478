#include <stdio.h>

#include "faultline/limits.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "srcmap.h"

static fl_error err;
static fl_srcmap *map;

static void setup(void)
{
    err = (fl_error){0};
    map = NULL;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_srcmap_destroy(map);
}

static fl_status read_text(const char *json)
{
    fl_srcmap_destroy(map);
    map = NULL;
    err = (fl_error){0};
    return fl_srcmap_read(&map, SLICE(json), &err);
}

/* "SOURCE:LINE:COLUMN NAME", or "-" where there is nothing. */
static const char *at(uint32_t line, uint32_t column)
{
    static char text[256];
    fl_srcplace place;
    if (!fl_srcmap_find(&place, map, line, column))
        return "-";
    snprintf(text, sizeof(text), "%.*s:%u:%u %.*s", (int)place.source.len,
             (const char *)place.source.ptr, place.line, place.column, (int)place.name.len,
             (const char *)place.name.ptr);
    return text;
}

/*
 * As another implementation encodes them. Line 1: column 0 -> a.ts 1:0; 9 -> a.ts 1:9 "foo"; 12 has
 * no source; 16 -> b.ts 3:2. Line 2: nothing. Line 3: column 4 -> b.ts 2:0 "bar".
 */
#define MAPPINGS "AAAA,SAASA,G,ICEP;;IADFC"
#define SOURCES  "\"sources\":[\"a.ts\",\"b.ts\"],\"names\":[\"foo\",\"bar\"]"
#define PLAIN    "{\"version\":3,\"file\":\"out.js\"," SOURCES ",\"mappings\":\"" MAPPINGS "\"}"

static void assert_places(void)
{
    static const struct {
        uint32_t line, column;
        const char *place;
    } places[] = {{1, 0, "a.ts:1:0 "},
                  {1, 8, "a.ts:1:0 "},
                  {1, 9, "a.ts:1:9 foo"},
                  {1, 11, "a.ts:1:9 foo"},
                  {1, 12, "-"},
                  {1, 15, "-"},
                  {1, 16, "b.ts:3:2 "},
                  {1, 4000000000u, "b.ts:3:2 "},
                  {2, 0, "-"},
                  {3, 3, "-"},
                  {3, 4, "b.ts:2:0 bar"},
                  {4, 0, "-"},
                  {0, 0, "-"},
                  {1, FL_SRCMAP_ANY_COLUMN, "-"}, /* of two sources */
                  {2, FL_SRCMAP_ANY_COLUMN, "-"},
                  {3, FL_SRCMAP_ANY_COLUMN, "b.ts:2:0 bar"}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        ck_assert_str_eq(at(places[i].line, places[i].column), places[i].place);
}

START_TEST(a_place_is_that_of_the_segment_before_it)
{
    ck_assert_ok(read_text(PLAIN));
    ck_assert_uint_eq(fl_srcmap_segment_count(map), 5);
    ck_assert_uint_eq(fl_srcmap_line_count(map), 3);
    ck_assert_uint_eq(fl_srcmap_source_count(map), 2);
    ck_assert(fl_slice_equal(fl_srcmap_file(map), SLICE("out.js")));
    assert_places();
}
END_TEST

/* The same map, written otherwise. */
START_TEST(members_come_in_any_order_with_others_between)
{
    static const char *const forms[] = {
        "{\"mappings\":\"" MAPPINGS "\",\"version\":3," SOURCES "}",
        ")]}'\n{\"sourcesContent\":[\"x\\n\",null],\"version\":3," SOURCES
        ",\"x_google_ignoreList\":[1],\"file\":null,\"sourceRoot\":\"\",\"mappings\":\"" MAPPINGS
        "\"}",
        "\xef\xbb\xbf {\"version\":3.0," SOURCES
        ",\"mappings\":\"\\u0041AAA,SAASA,G,ICEP;;IADFC\"}\n",
        "{\"version\":3," SOURCES ",\"mappings\":\",AAAA,,SAASA,G,ICEP,;;IADFC;\"}",
        "{\"version\":3,\"sections\":[{\"map\":" PLAIN ",\"offset\":{\"column\":0,\"line\":0}}]}"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        ck_assert_ok(read_text(forms[i]));
        assert_places();
    }
}
END_TEST

START_TEST(a_source_root_stands_before_each_source)
{
    static const char *const roots[] = {"/src", "/src/"};
    for (size_t i = 0; i < 2; i++) {
        char json[512];
        snprintf(json, sizeof(json),
                 "{\"version\":3,\"sourceRoot\":\"%s\"," SOURCES ",\"mappings\":\"AAAA\"}",
                 roots[i]);
        ck_assert_ok(read_text(json));
        ck_assert_str_eq(at(1, 0), "/src/a.ts:1:0 ");
    }
    ck_assert_ok(read_text("{\"version\":3,\"sources\":[null],\"mappings\":\"AAAA\"}"));
    ck_assert_str_eq(at(1, 0), ":1:0 ");
}
END_TEST

START_TEST(columns_that_fall_are_sorted)
{
    ck_assert_ok(read_text("{\"version\":3," SOURCES ",\"mappings\":\";QACA,NADA,GAAK;AAAA\"}"));
    ck_assert_str_eq(at(2, 1), "-");
    ck_assert_str_eq(at(2, 2), "a.ts:1:0 ");
    ck_assert_str_eq(at(2, 5), "a.ts:1:5 ");
    ck_assert_str_eq(at(2, 8), "a.ts:2:0 ");
    ck_assert_str_eq(at(3, 0), "a.ts:1:5 ");
}
END_TEST

#define SECTION(line, column, mappings)                                                            \
    "{\"offset\":{\"line\":" #line ",\"column\":" #column "},\"map\":{\"version\":3," SOURCES      \
    ",\"mappings\":\"" mappings "\"}}"

START_TEST(sections_begin_at_their_offset_and_end_at_the_next_one)
{
    ck_assert_ok(read_text("{\"version\":3,\"sections\":[" SECTION(
        1, 10, "AAAA,SAASA;AACA;AACA;AACA") "," SECTION(2, 5, "ACAA;AACA") "]}"));
    ck_assert_str_eq(at(1, 0), "-");
    ck_assert_str_eq(at(2, 9), "-");
    ck_assert_str_eq(at(2, 10), "a.ts:1:0 ");
    ck_assert_str_eq(at(2, 19), "a.ts:1:9 foo");
    ck_assert_str_eq(at(3, 4), "a.ts:2:9 ");
    ck_assert_str_eq(at(3, 5), "b.ts:1:0 ");
    ck_assert_str_eq(at(4, 0), "b.ts:2:0 ");
    ck_assert_str_eq(at(5, 0), "-");
    ck_assert_uint_eq(fl_srcmap_source_count(map), 4);
    ck_assert_ok(read_text("{\"version\":3,\"sections\":[]}"));
    ck_assert_str_eq(at(1, 0), "-");
}
END_TEST

/* What is refused, and why. */
#define BAD_MAPPINGS(mappings) "{\"version\":3," SOURCES ",\"mappings\":\"" mappings "\"}"
enum { MAPPINGS_AT = 73 };
static const struct {
    const char *json;
    fl_status status;
    uint64_t offset;
    const char *message;
} refused[] = {
    {"", FL_E_UNSUPPORTED, FL_NO_OFFSET, "this is not a source map"},
    {"[]", FL_E_UNSUPPORTED, FL_NO_OFFSET, "this is not a source map"},
    {")]}'", FL_E_UNSUPPORTED, FL_NO_OFFSET, "this is not a source map"},
    {"<html>", FL_E_UNSUPPORTED, FL_NO_OFFSET, "this is not a source map"},
    {"{\"name\":\"package\"}", FL_E_UNSUPPORTED, FL_NO_OFFSET, "this is not a source map"},
    {"{\"mappings\":\"AAAA\"}", FL_E_UNSUPPORTED, FL_NO_OFFSET, "a source map of version 0, not 3"},
    {"{\"version\":2,\"mappings\":\"\"}", FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "a source map of version 2, not 3"},
    {"{\"version\":3,\"mappings\":7}", FL_E_SYNTAX, 24, "expected a string, found a number"},
    {"{\"version\":3,\"mappings\":\"\"} x", FL_E_SYNTAX, 28, NULL},
    {"{\"version\":3,\"sources\":{},\"mappings\":\"\"}", FL_E_SYNTAX, 23,
     "expected an array, found an object"},
    {BAD_MAPPINGS("AAAA,!"), FL_E_SYNTAX, MAPPINGS_AT + 5,
     "mappings: a character that is not base 64"},
    {BAD_MAPPINGS("AAAA,A A"), FL_E_SYNTAX, MAPPINGS_AT + 6,
     "mappings: a character that is not base 64"},
    {BAD_MAPPINGS("AAAA,AA"), FL_E_SYNTAX, MAPPINGS_AT + 5,
     "mappings: a segment of 2 or 3 numbers"},
    {BAD_MAPPINGS("AAA"), FL_E_SYNTAX, MAPPINGS_AT, "mappings: a segment of 2 or 3 numbers"},
    {BAD_MAPPINGS("AAAAAA"), FL_E_SYNTAX, MAPPINGS_AT,
     "mappings: a segment of more than 5 numbers"},
    {BAD_MAPPINGS("AAAg"), FL_E_SYNTAX, MAPPINGS_AT,
     "mappings: a number that ends early or has more than 32 bits"},
    {BAD_MAPPINGS("ggggggggA"), FL_E_SYNTAX, MAPPINGS_AT,
     "mappings: a number that ends early or has more than 32 bits"},
    {BAD_MAPPINGS("D"), FL_E_SYNTAX, MAPPINGS_AT, "mappings: a column outside of 0 to 2^32-2"},
    {BAD_MAPPINGS("AEAA"), FL_E_SYNTAX, MAPPINGS_AT, "mappings: source 2 of 2"},
    {BAD_MAPPINGS("ADAA"), FL_E_SYNTAX, MAPPINGS_AT, "mappings: source -1 of 2"},
    {BAD_MAPPINGS("AAAA,AAAAG"), FL_E_SYNTAX, MAPPINGS_AT + 5, "mappings: name 3 of 2"},
    {BAD_MAPPINGS("AADA"), FL_E_SYNTAX, MAPPINGS_AT,
     "mappings: a place in a source outside of 0 to 2^32-2"},
    {"{\"version\":3,\"sections\":[{\"offset\":{\"line\":1,\"column\":0},\"url\":\"x\"}]}",
     FL_E_UNSUPPORTED, 25, "a section without a map of its own"},
    {"{\"version\":3,\"sections\":[" SECTION(2, 0, "") "," SECTION(1, 0, "") "]}", FL_E_SYNTAX, 140,
     "sections are not in rising order"},
    {"{\"version\":3,\"sections\":[{\"map\":{\"version\":3,\"sections\":[]}}]}", FL_E_UNSUPPORTED,
     32, "a section's map without mappings"},
    {"{\"version\":3,\"sections\":[" SECTION(99999999, 0, "") "]}", FL_E_LIMIT, 25,
     "a section at line 99999999, column 0"},
};

START_TEST(broken_maps_are_refused_with_the_place)
{
    fl_status status = read_text(refused[_i].json);
    if (refused[_i].message != NULL)
        ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_fails(refused[_i].status, status);
    ck_assert_uint_eq(err.offset, refused[_i].offset);
    ck_assert_ptr_null(map);
}
END_TEST

START_TEST(every_prefix_is_refused)
{
    static const char *const texts[] = {
        PLAIN, "{\"version\":3,\"sections\":[" SECTION(1, 10, "AAAA") "," SECTION(2, 5, "A") "]}"};
    for (size_t t = 0; t < 2; t++)
        for (size_t len = 0; len < strlen(texts[t]); len++) {
            err = (fl_error){0};
            fl_slice prefix = {.ptr = (const unsigned char *)texts[t], .len = len};
            fl_status status = fl_srcmap_read(&map, prefix, &err);
            ck_assert(status == FL_E_SYNTAX || status == FL_E_UNSUPPORTED);
            ck_assert_ptr_null(map);
        }
}
END_TEST

START_TEST(more_lines_than_the_budget_are_refused)
{
    size_t len = FL_MAX_SRCMAP_LINES + 100;
    char *json = malloc(len);
    size_t at_mappings = (size_t)snprintf(json, len, "{\"version\":3,\"mappings\":\"");
    memset(json + at_mappings, ';', len - at_mappings - 3);
    memcpy(json + len - 3, "\"}", 3);
    ck_assert_fails(FL_E_LIMIT, read_text(json));
    ck_assert_str_eq(err.message, "a source map of more than 16777216 lines or segments");
    free(json);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    static const char *const texts[] = {
        "{\"version\":3,\"sourceRoot\":\"r\",\"file\":\"f\"," SOURCES ",\"mappings\":\"" MAPPINGS
        "\"}",
        "{\"version\":3,\"sections\":[" SECTION(1, 10, "AAAA,QAAA") "," SECTION(2, 5, "A;A") "]}"};
    for (size_t t = 0; t < 2; t++)
        for (long allowed = 0;; allowed++) {
            err = (fl_error){0};
            fl_mem_fail_after(allowed);
            fl_status status = fl_srcmap_read(&map, SLICE(texts[t]), &err);
            fl_mem_fail_after(-1);
            if (status == FL_OK) {
                fl_srcmap_destroy(map);
                map = NULL;
                break;
            }
            ck_assert_fails(FL_E_NOMEM, status);
            ck_assert_ptr_null(map);
        }
}
END_TEST

START_TEST(what_a_file_is_shows_in_its_first_bytes)
{
    ck_assert(fl_srcmap_sniff(SLICE(PLAIN)));
    ck_assert(fl_srcmap_sniff(SLICE(")]}'\n{\"version\":3,\"sections\":[")));
    ck_assert(!fl_srcmap_sniff(SLICE("")));
    ck_assert(!fl_srcmap_sniff(SLICE("{\"version\":\"1.0\",\"name\":\"x\"}")));
    ck_assert(!fl_srcmap_sniff(SLICE("{\"mappings\":\"AAAA\"}")));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("srcmap");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_place_is_that_of_the_segment_before_it);
    tcase_add_test(tc, members_come_in_any_order_with_others_between);
    tcase_add_test(tc, a_source_root_stands_before_each_source);
    tcase_add_test(tc, columns_that_fall_are_sorted);
    tcase_add_test(tc, sections_begin_at_their_offset_and_end_at_the_next_one);
    tcase_add_loop_test(tc, broken_maps_are_refused_with_the_place, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, every_prefix_is_refused);
    tcase_add_test(tc, more_lines_than_the_budget_are_refused);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_test(tc, what_a_file_is_shows_in_its_first_bytes);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
