/*
 * serve_status.c - how the daemon is, as one document (schemas/json/status.schema.json).
 */
#include <assert.h>
#include <math.h>

#include "json_put.h"
#include "serve_priv.h"
#include "timestamp.h"

enum { RATE_PERIOD_S = 10 };

/* Where it can be reached, with the ports that the system chose. */
static json_t *listeners_of(fl_put *w, const fl_serve *serve)
{
    json_t *list = json_array();
    for (size_t i = 0; i < serve->listener_count; i++) {
        json_t *one = json_object();
        fl_put_text(w, one, "address", serve->listeners[i].address);
        fl_put_count(w, one, "port", serve->listeners[i].port);
        fl_put_text(w, one, "protocol", serve->listeners[i].is_grpc ? "grpc" : "http");
        fl_put_item(w, list, one);
    }
    return list;
}

/* Requests before anybody looked at what they hold. */
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

static uint64_t records_of(const fl_receive_counts *counts)
{
    uint64_t records = 0;
    for (size_t i = 0; i < FL_ARCHIVE_KIND_COUNT; i++)
        records += counts->records[i];
    return records;
}

/* Over ten seconds: exporters send every five to ten. */
void fl_serve_count_rates(fl_serve *serve, int64_t now_ns)
{
    fl_serve_rates *rates = &serve->rates;
    int64_t passed_ns = now_ns - rates->since_ns;
    if (passed_ns < RATE_PERIOD_S * FL_NS_PER_S)
        return;
    const fl_receive_stats s = fl_receive_stats_of(serve->receive);
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++) {
        uint64_t records = records_of(&s.by[p]);
        rates->per_s[p] = (double)(records - rates->before[p]) * 1e9 / (double)passed_ns;
        rates->before[p] = records;
    }
    rates->since_ns = now_ns;
}

/* Only protocols that somebody spoke. */
static json_t *receive_of(fl_put *w, fl_serve *serve)
{
    const fl_receive_stats s = fl_receive_stats_of(serve->receive);
    json_t *list = json_array();
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++) {
        const fl_receive_counts *c = &s.by[p];
        uint64_t refused = 0, lost = 0;
        for (size_t i = 0; i < FL_RECEIVE_REFUSALS; i++)
            refused += c->refused[i];
        for (size_t i = 0; i < FL_RECEIVE_LOSSES; i++)
            lost += c->lost[i];
        if (c->requests == 0)
            continue;
        json_t *one = json_object();
        fl_put_text(w, one, "protocol", fl_receive_protocol_name((fl_receive_protocol)p));
        fl_put_count(w, one, "requests", c->requests);
        fl_put_count(w, one, "refused", refused);
        fl_put_count(w, one, "repeated", c->repeated);
        fl_put_count(w, one, "records", records_of(c));
        fl_put_count(w, one, "lost", lost);
        fl_put_count(w, one, "late", c->late);
        fl_put_count(w, one, "profiles", c->profiles);
        fl_put_count(w, one, "bytes", c->bytes);
        fl_put_number(w, one, "records_per_s", serve->rates.per_s[p]);
        fl_put_item(w, list, one);
    }
    return list;
}

/* What is kept, and where it lies at the moment. */
static json_t *archive_of(fl_put *w, fl_archive *archive)
{
    const fl_archive_stats s = fl_archive_stats_of(archive);
    json_t *object = json_object(), *records = json_object();
    for (size_t k = 0; k < FL_ARCHIVE_KIND_COUNT; k++)
        fl_put_count(w, records, fl_archive_kind_name((fl_archive_kind)k), s.records[k]);
    fl_put_value(w, object, "records", records);
    fl_put_count(w, object, "batches", s.batches);
    fl_put_count(w, object, "refused", s.refused_memory + s.refused_disk + s.refused_other);
    fl_put_count(w, object, "head_bytes", s.head_bytes + s.sealing_bytes);
    fl_put_count(w, object, "wal_bytes", s.wal_bytes);
    fl_put_count(w, object, "blocks", s.blocks);
    fl_put_count(w, object, "block_bytes", s.block_bytes);
    fl_put_count(w, object, "block_records", s.block_records);
    fl_put_count(w, object, "kept_profiles", s.profiles);
    fl_put_count(w, object, "profile_bytes", s.profile_bytes);
    fl_put_moment(w, object, "oldest", s.oldest_ns);
    return object;
}

typedef struct open_list {
    fl_put *w;
    json_t *list;
} open_list;

/* Within the incidents' lock: it only copies. */
static void put_open(void *payload, const fl_incidents_open *open)
{
    const open_list *to = payload;
    json_t *one = json_object();
    fl_put_text(to->w, one, "id", open->id);
    fl_put_text(to->w, one, "state", "open");
    fl_put_text(to->w, one, "service", open->trouble_at);
    fl_put_time(to->w, one, "since", open->onset_ns);
    fl_put_time(to->w, one, "opened", open->opened_ns);
    fl_put_text(to->w, one, "verdict", open->verdict);
    fl_put_text(to->w, one, "cause", open->cause);
    fl_put_text(to->w, one, "cause_service", open->service);
    fl_put_number(to->w, one, "probability", open->cause != NULL ? open->probability : NAN);
    fl_put_count(to->w, one, "signs", open->signs);
    fl_put_count(to->w, one, "signs_lasting", open->signs_lasting);
    fl_put_item(to->w, to->list, one);
}

/* What is open, and how much of the past the watch knows. */
static json_t *incidents_of(fl_put *w, fl_incidents *incidents)
{
    enum { MOST = 100 };
    const fl_incidents_stats s = fl_incidents_stats_of(incidents);
    json_t *object = json_object(), *past = json_object();
    open_list to = {.w = w, .list = json_array()};
    size_t open = fl_incidents_visit(incidents, MOST, put_open, &to);
    fl_put_count(w, object, "open_total", open);
    fl_put_value(w, object, "open", to.list);
    fl_put_count(w, object, "closed", s.closed);
    fl_put_count(w, object, "merged", s.merged);
    fl_put_count(w, object, "signs_refused", s.signs_refused);
    fl_put_value(w, past, "is_reading", json_boolean(s.is_refilling));
    fl_put_moment(w, past, "from", s.refilled_from_ns);
    fl_put_number(w, past, "took_s", (double)(s.refill_ns / FL_NS_PER_MS) / 1e3);
    fl_put_count(w, past, "records", s.refilled_records);
    fl_put_value(w, object, "past", past);
    return object;
}

/* Null where it is not read. */
static json_t *kafka_of(fl_put *w, fl_kafka *kafka)
{
    if (kafka == NULL)
        return json_null();
    const fl_kafka_stats s = fl_kafka_stats_of(kafka);
    json_t *object = json_object();
    fl_put_count(w, object, "partitions", s.partitions);
    fl_put_count(w, object, "messages", s.messages);
    fl_put_count(w, object, "taken", s.taken);
    fl_put_count(w, object, "refused", s.refused);
    fl_put_count(w, object, "retries", s.retries);
    fl_put_count(w, object, "commit_failures", s.commit_failures);
    fl_put_count(w, object, "errors", s.errors);
    return object;
}

fl_status fl_serve_status(fl_serve *serve, fl_buf *out, fl_error *err)
{
    assert(serve != NULL && out != NULL);
    fl_put w = {0};
    json_t *document = json_object();
    int64_t now_ns = fl_time_now();
    fl_put_text(&w, document, "schema", "faultline.status/1");
    fl_put_text(&w, document, "version", serve->options.version);
    fl_put_text(&w, document, "state", fl_serve_state_name((fl_serve_state)serve->state));
    fl_put_time(&w, document, "now", now_ns);
    fl_put_time(&w, document, "started", serve->started_ns);
    fl_put_number(&w, document, "uptime_s",
                  (double)((now_ns - serve->started_ns) / FL_NS_PER_MS) / 1e3);
    fl_put_value(&w, document, "listeners", listeners_of(&w, serve));
    fl_put_value(&w, document, "http", http_of(&w, serve->http));
    fl_put_value(&w, document, "receive",
                 serve->receive != NULL ? receive_of(&w, serve) : json_array());
    fl_put_value(&w, document, "archive",
                 serve->archive != NULL ? archive_of(&w, serve->archive) : json_null());
    fl_incidents *incidents = serve->incidents;
    fl_put_value(&w, document, "incidents",
                 incidents != NULL ? incidents_of(&w, incidents) : json_null());
    fl_put_value(&w, document, "kafka", kafka_of(&w, serve->kafka));
    return fl_put_document(out, &w, document, err);
}
