/*
 * kafka.c - one thread that fetches, workers that handle, and offsets behind both.
 *
 * A round is a batch of messages: fetched, handled by the workers side by side (so that many share
 * one sync of the write-ahead log), tried again as long as some of them come too early, committed.
 *
 * Invariants:
 *   (1) a message of a round is freed, and the next round begun, only when all of the round are
 *       safe or passed over; then the offsets behind the round's last ones are committed;
 *   (2) while a round waits, the partitions are paused but asked on: a consumer that does not ask
 *       is taken for dead by its group (max.poll.interval.ms), and its messages go to another;
 *   (3) where a group begins at a partition's end, that end is committed before anything is read of
 *       it: else whoever has the partition next would begin at its end then, and what came
 *       meanwhile, while the group was forming, would be nobody's.
 */
#include "kafka.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "proto.h"
#include "rdkafka_lazy.h"
#include "slice.h"
#include "timestamp.h"

enum {
    POLL_MS = 200, /* how long a stop may take to be seen */
    ASK_MS = 5000, /* for an answer of the brokers */
    /* Beyond those of a fetch, what may join a round that waits: see wait_paused(). */
    ROUND_MESSAGES = 2 * FL_KAFKA_BATCH,
    FETCH_BYTES = FL_KAFKA_FETCH_KIB << 10, /* of a fetch, with the message that reaches it */
    ROUND_BYTES = 2 * FETCH_BYTES,
    HEARTBEATS = 8,        /* in a session; the protocol asks for at least 3 */
    TELL_EVERY_S = 60,     /* of messages that are passed over, which may be all there are */
    STATUS_MESSAGE = 2,    /* google.rpc.Status: 2 message */
    MAX_REASON_BYTES = 160 /* of a sentence */
};

/* After how long partitions that were added are noticed: they begin at their end then. */
#define NEW_PARTITIONS_MS "10000"

typedef enum outcome { WAITING, TAKEN, REFUSED, LATER } outcome;

/* One message with the worker that handles it. */
typedef struct item {
    fl_job job; /* first: workers know it by it */
    fl_kafka *kafka;
    rd_kafka_message_t *message;
    const fl_http_route *route;
    outcome outcome;
    char reason[MAX_REASON_BYTES]; /* where it is refused */
} item;

struct fl_kafka {
    fl_http *http;
    fl_kafka_options options;
    fl_kafka_topic topics[FL_KAFKA_MAX_TOPICS];
    const fl_http_route *routes[FL_KAFKA_MAX_TOPICS];
    rd_kafka_t *client;
    pthread_t thread;
    atomic_bool is_stopping;

    /* The thread's. */
    item items[ROUND_MESSAGES];
    size_t count, round_bytes;
    rd_kafka_resp_err_t last_error;
    int64_t told_ns; /* when a message that was passed over was told; 0: none was */

    pthread_mutex_t lock;
    pthread_cond_t all_done;
    size_t under_way; /* items that workers have */

    atomic_uint partitions;
    atomic_uint_fast64_t messages, bytes, taken, refused, retries, commits, commit_failures, errors;
};

/* --- a message in its handler --- */

static outcome outcome_of(unsigned status)
{
    if (status >= 200 && status < 300)
        return TAKEN;
    return status == 429 || status >= 500 ? LATER : REFUSED;
}

/* The sentence of an OTLP answer. Of another one, its number alone. */
static void keep_reason(item *at, const fl_http_reply *reply)
{
    fl_proto in = fl_proto_over(fl_buf_slice(&reply->body));
    fl_slice sentence = {0};
    while (fl_proto_next(&in))
        if (in.field == STATUS_MESSAGE)
            sentence = fl_proto_bytes(&in);
    if (fl_proto_ok(&in) && sentence.len > 0)
        (void)snprintf(at->reason, sizeof(at->reason), "%.*s", FL_SLICE_ARG(sentence));
    else
        (void)snprintf(at->reason, sizeof(at->reason), "answered with %u", reply->status);
}

/* The request that a sender of the message would have made, but for its address. */
static void handle(item *at)
{
    fl_kafka *kafka = at->kafka;
    const fl_http_request request = {
        .method = "POST",
        .path = at->route->path,
        .body = {.ptr = at->message->payload, .len = at->message->len},
        .content_type = "application/x-protobuf",
        .client = "kafka",
        .arrival_ns = fl_time_now(),
    };
    fl_http_reply reply;
    fl_http_run(kafka->http, at->route, &request, &reply);
    at->outcome = outcome_of(reply.status);
    if (at->outcome == REFUSED)
        keep_reason(at, &reply);
    fl_http_reply_dispose(&reply);
}

/* On a worker. The last one of a round wakes the thread, which reads the outcomes behind the lock.
 */
static void run_item(fl_job *job)
{
    item *at = (item *)job;
    fl_kafka *kafka = at->kafka;
    handle(at);
    (void)pthread_mutex_lock(&kafka->lock);
    assert(kafka->under_way > 0);
    if (--kafka->under_way == 0)
        (void)pthread_cond_signal(&kafka->all_done);
    (void)pthread_mutex_unlock(&kafka->lock);
}

/* All that are not done yet; where the workers' queue is full, on this thread. */
static void handle_all(fl_kafka *kafka)
{
    for (size_t i = 0; i < kafka->count; i++) {
        item *at = &kafka->items[i];
        if (at->outcome == TAKEN || at->outcome == REFUSED)
            continue;
        at->job.run = run_item;
        (void)pthread_mutex_lock(&kafka->lock);
        kafka->under_way++;
        (void)pthread_mutex_unlock(&kafka->lock);
        if (!fl_workers_submit(fl_http_workers(kafka->http), &at->job))
            run_item(&at->job);
    }
    (void)pthread_mutex_lock(&kafka->lock);
    while (kafka->under_way > 0)
        (void)pthread_cond_wait(&kafka->all_done, &kafka->lock);
    (void)pthread_mutex_unlock(&kafka->lock);
}

/* --- fetching --- */

/* What changed is said once: a broker that is away is told of again and again. */
static void note_error(fl_kafka *kafka, rd_kafka_resp_err_t code, const char *reason)
{
    kafka->errors++;
    if (code == kafka->last_error || kafka->options.say == NULL)
        return;
    char sentence[300];
    kafka->last_error = code;
    (void)snprintf(sentence, sizeof(sentence), "Kafka: %.200s (%s)", reason,
                   rd_kafka_err2name(code));
    kafka->options.say(kafka->options.say_to, sentence);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *payload)
{
    (void)client;
    note_error(payload, (rd_kafka_resp_err_t)code, reason);
}

/* librdkafka would write to standard error; what matters comes through on_error(). */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client, (void)level, (void)facility, (void)text;
}

/* The first one at once, and then how many there are so far: a sender whose messages are all of
 * another encoding would fill the journal. */
static void tell_refused(fl_kafka *kafka, const item *at)
{
    int64_t now_ns = fl_time_monotonic();
    if (kafka->options.say == NULL ||
        (kafka->told_ns != 0 && now_ns - kafka->told_ns < TELL_EVERY_S * FL_NS_PER_S))
        return;
    char sentence[480];
    kafka->told_ns = now_ns;
    (void)snprintf(sentence, sizeof(sentence),
                   "Kafka: %.80s, partition %d: the message at offset %lld is passed over: %s"
                   " (number %llu of those)",
                   rd_kafka_topic_name(at->message->rkt), (int)at->message->partition,
                   (long long)at->message->offset, at->reason, (unsigned long long)kafka->refused);
    kafka->options.say(kafka->options.say_to, sentence);
}

/* Only topics that were subscribed to come. */
static const fl_http_route *route_of(const fl_kafka *kafka, const rd_kafka_message_t *message)
{
    const char *name = rd_kafka_topic_name(message->rkt);
    for (size_t i = 0; i < kafka->options.topic_count; i++)
        if (strcmp(kafka->topics[i].name, name) == 0)
            return kafka->routes[i];
    return NULL;
}

/* As a request of that size would be. */
static void refuse_large(item *at)
{
    size_t most = fl_http_max_body(at->kafka->http, at->route);
    if (at->message->len <= most)
        return;
    at->outcome = REFUSED;
    (void)snprintf(at->reason, sizeof(at->reason), "it is larger than %zu bytes", most);
}

/* Into the round, or false where there is nothing to be had within `ms`. */
static bool fetch_one(fl_kafka *kafka, int ms)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->client, ms);
    if (message == NULL)
        return false;
    const fl_http_route *route =
        message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? route_of(kafka, message) : NULL;
    if (route == NULL) {
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            note_error(kafka, message->err,
                       message->payload != NULL ? (const char *)message->payload : "an error");
        rd_kafka_message_destroy(message);
        return true;
    }
    assert(kafka->count < ROUND_MESSAGES && kafka->round_bytes < ROUND_BYTES);
    item *at = &kafka->items[kafka->count++];
    *at = (item){.kafka = kafka, .message = message, .route = route};
    refuse_large(at);
    kafka->round_bytes += message->len;
    kafka->messages++;
    kafka->bytes += message->len;
    kafka->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    return true;
}

/* The first message is waited for, the others only as far as they are here already. */
static void fetch(fl_kafka *kafka)
{
    kafka->count = kafka->round_bytes = 0;
    if (!fetch_one(kafka, POLL_MS))
        return;
    while (kafka->count < FL_KAFKA_BATCH && kafka->round_bytes < FETCH_BYTES &&
           fetch_one(kafka, 0)) {
    }
}

/* --- partitions that become ours --- */

/* Where such a partition ends, as its beginning for this group. */
static bool end_of(rd_kafka_t *client, rd_kafka_topic_partition_t *at)
{
    int64_t oldest, end;
    bool is_known = rd_kafka_query_watermark_offsets(client, at->topic, at->partition, &oldest,
                                                     &end, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    at->offset = is_known ? end : RD_KAFKA_OFFSET_INVALID;
    return is_known;
}

/* Invariant (3). What cannot be asked and has no offset is read from its beginning. */
static void settle_beginning(fl_kafka *kafka, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *fresh = rd_kafka_topic_partition_list_new(list->cnt);
    rd_kafka_resp_err_t code = rd_kafka_committed(kafka->client, list, ASK_MS);
    bool can_ask = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *at = &list->elems[i];
        if (!can_ask || at->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            at->offset = RD_KAFKA_OFFSET_INVALID;
        else if (at->offset < 0 && (can_ask = end_of(kafka->client, at)))
            rd_kafka_topic_partition_list_add(fresh, at->topic, at->partition)->offset = at->offset;
    }
    if (fresh->cnt > 0)
        code = rd_kafka_commit(kafka->client, fresh, 0);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        note_error(kafka, code, "where to begin could not be settled");
    rd_kafka_topic_partition_list_destroy(fresh);
}

/* From a poll, on the thread. */
static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *payload)
{
    fl_kafka *kafka = payload;
    bool is_ours = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (is_ours && !kafka->options.from_beginning)
        settle_beginning(kafka, list);
    (void)rd_kafka_assign(client, is_ours ? list : NULL);
}

/* --- waiting --- */

static void count_partitions(fl_kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_assignment(kafka->client, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    kafka->partitions = (unsigned)list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
}

/* Those that are assigned now; one that comes later is not paused. */
static void set_paused(fl_kafka *kafka, bool is_paused)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_assignment(kafka->client, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (is_paused)
        (void)rd_kafka_pause_partitions(kafka->client, list);
    else
        (void)rd_kafka_resume_partitions(kafka->client, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Invariant (2). Partitions that come meanwhile are not paused: one of their messages may come
 * before they are, and joins the round, since it could not be put back. Where half a round has come
 * so, there is only waiting: a group that takes this one for dead is right. */
static void wait_paused(fl_kafka *kafka)
{
    int64_t until_ns = fl_time_monotonic() + kafka->options.retry_ns;
    do {
        set_paused(kafka, true);
        if (kafka->count < ROUND_MESSAGES && kafka->round_bytes < ROUND_BYTES)
            (void)fetch_one(kafka, POLL_MS);
        else {
            struct timespec nap = {.tv_nsec = POLL_MS * FL_NS_PER_MS};
            (void)nanosleep(&nap, NULL);
        }
    } while (!kafka->is_stopping && fl_time_monotonic() < until_ns);
}

/* Those that still have to be tried. */
static size_t count_later(fl_kafka *kafka)
{
    size_t later = 0;
    for (size_t i = 0; i < kafka->count; i++)
        later += kafka->items[i].outcome == LATER || kafka->items[i].outcome == WAITING;
    return later;
}

/* --- a round --- */

/* The offset behind the last message of each partition of the round. */
static void commit(fl_kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)kafka->count);
    for (size_t i = 0; list != NULL && i < kafka->count; i++) {
        const rd_kafka_message_t *message = kafka->items[i].message;
        const char *topic = rd_kafka_topic_name(message->rkt);
        rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_find(list, topic, message->partition);
        if (at == NULL) {
            at = rd_kafka_topic_partition_list_add(list, topic, message->partition);
            at->offset = message->offset + 1;
        } else if (at->offset <= message->offset) {
            at->offset = message->offset + 1;
        }
    }
    rd_kafka_resp_err_t code =
        list != NULL ? rd_kafka_commit(kafka->client, list, 0) : RD_KAFKA_RESP_ERR__FAIL;
    kafka->commits++;
    /* The messages are safe; whoever has the partition now reads them once more. */
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka->commit_failures++;
        note_error(kafka, code, "offsets could not be committed");
    }
    if (list != NULL)
        rd_kafka_topic_partition_list_destroy(list);
}

/* Counted here and not before, since each counts once however often it was tried. */
static void free_round(fl_kafka *kafka)
{
    for (size_t i = 0; i < kafka->count; i++) {
        const item *at = &kafka->items[i];
        kafka->taken += at->outcome == TAKEN;
        kafka->refused += at->outcome == REFUSED;
        if (at->outcome == REFUSED)
            tell_refused(kafka, at);
        rd_kafka_message_destroy(at->message);
    }
    kafka->count = 0;
}

/* A stop ends the waiting: then nothing of the round is committed, and all of it comes again. */
static void run_round(fl_kafka *kafka)
{
    bool has_waited = false;
    handle_all(kafka);
    for (size_t later; (later = count_later(kafka)) > 0 && !kafka->is_stopping;) {
        kafka->retries += later;
        has_waited = true;
        wait_paused(kafka);
        handle_all(kafka);
    }
    if (count_later(kafka) == 0)
        commit(kafka);
    free_round(kafka);
    if (has_waited)
        set_paused(kafka, false);
}

static void *read_kafka(void *payload)
{
    fl_kafka *kafka = payload;
    while (!kafka->is_stopping) {
        fetch(kafka);
        count_partitions(kafka);
        if (kafka->count > 0)
            run_round(kafka);
    }
    return NULL;
}

/* --- beginning and end --- */

typedef struct setting {
    const char *name, *value; /* NULL: left as it is */
} setting;

/* The words of librdkafka, which are those of Kafka's own clients. */
static fl_status configure(rd_kafka_conf_t *conf, const fl_kafka_options *o, fl_error *err)
{
    char fetch_kib[16], session_ms[16], heartbeat_ms[16], why[160];
    const char *session = o->session_ns > 0 ? session_ms : NULL;
    bool has_tls = o->ca_file != NULL || o->cert_file != NULL || o->key_file != NULL;
    (void)snprintf(fetch_kib, sizeof(fetch_kib), "%d", FL_KAFKA_FETCH_KIB);
    (void)snprintf(session_ms, sizeof(session_ms), "%lld",
                   (long long)(o->session_ns / FL_NS_PER_MS));
    (void)snprintf(heartbeat_ms, sizeof(heartbeat_ms), "%lld",
                   (long long)(o->session_ns / FL_NS_PER_MS / HEARTBEATS));
    const char *security = has_tls ? (o->user != NULL ? "sasl_ssl" : "ssl")
                                   : (o->user != NULL ? "sasl_plaintext" : NULL);
    const setting settings[] = {
        {"client.id", "faultline"},
        {"bootstrap.servers", o->brokers},
        {"group.id", o->group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        /* Also for an offset that is there no more: what follows it is not to be skipped. A group
         * that shall begin at the end has that as its offset: invariant (3). */
        {"auto.offset.reset", "earliest"},
        {"topic.metadata.refresh.interval.ms", NEW_PARTITIONS_MS},
        {"session.timeout.ms", session},
        {"heartbeat.interval.ms", session != NULL ? heartbeat_ms : NULL},
        {"queued.max.messages.kbytes", fetch_kib},
        {"security.protocol", security},
        {"ssl.ca.location", o->ca_file},
        {"ssl.certificate.location", o->cert_file},
        {"ssl.key.location", o->key_file},
        {"sasl.username", o->user},
        {"sasl.password", o->password},
        {"sasl.mechanism", o->user != NULL ? o->mechanism : NULL},
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (settings[i].value != NULL &&
            rd_kafka_conf_set(conf, settings[i].name, settings[i].value, why, sizeof(why)) !=
                RD_KAFKA_CONF_OK)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "Kafka: %s: %.140s", settings[i].name,
                           why);
    return FL_OK;
}

/* The configuration is the client's once there is one. */
static fl_status open_client(fl_kafka *kafka, fl_error *err)
{
    char why[160];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    fl_status status = configure(conf, &kafka->options, err);
    if (status != FL_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    rd_kafka_conf_set_opaque(conf, kafka);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    kafka->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (kafka->client == NULL) {
        rd_kafka_conf_destroy(conf);
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "Kafka: %.160s", why);
    }
    (void)rd_kafka_poll_set_consumer(kafka->client);
    return FL_OK;
}

/* Which partitions of them are read here, the group decides. */
static fl_status subscribe(fl_kafka *kafka, fl_error *err)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)kafka->options.topic_count);
    for (size_t i = 0; i < kafka->options.topic_count; i++)
        (void)rd_kafka_topic_partition_list_add(list, kafka->topics[i].name, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "Kafka: the topics cannot be read (%s)",
                       rd_kafka_err2name(code));
    return FL_OK;
}

/* A topic whose messages nothing would take is a mistake of the configuration. */
static fl_status find_routes(fl_kafka *kafka, fl_error *err)
{
    for (size_t i = 0; i < kafka->options.topic_count; i++) {
        fl_http_reply reply;
        kafka->topics[i] = kafka->options.topics[i];
        fl_http_reply_init(&reply);
        kafka->routes[i] = fl_http_find(kafka->http, "POST", kafka->topics[i].route, &reply);
        fl_http_reply_dispose(&reply);
        if (kafka->routes[i] == NULL)
            return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "nothing takes %s for the topic %s",
                           kafka->topics[i].route, kafka->topics[i].name);
    }
    return FL_OK;
}

/* Signals are the owner's. */
static bool start_thread(fl_kafka *kafka)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_running = pthread_create(&kafka->thread, NULL, read_kafka, kafka) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_running;
}

static void free_kafka(fl_kafka *kafka)
{
    if (kafka->client != NULL)
        rd_kafka_destroy(kafka->client);
    (void)pthread_cond_destroy(&kafka->all_done);
    (void)pthread_mutex_destroy(&kafka->lock);
    fl_mem_free(kafka);
}

fl_status fl_kafka_start(fl_kafka **out, fl_http *http, const fl_kafka_options *options,
                         fl_error *err)
{
    assert(out != NULL && http != NULL && options->brokers != NULL && options->group != NULL);
    *out = NULL;
    if (options->topic_count == 0 || options->topic_count > FL_KAFKA_MAX_TOPICS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "Kafka: %zu topics are none of 1 to %d",
                       options->topic_count, FL_KAFKA_MAX_TOPICS);
    fl_status status = fl_rdkafka_load(err);
    if (status != FL_OK)
        return status;
    fl_kafka *kafka = fl_mem_calloc(1, sizeof(*kafka));
    if (kafka == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for Kafka");
    (void)pthread_mutex_init(&kafka->lock, NULL);
    (void)pthread_cond_init(&kafka->all_done, NULL);
    kafka->http = http;
    kafka->options = *options;
    if (kafka->options.retry_ns == 0)
        kafka->options.retry_ns = FL_NS_PER_S;
    status = find_routes(kafka, err);
    if (status == FL_OK)
        status = open_client(kafka, err);
    if (status == FL_OK)
        status = subscribe(kafka, err);
    if (status == FL_OK && !start_thread(kafka))
        status = fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot start the thread of Kafka");
    if (status != FL_OK) {
        free_kafka(kafka);
        return status;
    }
    *out = kafka;
    return FL_OK;
}

void fl_kafka_stop(fl_kafka *kafka)
{
    assert(kafka != NULL);
    if (atomic_exchange(&kafka->is_stopping, true))
        return;
    (void)pthread_join(kafka->thread, NULL);
    assert(kafka->count == 0 && kafka->under_way == 0);
    (void)rd_kafka_consumer_close(kafka->client); /* leaves the group at once */
}

/* Apart from the stop, so that figures can be asked for until nobody asks any more. */
void fl_kafka_destroy(fl_kafka *kafka)
{
    if (kafka == NULL)
        return;
    fl_kafka_stop(kafka);
    free_kafka(kafka);
}

fl_kafka_stats fl_kafka_stats_of(fl_kafka *kafka)
{
    assert(kafka != NULL);
    return (fl_kafka_stats){.messages = kafka->messages,
                            .bytes = kafka->bytes,
                            .taken = kafka->taken,
                            .refused = kafka->refused,
                            .retries = kafka->retries,
                            .commits = kafka->commits,
                            .commit_failures = kafka->commit_failures,
                            .errors = kafka->errors,
                            .partitions = kafka->partitions};
}
