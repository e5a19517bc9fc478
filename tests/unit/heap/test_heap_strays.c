/*
 * test_heap_strays.c - maps whose hashes are worked out here, as the methods of classes would.
 */
#include "heap_strays.h"

#include <string.h>

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum { OBJECT = 0x100, CLASS = 0x200, KEY = 0x300, NODE = 0x400, NODES = 0x500, STRING = 0x600 };
enum {
    BYTES = 0x700,
    CHARS = 0x800,
    INTEGER = 0x900,
    LONG = 0xa00,
    BOOLEAN = 0xb00,
    UUID = 0xc00,
    NAMED = 0xd00
};
enum { TABLE = 0x8000, ENTRIES = 0x10000, KEYS = 0x400000, COUNT = 300 };
enum { NEW_ONES = 100 }; /* keys that have not changed */

static fl_error err;
static built_heap built;

static const made_member key_fields[] = {
    {"id", FL_HEAP_INT, 0}, {"state", FL_HEAP_INT, 0}, {"is_open", FL_HEAP_BOOLEAN, 0}};
static const made_member node_fields[] = {
    {"hash", FL_HEAP_INT, 0}, {"key", FL_HEAP_REFERENCE, 0}, {"next", FL_HEAP_REFERENCE, 0}};
static const made_member string_fields[] = {{"value", FL_HEAP_REFERENCE, 0},
                                            {"coder", FL_HEAP_BYTE, 0}};
static const made_member named_fields[] = {{"name", FL_HEAP_REFERENCE, 0}};
static const made_member int_field[] = {{"value", FL_HEAP_INT, 0}};
static const made_member long_field[] = {{"value", FL_HEAP_LONG, 0}};
static const made_member bool_field[] = {{"value", FL_HEAP_BOOLEAN, 0}};
static const made_member uuid_fields[] = {{"mostSigBits", FL_HEAP_LONG, 0},
                                          {"leastSigBits", FL_HEAP_LONG, 0}};
static const built_class classes[] = {
    {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
    {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
    {KEY, OBJECT, "shop/Key", NULL, 0, key_fields, 3},
    {NODE, OBJECT, "java/util/HashMap$Node", NULL, 0, node_fields, 3},
    {NODES, OBJECT, "[Ljava/util/HashMap$Node;", NULL, 0, NULL, 0},
    {STRING, OBJECT, "java/lang/String", NULL, 0, string_fields, 2},
    {BYTES, OBJECT, "[B", NULL, 0, NULL, 0},
    {CHARS, OBJECT, "[C", NULL, 0, NULL, 0},
    {INTEGER, OBJECT, "java/lang/Integer", NULL, 0, int_field, 1},
    {LONG, OBJECT, "java/lang/Long", NULL, 0, long_field, 1},
    {BOOLEAN, OBJECT, "java/lang/Boolean", NULL, 0, bool_field, 1},
    {UUID, OBJECT, "java/util/UUID", NULL, 0, uuid_fields, 2},
    {NAMED, OBJECT, "shop/Named", NULL, 0, named_fields, 1},
};

/* hashCode() of a key that is like this now. */
typedef uint32_t hash_fn(uint32_t id, uint32_t state, bool is_open);

static uint32_t as_objects_hash(uint32_t id, uint32_t state, bool is_open)
{
    return ((31 + id) * 31 + state) * 31 + (is_open ? 1231 : 1237);
}

static uint32_t as_record_of_two(uint32_t id, uint32_t state, bool is_open)
{
    (void)is_open;
    return 31 * id + state;
}

static uint32_t as_lombok_backwards(uint32_t id, uint32_t state, bool is_open)
{
    return ((59 + (is_open ? 1u : 0u)) * 59 + state) * 59 + id;
}

static uint32_t as_nobody_writes_it(uint32_t id, uint32_t state, bool is_open)
{
    return (id * 2654435761u) ^ (state << 7) ^ is_open;
}

static uint32_t as_constant(uint32_t id, uint32_t state, bool is_open)
{
    (void)id;
    (void)state;
    (void)is_open;
    return 42;
}

/* Of the first 16 ids it is the id itself. */
static uint32_t as_remainder(uint32_t id, uint32_t state, bool is_open)
{
    (void)state;
    (void)is_open;
    return (id - 1000) / 7919 < 16 ? id : 1000 + 7919 * ((id - 1000) / 7919 % 16);
}

/* Of closed keys the state does not count: no key has changed where one half is hashed so. */
static uint32_t as_it_depends(uint32_t id, uint32_t state, bool is_open)
{
    return is_open ? 31 * id + state : id;
}

static uint32_t spread(uint32_t hash)
{
    return hash ^ hash >> 16;
}

typedef struct shape {
    hash_fn *hash;
    size_t unchanged;  /* keys whose state is what it was when they were put */
    uint32_t mask;     /* of hashes in entries */
    bool is_plain;     /* hashes are not spread */
    bool bites_itself; /* the last entry leads to the first */
} shape;

/* All entries in one chain. Keys that have not changed are in states 0 to 2; those that have were,
 * too, and are in state 9. */
static void build(const shape *s)
{
    const uint64_t slots[] = {0, ENTRIES};
    err = (fl_error){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_root(&built.made, 0x05, TABLE);
    made_objects(&built.made, TABLE, NODES, slots, 2);
    for (uint32_t i = 0; i < COUNT; i++) {
        bool is_open = i % 2 == 0;
        uint32_t state = i % 3, now = i < s->unchanged ? state : 9;
        uint32_t hash = s->hash(1000 + 7919 * i, state, is_open);
        uint64_t last = s->bites_itself ? ENTRIES : 0;
        made_instance(&built.made, ENTRIES + 0x20 * (uint64_t)i, NODE, 20);
        made_number(&built.made, (s->is_plain ? hash : spread(hash)) & s->mask, 4);
        made_id(&built.made, KEYS + 0x20 * (uint64_t)i);
        made_id(&built.made, i + 1 < COUNT ? ENTRIES + 0x20 * (uint64_t)(i + 1) : last);
        made_instance(&built.made, KEYS + 0x20 * (uint64_t)i, KEY, 9);
        made_number(&built.made, 1000 + 7919 * i, 4);
        made_number(&built.made, now, 4);
        made_number(&built.made, is_open, 1);
    }
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    built_close(&built);
}

static fl_heap_strays look(const shape *s, uint64_t budget)
{
    fl_heap_strays found;
    build(s);
    const fl_heap_chains chains = {.table = fl_heap_find(built.heap, TABLE),
                                   .entries = COUNT,
                                   .is_concurrent = s->mask != UINT32_MAX,
                                   .is_plain = s->is_plain};
    ck_assert_ok(fl_heap_strays_find(&found, built.heap, &chains, &budget, &err));
    built_close(&built);
    return found;
}

START_TEST(entries_whose_keys_changed_are_counted_and_the_field_is_named)
{
    static const shape shapes[] = {
        {as_objects_hash, NEW_ONES, UINT32_MAX, false, false},
        {as_record_of_two, NEW_ONES, UINT32_MAX, false, false},
        {as_lombok_backwards, NEW_ONES, UINT32_MAX, false, false},
        {as_objects_hash, NEW_ONES, INT32_MAX, false, false}, /* a ConcurrentHashMap */
        {as_objects_hash, NEW_ONES, UINT32_MAX, true, false}, /* a Hashtable */
        {as_objects_hash, NEW_ONES, UINT32_MAX, false, true},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        fl_heap_strays found = look(&shapes[i], FL_HEAP_STRAYS_BUDGET);
        ck_assert_uint_eq(found.looked_at, COUNT);
        /* 31 * id + 0 or 1 may be of id and is_open: what two ways explain is no stray */
        uint64_t certain = shapes[i].hash == as_record_of_two ? 133 : COUNT - NEW_ONES;
        ck_assert_uint_eq(found.strays, certain);
        ck_assert_ptr_nonnull(found.field);
    }
}
END_TEST

START_TEST(of_others_nothing_is_said)
{
    static const shape shapes[] = {
        {as_objects_hash, COUNT, UINT32_MAX, false, false}, /* nothing has changed */
        {as_objects_hash, 0, UINT32_MAX, false, false},     /* everything has */
        {as_objects_hash, 4, UINT32_MAX, false, false},     /* too few to know the method by */
        {as_nobody_writes_it, NEW_ONES, UINT32_MAX, false, false},
        {as_constant, NEW_ONES, UINT32_MAX, false, false},
        {as_remainder, COUNT, UINT32_MAX, false, false},
        {as_it_depends, COUNT, UINT32_MAX, false, false},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        fl_heap_strays found = look(&shapes[i], FL_HEAP_STRAYS_BUDGET);
        ck_assert_uint_eq(found.looked_at, COUNT);
        ck_assert_uint_eq(found.strays, 0);
        ck_assert_ptr_null(found.field);
    }
}
END_TEST

START_TEST(a_map_is_not_looked_at_beyond_the_budget)
{
    static const shape changed = {as_objects_hash, NEW_ONES, UINT32_MAX, false, false};
    ck_assert_uint_eq(look(&changed, 100).looked_at, 0);
    fl_heap_strays found = look(&changed, COUNT * 64);
    ck_assert_uint_eq(found.looked_at, COUNT);
    ck_assert_uint_eq(found.strays, 0);
}
END_TEST

/* One text that all keys have, whose hash was never asked for. */
START_TEST(long_texts_are_paid_for)
{
    enum { TEXT = 0x9000, LEN = 60000 };
    static char text[LEN];
    const uint64_t slots[] = {ENTRIES};
    fl_heap_strays found;
    uint64_t budget = FL_HEAP_STRAYS_BUDGET;
    memset(text, 'x', sizeof(text));
    err = (fl_error){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_root(&built.made, 0x05, TABLE);
    made_objects(&built.made, TABLE, NODES, slots, 1);
    built_string(&built.made, TEXT, STRING, TEXT + 0x40, 0);
    made_values(&built.made, TEXT + 0x40, FL_HEAP_BYTE, text, LEN);
    for (uint64_t i = 0; i < COUNT; i++) {
        made_instance(&built.made, ENTRIES + 0x20 * i, NODE, 20);
        made_number(&built.made, i, 4);
        made_id(&built.made, KEYS + 0x20 * i);
        made_id(&built.made, i + 1 < COUNT ? ENTRIES + 0x20 * (i + 1) : 0);
        made_instance(&built.made, KEYS + 0x20 * i, NAMED, 8);
        made_id(&built.made, TEXT);
    }
    ck_assert_ok(built_open(&built, false, &err));
    const fl_heap_chains chains = {.table = fl_heap_find(built.heap, TABLE), .entries = COUNT};
    ck_assert_ok(fl_heap_strays_find(&found, built.heap, &chains, &budget, &err));
    ck_assert_uint_eq(found.looked_at, COUNT);
    ck_assert_uint_eq(found.strays, 0);
    ck_assert_uint_lt(budget, FL_HEAP_STRAYS_BUDGET - (uint64_t)COUNT * LEN);
    budget = COUNT * 64 + LEN; /* enough for one of them */
    ck_assert_ok(fl_heap_strays_find(&found, built.heap, &chains, &budget, &err));
    ck_assert_uint_eq(found.strays, 0);
    ck_assert_uint_eq(budget, 0);
}
END_TEST

START_TEST(hashes_are_those_of_the_class_library)
{
    enum { LATIN = 0x9000, WIDE = 0x9100, OLD = 0x9200, SEVEN = 0x9300, BIG = 0x9400 };
    enum { TRUE = 0x9500, ID = 0x9600, OTHER = 0x9700 };
    static const struct {
        uint64_t id;
        uint32_t hash;
    } cases[] = {
        {LATIN, 3325636},       /* "h\xe9lo".hashCode() */
        {WIDE, 8364 * 31 + 98}, /* "\u20acb" */
        {OLD, 3548},            /* "ok", as Java 8 keeps it */
        {SEVEN, 7},
        {BIG, 0xfffffffe ^ 1},
        {TRUE, 1231},
        {ID, 0x11111111 ^ 0x22222222 ^ 0x33333333 ^ 0x44444444},
    };
    uint32_t hash;
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    built_string(&built.made, LATIN, STRING, LATIN + 0x40, 0);
    made_values(&built.made, LATIN + 0x40, FL_HEAP_BYTE, "h\xe9lo", 4);
    built_string(&built.made, WIDE, STRING, WIDE + 0x40, 1);
    made_values(&built.made, WIDE + 0x40, FL_HEAP_BYTE, "\xac\x20\x62\x00", 4);
    built_string(&built.made, OLD, STRING, OLD + 0x40, 0);
    made_values(&built.made, OLD + 0x40, FL_HEAP_CHAR, "\0o\0k", 2);
    made_instance(&built.made, SEVEN, INTEGER, 4);
    made_number(&built.made, 7, 4);
    made_instance(&built.made, BIG, LONG, 8);
    made_number(&built.made, UINT64_C(0x1fffffffe), 8);
    made_instance(&built.made, TRUE, BOOLEAN, 1);
    made_number(&built.made, 1, 1);
    made_instance(&built.made, ID, UUID, 16);
    made_number(&built.made, UINT64_C(0x1111111122222222), 8);
    made_number(&built.made, UINT64_C(0x3333333344444444), 8);
    made_instance(&built.made, OTHER, OBJECT, 0);
    ck_assert_ok(built_open(&built, false, &err));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert(fl_heap_hash_code(&hash, built.heap, fl_heap_find(built.heap, cases[i].id)));
        ck_assert_uint_eq(hash, cases[i].hash);
    }
    ck_assert(fl_heap_hash_code(&hash, built.heap, FL_HEAP_NONE));
    ck_assert_uint_eq(hash, 0);
    ck_assert(!fl_heap_hash_code(&hash, built.heap, fl_heap_find(built.heap, OTHER)));
}
END_TEST

START_TEST(without_memory_it_fails)
{
    static const shape changed = {as_objects_hash, NEW_ONES, UINT32_MAX, false, false};
    fl_heap_strays found;
    uint64_t budget = FL_HEAP_STRAYS_BUDGET;
    build(&changed);
    const fl_heap_chains chains = {.table = fl_heap_find(built.heap, TABLE), .entries = COUNT};
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_heap_strays_find(&found, built.heap, &chains, &budget, &err));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_strays");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, entries_whose_keys_changed_are_counted_and_the_field_is_named);
    tcase_add_test(tcase, of_others_nothing_is_said);
    tcase_add_test(tcase, a_map_is_not_looked_at_beyond_the_budget);
    tcase_add_test(tcase, long_texts_are_paid_for);
    tcase_add_test(tcase, hashes_are_those_of_the_class_library);
    tcase_add_test(tcase, without_memory_it_fails);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
