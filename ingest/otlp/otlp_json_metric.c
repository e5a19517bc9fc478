/*
 * otlp_json_metric.c - one metric out of JSON, and from it its data points.
 *
 * A point needs the metric's name and unit, and its aggregation temporality, which producers write
 * before or behind the points. Where the points come first they are stepped over unread and read
 * when the metric's end is known.
 *
 *   metric := { "name": S, "unit": S, KIND: data }
 *   data   := { "dataPoints": [ point* ], "aggregationTemporality": N or name, "isMonotonic": B }
 *   KIND   := "gauge" | "sum" | "histogram" | "exponentialHistogram" | "summary"
 *
 * A metric may have no unit, and its end is the only place where that is known: its points
 * are then read on the second look. Description and metadata are passed over.
 */
#include <assert.h>

#include "otlp_priv.h"

typedef struct fl_otlp_data {
    fl_slice member;
    fl_point_kind kind;
    fl_otlp_json_fn *read_point;
} fl_otlp_data;

static const fl_otlp_data datas[] = {
    {FL_SLICE_INIT("gauge"), FL_POINT_GAUGE, fl_otlp_json_number_point},
    {FL_SLICE_INIT("sum"), FL_POINT_SUM, fl_otlp_json_number_point},
    {FL_SLICE_INIT("histogram"), FL_POINT_HISTOGRAM, fl_otlp_json_histogram_point},
    {FL_SLICE_INIT("exponentialHistogram"), FL_POINT_EXP_HISTOGRAM, fl_otlp_json_exp_point},
    {FL_SLICE_INIT("summary"), FL_POINT_SUMMARY, fl_otlp_json_summary_point},
};

/* NULL for a member that is no kind of data. */
static const fl_otlp_data *data_of(fl_slice key)
{
    for (size_t i = 0; i < sizeof(datas) / sizeof(datas[0]); i++)
        if (fl_slice_equal(key, datas[i].member))
            return &datas[i];
    return NULL;
}

static const fl_slice temporality_names[] = {
    FL_SLICE_INIT("UNSPECIFIED"),
    FL_SLICE_INIT("DELTA"),
    FL_SLICE_INIT("CUMULATIVE"),
};

/* By number or by name; an unknown one is "unspecified". */
static fl_temporality read_temporality(fl_json *in)
{
    return (fl_temporality)fl_otlp_json_enum(in, FL_SLICE("AGGREGATION_TEMPORALITY_"),
                                             temporality_names, 3);
}

/* How many of the members that a point depends on are still to come. */
static int pending_of(fl_point_kind kind)
{
    return kind == FL_POINT_SUM ? 2 : kind == FL_POINT_GAUGE || kind == FL_POINT_SUMMARY ? 0 : 1;
}

/* The points where all they depend on is known, else a note of where they stand. */
static void read_data(fl_otlp *otlp, fl_json *in, const fl_otlp_data *data)
{
    fl_slice key;
    fl_json later;
    bool has_later = false;
    int pending = pending_of(data->kind);
    otlp->point.kind = data->kind;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (fl_json_null(in))
            continue;
        if (FL_OTLP_IS(key, "aggregationTemporality")) {
            otlp->point.temporality = read_temporality(in);
            pending--;
        } else if (FL_OTLP_IS(key, "isMonotonic")) {
            otlp->point.monotonic = fl_json_bool(in);
            pending--;
        } else if (!FL_OTLP_IS(key, "dataPoints")) {
            fl_json_skip(in);
        } else if (pending <= 0) {
            fl_otlp_json_each(otlp, in, "data point", data->read_point);
        } else {
            fl_otlp_json_defer(otlp, in, &later);
            has_later = true;
        }
    }
    if (!has_later || !fl_json_ok(in))
        return;
    fl_otlp_json_each(otlp, &later, "data point", data->read_point);
    fl_otlp_json_adopt(otlp, in, &later);
}

/* True when name and unit are there; the metric's points may be read. */
static bool check_name(fl_otlp *otlp, fl_json *in, size_t at)
{
    if (otlp->point.metric.len > 0)
        return true;
    return fl_json_fail(in, at, "no name");
}

/* Without a name the whole metric is one reject, whatever number of points it has. */
static void read_metric_data(fl_otlp *otlp, fl_json *in, const fl_otlp_data *data, size_t at)
{
    if (check_name(otlp, in, at))
        read_data(otlp, in, data);
}

void fl_otlp_json_metric(fl_otlp *otlp, fl_json *in)
{
    fl_slice key;
    fl_json later;
    const fl_otlp_data *deferred = NULL;
    bool has_name = false, has_unit = false;
    size_t at = in->pos;
    fl_arena_reset(&otlp->outer_arena);
    otlp->point = (fl_point){0};
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (fl_json_null(in))
            continue;
        const fl_otlp_data *data = data_of(key);
        if (FL_OTLP_IS(key, "name")) {
            otlp->point.metric = fl_json_string(in);
            has_name = true;
        } else if (FL_OTLP_IS(key, "unit")) {
            otlp->point.unit = fl_json_string(in);
            has_unit = true;
        } else if (data == NULL) {
            fl_json_skip(in);
        } else if (has_name && has_unit) {
            read_metric_data(otlp, in, data, at);
        } else {
            fl_otlp_json_defer(otlp, in, &later);
            deferred = data;
        }
    }
    if (deferred == NULL || !fl_json_ok(in))
        return;
    read_metric_data(otlp, &later, deferred, at);
    fl_otlp_json_adopt(otlp, in, &later);
}
