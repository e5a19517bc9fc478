/*
 * grpc.c - the server: its parts are made, listen, stop, and are counted.
 *
 * Everything that belongs to a connection is the event thread's (grpc_loop.c). What other threads
 * touch is: the listeners, which are only ever added, and become known to the event thread through
 * epoll; the counters, which are atomic; and the list of calls that workers are through with, which
 * has a lock. So a stop is a flag and a wake, and the event thread finds its own way out.
 */
#include "grpc.h"

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "grpc_priv.h"
#include "listen.h"
#include "mem.h"
#include "nghttp2_lazy.h"
#include "timestamp.h"

/* A connection takes some 40 KB, and an exporter has one, a proxy some dozens. */
enum { DEFAULT_CONNECTIONS = 1024, DEFAULT_PER_CLIENT = 256 };

/* Once, so that a wrong table is an error at the start and not the first sender's. */
static fl_status find_routes(fl_grpc *grpc, fl_error *err)
{
    const fl_grpc_method *methods = grpc->options.methods;
    for (size_t i = 0; methods[i].name != NULL; i++) {
        assert(i < FL_GRPC_MAX_METHODS && methods[i].name[0] == '/');
        fl_http_reply reply;
        fl_http_reply_init(&reply);
        grpc->routes[i] = fl_http_find(grpc->http, "POST", methods[i].route, &reply);
        fl_http_reply_dispose(&reply);
        if (grpc->routes[i] == NULL)
            return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "nothing takes %s for the method %s",
                           methods[i].route, methods[i].name);
    }
    return FL_OK;
}

/* Close what is open; the thread is not there. */
static void free_grpc(fl_grpc *grpc)
{
    assert(grpc->conns == NULL && grpc->done == NULL);
    for (size_t i = 0; i < grpc->listener_count; i++)
        if (grpc->listeners[i].fd >= 0)
            (void)close(grpc->listeners[i].fd);
    if (grpc->wake.fd >= 0)
        (void)close(grpc->wake.fd);
    if (grpc->epoll >= 0)
        (void)close(grpc->epoll);
    (void)pthread_mutex_destroy(&grpc->lock);
    fl_mem_free(grpc);
}

/* Signals are for the thread that waits for them. */
static bool start_thread(fl_grpc *grpc)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_running = pthread_create(&grpc->thread, NULL, fl_grpc_loop, grpc) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_running;
}

/* The event thread sleeps in epoll; workers and a stop wake it through an eventfd, which stays
 * readable until it was read, so that no wake is lost between two rounds. */
static bool open_loop(fl_grpc *grpc)
{
    grpc->epoll = epoll_create1(EPOLL_CLOEXEC);
    grpc->wake =
        (fl_grpc_source){.kind = FL_GRPC_WAKE, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &grpc->wake};
    return grpc->epoll >= 0 && grpc->wake.fd >= 0 &&
           epoll_ctl(grpc->epoll, EPOLL_CTL_ADD, grpc->wake.fd, &event) == 0;
}

/* Zero is "as usual", as everywhere: a caller names what it wants to be otherwise. */
static void set_options(fl_grpc *grpc, const fl_grpc_options *options)
{
    if (options != NULL)
        grpc->options = *options;
    if (grpc->options.methods == NULL)
        grpc->options.methods = fl_grpc_otlp_methods;
    if (grpc->options.max_connections == 0)
        grpc->options.max_connections = DEFAULT_CONNECTIONS;
    if (grpc->options.max_per_client == 0)
        grpc->options.max_per_client = DEFAULT_PER_CLIENT;
}

fl_status fl_grpc_create(fl_grpc **out, fl_http *http, const fl_grpc_options *options,
                         fl_error *err)
{
    assert(out != NULL && http != NULL);
    *out = NULL;
    fl_status status = fl_nghttp2_load(err);
    if (status != FL_OK)
        return status;
    fl_grpc *grpc = fl_mem_calloc(1, sizeof(*grpc));
    if (grpc == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for gRPC");
    (void)pthread_mutex_init(&grpc->lock, NULL);
    grpc->http = http;
    grpc->now_ns = fl_time_monotonic();
    grpc->epoll = grpc->wake.fd = -1;
    set_options(grpc, options);
    status = find_routes(grpc, err);
    if (status == FL_OK && !(open_loop(grpc) && start_thread(grpc)))
        status = fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot start the thread of gRPC");
    if (status != FL_OK) {
        free_grpc(grpc);
        return status;
    }
    *out = grpc;
    return FL_OK;
}

fl_status fl_grpc_listen(fl_grpc *grpc, const char *address, unsigned *port, fl_error *err)
{
    assert(grpc != NULL && address != NULL && port != NULL && !grpc->is_stopping);
    if (grpc->listener_count == FL_GRPC_MAX_LISTENERS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d addresses to listen on",
                       FL_GRPC_MAX_LISTENERS);
    int fd = -1;
    fl_status status = fl_listen_open(&fd, port, address, err);
    if (status != FL_OK)
        return status;
    fl_grpc_source *source = &grpc->listeners[grpc->listener_count];
    *source = (fl_grpc_source){.kind = FL_GRPC_LISTENER, .fd = fd};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    if (epoll_ctl(grpc->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        (void)close(fd);
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot serve on %.80s", address);
    }
    grpc->listener_count++;
    return FL_OK;
}

void fl_grpc_stop(fl_grpc *grpc, int64_t grace_ns)
{
    assert(grpc != NULL && grace_ns >= 0);
    if (atomic_exchange(&grpc->is_joined, true))
        return;
    grpc->stop_ns = fl_time_monotonic() + grace_ns;
    grpc->is_stopping = true;
    fl_grpc_wake(grpc);
    (void)pthread_join(grpc->thread, NULL);
}

void fl_grpc_destroy(fl_grpc *grpc)
{
    if (grpc == NULL)
        return;
    fl_grpc_stop(grpc, 0);
    free_grpc(grpc);
}

fl_grpc_stats fl_grpc_stats_of(fl_grpc *grpc)
{
    assert(grpc != NULL);
    const fl_grpc_counters *counters = &grpc->counters;
    fl_grpc_stats stats = {.connections = grpc->connections,
                           .connections_total = grpc->connections_total,
                           .connections_refused = grpc->connections_refused,
                           .connections_failed = grpc->connections_failed,
                           .connections_impatient = counters->impatient,
                           .calls = counters->calls,
                           .resets = counters->resets,
                           .refused_streams = counters->refused_streams,
                           .message_bytes = counters->message_bytes,
                           .unpacked_bytes = counters->unpacked_bytes};
    for (size_t i = 0; i < FL_GRPC_CODES; i++)
        stats.codes[i] = counters->codes[i];
    return stats;
}
