/*
 * probe.c - some dozen questions to each source, in parallel.
 *
 * The clock is that of the answer's Date, which has whole seconds: its offset from the middle of
 * the request is known to half a second and half of the request. Prometheus tells its clock by
 * time() to a millisecond.
 */
#include "probe.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "slice.h"
#include "timestamp.h"

/* The steps that retention is mostly set in. */
enum { RUNGS = 9 };
#define HOURS(n) ((n)*3600 * FL_NS_PER_S)
static const int64_t rungs_ns[RUNGS] = {0,
                                        HOURS(6),
                                        HOURS(24),
                                        HOURS(3 * 24),
                                        HOURS(7 * 24),
                                        HOURS(15 * 24),
                                        HOURS(30 * 24),
                                        HOURS(90 * 24),
                                        HOURS(365 * 24)};

enum { TEXT_BYTES = 64 << 20, PATH_BYTES = 4096 };

struct prober;

/* A rung's answer belongs to its index. */
struct rung {
    struct prober *of;
    size_t index;
};

struct prober {
    fl_source_kind kind;
    fl_probed *out;
    fl_pull_source *server;
    fl_arena *text;
    int64_t now_ns;
    struct rung rungs[RUNGS];
    bool has[RUNGS], is_answered[RUNGS];
    char service[FL_PROBE_NAME]; /* of a Jaeger, which is asked by service only */
};

/* What a kind is asked; each answers what makes it that kind. */
static const char *const version_paths[FL_SOURCE_KIND_COUNT] = {
    [FL_SOURCE_PROMETHEUS] = "/api/v1/status/buildinfo",
    [FL_SOURCE_LOKI] = "/loki/api/v1/status/buildinfo",
    [FL_SOURCE_TEMPO] = "/api/status/buildinfo",
};
static const char *const name_paths[FL_SOURCE_KIND_COUNT] = {
    [FL_SOURCE_PROMETHEUS] = "/api/v1/label/job/values",
    [FL_SOURCE_LOKI] = "/loki/api/v1/labels",
    [FL_SOURCE_TEMPO] = "/api/search/tag/service.name/values",
    [FL_SOURCE_JAEGER] = "/api/services",
};

/* The first failure is the one that is told: later ones follow from it. */
static void note_failure(struct prober *p, fl_status status, const char *message)
{
    if (p->out->status != FL_OK)
        return;
    p->out->status = status;
    (void)snprintf(p->out->failure, sizeof(p->out->failure), "%s", message);
}

/* Of several answers the one whose error is the smallest counts. */
static void note_clock(struct prober *p, const fl_pull_answer *answer, int64_t server_ns,
                       int64_t own_error_ns)
{
    fl_probed *out = p->out;
    if (server_ns == 0 || answer->received_ns < answer->sent_ns)
        return;
    int64_t half_ns = (answer->received_ns - answer->sent_ns) / 2;
    int64_t error_ns = half_ns + own_error_ns;
    if (out->has_clock && out->clock_error_ns <= error_ns)
        return;
    out->has_clock = true;
    out->clock_error_ns = error_ns;
    out->clock_offset_ns = server_ns - (answer->sent_ns + half_ns);
}

/* Every answer tells the time in its Date, whose second has begun up to a second ago. */
static void note_date(struct prober *p, const fl_pull_answer *answer)
{
    if (answer->server_ns != 0)
        note_clock(p, answer, answer->server_ns + FL_NS_PER_S / 2, FL_NS_PER_S / 2);
}

static fl_status ask(struct prober *p, const char *path, fl_pull_done *done, void *payload,
                     fl_error *err)
{
    return fl_pull_get(p->server, path, done, payload, err);
}

/* A version is welcome and not needed: Jaeger has no place for it, and some proxies hide it. */
static fl_status on_version(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    struct prober *p = payload;
    (void)err;
    note_date(p, answer);
    if (answer->status != FL_OK ||
        fl_answer_version(p->out->version, answer->body, p->text, NULL) != FL_OK)
        p->out->version[0] = '\0';
    return FL_OK;
}

/* Prometheus says its own time, finer than the Date of HTTP. */
static fl_status on_time(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    struct prober *p = payload;
    int64_t time_ns;
    (void)err;
    if (answer->status == FL_OK && fl_answer_time(&time_ns, answer->body, p->text, NULL) == FL_OK)
        note_clock(p, answer, time_ns, FL_NS_PER_MS);
    return FL_OK;
}

static fl_status on_series(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    struct prober *p = payload;
    (void)err;
    if (answer->status != FL_OK ||
        fl_answer_series_count(&p->out->series, answer->body, p->text, NULL) != FL_OK)
        p->out->series = 0;
    return FL_OK;
}

/* ---- how far back ---- */

/* Each rung lies further back; the furthest that holds anything is how far the source reaches. */
static fl_status on_rung(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    struct rung *rung = payload;
    struct prober *p = rung->of;
    bool any = false;
    (void)err;
    if (answer->status == FL_OK && fl_answer_has_any(&any, answer->body, p->text, NULL) == FL_OK) {
        p->has[rung->index] = any;
        p->is_answered[rung->index] = true;
    }
    return FL_OK;
}

/* Whether there is anything of the hour that ends `age` ago. */
static void rung_path(fl_buf *path, const struct prober *p, size_t i)
{
    int64_t to_s = (p->now_ns - rungs_ns[i]) / FL_NS_PER_S, from_s = to_s - 3600;
    switch (p->kind) {
    case FL_SOURCE_PROMETHEUS:
        fl_buf_text(path, "/api/v1/query?query=");
        fl_pull_escape(path, FL_SLICE("count(last_over_time(up[1h]))"));
        fl_buf_printf(path, "&time=%lld", (long long)to_s);
        return;
    case FL_SOURCE_LOKI:
        fl_buf_printf(path, "/loki/api/v1/labels?start=%lld000000000&end=%lld000000000",
                      (long long)from_s, (long long)to_s);
        return;
    case FL_SOURCE_TEMPO:
        fl_buf_printf(path, "/api/search?start=%lld&end=%lld&limit=1", (long long)from_s,
                      (long long)to_s);
        return;
    case FL_SOURCE_JAEGER:
        fl_buf_text(path, "/api/traces?service=");
        fl_pull_escape(path, fl_slice_of(p->service));
        fl_buf_printf(path, "&start=%lld000000&end=%lld000000&limit=1", (long long)from_s,
                      (long long)to_s);
        return;
    case FL_SOURCE_KIND_COUNT:
        break;
    }
    assert(false && "a kind of source");
}

/* All at once: a source answers them in the time of one. */
static fl_status ask_rungs(struct prober *p, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < RUNGS && status == FL_OK; i++) {
        fl_buf path = fl_buf_of(PATH_BYTES);
        p->rungs[i] = (struct rung){p, i};
        rung_path(&path, p, i);
        status = fl_buf_check(&path, "a question", err);
        if (status == FL_OK)
            status = ask(p, path.ptr, on_rung, &p->rungs[i], err);
        fl_buf_dispose(&path);
    }
    return status;
}

/* Retention has no holes: the oldest that is there, and the youngest beyond it that is not. */
static void conclude(struct prober *p)
{
    for (size_t i = 0; i < RUNGS; i++) {
        if (p->has[i]) {
            p->out->back_ns = rungs_ns[i] + HOURS(1);
            p->out->none_ns = 0;
        } else if (p->is_answered[i] && p->out->none_ns == 0)
            p->out->none_ns = rungs_ns[i];
    }
}

/* ---- who ---- */

/* Loki's labels are no services: they are counted where the value is asked for. */
static fl_status keep_name(void *payload, fl_slice name, fl_error *err)
{
    struct prober *p = payload;
    fl_probed *out = p->out;
    (void)err;
    if (out->services < FL_PROBE_NAMES)
        (void)snprintf(out->names[out->services], FL_PROBE_NAME, "%.*s",
                       name.len < FL_PROBE_NAME ? (int)name.len : FL_PROBE_NAME - 1,
                       (const char *)name.ptr);
    out->services++;
    return FL_OK;
}

static fl_status on_names(void *payload, const fl_pull_answer *answer, fl_error *err);

/* The first of the labels that may name a service. */
static fl_status keep_label(void *payload, fl_slice name, fl_error *err)
{
    const fl_slice *known, **best = payload;
    (void)err;
    for (size_t i = 0; (known = fl_labels_service_label(i)) != NULL && known != *best; i++)
        if (fl_slice_equal(name, *known)) {
            *best = known;
            break;
        }
    return FL_OK;
}

static fl_status on_labels(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    struct prober *p = payload;
    const fl_slice *label = NULL;
    char path[128];
    fl_error why = {0};
    note_date(p, answer);
    p->out->answer_ns = answer->duration_ns;
    fl_status status = answer->status;
    if (status == FL_OK)
        status = fl_answer_names(answer->body, p->text, keep_label, &label, &why);
    if (status != FL_OK) {
        note_failure(p, status, answer->status != FL_OK ? answer->message : why.message);
        return FL_OK;
    }
    if (label == NULL)
        return FL_OK;
    (void)snprintf(path, sizeof(path), "/loki/api/v1/label/%.*s/values", FL_SLICE_ARG(*label));
    return ask(p, path, on_names, p, err);
}

static fl_status on_names(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    struct prober *p = payload;
    fl_error why = {0};
    note_date(p, answer);
    p->out->answer_ns = answer->duration_ns;
    fl_status status = answer->status;
    if (status == FL_OK)
        status = fl_answer_names(answer->body, p->text, keep_name, p, &why);
    if (status != FL_OK)
        note_failure(p, status, answer->status != FL_OK ? answer->message : why.message);
    else if (p->kind == FL_SOURCE_JAEGER && p->out->services > 0) {
        memcpy(p->service, p->out->names[0], sizeof(p->service));
        return ask_rungs(p, err);
    }
    return FL_OK;
}

static fl_status begin(struct prober *p, fl_error *err)
{
    fl_status status = FL_OK;
    if (version_paths[p->kind] != NULL)
        status = ask(p, version_paths[p->kind], on_version, p, err);
    if (status == FL_OK)
        status =
            ask(p, name_paths[p->kind], p->kind == FL_SOURCE_LOKI ? on_labels : on_names, p, err);
    if (status == FL_OK && p->kind == FL_SOURCE_PROMETHEUS)
        status = ask(p, "/api/v1/query?query=time()", on_time, p, err);
    if (status == FL_OK && p->kind == FL_SOURCE_PROMETHEUS)
        status = ask(p, "/api/v1/status/tsdb", on_series, p, err);
    return status == FL_OK && p->kind != FL_SOURCE_JAEGER ? ask_rungs(p, err) : status;
}

fl_status fl_probe(fl_probed *out, const fl_source *sources, size_t count, int64_t now_ns,
                   fl_error *err)
{
    fl_pull *pull;
    fl_arena text = fl_arena_of(TEXT_BYTES), own = fl_arena_of(TEXT_BYTES);
    fl_status status = fl_pull_create(&pull, NULL, err);
    if (status != FL_OK)
        return status;
    struct prober *probers = fl_arena_alloc(&own, count + 1, sizeof(*probers));
    if (probers == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for sources");
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        struct prober *p = &probers[i];
        assert((unsigned)sources[i].kind < FL_SOURCE_KIND_COUNT);
        out[i] = (fl_probed){0};
        *p = (struct prober){
            .kind = sources[i].kind, .out = &out[i], .text = &text, .now_ns = now_ns};
        status = fl_pull_add(&p->server, pull, &sources[i].how, err);
        if (status == FL_OK)
            status = begin(p, err);
    }
    if (status == FL_OK)
        status = fl_pull_run(pull, err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        conclude(&probers[i]);
    fl_pull_destroy(pull);
    fl_arena_dispose(&own);
    fl_arena_dispose(&text);
    return status;
}
