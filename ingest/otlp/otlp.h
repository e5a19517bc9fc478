/*
 * otlp.h - OpenTelemetry Protocol 1.x: logs, traces and metrics, as JSON and as protobuf.
 *
 * A file holds JSON lines (one Export...ServiceRequest a line, as the Collector's file exporter
 * writes them), one JSON document, one protobuf message, or protobuf messages each behind its
 * length (4 bytes, big-endian, as the same exporter writes them); plain, gzip or zstd. The byte
 * tables, the rules and what is ignored: docs/formats/otlp.md.
 *
 * A malformed record costs that record: it is handed to the sink's reject() and the rest is used.
 */
#ifndef FL_OTLP_H
#define FL_OTLP_H

#include "faultline/record.h"

typedef enum fl_otlp_signal {
    FL_OTLP_UNKNOWN, /* protobuf: told from the content; JSON: always told from the content */
    FL_OTLP_LOGS,
    FL_OTLP_TRACES,
    FL_OTLP_METRICS
} fl_otlp_signal;

/* Reused across calls; holds scratch memory only. One per thread. */
typedef struct fl_otlp fl_otlp;

FL_NODISCARD fl_status fl_otlp_create(fl_otlp **out, const fl_sink *sink, fl_error *err);
void fl_otlp_destroy(fl_otlp *otlp); /* NULL is a no-op */
/* True: the first reject ends the reading with FL_E_SYNTAX and a message with file, line, offset.
 */
void fl_otlp_set_strict(fl_otlp *otlp, bool strict);

/* Attributes and events that were left out since creation because a record had more than limits.h
 * allows. */
uint64_t fl_otlp_dropped(const fl_otlp *otlp);

/* One request. `source` and `line` and `offset` are where it came from, for rejects. A request
 * that breaks in the middle keeps the records before the break. Returns FL_OK even where records
 * were rejected; an error only from the sink, from strict mode or for want of memory. */
FL_NODISCARD fl_status fl_otlp_json(fl_otlp *otlp, fl_slice request, const char *source,
                                    uint64_t line, uint64_t offset, fl_error *err);
FL_NODISCARD fl_status fl_otlp_proto(fl_otlp *otlp, fl_slice request, fl_otlp_signal signal,
                                     const char *source, uint64_t offset, fl_error *err);

/* A whole file. Returns FL_OK, or FL_E_NOTFOUND or FL_E_IO where it cannot be opened; a file that
 * breaks later (truncated, corrupt, bomb) is one reject after all that was good. FL_E_UNSUPPORTED:
 * the file holds no OTLP at all (nothing was pushed). */
FL_NODISCARD fl_status fl_otlp_file(fl_otlp *otlp, const char *path, fl_error *err);
/* Whether a name in a folder is worth opening: ends in .json, .jsonl, .ndjson, .pb, .binpb or
 * .otlp, with or without .gz or .zst behind it. */
bool fl_otlp_is_candidate(const char *name);

#endif
