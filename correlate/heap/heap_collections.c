/*
 * heap_collections.c - the table of what is known of Java's collections, and what their arrays and
 * chains have.
 *
 * A chain is entries linked by `next`; in a ConcurrentHashMap a slot may hold a TreeBin, whose
 * chain begins at `first`. Trees of a HashMap keep `next` besides.
 *
 * Fill. Slots of an array are looked at, not the collection's own count: a list that was emptied by
 * remove() has nulls behind its size, one that was cleared by setting its size has not. What an
 * empty slot costs is a reference of the layout; the array's header is not counted as lost, since a
 * collection of any size has it.
 *
 * Spread. With hashes that spread, the number of entries in a slot follows a Poisson distribution
 * whose mean is at most the load factor (0.75): a chain of FL_HEAP_LONG_CHAIN is then as good as
 * never seen, and entries in such chains are what a poor hashCode() costs.
 *
 * Keys. The same object twice among the keys of one map is proof that it changed after it was put
 * there: it was put under its old hash, and not found under the new one. Equal keys, that is of one
 * class with the same values in all fields, Strings and numbers in them compared by value, are what
 * a map never holds twice whose keys have equals() and hashCode().
 */
#include "heap_collections.h"

#include <assert.h>
#include <string.h>

#include "hash.h"
#include "heap_layout.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"

static const fl_heap_collection_class INFOS[] = {
    {"java.lang.ThreadLocal$ThreadLocalMap", FL_HEAP_OPEN, "size", "table", true},
    {"java.util.ArrayDeque", FL_HEAP_LIST, NULL, "elements", false},
    {"java.util.ArrayList", FL_HEAP_LIST, "size", "elementData", false},
    {"java.util.HashMap", FL_HEAP_CHAINED, "size", "table", true},
    {"java.util.Hashtable", FL_HEAP_CHAINED, "count", "table", true},
    {"java.util.IdentityHashMap", FL_HEAP_OPEN, "size", "table", true},
    {"java.util.LinkedList", FL_HEAP_LINKED, "size", NULL, false},
    {"java.util.PriorityQueue", FL_HEAP_LIST, "size", "queue", false},
    {"java.util.TreeMap", FL_HEAP_LINKED, "size", NULL, true},
    {"java.util.Vector", FL_HEAP_LIST, "elementCount", "elementData", false},
    {"java.util.WeakHashMap", FL_HEAP_CHAINED, "size", "table", true},
    {"java.util.concurrent.ArrayBlockingQueue", FL_HEAP_LIST, "count", "items", false},
    {"java.util.concurrent.ConcurrentHashMap", FL_HEAP_CHAINED, "baseCount", "table", true},
    {"java.util.concurrent.CopyOnWriteArrayList", FL_HEAP_LIST, NULL, "array", false},
    {"java.util.concurrent.LinkedBlockingDeque", FL_HEAP_LINKED, "count", NULL, false},
    {"java.util.concurrent.LinkedBlockingQueue", FL_HEAP_LINKED, "count", NULL, false},
    {"java.util.concurrent.PriorityBlockingQueue", FL_HEAP_LIST, "size", "queue", false},
};
enum { INFO_COUNT = sizeof(INFOS) / sizeof(INFOS[0]) };

/* Fewer equal keys say nothing: values that happen to be alike. */
enum { MIN_KEYS = 16, MAX_SUPER_CLASSES = 256 };

typedef struct collect {
    const fl_heap *heap;
    fl_heap_collections *out;
    uint8_t *info_of;    /* class: row of the table, or INFO_COUNT */
    uint64_t steps;      /* that chains, and arrays that others have too, may still be followed */
    unsigned char *seen; /* arrays: a bit an object */
    fl_keyed *keys;      /* of the map that is looked at, and as much room behind */
    size_t key_count, key_cap;
} collect;

size_t fl_heap_collection_info_count(void)
{
    return INFO_COUNT;
}

const fl_heap_collection_class *fl_heap_collection_info(uint32_t row)
{
    assert(row < INFO_COUNT);
    return &INFOS[row];
}

unsigned fl_heap_fill_step(const fl_heap_collection *collection)
{
    assert(collection != NULL && collection->used <= collection->capacity);
    if (collection->used == 0)
        return 0;
    uint64_t fifths = (5 * (uint64_t)collection->used + collection->capacity - 1);
    return (unsigned)(fifths / collection->capacity);
}

/* ---- fields ---- */

static uint8_t info_of_class(const fl_heap *heap, uint32_t index)
{
    assert(INFO_COUNT <= UINT8_MAX);
    for (int i = 0; index != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        const fl_heap_class *class = fl_heap_class_at(heap, index);
        for (uint8_t k = 0; k < INFO_COUNT; k++)
            if (fl_slice_equal(class->name, fl_slice_of(INFOS[k].name)))
                return k;
        index = class->super;
    }
    return INFO_COUNT;
}

/* A field's number; of an AtomicInteger or a LongAdder's cell, the one inside. */
static uint64_t number_of(const fl_heap *heap, fl_heap_object object, const char *name)
{
    assert(name != NULL);
    fl_heap_type type;
    uint64_t bits;
    for (int depth = 0; depth < 2; depth++) {
        if (!fl_heap_field(heap, object, fl_slice_of(name), &type, &bits))
            return 0;
        if (type != FL_HEAP_REFERENCE)
            return (int64_t)bits > 0 ? bits : 0;
        object = fl_heap_find(heap, bits);
        if (object == FL_HEAP_NONE)
            return 0;
        name = "value";
    }
    return 0;
}

/* The object in a slot of an array of references; FL_HEAP_NONE where it is null. */
static fl_heap_object slot_at(const fl_heap *heap, const fl_heap_item *array, uint32_t i)
{
    assert(i < array->count && array->kind == FL_HEAP_ITEM_OBJECTS);
    uint64_t width = array->body.len / array->count;
    uint64_t id = fl_heap_value(heap, array, FL_HEAP_REFERENCE, i * width);
    return id == 0 ? FL_HEAP_NONE : fl_heap_find(heap, id);
}

/* What a map counts beside its baseCount when threads meet. */
static uint64_t count_cells(const fl_heap *heap, fl_heap_object map)
{
    fl_heap_item cells;
    uint64_t sum = 0;
    fl_heap_object array = fl_heap_follow(heap, map, "counterCells");
    if (array == FL_HEAP_NONE || !fl_heap_item_of(heap, array, &cells) ||
        cells.kind != FL_HEAP_ITEM_OBJECTS)
        return 0;
    for (uint32_t i = 0; i < cells.count; i++) {
        fl_heap_object cell = slot_at(heap, &cells, i);
        sum += cell == FL_HEAP_NONE ? 0 : number_of(heap, cell, "value");
    }
    return sum;
}

/* ---- keys ---- */

static bool is_boxed_or_text(const fl_heap *heap, uint32_t class_index)
{
    assert(class_index < fl_heap_class_count(heap));
    static const char *const names[] = {
        "java.lang.String", "java.lang.Integer", "java.lang.Long",
        "java.lang.Short",  "java.lang.Byte",    "java.lang.Character",
        "java.lang.Double", "java.lang.Float",   "java.lang.Boolean"};
    fl_slice name = fl_heap_class_at(heap, class_index)->name;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (fl_slice_equal(name, fl_slice_of(names[i])))
            return true;
    return false;
}

/* Of what a key refers to: texts and numbers by value, anything else by its identity. */
static uint64_t hash_of_part(const fl_heap *heap, uint64_t id)
{
    char text[256];
    fl_heap_type type;
    uint64_t bits;
    fl_heap_object object = id == 0 ? FL_HEAP_NONE : fl_heap_find(heap, id);
    if (object == FL_HEAP_NONE || !is_boxed_or_text(heap, fl_heap_class_of(heap, object)))
        return fl_hash_mix(id);
    if (fl_heap_string(heap, object, text, sizeof(text)))
        return fl_hash_stable(fl_slice_of(text));
    return fl_heap_field(heap, object, FL_SLICE("value"), &type, &bits) ? fl_hash_mix(bits + 1)
                                                                        : fl_hash_mix(id);
}

/* Over all fields, those of super classes included; *fields gets how many there are. */
static uint64_t hash_of_fields(const fl_heap *heap, fl_heap_object key, uint32_t *fields)
{
    assert(fields != NULL);
    fl_heap_item item;
    uint32_t index = fl_heap_class_of(heap, key);
    const uint32_t bytes = fl_heap_class_at(heap, index)->value_bytes;
    uint64_t hash = fl_hash_mix(index + 1);
    *fields = 0;
    if (!fl_heap_item_of(heap, key, &item) || item.kind != FL_HEAP_ITEM_INSTANCE ||
        item.body.len < bytes)
        return hash;
    for (int i = 0; index != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        const fl_heap_class *class = fl_heap_class_at(heap, index);
        for (uint32_t k = 0; k < class->field_count; k++) {
            const fl_heap_member *field = &class->fields[k];
            uint64_t value =
                fl_heap_value(heap, &item, field->type, bytes - class->value_bytes + field->at);
            if (field->type == FL_HEAP_REFERENCE)
                value = hash_of_part(heap, value);
            hash = fl_hash_mix(hash ^ fl_hash_mix(value + 1));
            (*fields)++;
        }
        index = class->super;
    }
    return hash;
}

/* Keys of the JDK have equals() where they should; enumerations and classes are there once. */
static bool is_own_class(const fl_heap *heap, uint32_t index)
{
    const fl_heap_class *class = fl_heap_class_at(heap, index);
    static const char *const others[] = {"java.", "javax.", "jdk.", "sun.", "com.sun."};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (fl_slice_starts_with(class->name, fl_slice_of(others[i])))
            return false;
    if (class->is_array)
        return false;
    for (int i = 0; class->super != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        class = fl_heap_class_at(heap, class->super);
        if (fl_slice_equal(class->name, FL_SLICE("java.lang.Enum")))
            return false;
    }
    return true;
}

/* Of sorted items, those that have an equal neighbour. */
static uint64_t count_repeated(const fl_keyed *items, size_t count)
{
    assert(items != NULL || count == 0);
    uint64_t repeated = 0;
    for (size_t i = 0; i < count; i++) {
        bool as_before = i > 0 && items[i].key == items[i - 1].key;
        bool as_behind = i + 1 < count && items[i].key == items[i + 1].key;
        repeated += as_before || as_behind;
    }
    return repeated;
}

/* First by identity, then, each key once, by what is in its fields. */
static void judge_keys(collect *c, fl_heap_collection *row)
{
    assert(c->key_count <= c->key_cap);
    if (c->key_count < MIN_KEYS)
        return;
    fl_keyed *keys = c->keys, *room = c->keys + c->key_cap;
    fl_sort_keyed(keys, room, c->key_count);
    row->same_keys = count_repeated(keys, c->key_count);
    size_t kept = 0;
    for (size_t i = 0; i < c->key_count; i++) {
        uint32_t fields;
        fl_heap_object key = (fl_heap_object)keys[i].key;
        bool is_again = i > 0 && keys[i - 1].index == key;
        keys[i].index = key;
        if (is_again || !is_own_class(c->heap, fl_heap_class_of(c->heap, key)))
            continue;
        uint64_t hash = hash_of_fields(c->heap, key, &fields);
        if (fields > 0)
            room[kept++].key = hash;
    }
    memcpy(keys, room, kept * sizeof(*keys));
    fl_sort_keyed(keys, room, kept);
    row->equal_keys = count_repeated(keys, kept);
}

/* Of a WeakHashMap the key is a referent, and not looked at. */
static bool add_key(collect *c, fl_heap_object entry)
{
    assert(c->key_count <= c->key_cap);
    fl_heap_object key = fl_heap_follow(c->heap, entry, "key");
    if (key == FL_HEAP_NONE)
        return true;
    if (c->key_count == c->key_cap) {
        size_t cap = c->key_cap == 0 ? 1024 : 2 * c->key_cap;
        fl_keyed *keys = fl_mem_realloc(c->keys, 2 * cap, sizeof(*keys));
        if (keys == NULL)
            return false;
        c->keys = keys;
        c->key_cap = cap;
    }
    c->keys[c->key_count++] = (fl_keyed){.key = key};
    return true;
}

/* ---- arrays and chains ---- */

static bool follow_chain(collect *c, fl_heap_collection *row, fl_heap_object entry)
{
    assert(INFOS[row->info].kind == FL_HEAP_CHAINED);
    uint64_t length = 0;
    fl_heap_object first = fl_heap_follow(c->heap, entry, "first");
    if (first != FL_HEAP_NONE)
        entry = first;
    while (entry != FL_HEAP_NONE && c->steps > 0) {
        c->steps--;
        length++;
        if (!add_key(c, entry))
            return false;
        entry = fl_heap_follow(c->heap, entry, "next");
    }
    row->entries += length;
    row->longest = length > row->longest ? length : row->longest;
    row->in_long += length >= FL_HEAP_LONG_CHAIN ? length : 0;
    return true;
}

/* Each array is looked at once for nothing; real collections do not share them, so that a dump that
 * was made to cost time pays for more of them out of the steps. */
static bool may_look(collect *c, fl_heap_object array, uint32_t slots)
{
    assert(array < fl_heap_count(c->heap));
    unsigned char bit = (unsigned char)(1u << array % 8);
    bool is_first = (c->seen[array / 8] & bit) == 0;
    c->seen[array / 8] |= bit;
    if (!is_first && c->steps < slots)
        return false;
    c->steps -= is_first ? 0 : slots;
    return true;
}

/* Slots that are null, those that are not, and the chains behind them. */
static bool look_at_array(collect *c, fl_heap_collection *row, fl_heap_object array)
{
    assert(row->info < INFO_COUNT);
    fl_heap_item item;
    bool is_chained = INFOS[row->info].kind == FL_HEAP_CHAINED;
    if (!fl_heap_item_of(c->heap, array, &item) || item.kind != FL_HEAP_ITEM_OBJECTS ||
        !may_look(c, array, item.count))
        return true;
    row->capacity = item.count;
    for (uint32_t i = 0; i < item.count; i++) {
        fl_heap_object slot = slot_at(c->heap, &item, i);
        if (slot == FL_HEAP_NONE)
            continue;
        row->used++;
        if (is_chained && !follow_chain(c, row, slot))
            return false;
    }
    unsigned slot_bytes = fl_heap_shape_of(fl_heap_layout_of(c->heap)).reference_bytes;
    row->empty_bytes = (uint64_t)(item.count - row->used) * slot_bytes;
    return true;
}

/* Each collection also counts for its row of the table. */
static void add_to_sum(collect *c, const fl_heap_collection *row)
{
    assert(row->info < INFO_COUNT);
    fl_heap_collection_sum *sum = &c->out->sums[row->info];
    sum->count++;
    sum->entries += row->size;
    sum->empty_bytes += row->empty_bytes;
    sum->empty_count += row->size == 0;
    sum->without_array += row->size == 0 && row->capacity == 0;
    if (row->capacity > 0)
        sum->fill[fl_heap_fill_step(row)]++;
}

/* One collection, from its fields to a row. */
static bool look_at(collect *c, fl_heap_object object, uint8_t info)
{
    assert(info < INFO_COUNT);
    const fl_heap_collection_class *class = &INFOS[info];
    fl_heap_collections *out = c->out;
    fl_heap_collection row = {.object = object, .info = info};
    fl_heap_object array =
        class->array != NULL ? fl_heap_follow(c->heap, object, class->array) : FL_HEAP_NONE;
    c->key_count = 0;
    if (array != FL_HEAP_NONE && !look_at_array(c, &row, array))
        return false;
    row.size = class->size != NULL ? number_of(c->heap, object, class->size) : row.used;
    row.size += class->kind == FL_HEAP_CHAINED ? count_cells(c->heap, object) : 0;
    judge_keys(c, &row);
    add_to_sum(c, &row);
    if (out->count == out->cap) {
        size_t cap = out->cap == 0 ? 256 : 2 * out->cap;
        fl_heap_collection *rows = fl_mem_realloc(out->rows, cap, sizeof(*rows));
        if (rows == NULL)
            return false;
        out->rows = rows;
        out->cap = cap;
    }
    out->rows[out->count++] = row;
    return true;
}

fl_status fl_heap_collections_find(fl_heap_collections *out, const fl_heap *heap, fl_error *err)
{
    assert(out != NULL && heap != NULL);
    *out = (fl_heap_collections){0};
    uint32_t classes = (uint32_t)fl_heap_class_count(heap);
    fl_heap_object count = (fl_heap_object)fl_heap_count(heap);
    collect c = {.heap = heap, .out = out, .steps = 4 * (uint64_t)count};
    c.info_of = fl_mem_alloc((size_t)classes + 1);
    out->sums = fl_mem_calloc(INFO_COUNT, sizeof(*out->sums));
    c.seen = fl_mem_calloc((size_t)count / 8 + 1, 1);
    bool is_done = c.info_of != NULL && out->sums != NULL && c.seen != NULL;
    for (uint32_t i = 0; is_done && i < classes; i++)
        c.info_of[i] = info_of_class(heap, i);
    for (fl_heap_object i = 0; is_done && i < count; i++) {
        uint8_t info = c.info_of[fl_heap_class_of(heap, i)];
        is_done = info == INFO_COUNT || look_at(&c, i, info);
    }
    fl_mem_free(c.info_of);
    fl_mem_free(c.seen);
    fl_mem_free(c.keys);
    return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
}

void fl_heap_collections_dispose(fl_heap_collections *collections)
{
    assert(collections != NULL);
    fl_mem_free(collections->rows);
    fl_mem_free(collections->sums);
    *collections = (fl_heap_collections){0};
}
