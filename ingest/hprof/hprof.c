/*
 * hprof.c - the records of a dump, and the walk through its heap segments.
 *
 *   dump    "JAVA PROFILE 1.0.x" 0, u4 bytes of an id, u8 milliseconds since the epoch, record*
 *   record  u1 tag, u4 microseconds, u4 length, body; all numbers big-endian
 *
 * A segment of objects may not say how long it is: the writers of Java 8 put the length in when
 * they are done, so that a dump that was cut has 0 there; and a length above 4 GiB is kept modulo
 * that. Such a segment ends where no sub-record follows. The tags of records and of sub-records
 * overlap, so a segment that says 0 is taken for an empty one where a whole record follows it.
 */
#include "hprof.h"

#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "hprof_priv.h"
#include "mem.h"
#include "reader.h"
#include "slice.h"

enum {
    TAG_NAME = 0x01,
    TAG_LOADED = 0x02,
    TAG_FRAME = 0x04,
    TAG_TRACE = 0x05,
    TAG_HEAP = 0x0c,
    TAG_CPU_SAMPLES = 0x0d,
    TAG_CONTROL = 0x0e,
    TAG_SEGMENT = 0x1c,
    TAG_END = 0x2c
};

static const fl_slice MAGIC = FL_SLICE_INIT("JAVA PROFILE ");

bool fl_hprof_is(fl_slice bytes)
{
    return fl_slice_starts_with(bytes, MAGIC);
}

/* --- the head --- */

/* They differ in which tags they may use, which are all read. */
static bool is_version_known(const char *version)
{
    return strcmp(version, "1.0.1") == 0 || strcmp(version, "1.0.2") == 0 ||
           strcmp(version, "1.0.3") == 0;
}

/* The head is whole or there is nothing to read: this alone is refused. */
static fl_status read_head(fl_hprof *dump, fl_error *err)
{
    fl_reader in = fl_reader_over(dump->bytes);
    if (!fl_hprof_is(dump->bytes))
        return fl_fail(err, FL_E_SYNTAX, 0, "no heap dump: it does not begin with 'JAVA PROFILE'");
    fl_slice version = fl_slice_part(dump->bytes, MAGIC.len, dump->bytes.len);
    const unsigned char *zero = memchr(version.ptr, 0, version.len);
    if (zero == NULL || (size_t)(zero - version.ptr) >= sizeof(dump->version))
        return fl_fail(err, FL_E_SYNTAX, MAGIC.len, "the version of the heap dump has no end");
    memcpy(dump->version, version.ptr, (size_t)(zero - version.ptr));
    if (!is_version_known(dump->version))
        return fl_fail(err, FL_E_UNSUPPORTED, MAGIC.len,
                       "the heap dump's version is not one of 1.0.1, 1.0.2 and 1.0.3");
    in.pos = MAGIC.len + (size_t)(zero - version.ptr) + 1;
    uint64_t id_bytes = fl_read_be(&in, 4);
    uint64_t time_ms = fl_read_be(&in, 8);
    if (in.short_read)
        return fl_fail(err, FL_E_TRUNCATED, in.pos, "the heap dump ends inside its head");
    if (id_bytes != 4 && id_bytes != 8)
        return fl_fail(err, FL_E_SYNTAX, in.pos - 12, "ids of %llu bytes; 4 and 8 are known",
                       (unsigned long long)id_bytes);
    const uint64_t most_ms = INT64_MAX / 1000000;
    dump->whole =
        (fl_hprof_cursor){.dump = dump, .start = in.pos, .end = dump->bytes.len, .pos = in.pos};
    dump->facts = (fl_hprof_facts){
        .version = dump->version,
        .id_bytes = (unsigned)id_bytes,
        .time_ns = time_ms <= most_ms ? (int64_t)time_ms * 1000000 : 0,
        .bytes = dump->bytes.len,
    };
    return FL_OK;
}

/* --- records --- */

bool fl_hprof_is_record(unsigned tag)
{
    return (tag >= TAG_NAME && tag <= 0x07) || (tag >= 0x0a && tag <= TAG_CONTROL) ||
           tag == TAG_SEGMENT || tag == TAG_END;
}

bool fl_hprof_is_segment(unsigned tag)
{
    return tag == TAG_HEAP || tag == TAG_SEGMENT;
}

bool fl_hprof_is_item(unsigned tag)
{
    return tag == TAG_NAME || tag == TAG_LOADED || tag == TAG_FRAME || tag == TAG_TRACE;
}

bool fl_hprof_record_at(fl_hprof_record *out, const fl_hprof *dump, size_t pos)
{
    if (pos > dump->bytes.len || dump->bytes.len - pos < FL_HPROF_RECORD_HEAD)
        return false;
    *out = fl_hprof_record_of(dump->bytes.ptr + pos, pos);
    return true;
}

/* Whether the dump can go on at `pos` with a record. */
static bool is_record_plausible(const fl_hprof *dump, size_t pos)
{
    fl_hprof_record next;
    if (pos == dump->bytes.len)
        return true;
    return pos < dump->bytes.len && fl_hprof_record_at(&next, dump, pos) &&
           fl_hprof_is_record(next.tag) && next.length <= dump->bytes.len - next.body;
}

/* At the cursor; the first damage of a reading is told. */
static void damaged(fl_hprof_cursor *at, fl_status status, const char *what)
{
    (void)fl_fail(&at->damage, status, at->pos, "%s", what);
}

/* The whole record is kept, of which names and line are read when somebody asks. */
static bool read_frame(fl_heap_item *item, const fl_hprof *dump, fl_reader *in)
{
    item->kind = FL_HEAP_ITEM_FRAME;
    item->id = fl_read_be(in, dump->facts.id_bytes);
    item->class_id = fl_read_be(in, dump->facts.id_bytes);
    item->body = in->bytes;
    return !in->short_read;
}

/* A trace names its frames by id. */
static bool read_trace(fl_heap_item *item, const fl_hprof *dump, fl_reader *in)
{
    item->kind = FL_HEAP_ITEM_TRACE;
    item->serial = (uint32_t)fl_read_be(in, 4);
    item->thread = (uint32_t)fl_read_be(in, 4);
    item->count = (uint32_t)fl_read_be(in, 4);
    item->body = fl_read_bytes(in, (uint64_t)item->count * dump->facts.id_bytes);
    return !in->short_read;
}

/* One record that is an item. False: it is none, or too short to be. */
static bool read_record(fl_heap_item *item, const fl_hprof *dump, const fl_hprof_record *from)
{
    fl_reader in =
        fl_reader_over(fl_slice_part(dump->bytes, from->body, from->body + (size_t)from->length));
    unsigned width = dump->facts.id_bytes;
    item->offset = from->body - FL_HPROF_RECORD_HEAD;
    switch (from->tag) {
    case TAG_NAME:
        item->kind = FL_HEAP_ITEM_NAME;
        item->id = fl_read_be(&in, width);
        item->body = fl_slice_part(in.bytes, in.pos, in.bytes.len);
        return !in.short_read;
    case TAG_LOADED:
        item->kind = FL_HEAP_ITEM_LOADED;
        item->serial = (uint32_t)fl_read_be(&in, 4);
        item->id = fl_read_be(&in, width);
        (void)fl_read_be(&in, 4); /* a stack trace that HotSpot does not have */
        item->class_id = fl_read_be(&in, width);
        return !in.short_read;
    case TAG_FRAME:
        return read_frame(item, dump, &in);
    case TAG_TRACE:
        return read_trace(item, dump, &in);
    default:
        return false;
    }
}

/* A segment that reaches beyond the dump is read as far as that goes. */
static void enter_segment(fl_hprof_cursor *at, const fl_hprof_record *from)
{
    const fl_hprof *dump = at->dump;
    size_t rest = dump->bytes.len - from->body;
    at->pos = from->body;
    at->is_open_ended = from->length == 0 && !is_record_plausible(dump, from->body);
    at->is_unended = from->tag == TAG_SEGMENT || from->length > rest;
    if (at->is_open_ended || from->length > rest)
        at->segment_end = dump->bytes.len;
    else
        at->segment_end = from->body + (size_t)from->length;
}

/* A dump in segments says where it ends. One that was cut between two of its objects, as it is when
 * the program is killed while it is written, is known by that alone. */
static void end_reading(fl_hprof_cursor *at)
{
    if (at->is_unended && at->pos == at->dump->bytes.len)
        damaged(at, FL_E_TRUNCATED, "the heap dump was cut: what ends it is missing");
}

/* Step over the record at the cursor, or into it. True with an item in *item. */
static bool next_record(fl_hprof_cursor *at, fl_heap_item *item, bool *more)
{
    const fl_hprof *dump = at->dump;
    fl_hprof_record here;
    *more = at->pos < at->end;
    if (!*more) {
        end_reading(at);
        return false;
    }
    if (!fl_hprof_record_at(&here, dump, at->pos) || !fl_hprof_is_record(here.tag)) {
        bool is_short = dump->bytes.len - at->pos < FL_HPROF_RECORD_HEAD;
        damaged(at, is_short ? FL_E_TRUNCATED : FL_E_SYNTAX,
                is_short ? "the heap dump ends inside a record"
                         : "what follows is no record of a heap dump");
        *more = false;
        return false;
    }
    if (fl_hprof_is_segment(here.tag)) {
        enter_segment(at, &here);
        return false;
    }
    if (here.length > dump->bytes.len - here.body) {
        damaged(at, FL_E_TRUNCATED, "the heap dump ends inside a record");
        *more = false;
        return false;
    }
    at->pos = here.body + (size_t)here.length;
    at->is_unended = at->is_unended && here.tag != TAG_END;
    return read_record(item, dump, &here);
}

/* --- segments --- */

/* What stands at the cursor is not what a segment holds, or does not end in it. */
static bool leave_segment(fl_hprof_cursor *at, fl_hprof_step why)
{
    const fl_hprof *dump = at->dump;
    size_t end = at->segment_end;
    bool ends_here = end == dump->bytes.len;
    if (at->is_open_ended && is_record_plausible(dump, at->pos)) {
        at->segment_end = 0;
        return true;
    }
    if (!ends_here && why == FL_HPROF_SHORT && !is_record_plausible(dump, end)) {
        at->segment_end = dump->bytes.len; /* its length was above 4 GiB */
        at->is_open_ended = true;
        return true;
    }
    damaged(at, why == FL_HPROF_SHORT && ends_here ? FL_E_TRUNCATED : FL_E_SYNTAX,
            why == FL_HPROF_SHORT && ends_here ? "the heap dump ends inside an object"
            : why == FL_HPROF_SHORT            ? "an object is larger than its segment"
                                               : "what follows is no object of a heap dump");
    at->segment_end = 0;
    at->pos = end;
    return !ends_here;
}

/* Items straight through: segments and records follow one another without an item between them. */
size_t fl_hprof_read(void *payload, fl_heap_item *items, size_t cap)
{
    fl_hprof_cursor *at = payload;
    size_t count = 0;
    bool more = true;
    while (count < cap && more) {
        if (at->segment_end == 0) {
            count += next_record(at, &items[count], &more);
            continue;
        }
        if (at->pos == at->segment_end) {
            at->segment_end = 0;
            continue;
        }
        size_t next;
        fl_hprof_step step =
            fl_hprof_item_at(&items[count], at->dump, at->pos, at->segment_end, &next);
        if (step == FL_HPROF_ITEM || step == FL_HPROF_NOTHING) {
            assert(next > at->pos && next <= at->segment_end);
            at->pos = next;
            count += step == FL_HPROF_ITEM;
        } else
            more = leave_segment(at, step);
    }
    if (!more && at->dump->lets_go && at != &at->dump->whole)
        fl_hprof_release(at->dump, at->start, at->end);
    return count;
}

void fl_hprof_let_go(fl_hprof *dump)
{
    dump->lets_go = true;
}

/* Damage is of a reading: the next one meets it again. */
void fl_hprof_rewind(void *payload)
{
    fl_hprof_cursor *at = payload;
    at->pos = at->start;
    at->segment_end = 0;
    at->is_open_ended = at->is_unended = false;
    at->damage = (fl_error){0};
}

bool fl_hprof_at(void *payload, uint64_t offset, fl_heap_item *item)
{
    const fl_hprof *dump = ((const fl_hprof_cursor *)payload)->dump;
    size_t next;
    return offset < dump->bytes.len &&
           fl_hprof_item_at(item, dump, (size_t)offset, dump->bytes.len, &next) == FL_HPROF_ITEM;
}

/* The offset may be any: what stands there is a whole record of the right kind or nothing. */
static bool record_item_at(void *payload, uint64_t offset, fl_heap_item *item)
{
    const fl_hprof *dump = ((const fl_hprof_cursor *)payload)->dump;
    fl_hprof_record here;
    return offset < dump->bytes.len && fl_hprof_record_at(&here, dump, (size_t)offset) &&
           here.length <= dump->bytes.len - here.body && read_record(item, dump, &here);
}

/* --- open and close --- */

static fl_status open_dump(fl_hprof **out, fl_hprof *dump, fl_status status, fl_error *err)
{
    if (status == FL_OK)
        status = read_head(dump, err);
    if (status == FL_OK)
        *out = dump;
    else
        fl_hprof_close(dump);
    return status;
}

fl_status fl_hprof_open(fl_hprof **out, const char *path, const char *folder, fl_error *err)
{
    assert(path != NULL && folder != NULL);
    fl_hprof *dump = fl_mem_calloc(1, sizeof(*dump));
    *out = NULL;
    if (dump == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    return open_dump(out, dump, fl_hprof_map(dump, path, folder, err), err);
}

fl_status fl_hprof_over(fl_hprof **out, fl_slice bytes, fl_error *err)
{
    fl_hprof *dump = fl_mem_calloc(1, sizeof(*dump));
    *out = NULL;
    if (dump == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    dump->bytes = bytes;
    return open_dump(out, dump, FL_OK, err);
}

void fl_hprof_close(fl_hprof *dump)
{
    if (dump == NULL)
        return;
    fl_hprof_unmap(dump);
    fl_mem_free(dump);
}

fl_hprof_facts fl_hprof_facts_of(const fl_hprof *dump)
{
    return dump->facts;
}

/* A reading of the whole is the last one: what parts of it met is forgotten. */
static void rewind_whole(void *payload)
{
    fl_hprof_rewind(payload);
    ((fl_hprof_cursor *)payload)->dump->part_count = 0;
}

fl_heap_source fl_hprof_source(fl_hprof *dump)
{
    rewind_whole(&dump->whole);
    return (fl_heap_source){.read = fl_hprof_read,
                            .rewind = rewind_whole,
                            .at = fl_hprof_at,
                            .record_at = record_item_at,
                            .split = fl_hprof_split,
                            .skim = fl_hprof_skim,
                            .payload = &dump->whole,
                            .id_bytes = dump->facts.id_bytes};
}

/* Of parts, what comes first in the dump. */
const fl_error *fl_hprof_damage(const fl_hprof *dump)
{
    if (dump->unpacking.status != FL_OK)
        return &dump->unpacking;
    for (size_t i = 0; i < dump->part_count; i++)
        if (dump->parts[i].damage.status != FL_OK)
            return &dump->parts[i].damage;
    return dump->part_count == 0 && dump->whole.damage.status != FL_OK ? &dump->whole.damage : NULL;
}

void fl_hprof_recall_damage(fl_hprof *dump, const fl_error *damage)
{
    assert(dump->part_count == 0 && dump->whole.damage.status == FL_OK);
    dump->whole.damage = *damage;
}

fl_slice fl_hprof_bytes(const fl_hprof *dump)
{
    return dump->bytes;
}
