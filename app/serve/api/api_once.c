/*
 * api_once.c - keys in a fixed table, searched from its beginning: a POST of people's is rare, and
 * the table fits into a few pages.
 *
 * A key is known by a hash of itself and of the path; what it was for by a hash of the whole
 * request. Both are keyed, so that nobody finds two requests that share one.
 */
#include "api_once.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

enum { API_ONCE_BODY_BYTES = 64 << 10 }; /* of an answer that is kept: 32 MiB in all at most */
static const int64_t kept_ns = 24 * 3600 * FL_NS_PER_S;

typedef enum once_state { ONCE_EMPTY, ONCE_RUNNING, ONCE_DONE } once_state;

typedef struct once_entry {
    once_state state;
    uint64_t key, request;
    int64_t began_ns;
    unsigned status;
    const char *content_type; /* static, as in a reply */
    char *body;
    size_t len;
} once_entry;

struct fl_api_once {
    pthread_mutex_t lock;
    once_entry entries[API_ONCE_MOST];
};

fl_status fl_api_once_create(fl_api_once **out, fl_error *err)
{
    assert(out != NULL);
    *out = fl_mem_calloc(1, sizeof(**out));
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the keys of requests");
    (void)pthread_mutex_init(&(*out)->lock, NULL);
    return FL_OK;
}

static void empty(once_entry *entry)
{
    fl_mem_free(entry->body);
    *entry = (once_entry){0};
}

void fl_api_once_destroy(fl_api_once *once)
{
    if (once == NULL)
        return;
    for (size_t i = 0; i < API_ONCE_MOST; i++)
        empty(&once->entries[i]);
    (void)pthread_mutex_destroy(&once->lock);
    fl_mem_free(once);
}

/* Printable and not endless, as a header's value that is compared. */
static bool is_key(const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < len; i++)
        if (key[i] < '!' || key[i] > '~')
            return false;
    return len > 0 && len <= API_ONCE_KEY_BYTES;
}

static uint64_t both(uint64_t a, const char *text)
{
    return fl_hash_mix(a) ^ fl_hash_keyed(fl_slice_of(text));
}

/* Within the lock: the entry of the key, else the place of the oldest that nobody works on; NULL:
 * all are worked on. */
static once_entry *find(fl_api_once *once, uint64_t key, int64_t now_ns)
{
    once_entry *oldest = NULL;
    for (size_t i = 0; i < API_ONCE_MOST; i++) {
        once_entry *entry = &once->entries[i];
        if (entry->state == ONCE_DONE && now_ns - entry->began_ns > kept_ns)
            empty(entry);
        if (entry->state != ONCE_EMPTY && entry->key == key)
            return entry;
        bool is_free = entry->state != ONCE_RUNNING;
        if (is_free && (oldest == NULL || entry->began_ns < oldest->began_ns))
            oldest = entry;
    }
    return oldest;
}

/* The first one's answer, once more. */
static void repeat(fl_http_reply *reply, const once_entry *entry)
{
    assert(entry->state == ONCE_DONE);
    reply->status = entry->status;
    reply->content_type = entry->content_type;
    fl_buf_clear(&reply->body);
    fl_buf_add(&reply->body,
               (fl_slice){.ptr = (const unsigned char *)entry->body, .len = entry->len});
    fl_http_reply_add(reply, "Idempotent-Replayed", "true");
}

fl_api_once_turn fl_api_once_begin(size_t *place, fl_api_once *once, const fl_http_request *request,
                                   fl_http_reply *reply, int64_t now_ns)
{
    const char *key = fl_http_header(request, "Idempotency-Key");
    const char *match = fl_http_header(request, "If-Match");
    fl_api_once_turn turn = FL_API_ONCE_ANSWERED;
    assert(place != NULL && once != NULL && reply != NULL);
    if (key == NULL)
        return FL_API_ONCE_FREE;
    if (!is_key(key)) {
        fl_http_problem(reply, 400, "Idempotency-Key is 1 to %d printable characters",
                        API_ONCE_KEY_BYTES);
        return turn;
    }
    const uint64_t hash = both(fl_hash_keyed(fl_slice_of(key)), request->path);
    const uint64_t whole =
        both(fl_hash_mix(fl_hash_keyed(request->body)), match != NULL ? match : "");
    (void)pthread_mutex_lock(&once->lock);
    once_entry *entry = find(once, hash, now_ns);
    if (entry == NULL) {
        fl_http_problem(reply, 503, "too many requests are under way: send it again later");
        reply->retry_after_s = 1;
    } else if (entry->state == ONCE_EMPTY || entry->key != hash) {
        empty(entry);
        *entry =
            (once_entry){.state = ONCE_RUNNING, .key = hash, .request = whole, .began_ns = now_ns};
        *place = (size_t)(entry - once->entries);
        turn = FL_API_ONCE_FIRST;
    } else if (entry->request != whole) {
        fl_http_problem(reply, 422, "this Idempotency-Key was another request's");
    } else if (entry->state == ONCE_RUNNING) {
        fl_http_problem(reply, 409, "the first request of this Idempotency-Key is under way");
    } else {
        repeat(reply, entry);
    }
    (void)pthread_mutex_unlock(&once->lock);
    return turn;
}

void fl_api_once_end(fl_api_once *once, size_t place, const fl_http_reply *reply)
{
    assert(place < API_ONCE_MOST);
    once_entry *entry = &once->entries[place];
    fl_slice body = fl_buf_slice(&reply->body);
    char *copy = NULL;
    bool is_kept =
        reply->status < 500 && reply->body.status == FL_OK && body.len <= API_ONCE_BODY_BYTES;
    if (is_kept)
        copy = fl_mem_alloc(body.len + 1);
    (void)pthread_mutex_lock(&once->lock);
    assert(entry->state == ONCE_RUNNING);
    if (copy == NULL) {
        empty(entry);
    } else {
        if (body.len > 0)
            memcpy(copy, body.ptr, body.len);
        entry->body = copy;
        entry->len = body.len;
        entry->status = reply->status;
        entry->content_type = reply->content_type;
        entry->state = ONCE_DONE;
    }
    (void)pthread_mutex_unlock(&once->lock);
}
