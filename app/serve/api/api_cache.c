/*
 * api_cache.c - a short array under a lock: a walk over 64 hashes is nothing beside an answer.
 *
 * Invariants, outside of the lock:
 *   (1) no two answers have the same key
 *   (2) `bytes` is what all bodies occupy, and at most API_CACHE_BYTES
 *   (3) an answer that is handed out is held for who got it: it may be forgotten here meanwhile
 *   (4) of a key the stamp only grows: a slow reader of an old document takes nothing back
 */
#include "api_cache.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"

typedef struct answer {
    fl_http_kept *kept; /* NULL: free */
    char *key;
    uint64_t hash, used; /* used: the cache's clock when it was last asked for */
    int64_t stamp;
} answer;

struct fl_api_cache {
    pthread_mutex_t lock; /* all below; bodies are dropped within, which frees and no more */
    answer answers[API_CACHE_ANSWERS];
    size_t bytes; /* of all: at most API_CACHE_BYTES */
    uint64_t clock;
};

fl_status fl_api_cache_create(fl_api_cache **out, fl_error *err)
{
    assert(out != NULL);
    fl_api_cache *cache = fl_mem_calloc(1, sizeof(*cache));
    if (cache == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for answers");
    (void)pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return FL_OK;
}

/* The place is free afterwards; who still sends the body goes on with it. */
static void forget(fl_api_cache *cache, answer *at)
{
    if (at->kept == NULL)
        return;
    assert(cache->bytes >= fl_http_kept_bytes(at->kept));
    cache->bytes -= fl_http_kept_bytes(at->kept);
    fl_http_kept_drop(at->kept);
    fl_mem_free(at->key);
    *at = (answer){0};
}

void fl_api_cache_destroy(fl_api_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < API_CACHE_ANSWERS; i++)
        forget(cache, &cache->answers[i]);
    assert(cache->bytes == 0);
    (void)pthread_mutex_destroy(&cache->lock);
    fl_mem_free(cache);
}

/* NULL: there is none of the key. Within the lock. */
static answer *find(fl_api_cache *cache, const char *key, uint64_t hash)
{
    for (size_t i = 0; i < API_CACHE_ANSWERS; i++) {
        answer *at = &cache->answers[i];
        if (at->kept != NULL && at->hash == hash && strcmp(at->key, key) == 0)
            return at;
    }
    return NULL;
}

/* Another stamp is another document: what is here then waits to be replaced. */
fl_http_kept *fl_api_cache_find(fl_api_cache *cache, const char *key, int64_t stamp)
{
    fl_http_kept *kept = NULL;
    uint64_t hash = fl_hash_stable(fl_slice_of(key));
    (void)pthread_mutex_lock(&cache->lock);
    answer *at = find(cache, key, hash);
    if (at != NULL && at->stamp == stamp) {
        at->used = ++cache->clock;
        kept = fl_http_kept_hold(at->kept);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return kept;
}

/* A free place or that of the least lately used; within the lock. */
static answer *oldest(fl_api_cache *cache)
{
    answer *out = &cache->answers[0];
    for (size_t i = 1; i < API_CACHE_ANSWERS; i++)
        if (cache->answers[i].used < out->used)
            out = &cache->answers[i];
    return out;
}

/* The least lately used of those that are there. */
static answer *oldest_kept(fl_api_cache *cache)
{
    answer *out = NULL;
    for (size_t i = 0; i < API_CACHE_ANSWERS; i++) {
        answer *at = &cache->answers[i];
        if (at->kept != NULL && (out == NULL || at->used < out->used))
            out = at;
    }
    return out;
}

/* Of two that made the answer at once the newer document's stays. */
void fl_api_cache_put(fl_api_cache *cache, const char *key, int64_t stamp, fl_http_kept *kept)
{
    size_t bytes = fl_http_kept_bytes(kept), len = strlen(key) + 1;
    uint64_t hash = fl_hash_stable(fl_slice_of(key));
    char *copy = bytes <= API_CACHE_MOST_BYTES ? fl_mem_alloc(len) : NULL;
    if (copy == NULL)
        return;
    memcpy(copy, key, len);
    (void)pthread_mutex_lock(&cache->lock);
    answer *at = find(cache, key, hash);
    bool is_newer = at == NULL || at->stamp < stamp;
    if (is_newer) {
        forget(cache, at != NULL ? at : oldest(cache));
        while (cache->bytes + bytes > API_CACHE_BYTES)
            forget(cache, oldest_kept(cache));
        *(at != NULL ? at : oldest(cache)) = (answer){.kept = fl_http_kept_hold(kept),
                                                      .key = copy,
                                                      .hash = hash,
                                                      .used = ++cache->clock,
                                                      .stamp = stamp};
        cache->bytes += bytes;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    if (!is_newer)
        fl_mem_free(copy);
}
