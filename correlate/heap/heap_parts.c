/*
 * heap_parts.c - parts of a dump, and who reads them.
 */
#include "heap_parts.h"

#include <assert.h>

#include "parallel.h"

/* A thread is started in some 30 us, in which one that runs reads 100 KB. */
#define LEAST_PART_BYTES (UINT64_C(1) << 20)

fl_heap_parts fl_heap_parts_of(const fl_heap_source *source)
{
    fl_heap_parts parts = {.count = 0};
    if (source->split != NULL)
        parts.count =
            source->split(source->payload, parts.sources, FL_HEAP_MOST_PARTS, LEAST_PART_BYTES);
    assert(parts.count <= FL_HEAP_MOST_PARTS);
    if (parts.count < 3) { /* names, and one with objects */
        parts.sources[0] = *source;
        parts.count = 1;
    }
    return parts;
}

void fl_heap_parts_run(const fl_heap_parts *parts, bool is_apart,
                       void (*task)(void *payload, size_t part), void *payload)
{
    assert(parts->count > 0);
    if (is_apart)
        fl_parallel_run(parts->count, task, payload);
    else
        for (size_t i = 0; i < parts->count; i++)
            task(payload, i);
}
