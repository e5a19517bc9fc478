/*
 * arena.c - bump allocation in a chain of blocks.
 *
 * Invariants:
 *   (1) head is the only block that is filled further; a request that is large for it gets a block
 *       of its own, chained behind head, so that one big string does not waste head's rest;
 *   (2) used_bytes counts what was handed out and its padding, and never exceeds max_bytes;
 *   (3) with AddressSanitizer, bytes of a block that are not handed out are poisoned.
 *
 * Blocks double from 4 KiB to 1 MiB, so that a small arena costs little and a large one few calls
 * of malloc. Cost: an allocation is an addition and two comparisons; a reset frees all blocks but
 * head.
 */
#include "arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define FL_ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FL_ARENA_ASAN 1
#endif
#endif
#ifdef FL_ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, len)   ASAN_POISON_MEMORY_REGION(ptr, len)
#define UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION(ptr, len)
#else
#define POISON(ptr, len)   ((void)0)
#define UNPOISON(ptr, len) ((void)0)
#endif

enum { FIRST_BLOCK_BYTES = 4096, MAX_BLOCK_BYTES = 1 << 20, ALIGN = _Alignof(max_align_t) };

_Static_assert((ALIGN & (ALIGN - 1)) == 0, "padding is computed with a mask");

struct fl_arena_block {
    struct fl_arena_block *next;
    size_t cap;
    size_t used; /* <= cap */
    _Alignas(max_align_t) unsigned char data[];
};

fl_arena fl_arena_of(size_t max_bytes)
{
    return (fl_arena){.max_bytes = max_bytes};
}

/* Unpoisoned first: free() of poisoned bytes would itself be reported. */
static void free_chain(struct fl_arena_block *block)
{
    while (block != NULL) {
        struct fl_arena_block *next = block->next;
        UNPOISON(block->data, block->cap);
        fl_mem_free(block);
        block = next;
    }
}

void fl_arena_dispose(fl_arena *arena)
{
    assert(arena != NULL);
    free_chain(arena->head);
    arena->head = NULL;
    arena->used_bytes = 0;
}

void fl_arena_reset(fl_arena *arena)
{
    assert(arena != NULL);
    struct fl_arena_block *head = arena->head;
    arena->used_bytes = 0;
    if (head == NULL)
        return;
    if (head->cap > MAX_BLOCK_BYTES) { /* one huge request must not be paid for ever after */
        fl_arena_dispose(arena);
        return;
    }
    free_chain(head->next);
    head->next = NULL;
    head->used = 0;
    POISON(head->data, head->cap);
}

/* NULL where memory ran out, or where no block can be as large. */
static struct fl_arena_block *new_block(size_t cap)
{
    if (cap > SIZE_MAX - sizeof(struct fl_arena_block))
        return NULL;
    struct fl_arena_block *block = fl_mem_alloc(sizeof(*block) + cap);
    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->cap = cap;
    block->used = 0;
    POISON(block->data, cap);
    return block;
}

/* A block with room for `len` bytes: the new head, or a block of its own by invariant (1). */
static struct fl_arena_block *grow(fl_arena *arena, size_t len)
{
    assert(len <= arena->max_bytes - arena->used_bytes);
    struct fl_arena_block *head = arena->head;
    size_t cap = head == NULL ? FIRST_BLOCK_BYTES : head->cap * 2;
    if (cap > MAX_BLOCK_BYTES)
        cap = MAX_BLOCK_BYTES;
    bool own = head != NULL && len > cap / 4;
    struct fl_arena_block *block = new_block(own || len > cap ? len : cap);
    if (block == NULL)
        return NULL;
    if (own) {
        block->next = head->next;
        head->next = block;
    } else {
        block->next = head;
        arena->head = block;
    }
    return block;
}

/* `len` bytes at a multiple of `align`, which is a power of two up to ALIGN; not zeroed. */
static void *take(fl_arena *arena, size_t len, size_t align)
{
    assert(arena != NULL && arena->used_bytes <= arena->max_bytes);
    struct fl_arena_block *block = arena->head;
    size_t pad = block != NULL ? (size_t)-block->used & (align - 1) : 0;
    size_t left = arena->max_bytes - arena->used_bytes;
    if (len > left || pad > left - len)
        return NULL;
    if (block == NULL || pad > block->cap - block->used || len > block->cap - block->used - pad) {
        block = grow(arena, len);
        if (block == NULL)
            return NULL;
        pad = 0;
    }
    unsigned char *out = block->data + block->used + pad;
    block->used += pad + len;
    arena->used_bytes += pad + len;
    UNPOISON(out, len);
    return out;
}

void *fl_arena_alloc(fl_arena *arena, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size)
        return NULL;
    void *out = take(arena, count * size, ALIGN);
    return out != NULL ? memset(out, 0, count * size) : NULL;
}

unsigned char *fl_arena_bytes(fl_arena *arena, size_t len)
{
    return take(arena, len, 1);
}

fl_slice fl_arena_copy(fl_arena *arena, fl_slice text)
{
    unsigned char *out = take(arena, text.len, 1);
    if (out == NULL)
        return (fl_slice){0};
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    return (fl_slice){.ptr = out, .len = text.len};
}

char *fl_arena_cstr(fl_arena *arena, fl_slice text)
{
    if (text.len == SIZE_MAX)
        return NULL;
    char *out = take(arena, text.len + 1, 1);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        out[i] = text.ptr[i] != '\0' ? (char)text.ptr[i] : '?';
    out[text.len] = '\0';
    return out;
}

char *fl_arena_printf(fl_arena *arena, const char *format, ...)
{
    assert(format != NULL);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *out = take(arena, (size_t)len + 1, 1);
    if (out == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(out, (size_t)len + 1, format, args);
    va_end(args);
    return out;
}
