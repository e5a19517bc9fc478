#include <stdio.h>

#include "buf.h"
#include "fl_test.h"
#include "slice.h"
#include "symbol.h"

/* DWARF that no compiler at hand writes, or that means harm: a program of nothing but its sections,
 * little endian, 64 bits. */
enum { MAX_BYTES = 8 << 20, INFO = 0, ABBREV, LINE, RNGLISTS, SECTIONS };

static fl_buf sections[SECTIONS], program;
static fl_symbols *symbols;
static fl_symbol found[FL_MAX_INLINED];
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    symbols = NULL;
    for (size_t i = 0; i < SECTIONS; i++)
        sections[i] = fl_buf_of(MAX_BYTES);
    program = fl_buf_of(2 * (size_t)MAX_BYTES);
}

static void teardown(void)
{
    fl_symbols_close(symbols);
    for (size_t i = 0; i < SECTIONS; i++)
        fl_buf_dispose(&sections[i]);
    fl_buf_dispose(&program);
}

static void put(fl_buf *to, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++)
        fl_buf_char(to, (char)(value >> 8 * i & 0xff));
}

static void put_leb(fl_buf *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        fl_buf_char(to, (char)((value & 0x7f) | 0x80));
    fl_buf_char(to, (char)value);
}

/* A kind of entries: its tag, then pairs of attribute and form. */
static void put_kind(uint64_t code, unsigned tag, bool has_children, const unsigned *pairs)
{
    fl_buf *to = &sections[ABBREV];
    put_leb(to, code);
    put_leb(to, tag);
    put(to, 1, has_children);
    for (; pairs[0] != 0; pairs += 2) {
        put_leb(to, pairs[0]);
        put_leb(to, pairs[1]);
    }
    put(to, 2, 0);
}

/* The header of a unit of DWARF 5 whose entries are `bytes` long; returns where it begins. */
static uint64_t put_unit(uint64_t bytes)
{
    uint64_t begin = fl_buf_slice(&sections[INFO]).len;
    put(&sections[INFO], 4, 8 + bytes);
    put(&sections[INFO], 2, 5);
    put(&sections[INFO], 1, 1);
    put(&sections[INFO], 1, 8);
    put(&sections[INFO], 4, 0);
    return begin;
}

/* The length of a unit that is written last, now that it is known. */
static void end_unit(uint64_t begin)
{
    fl_buf_char(&sections[INFO], 0);
    uint64_t length = fl_buf_slice(&sections[INFO]).len - begin - 4;
    for (unsigned i = 0; i < 4; i++)
        ((unsigned char *)sections[INFO].ptr)[begin + i] = (unsigned char)(length >> 8 * i);
}

static void put_section(uint32_t name, uint32_t type, uint64_t offset, uint64_t size)
{
    put(&program, 4, name);
    put(&program, 4, type);
    put(&program, 8, 0);
    put(&program, 8, 0);
    put(&program, 8, offset);
    put(&program, 8, size);
    put(&program, 8, 0);
    put(&program, 8, 1);
    put(&program, 8, 0);
}

/* The header, the sections, their names, their table; opened. */
static void open_program(void)
{
    static const char names[] = "\0.debug_info\0.debug_abbrev\0.debug_line\0.debug_rnglists\0.s";
    static const uint32_t name_at[SECTIONS + 1] = {1, 13, 27, 39, 55};
    uint64_t offset = 64, size = 0;
    put(&sections[ABBREV], 1, 0); /* the end of the table */
    for (size_t i = 0; i < SECTIONS; i++)
        size += fl_buf_slice(&sections[i]).len;
    fl_buf_add(&program, (fl_slice){.ptr = (const unsigned char *)"\177ELF\2\1\1\0\0\0\0\0\0\0\0",
                                    .len = 16});
    put(&program, 2, 3);
    put(&program, 2, 62);
    put(&program, 4, 1);
    put(&program, 8, 0);
    put(&program, 8, 0);
    put(&program, 8, 64 + size + sizeof(names));
    put(&program, 4, 0);
    put(&program, 2, 64);
    put(&program, 2, 56);
    put(&program, 2, 0);
    put(&program, 2, 64);
    put(&program, 2, SECTIONS + 2);
    put(&program, 2, SECTIONS + 1);
    for (size_t i = 0; i < SECTIONS; i++)
        fl_buf_add(&program, fl_buf_slice(&sections[i]));
    fl_buf_add(&program, (fl_slice){.ptr = (const unsigned char *)names, .len = sizeof(names)});
    put_section(0, 0, 0, 0);
    for (size_t i = 0; i < SECTIONS; i++) {
        put_section(name_at[i], 1, offset, fl_buf_slice(&sections[i]).len);
        offset += fl_buf_slice(&sections[i]).len;
    }
    put_section(name_at[SECTIONS], 3, offset, sizeof(names));
    ck_assert_ok(fl_buf_check(&program, "the program", &err));
    ck_assert_ok(fl_symbols_over(&symbols, fl_buf_slice(&program), "x", &err));
}

/* "NAME:LINE" of the innermost function at an address; empty: none is known. */
static const char *at(uint64_t address)
{
    static char text[128];
    text[0] = '\0';
    if (fl_symbols_find(symbols, address, found) > 0)
        snprintf(text, sizeof(text), "%.*s:%u", FL_SLICE_ARG(found[0].function), found[0].line);
    return text;
}

/* What units and functions are made of below. */
enum { UNIT = 1, FUNCTION, REFERRING };
enum { NAME = 0x03, LINES = 0x10, LOW = 0x11, HIGH = 0x12, ORIGIN = 0x31, RANGES = 0x55 };
enum { ADDR = 0x01, DATA4 = 0x06, STRING = 0x08, OFFSET = 0x17, IMPLICIT_FLAG = 0x19 };
static const unsigned simple_unit[] = {LOW, ADDR, HIGH, DATA4, 0};
static const unsigned function[] = {NAME, STRING, LOW, ADDR, HIGH, DATA4, 0};

static void put_function(const char *name, uint64_t low, uint32_t len)
{
    put_leb(&sections[INFO], FUNCTION);
    fl_buf_text(&sections[INFO], name);
    put(&sections[INFO], 1, 0);
    put(&sections[INFO], 8, low);
    put(&sections[INFO], 4, len);
}

/* Forms, and how wide their numbers are: only the first is a place in this file. */
static const struct {
    unsigned form, width;
    const char *told;
} references[] = {{0x10, 4, "somebody:0"},  {0x13, 4, "somebody:0"},  {0x1c, 4, "(no name):0"},
                  {0x20, 8, "(no name):0"}, {0x24, 8, "(no name):0"}, {0x1f20, 4, "(no name):0"}};

START_TEST(a_function_that_another_file_names_has_no_name_here)
{
    const unsigned referring[] = {ORIGIN, references[_i].form, LOW, ADDR, HIGH, DATA4, 0};
    put_kind(UNIT, 0x11, true, simple_unit);
    put_kind(FUNCTION, 0x2e, false, function);
    put_kind(REFERRING, 0x2e, false, referring);
    uint64_t begin = put_unit(0);
    put_leb(&sections[INFO], UNIT);
    put(&sections[INFO], 8, 0x1000);
    put(&sections[INFO], 4, 0x1000);
    uint64_t place = fl_buf_slice(&sections[INFO]).len;
    put_function("somebody", 0x1000, 16);
    put_leb(&sections[INFO], REFERRING);
    put(&sections[INFO], references[_i].width, place - begin);
    put(&sections[INFO], 8, 0x1010);
    put(&sections[INFO], 4, 16);
    end_unit(begin);
    open_program();
    ck_assert_str_eq(at(0x1008), "somebody:0");
    ck_assert_str_eq(at(0x1018), references[_i].told);
}
END_TEST

/* "At `address` begins `line`", which is at most 127. */
static void put_row(fl_buf *to, uint64_t address, unsigned line)
{
    put(to, 3, 0x020900); /* set the address */
    put(to, 8, address);
    put(to, 1, 0x03); /* advance the line, which is 1 at the begin of a stretch */
    put_leb(to, (line - 1) & 0x3f);
    put(to, 1, 1); /* a row */
}

static void put_line_table(const fl_buf *rows)
{
    static const unsigned char head[] = {1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1,
                                         1, 0, 0, 0,    1,  0,  0, 1, 0, 0};
    fl_buf *to = &sections[LINE];
    put(to, 4, 2 + 4 + sizeof(head) + fl_buf_slice(rows).len);
    put(to, 2, 4);
    put(to, 4, sizeof(head));
    fl_buf_add(to, (fl_slice){.ptr = head, .len = sizeof(head)});
    fl_buf_add(to, fl_buf_slice(rows));
}

/* A unit whose code is in two stretches, of which the linker dropped the first. */
static void put_unit_of_two(const fl_buf *rows)
{
    static const unsigned unit[] = {RANGES, OFFSET, LOW, ADDR, LINES, OFFSET, 0};
    static const uint64_t stretches[][2] = {{0, 0x1800}, {0x1100, 0x100}, {0x1400, 0x100}};
    put_kind(UNIT, 0x11, true, unit);
    put_kind(FUNCTION, 0x2e, false, function);
    uint64_t begin = put_unit(0);
    put_leb(&sections[INFO], UNIT);
    put(&sections[INFO], 4, 0);
    put(&sections[INFO], 8, 0);
    put(&sections[INFO], 4, 0);
    put_function("dropped", 0, 0x1800);
    put_function("kept", 0x1100, 0x100);
    put_function("other", 0x1400, 0x100);
    end_unit(begin);
    for (size_t i = 0; i < 3; i++) {
        put(&sections[RNGLISTS], 1, 7);
        put(&sections[RNGLISTS], 8, stretches[i][0]);
        put_leb(&sections[RNGLISTS], stretches[i][1]);
    }
    put(&sections[RNGLISTS], 1, 0);
    put_line_table(rows);
    open_program();
}

START_TEST(code_that_the_linker_dropped_is_nowhere)
{
    fl_buf rows = fl_buf_of(1024);
    static const unsigned char to_1108[] = {0x02, 0x88, 0x22, 0x03, 1, 1}; /* and a line more */
    put_row(&rows, 0, 7);
    fl_buf_add(&rows, (fl_slice){.ptr = to_1108, .len = sizeof(to_1108)});
    put(&rows, 3, 0x010100); /* the end of the stretch */
    put_row(&rows, 0x1100, 20);
    put_row(&rows, 0x1400, 11);
    put(&rows, 3, 0x010100);
    put_unit_of_two(&rows);
    fl_buf_dispose(&rows);
    ck_assert_str_eq(at(0x1104), "kept:20");
    ck_assert_str_eq(at(0x1110), "kept:20");
    ck_assert_str_eq(at(0x1300), "");
    ck_assert_str_eq(at(0x10), "");
}
END_TEST

START_TEST(a_line_table_that_breaks_off_tells_no_line_behind_its_last)
{
    fl_buf rows = fl_buf_of(1024);
    put_row(&rows, 0x1100, 20);
    put_row(&rows, 0x1180, 2);
    put_unit_of_two(&rows);
    fl_buf_dispose(&rows);
    ck_assert_str_eq(at(0x1104), "kept:20");
    ck_assert_str_eq(at(0x1404), "other:0");
}
END_TEST

/* ---- small files that would be read for long ---- */

START_TEST(a_kind_of_more_attributes_than_there_are_is_damage)
{
    fl_buf *kinds = &sections[ABBREV];
    put_kind(UNIT, 0x11, true, simple_unit);
    put_kind(FUNCTION, 0x2e, false, function);
    put_leb(kinds, REFERRING);
    put(kinds, 2, 0x002e);
    for (int i = 0; i < 256 + _i; i++)
        put(kinds, 2, IMPLICIT_FLAG << 8 | 0x49);
    put(kinds, 2, 0);
    uint64_t begin = put_unit(0);
    put_leb(&sections[INFO], UNIT);
    put(&sections[INFO], 8, 0x1000);
    put(&sections[INFO], 4, 0x1000);
    put_function("somebody", 0x1000, 16);
    end_unit(begin);
    open_program();
    ck_assert_str_eq(at(0x1008), (_i == 0 ? "somebody:0" : ""));
}
END_TEST

/* Each unit's table is that of all, and its own kind the last but one in it. */
START_TEST(a_table_of_kinds_is_not_read_for_units_without_end)
{
    const unsigned units = _i == 0 ? 8 : 4000;
    for (uint64_t code = 1; code < 4000; code++)
        put_kind(code, 0x24, false, (const unsigned[]){0});
    put_kind(4000, 0x11, true, simple_unit);
    put_kind(4001, 0x2e, false, function);
    for (unsigned i = 0; i < units; i++) {
        uint64_t begin = put_unit(0);
        put_leb(&sections[INFO], 4000);
        put(&sections[INFO], 8, 0x1000 + 16 * i);
        put(&sections[INFO], 4, 16);
        put_leb(&sections[INFO], 4001);
        fl_buf_text(&sections[INFO], "somebody");
        put(&sections[INFO], 1, 0);
        put(&sections[INFO], 8, 0x1000 + 16 * i);
        put(&sections[INFO], 4, 16);
        end_unit(begin);
    }
    open_program();
    ck_assert_str_eq(at(0x1008), "somebody:0");
    ck_assert_str_eq(at(0x1000 + 16 * (units - 1)), (_i == 0 ? "somebody:0" : ""));
}
END_TEST

/* A list of 65,535 ranges of nothing, for every function. */
START_TEST(a_list_of_ranges_is_not_walked_for_functions_without_end)
{
    static const unsigned ranged[] = {RANGES, OFFSET, 0};
    const unsigned functions = _i == 0 ? 8 : 400;
    put_kind(UNIT, 0x11, true, simple_unit);
    put_kind(FUNCTION, 0x2e, false, function);
    put_kind(REFERRING, 0x2e, false, ranged);
    uint64_t begin = put_unit(0);
    put_leb(&sections[INFO], UNIT);
    put(&sections[INFO], 8, 0x1000);
    put(&sections[INFO], 4, 0x1000);
    put_function("somebody", 0x1000, 16);
    for (unsigned i = 0; i < functions; i++) {
        put_leb(&sections[INFO], REFERRING);
        put(&sections[INFO], 4, 0);
    }
    end_unit(begin);
    for (int i = 0; i < 65535; i++)
        put(&sections[RNGLISTS], 3, 4);
    put(&sections[RNGLISTS], 1, 0);
    open_program();
    ck_assert_str_eq(at(0x1008), (_i == 0 ? "somebody:0" : ""));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("symbol/dwarf");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_function_that_another_file_names_has_no_name_here, 0,
                        sizeof(references) / sizeof(references[0]));
    tcase_add_test(tc, code_that_the_linker_dropped_is_nowhere);
    tcase_add_test(tc, a_line_table_that_breaks_off_tells_no_line_behind_its_last);
    tcase_add_loop_test(tc, a_kind_of_more_attributes_than_there_are_is_damage, 0, 2);
    tcase_add_loop_test(tc, a_table_of_kinds_is_not_read_for_units_without_end, 0, 2);
    tcase_add_loop_test(tc, a_list_of_ranges_is_not_walked_for_functions_without_end, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
