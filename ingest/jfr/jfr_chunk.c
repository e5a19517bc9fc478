/*
 * jfr_chunk.c - one chunk by itself: its header, where its description and its tables stand, and
 * its events, in the order in which they stand.
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
#include <assert.h>
#include <stdio.h>

#include "bytes.h"
#include "faultline/limits.h"
#include "jfr_priv.h"
#include "mem.h"

enum { FLAG_COMPRESSED = 1, TYPE_METADATA = 0, TYPE_CHECKPOINT = 1, MAX_CHECKPOINTS = 1 << 20 };

/* The year 2096. */
#define MAX_NS INT64_C(4000000000000000000)

fl_status fl_jfr_chunk_init(fl_jfr_chunk *chunk, fl_error *err)
{
    assert(chunk->dense == NULL && chunk->by_id == NULL);
    chunk->arena = fl_arena_of(FL_MAX_JFR_TEXT_BYTES);
    chunk->dense = fl_mem_calloc(FL_JFR_DENSE, sizeof(*chunk->dense));
    if (chunk->dense == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for types");
    fl_status status = fl_map_create(&chunk->by_id, FL_MAX_JFR_CONSTANTS, err);
    if (status != FL_OK) {
        fl_mem_free(chunk->dense);
        chunk->dense = NULL;
    }
    return status;
}

void fl_jfr_chunk_dispose(fl_jfr_chunk *chunk)
{
    assert(chunk->warnings.count <= FL_JFR_MAX_WARNINGS);
    fl_jfr_pools_dispose(chunk);
    fl_jfr_tally_dispose(&chunk->tally);
    fl_map_destroy(chunk->by_id);
    fl_mem_free(chunk->dense);
    fl_mem_free(chunk->classes);
    fl_mem_free(chunk->fields);
    fl_mem_free(chunk->ops);
    fl_mem_free(chunk->block.ptr);
    for (size_t i = 0; i < chunk->warnings.count; i++)
        fl_mem_free(chunk->warnings.items[i]);
    fl_arena_dispose(&chunk->arena);
}

void fl_jfr_warn(fl_jfr_warnings *to, const fl_jfr_chunk *chunk, uint64_t offset, const char *what)
{
    size_t room = strlen(chunk->name) + strlen(what) + 64;
    if (to->count == FL_JFR_MAX_WARNINGS)
        return;
    char *text = fl_mem_alloc(room);
    if (text == NULL)
        return;
    snprintf(text, room, "%s: chunk %llu, byte %llu: %s", chunk->name,
             (unsigned long long)chunk->number, (unsigned long long)offset, what);
    to->items[to->count++] = text;
}

/* Of this chunk. */
static void warn(fl_jfr_chunk *chunk, uint64_t offset, const char *what)
{
    fl_jfr_warn(&chunk->warnings, chunk, offset, what);
}

/* ---- header ---- */

int64_t fl_jfr_moment(int64_t ns)
{
    return ns < 0 ? 0 : ns > MAX_NS ? MAX_NS : ns;
}

/* Whether a header is of a version that is known. */
static fl_status check_header(const fl_jfr_chunk *chunk, const unsigned char *head, uint64_t offset,
                              fl_error *err)
{
    assert(chunk->name != NULL && head != NULL);
    unsigned major = (unsigned)head[4] << 8 | head[5], minor = (unsigned)head[6] << 8 | head[7];
    if (!fl_jfr_sniff((fl_slice){.ptr = head, .len = FL_JFR_HEADER_BYTES}))
        return fl_fail(err, FL_E_UNSUPPORTED, offset, "%.120s: this is not a JFR recording",
                       chunk->name);
    if (major < 1)
        return fl_fail(
            err, FL_E_UNSUPPORTED, offset,
            "%.100s: version %u.%u is that of Oracle's JDK 7 and 8, which JDK Mission Control"
            " reads; record with OpenJDK 8u262, JDK 11 or later",
            chunk->name, major, minor);
    if (major > 2)
        return fl_fail(err, FL_E_UNSUPPORTED, offset,
                       "%.100s: version %u.%u is newer than this program", chunk->name, major,
                       minor);
    return FL_OK;
}

fl_status fl_jfr_chunk_header(fl_jfr_chunk *chunk, const unsigned char *bytes, uint64_t offset,
                              fl_error *err)
{
    fl_status status = check_header(chunk, bytes, offset, err);
    if (status != FL_OK)
        return status;
    uint64_t frequency = fl_bytes_be64(bytes + 56);
    chunk->offset = offset;
    chunk->major = (unsigned)bytes[4] << 8 | bytes[5];
    chunk->minor = (unsigned)bytes[6] << 8 | bytes[7];
    chunk->is_finished = bytes[64] == 0;
    chunk->is_compressed = (bytes[67] & FLAG_COMPRESSED) != 0;
    chunk->pool_at = fl_bytes_be64(bytes + 16);
    chunk->metadata_at = fl_bytes_be64(bytes + 24);
    chunk->start_ns = fl_jfr_moment((int64_t)fl_bytes_be64(bytes + 32));
    chunk->duration_ns = fl_jfr_moment((int64_t)fl_bytes_be64(bytes + 40));
    chunk->start_ticks = (int64_t)fl_bytes_be64(bytes + 48);
    chunk->ns_per_tick = frequency > 0 ? 1e9 / (double)frequency : 1;
    return FL_OK;
}

int64_t fl_jfr_span_of(const fl_jfr_chunk *chunk, int64_t ticks)
{
    double ns = (double)ticks * chunk->ns_per_tick;
    return ns > (double)MAX_NS ? MAX_NS : ns < -(double)MAX_NS ? -MAX_NS : (int64_t)ns;
}

/* Unsigned on the way, since damaged ticks may be anything. */
int64_t fl_jfr_time_of(const fl_jfr_chunk *chunk, int64_t ticks)
{
    int64_t since =
        fl_jfr_span_of(chunk, (int64_t)((uint64_t)ticks - (uint64_t)chunk->start_ticks));
    return fl_jfr_moment(chunk->start_ns + since);
}

int64_t fl_jfr_number_of(const fl_jfr_chunk *chunk, const fl_jfr_row *row, const uint64_t *slots,
                         int slot)
{
    assert(row != NULL && slot >= 0 && slot < FL_JFR_SLOTS);
    int64_t value = (int64_t)slots[slot];
    if (row->ticks & 1u << slot)
        return fl_jfr_span_of(chunk, value);
    return row->moments & 1u << slot ? fl_jfr_time_of(chunk, value) : value;
}

/* ---- what it says of itself ---- */

bool fl_jfr_next_event(const fl_jfr_chunk *chunk, fl_reader *in, size_t *end, uint64_t *type,
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
        if (fl_jfr_next_event(chunk, &there, &end, &type, &broken) && type == TYPE_METADATA)
            return (size_t)chunk->metadata_at;
    }
    for (at = in.pos; fl_jfr_next_event(chunk, &in, &end, &type, &broken); at = in.pos = end)
        if (type == TYPE_METADATA)
            found = at;
    return found;
}

/* From the last checkpoint back to the first; none reaches into the one behind it, so that no byte
 * is read twice. *whole: the chain ended where it should. */
static fl_status read_chain(fl_jfr_chunk *chunk, bool *whole, fl_error *err)
{
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
static fl_status read_scattered(fl_jfr_chunk *chunk, fl_error *err)
{
    fl_reader in = {.bytes = chunk->bytes, .pos = FL_JFR_HEADER_BYTES};
    size_t end, at = in.pos;
    uint64_t type;
    bool broken = false;
    for (; fl_jfr_next_event(chunk, &in, &end, &type, &broken); at = in.pos = end) {
        int64_t delta;
        fl_error own = {0};
        if (type != TYPE_CHECKPOINT)
            continue;
        fl_status status = fl_jfr_checkpoint_read(chunk, at, end, &delta, &own);
        if (status == FL_E_NOMEM || status == FL_E_LIMIT)
            return fl_fail(err, status, own.offset, "%s", own.message);
        if (status != FL_OK)
            warn(chunk, own.offset, own.message);
    }
    return FL_OK;
}

/* By the chain where it is whole; it names exactly the checkpoints that the writer meant. */
static fl_status read_pools(fl_jfr_chunk *chunk, fl_error *err)
{
    bool whole = false;
    fl_status status = fl_jfr_pools_begin(chunk, err);
    if (status == FL_OK)
        status = read_chain(chunk, &whole, err);
    return status == FL_OK && !whole ? read_scattered(chunk, err) : status;
}

/* ---- events ---- */

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
        class->is_summed = class->row != NULL && chunk->sums && fl_jfr_is_summed(row->kind);
        if (class->is_summed)
            fl_jfr_short_make(class, chunk);
    }
    return status;
}

/* From the first event to the last; those that nobody asks for are counted and gone past. */
static fl_status read_events(fl_jfr_chunk *chunk, fl_error *err)
{
    assert(chunk->bytes.len >= FL_JFR_HEADER_BYTES && chunk->bytes.len <= UINT32_MAX);
    fl_reader in = {.bytes = chunk->bytes, .pos = FL_JFR_HEADER_BYTES};
    size_t end, at = in.pos;
    uint64_t type;
    bool broken = false;
    fl_status status = fl_jfr_tally_run(chunk, &in.pos, err);
    for (at = in.pos; status == FL_OK && fl_jfr_next_event(chunk, &in, &end, &type, &broken);
         at = in.pos) {
        fl_jfr_class *class = type > TYPE_CHECKPOINT ? fl_jfr_class_of(chunk, type) : NULL;
        if (class != NULL) {
            class->events++;
            class->bytes += end - at;
        }
        if (class != NULL && class->row != NULL)
            status = fl_jfr_tally_event(chunk, class, at, in.pos, end, err);
        in.pos = end;
        if (status == FL_OK)
            status = fl_jfr_tally_run(chunk, &in.pos, err);
    }
    if (broken && chunk->is_finished)
        warn(chunk, chunk->offset + at, "here is no event; the rest of the chunk is not read");
    return status;
}

fl_status fl_jfr_chunk_digest(fl_jfr_chunk *chunk, fl_error *err)
{
    fl_error own = {0};
    assert(chunk->bytes.len >= FL_JFR_HEADER_BYTES && chunk->warnings.count == 0);
    fl_arena_reset(&chunk->arena);
    fl_jfr_tally_clear(&chunk->tally);
    chunk->class_count = 0;
    chunk->looked = 0;
    chunk->is_readable = false;
    chunk->needs_end = !chunk->is_finished || chunk->duration_ns <= 0;
    size_t metadata = find_metadata(chunk);
    if (metadata == 0) {
        warn(chunk, chunk->offset, "it does not describe its events, and cannot be read");
        return FL_OK;
    }
    fl_status status = fl_jfr_metadata_read(chunk, metadata, &chunk->arena, &own);
    if (status == FL_E_SYNTAX || status == FL_E_TRUNCATED) {
        warn(chunk, own.offset, own.message);
        return FL_OK;
    }
    if (status != FL_OK)
        return fl_fail(err, status, own.offset, "%s", own.message);
    if (!chunk->is_finished)
        warn(chunk, chunk->offset, "it was not finished; what is there is read");
    chunk->is_readable = true;
    status = read_pools(chunk, err);
    if (status == FL_OK)
        status = plan_events(chunk, err);
    return status == FL_OK ? read_events(chunk, err) : status;
}
