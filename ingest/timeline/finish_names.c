/*
 * finish_names.c - from numbers in order of appearance to numbers in order of text.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "slice.h"
#include "timeline_priv.h"

/* A thing to sort: up to three texts, then the raw number they belong to. */
struct keyed {
    const char *text[3];
    uint32_t raw;
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = 0;
    for (size_t i = 0; i < 3 && order == 0; i++)
        order = strcmp(a->text[i], b->text[i]);
    return order;
}

/* Interned texts as C strings of the timeline; which of them are services is not known yet. */
static fl_status spell_symbols(fl_timeline_builder *b, struct ranks *ranks, fl_error *err)
{
    size_t count = fl_intern_count(b->names);
    fl_status status = FL_TL_NEW(b, ranks->text, count, "names", err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, ranks->service, count, "services", err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        ranks->text[i] = fl_arena_cstr(&b->arena, fl_intern_text(b->names, (fl_sym)i));
        ranks->service[i] = FL_NO_INDEX;
        if (ranks->text[i] == NULL)
            status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu names", count);
    }
    return status;
}

/* Services are what entities and given edges name. */
static fl_status rank_services(fl_timeline_builder *b, struct ranks *ranks,
                               const fl_sym *edge_names, size_t edge_name_count, fl_error *err)
{
    struct keyed *sorted;
    const char **services;
    size_t most = b->entity_count + edge_name_count, count = 0;
    fl_status status = FL_TL_NEW(b, sorted, most, "services", err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, services, most, "services", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < most; i++) {
        fl_sym sym = i < b->entity_count ? b->entities[i].service : edge_names[i - b->entity_count];
        if (sym == FL_NO_INDEX || ranks->service[sym] != FL_NO_INDEX)
            continue;
        ranks->service[sym] = 0;
        sorted[count++] = (struct keyed){.text = {ranks->text[sym], "", ""}, .raw = sym};
    }
    qsort(sorted, count, sizeof(*sorted), compare_keyed);
    for (size_t i = 0; i < count; i++) {
        services[i] = sorted[i].text[0];
        ranks->service[sorted[i].raw] = (uint32_t)i;
    }
    b->timeline.services = services;
    b->timeline.service_count = count;
    return FL_OK;
}

static const char *or_null(const char *text)
{
    assert(text != NULL);
    return text[0] != '\0' ? text : NULL;
}

/* By service, then instance: an entity's number says nothing of when it was first heard of. */
static fl_status rank_entities(fl_timeline_builder *b, struct ranks *ranks, fl_error *err)
{
    struct keyed *sorted;
    fl_entity *entities;
    fl_status status = FL_TL_NEW(b, sorted, b->entity_count, "entities", err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, entities, b->entity_count, "entities", err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, ranks->entity, b->entity_count, "entities", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < b->entity_count; i++) {
        const struct raw_entity *e = &b->entities[i];
        sorted[i] = (struct keyed){
            .text = {ranks->text[e->service], ranks->text[e->instance], ranks->text[e->node]},
            .raw = (uint32_t)i};
    }
    qsort(sorted, b->entity_count, sizeof(*sorted), compare_keyed);
    for (size_t i = 0; i < b->entity_count; i++) {
        const struct raw_entity *e = &b->entities[sorted[i].raw];
        entities[i] = (fl_entity){.service = ranks->service[e->service],
                                  .instance = or_null(sorted[i].text[1]),
                                  .node = or_null(sorted[i].text[2])};
        ranks->entity[sorted[i].raw] = (uint32_t)i;
    }
    b->timeline.entities = entities;
    b->timeline.entity_count = b->entity_count;
    return FL_OK;
}

/* The named operations, then for each service the one for spans that only logs tell of. */
static fl_status rank_operations(fl_timeline_builder *b, struct ranks *ranks, fl_error *err)
{
    struct keyed *sorted;
    fl_operation *operations;
    size_t services = b->timeline.service_count;
    fl_status status = FL_TL_NEW(b, sorted, b->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, operations, b->operation_count + services, "operations", err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, ranks->operation, b->operation_count, "operations", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < b->operation_count; i++)
        sorted[i] = (struct keyed){
            .text = {ranks->text[b->operations[i].service], ranks->text[b->operations[i].name], ""},
            .raw = (uint32_t)i};
    qsort(sorted, b->operation_count, sizeof(*sorted), compare_keyed);
    for (size_t i = 0; i < b->operation_count; i++) {
        const struct raw_operation *op = &b->operations[sorted[i].raw];
        operations[i] =
            (fl_operation){.service = ranks->service[op->service], .name = sorted[i].text[1]};
        ranks->operation[sorted[i].raw] = (uint32_t)i;
    }
    for (size_t i = 0; i < services; i++)
        operations[b->operation_count + i] = (fl_operation){.service = (uint32_t)i};
    b->timeline.operations = operations;
    b->timeline.operation_count = b->operation_count + services;
    return FL_OK;
}

/* Every step in which anything was recorded, in the order of time. */
static fl_status list_windows(fl_timeline_builder *b, fl_error *err)
{
    int64_t *steps, step_ns = b->options.step_ns;
    fl_window *windows;
    fl_status status = fl_tl_settle_steps(&steps, b, err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, windows, b->window_count, "windows", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < b->window_count; i++) {
        int64_t from = b->options.at_ns + steps[i] * step_ns;
        windows[i] = (fl_window){
            .from_ns = from, .to_ns = from + step_ns, .incident = fl_tl_is_incident(b, from)};
    }
    b->sorted_windows = windows;
    b->timeline.windows = windows;
    b->timeline.window_count = b->window_count;
    return FL_OK;
}

static int compare_edges(const void *left, const void *right)
{
    const fl_topology_edge *a = left, *b = right;
    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    return (a->callee > b->callee) - (a->callee < b->callee);
}

size_t fl_tl_distinct_edges(fl_topology_edge *edges, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(edges, count, sizeof(*edges), compare_edges);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_edges(&edges[kept - 1], &edges[i]) != 0)
            edges[kept++] = edges[i];
    return kept;
}

static fl_status rank_topology(fl_timeline_builder *b, const struct ranks *ranks,
                               const fl_sym *edge_names, size_t edge_count, fl_error *err)
{
    fl_topology_edge *edges;
    size_t count = 0;
    fl_status status = FL_TL_NEW(b, edges, edge_count, "calls of the topology", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < edge_count; i++)
        if (edge_names[2 * i] != FL_NO_INDEX && edge_names[2 * i + 1] != FL_NO_INDEX)
            edges[count++] = (fl_topology_edge){.caller = ranks->service[edge_names[2 * i]],
                                                .callee = ranks->service[edge_names[2 * i + 1]]};
    b->timeline.topology = edges;
    b->timeline.topology_count = fl_tl_distinct_edges(edges, count);
    return FL_OK;
}

fl_status fl_tl_finish_names(fl_timeline_builder *b, struct ranks *ranks, const char *const *edges,
                             size_t edge_count, fl_error *err)
{
    fl_sym *edge_names;
    fl_status status = FL_TL_NEW(b, edge_names, 2 * edge_count, "calls of the topology", err);
    for (size_t i = 0; i < 2 * edge_count && status == FL_OK; i++)
        status = fl_tl_name(&edge_names[i], b, fl_slice_of(edges[i]), err);
    if (status == FL_OK)
        status = spell_symbols(b, ranks, err);
    if (status == FL_OK)
        status = rank_services(b, ranks, edge_names, 2 * edge_count, err);
    if (status == FL_OK)
        status = rank_entities(b, ranks, err);
    if (status == FL_OK)
        status = rank_operations(b, ranks, err);
    if (status == FL_OK)
        status = list_windows(b, err);
    return status == FL_OK ? rank_topology(b, ranks, edge_names, edge_count, err) : status;
}
