/*
 * store_pool.h - a few stores, each with its own connection, for many threads.
 *
 * A store is opened when there is none left and given back after use. One that failed is closed,
 * and with it those that wait, since what broke one connection broke the others. While the database
 * cannot be reached one caller at a time tries; the others are told why at once, so that workers
 * that are needed to receive telemetry do not wait for it.
 */
#ifndef FL_STORE_POOL_H
#define FL_STORE_POOL_H

#include "store.h"

typedef struct fl_store_pool fl_store_pool;

/* Both are copied. `url` NULL: each taking fails with FL_E_NOTFOUND. */
FL_NODISCARD fl_status fl_store_pool_create(fl_store_pool **out, const char *url,
                                            fl_store_mode mode, size_t most, fl_error *err);
/* Nobody may have a store. NULL is a no-op. */
void fl_store_pool_destroy(fl_store_pool *pool);
/* Waits for one for STORE_POOL_WAIT_S seconds; then FL_E_LIMIT. What fl_store_open() says, else. */
FL_NODISCARD fl_status fl_store_pool_take(fl_store **out, fl_store_pool *pool, fl_error *err);
/* `is_sound` false: it failed, and is not used again. */
void fl_store_pool_give(fl_store_pool *pool, fl_store *store, bool is_sound);

typedef struct fl_store_pool_stats {
    size_t open, busy;
    uint64_t failed;
} fl_store_pool_stats;
/* As of now; from any thread. */
fl_store_pool_stats fl_store_pool_stats_of(fl_store_pool *pool);

#endif
