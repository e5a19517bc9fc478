/*
 * jfr_recording.c - events to sums: each kind has one function that takes it.
 *
 *   allocation, execution, native, exception, lock  ->  a site of their group
 *   collection, heap before, heap after             ->  one collection, by its number
 *   load                                            ->  a row
 *   old object                                      ->  a row and the chain of its holders
 *   live objects                                    ->  the first and the last count of a class
 *
 * Sites are found by their pair of stack and class, both numbers that are equal where the things
 * are; so the order of events and chunks does not matter. A collection is told by several events,
 * which its number joins.
 */
#include "jfr_recording.h"

#include <assert.h>
#include <stdlib.h>

#include "arena.h"
#include "faultline/limits.h"
#include "map.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"

/* The recorder itself cuts a chain in the middle when it is longer than 200 (its `skip`). */
enum { MAX_HOLDERS = 256 };

struct group {
    fl_map *index; /* stack << 32 | class, to index + 1 */
    fl_jfr_site *items;
    size_t count, cap;
    uint64_t events;
    int64_t amount;
    uint32_t *by_stack; /* the site that was met last at a stack, index + 1; 0: none */
    size_t by_stack_cap;
};

struct table {
    void *items;
    size_t count, cap;
};

/* The recording, and what it is made of. */
struct gathering {
    fl_jfr_recording out; /* first: the caller's pointer is this */
    fl_jfr *jfr;
    struct group groups[FL_JFR_GROUP_COUNT];
    fl_map *gc_of;   /* number to index + 1 */
    fl_map *live_of; /* class to index + 1 */
    struct table gcs, loads, olds, holders, lives, counts;
    int64_t throwables_from, throwables_from_ns, throwables_to, throwables_to_ns;
};

const char *fl_jfr_group_name(fl_jfr_group group)
{
    static const char *const names[FL_JFR_GROUP_COUNT] = {"allocations", "execution", "native",
                                                          "exceptions", "locks"};
    assert(group < FL_JFR_GROUP_COUNT);
    return names[group];
}

/* One more item at the end; NULL where it would be more than `most` (*err untouched), or there is
 * no memory. */
static void *add_item(struct table *table, size_t size, size_t most, fl_error *err)
{
    assert(size > 0 && table->count <= table->cap);
    if (table->count == most)
        return NULL;
    if (table->count == table->cap) {
        size_t cap = table->cap == 0 ? 64 : table->cap * 2;
        void *grown = fl_mem_realloc(table->items, cap, size);
        if (grown == NULL) {
            (void)fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a recording");
            return NULL;
        }
        table->items = grown;
        table->cap = cap;
    }
    void *item = (unsigned char *)table->items + table->count++ * size;
    memset(item, 0, size);
    return item;
}

/* What add_item() had no room for: dropped, or a failure. */
static fl_status no_item(struct gathering *g, const fl_error *own, fl_error *err)
{
    if (own->status != FL_OK)
        return fl_fail(err, own->status, FL_NO_OFFSET, "%s", own->message);
    g->out.dropped++;
    return FL_OK;
}

/* ---- sites ---- */

/* The site of a key, new where there is none; NULL: dropped, or *status is a failure. */
static fl_jfr_site *site_of(struct group *group, const fl_jfr_event *event, fl_status *status,
                            fl_error *err)
{
    assert(group->index != NULL && *status == FL_OK);
    uint64_t key = (uint64_t)event->stack << 32 | event->type, *slot;
    uint32_t *last = event->stack < group->by_stack_cap ? &group->by_stack[event->stack] : NULL;
    if (last != NULL && *last != 0 && group->items[*last - 1].type == event->type)
        return &group->items[*last - 1];
    const uint64_t *known = fl_map_find(group->index, key);
    uint64_t at = known != NULL ? *known : 0;
    if (at == 0) {
        struct table table = {.items = group->items, .count = group->count, .cap = group->cap};
        fl_error own = {0};
        fl_jfr_site *site = add_item(&table, sizeof(*site), FL_MAX_JFR_SITES, &own);
        group->items = table.items;
        group->cap = table.cap;
        if (site == NULL) {
            *status = own.status;
            if (own.status != FL_OK)
                (void)fl_fail(err, own.status, FL_NO_OFFSET, "%s", own.message);
            return NULL;
        }
        *site = (fl_jfr_site){.stack = event->stack, .type = event->type};
        *status = fl_map_slot(&slot, group->index, key, NULL, err);
        if (*status != FL_OK)
            return NULL;
        group->count = table.count;
        at = *slot = group->count;
    }
    if (last != NULL)
        *last = (uint32_t)at;
    return &group->items[at - 1];
}

/* Most stacks allocate one class: what a stack's last site was is nearly always right, and twenty
 * times smaller than a table of all. */
static fl_status grow_by_stack(struct group *group, uint32_t stack, fl_error *err)
{
    size_t cap = group->by_stack_cap == 0 ? 1024 : group->by_stack_cap;
    while (cap <= stack)
        cap *= 2;
    uint32_t *grown = fl_mem_realloc(group->by_stack, cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for sites of a recording");
    memset(grown + group->by_stack_cap, 0, (cap - group->by_stack_cap) * sizeof(*grown));
    group->by_stack = grown;
    group->by_stack_cap = cap;
    return FL_OK;
}

/* The sums of the group count also what there was no room for. */
static fl_status take_site(struct gathering *g, const fl_jfr_event *event, fl_jfr_group group,
                           int64_t amount, fl_error *err)
{
    assert(group < FL_JFR_GROUP_COUNT);
    struct group *to = &g->groups[group];
    fl_status status = FL_OK;
    if (event->stack != FL_JFR_NONE && event->stack >= to->by_stack_cap)
        status = grow_by_stack(to, event->stack, err);
    if (status != FL_OK)
        return status;
    to->events += event->events;
    to->amount = fl_profile_add(to->amount, amount);
    fl_jfr_site *site = site_of(to, event, &status, err);
    if (site == NULL) {
        g->out.dropped += status == FL_OK ? event->events : 0;
        return status;
    }
    site->events += event->events;
    site->amount = fl_profile_add(site->amount, amount);
    return FL_OK;
}

/* ---- collections, loads, counts ---- */

/* The collection of a number; NULL: dropped, or *status is a failure. */
static fl_jfr_gc *gc_of(struct gathering *g, int64_t number, fl_status *status, fl_error *err)
{
    uint64_t *slot;
    fl_error own = {0};
    *status = fl_map_slot(&slot, g->gc_of, (uint64_t)number, NULL, err);
    if (*status != FL_OK)
        return NULL;
    if (*slot == 0) {
        fl_jfr_gc *gc = add_item(&g->gcs, sizeof(*gc), FL_MAX_JFR_ROWS, &own);
        if (gc == NULL) {
            *status = no_item(g, &own, err);
            return NULL;
        }
        *gc = (fl_jfr_gc){.number = number,
                          .before_bytes = -1,
                          .after_bytes = -1,
                          .committed_bytes = -1,
                          .reserved_bytes = -1,
                          .name = FL_JFR_NONE,
                          .cause = FL_JFR_NONE};
        *slot = g->gcs.count;
    }
    return (fl_jfr_gc *)g->gcs.items + (*slot - 1);
}

/* The event that ends a collection; its heaps were told by others. */
static fl_status take_collection(struct gathering *g, const fl_jfr_event *event, fl_error *err)
{
    fl_status status;
    fl_jfr_gc *gc = gc_of(g, event->a, &status, err);
    if (gc == NULL)
        return status;
    gc->time_ns = event->time_ns;
    gc->duration_ns = event->duration_ns;
    gc->pauses_ns = event->b;
    gc->longest_ns = event->c;
    gc->name = event->text;
    gc->cause = event->cause;
    return FL_OK;
}

/* The heap before and after a collection are two events of one kind. */
static fl_status take_heap(struct gathering *g, const fl_jfr_event *event, fl_error *err)
{
    fl_status status;
    fl_jfr_gc *gc = gc_of(g, event->a, &status, err);
    if (gc == NULL)
        return status;
    if (gc->time_ns == 0)
        gc->time_ns = event->time_ns;
    gc->reserved_bytes = event->d > 0 ? event->d : -1;
    if (fl_slice_starts_with(fl_jfr_name(g->jfr, event->text), FL_SLICE("After"))) {
        gc->after_bytes = event->c;
        gc->after_ns = event->time_ns;
        gc->committed_bytes = event->b;
    } else {
        gc->before_bytes = event->c;
    }
    return FL_OK;
}

/* Once a second by default: a day is 86,400 rows. */
static fl_status take_load(struct gathering *g, const fl_jfr_event *event, fl_error *err)
{
    fl_error own = {0};
    fl_jfr_load *load = add_item(&g->loads, sizeof(*load), FL_MAX_JFR_ROWS, &own);
    if (load == NULL)
        return no_item(g, &own, err);
    *load = (fl_jfr_load){.time_ns = event->time_ns,
                          .user = event->real[0],
                          .system = event->real[1],
                          .machine = event->real[2]};
    return FL_OK;
}

/* The first and the last count are enough to say what grew. */
static fl_status take_objects(struct gathering *g, const fl_jfr_event *event, fl_error *err)
{
    uint64_t *slot;
    fl_error own = {0};
    fl_status status = fl_map_slot(&slot, g->live_of, event->type, NULL, err);
    if (status != FL_OK)
        return status;
    if (*slot == 0) {
        fl_jfr_live *live = add_item(&g->lives, sizeof(*live), FL_MAX_JFR_ROWS, &own);
        if (live == NULL)
            return no_item(g, &own, err);
        live->type = event->type;
        *slot = g->lives.count;
    }
    fl_jfr_live *live = (fl_jfr_live *)g->lives.items + (*slot - 1);
    if (live->counts++ == 0 || event->time_ns < live->first_ns) {
        live->first_ns = event->time_ns;
        live->first_count = event->a;
        live->first_bytes = event->b;
    }
    if (event->time_ns >= live->last_ns) {
        live->last_ns = event->time_ns;
        live->last_count = event->a;
        live->last_bytes = event->b;
    }
    return FL_OK;
}

/* Told once, when the recording ends; the chain is in the tables of that chunk alone. */
static fl_status take_old(struct gathering *g, const fl_jfr_event *event, fl_error *err)
{
    fl_jfr_holder holders[MAX_HOLDERS];
    fl_jfr_chain chain = {.items = holders, .cap = MAX_HOLDERS};
    fl_error own = {0};
    fl_status status = fl_jfr_holders(&chain, g->jfr, event, err);
    if (status != FL_OK)
        return status;
    fl_jfr_old *old = add_item(&g->olds, sizeof(*old), FL_MAX_JFR_OLD_OBJECTS, &own);
    if (old == NULL)
        return no_item(g, &own, err);
    assert(chain.count <= MAX_HOLDERS);
    *old = (fl_jfr_old){.allocated_ns = event->a,
                        .bytes = event->b,
                        .elements = event->d >= 0 && event->d < INT32_MAX ? event->d : -1,
                        .type = chain.count > 0 ? holders[0].type : FL_JFR_NONE,
                        .stack = event->stack,
                        .holder_at = (uint32_t)g->holders.count,
                        .root = chain.root};
    for (size_t i = 0; i < chain.count; i++) {
        fl_jfr_holder *holder = add_item(&g->holders, sizeof(*holder), SIZE_MAX, &own);
        if (holder == NULL)
            return no_item(g, &own, err);
        *holder = holders[i];
        old->holder_count++;
    }
    return FL_OK;
}

/* Made since the program began: what came within the recording is the difference of its ends. */
static void take_throwables(struct gathering *g, const fl_jfr_event *event)
{
    if (event->a < 0)
        return;
    if (g->throwables_from_ns == 0 || event->time_ns < g->throwables_from_ns) {
        g->throwables_from_ns = event->time_ns;
        g->throwables_from = event->a;
    }
    if (event->time_ns > g->throwables_to_ns) {
        g->throwables_to_ns = event->time_ns;
        g->throwables_to = event->a;
    }
}

/* Of all settings only that of old objects is called so; "0 ns" is what it is without. */
static void take_setting(struct gathering *g, const fl_jfr_event *event)
{
    if (fl_slice_equal(fl_jfr_name(g->jfr, event->text), FL_SLICE("cutoff")))
        g->out.has_chains = !fl_slice_starts_with(fl_jfr_name(g->jfr, event->cause), FL_SLICE("0"));
}

/* One place that says what becomes of which event. */
static fl_status take(void *payload, const fl_jfr_event *event, fl_error *err)
{
    struct gathering *g = payload;
    switch (event->kind) {
    case FL_JFR_ALLOCATION:
        return take_site(g, event, FL_JFR_ALLOCATIONS, event->a, err);
    case FL_JFR_EXECUTION:
        return take_site(g, event, FL_JFR_RUNNING, event->a, err);
    case FL_JFR_NATIVE:
        return take_site(g, event, FL_JFR_IN_NATIVE, 0, err);
    case FL_JFR_EXCEPTION:
        return take_site(g, event, FL_JFR_THROWN, 0, err);
    case FL_JFR_LOCK:
        return take_site(g, event, FL_JFR_WAITING, event->duration_ns, err);
    case FL_JFR_COLLECTION:
        return take_collection(g, event, err);
    case FL_JFR_HEAP:
        return take_heap(g, event, err);
    case FL_JFR_CPU_LOAD:
        return take_load(g, event, err);
    case FL_JFR_OBJECTS:
        return take_objects(g, event, err);
    case FL_JFR_OLD_OBJECT:
        return take_old(g, event, err);
    case FL_JFR_THROWABLES:
        take_throwables(g, event);
        return FL_OK;
    case FL_JFR_MACHINE:
        g->out.machine = event->text;
        g->out.version = event->cause;
        g->out.arguments = event->thread;
        g->out.pid = event->a;
        return FL_OK;
    case FL_JFR_LOSS:
        g->out.lost_bytes += (uint64_t)event->a;
        return FL_OK;
    case FL_JFR_SETTING:
        take_setting(g, event);
        return FL_OK;
    case FL_JFR_KIND_COUNT:
        break;
    }
    return FL_OK;
}

/* ---- one order, whatever that of the events ---- */

/* The largest first. */
static int compare_sites(const void *left, const void *right)
{
    const fl_jfr_site *a = left, *b = right;
    if (a->amount != b->amount)
        return a->amount < b->amount ? 1 : -1;
    if (a->events != b->events)
        return a->events < b->events ? 1 : -1;
    if (a->stack != b->stack) /* numbers of first appearance: the same for the same file */
        return a->stack < b->stack ? -1 : 1;
    return a->type < b->type ? -1 : a->type > b->type;
}

/* By time; collections that overlap, of the young and the old generation, by number. */
static int compare_gcs(const void *left, const void *right)
{
    const fl_jfr_gc *a = left, *b = right;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* By time. */
static int compare_loads(const void *left, const void *right)
{
    const fl_jfr_load *a = left, *b = right;
    return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

/* The oldest first: it has stayed the longest. */
static int compare_olds(const void *left, const void *right)
{
    const fl_jfr_old *a = left, *b = right;
    if (a->allocated_ns != b->allocated_ns)
        return a->allocated_ns < b->allocated_ns ? -1 : 1;
    return a->holder_at < b->holder_at ? -1 : a->holder_at > b->holder_at;
}

/* The largest first, as of the last count. */
static int compare_lives(const void *left, const void *right)
{
    const fl_jfr_live *a = left, *b = right;
    if (a->last_bytes != b->last_bytes)
        return a->last_bytes < b->last_bytes ? 1 : -1;
    return a->type < b->type ? -1 : a->type > b->type;
}

/* The most frequent first; names are unique, so that the order is total. */
static int compare_counts(const void *left, const void *right)
{
    const fl_jfr_count *a = left, *b = right;
    if (a->events != b->events)
        return a->events < b->events ? 1 : -1;
    return fl_slice_compare(a->name, b->name);
}

/* An empty list has no items, which qsort() must not be given. */
static void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    assert(count == 0 || items != NULL);
    if (count > 1)
        qsort(items, count, size, compare);
}

/* The reader has them in the order of the file, and may read on. */
static fl_status copy_counts(struct gathering *g, fl_error *err)
{
    assert(g->counts.count == 0);
    for (size_t i = 0; i < g->out.totals.count_count; i++) {
        fl_jfr_count *count = add_item(&g->counts, sizeof(*count), SIZE_MAX, err);
        if (count == NULL)
            return FL_E_NOMEM;
        *count = g->out.totals.counts[i];
    }
    sort(g->counts.items, g->counts.count, sizeof(fl_jfr_count), compare_counts);
    g->out.counts = g->counts.items;
    return FL_OK;
}

/* Sorted, and given to the caller as plain arrays. */
static void finish(struct gathering *g)
{
    fl_jfr_recording *out = &g->out;
    for (int i = 0; i < FL_JFR_GROUP_COUNT; i++) {
        struct group *group = &g->groups[i];
        sort(group->items, group->count, sizeof(fl_jfr_site), compare_sites);
        out->groups[i] = (fl_jfr_sites){.items = group->items,
                                        .count = group->count,
                                        .events = group->events,
                                        .amount = group->amount};
    }
    sort(g->gcs.items, g->gcs.count, sizeof(fl_jfr_gc), compare_gcs);
    sort(g->loads.items, g->loads.count, sizeof(fl_jfr_load), compare_loads);
    sort(g->olds.items, g->olds.count, sizeof(fl_jfr_old), compare_olds);
    sort(g->lives.items, g->lives.count, sizeof(fl_jfr_live), compare_lives);
    out->gcs = g->gcs.items;
    out->gc_count = g->gcs.count;
    out->loads = g->loads.items;
    out->load_count = g->loads.count;
    out->olds = g->olds.items;
    out->old_count = g->olds.count;
    out->holders = g->holders.items;
    out->holder_count = g->holders.count;
    out->lives = g->lives.items;
    out->live_count = g->lives.count;
    out->throwables = g->throwables_to - g->throwables_from;
    out->throwables_ns = g->throwables_to_ns - g->throwables_from_ns;
}

/* ---- a recording ---- */

/* What is freed by the destroy in whatever state this ends. */
static fl_status prepare(struct gathering *g, fl_error *err)
{
    fl_status status = fl_jfr_create(&g->jfr, err);
    g->out.machine = g->out.version = g->out.arguments = FL_JFR_NONE;
    for (int i = 0; i < FL_JFR_GROUP_COUNT && status == FL_OK; i++)
        status = fl_map_create(&g->groups[i].index, FL_MAX_JFR_SITES + 1, err);
    if (status == FL_OK)
        status = fl_map_create(&g->gc_of, FL_MAX_JFR_ROWS + 1, err);
    if (status == FL_OK)
        status = fl_map_create(&g->live_of, FL_MAX_JFR_ROWS + 1, err);
    return status;
}

fl_status fl_jfr_recording_read(fl_jfr_recording **out, fl_stream *in, const char *name,
                                fl_error *err)
{
    assert(out != NULL && in != NULL && name != NULL);
    *out = NULL;
    struct gathering *g = fl_mem_calloc(1, sizeof(*g));
    if (g == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a recording");
    fl_status status = prepare(g, err);
    if (status == FL_OK)
        status = fl_jfr_read_sums(g->jfr, in, name, take, g, err);
    if (status == FL_OK) {
        g->out.names = g->jfr;
        g->out.totals = fl_jfr_totals_of(g->jfr);
        status = copy_counts(g, err);
    }
    if (status != FL_OK) {
        fl_jfr_recording_destroy(&g->out);
        return status;
    }
    finish(g);
    *out = &g->out;
    return FL_OK;
}

fl_status fl_jfr_recording_file(fl_jfr_recording **out, const char *path, fl_error *err)
{
    fl_stream *in;
    *out = NULL;
    fl_status status = fl_stream_open_or_stdin(&in, path, err);
    if (status != FL_OK)
        return status;
    status = fl_jfr_recording_read(out, in, path, err);
    fl_stream_close(in);
    return status;
}

void fl_jfr_recording_destroy(fl_jfr_recording *recording)
{
    struct gathering *g = (struct gathering *)recording;
    if (g == NULL)
        return;
    fl_jfr_destroy(g->jfr);
    for (int i = 0; i < FL_JFR_GROUP_COUNT; i++) {
        fl_map_destroy(g->groups[i].index);
        fl_mem_free(g->groups[i].items);
        fl_mem_free(g->groups[i].by_stack);
    }
    fl_map_destroy(g->gc_of);
    fl_map_destroy(g->live_of);
    fl_mem_free(g->gcs.items);
    fl_mem_free(g->loads.items);
    fl_mem_free(g->olds.items);
    fl_mem_free(g->holders.items);
    fl_mem_free(g->lives.items);
    fl_mem_free(g->counts.items);
    fl_mem_free(g);
}
