#include "heap.h"

#include "fl_hprof_made.h"
#include "fl_test.h"
#include "heap_ids.h"
#include "hprof.h"
#include "mem.h"

static fl_error err;

static void set_up(void)
{
    err = (fl_error){0};
}

typedef struct opened {
    fl_hprof_made made;
    fl_hprof *dump;
    fl_heap *heap;
} opened;

static opened open_sample(unsigned id_bytes, fl_heap_options options)
{
    opened o = {.made = made_sample(id_bytes)};
    options.layout = FL_HEAP_LAYOUT_COMPRESSED;
    ck_assert_ok(fl_hprof_over(&o.dump, made_bytes(&o.made), &err));
    fl_heap_source source = fl_hprof_source(o.dump);
    ck_assert_ok(fl_heap_create(&o.heap, &source, &options, &err));
    return o;
}

static void drop(opened *o)
{
    fl_heap_destroy(o->heap);
    fl_hprof_close(o->dump);
    fl_buf_dispose(&o->made.out);
}

static fl_heap_object at(const opened *o, uint64_t id)
{
    fl_heap_object object = fl_heap_find(o->heap, id);
    ck_assert_uint_ne(object, FL_HEAP_NONE);
    ck_assert_uint_eq(fl_heap_id(o->heap, object), id);
    return object;
}

START_TEST(who_keeps_whom_is_told_for_each_object)
{
    for (unsigned width = 4; width <= 8; width += 4) {
        opened o = open_sample(width, (fl_heap_options){0});
        ck_assert_uint_eq(fl_heap_count(o.heap), 20);
        ck_assert(fl_heap_has_roots(o.heap));
        ck_assert_uint_eq(fl_heap_idom(o.heap, at(&o, MADE_TABLE)), at(&o, MADE_CACHE));
        ck_assert_uint_eq(fl_heap_idom(o.heap, at(&o, MADE_FIRST)), at(&o, MADE_TABLE));
        ck_assert_uint_eq(fl_heap_idom(o.heap, at(&o, MADE_SECOND)), at(&o, MADE_FIRST));
        ck_assert_uint_eq(fl_heap_idom(o.heap, at(&o, MADE_KEY)), FL_HEAP_NONE); /* and a thread */
        ck_assert_uint_eq(fl_heap_idom(o.heap, at(&o, MADE_TEXT)), at(&o, MADE_KEY));
        ck_assert_uint_eq(fl_heap_idom(o.heap, at(&o, MADE_LOCAL)), at(&o, MADE_WORKER));
        ck_assert(fl_heap_is_reached(o.heap, at(&o, MADE_KEY)));
        ck_assert(!fl_heap_is_reached(o.heap, at(&o, MADE_GARBAGE)));
        ck_assert(!fl_heap_is_reached(o.heap, at(&o, MADE_HELD)));
        ck_assert_uint_eq(fl_heap_retained_bytes(o.heap, at(&o, MADE_TABLE)), 24 + 32 + 32);
        ck_assert_uint_eq(fl_heap_retained_bytes(o.heap, at(&o, MADE_KEY)), 24 + 24);
        ck_assert_uint_eq(fl_heap_retained_bytes(o.heap, at(&o, MADE_WORKER)), 16 + 32);
        ck_assert_uint_eq(fl_heap_retained_bytes(o.heap, at(&o, MADE_GARBAGE)), 32);
        size_t count;
        const fl_heap_object *kids = fl_heap_dominated(o.heap, at(&o, MADE_TABLE), &count);
        ck_assert_uint_eq(count, 1);
        ck_assert_uint_eq(kids[0], at(&o, MADE_FIRST));
        (void)fl_heap_dominated(o.heap, FL_HEAP_NONE, &count);
        ck_assert_uint_eq(count, 12); /* ten classes, the key, the thread */
        uint32_t entries = fl_heap_find_class(o.heap, SLICE("shop.Cache$Entry"), 0);
        const fl_heap_class *facts = fl_heap_class_at(o.heap, entries);
        ck_assert_uint_eq(facts->count, 5);
        ck_assert_uint_eq(facts->reached, 3);
        ck_assert_uint_eq(facts->retained_bytes, 96); /* one is below another */
        drop(&o);
    }
}
END_TEST

START_TEST(weak_references_keep_what_they_refer_to_when_asked_to)
{
    opened o = open_sample(8, (fl_heap_options){.weak_keeps = true});
    ck_assert(fl_heap_is_reached(o.heap, at(&o, MADE_HELD)));
    ck_assert_uint_eq(fl_heap_idom(o.heap, at(&o, MADE_HELD)), at(&o, MADE_WEAKLY));
    drop(&o);
}
END_TEST

START_TEST(values_and_texts_are_read)
{
    for (unsigned width = 4; width <= 8; width += 4) {
        opened o = open_sample(width, (fl_heap_options){.without_tree = true});
        fl_heap_type type;
        uint64_t bits;
        char text[8];
        ck_assert(fl_heap_field(o.heap, at(&o, MADE_FIRST), SLICE("count"), &type, &bits));
        ck_assert_uint_eq(type, FL_HEAP_LONG);
        ck_assert_uint_eq(bits, 42);
        ck_assert(!fl_heap_field(o.heap, at(&o, MADE_FIRST), SLICE("size"), &type, &bits));
        ck_assert_uint_eq(fl_heap_follow(o.heap, at(&o, MADE_FIRST), "next"), at(&o, MADE_SECOND));
        ck_assert_uint_eq(fl_heap_follow(o.heap, at(&o, MADE_SECOND), "next"), FL_HEAP_NONE);
        ck_assert(fl_heap_field(o.heap, at(&o, MADE_CACHE), SLICE("LIMIT"), &type, &bits));
        ck_assert_uint_eq(bits, 10);
        /* inherited: Reference's referent, in an instance of WeakReference */
        ck_assert_uint_eq(fl_heap_follow(o.heap, at(&o, MADE_WEAKLY), "referent"),
                          at(&o, MADE_HELD));
        ck_assert(fl_heap_string(o.heap, at(&o, MADE_KEY), text, sizeof(text)));
        ck_assert_str_eq(text, "hello");
        ck_assert(fl_heap_string(o.heap, at(&o, MADE_KEY), text, 4));
        ck_assert_str_eq(text, "hel");
        ck_assert(!fl_heap_string(o.heap, at(&o, MADE_FIRST), text, sizeof(text)));
        ck_assert_uint_eq(fl_heap_shallow_bytes(o.heap, at(&o, MADE_TABLE)), 24);
        ck_assert_uint_eq(fl_heap_retained_bytes(o.heap, at(&o, MADE_TABLE)), 0);
        drop(&o);
    }
}
END_TEST

START_TEST(references_have_their_names)
{
    opened o = open_sample(8, (fl_heap_options){0});
    fl_heap_edge edge;
    fl_heap_edges edges = fl_heap_edges_of(o.heap, at(&o, MADE_WEAKLY));
    ck_assert(fl_heap_edges_next(&edges, &edge));
    ck_assert_uint_eq(edge.kind, FL_HEAP_EDGE_CLASS);
    ck_assert_uint_eq(edge.to, at(&o, MADE_WEAK));
    ck_assert(fl_heap_edges_next(&edges, &edge));
    ck_assert_uint_eq(edge.kind, FL_HEAP_EDGE_FIELD);
    ck_assert(edge.is_weak);
    ck_assert(fl_slice_equal(edge.member->name, SLICE("referent")));
    ck_assert(!fl_heap_edges_next(&edges, &edge));
    /* a class: Class, its super class (none), its statics */
    size_t statics = 0;
    for (edges = fl_heap_edges_of(o.heap, at(&o, MADE_CACHE)); fl_heap_edges_next(&edges, &edge);)
        statics += edge.kind == FL_HEAP_EDGE_STATIC;
    ck_assert_uint_eq(statics, 2);
    /* a thread: Class, its name, its local */
    edges = fl_heap_edges_of(o.heap, at(&o, MADE_WORKER));
    while (fl_heap_edges_next(&edges, &edge) && edge.kind != FL_HEAP_EDGE_STACK)
        continue;
    ck_assert_uint_eq(edge.to, at(&o, MADE_LOCAL));
    ck_assert_ok(fl_heap_index_inbound(o.heap, &err));
    size_t count;
    const fl_heap_object *from = fl_heap_inbound(o.heap, at(&o, MADE_KEY), &count);
    ck_assert_uint_eq(count, 4);
    ck_assert_uint_eq(from[0], at(&o, MADE_FIRST));
    ck_assert_uint_eq(from[3], at(&o, MADE_WORKER));
    const fl_heap_root *roots = fl_heap_roots_of(o.heap, at(&o, MADE_LOCAL), &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(fl_heap_root_kind_name(roots[0].kind), "Java frame");
    ck_assert_uint_eq(roots[0].thread, at(&o, MADE_WORKER));
    drop(&o);
}
END_TEST

START_TEST(ids_far_apart_are_found_as_well)
{
    fl_census_totals totals = {
        .objects = 4, .min_id = 8, .max_id = UINT64_MAX - 7, .id_bits = ~0ull};
    fl_heap_ids ids;
    fl_heap_ids_pen pen = {0};
    const uint64_t some[] = {UINT64_MAX - 7, 8, 4096, 8};
    ck_assert_ok(fl_heap_ids_open(&ids, &totals, &err));
    for (size_t i = 0; i < 4; i++)
        fl_heap_ids_add(&ids, &pen, some[i]);
    fl_heap_ids_lift(&ids, &pen);
    fl_heap_ids_close(&ids);
    ck_assert_uint_eq(ids.count, 3);
    ck_assert_uint_eq(fl_heap_ids_find(&ids, 4096), 1);
    ck_assert_uint_eq(fl_heap_ids_find(&ids, 4097), FL_HEAP_NONE);
    ck_assert_uint_eq(fl_heap_ids_at(&ids, 2), UINT64_MAX - 7);
    fl_heap_ids_dispose(&ids);
}
END_TEST

START_TEST(a_bitmap_numbers_every_id_in_order)
{
    fl_census_totals totals = {.objects = 1000, .min_id = 0x7000, .max_id = 0x7000 + 999 * 24};
    fl_heap_ids ids;
    fl_heap_ids_pen pen = {0};
    totals.id_bits = 0x7fff8;
    ck_assert_ok(fl_heap_ids_open(&ids, &totals, &err));
    for (uint64_t i = 1000; i-- > 0;)
        fl_heap_ids_add(&ids, &pen, 0x7000 + i * 24);
    fl_heap_ids_lift(&ids, &pen);
    fl_heap_ids_close(&ids);
    ck_assert_uint_eq(ids.count, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(fl_heap_ids_find(&ids, 0x7000 + i * UINT64_C(24)), i);
        ck_assert_uint_eq(fl_heap_ids_at(&ids, i), 0x7000 + i * UINT64_C(24));
        ck_assert_uint_eq(fl_heap_ids_find(&ids, 0x7004 + i * UINT64_C(24)), FL_HEAP_NONE);
    }
    ck_assert_uint_eq(fl_heap_ids_find(&ids, 0x6ff8), FL_HEAP_NONE);
    ck_assert_uint_eq(fl_heap_ids_find(&ids, UINT64_MAX), FL_HEAP_NONE);
    fl_heap_ids_dispose(&ids);
}
END_TEST

START_TEST(a_gap_between_addresses_is_stepped_over)
{
    const uint64_t far = UINT64_C(12) << 20; /* several runs of words without an object */
    fl_census_totals totals = {.objects = 200, .min_id = 0x1000, .max_id = 0x1000 + 2 * far};
    fl_heap_ids ids;
    fl_heap_ids_pen pen = {0};
    totals.id_bits = totals.max_id | 0x1008;
    ck_assert_ok(fl_heap_ids_open(&ids, &totals, &err));
    ck_assert_ptr_nonnull(ids.words);
    fl_heap_ids_add(&ids, &pen, 0x1000 + 2 * far);
    for (uint64_t i = 0; i < 99; i++) {
        fl_heap_ids_add(&ids, &pen, 0x1000 + i * 8);
        fl_heap_ids_add(&ids, &pen, 0x1000 + far + i * 800);
    }
    fl_heap_ids_lift(&ids, &pen);
    fl_heap_ids_close(&ids);
    ck_assert_uint_eq(ids.count, 199);
    for (uint32_t i = 0; i < 99; i++) {
        ck_assert_uint_eq(fl_heap_ids_find(&ids, 0x1000 + i * UINT64_C(8)), i);
        ck_assert_uint_eq(fl_heap_ids_find(&ids, 0x1000 + far + i * UINT64_C(800)), 99 + i);
        ck_assert_uint_eq(fl_heap_ids_at(&ids, i), 0x1000 + i * UINT64_C(8));
        ck_assert_uint_eq(fl_heap_ids_at(&ids, 99 + i), 0x1000 + far + i * UINT64_C(800));
    }
    ck_assert_uint_eq(fl_heap_ids_at(&ids, 198), 0x1000 + 2 * far);
    ck_assert_uint_eq(fl_heap_ids_find(&ids, 0x1000 + far - 8), FL_HEAP_NONE);
    fl_heap_ids_dispose(&ids);
}
END_TEST

/* The sample with segments of lists behind it, that refer into one another, as large that it is
 * read in parts. `is_odd`: an object stands in two of them, a class was not named before. */
static fl_hprof_made large_sample(bool is_odd)
{
    enum { SEGMENTS = 40, ENTRIES = 64, FILLER_BYTES = 100000 };
    static const char filler[FILLER_BYTES];
    fl_hprof_made made = made_sample(8);
    made.out.len -= 9; /* its end */
    for (uint64_t s = 0; s < SEGMENTS; s++) {
        made_segment(&made);
        made_values(&made, 0x100000 + s * 0x20000, FL_HEAP_BYTE, filler, FILLER_BYTES);
        for (uint64_t e = 0; e < ENTRIES; e++) {
            uint64_t id = 0x100000 + s * 0x20000 + 0x19000 + e * 32;
            made_entry(&made, id, 0x100000 + (s * 7 + e) % SEGMENTS * 0x20000,
                       e % 9 != 0 ? id - 32 : 0x119000 + (s * 3 + e) % SEGMENTS * 0x20000);
        }
        if (is_odd && s % 20 == 19) {
            made_entry(&made, 0x119000, 0x100000 + s * 0x20000, 0);
            made_class_item(&made, &(made_class){.id = 0x2000 + s * 256});
        }
        if (s % 4 == 3)
            made_root(&made, 0xff, 0x119000 + s * 0x20000 + 63 * 32);
        made_segment_end(&made);
    }
    made_end(&made);
    return made;
}

static void compare_heaps(const fl_heap *a, const fl_heap *b)
{
    ck_assert_uint_eq(fl_heap_count(a), fl_heap_count(b));
    for (uint32_t o = 0; o < fl_heap_count(a); o++) {
        fl_heap_item of_a, of_b;
        ck_assert_uint_eq(fl_heap_idom(a, o), fl_heap_idom(b, o));
        ck_assert_uint_eq(fl_heap_is_reached(a, o), fl_heap_is_reached(b, o));
        ck_assert_uint_eq(fl_heap_retained_bytes(a, o), fl_heap_retained_bytes(b, o));
        ck_assert_uint_eq(fl_heap_class_of(a, o), fl_heap_class_of(b, o));
        ck_assert(fl_heap_item_of(a, o, &of_a) && fl_heap_item_of(b, o, &of_b));
        ck_assert_uint_eq(of_a.offset, of_b.offset);
    }
    ck_assert_uint_eq(fl_heap_class_count(a), fl_heap_class_count(b));
    for (uint32_t c = 0; c < fl_heap_class_count(a); c++) {
        const fl_heap_class *x = fl_heap_class_at(a, c), *y = fl_heap_class_at(b, c);
        ck_assert_uint_eq(x->count, y->count);
        ck_assert_uint_eq(x->bytes, y->bytes);
        ck_assert_uint_eq(x->reached_bytes, y->reached_bytes);
        ck_assert_uint_eq(x->retained_bytes, y->retained_bytes);
    }
}

START_TEST(parts_read_by_threads_make_the_same_heap)
{
    for (unsigned odd = 0; odd < 2; odd++) {
        fl_hprof_made made = large_sample(odd != 0);
        const fl_heap_options options = {0};
        fl_hprof *dump;
        fl_heap *apart, *whole;
        ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
        fl_heap_source source = fl_hprof_source(dump), parts[17];
        ck_assert_uint_gt(source.split(source.payload, parts, 17, 1 << 20), 2);
        ck_assert_ok(fl_heap_create(&apart, &source, &options, &err));
        source.split = NULL;
        ck_assert_ok(fl_heap_create(&whole, &source, &options, &err));
        ck_assert_ptr_null(fl_hprof_damage(dump));
        ck_assert_uint_eq(fl_heap_count(whole), 20 + 40 * 65 + 2 * odd);
        compare_heaps(apart, whole);
        fl_heap_destroy(apart);
        fl_heap_destroy(whole);
        fl_hprof_close(dump);
        fl_buf_dispose(&made.out);
    }
}
END_TEST

START_TEST(every_prefix_makes_a_heap)
{
    fl_hprof_made made = made_sample(8);
    fl_slice whole = made_bytes(&made);
    for (size_t len = 31; len <= whole.len; len++) {
        fl_hprof *dump;
        fl_heap *heap;
        const fl_heap_options options = {0};
        ck_assert_ok(fl_hprof_over(&dump, fl_slice_part(whole, 0, len), &err));
        fl_heap_source source = fl_hprof_source(dump);
        ck_assert_ok(fl_heap_create(&heap, &source, &options, &err));
        ck_assert_uint_le(fl_heap_count(heap), 20);
        fl_heap_destroy(heap);
        fl_hprof_close(dump);
    }
    fl_buf_dispose(&made.out);
}
END_TEST

/* By the fields of the class it would be 13 thousand million steps, in each of two passes. */
START_TEST(instances_that_are_shorter_than_their_class_cost_what_they_have)
{
    enum { FIELDS = 65535, INSTANCES = 200000, ID = 0x100000 };
    made_member *fields = fl_mem_calloc(FIELDS, sizeof(*fields));
    ck_assert_ptr_nonnull(fields);
    for (size_t i = 0; i < FIELDS; i++)
        fields[i].type = FL_HEAP_REFERENCE;
    opened o = {.made = made_begin("1.0.2", 8)};
    made_loaded(&o.made, 0x100, "shop/Wide");
    made_segment(&o.made);
    made_class_item(&o.made, &(made_class){.id = 0x100, .fields = fields, .field_count = FIELDS});
    fl_mem_free(fields);
    made_root(&o.made, 0xff, ID);
    for (uint64_t i = 0; i < INSTANCES; i++) { /* a list */
        made_instance(&o.made, ID + 16 * i, 0x100, 8);
        made_id(&o.made, i + 1 < INSTANCES ? ID + 16 * (i + 1) : 0);
    }
    made_segment_end(&o.made);
    made_end(&o.made);
    const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_COMPRESSED};
    ck_assert_ok(fl_hprof_over(&o.dump, made_bytes(&o.made), &err));
    fl_heap_source source = fl_hprof_source(o.dump);
    ck_assert_ok(fl_heap_create(&o.heap, &source, &options, &err));
    ck_assert_ok(fl_heap_index_inbound(o.heap, &err));
    ck_assert(fl_heap_is_reached(o.heap, at(&o, ID + 16 * (INSTANCES - 1))));
    size_t count;
    (void)fl_heap_inbound(o.heap, at(&o, ID), &count);
    ck_assert_uint_eq(count, 0);
    (void)fl_heap_inbound(o.heap, at(&o, ID + 16), &count);
    ck_assert_uint_eq(count, 1);
    fl_heap_destroy(o.heap);
    fl_hprof_close(o.dump);
    fl_buf_dispose(&o.made.out);
}
END_TEST

START_TEST(arrays_whose_class_is_not_there_weigh_what_they_hold)
{
    static uint64_t elements[1000];
    opened o = {.made = made_begin("1.0.3", 8)};
    made_loaded(&o.made, 0x100, "java/lang/Class");
    made_segment(&o.made);
    made_class_item(&o.made, &(made_class){.id = 0x100});
    made_objects(&o.made, 0x2000, 0xdead, elements, 1000);
    made_instance(&o.made, 0x9000, 0xdead, 0);
    made_number(&o.made, 0xc3, 1); /* an array of longs without its values */
    made_id(&o.made, 0xa000);
    made_number(&o.made, 0, 4);
    made_number(&o.made, UINT32_MAX, 4);
    made_number(&o.made, FL_HEAP_LONG, 1);
    for (uint64_t id = 0x2000; id <= 0xa000; id += id == 0x2000 ? 0x7000 : 0x1000)
        made_root(&o.made, 0xff, id);
    made_segment_end(&o.made);
    made_end(&o.made);
    const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_COMPRESSED};
    ck_assert_ok(fl_hprof_over(&o.dump, made_bytes(&o.made), &err));
    fl_heap_source source = fl_hprof_source(o.dump);
    ck_assert_ok(fl_heap_create(&o.heap, &source, &options, &err));
    ck_assert_ptr_null(fl_hprof_damage(o.dump));
    ck_assert_uint_eq(fl_heap_shallow_bytes(o.heap, at(&o, 0x2000)), 4016);
    ck_assert_uint_eq(fl_heap_shallow_bytes(o.heap, at(&o, 0x9000)), 16);
    const fl_heap_class *facts = fl_heap_class_at(o.heap, fl_heap_class_of(o.heap, at(&o, 0x2000)));
    ck_assert_uint_eq(facts->bytes, 4016 + 16);
    ck_assert_uint_eq(facts->reached_bytes, facts->bytes);
    ck_assert_uint_eq(fl_heap_retained_bytes(o.heap, at(&o, 0xa000)),
                      UINT64_C(8) * UINT32_MAX + 16); /* more than 32 bits of words */
    drop(&o);
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    fl_hprof_made made = made_sample(8);
    fl_hprof *dump;
    const fl_heap_options options = {0};
    fl_status status = FL_E_NOMEM;
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    fl_heap_source source = fl_hprof_source(dump);
    for (long n = 0; status != FL_OK; n++) {
        fl_heap *heap;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_heap_create(&heap, &source, &options, &err);
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
        fl_heap_destroy(heap);
        ck_assert_int_lt(n, 300);
    }
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/heap");
    TCase *tcase = tcase_create("heap");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, who_keeps_whom_is_told_for_each_object);
    tcase_add_test(tcase, weak_references_keep_what_they_refer_to_when_asked_to);
    tcase_add_test(tcase, values_and_texts_are_read);
    tcase_add_test(tcase, references_have_their_names);
    tcase_add_test(tcase, ids_far_apart_are_found_as_well);
    tcase_add_test(tcase, a_bitmap_numbers_every_id_in_order);
    tcase_add_test(tcase, a_gap_between_addresses_is_stepped_over);
    tcase_add_test(tcase, parts_read_by_threads_make_the_same_heap);
    tcase_add_test(tcase, every_prefix_makes_a_heap);
    tcase_add_test(tcase, instances_that_are_shorter_than_their_class_cost_what_they_have);
    tcase_add_test(tcase, arrays_whose_class_is_not_there_weigh_what_they_hold);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
