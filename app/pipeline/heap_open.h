/*
 * heap_open.h - a heap dump to its heap, with an index beside it where one is wanted: read from
 * that in a fraction of the time, and written for the next time where there is none of this dump.
 *
 * The index is a convenience: what is wrong with it, and with the disk that it should stand on,
 * costs the answer nothing and is said in one sentence. It is mapped as the dump is, so that a file
 * that another program cuts meanwhile ends this one (SIGBUS); ours is only ever replaced whole.
 */
#ifndef FL_HEAP_OPEN_H
#define FL_HEAP_OPEN_H

#include "heap.h"
#include "hprof.h"

enum { FL_MAX_HEAP_INDEX_PATH = 4096 };

typedef struct fl_heap_opened {
    const char *path;
    fl_hprof *dump;
    fl_heap *heap;                      /* NULL: not made yet */
    fl_error note;                      /* what was wrong with the index, FL_OK: nothing */
    char index[FL_MAX_HEAP_INDEX_PATH]; /* its file; "": none was wanted */
    void *mapping;                      /* of the index; NULL: none */
    size_t mapping_bytes;
} fl_heap_opened;

/* The dump. The failures of fl_hprof_open(); the caller closes *out in any case. */
FL_NODISCARD fl_status fl_heap_open(fl_heap_opened *out, const char *path, const char *folder,
                                    fl_error *err);

typedef struct fl_heap_wanted {
    fl_heap_options options;
    bool with_index;
    const char *index; /* its file; NULL: the dump's name and ".flx" */
    bool classes_only; /* with an index: classes are enough, the heap may have no objects */
} fl_heap_wanted;

/* Its heap. The failures of fl_heap_create(). */
FL_NODISCARD fl_status fl_heap_make(fl_heap_opened *opened, const fl_heap_wanted *wanted,
                                    fl_error *err);
/* The heap alone goes; the dump stays open. */
void fl_heap_unmake(fl_heap_opened *opened);
void fl_heap_close(fl_heap_opened *opened);

#endif
