/*
 * jfr_pool.c - a chunk's tables: checkpoints that say what keys stand for.
 *
 *   checkpoint  size, type 1, time, duration, delta to the one before (0: none), flags, pools
 *   pool        class, count, then each a key and a value of that class
 *
 * Keys are unique in a chunk and keep their meaning: a key that comes again, since a later
 * checkpoint repeats what is still in use, is passed over.
 *
 * Values are gone past, and only where they stand is kept: few of them are ever asked for. Pools
 * that nobody looks into are gone past by the same plans.
 */
#include <assert.h>

#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"

/* The classes of pools by name, and what is kept of a value: the slot of a text is 0. */
static const struct {
    const char *name;
    fl_jfr_wanted wanted[6];
} pools[FL_JFR_POOL_COUNT] = {
    [FL_JFR_POOL_STRING] = {"java.lang.String", {{0}}},
    [FL_JFR_POOL_SYMBOL] = {"jdk.types.Symbol", {{"string", 0}}},
    [FL_JFR_POOL_CLASS] = {"java.lang.Class", {{"name", 0}}},
    [FL_JFR_POOL_METHOD] = {"jdk.types.Method", {{"name", 0}, {"type", 1}}},
    [FL_JFR_POOL_STACK] = {"jdk.types.StackTrace", {{"frames", 0}}},
    [FL_JFR_POOL_THREAD] = {"java.lang.Thread", {{"javaName", 0}, {"osName", 1}}},
    [FL_JFR_POOL_GC_CAUSE] = {"jdk.types.GCCause", {{"cause", 0}}},
    [FL_JFR_POOL_GC_NAME] = {"jdk.types.GCName", {{"name", 0}}},
    [FL_JFR_POOL_GC_WHEN] = {"jdk.types.GCWhen", {{"when", 0}}},
    [FL_JFR_POOL_OBJECT] = {"jdk.types.OldObject",
                            {{"description", 0}, {"type", 1}, {"referrer", 2}}},
    [FL_JFR_POOL_REFERENCE] = {"jdk.types.Reference",
                               {{"array", 1}, {"field", 2}, {"object", 3}, {"skip", 4}}},
    [FL_JFR_POOL_ARRAY] = {"jdk.types.OldObjectArray", {{"size", 1}, {"index", 2}}},
    [FL_JFR_POOL_FIELD] = {"jdk.types.OldObjectField", {{"name", 0}}},
    [FL_JFR_POOL_ROOT] = {"jdk.types.OldObjectGcRoot",
                          {{"description", 0}, {"system", 1}, {"type", 2}}},
    [FL_JFR_POOL_ROOT_TYPE] = {"jdk.types.OldObjectRootType", {{"type", 0}}},
    [FL_JFR_POOL_ROOT_SYSTEM] = {"jdk.types.OldObjectRootSystem", {{"system", 0}}},
};

/* What a frame of a stack has. */
static const fl_jfr_wanted frame_wanted[] = {{"method", 0}, {"lineNumber", 1}, {NULL, 0}};

fl_jfr_pool_kind fl_jfr_pool_of(fl_slice class_name)
{
    for (int i = 0; i < FL_JFR_POOL_COUNT; i++)
        if (fl_slice_equal(class_name, fl_slice_of(pools[i].name)))
            return (fl_jfr_pool_kind)i;
    return FL_JFR_POOL_NONE;
}

fl_status fl_jfr_pools_begin(fl_jfr_chunk *chunk, fl_error *err)
{
    fl_status status = FL_OK;
    assert(chunk->by_id != NULL);
    for (int i = 0; i < FL_JFR_POOL_COUNT && status == FL_OK; i++) {
        fl_jfr_pool *pool = &chunk->pools[i];
        fl_jfr_class *of = fl_jfr_class_named(chunk, pools[i].name);
        pool->of = of;
        pool->count = 0;
        if (pool->by_key == NULL)
            status = fl_map_create(&pool->by_key, FL_MAX_JFR_CONSTANTS, err);
        else
            status = fl_map_restart(pool->by_key, fl_map_count(pool->by_key), err);
        if (status == FL_OK && of != NULL && !of->is_planned) {
            of->is_planned = true;
            status = fl_jfr_plan_make(&of->plan, chunk, of, pools[i].wanted, err);
        }
    }
    fl_jfr_class *frame = fl_jfr_class_named(chunk, "jdk.types.StackFrame");
    chunk->frame = (fl_jfr_plan){0};
    memset(chunk->seen, 0, sizeof(chunk->seen));
    if (status == FL_OK && frame != NULL)
        status = fl_jfr_plan_make(&chunk->frame, chunk, frame, frame_wanted, err);
    return status;
}

/* Where the value of a key stands. What is known already stays: keys do not change meaning. */
static fl_status add_constant(fl_jfr_pool *pool, uint64_t key, size_t pos, fl_error *err)
{
    assert(pool->by_key != NULL && pool->count <= pool->cap);
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, pool->by_key, key, NULL, err);
    if (status != FL_OK || *slot != 0)
        return status;
    fl_jfr_constant *grown = fl_jfr_grow(pool->items, pool->count, &pool->cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the tables of a recording");
    pool->items = grown;
    grown[pool->count++] = (fl_jfr_constant){.pos = pos, .resolved = FL_JFR_NONE};
    *slot = pool->count;
    return FL_OK;
}

/* The keys and values of one pool. */
static fl_status read_pool(fl_jfr_chunk *chunk, fl_reader *in, fl_error *err)
{
    assert(in->pos <= in->bytes.len);
    bool is_compressed = chunk->is_compressed;
    uint64_t slots[FL_JFR_SLOTS] = {0};
    uint64_t id = fl_jfr_number(in, 8, is_compressed);
    uint64_t count = (uint32_t)fl_jfr_number(in, 4, is_compressed);
    fl_jfr_class *of = fl_jfr_class_of(chunk, id);
    fl_status status = FL_OK;
    if (of == NULL || in->short_read)
        return fl_fail(err, FL_E_SYNTAX, chunk->offset + in->pos,
                       "a table is of class %llu, which is not described", (unsigned long long)id);
    if (!of->is_planned) {
        of->is_planned = true;
        status = fl_jfr_plan_make(&of->plan, chunk, of, NULL, err);
    }
    if (status == FL_OK && !of->plan.is_sound)
        return fl_fail(err, FL_E_SYNTAX, chunk->offset + in->pos,
                       "a table is of class %llu, whose fields cannot be read",
                       (unsigned long long)id);
    fl_jfr_pool *pool = NULL;
    for (int i = 0; i < FL_JFR_POOL_COUNT; i++)
        if (chunk->pools[i].of == of)
            pool = &chunk->pools[i];
    for (; count > 0 && status == FL_OK && !in->short_read; count--) {
        uint64_t key = fl_jfr_number(in, 8, is_compressed);
        size_t pos = in->pos;
        fl_jfr_plan_run(chunk, &of->plan, of->plan.count, in, slots);
        if (pool != NULL && !in->short_read) /* whole: what is asked of it ends where it does */
            status = add_constant(pool, key, pos, err);
    }
    return status;
}

fl_status fl_jfr_checkpoint_read(fl_jfr_chunk *chunk, size_t pos, size_t end, int64_t *delta,
                                 fl_error *err)
{
    fl_reader in = {.bytes = chunk->bytes, .pos = pos};
    bool is_compressed = chunk->is_compressed;
    assert(pos <= end && end <= chunk->bytes.len && delta != NULL);
    *delta = 0;
    uint64_t size = (uint32_t)fl_jfr_number(&in, 4, is_compressed);
    uint64_t type = fl_jfr_number(&in, 8, is_compressed);
    if (in.short_read || type != 1 || size < in.pos - pos || size > end - pos)
        return fl_fail(err, FL_E_SYNTAX, chunk->offset + pos, "here is no table of constants");
    in.bytes.len = pos + (size_t)size;
    (void)fl_jfr_number(&in, 8, is_compressed); /* time */
    (void)fl_jfr_number(&in, 8, is_compressed); /* duration */
    *delta = (int64_t)fl_jfr_number(&in, 8, is_compressed);
    (void)fl_read_be(&in, 1); /* flags */
    uint64_t left = (uint32_t)fl_jfr_number(&in, 4, is_compressed);
    fl_status status = FL_OK;
    for (; left > 0 && status == FL_OK && !in.short_read; left--)
        status = read_pool(chunk, &in, err);
    if (status == FL_OK && in.short_read)
        status = fl_fail(err, FL_E_TRUNCATED, chunk->offset + pos,
                         "a table of constants is longer than its place");
    return status;
}

fl_jfr_constant *fl_jfr_constant_of(fl_jfr_chunk *chunk, fl_jfr_pool_kind pool, uint64_t key)
{
    assert(pool < FL_JFR_POOL_COUNT);
    const uint64_t *index = fl_map_find(chunk->pools[pool].by_key, key);
    return index != NULL && *index > 0 ? &chunk->pools[pool].items[*index - 1] : NULL;
}

uint64_t fl_jfr_looks_most(const fl_jfr_chunk *chunk)
{
    return (uint64_t)chunk->bytes.len * FL_JFR_LOOKS + FL_JFR_LEAST_LOOKS;
}

bool fl_jfr_constant_slots(fl_jfr_chunk *chunk, fl_jfr_pool_kind pool,
                           const fl_jfr_constant *constant, uint64_t slots[FL_JFR_SLOTS])
{
    fl_reader in = {.bytes = chunk->bytes, .pos = constant->pos};
    const fl_jfr_class *of = chunk->pools[pool].of;
    assert(of != NULL && of->is_planned && of->plan.is_sound);
    memset(slots, 0, FL_JFR_SLOTS * sizeof(*slots));
    if (chunk->looked > fl_jfr_looks_most(chunk))
        return false;
    fl_jfr_plan_run(chunk, &of->plan, of->plan.last, &in, slots);
    chunk->looked += in.pos - constant->pos + 1;
    return !in.short_read;
}

void fl_jfr_pools_dispose(fl_jfr_chunk *chunk)
{
    for (int i = 0; i < FL_JFR_POOL_COUNT; i++) {
        fl_map_destroy(chunk->pools[i].by_key);
        fl_mem_free(chunk->pools[i].items);
    }
}
