/*
 * census_classes.c - what needs all classes at once: their names, members, super classes, the
 * layout, and what instances weigh.
 *
 *   class record, from the loader on: loader, signers, protection domain, 2 reserved (ids), u4
 *   instance size, u2 n, n constants (u2 index, u1 type, value), u2 n, n statics (id name, u1 type,
 *   value), u2 n, n fields (id name, u1 type)
 */
#include <assert.h>
#include <string.h>

#include "census_priv.h"
#include "heap_layout.h"
#include "mem.h"
#include "reader.h"
#include "slice.h"

/* What HotSpot keeps in an object of java.lang.Class besides its fields: two pointers, two ints and
 * three references (javaClasses.hpp: klass, array_klass, oop_size, static_oop_field_count,
 * protection_domain, signers, source_file). The statics follow. */
enum { CLASS_NUMBERS_BYTES = 24, CLASS_REFERENCES = 3 };
/* What HotSpot adds to instances and no dump lists: the pointer of a loader (javaClasses.hpp), and
 * the room around what many threads write (@Contended, twice 128 bytes), where it has that. */
static const struct {
    fl_slice class, field;
    uint32_t bytes;
} ADDED[] = {
    {FL_SLICE_INIT("java.lang.ClassLoader"), FL_SLICE_INIT("parent"), 8},
    {FL_SLICE_INIT("java.lang.Thread"), FL_SLICE_INIT("threadLocalRandomSeed"), 256},
    {FL_SLICE_INIT("java.util.concurrent.ForkJoinPool"), FL_SLICE_INIT("ctl"), 256},
};
/* An instance that is larger than the model: how often its neighbour must say so, and by how much
 * at most, since what lies between may be garbage. */
enum { FIRM_COUNT = 16, FIRM_BYTES = 16 };
#define COMPRESSED_REACH (UINT64_C(32) << 30) /* references of 32 bits in units of 8 bytes */

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
}

/* --- names --- */

static fl_slice primitive_name(unsigned char letter)
{
    switch (letter) {
    case 'Z':
        return FL_SLICE("boolean");
    case 'C':
        return FL_SLICE("char");
    case 'F':
        return FL_SLICE("float");
    case 'D':
        return FL_SLICE("double");
    case 'B':
        return FL_SLICE("byte");
    case 'S':
        return FL_SLICE("short");
    case 'I':
        return FL_SLICE("int");
    case 'J':
        return FL_SLICE("long");
    default:
        return FL_SLICE("");
    }
}

/* "[Ljava/lang/Object;" to "java.lang.Object[]"; what is no such name stays, with dots. */
static bool readable(fl_slice *out, fl_arena *arena, fl_slice name)
{
    size_t depth = 0;
    while (depth < name.len && name.ptr[depth] == '[')
        depth++;
    fl_slice inner = fl_slice_part(name, depth, name.len);
    if (depth > 0 && inner.len > 2 && inner.ptr[0] == 'L' && inner.ptr[inner.len - 1] == ';')
        inner = fl_slice_part(inner, 1, inner.len - 1);
    else if (depth > 0 && inner.len == 1 && primitive_name(inner.ptr[0]).len > 0)
        inner = primitive_name(inner.ptr[0]);
    unsigned char *text = fl_arena_bytes(arena, inner.len + 2 * depth);
    if (text == NULL)
        return false;
    for (size_t i = 0; i < inner.len; i++)
        text[i] = inner.ptr[i] == '/' ? '.' : inner.ptr[i];
    for (size_t i = 0; i < depth; i++)
        memcpy(text + inner.len + 2 * i, "[]", 2);
    *out = (fl_slice){.ptr = text, .len = inner.len + 2 * depth};
    return true;
}

/* A dump that was cut may have a class and not its name. */
static bool name_class(fl_census *census, fl_census_entry *entry)
{
    fl_slice name = fl_census_name(census, entry->name_id);
    if (name.len > 0)
        return readable(&entry->facts.name, &census->arena, name);
    const char *text = fl_arena_printf(&census->arena, "(class 0x%llx, whose name is not there)",
                                       (unsigned long long)entry->facts.id);
    entry->facts.name = fl_slice_of(text);
    return text != NULL;
}

/* Readable names of all classes; those made for arrays of primitives have theirs from the type. */
static fl_status name_all(fl_census *census, fl_error *err)
{
    census->entries[0].facts.name = FL_SLICE("(objects whose class is not there)");
    for (uint32_t type = FL_HEAP_BOOLEAN; type < FL_HEAP_TYPE_END; type++) {
        static const char letters[FL_HEAP_TYPE_END + 1] = "    ZCFDBSIJ";
        const char name[2] = {'[', letters[type]};
        fl_heap_class *facts = &census->entries[census->values_class[type]].facts;
        if (!readable(&facts->name, &census->arena, (fl_slice){(const unsigned char *)name, 2}))
            return no_memory(err);
    }
    for (size_t i = FL_HEAP_TYPE_END - FL_HEAP_BOOLEAN + 1; i < census->count; i++)
        if (!name_class(census, &census->entries[i]))
            return no_memory(err);
    for (size_t i = 1; i < census->count; i++)
        census->entries[i].facts.is_array =
            fl_slice_ends_with(census->entries[i].facts.name, FL_SLICE("[]"));
    return FL_OK;
}

/* --- members --- */

/* The constant pool, which HotSpot leaves empty. */
static void skip_constants(fl_reader *in, unsigned id_bytes)
{
    uint64_t count = fl_read_be(in, 2);
    for (uint64_t i = 0; i < count && !in->short_read; i++) {
        (void)fl_read_be(in, 2);
        unsigned width = fl_heap_type_bytes((unsigned)fl_read_be(in, 1), id_bytes);
        (void)fl_read_bytes(in, width);
    }
}

/* Statics have values, fields have places. */
static fl_heap_member *read_members(fl_census *census, fl_reader *in, bool has_values,
                                    uint32_t *count, uint32_t *bytes)
{
    *count = (uint32_t)fl_read_be(in, 2);
    fl_heap_member *members = fl_arena_alloc(&census->arena, *count, sizeof(*members));
    for (uint32_t i = 0; i < *count && members != NULL; i++) {
        members[i].name = fl_census_name(census, fl_read_be(in, census->id_bytes));
        members[i].type = (fl_heap_type)fl_read_be(in, 1);
        unsigned width = fl_heap_type_bytes(members[i].type, census->id_bytes);
        members[i].at = *bytes;
        *bytes += width;
        if (has_values && width > 0)
            members[i].value = fl_read_be(in, width);
    }
    assert(!in->short_read); /* the source gives whole records */
    return members;
}

/* The loader, and the two tables of members. */
static fl_status read_record(fl_census *census, fl_census_entry *entry, fl_error *err)
{
    if (entry->record.ptr == NULL)
        return FL_OK;
    fl_reader in = fl_reader_over(entry->record);
    uint32_t static_bytes = 0;
    entry->loader_id = fl_read_be(&in, census->id_bytes);
    (void)fl_read_bytes(&in, 4 * (uint64_t)census->id_bytes + 4);
    skip_constants(&in, census->id_bytes);
    fl_heap_class *facts = &entry->facts;
    facts->statics = read_members(census, &in, true, &facts->static_count, &static_bytes);
    facts->fields = read_members(census, &in, false, &facts->field_count, &facts->value_bytes);
    if (facts->statics == NULL || facts->fields == NULL)
        return no_memory(err);
    return FL_OK;
}

/* --- super classes --- */

/* Super classes first. A class that is its own ancestor loses the link that closes the loop. */
static void order_classes(fl_census *census, uint32_t *order, uint32_t *path, unsigned char *state)
{
    enum { NEW, ON_PATH, DONE };
    size_t done = 0;
    for (uint32_t i = 0; i < census->count; i++) {
        size_t depth = 0;
        uint32_t at = i;
        while (at != FL_HEAP_NONE && state[at] == NEW) {
            fl_heap_class *facts = &census->entries[at].facts;
            state[at] = ON_PATH;
            path[depth++] = at;
            if (facts->super != FL_HEAP_NONE && state[facts->super] == ON_PATH)
                facts->super = FL_HEAP_NONE;
            at = facts->super;
        }
        while (depth > 0) {
            state[path[--depth]] = DONE;
            order[done++] = path[depth];
        }
    }
    assert(done == census->count);
}

/* A super class that the dump does not have leaves the class without one. */
static void link_supers(fl_census *census)
{
    for (size_t i = 0; i < census->count; i++) {
        fl_census_entry *entry = &census->entries[i];
        if (entry->super_id != 0)
            entry->facts.super = fl_census_find_class(census, entry->super_id);
    }
}

/* --- arrays of primitives --- */

/* What was counted for a type belongs to the class of that name, where the dump has it. */
static void adopt_values(fl_census *census)
{
    for (uint32_t type = FL_HEAP_BOOLEAN; type < FL_HEAP_TYPE_END; type++) {
        fl_census_entry *made = &census->entries[census->values_class[type]];
        for (size_t i = FL_HEAP_TYPE_END - FL_HEAP_BOOLEAN + 1; i < census->count; i++) {
            fl_census_entry *real = &census->entries[i];
            if (!fl_slice_equal(real->facts.name, made->facts.name))
                continue;
            real->facts.count += made->facts.count;
            made->facts.count = 0;
            real->array_count += made->array_count;
            made->array_count = 0;
            for (int layout = 0; layout < FL_HEAP_LAYOUT_COUNT; layout++) {
                real->array_bytes[layout] += made->array_bytes[layout];
                made->array_bytes[layout] = 0;
            }
            census->values_class[type] = (uint32_t)i;
            break;
        }
    }
}

/* --- sizes --- */

/* The layout with most votes; what the addresses say decides where nobody voted, and ties. */
static fl_heap_layout infer_layout(const fl_census *census)
{
    const fl_census_totals *totals = &census->totals;
    if (census->id_bytes == 4)
        return FL_HEAP_LAYOUT_32;
    assert(totals->max_id >= totals->min_id);
    fl_heap_layout best = totals->max_id - totals->min_id < COMPRESSED_REACH
                              ? FL_HEAP_LAYOUT_COMPRESSED
                              : FL_HEAP_LAYOUT_WIDE;
    for (fl_heap_layout i = FL_HEAP_LAYOUT_COMPRESSED; i < FL_HEAP_LAYOUT_32; i++)
        if (census->votes.of[i] > census->votes.of[best])
            best = i;
    return best;
}

/* By name and by a field that it has since then. */
static uint32_t added_bytes(const fl_heap_class *facts)
{
    for (size_t i = 0; i < sizeof(ADDED) / sizeof(ADDED[0]); i++) {
        if (!fl_slice_equal(facts->name, ADDED[i].class))
            continue;
        for (uint32_t f = 0; f < facts->field_count; f++)
            if (fl_slice_equal(facts->fields[f].name, ADDED[i].field))
                return ADDED[i].bytes;
    }
    return 0;
}

/* The model, corrected by what the neighbours of its instances say. */
static void weigh_instances(fl_census_entry *entry, fl_heap_extent extent)
{
    uint32_t bytes = fl_heap_extent_bytes(extent);
    assert(bytes % 8 == 0 && !entry->facts.is_array);
    uint64_t nearest = entry->nearest_bytes;
    bool is_firm = entry->nearest_count >= FIRM_COUNT && nearest <= bytes + FIRM_BYTES;
    if (nearest % 8 == 0 && (nearest < bytes || is_firm))
        bytes = (uint32_t)nearest;
    entry->facts.instance_bytes = bytes;
}

/* Saturates: no instance is that large, and a class is never smaller than its super class. */
static uint32_t add_bytes(uint32_t a, uint32_t b)
{
    return a < UINT32_MAX - b ? a + b : UINT32_MAX;
}

/* In the order that has super classes first. */
static void weigh_all(fl_census *census, const uint32_t *order, fl_heap_extent *extents)
{
    fl_heap_layout layout = census->totals.layout;
    for (size_t i = 0; i < census->count; i++) {
        fl_census_entry *entry = &census->entries[order[i]];
        fl_heap_class *facts = &entry->facts;
        fl_heap_extent extent = fl_heap_extent_begin(layout);
        if (facts->super != FL_HEAP_NONE) {
            extent = extents[facts->super];
            facts->value_bytes =
                add_bytes(facts->value_bytes, census->entries[facts->super].facts.value_bytes);
        }
        extent = fl_heap_extent_add(extent, layout, facts->fields, facts->field_count);
        if (layout != FL_HEAP_LAYOUT_32 && added_bytes(facts) > 0)
            extent = fl_heap_extent_pad(extent, added_bytes(facts));
        extents[order[i]] = extent;
        if (!facts->is_array)
            weigh_instances(entry, extent);
        assert(entry->array_count <= facts->count);
        facts->bytes = entry->array_bytes[layout] +
                       (facts->count - entry->array_count) * facts->instance_bytes;
    }
}

/* The object that stands for a class: its own fields, what HotSpot adds, the statics. */
static uint32_t class_object_bytes(const fl_census *census, const fl_heap_class *meant,
                                   uint32_t fields_bytes)
{
    fl_heap_shape shape = fl_heap_shape_of(census->totals.layout);
    uint32_t bytes = fields_bytes;
    for (uint32_t i = 0; i < meant->static_count; i++)
        bytes += fl_heap_type_bytes(meant->statics[i].type, shape.reference_bytes);
    return (bytes + 7) / 8 * 8;
}

/* Objects of java.lang.Class are the class records themselves, each as large as its statics make
 * it. */
static void weigh_classes(fl_census *census, const fl_heap_extent *extents)
{
    uint32_t index = 0;
    while (index < census->count &&
           !fl_slice_equal(census->entries[index].facts.name, FL_SLICE("java.lang.Class")))
        index++;
    census->class_class = index < census->count ? index : 0;
    fl_heap_shape shape = fl_heap_shape_of(census->totals.layout);
    fl_heap_class *facts = &census->entries[census->class_class].facts;
    uint32_t fixed = extents[census->class_class].end + CLASS_NUMBERS_BYTES +
                     CLASS_REFERENCES * shape.reference_bytes;
    for (size_t i = 0; i < census->count; i++) {
        fl_census_entry *entry = &census->entries[i];
        if (entry->record.ptr == NULL)
            continue;
        entry->class_bytes = class_object_bytes(census, &entry->facts, fixed);
        facts->count++;
        facts->bytes += entry->class_bytes;
    }
    for (size_t i = 0; i < census->count; i++)
        census->totals.bytes += census->entries[i].facts.bytes;
}

/* The order of the steps matters: sizes need the layout, super classes and members. */
fl_status fl_census_link(fl_census *census, fl_heap_layout layout, fl_error *err)
{
    fl_status status = name_all(census, err);
    for (size_t i = 0; i < census->count && status == FL_OK; i++)
        status = read_record(census, &census->entries[i], err);
    if (status != FL_OK)
        return status;
    uint32_t *order = fl_mem_calloc(census->count, 2 * sizeof(*order));
    unsigned char *state = fl_mem_calloc(census->count, 1);
    fl_heap_extent *extents = fl_mem_calloc(census->count, sizeof(*extents));
    if (order != NULL && state != NULL && extents != NULL) {
        link_supers(census);
        order_classes(census, order, order + census->count, state);
        adopt_values(census);
        census->totals.layout = layout != FL_HEAP_LAYOUT_INFER ? layout : infer_layout(census);
        weigh_all(census, order, extents);
        weigh_classes(census, extents);
    } else
        status = no_memory(err);
    census->order = order;
    fl_mem_free(state);
    fl_mem_free(extents);
    return status;
}
