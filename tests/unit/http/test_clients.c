#include <stdio.h>

#include "clients.h"
#include "fl_test.h"
#include "mem.h"
#include "timestamp.h"

static fl_error err;
static fl_clients *clients;

static void create(unsigned max_connections, unsigned requests_per_s)
{
    fl_clients_destroy(clients);
    err = (fl_error){0};
    ck_assert_ok(fl_clients_create(&clients, max_connections, requests_per_s, &err));
}

static void teardown(void)
{
    fl_clients_destroy(clients);
    clients = NULL;
}

START_TEST(each_client_has_its_own_connections)
{
    create(2, 0);
    fl_clients_enter(clients, "10.0.0.1");
    ck_assert(fl_clients_has_room(clients, "10.0.0.1"));
    fl_clients_enter(clients, "10.0.0.1");
    ck_assert(!fl_clients_has_room(clients, "10.0.0.1"));
    ck_assert(fl_clients_has_room(clients, "10.0.0.2"));
    fl_clients_leave(clients, "10.0.0.1");
    ck_assert(fl_clients_has_room(clients, "10.0.0.1"));
}
END_TEST

START_TEST(a_network_of_64_bits_is_one_client)
{
    create(1, 0);
    fl_clients_enter(clients, "2001:db8::1");
    ck_assert(!fl_clients_has_room(clients, "2001:db8::ffff"));
    ck_assert(fl_clients_has_room(clients, "2001:db8:0:1::1"));
}
END_TEST

START_TEST(a_rate_allows_a_burst_of_a_second_and_then_its_share)
{
    unsigned wait_s;
    int64_t now_ns = 1000 * FL_NS_PER_S;
    create(0, 10);
    for (int i = 0; i < 10; i++)
        ck_assert(fl_clients_ask(clients, "10.0.0.1", now_ns, &wait_s));
    ck_assert(!fl_clients_ask(clients, "10.0.0.1", now_ns, &wait_s));
    ck_assert_uint_eq(wait_s, 1);
    ck_assert(fl_clients_ask(clients, "10.0.0.2", now_ns, &wait_s));
    now_ns += FL_NS_PER_S / 10;
    ck_assert(fl_clients_ask(clients, "10.0.0.1", now_ns, &wait_s));
    ck_assert(!fl_clients_ask(clients, "10.0.0.1", now_ns, &wait_s));
    /* An hour of silence is worth no more than a second. */
    now_ns += 3600 * FL_NS_PER_S;
    int taken = 0;
    while (fl_clients_ask(clients, "10.0.0.1", now_ns, &wait_s))
        taken++;
    ck_assert_int_eq(taken, 10);
}
END_TEST

START_TEST(no_rate_is_no_limit)
{
    unsigned wait_s;
    create(0, 0);
    for (int i = 0; i < 100000; i++)
        ck_assert(fl_clients_ask(clients, "10.0.0.1", FL_NS_PER_S, &wait_s));
    fl_clients_set_rate(clients, 1);
    ck_assert(fl_clients_ask(clients, "10.0.0.1", 2 * FL_NS_PER_S, &wait_s));
    ck_assert(!fl_clients_ask(clients, "10.0.0.1", 2 * FL_NS_PER_S, &wait_s));
}
END_TEST

START_TEST(more_clients_than_there_is_room_for_share_one_limit)
{
    enum { CLIENTS = 40000 };
    char address[32];
    create(3, 0);
    unsigned taken = 0;
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(address, sizeof(address), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        if (fl_clients_has_room(clients, address)) {
            fl_clients_enter(clients, address);
            taken++;
        }
    }
    ck_assert_uint_gt(taken, 4000);
    ck_assert_uint_lt(taken, 8192 + 3 + 1);
}
END_TEST

START_TEST(who_left_makes_room)
{
    char address[32];
    create(1, 0);
    for (int i = 0; i < 100000; i++) {
        snprintf(address, sizeof(address), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        ck_assert(fl_clients_has_room(clients, address));
        fl_clients_enter(clients, address);
        fl_clients_leave(clients, address);
    }
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    err = (fl_error){0};
    fl_mem_fail_after(0);
    fl_status status = fl_clients_create(&clients, 1, 1, &err);
    fl_mem_fail_after(-1);
    ck_assert_fails(FL_E_NOMEM, status);
    ck_assert_ptr_null(clients);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("clients");
    TCase *tests = tcase_create("clients");
    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_test(tests, each_client_has_its_own_connections);
    tcase_add_test(tests, a_network_of_64_bits_is_one_client);
    tcase_add_test(tests, a_rate_allows_a_burst_of_a_second_and_then_its_share);
    tcase_add_test(tests, no_rate_is_no_limit);
    tcase_add_test(tests, more_clients_than_there_is_room_for_share_one_limit);
    tcase_add_test(tests, who_left_makes_room);
    tcase_add_test(tests, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
