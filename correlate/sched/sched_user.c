/*
 * sched_user.c - tasks and regions, and stacks that are within a map.
 *
 * Tasks are of the whole program and may begin and end on any goroutine; ids are not used again.
 * Regions nest on their goroutine. One that takes long is kept with what else went on: whether a
 * stack within a map's growth was seen on its goroutine meanwhile, and whether a collection was
 * under way. The longest FL_MAX_SCHED_SPIKES are kept, in a heap with the shortest on top.
 */
#include "faultline/limits.h"
#include "sched_priv.h"

/* ---- regions ---- */

static void begin_region(fl_sched *sched, sched_goroutine *goroutine, const fl_gotrace_event *event)
{
    sched_cost *cost = fl_sched_cost_of(sched, &sched->regions, event->text, 0, true);
    if (cost == NULL)
        return;
    uint32_t at = sched->free_region;
    if (at != SCHED_NONE)
        sched->free_region = sched->open_regions[at].outer;
    else if (sched->open_count == FL_MAX_SCHED_TASKS) {
        sched->dropped++;
        return;
    } else {
        if (!fl_sched_reserve(sched, (void **)&sched->open_regions, &sched->open_cap,
                              sched->open_count + 1, sizeof(*sched->open_regions)))
            return;
        at = (uint32_t)sched->open_count++;
    }
    sched->open_regions[at] =
        (sched_region){.begin_ns = event->time_ns,
                       .row = (uint32_t)(cost - (sched_cost *)sched->regions.rows),
                       .outer = goroutine->region};
    goroutine->region = at;
    cost->open++;
}

/* Its member `outer` chains the free ones. */
static void give_back(fl_sched *sched, uint32_t at)
{
    sched->open_regions[at].outer = sched->free_region;
    sched->free_region = at;
}

/* The shortest on top, so that it is the one to go. */
static void sift_spike(fl_sched *sched, size_t at)
{
    sched_spike *heap = sched->spikes, moved = heap[at];
    for (size_t child; (child = 2 * at + 1) < sched->spike_count; at = child) {
        if (child + 1 < sched->spike_count && heap[child + 1].duration_ns < heap[child].duration_ns)
            child++;
        if (heap[child].duration_ns >= moved.duration_ns)
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

/* A heap only once it is full: before, every region is kept. */
static void keep_spike(fl_sched *sched, const sched_spike *spike)
{
    if (sched->spike_count < FL_MAX_SCHED_SPIKES) {
        sched->spikes[sched->spike_count++] = *spike;
        for (size_t i = sched->spike_count / 2;
             i-- > 0 && sched->spike_count == FL_MAX_SCHED_SPIKES;)
            sift_spike(sched, i);
    } else if (spike->duration_ns > sched->spikes[0].duration_ns) {
        sched->spikes[0] = *spike;
        sift_spike(sched, 0);
    }
}

/* The innermost one ends, whatever its name: they nest. */
static void end_region(fl_sched *sched, sched_goroutine *goroutine, const fl_gotrace_event *event)
{
    if (goroutine->region == SCHED_NONE)
        return; /* it began before the trace */
    uint32_t at = goroutine->region;
    sched_region region = sched->open_regions[at];
    sched_cost *cost = (sched_cost *)sched->regions.rows + region.row;
    if (cost->name != event->text)
        return; /* it ended out of order: its begin is not known */
    goroutine->region = region.outer;
    give_back(sched, at);
    cost->open--;
    sched_spike spike = {.region = region.row,
                         .begin_ns = region.begin_ns,
                         .duration_ns = event->time_ns - region.begin_ns,
                         .growth = SCHED_NONE,
                         .marking = sched->marking};
    if (goroutine->grew_ns >= region.begin_ns && goroutine->grew_ns > 0)
        spike.growth = goroutine->grew_place;
    spike.doubled = goroutine->doubled_ns >= region.begin_ns && goroutine->doubled_ns > 0;
    fl_sched_cost_add(cost, spike.duration_ns);
    keep_spike(sched, &spike);
}

void fl_sched_drop_regions(fl_sched *sched, sched_goroutine *goroutine)
{
    while (goroutine->region != SCHED_NONE) {
        uint32_t at = goroutine->region;
        ((sched_cost *)sched->regions.rows + sched->open_regions[at].row)->open--;
        goroutine->region = sched->open_regions[at].outer;
        give_back(sched, at);
    }
}

/* ---- tasks ---- */

/* Ids are not used again: each has a begin of its own, up to the budget. */
static void begin_task(fl_sched *sched, const fl_gotrace_event *event)
{
    sched_cost *cost = fl_sched_cost_of(sched, &sched->tasks, event->text, 0, true);
    uint64_t *slot;
    bool added;
    if (cost == NULL)
        return;
    if (sched->task_begin_count == FL_MAX_SCHED_TASKS) {
        sched->dropped++;
        return;
    }
    if (!fl_sched_reserve(sched, (void **)&sched->task_begins, &sched->task_begin_cap,
                          sched->task_begin_count + 1, sizeof(*sched->task_begins)) ||
        fl_map_slot(&slot, sched->open_tasks, event->value, &added, sched->err) != FL_OK)
        return;
    if (!added)
        return;
    *slot = sched->task_begin_count;
    sched->task_begins[sched->task_begin_count++] = (struct sched_open_task){
        .begin_ns = event->time_ns, .row = (uint32_t)(cost - (sched_cost *)sched->tasks.rows)};
    cost->open++;
}

/* Tasks may be ended again: the first end counts. */
static void end_task(fl_sched *sched, const fl_gotrace_event *event)
{
    const uint64_t *slot = fl_map_find(sched->open_tasks, event->value);
    if (slot == NULL)
        return;
    struct sched_open_task *task = &sched->task_begins[*slot];
    if (task->begin_ns == 0)
        return; /* it has ended before */
    sched_cost *cost = (sched_cost *)sched->tasks.rows + task->row;
    fl_sched_cost_add(cost, event->time_ns - task->begin_ns);
    cost->open--;
    task->begin_ns = 0;
}

void fl_sched_on_user(fl_sched *sched, const fl_gotrace_event *event)
{
    sched_goroutine *goroutine =
        event->g != FL_GOTRACE_NONE ? fl_sched_goroutine_of(sched, event->g) : NULL;
    if (goroutine == NULL)
        return;
    switch (event->kind) {
    case FL_GOTRACE_TASK_BEGIN:
        begin_task(sched, event);
        break;
    case FL_GOTRACE_TASK_END:
        end_task(sched, event);
        break;
    case FL_GOTRACE_REGION_BEGIN:
        begin_region(sched, goroutine, event);
        break;
    case FL_GOTRACE_REGION_END:
        end_region(sched, goroutine, event);
        break;
    default:
        break;
    }
}

/* ---- maps ---- */

/* Samples that follow each other on a goroutine within one doubling tell how long it took: each is
 * ten milliseconds of a processor. */
static void note_growth(sched_goroutine *goroutine, sched_map_use *use,
                        const fl_gotrace_event *event, unsigned flags)
{
    if ((flags & IN_MAP_GROW) != 0) {
        goroutine->grew_ns = event->time_ns;
        goroutine->grew_place = use->place;
    }
    if ((flags & IN_MAP_DOUBLE) == 0)
        return;
    goroutine->doubled_ns = event->time_ns;
    if (event->kind != FL_GOTRACE_SAMPLE)
        return;
    goroutine->doubling++;
    if (goroutine->doubling > use->longest) {
        use->longest = goroutine->doubling;
        use->longest_ns = event->time_ns;
    }
}

void fl_sched_on_stack(fl_sched *sched, const sched_stack *stack, const fl_gotrace_event *event)
{
    unsigned flags = stack->flags;
    uint32_t place = stack->place;
    bool is_sample = event->kind == FL_GOTRACE_SAMPLE;
    bool in_map = (flags & IN_MAP) != 0;
    assert(in_map || is_sample);
    sched_goroutine *goroutine =
        event->g != FL_GOTRACE_NONE ? fl_sched_goroutine_of(sched, event->g) : NULL;
    if (goroutine != NULL && is_sample && (flags & IN_MAP_DOUBLE) == 0)
        goroutine->doubling = 0;
    if (!in_map)
        return;
    sched_map_use blank = {.place = place};
    uint32_t row = fl_sched_row(sched, &sched->maps, place, &blank);
    if (row == SCHED_NONE)
        return;
    sched_map_use *use = (sched_map_use *)sched->maps.rows + row;
    if (is_sample) {
        use->samples++;
        use->reads += (flags & IN_MAP_READ) != 0;
        use->writes += (flags & IN_MAP_WRITE) != 0;
        use->grows += (flags & IN_MAP_GROW) != 0;
        if ((flags & IN_MAP_GROW) != 0)
            fl_sched_course_growth(sched, event->time_ns);
    } else
        use->others++;
    if (goroutine != NULL)
        note_growth(goroutine, use, event, flags);
}
