/*
 * heap_parts.h - a heap dump in parts that are read at the same time, where its source can do that.
 *
 * The parts are those of the dump, not of the machine: what is put together from them is the same
 * wherever it is done.
 */
#ifndef FL_HEAP_PARTS_H
#define FL_HEAP_PARTS_H

#include "faultline/heapdump.h"

/* More parts than processors, so that no thread waits long for the last one. */
enum { FL_HEAP_MOST_PARTS = 9 };

typedef struct fl_heap_parts {
    fl_heap_source sources[FL_HEAP_MOST_PARTS];
    size_t count; /* at least 1; where it is more, the first has names and no objects */
} fl_heap_parts;

/* Small dumps are not worth it: one part. */
fl_heap_parts fl_heap_parts_of(const fl_heap_source *source);

/* task(payload, part) for each part; by one thread and in their order unless `is_apart`. */
void fl_heap_parts_run(const fl_heap_parts *parts, bool is_apart,
                       void (*task)(void *payload, size_t part), void *payload);

#endif
