/*
 * kafka.h - OTLP messages of Kafka's topics into the handlers of http.h.
 *
 * A message is one ExportXServiceRequest as protobuf, as the OpenTelemetry Collector's Kafka
 * exporter writes it (encoding otlp_proto); its topic says which signal it is. The handler gets
 * what it would get by HTTP POST as application/x-protobuf:
 *
 *   2xx              it is safe: its offset may be committed
 *   429, 5xx         not now: the partition waits, and the message is tried again
 *   any other 4xx    it will not get better: counted, told, and passed over
 *
 * An offset is committed only when all messages before it are safe or passed over, so that a crash
 * leads to a repetition and never to a loss. Several daemons of one group share the partitions.
 * A message that is larger than a request of its route may be is passed over as well.
 * Memory: at most FL_KAFKA_FETCH_KIB fetched ahead; in the handlers FL_KAFKA_BATCH messages, fewer
 * where FL_KAFKA_FETCH_KIB are reached before, and two times that where a round waits.
 */
#ifndef FL_KAFKA_H
#define FL_KAFKA_H

#include "http.h"

typedef struct fl_kafka fl_kafka;

enum { FL_KAFKA_BATCH = 64, FL_KAFKA_FETCH_KIB = 64 << 10, FL_KAFKA_MAX_TOPICS = 32 };

typedef struct fl_kafka_topic {
    const char *name;
    const char *route; /* of the HTTP server, by POST */
} fl_kafka_topic;

/* Copied, or handed on to librdkafka, but for `topics`' texts, which are borrowed. */
typedef struct fl_kafka_options {
    const char *brokers; /* "host:port,host:port" */
    const char *group;
    const fl_kafka_topic *topics;
    size_t topic_count;
    bool from_beginning; /* where the group has no offset yet */
    /* NULL: not used. TLS where one of the files is there, SASL where there is a user. */
    const char *ca_file, *cert_file, *key_file;
    const char *user, *password, *mechanism;
    int64_t retry_ns;   /* 0: a second */
    int64_t session_ns; /* after which a silent member is dead to its group; 0: librdkafka's 45 s */
    /* One sentence when something changed: brokers that cannot be reached, messages that cannot be
     * read. From the thread of this module. */
    void (*say)(void *say_to, const char *sentence);
    void *say_to;
} fl_kafka_options;

typedef struct fl_kafka_stats {
    uint64_t messages, bytes; /* that came, each once */
    uint64_t taken, refused;  /* what became of them */
    uint64_t retries;         /* tries that came too early */
    uint64_t commits, commit_failures;
    uint64_t errors;     /* that librdkafka told of */
    unsigned partitions; /* that are this process's now */
} fl_kafka_stats;

/* Begins to read. FL_E_UNSUPPORTED where librdkafka is missing, FL_E_NOTFOUND for a topic whose
 * route is not there, FL_E_SYNTAX on settings that librdkafka refuses, with its words. */
FL_NODISCARD fl_status fl_kafka_start(fl_kafka **out, fl_http *http,
                                      const fl_kafka_options *options, fl_error *err);
/* Finishes what is in the handlers, commits, leaves the group. A round that waits is neither
 * finished nor committed: it comes again. Before fl_http_stop(). Again is a no-op. */
void fl_kafka_stop(fl_kafka *kafka);
void fl_kafka_destroy(fl_kafka *kafka); /* stops where it was not stopped. NULL is a no-op */
fl_kafka_stats fl_kafka_stats_of(fl_kafka *kafka);

#endif
