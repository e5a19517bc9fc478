/*
 * config.h - everything that the daemon and its sources can be told, typed, each value with the
 * place it came from.
 *
 * A configuration is loaded once and never changes; a reload makes another one. Each setting has
 * one row in config_table.c: from it come the reading of the file, of the environment and of
 * flags, the JSON Schema, the example, and the documented table. To add a setting is a member here
 * and a row there.
 *
 * Whoever speaks last wins: default, file, environment (FAULTLINE_SECTION_KEY), flag. Names of
 * files in the file are relative to its folder. No secret stands in a configuration: settings
 * named *_file or *_secret name the file that holds one (fl_config_secret).
 */
#ifndef FL_CONFIG_H
#define FL_CONFIG_H

#include <stdbool.h>

#include "buf.h"

/* ---- what is told ---- */

typedef struct fl_config_texts {
    const char *const *items;
    size_t count;
} fl_config_texts;

typedef struct fl_config_address {
    const char *host; /* a name, an IPv4 address, or an IPv6 address without its brackets */
    uint16_t port;    /* 0: any that is free */
} fl_config_address;

typedef struct fl_config_addresses {
    const fl_config_address *items;
    size_t count;
} fl_config_addresses;

/* Addresses to listen on, by what is spoken there; none: not spoken. */
typedef struct fl_config_listen {
    fl_config_addresses http, grpc, loki, zipkin, pyroscope;
    const char *cert_file, *key_file; /* TLS for all of them; both or none */
    const char *client_ca_file;       /* clients must show a certificate of it */
    const char *tokens_file;          /* NULL: no tokens are asked for */
    bool allow_unauthenticated;       /* beyond loopback, with neither tokens nor certificates */
} fl_config_listen;

typedef struct fl_config_limits {
    uint64_t body_bytes;         /* of one request, decompressed */
    uint64_t header_bytes;       /* of one request */
    uint64_t memory_bytes;       /* of all requests being read or handled */
    uint64_t connections;        /* in all */
    uint64_t client_connections; /* of one client address */
    uint64_t client_rate;        /* requests a second of one client address; 0: any */
    uint64_t streams;            /* of one gRPC connection at once */
    uint64_t workers;            /* threads that handle requests; 0: by the number of cores */
    int64_t header_timeout_ns, body_timeout_ns, idle_timeout_ns;
} fl_config_limits;

typedef enum fl_config_durability {
    FL_CONFIG_DURABLE_BATCH, /* acknowledged when it is on the disk */
    FL_CONFIG_DURABLE_MEMORY /* acknowledged when it is in memory; a crash may lose it */
} fl_config_durability;

typedef struct fl_config_archive {
    const char *folder; /* NULL: below the user's state folder, which app/cli knows */
    fl_config_durability durability;
    int64_t retention_ns;
    uint64_t retention_bytes;
    int64_t seal_after_ns; /* age at which the head becomes a block */
    uint64_t seal_bytes;   /* size at which it does */
    uint64_t wal_bytes;    /* of the write-ahead log, at most */
} fl_config_archive;

/* How to ask a source, part of each of them. */
typedef struct fl_config_access {
    const char *bearer_file;                /* sent as "Authorization: Bearer" */
    const char *user, *password_file;       /* basic; both or none */
    const char *ca_file;                    /* instead of the system's */
    const char *cert_file, *key_file;       /* shown to the source; both or none */
    const char *tenant;                     /* sent as X-Scope-OrgID; NULL: none */
    int64_t connect_timeout_ns, timeout_ns; /* of one request, in all */
    uint64_t retries;
} fl_config_access;

typedef struct fl_config_query {
    const char *name; /* of the metric that its answer becomes; NULL: the answer's own names */
    const char *query;
} fl_config_query;

typedef struct fl_config_queries {
    const fl_config_query *items;
    size_t count;
} fl_config_queries;

/* Prometheus, Loki, Tempo or Jaeger. */
typedef struct fl_config_source {
    const char *name; /* unique; made up out of the kind where it is not given */
    const char *url;
    fl_config_access access;
    int64_t interval_ns;       /* of the queries; Prometheus only */
    fl_config_queries queries; /* asked on a schedule; Prometheus only */
    uint64_t series_most;      /* of one window; Prometheus only */
} fl_config_source;

typedef struct fl_config_sources {
    const fl_config_source *items;
    size_t count;
} fl_config_sources;

typedef struct fl_config_target {
    const char *service, *instance; /* instance NULL: the URL's host */
    const char *url;                /* of the folder with the profiles, as .../debug/pprof */
} fl_config_target;

typedef struct fl_config_targets {
    const fl_config_target *items;
    size_t count;
} fl_config_targets;

/* Programs that are asked for their profiles. */
typedef struct fl_config_pprof {
    const char *name;
    fl_config_access access;
    fl_config_targets targets;
    const char *targets_file;  /* a YAML list of what `targets` holds; read again when it changed */
    const char *prometheus;    /* name of the source whose targets are asked; NULL: none */
    fl_config_texts jobs;      /* of those targets; none: all */
    const char *service_label; /* of those targets, that names the service */
    const char *path;          /* where such a target has its profiles */
    fl_config_texts profiles;  /* of: heap allocs goroutine goroutineleak mutex block profile */
    int64_t interval_ns;
    double overhead_ratio; /* of a target's time that asking it may take, at most */
} fl_config_pprof;

typedef struct fl_config_pprofs {
    const fl_config_pprof *items;
    size_t count;
} fl_config_pprofs;

typedef struct fl_config_incidents {
    bool enabled;
    fl_config_texts entry;   /* services whose break is a symptom; none: found out of the traces */
    int64_t baseline_ns;     /* what a break is compared with */
    int64_t sustained_ns;    /* how long a break lasts before it is an incident */
    int64_t close_after_ns;  /* how long the symptom must be gone */
    int64_t triage_every_ns; /* at most so often is an open incident triaged again */
    uint64_t open_most;
    bool claim;             /* several daemons share the store: each incident is one's */
    int64_t claim_lease_ns; /* after which another one takes over */
} fl_config_incidents;

typedef struct fl_config_rule {
    const char *name, *pattern;
    const char *replace; /* NULL: "[redacted:NAME]" */
    bool ignore_case;
} fl_config_rule;

typedef struct fl_config_rules {
    const fl_config_rule *items;
    size_t count;
} fl_config_rules;

typedef struct fl_config_redaction {
    bool builtin;
    fl_config_texts without; /* names of built-in rules that are left out */
    fl_config_texts keys;    /* attributes whose values are never kept, besides the built-in ones */
    fl_config_rules rules;   /* the user's own */
} fl_config_redaction;

typedef struct fl_config_kafka {
    fl_config_addresses brokers; /* none: Kafka is not read */
    fl_config_texts logs_topics, traces_topics, metrics_topics;
    const char *group;
    const char *ca_file, *cert_file, *key_file; /* TLS where one is there */
    const char *user, *password_file;           /* SASL where they are there */
    const char *mechanism;
    bool from_beginning; /* where the group has no offset yet */
} fl_config_kafka;

typedef struct fl_config {
    fl_config_listen listen;
    fl_config_limits limits;
    fl_config_archive archive;
    struct {
        const char *url; /* NULL: below the user's state folder */
    } store;
    struct {
        const char *github_secret_file, *gitlab_token_file;
    } webhooks;
    struct {
        fl_config_sources prometheus, loki, tempo, jaeger;
        fl_config_pprofs pprof;
    } sources;
    fl_config_incidents incidents;
    struct {
        const char *prometheus, *jaeger, *grafana; /* NULL: no links */
        const char *grafana_prometheus, *grafana_loki, *grafana_tempo;
    } links;
    fl_config_redaction redaction;
    fl_config_kafka kafka;
} fl_config;

/* ---- loading ---- */

/* What a flag says; several values are a list's. */
typedef struct fl_config_flag {
    const char *flag; /* as the user knows it: "--listen" */
    const char *key;  /* as in "listen.http" */
    const char *const *values;
    size_t count;
} fl_config_flag;

/* One sentence about what was read: "FILE:LINE:COLUMN: KEY: what is wrong". A notice does not keep
 * the configuration from being used. */
typedef void fl_config_say(void *payload, bool is_mistake, const char *sentence);

typedef struct fl_config_input {
    const char *path; /* of the file; NULL: none */
    fl_slice text;    /* what stands in it, where its ptr is not NULL: it is not opened then */
    const char *const *environment; /* "NAME=VALUE" up to NULL, as environ(7); NULL: none */
    const fl_config_flag *flags;
    size_t flag_count;
    const char *credentials; /* systemd's $CREDENTIALS_DIRECTORY; NULL: none */
    bool without_files;      /* do not look whether files that are named are there */
    fl_config_say *say;      /* every mistake and notice; may be NULL */
    void *payload;
} fl_config_input;

/* The caller owns *out. FL_E_SYNTAX where anything is wrong: `err` has the first mistake, and
 * `input->say` hears of all. FL_E_NOTFOUND, FL_E_IO: the file. FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_config_load(fl_config **out, const fl_config_input *input, fl_error *err);
void fl_config_destroy(fl_config *config); /* NULL is a no-op */

/* ---- where a value came from ---- */

typedef enum fl_config_origin {
    FL_CONFIG_DEFAULT,
    FL_CONFIG_FILE,
    FL_CONFIG_ENVIRONMENT,
    FL_CONFIG_FLAG
} fl_config_origin;

typedef struct fl_config_place {
    fl_config_origin origin;
    const char *key;     /* "listen.http", "sources.loki[2].url" */
    const char *source;  /* the file, the variable or the flag; "default" */
    size_t line, column; /* of a file's */
} fl_config_place;

/* Of a member of `config`, as in fl_config_where(config, &config->listen.http). It must be one that
 * a row of the table describes. */
const fl_config_place *fl_config_where(const fl_config *config, const void *member);
/* A failure about a member, which says where its value stands: "FILE:LINE:COLUMN: KEY: what",
 * "FAULTLINE_LISTEN_HTTP: what". Returns `status`. */
fl_status fl_config_fail(const fl_config *config, const void *member, fl_status status,
                         fl_error *err, const char *format, ...) FL_PRINTF(5, 6);

/* 127.0.0.0/8, ::1 and localhost. */
bool fl_config_is_loopback(const fl_config_address *address);

/* ---- secrets ---- */

/* What stands in the file, without the line's end, appended to `out`. FL_E_SYNTAX: nothing stands
 * there, or more than a line; FL_E_NOTFOUND, FL_E_IO, FL_E_LIMIT, FL_E_NOMEM. What was read is in
 * no message. */
FL_NODISCARD fl_status fl_config_secret(fl_buf *out, const char *path, fl_error *err);

/* ---- reloading ---- */

/* A setting whose value differs: whether a running daemon can take it over. */
typedef void fl_config_change(void *payload, const char *key, bool can_reload);
/* Each setting, in the order of the table, that differs between two configurations; of a list of
 * mappings the list's own name. Returns how many. */
size_t fl_config_compare(const fl_config *before, const fl_config *after, fl_config_change *change,
                         void *payload);

/* ---- showing ---- */

/* Each value that is set and where it came from, a line each as YAML would take it; a password in
 * the store's URL is three stars. */
FL_NODISCARD fl_status fl_config_show(fl_buf *out, const fl_config *config, fl_error *err);
/* The JSON Schema (2020-12) of the file. */
void fl_config_schema(fl_buf *out);
/* A file that says everything that can be said, as comments. */
void fl_config_example(fl_buf *out);
/* A heading for each section and a table of its settings, as Markdown. */
void fl_config_reference(fl_buf *out);

#endif
