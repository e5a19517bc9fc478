/*
 * otlp_proto_metric.c - one metric out of protobuf, and from it its data points.
 *
 *   Metric    := 1 name, 3 unit, then one of 5 Gauge, 7 Sum, 9 Histogram,
 *                10 ExponentialHistogram and 11 Summary
 *
 *   each      := 1 data point*, 2 temporality varint, 3 is monotonic varint
 *
 *   number    := 2 start, 3 time, 4 double or 6 sfixed64, 7 attribute*, 8 flags
 *
 *   histogram := 2 start, 3 time, 4 count, 5 sum, 6 counts fixed64*, 7 bounds double*,
 *                9 attribute*, 10 flags, 11 min, 12 max
 *
 *   exp       := 1 attribute*, 2 start, 3 time, 4 count, 5 sum, 6 scale sint32, 7 zero count,
 *                8 positive buckets, 10 flags, 12 min, 13 max
 *
 *   buckets   := 1 offset sint32, 2 counts varint*
 *
 *   summary   := 2 start, 3 time, 4 count, 5 sum, 6 quantile*, 7 attribute*, 8 flags
 *
 *   quantile  := 1 quantile double, 2 value double
 *
 * Times and counts are fixed64, sums and extremes doubles, flags a varint. Repeated numbers come
 * packed (one bytes field) or one by one; both are read. What the kinds share stands under other
 * numbers in each: `datas` has a row of those for each kind, and read_field() serves them all.
 *
 * Name, unit and temporality may stand behind the points: bytes fields cost nothing to step over,
 * so a first pass takes the scalars and a second the points.
 */
#include <assert.h>
#include <math.h>

#include "otlp_priv.h"

enum { FLAG_NO_RECORDED_VALUE = 1 };

typedef struct fl_otlp_point {
    fl_point point;
    bool has_value, is_absent;
} fl_otlp_point;

/* Reads the fields that only its kind has; others are left to be skipped. */
typedef void read_own_fn(fl_otlp *otlp, fl_proto *in, fl_otlp_point *made);

/* A kind of metric: its field in Metric, and where its points keep what the kinds share. A field
 * number is never 0, so 0 stands for what the kind does not have. */
typedef struct fl_otlp_data {
    uint32_t field;
    fl_point_kind kind;
    uint32_t attribute, flags, count, sum, min, max;
    read_own_fn *read_own;
} fl_otlp_data;

enum { FIELD_START = 2, FIELD_TIME = 3 }; /* in every kind */

/* One field of a point, by the numbers of its kind. */
static void read_field(fl_otlp *otlp, fl_proto *in, const fl_otlp_data *data, fl_otlp_point *made)
{
    uint32_t field = in->field;
    if (field == FIELD_START)
        made->point.start_ns = fl_otlp_time(otlp, fl_proto_fixed64(in));
    else if (field == FIELD_TIME)
        made->point.time_ns = fl_otlp_time(otlp, fl_proto_fixed64(in));
    else if (field == data->attribute)
        fl_otlp_proto_attr(otlp, in, &otlp->attrs);
    else if (field == data->flags)
        made->is_absent = (fl_proto_u64(in) & FLAG_NO_RECORDED_VALUE) != 0;
    else if (field == data->count)
        made->point.count = fl_proto_fixed64(in);
    else if (field == data->sum)
        made->point.sum = fl_proto_double(in);
    else if (field == data->min)
        made->point.min = fl_proto_double(in);
    else if (field == data->max)
        made->point.max = fl_proto_double(in);
    else
        data->read_own(otlp, in, made);
}

/* An integer becomes a double: exact up to 2^53. */
static void read_number(fl_otlp *otlp, fl_proto *in, fl_otlp_point *made)
{
    (void)otlp;
    if (in->field == 4)
        made->point.value = fl_proto_double(in);
    else if (in->field == 6)
        made->point.value = (double)(int64_t)fl_proto_fixed64(in);
    else
        return;
    made->has_value = true;
}

/* A packed or a single fixed64. */
static void read_fixed_list(fl_otlp *otlp, fl_proto *in, void (*add)(fl_otlp *otlp, uint64_t bits))
{
    if (in->type == FL_PROTO_FIXED64) {
        add(otlp, fl_proto_fixed64(in));
        return;
    }
    fl_slice packed = fl_proto_bytes(in);
    if (packed.len % 8 != 0)
        fl_otlp_complain(otlp, "a list of 8-byte numbers ends inside one");
    for (size_t i = 0; i + 8 <= packed.len && otlp->complaint == NULL; i += 8) {
        uint64_t bits = 0;
        for (size_t k = 8; k > 0; k--)
            bits = bits << 8 | packed.ptr[i + k - 1];
        add(otlp, bits);
    }
}

/* fl_otlp_bound_add() for the bits of a double. */
static void add_bound(fl_otlp *otlp, uint64_t bits)
{
    double bound;
    memcpy(&bound, &bits, sizeof(bound));
    fl_otlp_bound_add(otlp, bound);
}

/* One count more than bounds; fl_otlp_push_point() checks that. */
static void read_histogram(fl_otlp *otlp, fl_proto *in, fl_otlp_point *made)
{
    (void)made;
    if (in->field == 6)
        read_fixed_list(otlp, in, fl_otlp_count_add);
    else if (in->field == 7)
        read_fixed_list(otlp, in, add_bound);
}

/* A packed or a single varint. */
static void read_varint_list(fl_otlp *otlp, fl_proto *in)
{
    if (in->type == FL_PROTO_VARINT) {
        fl_otlp_count_add(otlp, fl_proto_u64(in));
        return;
    }
    fl_slice packed = fl_proto_bytes(in);
    uint64_t value = 0;
    unsigned shift = 0;
    for (size_t i = 0; i < packed.len && otlp->complaint == NULL; i++) {
        value |= (uint64_t)(packed.ptr[i] & 0x7f) << shift;
        shift += 7;
        if ((packed.ptr[i] & 0x80) == 0) {
            fl_otlp_count_add(otlp, value);
            value = shift = 0;
        } else if (shift > 63) {
            fl_otlp_complain(otlp, "a number is longer than 10 bytes");
        }
    }
    if (shift > 0)
        fl_otlp_complain(otlp, "a list of numbers ends inside one");
}

/* Negative buckets are passed over: durations and sizes have none. */
static void read_positive(fl_otlp *otlp, fl_proto *in, fl_point *point)
{
    fl_proto buckets;
    fl_proto_enter(&buckets, in);
    while (fl_proto_next(&buckets))
        if (buckets.field == 1)
            point->offset = (int32_t)fl_proto_sint(&buckets);
        else if (buckets.field == 2)
            read_varint_list(otlp, &buckets);
    fl_proto_adopt(in, &buckets);
}

/* Scale and buckets: bounds are powers of 2^(2^-scale), and are not listed. */
static void read_exp(fl_otlp *otlp, fl_proto *in, fl_otlp_point *made)
{
    if (in->field == 6)
        made->point.scale = (int32_t)fl_proto_sint(in);
    else if (in->field == 7)
        made->point.zero_count = fl_proto_fixed64(in);
    else if (in->field == 8)
        read_positive(otlp, in, &made->point);
}

/* Quantiles lie in the bounds' array and their values beside them. */
static void read_quantile(fl_otlp *otlp, fl_proto *in)
{
    double quantile = 0, value = 0;
    fl_proto pair;
    fl_proto_enter(&pair, in);
    while (fl_proto_next(&pair))
        if (pair.field == 1)
            quantile = fl_proto_double(&pair);
        else if (pair.field == 2)
            value = fl_proto_double(&pair);
    fl_proto_adopt(in, &pair);
    fl_otlp_bound_add(otlp, quantile);
    fl_otlp_value_add(otlp, value);
}

/* Quantiles come one message each. */
static void read_summary(fl_otlp *otlp, fl_proto *in, fl_otlp_point *made)
{
    (void)made;
    if (in->field == 6)
        read_quantile(otlp, in);
}

static const fl_otlp_data datas[] = {
    {.field = 5, .kind = FL_POINT_GAUGE, .attribute = 7, .flags = 8, .read_own = read_number},
    {.field = 7, .kind = FL_POINT_SUM, .attribute = 7, .flags = 8, .read_own = read_number},
    {.field = 9,
     .kind = FL_POINT_HISTOGRAM,
     .attribute = 9,
     .flags = 10,
     .count = 4,
     .sum = 5,
     .min = 11,
     .max = 12,
     .read_own = read_histogram},
    {.field = 10,
     .kind = FL_POINT_EXP_HISTOGRAM,
     .attribute = 1,
     .flags = 10,
     .count = 4,
     .sum = 5,
     .min = 12,
     .max = 13,
     .read_own = read_exp},
    {.field = 11,
     .kind = FL_POINT_SUMMARY,
     .attribute = 7,
     .flags = 8,
     .count = 4,
     .sum = 5,
     .read_own = read_summary},
};

/* NULL for a field that is no kind of data. */
static const fl_otlp_data *data_of(uint32_t field)
{
    for (size_t i = 0; i < sizeof(datas) / sizeof(datas[0]); i++)
        if (field == datas[i].field)
            return &datas[i];
    return NULL;
}

/* --- a metric --- */

/* Sum and extremes are NaN where the point does not have them. */
static void read_point(fl_otlp *otlp, fl_proto *in, const fl_otlp_data *data)
{
    fl_otlp_point made = {.point = otlp->point};
    assert(otlp->point.kind == data->kind && otlp->point.metric.len > 0);
    fl_otlp_begin(otlp);
    made.point.sum = made.point.min = made.point.max = NAN;
    while (fl_proto_next(in))
        read_field(otlp, in, data, &made);
    if (fl_proto_ok(in) && !made.is_absent)
        fl_otlp_push_point(otlp, &made.point, made.has_value, in->base_offset);
}

/* Temporality and monotonicity, which only some kinds have. */
static void read_scalars(fl_otlp *otlp, fl_proto data)
{
    while (fl_proto_next(&data)) {
        if (data.field == 2 && data.type == FL_PROTO_VARINT) {
            uint64_t number = fl_proto_u64(&data);
            otlp->point.temporality =
                number <= FL_TEMPORALITY_CUMULATIVE ? (fl_temporality)number : FL_TEMPORALITY_NONE;
        } else if (data.field == 3 && data.type == FL_PROTO_VARINT) {
            otlp->point.monotonic = fl_proto_u64(&data) != 0;
        }
    }
}

/* `in` stands before the data's fields; a copy of it takes the scalars first. */
static void read_points(fl_otlp *otlp, fl_proto *in, const fl_otlp_data *data)
{
    fl_proto point;
    if (data->kind != FL_POINT_GAUGE && data->kind != FL_POINT_SUMMARY)
        read_scalars(otlp, *in);
    otlp->point.kind = data->kind;
    while (otlp->status == FL_OK && fl_proto_next(in)) {
        if (in->field != 1)
            continue;
        fl_proto_enter(&point, in);
        read_point(otlp, &point, data);
        if (!fl_proto_ok(&point))
            fl_otlp_proto_reject(otlp, &point, "data point");
    }
}

void fl_otlp_proto_metric(fl_otlp *otlp, fl_proto *in)
{
    const fl_otlp_data *data = NULL;
    fl_proto points;
    otlp->point = (fl_point){0};
    while (fl_proto_next(in)) {
        const fl_otlp_data *found = data_of(in->field);
        if (in->field == 1) {
            otlp->point.metric = fl_proto_text(in);
        } else if (in->field == 3) {
            otlp->point.unit = fl_proto_text(in);
        } else if (found != NULL) {
            fl_proto_enter(&points, in);
            data = found;
        }
    }
    if (!fl_proto_ok(in) || data == NULL)
        return;
    if (otlp->point.metric.len == 0) {
        fl_otlp_reject(otlp, in->base_offset, 1, "metric: no name");
        return;
    }
    read_points(otlp, &points, data);
    fl_proto_adopt(in, &points);
}
