/*
 * service_symptoms.c - from the list of incidents to their nodes, and over their edges to symptoms.
 */
#include "service_symptoms.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edits.h"
#include "graph_find.h"
#include "quote.h"
#include "slice.h"

enum { MAX_SEEN = 4096 }; /* distinct symptoms; a service that shows more is beyond telling */

typedef struct seen {
    uint64_t symptom;
    size_t incidents;
} seen;

typedef struct gathering {
    const char *service;
    int64_t as_of_ns;
    uint64_t incidents[FL_MAX_SERVICE_INCIDENTS];
    size_t incident_count;
    char nearest[FL_MAX_EDITS_WORD + 1];
    size_t nearest_edits;
    seen symptoms[MAX_SEEN];
    size_t symptom_count;
    fl_graph_node *nodes;
    fl_arena *arena;
} gathering;

/* A name that is mistyped is near to one that is listed. */
static void compare(gathering *g, const char *service)
{
    fl_slice given = fl_slice_of(g->service), other = fl_slice_of(service);
    size_t edits = fl_edits(given, other);
    if (edits >= g->nearest_edits ||
        edits > fl_edits_most(given.len > other.len ? given.len : other.len))
        return;
    g->nearest_edits = edits;
    snprintf(g->nearest, sizeof(g->nearest), "%s", service);
}

/* The list is newest first. */
static fl_status take_incident(const fl_store_row *row, void *payload, fl_error *err)
{
    gathering *g = payload;
    (void)err;
    if (row->service == NULL || row->stored_ns > g->as_of_ns)
        return FL_OK;
    if (strcmp(row->service, g->service) != 0)
        compare(g, row->service);
    else if (g->incident_count < FL_MAX_SERVICE_INCIDENTS)
        g->incidents[g->incident_count++] = fl_node_id(FL_NODE_INCIDENT, fl_slice_of(row->id));
    return FL_OK;
}

/* How many of the service's incidents show a symptom. An incident leads to other things than
 * symptoms, too: to what it was diagnosed as. */
static fl_status take_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    gathering *g = payload;
    size_t i = 0;
    (void)err;
    if (edge->kind != FL_EDGE_EXHIBITS)
        return FL_OK;
    while (i < g->symptom_count && g->symptoms[i].symptom != edge->to)
        i++;
    if (i == MAX_SEEN)
        return FL_OK;
    if (i == g->symptom_count)
        g->symptoms[g->symptom_count++] = (seen){.symptom = edge->to};
    g->symptoms[i].incidents++;
    return FL_OK;
}

/* What most incidents show first; ids settle a tie. */
static int by_incidents(const void *a, const void *b)
{
    const seen *x = a, *y = b;
    if (x->incidents != y->incidents)
        return x->incidents > y->incidents ? -1 : 1;
    return (x->symptom > y->symptom) - (x->symptom < y->symptom);
}

/* In the order of the symptoms, not of the ids. */
static fl_status take_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    gathering *g = payload;
    size_t i = 0;
    while (g->symptoms[i].symptom != node->id) {
        i++;
        assert(i < g->symptom_count);
    }
    return fl_graph_node_copy(&g->nodes[i], node, g->arena, err);
}

/* A service that is called by others but never blamed has no incidents of its own: that is said,
 * and not answered with nothing. */
static fl_status fail_none(const gathering *g, fl_error *err)
{
    char service[FL_QUOTE_TEXT], nearest[FL_QUOTE_TEXT];
    (void)fl_quote(service, fl_slice_of(g->service));
    if (g->nearest[0] == '\0')
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "no incident of service '%s' is stored",
                       service);
    return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                   "no incident of service '%.60s' is stored; did you mean '%.60s'?", service,
                   fl_quote(nearest, fl_slice_of(g->nearest)));
}

/* An incident that shows nothing beyond the gate has no symptoms: the answer is then empty. */
static fl_status read_symptoms(fl_symptoms *out, gathering *g, fl_store *store, fl_error *err)
{
    uint64_t ids[FL_MAX_SYMPTOMS];
    fl_graph_question question = {.scope = FL_GRAPH_OUT,
                                  .as_of_ns = g->as_of_ns,
                                  .ids = g->incidents,
                                  .id_count = fl_graph_sort_ids(g->incidents, g->incident_count)};
    fl_status status = fl_graph_edges(store, &question, take_edge, g, err);
    qsort(g->symptoms, g->symptom_count, sizeof(*g->symptoms), by_incidents);
    if (g->symptom_count > FL_MAX_SYMPTOMS)
        g->symptom_count = FL_MAX_SYMPTOMS;
    for (size_t i = 0; i < g->symptom_count; i++)
        ids[i] = g->symptoms[i].symptom;
    question.scope = FL_GRAPH_ONE;
    question.ids = ids;
    question.id_count = fl_graph_sort_ids(ids, g->symptom_count);
    if (status == FL_OK && g->symptom_count > 0)
        status = fl_graph_nodes(store, &question, take_node, g, err);
    *out = (fl_symptoms){.nodes = g->nodes, .count = g->symptom_count};
    return status;
}

/* The work space is some 70 KB, which is the arena's and not the stack's. */
fl_status fl_service_symptoms(fl_symptoms *out, fl_store *store, const char *service,
                              int64_t as_of_ns, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && store != NULL && service != NULL);
    gathering *g = fl_arena_alloc(arena, 1, sizeof(*g));
    fl_graph_node *nodes = fl_arena_alloc(arena, FL_MAX_SYMPTOMS, sizeof(*nodes));
    if (g == NULL || nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the symptoms");
    g->service = service;
    g->as_of_ns = as_of_ns;
    g->nearest_edits = SIZE_MAX;
    g->nodes = nodes;
    g->arena = arena;
    fl_status status = fl_store_list(store, 0, take_incident, g, err);
    if (status != FL_OK)
        return status;
    return g->incident_count > 0 ? read_symptoms(out, g, store, err) : fail_none(g, err);
}
