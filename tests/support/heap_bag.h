/*
 * heap_bag.h - a heap in which one static holds so many items, another a table of one size, and a
 * root a chain.
 */
#ifndef FL_HEAP_BAG_H
#define FL_HEAP_BAG_H

#include "fl_hprof_made.h"
#include "fl_test.h"

/* How the class Bag is kept: as a root, by an array, or by nothing in a dump that has no roots. */
static enum { BAG_IS_ROOT, BAG_IN_ARRAY, NO_ROOTS } bag_kept;

/* Bag.ITEMS -> Object[] of so many Items; Bag.FIXED -> a table of one size; a chain of Links that a
 * JNI global keeps. */
static inline fl_hprof_made bag_of(uint32_t items, uint32_t fixed)
{
    static const made_member statics[] = {{"ITEMS", FL_HEAP_REFERENCE, 0x10000},
                                          {"FIXED", FL_HEAP_REFERENCE, 0x20000}};
    static const made_member item[] = {{"a", FL_HEAP_LONG, 0}, {"b", FL_HEAP_LONG, 0}};
    static const made_member link[] = {{"next", FL_HEAP_REFERENCE, 0}};
    static uint64_t elements[4096];
    fl_hprof_made m = made_begin("1.0.2", 8);
    ck_assert_uint_le(items, 4096);
    made_loaded(&m, 0x100, "Bag");
    made_loaded(&m, 0x200, "Item");
    made_loaded(&m, 0x300, "[LItem;");
    made_loaded(&m, 0x400, "[J");
    made_loaded(&m, 0x500, "Link");
    made_loaded(&m, 0x600, "java/lang/Class");
    uint64_t s = made_names(&m, statics, 2), f = made_names(&m, item, 2),
             n = made_names(&m, link, 1);
    made_segment(&m);
    made_class_item(&m, &(made_class){0x100, 0, 0, statics, 2, s, NULL, 0, 0});
    made_class_item(&m, &(made_class){0x200, 0, 0, NULL, 0, 0, item, 2, f});
    made_class_item(&m, &(made_class){.id = 0x300});
    made_class_item(&m, &(made_class){.id = 0x400});
    made_class_item(&m, &(made_class){0x500, 0, 0, NULL, 0, 0, link, 1, n});
    made_class_item(&m, &(made_class){.id = 0x600});
    for (uint64_t c = bag_kept == BAG_IS_ROOT ? 0x100 : 0x200; c <= 0x600; c += 0x100)
        if (bag_kept != NO_ROOTS)
            made_root(&m, 0x05, c);
    for (uint64_t held = 0x40000; held <= 0x48000 && bag_kept != NO_ROOTS; held += 0x8000) {
        made_root(&m, 0x01, held); /* the second one is there if Bag is in an array */
        made_id(&m, 0);
    }
    if (bag_kept == BAG_IN_ARRAY)
        made_objects(&m, 0x48000, 0x300, (const uint64_t[]){0x100}, 1);
    for (uint32_t i = 0; i < items; i++)
        elements[i] = 0x50000 + 64 * (uint64_t)i;
    made_objects(&m, 0x10000, 0x300, elements, items);
    made_number(&m, 0x23, 1);
    made_id(&m, 0x20000);
    made_number(&m, 0, 4);
    made_number(&m, fixed, 4);
    made_number(&m, FL_HEAP_LONG, 1);
    for (uint32_t i = 0; i < fixed; i++)
        made_number(&m, i, 8);
    for (uint32_t i = 0; i < items; i++) {
        made_instance(&m, elements[i], 0x200, 16);
        made_number(&m, i, 8);
        made_number(&m, i, 8);
    }
    for (uint64_t i = 0; i < 100; i++) {
        made_instance(&m, 0x40000 + 32 * i, 0x500, 8);
        made_id(&m, i < 99 ? 0x40000 + 32 * (i + 1) : 0);
    }
    made_segment_end(&m);
    return m;
}

#endif
