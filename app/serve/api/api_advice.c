/*
 * api_advice.c - advice for a service that is about to be, and proposals out of documents: what
 * 'faultline recommend' and 'faultline learn' answer.
 *
 * The names of the curated library and the rules of learning are made once, at the first question,
 * and only read after that.
 */
#include "api_advice.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "api_priv.h"
#include "documents.h"
#include "mem.h"
#include "quote.h"
#include "report_learn.h"
#include "report_recommend.h"
#include "slice.h"

enum { ADVICE_BYTES = 256 << 20, NAME_BYTES = 400 };

struct fl_api_advice {
    pthread_mutex_t lock;
    fl_library *names;     /* NULL: not asked for yet */
    fl_learn_rules *rules; /* likewise */
};

fl_status fl_api_advice_create(fl_api_advice **out, fl_error *err)
{
    assert(out != NULL);
    *out = fl_mem_calloc(1, sizeof(**out));
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for advice");
    (void)pthread_mutex_init(&(*out)->lock, NULL);
    return FL_OK;
}

void fl_api_advice_destroy(fl_api_advice *advice)
{
    if (advice == NULL)
        return;
    fl_library_destroy(advice->names);
    fl_learn_rules_destroy(advice->rules);
    (void)pthread_mutex_destroy(&advice->lock);
    fl_mem_free(advice);
}

/* A library that could not be made whole is none: the next question tries again. */
static fl_status take_names(const fl_library **out, fl_api_advice *advice, fl_error *err)
{
    fl_status status = FL_OK;
    (void)pthread_mutex_lock(&advice->lock);
    if (advice->names == NULL) {
        status = fl_library_create(&advice->names, err);
        if (status == FL_OK)
            status = fl_library_add_built_in(advice->names, err);
        if (status != FL_OK) {
            fl_library_destroy(advice->names);
            advice->names = NULL;
        }
    }
    *out = advice->names;
    (void)pthread_mutex_unlock(&advice->lock);
    return status;
}

static fl_status take_rules(const fl_learn_rules **out, fl_api_advice *advice, fl_error *err)
{
    fl_status status = FL_OK;
    (void)pthread_mutex_lock(&advice->lock);
    if (advice->rules == NULL)
        status = fl_learn_rules_create(&advice->rules, err);
    *out = advice->rules;
    (void)pthread_mutex_unlock(&advice->lock);
    return status;
}

/* --- advice --- */

/* What is wrong with a service's description is told with its line, as the command does. */
static fl_status read_service(fl_service *out, fl_api_call *call, fl_error *err)
{
    fl_error why = {0};
    fl_slice text = call->request->body;
    fl_slice trimmed = fl_slice_trim(text);
    if (trimmed.len == 0 || trimmed.ptr[0] != '{') /* what is no object would be read as YAML */
        return fl_api_refuse(call, 400, "the request: expected an object");
    fl_status status = fl_service_read(out, &call->arena, text, "the request", &why);
    if (status == FL_E_SYNTAX || status == FL_E_LIMIT)
        return fl_api_refuse(call, 422, "%s", why.message);
    return status == FL_OK ? FL_OK : fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
}

/* The question's own arena: a graph may have much to say of a thousand components. */
static fl_status recommend(fl_api_call *call, const fl_service *service, fl_arena *arena,
                           fl_error *err)
{
    fl_store *store;
    fl_recommended advice;
    fl_recommend_question question = {.service = service, .now_ns = call->now_ns};
    fl_status status = take_names(&question.names, call->api->advice, err);
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status == FL_OK)
        status = fl_store_hold(store, err);
    if (status != FL_OK)
        return status;
    status = fl_recommend(&advice, store, &question, arena, err);
    fl_store_release(store);
    const fl_recommend_shown shown = {.service = service, .advice = &advice};
    return status == FL_OK ? fl_report_recommend_json(&call->reply->body, &shown, err) : status;
}

fl_status fl_api_recommend(fl_api_call *call, fl_error *err)
{
    fl_service service;
    fl_arena arena = fl_arena_of(ADVICE_BYTES);
    fl_status status = read_service(&service, call, err);
    if (status == FL_OK)
        status = recommend(call, &service, &arena, err);
    fl_arena_dispose(&arena);
    return status;
}

/* --- learning ---
 *
 *   body := {"name": TEXT, "text": TEXT, "dry_run": BOOL}
 */

typedef struct lesson_text {
    const char *name;
    fl_slice text;
    bool is_dry;
} lesson_text;

static fl_status read_text(lesson_text *out, fl_api_call *call, fl_error *err)
{
    fl_json in = fl_json_over(call->request->body, &call->arena);
    fl_slice key, name = {0};
    char quoted[FL_QUOTE_TEXT];
    *out = (lesson_text){0};
    if (fl_json_enter_object(&in)) {
        while (fl_json_next_member(&in, &key)) {
            if (fl_slice_equal(key, FL_SLICE("name")))
                name = fl_json_string(&in);
            else if (fl_slice_equal(key, FL_SLICE("text")))
                out->text = fl_json_string(&in);
            else if (fl_slice_equal(key, FL_SLICE("dry_run")))
                out->is_dry = fl_json_bool(&in);
            else
                (void)fl_json_fail(&in, in.pos, "there is no member %s here",
                                   fl_quote(quoted, key));
        }
    }
    fl_status status = fl_api_read_end(call, &in, err);
    if (status != FL_OK)
        return status;
    if (name.len == 0 || name.len > NAME_BYTES || memchr(name.ptr, '\0', name.len) != NULL)
        return fl_api_refuse(call, 422, "name is what the document is known by, up to %d bytes",
                             NAME_BYTES);
    if (out->text.len == 0)
        return fl_api_refuse(call, 422, "text is missing");
    out->name = fl_arena_cstr(&call->arena, name);
    return out->name != NULL
               ? FL_OK
               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the request");
}

typedef struct learner {
    const fl_learn_rules *rules;
    fl_proposals *proposals;
    fl_learn_run run;
    int64_t now_ns;
} learner;

/* fl_document_visit */
static fl_status take_document(const fl_document *document, void *payload, fl_error *err)
{
    learner *l = payload;
    l->run.documents++;
    return fl_learn_document(l->proposals, l->rules, document, l->now_ns, err);
}

/* The store is asked for last, so that a mistake in the text makes no use of it. */
static fl_status propose(fl_api_call *call, learner *l, const lesson_text *given, fl_error *err)
{
    fl_error why = {0};
    fl_store *store;
    fl_status status = fl_documents_read(given->text, given->name, take_document, l, &why);
    l->run.files = 1;
    l->run.is_dry = given->is_dry;
    if (status == FL_E_SYNTAX || status == FL_E_UNSUPPORTED || status == FL_E_LIMIT)
        return fl_api_refuse(call, 422, "%s", why.message);
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
    if (!given->is_dry)
        status = fl_api_store(&store, call);
    if (status == FL_OK && !given->is_dry)
        status = fl_learn_keep(&l->run.added, store, l->proposals, call->now_ns, err);
    return status == FL_OK ? fl_report_learn_json(&call->reply->body, l->proposals, &l->run, err)
                           : status;
}

fl_status fl_api_learn(fl_api_call *call, fl_error *err)
{
    lesson_text given;
    learner l = {.now_ns = call->now_ns};
    fl_status status = read_text(&given, call, err);
    if (status == FL_OK)
        status = take_rules(&l.rules, call->api->advice, err);
    if (status == FL_OK)
        status = fl_proposals_create(&l.proposals, err);
    if (status == FL_OK)
        status = propose(call, &l, &given, err);
    fl_proposals_destroy(l.proposals);
    return status;
}
