/*
 * batch_priv.h - the bytes of a batch, which the log, the head and the seal share.
 *
 *   batch    := version:u8 item*
 *   item     := kind:u8 fields
 *   resource := "R" text service, instance, node; attrs              numbered from 0 in their order
 *   span     := "S" of u64 trace hi, lo, id, parent, start; count duration; kind, error: u8;
 *               text name; attrs; count (u64 time, text name, attrs)^count
 *   log      := "L" of u64 time; severity:u8; text severity, body; u64 trace hi, lo, span; attrs
 *   number   := "N" of like moments; u64 value
 *   shape    := "H" of like moments; count count; u64 sum, min, max; count scale, offset
 *               (as unsigned), zero; bounds:count u64^bounds; values:count u64^values;
 *               buckets:count count^buckets
 *   change   := "C" u64 time; kind:u8; text service, key, before, after, source, url
 *   alert    := "A" u64 fingerprint, starts, ends; resolved:u8; text name, severity, summary, url,
 *               service, instance, node; attrs labels
 *
 *   of       := count, a resource's number
 *   like     := count first, last; text middle       series: the first bytes and the last bytes of
 * the series before, and what stands between them moments  := zigzag start, time differences to the
 * point before series   := text metric, unit; kind, temporality, monotonic, part: u8; u64 param;
 * attrs attrs    := count (text key, kind:u8, value)^count value    := nothing | u64 (int, bool,
 * bits of a double) | text text     := count bytes
 *
 * The series before the first one is empty, its moments are 0; so is a series above
 * BATCH_SHARED_BYTES for the one after it. `series` is as in a block (ingest/block/block_write.c),
 * where it becomes a group's key as it is.
 *
 * Counts are LEB128 and u64 is big-endian. The same records in the same order have the same bytes,
 * by which a repeated batch is known.
 */
#ifndef FL_BATCH_PRIV_H
#define FL_BATCH_PRIV_H

#include "archive.h"
#include "block.h"
#include "reader.h"

/* Labels of a series are mostly those of the one before. Longer ones are rare, and a few bytes must
 * not stand for many. */
enum { BATCH_VERSION = 1, BATCH_SHARED_BYTES = 4096 };

typedef enum batch_item {
    BATCH_RESOURCE = 'R',
    BATCH_SPAN = 'S',
    BATCH_LOG = 'L',
    BATCH_NUMBER = 'N',
    BATCH_SHAPE = 'H',
    BATCH_CHANGE = 'C',
    BATCH_ALERT = 'A'
} batch_item;

/* What is known of a batch without its records. */
typedef struct fl_batch_facts {
    uint64_t counts[FL_ARCHIVE_KIND_COUNT];
    int64_t min_ns, max_ns; /* of the records' times; min above max: there are none */
} fl_batch_facts;

void fl_batch_facts_clear(fl_batch_facts *facts);
void fl_batch_facts_note(fl_batch_facts *facts, fl_archive_kind kind, int64_t time_ns);
void fl_batch_facts_add(fl_batch_facts *to, const fl_batch_facts *from);
uint64_t fl_batch_facts_records(const fl_batch_facts *facts);

/* The time by which a record is found. */
int64_t fl_batch_alert_time(const fl_alert_record *alert);

/* Borrowed: the bytes, and what is known of them. Bytes are never empty. */
fl_slice fl_batch_bytes(const fl_archive_batch *batch);
const fl_batch_facts *fl_batch_facts_of(const fl_archive_batch *batch);

/* Memory for reading batches, one record at a time; one thread. */
typedef struct fl_batch_reader fl_batch_reader;
FL_NODISCARD fl_status fl_batch_reader_create(fl_batch_reader **out, fl_error *err);
void fl_batch_reader_destroy(fl_batch_reader *reader); /* NULL is a no-op */
/* FL_E_SYNTAX, FL_E_TRUNCATED at the byte; FL_E_UNSUPPORTED: a later version; FL_E_NOMEM; what the
 * sink returned. Records before the failure were told. */
FL_NODISCARD fl_status fl_batch_read(fl_batch_reader *reader, fl_slice bytes, const fl_sink *sink,
                                     fl_error *err);

/* The same, but such points go to `numbers`. Their series are not looked into: bytes that were read
 * by fl_batch_read() or come from a batch are sound. */
FL_NODISCARD fl_status fl_batch_read_raw(fl_batch_reader *reader, fl_slice bytes,
                                         const fl_sink *sink, const fl_numbers *numbers,
                                         fl_error *err);

/* The same as fl_batch_read(), without numbers that tell of no requests, which are counted. Their
 * series are not looked into, as above. */
FL_NODISCARD fl_status fl_batch_read_requests(uint64_t *passed, fl_batch_reader *reader,
                                              fl_slice bytes, const fl_sink *sink, fl_error *err);

/* A sink that only notes facts. */
fl_sink fl_batch_facts_sink(fl_batch_facts *facts);

/* A sink that passes what lies in [from_ns, to_ns). */
typedef struct fl_batch_window {
    const fl_sink *to;
    int64_t from_ns, to_ns;
    bool has_failed; /* `to` has refused something */
} fl_batch_window;
fl_sink fl_batch_window_sink(fl_batch_window *window);

#endif
