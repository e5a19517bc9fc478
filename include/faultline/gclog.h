/*
 * gclog.h - what a Java virtual machine logs about its garbage collections.
 *
 * Decoded by ingest/gclog from unified logging (Java 9 and later) and from Java 8's. What a log
 * does not tell is -1, or empty; a text is borrowed and valid only during the call that hands it
 * out.
 */
#ifndef FAULTLINE_GCLOG_H
#define FAULTLINE_GCLOG_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_gc_collector {
    FL_GC_COLLECTOR_UNKNOWN,
    FL_GC_COLLECTOR_SERIAL,
    FL_GC_COLLECTOR_PARALLEL,
    FL_GC_COLLECTOR_CMS,
    FL_GC_COLLECTOR_G1,
    FL_GC_COLLECTOR_Z,
    FL_GC_COLLECTOR_SHENANDOAH,
    FL_GC_COLLECTOR_EPSILON,
    FL_GC_COLLECTOR_COUNT
} fl_gc_collector;

typedef enum fl_gc_kind {
    FL_GC_YOUNG,      /* a pause that collects the young part */
    FL_GC_MIXED,      /* and some of the old */
    FL_GC_FULL,       /* a pause that collects everything */
    FL_GC_DEGENERATE, /* a concurrent collection that was ended with the program stopped */
    FL_GC_MARK,       /* a pause of a concurrent collection */
    FL_GC_CYCLE,      /* a concurrent collection: no pause */
    FL_GC_STALL,      /* one thread waited for memory */
    FL_GC_KIND_COUNT
} fl_gc_kind;

/* What a collection can be marked with: a set of 1u << fl_gc_trouble. */
typedef enum fl_gc_trouble {
    FL_GC_EVACUATION_FAILED, /* no room to copy survivors to (G1, Shenandoah) */
    FL_GC_PROMOTION_FAILED,  /* the old part had no room for what survived the young one */
    FL_GC_CONCURRENT_FAILED, /* a concurrent collection did not end in time */
    FL_GC_HUMONGOUS,         /* begun for an object of half a region or more */
    FL_GC_EXPLICIT,          /* System.gc() */
    FL_GC_METASPACE,         /* begun for classes */
    FL_GC_TROUBLE_COUNT
} fl_gc_trouble;

/* A collection, or a pause of one. Times of the wall clock are nanoseconds since the epoch. */
typedef struct fl_gc_event {
    fl_gc_kind kind;
    unsigned troubles;
    fl_slice name;                                     /* "Pause Young (Normal)", "Full GC" */
    fl_slice cause;                                    /* "G1 Evacuation Pause"; may be empty */
    uint64_t line;                                     /* from 1 */
    int64_t time_ns;                                   /* wall clock; -1 where the log has none */
    int64_t since_ns;                                  /* since the virtual machine's start; -1 */
    int64_t pause_ns;                                  /* -1 for what stops nobody */
    int64_t before_bytes, after_bytes, capacity_bytes; /* of the heap */
    int64_t promoted_bytes;                            /* into the old part */
    int64_t humongous_bytes;                           /* in humongous regions, afterwards */
    int64_t metaspace_bytes;                           /* in use afterwards */
} fl_gc_event;

/* What a log tells of the virtual machine, and how reading it went. */
typedef struct fl_gc_about {
    fl_gc_collector collector;
    char version[64];      /* "17.0.15+6-Debian-1deb12u1 (release)"; "" */
    int64_t max_bytes;     /* of the heap */
    int64_t region_bytes;  /* G1's, Shenandoah's */
    uint64_t cpus;         /* 0: not told */
    uint64_t lines;        /* read */
    uint64_t events;       /* handed out */
    uint64_t rejected;     /* lines that begin as a collection and cannot be read */
    fl_error first_reject; /* why the first of them; its offset is into the file */
} fl_gc_about;

/* "G1", "Parallel" ...; "not known". */
const char *fl_gc_collector_name(fl_gc_collector collector);
/* "young", "full" ...: the words of the JSON contract. */
const char *fl_gc_kind_name(fl_gc_kind kind);
/* "evacuation-failed" ...: likewise. */
const char *fl_gc_trouble_name(fl_gc_trouble trouble);

#ifdef __cplusplus
}
#endif

#endif
