#include "census.h"

#include "fl_hprof_made.h"
#include "fl_test.h"
#include "heap_layout.h"
#include "hprof.h"
#include "mem.h"

static fl_error err;

static void set_up(void)
{
    err = (fl_error){0};
}

typedef struct counted {
    fl_hprof_made made;
    fl_hprof *dump;
    fl_census *census;
} counted;

static fl_status count_dump(counted *c, fl_heap_layout layout)
{
    fl_status status = fl_hprof_over(&c->dump, made_bytes(&c->made), &err);
    if (status != FL_OK)
        return status;
    fl_heap_source source = fl_hprof_source(c->dump);
    return fl_census_create(&c->census, &source, layout, &err);
}

static void drop(counted *c)
{
    fl_census_destroy(c->census);
    fl_hprof_close(c->dump);
    fl_buf_dispose(&c->made.out);
}

static const fl_heap_class *class_named(const counted *c, const char *name)
{
    const fl_heap_class *found = NULL;
    for (uint32_t i = 0; i < fl_census_class_count(c->census); i++) {
        const fl_heap_class *facts = fl_census_class_at(c->census, i);
        if (fl_slice_equal(facts->name, SLICE(name)) && (facts->id > 16 || facts->count > 0))
            found = facts;
    }
    ck_assert_msg(found != NULL, "no class %s", name);
    return found;
}

START_TEST(classes_have_names_members_and_counts)
{
    for (unsigned width = 4; width <= 8; width += 4) {
        counted c = {.made = made_sample(width)};
        ck_assert_ok(count_dump(&c, FL_HEAP_LAYOUT_INFER));
        const fl_heap_class *entry = class_named(&c, "shop.Cache$Entry");
        ck_assert_uint_eq(entry->count, 5);
        ck_assert_uint_eq(entry->field_count, 3);
        ck_assert_uint_eq(entry->fields[1].at, width);
        ck_assert_uint_eq(entry->value_bytes, 2 * width + 8);
        ck_assert(fl_slice_equal(entry->fields[2].name, SLICE("count")));
        const fl_heap_class *cache = class_named(&c, "shop.Cache");
        ck_assert_uint_eq(cache->static_count, 3);
        ck_assert_uint_eq(cache->statics[0].value, MADE_TABLE);
        ck_assert_uint_eq(cache->statics[1].value, 10);
        const fl_heap_class *weak = class_named(&c, "java.lang.ref.WeakReference");
        ck_assert_uint_eq(weak->value_bytes, 2 * width);
        ck_assert_uint_eq(class_named(&c, "byte[]")->count, 1);
        ck_assert(class_named(&c, "byte[]")->is_array);
        ck_assert_uint_eq(class_named(&c, "byte[]")->id, MADE_BYTES);
        ck_assert_uint_eq(class_named(&c, "java.lang.Object[]")->count, 1);
        ck_assert_uint_eq(class_named(&c, "java.lang.Class")->count, 10);
        ck_assert_uint_eq(fl_census_totals_of(c.census).objects, 20);
        ck_assert_uint_eq(fl_census_totals_of(c.census).max_id, MADE_LOCAL);
        drop(&c);
    }
}
END_TEST

START_TEST(sizes_are_those_of_the_layout)
{
    static const struct {
        fl_heap_layout layout;
        uint64_t entry, string, objects, bytes;
    } rows[] = {
        {FL_HEAP_LAYOUT_COMPRESSED, 32, 24, 24, 24},   {FL_HEAP_LAYOUT_WIDE, 40, 24, 32, 24},
        {FL_HEAP_LAYOUT_FULL, 40, 32, 40, 32},         {FL_HEAP_LAYOUT_COMPACT, 24, 16, 24, 24},
        {FL_HEAP_LAYOUT_COMPACT_WIDE, 32, 24, 32, 24},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* Every object on its own: no neighbour says how large it is. */
        counted c = {.made = made_begin("1.0.2", 8)};
        static const made_member entry[] = {{"key", FL_HEAP_REFERENCE, 0},
                                            {"next", FL_HEAP_REFERENCE, 0},
                                            {"count", FL_HEAP_LONG, 0}};
        static const made_member string[] = {{"value", FL_HEAP_REFERENCE, 0},
                                             {"coder", FL_HEAP_BYTE, 0}};
        made_loaded(&c.made, 0x100, "Entry");
        made_loaded(&c.made, 0x200, "Text");
        made_loaded(&c.made, 0x300, "[LEntry;");
        made_loaded(&c.made, 0x400, "[B");
        uint64_t e = made_names(&c.made, entry, 3), s = made_names(&c.made, string, 2);
        made_segment(&c.made);
        made_class_item(
            &c.made,
            &(made_class){.id = 0x100, .fields = entry, .field_count = 3, .field_names = e});
        made_class_item(
            &c.made,
            &(made_class){.id = 0x200, .fields = string, .field_count = 2, .field_names = s});
        made_class_item(&c.made, &(made_class){.id = 0x300});
        made_class_item(&c.made, &(made_class){.id = 0x400});
        made_entry(&c.made, 0x9000, 0, 0);
        made_segment_end(&c.made);
        /* the entry above is of another class: this one counts */
        made_segment(&c.made);
        made_instance(&c.made, 0x8000, 0x100, 24);
        for (int n = 0; n < 3; n++)
            made_number(&c.made, 0, 8);
        made_instance(&c.made, 0x7000, 0x200, 9);
        made_number(&c.made, 0, 8);
        made_number(&c.made, 0, 1);
        made_objects(&c.made, 0x6000, 0x300, (const uint64_t[]){0, 0}, 2);
        made_values(&c.made, 0x5000, FL_HEAP_BYTE, "hello", 5);
        made_segment_end(&c.made);
        ck_assert_ok(count_dump(&c, rows[i].layout));
        ck_assert_uint_eq(class_named(&c, "Entry")->instance_bytes, rows[i].entry);
        ck_assert_uint_eq(class_named(&c, "Text")->bytes, rows[i].string);
        ck_assert_uint_eq(class_named(&c, "Entry[]")->bytes, rows[i].objects);
        ck_assert_uint_eq(class_named(&c, "byte[]")->bytes, rows[i].bytes);
        ck_assert_uint_eq(class_named(&c, "(objects whose class is not there)")->count,
                          1 + 4); /* and the classes themselves: java.lang.Class is not there */
        drop(&c);
    }
}
END_TEST

/* What the arrays of a class weigh in all is that of each, in every layout. */
START_TEST(arrays_weigh_what_each_of_them_does)
{
    static const struct {
        fl_heap_type type;
        const char *name;
    } types[] = {{FL_HEAP_BOOLEAN, "boolean[]"}, {FL_HEAP_CHAR, "char[]"},
                 {FL_HEAP_FLOAT, "float[]"},     {FL_HEAP_DOUBLE, "double[]"},
                 {FL_HEAP_BYTE, "byte[]"},       {FL_HEAP_SHORT, "short[]"},
                 {FL_HEAP_INT, "int[]"},         {FL_HEAP_LONG, "long[]"}};
    for (fl_heap_layout layout = FL_HEAP_LAYOUT_COMPRESSED; layout < FL_HEAP_LAYOUT_COUNT;
         layout++) {
        counted c = {.made = made_begin("1.0.2", 8)};
        uint64_t id = 0x8000, expected[9] = {0};
        made_loaded(&c.made, 0x100, "[Lshop/Entry;");
        made_segment(&c.made);
        made_class_item(&c.made, &(made_class){.id = 0x100});
        for (uint32_t n = 0; n < 20; n++) {
            static const uint64_t none[20];
            made_objects(&c.made, id++, 0x100, none, n);
            expected[8] += fl_heap_array_bytes(layout, FL_HEAP_REFERENCE, n);
            for (size_t t = 0; t < 8; t++) {
                made_values(&c.made, id++, types[t].type, none, n);
                expected[t] += fl_heap_array_bytes(layout, types[t].type, n);
            }
        }
        made_segment_end(&c.made);
        ck_assert_ok(count_dump(&c, layout));
        for (size_t t = 0; t < 8; t++)
            ck_assert_uint_eq(class_named(&c, types[t].name)->bytes, expected[t]);
        ck_assert_uint_eq(class_named(&c, "shop.Entry[]")->bytes, expected[8]);
        ck_assert_uint_eq(class_named(&c, "shop.Entry[]")->count, 20);
        drop(&c);
    }
}
END_TEST

/* Objects need not be listed by rising addresses, and ids may be anything. */
START_TEST(ids_in_any_order_give_their_range)
{
    static const uint64_t ids[] = {0x9000, 0x8000, UINT64_MAX - 7, 0x10, 0x8800};
    counted c = {.made = made_begin("1.0.2", 8)};
    made_loaded(&c.made, 0x100, "Empty");
    made_segment(&c.made);
    made_class_item(&c.made, &(made_class){.id = 0x100});
    for (size_t i = 0; i < 5; i++)
        made_instance(&c.made, ids[i], 0x100, 0);
    made_segment_end(&c.made);
    ck_assert_ok(count_dump(&c, FL_HEAP_LAYOUT_COMPRESSED));
    const fl_census_totals totals = fl_census_totals_of(c.census);
    ck_assert_uint_eq(totals.objects, 6);
    ck_assert_uint_eq(totals.min_id, 0x10);
    ck_assert_uint_eq(totals.max_id, UINT64_MAX - 7);
    ck_assert_uint_eq(totals.id_bits, UINT64_MAX - 7);
    ck_assert_uint_eq(class_named(&c, "Empty")->instance_bytes, 16); /* no distance is a size */
    drop(&c);
}
END_TEST

START_TEST(the_layout_is_told_by_neighbours)
{
    static const struct {
        fl_heap_layout layout;
        uint64_t far; /* an object far away, so that the addresses' spread says the contrary */
    } rows[] = {{FL_HEAP_LAYOUT_COMPRESSED, 0},
                {FL_HEAP_LAYOUT_WIDE, 0},
                {FL_HEAP_LAYOUT_FULL, UINT64_C(1) << 40},
                {FL_HEAP_LAYOUT_COMPACT, 0},
                {FL_HEAP_LAYOUT_COMPRESSED, UINT64_C(1) << 40}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        counted c = {.made = made_begin("1.0.2", 8)};
        uint64_t id = 0x8000;
        made_segment(&c.made);
        for (uint32_t n = 1; n < 20; n++) {
            const uint64_t none[20] = {0};
            made_objects(&c.made, id, 0x100, none, n);
            id += fl_heap_array_bytes(rows[i].layout, FL_HEAP_REFERENCE, n);
            made_values(&c.made, id, FL_HEAP_BYTE, none, n);
            id += fl_heap_array_bytes(rows[i].layout, FL_HEAP_BYTE, n);
        }
        made_values(&c.made, id + rows[i].far, FL_HEAP_BYTE, NULL, 0);
        made_segment_end(&c.made);
        ck_assert_ok(count_dump(&c, FL_HEAP_LAYOUT_INFER));
        ck_assert_str_eq(fl_heap_layout_name(fl_census_totals_of(c.census).layout),
                         fl_heap_layout_name(rows[i].layout));
        drop(&c);
    }
}
END_TEST

START_TEST(a_smaller_distance_corrects_the_model)
{
    counted c = {.made = made_begin("1.0.2", 8)};
    made_loaded(&c.made, 0x100, "Empty");
    made_segment(&c.made);
    made_class_item(&c.made, &(made_class){.id = 0x100});
    for (int i = 0; i < 40; i++)
        made_instance(&c.made, 0x8000 + 24 * (uint64_t)i, 0x100, 0); /* the model says 16 */
    made_segment_end(&c.made);
    ck_assert_ok(count_dump(&c, FL_HEAP_LAYOUT_COMPRESSED));
    ck_assert_uint_eq(class_named(&c, "Empty")->instance_bytes, 24);
    drop(&c);
}
END_TEST

START_TEST(a_class_that_is_its_own_ancestor_loses_that)
{
    counted c = {.made = made_begin("1.0.2", 8)};
    static const made_member field[] = {{"x", FL_HEAP_LONG, 0}};
    made_loaded(&c.made, 0x100, "A");
    made_loaded(&c.made, 0x200, "B");
    uint64_t names = made_names(&c.made, field, 1);
    made_segment(&c.made);
    made_class_item(
        &c.made,
        &(made_class){
            .id = 0x100, .super = 0x200, .fields = field, .field_count = 1, .field_names = names});
    made_class_item(&c.made, &(made_class){.id = 0x200, .super = 0x100});
    made_segment_end(&c.made);
    ck_assert_ok(count_dump(&c, FL_HEAP_LAYOUT_COMPRESSED));
    const fl_heap_class *a = class_named(&c, "A"), *b = class_named(&c, "B");
    ck_assert((a->super == FL_HEAP_NONE) != (b->super == FL_HEAP_NONE));
    ck_assert_uint_le(a->value_bytes, 16);
    drop(&c);
}
END_TEST

START_TEST(every_prefix_is_counted_as_far_as_it_goes)
{
    fl_hprof_made made = made_sample(4);
    fl_slice whole = made_bytes(&made);
    uint64_t before = 0;
    for (size_t len = 31; len <= whole.len; len++) {
        fl_hprof *dump;
        fl_census *census;
        ck_assert_ok(fl_hprof_over(&dump, fl_slice_part(whole, 0, len), &err));
        fl_heap_source source = fl_hprof_source(dump);
        ck_assert_ok(fl_census_create(&census, &source, FL_HEAP_LAYOUT_INFER, &err));
        ck_assert_uint_ge(fl_census_totals_of(census).objects, before);
        before = fl_census_totals_of(census).objects;
        fl_census_destroy(census);
        fl_hprof_close(dump);
    }
    ck_assert_uint_eq(before, 20);
    fl_buf_dispose(&made.out);
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    fl_hprof_made made = made_sample(8);
    fl_hprof *dump;
    fl_status status = FL_E_NOMEM;
    ck_assert_ok(fl_hprof_over(&dump, made_bytes(&made), &err));
    fl_heap_source source = fl_hprof_source(dump);
    for (long n = 0; status != FL_OK; n++) {
        fl_census *census;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_census_create(&census, &source, FL_HEAP_LAYOUT_INFER, &err);
        fl_mem_fail_after(-1);
        if (status != FL_OK) {
            ck_assert_fails(FL_E_NOMEM, status);
            ck_assert_ptr_null(census);
        } else
            fl_census_destroy(census);
        ck_assert_int_lt(n, 200);
    }
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/census");
    TCase *tcase = tcase_create("census");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, classes_have_names_members_and_counts);
    tcase_add_test(tcase, sizes_are_those_of_the_layout);
    tcase_add_test(tcase, arrays_weigh_what_each_of_them_does);
    tcase_add_test(tcase, ids_in_any_order_give_their_range);
    tcase_add_test(tcase, the_layout_is_told_by_neighbours);
    tcase_add_test(tcase, a_smaller_distance_corrects_the_model);
    tcase_add_test(tcase, a_class_that_is_its_own_ancestor_loses_that);
    tcase_add_test(tcase, every_prefix_is_counted_as_far_as_it_goes);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
