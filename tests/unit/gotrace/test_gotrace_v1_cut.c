/* Traces of Go to 1.21 that were cut off, or are damaged: clock and stacks stand at their end. */
#include <stdio.h>
#include <stdlib.h>

#include "faultline/limits.h"
#include "fl_file.h"
#include "fl_gotrace_maker.h"
#include "fl_gotrace_told.h"
#include "fl_squeeze.h"
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

/* Cut within its events, before clock and stacks: what happened is told, at no place. */
START_TEST(what_was_cut_before_its_clock_is_told_in_units_of_its_own)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 25, 1000, 2, -1);
    fl_make_v1(&maker, 21, 1000, 1, 2, 2, -1);
    ck_assert_ok(read_made());
    const fl_gotrace_info *info = fl_gotrace_info_of(trace);
    ck_assert(info->clock_assumed);
    ck_assert(info->nameless);
    ck_assert_int_eq(info->broken.status, FL_E_TRUNCATED);
    ck_assert_str_eq(info->broken.message, "the trace ends before it says how its clock runs");
    ck_assert_ptr_nonnull(strstr(said.text, "go-running>waiting 1 1 sync \n"));
    /* 64 cycles each at 3 GHz, 2004 of them */
    ck_assert_int_ge(info->to_ns, 42600);
    ck_assert_int_le(info->to_ns, 42800);
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    ck_assert(!fl_gotrace_info_of(trace)->clock_assumed);
}
END_TEST

/* Processor 1 unblocks and runs what processor 0 put to sleep and created, which was not written
 * yet: both go on, and are said to. In a trace that is whole this is the end of it. */
START_TEST(what_follows_something_that_was_not_written_is_told_all_the_same)
{
    for (size_t cut = 0; cut < 2; cut++) {
        fl_make_v1_begin(&maker, 19);
        fl_make_v1_batch(&maker, 1, 1010);
        fl_make_v1(&maker, 5, 1, 78, -1);
        fl_make_v1(&maker, 21, 5, 1, 6, 2, -1); /* unblock, of a goroutine that runs */
        fl_make_v1(&maker, 14, 5, 1, 7, -1);
        fl_make_v1(&maker, 15, 5, -1);
        fl_make_v1(&maker, 14, 5, 8, 3, -1); /* start, of one that nobody created */
        fl_make_v1(&maker, 9, 5, 0, -1);
        fl_make_v1(&maker, 10, 5, -1);
        fl_make_v1(&maker, 10, 5, -1); /* the end of a stop without a begin */
        fl_make_v1(&maker, 7, 5, 3, 0, -1);
        fl_make_v1(&maker, 8, 5, -1);
        if (!cut)
            fl_make_v1_end(&maker);
        ck_assert_ok(read_made());
        const fl_gotrace_info *info = fl_gotrace_info_of(trace);
        ck_assert(info->clock_assumed == (cut == 1));
        ck_assert_uint_eq(info->guessed, cut ? 4 : 0);
        ck_assert_ptr_nonnull(
            strstr(info->broken.message, cut ? "how its clock runs" : "events are missing"));
        ck_assert((strstr(said.text, "go-running>waiting 0 1") != NULL) == (cut == 1));
        ck_assert((strstr(said.text, "go-unknown>running 0 8") != NULL) == (cut == 1));
        ck_assert((strstr(said.text, "end") != NULL) == (cut == 1));
    }
}
END_TEST

/* The end of a call is told by the time at which it was. The goroutine starts before it says so,
 * which it does behind an event that cannot be: it is not told to leave the call again. */
START_TEST(a_call_whose_end_was_told_is_not_left_twice)
{
    fl_make_header(&maker, 19);
    fl_make_v1_batch(&maker, 0, 0);
    fl_make_v1(&maker, 13, 0, 1, 0, 0, -1);
    fl_make_v1(&maker, 32, 1, 1, -1);
    fl_make_v1(&maker, 38, 9, 1, -1);
    fl_make_v1_batch(&maker, 1, 0);
    fl_make_v1(&maker, 38, 15, 9, -1);
    fl_make_v1(&maker, 40, 5, 1, 3, -1);
    ck_assert_ok(read_made());
    const char *left = strstr(said.text, "go-syscall>runnable");
    const char *starts = strstr(said.text, "go-runnable>running 0 1");
    ck_assert(left != NULL && starts > left);
    const char *again = strstr(left + 1, "go-syscall>runnable");
    ck_assert(again == NULL || again > starts);
}
END_TEST

/* A goroutine starts over and over without having stopped, on the last of many processors. */
START_TEST(what_is_missing_is_assumed_only_so_often)
{
    enum { PROCS = 30000, STARTS = 300000 };
    fl_make_header(&maker, 19);
    size_t len = maker.len;
    unsigned char *bytes = malloc(len + PROCS * 5u + STARTS * 3u);
    memcpy(bytes, maker.bytes, len);
    for (unsigned i = 0; i < PROCS; i++) {
        const unsigned char batch[] = {1, (unsigned char)(i & 0x7f) | 0x80,
                                       (unsigned char)(i >> 7 & 0x7f) | 0x80,
                                       (unsigned char)(i >> 14), 0};
        memcpy(bytes + len, batch, sizeof(batch));
        len += sizeof(batch);
    }
    for (unsigned i = 0; i < STARTS; i++, len += 3)
        memcpy(bytes + len, (const unsigned char[]){38 | 1 << 6, 0, 1}, 3);
    ck_assert_ok(read_bytes((fl_slice){.ptr = bytes, .len = len}));
    const fl_gotrace_info *info = fl_gotrace_info_of(trace);
    ck_assert_int_eq(info->broken.status, FL_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(info->broken.message, "too many events out of order"));
    ck_assert_uint_lt(info->events, 1000);
    free(bytes);
}
END_TEST

/* Every prefix of what a program of Go 1.19 wrote is read, or refused in words. */
START_TEST(every_prefix_of_a_recording_is_told_as_far_as_it_goes)
{
    fl_bytes whole = fl_file_read("tests/fixtures/gotrace/1.19-leak.trace.zst");
    uint64_t most = 0;
    for (size_t len = 0; len < whole.len; len += len < 64 ? 1 : 37) {
        fl_status status = read_bytes((fl_slice){.ptr = whole.ptr, .len = len});
        if (status != FL_OK) {
            ck_assert_uint_lt(len, 64);
            ck_assert_uint_gt(strlen(err.message), 0);
            continue;
        }
        const fl_gotrace_info *info = fl_gotrace_info_of(trace);
        /* between two stacks nothing tells that there were more */
        ck_assert(info->broken.status != FL_OK || !info->clock_assumed);
        most = info->events > most ? info->events : most;
    }
    ck_assert_ok(read_bytes(fl_bytes_slice(whole)));
    ck_assert_int_eq(fl_gotrace_info_of(trace)->broken.status, FL_OK);
    ck_assert_uint_ge(fl_gotrace_info_of(trace)->events, most);
    ck_assert_uint_gt(most, fl_gotrace_info_of(trace)->events / 2);
    free(whole.ptr);
}
END_TEST

/* Damage behind which the next record is known costs that record. */
START_TEST(a_damaged_stack_string_or_sample_costs_itself)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 25, 10, 2, -1);
    fl_make_v1(&maker, 49, 1, 1060, 0, 1, -1);      /* a sample without its stack */
    fl_make_v1(&maker, 3, 9, 9, 1, 1, -1);          /* a stack of nine frames that has one */
    fl_make_v1_string(&maker, 1 << 20, "main.far"); /* of a number that there cannot be */
    fl_make_v1_end(&maker);
    ck_assert_ok(read_made());
    const fl_gotrace_info *info = fl_gotrace_info_of(trace);
    ck_assert_uint_eq(info->damaged, 3);
    ck_assert_int_eq(info->broken.status, FL_OK);
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD "14 go-running>waiting 1 1 sync main.work\n");
}
END_TEST

/* All that tells how the clock runs stands at the end, here: before what is cut. */
START_TEST(every_prefix_is_read_up_to_its_end)
{
    fl_make_header(&maker, 19);
    fl_make_v1_batch(&maker, UINT64_MAX, 1000);
    fl_make_v1(&maker, 2, 1000000000, -1);
    size_t clock = maker.len;
    unsigned char head[64];
    memcpy(head, maker.bytes, clock);
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 45, 10, 5, 0, 1, 2, -1);
    fl_make_v1(&maker, 48, 10, 5, 1, 1, -1);
    fl_make_v1_text(&maker, "hello");
    fl_make_v1(&maker, 28, 10, 2, -1);
    fl_make_v1(&maker, 30, 6, -1);
    fl_make_v1_end(&maker);
    memmove(maker.bytes + clock, maker.bytes + 16, maker.len - 16);
    memcpy(maker.bytes, head, clock);
    maker.len += clock - 16;
    size_t cut = 0;
    for (size_t len = 0; len < maker.len; len++) {
        fl_status status = read_bytes((fl_slice){.ptr = maker.bytes, .len = len});
        if (status != FL_OK)
            ck_assert_uint_gt(strlen(err.message), 0);
        else
            cut += fl_gotrace_info_of(trace)->broken.status == FL_E_TRUNCATED;
    }
    ck_assert_uint_gt(cut, maker.len / 2);
    ck_assert_ok(read_made());
    ck_assert_int_eq(fl_gotrace_info_of(trace)->broken.status, FL_OK);
}
END_TEST

START_TEST(a_compressed_trace_that_is_cut_says_so)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1_end(&maker);
    fl_bytes packed = fl_gzip(fl_made(&maker));
    ck_assert_ok(read_bytes(fl_bytes_slice(packed)));
    ck_assert_str_eq(said.text, FL_V1_BEGIN_TOLD);
    (void)read_bytes((fl_slice){.ptr = packed.ptr, .len = packed.len - 9});
    ck_assert_ptr_nonnull(
        strstr(err.status != FL_OK ? err.message : fl_gotrace_info_of(trace)->broken.message, "x"));
    free(packed.ptr);
}
END_TEST

/* A bit is turned over in each byte of a recording: it is read, or refused in words. */
START_TEST(turned_bits_do_no_harm)
{
    fl_make_v1_begin(&maker, 19);
    fl_make_v1(&maker, 28, 10, 2, -1);
    fl_make_v1(&maker, 30, 6, -1);
    fl_make_v1(&maker, 29, 80, 1, 2, 1199, -1);
    fl_make_v1(&maker, 38, 0, 1, -1);
    fl_make_v1_end(&maker);
    for (size_t at = 16 * 8; at < maker.len * 8; at++) {
        maker.bytes[at / 8] ^= (unsigned char)(1u << at % 8);
        if (read_made() != FL_OK)
            ck_assert_uint_gt(strlen(err.message), 0);
        maker.bytes[at / 8] ^= (unsigned char)(1u << at % 8);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gotrace_v1_cut");
    TCase *tc = tcase_create("gotrace_v1_cut");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_was_cut_before_its_clock_is_told_in_units_of_its_own);
    tcase_add_test(tc, what_follows_something_that_was_not_written_is_told_all_the_same);
    tcase_add_test(tc, a_call_whose_end_was_told_is_not_left_twice);
    tcase_add_test(tc, what_is_missing_is_assumed_only_so_often);
    tcase_add_test(tc, every_prefix_of_a_recording_is_told_as_far_as_it_goes);
    tcase_add_test(tc, a_damaged_stack_string_or_sample_costs_itself);
    tcase_add_test(tc, every_prefix_is_read_up_to_its_end);
    tcase_add_test(tc, a_compressed_trace_that_is_cut_says_so);
    tcase_add_test(tc, turned_bits_do_no_harm);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
