/*
 * heap_faults.c - from figures to faults: each rule looks at one collection, one ThreadLocal, or
 * all texts together.
 */
#include "heap_faults.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "heap_strays.h"
#include "mem.h"
#include "slice.h"

/* Smaller maps are no leak, whatever their keys. */
enum { MIN_ENTRIES = 100 };
/* Of a map's entries: alike by their fields; in long chains. */
static const double MIN_ALIKE = 0.5, MIN_IN_LONG = 0.05;
/* Of the heap: lost to equal texts; kept by one ThreadLocal. */
static const double MIN_TEXTS = 0.05, MIN_LOCALS = 0.1;
/* A pool has several threads that do the same. */
enum { MIN_THREADS = 4 };
/* Entries that stand under a hash that their key has not any more. */
enum { MIN_STRAYS = 16 };
static const double MIN_ASTRAY = 0.05;

static const struct {
    const char *name, *hint;
} KINDS[FL_HEAP_FAULT_KIND_COUNT] = {
    [FL_HEAP_KEYS_WITHOUT_EQUALS] = {"keys-without-equals",
                                     "give the key's class equals() and hashCode() over its fields "
                                     "(a record has them), so that a look-up finds what was put"},
    [FL_HEAP_KEYS_CHANGED] = {"keys-changed",
                              "make the key's fields final: an entry whose key changed stays under "
                              "its old hash and can be neither found nor removed"},
    [FL_HEAP_HASHES_COLLIDE] = {"hashes-collide",
                                "let the key's hashCode() depend on all that tells keys apart; "
                                "keys that outsiders choose need Comparable or a keyed hash"},
    [FL_HEAP_LOCALS_IN_POOL] = {"thread-local-in-pool",
                                "call remove() in a finally block where the value was set: threads "
                                "of a pool do not end"},
    [FL_HEAP_TEXTS_REPEATED] = {"repeated-texts",
                                "keep one String of each text where it is read (a small map, or "
                                "String.intern()), or run G1 with -XX:+UseStringDeduplication"},
};

const char *fl_heap_fault_name(fl_heap_fault_kind kind)
{
    assert(kind < FL_HEAP_FAULT_KIND_COUNT);
    return KINDS[kind].name;
}

const char *fl_heap_fault_hint(fl_heap_fault_kind kind)
{
    assert(kind < FL_HEAP_FAULT_KIND_COUNT);
    return KINDS[kind].hint;
}

/* What maps are judged with. */
struct judging {
    fl_heap_faults *out;
    const fl_heap *heap;
    uint64_t budget; /* for hashes */
};

/* A finding more; their order comes last. */
static bool add(fl_heap_faults *out, const fl_heap_fault *fault)
{
    assert(fault->kind < FL_HEAP_FAULT_KIND_COUNT);
    if (out->count == out->cap) {
        size_t cap = out->cap == 0 ? 8 : 2 * out->cap;
        fl_heap_fault *rows = fl_mem_realloc(out->rows, cap, sizeof(*rows));
        if (rows == NULL)
            return false;
        out->rows = rows;
        out->cap = cap;
    }
    out->rows[out->count++] = *fault;
    return true;
}

/* The class of the first key that a map's chains have; FL_HEAP_NONE where there is none. */
static uint32_t key_class_of(const fl_heap *heap, const fl_heap_collection *map)
{
    assert(fl_heap_collection_info(map->info)->array != NULL);
    fl_heap_item item;
    fl_heap_object table =
        fl_heap_follow(heap, map->object, fl_heap_collection_info(map->info)->array);
    if (table == FL_HEAP_NONE || !fl_heap_item_of(heap, table, &item) ||
        item.kind != FL_HEAP_ITEM_OBJECTS || item.count == 0)
        return FL_HEAP_NONE;
    uint64_t width = item.body.len / item.count;
    for (uint32_t i = 0; i < item.count; i++) {
        uint64_t id = fl_heap_value(heap, &item, FL_HEAP_REFERENCE, i * width);
        fl_heap_object entry = id != 0 ? fl_heap_find(heap, id) : FL_HEAP_NONE;
        fl_heap_object key =
            entry != FL_HEAP_NONE ? fl_heap_follow(heap, entry, "key") : FL_HEAP_NONE;
        if (key != FL_HEAP_NONE)
            return fl_heap_class_of(heap, key);
    }
    return FL_HEAP_NONE;
}

/* Whether keys changed after they were put, by the hashes under which their entries stand. Keys of
 * java.lang do not change. False without memory. */
static bool look_for_strays(fl_heap_fault *fault, struct judging *j, const fl_heap_collection *map)
{
    fl_heap_strays found;
    const fl_heap_collection_class *info = fl_heap_collection_info(map->info);
    const fl_heap_chains chains = {
        .table = fl_heap_follow(j->heap, map->object, info->array),
        .entries = map->entries,
        .is_concurrent = strcmp(info->name, "java.util.concurrent.ConcurrentHashMap") == 0,
        .is_plain = strcmp(info->name, "java.util.Hashtable") == 0};
    if (chains.table == FL_HEAP_NONE || fault->key_class == FL_HEAP_NONE ||
        fl_slice_starts_with(fl_heap_class_at(j->heap, fault->key_class)->name,
                             FL_SLICE("java.lang.")))
        return true;
    if (fl_heap_strays_find(&found, j->heap, &chains, &j->budget, NULL) != FL_OK)
        return false;
    if (found.strays < MIN_STRAYS || (double)found.strays < MIN_ASTRAY * (double)found.looked_at)
        return true;
    fault->kind = FL_HEAP_KEYS_CHANGED;
    fault->part = found.strays;
    fault->whole = found.looked_at;
    fault->changed = found.field;
    return true;
}

/* The gravest of the three that a map can have: alike keys also collide. */
static bool judge_map(struct judging *j, const fl_heap_collection *map)
{
    const fl_heap *heap = j->heap;
    double entries = (double)map->entries;
    fl_heap_fault fault = {
        .kind = FL_HEAP_FAULT_KIND_COUNT, .object = map->object, .whole = map->entries};
    if (fl_heap_collection_info(map->info)->kind != FL_HEAP_CHAINED || map->entries < MIN_ENTRIES)
        return true;
    fault.key_class = key_class_of(heap, map);
    if ((double)map->equal_keys >= MIN_ALIKE * entries) {
        fault.kind = FL_HEAP_KEYS_WITHOUT_EQUALS;
        fault.part = map->equal_keys;
    } else if (map->same_keys > 0) {
        fault.kind = FL_HEAP_KEYS_CHANGED;
        fault.part = map->same_keys;
    } else if (!look_for_strays(&fault, j, map)) {
        return false;
    } else if (fault.changed == NULL && (double)map->in_long >= MIN_IN_LONG * entries) {
        fault.kind = FL_HEAP_HASHES_COLLIDE;
        fault.part = map->in_long;
    }
    fault.bytes = fl_heap_retained_bytes(heap, map->object);
    return fault.kind == FL_HEAP_FAULT_KIND_COUNT || add(j->out, &fault);
}

/* What the roots keep: the whole that shares are of. */
static uint64_t reached_bytes(const fl_heap *heap)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++)
        bytes += fl_heap_class_at(heap, i)->reached_bytes;
    return bytes;
}

/* Each ThreadLocal by itself; values of threads that have ended are gone with them. */
static bool judge_locals(fl_heap_faults *out, const fl_heap_locals *locals, double heap_bytes)
{
    assert(heap_bytes >= 0);
    bool is_done = true;
    for (size_t i = 0; is_done && i < locals->key_count; i++) {
        const fl_heap_local_key *key = &locals->keys[i];
        if (key->threads < MIN_THREADS || (double)key->retained_bytes < MIN_LOCALS * heap_bytes)
            continue;
        const fl_heap_fault fault = {.kind = FL_HEAP_LOCALS_IN_POOL,
                                     .object = key->key,
                                     .part = key->threads,
                                     .whole = locals->thread_count,
                                     .bytes = key->retained_bytes,
                                     .key_class = key->value_class,
                                     .row = i};
        is_done = add(out, &fault);
    }
    return is_done;
}

/* One finding for all texts: the largest row is its example. */
static bool judge_texts(fl_heap_faults *out, const fl_heap_strings *strings, double heap_bytes)
{
    assert(strings->texts <= strings->strings);
    if (strings->row_count == 0 || (double)strings->lost_bytes < MIN_TEXTS * heap_bytes)
        return true;
    const fl_heap_fault fault = {.kind = FL_HEAP_TEXTS_REPEATED,
                                 .object = strings->rows[0].example,
                                 .part = strings->strings - strings->texts,
                                 .whole = strings->strings,
                                 .bytes = strings->lost_bytes,
                                 .key_class = FL_HEAP_NONE};
    return add(out, &fault);
}

/* Grave kinds first; of one kind what keeps most; addresses decide between equals. */
static int by_kind(const void *a, const void *b)
{
    const fl_heap_fault *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->object > y->object) - (x->object < y->object);
}

fl_status fl_heap_faults_find(fl_heap_faults *out, const fl_heap *heap,
                              const fl_heap_collections *collections, const fl_heap_locals *locals,
                              const fl_heap_strings *strings, fl_error *err)
{
    assert(out != NULL && heap != NULL);
    *out = (fl_heap_faults){0};
    double heap_bytes = (double)reached_bytes(heap);
    bool is_done = true;
    struct judging j = {.out = out, .heap = heap, .budget = FL_HEAP_STRAYS_BUDGET};
    for (size_t i = 0; is_done && i < collections->count; i++)
        is_done = judge_map(&j, &collections->rows[i]);
    is_done =
        is_done && judge_locals(out, locals, heap_bytes) && judge_texts(out, strings, heap_bytes);
    if (!is_done)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    if (out->count > 0)
        qsort(out->rows, out->count, sizeof(*out->rows), by_kind);
    return FL_OK;
}

void fl_heap_faults_dispose(fl_heap_faults *faults)
{
    assert(faults != NULL);
    fl_mem_free(faults->rows);
    *faults = (fl_heap_faults){0};
}
