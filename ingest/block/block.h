/*
 * block.h - an hour of records in few bytes: a sink that gathers them, and their way back.
 *
 * A block gives back the same records, in an order of its own: the timeline does not depend on it.
 * docs/formats/block.md has the bytes, why they are so, and what they cost.
 */
#ifndef FL_BLOCK_H
#define FL_BLOCK_H

#include "buf.h"
#include "faultline/record.h"

typedef struct fl_block_writer fl_block_writer;

/* Gathers at most `max_bytes` in memory: then its sink says FL_E_LIMIT, and the block has to be
 * finished. The caller owns *out. */
FL_NODISCARD fl_status fl_block_writer_create(fl_block_writer **out, size_t max_bytes,
                                              fl_error *err);
void fl_block_writer_destroy(fl_block_writer *writer); /* NULL is a no-op */
/* Borrowed. It copies what it keeps; rejects are counted and go no further. Its handles of
 * resources hold over all of the writer's blocks. */
const fl_sink *fl_block_writer_sink(fl_block_writer *writer);
/* A point of one number, of a series that is written already: text metric, text unit; kind,
 * temporality, monotonic, part as bytes; the 8 bits-as-bytes of param; attributes, all as
 * block_write.c says. Saves taking it apart and putting it together. `series` must be sound. */
typedef struct fl_number {
    int64_t start_ns, time_ns;
    double value;
} fl_number;
FL_NODISCARD fl_status fl_block_writer_number(fl_block_writer *writer, uint32_t resource,
                                              fl_slice series, const fl_number *number,
                                              fl_error *err);
size_t fl_block_writer_bytes(const fl_block_writer *writer);
uint64_t fl_block_writer_records(const fl_block_writer *writer);

/* Append the block to `out`; the writer is then empty. On failure it keeps what it has. */
FL_NODISCARD fl_status fl_block_finish(fl_buf *out, fl_block_writer *writer, fl_error *err);
/* Empty without a block; handles of resources hold. */
void fl_block_writer_clear(fl_block_writer *writer);

/* Push all of a block's records. FL_E_UNSUPPORTED: a later version. FL_E_SYNTAX, FL_E_TRUNCATED,
 * FL_E_LIMIT, FL_E_NOMEM, or what the sink returned. Damaged bytes are noticed before the first
 * record is pushed. */
FL_NODISCARD fl_status fl_block_read(fl_slice bytes, const fl_sink *sink, fl_error *err);

/* Who takes a point of one number without its series taken apart: for a block, most of the work. */
typedef struct fl_numbers {
    void *payload;
    fl_status (*number)(void *payload, uint32_t resource, fl_slice series, const fl_number *number,
                        fl_error *err);
} fl_numbers;

/* A share of a block's records. Every series has a place among all 64-bit numbers, the same in
 * every block and whatever its resource; series of one metric are neighbours. */
typedef struct fl_block_share {
    uint64_t first, last; /* places of points */
    bool has_points, has_others;
    uint64_t left_out; /* groups of points that were not in it: counted here */
} fl_block_share;

/* The same as fl_block_read(), of that share; points of one number go to `numbers`. */
FL_NODISCARD fl_status fl_block_read_share(fl_slice bytes, fl_block_share *share,
                                           const fl_sink *sink, const fl_numbers *numbers,
                                           fl_error *err);

#endif
