#include "signatures.h"

#include <math.h>
#include <stdio.h>

#include "fl_test.h"
#include "mem.h"
#include "regex.h"
#include "slice.h"

static fl_signatures *library;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_signatures_create(&library, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_signatures_destroy(library);
}

static fl_status add(const char *yaml, fl_signature_origin origin)
{
    return fl_signatures_add(library, SLICE(yaml), "own.yaml", origin, &err);
}

/* The first entry of that name; *at is its place. */
static const fl_leak_signature *find(const char *name, size_t *at)
{
    size_t count;
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    for (*at = 0; *at < count; ++*at)
        if (strcmp(items[*at].name, name) == 0)
            return &items[*at];
    ck_abort_msg("no signature %s", name);
}

#define HEAD                                                                                       \
    "signatures:\n"                                                                                \
    "  - name: own\n"                                                                              \
    "    title: A title\n"                                                                         \
    "    verdict: leak\n"                                                                          \
    "    subject: site\n"                                                                          \
    "    cause: why\n"                                                                             \
    "    fix: how\n"
#define MUST "    prior: 0.5\n    must: [{feature: growth_z, at_least: 3.5}]\n"

static const char whole[] =
    HEAD "    prior: 0.5\n"
         "    must: [{feature: growth_z, at_least: 3.5, text: 'it grows'}]\n"
         "    any: [{feature: leaf, matches: '^main'}, {feature: turnover, at_most: 2}]\n"
         "    against: [{feature: frames, lacks: 'x', text: 'no x'}]\n"
         "    forms:\n"
         "      - {go_to: '1.23', must: [{feature: level, at_least: 1e6}]}\n"
         "      - {go_from: '1.24', go_to: '1.26', prior: 0.75}\n"
         "    sketch: |\n"
         "      first\n"
         "        second\n"
         "    references: ['https://example.org/1', 'https://example.org/2']\n";

START_TEST(each_form_becomes_an_entry_with_the_common_conditions_first)
{
    size_t count, line;
    ck_assert_ok(add(whole, FL_SIGNATURE_OWN));
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(items[0].name, "own");
    ck_assert_str_eq(items[1].name, "own");
    ck_assert_int_eq(items[0].verdict, FL_LEAK_LEAK);
    ck_assert_int_eq(items[0].subject, FL_LEAK_SITE);
    ck_assert_int_eq(items[0].go_min, 0);
    ck_assert_int_eq(items[0].go_max, 23);
    ck_assert_int_eq(items[1].go_min, 24);
    ck_assert_int_eq(items[1].go_max, 26);
    ck_assert_double_eq(items[0].prior, 0.5);
    ck_assert_double_eq(items[1].prior, 0.75);
    ck_assert_uint_eq(items[0].must_count, 2);
    ck_assert_int_eq(items[0].must[0].feature, FL_LEAK_F_GROWTH_Z);
    ck_assert_str_eq(items[0].must[0].text, "it grows");
    ck_assert_double_eq(items[0].must[1].value, 1e6);
    ck_assert_uint_eq(items[1].must_count, 1);
    ck_assert_uint_eq(items[0].any_count, 2);
    ck_assert_int_eq(items[0].any[0].op, FL_LEAK_MATCHES);
    ck_assert_str_eq(items[0].any[0].pattern, "^main");
    ck_assert_int_eq(items[0].any[1].op, FL_LEAK_AT_MOST);
    ck_assert_int_eq(items[0].against[0].op, FL_LEAK_LACKS);
    ck_assert_str_eq(items[0].sketch, "first\n  second");
    ck_assert_uint_eq(items[0].reference_count, 2);
    ck_assert_str_eq(items[0].references[1], "https://example.org/2");
    ck_assert_str_eq(fl_signatures_source(library, 1, &line), "own.yaml");
    ck_assert_uint_eq(line, 14);
}
END_TEST

START_TEST(an_own_signature_replaces_all_forms_of_the_built_in_one)
{
    size_t before, after, at;
    ck_assert_ok(add(whole, FL_SIGNATURE_BUILT_IN));
    ck_assert_ok(add(HEAD MUST, FL_SIGNATURE_OWN));
    fl_signatures_items(library, &after);
    ck_assert_uint_eq(after, 1);
    ck_assert_double_eq(find("own", &at)->must[0].value, 3.5);
    ck_assert_fails(FL_E_SYNTAX, add(HEAD MUST, FL_SIGNATURE_OWN));
    ck_assert_str_eq(err.message, "own.yaml:2:1: own stands already in own.yaml, line 2");
    fl_signatures_items(library, &before);
    ck_assert_uint_eq(before, 1);
}
END_TEST

START_TEST(the_built_in_library_is_sound)
{
    size_t count;
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    ck_assert_uint_ge(count, 36);
    for (size_t i = 0; i < count; i++) {
        ck_assert(items[i].prior > 0 && items[i].prior < 1);
        ck_assert_uint_ge(items[i].must_count, 1);
        ck_assert_uint_ge(items[i].reference_count, 1);
        ck_assert(i == 0 || strcmp(items[i - 1].name, items[i].name) <= 0);
    }
}
END_TEST

/* Every kind that the library is to know, and the runtimes in which it is true. */
static const struct gate {
    const char *name;
    int first_max, last_min; /* go_max of the first form and go_min of the last; 0: none */
} gates[] = {
    {"map-only-grows", 23, 24},
    {"map-values-grow", 0, 0},
    {"map-never-shrinks", 0, 0},
    {"nil-map-rebuilt", 23, 24},
    {"map-aliased", 0, 0},
    {"sync-map-never-deleted", 23, 24},
    {"sync-map-dirty-copies", 23, 0},
    {"built-keys-kept", 0, 0},
    {"keys-never-match", 0, 0},
    {"nan-keys", 0, 0},
    {"closures-in-registry", 0, 0},
    {"goroutines-parked", 0, 0},
    {"blocked-sends", 0, 0},
    {"tickers-not-stopped", 22, 23},
    {"timers-in-loop", 0, 0},
    {"contexts-not-cancelled", 0, 0},
    {"sub-slice-pins-buffer", 0, 0},
    {"expiry-misses-entries", 0, 0},
    {"recover-skips-cleanup", 0, 0},
    {"label-cardinality", 0, 0},
    {"http-bodies-not-closed", 0, 0},
    {"concurrent-map-writes", 0, 0},
    {"gc-pointer-rich-heap", 0, 0},
    {"map-growth-pauses", 23, 0},
    {"coarse-growth", 0, 0},
};

START_TEST(each_kind_is_there_for_the_runtimes_in_which_it_is_true)
{
    size_t count, at;
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
    const fl_leak_signature *items = fl_signatures_items(library, &count);
    ck_assert_int_eq(find(gates[_i].name, &at)->go_max, gates[_i].first_max);
    while (at + 1 < count && strcmp(items[at + 1].name, gates[_i].name) == 0)
        at++;
    ck_assert_int_eq(items[at].go_min, gates[_i].last_min);
}
END_TEST

/* Names as runtimes write them into profiles. */
static const struct frame {
    const char *signature, *frame;
    bool is_met;
} frames[] = {
    {"sync-map-never-deleted", "sync.(*Map).Swap", true},
    {"sync-map-dirty-copies", "sync.(*Map).dirtyLocked", true},
    {"sync-map-dirty-copies", "sync.(*Map).Store", false},
    {"tickers-not-stopped", "time.NewTicker", true},
    {"tickers-not-stopped", "time.Now", false},
    {"timers-in-loop", "time.After", true},
    {"contexts-not-cancelled", "context.WithTimeout", true},
    {"contexts-not-cancelled", "context.(*cancelCtx).propagateCancel", true},
    {"contexts-not-cancelled", "context.Background", false},
    {"built-keys-kept", "fmt.Sprintf", true},
    {"built-keys-kept", "strconv.Itoa", true},
    {"built-keys-kept", "fmt.Fprintf", false},
    {"http-bodies-not-closed", "net/http.(*persistConn).writeLoop", true},
    {"http-bodies-not-closed", "net/http.(*conn).serve", false},
    {"label-cardinality",
     "github.com/prometheus/client_golang/prometheus.(*metricMap)."
     "getOrCreateMetricWithLabelValues",
     true},
    {"label-cardinality",
     "github.com/prometheus/client_golang/prometheus.(*CounterVec).WithLabelValues", true},
    {"label-cardinality", "go.opentelemetry.io/otel/sdk/metric/internal/aggregate.newBuckets",
     true},
    {"contexts-not-cancelled-goroutines", "context.(*cancelCtx).propagateCancel.func2", true},
    {"nan-keys", "runtime.f64hash", true},
};

START_TEST(frames_are_told_by_the_names_that_runtimes_write)
{
    size_t at;
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
    const fl_leak_signature *signature = find(frames[_i].signature, &at);
    for (size_t i = 0; i < signature->must_count; i++) {
        fl_regex *regex;
        bool matched;
        if (signature->must[i].feature != FL_LEAK_F_FRAMES)
            continue;
        ck_assert_ok(fl_regex_create(&regex, SLICE(signature->must[i].pattern), false, &err));
        ck_assert_ok(fl_regex_match(&matched, regex, SLICE(frames[_i].frame), &err));
        fl_regex_destroy(regex);
        ck_assert_msg(matched == frames[_i].is_met, "%s of %s", frames[_i].frame,
                      frames[_i].signature);
        return;
    }
    ck_abort_msg("%s has no condition on frames", frames[_i].signature);
}
END_TEST

static const struct bad {
    const char *yaml, *message;
} bad[] = {
    {"", "own.yaml:1:1: the document is empty"},
    {"[]", "own.yaml:1:1: the document is a mapping"},
    {"{}", "own.yaml:1:1: signatures is missing"},
    {"rules: []", "own.yaml:1:1: the document has no key 'rules'"},
    {"signatures: 1", "own.yaml:1:1: signatures is a list"},
    {"signatures: [a]", "own.yaml:1:14: a signature is a mapping"},
    {"signatures: [{}]", "own.yaml:1:14: name is missing"},
    {"signatures: [{name: a, x: b}]", "own.yaml:1:24: a signature has no key 'x'"},
    {"signatures: [{name: Map}]",
     "own.yaml:1:15: a name has small letters, digits and '-', at most 48"},
    {"signatures: [{name: a-}]",
     "own.yaml:1:15: a name has small letters, digits and '-', at most 48"},
    {"signatures: [{name: [a]}]", "own.yaml:1:15: name is a text"},
    {"signatures: [{name: a, title: ' '}]", "own.yaml:1:24: title is a text"},
    {"signatures: [{name: a, title: b}]", "own.yaml:1:14: verdict is missing"},
    {"signatures: [{name: a, title: b, verdict: bad}]",
     "own.yaml:1:34: verdict is one of leak, bounded-growth, churn, retention, latency, "
     "gc-pressure, crash, no-leak"},
    {"signatures: [{name: a, title: b, verdict: leak, subject: c}]",
     "own.yaml:1:49: subject is one of site, goroutines, lock, program"},
    {"signatures: [{name: a, title: b, verdict: leak, subject: site, prior: 1}]",
     "own.yaml:1:64: prior is a number between 0 and 1"},
    {"signatures: [{name: a, title: b, verdict: leak, subject: site}]",
     "own.yaml:1:14: cause is missing"},
    {HEAD "    prior: 0.5\n", "own.yaml:2:5: must has at least one condition"},
    {HEAD "    must: [{feature: growth_z, at_least: 1}]\n", "own.yaml:2:5: prior is missing"},
    {HEAD "    prior: 0.5\n    must: [{feature: growth_z, at_least: 1}]\n"
          "    any: [{feature: trace_queue, at_least: 1}]\n",
     "own.yaml:2:5: growth_z is measured in profiles and trace_queue in traces: no subject has"
     " both"},
    {HEAD "    must: 1\n", "own.yaml:8:5: must is a list"},
    {HEAD "    must: [a]\n", "own.yaml:8:12: a condition is a mapping"},
    {HEAD "    must: [{}]\n", "own.yaml:8:12: feature is missing"},
    {HEAD "    must: [{feature: size}]\n",
     "own.yaml:8:13: there is no feature 'size'; 'faultline help signatures'"},
    {HEAD "    must: [{feature: level}]\n",
     "own.yaml:8:12: a condition has at_least, at_most, matches or lacks"},
    {HEAD "    must: [{feature: level, at_least: 1, at_most: 2}]\n",
     "own.yaml:8:12: a condition compares once"},
    {HEAD "    must: [{feature: level, matches: a}]\n",
     "own.yaml:8:29: level is a number: use at_least or at_most"},
    {HEAD "    must: [{feature: leaf, at_least: 1}]\n",
     "own.yaml:8:28: leaf is a text: use matches or lacks"},
    {HEAD "    must: [{feature: level, at_least: big}]\n", "own.yaml:8:29: at_least is a number"},
    {HEAD "    must: [{feature: level, at_least: .inf}]\n", "own.yaml:8:29: at_least is a number"},
    {HEAD "    must: [{feature: level, at_least: [1]}]\n",
     "own.yaml:8:29: at_least is a plain value"},
    {HEAD "    must: [{feature: leaf, matches: ''}]\n", "own.yaml:8:28: a pattern is not empty"},
    {HEAD "    must: [{feature: leaf, matches: '('}]\n",
     "own.yaml:8:28: pattern '(': missing closing parenthesis"},
    {HEAD MUST "    against: [{feature: level, at_least: 1}]\n",
     "own.yaml:10:15: a condition under against has a text"},
    {HEAD MUST "    forms: []\n", "own.yaml:10:5: forms is a list of at least one"},
    {HEAD MUST "    forms: [{name: a}]\n", "own.yaml:10:14: a form has no key 'name'"},
    {HEAD MUST "    go_to: '1.23'\n    forms: [{}]\n",
     "own.yaml:2:5: with forms, go_from and go_to stand in them"},
    {HEAD MUST "    go_to: 23\n", "own.yaml:10:5: go_to is a Go version like '1.24', in quotes"},
    {HEAD MUST "    go_to: 1.x\n", "own.yaml:10:5: go_to is a Go version like '1.24', in quotes"},
    {HEAD MUST "    go_to: '1.'\n", "own.yaml:10:5: go_to is a Go version like '1.24', in quotes"},
    {HEAD MUST "    go_to: '1.22'\n    go_from: '1.23'\n",
     "own.yaml:10:5: go_to is before go_from"},
    {HEAD MUST "    references: a\n", "own.yaml:10:5: references is a list"},
    {HEAD MUST "    references: ['http://a']\n",
     "own.yaml:10:18: a reference is an address that begins with https://"},
    {HEAD MUST "    references: [\"https://a\\e[1m\"]\n",
     "own.yaml:10:18: a reference is an address that begins with https://"},
    {HEAD MUST "  - {name: own, title: b, verdict: leak, subject: site, cause: c, fix: d}\n",
     "own.yaml:10:5: the name own is given twice"},
};

START_TEST(a_bad_document_is_refused_with_its_place_and_changes_nothing)
{
    size_t count;
    ck_assert_ok(
        fl_signatures_add(library, SLICE("signatures: []"), "a.yaml", FL_SIGNATURE_OWN, &err));
    ck_assert_fails(FL_E_SYNTAX, add(bad[_i].yaml, FL_SIGNATURE_OWN));
    ck_assert_str_eq(err.message, bad[_i].message);
    fl_signatures_items(library, &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(every_prefix_is_taken_whole_or_not_at_all)
{
    for (size_t len = 0; len <= sizeof(whole) - 1; len++) {
        size_t count;
        fl_signatures *own;
        ck_assert_ok(fl_signatures_create(&own, &err));
        fl_error inner = {0};
        fl_status status =
            fl_signatures_add(own, (fl_slice){.ptr = (const unsigned char *)whole, .len = len},
                              "own.yaml", FL_SIGNATURE_OWN, &inner);
        fl_signatures_items(own, &count);
        ck_assert_msg(status == FL_OK || (status == FL_E_SYNTAX && count == 0), "%zu: %s", len,
                      inner.message);
        fl_signatures_destroy(own);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status == FL_E_NOMEM && n < 1000; n++) {
        fl_signatures *own = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_signatures_create(&own, &err);
        if (status == FL_OK)
            status = fl_signatures_add(own, SLICE(whole), "own.yaml", FL_SIGNATURE_OWN, &err);
        fl_mem_fail_after(-1);
        fl_signatures_destroy(own);
    }
    ck_assert_ok(status);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("signatures");
    TCase *cases = tcase_create("signatures");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, each_form_becomes_an_entry_with_the_common_conditions_first);
    tcase_add_test(cases, an_own_signature_replaces_all_forms_of_the_built_in_one);
    tcase_add_test(cases, the_built_in_library_is_sound);
    tcase_add_loop_test(cases, each_kind_is_there_for_the_runtimes_in_which_it_is_true, 0,
                        sizeof(gates) / sizeof(gates[0]));
    tcase_add_loop_test(cases, frames_are_told_by_the_names_that_runtimes_write, 0,
                        sizeof(frames) / sizeof(frames[0]));
    tcase_add_loop_test(cases, a_bad_document_is_refused_with_its_place_and_changes_nothing, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, every_prefix_is_taken_whole_or_not_at_all);
    tcase_add_test(cases, every_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
