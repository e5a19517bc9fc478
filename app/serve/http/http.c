/*
 * http.c - the server: its threads, its listeners, and what closes connections that are overdue.
 *
 * Invariants:
 *   (1) a connection stands in the list from its first callback to its last, which comes before its
 *       descriptor is closed: whoever holds the lock may shut down what the list names;
 *   (2) `working` counts what is suspended. A listener is stopped only when there is none of that
 *       and none can come, since libmicrohttpd takes a suspended connection for a mistake then;
 *   (3) routes are only ever added, and counted once they are whole: no lock guards them.
 */
#include "http.h"

#include <assert.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "http_priv.h"
#include "listen.h"
#include "mem.h"
#include "mhd_lazy.h"
#include "timestamp.h"

enum { CHECKS_PER_S = FL_HTTP_STREAM_HZ };

/* What they are is said in the header, beside each. A body's 15 s are those of the SDKs' exporters:
 * their timeout is 10 s. */
static void set_defaults(fl_http_options *options)
{
    static const fl_http_options defaults = {.max_queued = 1024,
                                             .max_body_bytes = FL_HTTP_MAX_BODY,
                                             .max_header_bytes = 32 << 10,
                                             .budget_bytes = 256u << 20,
                                             .max_connections = 4096,
                                             .max_per_client = 2048,
                                             .head_timeout_ns = 10 * FL_NS_PER_S,
                                             .idle_timeout_ns = 75 * FL_NS_PER_S,
                                             .body_grace_ns = 15 * FL_NS_PER_S,
                                             .min_bytes_per_s = 4096};
#define DEFAULT(field)                                                                             \
    if (options->field == 0)                                                                       \
    options->field = defaults.field
    DEFAULT(max_queued);
    DEFAULT(max_body_bytes);
    DEFAULT(max_header_bytes);
    DEFAULT(budget_bytes);
    DEFAULT(max_connections);
    DEFAULT(max_per_client);
    DEFAULT(head_timeout_ns);
    DEFAULT(idle_timeout_ns);
    DEFAULT(body_grace_ns);
    DEFAULT(min_bytes_per_s);
#undef DEFAULT
}

/* --- the thread that closes what is overdue ---
 *
 * libmicrohttpd's own timeout starts anew with each byte, so that a byte now and then holds a
 * connection for ever. A deadline here is set by what was reached, not by what moved.
 */

/* Both directions at once: the event thread sees the end and does the rest, once. */
static void close_overdue(fl_http *http)
{
    int64_t now_ns = fl_time_monotonic();
    for (fl_http_conn *conn = http->conns; conn != NULL; conn = conn->next) {
        if (atomic_load(&conn->deadline_ns) > now_ns)
            continue;
        atomic_store(&conn->deadline_ns, INT64_MAX);
        http->connections_overdue++;
        (void)shutdown(conn->fd, SHUT_RDWR);
    }
}

static void *watch_overdue(void *payload)
{
    fl_http *http = payload;
    (void)pthread_mutex_lock(&http->lock);
    while (!http->is_ending) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += FL_NS_PER_S / CHECKS_PER_S;
        if (until.tv_nsec >= FL_NS_PER_S) {
            until.tv_sec++;
            until.tv_nsec -= FL_NS_PER_S;
        }
        (void)pthread_cond_timedwait(&http->wake, &http->lock, &until);
        close_overdue(http);
        fl_http_conn_wake(http);
    }
    (void)pthread_mutex_unlock(&http->lock);
    return NULL;
}

/* Signals are for the thread that waits for them. */
static bool start_thread(fl_http *http)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&http->overdue, NULL, watch_overdue, http) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

/* Waiting by the monotonic clock: the other one may be set. */
static void init_lock(fl_http *http)
{
    pthread_condattr_t monotonic;
    (void)pthread_mutex_init(&http->lock, NULL);
    (void)pthread_rwlock_init(&http->tokens_lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&http->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static void free_http(fl_http *http)
{
    fl_workers_destroy(http->workers);
    fl_clients_destroy(http->clients);
    fl_tokens_destroy(http->tokens);
    fl_tls_drop(http->tls);
    (void)pthread_rwlock_destroy(&http->tokens_lock);
    (void)pthread_cond_destroy(&http->wake);
    (void)pthread_mutex_destroy(&http->lock);
    fl_mem_free(http);
}

fl_status fl_http_create(fl_http **out, const fl_http_options *options, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_status status = fl_mhd_load(err);
    if (status != FL_OK)
        return status;
    fl_http *http = fl_mem_calloc(1, sizeof(*http));
    if (http == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a server");
    if (options != NULL)
        http->options = *options;
    set_defaults(&http->options);
    http->is_ready = true;
    http->budget.max = http->options.budget_bytes;
    init_lock(http);
    status = fl_clients_create(&http->clients, http->options.max_per_client,
                               http->options.client_rate, err);
    if (status == FL_OK && http->options.cert_file != NULL)
        status = fl_tls_load(&http->tls, http->options.cert_file, http->options.key_file,
                             http->options.client_ca_file, err);
    http->is_mutual = http->options.client_ca_file != NULL;
    if (status == FL_OK)
        status =
            fl_workers_create(&http->workers, http->options.workers, http->options.max_queued, err);
    if (status == FL_OK && !start_thread(http))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "cannot start a thread");
    if (status != FL_OK) {
        free_http(http);
        return status;
    }
    *out = http;
    return FL_OK;
}

fl_tls *fl_http_tls(fl_http *http)
{
    assert(http != NULL);
    (void)pthread_mutex_lock(&http->lock);
    fl_tls *tls = fl_tls_keep(http->tls);
    (void)pthread_mutex_unlock(&http->lock);
    return tls;
}

/* Connections that are there go on with what they began with. */
void fl_http_set_tls(fl_http *http, fl_tls *tls)
{
    assert(http != NULL && tls != NULL && fl_tls_is_mutual(tls) == http->is_mutual);
    (void)pthread_mutex_lock(&http->lock);
    fl_tls *before = http->tls;
    assert(before != NULL);
    http->tls = tls;
    (void)pthread_mutex_unlock(&http->lock);
    fl_tls_drop(before);
}

fl_status fl_http_add(fl_http *http, const fl_http_route *routes, size_t count, fl_error *err)
{
    assert(http != NULL);
    if (count > FL_HTTP_MAX_ROUTES - http->route_count)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d routes", FL_HTTP_MAX_ROUTES);
    for (size_t i = 0; i < count; i++) {
        assert(routes[i].method != NULL && routes[i].path != NULL && routes[i].run != NULL);
        http->routes[http->route_count] = routes[i];
        http->route_count++;
    }
    return FL_OK;
}

/* --- listening --- */

fl_status fl_http_listen(fl_http *http, const char *address, unsigned *port, fl_error *err)
{
    assert(http != NULL && address != NULL && port != NULL && !http->is_stopping);
    if (http->listener_count == FL_HTTP_MAX_LISTENERS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d addresses to listen on",
                       FL_HTTP_MAX_LISTENERS);
    int fd = -1;
    fl_status status = fl_listen_open(&fd, port, address, err);
    if (status != FL_OK)
        return status;
    struct MHD_Daemon *listener = fl_http_conn_serve(http, fd);
    if (listener == NULL) {
        (void)close(fd);
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot serve on %.80s", address);
    }
    http->listeners[http->listener_count++] = listener;
    return FL_OK;
}

void fl_http_set_ready(fl_http *http, bool is_ready)
{
    assert(http != NULL);
    http->is_ready = is_ready;
}

/* --- the end --- */

/* Between two looks at what a stop waits for: it is rare, and nobody measures it. */
static void nap(void)
{
    struct timespec time = {.tv_nsec = 2 * FL_NS_PER_MS};
    (void)nanosleep(&time, NULL);
}

/* A socket that listens is shut down first and closed last: the event thread may still take it out
 * of its set, and the number must not have become another descriptor's until then. */
void fl_http_stop(fl_http *http, int64_t grace_ns)
{
    int fds[FL_HTTP_MAX_LISTENERS];
    assert(http != NULL && grace_ns >= 0);
    if (atomic_exchange(&http->is_stopping, true))
        return;
    for (size_t i = 0; i < http->listener_count; i++) {
        fds[i] = MHD_quiesce_daemon(http->listeners[i]);
        if (fds[i] >= 0)
            (void)shutdown(fds[i], SHUT_RDWR);
    }
    for (int64_t end_ns = fl_time_monotonic() + grace_ns;
         http->active > 0 && fl_time_monotonic() < end_ns;)
        nap();
    http->is_closed = true;
    while (http->working > 0)
        nap();
    for (size_t i = 0; i < http->listener_count; i++) {
        MHD_stop_daemon(http->listeners[i]);
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    http->listener_count = 0;
    assert(http->conns == NULL && http->active == 0);
}

void fl_http_destroy(fl_http *http)
{
    if (http == NULL)
        return;
    fl_http_stop(http, 0);
    (void)pthread_mutex_lock(&http->lock);
    http->is_ending = true;
    (void)pthread_cond_signal(&http->wake);
    (void)pthread_mutex_unlock(&http->lock);
    (void)pthread_join(http->overdue, NULL);
    assert(atomic_load(&http->budget.used) == 0);
    free_http(http);
}

fl_http_stats fl_http_stats_of(fl_http *http)
{
    assert(http != NULL);
    fl_http_stats stats = {.connections = http->connections,
                           .connections_total = http->connections_total,
                           .connections_refused = http->connections_refused,
                           .connections_overdue = http->connections_overdue,
                           .requests = http->requests,
                           .wire_bytes = http->wire_bytes,
                           .body_bytes = http->body_bytes,
                           .budget_used_bytes = atomic_load(&http->budget.used),
                           .budget_bytes = http->budget.max,
                           .workers = fl_workers_stats_of(http->workers)};
    for (size_t i = 0; i < sizeof(stats.answers) / sizeof(stats.answers[0]); i++)
        stats.answers[i] = http->answers[i];
    for (size_t i = 0; i < FL_HTTP_REFUSALS; i++)
        stats.refused[i] = http->refused[i];
    return stats;
}

fl_workers *fl_http_workers(fl_http *http)
{
    assert(http != NULL);
    return http->workers;
}

fl_budget *fl_http_budget(fl_http *http)
{
    assert(http != NULL);
    return &http->budget;
}
