/*
 * otlp_semconv.c - older attribute names to those of the semantic conventions 1.44.
 *
 * Source: the renames in the published schema files (opentelemetry.io/schemas) and, where a schema
 * file cannot express it, the notes on deprecated attributes in the registry. Names whose successor
 * has another value type or depends on more than the span's kind stay as they are.
 *
 * Lookup: the table is sorted by the length of the old name, and semconv_start[length] is where
 * that length begins, so that most attributes cost one or two comparisons of one byte.
 *
 * Two names need more than the table: net.peer.* is the client's address in a server's span and the
 * server's in any other, which is known when the span's kind is. And a producer in transition sends
 * both names: then the older one is dropped, whichever came first, so that no name is there twice.
 */
#include <assert.h>

#include "otlp_priv.h"

typedef struct fl_rename {
    fl_slice old, now;
} fl_rename;

#define RENAME(old, now)                                                                           \
    {                                                                                              \
        FL_SLICE_INIT(old), FL_SLICE_INIT(now)                                                     \
    }

static const fl_rename renames[] = {
    RENAME("db.name", "db.namespace"),
    RENAME("http.url", "url.full"),
    RENAME("db.system", "db.system.name"),
    RENAME("enduser.id", "user.id"),
    RENAME("message.id", "rpc.message.id"),
    RENAME("rpc.system", "rpc.system.name"),
    RENAME("code.column", "code.column.number"),
    RENAME("code.lineno", "code.line.number"),
    RENAME("http.method", "http.request.method"),
    RENAME("http.scheme", "url.scheme"),
    RENAME("http.target", "url.path"),
    RENAME("net.host.ip", "network.local.address"),
    RENAME("net.peer.ip", "network.peer.address"),
    RENAME("db.operation", "db.operation.name"),
    RENAME("db.sql.table", "db.collection.name"),
    RENAME("db.statement", "db.query.text"),
    RENAME("enduser.role", "user.roles"),
    RENAME("message.type", "rpc.message.type"),
    RENAME("peer.service", "service.peer.name"),
    RENAME("code.filepath", "code.file.path"),
    RENAME("code.function", "code.function.name"),
    RENAME("net.host.name", "server.address"),
    RENAME("net.host.port", "server.port"),
    RENAME("net.peer.name", "server.address"),
    RENAME("net.peer.port", "server.port"),
    RENAME("net.transport", "network.transport"),
    RENAME("http.client_ip", "client.address"),
    RENAME("http.user_agent", "user_agent.original"),
    RENAME("http.retry_count", "http.request.resend_count"),
    RENAME("http.server_name", "server.address"),
    RENAME("http.status_code", "http.response.status_code"),
    RENAME("container.runtime", "container.runtime.name"),
    RENAME("http.resend_count", "http.request.resend_count"),
    RENAME("net.protocol.name", "network.protocol.name"),
    RENAME("browser.user_agent", "user_agent.original"),
    RENAME("db.cassandra.table", "db.collection.name"),
    RENAME("db.hbase.namespace", "db.namespace"),
    RENAME("messaging.protocol", "network.protocol.name"),
    RENAME("net.sock.host.addr", "network.local.address"),
    RENAME("net.sock.host.port", "network.local.port"),
    RENAME("net.sock.peer.addr", "network.peer.address"),
    RENAME("net.sock.peer.port", "network.peer.port"),
    RENAME("messaging.client_id", "messaging.client.id"),
    RENAME("messaging.operation", "messaging.operation.type"),
    RENAME("feature_flag.variant", "feature_flag.result.variant"),
    RENAME("messaging.message_id", "messaging.message.id"),
    RENAME("net.protocol.version", "network.protocol.version"),
    RENAME("db.cassandra.keyspace", "db.namespace"),
    RENAME("db.cosmosdb.container", "db.collection.name"),
    RENAME("db.mongodb.collection", "db.collection.name"),
    RENAME("messaging.destination", "messaging.destination.name"),
    RENAME("net.app.protocol.name", "network.protocol.name"),
    RENAME("deployment.environment", "deployment.environment.name"),
    RENAME("telemetry.auto.version", "telemetry.distro.version"),
    RENAME("message.compressed_size", "rpc.message.compressed_size"),
    RENAME("net.app.protocol.version", "network.protocol.version"),
    RENAME("net.host.connection.type", "network.connection.type"),
    RENAME("message.uncompressed_size", "rpc.message.uncompressed_size"),
    RENAME("messaging.conversation_id", "messaging.message.conversation_id"),
    RENAME("messaging.kafka.client_id", "messaging.client.id"),
    RENAME("messaging.kafka.partition", "messaging.destination.partition.id"),
    RENAME("db.elasticsearch.node.name", "elasticsearch.node.name"),
    RENAME("feature_flag.provider_name", "feature_flag.provider.name"),
    RENAME("messaging.temp_destination", "messaging.destination.temporary"),
    RENAME("http.request_content_length", "http.request.body.size"),
    RENAME("messaging.kafka.message_key", "messaging.kafka.message.key"),
    RENAME("http.response_content_length", "http.response.body.size"),
    RENAME("messaging.rocketmq.client_id", "messaging.client.id"),
    RENAME("db.elasticsearch.cluster.name", "db.namespace"),
    RENAME("feature_flag.evaluation.reason", "feature_flag.result.reason"),
    RENAME("messaging.kafka.consumer.group", "messaging.consumer.group.name"),
    RENAME("messaging.kafka.consumer_group", "messaging.consumer.group.name"),
    RENAME("messaging.kafka.message.offset", "messaging.kafka.offset"),
    RENAME("messaging.rabbitmq.routing_key", "messaging.rabbitmq.destination.routing_key"),
    RENAME("messaging.rocketmq.client_group", "messaging.consumer.group.name"),
    RENAME("messaging.eventhubs.consumer.group", "messaging.consumer.group.name"),
    RENAME("messaging.message.payload_size_bytes", "messaging.message.body.size"),
    RENAME("messaging.message_payload_size_bytes", "messaging.message.body.size"),
    RENAME("messaging.kafka.destination.partition", "messaging.destination.partition.id"),
    RENAME("http.request_content_length_uncompressed", "http.request.body.size"),
    RENAME("http.response_content_length_uncompressed", "http.response.body.size"),
    RENAME("messaging.servicebus.destination.subscription_name",
           "messaging.destination.subscription.name"),
};
enum { RENAME_COUNT = sizeof(renames) / sizeof(renames[0]) };

void fl_otlp_semconv_init(fl_otlp *otlp)
{
    enum { LENGTHS = sizeof(otlp->semconv_start) };
    size_t next = 0;
    for (size_t length = 0; length < LENGTHS; length++) {
        otlp->semconv_start[length] = (unsigned char)next;
        while (next < RENAME_COUNT && renames[next].old.len == length)
            next++;
    }
    assert(next == RENAME_COUNT && RENAME_COUNT < 256); /* sorted, and no name too long */
}

/* Borrowed; the text itself where it does not begin so. */
static fl_slice without_prefix(fl_slice text, fl_slice prefix)
{
    if (!fl_slice_starts_with(text, prefix))
        return text;
    return (fl_slice){text.ptr + prefix.len, text.len - prefix.len};
}

/* The key becomes a literal; a value is only ever shortened in place, never copied. */
static void rename_attr(const fl_rename *rename, fl_otlp_list *list)
{
    fl_attr *attr = &list->items[list->count - 1];
    attr->key = rename->now;
    list->renamed = true;
    if (list->count <= FL_OTLP_MAX_DOUBLES)
        list->renamed_bits[(list->count - 1) / 64] |= UINT64_C(1) << (list->count - 1) % 64;
    if (FL_OTLP_IS(rename->old, "net.peer.name"))
        list->peer_name = list->count;
    else if (FL_OTLP_IS(rename->old, "net.peer.port"))
        list->peer_port = list->count;
    else if (attr->value.kind != FL_VALUE_STRING)
        return;
    else if (FL_OTLP_IS(rename->old, "http.target")) /* path and query */
        attr->value.text.len = fl_slice_find(attr->value.text, FL_SLICE("?"));
    else if (FL_OTLP_IS(rename->old, "net.transport"))
        attr->value.text = without_prefix(attr->value.text, FL_SLICE("ip_"));
}

void fl_otlp_semconv_apply(const fl_otlp *otlp, fl_otlp_list *list)
{
    assert(list->count > 0);
    fl_slice key = list->items[list->count - 1].key;
    if (key.len == 0 || key.len >= sizeof(otlp->semconv_start) - 1)
        return;
    unsigned char last = key.ptr[key.len - 1];
    for (size_t i = otlp->semconv_start[key.len]; i < otlp->semconv_start[key.len + 1]; i++) {
        fl_slice old = renames[i].old;
        if (old.ptr[old.len - 1] == last && memcmp(old.ptr, key.ptr, old.len) == 0) {
            rename_attr(&renames[i], list);
            return;
        }
    }
}

/* True when another attribute has the key of attribute `at`. */
static bool is_double(const fl_otlp_list *list, size_t at)
{
    for (size_t i = 0; i < list->count; i++)
        if (i != at && fl_slice_equal(list->items[i].key, list->items[at].key))
            return true;
    return false;
}

void fl_otlp_semconv_finish(fl_otlp_list *list, fl_span_kind kind)
{
    static const fl_slice client_address = FL_SLICE_INIT("client.address");
    static const fl_slice client_port = FL_SLICE_INIT("client.port");
    assert(list->peer_name <= list->count && list->peer_port <= list->count);
    if (kind == FL_SPAN_SERVER && list->peer_name > 0)
        list->items[list->peer_name - 1].key = client_address;
    if (kind == FL_SPAN_SERVER && list->peer_port > 0)
        list->items[list->peer_port - 1].key = client_port;
    if (list->count > FL_OTLP_MAX_DOUBLES)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if ((list->renamed_bits[i / 64] >> i % 64 & 1) != 0 && is_double(list, i))
            list->items[i].key.len = 0; /* no reader adds an attribute without a key */
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].key.len > 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}
