/*
 * pull_transfer.c - one GET: how it is sent within its limits, and what its end means.
 *
 * gzip is asked for and taken apart here, not by curl: so the bytes on the wire and the bytes of
 * the body each have a limit, and the guard of base/stream.h sees a bomb.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "curl_lazy.h"
#include "mem.h"
#include "pull_priv.h"
#include "quote.h"
#include "stream.h"
#include "timestamp.h"

/* Whether what comes is for a listener, who wants no refusals. */
static bool is_heard(const pull_get *get)
{
    long http = 0;
    return get->source->options.part != NULL &&
           curl_easy_getinfo(get->easy, CURLINFO_RESPONSE_CODE, &http) == CURLE_OK && http >= 200 &&
           http < 300;
}

/* A part of the answer; the buffer's ceiling bounds an answer without an announced length. */
static size_t on_bytes(char *bytes, size_t size, size_t count, void *payload)
{
    pull_get *get = payload;
    assert(size == 1);
    if (is_heard(get)) {
        fl_slice part = {.ptr = (unsigned char *)bytes, .len = count};
        return get->source->options.part(get->source->options.part_of, part) ? count : 0;
    }
    fl_buf_add(&get->wire, (fl_slice){.ptr = (unsigned char *)bytes, .len = count});
    if (get->wire.status == FL_OK)
        return count;
    get->ended = get->wire.status == FL_E_LIMIT ? PULL_TOO_LARGE : PULL_NO_MEMORY;
    return 0;
}

/* Of ASCII: header names are nothing else. */
static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* The first header tells when the first byte came, Date what the server's clock says. */
static size_t on_header(char *bytes, size_t size, size_t count, void *payload)
{
    static const char name[] = "date:";
    pull_get *get = payload;
    char text[64];
    size_t len = size * count, i = 0;
    if (get->first_byte_ns == 0)
        get->first_byte_ns = fl_time_now();
    while (i < sizeof(name) - 1 && i < len && lower((unsigned char)bytes[i]) == (unsigned)name[i])
        i++;
    if (i < sizeof(name) - 1 || len - i >= sizeof(text))
        return len;
    memcpy(text, bytes + i, len - i);
    text[len - i] = '\0';
    time_t seconds = curl_getdate(text, NULL);
    if (seconds > 0 && seconds < INT64_MAX / FL_NS_PER_S)
        get->server_ns = (int64_t)seconds * FL_NS_PER_S;
    return len;
}

/* A length that is announced is refused before its bytes are sent. */
static int on_progress(void *payload, curl_off_t announced, curl_off_t now, curl_off_t upload_total,
                       curl_off_t uploaded)
{
    pull_get *get = payload;
    (void)now, (void)upload_total, (void)uploaded;
    if (announced > 0 && (uint64_t)announced > get->source->options.max_wire_bytes)
        get->ended = PULL_TOO_LARGE;
    return get->ended != PULL_NOT_ENDED;
}

/* One line of printable characters: anything else could smuggle a header into the request. */
enum { MAX_SECRET = 8192 };

static fl_status read_secret(char out[MAX_SECRET], const char *path, fl_error *err)
{
    fl_stream *in;
    size_t len = 0, got = 1;
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    while (status == FL_OK && got > 0 && len < MAX_SECRET) {
        status = fl_stream_read(in, out + len, MAX_SECRET - len, &got, err);
        len += got;
    }
    fl_stream_close(in);
    if (status != FL_OK)
        return status;
    while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == '\r'))
        len--;
    for (size_t i = 0; i < len && status == FL_OK; i++)
        if (out[i] < ' ' || out[i] == 0x7f)
            status = FL_E_SYNTAX;
    if (len == 0 || len == MAX_SECRET || status != FL_OK)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.120s holds no secret of one line", path);
    out[len] = '\0';
    return FL_OK;
}

/* They may have been replaced since the last request, as mounted ones are. */
static fl_status log_in(CURL *c, const fl_pull_source_options *o, fl_error *err)
{
    char secret[MAX_SECRET];
    fl_status status = FL_OK;
    bool ok = true;
    if (o->token_file != NULL) {
        status = read_secret(secret, o->token_file, err);
        ok = status == FL_OK &&
             curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, secret) == CURLE_OK;
    } else if (o->user != NULL) {
        ok = curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_USERNAME, o->user) == CURLE_OK;
        if (o->password_file != NULL)
            status = read_secret(secret, o->password_file, err);
        if (status == FL_OK && o->password_file != NULL)
            ok = ok && curl_easy_setopt(c, CURLOPT_PASSWORD, secret) == CURLE_OK;
    }
    if (status == FL_OK && !ok)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a request");
    return status;
}

/* Each of these ends a try: without a limit of speed a server could hold a place for the whole time
 * by a byte now and then. */
static bool set_limits(CURL *c, const fl_pull_source_options *o)
{
    bool ok = curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                               (long)(o->connect_timeout_ns / FL_NS_PER_MS)) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                                (long)(o->total_timeout_ns / FL_NS_PER_MS)) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)o->slow_bytes_per_s) == CURLE_OK;
    ok = ok &&
         curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(o->slow_ns / FL_NS_PER_S)) == CURLE_OK;
    if (ok && o->cert_file != NULL)
        ok = curl_easy_setopt(c, CURLOPT_SSLCERT, o->cert_file) == CURLE_OK;
    if (ok && o->key_file != NULL)
        ok = curl_easy_setopt(c, CURLOPT_SSLKEY, o->key_file) == CURLE_OK;
    return ok &&
           (o->ca_file == NULL || curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file) == CURLE_OK);
}

/* False: curl has no memory, or was built without a feature. */
static bool set_up(CURL *c, pull_get *get)
{
    bool ok = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_URL, get->url) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_USERAGENT, "faultline/" FL_VERSION) == CURLE_OK;
    if (!get->source->options.keep_packed && get->source->options.part == NULL)
        ok = ok && curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_WRITEDATA, get) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_HEADERDATA, get) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_XFERINFODATA, get) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_ERRORBUFFER, get->reason) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PRIVATE, get) == CURLE_OK;
    return ok && set_limits(c, &get->source->options);
}

/* After the handle that uses them. */
static void drop_headers(pull_get *get)
{
    if (get->headers != NULL)
        curl_slist_free_all(get->headers);
    get->headers = NULL;
}

/* Servers of several tenants want to know whose telemetry is asked for. */
static bool name_tenant(CURL *c, pull_get *get)
{
    char line[256];
    const char *tenant = get->source->options.tenant;
    if (tenant == NULL)
        return true;
    int len = snprintf(line, sizeof(line), "X-Scope-OrgID: %s", tenant);
    if (len < 0 || (size_t)len >= sizeof(line))
        return false;
    get->headers = curl_slist_append(NULL, line);
    return get->headers != NULL &&
           curl_easy_setopt(c, CURLOPT_HTTPHEADER, get->headers) == CURLE_OK;
}

/* A handle for each try: connections are kept by the multi handle, not by these. */
fl_status fl_pull_prepare(pull_get *get, fl_error *err)
{
    assert(get->easy == NULL && get->url != NULL);
    CURL *c = curl_easy_init();
    if (c == NULL || !set_up(c, get) || !name_tenant(c, get)) {
        curl_easy_cleanup(c);
        drop_headers(get);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a request");
    }
    fl_status status = log_in(c, &get->source->options, err);
    if (status != FL_OK) {
        curl_easy_cleanup(c);
        drop_headers(get);
        return status;
    }
    get->easy = c;
    get->ended = PULL_NOT_ENDED;
    get->reason[0] = '\0';
    get->first_byte_ns = get->server_ns = 0;
    get->wire = fl_buf_of((size_t)get->source->options.max_wire_bytes);
    return FL_OK;
}

void fl_pull_release(pull_get *get)
{
    if (get->easy != NULL)
        curl_easy_cleanup(get->easy);
    get->easy = NULL;
    drop_headers(get);
    fl_buf_dispose(&get->wire);
}

/* Where a request went, without its query and without secrets; as long as one message wants it. */
typedef struct place {
    char text[112];
} place;

static place place_of(const pull_get *get)
{
    place out;
    const char *base = get->source->shown, *path = get->url;
    const char *behind = strstr(path, "://");
    behind = behind != NULL ? strchr(behind + 3, '/') : NULL;
    const char *own = strstr(base, "://");
    own = own != NULL ? strchr(own + 3, '/') : NULL;
    int host = own != NULL ? (int)(own - base) : (int)strlen(base);
    int len = behind != NULL ? (int)strcspn(behind, "?#") : 0;
    (void)snprintf(out.text, sizeof(out.text), "%.*s%.*s", host < 64 ? host : 64, base, len,
                   behind != NULL ? behind : "");
    return out;
}

/* Those that say nothing about the next time; too slow is not among them. */
static bool is_passing(CURLcode code, bool was_connected)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return !was_connected;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

/* What curl's failure means to a person. */
static void judge_failure(pull_result *out, const pull_get *get, CURLcode code)
{
    place at = place_of(get);
    const fl_pull_source_options *o = &get->source->options;
    curl_off_t connect_us = 0;
    (void)curl_easy_getinfo(get->easy, CURLINFO_PRETRANSFER_TIME_T, &connect_us);
    out->is_failure = true;
    out->is_retryable = is_passing(code, connect_us > 0);
    if (get->ended == PULL_TOO_LARGE) {
        out->is_failure = false;
        (void)fl_fail(&out->why, FL_E_LIMIT, FL_NO_OFFSET,
                      "%s: the answer is larger than %llu bytes", at.text,
                      (unsigned long long)o->max_wire_bytes);
    } else if (get->ended == PULL_NO_MEMORY || code == CURLE_OUT_OF_MEMORY) {
        out->is_failure = false;
        (void)fl_fail(&out->why, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an answer");
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        (void)fl_fail(&out->why, FL_E_LIMIT, FL_NO_OFFSET, "%.110s: too slow: %.66s", at.text,
                      get->reason);
    } else {
        (void)fl_fail(&out->why, FL_E_IO, FL_NO_OFFSET, "%.90s: %.98s", at.text,
                      get->reason[0] != '\0' ? get->reason : curl_easy_strerror(code));
    }
    out->status = out->why.status;
}

/* body = the wire's bytes, decompressed. */
static fl_status inflate(const pull_get *get, fl_buf *body, fl_error *err)
{
    unsigned char block[16384];
    fl_stream *in;
    size_t len = 1;
    if (get->source->options.keep_packed || !fl_stream_is_packed(fl_buf_slice(&get->wire)))
        fl_buf_add(body, fl_buf_slice(&get->wire));
    else {
        fl_status status = fl_stream_over(&in, fl_buf_slice(&get->wire), "answer", err);
        while (status == FL_OK && len > 0 && body->status == FL_OK) {
            status = fl_stream_read(in, block, sizeof(block), &len, err);
            fl_buf_add(body, (fl_slice){.ptr = block, .len = len});
        }
        fl_stream_close(in);
        if (status != FL_OK)
            return status;
    }
    if (body->status == FL_E_LIMIT)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "the answer is larger than %llu bytes when decompressed",
                       (unsigned long long)get->source->options.max_bytes);
    return body->status == FL_OK
               ? FL_OK
               : fl_fail(err, body->status, FL_NO_OFFSET, "no memory for an answer");
}

/* A redirect within the same place becomes a new try of the new URL. */
static void judge_redirect(pull_result *out, const pull_get *get)
{
    place at = place_of(get);
    char *to = NULL;
    fl_error why = {0};
    (void)curl_easy_getinfo(get->easy, CURLINFO_REDIRECT_URL, &to);
    if (to == NULL)
        out->status = fl_fail(&out->why, FL_E_IO, FL_NO_OFFSET,
                              "%s: HTTP %ld: redirected to nowhere", at.text, out->http);
    else if (get->redirects >= get->source->options.max_redirects)
        out->status = fl_fail(&out->why, FL_E_LIMIT, FL_NO_OFFSET, "%s: more than %u redirects",
                              at.text, get->source->options.max_redirects);
    else if (fl_pull_may_follow(get->url, to, &why) != FL_OK)
        out->status = fl_fail(&out->why, why.status, FL_NO_OFFSET, "%s: %s", at.text, why.message);
    else
        out->follow = to;
}

/* RFC 9110, 15.6, but for 501 and 505, which would be said again; 429 is RFC 6585. */
static bool is_retryable_http(long http)
{
    return http == 429 || http == 500 || http == 502 || http == 503 || http == 504;
}

/* A refusal's own words are shown: servers say there what is wrong with a query. */
static void judge_refusal(pull_result *out, const pull_get *get, fl_slice body)
{
    char words[FL_QUOTE_TEXT];
    place at = place_of(get);
    curl_off_t asked_s = 0;
    out->is_retryable = is_retryable_http(out->http);
    out->is_failure = out->http >= 500;
    if (curl_easy_getinfo(get->easy, CURLINFO_RETRY_AFTER, &asked_s) == CURLE_OK && asked_s > 0)
        out->asked_ns = asked_s < 86400 ? asked_s * FL_NS_PER_S : 86400 * FL_NS_PER_S;
    if (out->http == 404)
        out->status =
            fl_fail(&out->why, FL_E_NOTFOUND, FL_NO_OFFSET, "%s: not there (HTTP 404)", at.text);
    else if (out->http == 401 || out->http == 403)
        out->status = fl_fail(&out->why, FL_E_IO, FL_NO_OFFSET, "%s: %s (HTTP %ld)", at.text,
                              out->http == 401 ? "a login is wanted" : "the login may not see this",
                              out->http);
    else
        out->status = fl_fail(&out->why, FL_E_IO, FL_NO_OFFSET, "%s: HTTP %ld: %s", at.text,
                              out->http, fl_quote(words, fl_slice_trim(body)));
}

/* The body of a refusal is read too: servers say there what is wrong. */
void fl_pull_judge(pull_result *out, pull_get *get, int code, fl_buf *body)
{
    assert(get->easy != NULL);
    *out = (pull_result){0};
    fl_buf_clear(body);
    body->max_bytes = (size_t)get->source->options.max_bytes;
    if (code != CURLE_OK) {
        judge_failure(out, get, (CURLcode)code);
        return;
    }
    (void)curl_easy_getinfo(get->easy, CURLINFO_RESPONSE_CODE, &out->http);
    if (out->http >= 300 && out->http < 400) {
        judge_redirect(out, get);
        return;
    }
    fl_error why = {0};
    fl_status status = inflate(get, body, &why);
    if (out->http < 200 || out->http >= 400) {
        judge_refusal(out, get, status == FL_OK ? fl_buf_slice(body) : (fl_slice){0});
    } else if (status != FL_OK) {
        place at = place_of(get);
        out->status = fl_fail(&out->why, status, FL_NO_OFFSET, "%s: %.80s", at.text, why.message);
    }
}
