/*
 * mem.h - the only file allowed to call malloc; lets tests make the n-th allocation fail.
 */
#ifndef FL_MEM_H
#define FL_MEM_H

#include <stddef.h>

/* Each returns NULL when memory ran out, when count * size overflows, or when a test asked for a
 * failure. Sizes of zero are served as one byte, so that NULL always means failure. */
void *fl_mem_alloc(size_t bytes);
void *fl_mem_calloc(size_t count, size_t size);
/* `ptr` may be NULL. On failure the old block is untouched and still owned by the caller. */
void *fl_mem_realloc(void *ptr, size_t count, size_t size);
void fl_mem_free(void *ptr);

/* Hint: the block will be filled, most of it. One of some megabytes then gets large pages where the
 * system has them: fewer faults, at the price of up to 2 MiB more at its end. Never fails. */
void fl_mem_expect_fill(void *ptr, size_t bytes);

/* Test hook: let `successes` more allocations through, then fail the rest. Negative: never fail. */
void fl_mem_fail_after(long successes);

#endif
