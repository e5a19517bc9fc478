/*
 * goroutine_priv.h - between the reading of lines and the tables of distinct stacks.
 */
#ifndef FL_GOROUTINE_PRIV_H
#define FL_GOROUTINE_PRIV_H

#include "arena.h"
#include "goroutine_read.h"
#include "intern.h"
#include "map.h"

/* "goroutine 7 gp=0xc0001 m=3 mp=0x10 [chan receive (leaked), 5 minutes, locked to thread]:" */
typedef struct fl_goheader {
    uint64_t id;
    fl_slice state; /* borrowed from the line */
    uint64_t minutes;
    bool is_locked, is_leaked;
} fl_goheader;

/* False with *at and *why where the line is no whole header. It must begin with "goroutine N". */
bool fl_goheader_parse(fl_goheader *out, fl_slice line, size_t *at, const char **why);
/* Whether a line begins as a header does: "goroutine ", a digit, and a bracket further on. */
bool fl_goheader_begins(fl_slice line);

/* Distinct frames and stacks. */
typedef struct fl_gotable fl_gotable;

/* What a goroutine, or `count` of them in debug=1, has in common with its group. */
typedef struct fl_gostack {
    const uint32_t *frames; /* of fl_gotable_frame */
    size_t count;
    uint32_t created_by; /* or FL_GO_NONE */
    fl_slice state;
    bool is_leaked, is_elided;
} fl_gostack;

#define FL_GO_NONE UINT32_MAX

FL_NODISCARD fl_status fl_gotable_create(fl_gotable **out, fl_error *err);
void fl_gotable_destroy(fl_gotable *table);
/* The number of a frame; FL_GO_NONE where the table is full. `location` is "file:line". */
FL_NODISCARD fl_status fl_gotable_frame(uint32_t *out, fl_gotable *table, fl_slice function,
                                        fl_slice location, fl_error *err);
/* The number of a group, added where it is new; FL_GO_NONE where the table is full. */
FL_NODISCARD fl_status fl_gotable_group(uint32_t *out, fl_gotable *table, const fl_gostack *stack,
                                        fl_error *err);
/* Count goroutines of a group; `header` is NULL in debug=1. */
FL_NODISCARD fl_status fl_gotable_count(fl_gotable *table, uint32_t group, uint64_t count,
                                        const fl_goheader *header, fl_error *err);
/* Medians, and the order of the groups. moved[i] is where group i went; it lives in the arena. */
FL_NODISCARD fl_status fl_gotable_finish(fl_gotable *table, fl_goroutines *out, uint32_t **moved,
                                         fl_error *err);
fl_arena *fl_gotable_arena(fl_gotable *table);

#endif
