#include "sse.h"

#include <stdio.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_sse sse;
static char told[1024];

static void take(void *payload, const fl_sse_event *event)
{
    size_t len = strlen(told);
    ck_assert_ptr_eq(payload, told);
    snprintf(told + len, sizeof(told) - len, "<%s|%.80s%s>", event->name, event->data,
             event->is_cut ? "|cut" : "");
}

static void setup(void)
{
    told[0] = '\0';
    fl_sse_init(&sse, take, told);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_sse_dispose(&sse);
}

static const struct {
    const char *stream, *told;
} streams[] = {
    {"", ""},
    {"data: a\n\n", "<message|a>"},
    {"data: a\n", ""},
    {"event: incident\ndata: {\"id\":1}\n\n", "<incident|{\"id\":1}>"},
    {"event:x\ndata:a\ndata: b\ndata:  c\ndata\n\n", "<x|a\nb\n c\n>"},
    {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", "<message|a><message|b><message|c>"},
    {":\n\n: a comment\n\nevent: none\n\ndata: a\n\n", "<message|a>"},
    {"retry: 2000\n\nid: 7\nevent: x\ndata: 1\n\n", "<x|1>"},
    {"\357\273\277data: a\n\n", "<message|a>"},
    {"data: a\n\n\357\273\277data: b\n\n", "<message|a>"},
    {"nonsense\ndata : a\nDATA: b\n\n", ""},
    {"data:\n\n", "<message|>"},
    {"event: 0123456789012345678901234567890123456789012345678901234567890123456789\ndata: a\n\n",
     "<012345678901234567890123456789012345678901234567890123456789012|a>"},
};

START_TEST(a_stream_is_told_as_events)
{
    fl_sse_feed(&sse, fl_slice_of(streams[_i].stream));
    ck_assert_str_eq(told, streams[_i].told);
}
END_TEST

START_TEST(it_does_not_matter_how_a_stream_is_cut)
{
    fl_slice whole = fl_slice_of(streams[_i].stream);
    for (size_t cut = 0; cut <= whole.len; cut++) {
        teardown();
        setup();
        fl_sse_feed(&sse, fl_slice_part(whole, 0, cut));
        fl_sse_feed(&sse, fl_slice_part(whole, cut, whole.len));
        ck_assert_str_eq(told, streams[_i].told);
    }
}
END_TEST

START_TEST(an_event_that_is_too_long_is_told_as_cut_and_the_next_one_whole)
{
    static char line[FL_SSE_EVENT_BYTES + 16];
    memset(line, 'x', sizeof(line) - 1);
    for (int of_lines = 0; of_lines < 2; of_lines++) {
        teardown();
        setup();
        for (int i = 0; i < (of_lines ? 3 : 1); i++) {
            fl_sse_feed(&sse, FL_SLICE("data: "));
            fl_sse_feed(&sse, fl_slice_part(fl_slice_of(line), 0,
                                            of_lines ? FL_SSE_EVENT_BYTES / 2 : sizeof(line) - 1));
            fl_sse_feed(&sse, FL_SLICE("\n"));
        }
        fl_sse_feed(&sse, FL_SLICE("\ndata: next\n\n"));
        ck_assert_ptr_nonnull(strstr(told, "|cut>"));
        ck_assert_ptr_nonnull(strstr(told, "<message|next>"));
    }
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    for (long failures = 0; strstr(told, "<x|a>") == NULL; failures++) {
        teardown();
        setup();
        fl_mem_fail_after(failures);
        fl_sse_feed(&sse, FL_SLICE("event: x\ndata: a\n\n"));
        fl_mem_fail_after(-1);
        ck_assert_int_lt(failures, 10);
    }
}
END_TEST

static Suite *sse_suite(void)
{
    Suite *suite = suite_create("pull/sse");
    TCase *cases = tcase_create("sse");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, a_stream_is_told_as_events, 0, sizeof(streams) / sizeof(streams[0]));
    tcase_add_loop_test(cases, it_does_not_matter_how_a_stream_is_cut, 0,
                        sizeof(streams) / sizeof(streams[0]));
    tcase_add_test(cases, an_event_that_is_too_long_is_told_as_cut_and_the_next_one_whole);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(sse_suite)
