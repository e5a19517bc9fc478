/*
 * http_auth.c - who may have a route: readiness, origin, token, rate, in that order.
 *
 * Without tokens whoever reaches the address may do all, which is why that is loopback unless
 * somebody said otherwise. A browser on the machine reaches it as well, with any page that it
 * shows: a request that carries the Origin of another machine is refused, and so is reading under
 * a name that is not this machine's own (DNS rebinding makes a stranger's name mean 127.0.0.1).
 *
 * Tokens come as "Authorization: Bearer TOKEN", or as the password of "Basic", for senders that
 * know nothing else.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "http_priv.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_AUTH_BYTES = 1024 };

/* Before and after what the handlers need is there. */
void fl_http_refuse_all(fl_http *http, fl_http_reply *reply)
{
    fl_http_count_refusal(http, FL_HTTP_REFUSED_STOPPING);
    fl_http_problem(reply, 503, "this process is %s: send it again later",
                    http->is_stopping ? "stopping" : "starting");
    reply->retry_after_s = 1;
}

void fl_http_refuse_untrusted(fl_http *http, fl_http_reply *reply)
{
    fl_http_count_refusal(http, FL_HTTP_REFUSED_AUTH);
    fl_http_problem(reply, 403,
                    "a client certificate of an authority that is trusted here is needed");
}

/* --- browsers --- */

/* "localhost", an IPv4 address or "[...]", with or without a port: no name that a stranger's name
 * server answers for. */
static bool is_own_name(const char *host)
{
    if (host[0] == '[')
        return true;
    size_t len = strcspn(host, ":");
    if (len == 9 && strncasecmp(host, "localhost", len) == 0)
        return true;
    return len > 0 && strspn(host, "0123456789.") == len;
}

static bool is_own_origin(const char *origin)
{
    const char *host = strstr(origin, "://");
    return host != NULL && is_own_name(host + 3);
}

static bool is_from_elsewhere(const fl_http_route *route, const fl_http_request *request)
{
    const char *origin = fl_http_header(request, "Origin");
    const char *host = fl_http_header(request, "Host");
    if (origin != NULL && !is_own_origin(origin))
        return true;
    bool is_read = route->role == FL_ROLE_READ || route->role == FL_ROLE_ADMIN;
    return is_read && host != NULL && !is_own_name(host);
}

/* --- tokens --- */

/* RFC 4648, 4; -1 for what is no digit. */
static int base64_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The part after the colon of "user:password", decoded into `room`; empty where there is none. */
static fl_slice password_of(const char *text, unsigned char room[MAX_AUTH_BYTES])
{
    unsigned bits = 0, word = 0;
    size_t len = 0;
    for (; base64_of(*text) >= 0 && len < MAX_AUTH_BYTES; text++) {
        word = word << 6 | (unsigned)base64_of(*text);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            room[len++] = (unsigned char)(word >> bits & 0xff);
        }
    }
    fl_slice all = {.ptr = room, .len = len};
    size_t colon = fl_slice_find(all, FL_SLICE(":"));
    return colon < len ? fl_slice_part(all, colon + 1, len) : (fl_slice){0};
}

static fl_slice token_of(const fl_http_request *request, unsigned char room[MAX_AUTH_BYTES])
{
    const char *value = fl_http_header(request, "Authorization");
    if (value != NULL && strncasecmp(value, "Bearer ", 7) == 0)
        return fl_slice_trim(fl_slice_of(value + 7));
    if (value != NULL && strncasecmp(value, "Basic ", 6) == 0)
        return password_of(value + 6 + strspn(value + 6, " "), room);
    return (fl_slice){0};
}

/* Somebody who opens a page, and not a program or a script: browsers ask people for a password only
 * where Basic is offered. */
static bool is_for_people(const fl_http_request *request)
{
    const char *accepts = fl_http_header(request, "Accept");
    return accepts != NULL && strstr(accepts, "text/html") != NULL;
}

static bool refuse_token(fl_http *http, const fl_http_request *request, fl_http_reply *reply,
                         unsigned status, const char *why)
{
    fl_http_count_refusal(http, FL_HTTP_REFUSED_AUTH);
    fl_http_problem(reply, status, "%s", why);
    if (status == 401)
        fl_http_reply_add(reply, "WWW-Authenticate",
                          is_for_people(request) ? "Basic realm=\"faultline\", charset=\"UTF-8\""
                                                 : "Bearer realm=\"faultline\"");
    return false;
}

static bool check_token(fl_http *http, const fl_http_route *route, const fl_http_request *request,
                        fl_http_reply *reply)
{
    unsigned char room[MAX_AUTH_BYTES];
    bool is_known = false, is_granted = true, is_asked = false;
    (void)pthread_rwlock_rdlock(&http->tokens_lock);
    if (http->tokens != NULL) {
        is_asked = true;
        fl_slice token = token_of(request, room);
        is_granted = token.len > 0 && token.len <= MAX_AUTH_BYTES &&
                     fl_tokens_grant(http->tokens, token, route->role, &is_known);
    }
    (void)pthread_rwlock_unlock(&http->tokens_lock);
    if (!is_asked && !http->is_mutual && is_from_elsewhere(route, request))
        return refuse_token(http, request, reply, 403, "this came from a page of another machine");
    if (is_granted)
        return true;
    return is_known ? refuse_token(http, request, reply, 403, "the token does not grant this")
                    : refuse_token(http, request, reply, 401, "a bearer token is needed");
}

/* --- all of it --- */

bool fl_http_admit(fl_http *http, const fl_http_route *route, const fl_http_request *request,
                   fl_http_reply *reply)
{
    unsigned wait_s;
    assert(http != NULL && route != NULL && request != NULL && reply != NULL);
    if (!route->is_probe && (http->is_stopping || !http->is_ready)) {
        fl_http_refuse_all(http, reply);
        return false;
    }
    if (route->role != FL_ROLE_NONE && !check_token(http, route, request, reply))
        return false;
    if (fl_clients_ask(http->clients, request->client, fl_time_monotonic(), &wait_s))
        return true;
    fl_http_count_refusal(http, FL_HTTP_REFUSED_RATE);
    fl_http_problem(reply, 429, "more requests than this client may send: wait");
    reply->retry_after_s = wait_s;
    return false;
}

void fl_http_set_tokens(fl_http *http, fl_tokens *tokens)
{
    assert(http != NULL);
    (void)pthread_rwlock_wrlock(&http->tokens_lock);
    fl_tokens *before = http->tokens;
    http->tokens = tokens;
    (void)pthread_rwlock_unlock(&http->tokens_lock);
    fl_tokens_destroy(before);
}

void fl_http_set_rate(fl_http *http, unsigned requests_per_s)
{
    assert(http != NULL);
    fl_clients_set_rate(http->clients, requests_per_s);
}
