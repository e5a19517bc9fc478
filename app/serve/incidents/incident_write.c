/*
 * incident_write.c - the keeper and the store: pages that changed, incidents that are over, leases.
 *
 * A page is made within the lock and written without it. What cannot be written is tried again: the
 * page in memory is the one that is shown.
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

static const int64_t write_every_ns = FL_NS_PER_S;      /* of one incident */
static const int64_t write_budget_ns = FL_NS_PER_S / 5; /* of a round: signs wait meanwhile */

enum { MAX_ARENA_BYTES = 128 << 20 }; /* twice the largest body */

typedef struct writing {
    uint64_t key, version;
    char id[FL_LIVE_ID_BYTES], merged_to[FL_LIVE_ID_BYTES];
    const char *state;
    char *page, *body;
    uint64_t *signs;
    size_t sign_count;
    int64_t opened_ns, closed_ns;
} writing;

/* For qsort(): rising, as the store wants them. */
static int compare_keys(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

/* The signs' keys, rising; each is in one group, once. */
static fl_status take_signs(writing *out, const fl_group *group)
{
    assert(group->member_count > 0);
    out->signs = fl_mem_alloc(group->member_count * sizeof(*out->signs));
    if (out->signs == NULL)
        return FL_E_NOMEM;
    out->sign_count = group->member_count;
    for (size_t i = 0; i < group->member_count; i++)
        out->signs[i] = group->members[i].sign->key;
    qsort(out->signs, out->sign_count, sizeof(*out->signs), compare_keys);
    return FL_OK;
}

/* What was not handed back to the item. */
static void dispose(writing *w)
{
    fl_mem_free(w->page);
    fl_mem_free(w->body);
    fl_mem_free(w->signs);
}

/* What is open and has changed. Within the lock. */
static bool take_open(writing *out, incidents_item *item, const fl_group *group)
{
    const incidents_view view = {.group = group, .state = "open"};
    out->state = "open";
    out->version = group->version;
    return fl_incident_texts(&out->page, &out->body, item, &view, NULL) == FL_OK &&
           take_signs(out, group) == FL_OK;
}

/* What is over: its texts were made when it ended. */
static bool take_over(writing *out, incidents_item *item)
{
    out->state = item->state;
    out->page = item->page;
    out->body = item->body;
    item->page = item->body = NULL;
    return out->page != NULL && out->body != NULL;
}

/* The next item that is to be written; false: none. Within the lock. */
static bool next_writing(writing *out, fl_incidents *incidents, int64_t now_ns)
{
    for (size_t i = 0; i < incidents->item_count; i++) {
        incidents_item *item = incidents->items[i];
        const fl_group *group =
            item->state == NULL ? fl_groups_find(incidents->groups, item->key) : NULL;
        bool is_over = item->state != NULL && item->page != NULL;
        bool is_open = group != NULL && group->version != item->written_version;
        if ((!is_over && !is_open) || item->is_followed || now_ns < item->next_write_ns)
            continue;
        *out = (writing){.key = item->key, .opened_ns = item->opened_ns};
        out->closed_ns = item->closed_ns;
        memcpy(out->id, item->id, sizeof(out->id));
        memcpy(out->merged_to, item->merged_to, sizeof(out->merged_to));
        item->next_write_ns = now_ns + write_every_ns;
        if (is_over ? take_over(out, item) : take_open(out, item, group))
            return true;
        dispose(out);
    }
    return false;
}

/* The page's own head is what lists show of it. */
/* The document is read back for them: that also holds it to its contract before it is kept. */
static fl_status put_page(fl_store *store, const writing *w, int64_t now_ns, fl_error *err)
{
    const fl_incident *incident = NULL;
    fl_arena arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_report_load(&incident, &arena, fl_slice_of(w->page), err);
    if (status == FL_OK)
        status = fl_store_put(store, incident, fl_slice_of(w->page), now_ns, err);
    fl_arena_dispose(&arena);
    return status;
}

/* Who keeps it is settled first: a page is written by its keeper alone. */
static fl_status write_one(fl_live_published *out, fl_incidents *incidents, const writing *w,
                           int64_t now_ns, fl_error *err)
{
    assert(w->page != NULL && w->body != NULL);
    bool is_merged = strcmp(w->state, "merged") == 0;
    const fl_live live = {.id = w->id,
                          .state = w->state,
                          .merged_to = is_merged ? w->merged_to : NULL,
                          .owner = incidents->owner,
                          .lease_ns = now_ns + incidents->options.lease_ns,
                          .opened_ns = w->opened_ns,
                          .changed_ns = now_ns,
                          .closed_ns = w->closed_ns,
                          .body = w->body,
                          .signs = w->signs,
                          .sign_count = w->sign_count};
    fl_status status = fl_live_publish(out, incidents->store, &live, now_ns, err);
    if (status == FL_OK && out->is_ours)
        status = put_page(incidents->store, w, now_ns, err);
    return status;
}

/* Another daemon has the incident, or one with a lower id that has a sign of it: ours is a part of
 * that, and is told so in the store. */
static void follow(fl_incidents *incidents, incidents_item *item, const fl_live_published *found,
                   writing *w)
{
    bool is_theirs = found->other[0] != '\0' && strcmp(found->other, w->id) < 0;
    if (found->is_ours && !is_theirs)
        return;
    item->is_followed = true;
    (void)snprintf(item->merged_to, sizeof(item->merged_to), "%s",
                   is_theirs ? found->other : w->id);
    incidents->stats.merged++;
}

/* The row of ours says where its signs went, for whoever has its id from a page. */
static void yield_to_other(fl_incidents *incidents, const fl_live_published *found, writing *w,
                           int64_t now_ns)
{
    fl_live_published again;
    if (!found->is_ours || found->other[0] == '\0' || strcmp(found->other, w->id) >= 0)
        return;
    w->state = "merged";
    w->closed_ns = now_ns;
    (void)snprintf(w->merged_to, sizeof(w->merged_to), "%s", found->other);
    if (write_one(&again, incidents, w, now_ns, NULL) == FL_OK)
        return;
    pthread_mutex_lock(&incidents->lock);
    incidents->stats.store_failures++; /* its lease runs out: whoever claims it finds the same */
    pthread_mutex_unlock(&incidents->lock);
}

/* Within the lock: what was written, or is to be tried again. */
static void note_written(fl_incidents *incidents, writing *w, fl_status status,
                         const fl_live_published *found)
{
    for (size_t i = 0; i < incidents->item_count; i++) {
        incidents_item *item = incidents->items[i];
        bool is_open = strcmp(w->state, "open") == 0;
        if (item->key != w->key || (item->state == NULL) != is_open)
            continue;
        if (status == FL_OK && is_open) {
            item->written_version = w->version;
            follow(incidents, item, found, w);
        } else if (!is_open && status != FL_OK) {
            item->page = w->page;
            item->body = w->body;
            w->page = w->body = NULL;
        }
        break;
    }
    incidents->stats.store_failures += status != FL_OK;
}

/* Until all is written, a sign waits, or the round has taken long enough; one at least, so that a
 * storm of signs does not keep pages from the store. `with_all`: however long. */
void fl_incidents_write(fl_incidents *incidents, int64_t now_ns, bool with_all)
{
    int64_t began = fl_time_monotonic();
    bool is_more = true;
    while (is_more && (with_all || fl_time_monotonic() - began < write_budget_ns)) {
        writing w;
        fl_live_published found = {0};
        pthread_mutex_lock(&incidents->lock);
        is_more = next_writing(&w, incidents, with_all ? INT64_MAX / 2 : now_ns);
        pthread_mutex_unlock(&incidents->lock);
        if (!is_more)
            return;
        fl_status status = write_one(&found, incidents, &w, now_ns, NULL);
        pthread_mutex_lock(&incidents->lock);
        note_written(incidents, &w, status, &found);
        bool has_mail = incidents->mail_count > 0;
        pthread_mutex_unlock(&incidents->lock);
        if (status == FL_OK && strcmp(w.state, "open") == 0)
            yield_to_other(incidents, &found, &w, now_ns);
        is_more = status == FL_OK && (with_all || !has_mail);
        dispose(&w);
    }
}

/* Within the lock: items that are over, written and noted. */
/* A followed one has no last page: its keeper writes that. */
void fl_incidents_forget(fl_incidents *incidents)
{
    for (size_t i = incidents->item_count; i-- > 0;) {
        const incidents_item *item = incidents->items[i];
        bool is_in_job = incidents->job_state != JOB_NONE && incidents->job.key == item->key;
        if (item->state != NULL && (item->page == NULL || item->is_followed) && !item->wants_note &&
            !is_in_job)
            fl_incidents_drop_item(incidents, i);
    }
}

/* ---- leases ---- */

typedef struct claimed {
    struct claimed *next;
    char id[FL_LIVE_ID_BYTES];
    char body[]; /* flexible */
} claimed;

/* The store may not be used from within: what was claimed is restored afterwards. */
static fl_status note_claimed(const fl_live *live, void *payload, fl_error *err)
{
    claimed **list = payload;
    size_t bytes = strlen(live->body) + 1;
    claimed *one = fl_mem_alloc(sizeof(*one) + bytes);
    if (one == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an incident");
    (void)snprintf(one->id, sizeof(one->id), "%s", live->id);
    memcpy(one->body, live->body, bytes);
    one->next = *list;
    *list = one;
    return FL_OK;
}

/* A follower keeps the incident from now on: it has the signs already. Within the lock. */
static bool take_up(fl_incidents *incidents, const char *id)
{
    for (size_t i = 0; i < incidents->item_count; i++) {
        incidents_item *item = incidents->items[i];
        if (!item->is_followed || strcmp(item->merged_to, id) != 0)
            continue;
        item->is_followed = false;
        item->written_version = 0;
        memcpy(item->id, item->merged_to, sizeof(item->id));
        item->merged_to[0] = '\0';
        return true;
    }
    return false;
}

/* Of a page that was kept; one that cannot be read shows nothing. */
static void read_head(incidents_head *out, const char *page)
{
    const fl_incident *incident = NULL;
    fl_arena arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES);
    *out = (incidents_head){0};
    if (page != NULL && fl_report_load(&incident, &arena, fl_slice_of(page), NULL) == FL_OK)
        fl_incident_head_of(out, incident);
    fl_arena_dispose(&arena);
}

/* One that cannot be read is closed by nobody; it is kept in the store as it is. */
static fl_status restore(fl_incidents *incidents, const claimed *from, fl_error *err)
{
    fl_arena arena = fl_arena_of(MAX_ARENA_BYTES);
    fl_group group;
    incidents_head head;
    char *page = NULL;
    fl_status status = fl_incident_body_read(&group, from->body, &arena, err);
    if (status == FL_OK)
        status = fl_store_get(incidents->store, from->id, &page, NULL);
    if (status == FL_E_NOTFOUND) /* it ended before its first page: it is triaged anew */
        status = FL_OK;
    if (status == FL_OK)
        status = fl_incidents_adopt_breaks(incidents, &group, err);
    read_head(&head, page);
    pthread_mutex_lock(&incidents->lock);
    if (status == FL_OK && !take_up(incidents, from->id) &&
        fl_groups_find(incidents->groups, group.key) == NULL)
        status = fl_groups_restore(incidents->groups, &group, err);
    const fl_group *found = status == FL_OK ? fl_groups_find(incidents->groups, group.key) : NULL;
    incidents_item *item = found != NULL && fl_incidents_item(incidents, group.key) == NULL
                               ? fl_incidents_add_item(incidents, found)
                               : NULL;
    if (item != NULL) {
        memcpy(item->id, from->id, sizeof(item->id));
        item->answer = page != NULL ? fl_incident_answer_of(page) : NULL;
        item->head = head;
        item->opened_ns = found->opened_ns;
        incidents->stats.opened--;
        incidents->stats.restored++;
    }
    pthread_mutex_unlock(&incidents->lock);
    fl_mem_free(page);
    fl_arena_dispose(&arena);
    return status;
}

/* What cannot be read is left in the store as it is; what there is no memory for ends a start. */
fl_status fl_incidents_claim(fl_incidents *incidents, bool with_own, fl_error *err)
{
    int64_t now = fl_incidents_now(incidents);
    claimed *list = NULL;
    const fl_live_claimer by = {.owner = incidents->owner,
                                .now_ns = now,
                                .lease_ns = now + incidents->options.lease_ns,
                                .with_own = with_own};
    fl_status status = fl_live_claim(incidents->store, &by, note_claimed, &list, err);
    while (list != NULL) {
        claimed *one = list;
        list = one->next;
        fl_error own = {0};
        fl_status done = restore(incidents, one, &own);
        if (done == FL_E_NOMEM)
            status = fl_fail(err, done, FL_NO_OFFSET, "%s", own.message);
        incidents->stats.claimed += !with_own;
        fl_mem_free(one);
    }
    return status;
}

/* Ours first, so that a slow round does not lose what it has. */
void fl_incidents_renew(fl_incidents *incidents, int64_t now_ns)
{
    if (now_ns - incidents->leased_ns < incidents->options.lease_ns / 3) /* two may fail */
        return;
    incidents->leased_ns = now_ns;
    const fl_live_claimer by = {.owner = incidents->owner,
                                .now_ns = now_ns,
                                .lease_ns = now_ns + incidents->options.lease_ns};
    fl_status status = fl_live_renew(incidents->store, &by, NULL);
    if (status == FL_OK)
        status = fl_incidents_claim(incidents, false, NULL);
    pthread_mutex_lock(&incidents->lock);
    incidents->stats.store_failures += status != FL_OK;
    pthread_mutex_unlock(&incidents->lock);
}
