/*
 * postmortem_json.c - the draft for programs (schemas/json/postmortem.schema.json): its rows, and
 * the figures and times behind the words.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>

#include "json_put.h"
#include "postmortem_priv.h"
#include "timestamp.h"

/* As in the other formats, a row says where it comes from. */
static json_t *row_of(fl_put *w, const pm_row *row)
{
    json_t *object = json_object();
    assert(row->id != NULL && row->text != NULL);
    fl_put_text(w, object, "id", row->id);
    fl_put_moment(w, object, "at", row->at_ns);
    fl_put_text(w, object, "service", row->service);
    fl_put_text(w, object, "lead", row->lead);
    fl_put_text(w, object, "text", row->text);
    fl_put_text(w, object, "source", row->source);
    if (row->path_count > 0)
        fl_put_path(w, object, "path", row->path, row->path_count);
    return object;
}

/* One object with a list for each section, in the order in which they are read. */
static json_t *sections_of(fl_put *w, const pm_draft *draft)
{
    json_t *object = json_object();
    for (size_t s = 0; s < PM_SECTIONS; s++) {
        json_t *rows = json_array();
        for (size_t i = 0; i < draft->sections[s].count; i++)
            fl_put_item(w, rows, row_of(w, &draft->sections[s].items[i]));
        fl_put_value(w, object, fl_pm_section_name((pm_section)s), rows);
    }
    return object;
}

/* What the sentences of the impact are made of. */
static json_t *impact_of(fl_put *w, const pm_facts *facts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < facts->impact_count; i++) {
        const pm_impact *impact = &facts->impacts[i];
        json_t *object = json_object();
        assert(impact->to_ns > impact->from_ns);
        fl_put_text(w, object, "service", impact->service);
        fl_put_time(w, object, "from", impact->from_ns);
        fl_put_time(w, object, "to", impact->to_ns);
        fl_put_value(w, object, "over", json_boolean(impact->is_over));
        fl_put_number(w, object, "requests", impact->requests);
        fl_put_number(w, object, "failed", impact->failed);
        fl_put_number(w, object, "share", impact->share);
        fl_put_number(w, object, "slowest_ms", impact->slowest_ms);
        fl_put_number(w, object, "usual_ms", impact->usual_ms);
        fl_put_item(w, list, object);
    }
    return list;
}

/* null where one of the two is not known. */
static void put_span(fl_put *w, json_t *object, const char *key, int64_t from_ns, int64_t to_ns)
{
    bool is_known = from_ns != 0 && to_ns != 0;
    fl_put_number(w, object, key,
                  is_known ? fmax((double)(to_ns - from_ns) / (double)FL_NS_PER_S, 0) : NAN);
}

/* Nothing of the telemetry tells when somebody took it on: that is null where nobody has named a
 * cause while it lasted. */
static json_t *response_of(fl_put *w, const pm_facts *facts)
{
    json_t *object = json_object();
    fl_put_moment(w, object, "began", facts->began.at_ns);
    fl_put_moment(w, object, "detected", facts->detected_ns);
    fl_put_moment(w, object, "acknowledged", facts->acknowledged_ns);
    fl_put_moment(w, object, "mitigated", facts->mitigated_ns);
    put_span(w, object, "ttd_s", facts->began.at_ns, facts->detected_ns);
    put_span(w, object, "tta_s", facts->began.at_ns, facts->acknowledged_ns);
    put_span(w, object, "ttm_s", facts->began.at_ns, facts->mitigated_ns);
    return object;
}

fl_status fl_pm_json(fl_buf *out, const pm_draft *draft, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *object = json_object();
    fl_put_value(&w, object, "schema", json_string_nocheck("faultline.postmortem/1"));
    fl_put_text(&w, object, "incident", draft->in->incident->id);
    fl_put_text(&w, object, "title", draft->title);
    fl_put_time(&w, object, "at", draft->in->incident->at_ns);
    fl_put_value(&w, object, "response", response_of(&w, &draft->facts));
    fl_put_value(&w, object, "impact", impact_of(&w, &draft->facts));
    fl_put_value(&w, object, "sections", sections_of(&w, draft));
    return fl_put_document(out, &w, object, err);
}
