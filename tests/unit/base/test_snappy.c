/*
 * Snappy blocks: recorded ones, each kind of element, and what is refused.
 */
#include "snappy.h"

#include "fl_file.h"
#include "fl_test.h"
#include "made_snappy.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_arena arena;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

/* clang-format off */
static const struct {
    fl_slice block, plain;
} good[] = {
    {BYTES_INIT("\x00"), BYTES_INIT("")},
    {BYTES_INIT("\x01\x00" "a"), BYTES_INIT("a")},
    {BYTES_INIT("\x03\x08" "abc"), BYTES_INIT("abc")},
    {BYTES_INIT("\x80\x00"), BYTES_INIT("")}, /* a length that is longer than it need be */
    {BYTES_INIT("\x03\xf0\x02" "abc"), BYTES_INIT("abc")},
    {BYTES_INIT("\x03\xf4\x02\x00" "abc"), BYTES_INIT("abc")},
    {BYTES_INIT("\x03\xf8\x02\x00\x00" "abc"), BYTES_INIT("abc")},
    {BYTES_INIT("\x03\xfc\x02\x00\x00\x00" "abc"), BYTES_INIT("abc")},
    {BYTES_INIT("\x07\x08" "abc" "\x01\x03"), BYTES_INIT("abcabca")},
    {BYTES_INIT("\x05\x08" "abc" "\x06\x03\x00"), BYTES_INIT("abcab")},
    {BYTES_INIT("\x05\x08" "abc" "\x07\x03\x00\x00\x00"), BYTES_INIT("abcab")},
    {BYTES_INIT("\x06\x00" "a" "\x12\x01\x00"), BYTES_INIT("aaaaaa")},
};

static const struct {
    fl_slice block;
    fl_status status;
    uint64_t offset;
    const char *message;
} bad[] = {
    {BYTES_INIT(""), FL_E_TRUNCATED, 0, "snappy block ends inside its length"},
    {BYTES_INIT("\x80\x80"), FL_E_TRUNCATED, 2, "snappy block ends inside its length"},
    {BYTES_INIT("\xff\xff\xff\xff\x1f"), FL_E_SYNTAX, 0, "snappy block says a length of more than 32 bits"},
    {BYTES_INIT("\xff\xff\xff\xff\xff\x01"), FL_E_SYNTAX, 0, "snappy block says a length of more than 32 bits"},
    {BYTES_INIT("\x81\x80\x40"), FL_E_LIMIT, 0, "snappy block of 1048577 bytes is larger than 1048576"},
    {BYTES_INIT("\xff\xff\x3f\x00" "a"), FL_E_SYNTAX, 0, "snappy block says 1048575 bytes, more than its 5 could hold"},
    {BYTES_INIT("\x03"), FL_E_TRUNCATED, 1, "snappy block holds 0 of the 3 bytes that it says"},
    {BYTES_INIT("\x03\x04" "ab"), FL_E_TRUNCATED, 4, "snappy block holds 2 of the 3 bytes that it says"},
    {BYTES_INIT("\x03\x08" "ab"), FL_E_TRUNCATED, 4, "snappy block ends inside the element at byte 1"},
    {BYTES_INIT("\x03\xfc\x02\x00\x00"), FL_E_TRUNCATED, 5, "snappy block ends inside the element at byte 1"},
    {BYTES_INIT("\x03\xfc\xff\xff\xff\xff" "abc"), FL_E_TRUNCATED, 9, "snappy block ends inside the element at byte 1"},
    {BYTES_INIT("\x02\x08" "abc"), FL_E_SYNTAX, 1, "snappy block holds more than the 2 bytes that it says"},
    {BYTES_INIT("\x04\x08" "abc" "\x06\x03\x00"), FL_E_SYNTAX, 5, "snappy block holds more than the 4 bytes that it says"},
    {BYTES_INIT("\x07\x08" "abc" "\x01\x04"), FL_E_SYNTAX, 5, "snappy copy reaches 4 bytes back where 3 were written"},
    {BYTES_INIT("\x07\x08" "abc" "\x01\x00"), FL_E_SYNTAX, 5, "snappy copy reaches 0 bytes back where 3 were written"},
    {BYTES_INIT("\x07\x08" "abc" "\x0f\xff\xff\xff\xff"), FL_E_SYNTAX, 5, "snappy copy reaches 4294967295 bytes back where 3 were written"},
    {BYTES_INIT("\x07\x08" "abc" "\x01"), FL_E_TRUNCATED, 6, "snappy block ends inside the element at byte 5"},
    {BYTES_INIT("\x07\x08" "abc" "\x02\x03"), FL_E_TRUNCATED, 7, "snappy block ends inside the element at byte 5"},
    {BYTES_INIT("\x07\x08" "abc" "\x03\x03\x00\x00"), FL_E_TRUNCATED, 9, "snappy block ends inside the element at byte 5"},
};
/* clang-format on */

START_TEST(each_kind_of_element_is_read)
{
    fl_slice plain;
    ck_assert_ok(fl_snappy_decode(&plain, good[_i].block, 1 << 20, &arena, &err));
    ck_assert(fl_slice_equal(plain, good[_i].plain));
}
END_TEST

START_TEST(what_is_wrong_is_named_with_its_place)
{
    fl_slice plain;
    ck_assert_fails(bad[_i].status, fl_snappy_decode(&plain, bad[_i].block, 1 << 20, &arena, &err));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_uint_eq(err.offset, bad[_i].offset);
    ck_assert_ptr_null(plain.ptr);
}
END_TEST

/* Near the end of the output and far from it, which are two ways through the decoder. */
START_TEST(copies_of_each_length_and_offset_repeat_what_stands_there)
{
    enum { SEED = 70, TAIL = 200 };
    unsigned char expected[SEED + 64 + TAIL];
    size_t offset = (size_t)_i + 1;
    for (size_t len = 1; len <= 64; len++)
        for (size_t tail = 0; tail <= TAIL; tail += TAIL) {
            fl_buf block = fl_buf_of(4096);
            fl_slice plain;
            for (size_t i = 0; i < SEED; i++)
                expected[i] = (unsigned char)(i * 37 + 11);
            for (size_t i = SEED; i < SEED + len; i++)
                expected[i] = expected[i - offset];
            memset(expected + SEED + len, 'z', tail);
            made_snappy_length(&block, SEED + len + tail);
            made_snappy_literal(&block, (fl_slice){.ptr = expected, .len = SEED});
            made_snappy_copy(&block, offset, len);
            made_snappy_literal(&block, (fl_slice){.ptr = expected + SEED + len, .len = tail});
            ck_assert_ok(fl_snappy_decode(&plain, fl_buf_slice(&block), 1 << 20, &arena, &err));
            ck_assert_uint_eq(plain.len, SEED + len + tail);
            ck_assert_mem_eq(plain.ptr, expected, plain.len);
            fl_arena_reset(&arena);
            fl_buf_dispose(&block);
        }
}
END_TEST

START_TEST(recorded_blocks_are_read)
{
    static const char push[] =
        "{level=\"info\",app=\"checkout\",env=\"prod\",transport=\"snappy\",route=\"/cart\"}";
    fl_bytes loki = fl_file_read("tests/fixtures/receivers/loki_push_winston.snappy");
    fl_bytes write = fl_file_read("tests/fixtures/receivers/remote_write_1.snappy");
    fl_slice plain;
    ck_assert_ok(fl_snappy_decode(&plain, fl_bytes_slice(loki), 1 << 20, &arena, &err));
    ck_assert_uint_lt(fl_slice_find(plain, SLICE(push)), plain.len);
    ck_assert_ok(fl_snappy_decode(&plain, fl_bytes_slice(write), 1 << 20, &arena, &err));
    ck_assert_uint_eq(plain.len, 65025); /* as python-snappy has it; so is the CRC-32 */
    ck_assert_uint_eq(crc32(0, plain.ptr, (uInt)plain.len), 0xc5919203);
    free(loki.ptr);
    free(write.ptr);
}
END_TEST

START_TEST(every_prefix_fails_cleanly)
{
    fl_bytes whole = fl_file_read("tests/fixtures/receivers/remote_write_1.snappy");
    for (size_t len = 0; len < whole.len; len += len < 512 ? 1 : 61) {
        fl_error own = {0};
        fl_slice plain;
        unsigned char *part = malloc(len + 1); /* so that a read past the end is seen */
        memcpy(part, whole.ptr, len);
        fl_status status =
            fl_snappy_decode(&plain, (fl_slice){.ptr = part, .len = len}, 1 << 20, &arena, &own);
        ck_assert(status == FL_E_TRUNCATED || status == FL_E_SYNTAX);
        ck_assert_uint_le(own.offset, len);
        fl_arena_reset(&arena);
        free(part);
    }
    free(whole.ptr);
}
END_TEST

START_TEST(want_of_memory_and_of_budget_are_errors_like_any_other)
{
    fl_slice plain;
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_snappy_decode(&plain,
                                                 BYTES("\x03\x08"
                                                       "abc"),
                                                 1 << 20, &arena, &err));
    fl_mem_fail_after(-1);
    ck_assert_str_eq(err.message, "no memory for a snappy block of 3 bytes");
    fl_arena small = fl_arena_of(2);
    ck_assert_fails(FL_E_NOMEM, fl_snappy_decode(&plain,
                                                 BYTES("\x03\x08"
                                                       "abc"),
                                                 1 << 20, &small, NULL));
    fl_arena_dispose(&small);
}
END_TEST

static Suite *snappy_suite(void)
{
    Suite *suite = suite_create("base/snappy");
    TCase *cases = tcase_create("snappy");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_kind_of_element_is_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_is_named_with_its_place, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, copies_of_each_length_and_offset_repeat_what_stands_there, 0, 70);
    tcase_add_test(cases, recorded_blocks_are_read);
    tcase_add_test(cases, every_prefix_fails_cleanly);
    tcase_add_test(cases, want_of_memory_and_of_budget_are_errors_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(snappy_suite)
