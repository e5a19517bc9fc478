/*
 * api_events.c - a ring of the newest events, numbered; each listener knows the number of the next
 * one that he is to be told.
 *
 * Clocks of daemons that share a store differ: a look goes WINDOW_NS back behind the newest that
 * was seen, and what was told already is known by its id and time. Rows of one look come newest
 * first, and are told oldest first.
 */
#include "api_events.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "json_put.h"
#include "mem.h"
#include "number.h"
#include "slice.h"
#include "timestamp.h"

enum {
    EVENT_BYTES = 2048, /* of one; a piece of a stream has room for it */
    LOOK_MOST = 500,    /* rows of one look: more has a listener ask for the list */
    TOLD_MOST = 4096    /* ids with times that are remembered */
};
static const int64_t window_ns = 10 * FL_NS_PER_S;
static const char reset_event[] = "event: reset\ndata: {}\n\n";

typedef struct event {
    int64_t at_ns; /* stored_ns; 0: not of an incident */
    char *text;
    size_t len;
} event;

typedef struct told {
    uint64_t id;
    int64_t at_ns;
} told;

struct fl_api_events {
    fl_store_pool *pool;
    pthread_mutex_t lock; /* all below but what the thread alone has; nobody asks a store in it */
    pthread_cond_t wake;
    event ring[API_EVENTS_KEPT];
    uint64_t next; /* the number of the next event; the last API_EVENTS_KEPT are there */
    size_t listeners;
    bool is_ending, has_thread;
    pthread_t thread;
    /* The thread's alone. */
    told told[TOLD_MOST];
    size_t told_count;
    int64_t newest_ns;
    bool has_looked, is_lost; /* lost: the store did not answer last time */
};

typedef struct listener {
    fl_api_events *events;
    uint64_t next;
    int64_t began_ns, beat_ns; /* monotonic */
    bool has_begun, must_reset;
    char piece[EVENT_BYTES]; /* on its way: a stream's room may end in the middle of an event */
    size_t len, sent;
} listener;

/* --- the ring --- */

/* Takes `text`. */
static void publish(fl_api_events *events, char *text, size_t len, int64_t at_ns)
{
    (void)pthread_mutex_lock(&events->lock);
    event *slot = &events->ring[events->next++ % API_EVENTS_KEPT];
    char *before = slot->text;
    *slot = (event){.at_ns = at_ns, .text = text, .len = len};
    (void)pthread_mutex_unlock(&events->lock);
    fl_mem_free(before);
}

/* One that cannot be kept for want of memory leaves a gap that nobody sees: the next change of the
 * same incident is told. */
static void publish_text(fl_api_events *events, const char *text, int64_t at_ns)
{
    size_t len = strlen(text);
    assert(len > 0 && len <= EVENT_BYTES);
    char *copy = fl_mem_alloc(len + 1);
    if (copy == NULL)
        return;
    memcpy(copy, text, len + 1);
    publish(events, copy, len, at_ns);
}

/* --- looking --- */

typedef struct look {
    fl_api_events *events;
    fl_buf texts[LOOK_MOST];
    int64_t at_ns[LOOK_MOST];
    size_t count;
    int64_t newest_ns;
} look;

/* Whether the row was told; from now on it counts as such. */
static bool was_told(fl_api_events *events, const fl_store_row *row)
{
    uint64_t id = fl_hash_stable(fl_slice_of(row->id));
    for (size_t i = 0; i < events->told_count; i++) {
        if (events->told[i].id != id)
            continue;
        bool same = events->told[i].at_ns == row->stored_ns;
        events->told[i].at_ns = row->stored_ns;
        return same;
    }
    if (events->told_count < TOLD_MOST)
        events->told[events->told_count++] = (told){.id = id, .at_ns = row->stored_ns};
    return false;
}

/* What lies before the window is not asked for again. */
static void forget_told(fl_api_events *events)
{
    size_t kept = 0;
    assert(events->told_count <= TOLD_MOST);
    for (size_t i = 0; i < events->told_count; i++)
        if (events->told[i].at_ns >= events->newest_ns - window_ns)
            events->told[kept++] = events->told[i];
    events->told_count = kept;
}

/* One event as its lines; JSON on one line has no line ends in it. */
static void write_event(fl_buf *out, const fl_store_row *row)
{
    fl_put put = {0};
    json_t *data = json_object();
    fl_put_text(&put, data, "id", row->id);
    fl_put_text(&put, data, "state", row->state);
    fl_put_text(&put, data, "verdict", row->verdict);
    fl_put_text(&put, data, "service", row->service);
    fl_put_text(&put, data, "cause", row->cause);
    fl_put_rounded(&put, data, "probability", row->probability);
    fl_buf_printf(out, "id: %lld\nevent: incident\ndata: ", (long long)row->stored_ns);
    if (put.status != FL_OK || !fl_put_dump(out, data, JSON_COMPACT | JSON_REAL_PRECISION(9)))
        out->status = out->status != FL_OK ? out->status : FL_E_NOMEM;
    fl_buf_text(out, "\n\n");
    json_decref(data);
}

static fl_status take_row(const fl_store_row *row, void *payload, fl_error *err)
{
    look *to = payload;
    fl_api_events *events = to->events;
    (void)err;
    if (row->stored_ns > to->newest_ns)
        to->newest_ns = row->stored_ns;
    if (was_told(events, row) || to->count == LOOK_MOST)
        return FL_OK;
    fl_buf *text = &to->texts[to->count];
    *text = fl_buf_of(EVENT_BYTES);
    write_event(text, row);
    to->at_ns[to->count++] = row->stored_ns;
    return FL_OK;
}

/* Oldest first. At the first look nothing is known to be new: what was stored between a listener's
 * list and the look is found by asking for the list again. */
static void tell_rows(fl_api_events *events, look *seen)
{
    bool is_new = events->has_looked;
    assert(seen->count <= LOOK_MOST);
    if (!is_new || seen->count == LOOK_MOST)
        publish_text(events, reset_event, 0);
    for (size_t i = seen->count; i-- > 0;) {
        fl_buf *text = &seen->texts[i];
        if (is_new && text->status == FL_OK && text->len > 0)
            publish_text(events, text->ptr, seen->at_ns[i]);
        else if (is_new) /* a name that fills an event: the list has it */
            publish_text(events, reset_event, 0);
        fl_buf_dispose(text);
    }
    events->has_looked = true;
}

/* Once when it goes, and once when it is back. */
static void tell_store(fl_api_events *events, bool is_lost)
{
    if (is_lost != events->is_lost)
        publish_text(events,
                     is_lost ? "event: store\ndata: {\"reachable\": false}\n\n"
                             : "event: store\ndata: {\"reachable\": true}\n\n",
                     0);
    events->is_lost = is_lost;
}

void fl_api_events_look(fl_api_events *events)
{
    fl_error err = {0};
    fl_store *store;
    assert(events != NULL);
    look *seen = fl_mem_calloc(1, sizeof(*seen));
    if (seen == NULL)
        return;
    seen->events = events;
    fl_status status = fl_store_pool_take(&store, events->pool, &err);
    if (status == FL_OK) {
        int64_t since_ns = events->newest_ns - window_ns;
        const fl_store_question question = {.limit = LOOK_MOST,
                                            .since_ns = since_ns > 0 ? since_ns : 0};
        status = fl_store_find(store, &question, take_row, seen, &err);
        fl_store_pool_give(events->pool, store, status == FL_OK);
    }
    tell_store(events, status != FL_OK && status != FL_E_LIMIT); /* limit: all stores are busy */
    if (status == FL_OK) {
        int64_t now_ns = fl_time_now(); /* a clock that is ahead must not hide what comes next */
        if (seen->newest_ns > events->newest_ns)
            events->newest_ns = seen->newest_ns;
        if (events->newest_ns > now_ns)
            events->newest_ns = now_ns;
        tell_rows(events, seen);
    } else {
        for (size_t i = 0; i < seen->count; i++)
            fl_buf_dispose(&seen->texts[i]);
        events->told_count = 0; /* what was not told is looked for again */
    }
    forget_told(events);
    fl_mem_free(seen);
}

/* Rests while nobody listens; the first look after that tells what came meanwhile. */
static void *watch(void *payload)
{
    fl_api_events *events = payload;
    (void)pthread_mutex_lock(&events->lock);
    while (!events->is_ending) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += API_EVENTS_HZ;
        if (events->listeners == 0) {
            (void)pthread_cond_wait(&events->wake, &events->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&events->lock);
        fl_api_events_look(events);
        (void)pthread_mutex_lock(&events->lock);
        if (!events->is_ending)
            (void)pthread_cond_timedwait(&events->wake, &events->lock, &until);
    }
    (void)pthread_mutex_unlock(&events->lock);
    return NULL;
}

/* --- listeners: on an event thread of the server --- */

static void take_piece(listener *l, const char *text, size_t len)
{
    assert(len <= sizeof(l->piece));
    memcpy(l->piece, text, len);
    l->len = len;
    l->sent = 0;
}

/* The next of the ring; what fell out of it meanwhile is not known any more. */
static void take_event(listener *l)
{
    fl_api_events *events = l->events;
    (void)pthread_mutex_lock(&events->lock);
    if (events->next - l->next > API_EVENTS_KEPT) {
        l->must_reset = true;
        l->next = events->next;
    }
    if (!l->must_reset && l->next < events->next) {
        const event *one = &events->ring[l->next++ % API_EVENTS_KEPT];
        take_piece(l, one->text, one->len);
    }
    (void)pthread_mutex_unlock(&events->lock);
}

/* Leaves the piece empty where there is nothing to tell. */
static void find_piece(listener *l, int64_t now_ns)
{
    static const char begin[] = "retry: 2000\n\n", beat[] = ":\n\n";
    l->len = l->sent = 0;
    if (!l->has_begun)
        take_piece(l, begin, sizeof(begin) - 1);
    else
        take_event(l);
    l->has_begun = true;
    if (l->len == 0 && l->must_reset) {
        take_piece(l, reset_event, sizeof(reset_event) - 1);
        l->must_reset = false;
    }
    if (l->len == 0 && now_ns - l->beat_ns > API_EVENTS_BEAT_S * FL_NS_PER_S)
        take_piece(l, beat, sizeof(beat) - 1);
}

/* fl_http_stream.next */
static ptrdiff_t next_bytes(void *payload, char *out, size_t room)
{
    listener *l = payload;
    size_t used = 0;
    int64_t now_ns = fl_time_monotonic();
    if (now_ns - l->began_ns > API_EVENTS_MINUTES * 60 * FL_NS_PER_S)
        return -1;
    while (used < room) {
        if (l->sent == l->len)
            find_piece(l, now_ns);
        if (l->len == 0)
            break;
        size_t len = l->len - l->sent < room - used ? l->len - l->sent : room - used;
        memcpy(out + used, l->piece + l->sent, len);
        l->sent += len;
        used += len;
        l->beat_ns = now_ns;
    }
    return (ptrdiff_t)used;
}

/* fl_http_stream.end */
static void leave(void *payload)
{
    listener *l = payload;
    (void)pthread_mutex_lock(&l->events->lock);
    assert(l->events->listeners > 0);
    l->events->listeners--;
    (void)pthread_mutex_unlock(&l->events->lock);
    fl_mem_free(l);
}

/* Within the lock: behind the event that the client has seen; where that is no longer kept, he is
 * told to begin anew. What one round stored shares an id: he has seen the oldest of these for
 * certain, and is told the others again. */
static void find_place(listener *l, const char *last)
{
    fl_api_events *events = l->events;
    int64_t seen_ns = 0;
    l->next = events->next;
    if (last == NULL)
        return;
    l->must_reset = true;
    if (!fl_parse_i64(fl_slice_of(last), &seen_ns))
        return;
    assert(l->next == events->next);
    uint64_t oldest = events->next > API_EVENTS_KEPT ? events->next - API_EVENTS_KEPT : 0;
    for (uint64_t n = events->next; n > oldest; n--) {
        if (events->ring[(n - 1) % API_EVENTS_KEPT].at_ns != seen_ns)
            continue;
        l->next = n;
        l->must_reset = false;
    }
}

static fl_status start_thread(fl_api_events *events, fl_error *err)
{
    if (events->has_thread)
        return FL_OK;
    if (pthread_create(&events->thread, NULL, watch, events) != 0)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no thread to look for changes");
    events->has_thread = true;
    return FL_OK;
}

fl_status fl_api_events_listen(fl_http_reply *reply, fl_api_events *events, const char *last,
                               fl_error *err)
{
    assert(reply != NULL && reply->stream.next == NULL && events != NULL);
    listener *l = fl_mem_calloc(1, sizeof(*l));
    if (l == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a listener");
    l->events = events;
    l->began_ns = l->beat_ns = fl_time_monotonic();
    (void)pthread_mutex_lock(&events->lock);
    fl_status status = FL_OK;
    if (events->listeners == API_EVENTS_LISTENERS)
        status = fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%d listen already: come again later",
                         API_EVENTS_LISTENERS);
    else
        status = start_thread(events, err);
    if (status == FL_OK) {
        events->listeners++;
        find_place(l, last);
        (void)pthread_cond_signal(&events->wake);
    }
    (void)pthread_mutex_unlock(&events->lock);
    if (status != FL_OK) {
        fl_mem_free(l);
        return status;
    }
    reply->content_type = "text/event-stream";
    reply->stream = (fl_http_stream){.next = next_bytes, .end = leave, .payload = l};
    return FL_OK;
}

size_t fl_api_events_listeners(fl_api_events *events)
{
    (void)pthread_mutex_lock(&events->lock);
    size_t count = events->listeners;
    (void)pthread_mutex_unlock(&events->lock);
    return count;
}

/* --- the whole --- */

fl_status fl_api_events_create(fl_api_events **out, fl_store_pool *pool, fl_error *err)
{
    pthread_condattr_t attributes;
    assert(out != NULL && pool != NULL);
    *out = NULL;
    fl_api_events *events = fl_mem_calloc(1, sizeof(*events));
    if (events == NULL || pthread_condattr_init(&attributes) != 0) {
        fl_mem_free(events);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for events");
    }
    events->pool = pool;
    (void)pthread_mutex_init(&events->lock, NULL);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&events->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    *out = events;
    return FL_OK;
}

void fl_api_events_destroy(fl_api_events *events)
{
    if (events == NULL)
        return;
    assert(events->listeners == 0);
    (void)pthread_mutex_lock(&events->lock);
    events->is_ending = true;
    (void)pthread_cond_signal(&events->wake);
    (void)pthread_mutex_unlock(&events->lock);
    if (events->has_thread)
        (void)pthread_join(events->thread, NULL);
    for (size_t i = 0; i < API_EVENTS_KEPT; i++)
        fl_mem_free(events->ring[i].text);
    (void)pthread_cond_destroy(&events->wake);
    (void)pthread_mutex_destroy(&events->lock);
    fl_mem_free(events);
}
