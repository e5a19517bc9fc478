#include "stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultline/limits.h"
#include "fl_squeeze.h"
#include "fl_test.h"
#include "mem.h"

static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
}

/* Lines of text with some repetition and some noise: compresses about 4 times. */
static fl_bytes sample(size_t len)
{
    unsigned char *out = malloc(len);
    uint32_t noise = 1;
    for (size_t i = 0; i < len; i++) {
        noise = noise * 1664525u + 1013904223u;
        unsigned char letter = (unsigned char)("abcdefghijklmnopqrstuvwxyz"[noise >> 24 & 15]);
        out[i] = i % 61 == 60 ? '\n' : i % 7 < 5 ? (unsigned char)"abcdefg"[i % 7] : letter;
    }
    return (fl_bytes){.ptr = out, .len = len};
}

/* Read all of `in` in steps of `step` bytes into a new block; the status that ended it. */
static fl_status drain(fl_stream *in, size_t step, fl_bytes *out)
{
    size_t cap = 1 << 16;
    *out = (fl_bytes){.ptr = malloc(cap)};
    for (;;) {
        if (out->len + step > cap)
            out->ptr = realloc(out->ptr, cap = 2 * cap + step);
        size_t got = 0;
        fl_status status = fl_stream_read(in, out->ptr + out->len, step, &got, &err);
        ck_assert_uint_le(got, step);
        out->len += got;
        if (status != FL_OK || got == 0)
            return status;
    }
}

static void assert_reads(fl_slice packed, size_t step, fl_slice expected)
{
    fl_stream *in;
    fl_bytes got;
    ck_assert_ok(fl_stream_over(&in, packed, "memory", &err));
    ck_assert_ok(drain(in, step, &got));
    ck_assert_uint_eq(got.len, expected.len);
    ck_assert_mem_eq(got.ptr, expected.ptr, expected.len);
    free(got.ptr);
    fl_stream_close(in);

    char path[sizeof(FL_TEMP_PATH)];
    fl_temp_file(path, packed);
    ck_assert_ok(fl_stream_open(&in, path, &err));
    ck_assert_ok(drain(in, step, &got));
    ck_assert_uint_eq(got.len, expected.len);
    ck_assert_mem_eq(got.ptr, expected.ptr, expected.len);
    free(got.ptr);
    fl_stream_close(in);
    unlink(path);
}

START_TEST(the_kind_is_told_by_the_first_bytes)
{
    static const size_t sizes[] = {1, 3, 4, 100, 131072, 1000003};
    static const size_t steps[] = {1, 7, 4096, 1 << 18};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fl_bytes plain = sample(sizes[i]);
        fl_bytes gzip = fl_gzip(fl_bytes_slice(plain));
        fl_bytes zstd = fl_zstd(fl_bytes_slice(plain), 3);
        for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
            if (plain.len / steps[j] > 50000)
                continue;
            assert_reads(fl_bytes_slice(plain), steps[j], fl_bytes_slice(plain));
            assert_reads(fl_bytes_slice(gzip), steps[j], fl_bytes_slice(plain));
            assert_reads(fl_bytes_slice(zstd), steps[j], fl_bytes_slice(plain));
        }
        free(plain.ptr);
        free(gzip.ptr);
        free(zstd.ptr);
    }
}
END_TEST

START_TEST(an_empty_input_has_no_bytes_whatever_holds_it)
{
    fl_slice none = BYTES("");
    assert_reads(none, 10, none);
    assert_reads((fl_slice){0}, 10, none);
    fl_bytes gzip = fl_gzip(none), zstd = fl_zstd(none, 3);
    assert_reads(fl_bytes_slice(gzip), 10, none);
    assert_reads(fl_bytes_slice(zstd), 10, none);
    free(gzip.ptr);
    free(zstd.ptr);
}
END_TEST

START_TEST(members_and_frames_that_follow_each_other_are_one_stream)
{
    fl_bytes plain = sample(300000);
    fl_slice first = {plain.ptr, 200000}, second = {plain.ptr + 200000, 100000};
    fl_bytes a = fl_gzip(first), none = fl_gzip(BYTES("")), b = fl_gzip(second);
    fl_bytes ab = fl_joined(fl_bytes_slice(a), fl_bytes_slice(none));
    fl_bytes gzip = fl_joined(fl_bytes_slice(ab), fl_bytes_slice(b));
    assert_reads(fl_bytes_slice(gzip), 5000, fl_bytes_slice(plain));

    fl_bytes c = fl_zstd(first, 1), d = fl_zstd(second, 9);
    fl_slice skippable = BYTES("\x5e\x2a\x4d\x18\x05\0\0\0hello");
    fl_bytes sc = fl_joined(skippable, fl_bytes_slice(c));
    fl_bytes scs = fl_joined(fl_bytes_slice(sc), skippable);
    fl_bytes scsd = fl_joined(fl_bytes_slice(scs), fl_bytes_slice(d));
    fl_bytes zstd = fl_joined(fl_bytes_slice(scsd), skippable);
    assert_reads(fl_bytes_slice(zstd), 5000, fl_bytes_slice(plain));

    fl_bytes *all[] = {&plain, &a, &none, &b, &ab, &gzip, &c, &d, &sc, &scs, &scsd, &zstd};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        free(all[i]->ptr);
}
END_TEST

/* Cut to `len` bytes, a packed input gives a prefix of the plain text and then says truncated. */
static void assert_truncated_at(fl_slice packed, size_t len, fl_slice plain, const char *frame)
{
    fl_stream *in;
    fl_bytes got;
    char expected[100];
    err = (fl_error){0};
    ck_assert_ok(fl_stream_over(&in, (fl_slice){packed.ptr, len}, "cut", &err));
    ck_assert_fails(FL_E_TRUNCATED, drain(in, 4096, &got));
    snprintf(expected, sizeof(expected), "cut is truncated: it ends inside a %s", frame);
    ck_assert_str_eq(err.message, expected);
    ck_assert_uint_eq(err.offset, got.len);
    ck_assert_uint_le(got.len, plain.len);
    ck_assert_mem_eq(got.ptr, plain.ptr, got.len);
    free(got.ptr);
    fl_stream_close(in);
}

START_TEST(every_prefix_gives_what_was_good_and_then_says_truncated)
{
    fl_bytes plain = sample(3000);
    fl_slice text = fl_bytes_slice(plain);
    fl_bytes zstd = fl_zstd(text, 3), gzip = fl_gzip(text);
    for (size_t len = 4; len < zstd.len; len++)
        assert_truncated_at(fl_bytes_slice(zstd), len, text, "zstd frame");
    for (size_t len = 2; len < gzip.len; len++)
        assert_truncated_at(fl_bytes_slice(gzip), len, text, "gzip member");
    /* Between two frames a part of a magic number is a truncation too. */
    fl_bytes twice = fl_joined(fl_bytes_slice(zstd), fl_bytes_slice(zstd));
    fl_bytes text_twice = fl_joined(text, text);
    for (size_t len = zstd.len + 1; len < twice.len; len += 3)
        assert_truncated_at(fl_bytes_slice(twice), len, fl_bytes_slice(text_twice), "zstd frame");
    free(plain.ptr);
    free(zstd.ptr);
    free(gzip.ptr);
    free(twice.ptr);
    free(text_twice.ptr);
}
END_TEST

START_TEST(a_big_truncated_file_gives_most_of_its_text)
{
    fl_bytes plain = sample(4 << 20);
    fl_bytes zstd = fl_zstd(fl_bytes_slice(plain), 3);
    for (size_t tenth = 1; tenth < 10; tenth++) {
        fl_slice cut = {zstd.ptr, zstd.len * tenth / 10};
        char path[sizeof(FL_TEMP_PATH)];
        fl_temp_file(path, cut);
        fl_stream *in;
        fl_bytes got;
        err = (fl_error){0};
        ck_assert_ok(fl_stream_open(&in, path, &err));
        ck_assert_fails(FL_E_TRUNCATED, drain(in, 1 << 18, &got));
        ck_assert_uint_ge(got.len + (256 << 10), plain.len * tenth / 10);
        ck_assert_mem_eq(got.ptr, plain.ptr, got.len);
        free(got.ptr);
        fl_stream_close(in);
        unlink(path);
    }
    free(plain.ptr);
    free(zstd.ptr);
}
END_TEST

START_TEST(what_stands_before_the_damage_is_read_whatever_the_size_of_the_reads)
{
    fl_bytes plain = sample(1 << 20);
    fl_bytes packed[] = {fl_zstd(fl_bytes_slice(plain), 3), fl_gzip(fl_bytes_slice(plain))};
    for (size_t i = 0; i < 2; i++) {
        static const size_t steps[] = {1 << 18, 4 << 20, 1000, 13};
        uint64_t good = 0;
        memset(packed[i].ptr + packed[i].len * 3 / 4, 0xff, 64);
        for (size_t j = 0; j < 4; j++) {
            fl_stream *in;
            fl_bytes got;
            err = (fl_error){0};
            ck_assert_ok(fl_stream_over(&in, fl_bytes_slice(packed[i]), "x", &err));
            ck_assert_fails(FL_E_SYNTAX, drain(in, steps[j], &got));
            good = j == 0 ? got.len : good;
            ck_assert_uint_eq(got.len, good);
            ck_assert_uint_eq(err.offset, good);
            ck_assert_uint_ge(got.len, plain.len / 2);
            ck_assert_mem_eq(got.ptr, plain.ptr, plain.len / 2);
            free(got.ptr);
            fl_stream_close(in);
        }
        free(packed[i].ptr);
    }
    free(plain.ptr);
}
END_TEST

#define GZIP_OF_A "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0"
#define ZSTD_OF_A "\x28\xb5\x2f\xfd\x20\x01\x09\0\0\x61"

static const struct {
    fl_slice bytes;
    fl_status status;
    uint64_t offset;
    const char *message;
} malformed[] = {
    {BYTES_INIT("\x1f\x8b"), FL_E_TRUNCATED, 0, "x is truncated: it ends inside a gzip member"},
    {BYTES_INIT("\x1f\x8b\x07\0\0\0\0\0\0\x03"), FL_E_SYNTAX, 0,
     "x: corrupt gzip data: unknown compression method"},
    {BYTES_INIT("\x1f\x8b\x08\xe0\0\0\0\0\0\x03"), FL_E_SYNTAX, 0,
     "x: corrupt gzip data: unknown header flags set"},
    {BYTES_INIT("\x1f\x8b\x08\0\0\0\0\0\0\x03\x07"), FL_E_SYNTAX, 0,
     "x: corrupt gzip data: invalid block type"},
    {BYTES_INIT("\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe9\x01\0\0\0"), FL_E_SYNTAX, 1,
     "x: corrupt gzip data: incorrect data check"},
    {BYTES_INIT("\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x02\0\0\0"), FL_E_SYNTAX, 1,
     "x: corrupt gzip data: incorrect length check"},
    {BYTES_INIT(GZIP_OF_A "b"), FL_E_SYNTAX, 1,
     "x: the bytes after its last gzip member are not another one"},
    {BYTES_INIT(GZIP_OF_A "\x1f"), FL_E_TRUNCATED, 1,
     "x is truncated: it ends inside a gzip member"},
    {BYTES_INIT(GZIP_OF_A ZSTD_OF_A), FL_E_SYNTAX, 1,
     "x: the bytes after its last gzip member are not another one"},
    {BYTES_INIT("\x28\xb5\x2f\xfd"), FL_E_TRUNCATED, 0,
     "x is truncated: it ends inside a zstd frame"},
    {BYTES_INIT("\x28\xb5\x2f\xfd\x20\x01\x0f\0\0\x61"), FL_E_SYNTAX, 0,
     "x: corrupt zstd data: Data corruption detected"},
    {BYTES_INIT("\x28\xb5\x2f\xfd\x08\x00\x09\0\0\x61"), FL_E_SYNTAX, 0,
     "x: corrupt zstd data: Unsupported frame parameter"},
    {BYTES_INIT("\x28\xb5\x2f\xfd\x00\x90\x09\0\0\x61"), FL_E_LIMIT, 0,
     "x: its zstd window is larger than 128 MiB"},
    {BYTES_INIT("\x28\xb5\x2f\xfd\x21\x07\x01\x09\0\0\x61"), FL_E_UNSUPPORTED, 0,
     "x: it needs a zstd dictionary"},
    {BYTES_INIT(ZSTD_OF_A "b"), FL_E_SYNTAX, 1,
     "x: the bytes after its last zstd frame are not another one"},
    {BYTES_INIT(ZSTD_OF_A "\x28\xb5\x2f"), FL_E_TRUNCATED, 1,
     "x is truncated: it ends inside a zstd frame"},
    {BYTES_INIT(ZSTD_OF_A "\x5a\x2a"), FL_E_TRUNCATED, 1,
     "x is truncated: it ends inside a zstd frame"},
    /* a frame of zstd 0.7, which the library could read */
    {BYTES_INIT(ZSTD_OF_A "\x27\xb5\x2f\xfd\x20\x01\x09\0\0\x61"), FL_E_SYNTAX, 1,
     "x: the bytes after its last zstd frame are not another one"},
};

START_TEST(malformed_input_is_named_exactly)
{
    fl_stream *in;
    fl_bytes got;
    ck_assert_ok(fl_stream_over(&in, malformed[_i].bytes, "x", &err));
    ck_assert_fails(malformed[_i].status, drain(in, 100, &got));
    ck_assert_str_eq(err.message, malformed[_i].message);
    ck_assert_uint_eq(err.offset, malformed[_i].offset);
    ck_assert_uint_eq(got.len, malformed[_i].offset);
    /* The failure is sticky, and whole for a caller that asks again. */
    fl_error again = {0};
    size_t len = 1;
    ck_assert_fails(malformed[_i].status, fl_stream_read(in, got.ptr, 1, &len, &again));
    ck_assert_uint_eq(len, 0);
    ck_assert_str_eq(again.message, malformed[_i].message);
    free(got.ptr);
    fl_stream_close(in);
}
END_TEST

/* `total` zeros in one gzip member or zstd frame, made piecewise. */
static fl_bytes gzip_bomb(size_t total)
{
    static unsigned char zeros[1 << 16];
    size_t cap = total / 900 + 1000;
    fl_bytes out = {.ptr = malloc(cap)};
    z_stream z = {.next_out = out.ptr, .avail_out = (uInt)cap};
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    for (size_t done = 0; done < total; done += sizeof(zeros)) {
        z.next_in = zeros;
        z.avail_in = sizeof(zeros);
        ck_assert_int_eq(deflate(&z, Z_NO_FLUSH), Z_OK);
    }
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.len = cap - z.avail_out;
    deflateEnd(&z);
    return out;
}

static void assert_bomb(fl_slice packed)
{
    static unsigned char block[1 << 18];
    fl_stream *in;
    ck_assert_ok(fl_stream_over(&in, packed, "bomb", &err));
    uint64_t total = 0;
    size_t got;
    fl_status status;
    while ((status = fl_stream_read(in, block, sizeof(block), &got, &err)) == FL_OK && got > 0)
        total += got;
    ck_assert_fails(FL_E_LIMIT, status);
    ck_assert_str_eq(err.message,
                     "bomb expands more than 200 times: refused as a decompression bomb");
    ck_assert_uint_eq(err.offset, total);
    ck_assert_uint_ge(total, FL_STREAM_FREE_BYTES);
    ck_assert_uint_le(total, FL_STREAM_FREE_BYTES + (8u << 20));
    fl_stream_close(in);
}

START_TEST(a_gzip_bomb_is_refused_after_the_free_bytes)
{
    fl_bytes bomb = gzip_bomb((size_t)256 << 20);
    ck_assert_uint_lt(bomb.len, 300000);
    assert_bomb(fl_bytes_slice(bomb));
    free(bomb.ptr);
}
END_TEST

START_TEST(a_zstd_bomb_is_refused_after_the_free_bytes)
{
    fl_bytes zeros = {.ptr = calloc(128, 1 << 20), .len = (size_t)128 << 20};
    fl_bytes bomb = fl_zstd(fl_bytes_slice(zeros), 3);
    ck_assert_uint_lt(bomb.len, 20000);
    assert_bomb(fl_bytes_slice(bomb));
    free(zeros.ptr);
    free(bomb.ptr);
}
END_TEST

/* 32 MiB of zeros compress a thousand times and are small enough to be nobody's bomb. */
START_TEST(a_small_file_may_expand_as_it_likes)
{
    fl_bytes zeros = {.ptr = calloc(32, 1 << 20), .len = (size_t)32 << 20};
    fl_bytes gzip = fl_gzip(fl_bytes_slice(zeros));
    ck_assert_uint_gt(zeros.len / gzip.len, FL_STREAM_MAX_RATIO);
    assert_reads(fl_bytes_slice(gzip), 1 << 20, fl_bytes_slice(zeros));
    free(zeros.ptr);
    free(gzip.ptr);
}
END_TEST

static void assert_cannot_open(const char *path, fl_status status, const char *message)
{
    fl_stream *in = (fl_stream *)&err;
    err = (fl_error){0};
    ck_assert_fails(status, fl_stream_open(&in, path, &err));
    ck_assert_str_eq(err.message, message);
    ck_assert_ptr_null(in);
}

START_TEST(what_is_not_a_file_is_refused_with_the_reason)
{
    char fifo[sizeof(FL_TEMP_PATH)], message[200], longest[400];
    assert_cannot_open("/nonexistent/x", FL_E_NOTFOUND,
                       "cannot open /nonexistent/x: No such file or directory");
    assert_cannot_open("/tmp", FL_E_IO, "cannot open /tmp: it is a folder");
    assert_cannot_open("/dev/null", FL_E_IO, "cannot open /dev/null: it is not a regular file");
    fl_temp_file(fifo, BYTES(""));
    unlink(fifo);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    snprintf(message, sizeof(message), "cannot open %s: it is not a regular file", fifo);
    assert_cannot_open(fifo, FL_E_IO, message); /* and does not wait for a writer */
    unlink(fifo);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    snprintf(message, sizeof(message), "cannot open ...%s: File name too long",
             longest + sizeof(longest) - 1 - 96);
    assert_cannot_open(longest, FL_E_IO, message);
}
END_TEST

START_TEST(an_unreadable_file_is_refused_with_the_reason)
{
    char path[sizeof(FL_TEMP_PATH)], message[200];
    fl_temp_file(path, BYTES("x"));
    chmod(path, 0);
    if (geteuid() != 0) { /* root may read it */
        snprintf(message, sizeof(message), "cannot open %s: Permission denied", path);
        assert_cannot_open(path, FL_E_IO, message);
    }
    unlink(path);
}
END_TEST

/* A pipe that holds `bytes` and whose writer has gone; the descriptor to read from. */
static int pipe_of(fl_slice bytes)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert(bytes.len <= 65536); /* what a pipe holds */
    ck_assert_int_eq(write(ends[1], bytes.ptr, bytes.len), (ssize_t)bytes.len);
    close(ends[1]);
    return ends[0];
}

START_TEST(a_pipe_is_read_once_whatever_it_holds)
{
    fl_bytes plain = sample(50000);
    const fl_bytes packed[] = {sample(50000), fl_gzip(fl_bytes_slice(plain)),
                               fl_zstd(fl_bytes_slice(plain), 3), sample(3)};
    for (size_t i = 0; i < 8; i++) {
        fl_slice bytes = fl_bytes_slice(packed[i / 2]);
        fl_bytes got = {0};
        fl_stream *in;
        fl_stream_block block = {0};
        fl_slice whole;
        int fd = pipe_of(bytes);
        ck_assert_ok(fl_stream_attach(&in, fd, "pipe", &err));
        if (i % 2 == 0) {
            ck_assert_ok(drain(in, 700, &got));
            whole = fl_bytes_slice(got);
        } else {
            ck_assert_ok(fl_stream_read_all(&whole, &block, in, 1 << 20, &err));
        }
        ck_assert_uint_eq(whole.len, bytes.len == 3 ? 3 : plain.len);
        ck_assert_mem_eq(whole.ptr, plain.ptr, whole.len);
        fl_stream_close(in);
        ck_assert_int_eq(close(fd), 0); /* still the caller's */
        free(got.ptr);
        fl_mem_free(block.ptr);
    }
    for (size_t i = 0; i < 4; i++)
        free(packed[i].ptr);
    free(plain.ptr);
}
END_TEST

START_TEST(what_cannot_be_attached_is_said)
{
    fl_stream *in;
    int folder = open("/tmp", O_RDONLY), empty = pipe_of(BYTES(""));
    ck_assert_fails(FL_E_IO, fl_stream_attach(&in, folder, "x", &err));
    ck_assert_str_eq(err.message, "cannot read x: Is a directory");
    ck_assert_ptr_null(in);
    close(folder);
    err = (fl_error){0};
    ck_assert_fails(FL_E_IO, fl_stream_attach(&in, folder, "x", &err));
    ck_assert_str_eq(err.message, "cannot open x: Bad file descriptor");
    err = (fl_error){0};
    fl_bytes got;
    ck_assert_ok(fl_stream_attach(&in, empty, "x", &err));
    ck_assert_ok(drain(in, 10, &got));
    ck_assert_uint_eq(got.len, 0);
    fl_stream_close(in);
    free(got.ptr);
    close(empty);
}
END_TEST

START_TEST(each_allocation_may_fail_while_attaching)
{
    fl_bytes plain = sample(20000), packed = fl_zstd(fl_bytes_slice(plain), 3);
    fl_status status = FL_E_NOMEM;
    for (long allowed = 0; status != FL_OK; allowed++) {
        fl_stream *in;
        fl_bytes got = {0};
        int fd = pipe_of(fl_bytes_slice(packed));
        err = (fl_error){0};
        fl_mem_fail_after(allowed);
        status = fl_stream_attach(&in, fd, "x", &err);
        if (status == FL_OK) {
            status = drain(in, 10000, &got);
            fl_stream_close(in);
        }
        fl_mem_fail_after(-1);
        free(got.ptr);
        close(fd);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_eq(err.status, status);
        ck_assert_int_lt(allowed, 20);
    }
    free(plain.ptr);
    free(packed.ptr);
}
END_TEST

START_TEST(each_allocation_may_fail_while_opening_and_reading)
{
    fl_bytes plain = sample(200000);
    fl_bytes packed[] = {sample(200000), fl_gzip(fl_bytes_slice(plain)),
                         fl_zstd(fl_bytes_slice(plain), 3)};
    for (size_t i = 0; i < 3; i++) {
        char path[sizeof(FL_TEMP_PATH)];
        fl_temp_file(path, fl_bytes_slice(packed[i]));
        fl_status status = FL_E_NOMEM;
        for (long allowed = 0; status != FL_OK; allowed++) {
            fl_stream *in;
            fl_bytes got = {0};
            err = (fl_error){0};
            fl_mem_fail_after(allowed);
            status = fl_stream_open(&in, path, &err);
            if (status == FL_OK) {
                status = drain(in, 10000, &got);
                fl_stream_close(in);
            }
            fl_mem_fail_after(-1);
            free(got.ptr);
            ck_assert(status == FL_OK || status == FL_E_NOMEM);
            ck_assert_int_eq(err.status, status);
            ck_assert_int_lt(allowed, 20);
        }
        unlink(path);
        free(packed[i].ptr);
    }
    free(plain.ptr);
}
END_TEST

static Suite *stream_suite(void)
{
    Suite *suite = suite_create("base/stream");
    TCase *cases = tcase_create("stream");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, the_kind_is_told_by_the_first_bytes);
    tcase_add_test(cases, an_empty_input_has_no_bytes_whatever_holds_it);
    tcase_add_test(cases, members_and_frames_that_follow_each_other_are_one_stream);
    tcase_add_test(cases, every_prefix_gives_what_was_good_and_then_says_truncated);
    tcase_add_test(cases, a_big_truncated_file_gives_most_of_its_text);
    tcase_add_test(cases, what_stands_before_the_damage_is_read_whatever_the_size_of_the_reads);
    tcase_add_loop_test(cases, malformed_input_is_named_exactly, 0,
                        (int)(sizeof(malformed) / sizeof(malformed[0])));
    tcase_add_test(cases, a_gzip_bomb_is_refused_after_the_free_bytes);
    tcase_add_test(cases, a_zstd_bomb_is_refused_after_the_free_bytes);
    tcase_add_test(cases, a_small_file_may_expand_as_it_likes);
    tcase_add_test(cases, what_is_not_a_file_is_refused_with_the_reason);
    tcase_add_test(cases, an_unreadable_file_is_refused_with_the_reason);
    tcase_add_test(cases, a_pipe_is_read_once_whatever_it_holds);
    tcase_add_test(cases, what_cannot_be_attached_is_said);
    tcase_add_test(cases, each_allocation_may_fail_while_attaching);
    tcase_add_test(cases, each_allocation_may_fail_while_opening_and_reading);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(stream_suite)
