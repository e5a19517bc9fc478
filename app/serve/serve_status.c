/*
 * serve_status.c - how the daemon is, as one document (schemas/json/status.schema.json).
 */
#include <assert.h>

#include "json_put.h"
#include "serve_priv.h"
#include "timestamp.h"

static json_t *listeners_of(fl_put *w, const fl_serve *serve)
{
    json_t *list = json_array();
    for (size_t i = 0; i < serve->address_count; i++) {
        json_t *one = json_object();
        fl_put_text(w, one, "address", serve->addresses[i].text);
        fl_put_count(w, one, "port", serve->addresses[i].port);
        fl_put_item(w, list, one);
    }
    return list;
}

static json_t *http_of(fl_put *w, fl_http *http)
{
    fl_http_stats s = fl_http_stats_of(http);
    json_t *object = json_object(), *refused = json_object();
    fl_put_count(w, object, "connections", s.connections);
    fl_put_count(w, object, "requests", s.requests);
    fl_put_count(w, object, "answers_ok", s.answers[2]);
    fl_put_count(w, object, "answers_refused", s.answers[4]);
    fl_put_count(w, object, "answers_failed", s.answers[5]);
    fl_put_count(w, object, "body_bytes", s.body_bytes);
    fl_put_count(w, object, "memory_bytes", s.budget_used_bytes);
    fl_put_count(w, object, "memory_limit_bytes", s.budget_bytes);
    fl_put_count(w, object, "queued", s.workers.queued);
    for (size_t i = 0; i < FL_HTTP_REFUSALS; i++)
        fl_put_count(w, refused, fl_http_refusal_names[i], s.refused[i]);
    fl_put_value(w, object, "refused", refused);
    return object;
}

fl_status fl_serve_status(fl_serve *serve, fl_buf *out, fl_error *err)
{
    assert(serve != NULL && out != NULL);
    fl_put w = {0};
    json_t *document = json_object();
    fl_put_text(&w, document, "schema", "faultline.status/1");
    fl_put_text(&w, document, "version", serve->options.version);
    fl_put_text(&w, document, "state", fl_serve_state_name((fl_serve_state)serve->state));
    fl_put_time(&w, document, "started", serve->started_ns);
    fl_put_number(&w, document, "uptime_s",
                  (double)((fl_time_now() - serve->started_ns) / FL_NS_PER_MS) / 1e3);
    fl_put_value(&w, document, "listeners", listeners_of(&w, serve));
    fl_put_value(&w, document, "http", http_of(&w, serve->http));
    return fl_put_document(out, &w, document, err);
}
