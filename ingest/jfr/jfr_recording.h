/*
 * jfr_recording.h - what a recording of the Flight Recorder says in all: who allocates, runs,
 * throws and waits, its collections, its load, and what has been alive for long and who holds it.
 *
 * Cost: a look into a table for each event that has a stack. Memory is bounded by
 * faultline/limits.h; what is beyond it is counted in `dropped`.
 */
#ifndef FL_JFR_RECORDING_H
#define FL_JFR_RECORDING_H

#include "faultline/profile.h"
#include "jfr.h"

typedef enum fl_jfr_group {
    FL_JFR_ALLOCATIONS, /* amount: bytes */
    FL_JFR_RUNNING,     /* amount: ns, where the recording says the period; else 0 */
    FL_JFR_IN_NATIVE,
    FL_JFR_THROWN,
    FL_JFR_WAITING, /* for a monitor; amount: ns */
    FL_JFR_GROUP_COUNT
} fl_jfr_group;

/* "allocations", "execution", "native", "exceptions", "locks": the words of the JSON contract. */
const char *fl_jfr_group_name(fl_jfr_group group);

/* Events of one stack and one class. */
typedef struct fl_jfr_site {
    uint32_t stack, type; /* or FL_JFR_NONE */
    uint64_t events;
    int64_t amount;
} fl_jfr_site;

typedef struct fl_jfr_sites {
    const fl_jfr_site *items; /* by falling amount, then events */
    size_t count;
    uint64_t events;
    int64_t amount;
} fl_jfr_sites;

/* One collection. Bytes are -1 where the recording does not say them. */
typedef struct fl_jfr_gc {
    int64_t number, time_ns, duration_ns, pauses_ns, longest_ns;
    int64_t before_bytes, after_bytes, committed_bytes;
    int64_t reserved_bytes; /* what the heap may grow to */
    int64_t after_ns;       /* when after_bytes was; 0: not known */
    uint32_t name, cause;
} fl_jfr_gc;

/* Processors in use, as fractions of the machine. */
typedef struct fl_jfr_load {
    int64_t time_ns;
    double user, system, machine;
} fl_jfr_load;

/* An object that was alive at the end, one of a sample of all that were allocated. */
typedef struct fl_jfr_old {
    int64_t allocated_ns, bytes; /* 0: not known */
    int64_t elements;            /* of an array; -1: it is none */
    uint32_t type, stack;
    uint32_t holder_at, holder_count; /* among the holders, the object itself first */
    uint32_t root;                    /* what kind of root holds the last */
} fl_jfr_old;

/* Live objects of a class, counted after collections. */
typedef struct fl_jfr_live {
    uint32_t type;
    uint64_t counts; /* how often it was counted */
    int64_t first_ns, first_count, first_bytes, last_ns, last_count, last_bytes;
} fl_jfr_live;

typedef struct fl_jfr_recording {
    const fl_jfr *names; /* of what is a number here */
    fl_jfr_totals totals;
    const fl_jfr_count *counts; /* by falling events, then by name */
    fl_jfr_sites groups[FL_JFR_GROUP_COUNT];
    const fl_jfr_gc *gcs; /* by time */
    size_t gc_count;
    const fl_jfr_load *loads; /* by time */
    size_t load_count;
    const fl_jfr_old *olds; /* by time of allocation */
    size_t old_count;
    const fl_jfr_holder *holders;
    size_t holder_count;
    const fl_jfr_live *lives; /* by falling last_bytes */
    size_t live_count;
    int64_t throwables, throwables_ns; /* made within so long; 0: not known */
    uint64_t lost_bytes, dropped;
    bool has_chains; /* the recorder was told to look for who holds old objects: what has no chain
                      * was not reachable, or the search ran out of time */
    uint32_t machine, version, arguments; /* names */
    int64_t pid;
} fl_jfr_recording;

/* Read the whole stream; "-" and compressed ones as of the stream. Fails as fl_jfr_read() does. The
 * caller owns *out. */
FL_NODISCARD fl_status fl_jfr_recording_read(fl_jfr_recording **out, fl_stream *in,
                                             const char *name, fl_error *err);
/* The same of a file; "-" is standard input. */
FL_NODISCARD fl_status fl_jfr_recording_file(fl_jfr_recording **out, const char *path,
                                             fl_error *err);
void fl_jfr_recording_destroy(fl_jfr_recording *recording); /* NULL is a no-op */

/* What can be looked at as a profile, with a column for each of its groups that has events:
 * cpu_samples, cpu, alloc_samples, alloc_space, native_samples, exceptions, lock_contentions,
 * lock_delay. Replaces the profile's content. FL_E_NOMEM, FL_E_LIMIT. */
FL_NODISCARD fl_status fl_jfr_profile(fl_profile *profile, const fl_jfr_recording *recording,
                                      fl_error *err);
/* The same straight from a file. */
FL_NODISCARD fl_status fl_jfr_profile_file(fl_profile *profile, const char *path, fl_error *err);

#endif
