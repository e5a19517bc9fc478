/*
 * serve.c - start and stop, in order.
 *
 * Invariants:
 *   (1) a part that was not started is NULL, and stopping it is nothing: a start that fails halfway
 *       ends through the same function as a whole one;
 *   (2) no request is in a handler when what handlers use is taken down;
 *   (3) the state is written by the owner's thread alone, and read by any.
 *
 * To wire a part in: a member of fl_serve, a line in start_parts(), one in stop_parts() at the
 * mirrored place, its figures in serve_metrics.c and serve_status.c.
 */
#include "serve.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "listen.h"
#include "mem.h"
#include "notify.h"
#include "serve_kafka.h"
#include "serve_priv.h"
#include "serve_redact.h"
#include "timestamp.h"
#include "tls.h"
#include "tokens.h"

/* How long a stop waits for a client in the middle of its request. */
enum { STOP_GRACE_S = 10 };

const char *fl_serve_state_name(fl_serve_state state)
{
    static const char *const names[] = {"recovering", "ready", "refusing", "stopping"};
    assert(state <= FL_SERVE_STOPPING);
    return names[state];
}

static void say(const fl_serve *serve, const char *format, ...) FL_PRINTF(2, 3);
static void say(const fl_serve *serve, const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (serve->options.say != NULL)
        serve->options.say(serve->options.say_to, sentence);
}

/* --- listening --- */

/* As the listeners read it: names of machines are not looked up, but for the one that needs none.
 */
static void address_text(char *out, size_t cap, const fl_config_address *address)
{
    bool is_v6 = strchr(address->host, ':') != NULL;
    const char *host = strcmp(address->host, "localhost") == 0 ? "127.0.0.1" : address->host;
    (void)snprintf(out, cap, is_v6 ? "[%s]:%u" : "%s:%u", host, (unsigned)address->port);
}

/* What was allowed is still worth a sentence: others see it who did not allow it. */
static void say_exposed(const fl_serve *serve, const char *address)
{
    const fl_config_listen *listen = &serve->options.config->listen;
    assert(address != NULL);
    if (fl_listen_is_loopback(address))
        return;
    if (listen->tokens_file == NULL && listen->client_ca_file == NULL)
        say(serve, "whoever reaches %s may send and ask: there are no tokens", address);
    if (listen->cert_file == NULL)
        say(serve, "what comes to %s can be read on the way, tokens too: there is no TLS", address);
}

static fl_status listen_on(fl_serve *serve, const fl_config_address *address, bool is_grpc,
                           fl_error *err)
{
    const fl_config_listen *listen = &serve->options.config->listen;
    fl_serve_listener *at = &serve->listeners[serve->listener_count];
    if (serve->listener_count == FL_SERVE_LISTENERS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d addresses", FL_SERVE_LISTENERS);
    address_text(at->address, sizeof(at->address), address);
    /* The configuration was checked for it; nobody should depend on that alone. */
    if (!fl_listen_is_loopback(at->address) && !listen->allow_unauthenticated &&
        listen->tokens_file == NULL && listen->client_ca_file == NULL)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s is not loopback", at->address);
    fl_status status = is_grpc ? fl_grpc_listen(serve->grpc, at->address, &at->port, err)
                               : fl_http_listen(serve->http, at->address, &at->port, err);
    if (status != FL_OK)
        return status;
    at->is_grpc = is_grpc;
    serve->listener_count++;
    if (address->port == 0) /* any free one was asked for */
        say(serve, "listening on %s, port %u%s", at->address, at->port,
            is_grpc ? ", for gRPC" : "");
    else
        say(serve, "listening on %s%s", at->address, is_grpc ? ", for gRPC" : "");
    say_exposed(serve, at->address);
    return FL_OK;
}

/* An address that was asked for must be had. The ports that senders try first are a convenience
 * which another program may need more; they are left alone, too, where --listen names others. */
static fl_status listen_all(fl_serve *serve, const fl_config_addresses *list, bool is_grpc,
                            fl_error *err)
{
    const fl_config *config = serve->options.config;
    fl_status status = FL_OK;
    bool is_default = fl_config_where(config, list)->origin == FL_CONFIG_DEFAULT;
    if (is_default && fl_config_where(config, &config->listen.http)->origin == FL_CONFIG_FLAG)
        return FL_OK;
    for (size_t i = 0; status == FL_OK && i < list->count; i++) {
        fl_error why = {0};
        status = listen_on(serve, &list->items[i], is_grpc, &why);
        if (status != FL_OK && is_default) {
            say(serve, "%s; going on without it", why.message);
            status = FL_OK;
        } else if (status != FL_OK) {
            return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
        }
    }
    return status;
}

/* The same routes on all of them: which port a sender finds first says nothing about what it sends.
 */
static fl_status listen_http(fl_serve *serve, fl_error *err)
{
    const fl_config_listen *listen = &serve->options.config->listen;
    const fl_config_addresses *const lists[] = {&listen->http, &listen->loki, &listen->zipkin,
                                                &listen->pyroscope};
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < sizeof(lists) / sizeof(lists[0]); i++)
        status = listen_all(serve, lists[i], false, err);
    return status;
}

/* --- the parts --- */

/* Those of the file as it is now; no file: nobody has to have one. */
static fl_status take_tokens(fl_serve *serve, const fl_config *config, fl_error *err)
{
    fl_tokens *tokens = NULL;
    fl_status status = FL_OK;
    if (config->listen.tokens_file != NULL)
        status = fl_tokens_load(&tokens, config->listen.tokens_file, err);
    if (status == FL_OK)
        fl_http_set_tokens(serve->http, tokens);
    return status;
}

/* When it ends is what people want to know of a certificate, above all when it is too late. */
static void say_certificate(fl_serve *serve, const fl_config *config, const char *verb)
{
    char until[FL_TIME_TEXT];
    fl_tls *tls = fl_http_tls(serve->http);
    if (tls == NULL)
        return;
    int64_t until_ns = fl_tls_until_ns(tls);
    fl_tls_drop(tls);
    say(serve, "TLS: %s %s, %s %s", config->listen.cert_file, verb,
        until_ns > fl_time_now() ? "good until" : "but it has ended at",
        fl_time_format_s(until, until_ns));
}

/* What the files hold now, for whoever connects from now on. *out stays NULL where there is nothing
 * to take over: whether there is TLS, and whether clients show certificates, is for a process's
 * whole life. */
static fl_status load_tls(fl_tls **out, fl_serve *serve, const fl_config *config, fl_error *err)
{
    const fl_config_listen *listen = &config->listen;
    *out = NULL;
    fl_tls *before = fl_http_tls(serve->http);
    bool was_mutual = before != NULL && fl_tls_is_mutual(before);
    bool is_same = (before != NULL) == (listen->cert_file != NULL) &&
                   was_mutual == (listen->client_ca_file != NULL);
    fl_tls_drop(before);
    if (!is_same)
        say(serve, "whether there is TLS, and clients show certificates, counts from the next "
                   "start");
    if (!is_same || listen->cert_file == NULL)
        return FL_OK;
    return fl_tls_load(out, listen->cert_file, listen->key_file, listen->client_ca_file, err);
}

/* Before the archive, whose recovery may take a while: meanwhile probes are answered, and senders
 * told to come again. */
static fl_status start_http(fl_serve *serve, fl_error *err)
{
    const fl_config *config = serve->options.config;
    const fl_config_limits *limits = &config->limits;
    const fl_http_options options = {
        .cert_file = config->listen.cert_file,
        .key_file = config->listen.key_file,
        .client_ca_file = config->listen.client_ca_file,
        .max_per_client = (unsigned)limits->client_connections,
        .client_rate = (unsigned)limits->client_rate,
        .workers = (unsigned)(limits->workers < FL_MAX_WORKERS ? limits->workers : FL_MAX_WORKERS),
        .max_body_bytes = (size_t)limits->body_bytes,
        .max_header_bytes = (size_t)limits->header_bytes,
        .budget_bytes = (size_t)limits->memory_bytes,
        .max_connections = (unsigned)limits->connections,
        .head_timeout_ns = limits->header_timeout_ns,
        .idle_timeout_ns = limits->idle_timeout_ns,
        .body_grace_ns = limits->body_timeout_ns};
    fl_status status = fl_http_create(&serve->http, &options, err);
    if (status != FL_OK)
        return status;
    fl_http_set_ready(serve->http, false);
    say_certificate(serve, config, "is shown");
    status = take_tokens(serve, config, err);
    if (status == FL_OK)
        status = fl_serve_add_routes(serve, err);
    return status == FL_OK ? listen_http(serve, err) : status;
}

/* What the last process left: said where it is not in order. */
static void say_found(const fl_serve *serve, const fl_archive_recovery *found)
{
    if (found->batches > 0)
        say(serve, "%llu requests of the last run are in the log and not yet in a block",
            (unsigned long long)found->batches);
    if (found->wal.torn_bytes > 0)
        say(serve, "%llu bytes at the log's end were not whole and never acknowledged: cut off",
            (unsigned long long)found->wal.torn_bytes);
    if (found->wal.lost_records > 0 || found->damaged_batches > 0 || found->damaged_files > 0)
        say(serve, "the disk lost %llu acknowledged requests and %llu blocks",
            (unsigned long long)(found->wal.lost_records + found->damaged_batches),
            (unsigned long long)found->damaged_files);
}

/* Sizes and times are the configuration's; what it does not say the archive chooses. */
static fl_status start_archive(fl_serve *serve, fl_error *err)
{
    const fl_config_archive *config = &serve->options.config->archive;
    const fl_archive_options options = {.durability = config->durability == FL_CONFIG_DURABLE_MEMORY
                                                          ? FL_DURABILITY_MEMORY
                                                          : FL_DURABILITY_BATCH,
                                        .head_bytes = (size_t)config->seal_bytes,
                                        .head_age_ns = config->seal_after_ns,
                                        .wal_bytes = config->wal_bytes,
                                        .keep_ns = config->retention_ns,
                                        .keep_bytes = config->retention_bytes};
    fl_archive_recovery found = {0};
    fl_archive *archive;
    fl_status status = fl_archive_open(&archive, &found, serve->disk, &options, fl_time_now(), err);
    if (status != FL_OK)
        return status;
    serve->archive = archive;
    say_found(serve, &found);
    return FL_OK;
}

/* A webhook's secret, for the call that copies it; empty where there is none. */
static fl_status secret_of(fl_buf *out, const char *path, fl_error *err)
{
    *out = fl_buf_of(4096);
    return path != NULL ? fl_config_secret(out, path, err) : FL_OK;
}

/* fl_serve_redact_slow */
static void say_slow(void *payload, const char *name)
{
    const fl_serve *serve = payload;
    say(serve,
        "redaction rule '%s' needs no text of four bytes or more, so it runs on every text and"
        " costs time",
        name);
}

/* Who looks at all that is accepted, whoever brought it. */
enum { TAPS = 2 };
static void taps_of(fl_receive_tap out[TAPS], fl_serve *serve)
{
    out[0] = fl_tail_tap(serve->tail);
    out[1] = (fl_receive_tap){.payload = serve, .batch = fl_serve_tap_incidents};
}

/* Its routes are added when their handlers have what they need. */
static fl_status start_receive(fl_serve *serve, fl_error *err)
{
    const fl_config *config = serve->options.config;
    fl_buf github = {0}, gitlab = {0};
    fl_redact_rules *redaction = NULL;
    fl_receive *receive;
    size_t count;
    fl_status status = secret_of(&github, config->webhooks.github_secret_file, err);
    if (status == FL_OK)
        status = secret_of(&gitlab, config->webhooks.gitlab_token_file, err);
    if (status == FL_OK)
        status = fl_serve_redaction(&redaction, config, say_slow, serve, err);
    fl_receive_tap taps[TAPS];
    taps_of(taps, serve);
    const fl_receive_options options = {.archive = serve->archive,
                                        .taps = taps,
                                        .tap_count = TAPS,
                                        .github_secret = fl_buf_slice(&github),
                                        .gitlab_token = fl_buf_slice(&gitlab),
                                        .redaction = redaction};
    if (status == FL_OK)
        status = fl_receive_create(&receive, &options, err);
    fl_buf_dispose(&github);
    fl_buf_dispose(&gitlab);
    fl_redact_rules_destroy(redaction);
    if (status != FL_OK)
        return status;
    serve->receive = receive;
    const fl_http_route *routes = fl_receive_routes(receive, &count);
    return fl_http_add(serve->http, routes, count, err);
}

/* What grpc.health.v1 is told. */
static bool is_ready(void *payload)
{
    const fl_serve *serve = payload;
    return serve->state == FL_SERVE_READY;
}

/* Last, since its methods are looked up among the routes. */
static fl_status start_grpc(fl_serve *serve, fl_error *err)
{
    const fl_config *config = serve->options.config;
    const fl_grpc_options options = {.max_connections = (unsigned)config->limits.connections,
                                     .max_per_client = (unsigned)config->limits.client_connections,
                                     .max_streams = (size_t)config->limits.streams,
                                     .max_header_bytes = (size_t)config->limits.header_bytes,
                                     .is_ready = is_ready,
                                     .payload = serve};
    fl_grpc *grpc;
    fl_status status = fl_grpc_create(&grpc, serve->http, &options, err);
    if (status != FL_OK)
        return status;
    serve->grpc = grpc;
    return listen_all(serve, &config->listen.grpc, true, err);
}

/* From the puller's thread, and Kafka's. */
static void say_of_thread(void *payload, const char *sentence)
{
    say(payload, "%s", sentence);
}

/* Whatever is accepted goes the same way, whoever brought it. */
static fl_status make_puller(fl_puller **out, fl_serve *serve, const fl_config *config,
                             fl_error *err)
{
    fl_receive_tap taps[TAPS];
    taps_of(taps, serve);
    const fl_puller_options options = {.config = config,
                                       .archive = serve->archive,
                                       .receive = serve->receive,
                                       .taps = taps,
                                       .tap_count = TAPS,
                                       .say = say_of_thread,
                                       .say_to = serve};
    return fl_puller_start(out, &options, err);
}

/* The one before is stopped when nobody can ask for its figures any more. */
static void take_puller(fl_serve *serve, fl_puller *puller)
{
    (void)pthread_mutex_lock(&serve->puller_lock);
    fl_puller *before = serve->puller;
    serve->puller = puller;
    (void)pthread_mutex_unlock(&serve->puller_lock);
    fl_puller_stop(before);
}

static fl_status start_puller(fl_serve *serve, fl_error *err)
{
    fl_puller *puller;
    fl_status status = make_puller(&puller, serve, serve->options.config, err);
    take_puller(serve, puller);
    return status;
}

/* Like gRPC, into the routes; unlike it, it asks for itself and has to be told to begin. */
static fl_status start_kafka(fl_serve *serve, fl_error *err)
{
    fl_kafka *kafka;
    fl_status status =
        fl_serve_kafka(&kafka, serve->http, serve->options.config, say_of_thread, serve, err);
    if (status == FL_OK)
        serve->kafka = kafka;
    return status;
}

/* Pages of what the store holds; it may be reached later. */
static fl_status start_web(fl_serve *serve, fl_error *err)
{
    const fl_web_options options = {.store = serve->options.store,
                                    .prometheus = serve->options.config->links.prometheus,
                                    .jaeger = serve->options.config->links.jaeger,
                                    .grafana = serve->options.config->links.grafana,
                                    .grafana_prometheus =
                                        serve->options.config->links.grafana_prometheus,
                                    .grafana_loki = serve->options.config->links.grafana_loki,
                                    .grafana_tempo = serve->options.config->links.grafana_tempo};
    if (options.store == NULL)
        return FL_OK;
    fl_status status = fl_web_create(&serve->web, &options, err);
    return status == FL_OK ? fl_web_add_routes(serve->web, serve->http, err) : status;
}

/* --- the order --- */

/* Each part needs only those before it. */
static fl_status start_parts(fl_serve *serve, fl_error *err)
{
    fl_status status = fl_disk_open(&serve->disk, serve->options.data_path, err);
    if (status == FL_OK)
        status = start_http(serve, err);
    if (status == FL_OK)
        status = start_archive(serve, err);
    if (status == FL_OK)
        status = fl_tail_create(&serve->tail, err);
    if (status == FL_OK)
        status = fl_serve_start_api(serve, err);
    if (status == FL_OK)
        status = start_web(serve, err);
    if (status == FL_OK)
        status = fl_http_add(serve->http, serve->options.routes, serve->options.route_count, err);
    if (status == FL_OK)
        status = start_receive(serve, err);
    if (status == FL_OK)
        status = start_grpc(serve, err);
    if (status == FL_OK)
        status = start_puller(serve, err);
    if (status == FL_OK)
        status = start_kafka(serve, err);
    if (status == FL_OK && serve->listener_count == 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "there is no address to listen on");
    return status;
}

/* The archive is sealed, which makes the next start quick; where that fails the log has it all. */
static void stop_archive(fl_serve *serve)
{
    fl_error err = {0};
    if (serve->archive != NULL && fl_archive_flush(serve->archive, &err) != FL_OK)
        say(serve, "not sealed, and read from the log at the next start: %s", err.message);
    fl_archive_close(serve->archive);
}

/* First who brings requests or asks for them, then who handles them, then where they went. */
static void stop_parts(fl_serve *serve)
{
    take_puller(serve, NULL);
    if (serve->kafka != NULL)
        fl_kafka_stop(serve->kafka);
    if (serve->grpc != NULL)
        fl_grpc_stop(serve->grpc, STOP_GRACE_S * FL_NS_PER_S);
    if (serve->http != NULL)
        fl_http_stop(serve->http, STOP_GRACE_S * FL_NS_PER_S);
    fl_kafka_destroy(serve->kafka);
    fl_grpc_destroy(serve->grpc);
    fl_http_destroy(serve->http);
    fl_receive_destroy(serve->receive);
    fl_tail_destroy(serve->tail);
    fl_api_destroy(serve->api);
    fl_web_destroy(serve->web);
    fl_incidents_stop(serve->incidents);
    stop_archive(serve);
    fl_disk_close(serve->disk);
}

fl_status fl_serve_start(fl_serve **out, const fl_serve_options *options, fl_error *err)
{
    assert(out != NULL && options != NULL && options->config != NULL);
    assert(options->data_path != NULL);
    *out = NULL;
    fl_serve *serve = fl_mem_calloc(1, sizeof(*serve));
    if (serve == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to serve");
    serve->options = *options;
    serve->started_ns = fl_time_now();
    serve->rates.since_ns = serve->started_ns;
    serve->state = FL_SERVE_RECOVERING;
    (void)pthread_mutex_init(&serve->puller_lock, NULL);
    fl_status status = start_parts(serve, err);
    if (status != FL_OK) {
        stop_parts(serve);
        (void)pthread_mutex_destroy(&serve->puller_lock);
        fl_mem_free(serve);
        return status;
    }
    serve->state = FL_SERVE_READY;
    fl_http_set_ready(serve->http, true);
    fl_notify(options->notify_socket, "READY=1");
    say(serve, "ready");
    *out = serve;
    return FL_OK;
}

/* Refusing is a second in which batches were refused for the disk and none was taken. */
static void judge_disk(fl_serve *serve)
{
    fl_archive_stats stats = fl_archive_stats_of(serve->archive);
    bool refused = stats.refused_disk > serve->refused_before;
    bool took = stats.batches > serve->batches_before;
    serve->refused_before = stats.refused_disk;
    serve->batches_before = stats.batches;
    if (took && serve->state == FL_SERVE_REFUSING) {
        serve->state = FL_SERVE_READY;
        say(serve, "the disk takes data again");
    } else if (refused && !took && serve->state == FL_SERVE_READY) {
        serve->state = FL_SERVE_REFUSING;
        say(serve, "the disk is full or fails: senders are told to come again");
    }
}

/* A second is short beside everything that is done by age, and long beside what this costs. */
void fl_serve_tick(fl_serve *serve, int64_t now_ns)
{
    assert(serve != NULL && now_ns > 0);
    fl_archive_tick(serve->archive, now_ns);
    judge_disk(serve);
    fl_serve_count_rates(serve, now_ns);
    fl_serve_try_incidents(serve, now_ns);
    fl_notify(serve->options.notify_socket, "WATCHDOG=1");
}

/* Silence about what did not change would be taken for success. What is taken over is marked in the
 * table of settings: whoever teaches fl_serve_reload() a setting marks its row. */
static void say_change(void *payload, const char *key, bool can_reload)
{
    const fl_serve *serve = payload;
    if (!can_reload)
        say(serve, "%s counts from the next start", key);
}

/* The manager wants to hear of the beginning and the end, sd_notify(3). */
fl_status fl_serve_reload(fl_serve *serve, const fl_config *fresh, fl_error *err)
{
    assert(serve != NULL && fresh != NULL);
    fl_redact_rules *redaction;
    fl_notify(serve->options.notify_socket, "RELOADING=1");
    fl_puller *puller = NULL;
    fl_tls *tls = NULL;
    fl_status status = fl_serve_redaction(&redaction, fresh, say_slow, serve, err);
    if (status == FL_OK)
        status = make_puller(&puller, serve, fresh, err);
    if (status == FL_OK)
        status = load_tls(&tls, serve, fresh, err);
    if (status == FL_OK)
        status = take_tokens(serve, fresh, err);
    if (status != FL_OK) {
        fl_tls_drop(tls);
        fl_puller_stop(puller);
        fl_redact_rules_destroy(redaction);
        fl_notify(serve->options.notify_socket, "READY=1");
        return status;
    }
    take_puller(serve, puller);
    if (tls != NULL) {
        fl_http_set_tls(serve->http, tls);
        say_certificate(serve, fresh, "is shown from now on");
    }
    fl_http_set_rate(serve->http, (unsigned)fresh->limits.client_rate);
    fl_receive_set_redaction(serve->receive, redaction);
    fl_redact_rules_destroy(redaction);
    size_t changes = fl_config_compare(serve->options.config, fresh, say_change, serve);
    serve->options.config = fresh;
    say(serve, "reloaded: %zu settings differ", changes);
    fl_notify(serve->options.notify_socket, "READY=1");
    return FL_OK;
}

void fl_serve_stop(fl_serve *serve)
{
    if (serve == NULL)
        return;
    serve->state = FL_SERVE_STOPPING;
    fl_notify(serve->options.notify_socket, "STOPPING=1");
    say(serve, "stopping: what is under way is finished");
    stop_parts(serve);
    say(serve, "stopped");
    (void)pthread_mutex_destroy(&serve->puller_lock);
    fl_mem_free(serve);
}
