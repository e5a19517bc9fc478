#include "fl_squeeze.h"
#include "fl_test.h"
#include "mem.h"
#include "stream.h"

#include "faultline/limits.h"

static fl_error err;
static fl_stream_block block;

static void setup(void)
{
    err = (fl_error){0};
    block = (fl_stream_block){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_mem_free(block.ptr);
}

/* Lines of noise that compress about 4 times. */
static fl_bytes sample(size_t len)
{
    unsigned char *out = malloc(len);
    uint32_t noise = 1;
    for (size_t i = 0; i < len; i++) {
        noise = noise * 1664525u + 1013904223u;
        out[i] = i % 61 == 60 ? '\n' : (unsigned char)("abcdefghijklmnop"[noise >> 24 & 3]);
    }
    return (fl_bytes){.ptr = out, .len = len};
}

/* What reading step by step says, which is what reading whole has to say. */
static fl_status read_stepwise(fl_bytes *out, fl_slice packed, size_t most, fl_error *why)
{
    fl_stream *in;
    size_t cap = 1 << 16, got = 1;
    fl_status status = fl_stream_over(&in, packed, "x", why);
    *out = (fl_bytes){.ptr = malloc(cap)};
    while (status == FL_OK && got > 0 && out->len <= most) {
        if (out->len == cap)
            out->ptr = realloc(out->ptr, cap *= 2);
        size_t room = cap - out->len;
        status = fl_stream_read(in, out->ptr + out->len,
                                room < most - out->len + 1 ? room : most - out->len + 1, &got, why);
        out->len += got;
    }
    fl_stream_close(in);
    return status;
}

/* Out of memory and out of a file. */
static void assert_same(fl_slice packed, size_t most)
{
    fl_bytes expected;
    fl_error why = {0};
    fl_status status = read_stepwise(&expected, packed, most, &why);
    char path[sizeof(FL_TEMP_PATH)];
    fl_temp_file(path, packed);
    for (int from_file = 0; from_file < 2; from_file++) {
        fl_stream *in;
        fl_slice got;
        err = (fl_error){0};
        if (from_file)
            ck_assert_ok(fl_stream_open(&in, path, &err));
        else
            ck_assert_ok(fl_stream_over(&in, packed, "x", &err));
        ck_assert_int_eq(fl_stream_read_all(&got, &block, in, most, &err), status);
        fl_stream_close(in);
        ck_assert_int_eq(err.status, status);
        ck_assert_uint_eq(err.offset, why.offset);
        if (!from_file)
            ck_assert_str_eq(err.message, why.message);
        ck_assert_uint_eq(got.len, status == FL_OK ? expected.len : 0);
        if (got.len > 0)
            ck_assert_mem_eq(got.ptr, expected.ptr, got.len);
    }
    unlink(path);
    free(expected.ptr);
}

START_TEST(every_kind_and_size_is_read_whole)
{
    static const size_t sizes[] = {0, 1, 4095, 65536, 65537, 1000003};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fl_bytes plain = sample(sizes[i]), gzip = fl_gzip(fl_bytes_slice(plain));
        fl_bytes zstd = fl_zstd(fl_bytes_slice(plain), 3);
        assert_same(fl_bytes_slice(plain), 1 << 20);
        assert_same(fl_bytes_slice(gzip), 1 << 20);
        assert_same(fl_bytes_slice(zstd), 1 << 20);
        free(plain.ptr);
        free(gzip.ptr);
        free(zstd.ptr);
    }
}
END_TEST

START_TEST(members_that_follow_each_other_are_one_whatever_the_last_one_says)
{
    fl_bytes plain = sample(900000);
    fl_bytes a = fl_gzip(fl_bytes_slice(plain)), none = fl_gzip(BYTES(""));
    fl_bytes ab = fl_joined(fl_bytes_slice(a), fl_bytes_slice(none)); /* its guess is 0 */
    fl_bytes aba = fl_joined(fl_bytes_slice(ab), fl_bytes_slice(a));
    assert_same(fl_bytes_slice(ab), 2 << 20);
    assert_same(fl_bytes_slice(aba), 2 << 20);
    free(plain.ptr);
    free(a.ptr);
    free(none.ptr);
    free(ab.ptr);
    free(aba.ptr);
}
END_TEST

START_TEST(more_than_is_wanted_is_seen_by_one_byte)
{
    fl_bytes plain = sample(100000), gzip = fl_gzip(fl_bytes_slice(plain));
    for (size_t most = 99998; most <= 100001; most++) {
        assert_same(fl_bytes_slice(plain), most);
        assert_same(fl_bytes_slice(gzip), most);
    }
    free(plain.ptr);
    free(gzip.ptr);
}
END_TEST

START_TEST(each_cut_and_each_changed_byte_says_what_reading_in_steps_says)
{
    fl_bytes plain = sample(300), gzip = fl_gzip(fl_bytes_slice(plain));
    for (size_t len = 0; len < gzip.len; len++)
        assert_same((fl_slice){.ptr = gzip.ptr, .len = len}, 1 << 20);
    for (size_t at = 0; at < gzip.len; at++) {
        unsigned char was = gzip.ptr[at];
        static const unsigned char changes[] = {1, 2, 4, 0x80, 0xff};
        for (size_t i = 0; i < sizeof(changes); i++) {
            gzip.ptr[at] = was ^ changes[i];
            assert_same(fl_bytes_slice(gzip), 1 << 20);
        }
        gzip.ptr[at] = was;
    }
    fl_bytes with_garbage = fl_joined(fl_bytes_slice(gzip), BYTES("\x1f\x8b garbage"));
    assert_same(fl_bytes_slice(with_garbage), 1 << 20);
    with_garbage.len -= 9;
    assert_same(fl_bytes_slice(with_garbage), 1 << 20);
    free(plain.ptr);
    free(gzip.ptr);
    free(with_garbage.ptr);
}
END_TEST

/* RFC 1952: the low half of the CRC of the header, behind it. */
START_TEST(the_checksum_of_a_header_counts)
{
    fl_bytes gzip = fl_gzip(BYTES("text"));
    static const size_t header_bytes = 10;
    gzip.ptr[3] |= 2;
    unsigned long crc = crc32(0, gzip.ptr, (uInt)header_bytes);
    unsigned char sum[2] = {crc & 0xff, crc >> 8 & 0xff};
    fl_slice body = {gzip.ptr + header_bytes, gzip.len - header_bytes};
    for (int wrong = 0; wrong < 2; wrong++) {
        sum[0] ^= (unsigned char)wrong;
        fl_bytes head = fl_joined((fl_slice){gzip.ptr, header_bytes}, (fl_slice){sum, 2});
        fl_bytes all = fl_joined(fl_bytes_slice(head), body);
        assert_same(fl_bytes_slice(all), 1 << 20);
        ck_assert_int_eq(err.status, wrong ? FL_E_SYNTAX : FL_OK);
        free(head.ptr);
        free(all.ptr);
    }
    free(gzip.ptr);
}
END_TEST

START_TEST(what_expands_beyond_the_free_bytes_goes_by_the_rule_about_bombs)
{
    fl_bytes zeros = {.ptr = calloc(80, 1 << 20), .len = (size_t)80 << 20};
    fl_bytes bomb = fl_gzip(fl_bytes_slice(zeros));
    fl_stream *in;
    fl_slice got;
    ck_assert_ok(fl_stream_over(&in, fl_bytes_slice(bomb), "bomb", &err));
    ck_assert_fails(FL_E_LIMIT, fl_stream_read_all(&got, &block, in, 512 << 20, &err));
    ck_assert_str_eq(err.message,
                     "bomb expands more than 200 times: refused as a decompression bomb");
    ck_assert_uint_le(block.cap, 2 * FL_STREAM_FREE_BYTES);
    fl_stream_close(in);
    free(zeros.ptr);
    free(bomb.ptr);
}
END_TEST

START_TEST(what_is_large_and_no_bomb_is_read_whole_too)
{
    enum { TIMES = 66 };
    fl_bytes plain = sample(1 << 20), one = fl_gzip(fl_bytes_slice(plain));
    fl_bytes all = {.ptr = malloc(one.len * TIMES)};
    for (int i = 0; i < TIMES; i++, all.len += one.len)
        memcpy(all.ptr + all.len, one.ptr, one.len);
    fl_stream *in;
    fl_slice got;
    ck_assert_ok(fl_stream_over(&in, fl_bytes_slice(all), "x", &err));
    ck_assert_ok(fl_stream_read_all(&got, &block, in, 512 << 20, &err));
    ck_assert_uint_eq(got.len, (size_t)TIMES << 20);
    ck_assert_mem_eq(got.ptr + ((size_t)(TIMES - 1) << 20), plain.ptr, plain.len);
    fl_stream_close(in);
    free(plain.ptr);
    free(one.ptr);
    free(all.ptr);
}
END_TEST

START_TEST(a_small_file_that_claims_gigabytes_gets_little_room)
{
    fl_bytes gzip = fl_gzip(BYTES("text"));
    memset(gzip.ptr + gzip.len - 4, 0xff, 4);
    assert_same(fl_bytes_slice(gzip), 512 << 20);
    ck_assert_int_eq(err.status, FL_E_SYNTAX);
    ck_assert_uint_le(block.cap, 1 << 20);
    free(gzip.ptr);
}
END_TEST

START_TEST(each_allocation_may_fail)
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
            fl_slice got = {0};
            err = (fl_error){0};
            fl_mem_fail_after(allowed);
            status = fl_stream_open(&in, path, &err);
            if (status == FL_OK) {
                status = fl_stream_read_all(&got, &block, in, 1 << 20, &err);
                fl_stream_close(in);
            }
            fl_mem_fail_after(-1);
            fl_mem_free(block.ptr);
            block = (fl_stream_block){0};
            ck_assert(status == FL_OK || status == FL_E_NOMEM);
            ck_assert_int_eq(err.status, status);
            ck_assert_uint_eq(got.len, status == FL_OK ? plain.len : 0);
            ck_assert_int_lt(allowed, 30);
        }
        unlink(path);
        free(packed[i].ptr);
    }
    free(plain.ptr);
}
END_TEST

static Suite *stream_whole_suite(void)
{
    Suite *suite = suite_create("base/stream_whole");
    TCase *cases = tcase_create("stream_whole");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, every_kind_and_size_is_read_whole);
    tcase_add_test(cases, members_that_follow_each_other_are_one_whatever_the_last_one_says);
    tcase_add_test(cases, more_than_is_wanted_is_seen_by_one_byte);
    tcase_add_test(cases, each_cut_and_each_changed_byte_says_what_reading_in_steps_says);
    tcase_add_test(cases, the_checksum_of_a_header_counts);
    tcase_add_test(cases, what_expands_beyond_the_free_bytes_goes_by_the_rule_about_bombs);
    tcase_add_test(cases, what_is_large_and_no_bomb_is_read_whole_too);
    tcase_add_test(cases, a_small_file_that_claims_gigabytes_gets_little_room);
    tcase_add_test(cases, each_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(stream_whole_suite)
