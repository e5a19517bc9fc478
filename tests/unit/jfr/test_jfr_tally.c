#include <stdio.h>

#include "buf.h"
#include "fl_file.h"
#include "fl_test.h"
#include "jfr.h"
#include "made_jfr.h"
#include "mem.h"
#include "slice.h"

/* Reading sums against reading one event after the other, which is the reference: what is added up
 * here from the events is what the sums have to say. */

enum { MAX_ROWS = 4096, LARGE_BYTES = 1050 << 10 };

/* What events have in common, and their sums. */
struct row {
    char *text;
    uint64_t events, amount, duration_ns;
};

struct table {
    fl_jfr *jfr;
    struct row rows[MAX_ROWS];
    size_t count;
    uint64_t visits;
    fl_jfr_totals totals;
    fl_status status;
};

static fl_error err;
static struct table one_by_one, summed;
static made_jfr made;
static uint64_t seed;

static uint64_t next(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

static void clear(struct table *table)
{
    fl_jfr_destroy(table->jfr);
    for (size_t i = 0; i < table->count; i++)
        free(table->rows[i].text);
    memset(table, 0, sizeof(*table));
}

static void setup(void)
{
    err = (fl_error){0};
    seed = 1;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    clear(&one_by_one);
    clear(&summed);
}

static bool is_sample(fl_jfr_kind kind)
{
    return kind == FL_JFR_ALLOCATION || kind == FL_JFR_EXECUTION || kind == FL_JFR_NATIVE ||
           kind == FL_JFR_EXCEPTION || kind == FL_JFR_LOCK;
}

/* The kind, the class and the stack by their names; of what is no sample also when it was. */
static void describe(fl_buf *out, const fl_jfr *jfr, const fl_jfr_event *event)
{
    fl_jfr_frame frame;
    fl_buf_printf(out, "%d %.*s", (int)event->kind, FL_SLICE_ARG(fl_jfr_name(jfr, event->type)));
    for (uint32_t at = event->stack; at != FL_JFR_NONE;) {
        at = fl_jfr_frame_of(&frame, jfr, at);
        fl_buf_printf(out, " <%.*s:%u", FL_SLICE_ARG(fl_jfr_name(jfr, frame.function)), frame.line);
    }
    if (!is_sample(event->kind))
        fl_buf_printf(out, " at %lld", (long long)event->time_ns);
}

static fl_status take(void *payload, const fl_jfr_event *event, fl_error *failed)
{
    struct table *table = payload;
    fl_buf text = fl_buf_of(1 << 20);
    (void)failed;
    describe(&text, table->jfr, event);
    size_t i = 0;
    while (i < table->count && strcmp(table->rows[i].text, text.ptr) != 0)
        i++;
    ck_assert_uint_lt(i, MAX_ROWS);
    if (i == table->count) {
        table->rows[table->count++].text = malloc(text.len + 1);
        memcpy(table->rows[i].text, text.ptr, text.len + 1);
    }
    table->visits++;
    table->rows[i].events += event->events;
    table->rows[i].amount += (uint64_t)event->a;
    table->rows[i].duration_ns += (uint64_t)event->duration_ns;
    fl_buf_dispose(&text);
    return FL_OK;
}

static void read_into(struct table *table, fl_slice bytes, bool sums)
{
    fl_stream *in;
    fl_error failed = {0};
    clear(table);
    ck_assert_ok(fl_jfr_create(&table->jfr, &err));
    ck_assert_ok(fl_stream_over(&in, bytes, "rec.jfr", &err));
    table->status = sums ? fl_jfr_read_sums(table->jfr, in, "rec.jfr", take, table, &failed)
                         : fl_jfr_read(table->jfr, in, "rec.jfr", take, table, &failed);
    table->totals = fl_jfr_totals_of(table->jfr);
    fl_stream_close(in);
}

/* Both ways, and the same said by both, in the same order of what was met first. */
static void compare(fl_slice bytes)
{
    read_into(&one_by_one, bytes, false);
    read_into(&summed, bytes, true);
    ck_assert_int_eq(one_by_one.status, summed.status);
    ck_assert_uint_eq(one_by_one.count, summed.count);
    for (size_t i = 0; i < summed.count; i++) {
        ck_assert_str_eq(one_by_one.rows[i].text, summed.rows[i].text);
        ck_assert_uint_eq(one_by_one.rows[i].events, summed.rows[i].events);
        ck_assert_uint_eq(one_by_one.rows[i].amount, summed.rows[i].amount);
        ck_assert_uint_eq(one_by_one.rows[i].duration_ns, summed.rows[i].duration_ns);
    }
    ck_assert_uint_eq(one_by_one.totals.events, summed.totals.events);
    ck_assert_uint_eq(one_by_one.totals.unresolved, summed.totals.unresolved);
    ck_assert_int_eq(one_by_one.totals.to_ns, summed.totals.to_ns);
    ck_assert_uint_eq(one_by_one.totals.warning_count, summed.totals.warning_count);
    for (size_t i = 0; i < summed.totals.warning_count; i++)
        ck_assert_str_eq(one_by_one.totals.warnings[i], summed.totals.warnings[i]);
    ck_assert_uint_eq(one_by_one.totals.count_count, summed.totals.count_count);
    for (size_t i = 0; i < summed.totals.count_count; i++) {
        ck_assert_uint_eq(one_by_one.totals.counts[i].events, summed.totals.counts[i].events);
        ck_assert_uint_eq(one_by_one.totals.counts[i].bytes, summed.totals.counts[i].bytes);
    }
}

/* A size of one byte, as JDK 17 writes it: what made_begin() writes has four, as JDK 11's. */
static void short_allocation(uint64_t tick, uint64_t stack, uint64_t type, uint64_t weight)
{
    size_t at = made.len;
    made_byte(&made, 0);
    made_number(&made, MADE_ALLOCATION, 8);
    made_number(&made, tick, 8);
    made_number(&made, stack, 8);
    made_number(&made, type, 8);
    made_number(&made, weight, 8);
    made.bytes[at] = (unsigned char)(made.len - at);
}

/* Numbers of every length, nine bytes and a ninth that is whole included. */
static uint64_t number(unsigned most_bits)
{
    uint64_t bits = 1 + next(most_bits);
    uint64_t value = next(UINT64_C(1) << 31) << 33 ^ next(UINT64_C(1) << 31) << 13 ^ next(1 << 13);
    return bits >= 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

/* Keys that are known, that are not, and that are long. */
static uint64_t stack_key(void)
{
    return next(4) > 0 ? 7 : next(4) > 0 ? next(300) : number(64);
}

static void random_events(size_t count)
{
    static const unsigned tick_bits[] = {14, 30, 56, 64};
    for (size_t i = 0; i < count; i++) {
        uint64_t tick = number(tick_bits[next(4)]);
        uint64_t type = next(8) > 0 ? 4 + next(3) : number(64);
        uint64_t weight = next(8) > 0 ? next(5000) : number(60) >> 2;
        if (next(20) == 0)
            made_odd(&made);
        if (made.is_compressed && next(4) > 0)
            short_allocation(tick, stack_key(), type, weight);
        else
            made_allocation(&made, tick, stack_key(), type, weight);
    }
}

/* All of a chunk, whose events begin the same way for the same seed. */
static void random_chunk(bool is_compressed, size_t count)
{
    made = (made_jfr){.is_compressed = is_compressed};
    made_header(&made);
    random_events(count);
    made_pools(&made);
    made_metadata(&made);
    made_finish(&made);
}

START_TEST(sums_say_what_their_events_say_whatever_the_lengths_of_numbers)
{
    seed = (uint64_t)_i + 1;
    random_chunk(_i % 4 != 3, 400);
    compare(made_jfr_slice(&made));
    ck_assert_uint_eq(summed.totals.counts[0].events, 400);
    ck_assert_uint_lt(summed.visits, one_by_one.visits / 2);
}
END_TEST

/* The last events are read byte by byte, since no whole window is left behind them. */
START_TEST(events_at_the_very_end_of_a_chunk_are_summed_too)
{
    made = (made_jfr){.is_compressed = true};
    made_header(&made);
    made_pools(&made);
    made_metadata(&made);
    random_events(1 + (size_t)_i);
    made_finish(&made);
    compare(made_jfr_slice(&made));
    ck_assert_uint_eq(summed.totals.counts[0].events, 1 + (uint64_t)_i);
}
END_TEST

/* The chunk with what is behind `head` again and again; the caller frees it. */
static fl_bytes repeated(size_t head)
{
    fl_bytes out = {.ptr = malloc(LARGE_BYTES + MADE_JFR_BYTES), .len = made.len};
    ck_assert_ptr_nonnull(out.ptr);
    memcpy(out.ptr, made.bytes, made.len);
    while (out.len < LARGE_BYTES) {
        memcpy(out.ptr + out.len, made.bytes + head, made.len - head);
        out.len += made.len - head;
    }
    for (int i = 0; i < 8; i++)
        out.ptr[8 + i] = (unsigned char)((uint64_t)out.len >> 8 * (7 - i));
    return out;
}

/* Eight numbers, of which none ends within the window that is looked at: the last one would stand
 * 39 bytes behind the longest head. */
static const made_class wide = {"jdk.ObjectAllocationSample",
                                {{"startTime", MADE_LONG, false, false},
                                 {"stackTrace", MADE_STACK, true, false},
                                 {"objectClass", MADE_CLASS, true, false},
                                 {"p", MADE_LONG, false, false},
                                 {"q", MADE_LONG, false, false},
                                 {"r", MADE_LONG, false, false},
                                 {"s", MADE_LONG, false, false},
                                 {"weight", MADE_LONG, false, false}}};

/* 64 in nine bytes: eight that go on, and a ninth that is whole. */
static void longest(uint64_t value)
{
    made_byte(&made, (unsigned)value | 0x80);
    for (int i = 0; i < 7; i++)
        made_byte(&made, 0x80);
    made_byte(&made, 0);
}

/* The chunk is as large as the memory that it is in, so that ASan sees what is read behind it. */
START_TEST(numbers_without_end_at_the_end_of_a_chunk_are_not_looked_for_behind_it)
{
    made = (made_jfr){.is_compressed = true, .allocation = &wide};
    made_header(&made);
    made_pools(&made);
    made_metadata(&made);
    made_begin(&made, MADE_ODD);
    while (made.len < MADE_JFR_BYTES - 64)
        made_byte(&made, 0);
    made_end(&made);
    longest(64);
    longest(MADE_ALLOCATION);
    while (made.len < MADE_JFR_BYTES)
        made_byte(&made, 0xff);
    made_finish(&made);
    compare(made_jfr_slice(&made));
    ck_assert_uint_eq(summed.totals.events, 2);
    ck_assert_uint_eq(summed.visits, 0);
}
END_TEST

/* An array before what is wanted. */
static const made_class listed = {"jdk.ObjectAllocationSample",
                                  {{"startTime", MADE_LONG, false, false},
                                   {"flags", MADE_BOOLEAN, false, true},
                                   {"stackTrace", MADE_STACK, true, false},
                                   {"objectClass", MADE_CLASS, true, false},
                                   {"weight", MADE_LONG, false, false}}};

/* Up to the chunk's end, the arrays of all of them together would have 4e10 elements. */
START_TEST(an_array_that_is_longer_than_its_event_is_not_gone_through_behind_it)
{
    made = (made_jfr){.is_compressed = true, .allocation = &listed};
    made_header(&made);
    made_pools(&made);
    made_metadata(&made);
    size_t head = made.len;
    for (int i = 0; i < 500; i++) {
        static const unsigned char event[] = {
            12, MADE_ALLOCATION, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 7, 4, 1};
        for (size_t k = 0; k < sizeof(event); k++)
            made_byte(&made, event[k]);
    }
    made_finish(&made);
    fl_bytes bytes = repeated(head);
    compare(fl_bytes_slice(bytes));
    ck_assert_uint_gt(summed.totals.events, 80000);
    ck_assert_uint_eq(summed.visits, 0);
    free(bytes.ptr);
}
END_TEST

/* Such a chunk ends when its last event does, which has to be read with its moment. */
START_TEST(a_chunk_without_an_end_ends_with_its_last_sample)
{
    random_chunk(true, 100);
    made_patch(&made, 40, 0);
    compare(made_jfr_slice(&made));
    made.bytes[64] = 1;
    compare(made_jfr_slice(&made));
    ck_assert_uint_eq(summed.totals.unfinished_chunks, 1);
}
END_TEST

START_TEST(wrong_bytes_mean_the_same_to_both)
{
    seed = (uint64_t)_i + 100;
    random_chunk(true, 60);
    for (int i = 0; i < 40; i++) {
        size_t at = 68 + next(made.len - 68);
        unsigned char right = made.bytes[at];
        made.bytes[at] = (unsigned char)next(256);
        compare(made_jfr_slice(&made));
        made.bytes[at] = right;
    }
}
END_TEST

static const char *const recordings[] = {"11-leak.jfr.gz",  "17-leak.jfr.gz", "17-healthy.jfr.gz",
                                         "21-list.jfr.zst", "25-leak.jfr.gz", "25-mixed.jfr.zst"};

START_TEST(sums_of_real_recordings_are_those_of_their_events)
{
    char path[512];
    snprintf(path, sizeof(path), "tests/fixtures/jfr/%s", recordings[_i]);
    fl_bytes bytes = fl_file_read(path);
    compare(fl_bytes_slice(bytes));
    ck_assert_uint_eq(summed.totals.unresolved, 0);
    free(bytes.ptr);
}
END_TEST

/* ---- two chunks at once ---- */

/* A chunk that is large enough for a thread of its own; the caller frees it. */
static fl_bytes large_chunk(uint64_t from)
{
    seed = from;
    made = (made_jfr){.is_compressed = true};
    made_header(&made);
    made_pools(&made);
    made_metadata(&made);
    size_t head = made.len;
    for (int i = 0; i < 300; i++) {
        uint64_t tick = 500 + next(1 << 20), type = 4 + next(3);
        short_allocation(tick, 7, type, next(1 << 12));
    }
    made_finish(&made);
    return repeated(head);
}

/* So many of them in a row; that of `which` has its middle at *middle, where it is one. */
static fl_bytes large_recording(int chunks, int which, size_t *middle)
{
    fl_bytes out = {.ptr = malloc(1), .len = 0};
    for (int i = 0; i < chunks; i++) {
        fl_bytes next_one = large_chunk((uint64_t)i + 1);
        fl_bytes both = fl_joined(fl_bytes_slice(out), fl_bytes_slice(next_one));
        if (i == which)
            *middle = out.len + next_one.len / 2;
        free(out.ptr);
        free(next_one.ptr);
        out = both;
    }
    return out;
}

START_TEST(chunks_that_are_read_at_once_are_told_in_their_order)
{
    fl_bytes bytes = large_recording(3, -1, NULL);
    compare(fl_bytes_slice(bytes));
    ck_assert_uint_eq(summed.totals.chunks, 3);
    ck_assert_uint_eq(summed.totals.bytes, bytes.len);
    ck_assert_uint_eq(summed.visits, 9); /* three classes in each */
    ck_assert_uint_gt(summed.totals.events, 100000);
    free(bytes.ptr);
}
END_TEST

START_TEST(damage_in_either_of_two_chunks_is_a_warning_with_its_number)
{
    size_t middle = 0;
    fl_bytes bytes = large_recording(4, _i, &middle);
    memset(bytes.ptr + middle, 0, 100);
    compare(fl_bytes_slice(bytes));
    char expected[64];
    snprintf(expected, sizeof(expected), "rec.jfr: chunk %d, byte ", _i + 1);
    ck_assert_uint_eq(summed.totals.warning_count, 1);
    ck_assert(strncmp(summed.totals.warnings[0], expected, strlen(expected)) == 0);
    free(bytes.ptr);
}
END_TEST

START_TEST(a_recording_that_is_cut_in_its_second_chunk_is_read_up_to_there)
{
    fl_bytes bytes = large_recording(2, -1, NULL);
    fl_slice cut = {.ptr = bytes.ptr, .len = bytes.len - bytes.len / 4};
    compare(cut);
    ck_assert_uint_eq(summed.totals.unfinished_chunks, 1);
    ck_assert_uint_eq(summed.visits, 6);
    free(bytes.ptr);
}
END_TEST

START_TEST(threads_that_come_with_a_later_chunk_change_nothing)
{
    made_jfr_standard(&made, true);
    fl_bytes small = fl_joined(made_jfr_slice(&made), made_jfr_slice(&made));
    fl_bytes large = large_recording(7, -1, NULL);
    fl_bytes bytes = fl_joined(fl_bytes_slice(small), fl_bytes_slice(large));
    compare(fl_bytes_slice(bytes));
    ck_assert_uint_eq(summed.totals.chunks, 9);
    ck_assert_uint_eq(summed.totals.bytes, bytes.len);
    free(small.ptr);
    free(large.ptr);
    free(bytes.ptr);
}
END_TEST

/* What it says is not looked at here: only that a failure is one, in whatever thread. */
static fl_status ignore(void *payload, const fl_jfr_event *event, fl_error *failed)
{
    (void)payload;
    (void)event;
    (void)failed;
    return FL_OK;
}

/* Who is told has had enough. */
static fl_status stop(void *payload, const fl_jfr_event *event, fl_error *failed)
{
    (void)payload;
    (void)event;
    return fl_fail(failed, FL_E_IO, 7, "enough");
}

/* Chunks that were digested meanwhile have warnings that nobody was told. */
START_TEST(a_reader_that_was_stopped_reads_the_next_recording)
{
    size_t middle = 0;
    fl_bytes bytes = large_recording(6, 1, &middle);
    fl_jfr *jfr = NULL;
    memset(bytes.ptr + middle, 0, 100);
    ck_assert_ok(fl_jfr_create(&jfr, &err));
    for (int i = 0; i < 6; i++) {
        fl_stream *in;
        err = (fl_error){0};
        ck_assert_ok(fl_stream_over(&in, fl_bytes_slice(bytes), "rec.jfr", &err));
        fl_status status =
            fl_jfr_read_sums(jfr, in, "rec.jfr", i % 2 == 0 ? stop : ignore, NULL, &err);
        ck_assert_int_eq(status, i % 2 == 0 ? FL_E_IO : FL_OK);
        fl_stream_close(in);
    }
    ck_assert_uint_eq(fl_jfr_totals_of(jfr).warning_count, 3);
    fl_jfr_destroy(jfr);
    free(bytes.ptr);
}
END_TEST

START_TEST(each_allocation_that_fails_in_either_thread_is_an_error)
{
    fl_bytes bytes = large_recording(2, -1, NULL);
    bool done = false;
    for (long n = 0; n < 2000 && !done; n++) {
        fl_jfr *jfr = NULL;
        fl_stream *in;
        err = (fl_error){0};
        ck_assert_ok(fl_stream_over(&in, fl_bytes_slice(bytes), "rec.jfr", &err));
        fl_mem_fail_after(n);
        fl_status status = fl_jfr_create(&jfr, &err);
        if (status == FL_OK)
            status = fl_jfr_read_sums(jfr, in, "rec.jfr", ignore, NULL, &err);
        fl_mem_fail_after(-1);
        done = status == FL_OK;
        if (!done)
            ck_assert_int_eq(status, FL_E_NOMEM);
        fl_jfr_destroy(jfr);
        fl_stream_close(in);
    }
    ck_assert(done);
    free(bytes.ptr);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("jfr_tally");
    TCase *tests = tcase_create("jfr_tally");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, sums_say_what_their_events_say_whatever_the_lengths_of_numbers, 0,
                        40);
    tcase_add_loop_test(tests, events_at_the_very_end_of_a_chunk_are_summed_too, 0, 20);
    tcase_add_test(tests, numbers_without_end_at_the_end_of_a_chunk_are_not_looked_for_behind_it);
    tcase_add_test(tests, an_array_that_is_longer_than_its_event_is_not_gone_through_behind_it);
    tcase_add_test(tests, a_chunk_without_an_end_ends_with_its_last_sample);
    tcase_add_loop_test(tests, wrong_bytes_mean_the_same_to_both, 0, 10);
    tcase_add_loop_test(tests, sums_of_real_recordings_are_those_of_their_events, 0,
                        sizeof(recordings) / sizeof(recordings[0]));
    tcase_add_test(tests, chunks_that_are_read_at_once_are_told_in_their_order);
    tcase_add_loop_test(tests, damage_in_either_of_two_chunks_is_a_warning_with_its_number, 0, 4);
    tcase_add_test(tests, a_recording_that_is_cut_in_its_second_chunk_is_read_up_to_there);
    tcase_add_test(tests, threads_that_come_with_a_later_chunk_change_nothing);
    tcase_add_test(tests, a_reader_that_was_stopped_reads_the_next_recording);
    tcase_add_test(tests, each_allocation_that_fails_in_either_thread_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
