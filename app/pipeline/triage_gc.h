/*
 * triage_gc.h - garbage collection logs beside the telemetry of an incident: a feed of a triage.
 *
 * Series, named after OpenTelemetry's semantic conventions: "jvm.gc.duration" (s, one value a
 * pause) and "jvm.memory.used_after_last_gc" (By, one a collection). What stands out becomes a log
 * line of the service: full and degenerated collections, failures, stalls; each ends with the
 * command that prints its line of the log.
 */
#ifndef FL_TRIAGE_GC_H
#define FL_TRIAGE_GC_H

#include "faultline/record.h"
#include "faultline/triage.h"

enum { FL_GC_SERVICE_BYTES = 256 };

/* One log and whose it is. */
typedef struct fl_gc_feed {
    char service[FL_GC_SERVICE_BYTES];
    const char *path; /* borrowed */
} fl_gc_feed;

/* "SERVICE=FILE", or FILE of `service`, which may be NULL; `option` is what it was given with, for
 * the message. FL_E_SYNTAX: nothing tells whose it is, or the name is too long. */
FL_NODISCARD fl_status fl_gc_feed_of(fl_gc_feed *out, const char *text, const char *service,
                                     const char *option, fl_error *err);
/* fl_triage_feed's read; `payload` is an fl_gc_feed. FL_E_IO for whatever is wrong with the file, a
 * log without dates included: nothing tells where on the timeline it belongs. */
FL_NODISCARD fl_status fl_gc_feed_read(void *payload, const fl_sink *sink, fl_error *err);

#endif
