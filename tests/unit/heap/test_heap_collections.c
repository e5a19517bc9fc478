#include "heap_collections.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum {
    OBJECT = 0x100,
    CLASS = 0x200,
    HASH_MAP = 0x300,
    LINKED_MAP = 0x400,
    NODE = 0x500,
    NODES = 0x600,
    LIST = 0x700,
    OBJECTS = 0x800,
    KEY = 0x900,
    CONCURRENT = 0xa00,
    CELL = 0xb00,
    CELLS = 0xc00,
    ENTRIES = 20,
    KEYS = 18,
    FIRST_NODE = 0x10000,
    FIRST_KEY = 0x20000
};

static fl_error err;
static built_heap built;
static fl_heap_collections found;

static void map(uint64_t id, uint64_t class_id, uint32_t size, uint64_t table)
{
    made_instance(&built.made, id, class_id, 12);
    made_number(&built.made, size, 4);
    made_id(&built.made, table);
}

static void node(uint64_t id, uint64_t key, uint64_t next)
{
    made_instance(&built.made, id, NODE, 16);
    made_id(&built.made, key);
    made_id(&built.made, next);
}

static uint64_t node_id(unsigned i)
{
    return FIRST_NODE + i * UINT64_C(32);
}

/* Two chains of ten; the keys 10 to 17 have the number of the keys 0 to 7, and the keys 0 and 1
 * stand in two entries each. */
static void bad_map(void)
{
    const uint64_t table[] = {node_id(0), 0, node_id(10), 0};
    map(0x8000, HASH_MAP, ENTRIES, 0x8100);
    made_objects(&built.made, 0x8100, NODES, table, 4);
    for (unsigned i = 0; i < ENTRIES; i++)
        node(node_id(i), FIRST_KEY + i % KEYS * UINT64_C(16), i % 10 < 9 ? node_id(i + 1) : 0);
    for (unsigned i = 0; i < KEYS; i++) {
        made_instance(&built.made, FIRST_KEY + i * UINT64_C(16), KEY, 4);
        made_number(&built.made, i % 10, 4);
    }
}

static void setup(void)
{
    static const made_member map_fields[] = {{"size", FL_HEAP_INT, 0},
                                             {"table", FL_HEAP_REFERENCE, 0}};
    static const made_member node_fields[] = {{"key", FL_HEAP_REFERENCE, 0},
                                              {"next", FL_HEAP_REFERENCE, 0}};
    static const made_member list_fields[] = {{"size", FL_HEAP_INT, 0},
                                              {"elementData", FL_HEAP_REFERENCE, 0}};
    static const made_member key_fields[] = {{"id", FL_HEAP_INT, 0}};
    static const made_member chm_fields[] = {{"baseCount", FL_HEAP_LONG, 0},
                                             {"counterCells", FL_HEAP_REFERENCE, 0}};
    static const made_member cell_fields[] = {{"value", FL_HEAP_LONG, 0}};
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
        {HASH_MAP, OBJECT, "java/util/HashMap", NULL, 0, map_fields, 2},
        {LINKED_MAP, HASH_MAP, "java/util/LinkedHashMap", NULL, 0, NULL, 0},
        {NODE, OBJECT, "java/util/HashMap$Node", NULL, 0, node_fields, 2},
        {NODES, OBJECT, "[Ljava/util/HashMap$Node;", NULL, 0, NULL, 0},
        {LIST, OBJECT, "java/util/ArrayList", NULL, 0, list_fields, 2},
        {OBJECTS, OBJECT, "[Ljava/lang/Object;", NULL, 0, NULL, 0},
        {KEY, OBJECT, "shop/Key", NULL, 0, key_fields, 1},
        {CONCURRENT, OBJECT, "java/util/concurrent/ConcurrentHashMap", NULL, 0, chm_fields, 2},
        {CELL, OBJECT, "java/util/concurrent/ConcurrentHashMap$CounterCell", NULL, 0, cell_fields,
         1},
        {CELLS, OBJECT, "[Ljava/util/concurrent/ConcurrentHashMap$CounterCell;", NULL, 0, NULL, 0},
    };
    const uint64_t elements[10] = {0x8000, 0x8000, 0x8000}, loop[] = {0x8400},
                   cells[] = {0, 0x8700, 0x8720};
    err = (fl_error){0};
    found = (fl_heap_collections){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    bad_map();
    map(0x8200, LINKED_MAP, 1, 0x8300);
    made_objects(&built.made, 0x8300, NODES, loop, 1);
    node(0x8400, 0, 0x8400); /* a chain that bites its tail */
    map(0x8430, LIST, 0, 0);
    map(0x8460, LIST, 3, 0x8500);
    map(0x8490, LIST, 1, 0x8500); /* an array of another one: paid out of the steps that are gone */
    made_objects(&built.made, 0x8500, OBJECTS, elements, 10);
    made_instance(&built.made, 0x8600, CONCURRENT, 16);
    made_number(&built.made, 5, 8);
    made_id(&built.made, 0x8640);
    made_objects(&built.made, 0x8640, CELLS, cells, 3);
    for (uint64_t id = 0x8700; id <= 0x8720; id += 0x20) {
        made_instance(&built.made, id, CELL, 8);
        made_number(&built.made, 7, 8);
    }
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_collections_dispose(&found);
    built_close(&built);
}

static const fl_heap_collection *collection(uint64_t id)
{
    for (size_t i = 0; i < found.count; i++)
        if (fl_heap_id(built.heap, found.rows[i].object) == id)
            return &found.rows[i];
    ck_abort_msg("no collection %llx", (unsigned long long)id);
    return NULL;
}

START_TEST(chains_and_keys_of_a_map_are_counted)
{
    ck_assert_ok(fl_heap_collections_find(&found, built.heap, &err));
    const fl_heap_collection *bad = collection(0x8000);
    ck_assert_uint_eq(bad->size, ENTRIES);
    ck_assert_uint_eq(bad->capacity, 4);
    ck_assert_uint_eq(bad->used, 2);
    ck_assert_uint_eq(bad->entries, ENTRIES);
    ck_assert_uint_eq(bad->longest, 10);
    ck_assert_uint_eq(bad->in_long, 20);
    ck_assert_uint_eq(bad->same_keys, 4);
    ck_assert_uint_eq(bad->equal_keys, 16);
    ck_assert_uint_eq(bad->empty_bytes, 2 * 4);
}
END_TEST

START_TEST(a_chain_that_bites_its_tail_has_an_end)
{
    ck_assert_ok(fl_heap_collections_find(&found, built.heap, &err));
    const fl_heap_collection *loop = collection(0x8200);
    ck_assert_uint_eq(loop->size, 1);
    ck_assert_uint_le(loop->entries, 4 * fl_heap_count(built.heap));
    ck_assert_uint_eq(loop->same_keys, 0);
}
END_TEST

START_TEST(lists_tell_how_full_they_are)
{
    ck_assert_ok(fl_heap_collections_find(&found, built.heap, &err));
    const fl_heap_collection *empty = collection(0x8430), *some = collection(0x8460);
    ck_assert_uint_eq(empty->size + empty->capacity + empty->empty_bytes, 0);
    ck_assert_uint_eq(some->size, 3);
    ck_assert_uint_eq(some->used, 3);
    ck_assert_uint_eq(some->empty_bytes, 7 * 4);
    ck_assert_uint_eq(fl_heap_fill_step(some), 2);
    const fl_heap_collection_sum *sum = &found.sums[some->info];
    ck_assert_str_eq(fl_heap_collection_info(some->info)->name, "java.util.ArrayList");
    ck_assert_uint_eq(collection(0x8490)->capacity, 0);
    ck_assert_uint_eq(sum->count, 3);
    ck_assert_uint_eq(sum->empty_count, 1);
    ck_assert_uint_eq(sum->without_array, 1);
    ck_assert_uint_eq(sum->entries, 4);
    ck_assert_uint_eq(sum->fill[2], 1);
}
END_TEST

START_TEST(a_concurrent_map_counts_in_cells)
{
    ck_assert_ok(fl_heap_collections_find(&found, built.heap, &err));
    ck_assert_uint_eq(collection(0x8600)->size, 5 + 7 + 7);
}
END_TEST

START_TEST(steps_of_the_fill_ratio_have_closed_ends)
{
    static const struct {
        uint32_t used, capacity;
        unsigned step;
    } cases[] = {{0, 10, 0}, {1, 10, 1}, {2, 10, 1}, {3, 10, 2},  {4, 10, 2},
                 {5, 10, 3}, {8, 10, 4}, {9, 10, 5}, {10, 10, 5}, {1, 1000000, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fl_heap_collection row = {.used = cases[i].used, .capacity = cases[i].capacity};
        ck_assert_uint_eq(fl_heap_fill_step(&row), cases[i].step);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 100);
        fl_mem_fail_after(i);
        fl_heap_collections_dispose(&found);
        status = fl_heap_collections_find(&found, built.heap, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_uint_eq(found.count, 6);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_collections");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, chains_and_keys_of_a_map_are_counted);
    tcase_add_test(tcase, a_chain_that_bites_its_tail_has_an_end);
    tcase_add_test(tcase, lists_tell_how_full_they_are);
    tcase_add_test(tcase, a_concurrent_map_counts_in_cells);
    tcase_add_test(tcase, steps_of_the_fill_ratio_have_closed_ends);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
