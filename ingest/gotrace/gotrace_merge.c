/*
 * gotrace_merge.c - the events of a generation's threads, in the order in which they are
 * possible.
 *
 * A heap has the threads by the time of their next event. The earliest is tried first, which nearly
 * always succeeds; else the others are, by time. Samples are put between by their time alone.
 *
 * Why trying works: of all events that are left, the one that really happened first is possible
 * now, whatever the clocks say, because everything that it needs has been told. So there is always
 * one, unless events are missing, and any that is possible keeps every order that can be observed:
 * the one of each thread, of each goroutine and of each processor.
 *
 * Invariants: heap[0] is the thread with the earliest next event; each thread with events left is
 * in the heap once; last_ns never falls.
 *
 * Cost: O(log threads) an event. Where events wait for each other the threads are sorted and tried
 * one by one; a budget of such tries keeps hostile traces from taking quadratic time.
 */
#include <stdlib.h>

#include "faultline/limits.h"
#include "gotrace_priv.h"
#include "mem.h"

/* Tries that fail, for each event and to begin with: real traces need less than one for each. */
enum { TRIES_AN_EVENT = 64, TRIES_AT_FIRST = 1 << 20 };

enum { MOVES_A_THREAD = 16 };

fl_status fl_gotrace_machine(uint32_t *out, fl_gotrace *trace, uint64_t id, fl_error *err)
{
    bool added = false;
    uint64_t *slot = NULL;
    fl_status status = fl_map_slot(&slot, trace->machine_ids, id, &added, err);
    if (status == FL_OK && added) {
        status = fl_gotrace_reserve((void **)&trace->machines, &trace->machine_cap,
                                    trace->machine_count + 1, sizeof(*trace->machines), err);
        if (status != FL_OK)
            return status;
        *slot = trace->machine_count;
        trace->machines[trace->machine_count++] = (go_machine){.id = id,
                                                               .g = FL_GOTRACE_NONE,
                                                               .p = FL_GOTRACE_NONE,
                                                               .m = (uint32_t)*slot,
                                                               .first = FL_GOTRACE_NONE,
                                                               .last = FL_GOTRACE_NONE};
    }
    if (status == FL_OK)
        *out = (uint32_t)*slot;
    return status;
}

/* Tables move when they grow, so that the view is made anew before each call. */
void fl_gotrace_renew_view(fl_gotrace *trace)
{
    trace->view = (fl_gotrace_view){.texts = trace->texts,
                                    .frames = trace->frames,
                                    .stack_starts = trace->stack_starts,
                                    .stack_count = trace->stack_count,
                                    .goroutine_ids = trace->slot_ids,
                                    .slot_count = trace->slot_count};
}

fl_status fl_gotrace_flush(fl_gotrace *trace, fl_error *err)
{
    if (trace->block_count == 0)
        return FL_OK;
    fl_gotrace_info *info = &trace->info;
    if (info->events == 0)
        info->from_ns = trace->block[0].time_ns;
    info->to_ns = trace->block[trace->block_count - 1].time_ns;
    info->events += trace->block_count;
    fl_gotrace_renew_view(trace);
    fl_status status =
        trace->take(trace->payload, &trace->view, trace->block, trace->block_count, err);
    trace->block_count = 0;
    trace->ended_count = 0;
    trace->refused = status != FL_OK;
    return status;
}

/* ---- a thread's events ---- */

/* Those of an event, of any length. */
static bool read_numbers(const fl_gotrace *trace, go_machine *machine, unsigned args, size_t *pos,
                         uint64_t *elapsed)
{
    bool good = gotrace_varint(elapsed, trace->data, pos, machine->end);
    for (unsigned i = 0; good && i + 1 < args; i++)
        good = gotrace_varint(&machine->args[i], trace->data, pos, machine->end);
    return good;
}

/* The next event of a thread; *more is false behind its last one. */
static fl_status next_event(fl_gotrace *trace, go_machine *machine, bool *more, fl_error *err)
{
    if (trace->v1.is)
        return fl_gotrace_v1_next(trace, machine, more, err);
    while (machine->pos == machine->end) {
        if (machine->first == FL_GOTRACE_NONE) {
            *more = false;
            return FL_OK;
        }
        const go_batch *batch = &trace->batches[machine->first];
        machine->pos = batch->start;
        machine->end = batch->end;
        machine->time_ns = gotrace_ns(trace, batch->time);
        machine->first = batch->next;
    }
    *more = true;
    size_t pos = machine->pos + 1;
    uint64_t elapsed;
    machine->kind = trace->data[machine->pos];
    unsigned args = fl_gotrace_args[machine->kind];
    if (args == 0)
        return fl_fail(err, FL_E_UNSUPPORTED, trace->base + machine->pos,
                       "event kind %u is not known: damage, or newer than this program",
                       machine->kind);
    const unsigned char *at = trace->data + pos;
    bool good = machine->end - pos >= GOTRACE_AT_HAND && gotrace_short(&elapsed, &at);
    for (unsigned i = 0; good && i + 1 < args; i++)
        good = gotrace_short(&machine->args[i], &at);
    if (good)
        pos = (size_t)(at - trace->data);
    else
        good = read_numbers(trace, machine, args, &pos, &elapsed);
    if (!good)
        return fl_fail(err, FL_E_SYNTAX, trace->base + machine->pos,
                       "an event of kind %u does not end in its batch", machine->kind);
    int64_t ns = gotrace_ns(trace, elapsed);
    machine->time_ns =
        ns < (INT64_C(1) << 62) - machine->time_ns ? machine->time_ns + ns : INT64_C(1) << 62;
    machine->pos = pos;
    return FL_OK;
}

/* ---- the heap ---- */

/* Threads with one time keep an order of their own, so that the answer has one. */
static inline bool earlier(go_next a, go_next b)
{
    return a.time_ns < b.time_ns || (a.time_ns == b.time_ns && a.machine < b.machine);
}

/* The item at `at` may be later than those below it. */
static inline void sift_down(fl_gotrace *trace, size_t at)
{
    go_next *heap = trace->heap, moved = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= trace->heap_count)
            break;
        if (child + 1 < trace->heap_count && earlier(heap[child + 1], heap[child]))
            child++;
        if (!earlier(heap[child], moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static int compare_next(const void *a, const void *b)
{
    const go_next *left = a, *right = b;
    return earlier(*right, *left) - earlier(*left, *right);
}

/* By insertion: what failed was a heap, and mostly nearly sorted from the last time. Where it is
 * not, that would take the square of the threads. */
static void sort_heap(fl_gotrace *trace)
{
    size_t left = MOVES_A_THREAD * trace->heap_count;
    for (size_t i = 1; i < trace->heap_count; i++) {
        go_next moved = trace->heap[i];
        size_t at = i;
        for (; at > 0 && left > 0 && earlier(moved, trace->heap[at - 1]); at--, left--)
            trace->heap[at] = trace->heap[at - 1];
        trace->heap[at] = moved;
    }
    if (left == 0)
        qsort(trace->heap, trace->heap_count, sizeof(*trace->heap), compare_next);
}

/* The thread at `at`, where the heap is one or is sorted, has gone on by an event. */
static fl_status refresh(fl_gotrace *trace, size_t at, fl_error *err)
{
    bool more;
    go_machine *machine = &trace->machines[trace->heap[at].machine];
    fl_status status = next_event(trace, machine, &more, err);
    if (status != FL_OK)
        return status;
    trace->heap[at].time_ns = machine->time_ns;
    if (!more) {
        trace->heap[at] = trace->heap[--trace->heap_count];
        if (at == trace->heap_count)
            return FL_OK;
        /* the last one can belong above only where `at` is not its ancestor: then it moves up */
        while (at > 0 && earlier(trace->heap[at], trace->heap[(at - 1) / 2])) {
            go_next above = trace->heap[(at - 1) / 2];
            trace->heap[(at - 1) / 2] = trace->heap[at];
            trace->heap[at] = above;
            at = (at - 1) / 2;
        }
    }
    sift_down(trace, at);
    return FL_OK;
}

/* ---- the merge ---- */

static void emit_sample(fl_gotrace *trace)
{
    const go_sample *sample = &trace->samples[trace->next_sample++];
    fl_gotrace_event *event = fl_gotrace_emit(trace, NULL, FL_GOTRACE_SAMPLE, sample->time_ns);
    event->g = fl_gotrace_ids_find(&trace->goroutine_ids, sample->g);
    event->p = sample->p < trace->proc_count ? (uint32_t)sample->p : FL_GOTRACE_NONE;
    const uint64_t *machine = fl_map_find(trace->machine_ids, sample->m);
    event->m = machine != NULL ? (uint32_t)*machine : FL_GOTRACE_NONE;
    event->stack = gotrace_stack_of(trace, sample->stack);
}

/* Tell the thread's next event, where it is possible. */
static inline go_verdict advance_machine(fl_gotrace *trace, uint32_t machine, fl_error *err)
{
    return trace->v1.is ? fl_gotrace_v1_advance(trace, machine, err)
                        : fl_gotrace_advance(trace, machine, err);
}

/* Another thread than the earliest, whose event is not possible yet. */
static fl_status advance_other(fl_gotrace *trace, fl_error *err)
{
    sort_heap(trace);
    for (size_t i = 1; i < trace->heap_count; i++) {
        go_verdict verdict = advance_machine(trace, trace->heap[i].machine, err);
        if (verdict == GO_BROKEN)
            return err->status;
        if (verdict == GO_DONE)
            return refresh(trace, i, err);
    }
    if (trace->v1.is_cut)
        return fl_gotrace_v1_force(trace, trace->heap[0].machine, err) == GO_BROKEN
                   ? err->status
                   : refresh(trace, 0, err);
    const go_machine *first = &trace->machines[trace->heap[0].machine];
    return fl_fail(err, FL_E_SYNTAX, trace->base + first->pos,
                   "no event of generation %llu is possible next: events are missing",
                   (unsigned long long)trace->gen);
}

/* Samples, and exits from calls, stand apart and are told by their time. */
static int64_t next_sample_ns(const fl_gotrace *trace)
{
    return trace->next_sample < trace->sample_count ? trace->samples[trace->next_sample].time_ns
                                                    : INT64_MAX;
}

static int64_t next_exit_ns(const go_v1 *v1)
{
    return v1->next_exit < v1->exit_count ? v1->exits[v1->next_exit].time_ns : INT64_MAX;
}

static void find_aside(fl_gotrace *trace)
{
    int64_t sample_ns = next_sample_ns(trace), exit_ns = next_exit_ns(&trace->v1);
    trace->aside_ns = exit_ns < sample_ns ? exit_ns : sample_ns;
}

/* The earliest of them. */
static void emit_aside(fl_gotrace *trace)
{
    if (next_exit_ns(&trace->v1) < next_sample_ns(trace))
        fl_gotrace_v1_exit(trace);
    else
        emit_sample(trace);
    find_aside(trace);
}

/* One event more, or what comes before it. */
static fl_status advance(fl_gotrace *trace, fl_error *err)
{
    if (trace->aside_ns < trace->heap[0].time_ns) {
        emit_aside(trace);
        return FL_OK;
    }
    uint32_t first = trace->heap[0].machine;
    go_verdict verdict = advance_machine(trace, first, err);
    if (verdict == GO_DONE) {
        if (trace->v1.is)
            fl_gotrace_v1_run(trace, &trace->machines[first]);
        else
            fl_gotrace_run(trace, &trace->machines[first]);
        return refresh(trace, 0, err);
    }
    if (verdict == GO_BROKEN)
        return err->status;
    trace->failed_tries += trace->heap_count;
    if (trace->failed_tries > TRIES_AT_FIRST + TRIES_AN_EVENT * trace->info.events)
        return fl_fail(err, FL_E_LIMIT, trace->base + trace->machines[trace->heap[0].machine].pos,
                       "generation %llu has too many events out of order",
                       (unsigned long long)trace->gen);
    return advance_other(trace, err);
}

/* Every thread that has events, at its first one. */
static fl_status fill_heap(fl_gotrace *trace, fl_error *err)
{
    fl_mem_free(trace->heap);
    trace->heap_count = 0;
    trace->heap = fl_mem_calloc(trace->machine_count, sizeof(*trace->heap));
    if (trace->heap == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the threads of a trace");
    for (size_t i = 0; i < trace->machine_count; i++) {
        bool more;
        trace->machines[i].pos = trace->machines[i].end = 0;
        fl_status status = next_event(trace, &trace->machines[i], &more, err);
        if (status != FL_OK)
            return status;
        if (more)
            trace->heap[trace->heap_count++] =
                (go_next){.time_ns = trace->machines[i].time_ns, .machine = (uint32_t)i};
    }
    for (size_t i = trace->heap_count / 2; i-- > 0;)
        sift_down(trace, i);
    return FL_OK;
}

fl_status fl_gotrace_merge(fl_gotrace *trace, fl_error *err)
{
    fl_error own = {0};
    fl_status status = fill_heap(trace, &own);
    find_aside(trace);
    int64_t from_ns = trace->v1.is ? 1 : gotrace_ns(trace, trace->min_time);
    fl_gotrace_emit(trace, NULL, FL_GOTRACE_SYNC, from_ns)->value = trace->gen;
    while (status == FL_OK && trace->heap_count > 0) {
        status = advance(trace, &own);
        if (trace->block_count >= GOTRACE_BLOCK) {
            fl_status told = fl_gotrace_flush(trace, err);
            if (told != FL_OK)
                return told;
        }
    }
    while (status == FL_OK && trace->next_sample < trace->sample_count) {
        emit_sample(trace);
        if (trace->block_count >= GOTRACE_BLOCK)
            status = fl_gotrace_flush(trace, err);
        if (status != FL_OK)
            return status;
    }
    fl_status told = fl_gotrace_flush(trace, err);
    if (told != FL_OK)
        return told;
    return status == FL_OK ? FL_OK : fl_fail(err, status, own.offset, "%s", own.message);
}
