/*
 * api.c - from a request to the function of its row, and from its failure to a problem.
 *
 * What holds for every row is checked here once: that the path and the parameters are text, that
 * the parameters are known, that a browser's write comes from a page of this very server.
 */
#include "api.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api_priv.h"
#include "mem.h"
#include "number.h"
#include "report.h"
#include "slice.h"
#include "timestamp.h"
#include "utf8.h"

enum {
    API_ARENA_BYTES = 4 * FL_MAX_DOCUMENT_BYTES, /* what a document takes when it is loaded */
    API_RETRY_S = 5,                             /* before another try to reach the store */
    API_BODY_BYTES = 64 << 10,                   /* of what people say */
    API_SERVICE_BYTES = 4 << 20,                 /* FL_MAX_SERVICE_BYTES */
    API_LEARN_BYTES = 8 << 20,                   /* of a document that is learnt from */
    API_GRAFANA_BYTES = 1 << 20                  /* of a panel's question */
};

#define INCIDENT "/v1/incidents/{id}"

static const fl_api_route routes[] = {
    {"GET", "/v1/incidents", FL_ROLE_READ, fl_api_incidents, " state service limit cursor ", 0,
     false},
    {"GET", "/v1/incidents/events", FL_ROLE_READ, fl_api_listen, " ", 0, false},
    {"GET", INCIDENT, FL_ROLE_READ, fl_api_one, " ", 0, true},
    {"GET", INCIDENT "/hypotheses", FL_ROLE_READ, fl_api_hypotheses, " ", 0, true},
    {"GET", INCIDENT "/evidence", FL_ROLE_READ, fl_api_evidence, " hypothesis ", 0, true},
    {"GET", INCIDENT "/timeline", FL_ROLE_READ, fl_api_timeline, " ", 0, false},
    {"GET", INCIDENT "/similar", FL_ROLE_READ, fl_api_similar, " limit ", 0, false},
    {"GET", INCIDENT "/paths", FL_ROLE_READ, fl_api_paths, " most ", 0, false},
    {"GET", INCIDENT "/postmortem", FL_ROLE_READ, fl_api_postmortem, " format ", 0, false},
    {"POST", INCIDENT "/confirm", FL_ROLE_ADMIN, fl_api_confirm, " ", API_BODY_BYTES, false},
    {"POST", INCIDENT "/reject", FL_ROLE_ADMIN, fl_api_reject, " ", API_BODY_BYTES, false},
    {"POST", INCIDENT "/resolve", FL_ROLE_ADMIN, fl_api_resolve, " ", API_BODY_BYTES, false},
    {"POST", "/v1/recommendations", FL_ROLE_READ, fl_api_recommend, " ", API_SERVICE_BYTES, false},
    {"POST", "/v1/learn", FL_ROLE_ADMIN, fl_api_learn, " ", API_LEARN_BYTES, false},
    {"GET", "/v1/graph/nodes", FL_ROLE_READ, fl_api_nodes, " q kind limit as_of ", 0, false},
    {"GET", "/v1/graph/provenance", FL_ROLE_READ, fl_api_provenance, " node as_of ", 0, false},
    {"GET", "/v1/graph/neighbours", FL_ROLE_READ, fl_api_neighbours,
     " node as_of depth limit rank ", 0, false},
    {"GET", "/v1/graph/paths", FL_ROLE_READ, fl_api_graph_paths, " symptom service as_of most ", 0,
     false},
    {"GET", "/v1/graph/known", FL_ROLE_READ, fl_api_known, " as_of ", 0, false},
    {"GET", "/v1/graph/stats", FL_ROLE_READ, fl_api_graph_stats, " as_of ", 0, false},
    {"GET", "/grafana", FL_ROLE_READ, fl_api_grafana_test, " ", 0, false},
    {"GET", "/grafana/", FL_ROLE_READ, fl_api_grafana_test, " ", 0, false},
    {"POST", "/grafana/query", FL_ROLE_READ, fl_api_grafana_query, " ", API_GRAFANA_BYTES, false},
    {"POST", "/grafana/annotations", FL_ROLE_READ, fl_api_grafana_annotations, " ",
     API_GRAFANA_BYTES, false},
    {"POST", "/grafana/metrics", FL_ROLE_READ, fl_api_grafana_metrics, " ", API_GRAFANA_BYTES,
     false},
    {"POST", "/grafana/metric-payload-options", FL_ROLE_READ, fl_api_grafana_options, " ",
     API_GRAFANA_BYTES, false},
    {"POST", "/grafana/variable", FL_ROLE_READ, fl_api_grafana_variable, " ", API_GRAFANA_BYTES,
     false},
    {"POST", "/grafana/tag-keys", FL_ROLE_READ, fl_api_grafana_tag_keys, " ", API_GRAFANA_BYTES,
     false},
    {"POST", "/grafana/tag-values", FL_ROLE_READ, fl_api_grafana_tag_values, " ", API_GRAFANA_BYTES,
     false},
    {"GET", "/openapi.json", FL_ROLE_READ, fl_api_contract, " ", 0, false},
};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

/* The context of one route of the server. */
typedef struct fl_api_entry {
    fl_api *api;
    const fl_api_route *route; /* NULL: the path says which */
} fl_api_entry;

const fl_api_route *fl_api_routes(size_t *count)
{
    *count = ROUTES;
    return routes;
}

/* --- for the functions of the rows --- */

fl_status fl_api_refuse(fl_api_call *call, unsigned status, const char *format, ...)
{
    char text[512];
    va_list args;
    assert(status >= 400 && status < 600);
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fl_http_problem(call->reply, status, "%s", text);
    return FL_E_STOPPED;
}

/* Whatever keeps a store from being opened may pass: that is what 503 says. */
fl_status fl_api_store(fl_store **out, fl_api_call *call)
{
    fl_error why = {0};
    if (call->store == NULL && fl_store_pool_take(&call->store, call->api->pool, &why) != FL_OK) {
        call->reply->retry_after_s = API_RETRY_S;
        return fl_api_refuse(call, 503, "the store cannot be read: %s", why.message);
    }
    *out = call->store;
    return FL_OK;
}

/* Silence about a number that is out of bounds would be an answer to another question. */
fl_status fl_api_number(size_t *out, fl_api_call *call, const char *name, size_t fallback,
                        const size_t bounds[2])
{
    const char *given = fl_http_query(call->request, name);
    uint64_t number = fallback;
    assert(bounds[0] <= bounds[1]);
    if (given != NULL &&
        (!fl_parse_u64(fl_slice_of(given), &number) || number < bounds[0] || number > bounds[1]))
        return fl_api_refuse(call, 400, "%s is a number from %zu to %zu, and not '%.40s'", name,
                             bounds[0], bounds[1], given);
    *out = (size_t)number;
    return FL_OK;
}

/* "now" and what lies before it are told by one clock: that of the request. */
fl_status fl_api_time(int64_t *out, fl_api_call *call, const char *name)
{
    fl_error why = {0};
    const char *given = fl_http_query(call->request, name);
    *out = call->now_ns;
    if (given != NULL && fl_time_parse(out, fl_slice_of(given), call->now_ns, &why) != FL_OK)
        return fl_api_refuse(call, 400, "%s: %s", name, why.message);
    return FL_OK;
}

fl_status fl_api_read_end(fl_api_call *call, fl_json *in, fl_error *err)
{
    (void)fl_json_finish(in);
    if (in->err.status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the request");
    if (!fl_json_ok(in))
        return fl_api_refuse(call, 400, "at byte %llu: %s", (unsigned long long)in->err.offset,
                             in->err.message);
    return FL_OK;
}

/* --- which row --- */

/* Whether the path is of that pattern; the part that "{id}" stands for, in the arena. */
static bool matches(const char *pattern, const char *path, fl_slice *id)
{
    size_t before = strcspn(pattern, "{");
    const char *behind = strchr(pattern, '}');
    if (behind == NULL)
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, before) != 0)
        return false;
    *id =
        (fl_slice){.ptr = (const unsigned char *)path + before, .len = strcspn(path + before, "/")};
    return id->len > 0 && strcmp(path + before + id->len, behind + 1) == 0;
}

/* NULL after a 404 or 405 in the reply: the server found a pattern for the path, and no more. */
static const fl_api_route *find_route(fl_api_call *call)
{
    const fl_http_request *request = call->request;
    fl_slice id = {0};
    bool is_known = false;
    for (size_t i = 0; i < ROUTES; i++) {
        if (!matches(routes[i].path, request->path, &id))
            continue;
        is_known = true;
        if (strcmp(routes[i].method, request->method) != 0)
            continue;
        call->id = id.len > 0 ? fl_arena_cstr(&call->arena, id) : NULL;
        if (id.len == 0 || call->id != NULL)
            return &routes[i];
        (void)fl_api_refuse(call, 500, "out of memory for the request");
        return NULL;
    }
    if (!is_known) {
        (void)fl_api_refuse(call, 404, "there is nothing at %.200s", request->path);
        return NULL;
    }
    (void)fl_api_refuse(call, 405, "%.100s does not take %.20s", request->path, request->method);
    fl_http_reply_add(call->reply, "Allow",
                      strcmp(request->method, "GET") == 0 ? "POST" : "GET, HEAD");
    return NULL;
}

/* --- what holds for every row --- */

/* What is not would reach a database as what it refuses, and cost the connection. */
static bool is_text(const char *text)
{
    fl_slice bytes = fl_slice_of(text);
    return fl_utf8_valid_prefix(bytes) == bytes.len;
}

/* A parameter that was misspelt would be the answer to another question. */
static fl_status check_parameters(fl_api_call *call, const fl_api_route *route)
{
    const fl_http_request *request = call->request;
    if (!is_text(request->path))
        return fl_api_refuse(call, 400, "the path is not UTF-8");
    for (size_t i = 0; i < request->parameter_count; i++) {
        const fl_http_field *given = &request->parameters[i];
        const char *found = strstr(route->parameters, given->name);
        size_t len = strlen(given->name);
        bool is_known = len > 0 && strchr(given->name, ' ') == NULL && found != NULL &&
                        found > route->parameters && found[-1] == ' ' && found[len] == ' ';
        if (!is_known)
            return fl_api_refuse(call, 400, "there is no parameter '%.40s' here; known:%s",
                                 given->name,
                                 route->parameters[1] != '\0' ? route->parameters : " none");
        if (!is_text(given->value))
            return fl_api_refuse(call, 400, "the parameter %s is not UTF-8", given->name);
    }
    return FL_OK;
}

/* A browser says from which page a request comes; a page of another server writes nothing here,
 * whatever password the browser adds for it. Programs say nothing of the kind. */
static fl_status check_origin(fl_api_call *call)
{
    const char *site = fl_http_header(call->request, "Sec-Fetch-Site");
    const char *origin = fl_http_header(call->request, "Origin");
    const char *host = fl_http_header(call->request, "Host");
    const char *from = origin != NULL ? strstr(origin, "://") : NULL;
    bool is_own_site =
        site == NULL || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    bool is_own_origin =
        origin == NULL || (from != NULL && host != NULL && strcasecmp(from + 3, host) == 0);
    if (!is_own_site || !is_own_origin)
        return fl_api_refuse(call, 403, "this came from a page of another server");
    return FL_OK;
}

/* Forms of other pages send anything but this type without asking first. */
static fl_status check_write(fl_api_call *call)
{
    fl_status status = check_origin(call);
    if (status == FL_OK && !fl_http_is_type(call->request, "application/json"))
        status = fl_api_refuse(call, 415, "the body is application/json, and not '%.40s'",
                               call->request->content_type);
    return status;
}

/* A store that failed is not used again; what the caller got wrong says nothing about the store. */
static void end_call(fl_api_call *call, fl_status status)
{
    bool is_sound = status == FL_OK || status == FL_E_NOTFOUND || status == FL_E_STOPPED;
    if (call->store != NULL)
        fl_store_pool_give(call->api->pool, call->store, is_sound);
    fl_arena_dispose(&call->arena);
}

/* 500: a document that was damaged, or no memory: another try would not help. */
static void tell_failure(fl_api_call *call, fl_status status, const fl_error *err)
{
    assert(status != FL_OK);
    if (status == FL_E_STOPPED)
        return;
    unsigned code = status == FL_E_NOTFOUND ? 404 : status == FL_E_IO ? 503 : 500;
    fl_http_problem(call->reply, code, "%s", err->message);
    if (code == 503)
        call->reply->retry_after_s = API_RETRY_S;
}

/* The stamp of the stored document that the path names; false: an incident in memory goes before
 * it, or there is none of that whole id, which is for the row to say. */
static fl_status find_stamp(int64_t *stamp, bool *is_stored, fl_api_call *call, fl_error *err)
{
    fl_store *store;
    const fl_api_options *options = &call->api->options;
    assert(call->id != NULL);
    *is_stored = false;
    if (options->page != NULL && options->page(options->payload, call->id, NULL))
        return FL_OK;
    fl_status status = fl_api_store(&store, call);
    if (status != FL_OK)
        return status;
    fl_error why = {0};
    status = fl_store_stamp(stamp, store, call->id, &why);
    *is_stored = status == FL_OK;
    if (status == FL_OK || status == FL_E_NOTFOUND)
        return FL_OK;
    return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
}

/* For the next who ask: without memory for it the answer is sent as it is. */
static fl_http_kept *keep_answer(fl_api_call *call, int64_t stamp)
{
    fl_error err = {0};
    fl_http_kept *kept;
    if (fl_http_kept_create(&kept, fl_buf_slice(&call->reply->body), &err) != FL_OK)
        return NULL;
    fl_api_cache_put(call->api->cache, call->request->path, stamp, kept);
    return kept;
}

/* The answer that was made of that document before, or is made now and kept. The stamp is read
 * first: an answer is never of an older document than its stamp says. */
static fl_status run_kept(fl_api_call *call, const fl_api_route *route, fl_error *err)
{
    int64_t stamp = 0;
    bool is_stored = false;
    fl_http_kept *kept = NULL;
    fl_status status = find_stamp(&stamp, &is_stored, call, err);
    if (status == FL_OK && is_stored)
        kept = fl_api_cache_find(call->api->cache, call->request->path, stamp);
    if (status == FL_OK && kept == NULL) {
        status = route->run(call, err);
        if (status == FL_OK)
            status = fl_buf_check(&call->reply->body, "the answer", err);
        if (status == FL_OK && is_stored && !call->is_live)
            kept = keep_answer(call, stamp);
    }
    if (status != FL_OK)
        return status;
    if (kept == NULL)
        fl_http_reply_tag(call->reply, call->request);
    else
        fl_api_send_kept(call, kept);
    fl_http_kept_drop(kept);
    return FL_OK;
}

/* What was written for the first who asked is dropped: the body holds the same bytes. */
void fl_api_send_kept(fl_api_call *call, fl_http_kept *kept)
{
    fl_buf_dispose(&call->reply->body);
    fl_http_reply_keep(call->reply, kept, call->request);
}

/* An ETag is made of what is sent, so that it need not be thought of by any row. */
static fl_status run(fl_api_call *call, const fl_api_route *route, fl_error *err)
{
    bool is_write = strcmp(call->request->method, "GET") != 0;
    fl_status status = check_parameters(call, route);
    if (status == FL_OK && is_write)
        status = check_write(call);
    if (status == FL_OK && route->is_kept && call->request->parameter_count == 0)
        return run_kept(call, route, err);
    if (status == FL_OK)
        status = route->run(call, err);
    if (status == FL_OK)
        status = fl_buf_check(&call->reply->body, "the answer", err);
    if (status == FL_OK && !is_write && call->reply->stream.next == NULL &&
        call->reply->etag[0] == '\0')
        fl_http_reply_tag(call->reply, call->request);
    return status;
}

/* fl_http_handler */
static void answer(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    const fl_api_entry *entry = context;
    fl_error err = {0};
    fl_api_call call = {.api = entry->api,
                        .request = request,
                        .reply = reply,
                        .arena = fl_arena_of(API_ARENA_BYTES),
                        .now_ns = fl_time_now()};
    reply->content_type = "application/json";
    const fl_api_route *route = entry->route != NULL ? entry->route : find_route(&call);
    fl_status status = FL_E_STOPPED;
    size_t place = 0;
    fl_api_once_turn turn = FL_API_ONCE_FREE;
    if (route != NULL && strcmp(route->method, "GET") != 0 && route->role == FL_ROLE_ADMIN)
        turn = fl_api_once_begin(&place, entry->api->once, request, reply, call.now_ns);
    if (route != NULL && turn != FL_API_ONCE_ANSWERED)
        status = run(&call, route, &err);
    if (status != FL_OK)
        tell_failure(&call, status, &err);
    if (turn == FL_API_ONCE_FIRST)
        fl_api_once_end(entry->api->once, place, reply);
    /* Answers are about incidents: no cache on the way keeps them unasked. */
    fl_http_reply_add(reply, "Cache-Control", "private, no-cache");
    end_call(&call, status);
}

/* What changes, as it changes: api_events.h. */
fl_status fl_api_listen(fl_api_call *call, fl_error *err)
{
    fl_error why = {0};
    const char *last = fl_http_header(call->request, "Last-Event-ID");
    fl_status status = fl_api_events_listen(call->reply, call->api->events, last, &why);
    if (status == FL_E_LIMIT) {
        call->reply->retry_after_s = API_RETRY_S;
        return fl_api_refuse(call, 503, "%s", why.message);
    }
    /* Proxies that gather an answer before they pass it on would hold back what is new. */
    if (status == FL_OK)
        fl_http_reply_add(call->reply, "X-Accel-Buffering", "no");
    return status == FL_OK ? FL_OK : fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
}

/* --- the api as a whole --- */

fl_status fl_api_create(fl_api **out, const fl_api_options *options, fl_error *err)
{
    assert(out != NULL && options != NULL && options->stores <= FL_API_MAX_STORES);
    *out = NULL;
    fl_api *api = fl_mem_calloc(1, sizeof(*api));
    if (api == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the api");
    api->options = *options;
    (void)pthread_mutex_init(&api->contract_lock, NULL);
    size_t stores = options->stores > 0 ? options->stores : FL_API_STORES;
    fl_status status = fl_store_pool_create(&api->pool, options->store, options->mode, stores, err);
    if (status == FL_OK)
        status = fl_api_once_create(&api->once, err);
    if (status == FL_OK)
        status = fl_api_cache_create(&api->cache, err);
    if (status == FL_OK)
        status = fl_api_advice_create(&api->advice, err);
    if (status == FL_OK)
        status = fl_api_events_create(&api->events, api->pool, err);
    if (status == FL_OK)
        *out = api;
    else
        fl_api_destroy(api);
    return status;
}

void fl_api_destroy(fl_api *api)
{
    if (api == NULL)
        return;
    fl_api_events_destroy(api->events);
    fl_store_pool_destroy(api->pool);
    fl_api_once_destroy(api->once);
    fl_api_cache_destroy(api->cache);
    fl_http_kept_drop(api->contract);
    (void)pthread_mutex_destroy(&api->contract_lock);
    fl_api_advice_destroy(api->advice);
    fl_mem_free(api->entries);
    fl_mem_free(api);
}

/* Rows with an id share a pattern of the server. */
static bool is_shared(const fl_api_route *route)
{
    return strchr(route->path, '{') != NULL;
}

/* The first of its method brings it. */
static bool has_pattern(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_shared(&routes[i]) && strcmp(routes[i].method, routes[index].method) == 0)
            return true;
    return false;
}

fl_status fl_api_add_routes(fl_api *api, fl_http *http, fl_error *err)
{
    fl_http_route added[ROUTES];
    size_t count = 0;
    assert(api != NULL && http != NULL && api->entries == NULL);
    api->entries = fl_mem_calloc(ROUTES, sizeof(*api->entries));
    if (api->entries == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the api");
    for (size_t i = 0; i < ROUTES; i++) {
        const fl_api_route *route = &routes[i];
        if (is_shared(route) && has_pattern(i))
            continue;
        api->entries[count] = (fl_api_entry){.api = api, .route = is_shared(route) ? NULL : route};
        added[count] = (fl_http_route){.method = route->method,
                                       .path = is_shared(route) ? "/v1/incidents/*" : route->path,
                                       .role = route->role,
                                       .max_body_bytes = route->max_body_bytes,
                                       .run = answer,
                                       .context = &api->entries[count]};
        count++;
    }
    return fl_http_add(http, added, count, err);
}

fl_api_stats fl_api_stats_of(fl_api *api)
{
    const fl_store_pool_stats stores = fl_store_pool_stats_of(api->pool);
    return (fl_api_stats){.stores_open = stores.open,
                          .stores_busy = stores.busy,
                          .stores_failed = stores.failed,
                          .listeners = fl_api_events_listeners(api->events)};
}
