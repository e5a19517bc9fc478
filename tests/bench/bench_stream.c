/*
 * bench_stream.c - streams and lines against the bare read, zlib and zstd calls, in one run.
 *
 *     bench_stream [FILE]        (default: 200 MB of made-up OTLP-like lines)
 *
 * Each figure is the best of ROUNDS, in MB/s of plain text, by wall time: the reads of a plain file
 * are the kernel's work.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fl_squeeze.h"
#include "stream.h"
#include "timestamp.h"

enum { ROUNDS = 5, BLOCK_BYTES = 256 << 10 };

static unsigned char block[BLOCK_BYTES];
static uint64_t sum;

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static fl_bytes made_up(size_t len)
{
    unsigned char *out = malloc(len + 1024);
    if (out == NULL)
        die("malloc");
    fl_bytes text = {.ptr = out};
    uint64_t noise = 1;
    for (uint64_t i = 0; text.len < len; i++) {
        noise = noise * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        text.len += (size_t)snprintf(
            (char *)out + text.len, 1024,
            "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
            "\"ts-%u-service\"}}]},\"traceId\":\"%016llx%016llx\",\"spanId\":\"%016llx\",\"name\":"
            "\"GET /api/v1/orders\",\"kind\":2,\"startTimeUnixNano\":\"16749848%011llu\","
            "\"endTimeUnixNano\":\"16749848%011llu\",\"attributes\":[{\"key\":\"http.status_code\","
            "\"value\":{\"intValue\":\"%d\"}},{\"key\":\"thread.name\",\"value\":{\"stringValue\":"
            "\"http-nio-8080-exec-%u\"}}],\"status\":{}}\n",
            (unsigned)(noise >> 59), (unsigned long long)noise, (unsigned long long)~noise,
            (unsigned long long)(noise >> 7), (unsigned long long)i * 1000,
            (unsigned long long)i * 1000 + (noise >> 50), noise >> 60 == 0 ? 500 : 200,
            (unsigned)(noise >> 58));
    }
    return text;
}

static fl_bytes read_file(const char *path)
{
    fl_stream *in;
    fl_error err = {0};
    fl_bytes out = {0};
    size_t cap = 0, got = 0;
    if (fl_stream_open(&in, path, &err) != FL_OK)
        exit(EXIT_FAILURE);
    do {
        if (cap - out.len < BLOCK_BYTES) {
            cap = 2 * cap + BLOCK_BYTES;
            out.ptr = realloc(out.ptr, cap);
        }
        if (fl_stream_read(in, out.ptr + out.len, BLOCK_BYTES, &got, &err) != FL_OK)
            exit(EXIT_FAILURE);
        out.len += got;
    } while (got > 0);
    fl_stream_close(in);
    return out;
}

static void bare_read(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t got;
    while ((got = read(fd, block, sizeof(block))) > 0)
        sum += (uint64_t)got;
    close(fd);
}

static void bare_gzip(fl_slice packed)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr, .avail_in = (uInt)packed.len};
    if (inflateInit2(&z, 31) != Z_OK)
        die("inflateInit2");
    int result;
    do {
        z.next_out = block;
        z.avail_out = sizeof(block);
        result = inflate(&z, Z_NO_FLUSH);
        sum += sizeof(block) - z.avail_out;
    } while (result == Z_OK);
    inflateEnd(&z);
}

static void bare_zstd(fl_slice packed)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {.src = packed.ptr, .size = packed.len};
    while (in.pos < in.size) {
        ZSTD_outBuffer out = {.dst = block, .size = sizeof(block)};
        if (ZSTD_isError(ZSTD_decompressStream(context, &out, &in)))
            die("ZSTD_decompressStream");
        sum += out.pos;
    }
    ZSTD_freeDCtx(context);
}

static void stream_bytes(const char *path)
{
    fl_stream *in;
    size_t got = 0;
    if (fl_stream_open(&in, path, NULL) != FL_OK)
        die(path);
    do {
        if (fl_stream_read(in, block, sizeof(block), &got, NULL) != FL_OK)
            die(path);
        sum += got;
    } while (got > 0);
    fl_stream_close(in);
}

static void stream_lines(const char *path)
{
    fl_stream *in;
    fl_lines *lines;
    fl_line line;
    bool more = true;
    if (fl_stream_open(&in, path, NULL) != FL_OK ||
        fl_lines_create(&lines, in, 64 << 20, NULL) != FL_OK)
        die(path);
    while (more) {
        if (fl_lines_next(lines, &line, &more, NULL) != FL_OK)
            die(path);
        sum += line.text.len;
    }
    fl_lines_destroy(lines);
    fl_stream_close(in);
}

static double best_mb_s(void (*work)(const char *path), const char *path, void (*bare)(fl_slice),
                        fl_slice packed, size_t plain_bytes)
{
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start_ns = fl_time_monotonic();
        if (work != NULL)
            work(path);
        else
            bare(packed);
        double rate = (double)plain_bytes * 1e3 / (double)(fl_time_monotonic() - start_ns);
        if (rate > best)
            best = rate;
    }
    return best;
}

static void show(const char *kind, fl_slice bytes, size_t plain_bytes, void (*bare)(fl_slice))
{
    char path[sizeof(FL_TEMP_PATH)];
    fl_temp_file(path, bytes);
    double reference = best_mb_s(bare != NULL ? NULL : bare_read, path, bare, bytes, plain_bytes);
    double as_bytes = best_mb_s(stream_bytes, path, NULL, bytes, plain_bytes);
    double as_lines = best_mb_s(stream_lines, path, NULL, bytes, plain_bytes);
    printf(
        "%-6s bare %6.0f MB/s   fl_stream_read %6.0f (%.2f of bare)   fl_lines_next %6.0f (%.2f)\n",
        kind, reference, as_bytes, as_bytes / reference, as_lines, as_lines / reference);
    unlink(path);
}

int main(int argc, char **argv)
{
    fl_bytes plain = argc > 1 ? read_file(argv[1]) : made_up(200 * 1000 * 1000);
    fl_slice text = fl_bytes_slice(plain);
    fl_bytes gzip = fl_gzip(text), zstd = fl_zstd(text, 3);
    printf("%zu bytes plain, gzip 1:%.1f, zstd 1:%.1f\n", plain.len,
           (double)plain.len / (double)gzip.len, (double)plain.len / (double)zstd.len);
    show("plain", text, plain.len, NULL);
    show("gzip", fl_bytes_slice(gzip), plain.len, bare_gzip);
    show("zstd", fl_bytes_slice(zstd), plain.len, bare_zstd);
    printf("(%llx)\n", (unsigned long long)sum);
    free(plain.ptr);
    free(gzip.ptr);
    free(zstd.ptr);
    return EXIT_SUCCESS;
}
