/*
 * heap_growth.h - what grew from dump to dump of one program, by path from the roots.
 *
 * A container (a map's table, a static, a group of threads) is suspect where it keeps more in every
 * dump than in the one before, and in the last at least FL_HEAP_GROWTH_RATIO times as much as in
 * the first. With two dumps a table that was loaded between them looks like a leak; a third dump
 * tells, since by then it has stayed as it was.
 */
#ifndef FL_HEAP_GROWTH_H
#define FL_HEAP_GROWTH_H

#include "heap_paths.h"

/* More of one program than anybody takes by hand. */
enum { FL_HEAP_MAX_DUMPS = 32 };

typedef struct fl_heap_growth {
    size_t row;       /* in the last paths: where the growth comes together */
    size_t container; /* the nearest row above it, or itself, of which there are no more now; what
                         hangs on the roots where each of several threads is one */
    bool is_crowd;    /* of the container itself there are more: it hangs on the roots */
    uint64_t before_bytes, after_bytes;     /* that the container retains, first and last */
    uint64_t before_objects, after_objects; /* in the row */
    uint64_t rise_bytes;                    /* of the row */
    uint64_t bytes[FL_HEAP_MAX_DUMPS];      /* of the container, dump by dump */
} fl_heap_growth;

/* A container leaks where it retains at least 1.2 times as much, and that is at least this share of
 * the later heap. On the recordings of which there are two dumps, from the middle of a run and its
 * end, leaks double and a healthy program stays as it is. */
#define FL_HEAP_GROWTH_RATIO 1.2
#define FL_HEAP_GROWTH_SHARE 0.02

/* `series`: paths in the order of time, 2 to FL_HEAP_MAX_DUMPS. At most `most` of them, the largest
 * growth first, and one for each container: what rose most in it; *found says how many. Time and
 * memory: dumps by rows. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_growth_find(size_t *found, fl_heap_growth *out, size_t most,
                                           const fl_heap_paths *const *series, size_t count,
                                           fl_error *err);

/* The row of an earlier dump with the same path as row `at` of the last one, whose parent is
 * `parent` there; FL_HEAP_NONE: it is new. The whole heap is row 0 of both. */
uint32_t fl_heap_growth_match(const fl_heap_paths *before, uint32_t parent,
                              const fl_heap_paths *last, size_t at);

/* What holds the container in the last paths: the static; without one the field of the program's
 * own that is nearest to it, or what hangs on the roots. *field: that field beside a static, else
 * NULL. Texts of the paths. */
const char *fl_heap_growth_holder(const char **field, const fl_heap_paths *last,
                                  const fl_heap_growth *growth);

#endif
