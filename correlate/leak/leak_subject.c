/*
 * leak_subject.c - snapshots to series: what allocates, what is parked, what waits, grouped by the
 * innermost function of the user's own code.
 *
 * A heap profile shows the last completed garbage collection. Two snapshots of one collection hold
 * the same numbers, and the second tells nothing: it leaves. Stacks that take profiles leave too.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "leak_priv.h"
#include "slice.h"
#include "sort.h"

/* Two profiles of one kind closer than this part of the series are one moment. */
#define SAME_MOMENT 0.002

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
}

static int compare_times(const void *a, const void *b)
{
    const leak_snapshot *x = *(const leak_snapshot *const *)a;
    const leak_snapshot *y = *(const leak_snapshot *const *)b;
    int by_time = (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
    return by_time != 0 ? by_time : (x->print > y->print) - (x->print < y->print);
}

/* In ns, without overflow whatever the times are. */
static double time_between(const leak_snapshot *a, const leak_snapshot *b)
{
    return (double)b->time_ns - (double)a->time_ns;
}

/* Sort by time; drop repeats of one collection and of one moment. */
static fl_status use_snapshots(leak_case *c, leak_set_kind kind, fl_error *err)
{
    const leak_set *set = &c->leak->sets[kind];
    const leak_snapshot **used = fl_arena_alloc(c->scratch, set->count + 1, sizeof(*used));
    double *time_s = fl_arena_alloc(c->scratch, set->count + 1, sizeof(*time_s));
    if (used == NULL || time_s == NULL)
        return no_memory(err);
    size_t count = 0, all = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (fl_leak_is_in_scope(c, &set->snapshots[i], kind))
            used[all++] = &set->snapshots[i];
    }
    qsort(used, all, sizeof(*used), compare_times);
    double span = all > 0 ? time_between(used[0], used[all - 1]) : 0;
    for (size_t i = 0; i < all; i++) {
        bool same_gc = kind == SET_HEAP && count > 0 && used[count - 1]->print == used[i]->print;
        double since = count > 0 ? time_between(used[count - 1], used[i]) : INFINITY;
        if (!same_gc && since > SAME_MOMENT * span)
            used[count++] = used[i];
    }
    for (size_t i = 0; i < count; i++)
        time_s[i] = time_between(used[0], used[i]) / NS_PER_S;
    c->used[kind] = used;
    c->time_s[kind] = time_s;
    c->used_count[kind] = count;
    return FL_OK;
}

/* What stacks are grouped by: the name of the user's innermost function, else of the innermost. */
static uint64_t key_of(const fl_leak *leak, const leak_stack *stack, leak_set_kind set,
                       bool *has_user)
{
    *has_user = stack->user != NO_ID;
    const leak_frame *frame = &leak->frames[stack->frame_at + fl_leak_place_of(stack, set)];
    if (frame->function == NO_ID)
        return UINT64_C(1) << 40 | frame->line;
    return (uint64_t) !*has_user << 41 | leak->functions[frame->function].name;
}

fl_status fl_leak_add_subject(leak_case *c, leak_grouping *g, leak_set_kind set, uint32_t stack,
                              fl_error *err)
{
    static const fl_leak_subject kinds[SET_COUNT] = {
        [SET_HEAP] = FL_LEAK_SITE,
        [SET_GOROUTINES] = FL_LEAK_GOROUTINES,
        [SET_LEAKED] = FL_LEAK_GOROUTINES,
        [SET_MUTEX] = FL_LEAK_LOCK,
        [SET_BLOCK] = FL_LEAK_LOCK,
        [SET_CPU] = FL_LEAK_PROGRAM, /* is counted by function, and no subject */
    };
    if (g->count == g->cap) {
        size_t cap = g->cap < 64 ? 64 : g->cap * 2;
        leak_subject *rows = fl_arena_alloc(c->scratch, cap, sizeof(*rows));
        if (rows == NULL)
            return no_memory(err);
        if (g->count > 0)
            memcpy(rows, g->subjects, g->count * sizeof(*rows));
        g->subjects = rows;
        g->cap = cap;
    }
    bool has_user = c->leak->stacks[stack].user != NO_ID;
    g->subjects[g->count++] = (leak_subject){.kind = kinds[set],
                                             .set = set,
                                             .has_user = has_user,
                                             .function = NO_ID,
                                             .caller = NO_ID,
                                             .top_stack = stack};
    return FL_OK;
}

/* Give each stack that a used snapshot of `set` holds its subject. */
static fl_status group_set(leak_case *c, leak_grouping *g, leak_set_kind set, fl_error *err)
{
    const fl_leak *leak = c->leak;
    fl_map *ids = NULL;
    fl_status status = fl_map_create(&ids, leak->stack_count + 1, err);
    for (size_t i = 0; i < leak->stack_count; i++)
        g->of_stack[i] = NO_ID;
    for (size_t s = 0; s < c->used_count[set] && status == FL_OK; s++) {
        const leak_snapshot *snapshot = c->used[set][s];
        for (size_t i = 0; i < snapshot->cell_count && status == FL_OK; i++) {
            uint32_t stack = leak->sites[snapshot->cells[i].site].stack;
            if (g->of_stack[stack] != NO_ID || leak->stacks[stack].is_observer)
                continue;
            bool added = false, has_user = false;
            uint64_t *slot = NULL;
            status = fl_map_slot(&slot, ids, key_of(leak, &leak->stacks[stack], set, &has_user),
                                 &added, err);
            if (status == FL_OK && added) {
                *slot = g->count;
                status = fl_leak_add_subject(c, g, set, stack, err);
            }
            if (status == FL_OK)
                g->of_stack[stack] = (uint32_t)*slot;
        }
    }
    fl_map_destroy(ids);
    return status;
}

/* Room for the series of subjects [from, count) and for that of all of them. */
static fl_status make_series(leak_case *c, leak_subject *subject, leak_set_kind set, fl_error *err)
{
    size_t n = c->used_count[set];
    double *rows = fl_arena_alloc(c->scratch, 8 * n + 1, sizeof(*rows));
    if (rows == NULL)
        return no_memory(err);
    subject->value = rows;
    subject->error = rows + n;
    subject->series = (fl_series){.time_s = c->time_s[set],
                                  .value = subject->value,
                                  .error = subject->error,
                                  .count = n,
                                  .quantum = set == SET_HEAP ? c->scope.rate : 0};
    subject->objects = rows + 2 * n;
    subject->allocated = rows + 3 * n;
    subject->made = rows + 4 * n;
    subject->item_value = rows + 5 * n;
    subject->item_error = rows + 6 * n;
    subject->item_made = rows + 7 * n;
    subject->items = subject->series;
    subject->items.value = subject->item_value;
    subject->items.error = subject->item_error;
    return FL_OK;
}

/* Add one cell to a series; errors are variances until close_series(). */
static void add_cell(const fl_leak *leak, leak_subject *subject, size_t at, const leak_cell *cell,
                     double rate)
{
    double *value = subject->value, *variance = subject->error;
    assert(at < subject->series.count);
    if (subject->set != SET_HEAP) {
        value[at] += cell->value[fl_leak_counts_goroutines(subject->set) ? V_COUNT : V_DELAY];
        subject->objects[at] += cell->value[V_COUNT];
        return;
    }
    double error = fl_sampling_variance(cell->value[V_OBJECTS], cell->value[V_BYTES], rate);
    value[at] += cell->value[V_BYTES];
    variance[at] += error;
    if (leak->sites[cell->site].block_bytes < ITEM_MAX_BYTES) {
        subject->item_value[at] += cell->value[V_BYTES];
        subject->item_error[at] += error;
        subject->item_made[at] += cell->value[V_ALLOC_BYTES];
    }
    subject->objects[at] += cell->value[V_OBJECTS];
    subject->allocated[at] += cell->value[V_ALLOC_BYTES];
    subject->made[at] += cell->value[V_ALLOC_OBJECTS];
}

/* Variances to errors. A site of which no sample was drawn may still hold one sample's worth. */
static void close_series(leak_subject *subject)
{
    double quantum = subject->series.quantum;
    size_t n = subject->series.count;
    double floor = quantum > 0 ? quantum * quantum : 1;
    for (size_t i = 0; i < n; i++) {
        subject->error[i] = sqrt(subject->error[i] + floor);
        subject->item_error[i] = sqrt(subject->item_error[i] + floor);
    }
    if (subject->set == SET_HEAP && n > 0 && subject->allocated[n - 1] > 0)
        subject->series.made = subject->allocated;
    if (subject->series.made != NULL)
        subject->items.made = subject->item_made;
}

/* The stacks of each subject from the `from`th on: counted first, then listed, in the order of
 * their numbers. */
static fl_status list_stacks(leak_case *c, leak_grouping *g, size_t from, fl_error *err)
{
    const fl_leak *leak = c->leak;
    for (size_t i = 0; i < leak->stack_count; i++) {
        if (g->of_stack[i] != NO_ID)
            g->subjects[g->of_stack[i]].stack_count++;
    }
    for (size_t i = from; i < g->count; i++) {
        leak_subject *subject = &g->subjects[i];
        subject->stacks = fl_arena_alloc(c->scratch, subject->stack_count + 1, sizeof(uint32_t));
        if (subject->stacks == NULL)
            return no_memory(err);
        subject->stack_count = 0;
    }
    for (size_t i = 0; i < leak->stack_count; i++) {
        if (g->of_stack[i] != NO_ID) {
            leak_subject *subject = &g->subjects[g->of_stack[i]];
            subject->stacks[subject->stack_count++] = (uint32_t)i;
        }
    }
    return FL_OK;
}

/* The stack of each subject that grew most between the first and the last snapshot, else the
 * largest at the end. Ties go to the stack whose frames sort first, whatever came in first. */
static bool stack_before(const fl_leak *leak, uint32_t a, uint32_t b)
{
    const leak_stack *x = &leak->stacks[a], *y = &leak->stacks[b];
    for (uint32_t k = 0; k < x->frame_count && k < y->frame_count; k++) {
        const leak_frame *f = &leak->frames[x->frame_at + k], *g = &leak->frames[y->frame_at + k];
        int by_name = fl_slice_compare(fl_leak_name_at(leak, f), fl_leak_name_at(leak, g));
        if (by_name != 0)
            return by_name < 0;
        if (f->line != g->line)
            return f->line < g->line;
    }
    return x->frame_count < y->frame_count;
}

/* The stack that a finding points at: line and callers come from it. */
static fl_status choose_top_stacks(leak_case *c, leak_grouping *g, leak_set_kind set, fl_error *err)
{
    const fl_leak *leak = c->leak;
    size_t n = c->used_count[set];
    double *weight = fl_arena_alloc(c->scratch, leak->stack_count + 1, sizeof(*weight));
    if (weight == NULL)
        return no_memory(err);
    for (size_t s = 0; s<n; s += n> 1 ? n - 1 : 1) {
        const leak_snapshot *snapshot = c->used[set][s];
        /* Growth decides; where nothing grew the level at the end does, by a thousandth. */
        double sign = s == 0 && n > 1 ? -0.999 : 1;
        for (size_t i = 0; i < snapshot->cell_count; i++) {
            const leak_cell *cell = &snapshot->cells[i];
            size_t column = set == SET_HEAP                  ? V_BYTES
                            : fl_leak_counts_goroutines(set) ? V_COUNT
                                                             : V_DELAY;
            weight[leak->sites[cell->site].stack] +=
                sign * cell->value[column] + 1e-6 * fabs(cell->value[V_ALLOC_BYTES]);
        }
    }
    for (size_t i = 0; i < leak->stack_count; i++) {
        if (g->of_stack[i] == NO_ID)
            continue;
        leak_subject *subject = &g->subjects[g->of_stack[i]];
        uint32_t stack = (uint32_t)i, top = subject->top_stack;
        bool first = subject->function == NO_ID;
        if (first || weight[stack] > weight[top] ||
            (weight[stack] == weight[top] && stack_before(leak, stack, top))) {
            subject->top_stack = stack;
            subject->top_weight = weight[stack];
            const leak_stack *s = &leak->stacks[stack];
            subject->function = leak->frames[s->frame_at + fl_leak_place_of(s, set)].function;
        }
    }
    return FL_OK;
}

/* By subject, then by size. */
static int compare_blocks(const void *a, const void *b)
{
    const leak_block *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* One row for each (subject, block size), out of the first, the last and the middle snapshots. */
static fl_status list_blocks(leak_case *c, leak_grouping *g, fl_error *err)
{
    const fl_leak *leak = c->leak;
    size_t n = c->used_count[SET_HEAP], count = 0, row_count = 0;
    uint32_t *row_of = fl_arena_alloc(c->scratch, leak->site_count + 1, sizeof(*row_of));
    if (row_of == NULL)
        return no_memory(err);
    for (size_t i = 0; i < leak->site_count; i++)
        row_of[i] = g->of_stack[leak->sites[i].stack] != NO_ID ? (uint32_t)row_count++ : NO_ID;
    leak_block *rows = fl_arena_alloc(c->scratch, row_count + 1, sizeof(*rows));
    if (rows == NULL)
        return no_memory(err);
    for (size_t i = 0; i < leak->site_count; i++) {
        if (row_of[i] != NO_ID)
            rows[row_of[i]] = (leak_block){.group = g->of_stack[leak->sites[i].stack],
                                           .bytes = leak->sites[i].block_bytes};
    }
    for (size_t s = 0; s < n; s++) {
        for (size_t i = 0; i < c->used[SET_HEAP][s]->cell_count; i++) {
            const leak_cell *cell = &c->used[SET_HEAP][s]->cells[i];
            if (row_of[cell->site] == NO_ID)
                continue;
            leak_block *row = &rows[row_of[cell->site]];
            row->peak_bytes = fmax(row->peak_bytes, cell->value[V_BYTES]);
            if (s == 0) {
                row->first_bytes = cell->value[V_BYTES];
                row->first_made = cell->value[V_ALLOC_OBJECTS];
            }
            if (s + 1 == n) {
                row->last_bytes = cell->value[V_BYTES];
                row->last_objects = cell->value[V_OBJECTS];
                row->last_made = cell->value[V_ALLOC_OBJECTS];
            }
        }
    }
    qsort(rows, row_count, sizeof(*rows), compare_blocks);
    for (size_t i = 0; i < row_count; i++) {
        leak_block *last = count > 0 ? &rows[count - 1] : NULL;
        if (rows[i].bytes == 0)
            continue;
        if (last == NULL || last->group != rows[i].group || last->bytes != rows[i].bytes) {
            rows[count++] = rows[i];
            continue;
        }
        last->first_bytes += rows[i].first_bytes;
        last->last_bytes += rows[i].last_bytes;
        last->first_made += rows[i].first_made;
        last->last_made += rows[i].last_made;
        last->last_objects += rows[i].last_objects;
        last->peak_bytes += rows[i].peak_bytes;
    }
    for (size_t i = 0; i < count; i++) {
        leak_subject *subject = &g->subjects[rows[i].group];
        if (subject->block_count++ == 0)
            subject->blocks = &rows[i];
    }
    return FL_OK;
}

/* Add up the cells of each snapshot by subject, and over all of them. */
static fl_status fill_series(leak_case *c, leak_grouping *g, leak_set_kind set, leak_subject *all,
                             fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < g->count && status == FL_OK; i++) {
        if (g->subjects[i].set == set)
            status = make_series(c, &g->subjects[i], set, err);
    }
    if (status == FL_OK && all != NULL)
        status = make_series(c, all, set, err);
    for (size_t s = 0; s < c->used_count[set] && status == FL_OK; s++) {
        const leak_snapshot *snapshot = c->used[set][s];
        for (size_t i = 0; i < snapshot->cell_count; i++) {
            uint32_t at = g->of_stack[c->leak->sites[snapshot->cells[i].site].stack];
            if (at == NO_ID)
                continue;
            g->subjects[at].support |= snapshot->from;
            add_cell(c->leak, &g->subjects[at], s, &snapshot->cells[i], snapshot->rate);
            if (all != NULL)
                add_cell(c->leak, all, s, &snapshot->cells[i], snapshot->rate);
        }
    }
    return status;
}

/* `room` is used for one trend after the other. */
static fl_status draw_trend(leak_subject *subject, fl_arena *room, fl_error *err)
{
    close_series(subject);
    fl_arena_reset(room);
    fl_status status = fl_trend_of(&subject->trend, &subject->series, room, err);
    if (status != FL_OK || subject->kind != FL_LEAK_SITE)
        return status;
    subject->item_trend = subject->trend;
    if (memcmp(subject->item_value, subject->value, subject->series.count * sizeof(double)) == 0)
        return status;
    fl_arena_reset(room);
    return fl_trend_of(&subject->item_trend, &subject->items, room, err);
}

fl_status fl_leak_fill_group(leak_case *c, leak_grouping *g, leak_set_kind set, size_t from,
                             leak_subject *all, fl_error *err)
{
    fl_arena room = fl_arena_of(FL_MAX_LEAK_SCRATCH_BYTES);
    fl_status status = list_stacks(c, g, from, err);
    if (status == FL_OK)
        status = choose_top_stacks(c, g, set, err);
    if (status == FL_OK)
        status = fill_series(c, g, set, all, err);
    if (status == FL_OK && set == SET_HEAP)
        status = list_blocks(c, g, err);
    if (status == FL_OK && all != NULL)
        status = draw_trend(all, &room, err);
    for (size_t i = from; i < g->count && status == FL_OK; i++)
        status = draw_trend(&g->subjects[i], &room, err);
    fl_arena_dispose(&room);
    return status;
}

fl_status fl_leak_group(leak_case *c, fl_error *err)
{
    leak_grouping g = {0};
    fl_status status = FL_OK;
    g.of_stack = fl_arena_alloc(c->scratch, c->leak->stack_count + 1, sizeof(*g.of_stack));
    if (g.of_stack == NULL)
        return no_memory(err);
    c->program = (leak_subject){
        .kind = FL_LEAK_PROGRAM, .set = SET_HEAP, .function = NO_ID, .top_stack = NO_ID};
    c->goroutines = (leak_subject){
        .kind = FL_LEAK_GOROUTINES, .set = SET_GOROUTINES, .function = NO_ID, .top_stack = NO_ID};
    for (int set = 0; set < SET_COUNT && status == FL_OK; set++) {
        leak_subject *all = set == SET_HEAP         ? &c->program
                            : set == SET_GOROUTINES ? &c->goroutines
                                                    : NULL;
        size_t from = g.count;
        status = use_snapshots(c, (leak_set_kind)set, err);
        if (set == SET_CPU) /* counted by function: leak_cpu.c */
            continue;
        if (status == FL_OK)
            status = group_set(c, &g, (leak_set_kind)set, err);
        if (status == FL_OK)
            status = fl_leak_fill_group(c, &g, (leak_set_kind)set, from, all, err);
    }
    c->subjects = g.subjects;
    c->subject_count = g.count;
    return status;
}
