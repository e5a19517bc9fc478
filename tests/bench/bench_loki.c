/*
 * bench_loki - pushes to Loki, decoded to log records.
 *
 * A push is made up: 40 streams of 2,000 lines of 120 bytes, a trace id as metadata on each, once
 * as JSON and once as protobuf. MB/s (10^6 bytes, best round, CPU time of this process) and lines a
 * second; beside JSON jansson, which only builds its tree of the same bytes. The sink counts.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "buf.h"
#include "loki.h"
#include "made_proto.h"

enum { STREAMS = 40, LINES = 2000, ROUNDS = 9, FORMS = 3 };

static uint64_t lines;

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    (void)payload;
    (void)resource;
    (void)err;
    *handle = 0;
    return FL_OK;
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    (void)payload;
    (void)err;
    lines += log->body.len > 0 && resource == 0;
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

static void make_line(char *out, size_t size, unsigned i)
{
    snprintf(out, size,
             "level=info ts=2026-11-22T20:26:03.62Z caller=handler.go:%u msg=\"request served\" "
             "path=/api/orders/%06u status=200 took=%u.%03ums",
             100 + i % 7, i, i % 90, i % 1000);
}

static void make_json(fl_buf *out)
{
    char line[256];
    fl_buf_text(out, "{\"streams\":[");
    for (unsigned s = 0; s < STREAMS; s++) {
        fl_buf_printf(out, "%s{\"stream\":{\"app\":\"shop-%u\",\"env\":\"prod\"},\"values\":[",
                      s > 0 ? "," : "", s);
        for (unsigned i = 0; i < LINES; i++) {
            fl_buf_printf(out, "%s[\"%u000000000\",\"", i > 0 ? "," : "", 1795379340 + i);
            make_line(line, sizeof(line), i);
            for (const char *c = line; *c != '\0'; c++) {
                if (*c == '"')
                    fl_buf_char(out, '\\');
                fl_buf_char(out, *c);
            }
            fl_buf_printf(out, "\",{\"trace_id\":\"%032x\"}]", i);
        }
        fl_buf_text(out, "]}");
    }
    fl_buf_text(out, "]}");
}

static void make_proto(fl_buf *out)
{
    char text[256];
    fl_buf stream = fl_buf_of(64 << 20), entry = fl_buf_of(1 << 20), part = fl_buf_of(1 << 20);
    for (unsigned s = 0; s < STREAMS; s++) {
        snprintf(text, sizeof(text), "{app=\"shop-%u\",env=\"prod\"}", s);
        made_text(&stream, 1, text);
        for (unsigned i = 0; i < LINES; i++) {
            made_u64(&part, 1, 1795379340 + i);
            made_message(&entry, 1, &part);
            make_line(text, sizeof(text), i);
            made_text(&entry, 2, text);
            snprintf(text, sizeof(text), "%032x", i);
            made_text(&part, 1, "trace_id");
            made_text(&part, 2, text);
            made_message(&entry, 3, &part);
            made_message(&stream, 2, &entry);
        }
        made_message(out, 1, &stream);
    }
    fl_buf_dispose(&stream);
    fl_buf_dispose(&entry);
    fl_buf_dispose(&part);
}

/* Form 0: our JSON, 1: our protobuf, 2: jansson. */
static double best_of(int form, fl_slice bytes, fl_intake *to)
{
    double best_s = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double from = seconds_now();
        fl_status status = form == 1   ? fl_loki_plain_proto(to, bytes, NULL)
                           : form == 0 ? fl_loki_json(to, bytes, NULL)
                                       : FL_OK;
        json_t *tree = form == 2 ? json_loadb((const char *)bytes.ptr, bytes.len, 0, NULL) : NULL;
        json_decref(tree);
        if (status != FL_OK || (form == 2 && tree == NULL))
            exit(EXIT_FAILURE);
        double took = seconds_now() - from;
        best_s = took < best_s ? took : best_s;
    }
    return best_s;
}

int main(void)
{
    static const char *const names[FORMS] = {"push, JSON", "push, protobuf", "jansson"};
    fl_buf json = fl_buf_of(256u << 20), proto = fl_buf_of(256u << 20);
    fl_sink sink = {.resource = on_resource, .log = on_log, .reject = on_reject};
    fl_intake to = {.sink = &sink, .source = "bench"};
    make_json(&json);
    make_proto(&proto);
    for (int form = 0; form < FORMS; form++) {
        fl_slice bytes = fl_buf_slice(form == 1 ? &proto : &json);
        double took = best_of(form, bytes, &to);
        printf("%-14s %8.1f MB/s, %.2f million lines/s (%zu bytes)\n", names[form],
               (double)bytes.len / took / 1e6, STREAMS * LINES / took / 1e6, bytes.len);
    }
    fl_buf_dispose(&json);
    fl_buf_dispose(&proto);
    return lines == 2ull * ROUNDS * STREAMS * LINES ? EXIT_SUCCESS : EXIT_FAILURE;
}
