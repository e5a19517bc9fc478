/*
 * The system that most tests are about; calls go downwards:
 *
 *     store ── cart ─── redis
 *       ├───── pay ──── bank
 *       └───── mail
 */
#include "groups.h"

#include <math.h>
#include <stdio.h>

#include "fl_test.h"
#include "mem.h"

static const int64_t S = 1000000000;

static fl_error err;
static fl_calls *calls;
static fl_groups *groups;
static uint64_t ended_key, ended_into;
static int ended_count;

static uint32_t service(const char *name)
{
    uint32_t id;
    ck_assert_ok(fl_calls_service(&id, calls, SLICE(name), &err));
    ck_assert_uint_ne(id, FL_NO_SERVICE);
    return id;
}

static void call(const char *caller, const char *callee)
{
    uint32_t from = service(caller), to = service(callee);
    fl_calls_add(calls, from, to);
}

static void note_end(void *payload, const fl_group *group, const fl_group *into)
{
    (void)payload;
    ended_key = group->key;
    ended_into = into != NULL ? into->key : 0;
    ended_count++;
}

static void setup(void)
{
    err = (fl_error){0};
    ended_count = 0;
    ck_assert_ok(fl_calls_create(&calls, &err));
    call("store", "cart");
    call("cart", "redis");
    call("store", "pay");
    call("pay", "bank");
    call("store", "mail");
    fl_groups_options options = {.calls = calls, .ended = note_end};
    ck_assert_ok(fl_groups_create(&groups, &options, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_groups_destroy(groups);
    fl_calls_destroy(calls);
}

static fl_sign alert_of(uint64_t key, const char *of, int64_t at_s)
{
    return (fl_sign){.key = key,
                     .kind = FL_SIGN_ALERT,
                     .onset_ns = at_s * S,
                     .name = "Slow",
                     .service = of,
                     .value = NAN,
                     .baseline = NAN};
}

static uint64_t tell_sign(const fl_sign *sign)
{
    uint64_t key;
    ck_assert_ok(fl_groups_tell(&key, groups, sign, sign->onset_ns + 30 * S, &err));
    return key;
}

static uint64_t tell(uint64_t key, const char *of, int64_t at_s)
{
    fl_sign sign = alert_of(key, of, at_s);
    return tell_sign(&sign);
}

static uint64_t clear_sign(uint64_t key, const char *of, int64_t at_s, int64_t cleared_s)
{
    fl_sign sign = alert_of(key, of, at_s);
    sign.cleared_ns = cleared_s * S;
    uint64_t group;
    ck_assert_ok(fl_groups_tell(&group, groups, &sign, cleared_s * S, &err));
    return group;
}

static const fl_member *member(uint64_t group, size_t at)
{
    const fl_group *found = fl_groups_find(groups, group);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_lt(at, found->member_count);
    return &found->members[at];
}

static void expect(uint64_t group, size_t at, const char *why, const char *of)
{
    const fl_member *found = member(group, at);
    ck_assert_str_eq(fl_why_name(found->why), why);
    if (of == NULL)
        ck_assert_ptr_null(found->of);
    else
        ck_assert_str_eq(found->of, of);
}

static void diagnose(uint64_t group, const char *first, const char *second)
{
    const char *services[] = {first, second};
    fl_causes causes = {services, second != NULL ? 2 : 1};
    ck_assert_ok(fl_groups_diagnose(groups, group, &causes, 1200 * S, &err));
}

START_TEST(callers_of_the_trouble_join_it)
{
    uint64_t group = tell(1, "redis", 1000);
    ck_assert_uint_eq(tell(2, "cart", 1010), group);
    ck_assert_uint_eq(tell(3, "store", 1020), group);
    expect(group, 0, "first", NULL);
    expect(group, 1, "calls", "redis");
    expect(group, 2, "calls", "redis");
    ck_assert_uint_eq(member(group, 2)->hops, 2);
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "redis");
    ck_assert_uint_eq(fl_groups_count(groups), 1);
}
END_TEST

START_TEST(trouble_moves_to_a_callee_that_all_call)
{
    uint64_t group = tell(1, "store", 1000);
    ck_assert_uint_eq(tell(2, "cart", 1010), group);
    ck_assert_uint_eq(tell(3, "redis", 1020), group);
    expect(group, 2, "called-by", "cart");
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "redis");
}
END_TEST

START_TEST(a_second_fault_beside_the_first_opens_its_own)
{
    uint64_t group = tell(1, "store", 1000), other;
    ck_assert_uint_eq(tell(2, "redis", 1010), group);
    other = tell(3, "bank", 1012);
    ck_assert_uint_ne(other, group);
    expect(other, 0, "first", NULL);
    /* What calls both goes to the nearer, here both are equally near: to the older. */
    ck_assert_uint_eq(tell(4, "store", 1030), group);
    ck_assert_uint_eq(tell(5, "pay", 1040), other);
}
END_TEST

START_TEST(two_incidents_become_one_when_both_call_what_breaks)
{
    call("mail", "redis");
    uint64_t first = tell(1, "cart", 1000), second = tell(2, "mail", 1010);
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(tell(3, "redis", 1020), first);
    ck_assert_uint_eq(fl_groups_count(groups), 1);
    ck_assert_int_eq(ended_count, 1);
    ck_assert_uint_eq(ended_key, second);
    ck_assert_uint_eq(ended_into, first);
    expect(first, 2, "calls", "redis");
    ck_assert_uint_eq(clear_sign(2, "mail", 1010, 1100), first);
}
END_TEST

START_TEST(what_begins_much_later_is_another_incident)
{
    uint64_t group = tell(1, "redis", 1000);
    ck_assert_uint_ne(tell(2, "cart", 1000 + 901), group);
    ck_assert_uint_eq(fl_groups_count(groups), 2);
}
END_TEST

START_TEST(a_diagnosed_cause_goes_on_having_effects)
{
    uint64_t group = tell(1, "redis", 1000);
    diagnose(group, "redis", NULL);
    ck_assert_uint_eq(tell(2, "store", 9000), group);
}
END_TEST

START_TEST(a_machine_that_tells_of_trouble_ties_what_runs_on_it)
{
    fl_sign cart = alert_of(1, "cart", 1000), pay = alert_of(2, "pay", 1000);
    fl_sign node = alert_of(3, NULL, 1010), mail = alert_of(4, "mail", 1000);
    cart.node = pay.node = node.node = "node-1";
    mail.node = "node-2";
    uint64_t group = tell_sign(&cart), other = tell_sign(&mail);
    ck_assert_uint_ne(tell_sign(&pay), group);
    ck_assert_uint_eq(fl_groups_count(groups), 3);
    ck_assert_uint_eq(tell_sign(&node), group);
    ck_assert_uint_eq(fl_groups_count(groups), 2);
    ck_assert_uint_eq(ended_into, group);
    expect(group, 1, "same-node", "node-1");
    expect(group, 2, "same-node", "node-1");
    ck_assert_ptr_nonnull(fl_groups_find(groups, other));
    /* What calls something on it, and what is told of later. */
    ck_assert_uint_eq(tell(5, "store", 1100), group);
    fl_sign bank = alert_of(6, "bank", 1100);
    bank.node = "node-1";
    ck_assert_uint_eq(tell_sign(&bank), group);
}
END_TEST

START_TEST(a_machine_that_is_known_takes_an_incident_whose_trouble_moves_to_it)
{
    fl_sign node = alert_of(1, NULL, 1000), cart = alert_of(2, "cart", 1030);
    node.node = cart.node = "node-1";
    uint64_t group = tell_sign(&node);
    ck_assert_uint_ne(tell(3, "store", 1010), group);
    ck_assert_uint_eq(tell_sign(&cart), group); /* store calls it */
    ck_assert_uint_eq(fl_groups_count(groups), 1);
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "cart");
}
END_TEST

START_TEST(a_cause_on_a_machine_in_trouble_explains_all_that_runs_there)
{
    fl_sign cart = alert_of(1, "cart", 1000), node = alert_of(2, NULL, 1000);
    fl_sign bank = alert_of(3, "bank", 1010), mail = alert_of(4, "mail", 1010);
    cart.node = node.node = bank.node = "node-1";
    uint64_t group = tell_sign(&cart);
    ck_assert_uint_eq(tell_sign(&node), group);
    ck_assert_uint_eq(tell_sign(&bank), group);
    ck_assert_uint_eq(tell(5, "pay", 1020), group);
    diagnose(group, "cart", NULL);
    ck_assert_uint_eq(fl_groups_count(groups), 1);
    ck_assert_uint_eq(fl_groups_find(groups, group)->member_count, 4);
    ck_assert_uint_ne(tell_sign(&mail), group);
}
END_TEST

START_TEST(what_a_cause_does_not_explain_leaves_its_machine_too)
{
    const char *mail = "mail";
    const fl_causes causes = {&mail, 1};
    for (int64_t now_s = 1030; now_s <= 1060; now_s += 30) { /* when it opened, and later */
        fl_sign node = alert_of(1, NULL, 1000), bank = alert_of(2, "bank", 1000);
        node.node = bank.node = "node-1";
        uint64_t group = tell_sign(&node);
        ck_assert_uint_eq(tell_sign(&bank), group);
        ck_assert_ok(fl_groups_diagnose(groups, group, &causes, now_s * S, &err));
        ck_assert_uint_eq(fl_groups_count(groups), 2);
        ck_assert_uint_eq(fl_groups_find(groups, group)->member_count, 1);
        ck_assert_str_eq(fl_groups_find(groups, group)->root, "mail");
        ck_assert_str_eq(fl_groups_at(groups, 1)->root, "bank");
        ck_assert_int_eq(ended_count, 0);
        teardown();
        setup();
    }
}
END_TEST

START_TEST(alerts_of_nobody_go_by_their_rule)
{
    fl_sign one = alert_of(1, NULL, 1000), two = alert_of(2, NULL, 1001), three = two;
    three.key = 3;
    three.name = "Watchdog";
    uint64_t group = tell_sign(&one);
    ck_assert_uint_eq(tell_sign(&two), group);
    expect(group, 1, "same-rule", "Slow");
    ck_assert_uint_ne(tell_sign(&three), group);
}
END_TEST

START_TEST(a_repeated_alert_changes_nothing)
{
    uint64_t group = tell(1, "redis", 1000);
    uint64_t version = fl_groups_find(groups, group)->version;
    ck_assert_uint_eq(tell(1, "redis", 1000), group);
    ck_assert_uint_eq(fl_groups_find(groups, group)->version, version);
    ck_assert_uint_eq(fl_groups_find(groups, group)->member_count, 1);
}
END_TEST

START_TEST(what_was_over_before_it_was_known_opens_nothing)
{
    ck_assert_uint_eq(clear_sign(1, "redis", 1000, 1100), 0);
    ck_assert_uint_eq(fl_groups_count(groups), 0);
}
END_TEST

START_TEST(an_incident_ends_when_all_is_clear_for_the_stated_time)
{
    uint64_t group = tell(1, "redis", 1000);
    (void)tell(2, "cart", 1010);
    (void)clear_sign(1, "redis", 1000, 1500);
    fl_groups_settle(groups, 9000 * S);
    ck_assert_uint_eq(fl_groups_count(groups), 1);
    (void)clear_sign(2, "cart", 1010, 1600);
    fl_groups_settle(groups, 1899 * S);
    ck_assert_uint_eq(fl_groups_count(groups), 1);
    fl_groups_settle(groups, 1900 * S);
    ck_assert_uint_eq(fl_groups_count(groups), 0);
    ck_assert_uint_eq(ended_key, group);
    ck_assert_uint_eq(ended_into, 0);
    /* Its signs are forgotten: news of them is no news. */
    ck_assert_uint_eq(clear_sign(2, "cart", 1010, 1600), 0);
}
END_TEST

START_TEST(a_sign_that_comes_back_before_the_end_keeps_it_open)
{
    uint64_t group = tell(1, "redis", 1000);
    (void)clear_sign(1, "redis", 1000, 1500);
    ck_assert_uint_eq(tell(1, "redis", 1000), group);
    fl_groups_settle(groups, 9000 * S);
    ck_assert_uint_eq(fl_groups_count(groups), 1);
}
END_TEST

START_TEST(a_ranking_moves_the_trouble_and_what_it_does_not_explain_leaves)
{
    uint64_t group = tell(1, "store", 1000);
    ck_assert_uint_eq(tell(2, "cart", 1010), group);
    fl_sign node = alert_of(3, NULL, 1010);
    ck_assert_uint_eq(tell(4, "store", 1020), group);
    (void)node;
    /* The cause is beside the cart: store calls it, the cart does not. */
    diagnose(group, "bank", NULL);
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "bank");
    ck_assert_uint_eq(fl_groups_find(groups, group)->member_count, 2);
    ck_assert_uint_eq(fl_groups_count(groups), 2);
    const fl_group *other = fl_groups_at(groups, 1);
    ck_assert_str_eq(other->root, "cart");
    /* Said again it changes nothing, and the two do not become one. */
    diagnose(group, "bank", NULL);
    diagnose(other->key, "bank", "redis");
    ck_assert_uint_eq(fl_groups_count(groups), 2);
    ck_assert_str_eq(fl_groups_at(groups, 1)->root, "redis");
}
END_TEST

START_TEST(the_sign_that_opened_may_leave_for_an_incident_of_its_own)
{
    uint64_t group = tell(1, "cart", 1000);
    ck_assert_uint_eq(tell(2, "store", 1010), group);
    ck_assert_uint_eq(tell(3, "store", 1011), group);
    diagnose(group, "bank", NULL);
    ck_assert_uint_eq(fl_groups_count(groups), 2);
    ck_assert_uint_ne(fl_groups_at(groups, 1)->key, group);
    ck_assert_uint_eq(clear_sign(1, "cart", 1000, 1300), fl_groups_at(groups, 1)->key);
}
END_TEST

START_TEST(a_ranking_that_explains_nothing_changes_nothing)
{
    uint64_t group = tell(1, "cart", 1000);
    diagnose(group, "bank", "mail");
    diagnose(77, "cart", NULL);
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "cart");
    ck_assert(!fl_groups_find(groups, group)->is_diagnosed);
}
END_TEST

START_TEST(a_ranking_that_knows_of_less_than_half_changes_nothing)
{
    uint64_t group = tell(1, "cart", 1000);
    ck_assert_uint_eq(tell(2, "cart", 1010), group);
    ck_assert_uint_eq(tell(3, "store", 1010), group);
    diagnose(group, "bank", NULL); /* store calls it, and the cart does not */
    ck_assert(!fl_groups_find(groups, group)->is_diagnosed);
    ck_assert_uint_eq(fl_groups_find(groups, group)->member_count, 3);
    diagnose(group, "bank", "mail");
    ck_assert(!fl_groups_find(groups, group)->is_diagnosed);
}
END_TEST

START_TEST(of_several_causes_that_counts_which_explains_most)
{
    uint64_t group = tell(1, "cart", 1000);
    ck_assert_uint_eq(tell(2, "store", 1010), group);
    ck_assert_uint_eq(tell(3, "store", 1020), group);
    diagnose(group, "bank", "cart"); /* that of another incident is likelier */
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "cart");
    ck_assert_uint_eq(fl_groups_find(groups, group)->member_count, 3);
    diagnose(group, "redis", "cart"); /* both explain all */
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "redis");
}
END_TEST

START_TEST(what_a_service_calls_makes_it_no_likelier_a_cause)
{
    uint64_t group = tell(1, "pay", 1000);
    ck_assert_uint_eq(tell(2, "store", 1010), group);
    ck_assert_uint_eq(tell(3, "pay", 1020), group);
    diagnose(group, "store", "pay"); /* pay after store would be its aftermath */
    ck_assert_str_eq(fl_groups_find(groups, group)->root, "pay");
    ck_assert_uint_eq(fl_groups_find(groups, group)->member_count, 3);
}
END_TEST

START_TEST(incidents_with_the_same_diagnosis_are_one)
{
    uint64_t first = tell(1, "cart", 1000), second = tell(2, "pay", 1010);
    call("pay", "redis");
    ck_assert_uint_ne(first, second);
    diagnose(first, "redis", NULL);
    ck_assert_uint_eq(fl_groups_count(groups), 1);
    ck_assert_uint_eq(ended_into, first);
    expect(first, 1, "calls", "redis");
}
END_TEST

START_TEST(limits_are_said_and_harm_nothing)
{
    fl_groups_destroy(groups);
    fl_groups_options options = {.calls = calls, .max_groups = 2, .max_signs = 3};
    uint64_t key;
    ck_assert_ok(fl_groups_create(&groups, &options, &err));
    uint64_t group = tell(1, "cart", 1000);
    (void)tell(2, "pay", 1000);
    fl_sign mail = alert_of(3, "mail", 1000), more = alert_of(4, "cart", 1000);
    ck_assert_fails(FL_E_LIMIT, fl_groups_tell(&key, groups, &mail, S, &err));
    ck_assert_str_eq(err.message, "more than 2 incidents at once");
    ck_assert_uint_eq(tell_sign(&more), group);
    err = (fl_error){0};
    more.key = 5;
    ck_assert_fails(FL_E_LIMIT, fl_groups_tell(&key, groups, &more, S, &err));
    ck_assert_str_eq(err.message, "more than 3 signs of trouble at once");
    ck_assert_uint_eq(fl_groups_count(groups), 2);
}
END_TEST

START_TEST(groups_are_restored_with_their_reasons)
{
    uint64_t group = tell(1, "redis", 1000);
    (void)tell(2, "cart", 1010);
    diagnose(group, "redis", NULL);
    fl_groups *again;
    fl_groups_options options = {.calls = calls};
    ck_assert_ok(fl_groups_create(&again, &options, &err));
    ck_assert_ok(fl_groups_restore(again, fl_groups_find(groups, group), &err));
    fl_groups_destroy(groups);
    groups = again;
    const fl_group *found = fl_groups_find(groups, group);
    ck_assert(found->is_diagnosed);
    ck_assert_str_eq(found->root, "redis");
    ck_assert_int_eq(found->onset_ns, 1000 * S);
    expect(group, 1, "calls", "redis");
    ck_assert_uint_eq(clear_sign(2, "cart", 1010, 1300), group);
    ck_assert_uint_eq(found->lasting_count, 1);
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error_and_leaves_what_was)
{
    for (long n = 0; n < 400; n++) {
        fl_calls *some = NULL;
        fl_groups *mine = NULL;
        fl_error own = {0};
        uint64_t key;
        fl_sign cart = alert_of(1, "cart", 1000), redis = alert_of(2, "redis", 1000);
        const char *services[] = {"redis"};
        fl_causes causes = {services, 1};
        fl_mem_fail_after(n);
        fl_status status = fl_calls_create(&some, &own);
        fl_groups_options options = {.calls = some};
        if (status == FL_OK)
            status = fl_groups_create(&mine, &options, &own);
        if (status == FL_OK)
            status = fl_groups_tell(&key, mine, &cart, S, &own);
        if (status == FL_OK)
            status = fl_groups_tell(&key, mine, &redis, S, &own);
        if (status == FL_OK)
            status = fl_groups_diagnose(mine, key, &causes, S, &own);
        fl_mem_fail_after(-1);
        if (mine != NULL && status != FL_OK) {
            ck_assert_uint_le(fl_groups_count(mine), 2);
            ck_assert_ok(fl_groups_tell(&key, mine, &cart, S, &err));
        }
        fl_groups_destroy(mine);
        fl_calls_destroy(some);
        if (status == FL_OK)
            return;
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_str_ne(own.message, "");
    }
    ck_abort_msg("it never succeeds");
}
END_TEST

START_TEST(a_reach_is_told_by_hops_and_ends_at_the_most)
{
    fl_reach reach;
    char name[16], last[16];
    fl_calls_reach(&reach, calls, service("cart"));
    ck_assert_uint_eq(reach.callers[service("store")], 1);
    ck_assert_uint_eq(reach.callees[service("redis")], 1);
    ck_assert_uint_eq(reach.callees[service("bank")], 0);
    fl_calls_reach(&reach, calls, service("bank"));
    ck_assert_uint_eq(reach.callers[service("store")], 2);
    call("bank", "store"); /* a circle */
    fl_calls_reach(&reach, calls, service("bank"));
    ck_assert_uint_eq(reach.callers[service("bank")], 0);
    for (int i = 0; i < 12; i++) {
        snprintf(last, sizeof(last), "s%d", i);
        snprintf(name, sizeof(name), "s%d", i + 1);
        call(last, name);
    }
    fl_calls_reach(&reach, calls, service("s0"));
    ck_assert_uint_eq(reach.callees[service("s8")], 8);
    ck_assert_uint_eq(reach.callees[service("s9")], 0);
    fl_calls_clear(calls);
    fl_calls_reach(&reach, calls, service("s0"));
    ck_assert_uint_eq(reach.callees[service("s1")], 0);
}
END_TEST

START_TEST(more_services_than_fit_are_only_themselves)
{
    char name[16];
    uint32_t id = 0;
    for (int i = 0; i <= FL_MAX_CALL_SERVICES; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        ck_assert_ok(fl_calls_service(&id, calls, SLICE(name), &err));
    }
    ck_assert_uint_eq(id, FL_NO_SERVICE);
    uint64_t group = tell(1, name, 1000);
    ck_assert_uint_eq(tell(2, name, 1010), group);
    ck_assert_uint_ne(tell(3, "redis", 1010), group);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("groups");
    TCase *cases = tcase_create("groups");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, callers_of_the_trouble_join_it);
    tcase_add_test(cases, trouble_moves_to_a_callee_that_all_call);
    tcase_add_test(cases, a_second_fault_beside_the_first_opens_its_own);
    tcase_add_test(cases, two_incidents_become_one_when_both_call_what_breaks);
    tcase_add_test(cases, what_begins_much_later_is_another_incident);
    tcase_add_test(cases, a_diagnosed_cause_goes_on_having_effects);
    tcase_add_test(cases, a_machine_that_tells_of_trouble_ties_what_runs_on_it);
    tcase_add_test(cases, a_machine_that_is_known_takes_an_incident_whose_trouble_moves_to_it);
    tcase_add_test(cases, a_cause_on_a_machine_in_trouble_explains_all_that_runs_there);
    tcase_add_test(cases, what_a_cause_does_not_explain_leaves_its_machine_too);
    tcase_add_test(cases, alerts_of_nobody_go_by_their_rule);
    tcase_add_test(cases, a_repeated_alert_changes_nothing);
    tcase_add_test(cases, what_was_over_before_it_was_known_opens_nothing);
    tcase_add_test(cases, an_incident_ends_when_all_is_clear_for_the_stated_time);
    tcase_add_test(cases, a_sign_that_comes_back_before_the_end_keeps_it_open);
    tcase_add_test(cases, a_ranking_moves_the_trouble_and_what_it_does_not_explain_leaves);
    tcase_add_test(cases, the_sign_that_opened_may_leave_for_an_incident_of_its_own);
    tcase_add_test(cases, a_ranking_that_explains_nothing_changes_nothing);
    tcase_add_test(cases, a_ranking_that_knows_of_less_than_half_changes_nothing);
    tcase_add_test(cases, of_several_causes_that_counts_which_explains_most);
    tcase_add_test(cases, what_a_service_calls_makes_it_no_likelier_a_cause);
    tcase_add_test(cases, incidents_with_the_same_diagnosis_are_one);
    tcase_add_test(cases, limits_are_said_and_harm_nothing);
    tcase_add_test(cases, groups_are_restored_with_their_reasons);
    tcase_add_test(cases, each_allocation_that_fails_is_an_error_and_leaves_what_was);
    tcase_add_test(cases, a_reach_is_told_by_hops_and_ends_at_the_most);
    tcase_add_test(cases, more_services_than_fit_are_only_themselves);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
