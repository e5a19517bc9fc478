/*
 * postmortem.c - from a document of the store to a draft.
 *
 * The graph is asked as it is asked for 'graph paths': what it knew without this incident, so that
 * a draft does not cite itself.
 */
#include "postmortem.h"

#include <assert.h>

#include "graph_store.h"
#include "mem.h"
#include "postmortem_priv.h"
#include "report.h"
#include "report_picture.h"
#include "slice.h"

enum {
    MAX_DRAFT_BYTES = 64 << 20, /* texts of all rows, of which there are at most some hundreds */
    MAX_INPUT_BYTES = 256 << 20 /* the incident, its picture and what is recalled */
};

/* One arena for all texts of the draft, gone when it is written. */
fl_status fl_postmortem_write(fl_buf *out, const fl_postmortem_input *input,
                              const fl_postmortem_options *options, fl_error *err)
{
    assert(out != NULL && input->incident != NULL);
    fl_arena arena = fl_arena_of(MAX_DRAFT_BYTES);
    pm_draft draft;
    bool is_json = options->format == FL_POSTMORTEM_JSON;
    if (is_json && options->template.ptr != NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "a template is for markdown and html: json has its schema");
    fl_status status = fl_pm_draft(&draft, input, &arena, err);
    if (status == FL_OK)
        status = is_json ? fl_pm_json(out, &draft, err) : fl_pm_fill(out, &draft, options, err);
    if (status == FL_OK && draft.is_full)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a postmortem");
    fl_arena_dispose(&arena);
    return status;
}

/* None is kept of incidents of before there were pictures. */
static fl_status find_picture(const fl_picture **out, fl_store *store, const char *id,
                              fl_arena *arena, fl_error *err)
{
    char *text = NULL;
    fl_error own = {0};
    fl_status status = fl_store_get_picture(store, id, &text, &own);
    *out = NULL;
    if (status == FL_E_NOTFOUND)
        return FL_OK;
    if (status != FL_OK)
        return fl_fail(err, status, own.offset, "%s", own.message);
    status = fl_report_picture_load(out, arena, fl_slice_of(text), err);
    fl_mem_free(text);
    return status;
}

static fl_status ask_graph(fl_memory *out, fl_store *store, const fl_incident *incident,
                           int64_t now_ns, fl_arena *arena, fl_error *err)
{
    fl_symptoms symptoms;
    fl_status status = fl_symptoms_of(&symptoms, incident, now_ns, arena, err);
    const fl_memory_question question = {.symptoms = &symptoms,
                                         .self = incident->id,
                                         .others_only = true,
                                         .now_ns = now_ns,
                                         .at_ns = incident->at_ns,
                                         .most_paths = 5,
                                         .most_fixes = 3,
                                         .most_similar = 5};
    return status == FL_OK ? fl_memory_recall(out, store, &question, arena, err) : status;
}

/* The first that a person, and not a triage, said of what it was. */
static fl_status take_diagnosis(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    int64_t *said_ns = payload;
    (void)err;
    if (edge->kind == FL_EDGE_DIAGNOSED_AS && (*said_ns == 0 || edge->recorded_ns < *said_ns))
        *said_ns = edge->recorded_ns;
    return FL_OK;
}

static fl_status find_said(int64_t *said_ns, fl_store *store, const char *id, fl_error *err)
{
    const fl_graph_question question = {.scope = FL_GRAPH_OUT,
                                        .id = fl_node_id(FL_NODE_INCIDENT, fl_slice_of(id)),
                                        .as_of_ns = FL_GRAPH_NOW};
    *said_ns = 0;
    return fl_graph_edges(store, &question, take_diagnosis, said_ns, err);
}

/* The picture's id is the document's own, whatever beginning was asked for. */
fl_status fl_postmortem_of(fl_buf *out, fl_store *store, const char *document,
                           const fl_postmortem_options *options, int64_t now_ns, fl_error *err)
{
    assert(store != NULL && document != NULL);
    fl_arena arena = fl_arena_of(MAX_INPUT_BYTES);
    fl_memory memory;
    fl_postmortem_input input = {.document = document, .memory = &memory};
    fl_status status = fl_report_load(&input.incident, &arena, fl_slice_of(document), err);
    if (status == FL_OK)
        status = find_picture(&input.picture, store, input.incident->id, &arena, err);
    if (status == FL_OK)
        status = ask_graph(&memory, store, input.incident, now_ns, &arena, err);
    if (status == FL_OK)
        status = find_said(&input.said_ns, store, input.incident->id, err);
    if (status == FL_OK)
        status = fl_postmortem_write(out, &input, options, err);
    fl_arena_dispose(&arena);
    return status;
}
