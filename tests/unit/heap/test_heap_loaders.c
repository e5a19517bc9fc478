#include "heap_loaders.h"

#include "fl_test.h"
#include "heap_built.h"
#include "mem.h"
#include "slice.h"

enum {
    OBJECT = 0x100,
    CLASS = 0x200,
    LOADER = 0x300,
    URL_LOADER = 0x400,
    PATH = 0x500,
    LIST = 0x600,
    URL = 0x700,
    STRING = 0x800,
    OBJECTS = 0x900,
    BYTES_CLASS = 0xa00,
    REGISTRY = 0xb00,
    SERVER_LOADER = 0xc00,
    FIRST_OWN = 0x2000 /* classes that the programs' loaders define */
};
enum { LISTENERS = 0x10000, SHOP = 0x10100, OTHER = 0x10200, PROTOCOL = 0x10300 };

static fl_error err;
static built_heap built;
static fl_heap_loaders loaders;

/* One loader with its URL, some classes, and an instance of the first of them. */
typedef struct program {
    uint64_t at; /* of the loader; what belongs to it stands behind */
    uint64_t file;
    unsigned closed;
    const char *classes[4];
    uint64_t loader; /* its class; 0: URL_LOADER */
} program;

static const program programs[] = {
    {0x20000, SHOP, 1, {"shop/A", "shop/B", "shop/C", NULL}, 0},
    {0x30000, SHOP, 0, {"shop/A", "shop/B", NULL}, 0}, /* has loaded less up to now */
    {0x40000, SHOP, 0, {"shop/D", "shop/E", "shop/C", NULL}, 0},
    {0x50000, OTHER, 0, {"shop/A", "shop/B", "shop/C", NULL}, 0},
    {0x60000, SHOP, 0, {"shop/A$$Proxy", NULL}, 0}, /* made up: says nothing */
    /* from where is not known: the second has the same libraries, the third is the first */
    {0x70000, 0, 0, {"lib/X", "lib/Y", "one/Main", NULL}, SERVER_LOADER},
    {0x80000, 0, 0, {"lib/X", "lib/Y", "two/Main", NULL}, SERVER_LOADER},
    {0x90000, 0, 0, {"lib/X", "lib/Y", NULL}, SERVER_LOADER},
    /* two more of one program, whose names the first of those that have them has not */
    {0xa0000, OTHER, 0, {"shop/H", "shop/I", NULL}, 0},
    {0xb0000, SHOP, 0, {"shop/H", "shop/I", NULL}, 0},
    {0xc0000, SHOP, 0, {"shop/H", "shop/I", NULL}, 0},
};
enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };

static uint64_t class_id(size_t program_index, size_t i)
{
    return FIRST_OWN + 0x1000 * program_index + 0x100 * i;
}

static void text(uint64_t at, const char *bytes)
{
    built_string(&built.made, at, STRING, at + 0x20, 0);
    made_values(&built.made, at + 0x20, FL_HEAP_BYTE, bytes, (uint32_t)strlen(bytes));
}

static void put_program(size_t index)
{
    fl_hprof_made *m = &built.made;
    const program *p = &programs[index];
    for (size_t i = 0; p->classes[i] != NULL; i++)
        made_class_item(m,
                        &(made_class){.id = class_id(index, i), .super = OBJECT, .loader = p->at});
    made_instance(m, p->at, p->loader != 0 ? p->loader : URL_LOADER, 8);
    made_id(m, p->at + 0x20);
    made_instance(m, p->at + 0x20, PATH, 9);
    made_id(m, p->at + 0x40);
    made_number(m, p->closed, 1);
    made_instance(m, p->at + 0x40, LIST, 8);
    made_id(m, p->at + 0x60);
    made_objects(m, p->at + 0x60, OBJECTS, &(uint64_t){p->at + 0x80}, 1);
    made_instance(m, p->at + 0x80, URL, 16);
    made_id(m, PROTOCOL);
    made_id(m, p->file);
    made_instance(m, p->at + 0xa0, class_id(index, 0), 0);
}

static const made_member registry_statics[] = {{"LISTENERS", FL_HEAP_REFERENCE, LISTENERS}};
static const made_member loader_fields[] = {{"ucp", FL_HEAP_REFERENCE, 0}};
static const made_member path_fields[] = {{"path", FL_HEAP_REFERENCE, 0},
                                          {"closed", FL_HEAP_BOOLEAN, 0}};
static const made_member list_fields[] = {{"elementData", FL_HEAP_REFERENCE, 0}};
static const made_member url_fields[] = {{"protocol", FL_HEAP_REFERENCE, 0},
                                         {"file", FL_HEAP_REFERENCE, 0}};
static const made_member string_fields[] = {{"value", FL_HEAP_REFERENCE, 0},
                                            {"coder", FL_HEAP_BYTE, 0}};
static const built_class classes[] = {
    {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
    {CLASS, OBJECT, "java/lang/Class", NULL, 0, NULL, 0},
    {LOADER, OBJECT, "java/lang/ClassLoader", NULL, 0, NULL, 0},
    {URL_LOADER, LOADER, "java/net/URLClassLoader", NULL, 0, loader_fields, 1},
    {PATH, OBJECT, "jdk/internal/loader/URLClassPath", NULL, 0, path_fields, 2},
    {LIST, OBJECT, "java/util/ArrayList", NULL, 0, list_fields, 1},
    {URL, OBJECT, "java/net/URL", NULL, 0, url_fields, 2},
    {STRING, OBJECT, "java/lang/String", NULL, 0, string_fields, 2},
    {OBJECTS, OBJECT, "[Ljava/lang/Object;", NULL, 0, NULL, 0},
    {BYTES_CLASS, OBJECT, "[B", NULL, 0, NULL, 0},
    {REGISTRY, OBJECT, "shop/Registry", registry_statics, 1, NULL, 0},
    {SERVER_LOADER, URL_LOADER, "server/Loader", NULL, 0, NULL, 0},
};

/* Every program's instance is a listener; names of classes come first, as in a dump. */
static void setup(void)
{
    uint64_t listeners[PROGRAMS];
    err = (fl_error){0};
    loaders = (fl_heap_loaders){0};
    built.made = built_begin(8, classes, sizeof(classes) / sizeof(classes[0]));
    made_segment_end(&built.made);
    for (size_t p = 0; p < PROGRAMS; p++)
        for (size_t i = 0; programs[p].classes[i] != NULL; i++)
            made_loaded(&built.made, class_id(p, i), programs[p].classes[i]);
    made_segment(&built.made);
    text(SHOP, "/opt/shop/");
    text(OTHER, "/opt/other/");
    text(PROTOCOL, "file");
    for (size_t p = 0; p < PROGRAMS; p++) {
        put_program(p);
        listeners[p] = programs[p].at + 0xa0;
    }
    made_objects(&built.made, LISTENERS, OBJECTS, listeners, PROGRAMS);
    ck_assert_ok(built_open(&built, false, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_heap_loaders_dispose(&loaders);
    built_close(&built);
}

static const fl_heap_loader *row_of(size_t index)
{
    fl_heap_object object = fl_heap_find(built.heap, programs[index].at);
    for (size_t i = 0; i < loaders.count; i++)
        if (loaders.rows[i].object == object)
            return &loaders.rows[i];
    ck_abort_msg("no such loader");
    return NULL;
}

START_TEST(copies_have_one_class_one_url_and_the_same_classes)
{
    ck_assert_ok(fl_heap_loaders_find(&loaders, built.heap, 0, &err));
    ck_assert_uint_eq(loaders.set_count, 3);
    static const size_t copies[PROGRAMS] = {2, 2, 1, 1, 1, 2, 1, 2, 1, 2, 2};
    ck_assert_uint_eq(row_of(0)->set, row_of(1)->set);
    ck_assert_uint_eq(row_of(9)->set, row_of(10)->set);
    ck_assert_uint_eq(row_of(5)->set, row_of(7)->set);
    for (size_t p = 0; p < PROGRAMS; p++) {
        ck_assert_uint_eq(row_of(p)->copies, copies[p]);
        ck_assert_int_eq(row_of(p)->set > 0, copies[p] > 1);
        ck_assert_int_eq(row_of(p)->is_closed, programs[p].closed);
    }
}
END_TEST

START_TEST(a_copy_says_what_holds_it)
{
    ck_assert_ok(fl_heap_loaders_find(&loaders, built.heap, 0, &err));
    const fl_heap_way *way = row_of(1)->way;
    static const uint64_t expected[] = {REGISTRY, LISTENERS, 0x300a0, FIRST_OWN + 0x1000, 0x30000};
    ck_assert_uint_eq(way->count, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(fl_heap_id(built.heap, way->steps[i].object), expected[i]);
    ck_assert_int_eq(way->steps[2].edge.kind, FL_HEAP_EDGE_CLASS);
    ck_assert_int_eq(way->steps[3].edge.kind, FL_HEAP_EDGE_LOADER);
    ck_assert_ptr_null(row_of(2)->way);
}
END_TEST

START_TEST(a_loader_keeps_its_classes_and_their_instances)
{
    ck_assert_ok(fl_heap_loaders_find(&loaders, built.heap, 0, &err));
    const fl_heap_loader *row = row_of(0);
    ck_assert_uint_eq(row->classes, 3);
    ck_assert_uint_eq(row->objects, 1);
    ck_assert_uint_eq(row->bytes, 16);
    /* The instance keeps its class, that its loader, and that the other classes. */
    fl_heap_object instance = fl_heap_find(built.heap, 0x200a0);
    ck_assert_uint_eq(row->retained_bytes, fl_heap_retained_bytes(built.heap, instance));
}
END_TEST

START_TEST(what_the_virtual_machine_defines_stands_last_and_ways_are_bounded)
{
    ck_assert_ok(fl_heap_loaders_find(&loaders, built.heap, 0, &err));
    ck_assert_uint_eq(loaders.count, PROGRAMS + 1);
    const fl_heap_loader *boot = &loaders.rows[PROGRAMS];
    ck_assert_uint_eq(boot->object, FL_HEAP_NONE);
    ck_assert_uint_eq(boot->retained_bytes, 0);
    ck_assert_uint_eq(boot->classes, 10); /* of twelve, two are arrays */
    fl_heap_loaders_dispose(&loaders);
    ck_assert_ok(fl_heap_loaders_find(&loaders, built.heap, 1, &err));
    for (size_t i = 0; i < loaders.count; i++) /* of the first set the first copy */
        ck_assert_int_eq(loaders.rows[i].way != NULL,
                         loaders.rows[i].set == 1 && (i == 0 || loaders.rows[i - 1].set != 1));
}
END_TEST

START_TEST(a_url_is_read_out_of_the_loader)
{
    char url[FL_HEAP_URL_BYTES];
    ck_assert(fl_heap_loader_url(built.heap, fl_heap_find(built.heap, 0x50000), url));
    ck_assert_str_eq(url, "file:/opt/other/");
    ck_assert(!fl_heap_loader_url(built.heap, fl_heap_find(built.heap, SHOP), url));
    ck_assert(!fl_heap_loader_url(built.heap, FL_HEAP_NONE, url));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long i = 0; status != FL_OK; i++) {
        ck_assert_int_lt(i, 100);
        fl_mem_fail_after(i);
        fl_heap_loaders_dispose(&loaders);
        status = fl_heap_loaders_find(&loaders, built.heap, 0, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_uint_eq(loaders.count, PROGRAMS + 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap_loaders");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, copies_have_one_class_one_url_and_the_same_classes);
    tcase_add_test(tcase, a_copy_says_what_holds_it);
    tcase_add_test(tcase, a_loader_keeps_its_classes_and_their_instances);
    tcase_add_test(tcase, what_the_virtual_machine_defines_stands_last_and_ways_are_bounded);
    tcase_add_test(tcase, a_url_is_read_out_of_the_loader);
    tcase_add_test(tcase, every_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
