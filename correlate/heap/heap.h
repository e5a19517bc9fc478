/*
 * heap.h - the objects of a heap dump as a graph: what each one is, what it refers to, and what it
 * alone keeps alive.
 *
 * An object is named by its dense number (fl_heap_object), 0 to fl_heap_count() - 1, in the order
 * of addresses; an object of java.lang.Class is one too. A class is named by its number. Values,
 * elements and references are read out of the dump when they are asked for, so the dump (the
 * source) outlives the heap.
 *
 * Memory: some 35 bytes an object while dominators are found (references: 1.5 an object), 25
 * thereafter, in heaps below 32 GiB. At most FL_MAX_HEAP_OBJECTS objects, and as many references.
 *
 * What keeps: a reference in a field, an element, a static, an object's class, a class's loader
 * and super class. The referent of a soft, weak or phantom reference keeps nothing (unless
 * fl_heap_options says so); that of a finalizer does. What lies on a thread's stack is kept by the
 * thread.
 */
#ifndef FL_HEAP_H
#define FL_HEAP_H

#include "faultline/heapdump.h"

#define FL_MAX_HEAP_OBJECTS 0x7ffffff0u
#define FL_HEAP_NONE        UINT32_MAX

typedef struct fl_heap fl_heap;
typedef uint32_t fl_heap_object;

/* How the virtual machine lays objects out, which no dump says: bytes of a header, of a reference,
 * of an array's header. */
typedef enum fl_heap_layout {
    FL_HEAP_LAYOUT_INFER,        /* the one in which most neighbours of the dump abut */
    FL_HEAP_LAYOUT_COMPRESSED,   /* 12, 4, 16: 64 bits, heaps below 32 GiB */
    FL_HEAP_LAYOUT_WIDE,         /* 12, 8, 16: larger heaps, ZGC */
    FL_HEAP_LAYOUT_FULL,         /* 16, 8, 24: without compressed class pointers */
    FL_HEAP_LAYOUT_COMPACT,      /* 8, 4, 12: compact headers (Java 24 and later) */
    FL_HEAP_LAYOUT_COMPACT_WIDE, /* 8, 8, 16 */
    FL_HEAP_LAYOUT_32,           /* 8, 4, 12: 32 bits */
    FL_HEAP_LAYOUT_COUNT
} fl_heap_layout;

const char *fl_heap_layout_name(fl_heap_layout layout);

typedef struct fl_heap_options {
    fl_heap_layout layout;
    bool weak_keeps;   /* soft, weak and phantom references keep what they refer to */
    bool without_tree; /* no dominators, nothing retained: only objects, classes, references */
} fl_heap_options;

/* A field or a static of one class. */
typedef struct fl_heap_member {
    fl_slice name; /* "" where the dump does not have it */
    fl_heap_type type;
    uint32_t at;    /* fields: where its value begins in those of its class; of an instance of a
                       subclass, those of the subclass stand before: so many bytes as its value_bytes
                       are more */
    uint64_t value; /* statics: its bits; of a reference, the id */
} fl_heap_member;

typedef struct fl_heap_class {
    uint64_t id;
    fl_slice name;                /* "java.util.HashMap$Node[]" */
    uint32_t super;               /* class, or FL_HEAP_NONE */
    fl_heap_object object;        /* of java.lang.Class; FL_HEAP_NONE where it was not dumped */
    fl_heap_object loader;        /* FL_HEAP_NONE: the boot loader */
    const fl_heap_member *fields; /* its own, not those of its super classes */
    uint32_t field_count;
    uint32_t static_count;
    const fl_heap_member *statics;
    uint32_t value_bytes; /* values of an instance in the dump, those of super classes included */
    uint32_t instance_bytes; /* shallow size of an instance; 0: arrays */
    bool is_array;
    uint64_t count, bytes;           /* of instances */
    uint64_t reached, reached_bytes; /* of these, what the roots keep */
    uint64_t retained_bytes;         /* by all of its instances together */
} fl_heap_class;

/* Reads the source twice. FL_E_NOMEM, FL_E_LIMIT. The caller owns *out. */
FL_NODISCARD fl_status fl_heap_create(fl_heap **out, const fl_heap_source *source,
                                      const fl_heap_options *options, fl_error *err);
void fl_heap_destroy(fl_heap *heap); /* NULL is a no-op */

fl_heap_layout fl_heap_layout_of(const fl_heap *heap); /* that was inferred */
/* Names, totals: what census.h gives; the heap's own. */
const struct fl_census *fl_heap_census(const fl_heap *heap);
/* False where the dump ends before its roots: classes stand in for them. */
bool fl_heap_has_roots(const fl_heap *heap);
size_t fl_heap_count(const fl_heap *heap);
size_t fl_heap_class_count(const fl_heap *heap);
const fl_heap_class *fl_heap_class_at(const fl_heap *heap, uint32_t index);
/* The first class of this name from `from` on (several loaders may have one), or FL_HEAP_NONE. */
uint32_t fl_heap_find_class(const fl_heap *heap, fl_slice name, uint32_t from);
/* Whether `index` is `ancestor` or inherits from it. */
bool fl_heap_inherits(const fl_heap *heap, uint32_t index, uint32_t ancestor);

/* --- an object --- */
fl_heap_object fl_heap_find(const fl_heap *heap, uint64_t id); /* FL_HEAP_NONE: no such object */
uint64_t fl_heap_id(const fl_heap *heap, fl_heap_object object);
uint32_t fl_heap_class_of(const fl_heap *heap, fl_heap_object object); /* class */
/* The class that a java.lang.Class object stands for; FL_HEAP_NONE where it is none. */
uint32_t fl_heap_class_meant(const fl_heap *heap, fl_heap_object object);
uint64_t fl_heap_shallow_bytes(const fl_heap *heap, fl_heap_object object);
/* 0 where there is no tree; the shallow size of what no root keeps. */
uint64_t fl_heap_retained_bytes(const fl_heap *heap, fl_heap_object object);
bool fl_heap_is_reached(const fl_heap *heap, fl_heap_object object);
/* The object without which this one would go; FL_HEAP_NONE: several roots keep it, or none. */
fl_heap_object fl_heap_idom(const fl_heap *heap, fl_heap_object object);
/* What it immediately dominates, in no order; of FL_HEAP_NONE, what only the roots keep. */
const fl_heap_object *fl_heap_dominated(const fl_heap *heap, fl_heap_object object, size_t *count);
/* The item of the dump: values, elements. False where the source cannot give it. */
bool fl_heap_item_of(const fl_heap *heap, fl_heap_object object, fl_heap_item *item);

/* The bits of a value of `type` at `at` in an item's body, sign-extended where it has one. */
uint64_t fl_heap_value(const fl_heap *heap, const fl_heap_item *item, fl_heap_type type,
                       uint64_t at);
/* A field by its name, the most derived class first; statics where `object` is a class. False where
 * there is none. A reference's bits are an id. */
bool fl_heap_field(const fl_heap *heap, fl_heap_object object, fl_slice name, fl_heap_type *type,
                   uint64_t *bits);
/* A reference by a field's name; FL_HEAP_NONE: no such field, null, or nothing there. */
fl_heap_object fl_heap_follow(const fl_heap *heap, fl_heap_object object, const char *name);
/* The text of a java.lang.String as UTF-8, cut at `cap` - 1 bytes; false where it is none. */
bool fl_heap_string(const fl_heap *heap, fl_heap_object object, char *out, size_t cap);

/* --- references --- */
typedef enum fl_heap_edge_kind {
    FL_HEAP_EDGE_FIELD,
    FL_HEAP_EDGE_STATIC,
    FL_HEAP_EDGE_ELEMENT,
    FL_HEAP_EDGE_CLASS, /* of the object */
    FL_HEAP_EDGE_LOADER,
    FL_HEAP_EDGE_SUPER,
    FL_HEAP_EDGE_OTHER, /* signers, protection domain */
    FL_HEAP_EDGE_STACK  /* from a thread to what lies on its stack */
} fl_heap_edge_kind;

typedef struct fl_heap_edge {
    fl_heap_edge_kind kind;
    bool is_weak;                 /* a referent that is not kept */
    fl_heap_object to;            /* never FL_HEAP_NONE */
    uint32_t index;               /* of an element; of a frame */
    const fl_heap_member *member; /* of a field or a static */
} fl_heap_edge;

/* Everything an object refers to: start with *edges = fl_heap_edges_of(...). */
typedef struct fl_heap_edges {
    const fl_heap *heap;
    fl_heap_object from;
    fl_heap_item item;
    uint32_t phase, class_index, next; /* where it stands */
} fl_heap_edges;

fl_heap_edges fl_heap_edges_of(const fl_heap *heap, fl_heap_object object);
bool fl_heap_edges_next(fl_heap_edges *edges, fl_heap_edge *edge);

/* Who refers to `object`, but for its instances to a class: once fl_heap_index_inbound() was
 * called, which costs 4 bytes an object and 4 a reference, and time. */
FL_NODISCARD fl_status fl_heap_index_inbound(fl_heap *heap, fl_error *err);
const fl_heap_object *fl_heap_inbound(const fl_heap *heap, fl_heap_object object, size_t *count);

/* --- roots --- */
typedef struct fl_heap_root {
    fl_heap_object object;
    fl_heap_root_kind kind;
    fl_heap_object thread; /* whose stack; FL_HEAP_NONE: none */
    uint32_t frame;        /* of fl_heap_frame(); UINT32_MAX: none */
} fl_heap_root;

/* "thread", "Java frame" ... */
const char *fl_heap_root_kind_name(fl_heap_root_kind kind);
/* The roots that name this object, and how many. */
const fl_heap_root *fl_heap_roots_of(const fl_heap *heap, fl_heap_object object, size_t *count);

#endif
