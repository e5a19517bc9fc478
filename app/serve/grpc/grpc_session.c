/*
 * grpc_session.c - a connection's streams to calls, by libnghttp2.
 *
 * Invariants:
 *   (1) a stream's user data is its call as long as call->stream_id is not 0;
 *   (2) a call is in `calls` from its creation to its end; `running` counts those that are RUNNING;
 *   (3) a call is freed when its stream is closed and it is not RUNNING, and never inside of a
 *       callback that could still name it;
 *   (4) `running` is at most hooks.max_streams, also when a client resets its streams and opens
 *       others (CVE-2023-44487): the reset ones still count.
 *
 * Patience. What costs a client nothing and us something is paid from a bucket that refills slowly:
 * a reset stream, whoever reset it, a SETTINGS, a PRIORITY, an empty DATA frame, a PING since whose
 * predecessor nothing was answered (a client may measure the round trip with each answer). An empty
 * bucket ends the connection with ENHANCE_YOUR_CALM. The frames of one head are counted apart
 * (CVE-2024-27316), and a head is not kept beyond its limit.
 */
#include "grpc_session.h"

#include <assert.h>
#include <stdio.h>

#include "grpc_call.h"
#include "mem.h"
#include "nghttp2_lazy.h"
#include "slice.h"

/* Times as the HTTP listener has them; see fl_http_options. */
#define SECOND_NS INT64_C(1000000000)
enum {
    HELLO_S = 10,   /* to the preface and the first SETTINGS */
    MESSAGE_S = 15, /* for a message, and as much more as it takes at .. */
    MIN_BYTES_PER_S = 4 << 10,
    ANSWER_S = 30, /* for taking an answer */
    QUIET_S = 60,  /* without a byte: ask by PING */
    PING_S = 20,   /* and wait for the answer, as gRPC's own keepalive */
    IDLE_S = 300,  /* without a call: exporters send every 5 to 60 s */
    MAX_CONTINUATIONS = 8,
    MAX_HEAD_FIELDS = 1024, /* of one head, kept or not */
    MAX_OUTBOUND_ACKS = 128,
    MAX_PATIENCE = 200, /* a client may cancel all its calls once, and some more */
    PATIENCE_PER_S = 20
};

struct fl_grpc_session {
    nghttp2_session *h2;
    fl_grpc_hooks hooks;
    fl_grpc_call *calls, *closed; /* `closed`: to be freed after the callbacks */
    size_t call_count, running;
    int64_t now_ns, created_ns, heard_ns, busy_ns, pinged_ns; /* pinged_ns 0: no PING is out */
    double patience;
    int64_t patience_ns;
    unsigned continuations;
    size_t head_fields;
    bool has_settings, has_answered, is_stopping;
};

fl_budget *fl_grpc_session_budget(fl_grpc_session *session)
{
    return session->hooks.budget;
}

size_t fl_grpc_session_running(const fl_grpc_session *session)
{
    return session->running;
}

bool fl_grpc_session_is_over(const fl_grpc_session *session)
{
    return nghttp2_session_want_read(session->h2) == 0 &&
           nghttp2_session_want_write(session->h2) == 0;
}

/* --- calls --- */

/* The list is for the clock and for the end; a stream finds its call by its user data. */
static void link_call(fl_grpc_session *session, fl_grpc_call *call)
{
    call->next = session->calls;
    if (call->next != NULL)
        call->next->previous = call;
    session->calls = call;
    session->call_count++;
}

static void unlink_call(fl_grpc_session *session, fl_grpc_call *call)
{
    assert(session->call_count > 0);
    if (call->next != NULL)
        call->next->previous = call->previous;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        session->calls = call->next;
    session->call_count--;
}

/* Invariant (3): libnghttp2 may be in the middle of the stream's last frame. */
static void retire(fl_grpc_session *session, fl_grpc_call *call)
{
    assert(call->stream_id == 0 && call->state != FL_GRPC_RUNNING);
    unlink_call(session, call);
    call->next = session->closed;
    session->closed = call;
}

static void free_closed(fl_grpc_session *session)
{
    while (session->closed != NULL) {
        fl_grpc_call *call = session->closed;
        session->closed = call->next;
        fl_grpc_call_destroy(call, session->hooks.budget);
    }
}

/* One drop of the bucket; when it is empty the connection ends. */
static void pay(fl_grpc_session *session)
{
    double refill =
        (double)(session->now_ns - session->patience_ns) / (double)SECOND_NS * PATIENCE_PER_S;
    session->patience_ns = session->now_ns;
    session->patience += refill;
    if (session->patience > MAX_PATIENCE)
        session->patience = MAX_PATIENCE;
    session->patience -= 1;
    if (session->patience >= 0)
        return;
    atomic_fetch_add(&session->hooks.counters->impatient, 1);
    (void)nghttp2_session_terminate_session(session->h2, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* --- answers --- */

#define NV(n, v, v_len)                                                                            \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(n), .namelen = sizeof(n) - 1,                               \
        .value = (uint8_t *)(uintptr_t)(v), .valuelen = (v_len)                                    \
    }

/* Prefix and message; after them come the trailers. */
static ssize_t read_answer(nghttp2_session *h2, int32_t stream_id, uint8_t *to, size_t cap,
                           uint32_t *flags, nghttp2_data_source *source, void *payload)
{
    (void)payload;
    fl_grpc_call *call = source->ptr;
    assert(call->stream_id == stream_id && cap > 0);
    fl_slice body = fl_buf_slice(&call->reply.body);
    size_t len = 0;
    while (len < cap && call->sent_bytes < FL_GRPC_PREFIX_BYTES)
        to[len++] = call->prefix[call->sent_bytes++];
    size_t at = call->sent_bytes - FL_GRPC_PREFIX_BYTES;
    size_t part = len < cap && at < body.len ? body.len - at : 0;
    if (part > cap - len)
        part = cap - len;
    if (part > 0)
        memcpy(to + len, body.ptr + at, part);
    call->sent_bytes += part;
    len += part;
    if (call->sent_bytes == FL_GRPC_PREFIX_BYTES + body.len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_nv trailer = NV("grpc-status", "0", 1);
        if (nghttp2_submit_trailer(h2, stream_id, &trailer, 1) != 0)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)len;
}

static int submit_message(fl_grpc_session *session, fl_grpc_call *call)
{
    size_t len = call->reply.body.len;
    assert(len <= UINT32_MAX && call->code == FL_GRPC_OK);
    for (unsigned i = 0; i < 4; i++)
        call->prefix[1 + i] = (unsigned char)(len >> (24 - 8 * i));
    const nghttp2_nv head[] = {NV(":status", "200", 3), NV("content-type", "application/grpc", 16)};
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_answer};
    return nghttp2_submit_response(session->h2, call->stream_id, head, 2, &provider);
}

/* Head and trailers in one: there is no message. */
static int submit_failure(fl_grpc_session *session, fl_grpc_call *call)
{
    char code[4];
    int code_len = snprintf(code, sizeof(code), "%u", (unsigned)call->code);
    fl_buf why = fl_buf_of(3 * FL_GRPC_TEXT_BYTES), details = fl_buf_of(4 * FL_GRPC_TEXT_BYTES);
    fl_grpc_percent(&why, fl_slice_of(call->why));
    if (call->retry_after_s > 0)
        fl_grpc_retry_details(&details, call->code, fl_slice_of(call->why), call->retry_after_s);
    nghttp2_nv head[6] = {NV(":status", "200", 3), NV("content-type", "application/grpc", 16),
                          NV("grpc-status", code, (size_t)code_len),
                          NV("grpc-message", why.ptr, why.len)};
    size_t count = 4;
    if (call->code == FL_GRPC_UNIMPLEMENTED)
        head[count++] = (nghttp2_nv)NV("grpc-accept-encoding", "identity,gzip,zstd",
                                       sizeof("identity,gzip,zstd") - 1);
    if (details.len > 0 && details.status == FL_OK)
        head[count++] = (nghttp2_nv)NV("grpc-status-details-bin", details.ptr, details.len);
    int result = why.status == FL_OK
                     ? nghttp2_submit_response(session->h2, call->stream_id, head, count, NULL)
                     : NGHTTP2_ERR_NOMEM;
    fl_buf_dispose(&why);
    fl_buf_dispose(&details);
    return result;
}

/* Send what stands in the call. Where that cannot be, the stream is reset. */
static void answer(fl_grpc_session *session, fl_grpc_call *call)
{
    assert(call->state == FL_GRPC_ARRIVING && call->stream_id != 0);
    call->state = FL_GRPC_ANSWERING;
    call->answered_ns = session->now_ns;
    fl_grpc_message_dispose(&call->message);
    atomic_fetch_add(&session->hooks.counters->codes[call->code], 1);
    session->has_answered = true;
    session->busy_ns = session->now_ns;
    int result =
        call->code == FL_GRPC_OK ? submit_message(session, call) : submit_failure(session, call);
    if (result != 0)
        (void)nghttp2_submit_rst_stream(session->h2, NGHTTP2_FLAG_NONE, call->stream_id,
                                        NGHTTP2_INTERNAL_ERROR);
}

/* The stream may be gone: then the work was for nothing, and only memory is given back. */
void fl_grpc_session_answer(fl_grpc_session *session, fl_grpc_call *call)
{
    assert(call->session == session && call->state == FL_GRPC_RUNNING && session->running > 0);
    session->running--;
    call->state = FL_GRPC_ARRIVING;
    if (call->stream_id != 0) {
        answer(session, call);
        return;
    }
    retire(session, call);
    free_closed(session);
}

/* Not HTTP's fault: a gRPC client gets the status in its trailers, others by HTTP. */
static void refuse_http(fl_grpc_session *session, fl_grpc_call *call, const char *status)
{
    assert(call->state == FL_GRPC_ARRIVING && strlen(status) == 3);
    call->state = FL_GRPC_ANSWERING;
    call->answered_ns = session->now_ns;
    const nghttp2_nv head[] = {NV(":status", status, 3)};
    if (nghttp2_submit_response(session->h2, call->stream_id, head, 1, NULL) != 0)
        (void)nghttp2_submit_rst_stream(session->h2, NGHTTP2_FLAG_NONE, call->stream_id,
                                        NGHTTP2_INTERNAL_ERROR);
}

/* OTLP: UNAVAILABLE is retried, and the RetryInfo says when. A second is what the budget takes to
 * empty at the rates that fill it. */
static void refuse_full(fl_grpc_session *session, fl_grpc_call *call)
{
    enum { RETRY_S = 1 };
    fl_grpc_call_fail(call, FL_GRPC_UNAVAILABLE,
                      "there are too many requests in memory: try again later");
    call->retry_after_s = RETRY_S;
    answer(session, call);
}

/* gRPC's own codes for what is wrong below the handler (grpc.io/docs/guides/status-codes). */
static void refuse_message(fl_grpc_session *session, fl_grpc_call *call, const fl_error *err)
{
    if (err->status == FL_E_NOMEM) {
        refuse_full(session, call);
        return;
    }
    fl_grpc_call_fail(call,
                      err->status == FL_E_LIMIT ? FL_GRPC_RESOURCE_EXHAUSTED : FL_GRPC_INTERNAL,
                      "%s", err->message);
    answer(session, call);
}

/* --- arriving --- */

/* "+json" and others would be another encoding of the message, which the routes do not expect. */
static bool is_grpc_type(const char *type)
{
    static const fl_slice plain = FL_SLICE_INIT("application/grpc"),
                          proto = FL_SLICE_INIT("application/grpc+proto");
    fl_slice text = fl_slice_of(type);
    text.len = fl_slice_find(text, FL_SLICE(";"));
    text = fl_slice_trim(text);
    return fl_slice_equal(text, plain) || fl_slice_equal(text, proto);
}

/* grpc-encoding and grpc-timeout; false after a refusal. */
static bool read_fields(fl_grpc_session *session, fl_grpc_call *call)
{
    const char *encoding = fl_http_header(&call->request, "grpc-encoding");
    call->encoding = fl_slice_of(encoding != NULL ? encoding : "identity");
    if (fl_slice_equal(call->encoding, FL_SLICE("identity")))
        call->encoding.len = 0;
    else if (!fl_slice_equal(call->encoding, FL_SLICE("gzip")) &&
             !fl_slice_equal(call->encoding, FL_SLICE("zstd"))) {
        fl_grpc_call_fail(call, FL_GRPC_UNIMPLEMENTED,
                          "grpc-encoding is neither identity, gzip nor zstd");
        answer(session, call);
        return false;
    }
    const char *timeout = fl_http_header(&call->request, "grpc-timeout");
    int64_t allowed_ns = 0;
    fl_error err = {0};
    if (timeout == NULL)
        return true;
    if (fl_grpc_timeout_read(&allowed_ns, fl_slice_of(timeout), &err) != FL_OK) {
        fl_grpc_call_fail(call, FL_GRPC_INVALID_ARGUMENT, "%s", err.message);
        answer(session, call);
        return false;
    }
    call->deadline_ns =
        allowed_ns < INT64_MAX - session->now_ns ? session->now_ns + allowed_ns : INT64_MAX;
    return true;
}

/* In the order of PROTOCOL-HTTP2: is it gRPC at all, can it be read, may it come. */
static void head_is_whole(fl_grpc_session *session, fl_grpc_call *call)
{
    if (call->is_head_too_large) {
        fl_grpc_call_fail(call, FL_GRPC_RESOURCE_EXHAUSTED,
                          "the call's headers are larger than %zu bytes",
                          session->hooks.max_header_bytes);
        answer(session, call);
        return;
    }
    fl_grpc_call_head_done(call);
    if (strcmp(call->request.method, "POST") != 0) {
        refuse_http(session, call, "405");
        return;
    }
    const char *type = fl_http_header(&call->request, "content-type");
    if (type == NULL || !is_grpc_type(type)) {
        refuse_http(session, call, "415");
        return;
    }
    if (!read_fields(session, call))
        return;
    if (!session->hooks.admit(session->hooks.payload, call, &call->reply)) {
        fl_grpc_call_conclude(call);
        assert(call->code != FL_GRPC_OK);
        answer(session, call);
    }
}

/* Invariant (4) is kept here: what was reset and still runs counts with what is open. */
static void message_is_whole(fl_grpc_session *session, fl_grpc_call *call)
{
    fl_error err = {0};
    if (fl_grpc_message_end(&call->message, &err) != FL_OK) {
        refuse_message(session, call, &err);
        return;
    }
    if (session->running >= session->hooks.max_streams) {
        refuse_full(session, call);
        return;
    }
    call->state = FL_GRPC_RUNNING;
    session->running++;
    if (session->hooks.ready(session->hooks.payload, call))
        return;
    session->running--;
    call->state = FL_GRPC_ARRIVING;
    refuse_full(session, call);
}

/* --- what libnghttp2 says --- */

/* Each frame of a head comes here, also those without a single header. */
static int on_begin_frame(nghttp2_session *h2, const nghttp2_frame_hd *head, void *payload)
{
    (void)h2;
    fl_grpc_session *session = payload;
    if (head->type == NGHTTP2_HEADERS) {
        session->continuations = 0;
        session->head_fields = 0;
    } else if (head->type == NGHTTP2_CONTINUATION && ++session->continuations > MAX_CONTINUATIONS) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

/* The number of calls can be above that of streams by those that run and were reset. */
static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *payload)
{
    fl_grpc_session *session = payload;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0; /* trailers, which say nothing that we read */
    int32_t stream_id = frame->hd.stream_id;
    atomic_fetch_add(&session->hooks.counters->calls, 1);
    fl_grpc_call *call =
        session->call_count < 2 * session->hooks.max_streams
            ? fl_grpc_call_create(session, session->hooks.budget, session->hooks.max_header_bytes)
            : NULL;
    if (call == NULL) { /* nothing was done for it: clients try again by themselves */
        atomic_fetch_add(&session->hooks.counters->refused_streams, 1);
        (void)nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_REFUSED_STREAM);
        return 0;
    }
    call->stream_id = stream_id;
    call->owner = session->hooks.payload;
    call->begun_ns = session->now_ns;
    link_call(session, call);
    return nghttp2_session_set_stream_user_data(h2, stream_id, call);
}

static fl_grpc_call *call_of(nghttp2_session *h2, int32_t stream_id)
{
    fl_grpc_call *call = nghttp2_session_get_stream_user_data(h2, stream_id);
    assert(call == NULL || call->stream_id == stream_id);
    return call;
}

/* Also what is not kept is counted: HPACK makes 4 KB out of one byte, and that is work. */
static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *payload)
{
    (void)flags;
    fl_grpc_session *session = payload;
    if (++session->head_fields > MAX_HEAD_FIELDS)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    fl_grpc_call *call = call_of(h2, frame->hd.stream_id);
    if (call != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        fl_grpc_call_header(call, (fl_slice){.ptr = name, .len = name_len},
                            (fl_slice){.ptr = value, .len = value_len});
    return 0;
}

/* Windows open again as bytes come in (libnghttp2 does that): what bounds memory is the budget,
 * which refuses, and not the window, behind which senders would pile up and time out. */
static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                   size_t len, void *payload)
{
    (void)flags;
    fl_grpc_session *session = payload;
    fl_grpc_call *call = call_of(h2, stream_id);
    if (call == NULL || call->state != FL_GRPC_ARRIVING)
        return 0; /* what is answered already may go on for a while */
    atomic_fetch_add(&session->hooks.counters->message_bytes, len);
    fl_error err = {0};
    size_t before = call->message.body.cap;
    if (fl_grpc_message_add(&call->message, (fl_slice){.ptr = bytes, .len = len}, &err) != FL_OK)
        refuse_message(session, call, &err);
    else if (!fl_grpc_call_claim(call, call->message.body.cap - before))
        refuse_full(session, call);
    return 0;
}

/* A frame is whole, and was found correct. */
static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *payload)
{
    fl_grpc_session *session = payload;
    bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        if (!is_ack && session->has_settings)
            pay(session);
        session->has_settings = true;
        return 0;
    case NGHTTP2_PING:
        if (is_ack)
            session->pinged_ns = 0;
        else if (!session->has_answered)
            pay(session);
        session->has_answered = session->has_answered && is_ack;
        return 0;
    case NGHTTP2_PRIORITY:
        pay(session);
        return 0;
    case NGHTTP2_DATA:
        if (!is_end && frame->hd.length == frame->data.padlen)
            pay(session);
        break;
    case NGHTTP2_HEADERS:
        break;
    default:
        return 0;
    }
    fl_grpc_call *call = call_of(h2, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    call->has_ended = call->has_ended || is_end;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        head_is_whole(session, call);
    if (is_end && call->state == FL_GRPC_ARRIVING)
        message_is_whole(session, call);
    return 0;
}

/* An answer before the end of the question: the client need not send the rest (RFC 9113, 8.1). */
static int on_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *payload)
{
    (void)payload;
    if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    fl_grpc_call *call = call_of(h2, frame->hd.stream_id);
    if (call != NULL && !call->has_ended)
        (void)nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                        NGHTTP2_NO_ERROR);
    return 0;
}

/* By the end of both directions or by a reset of either side. */
static int on_close(nghttp2_session *h2, int32_t stream_id, uint32_t code, void *payload)
{
    fl_grpc_session *session = payload;
    if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_REFUSED_STREAM) {
        atomic_fetch_add(&session->hooks.counters->resets, 1);
        pay(session);
    }
    fl_grpc_call *call = call_of(h2, stream_id);
    if (call == NULL)
        return 0;
    call->stream_id = 0;
    session->busy_ns = session->now_ns;
    if (call->state == FL_GRPC_RUNNING) {
        atomic_store(&call->is_cancelled, true);
        return 0;
    }
    if (call->state == FL_GRPC_ARRIVING)
        atomic_fetch_add(&session->hooks.counters->codes[FL_GRPC_CANCELLED], 1);
    retire(session, call);
    return 0;
}

/* --- a session's life --- */

/* Closed streams are not kept: they serve priorities, which we do not have. */
static int start(fl_grpc_session *session)
{
    nghttp2_session_callbacks *to = NULL;
    nghttp2_option *option = NULL;
    int result = nghttp2_session_callbacks_new(&to);
    if (result == 0)
        result = nghttp2_option_new(&option);
    if (result == 0) {
        nghttp2_session_callbacks_set_on_begin_frame_callback(to, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(to, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(to, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(to, on_frame);
        nghttp2_session_callbacks_set_on_frame_send_callback(to, on_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(to, on_close);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_max_outbound_ack(option, MAX_OUTBOUND_ACKS);
        result = nghttp2_session_server_new2(&session->h2, to, session, option);
    }
    nghttp2_session_callbacks_del(to);
    nghttp2_option_del(option);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)session->hooks.max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, FL_GRPC_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)session->hooks.max_header_bytes},
    };
    if (result == 0)
        result = nghttp2_submit_settings(session->h2, NGHTTP2_FLAG_NONE, settings,
                                         sizeof(settings) / sizeof(settings[0]));
    if (result == 0)
        result = nghttp2_session_set_local_window_size(session->h2, NGHTTP2_FLAG_NONE, 0,
                                                       FL_GRPC_CONNECTION_WINDOW);
    return result;
}

/* Zero is "as usual"; a call's room in the budget holds no more than the usual head. */
static void set_limits(fl_grpc_hooks *hooks)
{
    if (hooks->max_streams == 0)
        hooks->max_streams = FL_GRPC_MAX_STREAMS;
    if (hooks->max_header_bytes == 0 || hooks->max_header_bytes > FL_GRPC_MAX_HEADER_BYTES)
        hooks->max_header_bytes = FL_GRPC_MAX_HEADER_BYTES;
}

fl_status fl_grpc_session_create(fl_grpc_session **out, const fl_grpc_hooks *hooks, int64_t now_ns,
                                 fl_error *err)
{
    assert(out != NULL && hooks != NULL && hooks->budget != NULL && hooks->counters != NULL);
    *out = NULL;
    fl_status status = fl_nghttp2_load(err);
    if (status != FL_OK)
        return status;
    fl_grpc_session *session = fl_mem_calloc(1, sizeof(*session));
    if (session == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a connection");
    session->hooks = *hooks;
    set_limits(&session->hooks);
    session->now_ns = session->created_ns = session->heard_ns = session->busy_ns = now_ns;
    session->patience_ns = now_ns;
    session->patience = MAX_PATIENCE;
    if (start(session) != 0) {
        fl_grpc_session_destroy(session);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a connection");
    }
    *out = session;
    return FL_OK;
}

void fl_grpc_session_destroy(fl_grpc_session *session)
{
    if (session == NULL)
        return;
    assert(session->running == 0);
    if (session->h2 != NULL)
        nghttp2_session_del(session->h2);
    while (session->calls != NULL) {
        fl_grpc_call *call = session->calls;
        call->stream_id = 0;
        retire(session, call);
    }
    free_closed(session);
    fl_mem_free(session);
}

fl_status fl_grpc_session_feed(fl_grpc_session *session, fl_slice bytes, int64_t now_ns,
                               fl_error *err)
{
    assert(session != NULL && now_ns >= session->now_ns);
    session->now_ns = session->heard_ns = now_ns;
    ssize_t taken = nghttp2_session_mem_recv(session->h2, bytes.ptr, bytes.len);
    free_closed(session);
    if (taken == NGHTTP2_ERR_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a connection");
    if (taken < 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "the client does not keep to HTTP/2: %s",
                       nghttp2_strerror((int)taken));
    return FL_OK;
}

/* Frames are made only when there is room for them, so that streams stay open, and count, until
 * their answers are really on the way. */
fl_status fl_grpc_session_output(fl_grpc_session *session, fl_buf *out, size_t most, fl_error *err)
{
    assert(session != NULL && out != NULL);
    while (out->len < most) {
        const uint8_t *bytes = NULL;
        ssize_t len = nghttp2_session_mem_send(session->h2, &bytes);
        free_closed(session);
        if (len < 0)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an answer");
        if (len == 0)
            return FL_OK;
        fl_buf_add(out, (fl_slice){.ptr = bytes, .len = (size_t)len});
        if (out->status != FL_OK)
            return fl_buf_check(out, "an answer", err);
    }
    return FL_OK;
}

/* Clients know by the GOAWAY's last stream which of their calls were not seen, and send those
 * elsewhere. */
void fl_grpc_session_stop(fl_grpc_session *session)
{
    if (session->is_stopping)
        return;
    session->is_stopping = true;
    (void)nghttp2_submit_goaway(session->h2, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(session->h2),
                                NGHTTP2_NO_ERROR, NULL, 0);
}

void fl_grpc_session_abandon(fl_grpc_session *session)
{
    for (fl_grpc_call *call = session->calls; call != NULL; call = call->next)
        atomic_store(&call->is_cancelled, true);
}

/* --- the clock --- */

/* When a message should be whole, by what has come of it. */
static int64_t message_due_ns(const fl_grpc_call *call)
{
    int64_t by_rate = (int64_t)(call->message.body.len / MIN_BYTES_PER_S) * SECOND_NS;
    int64_t due = call->begun_ns + MESSAGE_S * SECOND_NS + by_rate;
    return due < call->deadline_ns ? due : call->deadline_ns;
}

/* Its slot is worth more than the call: a client has only so many streams. */
static void end_late_calls(fl_grpc_session *session)
{
    for (fl_grpc_call *call = session->calls; call != NULL; call = call->next) {
        /* The client opens no window for its answer, or does not read. */
        if (call->state == FL_GRPC_ANSWERING &&
            session->now_ns - call->answered_ns >= ANSWER_S * SECOND_NS) {
            call->answered_ns = session->now_ns;
            (void)nghttp2_submit_rst_stream(session->h2, NGHTTP2_FLAG_NONE, call->stream_id,
                                            NGHTTP2_CANCEL);
        }
        if (call->state != FL_GRPC_ARRIVING || session->now_ns < message_due_ns(call))
            continue;
        fl_grpc_call_fail(call, FL_GRPC_DEADLINE_EXCEEDED,
                          "the call's message did not come in time");
        answer(session, call);
    }
}

/* A PING that is out is the only question: what else the connection did meanwhile is its answer. */
bool fl_grpc_session_tick(fl_grpc_session *session, int64_t now_ns)
{
    assert(session != NULL && now_ns >= session->now_ns);
    session->now_ns = now_ns;
    end_late_calls(session);
    if (!session->has_settings)
        return now_ns - session->created_ns < HELLO_S * SECOND_NS;
    if (session->pinged_ns != 0)
        return now_ns - session->pinged_ns < PING_S * SECOND_NS;
    if (session->call_count == 0 && now_ns - session->busy_ns >= IDLE_S * SECOND_NS)
        fl_grpc_session_stop(session);
    else if (now_ns - session->heard_ns >= QUIET_S * SECOND_NS &&
             nghttp2_submit_ping(session->h2, NGHTTP2_FLAG_NONE, NULL) == 0)
        session->pinged_ns = now_ns;
    return true;
}
