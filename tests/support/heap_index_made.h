/*
 * heap_index_made.h - indexes of heaps in memory: made, damaged and made to look whole again.
 */
#ifndef FL_HEAP_INDEX_MADE_H
#define FL_HEAP_INDEX_MADE_H

#include <stddef.h>
#include <string.h>

#include "heap_index.h"
#include "heap_index_format.h"
#include "mem.h"

enum { INDEX_MADE_ROOM = 1 << 17 };

/* Aligned as what mmap() gives is, as far as a heap needs it. */
typedef struct index_made {
    unsigned char *bytes; /* INDEX_MADE_ROOM of them */
    size_t len;
} index_made;

static inline fl_status index_made_put(void *payload, uint64_t offset, fl_slice bytes,
                                       fl_error *err)
{
    index_made *to = payload;
    if (offset > INDEX_MADE_ROOM || bytes.len > INDEX_MADE_ROOM - offset)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "no room");
    memcpy(to->bytes + offset, bytes.ptr, bytes.len);
    to->len = to->len > offset + bytes.len ? to->len : (size_t)offset + bytes.len;
    return FL_OK;
}

static inline fl_heap_index_key index_made_key(void)
{
    return (fl_heap_index_key){.dump_bytes = 2400,
                               .file_bytes = 2400,
                               .mtime_ns = 1760000000000000000,
                               .sample = "a digest of some parts",
                               .program = "0.0.0"};
}

static inline fl_status index_made_save(index_made *out, const fl_heap *heap,
                                        const fl_error *damage, fl_error *err)
{
    const fl_heap_index_sink sink = {.put = index_made_put, .payload = out};
    fl_heap_index_key key = index_made_key();
    *out = (index_made){.bytes = fl_mem_calloc(INDEX_MADE_ROOM, 1)};
    if (out->bytes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    return fl_heap_index_save(heap, &key, damage, &sink, err);
}

static inline fl_slice index_made_bytes(const index_made *made)
{
    return (fl_slice){.ptr = made->bytes, .len = made->len};
}

static inline fl_flx_head *index_made_head(const index_made *made)
{
    return (fl_flx_head *)(void *)made->bytes;
}

/* The elements of a section. */
static inline void *index_made_section(const index_made *made, fl_flx_kind kind)
{
    return made->bytes + index_made_head(made)->sections[kind].offset;
}

/* All checksums right again, where the sections lie in the bytes. */
static inline void index_made_seal(const index_made *made)
{
    fl_flx_head *head = index_made_head(made);
    for (unsigned i = 0; i < FL_FLX_SECTIONS; i++) {
        fl_flx_section *part = &head->sections[i];
        if (part->size == 0 || part->offset > made->len ||
            part->count > (made->len - part->offset) / part->size)
            continue;
        part->sum = fl_flx_sum(
            (fl_slice){.ptr = made->bytes + part->offset, .len = part->count * part->size});
    }
    head->sum = fl_flx_sum((fl_slice){.ptr = made->bytes, .len = offsetof(fl_flx_head, sum)});
}

#endif
