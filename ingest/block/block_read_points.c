/*
 * block_read_points.c - rows to points: a group is a series, its rows are moments of it.
 *
 * block_write.c has the grammar of keys and the order of columns. Buckets are checked to fit their
 * bounds, and counts to be within faultline/limits.h.
 */
#include <string.h>

#include "block_told.h"
#include "bytes.h"
#include "faultline/limits.h"
#include "hash.h"

/* All that the points of a series share. */
static fl_status read_point_key(fl_point *out, uint32_t *resource, fl_told *in)
{
    fl_status status = fl_told_handle(resource, in);
    if (status != FL_OK)
        return status;
    out->metric = fl_block_text(&in->key);
    out->unit = fl_block_text(&in->key);
    out->kind = (fl_point_kind)fl_read_be(&in->key, 1);
    out->temporality = (fl_temporality)fl_read_be(&in->key, 1);
    out->monotonic = fl_read_be(&in->key, 1) != 0;
    out->part = (fl_point_part)fl_read_be(&in->key, 1);
    out->param = fl_double_of(fl_read_be(&in->key, 8));
    if (out->kind > FL_POINT_PART || out->temporality > FL_TEMPORALITY_CUMULATIVE ||
        out->part > FL_PART_QUANTILE)
        return fl_told_refuse(in, "a point of an unknown kind");
    return fl_told_attrs(&out->attrs, in, &in->key);
}

/* What stands behind the resource in the key of a group of points. */
fl_slice fl_told_series(fl_slice group_key)
{
    fl_reader key = fl_reader_over(group_key);
    (void)fl_read_be(&key, 1);
    (void)fl_column_count(&key);
    return fl_read_bytes(&key, key.bytes.len - key.pos);
}

/* The metric first, so that its series stand together, as far as they fit. */
uint64_t fl_told_place(fl_slice series)
{
    fl_reader key = fl_reader_over(series);
    uint64_t metric = fl_hash_stable(fl_block_text(&key));
    return (metric & ~UINT64_C(0xffffffff)) | fl_hash_stable(series) >> 32;
}

/* The key is sound: it was checked. */
static fl_status tell_raw(fl_told *in, uint32_t resource, const fl_rows_column *times,
                          const fl_rows_column *values)
{
    fl_status status = FL_OK;
    fl_slice series = fl_told_series(in->group->key);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        const fl_number number = {.start_ns = times[0].integers[row],
                                  .time_ns = times[1].integers[row],
                                  .value = values->reals[row]};
        status = in->numbers->number(in->numbers->payload, resource, series, &number, in->err);
    }
    return status;
}

/* A series: its points differ in three numbers. */
fl_status fl_told_numbers(fl_told *in)
{
    fl_point point = {0};
    uint32_t resource = 0;
    const fl_rows_column *times = NULL, *values = NULL;
    fl_status status = read_point_key(&point, &resource, in);
    if (status == FL_OK)
        status = fl_told_columns(&times, in, FL_COLUMN_I64, 2);
    if (status == FL_OK)
        status = fl_told_columns(&values, in, FL_COLUMN_F64, 1);
    if (status == FL_OK)
        status = fl_told_check_all(in);
    if (status == FL_OK && in->numbers != NULL)
        return tell_raw(in, resource, times, values);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        point.start_ns = times[0].integers[row];
        point.time_ns = times[1].integers[row];
        point.value = values->reals[row];
        status = in->sink->point(in->sink->payload, resource, &point, in->err);
    }
    return status;
}

/* Bounds and values stand as their eight bytes each. */
static fl_status read_doubles(double **out, size_t *count, fl_told *in, fl_slice packed)
{
    fl_status status = FL_OK;
    fl_reader from = fl_reader_over(packed);
    *count = packed.len / 8;
    if (packed.len % 8 != 0 || *count > FL_MAX_BUCKETS_PER_POINT)
        return fl_told_refuse(in, "a point has too many bounds");
    *out = fl_told_allot(in, *count, sizeof(**out), &status);
    for (size_t i = 0; status == FL_OK && i < *count; i++)
        (*out)[i] = fl_double_of(fl_read_be(&from, 8));
    return status;
}

/* A count takes a byte at least, which bounds them before they are read. */
static fl_status read_counts(fl_point *out, fl_told *in, fl_slice packed)
{
    fl_status status = FL_OK;
    fl_reader from = fl_reader_over(packed);
    uint64_t *counts = fl_told_allot(in, packed.len, sizeof(*counts), &status);
    size_t count = 0;
    if (packed.len > 10 * (size_t)FL_MAX_BUCKETS_PER_POINT)
        return fl_told_refuse(in, "a point has too many buckets");
    while (status == FL_OK && !fl_reader_done(&from) && !from.short_read)
        counts[count++] = fl_column_count(&from);
    if (status == FL_OK && from.short_read)
        return fl_told_refuse(in, "a point's buckets end too early");
    out->counts = counts;
    out->bucket_count = count;
    return status;
}

/* What a histogram or a summary must be for those who read it by its counts. */
static fl_status check_shape(fl_told *in, const fl_point *point, size_t value_count)
{
    size_t bounds = point->bound_count, buckets = point->bucket_count;
    if (point->kind == FL_POINT_HISTOGRAM && buckets != 0 && buckets != bounds + 1)
        return fl_told_refuse(in, "a histogram's buckets do not fit its bounds");
    if (point->kind == FL_POINT_SUMMARY && value_count != bounds)
        return fl_told_refuse(in, "a summary's values do not fit its quantiles");
    return FL_OK;
}

static fl_status tell_shape(fl_told *in, fl_point *point, uint32_t resource,
                            const fl_rows_column *columns, size_t row)
{
    double *bounds = NULL, *values = NULL;
    size_t value_count = 0;
    point->start_ns = columns[0].integers[row];
    point->time_ns = columns[1].integers[row];
    point->count = (uint64_t)columns[2].integers[row];
    point->scale = (int32_t)columns[3].integers[row];
    point->offset = (int32_t)columns[4].integers[row];
    point->zero_count = (uint64_t)columns[5].integers[row];
    point->sum = columns[6].reals[row];
    point->min = columns[7].reals[row];
    point->max = columns[8].reals[row];
    fl_status status = read_doubles(&bounds, &point->bound_count, in, columns[9].texts[row]);
    if (status == FL_OK)
        status = read_doubles(&values, &value_count, in, columns[10].texts[row]);
    if (status == FL_OK)
        status = read_counts(point, in, columns[11].texts[row]);
    point->bounds = bounds;
    point->values = values;
    if (status == FL_OK)
        status = check_shape(in, point, value_count);
    return status == FL_OK ? in->sink->point(in->sink->payload, resource, point, in->err) : status;
}

/* The columns follow one another: six of integers, three of doubles, three of texts. */
fl_status fl_told_shapes(fl_told *in)
{
    fl_point point = {0};
    uint32_t resource = 0;
    const fl_rows_column *columns = NULL, *ignored;
    fl_status status = read_point_key(&point, &resource, in);
    if (status == FL_OK)
        status = fl_told_columns(&columns, in, FL_COLUMN_I64, 6);
    if (status == FL_OK)
        status = fl_told_columns(&ignored, in, FL_COLUMN_F64, 3);
    if (status == FL_OK)
        status = fl_told_columns(&ignored, in, FL_COLUMN_TEXT, 3);
    if (status == FL_OK)
        status = fl_told_check_all(in);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        fl_told_begin_row(in);
        status = tell_shape(in, &point, resource, columns, row);
    }
    return status;
}
