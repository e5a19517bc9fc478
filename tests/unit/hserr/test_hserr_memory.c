#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "crash_findings.h"
#include "crash_run.h"
#include "fl_file.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "hserr.h"

#define FIXTURE(name) FL_SOURCE_DIR "/tests/fixtures/hserr/" name ".log.zst"
#define HEAD          "# A fatal error has been detected by the Java Runtime Environment:\n#\n\n"

static fl_error err;
static fl_arena arena;
static fl_crash crash;
static fl_crash_report report;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(32 << 20);
}

static void teardown(void)
{
    fl_arena_dispose(&arena);
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

static void run(const char *path)
{
    const fl_crash_request request = {.path = path};
    ck_assert_ok(fl_crash_run(&report, &request, &arena, &err));
    ck_assert(report.crash.is_whole);
    ck_assert_uint_eq(report.warning_count, 0);
}

/* Reports that the virtual machines of Temurin and Debian wrote; the numbers are those of grep. */
static const struct {
    const char *path, *verdict, *thread_name, *thread_state, *largest;
    fl_crash_cause cause;
    uint64_t java, other, reserved_kb, committed_kb, largest_kb, asked_bytes, sender;
    size_t categories;
} reports[] = {
    {FIXTURE("memory11"), "the machine had no memory for the virtual machine", "main", "in_vm",
     "Java Heap", FL_CRASH_OUT_OF_MEMORY, 10, 8, 3541520, 881972, 795648, 32768, 0, 15},
    {FIXTURE("memory17"), "the machine had no memory for the virtual machine", "VM Thread", NULL,
     "Java Heap", FL_CRASH_OUT_OF_MEMORY, 12, 8, 3614755, 1038507, 964608, 10289152, 0, 18},
    {FIXTURE("memory21"), "the machine had no memory for the virtual machine", "VM Thread", NULL,
     "Java Heap", FL_CRASH_OUT_OF_MEMORY, 11, 8, 3563502, 1199870, 1127424, 5799936, 0, 19},
    {FIXTURE("memory25"), "the machine had no memory for the virtual machine", "main", "in_vm",
     "Java Heap", FL_CRASH_OUT_OF_MEMORY, 11, 8, 3578046, 879242, 798720, 16384, 0, 19},
    {FIXTURE("java-heap11"), "the Java heap was full", "main", "in_vm", "Java Heap",
     FL_CRASH_JAVA_MEMORY, 10, 8, 1435413, 125737, 65536, 0, 0, 15},
    {FIXTURE("java-heap21"), "the Java heap was full", "main", "in_vm", "Java Heap",
     FL_CRASH_JAVA_MEMORY, 11, 8, 1493658, 125758, 65536, 0, 0, 19},
    {FIXTURE("killed21"), "another process sent a signal", NULL, NULL, NULL, FL_CRASH_SIGNAL, 0, 0,
     0, 0, 0, 0, 23719, 0},
    {FIXTURE("java11"), "the virtual machine", "main", "in_vm", NULL, FL_CRASH_SIGNAL, 10, 7, 0, 0,
     0, 0, 0, 0},
    {FIXTURE("java21"), "the virtual machine", "main", "in_vm", NULL, FL_CRASH_SIGNAL, 11, 7, 0, 0,
     0, 0, 0, 0},
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

START_TEST(real_reports_say_what_ran_out_and_who_had_it)
{
    run(reports[_i].path);
    const fl_crash *c = &report.crash;
    const fl_crash_category *most = NULL;
    uint64_t states = 0;
    ck_assert_str_eq(report.verdict, reports[_i].verdict);
    ck_assert_int_eq(c->cause, reports[_i].cause);
    check_text(c->thread_name, reports[_i].thread_name);
    check_text(c->thread_state, reports[_i].thread_state);
    ck_assert_uint_eq(c->java_threads, reports[_i].java);
    ck_assert_uint_eq(c->other_threads, reports[_i].other);
    ck_assert_uint_eq(c->reserved_bytes, reports[_i].reserved_kb << 10);
    ck_assert_uint_eq(c->committed_bytes, reports[_i].committed_kb << 10);
    ck_assert_uint_eq(c->category_count, reports[_i].categories);
    ck_assert_uint_eq(c->memory_bytes, reports[_i].asked_bytes);
    ck_assert_uint_eq(c->sender_pid, reports[_i].sender);
    for (size_t i = 0; i < c->category_count; i++)
        if (most == NULL || c->categories[i].committed_bytes > most->committed_bytes)
            most = &c->categories[i];
    check_text(most != NULL ? most->name : NULL, reports[_i].largest);
    ck_assert(most == NULL || most->committed_bytes == reports[_i].largest_kb << 10);
    for (size_t i = 0; i < c->thread_state_count; i++)
        states += c->thread_states[i].count;
    ck_assert_uint_eq(states, c->java_threads);
    if (c->memory_call != NULL) {
        ck_assert_str_eq(c->memory_call, "mmap");
        ck_assert_str_eq(c->memory_for, "committing reserved memory");
        ck_assert_ptr_nonnull(strstr(report.meaning, "Java Heap has most"));
    }
}
END_TEST

/* Lines that are odd, cut or hostile: what can be read of them. */
static const struct {
    const char *lines;
    size_t categories;
    uint64_t committed, reserved;
} trackings[] = {
    {"-  Java Heap (reserved=4KB, committed=2KB)", 0, 0, 0}, /* not tracked */
    {"Native Memory Tracking:\n\nTotal: reserved=8, committed=4\n-  a - b (reserved=4, "
     "committed=2)",
     1, 4, 8},
    {"Native Memory Tracking:\n\nTotal: reserved=1GB, committed=1MB\n- x (reserved=1GB, committed="
     "1MB)",
     1, 1 << 20, 1 << 30},
    {"Native Memory Tracking:\n- x (reserved=99999999999999999999KB, committed=1KB)", 0, 0, 0},
    {"Native Memory Tracking:\n- x (reserved=18446744073709551615GB, committed=1KB)", 0, 0, 0},
    {"Native Memory Tracking:\n- x (reserved=1KB)\n- (reserved=, committed=)\n-", 0, 0, 0},
    /* a total that is less than one of its parts, or half a line */
    {"Native Memory Tracking:\n\nTotal: reserved=8, committed=1\n- x (reserved=4, committed=2)", 1,
     0, 0},
    {"Native Memory Tracking:\n\nTotal: reserved=8, commit\n- x (reserved=4, committed=2)", 1, 0,
     0},
    {"Native Memory Tracking:\n\n---------------  S Y S T E M\n- x (reserved=1KB, committed=1KB)",
     0, 0, 0},
};

START_TEST(odd_lines_of_native_memory_are_passed_over)
{
    char text[1024];
    snprintf(text, sizeof(text), HEAD "%s\n\nEND.\n", trackings[_i].lines);
    ck_assert_ok(read_text(fl_slice_of(text)));
    ck_assert_uint_eq(crash.category_count, trackings[_i].categories);
    ck_assert_uint_eq(crash.committed_bytes, trackings[_i].committed);
    ck_assert_uint_eq(crash.reserved_bytes, trackings[_i].reserved);
    ck_assert(crash.is_whole);
}
END_TEST

START_TEST(categories_states_and_limits_beyond_their_number_are_left_out)
{
    fl_buf text = fl_buf_of(1 << 20);
    fl_buf_text(&text, HEAD "Java Threads: ( => current thread )\n");
    for (int i = 0; i < 100; i++)
        fl_buf_printf(&text, "  0x00007fa0bc0f2000 JavaThread \"t%d\" [_thread_s%d, id=1]\n", i, i);
    fl_buf_text(&text, "\nNative Memory Tracking:\n");
    for (int i = 0; i < 100; i++)
        fl_buf_printf(&text, "- c%d (reserved=2KB, committed=1KB)\n", i);
    fl_buf_text(&text, "\n----- S Y S T E M\n");
    for (int i = 0; i < 100; i++)
        fl_buf_text(&text, "memory_limit_in_bytes: 1\n");
    ck_assert_ok(read_text(fl_buf_slice(&text)));
    ck_assert_uint_eq(crash.java_threads, 100);
    ck_assert_uint_eq(crash.thread_state_count, FL_CRASH_MAX_STATES);
    ck_assert_uint_eq(crash.category_count, FL_CRASH_MAX_CATEGORIES);
    ck_assert_uint_eq(crash.limit_count, FL_CRASH_MAX_LIMITS);
    ck_assert_uint_eq(crash.left_out, 100 - FL_CRASH_MAX_CATEGORIES);
    fl_buf_dispose(&text);
}
END_TEST

/* Names of threads are whatever a program likes. */
static const struct {
    const char *line, *name, *state;
} threads[] = {
    {"Current thread (0x1):  JavaThread \"a \"b\" [c\" [_thread_blocked, id=1]", "a \"b",
     "blocked"},
    {"Current thread (0x1):  JavaThread \"x\" daemon [_thread_in_native, id=1]", "x", "in_native"},
    {"Current thread (0x1):  GCTaskThread [stack: 0x1,0x2] [id=1]", NULL, NULL},
    {"Current thread is native thread", NULL, NULL},
    {"Current thread (0x1):  JavaThread \"", NULL, NULL},
};

START_TEST(a_thread_has_its_name_and_state)
{
    char text[512];
    snprintf(text, sizeof(text), HEAD "%s\n\nEND.\n", threads[_i].line);
    ck_assert_ok(read_text(fl_slice_of(text)));
    check_text(crash.thread_name, threads[_i].name);
    check_text(crash.thread_state, threads[_i].state);
    ck_assert_ptr_nonnull(crash.thread);
}
END_TEST

/* Only a signal that was sent has a sender. */
static const struct {
    const char *info;
    uint64_t sender;
    bool is_sent;
} senders[] = {
    {"si_signo: 11 (SIGSEGV), si_code: 0 (SI_USER), si_pid: 17, si_uid: 0", 17, true},
    {"si_signo: 11 (SIGSEGV), si_code: 0 (SI_USER), si_pid: 0, si_uid: 0", 0, true},
    {"si_signo: 6 (SIGABRT), si_code: -6 (SI_TKILL), si_pid: 4711, si_uid: 0", 4711, true},
    {"si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x0", 0, false},
    {"si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_pid: 17", 0, false},
    {"si_code: 0 (SI_USER), si_pid: 99999999999999999999999", 0, true},
};

START_TEST(a_signal_is_told_to_be_sent)
{
    char text[512];
    snprintf(text, sizeof(text), HEAD "siginfo: %s\n\nEND.\n", senders[_i].info);
    ck_assert_ok(read_text(fl_slice_of(text)));
    ck_assert_uint_eq(crash.sender_pid, senders[_i].sender);
    ck_assert_int_eq(crash.is_sent, senders[_i].is_sent);
}
END_TEST

/* As Java 8 to 25 have it, and odd. */
static const struct {
    const char *line, *call, *what_for;
    uint64_t bytes;
} failures[] = {
    {"Native memory allocation (malloc) failed to allocate 32744 bytes for ChunkPool::allocate",
     "malloc", "ChunkPool::allocate", 32744},
    {"Native memory allocation (mmap) failed to map 4096 bytes for committing reserved memory.",
     "mmap", "committing reserved memory", 4096},
    {"Native memory allocation (mmap) failed to map 4096 bytes. Error detail: G1 virtual space",
     "mmap", "G1 virtual space", 4096},
    {"Native memory allocation (malloc) failed to allocate 99999999999999999999 bytes. Error "
     "detail:"
     " ",
     "malloc", NULL, 0},
    {"Native memory allocation (malloc", NULL, NULL, 0},
};

START_TEST(what_could_not_be_had_is_told)
{
    char text[512];
    snprintf(
        text, sizeof(text),
        "# There is insufficient memory for the Java Runtime Environment to continue.\n# %s\n\n"
        "END.\n",
        failures[_i].line);
    ck_assert_ok(read_text(fl_slice_of(text)));
    check_text(crash.memory_call, failures[_i].call);
    check_text(crash.memory_for, failures[_i].what_for);
    ck_assert_uint_eq(crash.memory_bytes, failures[_i].bytes);
    ck_assert_int_eq(crash.cause, FL_CRASH_OUT_OF_MEMORY);
}
END_TEST

START_TEST(what_has_most_of_the_memory_is_evidence)
{
    fl_leak_finding finding;
    bool has = false, found = false;
    run(FIXTURE("java-heap21"));
    ck_assert_ok(fl_crash_finding(&finding, &has, &report.crash, &arena, &err));
    ck_assert(has);
    for (size_t i = 0; i < finding.evidence_count; i++)
        found |= strcmp(finding.evidence[i].text, "native memory: 122 MiB committed, most of it"
                                                  " Java Heap (64 MiB)") == 0;
    ck_assert(found);
}
END_TEST

START_TEST(of_a_total_that_is_not_known_nothing_is_said)
{
    static const char text[] =
        "# There is insufficient memory for the Java Runtime Environment to continue.\n# Native "
        "memory allocation (mmap) failed to map 4096 bytes.\n\n---------------  S Y S T E M\n\n"
        "Native Memory Tracking:\n\nTotal: reserved=8KB, committed=4K\n"
        "-  Thread (reserved=10240KB, committed=5120KB)\n\nEND.\n";
    fl_leak_finding finding;
    bool has = false, found = false;
    fl_folder folder;
    fl_folder_open(&folder);
    run(fl_folder_write(&folder, "hs_err.log", FL_SLICE(text)));
    fl_folder_remove(&folder);
    ck_assert_str_eq(
        report.meaning,
        "the machine, the container or a limit of the process is full, which no OutOfMemoryError"
        " tells; of what the virtual machine counts as its own, Thread has most (5 MiB): fewer"
        " threads, or smaller stacks (-Xss)");
    ck_assert_ok(fl_crash_finding(&finding, &has, &report.crash, &arena, &err));
    ck_assert(has);
    for (size_t i = 0; i < finding.evidence_count; i++)
        found |= strcmp(finding.evidence[i].text, "native memory: most of it Thread (5 MiB)") == 0;
    ck_assert(found);
}
END_TEST

START_TEST(every_prefix_of_a_report_with_native_memory_is_read_or_refused)
{
    fl_bytes bytes = fl_file_read("tests/fixtures/hserr/memory25.log.zst");
    for (size_t len = 0; len <= bytes.len; len += 23) {
        err = (fl_error){0};
        fl_arena_reset(&arena);
        fl_status status = read_text((fl_slice){.ptr = bytes.ptr, .len = len});
        ck_assert(status == FL_OK || status == FL_E_UNSUPPORTED);
    }
    free(bytes.ptr);
}
END_TEST

/* A byte of each line, and then the next. */
START_TEST(flipped_bits_harm_nothing)
{
    fl_bytes bytes = fl_file_read("tests/fixtures/hserr/memory17.log.zst");
    for (size_t at = 0; at < bytes.len; at += 31) {
        bytes.ptr[at] ^= (unsigned char)(1 << at % 8);
        err = (fl_error){0};
        fl_arena_reset(&arena);
        fl_status status = read_text((fl_slice){.ptr = bytes.ptr, .len = bytes.len});
        ck_assert(status == FL_OK || status == FL_E_UNSUPPORTED);
        bytes.ptr[at] ^= (unsigned char)(1 << at % 8);
    }
    free(bytes.ptr);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("hserr_memory");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, real_reports_say_what_ran_out_and_who_had_it, 0,
                        sizeof(reports) / sizeof(reports[0]));
    tcase_add_loop_test(tc, odd_lines_of_native_memory_are_passed_over, 0,
                        sizeof(trackings) / sizeof(trackings[0]));
    tcase_add_test(tc, categories_states_and_limits_beyond_their_number_are_left_out);
    tcase_add_loop_test(tc, a_thread_has_its_name_and_state, 0,
                        sizeof(threads) / sizeof(threads[0]));
    tcase_add_loop_test(tc, a_signal_is_told_to_be_sent, 0, sizeof(senders) / sizeof(senders[0]));
    tcase_add_loop_test(tc, what_could_not_be_had_is_told, 0,
                        sizeof(failures) / sizeof(failures[0]));
    tcase_add_test(tc, what_has_most_of_the_memory_is_evidence);
    tcase_add_test(tc, of_a_total_that_is_not_known_nothing_is_said);
    tcase_add_test(tc, every_prefix_of_a_report_with_native_memory_is_read_or_refused);
    tcase_add_test(tc, flipped_bits_harm_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
