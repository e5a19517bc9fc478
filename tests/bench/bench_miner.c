/*
 * bench_miner.c - lines a second of fl_miner_add, and the time of fl_miner_finish.
 *
 *     bench_miner FILE [ROUNDS] [--templates]
 *
 * FILE holds one log line a line. Each round mines all of it with a new miner; the best counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "faultline/limits.h"
#include "mem.h"
#include "miner.h"

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
    double add_s, finish_s;
    size_t forms, templates;
};

static int mine(struct result *out, const struct input *in, int with_templates)
{
    fl_error err = {0};
    fl_miner *miner;
    if (fl_miner_create(&miner, FL_MAX_LOG_FORMS, FL_MAX_LOG_FORM_BYTES, &err) != FL_OK)
        return -1;
    double start = now_s();
    for (size_t i = 0; i < in->count; i++) {
        uint32_t form;
        if (fl_miner_add(&form, miner, 0, in->lines[i], 0, &err) != FL_OK)
            return -1;
    }
    double added = now_s();
    if (fl_miner_finish(miner, &err) != FL_OK)
        return -1;
    *out = (struct result){.add_s = added - start,
                           .finish_s = now_s() - added,
                           .forms = fl_miner_form_count(miner),
                           .templates = fl_miner_template_count(miner)};
    for (size_t i = 0; with_templates && i < out->templates; i++) {
        const fl_log_template *t = fl_miner_template(miner, i);
        printf("%2d %016llx %s\n", t->severity, (unsigned long long)t->id, t->text);
    }
    fl_miner_destroy(miner);
    return 0;
}

int main(int argc, char **argv)
{
    struct input in = {0};
    if (argc < 2 || load(&in, argv[1]) != 0) {
        fprintf(stderr, "usage: bench_miner FILE [ROUNDS] [--templates]\n");
        return EXIT_FAILURE;
    }
    int rounds = argc > 2 && argv[2][0] != '-' ? (int)strtol(argv[2], NULL, 10) : 5;
    struct result best = {0};
    for (int i = 0; i < rounds; i++) {
        struct result result;
        if (mine(&result, &in, 0) != 0)
            return EXIT_FAILURE;
        if (i == 0 || result.add_s < best.add_s)
            best = result;
    }
    if (strcmp(argv[argc - 1], "--templates") == 0 && mine(&best, &in, 1) != 0)
        return EXIT_FAILURE;
    printf("%zu lines, %.1f MB: %.2f M lines/s, %.0f ns a line, %.0f MB/s; finish %.1f ms; "
           "%zu forms, %zu templates\n",
           in.count, (double)in.len * 1e-6, (double)in.count / best.add_s * 1e-6,
           best.add_s / (double)in.count * 1e9, (double)in.len / best.add_s * 1e-6,
           best.finish_s * 1e3, best.forms, best.templates);
    fl_mem_free(in.lines);
    fl_mem_free(in.bytes);
    return EXIT_SUCCESS;
}
