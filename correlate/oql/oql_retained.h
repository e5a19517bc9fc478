/*
 * oql_retained.h - what would go if some objects went: SELECT AS RETAINED SET.
 */
#ifndef FL_OQL_RETAINED_H
#define FL_OQL_RETAINED_H

#include "heap.h"

/* Sets the bits in `kept` (one an object, zeroed by the caller) of all objects that a root reaches
 * without passing through one of `objects`. What no bit is set for, and a root reaches at all, is
 * retained by the objects together; they themselves have no bit. Memory: 4 bytes an object at
 * worst, time: every reference once. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_oql_reach_without(unsigned char *kept, const fl_heap *heap,
                                            const fl_heap_object *objects, size_t count,
                                            fl_error *err);

static inline bool fl_oql_bit(const unsigned char *bits, fl_heap_object object)
{
    return (bits[object / 8] >> object % 8 & 1) != 0;
}

static inline void fl_oql_set_bit(unsigned char *bits, fl_heap_object object)
{
    bits[object / 8] |= (unsigned char)(1u << object % 8);
}

#endif
