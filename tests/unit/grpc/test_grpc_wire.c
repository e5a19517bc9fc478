#include "grpc_wire.h"

#include "fl_test.h"
#include "mem.h"
#include "proto.h"
#include "slice.h"

static fl_error err;
static fl_grpc_message message;
static fl_buf out;

static void setup(void)
{
    err = (fl_error){0};
    message = fl_grpc_message_of(1000);
    out = fl_buf_of(8192);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_grpc_message_dispose(&message);
    fl_buf_dispose(&out);
}

static const fl_slice hello = BYTES_INIT("\0\0\0\0\5hello");

START_TEST(a_message_comes_in_pieces_of_any_size)
{
    for (size_t piece = 1; piece <= hello.len; piece++) {
        for (size_t at = 0; at < hello.len; at += piece) {
            size_t end = at + piece < hello.len ? at + piece : hello.len;
            ck_assert_ok(fl_grpc_message_add(&message, fl_slice_part(hello, at, end), &err));
        }
        ck_assert_ok(fl_grpc_message_end(&message, &err));
        ck_assert(fl_slice_equal(fl_buf_slice(&message.body), SLICE("hello")));
        ck_assert(!message.is_packed);
        fl_grpc_message_dispose(&message);
    }
}
END_TEST

START_TEST(the_flag_says_compressed_and_an_empty_message_is_one)
{
    ck_assert_ok(fl_grpc_message_add(&message, BYTES("\1\0\0\0\0"), &err));
    ck_assert_ok(fl_grpc_message_end(&message, &err));
    ck_assert(message.is_packed);
    ck_assert_uint_eq(message.body.len, 0);
}
END_TEST

START_TEST(every_prefix_of_a_message_is_truncated)
{
    for (size_t len = 0; len < hello.len; len++) {
        err = (fl_error){0};
        ck_assert_ok(fl_grpc_message_add(&message, fl_slice_part(hello, 0, len), &err));
        ck_assert_fails(FL_E_TRUNCATED, fl_grpc_message_end(&message, &err));
        ck_assert_uint_eq(err.offset, len);
        fl_grpc_message_dispose(&message);
    }
}
END_TEST

static const struct bad_message {
    fl_slice bytes;
    fl_status status;
    uint64_t offset;
    const char *message;
} bad_messages[] = {
    {BYTES_INIT(""), FL_E_TRUNCATED, 0, "the call has no message"},
    {BYTES_INIT("\0\0\0"), FL_E_TRUNCATED, 3, "the call ends in its message's prefix"},
    {BYTES_INIT("\0\0\0\0\2x"), FL_E_TRUNCATED, 6,
     "the call ends after 1 of 2 bytes of its message"},
    {BYTES_INIT("\2\0\0\0\0"), FL_E_SYNTAX, 0, "a message begins with flag 2, which is none"},
    {BYTES_INIT("\xff\0\0\0\0"), FL_E_SYNTAX, 0, "a message begins with flag 255, which is none"},
    {BYTES_INIT("\0\0\0\3\xe9"), FL_E_LIMIT, 0, "a message of 1001 bytes is larger than 1000"},
    {BYTES_INIT("\0\xff\xff\xff\xff"), FL_E_LIMIT, 0,
     "a message of 4294967295 bytes is larger than 1000"},
    {BYTES_INIT("\0\0\0\0\1xy"), FL_E_SYNTAX, 6,
     "there are bytes behind the one message of a unary call"},
    {BYTES_INIT("\0\0\0\0\0\0\0\0\0\0"), FL_E_SYNTAX, 5,
     "there are bytes behind the one message of a unary call"},
};

START_TEST(malformed_messages_are_refused_with_their_reason)
{
    const struct bad_message *bad = &bad_messages[_i];
    fl_status status = fl_grpc_message_add(&message, bad->bytes, &err);
    if (status == FL_OK)
        status = fl_grpc_message_end(&message, &err);
    ck_assert_fails(bad->status, status);
    ck_assert_str_eq(bad->message, err.message);
    ck_assert_uint_eq(bad->offset, err.offset);
}
END_TEST

START_TEST(a_message_survives_each_allocation_failing)
{
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_grpc_message_add(&message, hello, &err));
    ck_assert_str_eq("no memory for a message", err.message);
}
END_TEST

static const struct timeout {
    const char *text;
    int64_t ns; /* -1: refused */
    uint64_t offset;
} timeouts[] = {
    {"1S", 1000000000, 0},
    {"100m", 100000000, 0},
    {"7u", 7000, 0},
    {"99999999n", 99999999, 0},
    {"2M", 120000000000, 0},
    {"1H", 3600000000000, 0},
    {"99999999H", INT64_MAX, 0},
    {"0S", 0, 0},
    {"", -1, 0},
    {"S", -1, 0},
    {"1", -1, 1},
    {"1s", -1, 1},
    {"123456789S", -1, 8},
    {"-1S", -1, 0},
    {"1 S", -1, 1},
    {"1SS", -1, 1},
};

START_TEST(timeouts_are_digits_and_a_unit)
{
    const struct timeout *timeout = &timeouts[_i];
    int64_t ns = 0;
    fl_status status = fl_grpc_timeout_read(&ns, fl_slice_of(timeout->text), &err);
    if (timeout->ns >= 0) {
        ck_assert_ok(status);
        ck_assert_int_eq(timeout->ns, ns);
        return;
    }
    ck_assert_fails(FL_E_SYNTAX, status);
    ck_assert_str_eq("grpc-timeout is not 1 to 8 digits and one of H M S m u n", err.message);
    ck_assert_uint_eq(timeout->offset, err.offset);
}
END_TEST

START_TEST(messages_are_percent_encoded_as_the_protocol_says)
{
    fl_grpc_percent(&out, SLICE("50 % of \"it\"\n\xc3\xa9~\x7f"));
    ck_assert_str_eq("50 %25 of \"it\"%0A%C3%A9~%7F", out.ptr);
}
END_TEST

START_TEST(messages_are_cut)
{
    char long_text[FL_GRPC_TEXT_BYTES + 10];
    memset(long_text, 'a', sizeof(long_text));
    fl_grpc_percent(&out, (fl_slice){.ptr = (unsigned char *)long_text, .len = sizeof(long_text)});
    ck_assert_uint_eq(FL_GRPC_TEXT_BYTES, out.len);
}
END_TEST

static const struct mapping {
    unsigned http;
    fl_grpc_code code;
} mappings[] = {
    {200, FL_GRPC_OK},
    {202, FL_GRPC_OK},
    {204, FL_GRPC_OK},
    {302, FL_GRPC_INTERNAL},
    {400, FL_GRPC_INVALID_ARGUMENT},
    {401, FL_GRPC_UNAUTHENTICATED},
    {403, FL_GRPC_PERMISSION_DENIED},
    {404, FL_GRPC_UNIMPLEMENTED},
    {405, FL_GRPC_UNIMPLEMENTED},
    {408, FL_GRPC_DEADLINE_EXCEEDED},
    {413, FL_GRPC_RESOURCE_EXHAUSTED},
    {415, FL_GRPC_UNIMPLEMENTED},
    {422, FL_GRPC_INVALID_ARGUMENT},
    {429, FL_GRPC_RESOURCE_EXHAUSTED},
    {500, FL_GRPC_INTERNAL},
    {502, FL_GRPC_UNAVAILABLE},
    {503, FL_GRPC_UNAVAILABLE},
    {504, FL_GRPC_DEADLINE_EXCEEDED},
};

START_TEST(http_statuses_become_codes_that_retry_alike)
{
    ck_assert_int_eq(mappings[_i].code, fl_grpc_code_of_http(mappings[_i].http));
}
END_TEST

START_TEST(the_sentence_of_a_status_is_found)
{
    ck_assert(fl_slice_equal(SLICE("no"), fl_grpc_status_message(BYTES("\x08\x03\x12\x02no"))));
    ck_assert_uint_eq(0, fl_grpc_status_message(BYTES("\x08\x03\x12\x05no")).len);
    ck_assert_uint_eq(0, fl_grpc_status_message(BYTES("")).len);
}
END_TEST

/* Status {1: 14, 2: "busy", 3: Any {1: type, 2: RetryInfo {1: Duration {1: 2}}}}. */
START_TEST(retry_details_are_a_status_in_base64)
{
    fl_grpc_retry_details(&out, FL_GRPC_UNAVAILABLE, SLICE("busy"), 2);
    ck_assert_str_eq("CA4SBGJ1c3kaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgII"
                     "Ag",
                     out.ptr);
}
END_TEST

START_TEST(retry_details_without_memory_are_left_out)
{
    for (long successes = 0; successes < 4; successes++) {
        fl_mem_fail_after(successes);
        fl_grpc_retry_details(&out, FL_GRPC_UNAVAILABLE, SLICE("busy"), 2);
        fl_mem_fail_after(-1);
        ck_assert_uint_eq(0, out.len);
    }
}
END_TEST

START_TEST(codes_have_names)
{
    ck_assert_str_eq("ok", fl_grpc_code_name(FL_GRPC_OK));
    ck_assert_str_eq("unauthenticated", fl_grpc_code_name(FL_GRPC_UNAUTHENTICATED));
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("grpc_wire");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_message_comes_in_pieces_of_any_size);
    tcase_add_test(tests, the_flag_says_compressed_and_an_empty_message_is_one);
    tcase_add_test(tests, every_prefix_of_a_message_is_truncated);
    tcase_add_loop_test(tests, malformed_messages_are_refused_with_their_reason, 0,
                        ROWS(bad_messages));
    tcase_add_test(tests, a_message_survives_each_allocation_failing);
    tcase_add_loop_test(tests, timeouts_are_digits_and_a_unit, 0, ROWS(timeouts));
    tcase_add_test(tests, messages_are_percent_encoded_as_the_protocol_says);
    tcase_add_test(tests, messages_are_cut);
    tcase_add_loop_test(tests, http_statuses_become_codes_that_retry_alike, 0, ROWS(mappings));
    tcase_add_test(tests, the_sentence_of_a_status_is_found);
    tcase_add_test(tests, retry_details_are_a_status_in_base64);
    tcase_add_test(tests, retry_details_without_memory_are_left_out);
    tcase_add_test(tests, codes_have_names);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
