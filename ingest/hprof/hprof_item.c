/*
 * hprof_item.c - one sub-record of a heap segment: roots, classes, instances, arrays.
 *
 *   FF root             id
 *   01 JNI global       id, id of the reference
 *   02 JNI local        id, u4 thread, u4 frame
 *   03 Java frame       id, u4 thread, u4 frame
 *   04 native stack     id, u4 thread
 *   05 sticky class     id
 *   06 thread block     id, u4 thread
 *   07 monitor          id
 *   08 thread           id, u4 thread, u4 stack trace
 *   20 class            id, u4 trace, ids of: super class, loader, signers, protection domain, two
 *                       that are reserved; u4 instance size, u2 n, n constants (u2 index, u1 type,
 *                       value), u2 n, n statics (id name, u1 type, value), u2 n, n fields (id name,
 *                       u1 type)
 *   21 instance         id, u4 trace, id class, u4 bytes, values of its own fields, then of those
 *                       of its super classes
 *   22 array of objects id, u4 trace, u4 n, id class, n ids
 *   23 array of values  id, u4 trace, u4 n, u1 type, n values
 *
 * HotSpot writes the roots 01, 02, 03, 05 and 08. Every length is compared with what is left before
 * it is used. Dumps have tens of millions of these, so that the numbers are read without a cursor:
 * `left` was checked for all of them at once.
 */
#include <assert.h>

#include "bytes.h"
#include "hprof_priv.h"

enum {
    TAG_CLASS = 0x20,
    TAG_INSTANCE = 0x21,
    TAG_OBJECTS = 0x22,
    TAG_VALUES = 0x23,
    TAG_VALUES_WITHOUT_DATA = 0xc3, /* Android */
    TAG_HEAP_INFO = 0xfe,           /* Android */
    TAG_UNKNOWN_ROOT = 0xff
};

/* A root: which one, how many ids, and how many numbers of 4 bytes follow. */
typedef struct root_shape {
    unsigned char tag, kind, ids, numbers;
} root_shape;

static const root_shape ROOTS[] = {
    {0x01, FL_HEAP_ROOT_JNI_GLOBAL, 2, 0},
    {0x02, FL_HEAP_ROOT_JNI_LOCAL, 1, 2},
    {0x03, FL_HEAP_ROOT_JAVA_FRAME, 1, 2},
    {0x04, FL_HEAP_ROOT_NATIVE_STACK, 1, 1},
    {0x05, FL_HEAP_ROOT_STICKY_CLASS, 1, 0},
    {0x06, FL_HEAP_ROOT_THREAD_BLOCK, 1, 1},
    {0x07, FL_HEAP_ROOT_MONITOR, 1, 0},
    {0x08, FL_HEAP_ROOT_THREAD, 1, 2},
    {TAG_UNKNOWN_ROOT, FL_HEAP_ROOT_UNKNOWN, 1, 0},
    /* Android: interned, finalizing, debugger, reference cleanup, VM internal, JNI monitor,
     * unreachable */
    {0x89, FL_HEAP_ROOT_OTHER, 1, 0},
    {0x8a, FL_HEAP_ROOT_OTHER, 1, 0},
    {0x8b, FL_HEAP_ROOT_OTHER, 1, 0},
    {0x8c, FL_HEAP_ROOT_OTHER, 1, 0},
    {0x8d, FL_HEAP_ROOT_OTHER, 1, 0},
    {0x8e, FL_HEAP_ROOT_OTHER, 1, 2},
    {0x90, FL_HEAP_ROOT_OTHER, 1, 0},
};

/* Ids have one of two widths; the branch is the same for a whole dump. */
static inline uint64_t id_at(const unsigned char *p, unsigned width)
{
    return width == 8 ? fl_bytes_be64(p) : fl_hprof_u4(p);
}

/* What a sub-record is read from. */
typedef struct part {
    const unsigned char *ptr; /* behind the tag */
    size_t left;
    unsigned width;
} part;

/* Roots differ in what follows their id: the table says it. */
static fl_hprof_step read_root(fl_heap_item *item, part in, unsigned tag, size_t *used)
{
    const root_shape *shape = NULL;
    for (size_t i = 0; i < sizeof(ROOTS) / sizeof(ROOTS[0]) && shape == NULL; i++)
        if (ROOTS[i].tag == tag)
            shape = &ROOTS[i];
    if (shape == NULL)
        return FL_HPROF_FOREIGN;
    size_t ids = (size_t)shape->ids * in.width;
    *used = ids + (size_t)shape->numbers * 4;
    if (in.left < *used)
        return FL_HPROF_SHORT;
    item->kind = FL_HEAP_ITEM_ROOT;
    item->type = shape->kind;
    item->id = id_at(in.ptr, in.width);
    item->thread = shape->numbers > 0 ? fl_hprof_u4(in.ptr + ids) : 0;
    item->frame = UINT32_MAX;
    item->serial = 0;
    if (shape->kind == FL_HEAP_ROOT_THREAD)
        item->serial = fl_hprof_u4(in.ptr + ids + 4);
    else if (shape->numbers > 1)
        item->frame = fl_hprof_u4(in.ptr + ids + 4);
    return FL_HPROF_ITEM;
}

/* Walk past the constants, statics and fields of a class, which begin at `at`. */
static bool class_ends(part in, size_t at, size_t *used)
{
    static const unsigned char before_type[3] = {2, 0, 0}; /* a constant has its number first */
    for (int table = 0; table < 3; table++) {
        if (in.left - at < 2)
            return false;
        unsigned count = (unsigned)in.ptr[at] << 8 | in.ptr[at + 1];
        size_t type_at = table == 0 ? before_type[0] : in.width;
        at += 2;
        for (unsigned i = 0; i < count; i++) {
            if (in.left - at < type_at + 1)
                return false;
            unsigned value_bytes = fl_heap_type_bytes(in.ptr[at + type_at], in.width);
            if (value_bytes == 0)
                return false;
            at += type_at + 1;
            if (table == 2)
                continue; /* a field's value stands in the instances */
            if (in.left - at < value_bytes)
                return false;
            at += value_bytes;
        }
    }
    *used = at;
    return true;
}

/* The body is left for later: a dump has some thousands of classes, each read once. */
static fl_hprof_step read_class(fl_heap_item *item, part in, size_t *used)
{
    /* id, stack, super, loader, signers, protection domain, two reserved, instance size */
    size_t head = 7 * (size_t)in.width + 8, loader_at = 2 * (size_t)in.width + 4;
    if (in.left < head || !class_ends(in, head, used))
        return FL_HPROF_SHORT;
    item->kind = FL_HEAP_ITEM_CLASS;
    item->id = id_at(in.ptr, in.width);
    item->class_id = id_at(in.ptr + in.width + 4, in.width);
    item->body = (fl_slice){.ptr = in.ptr + loader_at, .len = *used - loader_at};
    return FL_HPROF_ITEM;
}

/* An array without data still says how many elements it had. */
static fl_hprof_step read_values(fl_heap_item *item, part in, bool has_data, size_t *used)
{
    size_t head = (size_t)in.width + 9;
    if (in.left < head)
        return FL_HPROF_SHORT;
    item->kind = FL_HEAP_ITEM_VALUES;
    item->id = id_at(in.ptr, in.width);
    item->class_id = 0;
    item->count = fl_hprof_u4(in.ptr + in.width + 4);
    item->type = in.ptr[head - 1];
    unsigned width = fl_heap_type_bytes(item->type, in.width);
    if (width == 0 || item->type == FL_HEAP_REFERENCE)
        return FL_HPROF_FOREIGN;
    uint64_t bytes = has_data ? (uint64_t)item->count * width : 0;
    if (in.left - head < bytes)
        return FL_HPROF_SHORT;
    item->body = (fl_slice){.ptr = in.ptr + head, .len = (size_t)bytes};
    *used = head + (size_t)bytes;
    return FL_HPROF_ITEM;
}

/* The class comes behind the count here. */
static fl_hprof_step read_objects(fl_heap_item *item, part in, size_t *used)
{
    size_t head = 2 * (size_t)in.width + 8;
    if (in.left < head)
        return FL_HPROF_SHORT;
    item->kind = FL_HEAP_ITEM_OBJECTS;
    item->id = id_at(in.ptr, in.width);
    item->count = fl_hprof_u4(in.ptr + in.width + 4);
    item->class_id = id_at(in.ptr + in.width + 8, in.width);
    item->type = FL_HEAP_REFERENCE;
    uint64_t bytes = (uint64_t)item->count * in.width;
    if (in.left - head < bytes)
        return FL_HPROF_SHORT;
    item->body = (fl_slice){.ptr = in.ptr + head, .len = (size_t)bytes};
    *used = head + (size_t)bytes;
    return FL_HPROF_ITEM;
}

/* The most frequent sub-record by far. */
static inline fl_hprof_step read_instance(fl_heap_item *item, part in, size_t *used)
{
    size_t head = 2 * (size_t)in.width + 8;
    if (in.left < head)
        return FL_HPROF_SHORT;
    item->kind = FL_HEAP_ITEM_INSTANCE;
    item->id = id_at(in.ptr, in.width);
    item->class_id = id_at(in.ptr + in.width + 4, in.width);
    size_t bytes = fl_hprof_u4(in.ptr + head - 4);
    if (in.left - head < bytes)
        return FL_HPROF_SHORT;
    item->body = (fl_slice){.ptr = in.ptr + head, .len = bytes};
    *used = head + bytes;
    return FL_HPROF_ITEM;
}

fl_hprof_step fl_hprof_item_at(fl_heap_item *item, const fl_hprof *dump, size_t pos, size_t end,
                               size_t *next)
{
    assert(pos < end && end <= dump->bytes.len);
    part in = {dump->bytes.ptr + pos + 1, end - pos - 1, dump->facts.id_bytes};
    unsigned tag = dump->bytes.ptr[pos];
    size_t used = 0;
    fl_hprof_step step;
    item->offset = pos;
    switch (tag) {
    case TAG_INSTANCE:
        step = read_instance(item, in, &used);
        break;
    case TAG_OBJECTS:
        step = read_objects(item, in, &used);
        break;
    case TAG_VALUES:
        step = read_values(item, in, true, &used);
        break;
    case TAG_VALUES_WITHOUT_DATA:
        step = read_values(item, in, false, &used);
        break;
    case TAG_CLASS:
        step = read_class(item, in, &used);
        break;
    case TAG_HEAP_INFO:
        used = (size_t)in.width + 4;
        step = in.left < used ? FL_HPROF_SHORT : FL_HPROF_NOTHING;
        break;
    default:
        step = read_root(item, in, tag, &used);
    }
    *next = pos + 1 + used;
    return step;
}
