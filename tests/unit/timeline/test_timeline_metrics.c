#include "faultline/limits.h"
#include "timeline_made.h"

static made_timeline made;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    made = (made_timeline){0};
    ck_assert_ok(made_begin(&made, &err));
}

static void teardown(void)
{
    made_dispose(&made);
}

static void begin_again(void)
{
    teardown();
    setup();
}

static void push(fl_point point)
{
    made_record record = {
        .kind = MADE_POINT, .service = "cart", .instance = "cart-0", .point = point};
    ck_assert_ok(made_push(&made, &record, &err));
}

static void push_gauge(const char *name, double after_s, double value)
{
    push((fl_point){.metric = SLICE(name),
                    .unit = SLICE("%"),
                    .kind = FL_POINT_GAUGE,
                    .time_ns = MADE_AT + (int64_t)(after_s * 1e9),
                    .value = value});
}

static void push_sum(fl_temporality temporality, bool monotonic, double after_s, double value)
{
    push((fl_point){.metric = SLICE("requests"),
                    .unit = SLICE("{request}"),
                    .kind = FL_POINT_SUM,
                    .temporality = temporality,
                    .monotonic = monotonic,
                    .time_ns = MADE_AT + (int64_t)(after_s * 1e9),
                    .value = value});
}

static void push_total(double after_s, double value)
{
    push_sum(FL_TEMPORALITY_CUMULATIVE, true, after_s, value);
}

static void finish(void)
{
    ck_assert_ok(made_finish(&made, &err));
}

static const fl_metric_series *metric(const char *name, const char *statistic)
{
    const fl_metric_series *found = made_metric(&made, name, statistic);
    ck_assert_msg(found != NULL, "no series %s %s", name, made_text(statistic));
    return found;
}

/* The value in the window that begins `minute` minutes after the incident; NaN where there is none.
 */
static double value_in(const fl_metric_series *series, int64_t minute)
{
    for (size_t w = 0; w < made.timeline->window_count; w++)
        if (made.timeline->windows[w].from_ns == MADE_AT + minute * MADE_MINUTE)
            return series->values[w];
    return NAN;
}

#define ck_assert_near(actual, expected)                                                           \
    ck_assert_double_eq_tol(actual, expected, 1e-9 * (1 + fabs(1.0 * (expected))))

/* ---- levels ---- */

START_TEST(a_gauge_is_the_mean_of_its_window)
{
    push_gauge("cpu", 0, 1);
    push_gauge("cpu", 15, 2);
    push_gauge("cpu", 59.5, 6);
    push_gauge("cpu", 60, 10);
    push_gauge("cpu", 200, 7);
    push_gauge("mem", 130, 5); /* a window in which cpu was not measured */
    finish();
    const fl_metric_series *cpu = metric("cpu", NULL);
    ck_assert_near(value_in(cpu, 0), 3);
    ck_assert_near(value_in(cpu, 1), 10);
    ck_assert(isnan(value_in(cpu, 2)));
    ck_assert_near(value_in(cpu, 3), 7);
    ck_assert_uint_eq(made.timeline->point_records, 6);
    ck_assert(made.timeline->windows[0].has_metrics);
}
END_TEST

START_TEST(a_series_carries_its_name_labels_unit_and_role)
{
    static const fl_attr attrs[] = {
        {FL_SLICE_INIT("z"), {.kind = FL_VALUE_STRING, .text = FL_SLICE_INIT("last")}},
        {FL_SLICE_INIT("on"), {.kind = FL_VALUE_BOOL, .number = 1}},
        {FL_SLICE_INIT("core"), {.kind = FL_VALUE_INT, .number = -3}},
        {FL_SLICE_INIT("share"), {.kind = FL_VALUE_DOUBLE, .real = 0.5}}};
    push((fl_point){.metric = SLICE("cpu.usage"),
                    .unit = SLICE("%"),
                    .time_ns = MADE_AT,
                    .value = 1,
                    .attrs = {.items = attrs, .count = 4}});
    finish();
    const fl_metric_series *cpu = metric("cpu.usage", NULL);
    ck_assert_str_eq(cpu->attributes, "core=-3,on=true,share=0.5,z=last");
    ck_assert_str_eq(cpu->unit, "%");
    ck_assert_int_eq(cpu->role, FL_ROLE_CPU);
    ck_assert_int_eq(cpu->scale, FL_SCALE_SHARE);
    ck_assert_double_eq(cpu->share_of, 100);
    ck_assert_str_eq(made.timeline->entities[cpu->entity].instance, "cart-0");
}
END_TEST

START_TEST(labels_in_another_order_are_the_same_series)
{
    fl_attr attrs[] = {{SLICE("a"), {.kind = FL_VALUE_STRING, .text = SLICE("1")}},
                       {SLICE("b"), {.kind = FL_VALUE_STRING, .text = SLICE("2")}}};
    fl_attr turned[] = {attrs[1], attrs[0]};
    push((fl_point){.metric = SLICE("cpu"), .time_ns = MADE_AT, .value = 1, .attrs = {attrs, 2}});
    push((fl_point){
        .metric = SLICE("cpu"), .time_ns = MADE_AT + 1, .value = 3, .attrs = {turned, 2}});
    finish();
    ck_assert_uint_eq(made.timeline->metric_series_count, 1);
    ck_assert_near(value_in(metric("cpu", NULL), 0), 2);
}
END_TEST

START_TEST(label_sets_that_differ_beyond_the_longest_name_stay_apart)
{
    static char value[2][3000];
    for (size_t i = 0; i < 2; i++) {
        memset(value[i], 'v', sizeof(value[i]) - 1);
        value[i][2500] = (char)('0' + i);
        fl_attr attr = {SLICE("url"), {.kind = FL_VALUE_STRING, .text = SLICE(value[i])}};
        push((fl_point){
            .metric = SLICE("cpu"), .time_ns = MADE_AT, .value = 1, .attrs = {&attr, 1}});
    }
    finish();
    ck_assert_uint_eq(made.timeline->metric_series_count, 2);
    ck_assert_uint_eq(strlen(made.timeline->metrics[0].attributes), FL_MAX_NAME_LEN);
}
END_TEST

START_TEST(duplicates_and_late_samples_change_nothing)
{
    for (int round = 0; round < 3; round++) {
        push_gauge("cpu", 30, 5);
        push_gauge("cpu", 10, 3);
    }
    finish();
    ck_assert_near(value_in(metric("cpu", NULL), 0), 4);
    ck_assert_uint_eq(made.timeline->point_records, 2);
}
END_TEST

START_TEST(of_two_values_at_one_moment_the_larger_counts)
{
    for (int order = 0; order < 2; order++) {
        begin_again();
        push_gauge("cpu", 10, order == 0 ? 3 : 4);
        push_gauge("cpu", 10, order == 0 ? 4 : 3);
        finish();
        ck_assert_near(value_in(metric("cpu", NULL), 0), 4);
    }
}
END_TEST

START_TEST(values_that_are_not_finite_are_left_out)
{
    push_gauge("cpu", 1, NAN);
    push_gauge("cpu", 2, INFINITY);
    push_gauge("cpu", 3, -INFINITY);
    push_gauge("cpu", 4, 2);
    finish();
    ck_assert_near(value_in(metric("cpu", NULL), 0), 2);
}
END_TEST

START_TEST(an_up_down_counter_is_a_level)
{
    push_sum(FL_TEMPORALITY_CUMULATIVE, false, 0, 7);
    push_sum(FL_TEMPORALITY_CUMULATIVE, false, 30, 5);
    finish();
    ck_assert_near(value_in(metric("requests", NULL), 0), 6);
}
END_TEST

START_TEST(a_sum_without_temporality_goes_by_whether_it_is_monotonic)
{
    push_sum(FL_TEMPORALITY_NONE, false, 0, 7);
    finish();
    ck_assert_near(value_in(metric("requests", NULL), 0), 7);
    begin_again();
    push_sum(FL_TEMPORALITY_NONE, true, 0, 7);
    push_sum(FL_TEMPORALITY_NONE, true, 10, 27);
    finish();
    ck_assert_near(value_in(metric("requests", "rate"), 0), 2);
}
END_TEST

/* ---- counters ---- */

START_TEST(a_counter_is_a_rate_over_the_time_between_its_samples)
{
    push_total(-60, 100); /* the first one has none before it */
    push_total(0, 160);   /* 60 in 60 s, seen at the incident */
    push_total(30, 190);
    push_total(50, 240); /* 80 in 50 s more */
    push_total(90, 240);
    finish();
    const fl_metric_series *rate = metric("requests", "rate");
    ck_assert(isnan(value_in(rate, -1)));
    ck_assert_near(value_in(rate, 0), 140.0 / 110);
    ck_assert_near(value_in(rate, 1), 0);
    ck_assert_str_eq(rate->unit, "{request}");
}
END_TEST

START_TEST(a_counters_fall_is_a_restart)
{
    push_total(0, 1000);
    push_total(10, 1010);
    push_total(20, 5); /* restarted: 5 since then */
    push_total(30, 25);
    finish();
    ck_assert_near(value_in(metric("requests", "rate"), 0), (10.0 + 5 + 20) / 30);
}
END_TEST

START_TEST(samples_more_than_five_minutes_apart_are_no_neighbours)
{
    push_total(-299, 100);
    push_total(1, 400); /* 300 s: still neighbours */
    push_total(301.5, 9400);
    finish();
    const fl_metric_series *rate = metric("requests", "rate");
    ck_assert_near(value_in(rate, 0), 1);
    ck_assert(isnan(value_in(rate, 5)));
}
END_TEST

START_TEST(a_counters_order_of_arrival_does_not_count)
{
    push_total(20, 30);
    push_total(0, 10);
    push_total(10, 20);
    push_total(0, 10);
    finish();
    ck_assert_near(value_in(metric("requests", "rate"), 0), 1);
}
END_TEST

START_TEST(changes_add_up_to_a_rate_over_the_window)
{
    for (int round = 0; round < 2; round++) { /* sent twice */
        push_sum(FL_TEMPORALITY_DELTA, true, 10, 30);
        push_sum(FL_TEMPORALITY_DELTA, true, 20, 90);
        push_sum(FL_TEMPORALITY_DELTA, true, 70, 6);
    }
    finish();
    ck_assert_near(value_in(metric("requests", "rate"), 0), 2);
    ck_assert_near(value_in(metric("requests", "rate"), 1), 0.1);
}
END_TEST

START_TEST(a_single_total_has_no_rate)
{
    push_total(10, 30);
    finish();
    ck_assert(isnan(value_in(metric("requests", "rate"), 0)));
}
END_TEST

/* ---- histograms ---- */

static fl_point histogram(fl_temporality temporality, double after_s, const uint64_t *counts,
                          size_t count, double sum)
{
    static const double bounds[] = {0.1, 0.5, 2.5};
    fl_point point = {.metric = SLICE("duration"),
                      .unit = SLICE("s"),
                      .kind = FL_POINT_HISTOGRAM,
                      .temporality = temporality,
                      .time_ns = MADE_AT + (int64_t)(after_s * 1e9),
                      .sum = sum,
                      .min = NAN,
                      .max = NAN,
                      .counts = counts,
                      .bucket_count = count,
                      .bounds = bounds,
                      .bound_count = count > 0 ? count - 1 : 0};
    for (size_t i = 0; i < count; i++)
        point.count += counts[i];
    return point;
}

START_TEST(a_histogram_is_its_rate_its_mean_and_its_99th_percentile)
{
    push(histogram(FL_TEMPORALITY_DELTA, 10, (uint64_t[]){50, 40, 10, 0}, 4, 25));
    finish();
    const fl_metric_series *rate = metric("duration", "rate");
    ck_assert_near(value_in(rate, 0), 100.0 / 60);
    ck_assert_str_eq(rate->unit, "1/s");
    ck_assert_int_eq(rate->role, FL_ROLE_TRAFFIC);
    ck_assert_near(value_in(metric("duration", "mean"), 0), 0.25);
    ck_assert_int_eq(metric("duration", "mean")->role, FL_ROLE_LATENCY);
    ck_assert_str_eq(metric("duration", "mean")->unit, "s");
    /* 90 lie below 0.5; the 99th of 100 is the 9th of the 10 between 0.5 and 2.5 */
    ck_assert_near(value_in(metric("duration", "p99"), 0), 0.5 + 2.0 * 9 / 10);
}
END_TEST

START_TEST(a_percentile_is_held_by_the_ends_of_its_buckets)
{
    static const struct {
        uint64_t counts[4];
        double p99;
    } cases[] = {
        {{100, 0, 0, 0}, 0.099}, /* the first bucket begins at 0 */
        {{0, 0, 0, 100}, 2.5},   /* the last one has no upper bound */
        {{0, 100, 0, 0}, 0.1 + 0.4 * 0.99},
        {{99, 0, 0, 1}, 0.1}, /* exactly 99 of 100 are in the first */
        {{98, 0, 2, 0}, 0.5 + 2.0 / 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin_again();
        push(histogram(FL_TEMPORALITY_DELTA, 10, cases[i].counts, 4, 1));
        finish();
        ck_assert_near(value_in(metric("duration", "p99"), 0), cases[i].p99);
    }
}
END_TEST

START_TEST(a_cumulative_histogram_counts_what_came_between_its_samples)
{
    push(histogram(FL_TEMPORALITY_CUMULATIVE, -30, (uint64_t[]){1000, 0, 0, 0}, 4, 50));
    push(histogram(FL_TEMPORALITY_CUMULATIVE, 30, (uint64_t[]){1050, 40, 10, 0}, 4, 75));
    push(histogram(FL_TEMPORALITY_CUMULATIVE, 90, (uint64_t[]){10, 0, 0, 0}, 4, 1)); /* restarted */
    finish();
    ck_assert_near(value_in(metric("duration", "rate"), 0), 100.0 / 60);
    ck_assert_near(value_in(metric("duration", "mean"), 0), 0.25);
    ck_assert_near(value_in(metric("duration", "p99"), 0), 0.5 + 2.0 * 9 / 10);
    ck_assert_near(value_in(metric("duration", "rate"), 1), 10.0 / 60);
    ck_assert_near(value_in(metric("duration", "p99"), 1), 0.099);
}
END_TEST

/* As Prometheus sends them: counts of all up to a bound, each number a series. */
static void push_parts(double after_s, const double *below, double count, double sum)
{
    static const double bounds[] = {0.1, 0.5, 2.5, INFINITY};
    fl_point point = {.metric = SLICE("duration"),
                      .unit = SLICE("s"),
                      .kind = FL_POINT_PART,
                      .time_ns = MADE_AT + (int64_t)(after_s * 1e9)};
    for (size_t i = 4; i-- > 0;) {
        point.part = FL_PART_BELOW;
        point.param = bounds[i];
        point.value = below[i];
        push(point);
    }
    point.param = 7; /* without meaning for the others */
    point.part = FL_PART_SUM;
    point.value = sum;
    push(point);
    point.part = FL_PART_COUNT;
    point.value = count;
    push(point);
}

START_TEST(a_histogram_may_come_number_by_number)
{
    push_parts(-30, (double[]){1000, 1000, 1000, 1000}, 1000, 50);
    push_parts(30, (double[]){1050, 1090, 1100, 1100}, 1100, 75);
    push_parts(90, (double[]){10, 10, 10, 10}, 10, 1); /* restarted */
    finish();
    ck_assert_near(value_in(metric("duration", "rate"), 0), 100.0 / 60);
    ck_assert_int_eq(metric("duration", "rate")->role, FL_ROLE_TRAFFIC);
    ck_assert_near(value_in(metric("duration", "mean"), 0), 0.25);
    ck_assert_near(value_in(metric("duration", "p99"), 0), 0.5 + 2.0 * 9 / 10);
    ck_assert_near(value_in(metric("duration", "rate"), 1), 10.0 / 60);
    ck_assert_near(value_in(metric("duration", "p99"), 1), 0.099);
}
END_TEST

START_TEST(buckets_of_another_moment_never_count_below_nothing)
{
    push_parts(-30, (double[]){0, 0, 0, 0}, 0, 0);
    push_parts(30, (double[]){60, 50, 40, 40}, 40, 4); /* torn: a bound has more than the next */
    finish();
    ck_assert_near(value_in(metric("duration", "p99"), 0), 0.099);
}
END_TEST

START_TEST(a_quantile_may_come_alone)
{
    fl_point point = {.metric = SLICE("duration"),
                      .kind = FL_POINT_PART,
                      .part = FL_PART_QUANTILE,
                      .param = 0.5,
                      .value = 3,
                      .time_ns = MADE_AT};
    push(point);
    finish();
    ck_assert_near(value_in(metric("duration", "p50"), 0), 3);
}
END_TEST

START_TEST(a_quiet_window_has_a_rate_but_neither_mean_nor_percentile)
{
    push(histogram(FL_TEMPORALITY_CUMULATIVE, -30, (uint64_t[]){5, 0, 0, 0}, 4, 1));
    push(histogram(FL_TEMPORALITY_CUMULATIVE, 30, (uint64_t[]){5, 0, 0, 0}, 4, 1));
    finish();
    ck_assert_near(value_in(metric("duration", "rate"), 0), 0);
    ck_assert(isnan(value_in(metric("duration", "mean"), 0)));
    ck_assert(isnan(value_in(metric("duration", "p99"), 0)));
}
END_TEST

START_TEST(a_histogram_without_bounds_has_no_percentile)
{
    push(histogram(FL_TEMPORALITY_DELTA, 10, (uint64_t[]){50}, 1, 25));
    push(histogram(FL_TEMPORALITY_DELTA, 70, NULL, 0, 0));
    finish();
    ck_assert_near(value_in(metric("duration", "rate"), 0), 50.0 / 60);
    ck_assert_near(value_in(metric("duration", "mean"), 0), 0.5);
    ck_assert_ptr_null(made_metric(&made, "duration", "p99"));
}
END_TEST

START_TEST(a_histogram_without_a_sum_has_no_mean)
{
    push(histogram(FL_TEMPORALITY_DELTA, 10, (uint64_t[]){50, 0, 0, 0}, 4, NAN));
    finish();
    ck_assert_ptr_null(made_metric(&made, "duration", "mean"));
    ck_assert_near(value_in(metric("duration", "p99"), 0), 0.099);
}
END_TEST

START_TEST(changes_and_totals_of_one_metric_are_not_mixed)
{
    push(histogram(FL_TEMPORALITY_DELTA, 10, (uint64_t[]){60, 0, 0, 0}, 4, 6));
    push(histogram(FL_TEMPORALITY_CUMULATIVE, 0, (uint64_t[]){0, 0, 0, 0}, 4, 0));
    push(histogram(FL_TEMPORALITY_CUMULATIVE, 20, (uint64_t[]){0, 10, 0, 0}, 4, 3));
    finish();
    size_t means = 0;
    for (size_t i = 0; i < made.timeline->metric_series_count; i++) {
        const fl_metric_series *m = &made.timeline->metrics[i];
        if (m->statistic == NULL || strcmp(m->statistic, "mean") != 0)
            continue;
        ck_assert_near(m->values[0], means == 0 ? 0.3 : 0.1);
        means++;
    }
    ck_assert_uint_eq(means, 2);
}
END_TEST

static fl_point exponential(double after_s, int32_t scale, int32_t offset, const uint64_t *counts,
                            size_t count)
{
    fl_point point = {.metric = SLICE("duration"),
                      .unit = SLICE("s"),
                      .kind = FL_POINT_EXP_HISTOGRAM,
                      .temporality = FL_TEMPORALITY_CUMULATIVE,
                      .time_ns = MADE_AT + (int64_t)(after_s * 1e9),
                      .sum = NAN,
                      .min = NAN,
                      .max = NAN,
                      .scale = scale,
                      .offset = offset,
                      .counts = counts,
                      .bucket_count = count};
    for (size_t i = 0; i < count; i++)
        point.count += counts[i];
    return point;
}

static fl_point exponential_change(double after_s, int32_t scale, int32_t offset,
                                   const uint64_t *counts, size_t count)
{
    fl_point point = exponential(after_s, scale, offset, counts, count);
    point.temporality = FL_TEMPORALITY_DELTA;
    return point;
}

START_TEST(an_exponential_bucket_has_both_its_ends)
{
    /* scale 2: bucket i is (2^(i/4), 2^((i+1)/4)]; 100 in bucket 8 alone: (4, 4.757] */
    push(exponential_change(10, 2, 8, (uint64_t[]){100}, 1));
    finish();
    double lower = 4, upper = pow(2, 9.0 / 4);
    ck_assert_near(value_in(metric("duration", "p99"), 0), lower + (upper - lower) * 0.99);
}
END_TEST

START_TEST(an_exponential_bucket_far_above_the_others_keeps_its_lower_end)
{
    /* 98 at about 1 ms, 2 at about 8 s: the 99th is in the middle of the bucket (8, 9.51] */
    uint64_t counts[53] = {98};
    counts[52] = 2;
    push(exponential_change(10, 2, -40, counts, 53));
    finish();
    double lower = 8, upper = pow(2, 13.0 / 4);
    ck_assert_near(value_in(metric("duration", "p99"), 0), lower + (upper - lower) * 0.5);
}
END_TEST

START_TEST(exponential_points_of_different_scales_add_up)
{
    /* scale 3 has two buckets where scale 2 has one: (4, 4.36] and (4.36, 4.76] */
    push(exponential_change(10, 3, 16, (uint64_t[]){30, 20}, 2));
    push(exponential_change(20, 2, 8, (uint64_t[]){50}, 1));
    push(exponential_change(30, 20, 4 << 19, (uint64_t[]){50}, 1));
    finish();
    double lower = 4, upper = pow(2, 9.0 / 4);
    ck_assert_near(value_in(metric("duration", "rate"), 0), 150.0 / 60);
    ck_assert_near(value_in(metric("duration", "p99"), 0), lower + (upper - lower) * 0.99);
}
END_TEST

START_TEST(a_coarse_scale_keeps_its_own_buckets)
{
    push(exponential_change(10, 0, 3, (uint64_t[]){100}, 1));  /* (8, 16] */
    push(exponential_change(70, -2, 0, (uint64_t[]){100}, 1)); /* (1, 16] */
    finish();
    ck_assert_near(value_in(metric("duration", "p99"), 0), 8 + 8 * 0.99);
    ck_assert_near(value_in(metric("duration", "p99"), 1),
                   8 + 8 * 0.99); /* 8 was seen as a bound before */
}
END_TEST

START_TEST(zeros_of_an_exponential_histogram_count_below_all)
{
    fl_point point = exponential_change(10, 2, 8, (uint64_t[]){1}, 1);
    point.zero_count = 999;
    point.count = 1000;
    push(point);
    finish();
    ck_assert_near(value_in(metric("duration", "p99"), 0), 0);
}
END_TEST

START_TEST(a_bucket_that_appears_later_counts_from_its_first_sample)
{
    push(exponential(-30, 2, 0, (uint64_t[]){100}, 1));
    uint64_t slow[9] = {100, 0, 0, 0, 0, 0, 0, 0, 50}; /* a new bucket: (4, 4.757] */
    push(exponential(30, 2, 0, slow, 9));
    finish();
    double lower = 4, upper = pow(2, 9.0 / 4);
    ck_assert_near(value_in(metric("duration", "rate"), 0), 50.0 / 60);
    ck_assert_near(value_in(metric("duration", "p99"), 0), lower + (upper - lower) * 0.99);
}
END_TEST

START_TEST(extreme_scales_and_offsets_give_a_number_or_none)
{
    static const int32_t scales[] = {-64, -10, 0, 20, 64};
    static const int32_t offsets[] = {INT32_MIN, -1, 0, INT32_MAX - 1};
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 4; j++)
            push(
                exponential_change((double)(10 + i), scales[i], offsets[j], (uint64_t[]){3, 4}, 2));
    finish();
    const fl_metric_series *p99 = metric("duration", "p99");
    ck_assert(!isinf(p99->values[0]));
}
END_TEST

/* ---- summaries ---- */

START_TEST(a_summary_is_its_quantiles_and_its_rate)
{
    static const double quantiles[] = {0.5, 0.99, 0.999, 1}, values[] = {1, 2, 3, 4};
    for (int i = 0; i < 2; i++)
        push((fl_point){.metric = SLICE("duration"),
                        .kind = FL_POINT_SUMMARY,
                        .time_ns = MADE_AT + i * 10 * MADE_SECOND,
                        .count = 10 + 100 * (uint64_t)i,
                        .sum = 5 + 20 * i,
                        .bounds = quantiles,
                        .values = values,
                        .bound_count = 4});
    finish();
    ck_assert_near(value_in(metric("duration", "p50"), 0), 1);
    ck_assert_near(value_in(metric("duration", "p99"), 0), 2);
    ck_assert_near(value_in(metric("duration", "p99.9"), 0), 3);
    ck_assert_near(value_in(metric("duration", "p100"), 0), 4);
    ck_assert_near(value_in(metric("duration", "rate"), 0), 10);
    ck_assert_near(value_in(metric("duration", "mean"), 0), 0.2);
}
END_TEST

/* ---- budgets ---- */

static void push_numbered(unsigned series, double after_s, double value)
{
    fl_attr attr = {SLICE("n"), {.kind = FL_VALUE_INT, .number = series}};
    fl_point point = {.metric = SLICE("load"),
                      .time_ns = MADE_AT + (int64_t)(after_s * 1e9),
                      .value = value,
                      .attrs = {&attr, 1}};
    fl_sink sink = fl_timeline_sink(made.builder, false);
    uint32_t handle = 0;
    if (series == 0) {
        fl_resource resource = {.service = SLICE("cart")};
        ck_assert_ok(sink.resource(sink.payload, &resource, &handle, &err));
    }
    ck_assert_ok(sink.point(sink.payload, handle, &point, &err));
}

/* 2.6 million samples: over the budget of 2 million, the last of each minute stays. */
START_TEST(over_the_budget_the_last_sample_of_each_window_stays)
{
    enum { SERIES = 1000, SAMPLES = 2600 };
    for (unsigned i = 0; i < SAMPLES; i++)
        for (unsigned s = 0; s < SERIES; s++)
            push_numbered(s, -1200 + (double)i / 2, i);
    finish();
    ck_assert_uint_eq(made.timeline->metric_series_count, SERIES);
    ck_assert_double_eq(made.timeline->metric_sampling, 1);
    ck_assert_uint_eq(made.timeline->point_records, SERIES * 22);
    ck_assert_near(value_in(&made.timeline->metrics[0], 0), 2519);
    ck_assert_near(value_in(&made.timeline->metrics[999], -1), 2399);
}
END_TEST

/* One sample a window everywhere: nothing to thin out, so the farthest windows leave. */
START_TEST(over_the_budget_the_farthest_history_leaves)
{
    enum { SERIES = 2200, MINUTES = 1200 };
    for (unsigned i = 0; i < MINUTES; i++)
        for (unsigned s = 0; s < SERIES; s++)
            push_numbered(s, -60.0 * i, i);
    finish();
    ck_assert_uint_eq(made.timeline->metric_series_count, SERIES);
    ck_assert_double_eq(made.timeline->metric_sampling, 1);
    const fl_metric_series *any = &made.timeline->metrics[7];
    ck_assert_near(value_in(any, 0), 0);
    ck_assert_near(value_in(any, -512), 512);
    ck_assert(isnan(value_in(any, -513)));
}
END_TEST

/* Labels that never repeat, then a metric that tells: whatever came first, the same series stay. */
START_TEST(a_metric_of_endless_labels_does_not_crowd_out_the_others)
{
    enum { LABELS = 4 * FL_MAX_SERIES_PER_METRIC };
    fl_buf first = fl_buf_of(64u << 20), second = fl_buf_of(64u << 20);
    for (unsigned order = 0; order < 2; order++) {
        begin_again();
        push_numbered(0, 0, 1);
        for (unsigned s = 0; s < LABELS; s++)
            push_numbered(order == 0 ? s : LABELS - 1 - s, 0, 1);
        push_gauge("cpu", 0, 50);
        finish();
        ck_assert_near(value_in(metric("cpu", NULL), 0), 50);
        ck_assert_uint_le(made.timeline->metric_series_count, FL_MAX_SERIES_PER_METRIC + 1);
        ck_assert_uint_ge(made.timeline->metric_series_count, FL_MAX_SERIES_PER_METRIC / 3);
        ck_assert_uint_ge(fl_timeline_losses_of(made.builder).over_budget,
                          LABELS - FL_MAX_SERIES_PER_METRIC);
        made_dump(order == 0 ? &first : &second, made.timeline);
    }
    ck_assert_str_eq(first.ptr, second.ptr);
    fl_buf_dispose(&first);
    fl_buf_dispose(&second);
}
END_TEST

/* A histogram's buckets leave together. */
START_TEST(a_histogram_of_endless_labels_is_kept_whole_or_not_at_all)
{
    for (int64_t i = 0; i < 3 * FL_MAX_SERIES_PER_METRIC / 6; i++) { /* six series each */
        fl_attr attr = {SLICE("n"), {.kind = FL_VALUE_INT, .number = i}};
        fl_point point = histogram(FL_TEMPORALITY_DELTA, 10, (uint64_t[]){50, 40, 10, 0}, 4, 25);
        point.attrs = (fl_attrs){&attr, 1};
        push(point);
    }
    finish();
    ck_assert_uint_gt(made.timeline->metric_series_count, 1000);
    ck_assert_uint_eq(made.timeline->metric_series_count % 3, 0);
    for (size_t i = 0; i < made.timeline->metric_series_count; i++)
        ck_assert(isfinite(made.timeline->metrics[i].values[0]));
}
END_TEST

static Suite *metrics_suite(void)
{
    Suite *suite = suite_create("timeline/metrics");
    TCase *cases = tcase_create("metrics");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_gauge_is_the_mean_of_its_window);
    tcase_add_test(cases, a_series_carries_its_name_labels_unit_and_role);
    tcase_add_test(cases, labels_in_another_order_are_the_same_series);
    tcase_add_test(cases, label_sets_that_differ_beyond_the_longest_name_stay_apart);
    tcase_add_test(cases, duplicates_and_late_samples_change_nothing);
    tcase_add_test(cases, of_two_values_at_one_moment_the_larger_counts);
    tcase_add_test(cases, values_that_are_not_finite_are_left_out);
    tcase_add_test(cases, an_up_down_counter_is_a_level);
    tcase_add_test(cases, a_sum_without_temporality_goes_by_whether_it_is_monotonic);
    tcase_add_test(cases, a_counter_is_a_rate_over_the_time_between_its_samples);
    tcase_add_test(cases, a_counters_fall_is_a_restart);
    tcase_add_test(cases, samples_more_than_five_minutes_apart_are_no_neighbours);
    tcase_add_test(cases, a_counters_order_of_arrival_does_not_count);
    tcase_add_test(cases, changes_add_up_to_a_rate_over_the_window);
    tcase_add_test(cases, a_single_total_has_no_rate);
    tcase_add_test(cases, a_histogram_is_its_rate_its_mean_and_its_99th_percentile);
    tcase_add_test(cases, a_percentile_is_held_by_the_ends_of_its_buckets);
    tcase_add_test(cases, a_cumulative_histogram_counts_what_came_between_its_samples);
    tcase_add_test(cases, a_quiet_window_has_a_rate_but_neither_mean_nor_percentile);
    tcase_add_test(cases, a_histogram_may_come_number_by_number);
    tcase_add_test(cases, buckets_of_another_moment_never_count_below_nothing);
    tcase_add_test(cases, a_quantile_may_come_alone);
    tcase_add_test(cases, a_histogram_without_bounds_has_no_percentile);
    tcase_add_test(cases, a_histogram_without_a_sum_has_no_mean);
    tcase_add_test(cases, changes_and_totals_of_one_metric_are_not_mixed);
    tcase_add_test(cases, an_exponential_bucket_has_both_its_ends);
    tcase_add_test(cases, an_exponential_bucket_far_above_the_others_keeps_its_lower_end);
    tcase_add_test(cases, exponential_points_of_different_scales_add_up);
    tcase_add_test(cases, a_coarse_scale_keeps_its_own_buckets);
    tcase_add_test(cases, zeros_of_an_exponential_histogram_count_below_all);
    tcase_add_test(cases, a_bucket_that_appears_later_counts_from_its_first_sample);
    tcase_add_test(cases, extreme_scales_and_offsets_give_a_number_or_none);
    tcase_add_test(cases, a_summary_is_its_quantiles_and_its_rate);
    tcase_add_test(cases, over_the_budget_the_last_sample_of_each_window_stays);
    tcase_add_test(cases, over_the_budget_the_farthest_history_leaves);
    tcase_add_test(cases, a_metric_of_endless_labels_does_not_crowd_out_the_others);
    tcase_add_test(cases, a_histogram_of_endless_labels_is_kept_whole_or_not_at_all);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(metrics_suite)
