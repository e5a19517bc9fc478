/*
 * jaeger.h - traces as Jaeger's query API answers them: GET /api/traces/{id} and /api/traces.
 *
 * Source: jaegertracing.io/docs, "HTTP JSON (internal)"; model/json/model.go. What its third API
 * answers is OTLP, which ingest/otlp reads. What becomes of a span's members:
 * docs/formats/jaeger.md. A span costs itself where it cannot be read; a trace whose JSON breaks
 * costs the rest.
 */
#ifndef FL_JAEGER_H
#define FL_JAEGER_H

#include "intake.h"

/* An answer of the usual 20 traces is below 1 MB; of the largest ones some 100 MB. */
#define FL_MAX_JAEGER_BYTES (256u << 20)

/* Push each span of an answer. FL_E_IO: it says an error and holds no trace. FL_E_UNSUPPORTED: it
 * is no answer with traces, and nothing was pushed. Otherwise FL_OK, or what the sink, strict mode
 * or want of memory said. */
FL_NODISCARD fl_status fl_jaeger_json(fl_intake *to, fl_slice body, fl_error *err);

#endif
