/*
 * cmd_graph_paths.c - graph paths: from symptoms to the causes that explained them and to what
 * fixed those, best first, with what that rests on; graph as-of: the same, or what the graph was
 * surest of, as it was known at a time.
 */
#include <assert.h>
#include <string.h>

#include "cmd_graph.h"
#include "graph_questions.h"
#include "report_graph_view.h"
#include "report_memory.h"
#include "service_symptoms.h"
#include "slice.h"
#include "timestamp.h"

enum { MOST_SIMILAR = 5, FIRST_ROWS = 5 }; /* 'similar' tells more; the JSON answer has all rows */

/* One of the three ways to ask, and not two: which of them was meant could not be told. */
static fl_status check_asked(const fl_args *args, fl_error *err)
{
    int ways =
        fl_args_has(args, "incident") + fl_args_has(args, "symptom") + fl_args_has(args, "service");
    if (ways > 1)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph paths takes one of --incident, --service and --symptom");
    return FL_OK;
}

/* The symptoms of a stored incident, those of a service's incidents, or those that were named. */
static fl_status find_symptoms(fl_symptoms *out, fl_graph_call *call, fl_error *err)
{
    fl_stored *stored = &call->stored;
    const char *service = fl_args_text(call->args, "service");
    const fl_stored_asked asked = {"graph paths wants --incident ID, --service NAME",
                                   call->as_of_ns};
    fl_status status = check_asked(call->args, err);
    if (status != FL_OK)
        return status;
    return service != NULL ? fl_service_symptoms(out, stored->store, service, call->as_of_ns,
                                                 &stored->arena, err)
                           : fl_stored_symptoms(out, stored, call->args, &asked, err);
}

/* Paths first, what they rest on below them: the first screen is the answer. */
static fl_status write_paths(fl_graph_call *call, const fl_memory_question *question,
                             const fl_memory *memory, fl_error *err)
{
    const fl_path_rows *rows;
    const fl_report_style *style = &call->cli->style;
    fl_status status =
        fl_path_evidence(&rows, call->stored.store, question, memory, &call->stored.arena, err);
    if (status == FL_OK && fl_graph_wants(call, "json"))
        return fl_report_memory_json(&call->out, question->symptoms, memory, rows, err);
    if (status == FL_OK)
        status = fl_report_memory_text(&call->out, memory, style, err);
    if (status == FL_OK)
        status = fl_report_path_rows_text(&call->out, memory, rows, FIRST_ROWS, style, err);
    return status;
}

/* Answers are documents, one a line: no other format has them. */
static fl_status answer_stdin(fl_graph_call *call, fl_error *err)
{
    const fl_args *args = call->args;
    if (strcmp(args->more[0], "-") != 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph paths takes nothing behind it but '-', not '%.40s'", args->more[0]);
    if (fl_args_has(args, "incident") || fl_args_has(args, "symptom") ||
        fl_args_has(args, "service"))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph paths - is asked by its input, without --incident, --service and"
                       " --symptom");
    if (fl_args_has(args, "format") && fl_graph_wants(call, "text"))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "graph paths - answers as JSON only");
    return fl_graph_answer_questions(call, err);
}

/* Ages are counted to the incident, as the triage of it did, or to an earlier time that is named.
 */
static fl_status run_paths(fl_graph_call *call, fl_error *err)
{
    fl_symptoms symptoms;
    fl_memory memory;
    fl_stored *stored = &call->stored;
    const fl_incident *incident = stored->incident;
    fl_memory_question question = {.symptoms = &symptoms,
                                   .now_ns = call->as_of_ns,
                                   .most_paths = (size_t)fl_args_count(call->args, "most"),
                                   .most_fixes = (size_t)fl_args_count(call->args, "most"),
                                   .most_similar = MOST_SIMILAR,
                                   .time_ns = fl_args_duration(call->args, "time-limit")};
    assert(stored->store != NULL);
    fl_status status = find_symptoms(&symptoms, call, err);
    if (incident != NULL) {
        question.self = incident->id;
        question.at_ns = incident->at_ns < call->as_of_ns ? incident->at_ns : call->as_of_ns;
    }
    if (status == FL_OK)
        status = fl_memory_recall(&memory, stored->store, &question, &stored->arena, err);
    return status == FL_OK ? write_paths(call, &question, &memory, err) : status;
}

static fl_status run_one_or_many(fl_graph_call *call, fl_error *err)
{
    return call->args->more_count > 0 ? answer_stdin(call, err) : run_paths(call, err);
}

/* The time stands behind the action; where something is asked for, its paths are the answer. */
static fl_status run_as_of(fl_graph_call *call, fl_error *err)
{
    fl_graph_known_list known;
    const fl_args *args = call->args;
    assert(args->more_count == 1);
    if (fl_args_has(args, "as-of"))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "graph as-of takes its time behind it, and no --as-of");
    fl_status status =
        fl_time_parse(&call->as_of_ns, fl_slice_of(args->more[0]), call->cli->now_ns, err);
    if (status != FL_OK)
        return status;
    if (fl_args_has(args, "incident") || fl_args_has(args, "symptom") ||
        fl_args_has(args, "service"))
        return run_paths(call, err);
    status =
        fl_graph_view_known(&known, call->stored.store, call->as_of_ns, &call->stored.arena, err);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json")
               ? fl_report_known_json(&call->out, &known, call->as_of_ns, err)
               : fl_report_known_text(&call->out, &known, &call->cli->style, err);
}

const fl_graph_action fl_graph_action_paths = {
    .about = {.name = "paths",
              .operands = "[-]",
              .help = "causes and fixes that the graph knows for the symptoms of an --incident, of"
                      " a --service's incidents, or named by --symptom: best first, with what that"
                      " rests on; with '-', questions on standard input, a JSON object a line"
                      " ({\"symptoms\": [KEY, ...]}, {\"incident\": ID} or {\"service\": NAME}),"
                      " each answered by a line from the graph in memory"},
    .formats = fl_graph_text_json,
    .most = 1,
    .run = run_one_or_many,
};

const fl_graph_action fl_graph_action_as_of = {
    .about = {.name = "as-of",
              .operands = "TIME",
              .help = "what was known then: what the graph was surest of, or the paths that are"
                      " asked for as 'paths' does; evidence of later is left out, and ages are"
                      " counted to TIME"},
    .formats = fl_graph_text_json,
    .least = 1,
    .most = 1,
    .run = run_as_of,
};
