/*
 * jfr.h - recordings of the JVM's Flight Recorder, event by event: OpenJDK 8 to 25, and what other
 * programs write in that format (1.0 and 2.x).
 *
 * A recording is chunks in a row, each with its own description of its events and its own tables of
 * what they refer to; the byte tables: docs/formats/jfr.md. Events are told in the order in which
 * they stand, not by time. Of a chunk that was not finished, or is cut, what can be read is told.
 * Kinds of events that nobody asks for cost their count only.
 *
 * Bounded: one chunk in memory at a time (FL_MAX_JFR_CHUNK_BYTES), one more than there are threads
 * (five at most) where the others are small, names, frames and stacks of all chunks by the budgets
 * of faultline/limits.h.
 */
#ifndef FL_JFR_H
#define FL_JFR_H

#include "intern.h"
#include "stream.h"

#define FL_JFR_NONE UINT32_MAX /* no stack, no name */

/* What is told, by the events' names: the table is in jfr_kinds.c. */
typedef enum fl_jfr_kind {
    FL_JFR_ALLOCATION, /* of a class at a stack; a: bytes that it stands for */
    FL_JFR_EXECUTION,  /* a thread that runs Java, sampled; a: its period where the event says */
    FL_JFR_NATIVE,     /* a thread in native code, sampled */
    FL_JFR_EXCEPTION,  /* thrown, of a class at a stack */
    FL_JFR_LOCK,       /* a thread entered a monitor of a class after duration_ns */
    FL_JFR_COLLECTION, /* text: collector; cause; a: number, b: all pauses, c: the longest, in ns */
    FL_JFR_HEAP,       /* text: when; a: collection's number, b: committed, c: used, d: reserved */
    FL_JFR_CPU_LOAD,   /* reals: a: program in user mode, b: in the system, c: machine; 0 to 1 */
    FL_JFR_OBJECTS,    /* live ones of a class after a collection; a: count, b: bytes */
    FL_JFR_OLD_OBJECT, /* a: allocated when, ns since the epoch, b: bytes or 0, c: heap then used,
                        * d: elements of an array or -1; who holds it: fl_jfr_holders() */
    FL_JFR_THROWABLES, /* a: made since the program began */
    FL_JFR_MACHINE,    /* text: name; cause: version; thread: command line; a: process id */
    FL_JFR_LOSS,       /* a: bytes of events that were lost */
    FL_JFR_SETTING,    /* of an event; text: its name, cause: its value */
    FL_JFR_KIND_COUNT
} fl_jfr_kind;

typedef struct fl_jfr fl_jfr;

/* What is not there is 0, or FL_JFR_NONE. */
typedef struct fl_jfr_event {
    fl_jfr_kind kind;
    uint64_t events; /* that this stands for: 1, or more of fl_jfr_read_sums() */
    int64_t time_ns, duration_ns;
    uint32_t stack;  /* of fl_jfr_frame_of() */
    uint32_t type;   /* a class */
    uint32_t thread; /* its name */
    uint32_t text, cause;
    int64_t a, b, c, d;
    double real[3];        /* a, b, c where they are fractions */
    uint64_t object, root; /* of an old object: for fl_jfr_holders(), during the call */
} fl_jfr_event;

/* A status other than FL_OK ends the reading and becomes its result. Calls come one after the
 * other, not all from the thread that reads, all before the reading returns. */
typedef fl_status fl_jfr_visit(void *payload, const fl_jfr_event *event, fl_error *err);

/* A line of a method: "java.util.HashMap.resize" of line 704. */
typedef struct fl_jfr_frame {
    uint32_t function; /* a name */
    uint32_t line;     /* 0: not known */
    uint32_t number;   /* below fl_jfr_frame_count(), the same for equal ones */
} fl_jfr_frame;

/* How often a kind of events came, whether it is told or not. */
typedef struct fl_jfr_count {
    fl_slice name;
    uint64_t events, bytes;
} fl_jfr_count;

/* What the whole of a reading was. */
typedef struct fl_jfr_totals {
    uint64_t chunks, unfinished_chunks, events, bytes;
    uint64_t unresolved;   /* events whose stack is in no table */
    uint64_t looked_bytes; /* of constants, to find what keys stand for: what that cost */
    int64_t from_ns, to_ns;
    unsigned major, minor;
    const fl_jfr_count *counts; /* in the order in which the kinds were met */
    size_t count_count;
    const char *const *warnings;
    size_t warning_count;
} fl_jfr_totals;

FL_NODISCARD fl_status fl_jfr_create(fl_jfr **out, fl_error *err);
void fl_jfr_destroy(fl_jfr *jfr); /* NULL is a no-op */

/* Whether bytes begin a recording. */
bool fl_jfr_sniff(fl_slice head);
/* Whether a file does, when it is decompressed; false where it cannot be read. */
bool fl_jfr_sniff_file(const char *path);

/* Tell what a stream holds; plain, gzip or zstd. A reader may read several recordings, one after
 * the other, and adds up. FL_E_UNSUPPORTED: no recording, or of a version that is not known.
 * FL_E_TRUNCATED, FL_E_SYNTAX: nothing of it can be read. Damage behind that is a warning, and
 * FL_OK. FL_E_LIMIT; FL_E_NOMEM; those of the stream, and of `visit`. Offsets count decompressed
 * bytes. */
FL_NODISCARD fl_status fl_jfr_read(fl_jfr *jfr, fl_stream *in, const char *name,
                                   fl_jfr_visit *visit, void *payload, fl_error *err);
/* The same, but samples are summed: allocations, execution, native, exceptions and locks of one
 * chunk with one stack and one class are told once, where the first of them stands, without moment
 * and thread; `a`, of locks duration_ns, is that of all. Much faster. */
FL_NODISCARD fl_status fl_jfr_read_sums(fl_jfr *jfr, fl_stream *in, const char *name,
                                        fl_jfr_visit *visit, void *payload, fl_error *err);
/* As of now; they live until the next reading. */
fl_jfr_totals fl_jfr_totals_of(const fl_jfr *jfr);

/* A name, as long as the reader lives. Of FL_JFR_NONE the empty text. */
fl_slice fl_jfr_name(const fl_jfr *jfr, uint32_t name);
size_t fl_jfr_name_count(const fl_jfr *jfr);

/* A stack is its innermost frame and the stack that called it, FL_JFR_NONE at the end; equal stacks
 * are one. Returns the caller. `stack` is none of FL_JFR_NONE. */
uint32_t fl_jfr_frame_of(fl_jfr_frame *out, const fl_jfr *jfr, uint32_t stack);

/* How many numbers of stacks there are, from 0. */
size_t fl_jfr_frame_count(const fl_jfr *jfr);

/* Who holds an old object, from it to its root. */
typedef struct fl_jfr_holder {
    uint32_t type;        /* class of the object */
    uint32_t field;       /* of the holder that follows, in which it is; or FL_JFR_NONE */
    uint32_t description; /* what the recorder knows of the object, such as a thread's name */
    int64_t index;        /* of an array's element: its place, or -1 */
    int64_t length;       /* of that array */
    uint64_t skipped;     /* holders that the recorder left out before the next */
} fl_jfr_holder;

/* The caller's room for the chain of one object. */
typedef struct fl_jfr_chain {
    fl_jfr_holder *items; /* the first is the object itself */
    size_t count, cap;
    uint32_t root; /* the kind of root that holds the last, "Stack Variable"; or FL_JFR_NONE */
} fl_jfr_chain;

/* The chain of an old object, as far as there is room. Only while `event` is told. FL_E_NOMEM or
 * FL_E_LIMIT, of names. */
FL_NODISCARD fl_status fl_jfr_holders(fl_jfr_chain *out, fl_jfr *jfr, const fl_jfr_event *event,
                                      fl_error *err);

#endif
