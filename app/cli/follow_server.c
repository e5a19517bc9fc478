/*
 * follow_server.c - an incident at a daemon: questions, and events that say when to ask.
 *
 * That events do not come is no failure: who cannot hear asks more often. A daemon is away when it
 * does not answer a question.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "follow.h"
#include "mem.h"
#include "page.h"
#include "pull.h"
#include "slice.h"
#include "sse.h"
#include "timestamp.h"

/* The daemon sends a comment every 15 s: after thrice that, nobody is there any more. An answer of
 * events is ended by the daemon after 15 minutes. */
#define SILENCE_NS      (45 * FL_NS_PER_S)
#define LISTEN_NS       (20 * 60 * FL_NS_PER_S)
#define AGAIN_NS        (2 * FL_NS_PER_S)
#define AFTER_NO_NS     (30 * FL_NS_PER_S)
#define HEARING_LOOK_NS (15 * FL_NS_PER_S)
#define DEAF_LOOK_NS    (2 * FL_NS_PER_S)

typedef struct at_server {
    fl_pull *pull;
    fl_pull_source *ask, *hear;
    fl_sse sse;
    const char *id;   /* during a wait or a look */
    bool is_asked;    /* for events; the answer goes on */
    bool is_told;     /* something changed */
    int64_t heard_ns; /* monotonic; 0: never */
    int64_t hear_at_ns;
    /* Of the question under way. */
    bool has_answer;
    char *answer;
    fl_status status;
    fl_error why;
} at_server;

/* ---- events ---- */

/* What cannot be read may be about us. */
static void on_event(void *payload, const fl_sse_event *event)
{
    at_server *at = payload;
    json_t *data = NULL;
    assert(event->name != NULL && event->data != NULL);
    if (strcmp(event->name, "incident") == 0 && !event->is_cut)
        data = json_loads(event->data, 0, NULL);
    const char *id = json_string_value(json_object_get(data, "id"));
    /* The operand may be the beginning of an id. */
    if (id == NULL || at->id == NULL || strncmp(id, at->id, strlen(at->id)) == 0)
        at->is_told = true;
    json_decref(data);
}

/* fl_pull_part */
static bool on_part(void *payload, fl_slice bytes)
{
    at_server *at = payload;
    assert(at->is_asked);
    at->heard_ns = fl_time_monotonic();
    fl_sse_feed(&at->sse, bytes);
    return true;
}

/* The end of the events, or that there are none. */
static fl_status on_end(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    at_server *at = payload;
    (void)err;
    assert(at->is_asked);
    bool was_heard = at->heard_ns != 0 && answer->http == 200;
    at->is_asked = false;
    at->heard_ns = 0;
    at->is_told = at->is_told || was_heard;
    at->hear_at_ns = fl_time_monotonic() + (was_heard ? AGAIN_NS : AFTER_NO_NS);
    fl_sse_dispose(&at->sse);
    fl_sse_init(&at->sse, on_event, at);
    return FL_OK;
}

/* What cannot be asked for now is asked for later. */
static void listen_where_due(at_server *at)
{
    if (at->is_asked || fl_time_monotonic() < at->hear_at_ns)
        return;
    at->is_asked = fl_pull_get(at->hear, "/v1/incidents/events", on_end, at, NULL) == FL_OK;
}

/* ---- questions ---- */

/* The sentence of a problem document (RFC 9457), where there is one, without what a terminal would
 * obey. */
static bool read_problem(fl_error *err, fl_status status, fl_slice body)
{
    json_t *problem = json_loadb((const char *)body.ptr, body.len, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    fl_buf clean = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    fl_page page = fl_page_on(&clean, &(fl_report_style){0});
    if (detail != NULL)
        fl_page_put(&page, FL_INK_PLAIN, detail);
    bool has_one = clean.status == FL_OK && clean.len > 0;
    if (has_one)
        (void)fl_fail(err, status, FL_NO_OFFSET, "%s", clean.ptr);
    fl_buf_dispose(&clean);
    json_decref(problem);
    return has_one;
}

/* fl_pull_done: the body as a text, or why there is none. */
static fl_status on_answer(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    at_server *at = payload;
    (void)err;
    assert(!at->has_answer && at->answer == NULL); /* one question at a time */
    at->has_answer = true;
    at->status = answer->status;
    if (answer->http == 401 || answer->http == 403) {
        at->status = fl_fail(&at->why, FL_E_IO, FL_NO_OFFSET,
                             "%.100s does not answer without a token that may read: --token-file",
                             fl_pull_source_url(at->ask));
    } else if (answer->status != FL_OK) {
        /* A proxy whose daemon is away says "not found", too, in words of its own. */
        if (!read_problem(&at->why, answer->status, answer->body))
            at->status =
                fl_fail(&at->why, answer->status == FL_E_NOTFOUND ? FL_E_IO : answer->status,
                        FL_NO_OFFSET, "%s", answer->message);
    } else if ((at->answer = fl_mem_alloc(answer->body.len + 1)) == NULL) {
        at->status = fl_fail(&at->why, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an answer");
    } else {
        if (answer->body.len > 0)
            memcpy(at->answer, answer->body.ptr, answer->body.len);
        at->answer[answer->body.len] = '\0';
    }
    return FL_OK;
}

/* GET /v1/incidents/ID and what is behind it; events are heard meanwhile. */
static fl_status ask(at_server *at, const char *id, const char *part, char **out, fl_error *err)
{
    char path[1024];
    fl_buf escaped = fl_buf_of(sizeof(path) - 64);
    fl_pull_escape(&escaped, fl_slice_of(id));
    fl_status status = fl_buf_check(&escaped, "the id", err);
    if (status == FL_OK) {
        (void)snprintf(path, sizeof(path), "/v1/incidents/%s%s", escaped.ptr, part);
        fl_mem_free(at->answer);
        at->answer = NULL;
        at->has_answer = false;
        at->why = (fl_error){0};
        status = fl_pull_get(at->ask, path, on_answer, at, err);
    }
    fl_buf_dispose(&escaped);
    while (status == FL_OK && !at->has_answer)
        status = fl_pull_step(at->pull, FL_NS_PER_S / 10, err);
    if (status != FL_OK)
        return status;
    if (at->status != FL_OK)
        return fl_fail(err, at->status, FL_NO_OFFSET, "%s", at->why.message);
    *out = at->answer;
    at->answer = NULL;
    return FL_OK;
}

/* Listening comes first, so that nothing is missed in between. */
static fl_status look(void *place, const char *id, char **document, fl_error *err)
{
    at_server *at = place;
    assert(id != NULL && *document == NULL);
    at->id = id;
    at->is_told = false;
    listen_where_due(at);
    return ask(at, id, "", document, err);
}

static fl_status picture(void *place, const char *id, char **out, fl_error *err)
{
    fl_error why = {0};
    fl_status status = ask(place, id, "/timeline", out, &why);
    if (status == FL_E_NOTFOUND) {
        *out = NULL;
        return FL_OK;
    }
    return status == FL_OK ? FL_OK : fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
}

/* A step that fails is seen by the next look. */
static bool wait_for(void *place, const char *id, int64_t wait_ns)
{
    at_server *at = place;
    assert(id != NULL && wait_ns >= 0);
    at->id = id;
    listen_where_due(at);
    fl_status status = fl_pull_step(at->pull, wait_ns, NULL);
    (void)status;
    bool is_told = at->is_told;
    at->is_told = false;
    return is_told;
}

static int64_t every_ns(void *place)
{
    const at_server *at = place;
    bool is_heard = at->heard_ns != 0 && fl_time_monotonic() - at->heard_ns < SILENCE_NS;
    return is_heard ? HEARING_LOOK_NS : DEAF_LOOK_NS;
}

static void close_server(void *place)
{
    at_server *at = place;
    assert(at != NULL);
    fl_pull_destroy(at->pull);
    fl_sse_dispose(&at->sse);
    fl_mem_free(at->answer);
    fl_mem_free(at);
}

/* Two sources, since an answer without end is no question among others. Both are tried once: the
 * caller tries again, and says so. */
static fl_status add_sources(at_server *at, const fl_follow_options *options, fl_error *err)
{
    const fl_pull_source_options asked = {.url = options->server,
                                          .token_file = options->token_file,
                                          .max_tries = 1,
                                          .breaker_failures = UINT32_MAX,
                                          .total_timeout_ns = 10 * FL_NS_PER_S,
                                          .max_bytes = 16u << 20};
    fl_pull_source_options heard = asked;
    heard.part = on_part;
    heard.part_of = at;
    heard.total_timeout_ns = LISTEN_NS;
    heard.slow_ns = LISTEN_NS; /* silence is the rule */
    fl_status status = fl_pull_add(&at->ask, at->pull, &asked, err);
    return status == FL_OK ? fl_pull_add(&at->hear, at->pull, &heard, err) : status;
}

fl_status fl_follow_server_open(void **out, const fl_follow_options *options, fl_error *err)
{
    at_server *at = fl_mem_calloc(1, sizeof(*at));
    if (at == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to follow an incident");
    fl_sse_init(&at->sse, on_event, at);
    fl_status status = fl_pull_create(
        &at->pull,
        &(fl_pull_options){.should_stop = options->should_stop, .should_stop_of = options->payload},
        err);
    if (status == FL_OK)
        status = add_sources(at, options, err);
    if (status != FL_OK) {
        close_server(at);
        return status;
    }
    *out = at;
    return FL_OK;
}

const fl_follow_place fl_follow_server = {.look = look,
                                          .picture = picture,
                                          .wait = wait_for,
                                          .every_ns = every_ns,
                                          .close = close_server};
