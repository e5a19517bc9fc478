/*
 * api_say.c - what people say of an incident: confirm, reject, resolve. The answer is how the
 * confidence moved, as the commands of these names print it.
 *
 *   body := {"hypothesis": N | "cause": TEXT, "fix": TEXT, "note": TEXT, "author": TEXT}
 *           reject has "why" in place of "note", which must be there; resolve must have "fix"
 *
 * With If-Match the hypotheses are those that the client saw, or nothing is learnt: a triage may
 * have ranked them anew meanwhile.
 */
#include <assert.h>
#include <string.h>

#include "api_priv.h"
#include "quote.h"
#include "report.h"
#include "report_memory.h"
#include "said.h"
#include "slice.h"

/* Keys of the graph end at 1,024 bytes, notes at 4,096; names of people are short. */
enum { API_WORDS_BYTES = 1000, API_NOTE_BYTES = 4000, API_AUTHOR_BYTES = 200 };

/* What one of the three is. */
typedef struct api_verb {
    const char *what;   /* "confirmed" */
    const char *note;   /* the member that is the note */
    const char *needed; /* a member that must be there; NULL: none */
    bool has_fix, supports;
    fl_evidence_source source;
} api_verb;

static const api_verb confirm = {"confirmed", "note", NULL, true, true, FL_SOURCE_PERSON};
static const api_verb reject = {"rejected", "why", "why", false, false, FL_SOURCE_PERSON};
static const api_verb resolve = {"resolved", "note", "fix", true, true, FL_SOURCE_FIX};

typedef struct saying {
    fl_said said;
    const char *note, *author;
} saying;

/* A text that says something and fits; in the arena. */
static const char *read_words(fl_json *in, size_t most)
{
    size_t at = in->pos;
    fl_slice text = fl_json_string(in);
    if (!fl_json_ok(in))
        return NULL;
    if (fl_slice_trim(text).len == 0 || text.len > most ||
        memchr(text.ptr, '\0', text.len) != NULL) {
        (void)fl_json_fail(in, at, "a text that is empty, longer than %zu bytes, or has a NUL",
                           most);
        return NULL;
    }
    const char *out = fl_arena_cstr(in->arena, text);
    if (out == NULL)
        in->err.status = FL_E_NOMEM;
    return out;
}

/* Zero would be the number that was not said, which is the first. */
static uint64_t read_number(fl_json *in)
{
    size_t at = in->pos;
    uint64_t number = fl_json_u64(in);
    if (fl_json_ok(in) && number == 0)
        (void)fl_json_fail(in, at, "hypotheses are counted from 1");
    return number;
}

/* A member that is not known is refused: what was misspelt would be left out in silence. */
static void read_member(saying *out, fl_json *in, const api_verb *verb, fl_slice key)
{
    char quoted[FL_QUOTE_TEXT];
    if (fl_slice_equal(key, FL_SLICE("hypothesis")))
        out->said.hypothesis = read_number(in);
    else if (fl_slice_equal(key, FL_SLICE("cause")))
        out->said.cause = read_words(in, API_WORDS_BYTES);
    else if (verb->has_fix && fl_slice_equal(key, FL_SLICE("fix")))
        out->said.fix = read_words(in, API_WORDS_BYTES);
    else if (fl_slice_equal(key, fl_slice_of(verb->note)))
        out->note = read_words(in, API_NOTE_BYTES);
    else if (fl_slice_equal(key, FL_SLICE("author")))
        out->author = read_words(in, API_AUTHOR_BYTES);
    else
        (void)fl_json_fail(in, in->pos, "there is no member %s here", fl_quote(quoted, key));
}

/* 400 for what is no such object, 422 for one that does not say enough. */
static fl_status read_saying(saying *out, fl_api_call *call, const api_verb *verb, fl_error *err)
{
    fl_json in = fl_json_over(call->request->body, &call->arena);
    fl_slice key;
    *out = (saying){.author = "api"};
    if (fl_json_enter_object(&in))
        while (fl_json_next_member(&in, &key))
            read_member(out, &in, verb, key);
    fl_status status = fl_api_read_end(call, &in, err);
    if (status != FL_OK)
        return status;
    const char *needed = verb->needed == NULL               ? ""
                         : strcmp(verb->needed, "fix") == 0 ? out->said.fix
                                                            : out->note;
    if (needed == NULL)
        return fl_api_refuse(call, 422, "%s is missing", verb->needed);
    if (out->said.cause != NULL && out->said.hypothesis != 0)
        return fl_api_refuse(call, 422, "either hypothesis or cause is said, and not both");
    if (out->said.cause == NULL && out->said.hypothesis == 0)
        out->said.hypothesis = 1;
    return FL_OK;
}

/* The incident as the client saw it, where he says what he saw. A beginning may name another one
 * tomorrow: it is enough to look, and not to write. */
static fl_status find_incident(const fl_incident **out, fl_api_call *call, fl_error *err)
{
    char tag[FL_HTTP_TAG], packed_tag[FL_HTTP_TAG];
    const char *match = fl_http_header(call->request, "If-Match");
    fl_buf document = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_status status = fl_api_document(&document, call, err);
    if (status == FL_OK && match != NULL) {
        fl_http_tag_of(tag, fl_buf_slice(&document));
        fl_http_packed_tag_of(packed_tag, tag);
        if (!fl_http_tag_matches(match, tag, false) &&
            !fl_http_tag_matches(match, packed_tag, false))
            status = fl_api_refuse(call, 412, "the incident has changed: look at it again");
    }
    if (status == FL_OK)
        status = fl_report_load(out, &call->arena, fl_buf_slice(&document), err);
    if (status == FL_OK && strcmp((*out)->id, call->id) != 0)
        status = fl_api_refuse(call, 422, "what is said of an incident needs its whole id: %.64s",
                               (*out)->id);
    fl_buf_dispose(&document);
    return status;
}

/* The mistakes that are left are the caller's: a number that is no hypothesis's, words that say
 * nothing, an incident without symptoms. */
static fl_status tell_mistake(fl_api_call *call, fl_status status, const fl_error *err)
{
    return status == FL_E_NOTFOUND || status == FL_E_SYNTAX
               ? fl_api_refuse(call, 422, "%s", err->message)
               : status;
}

static fl_status say(fl_api_call *call, const api_verb *verb, fl_error *err)
{
    saying said;
    fl_store *store;
    fl_learnt learnt;
    fl_lesson lesson = {.supports = verb->supports,
                        .source = verb->source,
                        .fix_source = verb->source,
                        .now_ns = call->now_ns};
    fl_status status = read_saying(&said, call, verb, err);
    if (status == FL_OK)
        status = find_incident(&lesson.incident, call, err);
    if (status == FL_OK)
        status = fl_api_store(&store, call);
    if (status != FL_OK)
        return status;
    lesson.author = said.author;
    lesson.note = said.note;
    status = fl_said_name(&lesson, &said.said, &call->arena, err);
    if (status == FL_OK)
        status = fl_said_learn(&learnt, store, &lesson, &call->arena, err);
    if (status != FL_OK)
        return tell_mistake(call, status, err);
    return fl_report_learnt_json(&call->reply->body, verb->what, &lesson, &learnt, NULL, err);
}

/* A person knows the cause, and perhaps what fixes it. */
fl_status fl_api_confirm(fl_api_call *call, fl_error *err)
{
    return say(call, &confirm, err);
}

/* A person knows what it was not, and says why. */
fl_status fl_api_reject(fl_api_call *call, fl_error *err)
{
    return say(call, &reject, err);
}

/* A fix helped, which speaks for the cause that it is for. */
fl_status fl_api_resolve(fl_api_call *call, fl_error *err)
{
    return say(call, &resolve, err);
}
