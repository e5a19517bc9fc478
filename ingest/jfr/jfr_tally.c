/*
 * jfr_tally.c - the samples of a chunk as sums by their keys.
 *
 * A sample says a stack, a class and an amount, both first as keys of the chunk's tables. What a
 * key stands for does not change within a chunk, so that samples with equal keys are one sum, and
 * nothing is looked up for each of them.
 *
 * Nearly all samples are nothing but compressed numbers, of which a few are wanted:
 *
 *   size, type | startTime, eventThread, [stackTrace], [objectClass], [allocationSize]
 *
 * A number ends with the first byte whose top bit is clear. The top bits of 32 bytes are one mask,
 * in which the end of the n-th number is the n-th bit that is set; numbers that are not wanted cost
 * a step of it. What the mask leaves in doubt is read by fl_jfr_plan_run(): numbers whose ninth
 * byte, the only one that is whole, has its top bit set, and events that go on behind the 32 bytes.
 *
 * Invariants: sums and singles stand in the order of their first events. Bounded: FL_MAX_JFR_SITES
 * sums; what finds no place among them, or only after MAX_PROBES looks, is told one by one.
 */
#include <assert.h>

#include "faultline/limits.h"
#include "faultline/profile.h"
#include "jfr_priv.h"
#include "mem.h"

/* ROOM: from an event's first byte on so many can be read: two numbers of nine bytes, the 32 of the
 * mask, a byte for each of at most 14 numbers behind it, which are then in doubt, and the eight
 * that a number reads. */
enum { ROOM = 72, MAX_PROBES = 64, FIRST_INDEX = 4096 };

/* The first bytes of a word that is read little-endian; without the top bits of numbers. */
static const uint64_t first_bytes[9] = {0,
                                        UINT64_C(0xff),
                                        UINT64_C(0xffff),
                                        UINT64_C(0xffffff),
                                        UINT64_C(0xffffffff),
                                        UINT64_C(0xffffffffff),
                                        UINT64_C(0xffffffffffff),
                                        UINT64_C(0xffffffffffffff),
                                        UINT64_MAX};

bool fl_jfr_is_summed(fl_jfr_kind kind)
{
    return kind == FL_JFR_ALLOCATION || kind == FL_JFR_EXECUTION || kind == FL_JFR_NATIVE ||
           kind == FL_JFR_EXCEPTION || kind == FL_JFR_LOCK;
}

/* Whether a slot may come next: first the stack, behind it the type, then the amount. */
static bool fits(fl_jfr_short *brief, int slot, uint8_t gap)
{
    switch (slot) {
    case FL_JFR_SLOT_STACK:
        brief->to_stack = gap;
        return brief->keys++ == 0;
    case FL_JFR_SLOT_TYPE:
        return gap == 0 && brief->keys++ == 1;
    case FL_JFR_SLOT_A:
        brief->to_amount = gap;
        brief->has_amount = true;
        return brief->keys > 0;
    default:
        return true;
    }
}

void fl_jfr_short_make(fl_jfr_class *class, const fl_jfr_chunk *chunk)
{
    const fl_jfr_plan *plan = &class->plan;
    fl_jfr_short brief = {0};
    assert(class->row != NULL && plan->is_sound);
    /* Types 0 and 1 are no events, whatever the description calls so. */
    bool is_plain = class->id > 1 && !chunk->needs_end && plan->last < FL_JFR_WINDOW / 2 &&
                    (class->row->ticks | class->row->moments) == 0 &&
                    (plan->have & 1u << FL_JFR_SLOT_DURATION) == 0;
    for (uint32_t i = 0; i < plan->last && is_plain; i++) {
        const fl_jfr_op *op = &chunk->ops[plan->at + i];
        bool is_wanted = op->slot == FL_JFR_SLOT_STACK || op->slot == FL_JFR_SLOT_TYPE ||
                         op->slot == FL_JFR_SLOT_A;
        is_plain =
            op->step == FL_JFR_VARINT && !brief.has_amount && fits(&brief, op->slot, brief.rest);
        brief.rest = is_wanted ? 0 : (uint8_t)(brief.rest + 1);
    }
    brief.is_whole = plan->last == plan->count;
    class->brief = is_plain ? brief : (fl_jfr_short){0};
}

/* ---- sums ---- */

/* Where the numbers of a key end: the first bytes of the first alone. */
static uint64_t stack_of(uint64_t key)
{
    uint64_t ends = ~key & UINT64_C(0x8080808080808080);
    assert(ends != 0);
    return key & (ends ^ (ends - 1));
}

void fl_jfr_sum_keys(uint64_t *stack, uint64_t *type, const fl_jfr_sum *sum)
{
    unsigned char bytes[8 + FL_JFR_VARINT_BYTES] = {0};
    size_t at = 0;
    assert(sum->events > 0);
    fl_bytes_put_le(bytes, sum->key, 8);
    *stack = fl_jfr_varint_at(bytes, &at);
    *type = fl_jfr_varint_at(bytes, &at);
}

/* Both as they would stand in a compressed chunk; false: they have more than eight bytes. */
static bool key_of(uint64_t *out, uint64_t stack, uint64_t type)
{
    uint64_t left = stack;
    unsigned shift = 0;
    *out = 0;
    for (int i = 0; i < 2; i++, left = type) {
        for (; left >= 0x80 && shift < 64; left >>= 7, shift += 8)
            *out |= ((left & 0x7f) | 0x80) << shift;
        if (shift >= 64)
            return false;
        *out |= left << shift;
        shift += 8;
    }
    return true;
}

/* Stacks are numbered one after the other, in whatever steps, and most have one class. The highest
 * bits of a multiple of the golden ratio spread such numbers evenly (Knuth, The Art of Computer
 * Programming, vol. 3, 6.4), so that the first look is nearly always right. What has the stack and
 * another class goes on from there in steps of its own. */
static inline size_t home_of(const fl_jfr_tally *tally, uint64_t stack)
{
    return (size_t)(stack * UINT64_C(0x9e3779b97f4a7c15) >> tally->index_shift);
}

/* The next place to look at. Steps are odd: they reach all places. */
static size_t next_of(const fl_jfr_tally *tally, size_t at, uint64_t key, uint32_t of)
{
    uint64_t step = (key ^ (uint64_t)of << 32) * UINT64_C(0xd6e8feb86659fd93) >> tally->index_shift;
    return (at + (size_t)(step | 1)) & (tally->index_cap - 1);
}

/* Twice as large, with all sums in it; at the first time only the memory. */
static fl_status grow_index(fl_jfr_tally *tally, fl_error *err)
{
    size_t cap = tally->index_cap == 0 ? FIRST_INDEX : tally->index_cap * 2;
    uint32_t *grown = fl_mem_calloc(cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for sums of a recording");
    fl_mem_free(tally->index);
    tally->index = grown;
    tally->index_cap = cap;
    tally->index_shift = 64 - (unsigned)__builtin_ctzll(cap);
    for (size_t i = 0; i < tally->count; i++) {
        const fl_jfr_sum *sum = &tally->sums[i];
        size_t at = home_of(tally, stack_of(sum->key));
        while (grown[at] != 0)
            at = next_of(tally, at, sum->key, sum->of);
        grown[at] = (uint32_t)i + 1;
    }
    return FL_OK;
}

/* Told by itself when the chunk is told. */
static fl_status add_single(fl_jfr_tally *tally, size_t at, fl_error *err)
{
    uint32_t *grown =
        fl_jfr_grow(tally->singles, tally->single_count, &tally->single_cap, sizeof(*grown));
    assert(at <= UINT32_MAX);
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for events of a recording");
    tally->singles = grown;
    grown[tally->single_count++] = (uint32_t)at;
    return FL_OK;
}

/* A sum of one event, at a free place of the index. */
static fl_status add_sum(fl_jfr_tally *tally, size_t at, const fl_jfr_sum *one, fl_error *err)
{
    assert(tally->index[at] == 0 && one->events == 1);
    if (tally->count == FL_MAX_JFR_SITES)
        return add_single(tally, one->first, err);
    fl_jfr_sum *grown = fl_jfr_grow(tally->sums, tally->count, &tally->cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for sums of a recording");
    tally->sums = grown;
    grown[tally->count++] = *one;
    tally->index[at] = (uint32_t)tally->count;
    return tally->count * 4 > tally->index_cap ? grow_index(tally, err) : FL_OK;
}

/* One event more where the sum of a number is the event's; false: it is another's, or 0. */
static inline bool add_to(fl_jfr_tally *tally, uint32_t number, uint64_t key, uint32_t of,
                          int64_t amount)
{
    if (number == 0)
        return false;
    fl_jfr_sum *sum = &tally->sums[number - 1];
    if (sum->key != key || sum->of != of)
        return false;
    sum->events++;
    if (__builtin_add_overflow(sum->amount, amount, &sum->amount))
        sum->amount = amount > 0 ? INT64_MAX : INT64_MIN; /* as fl_profile_add() has it */
    return true;
}

/* One event more, of a sum that may be new. */
static fl_status add(fl_jfr_tally *tally, const fl_jfr_sum *one, fl_error *err)
{
    size_t at = home_of(tally, stack_of(one->key));
    assert(one->events == 1);
    for (int probe = 0; probe < MAX_PROBES; probe++) {
        if (tally->index[at] == 0)
            return add_sum(tally, at, one, err);
        if (add_to(tally, tally->index[at], one->key, one->of, one->amount))
            return FL_OK;
        at = next_of(tally, at, one->key, one->of);
    }
    return add_single(tally, one->first, err);
}

/* ---- fields ---- */

/* Numbers of the window that are gone through. */
struct window {
    const unsigned char *p; /* its first byte */
    uint64_t ends;          /* bits of numbers that were not passed yet; beyond the window all are
                             * ends, so that there is always a next one */
    size_t at;              /* behind the number that was passed last */
};

/* Go past `count` numbers, one at least. */
static inline __attribute__((always_inline)) void pass(struct window *in, unsigned count)
{
    for (; count > 1; count--)
        in->ends &= in->ends - 1;
    in->at = (unsigned)__builtin_ctzll(in->ends) + 1u;
    in->ends &= in->ends - 1;
}

/* A number of at most four bytes, `len` of the word's. */
static inline uint32_t number_of(uint64_t word, size_t len)
{
    uint32_t bits = (uint32_t)(word & first_bytes[len]) & 0x7f7f7f7f;
    bits = (bits & 0x007f007f) | (bits & 0x7f007f00) >> 1;
    return (bits & 0x3fff) | (bits & 0x3fff0000) >> 2;
}

/* What an event says: its keys as they stand, and the first of them alone. */
struct said {
    uint64_t key, stack;
    int64_t amount;
};

/* Read that of an event whose fields stand at `p` and have `len` bytes; false: it is in doubt.
 * Numbers that are passed are so only where one of them may have nine bytes, which is where all of
 * them have eight more than one for each. */
static bool read_said(struct said *out, const fl_jfr_short *brief, const unsigned char *p,
                      size_t len)
{
    uint32_t tops = fl_jfr_tops_of(p);
    struct window in = {.p = p, .ends = ~(uint64_t)tops};
    if (brief->to_stack > 0)
        pass(&in, brief->to_stack);
    bool is_long = in.at > brief->to_stack + 7u;
    uint64_t word = fl_bytes_le64(p + in.at);
    size_t key_at = in.at, first = (unsigned)__builtin_ctzll(in.ends) + 1u - key_at;
    pass(&in, brief->keys);
    size_t key_len = in.at - key_at;
    if (key_len > 8)
        return false;
    out->key = word & first_bytes[key_len];
    out->stack = word & first_bytes[first];
    out->amount = 0;
    if (brief->has_amount) {
        size_t before = in.at;
        if (brief->to_amount > 0)
            pass(&in, brief->to_amount);
        is_long |= in.at > before + brief->to_amount + 7u;
        before = in.at;
        pass(&in, 1);
        if (in.at - before > 4)
            return false;
        out->amount = number_of(fl_bytes_le64(p + before), in.at - before);
    }
    size_t before = in.at;
    if (brief->rest > 0)
        pass(&in, brief->rest);
    is_long |= in.at > before + brief->rest + 7u;
    return in.at <= FL_JFR_WINDOW && in.at <= len && !(is_long && fl_jfr_has_doubt(tops));
}

/* ---- events ---- */

/* Events of one class in a row, from the first on. */
struct run {
    uint64_t mask, same; /* of the first bytes of a head, without the size: nearly always a size of
                          * one byte and the same type; other forms of a size are never the same */
    size_t head_len, pos, size;
};

/* What begins with the event at `pos`, whose head ends at `begin`. */
static struct run run_of(const unsigned char *p, size_t pos, size_t begin, size_t size)
{
    struct run out = {.same = 1, .head_len = begin - pos, .pos = pos, .size = size};
    assert(begin > pos);
    if (p[pos] < 0x80 && out.head_len <= 8) {
        out.mask = first_bytes[out.head_len] & ~UINT64_C(0x7f);
        out.same = fl_bytes_le64(p + pos) & out.mask;
    }
    return out;
}

/* The event behind one of a run, whose size is then *size; false: it is none of the run. */
static inline bool goes_on(const struct run *run, const unsigned char *p, size_t pos, size_t last,
                           size_t *size)
{
    if (pos > last)
        return false;
    uint64_t word = fl_bytes_le64(p + pos);
    *size = word & 0x7f;
    return (word & run->mask) == run->same;
}

/* What was summed of a run is counted. */
static void pass_run(struct run *run, fl_jfr_class *class, size_t pos, size_t size, uint64_t count)
{
    assert(pos >= run->pos && (count > 0 || pos == run->pos));
    class->events += count;
    class->bytes += pos - run->pos;
    run->pos = pos;
    run->size = size;
}

/* A run as far as its events are in no doubt and have a sum; run->pos is then behind them. True:
 * the event there is in no doubt, and `said` is what it says, but it has no sum, or another place
 * than the first that is looked at. */
static bool sum_run(struct said *said, fl_jfr_chunk *chunk, fl_jfr_class *class, struct run *run)
{
    const unsigned char *p = chunk->bytes.ptr;
    const size_t last = chunk->bytes.len - ROOM;
    const fl_jfr_short brief = class->brief;
    fl_jfr_tally *tally = &chunk->tally;
    const uint32_t of = (uint32_t)(class - chunk->classes);
    size_t pos = run->pos, size = run->size;
    uint64_t count = 0;
    bool is_known = true, is_there;
    do {
        is_there = size >= run->head_len && size <= chunk->bytes.len - pos &&
                   read_said(said, &brief, p + pos + run->head_len, size - run->head_len);
        is_known = is_there && add_to(tally, tally->index[home_of(tally, said->stack)], said->key,
                                      of, said->amount);
        count += is_known;
        pos += is_known ? size : 0;
    } while (is_known && goes_on(run, p, pos, last, &size));
    pass_run(run, class, pos, size, count);
    return is_there && !is_known;
}

/* Whether it is time, thread, stack, class, amount and nothing else: allocations of all versions
 * but one. */
static bool is_usual(const fl_jfr_short *brief)
{
    return brief->keys == 2 && brief->to_stack == 2 && brief->to_amount == 0 && brief->rest == 0 &&
           brief->has_amount && brief->is_whole;
}

/* The same of the usual ones, which come by the million: read_said() and add_to() without what they
 * ask for other forms, and in one loop that calls nothing, so that all it has fits into registers.
 * No look of one event waits for another's, so that those of several are under way at once. Where a
 * number ends is the place of its last byte here. What is unusual is left to read_said(). */
static bool sum_usual(struct said *said, fl_jfr_chunk *chunk, fl_jfr_class *class, struct run *run)
{
    const unsigned char *p = chunk->bytes.ptr;
    const size_t last = chunk->bytes.len - ROOM, head_len = run->head_len;
    const fl_jfr_tally *tally = &chunk->tally;
    const uint32_t of = (uint32_t)(class - chunk->classes);
    size_t pos = run->pos, size = run->size;
    uint64_t count = 0;
    bool is_odd = true;
    assert(is_usual(&class->brief) && pos <= last);
    do {
        const unsigned char *fields = p + pos + head_len;
        uint64_t left = ~(uint64_t)fl_jfr_tops_of(fields);
        left &= left - 1;
        size_t thread = (unsigned)__builtin_ctzll(left);
        left &= left - 1;
        size_t stack = (unsigned)__builtin_ctzll(left);
        left &= left - 1;
        size_t type = (unsigned)__builtin_ctzll(left);
        left &= left - 1;
        size_t end = (unsigned)__builtin_ctzll(left);
        if (thread > 8 || type - thread > 8 || end - type > 4 || end >= FL_JFR_WINDOW ||
            end + 1 + head_len != size)
            break;
        uint64_t word = fl_bytes_le64(fields + thread + 1);
        int64_t amount = number_of(fl_bytes_le64(fields + type + 1), end - type), sum;
        uint32_t number = tally->index[home_of(tally, word & first_bytes[stack - thread])];
        if (number == 0)
            break;
        fl_jfr_sum *of_keys = &tally->sums[number - 1];
        if (of_keys->key != (word & first_bytes[type - thread]) || of_keys->of != of ||
            __builtin_add_overflow(of_keys->amount, amount, &sum))
            break;
        of_keys->amount = sum;
        of_keys->events++;
        count++;
        pos += size;
        is_odd = goes_on(run, p, pos, last, &size);
    } while (is_odd);
    pass_run(run, class, pos, size, count);
    is_odd = is_odd && size >= head_len && size <= chunk->bytes.len - pos;
    return is_odd && read_said(said, &class->brief, p + pos + head_len, size - head_len);
}

/* What a run stopped at. */
static fl_status add_new(fl_jfr_chunk *chunk, fl_jfr_class *class, const struct said *said,
                         const struct run *at, fl_error *err)
{
    const fl_jfr_sum one = {.key = said->key,
                            .amount = said->amount,
                            .of = (uint32_t)(class - chunk->classes),
                            .events = 1,
                            .first = (uint32_t)at->pos};
    assert(at->size <= chunk->bytes.len - at->pos);
    class->events++;
    class->bytes += at->size;
    return add(&chunk->tally, &one, err);
}

fl_status fl_jfr_tally_run(fl_jfr_chunk *chunk, size_t *at, fl_error *err)
{
    const unsigned char *p = chunk->bytes.ptr;
    fl_status status = chunk->tally.index == NULL ? grow_index(&chunk->tally, err) : FL_OK;
    size_t before = 0;
    assert(*at >= FL_JFR_HEADER_BYTES && chunk->bytes.len <= UINT32_MAX);
    while (status == FL_OK && chunk->is_compressed && *at + ROOM <= chunk->bytes.len &&
           *at > before) {
        size_t begin = *at, size = (uint32_t)fl_jfr_varint_at(p, &begin);
        uint64_t type = fl_jfr_varint_at(p, &begin);
        fl_jfr_class *class = fl_jfr_class_of(chunk, type);
        if (class == NULL || class->brief.keys == 0)
            break;
        before = *at;
        struct run run = run_of(p, *at, begin, size);
        struct said said;
        bool is_new = is_usual(&class->brief) ? sum_usual(&said, chunk, class, &run)
                                              : sum_run(&said, chunk, class, &run);
        *at = run.pos;
        if (is_new)
            status = add_new(chunk, class, &said, &run, err);
        *at += is_new ? run.size : 0;
    }
    return status;
}

/* The same of any event that is summed. */
static fl_status add_slowly(fl_jfr_chunk *chunk, const fl_jfr_class *class, size_t at,
                            fl_reader *in, size_t end, fl_error *err)
{
    uint64_t slots[FL_JFR_SLOTS] = {0};
    const fl_jfr_plan *plan = &class->plan;
    assert(class->is_summed && plan->is_sound);
    if (!plan->is_flat) /* an array must not be gone through behind its event */
        in->bytes.len = end;
    fl_jfr_plan_run(chunk, plan, plan->last, in, slots);
    if (in->short_read || in->pos > end)
        return FL_OK;
    fl_jfr_sum one = {.of = (uint32_t)(class - chunk->classes), .events = 1, .first = (uint32_t)at};
    if (!key_of(&one.key, slots[FL_JFR_SLOT_STACK], slots[FL_JFR_SLOT_TYPE]))
        return add_single(&chunk->tally, at, err);
    int64_t span = fl_jfr_span_of(chunk, (int64_t)slots[FL_JFR_SLOT_DURATION]);
    int64_t until = fl_jfr_time_of(chunk, (int64_t)slots[FL_JFR_SLOT_TIME]);
    until = fl_jfr_moment(until + (span > 0 ? span : 0));
    if (chunk->needs_end && until > chunk->tally.end_ns)
        chunk->tally.end_ns = until;
    one.amount = class->row->kind == FL_JFR_LOCK
                     ? span
                     : fl_jfr_number_of(chunk, class->row, slots, FL_JFR_SLOT_A);
    return add(&chunk->tally, &one, err);
}

fl_status fl_jfr_tally_event(fl_jfr_chunk *chunk, const fl_jfr_class *class, size_t at,
                             size_t begin, size_t end, fl_error *err)
{
    assert(at <= begin && begin <= end && end <= chunk->bytes.len);
    if (!class->is_summed)
        return add_single(&chunk->tally, at, err);
    fl_reader in = {.bytes = chunk->bytes, .pos = begin};
    return add_slowly(chunk, class, at, &in, end, err);
}

void fl_jfr_tally_clear(fl_jfr_tally *tally)
{
    assert(tally->count <= tally->cap);
    /* at the cost of the chunk before, not of the largest one of all: many may be small */
    if (tally->index_cap > FIRST_INDEX && tally->count < tally->index_cap / 64) {
        fl_mem_free(tally->index);
        tally->index = NULL;
        tally->index_cap = 0;
    } else if (tally->count > 0)
        memset(tally->index, 0, tally->index_cap * sizeof(*tally->index));
    tally->count = tally->single_count = 0;
    tally->end_ns = 0;
}

void fl_jfr_tally_dispose(fl_jfr_tally *tally)
{
    fl_mem_free(tally->sums);
    fl_mem_free(tally->index);
    fl_mem_free(tally->singles);
}
