/*
 * incident_items.c - what is kept beside each group: its id, its last answer, what was written of
 * it.
 *
 * Everything here is called within the lock.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "incidents_priv.h"
#include "mem.h"
#include "report.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_BODY_BYTES = 64 << 20 }; /* of FL_MAX_SIGNS signs with long texts */

/* Every text of it is its own. */
void fl_incidents_free_item(incidents_item *item)
{
    fl_mem_free(item->answer);
    fl_mem_free(item->page);
    fl_mem_free(item->body);
    fl_mem_free(item);
}

/* An item that is over may have the key of a group that was opened since: it is not that one's. */
incidents_item *fl_incidents_item(const fl_incidents *incidents, uint64_t key)
{
    for (size_t i = 0; i < incidents->item_count; i++)
        if (incidents->items[i]->key == key && incidents->items[i]->state == NULL)
            return incidents->items[i];
    return NULL;
}

/* The moment and a hash of the first sign: two daemons that open the same have the same id. */
static void make_id(char out[FL_LIVE_ID_BYTES], const fl_group *group)
{
    char moment[FL_TIME_TEXT], compact[FL_TIME_TEXT];
    size_t len = 0;
    fl_time_format(moment, group->onset_ns - group->onset_ns % FL_NS_PER_S);
    for (const char *c = moment; *c != '\0'; c++)
        if (*c != '-' && *c != ':')
            compact[len++] = *c;
    compact[len] = '\0';
    (void)snprintf(out, FL_LIVE_ID_BYTES, "%s-%08x", compact,
                   (unsigned)(fl_hash_mix(group->key) >> 32));
}

/* NULL for want of memory: the next round tries again. */
incidents_item *fl_incidents_add_item(fl_incidents *incidents, const fl_group *group)
{
    if (incidents->item_count == incidents->item_capacity) {
        size_t capacity = 2 * incidents->item_capacity + 16;
        incidents_item **items = fl_mem_realloc(incidents->items, capacity, sizeof(*items));
        if (items == NULL)
            return NULL;
        incidents->items = items;
        incidents->item_capacity = capacity;
    }
    incidents_item *item = fl_mem_calloc(1, sizeof(*item));
    if (item == NULL)
        return NULL;
    item->key = group->key;
    item->opened_ns = group->opened_ns;
    make_id(item->id, group);
    incidents->items[incidents->item_count++] = item;
    incidents->stats.opened++;
    return item;
}

/* The order of items is that of their opening. */
void fl_incidents_drop_item(fl_incidents *incidents, size_t at)
{
    assert(at < incidents->item_count && incidents->items[at]->state != NULL);
    fl_incidents_free_item(incidents->items[at]);
    incidents->item_count--;
    memmove(incidents->items + at, incidents->items + at + 1,
            (incidents->item_count - at) * sizeof(incidents->items[0]));
}

/* Groups open within others' calls, so this is asked after each of them. */
void fl_incidents_give_items(fl_incidents *incidents)
{
    for (size_t i = 0; i < fl_groups_count(incidents->groups); i++) {
        const fl_group *group = fl_groups_at(incidents->groups, i);
        if (fl_incidents_item(incidents, group->key) == NULL)
            (void)fl_incidents_add_item(incidents, group);
    }
}

/* ---- documents ---- */

/* *out is the caller's; NULL after a failure. */
fl_status fl_incident_texts(char **page, char **body, const incidents_item *item,
                            const incidents_view *view, fl_error *err)
{
    fl_buf text = fl_buf_of(FL_MAX_DOCUMENT_BYTES), all = fl_buf_of(MAX_BODY_BYTES);
    incidents_view shown = *view;
    shown.most_signs = INCIDENTS_LISTED_SIGNS;
    *page = *body = NULL;
    fl_status status = fl_incident_page(&text, item, &shown, err);
    if (status == FL_OK)
        status = fl_incident_body(&all, view, err);
    if (status != FL_OK) {
        fl_buf_dispose(&text);
        fl_buf_dispose(&all);
        return status;
    }
    *page = text.ptr;
    *body = all.ptr;
    return FL_OK;
}

/* The groups call it from within the lock: it is over, or is part of another. What is left is to
 * write its last page. */
void fl_incidents_ended(void *payload, const fl_group *group, const fl_group *into)
{
    fl_incidents *incidents = payload;
    incidents_item *item = fl_incidents_item(incidents, group->key);
    if (item == NULL) /* it never had a page */
        return;
    incidents_item *to = into != NULL ? fl_incidents_item(incidents, into->key) : NULL;
    if (into != NULL && to == NULL)
        to = fl_incidents_add_item(incidents, into);
    item->closed_ns = fl_incidents_now(incidents);
    (void)snprintf(item->merged_to, sizeof(item->merged_to), "%s", to != NULL ? to->id : "");
    const incidents_view view = {.group = group,
                                 .state = to != NULL ? "merged" : "closed",
                                 .merged_to = to != NULL ? item->merged_to : NULL,
                                 .closed_ns = item->closed_ns};
    /* Without memory it stays open in the store, and closes after a restart. */
    if (fl_incident_texts(&item->page, &item->body, item, &view, NULL) != FL_OK)
        incidents->stats.store_failures++;
    item->state = view.state;
    item->wants_note = to == NULL && item->triaged_to_ns != 0 && !item->is_followed;
    item->next_write_ns = 0;
    if (to != NULL)
        incidents->stats.merged++;
    else
        incidents->stats.closed++;
}
