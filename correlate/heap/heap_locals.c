/*
 * heap_locals.c - maps of ThreadLocals: gathered by thread, then sorted by ThreadLocal.
 *
 * Values that two threads share, and values that something else keeps as well, are retained by
 * neither entry: they add nothing. So the sums never count a byte twice.
 */
#include "heap_locals.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"
#include "slice.h"

/* Classes above a thread's own; a chain of classes that is broken ends somewhere. */
enum { MAX_SUPER_CLASSES = 256 };

/* Whether instances of a class are threads. */
static bool is_thread_class(const fl_heap *heap, uint32_t index)
{
    assert(index < fl_heap_class_count(heap));
    for (int i = 0; index != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        const fl_heap_class *class = fl_heap_class_at(heap, index);
        if (fl_slice_equal(class->name, FL_SLICE("java.lang.Thread")))
            return true;
        index = class->super;
    }
    return false;
}

/* Twice the room when it is full. */
static bool add_row(fl_heap_locals *out, const fl_heap_local *row)
{
    assert(row->value != FL_HEAP_NONE);
    if (out->count == out->cap) {
        size_t cap = out->cap == 0 ? 64 : 2 * out->cap;
        fl_heap_local *rows = fl_mem_realloc(out->rows, cap, sizeof(*rows));
        if (rows == NULL)
            return false;
        out->rows = rows;
        out->cap = cap;
    }
    out->rows[out->count++] = *row;
    return true;
}

/* Whether a table comes for the first time: in a real heap no two maps have the same. */
static bool is_new(unsigned char *seen, fl_heap_object table)
{
    unsigned char bit = (unsigned char)(1u << table % 8);
    bool is_first = (seen[table / 8] & bit) == 0;
    seen[table / 8] |= bit;
    return is_first;
}

/* The entries of one map; an entry without a value keeps nothing and is passed over. */
static bool add_map(fl_heap_locals *out, const fl_heap *heap, fl_heap_object thread,
                    const char *field, unsigned char *seen)
{
    fl_heap_item item;
    fl_heap_object map = fl_heap_follow(heap, thread, field);
    fl_heap_object table = map != FL_HEAP_NONE ? fl_heap_follow(heap, map, "table") : FL_HEAP_NONE;
    if (table == FL_HEAP_NONE || !fl_heap_item_of(heap, table, &item) ||
        item.kind != FL_HEAP_ITEM_OBJECTS || item.count == 0 || !is_new(seen, table))
        return true;
    uint64_t width = item.body.len / item.count;
    for (uint32_t i = 0; i < item.count; i++) {
        uint64_t id = fl_heap_value(heap, &item, FL_HEAP_REFERENCE, i * width);
        fl_heap_object entry = id != 0 ? fl_heap_find(heap, id) : FL_HEAP_NONE;
        if (entry == FL_HEAP_NONE)
            continue;
        fl_heap_local row = {.thread = thread,
                             .key = fl_heap_follow(heap, entry, "referent"),
                             .value = fl_heap_follow(heap, entry, "value")};
        if (row.value == FL_HEAP_NONE)
            continue;
        row.retained_bytes =
            fl_heap_idom(heap, row.value) == entry ? fl_heap_retained_bytes(heap, row.value) : 0;
        if (!add_row(out, &row))
            return false;
    }
    return true;
}

/* One look at each object's class; threads are few. */
static bool gather(fl_heap_locals *out, const fl_heap *heap)
{
    fl_heap_object count = (fl_heap_object)fl_heap_count(heap);
    size_t classes = fl_heap_class_count(heap);
    bool *is_thread = fl_mem_calloc(classes + 1, sizeof(*is_thread));
    unsigned char *seen = fl_mem_calloc((size_t)count / 8 + 1, 1); /* a bit an object */
    bool is_done = is_thread != NULL && seen != NULL;
    for (uint32_t i = 0; is_done && i < classes; i++)
        is_thread[i] = is_thread_class(heap, i);
    for (fl_heap_object i = 0; is_done && i < count; i++)
        if (is_thread[fl_heap_class_of(heap, i)])
            is_done = add_map(out, heap, i, "threadLocals", seen) &&
                      add_map(out, heap, i, "inheritableThreadLocals", seen);
    fl_mem_free(is_thread);
    fl_mem_free(seen);
    return is_done;
}

/* ---- orders ---- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Of one thread in the order of ThreadLocals, then of values: no two rows are equal. */
static int by_thread(const void *a, const void *b)
{
    const fl_heap_local *x = a, *y = b;
    int order = compare(x->thread, y->thread);
    if (order == 0)
        order = compare(x->key, y->key);
    return order != 0 ? order : compare(x->value, y->value);
}

/* FL_HEAP_NONE is the highest number: what is stale stands last. */
static int by_key(const void *a, const void *b)
{
    const fl_heap_local *x = a, *y = b;
    int order = compare(x->key, y->key);
    return order != 0 ? order : by_thread(a, b);
}

/* The thread that keeps most first. */
static int threads_by_bytes(const void *a, const void *b)
{
    const fl_heap_local_thread *x = a, *y = b;
    int order = compare(y->retained_bytes, x->retained_bytes);
    return order != 0 ? order : compare(x->thread, y->thread);
}

/* The ThreadLocal that keeps most first. */
static int keys_by_bytes(const void *a, const void *b)
{
    const fl_heap_local_key *x = a, *y = b;
    int order = compare(y->retained_bytes, x->retained_bytes);
    return order != 0 ? order : compare(x->key, y->key);
}

/* ---- sums ---- */

static void sum_threads(fl_heap_locals *out)
{
    assert(out->threads != NULL);
    qsort(out->rows, out->count, sizeof(*out->rows), by_thread);
    for (size_t i = 0; i < out->count; i++) {
        const fl_heap_local *row = &out->rows[i];
        if (i == 0 || row->thread != out->rows[i - 1].thread)
            out->threads[out->thread_count++] = (fl_heap_local_thread){.thread = row->thread};
        fl_heap_local_thread *thread = &out->threads[out->thread_count - 1];
        thread->entries++;
        thread->stale += row->key == FL_HEAP_NONE;
        thread->retained_bytes += row->retained_bytes;
    }
    qsort(out->threads, out->thread_count, sizeof(*out->threads), threads_by_bytes);
}

/* Entries whose ThreadLocal is gone belong to none. */
static void sum_keys(fl_heap_locals *out, const fl_heap *heap)
{
    assert(out->keys != NULL);
    uint64_t most = 0;
    qsort(out->rows, out->count, sizeof(*out->rows), by_key);
    for (size_t i = 0; i < out->count && out->rows[i].key != FL_HEAP_NONE; i++) {
        const fl_heap_local *row = &out->rows[i];
        if (i == 0 || row->key != out->rows[i - 1].key) {
            most = 0;
            out->keys[out->key_count++] =
                (fl_heap_local_key){.key = row->key,
                                    .holder = FL_HEAP_NONE,
                                    .value_class = fl_heap_class_of(heap, row->value)};
        }
        fl_heap_local_key *key = &out->keys[out->key_count - 1];
        key->threads++;
        key->retained_bytes += row->retained_bytes;
        if (row->retained_bytes > most) {
            most = row->retained_bytes;
            key->value_class = fl_heap_class_of(heap, row->value);
        }
    }
    qsort(out->keys, out->key_count, sizeof(*out->keys), keys_by_bytes);
}

/* Most ThreadLocals are statics: of which class, and under which name. */
static void name_keys(fl_heap_locals *out, const fl_heap *heap)
{
    uint32_t classes = (uint32_t)fl_heap_class_count(heap);
    for (uint32_t c = 0; c < classes && out->key_count > 0; c++) {
        const fl_heap_class *class = fl_heap_class_at(heap, c);
        for (uint32_t s = 0; s < class->static_count; s++) {
            const fl_heap_member *member = &class->statics[s];
            if (member->type != FL_HEAP_REFERENCE || member->value == 0)
                continue;
            fl_heap_object object = fl_heap_find(heap, member->value);
            for (size_t k = 0; object != FL_HEAP_NONE && k < out->key_count; k++)
                if (out->keys[k].key == object && out->keys[k].holder == FL_HEAP_NONE) {
                    out->keys[k].holder = c;
                    out->keys[k].member = member;
                }
        }
    }
}

fl_status fl_heap_locals_find(fl_heap_locals *out, const fl_heap *heap, fl_error *err)
{
    assert(out != NULL && heap != NULL);
    *out = (fl_heap_locals){0};
    bool is_done = gather(out, heap);
    if (is_done && out->count > 0) {
        out->threads = fl_mem_calloc(out->count, sizeof(*out->threads));
        out->keys = fl_mem_calloc(out->count, sizeof(*out->keys));
        is_done = out->threads != NULL && out->keys != NULL;
    }
    if (!is_done)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    if (out->count > 0) {
        sum_threads(out);
        sum_keys(out, heap);
        name_keys(out, heap);
    }
    return FL_OK;
}

void fl_heap_locals_dispose(fl_heap_locals *locals)
{
    assert(locals != NULL);
    fl_mem_free(locals->rows);
    fl_mem_free(locals->threads);
    fl_mem_free(locals->keys);
    *locals = (fl_heap_locals){0};
}
