/*
 * bench_json FILE [SECONDS] - the tokenizer against jansson over the lines of a JSON lines file.
 *
 * Prints MB/s (10^6 bytes, best of the rounds, CPU time of this process) of
 *   walk     every value entered or read: strings, numbers and words decoded
 *   skip     every line stepped over by one fl_json_skip
 *   jansson  json_loadb of every line, and its release
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "json.h"
#include "slice.h"

static uint64_t checksum; /* printed, so that nothing read can be optimised away */

static void read_scalar(fl_json *in, fl_json_kind kind)
{
    double number;
    switch (kind) {
    case FL_JSON_STRING:
        checksum += fl_json_string(in).len;
        break;
    case FL_JSON_NUMBER:
        number = fl_json_double(in);
        checksum += number > 0;
        break;
    case FL_JSON_NULL:
        checksum += fl_json_null(in);
        break;
    default:
        checksum += fl_json_bool(in);
        break;
    }
}

static bool walk(fl_slice line, fl_arena *arena)
{
    fl_json in = fl_json_over(line, arena);
    fl_slice key;
    bool object[FL_JSON_MAX_DEPTH + 1];
    do {
        fl_json_kind kind = fl_json_peek(&in);
        if (kind == FL_JSON_OBJECT && fl_json_enter_object(&in))
            object[in.depth] = true;
        else if (kind == FL_JSON_ARRAY && fl_json_enter_array(&in))
            object[in.depth] = false;
        else
            read_scalar(&in, kind);
        while (in.depth > 0 && fl_json_ok(&in)) {
            if (!object[in.depth] && fl_json_next_element(&in))
                break;
            if (object[in.depth] && fl_json_next_member(&in, &key)) {
                checksum += key.len;
                break;
            }
        }
    } while (in.depth > 0 && fl_json_ok(&in));
    return fl_json_finish(&in);
}

static bool skip(fl_slice line, fl_arena *arena)
{
    fl_json in = fl_json_over(line, arena);
    fl_json_skip(&in);
    return fl_json_finish(&in);
}

static bool load(fl_slice line, fl_arena *arena)
{
    (void)arena;
    json_t *root = json_loadb((const char *)line.ptr, line.len, 0, NULL);
    json_decref(root);
    return root != NULL;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* MB/s of the fastest round, over at least three rounds and `budget_s` seconds. */
static double measure(const char *name, bool (*each)(fl_slice, fl_arena *), fl_slice file,
                      double budget_s)
{
    fl_arena arena = fl_arena_of(64u << 20);
    double best_s = 1e9, started = seconds_now();
    uint64_t lines = 0, bad = 0;
    for (int round = 0; round < 3 || seconds_now() - started < budget_s; round++) {
        double round_started = seconds_now();
        lines = bad = 0;
        for (size_t at = 0, len; at < file.len; at += len + 1, lines++) {
            const unsigned char *start = file.ptr + at, *end = memchr(start, '\n', file.len - at);
            len = end != NULL ? (size_t)(end - start) : file.len - at;
            bad += !each((fl_slice){.ptr = start, .len = len}, &arena);
            fl_arena_reset(&arena);
        }
        double took_s = seconds_now() - round_started;
        best_s = took_s < best_s ? took_s : best_s;
    }
    fl_arena_dispose(&arena);
    double rate = (double)file.len / best_s / 1e6;
    printf("%-8s %8.1f MB/s  (%llu lines, %llu refused)\n", name, rate, (unsigned long long)lines,
           (unsigned long long)bad);
    return rate;
}

static fl_slice read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t len = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(len + 1);
    if (bytes == NULL || fread(bytes, 1, len, file) != len) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    return (fl_slice){.ptr = bytes, .len = len};
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_json FILE.jsonl [SECONDS]\n");
        return 2;
    }
    fl_slice file = read_file(argv[1]);
    double budget_s = argc > 2 ? strtod(argv[2], NULL) : 1;
    double walked = measure("walk", walk, file, budget_s);
    double skipped = measure("skip", skip, file, budget_s);
    double loaded = measure("jansson", load, file, budget_s);
    printf("walk / jansson = %.1f, skip / jansson = %.1f  (checksum %llu)\n", walked / loaded,
           skipped / loaded, (unsigned long long)checksum);
    free((void *)(uintptr_t)file.ptr);
    return EXIT_SUCCESS;
}
