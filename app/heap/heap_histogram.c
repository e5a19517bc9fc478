/*
 * heap_histogram.c - the classes of a heap, as text and as JSON.
 *
 * Sizes stand in bytes, unrounded: what people do with a histogram is compare it with another one.
 * Rows of one size are ordered by name, then by id, so that the same heap is the same answer.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "heap_text.h"
#include "heap_view.h"
#include "profile_text.h"
#include "slice.h"
#include "timestamp.h"

/* --- what stands above --- */

/* What the figures rest on stands above them: file, layout, and what is missing. */
void fl_heap_view_title(fl_buf *out, const fl_heap_title *title)
{
    fl_buf_text(out, "Heap dump: ");
    fl_profile_text_terminal(out, fl_slice_of(title->file));
    fl_buf_printf(out, " (HPROF %s, %" PRIu64 " bytes)\n", title->version, title->file_bytes);
    if (title->time_ns > 0) {
        char text[FL_TIME_TEXT];
        fl_time_format(text, title->time_ns);
        fl_buf_printf(out, "Written:   %s\n", text);
    }
    fl_buf_printf(out, "Layout:    %s%s\n", fl_heap_layout_name(title->layout),
                  title->layout_given ? ", as given" : ", inferred");
    fl_buf_printf(out, "Objects:   %" PRIu64 ", %" PRIu64 " bytes\n", title->objects, title->bytes);
    if (title->counts_all)
        fl_buf_text(out, "Counted:   every object of the dump, reachable or not\n");
    if (title->damage != NULL) {
        fl_buf_printf(out, "Incomplete: at byte %" PRIu64 " ", title->damage->offset);
        fl_profile_text_terminal(out, fl_slice_of(title->damage->message));
        fl_buf_text(out, "; what stands before it is counted\n");
    }
    if (title->without_roots)
        fl_buf_text(out, "Roots:     the dump ends before its roots; classes stand in for them\n");
    fl_buf_char(out, '\n');
}

/* A member whose value is a text. */
static void put_text(fl_buf *out, const char *key, fl_slice text)
{
    fl_buf_printf(out, "\"%s\":", key);
    fl_profile_text_json(out, text);
}

void fl_heap_view_title_json(fl_buf *out, const fl_heap_title *title)
{
    put_text(out, "file", fl_slice_of(title->file));
    fl_buf_char(out, ',');
    put_text(out, "version", fl_slice_of(title->version));
    fl_buf_printf(out, ",\"id_bytes\":%u,\"file_bytes\":%" PRIu64, title->id_bytes,
                  title->file_bytes);
    if (title->time_ns > 0) {
        char text[FL_TIME_TEXT];
        fl_time_format(text, title->time_ns);
        fl_buf_printf(out, ",\"written\":\"%s\"", text);
    }
    fl_buf_printf(out, ",\"layout\":\"%s\",\"layout_given\":%s", fl_heap_layout_name(title->layout),
                  title->layout_given ? "true" : "false");
    fl_buf_printf(out, ",\"objects\":%" PRIu64 ",\"bytes\":%" PRIu64, title->objects, title->bytes);
    if (title->counts_all)
        fl_buf_text(out, ",\"includes_unreachable\":true");
    if (title->damage != NULL) {
        fl_buf_printf(out, ",\"damage\":{\"offset\":%" PRIu64 ",", title->damage->offset);
        put_text(out, "message", fl_slice_of(title->damage->message));
        fl_buf_char(out, '}');
    }
    if (title->without_roots)
        fl_buf_text(out, ",\"without_roots\":true");
}

/* --- classes --- */

static int by_number(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b); /* the larger first */
}

/* Names and ids last, so that equal classes stand in one order whatever the file's. */
static int by_bytes(const void *a, const void *b)
{
    const fl_heap_class *left = *(const fl_heap_class *const *)a;
    const fl_heap_class *right = *(const fl_heap_class *const *)b;
    int order = by_number(left->bytes, right->bytes);
    if (order == 0)
        order = by_number(left->count, right->count);
    if (order == 0)
        order = fl_slice_compare(left->name, right->name);
    return order != 0 ? order : by_number(right->id, left->id);
}

/* What a class keeps alive says more than what its instances weigh. */
static int by_retained(const void *a, const void *b)
{
    const fl_heap_class *left = *(const fl_heap_class *const *)a;
    const fl_heap_class *right = *(const fl_heap_class *const *)b;
    int order = by_number(left->retained_bytes, right->retained_bytes);
    return order != 0 ? order : by_bytes(a, b);
}

fl_heap_histogram fl_heap_histogram_of(const fl_heap_class **rows, size_t count, size_t top,
                                       bool has_retained)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i]->count > 0)
            rows[kept++] = rows[i];
    if (kept > 0)
        qsort(rows, kept, sizeof(fl_heap_class *), has_retained ? by_retained : by_bytes);
    return (fl_heap_histogram){.rows = rows,
                               .count = top > 0 && top < kept ? top : kept,
                               .total_count = kept,
                               .has_retained = has_retained};
}

/* A histogram is read as what is alive, as that of `jmap -histo:live` is: a dump that was written
 * without a collection before it has garbage, too, which this says. */
static fl_heap_title title_for_all(const fl_heap_title *title)
{
    fl_heap_title all = *title;
    all.counts_all = true;
    return all;
}

/* Columns as jmap -histo has them. */
void fl_heap_view_histogram(fl_buf *out, const fl_heap_title *title,
                            const fl_heap_histogram *histogram)
{
    const fl_heap_title all = title_for_all(title);
    assert(histogram->count <= histogram->total_count);
    fl_heap_view_title(out, &all);
    fl_buf_text(out, histogram->has_retained
                         ? "   #instances         #bytes      #retained  class\n"
                         : "   #instances         #bytes  class\n");
    for (size_t i = 0; i < histogram->count; i++) {
        const fl_heap_class *row = histogram->rows[i];
        fl_buf_printf(out, "%13" PRIu64 " %14" PRIu64 "  ", row->count, row->bytes);
        if (histogram->has_retained)
            fl_buf_printf(out, "%13" PRIu64 "  ", row->retained_bytes);
        fl_profile_text_terminal(out, row->name);
        fl_buf_char(out, '\n');
    }
    fl_heap_text_left(out, histogram->total_count - histogram->count, "classes");
}

/* One row a line: large answers are read with grep, too. */
void fl_heap_view_histogram_json(fl_buf *out, const fl_heap_title *title,
                                 const fl_heap_histogram *histogram)
{
    const fl_heap_title all = title_for_all(title);
    assert(histogram->count <= histogram->total_count);
    fl_buf_text(out, "{\"schema\":1,\"kind\":\"heap-histogram\",");
    fl_heap_view_title_json(out, &all);
    fl_buf_printf(out, ",\"class_count\":%zu,\"classes\":[", histogram->total_count);
    for (size_t i = 0; i < histogram->count; i++) {
        const fl_heap_class *row = histogram->rows[i];
        fl_buf_text(out, i > 0 ? ",\n{" : "\n{");
        put_text(out, "class", row->name);
        fl_buf_printf(out, ",\"instances\":%" PRIu64 ",\"bytes\":%" PRIu64, row->count, row->bytes);
        if (histogram->has_retained)
            fl_buf_printf(out, ",\"retained_bytes\":%" PRIu64, row->retained_bytes);
        fl_buf_char(out, '}');
    }
    fl_buf_text(out, "]}\n");
}
