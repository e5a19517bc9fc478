/*
 * heap_growing.h - heaps of one program at different moments: a static collection with so many
 * elements, threads, and loaders that each have a class of one name.
 *
 *   shop.Reg.<field> -> collection -> array -> [node -> key, value | element]; an element may be of
 *   an inner class and keep the shop.Page that made it
 */
#ifndef FL_HEAP_GROWING_H
#define FL_HEAP_GROWING_H

#include <stdio.h>

#include "heap_built.h"

enum {
    GROWING_OBJECT = 0x100,
    GROWING_CLASS = 0x200,
    GROWING_STRING = 0x300,
    GROWING_BYTES = 0x400,
    GROWING_COLLECTION = 0x500,
    GROWING_ARRAY = 0x600,
    GROWING_NODE = 0x700,
    GROWING_ELEMENT = 0x800,
    GROWING_PAGE = 0x900,
    GROWING_REG = 0xa00,
    GROWING_THREAD = 0xb00,
    GROWING_TASK = 0xc00,
    GROWING_LOADER = 0xd00,
    GROWING_KEY = 0xe00,
    GROWING_TABLE = 0x8000,
    GROWING_HOLDER = 0x8100,
    GROWING_NAME = 0x8200,
    GROWING_TEXT = 0x8300,
    GROWING_MAX = 2000
};

typedef struct growing {
    const char *collection; /* "java/util/HashMap" */
    const char *size, *array;
    const char *field;   /* of shop.Reg */
    const char *element; /* "shop/Item" */
    bool has_nodes, has_outer, one_key;
    bool has_chains; /* ten nodes in each slot that is used */
    uint32_t count, threads, loaders;
    uint64_t task; /* class of what the threads run; 0: nothing */
} growing;

static inline uint64_t growing_at(unsigned kind, uint32_t i)
{
    return 0x1000000 * (uint64_t)(kind + 1) + 256 * (uint64_t)i;
}

static inline void growing_elements(fl_hprof_made *m, const growing *g)
{
    static uint64_t slots[GROWING_MAX];
    for (uint32_t i = 0; i < g->count; i++)
        slots[i] = g->has_chains && i % 10 > 0 ? 0 : growing_at(g->has_nodes ? 0 : 1, i);
    made_objects(m, GROWING_TABLE, GROWING_ARRAY, slots, g->count);
    for (uint32_t i = 0; i < g->count; i++) {
        uint64_t key = growing_at(2, g->one_key ? i / 2 : i);
        if (g->has_nodes) {
            made_instance(m, growing_at(0, i), GROWING_NODE, 3 * m->id_bytes);
            made_id(m, key);
            made_id(m, growing_at(1, i));
            bool is_last = i % 10 == 9 || i + 1 == g->count;
            made_id(m, g->has_chains && !is_last ? growing_at(0, i + 1) : 0);
        }
        if (g->has_nodes && (!g->one_key || i % 2 == 0)) {
            made_instance(m, key, GROWING_KEY, 8);
            made_number(m, i, 8);
        }
        made_instance(m, growing_at(1, i), GROWING_ELEMENT, 8 + m->id_bytes);
        made_number(m, i, 8);
        made_id(m, g->has_outer ? growing_at(3, i) : 0);
        if (g->has_outer) {
            made_instance(m, growing_at(3, i), GROWING_PAGE, 64);
            for (uint64_t k = 0; k < 8; k++)
                made_number(m, k, 8);
        }
    }
}

static inline void growing_threads(fl_hprof_made *m, const growing *g)
{
    for (uint32_t i = 0; i < g->threads; i++) {
        made_instance(m, growing_at(4, i), GROWING_THREAD, 2 * m->id_bytes);
        made_id(m, GROWING_NAME);
        made_id(m, g->task != 0 ? growing_at(5, i) : 0);
        made_root_of(m, 0x08, growing_at(4, i), i + 1, 0);
        if (g->task != 0)
            made_instance(m, growing_at(5, i), g->task, 0);
    }
    made_instance(m, GROWING_NAME, GROWING_STRING, m->id_bytes + 1);
    made_id(m, GROWING_TEXT);
    made_number(m, 0, 1);
    made_values(m, GROWING_TEXT, FL_HEAP_BYTE, "pool-12-job-7", 13);
}

/* Each loader has a class of one name. */
static inline void growing_loaders(fl_hprof_made *m, const growing *g)
{
    for (uint32_t i = 0; i < g->loaders; i++) {
        const made_class plugin = {.id = growing_at(6, i), .loader = growing_at(7, i)};
        made_class_item(m, &plugin);
        made_root(m, 0x05, plugin.id);
        made_instance(m, plugin.loader, GROWING_LOADER, 0);
    }
}

static inline fl_hprof_made growing_made(const growing *g)
{
    const made_member collection[] = {{g->size, FL_HEAP_INT, 0}, {g->array, FL_HEAP_REFERENCE, 0}};
    static const made_member node[] = {{"key", FL_HEAP_REFERENCE, 0},
                                       {"value", FL_HEAP_REFERENCE, 0},
                                       {"next", FL_HEAP_REFERENCE, 0}};
    const made_member element[] = {{"id", FL_HEAP_LONG, 0},
                                   {g->has_outer ? "this$0" : "other", FL_HEAP_REFERENCE, 0}};
    static const made_member page[] = {{"a", FL_HEAP_LONG, 0}, {"b", FL_HEAP_LONG, 0},
                                       {"c", FL_HEAP_LONG, 0}, {"d", FL_HEAP_LONG, 0},
                                       {"e", FL_HEAP_LONG, 0}, {"f", FL_HEAP_LONG, 0},
                                       {"g", FL_HEAP_LONG, 0}, {"h", FL_HEAP_LONG, 0}};
    static const made_member text[] = {{"value", FL_HEAP_REFERENCE, 0}, {"coder", FL_HEAP_BYTE, 0}};
    static const made_member thread[] = {{"name", FL_HEAP_REFERENCE, 0},
                                         {"target", FL_HEAP_REFERENCE, 0}};
    const made_member reg[] = {{g->field, FL_HEAP_REFERENCE, GROWING_HOLDER}};
    const uint64_t object = GROWING_OBJECT;
    const built_class classes[] = {
        {GROWING_OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {GROWING_CLASS, object, "java/lang/Class", NULL, 0, NULL, 0},
        {GROWING_STRING, object, "java/lang/String", NULL, 0, text, 2},
        {GROWING_BYTES, object, "[B", NULL, 0, NULL, 0},
        {GROWING_COLLECTION, object, g->collection, NULL, 0, collection, 2},
        {GROWING_ARRAY, object, "[Ljava/lang/Object;", NULL, 0, NULL, 0},
        {GROWING_NODE, object, "java/util/HashMap$Node", NULL, 0, node, 3},
        {GROWING_ELEMENT, object, g->element, NULL, 0, element, 2},
        {GROWING_PAGE, object, "shop/Page", NULL, 0, page, 8},
        {GROWING_REG, object, "shop/Reg", reg, 1, NULL, 0},
        {GROWING_THREAD, object, "java/lang/Thread", NULL, 0, thread, 2},
        {GROWING_TASK, object, "shop/Poller", NULL, 0, NULL, 0},
        {GROWING_LOADER, object, "java/lang/ClassLoader", NULL, 0, NULL, 0},
        {GROWING_KEY, object, "shop/Key", NULL, 0, element, 1},
    };
    fl_hprof_made m = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_segment_end(&m); /* names of plug-ins stand between segments */
    for (uint32_t i = 0; i < g->loaders; i++)
        made_loaded(&m, growing_at(6, i), "plug/Plugin");
    made_segment(&m);
    made_instance(&m, GROWING_HOLDER, GROWING_COLLECTION, 4 + m.id_bytes);
    made_number(&m, g->count, 4);
    made_id(&m, GROWING_TABLE);
    growing_elements(&m, g);
    growing_threads(&m, g);
    growing_loaders(&m, g);
    return m;
}

static inline fl_status growing_open(built_heap *built, const growing *g, fl_error *err)
{
    built->made = growing_made(g);
    return built_open(built, false, err);
}

#endif
