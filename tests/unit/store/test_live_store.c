/*
 * Incidents that daemons keep open: on both engines. Where there is a server, two daemons meet.
 */
#include "live_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include "fl_incidents.h"
#include "fl_store_place.h"
#include "mem.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;
static char claimed[512];

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static fl_live live_of(const char *id, const char *owner)
{
    return (fl_live){.id = id,
                     .state = "open",
                     .owner = owner,
                     .lease_ns = 100,
                     .opened_ns = 10,
                     .changed_ns = 20,
                     .body = "{\"its\": \"'body'\"}"};
}

static bool publish(fl_live *live, const uint64_t *signs, size_t count, const char *other)
{
    fl_live_published out;
    live->signs = signs;
    live->sign_count = count;
    ck_assert_ok(fl_live_publish(&out, store, live, 50, &err));
    ck_assert_str_eq(out.other, other);
    return out.is_ours;
}

static fl_status note(const fl_live *live, void *payload, fl_error *e)
{
    (void)payload;
    (void)e;
    size_t len = strlen(claimed);
    snprintf(claimed + len, sizeof(claimed) - len, "%s/%s/%lld ", live->id, live->owner,
             (long long)live->lease_ns);
    ck_assert_str_eq(live->state, "open");
    ck_assert_str_eq(live->body, "{\"its\": \"'body'\"}");
    ck_assert_int_eq(live->opened_ns, 10);
    return FL_OK;
}

static void claim(const char *owner, int64_t now_ns, bool with_own, const char *expected)
{
    const fl_live_claimer by = {owner, now_ns, now_ns + 100, with_own};
    claimed[0] = '\0';
    ck_assert_ok(fl_live_claim(store, &by, note, NULL, &err));
    ck_assert_str_eq(claimed, expected);
}

START_TEST(an_incident_has_one_keeper_until_his_lease_is_over)
{
    fl_live mine = live_of("a", "one"), theirs = live_of("a", "two");
    ck_assert(publish(&mine, NULL, 0, ""));
    ck_assert(!publish(&theirs, NULL, 0, ""));
    claim("two", 100, false, "");
    claim("two", 101, false, "a/two/201 ");
    ck_assert(!publish(&mine, NULL, 0, ""));
    theirs.lease_ns = 10;
    ck_assert(publish(&theirs, NULL, 0, ""));
    ck_assert(publish(&mine, NULL, 0, "")); /* the lease of the other is over */
}
END_TEST

START_TEST(a_lease_is_renewed_for_all_that_one_keeps)
{
    fl_live a = live_of("a", "one"), b = live_of("b", "one"), c = live_of("c", "two");
    (void)publish(&a, NULL, 0, "");
    (void)publish(&b, NULL, 0, "");
    (void)publish(&c, NULL, 0, "");
    const fl_live_claimer by = {"one", 90, 500, false};
    ck_assert_ok(fl_live_renew(store, &by, &err));
    claim("three", 200, false, "c/three/300 ");
}
END_TEST

START_TEST(a_keeper_gets_his_own_back_after_a_restart)
{
    fl_live a = live_of("a", "one");
    (void)publish(&a, NULL, 0, "");
    claim("one", 50, false, "");
    claim("one", 50, true, "a/one/150 ");
}
END_TEST

START_TEST(what_has_closed_is_claimed_by_nobody_and_has_no_signs)
{
    uint64_t signs[] = {3, 5, UINT64_MAX};
    fl_live a = live_of("a", "one"), b = live_of("b", "two");
    ck_assert(publish(&a, signs, 3, ""));
    a.state = "closed";
    a.closed_ns = 60;
    ck_assert(publish(&a, signs, 3, ""));
    claim("two", 900, true, "");
    ck_assert(publish(&b, signs, 3, ""));
}
END_TEST

START_TEST(a_sign_is_of_the_open_incident_with_the_lowest_id)
{
    uint64_t two[] = {3, 5}, more[] = {5, 9};
    fl_live a = live_of("a", "one"), b = live_of("b", "two"), c = live_of("c", "three");
    ck_assert(publish(&b, two, 2, ""));
    ck_assert(publish(&c, more, 2, "b"));
    ck_assert(publish(&a, more, 2, "")); /* takes 5 and 9 over */
    ck_assert(publish(&b, two, 2, "a"));
    b.state = "merged";
    b.merged_to = "a";
    b.closed_ns = 70;
    ck_assert(publish(&b, two, 2, "a"));
    const fl_live_claimer by = {"nine", 900, 1000, false};
    claimed[0] = '\0';
    ck_assert_ok(fl_live_claim(store, &by, note, NULL, &err)); /* in no order */
    ck_assert_ptr_nonnull(strstr(claimed, "a/nine/1000 "));
    ck_assert_ptr_nonnull(strstr(claimed, "c/nine/1000 "));
    ck_assert_ptr_null(strstr(claimed, "b/"));
}
END_TEST

START_TEST(signs_move_between_incidents_of_one_keeper_as_he_says)
{
    const uint64_t both[] = {1, 2}, all[] = {1, 2, 3}, one[] = {1};
    fl_live a = live_of("a", "one"), b = live_of("b", "one"), c = live_of("c", "two");
    fl_live d = live_of("d", "one");
    ck_assert(publish(&a, both, 2, ""));
    ck_assert(publish(&b, all, 3, "")); /* b has taken a up, and is written first */
    ck_assert(publish(&c, one, 1, "b"));
    a.state = "merged";
    a.merged_to = "b";
    ck_assert(publish(&a, both, 2, ""));
    ck_assert(publish(&c, one, 1, "b"));
    ck_assert(publish(&d, one, 1, "")); /* it left b */
    ck_assert(publish(&c, one, 1, "")); /* of another: the lower id has it */
    ck_assert(publish(&d, one, 1, "c"));
}
END_TEST

static fl_status see_state(const fl_store_row *row, void *payload, fl_error *e)
{
    char *out = payload;
    (void)e;
    snprintf(out + strlen(out), 64, "%s:%s ", row->id, row->state != NULL ? row->state : "-");
    return FL_OK;
}

START_TEST(a_list_of_incidents_tells_their_state)
{
    char states[256] = "";
    fl_incident incident = fl_test_incident;
    fl_live a = live_of("a", "one");
    incident.id = "a";
    ck_assert_ok(fl_store_put(store, &incident, SLICE("{}"), 2, &err));
    incident.id = "b";
    ck_assert_ok(fl_store_put(store, &incident, SLICE("{}"), 1, &err));
    (void)publish(&a, NULL, 0, "");
    ck_assert_ok(fl_store_list(store, 0, see_state, states, &err));
    ck_assert_str_eq(states, "a:open b:- ");
}
END_TEST

/* What is asked for, as its ids and states. */
static const char *found(const fl_store_question *question)
{
    static char states[256];
    states[0] = '\0';
    ck_assert_ok(fl_store_find(store, question, see_state, states, &err));
    return states;
}

START_TEST(a_list_is_read_in_pages_and_narrowed)
{
    fl_incident incident = fl_test_incident, empty = fl_test_empty_incident;
    fl_live a = live_of("a", "one"), b = live_of("b", "one");
    const char *const ids[] = {"a", "b", "c", "d"};
    const int64_t stored[] = {9, 9, 9, 4};
    for (size_t i = 0; i < 4; i++) {
        incident.id = empty.id = ids[i];
        ck_assert_ok(
            fl_store_put(store, i == 1 ? &empty : &incident, SLICE("{}"), stored[i], &err));
    }
    (void)publish(&a, NULL, 0, "");
    b.state = "closed";
    b.closed_ns = 60;
    (void)publish(&b, NULL, 0, "");
    ck_assert_str_eq(found(&(fl_store_question){.limit = 2}), "a:open b:closed ");
    ck_assert_str_eq(found(&(fl_store_question){.behind_id = "b", .behind_ns = 9}), "c:- d:- ");
    ck_assert_str_eq(found(&(fl_store_question){.behind_id = "c", .behind_ns = 9}), "d:- ");
    ck_assert_str_eq(found(&(fl_store_question){.behind_id = "d", .behind_ns = 4}), "");
    ck_assert_str_eq(found(&(fl_store_question){.state = "open"}), "a:open ");
    ck_assert_str_eq(found(&(fl_store_question){.state = "closed"}), "b:closed ");
    ck_assert_str_eq(found(&(fl_store_question){.state = "merged"}), "");
    ck_assert_str_eq(found(&(fl_store_question){.since_ns = 5}), "a:open b:closed c:- ");
    const char *service = fl_test_incident.hypotheses[0].service;
    ck_assert_str_eq(found(&(fl_store_question){.service = service}), "a:open c:- d:- ");
    ck_assert_str_eq(found(&(fl_store_question){.service = "x' OR 1"}), "");
    ck_assert_str_eq(found(&(fl_store_question){
                         .service = service, .behind_id = "a", .behind_ns = 9, .limit = 1}),
                     "c:- ");
}
END_TEST

/* Each incident whose lease is over goes to one of the daemons that ask for it at once. */
START_TEST(daemons_that_claim_at_once_share_what_there_is)
{
    enum { DAEMONS = 4, INCIDENTS = 40 };
    char id[16], owner[16], all[8192] = "";
    int ends[2];
    for (int i = 0; i < INCIDENTS; i++) {
        snprintf(id, sizeof(id), "i%02d", i);
        fl_live live = live_of(id, "gone");
        (void)publish(&live, NULL, 0, "");
    }
    ck_assert_int_eq(pipe(ends), 0);
    for (int d = 0; d < DAEMONS; d++) {
        if (fork() != 0)
            continue;
        fl_store *own = NULL;
        char text[4096] = "";
        snprintf(owner, sizeof(owner), "d%d", d);
        const fl_live_claimer by = {owner, 200, 300, false};
        if (fl_store_open(&own, place.url, FL_STORE_EXISTING, &err) != FL_OK)
            _exit(2);
        claimed[0] = '\0';
        for (int round = 0; round < 3; round++)
            if (fl_live_claim(own, &by, note, NULL, &err) != FL_OK)
                _exit(3);
        snprintf(text, sizeof(text), "%s", claimed);
        fl_store_close(own);
        _exit(write(ends[1], text, strlen(text)) >= 0 ? 0 : 4);
    }
    for (int d = 0; d < DAEMONS; d++) {
        int code;
        ck_assert_int_gt(wait(&code), 0);
        ck_assert_int_eq(code, 0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    for (ssize_t got; (got = read(ends[0], all + len, sizeof(all) - 1 - len)) > 0;)
        len += (size_t)got;
    (void)close(ends[0]);
    for (int i = 0; i < INCIDENTS; i++) {
        snprintf(id, sizeof(id), "i%02d/", i);
        const char *first = strstr(all, id);
        ck_assert_msg(first != NULL, "nobody has %s", id);
        ck_assert_msg(strstr(first + 1, id) == NULL, "%s is kept twice", id);
    }
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error_and_changes_nothing)
{
    uint64_t signs[] = {1, 2, 3};
    fl_live a = live_of("a", "one");
    a.signs = signs;
    a.sign_count = 3;
    for (long n = 0; n < 200; n++) {
        fl_error own = {0};
        fl_live_published out;
        fl_mem_fail_after(n);
        fl_status status = fl_live_publish(&out, store, &a, 50, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            return;
        ck_assert_int_eq(status, FL_E_NOMEM);
        claim("two", 900, false, "");
    }
    ck_abort_msg("it never succeeds");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("live_store");
    TCase *cases = tcase_create("live_store");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_incident_has_one_keeper_until_his_lease_is_over);
    tcase_add_test(cases, a_lease_is_renewed_for_all_that_one_keeps);
    tcase_add_test(cases, a_keeper_gets_his_own_back_after_a_restart);
    tcase_add_test(cases, what_has_closed_is_claimed_by_nobody_and_has_no_signs);
    tcase_add_test(cases, a_sign_is_of_the_open_incident_with_the_lowest_id);
    tcase_add_test(cases, signs_move_between_incidents_of_one_keeper_as_he_says);
    tcase_add_test(cases, a_list_of_incidents_tells_their_state);
    tcase_add_test(cases, a_list_is_read_in_pages_and_narrowed);
    tcase_add_test(cases, daemons_that_claim_at_once_share_what_there_is);
    tcase_add_test(cases, each_allocation_that_fails_is_an_error_and_changes_nothing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
