/*
 * triage_jfr.h - recordings of the Flight Recorder beside the telemetry of an incident: a feed of a
 * triage.
 *
 * Series, named after OpenTelemetry's semantic conventions: "jvm.gc.duration" (s, one value a
 * collection: its pauses), "jvm.memory.used_after_last_gc" (By), "jvm.cpu.recent_utilization" and
 * "jvm.system.cpu.utilization" (1). Log lines of the service: collections that collect everything,
 * and a leak with its holder; each ends with the command that shows it again.
 */
#ifndef FL_TRIAGE_JFR_H
#define FL_TRIAGE_JFR_H

#include "triage_gc.h"

/* fl_triage_feed's read; `payload` is an fl_gc_feed, whose path is the recording. FL_E_IO for
 * whatever is wrong with the file. */
FL_NODISCARD fl_status fl_jfr_feed_read(void *payload, const fl_sink *sink, fl_error *err);

#endif
