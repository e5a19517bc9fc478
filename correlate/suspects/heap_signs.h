/*
 * heap_signs.h - what several dumps of one program say: what grows, what kind of leak that looks
 * like, and the figures, in sentences.
 *
 * Growth is heap_growth.h's. Besides, threads and loaders are counted as such: a thread's stack is
 * outside of the heap, so that a thousand threads may keep little in it. Of what does not grow only
 * faults of maps and of texts are told, as what they are: slow, or too much.
 */
#ifndef FL_HEAP_SIGNS_H
#define FL_HEAP_SIGNS_H

#include "heap_growth.h"
#include "heap_record.h"

typedef enum fl_heap_sign_kind {
    FL_HEAP_SIGN_THREAD_LOCAL,
    FL_HEAP_SIGN_LOADERS,
    FL_HEAP_SIGN_THREADS,
    FL_HEAP_SIGN_KEYS_WITHOUT_EQUALS,
    FL_HEAP_SIGN_KEYS_CHANGED,
    FL_HEAP_SIGN_QUEUE,
    FL_HEAP_SIGN_LISTENERS,
    FL_HEAP_SIGN_LAMBDAS,
    FL_HEAP_SIGN_INNER,
    FL_HEAP_SIGN_MAP,
    FL_HEAP_SIGN_COLLECTION,
    FL_HEAP_SIGN_OTHER,
    FL_HEAP_SIGN_COLLISIONS, /* from here on nothing grows */
    FL_HEAP_SIGN_TEXTS,
    FL_HEAP_SIGN_KIND_COUNT
} fl_heap_sign_kind;

/* "map-grows", and one sentence about what to do. */
const char *fl_heap_sign_name(fl_heap_sign_kind kind);
const char *fl_heap_sign_hint(fl_heap_sign_kind kind);
static inline bool fl_heap_sign_is_leak(fl_heap_sign_kind kind)
{
    return kind < FL_HEAP_SIGN_COLLISIONS;
}

enum { FL_HEAP_SIGN_SENTENCES = 6 };

typedef struct fl_heap_sign {
    fl_heap_sign_kind kind;
    bool has_growth;
    fl_heap_growth growth;      /* by path; with has_growth only */
    size_t row;                 /* of the last paths: what it is told of; 0: they do not have it */
    const char *holder, *field; /* as fl_heap_growth_holder() gives them; holder is never NULL */
    uint64_t before_bytes, after_bytes; /* that the holder keeps; equal where nothing grew */
    struct {
        const char *text, *unit; /* "bytes", "objects" or "" */
        double value;            /* by how much it grew, or NaN */
    } evidence[FL_HEAP_SIGN_SENTENCES];
    size_t evidence_count;
} fl_heap_sign;

/* The rise by which threads and loaders are told of: pools and plug-ins of a program that starts
 * are fewer, and threads that leak are hundreds by the time somebody takes a dump. */
enum { FL_HEAP_LEAST_THREADS = 16, FL_HEAP_LEAST_LOADERS = 3 };
#define FL_HEAP_COUNT_RATIO 1.5

enum { FL_HEAP_MAX_SIGNS = 12 };

typedef struct fl_heap_signs {
    fl_heap_sign rows[FL_HEAP_MAX_SIGNS]; /* leaks first */
    size_t count, leaks;
} fl_heap_signs;

/* `records` in the order of time, 1 to FL_HEAP_MAX_DUMPS; of one alone nothing is told but what
 * does not need to grow. Texts live in the arena, or in the last record. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_signs_find(fl_heap_signs *out, const fl_heap_record *const *records,
                                          size_t count, fl_arena *arena, fl_error *err);

/* The rows of the paths from the roots to what grew, "a > b > c". NULL: no memory. */
const char *fl_heap_sign_way(const fl_heap_paths *last, const fl_heap_growth *growth,
                             fl_arena *arena);

#endif
