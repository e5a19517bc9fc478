/*
 * /v1 without sockets: requests are made here and go through the server's own table of routes.
 */
#include "api.h"

#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api_priv.h"
#include "fl_folder.h"
#include "fl_incidents.h"
#include "fl_test.h"
#include "mem.h"
#include "report.h"
#include "slice.h"
#include "store_pool.h"
#include "stream.h"
#include "timestamp.h"

static fl_error err;
static fl_folder folder;
static char place[512];
static fl_http *http;
static fl_api *api;
static fl_http_reply reply;
static const fl_http_field *headers; /* of the requests that are made */
static size_t header_count;

static void nap_ms(long ms)
{
    const struct timespec time = {.tv_sec = 0, .tv_nsec = ms * 1000000};
    (void)nanosleep(&time, NULL);
}

static bool live_page(void *payload, const char *id, fl_buf *out)
{
    (void)payload;
    if (strcmp(id, "live-1") != 0)
        return false;
    fl_incident incident = fl_test_incident;
    incident.id = "live-1";
    if (out != NULL)
        (void)!fl_report_json(out, &incident, &err);
    return true;
}

static void open_api(const char *url)
{
    const fl_api_options options = {.store = url, .mode = FL_STORE_CREATE, .page = live_page};
    const fl_http_options plain = {.workers = 1};
    ck_assert_ok(fl_http_create(&http, &plain, &err));
    ck_assert_ok(fl_api_create(&api, &options, &err));
    ck_assert_ok(fl_api_add_routes(api, http, &err));
}

/* The document has so many hypotheses. */
static void put_document(const char *id, int64_t stored_ns, size_t hypotheses)
{
    fl_store *store;
    fl_buf document = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_incident incident = fl_test_incident;
    ck_assert_uint_le(hypotheses, fl_test_incident.hypothesis_count);
    incident.id = id;
    incident.hypothesis_count = hypotheses;
    ck_assert_ok(fl_report_json(&document, &incident, &err));
    ck_assert_ok(fl_store_open(&store, place, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_store_put(store, &incident, fl_buf_slice(&document), stored_ns, &err));
    fl_store_close(store);
    fl_buf_dispose(&document);
}

static void put(const char *id, int64_t stored_ns)
{
    put_document(id, stored_ns, fl_test_incident.hypothesis_count);
}

static void setup(void)
{
    header_count = 0;
    err = (fl_error){0};
    fl_folder_open(&folder);
    snprintf(place, sizeof(place), "%s/store.db", folder.path);
    put("kept-1", 5);
    put("kept-2", 6);
    open_api(place);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_http_reply_dispose(&reply);
    fl_http_destroy(http);
    fl_api_destroy(api);
    fl_folder_remove(&folder);
}

/* Leaves the answer in `reply`. */
static unsigned ask_with(const char *method, const char *path, const fl_http_field *parameters,
                         size_t count)
{
    const fl_http_request request = {.method = method,
                                     .path = path,
                                     .content_type = "",
                                     .headers = headers,
                                     .header_count = header_count,
                                     .client = "127.0.0.1",
                                     .parameters = parameters,
                                     .parameter_count = count};
    fl_http_reply_dispose(&reply);
    fl_http_reply_init(&reply);
    const fl_http_route *route = fl_http_find(http, method, path, &reply);
    if (route != NULL) {
        fl_http_reply_dispose(&reply);
        fl_http_run(http, route, &request, &reply);
        if (reply.kept != NULL)
            fl_buf_add(&reply.body, fl_http_reply_bytes(&reply));
    }
    return reply.status;
}

static unsigned ask(const char *path)
{
    return ask_with("GET", path, NULL, 0);
}

static const char *detail(void)
{
    static char text[512];
    json_t *problem = json_loadb(reply.body.ptr, reply.body.len, 0, NULL);
    snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(problem, "detail")));
    json_decref(problem);
    return text;
}

START_TEST(an_incident_in_memory_goes_before_the_store)
{
    ck_assert_uint_eq(ask("/v1/incidents/live-1"), 200);
    ck_assert_ptr_nonnull(strstr(reply.body.ptr, "\"id\": \"live-1\""));
    ck_assert_uint_eq(ask("/v1/incidents/live-1/hypotheses"), 200);
    ck_assert_ptr_nonnull(strstr(reply.body.ptr, "faultline.hypotheses/1"));
    ck_assert_uint_eq(ask("/v1/incidents/kept-1"), 200);
    ck_assert_ptr_nonnull(strstr(reply.body.ptr, "\"id\": \"kept-1\""));
    ck_assert_uint_eq(ask("/v1/incidents/kept"), 404);
    ck_assert_str_eq(detail(), "'kept' begins several ids: kept-1, kept-2");
}
END_TEST

START_TEST(paths_that_only_look_like_routes_are_refused)
{
    static const struct {
        const char *method, *path;
        unsigned status;
    } rows[] = {
        {"GET", "/v1/incidents/", 404},
        {"GET", "/v1/incidents//hypotheses", 404},
        {"GET", "/v1/incidents/kept-1/", 404},
        {"GET", "/v1/incidents/kept-1/hypotheses/", 404},
        {"GET", "/v1/incidents/kept-1/hypothesesx", 404},
        {"GET", "/v1/incidents/../../etc", 404},
        {"GET", "/v1/incidents/kept-1'--", 404},
        {"PUT", "/v1/incidents/kept-1", 405},
        {"DELETE", "/v1/incidents", 405},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_uint_eq(ask_with(rows[i].method, rows[i].path, NULL, 0), rows[i].status);
}
END_TEST

START_TEST(a_store_that_is_gone_is_said_and_one_that_is_back_is_used)
{
    char taken[600];
    fl_http_destroy(http);
    fl_api_destroy(api);
    snprintf(taken, sizeof(taken), "%s/taken.db", folder.path);
    ck_assert_int_eq(mkdir(taken, 0700), 0);
    open_api(taken);
    ck_assert_uint_eq(ask("/v1/incidents"), 503);
    ck_assert_uint_eq(reply.retry_after_s, 5);
    ck_assert_msg(strstr(detail(), "the store cannot be read: opening store ") != NULL, "%s",
                  detail());
    ck_assert_uint_eq(ask("/v1/incidents/live-1"), 200); /* memory needs no store */
    ck_assert_uint_eq(ask("/v1/incidents/kept-1"), 503);
    ck_assert_uint_eq(fl_api_stats_of(api).stores_failed, 1); /* not tried for each that asks */
    ck_assert_int_eq(rmdir(taken), 0);
    for (int i = 0; i < 100 && ask("/v1/incidents") == 503; i++)
        nap_ms(50);
    ck_assert_uint_eq(reply.status, 200);
    ck_assert_uint_eq(fl_api_stats_of(api).stores_open, 1);
}
END_TEST

START_TEST(a_daemon_without_a_store_says_so)
{
    fl_http_destroy(http);
    fl_api_destroy(api);
    open_api(NULL);
    ck_assert_uint_eq(ask("/v1/incidents"), 503);
    ck_assert_str_eq(detail(), "the store cannot be read: this daemon keeps no store");
    ck_assert_uint_eq(ask("/openapi.json"), 200);
}
END_TEST

/* --- what is kept of an answer --- */

static const char *const of_documents[] = {"", "/hypotheses", "/evidence"};

static void take_body(char **out)
{
    *out = strndup(reply.body.ptr, reply.body.len);
    ck_assert_ptr_nonnull(*out);
}

START_TEST(an_answer_that_is_kept_is_that_of_the_newest_document)
{
    char path[64], tag[FL_HTTP_TAG];
    char *first, *again;
    snprintf(path, sizeof(path), "/v1/incidents/kept-1%s", of_documents[_i]);
    ck_assert_uint_eq(ask(path), 200);
    ck_assert_ptr_nonnull(reply.kept);
    const fl_http_kept *kept = reply.kept;
    take_body(&first);
    snprintf(tag, sizeof(tag), "%s", reply.etag);
    ck_assert_uint_eq(ask(path), 200);
    ck_assert_ptr_eq(reply.kept, kept);
    take_body(&again);
    ck_assert_str_eq(first, again);
    free(again);
    put_document("kept-1", 5, 1);
    ck_assert_uint_eq(ask(path), 200);
    take_body(&again);
    ck_assert_str_ne(first, again);
    ck_assert_str_ne(reply.etag, tag);
    free(first);
    free(again);
    ck_assert_uint_eq(ask("/v1/incidents/live-1"), 200);
    ck_assert_ptr_null(reply.kept); /* what is in memory changes without a stamp */
}
END_TEST

START_TEST(a_client_that_takes_gzip_gets_the_same_bytes_packed_under_another_tag)
{
    static const fl_http_field takes[] = {{"Accept-Encoding", "br, gzip"}, {"If-None-Match", NULL}};
    fl_http_field both[2];
    char tag[FL_HTTP_TAG];
    char *plain;
    fl_stream *stream;
    fl_stream_block block = {0};
    fl_slice bytes;
    ck_assert_uint_eq(ask("/v1/incidents/kept-1"), 200);
    take_body(&plain);
    snprintf(tag, sizeof(tag), "%s", reply.etag);
    headers = takes, header_count = 1;
    ck_assert_uint_eq(ask("/v1/incidents/kept-1"), 200);
    ck_assert_uint_lt(reply.body.len, strlen(plain));
    ck_assert_str_ne(reply.etag, tag);
    ck_assert_ok(fl_stream_over(&stream, fl_buf_slice(&reply.body), "answer", &err));
    ck_assert_ok(fl_stream_read_all(&bytes, &block, stream, 1 << 20, &err));
    ck_assert_uint_eq(bytes.len, strlen(plain));
    ck_assert_mem_eq(bytes.ptr, plain, bytes.len);
    fl_mem_free(block.ptr);
    fl_stream_close(stream);
    snprintf(tag, sizeof(tag), "%s", reply.etag);
    memcpy(both, takes, sizeof(both));
    both[1].value = tag;
    headers = both, header_count = 2;
    ck_assert_uint_eq(ask("/v1/incidents/kept-1"), 304);
    ck_assert_uint_eq(reply.body.len, 0);
    free(plain);
}
END_TEST

START_TEST(more_answers_than_are_kept_push_out_the_one_least_lately_used)
{
    char path[64], id[32];
    const fl_http_kept *kept;
    for (int i = 0; i < API_CACHE_ANSWERS; i++) {
        snprintf(id, sizeof(id), "many-%d", i);
        put(id, i + 1);
    }
    ck_assert_uint_eq(ask("/v1/incidents/kept-1"), 200);
    kept = reply.kept;
    for (int i = 0; i < API_CACHE_ANSWERS; i++) {
        snprintf(path, sizeof(path), "/v1/incidents/many-%d", i);
        ck_assert_uint_eq(ask(path), 200);
        if (i < API_CACHE_ANSWERS - 1) {
            ck_assert_uint_eq(ask("/v1/incidents/kept-1"), 200);
            ck_assert_ptr_eq(reply.kept, kept);
        }
    }
    ck_assert_uint_eq(ask("/v1/incidents/many-0"), 200); /* made anew */
    ck_assert_uint_gt(reply.body.len, 0);
}
END_TEST

/* --- what changes --- */

/* All that a stream has to tell within so many tries; NUL-terminated. */
static const char *listen_for(const char *wanted)
{
    static char text[8192];
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i < 200 && strstr(text, wanted) == NULL; i++) {
        ptrdiff_t more = reply.stream.next(reply.stream.payload, text + len, i % 2 == 0 ? 7 : 600);
        ck_assert_int_ge(more, 0);
        len += (size_t)more;
        ck_assert_uint_lt(len + 600, sizeof(text));
        text[len] = '\0';
        if (more == 0)
            nap_ms(50);
    }
    return text;
}

START_TEST(who_listens_is_told_what_is_stored_from_now_on)
{
    ck_assert_uint_eq(ask("/v1/incidents/events"), 200);
    ck_assert_str_eq(reply.content_type, "text/event-stream");
    ck_assert_uint_eq(fl_api_stats_of(api).listeners, 1);
    /* Who asked for the list before the first look asks for it again. */
    ck_assert_str_eq(listen_for("reset\ndata: {}\n\n"),
                     "retry: 2000\n\nevent: reset\ndata: {}\n\n");
    put("kept-3", 7);
    ck_assert_ptr_nonnull(
        strstr(listen_for("\n\n"), "id: 7\nevent: incident\ndata: {\"id\":\"kept-3\","));
    put("kept-1", 8);
    ck_assert_ptr_nonnull(
        strstr(listen_for("\n\n"), "id: 8\nevent: incident\ndata: {\"id\":\"kept-1\","));
    fl_http_reply_dispose(&reply);
    ck_assert_uint_eq(fl_api_stats_of(api).listeners, 0);
}
END_TEST

/* Until the first look is over, which is told. */
static void begin_to_listen(void)
{
    ck_assert_uint_eq(ask("/v1/incidents/events"), 200);
    ck_assert_ptr_nonnull(strstr(listen_for("reset\ndata: {}\n\n"), "event: reset\n"));
}

START_TEST(a_clock_that_is_ahead_hides_nothing_that_comes_after)
{
    put("ahead", fl_time_now() + 3600 * FL_NS_PER_S);
    begin_to_listen();
    put("kept-3", fl_time_now());
    ck_assert_ptr_nonnull(strstr(listen_for("kept-3"), "{\"id\":\"kept-3\","));
}
END_TEST

START_TEST(who_comes_back_is_told_all_that_was_stored_at_the_time_of_his_last)
{
    static const fl_http_field last = {"Last-Event-ID", "7"};
    static const fl_http_request request = {.method = "GET",
                                            .path = "/v1/incidents/events",
                                            .content_type = "",
                                            .client = "127.0.0.1",
                                            .headers = &last,
                                            .header_count = 1};
    begin_to_listen();
    put("kept-3", 7);
    (void)listen_for("kept-3");
    put("kept-4", 7);
    ck_assert_ptr_nonnull(strstr(listen_for("kept-4"), "id: 7\n"));
    fl_http_reply_dispose(&reply);
    fl_http_reply_init(&reply);
    fl_http_run(http, fl_http_find(http, "GET", request.path, &reply), &request, &reply);
    const char *told = listen_for("kept-4");
    ck_assert_ptr_nonnull(strstr(told, "{\"id\":\"kept-4\","));
    ck_assert_ptr_null(strstr(told, "reset"));
}
END_TEST

START_TEST(the_whole_graph_is_read_by_one_at_a_time)
{
    static const char *const wholes[] = {"/v1/graph/known", "/v1/graph/stats"};
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        atomic_store(&api->is_read_whole, true);
        ck_assert_uint_eq(ask(wholes[i]), 503);
        ck_assert_str_eq(detail(), "somebody reads the whole graph already");
        ck_assert_uint_eq(reply.retry_after_s, 5);
        atomic_store(&api->is_read_whole, false);
        ck_assert_uint_eq(ask(wholes[i]), 200);
        ck_assert_uint_eq(ask(wholes[i]), 200);
    }
}
END_TEST

START_TEST(a_listener_that_there_is_no_memory_for_leaves_nothing)
{
    for (long n = 0; n < 3; n++) {
        fl_mem_fail_after(n);
        unsigned status = ask("/v1/incidents/events");
        fl_mem_fail_after(-1);
        ck_assert(status == 200 || status == 500);
        ck_assert_uint_eq(fl_api_stats_of(api).listeners, status == 200 ? 1 : 0);
    }
}
END_TEST

/* --- the pool --- */

static void *give_back_later(void *payload)
{
    void **both = payload;
    nap_ms(50);
    fl_store_pool_give(both[0], both[1], true);
    return NULL;
}

START_TEST(a_store_is_waited_for_where_all_are_busy)
{
    fl_store_pool *pool;
    fl_store *one, *two;
    pthread_t thread;
    ck_assert_ok(fl_store_pool_create(&pool, place, FL_STORE_EXISTING, 1, &err));
    ck_assert_ok(fl_store_pool_take(&one, pool, &err));
    void *both[] = {pool, one};
    ck_assert_int_eq(pthread_create(&thread, NULL, give_back_later, both), 0);
    ck_assert_ok(fl_store_pool_take(&two, pool, &err));
    ck_assert_ptr_eq(one, two);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(fl_store_pool_stats_of(pool).busy, 1);
    fl_store_pool_give(pool, two, true);
    fl_store_pool_destroy(pool);
}
END_TEST

START_TEST(what_broke_one_connection_broke_the_others)
{
    fl_store_pool *pool;
    fl_store *one, *two;
    ck_assert_ok(fl_store_pool_create(&pool, place, FL_STORE_EXISTING, 2, &err));
    ck_assert_ok(fl_store_pool_take(&one, pool, &err));
    ck_assert_ok(fl_store_pool_take(&two, pool, &err));
    fl_store_pool_give(pool, one, true);
    ck_assert_uint_eq(fl_store_pool_stats_of(pool).open, 2);
    fl_store_pool_give(pool, two, false);
    ck_assert_uint_eq(fl_store_pool_stats_of(pool).open, 0);
    fl_store_pool_destroy(pool);
}
END_TEST

/* --- memory --- */

static const char *const all_paths[] = {
    "/v1/incidents",
    "/v1/incidents/kept-1",
    "/v1/incidents/kept-1/hypotheses",
    "/v1/incidents/kept-1/evidence",
    "/v1/incidents/kept-1/similar",
    "/v1/incidents/kept-1/paths",
    "/v1/graph/stats",
    "/v1/graph/known",
    "/openapi.json",
};

START_TEST(each_allocation_that_fails_is_an_answer)
{
    enum { ENOUGH = 4000 };
    for (size_t p = 0; p < sizeof(all_paths) / sizeof(all_paths[0]); p++) {
        unsigned status = 0;
        ck_assert_uint_eq(ask(all_paths[p]), 200);
        for (long n = 0; n < ENOUGH && status != 200; n++) {
            fl_mem_fail_after(n);
            status = ask(all_paths[p]);
            fl_mem_fail_after(-1);
            ck_assert_msg(status == 200 || status == 500 || status == 503, "%s: %u after %ld",
                          all_paths[p], status, n);
        }
        ck_assert_uint_eq(status, 200);
    }
}
END_TEST

START_TEST(an_api_that_cannot_be_made_leaves_nothing)
{
    const fl_api_options options = {.store = place};
    for (long n = 0; n < 5; n++) {
        fl_api *other;
        fl_mem_fail_after(n);
        fl_status status = fl_api_create(&other, &options, &err);
        fl_mem_fail_after(-1);
        ck_assert_fails(FL_E_NOMEM, status);
        ck_assert_ptr_null(other);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("api");
    TCase *cases = tcase_create("api");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_incident_in_memory_goes_before_the_store);
    tcase_add_test(cases, paths_that_only_look_like_routes_are_refused);
    tcase_add_test(cases, a_store_that_is_gone_is_said_and_one_that_is_back_is_used);
    tcase_add_test(cases, a_daemon_without_a_store_says_so);
    tcase_add_loop_test(cases, an_answer_that_is_kept_is_that_of_the_newest_document, 0, 3);
    tcase_add_test(cases, a_client_that_takes_gzip_gets_the_same_bytes_packed_under_another_tag);
    tcase_add_test(cases, more_answers_than_are_kept_push_out_the_one_least_lately_used);
    tcase_add_test(cases, who_listens_is_told_what_is_stored_from_now_on);
    tcase_add_test(cases, a_clock_that_is_ahead_hides_nothing_that_comes_after);
    tcase_add_test(cases, who_comes_back_is_told_all_that_was_stored_at_the_time_of_his_last);
    tcase_add_test(cases, the_whole_graph_is_read_by_one_at_a_time);
    tcase_add_test(cases, a_listener_that_there_is_no_memory_for_leaves_nothing);
    tcase_add_test(cases, a_store_is_waited_for_where_all_are_busy);
    tcase_add_test(cases, what_broke_one_connection_broke_the_others);
    tcase_add_test(cases, each_allocation_that_fails_is_an_answer);
    tcase_add_test(cases, an_api_that_cannot_be_made_leaves_nothing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
