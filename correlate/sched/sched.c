/*
 * sched.c - events to states, and each state's time to what it was spent on.
 *
 * A goroutine's state lasts from one transition to the next:
 *
 *   waiting, in a call   to the row of its reason and place
 *   runnable             to the program's latency and its site's
 *   running              to its site and its processor, or to the collector's work
 *
 * Keys of tables are exact, not hashes:
 *
 *   places   function and line (two files with one function and line do not exist)
 *   waits    place and class, the reason is the first that was said; without a place reason and
 *            class
 *   sites    start function and place of the creation
 *   costs    name and place
 *   maps     place
 *
 * Row 0 of each is of nothing: what has no room of its own is counted there, so that sums stay
 * right whatever the input.
 *
 * Generations do not matter here: at the begin of one each goroutine is told to be in the state
 * that it is in, which changes nothing. Cost: constant for each event; most find their row by the
 * number of their stack.
 */
#include "sched_priv.h"

#include <string.h>

#include "faultline/limits.h"
#include "mem.h"

static const char *const class_names[] = {
    [FL_SCHED_CHANNEL] = "channel", [FL_SCHED_SELECT] = "select",   [FL_SCHED_MUTEX] = "mutex",
    [FL_SCHED_SYNC] = "sync",       [FL_SCHED_NETWORK] = "network", [FL_SCHED_SLEEP] = "sleep",
    [FL_SCHED_SYSCALL] = "syscall", [FL_SCHED_GC] = "gc",           [FL_SCHED_SYSTEM] = "system",
    [FL_SCHED_OTHER] = "other",
};
_Static_assert(sizeof(class_names) / sizeof(class_names[0]) == FL_SCHED_CLASS_COUNT,
               "each class has a name");

const char *fl_sched_class_name(fl_sched_class class)
{
    assert(class < FL_SCHED_CLASS_COUNT);
    return class_names[class];
}

/* ---- tables ---- */

bool fl_sched_reserve(fl_sched *sched, void **items, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return true;
    size_t larger = *cap < 32 ? 32 : *cap + *cap / 2;
    void *moved = fl_mem_realloc(*items, larger < count ? count : larger, size);
    if (moved == NULL) {
        (void)fl_fail(sched->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the scheduler's story");
        return false;
    }
    *items = moved;
    *cap = larger < count ? count : larger;
    return true;
}

/* Rows are copied, so that they may move while the table grows. */
static bool add_row(fl_sched *sched, sched_table *table, const void *blank)
{
    if (!fl_sched_reserve(sched, &table->rows, &table->cap, table->count + 1, table->size))
        return false;
    memcpy((char *)table->rows + table->count * table->size, blank, table->size);
    table->count++;
    return true;
}

uint32_t fl_sched_row(fl_sched *sched, sched_table *table, uint64_t key, const void *blank)
{
    uint64_t *slot = fl_map_find(table->keys, key);
    if (slot != NULL)
        return (uint32_t)*slot;
    if (table->count == FL_MAX_SCHED_ROWS) {
        sched->dropped++;
        return 0;
    }
    if (fl_map_slot(&slot, table->keys, key, NULL, sched->err) != FL_OK ||
        !add_row(sched, table, blank))
        return SCHED_NONE;
    *slot = table->count - 1;
    return (uint32_t)*slot;
}

static fl_status init_table(fl_sched *sched, sched_table *table, size_t size, const void *blank)
{
    table->size = size;
    fl_status status = fl_map_create(&table->keys, FL_MAX_SCHED_ROWS, sched->err);
    if (status == FL_OK && !add_row(sched, table, blank))
        status = FL_E_NOMEM;
    return status;
}

static void dispose_table(sched_table *table)
{
    fl_map_destroy(table->keys);
    fl_mem_free(table->rows);
}

/* Row 0 of each table is of nothing in particular. */
static fl_status init_tables(fl_sched *s)
{
    const sched_place place = {.function = FL_GOTRACE_NONE, .file = FL_GOTRACE_NONE};
    const sched_wait wait = {.reason = FL_GOTRACE_NONE, .class = FL_SCHED_OTHER};
    const sched_site site = {.function = FL_GOTRACE_NONE, .wait = SCHED_NONE};
    const sched_cost cost = {.name = FL_GOTRACE_NONE};
    const sched_map_use use = {.place = 0};
    const struct {
        sched_table *table;
        size_t size;
        const void *blank;
    } tables[] = {
        {&s->places, sizeof(place), &place}, {&s->waits, sizeof(wait), &wait},
        {&s->sites, sizeof(site), &site},    {&s->assists, sizeof(cost), &cost},
        {&s->stops, sizeof(cost), &cost},    {&s->tasks, sizeof(cost), &cost},
        {&s->regions, sizeof(cost), &cost},  {&s->maps, sizeof(use), &use},
    };
    fl_status status = FL_OK;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && status == FL_OK; i++)
        status = init_table(s, tables[i].table, tables[i].size, tables[i].blank);
    return status;
}

fl_status fl_sched_create(fl_sched **out, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_sched *sched = fl_mem_calloc(1, sizeof(*sched));
    if (sched == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the scheduler's story");
    sched->err = err;
    sched->free_region = SCHED_NONE;
    fl_status status = init_tables(sched);
    if (status == FL_OK)
        status = fl_map_create(&sched->open_tasks, FL_MAX_SCHED_TASKS, err);
    if (status == FL_OK) {
        sched->spikes = fl_mem_calloc(FL_MAX_SCHED_SPIKES, sizeof(*sched->spikes));
        if (sched->spikes == NULL)
            status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the scheduler's story");
    }
    sched->err = NULL;
    if (status != FL_OK)
        fl_sched_destroy(sched);
    else
        *out = sched;
    return status;
}

/* Costs own their histograms. */
static void dispose_costs(sched_table *table)
{
    sched_cost *costs = table->rows;
    for (size_t i = 0; i < table->count; i++)
        fl_mem_free(costs[i].hist);
    dispose_table(table);
}

void fl_sched_destroy(fl_sched *sched)
{
    if (sched == NULL)
        return;
    fl_sched_course_destroy(sched->course);
    dispose_table(&sched->places);
    dispose_table(&sched->waits);
    dispose_table(&sched->sites);
    dispose_table(&sched->maps);
    dispose_costs(&sched->assists);
    dispose_costs(&sched->stops);
    dispose_costs(&sched->tasks);
    dispose_costs(&sched->regions);
    fl_map_destroy(sched->open_tasks);
    fl_mem_free(sched->task_begins);
    fl_mem_free(sched->open_regions);
    fl_mem_free(sched->goroutines);
    fl_mem_free(sched->proc_use);
    fl_mem_free(sched->stacks);
    fl_mem_free(sched->cycles);
    fl_mem_free(sched->spikes);
    fl_mem_free(sched);
}

/* ---- durations ---- */

static inline void hist_add(sched_hist *hist, int64_t ns)
{
    assert(ns >= 0);
    size_t at = (size_t)ns;
    if (ns >= HIST_STEPS) {
        unsigned high = 63 - (unsigned)__builtin_clzll((unsigned long long)ns);
        at = (high - 1) * HIST_STEPS + (((size_t)ns >> (high - 2)) & (HIST_STEPS - 1));
    }
    hist->cells[at]++;
    hist->most_ns = ns > hist->most_ns ? ns : hist->most_ns;
}

void fl_sched_hist_add(sched_hist *hist, int64_t ns)
{
    hist_add(hist, ns);
}

/* The middle of a cell. */
static int64_t hist_value(size_t cell)
{
    if (cell < HIST_STEPS)
        return (int64_t)cell;
    unsigned high = (unsigned)(cell / HIST_STEPS) + 1;
    int64_t low = (int64_t)(HIST_STEPS + cell % HIST_STEPS) << (high - 2);
    return low + (INT64_C(1) << (high - 2)) / 2;
}

int64_t fl_sched_hist_quantile(const sched_hist *hist, double share)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < HIST_CELLS; i++)
        all += hist->cells[i];
    for (size_t i = 0; i < HIST_CELLS; i++) {
        seen += hist->cells[i];
        if (seen > 0 && (double)seen >= share * (double)all)
            return hist_value(i) < hist->most_ns ? hist_value(i) : hist->most_ns;
    }
    return 0;
}

void fl_sched_cost_add(sched_cost *cost, int64_t ns)
{
    assert(cost != NULL);
    if (ns < 0)
        ns = 0;
    cost->count++;
    sched_sum(&cost->total_ns, ns);
    if (ns > cost->max_ns)
        cost->max_ns = ns;
    if (cost->hist != NULL)
        fl_sched_hist_add(cost->hist, ns);
}

sched_cost *fl_sched_cost_of(fl_sched *sched, sched_table *table, fl_sym name, uint32_t place,
                             bool with_hist)
{
    sched_cost blank = {.name = name, .place = place};
    uint32_t row = fl_sched_row(sched, table, (uint64_t)name << 32 | place, &blank);
    if (row == SCHED_NONE)
        return NULL;
    sched_cost *cost = (sched_cost *)table->rows + row;
    if (with_hist && cost->hist == NULL) {
        cost->hist = fl_mem_calloc(1, sizeof(*cost->hist));
        if (cost->hist == NULL) {
            (void)fl_fail(sched->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for durations");
            return NULL;
        }
    }
    return cost;
}

/* ---- goroutines ---- */

sched_goroutine *fl_sched_goroutine_make(fl_sched *sched, uint32_t slot)
{
    size_t count = sched->view->slot_count;
    assert(slot >= sched->goroutine_count && slot < count);
    if (!fl_sched_reserve(sched, (void **)&sched->goroutines, &sched->goroutine_cap, count,
                          sizeof(*sched->goroutines)))
        return NULL;
    for (; sched->goroutine_count < count; sched->goroutine_count++)
        sched->goroutines[sched->goroutine_count] = (sched_goroutine){.region = SCHED_NONE};
    return &sched->goroutines[slot];
}

sched_proc *fl_sched_proc_of(fl_sched *sched, uint32_t proc)
{
    if (proc >= sched->proc_count) {
        if (!fl_sched_reserve(sched, (void **)&sched->proc_use, &sched->proc_cap, (size_t)proc + 1,
                              sizeof(*sched->proc_use)))
            return NULL;
        for (; sched->proc_count <= proc; sched->proc_count++)
            sched->proc_use[sched->proc_count] = (sched_proc){.state = FL_GOTRACE_UNKNOWN};
    }
    return &sched->proc_use[proc];
}

/* Of a goroutine that was there before, by the first stack that shows where it began. */
static void find_site(fl_sched *sched, sched_goroutine *goroutine, fl_sym function,
                      uint32_t created)
{
    sched_site blank = {.function = function, .created = created, .wait = SCHED_NONE};
    uint32_t row = fl_sched_row(sched, &sched->sites, (uint64_t)function << 32 | created, &blank);
    goroutine->site = row == SCHED_NONE ? 0 : row;
    goroutine->has_site = true;
    assert(goroutine->site < sched->sites.count);
}

/* Row 0 for one whose beginning is not known yet. */
static sched_site *site_of(fl_sched *sched, const sched_goroutine *goroutine)
{
    return (sched_site *)sched->sites.rows + goroutine->site;
}

/* The row of a wait, which its stack remembers. */
static uint32_t find_wait(fl_sched *sched, uint32_t at, fl_sym reason, bool is_call)
{
    sched_stack *stack = fl_sched_stack_of(sched, at);
    if (stack == NULL)
        return 0;
    fl_sched_class class =
        is_call ? FL_SCHED_SYSCALL : fl_sched_class_of(fl_gotrace_text(sched->view, reason), stack);
    sched_wait blank = {.reason = reason, .place = stack->place, .class = (uint8_t) class};
    /* places are fewer than 2^31 */
    uint64_t key = stack->place != 0 ? (uint64_t)stack->place << 32 | class
                                     : UINT64_C(1) << 63 | (uint64_t)reason << 8 | class;
    uint32_t row = fl_sched_row(sched, &sched->waits, key, &blank);
    if (row == SCHED_NONE)
        return 0;
    sched_wait *wait = (sched_wait *)sched->waits.rows + row;
    if (wait->reason == FL_GOTRACE_NONE)
        wait->reason = reason;
    stack->row = row;
    stack->reason = reason;
    stack->is_call = is_call;
    return row;
}

/* The row of what a goroutine waits for from now on: nearly always the one of the last time. */
static inline void begin_wait(fl_sched *sched, sched_goroutine *goroutine, uint32_t at,
                              fl_sym reason, bool is_call)
{
    const sched_stack *stack = at < sched->stack_count ? &sched->stacks[at] : NULL;
    bool is_known = stack != NULL && stack->reason == reason && stack->is_call == is_call;
    goroutine->wait = is_known ? stack->row : find_wait(sched, at, reason, is_call);
}

/* A wait that ends counts; those that are open at the end are counted apart. */
static void end_wait(fl_sched *sched, const sched_goroutine *goroutine, int64_t ns)
{
    sched_wait *wait = (sched_wait *)sched->waits.rows + goroutine->wait;
    wait->count++;
    sched_sum(&wait->total_ns, ns);
    if (ns > wait->max_ns)
        wait->max_ns = ns;
}

/* From the moment somebody made it runnable until a processor took it. */
static void end_latency(fl_sched *sched, const sched_goroutine *goroutine, int64_t ns)
{
    sched_site *site = site_of(sched, goroutine);
    sched_sum(&site->latency_ns, ns);
    if (ns > site->latency_max_ns)
        site->latency_max_ns = ns;
    hist_add(&sched->latency, ns);
    sched->latency_count++;
    sched_sum(&sched->latency_ns, ns);
}

/* A worker of the collector is not the program's own work. */
static void end_running(fl_sched *sched, sched_goroutine *goroutine, int64_t ns)
{
    goroutine->ran_ns += ns; /* one goroutine's: no longer than the trace */
    sched_sum(&site_of(sched, goroutine)->running_ns, ns);
    if (goroutine->worker != WORKER_NONE)
        fl_sched_on_worker(sched, goroutine, ns);
    if (goroutine->proc >= sched->proc_count)
        return;
    fl_sched_proc *use = &sched->proc_use[goroutine->proc].shown;
    if (goroutine->worker != WORKER_NONE)
        sched_sum(&use->marking_ns, ns);
    else
        sched_sum(&use->running_ns, ns);
}

/* The time since the last transition goes to the state that ends. */
static void leave(fl_sched *sched, sched_goroutine *goroutine, int64_t now_ns)
{
    int64_t ns = now_ns - goroutine->since_ns;
    assert(ns >= 0);
    switch (goroutine->state) {
    case FL_GOTRACE_WAITING:
    case FL_GOTRACE_SYSCALL:
        end_wait(sched, goroutine, ns);
        break;
    case FL_GOTRACE_RUNNABLE:
        end_latency(sched, goroutine, ns);
        if (sched->course != NULL)
            fl_sched_course_delay(sched, now_ns, ns);
        break;
    case FL_GOTRACE_RUNNING:
        end_running(sched, goroutine, ns);
        if (sched->course == NULL)
            break;
        fl_sched_course_proc(sched, goroutine->proc,
                             goroutine->worker != WORKER_NONE ? SCHED_MARKS : SCHED_RUNS,
                             goroutine->since_ns, now_ns);
        break;
    default:
        break;
    }
}

/* The stack of the creator names who; the stack that it begins with names what. */
static void on_create(fl_sched *sched, sched_goroutine *goroutine, const fl_gotrace_event *event)
{
    sched_stack *creator = fl_sched_stack_of(sched, event->stack);
    *goroutine = (sched_goroutine){.region = SCHED_NONE, .proc = SCHED_NONE};
    if (creator == NULL)
        return;
    find_site(sched, goroutine, fl_sched_start_of(sched, event->extra), creator->place);
    sched_site *site = site_of(sched, goroutine);
    fl_sched_course_goroutines(sched, event->time_ns, 1);
    site->started++;
    if (site->first_ns == 0)
        site->first_ns = event->time_ns;
    site->last_ns = event->time_ns;
}

/* It was there when the trace began; what it began with is known by its stack, if at all. */
static void on_known(fl_sched *sched, sched_goroutine *goroutine, const fl_gotrace_event *event)
{
    *goroutine = (sched_goroutine){.region = SCHED_NONE, .proc = SCHED_NONE};
    if (event->stack != 0)
        find_site(sched, goroutine, fl_sched_start_of(sched, event->stack), 0);
    site_of(sched, goroutine)->before++;
}

/* A stack of one's own, of a goroutine whose beginning was not known: it moves to its site. */
static void learn_site(fl_sched *sched, sched_goroutine *goroutine, const fl_gotrace_event *event)
{
    if (event->stack == 0 || event->g != event->target)
        return;
    find_site(sched, goroutine, fl_sched_start_of(sched, event->stack), 0);
    ((sched_site *)sched->sites.rows)[0].before--;
    site_of(sched, goroutine)->before++;
}

/* It is gone, with what was under way. */
static void on_end(fl_sched *sched, sched_goroutine *goroutine, int64_t now_ns)
{
    site_of(sched, goroutine)->ended++;
    fl_sched_course_goroutines(sched, now_ns, -1);
    fl_sched_drop_regions(sched, goroutine);
}

/* The old state gets the time until now, the new one begins. */
static void on_go(fl_sched *sched, const fl_gotrace_event *event)
{
    /* by value: to the compiler any store could change them */
    const uint32_t stack = event->stack;
    const unsigned from = event->from, to = event->to;
    const int64_t now_ns = event->time_ns;
    sched_goroutine *goroutine = fl_sched_goroutine_of(sched, event->target);
    if (goroutine == NULL)
        return;
    if (from == to)
        return; /* a generation begins: nothing changes */
    if (from == FL_GOTRACE_NOWHERE)
        on_create(sched, goroutine, event);
    else if (from == FL_GOTRACE_UNKNOWN)
        on_known(sched, goroutine, event);
    else
        leave(sched, goroutine, now_ns);
    if (!goroutine->has_site)
        learn_site(sched, goroutine, event);
    goroutine->state = (uint8_t)to;
    goroutine->since_ns = now_ns;
    switch (to) {
    case FL_GOTRACE_WAITING:
        begin_wait(sched, goroutine, stack, event->text, false);
        break;
    case FL_GOTRACE_SYSCALL:
        begin_wait(sched, goroutine, stack, FL_GOTRACE_NONE, true);
        break;
    case FL_GOTRACE_RUNNING:
        if (from != FL_GOTRACE_SYSCALL)
            goroutine->worker = WORKER_NONE;
        goroutine->proc = event->p;
        break;
    case FL_GOTRACE_NOWHERE:
        on_end(sched, goroutine, now_ns);
        break;
    default:
        break;
    }
}

/* ---- processors ---- */

static void leave_proc(sched_proc *proc, int64_t now_ns)
{
    if (proc->state == FL_GOTRACE_IDLE)
        proc->shown.idle_ns += now_ns - proc->since_ns;
}

static void on_proc(fl_sched *sched, const fl_gotrace_event *event)
{
    sched_proc *proc = fl_sched_proc_of(sched, event->target);
    if (proc == NULL || event->from == event->to)
        return;
    leave_proc(proc, event->time_ns);
    if (proc->state == FL_GOTRACE_IDLE)
        fl_sched_course_proc(sched, event->target, SCHED_IDLES, proc->since_ns, event->time_ns);
    proc->state = event->to;
    proc->since_ns = event->time_ns;
}

/* ---- events ---- */

/* "GC (dedicated)", "GC (fractional)", "GC (idle)": what a worker of the collector does now. */
static void on_label(fl_sched *sched, const fl_gotrace_event *event)
{
    fl_slice text = fl_gotrace_text(sched->view, event->text);
    sched_goroutine *goroutine =
        event->g != FL_GOTRACE_NONE ? fl_sched_goroutine_of(sched, event->g) : NULL;
    if (goroutine == NULL || !fl_slice_starts_with(text, FL_SLICE("GC (")))
        return;
    goroutine->worker = fl_slice_equal(text, FL_SLICE("GC (idle)")) ? WORKER_IDLE : WORKER_BUSY;
}

/* One kind after the other, but for what most are. */
static void add_other(fl_sched *sched, const fl_gotrace_event *event)
{
    switch (event->kind) {
    case FL_GOTRACE_PROC:
        on_proc(sched, event);
        break;
    case FL_GOTRACE_PROCS:
        if (event->value > sched->procs && event->value <= FL_MAX_GOTRACE_PROCS)
            sched->procs = (size_t)event->value;
        break;
    case FL_GOTRACE_BEGIN:
    case FL_GOTRACE_ACTIVE:
    case FL_GOTRACE_END:
        fl_sched_on_span(sched, event);
        break;
    case FL_GOTRACE_HEAP_LIVE:
    case FL_GOTRACE_HEAP_GOAL:
        fl_sched_on_heap(sched, event);
        break;
    case FL_GOTRACE_LABEL:
        on_label(sched, event);
        break;
    case FL_GOTRACE_SAMPLE:
        sched->samples++;
        break;
    case FL_GOTRACE_SYNC:
    case FL_GOTRACE_OTHER:
        break;
    default:
        fl_sched_on_user(sched, event);
    }
}

/* Stacks are looked at when they are first seen; most are in no map and say nothing more. */
static inline bool is_plain(const fl_sched *sched, const fl_gotrace_event *event)
{
    return event->stack == 0 ||
           (event->stack < sched->stack_count && event->kind != FL_GOTRACE_SAMPLE &&
            (sched->stacks[event->stack].flags & (IN_MAP | IN_UNSEEN)) == 0);
}

static void add_stack(fl_sched *sched, const fl_gotrace_event *event)
{
    const sched_stack *stack = fl_sched_stack_of(sched, event->stack);
    if (stack != NULL && ((stack->flags & IN_MAP) != 0 || event->kind == FL_GOTRACE_SAMPLE))
        fl_sched_on_stack(sched, stack, event);
}

fl_status fl_sched_add(fl_sched *sched, const fl_gotrace_view *view, const fl_gotrace_event *events,
                       size_t count, fl_error *err)
{
    assert(sched != NULL && view != NULL);
    fl_error own = {0};
    if (count == 0)
        return FL_OK;
    sched->view = view;
    sched->err = &own;
    if (sched->events == 0)
        sched->from_ns = events[0].time_ns;
    for (size_t i = 0; i < count && own.status == FL_OK; i++) {
        const fl_gotrace_event *event = &events[i];
        if (event->kind == FL_GOTRACE_GO)
            on_go(sched, event);
        else
            add_other(sched, event);
        if (!is_plain(sched, event))
            add_stack(sched, event);
    }
    sched->to_ns = events[count - 1].time_ns;
    sched->events += count;
    sched->view = NULL;
    sched->err = NULL;
    return own.status == FL_OK ? FL_OK : fl_fail(err, own.status, own.offset, "%s", own.message);
}
