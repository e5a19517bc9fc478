/*
 * http_conn.c - one connection: what libmicrohttpd calls as its requests come in.
 *
 * Phases of a request:
 *
 *   HEAD ──> BODY ──> WORK (suspended; a worker's) ──> ANSWER ──> WRITING ──> HEAD of the next
 *              └── refused: the body is read and thrown away ──────┘
 *
 * libmicrohttpd takes an answer before the body's first byte or after its last, not between. So
 * what is refused for its head answers after the body; at once, and closing, only where the body is
 * announced to be large or the client waits to be told to go on.
 *
 * Smuggling: a request whose end two readers could see in two places is answered with 400 and the
 * connection is closed: Content-Length twice or beside Transfer-Encoding, an encoding of the
 * transfer other than chunked, or chunked in HTTP/1.0 (RFC 9112, 6.1 and 6.3).
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_priv.h"
#include "mem.h"
#include "mhd_lazy.h"
#include "number.h"
#include "slice.h"
#include "timestamp.h"

/* libmicrohttpd's memory for a connection: the head twice, as it came and in parts, and the
 * answer's head. Pages of it are touched as they are needed; a recv() of a body takes what is free
 * of it. */
enum { CONNECTION_BYTES = 64 << 10, HEAD_COPIES = 2 };
enum { STREAM_BYTES = 4 << 10 }; /* of a stream, that are asked for at once */
/* RFC 9325: nothing older than TLS 1.2. */
static const char PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
/* Beyond our own limit, so that on_accept() closes what is too many: libmicrohttpd would leave it
 * waiting. */
enum { MORE_CONNECTIONS = 64 };

static void set_deadline(fl_http_conn *conn, int64_t from_now_ns)
{
    atomic_store(&conn->deadline_ns, fl_time_monotonic() + from_now_ns);
}

/* At the slowest rate that is put up with. */
static int64_t time_of_bytes(const fl_http *http, uint64_t bytes)
{
    uint64_t seconds = bytes / http->options.min_bytes_per_s;
    return seconds > 3600 ? 3600 * FL_NS_PER_S : (int64_t)seconds * FL_NS_PER_S;
}

/* --- connections --- */

/* As text once, since each log line and limit of the connection wants it so. */
static void name_client(char out[INET6_ADDRSTRLEN], const struct sockaddr *address)
{
    const void *bytes = NULL;
    if (address != NULL && address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)address)->sin_addr;
    else if (address != NULL && address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (bytes == NULL || inet_ntop(address->sa_family, bytes, out, INET6_ADDRSTRLEN) == NULL)
        out[0] = '\0';
}

/* What counts now, before the handshake: libmicrohttpd knows what counted at the start. */
static void use_tls(fl_http_conn *conn, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL || info->tls_session == NULL)
        return;
    conn->tls = fl_http_tls(conn->http);
    fl_tls_use(conn->tls, info->tls_session);
}

static fl_http_conn *open_conn(fl_http *http, struct MHD_Connection *mhd)
{
    fl_http_conn *conn = fl_mem_calloc(1, sizeof(*conn));
    if (conn == NULL)
        return NULL;
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    conn->http = http;
    conn->fd = fd != NULL ? fd->connect_fd : -1;
    name_client(conn->client, address != NULL ? address->client_addr : NULL);
    fl_clients_enter(http->clients, conn->client);
    use_tls(conn, mhd);
    set_deadline(conn, http->options.head_timeout_ns);
    (void)pthread_mutex_lock(&http->lock);
    conn->next = http->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    http->conns = conn;
    (void)pthread_mutex_unlock(&http->lock);
    return conn;
}

/* Once it is out of the list its descriptor may be closed and used for another. */
static void close_conn(fl_http *http, fl_http_conn *conn)
{
    (void)pthread_mutex_lock(&http->lock);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        http->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    (void)pthread_mutex_unlock(&http->lock);
    assert(conn->body == NULL && conn->charged == 0 && !conn->has_reply);
    fl_clients_leave(http->clients, conn->client);
    fl_tls_drop(conn->tls);
    fl_mem_free(conn);
}

/* The first and the last that is heard of a connection. */
static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    fl_http *http = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        http->connections++;
        http->connections_total++;
        *socket_context = open_conn(http, mhd);
        return;
    }
    http->connections--;
    if (*socket_context != NULL)
        close_conn(http, *socket_context);
    *socket_context = NULL;
}

/* Before anything is allocated for it. */
static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t len)
{
    fl_http *http = cls;
    char client[INET6_ADDRSTRLEN];
    (void)len;
    name_client(client, address);
    if (http->connections < http->options.max_connections && !http->is_stopping &&
        fl_clients_has_room(http->clients, client))
        return MHD_YES;
    http->connections_refused++;
    return MHD_NO;
}

/* NULL: there was no memory for it. */
static fl_http_conn *conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* The request line is there: from now on the head may not take long. */
static void *on_request_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    fl_http *http = cls;
    fl_http_conn *conn = conn_of(mhd);
    (void)uri;
    if (conn != NULL)
        set_deadline(conn, http->options.head_timeout_ns);
    return NULL;
}

/* --- answers --- */

/* The next bytes of a stream: MHD_ContentReaderCallback. One that has none is suspended, and counts
 * as work, until fl_http_conn_wake(): libmicrohttpd would ask again at once. */
static ssize_t on_stream(void *cls, uint64_t position, char *out, size_t room)
{
    fl_http_conn *conn = cls;
    fl_http *http = conn->http;
    (void)position;
    assert(conn->phase == FL_HTTP_WRITING && !conn->is_waiting);
    /* Counted before the look, as to_worker() does: nothing is suspended behind a stop's back. */
    http->working++;
    ptrdiff_t len = -1;
    if (!http->is_stopping)
        len = conn->reply.stream.next(conn->reply.stream.payload, out, room);
    assert(len <= (ptrdiff_t)room);
    if (len != 0)
        http->working--;
    if (len < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (len > 0) {
        set_deadline(conn, http->options.body_grace_ns);
        return len;
    }
    atomic_store(&conn->deadline_ns, INT64_MAX);
    MHD_suspend_connection(conn->mhd);
    conn->is_waiting = true;
    return 0;
}

void fl_http_conn_wake(fl_http *http)
{
    for (fl_http_conn *conn = http->conns; conn != NULL; conn = conn->next) {
        if (!atomic_exchange(&conn->is_waiting, false))
            continue;
        set_deadline(conn, http->options.body_grace_ns);
        MHD_resume_connection(conn->mhd);
        http->working--;
    }
}

static struct MHD_Response *create_response(fl_http_conn *conn)
{
    fl_http_reply *reply = &conn->reply;
    if (reply->stream.next != NULL)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BYTES, on_stream, conn,
                                                 NULL);
    /* The bytes stay until on_completed(). */
    fl_slice bytes = fl_http_reply_bytes(reply);
    return MHD_create_response_from_buffer(
        bytes.len, bytes.len > 0 ? (void *)(uintptr_t)bytes.ptr : NULL, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *response_of(fl_http_conn *conn)
{
    fl_http_reply *reply = &conn->reply;
    char seconds[16];
    struct MHD_Response *response = create_response(conn);
    if (response == NULL)
        return NULL;
    bool ok = true;
    if (reply->content_type != NULL)
        ok = MHD_add_response_header(response, "Content-Type", reply->content_type) == MHD_YES;
    if (ok && reply->retry_after_s > 0) {
        (void)snprintf(seconds, sizeof(seconds), "%u", reply->retry_after_s);
        ok = MHD_add_response_header(response, "Retry-After", seconds) == MHD_YES;
    }
    if (ok && reply->etag[0] != '\0')
        ok = MHD_add_response_header(response, "ETag", reply->etag) == MHD_YES;
    for (size_t i = 0; ok && i < reply->extra_count; i++)
        ok = MHD_add_response_header(response, reply->extra[i].name, reply->extra[i].value) ==
             MHD_YES;
    if (ok && (conn->must_close || conn->http->is_stopping))
        ok = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (ok)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

/* Whoever does not read is closed as well: the time to write is that of the bytes. */
static enum MHD_Result send_answer(fl_http_conn *conn, struct MHD_Connection *mhd)
{
    fl_http *http = conn->http;
    assert(conn->has_reply);
    if (conn->route == NULL && conn->asked != NULL && conn->asked->refuse != NULL)
        conn->asked->refuse(&conn->request, &conn->reply);
    struct MHD_Response *response = response_of(conn);
    if (response == NULL)
        return MHD_NO;
    conn->phase = FL_HTTP_WRITING;
    http->answers[conn->reply.status / 100]++;
    set_deadline(conn, http->options.body_grace_ns +
                           time_of_bytes(http, fl_http_reply_bytes(&conn->reply).len));
    enum MHD_Result queued = MHD_queue_response(mhd, conn->reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

/* The reply to be filled by who refuses. */
static fl_http_reply *refuse(fl_http_conn *conn, fl_http_refusal why)
{
    fl_http_count_refusal(conn->http, why);
    conn->route = NULL;
    if (!conn->has_reply)
        fl_http_reply_init(&conn->reply);
    conn->has_reply = true;
    return &conn->reply;
}

/* What may pass: OTLP's senders repeat after a 503, others after Retry-After. */
static void refuse_busy(fl_http_conn *conn, fl_http_refusal why, const char *what)
{
    fl_http_reply *reply = refuse(conn, why);
    fl_http_problem(reply, 503, "%s: send it again later", what);
    reply->retry_after_s = 1;
}

/* --- heads --- */

/* Names and values stay libmicrohttpd's, for as long as the request is. */
typedef struct field_list {
    fl_http_field *fields;
    size_t count, max, bytes, max_bytes;
    bool too_many;
} field_list;

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    field_list *list = cls;
    (void)kind;
    list->bytes += strlen(name) + (value != NULL ? strlen(value) : 0);
    if (list->count == list->max || list->bytes > list->max_bytes) {
        list->too_many = true;
        return MHD_NO;
    }
    list->fields[list->count++] =
        (fl_http_field){.name = name, .value = value != NULL ? value : ""};
    return MHD_YES;
}

/* False: more than there is room for. */
static bool gather(fl_http_conn *conn, struct MHD_Connection *mhd)
{
    size_t max_bytes = conn->http->options.max_header_bytes;
    field_list headers = {
        .fields = conn->headers, .max = FL_HTTP_MAX_HEADERS, .max_bytes = max_bytes};
    field_list parameters = {
        .fields = conn->parameters, .max = FL_HTTP_MAX_PARAMETERS, .max_bytes = max_bytes};
    (void)MHD_get_connection_values(mhd, MHD_HEADER_KIND, on_field, &headers);
    (void)MHD_get_connection_values(mhd, MHD_GET_ARGUMENT_KIND, on_field, &parameters);
    conn->request.headers = conn->headers;
    conn->request.header_count = headers.count;
    conn->request.parameters = conn->parameters;
    conn->request.parameter_count = parameters.count;
    return !headers.too_many && !parameters.too_many;
}

/* How often the header stands there: of two the parties may read different ones. */
static size_t count_of(const fl_http_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

/* NULL, or why nobody should believe where this request ends. Sets conn->announced. */
static const char *framing_problem(fl_http_conn *conn, const char *version)
{
    const fl_http_request *request = &conn->request;
    const char *length = fl_http_header(request, "Content-Length");
    const char *transfer = fl_http_header(request, "Transfer-Encoding");
    conn->announced = 0;
    if (count_of(request, "Content-Length") > 1 || count_of(request, "Transfer-Encoding") > 1)
        return "Content-Length or Transfer-Encoding stands there twice";
    if (length != NULL && transfer != NULL)
        return "Content-Length and Transfer-Encoding are both there";
    if (transfer != NULL) {
        conn->announced = UINT64_MAX;
        if (strcasecmp(transfer, "chunked") != 0)
            return "Transfer-Encoding is not chunked";
        return strcmp(version, "HTTP/1.1") == 0 ? NULL : "chunked needs HTTP/1.1";
    }
    if (length != NULL &&
        (!fl_parse_u64(fl_slice_of(length), &conn->announced) || conn->announced > INT64_MAX))
        return "Content-Length is not a number of bytes";
    return NULL;
}

/* Whether the client showed a certificate, where it has to. The handshake is asked once: GnuTLS
 * takes clients without one, so that they can be told. */
static bool is_trusted(fl_http_conn *conn, struct MHD_Connection *mhd)
{
    if (!conn->http->is_mutual || conn->is_trusted)
        return true;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    conn->is_trusted = info != NULL && fl_tls_is_trusted(info->tls_session);
    return conn->is_trusted;
}

/* Everything that the head tells; the first thing that is wrong is what is answered. */
static void judge_head(fl_http_conn *conn, bool fits, const char *version)
{
    fl_http *http = conn->http;
    fl_http_request *request = &conn->request;
    const char *wrong = framing_problem(conn, version);
    if (wrong != NULL || !fits) {
        conn->must_close = true;
        fl_http_problem(refuse(conn, FL_HTTP_REFUSED_HEAD), wrong != NULL ? 400 : 431, "%s",
                        wrong != NULL ? wrong
                                      : "there are more headers than are read, or larger ones");
        return;
    }
    if (!is_trusted(conn, conn->mhd)) {
        conn->must_close = true;
        fl_http_reply_init(&conn->reply);
        fl_http_refuse_untrusted(http, &conn->reply);
        conn->has_reply = true;
        return;
    }
    fl_http_reply_init(&conn->reply);
    const fl_http_route *route = fl_http_find(http, request->method, request->path, &conn->reply);
    conn->asked = route;
    if (route == NULL || !fl_http_admit(http, route, request, &conn->reply)) {
        conn->has_reply = true;
        return;
    }
    fl_http_reply_dispose(&conn->reply);
    const char *encoding = fl_http_header(request, "Content-Encoding");
    conn->encoding = encoding != NULL ? fl_http_encoding_of(encoding) : FL_HTTP_PLAIN;
    if (conn->encoding == FL_HTTP_UNKNOWN) {
        fl_http_reply *reply = refuse(conn, FL_HTTP_REFUSED_ENCODING);
        fl_http_problem(reply, 415, "Content-Encoding '%.40s' is not read: gzip and zstd are",
                        encoding);
        fl_http_reply_add(reply, "Accept-Encoding", "gzip, zstd, snappy");
        return;
    }
    if (conn->announced != UINT64_MAX && conn->announced > fl_http_max_body(http, route)) {
        fl_http_problem(refuse(conn, FL_HTTP_REFUSED_SIZE), 413,
                        "the body is larger than %zu bytes", fl_http_max_body(http, route));
        return;
    }
    conn->route = route;
}

/* The head is whole. Nothing of the body was read yet. */
static enum MHD_Result on_head(fl_http_conn *conn, struct MHD_Connection *mhd, const char *method,
                               const char *version)
{
    fl_http *http = conn->http;
    bool fits = gather(conn, mhd);
    const char *type = fl_http_header(&conn->request, "Content-Type");
    http->active++;
    http->requests++;
    conn->mhd = mhd;
    conn->phase = FL_HTTP_BODY;
    conn->request.method = strcmp(method, "HEAD") == 0 ? "GET" : method;
    conn->request.content_type = type != NULL ? type : "";
    conn->request.client = conn->client;
    conn->request.arrival_ns = fl_time_now();
    judge_head(conn, fits, version);
    assert((conn->route == NULL) == conn->has_reply);
    conn->began_ns = fl_time_monotonic();
    set_deadline(conn, http->options.body_grace_ns);
    bool is_large = conn->announced != UINT64_MAX && conn->announced > FL_HTTP_DISCARD_BYTES;
    bool waits = fl_http_header(&conn->request, "Expect") != NULL;
    if (conn->route == NULL && (is_large || waits || conn->must_close)) {
        conn->must_close = true;
        return send_answer(conn, mhd);
    }
    return MHD_YES;
}

/* --- bodies --- */

/* A piece of the body, gathered or thrown away. */
static enum MHD_Result on_body(fl_http_conn *conn, const char *bytes, size_t *len)
{
    fl_http *http = conn->http;
    size_t max = conn->route != NULL ? fl_http_max_body(conn->http, conn->route) : 0;
    if (conn->route != NULL && conn->came + *len > max)
        fl_http_problem(refuse(conn, FL_HTTP_REFUSED_SIZE), 413,
                        "the body is larger than %zu bytes", max);
    else if (conn->route != NULL && !fl_http_body_add(conn, bytes, *len))
        refuse_busy(conn, FL_HTTP_REFUSED_BUDGET, "all memory for requests is in use");
    if (conn->route == NULL)
        fl_http_body_drop(conn);
    conn->came += *len;
    http->wire_bytes += *len;
    *len = 0;
    atomic_store(&conn->deadline_ns,
                 conn->began_ns + http->options.body_grace_ns + time_of_bytes(http, conn->came));
    return conn->came <= FL_HTTP_DISCARD_MOST ? MHD_YES : MHD_NO;
}

/* --- work --- */

/* On a worker. After the resume the connection is its event thread's again. */
static void work(fl_job *job)
{
    fl_http_conn *conn = (fl_http_conn *)job;
    fl_http *http = conn->http;
    struct MHD_Connection *mhd = conn->mhd;
    unsigned char *opened = NULL;
    assert(conn->phase == FL_HTTP_WORK);
    fl_http_reply_init(&conn->reply);
    conn->has_reply = true;
    if (fl_http_body_open(conn, &opened))
        fl_http_run(http, conn->route, &conn->request, &conn->reply);
    else
        conn->route = NULL; /* refused */
    fl_mem_free(opened);
    fl_http_body_drop(conn);
    size_t bytes = conn->reply.body.cap;
    if (bytes > FL_HTTP_DISCARD_BYTES && !fl_budget_take(&http->budget, bytes)) {
        fl_http_reply_dispose(&conn->reply);
        conn->has_reply = false;
        refuse_busy(conn, FL_HTTP_REFUSED_BUDGET, "all memory for answers is in use");
    } else if (bytes > FL_HTTP_DISCARD_BYTES) {
        conn->charged = bytes;
    }
    conn->phase = FL_HTTP_ANSWER;
    MHD_resume_connection(mhd);
    http->working--;
}

/* The order of `working` and `is_closed` here and in fl_http_stop() leaves no request suspended in
 * a server that closes. */
static enum MHD_Result to_worker(fl_http_conn *conn, struct MHD_Connection *mhd)
{
    fl_http *http = conn->http;
    http->working++;
    if (http->is_closed) {
        http->working--;
        fl_http_body_drop(conn);
        refuse_busy(conn, FL_HTTP_REFUSED_STOPPING, "this process is stopping");
        return send_answer(conn, mhd);
    }
    atomic_store(&conn->deadline_ns, INT64_MAX);
    conn->phase = FL_HTTP_WORK;
    conn->job.run = work;
    MHD_suspend_connection(mhd);
    if (fl_workers_submit(http->workers, &conn->job))
        return MHD_YES;
    fl_http_body_drop(conn);
    refuse_busy(conn, FL_HTTP_REFUSED_QUEUE, "too many requests wait");
    conn->phase = FL_HTTP_ANSWER;
    MHD_resume_connection(mhd);
    http->working--;
    return MHD_YES;
}

/* Called for the head, for each piece of the body, at its end, and after a resume. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *len, void **request_context)
{
    fl_http_conn *conn = *request_context;
    (void)cls;
    if (conn == NULL) {
        conn = conn_of(mhd);
        if (conn == NULL)
            return MHD_NO;
        assert(conn->phase == FL_HTTP_HEAD && *len == 0);
        *request_context = conn;
        conn->request.path = url;
        return on_head(conn, mhd, method, version);
    }
    if (*len > 0) {
        assert(conn->phase == FL_HTTP_BODY);
        return on_body(conn, bytes, len);
    }
    if (conn->phase == FL_HTTP_BODY && conn->route != NULL)
        return to_worker(conn, mhd);
    return conn->phase == FL_HTTP_WRITING ? MHD_YES : send_answer(conn, mhd);
}

/* Also of a request that was given up. The worker never has it here: it is suspended then. */
static void on_completed(void *cls, struct MHD_Connection *mhd, void **request_context,
                         enum MHD_RequestTerminationCode why)
{
    fl_http *http = cls;
    fl_http_conn *conn = *request_context;
    (void)mhd, (void)why;
    if (conn == NULL)
        return;
    assert(conn->phase != FL_HTTP_WORK);
    fl_http_body_drop(conn);
    if (conn->has_reply)
        fl_http_reply_dispose(&conn->reply);
    conn->has_reply = false;
    conn->must_close = false;
    conn->route = conn->asked = NULL;
    conn->came = 0;
    conn->request = (fl_http_request){0};
    conn->phase = FL_HTTP_HEAD;
    *request_context = NULL;
    set_deadline(conn, http->options.idle_timeout_ns);
    http->active--;
}

/* What libmicrohttpd would say on standard error is not ours to print, and holds what strangers
 * send. */
static void on_log(void *cls, const char *format, va_list args)
{
    (void)cls, (void)format, (void)args;
}

static size_t memory_of(const fl_http *http)
{
    size_t heads = HEAD_COPIES * http->options.max_header_bytes;
    return heads > CONNECTION_BYTES ? heads : CONNECTION_BYTES;
}

/* Its own connection timeout stays off: deadlines are ours (http.c). */
struct MHD_Daemon *fl_http_conn_serve(fl_http *http, int fd)
{
    fl_tls *tls = fl_http_tls(http);
    struct MHD_OptionItem options[16] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, NULL},
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)http->options.max_connections + MORE_CONNECTIONS,
         NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)memory_of(http), NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, http},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, http},
    };
    size_t count = 8;
    unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (tls != NULL) {
        flags |= MHD_USE_TLS;
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                                   (void *)(uintptr_t)fl_tls_cert_pem(tls)};
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                                   (void *)(uintptr_t)fl_tls_key_pem(tls)};
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES};
    }
    if (tls != NULL && fl_tls_is_mutual(tls))
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                                   (void *)(uintptr_t)fl_tls_client_ca_pem(tls)};
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    struct MHD_Daemon *listener = MHD_start_daemon(flags, 0, on_accept, http, on_request, http,
                                                   MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    fl_tls_drop(tls); /* it has its own copy of the texts */
    return listener;
}
