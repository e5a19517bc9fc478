/*
 * cmd_graph_paths.c - graph paths: from symptoms to the causes that explained them and to what
 * fixed those, best first.
 */
#include <assert.h>

#include "cmd_graph.h"
#include "report_memory.h"
#include "slice.h"

enum { MOST_SIMILAR = 5 }; /* 'similar' tells more */

/* The symptoms that --symptom names, as they stand. */
static fl_status symptoms_said(fl_symptoms *out, fl_graph_call *call, fl_error *err)
{
    const char *given[FL_MAX_GIVEN];
    size_t count = fl_args_list(call->args, "symptom", given);
    fl_graph_node *nodes = fl_arena_alloc(&call->stored.arena, FL_MAX_SYMPTOMS, sizeof(*nodes));
    if (nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the symptoms");
    if (count == 0 || count > FL_MAX_SYMPTOMS)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph paths wants --incident ID, or --symptom KEY up to %d times",
                       FL_MAX_SYMPTOMS);
    for (size_t i = 0; i < count; i++)
        nodes[i] = (fl_graph_node){.id = fl_node_id(FL_NODE_SYMPTOM, fl_slice_of(given[i])),
                                   .kind = FL_NODE_SYMPTOM,
                                   .key = given[i],
                                   .recorded_ns = call->as_of_ns};
    *out = (fl_symptoms){.nodes = nodes, .count = count};
    return FL_OK;
}

/* The symptoms of a stored incident, or those that were named. */
static fl_status run(fl_graph_call *call, fl_error *err)
{
    fl_symptoms symptoms;
    fl_memory memory;
    fl_stored *stored = &call->stored;
    const fl_incident *incident = stored->incident;
    fl_memory_question question = {
        .symptoms = &symptoms, .now_ns = call->as_of_ns, .most_similar = MOST_SIMILAR};
    assert(stored->store != NULL);
    fl_status status =
        incident != NULL ? fl_symptoms_of(&symptoms, incident, call->as_of_ns, &stored->arena, err)
                         : symptoms_said(&symptoms, call, err);
    if (incident != NULL) {
        question.self = incident->id;
        question.at_ns = incident->at_ns < call->as_of_ns ? incident->at_ns : call->as_of_ns;
    }
    if (status == FL_OK)
        status = fl_memory_recall(&memory, stored->store, &question, &stored->arena, err);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json")
               ? fl_report_memory_json(&call->out, &symptoms, &memory, err)
               : fl_report_memory_text(&call->out, &memory, &call->cli->style, err);
}

const fl_graph_action fl_graph_action_paths = {
    .about = {.name = "paths",
              .help = "causes and fixes that the graph knows for symptoms, best first"},
    .formats = fl_graph_text_json,
    .run = run,
};
