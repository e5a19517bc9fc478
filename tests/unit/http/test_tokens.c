#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "tokens.h"

static fl_error err;
static fl_tokens *tokens;

static void setup(void)
{
    err = (fl_error){0};
    tokens = NULL;
}

static void teardown(void)
{
    fl_tokens_destroy(tokens);
}

/* SHA-256 of "abc", FIPS 180-4's example. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

START_TEST(a_token_grants_the_roles_of_its_lines)
{
    bool is_known;
    ck_assert_ok(fl_tokens_read(
        &tokens, SLICE("# comment\n\n  ingest " ABC " the collector\r\nread " ABC "\n"), "t",
        &err));
    ck_assert_uint_eq(fl_tokens_count(tokens), 2);
    ck_assert(fl_tokens_grant(tokens, SLICE("abc"), FL_ROLE_INGEST, &is_known));
    ck_assert(fl_tokens_grant(tokens, SLICE("abc"), FL_ROLE_READ, &is_known));
    ck_assert(!fl_tokens_grant(tokens, SLICE("abc"), FL_ROLE_ADMIN, &is_known));
    ck_assert(is_known);
    ck_assert(!fl_tokens_grant(tokens, SLICE("abd"), FL_ROLE_INGEST, &is_known));
    ck_assert(!is_known);
    ck_assert(!fl_tokens_grant(tokens, SLICE(""), FL_ROLE_INGEST, &is_known));
}
END_TEST

START_TEST(an_admin_may_do_all)
{
    bool is_known;
    ck_assert_ok(fl_tokens_read(&tokens, SLICE("admin " ABC), "t", &err));
    for (int role = FL_ROLE_INGEST; role <= FL_ROLE_ADMIN; role++)
        ck_assert(fl_tokens_grant(tokens, SLICE("abc"), (fl_http_role)role, &is_known));
}
END_TEST

START_TEST(a_file_without_tokens_lets_nobody_in)
{
    bool is_known;
    ck_assert_ok(fl_tokens_read(&tokens, SLICE("# nobody yet\n"), "t", &err));
    ck_assert(!fl_tokens_grant(tokens, SLICE("abc"), FL_ROLE_INGEST, &is_known));
}
END_TEST

static const struct bad_case {
    const char *text;
    fl_status status;
    uint64_t offset;
    const char *message;
} bad_cases[] = {
    {"flt_secret", FL_E_SYNTAX, 0, "t:1: a line begins with ingest, read or admin"},
    {"# a\nwrite " ABC, FL_E_SYNTAX, 4, "t:2: a line begins with ingest, read or admin"},
    {"read", FL_E_SYNTAX, 0, "t:1: the role is followed by the 64 digits of a SHA-256"},
    {"read flt_secret", FL_E_SYNTAX, 0, "t:1: the role is followed by the 64 digits of a SHA-256"},
    {"read " ABC "0", FL_E_SYNTAX, 0, "t:1: the role is followed by the 64 digits of a SHA-256"},
    {"read " ABC "\n\nadmin x", FL_E_SYNTAX, 71,
     "t:3: the role is followed by the 64 digits of a SHA-256"},
};

START_TEST(a_mistake_is_told_by_its_line_and_never_shown)
{
    const struct bad_case *c = &bad_cases[_i];
    ck_assert_fails(c->status, fl_tokens_read(&tokens, fl_slice_of(c->text), "t", &err));
    ck_assert_str_eq(err.message, c->message);
    ck_assert_uint_eq(err.offset, c->offset);
    ck_assert_ptr_null(strstr(err.message, "secret"));
    ck_assert_ptr_null(tokens);
}
END_TEST

START_TEST(every_beginning_of_a_line_is_refused)
{
    const char line[] = "ingest " ABC;
    for (size_t i = 1; i < sizeof(line) - 1; i++) {
        err = (fl_error){0};
        ck_assert_fails(FL_E_SYNTAX,
                        fl_tokens_read(&tokens,
                                       (fl_slice){.ptr = (const unsigned char *)line, .len = i},
                                       "t", &err));
    }
}
END_TEST

START_TEST(more_tokens_than_there_is_room_for_are_refused)
{
    fl_buf text = fl_buf_of(1 << 20);
    for (int i = 0; i <= FL_MAX_TOKENS; i++)
        fl_buf_text(&text, "read " ABC "\n");
    ck_assert_fails(FL_E_LIMIT, fl_tokens_read(&tokens, fl_buf_slice(&text), "t", &err));
    ck_assert_str_eq(err.message, "t: more than 4096 tokens");
    fl_buf_dispose(&text);
}
END_TEST

START_TEST(a_new_token_is_known_by_its_line_and_no_two_are_the_same)
{
    char one[FL_TOKEN_TEXT], other[FL_TOKEN_TEXT];
    bool is_known;
    fl_buf line = fl_buf_of(4096);
    ck_assert_ok(fl_token_make(one, &err));
    ck_assert_ok(fl_token_make(other, &err));
    ck_assert_str_ne(one, other);
    ck_assert_uint_eq(strlen(one), 52);
    fl_token_line(&line, one, FL_ROLE_READ, "somebody");
    ck_assert_ptr_null(strstr(line.ptr, one + 4));
    ck_assert_ok(fl_tokens_read(&tokens, fl_buf_slice(&line), "t", &err));
    ck_assert(fl_tokens_grant(tokens, SLICE(one), FL_ROLE_READ, &is_known));
    ck_assert(!fl_tokens_grant(tokens, SLICE(other), FL_ROLE_READ, &is_known));
    fl_buf_dispose(&line);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    for (long i = 0;; i++) {
        err = (fl_error){0};
        fl_mem_fail_after(i);
        fl_status status = fl_tokens_read(&tokens, SLICE("admin " ABC), "t", &err);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
        ck_assert_ptr_null(tokens);
        ck_assert_int_lt(i, 20);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tokens");
    TCase *tests = tcase_create("tokens");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_token_grants_the_roles_of_its_lines);
    tcase_add_test(tests, an_admin_may_do_all);
    tcase_add_test(tests, a_file_without_tokens_lets_nobody_in);
    tcase_add_loop_test(tests, a_mistake_is_told_by_its_line_and_never_shown, 0,
                        (int)(sizeof(bad_cases) / sizeof(bad_cases[0])));
    tcase_add_test(tests, every_beginning_of_a_line_is_refused);
    tcase_add_test(tests, more_tokens_than_there_is_room_for_are_refused);
    tcase_add_test(tests, a_new_token_is_known_by_its_line_and_no_two_are_the_same);
    tcase_add_test(tests, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
