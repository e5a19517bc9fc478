/*
 * heap_index_load.c - an index to a heap: the passes over the dump, but for what they would find.
 *
 * Names, classes and roots are read out of the dump again, at the places that the index has, so
 * that nothing that points anywhere is taken from it. Only the sections that a question needs are
 * looked at.
 */
#include <assert.h>
#include <string.h>

#include "heap_index_check.h"
#include "heap_index_format.h"
#include "mem.h"

typedef struct loading {
    fl_slice bytes;
    fl_flx_head head;
    fl_heap *heap;
} loading;

/* --- the head --- */

static fl_status stale(fl_error *err, const char *why)
{
    return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "the index %s", why);
}

/* First what the later checks rely on: that these are bytes of this version, as written. */
static fl_status read_head(loading *in, fl_error *err)
{
    fl_flx_head *head = &in->head;
    if (!fl_heap_index_is(in->bytes))
        return fl_fail(err, FL_E_SYNTAX, 0, "this is no index of a heap");
    if (in->bytes.len < offsetof(fl_flx_head, key))
        return fl_fail(err, FL_E_TRUNCATED, in->bytes.len, "the index ends inside its head");
    memcpy(head, in->bytes.ptr, offsetof(fl_flx_head, key));
    if (head->byte_order != FL_FLX_BYTE_ORDER)
        return stale(err, "was written on a machine with another byte order");
    if (head->version != FL_HEAP_INDEX_VERSION)
        return stale(err, "was written by another version of faultline");
    if (in->bytes.len < sizeof(*head))
        return fl_fail(err, FL_E_TRUNCATED, in->bytes.len, "the index ends inside its head");
    memcpy(head, in->bytes.ptr, sizeof(*head));
    fl_slice covered = {.ptr = in->bytes.ptr, .len = offsetof(fl_flx_head, sum)};
    if (fl_flx_sum(covered) != head->sum)
        return fl_fail(err, FL_E_SYNTAX, 0, "the head of the index is damaged");
    return FL_OK;
}

static fl_status check_key(const fl_flx_head *head, const fl_heap_index_question *question,
                           unsigned id_bytes, fl_error *err)
{
    const fl_heap_index_key *key = question->key;
    fl_heap_layout layout = question->options.layout;
    bool was_inferred = (head->flags & FL_FLX_INFERRED) != 0;
    bool weak_keeps = (head->flags & FL_FLX_WEAK_KEEPS) != 0;
    if (memcmp(head->key.program, key->program, sizeof(key->program)) != 0)
        return stale(err, "was written by another version of faultline");
    if (head->key.dump_bytes != key->dump_bytes || head->key.file_bytes != key->file_bytes ||
        head->key.mtime_ns != key->mtime_ns || head->id_bytes != id_bytes ||
        memcmp(head->key.sample, key->sample, sizeof(key->sample)) != 0)
        return stale(err, "belongs to another dump, or this one was changed since");
    if (layout == FL_HEAP_LAYOUT_INFER ? !was_inferred : head->layout != (uint32_t)layout)
        return stale(err, "was made with another --layout");
    if (weak_keeps != question->options.weak_keeps)
        return stale(err, weak_keeps ? "was made with --weak" : "was made without --weak");
    return FL_OK;
}

/* The numbers of the head, and that all sections lie in the file. */
static fl_status check_head(const loading *in, fl_error *err)
{
    const fl_flx_head *head = &in->head;
    if (head->layout <= FL_HEAP_LAYOUT_INFER || head->layout >= FL_HEAP_LAYOUT_COUNT ||
        (head->flags & ~(uint32_t)FL_FLX_FLAGS) != 0 || head->objects > FL_MAX_HEAP_OBJECTS ||
        head->count > head->objects || head->shift > 3 || head->damage_status > FL_E_STOPPED)
        return fl_fail(err, FL_E_SYNTAX, 0, "the head of the index is damaged");
    for (unsigned i = 0; i < FL_FLX_SECTIONS; i++) {
        const fl_flx_section *part = &head->sections[i];
        if (part->size != fl_flx_size((fl_flx_kind)i) || part->offset % FL_FLX_ALIGN != 0)
            return fl_fail(err, FL_E_SYNTAX, 0, "the head of the index is damaged");
        if (part->count > 0 && (part->offset > in->bytes.len ||
                                part->count > (in->bytes.len - part->offset) / part->size))
            return fl_fail(err, FL_E_TRUNCATED, in->bytes.len,
                           "the index ends before the end of its section '%s'",
                           fl_flx_name((fl_flx_kind)i));
    }
    return FL_OK;
}

/* The sentence is shown to people: it has no characters but those that ours have. */
static fl_status read_damage(fl_error *damage, const fl_flx_head *head, fl_error *err)
{
    *damage = (fl_error){.status = (fl_status)head->damage_status, .offset = head->damage_offset};
    _Static_assert(sizeof(damage->message) == sizeof(head->damage_text), "one is the other");
    for (size_t i = 0; i + 1 < sizeof(damage->message) && head->damage_text[i] != '\0'; i++) {
        char c = head->damage_text[i];
        if (c < ' ' || c > '~')
            return fl_fail(err, FL_E_SYNTAX, 0, "the head of the index is damaged");
        damage->message[i] = c;
    }
    return FL_OK;
}

/* --- sections --- */

static fl_status broken(fl_error *err, fl_flx_kind kind)
{
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "the section '%s' of the index is damaged",
                   fl_flx_name(kind));
}

/* The elements where they lie, once their checksum was right; *out is NULL where there are none.
 * `count` SIZE_MAX: any. */
static fl_status take(const void **out, const loading *in, fl_flx_kind kind, size_t count,
                      fl_error *err)
{
    const fl_flx_section *part = &in->head.sections[kind];
    *out = NULL;
    if (count != SIZE_MAX && part->count != count)
        return broken(err, kind);
    if (part->count == 0)
        return FL_OK;
    fl_slice bytes = {.ptr = in->bytes.ptr + part->offset, .len = part->count * part->size};
    assert(((uintptr_t)bytes.ptr & 7) == 0);
    if (fl_flx_sum(bytes) != part->sum)
        return broken(err, kind);
    *out = bytes.ptr;
    return FL_OK;
}

/* --- classes --- */

/* Numbers that memory is reserved by are bounded by that of the objects. */
static fl_status apply_classes(loading *in, fl_error *err)
{
    fl_census *census = in->heap->census;
    const void *items;
    uint64_t sum = 0;
    fl_status status = take(&items, in, FL_FLX_CLASSES, census->count, err);
    const fl_flx_class *rows = items;
    for (size_t i = 0; i < census->count && status == FL_OK; i++) {
        fl_census_entry *entry = &census->entries[i];
        if (rows[i].count > in->head.objects || rows[i].array_count > rows[i].count ||
            rows[i].reached > in->head.objects || rows[i].instance_bytes > UINT32_MAX)
            return broken(err, FL_FLX_CLASSES);
        sum += rows[i].count;
        entry->facts.count = rows[i].count;
        entry->facts.bytes = rows[i].bytes;
        entry->array_count = rows[i].array_count;
        entry->facts.instance_bytes = (uint32_t)rows[i].instance_bytes;
        if (in->heap->options.without_tree)
            continue;
        entry->facts.reached = rows[i].reached;
        entry->facts.reached_bytes = rows[i].reached_bytes;
        entry->facts.retained_bytes = rows[i].retained_bytes;
    }
    if (status == FL_OK && sum > in->head.objects)
        return broken(err, FL_FLX_CLASSES);
    return status;
}

static fl_status load_classes(loading *in, fl_error *err)
{
    const fl_flx_head *head = &in->head;
    const void *items;
    fl_status status = take(&items, in, FL_FLX_PLACES, SIZE_MAX, err);
    if (status == FL_OK)
        status = fl_census_replay(&in->heap->census, &in->heap->source, items,
                                  (size_t)head->sections[FL_FLX_PLACES].count,
                                  (fl_heap_layout)head->layout, err);
    if (status == FL_OK)
        status = apply_classes(in, err);
    if (status != FL_OK)
        return status;
    in->heap->census->totals = (fl_census_totals){.objects = head->objects,
                                                  .bytes = head->bytes,
                                                  .min_id = head->min_id,
                                                  .max_id = head->max_id,
                                                  .id_bits = head->id_bits,
                                                  .layout = (fl_heap_layout)head->layout};
    in->heap->no_roots = (head->flags & FL_FLX_NO_ROOTS) != 0;
    return FL_OK;
}

/* --- objects --- */

/* Casts away const: a heap's arrays are not written to once it is made. */
static fl_status map_array(void *member, const loading *in, fl_flx_kind kind, size_t count,
                           fl_error *err)
{
    const void *items;
    fl_status status = take(&items, in, kind, count, err);
    if (status == FL_OK)
        memcpy(member, &items, sizeof(items));
    return status;
}

static fl_status load_ids(loading *in, fl_error *err)
{
    fl_heap_ids *ids = &in->heap->ids;
    const fl_flx_head *head = &in->head;
    size_t words = (size_t)head->sections[FL_FLX_WORDS].count;
    *ids = (fl_heap_ids){.base = head->base, .shift = head->shift, .count = head->count};
    fl_status status = map_array(&ids->words, in, FL_FLX_WORDS, words, err);
    ids->word_count = words;
    if (status == FL_OK)
        status = map_array(&ids->runs, in, FL_FLX_RUNS, fl_heap_ids_run_count(ids), err);
    if (status == FL_OK)
        status = map_array(&ids->sorted, in, FL_FLX_SORTED, words > 0 ? 0 : head->count, err);
    if (status == FL_OK && !fl_heap_ids_are_sound(ids))
        status = broken(err, words > 0 ? FL_FLX_WORDS : FL_FLX_SORTED);
    return status;
}

static fl_status load_objects(loading *in, fl_error *err)
{
    fl_heap *heap = in->heap;
    size_t count = heap->ids.count;
    fl_status status = map_array(&heap->class_of, in, FL_FLX_CLASS_OF, count, err);
    if (status == FL_OK && !fl_heap_classes_are_sound(heap))
        status = broken(err, FL_FLX_CLASS_OF);
    if (status == FL_OK)
        status = map_array(&heap->offset_low, in, FL_FLX_OFFSET_LOW, count, err);
    if (status == FL_OK && in->head.sections[FL_FLX_OFFSET_HIGH].count > 0)
        status = map_array(&heap->offset_high, in, FL_FLX_OFFSET_HIGH, count, err);
    return status;
}

static fl_status load_tree(loading *in, fl_error *err)
{
    fl_heap *heap = in->heap;
    size_t count = heap->ids.count, kids = (size_t)in->head.sections[FL_FLX_KIDS].count;
    fl_status status = map_array(&heap->idom, in, FL_FLX_IDOM, count, err);
    bool is_wide = in->head.sections[FL_FLX_RETAINED].count == 0;
    if (status == FL_OK)
        status = map_array(&heap->retained, in, FL_FLX_RETAINED, is_wide ? 0 : count, err);
    if (status == FL_OK)
        status =
            map_array(&heap->retained_wide, in, FL_FLX_RETAINED_WIDE, is_wide ? count : 0, err);
    if (status == FL_OK)
        status = map_array(&heap->kid_starts, in, FL_FLX_KID_STARTS, count + 2, err);
    if (status == FL_OK)
        status = map_array(&heap->kids, in, FL_FLX_KIDS, kids, err);
    if (status == FL_OK && count > 0 && !fl_heap_tree_is_sound(heap, kids))
        status = broken(err, FL_FLX_KIDS);
    return status;
}

/* As fl_heap_create() has it, with each pass over the dump left out. */
static fl_status load_heap(loading *in, fl_error *err)
{
    fl_heap *heap = in->heap;
    fl_status status = load_ids(in, err);
    if (status == FL_OK) {
        fl_heap_name_objects(heap);
        status = fl_heap_plan_all(heap, err);
    }
    if (status == FL_OK)
        status = fl_heap_take_roots(heap, err);
    if (status == FL_OK)
        status = load_objects(in, err);
    if (status == FL_OK && !heap->options.without_tree)
        status = load_tree(in, err);
    return status;
}

fl_status fl_heap_index_load(fl_heap **out, fl_error *damage, fl_slice bytes,
                             const fl_heap_index_question *question, const fl_heap_source *source,
                             fl_error *err)
{
    loading in = {.bytes = bytes};
    *out = NULL;
    fl_status status = read_head(&in, err);
    if (status == FL_OK)
        status = check_key(&in.head, question, source->id_bytes, err);
    if (status == FL_OK)
        status = check_head(&in, err);
    if (status == FL_OK)
        status = read_damage(damage, &in.head, err);
    if (status != FL_OK)
        return status;
    in.heap = fl_mem_calloc(1, sizeof(*in.heap));
    if (in.heap == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    in.heap->source = *source;
    in.heap->options = question->options;
    in.heap->is_mapped = true;
    status = load_classes(&in, err);
    if (status == FL_OK && !question->classes_only)
        status = load_heap(&in, err);
    if (status == FL_OK)
        *out = in.heap;
    else
        fl_heap_destroy(in.heap);
    return status;
}
