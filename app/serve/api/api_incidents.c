/*
 * api_incidents.c - the list of incidents, one of them, and parts of one.
 *
 * A part is cut out of the document as it is kept: what the report wrote is not written twice.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api_priv.h"
#include "json_put.h"
#include "mem.h"
#include "number.h"
#include "postmortem.h"
#include "report.h"
#include "slice.h"

/* --- the list --- */

/* Where the next page begins: behind this row. STORED_NS.ID; opaque to who gives it back. */
typedef struct cursor {
    int64_t stored_ns;
    const char *id;
} cursor;

typedef struct listing {
    fl_put put;
    json_t *list;
    size_t most;
    bool has_more;
    int64_t last_ns;
    char last_id[256];
} listing;

/* As `faultline incidents --format json` has it. One row more than is told is asked for. */
static fl_status list_row(const fl_store_row *row, void *payload, fl_error *err)
{
    listing *to = payload;
    if (json_array_size(to->list) == to->most) {
        to->has_more = true;
        return FL_OK;
    }
    json_t *item = json_object();
    fl_put_text(&to->put, item, "id", row->id);
    fl_put_time(&to->put, item, "at", row->at_ns);
    fl_put_time(&to->put, item, "stored", row->stored_ns);
    fl_put_text(&to->put, item, "verdict", row->verdict);
    fl_put_text(&to->put, item, "service", row->service);
    fl_put_text(&to->put, item, "cause", row->cause);
    fl_put_number(&to->put, item, "probability", row->probability);
    fl_put_text(&to->put, item, "state", row->state);
    fl_put_item(&to->put, to->list, item);
    to->last_ns = row->stored_ns;
    (void)snprintf(to->last_id, sizeof(to->last_id), "%s", row->id);
    return to->put.status == FL_OK
               ? FL_OK
               : fl_fail(err, to->put.status, FL_NO_OFFSET, "out of memory while listing");
}

/* A cursor that somebody made up names a place as well: nothing is found there that he may not see.
 */
static bool read_cursor(cursor *out, const char *text)
{
    size_t digits = strcspn(text, ".");
    if (text[digits] != '.' || text[digits + 1] == '\0' || text[0] == '-')
        return false;
    out->id = text + digits + 1;
    return fl_parse_i64(fl_slice_part(fl_slice_of(text), 0, digits), &out->stored_ns);
}

/* The parameters as a question to the store. */
static fl_status read_question(fl_store_question *out, fl_api_call *call)
{
    static const size_t bounds[] = {1, 1000};
    size_t limit;
    cursor from;
    const char *state = fl_http_query(call->request, "state");
    const char *given = fl_http_query(call->request, "cursor");
    fl_status status = fl_api_number(&limit, call, "limit", 50, bounds);
    if (status != FL_OK)
        return status;
    if (state != NULL && strcmp(state, "open") != 0 && strcmp(state, "closed") != 0 &&
        strcmp(state, "merged") != 0)
        return fl_api_refuse(call, 400, "state is open, closed or merged, and not '%.40s'", state);
    *out = (fl_store_question){
        .limit = limit + 1, .state = state, .service = fl_http_query(call->request, "service")};
    if (given != NULL) {
        if (!read_cursor(&from, given))
            return fl_api_refuse(call, 400, "cursor is what the last answer called next");
        out->behind_id = from.id;
        out->behind_ns = from.stored_ns;
    }
    return FL_OK;
}

/* An incident that was opened within the last second may not be listed yet: it has its page. */
fl_status fl_api_incidents(fl_api_call *call, fl_error *err)
{
    fl_store *store;
    fl_store_question question;
    char next[300];
    fl_status status = read_question(&question, call);
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status != FL_OK)
        return status;
    listing to = {.list = json_array(), .most = question.limit - 1};
    status = fl_store_find(store, &question, list_row, &to, err);
    json_t *document = json_object();
    (void)snprintf(next, sizeof(next), "%lld.%s", (long long)to.last_ns, to.last_id);
    fl_put_text(&to.put, document, "schema", "faultline.incidents/1");
    fl_put_value(&to.put, document, "incidents", to.list);
    fl_put_text(&to.put, document, "next", to.has_more ? next : NULL);
    if (status == FL_OK)
        return fl_put_document(&call->reply->body, &to.put, document, err);
    json_decref(document);
    return status;
}

/* --- one --- */

/* A store is asked for only where memory does not know it: open incidents are shown without one. */
fl_status fl_api_document(fl_buf *out, fl_api_call *call, fl_error *err)
{
    fl_store *store;
    char *document = NULL;
    const fl_api_options *options = &call->api->options;
    assert(call->id != NULL);
    call->is_live = options->page != NULL && options->page(options->payload, call->id, out);
    if (call->is_live)
        return fl_buf_check(out, "the page", err);
    fl_status status = fl_api_store(&store, call);
    if (status == FL_OK)
        status = fl_store_get(store, call->id, &document, err);
    if (status == FL_OK)
        fl_buf_text(out, document);
    fl_mem_free(document);
    return status == FL_OK ? fl_buf_check(out, "the page", err) : status;
}

fl_status fl_api_incident(const fl_incident **out, fl_api_call *call, fl_error *err)
{
    fl_buf document = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_api_document(&document, call, err);
    if (status == FL_OK)
        status = fl_report_load(out, &call->arena, fl_buf_slice(&document), err);
    fl_buf_dispose(&document);
    return status;
}

/* Byte for byte as it was written: what is signed or compared elsewhere stays the same. */
fl_status fl_api_one(fl_api_call *call, fl_error *err)
{
    return fl_api_document(&call->reply->body, call, err);
}

/* --- parts of one --- */

/* The document as values, which the caller releases; its id and its hypotheses, borrowed. */
typedef struct parts {
    json_t *root;
    const json_t *id, *verdict, *hypotheses;
} parts;

/* A document of ours has both; one that has not was damaged. */
static fl_status take_apart(parts *out, fl_api_call *call, fl_error *err)
{
    fl_buf document = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    *out = (parts){0};
    fl_status status = fl_api_document(&document, call, err);
    if (status == FL_OK)
        out->root = json_loadb(document.ptr, document.len, 0, NULL);
    fl_buf_dispose(&document);
    if (status != FL_OK)
        return status;
    out->id = json_object_get(json_object_get(out->root, "incident"), "id");
    out->verdict = json_object_get(out->root, "verdict");
    out->hypotheses = json_object_get(out->root, "hypotheses");
    if (json_is_string(out->id) && json_is_array(out->hypotheses))
        return FL_OK;
    json_decref(out->root);
    out->root = NULL;
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "the stored document of %.64s cannot be read",
                   call->id);
}

/* jansson counts references: what is put stays the document's as well. */
static void put_shared(fl_put *put, json_t *object, const char *key, const json_t *value)
{
    fl_put_value(put, object, key, json_deep_copy(value));
}

/* Hypotheses of schemas/openapi.yaml. */
fl_status fl_api_hypotheses(fl_api_call *call, fl_error *err)
{
    parts in;
    fl_put put = {0};
    fl_status status = take_apart(&in, call, err);
    if (status != FL_OK)
        return status;
    json_t *document = json_object();
    fl_put_text(&put, document, "schema", "faultline.hypotheses/1");
    put_shared(&put, document, "incident", in.id);
    put_shared(&put, document, "verdict", in.verdict);
    put_shared(&put, document, "hypotheses", in.hypotheses);
    json_decref(in.root);
    return fl_put_document(&call->reply->body, &put, document, err);
}

/* Rows of one hypothesis, each with what it speaks about. `number` counts as 'show' lists them. */
static void add_evidence(fl_put *put, json_t *list, const json_t *hypothesis, size_t number)
{
    const json_t *rows = json_object_get(hypothesis, "evidence");
    json_t *row;
    size_t i;
    assert(number > 0);
    json_array_foreach(rows, i, row)
    {
        json_t *item = json_object();
        fl_put_count(put, item, "hypothesis", number);
        put_shared(put, item, "service", json_object_get(hypothesis, "service"));
        put_shared(put, item, "cause", json_object_get(hypothesis, "cause"));
        put_shared(put, item, "evidence", row);
        fl_put_item(put, list, item);
    }
}

/* EvidenceList of schemas/openapi.yaml: of all hypotheses, or of one. */
fl_status fl_api_evidence(fl_api_call *call, fl_error *err)
{
    parts in;
    fl_put put = {0};
    size_t only, i;
    static const size_t bounds[] = {1, 100000};
    fl_status status = fl_api_number(&only, call, "hypothesis", 0, bounds);
    if (status == FL_OK)
        status = take_apart(&in, call, err);
    if (status != FL_OK)
        return status;
    json_t *document = json_object(), *list = json_array(), *hypothesis;
    if (only > json_array_size(in.hypotheses))
        status = fl_api_refuse(call, 404, "incident %.64s has %zu hypotheses, and no number %zu",
                               json_string_value(in.id), json_array_size(in.hypotheses), only);
    json_array_foreach(in.hypotheses, i, hypothesis)
    {
        if (only == 0 || only == i + 1)
            add_evidence(&put, list, hypothesis, i + 1);
    }
    fl_put_text(&put, document, "schema", "faultline.evidence/1");
    put_shared(&put, document, "incident", in.id);
    fl_put_value(&put, document, "evidence", list);
    json_decref(in.root);
    if (status == FL_OK)
        return fl_put_document(&call->reply->body, &put, document, err);
    json_decref(document);
    return status;
}

/* The whole id of the incident that the path names: pictures are kept under that. Where it is whole
 * already the document is not read for it. */
static fl_status find_id(const char **out, fl_api_call *call, fl_error *err)
{
    parts in;
    int64_t stamp;
    fl_store *store;
    fl_error why = {0};
    fl_status status = fl_api_store(&store, call);
    *out = call->id;
    if (status != FL_OK || fl_store_stamp(&stamp, store, call->id, &why) == FL_OK)
        return status;
    status = take_apart(&in, call, err);
    if (status != FL_OK)
        return status;
    *out = fl_arena_cstr(&call->arena, fl_slice_of(json_string_value(in.id)));
    json_decref(in.root);
    return *out != NULL ? FL_OK
                        : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for an incident");
}

fl_status fl_api_picture(fl_buf *out, fl_api_call *call, fl_error *err)
{
    fl_store *store;
    const char *id;
    char *picture = NULL;
    fl_status status = find_id(&id, call, err);
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status == FL_OK)
        status = fl_store_get_picture(store, id, &picture, err);
    if (status == FL_OK)
        fl_buf_text(out, picture);
    fl_mem_free(picture);
    return status == FL_OK ? fl_buf_check(out, "the picture", err) : status;
}

/* schemas/json/timeline.schema.json, byte for byte as it is kept. */
fl_status fl_api_timeline(fl_api_call *call, fl_error *err)
{
    return fl_api_picture(&call->reply->body, call, err);
}

/* A draft as 'faultline postmortem' makes it. What a browser shows of it runs nothing and asks for
 * nothing, whatever a name in it holds. */
fl_status fl_api_postmortem(fl_api_call *call, fl_error *err)
{
    static const struct {
        const char *name, *type;
    } formats[] = {[FL_POSTMORTEM_MARKDOWN] = {"markdown", "text/markdown; charset=utf-8"},
                   [FL_POSTMORTEM_HTML] = {"html", "text/html; charset=utf-8"},
                   [FL_POSTMORTEM_JSON] = {"json", "application/json"}};
    enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };
    fl_store *store;
    const char *given = fl_http_query(call->request, "format");
    size_t format = 0;
    while (given != NULL && format < FORMATS && strcmp(given, formats[format].name) != 0)
        format++;
    if (format == FORMATS)
        return fl_api_refuse(call, 400, "format is markdown, html or json, and not '%.40s'", given);
    fl_buf document = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    const fl_postmortem_options options = {.format = (fl_postmortem_format)format};
    fl_status status = fl_api_document(&document, call, err);
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status == FL_OK)
        status =
            fl_postmortem_of(&call->reply->body, store, document.ptr, &options, call->now_ns, err);
    fl_buf_dispose(&document);
    if (status != FL_OK)
        return status;
    call->reply->content_type = formats[format].type;
    fl_http_reply_add(call->reply, "X-Content-Type-Options", "nosniff");
    if (options.format == FL_POSTMORTEM_HTML)
        fl_http_reply_add(call->reply, "Content-Security-Policy",
                          "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    return FL_OK;
}
