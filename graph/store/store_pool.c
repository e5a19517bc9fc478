/*
 * store_pool.c - what is idle is used first, the last given back before the others: its pages are
 * still in the cache.
 */
#include "store_pool.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "mem.h"
#include "timestamp.h"

enum {
    STORE_POOL_WAIT_S = 5, /* a person waits no longer either */
    STORE_POOL_MOST = 64
};
/* After a failure: so often a database that is gone is tried, however many ask. */
static const int64_t pause_ns = FL_NS_PER_S;

struct fl_store_pool {
    char *url;
    fl_store_mode mode;
    size_t most;
    pthread_mutex_t lock; /* all below; nobody opens, asks or closes a store within it */
    pthread_cond_t freed;
    fl_store *idle[STORE_POOL_MOST];
    size_t idle_count, busy;
    bool is_broken, is_tried; /* the last opening failed; another one is under way */
    int64_t again_ns;         /* monotonic: not before then */
    fl_error why;
    uint64_t failed;
};

/* Deadlines of conditions are on the clock that nobody sets. */
static fl_status init_waiting(fl_store_pool *pool, fl_error *err)
{
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&pool->lock, NULL);
    if (pthread_condattr_init(&attributes) != 0)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a pool of stores");
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->freed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return FL_OK;
}

/* No store is opened: a daemon starts whether or not its database does. */
fl_status fl_store_pool_create(fl_store_pool **out, const char *url, fl_store_mode mode,
                               size_t most, fl_error *err)
{
    assert(out != NULL && most > 0 && most <= STORE_POOL_MOST);
    fl_store_pool *pool = fl_mem_calloc(1, sizeof(*pool));
    size_t bytes = url != NULL ? strlen(url) + 1 : 0;
    if (pool != NULL && url != NULL)
        pool->url = fl_mem_alloc(bytes);
    if (pool == NULL || (url != NULL && pool->url == NULL)) {
        fl_mem_free(pool);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a pool of stores");
    }
    if (url != NULL)
        memcpy(pool->url, url, bytes);
    pool->mode = mode;
    pool->most = most;
    fl_status status = init_waiting(pool, err);
    if (status != FL_OK) {
        fl_mem_free(pool->url);
        fl_mem_free(pool);
        return status;
    }
    *out = pool;
    return FL_OK;
}

void fl_store_pool_destroy(fl_store_pool *pool)
{
    if (pool == NULL)
        return;
    assert(pool->busy == 0);
    for (size_t i = 0; i < pool->idle_count; i++)
        fl_store_close(pool->idle[i]);
    (void)pthread_cond_destroy(&pool->freed);
    (void)pthread_mutex_destroy(&pool->lock);
    fl_mem_free(pool->url);
    fl_mem_free(pool);
}

/* Within the lock. False: nobody gave one back in time. */
static bool wait_for_room(fl_store_pool *pool)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STORE_POOL_WAIT_S;
    while (pool->idle_count == 0 && pool->busy == pool->most)
        if (pthread_cond_timedwait(&pool->freed, &pool->lock, &until) != 0)
            return false;
    return true;
}

/* Within the lock: whether a database that failed is not tried now. */
static bool is_paused(const fl_store_pool *pool)
{
    return pool->is_broken && (pool->is_tried || fl_time_monotonic() < pool->again_ns);
}

/* A place in the pool is taken already; it is given up after a failure. */
static fl_status open_one(fl_store **out, fl_store_pool *pool, fl_error *err)
{
    fl_error why = {0};
    fl_status status = fl_store_open(out, pool->url, pool->mode, &why);
    (void)pthread_mutex_lock(&pool->lock);
    pool->is_tried = false;
    pool->is_broken = status != FL_OK && status != FL_E_NOMEM; /* that is not the database's */
    if (status != FL_OK) {
        pool->busy--;
        pool->failed++;
        pool->why = why;
        pool->again_ns = fl_time_monotonic() + pause_ns;
        (void)pthread_cond_signal(&pool->freed);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return status == FL_OK ? FL_OK : fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
}

/* Opening takes as long as a network lets it, and is done without the lock. */
fl_status fl_store_pool_take(fl_store **out, fl_store_pool *pool, fl_error *err)
{
    assert(out != NULL && pool != NULL);
    *out = NULL;
    if (pool->url == NULL)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "this daemon keeps no store");
    (void)pthread_mutex_lock(&pool->lock);
    fl_status status = FL_OK;
    if (!wait_for_room(pool))
        status = fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "all %zu connections to the store are busy",
                         pool->most);
    else if (pool->idle_count > 0)
        *out = pool->idle[--pool->idle_count];
    else if (is_paused(pool))
        status = fl_fail(err, pool->why.status, FL_NO_OFFSET, "%s", pool->why.message);
    if (status == FL_OK)
        pool->busy++;
    bool must_open = status == FL_OK && *out == NULL;
    pool->is_tried = pool->is_tried || must_open;
    (void)pthread_mutex_unlock(&pool->lock);
    if (*out != NULL &&
        !fl_store_is_there(*out)) { /* the others are looked at when they are taken */
        fl_store_close(*out);
        *out = NULL;
        must_open = true;
    }
    return must_open ? open_one(out, pool, err) : status;
}

/* Closing may wait for the network as well: what is closed is gathered first. */
void fl_store_pool_give(fl_store_pool *pool, fl_store *store, bool is_sound)
{
    fl_store *closed[STORE_POOL_MOST + 1];
    size_t count = 0;
    assert(pool != NULL && store != NULL);
    (void)pthread_mutex_lock(&pool->lock);
    assert(pool->busy > 0 && pool->idle_count < pool->most);
    pool->busy--;
    if (is_sound) {
        pool->idle[pool->idle_count++] = store;
    } else {
        closed[count++] = store;
        while (pool->idle_count > 0)
            closed[count++] = pool->idle[--pool->idle_count];
    }
    (void)pthread_cond_signal(&pool->freed);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < count; i++)
        fl_store_close(closed[i]);
}

fl_store_pool_stats fl_store_pool_stats_of(fl_store_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    const fl_store_pool_stats out = {
        .open = pool->idle_count + pool->busy, .busy = pool->busy, .failed = pool->failed};
    (void)pthread_mutex_unlock(&pool->lock);
    return out;
}
