#include "inputs.h"

#include <sys/stat.h>

#include "fl_folder.h"
#include "fl_squeeze.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_folder folder;
static fl_arena arena;
static fl_error err;
static fl_inputs inputs;

static void setup(void)
{
    fl_folder_open(&folder);
    arena = fl_arena_of(8u << 20);
    err = (fl_error){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_folder_remove(&folder);
}

static void list(const char *const *paths, size_t count)
{
    ck_assert_ok(fl_inputs_list(&inputs, paths, count, &arena, &err));
}

START_TEST(a_folders_candidates_are_listed_in_order)
{
    static const char *const names[] = {"b.json",  "a.jsonl.zst", "c.pb.gz", "notes.txt",
                                        ".hidden", "d.otlp",      "json"};
    const char *paths[] = {folder.path};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        fl_folder_write(&folder, names[i], SLICE("12345"));
    ck_assert_int_eq(mkdir(fl_folder_path(&folder, "sub.json"), 0700), 0);
    ck_assert_int_eq(mkfifo(fl_folder_path(&folder, "pipe.json"), 0600), 0);
    ck_assert_int_eq(symlink("/nonexistent", fl_folder_path(&folder, "dangling.json")), 0);
    list(paths, 1);
    ck_assert_uint_eq(inputs.count, 4);
    ck_assert_uint_eq(inputs.bytes, 20);
    ck_assert_str_eq(inputs.items[0].path, fl_folder_path(&folder, "a.jsonl.zst"));
    ck_assert_str_eq(inputs.items[1].path, fl_folder_path(&folder, "b.json"));
    ck_assert_str_eq(inputs.items[2].path, fl_folder_path(&folder, "c.pb.gz"));
    ck_assert_str_eq(inputs.items[3].path, fl_folder_path(&folder, "d.otlp"));
    for (size_t i = 0; i < 4; i++)
        ck_assert(!inputs.items[i].named);
}
END_TEST

START_TEST(a_file_given_by_name_is_taken_whatever_it_is_called)
{
    const char *paths[] = {fl_folder_write(&folder, "recording", SLICE("1"))};
    list(paths, 1);
    ck_assert_uint_eq(inputs.count, 1);
    ck_assert(inputs.items[0].named);
}
END_TEST

START_TEST(a_path_given_twice_is_listed_once)
{
    const char *file = fl_folder_write(&folder, "a.json", SLICE("123"));
    const char *paths[] = {file, folder.path, file, folder.path};
    list(paths, 4);
    ck_assert_uint_eq(inputs.count, 1);
    ck_assert_uint_eq(inputs.bytes, 3);
}
END_TEST

START_TEST(no_path_is_no_input)
{
    list(NULL, 0);
    ck_assert_uint_eq(inputs.count, 0);
}
END_TEST

START_TEST(a_whole_file_is_read_compressed_or_not)
{
    fl_slice out;
    fl_bytes bytes = fl_gzip(SLICE("rules: []"));
    const char *path = fl_folder_write(&folder, "a.gz", fl_bytes_slice(bytes));
    ck_assert_ok(fl_inputs_read(&out, path, 9, &arena, &err));
    ck_assert(fl_slice_equal(out, SLICE("rules: []")));
    ck_assert_fails(FL_E_LIMIT, fl_inputs_read(&out, path, 8, &arena, &err));
    ck_assert_int_eq(strncmp(err.message, path, strlen(path)), 0);
    ck_assert_str_eq(err.message + strlen(path), " is larger than 8 bytes");
    ck_assert_fails(FL_E_IO, fl_inputs_read(&out, folder.path, 8, &arena, NULL));
    ck_assert_fails(FL_E_NOTFOUND,
                    fl_inputs_read(&out, fl_folder_path(&folder, "none"), 8, &arena, NULL));
    free(bytes.ptr);
}
END_TEST

START_TEST(more_files_than_the_limit_are_refused)
{
    static const char *paths[4097];
    const char *file = fl_folder_write(&folder, "a.json", SLICE("1"));
    for (size_t i = 0; i < 4097; i++)
        paths[i] = file;
    ck_assert_fails(FL_E_LIMIT, fl_inputs_list(&inputs, paths, 4097, &arena, &err));
    ck_assert_str_eq(err.message, "more than 4096 input files");
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    const char *paths[] = {folder.path};
    fl_folder_write(&folder, "a.json", SLICE("1"));
    for (long allowed = 0;; allowed++) {
        fl_slice out;
        fl_mem_fail_after(allowed);
        fl_status status = fl_inputs_list(&inputs, paths, 1, &arena, NULL);
        if (status == FL_OK)
            status = fl_inputs_read(&out, inputs.items[0].path, 1 << 20, &arena, NULL);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&arena);
        if (status == FL_OK)
            break;
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_int_lt(allowed, 100);
    }
}
END_TEST

static Suite *inputs_suite(void)
{
    Suite *suite = suite_create("pipeline/inputs");
    TCase *cases = tcase_create("inputs");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_folders_candidates_are_listed_in_order);
    tcase_add_test(cases, a_file_given_by_name_is_taken_whatever_it_is_called);
    tcase_add_test(cases, a_path_given_twice_is_listed_once);
    tcase_add_test(cases, no_path_is_no_input);
    tcase_add_test(cases, a_whole_file_is_read_compressed_or_not);
    tcase_add_test(cases, more_files_than_the_limit_are_refused);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(inputs_suite)
