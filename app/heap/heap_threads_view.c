/*
 * heap_threads_view.c - threads as text and as JSON: virtual threads by what they run, then each
 * thread with its stack, what lies on it and its ThreadLocals.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "heap_locals.h"
#include "heap_show.h"
#include "heap_text.h"
#include "heap_threads.h"
#include "mem.h"
#include "profile_text.h"
#include "search.h"
#include "slice.h"

/* Frames of a thread, objects of one frame, ThreadLocals of a thread that are shown as text: a
 * stack that has more is one that overflows. The JSON has all objects of the frames it shows. */
enum { SHOWN_FRAMES = 64, SHOWN_OBJECTS = 5, SHOWN_LOCALS = 10, NAME_BYTES = 120 };

/* Something on a stack. */
typedef struct held {
    fl_heap_object object;
    uint32_t frame;
    uint64_t bytes;
} held;

typedef struct drawing {
    fl_buf *out;
    const fl_heap_asked *asked;
    const fl_heap *heap;
    const fl_heap_threads *threads;
    const fl_heap_locals *locals;
    const fl_heap_local **by_thread; /* [locals->count] */
    held *held;                      /* of the thread that is drawn */
    size_t held_count;
    fl_heap_frame frames[SHOWN_FRAMES];
    size_t frame_count, shown_frames;
} drawing;

/* --- gathering --- */

static int by_frame(const void *a, const void *b)
{
    const held *x = a, *y = b;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->object > y->object) - (x->object < y->object);
}

/* All ThreadLocals of a thread together, what keeps most first. */
static int by_thread(const void *a, const void *b)
{
    const fl_heap_local *x = *(const fl_heap_local *const *)a;
    const fl_heap_local *y = *(const fl_heap_local *const *)b;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    if (x->retained_bytes != y->retained_bytes)
        return x->retained_bytes < y->retained_bytes ? 1 : -1;
    return (x->value > y->value) - (x->value < y->value);
}

static uint64_t thread_of_local(const void *by_thread, size_t i)
{
    return ((const fl_heap_local *const *)by_thread)[i]->thread;
}

/* Where the ThreadLocals of a thread begin in by_thread. */
static size_t first_local(const drawing *d, fl_heap_object thread)
{
    return fl_search_first(d->by_thread, d->locals->count, thread_of_local, thread);
}

/* The stack and what lies on it. False without memory. */
static bool take_stack(drawing *d, const fl_heap_thread *thread)
{
    fl_heap_edge edge;
    d->held_count = 0;
    held *grown = fl_mem_realloc(d->held, thread->locals + (size_t)1, sizeof(*grown));
    if (grown == NULL)
        return false;
    d->held = grown;
    for (fl_heap_edges at = fl_heap_edges_of(d->heap, thread->object);
         fl_heap_edges_next(&at, &edge);)
        if (edge.kind == FL_HEAP_EDGE_STACK) {
            assert(d->held_count < thread->locals);
            d->held[d->held_count++] =
                (held){edge.to, edge.index, fl_heap_retained_bytes(d->heap, edge.to)};
        }
    qsort(d->held, d->held_count, sizeof(*d->held), by_frame);
    d->frame_count = fl_heap_thread_frames(d->frames, SHOWN_FRAMES, d->heap, d->threads, thread);
    d->shown_frames = d->frame_count < SHOWN_FRAMES ? d->frame_count : SHOWN_FRAMES;
    return true;
}

/* --- as text --- */

static void put_frame(fl_buf *out, const fl_heap_frame *frame)
{
    fl_buf_text(out, "    at ");
    fl_profile_text_terminal(out, frame->class_name);
    fl_buf_char(out, '.');
    fl_profile_text_terminal(out, frame->method);
    fl_buf_char(out, '(');
    fl_profile_text_terminal(out, frame->source.len > 0 ? frame->source : FL_SLICE("?"));
    if (frame->line > 0)
        fl_buf_printf(out, ":%" PRId32, frame->line);
    fl_buf_text(out, ")\n");
}

/* What lies in one frame, or, with UINT32_MAX, in none that is known. */
static void put_held(drawing *d, uint32_t frame)
{
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < d->held_count; i++) {
        if (d->held[i].frame != frame)
            continue;
        if (shown == SHOWN_OBJECTS) {
            more++;
            continue;
        }
        shown++;
        fl_buf_printf(d->out, "      %11" PRIu64 "  ", d->held[i].bytes);
        fl_heap_text_object(d->out, d->heap, d->held[i].object);
        fl_buf_char(d->out, '\n');
    }
    if (more > 0)
        fl_buf_printf(d->out, "      ... and %zu objects more\n", more);
}

/* "shop.Context.BUFFER", where a static is that ThreadLocal; else its address. */
static void put_key(drawing *d, fl_heap_object key)
{
    if (key == FL_HEAP_NONE) {
        fl_buf_text(d->out, "a ThreadLocal that is gone");
        return;
    }
    for (size_t i = 0; i < d->locals->key_count; i++) {
        const fl_heap_local_key *row = &d->locals->keys[i];
        if (row->key != key || row->holder == FL_HEAP_NONE)
            continue;
        fl_profile_text_terminal(d->out, fl_heap_class_at(d->heap, row->holder)->name);
        fl_buf_char(d->out, '.');
        fl_profile_text_terminal(d->out, row->member->name);
        return;
    }
    fl_heap_text_object(d->out, d->heap, key);
}

/* A value that something else keeps as well is retained by no ThreadLocal: 0. */
static void put_locals(drawing *d, fl_heap_object thread)
{
    size_t i = first_local(d, thread), shown = 0, more = 0;
    for (; i < d->locals->count && d->by_thread[i]->thread == thread; i++) {
        const fl_heap_local *row = d->by_thread[i];
        if (shown == SHOWN_LOCALS) {
            more++;
            continue;
        }
        fl_buf_text(d->out, shown++ == 0 ? "    ThreadLocals\n" : "");
        fl_buf_printf(d->out, "      %11" PRIu64 "  ", row->retained_bytes);
        put_key(d, row->key);
        fl_buf_text(d->out, " = ");
        fl_heap_text_object(d->out, d->heap, row->value);
        fl_buf_char(d->out, '\n');
    }
    if (more > 0)
        fl_buf_printf(d->out, "      ... and %zu ThreadLocals more\n", more);
}

/* First what lies on no known frame: locals of native code. */
static void put_thread(drawing *d, const fl_heap_thread *thread)
{
    char name[NAME_BYTES];
    fl_heap_text_field(name, sizeof(name), d->heap, thread->object, "name");
    fl_buf_text(d->out, "\n\"");
    fl_profile_text_terminal(d->out, fl_slice_of(name));
    fl_buf_text(d->out, "\" ");
    fl_heap_text_object(d->out, d->heap, thread->object);
    fl_buf_printf(d->out, ", %s%s%s\n  keeps %" PRIu64 " bytes; %" PRIu32 " objects on its stack\n",
                  fl_heap_thread_state_name(thread->state), thread->is_daemon ? ", daemon" : "",
                  thread->is_virtual ? ", virtual" : "", thread->retained_bytes, thread->locals);
    put_held(d, UINT32_MAX);
    for (size_t i = 0; i < d->shown_frames; i++) {
        put_frame(d->out, &d->frames[i]);
        put_held(d, (uint32_t)i);
    }
    if (d->shown_frames < d->frame_count)
        fl_buf_printf(d->out, "    ... and %zu frames more\n", d->frame_count - d->shown_frames);
    put_locals(d, thread->object);
}

/* Where a continuation does not say what it runs, the version of Java is one that is not known
 * here. */
static void put_task(fl_buf *out, const fl_heap *heap, const fl_heap_virtual *row)
{
    if (row->task_class == FL_HEAP_NONE)
        fl_buf_text(out, "(not known)");
    else
        fl_profile_text_terminal(out, fl_heap_class_at(heap, row->task_class)->name);
}

/* They come by the hundred thousand: one row for each class of task, never one a thread. */
static void put_virtuals(drawing *d)
{
    const fl_heap_threads *threads = d->threads;
    if (threads->virtual_count == 0)
        return;
    fl_buf_text(d->out,
                "\nVirtual threads\n  #retained       #new   #mounted   #waiting     #ended "
                " #unreached  task\n");
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, threads->virtual_count); i++) {
        const fl_heap_virtual *row = &threads->virtuals[i];
        fl_buf_printf(d->out,
                      "%11" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64
                      " %11" PRIu64 "  ",
                      row->retained_bytes, row->counts[FL_HEAP_THREAD_NEW],
                      row->counts[FL_HEAP_THREAD_RUNNABLE], row->counts[FL_HEAP_THREAD_WAITING],
                      row->counts[FL_HEAP_THREAD_ENDED], row->unreached);
        put_task(d->out, d->heap, row);
        fl_buf_char(d->out, '\n');
    }
    fl_heap_text_more(d->out, d->asked->top, threads->virtual_count, "tasks");
}

/* False without memory. */
static bool put_text(drawing *d)
{
    const fl_heap_threads *threads = d->threads;
    fl_heap_view_title(d->out, d->asked->title);
    fl_buf_printf(d->out,
                  "Threads:   %zu run; %" PRIu64 " other Thread objects (ended, never started, the "
                  "virtual machine's own) keep %" PRIu64 " bytes\n",
                  threads->count, threads->idle, threads->idle_bytes);
    put_virtuals(d);
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, threads->count); i++) {
        if (!take_stack(d, &threads->rows[i]))
            return false;
        put_thread(d, &threads->rows[i]);
    }
    fl_heap_text_more(d->out, d->asked->top, threads->count, "threads");
    return true;
}

/* --- as JSON --- */

static void json_frames(drawing *d)
{
    fl_buf *out = d->out;
    for (size_t i = 0; i < d->shown_frames; i++) {
        const fl_heap_frame *frame = &d->frames[i];
        fl_buf_text(out, i > 0 ? ",\n{" : "\n{");
        fl_buf_printf(out, "\"line\":%" PRId32, frame->line > 0 ? frame->line : 0);
        fl_heap_json_text(out, "class", frame->class_name);
        fl_heap_json_text(out, "method", frame->method);
        fl_heap_json_text(out, "source", frame->source);
        fl_buf_char(out, '}');
    }
}

/* All objects on the stack, with the number of their frame where they have one. */
static void json_held(drawing *d)
{
    for (size_t i = 0; i < d->held_count; i++) {
        const held *row = &d->held[i];
        fl_buf_text(d->out, i > 0 ? ",\n{" : "\n{");
        fl_heap_json_address(d->out, "object", d->heap, row->object);
        fl_heap_json_text(d->out, "class", fl_heap_text_class(d->heap, row->object));
        fl_buf_printf(d->out, ",\"retained_bytes\":%" PRIu64, row->bytes);
        if (row->frame != UINT32_MAX)
            fl_buf_printf(d->out, ",\"frame\":%" PRIu32, row->frame);
        fl_buf_char(d->out, '}');
    }
}

/* `key` is missing where the ThreadLocal is gone. */
static void json_locals(drawing *d, fl_heap_object thread)
{
    size_t first = first_local(d, thread);
    for (size_t i = first; i < d->locals->count && d->by_thread[i]->thread == thread; i++) {
        const fl_heap_local *row = d->by_thread[i];
        fl_buf_text(d->out, i > first ? ",\n{" : "\n{");
        fl_heap_json_address(d->out, "value", d->heap, row->value);
        fl_heap_json_text(d->out, "class", fl_heap_text_class(d->heap, row->value));
        if (row->key != FL_HEAP_NONE) {
            fl_buf_char(d->out, ',');
            fl_heap_json_address(d->out, "key", d->heap, row->key);
        }
        fl_buf_printf(d->out, ",\"retained_bytes\":%" PRIu64 "}", row->retained_bytes);
    }
}

/* The members of one thread; nothing of it is cut but frames. */
static void json_thread(drawing *d, const fl_heap_thread *thread)
{
    char name[NAME_BYTES];
    fl_heap_text_field(name, sizeof(name), d->heap, thread->object, "name");
    fl_buf_char(d->out, '{');
    fl_heap_json_address(d->out, "object", d->heap, thread->object);
    fl_heap_json_text(d->out, "class", fl_heap_text_class(d->heap, thread->object));
    fl_heap_json_text(d->out, "name", fl_slice_of(name));
    fl_buf_printf(d->out,
                  ",\"state\":\"%s\",\"is_daemon\":%s,\"is_virtual\":%s,\"retained_bytes\":%" PRIu64
                  ",\"frame_count\":%zu,\"frames\":[",
                  fl_heap_thread_state_name(thread->state), thread->is_daemon ? "true" : "false",
                  thread->is_virtual ? "true" : "false", thread->retained_bytes, d->frame_count);
    json_frames(d);
    fl_buf_text(d->out, "],\"held\":[");
    json_held(d);
    fl_buf_text(d->out, "],\"thread_locals\":[");
    json_locals(d, thread->object);
    fl_buf_text(d->out, "]}");
}

/* `mounted` ones are on a carrier, `waiting` ones are not. */
static void json_virtuals(drawing *d)
{
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, d->threads->virtual_count); i++) {
        const fl_heap_virtual *row = &d->threads->virtuals[i];
        fl_buf_printf(d->out,
                      "%s\n{\"retained_bytes\":%" PRIu64 ",\"count\":%" PRIu64 ",\"new\":%" PRIu64
                      ",\"mounted\":%" PRIu64 ",\"waiting\":%" PRIu64 ",\"ended\":%" PRIu64
                      ",\"unreached\":%" PRIu64 ",",
                      i > 0 ? "," : "", row->retained_bytes, row->count,
                      row->counts[FL_HEAP_THREAD_NEW], row->counts[FL_HEAP_THREAD_RUNNABLE],
                      row->counts[FL_HEAP_THREAD_WAITING], row->counts[FL_HEAP_THREAD_ENDED],
                      row->unreached);
        fl_heap_json_address(d->out, "largest", d->heap, row->largest);
        if (row->task_class != FL_HEAP_NONE)
            fl_heap_json_text(d->out, "task", fl_heap_class_at(d->heap, row->task_class)->name);
        fl_buf_char(d->out, '}');
    }
}

/* False without memory. */
static bool put_json(drawing *d)
{
    fl_heap_json_begin(d->out, "threads", d->asked->title);
    fl_buf_printf(d->out,
                  ",\"thread_count\":%zu,\"idle\":%" PRIu64 ",\"idle_bytes\":%" PRIu64
                  ",\"virtual_threads\":[",
                  d->threads->count, d->threads->idle, d->threads->idle_bytes);
    json_virtuals(d);
    fl_buf_text(d->out, "],\"threads\":[");
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, d->threads->count); i++) {
        if (!take_stack(d, &d->threads->rows[i]))
            return false;
        fl_buf_text(d->out, i > 0 ? ",\n" : "\n");
        json_thread(d, &d->threads->rows[i]);
    }
    fl_buf_text(d->out, "]}\n");
    return true;
}

/* Rows of ThreadLocals are ordered once by thread, not searched for each thread. */
static bool draw(drawing *d)
{
    d->by_thread = fl_mem_calloc(d->locals->count + 1, sizeof(*d->by_thread));
    d->held = fl_mem_calloc(1, sizeof(*d->held));
    bool is_done = d->by_thread != NULL && d->held != NULL;
    for (size_t i = 0; is_done && i < d->locals->count; i++)
        d->by_thread[i] = &d->locals->rows[i];
    if (is_done && d->locals->count > 1)
        qsort(d->by_thread, d->locals->count, sizeof(*d->by_thread), by_thread);
    is_done = is_done && (d->asked->as_json ? put_json : put_text)(d);
    fl_mem_free(d->by_thread);
    fl_mem_free(d->held);
    return is_done;
}

/* Both are found before anything is written: an answer is whole or there is none. */
fl_status fl_heap_show_threads(fl_buf *out, const fl_heap_asked *asked, fl_error *err)
{
    fl_heap_threads threads = {.count = 0};
    fl_heap_locals locals = {.count = 0};
    drawing d = {
        .out = out, .asked = asked, .heap = asked->heap, .threads = &threads, .locals = &locals};
    fl_status status = fl_heap_threads_find(&threads, asked->heap, err);
    if (status == FL_OK)
        status = fl_heap_locals_find(&locals, asked->heap, err);
    if (status == FL_OK && !draw(&d))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the threads");
    fl_heap_locals_dispose(&locals);
    fl_heap_threads_dispose(&threads);
    return status;
}
