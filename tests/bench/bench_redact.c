/*
 * bench_redact.c - bytes a second of fl_redact_text() over log lines, and what it takes out of
 * them.
 *
 *     bench_redact FILE [ROUNDS] [--show]
 *
 * FILE holds one text a line. The first pass alone and the whole are measured; the best round
 * counts. With --show every line that was changed is printed: what a rule takes for a secret.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mem.h"
#include "redact.h"
#include "redact_priv.h"
#include "slice.h"

struct input {
    char *bytes;
    size_t len;
    fl_slice *lines;
    size_t count;
};

/* Process CPU time. */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int load(struct input *in, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return -1;
    long size = ftell(file);
    rewind(file);
    in->len = size > 0 ? (size_t)size : 0;
    in->bytes = fl_mem_alloc(in->len + 1);
    if (in->bytes == NULL || fread(in->bytes, 1, in->len, file) != in->len)
        return -1;
    fclose(file);
    for (size_t i = 0; i < in->len; i++)
        in->count += in->bytes[i] == '\n';
    in->lines = fl_mem_calloc(in->count + 1, sizeof(*in->lines));
    if (in->lines == NULL)
        return -1;
    const char *p = in->bytes;
    for (size_t i = 0; i < in->count; i++) {
        const char *end = memchr(p, '\n', in->len - (size_t)(p - in->bytes));
        in->lines[i] = (fl_slice){(const unsigned char *)p, (size_t)(end - p)};
        p = end + 1;
    }
    return 0;
}

struct result {
    double scan_s, whole_s;
    size_t candidates, changed;
};

static int run(struct result *out, const struct input *in, fl_redact *redact,
               const fl_redact_rules *rules, int show)
{
    *out = (struct result){0};
    double start = now_s();
    for (size_t i = 0; i < in->count; i++)
        out->candidates += fl_redact_scan_text(&rules->scan, in->lines[i]) != 0;
    double scanned = now_s();
    for (size_t i = 0; i < in->count; i++) {
        fl_slice text;
        if (fl_redact_text(&text, redact, in->lines[i], NULL) != FL_OK)
            return -1;
        bool is_changed = text.ptr != in->lines[i].ptr;
        out->changed += is_changed;
        if (is_changed && show)
            printf("- %.*s\n+ %.*s\n", FL_SLICE_ARG(in->lines[i]), FL_SLICE_ARG(text));
    }
    out->scan_s = scanned - start;
    out->whole_s = now_s() - scanned;
    return 0;
}

int main(int argc, char **argv)
{
    struct input in = {0};
    struct result best = {0}, round;
    fl_redact_rules *rules = NULL;
    fl_redact *redact = NULL;
    fl_error err = {0};
    const fl_sink nowhere = {0};
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
    int show = argc > 3 && strcmp(argv[3], "--show") == 0;
    if (argc < 2 || rounds < 1 || load(&in, argv[1]) != 0) {
        fprintf(stderr, "usage: bench_redact FILE [ROUNDS] [--show]\n");
        return 2;
    }
    if (fl_redact_rules_create(&rules, &(fl_redact_options){0}, &err) != FL_OK ||
        fl_redact_create(&redact, rules, &nowhere, &err) != FL_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (long i = 0; i < rounds; i++) {
        if (run(&round, &in, redact, rules, show && i == 0) != 0)
            return 1;
        if (i == 0 || round.whole_s < best.whole_s)
            best = round;
    }
    printf("%zu lines, %.1f MB: first pass %.0f MB/s, whole %.0f MB/s (%.0f ns a line); %zu lines"
           " looked at, %zu changed\n",
           in.count, (double)in.len / 1e6, (double)in.len / 1e6 / best.scan_s,
           (double)in.len / 1e6 / best.whole_s, best.whole_s * 1e9 / (double)in.count,
           best.candidates, best.changed);
    fl_redact_count counts[FL_REDACT_MAX_RULES + 2];
    size_t count = fl_redact_counts(rules, counts);
    for (size_t i = 0; i < count; i++)
        if (counts[i].redacted > 0)
            printf("  %-14s %llu a round\n", counts[i].name,
                   (unsigned long long)(counts[i].redacted / (uint64_t)rounds));
    fl_redact_destroy(redact);
    fl_redact_rules_destroy(rules);
    fl_mem_free(in.lines);
    fl_mem_free(in.bytes);
    return 0;
}
