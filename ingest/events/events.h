/*
 * events.h - change events: what was deployed, configured, switched or merged, and when. The shape
 * is in docs/formats/events.md.
 */
#ifndef FL_EVENTS_H
#define FL_EVENTS_H

#include <stdbool.h>

#include "faultline/record.h"

/* A file of events is configuration-sized: a year of a busy platform is a tenth of this. */
#define FL_MAX_EVENTS_BYTES (64u << 20)

/* Push each event of a file (JSON lines, or one list; plain, gzip or zstd) into sink->change. An
 * event that cannot be read is given to sink->reject and costs itself, or, where `strict`, ends the
 * reading with FL_E_SYNTAX and "PATH:LINE: what is wrong". FL_E_NOTFOUND, FL_E_IO, FL_E_LIMIT,
 * FL_E_NOMEM. A file that ends inside a compressed frame is rejected from there on. */
FL_NODISCARD fl_status fl_events_file(const fl_sink *sink, const char *path, bool strict,
                                      fl_error *err);
/* The same over bytes in memory; `source` is for messages. */
FL_NODISCARD fl_status fl_events_bytes(const fl_sink *sink, fl_slice bytes, const char *source,
                                       bool strict, fl_error *err);

#endif
