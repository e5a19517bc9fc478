/*
 * report_memory_json.c - the same for programs.
 *
 * The documents have the members of their schemas, in that order; numbers have six decimals, as in
 * the triage's. jansson passes the NULL of a failed constructor on, so that one check at the end is
 * enough.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>

#include "json_put.h"
#include "report_graph_view.h"
#include "report_memory.h"
#include "timestamp.h"

static json_t *belief_json(const fl_confidence *c, size_t items)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "mean", c->mean, "low", c->low, "high", c->high, "n",
                     (json_int_t)items);
}

/* null for no time. */
static json_t *time_json(int64_t at_ns)
{
    char at[FL_TIME_TEXT];
    return at_ns != 0 ? json_string(fl_time_format(at, at_ns)) : json_null();
}

/* Takes the document. */
static fl_status dump(fl_buf *out, json_t *document, fl_error *err)
{
    bool failed = !fl_put_dump(out, document, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    fl_buf_char(out, '\n');
    json_decref(document);
    fl_status status = fl_buf_check(out, "the answer", err);
    if (status == FL_OK && failed)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the answer");
    return status;
}

/* NULL for want of memory, which a list that is too short shows. */
static json_t *checked(json_t *list, size_t count)
{
    if (json_array_size(list) == count)
        return list;
    json_decref(list);
    return NULL;
}

/* Every edge that the evidence is for, as the text has them. */
static json_t *moved_json(const fl_learnt *learnt)
{
    json_t *moved = json_array();
    for (size_t i = 0; i < learnt->count; i++) {
        const fl_moved *m = &learnt->moved[i];
        json_array_append_new(moved,
                              json_pack("{s:s, s:s, s:s, s:o, s:o}", "kind",
                                        fl_edge_kind_name(m->kind), "from", m->from, "to", m->to,
                                        "before", belief_json(&m->before, m->items_before), "after",
                                        belief_json(&m->after, m->items_after)));
    }
    return moved;
}

/* NaN and infinity have no JSON. */
static json_t *number_json(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Members are there in every state; what was not seen is null. */
static json_t *recheck_json(const fl_hypothesis *h, const fl_recheck *item)
{
    const fl_evidence *e = item->evidence;
    return json_pack("{s:s?, s:s, s:s, s:o, s:o, s:o, s:s?, s:s?}", "service", h->service, "cause",
                     fl_cause_name(h->cause), "state", fl_recheck_name(item->state), "before",
                     number_json(e != NULL ? e->baseline : NAN), "during",
                     number_json(e != NULL ? e->value : NAN), "after", number_json(item->after),
                     "unit", e != NULL ? e->unit : NULL, "query", e != NULL ? e->query : NULL);
}

/* null where nothing was asked again. */
static json_t *verified_json(const fl_incident *incident, const fl_verified *verified)
{
    json_t *items = json_array();
    if (verified == NULL) {
        json_decref(items);
        return json_null();
    }
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        if (fl_symptoms_telemetry_nats(&incident->hypotheses[i]) >= FL_SYMPTOM_NATS)
            json_array_append_new(items,
                                  recheck_json(&incident->hypotheses[i], &verified->items[i]));
    return json_pack("{s:s, s:o, s:o, s:o}", "verdict", fl_recheck_name(verified->verdict), "from",
                     time_json(verified->window.from_ns), "to", time_json(verified->window.to_ns),
                     "symptoms", items);
}

fl_status fl_report_learnt_json(fl_buf *out, const char *what, const fl_lesson *lesson,
                                const fl_learnt *learnt, const fl_verified *verified, fl_error *err)
{
    assert(lesson->incident != NULL && lesson->cause != NULL);
    json_t *because = json_pack(
        "{s:s, s:s, s:s, s:o, s:f, s:f}", "source", fl_source_name(lesson->source), "author",
        lesson->author, "incident", lesson->incident->id, "at", time_json(lesson->incident->at_ns),
        "weight", learnt->weight, "aged", learnt->aged);
    return dump(out,
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "schema",
                          "faultline.learnt/1", "incident", lesson->incident->id, "what", what,
                          "author", lesson->author, "cause", lesson->cause->title, "new",
                          learnt->added.evidence > 0, "because", because, "moved",
                          checked(moved_json(learnt), learnt->count), "verified",
                          verified_json(lesson->incident, verified)),
                err);
}

/* Best first, as the path has them. */
static json_t *fixes_json(const fl_path *path)
{
    json_t *fixes = json_array();
    for (size_t i = 0; i < path->fix_count; i++) {
        const fl_path_fix *fix = &path->fixes[i];
        json_array_append_new(fixes, json_pack("{s:s, s:o, s:o}", "fix", fix->title, "confidence",
                                               belief_json(&fix->confidence, fix->count), "last",
                                               time_json(fix->last_ns)));
    }
    return fixes;
}

/* All of them that are told: of their evidence the text shows a few items. */
static json_t *paths_json(const fl_memory *memory, const fl_path_rows *rows)
{
    json_t *paths = json_array();
    for (size_t i = 0; i < memory->path_count; i++) {
        const fl_path *path = &memory->paths[i];
        json_array_append_new(
            paths, json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:o}", "cause",
                             path->title, "confidence",
                             belief_json(&path->confidence, fl_path_items(path)), "shared_symptoms",
                             (json_int_t)path->shared, "supporting", (json_int_t)path->supporting,
                             "contradicting", (json_int_t)path->contradicting, "elsewhere",
                             (json_int_t)path->elsewhere, "automatic", (json_int_t)path->automatic,
                             "last", time_json(path->last_ns), "known_fixes",
                             (json_int_t)path->known_fixes, "fixes", fixes_json(path), "evidence",
                             fl_report_evidence_json(rows[i].items, rows[i].count)));
    }
    return paths;
}

/* Texts in the order in which they are told. */
static json_t *titles_json(const char *const *titles, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, json_string(titles[i]));
    return out;
}

/* Counts beside the overlap, and the symptoms, so that it can be understood. */
static json_t *similar_json(const fl_memory *memory)
{
    json_t *similar = json_array();
    for (size_t i = 0; i < memory->similar_count; i++) {
        const fl_similar *s = &memory->similar[i];
        json_array_append_new(
            similar, json_pack("{s:s, s:f, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "incident",
                               s->incident, "overlap", s->overlap, "shared", (json_int_t)s->shared,
                               "theirs", (json_int_t)s->theirs, "ours", (json_int_t)s->ours,
                               "in_common", titles_json(s->both, s->shared), "only_here",
                               titles_json(s->here, s->ours - s->shared), "only_there",
                               titles_json(s->there, s->there_count), "causes",
                               titles_json(s->causes, s->cause_count), "fixes",
                               titles_json(s->fixes, s->fix_count)));
    }
    return similar;
}

/* Keys and not titles: they can be asked for again. */
static json_t *keys_json(const fl_symptoms *symptoms)
{
    json_t *keys = json_array();
    assert(symptoms->nodes != NULL || symptoms->count == 0);
    for (size_t i = 0; i < symptoms->count; i++)
        json_array_append_new(keys, json_string(symptoms->nodes[i].key));
    return keys;
}

fl_status fl_report_memory_json(fl_buf *out, const fl_symptoms *symptoms, const fl_memory *memory,
                                const fl_path_rows *rows, fl_error *err)
{
    return dump(out,
                json_pack("{s:s, s:o, s:I, s:b, s:I, s:o, s:o}", "schema", "faultline.paths/1",
                          "symptoms", checked(keys_json(symptoms), symptoms->count), "seen",
                          (json_int_t)memory->seen, "cut", memory->cut, "known_causes",
                          (json_int_t)memory->causes, "paths",
                          checked(paths_json(memory, rows), memory->path_count), "similar",
                          checked(similar_json(memory), memory->similar_count)),
                err);
}

fl_status fl_report_similar_json(fl_buf *out, const fl_symptoms *symptoms, const fl_memory *memory,
                                 fl_error *err)
{
    return dump(out,
                json_pack("{s:s, s:o, s:I, s:b, s:o}", "schema", "faultline.similar/1", "symptoms",
                          checked(keys_json(symptoms), symptoms->count), "seen",
                          (json_int_t)memory->seen, "cut", memory->cut, "similar",
                          checked(similar_json(memory), memory->similar_count)),
                err);
}
