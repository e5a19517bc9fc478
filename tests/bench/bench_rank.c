/*
 * bench_rank.c - milliseconds of fl_streams_build and of fl_rank on a made-up timeline of the size
 * of a recorded one of 46 services.
 *
 *     bench_rank [ROUNDS]
 *
 * Process CPU time; the best round counts. One operation is slow and fails in the incident.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "faultline/limits.h"
#include "faultline/record.h"
#include "mem.h"
#include "rank.h"
#include "trace_streams.h"

enum {
    SERVICES = 46,
    OPERATIONS_EACH = 5, /* two of them client spans */
    OPERATIONS = SERVICES * OPERATIONS_EACH,
    WINDOWS = 12,
    INCIDENT_WINDOWS = 2,
    SPANS = 28000,
    LINES = 12000,
    TEMPLATES = 202,
    SERIES = 880,
    MAX_DEPTH = 6,
    CALLS = 2,
    FAULTY = 9 /* service */
};

static const int64_t minute_ns = INT64_C(60000000000);
static const int64_t ms_ns = INT64_C(1000000);

struct input {
    fl_arena arena;
    fl_timeline timeline;
    fl_span_row *spans;
    fl_span_log *lines;
    uint64_t random;
    uint32_t window;
    int64_t clock_ns;
};

static uint32_t next_random(struct input *in)
{
    in->random = in->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(in->random >> 33);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void *make(struct input *in, size_t count, size_t size)
{
    void *items = fl_arena_alloc(&in->arena, count, size);
    if (items == NULL)
        abort();
    return items;
}

static const char *name_of(struct input *in, const char *kind, uint32_t number)
{
    const char *name = fl_arena_printf(&in->arena, "%s-%03u", kind, number);
    if (name == NULL)
        abort();
    return name;
}

static uint32_t add_span(struct input *in, uint64_t trace, uint32_t parent, uint32_t operation)
{
    uint32_t span = (uint32_t)in->timeline.span_count++;
    in->spans[span] = (fl_span_row){.trace = trace,
                                    .id = span + 1,
                                    .parent = parent,
                                    .operation = operation,
                                    .entity = operation / OPERATIONS_EACH,
                                    .window = in->window,
                                    .start_ns = in->clock_ns};
    in->clock_ns += ms_ns / 8;
    return span;
}

static void end_span(struct input *in, uint32_t span)
{
    in->spans[span].duration_ns = in->clock_ns - in->spans[span].start_ns;
}

/* Up to three lines; the second follows the first, as in code. */
static void add_lines(struct input *in, uint32_t span, bool fails)
{
    uint32_t first = in->spans[span].operation * 3 % TEMPLATES;
    for (uint32_t i = 0; i < 3 && next_random(in) % 100 < 50 && in->timeline.span_log_count < LINES;
         i++)
        in->lines[in->timeline.span_log_count++] =
            (fl_span_log){.span = span,
                          .template_index = fails && i > 0 ? 0 : (first + i) % TEMPLATES,
                          .time_ns = in->clock_ns + i};
}

/* A server span, and client spans around what it calls. */
static void serve(struct input *in, uint64_t trace, uint32_t parent, uint32_t service, int depth)
{
    uint32_t operation = service * OPERATIONS_EACH + next_random(in) % 3;
    uint32_t span = add_span(in, trace, parent, operation);
    bool faulty = service == FAULTY && in->window >= WINDOWS - INCIDENT_WINDOWS;
    bool fails = faulty && next_random(in) % 2 == 0;
    add_lines(in, span, fails);
    for (uint32_t i = 0; i < CALLS && depth < MAX_DEPTH && !fails; i++) {
        uint32_t callee = (service * 7 + operation % 3 + i * 11 + 1) % SERVICES;
        if (in->timeline.span_count + 2 * MAX_DEPTH > SPANS || next_random(in) % 100 < 25)
            continue;
        uint32_t client = add_span(in, trace, span, service * OPERATIONS_EACH + 3 + i);
        serve(in, trace, client, callee, depth + 1);
        end_span(in, client);
    }
    in->clock_ns += ms_ns * (1 + next_random(in) % 4) * (faulty ? 20 : 1);
    in->spans[span].is_error = fails;
    end_span(in, span);
}

static void make_spans(struct input *in)
{
    in->spans = make(in, SPANS + 64, sizeof(*in->spans));
    in->lines = make(in, LINES, sizeof(*in->lines));
    for (uint64_t trace = 1; in->timeline.span_count + 2 * MAX_DEPTH <= SPANS; trace++) {
        in->window = (uint32_t)(trace % WINDOWS);
        in->clock_ns = in->window * minute_ns + next_random(in) % 50000 * ms_ns;
        serve(in, trace, FL_NO_INDEX, next_random(in) % 6, 0);
    }
}

static void make_names(struct input *in)
{
    fl_timeline *t = &in->timeline;
    const char **services = make(in, SERVICES, sizeof(*services));
    fl_entity *entities = make(in, SERVICES, sizeof(*entities));
    fl_operation *operations = make(in, OPERATIONS, sizeof(*operations));
    fl_template *templates = make(in, TEMPLATES, sizeof(*templates));
    fl_window *windows = make(in, WINDOWS, sizeof(*windows));
    for (uint32_t i = 0; i < SERVICES; i++) {
        services[i] = name_of(in, "service", i);
        entities[i] = (fl_entity){.service = i};
    }
    for (uint32_t i = 0; i < OPERATIONS; i++)
        operations[i] =
            (fl_operation){.service = i / OPERATIONS_EACH, .name = name_of(in, "operation", i)};
    for (uint32_t i = 0; i < TEMPLATES; i++)
        templates[i] = (fl_template){.id = i + 1,
                                     .text = name_of(in, "line", i),
                                     .severity = i == 0 ? 17 : 9,
                                     .is_error = i == 0};
    for (uint32_t i = 0; i < WINDOWS; i++)
        windows[i] = (fl_window){.from_ns = i * minute_ns,
                                 .to_ns = (i + 1) * minute_ns,
                                 .incident = i >= WINDOWS - INCIDENT_WINDOWS,
                                 .has_spans = true,
                                 .has_logs = true,
                                 .has_metrics = true};
    t->services = services, t->service_count = SERVICES;
    t->entities = entities, t->entity_count = SERVICES;
    t->operations = operations, t->operation_count = OPERATIONS;
    t->templates = templates, t->template_count = TEMPLATES;
    t->windows = windows, t->window_count = WINDOWS;
    t->at_ns = (WINDOWS - INCIDENT_WINDOWS) * minute_ns;
    t->step_ns = minute_ns;
    t->span_sampling = t->log_sampling = 1;
}

static void make_metrics(struct input *in)
{
    static const fl_role roles[] = {FL_ROLE_CPU, FL_ROLE_MEMORY, FL_ROLE_NETWORK, FL_ROLE_DISK,
                                    FL_ROLE_TRAFFIC};
    fl_metric_series *series = make(in, SERIES, sizeof(*series));
    for (uint32_t i = 0; i < SERIES; i++) {
        double *values = make(in, WINDOWS, sizeof(*values));
        for (uint32_t w = 0; w < WINDOWS; w++)
            values[w] = 20 + next_random(in) % 10;
        series[i] =
            (fl_metric_series){.entity = i % SERVICES,
                               .name = name_of(in, "metric", i / SERVICES),
                               .attributes = "",
                               .unit = "",
                               .role = roles[i / SERVICES % 5],
                               .scale = i / SERVICES % 5 < 2 ? FL_SCALE_SHARE : FL_SCALE_VALUE,
                               .share_of = 100,
                               .bad_when = 1,
                               .values = values};
    }
    in->timeline.metrics = series;
    in->timeline.metric_series_count = SERIES;
}

static void make_input(struct input *in)
{
    *in = (struct input){.arena = fl_arena_of(FL_MAX_TIMELINE_BYTES), .random = 1};
    make_names(in);
    make_spans(in);
    make_metrics(in);
    in->timeline.spans = in->spans;
    in->timeline.span_logs = in->lines;
    in->timeline.span_records = in->timeline.span_count;
    in->timeline.log_records = in->timeline.span_log_count;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 9;
    double streams_ms = INFINITY, rank_ms = INFINITY;
    size_t bytes = 0;
    fl_incident incident = {0};
    static struct input in;
    make_input(&in);
    for (int i = 0; i < rounds; i++) {
        fl_arena arena = fl_arena_of(FL_MAX_STREAMS_BYTES);
        fl_rank_question question = {0};
        fl_streams streams;
        double start = now_ms();
        if (fl_streams_build(&streams, &in.timeline, &arena, NULL) != FL_OK)
            return EXIT_FAILURE;
        double built = now_ms();
        if (fl_rank(&incident, &streams, &question, &arena, NULL) != FL_OK)
            return EXIT_FAILURE;
        double ranked = now_ms();
        streams_ms = fmin(streams_ms, built - start);
        rank_ms = fmin(rank_ms, ranked - built);
        bytes = arena.used_bytes;
        if (i + 1 == rounds)
            printf(
                "%zu spans, %zu lines, %d metric series, %d windows; %zu contexts, %zu "
                "transitions, %zu durations, %zu edges\n"
                "first: %s, %s, %.1f nats\n",
                in.timeline.span_count, in.timeline.span_log_count, SERIES, WINDOWS,
                streams.context_count, streams.row_count, streams.value_count, streams.edge_count,
                incident.hypothesis_count > 0 ? incident.hypotheses[0].service : "-",
                incident.hypothesis_count > 0 ? fl_cause_name(incident.hypotheses[0].cause) : "-",
                incident.hypothesis_count > 0 ? incident.hypotheses[0].score : 0.0);
        fl_arena_dispose(&arena);
    }
    printf("streams %.1f ms, rank %.1f ms, best of %d; %.1f MB\n", streams_ms, rank_ms, rounds,
           (double)bytes * 1e-6);
    fl_arena_dispose(&in.arena);
    return EXIT_SUCCESS;
}
