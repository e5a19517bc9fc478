/*
 * heap_record.c - the paths, then a look at each of their rows, then at all maps.
 */
#include "heap_record.h"

#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "heap_growth.h"
#include "heap_holders.h"
#include "search.h"
#include "slice.h"

/* Findings about maps that are kept; the gravest come first. */
enum { MAX_FAULTS = 64, MAX_SUPER_CLASSES = 256 };

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for what a heap is like");
}

/* --- marks --- */

/* ASCII, whatever the case. */
static bool has_word(fl_slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; len <= text.len && i <= text.len - len; i++) {
        size_t k = 0;
        while (k < len && (text.ptr[i + k] | 0x20) == (unsigned char)word[k])
            k++;
        if (k == len)
            return true;
    }
    return false;
}

/* What programs and the JDK call those who want to be told. */
static bool says_listener(fl_slice name)
{
    static const char *const words[] = {"listener", "observer", "subscriber", "callback", "hook"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (has_word(name, words[i]))
            return true;
    return false;
}

/* The name of a field behind the class that it belongs to. */
static fl_slice last_part(const char *text)
{
    const char *dot = text != NULL ? strrchr(text, '.') : NULL;
    return fl_slice_of(dot != NULL ? dot + 1 : "");
}

/* Queues of the JDK, by name; their nodes are called after them. */
static bool is_queue(const fl_heap *heap, uint32_t index)
{
    for (int i = 0; index != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        const fl_heap_class *class = fl_heap_class_at(heap, index);
        bool is_one = fl_slice_find(class->name, FL_SLICE("Queue")) < class->name.len ||
                      fl_slice_find(class->name, FL_SLICE("Deque")) < class->name.len;
        if (is_one && fl_slice_starts_with(class->name, FL_SLICE("java.util.")))
            return true;
        index = class->super;
    }
    return false;
}

/* An object of an inner class, made by an instance of the outer one, keeps that by a field that the
 * compiler calls this$0: where it alone does, and that is most of what it keeps. */
static bool holds_outer(const fl_heap *heap, fl_heap_object object)
{
    assert(object != FL_HEAP_NONE);
    const fl_heap_class *class = fl_heap_class_at(heap, fl_heap_class_of(heap, object));
    for (uint32_t i = 0; i < class->field_count; i++) {
        uint64_t bits;
        fl_heap_type type;
        if (!fl_slice_starts_with(class->fields[i].name, FL_SLICE("this$")) ||
            !fl_heap_field(heap, object, class->fields[i].name, &type, &bits) || bits == 0)
            continue;
        fl_heap_object outer = fl_heap_find(heap, bits);
        if (outer != FL_HEAP_NONE && fl_heap_idom(heap, outer) == object &&
            2 * fl_heap_retained_bytes(heap, outer) >= fl_heap_retained_bytes(heap, object))
            return true;
    }
    return false;
}

static uint64_t object_of_row(const void *rows, size_t i)
{
    return ((const fl_heap_collection *)rows)[i].object;
}

/* Rows stand in the order of addresses. NULL: it is no collection. */
static const fl_heap_collection *collection_of(const fl_heap_collections *all,
                                               fl_heap_object object)
{
    size_t low = fl_search_first(all->rows, all->count, object_of_row, object);
    return low < all->count && all->rows[low].object == object ? &all->rows[low] : NULL;
}

/* By what the class is called and by the field or static that leads there. */
static unsigned marks_of_class(const fl_heap *heap, const fl_heap_path *row)
{
    fl_slice name = fl_heap_class_at(heap, row->class_index)->name;
    unsigned marks = 0;
    marks |= is_queue(heap, row->class_index) ? FL_HEAP_MARK_QUEUE : 0;
    marks |= fl_slice_find(name, FL_SLICE("$$Lambda")) < name.len ? FL_HEAP_MARK_LAMBDA : 0;
    marks |= says_listener(name) || says_listener(last_part(row->field)) ||
                     says_listener(last_part(row->holder))
                 ? FL_HEAP_MARK_LISTENER
                 : 0;
    marks |= row->is_thread ? FL_HEAP_MARK_THREAD : 0;
    if (fl_slice_equal(name, FL_SLICE("java.lang.ThreadLocal$ThreadLocalMap$Entry")))
        marks |= FL_HEAP_MARK_LOCAL;
    return marks;
}

/* Classes and the whole heap have no clue; of a row of many objects the largest one stands for all.
 */
static fl_heap_clue clue_of(const fl_heap *heap, const fl_heap_collections *collections,
                            const fl_heap_path *row)
{
    fl_heap_clue clue = {0};
    if (row->class_index == FL_HEAP_NONE || row->meant != FL_HEAP_NONE)
        return clue;
    clue.marks = marks_of_class(heap, row);
    const fl_heap_collection *found = collection_of(collections, row->largest);
    if (holds_outer(heap, row->largest))
        clue.marks |= FL_HEAP_MARK_INNER;
    if (found == NULL)
        return clue;
    const fl_heap_collection_class *info = fl_heap_collection_info(found->info);
    clue.entries = found->size;
    clue.capacity = found->capacity;
    clue.marks |= info->is_map ? FL_HEAP_MARK_MAP : FL_HEAP_MARK_COLLECTION;
    if (strcmp(info->name, "java.util.concurrent.ConcurrentHashMap") == 0)
        clue.marks |= FL_HEAP_MARK_CONCURRENT_MAP;
    return clue;
}

/* --- the whole --- */

/* Names are copied: the dump that they point into is closed before they are shown. */
static fl_status keep_faults(fl_heap_record *out, const fl_heap *heap, const fl_heap_faults *faults,
                             fl_error *err)
{
    size_t most = faults->count < MAX_FAULTS ? faults->count : MAX_FAULTS;
    out->faults = fl_arena_alloc(&out->arena, most + 1, sizeof(*out->faults));
    if (out->faults == NULL)
        return no_memory(err);
    for (size_t i = 0; i < faults->count && out->fault_count < most; i++) {
        fl_heap_map_fault kept = {.fault = faults->rows[i]};
        if (kept.fault.kind == FL_HEAP_LOCALS_IN_POOL)
            continue;
        uint32_t index = fl_heap_class_of(heap, kept.fault.object);
        kept.holder = fl_heap_holder_text(heap, kept.fault.object, &out->arena);
        kept.map_class = fl_arena_cstr(&out->arena, fl_heap_class_at(heap, index)->name);
        if (kept.map_class == NULL)
            return no_memory(err);
        if (kept.fault.key_class != FL_HEAP_NONE)
            kept.key_class =
                fl_arena_cstr(&out->arena, fl_heap_class_at(heap, kept.fault.key_class)->name);
        if (kept.fault.changed != NULL)
            kept.changed = fl_arena_cstr(&out->arena, kept.fault.changed->name);
        kept.fault.changed = NULL; /* it is the dump's */
        out->faults[out->fault_count++] = kept;
    }
    return FL_OK;
}

/* Collections and texts are looked at once; what is kept of them is words. */
static fl_status look(fl_heap_record *out, const fl_heap *heap, fl_error *err)
{
    fl_heap_collections collections = {0};
    fl_heap_strings strings = {0};
    fl_heap_locals locals = {0}; /* none: the paths name them */
    fl_heap_faults faults = {0};
    size_t rows = fl_heap_paths_count(out->paths);
    fl_status status = fl_heap_collections_find(&collections, heap, err);
    if (status == FL_OK)
        status = fl_heap_strings_find(&strings, heap, 1, err);
    if (status == FL_OK)
        status = fl_heap_faults_find(&faults, heap, &collections, &locals, &strings, err);
    out->clues = fl_arena_alloc(&out->arena, rows, sizeof(*out->clues));
    if (status == FL_OK && out->clues == NULL)
        status = no_memory(err);
    for (size_t row = 0; row < rows && status == FL_OK; row++)
        out->clues[row] = clue_of(heap, &collections, fl_heap_paths_at(out->paths, row));
    if (status == FL_OK)
        status = keep_faults(out, heap, &faults, err);
    fl_heap_faults_dispose(&faults);
    fl_heap_strings_dispose(&strings);
    fl_heap_collections_dispose(&collections);
    return status;
}

fl_status fl_heap_record_make(fl_heap_record *out, fl_heap *heap, fl_error *err)
{
    assert(out != NULL && heap != NULL);
    uint64_t bytes = 0;
    *out = (fl_heap_record){.arena = fl_arena_of(FL_MAX_HEAP_TEXT_BYTES)};
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++)
        bytes += fl_heap_class_at(heap, i)->reached_bytes;
    uint64_t least = (uint64_t)((double)bytes * FL_HEAP_RECORD_SHARE);
    uint64_t heavy = (uint64_t)((double)bytes * FL_HEAP_GROWTH_SHARE);
    fl_status status = fl_heap_paths_create(&out->paths, heap, least > 0 ? least : 1, err);
    if (status == FL_OK)
        status = fl_heap_paths_search_holders(out->paths, heap, heavy, err);
    if (status == FL_OK)
        status = look(out, heap, err);
    if (status == FL_OK)
        status = fl_heap_crowds_of_threads(&out->threads, heap, &out->arena, err);
    if (status == FL_OK)
        status = fl_heap_crowds_of_loaders(&out->loaders, heap, &out->arena, err);
    if (status != FL_OK)
        fl_heap_record_dispose(out);
    return status;
}

void fl_heap_record_dispose(fl_heap_record *record)
{
    assert(record != NULL);
    fl_heap_paths_destroy(record->paths);
    fl_arena_dispose(&record->arena);
    *record = (fl_heap_record){0};
}
