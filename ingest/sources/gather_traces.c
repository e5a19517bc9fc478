/*
 * gather_traces.c - traces of a service, out of Tempo or Jaeger, minute by minute.
 *
 *   Tempo   /api/search?q={resource.service.name="S" && status=error}   then the same without the
 *           status; from 2.0 on. Before, tags=service.name=S. Then /api/traces/ID of each new one.
 *   Jaeger  /api/services                                       where no service was asked for
 *           /api/traces?service=S&start&end&limit&tags={"error":"true"}   then without the tags
 *
 * So many traces a minute as make the limit over the window, and half as many more that have
 * errors: where the limit is reached, the share of errors is that of the sample and not of the
 * service, in the incident and in the baseline alike.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "gather_priv.h"
#include "hash.h"
#include "jaeger.h"
#include "map.h"
#include "slice.h"
#include "timestamp.h"

enum { DEFAULT_TRACES = 1000, MIN_PER_MINUTE = 2, MAX_PER_MINUTE = 100, AT_ONCE = 4 };
enum { MAX_NAMES = 20 };

/* A minute of a service in two questions. */
typedef struct tracer {
    gather_source *source;
    const gather_slice *slice;
    fl_slice service;
    bool with_errors; /* the question in hand */
    bool by_tags;     /* how it was asked */
    uint64_t found;   /* of it */
} tracer;

typedef struct traces_own {
    fl_otlp *otlp;
    fl_map *known; /* traces that were asked for, by hash of their id */
    tracer tracers[AT_ONCE];
    bool by_tags;              /* a Tempo before 2.0 */
    fl_slice names[MAX_NAMES]; /* services of a Jaeger to ask for */
    size_t name_count, next_name;
    bool is_full; /* a question had more answers than were asked for */
} traces_own;

static fl_status next_search(tracer *t, fl_error *err);

/* The one difference that both share this file with. */
static bool is_tempo(const gather_source *source)
{
    return source->given->kind == FL_SOURCE_TEMPO;
}

/* A thousand traces of some dozen spans are what the ranking needs, and a minute of asking at most.
 */
static unsigned max_traces(const gather *all)
{
    return all->request->max_traces > 0 ? all->request->max_traces : DEFAULT_TRACES;
}

/* Of one question. */
static unsigned per_search(const tracer *t)
{
    const gather *all = t->source->all;
    const traces_own *own = t->source->own;
    size_t searches = all->slice_count * (own->name_count > 0 ? own->name_count : 1);
    size_t most = max_traces(all) / (searches > 0 ? searches : 1);
    most = t->with_errors ? most / 2 : most;
    if (most < MIN_PER_MINUTE)
        most = MIN_PER_MINUTE;
    return most < MAX_PER_MINUTE ? (unsigned)most : MAX_PER_MINUTE;
}

/* ---- answers with spans ---- */

static fl_status on_trace(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    gather_source *source = payload;
    traces_own *own = source->own;
    fl_error why = {0};
    if (answer->status == FL_E_NOTFOUND) { /* found a moment ago, gone by now */
        source->all->ended++;
        return FL_OK;
    }
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status = fl_otlp_json(own->otlp, answer->body, source->intake.source, 0, 0, &why);
    return gather_decoded(source, status, &why, err);
}

static fl_status ask_trace(void *payload, const fl_found_trace *found, fl_error *err)
{
    tracer *t = payload;
    gather *all = t->source->all;
    traces_own *own = t->source->own;
    uint64_t *slot;
    bool is_new;
    t->found++;
    uint64_t key = fl_hash_mix(found->id.hi ^ fl_hash_mix(found->id.lo));
    fl_status status = fl_map_slot(&slot, own->known, key, &is_new, err);
    if (status != FL_OK || !is_new)
        return status;
    fl_buf_printf(&all->path, "/api/traces/%016llx%016llx", (unsigned long long)found->id.hi,
                  (unsigned long long)found->id.lo);
    return gather_get(t->source, on_trace, t->source, err);
}

/* Each span that is pushed is of some trace; which were there twice is the timeline's to see. */
static fl_status read_jaeger(tracer *t, fl_slice body, fl_error *err)
{
    uint64_t before = t->source->out->spans;
    fl_status status = fl_jaeger_json(&t->source->intake, body, err);
    t->found = t->source->out->spans > before ? 1 : 0;
    return status;
}

/* ---- searches ---- */

/* The same minute without the errors, or the next one. */
static fl_status step(tracer *t, fl_error *err)
{
    if (t->with_errors)
        t->with_errors = false;
    else
        t->slice = NULL;
    return next_search(t, err);
}

/* An older Tempo knows no TraceQL: from here on its tags are asked. */
static bool is_older(const tracer *t, const fl_pull_answer *answer)
{
    return is_tempo(t->source) && !t->by_tags && answer->http == 400;
}

static fl_status on_search(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    tracer *t = payload;
    gather_source *source = t->source;
    traces_own *own = source->own;
    fl_error why = {0};
    if (is_older(t, answer)) {
        own->by_tags = true;
        source->all->ended++;
        return next_search(t, err);
    }
    if (!gather_answered(source, answer))
        return step(t, err);
    t->found = 0;
    fl_status status = is_tempo(source)
                           ? fl_answer_traces(answer->body, &source->all->text, ask_trace, t, &why)
                           : read_jaeger(t, answer->body, &why);
    own->is_full |= is_tempo(source) && !t->with_errors && t->found >= per_search(t);
    if (own->is_full)
        gather_note(source, "%s: traces were sampled: at most %u of each minute were read",
                    fl_pull_source_url(source->server), per_search(t));
    status = gather_decoded(source, status, &why, err);
    return status == FL_OK ? step(t, err) : status;
}

/* A service's name inside of a quoted text. */
static void put_quoted(gather *all, fl_slice name)
{
    gather_put(all, "\"");
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"' || name.ptr[i] == '\\')
            gather_put(all, "\\");
        fl_pull_escape(&all->path, fl_slice_part(name, i, i + 1));
    }
    gather_put(all, "\"");
}

static void put_tempo(tracer *t)
{
    gather *all = t->source->all;
    const traces_own *own = t->source->own;
    const fl_slice service = t->service;
    t->by_tags = own->by_tags;
    fl_buf_text(&all->path, own->by_tags ? "/api/search?tags=" : "/api/search?q=");
    if (!own->by_tags)
        gather_put(all, "{");
    if (service.len > 0) {
        gather_put(all, own->by_tags ? "service.name=" : "resource.service.name=");
        put_quoted(all, service);
    }
    if (t->with_errors && !own->by_tags)
        gather_put(all, service.len > 0 ? " && status=error" : "status=error");
    else if (t->with_errors)
        gather_put(all, service.len > 0 ? " error=true" : "error=true");
    if (!own->by_tags)
        gather_put(all, "}");
    /* whole seconds, the end rounded up */
    fl_buf_printf(&all->path, "&start=%lld&end=%lld&limit=%u",
                  (long long)(t->slice->from_ns / FL_NS_PER_S),
                  (long long)((t->slice->to_ns + FL_NS_PER_S - 1) / FL_NS_PER_S), per_search(t));
}

static void put_jaeger(const tracer *t)
{
    gather *all = t->source->all;
    fl_buf_text(&all->path, "/api/traces?service=");
    fl_pull_escape(&all->path, t->service);
    if (t->with_errors) {
        fl_buf_text(&all->path, "&tags=");
        gather_put(all, "{\"error\":\"true\"}");
    }
    fl_buf_printf(&all->path, "&start=%lld&end=%lld&limit=%u",
                  (long long)(t->slice->from_ns / 1000), (long long)(t->slice->to_ns / 1000),
                  per_search(t));
}

/* The minutes of the next service, once those of one are over. */
static const gather_slice *next_slice(gather_source *source)
{
    traces_own *own = source->own;
    const gather_slice *slice = gather_next_slice(source);
    if (slice == NULL && own->next_name + 1 < own->name_count) {
        own->next_name++;
        source->next_slice = 0;
        slice = gather_next_slice(source);
    }
    return slice;
}

/* Errors first, while there is room for them. */
static fl_status next_search(tracer *t, fl_error *err)
{
    const traces_own *own = t->source->own;
    if (t->slice == NULL) {
        t->slice = next_slice(t->source);
        t->service = own->names[own->next_name];
        t->with_errors = true;
    }
    if (t->slice == NULL)
        return FL_OK;
    if (is_tempo(t->source))
        put_tempo(t);
    else
        put_jaeger(t);
    return gather_get(t->source, on_search, t, err);
}

/* Several minutes side by side. */
static fl_status begin_searches(gather_source *source, fl_error *err)
{
    traces_own *own = source->own;
    fl_status status = FL_OK;
    for (size_t i = 0; i < AT_ONCE && status == FL_OK; i++) {
        own->tracers[i] = (tracer){.source = source};
        status = next_search(&own->tracers[i], err);
    }
    return status;
}

/* ---- the services of a Jaeger ---- */

static fl_status keep_service(void *payload, fl_slice name, fl_error *err)
{
    gather_source *source = payload;
    traces_own *own = source->own;
    if (own->name_count == MAX_NAMES) {
        gather_note(source, "%s: traces of %d services were read: name one with --service",
                    fl_pull_source_url(source->server), MAX_NAMES);
        return FL_OK;
    }
    fl_slice copy = fl_arena_copy(&source->all->arena, name);
    if (copy.ptr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for names of services");
    own->names[own->name_count++] = copy;
    return FL_OK;
}

static fl_status on_services(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    gather_source *source = payload;
    const traces_own *own = source->own;
    fl_error why = {0};
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status =
        fl_answer_names(answer->body, &source->all->text, keep_service, source, &why);
    status = gather_decoded(source, status, &why, err);
    return status == FL_OK && own->name_count > 0 ? begin_searches(source, err) : status;
}

static fl_status first(gather_source *source, fl_error *err)
{
    gather *all = source->all;
    traces_own *own = fl_arena_alloc(&all->arena, 1, sizeof(*own));
    if (own == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for traces");
    source->own = own;
    fl_status status = fl_otlp_create(&own->otlp, &source->sink, err);
    if (status == FL_OK) /* each minute brings at most what was asked for, twice */
        status = fl_map_create(&own->known, 2 * MAX_PER_MINUTE * (all->slice_count + 1), err);
    if (status != FL_OK)
        return status;
    if (!is_tempo(source) && all->request->service == NULL) {
        fl_buf_text(&all->path, "/api/services");
        return gather_get(source, on_services, source, err);
    }
    own->names[0] = fl_slice_of(all->request->service);
    own->name_count = 1;
    return begin_searches(source, err);
}

static void end(gather_source *source)
{
    traces_own *own = source->own;
    if (own == NULL)
        return;
    fl_otlp_destroy(own->otlp);
    fl_map_destroy(own->known);
}

const gather_kind gather_tempo = {.name = "Tempo", .first = first, .end = end, .has_traces = true};
const gather_kind gather_jaeger = {
    .name = "Jaeger", .first = first, .end = end, .has_traces = true};
