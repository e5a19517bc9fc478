/*
 * grpc_wire.h - what gRPC puts on top of HTTP/2, as functions of bytes
 * (github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 *
 *   message := flag (0 plain, 1 compressed) length (4 bytes, big-endian) bytes
 *   timeout := 1 to 8 digits, then one of H M S m u n
 *   status  := headers grpc-status (decimal), grpc-message (percent-encoded),
 *              grpc-status-details-bin (base64 of a google.rpc.Status)
 *
 * A unary call has one message in each direction.
 */
#ifndef FL_GRPC_WIRE_H
#define FL_GRPC_WIRE_H

#include <stdbool.h>

#include "buf.h"

/* The codes that are used, by their numbers on the wire. */
typedef enum fl_grpc_code {
    FL_GRPC_OK = 0,
    FL_GRPC_CANCELLED = 1,
    FL_GRPC_UNKNOWN = 2,
    FL_GRPC_INVALID_ARGUMENT = 3,
    FL_GRPC_DEADLINE_EXCEEDED = 4,
    FL_GRPC_NOT_FOUND = 5,
    FL_GRPC_PERMISSION_DENIED = 7,
    FL_GRPC_RESOURCE_EXHAUSTED = 8,
    FL_GRPC_UNIMPLEMENTED = 12,
    FL_GRPC_INTERNAL = 13,
    FL_GRPC_UNAVAILABLE = 14,
    FL_GRPC_UNAUTHENTICATED = 16
} fl_grpc_code;
#define FL_GRPC_CODES 17

enum { FL_GRPC_PREFIX_BYTES = 5, FL_GRPC_TEXT_BYTES = 1024 };

/* "resource_exhausted" and the like; the label of a metric. */
const char *fl_grpc_code_name(fl_grpc_code code);

/* A message as it arrives. `body` is what follows the prefix, still compressed. */
typedef struct fl_grpc_message {
    unsigned char prefix[FL_GRPC_PREFIX_BYTES];
    size_t prefix_len;
    uint32_t announced_bytes;
    bool is_packed;
    fl_buf body;
} fl_grpc_message;

/* The ceiling is for one message as it is sent. */
fl_grpc_message fl_grpc_message_of(size_t max_bytes);
void fl_grpc_message_dispose(fl_grpc_message *message);
/* The next bytes of a call. FL_E_SYNTAX on a flag that is none and on a second message, FL_E_LIMIT
 * by the announced length, before room is made for it; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_grpc_message_add(fl_grpc_message *message, fl_slice bytes, fl_error *err);
/* FL_E_TRUNCATED where the call ended before its message did, or without one. */
FL_NODISCARD fl_status fl_grpc_message_end(const fl_grpc_message *message, fl_error *err);

/* The time that a grpc-timeout header allows; saturates. FL_E_SYNTAX. */
FL_NODISCARD fl_status fl_grpc_timeout_read(int64_t *timeout_ns, fl_slice text, fl_error *err);

/* As grpc-message wants it: printable ASCII but '%' as it is. Cut to FL_GRPC_TEXT_BYTES. */
void fl_grpc_percent(fl_buf *out, fl_slice text);

/* What a handler's HTTP status means to a gRPC client: the sender's mistakes are not retried,
 * what passes is. */
fl_grpc_code fl_grpc_code_of_http(unsigned status);

/* The message of a google.rpc.Status (field 2); empty where there is none. */
fl_slice fl_grpc_status_message(fl_slice status);

/* grpc-status-details-bin: base64, without padding, of a google.rpc.Status that holds the code, the
 * message and a google.rpc.RetryInfo. A sender may retry RESOURCE_EXHAUSTED only where this stands.
 */
void fl_grpc_retry_details(fl_buf *out, fl_grpc_code code, fl_slice text, unsigned retry_after_s);

#endif
