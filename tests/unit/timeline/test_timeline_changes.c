/*
 * Changes: told by events, and seen in versions, flags, and the records of deployments.
 */
#include "mem.h"
#include "timeline_made.h"

static fl_error err;
static made_timeline made;
static fl_buf text;

static void setup(void)
{
    err = (fl_error){0};
    made = (made_timeline){0};
    text = fl_buf_of(1 << 20);
    ck_assert_ok(made_begin(&made, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    made_dispose(&made);
    fl_buf_dispose(&text);
}

static fl_attr word(const char *key, const char *value)
{
    return (fl_attr){.key = fl_slice_of(key),
                     .value = {.kind = FL_VALUE_STRING, .text = fl_slice_of(value)}};
}

/* One log record of a service whose resource has one attribute, and one of its own or more. */
typedef struct sent {
    const char *service, *key, *value;
    int minute;
    fl_attr attrs[4];
    size_t attr_count;
} sent;

static fl_status send(const sent *what, fl_error *e)
{
    fl_sink sink = fl_timeline_sink(made.builder, false);
    fl_attr own = word(what->key, what->value);
    fl_resource resource = {.service = fl_slice_of(what->service),
                            .attrs = {.items = &own, .count = what->key != NULL}};
    fl_log log = {.time_ns = MADE_AT + what->minute * MADE_MINUTE,
                  .body = SLICE("line"),
                  .attrs = {.items = what->attrs, .count = what->attr_count}};
    uint32_t handle;
    fl_status status = sink.resource(sink.payload, &resource, &handle, e);
    return status == FL_OK ? sink.log(sink.payload, handle, &log, e) : status;
}

static fl_status tell(const char *service, int minute, const char *version, fl_error *e)
{
    fl_sink sink = fl_timeline_sink(made.builder, false);
    fl_change_record change = {.time_ns = MADE_AT + minute * MADE_MINUTE,
                               .kind = FL_CHANGE_DEPLOY,
                               .service = fl_slice_of(service),
                               .after = fl_slice_of(version)};
    return sink.change(sink.payload, &change, e);
}

/* "minute kind service key before>after seen|told" of each. */
static const char *changes_of(fl_error *e)
{
    fl_buf_clear(&text);
    if (made_finish(&made, e) != FL_OK)
        return NULL;
    const fl_timeline *t = made.timeline;
    for (size_t i = 0; i < t->change_count; i++) {
        const fl_change *c = &t->changes[i];
        fl_buf_printf(&text, "%lld %s %s %s %s>%s %s\n",
                      (long long)((c->time_ns - MADE_AT) / MADE_MINUTE),
                      fl_change_kind_name(c->kind),
                      c->service != FL_NO_INDEX ? t->services[c->service] : "*", made_text(c->key),
                      made_text(c->before), made_text(c->after), c->is_seen ? "seen" : "told");
    }
    return text.len > 0 ? text.ptr : "";
}

#define VERSION(who, version, at)                                                                  \
    &(sent)                                                                                        \
    {                                                                                              \
        .service = who, .key = "service.version", .value = version, .minute = at                   \
    }

START_TEST(a_version_that_follows_another_is_a_deploy)
{
    ck_assert_ok(send(VERSION("pay", "2", -3), &err));
    ck_assert_ok(send(VERSION("pay", "1", -20), &err));
    ck_assert_ok(send(VERSION("pay", "1", -2), &err)); /* a rollout overlaps */
    ck_assert_ok(send(VERSION("pay", "3", 1), &err));
    ck_assert_ok(send(VERSION("cart", "2", -20), &err));
    ck_assert_str_eq(changes_of(&err), "-3 deploy pay - 1>2 seen\n1 deploy pay - 2>3 seen\n");
    ck_assert(made.timeline->has_changes);
}
END_TEST

START_TEST(versions_that_were_there_from_the_beginning_are_none)
{
    ck_assert_ok(send(VERSION("pay", "1", -20), &err));
    ck_assert_ok(send(VERSION("pay", "2", -20), &err));
    ck_assert_str_eq(changes_of(&err), "");
    ck_assert(made.timeline->has_changes);
}
END_TEST

START_TEST(where_nothing_tells_of_versions_changes_are_missing)
{
    ck_assert_ok(send(&(sent){.service = "pay", .minute = -20}, &err));
    ck_assert_str_eq(changes_of(&err), "");
    ck_assert(!made.timeline->has_changes);
}
END_TEST

START_TEST(an_empty_file_of_events_is_not_missing)
{
    fl_timeline_expect_changes(made.builder);
    ck_assert_str_eq(changes_of(&err), "");
    ck_assert(made.timeline->has_changes);
}
END_TEST

START_TEST(the_tag_of_an_image_is_a_version_too)
{
    ck_assert_ok(send(
        &(sent){.service = "pay", .key = "container.image.tags", .value = "[\"1\"]", .minute = -9},
        &err));
    ck_assert_ok(send(
        &(sent){.service = "pay", .key = "container.image.tags", .value = "[\"2\"]", .minute = -5},
        &err));
    ck_assert_str_eq(changes_of(&err), "-5 deploy pay - [\"1\"]>[\"2\"] seen\n");
}
END_TEST

START_TEST(what_is_told_is_not_seen_again)
{
    ck_assert_ok(send(VERSION("pay", "1", -20), &err));
    ck_assert_ok(send(VERSION("pay", "2", -3), &err));
    ck_assert_ok(tell("pay", -4, "2", &err));
    ck_assert_ok(tell("pay", -4, "2", &err)); /* told twice */
    ck_assert_ok(tell("ghost", -4, "2", &err));
    ck_assert_ok(tell(NULL, -100, NULL, &err));
    ck_assert_str_eq(changes_of(&err), "-100 deploy * - ->- told\n-4 deploy pay - ->2 told\n");
}
END_TEST

START_TEST(a_variant_that_is_new_is_a_flag_that_was_switched)
{
    sent old = {"pay",
                NULL,
                NULL,
                -9,
                {word("feature_flag.key", "fast"), word("feature_flag.result.variant", "off")},
                2};
    sent new = {"pay",
                NULL,
                NULL,
                -1,
                {word("feature_flag.key", "fast"), word("feature_flag.variant", "on")},
                2};
    ck_assert_ok(send(&new, &err));
    ck_assert_ok(send(&old, &err));
    ck_assert_str_eq(changes_of(&err), "-1 flag pay fast off>on seen\n");
}
END_TEST

START_TEST(records_of_deployments_and_of_kubernetes_are_deploys)
{
    sent deployment = {
        "pay", NULL, NULL, -9, {word("deployment.id", "17"), word("deployment.name", "pay-17")}, 2};
    sent replicas = {"k8s",
                     NULL,
                     NULL,
                     -1,
                     {word("k8s.event.reason", "ScalingReplicaSet"),
                      word("k8s.object.kind", "Deployment"), word("k8s.object.name", "pay")},
                     3};
    sent other = {"k8s",
                  NULL,
                  NULL,
                  -1,
                  {word("k8s.event.reason", "Pulled"), word("k8s.object.kind", "Pod"),
                   word("k8s.object.name", "pay")},
                  3};
    ck_assert_ok(send(&deployment, &err));
    ck_assert_ok(send(&replicas, &err));
    ck_assert_ok(send(&other, &err));
    ck_assert_str_eq(changes_of(&err),
                     "-9 deploy pay - ->pay-17 told\n-1 deploy pay replicas ->- told\n");
}
END_TEST

START_TEST(whichever_allocation_fails_nothing_leaks)
{
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 500);
        made_dispose(&made);
        fl_mem_fail_after(after);
        fl_status status = made_begin(&made, &own);
        if (status == FL_OK)
            status = send(VERSION("pay", "1", -20), &own);
        if (status == FL_OK)
            status = send(VERSION("pay", "2", -3), &own);
        if (status == FL_OK)
            status = tell("pay", -70, "1", &own);
        if (status == FL_OK)
            status = made_finish(&made, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_uint_eq(made.timeline->change_count, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("timeline/timeline_changes");
    TCase *cases = tcase_create("changes");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_version_that_follows_another_is_a_deploy);
    tcase_add_test(cases, versions_that_were_there_from_the_beginning_are_none);
    tcase_add_test(cases, where_nothing_tells_of_versions_changes_are_missing);
    tcase_add_test(cases, an_empty_file_of_events_is_not_missing);
    tcase_add_test(cases, the_tag_of_an_image_is_a_version_too);
    tcase_add_test(cases, what_is_told_is_not_seen_again);
    tcase_add_test(cases, a_variant_that_is_new_is_a_flag_that_was_switched);
    tcase_add_test(cases, records_of_deployments_and_of_kubernetes_are_deploys);
    tcase_add_test(cases, whichever_allocation_fails_nothing_leaks);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
