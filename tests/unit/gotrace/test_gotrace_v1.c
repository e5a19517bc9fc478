#include <stdio.h>
#include <stdlib.h>

#include "faultline/limits.h"
#include "fl_gotrace_maker.h"
#include "fl_gotrace_told.h"
#include "gotrace.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_gotrace *trace;
static fl_gotrace_maker maker;
static fl_told said;

static void setup(void)
{
    err = (fl_error){0};
    trace = NULL;
    said = (fl_told){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_gotrace_destroy(trace);
}

static fl_status read_bytes(fl_slice bytes)
{
    return fl_told_read(&said, &trace, bytes, &err);
}

static fl_status read_made(void)
{
    return read_bytes(fl_made(&maker));
}

/* ---- small traces ---- */

START_TEST(what_was_there_before_is_told_as_of_before)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD);
    const fl_gotrace_info *info = fl_gotrace_info_of(trace);
    ck_assert_uint_eq(info->version, 19);
    ck_assert_uint_eq(info->generations, 1);
    ck_assert_int_eq(info->broken.status, FL_OK);
    ck_assert_int_eq(info->clock_to_wall_ns, 0);
    ck_assert(!info->nameless);
}
END_TEST

START_TEST(each_version_since_functions_have_names_is_read)
{
    static const unsigned versions[] = {7, 8, 9, 10, 11, 19, 21};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        fl_make_v1_begin(&maker, versions[i]);
        fl_make_v1_end(&maker);
        ck_assert_ok(read_made());
        ck_assert_uint_eq(fl_gotrace_info_of(trace)->version, versions[i]);
    }
}
END_TEST

/* The reasons of one kind of event each, on one goroutine that is woken again. */
START_TEST(kinds_of_blocking_get_the_words_of_later_formats)
{
    static const struct {
        int kind;
        const char *word;
    } cases[] = {
        {16, "forever"},
        {19, "sleep"},
        {20, ""},
        {22, "chan send"},
        {23, "chan receive"},
        {24, "select"},
        {25, "sync"},
        {26, "sync.(*Cond).Wait"},
        {27, "network"},
        {42, "GC mark assist wait for work"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[1024];
        fl_make_v1_begin(&maker, 11);
        fl_make_v1(&maker, cases[i].kind, 10, 2, -1);
        fl_make_v1(&maker, 21, 10, 1, 2, 2, -1);
        fl_make_v1(&maker, 38, 10, 1, -1);
        fl_make_v1_end(&maker);
        ck_assert_ok(read_made());
        snprintf(expected, sizeof(expected),
                 FL_V1_BEGIN_TOLD "14 go-running>waiting 1 1 %s main.work\n"
                                  "24 go-waiting>runnable 0 1  main.work\n"
                                  "34 go-runnable>running 0 1  \n",
                 cases[i].word);
        ck_assert_str_eq(said.text, expected);
    }
}
END_TEST

/* Created, started with a label, yielding, ending. */
START_TEST(goroutines_come_and_go)
{
    fl_make_v1_begin(&maker, 21);
    fl_make_v1(&maker, 13, 10, 7, 2, 1, -1);
    fl_make_v1(&maker, 17, 10, 1, -1);
    fl_make_v1(&maker, 41, 10, 7, 1, 4, -1);
    fl_make_v1(&maker, 18, 10, 2, -1);
    fl_make_v1(&maker, 38, 10, 7, -1);
    fl_make_v1(&maker, 36, 10, -1);
    fl_make_v1(&maker, 15, 10, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text,
                     FL_V1_BEGIN_TOLD "14 go-nowhere>runnable 1 7  main.main\n"
                                      "24 go-running>runnable 1 1 runtime.Gosched main.main\n"
                                      "34 go-runnable>running 0 7  \n"
                                      "34 label 7 0 GC (idle) \n"
                                      "44 go-running>runnable 7 7 preempted main.work\n"
                                      "54 go-runnable>running 0 7  \n"
                                      "74 go-running>nowhere 7 7  \n");
}
END_TEST

/* Goroutine 1 calls twice; the second call blocks from 40 on and is over at 200, but goroutine 1
 * goes on only at 414, on the other processor. */
START_TEST(a_call_ends_when_it_did_and_not_when_that_was_recorded)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 28, 10, 1, -1);
    fl_make_v1(&maker, 33, 10, 4096, -1);
    fl_make_v1(&maker, 28, 10, 2, -1);
    fl_make_v1(&maker, 30, 6, -1);
    fl_make_v1(&maker, 6, 4, -1);
    fl_make_v1_batch(&maker, 1, 1300);
    fl_make_v1(&maker, 5, 13, 78, -1);
    fl_make_v1(&maker, 14, 10, 3, 1, -1);
    fl_make_v1(&maker, 15, 10, -1);
    fl_make_v1(&maker, 29, 80, 1, 2, 1199, -1);
    fl_make_v1(&maker, 38, 0, 1, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD "14 go-running>syscall 1 1  main.main\n"
                                                 "14 go-syscall>running 1 1  \n"
                                                 "24 heap-live 1 0  \n"
                                                 "34 go-running>syscall 1 1  main.work\n"
                                                 "44 proc-running>idle 0 0  \n"
                                                 "200 go-syscall>runnable 1 1  \n"
                                                 "314 proc-idle>running 0 0  \n"
                                                 "324 go-runnable>running 0 3  \n"
                                                 "334 go-running>nowhere 3 3  \n"
                                                 "414 go-runnable>running 0 1  \n");
}
END_TEST

/* The same without the time, and one that was under way before the trace. */
START_TEST(a_call_of_unknown_end_ends_when_its_goroutine_goes_on)
{
    fl_make_header(&maker, 19);
    fl_make_v1_batch(&maker, 0, 1000);
    fl_make_v1(&maker, 13, 0, 2, 2, 0, -1);
    fl_make_v1(&maker, 32, 0, 2, -1);
    fl_make_v1(&maker, 5, 1, 77, -1);
    fl_make_v1(&maker, 4, 1, 1, 0, -1);
    fl_make_v1(&maker, 40, 10, 2, 0, -1);
    fl_make_v1(&maker, 38, 10, 2, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text, "1 sync 0 0  \n"
                                "1 go-unknown>syscall 0 2  main.work\n"
                                "2 proc-unknown>running 0 0  \n"
                                "3 procs 0 0  \n"
                                "13 go-syscall>runnable 2 2  \n"
                                "23 go-runnable>running 0 2  \n");
}
END_TEST

/* What the batch of processor 1 has comes first, whatever its clock says: 1 is unblocked there. */
START_TEST(what_is_possible_decides_and_not_the_clock)
{
    fl_make_v1_begin(&maker, 11);
    fl_make_v1(&maker, 23, 100, 2, -1);
    fl_make_v1(&maker, 14, 1, 1, 3, -1);
    fl_make_v1_batch(&maker, 1, 1200);
    fl_make_v1(&maker, 5, 1, 78, -1);
    fl_make_v1(&maker, 14, 1, 3, 1, -1);
    fl_make_v1(&maker, 21, 1, 1, 2, 1, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text,
                     FL_V1_BEGIN_TOLD "104 go-running>waiting 1 1 chan receive main.work\n"
                                      "202 proc-idle>running 0 0  \n"
                                      "203 go-runnable>running 0 3  \n"
                                      "204 go-waiting>runnable 3 1  main.main\n"
                                      "204 go-runnable>running 0 1  \n");
}
END_TEST

/* A batch that comes late in the trace is of an early time. */
START_TEST(batches_are_told_by_time_and_not_by_place)
{
    fl_make_v1_begin(&maker, 11);
    fl_make_v1(&maker, 34, 100, 3, -1);
    fl_make_v1_batch(&maker, 0, 1500);
    fl_make_v1(&maker, 33, 0, 2, -1);
    fl_make_v1_batch(&maker, 1, 1050);
    fl_make_v1(&maker, 33, 0, 1, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD "51 heap-live 0 0  \n"
                                                 "104 heap-goal 1 0  \n"
                                                 "501 heap-live 1 0  \n");
}
END_TEST

START_TEST(collections_and_stops_are_spans)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 9, 10, 1, -1);
    fl_make_v1(&maker, 7, 10, 0, 2, -1);
    fl_make_v1(&maker, 10, 10, -1);
    fl_make_v1(&maker, 43, 10, 2, -1);
    fl_make_v1(&maker, 44, 10, -1);
    fl_make_v1(&maker, 11, 10, 1, -1);
    fl_make_v1(&maker, 12, 10, 8192, 0, -1);
    fl_make_v1(&maker, 8, 10, -1);
    fl_make_v1(&maker, 7, 10, 1, 0, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD "14 begin-stw 1 0 GC sweep termination \n"
                                                 "24 begin-mark 1 0  main.work\n"
                                                 "34 end-stw 1 0 GC sweep termination \n"
                                                 "44 begin-assist 1 0  main.work\n"
                                                 "54 end-assist 1 0  \n"
                                                 "64 begin-sweep 1 0  main.main\n"
                                                 "74 end-sweep 1 0  \n"
                                                 "84 end-mark 1 0  \n"
                                                 "94 begin-mark 1 0  \n");
}
END_TEST

/* Numbers of 1.21 are others than before; to 1.9 there were none. */
START_TEST(what_the_world_is_stopped_for_is_named_by_version)
{
    static const struct {
        unsigned minor;
        int why;
        const char *name;
    } cases[] = {
        {11, 0, "GC mark termination"},
        {19, 1, "GC sweep termination"},
        {21, 1, "GC mark termination"},
        {21, 7, "read mem stats"},
        {21, 99, "unknown"},
        {9, -1, "GC mark termination"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[64];
        fl_make_v1_begin(&maker, cases[i].minor);
        fl_make_v1(&maker, 9, 10, cases[i].why, -1);
        fl_make_v1_end(&maker);
        ck_assert_ok(read_made());
        snprintf(expected, sizeof(expected), "14 begin-stw 1 0 %s \n", cases[i].name);
        ck_assert_ptr_nonnull(strstr(said.text, expected));
    }
}
END_TEST

START_TEST(what_programs_note_is_told)
{
    fl_make_v1_begin(&maker, 11);
    fl_make_v1(&maker, 45, 10, 5, 0, 1, 2, -1);
    fl_make_v1(&maker, 47, 10, 5, 0, 3, 1, -1);
    fl_make_v1(&maker, 48, 10, 5, 1, 1, -1);
    fl_make_v1_text(&maker, "hello");
    fl_make_v1(&maker, 47, 10, 5, 1, 3, 1, -1);
    fl_make_v1(&maker, 46, 10, 5, 2, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD "14 task-begin 1 0 main.work main.work\n"
                                                 "24 region-begin 1 0 main.main main.main\n"
                                                 "34 log 1 0 hello main.main\n"
                                                 "44 region-end 1 0 main.main main.main\n"
                                                 "54 task-end 1 0  main.work\n");
}
END_TEST

/* Written by another goroutine, later than they were taken, and in no order. */
START_TEST(samples_are_told_by_their_time)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 33, 100, 9, -1);
    fl_make_v1_batch(&maker, UINT64_MAX, 4000);
    fl_make_v1(&maker, 49, 0, 1060, 0, 1, 2, -1);
    fl_make_v1(&maker, 49, 0, 1050, 0, 99, 1, -1);
    fl_make_v1(&maker, 49, 0, 9000, 1, 0, 0, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD "51 sample 0 0  main.main\n"
                                                 "61 sample 1 0  main.work\n"
                                                 "104 heap-live 1 0  \n"
                                                 "8001 sample 0 0  \n");
}
END_TEST

/* A second of units of 21.3 ns: rounding does not add up over a hundred events. */
START_TEST(times_are_right_whatever_the_clock)
{
    fl_make_v1_begin(&maker, 19);
    for (int i = 0; i < 100; i++)
        fl_make_v1(&maker, 33, 469483, i, -1);
    fl_make_v1_batch(&maker, UINT64_MAX, 5000);
    fl_make_v1(&maker, 2, 46948356, -1);
    ck_assert_ok(read_made());
    ck_assert_int_eq(fl_gotrace_info_of(trace)->to_ns,
                     1 + 1000000000LL * (46948300 + 3) / 46948356);
}
END_TEST

/* ---- bad input ---- */

/* One record, behind what is good, on the processor of goroutine 1. */
static const struct {
    const char *what;
    int record[8];
    const char *message;
} contradictions[] = {
    {"created twice",
     {13, 1, 1, 0, 0, -1},
     "event kind 13 of processor 0: a goroutine is created that is there already"},
    {"no place",
     {14, 1, 3, 1, -1},
     "event kind 14 of processor 0: a goroutine starts where there is "
     "no place for it"},
    {"nobody", {14, 1, 99, 1, -1}, "no event of generation 1 is possible next: events are missing"},
    {"number",
     {21, 1, 2, 7, 0, -1},
     "no event of generation 1 is possible next: events are missing"},
    {"not in a call",
     {40, 1, 2, 0, -1},
     "no event of generation 1 is possible next: events are "
     "missing"},
    {"runs already",
     {5, 1, 77, -1},
     "event kind 5 of processor 0: a processor starts that is running, "
     "or is none"},
    {"still runs",
     {6, 1, -1},
     "event kind 6 of processor 0: a processor stops that is not running, "
     "or runs a goroutine"},
    {"sweeps nothing",
     {12, 1, 0, 0, -1},
     "event kind 12 of processor 0: a processor cannot begin or end a sweep here"},
    {"region",
     {47, 1, 5, 2, 1, 0, -1},
     "event kind 47 of processor 0: a region neither begins nor "
     "ends"},
    {"numbers", {15, 1, 7, -1}, "an event of kind 15 has not the numbers of its kind"},
    {"no numbers", {33, 1, -1}, "an event of kind 33 has not the numbers of its kind"},
    {"list", {33, 1, 7, 8, 9, -1}, "an event of kind 33 has not the numbers of its kind"},
    {"processors", {4, 1, 1 << 20, 0, -1}, "processor 1048575 is beyond 65536"},
};

START_TEST(a_contradiction_ends_the_trace_there)
{
    fl_make_v1_begin(&maker, 19);
    const int *record = contradictions[_i].record;
    fl_make_v1(&maker, record[0], record[1], record[2], record[3], record[4], record[5], record[6],
               -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_str_eq(fl_gotrace_info_of(trace)->broken.message, contradictions[_i].message);
    ck_assert_int_eq(strncmp(said.text, FL_V1_BEGIN_TOLD, strlen(FL_V1_BEGIN_TOLD)), 0);
}
END_TEST

/* Its length is right and its text is there: the batch ends before it, not within. */
START_TEST(a_string_that_is_too_long_ends_the_trace_before_it)
{
    enum { LONG = 1000001 };
    static unsigned char bytes[LONG + 2048];
    fl_make_v1_begin(&maker, 19);
    fl_make_v1_end(&maker);
    fl_slice good = fl_made(&maker);
    size_t len = good.len;
    memcpy(bytes, good.ptr, len);
    static const unsigned char head[] = {37, 5, 0xc1, 0x84, 0x3d};
    memcpy(bytes + len, head, sizeof(head));
    ck_assert_ok(read_bytes((fl_slice){.ptr = bytes, .len = len + sizeof(head) + LONG}));
    ck_assert_str_eq(fl_gotrace_info_of(trace)->broken.message, "a string is damaged");
    ck_assert_int_eq(strncmp(said.text, FL_V1_BEGIN_TOLD, strlen(FL_V1_BEGIN_TOLD)), 0);
}
END_TEST

/* The first events of goroutines that are not there. */
START_TEST(what_needs_a_goroutine_has_one)
{
    static const int kinds[] = {15, 20, 28, 30};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        fl_make_v1_begin(&maker, 19);
        fl_make_v1(&maker, 23, 10, 2, -1);
        if (kinds[i] == 15 || kinds[i] == 30)
            fl_make_v1(&maker, kinds[i], 10, -1);
        else
            fl_make_v1(&maker, kinds[i], 10, 0, -1);
        fl_make_v1_end(&maker);
        ck_assert_ok(read_made());
        ck_assert_ptr_nonnull(
            strstr(fl_gotrace_info_of(trace)->broken.message, "there is no running goroutine"));
    }
}
END_TEST

static const struct {
    const char *bytes;
    size_t len;
    fl_status status;
    uint64_t offset;
    const char *message;
} damaged[] = {
    {"", 0, FL_E_TRUNCATED, 16, "the trace has no events"},
    {"\x06\x01", 2, FL_E_SYNTAX, 16, "expected a batch, found kind 6"},
    {"\x41\x00", 2, FL_E_TRUNCATED, 18, "the trace has no events"},
    {"\x41\x00\x01\x06\x01", 5, FL_E_TRUNCATED, 21,
     "the trace ends before it says how its clock runs"},
    {"\x41\x00\x01\x3f\x01", 5, FL_E_UNSUPPORTED, 19,
     "event kind 63 is not known: damage, or newer than this program"},
    {"\x41\x00\x01\x02\x00", 5, FL_E_SYNTAX, 19, "the frequency of the clock is damaged"},
    {"\x41\x00\x01\x25\x01\xff\xff\x7fz", 9, FL_E_SYNTAX, 24, "a string is damaged"},
    {"\x41\x00\x01\xdd\xff\xff\x7f\x00", 8, FL_E_SYNTAX, 23, "a record is damaged"},
    {"\x41\x00\x01\xdd\x01\x01\x02\x01", 8, FL_E_SYNTAX, 21, "the end of a system call is damaged"},
    {"\x41\xff\xff\xff\xff\x0f\x01\x06\x01", 9, FL_E_LIMIT, FL_NO_OFFSET,
     "processor 4294967295 is beyond 65536"},
};

START_TEST(damage_before_any_event_is_refused)
{
    unsigned char bytes[64] = "go 1.19 trace";
    memcpy(bytes + 16, damaged[_i].bytes, damaged[_i].len);
    fl_slice all = {.ptr = bytes, .len = 16 + damaged[_i].len};
    ck_assert_fails(damaged[_i].status, read_bytes(all));
    ck_assert_str_eq(err.message, damaged[_i].message);
    ck_assert_uint_eq(err.offset, damaged[_i].offset);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 48, 10, 5, 1, 1, -1);
    fl_make_v1_text(&maker, "hello");
    fl_make_v1(&maker, 49, 0, 1060, 0, 1, 2, -1);
    fl_make_v1(&maker, 28, 10, 2, -1);
    fl_make_v1(&maker, 30, 6, -1);
    fl_make_v1(&maker, 29, 80, 1, 2, 1199, -1);
    fl_make_v1_end(&maker);
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_mem_fail_after(n);
        status = read_made();
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_lt(n, 400);
    }
    ck_assert_ptr_nonnull(strstr(said.text, "log 1 0 hello"));
}
END_TEST

START_TEST(whoever_takes_the_events_can_stop)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1_end(&maker);
    said.refuse_at = 1;
    ck_assert_fails(FL_E_STOPPED, read_made());
    ck_assert_str_eq(err.message, "enough");
}
END_TEST

/* More goroutines, and more processors, than a call tells events. */
START_TEST(what_was_there_before_may_be_much)
{
    fl_make_header(&maker, 19);
    fl_make_v1_batch(&maker, 0, 1000);
    for (int i = 1; i <= 3000; i++)
        fl_make_v1(&maker, 13, 0, i, 2, 0, -1);
    fl_make_v1(&maker, 4, 1, 2000, 0, -1);
    fl_make_v1(&maker, 4, 1, 2001, 0, -1);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert_uint_eq(fl_gotrace_info_of(trace)->events, 1 + 2 + 2001 + 3000);
    ck_assert_uint_ge(said.calls, 9);
    for (size_t at = 1; at < said.calls; at++) {
        size_t all = said.calls;
        said.refuse_at = at;
        ck_assert_fails(FL_E_STOPPED, read_made());
        said.calls = all;
    }
}
END_TEST

START_TEST(batches_without_end_are_refused)
{
    enum { BATCH = 3, HEADER = 16 };
    size_t len = HEADER + (FL_MAX_GOTRACE_BATCHES + (size_t)1) * BATCH;
    unsigned char *bytes = calloc(len, 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, "go 1.19 trace", 13);
    for (size_t at = HEADER; at < len; at += BATCH)
        memcpy(bytes + at, (const unsigned char[]){1 | 1 << 6, 0, 1}, BATCH);
    ck_assert_fails(FL_E_LIMIT, read_bytes((fl_slice){.ptr = bytes, .len = len}));
    free(bytes);
    ck_assert_str_eq(err.message, "the trace has more than 1048576 batches");
}
END_TEST

/* ---- recordings ---- */

enum { MOST_COUNTS = 64, MOST_SLOTS = 4096 };
static struct count {
    char name[64];
    uint64_t count, sum; /* of the goroutines' and processors' numbers, or of nanoseconds */
} counts[MOST_COUNTS];
static size_t count_count;
static struct since {
    int64_t ns;
    struct count *what;
} since[MOST_SLOTS];

static struct count *count_of(const char *name)
{
    size_t at = 0;
    while (at < count_count && strcmp(counts[at].name, name) != 0)
        at++;
    if (at == count_count) {
        ck_assert_uint_lt(count_count, MOST_COUNTS);
        snprintf(counts[count_count++].name, sizeof(counts[0].name), "%s", name);
    }
    return &counts[at];
}

/* Time in a state goes to "time-waiting-chan_receive" and the like. */
static void count_time(const fl_gotrace_view *view, const fl_gotrace_event *event)
{
    static const char *const names[] = {"", "", "runnable", "running", "syscall", "waiting", ""};
    ck_assert_uint_lt(event->target, MOST_SLOTS);
    struct since *last = &since[event->target];
    if (event->from != FL_GOTRACE_UNKNOWN && event->from != FL_GOTRACE_NOWHERE) {
        last->what->count++;
        last->what->sum += (uint64_t)(event->time_ns - last->ns);
    }
    if (event->to == FL_GOTRACE_NOWHERE)
        return;
    char name[64];
    fl_slice text = fl_gotrace_text(view, event->text);
    bool waits = event->to == FL_GOTRACE_WAITING;
    snprintf(name, sizeof(name), "time-%s%s%.*s", names[event->to], waits ? "-" : "",
             waits ? (int)text.len : 0, (const char *)text.ptr);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == ' ' ? '_' : *at;
    *last = (struct since){.ns = event->time_ns, .what = count_of(name)};
}

static fl_status count_events(void *payload, const fl_gotrace_view *view,
                              const fl_gotrace_event *events, size_t count, fl_error *why)
{
    int64_t *last_ns = payload;
    (void)why;
    for (size_t i = 0; i < count; i++) {
        const fl_gotrace_event *event = &events[i];
        char name[64];
        fl_name_event(name, event);
        ck_assert_int_ge(event->time_ns, *last_ns);
        *last_ns = event->time_ns;
        struct count *row = count_of(name);
        row->count++;
        if (event->kind == FL_GOTRACE_GO) {
            row->sum += fl_told_goroutine(view, event->target);
            count_time(view, event);
        } else if (event->kind == FL_GOTRACE_PROC)
            row->sum += event->target;
        else if (event->kind != FL_GOTRACE_SAMPLE)
            row->sum += fl_told_goroutine(view, event->g);
    }
    return FL_OK;
}

static void count_recording(const char *name)
{
    char path[512];
    int64_t last_ns = 0;
    fl_stream *in;
    memset(counts, 0, sizeof(counts));
    count_count = 0;
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/gotrace/%s.zst", name);
    ck_assert_ok(fl_stream_open(&in, path, &err));
    fl_gotrace_destroy(trace);
    ck_assert_ok(fl_gotrace_create(&trace, &err));
    ck_assert_ok(fl_gotrace_read(trace, in, count_events, &last_ns, &err));
    fl_stream_close(in);
    const fl_error *broken = &fl_gotrace_info_of(trace)->broken;
    ck_assert_msg(broken->status == FL_OK, "%s: %s", name, broken->message);
}

/* What the reader of golang.org/x/exp/trace says of each recording: how many events of which kind
 * with the sum of the numbers that they are about, and how long goroutines were in each state. It
 * moves events that have one time apart, by a nanosecond each. */
START_TEST(recordings_have_the_events_and_times_that_go_s_own_reader_finds)
{
    FILE *file = fopen(FL_SOURCE_DIR "/tests/fixtures/gotrace/counts-v1.txt", "r");
    char name[64], kind[64], current[64] = "";
    unsigned long long count, sum;
    size_t found = 0;
    ck_assert_ptr_nonnull(file);
    for (; fscanf(file, "%63s %63s %llu %llu", name, kind, &count, &sum) == 4; found++) {
        if (strcmp(name, current) != 0)
            count_recording(name);
        memcpy(current, name, sizeof(name));
        const struct count *row = count_of(kind);
        unsigned long long slack = strncmp(kind, "time-", 5) == 0 ? count + sum / 1000 : 0;
        unsigned long long off = row->sum > sum ? row->sum - sum : sum - row->sum;
        ck_assert_msg(row->count == count && off <= slack,
                      "%s: %s: %llu (sum %llu), not %llu (%llu)", name, kind,
                      (unsigned long long)row->count, (unsigned long long)row->sum, count, sum);
    }
    fclose(file);
    ck_assert_uint_gt(found, 100);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gotrace_v1");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, what_was_there_before_is_told_as_of_before);
    tcase_add_test(tc, each_version_since_functions_have_names_is_read);
    tcase_add_test(tc, kinds_of_blocking_get_the_words_of_later_formats);
    tcase_add_test(tc, goroutines_come_and_go);
    tcase_add_test(tc, a_call_ends_when_it_did_and_not_when_that_was_recorded);
    tcase_add_test(tc, a_call_of_unknown_end_ends_when_its_goroutine_goes_on);
    tcase_add_test(tc, what_is_possible_decides_and_not_the_clock);
    tcase_add_test(tc, batches_are_told_by_time_and_not_by_place);
    tcase_add_test(tc, collections_and_stops_are_spans);
    tcase_add_test(tc, what_the_world_is_stopped_for_is_named_by_version);
    tcase_add_test(tc, what_programs_note_is_told);
    tcase_add_test(tc, samples_are_told_by_their_time);
    tcase_add_test(tc, times_are_right_whatever_the_clock);
    tcase_add_loop_test(tc, a_contradiction_ends_the_trace_there, 0,
                        sizeof(contradictions) / sizeof(contradictions[0]));
    tcase_add_test(tc, a_string_that_is_too_long_ends_the_trace_before_it);
    tcase_add_test(tc, what_needs_a_goroutine_has_one);
    tcase_add_loop_test(tc, damage_before_any_event_is_refused, 0,
                        sizeof(damaged) / sizeof(damaged[0]));
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_test(tc, whoever_takes_the_events_can_stop);
    tcase_add_test(tc, what_was_there_before_may_be_much);
    tcase_add_test(tc, batches_without_end_are_refused);
    tcase_add_test(tc, recordings_have_the_events_and_times_that_go_s_own_reader_finds);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
