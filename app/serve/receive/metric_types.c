/*
 * metric_types.c - a table of families, each with the version at which it was last changed.
 *
 * A reader that is behind passes over all families once; that happens when a sender starts or is
 * upgraded, not from request to request.
 */
#include "metric_types.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "faultline/limits.h"
#include "intern.h"
#include "mem.h"

struct family {
    fl_sym name, unit;
    unsigned type;
    uint64_t version;
};

struct fl_metric_types {
    pthread_mutex_t lock; /* of all that follows */
    fl_intern *texts;
    struct family *families;
    size_t count, cap;
    uint32_t *by_name; /* 1 + index into families, by symbol; 0: none */
    size_t by_name_cap;
    /* Rises with each change. Changed under the lock; read without, so that a reader that knows
     * everything, which is nearly always so, waits for nobody. */
    _Atomic uint64_t version;
};

fl_status fl_metric_types_create(fl_metric_types **out, fl_error *err)
{
    *out = NULL;
    fl_metric_types *types = fl_mem_calloc(1, sizeof(*types));
    if (types == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    pthread_mutex_init(&types->lock, NULL);
    fl_status status = fl_intern_create(&types->texts, FL_MAX_NAME_BYTES, err);
    if (status != FL_OK) {
        fl_metric_types_destroy(types);
        return status;
    }
    *out = types;
    return FL_OK;
}

void fl_metric_types_destroy(fl_metric_types *types)
{
    if (types == NULL)
        return;
    fl_intern_destroy(types->texts);
    fl_mem_free(types->families);
    fl_mem_free(types->by_name);
    pthread_mutex_destroy(&types->lock);
    fl_mem_free(types);
}

/* Room for `wanted` items; the new ones are zero. False for want of memory: all is as it was. */
static bool grow(void **items, size_t *cap, size_t wanted, size_t size)
{
    size_t larger = *cap > 0 ? *cap : 256;
    while (larger < wanted)
        larger *= 2;
    if (larger == *cap)
        return true;
    unsigned char *grown = fl_mem_realloc(*items, larger, size);
    if (grown == NULL)
        return false;
    memset(grown + *cap * size, 0, (larger - *cap) * size);
    *items = grown;
    *cap = larger;
    return true;
}

/* The family's place, made where it is new; NULL over the limit and for want of memory. */
static struct family *place_of(fl_metric_types *types, fl_slice name)
{
    fl_sym symbol;
    assert(name.len > 0);
    if (fl_intern_put(&symbol, types->texts, name, NULL) != FL_OK)
        return NULL;
    void *index = types->by_name, *families = types->families;
    bool has_room = grow(&index, &types->by_name_cap, (size_t)symbol + 1, sizeof(uint32_t)) &&
                    types->count < FL_MAX_METRICS;
    types->by_name = index;
    if (symbol < types->by_name_cap && types->by_name[symbol] > 0)
        return &types->families[types->by_name[symbol] - 1];
    if (!has_room || !grow(&families, &types->cap, types->count + 1, sizeof(struct family)))
        return NULL;
    types->families = families;
    types->by_name[symbol] = (uint32_t)++types->count;
    struct family *made = &types->families[types->count - 1];
    made->name = symbol;
    return made;
}

void fl_metric_types_told(void *payload, const fl_prometheus_family *family)
{
    fl_metric_types *types = payload;
    fl_sym unit;
    assert(types != NULL && family != NULL);
    pthread_mutex_lock(&types->lock);
    struct family *place = place_of(types, family->name);
    if (place != NULL && fl_intern_put(&unit, types->texts, family->unit, NULL) == FL_OK &&
        (place->version == 0 || place->type != family->type || place->unit != unit)) {
        place->type = family->type;
        place->unit = unit;
        place->version = ++types->version;
    }
    pthread_mutex_unlock(&types->lock);
}

fl_status fl_metric_types_catch_up(fl_metric_types *types, fl_metric_types_seen *seen,
                                   fl_prometheus *reader, fl_error *err)
{
    fl_status status = FL_OK;
    assert(*seen <= types->version);
    if (*seen == atomic_load_explicit(&types->version, memory_order_acquire))
        return FL_OK;
    pthread_mutex_lock(&types->lock);
    for (size_t i = 0; i < types->count && status == FL_OK; i++) {
        const struct family *f = &types->families[i];
        if (f->version <= *seen)
            continue;
        fl_prometheus_family told = {.name = fl_intern_text(types->texts, f->name),
                                     .unit = fl_intern_text(types->texts, f->unit),
                                     .type = f->type};
        status = fl_prometheus_tell(reader, &told, err);
    }
    if (status == FL_OK)
        *seen = types->version;
    pthread_mutex_unlock(&types->lock);
    return status;
}
