/*
 * made_profile.h - small profiles made by hand: stacks written as text, values beside.
 */
#ifndef MADE_PROFILE_H
#define MADE_PROFILE_H

#include "faultline/profile.h"

#include "fl_test.h"

enum { MADE_MAX_FRAMES = 256, MADE_MAX_SAMPLES = 64 };
#define MADE_RATE 524288
#define MADE_S    INT64_C(1000000000)

typedef struct made_profile {
    fl_profile profile;
    fl_profile_type types[4];
    fl_profile_mapping mapping;
    fl_profile_function functions[MADE_MAX_FRAMES];
    fl_profile_frame frames[MADE_MAX_FRAMES];
    uint32_t stack[MADE_MAX_FRAMES];
    fl_profile_sample samples[MADE_MAX_SAMPLES];
    fl_profile_label labels[MADE_MAX_SAMPLES];
    int64_t values[4 * MADE_MAX_SAMPLES];
} made_profile;

static inline void made_begin(made_profile *m, fl_profile_kind kind, int64_t time_ns)
{
    static const char *const heap[] = {"alloc_objects", "alloc_space", "inuse_objects",
                                       "inuse_space"};
    static const char *const delays[] = {"contentions", "delay"};
    static const char *const processor[] = {"samples", "cpu"};
    bool is_heap = kind == FL_PROFILE_HEAP || kind == FL_PROFILE_ALLOCS;
    bool is_delay = kind == FL_PROFILE_MUTEX || kind == FL_PROFILE_BLOCK;
    bool is_cpu = kind == FL_PROFILE_CPU;
    size_t types = is_heap ? 4 : is_delay || is_cpu ? 2 : 1;
    *m = (made_profile){.mapping = {.file = BYTES("/srv/app")}};
    for (size_t i = 0; i < types; i++)
        m->types[i].name = SLICE(is_heap    ? heap[i]
                                 : is_delay ? delays[i]
                                 : is_cpu   ? processor[i]
                                            : "goroutine");
    m->profile = (fl_profile){.kind = kind,
                              .types = m->types,
                              .type_count = types,
                              .period = is_heap ? MADE_RATE : 1,
                              .time_ns = time_ns,
                              .mappings = &m->mapping,
                              .mapping_count = 1,
                              .functions = m->functions,
                              .frames = m->frames,
                              .stack = m->stack,
                              .labels = m->labels,
                              .samples = m->samples,
                              .values = m->values};
}

/* "fmt.Sprintf;main.put:12": innermost first, the line behind a colon. A function lies in the
 * toolchain where its package has no domain and is not main; else in the program's folder. */
static inline void made_frames(made_profile *m, const char *stack)
{
    fl_profile *p = &m->profile;
    while (*stack != '\0') {
        size_t len = strcspn(stack, ";"), name = strcspn(stack, ":;");
        bool own = strncmp(stack, "main.", 5) == 0 || memchr(stack, '/', name) != NULL;
        own = own && strncmp(stack, "net/http", 8) != 0 && strncmp(stack, "runtime/", 8) != 0 &&
              strncmp(stack, "internal/", 9) != 0;
        ck_assert(p->frame_count < MADE_MAX_FRAMES);
        m->functions[p->function_count] = (fl_profile_function){
            .name = {(const unsigned char *)stack, name},
            .file = own ? BYTES("/srv/app/main.go") : BYTES("/usr/local/go/src/runtime/proc.go")};
        m->frames[p->frame_count] =
            (fl_profile_frame){.function = (uint32_t)p->function_count++,
                               .line = name < len ? strtol(stack + name + 1, NULL, 10) : 1,
                               .mapping = 0};
        m->stack[p->stack_count++] = (uint32_t)p->frame_count++;
        stack += stack[len] == ';' ? len + 1 : len;
    }
}

/* One sample; `bytes` is the block size, 0 for none. Values as the profile's kind has them. */
static inline void made_sample(made_profile *m, const char *stack, int64_t bytes,
                               const double *values)
{
    fl_profile *p = &m->profile;
    size_t at = p->sample_count++;
    ck_assert(at < MADE_MAX_SAMPLES);
    m->samples[at].stack_at = (uint32_t)p->stack_count;
    made_frames(m, stack);
    m->samples[at].stack_count = (uint32_t)p->stack_count - m->samples[at].stack_at;
    m->samples[at].label_at = (uint32_t)p->label_count;
    if (bytes > 0) {
        m->labels[p->label_count++] = (fl_profile_label){.key = BYTES("bytes"), .number = bytes};
        m->samples[at].label_count = 1;
    }
    for (size_t i = 0; i < p->type_count; i++)
        m->values[at * p->type_count + i] = (int64_t)values[i];
}

/* Heap: `made` bytes ever allocated and `live` bytes in use, in blocks of `bytes`. */
static inline void made_heap(made_profile *m, const char *stack, int64_t bytes, double made,
                             double live)
{
    double size = (double)bytes;
    made_sample(m, stack, bytes, (double[]){made / size, made, live / size, live});
}

#endif
