/*
 * heap_finalizers_view.c - the queue of finalizers and what waits in it, then references by class,
 * as text and as JSON.
 *
 * What the thread that runs finalizers is in says why a queue grows: the innermost frame of a
 * method finalize() on its stack.
 */
#include <inttypes.h>

#include "heap_finalizers.h"
#include "heap_show.h"
#include "heap_text.h"
#include "heap_threads.h"
#include "profile_text.h"
#include "slice.h"

enum { MAX_FRAMES = 256 };

static const char hint[] =
    "Finalizers run one after the other in one thread: one that is slow or waits holds up all "
    "objects behind it. Close what is to be closed (try-with-resources), and leave finalize() out.";

typedef struct drawing {
    const fl_heap_asked *asked;
    const fl_heap *heap;
    const fl_heap_finalizers *found;
    uint64_t reached_bytes;
    bool is_found;      /* the queue is a finding */
    fl_heap_frame runs; /* finalize() of the thread that runs them; no method: it is in none */
} drawing;

/* The innermost finalize() of any thread: only the virtual machine's own call it. */
static fl_heap_frame running(const fl_heap *heap, const fl_heap_threads *threads)
{
    fl_heap_frame frames[MAX_FRAMES];
    for (size_t i = 0; i < threads->count; i++) {
        size_t count = fl_heap_thread_frames(frames, MAX_FRAMES, heap, threads, &threads->rows[i]);
        for (size_t k = 0; k < count && k < MAX_FRAMES; k++)
            if (fl_slice_equal(frames[k].method, FL_SLICE("finalize")))
                return frames[k];
    }
    return (fl_heap_frame){.line = 0};
}

/* One sentence, the same in text and JSON: how many, how much, and what is in the way. */
static void put_evidence(fl_buf *out, const drawing *d)
{
    fl_buf_printf(out,
                  "%" PRIu64 " objects wait for their finalizer; %" PRIu64
                  " bytes are alive for no other reason, mostly in ",
                  d->found->queued, d->found->kept_bytes);
    fl_profile_text_terminal(out, fl_heap_class_at(d->heap, d->found->rows[0].class_index)->name);
    if (d->runs.method.len == 0)
        return;
    fl_buf_text(out, "; the finalizer of ");
    fl_profile_text_terminal(out, d->runs.class_name);
    fl_buf_text(out, " runs");
}

/* By class, those first whose objects are only alive because they wait. */
static void put_finalizables(fl_buf *out, const drawing *d)
{
    const fl_heap_finalizers *found = d->found;
    fl_buf_printf(out,
                  "Finalizers: %" PRIu64 " registered, %" PRIu64 " queued, %" PRIu64
                  " taken out of the queue; %" PRIu64 " bytes kept by nothing else\n",
                  found->registered, found->queued, found->taken, found->kept_bytes);
    if (!found->has_queue)
        fl_buf_text(out, "  Which ones are queued the dump does not say.\n");
    if (found->count > 0)
        fl_buf_text(out, "    #kept  #registered    #queued     #taken  objects of\n");
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, found->count); i++) {
        const fl_heap_finalizable *row = &found->rows[i];
        fl_buf_printf(out, "%9" PRIu64 " %12" PRIu64 " %10" PRIu64 " %10" PRIu64 "  ",
                      row->kept_bytes, row->registered, row->queued, row->taken);
        fl_profile_text_terminal(out, fl_heap_class_at(d->heap, row->class_index)->name);
        fl_buf_char(out, '\n');
    }
    fl_heap_text_more(out, d->asked->top, found->count, "classes");
}

/* The finding, the finalizers, then every kind of reference. */
static void put_text(fl_buf *out, const drawing *d)
{
    const fl_heap_finalizers *found = d->found;
    fl_heap_view_title(out, d->asked->title);
    if (d->is_found) {
        fl_buf_text(out, "Findings\n  finalizers-wait: ");
        put_evidence(out, d);
        fl_buf_printf(out, "\n    %s\n\n", hint);
    } else
        fl_buf_text(out, "No findings.\n\n");
    put_finalizables(out, d);
    fl_buf_text(out,
                "\nReferences\n     #count   #cleared    #queued   #pending  kind     class\n");
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, found->reference_count); i++) {
        const fl_heap_references *row = &found->references[i];
        fl_buf_printf(out, "%11" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %-7s  ",
                      row->count, row->cleared, row->queued, row->pending,
                      fl_heap_reference_kind_name(row->kind));
        fl_profile_text_terminal(out, fl_heap_class_at(d->heap, row->class_index)->name);
        fl_buf_char(out, '\n');
    }
    fl_heap_text_more(out, d->asked->top, found->reference_count, "classes");
}

/* --- as JSON --- */

static void json_finding(fl_buf *out, const drawing *d)
{
    fl_buf sentence = fl_buf_of(FL_MAX_HEAP_VIEW_BYTES);
    put_evidence(&sentence, d);
    fl_buf_text(out, "\n{\"kind\":\"finalizers-wait\",");
    fl_heap_json_address(out, "object", d->heap, d->found->rows[0].first);
    fl_buf_printf(out, ",\"part\":%" PRIu64 ",\"whole\":%" PRIu64 ",\"bytes\":%" PRIu64,
                  d->found->queued, d->found->queued + d->found->registered + d->found->taken,
                  d->found->kept_bytes);
    fl_heap_json_text(out, "class", fl_heap_class_at(d->heap, d->found->rows[0].class_index)->name);
    fl_heap_json_text(out, "evidence", fl_buf_slice(&sentence));
    fl_heap_json_text(out, "hint", fl_slice_of(hint));
    fl_buf_char(out, '}');
    if (sentence.status != FL_OK && out->status == FL_OK)
        out->status = sentence.status;
    fl_buf_dispose(&sentence);
}

/* `first` is where to go on looking: `--view dominators --object`. */
static void json_finalizables(fl_buf *out, const drawing *d)
{
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, d->found->count); i++) {
        const fl_heap_finalizable *row = &d->found->rows[i];
        fl_buf_text(out, i > 0 ? ",\n{" : "\n{");
        fl_heap_json_address(out, "first", d->heap, row->first);
        fl_heap_json_text(out, "class", fl_heap_class_at(d->heap, row->class_index)->name);
        fl_buf_printf(out,
                      ",\"registered\":%" PRIu64 ",\"queued\":%" PRIu64 ",\"taken\":%" PRIu64
                      ",\"kept_bytes\":%" PRIu64 "}",
                      row->registered, row->queued, row->taken, row->kept_bytes);
    }
}

/* In the order of the text. */
static void json_references(fl_buf *out, const drawing *d)
{
    for (size_t i = 0; i < fl_heap_text_shown(d->asked->top, d->found->reference_count); i++) {
        const fl_heap_references *row = &d->found->references[i];
        fl_buf_printf(out, "%s\n{\"reference_kind\":\"%s\"", i > 0 ? "," : "",
                      fl_heap_reference_kind_name(row->kind));
        fl_heap_json_text(out, "class", fl_heap_class_at(d->heap, row->class_index)->name);
        fl_buf_printf(out,
                      ",\"count\":%" PRIu64 ",\"cleared\":%" PRIu64 ",\"queued\":%" PRIu64
                      ",\"pending\":%" PRIu64 "}",
                      row->count, row->cleared, row->queued, row->pending);
    }
}

/* All sums, also where the rows are cut by --top. */
static void put_json(fl_buf *out, const drawing *d)
{
    const fl_heap_finalizers *found = d->found;
    fl_heap_json_begin(out, "finalizers", d->asked->title);
    fl_buf_text(out, ",\"findings\":[");
    if (d->is_found)
        json_finding(out, d);
    fl_buf_printf(out,
                  "],\"registered\":%" PRIu64 ",\"queued\":%" PRIu64 ",\"taken\":%" PRIu64
                  ",\"kept_bytes\":%" PRIu64 ",\"has_queue\":%s,\"finalizables\":[",
                  found->registered, found->queued, found->taken, found->kept_bytes,
                  found->has_queue ? "true" : "false");
    json_finalizables(out, d);
    fl_buf_text(out, "],\"references\":[");
    json_references(out, d);
    fl_buf_text(out, "]}\n");
}

/* Threads are asked for their stacks only: which finalizer is being run. */
fl_status fl_heap_show_finalizers(fl_buf *out, const fl_heap_asked *asked, fl_error *err)
{
    fl_heap_finalizers found = {.count = 0};
    fl_heap_threads threads = {.count = 0};
    drawing d = {.asked = asked, .heap = asked->heap, .found = &found};
    for (uint32_t i = 0; i < fl_heap_class_count(asked->heap); i++)
        d.reached_bytes += fl_heap_class_at(asked->heap, i)->reached_bytes;
    fl_status status = fl_heap_finalizers_find(&found, asked->heap, err);
    if (status == FL_OK)
        status = fl_heap_threads_find(&threads, asked->heap, err);
    if (status == FL_OK) {
        d.is_found = fl_heap_finalizers_wait(&found, d.reached_bytes);
        d.runs = running(asked->heap, &threads);
        (asked->as_json ? put_json : put_text)(out, &d);
    }
    fl_heap_threads_dispose(&threads);
    fl_heap_finalizers_dispose(&found);
    return status;
}
