/*
 * bench_leak.c - a series of heap profiles taken in and judged: processor time and resident memory.
 *
 *     bench_leak [SNAPSHOTS [SAMPLES]]      (default 1000 snapshots of 3000 samples)
 *
 * 3000 samples of 14 frames are a profile of about 100 KB. Decoding is not part of it: one profile
 * is made and its values change. A hundredth of the sites grows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "leak_analysis.h"

enum { FRAMES = 14, FUNCTIONS = 2000, NAME_BYTES = 48 };

typedef struct made {
    fl_profile profile;
    fl_profile_type types[4];
    fl_profile_function *functions;
    fl_profile_frame *frames;
    uint32_t *stack;
    fl_profile_sample *samples;
    fl_profile_label *labels;
    int64_t *values;
    char *names;
} made;

static void *need(size_t count, size_t size)
{
    void *out = calloc(count, size);
    if (out == NULL)
        exit(EXIT_FAILURE);
    return out;
}

static void make(made *m, size_t samples)
{
    static const char *const types[] = {"alloc_objects", "alloc_space", "inuse_objects",
                                        "inuse_space"};
    m->functions = need(FUNCTIONS, sizeof(*m->functions));
    m->frames = need(FUNCTIONS, sizeof(*m->frames));
    m->names = need(FUNCTIONS, NAME_BYTES);
    m->stack = need(samples * FRAMES, sizeof(*m->stack));
    m->samples = need(samples, sizeof(*m->samples));
    m->labels = need(samples, sizeof(*m->labels));
    m->values = need(samples * 4, sizeof(*m->values));
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        char *name = m->names + (size_t)i * NAME_BYTES;
        int len = snprintf(name, NAME_BYTES, "example.com/shop/pkg%u.(*type%u).method%u", i / 100,
                           i / 10, i);
        m->functions[i].name = (fl_slice){(unsigned char *)name, (size_t)len};
        m->functions[i].file = (fl_slice){(const unsigned char *)"/srv/shop/a.go", 14};
        m->frames[i] = (fl_profile_frame){.function = i, .line = i % 500};
    }
    for (size_t i = 0; i < samples; i++) {
        for (size_t k = 0; k < FRAMES; k++)
            m->stack[i * FRAMES + k] = (uint32_t)((i * 31 + k * k * 7 + 1) % FUNCTIONS);
        m->samples[i] = (fl_profile_sample){.stack_at = (uint32_t)(i * FRAMES),
                                            .stack_count = FRAMES,
                                            .label_at = (uint32_t)i,
                                            .label_count = 1};
        m->labels[i] = (fl_profile_label){.key = {(const unsigned char *)"bytes", 5},
                                          .number = (int64_t)(16 << i % 12)};
    }
    for (size_t t = 0; t < 4; t++)
        m->types[t].name = (fl_slice){(const unsigned char *)types[t], strlen(types[t])};
    m->profile = (fl_profile){.kind = FL_PROFILE_HEAP,
                              .types = m->types,
                              .type_count = 4,
                              .period = 524288,
                              .functions = m->functions,
                              .function_count = FUNCTIONS,
                              .frames = m->frames,
                              .frame_count = FUNCTIONS,
                              .stack = m->stack,
                              .stack_count = samples * FRAMES,
                              .labels = m->labels,
                              .label_count = samples,
                              .samples = m->samples,
                              .values = m->values,
                              .sample_count = samples};
}

/* Processor time of this process: others may be busy beside it. */
static double cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1e3 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* The values of the n-th snapshot. */
static void set_values(made *m, size_t snapshot)
{
    for (size_t i = 0; i < m->profile.sample_count; i++) {
        int64_t size = m->labels[i].number, all = (int64_t)(524288 * (snapshot + 2));
        int64_t live = i % 100 == 0 ? all : 524288 * (int64_t)(1 + (i + snapshot) % 3);
        int64_t row[] = {all / size, all, live / size, live};
        memcpy(&m->values[4 * i], row, sizeof(row));
    }
    m->profile.time_ns = (int64_t)(1700000000 + 60 * snapshot) * 1000000000;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    made m = {0};
    const fl_leak_options options = {0};
    fl_leak *leak = NULL;
    fl_leak_report report;
    fl_arena arena = fl_arena_of(64u << 20);
    fl_error err = {0};
    double spent_ms = 0, start_ms = 0;
    make(&m, argc > 2 ? strtoul(argv[2], NULL, 10) : 3000);
    fl_status status = fl_leak_create(&leak, &options, &err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        set_values(&m, i);
        start_ms = cpu_ms();
        status = fl_leak_add(leak, &m.profile, 0, &err);
        spent_ms += cpu_ms() - start_ms;
    }
    start_ms = cpu_ms();
    if (status == FL_OK)
        status = fl_leak_judge(&report, leak, &arena, &err);
    if (status != FL_OK) {
        fprintf(stderr, "bench_leak: %s\n", err.message);
        return EXIT_FAILURE;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%zu snapshots of %zu samples taken in: %.0f ms of processor time, %.2f ms each\n",
           count, m.profile.sample_count, spent_ms, spent_ms / (double)count);
    printf("judged (%zu points, %zu findings): %.0f ms; %ld MB resident at most\n",
           report.used_count, report.finding_count, cpu_ms() - start_ms, usage.ru_maxrss / 1024);
    fl_leak_destroy(leak);
    return EXIT_SUCCESS;
}
