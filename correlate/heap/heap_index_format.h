/*
 * heap_index_format.h - the bytes of an index: a head with a table of sections, and arrays as the
 * machine that wrote them has them in memory.
 */
#ifndef FL_HEAP_INDEX_FORMAT_H
#define FL_HEAP_INDEX_FORMAT_H

#include "heap_index.h"

#define FL_FLX_MAGIC      "FLXHEAP\n"
#define FL_FLX_BYTE_ORDER 0x01020304u

enum { FL_FLX_MAGIC_BYTES = 8, FL_FLX_ALIGN = 4096 };

/* The sections, in the order of the file. */
typedef enum fl_flx_kind {
    FL_FLX_PLACES,      /* u64: where names, classes, roots and traces stand: offset * 2 + record */
    FL_FLX_CLASSES,     /* fl_flx_class, in the order in which the dump has them */
    FL_FLX_WORDS,       /* fl_heap_ids_word: ids as a bitmap */
    FL_FLX_RUNS,        /* u32: objects before each FL_HEAP_IDS_RUN of these words */
    FL_FLX_SORTED,      /* u64: or as themselves */
    FL_FLX_CLASS_OF,    /* u32 an object */
    FL_FLX_OFFSET_LOW,  /* u32 an object: where it stands in the dump */
    FL_FLX_OFFSET_HIGH, /* u8 an object: bits 32 to 39 of that; none: 0 */
    FL_FLX_IDOM,        /* u32 an object */
    FL_FLX_RETAINED,    /* u32 an object: units of 8 bytes */
    FL_FLX_RETAINED_WIDE, /* u64 an object: or bytes, where the heap has 32 GiB */
    FL_FLX_KID_STARTS,    /* u32 an object, and two */
    FL_FLX_KIDS,          /* u32 a reached object */
    FL_FLX_SECTIONS
} fl_flx_kind;

typedef struct fl_flx_section {
    uint64_t offset; /* a multiple of FL_FLX_ALIGN */
    uint64_t count;
    uint64_t size; /* of an element */
    uint64_t sum;  /* of the elements */
} fl_flx_section;

/* What was counted and summed up for a class. */
typedef struct fl_flx_class {
    uint64_t count, bytes, array_count, instance_bytes;
    uint64_t reached, reached_bytes, retained_bytes;
} fl_flx_class;

enum { FL_FLX_INFERRED = 1, FL_FLX_WEAK_KEEPS = 2, FL_FLX_NO_ROOTS = 4, FL_FLX_FLAGS = 7 };

/* Without holes: what is checked is what is written. */
typedef struct fl_flx_head {
    unsigned char magic[FL_FLX_MAGIC_BYTES];
    uint32_t version, byte_order;
    fl_heap_index_key key;
    uint32_t id_bytes, layout, flags, shift;
    uint64_t objects, bytes, min_id, max_id, id_bits; /* the census's totals */
    uint64_t base;                                    /* of the ids */
    uint32_t count;                                   /* of distinct objects */
    uint32_t damage_status;
    uint64_t damage_offset;
    char damage_text[192];
    fl_flx_section sections[FL_FLX_SECTIONS];
    uint64_t sum; /* of all before */
} fl_flx_head;

_Static_assert(sizeof(fl_flx_head) == 16 + 72 + 16 + 48 + 16 + 192 + FL_FLX_SECTIONS * 32 + 8,
               "no holes");
_Static_assert(sizeof(fl_flx_head) <= FL_FLX_ALIGN, "sections follow the head");

/* A checksum at the speed of memory: a change of one word always changes it, any other change but
 * one in 2^64. No defence against who means harm: see heap_index_check.h. */
uint64_t fl_flx_sum(fl_slice bytes);
/* Bytes of an element, which a table must agree with. */
uint32_t fl_flx_size(fl_flx_kind kind);
/* "class_of", for sentences. */
const char *fl_flx_name(fl_flx_kind kind);

#endif
