#include "gzip.h"

#include "fl_test.h"
#include "mem.h"
#include "slice.h"
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

/* Read back by the other half of the pair. */
static void assert_back(const fl_buf *packed, fl_slice bytes)
{
    fl_stream *in;
    fl_buf out = fl_buf_of(8 << 20);
    unsigned char part[4096];
    size_t got = 1;
    ck_assert_ok(fl_stream_over(&in, fl_buf_slice(packed), "packed", &err));
    while (got > 0) {
        ck_assert_ok(fl_stream_read(in, part, sizeof(part), &got, &err));
        fl_buf_add(&out, (fl_slice){.ptr = part, .len = got});
    }
    ck_assert(fl_slice_equal(fl_buf_slice(&out), bytes));
    fl_stream_close(in);
    fl_buf_dispose(&out);
}

/* Some repetition, some noise, and more than one step of it. */
static fl_buf sample(size_t len)
{
    fl_buf out = fl_buf_of(len);
    uint32_t noise = 1;
    for (size_t i = 0; i < len; i++) {
        noise = noise * 1664525 + 1013904223;
        fl_buf_char(&out, i % 3 == 0 ? (char)(noise >> 24) : 'x');
    }
    return out;
}

START_TEST(what_is_packed_is_read_back)
{
    static const size_t lengths[] = {0, 1, 100, 65536, 1 << 20};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        fl_buf text = sample(lengths[i]), packed = fl_buf_of(2 << 20);
        ck_assert_ok(fl_gzip_add(&packed, fl_buf_slice(&text), 6, &err));
        assert_back(&packed, fl_buf_slice(&text));
        fl_buf_dispose(&text);
        fl_buf_dispose(&packed);
    }
}
END_TEST

START_TEST(the_same_bytes_give_the_same_member)
{
    fl_buf a = fl_buf_of(1000), b = fl_buf_of(1000);
    ck_assert_ok(fl_gzip_add(&a, FL_SLICE("hello, hello, hello"), 9, &err));
    ck_assert_ok(fl_gzip_add(&b, FL_SLICE("hello, hello, hello"), 9, &err));
    ck_assert(fl_slice_equal(fl_buf_slice(&a), fl_buf_slice(&b)));
    fl_buf_dispose(&a);
    fl_buf_dispose(&b);
}
END_TEST

START_TEST(a_member_beyond_the_room_is_refused)
{
    fl_buf text = sample(100000), packed = fl_buf_of(1000);
    ck_assert_int_eq(fl_gzip_add(&packed, fl_buf_slice(&text), 6, &err), FL_E_LIMIT);
    ck_assert_str_eq(err.message, "a compressed answer is larger than 1000 bytes");
    fl_buf_dispose(&text);
    fl_buf_dispose(&packed);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_buf text = sample(100000);
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_buf packed = fl_buf_of(1 << 20);
        ck_assert_int_lt(n, 100);
        fl_mem_fail_after(n);
        status = fl_gzip_add(&packed, fl_buf_slice(&text), 6, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_buf_dispose(&packed);
    }
    fl_buf_dispose(&text);
}
END_TEST

static Suite *gzip_suite(void)
{
    Suite *suite = suite_create("base/gzip");
    TCase *cases = tcase_create("gzip");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, what_is_packed_is_read_back);
    tcase_add_test(cases, the_same_bytes_give_the_same_member);
    tcase_add_test(cases, a_member_beyond_the_room_is_refused);
    tcase_add_test(cases, every_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(gzip_suite)
