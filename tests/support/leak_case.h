/*
 * leak_case.h - a leak analysis over made profiles, for its tests: fed minute by minute, judged
 * once.
 */
#ifndef FL_LEAK_CASE_H
#define FL_LEAK_CASE_H

#include "fl_test.h"
#include "leak_analysis.h"
#include "made_profile.h"

#define MB     1e6
#define MINUTE (60 * MADE_S)
/* A time that is none of 1970's first seconds. */
#define START (INT64_C(1700000000) * MADE_S)

#define PUT_STACK   "main.(*store).put:25;main.serve:34;main.main:77;runtime.main:290"
#define SERVE_STACK "fmt.Sprintf:240;main.serve:31;main.main:77;runtime.main:290"

typedef struct run {
    fl_leak *leak;
    fl_arena arena;
    fl_leak_report report;
} run;

static inline run begin(const fl_leak_options *options)
{
    run r = {.arena = fl_arena_of(16u << 20)};
    fl_error err = {0};
    ck_assert_ok(fl_leak_create(&r.leak, options, &err));
    return r;
}

static inline const fl_leak_report *judge(run *r)
{
    fl_error err = {0};
    ck_assert_ok(fl_leak_judge(&r->report, r->leak, &r->arena, &err));
    return &r->report;
}

static inline void end(run *r)
{
    fl_leak_destroy(r->leak);
    fl_arena_dispose(&r->arena);
}

static inline void add(run *r, const made_profile *m)
{
    fl_error err = {0};
    ck_assert_ok(fl_leak_add(r->leak, &m->profile, 0, &err));
}

/* One heap snapshot: what put keeps, out of what it made, and some garbage beside, so that no two
 * snapshots are the same. */
static inline void add_heap(run *r, int minute, double made, double live)
{
    made_profile m;
    made_begin(&m, FL_PROFILE_HEAP, START + minute * MINUTE);
    made_heap(&m, PUT_STACK, 144, made, live);
    made_heap(&m, SERVE_STACK, 32, 1 * MB + 0.6 * MB * minute, 0);
    add(r, &m);
}

static inline void add_goroutines(run *r, int minute, const char *stack, double count)
{
    made_profile m;
    made_begin(&m, FL_PROFILE_GOROUTINE, START + minute * MINUTE);
    made_sample(&m, stack, 0, &count);
    made_sample(&m, "runtime.gopark:462;net/http.(*conn).serve:12", 0, (double[]){3 + minute % 2});
    add(r, &m);
}

/* Exact totals: `live` bytes after the i-th of `count` collections, ten seconds apart. */
static inline void add_totals(run *r, size_t count, double (*live)(size_t i))
{
    int64_t times[64];
    double bytes[64], number[64], cpu[64];
    fl_error err = {0};
    for (size_t i = 0; i < count; i++) {
        times[i] = (int64_t)(10 * i + 1) * MADE_S;
        bytes[i] = live(i);
        number[i] = (double)i + 1;
        cpu[i] = 2e6 * (double)(i + 1);
    }
    fl_gostats stats = {.source = FL_GOSTATS_GCTRACE,
                        .is_since_start = true,
                        .row_count = count,
                        .times_ns = times};
    stats.values[FL_GOSTAT_HEAP_LIVE_BYTES] = bytes;
    stats.values[FL_GOSTAT_NUM_GC] = number;
    stats.values[FL_GOSTAT_GC_CPU_NS] = cpu;
    ck_assert_ok(fl_leak_add_stats(r->leak, &stats, &err));
}

static inline double rising_total(size_t i)
{
    return 20 * MB + 0.1 * MB * (double)i;
}

static inline double flat_total(size_t i)
{
    return 20 * MB + 0.1 * MB * (double)(i % 3);
}

#endif
