/*
 * cmd_graph_paths.c - graph paths: from symptoms to the causes that explained them and to what
 * fixed those, best first.
 */
#include <assert.h>

#include "cmd_graph.h"
#include "report_memory.h"
#include "slice.h"

enum { MOST_SIMILAR = 5 }; /* 'similar' tells more */

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
    fl_status status = fl_stored_symptoms(
        &symptoms, stored, call->args,
        &(fl_stored_asked){"graph paths wants --incident ID", call->as_of_ns}, err);
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
