/*
 * shop.h - a made-up shop of six services under load, with one fault or more, as records pushed
 * into a timeline: traces with client and server spans, log lines with code locations, cpu and
 * memory.
 *
 *     POST /checkout  gate -> cart load -> stock price
 *                     gate -> orders place -> stock take, pay charge, mail send
 *     GET /browse     gate -> stock price, pay balance
 *
 * Each trace is a function of (seed, number), so that traces can be pushed in any order.
 */
#ifndef FL_SHOP_H
#define FL_SHOP_H

#include <math.h>
#include <stdio.h>

#include "arena.h"
#include "faultline/incident.h"
#include "faultline/limits.h"
#include "fl_test.h"
#include "inputs.h"
#include "miner.h"
#include "rank.h"
#include "slice.h"
#include "timeline_build.h"
#include "trace_streams.h"

#define SHOP_SECOND INT64_C(1000000000)
#define SHOP_MINUTE (60 * SHOP_SECOND)
#define SHOP_AT     (INT64_C(1700000000) * SHOP_SECOND)

enum {
    SHOP_BASELINE = 12, /* windows */
    SHOP_INCIDENT = 5,
    SHOP_TRACES = 24, /* a window */
    SHOP_MAX_CALLS = 3,
    SHOP_MAX_FAULTS = 2,
    SHOP_POINTS = 3 /* metric points a window */
};

enum { CART, GATE, MAIL, ORDERS, PAY, STOCK, SHOP_SERVICES };
static const char *const shop_services[SHOP_SERVICES] = {"cart",   "gate", "mail",
                                                         "orders", "pay",  "stock"};

enum { CHECKOUT, BROWSE, CART_LOAD, PLACE, CHARGE, BALANCE, TAKE, PRICE, SEND, SHOP_OPERATIONS };

typedef struct shop_operation {
    int service;
    const char *name;
    double self_ms;          /* median */
    const char *begin, *end; /* lines */
    int calls[SHOP_MAX_CALLS];
    int call_count;
} shop_operation;

static const shop_operation shop_operations[SHOP_OPERATIONS] = {
    [CHECKOUT] = {GATE,
                  "POST /checkout",
                  4,
                  "gate.Web#10 checkout of %u",
                  "gate.Web#19 checkout done",
                  {CART_LOAD, PLACE},
                  2},
    [BROWSE] =
        {GATE, "GET /browse", 3, "gate.Web#30 browse %u", "gate.Web#39 shown", {PRICE, BALANCE}, 2},
    [CART_LOAD] = {CART, "load", 6, "cart.Cart#11 load %u", "cart.Cart#18 loaded", {PRICE}, 1},
    [PLACE] = {ORDERS,
               "place",
               9,
               "orders.Orders#12 place %u",
               "orders.Orders#29 placed",
               {TAKE, CHARGE, SEND},
               3},
    [CHARGE] = {PAY, "charge", 20, "pay.Pay#13 charge %u", "pay.Pay#21 charged", {0}, 0},
    [BALANCE] = {PAY, "balance", 5, "pay.Pay#40 balance of %u", "pay.Pay#44 told", {0}, 0},
    [TAKE] = {STOCK, "take", 7, "stock.Stock#14 take %u", "stock.Stock#20 taken", {0}, 0},
    [PRICE] = {STOCK, "price", 3, "stock.Stock#31 price of %u", "stock.Stock#35 priced", {0}, 0},
    [SEND] = {MAIL, "send", 8, "mail.Mail#15 send %u", "mail.Mail#22 sent", {0}, 0},
};

typedef enum shop_kind {
    SHOP_HEALTHY,
    SHOP_SLOW,      /* an operation takes `size` times its own time */
    SHOP_NETWORK,   /* each call into a service takes `size` ms more on the way */
    SHOP_EXCEPTION, /* an operation throws after its first line in a share `size` of cases; callers
                       give up */
    SHOP_REFUSAL,   /* an operation answers as ever, but its callers give up afterwards */
    SHOP_CPU,       /* `size` percent; all of its operations take three times their time */
    SHOP_LEAK,      /* memory grows by a factor of `size` each window */
    SHOP_VANISHED,  /* an operation leaves out its last call */
    SHOP_SURGE      /* `size` times the traffic, nothing else */
} shop_kind;

typedef struct shop_fault {
    shop_kind kind;
    int at; /* operation, or service of NETWORK, CPU and LEAK */
    double size;
    int onset; /* windows after the incident's time */
    int lasts; /* windows; 0: to the end */
} shop_fault;
#define FAULT(what, where, how_much)                                                               \
    {                                                                                              \
        .kind = SHOP_##what, .at = where, .size = how_much                                         \
    }
#define FAULT_FROM(what, where, how_much, from)                                                    \
    {                                                                                              \
        .kind = SHOP_##what, .at = where, .size = how_much, .onset = from                          \
    }
#define FAULT_DURING(what, where, how_much, from, windows)                                         \
    {                                                                                              \
        .kind = SHOP_##what, .at = where, .size = how_much, .onset = from, .lasts = windows        \
    }

typedef struct shop {
    uint64_t seed;
    shop_fault faults[SHOP_MAX_FAULTS];
    bool no_logs, no_traces, no_metrics;
    bool bare_lines;          /* lines name no trace and no span */
    bool has_topology;        /* who calls whom */
    bool has_service_metrics; /* requests, latency and errors of each service, and who calls whom */
    double errors;            /* the share of charges that always fail */
    int from, to;             /* windows, relative to the incident's time; both 0: all */
    bool from_back;           /* push the last trace first */
    int64_t ahead_ns[SHOP_SERVICES]; /* of their clocks: what spans and lines say too much */
    const char *symptom;
    const fl_change_record *changes; /* times are relative to the incident's */
    size_t change_count;
    const fl_alert_record *alerts; /* likewise; a fingerprint for each */
    size_t alert_count;

    uint64_t random; /* of the trace at hand */
    uint64_t trace, next_span;
    bool gave_up;
    fl_sink sink;
    uint32_t resources[SHOP_SERVICES];

    fl_roles *roles;
    fl_miner *miner;
    fl_timeline_builder *builder;
    const fl_timeline *timeline;
    fl_arena arena;
    fl_streams streams;
    fl_incident incident;
} shop;

static inline fl_status shop_classify(uint32_t *form, void *payload, uint32_t service,
                                      fl_slice line, int severity, fl_error *err)
{
    return fl_miner_add(form, payload, service, line, severity, err);
}

/* ---- chance ---- */

static inline uint64_t shop_mix(uint64_t x) /* splitmix64 */
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static inline double shop_uniform(shop *s)
{
    s->random = shop_mix(s->random);
    return (double)(s->random >> 11) / 9007199254740992.0;
}

/* Log-normal around `median`, a spread of a quarter. */
static inline double shop_vary(shop *s, double median)
{
    double u = shop_uniform(s), v = shop_uniform(s);
    return median * exp(0.25 * sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v));
}

/* The size of a fault that is on, or 0. */
static inline double shop_size(const shop *s, shop_kind kind, int at, int window)
{
    for (size_t i = 0; i < SHOP_MAX_FAULTS; i++)
        if (s->faults[i].kind == kind && s->faults[i].at == at && window >= s->faults[i].onset &&
            (s->faults[i].lasts == 0 || window < s->faults[i].onset + s->faults[i].lasts))
            return s->faults[i].size;
    return 0;
}

/* ---- records ---- */

static inline void shop_log(shop *s, int service, uint64_t span, int64_t at_ns, int severity,
                            const char *format)
{
    char text[128];
    fl_error err = {0};
    if (s->no_logs)
        return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), format, (unsigned)(s->trace % 100000));
#pragma GCC diagnostic pop
    fl_log log = {
        .time_ns = at_ns + s->ahead_ns[service], .severity = severity, .body = fl_slice_of(text)};
    if (!s->bare_lines) {
        log.trace = (fl_trace_id){.hi = 7, .lo = s->trace};
        log.span = span;
    }
    ck_assert_ok(s->sink.log(s->sink.payload, s->resources[service], &log, &err));
}

static inline void shop_span(shop *s, int service, const char *name, fl_span_kind kind, uint64_t id,
                             uint64_t parent, int64_t from_ns, int64_t to_ns, bool is_error)
{
    fl_error err = {0};
    if (s->no_traces)
        return;
    fl_span span = {.trace = {.hi = 7, .lo = s->trace},
                    .id = id,
                    .parent = parent,
                    .name = fl_slice_of(name),
                    .kind = kind,
                    .start_ns = from_ns + s->ahead_ns[service],
                    .end_ns = to_ns + s->ahead_ns[service],
                    .is_error = is_error};
    ck_assert_ok(s->sink.span(s->sink.payload, s->resources[service], &span, &err));
}

static inline int64_t shop_ns(double ms)
{
    return (int64_t)(ms * 1e6);
}

typedef struct shop_answer {
    int64_t end_ns;
    bool failed;  /* it threw, or gave up */
    bool refused; /* its caller is to give up */
} shop_answer;

static inline shop_answer shop_serve(shop *s, int operation, uint64_t parent, int64_t from_ns,
                                     int window);

/* A client span around the server's. */
static inline shop_answer shop_call(shop *s, int caller, int operation, uint64_t parent,
                                    int64_t from_ns, int window)
{
    uint64_t id = s->next_span++;
    int callee = shop_operations[operation].service;
    double wire = shop_vary(s, 1) + shop_size(s, SHOP_NETWORK, callee, window);
    shop_answer answer = shop_serve(s, operation, id, from_ns + shop_ns(wire / 2), window);
    answer.end_ns += shop_ns(wire / 2);
    shop_span(s, caller, "HTTP POST", FL_SPAN_CLIENT, id, parent, from_ns, answer.end_ns,
              answer.failed);
    return answer;
}

static inline shop_answer shop_throw(shop *s, const shop_operation *op, uint64_t id,
                                     uint64_t parent, int64_t from_ns, int64_t at_ns)
{
    shop_log(s, op->service, id, at_ns, 17,
             "db.Driver#77 java.lang.IllegalStateException: no price for item %u");
    shop_span(s, op->service, op->name, FL_SPAN_SERVER, id, parent, from_ns, at_ns, true);
    return (shop_answer){.end_ns = at_ns, .failed = true};
}

static inline shop_answer shop_serve(shop *s, int operation, uint64_t parent, int64_t from_ns,
                                     int window)
{
    const shop_operation *op = &shop_operations[operation];
    uint64_t id = s->next_span++;
    double slow = shop_size(s, SHOP_SLOW, operation, window),
           cpu = shop_size(s, SHOP_CPU, op->service, window);
    double self = shop_vary(s, op->self_ms) * (slow > 0 ? slow : 1) * (cpu > 0 ? 3 : 1);
    double piece = self / (op->call_count + 1);
    int64_t at_ns = from_ns + shop_ns(piece / 2);
    int calls = op->call_count - (shop_size(s, SHOP_VANISHED, operation, window) > 0);
    shop_log(s, op->service, id, at_ns, 9, op->begin);
    at_ns += shop_ns(piece / 2);
    double throws = shop_size(s, SHOP_EXCEPTION, operation, window);
    if (shop_uniform(s) < (throws > 0 ? throws : operation == CHARGE ? s->errors : 0))
        return shop_throw(s, op, id, parent, from_ns, at_ns);
    for (int i = 0; i < calls; i++) {
        shop_answer answer = shop_call(s, op->service, op->calls[i], id, at_ns, window);
        at_ns = answer.end_ns + shop_ns(piece);
        if (!answer.failed && !answer.refused)
            continue;
        shop_log(s, op->service, id, at_ns, 17, "http.Client#5 call failed for %u");
        shop_span(s, op->service, op->name, FL_SPAN_SERVER, id, parent, from_ns, at_ns, true);
        return (shop_answer){.end_ns = at_ns, .failed = true};
    }
    shop_log(s, op->service, id, at_ns, 9, op->end);
    shop_span(s, op->service, op->name, FL_SPAN_SERVER, id, parent, from_ns, at_ns, false);
    return (shop_answer){.end_ns = at_ns,
                         .refused =
                             shop_uniform(s) < shop_size(s, SHOP_REFUSAL, operation, window)};
}

static inline void shop_trace(shop *s, int window, uint64_t number)
{
    s->random = s->seed * 1000003 + number;
    s->trace = shop_mix(s->random) | 1;
    s->next_span = 1;
    int64_t from_ns = SHOP_AT + window * SHOP_MINUTE + shop_ns(58000 * shop_uniform(s));
    (void)shop_serve(s, shop_uniform(s) < 0.6 ? CHECKOUT : BROWSE, 0, from_ns, window);
}

static inline void shop_point(shop *s, int service, const char *metric, const char *unit,
                              int64_t time_ns, double value)
{
    fl_error err = {0};
    fl_point point = {.metric = fl_slice_of(metric),
                      .unit = fl_slice_of(unit),
                      .kind = FL_POINT_GAUGE,
                      .time_ns = time_ns,
                      .value = value};
    ck_assert_ok(s->sink.point(s->sink.payload, s->resources[service], &point, &err));
}

static inline void shop_metrics(shop *s, int window)
{
    s->random = s->seed * 7919 + (uint64_t)(window + 1000);
    for (int service = 0; service < SHOP_SERVICES; service++)
        for (int i = 0; i < SHOP_POINTS; i++) {
            int64_t time_ns = SHOP_AT + window * SHOP_MINUTE + i * SHOP_MINUTE / SHOP_POINTS;
            double cpu = shop_size(s, SHOP_CPU, service, window),
                   leak = shop_size(s, SHOP_LEAK, service, window);
            double share = shop_vary(s, 8 + 4 * service),
                   bytes = 2e8 * (1 + service) * (1 + 0.02 * shop_uniform(s));
            shop_point(s, service, "container.cpu.usage", "%", time_ns, cpu > 0 ? cpu : share);
            shop_point(s, service, "container.memory.usage", "By", time_ns,
                       leak > 0 ? bytes * pow(leak, window + 1) : bytes);
        }
}

/* Calls a request. A service's latency is its own time and its callees'; so are its errors. */
static const struct {
    int caller, callee;
    double calls;
} shop_edges[] = {{GATE, CART, 0.6}, {GATE, ORDERS, 0.6}, {GATE, STOCK, 0.4}, {GATE, PAY, 0.4},
                  {CART, STOCK, 1},  {ORDERS, STOCK, 1},  {ORDERS, PAY, 1},   {ORDERS, MAIL, 1}};
static const char *const shop_topology[] = {"gate",   "cart", "gate",   "orders", "gate",   "stock",
                                            "gate",   "pay",  "cart",   "stock",  "orders", "stock",
                                            "orders", "pay",  "orders", "mail"};
enum { SHOP_EDGES = sizeof(shop_edges) / sizeof(shop_edges[0]) };

static inline void shop_service_metrics(shop *s, int window)
{
    static const int callees_first[SHOP_SERVICES] = {MAIL, PAY, STOCK, CART, ORDERS, GATE};
    static const double requests[SHOP_SERVICES] = {
        [CART] = 600, [GATE] = 1000, [MAIL] = 600, [ORDERS] = 600, [PAY] = 1000, [STOCK] = 1600};
    double latency_s[SHOP_SERVICES], good[SHOP_SERVICES];
    s->random = s->seed * 104729 + (uint64_t)(window + 1000);
    for (int i = 0; i < SHOP_SERVICES; i++) {
        int service = callees_first[i];
        latency_s[service] = 0.01 * (1 + 0.05 * shop_uniform(s));
        good[service] = 1 - 0.01 * (0.5 + 0.5 * shop_uniform(s));
        for (int op = 0; op < SHOP_OPERATIONS; op++) {
            if (shop_operations[op].service != service)
                continue;
            latency_s[service] *= fmax(shop_size(s, SHOP_SLOW, op, window), 1);
            good[service] *= 1 - shop_size(s, SHOP_EXCEPTION, op, window);
        }
        for (int e = 0; e < SHOP_EDGES; e++)
            if (shop_edges[e].caller == service) {
                latency_s[service] += shop_edges[e].calls * latency_s[shop_edges[e].callee];
                good[service] *= 1 - shop_edges[e].calls * (1 - good[shop_edges[e].callee]);
            }
    }
    for (int service = 0; service < SHOP_SERVICES; service++) {
        int64_t time_ns = SHOP_AT + window * SHOP_MINUTE;
        double count = requests[service] * (0.95 + 0.1 * shop_uniform(s)) *
                       fmax(shop_size(s, SHOP_SURGE, 0, window), 1);
        shop_point(s, service, "service.requests", "{request}", time_ns, count);
        shop_point(s, service, "service.latency.mean", "s", time_ns, latency_s[service]);
        shop_point(s, service, "service.errors", "{request}", time_ns,
                   floor(count * (1 - good[service])));
    }
}

/* ---- from records to an answer ---- */

static inline void shop_window(shop *s, int window)
{
    double surge = fmax(shop_size(s, SHOP_SURGE, 0, window), 1);
    s->random = s->seed * 31 + (uint64_t)(window + 1000);
    uint64_t count = (uint64_t)(SHOP_TRACES * surge * (0.8 + 0.4 * shop_uniform(s)));
    for (uint64_t i = 0; i < count; i++)
        shop_trace(s, window,
                   (uint64_t)(window + 1000) * 1000 + (s->from_back ? count - 1 - i : i));
    if (!s->no_metrics)
        shop_metrics(s, window);
    if (s->has_service_metrics)
        shop_service_metrics(s, window);
}

static inline void shop_prepare(shop *s)
{
    fl_error err = {0};
    fl_slice yaml;
    s->arena = fl_arena_of(FL_MAX_STREAMS_BYTES);
    ck_assert_ok(fl_inputs_read(&yaml, FL_SOURCE_DIR "/schemas/metric-roles.yaml", 1 << 20,
                                &s->arena, &err));
    ck_assert_ok(fl_roles_create(&s->roles, &err));
    ck_assert_ok(fl_roles_add(s->roles, yaml, "metric-roles.yaml", &err));
    ck_assert_ok(fl_miner_create(&s->miner, FL_MAX_LOG_FORMS, FL_MAX_LOG_FORM_BYTES, &err));
    fl_timeline_options options = {.at_ns = SHOP_AT,
                                   .window_ns = SHOP_INCIDENT * SHOP_MINUTE,
                                   .step_ns = SHOP_MINUTE,
                                   .roles = s->roles,
                                   .classifier = {.payload = s->miner, .classify = shop_classify}};
    ck_assert_ok(fl_timeline_create(&s->builder, &options, &err));
    s->sink = fl_timeline_sink(s->builder, false);
    for (int i = 0; i < SHOP_SERVICES; i++) {
        int service = s->from_back ? SHOP_SERVICES - 1 - i : i;
        char pod[32];
        snprintf(pod, sizeof(pod), "%s-0", shop_services[service]);
        fl_resource resource = {.service = fl_slice_of(shop_services[service]),
                                .instance = fl_slice_of(pod)};
        ck_assert_ok(s->sink.resource(s->sink.payload, &resource, &s->resources[service], &err));
    }
}

static inline void shop_finish(shop *s)
{
    fl_error err = {0};
    ck_assert_ok(fl_miner_finish(s->miner, &err));
    size_t count = fl_miner_template_count(s->miner), forms = fl_miner_form_count(s->miner);
    fl_template *templates = fl_arena_alloc(&s->arena, count, sizeof(*templates));
    uint32_t *template_of = fl_arena_alloc(&s->arena, forms, sizeof(*template_of));
    ck_assert(templates != NULL && template_of != NULL);
    for (size_t i = 0; i < count; i++) {
        const fl_log_template *from = fl_miner_template(s->miner, i);
        templates[i] = (fl_template){.id = from->id,
                                     .text = from->text,
                                     .location = from->location,
                                     .severity = from->severity,
                                     .is_error = from->is_error};
    }
    for (size_t i = 0; i < forms; i++)
        template_of[i] = (uint32_t)fl_miner_template_of(s->miner, (uint32_t)i);
    fl_template_list list = {.templates = templates, .count = count, .template_of = template_of};
    ck_assert_ok(fl_timeline_finish(&s->timeline, s->builder, &list, shop_topology,
                                    s->has_service_metrics || s->has_topology ? SHOP_EDGES : 0,
                                    &err));
}

static inline void shop_change(shop *s, const fl_change_record *what)
{
    fl_error err = {0};
    fl_change_record change = *what;
    change.time_ns += SHOP_AT;
    ck_assert_ok(s->sink.change(s->sink.payload, &change, &err));
}

/* Records, timeline, streams, answer. The caller disposes. */
static inline void shop_run(shop *s)
{
    fl_error err = {0};
    bool all = s->from == 0 && s->to == 0;
    int from = all ? -SHOP_BASELINE : s->from, to = all ? SHOP_INCIDENT : s->to;
    shop_prepare(s);
    for (int i = from; i < to; i++)
        shop_window(s, s->from_back ? from + to - 1 - i : i);
    for (size_t i = 0; i < s->change_count; i++)
        shop_change(s, &s->changes[i]);
    for (size_t i = 0; i < s->alert_count; i++) {
        fl_alert_record alert = s->alerts[i];
        alert.starts_ns += SHOP_AT;
        ck_assert_ok(s->sink.alert(s->sink.payload, &alert, &err));
    }
    shop_finish(s);
    ck_assert_ok(fl_streams_build(&s->streams, s->timeline, &s->arena, &err));
    fl_rank_question question = {.symptom_service = s->symptom};
    s->incident.at_ns = SHOP_AT;
    ck_assert_ok(fl_rank(&s->incident, &s->streams, &question, &s->arena, &err));
}

static inline void shop_dispose(shop *s)
{
    fl_timeline_destroy(s->builder);
    fl_miner_destroy(s->miner);
    fl_roles_destroy(s->roles);
    fl_arena_dispose(&s->arena);
}

#endif
