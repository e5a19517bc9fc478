#include "leak_case.h"

#include <math.h>
#include <string.h>

static const fl_leak_options plain;

/* Samples of 10 ms in a profile of ten seconds: `count` of `stack`. */
static void add_samples(made_profile *m, const char *stack, double count)
{
    made_sample(m, stack, 0, (double[]){count, count * 1e7});
}

static void begin_cpu(made_profile *m)
{
    made_begin(m, FL_PROFILE_CPU, START + 5 * MINUTE);
    m->profile.duration_ns = 10 * MADE_S;
}

static const fl_leak_evidence *evidence_from(const fl_leak_finding *f, fl_leak_source source)
{
    for (size_t i = 0; i < f->evidence_count; i++) {
        if (f->evidence[i].source == source)
            return &f->evidence[i];
    }
    return NULL;
}

static void add_leak(run *r)
{
    for (int i = 0; i < 10; i++)
        add_heap(r, i, 6 * MB * (i + 1), 5 * MB * (i + 1));
}

/* Names of maps up to Go 1.23, and from 1.24 on. */
static const struct map_stack {
    const char *stack;
    int grows;
} map_stacks[] = {
    {"runtime.mapassign_faststr:203;main.(*store).put:25;main.main:7", 0},
    {"runtime.evacuate:1100;runtime.growWork_faststr:480;runtime.mapassign_faststr:203;"
     "main.(*store).put:25",
     1},
    {"internal/runtime/maps.(*table).rehash:700;internal/runtime/maps.(*table).PutSlot:400;"
     "internal/runtime/maps.(*Map).PutSlot:510;runtime.mapassign:190;main.(*store).put:25",
     1},
};

START_TEST(samples_in_a_map_are_a_second_view_of_a_leak)
{
    run r = begin(&plain);
    made_profile m;
    add_leak(&r);
    begin_cpu(&m);
    add_samples(&m, map_stacks[_i].stack, 3);
    add_samples(&m, "runtime.memmove:1;main.(*store).put:26", 2);
    add_samples(&m, "runtime.mapassign_faststr:203;main.other:25", 70);
    add(&r, &m);
    const fl_leak_finding *f = &judge(&r)->findings[0];
    ck_assert_str_eq(f->function, "main.(*store).put");
    ck_assert(f->support & 1u << FL_LEAK_FROM_CPU);
    const fl_leak_evidence *e = evidence_from(f, FL_LEAK_FROM_CPU);
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->text, map_stacks[_i].grows
                                  ? "of 5 processor samples of this function 3 are in maps: 3 in "
                                    "writes, 3 in growing them"
                                  : "of 5 processor samples of this function 3 are in maps: 3 in "
                                    "writes, 0 in growing them");
    ck_assert_int_eq(e->at_ns, START + 5 * MINUTE);
    end(&r);
}
END_TEST

START_TEST(samples_of_other_functions_say_nothing_of_this_one)
{
    run r = begin(&plain);
    made_profile m;
    add_leak(&r);
    begin_cpu(&m);
    add_samples(&m, "runtime.mapassign_faststr:203;main.other:25;main.(*store).put:30", 70);
    add(&r, &m);
    const fl_leak_finding *f = &judge(&r)->findings[0];
    ck_assert(!(f->support & 1u << FL_LEAK_FROM_CPU));
    ck_assert_ptr_null(evidence_from(f, FL_LEAK_FROM_CPU));
    end(&r);
}
END_TEST

/* Heap profiles never show the hash of a floating-point key. */
START_TEST(signatures_see_the_runtimes_frames_in_processor_samples)
{
    const fl_leak_condition hash = {
        .feature = FL_LEAK_F_FRAMES, .op = FL_LEAK_MATCHES, .pattern = "^runtime\\.f64hash$"};
    const fl_leak_signature s = {.name = "float-keys",
                                 .verdict = FL_LEAK_LEAK,
                                 .subject = FL_LEAK_SITE,
                                 .prior = 0.9,
                                 .must = &hash,
                                 .must_count = 1};
    fl_leak_options options = {.signatures = &s, .signature_count = 1};
    for (int k = 0; k < 2; k++) {
        run r = begin(&options);
        made_profile m;
        add_leak(&r);
        begin_cpu(&m);
        add_samples(&m,
                    k == 0 ? "runtime.f64hash:1;runtime.mapassign:9;main.(*store).put:25"
                           : "runtime.f64hash:1;runtime.mapassign:9;main.other:25",
                    1);
        add(&r, &m);
        const fl_leak_signature *found = judge(&r)->findings[0].signature;
        ck_assert(k == 0 ? found == &s : found == NULL);
        end(&r);
    }
}
END_TEST

/* 100 MB of 800,000 objects that stay, and a collector in `marking` of 400 samples. */
static fl_leak_verdict verdict_of_marking(const char *marking, double samples)
{
    run r = begin(&plain);
    made_profile m;
    for (int i = 0; i < 10; i++) {
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        made_heap(&m, PUT_STACK, 128, 100 * MB, 100 * MB);
        made_heap(&m, SERVE_STACK, 32, 9 * MB * (i + 1), 0);
        add(&r, &m);
    }
    begin_cpu(&m);
    add_samples(&m, marking, samples);
    add_samples(&m, "main.work:3", 400 - samples);
    add(&r, &m);
    fl_leak_verdict verdict = judge(&r)->verdict;
    if (verdict == FL_LEAK_GC_PRESSURE) {
        const fl_leak_finding *f = &r.report.findings[0];
        ck_assert_uint_eq(f->support, 1u << FL_LEAK_FROM_HEAP | 1u << FL_LEAK_FROM_CPU);
        ck_assert_str_eq(evidence_from(f, FL_LEAK_FROM_CPU)->text,
                         "of 400 processor samples 40 % are the collector's and 0 % allocate");
    }
    end(&r);
    return verdict;
}

START_TEST(a_collector_that_takes_a_quarter_of_the_processor_is_pressure)
{
    static const char worker[] = "runtime.scanobject:1;runtime.gcDrain:2;"
                                 "runtime.gcDrainMarkWorkerDedicated:1;runtime.gcBgMarkWorker:7";
    static const char idle[] = "runtime.scanobject:1;runtime.gcDrain:2;"
                               "runtime.gcDrainMarkWorkerIdle:1;runtime.gcBgMarkWorker:7";
    ck_assert_int_eq(verdict_of_marking(worker, 160), FL_LEAK_GC_PRESSURE);
    ck_assert_int_ne(verdict_of_marking(worker, 40), FL_LEAK_GC_PRESSURE);
    /* Workers that use what nobody else wants cost nothing. */
    ck_assert_int_ne(verdict_of_marking(idle, 160), FL_LEAK_GC_PRESSURE);
}
END_TEST

START_TEST(queueing_for_a_lock_is_seen_in_the_samples)
{
    run r = begin(&plain);
    made_profile m;
    for (int i = 0; i < 2; i++) {
        made_begin(&m, FL_PROFILE_MUTEX, START + i * MINUTE);
        made_sample(&m, "sync.(*Mutex).Unlock:229;main.update:44;main.main:7", 0,
                    (double[]){6000 * i, 90e9 * i});
        add(&r, &m);
    }
    begin_cpu(&m);
    add_samples(&m,
                "runtime.procyield:1;sync.(*Mutex).lockSlow:117;sync.(*Mutex).Lock:90;"
                "main.update:40",
                30);
    add_samples(&m, "main.update:41", 70);
    add(&r, &m);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LATENCY);
    ck_assert_double_eq_tol(report->confidence, 0.85, 1e-9);
    ck_assert_str_eq(evidence_from(&report->findings[0], FL_LEAK_FROM_CPU)->text,
                     "of 100 processor samples 30 % go into waiting for locks");
    end(&r);
}
END_TEST

START_TEST(a_share_of_few_samples_is_not_known)
{
    run r = begin(&plain);
    made_profile m;
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 40 * MB * (i + 1), 1 * MB);
    begin_cpu(&m);
    add_samples(&m, "runtime.gcDrain:2;runtime.gcBgMarkWorker:7", 30);
    add(&r, &m);
    const fl_leak_report *report = judge(&r);
    for (size_t i = 0; i < report->ruled_out_count; i++)
        ck_assert_str_ne(report->ruled_out[i].kind, "gc-pressure");
    end(&r);
}
END_TEST

static Suite *leak_cpu_suite(void)
{
    Suite *suite = suite_create("correlate/leak_cpu");
    TCase *cases = tcase_create("leak_cpu");
    tcase_add_loop_test(cases, samples_in_a_map_are_a_second_view_of_a_leak, 0,
                        sizeof(map_stacks) / sizeof(map_stacks[0]));
    tcase_add_test(cases, samples_of_other_functions_say_nothing_of_this_one);
    tcase_add_test(cases, signatures_see_the_runtimes_frames_in_processor_samples);
    tcase_add_test(cases, a_collector_that_takes_a_quarter_of_the_processor_is_pressure);
    tcase_add_test(cases, queueing_for_a_lock_is_seen_in_the_samples);
    tcase_add_test(cases, a_share_of_few_samples_is_not_known);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_cpu_suite)
