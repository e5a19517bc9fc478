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

/* ---- who asks ---- */

/* What is open or about to be written. A beginning is not enough: whether it is one incident's
 * alone only the store knows, which has the others too. */
static const incidents_item *find_item(const fl_incidents *incidents, const char *id)
{
    for (size_t i = 0; i < incidents->item_count; i++)
        if (strcmp(incidents->items[i]->id, id) == 0)
            return incidents->items[i];
    return NULL;
}

bool fl_incidents_page(fl_incidents *incidents, const char *id, fl_buf *out)
{
    fl_error err = {0};
    assert(incidents != NULL && id != NULL && id[0] != '\0');
    pthread_mutex_lock(&incidents->lock);
    const incidents_item *item = find_item(incidents, id);
    const fl_group *group =
        item != NULL && item->state == NULL ? fl_groups_find(incidents->groups, item->key) : NULL;
    bool is_known = group != NULL || (item != NULL && item->page != NULL);
    if (group != NULL && out != NULL) {
        const incidents_view view = {
            .group = group, .state = "open", .most_signs = INCIDENTS_LISTED_SIGNS};
        /* What can go wrong is memory, which the buffer keeps or the next question finds. */
        if (fl_incident_page(out, item, &view, &err) != FL_OK)
            out->status = err.status;
    } else if (is_known && out != NULL) {
        fl_buf_text(out, item->page);
    }
    pthread_mutex_unlock(&incidents->lock);
    return is_known;
}
