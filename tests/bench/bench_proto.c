/*
 * bench_proto FILE.pb [SECONDS] - the wire reader over OTLP traces (an ExportTraceServiceRequest).
 *
 * The file is repeated to 64 MB: protobuf messages one behind the other are one message. Prints
 * MB/s (10^6 bytes, best of the rounds, CPU time of this process) of
 *   walk     every field of every message down to the attributes' values
 *   memcpy   of the same bytes, as a measure of the machine
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto.h"

enum { MIN_BYTES = 64000000, FIELDS = 17 };

/* Which fields of a message are messages, and of what kind. */
typedef struct kind {
    const struct kind *child[FIELDS];
} kind;

static const kind any_value = {{0}};
static const kind key_value = {.child[2] = &any_value};
static const kind resource = {.child[1] = &key_value};
static const kind scope = {.child[3] = &key_value};
static const kind event = {.child[3] = &key_value};
static const kind link = {.child[4] = &key_value};
static const kind status = {{0}};
static const kind span = {
    .child[9] = &key_value, .child[11] = &event, .child[13] = &link, .child[15] = &status};
static const kind scope_spans = {.child[1] = &scope, .child[2] = &span};
static const kind resource_spans = {.child[1] = &resource, .child[2] = &scope_spans};
static const kind request = {.child[1] = &resource_spans};

static uint64_t checksum, fields;

/* As deep as the kinds above are, whatever the input. */
static bool walk(fl_proto *in, const kind *type)
{
    while (fl_proto_next(in)) {
        const kind *child = in->field < FIELDS ? type->child[in->field] : NULL;
        fields++;
        if (child != NULL) {
            fl_proto message;
            fl_proto_enter(&message, in);
            if (!walk(&message, child))
                return fl_proto_adopt(in, &message);
        } else {
            checksum += in->type == FL_PROTO_BYTES ? in->body.len : in->scalar;
        }
    }
    return fl_proto_ok(in);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static fl_slice read_repeated(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t len = (size_t)ftell(file), copies = len > 0 ? MIN_BYTES / len + 1 : 0;
    rewind(file);
    unsigned char *bytes = malloc(len * copies + 1);
    if (bytes == NULL || fread(bytes, 1, len, file) != len) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    for (size_t i = 1; i < copies; i++)
        memcpy(bytes + i * len, bytes, len);
    return (fl_slice){.ptr = bytes, .len = len * copies};
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_proto FILE.pb [SECONDS]\n");
        return 2;
    }
    fl_slice bytes = read_repeated(argv[1]);
    unsigned char *copy = malloc(bytes.len + 1);
    double budget_s = argc > 2 ? strtod(argv[2], NULL) : 1, best_s[2] = {1e9, 1e9};
    if (copy == NULL || bytes.len == 0) {
        fprintf(stderr, "%s: empty, or no memory to repeat it\n", argv[1]);
        return EXIT_FAILURE;
    }
    double started = seconds_now();
    for (int round = 0; round < 3 || seconds_now() - started < budget_s; round++) {
        fields = 0;
        double from = seconds_now();
        fl_proto in = fl_proto_over(bytes);
        bool ok = walk(&in, &request);
        double middle = seconds_now();
        memcpy(copy, bytes.ptr, bytes.len);
        checksum += copy[checksum % bytes.len];
        double to = seconds_now();
        best_s[0] = middle - from < best_s[0] ? middle - from : best_s[0];
        best_s[1] = to - middle < best_s[1] ? to - middle : best_s[1];
        if (!ok) {
            fprintf(stderr, "%s: offset %llu: %s\n", argv[1], (unsigned long long)in.err.offset,
                    in.err.message);
            return EXIT_FAILURE;
        }
    }
    double mb = (double)bytes.len / 1e6;
    printf("walk     %8.1f MB/s  (%llu fields, %.1f ns each)\n", mb / best_s[0],
           (unsigned long long)fields, best_s[0] * 1e9 / (double)fields);
    printf("memcpy   %8.1f MB/s\nwalk / memcpy = %.2f  (checksum %llu)\n", mb / best_s[1],
           best_s[1] / best_s[0], (unsigned long long)checksum);
    free(copy);
    free((void *)(uintptr_t)bytes.ptr);
    return EXIT_SUCCESS;
}
