/*
 * config_table.c - the one table of settings. Adding one is a member in config.h and a row here.
 *
 * Rows stand in the order in which the documents show them. A section's offset is where its struct
 * is in the one around it; 0 for a section that has no struct of its own. A default is text, as it
 * would stand in the file, and is read by the same code.
 */
#include "config_priv.h"

#include <stddef.h>

#define FL_COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define FL_GROUP(name, type)                                                                       \
    static const fl_config_group name = {                                                          \
        .fields = name##_fields, .count = FL_COUNT(name##_fields), .size = sizeof(type)}
#define FL_ROW(name, what, type, member, ...)                                                      \
    {                                                                                              \
        .key = name, .kind = FL_CONFIG_##what, .offset = offsetof(type, member), __VA_ARGS__       \
    }
/* A section whose rows say where in the struct around it they are. */
#define FL_PART(name, rows, sentence)                                                              \
    {                                                                                              \
        .key = name, .kind = FL_CONFIG_SECTION, .group = &rows, .help = sentence                   \
    }

/* ---- listen: the ports that OpenTelemetry, Loki, Zipkin and Pyroscope have by themselves ---- */

static const fl_config_field tls_fields[] = {
    FL_ROW("cert_file", FILE_NAME, fl_config_listen, cert_file, .reloads = true,
           .example = "server.pem",
           .help = "The certificate and those between it and the authority, as PEM; with it, every "
                   "listener speaks TLS"),
    FL_ROW("key_file", SECRET, fl_config_listen, key_file, .reloads = true, .example = "server.key",
           .help = "The certificate's private key, as PEM"),
    FL_ROW("client_ca_file", FILE_NAME, fl_config_listen, client_ca_file, .reloads = true,
           .example = "clients.pem",
           .help =
               "Mutual TLS: clients must show a certificate that one of these authorities signed"),
};
FL_GROUP(tls, fl_config_listen);

static const fl_config_field listen_fields[] = {
    FL_ROW("http", ADDRESSES, fl_config_listen, http, .fallback = "127.0.0.1:4318",
           .help = "Where everything over HTTP is served: OTLP, remote write, Loki, Zipkin, "
                   "webhooks, profiles, questions; [] for nowhere"),
    FL_ROW("grpc", ADDRESSES, fl_config_listen, grpc, .fallback = "127.0.0.1:4317",
           .help = "Where OTLP over gRPC is served"),
    FL_ROW("loki", ADDRESSES, fl_config_listen, loki, .fallback = "127.0.0.1:3100",
           .help = "Loki's own port, with the same routes as http"),
    FL_ROW("zipkin", ADDRESSES, fl_config_listen, zipkin, .fallback = "127.0.0.1:9411",
           .help = "Zipkin's own port, with the same routes as http"),
    FL_ROW("pyroscope", ADDRESSES, fl_config_listen, pyroscope, .fallback = "127.0.0.1:4040",
           .help = "Pyroscope's own port, with the same routes as http"),
    FL_PART("tls", tls, "Encryption, and who may connect"),
    FL_ROW("tokens_file", SECRET, fl_config_listen, tokens_file, .reloads = true,
           .example = "tokens",
           .help = "Hashes of bearer tokens and their roles, as 'faultline token' writes them"),
    FL_ROW(
        "allow_unauthenticated", BOOL, fl_config_listen, allow_unauthenticated, .fallback = "false",
        .help =
            "Listen beyond loopback although neither tokens nor client certificates are asked for"),
};
FL_GROUP(listen, fl_config_listen);

/* ---- limits ---- */

static const fl_config_field limits_fields[] = {
    /* OTLP recommends 64 MiB as the largest body. */
    FL_ROW("body", SIZE, fl_config_limits, body_bytes, .fallback = "64MiB", .least = 1024,
           .help = "Bytes of one request, after decompression"),
    /* nginx takes four buffers of 8 KiB, Apache 8 KiB a line. */
    FL_ROW("headers", SIZE, fl_config_limits, header_bytes, .fallback = "32KiB", .least = 1024,
           .most = 1 << 20,
           .help = "Bytes of one request's headers; a gRPC call's are 8KiB at most"),
    /* Four bodies of the largest size at once; those of exporters are a thousandth of it. */
    FL_ROW("memory", SIZE, fl_config_limits, memory_bytes, .fallback = "256MiB", .least = 1 << 20,
           .help = "Bytes of all requests that are being received or handled; beyond it senders "
                   "are told to retry"),
    /* Well above what a thousand agents with three exporters each have open. */
    FL_ROW("connections", COUNT, fl_config_limits, connections, .fallback = "4096", .least = 1,
           .most = 1 << 20, .help = "Connections at once, of all listeners"),
    /* A proxy in front of all senders is one client. */
    FL_ROW("client_connections", COUNT, fl_config_limits, client_connections, .fallback = "2048",
           .least = 1, .most = 1 << 20, .help = "Connections at once of one client's address"),
    FL_ROW("client_rate", COUNT, fl_config_limits, client_rate, .reloads = true, .fallback = "0",
           .most = 1 << 30, .help = "Requests a second of one client's address; 0 for any number"),
    /* What RFC 9113 (5.1.2) recommends as the least. */
    FL_ROW("streams", COUNT, fl_config_limits, streams, .fallback = "100", .least = 1,
           .most = 1 << 16, .help = "Calls at once on one gRPC connection"),
    FL_ROW("workers", COUNT, fl_config_limits, workers, .fallback = "0", .most = 1024,
           .help = "Threads that handle requests; 0 to choose by the number of cores"),
    /* Senders that are alive send headers within a round trip; slow-loris does not. */
    FL_ROW("header_timeout", DURATION, fl_config_limits, header_timeout_ns, .fallback = "10s",
           .least = 100, .help = "Time in which a request's headers must have come"),
    FL_ROW("body_timeout", DURATION, fl_config_limits, body_timeout_ns, .fallback = "1m",
           .least = 100, .help = "Time in which a request's body must have come"),
    FL_ROW("idle_timeout", DURATION, fl_config_limits, idle_timeout_ns, .fallback = "2m",
           .least = 100, .help = "Time after which a connection without a request is closed"),
};
FL_GROUP(limits, fl_config_limits);

/* ---- archive, store ---- */

static const char *const durabilities[] = {"batch", "memory", NULL};

static const fl_config_field archive_fields[] = {
    FL_ROW("folder", FOLDER, fl_config_archive, folder, .example = "/var/lib/faultline",
           .help = "Where accepted telemetry is kept; by default below the user's state folder"),
    FL_ROW("durability", CHOICE, fl_config_archive, durability, .fallback = "batch",
           .choices = durabilities,
           .help = "When a request is acknowledged: batch when it is on the disk, memory before "
                   "that, so that a crash may lose what was acknowledged"),
    /* An incident is looked at within days; what it taught is in the store for good. */
    FL_ROW("retention_time", DURATION, fl_config_archive, retention_ns, .fallback = "7d",
           .least = 60000, .help = "How long telemetry is kept"),
    FL_ROW("retention_size", SIZE, fl_config_archive, retention_bytes, .fallback = "20GiB",
           .least = 1 << 20, .help = "How many bytes of it are kept, the newest first"),
    /* Blocks of minutes: small enough to be skipped by time, large enough to compress well. */
    FL_ROW("seal_after", DURATION, fl_config_archive, seal_after_ns, .fallback = "5m",
           .least = 1000, .help = "Age at which what is in memory is written as a block"),
    FL_ROW("seal_size", SIZE, fl_config_archive, seal_bytes, .fallback = "64MiB", .least = 1 << 16,
           .help = "Size at which it is"),
    FL_ROW("wal_size", SIZE, fl_config_archive, wal_bytes, .fallback = "1GiB", .least = 1 << 20,
           .help = "Bytes that the write-ahead log may take on the disk; beyond it senders are "
                   "told to retry"),
};
FL_GROUP(archive, fl_config_archive);

static const fl_config_field store_fields[] = {
    FL_ROW("url", STORE, fl_config, store.url,
           .example = "postgresql://faultline@db.example/faultline?passfile=/etc/faultline/pgpass",
           .help =
               "Where incidents and the graph are kept: a SQLite file, or a PostgreSQL database, "
               "which several daemons may share; by default a file below the user's state folder"),
};
FL_GROUP(store, fl_config);

/* ---- webhooks ---- */

static const fl_config_field github_fields[] = {
    FL_ROW("secret_file", SECRET, fl_config, webhooks.github_secret_file,
           .example = "github-secret",
           .help = "The secret that GitHub signs its webhooks with; without it they are taken from "
                   "loopback only"),
};
FL_GROUP(github, fl_config);

static const fl_config_field gitlab_fields[] = {
    FL_ROW("token_file", SECRET, fl_config, webhooks.gitlab_token_file, .example = "gitlab-token",
           .help = "The token that GitLab sends with its webhooks; without it they are taken from "
                   "loopback only"),
};
FL_GROUP(gitlab, fl_config);

static const fl_config_field webhooks_fields[] = {
    FL_PART("github", github, "Of GitHub"),
    FL_PART("gitlab", gitlab, "Of GitLab"),
};
FL_GROUP(webhooks, fl_config);

/* ---- sources ---- */

/* What every source has: how it is asked. */
#define FL_ACCESS(type)                                                                            \
    FL_ROW("bearer_file", SECRET, type, access.bearer_file, .example = "token",                    \
           .help = "A token to be sent as 'Authorization: Bearer'"),                               \
        FL_ROW("user", TEXT, type, access.user, .example = "faultline",                            \
               .help = "The user of basic authentication"),                                        \
        FL_ROW("password_file", SECRET, type, access.password_file, .example = "password",         \
               .help = "The user's password"),                                                     \
        FL_ROW("ca_file", FILE_NAME, type, access.ca_file, .example = "ca.pem",                    \
               .help = "Authorities to be trusted instead of the system's"),                       \
        FL_ROW("cert_file", FILE_NAME, type, access.cert_file, .example = "client.pem",            \
               .help = "A certificate to show, with key_file"),                                    \
        FL_ROW("key_file", SECRET, type, access.key_file, .example = "client.key",                 \
               .help = "The certificate's private key"),                                           \
        FL_ROW("tenant", TEXT, type, access.tenant, .example = "team-a",                           \
               .help =                                                                             \
                   "Whose data is meant where several share the source, sent as X-Scope-OrgID"),   \
        FL_ROW("connect_timeout", DURATION, type, access.connect_timeout_ns, .fallback = "5s",     \
               .least = 10, .help = "Time in which a connection must be there"),                   \
        FL_ROW("timeout", DURATION, type, access.timeout_ns, .fallback = "30s", .least = 10,       \
               .help = "Time in which an answer must be there"),                                   \
        FL_ROW("retries", COUNT, type, access.retries, .fallback = "3", .most = 10,                \
               .help = "How often a request is repeated that failed but may succeed")

#define FL_SOURCE_NAME(type, what)                                                                 \
    FL_ROW("name", TEXT, type, name, .example = what,                                              \
           .help = "What it is called in messages and evidence; by default its kind")

#define FL_SOURCE_URL(what)                                                                        \
    FL_ROW("url", URL, fl_config_source, url, .required = true, .example = what,                   \
           .help = "Where its API is")

static const fl_config_field query_fields[] = {
    FL_ROW("query", TEXT, fl_config_query, query, .required = true,
           .example = "rate(http_requests_total[1m])", .help = "In PromQL"),
    FL_ROW("name", TEXT, fl_config_query, name, .example = "http_requests_rate",
           .help = "The metric that the answer becomes where it has no name of its own"),
};
FL_GROUP(query, fl_config_query);

static const fl_config_field prometheus_fields[] = {
    FL_SOURCE_NAME(fl_config_source, "prometheus"),
    FL_SOURCE_URL("http://prometheus.example:9090"),
    FL_ACCESS(fl_config_source),
    FL_ROW("interval", DURATION, fl_config_source, interval_ns, .fallback = "30s", .least = 1000,
           .help = "How often the queries are asked"),
    FL_ROW("queries", ITEMS, fl_config_source, queries, .group = &query,
           .help = "What is asked on a schedule"),
    /* Some hundred series for each of a service's neighbours; more take longer than they tell. */
    FL_ROW("series_most", COUNT, fl_config_source, series_most, .fallback = "10000", .least = 1,
           .most = 1000000,
           .help =
               "Series of one window at most; those of the service and its neighbours come first"),
};
FL_GROUP(prometheus, fl_config_source);

static const fl_config_field loki_fields[] = {
    FL_SOURCE_NAME(fl_config_source, "loki"),
    FL_SOURCE_URL("http://loki.example:3100"),
    FL_ACCESS(fl_config_source),
};
FL_GROUP(loki, fl_config_source);

static const fl_config_field tempo_fields[] = {
    FL_SOURCE_NAME(fl_config_source, "tempo"),
    FL_SOURCE_URL("http://tempo.example:3200"),
    FL_ACCESS(fl_config_source),
};
FL_GROUP(tempo, fl_config_source);

static const fl_config_field jaeger_fields[] = {
    FL_SOURCE_NAME(fl_config_source, "jaeger"),
    FL_SOURCE_URL("http://jaeger.example:16686"),
    FL_ACCESS(fl_config_source),
};
FL_GROUP(jaeger, fl_config_source);

static const fl_config_field target_fields[] = {
    FL_ROW("service", TEXT, fl_config_target, service, .required = true, .example = "checkout",
           .help = "The service that the program is part of"),
    FL_ROW("instance", TEXT, fl_config_target, instance, .example = "checkout-1",
           .help = "Which of its programs; by default the URL's host"),
    FL_ROW("url", URL, fl_config_target, url, .required = true,
           .example = "http://checkout-1.example:6060/debug/pprof",
           .help = "Where its profiles are"),
};
FL_GROUP(target, fl_config_target);

static const char *const profiles[] = {"heap",  "allocs", "goroutine", "goroutineleak",
                                       "mutex", "block",  "profile",   NULL};

static const fl_config_field pprof_fields[] = {
    FL_SOURCE_NAME(fl_config_pprof, "pprof"),
    FL_ROW("targets", ITEMS, fl_config_pprof, targets, .group = &target,
           .help = "Programs, one by one"),
    FL_ROW("targets_file", FILE_NAME, fl_config_pprof, targets_file, .example = "targets.yaml",
           .help = "A file with a list of the same form, read again when it changes"),
    FL_ROW("prometheus", TEXT, fl_config_pprof, prometheus, .example = "prometheus",
           .help = "Name of the Prometheus among the sources whose targets are asked"),
    FL_ROW("jobs", TEXTS, fl_config_pprof, jobs, .example = "checkout, cart",
           .help = "Jobs of those targets; by default all"),
    FL_ROW("service_label", TEXT, fl_config_pprof, service_label, .fallback = "job",
           .help = "Label of those targets that names the service"),
    FL_ROW("path", TEXT, fl_config_pprof, path, .fallback = "/debug/pprof",
           .help = "Where those targets have their profiles"),
    FL_ROW("profiles", TEXTS, fl_config_pprof, profiles,
           .fallback = "heap, allocs, goroutine, goroutineleak", .choices = profiles,
           .help = "Which profiles are asked for; one that a program does not have is not asked "
                   "for again"),
    FL_ROW("interval", DURATION, fl_config_pprof, interval_ns, .fallback = "1m", .least = 1000,
           .help = "How often each program is asked"),
    /* What teams accept of a profiler that is always on. */
    FL_ROW("overhead", RATIO, fl_config_pprof, overhead_ratio, .fallback = "0.01",
           .help = "Part of a program's time that asking it may take; one that answers slowly is "
                   "asked less often"),
    FL_ACCESS(fl_config_pprof),
};
FL_GROUP(pprof, fl_config_pprof);

static const fl_config_field sources_fields[] = {
    FL_ROW("prometheus", ITEMS, fl_config, sources.prometheus, .reloads = true,
           .group = &prometheus, .help = "Prometheus, or what answers as it does"),
    FL_ROW("loki", ITEMS, fl_config, sources.loki, .reloads = true, .group = &loki,
           .help = "Loki, for logs"),
    FL_ROW("tempo", ITEMS, fl_config, sources.tempo, .reloads = true, .group = &tempo,
           .help = "Tempo, for traces"),
    FL_ROW("jaeger", ITEMS, fl_config, sources.jaeger, .reloads = true, .group = &jaeger,
           .help = "Jaeger, for traces"),
    FL_ROW("pprof", ITEMS, fl_config, sources.pprof, .reloads = true, .group = &pprof,
           .help = "Go programs that serve their profiles"),
};
FL_GROUP(sources, fl_config);

/* ---- incidents ---- */

static const fl_config_field incidents_fields[] = {
    FL_ROW("enabled", BOOL, fl_config_incidents, enabled, .fallback = "true",
           .help = "Whether incidents are opened without being asked for"),
    FL_ROW("entry", TEXTS, fl_config_incidents, entry, .example = "frontend, api-gateway",
           .help = "Services whose break is a symptom; by default those that traces show to be "
                   "called from outside"),
    /* Several windows of the daily change in load, not the whole day. */
    FL_ROW("baseline", DURATION, fl_config_incidents, baseline_ns, .fallback = "2h", .least = 60000,
           .help = "What a break is compared with"),
    /* Longer than a restart or a roll-out of one instance takes. */
    FL_ROW("sustained", DURATION, fl_config_incidents, sustained_ns, .fallback = "2m",
           .least = 10000, .help = "How long a break lasts before it is an incident"),
    /* Longer than the pauses of a symptom that comes and goes. */
    FL_ROW("close_after", DURATION, fl_config_incidents, close_after_ns, .fallback = "15m",
           .least = 10000,
           .help = "How long the symptom must be gone before the incident is closed"),
    FL_ROW("triage_every", DURATION, fl_config_incidents, triage_every_ns, .fallback = "30s",
           .least = 1000,
           .help = "At most how often an open incident is triaged again as evidence arrives"),
    FL_ROW("open_most", COUNT, fl_config_incidents, open_most, .fallback = "1000", .least = 1,
           .most = 100000, .help = "Incidents that are open at once"),
    FL_ROW("claim", BOOL, fl_config_incidents, claim, .fallback = "true",
           .help =
               "Where several daemons share a PostgreSQL store: each incident is handled by one"),
    FL_ROW("claim_lease", DURATION, fl_config_incidents, claim_lease_ns, .fallback = "2m",
           .least = 1000,
           .help =
               "Time after which another one takes over the incidents of a daemon that is gone"),
};
FL_GROUP(incidents, fl_config_incidents);

/* ---- redaction ---- */

static const fl_config_field rule_fields[] = {
    FL_ROW("name", TEXT, fl_config_rule, name, .required = true, .reloads = true,
           .example = "customer-number",
           .help = "What it is called in counts and in the replacement"),
    FL_ROW("pattern", PATTERN, fl_config_rule, pattern, .required = true, .reloads = true,
           .example = "CUST-[0-9]{8}",
           .help = "What is taken out, as a regular expression of PCRE2"),
    FL_ROW("replace", TEXT, fl_config_rule, replace, .reloads = true, .example = "CUST-?",
           .help = "What is put in its place; by default [redacted:NAME]"),
    FL_ROW("ignore_case", BOOL, fl_config_rule, ignore_case, .reloads = true, .fallback = "false",
           .help = "Whether capitals and small letters are the same"),
};
FL_GROUP(rule, fl_config_rule);

static const fl_config_field redaction_fields[] = {
    FL_ROW("builtin", BOOL, fl_config_redaction, builtin, .reloads = true, .fallback = "true",
           .help = "Whether keys, tokens, cards, addresses and passwords are taken out"),
    FL_ROW("without", TEXTS, fl_config_redaction, without, .reloads = true, .example = "email",
           .help = "Built-in rules that are left out"),
    FL_ROW("keys", TEXTS, fl_config_redaction, keys, .reloads = true, .example = "user.birthday",
           .help = "Attributes whose values are never kept, besides those that name secrets"),
    FL_ROW("rules", ITEMS, fl_config_redaction, rules, .reloads = true, .group = &rule,
           .help = "Patterns of one's own"),
};
FL_GROUP(redaction, fl_config_redaction);

/* ---- kafka ---- */

static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL};

static const fl_config_field kafka_fields[] = {
    FL_ROW("brokers", ADDRESSES, fl_config_kafka, brokers, .example = "kafka-1.example:9092",
           .help = "Where to begin; without any, Kafka is not read"),
    /* As the Collector's Kafka exporter calls them by default. */
    FL_ROW("logs_topics", TEXTS, fl_config_kafka, logs_topics, .fallback = "otlp_logs",
           .help = "Topics with logs in OTLP protobuf"),
    FL_ROW("traces_topics", TEXTS, fl_config_kafka, traces_topics, .fallback = "otlp_spans",
           .help = "Topics with traces in OTLP protobuf"),
    FL_ROW("metrics_topics", TEXTS, fl_config_kafka, metrics_topics, .fallback = "otlp_metrics",
           .help = "Topics with metrics in OTLP protobuf"),
    FL_ROW("group", TEXT, fl_config_kafka, group, .fallback = "faultline",
           .help = "The consumer group, among whose members the topics are divided"),
    FL_ROW("ca_file", FILE_NAME, fl_config_kafka, ca_file, .example = "kafka-ca.pem",
           .help = "Authorities of the brokers' certificates; with it, TLS is spoken"),
    FL_ROW("cert_file", FILE_NAME, fl_config_kafka, cert_file, .example = "kafka.pem",
           .help = "A certificate to show, with key_file"),
    FL_ROW("key_file", SECRET, fl_config_kafka, key_file, .example = "kafka.key",
           .help = "The certificate's private key"),
    FL_ROW("user", TEXT, fl_config_kafka, user, .example = "faultline", .help = "The user of SASL"),
    FL_ROW("password_file", SECRET, fl_config_kafka, password_file, .example = "kafka-password",
           .help = "The user's password"),
    FL_ROW("mechanism", WORD, fl_config_kafka, mechanism, .fallback = "SCRAM-SHA-512",
           .choices = mechanisms, .help = "How the user is authenticated"),
    FL_ROW("from_beginning", BOOL, fl_config_kafka, from_beginning, .fallback = "false",
           .help = "Where the group has no offset yet, whether to begin with the oldest message"),
};
FL_GROUP(kafka, fl_config_kafka);

/* ---- links ---- */

static const fl_config_field links_fields[] = {
    FL_ROW("prometheus", URL, fl_config, links.prometheus,
           .example = "http://prometheus.example:9090",
           .help = "Where a browser finds Prometheus: pages lead from metrics to its graphs"),
    FL_ROW("jaeger", URL, fl_config, links.jaeger, .example = "http://jaeger.example:16686",
           .help = "Where a browser finds Jaeger: pages lead from traces to its search"),
    FL_ROW("grafana", URL, fl_config, links.grafana, .example = "https://grafana.example",
           .help = "Where a browser finds Grafana: pages lead to Explore, with the query"),
    FL_ROW("grafana_prometheus", TEXT, fl_config, links.grafana_prometheus, .example = "prometheus",
           .help = "The uid of Grafana's data source for metrics"),
    FL_ROW("grafana_loki", TEXT, fl_config, links.grafana_loki, .example = "loki",
           .help = "The uid of Grafana's data source for logs"),
    FL_ROW("grafana_tempo", TEXT, fl_config, links.grafana_tempo, .example = "tempo",
           .help = "The uid of Grafana's data source for traces"),
};
FL_GROUP(links, fl_config);

/* ---- all ---- */

static const fl_config_field root_fields[] = {
    FL_ROW("listen", SECTION, fl_config, listen, .group = &listen,
           .help = "Where telemetry and questions are taken"),
    FL_ROW("limits", SECTION, fl_config, limits, .group = &limits,
           .help = "What senders may use up"),
    FL_ROW("archive", SECTION, fl_config, archive, .group = &archive,
           .help = "What was accepted, on the disk"),
    FL_PART("store", store, "Incidents and what was learnt of them"),
    FL_PART("webhooks", webhooks, "Who may tell of changes"),
    FL_PART("sources", sources, "What is asked; no other address is ever fetched"),
    FL_ROW("incidents", SECTION, fl_config, incidents, .group = &incidents,
           .help = "When an incident is opened and closed"),
    FL_PART("links", links, "Where pages lead to; nothing is fetched there"),
    FL_ROW("redaction", SECTION, fl_config, redaction, .group = &redaction,
           .help = "What is taken out of logs and attributes before anything is stored"),
    FL_ROW("kafka", SECTION, fl_config, kafka, .group = &kafka,
           .help = "Topics with OTLP, read as one of a consumer group"),
};

const fl_config_group fl_config_root = {
    .fields = root_fields, .count = FL_COUNT(root_fields), .size = sizeof(fl_config)};
