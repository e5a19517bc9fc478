/*
 * fuzz_stream.c - any bytes as a stream and as lines: both end, agree, and stay within their
 * limits.
 *
 * The first byte chooses the size of the reads and the longest line. What expands to more than
 * MOST_BYTES is left there: the bomb rule has a unit test.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "stream.h"

enum { MOST_BYTES = 1 << 19 };

static uint64_t read_all(fl_slice bytes, size_t step, fl_error *err)
{
    static unsigned char block[65536];
    fl_stream *in;
    uint64_t total = 0;
    size_t got = 0;
    if (fl_stream_over(&in, bytes, "fuzz", err) != FL_OK)
        return 0;
    do {
        fl_status status = fl_stream_read(in, block, step, &got, err);
        assert(got <= step && status == err->status && (status == FL_OK || got == 0));
        total += got;
    } while (got > 0 && total < MOST_BYTES);
    assert(err->status == FL_OK || err->offset == total);
    fl_stream_close(in);
    return total;
}

/* Read whole: the same bytes, or the same failure, as in steps. */
static void compare_whole(fl_slice bytes)
{
    static unsigned char steps[MOST_BYTES + 1];
    static fl_stream_block block;
    fl_error of_whole = {0}, of_steps = {0};
    fl_stream *whole, *stepwise;
    fl_slice all;
    size_t total = 0, got = 1;
    if (fl_stream_over(&whole, bytes, "fuzz", &of_whole) != FL_OK ||
        fl_stream_over(&stepwise, bytes, "fuzz", &of_steps) != FL_OK)
        abort();
    fl_status status = FL_OK;
    for (; status == FL_OK && got > 0 && total <= MOST_BYTES; total += got)
        status = fl_stream_read(stepwise, steps + total, sizeof(steps) - total, &got, &of_steps);
    assert(fl_stream_read_all(&all, &block, whole, MOST_BYTES, &of_whole) == status);
    assert(of_whole.offset == of_steps.offset && strcmp(of_whole.message, of_steps.message) == 0);
    assert(all.len == (status == FL_OK ? total : 0));
    assert(all.len == 0 || memcmp(all.ptr, steps, all.len) == 0);
    fl_stream_close(whole);
    fl_stream_close(stepwise);
}

/* Where the lines end; 0 after a failure, which drops an unfinished line. */
static uint64_t read_lines(fl_slice bytes, size_t max_line_bytes, fl_error *err)
{
    fl_stream *in;
    fl_lines *lines;
    fl_line line;
    bool more = true;
    uint64_t number = 0, end = 0;
    if (fl_stream_over(&in, bytes, "fuzz", err) != FL_OK ||
        fl_lines_create(&lines, in, max_line_bytes, err) != FL_OK)
        abort();
    while (fl_lines_next(lines, &line, &more, err) == FL_OK && more && end < MOST_BYTES) {
        assert(line.number == ++number && line.offset >= end);
        assert(line.text.len <= max_line_bytes);
        assert(!line.too_long || line.text.len == max_line_bytes);
        assert(line.text.len == 0 || memchr(line.text.ptr, '\n', line.text.len) == NULL);
        end = line.offset + line.text.len;
    }
    fl_lines_destroy(lines);
    fl_stream_close(in);
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 7, 4096, 65536};
    if (size == 0)
        return 0;
    fl_slice bytes = {.ptr = data + 1, .len = size - 1};
    fl_error of_bytes = {0}, of_lines = {0};
    compare_whole(bytes);
    uint64_t total = read_all(bytes, steps[data[0] % 4], &of_bytes);
    uint64_t end = read_lines(bytes, 1 + (size_t)(data[0] >> 2) * 16, &of_lines);
    if (total < MOST_BYTES && end < MOST_BYTES) {
        assert(of_bytes.status == of_lines.status && of_bytes.offset == of_lines.offset);
        assert(strcmp(of_bytes.message, of_lines.message) == 0);
        assert(end <= total);
    }
    return 0;
}
