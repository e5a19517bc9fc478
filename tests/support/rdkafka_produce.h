/*
 * rdkafka_produce.h - one message into a topic. rd_kafka_producev() would do, but its macros are
 * expressions that only GNU C knows.
 */
#ifndef RDKAFKA_PRODUCE_H
#define RDKAFKA_PRODUCE_H

#include <librdkafka/rdkafka.h>

#include "fl_test.h"
#include "slice.h"

/* A NULL pointer in `value`: a message without a value. */
static inline void rdkafka_produce(rd_kafka_t *producer, const char *topic, int32_t partition,
                                   fl_slice value)
{
    const rd_kafka_vu_t message[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.ptr, value.len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *why =
        rd_kafka_produceva(producer, message, sizeof(message) / sizeof(message[0]));
    ck_assert_msg(why == NULL, "%s", rd_kafka_error_string(why));
}

#endif
