/*
 * What is served is in schemas/openapi.yaml, and the reverse.
 */
#include <jansson.h>

#include "api_priv.h"
#include "fl_test.h"
#include "http_priv.h"
#include "mcp_http.h"
#include "serve_priv.h"
#include "slice.h"

static json_t *contract_of(fl_http *http)
{
    const fl_http_request request = {
        .method = "GET", .path = "/openapi.json", .content_type = "", .client = "127.0.0.1"};
    fl_http_reply reply;
    fl_http_reply_init(&reply);
    const fl_http_route *route = fl_http_find(http, "GET", request.path, &reply);
    ck_assert_ptr_nonnull(route);
    fl_http_run(http, route, &request, &reply);
    fl_slice bytes = fl_http_reply_bytes(&reply);
    json_t *contract = json_loadb((const char *)bytes.ptr, bytes.len, 0, NULL);
    ck_assert_ptr_nonnull(contract);
    fl_http_reply_dispose(&reply);
    return contract;
}

/* Whether the contract has the operation; a slash at the end is no other place. */
static bool is_described(const json_t *paths, const char *method, const char *path)
{
    char text[128];
    size_t len = strlen(path);
    snprintf(text, sizeof(text), "%.*s", (int)(len > 1 && path[len - 1] == '/' ? len - 1 : len),
             path);
    const json_t *item = json_object_get(paths, text);
    return json_object_get(item, strcmp(method, "GET") == 0 ? "get" : "post") != NULL;
}

/* Rows of the api's table, and what else the daemon answers itself; what other tools send has
 * contracts of theirs, and pages are for people. */
START_TEST(every_route_is_in_the_contract_and_the_contract_has_no_other)
{
    size_t count, operations = 0, described = 0;
    const char *path, *method;
    fl_error err = {0};
    json_t *item, *operation;
    fl_http *http;
    fl_api *api;
    static fl_mcp_tools tools;
    const fl_api_route *rows = fl_api_routes(&count);
    const fl_http_route mcp = fl_mcp_http_route(&tools);
    const fl_http_options plain = {.workers = 1};
    const fl_api_options options = {0};
    ck_assert_ok(fl_http_create(&http, &plain, &err));
    ck_assert_ok(fl_api_create(&api, &options, &err));
    ck_assert_ok(fl_api_add_routes(api, http, &err));
    size_t before = http->route_count;
    fl_serve serve = {.http = http};
    ck_assert_ok(fl_serve_add_routes(&serve, &err));
    ck_assert_ok(fl_http_add(http, &mcp, 1, &err));
    json_t *contract = contract_of(http);
    const json_t *paths = json_object_get(contract, "paths");
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].path);
        ck_assert_msg(is_described(paths, rows[i].method, rows[i].path), "%s", rows[i].path);
        described += rows[i].path[len - 1] != '/'; /* "/grafana/" is "/grafana" */
    }
    for (size_t i = before; i < http->route_count; i++, described++)
        ck_assert_msg(is_described(paths, http->routes[i].method, http->routes[i].path), "%s",
                      http->routes[i].path);
    json_object_foreach((json_t *)(uintptr_t)paths, path, item)
    {
        json_object_foreach(item, method, operation)
        {
            operations += strcmp(method, "parameters") != 0;
        }
    }
    ck_assert_uint_eq(operations, described);
    json_decref(contract);
    fl_http_destroy(http);
    fl_api_destroy(api);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("api contract");
    TCase *cases = tcase_create("contract");
    tcase_add_test(cases, every_route_is_in_the_contract_and_the_contract_has_no_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
