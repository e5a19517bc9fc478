/*
 * mem.c - malloc with a countdown, which tests set while threads run.
 *
 * Sizes of 0 become 1: then NULL means one thing only. Products are checked here, so that a caller
 * passes a count out of input without a test of its own.
 */
#define _DEFAULT_SOURCE /* madvise */
#include "mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic long successes_left = -1;

void fl_mem_fail_after(long successes)
{
    atomic_store(&successes_left, successes);
}

/* Counts down to the call that is to fail; from there on every call fails. */
static bool must_fail(void)
{
    long left = atomic_load_explicit(&successes_left, memory_order_relaxed);
    while (left > 0 && !atomic_compare_exchange_weak(&successes_left, &left, left - 1))
        continue;
    return left == 0;
}

void *fl_mem_alloc(size_t bytes)
{
    return must_fail() ? NULL : malloc(bytes > 0 ? bytes : 1);
}

void *fl_mem_calloc(size_t count, size_t size)
{
    if (must_fail() || (size > 0 && count > SIZE_MAX / size))
        return NULL;
    return count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
}

void *fl_mem_realloc(void *ptr, size_t count, size_t size)
{
    if (must_fail() || (size > 0 && count > SIZE_MAX / size))
        return NULL;
    size_t bytes = count * size;
    return realloc(ptr, bytes > 0 ? bytes : 1);
}

void fl_mem_free(void *ptr)
{
    free(ptr);
}

/* From the first whole page on. What the kernel says to it does not matter. */
void fl_mem_expect_fill(void *ptr, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    enum { WORTH_BYTES = 4 << 20 }; /* two large pages, of which one at least is aligned */
    long page = sysconf(_SC_PAGESIZE);
    if (ptr == NULL || bytes < WORTH_BYTES || page <= 0)
        return;
    size_t before = (size_t)page - ((uintptr_t)ptr & ((size_t)page - 1));
    madvise((unsigned char *)ptr + before, bytes - before, MADV_HUGEPAGE);
#else
    (void)ptr;
    (void)bytes;
#endif
}
