#include "roles.h"

#include <stdio.h>

#include "fl_test.h"
#include "mem.h"

static fl_roles *roles;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_roles_create(&roles, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_roles_destroy(roles);
}

static fl_metric_role find(const char *metric, const char *unit)
{
    fl_metric_role role;
    ck_assert_ok(fl_roles_find(&role, roles, SLICE(metric), SLICE(unit), &err));
    return role;
}

static void add(const char *yaml)
{
    ck_assert_ok(fl_roles_add(roles, SLICE(yaml), "own.yaml", &err));
}

static void add_built_in(void)
{
    static char text[64 << 10];
    FILE *file = fopen(FL_SOURCE_DIR "/schemas/metric-roles.yaml", "rb");
    ck_assert_ptr_nonnull(file);
    size_t len = fread(text, 1, sizeof(text), file);
    fclose(file);
    ck_assert_ok(
        fl_roles_add(roles, (fl_slice){(unsigned char *)text, len}, "metric-roles.yaml", &err));
}

START_TEST(an_empty_table_calls_everything_other)
{
    fl_metric_role role = find("cpu", "%");
    ck_assert_int_eq(role.role, FL_ROLE_OTHER);
    ck_assert_int_eq(role.scale, FL_SCALE_VALUE);
    ck_assert_double_eq(role.share_of, 1);
    ck_assert(!role.is_host);
    ck_assert_int_eq(role.bad_when, 0);
}
END_TEST

/* metric, unit, role, share of (0: a value), is host, bad when */
static const struct known {
    const char *metric, *unit, *role;
    double share_of;
    bool is_host;
    int bad_when;
} known[] = {
    /* the recordings' */
    {"pod_cpu_usage_percent", "%", "cpu", 100, false, 1},
    {"pod_cpu_usage_millicores", "m{cpu}", "cpu", 0, false, 1},
    {"pod_memory_usage_percent", "%", "memory", 100, false, 1},
    {"pod_memory_usage_mebibytes", "MiBy", "memory", 0, false, 1},
    {"pod_network_receive_bytes_per_second", "By/s", "network", 0, false, 0},
    {"pod_network_transmit_bytes_per_second", "By/s", "network", 0, false, 0},
    {"pod_syscall_read_bytes", "By", "disk", 0, false, 0},
    {"pod_syscall_write_bytes", "By", "disk", 0, false, 0},
    {"pod_success_percent", "%", "errors", 100, false, -1},
    {"pod_requests_per_second", "{request}/s", "traffic", 0, false, 0},
    {"pod_client_latency_p90_seconds", "s", "latency", 0, false, 1},
    {"pod_client_latency_p99_seconds", "s", "latency", 0, false, 1},
    {"pod_server_latency_p95_seconds", "s", "latency", 0, false, 1},
    {"node_cpu_usage_percent", "%", "cpu", 100, true, 1},
    {"node_memory_usage_percent", "%", "memory", 100, true, 1},
    {"node_network_receive_bytes_per_second", "By/s", "network", 0, true, 1},
    {"entry_success_percent", "%", "errors", 100, false, -1},
    {"entry_latency_p50_seconds", "s", "latency", 0, false, 1},
    {"latency_seconds", "s", "latency", 0, false, 1},
    {"requests", "{request}", "traffic", 0, false, 0},
    {"availability_percent", "%", "errors", 100, false, -1},
    /* OpenTelemetry's semantic conventions */
    {"http.server.request.duration", "s", "latency", 0, false, 1},
    {"http.client.request.duration", "s", "latency", 0, false, 1},
    {"http.server.active_requests", "{request}", "traffic", 0, false, 0},
    {"http.server.request.body.size", "By", "traffic", 0, false, 0},
    {"rpc.server.duration", "ms", "latency", 0, false, 1},
    {"db.client.connection.count", "{connection}", "pool", 0, false, 0},
    {"db.client.connection.pending_requests", "{request}", "pool", 0, false, 1},
    {"db.client.connection.timeouts", "{timeout}", "pool", 0, false, 1},
    {"db.client.connection.wait_time", "s", "pool", 0, false, 1},
    {"db.client.operation.duration", "s", "latency", 0, false, 1},
    {"messaging.client.sent.messages", "{message}", "traffic", 0, false, 0},
    {"go.memory.used", "By", "memory", 0, false, 1},
    {"go.memory.allocated", "By", "memory", 0, false, 1},
    {"go.goroutine.count", "{goroutine}", "other", 0, false, 0},
    {"jvm.memory.used", "By", "memory", 0, false, 1},
    {"jvm.cpu.recent_utilization", "1", "cpu", 1, false, 1},
    {"process.cpu.utilization", "1", "cpu", 1, false, 1},
    {"process.cpu.time", "s", "cpu", 0, false, 1},
    {"process.memory.usage", "By", "memory", 0, false, 1},
    {"k8s.pod.cpu.usage", "{cpu}", "cpu", 0, false, 1},
    {"k8s.pod.memory.working_set", "By", "memory", 0, false, 1},
    {"container.memory.usage", "By", "memory", 0, false, 1},
    {"system.cpu.utilization", "1", "cpu", 1, true, 1},
    {"system.cpu.time", "s", "cpu", 0, true, 1},
    {"system.memory.utilization", "1", "memory", 1, true, 1},
    {"system.memory.usage", "By", "memory", 0, true, 1},
    {"system.network.io", "By", "network", 0, true, 1},
    {"system.disk.io", "By", "disk", 0, true, 1},
    {"system.filesystem.usage", "By", "disk", 0, true, 1},
    {"nodejs.eventloop.delay.p99", "s", "other", 0, false, 0},
    /* Prometheus exporters, cAdvisor, Hikari, kafka, meshes */
    {"process_cpu_seconds_total", "", "cpu", 0, false, 1},
    {"process_resident_memory_bytes", "", "memory", 0, false, 1},
    {"container_cpu_usage_seconds_total", "", "cpu", 0, false, 1},
    {"container_memory_working_set_bytes", "", "memory", 0, false, 1},
    {"container_memory_rss", "", "memory", 0, false, 1},
    {"container_network_receive_bytes_total", "", "network", 0, false, 0},
    {"container_network_transmit_packets_dropped_total", "", "errors", 0, false, 1},
    {"container_fs_writes_bytes_total", "", "disk", 0, false, 0},
    {"node_cpu_seconds_total", "", "cpu", 0, true, 1},
    {"node_memory_MemAvailable_bytes", "", "memory", 0, true, -1},
    {"node_network_receive_bytes_total", "", "network", 0, true, 1},
    {"node_disk_io_time_seconds_total", "", "disk", 0, true, 1},
    {"node_filesystem_avail_bytes", "", "disk", 0, true, -1},
    {"http_requests_total", "", "traffic", 0, false, 0},
    {"http_request_duration_seconds", "", "latency", 0, false, 1},
    {"istio_request_duration_milliseconds", "", "latency", 0, false, 1},
    {"http_requests_errors_total", "", "errors", 0, false, 1},
    {"grpc_server_handled_total", "", "other", 0, false, 0},
    {"hikaricp_connections_pending", "", "pool", 0, false, 1},
    {"redis_pool_timeouts", "", "pool", 0, false, 1},
    {"kafka_consumer_lag", "", "queue", 0, false, 1},
    {"queue_depth", "", "queue", 0, false, 1},
    {"executor_queued_tasks", "", "queue", 0, false, 1},
    {"request_success_ratio", "1", "errors", 1, false, -1},
    {"request_success_rate", "", "errors", 1, false, -1},
    {"error_ratio", "1", "errors", 1, false, 1},
    {"http_fail_percent", "%", "errors", 100, false, 1},
    {"Go.Memory.Used", "By", "memory", 0, false, 1},
    {"temperature", "Cel", "other", 0, false, 0},
    {"", "", "other", 0, false, 0},
};

START_TEST(the_built_in_rules_know_what_telemetry_calls_things)
{
    add_built_in();
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct known *want = &known[i];
        fl_metric_role got = find(want->metric, want->unit);
        ck_assert_msg(strcmp(fl_role_name(got.role), want->role) == 0, "%s is %s, not %s",
                      want->metric, fl_role_name(got.role), want->role);
        ck_assert_msg((got.scale == FL_SCALE_SHARE) == (want->share_of > 0), "%s: scale",
                      want->metric);
        ck_assert_msg(want->share_of == 0 || got.share_of == want->share_of, "%s: of %g",
                      want->metric, got.share_of);
        ck_assert_msg(got.is_host == want->is_host, "%s: host", want->metric);
        ck_assert_msg(got.bad_when == want->bad_when, "%s: bad %d", want->metric, got.bad_when);
    }
}
END_TEST

START_TEST(a_users_file_goes_before_the_built_in_one)
{
    add("rules:\n- {match: '^pod_cpu', role: queue, bad: down}\n");
    add_built_in();
    ck_assert_int_eq(find("pod_cpu_usage_percent", "%").role, FL_ROLE_QUEUE);
    ck_assert_int_eq(find("pod_cpu_usage_percent", "%").bad_when, -1);
    ck_assert_int_eq(find("my_pod_cpu_usage_percent", "%").role, FL_ROLE_CPU);
}
END_TEST

START_TEST(a_unit_must_match_as_a_whole)
{
    add("rules:\n- {match: x, unit: 's|ms', role: latency}\n- {match: x, unit: '', role: disk}\n");
    ck_assert_int_eq(find("x", "s").role, FL_ROLE_LATENCY);
    ck_assert_int_eq(find("x", "ms").role, FL_ROLE_LATENCY);
    ck_assert_int_eq(find("x", "ns").role, FL_ROLE_OTHER);
    ck_assert_int_eq(find("x", "s/s").role, FL_ROLE_OTHER);
    ck_assert_int_eq(find("x", "").role, FL_ROLE_DISK);
}
END_TEST

START_TEST(every_key_is_read)
{
    add("rules:\n- match: a\n  role: memory\n  scale: share\n  of: 2.5\n  host: true\n  bad: "
        "either\n"
        "- match: b\n  role: cpu\n  scale: value\n  host: false\n  bad: down\n");
    fl_metric_role a = find("a", ""), b = find("b", "");
    ck_assert_int_eq(a.scale, FL_SCALE_SHARE);
    ck_assert_double_eq(a.share_of, 2.5);
    ck_assert(a.is_host);
    ck_assert_int_eq(a.bad_when, 0);
    ck_assert_int_eq(b.scale, FL_SCALE_VALUE);
    ck_assert(!b.is_host);
    ck_assert_int_eq(b.bad_when, -1);
}
END_TEST

START_TEST(every_role_has_its_word)
{
    static const char *const words[] = {"other",  "traffic", "errors", "latency", "cpu",
                                        "memory", "network", "disk",   "pool",    "queue"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char yaml[64], name[8];
        snprintf(yaml, sizeof(yaml), "rules: [{match: '^m%zu$', role: %s}]", i, words[i]);
        add(yaml);
        snprintf(name, sizeof(name), "m%zu", i);
        ck_assert_str_eq(fl_role_name(find(name, "").role), words[i]);
    }
}
END_TEST

START_TEST(an_empty_list_of_rules_is_taken)
{
    add("rules: []\n");
    ck_assert_int_eq(find("cpu", "").role, FL_ROLE_OTHER);
}
END_TEST

#define RULE "rules:\n- "

static const struct refused {
    const char *yaml, *message;
    uint64_t offset;
} refused[] = {
    {"", "own.yaml:1:1: the document is empty", 0},
    {"# nothing\n", "own.yaml:2:1: the document is empty", 10},
    {"- a\n", "own.yaml:1:1: expected a mapping with the key rules", 0},
    {"rules", "own.yaml:1:1: expected a mapping with the key rules", 0},
    {"{}", "own.yaml:1:1: expected a mapping with the key rules", 0},
    {"[rules]: x", "own.yaml:1:1: a key is a plain word", 0},
    {"? [a]\n: b\n", "own.yaml:1:3: a key is a plain word", 2},
    {"ruels: []\n", "own.yaml:1:1: expected a mapping with the key rules", 0},
    {"rules: cpu\n", "own.yaml:1:1: rules is a list", 7},
    {"rules: {}\n", "own.yaml:1:1: rules is a list", 7},
    {"rules: []\nmore: 1\n", "own.yaml:2:1: rules is the only key", 16},
    {"rules: []\n---\nrules: []\n", "own.yaml:2:1: one document only", 10},
    {RULE "cpu\n", "own.yaml:2:3: a rule is a mapping", 9},
    {RULE "[match]\n", "own.yaml:2:3: a rule is a mapping", 9},
    {RULE "{[match]: x}\n", "own.yaml:2:4: a key is a plain word", 10},
    {RULE "{match: x}\n", "own.yaml:2:3: a rule needs match and role", 9},
    {RULE "{role: cpu}\n", "own.yaml:2:3: a rule needs match and role", 9},
    {RULE "{match: x, rôle: cpu}\n",
     "own.yaml:2:14: a rule has the keys match, unit, role, scale, of, host, bad", 26},
    {RULE "match: x\n  role: cpu\n  role: disk\n", "own.yaml:4:3: this key is given twice", 32},
    {RULE "match: x\n  role: [cpu]\n", "own.yaml:3:3: expected a plain value", 26},
    {RULE "match: {}\n", "own.yaml:2:3: expected a plain value", 16},
    {RULE "{match: x, role: CPU}\n",
     "own.yaml:2:14: role is one of traffic, errors, latency, cpu, memory, network, disk, pool, "
     "queue, other",
     26},
    {RULE "{match: x, role: a-word-longer-than-any-role}\n",
     "own.yaml:2:14: role is one of traffic, errors, latency, cpu, memory, network, disk, pool, "
     "queue, other",
     26},
    {RULE "{match: x, role: ''}\n",
     "own.yaml:2:14: role is one of traffic, errors, latency, cpu, memory, network, disk, pool, "
     "queue, other",
     26},
    {RULE "{match: x, role: cpu, scale: log}\n", "own.yaml:2:25: scale is share or value", 38},
    {RULE "{match: x, role: cpu, of: none}\n", "own.yaml:2:25: of is a number above 0", 35},
    {RULE "{match: x, role: cpu, of: 0}\n", "own.yaml:2:25: of is a number above 0", 35},
    {RULE "{match: x, role: cpu, of: -1}\n", "own.yaml:2:25: of is a number above 0", 35},
    {RULE "{match: x, role: cpu, of: 1e999}\n", "own.yaml:2:25: of is a number above 0", 35},
    {RULE "{match: x, role: cpu, of: .inf}\n", "own.yaml:2:25: of is a number above 0", 35},
    {RULE "{match: x, role: cpu, host: yes}\n", "own.yaml:2:25: host is true or false", 37},
    {RULE "{match: x, role: cpu, bad: sideways}\n", "own.yaml:2:25: bad is up, down or either", 36},
    {RULE "{match: '(', role: cpu}\n", "own.yaml:2:4: pattern '(': missing closing parenthesis",
     17},
    {RULE "{match: x, unit: '[', role: cpu}\n",
     "own.yaml:2:14: pattern '^(?:[)$': missing terminating ] for character class", 26},
    {RULE "&a {match: x, role: cpu}\n- *a\n", "own.yaml:3:3: aliases are not taken here", 36},
    {"rules: &a\n- *a\n", "own.yaml:2:3: aliases are not taken here", 12},
    /* the laugh bomb */
    {"rules:\n- match: &a x\n  unit: *a\n", "own.yaml:3:9: aliases are not taken here", 29},
    /* libyaml's own sentences */
    {"rules: [", "own.yaml:2:1: did not find expected node content", 8},
    {RULE "{match: x, role: cpu\n", "own.yaml:3:1: did not find expected ',' or '}'", 30},
    {"rules:\n\t- x\n", "own.yaml:2:1: found character that cannot start any token", 7},
    {RULE "match: x: y\n", "own.yaml:2:11: mapping values are not allowed in this context", 17},
    {"rules: \"", "own.yaml:1:9: found unexpected end of stream", 8},
    {"rules:\n- \x01\n", "own.yaml:2:3: control characters are not allowed", 9},
    {"rules: é\xff\n", "own.yaml:1:9: invalid leading UTF-8 octet", 9},
};

START_TEST(a_malformed_document_is_refused_with_its_place)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        fl_error own = {0};
        fl_status status = fl_roles_add(roles, SLICE(refused[i].yaml), "own.yaml", &own);
        ck_assert_msg(status == FL_E_SYNTAX, "%s\nwas taken", refused[i].yaml);
        ck_assert_str_eq(own.message, refused[i].message);
        ck_assert_msg(own.offset == refused[i].offset, "%s at %d", own.message, (int)own.offset);
    }
}
END_TEST

START_TEST(a_pattern_has_a_ceiling)
{
    char yaml[700] = RULE "{role: cpu, match: '";
    size_t len = strlen(yaml);
    memset(yaml + len, 'x', 505);
    snprintf(yaml + len + 505, sizeof(yaml) - len - 505, "'}");
    ck_assert_fails(FL_E_SYNTAX, fl_roles_add(roles, SLICE(yaml), "own.yaml", &err));
    ck_assert_str_eq(err.message, "own.yaml:2:15: a pattern has at most 500 characters");
}
END_TEST

START_TEST(the_table_has_a_ceiling)
{
    static char yaml[64 << 10];
    size_t len = (size_t)snprintf(yaml, sizeof(yaml), "rules:\n");
    for (size_t i = 0; i < 1025; i++)
        len += (size_t)snprintf(yaml + len, sizeof(yaml) - len, "- {match: x, role: cpu}\n");
    ck_assert_fails(FL_E_SYNTAX, fl_roles_add(roles, SLICE(yaml), "own.yaml", &err));
    ck_assert_str_eq(err.message, "own.yaml:1026:3: more than 1024 rules");
    ck_assert_int_eq(find("x", "").role, FL_ROLE_CPU); /* what stands before it is used */
}
END_TEST

START_TEST(deep_nesting_is_refused_at_once)
{
    static char yaml[100010] = "rules:\n- {match: ";
    memset(yaml + strlen(yaml), '[', 100000 - strlen(yaml));
    ck_assert_fails(FL_E_SYNTAX, fl_roles_add(roles, SLICE(yaml), "own.yaml", &err));
    ck_assert_str_eq(err.message, "own.yaml:2:24: nested more than 16 deep");
}
END_TEST

static const char *const good =
    "rules:\n- {match: 'cpu|load', unit: '%', role: cpu, scale: share, of: 100}\n"
    "- match: x\n  role: disk\n";

START_TEST(each_prefix_of_a_good_document_fails_cleanly_or_is_good)
{
    for (size_t len = 0; len < strlen(good); len++) {
        fl_error own = {0};
        fl_roles *part;
        ck_assert_ok(fl_roles_create(&part, &err));
        fl_status status =
            fl_roles_add(part, (fl_slice){(const unsigned char *)good, len}, "own.yaml", &own);
        ck_assert(status == FL_OK || status == FL_E_SYNTAX);
        ck_assert_int_eq(status == FL_OK, own.message[0] == '\0');
        ck_assert(status == FL_OK || strncmp(own.message, "own.yaml:", 9) == 0);
        fl_roles_destroy(part);
    }
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    for (long allowed = 0;; allowed++) {
        fl_roles *part = NULL;
        fl_mem_fail_after(allowed);
        fl_status status = fl_roles_create(&part, NULL);
        if (status == FL_OK)
            status = fl_roles_add(part, SLICE(good), "own.yaml", NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || allowed < 1000);
        fl_roles_destroy(part);
        if (status == FL_OK)
            break;
        ck_assert_int_eq(status, FL_E_NOMEM);
    }
}
END_TEST

static Suite *roles_suite(void)
{
    Suite *suite = suite_create("timeline/roles");
    TCase *cases = tcase_create("roles");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_empty_table_calls_everything_other);
    tcase_add_test(cases, the_built_in_rules_know_what_telemetry_calls_things);
    tcase_add_test(cases, a_users_file_goes_before_the_built_in_one);
    tcase_add_test(cases, a_unit_must_match_as_a_whole);
    tcase_add_test(cases, every_key_is_read);
    tcase_add_test(cases, every_role_has_its_word);
    tcase_add_test(cases, an_empty_list_of_rules_is_taken);
    tcase_add_test(cases, a_malformed_document_is_refused_with_its_place);
    tcase_add_test(cases, a_pattern_has_a_ceiling);
    tcase_add_test(cases, the_table_has_a_ceiling);
    tcase_add_test(cases, deep_nesting_is_refused_at_once);
    tcase_add_test(cases, each_prefix_of_a_good_document_fails_cleanly_or_is_good);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(roles_suite)
