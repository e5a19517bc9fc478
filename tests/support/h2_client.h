/*
 * h2_client.h - a gRPC client by libnghttp2 without sockets: bytes in, bytes out, what was
 * answered.
 */
#ifndef H2_CLIENT_H
#define H2_CLIENT_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "slice.h"

enum { H2_CALLS = 512, H2_EXTRA = 8 };

typedef struct h2_call {
    int32_t stream_id;
    fl_slice message; /* with its prefix; borrowed */
    size_t sent;
    bool never_ends; /* after the message the stream stays open */
    char http_status[8], grpc_status[8], grpc_message[1024], details[2048], accepts[64];
    fl_buf body;
    bool is_closed;
    uint32_t error; /* of the close */
} h2_call;

typedef struct h2_client {
    nghttp2_session *h2;
    fl_buf out;
    h2_call calls[H2_CALLS];
    size_t count;
    bool has_goaway;
    uint32_t goaway;
    unsigned pings; /* asked by the server */
} h2_client;

static inline h2_call *h2_find(h2_client *client, int32_t stream_id)
{
    for (size_t i = 0; i < client->count; i++)
        if (client->calls[i].stream_id == stream_id)
            return &client->calls[i];
    return NULL;
}

static inline ssize_t h2_read(nghttp2_session *h2, int32_t stream_id, uint8_t *to, size_t cap,
                              uint32_t *flags, nghttp2_data_source *source, void *payload)
{
    (void)h2, (void)source;
    h2_call *call = h2_find(payload, stream_id);
    size_t part = call->message.len - call->sent;
    if (part > cap)
        part = cap;
    if (part == 0 && call->never_ends)
        return NGHTTP2_ERR_DEFERRED;
    if (part > 0)
        memcpy(to, call->message.ptr + call->sent, part);
    call->sent += part;
    if (call->sent == call->message.len && !call->never_ends)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

static inline void h2_copy(char *out, size_t cap, const uint8_t *value, size_t len)
{
    if (len >= cap)
        len = cap - 1;
    memcpy(out, value, len);
    out[len] = '\0';
}

static inline int h2_on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                               size_t name_len, const uint8_t *value, size_t len, uint8_t flags,
                               void *payload)
{
    (void)h2, (void)flags;
    h2_call *call = h2_find(payload, frame->hd.stream_id);
    const struct {
        const char *name;
        char *to;
        size_t cap;
    } fields[] = {{":status", call->http_status, sizeof(call->http_status)},
                  {"grpc-status", call->grpc_status, sizeof(call->grpc_status)},
                  {"grpc-message", call->grpc_message, sizeof(call->grpc_message)},
                  {"grpc-status-details-bin", call->details, sizeof(call->details)},
                  {"grpc-accept-encoding", call->accepts, sizeof(call->accepts)}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strlen(fields[i].name) == name_len && memcmp(fields[i].name, name, name_len) == 0)
            h2_copy(fields[i].to, fields[i].cap, value, len);
    return 0;
}

static inline int h2_on_data(nghttp2_session *h2, uint8_t flags, int32_t stream_id,
                             const uint8_t *bytes, size_t len, void *payload)
{
    (void)h2, (void)flags;
    fl_buf_add(&h2_find(payload, stream_id)->body, (fl_slice){.ptr = bytes, .len = len});
    return 0;
}

static inline int h2_on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *payload)
{
    (void)h2;
    h2_client *client = payload;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->has_goaway = true;
        client->goaway = frame->goaway.error_code;
    }
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
        client->pings++;
    return 0;
}

static inline int h2_on_close(nghttp2_session *h2, int32_t stream_id, uint32_t error, void *payload)
{
    (void)h2;
    h2_call *call = h2_find(payload, stream_id);
    call->is_closed = true;
    call->error = error;
    return 0;
}

static inline h2_client *h2_create_with(const nghttp2_settings_entry *settings, size_t count)
{
    h2_client *client = calloc(1, sizeof(*client));
    nghttp2_session_callbacks *to;
    nghttp2_option *option;
    if (client == NULL || nghttp2_session_callbacks_new(&to) != 0 ||
        nghttp2_option_new(&option) != 0)
        abort();
    /* Until the server says how many streams it takes: a client that does not ask. */
    nghttp2_option_set_peer_max_concurrent_streams(option, UINT16_MAX);
    client->out = fl_buf_of((size_t)1 << 30);
    nghttp2_session_callbacks_set_on_header_callback(to, h2_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, h2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(to, h2_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(to, h2_on_close);
    if (nghttp2_session_client_new2(&client->h2, to, client, option) != 0 ||
        nghttp2_submit_settings(client->h2, NGHTTP2_FLAG_NONE, settings, count) != 0)
        abort();
    nghttp2_session_callbacks_del(to);
    nghttp2_option_del(option);
    return client;
}

static inline h2_client *h2_create(void)
{
    return h2_create_with(NULL, 0);
}

static inline void h2_destroy(h2_client *client)
{
    nghttp2_session_del(client->h2);
    for (size_t i = 0; i < client->count; i++)
        fl_buf_dispose(&client->calls[i].body);
    fl_buf_dispose(&client->out);
    free(client);
}

typedef struct h2_ask {
    const char *path, *method, *type; /* NULL: POST, application/grpc */
    fl_slice message;                 /* with its prefix */
    bool never_ends, has_no_data;
    const char *extra[2 * H2_EXTRA]; /* names and values, ended by NULL */
} h2_ask;

static inline nghttp2_nv h2_nv(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .namelen = strlen(name),
                        .value = (uint8_t *)(uintptr_t)value,
                        .valuelen = strlen(value)};
}

static inline h2_call *h2_call_of(h2_client *client, const h2_ask *ask)
{
    nghttp2_nv head[8 + H2_EXTRA];
    size_t count = 0;
    head[count++] = h2_nv(":method", ask->method != NULL ? ask->method : "POST");
    head[count++] = h2_nv(":scheme", "http");
    head[count++] = h2_nv(":authority", "localhost");
    head[count++] = h2_nv(":path", ask->path);
    head[count++] = h2_nv("content-type", ask->type != NULL ? ask->type : "application/grpc");
    head[count++] = h2_nv("te", "trailers");
    for (size_t i = 0; i < H2_EXTRA && ask->extra[2 * i] != NULL; i++)
        head[count++] = h2_nv(ask->extra[2 * i], ask->extra[2 * i + 1]);
    if (client->count == H2_CALLS)
        abort();
    h2_call *call = &client->calls[client->count++];
    call->message = ask->message;
    call->never_ends = ask->never_ends;
    call->body = fl_buf_of((size_t)1 << 30);
    nghttp2_data_provider data = {.read_callback = h2_read};
    call->stream_id = nghttp2_submit_request(client->h2, NULL, head, count,
                                             ask->has_no_data ? NULL : &data, NULL);
    if (call->stream_id < 0)
        abort();
    return call;
}

/* What the client has to say now is appended to client->out. */
static inline void h2_flush(h2_client *client)
{
    const uint8_t *bytes;
    for (ssize_t len; (len = nghttp2_session_mem_send(client->h2, &bytes)) != 0;) {
        if (len < 0)
            abort();
        fl_buf_add(&client->out, (fl_slice){.ptr = bytes, .len = (size_t)len});
    }
}

/* False where the server does not keep to HTTP/2. */
static inline bool h2_take(h2_client *client, fl_slice bytes)
{
    return nghttp2_session_mem_recv(client->h2, bytes.ptr, bytes.len) == (ssize_t)bytes.len;
}

/* A message with its prefix; freed by the caller. */
static inline unsigned char *h2_message(fl_slice bytes, bool is_packed)
{
    unsigned char *out = malloc(bytes.len + 5);
    if (out == NULL)
        abort();
    out[0] = is_packed;
    for (unsigned i = 0; i < 4; i++)
        out[1 + i] = (unsigned char)(bytes.len >> (24 - 8 * i));
    if (bytes.len > 0)
        memcpy(out + 5, bytes.ptr, bytes.len);
    return out;
}

#endif
