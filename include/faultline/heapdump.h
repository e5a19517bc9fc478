/*
 * heapdump.h - what a decoder of heap dumps produces, and what the analysis of a heap takes: names,
 * classes, roots and objects, one item each, in the order of the file.
 *
 * Nothing is copied: an item's slices point into the dump, which outlives whoever keeps them. What
 * stands in `body` is as dumps write it: big-endian, a reference in id_bytes bytes.
 */
#ifndef FAULTLINE_HEAPDUMP_H
#define FAULTLINE_HEAPDUMP_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Types of fields and of elements, as HPROF numbers them. */
typedef enum fl_heap_type {
    FL_HEAP_REFERENCE = 2,
    FL_HEAP_BOOLEAN = 4,
    FL_HEAP_CHAR = 5,
    FL_HEAP_FLOAT = 6,
    FL_HEAP_DOUBLE = 7,
    FL_HEAP_BYTE = 8,
    FL_HEAP_SHORT = 9,
    FL_HEAP_INT = 10,
    FL_HEAP_LONG = 11,
    FL_HEAP_TYPE_END
} fl_heap_type;

/* Bytes of a value in the dump; 0 for what is no type. */
static inline unsigned fl_heap_type_bytes(unsigned type, unsigned id_bytes)
{
    static const unsigned char widths[FL_HEAP_TYPE_END] = {0, 0, 0, 0, 1, 2, 4, 8, 1, 2, 4, 8};
    if (type >= FL_HEAP_TYPE_END)
        return 0;
    return type == FL_HEAP_REFERENCE ? id_bytes : widths[type];
}

/* Why the collector keeps an object by itself. */
typedef enum fl_heap_root_kind {
    FL_HEAP_ROOT_UNKNOWN,
    FL_HEAP_ROOT_JNI_GLOBAL,
    FL_HEAP_ROOT_JNI_LOCAL,
    FL_HEAP_ROOT_JAVA_FRAME, /* a local variable or a parameter */
    FL_HEAP_ROOT_NATIVE_STACK,
    FL_HEAP_ROOT_STICKY_CLASS, /* a class that is never unloaded */
    FL_HEAP_ROOT_THREAD_BLOCK,
    FL_HEAP_ROOT_MONITOR,
    FL_HEAP_ROOT_THREAD, /* the thread object itself */
    FL_HEAP_ROOT_OTHER,  /* those that only Android has */
    FL_HEAP_ROOT_KIND_COUNT
} fl_heap_root_kind;

typedef enum fl_heap_item_kind {
    FL_HEAP_ITEM_NAME,     /* id, body: modified UTF-8 */
    FL_HEAP_ITEM_LOADED,   /* id: the class, class_id: its name's id, serial */
    FL_HEAP_ITEM_FRAME,    /* id, class_id: the method's name, body: the record's */
    FL_HEAP_ITEM_TRACE,    /* serial, thread, count frames, body: their ids */
    FL_HEAP_ITEM_ROOT,     /* id, type: the fl_heap_root_kind, thread, frame */
    FL_HEAP_ITEM_CLASS,    /* id, class_id: the super class, body: from the loader on */
    FL_HEAP_ITEM_INSTANCE, /* id, class_id, body: values of the fields, own ones first */
    FL_HEAP_ITEM_OBJECTS,  /* an array of references: id, class_id, count, body */
    FL_HEAP_ITEM_VALUES    /* an array of others: id, type, count, body */
} fl_heap_item_kind;

/* What a kind does not name is unspecified. */
typedef struct fl_heap_item {
    fl_heap_item_kind kind;
    uint32_t type; /* of elements, or of root */
    uint64_t id, class_id;
    uint32_t count;  /* of elements */
    uint32_t serial; /* of a class, a trace; THREAD roots: of the trace */
    uint32_t thread; /* serial of a thread */
    uint32_t frame;  /* depth on its stack, 0 the innermost; UINT32_MAX: none */
    fl_slice body;
    uint64_t offset; /* of the item in the dump; rises from item to item */
} fl_heap_item;

/* An instance or an array in brief: all that counting needs. */
typedef struct fl_heap_brief {
    uint64_t id;
    uint64_t class_id; /* of an array of others than references: their type */
    uint32_t count;    /* of elements; of an instance, bytes of its values */
    uint32_t kind;     /* fl_heap_item_kind, from FL_HEAP_ITEM_INSTANCE on */
} fl_heap_brief;

enum { FL_HEAP_LANES = 4, FL_HEAP_LANE_ROWS = 64 };

/* One of the sources that are read in turns, and what came of it. */
typedef struct fl_heap_lane {
    void *payload;   /* of the source */
    size_t count;    /* of rows */
    uint64_t end;    /* the offset behind the last row's object */
    bool is_stopped; /* what comes next is for `read`, which goes on behind the last row */
    fl_heap_brief rows[FL_HEAP_LANE_ROWS];
} fl_heap_lane;

/* Where items come from. `read` fills up to `cap` of them and returns how many, 0 at the end;
 * `rewind` starts over, and the same items come again; `at` reads a root, a class or an object by
 * its offset, `record_at` a name, a loaded class, a frame or a trace, both false where none stands
 * there. What is damaged ends the items early, without a failure: what is wrong is the source's to
 * tell. */
typedef struct fl_heap_source {
    size_t (*read)(void *payload, fl_heap_item *items, size_t cap);
    void (*rewind)(void *payload);
    bool (*at)(void *payload, uint64_t offset, fl_heap_item *item);
    bool (*record_at)(void *payload, uint64_t offset, fl_heap_item *item);
    /* May be NULL. Fills up to `most` sources that give the same items in the same order one after
     * another, and that may be read by a thread each. The first has what is no root, class or
     * object; the others have about as much of the dump each, but for the last one at least
     * `least_bytes`. 0: it cannot be split. Valid until the next split. */
    size_t (*split)(void *payload, struct fl_heap_source *parts, size_t most, uint64_t least_bytes);
    /* Goes on in up to FL_HEAP_LANES sources of one dump at once, as far as instances and arrays
     * follow one another; several together cost much less than one by one. */
    void (*skim)(fl_heap_lane *const *lanes, size_t count);
    void *payload;
    unsigned id_bytes; /* 4 or 8 */
} fl_heap_source;

#ifdef __cplusplus
}
#endif

#endif
