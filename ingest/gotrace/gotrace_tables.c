/*
 * gotrace_tables.c - what a generation's events refer to, by the first byte of a batch:
 *
 *   2  stacks   3 id n { pc function file line } x n, the function and file numbers of strings
 *   4  strings  5 id length bytes
 *   6  samples  7 time thread processor goroutine stack
 *   8  clock    8 units per second (headers up to 1.23)
 *   50 clock    50 { 8 units per second | 51 time monotonic seconds nanoseconds } (from 1.25)
 *
 * Strings are looked through before stacks, whatever the order of the batches. A text or a stack
 * that the trace had in another generation gets the number that it had there.
 */
#include <string.h>

#include "faultline/limits.h"
#include "gotrace_priv.h"
#include "hash.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"

/* The next entry's kind has to be `kind`. */
static void expect(go_walk *walk, uint64_t kind)
{
    walk->broken |= gotrace_number(walk) != kind;
}

static fl_status check(const go_walk *walk, fl_error *err)
{
    return walk->broken ? fl_fail(err, FL_E_SYNTAX, walk->trace->base + walk->pos,
                                  "a batch of %s is damaged", walk->what)
                        : FL_OK;
}

/* Numbers are given out from 1 on with hardly a gap, and each takes a byte or more: a larger one is
 * damage, for which no memory is cleared. */
static fl_status lookup_set(go_lookup *lookup, const go_walk *walk, uint64_t id, uint32_t value,
                            fl_error *err)
{
    const fl_gotrace *trace = walk->trace;
    if (id > trace->batches[trace->batch_count - 1].end)
        return fl_fail(err, FL_E_SYNTAX, trace->base + walk->pos,
                       "%s have number %llu in a generation of fewer bytes", walk->what,
                       (unsigned long long)id);
    if (id >= FL_MAX_GOTRACE_TABLE)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "number %llu of a table is beyond %u",
                       (unsigned long long)id, FL_MAX_GOTRACE_TABLE);
    fl_status status = fl_gotrace_reserve((void **)&lookup->items, &lookup->cap, (size_t)id + 1,
                                          sizeof(*lookup->items), err);
    if (status != FL_OK)
        return status;
    for (; lookup->end <= id; lookup->end++)
        lookup->items[lookup->end] = 0;
    lookup->items[id] = value + 1;
    return FL_OK;
}

/* ---- strings ---- */

fl_status fl_gotrace_text_put(fl_sym *out, fl_gotrace *trace, fl_slice text, fl_error *err)
{
    fl_status status = fl_intern_put(out, trace->texts, text, NULL);
    if (status == FL_E_NOMEM)
        return fl_fail(err, status, FL_NO_OFFSET, "no memory for the texts of a trace");
    if (status != FL_OK) {
        trace->info.dropped++;
        *out = FL_GOTRACE_NONE;
    }
    return FL_OK;
}

/* A number that comes twice in a generation has the later text. */
fl_status fl_gotrace_string(fl_gotrace *trace, go_walk *walk, uint64_t most, fl_error *err)
{
    fl_sym text = FL_GOTRACE_NONE;
    uint64_t id = gotrace_number(walk), len = gotrace_number(walk);
    walk->broken |= len > most || len > walk->end - walk->pos;
    fl_status status = check(walk, err);
    if (status != FL_OK)
        return status;
    fl_slice bytes = {.ptr = trace->data + walk->pos, .len = (size_t)len};
    status = fl_gotrace_text_put(&text, trace, bytes, err);
    walk->pos += (size_t)len;
    if (status == FL_OK && text != FL_GOTRACE_NONE)
        status = lookup_set(&trace->strings, walk, id, text, err);
    return status;
}

static fl_status read_strings(fl_gotrace *trace, go_walk walk, fl_error *err)
{
    fl_status status = FL_OK;
    while (walk.pos < walk.end && status == FL_OK) {
        expect(&walk, EV_STRING);
        status = fl_gotrace_string(trace, &walk, GOTRACE_MAX_STRING, err);
    }
    return status;
}

/* ---- stacks ---- */

static bool same_stack(const fl_gotrace *trace, uint64_t stack, const fl_gotrace_frame *frames,
                       size_t count)
{
    size_t start = trace->stack_starts[stack];
    return trace->stack_starts[stack + 1] - start == count &&
           (count == 0 || memcmp(trace->frames + start, frames, count * sizeof(*frames)) == 0);
}

static fl_status add_stack(uint32_t *out, fl_gotrace *trace, const fl_gotrace_frame *frames,
                           size_t count, fl_error *err)
{
    fl_status status = fl_gotrace_reserve((void **)&trace->frames, &trace->frame_cap,
                                          trace->frame_count + count, sizeof(*frames), err);
    if (status == FL_OK)
        status = fl_gotrace_reserve((void **)&trace->stack_starts, &trace->stack_cap,
                                    trace->stack_count + 2, sizeof(*trace->stack_starts), err);
    if (status != FL_OK)
        return status;
    if (count > 0)
        memcpy(trace->frames + trace->frame_count, frames, count * sizeof(*frames));
    trace->frame_count += count;
    *out = (uint32_t)trace->stack_count++;
    trace->stack_starts[trace->stack_count] = trace->frame_count;
    return FL_OK;
}

/* The number of a stack; one beyond the budget is none. Two with one hash stand side by side. */
static fl_status intern_stack(uint32_t *out, fl_gotrace *trace, const fl_gotrace_frame *frames,
                              size_t count, fl_error *err)
{
    uint64_t *slot = NULL;
    uint64_t key = fl_hash_keyed(
        (fl_slice){.ptr = (const unsigned char *)frames, .len = count * sizeof(*frames)});
    for (;; key++) {
        const uint64_t *found = fl_map_find(trace->stack_ids, key);
        if (found == NULL)
            break;
        if (same_stack(trace, *found, frames, count)) {
            *out = (uint32_t)*found;
            return FL_OK;
        }
    }
    *out = 0;
    if (trace->frame_count + count > FL_MAX_GOTRACE_FRAMES) {
        trace->info.dropped++;
        return FL_OK;
    }
    fl_status status = fl_map_slot(&slot, trace->stack_ids, key, NULL, err);
    if (status == FL_OK) {
        status = add_stack(out, trace, frames, count, err);
        *slot = *out;
    }
    return status;
}

/* A frame's names that the strings lack are none: a cut trace has stacks before their strings. */
fl_status fl_gotrace_stack_entry(fl_gotrace *trace, go_walk *walk, uint64_t most, fl_error *err)
{
    fl_gotrace_frame frames[GOTRACE_V1_MAX_STACK];
    assert(most <= GOTRACE_V1_MAX_STACK);
    uint64_t id = gotrace_number(walk), count = gotrace_number(walk);
    walk->broken |= count > most;
    for (size_t i = 0; !walk->broken && i < count; i++) {
        (void)gotrace_number(walk); /* the address: places are told by file and line */
        frames[i].function = gotrace_lookup(&trace->strings, gotrace_number(walk), FL_GOTRACE_NONE);
        frames[i].file = gotrace_lookup(&trace->strings, gotrace_number(walk), FL_GOTRACE_NONE);
        frames[i].line = (uint32_t)gotrace_number(walk);
        trace->unnamed |= frames[i].function == FL_GOTRACE_NONE;
    }
    uint32_t stack = 0;
    fl_status status = check(walk, err);
    if (status == FL_OK)
        status = intern_stack(&stack, trace, frames, (size_t)count, err);
    if (status == FL_OK)
        status = lookup_set(&trace->stacks, walk, id, stack, err);
    return status;
}

static fl_status read_stacks(fl_gotrace *trace, go_walk walk, fl_error *err)
{
    fl_status status = FL_OK;
    while (walk.pos < walk.end && status == FL_OK) {
        expect(&walk, EV_STACK);
        status = fl_gotrace_stack_entry(trace, &walk, GOTRACE_MAX_STACK, err);
    }
    return status;
}

/* ---- samples and the clock ---- */

fl_status fl_gotrace_sample_put(fl_gotrace *trace, const go_sample *sample, fl_error *err)
{
    if (trace->sample_count == FL_MAX_GOTRACE_SAMPLES) {
        trace->info.dropped++;
        return FL_OK;
    }
    fl_status status = fl_gotrace_reserve((void **)&trace->samples, &trace->sample_cap,
                                          trace->sample_count + 1, sizeof(*sample), err);
    if (status == FL_OK)
        trace->samples[trace->sample_count++] = *sample;
    return status;
}

static fl_status read_samples(fl_gotrace *trace, go_walk walk, fl_error *err)
{
    fl_status status = FL_OK;
    while (walk.pos < walk.end && status == FL_OK) {
        expect(&walk, EV_SAMPLE);
        go_sample sample = {.time_ns = gotrace_ns(trace, gotrace_number(&walk))};
        sample.m = gotrace_number(&walk);
        sample.p = gotrace_number(&walk);
        sample.g = gotrace_number(&walk);
        sample.stack = gotrace_number(&walk);
        status = check(&walk, err);
        if (status == FL_OK)
            status = fl_gotrace_sample_put(trace, &sample, err);
    }
    return status;
}

static uint64_t sample_time(const void *row)
{
    return fl_sort_number(((const go_sample *)row)->time_ns);
}

/* Of one time: the order must not depend on the sort. */
static int compare_samples(const void *a, const void *b)
{
    const go_sample *left = a, *right = b;
    if (left->time_ns != right->time_ns)
        return left->time_ns < right->time_ns ? -1 : 1;
    return left->g != right->g ? (left->g < right->g ? -1 : 1)
                               : (left->stack > right->stack) - (left->stack < right->stack);
}

void fl_gotrace_sort_samples(fl_gotrace *trace)
{
    static const fl_row_order by_time = {.numbers = {sample_time}, .compare = compare_samples};
    fl_sort_rows(trace->samples, trace->sample_count, sizeof(*trace->samples), &by_time);
}

/* On most systems a unit is a whole number of nanoseconds (64), which spares the division. */
void fl_gotrace_set_frequency(fl_gotrace *trace, uint64_t per_second)
{
    assert(per_second > 0);
    trace->has_frequency = true;
    trace->unit_ns = 1e9 / (double)per_second;
    trace->whole_unit_ns = UINT64_C(1000000000) % per_second == 0 ? 1000000000 / per_second : 0;
}

/* The wall clock of the first snapshot aligns the whole trace: later ones differ by its drift. */
static fl_status read_clock(fl_gotrace *trace, go_walk walk, fl_error *err)
{
    uint64_t time = 0, wall = 0;
    while (walk.pos < walk.end && !walk.broken) {
        uint64_t kind = gotrace_number(&walk);
        if (kind == EV_FREQUENCY) {
            uint64_t per_second = gotrace_number(&walk);
            walk.broken |= per_second == 0;
            if (!walk.broken)
                fl_gotrace_set_frequency(trace, per_second);
        } else if (kind == EV_CLOCK_SNAPSHOT) {
            time = walk.time + gotrace_number(&walk);
            (void)gotrace_number(&walk); /* the monotonic clock */
            uint64_t seconds = gotrace_number(&walk), rest = gotrace_number(&walk);
            /* until 2106: with a time of 2^62 ns it still fits */
            walk.broken |= seconds >= UINT64_C(1) << 32 || rest >= 1000000000;
            wall = walk.broken ? 0 : seconds * 1000000000 + rest;
        } else if (kind != EV_SYNC)
            walk.broken = true;
    }
    if (wall != 0 && trace->has_frequency && trace->info.clock_to_wall_ns == 0)
        trace->info.clock_to_wall_ns = (int64_t)wall - gotrace_ns(trace, time);
    return check(&walk, err);
}

/* ---- the batches ---- */

/* All batches that begin with one of two kinds; those of events stay for the merge. */
static fl_status read_kind(fl_gotrace *trace, unsigned kind, unsigned other, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < trace->batch_count && status == FL_OK; i++) {
        const go_batch *batch = &trace->batches[i];
        unsigned first = batch->start < batch->end ? trace->data[batch->start] : 0;
        if (first != kind && first != other)
            continue;
        go_walk walk = {
            .trace = trace, .pos = batch->start + 1, .end = batch->end, .time = batch->time};
        if (kind == EV_STRINGS) {
            walk.what = "strings";
            status = read_strings(trace, walk, err);
        } else if (kind == EV_STACKS) {
            walk.what = "stacks";
            status = read_stacks(trace, walk, err);
        } else if (kind == EV_SAMPLES) {
            walk.what = "samples";
            status = read_samples(trace, walk, err);
        } else {
            walk.what = "clocks";
            walk.pos -= first == EV_FREQUENCY;
            status = read_clock(trace, walk, err);
        }
    }
    return status;
}

fl_status fl_gotrace_tables(fl_gotrace *trace, fl_error *err)
{
    trace->strings.end = trace->stacks.end = 0;
    trace->sample_count = trace->next_sample = 0;
    trace->has_frequency = trace->unnamed = false;
    fl_status status = read_kind(trace, EV_SYNC, EV_FREQUENCY, err);
    if (status == FL_OK)
        status = read_kind(trace, EV_STRINGS, EV_STRINGS, err);
    if (status == FL_OK)
        status = read_kind(trace, EV_STACKS, EV_STACKS, err);
    if (status == FL_OK && trace->unit_ns > 0)
        status = read_kind(trace, EV_SAMPLES, EV_SAMPLES, err);
    if (status == FL_OK)
        fl_gotrace_sort_samples(trace);
    return status;
}
