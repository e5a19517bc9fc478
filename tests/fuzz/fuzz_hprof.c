/* Any bytes: no crash; items lie in the dump, come again and in brief; the census counts each
 * object; the graph numbers, weighs and walks all of them. */
#include <assert.h>

#include "census.h"
#include "fuzz.h"
#include "heap.h"
#include "heap_signs.h"
#include "heap_skimmed.h"
#include "hprof.h"

/* How many objects there are. */
static uint64_t walk(const fl_heap_source *source, fl_slice bytes)
{
    fl_heap_item items[7], again;
    uint64_t objects = 0;
    for (size_t n = 1; n > 0;) {
        n = source->read(source->payload, items, 7);
        for (size_t i = 0; i < n; i++) {
            assert(items[i].offset < bytes.len);
            objects += items[i].kind >= FL_HEAP_ITEM_CLASS;
            if (items[i].kind < FL_HEAP_ITEM_CLASS)
                continue;
            assert(items[i].body.ptr >= bytes.ptr);
            assert(items[i].body.ptr + items[i].body.len <= bytes.ptr + bytes.len);
            assert(source->at(source->payload, items[i].offset, &again));
            assert(again.id == items[i].id);
        }
    }
    return objects;
}

/* Dominators hold: what an object retains is in what its dominator retains. */
static void check_graph(const fl_heap_source *source)
{
    const fl_heap_options options = {0};
    fl_heap *heap;
    fl_heap_edge edge;
    char text[16];
    if (fl_heap_create(&heap, source, &options, NULL) != FL_OK)
        return;
    for (fl_heap_object o = 0; o < fl_heap_count(heap); o++) {
        fl_heap_object above = fl_heap_idom(heap, o);
        assert(fl_heap_find(heap, fl_heap_id(heap, o)) == o);
        assert(above == FL_HEAP_NONE ||
               fl_heap_retained_bytes(heap, above) >= fl_heap_retained_bytes(heap, o));
        (void)fl_heap_string(heap, o, text, sizeof(text));
        for (fl_heap_edges at = fl_heap_edges_of(heap, o); fl_heap_edges_next(&at, &edge);)
            assert(edge.to < fl_heap_count(heap));
    }
    assert(fl_heap_index_inbound(heap, NULL) == FL_OK);
    fl_heap_record record;
    if (fl_heap_record_make(&record, heap, NULL) == FL_OK) {
        const fl_heap_record *records[2] = {&record, &record};
        fl_arena arena = fl_arena_of(1 << 20);
        fl_heap_signs signs;
        if (fl_heap_signs_find(&signs, records, 2, &arena, NULL) == FL_OK)
            assert(signs.leaks == 0);
        fl_arena_dispose(&arena);
        fl_heap_record_dispose(&record);
    }
    fl_heap_destroy(heap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_slice bytes = {.ptr = data, .len = size};
    fl_hprof *dump;
    fl_census *census;
    fl_error err = {0};
    if (fl_hprof_over(&dump, bytes, &err) != FL_OK) {
        assert(err.message[0] != '\0');
        return 0;
    }
    fl_heap_source source = fl_hprof_source(dump);
    uint64_t objects = walk(&source, bytes), counted = 0;
    (void)heap_skimmed_all_ways(&source);
    if (fl_census_create(&census, &source, FL_HEAP_LAYOUT_INFER, &err) == FL_OK) {
        assert(fl_census_totals_of(census).objects == objects);
        for (uint32_t i = 0; i < fl_census_class_count(census); i++)
            counted += fl_census_class_at(census, i)->count;
        assert(counted <= objects); /* a class that is there twice counts once */
        fl_census_destroy(census);
    }
    check_graph(&source);
    fl_hprof_close(dump);
    return 0;
}
