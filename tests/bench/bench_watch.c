/*
 * bench_watch.c - how often healthy services are called broken, how soon broken ones are, and what
 * a span costs.
 *
 *     bench_watch [WEEKS [SERVICES [SEED]]]
 *
 * Made-up weeks of SERVICES entry services (50): requests come as a Poisson process around a mean
 * of 0.05 to 5 a second, of one service in five of one in 20 s to one in 10 minutes, that follows
 * the day (a factor of 4 between night and noon) and the week (half on two days) and wanders;
 * errors of 0 to 2 % come in bursts (their share is drawn anew each minute); latencies are
 * log-normal and their median wanders by some 10 % a minute and by a factor of up to 1.5 over
 * hours; once a day a service is deployed: for 20 s half of its requests fail, and for three
 * minutes it is 1.3 times as slow; once an hour a job of another operation runs through it; twice a
 * day nothing at all comes in for 1 to 30 minutes, and once a day nine of ten spans are lost for an
 * hour. None of that is a fault. Then, in days of the
 * same, faults of several sizes of ten minutes each: how many are found, and when.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "watch.h"

enum { MAX_SERVICES = 200, DAY_S = 86400, WEEK_S = 7 * DAY_S };

typedef struct made_service {
    char name[16];
    uint32_t handle;
    double a_second, error_share, median_ms, spread;
    double wander, load; /* ln of the factors that wander */
    double minute_error, minute_slow;
    int deploy_at_s, job_at_s;
} made_service;

typedef struct made_week {
    int64_t gap_from_s[14], gap_to_s[14]; /* nothing comes in */
    int64_t thin_from_s[7];               /* for an hour little does */
} made_week;

typedef struct fault {
    double errors, slower, traffic; /* share, factor, factor */
} fault;

static uint64_t state = 1, next_id = 1;
static made_service services[MAX_SERVICES];
static made_week week_of;
static size_t service_count = 50;
static uint64_t spans;
static double begun_s[MAX_SERVICES]; /* first break of each since the fault; -1: none */
static int64_t clock_ns;
static uint64_t begun_count[FL_SIGN_KIND_COUNT];

static double uniform(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    double radius = sqrt(-2 * log(uniform()));
    return radius * cos(6.283185307179586 * uniform());
}

static unsigned poisson(double mean)
{
    if (mean > 30) {
        double x = mean + sqrt(mean) * normal();
        return x > 0 ? (unsigned)(x + 0.5) : 0;
    }
    double limit = exp(-mean), product = uniform();
    unsigned count = 0;
    for (; product > limit; count++)
        product *= uniform();
    return count;
}

static uint64_t make_id(void)
{
    uint64_t z = (next_id += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return (z ^ z >> 27) | 1;
}

static fl_status note(void *payload, const fl_sign *sign, fl_error *err)
{
    (void)payload, (void)err;
    if (sign->cleared_ns != 0)
        return FL_OK;
    begun_count[sign->kind]++;
    size_t s = (size_t)atoll(sign->service + 1);
    if (begun_s[s] < 0)
        begun_s[s] = (double)clock_ns / 1e9;
    return FL_OK;
}

static void make_services(void)
{
    for (size_t s = 0; s < service_count; s++) {
        made_service *one = &services[s];
        snprintf(one->name, sizeof(one->name), "s%zu", s);
        one->a_second = uniform() < 0.2 ? 0.05 * pow(0.033, uniform()) : 0.05 * pow(100, uniform());
        one->error_share = uniform() < 0.3 ? 0 : 0.02 * uniform() * uniform();
        one->median_ms = 5 * pow(60, uniform());
        one->spread = 0.3 + 0.5 * uniform();
        one->wander = one->load = 0;
        one->deploy_at_s = (int)(uniform() * DAY_S);
        one->job_at_s = (int)(uniform() * 3600);
    }
}

static void make_gaps(void)
{
    for (size_t i = 0; i < 14; i++) {
        week_of.gap_from_s[i] = (int64_t)((double)i * DAY_S / 2 + uniform() * DAY_S / 4);
        week_of.gap_to_s[i] = week_of.gap_from_s[i] + 60 + (int64_t)(uniform() * 1740);
    }
    for (size_t i = 0; i < 7; i++)
        week_of.thin_from_s[i] = (int64_t)i * DAY_S + (int64_t)(uniform() * 20 * 3600);
}

/* The share of the spans that comes in. */
static double share_kept(int64_t second)
{
    for (size_t i = 0; i < 14; i++)
        if (second >= week_of.gap_from_s[i] && second < week_of.gap_to_s[i])
            return 0;
    for (size_t i = 0; i < 7; i++)
        if (second >= week_of.thin_from_s[i] && second < week_of.thin_from_s[i] + 3600)
            return 0.1;
    return 1;
}

/* Half on the last two days, within three hours. */
static double share_of_week(int64_t second)
{
    double from = (double)(second - 5 * DAY_S) / 10800, to = (double)(second - WEEK_S) / 10800 + 1;
    return 1 - 0.5 * fmin(1, fmax(0, from)) + 0.5 * fmin(1, fmax(0, to));
}

/* What a minute brings: Ornstein-Uhlenbeck walks, and bursts of errors. */
static void next_minute(made_service *one, int64_t second)
{
    one->wander = 0.99 * one->wander + 0.02 * normal();
    one->load = 0.98 * one->load + 0.04 * normal();
    one->minute_slow = exp(one->wander + 0.1 * normal());
    one->minute_error = one->error_share * exp(0.7 * normal());
    int64_t since = second % DAY_S - one->deploy_at_s;
    if (since >= 0 && since < 180)
        one->minute_slow *= 1.3;
}

static void push_requests(const fl_sink *sink, const made_service *one, double mean,
                          const char *operation, double median_ms, double errors)
{
    for (unsigned left = poisson(mean); left > 0; left--) {
        double ms = median_ms * exp(one->spread * normal());
        fl_span span = {.trace = {make_id(), 1},
                        .id = make_id(),
                        .name = {(const unsigned char *)operation, strlen(operation)},
                        .kind = FL_SPAN_SERVER,
                        .end_ns = clock_ns + (int64_t)(uniform() * 1e9),
                        .is_error = uniform() < errors};
        span.start_ns = span.end_ns - (int64_t)(ms * 1e6);
        if (sink->span(sink->payload, one->handle, &span, NULL) != FL_OK)
            exit(1);
        spans++;
    }
}

static void run(fl_watch *watch, int64_t from_s, int64_t to_s, const fault *f, size_t first_broken)
{
    const fl_sink *sink = fl_watch_sink(watch);
    for (int64_t second = from_s; second < to_s; second++) {
        double day = 1 + 0.6 * sin(6.283185307179586 * (double)second / DAY_S);
        double kept = f == NULL && to_s == WEEK_S ? share_kept(second) : 1;
        day *= share_of_week(second);
        clock_ns = (1600000000 + second) * INT64_C(1000000000);
        for (size_t s = 0; s < service_count; s++) {
            made_service *one = &services[s];
            if (second % 60 == 0)
                next_minute(one, second);
            bool is_broken = f != NULL && s >= first_broken;
            double mean = kept * one->a_second * day * exp(one->load);
            mean *= is_broken ? f->traffic : 1;
            double slow = one->median_ms * one->minute_slow * (is_broken ? f->slower : 1);
            double errors = one->minute_error + (is_broken ? f->errors : 0);
            if ((second - one->deploy_at_s) % DAY_S / 20 == 0 && second >= one->deploy_at_s)
                errors = 0.5;
            push_requests(sink, one, mean, "GET /", slow, errors);
            if ((second + one->job_at_s) % 3600 < 60)
                push_requests(sink, one, mean / 2, "job", 20 * one->median_ms, errors);
        }
        if (second % 10 == 9 && fl_watch_advance(watch, clock_ns + 1000000000, note, NULL, NULL))
            exit(1);
    }
}

static fl_watch *begin(void)
{
    fl_watch *watch;
    const fl_watch_options options = {0};
    if (fl_watch_create(&watch, &options, NULL) != FL_OK ||
        fl_watch_advance(watch, INT64_C(1600000000000000000), note, NULL, NULL) != FL_OK)
        exit(1);
    const fl_sink *sink = fl_watch_sink(watch);
    for (size_t s = 0; s < service_count; s++) {
        fl_resource resource = {
            .service = {(const unsigned char *)services[s].name, strlen(services[s].name)}};
        if (sink->resource(sink->payload, &resource, &services[s].handle, NULL) != FL_OK)
            exit(1);
        begun_s[s] = -1;
    }
    memset(begun_count, 0, sizeof(begun_count));
    return watch;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Half of the services break after three hours; the other half shows what is called broken beside
 * them. */
static void try_fault(const char *name, fault f)
{
    double delays[MAX_SERVICES];
    size_t found = 0, busy = 0, first = service_count / 2, busy_found = 0;
    fl_watch *watch = begin();
    run(watch, 0, 3 * 3600, NULL, 0);
    for (size_t s = 0; s < service_count; s++)
        begun_s[s] = -1;
    run(watch, 3 * 3600, 3 * 3600 + 600, &f, first);
    for (size_t s = first; s < service_count; s++) {
        bool is_busy = services[s].a_second >= 0.5;
        busy += is_busy;
        if (begun_s[s] < 0)
            continue;
        busy_found += is_busy;
        delays[found++] = begun_s[s] + 1 - 1600000000.0 - 3 * 3600;
    }
    qsort(delays, found, sizeof(delays[0]), compare);
    printf("%-32s %3zu of %zu, of those with 30 requests a minute or more %3zu of %zu", name, found,
           service_count - first, busy_found, busy);
    if (found > 0)
        printf("; after %.0f s (median), %.0f s (90 %%)", delays[found / 2],
               delays[found * 9 / 10]);
    printf("\n");
    fl_watch_destroy(watch);
}

int main(int count, char **words)
{
    int weeks = count > 1 ? atoi(words[1]) : 4;
    service_count = count > 2 ? (size_t)atoi(words[2]) : 50;
    state = count > 3 ? (uint64_t)atoll(words[3]) : 1;
    if (service_count == 0 || service_count > MAX_SERVICES)
        return 2;
    struct timespec cpu_before, cpu_after;
    uint64_t kinds[FL_SIGN_KIND_COUNT] = {0};
    fl_watch_stats stats = {0};
    double cpu_s = 0;
    for (int week = 0; week < weeks; week++) {
        make_services();
        make_gaps();
        fl_watch *watch = begin();
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
        run(watch, 0, WEEK_S, NULL, 0);
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_after);
        cpu_s += (double)(cpu_after.tv_sec - cpu_before.tv_sec) +
                 (double)(cpu_after.tv_nsec - cpu_before.tv_nsec) / 1e9;
        stats = fl_watch_stats_of(watch);
        for (int k = 0; k < FL_SIGN_KIND_COUNT; k++)
            kinds[k] += begun_count[k];
        fl_watch_destroy(watch);
        printf(
            "week %d: %llu spans; breaks that were none: %llu errors, %llu latency, %llu traffic\n",
            week + 1, (unsigned long long)stats.spans,
            (unsigned long long)begun_count[FL_SIGN_ERRORS],
            (unsigned long long)begun_count[FL_SIGN_LATENCY],
            (unsigned long long)begun_count[FL_SIGN_TRAFFIC]);
        (void)fflush(stdout);
    }
    if (weeks > 0)
        printf(
            "gate %.1f nats, %zu entries; %.2f false breaks a week; with making them up %.0f ns a"
            " span\n",
            stats.gate_nats, stats.entries,
            (double)(kinds[FL_SIGN_ERRORS] + kinds[FL_SIGN_LATENCY] + kinds[FL_SIGN_TRAFFIC]) /
                weeks,
            1e9 * cpu_s / (double)spans);
    make_services();
    try_fault("3 % more of the requests fail", (fault){0.03, 1, 1});
    try_fault("10 % fail", (fault){0.1, 1, 1});
    try_fault("half of them fail", (fault){0.5, 1, 1});
    try_fault("they take twice as long", (fault){0, 2, 1});
    try_fault("four times as long", (fault){0, 4, 1});
    try_fault("ten times as long", (fault){0, 10, 1});
    try_fault("three of four stay away", (fault){0, 1, 0.25});
    try_fault("all stay away", (fault){0, 1, 0});
    return 0;
}
