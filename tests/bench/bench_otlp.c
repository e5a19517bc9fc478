/*
 * bench_otlp.c - OTLP decoding to records in MB/s of one core, with jansson over the same lines in
 * the same run.
 *
 * usage: bench_otlp [-r ROUNDS] FILE...
 *
 * JSON lines (plain, .gz or .zst) or protobuf messages each behind its length, as
 * tests/support/otlp_json_to_proto.py makes them from JSON. Everything is decompressed to memory
 * first. Figures are process CPU time, the best of ROUNDS (default 7), per file and for all of a
 * form.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "faultline/record.h"
#include "otlp.h"
#include "stream.h"

enum { ROUNDS = 7, MESSAGE_PREFIX = 4 };

/* What the sink saw; the sum keeps the compiler from leaving a field out. */
typedef struct tally {
    uint64_t records, rejects, sum;
} tally;

static uint64_t touch_attrs(fl_attrs attrs)
{
    uint64_t sum = attrs.count;
    for (size_t i = 0; i < attrs.count; i++)
        sum += attrs.items[i].key.len + attrs.items[i].value.text.len;
    return sum;
}

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    (void)err;
    tally *seen = payload;
    seen->sum += resource->service.len + touch_attrs(resource->attrs);
    *handle = 0;
    return FL_OK;
}

static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    (void)err;
    tally *seen = payload;
    seen->records++;
    seen->sum += resource + span->trace.lo + span->id + span->parent + span->name.len +
                 (uint64_t)(span->end_ns - span->start_ns) + touch_attrs(span->attrs);
    return FL_OK;
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    (void)err;
    tally *seen = payload;
    seen->records++;
    seen->sum += resource + (uint64_t)log->time_ns + log->body.len + log->trace.hi + log->span +
                 touch_attrs(log->attrs);
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    (void)err;
    tally *seen = payload;
    uint64_t bits;
    memcpy(&bits, &point->value, sizeof(bits));
    seen->records++;
    seen->sum +=
        resource + (uint64_t)point->time_ns + bits + point->metric.len + touch_attrs(point->attrs);
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)err;
    tally *seen = payload;
    seen->rejects += reject->records;
    return FL_OK;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static fl_slice load(const char *path)
{
    fl_stream *in = NULL;
    fl_error err = {0};
    unsigned char *bytes = NULL;
    size_t len = 0, cap = 0, got = 1;
    if (fl_stream_open(&in, path, &err) != FL_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(EXIT_FAILURE);
    }
    while (got > 0) {
        if (len == cap) {
            cap = cap == 0 ? 1 << 20 : 2 * cap;
            bytes = realloc(bytes, cap);
        }
        if (bytes == NULL || fl_stream_read(in, bytes + len, cap - len, &got, &err) != FL_OK) {
            fprintf(stderr, "%s: %s\n", path, err.message);
            exit(EXIT_FAILURE);
        }
        len += got;
    }
    fl_stream_close(in);
    return (fl_slice){bytes, len};
}

static bool next_line(fl_slice text, size_t *at, fl_slice *line)
{
    if (*at >= text.len)
        return false;
    const unsigned char *feed = memchr(text.ptr + *at, '\n', text.len - *at);
    size_t end = feed != NULL ? (size_t)(feed - text.ptr) : text.len;
    *line = (fl_slice){text.ptr + *at, end - *at};
    *at = end + 1;
    return true;
}

static void decode_json(fl_otlp *otlp, fl_slice text)
{
    fl_slice line;
    for (size_t at = 0; next_line(text, &at, &line);)
        if (line.len > 0 && fl_otlp_json(otlp, line, "bench", 1, 0, NULL) != FL_OK)
            exit(EXIT_FAILURE);
}

static void decode_proto(fl_otlp *otlp, fl_slice bytes)
{
    for (size_t at = 0; at + MESSAGE_PREFIX <= bytes.len;) {
        const unsigned char *p = bytes.ptr + at;
        size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        fl_slice message = {p + MESSAGE_PREFIX, len};
        if (fl_otlp_proto(otlp, message, FL_OTLP_UNKNOWN, "bench", 0, NULL) != FL_OK)
            exit(EXIT_FAILURE);
        at += MESSAGE_PREFIX + len;
    }
}

static void decode_jansson(fl_otlp *otlp, fl_slice text)
{
    fl_slice line;
    (void)otlp;
    for (size_t at = 0; next_line(text, &at, &line);) {
        if (line.len == 0)
            continue;
        json_t *doc = json_loadb((const char *)line.ptr, line.len, 0, NULL);
        if (doc == NULL)
            exit(EXIT_FAILURE);
        json_decref(doc);
    }
}

static double best_seconds(void (*decode)(fl_otlp *, fl_slice), fl_otlp *otlp, fl_slice bytes,
                           int rounds)
{
    double best = INFINITY;
    for (int i = 0; i < rounds; i++) {
        double start = cpu_seconds();
        decode(otlp, bytes);
        best = fmin(best, cpu_seconds() - start);
    }
    return best;
}

typedef struct total {
    double bytes, seconds, jansson_seconds;
    uint64_t records;
} total;

static void bench_file(const char *path, int rounds, total *json, total *proto)
{
    tally seen = {0};
    fl_sink sink = {.payload = &seen,
                    .resource = on_resource,
                    .span = on_span,
                    .log = on_log,
                    .point = on_point,
                    .reject = on_reject};
    fl_otlp *otlp = NULL;
    fl_slice bytes = load(path);
    if (fl_otlp_create(&otlp, &sink, NULL) != FL_OK)
        exit(EXIT_FAILURE);
    bool is_json = bytes.len > 0 && bytes.ptr[0] == '{';
    total *sum = is_json ? json : proto;
    double seconds = best_seconds(is_json ? decode_json : decode_proto, otlp, bytes, rounds);
    double jansson = is_json ? best_seconds(decode_jansson, otlp, bytes, rounds > 3 ? 3 : 1) : 0;
    uint64_t records = seen.records / (uint64_t)rounds;
    sum->bytes += (double)bytes.len;
    sum->seconds += seconds;
    sum->jansson_seconds += jansson;
    sum->records += records;
    printf("%-8s %7.2f MB %8" PRIu64 " records %5" PRIu64 " rejects %7.0f MB/s",
           is_json ? "json" : "protobuf", (double)bytes.len / 1e6, records,
           seen.rejects / (uint64_t)rounds, (double)bytes.len / 1e6 / seconds);
    if (is_json)
        printf("  jansson %5.0f MB/s  x%.1f", (double)bytes.len / 1e6 / jansson, jansson / seconds);
    printf("  %s\n", path);
    fl_otlp_destroy(otlp);
    free((void *)(uintptr_t)bytes.ptr);
}

static void show_total(const char *form, const total *sum)
{
    if (sum->seconds == 0)
        return;
    printf("all %-8s %7.2f MB %8" PRIu64 " records %7.0f MB/s %6.2f M records/s", form,
           sum->bytes / 1e6, sum->records, sum->bytes / 1e6 / sum->seconds,
           (double)sum->records / 1e6 / sum->seconds);
    if (sum->jansson_seconds > 0)
        printf("  jansson %.0f MB/s  x%.1f", sum->bytes / 1e6 / sum->jansson_seconds,
               sum->jansson_seconds / sum->seconds);
    printf("\n");
}

int main(int argc, char **argv)
{
    int rounds = ROUNDS, first = 1;
    total json = {0}, proto = {0};
    if (argc > 2 && strcmp(argv[1], "-r") == 0) {
        rounds = (int)strtol(argv[2], NULL, 10);
        first = 3;
    }
    if (first >= argc || rounds < 1) {
        fprintf(stderr, "usage: bench_otlp [-r ROUNDS] FILE...\n");
        return 2;
    }
    for (int i = first; i < argc; i++)
        bench_file(argv[i], rounds, &json, &proto);
    show_total("json", &json);
    show_total("protobuf", &proto);
    return EXIT_SUCCESS;
}
