/*
 * receive.c - from a request to records that are durable, the same way for every protocol.
 *
 * Contexts hold what decoders need. They are made as threads ask for them, so that there are never
 * more than requests at a time, which is the number of workers; they live until the end.
 *
 * Counters are atomic and apart from each other: a reader of them may see a request without its
 * records, and never a wrong sum afterwards.
 */
#include "receive.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "faultline/limits.h"
#include "mem.h"
#include "receive_priv.h"
#include "slice.h"
#include "timestamp.h"

/* Loki's creation_grace_period: clocks that are not kept drift by minutes, not more. */
#define MAX_AHEAD_NS (INT64_C(600) * FL_NS_PER_S)

static const fl_receive_how *const protocols[FL_RECEIVE_PROTOCOLS] = {
    &fl_receive_otlp_logs,    &fl_receive_otlp_traces, &fl_receive_otlp_metrics,
    &fl_receive_remote_write, &fl_receive_loki,        &fl_receive_zipkin,
    &fl_receive_alertmanager, &fl_receive_github,      &fl_receive_gitlab,
    &fl_receive_events,       &fl_receive_pyroscope,   &fl_receive_pprof,
};

/* fl_receive_counts is of these alone. */
enum { COUNTERS = sizeof(fl_receive_counts) / sizeof(uint64_t) };
_Static_assert(COUNTERS * sizeof(uint64_t) == sizeof(fl_receive_counts), "counts of 64 bits alone");

struct protocol {
    fl_receive *receive;
    const fl_receive_how *how;
    _Atomic uint64_t counters[COUNTERS];
};

struct fl_receive {
    fl_archive *archive;
    fl_receive_tap taps[FL_RECEIVE_MAX_TAPS];
    size_t tap_count;
    char *github_secret, *gitlab_token;
    size_t github_secret_len, gitlab_token_len;
    int64_t max_ahead_ns, max_age_ns;
    fl_metric_types *types;
    struct protocol protocols[FL_RECEIVE_PROTOCOLS];
    fl_http_route routes[FL_RECEIVE_PROTOCOLS + FL_RECEIVE_PROBES];
    pthread_mutex_t profile_lock;
    pthread_mutex_t lock; /* of what follows */
    fl_receive_context *idle;
    fl_redact_rules *redaction;
};

/* ---- contexts ---- */

/* Also one whose making ended half-way. */
static void destroy_context(fl_receive_context *context)
{
    fl_otlp_destroy(context->otlp);
    fl_prometheus_destroy(context->prometheus);
    fl_redact_destroy(context->redact);
    fl_archive_batch_destroy(context->batch);
    fl_arena_dispose(&context->arena);
    fl_mem_free(context);
}

/* What takes secrets out stands between the clock and the batch; the decoders' own sink stays where
 * it is. */
static fl_status redact_by(fl_receive_context *context, fl_redact_rules *rules, fl_error *err)
{
    fl_redact *fresh = NULL;
    const fl_sink *batch = fl_archive_batch_sink(context->batch);
    if (rules == context->rules)
        return FL_OK;
    fl_status status = rules != NULL ? fl_redact_create(&fresh, rules, batch, err) : FL_OK;
    if (status != FL_OK)
        return status;
    fl_redact_destroy(context->redact);
    context->redact = fresh;
    context->rules = rules;
    fl_receive_guard_init(&context->guard, fresh != NULL ? fl_redact_sink(fresh) : batch);
    return FL_OK;
}

/* One more request is under way than ever before. */
static fl_status make_context(fl_receive_context **out, fl_receive *receive, fl_error *err)
{
    fl_receive_context *context = fl_mem_calloc(1, sizeof(*context));
    if (context == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    context->receive = receive;
    context->arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    fl_status status = fl_archive_batch_create(&context->batch, err);
    if (status == FL_OK) {
        fl_receive_guard_init(&context->guard, fl_archive_batch_sink(context->batch));
        context->intake = (fl_intake){.sink = &context->guard.sink, .source = ""};
        status = fl_otlp_create(&context->otlp, &context->guard.sink, err);
    }
    if (status == FL_OK)
        status = fl_prometheus_create(&context->prometheus, &context->intake, err);
    if (status != FL_OK) {
        destroy_context(context);
        return status;
    }
    fl_prometheus_on_family(context->prometheus, fl_metric_types_told, receive->types);
    *out = context;
    return FL_OK;
}

/* The one that was used last: its memory is in the processor's caches. */
static fl_status take_context(fl_receive_context **out, fl_receive *receive, fl_error *err)
{
    fl_redact_rules *rules = fl_receive_redaction(receive);
    pthread_mutex_lock(&receive->lock);
    fl_receive_context *context = receive->idle;
    if (context != NULL)
        receive->idle = context->next;
    pthread_mutex_unlock(&receive->lock);
    fl_status status = context == NULL ? make_context(&context, receive, err) : FL_OK;
    if (status == FL_OK)
        status = redact_by(context, rules, err);
    fl_redact_rules_destroy(rules); /* the context has them now */
    if (status != FL_OK && context != NULL)
        destroy_context(context);
    else
        *out = context;
    return status;
}

static void give_context(fl_receive *receive, fl_receive_context *context)
{
    assert(context->receive == receive);
    fl_archive_batch_clear(context->batch);
    fl_arena_reset(&context->arena);
    pthread_mutex_lock(&receive->lock);
    context->next = receive->idle;
    receive->idle = context;
    pthread_mutex_unlock(&receive->lock);
}

void fl_receive_profile_begin(fl_receive *receive)
{
    pthread_mutex_lock(&receive->profile_lock);
}

void fl_receive_profile_end(fl_receive *receive)
{
    pthread_mutex_unlock(&receive->profile_lock);
}

/* ---- counting ---- */

#define COUNT_AT(member) (offsetof(fl_receive_counts, member) / sizeof(uint64_t))

static void count(struct protocol *protocol, size_t at, uint64_t more)
{
    assert(at < COUNTERS);
    if (more > 0)
        atomic_fetch_add_explicit(&protocol->counters[at], more, memory_order_relaxed);
}

static void count_loss(struct protocol *protocol, fl_receive_loss loss, uint64_t more)
{
    count(protocol, COUNT_AT(lost) + (size_t)loss, more);
}

/* What decoders count since their creation; the differences are this request's. */
typedef struct passed_over {
    fl_prometheus_counts prometheus;
    uint64_t otlp;
} passed_over;

static passed_over passed_over_of(const fl_receive_context *context)
{
    return (passed_over){.prometheus = *fl_prometheus_counts_of(context->prometheus),
                         .otlp = fl_otlp_dropped(context->otlp)};
}

/* Of a request that was taken; one that was refused is counted as that alone. */
static void count_losses(struct protocol *protocol, const fl_receive_context *context,
                         const passed_over *before)
{
    passed_over now = passed_over_of(context);
    const fl_prometheus_counts *a = &before->prometheus, *b = &now.prometheus;
    count_loss(protocol, FL_RECEIVE_LOST_UNREADABLE, context->guard.unreadable);
    count_loss(protocol, FL_RECEIVE_LOST_AHEAD, context->guard.ahead);
    count_loss(protocol, FL_RECEIVE_LOST_TOO_OLD, context->guard.too_old);
    count_loss(protocol, FL_RECEIVE_LOST_STALE, b->stale - a->stale);
    count_loss(protocol, FL_RECEIVE_LOST_NOT_FINITE, b->not_finite - a->not_finite);
    count_loss(protocol, FL_RECEIVE_LOST_EXEMPLAR, b->exemplars - a->exemplars);
    count_loss(protocol, FL_RECEIVE_LOST_NATIVE_HISTOGRAM,
               b->native_histograms - a->native_histograms);
    count_loss(protocol, FL_RECEIVE_LOST_ATTRIBUTE,
               b->dropped_labels - a->dropped_labels + now.otlp - before->otlp);
}

static void count_accepted(struct protocol *protocol, const fl_receive_context *context)
{
    for (size_t kind = 0; kind < FL_ARCHIVE_KIND_COUNT; kind++)
        count(protocol, COUNT_AT(records) + kind,
              fl_archive_batch_count(context->batch, (fl_archive_kind)kind));
    count(protocol, COUNT_AT(profiles), context->has_profile);
    count(protocol, COUNT_AT(late), context->guard.late);
}

/* ---- one request ---- */

typedef struct refusal {
    unsigned status; /* 0: not refused */
    fl_receive_refusal why;
} refusal;

/* A body that cannot be decoded will not be better when it is sent again. */
static refusal refused_by_decoder(fl_status status)
{
    switch (status) {
    case FL_OK:
        return (refusal){0};
    case FL_E_NOMEM:
        return (refusal){.status = 503, .why = FL_RECEIVE_OVERLOADED};
    case FL_E_LIMIT:
        return (refusal){.status = 413, .why = FL_RECEIVE_TOO_LARGE};
    default:
        return (refusal){.status = 400, .why = FL_RECEIVE_MALFORMED};
    }
}

static refusal refused_by_archive(fl_status status)
{
    if (status == FL_OK)
        return (refusal){0};
    bool is_full = status == FL_E_LIMIT || status == FL_E_NOMEM;
    return (refusal){.status = 503, .why = is_full ? FL_RECEIVE_OVERLOADED : FL_RECEIVE_FAILED};
}

/* Make what was decoded durable, and tell it to the taps. */
static refusal keep(struct protocol *protocol, fl_receive_context *context, fl_error *err)
{
    fl_receive *receive = protocol->receive;
    bool repeated = false;
    fl_status status =
        context->has_profile
            ? fl_archive_put_profile(receive->archive, &context->who, context->profile, err)
            : FL_OK;
    if (status == FL_OK && fl_archive_batch_records(context->batch) > 0)
        status = fl_archive_commit(&repeated, receive->archive, context->batch, err);
    if (status != FL_OK)
        return refused_by_archive(status);
    count(protocol, COUNT_AT(repeated), repeated);
    if (repeated)
        return (refusal){0};
    count_accepted(protocol, context);
    for (size_t i = 0; i < receive->tap_count && fl_archive_batch_records(context->batch) > 0; i++)
        receive->taps[i].batch(receive->taps[i].payload, context->batch);
    return (refusal){0};
}

/* Decode, keep, count. The sentence of a refusal is in `err`. */
static refusal take(struct protocol *protocol, fl_receive_context *context,
                    const fl_http_request *request, fl_error *err)
{
    fl_receive *receive = protocol->receive;
    const fl_receive_how *how = protocol->how;
    context->intake.source = request->path;
    context->has_profile = false;
    fl_receive_guard_begin(&context->guard, request->arrival_ns, receive->max_ahead_ns,
                           receive->max_age_ns);
    passed_over before = passed_over_of(context);
    fl_status status =
        fl_metric_types_catch_up(receive->types, &context->types_seen, context->prometheus, err);
    if (status == FL_OK)
        status = how->decode(context, request, err);
    refusal refused = refused_by_decoder(status);
    if (refused.status == 0)
        refused = keep(protocol, context, err);
    if (refused.status == 0)
        count_losses(protocol, context, &before);
    return refused;
}

/* What the answer says of records that were refused: all of them, or one where the protocol knows
 * no part, is a failure. */
static refusal refused_records(const fl_receive_how *how, fl_receive_outcome *outcome,
                               char *sentence, size_t size)
{
    if (outcome->refused == 0 || (outcome->accepted > 0 && !how->is_whole))
        return (refusal){0};
    snprintf(sentence, size, "%llu of %llu records were refused; the first: %s",
             (unsigned long long)outcome->refused,
             (unsigned long long)(outcome->refused + outcome->accepted), outcome->reason);
    outcome->sentence = sentence;
    return (refusal){.status = 400, .why = FL_RECEIVE_MALFORMED};
}

/* The one place where an answer is made, so that what is counted is what was said. */
static void answer(struct protocol *protocol, refusal refused, fl_receive_outcome *outcome,
                   const fl_http_request *request, fl_http_reply *reply)
{
    assert(refused.status == 0 || refused.status >= 400);
    outcome->status = refused.status != 0 ? refused.status : 200;
    if (refused.status != 0)
        count(protocol, COUNT_AT(refused) + (size_t)refused.why, 1);
    protocol->how->answer(outcome, request, reply);
}

/* Who sends, and whether that type is read at all. */
static refusal admit(const struct protocol *protocol, const fl_http_request *request, fl_error *err)
{
    const fl_receive_how *how = protocol->how;
    unsigned status = how->admit != NULL ? how->admit(protocol->receive, request, err) : 0;
    if (status != 0)
        return (refusal){.status = status, .why = FL_RECEIVE_UNAUTHORIZED};
    if (how->check != NULL && how->check(request, err) != FL_OK)
        return (refusal){.status = 415, .why = FL_RECEIVE_UNSUPPORTED};
    return (refusal){0};
}

/* The handler of every protocol's route. Where there is no room nothing is decoded: senders that
 * come again and again must not take the time in which room is made. */
static void run(void *payload, const fl_http_request *request, fl_http_reply *reply)
{
    struct protocol *protocol = payload;
    fl_receive_context *context;
    fl_error err = {0};
    char sentence[512] = "";
    fl_receive_outcome outcome = {.sentence = err.message, .reason = ""};
    assert(request->arrival_ns > 0 && request->content_type != NULL);
    assert(protocol->how->decode != NULL && protocol->how->answer != NULL);
    count(protocol, COUNT_AT(requests), 1);
    count(protocol, COUNT_AT(bytes), request->body.len);
    refusal refused = admit(protocol, request, &err);
    if (refused.status == 0 && fl_archive_is_full(protocol->receive->archive, request->body.len)) {
        (void)fl_fail(&err, FL_E_LIMIT, FL_NO_OFFSET,
                      "what came in waits to be written; try again later");
        refused = refused_by_archive(FL_E_LIMIT);
    }
    if (refused.status == 0)
        refused = refused_by_decoder(take_context(&context, protocol->receive, &err));
    if (refused.status != 0) {
        answer(protocol, refused, &outcome, request, reply);
        return;
    }
    refused = take(protocol, context, request, &err);
    outcome.accepted = fl_archive_batch_records(context->batch) + context->has_profile;
    outcome.refused = fl_receive_guard_refused(&context->guard);
    outcome.reason = context->guard.reason;
    if (refused.status == 0)
        refused = refused_records(protocol->how, &outcome, sentence, sizeof(sentence));
    answer(protocol, refused, &outcome, request, reply);
    give_context(protocol->receive, context);
}

/* ---- what all check ---- */

fl_status fl_receive_check_encoding(const fl_http_request *request, const char *wanted,
                                    fl_error *err)
{
    assert(request != NULL);
    static const char *const undone[] = {"identity", "gzip", "x-gzip", "zstd"};
    const char *encoding = fl_http_header(request, "Content-Encoding");
    if (encoding == NULL || encoding[0] == '\0' ||
        (wanted != NULL && strcasecmp(encoding, wanted) == 0))
        return FL_OK;
    for (size_t i = 0; i < sizeof(undone) / sizeof(undone[0]); i++)
        if (strcasecmp(encoding, undone[i]) == 0)
            return FL_OK;
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                   "that Content-Encoding is not read here; gzip and zstd are");
}

fl_status fl_receive_check_type(const fl_http_request *request, const char *type, fl_error *err)
{
    if (request->content_type[0] == '\0' || fl_http_is_type(request, type))
        return FL_OK;
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s wants Content-Type %s", request->path,
                   type);
}

fl_slice fl_receive_github_secret(const fl_receive *receive)
{
    return (fl_slice){.ptr = (const unsigned char *)receive->github_secret,
                      .len = receive->github_secret_len};
}

fl_slice fl_receive_gitlab_token(const fl_receive *receive)
{
    return (fl_slice){.ptr = (const unsigned char *)receive->gitlab_token,
                      .len = receive->gitlab_token_len};
}

/* ---- the whole ---- */

/* The text of a configuration may be gone at the next reload. */
static fl_status copy_secret(char **out, size_t *len, fl_slice secret, fl_error *err)
{
    *len = secret.len;
    *out = fl_mem_alloc(secret.len);
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    if (secret.len > 0)
        memcpy(*out, secret.ptr, secret.len);
    return FL_OK;
}

/* Handlers are given their protocol: the routes point into `receive`, which does not move. */
static void set_routes(fl_receive *receive)
{
    for (size_t i = 0; i < FL_RECEIVE_PROTOCOLS; i++) {
        struct protocol *protocol = &receive->protocols[i];
        assert(protocols[i]->protocol == (fl_receive_protocol)i);
        protocol->receive = receive;
        protocol->how = protocols[i];
        receive->routes[i] = (fl_http_route){.method = "POST",
                                             .path = protocols[i]->path,
                                             .role = protocols[i]->role,
                                             .max_body_bytes = protocols[i]->max_body_bytes,
                                             .run = run,
                                             .refuse = protocols[i]->refuse,
                                             .context = protocol};
    }
    fl_receive_probe_routes(receive->routes + FL_RECEIVE_PROTOCOLS);
}

fl_status fl_receive_create(fl_receive **out, const fl_receive_options *options, fl_error *err)
{
    assert(options->archive != NULL && options->tap_count <= FL_RECEIVE_MAX_TAPS);
    *out = NULL;
    fl_receive *receive = fl_mem_calloc(1, sizeof(*receive));
    if (receive == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    pthread_mutex_init(&receive->lock, NULL);
    pthread_mutex_init(&receive->profile_lock, NULL);
    receive->archive = options->archive;
    receive->tap_count = options->tap_count;
    for (size_t i = 0; i < options->tap_count; i++)
        receive->taps[i] = options->taps[i];
    receive->max_ahead_ns = options->max_ahead_ns > 0 ? options->max_ahead_ns : MAX_AHEAD_NS;
    receive->max_age_ns = options->max_age_ns;
    if (options->redaction != NULL)
        receive->redaction = fl_redact_rules_keep(options->redaction);
    set_routes(receive);
    fl_status status = fl_metric_types_create(&receive->types, err);
    if (status == FL_OK)
        status = copy_secret(&receive->github_secret, &receive->github_secret_len,
                             options->github_secret, err);
    if (status == FL_OK)
        status = copy_secret(&receive->gitlab_token, &receive->gitlab_token_len,
                             options->gitlab_token, err);
    if (status != FL_OK) {
        fl_receive_destroy(receive);
        return status;
    }
    *out = receive;
    return FL_OK;
}

void fl_receive_set_redaction(fl_receive *receive, fl_redact_rules *rules)
{
    fl_redact_rules *fresh = rules != NULL ? fl_redact_rules_keep(rules) : NULL;
    pthread_mutex_lock(&receive->lock);
    fl_redact_rules *before = receive->redaction;
    receive->redaction = fresh;
    pthread_mutex_unlock(&receive->lock);
    fl_redact_rules_destroy(before);
}

fl_redact_rules *fl_receive_redaction(fl_receive *receive)
{
    pthread_mutex_lock(&receive->lock);
    fl_redact_rules *rules =
        receive->redaction != NULL ? fl_redact_rules_keep(receive->redaction) : NULL;
    pthread_mutex_unlock(&receive->lock);
    return rules;
}

void fl_receive_destroy(fl_receive *receive)
{
    if (receive == NULL)
        return;
    while (receive->idle != NULL) {
        fl_receive_context *context = receive->idle;
        receive->idle = context->next;
        destroy_context(context);
    }
    fl_redact_rules_destroy(receive->redaction);
    fl_metric_types_destroy(receive->types);
    fl_mem_free(receive->github_secret);
    fl_mem_free(receive->gitlab_token);
    pthread_mutex_destroy(&receive->profile_lock);
    pthread_mutex_destroy(&receive->lock);
    fl_mem_free(receive);
}

const fl_http_route *fl_receive_routes(const fl_receive *receive, size_t *count)
{
    *count = FL_RECEIVE_PROTOCOLS + FL_RECEIVE_PROBES;
    return receive->routes;
}

fl_receive_stats fl_receive_stats_of(fl_receive *receive)
{
    fl_receive_stats stats;
    uint64_t counters[COUNTERS];
    for (size_t i = 0; i < FL_RECEIVE_PROTOCOLS; i++) {
        for (size_t k = 0; k < COUNTERS; k++)
            counters[k] =
                atomic_load_explicit(&receive->protocols[i].counters[k], memory_order_relaxed);
        memcpy(&stats.by[i], counters, sizeof(counters));
    }
    return stats;
}
