/*
 * serve_kafka.h - Kafka as the configuration says it.
 */
#ifndef FL_SERVE_KAFKA_H
#define FL_SERVE_KAFKA_H

#include "config.h"
#include "kafka.h"

/* *out is NULL where no brokers are named. `say` is called from Kafka's thread. A failure says what
 * is wrong with the configuration, or that librdkafka is missing. */
FL_NODISCARD fl_status fl_serve_kafka(fl_kafka **out, fl_http *http, const fl_config *config,
                                      void (*say)(void *say_to, const char *sentence), void *say_to,
                                      fl_error *err);

#endif
