/*
 * heap_finalizers.c - one look at every Reference: of which kind, in which state, and of a
 * Finalizer what it is for.
 */
#include "heap_finalizers.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"
#include "slice.h"

typedef struct counting {
    const fl_heap *heap;
    fl_heap_finalizers *out;
    unsigned char *kinds;          /* [class] kind + 1 of its instances; 0: no references */
    uint32_t *reference_rows;      /* [class] of the reference, row + 1 */
    uint32_t *object_rows;         /* [class] of the object, row + 1 */
    fl_heap_object queued, nobody; /* queues that stand for a state; FL_HEAP_NONE: not there */
} counting;

const char *fl_heap_reference_kind_name(fl_heap_reference_kind kind)
{
    static const char *const names[] = {"soft", "weak", "final", "phantom"};
    _Static_assert(sizeof(names) / sizeof(names[0]) == FL_HEAP_REFERENCE_KIND_COUNT, "all of them");
    assert((unsigned)kind < FL_HEAP_REFERENCE_KIND_COUNT);
    return names[kind];
}

/* Kinds are known by inheritance: libraries have references of their own. */
static void mark_classes(counting *c)
{
    static const char *const bases[] = {
        "java.lang.ref.SoftReference", "java.lang.ref.WeakReference",
        "java.lang.ref.FinalReference", "java.lang.ref.PhantomReference"};
    for (size_t k = 0; k < FL_HEAP_REFERENCE_KIND_COUNT; k++) {
        uint32_t base = fl_heap_find_class(c->heap, fl_slice_of(bases[k]), 0);
        for (uint32_t i = 0; base != FL_HEAP_NONE && i < fl_heap_class_count(c->heap); i++)
            if (fl_heap_inherits(c->heap, i, base))
                c->kinds[i] = (unsigned char)(k + 1);
    }
}

/* The two queues that are none: NULL is NULL_QUEUE since Java 21. */
static void find_queues(counting *c)
{
    uint32_t index = fl_heap_find_class(c->heap, FL_SLICE("java.lang.ref.ReferenceQueue"), 0);
    fl_heap_object class =
        index != FL_HEAP_NONE ? fl_heap_class_at(c->heap, index)->object : FL_HEAP_NONE;
    c->queued = c->nobody = FL_HEAP_NONE;
    if (class == FL_HEAP_NONE)
        return;
    c->queued = fl_heap_follow(c->heap, class, "ENQUEUED");
    c->nobody = fl_heap_follow(c->heap, class, "NULL");
    if (c->nobody == FL_HEAP_NONE)
        c->nobody = fl_heap_follow(c->heap, class, "NULL_QUEUE");
    c->out->has_queue = c->queued != FL_HEAP_NONE;
}

/* Made when the first of a class is met; there is room for one each. */
static fl_heap_references *reference_row(counting *c, uint32_t class_index)
{
    uint32_t *slot = &c->reference_rows[class_index];
    if (*slot == 0) {
        *slot = (uint32_t)++c->out->reference_count;
        c->out->references[*slot - 1] =
            (fl_heap_references){.kind = (fl_heap_reference_kind)(c->kinds[class_index] - 1),
                                 .class_index = class_index};
    }
    return &c->out->references[*slot - 1];
}

/* The same for the classes of objects with a finalizer. */
static fl_heap_finalizable *object_row(counting *c, fl_heap_object object)
{
    uint32_t *slot = &c->object_rows[fl_heap_class_of(c->heap, object)];
    if (*slot == 0) {
        *slot = (uint32_t)++c->out->count;
        c->out->rows[*slot - 1] = (fl_heap_finalizable){
            .class_index = fl_heap_class_of(c->heap, object), .first = object};
    }
    return &c->out->rows[*slot - 1];
}

/* What a Finalizer is for: kept by it alone where it dominates it. */
static void take_finalizable(counting *c, fl_heap_object finalizer, fl_heap_object object,
                             fl_heap_object queue)
{
    fl_heap_finalizable *row = object_row(c, object);
    if (queue != FL_HEAP_NONE && queue == c->queued)
        row->queued++;
    else if (queue != FL_HEAP_NONE && queue == c->nobody)
        row->taken++;
    else
        row->registered++;
    if (fl_heap_idom(c->heap, object) != finalizer)
        return;
    if (row->kept_bytes == 0)
        row->first = object;
    row->kept_bytes += fl_heap_retained_bytes(c->heap, object);
}

/* Once it is in its queue a reference is no longer pending, whatever `discovered` still says. */
static void take(counting *c, fl_heap_object reference, uint32_t class_index)
{
    fl_heap_references *row = reference_row(c, class_index);
    fl_heap_object referent = fl_heap_follow(c->heap, reference, "referent");
    fl_heap_object queue = fl_heap_follow(c->heap, reference, "queue");
    bool is_queued = queue != FL_HEAP_NONE && queue == c->queued;
    row->count++;
    row->cleared += referent == FL_HEAP_NONE;
    row->queued += is_queued;
    row->pending += !is_queued && fl_heap_follow(c->heap, reference, "discovered") != FL_HEAP_NONE;
    if (row->kind == FL_HEAP_FINAL && referent != FL_HEAP_NONE)
        take_finalizable(c, reference, referent, queue);
}

/* --- orders --- */

static int by_kind(const void *a, const void *b)
{
    const fl_heap_references *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

/* What costs most first; without cost, what waits. */
static int by_kept(const void *a, const void *b)
{
    const fl_heap_finalizable *x = a, *y = b;
    if (x->kept_bytes != y->kept_bytes)
        return x->kept_bytes < y->kept_bytes ? 1 : -1;
    if (x->queued != y->queued)
        return x->queued < y->queued ? 1 : -1;
    if (x->registered != y->registered)
        return x->registered < y->registered ? 1 : -1;
    return (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

/* The sums are of all rows, before any of them is cut from an answer. */
static void sum_up(fl_heap_finalizers *out)
{
    for (size_t i = 0; i < out->count; i++) {
        out->registered += out->rows[i].registered;
        out->queued += out->rows[i].queued;
        out->taken += out->rows[i].taken;
        out->kept_bytes += out->rows[i].kept_bytes;
    }
    qsort(out->rows, out->count, sizeof(*out->rows), by_kept);
    qsort(out->references, out->reference_count, sizeof(*out->references), by_kind);
}

/* One pass over the objects; only references are read from the dump. */
fl_status fl_heap_finalizers_find(fl_heap_finalizers *out, const fl_heap *heap, fl_error *err)
{
    size_t classes = fl_heap_class_count(heap);
    counting c = {.heap = heap, .out = out};
    *out = (fl_heap_finalizers){.count = 0};
    c.kinds = fl_mem_calloc(classes + 1, sizeof(*c.kinds));
    c.reference_rows = fl_mem_calloc(classes + 1, sizeof(*c.reference_rows));
    c.object_rows = fl_mem_calloc(classes + 1, sizeof(*c.object_rows));
    out->references = fl_mem_calloc(classes + 1, sizeof(*out->references));
    out->rows = fl_mem_calloc(classes + 1, sizeof(*out->rows));
    bool is_done = c.kinds != NULL && c.reference_rows != NULL && c.object_rows != NULL &&
                   out->references != NULL && out->rows != NULL;
    if (is_done) {
        mark_classes(&c);
        find_queues(&c);
        for (fl_heap_object i = 0; i < fl_heap_count(heap); i++)
            if (c.kinds[fl_heap_class_of(heap, i)] != 0)
                take(&c, i, fl_heap_class_of(heap, i));
        sum_up(out);
    }
    fl_mem_free(c.kinds);
    fl_mem_free(c.reference_rows);
    fl_mem_free(c.object_rows);
    return is_done ? FL_OK
                   : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the finalizers");
}

void fl_heap_finalizers_dispose(fl_heap_finalizers *finalizers)
{
    fl_mem_free(finalizers->references);
    fl_mem_free(finalizers->rows);
    *finalizers = (fl_heap_finalizers){.count = 0};
}

/* Both conditions: many small ones cost nothing, and a single large one is no queue. */
bool fl_heap_finalizers_wait(const fl_heap_finalizers *finalizers, uint64_t reached_bytes)
{
    return finalizers->queued >= FL_HEAP_QUEUED_LEAST &&
           (double)finalizers->kept_bytes >= FL_HEAP_QUEUED_SHARE * (double)reached_bytes;
}
