/*
 * sources.h - the telemetry of a window, out of the servers that a team keeps it in.
 *
 * Everything is asked for in parallel, within limits, for one service and those that its traces
 * lead through:
 *
 *   traces first   Tempo: searches minute by minute, errors first, then each trace found;
 *                  Jaeger: traces minute by minute. Who is in them is who matters.
 *   Prometheus     the types of metrics (metadata); which series the services have, by the labels
 *                  that may name a service; then their raw samples, METRIC{...}[window]: exact, and
 *                  without the limit of 11,000 points that query_range has. Metrics go in the order
 *                  of the caller's ranks until the limit of series. Then those of hosts.
 *   Loki           the label that names the service; lines minute by minute, in pages forward
 *
 * Minutes are read from `at_ns` on first, then those before it, spread evenly: so what is left out
 * at a limit is not the incident, and not one end of the baseline. A source that fails costs
 * itself.
 */
#ifndef FL_SOURCES_H
#define FL_SOURCES_H

#include "faultline/record.h"
#include "pull.h"

typedef enum fl_source_kind {
    FL_SOURCE_PROMETHEUS,
    FL_SOURCE_LOKI,
    FL_SOURCE_TEMPO,
    FL_SOURCE_JAEGER,
    FL_SOURCE_KIND_COUNT
} fl_source_kind;
/* "Prometheus", "Loki", "Tempo", "Jaeger" */
const char *fl_source_kind_name(fl_source_kind kind);

typedef struct fl_source {
    fl_source_kind kind;
    fl_pull_source_options how;
} fl_source;

/* The lower the sooner; FL_RANK_NEVER: not at all. *is_host: it is about a machine. */
enum { FL_RANK_NEVER = -1 };
typedef struct fl_metric_ranks {
    int (*rank)(void *payload, fl_slice metric, bool *is_host);
    void *payload;
} fl_metric_ranks;

typedef struct fl_gather_request {
    const fl_source *sources;
    size_t count;
    int64_t from_ns, at_ns, to_ns; /* [from, at) is the baseline, [at, to) the incident */
    const char *service;           /* NULL: all that there are */
    fl_metric_ranks ranks;
    /* Zero: the default. */
    unsigned max_services; /* besides `service`; 32 */
    unsigned max_series;   /* of a Prometheus; 5,000 */
    unsigned max_lines;    /* of a Loki; 200,000 */
    unsigned max_traces;   /* of a Tempo or Jaeger; 1,000 */
    uint64_t seed;
    bool (*should_stop)(void *);
    void (*progress)(void *payload, const char *what, uint64_t done, uint64_t total);
    void *payload; /* of both */
} fl_gather_request;

/* What came of one source. */
typedef struct fl_gathered {
    fl_status status;  /* FL_OK, or the first failure's */
    char failure[192]; /* its sentence; "" */
    uint64_t failures; /* requests that failed for good */
    char note[192];    /* what was left out at a limit; "" */
    uint64_t spans, logs, points;
    fl_pull_stats cost;
} fl_gathered;

/* Push what there is into `sink`; out[i] is of sources[i]. FL_OK where sources failed. Otherwise
 * what the sink said, FL_E_SYNTAX (a URL), FL_E_STOPPED, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gather(fl_gathered *out, const fl_gather_request *request,
                                 const fl_sink *sink, fl_error *err);

#endif
