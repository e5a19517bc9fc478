/*
 * Webhooks of GitHub and GitLab: which deliveries are changes, which are not, and who may send
 * them. The payloads have the members that both document, without those that nobody reads here.
 */
#include "changes.h"

#include "received.h"

static received r;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
}

static void teardown(void)
{
    received_dispose(&r);
}

#define SHA "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
#define REPO                                                                                       \
    "\"repository\":{\"name\":\"cart\",\"full_name\":\"shop/"                                      \
    "cart\",\"default_branch\":\"main\",\"pushed_at\":1700000000}"
#define PROJECT                                                                                    \
    "\"project\":{\"name\":\"Cart\",\"path_with_namespace\":\"shop/back/"                          \
    "cart\",\"web_url\":\"https://l/cart\"}"
#define STATUS(state)                                                                              \
    "{\"action\":\"created\",\"deployment_status\":{\"state\":\"" state                            \
    "\",\"created_at\":\"2023-11-14T22:13:20Z\",\"log_url\":\"\",\"target_url\":\"https://h/run/"  \
    "7\"},"                                                                                        \
    "\"deployment\":{\"sha\":\"" SHA "\",\"ref\":\"main\",\"environment\":\"prod\"}," REPO "}"
#define PULL(action, merged)                                                                       \
    "{\"action\":\"" action "\",\"pull_request\":{\"merged\":" merged                              \
    ",\"merged_at\":\"2023-11-14T22:13:20Z\",\"merge_commit_sha\":\"" SHA                          \
    "\",\"html_url\":\"https://h/pull/2\",\"base\":{\"sha\":\"0123456789abcdef\"}}," REPO "}"
#define RUN(name, conclusion)                                                                      \
    "{\"action\":\"completed\",\"workflow_run\":{\"name\":\"" name "\",\"conclusion\":" conclusion \
    ",\"updated_at\":\"2023-11-14T22:13:20Z\",\"head_sha\":\"" SHA                                 \
    "\",\"html_url\":\"https://h/runs/9\"}," REPO "}"
#define PUSH(ref, message)                                                                         \
    "{\"ref\":\"" ref "\",\"before\":\"abc\",\"after\":\"" SHA                                     \
    "\",\"deleted\":false,\"compare\":\"https://h/compare\",\"head_commit\":{\"id\":\"" SHA        \
    "\",\"message\":\"" message "\",\"timestamp\":\"2023-11-14T23:13:20+01:00\"}," REPO "}"
#define DEPLOYMENT(status, at)                                                                     \
    "{\"object_kind\":\"deployment\",\"status\":\"" status "\",\"status_changed_at\":\"" at        \
    "\",\"deployable_url\":null,\"commit_url\":\"https://l/"                                       \
    "commit\",\"short_sha\":\"279484c0\"," PROJECT "}"
#define MERGE(action)                                                                              \
    "{\"object_kind\":\"merge_request\"," PROJECT ",\"object_attributes\":{\"action\":\"" action   \
    "\",\"updated_at\":\"2023-11-14 22:13:20 "                                                     \
    "UTC\",\"merge_commit_sha\":null,\"last_commit\":{\"id\":\"" SHA                               \
    "\"},\"url\":\"https://l/mr/1\",\"target\":{\"path_with_namespace\":\"shop/cart\"}}}"
#define PIPELINE(status, build)                                                                    \
    "{\"object_kind\":\"pipeline\",\"object_attributes\":{\"status\":\"" status                    \
    "\",\"finished_at\":\"2023-11-14 22:13:20 UTC\",\"sha\":\"" SHA                                \
    "\",\"url\":\"https://l/p/3\"}," PROJECT                                                       \
    ",\"builds\":[{\"stage\":\"test\",\"status\":\"success\","                                     \
    "\"environment\":null}," build "]}"
#define FLAG(more)                                                                                 \
    "{\"object_kind\":\"feature_flag\"," PROJECT                                                   \
    ",\"object_attributes\":{\"name\":\"new-cart\",\"active\":true" more "}}"
#define AT    "1700000000000000000"
#define SHORT "6113728f27ae"

/* clang-format off */
static const struct {
    const char *text, *read;
} good[] = {
    {STATUS("success"), "deploy " AT " [cart]  >" SHORT " github https://h/run/7\n"},
    {STATUS("in_progress"), ""},
    {STATUS("failure"), ""},
    {"{\"deployment\":{\"sha\":\"" SHA "\"}," REPO "}", ""},
    {"{\"deployment_status\":{\"state\":\"success\",\"updated_at\":\"2023-11-14T22:13:20Z\"},\"deployment\":{\"ref\":\"v2\",\"payload\":{\"service\":\"pay\"}}," REPO "}", "deploy " AT " [pay]  >v2 github \n"},
    {"{\"deployment_status\":{\"state\":\"success\",\"updated_at\":1700000000},\"repository\":{\"full_name\":\"a/b\"}}", "deploy " AT " []  > github \n"},
    {PULL("closed", "true"), "merge-request " AT " [cart]  0123456789ab>" SHORT " github https://h/pull/2\n"},
    {PULL("closed", "false"), ""},
    {PULL("opened", "true"), ""},
    {RUN("Deploy to prod", "\"success\""), "deploy " AT " [cart]  >" SHORT " github https://h/runs/9\n"},
    {RUN("tests", "\"success\""), ""},
    {RUN("release", "\"failure\""), ""},
    {RUN("release", "null"), ""},
    {PUSH("refs/heads/main", "fix rounding"), "merge-request " AT " [cart]  abc>" SHORT " github https://h/compare\n"},
    {PUSH("refs/heads/side", "fix rounding"), ""},
    {PUSH("refs/tags/main", "fix rounding"), ""},
    {PUSH("refs/heads/main", "Merge pull request #7 from x"), ""},
    {PUSH("refs/heads/main", "fix rounding (#7)"), ""},
    {"{\"zen\":\"Keep it simple\",\"hook_id\":1," REPO "}", ""},
    {DEPLOYMENT("success", "2023-11-14 23:13:20 +0100"), "deploy " AT " [cart]  >279484c0 gitlab https://l/commit\n"},
    {DEPLOYMENT("success", "2023-11-14 22:13:20 UTC"), "deploy " AT " [cart]  >279484c0 gitlab https://l/commit\n"},
    {DEPLOYMENT("success", "2023-11-14T22:13:20Z"), "deploy " AT " [cart]  >279484c0 gitlab https://l/commit\n"},
    {DEPLOYMENT("running", "2023-11-14T22:13:20Z"), ""},
    {MERGE("merge"), "merge-request " AT " [cart]  >" SHORT " gitlab https://l/mr/1\n"},
    {MERGE("update"), ""},
    {PIPELINE("success", "{\"stage\":\"x\",\"status\":\"success\",\"environment\":{\"name\":\"prod\"}}"), "deploy " AT " [cart]  >" SHORT " gitlab https://l/p/3\n"},
    {PIPELINE("success", "{\"stage\":\"Deploy\",\"status\":\"success\"}"), "deploy " AT " [cart]  >" SHORT " gitlab https://l/p/3\n"},
    {PIPELINE("success", "{\"stage\":\"deploy\",\"status\":\"manual\"}"), ""},
    {PIPELINE("success", "7"), ""},
    {PIPELINE("failed", "{\"stage\":\"deploy\",\"status\":\"success\"}"), ""},
    {FLAG(""), "flag 5 [cart] new-cart >true gitlab https://l/cart\n"},
    {"{\"object_kind\":\"push\"," PROJECT "}", ""},
    {"\xef\xbb\xbf" STATUS("success") "\n" MERGE("merge") "\n", "deploy " AT " [cart]  >" SHORT " github https://h/run/7\nmerge-request " AT " [cart]  >" SHORT " gitlab https://l/mr/1\n"},
};

static const struct {
    const char *text, *read;
} bad[] = {
    {DEPLOYMENT("success", "yesterday"), "reject line 1 byte 0 records 1: its time is not RFC 3339 or an epoch\n"},
    {DEPLOYMENT("success", "2023-11-14 22:13:20 +01"), "reject line 1 byte 0 records 1: its time is not RFC 3339 or an epoch\n"},
    {DEPLOYMENT("success", ""), "reject line 1 byte 0 records 1: it tells no time\n"},
    {MERGE("update") "\n{\"a\":1}\n" FLAG(",\"updated_at\":\"2023-11-14 22:13:20 UTC\""), "reject line 1 byte 358 records 1: no delivery of GitHub or GitLab\nflag " AT " [cart] new-cart >true gitlab https://l/cart\n"},
    {MERGE("update") "\n{]", "reject line 2 byte 360 records 1: expected a key or '}'\n"},
};

static const char *const refused[] = {"", "{}", "[]", "7", "{]", "{\"object_kind\":\"push\"}", "{\"repository\":{}}", "{\"repository\":{\"full_name\":\"a/b\"}}", "{\"time\":1,\"kind\":\"deploy\"}"};
/* clang-format on */

START_TEST(each_delivery_is_a_change_or_none)
{
    ck_assert_ok(fl_changes_json(&r.to, SLICE(good[_i].text), 5, &err));
    ck_assert_str_eq(received_text(&r), good[_i].read);
}
END_TEST

START_TEST(what_is_wrong_costs_itself_and_is_named)
{
    ck_assert_ok(fl_changes_json(&r.to, SLICE(bad[_i].text), 0, &err));
    ck_assert_str_eq(received_text(&r), bad[_i].read);
}
END_TEST

START_TEST(what_is_no_delivery_is_told)
{
    ck_assert_fails(FL_E_UNSUPPORTED, fl_changes_json(&r.to, SLICE(refused[_i]), 5, &err));
    ck_assert_str_eq(err.message, "test holds no delivery of GitHub or GitLab");
}
END_TEST

/* The example of GitHub's documentation on validating deliveries. */
START_TEST(github_signs_with_the_secret)
{
    const char *good_one =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const char *const wrong[] = {
        "",
        "sha256=",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "sha1=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1x"};
    fl_slice secret = SLICE("It's a Secret to Everybody"), body = SLICE("Hello, World!");
    ck_assert(fl_changes_github_signed(secret, body, SLICE(good_one)));
    ck_assert(!fl_changes_github_signed(secret, SLICE("Hello, World?"), SLICE(good_one)));
    ck_assert(!fl_changes_github_signed(SLICE("secret"), body, SLICE(good_one)));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert(!fl_changes_github_signed(secret, body, SLICE(wrong[i])));
}
END_TEST

START_TEST(gitlab_sends_the_secret)
{
    ck_assert(fl_changes_gitlab_token(SLICE("s3cret"), SLICE("s3cret")));
    ck_assert(!fl_changes_gitlab_token(SLICE("s3cret"), SLICE("s3crex")));
    ck_assert(!fl_changes_gitlab_token(SLICE("s3cret"), SLICE("")));
}
END_TEST

START_TEST(strict_and_the_sink_end_the_reading)
{
    r.to.strict = true;
    ck_assert_fails(FL_E_SYNTAX, fl_changes_json(&r.to, SLICE(bad[0].text), 5, &err));
    ck_assert_str_eq(err.message, "test:1: its time is not RFC 3339 or an epoch");
    r.dump.stop_after = 1;
    r.dump.stop_with = FL_E_STOPPED;
    err = (fl_error){0};
    ck_assert_fails(FL_E_STOPPED,
                    fl_changes_json(&r.to, SLICE(MERGE("merge") MERGE("merge")), 5, &err));
    ck_assert_uint_eq(r.dump.logs, 1);
}
END_TEST

START_TEST(every_prefix_is_refused_or_read_as_far_as_it_goes)
{
    const char *text = MERGE("merge") STATUS("success");
    for (size_t len = 0; len < strlen(text); len++) {
        fl_bytes part = received_exact(SLICE(text), len);
        fl_error own = {0};
        received_clear(&r);
        fl_status status = fl_changes_json(&r.to, fl_bytes_slice(part), 5, &own);
        ck_assert(len < strlen(MERGE("merge")) ? status == FL_E_UNSUPPORTED : status == FL_OK);
        ck_assert_uint_le(r.dump.rejects, 1);
        free(part.ptr);
    }
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *text = "{\"object_kind\":\"feature_flag\",\"project\":{\"name\":\"\\u0061\"},"
                       "\"object_attributes\":{\"name\":\"\\u0062\"}}";
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 100);
        received_clear(&r);
        fl_mem_fail_after(after);
        fl_status status = fl_changes_json(&r.to, SLICE(text), 5, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_str_eq(received_text(&r), "flag 5 [a] b > gitlab \n");
}
END_TEST

static Suite *webhooks_suite(void)
{
    Suite *suite = suite_create("changes/webhooks");
    TCase *cases = tcase_create("changes");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_delivery_is_a_change_or_none, 0,
                        sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_costs_itself_and_is_named, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, what_is_no_delivery_is_told, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(cases, github_signs_with_the_secret);
    tcase_add_test(cases, gitlab_sends_the_secret);
    tcase_add_test(cases, strict_and_the_sink_end_the_reading);
    tcase_add_test(cases, every_prefix_is_refused_or_read_as_far_as_it_goes);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(webhooks_suite)
