#include <stdio.h>

#include "faultline/limits.h"
#include "fl_gotrace_maker.h"
#include "fl_test.h"
#include "mem.h"
#include "trace_run.h"

static fl_error err;
static fl_trace_run *run;
static fl_gotrace_maker maker;
static fl_signatures *library;

static void setup(void)
{
    err = (fl_error){0};
    run = NULL;
    ck_assert_ok(fl_signatures_create(&library, &err));
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_trace_run_destroy(run);
    fl_signatures_destroy(library);
}

static fl_status analyse(void)
{
    const fl_trace_options options = {.library = library, .with_course = true};
    fl_stream *in;
    fl_trace_run_destroy(run);
    run = NULL;
    err = (fl_error){0};
    fl_status status = fl_stream_over(&in, fl_made(&maker), "x", &err);
    if (status != FL_OK)
        return status;
    status = fl_trace_run_create(&run, in, &options, &err);
    fl_stream_close(in);
    return status;
}

static const fl_sched_report *report(void)
{
    return fl_trace_run_report(run);
}

/* ---- made traces: goroutine 1 runs on thread 7 and processor 0 from 1000 on ---- */

enum { WORK = 1, LOCK = 2, SPAWN = 3, ASSIGN = 4, DOUBLE = 5, WAIT_GROUP = 6, SERVE = 7 };

static void begin(void)
{
    fl_make_header(&maker, 26);
    fl_make_event(&maker, 9, 0, 2, 0, -1);
    maker.batch_len = 0; /* GOMAXPROCS needs a goroutine: it follows */
    fl_make_event(&maker, 13, 0, 0, 1, -1);
    fl_make_event(&maker, 25, 0, 1, 7, 2, -1);
    fl_make_event(&maker, 9, 0, 2, 0, -1);
}

static void make_stack(int id, int function, int inner)
{
    if (inner == 0)
        fl_make_event(&maker, 3, id, 1, 4096, function, 9, 10 + id, -1);
    else
        fl_make_event(&maker, 3, id, 2, 8192, inner, 9, 1, 4096, function, 9, 10 + id, -1);
}

static bool is_cut;  /* before the strings */
static bool is_slow; /* its clock: a unit is a second */

static fl_status finish(void)
{
    fl_make_batch(&maker, 1, 7, 1000);
    fl_make_clock(&maker, 1);
    if (is_slow) {
        fl_make_event(&maker, 50, 8, 1, -1);
        fl_make_batch(&maker, 1, UINT64_MAX, 1000);
    }
    if (is_cut)
        return analyse();
    fl_make_event(&maker, 4, -1);
    fl_make_string(&maker, 1, "example.com/app.work");
    fl_make_string(&maker, 2, "sync.(*Mutex).Lock");
    fl_make_string(&maker, 3, "chan receive");
    fl_make_string(&maker, 4, "sync");
    fl_make_string(&maker, 5, "runtime.mapassign_fast64");
    fl_make_string(&maker, 6, "runtime.hashGrow");
    fl_make_string(&maker, 7, "put");
    fl_make_string(&maker, 8, "GC mark termination");
    fl_make_string(&maker, 9, "/src/app/work.go");
    fl_make_string(&maker, 10, "sync.(*WaitGroup).Wait");
    fl_make_string(&maker, 11, "net/http.(*conn).serve");
    fl_make_string(&maker, 12, "internal/poll.(*FD).Read");
    fl_make_string(&maker, 13, "chan send");
    fl_make_batch(&maker, 1, UINT64_MAX, 1000);
    fl_make_event(&maker, 2, -1);
    make_stack(WORK, 1, 0);
    make_stack(LOCK, 1, 2);
    make_stack(SPAWN, 1, 0);
    make_stack(ASSIGN, 1, 5);
    make_stack(DOUBLE, 1, 6);
    make_stack(WAIT_GROUP, 1, 10);
    make_stack(SERVE, 11, 12);
    fl_make_batch(&maker, 1, UINT64_MAX, 1000);
    fl_make_end(&maker);
    return analyse();
}

START_TEST(waiting_goes_to_what_is_waited_for_and_where)
{
    begin();
    fl_make_event(&maker, 14, 100, 2, WORK, SPAWN, -1);
    fl_make_event(&maker, 20, 100, 3, WORK, -1);    /* 1 waits from 1200 */
    fl_make_event(&maker, 16, 50, 2, 1, -1);        /* 2 was runnable for 150 */
    fl_make_event(&maker, 21, 250, 1, 1, WORK, -1); /* at 1500 */
    fl_make_event(&maker, 20, 100, 4, LOCK, -1);    /* 2 waits for a lock from 1600 */
    fl_make_event(&maker, 16, 0, 1, 2, -1);         /* 1 was runnable for 100 */
    fl_make_event(&maker, 22, 10, 1, WORK, -1);
    fl_make_event(&maker, 23, 390, -1); /* at 2000 */
    ck_assert_ok(finish());
    const fl_sched_report *r = report();
    ck_assert_uint_eq(r->wait_count, 3);
    ck_assert_str_eq(fl_sched_class_name(r->waits[0].class), "mutex");
    ck_assert_int_eq(r->waits[0].total_ns, 400);
    ck_assert_uint_eq(r->waits[0].open, 1);
    ck_assert_str_eq(r->waits[0].reason, "sync");
    ck_assert_str_eq(r->waits[0].place.function, "example.com/app.work");
    ck_assert_uint_eq(r->waits[0].place.line, 12);
    ck_assert_str_eq(fl_sched_class_name(r->waits[1].class), "syscall");
    ck_assert_int_eq(r->waits[1].total_ns, 390);
    ck_assert_str_eq(fl_sched_class_name(r->waits[2].class), "channel");
    ck_assert_int_eq(r->waits[2].total_ns, 300);
    ck_assert_uint_eq(r->waits[2].count, 1);
    ck_assert_uint_eq(r->latency.count, 2);
    ck_assert_int_eq(r->latency.total_ns, 250);
    ck_assert_int_eq(r->latency.max_ns, 150);
    ck_assert_uint_eq(r->procs, 2);
    ck_assert_int_eq(r->proc_use[0].running_ns, 200 + 350 + 10);
}
END_TEST

START_TEST(a_trace_that_is_cut_before_its_names_says_so)
{
    size_t count = 0;
    begin();
    fl_make_event(&maker, 20, 100, 3, WORK, -1);
    is_cut = true;
    fl_status status = finish();
    is_cut = false;
    ck_assert_ok(status);
    const char *const *warnings = fl_trace_run_warnings(run, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(warnings[1], "names of functions and reasons are missing in its last"
                                  " generation: they stand behind where it breaks off");
}
END_TEST

/* Eight wait for 63 years each. */
START_TEST(sums_stop_at_the_largest_number)
{
    begin();
    for (int g = 2; g < 10; g++)
        fl_make_event(&maker, 25, 0, g, 8, 4, -1);
    fl_make_event(&maker, 20, 2000000000, 3, WORK, -1);
    is_slow = true;
    fl_status status = finish();
    is_slow = false;
    ck_assert_ok(status);
    ck_assert_uint_eq(report()->waits[0].open, 8);
    ck_assert(report()->waits[0].total_ns == INT64_MAX);
}
END_TEST

/* Where no stack says more, the reason does. */
START_TEST(waits_without_a_stack_are_told_by_their_reason)
{
    begin();
    fl_make_event(&maker, 25, 0, 3, 8, 4, -1); /* waits, nobody says for what */
    fl_make_event(&maker, 14, 0, 2, WORK, SPAWN, -1);
    fl_make_event(&maker, 22, 0, 1, 0, -1); /* a call of 10 */
    fl_make_event(&maker, 23, 10, -1);
    fl_make_event(&maker, 20, 10, 3, 0, -1); /* receives for 400 */
    fl_make_event(&maker, 16, 0, 2, 1, -1);
    fl_make_event(&maker, 20, 100, 13, 0, -1); /* sends for 300 */
    fl_make_event(&maker, 13, 300, 0, 1, -1);
    ck_assert_ok(finish());
    const fl_sched_report *r = report();
    ck_assert_uint_eq(r->wait_count, 4);
    ck_assert_str_eq(r->waits[0].reason, "");
    ck_assert_int_eq(r->waits[0].class, FL_SCHED_OTHER);
    ck_assert_str_eq(r->waits[1].reason, "chan receive");
    ck_assert_str_eq(r->waits[2].reason, "chan send");
    ck_assert_int_eq(r->waits[3].class, FL_SCHED_SYSCALL);
    ck_assert_int_eq(r->waits[3].total_ns, 10);
}
END_TEST

START_TEST(waiting_in_the_library_alone_is_of_its_outermost_function)
{
    begin();
    fl_make_event(&maker, 20, 100, 3, SERVE, -1);
    ck_assert_ok(finish());
    ck_assert_str_eq(report()->waits[0].place.function, "net/http.(*conn).serve");
}
END_TEST

START_TEST(goroutines_are_counted_by_who_creates_them)
{
    begin();
    fl_make_event(&maker, 14, 10, 2, WORK, SPAWN, -1);
    fl_make_event(&maker, 14, 10, 3, WORK, SPAWN, -1);
    fl_make_event(&maker, 20, 10, 3, WORK, -1);
    fl_make_event(&maker, 16, 0, 2, 1, -1);
    fl_make_event(&maker, 17, 70, -1);
    ck_assert_ok(finish());
    const fl_sched_report *r = report();
    ck_assert_uint_eq(r->site_count, 2);
    ck_assert_str_eq(r->sites[0].created.function, "example.com/app.work");
    ck_assert_uint_eq(r->sites[0].created.line, 13);
    ck_assert_uint_eq(r->sites[0].started, 2);
    ck_assert_uint_eq(r->sites[0].ended, 1);
    ck_assert_uint_eq(r->sites[0].alive, 1);
    ck_assert_int_eq(r->sites[0].running_ns, 70);
    ck_assert_uint_eq(r->sites[1].before, 1);
    ck_assert_uint_eq(r->sites[1].waiting, 1);
    ck_assert_str_eq(r->sites[1].waits_reason, "chan receive");
}
END_TEST

START_TEST(a_collection_has_its_stops_assists_and_heap)
{
    begin();
    fl_make_event(&maker, 37, 0, 5000000, -1);
    fl_make_event(&maker, 38, 0, 6000000, -1);
    fl_make_event(&maker, 29, 100, 1, WORK, -1);
    fl_make_event(&maker, 35, 50, ASSIGN, -1);
    fl_make_event(&maker, 36, 200, -1);
    fl_make_event(&maker, 26, 100, 8, 0, -1);
    fl_make_event(&maker, 27, 30, -1);
    fl_make_event(&maker, 30, 20, 2, -1);
    fl_make_event(&maker, 37, 10, 3000000, -1);
    fl_make_event(&maker, 32, 10, 0, -1);
    fl_make_event(&maker, 33, 40, 8192, 0, -1);
    ck_assert_ok(finish());
    const fl_sched_report *r = report();
    ck_assert_uint_eq(r->cycle_count, 1);
    const fl_sched_cycle *cycle = &r->cycles[0];
    ck_assert_int_eq(cycle->end_ns - cycle->begin_ns, 400);
    ck_assert_int_eq(cycle->assist_ns, 200);
    ck_assert_uint_eq(cycle->assists, 1);
    ck_assert_int_eq(cycle->stw_ns, 30);
    ck_assert_uint_eq(cycle->heap_before_bytes, 5000000);
    ck_assert_uint_eq(cycle->goal_bytes, 6000000);
    ck_assert_uint_eq(cycle->heap_after_bytes, 3000000);
    ck_assert_uint_eq(cycle->trigger.line, 11);
    ck_assert_uint_eq(r->assist_count, 1);
    ck_assert_uint_eq(r->assists[0].place.line, 14);
    ck_assert_int_eq(r->assists[0].running_ns, 200);
    ck_assert_str_eq(r->stops[0].name, "GC mark termination");
    ck_assert_int_eq(r->stops[0].max_ns, 30);
    ck_assert_int_eq(r->sweep_ns, 40);
}
END_TEST

/* An assist that waits for others costs no processor meanwhile. */
START_TEST(an_assist_costs_only_what_it_runs)
{
    begin();
    fl_make_event(&maker, 29, 0, 1, WORK, -1);
    fl_make_event(&maker, 35, 10, WORK, -1);
    fl_make_event(&maker, 20, 100, 4, WORK, -1);
    fl_make_event(&maker, 21, 500, 1, 1, 0, -1);
    fl_make_event(&maker, 16, 0, 1, 2, -1);
    fl_make_event(&maker, 36, 50, -1);
    ck_assert_ok(finish());
    ck_assert_int_eq(report()->assists[0].total_ns, 650);
    ck_assert_int_eq(report()->assists[0].running_ns, 150);
}
END_TEST

START_TEST(tasks_and_regions_take_their_time)
{
    begin();
    fl_make_event(&maker, 40, 10, 5, 0, 7, WORK, -1);
    fl_make_event(&maker, 42, 10, 5, 7, WORK, -1);
    fl_make_event(&maker, 42, 10, 5, 7, WORK, -1);
    fl_make_event(&maker, 43, 30, 5, 7, WORK, -1);
    fl_make_event(&maker, 43, 30, 5, 7, WORK, -1);
    fl_make_event(&maker, 41, 10, 5, WORK, -1);
    fl_make_event(&maker, 42, 10, 0, 7, WORK, -1); /* stays open */
    ck_assert_ok(finish());
    const fl_sched_report *r = report();
    ck_assert_uint_eq(r->task_count, 1);
    ck_assert_int_eq(r->tasks[0].total_ns, 90);
    ck_assert_uint_eq(r->region_count, 1);
    ck_assert_uint_eq(r->regions[0].count, 2);
    ck_assert_uint_eq(r->regions[0].open, 1);
    ck_assert_int_eq(r->regions[0].total_ns, 30 + 70);
    ck_assert_int_eq(r->regions[0].max_ns, 70);
}
END_TEST

START_TEST(map_work_is_seen_in_samples_and_other_stacks)
{
    begin();
    fl_make_event(&maker, 20, 1000, 4, ASSIGN, -1);
    fl_make_batch(&maker, 1, 7, 1000);
    fl_make_event(&maker, 6, -1);
    fl_make_event(&maker, 7, 1100, 7, 0, 1, ASSIGN, -1);
    fl_make_event(&maker, 7, 1200, 7, 0, 1, DOUBLE, -1);
    fl_make_event(&maker, 7, 1300, 7, 0, 1, WORK, -1);
    fl_make_batch(&maker, 1, UINT64_MAX, 1000);
    ck_assert_ok(finish());
    const fl_sched_report *r = report();
    ck_assert_uint_eq(r->samples, 3);
    ck_assert_uint_eq(r->map_count, 2);
    uint64_t writes = r->maps[0].writes + r->maps[1].writes;
    uint64_t grows = r->maps[0].grows + r->maps[1].grows;
    ck_assert_uint_eq(writes, 2);
    ck_assert_uint_eq(grows, 1);
    ck_assert_uint_eq(r->maps[0].others + r->maps[1].others, 1);
    ck_assert_uint_eq(r->maps[0].longest + r->maps[1].longest, 1);
}
END_TEST

static const struct {
    int step_ns;   /* between two creations */
    bool turnover; /* for each new goroutine an old one ends */
    bool leaks;
} turnovers[] = {
    {50000000, false, true},
    {50000000, true, false},
    {5000000, false, false}, /* in 60 ms nothing goes on */
};

/* Goroutines that outlive the trace: those that end are not those that it saw start. */
START_TEST(goroutines_leak_where_none_ends_old_or_new)
{
    enum { COUNT = 12, OLD = 50, NEW = 100 };
    begin();
    for (int i = 0; i < COUNT; i++)
        fl_make_event(&maker, 48, 0, OLD + i, 8, 4, WORK, -1);
    for (int i = 0; i < COUNT; i++) {
        fl_make_event(&maker, 14, turnovers[_i].step_ns, NEW + i, WORK, SPAWN, -1);
        fl_make_event(&maker, 21, 0, OLD + i, 1, 0, -1);
        fl_make_event(&maker, 20, 10, 3, WORK, -1);
        fl_make_event(&maker, 16, 0, NEW + i, 1, -1);
        fl_make_event(&maker, 20, 10, 3, WORK, -1);
        fl_make_event(&maker, 16, 0, OLD + i, 2, -1);
        fl_make_event(&maker, 21, 0, 1, 2 * i + 1, 0, -1);
        if (turnovers[_i].turnover)
            fl_make_event(&maker, 17, 10, -1);
        else
            fl_make_event(&maker, 20, 10, 3, WORK, -1);
        fl_make_event(&maker, 16, 0, 1, 2 * i + 2, -1);
    }
    ck_assert_ok(finish());
    ck_assert_int_eq(fl_trace_run_info(run)->broken.status, FL_OK);
    ck_assert_uint_eq(report()->finding_count, turnovers[_i].leaks);
    if (turnovers[_i].leaks)
        ck_assert_str_eq(report()->findings[0].signature->name, "trace-goroutine-leak");
}
END_TEST

/* Four stand before a lock for 10 ms, of which one gets it. */
START_TEST(a_jam_of_a_moment_is_no_convoy)
{
    begin();
    for (int g = 2; g < 6; g++) {
        fl_make_event(&maker, 14, 0, g, WORK, SPAWN, -1);
        fl_make_event(&maker, 20, 0, 3, WORK, -1);
        fl_make_event(&maker, 16, 0, g, 1, -1);
        fl_make_event(&maker, 21, 0, 1, 2 * (g - 2) + 1, 0, -1);
        fl_make_event(&maker, 20, 0, 4, LOCK, -1);
        fl_make_event(&maker, 16, 0, 1, 2 * (g - 2) + 2, -1);
    }
    fl_make_event(&maker, 21, 10000000, 2, 2, 0, -1);
    ck_assert_ok(finish());
    ck_assert_int_eq(fl_trace_run_info(run)->broken.status, FL_OK);
    ck_assert_uint_eq(report()->waits[0].open, 3);
    ck_assert_uint_eq(report()->waits[0].count, 1);
    ck_assert_uint_eq(report()->finding_count, 0);
}
END_TEST

/* The second collection is under way at the end: what will stay alive is not known. */
START_TEST(what_stays_alive_is_of_collections_that_ended)
{
    begin();
    fl_make_event(&maker, 37, 0, 60000000, -1);
    fl_make_event(&maker, 29, 10, 1, WORK, -1);
    fl_make_event(&maker, 30, 40000000, 2, -1);
    fl_make_event(&maker, 37, 10, 60000000, -1);
    fl_make_event(&maker, 29, 10, 3, WORK, -1);
    fl_make_event(&maker, 20, 40000000, 3, WORK, -1);
    ck_assert_ok(finish());
    ck_assert_uint_eq(report()->cycle_count, 2);
    ck_assert_uint_eq(report()->finding_count, 1);
    ck_assert_str_eq(report()->findings[0].evidence[1],
                     "0.7 ms for each of 60 MB that stay alive: a heap full of pointers");
}
END_TEST

/* Thirty stops of 12 ms in a second. */
START_TEST(a_world_that_stands_for_long_is_found)
{
    begin();
    for (int i = 0; i < 30; i++) {
        fl_make_event(&maker, 26, 20000000, 8, 0, -1);
        fl_make_event(&maker, 27, 12000000, -1);
    }
    ck_assert_ok(finish());
    ck_assert_uint_eq(report()->finding_count, 1);
    ck_assert_str_eq(report()->findings[0].signature->name, "trace-stw-tail");
    ck_assert_str_eq(report()->findings[0].evidence[0],
                     "the world was stopped 30 times (GC mark termination), for 12.0 ms at most,"
                     " 11.5 ms at p99");
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        begin();
        fl_make_event(&maker, 40, 10, 5, 0, 7, WORK, -1);
        fl_make_event(&maker, 42, 10, 5, 7, WORK, -1);
        fl_make_event(&maker, 29, 0, 1, WORK, -1);
        fl_make_event(&maker, 35, 10, ASSIGN, -1);
        fl_make_event(&maker, 36, 10, -1);
        fl_make_event(&maker, 14, 10, 2, WORK, SPAWN, -1);
        fl_make_event(&maker, 20, 10, 3, WORK, -1);
        fl_mem_fail_after(n);
        status = finish();
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_lt(n, 400);
    }
    ck_assert_uint_eq(report()->task_count, 1);
}
END_TEST

/* ---- recordings: programs with one known fault, and healthy ones that look like them ---- */

static fl_status analyse_file(const char *path)
{
    const fl_trace_options options = {.library = library, .with_course = true};
    fl_stream *in;
    fl_trace_run_destroy(run);
    run = NULL;
    fl_status status = fl_stream_open(&in, path, &err);
    if (status != FL_OK)
        return status;
    status = fl_trace_run_create(&run, in, &options, &err);
    fl_stream_close(in);
    return status;
}

static const struct {
    const char *file, *finding, *function; /* NULL: nothing is found */
} cases[] = {
    {"1.26-convoy", "trace-lock-convoy", "main.handle"},
    {"1.26-polite", NULL, NULL},
    {"1.26-leak", "trace-goroutine-leak", "main.ask"},
    {"1.26-burst", NULL, NULL},
    {"1.26-pointers", "trace-gc-pointers", "main.collect"},
    {"1.26-storm", "trace-assist-storm", "main.allocateNodes"},
    {"1.22-grow", "trace-map-spike", "main.(*counts).put"},
    {"small-1.26", NULL, NULL},
    /* on a machine that gave a third of its processors: what it stopped is no fault */
    {"1.26-copies", "trace-stw-tail", "main.readStats"},
    {"1.26-pieces", NULL, NULL},
    {"1.26-steady", NULL, NULL},
    {"1.26-flat", NULL, NULL},
    {"1.26-grow", NULL, NULL}, /* whose tables are split one by one */
    /* stops other than the collector's are recorded from 1.21 on */
    {"1.21-copies", "trace-stw-tail", "main.readStats"},
    {"1.21-pieces", NULL, NULL},
    {"1.21-convoy", "trace-lock-convoy", "main.handle"},
    {"1.19-convoy", "trace-lock-convoy", "main.handle"},
    {"1.19-polite", NULL, NULL},
    {"1.19-leak", "trace-goroutine-leak", "main.ask"},
    {"1.19-burst", NULL, NULL},
    {"1.19-pointers", "trace-gc-pointers", "main.collect"},
    {"1.19-assists", "trace-assist-storm", "main.allocateNodes"},
    {"1.19-steady", NULL, NULL},
    {"1.19-grow", "trace-map-spike", "main.(*counts).put"},
    {"1.19-presized", NULL, NULL},
};

START_TEST(a_fault_is_found_with_its_place_and_health_is_not_blamed)
{
    char path[512];
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/gotrace/%s.trace.zst",
             cases[_i].file);
    ck_assert_ok(analyse_file(path));
    const fl_sched_report *r = report();
    ck_assert_uint_eq(r->finding_count > 0, cases[_i].finding != NULL);
    size_t found = 0;
    for (size_t i = 0; i < r->finding_count; i++) {
        const fl_sched_finding *finding = &r->findings[i];
        /* who storms does so for a heap full of pointers */
        bool is_it = strcmp(finding->signature->name, cases[_i].finding) == 0;
        ck_assert(is_it || strcmp(finding->signature->name, "trace-gc-pointers") == 0);
        ck_assert_uint_gt(finding->evidence_count, 0);
        found += is_it && strcmp(finding->place.function, cases[_i].function) == 0;
    }
    ck_assert_uint_eq(found, cases[_i].finding != NULL);
}
END_TEST

/* What the steps hold is what the tables hold, within what is open at the end. */
START_TEST(the_course_adds_up_to_the_tables)
{
    static const char *const files[] = {"1.26-convoy", "1.26-storm", "1.22-grow", "1.26-leak"};
    for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
        char path[512];
        snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/gotrace/%s.trace.zst",
                 files[f]);
        ck_assert_ok(analyse_file(path));
        const fl_sched_report *r = report();
        const fl_sched_course *c = r->course;
        fl_sched_proc all = {0}, steps = {0}, procs = {0};
        uint64_t delays = 0, alive = 0;
        int64_t stw_ns = 0, stops_ns = 0;
        for (size_t i = 0; i < r->proc_count; i++) {
            all.running_ns += r->proc_use[i].running_ns;
            all.marking_ns += r->proc_use[i].marking_ns;
            all.idle_ns += r->proc_use[i].idle_ns;
        }
        for (size_t i = 0; i < c->step_count; i++) {
            steps.marking_ns += c->steps[i].marking_ns;
            steps.idle_ns += c->steps[i].idle_ns;
            delays += c->steps[i].latency_count;
            stw_ns += c->steps[i].stw_ns;
            ck_assert_int_le(c->steps[i].stw_ns, c->step_ns);
        }
        for (size_t i = 0; i < c->step_count * c->proc_count; i++)
            procs.marking_ns += c->procs[i].marking_ns;
        for (size_t i = 0; i < r->stop_count; i++)
            stops_ns += r->stops[i].total_ns;
        for (size_t i = 0; i < r->site_count; i++)
            alive += r->sites[i].alive;
        ck_assert_uint_eq(delays, r->latency.count);
        ck_assert_int_eq(steps.idle_ns, all.idle_ns);
        ck_assert_int_ge(steps.marking_ns, all.marking_ns);
        ck_assert_int_eq(steps.marking_ns, procs.marking_ns);
        ck_assert_int_eq(stw_ns, stops_ns);
        ck_assert_int_ge(c->steps[c->step_count - 1].goroutines, (int64_t)alive);
        ck_assert_int_le(c->step_ns * (int64_t)(c->step_count - 1), r->to_ns - r->from_ns);
        ck_assert_int_gt(c->step_ns * (int64_t)c->step_count, r->to_ns - r->from_ns);
    }
}
END_TEST

START_TEST(a_long_trace_has_longer_steps)
{
    is_slow = true;
    begin();
    fl_make_event(&maker, 14, 100, 2, WORK, SPAWN, -1);
    fl_make_event(&maker, 20, 9000, 3, WORK, -1);
    fl_make_event(&maker, 16, 50, 2, 1, -1);
    ck_assert_ok(finish());
    is_slow = false;
    ck_assert_uint_le(report()->course->step_count, FL_SCHED_STEPS);
    ck_assert_uint_gt(report()->course->step_count, FL_SCHED_STEPS / 2 - 1);
    int64_t running_ns = 0;
    for (size_t i = 0; i < report()->course->step_count; i++)
        running_ns += report()->course->steps[i].running_ns;
    ck_assert_int_eq(running_ns, report()->to_ns - report()->from_ns - 50 * INT64_C(1000000000));
}
END_TEST

static void add_own(const char *conditions)
{
    char yaml[2048];
    snprintf(yaml, sizeof(yaml),
             "signatures:\n  - name: trace-lock-convoy\n    title: a\n    verdict: latency\n"
             "    subject: lock\n    prior: 0.8\n    cause: c\n    fix: d\n%s",
             conditions);
    ck_assert_ok(fl_signatures_add(library, fl_slice_of(yaml), "own.yaml", FL_SIGNATURE_OWN, &err));
    ck_assert_ok(analyse_file(FL_SOURCE_DIR "/tests/fixtures/gotrace/1.26-convoy.trace.zst"));
}

START_TEST(ones_own_signature_takes_the_place_of_a_built_in_one)
{
    add_own("    must: [{feature: trace_queue, at_least: 20}]\n");
    ck_assert_uint_eq(report()->finding_count, 0);
}
END_TEST

START_TEST(what_speaks_against_is_said_and_makes_less_sure)
{
    add_own("    must: [{feature: trace_place, matches: handle}]\n"
            "    against:\n"
            "      - {feature: trace_span_s, at_most: 1, text: one second is short}\n"
            "      - {feature: trace_waits, at_most: 5, text: few waits}\n");
    ck_assert_uint_eq(report()->finding_count, 1);
    const fl_sched_finding *finding = &report()->findings[0];
    ck_assert_uint_eq(finding->against_count, 1);
    ck_assert_str_eq(finding->against[0], "one second is short");
    ck_assert_double_eq_tol(finding->confidence, 2.0 / 3, 1e-12);
}
END_TEST

START_TEST(a_signature_of_older_versions_leaves_this_one_alone)
{
    add_own("    go_to: '1.25'\n    must: [{feature: trace_queue, at_least: 3}]\n");
    ck_assert_uint_eq(report()->finding_count, 0);
}
END_TEST

/* Quantiles come out of cells that are an eighth wide: the largest is not beyond what was seen. */
START_TEST(no_quantile_is_above_the_longest)
{
    begin();
    for (int i = 0; i < 30; i++) {
        fl_make_event(&maker, 26, 20000000, 8, 0, -1);
        fl_make_event(&maker, 27, 10000001, -1);
    }
    ck_assert_ok(finish());
    ck_assert_int_eq(report()->stops[0].max_ns, 10000001);
    ck_assert_int_le(report()->stops[0].p50_ns, report()->stops[0].p99_ns);
    ck_assert_int_le(report()->stops[0].p99_ns, 10000001);
    ck_assert_int_ge(report()->stops[0].p99_ns, 10000001 * 7 / 8);
}
END_TEST

/* Of the labelled recordings those that leak goroutines show it within a second; the other faults
 * are of memory, which a trace does not see, and healthy ones are left alone. */
START_TEST(labelled_recordings_are_judged_rightly)
{
    static const char *const recordings[] = {"1.22/gc_oversized_pointer_map",
                                             "1.22/goroutine_park_map",
                                             "1.22/healthy_sawtooth",
                                             "1.22/healthy_warmup",
                                             "1.22/map_grow_only",
                                             "1.22/mapassign_spike",
                                             "1.22/nilmap_rebuild",
                                             "1.22/syncmap_store_only",
                                             "1.22/ticker_not_stopped",
                                             "1.26/gc_oversized_pointer_map",
                                             "1.26/goroutine_park_map",
                                             "1.26/healthy_goroutine_burst",
                                             "1.26/healthy_lru",
                                             "1.26/healthy_sawtooth",
                                             "1.26/healthy_syncmap",
                                             "1.26/healthy_warmup",
                                             "1.26/healthy_worker_pool",
                                             "1.26/map_grow_only",
                                             "1.26/map_never_shrinks",
                                             "1.26/mapassign_spike",
                                             "1.26/nilmap_rebuild",
                                             "1.26/recover_swallow_nilmap",
                                             "1.26/slow_leak_in_churn",
                                             "1.26/sprintf_keys_leak",
                                             "1.26/struct_map_ptr",
                                             "1.26/syncmap_store_only",
                                             "1.26/ticker_not_stopped"};
    const char *shared = getenv("FL_SHARED");
    for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++) {
        char path[512];
        bool leaks = strstr(recordings[i], "goroutine_park") != NULL;
        snprintf(path, sizeof(path), "%s/profiles/go/%s/trace-mid.out.zst",
                 shared != NULL ? shared : FL_SOURCE_DIR "/../shared", recordings[i]);
        if (analyse_file(path) != FL_OK) {
            printf("skipped: no recordings\n");
            return;
        }
        ck_assert_msg(report()->finding_count == leaks, "%s", recordings[i]);
        if (leaks)
            ck_assert_str_eq(report()->findings[0].place.function, "leaklab/cases.startRequest");
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sched");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, waiting_goes_to_what_is_waited_for_and_where);
    tcase_add_test(tc, waiting_in_the_library_alone_is_of_its_outermost_function);
    tcase_add_test(tc, a_trace_that_is_cut_before_its_names_says_so);
    tcase_add_test(tc, sums_stop_at_the_largest_number);
    tcase_add_test(tc, waits_without_a_stack_are_told_by_their_reason);
    tcase_add_test(tc, goroutines_are_counted_by_who_creates_them);
    tcase_add_test(tc, a_collection_has_its_stops_assists_and_heap);
    tcase_add_test(tc, an_assist_costs_only_what_it_runs);
    tcase_add_test(tc, tasks_and_regions_take_their_time);
    tcase_add_test(tc, map_work_is_seen_in_samples_and_other_stacks);
    tcase_add_loop_test(tc, goroutines_leak_where_none_ends_old_or_new, 0,
                        sizeof(turnovers) / sizeof(turnovers[0]));
    tcase_add_test(tc, a_jam_of_a_moment_is_no_convoy);
    tcase_add_test(tc, what_stays_alive_is_of_collections_that_ended);
    tcase_add_test(tc, a_world_that_stands_for_long_is_found);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_loop_test(tc, a_fault_is_found_with_its_place_and_health_is_not_blamed, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tc, no_quantile_is_above_the_longest);
    tcase_add_test(tc, the_course_adds_up_to_the_tables);
    tcase_add_test(tc, a_long_trace_has_longer_steps);
    tcase_add_test(tc, ones_own_signature_takes_the_place_of_a_built_in_one);
    tcase_add_test(tc, what_speaks_against_is_said_and_makes_less_sure);
    tcase_add_test(tc, a_signature_of_older_versions_leaves_this_one_alone);
    tcase_add_test(tc, labelled_recordings_are_judged_rightly);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
