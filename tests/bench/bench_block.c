/*
 * bench_block.c - bytes a record on disk, and records a second, of blocks.
 *
 *     bench_block FILE...
 *
 * Each FILE is OTLP, or a saved answer of Prometheus' HTTP API (plain, gzip or zstd). "plain" is
 * what the file has without compression, "zstd" what the same level makes of that as it stands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "block.h"
#include "otlp.h"
#include "prometheus.h"
#include "stream.h"

enum { ROUNDS = 3, ZSTD_LEVEL = 6 };

static void die(const char *what)
{
    fprintf(stderr, "bench_block: %s\n", what);
    exit(EXIT_FAILURE);
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static fl_slice read_all(fl_stream_block *block, const char *path)
{
    fl_error err = {0};
    fl_stream *stream;
    fl_slice all;
    if (fl_stream_open(&stream, path, &err) != FL_OK ||
        fl_stream_read_all(&all, block, stream, (size_t)1 << 31, &err) != FL_OK)
        die(err.message);
    fl_stream_close(stream);
    return all;
}

static void push_file(const fl_sink *sink, const char *path, fl_slice plain)
{
    fl_error err = {0};
    fl_otlp *otlp;
    fl_prometheus *prometheus;
    const fl_intake intake = {.sink = sink, .source = path};
    if (fl_otlp_create(&otlp, sink, &err) != FL_OK ||
        fl_prometheus_create(&prometheus, &intake, &err) != FL_OK)
        die(err.message);
    fl_status status = fl_otlp_file(otlp, path, &err);
    if (status == FL_E_UNSUPPORTED) {
        err = (fl_error){0};
        status = fl_prometheus_answer(prometheus, plain, &err);
    }
    if (status != FL_OK)
        die(err.message);
    fl_prometheus_destroy(prometheus);
    fl_otlp_destroy(otlp);
}

static uint64_t told;

static fl_status count_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                                fl_error *err)
{
    (void)payload;
    (void)resource;
    (void)err;
    *handle = 0;
    return FL_OK;
}

static fl_status count_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    (void)payload;
    (void)err;
    told += resource == 0 && span->id != 0;
    return FL_OK;
}

static fl_status count_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    (void)payload;
    (void)err;
    told += resource == 0 && log != NULL;
    return FL_OK;
}

static fl_status count_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    (void)payload;
    (void)err;
    told += resource == 0 && point != NULL;
    return FL_OK;
}

static size_t zstd_len(fl_slice plain)
{
    size_t cap = ZSTD_compressBound(plain.len);
    void *bytes = malloc(cap);
    size_t len = ZSTD_compress(bytes, cap, plain.ptr, plain.len, ZSTD_LEVEL);
    free(bytes);
    return len;
}

static void time_file(const char *path)
{
    static const fl_sink counting = {
        .resource = count_resource, .span = count_span, .log = count_log, .point = count_point};
    fl_error err = {0};
    fl_stream_block memory = {0};
    fl_slice plain = read_all(&memory, path);
    fl_buf block = fl_buf_of((size_t)1 << 30);
    fl_block_writer *writer;
    double gather = 1e9, finish = 1e9, read = 1e9;
    uint64_t records = 0;
    if (fl_block_writer_create(&writer, (size_t)1 << 31, &err) != FL_OK)
        die(err.message);
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_s();
        push_file(fl_block_writer_sink(writer), path, plain);
        double gathered = cpu_s();
        records = fl_block_writer_records(writer);
        fl_buf_clear(&block);
        if (fl_block_finish(&block, writer, &err) != FL_OK)
            die(err.message);
        double finished = cpu_s();
        told = 0;
        if (fl_block_read(fl_buf_slice(&block), &counting, &err) != FL_OK || told != records)
            die(err.message);
        double done = cpu_s();
        gather = gathered - start < gather ? gathered - start : gather;
        finish = finished - gathered < finish ? finished - gathered : finish;
        read = done - finished < read ? done - finished : read;
    }
    double count = (double)records;
    printf("%-32.32s %9.0f records %6.2f bytes each; plain/block %6.1f, zstd/block %4.1f; "
           "1000/s: decode and gather %5.0f, finish %5.0f, read %5.0f\n",
           strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path, count,
           (double)block.len / count, (double)plain.len / (double)block.len,
           (double)zstd_len(plain) / (double)block.len, count / gather / 1000,
           count / finish / 1000, count / read / 1000);
    fl_block_writer_destroy(writer);
    fl_buf_dispose(&block);
    free(memory.ptr);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        die("usage: bench_block FILE...");
    for (int i = 1; i < argc; i++)
        time_file(argv[i]);
    return EXIT_SUCCESS;
}
