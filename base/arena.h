/*
 * arena.h - memory that is given back all at once: an incident's, a query's, a record's.
 *
 * Blocks grow by doubling up to 1 MiB. An arena never moves what it handed out. Not thread-safe.
 */
#ifndef FL_ARENA_H
#define FL_ARENA_H

#include "faultline/status.h"

typedef struct fl_arena {
    struct fl_arena_block *head; /* the block being filled; older ones are chained behind it */
    size_t used_bytes;           /* of the budget, over all blocks */
    size_t max_bytes;
} fl_arena;

/* An empty arena over caller's storage; nothing is allocated until the first request. */
fl_arena fl_arena_of(size_t max_bytes);
/* Free every block. The arena is empty and usable again. */
void fl_arena_dispose(fl_arena *arena);
/* Forget everything but keep the newest block for reuse. */
void fl_arena_reset(fl_arena *arena);

/* Zeroed, aligned for any type, or NULL when memory or the budget ran out. */
void *fl_arena_alloc(fl_arena *arena, size_t count, size_t size);
/* Not zeroed, byte-aligned: for text. */
unsigned char *fl_arena_bytes(fl_arena *arena, size_t len);
/* A copy of `text`; on failure the result's ptr is NULL. An empty text gives a non-NULL ptr. */
fl_slice fl_arena_copy(fl_arena *arena, fl_slice text);
/* A NUL-terminated copy; NUL bytes inside become '?'. NULL on failure. */
char *fl_arena_cstr(fl_arena *arena, fl_slice text);
/* printf into the arena. NULL on failure. */
char *fl_arena_printf(fl_arena *arena, const char *format, ...) FL_PRINTF(2, 3);

#endif
