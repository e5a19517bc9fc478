#include <stdio.h>
#include <sys/resource.h>

#include "fl_squeeze.h"
#include "fl_test.h"
#include "mem.h"
#include "stream.h"

static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
}

typedef struct expected_line {
    const char *text;
    size_t len;
    uint64_t offset;
    bool too_long;
} expected_line;

#define LINE(literal, offset_)                                                                     \
    {                                                                                              \
        .text = (literal), .len = sizeof(literal) - 1, .offset = (offset_)                         \
    }
#define LONG_LINE(literal, offset_)                                                                \
    {                                                                                              \
        .text = (literal), .len = sizeof(literal) - 1, .offset = (offset_), .too_long = true       \
    }

/* The longest line allowed is 8 bytes. */
static const struct {
    fl_slice bytes;
    size_t count;
    expected_line lines[4];
} cases_of_lines[] = {
    {BYTES_INIT(""), 0, {LINE("", 0)}},
    {BYTES_INIT("\n"), 1, {LINE("", 0)}},
    {BYTES_INIT("a"), 1, {LINE("a", 0)}},
    {BYTES_INIT("a\n"), 1, {LINE("a", 0)}},
    {BYTES_INIT("a\nb"), 2, {LINE("a", 0), LINE("b", 2)}},
    {BYTES_INIT("a\r\nb\r\n"), 2, {LINE("a", 0), LINE("b", 3)}},
    {BYTES_INIT("\r\n\r\r\n"), 2, {LINE("", 0), LINE("\r", 2)}},
    {BYTES_INIT("a\r"), 1, {LINE("a\r", 0)}},
    {BYTES_INIT("a\rb\n"), 1, {LINE("a\rb", 0)}},
    {BYTES_INIT("\0\0\na\0b\n"), 2, {LINE("\0\0", 0), LINE("a\0b", 3)}},
    {BYTES_INIT("\xff\xfe\n"), 1, {LINE("\xff\xfe", 0)}},
    {BYTES_INIT("\n\n\n"), 3, {LINE("", 0), LINE("", 1), LINE("", 2)}},
    {BYTES_INIT("12345678"), 1, {LINE("12345678", 0)}},
    {BYTES_INIT("12345678\r\n9"), 2, {LINE("12345678", 0), LINE("9", 10)}},
    {BYTES_INIT("12345678\r"), 1, {LONG_LINE("12345678", 0)}},
    {BYTES_INIT("123456789\nx\n"), 2, {LONG_LINE("12345678", 0), LINE("x", 10)}},
    {BYTES_INIT("123456789abc\nx"), 2, {LONG_LINE("12345678", 0), LINE("x", 13)}},
    {BYTES_INIT("x\n123456789abc"), 2, {LINE("x", 0), LONG_LINE("12345678", 2)}},
};

START_TEST(lines_end_at_line_feeds)
{
    fl_stream *stream;
    fl_lines *lines;
    fl_line line;
    bool more;
    ck_assert_ok(fl_stream_over(&stream, cases_of_lines[_i].bytes, "x", &err));
    ck_assert_ok(fl_lines_create(&lines, stream, 8, &err));
    for (size_t i = 0; i < cases_of_lines[_i].count; i++) {
        const expected_line *expected = &cases_of_lines[_i].lines[i];
        ck_assert_ok(fl_lines_next(lines, &line, &more, &err));
        ck_assert(more);
        ck_assert_uint_eq(line.text.len, expected->len);
        ck_assert_mem_eq(line.text.ptr, expected->text, expected->len);
        ck_assert_uint_eq(line.offset, expected->offset);
        ck_assert_uint_eq(line.number, i + 1);
        ck_assert_int_eq(line.too_long, expected->too_long);
    }
    for (int again = 0; again < 2; again++) {
        ck_assert_ok(fl_lines_next(lines, &line, &more, &err));
        ck_assert(!more);
    }
    fl_lines_destroy(lines);
    fl_stream_close(stream);
}
END_TEST

/* Lines of every length around the block and the limit, against a splitter of the whole text. */
START_TEST(lines_across_blocks_are_whole)
{
    static const size_t lengths[] = {0,      1,      131071, 262142, 262143, 262144, 262145, 262146,
                                     299998, 299999, 300000, 300001, 300002, 300003, 800000, 5};
    size_t count = sizeof(lengths) / sizeof(lengths[0]), limit = 300000, total = 0;
    for (size_t i = 0; i < count; i++)
        total += lengths[i] + 1 + i % 2;
    unsigned char *text = malloc(total), *p = text;
    for (size_t i = 0; i < count; i++) {
        memset(p, 'a' + (int)i, lengths[i]);
        p += lengths[i];
        if (i % 2 == 1)
            *p++ = '\r';
        *p++ = '\n';
    }
    fl_stream *stream;
    fl_lines *lines;
    ck_assert_ok(fl_stream_over(&stream, (fl_slice){text, total}, "x", &err));
    ck_assert_ok(fl_lines_create(&lines, stream, limit, &err));
    uint64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        fl_line line;
        bool more;
        ck_assert_ok(fl_lines_next(lines, &line, &more, &err));
        ck_assert(more);
        ck_assert_uint_eq(line.number, i + 1);
        ck_assert_uint_eq(line.offset, offset);
        ck_assert_int_eq(line.too_long, lengths[i] > limit);
        ck_assert_uint_eq(line.text.len, lengths[i] > limit ? limit : lengths[i]);
        ck_assert_mem_eq(line.text.ptr, text + offset, line.text.len);
        offset += lengths[i] + 1 + i % 2;
    }
    fl_lines_destroy(lines);
    fl_stream_close(stream);
    free(text);
}
END_TEST

START_TEST(complete_lines_come_before_the_failure_and_the_torn_one_does_not)
{
    unsigned char noise[5000];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (unsigned char)(i % 50 == 49 ? '\n' : 'a' + i * i % 23);
    fl_bytes zstd = fl_zstd((fl_slice){noise, sizeof(noise)}, 1);
    fl_bytes first = fl_zstd(BYTES("one\ntwo\nthr"), 1);
    fl_bytes cut = fl_joined(fl_bytes_slice(first), (fl_slice){zstd.ptr, zstd.len - 5});
    fl_stream *stream;
    fl_lines *lines;
    fl_line line;
    bool more = true;
    uint64_t count = 0, end = 0;
    ck_assert_ok(fl_stream_over(&stream, fl_bytes_slice(cut), "cut", &err));
    ck_assert_ok(fl_lines_create(&lines, stream, 100, &err));
    fl_status status;
    while ((status = fl_lines_next(lines, &line, &more, &err)) == FL_OK && more) {
        ck_assert_uint_eq(line.number, ++count);
        ck_assert_uint_eq(line.offset, end);
        end = line.offset + line.text.len + 1;
    }
    ck_assert_fails(FL_E_TRUNCATED, status);
    ck_assert_str_eq(err.message, "cut is truncated: it ends inside a zstd frame");
    ck_assert_uint_ge(count, 2);
    ck_assert_uint_le(end, err.offset);
    fl_error again = {0};
    ck_assert_fails(FL_E_TRUNCATED, fl_lines_next(lines, &line, &more, &again));
    ck_assert_str_eq(again.message, err.message);
    fl_lines_destroy(lines);
    fl_stream_close(stream);
    free(zstd.ptr);
    free(first.ptr);
    free(cut.ptr);
}
END_TEST

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* 1024 frames of 1 MiB that expand 128 times, so that the bomb rule lets them through. */
static fl_bytes gibibyte_without_a_line_feed(void)
{
    unsigned char *block = malloc(1 << 20);
    uint32_t noise = 7;
    for (size_t i = 0; i < 8192; i++) {
        noise = noise * 1664525u + 1013904223u;
        block[i] = (unsigned char)((noise >> 24) == '\n' ? 'n' : noise >> 24);
    }
    for (size_t i = 8192; i < 1 << 20; i++)
        block[i] = block[i - 8192];
    fl_bytes frame = fl_zstd((fl_slice){block, 1 << 20}, 3);
    fl_bytes out = {.ptr = malloc(frame.len * 1024 + 100)};
    for (int i = 0; i < 1024; i++) {
        memcpy(out.ptr + out.len, frame.ptr, frame.len);
        out.len += frame.len;
    }
    free(frame.ptr);
    frame = fl_zstd(BYTES("\nnext line\n"), 3);
    memcpy(out.ptr + out.len, frame.ptr, frame.len);
    out.len += frame.len;
    free(frame.ptr);
    free(block);
    return out;
}

START_TEST(a_line_of_a_gibibyte_is_passed_over_in_bounded_memory)
{
    fl_bytes packed = gibibyte_without_a_line_feed();
    ck_assert_uint_lt(packed.len, 10 << 20);
    fl_stream *stream;
    fl_lines *lines;
    fl_line line;
    bool more;
    long before_kib = peak_kib();
    ck_assert_ok(fl_stream_over(&stream, fl_bytes_slice(packed), "x", &err));
    ck_assert_ok(fl_lines_create(&lines, stream, 4 << 20, &err));
    ck_assert_ok(fl_lines_next(lines, &line, &more, &err));
    ck_assert(more && line.too_long);
    ck_assert_uint_eq(line.text.len, 4 << 20);
    ck_assert_ok(fl_lines_next(lines, &line, &more, &err));
    ck_assert(more && !line.too_long);
    ck_assert_uint_eq(line.number, 2);
    ck_assert_uint_eq(line.offset, (UINT64_C(1) << 30) + 1);
    ck_assert_mem_eq(line.text.ptr, "next line", line.text.len);
    ck_assert_ok(fl_lines_next(lines, &line, &more, &err));
    ck_assert(!more);
    ck_assert_int_lt(peak_kib() - before_kib, 40 << 10);
    fl_lines_destroy(lines);
    fl_stream_close(stream);
    free(packed.ptr);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    unsigned char *text = malloc(900000);
    memset(text, 'x', 900000);
    fl_status status = FL_E_NOMEM;
    for (long allowed = 0; status != FL_OK; allowed++) {
        fl_stream *stream;
        fl_lines *lines = NULL;
        fl_line line;
        bool more;
        err = (fl_error){0};
        ck_assert_ok(fl_stream_over(&stream, (fl_slice){text, 900000}, "x", &err));
        fl_mem_fail_after(allowed);
        status = fl_lines_create(&lines, stream, 1000000, &err);
        if (status == FL_OK)
            status = fl_lines_next(lines, &line, &more, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        if (status == FL_OK)
            ck_assert_uint_eq(line.text.len, 900000);
        fl_lines_destroy(lines);
        fl_stream_close(stream);
        ck_assert_int_lt(allowed, 10);
    }
    free(text);
}
END_TEST

static Suite *lines_suite(void)
{
    Suite *suite = suite_create("base/lines");
    TCase *cases = tcase_create("lines");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, lines_end_at_line_feeds, 0,
                        (int)(sizeof(cases_of_lines) / sizeof(cases_of_lines[0])));
    tcase_add_test(cases, lines_across_blocks_are_whole);
    tcase_add_test(cases, complete_lines_come_before_the_failure_and_the_torn_one_does_not);
    tcase_add_test(cases, a_line_of_a_gibibyte_is_passed_over_in_bounded_memory);
    tcase_add_test(cases, each_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(lines_suite)
