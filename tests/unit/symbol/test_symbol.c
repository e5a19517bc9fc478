#include <stdio.h>
#include <unistd.h>

#include "fl_file.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "symbol_priv.h"

static fl_error err;
static fl_symbols *symbols;
static fl_symbol found[FL_MAX_INLINED];

static void setup(void)
{
    err = (fl_error){0};
    symbols = NULL;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_symbols_close(symbols);
}

/* "FUNCTION\tFILE\tLINE|..." of what was found. */
static const char *shown(size_t count)
{
    static char text[8192];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s\t%.*s\t%u",
                                i > 0 ? "|" : "", (int)found[i].function.len,
                                (const char *)found[i].function.ptr, (int)found[i].file.len,
                                (const char *)found[i].file.ptr, found[i].line);
    return text;
}

static const char *at(uint64_t address)
{
    return shown(fl_symbols_find(symbols, address, found));
}

/*
 * Stripped programs of three layouts of Go's table, all bytes zeroed but those that the addresses
 * of the .txt need. The .txt was written from the unstripped programs by llvm-symbolizer, out of
 * DWARF: only what it agrees with is in it (go126: DWARF 5, not read by it; Go's runtime gave the
 * innermost frames).
 */
static const struct {
    const char *name, *version, *module;
    size_t functions, inlined;
} programs[] = {
    {"go117", "", "", 979, 22},
    {"go119", "go1.19.13", "example.com/tiny", 1027, 18},
    {"go126", "go1.26.8", "example.com/tiny", 1482, 25},
};

START_TEST(addresses_of_go_are_what_dwarf_says)
{
    char path[128];
    snprintf(path, sizeof(path), "tests/fixtures/symbol/%s.elf.zst", programs[_i].name);
    fl_bytes elf = fl_file_read(path);
    snprintf(path, sizeof(path), "tests/fixtures/symbol/%s.txt", programs[_i].name);
    fl_bytes expected = fl_file_read(path);
    ck_assert_ok(fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err));
    ck_assert_uint_eq(fl_symbols_go_count(symbols), programs[_i].functions);
    ck_assert_uint_eq(fl_symbols_native_count(symbols), 0);
    fl_slice version = fl_symbols_go_version(symbols), module = fl_symbols_main_module(symbols);
    ck_assert(fl_slice_equal(version, SLICE(programs[_i].version)));
    ck_assert(fl_slice_equal(module, SLICE(programs[_i].module)));
    size_t lines = 0, inlined = 0;
    expected.ptr[expected.len - 1] = '\0';
    for (char *line = strtok((char *)expected.ptr, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *frames;
        uint64_t address = strtoull(line, &frames, 16);
        ck_assert_str_eq(at(address), frames + 1);
        lines++;
        inlined += strchr(frames + 1, '|') != NULL;
    }
    ck_assert_uint_ge(lines, 150);
    ck_assert_uint_eq(inlined, programs[_i].inlined);
    free(elf.ptr);
    free(expected.ptr);
}
END_TEST

static const char *const dwarfs[] = {"gcc3", "gcc4", "gcc5", "gcc5z", "clang4", "clang5"};
enum { DWARFS = sizeof(dwarfs) / sizeof(dwarfs[0]) };

static fl_bytes read_dwarf(const char *name, const char *end)
{
    char path[128];
    snprintf(path, sizeof(path), "tests/fixtures/symbol/dwarf-%s.%s", name, end);
    return fl_file_read(path);
}

/* The .txt is llvm-symbolizer's, see the README beside it. */
START_TEST(addresses_of_native_code_are_what_another_reader_of_dwarf_says)
{
    fl_bytes elf = read_dwarf(dwarfs[_i], "so.zst"), expected = read_dwarf(dwarfs[_i], "txt");
    ck_assert_ok(fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err));
    size_t lines = 0, inlined = 0;
    expected.ptr[expected.len - 1] = '\0';
    for (char *line = strtok((char *)expected.ptr, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *frames;
        uint64_t address = strtoull(line, &frames, 16);
        ck_assert_str_eq(at(address), frames + 1);
        lines++;
        inlined += strchr(frames + 1, '|') != NULL;
    }
    ck_assert_uint_gt(lines, 50);
    ck_assert_uint_gt(inlined, 30);
    ck_assert_str_eq(at(0), "");
    ck_assert_str_eq(at(UINT64_MAX), "");
    free(elf.ptr);
    free(expected.ptr);
}
END_TEST

/* Not one of them fails: what is damaged is left out. */
START_TEST(damaged_dwarf_gives_fewer_frames_and_harms_nothing)
{
    fl_bytes elf = read_dwarf(dwarfs[_i], "so.zst");
    size_t opened = 0;
    for (size_t i = 0; i < elf.len; i += 3) {
        unsigned char was = elf.ptr[i];
        elf.ptr[i] = (unsigned char)(i % 2 == 0 ? was ^ (1u << i % 8) : 0xff);
        err = (fl_error){0};
        if (fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err) == FL_OK) {
            opened++;
            for (uint64_t address = 0x400; address < 0x520; address += 8)
                for (size_t k = fl_symbols_find(symbols, address, found); k > 0; k--)
                    ck_assert_uint_gt(found[k - 1].function.len, 0);
            fl_symbols_close(symbols);
            symbols = NULL;
        }
        elf.ptr[i] = was;
    }
    ck_assert_uint_gt(opened, elf.len / 6);
    free(elf.ptr);
}
END_TEST

START_TEST(dwarf_without_memory_gives_fewer_frames)
{
    fl_bytes elf = read_dwarf("gcc5z", "so.zst");
    size_t fewest = FL_MAX_INLINED, most = 0;
    for (long allowed = 0; allowed < 60; allowed++) {
        ck_assert_ok(fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err));
        fl_mem_fail_after(allowed);
        size_t count = fl_symbols_find(symbols, 0x418, found);
        fl_mem_fail_after(-1);
        fewest = count < fewest ? count : fewest;
        most = count > most ? count : most;
        fl_symbols_close(symbols);
        symbols = NULL;
    }
    ck_assert_uint_eq(fewest, 1); /* the symbol table's */
    ck_assert_uint_eq(most, 2);
    free(elf.ptr);
}
END_TEST

START_TEST(a_program_is_recognised_by_its_build_ids)
{
    fl_bytes elf = fl_file_read("tests/fixtures/symbol/go126.elf.zst");
    ck_assert_ok(fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err));
    fl_slice gnu = fl_symbols_gnu_build_id(symbols), go = fl_symbols_go_build_id(symbols);
    ck_assert_uint_eq(gnu.len, 40);
    ck_assert_mem_eq(gnu.ptr, "efaab868d3fe2f68fd94183aab8da3f88ed5080e", 40);
    ck_assert_mem_eq(go.ptr, "xxj6pSSGj5Ec7xITJGcg/", 21);
    free(elf.ptr);
}
END_TEST

START_TEST(a_mapping_moves_addresses_by_where_the_file_was_loaded)
{
    fl_bytes elf = fl_file_read("tests/fixtures/symbol/go126.elf.zst");
    ck_assert_ok(fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err));
    ck_assert_uint_eq(fl_symbols_address(symbols, 0x415b60, 0x400000, 0), 0x415b60);
    ck_assert_uint_eq(fl_symbols_address(symbols, 0x555500015b60, 0x555500000000, 0), 0x415b60);
    ck_assert_uint_eq(fl_symbols_address(symbols, 0x555500014b60, 0x555500000000, 0x1000),
                      0x415b60);
    ck_assert_uint_eq(fl_symbols_address(symbols, 0x5555f0000000, 0x555500000000, 0),
                      0x5555f0000000);
    free(elf.ptr);
}
END_TEST

START_TEST(native_code_has_the_names_of_its_symbol_table)
{
    fl_bytes elf = fl_file_read("tests/fuzz/corpus/symbol/native.so");
    ck_assert_ok(fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err));
    ck_assert_uint_eq(fl_symbols_go_count(symbols), 0);
    ck_assert_uint_eq(fl_symbols_native_count(symbols), 2);
    ck_assert_str_eq(at(0x26e), "helper\t\t0");
    ck_assert_str_eq(at(0x272), "entry\t\t0");
    ck_assert_str_eq(at(0x26d), "");
    ck_assert_str_eq(at(0x1000), "");
    free(elf.ptr);
}
END_TEST

/* This test itself: its own functions under their own addresses. */
START_TEST(a_program_on_disk_is_opened)
{
    char path[512];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    ck_assert_int_gt(len, 0);
    path[len] = '\0';
    ck_assert_ok(fl_symbols_open(&symbols, path, &err));
    ck_assert_uint_gt(fl_symbols_native_count(symbols), 100);
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long long start = 0;
    char line[1024];
    while (start == 0 && fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, path) != NULL)
            start = strtoull(line, NULL, 16);
    fclose(maps);
    uint64_t here = (uint64_t)(uintptr_t)&setup;
    /* With its file and line where this was built with -g. */
    ck_assert(strncmp(at(fl_symbols_address(symbols, here, start, 0)), "setup\t", 6) == 0);
    ck_assert(found[0].file.len == 0 ||
              fl_slice_ends_with(found[0].file, FL_SLICE("test_symbol.c")));
    fl_symbols *none;
    ck_assert_fails(FL_E_NOTFOUND, fl_symbols_open(&none, "/nonexistent/program", &err));
    ck_assert_str_eq(err.message, "cannot open /nonexistent/program: No such file or directory");
    err = (fl_error){0};
    ck_assert_fails(FL_E_IO, fl_symbols_open(&none, "/tmp", &err));
    ck_assert_str_eq(err.message, "cannot open /tmp: not a file");
}
END_TEST

/* --- Go's table alone: made up in each layout, pointer size and byte order --- */

static fl_bytes envelope;
static fl_pclntab table;

static void read_envelope(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "tests/fuzz/corpus/symbol/%s", name);
    envelope = fl_file_read(path);
}

static fl_status read_table(size_t len)
{
    size_t whole = (size_t)envelope.ptr[1] | (size_t)envelope.ptr[2] << 8;
    bool is_big = envelope.ptr[0] & 1;
    fl_status status = fl_pclntab_read(
        &table, (fl_slice){envelope.ptr + 3, len < whole ? len : whole}, is_big, 1000, &err);
    table.tree_base = 0x1000;
    table.trees =
        (fl_bin){.bytes = {envelope.ptr + 3 + whole, envelope.len - 3 - whole}, .is_big = is_big};
    return status;
}

static const char *in_table(uint64_t address)
{
    return shown(fl_pclntab_find(&table, address, found));
}

static const char *const tables[] = {"pclntab-1.16-le64.bin", "pclntab-1.16-be32.bin",
                                     "pclntab-1.18-le64.bin", "pclntab-1.18-be32.bin",
                                     "pclntab-1.20-le64.bin", "pclntab-1.20-be32.bin"};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

START_TEST(each_layout_of_gos_table_is_read)
{
    read_envelope(tables[_i]);
    ck_assert_ok(read_table(SIZE_MAX));
    uint64_t text = 0x401000;
    ck_assert_str_eq(in_table(text), "main.outer\t/src/main.go\t10");
    /* Before 1.20 the tree holds the call's line, since then the line is that of its address. */
    const char *inlined = table.version == 20
                              ? "main.inlined\t/src/in.go\t30|main.outer\t/src/main.go\t10"
                              : "main.inlined\t/src/in.go\t30|main.outer\t/src/main.go\t11";
    ck_assert_str_eq(in_table(text + 16), inlined);
    ck_assert_str_eq(in_table(text + 32), "main.outer\t/src/main.go\t12");
    ck_assert_str_eq(in_table(text + 64), "main.last\t/src/main.go\t40");
    ck_assert_str_eq(in_table(text + 127), "main.last\t/src/main.go\t40");
    ck_assert_str_eq(in_table(text + 128), "");
    ck_assert_str_eq(in_table(text - 1), "");
    ck_assert_str_eq(in_table(0), "");
    ck_assert_str_eq(in_table(UINT64_MAX), "");
    (void)in_table(text + 16);
    ck_assert_uint_eq(found[0].start_line, table.version == 20 ? 29 : 0);
    table.tree_base = table.version == 16 ? UINT64_MAX : 0; /* trees not found: no inlined calls */
    ck_assert_str_eq(in_table(text + 16), "main.outer\t/src/in.go\t30");
    free(envelope.ptr);
}
END_TEST

START_TEST(every_prefix_of_a_table_is_read_or_refused)
{
    read_envelope(tables[_i]);
    for (size_t len = 0; len < envelope.len - 3; len++) {
        err = (fl_error){0};
        fl_status status = read_table(len);
        ck_assert(status == FL_OK || status == FL_E_TRUNCATED || status == FL_E_SYNTAX);
        for (uint64_t address = 0x400ff0; status == FL_OK && address < 0x401090; address++)
            ck_assert_uint_le(fl_pclntab_find(&table, address, found), FL_MAX_INLINED);
    }
    free(envelope.ptr);
}
END_TEST

/* One byte or word changed in the table of 1.20, 64 bit. */
static const struct {
    size_t at;
    unsigned char value;
    fl_status status;
    uint64_t offset;
    const char *message;
} damages[] = {
    {0, 0x00, FL_E_UNSUPPORTED, 1000, "Go's function table has the unknown magic ffffff00"},
    {0, 0xfb, FL_E_UNSUPPORTED, 1000,
     "Go's function table has the unknown magic fffffffb, of before Go 1.16"},
    {6, 0, FL_E_SYNTAX, 1006, "Go's function table has pointers of 8 bytes and steps of 0"},
    {7, 7, FL_E_SYNTAX, 1006, "Go's function table has pointers of 7 bytes and steps of 1"},
    {8, 0, FL_E_SYNTAX, 1008, "Go's function table tells of 0 functions, for which it has no room"},
    {8, 200, FL_E_SYNTAX, 1008,
     "Go's function table tells of 200 functions, for which it has no room"},
    {15, 0xff, FL_E_SYNTAX, 1008,
     "Go's function table tells of 18374686479671623682 functions, for which it has no room"},
    {34, 9, FL_E_TRUNCATED, 1000, "a part of Go's function table lies outside of it"},
};

START_TEST(damage_in_a_tables_header_is_refused)
{
    read_envelope("pclntab-1.20-le64.bin");
    envelope.ptr[3 + damages[_i].at] = damages[_i].value;
    if (damages[_i].value == 0xfb) /* the magic differs in one byte from that of before 1.16 */
        ck_assert_uint_eq(envelope.ptr[4], 0xff);
    ck_assert_fails(damages[_i].status, read_table(SIZE_MAX));
    ck_assert_str_eq(err.message, damages[_i].message);
    ck_assert_uint_eq(err.offset, damages[_i].offset);
    free(envelope.ptr);
}
END_TEST

START_TEST(any_damaged_byte_is_survived)
{
    read_envelope(tables[_i]);
    for (size_t i = 3; i < envelope.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            envelope.ptr[i] ^= (unsigned char)(1u << bit);
            err = (fl_error){0};
            if (read_table(SIZE_MAX) == FL_OK)
                for (uint64_t address = 0x400ff0; address < 0x401090; address += 5)
                    ck_assert_uint_le(fl_pclntab_find(&table, address, found), FL_MAX_INLINED);
            envelope.ptr[i] ^= (unsigned char)(1u << bit);
        }
    free(envelope.ptr);
}
END_TEST

/* --- ELF --- */

static const struct {
    const char *bytes;
    size_t len;
    fl_status status;
    const char *message;
} strangers[] = {
    {"", 0, FL_E_UNSUPPORTED, "x: not an ELF file"},
    {"\x7f"
     "ELF",
     4, FL_E_UNSUPPORTED, "x: not an ELF file"},
    {"#!/bin/sh\nexit\n", 15, FL_E_UNSUPPORTED, "x: not an ELF file"},
    {"MZ\x90\0\3\0\0\0", 8, FL_E_UNSUPPORTED, "x: not an ELF file"},
    {"\x7f"
     "ELF\3\1\1\0",
     8, FL_E_UNSUPPORTED, "x: an ELF file of the unknown class 3 and byte order 1"},
    {"\x7f"
     "ELF\2\1\1\0",
     8, FL_E_TRUNCATED, "x: the header ends early"},
};

START_TEST(what_is_no_program_is_refused)
{
    fl_slice bytes = {(const unsigned char *)strangers[_i].bytes, strangers[_i].len};
    ck_assert_fails(strangers[_i].status, fl_symbols_over(&symbols, bytes, "x", &err));
    ck_assert_str_eq(err.message, strangers[_i].message);
    ck_assert_ptr_null(symbols);
}
END_TEST

START_TEST(every_prefix_and_every_damaged_byte_of_an_elf_file_is_survived)
{
    static const char *const files[] = {"tests/fuzz/corpus/symbol/native.so",
                                        "tests/fuzz/corpus/symbol/native32.o"};
    fl_bytes elf = fl_file_read(files[_i]);
    for (size_t len = 0; len < elf.len; len++) {
        err = (fl_error){0};
        fl_slice prefix = {elf.ptr, len};
        ck_assert_int_ne(fl_symbols_over(&symbols, prefix, "x", &err), FL_OK);
        ck_assert_uint_gt(strlen(err.message), 3);
    }
    for (size_t i = 0; i < elf.len; i++)
        for (unsigned bit = 0; bit < 8; bit += 3) {
            elf.ptr[i] ^= (unsigned char)(1u << bit);
            err = (fl_error){0};
            if (fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err) == FL_OK) {
                (void)at(0x26e);
                fl_symbols_close(symbols);
                symbols = NULL;
            }
            elf.ptr[i] ^= (unsigned char)(1u << bit);
        }
    free(elf.ptr);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_bytes elf = fl_file_read("tests/fixtures/symbol/go119.elf.zst");
    char path[sizeof(FL_TEMP_PATH)];
    fl_temp_file(path, fl_bytes_slice(elf));
    for (int form = 0; form < 2; form++)
        for (long allowed = 0;; allowed++) {
            err = (fl_error){0};
            fl_mem_fail_after(allowed);
            fl_status status = form == 0 ? fl_symbols_over(&symbols, fl_bytes_slice(elf), "x", &err)
                                         : fl_symbols_open(&symbols, path, &err);
            fl_mem_fail_after(-1);
            if (status == FL_OK) {
                fl_symbols_close(symbols);
                symbols = NULL;
                break;
            }
            ck_assert_fails(FL_E_NOMEM, status);
            ck_assert_ptr_null(symbols);
        }
    unlink(path);
    free(elf.ptr);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("symbol");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, addresses_of_go_are_what_dwarf_says, 0, 3);
    tcase_add_loop_test(tc, addresses_of_native_code_are_what_another_reader_of_dwarf_says, 0,
                        DWARFS);
    tcase_add_loop_test(tc, damaged_dwarf_gives_fewer_frames_and_harms_nothing, 0, DWARFS);
    tcase_add_test(tc, dwarf_without_memory_gives_fewer_frames);
    tcase_add_test(tc, a_program_is_recognised_by_its_build_ids);
    tcase_add_test(tc, a_mapping_moves_addresses_by_where_the_file_was_loaded);
    tcase_add_test(tc, native_code_has_the_names_of_its_symbol_table);
    tcase_add_test(tc, a_program_on_disk_is_opened);
    tcase_add_loop_test(tc, each_layout_of_gos_table_is_read, 0, TABLES);
    tcase_add_loop_test(tc, every_prefix_of_a_table_is_read_or_refused, 0, TABLES);
    tcase_add_loop_test(tc, damage_in_a_tables_header_is_refused, 0,
                        sizeof(damages) / sizeof(damages[0]));
    tcase_add_loop_test(tc, any_damaged_byte_is_survived, 0, TABLES);
    tcase_add_loop_test(tc, what_is_no_program_is_refused, 0,
                        sizeof(strangers) / sizeof(strangers[0]));
    tcase_add_loop_test(tc, every_prefix_and_every_damaged_byte_of_an_elf_file_is_survived, 0, 2);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
