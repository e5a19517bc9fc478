/*
 * gclog_read.h - decode the garbage collection logs of Java virtual machines (faultline/gclog.h).
 *
 * Two grammars, told line by line; the tables are in docs/formats/gc-log.md:
 *   - unified logging, Java 9 to 25, with any decorations or none, of every collector;
 *   - Java 8's -XX:+PrintGC and -XX:+PrintGCDetails, with date stamps, time stamps, both or none.
 * Other lines are passed over: a log may stand in the output of a program.
 *
 * Memory is one block of the line reader and 1 KiB, whatever the log's length.
 */
#ifndef FL_GCLOG_READ_H
#define FL_GCLOG_READ_H

#include "faultline/gclog.h"
#include "stream.h"

/* Where collections go, in the order of the log. A status other than FL_OK ends the reading and
 * becomes its result. */
typedef struct fl_gclog_visitor {
    fl_status (*event)(void *payload, const fl_gc_event *event, fl_error *err);
    void *payload;
} fl_gclog_visitor;

/*
 * Read a log to its end. A line that cannot be read costs itself and is counted. FL_E_UNSUPPORTED:
 * "no garbage collection log of a Java virtual machine", where neither a collection nor a collector
 * is named; FL_E_SYNTAX where all that looked like a collection is broken; FL_E_NOMEM; whatever the
 * stream fails with, after all that came before it was handed out.
 */
FL_NODISCARD fl_status fl_gclog_read(fl_gc_about *out, fl_stream *in,
                                     const fl_gclog_visitor *visitor, fl_error *err);
/* Whether the first bytes of a file (4 KiB are enough) look like such a log. */
bool fl_gclog_sniff(fl_slice head);

#endif
