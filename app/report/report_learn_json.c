/*
 * report_learn_json.c - proposals as schemas/json/proposals.schema.json says.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "json_put.h"
#include "report_learn.h"

enum { ID_TEXT = 17 };

/* The key is what the graph knows it by, the title what was written. */
static json_t *node_json(fl_put *w, const fl_graph_node *node)
{
    json_t *out = json_object();
    fl_put_text(w, out, "kind", fl_node_kind_name(node->kind));
    fl_put_text(w, out, "key", node->key);
    fl_put_text(w, out, "title", node->title);
    return out;
}

/* The members in the order of the schema. */
static json_t *proposal_json(fl_put *w, const fl_proposal *p)
{
    json_t *out = json_object();
    char id[ID_TEXT];
    assert(p->from.key != NULL && p->to.key != NULL);
    snprintf(id, sizeof(id), "%016" PRIx64, p->id);
    fl_put_text(w, out, "id", id);
    fl_put_text(w, out, "kind", fl_edge_kind_name(p->kind));
    fl_put_value(w, out, "from", node_json(w, &p->from));
    fl_put_value(w, out, "to", node_json(w, &p->to));
    fl_put_text(w, out, "qualifier", p->qualifier);
    fl_put_value(w, out, "supports", json_boolean(p->supports));
    fl_put_value(w, out, "hedged", json_boolean(p->is_hedged));
    fl_put_number(w, out, "weight",
                  fl_source_weight(p->is_hedged ? FL_SOURCE_HEDGED : FL_SOURCE_DOCUMENT));
    fl_put_text(w, out, "rule", p->rule);
    fl_put_text(w, out, "sentence", p->sentence);
    fl_put_text(w, out, "document", p->document);
    fl_put_count(w, out, "offset", p->offset);
    fl_put_text(w, out, "author", p->author);
    fl_put_text(w, out, "reference", p->reference);
    fl_put_moment(w, out, "at", p->at_ns);
    return out;
}

fl_status fl_report_learn_json(fl_buf *out, const fl_proposals *all, const fl_learn_run *run,
                               fl_error *err)
{
    fl_put w = {FL_OK};
    json_t *document = json_object(), *items = json_array();
    for (size_t i = 0; i < fl_proposals_count(all); i++)
        fl_put_item(&w, items, proposal_json(&w, fl_proposals_at(all, i)));
    fl_put_text(&w, document, "schema", "faultline.proposals/1");
    fl_put_text(&w, document, "state", run->is_dry ? "dry-run" : "kept");
    fl_put_count(&w, document, "files", run->files);
    fl_put_count(&w, document, "documents", run->documents);
    fl_put_count(&w, document, "failed", run->failed);
    fl_put_count(&w, document, "new", run->added.evidence);
    fl_put_value(&w, document, "proposals", items);
    return fl_put_document(out, &w, document, err);
}

fl_status fl_report_waiting_json(fl_buf *out, const fl_waiting_list *list, fl_error *err)
{
    assert(list->items != NULL || list->count == 0);
    fl_put w = {FL_OK};
    json_t *document = json_object(), *items = json_array();
    for (size_t i = 0; i < list->count; i++)
        fl_put_item(&w, items, proposal_json(&w, &list->items[i].proposal));
    fl_put_text(&w, document, "schema", "faultline.proposals/1");
    fl_put_text(&w, document, "state", "waiting");
    fl_put_value(&w, document, "proposals", items);
    return fl_put_document(out, &w, document, err);
}

fl_status fl_report_reviewed_json(fl_buf *out, const char *what, const fl_reviewed *reviewed,
                                  fl_error *err)
{
    assert(reviewed->from.key != NULL && reviewed->to.key != NULL);
    fl_put w = {FL_OK};
    json_t *document = json_object();
    fl_put_text(&w, document, "schema", "faultline.reviewed/1");
    fl_put_text(&w, document, "what", what);
    fl_put_text(&w, document, "kind", fl_edge_kind_name(reviewed->kind));
    fl_put_value(&w, document, "from", node_json(&w, &reviewed->from));
    fl_put_value(&w, document, "to", node_json(&w, &reviewed->to));
    fl_put_belief(&w, document, "before", &reviewed->before, reviewed->items_before);
    fl_put_belief(&w, document, "after", &reviewed->after, reviewed->items_after);
    return fl_put_document(out, &w, document, err);
}
