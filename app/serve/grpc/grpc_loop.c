/*
 * grpc_loop.c - the event thread: sockets to sessions and back.
 *
 * Invariants:
 *   (1) a connection is freed only at the end of a round, when no event of the round can name it,
 *       and only when none of its calls is with a worker;
 *   (2) while output waits for the client nothing of it is read, so that output is bounded by what
 *       one round of input can ask for.
 *
 * A round is: what sockets and workers have to say, twice a second what the clock has to say, and
 * at its end the connections that are closed. Level-triggered, so that a connection with much to
 * read takes turns with the others, FL_GRPC_INPUT_BYTES each.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "grpc_priv.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

#define TICK_NS (500 * FL_NS_PER_MS)
enum {
    EVENTS = 64,
    RECORDS_A_ROUND = 4, /* FL_GRPC_INPUT_BYTES of TLS */
    TICK_MS = 500,
    OUTPUT_BYTES = 16 << 10,    /* gathered before a write */
    MAX_OUTPUT_BYTES = 1 << 20, /* OUTPUT_BYTES and one frame: far from this */
    STUCK_S = 30                /* a client that takes nothing for so long is gone */
};

void fl_grpc_wake(fl_grpc *grpc)
{
    uint64_t one = 1;
    ssize_t ignored = write(grpc->wake.fd, &one, sizeof(one)); /* full: it is awake */
    (void)ignored;
}

/* epoll names a source by its address, which stays what it is until the round is over. */
static bool watch(fl_grpc *grpc, int operation, fl_grpc_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    return epoll_ctl(grpc->epoll, operation, source->fd, &event) == 0;
}

/* --- connections --- */

/* The socket goes at once; the rest stays for the calls that workers have. */
static void conn_close(fl_grpc_conn *conn)
{
    if (conn->source.fd < 0)
        return;
    fl_tls_session_close(conn->tls);
    conn->tls = NULL;
    (void)close(conn->source.fd); /* also leaves epoll */
    conn->source.fd = -1;
    fl_grpc_session_abandon(conn->session);
    conn->grpc->connections--;
}

/* Invariant (1). What the connection and its calls took from the budget is given back here. */
static void conn_free(fl_grpc_conn *conn)
{
    fl_grpc *grpc = conn->grpc;
    assert(conn->source.fd < 0 && fl_grpc_session_running(conn->session) == 0);
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        grpc->conns = conn->next;
    fl_grpc_session_destroy(conn->session);
    fl_buf_dispose(&conn->out);
    fl_budget_give(fl_http_budget(grpc->http), conn->claimed_bytes);
    fl_mem_free(conn);
}

/* What the connection waits for now. */
static void conn_watch(fl_grpc_conn *conn, uint32_t events)
{
    if (events != conn->events && watch(conn->grpc, EPOLL_CTL_MOD, &conn->source, events))
        conn->events = events;
}

/* Whether bytes can come and go: always, but during a handshake. That has as long as the preface
 * has (fl_grpc_session_tick()). */
static bool conn_is_open(fl_grpc_conn *conn)
{
    if (conn->tls == NULL)
        return true;
    fl_tls_step step = fl_tls_session_shake(conn->tls);
    if (step == FL_TLS_FAILED) {
        conn->grpc->connections_failed++;
        conn_close(conn);
    } else if (step != FL_TLS_READY) {
        conn_watch(conn, step == FL_TLS_WANTS_WRITE ? EPOLLOUT : EPOLLIN);
    }
    return step == FL_TLS_READY;
}

static ssize_t conn_send(fl_grpc_conn *conn, const char *from, size_t len)
{
    return conn->tls != NULL ? fl_tls_session_write(conn->tls, from, len)
                             : send(conn->source.fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t conn_receive(fl_grpc_conn *conn, unsigned char *to, size_t cap)
{
    return conn->tls != NULL ? fl_tls_session_read(conn->tls, to, cap)
                             : recv(conn->source.fd, to, cap, MSG_DONTWAIT);
}

/* Give the client what it takes. */
static void conn_write(fl_grpc_conn *conn)
{
    if (conn->source.fd < 0 || !conn_is_open(conn))
        return;
    while (conn->source.fd >= 0) {
        if (conn->out_sent == conn->out.len) {
            fl_buf_clear(&conn->out);
            conn->out_sent = 0;
            if (fl_grpc_session_output(conn->session, &conn->out, OUTPUT_BYTES, NULL) != FL_OK) {
                conn_close(conn);
                return;
            }
            if (conn->out.len == 0)
                break;
        }
        ssize_t len =
            conn_send(conn, conn->out.ptr + conn->out_sent, conn->out.len - conn->out_sent);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (conn->stuck_ns == 0)
                conn->stuck_ns = conn->grpc->now_ns;
            break;
        }
        if (len <= 0) {
            conn_close(conn);
            return;
        }
        conn->out_sent += (size_t)len;
        conn->stuck_ns = 0;
    }
    if (conn->source.fd < 0)
        return;
    bool has_output = conn->out_sent < conn->out.len;
    if (!has_output && fl_grpc_session_is_over(conn->session)) {
        conn_close(conn);
        return;
    }
    conn_watch(conn, has_output ? EPOLLOUT : EPOLLIN);
}

/* What the client says wrongly is answered (GOAWAY says why) before its connection is closed.
 * False: there is nothing more now, or never again. */
static bool conn_read_once(fl_grpc_conn *conn)
{
    fl_grpc *grpc = conn->grpc;
    ssize_t len = conn_receive(conn, grpc->input, sizeof(grpc->input));
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return false;
    if (len <= 0) {
        conn_close(conn);
        return false;
    }
    fl_status status = fl_grpc_session_feed(
        conn->session, (fl_slice){.ptr = grpc->input, .len = (size_t)len}, grpc->now_ns, NULL);
    conn_write(conn);
    if (status != FL_OK) {
        grpc->connections_failed++;
        conn_close(conn);
    }
    return status == FL_OK && conn->source.fd >= 0;
}

/* TLS gives a record of 16 KiB at a time, which the input always holds: nothing stays behind that
 * the socket would not tell of. After a handshake our settings are to be sent. */
static void conn_read(fl_grpc_conn *conn)
{
    if (!conn_is_open(conn))
        return;
    bool has_more = conn_read_once(conn);
    for (int i = 1;
         has_more && conn->tls != NULL && i < RECORDS_A_ROUND && (conn->events & EPOLLIN) != 0; i++)
        has_more = conn_read_once(conn);
    if (conn->tls != NULL)
        conn_write(conn);
}

/* NULL: no memory, or the budget is full of bodies: then new connections are what can wait. The
 * socket stays the caller's in that case. */
static fl_grpc_conn *conn_create(fl_grpc *grpc, int fd)
{
    fl_budget *budget = fl_http_budget(grpc->http);
    fl_tls *tls = fl_http_tls(grpc->http);
    size_t bytes = FL_GRPC_CONN_BYTES + (tls != NULL ? FL_GRPC_TLS_BYTES : 0);
    bool is_taken = fl_budget_take(budget, bytes);
    fl_grpc_conn *conn = is_taken ? fl_mem_calloc(1, sizeof(*conn)) : NULL;
    if (conn == NULL) {
        fl_budget_give(budget, is_taken ? bytes : 0);
        fl_tls_drop(tls);
        return NULL;
    }
    conn->claimed_bytes = bytes;
    conn->source = (fl_grpc_source){.kind = FL_GRPC_CONN, .fd = fd};
    conn->grpc = grpc;
    conn->out = fl_buf_of(MAX_OUTPUT_BYTES);
    conn->events = EPOLLIN;
    const fl_grpc_hooks hooks = {.payload = conn,
                                 .admit = fl_grpc_admit,
                                 .ready = fl_grpc_ready,
                                 .budget = budget,
                                 .max_streams = grpc->options.max_streams,
                                 .max_header_bytes = grpc->options.max_header_bytes,
                                 .counters = &grpc->counters};
    fl_status status = fl_grpc_session_create(&conn->session, &hooks, grpc->now_ns, NULL);
    if (status == FL_OK && tls != NULL)
        status = fl_tls_session_open(&conn->tls, tls, fd, NULL);
    fl_tls_drop(tls); /* the connection keeps it */
    if (status != FL_OK || !watch(grpc, EPOLL_CTL_ADD, &conn->source, EPOLLIN)) {
        fl_tls_session_close(conn->tls);
        fl_grpc_session_destroy(conn->session);
        fl_mem_free(conn);
        fl_budget_give(budget, bytes);
        return NULL;
    }
    conn->next = grpc->conns;
    if (conn->next != NULL)
        conn->next->previous = conn;
    grpc->conns = conn;
    grpc->connections++;
    return conn;
}

/* --- accepting --- */

/* As the HTTP server has it, so that limits per client count alike. */
static void client_text(char out[INET6_ADDRSTRLEN], const struct sockaddr_storage *at)
{
    const void *address = at->ss_family == AF_INET6
                              ? (const void *)&((const struct sockaddr_in6 *)at)->sin6_addr
                              : (const void *)&((const struct sockaddr_in *)at)->sin_addr;
    if (inet_ntop(at->ss_family, address, out, INET6_ADDRSTRLEN) == NULL)
        out[0] = '\0';
}

/* Linear over at most max_connections: connections are long-lived, and new ones rare. */
static bool is_allowed(const fl_grpc *grpc, const char *client)
{
    unsigned same = 0;
    if (grpc->connections >= grpc->options.max_connections)
        return false;
    for (const fl_grpc_conn *conn = grpc->conns; conn != NULL; conn = conn->next)
        if (conn->source.fd >= 0 && strcmp(conn->client, client) == 0)
            same++;
    return same < grpc->options.max_per_client;
}

/* The listeners stay in epoll, and are asked about nothing meanwhile. */
static void set_accepting(fl_grpc *grpc, bool is_on)
{
    for (size_t i = 0; i < grpc->listener_count; i++)
        (void)watch(grpc, EPOLL_CTL_MOD, &grpc->listeners[i], is_on ? EPOLLIN : 0);
    grpc->is_paused = !is_on;
}

/* Not blocking by itself, too: GnuTLS reads and writes without flags. */
static void set_up_socket(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* One connection a round: the backlog waits, and calls under way come first. */
static void accept_one(fl_grpc *grpc, int listener)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    char client[INET6_ADDRSTRLEN];
    int fd = accept(listener, (struct sockaddr *)&at, &len);
    if (fd < 0) {
        /* Out of descriptors: the connection stays where it is, and asking on would be a loop. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            set_accepting(grpc, false);
        return;
    }
    grpc->connections_total++;
    client_text(client, &at);
    set_up_socket(fd);
    fl_grpc_conn *conn = is_allowed(grpc, client) ? conn_create(grpc, fd) : NULL;
    if (conn == NULL) {
        grpc->connections_refused++;
        (void)close(fd);
        return;
    }
    memcpy(conn->client, client, sizeof(client));
    conn_write(conn);
}

/* --- the rounds --- */

/* Calls that workers are through with. Their order does not matter: each is a stream of its own. */
static void take_done(fl_grpc *grpc)
{
    uint64_t count;
    ssize_t ignored = read(grpc->wake.fd, &count, sizeof(count));
    (void)ignored;
    (void)pthread_mutex_lock(&grpc->lock);
    fl_grpc_call *call = grpc->done;
    grpc->done = NULL;
    (void)pthread_mutex_unlock(&grpc->lock);
    while (call != NULL) {
        fl_grpc_call *next = call->next_done;
        fl_grpc_conn *conn = call->owner;
        fl_grpc_session_answer(conn->session, call);
        conn_write(conn);
        call = next;
    }
}

/* The clock is asked for all connections in one go: there are a thousand of them at most. */
static void tick(fl_grpc *grpc)
{
    if (grpc->is_paused)
        set_accepting(grpc, true);
    for (fl_grpc_conn *conn = grpc->conns; conn != NULL; conn = conn->next) {
        if (conn->source.fd < 0)
            continue;
        bool is_stuck =
            conn->stuck_ns != 0 && grpc->now_ns - conn->stuck_ns >= STUCK_S * FL_NS_PER_S;
        if (is_stuck || !fl_grpc_session_tick(conn->session, grpc->now_ns))
            conn_close(conn);
        else
            conn_write(conn);
    }
}

/* A source may have been closed by an earlier event of the same round: its descriptor is -1 then.
 */
static void handle_event(const struct epoll_event *event, fl_grpc *grpc)
{
    fl_grpc_source *source = event->data.ptr;
    if (source->kind == FL_GRPC_WAKE) {
        take_done(grpc);
        return;
    }
    if (source->kind == FL_GRPC_LISTENER) {
        if (source->fd >= 0)
            accept_one(grpc, source->fd);
        return;
    }
    fl_grpc_conn *conn = (fl_grpc_conn *)source;
    if (conn->source.fd >= 0 && (event->events & EPOLLOUT) != 0)
        conn_write(conn);
    if (conn->source.fd >= 0 && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        conn_read(conn);
}

static void free_closed(fl_grpc *grpc)
{
    fl_grpc_conn *next;
    for (fl_grpc_conn *conn = grpc->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->source.fd < 0 && fl_grpc_session_running(conn->session) == 0)
            conn_free(conn);
    }
}

/* The way out: first no more calls, later no more patience. */
static void stop_round(fl_grpc *grpc)
{
    for (size_t i = 0; !grpc->said_stop && i < grpc->listener_count; i++) {
        (void)close(grpc->listeners[i].fd);
        grpc->listeners[i].fd = -1;
    }
    for (fl_grpc_conn *conn = grpc->conns; conn != NULL; conn = conn->next) {
        if (conn->source.fd < 0)
            continue;
        if (!grpc->said_stop)
            fl_grpc_session_stop(conn->session);
        conn_write(conn);
        if (grpc->now_ns >= grpc->stop_ns)
            conn_close(conn);
    }
    grpc->said_stop = true;
}

void *fl_grpc_loop(void *payload)
{
    enum { STOPPING_MS = 20 };
    fl_grpc *grpc = payload;
    struct epoll_event events[EVENTS];
    int64_t ticked_ns = fl_time_monotonic();
    for (;;) {
        bool is_stopping = grpc->is_stopping;
        int count = epoll_wait(grpc->epoll, events, EVENTS, is_stopping ? STOPPING_MS : TICK_MS);
        grpc->now_ns = fl_time_monotonic();
        for (int i = 0; i < count; i++)
            handle_event(&events[i], grpc);
        if (grpc->now_ns - ticked_ns >= TICK_NS) {
            ticked_ns = grpc->now_ns;
            tick(grpc);
        }
        if (is_stopping)
            stop_round(grpc);
        free_closed(grpc);
        if (is_stopping && grpc->conns == NULL)
            return NULL;
    }
}
