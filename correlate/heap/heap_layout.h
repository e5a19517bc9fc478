/*
 * heap_layout.h - what objects weigh in a virtual machine: headers, references, padding.
 */
#ifndef FL_HEAP_LAYOUT_H
#define FL_HEAP_LAYOUT_H

#include "heap.h"

typedef struct fl_heap_shape {
    unsigned header_bytes, reference_bytes;
    unsigned array_header_bytes; /* before elements of up to 4 bytes */
} fl_heap_shape;

fl_heap_shape fl_heap_shape_of(fl_heap_layout layout);

/* Of an array, in whole words of 8 bytes. */
uint64_t fl_heap_array_bytes(fl_heap_layout layout, fl_heap_type type, uint32_t count);

/* How far a class's fields reach, and the room that they leave: what a subclass goes on from. */
typedef struct fl_heap_extent {
    uint32_t end;        /* of the fields, header included */
    uint32_t hole_bytes; /* free before `end` */
} fl_heap_extent;

fl_heap_extent fl_heap_extent_begin(fl_heap_layout layout);
/* Lay out the fields of one class behind those of its super class. */
fl_heap_extent fl_heap_extent_add(fl_heap_extent super, fl_heap_layout layout,
                                  const fl_heap_member *fields, size_t count);
/* Whole words of 8 bytes that no field accounts for; nothing fills the holes before them. */
fl_heap_extent fl_heap_extent_pad(fl_heap_extent extent, uint32_t bytes);
/* The instance's size. */
uint32_t fl_heap_extent_bytes(fl_heap_extent extent);

#endif
