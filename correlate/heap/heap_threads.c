/*
 * heap_threads.c - threads out of their objects' fields, stacks out of the records in front of the
 * objects.
 *
 * Names of fields are those of Java 8 to 25: what Thread has itself up to 18 is in its `holder`
 * from 19 on. States of a virtual thread are numbered otherwise in every version, so that only new,
 * ended and whether it has a carrier is read.
 */
#include "heap_threads.h"

#include <assert.h>
#include <stdlib.h>

#include "heap_priv.h"
#include "mem.h"
#include "slice.h"

/* Bits of threadStatus: JVM TI, GetThreadState. */
enum {
    STATUS_ALIVE = 0x1,
    STATUS_TERMINATED = 0x2,
    STATUS_RUNNABLE = 0x4,
    STATUS_WAITING = 0x10,
    STATUS_TIMED = 0x20,
    STATUS_BLOCKED = 0x400
};
enum { VIRTUAL_NEW = 0, VIRTUAL_ENDED = 99, VIRTUAL_STATE = 0xff }; /* above: whether suspended */

const char *fl_heap_thread_state_name(fl_heap_thread_state state)
{
    static const char *const names[] = {"unknown", "new",           "runnable", "blocked",
                                        "waiting", "timed waiting", "ended"};
    _Static_assert(sizeof(names) / sizeof(names[0]) == FL_HEAP_THREAD_STATE_COUNT, "each has one");
    assert((unsigned)state < FL_HEAP_THREAD_STATE_COUNT);
    return names[state];
}

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the threads");
}

/* A number of a thread, or of what holds its numbers. */
static bool number_of(uint64_t *bits, const fl_heap *heap, fl_heap_object thread, const char *name)
{
    fl_heap_type type;
    fl_heap_object holder = fl_heap_follow(heap, thread, "holder");
    return fl_heap_field(heap, thread, fl_slice_of(name), &type, bits) ||
           (holder != FL_HEAP_NONE && fl_heap_field(heap, holder, fl_slice_of(name), &type, bits));
}

/* In the order of java.lang.Thread.State: a thread that parks has several of the bits. */
static fl_heap_thread_state state_of(const fl_heap *heap, fl_heap_object thread)
{
    uint64_t status;
    if (!number_of(&status, heap, thread, "threadStatus"))
        return FL_HEAP_THREAD_UNKNOWN;
    if (status & STATUS_RUNNABLE)
        return FL_HEAP_THREAD_RUNNABLE;
    if (status & STATUS_BLOCKED)
        return FL_HEAP_THREAD_BLOCKED;
    if (status & STATUS_WAITING)
        return FL_HEAP_THREAD_WAITING;
    if (status & STATUS_TIMED)
        return FL_HEAP_THREAD_TIMED_WAITING;
    if (status & STATUS_TERMINATED)
        return FL_HEAP_THREAD_ENDED;
    return status & STATUS_ALIVE ? FL_HEAP_THREAD_UNKNOWN : FL_HEAP_THREAD_NEW;
}

/* On a carrier it runs, without one it waits or could run: no dump tells the two apart. */
static fl_heap_thread_state virtual_state(const fl_heap *heap, fl_heap_object thread)
{
    uint64_t state;
    if (!number_of(&state, heap, thread, "state"))
        return FL_HEAP_THREAD_UNKNOWN;
    if ((state & VIRTUAL_STATE) == VIRTUAL_NEW)
        return FL_HEAP_THREAD_NEW;
    if ((state & VIRTUAL_STATE) >= VIRTUAL_ENDED)
        return FL_HEAP_THREAD_ENDED;
    return fl_heap_follow(heap, thread, "carrierThread") != FL_HEAP_NONE ? FL_HEAP_THREAD_RUNNABLE
                                                                         : FL_HEAP_THREAD_WAITING;
}

/* --- which there are --- */

typedef struct finding {
    const fl_heap *heap;
    fl_heap_threads *out;
    unsigned char *kind;    /* [class] what its instances are: PLATFORM, VIRTUAL or neither */
    uint32_t *virtual_rows; /* [class + 1] of a task to its row + 1 */
} finding;

enum { NEITHER, PLATFORM, VIRTUAL };

/* BaseVirtualThread is there from Java 19 on. */
static void mark_classes(finding *f)
{
    uint32_t base = fl_heap_find_class(f->heap, FL_SLICE("java.lang.Thread"), 0);
    uint32_t virtual = fl_heap_find_class(f->heap, FL_SLICE("java.lang.BaseVirtualThread"), 0);
    for (uint32_t i = 0; base != FL_HEAP_NONE && i < fl_heap_class_count(f->heap); i++) {
        bool is_virtual = virtual != FL_HEAP_NONE && fl_heap_inherits(f->heap, i, virtual);
        f->kind[i] = fl_heap_inherits(f->heap, i, base) ? PLATFORM : NEITHER;
        f->kind[i] = is_virtual ? VIRTUAL : f->kind[i];
    }
}

/* Edges of the kind stack are what the roots said lies there. */
static uint32_t count_locals(const fl_heap *heap, fl_heap_object thread)
{
    fl_heap_edge edge;
    uint32_t count = 0;
    for (fl_heap_edges at = fl_heap_edges_of(heap, thread); fl_heap_edges_next(&at, &edge);)
        count += edge.kind == FL_HEAP_EDGE_STACK;
    return count;
}

/* A thread that runs: a root with the serial number of its stack trace. A second root of one
 * thread says nothing new. */
static void take_running(finding *f, fl_heap_object object, uint32_t trace)
{
    uint64_t daemon = 0;
    (void)number_of(&daemon, f->heap, object, "daemon");
    bool is_virtual = f->kind[fl_heap_class_of(f->heap, object)] == VIRTUAL;
    const uint64_t *found = fl_map_find(f->heap->census->traces.by_id, trace);
    f->out->rows[f->out->count++] = (fl_heap_thread){
        .object = object,
        .is_virtual = is_virtual,
        .is_daemon = is_virtual || daemon != 0,
        .state = is_virtual ? virtual_state(f->heap, object) : state_of(f->heap, object),
        .retained_bytes = fl_heap_retained_bytes(f->heap, object),
        .locals = count_locals(f->heap, object),
        .trace = found != NULL ? (uint32_t)*found : FL_HEAP_NONE,
    };
}

/* Roots come in the order of the dump; rows are sorted later. */
static void take_roots(finding *f, unsigned char *runs)
{
    const fl_census *census = f->heap->census;
    for (size_t i = 0; i < census->root_count; i++) {
        const fl_census_root *root = &census->roots[i];
        if (root->kind != FL_HEAP_ROOT_THREAD)
            continue;
        fl_heap_object object = fl_heap_find(f->heap, root->id);
        if (object == FL_HEAP_NONE || runs[object / 8] >> object % 8 & 1)
            continue;
        runs[object / 8] |= (unsigned char)(1u << object % 8);
        take_running(f, object, root->trace);
    }
}

/* What a virtual thread was started with, behind what the continuation calls. */
static uint32_t task_of(const fl_heap *heap, fl_heap_object thread)
{
    static const char *const steps[] = {"cont", "target", "val$task"};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        thread = fl_heap_follow(heap, thread, steps[i]);
        if (thread == FL_HEAP_NONE)
            return FL_HEAP_NONE;
    }
    return fl_heap_class_of(heap, thread);
}

/* Those without a known task share one row. */
static void take_virtual(finding *f, fl_heap_object object)
{
    uint32_t task = task_of(f->heap, object);
    uint32_t *slot = &f->virtual_rows[task != FL_HEAP_NONE ? task : fl_heap_class_count(f->heap)];
    if (*slot == 0) {
        *slot = (uint32_t)++f->out->virtual_count;
        f->out->virtuals[*slot - 1] = (fl_heap_virtual){.task_class = task, .largest = object};
    }
    fl_heap_virtual *row = &f->out->virtuals[*slot - 1];
    uint64_t bytes = fl_heap_retained_bytes(f->heap, object);
    row->count++;
    row->counts[virtual_state(f->heap, object)]++;
    row->unreached += !fl_heap_is_reached(f->heap, object);
    row->retained_bytes += bytes;
    if (bytes > fl_heap_retained_bytes(f->heap, row->largest))
        row->largest = object;
}

/* Virtual threads, and Thread objects of no thread that runs. */
static void take_objects(finding *f, const unsigned char *runs)
{
    for (fl_heap_object i = 0; i < fl_heap_count(f->heap); i++) {
        unsigned char kind = f->kind[fl_heap_class_of(f->heap, i)];
        if (kind == VIRTUAL)
            take_virtual(f, i);
        else if (kind == PLATFORM && (runs[i / 8] >> i % 8 & 1) == 0) {
            f->out->idle++;
            f->out->idle_bytes += fl_heap_retained_bytes(f->heap, i);
        }
    }
}

/* --- the whole --- */

static int by_retained(const void *a, const void *b)
{
    const fl_heap_thread *x = a, *y = b;
    if (x->retained_bytes != y->retained_bytes)
        return x->retained_bytes < y->retained_bytes ? 1 : -1;
    return (x->object > y->object) - (x->object < y->object);
}

/* The tasks that keep most first. */
static int virtuals_by_retained(const void *a, const void *b)
{
    const fl_heap_virtual *x = a, *y = b;
    if (x->retained_bytes != y->retained_bytes)
        return x->retained_bytes < y->retained_bytes ? 1 : -1;
    return (x->task_class > y->task_class) - (x->task_class < y->task_class);
}

/* Of two classes with one serial number the last counts: there are none in a sound dump. */
static fl_status map_classes(fl_heap_threads *out, const fl_heap *heap, fl_error *err)
{
    fl_status status = fl_map_create(&out->classes, UINT32_MAX, err);
    for (uint32_t i = 0; i < heap->census->count && status == FL_OK; i++) {
        uint64_t *slot;
        if (heap->census->entries[i].serial == 0)
            continue;
        status = fl_map_slot(&slot, out->classes, heap->census->entries[i].serial, NULL, err);
        if (status == FL_OK)
            *slot = i;
    }
    return status;
}

fl_status fl_heap_threads_find(fl_heap_threads *out, const fl_heap *heap, fl_error *err)
{
    size_t classes = fl_heap_class_count(heap);
    finding f = {.heap = heap, .out = out};
    *out = (fl_heap_threads){.count = 0};
    f.kind = fl_mem_calloc(classes + 1, sizeof(*f.kind));
    f.virtual_rows = fl_mem_calloc(classes + 1, sizeof(*f.virtual_rows));
    unsigned char *runs = fl_mem_calloc(fl_heap_count(heap) / 8 + 1, 1); /* a bit an object */
    out->rows = fl_mem_calloc(heap->census->root_count + 1, sizeof(*out->rows));
    out->virtuals = fl_mem_calloc(classes + 1, sizeof(*out->virtuals));
    bool is_done = f.kind != NULL && f.virtual_rows != NULL && runs != NULL && out->rows != NULL &&
                   out->virtuals != NULL;
    if (is_done) {
        mark_classes(&f);
        take_roots(&f, runs);
        take_objects(&f, runs);
        qsort(out->rows, out->count, sizeof(*out->rows), by_retained);
        qsort(out->virtuals, out->virtual_count, sizeof(*out->virtuals), virtuals_by_retained);
    }
    fl_mem_free(f.kind);
    fl_mem_free(f.virtual_rows);
    fl_mem_free(runs);
    return is_done ? map_classes(out, heap, err) : no_memory(err);
}

void fl_heap_threads_dispose(fl_heap_threads *threads)
{
    fl_mem_free(threads->rows);
    fl_mem_free(threads->virtuals);
    fl_map_destroy(threads->classes);
    *threads = (fl_heap_threads){.count = 0};
}

/* --- stacks --- */

/* A frame's record: its id, method, signature, source file, the class's serial number, the line. */
static fl_heap_frame frame_of(const fl_heap *heap, const fl_map *classes, uint64_t id)
{
    fl_heap_frame frame = {.line = 0};
    unsigned width = heap->source.id_bytes;
    const uint64_t *at = fl_map_find(heap->census->frames.by_id, id);
    if (at == NULL)
        return frame;
    const fl_heap_item *item = &heap->census->frames.items[*at];
    frame.method = fl_census_name(heap->census, item->class_id);
    frame.source = fl_census_name(heap->census, fl_heap_id_in(item->body, 3 * width, width));
    at = fl_map_find(classes, fl_heap_id_in(item->body, 4 * (size_t)width, 4));
    if (at != NULL)
        frame.class_name = fl_heap_class_at(heap, (uint32_t)*at)->name;
    frame.line = (int32_t)(uint32_t)fl_heap_id_in(item->body, 4 * (size_t)width + 4, 4);
    return frame;
}

size_t fl_heap_thread_frames(fl_heap_frame *out, size_t cap, const fl_heap *heap,
                             const fl_heap_threads *threads, const fl_heap_thread *thread)
{
    if (thread->trace == FL_HEAP_NONE)
        return 0;
    assert(thread->trace < heap->census->traces.count);
    const fl_heap_item *item = &heap->census->traces.items[thread->trace];
    unsigned width = heap->source.id_bytes;
    for (size_t i = 0; i < cap && i < item->count; i++)
        out[i] = frame_of(heap, threads->classes, fl_heap_id_in(item->body, i * width, width));
    return item->count;
}
