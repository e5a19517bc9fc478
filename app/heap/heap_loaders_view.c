/*
 * heap_loaders_view.c - class loaders as text and as JSON: those that are there more than once
 * first, with what holds each of them.
 *
 * Which of the copies is the one in use no dump says; one that was closed is not.
 */
#include <assert.h>
#include <inttypes.h>

#include "heap_loaders.h"
#include "heap_show.h"
#include "heap_text.h"
#include "mem.h"
#include "profile_text.h"
#include "slice.h"

static const char hint[] =
    "A program that was taken away or deployed again should leave with its class loader: see what "
    "holds the old one (a listener, a thread, a ThreadLocal, a driver) and let go of it when the "
    "program ends.";

/* "java.net.URLClassLoader @ 0x7f00 "plugins" file:/opt/shop/": as far as it is known. */
static void put_name(fl_buf *out, const fl_heap *heap, const fl_heap_loader *row)
{
    char text[FL_HEAP_URL_BYTES];
    if (row->object == FL_HEAP_NONE) {
        fl_buf_text(out, "the boot loader");
        return;
    }
    fl_heap_text_object(out, heap, row->object);
    fl_heap_text_field(text, sizeof(text), heap, row->object, "name");
    if (text[0] != '\0') {
        fl_buf_text(out, " \"");
        fl_profile_text_terminal(out, fl_slice_of(text));
        fl_buf_char(out, '"');
    }
    if (fl_heap_loader_url(heap, row->object, text)) {
        fl_buf_char(out, ' ');
        fl_profile_text_terminal(out, fl_slice_of(text));
    }
    fl_buf_text(out, row->is_closed ? ", closed" : "");
}

/* What all copies of one set say together, and where they stand in `by_set`. */
typedef struct set_sum {
    const fl_heap_loader *largest;
    uint64_t retained_bytes;
    size_t closed, first;
} set_sum;

/* Loaders by set, so that each set is told in the time of its copies. */
typedef struct drawing {
    const fl_heap_asked *asked;
    const fl_heap_loaders *loaders;
    set_sum *sums;                 /* [set], from 1 on */
    const fl_heap_loader **by_set; /* those that have copies: set after set, the largest first */
    size_t sets_shown;
} drawing;

/* Counted, then placed: sets stand in the order of their first rows. */
static fl_status group_sets(drawing *d, fl_error *err)
{
    const fl_heap_loaders *loaders = d->loaders;
    d->sums = fl_mem_calloc(loaders->set_count + 1, sizeof(*d->sums));
    d->by_set = fl_mem_calloc(loaders->count + 1, sizeof(fl_heap_loader *));
    if (d->sums == NULL || d->by_set == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the class loaders");
    for (size_t i = 0, end = 0; i < loaders->count; i++) {
        const fl_heap_loader *row = &loaders->rows[i];
        set_sum *sum = &d->sums[row->set];
        assert(row->set <= loaders->set_count);
        if (row->set == 0)
            continue;
        if (sum->largest == NULL) {
            sum->largest = row;
            sum->first = end;
            end += row->copies;
        }
        sum->retained_bytes += row->retained_bytes;
        sum->closed += row->is_closed;
    }
    for (size_t i = 0; i < loaders->count; i++) {
        const fl_heap_loader *row = &loaders->rows[i];
        if (row->set > 0)
            d->by_set[d->sums[row->set].first++] = row;
    }
    for (size_t set = 1; set <= loaders->set_count; set++)
        d->sums[set].first -= d->sums[set].largest->copies;
    d->sets_shown = fl_heap_text_shown(d->asked->top, loaders->set_count);
    return FL_OK;
}

/* One sentence, the same in text and JSON. */
static void put_evidence(fl_buf *out, const fl_heap *heap, const set_sum *sum)
{
    char url[FL_HEAP_URL_BYTES];
    fl_buf_printf(out, "%zu loaders of the class ", sum->largest->copies);
    fl_profile_text_terminal(out, fl_heap_text_class(heap, sum->largest->object));
    fl_buf_text(out, " have the same classes");
    if (fl_heap_loader_url(heap, sum->largest->object, url)) {
        fl_buf_text(out, " from ");
        fl_profile_text_terminal(out, fl_slice_of(url));
    }
    fl_buf_printf(out, "; %zu of them are closed; together they keep %" PRIu64 " bytes",
                  sum->closed, sum->retained_bytes);
}

/* Each copy with its own way from the roots: they need not be held by the same thing. */
static void put_set(fl_buf *out, const drawing *d, size_t set)
{
    const fl_heap *heap = d->asked->heap;
    const set_sum *sum = &d->sums[set];
    size_t shown = fl_heap_text_shown(d->asked->top, sum->largest->copies);
    fl_buf_text(out, "  loaded-again: ");
    put_evidence(out, heap, sum);
    fl_buf_printf(out, "\n    %s\n", hint);
    for (size_t i = 0; i < shown; i++) {
        const fl_heap_loader *row = d->by_set[sum->first + i];
        fl_buf_text(out, "    ");
        put_name(out, heap, row);
        fl_buf_printf(out, "\n      keeps %" PRIu64 " bytes, and is kept by\n",
                      row->retained_bytes);
        fl_heap_text_way(out, heap, row->way, 6);
    }
    fl_heap_text_more(out, d->asked->top, sum->largest->copies, "of these loaders");
}

/* Findings, then all loaders in the order of what they keep. */
static void put_text(fl_buf *out, const drawing *d)
{
    const fl_heap_asked *asked = d->asked;
    const fl_heap_loaders *loaders = d->loaders;
    fl_heap_view_title(out, asked->title);
    fl_buf_text(out, loaders->set_count > 0 ? "Findings\n" : "No findings.\n");
    for (size_t set = 1; set <= d->sets_shown; set++)
        put_set(out, d, set);
    fl_heap_text_more(out, asked->top, loaders->set_count, "findings");
    fl_buf_text(out, "\n  #retained   #classes    #instances         #bytes  loader\n");
    for (size_t i = 0; i < fl_heap_text_shown(asked->top, loaders->count); i++) {
        const fl_heap_loader *row = &loaders->rows[i];
        fl_buf_printf(out, "%11" PRIu64 " %10" PRIu32 " %13" PRIu64 " %14" PRIu64 "  ",
                      row->retained_bytes, row->classes, row->objects, row->bytes);
        put_name(out, asked->heap, row);
        fl_buf_char(out, '\n');
    }
    fl_heap_text_more(out, asked->top, loaders->count, "loaders");
}

/* --- as JSON --- */

static void json_row(fl_buf *out, const fl_heap *heap, const fl_heap_loader *row)
{
    char text[FL_HEAP_URL_BYTES];
    fl_buf_printf(out,
                  "{\"classes\":%" PRIu32 ",\"instances\":%" PRIu64 ",\"bytes\":%" PRIu64
                  ",\"retained_bytes\":%" PRIu64 ",\"copies\":%zu,\"is_closed\":%s",
                  row->classes, row->objects, row->bytes, row->retained_bytes, row->copies,
                  row->is_closed ? "true" : "false");
    if (row->object != FL_HEAP_NONE) {
        fl_buf_char(out, ',');
        fl_heap_json_address(out, "object", heap, row->object);
        fl_heap_json_text(out, "class", fl_heap_text_class(heap, row->object));
        fl_heap_text_field(text, sizeof(text), heap, row->object, "name");
        if (text[0] != '\0')
            fl_heap_json_text(out, "name", fl_slice_of(text));
        if (fl_heap_loader_url(heap, row->object, text))
            fl_heap_json_text(out, "url", fl_slice_of(text));
    }
    if (row->way != NULL) {
        fl_buf_text(out, ",\"way\":");
        fl_heap_json_way(out, heap, row->way);
    }
    fl_buf_char(out, '}');
}

/* As the findings of collections: the sentence of the text, and the figures in it. */
static void json_set(fl_buf *out, const drawing *d, size_t set)
{
    const fl_heap *heap = d->asked->heap;
    const set_sum *sum = &d->sums[set];
    size_t shown = fl_heap_text_shown(d->asked->top, sum->largest->copies);
    fl_buf sentence = fl_buf_of(FL_MAX_HEAP_VIEW_BYTES);
    put_evidence(&sentence, heap, sum);
    fl_buf_text(out, set > 1 ? ",\n{\"kind\":\"loaded-again\"," : "\n{\"kind\":\"loaded-again\",");
    fl_heap_json_address(out, "object", heap, sum->largest->object);
    fl_buf_printf(out, ",\"part\":%zu,\"whole\":%zu,\"bytes\":%" PRIu64, sum->closed,
                  sum->largest->copies, sum->retained_bytes);
    fl_heap_json_text(out, "class", fl_heap_text_class(heap, sum->largest->object));
    fl_heap_json_text(out, "evidence", fl_buf_slice(&sentence));
    fl_heap_json_text(out, "hint", fl_slice_of(hint));
    fl_buf_text(out, ",\"loaders\":[");
    for (size_t i = 0; i < shown; i++) {
        fl_buf_text(out, i > 0 ? ",\n" : "\n");
        json_row(out, heap, d->by_set[sum->first + i]);
    }
    fl_buf_text(out, "]}");
    if (sentence.status != FL_OK && out->status == FL_OK)
        out->status = sentence.status;
    fl_buf_dispose(&sentence);
}

/* The table has each loader once, copies included. */
static void put_json(fl_buf *out, const drawing *d)
{
    const fl_heap_asked *asked = d->asked;
    const fl_heap_loaders *loaders = d->loaders;
    fl_heap_json_begin(out, "loaders", asked->title);
    fl_buf_printf(out, ",\"finding_count\":%zu,\"findings\":[", loaders->set_count);
    for (size_t set = 1; set <= d->sets_shown; set++)
        json_set(out, d, set);
    fl_buf_printf(out, "],\"loader_count\":%zu,\"loaders\":[", loaders->count);
    for (size_t i = 0; i < fl_heap_text_shown(asked->top, loaders->count); i++) {
        fl_heap_loader row = loaders->rows[i];
        row.way = NULL; /* it stands with the finding */
        fl_buf_text(out, i > 0 ? ",\n" : "\n");
        json_row(out, asked->heap, &row);
    }
    fl_buf_text(out, "]}\n");
}

fl_status fl_heap_show_loaders(fl_buf *out, const fl_heap_asked *asked, fl_error *err)
{
    fl_heap_loaders loaders;
    drawing d = {.asked = asked, .loaders = &loaders};
    fl_status status = fl_heap_loaders_find(&loaders, asked->heap, asked->top, err);
    if (status == FL_OK)
        status = group_sets(&d, err);
    if (status == FL_OK)
        (asked->as_json ? put_json : put_text)(out, &d);
    fl_mem_free(d.sums);
    fl_mem_free(d.by_set);
    fl_heap_loaders_dispose(&loaders);
    return status;
}
