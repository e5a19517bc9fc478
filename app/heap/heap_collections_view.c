/*
 * heap_collections_view.c - what is in the collections of a heap: findings first, then the figures
 * that they rest on.
 *
 * The largest collections stand in the order of what they retain, so that the same heap is the same
 * text whatever the order of its file; a tie is broken by address.
 */
#include "heap_collections_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "heap_text.h"
#include "mem.h"
#include "profile_text.h"
#include "slice.h"

enum { EXAMPLE_BYTES = 80 };

/* A collection and what it retains, for the order of rows. */
typedef struct ranked {
    const fl_heap_collection *row;
    uint64_t bytes;
} ranked;

/* Of collections inside of each other the outer one comes first: it retains more. */
static int by_bytes(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->row->object > y->row->object) - (x->row->object < y->row->object);
}

/* The caller frees what is returned; NULL: no memory. */
static ranked *rank(const fl_heap_contents *c)
{
    ranked *rows = fl_mem_calloc(c->collections->count + 1, sizeof(*rows));
    for (size_t i = 0; rows != NULL && i < c->collections->count; i++) {
        rows[i].row = &c->collections->rows[i];
        rows[i].bytes = fl_heap_retained_bytes(c->heap, rows[i].row->object);
    }
    if (rows != NULL)
        qsort(rows, c->collections->count, sizeof(*rows), by_bytes);
    return rows;
}

/* As many rows as were asked for. */
static size_t shown(const fl_heap_contents *c, size_t count)
{
    return fl_heap_text_shown(c->top, count);
}

static fl_slice class_name(const fl_heap *heap, fl_heap_object object)
{
    assert(object != FL_HEAP_NONE);
    return fl_heap_class_at(heap, fl_heap_class_of(heap, object))->name;
}

/* --- findings --- */

/* "LeakLab$Ctx.TL": the static that a ThreadLocal is; its address where it is none. */
static void put_local_name(fl_buf *out, const fl_heap_contents *c, const fl_heap_local_key *key)
{
    if (key->holder == FL_HEAP_NONE) {
        fl_buf_printf(out, "ThreadLocal @ 0x%" PRIx64, fl_heap_id(c->heap, key->key));
        return;
    }
    fl_profile_text_terminal(out, fl_heap_class_at(c->heap, key->holder)->name);
    fl_buf_char(out, '.');
    fl_profile_text_terminal(out, key->member->name);
}

/* " of the class X", where one is known. */
static void put_class(fl_buf *out, const fl_heap *heap, const char *before, uint32_t class_index)
{
    if (class_index == FL_HEAP_NONE)
        return;
    fl_buf_text(out, before);
    fl_profile_text_terminal(out, fl_heap_class_at(heap, class_index)->name);
}

/* One sentence with the figures; the same in text and in JSON. */
static void put_evidence(fl_buf *out, const fl_heap_contents *c, const fl_heap_fault *fault)
{
    assert(fault->kind < FL_HEAP_FAULT_KIND_COUNT);
    if (fault->kind == FL_HEAP_LOCALS_IN_POOL) {
        put_local_name(out, c, &c->locals->keys[fault->row]);
        fl_buf_printf(
            out, ": %" PRIu64 " of %" PRIu64 " threads with values keep %" PRIu64 " bytes by it",
            fault->part, fault->whole, fault->bytes);
        put_class(out, c->heap, ", mostly in ", fault->key_class);
        return;
    }
    if (fault->kind == FL_HEAP_TEXTS_REPEATED) {
        fl_buf_printf(out,
                      "%" PRIu64 " of %" PRIu64
                      " Strings stand for a text that another has: %" PRIu64 " bytes",
                      fault->part, fault->whole, fault->bytes);
        return;
    }
    static const char *const what[] = {
        [FL_HEAP_KEYS_WITHOUT_EQUALS] = "have a key whose fields are those of another key",
        [FL_HEAP_KEYS_CHANGED] = "have a key that is also the key of another entry",
        [FL_HEAP_HASHES_COLLIDE] = "are in chains of 8 and more",
    };
    fl_profile_text_terminal(out, class_name(c->heap, fault->object));
    fl_buf_printf(out, " @ 0x%" PRIx64 ": %" PRIu64 " of %" PRIu64 " entries ",
                  fl_heap_id(c->heap, fault->object), fault->part, fault->whole);
    if (fault->changed != NULL) {
        fl_buf_text(out, "stand under the hash that their key had before its field ");
        fl_profile_text_terminal(out, fault->changed->name);
        fl_buf_text(out, " changed");
    } else
        fl_buf_text(out, what[fault->kind]);
    put_class(out, c->heap, "; keys: ", fault->key_class);
    fl_buf_printf(out, "; %" PRIu64 " bytes", fault->bytes);
}

/* What to do stands under what was found. */
static void put_faults(fl_buf *out, const fl_heap_contents *c)
{
    assert(c->faults != NULL);
    fl_buf_text(out, c->faults->count > 0 ? "Findings\n" : "No findings.\n");
    for (size_t i = 0; i < shown(c, c->faults->count); i++) {
        fl_buf_printf(out, "  %s: ", fl_heap_fault_name(c->faults->rows[i].kind));
        put_evidence(out, c, &c->faults->rows[i]);
        fl_buf_printf(out, "\n    %s\n", fl_heap_fault_hint(c->faults->rows[i].kind));
    }
    fl_heap_text_more(out, c->top, c->faults->count, "findings");
    fl_buf_char(out, '\n');
}

/* --- tables as text --- */

static void put_sums(fl_buf *out, const fl_heap_contents *c)
{
    fl_buf_text(out,
                "     #count     #empty    #entries  #lost bytes  filled 0  -20  -40  -60  -80 "
                "-100 %  collection\n");
    for (uint32_t i = 0; i < fl_heap_collection_info_count(); i++) {
        const fl_heap_collection_sum *sum = &c->collections->sums[i];
        if (sum->count == 0)
            continue;
        fl_buf_printf(out, "%11" PRIu64 " %10" PRIu64 " %11" PRIu64 " %12" PRIu64 "  ", sum->count,
                      sum->empty_count, sum->entries, sum->empty_bytes);
        for (size_t k = 0; k < FL_HEAP_FILL_STEPS; k++)
            fl_buf_printf(out, k == 0 ? "%8" PRIu64 : " %4" PRIu64, sum->fill[k]);
        fl_buf_printf(out, "    %s\n", fl_heap_collection_info(i)->name);
    }
    fl_buf_char(out, '\n');
}

/* The size is what the collection says of itself, the chain what is there. */
static void put_largest(fl_buf *out, const fl_heap_contents *c, const ranked *rows)
{
    assert(rows != NULL);
    fl_buf_text(out, "  #retained    #entries   capacity  longest chain  collection\n");
    for (size_t i = 0; i < shown(c, c->collections->count); i++) {
        const fl_heap_collection *row = rows[i].row;
        fl_buf_printf(out, "%11" PRIu64 " %11" PRIu64 " %10u %14" PRIu64 "  ", rows[i].bytes,
                      row->size, row->capacity, row->longest);
        fl_profile_text_terminal(out, class_name(c->heap, row->object));
        fl_buf_printf(out, " @ 0x%" PRIx64 "\n", fl_heap_id(c->heap, row->object));
    }
    fl_buf_char(out, '\n');
}

/* Texts that cost most, each once. */
static void put_strings(fl_buf *out, const fl_heap_contents *c)
{
    const fl_heap_strings *strings = c->strings;
    fl_buf_printf(out,
                  "Strings: %" PRIu64 " of %" PRIu64 " texts, %" PRIu64 " bytes, %" PRIu64
                  " of them lost to equal ones\n",
                  strings->strings, strings->texts, strings->bytes, strings->lost_bytes);
    if (strings->row_count > 0)
        fl_buf_text(out, "  #lost bytes   #Strings  text\n");
    for (size_t i = 0; i < strings->row_count; i++) {
        char text[EXAMPLE_BYTES];
        fl_buf_printf(out, "%13" PRIu64 " %10" PRIu64 "  \"", strings->rows[i].lost_bytes,
                      strings->rows[i].strings);
        if (fl_heap_string(c->heap, strings->rows[i].example, text, sizeof(text)))
            fl_profile_text_terminal(out, fl_slice_of(text));
        fl_buf_text(out, "\"\n");
    }
    fl_buf_char(out, '\n');
}

/* By thread, then by ThreadLocal: a pool shows in the second table. */
static void put_locals(fl_buf *out, const fl_heap_contents *c)
{
    const fl_heap_locals *locals = c->locals;
    fl_buf_printf(out, "ThreadLocals: %zu values in %zu threads\n", locals->count,
                  locals->thread_count);
    if (locals->count > 0)
        fl_buf_text(out, "  #retained   #values  #stale  thread\n");
    for (size_t i = 0; i < shown(c, locals->thread_count); i++) {
        const fl_heap_local_thread *row = &locals->threads[i];
        char text[EXAMPLE_BYTES] = "";
        fl_heap_object name = fl_heap_follow(c->heap, row->thread, "name");
        if (name == FL_HEAP_NONE || !fl_heap_string(c->heap, name, text, sizeof(text)))
            text[0] = '\0';
        fl_buf_printf(out, "%11" PRIu64 " %9u %7u  ", row->retained_bytes, row->entries,
                      row->stale);
        fl_profile_text_terminal(out, fl_slice_of(text));
        fl_buf_printf(out, " @ 0x%" PRIx64 "\n", fl_heap_id(c->heap, row->thread));
    }
    if (locals->key_count > 0)
        fl_buf_text(out, "  #retained  #threads  ThreadLocal\n");
    for (size_t i = 0; i < shown(c, locals->key_count); i++) {
        fl_buf_printf(out, "%11" PRIu64 " %9u  ", locals->keys[i].retained_bytes,
                      locals->keys[i].threads);
        put_local_name(out, c, &locals->keys[i]);
        put_class(out, c->heap, " of ", locals->keys[i].value_class);
        fl_buf_char(out, '\n');
    }
    fl_buf_char(out, '\n');
}

/* What the roots do not keep, by the bytes of the whole. */
static void put_unreached(fl_buf *out, const fl_heap_contents *c)
{
    uint64_t count = 0, bytes = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(c->heap); i++) {
        const fl_heap_class *class = fl_heap_class_at(c->heap, i);
        count += class->count > class->reached ? class->count - class->reached : 0;
        /* Objects of which a dump has two are counted twice and reached once, at any size. */
        bytes += class->bytes > class->reached_bytes ? class->bytes - class->reached_bytes : 0;
    }
    fl_buf_printf(out, "Not kept by any root: %" PRIu64 " objects, %" PRIu64 " bytes\n", count,
                  bytes);
}

fl_status fl_heap_view_collections(fl_buf *out, const fl_heap_contents *contents, fl_error *err)
{
    ranked *rows = rank(contents);
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    fl_heap_view_title(out, contents->title);
    put_faults(out, contents);
    put_sums(out, contents);
    put_largest(out, contents, rows);
    put_strings(out, contents);
    put_locals(out, contents);
    put_unreached(out, contents);
    fl_mem_free(rows);
    return FL_OK;
}

/* --- as JSON --- */

static void json_address(fl_buf *out, const char *key, const fl_heap *heap, fl_heap_object object)
{
    fl_buf_printf(out, "\"%s\":\"0x%" PRIx64 "\"", key, fl_heap_id(heap, object));
}

/* A member behind another. */
static void json_text(fl_buf *out, const char *key, fl_slice text)
{
    fl_buf_printf(out, ",\"%s\":", key);
    fl_profile_text_json(out, text);
}

/* The sentence of the text, and the figures that it is made of. */
static void json_faults(fl_buf *out, const fl_heap_contents *c)
{
    fl_buf sentence = fl_buf_of(FL_MAX_HEAP_VIEW_BYTES);
    for (size_t i = 0; i < shown(c, c->faults->count); i++) {
        const fl_heap_fault *fault = &c->faults->rows[i];
        fl_buf_clear(&sentence);
        put_evidence(&sentence, c, fault);
        fl_buf_printf(out, "%s\n{\"kind\":\"%s\",", i > 0 ? "," : "",
                      fl_heap_fault_name(fault->kind));
        json_address(out, "object", c->heap, fault->object);
        fl_buf_printf(out, ",\"part\":%" PRIu64 ",\"whole\":%" PRIu64 ",\"bytes\":%" PRIu64,
                      fault->part, fault->whole, fault->bytes);
        if (fault->key_class != FL_HEAP_NONE)
            json_text(out, "class", fl_heap_class_at(c->heap, fault->key_class)->name);
        if (fault->changed != NULL)
            json_text(out, "field", fault->changed->name);
        json_text(out, "evidence", fl_buf_slice(&sentence));
        json_text(out, "hint", fl_slice_of(fl_heap_fault_hint(fault->kind)));
        fl_buf_char(out, '}');
    }
    if (sentence.status != FL_OK && out->status == FL_OK)
        out->status = sentence.status;
    fl_buf_dispose(&sentence);
}

/* `filled` counts by steps: empty, up to 20, 40, 60, 80 and 100 %. */
static void json_sums(fl_buf *out, const fl_heap_contents *c)
{
    bool is_first = true;
    for (uint32_t i = 0; i < fl_heap_collection_info_count(); i++) {
        const fl_heap_collection_sum *sum = &c->collections->sums[i];
        if (sum->count == 0)
            continue;
        fl_buf_printf(out,
                      "%s\n{\"class\":\"%s\",\"count\":%" PRIu64 ",\"empty\":%" PRIu64
                      ",\"entries\":%" PRIu64 ",\"lost_bytes\":%" PRIu64 ",\"filled\":[",
                      is_first ? "" : ",", fl_heap_collection_info(i)->name, sum->count,
                      sum->empty_count, sum->entries, sum->empty_bytes);
        for (size_t k = 0; k < FL_HEAP_FILL_STEPS; k++)
            fl_buf_printf(out, "%s%" PRIu64, k > 0 ? "," : "", sum->fill[k]);
        fl_buf_text(out, "]}");
        is_first = false;
    }
}

/* In the order of the text. */
static void json_largest(fl_buf *out, const fl_heap_contents *c, const ranked *rows)
{
    assert(rows != NULL);
    for (size_t i = 0; i < shown(c, c->collections->count); i++) {
        const fl_heap_collection *row = rows[i].row;
        fl_buf_text(out, i > 0 ? ",\n{" : "\n{");
        json_address(out, "object", c->heap, row->object);
        json_text(out, "class", class_name(c->heap, row->object));
        fl_buf_printf(out,
                      ",\"retained_bytes\":%" PRIu64 ",\"entries\":%" PRIu64
                      ",\"capacity\":%u,\"longest_chain\":%" PRIu64 ",\"in_long_chains\":%" PRIu64
                      "}",
                      rows[i].bytes, row->size, row->capacity, row->longest, row->in_long);
    }
}

/* The sums, then the rows. */
static void json_strings(fl_buf *out, const fl_heap_contents *c)
{
    const fl_heap_strings *strings = c->strings;
    fl_buf_printf(out,
                  "{\"count\":%" PRIu64 ",\"texts\":%" PRIu64 ",\"bytes\":%" PRIu64
                  ",\"lost_bytes\":%" PRIu64 ",\"rows\":[",
                  strings->strings, strings->texts, strings->bytes, strings->lost_bytes);
    for (size_t i = 0; i < strings->row_count; i++) {
        char text[EXAMPLE_BYTES];
        fl_buf_printf(out, "%s\n{\"lost_bytes\":%" PRIu64 ",\"strings\":%" PRIu64, i > 0 ? "," : "",
                      strings->rows[i].lost_bytes, strings->rows[i].strings);
        if (fl_heap_string(c->heap, strings->rows[i].example, text, sizeof(text)))
            json_text(out, "text", fl_slice_of(text));
        fl_buf_char(out, '}');
    }
    fl_buf_text(out, "]}");
}

/* By ThreadLocal only; threads are named by queries. */
static void json_locals(fl_buf *out, const fl_heap_contents *c)
{
    const fl_heap_locals *locals = c->locals;
    for (size_t i = 0; i < shown(c, locals->key_count); i++) {
        const fl_heap_local_key *key = &locals->keys[i];
        fl_buf_text(out, i > 0 ? ",\n{" : "\n{");
        json_address(out, "object", c->heap, key->key);
        fl_buf_printf(out, ",\"threads\":%u,\"retained_bytes\":%" PRIu64, key->threads,
                      key->retained_bytes);
        json_text(out, "value_class", fl_heap_class_at(c->heap, key->value_class)->name);
        if (key->holder != FL_HEAP_NONE) {
            json_text(out, "holder_class", fl_heap_class_at(c->heap, key->holder)->name);
            json_text(out, "holder_field", key->member->name);
        }
        fl_buf_char(out, '}');
    }
}

fl_status fl_heap_view_collections_json(fl_buf *out, const fl_heap_contents *contents,
                                        fl_error *err)
{
    ranked *rows = rank(contents);
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    fl_buf_text(out, "{\"schema\":1,\"kind\":\"heap-collections\",");
    fl_heap_view_title_json(out, contents->title);
    fl_buf_printf(out, ",\"finding_count\":%zu,\"findings\":[", contents->faults->count);
    json_faults(out, contents);
    fl_buf_text(out, "],\"collections\":[");
    json_sums(out, contents);
    fl_buf_text(out, "],\"largest\":[");
    json_largest(out, contents, rows);
    fl_buf_text(out, "],\"strings\":");
    json_strings(out, contents);
    fl_buf_text(out, ",\"thread_locals\":[");
    json_locals(out, contents);
    fl_buf_text(out, "]}\n");
    fl_mem_free(rows);
    return FL_OK;
}
