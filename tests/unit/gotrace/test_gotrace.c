#include <stdio.h>
#include <stdlib.h>

#include "faultline/limits.h"
#include "fl_gotrace_maker.h"
#include "fl_gotrace_told.h"
#include "fl_squeeze.h"
#include "fl_test.h"
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

/* ---- one thread ---- */

static void make_tables(int gen)
{
    fl_make_clock(&maker, gen);
    fl_make_event(&maker, 4, -1);
    fl_make_string(&maker, 1, "main.work");
    fl_make_string(&maker, 2, "/src/main.go");
    fl_make_string(&maker, 3, "chan receive");
    fl_make_batch(&maker, gen, UINT64_MAX, 1000);
    fl_make_event(&maker, 2, -1);
    fl_make_event(&maker, 3, 1, 1, 4096, 1, 2, 17, -1);
    fl_make_batch(&maker, gen, UINT64_MAX, 1000);
}

/* Goroutine 1 runs on processor 0, creates 2 and waits for it. */
static void make_small(void)
{
    fl_make_header(&maker, 26);
    fl_make_event(&maker, 13, 0, 0, 1, -1);    /* processor 0 runs */
    fl_make_event(&maker, 25, 1, 1, 7, 2, -1); /* goroutine 1 runs */
    fl_make_event(&maker, 14, 10, 2, 1, 1, -1);
    fl_make_event(&maker, 20, 10, 3, 1, -1);
    fl_make_event(&maker, 16, 10, 2, 1, -1);
    fl_make_event(&maker, 21, 10, 1, 1, 1, -1);
    fl_make_event(&maker, 17, 5, -1);
    fl_make_event(&maker, 16, 10, 1, 2, -1);
    fl_make_batch(&maker, 1, 7, 1100);
    make_tables(1);
    fl_make_end(&maker);
}

#define SMALL_TOLD                                                                                 \
    "1000 sync 0 0  \n"                                                                            \
    "1100 proc-unknown>running 0 0  \n"                                                            \
    "1101 go-unknown>running 0 1  \n"                                                              \
    "1111 go-nowhere>runnable 1 2  main.work\n"                                                    \
    "1121 go-running>waiting 1 1 chan receive main.work\n"                                         \
    "1131 go-runnable>running 0 2  \n"                                                             \
    "1141 go-waiting>runnable 2 1  main.work\n"                                                    \
    "1146 go-running>nowhere 2 2  \n"                                                              \
    "1156 go-runnable>running 0 1  \n"

START_TEST(events_are_told_with_what_they_name)
{
    make_small();
    ck_assert_ok(read_bytes(fl_made(&maker)));
    ck_assert_str_eq(said.text, SMALL_TOLD);
    const fl_gotrace_info *info = fl_gotrace_info_of(trace);
    ck_assert_uint_eq(info->version, 26);
    ck_assert_uint_eq(info->events, 9);
    ck_assert_uint_eq(info->generations, 1);
    ck_assert_int_eq(info->from_ns, 1000);
    ck_assert_int_eq(info->to_ns, 1156);
    ck_assert_int_eq(info->clock_to_wall_ns, 1000000000 - 1000);
    ck_assert_int_eq(info->broken.status, FL_OK);
    ck_assert_uint_eq(fl_gotrace_view_of(trace)->slot_count, 2);
}
END_TEST

START_TEST(a_compressed_trace_says_the_same)
{
    make_small();
    fl_bytes packed = fl_gzip(fl_made(&maker));
    ck_assert_ok(read_bytes(fl_bytes_slice(packed)));
    ck_assert_str_eq(said.text, SMALL_TOLD);
    free(packed.ptr);
}
END_TEST

/* ---- several threads ---- */

/* Thread 8's clock is behind: it starts what thread 7 creates later. */
START_TEST(what_is_possible_decides_and_not_the_clock)
{
    fl_make_header(&maker, 26);
    fl_make_event(&maker, 13, 0, 0, 1, -1);
    fl_make_event(&maker, 25, 1, 1, 7, 2, -1);
    fl_make_event(&maker, 14, 500, 2, 0, 0, -1);
    fl_make_batch(&maker, 1, 7, 1100);
    fl_make_event(&maker, 13, 0, 1, 1, -1);
    fl_make_event(&maker, 16, 1, 2, 1, -1);
    fl_make_event(&maker, 17, 1, -1);
    fl_make_batch(&maker, 1, 8, 1050);
    make_tables(1);
    fl_make_end(&maker);
    ck_assert_ok(read_bytes(fl_made(&maker)));
    ck_assert_str_eq(said.text, "1000 sync 0 0  \n"
                                "1050 proc-unknown>running 0 0  \n"
                                "1100 proc-unknown>running 0 0  \n"
                                "1101 go-unknown>running 0 1  \n"
                                "1601 go-nowhere>runnable 1 2  \n"
                                "1601 go-runnable>running 0 2  \n"
                                "1601 go-running>nowhere 2 2  \n");
}
END_TEST

/* Calls of goroutine 1 on thread 7 and of 2 on thread 8, at the same times; a sample in between. */
START_TEST(of_one_time_the_first_thread_is_told_first_and_a_sample_last)
{
    enum { CALLS = 100 };
    static char wanted[1 << 15];
    size_t len = (size_t)snprintf(wanted, sizeof(wanted),
                                  "1000 sync 0 0  \n1100 proc-unknown>running 0 0  \n"
                                  "1100 proc-unknown>running 0 0  \n1101 go-unknown>running 0 1  \n"
                                  "1101 go-unknown>running 0 2  \n");
    fl_make_header(&maker, 26);
    for (int thread = 7; thread <= 8; thread++) {
        fl_make_event(&maker, 13, 0, thread - 7, 1, -1);
        fl_make_event(&maker, 25, 1, thread - 6, thread, 2, -1);
        for (int i = 1; i <= CALLS; i++) {
            fl_make_event(&maker, 22, 2, i, 0, -1);
            fl_make_event(&maker, 23, 2, -1);
        }
        fl_make_batch(&maker, 1, (uint64_t)thread, 1100);
    }
    fl_make_event(&maker, 6, -1);
    fl_make_event(&maker, 7, 1105, 8, 1, 2, 0, -1);
    fl_make_batch(&maker, 1, UINT64_MAX, 1000);
    make_tables(1);
    fl_make_end(&maker);
    for (int i = 0; i < 2 * CALLS; i++) {
        const char *what = i % 2 == 0 ? "go-running>syscall" : "go-syscall>running";
        for (int g = 1; g <= 2; g++)
            len += (size_t)snprintf(wanted + len, sizeof(wanted) - len, "%d %s %d %d  \n",
                                    1103 + 2 * i, what, g, g);
        if (i == 1)
            len += (size_t)snprintf(wanted + len, sizeof(wanted) - len, "1105 sample 2 0  \n");
    }
    ck_assert_ok(read_bytes(fl_made(&maker)));
    ck_assert_str_eq(said.text, wanted);
}
END_TEST

/* Numbers of strings and stacks change their meaning; those of the trace do not. */
START_TEST(generations_have_tables_of_their_own)
{
    for (unsigned version = 25; version <= 26; version++) {
        fl_make_header(&maker, version);
        for (int gen = 1; gen <= 2; gen++) {
            fl_make_event(&maker, 13, 0, 0, 1, -1);
            fl_make_event(&maker, 25, 1, 1, 7, 2, -1);
            fl_make_event(&maker, 39, 1, 3 + gen, -1);
            fl_make_batch(&maker, gen, 7, 1000 * gen + 100);
            fl_make_clock(&maker, gen);
            fl_make_event(&maker, 4, -1);
            fl_make_string(&maker, 3 + gen, "label");
            fl_make_string(&maker, 9, gen == 1 ? "one" : "two");
            fl_make_batch(&maker, gen, UINT64_MAX, 1000);
            if (version == 26)
                fl_make_end(&maker);
        }
        ck_assert_ok(read_bytes(fl_made(&maker)));
        ck_assert_str_eq(said.text, "1000 sync 0 0  \n"
                                    "1100 proc-unknown>running 0 0  \n"
                                    "1101 go-unknown>running 0 1  \n"
                                    "1102 label 1 0 label \n"
                                    "1102 sync 0 0  \n"
                                    "2100 proc-running>running 1 0  \n"
                                    "2101 go-running>running 1 1  \n"
                                    "2102 label 1 0 label \n");
        ck_assert_uint_eq(fl_intern_count(fl_gotrace_view_of(trace)->texts), 3);
        ck_assert_int_eq(fl_gotrace_info_of(trace)->broken.status, FL_OK);
    }
}
END_TEST

START_TEST(experiments_are_skipped_and_counted)
{
    make_small();
    maker.len--; /* the end */
    static const unsigned char batch[] = {49, 1, 1, 7, 100, 3, 'x', 'y', 'z', 52};
    memcpy(maker.bytes + maker.len, batch, sizeof(batch));
    maker.len += sizeof(batch);
    ck_assert_ok(read_bytes(fl_made(&maker)));
    ck_assert_str_eq(said.text, SMALL_TOLD);
    ck_assert_uint_eq(fl_gotrace_info_of(trace)->skipped_batches, 1);
}
END_TEST

/* ---- what breaks ---- */

START_TEST(the_version_decides)
{
    static const struct {
        const char *head;
        fl_status status;
        const char *message;
    } cases[] = {
        {"go 1.27 trace\0\0\0", FL_E_UNSUPPORTED, "trace version 1.27 is newer than this program"},
        {"go 1.5 trace\0\0\0\0", FL_E_UNSUPPORTED,
         "trace version 1.5 is not read: it does not name functions"},
        {"go 1.20 trace\0\0\0", FL_E_UNSUPPORTED, "trace version 1.20 does not exist"},
        {"go 1.9 trace\0\0\0\0", FL_E_TRUNCATED, "the trace has no events"},
        {"go 1.26 truce\0\0\0", FL_E_UNSUPPORTED, "this is no Go execution trace"},
        {"go 1.26 trace\0\0\0", FL_E_TRUNCATED, "the trace has no events"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fl_slice head = {.ptr = (const unsigned char *)cases[i].head, .len = 16};
        ck_assert_fails(cases[i].status, read_bytes(head));
        ck_assert_str_eq(err.message, cases[i].message);
    }
}
END_TEST

/* A change of one number of the small trace, by its place in the events. */
static const struct {
    const char *what;
    int event[6];
    const char *message;
} contradictions[] = {
    {"unknown kind", {60, 1, -1}, "event kind 60 is not known: damage, or newer than this program"},
    {"cut off", {16, 1, -1}, "an event of kind 16 does not end in its batch"},
    {"no processor", {11, 1, -1}, "event kind 11 of thread 9: there is no processor to stop"},
    {"no goroutine",
     {20, 1, 1, 1, -1},
     "event kind 20 of thread 9: there is no running goroutine to stop"},
    {"unblocks nobody",
     {21, 1, 99, 1, 0, -1},
     "no event of generation 1 is possible next: events are missing"},
    {"state", {25, 1, 3, 9, 9, -1}, "event kind 25 of thread 9: no such state of a goroutine"},
    {"processor's state",
     {13, 1, 3, 9, -1},
     "event kind 13 of thread 9: no such state of a processor"},
    {"processor's number", {13, 1, 1 << 20, 1, -1}, "processor 1048576 is beyond 65536"},
    {"ends nothing",
     {27, 1, -1},
     "event kind 27 of thread 9: a goroutine ends what it did not begin"},
    {"assists nobody", {34, 1, 5, -1}, "event kind 34 of thread 9: an unknown goroutine assists"},
    {"sweeps nothing",
     {33, 1, 0, 0, -1},
     "event kind 33 of thread 9: a processor cannot begin or end a sweep here"},
};

/* Thread 9 comes after all that is good, which is told before. */
START_TEST(a_contradiction_ends_the_trace_there)
{
    fl_make_header(&maker, 26);
    fl_make_event(&maker, 13, 0, 0, 1, -1);
    fl_make_event(&maker, 25, 1, 1, 7, 2, -1);
    fl_make_batch(&maker, 1, 7, 1100);
    for (size_t i = 0; contradictions[_i].event[i] >= 0; i++)
        maker.batch_len +=
            fl_make_varint(maker.batch + maker.batch_len, (uint64_t)contradictions[_i].event[i]);
    fl_make_batch(&maker, 1, 9, 1200);
    fl_make_clock(&maker, 1);
    fl_make_end(&maker);
    fl_status status = read_bytes(fl_made(&maker));
    const fl_error *broken = &fl_gotrace_info_of(trace)->broken;
    /* what a thread begins with is looked at before anything is told */
    uint64_t told_count = fl_gotrace_info_of(trace)->events;
    ck_assert_msg((status == FL_OK) == (told_count > 1), "%s: %s", contradictions[_i].what,
                  err.message);
    ck_assert_str_eq(broken->message, contradictions[_i].message);
    ck_assert_uint_gt(fl_gotrace_info_of(trace)->events, 0);
}
END_TEST

static const struct {
    const char *bytes;
    size_t len;
    fl_status status;
    uint64_t offset;
    const char *message;
} damaged[] = {
    {"\x07", 1, FL_E_SYNTAX, 16, "expected a batch, found kind 7"},
    {"\x01\x01", 2, FL_E_TRUNCATED, 18, "the trace ends inside of a batch"},
    {"\x01\x01\x07\x00\x05zz", 7, FL_E_TRUNCATED, 23, "the trace ends inside of a batch"},
    {"\x01\x01\x07\x00\xff\xff\x7fx", 8, FL_E_SYNTAX, 16,
     "a batch of 2097151 bytes in generation 1 is damage"},
    {"\x01\x00\x07\x00\x01x", 6, FL_E_SYNTAX, 16, "a batch of 1 bytes in generation 0 is damage"},
    {"\x01\x01\x07\x00\x01\x0b\x34", 7, FL_E_TRUNCATED, 23,
     "generation 1 does not say how its clock runs: the trace is cut off"},
    {"\x01\x01\x07\x00\x02\x04\x09\x34", 8, FL_E_SYNTAX, 23, "a batch of strings is damaged"},
    {"\x01\x01\x07\x00\x04\x04\x05\x01\x09\x34", 10, FL_E_SYNTAX, 25,
     "a batch of strings is damaged"},
    {"\x01\x01\x07\x00\x03\x02\x03\x01\x34", 9, FL_E_SYNTAX, 24, "a batch of stacks is damaged"},
    {"\x01\x01\x07\x00\x02\x32\x09\x34", 8, FL_E_SYNTAX, 23, "a batch of clocks is damaged"},
    {"\x01\x01\x07\x00\x06\x04\x05\xff\x7f\x01\x61\x34", 12, FL_E_SYNTAX, 27,
     "strings have number 16383 in a generation of fewer bytes"},
    {"\x01\x01\x07\x00\x05\x02\x03\xff\x7f\x00\x34", 11, FL_E_SYNTAX, 26,
     "stacks have number 16383 in a generation of fewer bytes"},
    {"\x01\x01\x07\x00\x03\x32\x08\x00\x34", 9, FL_E_SYNTAX, 24, "a batch of clocks is damaged"},
    {"\x01\x01\x07\x00\x0a\x32\x33\x00\x00\x80\x80\x80\x80\x10\x00\x34", 16, FL_E_SYNTAX, 31,
     "a batch of clocks is damaged"},
};

START_TEST(damage_before_the_first_event_is_refused)
{
    unsigned char bytes[64] = "go 1.26 trace";
    memcpy(bytes + 16, damaged[_i].bytes, damaged[_i].len);
    fl_slice all = {.ptr = bytes, .len = 16 + damaged[_i].len};
    ck_assert_fails(damaged[_i].status, read_bytes(all));
    ck_assert_str_eq(err.message, damaged[_i].message);
    ck_assert_uint_eq(err.offset, damaged[_i].offset);
}
END_TEST

/* Its clock and its first batches are there, and no event that is possible. */
START_TEST(a_trace_that_tells_nothing_is_refused)
{
    fl_make_header(&maker, 26);
    fl_make_clock(&maker, 1);
    ck_assert_fails(FL_E_TRUNCATED, read_bytes(fl_made(&maker)));
    ck_assert_str_eq(err.message, "the trace ends inside of generation 1");
    fl_make_end(&maker);
    ck_assert_fails(FL_E_TRUNCATED, read_bytes(fl_made(&maker)));
    ck_assert_str_eq(err.message, "the trace has no events");
}
END_TEST

/* Batches of one byte, one more than a generation may have. */
START_TEST(batches_without_end_are_refused)
{
    enum { BATCH = 6, HEADER = 16 };
    static const unsigned char batch[BATCH] = {1, 1, 7, 0, 1, 11};
    size_t len = HEADER + (FL_MAX_GOTRACE_BATCHES + (size_t)1) * BATCH;
    unsigned char *bytes = calloc(len, 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, "go 1.26 trace", 13);
    for (size_t at = HEADER; at < len; at += BATCH)
        memcpy(bytes + at, batch, BATCH);
    (void)read_bytes((fl_slice){.ptr = bytes, .len = len});
    free(bytes);
    ck_assert_int_eq(fl_gotrace_info_of(trace)->broken.status, FL_E_LIMIT);
    ck_assert_str_eq(fl_gotrace_info_of(trace)->broken.message,
                     "generation 1 has more than 1048576 batches");
}
END_TEST

static fl_status take_nothing(void *payload, const fl_gotrace_view *from,
                              const fl_gotrace_event *events, size_t count, fl_error *why)
{
    (void)payload, (void)from, (void)events, (void)count, (void)why;
    return FL_OK;
}

/* Three more than are kept, in batches of ten thousand. */
START_TEST(samples_without_end_are_dropped_and_counted)
{
    enum { SAMPLES = FL_MAX_GOTRACE_SAMPLES + 3, A_BATCH = 10000, SIZE = 6 };
    static const unsigned char sample[SIZE] = {7, 1, 7, 0, 1, 0};
    unsigned char *bytes = calloc((size_t)SAMPLES * SIZE + (1 << 20), 1);
    ck_assert_ptr_nonnull(bytes);
    fl_make_header(&maker, 26);
    fl_make_clock(&maker, 1);
    size_t len = maker.len;
    memcpy(bytes, maker.bytes, len);
    for (size_t at = 0; at < SAMPLES; at += A_BATCH) {
        size_t count = SAMPLES - at < A_BATCH ? SAMPLES - at : A_BATCH;
        memcpy(bytes + len, (const unsigned char[]){1, 1, 7, 0}, 4);
        len += 4 + fl_make_varint(bytes + len + 4, count * SIZE + 1);
        bytes[len++] = 6;
        for (size_t i = 0; i < count; i++, len += SIZE)
            memcpy(bytes + len, sample, SIZE);
    }
    bytes[len++] = 52;
    fl_stream *in;
    ck_assert_ok(fl_gotrace_create(&trace, &err));
    ck_assert_ok(fl_stream_over(&in, (fl_slice){.ptr = bytes, .len = len}, "x", &err));
    ck_assert_ok(fl_gotrace_read(trace, in, take_nothing, NULL, &err));
    fl_stream_close(in);
    free(bytes);
    ck_assert_uint_eq(fl_gotrace_info_of(trace)->dropped, 3);
    ck_assert_uint_eq(fl_gotrace_info_of(trace)->events, FL_MAX_GOTRACE_SAMPLES + 1);
}
END_TEST

/* Nothing that a prefix tells is anything that the whole does not. */
START_TEST(every_prefix_is_read_up_to_its_end)
{
    make_small();
    fl_slice all = fl_made(&maker);
    for (size_t len = 0; len < all.len; len++) {
        fl_status status = read_bytes((fl_slice){.ptr = all.ptr, .len = len});
        if (status != FL_OK) {
            ck_assert_uint_gt(strlen(err.message), 0);
            continue;
        }
        ck_assert_int_eq(fl_gotrace_info_of(trace)->broken.status, FL_E_TRUNCATED);
    }
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    make_small();
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_mem_fail_after(n);
        status = read_bytes(fl_made(&maker));
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_lt(n, 200);
    }
    ck_assert_str_eq(said.text, SMALL_TOLD);
}
END_TEST

START_TEST(whoever_takes_the_events_can_stop)
{
    make_small();
    said.refuse_at = 1;
    ck_assert_fails(FL_E_STOPPED, read_bytes(fl_made(&maker)));
    ck_assert_str_eq(err.message, "enough");
}
END_TEST

/* ---- recordings ---- */

enum { MOST_COUNTS = 64 };
static struct count {
    char name[64];
    uint64_t count, sum; /* of the goroutines' and processors' numbers */
} counts[MOST_COUNTS];
static size_t count_count;

static fl_status count_events(void *payload, const fl_gotrace_view *from,
                              const fl_gotrace_event *events, size_t count, fl_error *why)
{
    int64_t *last = payload;
    (void)why;
    for (size_t i = 0; i < count; i++) {
        const fl_gotrace_event *event = &events[i];
        char name[64];
        size_t at = 0;
        fl_name_event(name, event);
        ck_assert_int_ge(event->time_ns, *last);
        ck_assert_uint_lt(event->stack, from->stack_count);
        *last = event->time_ns;
        while (at < count_count && strcmp(counts[at].name, name) != 0)
            at++;
        if (at == count_count) {
            ck_assert_uint_lt(count_count, MOST_COUNTS);
            memcpy(counts[count_count++].name, name, sizeof(name));
        }
        counts[at].count++;
        if (event->kind == FL_GOTRACE_GO)
            counts[at].sum += fl_told_goroutine(from, event->target);
        else if (event->kind == FL_GOTRACE_PROC)
            counts[at].sum += event->target;
        else if (event->kind != FL_GOTRACE_SAMPLE)
            counts[at].sum += fl_told_goroutine(from, event->g);
    }
    return FL_OK;
}

/* False where the recording is not at hand. */
static bool count_recording(const char *name)
{
    const char *shared = getenv("FL_SHARED");
    char path[512];
    int64_t last = 0;
    fl_stream *in;
    memset(counts, 0, sizeof(counts));
    count_count = 0;
    snprintf(path, sizeof(path), "%s/profiles/go/%s/trace-mid.out.zst",
             shared != NULL ? shared : FL_SOURCE_DIR "/../shared", name);
    if (fl_stream_open(&in, path, &err) != FL_OK)
        return false;
    fl_gotrace_destroy(trace);
    ck_assert_ok(fl_gotrace_create(&trace, &err));
    ck_assert_ok(fl_gotrace_read(trace, in, count_events, &last, &err));
    fl_stream_close(in);
    const fl_error *broken = &fl_gotrace_info_of(trace)->broken;
    ck_assert_msg(broken->status == FL_OK, "%s: %s", name, broken->message);
    return true;
}

/* What the reader of golang.org/x/exp/trace says of each recording: how many events of which kind,
 * and the sum of the numbers that they are about. It tells one more synchronisation, at the end. */
START_TEST(recordings_have_the_events_that_go_s_own_reader_finds)
{
    FILE *file = fopen(FL_SOURCE_DIR "/tests/fixtures/gotrace/counts.txt", "r");
    char name[64], kind[64], current[64] = "";
    unsigned long long count, sum;
    size_t found = 0, rows = 0;
    ck_assert_ptr_nonnull(file);
    while (fscanf(file, "%63s %63s %llu %llu", name, kind, &count, &sum) == 4) {
        if (strcmp(name, current) != 0) {
            ck_assert_uint_eq(rows, count_count);
            memcpy(current, name, sizeof(name));
            rows = 0;
            if (!count_recording(name)) {
                printf("skipped: no recordings\n");
                break;
            }
        }
        size_t at = 0;
        while (at < count_count && strcmp(counts[at].name, kind) != 0)
            at++;
        ck_assert_msg(at < count_count, "%s: no %s", name, kind);
        count -= strcmp(kind, "sync") == 0;
        ck_assert_msg(counts[at].count == count && counts[at].sum == sum,
                      "%s: %s: %llu (sum %llu), not %llu (%llu)", name, kind,
                      (unsigned long long)counts[at].count, (unsigned long long)counts[at].sum,
                      count, sum);
        rows++;
        found++;
    }
    fclose(file);
    ck_assert(found == 0 || found > 600);
}
END_TEST

/* A cut recording is told up to there, with one complaint. */
START_TEST(a_cut_recording_is_read_up_to_the_cut)
{
    fl_stream *in;
    fl_stream_block block = {0};
    fl_slice all;
    ck_assert_ok(
        fl_stream_open(&in, FL_SOURCE_DIR "/tests/fixtures/gotrace/small-1.26.trace.zst", &err));
    ck_assert_ok(fl_stream_read_all(&all, &block, in, 1 << 20, &err));
    fl_stream_close(in);
    uint64_t last = 0;
    ck_assert_ok(read_bytes(all));
    uint64_t whole = fl_gotrace_info_of(trace)->events;
    for (size_t len = 16; len < all.len; len += 97) {
        if (read_bytes((fl_slice){.ptr = all.ptr, .len = len}) != FL_OK)
            continue;
        const fl_gotrace_info *info = fl_gotrace_info_of(trace);
        ck_assert_uint_le(info->events, whole);
        if (info->events < last)
            ck_assert_int_ne(info->broken.status, FL_OK);
        last = info->events;
    }
    ck_assert_uint_gt(last, whole / 2);
    fl_mem_free(block.ptr);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gotrace");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, events_are_told_with_what_they_name);
    tcase_add_test(tc, a_compressed_trace_says_the_same);
    tcase_add_test(tc, what_is_possible_decides_and_not_the_clock);
    tcase_add_test(tc, of_one_time_the_first_thread_is_told_first_and_a_sample_last);
    tcase_add_test(tc, generations_have_tables_of_their_own);
    tcase_add_test(tc, experiments_are_skipped_and_counted);
    tcase_add_test(tc, the_version_decides);
    tcase_add_loop_test(tc, a_contradiction_ends_the_trace_there, 0,
                        sizeof(contradictions) / sizeof(contradictions[0]));
    tcase_add_loop_test(tc, damage_before_the_first_event_is_refused, 0,
                        sizeof(damaged) / sizeof(damaged[0]));
    tcase_add_test(tc, a_trace_that_tells_nothing_is_refused);
    tcase_add_test(tc, batches_without_end_are_refused);
    tcase_add_test(tc, samples_without_end_are_dropped_and_counted);
    tcase_add_test(tc, every_prefix_is_read_up_to_its_end);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_test(tc, whoever_takes_the_events_can_stop);
    tcase_add_test(tc, recordings_have_the_events_that_go_s_own_reader_finds);
    tcase_add_test(tc, a_cut_recording_is_read_up_to_the_cut);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
