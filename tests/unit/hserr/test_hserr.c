#include <math.h>
#include <stdio.h>

#include "buf.h"
#include "crash_findings.h"
#include "crash_run.h"
#include "crash_view.h"
#include "fl_file.h"
#include "fl_folder.h"
#include "fl_golden.h"
#include "fl_test.h"
#include "hserr.h"
#include "mem.h"

#define FIXTURE(name) FL_SOURCE_DIR "/tests/fixtures/hserr/" name

static fl_error err;
static fl_arena arena;
static fl_crash crash;
static fl_crash_report report;
static fl_buf page;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(32 << 20);
    page = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_buf_dispose(&page);
}

static fl_status read_text(fl_slice text)
{
    fl_stream *in = NULL;
    fl_status status = fl_stream_over(&in, text, "hs_err", &err);
    if (status == FL_OK)
        status = fl_hserr_read(&crash, in, &arena, &err);
    fl_stream_close(in);
    return status;
}

static fl_status run(const char *path)
{
    const fl_crash_request request = {.path = path};
    return fl_crash_run(&report, &request, &arena, &err);
}

START_TEST(reports_read_as_their_golden_pages_and_documents)
{
    static const char *const paths[] = {FIXTURE("java17.log.zst"),   FIXTURE("java25.log.zst"),
                                        FIXTURE("java8-native.log"), FIXTURE("memory.log"),
                                        FIXTURE("internal.log"),     FIXTURE("memory17.log.zst"),
                                        FIXTURE("killed21.log.zst")};
    static const char *const names[] = {"java17",   "java25",   "java8-native", "memory",
                                        "internal", "memory17", "killed21"};
    static const fl_report_style style = {.width = 100};
    char path[64];
    ck_assert_ok(run(paths[_i]));
    ck_assert_uint_eq(report.warning_count, 0);
    ck_assert_ok(fl_crash_text(&page, &report, &style, &err));
    snprintf(path, sizeof(path), "hserr/%s.txt", names[_i]);
    fl_golden_check(path, page.ptr, page.len);
    fl_buf_clear(&page);
    ck_assert_ok(fl_crash_json(&page, &report, &err));
    snprintf(path, sizeof(path), "hserr/%s.json", names[_i]);
    fl_golden_check(path, page.ptr, page.len);
}
END_TEST

START_TEST(a_crash_of_native_code_names_the_library_and_who_called_it)
{
    ck_assert_ok(run(FIXTURE("java8-native.log")));
    const fl_crash *c = &report.crash;
    ck_assert_str_eq(c->what, "SIGSEGV (0xb)");
    ck_assert_uint_eq(c->pc, 0x00007f3c2c0f1b2a);
    ck_assert_uint_eq(c->pid, 4711);
    ck_assert_uint_eq(c->tid, 0x00007f3c5d1f8700);
    ck_assert_str_eq(c->frame.library, "libimage.so");
    ck_assert_uint_eq(c->frame.offset, 0x1b2a);
    ck_assert_ptr_null(c->frame.symbol);
    ck_assert_str_eq(c->native_frames[1].symbol, "image::operator+(image::Size const&)");
    ck_assert_ptr_null(c->native_frames[2].library);
    ck_assert_str_eq(c->native_frames[2].text, "0x00007f3c2c0f0000");
    ck_assert_str_eq(c->native_frames[3].method,
                     "com.example.image.Scaler.scale(Ljava/nio/ByteBuffer;II)I");
    ck_assert_uint_eq(c->native_count, 8);
    ck_assert_uint_eq(c->java_count, 4);
    ck_assert_str_eq(report.verdict, "native code of libimage.so");
    ck_assert_str_eq(report.called_by, "com.example.image.Scaler.scale(Ljava/nio/ByteBuffer;II)I");
    ck_assert_str_eq(c->command, "com.example.image.Main --port 8080");
    ck_assert_double_eq(c->elapsed_s, 12);
    ck_assert_uint_eq(c->event_count, 2);
    ck_assert_str_eq(c->events[0].name, "Internal exceptions");
    ck_assert(c->is_whole);
}
END_TEST

START_TEST(causes_are_told_apart)
{
    ck_assert_ok(run(FIXTURE("memory.log")));
    ck_assert_int_eq(report.crash.cause, FL_CRASH_OUT_OF_MEMORY);
    ck_assert_str_eq(report.crash.what, "Out of Memory Error (os_linux.cpp:2850)");
    ck_assert_ok(run(FIXTURE("internal.log")));
    ck_assert_int_eq(report.crash.cause, FL_CRASH_INTERNAL);
    ck_assert_str_eq(
        report.crash.detail,
        "guarantee(cb != NULL && cb->is_compiled()) failed: must have a compiled frame");
    ck_assert_str_eq(report.crash.frame.method, "org.example.Loop.run()V");
    ck_assert_ok(run(FIXTURE("java17.log.zst")));
    ck_assert_int_eq(report.crash.cause, FL_CRASH_SIGNAL);
    ck_assert_str_eq(report.called_by, "GcLab.crash()V");
    ck_assert_str_eq(report.crash.frame.symbol, "Unsafe_PutLong");
}
END_TEST

/* The lines of frames that are odd keep their text, and nothing is made up. */
static const struct {
    const char *line, *library, *symbol, *method;
    uint64_t offset;
} frames[] = {
    {"V  [libjvm.so+0x10]  a+b+0x3  (unsafe.cpp:12)", "libjvm.so", "a+b", NULL, 0x10},
    {"C  [libstdc++.so.6+0xff]", "libstdc++.so.6", NULL, NULL, 0xff},
    {"C  [lib+0xzz]  f+0x1", NULL, NULL, NULL, 0},
    {"C  [lib+0x11111111111111111]", NULL, NULL, NULL, 0},
    {"C  [lib]  f", NULL, NULL, NULL, 0},
    {"C  [lib+0x1", NULL, NULL, NULL, 0},
    {"v  ~StubRoutines::call_stub", NULL, NULL, NULL, 0},
    {"j  a.B.c(I)V+12 mod@1", NULL, NULL, "a.B.c(I)V", 0},
    {"j  a.B.<init>()V+0", NULL, NULL, "a.B.<init>()V", 0},
    {"J 5 % ! c2 a.B.c()V (3 bytes) @ 0x1 [0x0+0x1]", NULL, NULL, "a.B.c()V", 0},
    {"J  no method here", NULL, NULL, NULL, 0},
    {"j  ()", NULL, NULL, NULL, 0},
};

static void check_text(const char *found, const char *expected)
{
    if (expected == NULL)
        ck_assert_ptr_null(found);
    else {
        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(found, expected);
    }
}

START_TEST(a_frame_says_what_it_can)
{
    char text[512];
    snprintf(text, sizeof(text),
             "# A fatal error has been detected by the Java Runtime Environment:\n#\n\n"
             "Native frames: (J=compiled)\n%s\n\nEND.\n",
             frames[_i].line);
    ck_assert_ok(read_text(SLICE(text)));
    ck_assert_uint_eq(crash.native_count, 1);
    const fl_crash_frame *f = &crash.native_frames[0];
    ck_assert_int_eq(f->kind, frames[_i].line[0]);
    check_text(f->library, frames[_i].library);
    check_text(f->symbol, frames[_i].symbol);
    check_text(f->method, frames[_i].method);
    ck_assert_uint_eq(f->offset, frames[_i].offset);
}
END_TEST

START_TEST(what_is_beyond_the_limits_is_counted)
{
    page.max_bytes = 8 << 20;
    fl_buf_text(
        &page,
        "# A fatal error has been detected by the Java Runtime Environment:\n\nNative frames: (\n");
    for (int i = 0; i < 1000; i++)
        fl_buf_text(&page, "j  a.B.c()V+1\n");
    fl_buf_text(&page, "\nHeap:\n");
    for (int i = 0; i < 1000; i++)
        fl_buf_text(&page, " region\n");
    for (int i = 0; i < 30; i++)
        fl_buf_printf(
            &page,
            "\nLog %d (7 events):\nEvent: 1\nEvent: 2\nEvent: 3\nEvent: 4\nEvent: 5\nEvent: 6\n",
            i);
    ck_assert_ok(read_text(fl_buf_slice(&page)));
    ck_assert_uint_eq(crash.native_count, FL_CRASH_MAX_FRAMES);
    ck_assert_uint_eq(crash.event_count, FL_CRASH_MAX_EVENTS);
    ck_assert_uint_eq(crash.events[0].count, FL_CRASH_LAST_EVENTS);
    ck_assert_str_eq(crash.events[0].last[0], "2");
    ck_assert_uint_eq(crash.left_out,
                      1000 - FL_CRASH_MAX_FRAMES + 1000 - 64 + 30 - FL_CRASH_MAX_EVENTS);
    ck_assert(!crash.is_whole);
}
END_TEST

START_TEST(what_is_no_report_is_refused)
{
    ck_assert_fails(FL_E_UNSUPPORTED, read_text(SLICE("hello\n# a comment\n")));
    ck_assert_str_eq(err.message, "no crash report of a Java virtual machine");
    err = (fl_error){0};
    ck_assert_fails(FL_E_UNSUPPORTED, read_text(SLICE("")));
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, run(FIXTURE("none.log")));
    ck_assert(!fl_hserr_sniff(SLICE("# Something else\n")));
    ck_assert(fl_hserr_sniff(SLICE(
        "#\n# There is insufficient memory for the Java Runtime Environment to continue.\n")));
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    fl_bytes bytes = fl_file_read("tests/fixtures/hserr/java8-native.log");
    for (size_t len = 0; len <= bytes.len; len++) {
        err = (fl_error){0};
        fl_arena_reset(&arena);
        fl_status status = read_text((fl_slice){.ptr = bytes.ptr, .len = len});
        ck_assert(status == FL_OK || status == FL_E_UNSUPPORTED);
        ck_assert(status != FL_OK || crash.native_count <= 8);
    }
    ck_assert(crash.is_whole);
    free(bytes.ptr);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK && n < 1000; n++) {
        err = (fl_error){0};
        fl_arena_dispose(&arena);
        fl_mem_fail_after(n);
        status = run(FIXTURE("java8-native.log"));
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
    }
    ck_assert_ok(status);
    for (size_t room = 0; room < 64; room++) {
        err = (fl_error){0};
        fl_arena_dispose(&arena);
        arena = fl_arena_of(room << 11);
        status = run(FIXTURE("java8-native.log"));
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
}
END_TEST

/* A program under the name that a report has: 0x405ab4 is in runtime.debugCallCheck, as the tests
 * of symbols know; of a caller the byte before is asked for. */
START_TEST(functions_of_a_given_binary_name_frames_without_a_symbol)
{
    static const char text[] =
        "# A fatal error has been detected by the Java Runtime Environment:\n#\n"
        "# Problematic frame:\n# C  [libgo.so+0x405ab4]\n#\n\n"
        "Native frames: (C=native code)\nC  [libgo.so+0x405ab4]\nC  [libgo.so+0x4061e1]\n"
        "C  [libgo.so+0x405ab4]  own+0x1\nC  [libother.so+0x405ab4]\n\nEND.\n";
    fl_folder folder;
    fl_folder_open(&folder);
    fl_bytes elf = fl_file_read("tests/fixtures/symbol/go119.elf.zst");
    char binary[512];
    snprintf(
        binary, sizeof(binary), "%s",
        fl_folder_write(&folder, "libgo.so.debug", (fl_slice){.ptr = elf.ptr, .len = elf.len}));
    const char *binaries[] = {binary};
    const fl_crash_request request = {.path = fl_folder_write(&folder, "hs_err", SLICE(text)),
                                      .binaries = binaries,
                                      .binary_count = 1};
    ck_assert_ok(fl_crash_run(&report, &request, &arena, &err));
    const fl_crash *c = &report.crash;
    ck_assert_str_eq(c->frame.symbol, "runtime.debugCallCheck");
    ck_assert(c->frame.is_looked_up && c->native_frames[0].is_looked_up);
    ck_assert_str_eq(c->native_frames[0].symbol, "runtime.debugCallCheck");
    ck_assert_str_eq(c->native_frames[1].symbol, "runtime.debugCallWrap1.func1");
    ck_assert_str_eq(c->native_frames[2].symbol, "own");
    ck_assert(!c->native_frames[2].is_looked_up);
    ck_assert_ptr_null(c->native_frames[3].symbol);
    binaries[0] = FIXTURE("none.so");
    ck_assert_fails(FL_E_NOTFOUND, fl_crash_run(&report, &request, &arena, &err));
    fl_folder_remove(&folder);
    free(elf.ptr);
}
END_TEST

static const char shapes[] =
    "# A fatal error has been detected by the Java Runtime Environment:\n#\n"
    "# Problematic frame:\n# C  [libshapes.so+0x418]\n#\n\n"
    "Native frames: (C=native code)\nC  [libshapes.so+0x418]\nC  [libshapes.so+0x419]  own+0x1\n"
    "C  [libnone.so+0x418]\n\nEND.\n";

/* By the folder, and by the file under the library's name. */
START_TEST(dwarf_of_a_library_tells_lines_and_inlined_calls)
{
    fl_folder folder;
    fl_folder_open(&folder);
    fl_bytes elf = fl_file_read("tests/fixtures/symbol/dwarf-gcc5z.so.zst");
    const char *binaries[] = {fl_folder_write(&folder, "libshapes.so", fl_bytes_slice(elf))};
    const fl_crash_request request = {.path = fl_folder_write(&folder, "hs_err", SLICE(shapes)),
                                      .binaries = binaries,
                                      .binary_count = _i == 0,
                                      .symbols_folder = _i == 1 ? folder.path : NULL};
    ck_assert_ok(fl_crash_run(&report, &request, &arena, &err));
    const fl_crash_frame *native = report.crash.native_frames;
    ck_assert_str_eq(report.crash.frame.symbol, "geo::(anonymous)::hidden");
    ck_assert_str_eq(native[0].source, "shapes.cpp:20");
    ck_assert_uint_eq(native[0].inlined_count, 1);
    ck_assert_str_eq(native[0].inlined[0], "geo::clamp (shapes.cpp:15)");
    ck_assert_str_eq(native[1].symbol, "own");
    ck_assert_str_eq(native[1].source, "shapes.cpp:20");
    ck_assert(!native[1].is_looked_up);
    ck_assert_ptr_null(native[2].symbol);
    static const fl_report_style style = {.width = 100};
    ck_assert_ok(fl_crash_text(&page, &report, &style, &err));
    ck_assert_ptr_nonnull(strstr(page.ptr, "  C  inlined: geo::clamp (shapes.cpp:15)\n"
                                           "  C  libshapes.so+0x418  geo::(anonymous)::hidden"
                                           " (shapes.cpp:20) (looked up)\n"));
    fl_folder_remove(&folder);
    free(elf.ptr);
}
END_TEST

/* Texts of what a report says of memory, one a line; empty: nothing to find. */
static const struct {
    const char *body, *evidence;
} memories[] = {
    {"#  Internal Error (debug.cpp:362), pid=1, tid=2\n#  fatal error: OutOfMemory encountered: "
     "Java"
     " heap space\n#\n\nJava Threads: ( => current thread )\n=>0x1 JavaThread \"main\" [x]\n"
     "  0x2 JavaThread \"other\" daemon [x]\n\nHeap:\n garbage-first heap   total 24576K, used"
     " 21516K\n\n",
     "fatal error: OutOfMemory encountered: Java heap space\nthe heap at the crash: garbage-first "
     "heap   total 24576K, used 21516K\n2 Java threads at the crash\n"},
    {"#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=2\n#\n\nOutOfMemory and StackOverflow Exception "
     "counts:\nOutOfMemoryError java_heap_errors=3\nOutOfMemoryError odd\nLinkageErrors=4\n\n",
     "errors thrown before, by kind: java_heap_errors=3\n"},
    {"#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=2\n#\n\nInternal exceptions (2 events):\n"
     "Event: 1.0 Thread 0x1 Exception <a 'java/lang/OutOfMemoryError'> thrown\n"
     "Event: 2.0 Thread 0x1 Exception <a 'java/lang/Other'> thrown\n\n",
     "among the last events: 1.0 Thread 0x1 Exception <a 'java/lang/OutOfMemoryError'> thrown\n"},
    {"#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=2\n#\n\nHeap:\n garbage-first heap   total 1K\n\n",
     ""},
};

START_TEST(what_a_report_says_of_memory_is_a_finding)
{
    fl_leak_finding finding;
    bool has = false;
    char text[2048];
    snprintf(text, sizeof(text),
             "# A fatal error has been detected by the Java Runtime Environment:\n#\n%sEND.\n",
             memories[_i].body);
    ck_assert_ok(read_text(fl_slice_of(text)));
    ck_assert_ok(fl_crash_finding(&finding, &has, &crash, &arena, &err));
    ck_assert_int_eq(has, memories[_i].evidence[0] != '\0');
    for (size_t i = 0; i < finding.evidence_count; i++)
        fl_buf_printf(&page, "%s\n", finding.evidence[i].text);
    ck_assert_str_eq(page.ptr != NULL ? page.ptr : "", memories[_i].evidence);
    ck_assert_int_eq(finding.verdict, FL_LEAK_CRASH);
    fl_arena none = fl_arena_of(16);
    ck_assert_fails(FL_E_NOMEM, fl_crash_finding(&finding, &has, &crash, &none, &err));
    fl_arena_dispose(&none);
}
END_TEST

/* The library's classes as if they had been made short. */
static const char short_names[] = "org.acme.Scaler -> com.example.image.Scaler:\n"
                                  "    1:9:int resize(java.nio.ByteBuffer,int,int):3:11 -> scale\n"
                                  "    1:9:long other(int) -> scale\n"
                                  "    odd\n";

START_TEST(a_mapping_names_java_frames_and_who_called)
{
    fl_folder folder;
    char path[512];
    fl_folder_open(&folder);
    fl_folder_write(&folder, "mapping.txt", fl_slice_of(short_names));
    snprintf(path, sizeof(path), "%s/mapping.txt", folder.path);
    const fl_crash_request request = {.path = FIXTURE("java8-native.log"), .mapping = path};
    ck_assert_ok(fl_crash_run(&report, &request, &arena, &err));
    ck_assert_str_eq(report.called_by, "org.acme.Scaler.resize(java.nio.ByteBuffer,int,int)");
    ck_assert_str_eq(report.crash.native_frames[3].plain, report.called_by);
    ck_assert_str_eq(report.crash.native_frames[3].method,
                     "com.example.image.Scaler.scale(Ljava/nio/ByteBuffer;II)I");
    ck_assert_uint_eq(report.warning_count, 1);
    ck_assert_str_eq(report.warnings[0],
                     "1 line of the mapping was not understood, the first is line 4");
    fl_folder_remove(&folder);
}
END_TEST

START_TEST(with_a_mapping_a_text_with_a_trace_is_answered_with_its_names)
{
    static const char *const bad[] = {"hello\n", ""};
    fl_folder folder;
    char mapping[512], text[512];
    fl_folder_open(&folder);
    snprintf(mapping, sizeof(mapping), "%s/mapping.txt", folder.path);
    snprintf(text, sizeof(text), "%s/trace.txt", folder.path);
    fl_folder_write(&folder, "mapping.txt", fl_slice_of(short_names));
    fl_folder_write(&folder, "trace.txt",
                    FL_SLICE("x\n\tat com.example.image.Scaler.scale(S:3)\nno end"));
    const fl_crash_request request = {.path = text, .mapping = mapping};
    ck_assert_ok(fl_crash_run(&report, &request, &arena, &err));
    ck_assert(fl_slice_equal(report.retraced,
                             FL_SLICE("x\n\tat org.acme.Scaler.resize(Scaler.java:5)\n"
                                      "\t<or> at org.acme.Scaler.other(Scaler.java:3)\nno end")));
    for (size_t i = 0; i < 2; i++) {
        err = (fl_error){0};
        fl_folder_write(&folder, "trace.txt", fl_slice_of(bad[i]));
        ck_assert_fails(FL_E_UNSUPPORTED, fl_crash_run(&report, &request, &arena, &err));
        ck_assert_ptr_nonnull(strstr(err.message, "neither a crash report of a Java virtual machine"
                                                  " nor a stack trace"));
    }
    fl_folder_remove(&folder);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("hserr");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, reports_read_as_their_golden_pages_and_documents, 0, 7);
    tcase_add_test(tc, a_crash_of_native_code_names_the_library_and_who_called_it);
    tcase_add_test(tc, causes_are_told_apart);
    tcase_add_loop_test(tc, a_frame_says_what_it_can, 0, sizeof(frames) / sizeof(frames[0]));
    tcase_add_test(tc, what_is_beyond_the_limits_is_counted);
    tcase_add_test(tc, what_is_no_report_is_refused);
    tcase_add_test(tc, every_prefix_is_read_or_refused);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_test(tc, functions_of_a_given_binary_name_frames_without_a_symbol);
    tcase_add_loop_test(tc, dwarf_of_a_library_tells_lines_and_inlined_calls, 0, 2);
    tcase_add_loop_test(tc, what_a_report_says_of_memory_is_a_finding, 0,
                        sizeof(memories) / sizeof(memories[0]));
    tcase_add_test(tc, a_mapping_names_java_frames_and_who_called);
    tcase_add_test(tc, with_a_mapping_a_text_with_a_trace_is_answered_with_its_names);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
