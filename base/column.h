/*
 * column.h - columns of numbers, small: what neighbours have in common is written once.
 *
 * Made for telemetry: moments at a nearly fixed step, counters, gauges that are decimal fractions.
 * Bytes stay whole, so that a compressor behind it finds what is left (docs/formats/block.md).
 * Every value comes back bit by bit, NaN's payload and the sign of zero included.
 */
#ifndef FL_COLUMN_H
#define FL_COLUMN_H

#include "buf.h"
#include "reader.h"

/* LEB128. Read: 0 and a mark in `in` where it ends early or is above 64 bits. */
void fl_column_put_count(fl_buf *out, uint64_t value);
uint64_t fl_column_count(fl_reader *in);

/* Failures are `out`'s, which is sticky. */
void fl_column_put_i64(fl_buf *out, const int64_t *values, size_t count);
void fl_column_put_f64(fl_buf *out, const double *values, size_t count);

/* Exactly `count` values. FL_E_TRUNCATED, FL_E_SYNTAX at the byte in `in`. */
FL_NODISCARD fl_status fl_column_i64(int64_t *out, size_t count, fl_reader *in, fl_error *err);
FL_NODISCARD fl_status fl_column_f64(double *out, size_t count, fl_reader *in, fl_error *err);
/* Go past a column without what it says; the same failures. */
FL_NODISCARD fl_status fl_column_skip_i64(size_t count, fl_reader *in, fl_error *err);
FL_NODISCARD fl_status fl_column_skip_f64(size_t count, fl_reader *in, fl_error *err);

#endif
