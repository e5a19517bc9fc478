/*
 * serve_kafka.c - the configuration's section to the reader's options.
 *
 * The texts of the configuration live as long as the daemon; what is made here (the list of
 * brokers, the password) is copied by the reader, and the password is overwritten.
 */
#include "serve_kafka.h"

#include <assert.h>
#include <string.h>

#include "slice.h"

enum { MAX_BROKERS_BYTES = 8 << 10, MAX_SECRET_BYTES = 4 << 10 };

typedef struct topics {
    fl_kafka_topic items[FL_KAFKA_MAX_TOPICS];
    size_t count;
} topics;

/* One too many is noticed by the reader, which says so. */
static void add_topics(topics *to, const fl_config_texts *names, const char *route)
{
    for (size_t i = 0; i < names->count; i++, to->count++)
        if (to->count < FL_KAFKA_MAX_TOPICS)
            to->items[to->count] = (fl_kafka_topic){.name = names->items[i], .route = route};
}

static void put_brokers(fl_buf *out, const fl_config_addresses *brokers)
{
    for (size_t i = 0; i < brokers->count; i++) {
        const fl_config_address *at = &brokers->items[i];
        bool is_ipv6 = strchr(at->host, ':') != NULL;
        fl_buf_printf(out, is_ipv6 ? "%s[%s]:%u" : "%s%s:%u", i > 0 ? "," : "", at->host,
                      (unsigned)at->port);
    }
}

fl_status fl_serve_kafka(fl_kafka **out, fl_http *http, const fl_config *config,
                         void (*say)(void *say_to, const char *sentence), void *say_to,
                         fl_error *err)
{
    assert(out != NULL && http != NULL && config != NULL);
    const fl_config_kafka *kafka = &config->kafka;
    fl_buf brokers = fl_buf_of(MAX_BROKERS_BYTES), password = fl_buf_of(MAX_SECRET_BYTES);
    topics list = {0};
    *out = NULL;
    if (kafka->brokers.count == 0)
        return FL_OK;
    add_topics(&list, &kafka->traces_topics, "/v1/traces");
    add_topics(&list, &kafka->metrics_topics, "/v1/metrics");
    add_topics(&list, &kafka->logs_topics, "/v1/logs");
    put_brokers(&brokers, &kafka->brokers);
    fl_status status = fl_buf_check(&brokers, "the list of Kafka's brokers", err);
    if (status == FL_OK && kafka->password_file != NULL)
        status = fl_config_secret(&password, kafka->password_file, err);
    const fl_kafka_options options = {.brokers = brokers.ptr,
                                      .group = kafka->group,
                                      .topics = list.items,
                                      .topic_count = list.count,
                                      .from_beginning = kafka->from_beginning,
                                      .ca_file = kafka->ca_file,
                                      .cert_file = kafka->cert_file,
                                      .key_file = kafka->key_file,
                                      .user = kafka->user,
                                      .password = password.ptr,
                                      .mechanism = kafka->mechanism,
                                      .say = say,
                                      .say_to = say_to};
    if (status == FL_OK)
        status = fl_kafka_start(out, http, &options, err);
    if (password.ptr != NULL)
        memset(password.ptr, 0, password.cap);
    fl_buf_dispose(&password);
    fl_buf_dispose(&brokers);
    return status;
}
