/*
 * bench_block.c - bytes a record on disk, and records a second, of blocks.
 *
 *     bench_block [--columns] FILE...
 *
 * Each FILE is OTLP, or a saved answer of Prometheus' HTTP API (plain, gzip or zstd). "plain" is
 * what the file has without compression, "zstd" what the same level makes of that as it stands.
 * --columns tells what a block's bytes are: all columns of one meaning, written as a block has
 * them and compressed by themselves. Together they are about the block: what zstd finds in common
 * between them is missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "block_priv.h"
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

/* What the columns of a group mean, by the group's kind: fixed ones first, then those of texts,
 * then attributes. */
enum { ROLES = 24 };
typedef struct roles {
    const char *names[ROLES];
    fl_buf bytes[ROLES];
    size_t count;
    uint64_t cells[ROLES];
} roles;

static fl_buf *role_of(roles *all, const char *name, size_t cells)
{
    size_t i = 0;
    while (i < all->count && strcmp(all->names[i], name) != 0)
        i++;
    if (i == ROLES)
        die("too many roles");
    if (i == all->count) {
        all->names[all->count] = name;
        all->bytes[all->count++] = fl_buf_of((size_t)1 << 30);
    }
    all->cells[i] += cells;
    return &all->bytes[i];
}

/* As rows_write.c does, but for the index: each text once, where it comes first. */
static void put_texts(fl_buf *out, const fl_rows_column *column, size_t rows)
{
    const unsigned char *end = NULL;
    for (size_t i = 0; i < rows; i++) {
        if (column->texts[i].ptr >= end) {
            fl_buf_add(out, column->texts[i]);
            end = column->texts[i].ptr + column->texts[i].len;
        } else {
            fl_column_put_count(out, (uint64_t)(end - column->texts[i].ptr));
        }
    }
}

static void put_column(fl_buf *out, const fl_rows_column *column, size_t rows)
{
    if (column->kind == FL_COLUMN_I64)
        fl_column_put_i64(out, column->integers, rows);
    else if (column->kind == FL_COLUMN_F64)
        fl_column_put_f64(out, column->reals, rows);
    else
        put_texts(out, column, rows);
}

static const char *role_name(const fl_rows_group *group, size_t column)
{
    static const char *const of_log[] = {"log: time", "log: trace", "log: span"};
    static const char *const of_span[] = {"span: trace", "span: id",       "span: parent",
                                          "span: start", "span: duration", "span: events"};
    static const char *const of_point[] = {"point: start", "point: time", "point: value"};
    fl_column_kind kind = group->columns[column].kind;
    switch (group->key.ptr[0]) {
    case BLOCK_RESOURCES:
        return "resources";
    case BLOCK_TRACES:
        return "ids of traces";
    case BLOCK_IDS:
        return "ids of spans";
    case BLOCK_UUIDS:
        return "ids in texts and attributes";
    case BLOCK_NUMBERS:
        return of_point[column];
    case BLOCK_LOGS:
        return column < 3               ? of_log[column]
               : kind != FL_COLUMN_TEXT ? "log: integers of texts and attributes"
                                        : "log: words of texts and attributes";
    case BLOCK_SPANS:
        return column < 6               ? of_span[column]
               : kind != FL_COLUMN_TEXT ? "span: integers of texts and attributes"
                                        : "span: words of texts and attributes";
    default:
        return "others";
    }
}

static fl_status add_group(void *context, const fl_rows_group *group, fl_error *err)
{
    fl_buf *keys = role_of(context, "keys of groups", 1);
    (void)err;
    fl_buf_add(keys, group->key);
    for (size_t i = 0; i < group->column_count; i++)
        put_column(role_of(context, role_name(group, i), group->row_count), &group->columns[i],
                   group->row_count);
    return FL_OK;
}

static void tell_columns(const char *path)
{
    fl_error err = {0};
    fl_stream_block memory = {0};
    fl_slice plain = read_all(&memory, path);
    fl_buf block = fl_buf_of((size_t)1 << 30);
    fl_block_writer *writer;
    static roles all;
    if (fl_block_writer_create(&writer, (size_t)1 << 31, &err) != FL_OK)
        die(err.message);
    push_file(fl_block_writer_sink(writer), path, plain);
    double count = (double)fl_block_writer_records(writer);
    if (fl_block_finish(&block, writer, &err) != FL_OK)
        die(err.message);
    size_t cap = (size_t)ZSTD_getFrameContentSize(block.ptr + BLOCK_HEAD_BYTES,
                                                  block.len - BLOCK_HEAD_BYTES);
    unsigned char *rows = malloc(cap);
    size_t len =
        ZSTD_decompress(rows, cap, block.ptr + BLOCK_HEAD_BYTES, block.len - BLOCK_HEAD_BYTES);
    if (ZSTD_isError(len) || fl_rows_read((fl_slice){rows, len}, add_group, &all, &err) != FL_OK)
        die("the block cannot be read");
    printf("%s: %.0f records, %.2f bytes each\n", path, count, (double)block.len / count);
    for (size_t i = 0; i < all.count; i++)
        printf("  %-40s %9llu cells  %6.2f bytes a record\n", all.names[i],
               (unsigned long long)all.cells[i],
               (double)zstd_len(fl_buf_slice(&all.bytes[i])) / count);
    for (size_t i = 0; i < all.count; i++)
        fl_buf_dispose(&all.bytes[i]);
    all = (roles){0};
    free(rows);
    fl_block_writer_destroy(writer);
    fl_buf_dispose(&block);
    free(memory.ptr);
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
    bool by_column = argc > 1 && strcmp(argv[1], "--columns") == 0;
    if (argc < 2 + by_column)
        die("usage: bench_block [--columns] FILE...");
    for (int i = 1 + by_column; i < argc; i++)
        by_column ? tell_columns(argv[i]) : time_file(argv[i]);
    return EXIT_SUCCESS;
}
