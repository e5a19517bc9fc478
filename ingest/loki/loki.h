/*
 * loki.h - log lines as they are pushed to Grafana Loki, and as Loki answers queries.
 *
 *   push    POST /loki/api/v1/push as JSON, or as a snappy block of protobuf (logproto.PushRequest)
 *   answer  GET /loki/api/v1/query_range, query: results of type "streams"
 * Source: grafana.com/docs/loki/latest/reference/loki-http-api, pkg/push/push.proto. What becomes
 * of labels and structured metadata: docs/formats/loki.md.
 *
 * Senders leave out Content-Encoding though the body is a snappy block, and add a third element to
 * an entry; both are as good as said. An entry costs itself where it cannot be read, a stream too.
 */
#ifndef FL_LOKI_H
#define FL_LOKI_H

#include "intake.h"

/* Loki itself takes 4 MiB a second and client; a page of an answer is as large as is asked for. */
#define FL_MAX_LOKI_BYTES (64u << 20)

/* A push as JSON. FL_E_UNSUPPORTED: it is an object without "streams" in front, and nothing was
 * pushed. Otherwise FL_OK, or what the sink, strict mode or want of memory said. */
FL_NODISCARD fl_status fl_loki_json(fl_intake *to, fl_slice body, fl_error *err);
/* A push as protobuf. FL_E_SYNTAX, FL_E_TRUNCATED, FL_E_LIMIT: the body is no snappy block. */
FL_NODISCARD fl_status fl_loki_proto(fl_intake *to, fl_slice body, fl_error *err);
/* The same, decompressed. */
FL_NODISCARD fl_status fl_loki_plain_proto(fl_intake *to, fl_slice message, fl_error *err);
/* An answer. FL_E_IO: it says an error, which is the message. FL_E_UNSUPPORTED: it holds no
 * streams, as an answer of numbers, which Prometheus' reader takes; nothing was pushed. */
FL_NODISCARD fl_status fl_loki_answer(fl_intake *to, fl_slice body, fl_error *err);

#endif
