/*
 * bench_watch_cases.c - recorded or made-up spans told to the watch as they would have come: which
 * services it calls broken, and when.
 *
 *     bench_watch_cases FILE...        OTLP files of one system
 *
 * Each span comes five seconds after it ended, and the clock goes in steps of ten seconds to a
 * minute behind the last. A line for each break: kind, service, onset and when it was told, in
 * seconds since the epoch; then one with the first and the last second of the spans, and the
 * entries. tests/bench/watch_cases.py asks it about labelled cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "otlp.h"
#include "sink_none.h"
#include "watch.h"

#define NS INT64_C(1000000000)
enum { MAX_SPANS = 4 << 20, MAX_NAME = 96, MAX_RESOURCES = 4096 };

/* Names are cut to fit, which no made-up name needs. */
typedef struct kept_span {
    fl_trace_id trace;
    uint64_t id, parent;
    int64_t start_ns, end_ns;
    uint32_t resource;
    unsigned char kind, name_bytes;
    bool is_error;
    char name[MAX_NAME];
} kept_span;

static kept_span *spans;
static size_t span_count, resource_count;
static char resources[MAX_RESOURCES][MAX_NAME];
static int64_t clock_ns;

static fl_status take_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    (void)payload, (void)err;
    if (resource_count == MAX_RESOURCES)
        exit(3);
    snprintf(resources[resource_count], MAX_NAME, "%.*s", (int)resource->service.len,
             (const char *)resource->service.ptr);
    *handle = (uint32_t)resource_count++;
    return FL_OK;
}

static fl_status take_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    (void)payload, (void)err;
    if (span_count == MAX_SPANS)
        exit(3);
    kept_span *out = &spans[span_count++];
    *out = (kept_span){.trace = span->trace,
                       .id = span->id,
                       .parent = span->parent,
                       .start_ns = span->start_ns,
                       .end_ns = span->end_ns,
                       .resource = resource,
                       .kind = (unsigned char)span->kind,
                       .is_error = span->is_error};
    out->name_bytes = (unsigned char)(span->name.len < MAX_NAME ? span->name.len : MAX_NAME);
    memcpy(out->name, span->name.ptr, out->name_bytes);
    return FL_OK;
}

static int compare_spans(const void *left, const void *right)
{
    const kept_span *a = left, *b = right;
    if (a->end_ns != b->end_ns)
        return a->end_ns < b->end_ns ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static fl_status note(void *payload, const fl_sign *sign, fl_error *err)
{
    (void)payload, (void)err;
    if (sign->cleared_ns == 0)
        printf("%s %s %.0f %.0f\n", fl_sign_kind_name(sign->kind), sign->service,
               (double)sign->onset_ns / 1e9, (double)clock_ns / 1e9);
    return FL_OK;
}

static void stream(fl_watch *watch)
{
    const fl_sink *sink = fl_watch_sink(watch);
    uint32_t handles[MAX_RESOURCES];
    size_t next = 0;
    int64_t last_ns = spans[span_count - 1].end_ns;
    for (size_t i = 0; i < resource_count; i++) {
        fl_resource resource = {
            .service = {(const unsigned char *)resources[i], strlen(resources[i])}};
        if (sink->resource(sink->payload, &resource, &handles[i], NULL) != FL_OK)
            exit(1);
    }
    for (clock_ns = spans[0].end_ns + NS; clock_ns < last_ns + 60 * NS; clock_ns += 10 * NS) {
        if (fl_watch_advance(watch, clock_ns, note, NULL, NULL) != FL_OK)
            exit(1);
        for (; next < span_count && spans[next].end_ns + 5 * NS <= clock_ns; next++) {
            const kept_span *s = &spans[next];
            const fl_span span = {.trace = s->trace,
                                  .id = s->id,
                                  .parent = s->parent,
                                  .name = {(const unsigned char *)s->name, s->name_bytes},
                                  .kind = (fl_span_kind)s->kind,
                                  .start_ns = s->start_ns,
                                  .end_ns = s->end_ns,
                                  .is_error = s->is_error};
            if (sink->span(sink->payload, handles[s->resource], &span, NULL) != FL_OK)
                exit(1);
        }
    }
    printf("seen %.0f %.0f %zu\n", (double)spans[0].end_ns / 1e9, (double)last_ns / 1e9,
           fl_watch_stats_of(watch).entries);
}

int main(int count, char **words)
{
    fl_otlp *otlp;
    fl_watch *watch;
    fl_error err = {0};
    fl_sink sink = fl_sink_none(NULL);
    sink.resource = take_resource;
    sink.span = take_span;
    const fl_watch_options options = {0};
    spans = fl_mem_calloc(MAX_SPANS, sizeof(*spans));
    if (spans == NULL || fl_otlp_create(&otlp, &sink, &err) != FL_OK ||
        fl_watch_create(&watch, &options, &err) != FL_OK)
        return 1;
    for (int i = 1; i < count; i++)
        if (fl_otlp_file(otlp, words[i], &err) != FL_OK) {
            (void)fprintf(stderr, "%s: %s\n", words[i], err.message);
            return 1;
        }
    qsort(spans, span_count, sizeof(*spans), compare_spans);
    if (span_count > 0)
        stream(watch);
    fl_watch_destroy(watch);
    fl_otlp_destroy(otlp);
    fl_mem_free(spans);
    return 0;
}
