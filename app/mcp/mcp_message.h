/*
 * mcp_message.h - one message of JSON-RPC 2.0, as far as MCP goes into it.
 */
#ifndef FL_MCP_MESSAGE_H
#define FL_MCP_MESSAGE_H

#include <stdbool.h>

#include "arena.h"
#include "faultline/status.h"

/* jsonrpc.org/specification, 5.1 */
enum {
    FL_MCP_PARSE_ERROR = -32700,
    FL_MCP_INVALID_REQUEST = -32600,
    FL_MCP_METHOD_NOT_FOUND = -32601,
    FL_MCP_INVALID_PARAMS = -32602,
    FL_MCP_HEADER_MISMATCH = -32020, /* MCP's own, as the next one */
    FL_MCP_UNSUPPORTED_VERSION = -32022
};

/* Texts are decoded; those that start with `raw` are JSON as it came, and checked. Empty (ptr NULL)
 * where there is none. */
typedef struct fl_mcp_message {
    fl_slice raw_id; /* a string or a whole number */
    fl_slice method;
    bool has_params;
    bool is_response; /* to something that nobody asked */
    /* Of params */
    fl_slice name, protocol_version, raw_arguments;
    bool has_cursor;
    /* Of params._meta; its own version makes a request one of 2026-07-28 and later. */
    fl_slice meta_version;
    bool has_capabilities;
} fl_mcp_message;

/* 0, or the code of the error, with the sentence in `err`; raw_id is there where it could be read.
 */
int fl_mcp_message_read(fl_mcp_message *out, fl_slice text, fl_arena *arena, fl_error *err);

#endif
