/*
 * prometheus.h - metrics as Prometheus and what speaks its protocols send or answer them.
 *
 *   remote write 1.0   prometheus.WriteRequest, a snappy block of protobuf: see
 *                      prometheus.io/docs/specs/prw/remote_write_spec and prompb/remote.proto
 *   HTTP API answers   /api/v1/query, query_range, series, metadata: matrix, vector and scalar; see
 *                      prometheus.io/docs/prometheus/latest/querying/api
 *   export             VictoriaMetrics' /api/v1/export: "metric", "values", "timestamps" a line
 *
 * How names become kinds of points, and what is passed over: docs/formats/prometheus.md.
 *
 * A series costs itself where it cannot be read. Samples that mean no value (stale markers, NaN,
 * infinities) and what has no place here (exemplars, native histograms) are counted, not refused.
 */
#ifndef FL_PROMETHEUS_H
#define FL_PROMETHEUS_H

#include "intake.h"

/* Bytes of a request after decompression; Prometheus sends some 2,000 samples, 100 KB. */
#define FL_MAX_REMOTE_WRITE_BYTES (64u << 20)

/* Remembers the types of metrics from one payload to the next. One per thread. */
typedef struct fl_prometheus fl_prometheus;

typedef struct fl_prometheus_counts {
    uint64_t series, samples; /* pushed */
    uint64_t stale, not_finite, exemplars, native_histograms, created, metadata;
    uint64_t warnings; /* that answers held */
    uint64_t dropped_labels;
} fl_prometheus_counts;

/* The sink of `to` is copied, its source borrowed. */
FL_NODISCARD fl_status fl_prometheus_create(fl_prometheus **out, const fl_intake *to,
                                            fl_error *err);
void fl_prometheus_destroy(fl_prometheus *prometheus); /* NULL is a no-op */
/* Where what follows comes from, for rejects. */
void fl_prometheus_set_source(fl_prometheus *prometheus, const char *source);
/* The metric of series without a name, as functions such as rate() give them; borrowed. Without it
 * such series are refused. */
void fl_prometheus_set_name(fl_prometheus *prometheus, fl_slice name);
/* What a sender told of a family of metrics; the type as MetricMetadata numbers it. */
typedef struct fl_prometheus_family {
    fl_slice name, unit; /* borrowed */
    unsigned type;
} fl_prometheus_family;
typedef void fl_prometheus_told(void *payload, const fl_prometheus_family *family);
/* For a server with several readers, of which each sees a part of the requests: `told` is called
 * for each family that a payload tells of anew, or otherwise than before; fl_prometheus_tell()
 * hands that on to another reader. FL_E_NOMEM. */
void fl_prometheus_on_family(fl_prometheus *prometheus, fl_prometheus_told *told, void *payload);
FL_NODISCARD fl_status fl_prometheus_tell(fl_prometheus *prometheus,
                                          const fl_prometheus_family *family, fl_error *err);
const fl_prometheus_counts *fl_prometheus_counts_of(const fl_prometheus *prometheus);
/* How many series were refused since creation. */
uint64_t fl_prometheus_rejects(const fl_prometheus *prometheus);

/* What the Content-Type of a write says: FL_OK for 1.0 ("application/x-protobuf", alone or with
 * proto=prometheus.WriteRequest), FL_E_UNSUPPORTED for 2.0 and anything else, which a server
 * answers with 415. */
FL_NODISCARD fl_status fl_prometheus_write_type(fl_slice content_type, fl_error *err);
/* A request's body. FL_E_SYNTAX, FL_E_TRUNCATED, FL_E_LIMIT: it is no snappy block, and nothing was
 * pushed. Else FL_OK, or what the sink, strict mode or want of memory said. */
FL_NODISCARD fl_status fl_prometheus_write(fl_prometheus *prometheus, fl_slice body, fl_error *err);
/* The same, decompressed. */
FL_NODISCARD fl_status fl_prometheus_write_proto(fl_prometheus *prometheus, fl_slice message,
                                                 fl_error *err);
/* An answer of the HTTP API, or lines of an export. FL_E_IO: it says an error, which is the
 * message. FL_E_UNSUPPORTED: it is none of these, and nothing was pushed. */
FL_NODISCARD fl_status fl_prometheus_answer(fl_prometheus *prometheus, fl_slice body,
                                            fl_error *err);

#endif
