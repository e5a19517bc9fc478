/*
 * web_incident.c - one incident: read all of it, give the store back, write the page.
 *
 * What the graph remembers is worth some time and no more: an answer that takes longer is cut, and
 * the page says so. A graph that fails leaves the page without it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "live_store.h"
#include "mem.h"
#include "report.h"
#include "report_picture.h"
#include "slice.h"
#include "symptoms.h"
#include "timestamp.h"
#include "web_priv.h"

enum { ARENA_BYTES = 4 * FL_MAX_DOCUMENT_BYTES, MOST_PATHS = 5, MOST_FIXES = 3, MOST_SIMILAR = 5 };
static const char timeline_suffix[] = "/timeline.json";
static const int64_t recall_ns = 300 * FL_NS_PER_MS; /* of a page that is to be there in 500 */

/* What is read of the store, for one page. */
typedef struct reading {
    fl_arena arena;
    char *document, *drawn;
    fl_memory memory;
    char failed[sizeof(((fl_error *)NULL)->message)];
    web_case of;
} reading;

/* What others were like before this one; what was said of it itself is its own matter. */
static fl_status recall(reading *r, fl_store *store, fl_error *err)
{
    const fl_incident *incident = r->of.incident;
    assert(incident != NULL && r->of.memory == NULL);
    fl_symptoms symptoms;
    fl_status status = fl_symptoms_of(&symptoms, incident, r->of.now_ns, &r->arena, err);
    const fl_memory_question question = {.symptoms = &symptoms,
                                         .self = incident->id,
                                         .others_only = true,
                                         .now_ns = r->of.now_ns,
                                         .at_ns = incident->at_ns,
                                         .most_paths = MOST_PATHS,
                                         .most_fixes = MOST_FIXES,
                                         .most_similar = MOST_SIMILAR,
                                         .time_ns = recall_ns};
    if (status == FL_OK)
        status = fl_memory_recall(&r->memory, store, &question, &r->arena, err);
    if (status == FL_OK)
        r->of.memory = &r->memory;
    return status;
}

/* None is no failure, and one that cannot be read leaves the page without it. */
static void read_picture(reading *r, fl_store *store)
{
    if (fl_store_get_picture(store, r->of.incident->id, &r->drawn, NULL) != FL_OK)
        return;
    if (fl_report_picture_load(&r->of.picture, &r->arena, fl_slice_of(r->drawn), NULL) != FL_OK)
        r->of.picture = NULL;
}

/* The member that only a daemon's incidents have. */
static void take_live(reading *r)
{
    json_t *root = json_loads(r->document, 0, NULL);
    json_t *live = json_object_get(root, "live");
    r->of.live = json_is_object(live) ? json_incref(live) : NULL;
    json_decref(root);
}

/* The answer must be there; what the graph adds to it may fail. */
static fl_status read_case(reading *r, fl_store *store, const char *id, fl_error *err)
{
    fl_error why = {0};
    fl_status status = fl_store_get(store, id, &r->document, err);
    if (status == FL_OK)
        status = fl_report_load(&r->of.incident, &r->arena, fl_slice_of(r->document), err);
    if (status != FL_OK)
        return status;
    assert(r->of.incident->id != NULL);
    take_live(r);
    read_picture(r, store);
    if (recall(r, store, &why) != FL_OK) {
        (void)snprintf(r->failed, sizeof(r->failed), "%s", why.message);
        r->of.memory_failed = r->failed;
    }
    return FL_OK;
}

/* Also of what was only half read. */
static void dispose(reading *r)
{
    json_decref(r->of.live);
    fl_mem_free(r->document);
    fl_mem_free(r->drawn);
    fl_arena_dispose(&r->arena);
}

/* "orders: memory-leak", as a tab or a bookmark wants it. */
static const char *title_of(char out[256], const fl_incident *incident)
{
    const fl_hypothesis *best = incident->hypotheses;
    bool is_found = incident->verdict == FL_VERDICT_CAUSE_FOUND && incident->hypothesis_count > 0;
    if (is_found)
        (void)snprintf(out, 256, "%.160s: %s", best->service != NULL ? best->service : "?",
                       fl_cause_name(best->cause));
    else
        (void)snprintf(out, 256, "No confident cause, %.160s", incident->id);
    return out;
}

/* What people know becomes evidence: by commands, and by a script through the API. It is no part
 * that is replaced, since what was just said is told here. */
static void put_saying(fl_buf *out, const char *id)
{
    static const char *const verbs[][3] = {{"confirm", "Confirm", "c"},
                                           {"reject", "Reject", "x"},
                                           {"resolve", "Fixed by \xE2\x80\xA6", "f"}};
    fl_buf_text(out, "<section class=\"say\" aria-labelledby=\"say\"><h2 id=\"say\">What was it?"
                     "</h2>\n<div class=\"buttons\" hidden>");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        fl_html(out, "<button type=\"button\" data-verb=\"$\">$ <kbd>$</kbd></button>\n",
                verbs[i][0], verbs[i][1], verbs[i][2]);
    fl_buf_text(out, "</div>\n<div class=\"commands\">");
    fl_html(out,
            "<p class=\"dim\">The next incident like this one is told what you know:</p>"
            "<code>faultline confirm $</code><code>faultline reject $ --why WHY</code>"
            "<code>faultline resolve $ --fix TEXT</code></div>\n",
            id, id, id);
    fl_buf_text(out, "<div class=\"moved\" role=\"status\"></div></section>\n");
}

/* Parts that may change have a name, by which the script puts new ones in their place. */
static void put_page(fl_buf *out, const web_case *of)
{
    char title[256];
    const char *state = json_string_value(json_object_get(of->live, "state"));
    const web_frame frame = {.title = title_of(title, of->incident),
                             .script = "incident.js",
                             .is_live = state != NULL && strcmp(state, "open") == 0};
    web_begin(out, of->web, &frame);
    fl_html(out, "<article data-incident=\"$\">\n<div data-part=\"verdict\">\n", of->incident->id);
    web_put_verdict(out, of);
    fl_buf_text(out, "</div>\n<div data-part=\"timeline\">\n");
    web_put_timeline(out, of);
    fl_buf_text(out, "</div>\n<div class=\"columns\">\n<div data-part=\"hypotheses\">\n");
    web_put_hypotheses(out, of);
    web_put_flames(out, of);
    web_put_calls(out, of);
    web_put_findings(out, of);
    fl_buf_text(out, "</div>\n<div class=\"aside\">\n");
    put_saying(out, of->incident->id);
    fl_buf_text(out, "<div data-part=\"context\">\n");
    web_put_memory(out, of);
    web_put_context(out, of);
    fl_buf_text(out, "</div>\n</div>\n</div>\n</article>\n");
    web_end(out);
}

/* Below an incident's page: what is drawn there, as numbers. */
static bool take_suffix(char *id, const char *suffix)
{
    size_t len = strlen(id), tail = strlen(suffix);
    if (len < tail || strcmp(id + len - tail, suffix) != 0)
        return false;
    id[len - tail] = '\0';
    return true;
}

/* The bytes as they were kept. */
static void send_numbers(fl_web *web, const char *id, const fl_http_request *request,
                         fl_http_reply *reply)
{
    fl_error err = {0};
    fl_store *store = NULL;
    char *drawn = NULL;
    fl_buf page = fl_buf_of(FL_MAX_PICTURE_BYTES);
    fl_status status = web_borrow(&store, web, &err);
    if (status == FL_OK)
        status = fl_store_get_picture(store, id, &drawn, &err);
    web_return(web, store, status);
    if (status == FL_OK) {
        fl_buf_text(&page, drawn);
        web_send(reply, request, &page);
        if (reply->status == 200)
            reply->content_type = "application/json";
    } else {
        fl_http_problem(reply, web_code_of(status), "%s", err.message);
    }
    fl_mem_free(drawn);
}

/* By the whole id, or a beginning of it that is its alone. */
void web_incident(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    static const char prefix[] = "/incidents/";
    fl_web *web = context;
    fl_error err = {0};
    fl_store *store = NULL;
    assert(strncmp(request->path, prefix, sizeof(prefix) - 1) == 0);
    if (web_refuse(web, request, reply))
        return;
    char id[FL_LIVE_ID_BYTES + sizeof(timeline_suffix)];
    if (strlen(request->path + sizeof(prefix) - 1) >= sizeof(id)) {
        web_complain(web, request, reply, 404, "No incident has an id that is so long.");
        return;
    }
    memcpy(id, request->path + sizeof(prefix) - 1, strlen(request->path) - sizeof(prefix) + 2);
    if (take_suffix(id, timeline_suffix)) {
        send_numbers(web, id, request, reply);
        return;
    }
    reading r = {.arena = fl_arena_of(ARENA_BYTES), .of = {.web = web, .now_ns = web_now(web)}};
    fl_status status = FL_E_NOTFOUND;
    if (id[0] == '\0')
        (void)fl_fail(&err, FL_E_NOTFOUND, FL_NO_OFFSET, "an incident's id is missing");
    else if ((status = web_borrow(&store, web, &err)) == FL_OK)
        status = read_case(&r, store, id, &err);
    web_return(web, store, status);
    if (status == FL_OK) {
        fl_buf page = fl_buf_of(WEB_MAX_PAGE);
        put_page(&page, &r.of);
        web_send(reply, request, &page);
    } else {
        web_complain(web, request, reply, web_code_of(status), err.message);
    }
    dispose(&r);
}
