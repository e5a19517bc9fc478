/*
 * api_graph.c - what the graph knows: of an incident, of symptoms, of a service, of a node.
 *
 * Answers are those of 'faultline similar' and 'faultline graph', within a time: a hub with a
 * hundred thousand edges costs what the bounds let it cost, and the answer says that it was cut.
 */
#include <assert.h>
#include <string.h>

#include "api_priv.h"
#include "graph_find.h"
#include "graph_view.h"
#include "path_evidence.h"
#include "report_graph.h"
#include "report_graph_view.h"
#include "report_memory.h"
#include "service_symptoms.h"
#include "slice.h"
#include "timestamp.h"

enum { API_MOST_PATHS = 10, API_MOST_SIMILAR = 5, API_KNOWN_RETRY_S = 5 };
/* A page waits for it. */
static const int64_t graph_time_ns = 2 * FL_NS_PER_S;

/* --- of an incident --- */

/* Ages are counted to the incident, as its triage did. */
static fl_status ask_about_incident(fl_memory_question *out, fl_symptoms *symptoms,
                                    fl_api_call *call, fl_error *err)
{
    const fl_incident *incident;
    fl_status status = fl_api_incident(&incident, call, err);
    if (status != FL_OK)
        return status;
    out->symptoms = symptoms;
    out->self = incident->id;
    out->now_ns = call->now_ns;
    out->at_ns = incident->at_ns < call->now_ns ? incident->at_ns : call->now_ns;
    out->time_ns = graph_time_ns;
    return fl_symptoms_of(symptoms, incident, call->now_ns, &call->arena, err);
}

/* schemas/json/similar.schema.json */
fl_status fl_api_similar(fl_api_call *call, fl_error *err)
{
    static const size_t bounds[] = {1, 100};
    fl_symptoms symptoms;
    fl_memory memory;
    fl_store *store;
    fl_memory_question question = {.most_paths = 1, .most_fixes = 1}; /* not told here */
    fl_status status =
        fl_api_number(&question.most_similar, call, "limit", API_MOST_SIMILAR, bounds);
    if (status == FL_OK)
        status = ask_about_incident(&question, &symptoms, call, err);
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status == FL_OK)
        status = fl_memory_recall(&memory, store, &question, &call->arena, err);
    return status == FL_OK ? fl_report_similar_json(&call->reply->body, &symptoms, &memory, err)
                           : status;
}

/* What 'graph paths' answers; `question` has its symptoms and times. */
static fl_status tell_paths(fl_api_call *call, fl_memory_question *question, fl_error *err)
{
    fl_memory memory;
    fl_store *store;
    const fl_path_rows *rows;
    assert(question->symptoms != NULL);
    question->most_fixes = question->most_paths;
    question->most_similar = API_MOST_SIMILAR;
    question->time_ns = graph_time_ns;
    fl_status status = fl_api_store(&store, call);
    if (status == FL_OK)
        status = fl_memory_recall(&memory, store, question, &call->arena, err);
    if (status == FL_OK)
        status = fl_path_evidence(&rows, store, question, &memory, &call->arena, err);
    return status == FL_OK
               ? fl_report_memory_json(&call->reply->body, question->symptoms, &memory, rows, err)
               : status;
}

static fl_status read_most(size_t *out, fl_api_call *call)
{
    static const size_t bounds[] = {1, 100};
    return fl_api_number(out, call, "most", API_MOST_PATHS, bounds);
}

/* What 'graph paths --incident' answers. */
fl_status fl_api_paths(fl_api_call *call, fl_error *err)
{
    fl_symptoms symptoms;
    fl_memory_question question = {0};
    fl_status status = read_most(&question.most_paths, call);
    if (status == FL_OK)
        status = ask_about_incident(&question, &symptoms, call, err);
    return status == FL_OK ? tell_paths(call, &question, err) : status;
}

/* --- of symptoms, or of a service --- */

/* "symptom" as often as it is given. */
static fl_status name_symptoms(fl_symptoms *out, fl_api_call *call, fl_error *err)
{
    const fl_http_request *request = call->request;
    fl_graph_node *nodes = fl_arena_alloc(&call->arena, FL_MAX_SYMPTOMS, sizeof(*nodes));
    size_t count = 0;
    if (nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the symptoms");
    for (size_t i = 0; i < request->parameter_count; i++) {
        const char *key = request->parameters[i].value;
        if (strcmp(request->parameters[i].name, "symptom") != 0)
            continue;
        if (count == FL_MAX_SYMPTOMS || key[0] == '\0')
            return fl_api_refuse(call, 400, "symptom is a key that is not empty, up to %d times",
                                 FL_MAX_SYMPTOMS);
        nodes[count++] = (fl_graph_node){.id = fl_node_id(FL_NODE_SYMPTOM, fl_slice_of(key)),
                                         .kind = FL_NODE_SYMPTOM,
                                         .key = key,
                                         .recorded_ns = call->now_ns};
    }
    *out = (fl_symptoms){.nodes = nodes, .count = count};
    return FL_OK;
}

/* What 'graph paths' answers to --symptom or --service. */
fl_status fl_api_graph_paths(fl_api_call *call, fl_error *err)
{
    fl_symptoms symptoms;
    fl_store *store;
    fl_memory_question question = {.symptoms = &symptoms};
    const char *service = fl_http_query(call->request, "service");
    bool has_symptoms = fl_http_query(call->request, "symptom") != NULL;
    if (has_symptoms == (service != NULL))
        return fl_api_refuse(call, 400, "ask with service, or with symptom once or several times");
    fl_status status = read_most(&question.most_paths, call);
    if (status == FL_OK)
        status = fl_api_time(&question.now_ns, call, "as_of");
    if (status == FL_OK && has_symptoms)
        status = name_symptoms(&symptoms, call, err);
    else if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status == FL_OK && !has_symptoms)
        status = fl_service_symptoms(&symptoms, store, service, question.now_ns, &call->arena, err);
    return status == FL_OK ? tell_paths(call, &question, err) : status;
}

/* --- of a node --- */

/* The node that the parameter names, as it was known at `as_of_ns`. */
static fl_status find_node(fl_graph_node *out, int64_t *as_of_ns, fl_api_call *call, fl_error *err)
{
    fl_store *store;
    const char *word = fl_http_query(call->request, "node");
    if (word == NULL || word[0] == '\0')
        return fl_api_refuse(call, 400,
                             "node says which: kind:key, an id, or a beginning of a key");
    fl_status status = fl_api_time(as_of_ns, call, "as_of");
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status != FL_OK)
        return status;
    const fl_graph_find_question question = {
        .word = word, .as_of_ns = *as_of_ns, .time_ns = graph_time_ns};
    return fl_graph_find(out, store, &question, &call->arena, err);
}

/* Nodes by a word. */
fl_status fl_api_nodes(fl_api_call *call, fl_error *err)
{
    static const size_t bounds[] = {1, FL_SEARCH_MOST};
    fl_graph_found found;
    fl_store *store;
    fl_error why = {0};
    fl_graph_search_question question = {.word = fl_http_query(call->request, "q"),
                                         .kind = fl_http_query(call->request, "kind"),
                                         .time_ns = graph_time_ns};
    fl_status status = fl_api_number(&question.most, call, "limit", 50, bounds);
    if (status == FL_OK)
        status = fl_api_time(&question.as_of_ns, call, "as_of");
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status != FL_OK)
        return status;
    status = fl_graph_search(&found, store, &question, &call->arena, &why);
    if (status == FL_E_SYNTAX && question.kind != NULL)
        return fl_api_refuse(call, 400, "%s", why.message);
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
    return fl_report_nodes_json(&call->reply->body, &found, err);
}

/* Its edges with what each rests on: provenance. */
fl_status fl_api_provenance(fl_api_call *call, fl_error *err)
{
    fl_graph_node node;
    fl_graph_node_view view;
    int64_t as_of_ns;
    fl_status status = find_node(&node, &as_of_ns, call, err);
    if (status == FL_OK)
        status = fl_graph_view_node(&view, call->store, &node, as_of_ns, &call->arena, err);
    return status == FL_OK ? fl_report_node_json(&call->reply->body, &view, err) : status;
}

/* Fewer at most than the command takes: an answer is held in memory, and a page draws it. */
fl_status fl_api_neighbours(fl_api_call *call, fl_error *err)
{
    static const size_t depths[] = {0, FL_VIEW_MAX_DEPTH}, counts[] = {1, 10000};
    fl_graph_node node;
    fl_graph_around around;
    const char *rank = fl_http_query(call->request, "rank");
    fl_graph_around_question question = {.node = &node, .time_ns = graph_time_ns};
    if (rank != NULL && strcmp(rank, "true") != 0 && strcmp(rank, "false") != 0)
        return fl_api_refuse(call, 400, "rank is true or false, and not '%.40s'", rank);
    question.by_rank = rank != NULL && strcmp(rank, "true") == 0;
    fl_status status = fl_api_number(&question.depth, call, "depth", 2, depths);
    if (status == FL_OK)
        status = fl_api_number(&question.most, call, "limit", 200, counts);
    if (status == FL_OK)
        status = find_node(&node, &question.as_of_ns, call, err);
    if (status == FL_OK)
        status = fl_graph_view_around(&around, call->store, &question, &call->arena, err);
    return status == FL_OK ? fl_report_around_json(&call->reply->body, &around, err) : status;
}

/* --- of all --- */

static fl_status tell_known(fl_api_call *call, int64_t as_of_ns, fl_error *err)
{
    fl_graph_known_list known;
    fl_store *store;
    fl_status status = fl_api_store(&store, call);
    if (status == FL_OK)
        status = fl_graph_view_known(&known, store, as_of_ns, &call->arena, err);
    return status == FL_OK ? fl_report_known_json(&call->reply->body, &known, as_of_ns, err)
                           : status;
}

static fl_status tell_counts(fl_api_call *call, int64_t as_of_ns, fl_error *err)
{
    fl_store *store;
    fl_status status = fl_api_store(&store, call);
    return status == FL_OK ? fl_report_graph_stats_json(&call->reply->body, store, as_of_ns, err)
                           : status;
}

/* Reads all of the graph once, however long that takes: for a person who looks, and not for a
 * screen that asks every second. One at a time, whatever is asked of it, so that no more than one
 * connection and one worker are kept by it. */
static fl_status read_whole(fl_api_call *call,
                            fl_status (*tell)(fl_api_call *, int64_t as_of_ns, fl_error *),
                            fl_error *err)
{
    int64_t as_of_ns;
    fl_status status = fl_api_time(&as_of_ns, call, "as_of");
    if (status != FL_OK)
        return status;
    if (atomic_exchange(&call->api->is_read_whole, true)) {
        call->reply->retry_after_s = API_KNOWN_RETRY_S;
        return fl_api_refuse(call, 503, "somebody reads the whole graph already");
    }
    status = tell(call, as_of_ns, err);
    atomic_store(&call->api->is_read_whole, false);
    return status;
}

fl_status fl_api_known(fl_api_call *call, fl_error *err)
{
    return read_whole(call, tell_known, err);
}

/* schemas/json/graph-stats.schema.json */
fl_status fl_api_graph_stats(fl_api_call *call, fl_error *err)
{
    return read_whole(call, tell_counts, err);
}
