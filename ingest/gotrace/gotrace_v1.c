/*
 * gotrace_v1.c - formats of Go 1.7 to 1.21 (headers 1.7 to 1.11, 1.19, 1.21): the stream to batches
 * by processor, and to tables.
 *
 *   trace      "go 1.NN trace" and zeros up to 16 bytes, then records
 *   record     a byte: its kind, and in the upper two bits how many numbers follow behind the first
 *              one; 3: as many as there are in the next n bytes, with n before them
 *
 *    1 batch      processor time                        up to the next batch: of that processor
 *    2 frequency  units of time a second
 *    3 stack      number n { pc function file line } x n
 *   35 timers     the goroutine that they are on (to 1.13): passed over
 *   37 string     number length bytes
 *   48 log        task key stack, and length bytes behind them
 *   49 sample     time, time of the sample, processor, goroutine, stack
 *      others     time since the record before, and numbers
 *
 * A processor's batches are in order, those of different ones are not: what one that had little to
 * do recorded first may come last. Frequency and stacks come last, too. So the bytes of the whole
 * trace are kept, and walked through twice: first from record to record, since no batch says where
 * it ends, for batches, strings, samples and exits from system calls; then by the merge, processor
 * by processor. For all that follows the trace is one generation.
 *
 * What is damaged ends the trace there, but a string, a stack or a sample whose end is known: that
 * costs itself. A trace without the frequency, which stands behind all events, was cut: what is
 * before that is told in time units that are assumed.
 */
#include "gotrace_v1_usual.h"

#include "bytes.h"
#include "faultline/limits.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"

enum { STEP_BYTES = 1 << 20, IS_LIST = 3, MAX_LIST = 16 << 10 };

/* Units a second where a trace does not say it. Go counts cycles of an x86 processor in 64ths
 * (runtime.traceTickDiv), and 3 GHz is about what servers have; other processors differ. */
static const uint64_t assumed_frequency = UINT64_C(3000000000) / 64;

/* Numbers behind the time, plus one; 0: the kind is none, or no event of a processor. A list has
 * more of them than two. */
static const unsigned char numbers_of[GO_V1_KINDS] = {
    [V1_PROCS] = 3,
    [V1_PROC_START] = 2,
    [V1_PROC_STOP] = 1,
    [V1_GC_START] = 3,
    [V1_GC_DONE] = 1,
    [V1_STW_START] = 2,
    [V1_STW_DONE] = 1,
    [V1_SWEEP_START] = 2,
    [V1_SWEEP_DONE] = 3,
    [V1_GO_CREATE] = 4,
    [V1_GO_START] = 3,
    [V1_GO_END] = 1,
    [V1_GO_STOP] = 2,
    [V1_GO_SCHED] = 2,
    [V1_GO_PREEMPT] = 2,
    [V1_GO_SLEEP] = 2,
    [V1_GO_BLOCK] = 2,
    [V1_GO_UNBLOCK] = 4,
    [V1_GO_BLOCK_SEND] = 2,
    [V1_GO_BLOCK_RECV] = 2,
    [V1_GO_BLOCK_SELECT] = 2,
    [V1_GO_BLOCK_SYNC] = 2,
    [V1_GO_BLOCK_COND] = 2,
    [V1_GO_BLOCK_NET] = 2,
    [V1_SYSCALL] = 2,
    [V1_SYSCALL_EXIT] = 4,
    [V1_SYSCALL_BLOCK] = 1,
    [V1_GO_WAITING] = 2,
    [V1_GO_IN_SYSCALL] = 2,
    [V1_HEAP_LIVE] = 2,
    [V1_HEAP_GOAL] = 2,
    [V1_FUTILE_WAKEUP] = 1,
    [V1_GO_START_LOCAL] = 2,
    [V1_GO_UNBLOCK_LOCAL] = 3,
    [V1_SYSCALL_EXIT_LOCAL] = 3,
    [V1_GO_START_LABEL] = 4,
    [V1_GO_BLOCK_GC] = 2,
    [V1_ASSIST_START] = 2,
    [V1_ASSIST_DONE] = 1,
    [V1_TASK_CREATE] = 5,
    [V1_TASK_END] = 3,
    [V1_REGION] = 5,
    [V1_LOG] = 4,
};

/* To 1.9 two kinds had no numbers yet. */
static bool may_lack_numbers(unsigned kind)
{
    return kind == V1_STW_START || kind == V1_SWEEP_DONE;
}

/* ---- bytes ---- */

/* All of them. Damage of the stream behind good bytes is kept in info.broken. */
static fl_status read_bytes(fl_gotrace *trace, fl_error *err)
{
    while (!trace->at_end) {
        size_t got = 0;
        if (trace->len + STEP_BYTES > FL_MAX_GOTRACE_V1_BYTES)
            return fl_fail(err, FL_E_LIMIT, trace->len,
                           "a trace of format 1.%u has more than %u bytes", trace->info.version,
                           FL_MAX_GOTRACE_V1_BYTES);
        fl_status status =
            fl_gotrace_reserve((void **)&trace->data, &trace->cap, trace->len + STEP_BYTES, 1, err);
        if (status == FL_OK)
            status = fl_stream_read(trace->in, trace->data + trace->len, STEP_BYTES, &got,
                                    &trace->info.broken);
        if (status == FL_E_NOMEM)
            return fl_fail(err, status, FL_NO_OFFSET, "no memory for a trace");
        trace->at_end = status != FL_OK || got == 0;
        trace->len += status == FL_OK ? got : 0;
    }
    return FL_OK;
}

/* ---- from record to record ---- */

/* What is walked through, and the batch that it is in. */
struct index {
    fl_gotrace *trace;
    size_t pos;
    fl_error *err;
};

static fl_status damaged(const struct index *at, size_t pos, const char *what)
{
    return fl_fail(at->err, FL_E_SYNTAX, pos, "%s is damaged", what);
}

static fl_status cut(const struct index *at, const char *what)
{
    return fl_fail(at->err, FL_E_TRUNCATED, at->trace->len, "the trace ends inside of %s", what);
}

/* Why what begins with its length is not read to its end. */
static fl_status bad_length(const struct index *at, size_t pos, uint64_t most, const char *what)
{
    uint64_t len = 0;
    bool is_told = gotrace_varint(&len, at->trace->data, &pos, at->trace->len);
    return is_told && len > most ? damaged(at, pos, what) : cut(at, what);
}

/* Behind `count` numbers of 1 to 3; eight bytes at a time where they are at hand: the last byte of
 * a number has its high bit clear. */
static inline bool skip_numbers(const fl_gotrace *trace, size_t *pos, unsigned count)
{
    if (trace->len - *pos >= 8) {
        uint64_t ends = ~fl_bytes_le64(trace->data + *pos) & UINT64_C(0x8080808080808080);
        uint64_t second = ends & (ends - 1), third = second & (second - 1);
        uint64_t last = count == 1 ? ends : count == 2 ? second : third;
        if (last != 0) {
            *pos += ((unsigned)__builtin_ctzll(last) >> 3) + 1;
            return true;
        }
    }
    uint64_t ignored;
    for (; count > 0; count--)
        if (!gotrace_varint(&ignored, trace->data, pos, trace->len))
            return false;
    return true;
}

/* A list: *pos is where its numbers begin, *end where they end. */
static inline bool find_list(const fl_gotrace *trace, size_t *pos, size_t *end)
{
    uint64_t len;
    if (!gotrace_varint(&len, trace->data, pos, trace->len) || len > MAX_LIST ||
        len > trace->len - *pos)
        return false;
    *end = *pos + (size_t)len;
    return true;
}

static fl_status open_batch(struct index *at)
{
    fl_gotrace *trace = at->trace;
    uint64_t id, time;
    uint32_t machine = 0;
    size_t pos = at->pos + 1;
    if (!gotrace_varint(&id, trace->data, &pos, trace->len) ||
        !gotrace_varint(&time, trace->data, &pos, trace->len))
        return cut(at, "a batch");
    if (trace->batch_count == FL_MAX_GOTRACE_BATCHES)
        return fl_fail(at->err, FL_E_LIMIT, at->pos, "the trace has more than %u batches",
                       FL_MAX_GOTRACE_BATCHES);
    fl_status status = FL_OK;
    if (id != UINT64_MAX && id >= trace->proc_count)
        status = fl_gotrace_make_procs(trace, id, at->err);
    if (status == FL_OK)
        status = fl_gotrace_machine(&machine, trace, id, at->err);
    if (status == FL_OK)
        status = fl_gotrace_reserve((void **)&trace->batches, &trace->batch_cap,
                                    trace->batch_count + 1, sizeof(*trace->batches), at->err);
    if (status != FL_OK)
        return status;
    uint32_t number = (uint32_t)trace->batch_count++;
    if (number > 0)
        trace->batches[number - 1].end = at->pos;
    if (number == 0 || time < trace->min_time)
        trace->min_time = time;
    trace->batches[number] =
        (go_batch){.time = time, .start = pos, .end = trace->len, .next = FL_GOTRACE_NONE};
    go_machine *owner = &trace->machines[machine];
    owner->p = id == UINT64_MAX ? FL_GOTRACE_NONE : (uint32_t)id;
    if (owner->first == FL_GOTRACE_NONE)
        owner->first = number;
    else
        trace->batches[owner->last].next = number;
    owner->last = number;
    at->pos = pos;
    return FL_OK;
}

static fl_status index_string(struct index *at)
{
    fl_gotrace *trace = at->trace;
    go_walk walk = {.trace = trace, .pos = at->pos + 1, .end = trace->len, .what = "strings"};
    size_t pos = walk.pos;
    uint64_t id, len = 0;
    bool good = gotrace_varint(&id, trace->data, &pos, trace->len);
    size_t text = pos;
    if (!good || !gotrace_varint(&len, trace->data, &text, trace->len) || len > trace->len - text)
        return good ? bad_length(at, pos, GOTRACE_V1_MAX_STRING, "a string") : cut(at, "a string");
    if (len > GOTRACE_V1_MAX_STRING)
        return damaged(at, pos, "a string");
    fl_error why = {0};
    fl_status status = fl_gotrace_string(trace, &walk, GOTRACE_V1_MAX_STRING, &why);
    if (status == FL_E_NOMEM) /* the trace ends before it: batches end between records */
        return fl_fail(at->err, status, why.offset, "%s", why.message);
    trace->info.damaged += status != FL_OK;
    at->pos = text + (size_t)len;
    return FL_OK;
}

static fl_status index_frequency(struct index *at)
{
    uint64_t per_second;
    size_t pos = at->pos + 1;
    if (!gotrace_varint(&per_second, at->trace->data, &pos, at->trace->len))
        return cut(at, "the frequency of the clock");
    if (per_second == 0)
        return damaged(at, at->pos, "the frequency of the clock");
    fl_gotrace_set_frequency(at->trace, per_second);
    at->pos = pos;
    return FL_OK;
}

/* Times of samples and exits are in units of the trace until its frequency is known. */
static fl_status index_sample(struct index *at, size_t pos, size_t end)
{
    go_walk walk = {.trace = at->trace, .pos = pos, .end = end};
    (void)gotrace_number(&walk); /* when it was written */
    go_sample sample = {.time_ns = (int64_t)gotrace_number(&walk), .m = UINT64_MAX - 1};
    sample.p = gotrace_number(&walk);
    sample.g = gotrace_number(&walk);
    sample.stack = gotrace_number(&walk);
    if (walk.broken || walk.pos != end) {
        at->trace->info.damaged++;
        return FL_OK;
    }
    return fl_gotrace_sample_put(at->trace, &sample, at->err);
}

/* 0: it is not known when the call was over. Beyond the budget it is told when the goroutine goes
 * on. */
static fl_status index_exit(struct index *at, size_t pos, size_t end, bool has_seq)
{
    go_v1 *v1 = &at->trace->v1;
    go_walk walk = {.trace = at->trace, .pos = pos, .end = end};
    (void)gotrace_number(&walk);
    go_exit exit = {.g = gotrace_number(&walk)};
    if (has_seq)
        (void)gotrace_number(&walk);
    exit.time_ns = (int64_t)gotrace_number(&walk);
    if (walk.broken)
        return damaged(at, pos, "the end of a system call");
    if (exit.time_ns == 0 || v1->exit_count == FL_MAX_GOTRACE_EXITS)
        return FL_OK;
    fl_status status = fl_gotrace_reserve((void **)&v1->exits, &v1->exit_cap, v1->exit_count + 1,
                                          sizeof(*v1->exits), at->err);
    if (status == FL_OK)
        v1->exits[v1->exit_count++] = exit;
    return status;
}

/* A list, with what some kinds have behind it. */
static fl_status index_list(struct index *at, unsigned kind)
{
    fl_gotrace *trace = at->trace;
    size_t pos = at->pos + 1, end = 0;
    uint64_t len = 0;
    if (!find_list(trace, &pos, &end))
        return bad_length(at, at->pos + 1, MAX_LIST, "a record");
    size_t next = end;
    if (kind == V1_LOG) {
        if (!gotrace_varint(&len, trace->data, &next, trace->len) || len > trace->len - next)
            return cut(at, "a log");
        next += (size_t)len;
    }
    at->pos = next;
    if (kind == V1_STACK)
        trace->batches[trace->batch_count - 1].has_stacks = true;
    if (kind == V1_SAMPLE)
        return index_sample(at, pos, end);
    return kind == V1_SYSCALL_EXIT ? index_exit(at, pos, end, true) : FL_OK;
}

/* What is no plain record of one to three numbers. */
static fl_status index_other(struct index *at)
{
    fl_gotrace *trace = at->trace;
    unsigned head = trace->data[at->pos], kind = head & (GO_V1_KINDS - 1);
    size_t pos = at->pos + 1;
    if (kind == V1_BATCH)
        return open_batch(at);
    if (trace->batch_count == 0)
        return fl_fail(at->err, FL_E_SYNTAX, at->pos, "expected a batch, found kind %u", kind);
    if (kind == 0 || kind >= V1_KIND_COUNT)
        return fl_fail(at->err, FL_E_UNSUPPORTED, at->pos,
                       "event kind %u is not known: damage, or newer than this program", kind);
    if (kind == V1_STRING)
        return index_string(at);
    if (kind == V1_FREQUENCY)
        return index_frequency(at);
    if (head >> 6 == IS_LIST)
        return index_list(at, kind);
    if (!skip_numbers(trace, &pos, (head >> 6) + 1))
        return cut(at, "an event");
    size_t start = at->pos + 1;
    at->pos = pos;
    return kind == V1_SYSCALL_EXIT_LOCAL ? index_exit(at, start, pos, false) : FL_OK;
}

/* Kinds that index_other() must see, whatever their form. */
#define BIT(kind) (UINT64_C(1) << (kind))
static const uint64_t apart = BIT(0) | BIT(V1_BATCH) | BIT(V1_STRING) | BIT(V1_FREQUENCY) |
                              BIT(V1_STACK) | BIT(V1_LOG) | BIT(V1_SAMPLE) | BIT(V1_SYSCALL_EXIT) |
                              BIT(V1_SYSCALL_EXIT_LOCAL) | ~(BIT(V1_KIND_COUNT) - 1);

/* Behind the plain records from `pos` on, up to one that is not, or is near the end. */
static size_t skip_plain(const fl_gotrace *trace, size_t pos)
{
    const unsigned char *at = trace->data + pos, *end = trace->data + trace->len;
    while (end - at >= GOTRACE_AT_HAND) {
        unsigned form = *at >> 6;
        const unsigned char *next = at + 1;
        bool good = (apart >> (*at & (GO_V1_KINDS - 1)) & 1) == 0;
        if (form == IS_LIST) {
            good = good && *next < 0x80 && *next < end - next;
            next += *next + 1;
        } else
            for (uint64_t i = 0, ignored; good && i <= form; i++)
                good = gotrace_short(&ignored, &next);
        if (!good)
            break;
        at = next;
    }
    return (size_t)(at - trace->data);
}

/* Up to the end, or to what is damaged: the batches before that are good. */
static fl_status index_records(fl_gotrace *trace, fl_error *err)
{
    struct index at = {.trace = trace, .pos = trace->pos, .err = err};
    fl_status status = FL_OK;
    while (at.pos < trace->len && status == FL_OK) {
        if (trace->batch_count > 0)
            at.pos = skip_plain(trace, at.pos);
        if (at.pos == trace->len)
            break;
        unsigned head = trace->data[at.pos];
        size_t pos = at.pos + 1, end;
        if ((apart >> (head & (GO_V1_KINDS - 1)) & 1) != 0 || trace->batch_count == 0)
            status = index_other(&at);
        else if (head >> 6 != IS_LIST && skip_numbers(trace, &pos, (head >> 6) + 1))
            at.pos = pos;
        else if (head >> 6 == IS_LIST && find_list(trace, &pos, &end))
            at.pos = end;
        else
            status = index_other(&at); /* it fails, and says why */
    }
    if (trace->batch_count > 0)
        trace->batches[trace->batch_count - 1].end = at.pos;
    return status;
}

/* ---- tables ---- */

/* The record at *pos of a batch that was walked through before: where it ends. Stacks have lists.
 */
static size_t end_of_record(const fl_gotrace *trace, size_t pos)
{
    unsigned head = trace->data[pos], kind = head & (GO_V1_KINDS - 1);
    size_t end = pos + 1;
    uint64_t len = 0;
    bool good = true;
    pos++;
    if (kind == V1_STRING) {
        good = skip_numbers(trace, &pos, 1);
        good = good && gotrace_varint(&len, trace->data, &pos, trace->len);
        end = pos + (size_t)len;
    } else if (kind == V1_FREQUENCY || head >> 6 != IS_LIST) {
        good = skip_numbers(trace, &pos, kind == V1_FREQUENCY ? 1 : (head >> 6) + 1);
        end = pos;
    } else {
        good = find_list(trace, &pos, &end);
        if (good && kind == V1_LOG) {
            good = gotrace_varint(&len, trace->data, &end, trace->len);
            end += (size_t)len;
        }
    }
    assert(good);
    return end;
}

/* Once all strings are known. A stack that is damaged is nowhere: its events have no place. */
static fl_status read_stacks(fl_gotrace *trace, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < trace->batch_count && status == FL_OK; i++) {
        const go_batch *batch = &trace->batches[i];
        size_t next = 0;
        for (size_t pos = batch->start; batch->has_stacks && pos < batch->end && status == FL_OK;
             pos = next) {
            next = end_of_record(trace, pos);
            if (trace->data[pos] != (V1_STACK | IS_LIST << 6))
                continue;
            go_walk walk = {.trace = trace, .pos = pos + 1, .end = next, .what = "stacks"};
            (void)gotrace_number(&walk); /* its length */
            fl_error why = {0};
            fl_status taken = fl_gotrace_stack_entry(trace, &walk, GOTRACE_V1_MAX_STACK, &why);
            if (taken == FL_E_NOMEM)
                status = fl_fail(err, taken, why.offset, "%s", why.message);
            trace->info.damaged += taken != FL_OK;
        }
    }
    return status;
}

static uint64_t exit_time(const void *row)
{
    return fl_sort_number(((const go_exit *)row)->time_ns);
}

static int compare_exits(const void *a, const void *b)
{
    const go_exit *left = a, *right = b;
    if (left->time_ns != right->time_ns)
        return left->time_ns < right->time_ns ? -1 : 1;
    return (left->g > right->g) - (left->g < right->g);
}

/* Now that the clock is known. */
static void sort_asides(fl_gotrace *trace)
{
    static const fl_row_order by_time = {.numbers = {exit_time}, .compare = compare_exits};
    go_v1 *v1 = &trace->v1;
    for (size_t i = 0; i < trace->sample_count; i++)
        trace->samples[i].time_ns = gotrace_v1_ns(trace, (uint64_t)trace->samples[i].time_ns);
    for (size_t i = 0; i < v1->exit_count; i++)
        v1->exits[i].time_ns = gotrace_v1_ns(trace, (uint64_t)v1->exits[i].time_ns);
    fl_gotrace_sort_samples(trace);
    fl_sort_rows(v1->exits, v1->exit_count, sizeof(*v1->exits), &by_time);
}

/* Formats from 1.22 on say why in words; here kinds and numbers do. The words are the same. */
static fl_status name_reasons(fl_gotrace *trace, fl_error *err)
{
    static const char *const reasons[GO_V1_KINDS] = {
        [V1_GO_STOP] = "forever",
        [V1_GO_SCHED] = "runtime.Gosched",
        [V1_GO_PREEMPT] = "preempted",
        [V1_GO_SLEEP] = "sleep",
        [V1_GO_BLOCK_SEND] = "chan send",
        [V1_GO_BLOCK_RECV] = "chan receive",
        [V1_GO_BLOCK_SELECT] = "select",
        [V1_GO_BLOCK_SYNC] = "sync",
        [V1_GO_BLOCK_COND] = "sync.(*Cond).Wait",
        [V1_GO_BLOCK_NET] = "network",
        [V1_GO_BLOCK_GC] = "GC mark assist wait for work",
    };
    /* runtime.stwReason of 1.21; before, 0 and 1 meant what 1 and 2 mean here */
    static const char *const stops[GO_V1_STOPS] = {
        "unknown",
        "GC mark termination",
        "GC sweep termination",
        "write heap dump",
        "goroutine profile",
        "goroutine profile cleanup",
        "all goroutines stack trace",
        "read mem stats",
        "AllThreadsSyscall",
        "GOMAXPROCS",
        "start trace",
        "stop trace",
        "CountPagesInUse (test)",
        "ReadMetricsSlow (test)",
        "ReadMemStatsSlow (test)",
        "PageCachePagesLeaked (test)",
        "ResetDebugLog (test)",
    };
    fl_status status = FL_OK;
    for (size_t i = 0; i < GO_V1_KINDS && status == FL_OK; i++) {
        trace->v1.reasons[i] = FL_GOTRACE_NONE;
        if (reasons[i] != NULL)
            status =
                fl_gotrace_text_put(&trace->v1.reasons[i], trace, fl_slice_of(reasons[i]), err);
    }
    for (size_t i = 0; i < GO_V1_STOPS && status == FL_OK; i++)
        status = fl_gotrace_text_put(&trace->v1.stops[i], trace, fl_slice_of(stops[i]), err);
    return status;
}

/* ---- the whole ---- */

/* FL_OK: there is something to tell; `why` says where it breaks, if it does. */
static fl_status read_tables(fl_gotrace *trace, fl_error *why, fl_error *err)
{
    trace->gen = trace->first_gen = 1;
    trace->v1.begins = true;
    fl_status status = name_reasons(trace, err);
    if (status == FL_OK)
        status = fl_map_create(&trace->v1.threads, FL_MAX_GOTRACE_THREADS, err);
    if (status != FL_OK)
        return status;
    status = index_records(trace, why);
    bool is_cut = status == FL_OK || status == FL_E_TRUNCATED;
    if (status == FL_E_NOMEM || (trace->batch_count == 0 && !is_cut))
        return fl_fail(err, why->status, why->offset, "%s", why->message);
    /* the stream's own reason says more than where its bytes end */
    if (is_cut && trace->info.broken.status != FL_OK)
        *why = trace->info.broken;
    if (trace->batch_count == 0)
        return fl_fail(err, FL_E_TRUNCATED, trace->len, "the trace has no events");
    if (trace->unit_ns <= 0) {
        if (why->status == FL_OK)
            (void)fl_fail(why, FL_E_TRUNCATED, trace->len,
                          "the trace ends before it says how its clock runs");
        fl_gotrace_set_frequency(trace, assumed_frequency);
        trace->info.clock_assumed = true;
    }
    trace->v1.is_cut = is_cut && why->status != FL_OK;
    return read_stacks(trace, err);
}

fl_status fl_gotrace_v1_read(fl_gotrace *trace, fl_error *err)
{
    fl_error why = {0}, own = {0};
    fl_status status = read_bytes(trace, err);
    if (status == FL_OK)
        status = read_tables(trace, &why, err);
    if (status != FL_OK)
        return status;
    sort_asides(trace);
    trace->info.broken = why;
    trace->info.nameless = why.status != FL_OK &&
                           (trace->stacks.end == 0 || trace->strings.end == 0 || trace->unnamed);
    trace->info.generations = 1;
    status = fl_gotrace_merge(trace, &own);
    if (status == FL_E_NOMEM || trace->refused)
        return fl_fail(err, status, own.offset, "%s", own.message);
    if (status == FL_E_LIMIT || (status != FL_OK && trace->info.broken.status == FL_OK))
        trace->info.broken = own;
    return FL_OK;
}

/* ---- a processor's events ---- */

/* What a log says stands behind its list: as offset and length behind its numbers. */
static void find_log(const fl_gotrace *trace, go_machine *machine, size_t *pos)
{
    uint64_t len = 0;
    bool good = gotrace_varint(&len, trace->data, pos, trace->len);
    assert(good);
    machine->args[3] = *pos;
    machine->args[4] = len;
    *pos += (size_t)len;
}

/* The event at machine->pos. Its batch was walked through before: what it says of its length holds.
 */
static fl_status decode(fl_gotrace *trace, go_machine *machine, fl_error *err)
{
    unsigned form = trace->data[machine->pos] >> 6, wanted = numbers_of[machine->kind] - 1u;
    size_t pos = machine->pos + 1, end = machine->end;
    uint64_t elapsed = 0;
    if (form == 0 && may_lack_numbers(machine->kind)) {
        machine->args[0] = machine->args[1] = 0;
        wanted = 0;
    }
    bool good =
        form == IS_LIST ? wanted >= IS_LIST && find_list(trace, &pos, &end) : form == wanted;
    good = good && gotrace_varint(&elapsed, trace->data, &pos, end);
    for (unsigned i = 0; good && i < wanted; i++)
        good = gotrace_varint(&machine->args[i], trace->data, &pos, end);
    if (!good || (form == IS_LIST && pos != end))
        return fl_fail(err, FL_E_SYNTAX, machine->pos,
                       "an event of kind %u has not the numbers of its kind", machine->kind);
    if (machine->kind == V1_LOG)
        find_log(trace, machine, &pos);
    machine->pos = pos;
    if (__builtin_add_overflow(machine->time, elapsed, &machine->time))
        machine->time = UINT64_MAX;
    return FL_OK;
}

/* A call is over at once where its processor does anything but say that it blocks. */
static void close_call(fl_gotrace *trace, go_machine *machine, bool more)
{
    if (machine->in_call && (!more || machine->kind != V1_SYSCALL_BLOCK))
        gotrace_v1_end_call(trace, machine);
}

/* decode() of what most events are: short numbers, and nothing behind them. False: it is another.
 */
static inline bool decode_plain(const fl_gotrace *trace, go_machine *machine)
{
    const unsigned char *at = trace->data + machine->pos, *end = NULL;
    unsigned form = *at >> 6, wanted = numbers_of[machine->kind] - 1u;
    uint64_t elapsed = 0;
    if (trace->len - machine->pos < GOTRACE_AT_HAND || machine->kind == V1_LOG ||
        form != (wanted < IS_LIST ? wanted : IS_LIST))
        return false;
    at++;
    if (form == IS_LIST) {
        end = at + *at + 1;
        if (*at++ >= 0x80)
            return false;
    }
    bool good = gotrace_short(&elapsed, &at);
    for (unsigned i = 0; good && i < wanted; i++)
        good = gotrace_short(&machine->args[i], &at);
    if (!good || (form == IS_LIST && at != end) ||
        __builtin_add_overflow(machine->time, elapsed, &elapsed))
        return false;
    machine->time = elapsed;
    machine->pos = (size_t)(at - trace->data);
    return true;
}

fl_status fl_gotrace_v1_next(fl_gotrace *trace, go_machine *machine, bool *more, fl_error *err)
{
    for (;;) {
        while (machine->pos == machine->end) {
            if (machine->first == FL_GOTRACE_NONE) {
                *more = false;
                close_call(trace, machine, false);
                return FL_OK;
            }
            const go_batch *batch = &trace->batches[machine->first];
            machine->pos = batch->start;
            machine->end = batch->end;
            machine->time = batch->time;
            machine->first = batch->next;
        }
        machine->kind = trace->data[machine->pos] & (GO_V1_KINDS - 1);
        if (numbers_of[machine->kind] == 0) {
            machine->pos = end_of_record(trace, machine->pos);
            continue;
        }
        fl_status status = decode_plain(trace, machine) ? FL_OK : decode(trace, machine, err);
        if (status != FL_OK)
            return status;
        machine->time_ns = gotrace_v1_ns(trace, machine->time);
        *more = true;
        close_call(trace, machine, true);
        return FL_OK;
    }
}
