/*
 * report_recommend_json.c - advice as schemas/json/recommendation.schema.json describes it.
 *
 * Numbers have six decimals, members the order of the schema: the same graph and file give the same
 * bytes. Texts are as the graph has them; quoting them for a page is up to who shows them.
 */
#include <assert.h>

#include "json_put.h"
#include "report_recommend.h"
#include "report_recommend_priv.h"
#include "slice.h"

enum { MAX_EXPRESSION_BYTES = 64 << 10 };

/* null for no text. */
static json_t *slice_json(fl_slice text)
{
    return text.len > 0 ? json_stringn((const char *)text.ptr, text.len) : json_null();
}

/* In their order. */
static json_t *texts_json(fl_put *w, const char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        fl_put_item(w, list, fl_put_text_of(texts[i]));
    return list;
}

/* What was required, and what the service has. */
static json_t *gate_json(fl_put *w, const fl_recommend_gate *gate)
{
    json_t *object = json_object();
    fl_put_text(w, object, "kind", gate->is_component ? "component" : "config");
    fl_put_text(w, object, "name", gate->name);
    fl_put_text(w, object, "gate", gate->gate);
    fl_put_text(w, object, "found", gate->found);
    return object;
}

/* All that the page shows, and what it leaves out. */
static json_t *path_json(fl_put *w, const fl_recommend_path *path)
{
    json_t *object = json_object(), *gates = json_array();
    fl_put_text(w, object, "cause", path->key);
    fl_put_text(w, object, "title", path->title);
    fl_put_text(w, object, "why", path->why);
    for (size_t i = 0; i < path->gate_count; i++)
        fl_put_item(w, gates, gate_json(w, &path->gates[i]));
    fl_put_value(w, object, "requires", gates);
    fl_put_value(w, object, "symptoms", texts_json(w, path->symptoms, path->symptom_count));
    fl_put_value(w, object, "references", texts_json(w, path->references, path->reference_count));
    fl_put_belief(w, object, "confidence", &path->confidence,
                  path->supporting + path->contradicting);
    fl_put_count(w, object, "incidents", path->incidents);
    fl_put_value(w, object, "curated", json_boolean(path->curated));
    fl_put_value(w, object, "own", json_boolean(path->own));
    return object;
}

/* The expression as it would be run; null for what is no alert. */
static json_t *expression_json(fl_put *w, const fl_recommendation *item, const fl_service *service)
{
    if (item->words.kind != FL_ADVICE_ALERT)
        return json_null();
    fl_buf line = fl_buf_of(MAX_EXPRESSION_BYTES);
    fl_recommend_expression(&line, item, service);
    json_t *text = fl_put_text_of(line.ptr);
    if (line.status != FL_OK && w->status == FL_OK)
        w->status = line.status;
    fl_buf_dispose(&line);
    return text;
}

/* An alert has an expression in place of a value. */
static json_t *item_json(fl_put *w, const fl_recommendation *item, const fl_service *service)
{
    json_t *object = json_object(), *paths = json_array();
    bool is_alert = item->words.kind == FL_ADVICE_ALERT;
    fl_put_text(w, object, "kind", fl_advice_kind_name(item->words.kind));
    fl_put_text(w, object, "text", item->text);
    fl_put_value(w, object, "name", slice_json(item->words.name));
    fl_put_value(w, object, "value", is_alert ? json_null() : slice_json(item->words.value));
    fl_put_value(w, object, "expression", expression_json(w, item, service));
    fl_put_value(w, object, "for", slice_json(item->words.duration));
    fl_put_text(w, object, "now", item->now);
    fl_put_belief(w, object, "confidence", &item->confidence, item->evidence);
    fl_put_count(w, object, "would_have_prevented", item->prevented);
    fl_put_value(w, object, "plans", texts_json(w, item->plans, item->plan_count));
    for (size_t i = 0; i < item->path_count; i++)
        fl_put_item(w, paths, path_json(w, &item->paths[i]));
    fl_put_value(w, object, "paths", paths);
    return object;
}

fl_status fl_report_recommend_json(fl_buf *out, const fl_recommend_shown *shown, fl_error *err)
{
    assert(shown->service != NULL && shown->advice != NULL);
    const fl_recommended *advice = shown->advice;
    fl_put w = {FL_OK};
    json_t *document = json_object(), *items = json_array(), *unsure = json_array();
    json_t *risks = json_array();
    fl_put_text(&w, document, "schema", "faultline.recommendation/1");
    fl_put_text(&w, document, "service", shown->service->name);
    fl_put_count(&w, document, "causes", advice->causes);
    fl_put_count(&w, document, "followed_already", advice->met);
    fl_put_value(&w, document, "cut", json_boolean(advice->cut));
    for (size_t i = 0; i < advice->count; i++)
        fl_put_item(&w, items, item_json(&w, &advice->items[i], shown->service));
    fl_put_value(&w, document, "recommendations", items);
    for (size_t i = 0; i < advice->risk_count; i++)
        fl_put_item(&w, risks, path_json(&w, &advice->risks[i]));
    fl_put_value(&w, document, "risks", risks);
    for (size_t i = 0; i < advice->unsure_count; i++) {
        json_t *one = json_object();
        fl_put_text(&w, one, "cause", advice->unsure[i].cause);
        fl_put_value(&w, one, "requires", gate_json(&w, &advice->unsure[i].gate));
        fl_put_item(&w, unsure, one);
    }
    fl_put_value(&w, document, "unsure", unsure);
    return fl_put_document(out, &w, document, err);
}
