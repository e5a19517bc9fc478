/*
 * leak_cpu.c - what processor samples say: heap profiles hide the runtime's own frames, and there
 * they are.
 *
 * A sample counts for each kind of work of which a frame stands on its stack inside of the user's
 * innermost function:
 *
 *   map     reading, writing or growing a map; sync.Map is none
 *   write   mapassign and what it calls
 *   grow    moving entries into a larger array or table (hashGrow, evacuate; rehash, split, grow)
 *   alloc   mallocgc
 *   gc      marking in time that the program would have had: of dedicated and fractional workers
 * and assists; workers that only use idle processors cost nobody anything lock    the slow ways
 * into and out of sync.Mutex and RWMutex
 *
 * That a function was seen in a map once is a fact, whatever the number of samples; a share is one
 * only of MIN_SAMPLES and more: at 50 its standard error is at most 7 points.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "leak_priv.h"
#include "slice.h"

#define MIN_SAMPLES 50
/* Go gives the collector a quarter of the processors while it marks; a share close to that means
 * that it hardly ever rests. */
#define COLLECTING_SHARE 0.2
/* Waiting itself takes no processor: a tenth spent on queueing is a crowd. */
#define LOCK_SHARE 0.1

enum { WORK_MAP, WORK_WRITE, WORK_GROW, WORK_ALLOC, WORK_GC, WORK_ASSIST, WORK_LOCK, WORK_COUNT };

/* Beginnings of names: of Go 1.19 to 1.26, whose maps live in internal/runtime/maps from 1.24. */
static const struct {
    const char *prefix;
    unsigned work;
} works[] = {
    {"runtime.mapaccess", 1u << WORK_MAP},
    {"runtime.mapdelete", 1u << WORK_MAP},
    {"runtime.mapiter", 1u << WORK_MAP},
    {"runtime.mapassign", 1u << WORK_MAP | 1u << WORK_WRITE},
    {"runtime.hashGrow", 1u << WORK_MAP | 1u << WORK_WRITE | 1u << WORK_GROW},
    {"runtime.growWork", 1u << WORK_MAP | 1u << WORK_GROW},
    {"runtime.evacuate", 1u << WORK_MAP | 1u << WORK_GROW},
    {"runtime.(*hmap).newoverflow", 1u << WORK_MAP | 1u << WORK_WRITE},
    {"internal/runtime/maps.(*Map).growTo", 1u << WORK_MAP | 1u << WORK_WRITE | 1u << WORK_GROW},
    {"internal/runtime/maps.(*table).rehash", 1u << WORK_MAP | 1u << WORK_WRITE | 1u << WORK_GROW},
    {"internal/runtime/maps.(*table).grow", 1u << WORK_MAP | 1u << WORK_WRITE | 1u << WORK_GROW},
    {"internal/runtime/maps.(*table).split", 1u << WORK_MAP | 1u << WORK_WRITE | 1u << WORK_GROW},
    {"internal/runtime/maps.(*Map).Put", 1u << WORK_MAP | 1u << WORK_WRITE},
    {"internal/runtime/maps.(*table).Put", 1u << WORK_MAP | 1u << WORK_WRITE},
    {"internal/runtime/maps.", 1u << WORK_MAP},
    {"runtime.mallocgc", 1u << WORK_ALLOC},
    {"runtime.gcBgMarkWorker", 1u << WORK_GC},
    {"runtime.gcAssistAlloc", 1u << WORK_GC | 1u << WORK_ASSIST},
    {"sync.(*Mutex).lockSlow", 1u << WORK_LOCK},
    {"sync.(*Mutex).unlockSlow", 1u << WORK_LOCK},
    {"sync.(*RWMutex).rUnlockSlow", 1u << WORK_LOCK},
    {"internal/sync.(*Mutex).lockSlow", 1u << WORK_LOCK},
    {"internal/sync.(*Mutex).unlockSlow", 1u << WORK_LOCK},
    {"sync.runtime_SemacquireMutex", 1u << WORK_LOCK},
    {"sync.runtime_SemacquireRWMutex", 1u << WORK_LOCK},
};

static bool starts_with(fl_slice text, const char *prefix)
{
    return fl_slice_starts_with(text, fl_slice_of(prefix));
}

/* What a function of the runtime does; user code of these names does not exist. */
static unsigned work_of(fl_slice name)
{
    if (!starts_with(name, "runtime.") && !starts_with(name, "sync.") &&
        !starts_with(name, "internal/"))
        return 0;
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        if (starts_with(name, works[i].prefix))
            return works[i].work;
    }
    return 0;
}

/* From the inside up to the user's own code; all of it where there is none. */
static unsigned works_of(const fl_leak *leak, const leak_stack *stack)
{
    uint32_t end = stack->user != NO_ID ? stack->user : stack->frame_count;
    unsigned found = 0;
    bool is_idle = false;
    for (uint32_t k = 0; k < end; k++) {
        fl_slice name = fl_leak_name_at(leak, &leak->frames[stack->frame_at + k]);
        found |= work_of(name);
        is_idle = is_idle || starts_with(name, "runtime.gcDrainMarkWorkerIdle");
    }
    return is_idle ? found & ~(1u << WORK_GC) : found;
}

/* Add one stack's samples to a subject's: the innermost function of the user's own code is its
 * own. */
static bool is_of(const fl_leak *leak, const leak_stack *stack, const leak_subject *subject)
{
    if (stack->user == NO_ID || !subject->has_user || subject->function == NO_ID)
        return false;
    const leak_frame *frame = &leak->frames[stack->frame_at + stack->user];
    return frame->function != NO_ID &&
           leak->functions[frame->function].name == leak->functions[subject->function].name;
}

static void add_stack(leak_case *c, uint32_t at, double samples)
{
    const leak_stack *stack = &c->leak->stacks[at];
    unsigned found = works_of(c->leak, stack);
    leak_cpu *cpu = &c->cpu;
    cpu->samples += samples;
    cpu->gc += found & 1u << WORK_GC ? samples : 0;
    cpu->assist += found & 1u << WORK_ASSIST ? samples : 0;
    cpu->alloc += found & 1u << WORK_ALLOC ? samples : 0;
    cpu->lock += found & 1u << WORK_LOCK ? samples : 0;
    for (size_t i = 0; i < c->subject_count && stack->user != NO_ID; i++) {
        leak_subject *s = &c->subjects[i];
        if (!is_of(c->leak, stack, s))
            continue;
        s->cpu.samples += samples;
        s->cpu.map += found & 1u << WORK_MAP ? samples : 0;
        s->cpu.writes += found & 1u << WORK_WRITE ? samples : 0;
        s->cpu.grows += found & 1u << WORK_GROW ? samples : 0;
        s->cpu.lock += found & 1u << WORK_LOCK ? samples : 0;
    }
}

bool fl_leak_is_runtime_frame(const fl_leak *leak, const leak_subject *subject, uint32_t stack,
                              uint32_t frame)
{
    const leak_stack *s = &leak->stacks[stack];
    assert(frame < s->frame_count);
    if (!is_of(leak, s, subject) || frame >= s->user)
        return false;
    fl_slice name = fl_leak_name_at(leak, &leak->frames[s->frame_at + frame]);
    return starts_with(name, "runtime.") || starts_with(name, "internal/runtime/");
}

static double share(double part, const leak_cpu *cpu)
{
    return cpu->samples >= MIN_SAMPLES ? part / cpu->samples : NAN;
}

/* A share is of the whole program's samples. */
static void set_features(const leak_case *c, leak_subject *s)
{
    s->number[FL_LEAK_F_CPU_SHARE] = share(s->cpu.samples, &c->cpu);
    s->number[FL_LEAK_F_CPU_MAP_SAMPLES] = s->cpu.map;
    s->number[FL_LEAK_F_CPU_MAP_WRITES] = s->cpu.writes;
    s->number[FL_LEAK_F_CPU_MAP_GROWS] = s->cpu.grows;
}

bool fl_leak_cpu_agrees(const leak_case *c, const leak_subject *s, fl_leak_verdict verdict)
{
    const double *number = c->program.number;
    double collecting = number[FL_LEAK_F_CPU_GC_SHARE] + number[FL_LEAK_F_CPU_ALLOC_SHARE];
    switch (verdict) {
    case FL_LEAK_LEAK:
        return s->kind == FL_LEAK_SITE && s->cpu.writes > 0;
    case FL_LEAK_CHURN:
        return collecting >= COLLECTING_SHARE;
    case FL_LEAK_GC_PRESSURE:
        return number[FL_LEAK_F_CPU_GC_SHARE] >= COLLECTING_SHARE;
    case FL_LEAK_LATENCY:
        return s->kind == FL_LEAK_LOCK && number[FL_LEAK_F_CPU_LOCK_SHARE] >= LOCK_SHARE;
    case FL_LEAK_NOT_ENOUGH_DATA:
    case FL_LEAK_NO_LEAK:
    case FL_LEAK_BOUNDED_GROWTH:
    case FL_LEAK_RETENTION:
    case FL_LEAK_CRASH:
    case FL_LEAK_VERDICT_COUNT:
        return false;
    }
    return false;
}

void fl_leak_cpu_of(leak_case *c)
{
    const leak_cpu *cpu = &c->cpu;
    for (size_t s = 0; s < c->used_count[SET_CPU]; s++) {
        const leak_snapshot *snapshot = c->used[SET_CPU][s];
        c->cpu.duration_s += snapshot->duration_s;
        for (size_t i = 0; i < snapshot->cell_count; i++) {
            const leak_cell *cell = &snapshot->cells[i];
            c->cpu.busy_s += cell->value[V_DELAY] / NS_PER_S;
            add_stack(c, c->leak->sites[cell->site].stack, cell->value[V_COUNT]);
        }
    }
    assert(cpu->gc <= cpu->samples && cpu->lock <= cpu->samples);
    for (size_t i = 0; i <= c->subject_count; i++) {
        double *number = i < c->subject_count ? c->subjects[i].number : c->program.number;
        if (cpu->samples == 0)
            break;
        number[FL_LEAK_F_CPU_SAMPLES] = cpu->samples;
        number[FL_LEAK_F_CPU_GC_SHARE] = share(cpu->gc, cpu);
        number[FL_LEAK_F_CPU_ASSIST_SHARE] = share(cpu->assist, cpu);
        number[FL_LEAK_F_CPU_ALLOC_SHARE] = share(cpu->alloc, cpu);
        number[FL_LEAK_F_CPU_LOCK_SHARE] = share(cpu->lock, cpu);
        number[FL_LEAK_F_CPU_BUSY] = cpu->duration_s > 0 ? cpu->busy_s / cpu->duration_s : NAN;
        if (i < c->subject_count)
            set_features(c, &c->subjects[i]);
    }
}
