/*
 * fetch.c - one GET after another by libcurl, each within its limits.
 *
 * Invariants:
 *   (1) `busy` holds from the beginning of a request to its end, so that there is never a second;
 *   (2) body and answer->content_type are of the last request and change only in the next one;
 *   (3) each request, failed or not, is added to `total` once.
 *
 * No encoding is asked for: profiles are gzip already. A body that is gzip or zstd, by its own or
 * by a proxy's doing, is decompressed here, under a limit and under the guard of base/stream.h.
 */
#include "fetch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "curl_lazy.h"
#include "faultline/limits.h"
#include "fetch_priv.h"
#include "mem.h"
#include "slice.h"
#include "stream.h"
#include "timestamp.h"

/* Why a callback ended a transfer: curl itself only says that one did. */
typedef enum fetch_end { NOT_ENDED, TOO_LARGE, NO_MEMORY, STOPPED } fetch_end;

/* The buffers are kept from request to request: a series of snapshots allocates once. */
struct fl_fetch {
    CURL *curl;
    fl_fetch_options options;
    fl_buf wire, body;
    char shown[FL_FETCH_URL]; /* the URL as messages show it: without user and password */
    char content_type[128];
    char reason[CURL_ERROR_SIZE];
    fetch_end ended;
    bool busy;
    fl_fetch_cost total;
};

/* A part of the answer. Anything but its length ends the transfer: the buffer's ceiling is how an
 * answer without an announced length is bounded. */
static size_t on_bytes(char *bytes, size_t size, size_t count, void *payload)
{
    fl_fetch *fetch = payload;
    assert(size == 1);
    fl_buf_add(&fetch->wire, (fl_slice){.ptr = (unsigned char *)bytes, .len = count});
    if (fetch->wire.status == FL_OK)
        return count;
    fetch->ended = fetch->wire.status == FL_E_LIMIT ? TOO_LARGE : NO_MEMORY;
    return 0;
}

/* A length that is announced is refused before its bytes are sent. */
static int on_progress(void *payload, curl_off_t announced, curl_off_t now, curl_off_t upload_total,
                       curl_off_t uploaded)
{
    fl_fetch *fetch = payload;
    (void)now, (void)upload_total, (void)uploaded;
    if (announced > 0 && (uint64_t)announced > fetch->options.max_wire_bytes)
        fetch->ended = TOO_LARGE;
    else if (fetch->options.should_stop != NULL &&
             fetch->options.should_stop(fetch->options.should_stop_of))
        fetch->ended = STOPPED;
    return fetch->ended != NOT_ENDED;
}

/* Five seconds are an eternity inside of a data centre; a heap of many GB is collected, for gc=1,
 * in less than the 15 without a byte; 128 bytes a second is less than any line of any answer. */
static void set_defaults(fl_fetch_options *options)
{
    static const fl_fetch_options defaults = {.connect_timeout_ns = 5 * FL_NS_PER_S,
                                              .total_timeout_ns = 60 * FL_NS_PER_S,
                                              .slow_ns = 15 * FL_NS_PER_S,
                                              .slow_bytes_per_s = 128,
                                              .max_wire_bytes = FL_MAX_FETCH_WIRE_BYTES,
                                              .max_bytes = FL_MAX_FETCH_BYTES,
                                              .max_redirects = 5};
#define DEFAULT(field)                                                                             \
    if (options->field == 0)                                                                       \
    options->field = defaults.field
    DEFAULT(connect_timeout_ns);
    DEFAULT(total_timeout_ns);
    DEFAULT(slow_ns);
    DEFAULT(slow_bytes_per_s);
    DEFAULT(max_wire_bytes);
    DEFAULT(max_bytes);
    DEFAULT(max_redirects);
#undef DEFAULT
    assert(options->max_wire_bytes <= SIZE_MAX / 4 && options->max_bytes <= SIZE_MAX / 4);
}

/* What is the same for each request. False: curl has no memory, or was built without a feature. */
static bool set_up(fl_fetch *fetch)
{
    CURL *c = fetch->curl;
    const fl_fetch_options *o = &fetch->options;
    bool ok = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_USERAGENT, "faultline/" FL_VERSION) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)o->max_redirects) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                                (long)(o->connect_timeout_ns / FL_NS_PER_MS)) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)o->slow_bytes_per_s) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_WRITEDATA, fetch) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_XFERINFODATA, fetch) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_ERRORBUFFER, fetch->reason) == CURLE_OK;
    if (ok && o->ca_file != NULL)
        ok = curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file) == CURLE_OK;
    return ok;
}

/* curl keeps one connection open between requests: a series costs the target one handshake. */
fl_status fl_fetch_create(fl_fetch **out, const fl_fetch_options *options, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_status status = fl_curl_load(err);
    if (status != FL_OK)
        return status;
    fl_fetch *fetch = fl_mem_calloc(1, sizeof(*fetch));
    if (fetch == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a request");
    if (options != NULL)
        fetch->options = *options;
    set_defaults(&fetch->options);
    fetch->wire = fl_buf_of((size_t)fetch->options.max_wire_bytes);
    fetch->body = fl_buf_of((size_t)fetch->options.max_bytes);
    fetch->curl = curl_easy_init();
    if (fetch->curl == NULL || !set_up(fetch)) {
        fl_fetch_destroy(fetch);
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET,
                       "libcurl cannot be used: it is too old or broken");
    }
    *out = fetch;
    return FL_OK;
}

void fl_fetch_destroy(fl_fetch *fetch)
{
    if (fetch == NULL)
        return;
    assert(!fetch->busy);
    curl_easy_cleanup(fetch->curl);
    fl_buf_dispose(&fetch->wire);
    fl_buf_dispose(&fetch->body);
    fl_mem_free(fetch);
}

fl_fetch_cost fl_fetch_total(const fl_fetch *fetch)
{
    assert(fetch != NULL);
    return fetch->total;
}

/* What curl's failure means to a person. */
static fl_status transfer_failure(const fl_fetch *fetch, CURLcode code, fl_error *err)
{
    const char *url = fetch->shown;
    const fl_fetch_options *o = &fetch->options;
    if (fetch->ended == STOPPED)
        return fl_fail(err, FL_E_STOPPED, FL_NO_OFFSET, "%.100s: stopped", url);
    if (fetch->ended == TOO_LARGE)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "%.100s: the answer is larger than %llu bytes", url,
                       (unsigned long long)o->max_wire_bytes);
    if (fetch->ended == NO_MEMORY || code == CURLE_OUT_OF_MEMORY)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an answer");
    if (code == CURLE_TOO_MANY_REDIRECTS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%.100s: more than %u redirects", url,
                       o->max_redirects);
    if (code == CURLE_UNSUPPORTED_PROTOCOL)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "%.100s: redirected to another scheme, which is not followed", url);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%.80s: too slow: %.90s", url, fetch->reason);
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%.80s: %.100s", url,
                   fetch->reason[0] != '\0' ? fetch->reason : curl_easy_strerror(code));
}

/* The transfer and what it cost; the answer's meaning is not looked at. */
static fl_status transfer(fl_fetch *fetch, fl_fetch_answer *out, unsigned seconds, fl_error *err)
{
    assert(!fetch->busy);
    CURL *c = fetch->curl;
    int64_t extra_ms = (int64_t)seconds * 1000;
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                           (long)(fetch->options.total_timeout_ns / FL_NS_PER_MS + extra_ms));
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME,
                           (long)(fetch->options.slow_ns / FL_NS_PER_S + seconds));
    fetch->busy = true;
    fetch->ended = NOT_ENDED;
    fetch->reason[0] = '\0';
    fl_buf_clear(&fetch->wire);
    int64_t begin = fl_time_monotonic();
    out->time_ns = fl_time_now();
    CURLcode code = curl_easy_perform(c);
    curl_off_t bytes = 0;
    long header_bytes = 0;
    (void)curl_easy_getinfo(c, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    (void)curl_easy_getinfo(c, CURLINFO_HEADER_SIZE, &header_bytes);
    out->cost = (fl_fetch_cost){.requests = 1,
                                .wire_bytes = (uint64_t)bytes + (uint64_t)header_bytes,
                                .duration_ns = fl_time_monotonic() - begin};
    fetch->total.requests++;
    fetch->total.wire_bytes += out->cost.wire_bytes;
    fetch->total.duration_ns += out->cost.duration_ns;
    fetch->busy = false;
    return code == CURLE_OK ? FL_OK : transfer_failure(fetch, code, err);
}

/* body = the wire's bytes, decompressed. The stream refuses what grows two hundredfold, this what
 * grows beyond the caller's limit. */
static fl_status inflate_body(fl_fetch *fetch, fl_error *err)
{
    unsigned char block[16384];
    fl_stream *in;
    fl_error why = {0};
    size_t len = 1;
    fl_buf_clear(&fetch->body);
    fl_status status = fl_stream_over(&in, fl_buf_slice(&fetch->wire), fetch->shown, err);
    if (status != FL_OK)
        return status;
    while (status == FL_OK && len > 0 && fetch->body.status == FL_OK) {
        status = fl_stream_read(in, block, sizeof(block), &len, &why);
        fl_buf_add(&fetch->body, (fl_slice){.ptr = block, .len = len});
    }
    fl_stream_close(in);
    if (fetch->body.status == FL_E_LIMIT)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "%.100s: the answer is larger than %llu bytes when decompressed",
                       fetch->shown, (unsigned long long)fetch->options.max_bytes);
    if (fetch->body.status != FL_OK)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an answer");
    return status == FL_OK
               ? FL_OK
               : fl_fail(err, status, FL_NO_OFFSET, "%.80s: %.100s", fetch->shown, why.message);
}

/* The first line of what a server says to its refusal, without what a terminal would obey. */
static void first_line(char *out, size_t cap, fl_slice text)
{
    assert(cap > 0);
    text = fl_slice_trim(text);
    size_t len = 0;
    while (len + 1 < cap && len < text.len && text.ptr[len] >= ' ' && text.ptr[len] != 0x7f) {
        out[len] = (char)text.ptr[len];
        len++;
    }
    out[len] = '\0';
}

/* A refusal's own words are shown where they are text: pprof says there why it has no profile. */
static fl_status check_http(const fl_fetch *fetch, long code, fl_slice body, fl_error *err)
{
    char line[80];
    const char *url = fetch->shown;
    if (code >= 200 && code < 300)
        return FL_OK;
    if (code == 404)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "%.120s: not there (HTTP 404)", url);
    if (code == 401 || code == 403)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%.120s: a login is wanted (HTTP %ld)", url,
                       code);
    first_line(line, sizeof(line), fl_fetch_is_page(body) ? FL_SLICE("") : body);
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%.80s: HTTP %ld%s%s", url, code,
                   line[0] != '\0' ? ": " : "", line);
}

/* A web page with status 200 is what single sign-on and dashboards answer to anything. */
static fl_status check_page(const fl_fetch *fetch, fl_slice body, fl_error *err)
{
    char title[60];
    if (!fl_fetch_is_page(body))
        return FL_OK;
    first_line(title, sizeof(title), fl_fetch_title(body));
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                   "%.80s: a web page%s%s%s, not a profile; is there a login before it?",
                   fetch->shown, title[0] != '\0' ? " (\"" : "", title,
                   title[0] != '\0' ? "\")" : "");
}

/* The scheme of the given URL is the only one that redirects may lead to: https does not fall back
 * to http, and nothing leads to a file. */
fl_status fl_fetch_run(fl_fetch_answer *out, fl_fetch *fetch, const char *url,
                       const fl_fetch_how *how, fl_error *err)
{
    char scheme[8];
    const char *type = NULL;
    long code = 0;
    *out = (fl_fetch_answer){.content_type = fetch->content_type};
    fetch->content_type[0] = '\0';
    fl_status status = fl_fetch_show_url(fetch->shown, scheme, url, err);
    if (status != FL_OK)
        return status;
    if (curl_easy_setopt(fetch->curl, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(fetch->curl, CURLOPT_REDIR_PROTOCOLS_STR, scheme) != CURLE_OK)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a request");
    status = transfer(fetch, out, how->seconds, err);
    if (status != FL_OK)
        return status;
    (void)curl_easy_getinfo(fetch->curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != NULL)
        first_line(fetch->content_type, sizeof(fetch->content_type), fl_slice_of(type));
    (void)curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &code);
    status = inflate_body(fetch, err);
    out->body = fl_buf_slice(&fetch->body);
    if (status == FL_OK)
        status = check_http(fetch, code, out->body, err);
    if (status == FL_OK && !how->may_be_page)
        status = check_page(fetch, out->body, err);
    return status;
}

/* "?seconds=60", as net/http/pprof understands it: what is asked for takes that long, for which an
 * hour is allowed. 0: the query does not say. */
static unsigned seconds_of(const char *url)
{
    enum { MOST = 3600 };
    fl_slice text = fl_slice_of(url), name = FL_SLICE("seconds=");
    size_t at = fl_slice_find(text, FL_SLICE("?"));
    while (at < text.len && !fl_slice_starts_with(fl_slice_part(text, at + 1, text.len), name))
        for (at++; at < text.len && text.ptr[at] != '&';)
            at++;
    unsigned seconds = 0;
    for (at += 1 + name.len; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
        seconds = seconds < MOST ? seconds * 10 + (text.ptr[at] - '0') : MOST;
    return seconds < MOST ? seconds : MOST;
}

/* An answer as it is, from any URL. */
fl_status fl_fetch_get(fl_fetch_answer *out, fl_fetch *fetch, const char *url, fl_error *err)
{
    assert(out != NULL && fetch != NULL && url != NULL);
    const fl_fetch_how how = {.seconds = seconds_of(url)};
    return fl_fetch_run(out, fetch, url, &how, err);
}
