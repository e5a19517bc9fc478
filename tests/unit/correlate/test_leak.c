#include "leak_analysis.h"

#include <math.h>
#include <stdio.h>

#include "faultline/limits.h"
#include "fl_test.h"
#include "made_profile.h"
#include "mem.h"
#include "slice.h"

#define MB     1e6
#define MINUTE (60 * MADE_S)
/* A time that is none of 1970's first seconds. */
#define START (INT64_C(1700000000) * MADE_S)

static const char put[] = "main.(*store).put:25;main.serve:34;main.main:77;runtime.main:290";
static const char serve[] = "fmt.Sprintf:240;main.serve:31;main.main:77;runtime.main:290";

typedef struct run {
    fl_leak *leak;
    fl_arena arena;
    fl_leak_report report;
} run;

static run begin(const fl_leak_options *options)
{
    run r = {.arena = fl_arena_of(16u << 20)};
    fl_error err = {0};
    ck_assert_ok(fl_leak_create(&r.leak, options, &err));
    return r;
}

static const fl_leak_report *judge(run *r)
{
    fl_error err = {0};
    ck_assert_ok(fl_leak_judge(&r->report, r->leak, &r->arena, &err));
    return &r->report;
}

static void end(run *r)
{
    fl_leak_destroy(r->leak);
    fl_arena_dispose(&r->arena);
}

static void add(run *r, const made_profile *m)
{
    fl_error err = {0};
    ck_assert_ok(fl_leak_add(r->leak, &m->profile, 0, &err));
}

/* One heap snapshot: what put keeps, out of what it made, and some garbage beside, so that no two
 * snapshots are the same. */
static void add_heap(run *r, int minute, double made, double live)
{
    made_profile m;
    made_begin(&m, FL_PROFILE_HEAP, START + minute * MINUTE);
    made_heap(&m, put, 144, made, live);
    made_heap(&m, serve, 32, 1 * MB + 0.6 * MB * minute, 0);
    add(r, &m);
}

static void add_goroutines(run *r, int minute, const char *stack, double count)
{
    made_profile m;
    made_begin(&m, FL_PROFILE_GOROUTINE, START + minute * MINUTE);
    made_sample(&m, stack, 0, &count);
    made_sample(&m, "runtime.gopark:462;net/http.(*conn).serve:12", 0, (double[]){3 + minute % 2});
    add(r, &m);
}

/* Exact totals: `live` bytes after the i-th of `count` collections, ten seconds apart. */
static void add_totals(run *r, size_t count, double (*live)(size_t i))
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

static double rising_total(size_t i)
{
    return 20 * MB + 0.1 * MB * (double)i;
}

static double flat_total(size_t i)
{
    return 20 * MB + 0.1 * MB * (double)(i % 3);
}

static const fl_leak_options plain;

START_TEST(a_function_that_keeps_what_it_allocates_is_a_leak)
{
    fl_leak_options options = {.limit_bytes = 512u << 20};
    run r = begin(&options);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 6 * MB * (i + 1), 5 * MB * (i + 1));
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert(report->confidence > 0.8 && report->confidence <= 1);
    const fl_leak_finding *f = &report->findings[0];
    ck_assert_str_eq(f->function, "main.(*store).put");
    ck_assert_str_eq(f->file, "/srv/app/main.go");
    ck_assert_uint_eq(f->line, 25);
    ck_assert_str_eq(f->holder, "store");
    ck_assert_double_eq_tol(f->growth_bytes_per_hour.value, 300 * MB, 1e3);
    ck_assert(f->growth_bytes_per_hour.low < 300 * MB && f->growth_bytes_per_hour.high > 300 * MB);
    double room = 536870912 - 50 * MB;
    ck_assert_double_eq_tol(f->seconds_to_limit.value, room / (300 * MB) * 3600, 60);
    ck_assert(f->support & 1u << FL_LEAK_FROM_HEAP);
    ck_assert_str_eq(report->runtime, "go1.26");
    ck_assert_uint_eq(report->used_count, 10);
    end(&r);
}
END_TEST

/* Writes what a report says into `out`, for comparison. */
static void digest(char *out, size_t size, const fl_leak_report *r)
{
    const fl_leak_finding *f = r->finding_count > 0 ? &r->findings[0] : NULL;
    snprintf(out, size, "%d %.17g %zu %s %.17g %s", (int)r->verdict, r->confidence,
             r->finding_count, f != NULL ? f->function : "-",
             f != NULL ? f->growth_bytes_per_hour.value : 0.0,
             f != NULL && f->evidence_count > 0 ? f->evidence[0].text : "-");
}

START_TEST(the_order_of_profiles_does_not_matter)
{
    static const int orders[][8] = {
        {0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, {3, 7, 1, 5, 0, 6, 2, 4}};
    char first[512], other[512];
    for (size_t k = 0; k < 3; k++) {
        run r = begin(&plain);
        for (int i = 0; i < 8; i++)
            add_heap(&r, orders[k][i], 6 * MB * (orders[k][i] + 1), 5 * MB * (orders[k][i] + 1));
        digest(k == 0 ? first : other, sizeof(first), judge(&r));
        end(&r);
        if (k > 0)
            ck_assert_str_eq(first, other);
    }
}
END_TEST

START_TEST(of_many_snapshots_some_are_kept_and_the_same_in_any_order)
{
    enum { GIVEN = 3 * FL_MAX_LEAK_SNAPSHOTS };
    char first[512], other[512];
    for (int k = 0; k < 2; k++) {
        run r = begin(&plain);
        for (int i = 0; i < GIVEN; i++) {
            int at = k == 0 ? i : GIVEN - 1 - i;
            add_heap(&r, at, 0.2 * MB * (at + 1), 0.1 * MB * (at + 1));
        }
        const fl_leak_report *report = judge(&r);
        ck_assert_uint_eq(report->snapshot_count, GIVEN);
        ck_assert_uint_eq(report->used_count, FL_MAX_LEAK_SNAPSHOTS);
        ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
        ck_assert_int_eq(report->to_ns - report->from_ns, (GIVEN - 1) * MINUTE);
        digest(k == 0 ? first : other, sizeof(first), report);
        end(&r);
    }
    ck_assert_str_eq(first, other);
}
END_TEST

START_TEST(snapshots_of_one_collection_count_once)
{
    run r = begin(&plain);
    for (int i = 0; i < 12; i++) {
        made_profile m;
        made_begin(&m, i % 2 == 0 ? FL_PROFILE_HEAP : FL_PROFILE_ALLOCS, START + i * MINUTE);
        made_heap(&m, put, 144, 9 * MB * (i / 3 + 1), 8 * MB * (i / 3 + 1));
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_uint_eq(report->used_count, 4);
    ck_assert_int_eq(report->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_uint_ge(report->finding_count, 1);
    ck_assert_int_eq(report->findings[0].verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_str_eq(report->findings[0].function, "main.(*store).put");
    ck_assert_uint_ge(report->collect_count, 1);
    end(&r);
}
END_TEST

START_TEST(growth_below_the_sampling_floor_is_never_called_no_leak)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 40 * MB * (i + 1), 1 * MB + 0.1 * MB * i);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_double_eq_tol(report->sampling_floor_bytes, 12.25 * MADE_RATE, 1);
    ck_assert_uint_ge(report->collect_count, 1);
    end(&r);
}
END_TEST

START_TEST(an_exact_total_that_stays_is_no_leak)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 40 * MB * (i + 1), 1 * MB + 0.3 * MB * (i % 2));
    add_totals(&r, 40, flat_total);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_NO_LEAK);
    ck_assert_uint_ge(report->ruled_out_count, 1);
    ck_assert_str_eq(report->ruled_out[0].kind, "leak");
    end(&r);
}
END_TEST

START_TEST(an_exact_total_that_grows_finds_a_leak_below_the_sampling_floor)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 300 * MB * (i + 1), 0.5 * MB + 0.2 * MB * i);
    add_totals(&r, 40, rising_total);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert(report->confidence <= 0.8);
    ck_assert_str_eq(report->findings[0].function, "main.(*store).put");
    ck_assert_double_eq_tol(report->findings[0].growth_bytes_per_hour.value, 36 * MB, 2 * MB);
    ck_assert(report->findings[0].support & 1u << FL_LEAK_FROM_MEMSTATS);
    ck_assert_uint_ge(report->findings[0].against_count, 1);
    end(&r);
}
END_TEST

START_TEST(agreement_of_both_views_makes_surer)
{
    double confidence[2];
    for (int k = 0; k < 2; k++) {
        run r = begin(&plain);
        for (int i = 0; i < 6; i++)
            add_heap(&r, i, 8 * MB * (i + 1), 7 * MB * (i + 1));
        if (k == 1)
            add_totals(&r, 40, rising_total);
        confidence[k] = judge(&r)->confidence;
        ck_assert_int_eq(r.report.verdict, FL_LEAK_LEAK);
        end(&r);
    }
    ck_assert(confidence[1] > confidence[0] + 0.05);
}
END_TEST

START_TEST(what_rises_and_then_stays_is_bounded)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++) {
        double live = i < 5 ? 12 * MB * (i + 1) : 60 * MB;
        add_heap(&r, i, live, live);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_BOUNDED_GROWTH);
    const fl_leak_finding *f = &report->findings[0];
    ck_assert_str_eq(f->function, "main.(*store).put");
    const fl_leak_evidence *change = &f->evidence[f->evidence_count - 1];
    ck_assert_str_eq(change->text, "the rise ended then, after 240 s");
    ck_assert_int_eq(change->at_ns, START + 4 * MINUTE);
    end(&r);
}
END_TEST

START_TEST(memory_that_follows_load_is_bounded)
{
    run r = begin(&plain);
    double made = 0;
    for (int i = 0; i < 10; i++) {
        double rate = 20 * MB * (i + 1);
        made += rate;
        add_heap(&r, i, made, rate / 4);
    }
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_BOUNDED_GROWTH);
    end(&r);
}
END_TEST

START_TEST(parked_goroutines_that_get_more_are_a_leak)
{
    static const char stack[] =
        "runtime.gopark:462;runtime.chanrecv:667;runtime.chanrecv1:509;main.wait:12";
    const fl_goframe wait = {
        .function = BYTES("main.wait"), .file = BYTES("/srv/app/main.go"), .line = 12};
    const fl_goframe start = {
        .function = BYTES("main.start"), .file = BYTES("/srv/app/main.go"), .line = 9};
    const fl_goframe *frames[] = {&wait};
    const fl_gogroup group = {.count = 900,
                              .stack = frames,
                              .stack_count = 1,
                              .created_by = &start,
                              .state = BYTES("chan receive"),
                              .waiting_count = 800,
                              .wait_max = 7};
    const fl_goroutines text = {
        .form = FL_GOROUTINES_STACKS, .total = 900, .groups = &group, .group_count = 1};
    run r = begin(&plain);
    fl_error err = {0};
    for (int i = 0; i < 8; i++)
        add_goroutines(&r, i, stack, 100 * (i + 1));
    ck_assert_ok(fl_leak_add_goroutines(r.leak, &text, 0, &err));
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    const fl_leak_finding *f = &report->findings[0];
    ck_assert_int_eq(f->subject, FL_LEAK_GOROUTINES);
    ck_assert_str_eq(f->function, "main.wait");
    ck_assert_str_eq(f->holder, "main.start");
    ck_assert_double_eq_tol(f->growth_per_hour.value, 6000, 1e-6);
    ck_assert(isnan(f->growth_bytes_per_hour.value));
    ck_assert(strstr(f->evidence[1].text, "chan receive, the longest for 7 minutes") != NULL);
    end(&r);
}
END_TEST

START_TEST(a_pool_of_parked_goroutines_is_none)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++) {
        add_goroutines(&r, i, "runtime.gopark:462;runtime.chanrecv:667;main.worker:8", 1500);
        add_heap(&r, i, 1 * MB * (i + 1), 1 * MB);
    }
    add_totals(&r, 40, flat_total);
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_NO_LEAK);
    end(&r);
}
END_TEST

START_TEST(what_profiling_itself_allocates_is_left_out)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        made_heap(&m, "compress/flate.NewWriter:665;runtime/pprof.writeHeap:9;main.main:7", 663552,
                  20 * MB * (i + 1), 20 * MB * (i + 1));
        made_heap(&m, serve, 32, 1 * MB * (i + 1), 0);
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_ne(report->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(report->finding_count, 0);
    end(&r);
}
END_TEST

START_TEST(a_fatal_error_is_a_crash_and_comes_first)
{
    const fl_goframe fatal = {.function = BYTES("runtime.fatal"),
                              .file = BYTES("/usr/local/go/src/runtime/panic.go"),
                              .line = 1};
    const fl_goframe racy = {
        .function = BYTES("main.writeRacy"), .file = BYTES("/srv/app/main.go"), .line = 227};
    const fl_goframe *frames[] = {&fatal, &racy};
    const fl_gogroup group = {.count = 1, .stack = frames, .stack_count = 2};
    const fl_gocrash crash = {
        .kind = FL_GOCRASH_FATAL, .message = BYTES("concurrent map writes"), .group = &group};
    const fl_goroutines text = {.form = FL_GOROUTINES_STACKS, .crashes = &crash, .crash_count = 1};
    run r = begin(&plain);
    fl_error err = {0};
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 6 * MB * (i + 1), 5 * MB * (i + 1));
    ck_assert_ok(fl_leak_add_goroutines(r.leak, &text, 0, &err));
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_CRASH);
    ck_assert_str_eq(report->findings[0].function, "main.writeRacy");
    ck_assert_str_eq(report->findings[0].evidence[0].text, "fatal error: concurrent map writes");
    ck_assert_int_eq(report->findings[1].verdict, FL_LEAK_LEAK);
    end(&r);
}
END_TEST

START_TEST(a_panic_that_was_handled_is_no_crash)
{
    const fl_gocrash crash = {.kind = FL_GOCRASH_HANDLED, .message = BYTES("boom")};
    const fl_goroutines text = {.form = FL_GOROUTINES_STACKS, .crashes = &crash, .crash_count = 1};
    run r = begin(&plain);
    fl_error err = {0};
    ck_assert_ok(fl_leak_add_goroutines(r.leak, &text, 0, &err));
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    end(&r);
}
END_TEST

START_TEST(a_lock_that_others_wait_for_is_latency)
{
    run r = begin(&plain);
    for (int i = 0; i < 2; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_MUTEX, START + i * MINUTE);
        made_sample(&m, "sync.(*Mutex).Unlock:229;main.update:44;main.main:7", 0,
                    (double[]){6000 * i, 90e9 * i});
        made_sample(&m, "runtime._LostContendedRuntimeLock:1", 0, (double[]){600 * i, 900e9 * i});
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LATENCY);
    ck_assert_str_eq(report->findings[0].function, "main.update");
    ck_assert_double_eq_tol(report->findings[0].evidence[0].value, 1.5, 1e-9);
    end(&r);
}
END_TEST

/* Waits of 50 ms in RLock are a lock; waits for work, or of 1 ms, are none. */
START_TEST(a_block_profile_tells_locks_from_idle_workers)
{
    static const char lock[] = "sync.(*RWMutex).RLock:70;main.lookUp:44;main.main:7";
    static const char idle[] = "runtime.chanrecv2:447;main.worker:9";
    for (int k = 0; k < 2; k++) {
        run r = begin(&plain);
        for (int i = 0; i < 2; i++) {
            made_profile m;
            made_begin(&m, FL_PROFILE_BLOCK, START + i * MINUTE);
            made_sample(&m, lock, 0, (double[]){(k == 0 ? 6000 : 300000) * i, 300e9 * i});
            made_sample(&m, idle, 0, (double[]){6000 * i, 90000e9 * i});
            add(&r, &m);
        }
        const fl_leak_report *report = judge(&r);
        ck_assert_int_eq(report->verdict, k == 0 ? FL_LEAK_LATENCY : FL_LEAK_NOT_ENOUGH_DATA);
        if (k == 0)
            ck_assert_str_eq(report->findings[0].function, "main.lookUp");
        end(&r);
    }
}
END_TEST

START_TEST(sleepers_of_which_most_woke_follow_the_load)
{
    static const char stack[] = "runtime.gopark:462;time.Sleep:195;main.attend:12";
    run r = begin(&plain);
    for (int i = 0; i < 8; i++) {
        made_profile m;
        add_goroutines(&r, i, stack, 100 * (i + 1));
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        made_heap(&m, "main.attend:11", 64, 64.0 * 50000 * (i + 1), 64.0 * 100 * (i + 1));
        add(&r, &m);
    }
    ck_assert_int_ne(judge(&r)->verdict, FL_LEAK_LEAK);
    end(&r);
}
END_TEST

/* Goroutines that rise from 100 by 100, and a program that allocates `first` bytes in the first
 * minute and `more` in each one after than in that before it. */
static double parked_confidence(const char *stack, double first, double more,
                                const fl_goroutines *text)
{
    run r = begin(&plain);
    fl_error err = {0};
    double made = 0;
    for (int i = 0; i < 10; i++) {
        made_profile m;
        add_goroutines(&r, i, stack, 100 * (i + 1));
        made += first + more * i;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        made_heap(&m, serve, 1024, made, 1 * MB);
        if (first > 0)
            add(&r, &m);
    }
    if (text != NULL)
        ck_assert_ok(fl_leak_add_goroutines(r.leak, text, 0, &err));
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_str_eq(r.report.findings[0].function, "main.wait");
    end(&r);
    return r.report.confidence;
}

START_TEST(a_number_of_goroutines_alone_is_never_sure)
{
    static const char receive[] = "runtime.gopark:462;runtime.chanrecv1:509;main.wait:12";
    static const char asleep[] = "runtime.gopark:462;time.Sleep:195;main.wait:12";
    ck_assert_double_le(parked_confidence(receive, 0, 0, NULL), 0.75);
    /* A load that stays does not explain it, one that rises in step does; who sleeps wakes. */
    ck_assert_double_gt(parked_confidence(receive, 100 * MB, 0, NULL), 0.8);
    ck_assert_double_le(parked_confidence(receive, 100 * MB, 100 * MB, NULL), 0.75);
    ck_assert_double_le(parked_confidence(asleep, 100 * MB, 0, NULL), 0.75);
    /* So few samples that the rate of allocation may be anything. */
    ck_assert_double_le(parked_confidence(receive, 0.5 * MB, 0, NULL), 0.75);
}
END_TEST

START_TEST(waits_as_long_as_the_series_make_goroutines_sure)
{
    static const char asleep[] = "runtime.gopark:462;time.Sleep:195;main.wait:12";
    const fl_goframe wait = {
        .function = BYTES("main.wait"), .file = BYTES("/srv/app/main.go"), .line = 12};
    const fl_goframe *frames[] = {&wait};
    fl_gogroup group = {.count = 1000,
                        .stack = frames,
                        .stack_count = 1,
                        .state = BYTES("sleep"),
                        .waiting_count = 900,
                        .wait_median = 5,
                        .wait_max = 9};
    const fl_goroutines text = {
        .form = FL_GOROUTINES_STACKS, .total = 1000, .groups = &group, .group_count = 1};
    ck_assert_double_gt(parked_confidence(asleep, 0, 0, &text), 0.8);
    group.waiting_count = 20; /* the others have just begun */
    ck_assert_double_le(parked_confidence(asleep, 0, 0, &text), 0.75);
    group.waiting_count = 900; /* a minute of nine: they last that long and end */
    group.wait_median = 1;
    ck_assert_double_le(parked_confidence(asleep, 0, 0, &text), 0.75);
}
END_TEST

/* A map's tables of which two were made for each one in use: none at first, then all. */
static fl_leak_verdict verdict_of_tables(int snapshots)
{
    run r = begin(&plain);
    for (int i = 0; i < snapshots; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * 10 * MINUTE);
        double live = i == 0 ? 0 : 200 * MB;
        made_heap(&m, put, 28672, 2 * live, live);
        made_heap(&m, serve, 32, 1 * MB + 0.6 * MB * i, 0);
        add(&r, &m);
    }
    ck_assert(judge(&r)->verdict != FL_LEAK_NOT_ENOUGH_DATA || r.report.collect_count > 0);
    end(&r);
    return r.report.verdict;
}

START_TEST(two_snapshots_are_not_enough_for_retention)
{
    ck_assert_int_eq(verdict_of_tables(2), FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_int_eq(verdict_of_tables(8), FL_LEAK_RETENTION);
}
END_TEST

START_TEST(something_built_anew_again_and_again_is_churn)
{
    static const int64_t rungs[] = {288, 576, 1152, 2304, 4608, 9216};
    run r = begin(&plain);
    for (int i = 0; i < 8; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MADE_S);
        for (size_t k = 0; k < 6; k++)
            made_heap(&m, put, rungs[k], (double)rungs[k] * 2000 * (i + 1), 0);
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_CHURN);
    ck_assert_str_eq(report->findings[0].function, "main.(*store).put");
    end(&r);
}
END_TEST

START_TEST(a_bucket_array_that_doubled_is_a_leak_though_it_is_flat_between)
{
    run r = begin(&(fl_leak_options){.runtime = "go1.22"});
    for (int i = 0; i < 8; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        for (int k = 0; k < 4; k++) {
            double size = 655360.0 * (1 << k);
            bool made = k < 3 || i >= 4, live = k == (i >= 4 ? 3 : 2);
            made_heap(&m, put, (int64_t)size, made ? size : 0, live ? size : 0);
        }
        made_heap(&m, serve, 32, 1 * MB * (i + 1), 0);
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert(report->confidence <= 0.8);
    ck_assert_str_eq(report->runtime, "go1.22");
    end(&r);
}
END_TEST

static const fl_leak_condition grows[] = {
    {.feature = FL_LEAK_F_SHAPE, .op = FL_LEAK_MATCHES, .pattern = "^growing$"}};
static const fl_leak_condition put_grows[] = {
    {.feature = FL_LEAK_F_SHAPE, .op = FL_LEAK_MATCHES, .pattern = "^growing$"},
    {.feature = FL_LEAK_F_FUNCTION, .op = FL_LEAK_MATCHES, .pattern = "put$"}};
static const fl_leak_condition steep[] = {
    {.feature = FL_LEAK_F_GROWTH_RATIO, .op = FL_LEAK_AT_LEAST, .value = 1e6}};
static const fl_leak_condition many[] = {
    {.feature = FL_LEAK_F_GOROUTINES, .op = FL_LEAK_AT_MOST, .value = 1e9}};
static const fl_leak_condition kept[] = {{.feature = FL_LEAK_F_RETAINED_RATIO,
                                          .op = FL_LEAK_AT_LEAST,
                                          .value = 0.5,
                                          .text = "most of it is kept"}};

static const char *best_of(const fl_leak_signature *signatures, size_t count, double *confidence)
{
    fl_leak_options options = {.signatures = signatures, .signature_count = count};
    run r = begin(&options);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 6 * MB * (i + 1), 5 * MB * (i + 1));
    const fl_leak_report *report = judge(&r);
    const fl_leak_signature *s = report->findings[0].signature;
    *confidence = report->confidence;
    if (s != NULL && s->against_count > 0) {
        ck_assert_uint_ge(report->findings[0].against_count, 1);
        ck_assert_str_eq(report->findings[0].against[0], "most of it is kept");
    }
    end(&r);
    return s != NULL ? s->name : NULL;
}

#define LEAK_SITE(...)                                                                             \
    {                                                                                              \
        .verdict = FL_LEAK_LEAK, .subject = FL_LEAK_SITE, .prior = 0.9, __VA_ARGS__                \
    }

START_TEST(the_signature_with_most_conditions_names_the_kind)
{
    double c;
    const fl_leak_signature library[] = {
        LEAK_SITE(.name = "any-growth", .must = grows, .must_count = 1),
        LEAK_SITE(.name = "put-grows", .must = put_grows, .must_count = 2),
        LEAK_SITE(.name = "too-steep", .must = grows, .must_count = 1, .any = steep,
                  .any_count = 1),
        LEAK_SITE(.name = "not-known", .must = many, .must_count = 1),
        {.name = "no-site",
         .verdict = FL_LEAK_LEAK,
         .subject = FL_LEAK_LOCK,
         .must = grows,
         .must_count = 1},
    };
    ck_assert_str_eq(best_of(library, 5, &c), "put-grows");
    ck_assert_str_eq(best_of(library, 1, &c), "any-growth");
    ck_assert_ptr_null(best_of(library + 2, 3, &c));
}
END_TEST

START_TEST(a_signature_holds_only_in_its_runtimes)
{
    double c;
    const fl_leak_signature old =
        LEAK_SITE(.name = "old", .must = grows, .must_count = 1, .go_max = 23);
    const fl_leak_signature now =
        LEAK_SITE(.name = "now", .must = grows, .must_count = 1, .go_min = 24);
    ck_assert_ptr_null(best_of(&old, 1, &c));
    ck_assert_str_eq(best_of(&now, 1, &c), "now");
}
END_TEST

START_TEST(what_speaks_against_halves_the_odds)
{
    double without, with;
    const fl_leak_signature plain_one = LEAK_SITE(.name = "one", .must = grows, .must_count = 1);
    const fl_leak_signature doubted = LEAK_SITE(.name = "one", .must = grows, .must_count = 1,
                                                .against = kept, .against_count = 1);
    best_of(&plain_one, 1, &without);
    best_of(&doubted, 1, &with);
    ck_assert_double_eq_tol(with / (1 - with), 0.5 * without / (1 - without), 1e-9);
}
END_TEST

START_TEST(a_pattern_that_is_none_is_an_error)
{
    const fl_leak_condition broken = {
        .feature = FL_LEAK_F_FRAMES, .op = FL_LEAK_MATCHES, .pattern = "("};
    const fl_leak_signature s = LEAK_SITE(.name = "broken", .must = &broken, .must_count = 1);
    fl_leak_options options = {.signatures = &s, .signature_count = 1};
    fl_leak *leak = NULL;
    fl_error err = {0};
    ck_assert_fails(FL_E_SYNTAX, fl_leak_create(&leak, &options, &err));
    ck_assert_ptr_null(leak);
    ck_assert_msg(strncmp(err.message, "pattern '('", 11) == 0, "%s", err.message);
}
END_TEST

START_TEST(doubtful_input_is_said)
{
    run r = begin(&plain);
    for (int i = 0; i < 3; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        m.profile.period = MADE_RATE << i;
        m.mapping.file = i == 2 ? BYTES("/srv/other") : BYTES("/srv/app");
        made_heap(&m, put, 144, 9 * MB * (i + 1), 8 * MB * (i + 1));
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_uint_eq(report->warning_count, 2);
    ck_assert(strstr(report->warnings[0], "different programs") != NULL);
    ck_assert(strstr(report->warnings[1], "different sampling rates") != NULL);
    end(&r);
}
END_TEST

START_TEST(nothing_at_all_is_not_enough_data)
{
    run r = begin(&plain);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_uint_eq(report->finding_count, 0);
    ck_assert_uint_eq(report->snapshot_count, 0);
    ck_assert_uint_ge(report->collect_count, 2);
    ck_assert_ptr_null(report->runtime);
    end(&r);
}
END_TEST

START_TEST(values_at_the_ends_of_their_range_are_harmless)
{
    run r = begin(&plain);
    static const int64_t times[] = {INT64_MIN + 1, -5, 7, INT64_MAX - 9, INT64_MAX};
    for (int i = 0; i < 5; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, times[i]);
        made_heap(&m, put, INT64_MAX, 0, 0);
        for (size_t k = 0; k < 4; k++)
            m.values[k] = (INT64_C(1) << 62) - i;
        made_heap(&m, "?:7", 1, -3, -4);
        add(&r, &m);
    }
    judge(&r);
    end(&r);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    const fl_leak_signature s = LEAK_SITE(.name = "put-grows", .must = put_grows, .must_count = 2,
                                          .against = kept, .against_count = 1);
    fl_leak_options options = {.signatures = &s, .signature_count = 1};
    for (long n = 0;; n++) {
        fl_arena arena = fl_arena_of(16u << 20);
        fl_leak *leak = NULL;
        fl_error err = {0};
        fl_leak_report report;
        fl_mem_fail_after(n);
        fl_status status = fl_leak_create(&leak, &options, &err);
        for (int i = 0; i < 6 && status == FL_OK; i++) {
            made_profile m;
            made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
            made_heap(&m, put, 144, 6 * MB * (i + 1), 5 * MB * (i + 1));
            made_heap(&m, serve, 32, 1 * MB * (i + 1), 0);
            status = fl_leak_add(leak, &m.profile, 0, &err);
        }
        if (status == FL_OK)
            status = fl_leak_judge(&report, leak, &arena, &err);
        fl_mem_fail_after(-1);
        fl_leak_destroy(leak);
        fl_arena_dispose(&arena);
        if (status == FL_OK)
            return;
        ck_assert_msg(status == FL_E_NOMEM, "%ld: %s", n, err.message);
        ck_assert_int_lt(n, 2000);
    }
}
END_TEST

static Suite *leak_suite(void)
{
    Suite *suite = suite_create("correlate/leak");
    TCase *cases = tcase_create("leak");
    tcase_add_test(cases, a_function_that_keeps_what_it_allocates_is_a_leak);
    tcase_add_test(cases, the_order_of_profiles_does_not_matter);
    tcase_add_test(cases, of_many_snapshots_some_are_kept_and_the_same_in_any_order);
    tcase_add_test(cases, snapshots_of_one_collection_count_once);
    tcase_add_test(cases, growth_below_the_sampling_floor_is_never_called_no_leak);
    tcase_add_test(cases, an_exact_total_that_stays_is_no_leak);
    tcase_add_test(cases, an_exact_total_that_grows_finds_a_leak_below_the_sampling_floor);
    tcase_add_test(cases, agreement_of_both_views_makes_surer);
    tcase_add_test(cases, what_rises_and_then_stays_is_bounded);
    tcase_add_test(cases, memory_that_follows_load_is_bounded);
    tcase_add_test(cases, parked_goroutines_that_get_more_are_a_leak);
    tcase_add_test(cases, a_pool_of_parked_goroutines_is_none);
    tcase_add_test(cases, what_profiling_itself_allocates_is_left_out);
    tcase_add_test(cases, a_fatal_error_is_a_crash_and_comes_first);
    tcase_add_test(cases, a_panic_that_was_handled_is_no_crash);
    tcase_add_test(cases, a_lock_that_others_wait_for_is_latency);
    tcase_add_test(cases, a_block_profile_tells_locks_from_idle_workers);
    tcase_add_test(cases, sleepers_of_which_most_woke_follow_the_load);
    tcase_add_test(cases, a_number_of_goroutines_alone_is_never_sure);
    tcase_add_test(cases, waits_as_long_as_the_series_make_goroutines_sure);
    tcase_add_test(cases, two_snapshots_are_not_enough_for_retention);
    tcase_add_test(cases, something_built_anew_again_and_again_is_churn);
    tcase_add_test(cases, a_bucket_array_that_doubled_is_a_leak_though_it_is_flat_between);
    tcase_add_test(cases, the_signature_with_most_conditions_names_the_kind);
    tcase_add_test(cases, a_signature_holds_only_in_its_runtimes);
    tcase_add_test(cases, what_speaks_against_halves_the_odds);
    tcase_add_test(cases, a_pattern_that_is_none_is_an_error);
    tcase_add_test(cases, doubtful_input_is_said);
    tcase_add_test(cases, nothing_at_all_is_not_enough_data);
    tcase_add_test(cases, values_at_the_ends_of_their_range_are_harmless);
    tcase_add_test(cases, each_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_suite)
