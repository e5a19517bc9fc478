/*
 * edges.c - who calls whom, as metrics tell it: the service graph that a collector or a trace store
 * makes of spans (labels client and server), and a service mesh (labels source and destination).
 *
 * A series that ever counted a call is an edge between the two services that its labels name, as
 * far as these are services of this telemetry: a client "user" or a database that tells nothing
 * cannot be a cause. A call graph that was given counts alone.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services.h"
#include "slice.h"
#include "timeline_priv.h"

/* Labels of Grafana Tempo's and the OpenTelemetry Collector's service graph, and of Istio; of
 * Istio's the first pair that is there. */
static const struct {
    const char *metric; /* how its name begins */
    fl_slice caller, callee;
} pairs[] = {
    {"traces_service_graph_", FL_SLICE_INIT("client"), FL_SLICE_INIT("server")},
    {"istio_", FL_SLICE_INIT("source_canonical_service"),
     FL_SLICE_INIT("destination_canonical_service")},
    {"istio_", FL_SLICE_INIT("source_workload"), FL_SLICE_INIT("destination_workload")},
    {"istio_", FL_SLICE_INIT("source_app"), FL_SLICE_INIT("destination_app")},
};

/* Out of "k=v,k=v"; empty where there is none. */
static fl_slice label(const char *labels, fl_slice key)
{
    fl_slice rest = fl_slice_of(labels);
    while (rest.len > 0) {
        const unsigned char *comma = memchr(rest.ptr, ',', rest.len);
        size_t len = comma != NULL ? (size_t)(comma - rest.ptr) : rest.len;
        if (len > key.len && rest.ptr[key.len] == '=' && memcmp(rest.ptr, key.ptr, key.len) == 0)
            return (fl_slice){.ptr = rest.ptr + key.len + 1, .len = len - key.len - 1};
        size_t step = comma != NULL ? len + 1 : len;
        rest = (fl_slice){.ptr = rest.ptr + step, .len = rest.len - step};
    }
    return (fl_slice){0};
}

static bool was_used(const fl_timeline *t, const fl_metric_series *series)
{
    for (size_t w = 0; w < t->window_count; w++)
        if (series->values[w] > 0)
            return true;
    return false;
}

static bool edge_of(fl_topology_edge *out, const fl_timeline *t, const fl_metric_series *series)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (strncmp(series->name, pairs[i].metric, strlen(pairs[i].metric)) != 0)
            continue;
        out->caller = fl_service_find(t, label(series->attributes, pairs[i].caller));
        out->callee = fl_service_find(t, label(series->attributes, pairs[i].callee));
        if (out->caller != FL_NO_INDEX && out->callee != FL_NO_INDEX &&
            out->caller != out->callee && was_used(t, series))
            return true;
    }
    return false;
}

fl_status fl_tl_finish_edges(fl_timeline_builder *b, fl_error *err)
{
    fl_timeline *t = &b->timeline;
    fl_topology_edge *edges, edge;
    size_t count = 0;
    if (t->topology_count > 0)
        return FL_OK;
    for (size_t i = 0; i < t->metric_series_count; i++)
        count += edge_of(&edge, t, &t->metrics[i]);
    fl_status status = FL_TL_NEW(b, edges, count, "calls of the topology", err);
    if (status != FL_OK)
        return status;
    count = 0;
    for (size_t i = 0; i < t->metric_series_count; i++)
        if (edge_of(&edge, t, &t->metrics[i]))
            edges[count++] = edge;
    t->topology = edges;
    t->topology_count = fl_tl_distinct_edges(edges, count);
    return FL_OK;
}
