/*
 * serve_metrics.c - the figures of all parts, by Prometheus' conventions. One function a part.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "metrics.h"
#include "serve_priv.h"
#include "timestamp.h"

/* Named as the client libraries name them; proc(5). */
static void put_process(fl_metrics *m, const fl_serve *serve)
{
    struct timespec cpu = {0};
    unsigned long pages = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    if (statm != NULL && fscanf(statm, "%lu %lu", &pages, &resident) != 2)
        resident = 0;
    if (statm != NULL)
        (void)fclose(statm);
    fl_metrics_counter(m, "process_cpu_seconds_total", "Time of user and system spent");
    fl_metrics_number(m, NULL, NULL, (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
    fl_metrics_one_gauge(m, "process_resident_memory_bytes", "Memory that is in use",
                         (double)resident * (double)sysconf(_SC_PAGESIZE));
    fl_metrics_one_gauge(m, "process_start_time_seconds", "When the process began, since the epoch",
                         (double)serve->started_ns / 1e9);
}

/* A constant with the version as its label can be joined to any other figure. */
static void put_build(fl_metrics *m, const fl_serve *serve)
{
    fl_metrics_gauge(m, "faultline_build_info", "Always 1; the label tells the version");
    fl_metrics_count(m, "version", serve->options.version, 1);
    fl_metrics_one_gauge(m, "faultline_ready", "1 where data is taken",
                         serve->state == FL_SERVE_READY);
}

/* What the transport did before any handler: above all, why it refused. */
static void put_http(fl_metrics *m, fl_http *http)
{
    static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    fl_http_stats s = fl_http_stats_of(http);
    fl_metrics_one_gauge(m, "faultline_http_connections", "Connections that are open",
                         s.connections);
    fl_metrics_one_counter(m, "faultline_http_connections_total", "Connections that were accepted",
                           s.connections_total);
    fl_metrics_one_counter(m, "faultline_http_connections_refused_total",
                           "Connections that were closed at once: there were too many",
                           s.connections_refused);
    fl_metrics_one_counter(m, "faultline_http_connections_overdue_total",
                           "Connections that were closed for being too slow or idle too long",
                           s.connections_overdue);
    fl_metrics_one_counter(m, "faultline_http_requests_total", "Requests whose head was read",
                           s.requests);
    fl_metrics_counter(m, "faultline_http_answers_total", "Answers by the class of their status");
    for (size_t i = 1; i < sizeof(classes) / sizeof(classes[0]); i++)
        fl_metrics_count(m, "class", classes[i], s.answers[i]);
    fl_metrics_counter(m, "faultline_http_refused_total", "Requests that reached no handler");
    for (size_t i = 0; i < FL_HTTP_REFUSALS; i++)
        fl_metrics_count(m, "reason", fl_http_refusal_names[i], s.refused[i]);
    fl_metrics_one_counter(m, "faultline_http_wire_bytes_total", "Bytes of bodies as they came",
                           s.wire_bytes);
    fl_metrics_one_counter(m, "faultline_http_body_bytes_total",
                           "Bytes of bodies after decompression", s.body_bytes);
    fl_metrics_one_gauge(m, "faultline_http_memory_bytes", "Memory of requests that are under way",
                         (double)s.budget_used_bytes);
    fl_metrics_one_gauge(m, "faultline_http_memory_limit_bytes",
                         "Beyond it requests are told to come again", (double)s.budget_bytes);
    fl_metrics_one_gauge(m, "faultline_workers", "Threads that run handlers", s.workers.threads);
    fl_metrics_one_gauge(m, "faultline_workers_busy", "Threads that run one now", s.workers.busy);
    fl_metrics_one_gauge(m, "faultline_workers_queued", "Requests that wait for a thread",
                         (double)s.workers.queued);
}

/* One sample of each protocol and what it counts by. */
static void put_by(fl_metrics *m, size_t protocol, const char *label, const char *value,
                   uint64_t count)
{
    const fl_metrics_label labels[] = {
        {"protocol", fl_receive_protocol_name((fl_receive_protocol)protocol)}, {label, value}};
    fl_metrics_count_of(m, labels, count);
}

/* What came and was taken. A repeated request counts as one that came and added nothing. */
static void put_received(fl_metrics *m, const fl_receive_stats *s)
{
    const fl_metrics_label profile = {"kind", "profile"};
    fl_metrics_counter(m, "faultline_receive_requests_total", "Requests that reached a handler");
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++)
        fl_metrics_count(m, "protocol", fl_receive_protocol_name((fl_receive_protocol)p),
                         s->by[p].requests);
    fl_metrics_counter(m, "faultline_receive_bytes_total", "Bytes of their bodies");
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++)
        fl_metrics_count(m, "protocol", fl_receive_protocol_name((fl_receive_protocol)p),
                         s->by[p].bytes);
    fl_metrics_counter(m, "faultline_receive_repeated_total",
                       "Requests that were accepted before, and added nothing");
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++)
        fl_metrics_count(m, "protocol", fl_receive_protocol_name((fl_receive_protocol)p),
                         s->by[p].repeated);
    fl_metrics_counter(m, "faultline_receive_records_total", "Records that are kept");
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++) {
        for (size_t k = 0; k < FL_ARCHIVE_KIND_COUNT; k++)
            put_by(m, p, "kind", fl_archive_kind_name((fl_archive_kind)k), s->by[p].records[k]);
        put_by(m, p, profile.name, profile.value, s->by[p].profiles);
    }
}

/* What was not taken, whole requests and single records, each by its reason: nothing is lost
 * without a count. */
static void put_not_received(fl_metrics *m, const fl_receive_stats *s)
{
    fl_metrics_counter(m, "faultline_receive_late_total",
                       "Records that are kept though more than an hour old");
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++)
        fl_metrics_count(m, "protocol", fl_receive_protocol_name((fl_receive_protocol)p),
                         s->by[p].late);
    fl_metrics_counter(m, "faultline_receive_refused_total", "Requests that were refused");
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++)
        for (size_t r = 0; r < FL_RECEIVE_REFUSALS; r++)
            put_by(m, p, "reason", fl_receive_refusal_name((fl_receive_refusal)r),
                   s->by[p].refused[r]);
    fl_metrics_counter(m, "faultline_receive_lost_total",
                       "Records of accepted requests that are not kept");
    for (size_t p = 0; p < FL_RECEIVE_PROTOCOLS; p++)
        for (size_t l = 0; l < FL_RECEIVE_LOSSES; l++)
            put_by(m, p, "reason", fl_receive_loss_name((fl_receive_loss)l), s->by[p].lost[l]);
}

/* By rule; a reload begins them anew. */
static void put_redacted(fl_metrics *m, fl_receive *receive)
{
    fl_redact_count counts[FL_REDACT_MAX_RULES + 2];
    fl_redact_rules *rules = fl_receive_redaction(receive);
    size_t count = rules != NULL ? fl_redact_counts(rules, counts) : 0;
    fl_redact_rules_destroy(rules);
    fl_metrics_counter(m, "faultline_redacted_total",
                       "Places where something was taken out before it was stored");
    for (size_t i = 0; i < count; i++)
        fl_metrics_count(m, "rule", counts[i].name, counts[i].redacted);
}

/* What was made durable, and how full it is. */
static void put_archive(fl_metrics *m, fl_archive *archive)
{
    fl_archive_stats s = fl_archive_stats_of(archive);
    fl_metrics_one_counter(m, "faultline_archive_batches_total", "Requests that were made durable",
                           s.batches);
    fl_metrics_one_counter(m, "faultline_archive_repeated_total", "Requests that were there before",
                           s.repeated_batches);
    fl_metrics_counter(m, "faultline_archive_refused_total",
                       "Requests that were refused, by what was full");
    fl_metrics_count(m, "reason", "memory", s.refused_memory);
    fl_metrics_count(m, "reason", "disk", s.refused_disk);
    fl_metrics_count(m, "reason", "other", s.refused_other);
    fl_metrics_one_counter(m, "faultline_archive_sealed_blocks_total", "Blocks that were written",
                           s.sealed_blocks);
    fl_metrics_one_counter(m, "faultline_archive_seal_failures_total",
                           "Blocks that could not be written, and are tried again",
                           s.seal_failures);
    fl_metrics_one_counter(m, "faultline_archive_merged_blocks_total",
                           "Blocks that were merged into larger ones", s.merged_blocks);
    fl_metrics_one_counter(m, "faultline_archive_merge_failures_total",
                           "Merges that failed, and are tried again", s.merge_failures);
    fl_metrics_one_counter(m, "faultline_archive_dropped_bytes_total",
                           "Bytes that retention dropped", s.dropped_bytes);
    fl_metrics_one_counter(m, "faultline_archive_read_failures_total",
                           "Blocks that could not be read", s.read_failures);
    fl_metrics_gauge(m, "faultline_archive_bytes", "Bytes that are kept");
    fl_metrics_count(m, "in", "head", s.head_bytes);
    fl_metrics_count(m, "in", "sealing", s.sealing_bytes);
    fl_metrics_count(m, "in", "log", s.wal_bytes);
    fl_metrics_count(m, "in", "blocks", s.block_bytes);
    fl_metrics_count(m, "in", "profiles", s.profile_bytes);
    fl_metrics_one_gauge(m, "faultline_archive_blocks", "Sealed blocks", (double)s.blocks);
    fl_metrics_one_gauge(m, "faultline_archive_oldest_timestamp_seconds",
                         "Time of the oldest record; 0 where there is none",
                         (double)s.oldest_ns / 1e9);
    fl_metrics_one_gauge(m, "faultline_archive_lost_records",
                         "Acknowledged requests that the log had lost at the start",
                         (double)(s.found.wal.lost_records + s.found.damaged_batches));
}

/* The same in records, and what retention and the last start left out. */
static void put_archive_kept(fl_metrics *m, fl_archive *archive)
{
    fl_archive_stats s = fl_archive_stats_of(archive);
    fl_metrics_counter(m, "faultline_archive_records_total", "Records that were made durable");
    for (size_t k = 0; k < FL_ARCHIVE_KIND_COUNT; k++)
        fl_metrics_count(m, "kind", fl_archive_kind_name((fl_archive_kind)k), s.records[k]);
    fl_metrics_one_counter(m, "faultline_archive_refused_records_total",
                           "Records of requests that were refused", s.refused_records);
    fl_metrics_one_counter(m, "faultline_archive_unsealed_records_total",
                           "Records that fit into no block", s.unsealed_records);
    fl_metrics_one_counter(m, "faultline_archive_dropped_blocks_total",
                           "Blocks that retention dropped", s.dropped_blocks);
    fl_metrics_one_counter(m, "faultline_archive_dropped_profiles_total",
                           "Profiles that retention dropped", s.dropped_profiles);
    fl_metrics_one_counter(m, "faultline_archive_syncs_total",
                           "Syncs of the log, each of which many requests may share", s.wal_groups);
    fl_metrics_one_gauge(m, "faultline_archive_block_records", "Records in blocks",
                         (double)s.block_records);
    fl_metrics_one_gauge(m, "faultline_archive_profiles", "Profiles that are kept",
                         (double)s.profiles);
    fl_metrics_one_gauge(m, "faultline_archive_torn_bytes",
                         "Bytes at the log's end that the last start cut off",
                         (double)s.found.wal.torn_bytes);
}

/* Codes by number, as gRPC's own tools show them: google.rpc.Code. */
static void put_grpc(fl_metrics *m, fl_grpc *grpc)
{
    fl_grpc_stats s = fl_grpc_stats_of(grpc);
    fl_metrics_one_gauge(m, "faultline_grpc_connections", "Connections that are open",
                         s.connections);
    fl_metrics_one_counter(m, "faultline_grpc_connections_total", "Connections that were accepted",
                           s.connections_total);
    fl_metrics_one_counter(m, "faultline_grpc_connections_refused_total",
                           "Connections that were closed at once: there were too many",
                           s.connections_refused);
    fl_metrics_one_counter(m, "faultline_grpc_connections_failed_total",
                           "Connections that broke the protocol", s.connections_failed);
    fl_metrics_one_counter(m, "faultline_grpc_connections_impatient_total",
                           "Connections that were ended for what they cost",
                           s.connections_impatient);
    fl_metrics_one_counter(m, "faultline_grpc_calls_total", "Calls", s.calls);
    fl_metrics_counter(m, "faultline_grpc_codes_total", "Calls by the number of their grpc-status");
    for (unsigned i = 0; i < FL_GRPC_CODES; i++) {
        char code[8];
        (void)snprintf(code, sizeof(code), "%u", i);
        fl_metrics_count(m, "code", code, s.codes[i]);
    }
    fl_metrics_one_counter(m, "faultline_grpc_resets_total", "Calls that their client gave up",
                           s.resets);
    fl_metrics_one_counter(m, "faultline_grpc_refused_streams_total",
                           "Calls beyond what one connection may have", s.refused_streams);
    fl_metrics_one_counter(m, "faultline_grpc_message_bytes_total",
                           "Bytes of messages as they came", s.message_bytes);
}

/* What is asked for by the daemon itself; all 0 where that is nothing. */
static void put_pulled(fl_metrics *m, const fl_puller_stats *s)
{
    fl_metrics_one_gauge(m, "faultline_pull_targets", "Programs that are asked for profiles",
                         (double)s->targets);
    fl_metrics_one_gauge(m, "faultline_pull_targets_stretched",
                         "Of these, those that are asked less often than the interval",
                         (double)s->stretched);
    fl_metrics_one_gauge(m, "faultline_pull_left_alone",
                         "Servers that are left alone for a while, after failures",
                         (double)s->sources_open);
    fl_metrics_one_counter(m, "faultline_pull_requests_total", "Requests that were sent",
                           s->requests);
    fl_metrics_one_counter(m, "faultline_pull_retries_total",
                           "Of these, those that were not the first", s->retries);
    fl_metrics_one_counter(m, "faultline_pull_wire_bytes_total", "Bytes of answers, as sent",
                           s->wire_bytes);
    fl_metrics_one_counter(m, "faultline_pull_queries_total", "Queries that ended", s->queries);
    fl_metrics_one_counter(m, "faultline_pull_points_total",
                           "Points of their answers that are kept", s->points);
    fl_metrics_one_counter(m, "faultline_pull_profiles_total", "Profiles that are kept",
                           s->profiles);
    fl_metrics_one_counter(m, "faultline_pull_profile_bytes_total", "Their bytes",
                           s->profile_bytes);
    fl_metrics_counter(m, "faultline_pull_failures_total", "What was asked for in vain");
    fl_metrics_count(m, "reason", "query", s->query_failures);
    fl_metrics_count(m, "reason", "profile", s->profile_failures);
    fl_metrics_count(m, "reason", "not_served", s->not_served);
    fl_metrics_count(m, "reason", "not_kept", s->not_kept);
    fl_metrics_counter(m, "faultline_pull_target_seconds_total",
                       "Time that programs took to answer for their profiles");
    fl_metrics_number(m, NULL, NULL, (double)s->busy_ns / 1e9);
}

/* What became of the messages, and of the offsets behind them. */
static void put_kafka(fl_metrics *m, fl_kafka *kafka)
{
    fl_kafka_stats s = fl_kafka_stats_of(kafka);
    fl_metrics_one_gauge(m, "faultline_kafka_partitions", "Partitions that are read here now",
                         s.partitions);
    fl_metrics_one_counter(m, "faultline_kafka_messages_total", "Messages that came", s.messages);
    fl_metrics_one_counter(m, "faultline_kafka_message_bytes_total", "Bytes of messages", s.bytes);
    fl_metrics_one_counter(m, "faultline_kafka_taken_total", "Messages that are safe", s.taken);
    fl_metrics_one_counter(m, "faultline_kafka_refused_total",
                           "Messages that were passed over: they cannot be read", s.refused);
    fl_metrics_one_counter(m, "faultline_kafka_retries_total", "Tries of messages that had to wait",
                           s.retries);
    fl_metrics_one_counter(m, "faultline_kafka_commits_total", "Commits of offsets", s.commits);
    fl_metrics_one_counter(m, "faultline_kafka_commit_failures_total",
                           "Commits that failed: those messages come again", s.commit_failures);
    fl_metrics_one_counter(m, "faultline_kafka_errors_total", "Errors of brokers and of the group",
                           s.errors);
}

/* While it is recovered a part is not there yet. */
void fl_serve_metrics(fl_serve *serve, fl_buf *out)
{
    fl_metrics m = {.out = out};
    put_process(&m, serve);
    put_build(&m, serve);
    put_http(&m, serve->http);
    if (serve->receive != NULL) {
        fl_receive_stats received = fl_receive_stats_of(serve->receive);
        put_received(&m, &received);
        put_not_received(&m, &received);
        put_redacted(&m, serve->receive);
    }
    if (serve->archive != NULL) {
        put_archive(&m, serve->archive);
        put_archive_kept(&m, serve->archive);
    }
    if (serve->incidents != NULL)
        fl_serve_put_incidents(&m, serve->incidents);
    if (serve->api != NULL)
        fl_serve_put_api(&m, serve->api);
    if (serve->grpc != NULL)
        put_grpc(&m, serve->grpc);
    (void)pthread_mutex_lock(&serve->puller_lock);
    fl_puller_stats pulled = fl_puller_stats_of(serve->puller);
    (void)pthread_mutex_unlock(&serve->puller_lock);
    put_pulled(&m, &pulled);
    if (serve->kafka != NULL)
        put_kafka(&m, serve->kafka);
}
