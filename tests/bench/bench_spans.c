/*
 * bench_spans - spans in the formats of Zipkin and Jaeger, decoded to records.
 *
 * Bodies are made up: 40,000 spans with six tags each, of 200 traces. MB/s (10^6 bytes, best round,
 * CPU time of this process) beside jansson, which only builds its tree of the same bytes. The sink
 * counts.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "buf.h"
#include "jaeger.h"
#include "zipkin.h"

enum { TRACES = 200, SPANS = 200, ROUNDS = 7 };

typedef fl_status read_fn(fl_intake *to, fl_slice body, fl_error *err);

static uint64_t spans;

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    (void)payload;
    (void)resource;
    (void)err;
    *handle = 0;
    return FL_OK;
}

static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    (void)payload;
    (void)err;
    spans += span->attrs.count >= 6 && resource == 0;
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)payload;
    return fl_fail(err, FL_E_SYNTAX, reject->offset, "%s", reject->reason);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void make_zipkin(fl_buf *out)
{
    fl_buf_char(out, '[');
    for (unsigned i = 0; i < TRACES * SPANS; i++)
        fl_buf_printf(
            out,
            "%s{\"traceId\":\"%032x\",\"id\":\"%016x\",\"parentId\":\"%016x\",\"name\":\"get "
            "/orders\",\"kind\":\"CLIENT\",\"timestamp\":%u000000,\"duration\":%u,"
            "\"localEndpoint\":{\"serviceName\":\"shop\",\"ipv4\":\"10.0.0.%u\"},\"tags\":{"
            "\"http.method\":\"GET\",\"http.path\":\"/orders/%u\",\"http.status_code\":"
            "\"200\",\"peer.service\":\"orders\",\"retry\":\"0\",\"zone\":\"eu-1\"}}",
            i > 0 ? "," : "", 1 + i / SPANS, i + 1, i / 2 + 1, 1795379340 + i / 100, 100 + i % 900,
            i % 200, i);
    fl_buf_char(out, ']');
}

static void make_jaeger(fl_buf *out)
{
    fl_buf_text(out, "{\"data\":[");
    for (unsigned i = 0; i < TRACES * SPANS; i++) {
        if (i % SPANS == 0)
            fl_buf_printf(out, "%s{\"traceID\":\"%032x\",\"spans\":[", i > 0 ? "," : "",
                          1 + i / SPANS);
        fl_buf_printf(
            out,
            "%s{\"traceID\":\"%032x\",\"spanID\":\"%016x\",\"operationName\":\"GET /orders\","
            "\"references\":[{\"refType\":\"CHILD_OF\",\"traceID\":\"%032x\",\"spanID\":\"%016x\"}]"
            ","
            "\"startTime\":%u000000,\"duration\":%u,\"tags\":[{\"key\":\"span.kind\",\"type\":"
            "\"string\",\"value\":\"client\"},{\"key\":\"http.method\",\"type\":\"string\","
            "\"value\":"
            "\"GET\"},{\"key\":\"http.status_code\",\"type\":\"int64\",\"value\":200},{\"key\":"
            "\"http.url\",\"type\":\"string\",\"value\":\"/orders/"
            "%u\"},{\"key\":\"retry\",\"type\":"
            "\"bool\",\"value\":false},{\"key\":\"zone\",\"type\":\"string\",\"value\":\"eu-1\"}],"
            "\"logs\":[],\"processID\":\"p%u\",\"warnings\":null}",
            i % SPANS > 0 ? "," : "", 1 + i / SPANS, i + 1, 1 + i / SPANS, i / 2 + 1,
            1795379340 + i / 100, 100 + i % 900, i, i % 4);
        if (i % SPANS == SPANS - 1)
            fl_buf_text(out,
                        "],\"processes\":{\"p0\":{\"serviceName\":\"a\"},\"p1\":{\"serviceName\":"
                        "\"b\"},\"p2\":{\"serviceName\":\"c\"},\"p3\":{\"serviceName\":\"d\"}}}");
    }
    fl_buf_text(out, "]}");
}

/* The best round's seconds; jansson's where `read` is NULL. */
static double best_of(read_fn *read, fl_slice bytes)
{
    fl_sink sink = {.resource = on_resource, .span = on_span, .reject = on_reject};
    fl_intake to = {.sink = &sink, .source = "bench"};
    double best_s = 1e9;
    for (int round = 0; round < ROUNDS; round += read != NULL ? 1 : 3) {
        double from = seconds_now();
        json_t *tree =
            read == NULL ? json_loadb((const char *)bytes.ptr, bytes.len, 0, NULL) : NULL;
        if (read != NULL ? read(&to, bytes, NULL) != FL_OK : tree == NULL)
            exit(EXIT_FAILURE);
        json_decref(tree);
        double took = seconds_now() - from;
        best_s = took < best_s ? took : best_s;
    }
    return best_s;
}

static void bench(const char *name, read_fn *read, fl_slice bytes)
{
    double ours_s = best_of(read, bytes), theirs_s = best_of(NULL, bytes);
    double mb = (double)bytes.len / 1e6;
    printf("%-8s %8.1f MB/s, %.2f million spans/s (%zu bytes); jansson %.1f MB/s; ours / jansson = "
           "%.1f\n",
           name, mb / ours_s, TRACES * SPANS / ours_s / 1e6, bytes.len, mb / theirs_s,
           theirs_s / ours_s);
}

int main(void)
{
    fl_buf zipkin = fl_buf_of(256u << 20), jaeger = fl_buf_of(256u << 20);
    make_zipkin(&zipkin);
    make_jaeger(&jaeger);
    bench("Zipkin", fl_zipkin_json, fl_buf_slice(&zipkin));
    bench("Jaeger", fl_jaeger_json, fl_buf_slice(&jaeger));
    fl_buf_dispose(&zipkin);
    fl_buf_dispose(&jaeger);
    return spans == 2ull * ROUNDS * TRACES * SPANS ? EXIT_SUCCESS : EXIT_FAILURE;
}
