/*
 * heap_alone.h - one heap dump by itself: leaks that show without another dump to compare with.
 *
 * Maps whose keys have equal hashes and texts that are there many times are told behind the leaks,
 * as states: nothing has to grow for them.
 *
 * Keys that are alike or changed, values that ThreadLocals keep in a pool, copies of class loaders,
 * a queue of finalizers: each is a state that a healthy program does not get into, whatever its
 * load. That it grows nobody has seen, which speaks against each of them.
 */
#ifndef FL_HEAP_ALONE_H
#define FL_HEAP_ALONE_H

#include "arena.h"
#include "faultline/leak.h"

/* What speaks against a state, of one dump as of several. */
#define FL_HEAP_STATE_DOUBT "a dump shows how it is, not that anything waits for it"

enum { FL_HEAP_ALONE_MAX = 8 };

typedef struct fl_heap_alone_finding {
    fl_leak_finding leak;
    const char *view; /* of `faultline heap`, that shows it */
} fl_heap_alone_finding;

typedef struct fl_heap_alone {
    int64_t time_ns;         /* when it was written */
    uint64_t objects, bytes; /* that the roots keep */
    const char *damage;      /* where it breaks off, one sentence; NULL: it is whole */
    fl_heap_alone_finding findings[FL_HEAP_ALONE_MAX];
    size_t count;
} fl_heap_alone;

typedef struct fl_heap_alone_from {
    const char *path, *temp_folder;      /* as in heap_open.h */
    const fl_leak_signature *signatures; /* that name what is found; they outlive the findings */
    size_t signature_count;
} fl_heap_alone_from;

/* Texts live in the arena. The failures of fl_heap_open() and fl_heap_make(), after "FILE: ". */
FL_NODISCARD fl_status fl_heap_alone_read(fl_heap_alone *out, const fl_heap_alone_from *from,
                                          fl_arena *arena, fl_error *err);

#endif
