/*
 * grpc_wire.c - message framing, timeouts, statuses.
 *
 * Invariants: (1) body.len <= announced_bytes <= body.max_bytes, so that no sender makes us hold
 * more than it announced and we allow; (2) body is empty until the prefix is whole.
 */
#include "grpc_wire.h"

#include <assert.h>

#include "proto.h"
#include "slice.h"

static const char *const code_names[FL_GRPC_CODES] = {
    [0] = "ok",
    [1] = "cancelled",
    [2] = "unknown",
    [3] = "invalid_argument",
    [4] = "deadline_exceeded",
    [5] = "not_found",
    [6] = "already_exists",
    [7] = "permission_denied",
    [8] = "resource_exhausted",
    [9] = "failed_precondition",
    [10] = "aborted",
    [11] = "out_of_range",
    [12] = "unimplemented",
    [13] = "internal",
    [14] = "unavailable",
    [15] = "data_loss",
    [16] = "unauthenticated",
};

const char *fl_grpc_code_name(fl_grpc_code code)
{
    assert((unsigned)code < FL_GRPC_CODES);
    return code_names[code];
}

/* --- messages --- */

fl_grpc_message fl_grpc_message_of(size_t max_bytes)
{
    assert(max_bytes <= UINT32_MAX);
    return (fl_grpc_message){.body = fl_buf_of(max_bytes)};
}

void fl_grpc_message_dispose(fl_grpc_message *message)
{
    assert(message != NULL);
    fl_buf_dispose(&message->body);
    message->prefix_len = 0;
    message->announced_bytes = 0;
}

/* The length is refused before a byte of the message is kept: it is the sender's word, and nothing
 * is reserved on it. */
static fl_status read_prefix(fl_grpc_message *message, fl_error *err)
{
    assert(message->prefix_len == FL_GRPC_PREFIX_BYTES && message->body.len == 0);
    const unsigned char *p = message->prefix;
    if (p[0] > 1)
        return fl_fail(err, FL_E_SYNTAX, 0, "a message begins with flag %u, which is none", p[0]);
    uint32_t len =
        (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | (uint32_t)p[4];
    if (len > message->body.max_bytes)
        return fl_fail(err, FL_E_LIMIT, 0, "a message of %u bytes is larger than %zu", len,
                       message->body.max_bytes);
    message->is_packed = p[0] == 1;
    message->announced_bytes = len;
    return FL_OK;
}

/* DATA frames cut a message anywhere, also in its prefix. */
fl_status fl_grpc_message_add(fl_grpc_message *message, fl_slice bytes, fl_error *err)
{
    assert(message != NULL);
    size_t at = 0;
    if (message->prefix_len < FL_GRPC_PREFIX_BYTES) {
        while (at < bytes.len && message->prefix_len < FL_GRPC_PREFIX_BYTES)
            message->prefix[message->prefix_len++] = bytes.ptr[at++];
        if (message->prefix_len < FL_GRPC_PREFIX_BYTES)
            return FL_OK;
        fl_status status = read_prefix(message, err);
        if (status != FL_OK)
            return status;
    }
    size_t rest = message->announced_bytes - message->body.len;
    if (bytes.len - at > rest)
        return fl_fail(err, FL_E_SYNTAX, FL_GRPC_PREFIX_BYTES + (uint64_t)message->announced_bytes,
                       "there are bytes behind the one message of a unary call");
    fl_buf_add(&message->body, fl_slice_part(bytes, at, bytes.len));
    return fl_buf_check(&message->body, "a message", err);
}

fl_status fl_grpc_message_end(const fl_grpc_message *message, fl_error *err)
{
    assert(message != NULL);
    if (message->prefix_len == 0)
        return fl_fail(err, FL_E_TRUNCATED, 0, "the call has no message");
    if (message->prefix_len < FL_GRPC_PREFIX_BYTES)
        return fl_fail(err, FL_E_TRUNCATED, message->prefix_len,
                       "the call ends in its message's prefix");
    if (message->body.len < message->announced_bytes)
        return fl_fail(err, FL_E_TRUNCATED, FL_GRPC_PREFIX_BYTES + (uint64_t)message->body.len,
                       "the call ends after %zu of %u bytes of its message", message->body.len,
                       message->announced_bytes);
    return FL_OK;
}

/* --- headers --- */

/* Nanoseconds of a unit; 0 where the letter is none. */
static int64_t unit_ns(unsigned char letter)
{
    switch (letter) {
    case 'H':
        return INT64_C(3600000000000);
    case 'M':
        return INT64_C(60000000000);
    case 'S':
        return INT64_C(1000000000);
    case 'm':
        return 1000000;
    case 'u':
        return 1000;
    case 'n':
        return 1;
    default:
        return 0;
    }
}

/* Eight digits of hours are beyond 64 bits of nanoseconds: that is for ever. */
fl_status fl_grpc_timeout_read(int64_t *timeout_ns, fl_slice text, fl_error *err)
{
    enum { MOST_DIGITS = 8 };
    assert(timeout_ns != NULL);
    size_t digits = 0;
    int64_t value = 0;
    while (digits < text.len && digits < MOST_DIGITS && text.ptr[digits] >= '0' &&
           text.ptr[digits] <= '9')
        value = value * 10 + (text.ptr[digits++] - '0');
    int64_t unit = digits + 1 == text.len ? unit_ns(text.ptr[digits]) : 0;
    if (digits == 0 || unit == 0)
        return fl_fail(err, FL_E_SYNTAX, digits,
                       "grpc-timeout is not 1 to 8 digits and one of H M S m u n");
    *timeout_ns = value > INT64_MAX / unit ? INT64_MAX : value * unit;
    return FL_OK;
}

/* What is not ASCII is encoded byte by byte; the reader puts its UTF-8 together again. */
void fl_grpc_percent(fl_buf *out, fl_slice text)
{
    assert(out != NULL);
    for (size_t i = 0; i < text.len && i < FL_GRPC_TEXT_BYTES; i++) {
        unsigned char c = text.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '%')
            fl_buf_char(out, (char)c);
        else
            fl_buf_printf(out, "%%%02X", c);
    }
}

/* Where HTTP says no more than "bad request" or "unavailable", what OTLP says of retrying decides:
 * opentelemetry.io/docs/specs/otlp, "Failures" and "OTLP/gRPC Throttling". */
fl_grpc_code fl_grpc_code_of_http(unsigned status)
{
    switch (status) {
    case 401:
        return FL_GRPC_UNAUTHENTICATED;
    case 403:
        return FL_GRPC_PERMISSION_DENIED;
    case 404:
    case 405:
    case 415:
    case 501:
        return FL_GRPC_UNIMPLEMENTED;
    case 413:
    case 429:
        return FL_GRPC_RESOURCE_EXHAUSTED;
    case 408:
    case 504:
        return FL_GRPC_DEADLINE_EXCEEDED;
    case 502:
    case 503:
        return FL_GRPC_UNAVAILABLE;
    default:
        break;
    }
    if (status >= 200 && status < 300)
        return FL_GRPC_OK;
    return status >= 400 && status < 500 ? FL_GRPC_INVALID_ARGUMENT : FL_GRPC_INTERNAL;
}

fl_slice fl_grpc_status_message(fl_slice status)
{
    enum { MESSAGE = 2 };
    fl_slice message = {0};
    fl_proto in = fl_proto_over(status);
    while (fl_proto_next(&in))
        if (in.field == MESSAGE)
            message = fl_proto_bytes(&in);
    return fl_proto_ok(&in) ? message : (fl_slice){0};
}

/* --- google.rpc.Status --- */

/* The protobuf wire format of proto.h, written. */
static void put_varint(fl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        fl_buf_char(out, (char)(0x80 | (value & 0x7f)));
    fl_buf_char(out, (char)value);
}

static void put_field(fl_buf *out, unsigned field, fl_slice bytes)
{
    assert(field > 0);
    put_varint(out, (uint64_t)field << 3 | FL_PROTO_BYTES);
    put_varint(out, bytes.len);
    fl_buf_add(out, bytes);
}

/* RFC 4648, 4. Padding may be left out in headers that end in -bin, and is. */
static void put_base64(fl_buf *out, fl_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t word = (uint32_t)bytes.ptr[i] << 16 |
                        (left > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0) |
                        (left > 2 ? (uint32_t)bytes.ptr[i + 2] : 0);
        for (size_t digit = 0; digit < 4 && digit <= left; digit++)
            fl_buf_char(out, digits[word >> (18 - 6 * digit) & 0x3f]);
    }
}

/* From the inside out, as every length stands before what it counts:
 *   Status {1: code, 2: message, 3: Any {1: type URL, 2: RetryInfo {1: Duration {1: seconds}}}}
 * (github.com/googleapis/googleapis, google/rpc/status.proto and error_details.proto). */
void fl_grpc_retry_details(fl_buf *out, fl_grpc_code code, fl_slice text, unsigned retry_after_s)
{
    enum { CODE = 1, MESSAGE, DETAILS, TYPE_URL = 1, VALUE, DELAY = 1, SECONDS = 1 };
    assert(out != NULL && (unsigned)code < FL_GRPC_CODES);
    if (text.len > FL_GRPC_TEXT_BYTES)
        text.len = FL_GRPC_TEXT_BYTES;
    fl_buf duration = fl_buf_of(32), info = fl_buf_of(64), any = fl_buf_of(256);
    fl_buf status = fl_buf_of(FL_GRPC_TEXT_BYTES + 512);
    put_varint(&duration, (uint64_t)SECONDS << 3 | FL_PROTO_VARINT);
    put_varint(&duration, retry_after_s);
    put_field(&info, DELAY, fl_buf_slice(&duration));
    put_field(&any, TYPE_URL, FL_SLICE("type.googleapis.com/google.rpc.RetryInfo"));
    put_field(&any, VALUE, fl_buf_slice(&info));
    put_varint(&status, (uint64_t)CODE << 3 | FL_PROTO_VARINT);
    put_varint(&status, (uint64_t)code);
    put_field(&status, MESSAGE, text);
    put_field(&status, DETAILS, fl_buf_slice(&any));
    /* Half a status would be worse than none: it is a hint only. */
    if (duration.status == FL_OK && info.status == FL_OK && any.status == FL_OK &&
        status.status == FL_OK)
        put_base64(out, fl_buf_slice(&status));
    fl_buf_dispose(&duration);
    fl_buf_dispose(&info);
    fl_buf_dispose(&any);
    fl_buf_dispose(&status);
}
