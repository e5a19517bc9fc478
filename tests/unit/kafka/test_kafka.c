/*
 * Against the cluster of three brokers that librdkafka mocks inside of a producer: protocol, groups
 * and offsets are its own, so that what is tested is our side of them.
 */
#include "kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "fl_test.h"
#include "mem.h"
#include "rdkafka_produce.h"
#include "rdkafka_tsan.h"
#include "slice.h"
#include "timestamp.h"

enum { PARTITIONS = 4, MOST_SEEN = 4096, MOST_LOG_BYTES = 1000 };

static fl_error err;
static fl_http *http;
static fl_kafka *kafka;
static rd_kafka_t *producer;
static rd_kafka_mock_cluster_t *cluster;

/* What the handlers saw, and how they answer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char seen[MOST_SEEN][32];
static size_t seen_count;
static unsigned busy_answers; /* 503 as many times, then 200 */
static char said[300];

static void handler(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)pthread_mutex_lock(&lock);
    ck_assert_str_eq("application/x-protobuf", request->content_type);
    ck_assert_str_eq("kafka", request->client);
    ck_assert_int_gt(request->arrival_ns, 0);
    if (seen_count < MOST_SEEN)
        (void)snprintf(seen[seen_count++], sizeof(seen[0]), "%s %.*s", (const char *)context,
                       FL_SLICE_ARG(request->body));
    if (busy_answers > 0) {
        busy_answers--;
        reply->status = 503;
    } else if (fl_slice_equal(request->body, SLICE("bad"))) {
        reply->status = 400;
        fl_buf_text(&reply->body, "\x08\x03\x12\x0a"
                                  "not a span"); /* google.rpc.Status */
    } else if (fl_slice_equal(request->body, SLICE("worse"))) {
        reply->status = 413;
        fl_buf_text(&reply->body, "too much");
    }
    (void)pthread_mutex_unlock(&lock);
}

static const fl_http_route routes[] = {
    {.method = "POST",
     .path = "/v1/traces",
     .run = handler,
     .context = (void *)(uintptr_t) "traces"},
    {.method = "POST",
     .path = "/v1/logs",
     .max_body_bytes = MOST_LOG_BYTES,
     .run = handler,
     .context = (void *)(uintptr_t) "logs"},
};

static const fl_kafka_topic topics[] = {{"otlp_spans", "/v1/traces"}, {"otlp_logs", "/v1/logs"}};

static void say(void *to, const char *sentence)
{
    (void)to;
    (void)pthread_mutex_lock(&lock);
    (void)snprintf(said, sizeof(said), "%s", sentence);
    (void)pthread_mutex_unlock(&lock);
}

static fl_kafka_options options_of(void)
{
    return (fl_kafka_options){.brokers = rd_kafka_mock_cluster_bootstraps(cluster),
                              .group = "faultline",
                              .topics = topics,
                              .topic_count = 2,
                              .from_beginning = true,
                              .retry_ns = 200 * FL_NS_PER_MS,
                              .session_ns = 3 * FL_NS_PER_S,
                              .say = say};
}

static void setup(void)
{
    char why[200];
    err = (fl_error){0};
    kafka = NULL;
    seen_count = busy_answers = 0;
    said[0] = '\0';
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    ck_assert_int_eq(RD_KAFKA_CONF_OK,
                     rd_kafka_conf_set(conf, "test.mock.num.brokers", "3", why, sizeof(why)));
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    ck_assert_msg(producer != NULL, "%s", why);
    cluster = rd_kafka_handle_mock_cluster(producer);
    ck_assert_ptr_nonnull(cluster);
    for (size_t i = 0; i < 2; i++)
        (void)rd_kafka_mock_topic_create(cluster, topics[i].name, PARTITIONS, 3);
    ck_assert_ok(fl_http_create(&http, NULL, &err));
    ck_assert_ok(fl_http_add(http, routes, 2, &err));
}

static void teardown(void)
{
    fl_kafka_destroy(kafka);
    fl_http_destroy(http);
    rd_kafka_destroy(producer);
}

static void nap_ms(int64_t ms)
{
    const struct timespec nap = {.tv_nsec = ms * FL_NS_PER_MS};
    (void)nanosleep(&nap, NULL);
}

/* NULL: a message without a value. */
static void produce(const char *topic, int partition, const char *text)
{
    rdkafka_produce(producer, topic, partition, text != NULL ? fl_slice_of(text) : (fl_slice){0});
}

static void start(void)
{
    const fl_kafka_options options = options_of();
    ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_flush(producer, 10000));
    ck_assert_ok(fl_kafka_start(&kafka, http, &options, &err));
}

static void stop(void)
{
    fl_kafka_destroy(kafka);
    kafka = NULL;
}

/* One of the group that reads nothing. */
static rd_kafka_t *open_asker(void)
{
    char why[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster),
                            why, sizeof(why));
    (void)rd_kafka_conf_set(conf, "group.id", "faultline", why, sizeof(why));
    rd_kafka_t *asker = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    ck_assert_msg(asker != NULL, "%s", why);
    return asker;
}

/* What the group has committed of a partition; RD_KAFKA_OFFSET_INVALID: nothing. */
static int64_t committed(const char *topic, int partition)
{
    rd_kafka_t *asker = open_asker();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, topic, partition);
    ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_committed(asker, list, 10000));
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(asker);
    return offset;
}

/* As the group would. */
static void commit_offset(const char *topic, int partition, int64_t offset)
{
    rd_kafka_t *asker = open_asker();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_commit(asker, list, 0));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(asker);
}

/* Until so many are taken or refused. A group takes three seconds to form, and where somebody came
 * or left, the mocked cluster waits for nearly a session before it forms another one. */
static fl_kafka_stats wait_for(uint64_t done)
{
    fl_kafka_stats stats = fl_kafka_stats_of(kafka);
    for (int i = 0; i < 4500 && stats.taken + stats.refused < done; i++) {
        nap_ms(20);
        stats = fl_kafka_stats_of(kafka);
    }
    ck_assert_uint_eq(done, stats.taken + stats.refused);
    return stats;
}

static size_t count_seen(const char *text)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < seen_count; i++)
        count += strcmp(seen[i], text) == 0;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

START_TEST(each_message_reaches_the_route_of_its_topic)
{
    for (int i = 0; i < PARTITIONS; i++) {
        produce("otlp_spans", i, "span");
        produce("otlp_logs", i, "log");
    }
    start();
    fl_kafka_stats stats = wait_for(2 * PARTITIONS);
    ck_assert_uint_eq(PARTITIONS, count_seen("traces span"));
    ck_assert_uint_eq(PARTITIONS, count_seen("logs log"));
    ck_assert_uint_eq(2 * PARTITIONS, stats.messages);
    ck_assert_uint_eq(PARTITIONS * 7, stats.bytes);
    ck_assert_uint_eq(0, stats.refused);
    ck_assert_uint_eq(2 * PARTITIONS, stats.partitions);
}
END_TEST

START_TEST(what_was_taken_does_not_come_again)
{
    char text[16];
    for (int i = 0; i < 500; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        produce("otlp_spans", i % PARTITIONS, text);
    }
    start();
    (void)wait_for(500);
    stop();
    for (int i = 0; i < PARTITIONS; i++)
        ck_assert_int_eq(500 / PARTITIONS, committed("otlp_spans", i));
    produce("otlp_spans", 1, "after");
    start();
    fl_kafka_stats stats = wait_for(1);
    ck_assert_uint_eq(1, stats.messages);
    ck_assert_uint_eq(1, count_seen("traces after"));
    for (int i = 0; i < 500; i++) {
        (void)snprintf(text, sizeof(text), "traces %d", i);
        ck_assert_uint_eq(1, count_seen(text));
    }
}
END_TEST

START_TEST(messages_that_will_not_get_better_are_passed_over_and_said_once)
{
    produce("otlp_spans", 1, "worse");
    for (int i = 0; i < 200; i++)
        produce("otlp_spans", 1, "bad");
    produce("otlp_spans", 1, NULL); /* deletes a key, where a topic is compacted */
    start();
    fl_kafka_stats stats = wait_for(202);
    ck_assert_uint_eq(201, stats.refused);
    ck_assert_uint_eq(1, count_seen("traces "));
    ck_assert_str_eq("Kafka: otlp_spans, partition 1: the message at offset 0 is passed over:"
                     " answered with 413 (number 1 of those)",
                     said);
    stop();
    ck_assert_int_eq(202, committed("otlp_spans", 1));
    ck_assert_int_eq(RD_KAFKA_OFFSET_INVALID, committed("otlp_spans", 0));
}
END_TEST

START_TEST(a_message_larger_than_its_route_takes_is_passed_over)
{
    char text[MOST_LOG_BYTES + 2] = "";
    memset(text, 'x', MOST_LOG_BYTES + 1);
    produce("otlp_logs", 0, text);
    text[MOST_LOG_BYTES] = '\0';
    produce("otlp_logs", 0, text);
    start();
    fl_kafka_stats stats = wait_for(2);
    ck_assert_uint_eq(1, stats.refused);
    ck_assert_uint_eq(1, seen_count);
    ck_assert_str_eq("Kafka: otlp_logs, partition 0: the message at offset 0 is passed over:"
                     " it is larger than 1000 bytes (number 1 of those)",
                     said);
    stop();
    ck_assert_int_eq(2, committed("otlp_logs", 0));
}
END_TEST

START_TEST(a_broker_that_went_away_and_came_back_is_read_again)
{
    produce("otlp_logs", 0, "before");
    start();
    (void)wait_for(1);
    for (int broker = 1; broker <= 3; broker++)
        ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR,
                         rd_kafka_mock_broker_set_down(cluster, broker));
    for (int i = 0; i < 1500 && fl_kafka_stats_of(kafka).errors == 0; i++)
        nap_ms(20);
    ck_assert_uint_gt(fl_kafka_stats_of(kafka).errors, 0);
    (void)pthread_mutex_lock(&lock);
    ck_assert_ptr_nonnull(strstr(said, "Kafka: "));
    (void)pthread_mutex_unlock(&lock);
    for (int broker = 1; broker <= 3; broker++)
        ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_mock_broker_set_up(cluster, broker));
    produce("otlp_logs", 0, "after");
    (void)wait_for(2);
    stop();
    ck_assert_uint_eq(1, count_seen("logs after"));
    ck_assert_int_eq(2, committed("otlp_logs", 0));
}
END_TEST

START_TEST(a_full_disk_makes_the_partition_wait)
{
    busy_answers = 5;
    for (int i = 0; i < 3; i++)
        produce("otlp_logs", 0, "log");
    start();
    fl_kafka_stats stats = wait_for(3);
    ck_assert_uint_eq(3, stats.taken);
    ck_assert_uint_ge(stats.retries, 2);
    ck_assert_uint_eq(8, count_seen("logs log"));
    /* And goes on afterwards. */
    produce("otlp_logs", 0, "more");
    (void)wait_for(4);
}
END_TEST

START_TEST(what_was_not_taken_before_the_stop_is_not_committed)
{
    busy_answers = 1000000;
    produce("otlp_logs", 2, "log");
    start();
    for (int i = 0; i < 1500 && fl_kafka_stats_of(kafka).retries == 0; i++)
        nap_ms(20);
    ck_assert_uint_gt(fl_kafka_stats_of(kafka).retries, 0);
    ck_assert_uint_eq(0, fl_kafka_stats_of(kafka).commits);
    stop();
    ck_assert_int_eq(RD_KAFKA_OFFSET_INVALID, committed("otlp_logs", 2));
}
END_TEST

START_TEST(offsets_that_cannot_be_committed_are_counted)
{
    /* 8 is the number of OffsetCommit in the protocol. */
    for (int broker = 1; broker <= 3; broker++)
        for (int i = 0; i < 20; i++)
            ck_assert_int_eq(
                RD_KAFKA_RESP_ERR_NO_ERROR,
                rd_kafka_mock_broker_push_request_error_rtts(
                    cluster, broker, 8, 1, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 0));
    produce("otlp_logs", 0, "log");
    start();
    fl_kafka_stats stats = wait_for(1);
    ck_assert_uint_eq(1, stats.taken);
    ck_assert_uint_eq(1, stats.commit_failures);
    stop();
    ck_assert_ptr_nonnull(strstr(said, "offsets could not be committed"));
}
END_TEST

START_TEST(what_comes_while_nobody_reads_a_new_group_is_read_later)
{
    fl_kafka_options options = options_of();
    options.from_beginning = false;
    produce("otlp_logs", 0, "old");
    ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_flush(producer, 10000));
    ck_assert_ok(fl_kafka_start(&kafka, http, &options, &err));
    for (int i = 0; i < 1500 && fl_kafka_stats_of(kafka).partitions == 0; i++)
        nap_ms(20);
    stop(); /* before anything came */
    ck_assert_int_eq(1, committed("otlp_logs", 0));
    ck_assert_int_eq(0, committed("otlp_logs", 1));
    produce("otlp_logs", 0, "new");
    ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_flush(producer, 10000));
    ck_assert_ok(fl_kafka_start(&kafka, http, &options, &err));
    (void)wait_for(1);
    ck_assert_uint_eq(1, count_seen("logs new"));
    ck_assert_uint_eq(0, count_seen("logs old"));
}
END_TEST

START_TEST(behind_an_offset_that_is_there_no_more_nothing_is_skipped)
{
    fl_kafka_options options = options_of();
    options.from_beginning = false;
    produce("otlp_logs", 0, "kept");
    ck_assert_int_eq(RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_flush(producer, 10000));
    commit_offset("otlp_logs", 0, 1000);
    ck_assert_ok(fl_kafka_start(&kafka, http, &options, &err));
    (void)wait_for(1);
    ck_assert_uint_eq(1, count_seen("logs kept"));
}
END_TEST

START_TEST(brokers_that_cannot_be_reached_are_said_once)
{
    fl_kafka_options options = options_of();
    options.brokers = "127.0.0.1:1";
    ck_assert_ok(fl_kafka_start(&kafka, http, &options, &err));
    for (int i = 0; i < 500 && fl_kafka_stats_of(kafka).errors == 0; i++)
        nap_ms(20);
    ck_assert_uint_gt(fl_kafka_stats_of(kafka).errors, 0);
    stop();
    ck_assert_msg(strstr(said, "Kafka: ") == said, "%s", said);
}
END_TEST

START_TEST(settings_that_do_not_fit_are_refused)
{
    fl_kafka_options options = options_of();
    options.user = "me";
    options.mechanism = "NONE-SUCH";
    ck_assert_fails(FL_E_SYNTAX, fl_kafka_start(&kafka, http, &options, &err));
    ck_assert_msg(strstr(err.message, "Kafka: ") == err.message, "%s", err.message);
    err = (fl_error){0};
    options = options_of();
    options.topic_count = 0;
    ck_assert_fails(FL_E_LIMIT, fl_kafka_start(&kafka, http, &options, &err));
    ck_assert_str_eq("Kafka: 0 topics are none of 1 to 32", err.message);
    err = (fl_error){0};
    static const fl_kafka_topic nowhere[] = {{"otlp_metrics", "/v1/metrics"}};
    options = options_of();
    options.topics = nowhere;
    options.topic_count = 1;
    ck_assert_fails(FL_E_NOTFOUND, fl_kafka_start(&kafka, http, &options, &err));
    ck_assert_str_eq("nothing takes /v1/metrics for the topic otlp_metrics", err.message);
}
END_TEST

START_TEST(a_start_without_memory_fails_and_leaves_nothing)
{
    const fl_kafka_options options = options_of();
    size_t failures = 0;
    for (long n = 0; n < 20 && kafka == NULL; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        fl_status status = fl_kafka_start(&kafka, http, &options, &err);
        fl_mem_fail_after(-1);
        failures += status == FL_E_NOMEM;
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
    }
    ck_assert_ptr_nonnull(kafka);
    ck_assert_uint_ge(failures, 1);
}
END_TEST

START_TEST(two_of_a_group_share_the_partitions)
{
    fl_kafka *other = NULL;
    const fl_kafka_options options = options_of();
    start();
    ck_assert_ok(fl_kafka_start(&other, http, &options, &err));
    for (int i = 0; i < 1500; i++) {
        nap_ms(20);
        if (fl_kafka_stats_of(kafka).partitions == PARTITIONS &&
            fl_kafka_stats_of(other).partitions == PARTITIONS)
            break;
    }
    ck_assert_uint_eq(PARTITIONS, fl_kafka_stats_of(kafka).partitions);
    ck_assert_uint_eq(PARTITIONS, fl_kafka_stats_of(other).partitions);
    for (int i = 0; i < 100; i++)
        produce(i % 2 == 0 ? "otlp_spans" : "otlp_logs", i % PARTITIONS, "x");
    for (int i = 0; i < 1500; i++) {
        nap_ms(20);
        if (fl_kafka_stats_of(kafka).taken + fl_kafka_stats_of(other).taken >= 100)
            break;
    }
    uint64_t a = fl_kafka_stats_of(kafka).taken, b = fl_kafka_stats_of(other).taken;
    ck_assert_uint_ge(a + b, 100); /* what was on its way when they shared may come twice */
    ck_assert_uint_gt(a, 0);
    ck_assert_uint_gt(b, 0);
    /* One of them leaves: the other one goes on where it was. */
    fl_kafka_destroy(other);
    for (int i = 0; i < PARTITIONS; i++)
        produce("otlp_spans", i, "late");
    for (int i = 0; i < 1500 && count_seen("traces late") < PARTITIONS; i++)
        nap_ms(20);
    ck_assert_uint_ge(count_seen("traces late"), PARTITIONS);
    ck_assert_uint_eq(2 * PARTITIONS, fl_kafka_stats_of(kafka).partitions);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("kafka");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, each_message_reaches_the_route_of_its_topic);
    tcase_add_test(tests, what_was_taken_does_not_come_again);
    tcase_add_test(tests, messages_that_will_not_get_better_are_passed_over_and_said_once);
    tcase_add_test(tests, a_message_larger_than_its_route_takes_is_passed_over);
    tcase_add_test(tests, a_broker_that_went_away_and_came_back_is_read_again);
    tcase_add_test(tests, a_full_disk_makes_the_partition_wait);
    tcase_add_test(tests, what_was_not_taken_before_the_stop_is_not_committed);
    tcase_add_test(tests, offsets_that_cannot_be_committed_are_counted);
    tcase_add_test(tests, what_comes_while_nobody_reads_a_new_group_is_read_later);
    tcase_add_test(tests, behind_an_offset_that_is_there_no_more_nothing_is_skipped);
    tcase_add_test(tests, brokers_that_cannot_be_reached_are_said_once);
    tcase_add_test(tests, settings_that_do_not_fit_are_refused);
    tcase_add_test(tests, a_start_without_memory_fails_and_leaves_nothing);
    tcase_add_test(tests, two_of_a_group_share_the_partitions);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
