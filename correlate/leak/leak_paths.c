/*
 * leak_paths.c - who calls the function that allocates: series by call path, where paths part.
 *
 * A helper that copies or puts for many allocates on one line for all of them. Of each function its
 * stacks are followed outwards, over the user's own frames, for as long as all that matter have the
 * same caller; where they part, each of the callers is a path with a series of its own.
 *
 *      put <- set <- serve          paths of put: serve, refresh
 *      put <- set <- refresh
 *
 * A function with one path is its own path, and has no row here; nor has one that never holds
 * MINOR_HEAP of the heap, or a caller that neither holds nor allocates MINOR_PART of what
 * its function does. So
 * there are some thousand paths at most, whatever the profiles hold.
 */
#include <assert.h>

#include "leak_priv.h"
#include "map.h"

#define MINOR_PART 0.02
#define MINOR_HEAP 0.01
/* The others together grow by a third of it at most: three quarters of the growth are its own. */
#define MOST_GROWTH_REST (1.0 / 3)

/* A stack that is followed outwards. */
typedef struct walk {
    uint32_t stack;
    uint32_t at; /* frame of the user's own code, or NO_ID: there is none further out */
} walk;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
}

static fl_sym name_at(const fl_leak *leak, const leak_stack *stack, uint32_t frame)
{
    uint32_t function = leak->frames[stack->frame_at + frame].function;
    return function == NO_ID ? 0 : leak->functions[function].name;
}

/* The next frame of the user's own code that is in another function: recursion is one place. */
static uint32_t next_user(const fl_leak *leak, uint32_t stack_id, uint32_t at)
{
    const leak_stack *stack = &leak->stacks[stack_id];
    if (at == NO_ID)
        return NO_ID;
    fl_sym here = name_at(leak, stack, at);
    for (uint32_t k = at + 1; k < stack->frame_count; k++) {
        uint32_t function = leak->frames[stack->frame_at + k].function;
        if (function != NO_ID && leak->functions[function].owner == OWNER_USER &&
            leak->functions[function].name != here)
            return k;
    }
    return NO_ID;
}

/* The name at a walk's place; NO_ID at the end of its stack. */
static uint64_t key_of(const fl_leak *leak, const walk *w)
{
    return w->at == NO_ID ? NO_ID : name_at(leak, &leak->stacks[w->stack], w->at);
}

/* Follow all walks to where they part. False where they end without. */
static bool part(const fl_leak *leak, walk *walks, size_t count)
{
    for (uint32_t depth = 0; depth < MAX_FRAMES && count > 1; depth++) {
        bool differ = false;
        for (size_t i = 0; i < count; i++) {
            walks[i].at = next_user(leak, walks[i].stack, walks[i].at);
            differ = differ || key_of(leak, &walks[i]) != key_of(leak, &walks[0]);
        }
        if (differ)
            return true;
        if (walks[0].at == NO_ID)
            return false;
    }
    return false;
}

/* What each stack matters by: the most that it held in any snapshot, and what it ever allocated. */
typedef struct weights {
    double *peak, *made;
} weights;

static bool weigh(weights *out, leak_case *c)
{
    size_t stacks = c->leak->stack_count + 1;
    double *sum = fl_arena_alloc(c->scratch, stacks, sizeof(*sum));
    out->peak = fl_arena_alloc(c->scratch, stacks, sizeof(*out->peak));
    out->made = fl_arena_alloc(c->scratch, stacks, sizeof(*out->made));
    if (sum == NULL || out->peak == NULL || out->made == NULL)
        return false;
    for (size_t s = 0; s < c->used_count[SET_HEAP]; s++) {
        const leak_snapshot *snapshot = c->used[SET_HEAP][s];
        for (size_t i = 0; i < snapshot->cell_count; i++) {
            const leak_cell *cell = &snapshot->cells[i];
            uint32_t stack = c->leak->sites[cell->site].stack;
            sum[stack] += cell->value[V_BYTES];
            out->made[stack] += s + 1 == c->used_count[SET_HEAP] ? cell->value[V_ALLOC_BYTES] : 0;
        }
        for (size_t i = 0; i < snapshot->cell_count; i++) {
            uint32_t stack = c->leak->sites[snapshot->cells[i].site].stack;
            out->peak[stack] = sum[stack] > out->peak[stack] ? sum[stack] : out->peak[stack];
            sum[stack] = 0;
        }
    }
    return true;
}

/* Give the stacks of one function their paths, where they part. */
static fl_status split(leak_case *c, leak_grouping *g, size_t parent, const weights *by,
                       fl_map *ids, fl_error *err)
{
    double least = MINOR_HEAP * fl_leak_peak(&c->program);
    const leak_subject *s = &c->subjects[parent];
    const fl_leak *leak = c->leak;
    double all = 0, made = 0;
    size_t count = 0;
    fl_status status = FL_OK;
    walk *walks = fl_arena_alloc(c->scratch, s->stack_count + 1, sizeof(*walks));
    if (walks == NULL)
        return no_memory(err);
    for (size_t i = 0; i < s->stack_count; i++) {
        all += by->peak[s->stacks[i]];
        made += by->made[s->stacks[i]];
    }
    for (size_t i = 0; i < s->stack_count; i++) {
        if (by->peak[s->stacks[i]] >= MINOR_PART * all ||
            (made > 0 && by->made[s->stacks[i]] >= MINOR_PART * made))
            walks[count++] = (walk){.stack = s->stacks[i], .at = leak->stacks[s->stacks[i]].user};
    }
    if (!(all >= least) || all <= 0 || !part(leak, walks, count))
        return FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        bool added = false;
        uint64_t *slot = NULL;
        uint64_t key = key_of(leak, &walks[i]);
        status = fl_map_slot(&slot, ids, (uint64_t)parent << 32 | key, &added, err);
        if (status == FL_OK && added) {
            *slot = g->count;
            status = fl_leak_add_subject(c, g, SET_HEAP, walks[i].stack, err);
            if (status == FL_OK) {
                g->subjects[*slot].parent = (uint32_t)parent;
                g->subjects[*slot].caller = (uint32_t)key;
            }
        }
        if (status == FL_OK)
            g->of_stack[walks[i].stack] = (uint32_t)*slot;
    }
    return status;
}

fl_status fl_leak_paths_of(leak_case *c, fl_error *err)
{
    leak_grouping g = {0};
    fl_map *ids = NULL;
    weights by;
    g.of_stack = fl_arena_alloc(c->scratch, c->leak->stack_count + 1, sizeof(*g.of_stack));
    if (g.of_stack == NULL || !weigh(&by, c))
        return no_memory(err);
    for (size_t i = 0; i < c->leak->stack_count; i++)
        g.of_stack[i] = NO_ID;
    fl_status status = fl_map_create(&ids, c->leak->stack_count + 1, err);
    for (size_t i = 0; i < c->subject_count && status == FL_OK; i++) {
        const leak_subject *s = &c->subjects[i];
        if (s->kind == FL_LEAK_SITE && s->has_user && s->stack_count > 1)
            status = split(c, &g, i, &by, ids, err);
    }
    fl_map_destroy(ids);
    if (status == FL_OK)
        status = fl_leak_fill_group(c, &g, SET_HEAP, 0, NULL, err);
    c->paths = g.subjects;
    c->path_count = status == FL_OK ? g.count : 0;
    assert(c->path_count == 0 || c->paths != NULL);
    return status;
}

/* Of a function that grows: the path that makes up most of it while the others stay. */
leak_subject *fl_leak_growing_path(const leak_case *c, const leak_subject *subject)
{
    leak_subject *best = NULL;
    double rest = 0;
    for (size_t i = 0; i < c->path_count; i++) {
        leak_subject *path = &c->paths[i];
        if (&c->subjects[path->parent] != subject)
            continue;
        bool more = best == NULL || path->trend.slope > best->trend.slope;
        double other = more ? best != NULL ? best->trend.slope : 0 : path->trend.slope;
        rest += other > 0 ? other : 0;
        best = more ? path : best;
    }
    bool alone = best != NULL && best->caller != NO_ID && best->trend.slope > 0 &&
                 rest <= MOST_GROWTH_REST * best->trend.slope;
    return alone ? best : NULL;
}
