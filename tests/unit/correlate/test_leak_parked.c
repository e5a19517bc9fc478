#include "leak_case.h"

#include <math.h>
#include <string.h>

static const fl_leak_options plain;

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
                              .wait_median = 3,
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

/* Of 30 seconds, 45 were waited; a profile since the program's start tells no rate. */
START_TEST(one_mutex_profile_of_a_known_duration_is_enough)
{
    for (int k = 0; k < 3; k++) {
        static const int64_t seconds[] = {30, 0, 600};
        run r = begin(&plain);
        made_profile m;
        made_begin(&m, FL_PROFILE_MUTEX, START);
        made_sample(&m, "sync.(*Mutex).Unlock:229;main.update:44;main.main:7", 0,
                    (double[]){3000, 45e9});
        m.profile.duration_ns = seconds[k] * MADE_S;
        add(&r, &m);
        const fl_leak_report *report = judge(&r);
        ck_assert_int_eq(report->verdict, k == 0 ? FL_LEAK_LATENCY : FL_LEAK_NOT_ENOUGH_DATA);
        if (k == 0) {
            ck_assert_str_eq(report->findings[0].function, "main.update");
            ck_assert_uint_eq(report->findings[0].line, 44);
            ck_assert_double_eq_tol(report->findings[0].evidence[0].value, 1.5, 1e-9);
        }
        end(&r);
    }
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
        made_heap(&m, SERVE_STACK, 1024, made, 1 * MB);
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

/* A text with goroutines [from, to) of main.wait, sampled as the decoder does it where there are
 * more than fit: few enough here that all are told. */
static void add_text(run *r, uint64_t from, uint64_t to)
{
    static uint64_t ids[FL_GO_SAMPLE];
    const fl_goframe wait = {
        .function = BYTES("main.wait"), .file = BYTES("/srv/app/main.go"), .line = 12};
    const fl_goframe *frames[] = {&wait};
    fl_gogroup group = {.count = to - from,
                        .stack = frames,
                        .stack_count = 1,
                        .state = BYTES("select"),
                        .ids = ids};
    fl_goroutines text = {.form = FL_GOROUTINES_STACKS,
                          .total = to - from,
                          .newest_id = to,
                          .groups = &group,
                          .group_count = 1};
    fl_error err = {0};
    ck_assert_uint_le(to - from, FL_GO_SAMPLE);
    for (uint64_t id = from; id < to; id++)
        ids[group.id_count++] = id;
    ck_assert_ok(fl_leak_add_goroutines(r->leak, &text, 0, &err));
}

static void add_waiting(run *r)
{
    for (int i = 0; i < 9; i++)
        add_goroutines(r, i, "runtime.gopark:462;runtime.selectgo:400;main.wait:12", 100 * (i + 1));
}

START_TEST(goroutines_that_were_all_replaced_are_no_leak)
{
    run r = begin(&plain);
    add_waiting(&r);
    add_text(&r, 1000, 1020);
    add_text(&r, 2000, 2030);
    ck_assert_int_ne(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_str_eq(r.report.findings[0].function, "main.wait");
    ck_assert_int_eq(r.report.findings[0].verdict, FL_LEAK_BOUNDED_GROWTH);
    const fl_leak_evidence *last = &r.report.findings[0].evidence[2];
    ck_assert_str_eq(last->text, "of 20 goroutines whose ids were compared between the texts none "
                                 "was still there in the later one");
    end(&r);
}
END_TEST

START_TEST(goroutines_that_are_still_there_are_surely_a_leak)
{
    run r = begin(&plain);
    add_waiting(&r);
    add_text(&r, 1000, 1030); /* the order of texts does not matter: the newest id tells it */
    add_text(&r, 1000, 1015);
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_double_gt(r.report.confidence, 0.8);
    end(&r);
}
END_TEST

/* Two texts of one moment hold the same goroutines, whatever these do. */
START_TEST(texts_of_one_moment_do_not_make_sure)
{
    run r = begin(&plain);
    add_waiting(&r);
    add_text(&r, 1000, 1030);
    add_text(&r, 1001, 1031);
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_double_le(r.report.confidence, 0.75);
    end(&r);
}
END_TEST

START_TEST(a_few_ids_tell_nothing)
{
    run r = begin(&plain);
    add_waiting(&r);
    add_text(&r, 1000, 1005);
    add_text(&r, 2000, 2005);
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    end(&r);
}
END_TEST

/* Seven snapshots of a number that rises: load does the same, and ids would tell. One text of it
 * tells ages: what is at work for a moment has the newest ids. */
START_TEST(a_number_of_goroutines_over_few_snapshots_is_no_verdict)
{
    static const struct {
        uint64_t from, newest;
        int verdict;
    } texts[] = {{0, 0, FL_LEAK_NOT_ENOUGH_DATA},
                 {10, 30, FL_LEAK_LEAK},
                 {1000, 1020, FL_LEAK_NOT_ENOUGH_DATA}};
    for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
        run r = begin(&plain);
        for (int i = 0; i < 7; i++)
            add_goroutines(&r, i, "runtime.gopark:462;runtime.selectgo:400;main.wait:12",
                           10 + 2 * i);
        if (texts[k].newest > 0)
            add_text(&r, texts[k].from, texts[k].newest);
        ck_assert_int_eq(judge(&r)->verdict, texts[k].verdict);
        ck_assert_str_eq(r.report.findings[0].function, "main.wait");
        ck_assert_double_le(r.report.findings[0].confidence, 0.75);
        end(&r);
    }
}
END_TEST

static Suite *leak_parked_suite(void)
{
    Suite *suite = suite_create("correlate/leak_parked");
    TCase *cases = tcase_create("leak_parked");
    tcase_add_test(cases, parked_goroutines_that_get_more_are_a_leak);
    tcase_add_test(cases, a_pool_of_parked_goroutines_is_none);
    tcase_add_test(cases, a_fatal_error_is_a_crash_and_comes_first);
    tcase_add_test(cases, a_panic_that_was_handled_is_no_crash);
    tcase_add_test(cases, a_lock_that_others_wait_for_is_latency);
    tcase_add_test(cases, one_mutex_profile_of_a_known_duration_is_enough);
    tcase_add_test(cases, a_block_profile_tells_locks_from_idle_workers);
    tcase_add_test(cases, sleepers_of_which_most_woke_follow_the_load);
    tcase_add_test(cases, a_number_of_goroutines_alone_is_never_sure);
    tcase_add_test(cases, waits_as_long_as_the_series_make_goroutines_sure);
    tcase_add_test(cases, goroutines_that_were_all_replaced_are_no_leak);
    tcase_add_test(cases, goroutines_that_are_still_there_are_surely_a_leak);
    tcase_add_test(cases, texts_of_one_moment_do_not_make_sure);
    tcase_add_test(cases, a_few_ids_tell_nothing);
    tcase_add_test(cases, a_number_of_goroutines_over_few_snapshots_is_no_verdict);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_parked_suite)
