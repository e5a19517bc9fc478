/*
 * names.c - symbols, entities and operations, numbered as they appear.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "hash.h"
#include "mem.h"
#include "slice.h"
#include "timeline_priv.h"

fl_status fl_tl_grow(void **items, size_t count, size_t size, fl_error *err)
{
    /* Full exactly when the count is 0 or a power of two from 64 on. */
    if (count != 0 && (count < 64 || (count & (count - 1)) != 0))
        return FL_OK;
    size_t capacity = count == 0 ? 64 : count * 2;
    void *grown = fl_mem_realloc(*items, capacity, size);
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu items of the timeline",
                       capacity);
    *items = grown;
    return FL_OK;
}

fl_slice fl_tl_cut(fl_slice text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && (text.ptr[max] & 0xC0) == 0x80)
        max--;
    return (fl_slice){.ptr = text.ptr, .len = max};
}

fl_status fl_tl_name(fl_sym *out, fl_timeline_builder *b, fl_slice text, fl_error *err)
{
    assert(out != NULL && b->names != NULL);
    fl_error quiet = {0};
    unsigned char shown[FL_MAX_NAME_LEN];
    text = fl_tl_cut(text, FL_MAX_NAME_LEN);
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL) { /* texts end with one later */
        for (size_t i = 0; i < text.len; i++)
            shown[i] = text.ptr[i] != '\0' ? text.ptr[i] : '?';
        text.ptr = shown;
    }
    fl_status status = fl_intern_put(out, b->names, text, &quiet);
    if (status == FL_E_LIMIT) {
        *out = FL_NO_INDEX;
        return FL_OK;
    }
    return status == FL_OK ? FL_OK : fl_fail(err, status, FL_NO_OFFSET, "%s", quiet.message);
}

/* The number under `key`, or the next one of *count with *added. */
static fl_status number_of(uint32_t *out, fl_map *map, uint64_t key, size_t count, bool *added,
                           fl_error *err)
{
    uint64_t *slot = NULL;
    fl_error quiet = {0};
    fl_status status = fl_map_slot(&slot, map, key, added, &quiet);
    if (status != FL_OK) {
        *out = FL_NO_INDEX;
        *added = false;
        return status == FL_E_LIMIT ? FL_OK
                                    : fl_fail(err, status, FL_NO_OFFSET, "%s", quiet.message);
    }
    if (*added)
        *slot = count;
    *out = (uint32_t)*slot;
    return FL_OK;
}

static bool is_known(const fl_timeline_builder *b, fl_slice text)
{
    fl_sym known;
    return fl_intern_find(&known, b->names, fl_tl_cut(text, FL_MAX_NAME_LEN));
}

/* Nothing is added, not even a name, when `may_add` is false. */
static fl_status number_entity(uint32_t *out, fl_timeline_builder *b, const fl_slice texts[3],
                               bool may_add, fl_error *err)
{
    fl_sym names[3];
    fl_status status = FL_OK;
    *out = FL_NO_INDEX;
    for (size_t i = 0; i < 3 && status == FL_OK; i++) {
        if (!may_add && !is_known(b, texts[i]))
            return FL_OK;
        status = fl_tl_name(&names[i], b, texts[i], err);
        if (status == FL_OK && names[i] == FL_NO_INDEX)
            return FL_OK;
    }
    if (status == FL_OK)
        status = fl_tl_grow((void **)&b->entities, b->entity_count, sizeof(*b->entities), err);
    if (status != FL_OK)
        return status;
    bool added = false;
    uint64_t hash =
        fl_hash_keyed((fl_slice){.ptr = (const unsigned char *)names, .len = sizeof(names)});
    if (!may_add && fl_map_find(b->entity_ids, hash) == NULL)
        return FL_OK;
    status = number_of(out, b->entity_ids, hash, b->entity_count, &added, err);
    if (added)
        b->entities[b->entity_count++] = (struct raw_entity){names[0], names[1], names[2]};
    return status;
}

fl_status fl_tl_entity(uint32_t *out, fl_timeline_builder *b, const fl_resource *resource,
                       fl_error *err)
{
    /* What the OpenTelemetry SDKs call a service without a name. */
    fl_slice service = resource->service.len > 0 ? resource->service : FL_SLICE("unknown_service");
    fl_slice whole[3] = {service, resource->instance, resource->node}, bare[3] = {service};
    fl_status status = number_entity(out, b, whole, b->entity_count < FL_MAX_ENTITIES, err);
    if (status == FL_OK && *out == FL_NO_INDEX)
        status = number_entity(out, b, bare, b->entity_count < 2 * FL_MAX_ENTITIES, err);
    return status;
}

static fl_status number_operation(uint32_t *out, fl_timeline_builder *b, fl_sym service,
                                  fl_slice name, bool may_add, fl_error *err)
{
    struct raw_operation op = {.service = service};
    *out = FL_NO_INDEX;
    if (!may_add && !is_known(b, name))
        return FL_OK;
    fl_status status = fl_tl_name(&op.name, b, name, err);
    if (status == FL_OK)
        status = fl_tl_grow((void **)&b->operations, b->operation_count, sizeof(op), err);
    if (status != FL_OK || op.name == FL_NO_INDEX)
        return status;
    bool added = false;
    uint64_t key = (uint64_t)op.service << 32 | op.name;
    if (!may_add && fl_map_find(b->operation_ids, key) == NULL)
        return FL_OK;
    status = number_of(out, b->operation_ids, key, b->operation_count, &added, err);
    if (added)
        b->operations[b->operation_count++] = op;
    return status;
}

fl_status fl_tl_operation(uint32_t *out, fl_timeline_builder *b, uint32_t entity, fl_slice name,
                          fl_error *err)
{
    assert(entity < b->entity_count);
    fl_sym service = b->entities[entity].service;
    fl_status status =
        number_operation(out, b, service, name, b->operation_count < FL_MAX_OPERATIONS, err);
    if (status == FL_OK && *out == FL_NO_INDEX) {
        b->over_budget++;
        status = number_operation(out, b, service, FL_SLICE("<other>"), true, err);
    }
    return status;
}

uint64_t fl_tl_trace_hash(fl_trace_id trace)
{
    return trace.hi == 0 && trace.lo == 0 ? 0 : fl_hash_mix(trace.hi ^ fl_hash_mix(trace.lo));
}
