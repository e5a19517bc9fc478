/*
 * http_route.c - which handler a request is for, what it says, and replies that are not a
 * handler's.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hash.h"
#include "http_priv.h"
#include "slice.h"

const char *const fl_http_refusal_names[FL_HTTP_REFUSALS] = {
    [FL_HTTP_REFUSED_HEAD] = "head",         [FL_HTTP_REFUSED_AUTH] = "auth",
    [FL_HTTP_REFUSED_ROUTE] = "route",       [FL_HTTP_REFUSED_SIZE] = "size",
    [FL_HTTP_REFUSED_ENCODING] = "encoding", [FL_HTTP_REFUSED_RATE] = "rate",
    [FL_HTTP_REFUSED_BUDGET] = "memory",     [FL_HTTP_REFUSED_QUEUE] = "queue",
    [FL_HTTP_REFUSED_STOPPING] = "stopping",
};

/* The reason phrases of RFC 9110, 15, of what is answered anywhere here. */
static const struct status_text {
    unsigned status;
    const char *text;
} status_texts[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *fl_http_status_text(unsigned status)
{
    for (size_t i = 0; i < sizeof(status_texts) / sizeof(status_texts[0]); i++)
        if (status_texts[i].status == status)
            return status_texts[i].text;
    return status < 400 ? "OK" : "Error";
}

/* Linear: there are a dozen of them, and few are asked for. */
static const char *field_of(const fl_http_field *fields, size_t count, const char *name,
                            int (*compare)(const char *, const char *))
{
    for (size_t i = 0; i < count; i++)
        if (compare(fields[i].name, name) == 0)
            return fields[i].value;
    return NULL;
}

const char *fl_http_header(const fl_http_request *request, const char *name)
{
    assert(request != NULL && name != NULL);
    return field_of(request->headers, request->header_count, name, strcasecmp);
}

const char *fl_http_query(const fl_http_request *request, const char *name)
{
    assert(request != NULL && name != NULL);
    return field_of(request->parameters, request->parameter_count, name, strcmp);
}

bool fl_http_is_type(const fl_http_request *request, const char *type)
{
    assert(request != NULL && type != NULL);
    size_t len = strcspn(request->content_type, "; \t");
    return len == strlen(type) && strncasecmp(request->content_type, type, len) == 0;
}

void fl_http_reply_init(fl_http_reply *reply)
{
    *reply = (fl_http_reply){.status = 200, .body = fl_buf_of(FL_HTTP_MAX_REPLY)};
}

void fl_http_reply_dispose(fl_http_reply *reply)
{
    fl_buf_dispose(&reply->body);
    if (reply->stream.end != NULL)
        reply->stream.end(reply->stream.payload);
    fl_http_kept_drop(reply->kept);
    *reply = (fl_http_reply){0};
}

void fl_http_reply_add(fl_http_reply *reply, const char *name, const char *value)
{
    assert(reply->extra_count < FL_HTTP_EXTRA);
    reply->extra[reply->extra_count++] = (fl_http_field){.name = name, .value = value};
}

/* --- ETags --- */

/* Sixty-four bits of the content: a tag that two answers share by chance is rarer than a fault of
 * the memory that holds them. */
void fl_http_tag_of(char out[FL_HTTP_TAG], fl_slice bytes)
{
    (void)snprintf(out, FL_HTTP_TAG, "\"%016llx\"", (unsigned long long)fl_hash_stable(bytes));
}

/* A list of quoted texts, each with or without "W/" before it; or a star. A comma inside of the
 * quotes belongs to the tag. */
bool fl_http_tag_matches(const char *value, const char *tag, bool is_weak)
{
    assert(tag != NULL && tag[0] == '"');
    if (value == NULL)
        return false;
    value += strspn(value, " \t");
    if (value[0] == '*' && value[1 + strspn(value + 1, " \t")] == '\0')
        return true;
    while (*value != '\0') {
        value += strspn(value, ", \t");
        bool weak = value[0] == 'W' && value[1] == '/';
        value += weak ? 2 : 0;
        const char *end = *value == '"' ? strchr(value + 1, '"') : NULL;
        if (end == NULL)
            return false;
        size_t len = (size_t)(end + 1 - value);
        if ((is_weak || !weak) && len == strlen(tag) && memcmp(value, tag, len) == 0)
            return true;
        value = end + 1;
    }
    return false;
}

/* Comparison for a GET is the weak one (RFC 9110, 13.1.2): a proxy may have made it one. */
void fl_http_reply_tag(fl_http_reply *reply, const fl_http_request *request)
{
    assert(reply->status == 200);
    if (reply->body.status != FL_OK)
        return;
    fl_http_tag_of(reply->etag, fl_buf_slice(&reply->body));
    if (!fl_http_tag_matches(fl_http_header(request, "If-None-Match"), reply->etag, true))
        return;
    reply->status = 304;
    reply->content_type = NULL;
    fl_buf_clear(&reply->body);
}

/* A JSON string. What is not printable ASCII comes from a stranger and becomes '?'. */
static void put_quoted(fl_buf *out, const char *text)
{
    fl_buf_char(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fl_buf_char(out, '\\');
        fl_buf_char(out, *c >= ' ' && *c < 0x7f ? *c : '?');
    }
    fl_buf_char(out, '"');
}

/* RFC 9457: what the status says is the title, and "about:blank" says that there is no more. */
void fl_http_problem(fl_http_reply *reply, unsigned status, const char *detail, ...)
{
    char text[512];
    va_list args;
    assert(status >= 400 && status < 600);
    va_start(args, detail);
    (void)vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    reply->status = status;
    reply->content_type = "application/problem+json";
    fl_buf_clear(&reply->body);
    fl_buf_printf(&reply->body,
                  "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":",
                  fl_http_status_text(status), status);
    put_quoted(&reply->body, text);
    fl_buf_text(&reply->body, "}\n");
}

/* It is our own writing (fl_http_problem()), so that looking for the member is enough. */
void fl_http_problem_detail(fl_buf *out, const fl_http_reply *reply)
{
    const fl_slice member = FL_SLICE("\"detail\":\""), body = fl_buf_slice(&reply->body);
    const char *type = reply->content_type != NULL ? reply->content_type : "";
    assert(out != NULL);
    if (reply->body.status != FL_OK || strcmp(type, "application/problem+json") != 0)
        return;
    size_t at = fl_slice_find(body, member) + member.len;
    for (; at < body.len && body.ptr[at] != '"'; at++) {
        if (body.ptr[at] == '\\' && at + 1 < body.len)
            at++;
        fl_buf_char(out, (char)body.ptr[at]);
    }
}

void fl_http_count_refusal(fl_http *http, fl_http_refusal why)
{
    assert(why < FL_HTTP_REFUSALS);
    http->refused[why]++;
}

size_t fl_http_max_body(const fl_http *http, const fl_http_route *route)
{
    size_t most = http->options.max_body_bytes;
    return route->max_body_bytes > 0 && route->max_body_bytes < most ? route->max_body_bytes : most;
}

/* A pattern's star stands at its end only. */
static bool path_matches(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);
    if (len > 0 && pattern[len - 1] == '*')
        return strncmp(pattern, path, len - 1) == 0;
    return strcmp(pattern, path) == 0;
}

/* The methods of a path are few: each is a text of its own here. */
static const char *allow_of(bool has_get, bool has_post, bool has_other)
{
    if (has_other)
        return "GET, HEAD, POST, PUT, DELETE";
    if (has_get)
        return has_post ? "GET, HEAD, POST" : "GET, HEAD";
    return "POST";
}

/* An exact path goes before a pattern; among patterns the first that was added. */
const fl_http_route *fl_http_find(fl_http *http, const char *method, const char *path,
                                  fl_http_reply *reply)
{
    const fl_http_route *found = NULL;
    bool has_get = false, has_post = false, has_other = false;
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < http->route_count; i++) {
        const fl_http_route *route = &http->routes[i];
        if (!path_matches(route->path, path))
            continue;
        has_get = has_get || strcmp(route->method, "GET") == 0;
        has_post = has_post || strcmp(route->method, "POST") == 0;
        has_other =
            has_other || (strcmp(route->method, "GET") != 0 && strcmp(route->method, "POST") != 0);
        if (strcmp(route->method, wanted) == 0 && (found == NULL || strcmp(route->path, path) == 0))
            found = route;
    }
    if (found != NULL)
        return found;
    if (!http->is_ready) {
        fl_http_refuse_all(http, reply);
        return NULL;
    }
    fl_http_count_refusal(http, FL_HTTP_REFUSED_ROUTE);
    if (has_get || has_post || has_other) {
        fl_http_problem(reply, 405, "%.100s does not take %.20s", path, method);
        fl_http_reply_add(reply, "Allow", allow_of(has_get, has_post, has_other));
    } else {
        fl_http_problem(reply, 404, "there is nothing at %.200s", path);
    }
    return NULL;
}

void fl_http_run(fl_http *http, const fl_http_route *route, const fl_http_request *request,
                 fl_http_reply *reply)
{
    fl_http_reply_init(reply);
    http->body_bytes += request->body.len;
    route->run(route->context, request, reply);
    if (reply->body.status != FL_OK) {
        fl_http_reply_dispose(reply);
        fl_http_reply_init(reply);
        fl_http_problem(reply, 500, "the answer is too large or there is no memory for it");
    }
    assert(reply->status >= 200 && reply->status < 600);
}
