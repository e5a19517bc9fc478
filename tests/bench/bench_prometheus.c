/*
 * bench_prometheus WRITE.snappy - remote write and a matrix answer, decoded to points.
 *
 * The recorded request is decoded again and again: samples a second, and MB/s of its protobuf. An
 * answer of query_range is made up: 500 series of 2,000 samples with the recorded shape of labels
 * and values; MB/s beside jansson, which only builds its tree of the same bytes. 10^6 bytes, best
 * round, CPU time of this process. The sink counts.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "buf.h"
#include "prometheus.h"
#include "snappy.h"

enum { MAX_BYTES = 1 << 20, REPEATS = 200, ROUNDS = 9, SERIES = 500, SAMPLES = 2000 };

static uint64_t points;

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    (void)payload;
    (void)resource;
    (void)err;
    *handle = 0;
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    (void)payload;
    (void)err;
    points += 1 + resource + (point->value < -1e300);
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

static void make_matrix(fl_buf *out)
{
    uint64_t random = 1;
    fl_buf_text(out, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[");
    for (unsigned s = 0; s < SERIES; s++) {
        fl_buf_printf(out,
                      "%s{\"metric\":{\"__name__\":\"http_requests_total\",\"code\":\"200\","
                      "\"handler\":\"/api/v1/query\",\"instance\":\"10.0.0.%u:9090\",\"job\":"
                      "\"prometheus\"},\"values\":[",
                      s > 0 ? "," : "", s);
        for (unsigned i = 0; i < SAMPLES; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            double share = (double)(random >> 11) / 9007199254740992.0;
            fl_buf_printf(out, "%s[%u,\"%.16g\"]", i > 0 ? "," : "", 1795379340 + 15 * i, share);
        }
        fl_buf_text(out, "]}");
    }
    fl_buf_text(out, "]}}");
}

static double best_of_writes(fl_prometheus *p, fl_slice body)
{
    double best_s = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double from = seconds_now();
        for (int i = 0; i < REPEATS; i++)
            if (fl_prometheus_write(p, body, NULL) != FL_OK)
                exit(EXIT_FAILURE);
        double took = seconds_now() - from;
        best_s = took < best_s ? took : best_s;
    }
    return best_s / REPEATS;
}

static double best_of_answers(fl_prometheus *p, fl_slice body, bool with_jansson)
{
    double best_s = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double from = seconds_now();
        if (with_jansson) {
            json_t *tree = json_loadb((const char *)body.ptr, body.len, 0, NULL);
            if (tree == NULL)
                exit(EXIT_FAILURE);
            json_decref(tree);
            round += 3; /* it takes long */
        } else if (fl_prometheus_answer(p, body, NULL) != FL_OK) {
            exit(EXIT_FAILURE);
        }
        double took = seconds_now() - from;
        best_s = took < best_s ? took : best_s;
    }
    return best_s;
}

int main(int argc, char **argv)
{
    static unsigned char bytes[MAX_BYTES];
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: bench_prometheus WRITE.snappy\n");
        return 2;
    }
    fl_slice body = {.ptr = bytes, .len = fread(bytes, 1, sizeof(bytes), file)}, plain;
    fclose(file);
    fl_arena arena = fl_arena_of(64 << 20);
    fl_sink sink = {.resource = on_resource, .point = on_point, .reject = on_reject};
    fl_intake to = {.sink = &sink, .source = argv[1]};
    fl_prometheus *p;
    if (fl_snappy_decode(&plain, body, 64 << 20, &arena, NULL) != FL_OK ||
        fl_prometheus_create(&p, &to, NULL) != FL_OK)
        return EXIT_FAILURE;
    double write_s = best_of_writes(p, body);
    uint64_t samples = fl_prometheus_counts_of(p)->samples / (ROUNDS * REPEATS);
    printf("remote write   %8.1f MB/s of protobuf, %.2f million samples/s\n",
           (double)plain.len / write_s / 1e6, (double)samples / write_s / 1e6);
    fl_buf matrix = fl_buf_of(256u << 20);
    make_matrix(&matrix);
    double ours = (double)matrix.len / best_of_answers(p, fl_buf_slice(&matrix), false) / 1e6;
    double theirs = (double)matrix.len / best_of_answers(p, fl_buf_slice(&matrix), true) / 1e6;
    printf("matrix answer  %8.1f MB/s (%zu bytes); jansson %.1f MB/s; ours / jansson = %.1f\n",
           ours, matrix.len, theirs, ours / theirs);
    fl_prometheus_destroy(p);
    fl_buf_dispose(&matrix);
    fl_arena_dispose(&arena);
    return EXIT_SUCCESS;
}
