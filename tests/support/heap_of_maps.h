/*
 * heap_of_maps.h - a small heap with what questions are asked about: maps, strings, boxed numbers,
 * threads, arrays of every type, a static, a class that inherits.
 *
 *   thread "main" -> big: HashMap (table of 4: nodes a -> 1, b -> 2), small: LinkedHashMap (no
 * table) static shop.Shop.CACHE -> big; shop.Shop.LIMIT = 10; garbage: an int[3] {7, -8, 9}
 */
#ifndef FL_HEAP_OF_MAPS_H
#define FL_HEAP_OF_MAPS_H

#include "heap_built.h"

enum {
    MAPS_OBJECT = 0x100,
    MAPS_CLASS = 0x200,
    MAPS_STRING = 0x300,
    MAPS_BYTES = 0x400,
    MAPS_CHARS = 0x500,
    MAPS_INTS = 0x600,
    MAPS_HASH_MAP = 0x700,
    MAPS_LINKED = 0x800,
    MAPS_NODE = 0x900,
    MAPS_NODES = 0xa00,
    MAPS_INTEGER = 0xb00,
    MAPS_DOUBLE = 0xc00,
    MAPS_THREAD = 0xd00,
    MAPS_SHOP = 0xe00,
    MAPS_BUILDER = 0xf00,
    MAPS_BIG = 0x8000,
    MAPS_SMALL = 0x8030,
    MAPS_TABLE = 0x8060,
    MAPS_NODE_A = 0x8080,
    MAPS_NODE_B = 0x80a0,
    MAPS_KEY_A = 0x80c0,
    MAPS_KEY_B = 0x80d8,
    MAPS_TEXT_A = 0x80f0,
    MAPS_TEXT_B = 0x8108,
    MAPS_ONE = 0x8120,
    MAPS_TWO = 0x8130,
    MAPS_MAIN = 0x8140,
    MAPS_MAIN_NAME = 0x8158,
    MAPS_MAIN_TEXT = 0x8170,
    MAPS_GARBAGE = 0x8188,
    MAPS_HALF = 0x81a8,
    MAPS_BUILDING = 0x81b8,
    MAPS_BUILT = 0x81d0
};

static inline void maps_map(fl_hprof_made *m, uint64_t id, uint64_t class_id, uint64_t table,
                            uint32_t size)
{
    bool linked = class_id == MAPS_LINKED;
    made_instance(m, id, class_id, 4 + m->id_bytes + (linked ? 1 : 0));
    if (linked)
        made_number(m, 1, 1); /* accessOrder, its own field, stands first */
    made_number(m, size, 4);
    made_id(m, table);
}

static inline void maps_node(fl_hprof_made *m, uint64_t id, uint32_t hash, uint64_t key,
                             uint64_t value)
{
    made_instance(m, id, MAPS_NODE, 4 + 3 * m->id_bytes);
    made_number(m, hash, 4);
    made_id(m, key);
    made_id(m, value);
    made_id(m, 0);
}

static inline void maps_string(fl_hprof_made *m, uint64_t id, uint64_t text, unsigned coder)
{
    built_string(m, id, MAPS_STRING, text, coder);
}

static inline void maps_objects(fl_hprof_made *m)
{
    const uint64_t table[] = {0, MAPS_NODE_A, MAPS_NODE_B, 0};
    maps_map(m, MAPS_BIG, MAPS_HASH_MAP, MAPS_TABLE, 2);
    maps_map(m, MAPS_SMALL, MAPS_LINKED, 0, 0);
    made_objects(m, MAPS_TABLE, MAPS_NODES, table, 4);
    maps_node(m, MAPS_NODE_A, 97, MAPS_KEY_A, MAPS_ONE);
    maps_node(m, MAPS_NODE_B, 98, MAPS_KEY_B, MAPS_TWO);
    maps_string(m, MAPS_KEY_A, MAPS_TEXT_A, 0);
    maps_string(m, MAPS_KEY_B, MAPS_TEXT_B, 1);
    made_values(m, MAPS_TEXT_A, FL_HEAP_BYTE, "alpha", 5);
    made_values(m, MAPS_TEXT_B, FL_HEAP_BYTE, "\xac\x20\x62\x00", 4); /* "€b", little-endian */
    made_instance(m, MAPS_ONE, MAPS_INTEGER, 4);
    made_number(m, 1, 4);
    made_instance(m, MAPS_TWO, MAPS_INTEGER, 4);
    made_number(m, UINT64_C(0xfffffffe), 4);
    made_instance(m, MAPS_MAIN, MAPS_THREAD, 2 * m->id_bytes);
    made_id(m, MAPS_MAIN_NAME);
    made_id(m, MAPS_SMALL);
    maps_string(m, MAPS_MAIN_NAME, MAPS_MAIN_TEXT, 0);
    made_values(m, MAPS_MAIN_TEXT, FL_HEAP_BYTE, "main", 4);
    made_values(m, MAPS_GARBAGE, FL_HEAP_INT, "\0\0\0\x07\xff\xff\xff\xf8\0\0\0\x09", 3);
    made_instance(m, MAPS_HALF, MAPS_DOUBLE, 8);
    made_number(m, UINT64_C(0x3fe0000000000000), 8);
    made_instance(m, MAPS_BUILDING, MAPS_BUILDER, m->id_bytes + 4);
    made_id(m, MAPS_BUILT);
    made_number(m, 2, 4);
    made_values(m, MAPS_BUILT, FL_HEAP_CHAR, "\0o\0k\0-", 3);
}

static inline fl_hprof_made maps_made(unsigned id_bytes)
{
    static const made_member string[] = {{"value", FL_HEAP_REFERENCE, 0},
                                         {"coder", FL_HEAP_BYTE, 0}};
    static const made_member map[] = {{"size", FL_HEAP_INT, 0}, {"table", FL_HEAP_REFERENCE, 0}};
    static const made_member linked[] = {{"accessOrder", FL_HEAP_BOOLEAN, 0}};
    static const made_member node[] = {{"hash", FL_HEAP_INT, 0},
                                       {"key", FL_HEAP_REFERENCE, 0},
                                       {"value", FL_HEAP_REFERENCE, 0},
                                       {"next", FL_HEAP_REFERENCE, 0}};
    static const made_member integer[] = {{"value", FL_HEAP_INT, 0}};
    static const made_member real[] = {{"value", FL_HEAP_DOUBLE, 0}};
    static const made_member thread[] = {{"name", FL_HEAP_REFERENCE, 0},
                                         {"local", FL_HEAP_REFERENCE, 0}};
    static const made_member shop[] = {{"CACHE", FL_HEAP_REFERENCE, MAPS_BIG},
                                       {"LIMIT", FL_HEAP_INT, 10}};
    static const made_member builder[] = {{"value", FL_HEAP_REFERENCE, 0},
                                          {"count", FL_HEAP_INT, 0}};
    static const built_class classes[] = {
        {MAPS_OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {MAPS_CLASS, MAPS_OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {MAPS_STRING, MAPS_OBJECT, "java/lang/String", NULL, 0, string, 2},
        {MAPS_BYTES, MAPS_OBJECT, "[B", NULL, 0, NULL, 0},
        {MAPS_CHARS, MAPS_OBJECT, "[C", NULL, 0, NULL, 0},
        {MAPS_INTS, MAPS_OBJECT, "[I", NULL, 0, NULL, 0},
        {MAPS_HASH_MAP, MAPS_OBJECT, "java/util/HashMap", NULL, 0, map, 2},
        {MAPS_LINKED, MAPS_HASH_MAP, "java/util/LinkedHashMap", NULL, 0, linked, 1},
        {MAPS_NODE, MAPS_OBJECT, "java/util/HashMap$Node", NULL, 0, node, 4},
        {MAPS_NODES, MAPS_OBJECT, "[Ljava/util/HashMap$Node;", NULL, 0, NULL, 0},
        {MAPS_INTEGER, MAPS_OBJECT, "java/lang/Integer", NULL, 0, integer, 1},
        {MAPS_DOUBLE, MAPS_OBJECT, "java/lang/Double", NULL, 0, real, 1},
        {MAPS_THREAD, MAPS_OBJECT, "java/lang/Thread", NULL, 0, thread, 2},
        {MAPS_SHOP, MAPS_OBJECT, "shop/Shop", shop, 2, NULL, 0},
        {MAPS_BUILDER, MAPS_OBJECT, "java/lang/StringBuilder", NULL, 0, builder, 2},
    };
    fl_hprof_made m = built_begin(id_bytes, classes, sizeof(classes) / sizeof(classes[0]));
    made_root_of(&m, 0x08, MAPS_MAIN, 1, 1);
    made_root_of(&m, 0x03, MAPS_HALF, 1, 0);
    made_root(&m, 0x07, MAPS_BUILDING);
    maps_objects(&m);
    return m;
}

/* With the index of who refers to whom. */
static inline fl_status maps_open(built_heap *maps, unsigned id_bytes, fl_error *err)
{
    maps->made = maps_made(id_bytes);
    return built_open(maps, true, err);
}

#endif
