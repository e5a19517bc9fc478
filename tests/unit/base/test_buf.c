#include "buf.h"

#include "fl_test.h"
#include "mem.h"

static fl_buf buf;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    buf = fl_buf_of(1000);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&buf);
}

START_TEST(writes_follow_each_other)
{
    ck_assert_uint_eq(fl_buf_slice(&buf).len, 0);
    fl_buf_text(&buf, "one");
    fl_buf_char(&buf, ' ');
    fl_buf_add(&buf, BYTES("t\0wo"));
    fl_buf_printf(&buf, " %d%s", 3, "!");
    fl_buf_add(&buf, (fl_slice){0});
    fl_buf_text(&buf, "");
    ck_assert_ok(fl_buf_check(&buf, "a text", &err));
    ck_assert_uint_eq(buf.len, 11);
    ck_assert_mem_eq(buf.ptr, "one t\0wo 3!", 12); /* with the NUL */
    ck_assert_ptr_eq(fl_buf_slice(&buf).ptr, (unsigned char *)buf.ptr);
}
END_TEST

START_TEST(a_text_may_fill_the_ceiling_exactly)
{
    for (int i = 0; i < 1000; i++)
        fl_buf_char(&buf, (char)('a' + i % 26));
    ck_assert_ok(fl_buf_check(&buf, "a text", &err));
    ck_assert_uint_eq(buf.len, 1000);
    ck_assert_uint_eq(strlen(buf.ptr), 1000);
    fl_buf_char(&buf, 'x');
    ck_assert_fails(FL_E_LIMIT, fl_buf_check(&buf, "a text", &err));
    ck_assert_str_eq(err.message, "a text is larger than 1000 bytes");
}
END_TEST

START_TEST(a_write_over_the_ceiling_changes_nothing_and_sticks)
{
    fl_buf_text(&buf, "kept");
    fl_buf_printf(&buf, "%997d", 1);
    ck_assert_str_eq(buf.ptr, "kept");
    ck_assert_fails(FL_E_LIMIT, buf.status);
    fl_buf_char(&buf, 'x');
    fl_buf_text(&buf, "x");
    fl_buf_printf(&buf, "x");
    ck_assert_str_eq(buf.ptr, "kept");
    fl_buf_clear(&buf);
    fl_buf_printf(&buf, "%1000d", 1);
    ck_assert_ok(fl_buf_check(&buf, "a text", &err));
    ck_assert_uint_eq(buf.len, 1000);
}
END_TEST

START_TEST(a_cleared_buffer_keeps_its_memory)
{
    fl_buf_clear(&buf); /* of one that was never written */
    fl_buf_printf(&buf, "%900d", 1);
    fl_buf_clear(&buf);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert_str_eq(buf.ptr, "");
    fl_mem_fail_after(0);
    fl_buf_printf(&buf, "%900d", 1);
    ck_assert_ok(fl_buf_check(&buf, "a text", &err));
    fl_buf_dispose(&buf);
    ck_assert_ptr_null(buf.ptr);
    ck_assert_uint_eq(buf.max_bytes, 1000);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    for (long allowed = 0; allowed < 3; allowed++) {
        fl_buf other = fl_buf_of(10000);
        err = (fl_error){0};
        fl_mem_fail_after(allowed);
        fl_buf_text(&other, "start");
        fl_buf_printf(&other, "%300d", 1);
        for (int i = 0; i < 500; i++)
            fl_buf_char(&other, 'x');
        fl_mem_fail_after(-1);
        ck_assert_fails(FL_E_NOMEM, fl_buf_check(&other, "a text", &err));
        ck_assert_str_eq(err.message, "no memory for a text");
        ck_assert_uint_eq(other.len, allowed == 0 ? 0 : allowed == 1 ? 5 : 511);
        if (other.ptr != NULL)
            ck_assert_uint_eq(strlen(other.ptr), other.len);
        fl_buf_dispose(&other);
    }
}
END_TEST

static Suite *buf_suite(void)
{
    Suite *suite = suite_create("base/buf");
    TCase *cases = tcase_create("buf");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, writes_follow_each_other);
    tcase_add_test(cases, a_text_may_fill_the_ceiling_exactly);
    tcase_add_test(cases, a_write_over_the_ceiling_changes_nothing_and_sticks);
    tcase_add_test(cases, a_cleared_buffer_keeps_its_memory);
    tcase_add_test(cases, each_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(buf_suite)
