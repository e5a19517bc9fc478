/*
 * web.c - the pages' stores, their routes, and how a page becomes an answer.
 */
#include <assert.h>
#include <string.h>

#include "gzip.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"
#include "utf8.h"
#include "web_priv.h"

/* No script but ours, and nothing of a page can be shown inside of another site's. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                             "img-src 'self' data:; connect-src 'self'; form-action 'self'; "
                             "base-uri 'none'; frame-ancestors 'none'";

/* Tests give a clock of their own, so that ages on a page are always the same. */
int64_t web_now(const fl_web *web)
{
    return web->options.now != NULL ? web->options.now(web->options.payload) : fl_time_now();
}

/* Of the web's own; NULL stays NULL. */
static fl_status copy_text(char **out, const char *text, fl_error *err)
{
    size_t len = text != NULL ? strlen(text) + 1 : 0;
    if (len == 0)
        return FL_OK;
    *out = fl_mem_alloc(len);
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the pages");
    memcpy(*out, text, len);
    return FL_OK;
}

/* What was made before a failure is taken back by the same function as all of it. */
fl_status fl_web_create(fl_web **out, const fl_web_options *options, fl_error *err)
{
    assert(options != NULL && options->store != NULL);
    fl_web *web = fl_mem_calloc(1, sizeof(*web));
    if (web == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the pages");
    *web = (fl_web){.options = *options};
    fl_status status =
        fl_store_pool_create(&web->stores, options->store, FL_STORE_EXISTING, WEB_STORES, err);
    const char *const links[WEB_LINK_COUNT] = {
        [WEB_PROMETHEUS] = options->prometheus,
        [WEB_JAEGER] = options->jaeger,
        [WEB_GRAFANA] = options->grafana,
        [WEB_GRAFANA_PROMETHEUS] = options->grafana_prometheus,
        [WEB_GRAFANA_LOKI] = options->grafana_loki,
        [WEB_GRAFANA_TEMPO] = options->grafana_tempo};
    for (size_t i = 0; i < WEB_LINK_COUNT && status == FL_OK; i++)
        status = copy_text(&web->links[i], links[i], err);
    if (status == FL_OK)
        status = web_static_load(web, err);
    if (status == FL_OK)
        *out = web;
    else
        fl_web_destroy(web);
    return status;
}

/* Also after a creation that failed halfway. */
void fl_web_destroy(fl_web *web)
{
    if (web == NULL)
        return;
    fl_store_pool_destroy(web->stores);
    web_static_dispose(web);
    for (size_t i = 0; i < WEB_LINK_COUNT; i++)
        fl_mem_free(web->links[i]);
    fl_mem_free(web);
}

/* --- stores --- */

/* That all are busy passes, as a database does that does not answer: the page asks again. */
fl_status web_borrow(fl_store **out, fl_web *web, fl_error *err)
{
    fl_error why = {0};
    fl_status status = fl_store_pool_take(out, web->stores, &why);
    if (status != FL_OK)
        return fl_fail(err, status == FL_E_LIMIT ? FL_E_IO : status, FL_NO_OFFSET, "%s",
                       why.message);
    return FL_OK;
}

void web_return(fl_web *web, fl_store *store, fl_status status)
{
    if (store != NULL)
        fl_store_pool_give(web->stores, store, status == FL_OK || status == FL_E_NOTFOUND);
}

/* --- answers --- */

/* Compressed quickly, as it is made for one reader; small pages go as they are. */
static void take_page(fl_http_reply *reply, const fl_http_request *request, const fl_buf *page)
{
    enum { QUICK = 4, SMALL = 1000 };
    const char *accepts = fl_http_header(request, "Accept-Encoding");
    if (accepts == NULL || strstr(accepts, "gzip") == NULL || page->len < SMALL) {
        fl_buf_add(&reply->body, fl_buf_slice(page));
        return;
    }
    if (fl_gzip_add(&reply->body, fl_buf_slice(page), QUICK, NULL) == FL_OK) {
        fl_http_reply_add(reply, "Content-Encoding", "gzip");
        return;
    }
    fl_buf_clear(&reply->body); /* there is no memory to compress it */
    fl_buf_add(&reply->body, fl_buf_slice(page));
}

/* A page is asked for again each time, and sent where it differs. */
void web_send(fl_http_reply *reply, const fl_http_request *request, fl_buf *page)
{
    if (page->status != FL_OK) {
        fl_buf_dispose(page);
        fl_http_problem(reply, 500, "out of memory for the page");
        return;
    }
    reply->content_type = "text/html; charset=utf-8";
    take_page(reply, request, page);
    fl_buf_dispose(page);
    if (reply->status == 200)
        fl_http_reply_tag(reply, request);
    fl_http_reply_add(reply, "Vary", "Accept-Encoding");
    fl_http_reply_add(reply, "Cache-Control", "private, no-cache");
    fl_http_reply_add(reply, "Content-Security-Policy", policy);
    fl_http_reply_add(reply, "X-Content-Type-Options", "nosniff");
    fl_http_reply_add(reply, "Referrer-Policy", "same-origin");
}

/* The page of a 503 asks again by itself: that helps where the store could not be reached. */
unsigned web_code_of(fl_status status)
{
    assert(status != FL_OK);
    return status == FL_E_NOTFOUND ? 404 : status == FL_E_IO ? 503 : 500;
}

static bool is_utf8(const char *text)
{
    fl_slice bytes = fl_slice_of(text);
    return fl_utf8_valid_prefix(bytes) == bytes.len;
}

bool web_refuse(fl_web *web, const fl_http_request *request, fl_http_reply *reply)
{
    bool is_text = is_utf8(request->path);
    for (size_t i = 0; i < request->parameter_count; i++)
        is_text = is_text && is_utf8(request->parameters[i].value);
    if (!is_text)
        web_complain(web, request, reply, 400, "The address is not UTF-8.");
    return !is_text;
}

/* In words for people: who wants the code has the status. */
void web_complain(fl_web *web, const fl_http_request *request, fl_http_reply *reply,
                  unsigned status, const char *sentence)
{
    fl_buf page = fl_buf_of(WEB_MAX_PAGE);
    const web_frame frame = {.title = fl_http_status_text(status), .is_retried = status == 503};
    assert(status >= 400);
    web_begin(&page, web, &frame);
    fl_html(&page, "<h1>$</h1>\n<p class=\"complaint\">$</p>\n",
            status == 503   ? "The store cannot be reached"
            : status == 404 ? "Not found"
                            : "This cannot be shown",
            sentence);
    if (status == 503)
        fl_buf_text(&page, "<p>This page asks again by itself.</p>\n");
    fl_buf_text(&page, "<p><a href=\"/\">All incidents</a></p>\n");
    web_end(&page);
    reply->status = status;
    reply->retry_after_s = status == 503 ? 5 : 0;
    web_send(reply, request, &page);
}

/* Static files are for everybody: the page that asks for a token needs its style. */
fl_status fl_web_add_routes(fl_web *web, fl_http *http, fl_error *err)
{
    assert(web != NULL && http != NULL);
    const fl_http_route routes[] = {
        {.method = "GET", .path = "/", .role = FL_ROLE_READ, .run = web_list, .context = web},
        {.method = "GET",
         .path = "/incidents/*",
         .role = FL_ROLE_READ,
         .run = web_incident,
         .context = web},
        {.method = "GET", .path = "/graph", .role = FL_ROLE_READ, .run = web_graph, .context = web},
        {.method = "GET", .path = "/static/*", .run = web_static, .context = web},
    };
    return fl_http_add(http, routes, sizeof(routes) / sizeof(routes[0]), err);
}
