/* A whole daemon that reads Kafka, against the cluster that librdkafka mocks. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "fl_folder.h"
#include "fl_test.h"
#include "made_proto.h"
#include "rdkafka_produce.h"
#include "rdkafka_tsan.h"
#include "received.h"
#include "serve_priv.h"
#include "slice.h"
#include "timestamp.h"

static fl_error err;
static fl_folder folder;
static char data[512], store[512];
static fl_config *config;
static fl_serve *serve;
static rd_kafka_t *producer;
static rd_kafka_mock_cluster_t *cluster;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char said[8192];

/* From several threads. */
static void hear(void *payload, const char *sentence)
{
    (void)payload;
    (void)pthread_mutex_lock(&lock);
    size_t len = strlen(said);
    (void)snprintf(said + len, sizeof(said) - len, "%s\n", sentence);
    (void)pthread_mutex_unlock(&lock);
}

static bool has_said(const char *words)
{
    (void)pthread_mutex_lock(&lock);
    bool is_there = strstr(said, words) != NULL;
    (void)pthread_mutex_unlock(&lock);
    return is_there;
}

static void setup(void)
{
    char why[200];
    err = (fl_error){0};
    said[0] = '\0';
    serve = NULL;
    config = NULL;
    fl_folder_open(&folder);
    (void)snprintf(data, sizeof(data), "%s", fl_folder_path(&folder, "data"));
    (void)snprintf(store, sizeof(store), "%s", fl_folder_path(&folder, "store.db"));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why));
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    ck_assert_msg(producer != NULL, "%s", why);
    cluster = rd_kafka_handle_mock_cluster(producer);
}

static void teardown(void)
{
    fl_serve_stop(serve);
    fl_config_destroy(config);
    rd_kafka_destroy(producer);
    fl_folder_remove(&folder);
}

static fl_status start(const char *kafka)
{
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "listen: {http: '127.0.0.1:0', grpc: [], loki: [], zipkin: [], pyroscope: []}\n"
                   "kafka: {%s}\n",
                   kafka);
    const fl_config_input input = {.path = "c.yaml", .text = SLICE(text)};
    ck_assert_ok(fl_config_load(&config, &input, &err));
    const fl_serve_options options = {
        .config = config, .data_path = data, .store = store, .version = "1", .say = hear};
    return fl_serve_start(&serve, &options, &err);
}

/* opentelemetry/proto/collector/logs/v1: resource_logs 1 > (resource 1 > attributes 1),
 * (scope_logs 2 > log_records 2 > time 1, body 5). */
static void produce_log(const char *service, const char *body)
{
    fl_buf value = fl_buf_of(512), one = value, inner = value, logs = value, whole = value;
    made_text(&value, 1, service);
    made_text(&one, 1, "service.name");
    made_message(&one, 2, &value);
    made_message(&inner, 1, &one);
    made_message(&logs, 1, &inner);
    made_text(&value, 1, body);
    made_fixed64(&one, 1, (uint64_t)fl_time_now());
    made_message(&one, 5, &value);
    made_message(&inner, 2, &one);
    made_message(&logs, 2, &inner);
    made_message(&whole, 1, &logs);
    rdkafka_produce(producer, "otlp_logs", 0, fl_buf_slice(&whole));
    fl_buf_dispose(&value);
    fl_buf_dispose(&one);
    fl_buf_dispose(&inner);
    fl_buf_dispose(&logs);
    fl_buf_dispose(&whole);
}

/* Until so many are taken or passed over. */
static fl_kafka_stats wait_for(uint64_t done)
{
    fl_kafka_stats stats = {0};
    for (int i = 0; i < 1500 && stats.taken + stats.refused < done; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 20 * FL_NS_PER_MS}, NULL);
        stats = fl_kafka_stats_of(serve->kafka);
    }
    ck_assert_uint_eq(done, stats.taken + stats.refused);
    return stats;
}

START_TEST(a_message_goes_the_way_of_a_request_and_what_is_no_message_is_told)
{
    char kafka[256];
    received kept = {0};
    fl_buf out = fl_buf_of(1 << 20);
    (void)snprintf(kafka, sizeof(kafka), "brokers: '%s', from_beginning: true",
                   rd_kafka_mock_cluster_bootstraps(cluster));
    for (size_t i = 0; i < 3; i++)
        (void)rd_kafka_mock_topic_create(
            cluster, (const char *const[]){"otlp_logs", "otlp_spans", "otlp_metrics"}[i], 1, 1);
    ck_assert_ok(start(kafka));
    fl_tail_read(serve->tail, UINT64_MAX, &out);
    produce_log("pay", "order of jane@example.com is paid");
    rdkafka_produce(producer, "otlp_spans", 0, SLICE("{\"resourceSpans\":[]}"));
    fl_kafka_stats stats = wait_for(2);
    ck_assert_uint_eq(1, stats.taken);
    ck_assert_uint_eq(3, stats.partitions);

    ck_assert_msg(has_said("Kafka: otlp_spans, partition 0: the message at offset 0 is passed over:"
                           " the body is no protobuf"),
                  "%s", said);

    /* Redacted where it is kept, and where it is looked at. */
    received_init(&kept);
    ck_assert_ok(fl_archive_read(serve->archive, 0, INT64_MAX, &kept.sink, &err));
    ck_assert_uint_eq(1, kept.dump.logs);
    ck_assert_ptr_nonnull(strstr(kept.dump.text.ptr, "is paid"));
    ck_assert_ptr_null(strstr(kept.dump.text.ptr, "jane"));
    received_dispose(&kept);
    fl_buf_clear(&out);
    fl_tail_read(serve->tail, 0, &out);
    ck_assert_ptr_nonnull(strstr(out.ptr, "is paid"));
    ck_assert_ptr_null(strstr(out.ptr, "jane"));

    fl_buf_clear(&out);
    fl_serve_metrics(serve, &out);
    ck_assert_ptr_nonnull(strstr(out.ptr, "\nfaultline_kafka_taken_total 1\n"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "\nfaultline_kafka_refused_total 1\n"));
    fl_buf_clear(&out);
    ck_assert_ok(fl_serve_status(serve, &out, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "\"kafka\""));
    ck_assert_ptr_nonnull(strstr(out.ptr, "\"partitions\": 3"));
    fl_buf_dispose(&out);
}
END_TEST

START_TEST(brokers_that_are_away_keep_no_daemon_from_its_other_work)
{
    ck_assert_ok(start("brokers: '127.0.0.1:1'"));
    ck_assert_int_eq(FL_SERVE_READY, serve->state);
    for (int i = 0; i < 500 && !has_said("Kafka: "); i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 20 * FL_NS_PER_MS}, NULL);
    ck_assert_msg(has_said("Kafka: "), "%s", said);
}
END_TEST

START_TEST(settings_that_librdkafka_refuses_end_the_start)
{
    char kafka[600];
    (void)snprintf(kafka, sizeof(kafka), "brokers: '127.0.0.1:1', ca_file: '%s'",
                   fl_folder_write(&folder, "ca.pem", SLICE("no certificate")));
    ck_assert_fails(FL_E_SYNTAX, start(kafka));
    ck_assert_msg(strstr(err.message, "Kafka: ") == err.message, "%s", err.message);
    ck_assert_ptr_null(serve);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_kafka");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_message_goes_the_way_of_a_request_and_what_is_no_message_is_told);
    tcase_add_test(tests, brokers_that_are_away_keep_no_daemon_from_its_other_work);
    tcase_add_test(tests, settings_that_librdkafka_refuses_end_the_start);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
