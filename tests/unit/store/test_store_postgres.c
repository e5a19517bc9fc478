/*
 * What only a server has: it goes away and comes back, others write to it at the same time, it may
 * not be there. Runs beside one (tests/integration/with_postgres), else it is skipped.
 */
#include <fcntl.h>
#include <sys/wait.h>

#include "graph_store.h"
#include "mem.h"
#include "slice.h"

#include "fl_incidents.h"
#include "fl_store_place.h"

enum { WRITERS = 10, ITEMS = 50 };

static fl_error err;
static fl_store_place place;
static fl_store *store;

static void setup(void)
{
    err = (fl_error){0};
    store = NULL;
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
}

static void teardown(void)
{
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static void put(const char *id, const char *document, int64_t now_ns)
{
    fl_incident incident = fl_test_incident;
    incident.id = id;
    ck_assert_ok(fl_store_put(store, &incident, SLICE(document), now_ns, &err));
}

static void expect_document(const char *id_prefix, const char *expected)
{
    char *document = NULL;
    ck_assert_ok(fl_store_get(store, id_prefix, &document, &err));
    ck_assert_str_eq(document, expected);
    fl_mem_free(document);
}

static fl_status see(const fl_store_row *row, void *payload, fl_error *e)
{
    char *ids = payload;
    (void)e;
    ck_assert_str_eq(row->verdict, "cause-found");
    ck_assert_double_eq_tol(row->probability, 0.8731234567, 1e-12);
    ck_assert_str_eq(row->service, "payment-gateway");
    snprintf(ids + strlen(ids), 64, "%s ", row->id);
    return FL_OK;
}

START_TEST(incidents_are_kept_listed_and_found_by_prefix)
{
    char ids[256] = "", *document = NULL;
    put("abc1", "{\"a\": \"it's\"}", 1);
    put("abc2", "{}", 3);
    put("abd", "[]", 2);
    ck_assert_ok(fl_store_list(store, 0, see, ids, &err));
    ck_assert_str_eq(ids, "abc2 abd abc1 ");
    ids[0] = '\0';
    ck_assert_ok(fl_store_list(store, 1, see, ids, &err));
    ck_assert_str_eq(ids, "abc2 ");
    expect_document("abc1", "{\"a\": \"it's\"}");
    expect_document("abd", "[]");
    put("abd", "[1]", 9);
    expect_document("abd", "[1]");
    ck_assert_fails(FL_E_NOTFOUND, fl_store_get(store, "abc", &document, &err));
    ck_assert_str_eq(err.message, "'abc' begins several ids: abc1, abc2");
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_store_get(store, "x%", &document, &err));
    ck_assert_str_eq(err.message, "no incident 'x%' in the store");
}
END_TEST

static fl_graph_node symptom(const char *key)
{
    return (fl_graph_node){.id = fl_node_id(FL_NODE_SYMPTOM, fl_slice_of(key)),
                           .kind = FL_NODE_SYMPTOM,
                           .key = key,
                           .recorded_ns = 1};
}

static fl_status count_node(const fl_graph_node *row, void *payload, fl_error *e)
{
    (void)row;
    (void)e;
    ++*(size_t *)payload;
    return FL_OK;
}

static size_t count_nodes(void)
{
    size_t count = 0;
    const fl_graph_question all = {.as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(fl_graph_nodes(store, &all, count_node, &count, &err));
    return count;
}

/* All writers add the same nodes, half of them in the other order, which is how transactions meet.
 */
static void write_all(int writer)
{
    fl_graph_node nodes[ITEMS];
    char keys[ITEMS][32];
    fl_store *own = NULL;
    if (fl_store_open(&own, place.url, FL_STORE_EXISTING, &err) != FL_OK)
        _exit(2);
    for (int i = 0; i < ITEMS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "symptom %d", writer % 2 == 0 ? i : ITEMS - 1 - i);
        nodes[i] = symptom(keys[i]);
    }
    for (int round = 0; round < 5; round++) {
        const fl_graph_batch batch = {.nodes = nodes, .node_count = ITEMS};
        if (fl_graph_add(NULL, own, &batch, &err) != FL_OK)
            _exit(3);
    }
    fl_store_close(own);
    _exit(0);
}

START_TEST(writers_that_meet_lose_nothing_and_double_nothing)
{
    pid_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        ck_assert_int_ge(writers[i], 0);
        if (writers[i] == 0)
            write_all(i);
    }
    for (int i = 0; i < WRITERS; i++) {
        int ended = -1;
        ck_assert_int_eq(waitpid(writers[i], &ended, 0), writers[i]);
        ck_assert_int_eq(ended, 0);
    }
    ck_assert_uint_eq(count_nodes(), ITEMS);
}
END_TEST

static void restart_server(void)
{
    char command[256];
    const char *owner = geteuid() == 0 ? "runuser -u postgres -- " : "";
    snprintf(command, sizeof(command), "%s'%s' restart", owner, getenv("FL_TEST_PG_CTL"));
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_server_that_was_restarted_is_used_again)
{
    fl_graph_node before = symptom("before"), after = symptom("after");
    ck_assert_ok(
        fl_graph_add(NULL, store, &(fl_graph_batch){.nodes = &before, .node_count = 1}, &err));
    for (int i = 0; i < 3; i++) /* the question has a name on the server then */
        ck_assert_uint_eq(count_nodes(), 1);
    restart_server();
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(count_nodes(), 1);
    restart_server();
    ck_assert_ok(
        fl_graph_add(NULL, store, &(fl_graph_batch){.nodes = &after, .node_count = 1}, &err));
    ck_assert_uint_eq(count_nodes(), 2);
}
END_TEST

static fl_status stop_at_once(const fl_graph_node *row, void *payload, fl_error *e)
{
    (void)row;
    (void)payload;
    return fl_fail(e, FL_E_STOPPED, FL_NO_OFFSET, "enough");
}

START_TEST(a_walk_that_is_stopped_leaves_the_connection_usable)
{
    fl_graph_node nodes[] = {symptom("a"), symptom("b"), symptom("c")};
    const fl_graph_question all = {.as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(
        fl_graph_add(NULL, store, &(fl_graph_batch){.nodes = nodes, .node_count = 3}, &err));
    ck_assert_fails(FL_E_STOPPED, fl_graph_nodes(store, &all, stop_at_once, NULL, &err));
    err = (fl_error){0};
    ck_assert_uint_eq(count_nodes(), 3);
}
END_TEST

/* Or a server would take all of a team's rows for a few, and plan for that. */
START_TEST(a_load_leaves_statistics_behind)
{
    enum { LOADED = 60000 };
    static char keys[LOADED][16];
    fl_graph_node *loaded = calloc(LOADED, sizeof(*loaded));
    ck_assert_ptr_nonnull(loaded);
    for (int i = 0; i < LOADED; i++) {
        snprintf(keys[i], sizeof(keys[i]), "s%d", i);
        loaded[i] = symptom(keys[i]);
    }
    ck_assert_ok(
        fl_graph_add(NULL, store, &(fl_graph_batch){.nodes = loaded, .node_count = LOADED}, &err));
    free(loaded);
    ck_assert_int_eq(
        system("test 60000 = \"$(psql -qXAtc \"SELECT reltuples::int FROM pg_class WHERE relname ="
               " 'node' AND relnamespace = 'faultline'::regnamespace\")\""),
        0);
}
END_TEST

START_TEST(a_store_of_a_newer_version_is_refused_and_left_alone)
{
    fl_store *other = NULL;
    ck_assert_int_eq(system("psql -qXc 'INSERT INTO faultline.version VALUES (99)'"), 0);
    ck_assert_fails(FL_E_UNSUPPORTED, fl_store_open(&other, place.url, FL_STORE_CREATE, &err));
    ck_assert_ptr_nonnull(
        strstr(err.message, "has version 99; this program knows up to 7: upgrade it"));
}
END_TEST

static const struct {
    const char *url;
    fl_status status;
    const char *part;
} unreachable[] = {
    {"postgresql:///nowhere", FL_E_IO, "database \"nowhere\" does not exist"},
    {"postgresql://127.0.0.1:1/x", FL_E_IO, "reaching the store at 127.0.0.1 failed"},
    {"postgresql://[bad", FL_E_IO, "reaching the store at"},
    {"postgresql:///template1", FL_E_NOTFOUND, "no store in database template1"},
};

START_TEST(a_store_that_cannot_be_reached_is_one_sentence)
{
    fl_store *other = NULL;
    ck_assert_fails(unreachable[_i].status,
                    fl_store_open(&other, unreachable[_i].url, FL_STORE_EXISTING, &err));
    ck_assert_msg(strstr(err.message, unreachable[_i].part) != NULL, "%s", err.message);
    ck_assert_ptr_null(strchr(err.message, '\n'));
    ck_assert_ptr_null(other);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store/store_postgres");
    TCase *tc = tcase_create("store_postgres");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, incidents_are_kept_listed_and_found_by_prefix);
    tcase_add_test(tc, writers_that_meet_lose_nothing_and_double_nothing);
    tcase_add_test(tc, a_server_that_was_restarted_is_used_again);
    tcase_add_test(tc, a_walk_that_is_stopped_leaves_the_connection_usable);
    tcase_add_test(tc, a_load_leaves_statistics_behind);
    tcase_add_test(tc, a_store_of_a_newer_version_is_refused_and_left_alone);
    tcase_add_loop_test(tc, a_store_that_cannot_be_reached_is_one_sentence, 0, 4);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    if (getenv("FL_TEST_STORE") == NULL) {
        puts("no PostgreSQL server: skipped");
        return 77;
    }
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
