#include <stdio.h>

#include "buf.h"
#include "fl_golden.h"
#include "fl_test.h"
#include "gc_report.h"
#include "gc_run.h"
#include "mem.h"

#define FIXTURE(name) FL_SOURCE_DIR "/tests/fixtures/gclog/" name

static fl_error err;
static fl_arena arena;
static fl_gc_report report;
static fl_signatures *library;
static bool damaged;
static fl_buf page;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(16 << 20);
    page = fl_buf_of(1 << 20);
    ck_assert_ok(fl_signatures_create(&library, &err));
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_signatures_destroy(library);
    fl_buf_dispose(&page);
    fl_arena_dispose(&arena);
}

static fl_status run(const char *const *paths, size_t count)
{
    const fl_gc_request request = {.paths = paths, .count = count, .library = library};
    return fl_gc_run(&report, &damaged, &request, &arena, &err);
}

/* The folder of the tree is not the same everywhere: file names are cut to their ends. */
static void shorten(fl_gc_report *out)
{
    static const char *names[FL_GC_MAX_FILES];
    for (size_t i = 0; i < out->file_count; i++)
        names[i] = strrchr(out->files[i], '/') + 1;
    for (size_t i = 0; i < out->longest_count; i++)
        ((fl_gc_pause *)(uintptr_t)&out->longest[i])->file = strrchr(out->longest[i].file, '/') + 1;
    out->files = names;
}

START_TEST(a_report_reads_as_its_golden_page_and_document)
{
    static const char *const paths[] = {FIXTURE("java8-g1.log"), FIXTURE("java17-serial.log.zst")};
    static const char *const names[] = {"java8-g1", "java17-serial"};
    static const fl_report_style style = {.width = 100};
    char path[128];
    ck_assert_ok(run(&paths[_i], 1));
    ck_assert(!damaged);
    shorten(&report);
    ck_assert_ok(fl_gc_report_text(&page, &report, &style, &err));
    ck_assert_ptr_null(strstr(page.ptr, FL_SOURCE_DIR));
    snprintf(path, sizeof(path), "gclog/%s.page.txt", names[_i]);
    fl_golden_check(path, page.ptr, page.len);
    fl_buf_clear(&page);
    ck_assert_ok(fl_gc_report_json(&page, &report, &err));
    snprintf(path, sizeof(path), "gclog/%s.json", names[_i]);
    fl_golden_check(path, page.ptr, page.len);
}
END_TEST

START_TEST(rotated_files_give_the_same_answer_in_any_order)
{
    static const char *const forward[] = {FIXTURE("java17-serial.log.zst"),
                                          FIXTURE("java17-parallel.log.zst"),
                                          FIXTURE("java25-serial.log.zst")};
    static const char *const shuffled[] = {FIXTURE("java25-serial.log.zst"),
                                           FIXTURE("java17-serial.log.zst"),
                                           FIXTURE("java17-parallel.log.zst")};
    fl_buf first = fl_buf_of(1 << 20);
    ck_assert_ok(run(forward, 3));
    ck_assert_ok(fl_gc_report_json(&first, &report, &err));
    ck_assert_uint_eq(report.restarts, 2);
    ck_assert_ok(run(shuffled, 3));
    ck_assert_ok(fl_gc_report_json(&page, &report, &err));
    ck_assert_str_eq(first.ptr, page.ptr);
    fl_buf_dispose(&first);
}
END_TEST

START_TEST(every_kind_of_trouble_has_a_signature_of_its_name)
{
    static const char *const names[] = {"java-heap-grows",         "java-heap-full",
                                        "java-metaspace-grows",    "java-gc-overhead",
                                        "java-promotion-failure",  "java-concurrent-mode-failure",
                                        "java-evacuation-failure", "java-humongous-storm",
                                        "java-explicit-gc",        "java-allocation-stall"};
    size_t count;
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += strcmp(items[i].name, names[n]) == 0;
        ck_assert_msg(found == 1, "%s", names[n]);
    }
    static const char *const failures[] = {FIXTURE("java8-details.log")};
    ck_assert_ok(run(failures, 1));
    ck_assert_uint_eq(report.verdict.finding_count, 2);
    ck_assert_str_eq(report.verdict.findings[0].signature->name, "java-concurrent-mode-failure");
    ck_assert_str_eq(report.verdict.findings[1].signature->name, "java-promotion-failure");
}
END_TEST

START_TEST(what_is_no_log_is_refused_with_its_name)
{
    static const char *const missing[] = {FIXTURE("none.log")};
    static const char *const none[] = {FL_SOURCE_DIR "/README.md"};
    ck_assert_fails(FL_E_NOTFOUND, run(missing, 1));
    err = (fl_error){0};
    ck_assert_fails(FL_E_UNSUPPORTED, run(none, 1));
    ck_assert_ptr_nonnull(
        strstr(err.message, "no garbage collection log of a Java virtual machine"));
}
END_TEST

/* As after a rotation: the newest has no line yet. */
START_TEST(an_empty_file_beside_a_log_is_a_warning)
{
    static const char *const paths[] = {FIXTURE("java17-serial.log.zst"),
                                        FL_SOURCE_DIR "/tests/fixtures/bounds/empty.log"};
    static const char *const none[] = {FL_SOURCE_DIR "/tests/fixtures/bounds/empty.log",
                                       FL_SOURCE_DIR "/tests/fixtures/bounds/empty.log"};
    ck_assert_ok(run(paths, 2));
    ck_assert(damaged);
    ck_assert_uint_eq(report.verdict.warning_count, 1);
    ck_assert_ptr_nonnull(strstr(report.verdict.warnings[0], "no garbage collection log"));
    ck_assert_fails(FL_E_UNSUPPORTED, run(none, 2));
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    static const char *const paths[] = {FIXTURE("java17-serial.log.zst"), FIXTURE("java8-g1.log")};
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK && n < 2000; n++) {
        err = (fl_error){0};
        fl_arena_dispose(&arena);
        fl_mem_fail_after(n);
        status = run(paths, 2);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
    }
    ck_assert_ok(status);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gc_run");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_report_reads_as_its_golden_page_and_document, 0, 2);
    tcase_add_test(tc, rotated_files_give_the_same_answer_in_any_order);
    tcase_add_test(tc, an_empty_file_beside_a_log_is_a_warning);
    tcase_add_test(tc, every_kind_of_trouble_has_a_signature_of_its_name);
    tcase_add_test(tc, what_is_no_log_is_refused_with_its_name);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
