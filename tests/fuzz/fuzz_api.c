/*
 * fuzz_api.c - what a client may send to /v1: the first byte says which route, then a line of
 * parameters "name=value&...", and the rest is the body. An incident is in memory and there is no
 * store: everything that is read of a request is read, and what would need a store is told so.
 * Whatever comes is answered, with JSON, and never with 500.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "fl_incidents.h"
#include "report.h"
#include "slice.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct {
    const char *method, *path;
} asked[] = {
    {"GET", "/v1/incidents"},
    {"GET", "/v1/incidents/live/evidence"},
    {"GET", "/v1/incidents/live/similar"},
    {"GET", "/v1/graph/nodes"},
    {"GET", "/v1/graph/neighbours"},
    {"GET", "/v1/graph/paths"},
    {"GET", "/v1/graph/stats"},
    {"POST", "/v1/incidents/live/confirm"},
    {"POST", "/v1/incidents/live/reject"},
    {"POST", "/v1/incidents/live/resolve"},
    {"POST", "/v1/recommendations"},
    {"POST", "/v1/learn"},
    {"POST", "/grafana/query"},
    {"POST", "/grafana/annotations"},
    {"POST", "/grafana/variable"},
    {"POST", "/grafana/metric-payload-options"},
    {"POST", "/grafana/tag-values"},
};

static bool page(void *payload, const char *id, fl_buf *out)
{
    (void)payload;
    fl_error err = {0};
    return strcmp(id, "live") == 0 && fl_report_json(out, &fl_test_incident, &err) == FL_OK;
}

/* One for all inputs: they leave nothing behind but their keys. */
static fl_http *make(void)
{
    static fl_api *api;
    static fl_http *http;
    fl_error err = {0};
    const fl_api_options options = {.page = page};
    const fl_http_options plain = {.workers = 1};
    if (http == NULL && (fl_http_create(&http, &plain, &err) != FL_OK ||
                         fl_api_create(&api, &options, &err) != FL_OK ||
                         fl_api_add_routes(api, http, &err) != FL_OK))
        abort();
    return http;
}

/* In place: the line becomes texts. */
static size_t split(fl_http_field *out, size_t most, char *line)
{
    size_t count = 0;
    for (char *part = line; part != NULL && count < most; count++) {
        char *next = strchr(part, '&'), *value = strchr(part, '=');
        if (next != NULL)
            *next++ = '\0';
        value = value != NULL && (next == NULL || value < next) ? value : NULL;
        if (value != NULL)
            *value++ = '\0';
        out[count] = (fl_http_field){.name = part, .value = value != NULL ? value : ""};
        part = next;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char line[1024] = "";
    fl_http_field parameters[FL_HTTP_MAX_PARAMETERS];
    fl_http_reply reply;
    fl_http *http = make();
    if (size < 2)
        return 0;
    size_t which = data[0] % (sizeof(asked) / sizeof(asked[0]));
    const unsigned char *end = memchr(data + 1, '\n', size - 1);
    size_t len = end != NULL ? (size_t)(end - data - 1) : 0;
    if (len < sizeof(line)) {
        memcpy(line, data + 1, len);
        line[len] = '\0';
    }
    size_t from = end != NULL ? len + 2 : 1;
    unsigned char *body = malloc(size - from + 1); /* of its own: reading beyond it is noticed */
    if (body == NULL)
        return 0;
    memcpy(body, data + from, size - from);
    fl_http_request request = {.method = asked[which].method,
                               .path = asked[which].path,
                               .body = {.ptr = body, .len = size - from},
                               .content_type = "application/json",
                               .client = "127.0.0.1",
                               .parameters = parameters};
    if (line[0] != '\0')
        request.parameter_count = split(parameters, FL_HTTP_MAX_PARAMETERS, line);
    fl_http_reply_init(&reply);
    const fl_http_route *route = fl_http_find(http, request.method, request.path, &reply);
    if (route == NULL)
        abort();
    fl_http_reply_dispose(&reply);
    fl_http_run(http, route, &request, &reply);
    json_t *answer = json_loadb(reply.body.ptr, reply.body.len, 0, NULL);
    if (answer == NULL || reply.status == 500)
        abort();
    json_decref(answer);
    fl_http_reply_dispose(&reply);
    free(body);
    return 0;
}
