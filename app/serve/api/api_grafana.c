/*
 * api_grafana.c - incidents for Grafana: a data source in the protocol of its JSON data source
 * (simpod-json-datasource), and annotations as the older SimpleJson asks for them.
 *
 *   target        payload                            answer
 *   incidents     -                                  a table: those of the range of time
 *   hypotheses    {"incident": ID}                   a table: the ranking of one
 *   timeline      {"incident": ID, "lane": WORD}     series: the lanes of its picture
 *   annotations   -                                  a table: time, title, text, tags
 *
 * Grafana may add members at any time, so that those that are not known are passed over. Times are
 * milliseconds since the epoch.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api_priv.h"
#include "json_put.h"
#include "mem.h"
#include "report.h"
#include "report_picture.h"
#include "slice.h"
#include "timestamp.h"

enum {
    GRAFANA_ROWS = 1000,   /* of a table */
    GRAFANA_LANES = 50,    /* series of one answer: more no panel draws */
    GRAFANA_TARGETS = 26,  /* A to Z */
    GRAFANA_OPTIONS = 200, /* of a list to choose from */
    GRAFANA_TEXT = 512
};

/* What is asked for, in the arena; NULL: not said. */
typedef struct target {
    const char *name, *incident, *lane;
} target;

typedef struct question {
    int64_t from_ns, to_ns; /* a range that is not said is all time */
    target targets[GRAFANA_TARGETS];
    size_t target_count;
    const char *service, *state; /* of ad hoc filters */
    const char *option;          /* of /metric-payload-options and /tag-values */
    const char *wrong;           /* what a filter asks for that is not answered */
} question;

/* --- reading --- */

/* A text; NULL for what is none, which is passed over. */
static const char *read_text(fl_json *in)
{
    if (fl_json_peek(in) != FL_JSON_STRING) {
        fl_json_skip(in);
        return NULL;
    }
    return fl_arena_cstr(in->arena, fl_json_string(in));
}

/* A time that cannot be read is the caller's mistake. */
static void read_time(int64_t *out, fl_json *in, int64_t now_ns)
{
    fl_error why = {0};
    size_t at = in->pos;
    const char *text = read_text(in);
    if (text != NULL && fl_time_parse(out, fl_slice_of(text), now_ns, &why) != FL_OK)
        (void)fl_json_fail(in, at, "%s", why.message);
}

static void read_range(question *out, fl_json *in, int64_t now_ns)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("from")))
            read_time(&out->from_ns, in, now_ns);
        else if (fl_slice_equal(key, FL_SLICE("to")))
            read_time(&out->to_ns, in, now_ns);
        else
            fl_json_skip(in);
    }
}

/* "payload": an object, or nothing that says anything. */
static void read_payload(target *out, fl_json *in)
{
    fl_slice key;
    if (fl_json_peek(in) != FL_JSON_OBJECT) {
        fl_json_skip(in);
        return;
    }
    (void)fl_json_enter_object(in);
    while (fl_json_next_member(in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("incident")))
            out->incident = read_text(in);
        else if (fl_slice_equal(key, FL_SLICE("lane")))
            out->lane = read_text(in);
        else if (fl_slice_equal(key, FL_SLICE("target")))
            out->name = read_text(in);
        else
            fl_json_skip(in);
    }
}

static void read_target(target *out, fl_json *in)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("target")))
            out->name = read_text(in);
        else if (fl_slice_equal(key, FL_SLICE("payload")))
            read_payload(out, in);
        else
            fl_json_skip(in);
    }
}

static void read_targets(question *out, fl_json *in)
{
    if (!fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in)) {
        if (out->target_count == GRAFANA_TARGETS) {
            (void)fl_json_fail(in, in->pos, "more than %d targets", GRAFANA_TARGETS);
            return;
        }
        read_target(&out->targets[out->target_count++], in);
    }
}

/* A filter that is not answered would be the answer to another question. */
static void read_filter(question *out, fl_json *in)
{
    fl_slice member;
    const char *key = NULL, *value = NULL, *operation = "=";
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &member)) {
        if (fl_slice_equal(member, FL_SLICE("key")))
            key = read_text(in);
        else if (fl_slice_equal(member, FL_SLICE("value")))
            value = read_text(in);
        else if (fl_slice_equal(member, FL_SLICE("operator")))
            operation = read_text(in);
        else
            fl_json_skip(in);
    }
    if (key == NULL || operation == NULL || strcmp(operation, "=") != 0)
        out->wrong = "filters compare a key by '='";
    else if (strcmp(key, "service") == 0)
        out->service = value;
    else if (strcmp(key, "state") == 0)
        out->state = value;
    else
        out->wrong = "filters are of service or state";
}

static void read_filters(question *out, fl_json *in)
{
    if (fl_json_peek(in) != FL_JSON_ARRAY) {
        fl_json_skip(in);
        return;
    }
    (void)fl_json_enter_array(in);
    while (fl_json_next_element(in))
        read_filter(out, in);
}

/* All requests have one shape, of which each uses a part. */
static fl_status read_question(question *out, fl_api_call *call, fl_error *err)
{
    fl_json in = fl_json_over(call->request->body, &call->arena);
    fl_slice key;
    assert(out != NULL && call->store == NULL); /* nothing is asked before all is read */
    *out = (question){.to_ns = INT64_MAX};
    if (fl_json_enter_object(&in)) {
        while (fl_json_next_member(&in, &key)) {
            if (fl_slice_equal(key, FL_SLICE("range")))
                read_range(out, &in, call->now_ns);
            else if (fl_slice_equal(key, FL_SLICE("targets")))
                read_targets(out, &in);
            else if (fl_slice_equal(key, FL_SLICE("adhocFilters")))
                read_filters(out, &in);
            else if (fl_slice_equal(key, FL_SLICE("payload")))
                read_payload(&out->targets[0], &in);
            else if (fl_slice_equal(key, FL_SLICE("name")) || fl_slice_equal(key, FL_SLICE("key")))
                out->option = fl_arena_cstr(in.arena, fl_json_string(&in));
            else
                fl_json_skip(&in);
        }
    }
    fl_status status = fl_api_read_end(call, &in, err);
    if (status != FL_OK)
        return status;
    return out->wrong == NULL ? FL_OK : fl_api_refuse(call, 400, "%s", out->wrong);
}

/* --- rows of the list --- */

/* Makes a row of an incident in the range, or nothing. */
typedef void make_row(fl_put *put, json_t *list, const fl_store_row *row);

typedef struct rows {
    const question *asked;
    make_row *make;
    fl_put put;
    json_t *list;
} rows;

static json_t *milliseconds(int64_t time_ns)
{
    return json_integer(time_ns / FL_NS_PER_MS);
}

static fl_status take_row(const fl_store_row *row, void *payload, fl_error *err)
{
    rows *to = payload;
    if (row->at_ns < to->asked->from_ns || row->at_ns > to->asked->to_ns)
        return FL_OK;
    if (json_array_size(to->list) >= GRAFANA_ROWS)
        return fl_fail(err, FL_E_STOPPED, FL_NO_OFFSET, "enough rows");
    to->make(&to->put, to->list, row);
    return FL_OK;
}

/* An incident is stored after it happened: what was stored before the range is none of it. */
static fl_status find_rows(rows *out, fl_api_call *call, fl_error *err)
{
    fl_store *store;
    fl_error why = {0};
    const question *asked = out->asked;
    assert(out->make != NULL && out->list != NULL);
    const fl_store_question about = {.service = asked->service,
                                     .state = asked->state,
                                     .since_ns = asked->from_ns > 0 ? asked->from_ns : 0};
    fl_status status = fl_api_store(&store, call);
    if (status != FL_OK)
        return status;
    status = fl_store_find(store, &about, take_row, out, &why);
    return status == FL_OK || status == FL_E_STOPPED
               ? FL_OK
               : fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
}

/* --- tables --- */

static void add_column(fl_put *put, json_t *columns, const char *name, const char *type)
{
    json_t *column = json_object();
    fl_put_text(put, column, "text", name);
    fl_put_text(put, column, "type", type);
    fl_put_item(put, columns, column);
}

/* `columns` is names and types in turn, NULL at the end; takes `list`. */
static json_t *table_of(fl_put *put, const char *const *columns, json_t *list)
{
    json_t *table = json_object(), *heads = json_array();
    for (size_t i = 0; columns[i] != NULL; i += 2)
        add_column(put, heads, columns[i], columns[i + 1]);
    fl_put_text(put, table, "type", "table");
    fl_put_value(put, table, "columns", heads);
    fl_put_value(put, table, "rows", list);
    return table;
}

static json_t *number_of(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static const char *const incident_columns[] = {
    "Time",  "time",   "Incident", "string", "Service",     "string", "Cause", "string",
    "State", "string", "Verdict",  "string", "Probability", "number", NULL};

static void incident_row(fl_put *put, json_t *list, const fl_store_row *row)
{
    json_t *item = json_array();
    fl_put_item(put, item, milliseconds(row->at_ns));
    fl_put_item(put, item, fl_put_text_of(row->id));
    fl_put_item(put, item, fl_put_text_of(row->service));
    fl_put_item(put, item, fl_put_text_of(row->cause));
    fl_put_item(put, item, fl_put_text_of(row->state));
    fl_put_item(put, item, fl_put_text_of(row->verdict));
    fl_put_item(put, item, number_of(row->probability));
    fl_put_item(put, list, item);
}

/* "payment: exception, 99 %" */
static void title_of(char out[GRAFANA_TEXT], const fl_store_row *row)
{
    if (row->service == NULL || isnan(row->probability))
        (void)snprintf(out, GRAFANA_TEXT, "an incident without a cause that is known");
    else
        (void)snprintf(out, GRAFANA_TEXT, "%.300s: %.100s, %.0f %%", row->service,
                       row->cause != NULL ? row->cause : "unknown", 100 * row->probability);
}

static json_t *tags_of(fl_put *put, const fl_store_row *row)
{
    const char *const tags[] = {"faultline", row->service, row->cause, row->state};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (tags[i] != NULL)
            fl_put_item(put, list, fl_put_text_of(tags[i]));
    return list;
}

static const char *const annotation_columns[] = {
    "time", "time", "title", "string", "text", "string", "tags", "other", "id", "string", NULL};

static void annotation_row(fl_put *put, json_t *list, const fl_store_row *row)
{
    char title[GRAFANA_TEXT];
    json_t *item = json_array();
    title_of(title, row);
    fl_put_item(put, item, milliseconds(row->at_ns));
    fl_put_item(put, item, fl_put_text_of(title));
    fl_put_item(put, item, fl_put_text_of(row->id));
    fl_put_item(put, item, tags_of(put, row));
    fl_put_item(put, item, fl_put_text_of(row->id));
    fl_put_item(put, list, item);
}

/* The same as SimpleJson has it: an object each. */
static void annotation_object(fl_put *put, json_t *list, const fl_store_row *row)
{
    char title[GRAFANA_TEXT];
    json_t *item = json_object();
    title_of(title, row);
    fl_put_value(put, item, "time", milliseconds(row->at_ns));
    fl_put_text(put, item, "title", title);
    fl_put_text(put, item, "text", row->id);
    fl_put_value(put, item, "tags", tags_of(put, row));
    fl_put_item(put, list, item);
}

/* --- one incident --- */

static const char *const hypothesis_columns[] = {
    "Rank",   "number", "Probability", "number",   "Service", "string", "Cause",
    "string", "Locus",  "string",      "Evidence", "string",  NULL};

static fl_status tell_hypotheses(json_t **out, fl_put *put, fl_api_call *call, fl_error *err)
{
    const fl_incident *incident;
    json_t *list = json_array();
    fl_status status = fl_api_incident(&incident, call, err);
    for (size_t i = 0; status == FL_OK && i < incident->hypothesis_count; i++) {
        const fl_hypothesis *h = &incident->hypotheses[i];
        json_t *item = json_array();
        fl_put_item(put, item, json_integer((json_int_t)h->rank));
        fl_put_item(put, item, number_of(h->probability));
        fl_put_item(put, item, fl_put_text_of(h->service));
        fl_put_item(put, item, fl_put_text_of(fl_cause_name(h->cause)));
        fl_put_item(put, item, fl_put_text_of(h->locus_name));
        fl_put_item(put, item, fl_put_text_of(h->evidence_count > 0 ? h->evidence[0].text : NULL));
        fl_put_item(put, list, item);
    }
    *out = table_of(put, hypothesis_columns, list);
    return status;
}

/* Points of the range; what was not measured is left out. */
static json_t *series_of(fl_put *put, const fl_picture *picture, const fl_lane *lane,
                         const question *asked)
{
    char name[GRAFANA_TEXT];
    json_t *series = json_object(), *points = json_array();
    assert(picture->step_count == 0 || (lane->values != NULL && picture->step_ns > 0));
    (void)snprintf(name, sizeof(name), "%.200s %.250s [%.30s]",
                   lane->service != NULL ? lane->service : "-",
                   lane->name != NULL ? lane->name : "-", lane->unit != NULL ? lane->unit : "1");
    for (size_t i = 0; i < picture->step_count; i++) {
        int64_t at_ns = picture->from_ns + (int64_t)i * picture->step_ns;
        if (isnan(lane->values[i]) || at_ns < asked->from_ns || at_ns > asked->to_ns)
            continue;
        json_t *point = json_array();
        fl_put_item(put, point, number_of(lane->values[i]));
        fl_put_item(put, point, milliseconds(at_ns));
        fl_put_item(put, points, point);
    }
    fl_put_text(put, series, "target", name);
    fl_put_value(put, series, "datapoints", points);
    return series;
}

static bool is_of_lane(const fl_lane *lane, const char *word)
{
    return word == NULL || word[0] == '\0' ||
           (lane->service != NULL && strstr(lane->service, word) != NULL) ||
           (lane->name != NULL && strstr(lane->name, word) != NULL);
}

static fl_status tell_timeline(json_t *list, fl_put *put, const target *wanted,
                               const question *asked, fl_api_call *call, fl_error *err)
{
    const fl_picture *picture;
    size_t told = 0;
    fl_buf bytes = fl_buf_of(FL_MAX_PICTURE_BYTES);
    fl_status status = fl_api_picture(&bytes, call, err);
    if (status == FL_OK)
        status = fl_report_picture_load(&picture, &call->arena, fl_buf_slice(&bytes), err);
    fl_buf_dispose(&bytes);
    for (size_t i = 0; status == FL_OK && i < picture->lane_count && told < GRAFANA_LANES; i++) {
        if (!is_of_lane(&picture->lanes[i], wanted->lane))
            continue;
        fl_put_item(put, list, series_of(put, picture, &picture->lanes[i], asked));
        told++;
    }
    return status;
}

/* --- /query --- */

static fl_status tell_rows(json_t *list, fl_put *put, const target *wanted, const question *asked,
                           fl_api_call *call, fl_error *err)
{
    bool is_incidents = strcmp(wanted->name, "incidents") == 0;
    rows found = {
        .asked = asked, .make = is_incidents ? incident_row : annotation_row, .list = json_array()};
    fl_status status = find_rows(&found, call, err);
    if (found.put.status != FL_OK)
        put->status = found.put.status;
    fl_put_item(put, list,
                table_of(put, is_incidents ? incident_columns : annotation_columns, found.list));
    return status;
}

/* A panel whose query is not filled in yet asks for nothing. */
static fl_status tell_target(json_t *list, fl_put *put, const target *wanted, const question *asked,
                             fl_api_call *call, fl_error *err)
{
    json_t *table;
    if (wanted->name == NULL || wanted->name[0] == '\0')
        return FL_OK;
    if (strcmp(wanted->name, "incidents") == 0 || strcmp(wanted->name, "annotations") == 0)
        return tell_rows(list, put, wanted, asked, call, err);
    bool is_timeline = strcmp(wanted->name, "timeline") == 0;
    if (!is_timeline && strcmp(wanted->name, "hypotheses") != 0)
        return fl_api_refuse(call, 400,
                             "there is no target '%.40s'; known: incidents, hypotheses, timeline,"
                             " annotations",
                             wanted->name);
    if (wanted->incident == NULL || wanted->incident[0] == '\0')
        return fl_api_refuse(call, 400, "the payload of %s names an incident", wanted->name);
    call->id = wanted->incident;
    if (is_timeline)
        return tell_timeline(list, put, wanted, asked, call, err);
    fl_status status = tell_hypotheses(&table, put, call, err);
    fl_put_item(put, list, table);
    return status;
}

static fl_status end_list(fl_api_call *call, fl_put *put, json_t *list, fl_status status,
                          fl_error *err)
{
    if (status == FL_OK)
        return fl_put_document(&call->reply->body, put, list, err);
    json_decref(list);
    return status;
}

fl_status fl_api_grafana_query(fl_api_call *call, fl_error *err)
{
    question asked;
    fl_put put = {0};
    fl_status status = read_question(&asked, call, err);
    if (status != FL_OK)
        return status;
    json_t *list = json_array();
    for (size_t i = 0; status == FL_OK && i < asked.target_count; i++)
        status = tell_target(list, &put, &asked.targets[i], &asked, call, err);
    return end_list(call, &put, list, status, err);
}

fl_status fl_api_grafana_annotations(fl_api_call *call, fl_error *err)
{
    question asked;
    fl_status status = read_question(&asked, call, err);
    if (status != FL_OK)
        return status;
    rows found = {.asked = &asked, .make = annotation_object, .list = json_array()};
    status = find_rows(&found, call, err);
    return end_list(call, &found.put, found.list, status, err);
}

/* --- what there is to choose from --- */

static void add_pair(fl_put *put, json_t *list, const char *const keys[2],
                     const char *const values[2])
{
    json_t *item = json_object();
    for (size_t i = 0; i < 2; i++)
        fl_put_text(put, item, keys[i], values[i]);
    fl_put_item(put, list, item);
}

static const char *const option_keys[] = {"label", "value"};

/* An incident as a choice, with what it was. */
static void option_row(fl_put *put, json_t *list, const fl_store_row *row)
{
    char label[2 * GRAFANA_TEXT], title[GRAFANA_TEXT];
    if (json_array_size(list) >= GRAFANA_OPTIONS)
        return;
    title_of(title, row);
    (void)snprintf(label, sizeof(label), "%.80s  %s", row->id, title);
    add_pair(put, list, option_keys, (const char *const[]){label, row->id});
}

static void variable_row(fl_put *put, json_t *list, const fl_store_row *row)
{
    static const char *const keys[] = {"__text", "__value"};
    if (json_array_size(list) < GRAFANA_OPTIONS)
        add_pair(put, list, keys, (const char *const[]){row->id, row->id});
}

/* Services that incidents were laid to, each once. */
static void add_once(fl_put *put, json_t *list, const char *const *keys, size_t count,
                     const char *value)
{
    size_t i;
    json_t *known;
    assert(count > 0);
    if (value == NULL || json_array_size(list) >= GRAFANA_OPTIONS)
        return;
    json_array_foreach(list, i, known)
    {
        const char *other = json_string_value(json_object_get(known, keys[0]));
        if (other != NULL && strcmp(other, value) == 0)
            return;
    }
    json_t *item = json_object();
    for (i = 0; i < count; i++)
        fl_put_text(put, item, keys[i], value);
    fl_put_item(put, list, item);
}

static void service_variable_row(fl_put *put, json_t *list, const fl_store_row *row)
{
    static const char *const keys[] = {"__text", "__value"};
    add_once(put, list, keys, 2, row->service);
}

static void service_tag_row(fl_put *put, json_t *list, const fl_store_row *row)
{
    static const char *const keys[] = {"text"};
    add_once(put, list, keys, 1, row->service);
}

static fl_status choose(fl_api_call *call, const question *asked, make_row *make, fl_error *err)
{
    rows found = {.asked = asked, .make = make, .list = json_array()};
    fl_status status = find_rows(&found, call, err);
    return end_list(call, &found.put, found.list, status, err);
}

/* A static text is all there is to say. */
static fl_status say(fl_api_call *call, const char *text)
{
    assert(call->reply->body.len == 0);
    fl_buf_text(&call->reply->body, text);
    return FL_OK;
}

fl_status fl_api_grafana_test(fl_api_call *call, fl_error *err)
{
    (void)err;
    return say(call, "{\"status\": \"ok\"}\n");
}

/* What a query can ask for; the editor makes a form of it. */
fl_status fl_api_grafana_metrics(fl_api_call *call, fl_error *err)
{
    question asked;
    fl_status status = read_question(&asked, call, err);
    if (status != FL_OK)
        return status;
    return say(
        call, "[{\"label\": \"Incidents\", \"value\": \"incidents\", \"payloads\": []},\n"
              " {\"label\": \"Hypotheses of an incident\", \"value\": \"hypotheses\", \"payloads\":"
              " [{\"label\": \"Incident\", \"name\": \"incident\", \"type\": \"select\"}]},\n"
              " {\"label\": \"Timeline of an incident\", \"value\": \"timeline\", \"payloads\":"
              " [{\"label\": \"Incident\", \"name\": \"incident\", \"type\": \"select\"},"
              " {\"label\": \"Lanes with\", \"name\": \"lane\", \"type\": \"input\"}]},\n"
              " {\"label\": \"Annotations\", \"value\": \"annotations\", \"payloads\": []}]\n");
}

fl_status fl_api_grafana_options(fl_api_call *call, fl_error *err)
{
    question asked;
    fl_status status = read_question(&asked, call, err);
    if (status != FL_OK)
        return status;
    if (asked.option == NULL || strcmp(asked.option, "incident") != 0)
        return say(call, "[]\n");
    return choose(call, &asked, option_row, err);
}

fl_status fl_api_grafana_variable(fl_api_call *call, fl_error *err)
{
    question asked;
    fl_status status = read_question(&asked, call, err);
    const char *name = status == FL_OK ? asked.targets[0].name : NULL;
    if (status != FL_OK)
        return status;
    if (name != NULL && strcmp(name, "services") == 0)
        return choose(call, &asked, service_variable_row, err);
    if (name != NULL && strcmp(name, "incidents") == 0)
        return choose(call, &asked, variable_row, err);
    return fl_api_refuse(call, 400, "a variable is of incidents or services, and not '%.40s'",
                         name != NULL ? name : "");
}

fl_status fl_api_grafana_tag_keys(fl_api_call *call, fl_error *err)
{
    question asked;
    fl_status status = read_question(&asked, call, err);
    if (status != FL_OK)
        return status;
    return say(call, "[{\"type\": \"string\", \"text\": \"service\"},"
                     " {\"type\": \"string\", \"text\": \"state\"}]\n");
}

fl_status fl_api_grafana_tag_values(fl_api_call *call, fl_error *err)
{
    question asked;
    fl_status status = read_question(&asked, call, err);
    if (status != FL_OK)
        return status;
    if (asked.option != NULL && strcmp(asked.option, "state") == 0)
        return say(call,
                   "[{\"text\": \"open\"}, {\"text\": \"closed\"}, {\"text\": \"merged\"}]\n");
    if (asked.option != NULL && strcmp(asked.option, "service") == 0)
        return choose(call, &asked, service_tag_row, err);
    return say(call, "[]\n");
}
