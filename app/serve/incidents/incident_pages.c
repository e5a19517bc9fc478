/*
 * incident_pages.c - an incident as a document: that of a triage, with one more member at its end.
 *
 *   { "schema": "faultline.triage/1", ..., "rejected_records": 0,
 *     "live": { "state": "open", "signs": [...] } }
 *
 * The answer's own bytes stay as the triage wrote them. Its members stand on lines of their own,
 * two spaces in, and a text has no raw line ends: the line of "live" is found by its beginning.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "incidents_priv.h"
#include "json_put.h"
#include "mem.h"
#include "report.h"
#include "slice.h"
#include "timestamp.h"

#define LIVE_LINE ",\n  \"live\": "

/* Before there was a triage: nothing is known. */
static fl_status put_untriaged(fl_buf *out, const incidents_item *item, const fl_group *group,
                               fl_error *err)
{
    const fl_incident none = {.id = item->id,
                              .at_ns = group->onset_ns,
                              .window = {group->onset_ns, group->onset_ns},
                              .verdict = FL_VERDICT_NO_CONFIDENT_CAUSE};
    return fl_report_json(out, &none, err);
}

/* The end of the answer is taken off, and put back behind what is live. */
fl_status fl_incident_page(fl_buf *out, const incidents_item *item, const incidents_view *view,
                           fl_error *err)
{
    fl_status status = FL_OK;
    if (item->answer != NULL)
        fl_buf_text(out, item->answer);
    else
        status = put_untriaged(out, item, view->group, err);
    if (status != FL_OK || out->status != FL_OK)
        return status != FL_OK ? status : fl_buf_check(out, "an incident's page", err);
    while (out->len > 0 && strchr("}\n", out->ptr[out->len - 1]) != NULL)
        out->ptr[--out->len] = '\0'; /* the document's own end */
    fl_buf live = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    status = fl_incident_body(&live, view, err);
    if (status == FL_OK) {
        fl_buf_text(out, LIVE_LINE);
        for (size_t i = 0; i + 1 < live.len; i++) { /* two spaces further in */
            fl_buf_char(out, live.ptr[i]);
            if (live.ptr[i] == '\n')
                fl_buf_text(out, "  ");
        }
        fl_buf_text(out, "\n}\n");
        status = fl_buf_check(out, "an incident's page", err);
    }
    fl_buf_dispose(&live);
    return status;
}

/* The other way round: what a restart needs of a page. */
char *fl_incident_answer_of(const char *page)
{
    const char *live = strstr(page, LIVE_LINE);
    size_t len = live != NULL ? (size_t)(live - page) : strlen(page);
    char *out = fl_mem_alloc(len + sizeof("\n}\n"));
    if (out == NULL)
        return NULL;
    memcpy(out, page, len);
    memcpy(out + len, live != NULL ? "\n}\n" : "", live != NULL ? sizeof("\n}\n") : 1);
    return out;
}

/* ---- routes ---- */

/* What is open or about to be written, by id or a prefix of it that is its alone. */
static const incidents_item *find_item(const fl_incidents *incidents, const char *prefix)
{
    const incidents_item *found = NULL;
    for (size_t i = 0; i < incidents->item_count; i++) {
        const incidents_item *item = incidents->items[i];
        if (strncmp(item->id, prefix, strlen(prefix)) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = item;
    }
    return found;
}

/* False: it is none that is in memory. */
static bool show_open(fl_incidents *incidents, const char *id, fl_http_reply *reply)
{
    fl_error err = {0};
    pthread_mutex_lock(&incidents->lock);
    const incidents_item *item = find_item(incidents, id);
    const fl_group *group =
        item != NULL && item->state == NULL ? fl_groups_find(incidents->groups, item->key) : NULL;
    fl_status status = FL_OK;
    bool is_known = group != NULL || (item != NULL && item->page != NULL);
    if (group != NULL) {
        const incidents_view view = {
            .group = group, .state = "open", .most_signs = INCIDENTS_LISTED_SIGNS};
        status = fl_incident_page(&reply->body, item, &view, &err);
    } else if (is_known) {
        fl_buf_text(&reply->body, item->page);
    }
    pthread_mutex_unlock(&incidents->lock);
    if (status != FL_OK)
        fl_http_problem(reply, 500, "%s", err.message);
    return is_known;
}

/* The connection is opened with the first question, and after one that failed. */
static fl_status use_reader(fl_incidents *incidents, fl_error *err)
{
    if (incidents->reader != NULL)
        return FL_OK;
    return fl_store_open(&incidents->reader, incidents->store_url, FL_STORE_CREATE, err);
}

/* A connection that failed may never work again. */
static void drop_reader(fl_incidents *incidents)
{
    fl_store_close(incidents->reader);
    incidents->reader = NULL;
}

/* Memory before the store: a page of an open incident is as new as its signs. */
void fl_incidents_show(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    static const char prefix[] = "/v1/incidents/";
    fl_incidents *incidents = context;
    fl_error err = {0};
    char *document = NULL;
    assert(strncmp(request->path, prefix, sizeof(prefix) - 1) == 0);
    const char *id = request->path + sizeof(prefix) - 1;
    reply->content_type = "application/json";
    if (*id == '\0') {
        fl_http_problem(reply, 404, "an incident's id is missing");
        return;
    }
    if (show_open(incidents, id, reply))
        return;
    pthread_mutex_lock(&incidents->reading);
    fl_status status = use_reader(incidents, &err);
    if (status == FL_OK)
        status = fl_store_get(incidents->reader, id, &document, &err);
    if (status != FL_OK && status != FL_E_NOTFOUND)
        drop_reader(incidents);
    pthread_mutex_unlock(&incidents->reading);
    if (status == FL_OK)
        fl_buf_text(&reply->body, document);
    else
        fl_http_problem(reply, status == FL_E_NOTFOUND ? 404 : 503, "%s", err.message);
    fl_mem_free(document);
}

typedef struct listing {
    fl_put w;
    json_t *list;
} listing;

/* As `faultline incidents --format json` has it. */
static fl_status list_row(const fl_store_row *row, void *payload, fl_error *err)
{
    listing *to = payload;
    json_t *item = json_object();
    (void)err;
    fl_put_text(&to->w, item, "id", row->id);
    fl_put_time(&to->w, item, "at", row->at_ns);
    fl_put_time(&to->w, item, "stored", row->stored_ns);
    fl_put_text(&to->w, item, "verdict", row->verdict);
    fl_put_text(&to->w, item, "service", row->service);
    fl_put_text(&to->w, item, "cause", row->cause);
    fl_put_number(&to->w, item, "probability", row->probability);
    fl_put_text(&to->w, item, "state", row->state);
    fl_put_item(&to->w, to->list, item);
    return to->w.status;
}

/* An incident that was opened within the last second may not be listed yet: it has its page. */
void fl_incidents_list(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    enum { MOST = 1000 };
    fl_incidents *incidents = context;
    fl_error err = {0};
    listing to = {.list = json_array()};
    (void)request;
    pthread_mutex_lock(&incidents->reading);
    fl_status status = use_reader(incidents, &err);
    if (status == FL_OK)
        status = fl_store_list(incidents->reader, MOST, list_row, &to, &err);
    if (status != FL_OK)
        drop_reader(incidents);
    pthread_mutex_unlock(&incidents->reading);
    json_t *document = json_object();
    fl_put_value(&to.w, document, "schema", json_string_nocheck("faultline.incidents/1"));
    fl_put_value(&to.w, document, "incidents", to.list);
    reply->content_type = "application/json";
    if (status == FL_OK)
        status = fl_put_document(&reply->body, &to.w, document, &err);
    else
        json_decref(document);
    if (status != FL_OK)
        fl_http_problem(reply, 503, "%s", err.message);
}
