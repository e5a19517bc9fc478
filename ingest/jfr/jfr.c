/*
 * jfr.c - a recording, chunk by chunk: its header, what it says of itself, then its events.
 *
 *   0  "FLR\0"            32  start, ns since the epoch
 *   4  major, 6 minor     40  duration, ns
 *   8  size of the chunk  48  start, in ticks
 *  16  checkpoint         56  ticks in a second
 *  24  metadata           64  state: 0 finished; 67 flags: 1 compressed numbers
 *  68  events: size (of all of it), type, fields
 *
 * all big-endian, places relative to the chunk. A chunk that its writer did not finish, or that is
 * cut, may have no valid places: they are then looked for among its events.
 */
#include "jfr.h"

#include <assert.h>
#include <stdio.h>

#include "bytes.h"
#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"

enum { FLAG_COMPRESSED = 1, TYPE_METADATA = 0, TYPE_CHECKPOINT = 1, MAX_CHECKPOINTS = 1 << 20 };

/* A chunk that claims more is damaged: what there is of it is read. */
#define LARGEST_SIZE (UINT64_C(1) << 40)
/* The year 2096. */
#define MAX_NS INT64_C(4000000000000000000)

static const unsigned char magic[4] = {'F', 'L', 'R', 0};

/* ---- the reader ---- */

fl_status fl_jfr_create(fl_jfr **out, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_jfr *jfr = fl_mem_calloc(1, sizeof(*jfr));
    if (jfr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a reader of recordings");
    jfr->arena = fl_arena_of(FL_MAX_JFR_TEXT_BYTES);
    jfr->scratch = fl_arena_of(FL_MAX_JFR_TEXT_BYTES);
    jfr->chunk.dense = fl_mem_calloc(FL_JFR_DENSE, sizeof(*jfr->chunk.dense));
    fl_status status = jfr->chunk.dense != NULL
                           ? FL_OK
                           : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for types");
    if (status == FL_OK)
        status = fl_intern_create(&jfr->names, FL_MAX_JFR_TEXT_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->frame_of, FL_MAX_JFR_FRAMES, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->node_of, FL_MAX_JFR_STACKS, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->count_of, FL_MAX_JFR_FRAMES, err);
    if (status == FL_OK)
        status = fl_map_create(&jfr->chunk.by_id, FL_MAX_JFR_CONSTANTS, err);
    if (status != FL_OK) {
        fl_jfr_destroy(jfr);
        return status;
    }
    *out = jfr;
    return FL_OK;
}

void fl_jfr_destroy(fl_jfr *jfr)
{
    assert(jfr == NULL || jfr->totals.warning_count <= FL_JFR_MAX_WARNINGS);
    if (jfr == NULL)
        return;
    fl_jfr_pools_dispose(&jfr->chunk);
    fl_map_destroy(jfr->chunk.by_id);
    fl_mem_free(jfr->chunk.dense);
    fl_mem_free(jfr->chunk.classes);
    fl_mem_free(jfr->chunk.fields);
    fl_mem_free(jfr->chunk.ops);
    fl_mem_free(jfr->block.ptr);
    fl_mem_free(jfr->frames);
    fl_mem_free(jfr->nodes);
    fl_mem_free(jfr->counts);
    fl_map_destroy(jfr->frame_of);
    fl_map_destroy(jfr->node_of);
    fl_map_destroy(jfr->count_of);
    fl_intern_destroy(jfr->names);
    for (size_t i = 0; i < jfr->totals.warning_count; i++)
        fl_mem_free(jfr->warnings[i]);
    fl_arena_dispose(&jfr->arena);
    fl_arena_dispose(&jfr->scratch);
    fl_mem_free(jfr);
}

bool fl_jfr_sniff(fl_slice head)
{
    return head.len >= sizeof(magic) && memcmp(head.ptr, magic, sizeof(magic)) == 0;
}

bool fl_jfr_sniff_file(const char *path)
{
    unsigned char head[sizeof(magic)];
    fl_stream *stream;
    size_t len = 0, got = 1;
    if (fl_stream_open(&stream, path, NULL) != FL_OK)
        return false;
    while (len < sizeof(head) && got > 0) {
        if (fl_stream_read(stream, head + len, sizeof(head) - len, &got, NULL) != FL_OK)
            got = 0;
        len += got;
    }
    fl_stream_close(stream);
    return fl_jfr_sniff((fl_slice){.ptr = head, .len = len});
}

/* Said once for each input and kind: "rec.jfr: chunk 3, byte 17: what". */
static void warn(fl_jfr *jfr, uint64_t offset, const char *what)
{
    size_t room = strlen(jfr->name) + strlen(what) + 64;
    if (jfr->totals.warning_count == FL_JFR_MAX_WARNINGS)
        return;
    char *text = fl_mem_alloc(room);
    if (text == NULL)
        return;
    snprintf(text, room, "%s: chunk %llu, byte %llu: %s", jfr->name,
             (unsigned long long)jfr->totals.chunks, (unsigned long long)offset, what);
    jfr->warnings[jfr->totals.warning_count++] = text;
}

/* ---- a chunk ---- */

/* Up to `want` bytes more behind the first `have` of the block, which grows as they come: a size
 * that a header claims allocates nothing by itself. */
static fl_status fill(fl_jfr *jfr, fl_stream *in, size_t *have, uint64_t want, fl_error *err)
{
    assert(want > 0 && *have <= jfr->block.cap);
    fl_stream_block *block = &jfr->block;
    size_t got = 1;
    while (*have < want && got > 0) {
        if (*have == block->cap) {
            size_t cap = block->cap == 0 ? 1u << 16 : block->cap * 2;
            void *grown = fl_mem_realloc(block->ptr, cap, 1);
            if (grown == NULL)
                return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a chunk of %zu bytes",
                               cap);
            *block = (fl_stream_block){.ptr = grown, .cap = cap};
        }
        size_t room = block->cap - *have;
        room = room < want - *have ? room : (size_t)(want - *have);
        fl_status status = fl_stream_read(in, block->ptr + *have, room, &got, err);
        if (status != FL_OK)
            return status;
        *have += got;
    }
    return FL_OK;
}

/* Whether a header is of a version that is known. */
static fl_status check_header(const fl_jfr *jfr, const unsigned char *head, uint64_t offset,
                              fl_error *err)
{
    assert(jfr->name != NULL && head != NULL);
    unsigned major = (unsigned)head[4] << 8 | head[5], minor = (unsigned)head[6] << 8 | head[7];
    if (memcmp(head, magic, sizeof(magic)) != 0)
        return fl_fail(err, FL_E_UNSUPPORTED, offset, "%.120s: this is not a JFR recording",
                       jfr->name);
    if (major < 2)
        return fl_fail(err, FL_E_UNSUPPORTED, offset,
                       "%.100s: version %u.%u is that of Oracle's JDK 7 and 8, which is not read",
                       jfr->name, major, minor);
    if (major > 2)
        return fl_fail(err, FL_E_UNSUPPORTED, offset,
                       "%.100s: version %u.%u is newer than this program", jfr->name, major, minor);
    return FL_OK;
}

/* Damaged times may be anything; within these ends two of them can be subtracted, and added. */
static int64_t moment_of(int64_t ns)
{
    return ns < 0 ? 0 : ns > MAX_NS ? MAX_NS : ns;
}

/* What the header says; jfr->chunk.bytes are not known yet. */
static void take_header(fl_jfr *jfr, const unsigned char *head, uint64_t offset)
{
    assert(head != NULL && memcmp(head, magic, sizeof(magic)) == 0);
    fl_jfr_chunk *chunk = &jfr->chunk;
    uint64_t frequency = fl_bytes_be64(head + 56);
    chunk->offset = offset;
    chunk->is_finished = head[64] == 0;
    chunk->is_compressed = (head[67] & FLAG_COMPRESSED) != 0;
    chunk->pool_at = fl_bytes_be64(head + 16);
    chunk->metadata_at = fl_bytes_be64(head + 24);
    chunk->start_ns = moment_of((int64_t)fl_bytes_be64(head + 32));
    chunk->duration_ns = moment_of((int64_t)fl_bytes_be64(head + 40));
    chunk->start_ticks = (int64_t)fl_bytes_be64(head + 48);
    chunk->ns_per_tick = frequency > 0 ? 1e9 / (double)frequency : 1;
    jfr->totals.major = (unsigned)head[4] << 8 | head[5];
    jfr->totals.minor = (unsigned)head[6] << 8 | head[7];
}

/* One event's frame: false at the end, or, with *broken, where there is none. */
static inline bool next_event(const fl_jfr_chunk *chunk, fl_reader *in, size_t *end, uint64_t *type,
                              bool *broken)
{
    assert(in->pos >= FL_JFR_HEADER_BYTES && in->bytes.len == chunk->bytes.len);
    size_t begin = in->pos;
    if (begin >= chunk->bytes.len)
        return false;
    uint64_t size;
    if (chunk->is_compressed) {
        size = (uint32_t)fl_jfr_varint(in);
        *type = fl_jfr_varint(in);
    } else {
        size = fl_read_be(in, 4);
        *type = fl_read_be(in, 8);
    }
    *broken = in->short_read || size < in->pos - begin || size > chunk->bytes.len - begin;
    *end = begin + (size_t)size;
    return !*broken;
}

/* Where the metadata of a chunk stands: as its header says, or the last that is whole. 0: nowhere.
 */
static size_t find_metadata(const fl_jfr_chunk *chunk)
{
    assert(chunk->bytes.len >= FL_JFR_HEADER_BYTES);
    fl_reader in = {.bytes = chunk->bytes, .pos = FL_JFR_HEADER_BYTES};
    size_t end, found = 0, at;
    uint64_t type;
    bool broken = false;
    if (chunk->metadata_at >= FL_JFR_HEADER_BYTES && chunk->metadata_at < chunk->bytes.len) {
        fl_reader there = {.bytes = chunk->bytes, .pos = (size_t)chunk->metadata_at};
        if (next_event(chunk, &there, &end, &type, &broken) && type == TYPE_METADATA)
            return (size_t)chunk->metadata_at;
    }
    for (at = in.pos; next_event(chunk, &in, &end, &type, &broken); at = in.pos = end)
        if (type == TYPE_METADATA)
            found = at;
    return found;
}

/* From the last checkpoint back to the first; none reaches into the one behind it, so that no byte
 * is read twice. *whole: the chain ended where it should. */
static fl_status read_chain(fl_jfr *jfr, bool *whole, fl_error *err)
{
    fl_jfr_chunk *chunk = &jfr->chunk;
    uint64_t at = chunk->pool_at, before = chunk->bytes.len;
    *whole = false;
    for (size_t n = 0; n < MAX_CHECKPOINTS; n++) {
        int64_t delta;
        fl_error own = {0};
        if (at < FL_JFR_HEADER_BYTES || at >= before)
            return FL_OK;
        fl_status status = fl_jfr_checkpoint_read(chunk, (size_t)at, (size_t)before, &delta, &own);
        if (status == FL_E_NOMEM || status == FL_E_LIMIT)
            return fl_fail(err, status, own.offset, "%s", own.message);
        if (status != FL_OK)
            return FL_OK;
        *whole = delta == 0;
        if (delta >= 0) /* one before this one */
            return FL_OK;
        before = at;
        at += (uint64_t)delta;
    }
    return FL_OK;
}

/* All checkpoints that there are among the events, as far as each can be read. */
static fl_status read_scattered(fl_jfr *jfr, fl_error *err)
{
    fl_jfr_chunk *chunk = &jfr->chunk;
    fl_reader in = {.bytes = chunk->bytes, .pos = FL_JFR_HEADER_BYTES};
    size_t end, at = in.pos;
    uint64_t type;
    bool broken = false;
    for (; next_event(chunk, &in, &end, &type, &broken); at = in.pos = end) {
        int64_t delta;
        fl_error own = {0};
        if (type != TYPE_CHECKPOINT)
            continue;
        fl_status status = fl_jfr_checkpoint_read(chunk, at, end, &delta, &own);
        if (status == FL_E_NOMEM || status == FL_E_LIMIT)
            return fl_fail(err, status, own.offset, "%s", own.message);
        if (status != FL_OK)
            warn(jfr, own.offset, own.message);
    }
    return FL_OK;
}

/* By the chain where it is whole; it names exactly the checkpoints that the writer meant. */
static fl_status read_pools(fl_jfr *jfr, fl_error *err)
{
    bool whole = false;
    fl_status status = fl_jfr_pools_begin(&jfr->chunk, err);
    if (status == FL_OK)
        status = read_chain(jfr, &whole, err);
    return status == FL_OK && !whole ? read_scattered(jfr, err) : status;
}

/* ---- events ---- */

/* Ticks as nanoseconds; what is beyond reason is cut off at the ends of the range. */
static int64_t ns_of_ticks(const fl_jfr_chunk *chunk, int64_t ticks)
{
    double ns = (double)ticks * chunk->ns_per_tick;
    return ns > (double)MAX_NS ? MAX_NS : ns < -(double)MAX_NS ? -MAX_NS : (int64_t)ns;
}

/* Nanoseconds since the epoch; unsigned on the way, since damaged ticks may be anything. */
static int64_t time_of_ticks(const fl_jfr_chunk *chunk, int64_t ticks)
{
    int64_t since = ns_of_ticks(chunk, (int64_t)((uint64_t)ticks - (uint64_t)chunk->start_ticks));
    return moment_of(chunk->start_ns + since);
}

/* A number of an event: plain, a span or a moment in ticks. */
static int64_t number_of(const fl_jfr_chunk *chunk, const fl_jfr_row *row, const uint64_t *slots,
                         int slot)
{
    assert(row != NULL && slot >= 0 && slot < FL_JFR_SLOTS);
    int64_t value = (int64_t)slots[slot];
    if (row->ticks & 1u << slot)
        return ns_of_ticks(chunk, value);
    return row->moments & 1u << slot ? time_of_ticks(chunk, value) : value;
}

/* A float comes as the bits of a number. */
static float float_of(uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    float value;
    memcpy(&value, &word, sizeof(value));
    return value;
}

/* What its kind has besides the moment, the stack and the class. */
static fl_status take_rest(fl_jfr_event *event, fl_jfr *jfr, const fl_jfr_class *class,
                           const uint64_t *slots, fl_error *err)
{
    const fl_jfr_plan *plan = &class->plan;
    fl_status status = FL_OK;
    if (plan->have & 1u << FL_JFR_SLOT_TEXT)
        status = fl_jfr_name_slot(&event->text, jfr, plan, FL_JFR_SLOT_TEXT, slots, err);
    if (status == FL_OK && plan->have & 1u << FL_JFR_SLOT_CAUSE)
        status = fl_jfr_name_slot(&event->cause, jfr, plan, FL_JFR_SLOT_CAUSE, slots, err);
    if (event->kind == FL_JFR_CPU_LOAD)
        for (int i = 0; i < 3; i++)
            event->real[i] = float_of(slots[FL_JFR_SLOT_A + i]);
    if (event->kind == FL_JFR_OLD_OBJECT) {
        event->object = slots[FL_JFR_SLOT_TYPE];
        event->root = slots[FL_JFR_SLOT_ROOT];
        event->d = (int32_t)event->d;
    }
    return status;
}

/* Where a stack is seen the second time, a look into an array. */
static fl_status resolve_stack(uint32_t *out, fl_jfr *jfr, uint64_t key, fl_error *err)
{
    fl_jfr_pool *pool = &jfr->chunk.pools[FL_JFR_POOL_STACK];
    *out = fl_jfr_known(pool, key);
    if (*out != FL_JFR_NONE)
        return FL_OK;
    fl_status status = fl_jfr_stack_constant(out, jfr, key, err);
    if (status == FL_OK && *out == FL_JFR_NONE)
        jfr->totals.unresolved += fl_jfr_constant_of(&jfr->chunk, FL_JFR_POOL_STACK, key) == NULL;
    return status == FL_OK ? fl_jfr_know(pool, key, *out, err) : status;
}

/* The same of a class. */
static fl_status resolve_class(uint32_t *out, fl_jfr *jfr, uint64_t key, fl_error *err)
{
    fl_jfr_pool *pool = &jfr->chunk.pools[FL_JFR_POOL_CLASS];
    *out = fl_jfr_known(pool, key);
    if (*out != FL_JFR_NONE)
        return FL_OK;
    fl_status status = fl_jfr_name_constant(out, jfr, FL_JFR_POOL_CLASS, key, err);
    return status == FL_OK ? fl_jfr_know(pool, key, *out, err) : status;
}

/* The fields of an event: all of the chunk can be read, so that a number at an event's end is read
 * as fast as others, but what goes beyond the end is no event. */
struct span {
    size_t begin, end;
};

/* Who is told. */
struct telling {
    fl_jfr_visit *visit;
    void *payload;
};

/* The header of a chunk that was not finished tells no end, or that of its last flush. */
static void note_end(fl_jfr *jfr, int64_t time_ns, int64_t duration_ns)
{
    assert(time_ns >= 0 && time_ns <= MAX_NS);
    if (jfr->chunk.is_finished && jfr->chunk.duration_ns > 0)
        return;
    int64_t end = moment_of(time_ns + (duration_ns > 0 ? duration_ns : 0));
    if (end > jfr->totals.to_ns)
        jfr->totals.to_ns = end;
}

/* An event that is told. Fields that its bytes do not have make it no event. */
static fl_status tell(fl_jfr *jfr, const fl_jfr_class *class, struct span at,
                      const struct telling *to, fl_error *err)
{
    assert(class->row != NULL && class->plan.is_sound && to->visit != NULL);
    uint64_t slots[FL_JFR_SLOTS] = {0};
    const fl_jfr_chunk *chunk = &jfr->chunk;
    const fl_jfr_row *row = class->row;
    const fl_jfr_plan *plan = &class->plan;
    fl_reader in = {.bytes = chunk->bytes, .pos = at.begin};
    fl_jfr_plan_run(chunk, plan, plan->last, &in, slots);
    if (in.short_read || in.pos > at.end)
        return FL_OK;
    fl_jfr_event event = {.kind = row->kind,
                          .time_ns = time_of_ticks(chunk, (int64_t)slots[FL_JFR_SLOT_TIME]),
                          .stack = FL_JFR_NONE,
                          .type = FL_JFR_NONE,
                          .thread = FL_JFR_NONE,
                          .text = FL_JFR_NONE,
                          .cause = FL_JFR_NONE,
                          .a = (int64_t)slots[FL_JFR_SLOT_A],
                          .b = (int64_t)slots[FL_JFR_SLOT_B],
                          .c = (int64_t)slots[FL_JFR_SLOT_C],
                          .d = (int64_t)slots[FL_JFR_SLOT_D]};
    if (plan->have & 1u << FL_JFR_SLOT_DURATION)
        event.duration_ns = ns_of_ticks(chunk, (int64_t)slots[FL_JFR_SLOT_DURATION]);
    note_end(jfr, event.time_ns, event.duration_ns);
    if ((row->ticks | row->moments) != 0) {
        event.a = number_of(chunk, row, slots, FL_JFR_SLOT_A);
        event.b = number_of(chunk, row, slots, FL_JFR_SLOT_B);
        event.c = number_of(chunk, row, slots, FL_JFR_SLOT_C);
    }
    fl_status status = FL_OK;
    if (slots[FL_JFR_SLOT_STACK] != 0)
        status = resolve_stack(&event.stack, jfr, slots[FL_JFR_SLOT_STACK], err);
    if (status == FL_OK && plan->pool[FL_JFR_SLOT_TYPE] == FL_JFR_POOL_CLASS)
        status = resolve_class(&event.type, jfr, slots[FL_JFR_SLOT_TYPE], err);
    if (status == FL_OK && plan->have & 1u << FL_JFR_SLOT_THREAD)
        status = fl_jfr_name_slot(&event.thread, jfr, plan, FL_JFR_SLOT_THREAD, slots, err);
    if (status == FL_OK && row->kind > FL_JFR_NATIVE)
        status = take_rest(&event, jfr, class, slots, err);
    return status == FL_OK ? to->visit(to->payload, &event, err) : status;
}

/* The plans of the events that are told. */
static fl_status plan_events(fl_jfr_chunk *chunk, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < chunk->class_count && status == FL_OK; i++) {
        fl_jfr_class *class = &chunk->classes[i];
        const fl_jfr_row *row = class->is_planned ? NULL : fl_jfr_row_of(class->name);
        if (row == NULL)
            continue;
        class->is_planned = true;
        status = fl_jfr_plan_make(&class->plan, chunk, class, row->wanted, err);
        class->row = class->plan.is_sound ? row : NULL;
    }
    return status;
}

/* From the first event to the last; those that nobody asks for are counted and gone past. */
static fl_status read_events(fl_jfr *jfr, fl_jfr_visit *visit, void *payload, fl_error *err)
{
    assert(jfr->chunk.bytes.len >= FL_JFR_HEADER_BYTES && visit != NULL);
    fl_jfr_chunk *chunk = &jfr->chunk;
    fl_reader in = {.bytes = chunk->bytes, .pos = FL_JFR_HEADER_BYTES};
    const struct telling to = {.visit = visit, .payload = payload};
    size_t end, at = in.pos;
    uint64_t type;
    bool broken = false;
    fl_status status = FL_OK;
    for (; status == FL_OK && next_event(chunk, &in, &end, &type, &broken); at = in.pos = end) {
        fl_jfr_class *class = type > TYPE_CHECKPOINT ? fl_jfr_class_of(chunk, type) : NULL;
        if (class != NULL) {
            class->events++;
            class->bytes += end - at;
            jfr->totals.events++;
        }
        if (class != NULL && class->row != NULL) {
            status = tell(jfr, class, (struct span){in.pos, end}, &to, err);
        }
    }
    if (broken && chunk->is_finished)
        warn(jfr, chunk->offset + at, "here is no event; the rest of the chunk is not read");
    return status;
}

/* What one chunk counted is part of the whole even where a later one cannot be read. */
/* The chunk's counts, by name, to those of all. */
static fl_status add_counts(fl_jfr *jfr, fl_error *err)
{
    assert(jfr->chunk.class_count <= jfr->chunk.class_cap);
    const fl_jfr_chunk *chunk = &jfr->chunk;
    for (size_t i = 0; i < chunk->class_count; i++) {
        const fl_jfr_class *class = &chunk->classes[i];
        uint64_t *slot;
        fl_sym name;
        if (class->events == 0)
            continue;
        fl_status status = fl_intern_put(&name, jfr->names, class->name, err);
        if (status == FL_OK)
            status = fl_map_slot(&slot, jfr->count_of, name, NULL, err);
        if (status != FL_OK)
            return status;
        if (*slot == 0) {
            void *grown =
                fl_jfr_grow(jfr->counts, jfr->count_count, &jfr->count_cap, sizeof(*jfr->counts));
            if (grown == NULL)
                return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for counts of events");
            jfr->counts = grown;
            jfr->counts[jfr->count_count++] = (fl_jfr_count){.name = fl_jfr_name(jfr, name)};
            *slot = jfr->count_count;
        }
        jfr->counts[*slot - 1].events += class->events;
        jfr->counts[*slot - 1].bytes += class->bytes;
    }
    return FL_OK;
}

/* Chunks may overlap or leave gaps: the span is from the first start to the last end. */
static void note_span(fl_jfr *jfr)
{
    const fl_jfr_chunk *chunk = &jfr->chunk;
    fl_jfr_totals *totals = &jfr->totals;
    int64_t end = chunk->start_ns + chunk->duration_ns;
    if (totals->from_ns == 0 || chunk->start_ns < totals->from_ns)
        totals->from_ns = chunk->start_ns;
    if (end > totals->to_ns)
        totals->to_ns = end;
}

/* All of a chunk, whose bytes are there. What of it is damaged is said, not a failure. */
static fl_status read_chunk(fl_jfr *jfr, fl_jfr_visit *visit, void *payload, fl_error *err)
{
    fl_jfr_chunk *chunk = &jfr->chunk;
    fl_error own = {0};
    fl_arena_reset(&jfr->arena);
    jfr->totals.bytes += chunk->bytes.len;
    jfr->totals.unfinished_chunks += !chunk->is_finished;
    note_span(jfr);
    size_t metadata = find_metadata(chunk);
    if (metadata == 0) {
        warn(jfr, chunk->offset, "it does not describe its events, and cannot be read");
        return FL_OK;
    }
    fl_status status = fl_jfr_metadata_read(chunk, metadata, &jfr->arena, &own);
    if (status == FL_E_SYNTAX || status == FL_E_TRUNCATED) {
        warn(jfr, own.offset, own.message);
        return FL_OK;
    }
    if (status != FL_OK)
        return fl_fail(err, status, own.offset, "%s", own.message);
    if (!chunk->is_finished)
        warn(jfr, chunk->offset, "it was not finished; what is there is read");
    status = read_pools(jfr, err);
    if (status == FL_OK)
        status = plan_events(chunk, err);
    if (status == FL_OK)
        status = read_events(jfr, visit, payload, err);
    return status == FL_OK ? add_counts(jfr, err) : status;
}

/* The bytes of the next chunk; *more is false at the end. A size that the header does not tell, or
 * that is more than there is, is all that is left. */
static fl_status load_chunk(fl_jfr *jfr, fl_stream *in, uint64_t offset, bool *more, fl_error *err)
{
    fl_jfr_chunk *chunk = &jfr->chunk;
    size_t have = 0;
    *more = false;
    fl_status status = fill(jfr, in, &have, FL_JFR_HEADER_BYTES, err);
    if (status != FL_OK || (have == 0 && offset > 0))
        return status;
    if (have < FL_JFR_HEADER_BYTES)
        return have >= sizeof(magic) && memcmp(jfr->block.ptr, magic, sizeof(magic)) == 0
                   ? fl_fail(err, FL_E_TRUNCATED, offset + have,
                             "%.120s: it ends inside the header of a chunk", jfr->name)
                   : fl_fail(err, FL_E_UNSUPPORTED, offset, "%.120s: this is not a JFR recording",
                             jfr->name);
    status = check_header(jfr, jfr->block.ptr, offset, err);
    if (status != FL_OK)
        return status;
    take_header(jfr, jfr->block.ptr, offset);
    uint64_t size = fl_bytes_be64(jfr->block.ptr + 8);
    bool is_sized = chunk->is_finished && size >= FL_JFR_HEADER_BYTES && size <= LARGEST_SIZE;
    if (is_sized && size > FL_MAX_JFR_CHUNK_BYTES)
        return fl_fail(err, FL_E_LIMIT, offset,
                       "%.100s: a chunk has %llu bytes, more than %u: record with"
                       " -XX:FlightRecorderOptions=maxchunksize=64M",
                       jfr->name, (unsigned long long)size, FL_MAX_JFR_CHUNK_BYTES);
    uint64_t want = is_sized ? size : FL_MAX_JFR_CHUNK_BYTES + 1ull;
    status = fill(jfr, in, &have, want, err);
    if (status == FL_OK && have > FL_MAX_JFR_CHUNK_BYTES)
        return fl_fail(err, FL_E_LIMIT, offset, "%.100s: a chunk is larger than %u bytes",
                       jfr->name, FL_MAX_JFR_CHUNK_BYTES);
    chunk->is_finished &= is_sized && have == size;
    chunk->bytes = (fl_slice){.ptr = jfr->block.ptr, .len = have};
    *more = true;
    jfr->totals.chunks++;
    return status;
}

fl_status fl_jfr_read(fl_jfr *jfr, fl_stream *in, const char *name, fl_jfr_visit *visit,
                      void *payload, fl_error *err)
{
    uint64_t offset = 0, before = jfr->totals.chunks;
    fl_error own = {0};
    bool more = true;
    assert(in != NULL && name != NULL && visit != NULL);
    jfr->name = name;
    fl_status status = FL_OK;
    while (status == FL_OK && more) {
        status = load_chunk(jfr, in, offset, &more, &own);
        bool has_bytes = more && status != FL_E_NOMEM && status != FL_E_LIMIT;
        if (status != FL_OK && has_bytes)
            jfr->chunk.is_finished = false;
        fl_status read = has_bytes ? read_chunk(jfr, visit, payload, err) : FL_OK;
        if (read != FL_OK)
            return read;
        offset += has_bytes ? jfr->chunk.bytes.len : 0;
    }
    bool is_lost = status == FL_E_NOMEM || status == FL_E_LIMIT || jfr->totals.chunks == before;
    if (status != FL_OK && is_lost)
        return fl_fail(err, status, own.offset, "%s", own.message);
    if (status != FL_OK)
        warn(jfr, own.offset, own.message);
    return FL_OK;
}

/* ---- what was read ---- */

fl_jfr_totals fl_jfr_totals_of(const fl_jfr *jfr)
{
    assert(jfr != NULL);
    fl_jfr_totals out = jfr->totals;
    out.counts = jfr->counts;
    out.count_count = jfr->count_count;
    out.warnings = (const char *const *)jfr->warnings;
    return out;
}

fl_slice fl_jfr_name(const fl_jfr *jfr, uint32_t name)
{
    assert(jfr != NULL);
    return name != FL_JFR_NONE ? fl_intern_text(jfr->names, name) : FL_SLICE("");
}

size_t fl_jfr_name_count(const fl_jfr *jfr)
{
    return fl_intern_count(jfr->names);
}

uint32_t fl_jfr_frame_of(fl_jfr_frame *out, const fl_jfr *jfr, uint32_t stack)
{
    assert(stack < jfr->node_count);
    *out = jfr->frames[jfr->nodes[stack].frame];
    return jfr->nodes[stack].caller;
}

size_t fl_jfr_frame_count(const fl_jfr *jfr)
{
    return jfr->frame_count;
}
