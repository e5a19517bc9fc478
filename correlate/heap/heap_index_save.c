/*
 * heap_index_save.c - a heap to the bytes of its index: the sections, then the head that has their
 * checksums, so that an index that was not finished has none.
 */
#include <assert.h>
#include <string.h>

#include "hash.h"
#include "heap_index_check.h"
#include "heap_index_format.h"
#include "mem.h"

enum { BATCH = 256 };

static const struct {
    const char *name;
    uint32_t size;
} SECTIONS[FL_FLX_SECTIONS] = {
    [FL_FLX_PLACES] = {"places", 8},
    [FL_FLX_CLASSES] = {"classes", sizeof(fl_flx_class)},
    [FL_FLX_WORDS] = {"words", 16},
    [FL_FLX_RUNS] = {"runs", 4},
    [FL_FLX_SORTED] = {"sorted", 8},
    [FL_FLX_CLASS_OF] = {"class_of", 4},
    [FL_FLX_OFFSET_LOW] = {"offset_low", 4},
    [FL_FLX_OFFSET_HIGH] = {"offset_high", 1},
    [FL_FLX_IDOM] = {"idom", 4},
    [FL_FLX_RETAINED] = {"retained", 4},
    [FL_FLX_RETAINED_WIDE] = {"retained_wide", 8},
    [FL_FLX_KID_STARTS] = {"kid_starts", 4},
    [FL_FLX_KIDS] = {"kids", 4},
};
_Static_assert(sizeof(fl_heap_ids_word) == 16, "as the table has it");

/* Eight lanes, which a processor works on at once: in each, a word is mixed in by steps that can be
 * undone, so that two states that differ go on differing while the words are equal. */
uint64_t fl_flx_sum(fl_slice bytes)
{
    enum { LANES = 8, BLOCK = LANES * 8 };
    const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio, odd */
    uint64_t lanes[LANES], words[LANES], sum = bytes.len;
    for (unsigned i = 0; i < LANES; i++)
        lanes[i] = i;
    for (size_t at = 0; at < bytes.len; at += BLOCK) {
        size_t left = bytes.len - at;
        if (left < BLOCK)
            memset(words, 0, sizeof(words));
        memcpy(words, bytes.ptr + at, left < BLOCK ? left : BLOCK);
        for (unsigned i = 0; i < LANES; i++) {
            uint64_t mixed = (lanes[i] ^ words[i]) * prime;
            lanes[i] = mixed << 29 | mixed >> 35;
        }
    }
    for (unsigned i = 0; i < LANES; i++)
        sum = fl_hash_mix(sum ^ lanes[i]);
    return sum;
}

uint32_t fl_flx_size(fl_flx_kind kind)
{
    assert(kind < FL_FLX_SECTIONS);
    return SECTIONS[kind].size;
}

const char *fl_flx_name(fl_flx_kind kind)
{
    assert(kind < FL_FLX_SECTIONS);
    return SECTIONS[kind].name;
}

bool fl_heap_index_is(fl_slice bytes)
{
    return bytes.len >= FL_FLX_MAGIC_BYTES &&
           memcmp(bytes.ptr, FL_FLX_MAGIC, FL_FLX_MAGIC_BYTES) == 0;
}

typedef struct places {
    uint64_t *items;
    size_t count, cap;
} places;

/* One more pass over the dump: where what is no object stands. */
static bool find_places(places *out, const fl_heap_source *source)
{
    fl_heap_item batch[BATCH];
    source->rewind(source->payload);
    for (size_t count = 1; count > 0;) {
        count = source->read(source->payload, batch, BATCH);
        for (size_t i = 0; i < count; i++) {
            fl_heap_item_kind kind = batch[i].kind;
            if (kind >= FL_HEAP_ITEM_INSTANCE)
                continue;
            bool is_record = kind != FL_HEAP_ITEM_ROOT && kind != FL_HEAP_ITEM_CLASS;
            uint64_t *grown =
                fl_census_grow(out->items, out->count, &out->cap, sizeof(*out->items));
            if (grown == NULL)
                return false;
            out->items = grown;
            grown[out->count++] = batch[i].offset << 1 | (is_record ? 1 : 0);
        }
    }
    return true;
}

static fl_flx_class *list_classes(const fl_heap *heap)
{
    const fl_census *census = heap->census;
    fl_flx_class *rows = fl_mem_calloc(census->count, sizeof(*rows));
    for (size_t i = 0; i < census->count && rows != NULL; i++) {
        const fl_heap_class *facts = &census->entries[i].facts;
        rows[i] = (fl_flx_class){.count = facts->count,
                                 .bytes = facts->bytes,
                                 .array_count = census->entries[i].array_count,
                                 .instance_bytes = facts->instance_bytes,
                                 .reached = facts->reached,
                                 .reached_bytes = facts->reached_bytes,
                                 .retained_bytes = facts->retained_bytes};
    }
    return rows;
}

/* All that the head says but for the sections. */
static fl_flx_head head_of(const fl_heap *heap, const fl_heap_index_key *key,
                           const fl_error *damage)
{
    const fl_census_totals *totals = &heap->census->totals;
    bool is_inferred = heap->options.layout == FL_HEAP_LAYOUT_INFER;
    fl_flx_head head = {.version = FL_HEAP_INDEX_VERSION,
                        .byte_order = FL_FLX_BYTE_ORDER,
                        .key = *key,
                        .id_bytes = heap->source.id_bytes,
                        .layout = (uint32_t)totals->layout,
                        .shift = heap->ids.shift,
                        .objects = totals->objects,
                        .bytes = totals->bytes,
                        .min_id = totals->min_id,
                        .max_id = totals->max_id,
                        .id_bits = totals->id_bits,
                        .base = heap->ids.base,
                        .count = heap->ids.count};
    memcpy(head.magic, FL_FLX_MAGIC, FL_FLX_MAGIC_BYTES);
    head.flags = (is_inferred ? FL_FLX_INFERRED : 0u) |
                 (heap->options.weak_keeps ? FL_FLX_WEAK_KEEPS : 0u) |
                 (heap->no_roots ? FL_FLX_NO_ROOTS : 0u);
    if (damage != NULL) {
        head.damage_status = (uint32_t)damage->status;
        head.damage_offset = damage->offset;
        memcpy(head.damage_text, damage->message, strnlen(damage->message, 191));
    }
    return head;
}

/* Behind the last one. */
static fl_status put_section(fl_flx_head *head, fl_flx_kind kind, const void *items, size_t count,
                             const fl_heap_index_sink *sink, fl_error *err)
{
    uint64_t end = sizeof(*head);
    if (kind > 0)
        end = head->sections[kind - 1].offset +
              head->sections[kind - 1].count * head->sections[kind - 1].size;
    fl_slice bytes = {.ptr = items, .len = count * fl_flx_size(kind)};
    head->sections[kind] =
        (fl_flx_section){.offset = (end + FL_FLX_ALIGN - 1) / FL_FLX_ALIGN * FL_FLX_ALIGN,
                         .count = count,
                         .size = fl_flx_size(kind),
                         .sum = fl_flx_sum(bytes)};
    return bytes.len > 0 ? sink->put(sink->payload, head->sections[kind].offset, bytes, err)
                         : FL_OK;
}

static fl_status put_all(fl_flx_head *head, const fl_heap *heap, const places *found,
                         const fl_flx_class *classes, const fl_heap_index_sink *sink, fl_error *err)
{
    size_t count = heap->ids.count;
    const struct {
        const void *items;
        size_t count;
    } parts[FL_FLX_SECTIONS] = {
        [FL_FLX_PLACES] = {found->items, found->count},
        [FL_FLX_CLASSES] = {classes, heap->census->count},
        [FL_FLX_WORDS] = {heap->ids.words, heap->ids.words != NULL ? heap->ids.word_count : 0},
        [FL_FLX_RUNS] = {heap->ids.runs, fl_heap_ids_run_count(&heap->ids)},
        [FL_FLX_SORTED] = {heap->ids.sorted, heap->ids.words != NULL ? 0 : count},
        [FL_FLX_CLASS_OF] = {heap->class_of, count},
        [FL_FLX_OFFSET_LOW] = {heap->offset_low, count},
        [FL_FLX_OFFSET_HIGH] = {heap->offset_high, heap->offset_high != NULL ? count : 0},
        [FL_FLX_IDOM] = {heap->idom, count},
        [FL_FLX_RETAINED] = {heap->retained, heap->retained != NULL ? count : 0},
        [FL_FLX_RETAINED_WIDE] = {heap->retained_wide, heap->retained != NULL ? 0 : count},
        [FL_FLX_KID_STARTS] = {heap->kid_starts, count + 2},
        [FL_FLX_KIDS] = {heap->kids, heap->kid_starts[count + 1]},
    };
    fl_status status = FL_OK;
    for (unsigned i = 0; i < FL_FLX_SECTIONS && status == FL_OK; i++)
        status = put_section(head, (fl_flx_kind)i, parts[i].items, parts[i].count, sink, err);
    if (status != FL_OK)
        return status;
    fl_slice bytes = {.ptr = (const unsigned char *)head, .len = offsetof(fl_flx_head, sum)};
    head->sum = fl_flx_sum(bytes);
    bytes.len = sizeof(*head);
    return sink->put(sink->payload, 0, bytes, err);
}

fl_status fl_heap_index_save(const fl_heap *heap, const fl_heap_index_key *key,
                             const fl_error *damage, const fl_heap_index_sink *sink, fl_error *err)
{
    places found = {0};
    assert(heap->idom != NULL && !heap->is_mapped);
    if (!fl_heap_tree_is_sound(heap, heap->kid_starts[heap->ids.count + (size_t)1]))
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "the heap has objects of no size, which an index cannot have");
    fl_flx_class *classes = list_classes(heap);
    fl_flx_head head = head_of(heap, key, damage);
    fl_status status = FL_OK;
    if (classes == NULL || !find_places(&found, &heap->source))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the index");
    if (status == FL_OK)
        status = put_all(&head, heap, &found, classes, sink, err);
    fl_mem_free(classes);
    fl_mem_free(found.items);
    return status;
}
