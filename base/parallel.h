/*
 * parallel.h - a task for each of some parts, on as many threads as there are processors.
 *
 * Which thread takes which part is left to chance: a task writes only to what belongs to its part,
 * and what the parts found is put together afterwards, in their order.
 */
#ifndef FL_PARALLEL_H
#define FL_PARALLEL_H

#include <stddef.h>

/* The caller's thread included; more would wait for memory. */
#define FL_MAX_PARALLEL 8u

/* Calls task(payload, part) once for each part below `count`, and returns when all are done. A
 * thread that cannot be started is done without. */
void fl_parallel_run(size_t count, void (*task)(void *payload, size_t part), void *payload);

#endif
