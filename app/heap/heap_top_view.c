/*
 * heap_top_view.c - what keeps most, and what no root keeps, as text and as JSON.
 *
 * Shares are of what the roots keep. What hangs on the roots directly is counted, so that the rows
 * of a table sum up to all of it.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "heap_show.h"
#include "heap_text.h"
#include "heap_top.h"
#include "mem.h"
#include "profile_text.h"
#include "slice.h"

/* --- top consumers --- */

static uint64_t reached_bytes(const fl_heap *heap)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++)
        bytes += fl_heap_class_at(heap, i)->reached_bytes;
    return bytes;
}

/* Of nothing, nothing. */
static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

/* A loader by its object, a class or a package by its name. */
static void put_name(fl_buf *out, const fl_heap *heap, const fl_heap_top_row *row, bool is_loader)
{
    if (!is_loader)
        fl_profile_text_terminal(out, row->name.len > 0 ? row->name : FL_SLICE("(no package)"));
    else if (row->loader == FL_HEAP_NONE)
        fl_buf_text(out, "the boot loader");
    else
        fl_heap_text_object(out, heap, row->loader);
}

/* One table; `what` names its rows. */
static void put_rows(fl_buf *out, const fl_heap_asked *asked, const fl_heap_top_row *rows,
                     size_t count, const char *what)
{
    uint64_t whole = reached_bytes(asked->heap);
    bool is_loader = what[0] == 'l';
    fl_buf_printf(out, "\n     #retained  share     #objects  %s\n", what);
    for (size_t i = 0; i < fl_heap_text_shown(asked->top, count); i++) {
        fl_buf_printf(out, "%14" PRIu64 " %5.1f%% %12" PRIu64 "  ", rows[i].retained_bytes,
                      percent(rows[i].retained_bytes, whole), rows[i].objects);
        put_name(out, asked->heap, &rows[i], is_loader);
        fl_buf_char(out, '\n');
    }
    fl_heap_text_more(out, asked->top, count, "rows");
}

/* Objects first, since they can be looked at one by one; then the sums. */
static void put_text(fl_buf *out, const fl_heap_asked *asked, const fl_heap_top *top)
{
    uint64_t whole = reached_bytes(asked->heap);
    fl_heap_view_title(out, asked->title);
    fl_buf_printf(out, "Of %zu objects that only the roots keep\n     #retained  share  object\n",
                  top->total_count);
    for (size_t i = 0; i < top->object_count; i++) {
        uint64_t bytes = fl_heap_retained_bytes(asked->heap, top->objects[i]);
        fl_buf_printf(out, "%14" PRIu64 " %5.1f%%  ", bytes, percent(bytes, whole));
        fl_heap_text_object(out, asked->heap, top->objects[i]);
        fl_buf_char(out, '\n');
    }
    fl_heap_text_more(out, asked->top, top->total_count, "objects");
    put_rows(out, asked, top->classes, top->class_count, "class");
    put_rows(out, asked, top->packages, top->package_count, "package");
    put_rows(out, asked, top->loaders, top->loader_count, "loader of the class");
}

/* A row of one of the three tables. */
static void json_rows(fl_buf *out, const fl_heap_asked *asked, const fl_heap_top_row *rows,
                      size_t count, const char *what)
{
    fl_buf_printf(out, ",\"%s\":[", what);
    for (size_t i = 0; i < fl_heap_text_shown(asked->top, count); i++) {
        fl_buf_printf(out, "%s\n{\"retained_bytes\":%" PRIu64 ",\"objects\":%" PRIu64,
                      i > 0 ? "," : "", rows[i].retained_bytes, rows[i].objects);
        if (what[0] != 'l')
            fl_heap_json_text(out, "name", rows[i].name);
        if (rows[i].loader != FL_HEAP_NONE) {
            fl_buf_char(out, ',');
            fl_heap_json_address(out, "loader", asked->heap, rows[i].loader);
        }
        fl_buf_char(out, '}');
    }
    fl_buf_char(out, ']');
}

/* In the order of the text. */
static void put_json(fl_buf *out, const fl_heap_asked *asked, const fl_heap_top *top)
{
    fl_heap_json_begin(out, "top", asked->title);
    fl_buf_printf(out, ",\"reached_bytes\":%" PRIu64 ",\"object_count\":%zu,\"largest\":[",
                  reached_bytes(asked->heap), top->total_count);
    for (size_t i = 0; i < top->object_count; i++) {
        uint32_t meant = fl_heap_class_meant(asked->heap, top->objects[i]);
        fl_buf_text(out, i > 0 ? ",\n{" : "\n{");
        fl_heap_json_address(out, "object", asked->heap, top->objects[i]);
        fl_heap_json_text(out, meant != FL_HEAP_NONE ? "meant" : "class",
                          meant != FL_HEAP_NONE ? fl_heap_class_at(asked->heap, meant)->name
                                                : fl_heap_text_class(asked->heap, top->objects[i]));
        fl_buf_printf(out, ",\"retained_bytes\":%" PRIu64 "}",
                      fl_heap_retained_bytes(asked->heap, top->objects[i]));
    }
    fl_buf_char(out, ']');
    json_rows(out, asked, top->classes, top->class_count, "classes");
    json_rows(out, asked, top->packages, top->package_count, "packages");
    json_rows(out, asked, top->loaders, top->loader_count, "loaders");
    fl_buf_text(out, "}\n");
}

/* The table of objects is cut while they are found, the others when they are shown. */
fl_status fl_heap_show_top(fl_buf *out, const fl_heap_asked *asked, fl_error *err)
{
    fl_heap_top top;
    fl_status status = fl_heap_top_find(&top, asked->heap, asked->top, err);
    if (status == FL_OK)
        (asked->as_json ? put_json : put_text)(out, asked, &top);
    fl_heap_top_dispose(&top);
    return status;
}

/* --- what no root keeps --- */

typedef struct unreached {
    const fl_heap_class *facts;
    uint64_t objects, bytes;
} unreached;

static int by_bytes(const void *a, const void *b)
{
    const unreached *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    int order = fl_slice_compare(x->facts->name, y->facts->name);
    return order != 0 ? order : (x->facts->id > y->facts->id) - (x->facts->id < y->facts->id);
}

/* Objects of which a dump has two are counted twice and reached once: never less than none. */
static size_t gather(unreached *rows, const fl_heap *heap)
{
    size_t count = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++) {
        const fl_heap_class *facts = fl_heap_class_at(heap, i);
        if (facts->count <= facts->reached)
            continue;
        rows[count++] = (unreached){
            .facts = facts,
            .objects = facts->count - facts->reached,
            .bytes = facts->bytes > facts->reached_bytes ? facts->bytes - facts->reached_bytes : 0};
    }
    qsort(rows, count, sizeof(*rows), by_bytes);
    return count;
}

/* The sums are of all rows, also where --top cuts them. */
static void put_unreached(fl_buf *out, const fl_heap_asked *asked, const unreached *rows,
                          size_t count)
{
    uint64_t objects = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        objects += rows[i].objects;
        bytes += rows[i].bytes;
    }
    if (asked->as_json) {
        fl_heap_json_begin(out, "unreachable", asked->title);
        fl_buf_printf(out,
                      ",\"unreachable_objects\":%" PRIu64 ",\"unreachable_bytes\":%" PRIu64
                      ",\"class_count\":%zu,\"classes\":[",
                      objects, bytes, count);
    } else {
        fl_heap_view_title(out, asked->title);
        fl_buf_printf(out,
                      asked->title->without_roots
                          ? "No class keeps %" PRIu64 " objects, %" PRIu64
                            " bytes; a root that the dump does not have may.\n"
                          : "No root keeps %" PRIu64 " objects, %" PRIu64
                            " bytes: the next collection takes them.\n",
                      objects, bytes);
        fl_buf_text(out, "   #instances         #bytes  class\n");
    }
    for (size_t i = 0; i < fl_heap_text_shown(asked->top, count); i++) {
        if (asked->as_json) {
            fl_buf_printf(out, "%s\n{\"instances\":%" PRIu64 ",\"bytes\":%" PRIu64,
                          i > 0 ? "," : "", rows[i].objects, rows[i].bytes);
            fl_heap_json_text(out, "class", rows[i].facts->name);
            fl_buf_char(out, '}');
            continue;
        }
        fl_buf_printf(out, "%13" PRIu64 " %14" PRIu64 "  ", rows[i].objects, rows[i].bytes);
        fl_profile_text_terminal(out, rows[i].facts->name);
        fl_buf_char(out, '\n');
    }
    if (asked->as_json)
        fl_buf_text(out, "]}\n");
    else
        fl_heap_text_more(out, asked->top, count, "classes");
}

/* Sums by class are there since the tree was made: no object is looked at. */
fl_status fl_heap_show_unreachable(fl_buf *out, const fl_heap_asked *asked, fl_error *err)
{
    unreached *rows = fl_mem_calloc(fl_heap_class_count(asked->heap) + 1, sizeof(*rows));
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the classes");
    size_t count = gather(rows, asked->heap);
    assert(count <= fl_heap_class_count(asked->heap));
    put_unreached(out, asked, rows, count);
    fl_mem_free(rows);
    return FL_OK;
}
