/*
 * otlp_json_point.c - one data point of each kind out of JSON. Exemplars are passed over.
 *
 *   every kind := { "timeUnixNano": T, "startTimeUnixNano": T, "attributes": [...], "flags": N }
 *   number     := "asDouble": D | "asInt": N
 *   histogram  := "count": N, "sum": D, "min": D, "max": D, "bucketCounts": [N*],
 *                 "explicitBounds": [D*]
 *   exp        := "count", "sum", "min", "max", "scale": N, "zeroCount": N,
 *                 "positive": { "offset": N, "bucketCounts": [N*] }
 *   summary    := "count", "sum", "quantileValues": [ { "quantile": D, "value": D }* ]
 *
 * D may be "NaN", "Infinity" or "-Infinity" in quotes. sum, min and max are NaN where they are
 * absent. Negative buckets of an exponential histogram are passed over: durations and sizes have
 * none. A point with the flag "no recorded value" says that a series ended, and is not pushed.
 */
#include <assert.h>
#include <math.h>

#include "otlp_priv.h"

enum { FLAG_NO_RECORDED_VALUE = 1 };

/* What a point under construction knows beside the fl_point. */
typedef struct fl_otlp_point {
    fl_point point;
    bool has_value, is_absent;
} fl_otlp_point;

typedef bool read_member_fn(fl_otlp *otlp, fl_json *in, fl_slice key, fl_otlp_point *made);

/* The members that every kind has. */
static void read_common(fl_otlp *otlp, fl_json *in, fl_slice key, fl_otlp_point *made)
{
    if (FL_OTLP_IS(key, "timeUnixNano"))
        made->point.time_ns = fl_otlp_time(otlp, fl_json_u64(in));
    else if (FL_OTLP_IS(key, "startTimeUnixNano"))
        made->point.start_ns = fl_otlp_time(otlp, fl_json_u64(in));
    else if (FL_OTLP_IS(key, "attributes"))
        fl_otlp_json_attrs(otlp, in, &otlp->attrs);
    else if (FL_OTLP_IS(key, "flags"))
        made->is_absent = (fl_json_u64(in) & FLAG_NO_RECORDED_VALUE) != 0;
    else
        fl_json_skip(in);
}

/* One point of any kind: `read_member` takes what is its kind's own, read_common() the rest.
 * Inline, so that each kind gets a loop of its own without an indirect call. */
static inline void read_point(fl_otlp *otlp, fl_json *in, read_member_fn *read_member)
{
    fl_otlp_point made = {.point = otlp->point};
    fl_slice key;
    size_t at = in->pos;
    fl_otlp_begin(otlp);
    if (!fl_json_enter_object(in))
        return;
    made.point.sum = made.point.min = made.point.max = NAN;
    in->arena = &otlp->record_arena;
    while (fl_json_next_member(in, &key))
        if (!fl_json_null(in) && !read_member(otlp, in, key, &made))
            read_common(otlp, in, key, &made);
    in->arena = &otlp->outer_arena;
    if (fl_json_ok(in) && !made.is_absent)
        fl_otlp_push_point(otlp, &made.point, made.has_value, at);
}

/* An integer becomes a double: exact up to 2^53. */
static bool read_number_member(fl_otlp *otlp, fl_json *in, fl_slice key, fl_otlp_point *made)
{
    (void)otlp;
    if (FL_OTLP_IS(key, "asDouble"))
        made->point.value = fl_json_double(in);
    else if (FL_OTLP_IS(key, "asInt"))
        made->point.value = (double)fl_json_i64(in);
    else
        return false;
    made->has_value = true;
    return true;
}

void fl_otlp_json_number_point(fl_otlp *otlp, fl_json *in)
{
    read_point(otlp, in, read_number_member);
}

/* A repeated member replaces the one before it, as in proto3 JSON the last one wins. */
static void read_counts(fl_otlp *otlp, fl_json *in)
{
    otlp->bucket_count = 0;
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in))
        fl_otlp_count_add(otlp, fl_json_u64(in));
}

/* As read_counts(). */
static void read_bounds(fl_otlp *otlp, fl_json *in)
{
    otlp->bound_count = 0;
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in))
        fl_otlp_bound_add(otlp, fl_json_double(in));
}

/* count, sum, min and max: of both histograms, and the first two of a summary. */
static bool read_total(fl_json *in, fl_slice key, fl_point *point)
{
    if (FL_OTLP_IS(key, "count"))
        point->count = fl_json_u64(in);
    else if (FL_OTLP_IS(key, "sum"))
        point->sum = fl_json_double(in);
    else if (FL_OTLP_IS(key, "min"))
        point->min = fl_json_double(in);
    else if (FL_OTLP_IS(key, "max"))
        point->max = fl_json_double(in);
    else
        return false;
    return true;
}

/* False for a member that every kind has. */
static bool read_histogram_member(fl_otlp *otlp, fl_json *in, fl_slice key, fl_otlp_point *made)
{
    if (FL_OTLP_IS(key, "bucketCounts"))
        read_counts(otlp, in);
    else if (FL_OTLP_IS(key, "explicitBounds"))
        read_bounds(otlp, in);
    else
        return read_total(in, key, &made->point);
    return true;
}

void fl_otlp_json_histogram_point(fl_otlp *otlp, fl_json *in)
{
    read_point(otlp, in, read_histogram_member);
}

/* JSON numbers have no width: what protobuf could not have held is a complaint. */
static int32_t read_i32(fl_otlp *otlp, fl_json *in)
{
    int64_t value = fl_json_i64(in);
    if (value < INT32_MIN || value > INT32_MAX) {
        fl_otlp_complain(otlp, "scale or offset is not a 32-bit number");
        return 0;
    }
    return (int32_t)value;
}

static void read_positive(fl_otlp *otlp, fl_json *in, fl_point *point)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (FL_OTLP_IS(key, "offset"))
            point->offset = read_i32(otlp, in);
        else if (FL_OTLP_IS(key, "bucketCounts"))
            read_counts(otlp, in);
        else
            fl_json_skip(in);
}

/* As read_histogram_member(). */
static bool read_exp_member(fl_otlp *otlp, fl_json *in, fl_slice key, fl_otlp_point *made)
{
    if (FL_OTLP_IS(key, "positive"))
        read_positive(otlp, in, &made->point);
    else if (FL_OTLP_IS(key, "scale"))
        made->point.scale = read_i32(otlp, in);
    else if (FL_OTLP_IS(key, "zeroCount"))
        made->point.zero_count = fl_json_u64(in);
    else
        return read_total(in, key, &made->point);
    return true;
}

void fl_otlp_json_exp_point(fl_otlp *otlp, fl_json *in)
{
    read_point(otlp, in, read_exp_member);
}

/* Quantiles lie in the bounds' array and their values beside them. */
static void read_quantile(fl_otlp *otlp, fl_json *in)
{
    double quantile = 0, value = 0;
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (FL_OTLP_IS(key, "quantile"))
            quantile = fl_json_double(in);
        else if (FL_OTLP_IS(key, "value"))
            value = fl_json_double(in);
        else
            fl_json_skip(in);
    fl_otlp_bound_add(otlp, quantile);
    fl_otlp_value_add(otlp, value);
}

/* Count and sum, and quantiles in place of buckets. */
static bool read_summary_member(fl_otlp *otlp, fl_json *in, fl_slice key, fl_otlp_point *made)
{
    if (FL_OTLP_IS(key, "quantileValues")) {
        otlp->bound_count = otlp->value_count = 0;
        if (!fl_json_enter_array(in))
            return true;
        while (fl_json_next_element(in))
            read_quantile(otlp, in);
        return true;
    }
    return read_total(in, key, &made->point);
}

void fl_otlp_json_summary_point(fl_otlp *otlp, fl_json *in)
{
    read_point(otlp, in, read_summary_member);
}
