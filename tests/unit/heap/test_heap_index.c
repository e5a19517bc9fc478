#include "heap_index.h"

#include "census.h"
#include "fl_test.h"
#include "heap_built.h"
#include "heap_index_made.h"
#include "heap_loaders.h"
#include "slice.h"

static fl_error err;

static void set_up(void)
{
    err = (fl_error){0};
}

/* A dump, its heap, its index. */
typedef struct indexed {
    fl_hprof_made made;
    fl_hprof *dump;
    fl_heap *heap;
    index_made index;
} indexed;

static indexed index_dump(fl_hprof_made made, fl_heap_options options)
{
    indexed all = {.made = made};
    ck_assert_ok(fl_hprof_over(&all.dump, made_bytes(&all.made), &err));
    fl_heap_source source = fl_hprof_source(all.dump);
    ck_assert_ok(fl_heap_create(&all.heap, &source, &options, &err));
    ck_assert_ok(index_made_save(&all.index, all.heap, fl_hprof_damage(all.dump), &err));
    return all;
}

static indexed index_sample(void)
{
    return index_dump(made_sample(8), (fl_heap_options){0});
}

static void drop(indexed *all)
{
    fl_heap_destroy(all->heap);
    fl_hprof_close(all->dump);
    fl_buf_dispose(&all->made.out);
    fl_mem_free(all->index.bytes);
}

static fl_status load(fl_heap **out, indexed *all, fl_heap_options options, bool classes_only)
{
    fl_error damage;
    fl_heap_index_key key = index_made_key();
    fl_heap_source source = fl_hprof_source(all->dump);
    const fl_heap_index_question question = {&key, options, classes_only};
    return fl_heap_index_load(out, &damage, index_made_bytes(&all->index), &question, &source,
                              &err);
}

static void compare_classes(const fl_heap *a, const fl_heap *b)
{
    ck_assert_uint_eq(fl_heap_class_count(a), fl_heap_class_count(b));
    for (uint32_t i = 0; i < fl_heap_class_count(a); i++) {
        const fl_heap_class *x = fl_heap_class_at(a, i), *y = fl_heap_class_at(b, i);
        ck_assert(fl_slice_equal(x->name, y->name));
        ck_assert_uint_eq(x->id, y->id);
        ck_assert_uint_eq(x->super, y->super);
        ck_assert_uint_eq(x->field_count, y->field_count);
        ck_assert_uint_eq(x->static_count, y->static_count);
        ck_assert_uint_eq(x->value_bytes, y->value_bytes);
        ck_assert_uint_eq(x->instance_bytes, y->instance_bytes);
        ck_assert_uint_eq(x->is_array, y->is_array);
        ck_assert_uint_eq(x->count, y->count);
        ck_assert_uint_eq(x->bytes, y->bytes);
        ck_assert_uint_eq(x->reached, y->reached);
        ck_assert_uint_eq(x->reached_bytes, y->reached_bytes);
        ck_assert_uint_eq(x->retained_bytes, y->retained_bytes);
    }
}

static void compare_edges(const fl_heap *a, const fl_heap *b, fl_heap_object o)
{
    fl_heap_edges of_a = fl_heap_edges_of(a, o), of_b = fl_heap_edges_of(b, o);
    fl_heap_edge x, y;
    while (fl_heap_edges_next(&of_a, &x)) {
        ck_assert(fl_heap_edges_next(&of_b, &y));
        ck_assert_uint_eq(x.kind, y.kind);
        ck_assert_uint_eq(x.is_weak, y.is_weak);
        ck_assert_uint_eq(x.to, y.to);
        ck_assert_uint_eq(x.index, y.index);
    }
    ck_assert(!fl_heap_edges_next(&of_b, &y));
}

static void compare_object(const fl_heap *a, const fl_heap *b, fl_heap_object o)
{
    size_t count_a, count_b;
    ck_assert_uint_eq(fl_heap_id(a, o), fl_heap_id(b, o));
    ck_assert_uint_eq(fl_heap_find(b, fl_heap_id(a, o)), o);
    ck_assert_uint_eq(fl_heap_class_of(a, o), fl_heap_class_of(b, o));
    ck_assert_uint_eq(fl_heap_class_meant(a, o), fl_heap_class_meant(b, o));
    ck_assert_uint_eq(fl_heap_shallow_bytes(a, o), fl_heap_shallow_bytes(b, o));
    ck_assert_uint_eq(fl_heap_retained_bytes(a, o), fl_heap_retained_bytes(b, o));
    ck_assert_uint_eq(fl_heap_is_reached(a, o), fl_heap_is_reached(b, o));
    ck_assert_uint_eq(fl_heap_idom(a, o), fl_heap_idom(b, o));
    const fl_heap_object *x = fl_heap_dominated(a, o, &count_a),
                         *y = fl_heap_dominated(b, o, &count_b);
    ck_assert_uint_eq(count_a, count_b);
    ck_assert(count_a == 0 || memcmp(x, y, count_a * sizeof(*x)) == 0);
    (void)fl_heap_roots_of(a, o, &count_a);
    (void)fl_heap_roots_of(b, o, &count_b);
    ck_assert_uint_eq(count_a, count_b);
    compare_edges(a, b, o);
}

static void compare_heaps(const fl_heap *a, const fl_heap *b)
{
    fl_census_totals x = fl_census_totals_of(fl_heap_census(a)),
                     y = fl_census_totals_of(fl_heap_census(b));
    ck_assert_uint_eq(x.objects, y.objects);
    ck_assert_uint_eq(x.bytes, y.bytes);
    ck_assert_uint_eq(x.min_id, y.min_id);
    ck_assert_uint_eq(x.max_id, y.max_id);
    ck_assert_uint_eq(x.id_bits, y.id_bits);
    ck_assert_uint_eq(x.layout, y.layout);
    compare_classes(a, b);
    ck_assert_uint_eq(fl_heap_has_roots(a), fl_heap_has_roots(b));
    ck_assert_uint_eq(fl_heap_count(a), fl_heap_count(b));
    for (fl_heap_object o = 0; o < fl_heap_count(a); o++)
        compare_object(a, b, o);
}

/* Two objects at both ends of memory: their ids are a list, not a bitmap. */
static fl_hprof_made far_apart(void)
{
    static const built_class classes[] = {{.id = 0x100, .name = "java/lang/Object"},
                                          {.id = 0x200, .super = 0x100, .name = "java/lang/Class"}};
    fl_hprof_made m = built_begin(8, classes, 2);
    for (uint64_t i = 0; i < 64; i++) {
        made_instance(&m, i << 50 | 0x1000, 0x100, 0);
        if (i % 2 == 0)
            made_root(&m, 0xff, i << 50 | 0x1000);
    }
    made_segment_end(&m);
    made_end(&m);
    return m;
}

START_TEST(a_heap_out_of_its_index_is_the_heap)
{
    for (int turn = 0; turn < 6; turn++) {
        fl_heap_options options = {.weak_keeps = turn == 2};
        fl_hprof_made made = turn == 5 ? far_apart() : made_sample(turn == 1 ? 4 : 8);
        if (turn == 3)
            options.layout = FL_HEAP_LAYOUT_FULL;
        if (turn == 4)
            made.out.len -= 200; /* before its roots */
        indexed all = index_dump(made, options);
        fl_heap *heap;
        ck_assert_ok(load(&heap, &all, options, false));
        compare_heaps(all.heap, heap);
        fl_heap_destroy(heap);
        drop(&all);
    }
}
END_TEST

START_TEST(only_what_is_asked_for_is_looked_at)
{
    indexed all = index_sample();
    fl_heap *heap;
    *(uint32_t *)index_made_section(&all.index, FL_FLX_RETAINED) ^= 1;
    ck_assert_fails(FL_E_SYNTAX, load(&heap, &all, (fl_heap_options){0}, false));
    ck_assert_str_eq(err.message, "the section 'retained' of the index is damaged");
    set_up();
    ck_assert_ok(load(&heap, &all, (fl_heap_options){.without_tree = true}, false));
    ck_assert_uint_eq(fl_heap_retained_bytes(heap, 0), 0);
    ck_assert_uint_eq(fl_heap_count(heap), 20);
    fl_heap_destroy(heap);
    *(uint32_t *)index_made_section(&all.index, FL_FLX_CLASS_OF) ^= 1;
    ck_assert_ok(load(&heap, &all, (fl_heap_options){0}, true));
    compare_classes(all.heap, heap);
    ck_assert_uint_eq(fl_heap_count(heap), 0);
    fl_heap_destroy(heap);
    drop(&all);
}
END_TEST

START_TEST(what_a_dump_was_damaged_by_is_told_again)
{
    indexed all = {.made = made_sample(8)};
    fl_heap_index_key key = index_made_key();
    const fl_heap_index_question question = {&key, {0}, true};
    fl_error damage;
    fl_heap *heap;
    all.made.out.len -= 30;
    all = index_dump(all.made, (fl_heap_options){0});
    const fl_error *told = fl_hprof_damage(all.dump);
    fl_heap_source source = fl_hprof_source(all.dump);
    ck_assert_ok(
        fl_heap_index_load(&heap, &damage, index_made_bytes(&all.index), &question, &source, &err));
    ck_assert_int_eq(damage.status, FL_E_TRUNCATED);
    ck_assert_str_eq(damage.message, "the heap dump ends inside an object");
    ck_assert(fl_hprof_damage(all.dump) == NULL); /* nothing was read */
    fl_hprof_recall_damage(all.dump, &damage);
    told = fl_hprof_damage(all.dump);
    ck_assert_uint_eq(told->offset, damage.offset);
    fl_heap_destroy(heap);
    index_made_head(&all.index)->damage_text[0] = '\033';
    index_made_seal(&all.index);
    ck_assert_fails(FL_E_SYNTAX, load(&heap, &all, (fl_heap_options){0}, true));
    ck_assert_str_eq(err.message, "the head of the index is damaged");
    drop(&all);
}
END_TEST

START_TEST(an_index_of_something_else_is_told_from_ours)
{
    static const struct {
        size_t at; /* a byte of the head to be changed, and all checksums made right again */
        fl_heap_options options;
        const char *message;
    } cases[] = {
        {offsetof(fl_flx_head, version),
         {0},
         "the index was written by another version of faultline"},
        {offsetof(fl_flx_head, byte_order),
         {0},
         "the index was written on a machine with another byte order"},
        {offsetof(fl_flx_head, key.program),
         {0},
         "the index was written by another version of faultline"},
        {offsetof(fl_flx_head, key.dump_bytes),
         {0},
         "the index belongs to another dump, or this one was changed since"},
        {offsetof(fl_flx_head, key.file_bytes),
         {0},
         "the index belongs to another dump, or this one was changed since"},
        {offsetof(fl_flx_head, key.mtime_ns),
         {0},
         "the index belongs to another dump, or this one was changed since"},
        {offsetof(fl_flx_head, key.sample),
         {0},
         "the index belongs to another dump, or this one was changed since"},
        {offsetof(fl_flx_head, id_bytes),
         {0},
         "the index belongs to another dump, or this one was changed since"},
        {0, {.layout = FL_HEAP_LAYOUT_WIDE}, "the index was made with another --layout"},
        {0, {.weak_keeps = true}, "the index was made without --weak"},
        {offsetof(fl_flx_head, flags), {0}, "the index was made with another --layout"},
    };
    indexed all = index_sample();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fl_heap *heap;
        set_up();
        if (cases[i].at > 0)
            all.index.bytes[cases[i].at] ^= 1;
        index_made_seal(&all.index);
        ck_assert_fails(FL_E_NOTFOUND, load(&heap, &all, cases[i].options, false));
        ck_assert_str_eq(err.message, cases[i].message);
        if (cases[i].at > 0)
            all.index.bytes[cases[i].at] ^= 1;
    }
    drop(&all);
}
END_TEST

/* The layout that was inferred is the one that is asked for by its name. */
START_TEST(an_inferred_layout_serves_whoever_names_it)
{
    indexed all = index_sample();
    fl_heap *heap;
    ck_assert_ok(load(&heap, &all, (fl_heap_options){.layout = FL_HEAP_LAYOUT_COMPRESSED}, false));
    fl_heap_destroy(heap);
    drop(&all);
}
END_TEST

START_TEST(numbers_that_are_wrong_are_found_behind_right_checksums)
{
    static const struct {
        fl_flx_kind kind; /* FL_FLX_SECTIONS: of the head */
        size_t at;        /* byte of the section, or of the head */
        const char *message;
    } cases[] = {
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, magic), "this is no index of a heap"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, layout) + 1, "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, flags) + 1, "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, shift) + 1, "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, objects) + 7, "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, count) + 3, "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, damage_status) + 1,
         "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, sections[FL_FLX_IDOM].size),
         "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, sections[FL_FLX_IDOM].offset),
         "the head of the index is damaged"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, sections[FL_FLX_IDOM].offset) + 7,
         "the index ends before the end of its section 'idom'"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, sections[FL_FLX_IDOM].count) + 7,
         "the index ends before the end of its section 'idom'"},
        {FL_FLX_SECTIONS, offsetof(fl_flx_head, sections[FL_FLX_IDOM].count),
         "the section 'idom' of the index is damaged"},
        {FL_FLX_PLACES, 1, "the dump has no class or name where the index says it has"},
        {FL_FLX_PLACES, 7, "the dump has no class or name where the index says it has"},
        {FL_FLX_CLASSES, offsetof(fl_flx_class, count) + 7,
         "the section 'classes' of the index is damaged"},
        {FL_FLX_CLASSES, offsetof(fl_flx_class, array_count) + 1,
         "the section 'classes' of the index is damaged"},
        {FL_FLX_WORDS, 8, "the section 'words' of the index is damaged"},
        {FL_FLX_RUNS, 0, "the section 'words' of the index is damaged"},
        {FL_FLX_CLASS_OF, 3, "the section 'class_of' of the index is damaged"},
        {FL_FLX_IDOM, 0, "the section 'kids' of the index is damaged"},
        {FL_FLX_KID_STARTS, 4, "the section 'kids' of the index is damaged"},
        {FL_FLX_KIDS, 0, "the section 'kids' of the index is damaged"},
        {FL_FLX_KIDS, 3, "the section 'kids' of the index is damaged"},
    };
    indexed all = index_sample();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fl_heap *heap;
        unsigned char *byte = all.index.bytes + cases[i].at;
        if (cases[i].kind != FL_FLX_SECTIONS)
            byte = (unsigned char *)index_made_section(&all.index, cases[i].kind) + cases[i].at;
        set_up();
        *byte ^= 0x41;
        index_made_seal(&all.index);
        fl_status status = load(&heap, &all, (fl_heap_options){0}, false);
        ck_assert_msg(status == FL_E_SYNTAX || status == FL_E_TRUNCATED, "case %zu", i);
        ck_assert_str_eq(err.message, cases[i].message);
        *byte ^= 0x41;
    }
    drop(&all);
}
END_TEST

/* Two that dominate each other would be gone round for ever. */
START_TEST(dominators_that_go_round_are_refused)
{
    indexed all = index_sample();
    fl_heap_object a = fl_heap_find(all.heap, MADE_FIRST), b = fl_heap_find(all.heap, MADE_SECOND);
    uint32_t *idom = index_made_section(&all.index, FL_FLX_IDOM);
    uint32_t *starts = index_made_section(&all.index, FL_FLX_KID_STARTS);
    uint32_t *kids = index_made_section(&all.index, FL_FLX_KIDS);
    size_t count = fl_heap_count(all.heap), kid_count = starts[count + 1], made = 0;
    fl_heap *heap;
    ck_assert_uint_eq(idom[b], a);
    idom[a] = b;
    /* the lists as these dominators have them */
    for (uint32_t above = 0; above <= count; above++) {
        starts[above] = (uint32_t)made;
        for (uint32_t o = 0; o < count; o++)
            if (idom[o] == (above == count ? UINT32_MAX - 1 : above))
                kids[made++] = o;
    }
    ck_assert_uint_eq(made, kid_count);
    index_made_seal(&all.index);
    ck_assert_fails(FL_E_SYNTAX, load(&heap, &all, (fl_heap_options){0}, false));
    ck_assert_str_eq(err.message, "the section 'kids' of the index is damaged");
    drop(&all);
}
END_TEST

START_TEST(an_object_that_stands_elsewhere_has_no_values)
{
    indexed all = index_sample();
    fl_heap_object first = fl_heap_find(all.heap, MADE_FIRST);
    uint32_t *low = index_made_section(&all.index, FL_FLX_OFFSET_LOW);
    fl_heap *heap;
    fl_heap_edge edge;
    fl_heap_item item;
    low[first] = low[fl_heap_find(all.heap, MADE_SECOND)];
    index_made_seal(&all.index);
    ck_assert_ok(load(&heap, &all, (fl_heap_options){0}, false));
    ck_assert(!fl_heap_item_of(heap, first, &item));
    fl_heap_edges edges = fl_heap_edges_of(heap, first);
    ck_assert(!fl_heap_edges_next(&edges, &edge));
    ck_assert_uint_eq(fl_heap_follow(heap, first, "next"), FL_HEAP_NONE);
    ck_assert_uint_eq(fl_heap_shallow_bytes(heap, first), 32);
    fl_heap_destroy(heap);
    drop(&all);
}
END_TEST

/* Room is reserved for as many loaders as there are objects of such classes, not for as many as the
 * index says that a class has. */
START_TEST(more_loaders_than_their_class_has_instances_find_room)
{
    enum { OBJECT = 0x100, LOADER = 0x200, FIRST = 0x10000, OBJECTS = 100 };
    static const built_class classes[] = {
        {OBJECT, 0, "java/lang/Object", NULL, 0, NULL, 0},
        {LOADER, OBJECT, "java/lang/ClassLoader", NULL, 0, NULL, 0},
    };
    fl_hprof_made made = built_begin(8, classes, 2);
    for (uint64_t i = 0; i < OBJECTS; i++)
        made_instance(&made, FIRST + 16 * i, OBJECT, 0);
    made_segment_end(&made);
    made_end(&made);
    indexed all = index_dump(made, (fl_heap_options){0});
    uint32_t *class_of = index_made_section(&all.index, FL_FLX_CLASS_OF);
    uint32_t loader = fl_heap_find_class(all.heap, FL_SLICE("java.lang.ClassLoader"), 0);
    fl_heap_loaders loaders;
    fl_heap *heap;
    for (size_t i = 0; i < fl_heap_count(all.heap); i++)
        class_of[i] = loader;
    index_made_seal(&all.index);
    ck_assert_ok(load(&heap, &all, (fl_heap_options){0}, false));
    ck_assert_ok(fl_heap_loaders_find(&loaders, heap, 0, &err));
    ck_assert_uint_ge(loaders.count, OBJECTS);
    fl_heap_loaders_dispose(&loaders);
    fl_heap_destroy(heap);
    drop(&all);
}
END_TEST

START_TEST(each_beginning_of_an_index_fails_cleanly)
{
    indexed all = index_sample();
    size_t whole = all.index.len;
    for (all.index.len = 0; all.index.len < whole;
         all.index.len += all.index.len < sizeof(fl_flx_head) + 8 ? 1 : 97) {
        fl_heap *heap;
        set_up();
        fl_status status = load(&heap, &all, (fl_heap_options){0}, false);
        ck_assert(status == FL_E_TRUNCATED || status == FL_E_SYNTAX);
        ck_assert_ptr_null(heap);
    }
    drop(&all);
}
END_TEST

START_TEST(each_byte_that_is_changed_is_noticed)
{
    indexed all = index_sample();
    const fl_flx_head head = *index_made_head(&all.index);
    for (unsigned k = 0; k <= FL_FLX_SECTIONS; k++) {
        bool is_head = k == FL_FLX_SECTIONS;
        size_t from = is_head ? 0 : (size_t)head.sections[k].offset;
        size_t len =
            is_head ? sizeof(head) : (size_t)head.sections[k].count * head.sections[k].size;
        for (size_t i = from; i < from + len; i++) {
            fl_heap *heap;
            set_up();
            all.index.bytes[i] ^= 0x10;
            fl_status status = load(&heap, &all, (fl_heap_options){0}, false);
            ck_assert(status == FL_E_NOTFOUND || status == FL_E_SYNTAX);
            all.index.bytes[i] ^= 0x10;
        }
    }
    drop(&all);
}
END_TEST

/* An instance whose class calls itself an array weighs nothing: two of them below one another are
 * in no order by what they retain. */
START_TEST(objects_of_no_size_are_not_indexed)
{
    static const made_member field = {"next", FL_HEAP_REFERENCE, 0};
    static const built_class classes[] = {
        {.id = 0x100, .name = "java/lang/Object"},
        {.id = 0x200, .super = 0x100, .name = "java/lang/Class"},
        {.id = 0x300, .super = 0x100, .name = "[I", .fields = &field, .field_count = 1}};
    index_made index;
    built_heap built = {.made = built_begin(8, classes, 3)};
    for (uint64_t id = 0x1000; id <= 0x2000; id += 0x1000) {
        made_instance(&built.made, id, 0x300, 8);
        made_id(&built.made, id == 0x1000 ? 0x2000 : 0);
    }
    made_root(&built.made, 0xff, 0x1000);
    ck_assert_ok(built_open(&built, false, &err));
    ck_assert_uint_eq(fl_heap_retained_bytes(built.heap, fl_heap_find(built.heap, 0x1000)), 0);
    ck_assert_fails(FL_E_UNSUPPORTED, index_made_save(&index, built.heap, NULL, &err));
    ck_assert_str_eq(err.message, "the heap has objects of no size, which an index cannot have");
    fl_mem_free(index.bytes);
    built_close(&built);
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    indexed all = index_sample();
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        index_made again;
        set_up();
        fl_mem_fail_after(n);
        status = index_made_save(&again, all.heap, NULL, &err);
        fl_mem_fail_after(-1);
        fl_mem_free(again.bytes);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_lt(n, 100);
    }
    status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_heap *heap;
        set_up();
        fl_mem_fail_after(n);
        status = load(&heap, &all, (fl_heap_options){0}, false);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_heap_destroy(heap);
        ck_assert_int_lt(n, 200);
    }
    drop(&all);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/heap_index");
    TCase *tcase = tcase_create("index");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_heap_out_of_its_index_is_the_heap);
    tcase_add_test(tcase, only_what_is_asked_for_is_looked_at);
    tcase_add_test(tcase, what_a_dump_was_damaged_by_is_told_again);
    tcase_add_test(tcase, an_index_of_something_else_is_told_from_ours);
    tcase_add_test(tcase, an_inferred_layout_serves_whoever_names_it);
    tcase_add_test(tcase, numbers_that_are_wrong_are_found_behind_right_checksums);
    tcase_add_test(tcase, dominators_that_go_round_are_refused);
    tcase_add_test(tcase, an_object_that_stands_elsewhere_has_no_values);
    tcase_add_test(tcase, more_loaders_than_their_class_has_instances_find_room);
    tcase_add_test(tcase, each_beginning_of_an_index_fails_cleanly);
    tcase_add_test(tcase, each_byte_that_is_changed_is_noticed);
    tcase_add_test(tcase, objects_of_no_size_are_not_indexed);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
