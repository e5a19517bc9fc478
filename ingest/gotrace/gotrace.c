/*
 * gotrace.c - the stream to batches, and generation after generation to its parts.
 *
 *   trace       "go 1.NN trace" and zeros up to 16 bytes, then batches
 *   batch       1 generation thread time size, and size bytes
 *               49 experiment generation thread time size, and size bytes: skipped
 *               52: the generation ends (from 1.26; before, the next one's first batch ends it)
 *
 *   events of a program ── by thread ──> batches ──┐
 *   strings, stacks, samples, clock ── batches ────┴─> a generation ── tables, merge ──> told
 *
 * What breaks, and how far the trace counts then:
 *
 *   the stream         what was read of the generation is told as far as that goes
 *   a batch's header   the same: where the next one begins is not known
 *   a table            the generation is left out, and what follows: names would be wrong
 *   an event           everything before it is told
 *
 * Numbers are unsigned LEB128. The batches of a generation stand together. Their bytes stay where
 * they were read until it is told; what was read behind them is moved to the front then.
 */
#include <stdio.h>
#include <string.h>

#include "faultline/limits.h"
#include "gotrace_priv.h"
#include "mem.h"
#include "slice.h"

enum {
    HEADER_BYTES = 16,
    READ_BYTES = 256 << 10,
    NEWEST = 26,
    FIRST_WITH_NAMES = 7,
    FIRST_OF_GENERATIONS = 22,
    FIRST_WITH_END = 26,
    KNOWN = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 19 | 1 << 21 | 1 << 22 | 1 << 23 |
            1 << 25 | 1 << 26
};

bool fl_gotrace_sniff(fl_slice head)
{
    return head.len >= HEADER_BYTES && fl_slice_starts_with(head, FL_SLICE("go 1.")) &&
           fl_slice_find(fl_slice_part(head, 0, HEADER_BYTES), FL_SLICE(" trace")) < HEADER_BYTES;
}

fl_status fl_gotrace_reserve(void **items, size_t *cap, size_t count, size_t size, fl_error *err)
{
    if (count <= *cap)
        return FL_OK;
    size_t larger = *cap < 64 ? 64 : *cap + *cap / 2;
    if (larger < count)
        larger = count;
    void *moved = fl_mem_realloc(*items, larger, size);
    if (moved == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a trace");
    *items = moved;
    *cap = larger;
    return FL_OK;
}

fl_status fl_gotrace_create(fl_gotrace **out, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_gotrace *trace = fl_mem_calloc(1, sizeof(*trace));
    if (trace == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a trace");
    fl_status status = fl_intern_create(&trace->texts, FL_MAX_GOTRACE_TEXT_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&trace->stack_ids, FL_MAX_GOTRACE_TABLE, err);
    if (status == FL_OK)
        status = fl_map_create(&trace->machine_ids, FL_MAX_GOTRACE_THREADS, err);
    if (status == FL_OK)
        status = fl_gotrace_reserve((void **)&trace->stack_starts, &trace->stack_cap, 2,
                                    sizeof(*trace->stack_starts), err);
    if (status != FL_OK) {
        fl_gotrace_destroy(trace);
        return status;
    }
    /* stack 0 has no frames */
    trace->stack_starts[0] = trace->stack_starts[1] = 0;
    trace->stack_count = 1;
    fl_gotrace_renew_view(trace);
    *out = trace;
    return FL_OK;
}

void fl_gotrace_destroy(fl_gotrace *trace)
{
    if (trace == NULL)
        return;
    fl_intern_destroy(trace->texts);
    fl_map_destroy(trace->stack_ids);
    fl_map_destroy(trace->machine_ids);
    fl_gotrace_ids_dispose(&trace->goroutine_ids);
    fl_mem_free(trace->data);
    fl_mem_free(trace->batches);
    fl_mem_free(trace->strings.items);
    fl_mem_free(trace->stacks.items);
    fl_mem_free(trace->samples);
    fl_mem_free(trace->v1.exits);
    fl_map_destroy(trace->v1.threads);
    fl_mem_free(trace->frames);
    fl_mem_free(trace->stack_starts);
    fl_mem_free(trace->goroutines);
    fl_mem_free(trace->slot_ids);
    fl_mem_free(trace->free_slots);
    fl_mem_free(trace->procs);
    fl_mem_free(trace->machines);
    fl_mem_free(trace->heap);
    fl_mem_free(trace);
}

/* ---- bytes ---- */

/* At least `bytes` behind pos, fewer only at the end. Damage behind good bytes is kept in
 * info.broken: what came before it is told first. */
static fl_status want(fl_gotrace *trace, size_t bytes, fl_error *err)
{
    while (trace->len - trace->pos < bytes && !trace->at_end) {
        size_t got = 0, room = bytes > READ_BYTES ? bytes : READ_BYTES;
        if (trace->len + room > FL_MAX_GOTRACE_GENERATION_BYTES)
            return fl_fail(err, FL_E_LIMIT, trace->base + trace->len,
                           "a generation has more than %u bytes", FL_MAX_GOTRACE_GENERATION_BYTES);
        fl_status status =
            fl_gotrace_reserve((void **)&trace->data, &trace->cap, trace->len + room, 1, err);
        if (status == FL_OK)
            status = fl_stream_read(trace->in, trace->data + trace->len, room, &got,
                                    &trace->info.broken);
        if (status == FL_E_NOMEM)
            return fl_fail(err, status, FL_NO_OFFSET, "no memory for a trace");
        trace->at_end = status != FL_OK || got == 0;
        trace->len += status == FL_OK ? got : 0;
    }
    return FL_OK;
}

/* "go 1.NN trace": the number, and the names of those that are not read. */
static fl_status read_header(fl_gotrace *trace, fl_error *err)
{
    unsigned minor = 0;
    fl_status status = want(trace, HEADER_BYTES, err);
    if (status != FL_OK)
        return status;
    fl_slice head = {.ptr = trace->data, .len = trace->len};
    if (!fl_gotrace_sniff(head))
        return fl_fail(err, FL_E_UNSUPPORTED, 0, "this is no Go execution trace");
    for (size_t i = 5; head.ptr[i] >= '0' && head.ptr[i] <= '9'; i++)
        minor = minor * 10 + (head.ptr[i] - '0');
    if (minor > NEWEST)
        return fl_fail(err, FL_E_UNSUPPORTED, 0, "trace version 1.%u is newer than this program",
                       minor);
    if (minor < FIRST_WITH_NAMES)
        return fl_fail(err, FL_E_UNSUPPORTED, 0,
                       "trace version 1.%u is not read: it does not name functions", minor);
    if (minor > 31 || (KNOWN >> minor & 1) == 0)
        return fl_fail(err, FL_E_UNSUPPORTED, 0, "trace version 1.%u does not exist", minor);
    trace->info.version = minor;
    trace->pos = HEADER_BYTES;
    return FL_OK;
}

/* ---- batches ---- */

struct header {
    uint64_t gen, thread, time, size;
    bool ends, skipped; /* the generation; an experiment's batch */
    size_t start;       /* of its bytes */
};

/* What stands at pos. FL_E_TRUNCATED where the trace ends within. */
static fl_status read_batch(struct header *out, fl_gotrace *trace, fl_error *err)
{
    enum { MOST = 2 + 4 * 10 };
    fl_status status = want(trace, MOST, err);
    if (status != FL_OK)
        return status;
    size_t pos = trace->pos;
    unsigned kind = trace->data[pos++];
    *out = (struct header){.ends = kind == EV_END_OF_GENERATION,
                           .skipped = kind == EV_EXPERIMENTAL_BATCH,
                           .start = pos};
    if (out->ends)
        return FL_OK;
    if (kind != EV_BATCH && kind != EV_EXPERIMENTAL_BATCH)
        return fl_fail(err, FL_E_SYNTAX, trace->base + trace->pos,
                       "expected a batch, found kind %u", kind);
    pos += out->skipped;
    if (pos > trace->len || !gotrace_varint(&out->gen, trace->data, &pos, trace->len) ||
        !gotrace_varint(&out->thread, trace->data, &pos, trace->len) ||
        !gotrace_varint(&out->time, trace->data, &pos, trace->len) ||
        !gotrace_varint(&out->size, trace->data, &pos, trace->len))
        return fl_fail(err, FL_E_TRUNCATED, trace->base + trace->len,
                       "the trace ends inside of a batch");
    if (out->size > GOTRACE_MAX_BATCH || out->gen == 0)
        return fl_fail(err, FL_E_SYNTAX, trace->base + trace->pos,
                       "a batch of %llu bytes in generation %llu is damage",
                       (unsigned long long)out->size, (unsigned long long)out->gen);
    out->start = pos;
    status = want(trace, pos - trace->pos + (size_t)out->size, err);
    if (status == FL_OK && trace->len - pos < out->size)
        return fl_fail(err, FL_E_TRUNCATED, trace->base + trace->len,
                       "the trace ends inside of a batch");
    return status;
}

/* Batches of events are chained by thread; the others are found by their first byte. */
static fl_status add_batch(fl_gotrace *trace, const struct header *header, fl_error *err)
{
    uint32_t at = (uint32_t)trace->batch_count, thread;
    if (header->skipped) {
        trace->info.skipped_batches++;
        return FL_OK;
    }
    if (header->size == 0)
        return FL_OK;
    if (trace->batch_count == FL_MAX_GOTRACE_BATCHES)
        return fl_fail(err, FL_E_LIMIT, trace->base + trace->pos,
                       "generation %llu has more than %u batches", (unsigned long long)trace->gen,
                       FL_MAX_GOTRACE_BATCHES);
    fl_status status = fl_gotrace_reserve((void **)&trace->batches, &trace->batch_cap,
                                          trace->batch_count + 1, sizeof(*trace->batches), err);
    if (status != FL_OK)
        return status;
    trace->batches[at] = (go_batch){.time = header->time,
                                    .start = header->start,
                                    .end = header->start + (size_t)header->size,
                                    .next = FL_GOTRACE_NONE};
    trace->batch_count++;
    if (trace->batch_count == 1 || header->time < trace->min_time)
        trace->min_time = header->time;
    unsigned first = trace->data[header->start];
    if (first == EV_STACKS || first == EV_STRINGS || first == EV_SAMPLES || first == EV_FREQUENCY ||
        first == EV_SYNC)
        return FL_OK;
    status = fl_gotrace_machine(&thread, trace, header->thread, err);
    if (status != FL_OK)
        return status;
    go_machine *machine = &trace->machines[thread];
    if (machine->first == FL_GOTRACE_NONE)
        machine->first = at;
    else
        trace->batches[machine->last].next = at;
    machine->last = at;
    return FL_OK;
}

/* The batches of one generation; *more is false where the trace has ended. What breaks is kept:
 * the batches before it are still good. */
static fl_status read_generation(fl_gotrace *trace, bool *more, fl_error *err)
{
    struct header header = {0};
    fl_status status = FL_OK;
    trace->gen = 0;
    trace->batch_count = 0;
    for (*more = true; *more; trace->pos = header.start + (size_t)header.size) {
        status = want(trace, 1, err);
        *more = trace->pos < trace->len;
        if (status != FL_OK || !*more)
            break;
        status = read_batch(&header, trace, err);
        if (status != FL_OK || (header.ends && trace->batch_count > 0))
            break;
        if (header.ends)
            continue;
        if (trace->gen != 0 && header.gen != trace->gen) {
            if (header.gen == trace->gen + 1 && trace->info.version < FIRST_WITH_END)
                return FL_OK; /* it is read again as the first one of the next */
            status = fl_fail(err, FL_E_SYNTAX, trace->base + trace->pos,
                             "generation %llu begins inside of %llu",
                             (unsigned long long)header.gen, (unsigned long long)trace->gen);
            break;
        }
        trace->gen = header.gen;
        status = add_batch(trace, &header, err);
        if (status != FL_OK)
            break;
    }
    if (status == FL_OK && header.ends)
        trace->pos = header.start;
    if (status == FL_OK && !*more && trace->batch_count > 0 &&
        trace->info.version >= FIRST_WITH_END)
        status =
            fl_fail(err, FL_E_TRUNCATED, trace->base + trace->len,
                    "the trace ends inside of generation %llu", (unsigned long long)trace->gen);
    return status;
}

/* What was read behind the generation comes to the front. */
static void forget_generation(fl_gotrace *trace)
{
    memmove(trace->data, trace->data + trace->pos, trace->len - trace->pos);
    trace->base += trace->pos;
    trace->len -= trace->pos;
    trace->pos = 0;
    for (size_t i = 0; i < trace->machine_count; i++)
        trace->machines[i].first = trace->machines[i].last = FL_GOTRACE_NONE;
}

/* ---- generations ---- */

static fl_status tell_generation(fl_gotrace *trace, fl_error *err)
{
    if (trace->first_gen == 0)
        trace->first_gen = trace->gen;
    fl_status status = fl_gotrace_tables(trace, err);
    if (status == FL_OK && trace->unit_ns <= 0)
        status = fl_fail(err, FL_E_TRUNCATED, trace->base + trace->len,
                         "generation %llu does not say how its clock runs: the trace is cut off",
                         (unsigned long long)trace->gen);
    if (status != FL_OK)
        return status;
    trace->info.generations++;
    return fl_gotrace_merge(trace, err);
}

/* Of an incomplete generation what is possible is told; that it stops somewhere is no news. */
static fl_status tell_rest(fl_gotrace *trace, const fl_error *why, fl_error *err)
{
    fl_error own = {0};
    trace->info.broken = *why;
    if (trace->batch_count == 0)
        return FL_OK;
    fl_status status = tell_generation(trace, &own);
    trace->info.nameless = trace->strings.end == 0 || trace->stacks.end == 0 || trace->unnamed;
    return status == FL_E_NOMEM || trace->refused
               ? fl_fail(err, status, own.offset, "%s", own.message)
               : FL_OK;
}

/* Generation after generation. Only the end of memory, and whoever takes the events, fail; all else
 * is an end of the trace that is told. */
static fl_status read_all(fl_gotrace *trace, fl_error *err)
{
    bool more = true;
    while (more) {
        fl_error own = {0};
        fl_status status = read_generation(trace, &more, &own);
        bool damaged = status != FL_OK;
        /* a damaged stream, such as a cut one of zstd, is said as the stream says it */
        const fl_error *why = trace->info.broken.status != FL_OK ? &trace->info.broken : &own;
        if (status == FL_E_NOMEM)
            return fl_fail(err, status, own.offset, "%s", own.message);
        if (damaged || (!more && why->status != FL_OK)) {
            fl_error first = *why;
            return tell_rest(trace, &first, err);
        }
        if (trace->batch_count == 0)
            return FL_OK;
        status = tell_generation(trace, &own);
        if (status == FL_E_NOMEM || trace->refused)
            return fl_fail(err, status, own.offset, "%s", own.message);
        if (status != FL_OK) {
            trace->info.broken = own;
            return FL_OK;
        }
        forget_generation(trace);
    }
    return FL_OK;
}

fl_status fl_gotrace_read(fl_gotrace *trace, fl_stream *in, fl_gotrace_take *take, void *payload,
                          fl_error *err)
{
    assert(trace != NULL && in != NULL && take != NULL && trace->in == NULL);
    trace->in = in;
    trace->take = take;
    trace->payload = payload;
    fl_status status = read_header(trace, err);
    trace->v1.is = trace->info.version < FIRST_OF_GENERATIONS;
    if (status == FL_OK)
        status = trace->v1.is ? fl_gotrace_v1_read(trace, err) : read_all(trace, err);
    if (status != FL_OK)
        return status;
    const fl_error *broken = &trace->info.broken;
    /* a generation begins with an event of the reader's own */
    if (trace->info.events <= trace->info.generations)
        return broken->status != FL_OK
                   ? fl_fail(err, broken->status, broken->offset, "%s", broken->message)
                   : fl_fail(err, FL_E_TRUNCATED, trace->base + trace->len,
                             "the trace has no events");
    return FL_OK;
}

/* ---- what was read ---- */

const fl_gotrace_info *fl_gotrace_info_of(const fl_gotrace *trace)
{
    assert(trace != NULL);
    return &trace->info;
}

const fl_gotrace_view *fl_gotrace_view_of(const fl_gotrace *trace)
{
    assert(trace != NULL);
    return &trace->view;
}
