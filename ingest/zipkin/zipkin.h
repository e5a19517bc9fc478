/*
 * zipkin.h - spans in Zipkin's second format, as POST /api/v2/spans takes them and GET
 * /api/v2/trace/{id} and /api/v2/traces answer them.
 *
 * Source: zipkin.io/zipkin-api/#/default, zipkin2-api.yaml. What becomes of a span's members, and
 * of an id that client and server share: docs/formats/zipkin.md. A span costs itself where it
 * cannot be read.
 */
#ifndef FL_ZIPKIN_H
#define FL_ZIPKIN_H

#include "intake.h"

/* Zipkin itself takes messages of at most 5 MB. */
#define FL_MAX_ZIPKIN_BYTES (64u << 20)

/* Push each span. FL_E_UNSUPPORTED: the body is no list of such spans, and nothing was pushed.
 * Otherwise FL_OK, or what the sink, strict mode or want of memory said. */
FL_NODISCARD fl_status fl_zipkin_json(fl_intake *to, fl_slice body, fl_error *err);

#endif
