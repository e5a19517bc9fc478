/*
 * rdkafka_lazy.h - the functions of librdkafka that are used, called as ever and loaded where the
 * configuration names brokers (base/lazy.h).
 */
#ifndef FL_RDKAFKA_LAZY_H
#define FL_RDKAFKA_LAZY_H

#include <librdkafka/rdkafka.h>

#include "lazy.h"

#define FL_RDKAFKA_FUNCTIONS(X)                                                                    \
    X(rd_kafka_assign)                                                                             \
    X(rd_kafka_assignment)                                                                         \
    X(rd_kafka_commit)                                                                             \
    X(rd_kafka_committed)                                                                          \
    X(rd_kafka_conf_destroy)                                                                       \
    X(rd_kafka_conf_new)                                                                           \
    X(rd_kafka_conf_set)                                                                           \
    X(rd_kafka_conf_set_error_cb)                                                                  \
    X(rd_kafka_conf_set_log_cb)                                                                    \
    X(rd_kafka_conf_set_opaque)                                                                    \
    X(rd_kafka_conf_set_rebalance_cb)                                                              \
    X(rd_kafka_consumer_close)                                                                     \
    X(rd_kafka_consumer_poll)                                                                      \
    X(rd_kafka_destroy)                                                                            \
    X(rd_kafka_err2name)                                                                           \
    X(rd_kafka_message_destroy)                                                                    \
    X(rd_kafka_new)                                                                                \
    X(rd_kafka_pause_partitions)                                                                   \
    X(rd_kafka_poll_set_consumer)                                                                  \
    X(rd_kafka_query_watermark_offsets)                                                            \
    X(rd_kafka_resume_partitions)                                                                  \
    X(rd_kafka_subscribe)                                                                          \
    X(rd_kafka_topic_name)                                                                         \
    X(rd_kafka_topic_partition_list_add)                                                           \
    X(rd_kafka_topic_partition_list_destroy)                                                       \
    X(rd_kafka_topic_partition_list_find)                                                          \
    X(rd_kafka_topic_partition_list_new)

FL_RDKAFKA_FUNCTIONS(FL_LAZY_DECLARE)

#ifndef FL_RDKAFKA_OWN_NAMES /* where the pointers are defined */
#define rd_kafka_assign                       fl_lazy_rd_kafka_assign
#define rd_kafka_assignment                   fl_lazy_rd_kafka_assignment
#define rd_kafka_commit                       fl_lazy_rd_kafka_commit
#define rd_kafka_committed                    fl_lazy_rd_kafka_committed
#define rd_kafka_conf_destroy                 fl_lazy_rd_kafka_conf_destroy
#define rd_kafka_conf_new                     fl_lazy_rd_kafka_conf_new
#define rd_kafka_conf_set                     fl_lazy_rd_kafka_conf_set
#define rd_kafka_conf_set_error_cb            fl_lazy_rd_kafka_conf_set_error_cb
#define rd_kafka_conf_set_log_cb              fl_lazy_rd_kafka_conf_set_log_cb
#define rd_kafka_conf_set_opaque              fl_lazy_rd_kafka_conf_set_opaque
#define rd_kafka_conf_set_rebalance_cb        fl_lazy_rd_kafka_conf_set_rebalance_cb
#define rd_kafka_consumer_close               fl_lazy_rd_kafka_consumer_close
#define rd_kafka_consumer_poll                fl_lazy_rd_kafka_consumer_poll
#define rd_kafka_destroy                      fl_lazy_rd_kafka_destroy
#define rd_kafka_err2name                     fl_lazy_rd_kafka_err2name
#define rd_kafka_message_destroy              fl_lazy_rd_kafka_message_destroy
#define rd_kafka_new                          fl_lazy_rd_kafka_new
#define rd_kafka_pause_partitions             fl_lazy_rd_kafka_pause_partitions
#define rd_kafka_poll_set_consumer            fl_lazy_rd_kafka_poll_set_consumer
#define rd_kafka_query_watermark_offsets      fl_lazy_rd_kafka_query_watermark_offsets
#define rd_kafka_resume_partitions            fl_lazy_rd_kafka_resume_partitions
#define rd_kafka_subscribe                    fl_lazy_rd_kafka_subscribe
#define rd_kafka_topic_name                   fl_lazy_rd_kafka_topic_name
#define rd_kafka_topic_partition_list_add     fl_lazy_rd_kafka_topic_partition_list_add
#define rd_kafka_topic_partition_list_destroy fl_lazy_rd_kafka_topic_partition_list_destroy
#define rd_kafka_topic_partition_list_find    fl_lazy_rd_kafka_topic_partition_list_find
#define rd_kafka_topic_partition_list_new     fl_lazy_rd_kafka_topic_partition_list_new
#endif

/* Before the first call; again is no cost. */
FL_NODISCARD fl_status fl_rdkafka_load(fl_error *err);

#endif
