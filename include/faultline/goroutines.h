/*
 * goroutines.h - the goroutines of a Go program at one moment, grouped by what they wait for and
 * where, and the crashes that a program wrote beside them.
 *
 * Decoded by ingest/goroutine from Go's text forms: goroutine?debug=2 (and what a crashing program
 * writes), goroutine?debug=1 and goroutineleak?debug=1. All texts and arrays live as long as the
 * structure. Groups and crashes are in an order that depends on their content and, for crashes, on
 * their place in the input.
 */
#ifndef FAULTLINE_GOROUTINES_H
#define FAULTLINE_GOROUTINES_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_goroutines_form {
    FL_GOROUTINES_STACKS, /* debug=2: one by one, with states and waits */
    FL_GOROUTINES_COUNTS, /* debug=1: counts of equal stacks, without states and waits */
    FL_GOROUTINES_LEAKED  /* the same of a goroutineleak profile: each is unreachable for good */
} fl_goroutines_form;

typedef struct fl_goframe {
    fl_slice function; /* without arguments: "net/http.(*conn).serve", "main.main.func1" */
    fl_slice file;     /* empty where not told */
    uint32_t line;     /* 0: not told */
} fl_goframe;

enum { FL_GO_SAMPLE = 32 };

/* Goroutines of one stack, one state and one creator. */
typedef struct fl_gogroup {
    uint64_t count;
    const fl_goframe *const *stack; /* innermost first; debug=2 hides runtime frames at the front */
    size_t stack_count;             /* 0: Go could not walk the stack */
    const fl_goframe *created_by;   /* the `go` statement, NULL where not told */
    fl_slice state;                 /* "chan receive", "select (no cases)" ...; empty: not told */
    /* Waits are whole minutes, which Go tells from the first one on, counted from the first
     * collection after parking: 0 is "less than a minute, or no collection yet". */
    uint64_t waiting_count; /* of those that tell a wait */
    uint32_t wait_min, wait_median, wait_max;
    uint64_t locked_count; /* locked to a thread */
    uint64_t example_id;   /* the lowest goroutine id of the group; 0: not told */
    /* Ids of the group, in no order: all of them, or of more than FL_GO_SAMPLE those whose hash
     * (fl_hash_mix) is smallest. Two texts' samples tell which goroutines are in both. */
    const uint64_t *ids;
    uint32_t id_count;
    bool is_leaked; /* the collector found that nothing can wake them */
    bool is_elided; /* Go left frames out of the stack's middle or its end */
} fl_gogroup;

typedef enum fl_gocrash_kind {
    FL_GOCRASH_FATAL,  /* "fatal error: concurrent map writes": cannot be recovered from */
    FL_GOCRASH_PANIC,  /* a panic that ended the program */
    FL_GOCRASH_HANDLED /* a panic that net/http recovered from and logged */
} fl_gocrash_kind;

typedef struct fl_gocrash {
    fl_gocrash_kind kind;
    fl_slice message; /* what stands behind "fatal error: " or "panic: " */
    uint64_t offset, line;
    const fl_gogroup *group; /* who was running; NULL: no stack followed */
} fl_gocrash;

typedef struct fl_goroutines {
    fl_goroutines_form form;
    uint64_t total;           /* goroutines in groups */
    const fl_gogroup *groups; /* the most numerous first */
    size_t group_count;
    const fl_gocrash *crashes;
    size_t crash_count;
    uint64_t newest_id; /* the highest there is; 0: not told. Later goroutines have higher ones */
    uint64_t stated_total; /* what the header of debug=1 says; 0: nothing said */
    uint64_t input_bytes;  /* decompressed */
    uint64_t dropped;      /* goroutines whose stack was one too many (limits.h) */
    uint64_t rejected;     /* goroutines that could not be read */
    fl_error first_reject; /* why the first of them, with its offset */
    fl_error broken;       /* the input broke off: status is not FL_OK */
    bool is_cut;           /* Go stopped writing at 64 MiB, or counts are missing */
} fl_goroutines;

#ifdef __cplusplus
}
#endif

#endif
