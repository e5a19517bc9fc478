/*
 * gclog_priv.h - between the two grammars of garbage collection logs and their driver.
 */
#ifndef FL_GCLOG_PRIV_H
#define FL_GCLOG_PRIV_H

#include "gclog_read.h"
#include "slice.h"

enum { GC_OPEN_COLLECTIONS = 4, GC_TEXT = 64 };

/* What lines of one collection tell before its last one does. */
typedef struct fl_gc_open {
    bool is_used;
    uint64_t number; /* of GC(number) */
    unsigned troubles;
    int64_t promoted_bytes, humongous_bytes, metaspace_bytes;
} fl_gc_open;

/* A collection of Java 8's whose lines are not yet all read. */
typedef struct fl_gc_java8 {
    bool is_open;  /* `event` began */
    bool is_whole; /* its brackets are closed */
    int depth;     /* of square brackets */
    char name[GC_TEXT], cause[GC_TEXT], section[GC_TEXT];
    int64_t young_before, young_after; /* bytes; -1 */
    bool has_old;                      /* a section of the old part was seen */
    uint64_t offset;
    fl_gc_event event;
} fl_gc_java8;

/*
 * Invariants: (1) open[] holds the newest numbers seen, the oldest leaves first; (2) java8.event's
 * texts are java8.name and java8.cause.
 */
typedef struct fl_gclog {
    const fl_gclog_visitor *visitor;
    fl_gc_about *about;
    fl_gc_open open[GC_OPEN_COLLECTIONS];
    size_t next_open;
    fl_gc_java8 java8;
    fl_status status; /* the visitor's */
    fl_error *err;
} fl_gclog;

/* An event of which nothing is known. */
fl_gc_event fl_gclog_event(fl_gc_kind kind);
void fl_gclog_hand_out(fl_gclog *log, const fl_gc_event *event);
/* Count a line that could not be read. */
void fl_gclog_reject(fl_gclog *log, uint64_t offset, const char *message);
/* The mark for a cause or a remark in parentheses; 0: none. */
unsigned fl_gclog_trouble_of(fl_slice text);

/* One line. */
void fl_gclog_unified(fl_gclog *log, const fl_line *line);
void fl_gclog_java8(fl_gclog *log, const fl_line *line);
/* Hand out what Java 8's last lines began. */
void fl_gclog_java8_end(fl_gclog *log);
/* Whether a line is Java 8's: stamps and then "[GC" or "[Full GC", or goes on with one. */
bool fl_gclog_is_java8(const fl_gclog *log, fl_slice text);
/* The message of a line of unified logging: what stands behind its decorations. False where they
 * are none of it. */
bool fl_gclog_message(fl_slice *out, fl_slice text);

/* ---- pieces of text; each steps over what it took, or leaves *in as it was ---- */

bool fl_gclog_take(fl_slice *in, const char *text);
/* Whether `c` is in `set`; NUL is in none. */
bool fl_gclog_is_one_of(unsigned char c, const char *set);
/* "1234K", "24.0M", "0B", "10G": bytes. */
bool fl_gclog_take_size(fl_slice *in, int64_t *bytes);
/* "6M->2M(128M)", "24.0M(256.0M)->21.9M(256.0M)", "14M(11%)->6M(5%)"; a capacity may be missing. */
typedef struct fl_gc_sizes {
    int64_t before, after, capacity;
} fl_gc_sizes;
bool fl_gclog_take_sizes(fl_slice *in, fl_gc_sizes *out);
/* "7.405ms", "0.185s", "0,0096783 secs": nanoseconds. */
bool fl_gclog_take_duration(fl_slice *in, int64_t *ns);
/* Digits with an optional fraction (point or comma), times `scale`; no sign, below 2^62. */
bool fl_gclog_take_scaled(fl_slice *in, int64_t scale, int64_t *out);
/* "(...)" with balanced parentheses inside; *inside without the outer ones. */
bool fl_gclog_take_group(fl_slice *in, fl_slice *inside);
/* "2026-11-22T21:04:49.892+0000": nanoseconds since the epoch. */
bool fl_gclog_time(fl_slice text, int64_t *ns);

#endif
