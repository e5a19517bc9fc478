/*
 * sched_course.c - the course of a trace: what was done in each of some hundred steps of time.
 *
 * A step begins as a millisecond; where the trace is longer than all steps, pairs of steps become
 * one, and steps twice as long. What a processor does is spread over the steps that it lasts;
 * what is counted (delays, samples) belongs to the step in which it ends.
 *
 * Cost: the intervals of a processor do not overlap, so that spreading touches each of its steps a
 * few times beside one for each event. Memory: FL_SCHED_STEPS of 88 bytes, and of 24 a processor.
 *
 * Invariant: steps behind the last moment that was told are zero.
 */
#include <string.h>

#include "mem.h"
#include "sched_priv.h"

enum { FIRST_STEP_NS = 1000000 };

struct sched_course {
    fl_sched_step steps[FL_SCHED_STEPS];
    fl_sched_proc *procs; /* FL_SCHED_STEPS of each */
    size_t proc_count, proc_cap;
    int64_t step_ns;
    int64_t more; /* goroutines that were started, but for those that ended */
};

/* Memory is taken at once but for processors, of which nobody knows how many there are. */
fl_status fl_sched_follow(fl_sched *sched, fl_error *err)
{
    assert(sched != NULL && sched->course == NULL && sched->events == 0);
    sched->course = fl_mem_calloc(1, sizeof(*sched->course));
    if (sched->course == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the course of a trace");
    sched->course->step_ns = FIRST_STEP_NS;
    return FL_OK;
}

void fl_sched_course_destroy(sched_course *course)
{
    if (course == NULL)
        return;
    fl_mem_free(course->procs);
    fl_mem_free(course);
}

static void join_procs(fl_sched_proc *to, const fl_sched_proc *from)
{
    sched_sum(&to->running_ns, from->running_ns);
    sched_sum(&to->marking_ns, from->marking_ns);
    sched_sum(&to->idle_ns, from->idle_ns);
}

/* A level keeps its largest; 0 is a level that was not told. */
static fl_sched_step joined(fl_sched_step a, const fl_sched_step *b)
{
    sched_sum(&a.running_ns, b->running_ns);
    sched_sum(&a.marking_ns, b->marking_ns);
    sched_sum(&a.idle_ns, b->idle_ns);
    sched_sum(&a.assist_ns, b->assist_ns);
    sched_sum(&a.stw_ns, b->stw_ns);
    sched_sum(&a.latency_ns, b->latency_ns);
    a.latency_count += b->latency_count;
    if (b->latency_max_ns > a.latency_max_ns)
        a.latency_max_ns = b->latency_max_ns;
    if (b->has_level && (!a.has_level || b->goroutines > a.goroutines))
        a.goroutines = b->goroutines;
    a.has_level |= b->has_level;
    if (b->heap_bytes > 0)
        a.heap_bytes = b->heap_bytes;
    a.map_growth += b->map_growth;
    return a;
}

/* Half as many steps of twice the length. */
static void fold(sched_course *course)
{
    size_t half = FL_SCHED_STEPS / 2;
    for (size_t i = 0; i < half; i++)
        course->steps[i] = joined(course->steps[2 * i], &course->steps[2 * i + 1]);
    memset(&course->steps[half], 0, half * sizeof(course->steps[0]));
    for (size_t p = 0; p < course->proc_count; p++) {
        fl_sched_proc *row = &course->procs[p * FL_SCHED_STEPS];
        for (size_t i = 0; i < half; i++) {
            row[i] = row[2 * i];
            join_procs(&row[i], &row[2 * i + 1]);
        }
        memset(&row[half], 0, half * sizeof(*row));
    }
    course->step_ns *= 2;
}

/* The step of a moment, which is never before the beginning. */
static size_t step_of(fl_sched *sched, int64_t time_ns)
{
    sched_course *course = sched->course;
    int64_t at = time_ns > sched->from_ns ? time_ns - sched->from_ns : 0;
    while (at / course->step_ns >= FL_SCHED_STEPS)
        fold(course);
    return (size_t)(at / course->step_ns);
}

/* NULL beyond the budget, or for want of memory, which the run then says. */
static fl_sched_proc *proc_of(fl_sched *sched, uint32_t proc)
{
    sched_course *course = sched->course;
    if (proc >= FL_SCHED_COURSE_PROCS)
        return NULL;
    if (proc >= course->proc_count) {
        if (!fl_sched_reserve(sched, (void **)&course->procs, &course->proc_cap,
                              ((size_t)proc + 1) * FL_SCHED_STEPS, sizeof(*course->procs)))
            return NULL;
        memset(&course->procs[course->proc_count * FL_SCHED_STEPS], 0,
               (proc + 1 - course->proc_count) * FL_SCHED_STEPS * sizeof(*course->procs));
        course->proc_count = (size_t)proc + 1;
    }
    return &course->procs[(size_t)proc * FL_SCHED_STEPS];
}

/* How much of the time from one moment to another lies in a step. */
static int64_t within(const fl_sched *sched, size_t at, int64_t from_ns, int64_t to_ns)
{
    uint64_t step = (uint64_t)sched->course->step_ns, begin = at * step, end = begin + step;
    uint64_t from = (uint64_t)(from_ns - sched->from_ns), to = (uint64_t)(to_ns - sched->from_ns);
    assert(from <= to && from < end && to >= begin);
    return (int64_t)((to < end ? to : end) - (from > begin ? from : begin));
}

/* What one processor did from a moment on; the moments are of one trace and in order. */
void fl_sched_course_proc(fl_sched *sched, uint32_t proc, sched_use use, int64_t from_ns,
                          int64_t to_ns)
{
    if (sched->course == NULL || to_ns <= from_ns || from_ns < sched->from_ns)
        return;
    size_t last = step_of(sched, to_ns), at = step_of(sched, from_ns);
    fl_sched_proc *row = proc_of(sched, proc);
    for (; at <= last; at++) {
        int64_t ns = within(sched, at, from_ns, to_ns);
        fl_sched_step *step = &sched->course->steps[at];
        fl_sched_proc spent = {.running_ns = use == SCHED_RUNS ? ns : 0,
                               .marking_ns = use == SCHED_MARKS ? ns : 0,
                               .idle_ns = use == SCHED_IDLES ? ns : 0};
        sched_sum(&step->running_ns, spent.running_ns);
        sched_sum(&step->marking_ns, spent.marking_ns);
        sched_sum(&step->idle_ns, spent.idle_ns);
        if (row != NULL)
            join_procs(&row[at], &spent);
    }
}

/* The world stands as a whole. */
void fl_sched_course_stop(fl_sched *sched, int64_t from_ns, int64_t to_ns)
{
    if (sched->course == NULL || to_ns <= from_ns || from_ns < sched->from_ns)
        return;
    size_t last = step_of(sched, to_ns), at = step_of(sched, from_ns);
    for (; at <= last; at++)
        sched_sum(&sched->course->steps[at].stw_ns, within(sched, at, from_ns, to_ns));
}

/* A delay is known when it ends: that is when a request went on. */
void fl_sched_course_delay(fl_sched *sched, int64_t now_ns, int64_t ns)
{
    if (sched->course == NULL)
        return;
    fl_sched_step *step = &sched->course->steps[step_of(sched, now_ns)];
    sched_sum(&step->latency_ns, ns);
    step->latency_count++;
    if (ns > step->latency_max_ns)
        step->latency_max_ns = ns;
}

/* What it ran, evenly over how long it took with its waiting. */
void fl_sched_course_assist(fl_sched *sched, int64_t from_ns, int64_t to_ns, int64_t ran_ns)
{
    if (sched->course == NULL || to_ns <= from_ns || from_ns < sched->from_ns)
        return;
    size_t last = step_of(sched, to_ns), at = step_of(sched, from_ns);
    double share = (double)ran_ns / (double)(to_ns - from_ns);
    for (; at <= last; at++)
        sched_sum(&sched->course->steps[at].assist_ns,
                  (int64_t)(share * (double)within(sched, at, from_ns, to_ns)));
}

/* More or fewer than when the trace began; a step keeps the most. */
void fl_sched_course_goroutines(fl_sched *sched, int64_t now_ns, int change)
{
    if (sched->course == NULL)
        return;
    fl_sched_step *step = &sched->course->steps[step_of(sched, now_ns)];
    sched->course->more += change;
    if (!step->has_level || sched->course->more > step->goroutines)
        step->goroutines = sched->course->more;
    step->has_level = true;
}

/* The last that is told in a step stays. */
void fl_sched_course_heap(fl_sched *sched, int64_t now_ns, uint64_t bytes)
{
    if (sched->course != NULL)
        sched->course->steps[step_of(sched, now_ns)].heap_bytes = bytes;
}

/* Samples come a hundred times a second of a busy processor: one stands for ten milliseconds. */
void fl_sched_course_growth(fl_sched *sched, int64_t now_ns)
{
    if (sched->course != NULL)
        sched->course->steps[step_of(sched, now_ns)].map_growth++;
}

/* Goroutines that were there before count from the beginning: they are told one by one, some only
 * where a generation ends. Levels stay until the next is told. */
fl_status fl_sched_course_report(fl_sched_report *out, fl_sched *sched, fl_arena *arena,
                                 fl_error *err)
{
    sched_course *course = sched->course;
    if (course == NULL)
        return FL_OK;
    size_t count = step_of(sched, sched->to_ns) + 1;
    uint64_t heap = 0;
    int64_t before = 0, level = 0;
    fl_sched_course *shown = fl_arena_alloc(arena, 1, sizeof(*shown));
    fl_sched_step *steps = fl_arena_alloc(arena, count, sizeof(*steps));
    fl_sched_proc *procs = fl_arena_alloc(arena, course->proc_count * count + 1, sizeof(*procs));
    if (shown == NULL || steps == NULL || procs == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the course of a trace");
    for (size_t i = 0; i < out->site_count; i++)
        before += (int64_t)out->sites[i].before;
    for (size_t i = 0; i < count; i++) {
        steps[i] = course->steps[i];
        level = steps[i].has_level ? steps[i].goroutines : level;
        heap = steps[i].heap_bytes > 0 ? steps[i].heap_bytes : heap;
        steps[i].goroutines = before + level > 0 ? before + level : 0;
        steps[i].heap_bytes = heap;
    }
    for (size_t p = 0; p < course->proc_count; p++)
        memcpy(&procs[p * count], &course->procs[p * FL_SCHED_STEPS], count * sizeof(*procs));
    *shown = (fl_sched_course){.step_ns = course->step_ns,
                               .step_count = count,
                               .steps = steps,
                               .proc_count = course->proc_count,
                               .procs = procs};
    out->course = shown;
    return FL_OK;
}
