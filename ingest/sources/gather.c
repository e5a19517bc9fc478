/*
 * gather.c - the two phases, the minutes' order, and the services that traces lead through.
 */
#include "gather_priv.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

static const int64_t minute_ns = 60 * FL_NS_PER_S;

/* Names and plans of one gathering: some thousand metric names, some thousand minutes. */
enum { MAX_ARENA_BYTES = 64 << 20, MAX_TEXT_BYTES = 64 << 20, MAX_SEEN_BYTES = 1 << 20 };
enum { MAX_SLICES = FL_MAX_WINDOWS };

static const gather_kind *const kinds[FL_SOURCE_KIND_COUNT] = {
    [FL_SOURCE_PROMETHEUS] = &gather_prometheus,
    [FL_SOURCE_LOKI] = &gather_loki,
    [FL_SOURCE_TEMPO] = &gather_tempo,
    [FL_SOURCE_JAEGER] = &gather_jaeger,
};

const char *fl_source_kind_name(fl_source_kind kind)
{
    assert((unsigned)kind < FL_SOURCE_KIND_COUNT);
    return kinds[kind]->name;
}

/* ---- the counting sink ---- */

static const gather_kind *kind_of(const gather_source *source)
{
    return kinds[source->given->kind];
}

/* Traces tell who matters: each announcement is of one trace or more. */
static fl_status note_service(gather *all, fl_slice name, fl_error *err)
{
    fl_sym sym;
    if (name.len == 0)
        return FL_OK;
    fl_status status = fl_intern_put(&sym, all->seen, name, err);
    if (status == FL_E_LIMIT) /* a thousand names are known: enough */
        return FL_OK;
    if (status != FL_OK)
        return status;
    if (sym >= all->seen_room) {
        size_t room = all->seen_room > 0 ? 2 * all->seen_room : 64;
        uint64_t *grown = fl_mem_realloc(all->seen_count, room, sizeof(*grown));
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for names of services");
        memset(grown + all->seen_room, 0, (room - all->seen_room) * sizeof(*grown));
        all->seen_count = grown;
        all->seen_room = room;
    }
    all->seen_count[sym]++;
    return FL_OK;
}

/* The handle is that of the sink behind: records keep it. */
static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    gather_source *source = payload;
    const fl_sink *to = source->all->to;
    if (kind_of(source)->has_traces) {
        fl_error own = {0};
        fl_status status = note_service(source->all, resource->service, &own);
        if (status != FL_OK)
            return fl_fail(err, status, FL_NO_OFFSET, "%s", own.message);
    }
    return to->resource(to->payload, resource, handle, err);
}

/* This and its siblings count and hand on. */
static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    gather_source *source = payload;
    source->out->spans++;
    return source->all->to->span(source->all->to->payload, resource, span, err);
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    gather_source *source = payload;
    source->out->logs++;
    return source->all->to->log(source->all->to->payload, resource, log, err);
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    gather_source *source = payload;
    source->out->points++;
    return source->all->to->point(source->all->to->payload, resource, point, err);
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    gather_source *source = payload;
    return source->all->to->reject(source->all->to->payload, reject, err);
}

/* ---- what the kinds share ---- */

/* The path is built in one buffer by whoever asks; its failure is sticky and told here. */
fl_status gather_get(gather_source *source, fl_pull_done *done, void *payload, fl_error *err)
{
    gather *all = source->all;
    fl_status status = fl_buf_check(&all->path, "a query", err);
    if (status == FL_OK)
        status = fl_pull_get(source->server, all->path.ptr, done, payload, err);
    fl_buf_clear(&all->path);
    all->asked += status == FL_OK;
    return status;
}

/* The first sentence is kept: those that follow mostly say the same. */
static void note_failure(gather_source *source, fl_status status, const char *message)
{
    fl_gathered *out = source->out;
    if (out->failures++ > 0)
        return;
    out->status = status;
    (void)snprintf(out->failure, sizeof(out->failure), "%s", message);
}

bool gather_answered(gather_source *source, const fl_pull_answer *answer)
{
    gather *all = source->all;
    all->ended++;
    if (all->request->progress != NULL)
        all->request->progress(all->request->payload, kind_of(source)->name, all->ended,
                               all->asked);
    if (answer->status != FL_OK)
        note_failure(source, answer->status, answer->message);
    return answer->status == FL_OK;
}

/* What is wrong with an answer costs the answer. The sink's own failures are those of a run, but
 * its complaints of input (FL_E_SYNTAX where strict) too end it. */
fl_status gather_decoded(gather_source *source, fl_status status, const fl_error *own,
                         fl_error *err)
{
    char text[192];
    if (status == FL_OK)
        return FL_OK;
    if (status == FL_E_NOMEM || status == FL_E_STOPPED)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", own->message);
    (void)snprintf(text, sizeof(text), "%.80s: %.108s", fl_pull_source_url(source->server),
                   own->message);
    note_failure(source, status, text);
    return FL_OK;
}

/* As with failures, the first is what a person reads. */
void gather_note(gather_source *source, const char *format, ...)
{
    va_list args;
    if (source->out->note[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(source->out->note, sizeof(source->out->note), format, args);
    va_end(args);
}

const gather_slice *gather_next_slice(gather_source *source)
{
    gather *all = source->all;
    return source->next_slice < all->slice_count ? &all->slices[source->next_slice++] : NULL;
}

void gather_put(gather *all, const char *text)
{
    fl_pull_escape(&all->path, fl_slice_of(text));
}

/* RE2's special characters, each behind a backslash, which a quoted text doubles. */
void gather_put_pattern(gather *all, size_t from, size_t to)
{
    assert(from <= to && to <= all->services.count);
    for (size_t i = from; i < to; i++) {
        fl_slice name = all->services.names[i];
        if (i > from)
            gather_put(all, "|");
        for (size_t k = 0; k < name.len; k++) {
            if (memchr("\\.+*?()|[]{}^$\"", name.ptr[k], 15) != NULL)
                gather_put(all, name.ptr[k] == '"' ? "\\" : "\\\\");
            if (name.ptr[k] == '\\')
                gather_put(all, "\\");
            fl_pull_escape(&all->path, fl_slice_part(name, k, k + 1));
        }
    }
}

/* ---- minutes ---- */

/* The index with its bits in reverse order: the first n of 2^k are spread evenly for each n (van
 * der Corput, 1935). */
static size_t reversed(size_t i, unsigned bits)
{
    size_t out = 0;
    for (unsigned b = 0; b < bits; b++)
        out = out << 1 | (i >> b & 1);
    return out;
}

/* The first minute begins with the window. */
static int64_t at_minute(const fl_gather_request *r, int64_t begin_ns, size_t i)
{
    int64_t at = begin_ns + (int64_t)i * minute_ns;
    return at < r->from_ns ? r->from_ns : at;
}

/* Up to the next whole minute of the clock: what a step of the timeline is. */
static void add_slice(gather *all, int64_t from_ns, int64_t end_ns)
{
    int64_t to_ns = from_ns - from_ns % minute_ns + minute_ns;
    if (from_ns < end_ns)
        all->slices[all->slice_count++] = (gather_slice){from_ns, to_ns < end_ns ? to_ns : end_ns};
}

/* Whole minutes of the clock, cut at the window's ends and at `at`. */
static fl_status plan_slices(gather *all, fl_error *err)
{
    const fl_gather_request *r = all->request;
    int64_t begin_ns = r->from_ns - r->from_ns % minute_ns;
    size_t before = (size_t)((r->at_ns - begin_ns + minute_ns - 1) / minute_ns);
    size_t most = (size_t)((r->to_ns - r->from_ns) / minute_ns) + 4;
    if (most > MAX_SLICES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "the window is longer than %u minutes",
                       (unsigned)MAX_SLICES);
    all->slices = fl_arena_alloc(&all->arena, most, sizeof(*all->slices));
    if (all->slices == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a window");
    for (int64_t at = r->at_ns; at < r->to_ns; at = at - at % minute_ns + minute_ns)
        add_slice(all, at, r->to_ns);
    unsigned bits = 0;
    while ((size_t)1 << bits < before)
        bits++;
    for (size_t i = 0; i < (size_t)1 << bits; i++)
        if (reversed(i, bits) < before)
            add_slice(all, at_minute(r, begin_ns, reversed(i, bits)), r->at_ns);
    assert(all->slice_count <= most);
    return FL_OK;
}

/* ---- services ---- */

typedef struct counted {
    fl_slice name;
    uint64_t count;
} counted;

/* Of equal counts by name, so that the choice does not depend on the order of answers. */
static int by_count(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return fl_slice_compare(x->name, y->name);
}

/* The asked one counts even where no trace shows it. */
static fl_status choose_services(gather *all, fl_error *err)
{
    const fl_gather_request *r = all->request;
    size_t seen = fl_intern_count(all->seen), count = 0;
    counted *list = fl_arena_alloc(&all->arena, seen + 1, sizeof(*list));
    all->services.names = fl_arena_alloc(&all->arena, seen + 2, sizeof(fl_slice));
    if (list == NULL || all->services.names == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for names of services");
    if (r->service != NULL) {
        all->services.names[all->services.count++] = fl_slice_of(r->service);
        all->services.has_own = true;
    }
    for (size_t i = 0; i < seen; i++) {
        fl_slice name = fl_intern_text(all->seen, (fl_sym)i);
        if (r->service == NULL || !fl_slice_equal(name, fl_slice_of(r->service)))
            list[count++] = (counted){name, all->seen_count[i]};
    }
    qsort(list, count, sizeof(*list), by_count);
    size_t most = r->max_services > 0 ? r->max_services : 32;
    for (size_t i = 0; i < count && i < most; i++)
        all->services.names[all->services.count++] = list[i].name;
    return FL_OK;
}

/* ---- a run ---- */

/* Each source has a sink of its own, so that what came is counted by source. */
static fl_status add_source(gather *all, size_t i, fl_gathered *out, fl_error *err)
{
    gather_source *source = &all->sources[i];
    *out = (fl_gathered){0};
    *source = (gather_source){.all = all, .given = &all->request->sources[i], .out = out};
    source->sink = (fl_sink){.payload = source,
                             .resource = on_resource,
                             .span = on_span,
                             .log = on_log,
                             .point = on_point,
                             .reject = on_reject};
    fl_status status = fl_pull_add(&source->server, all->pull, &source->given->how, err);
    if (status == FL_OK)
        source->intake =
            (fl_intake){.sink = &source->sink, .source = fl_pull_source_url(source->server)};
    return status;
}

/* A phase ends when the last of its answers has been read, of all sources. */
static fl_status run_phase(gather *all, bool second, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < all->request->count && status == FL_OK; i++) {
        gather_source *source = &all->sources[i];
        const gather_kind *kind = kind_of(source);
        if (!second)
            status = kind->first(source, err);
        else if (kind->second != NULL)
            status = kind->second(source, err);
    }
    return status == FL_OK ? fl_pull_run(all->pull, err) : status;
}

/* What is made here is freed by fl_gather() however far it came. */
static fl_status prepare(gather *all, fl_gathered *out, fl_error *err)
{
    const fl_gather_request *r = all->request;
    const fl_pull_options options = {
        .seed = r->seed, .should_stop = r->should_stop, .should_stop_of = r->payload};
    fl_status status = fl_intern_create(&all->seen, MAX_SEEN_BYTES, err);
    if (status == FL_OK)
        status = fl_pull_create(&all->pull, &options, err);
    all->sources = fl_arena_alloc(&all->arena, r->count, sizeof(*all->sources));
    if (status == FL_OK && all->sources == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for sources");
    for (size_t i = 0; i < r->count && status == FL_OK; i++)
        status = add_source(all, i, &out[i], err);
    return status == FL_OK ? plan_slices(all, err) : status;
}

fl_status fl_gather(fl_gathered *out, const fl_gather_request *request, const fl_sink *sink,
                    fl_error *err)
{
    assert(request->from_ns <= request->at_ns && request->at_ns <= request->to_ns);
    assert(request->from_ns >= 0 && request->ranks.rank != NULL);
    gather all = {.request = request,
                  .to = sink,
                  .arena = fl_arena_of(MAX_ARENA_BYTES),
                  .text = fl_arena_of(MAX_TEXT_BYTES),
                  .path = fl_buf_of(FL_MAX_PULL_PATH)};
    fl_status status = prepare(&all, out, err);
    if (status == FL_OK)
        status = run_phase(&all, false, err);
    if (status == FL_OK)
        status = choose_services(&all, err);
    if (status == FL_OK)
        status = run_phase(&all, true, err);
    for (size_t i = 0; all.sources != NULL && i < request->count; i++) {
        gather_source *source = &all.sources[i];
        if (source->server != NULL)
            out[i].cost = fl_pull_stats_of(source->server);
        if (source->given != NULL && kind_of(source)->end != NULL)
            kind_of(source)->end(source);
    }
    fl_pull_destroy(all.pull);
    fl_intern_destroy(all.seen);
    fl_mem_free(all.seen_count);
    fl_buf_dispose(&all.path);
    fl_arena_dispose(&all.text);
    fl_arena_dispose(&all.arena);
    return status;
}
