/*
 * mcp.h - a server of the Model Context Protocol as a function: a message goes in, an answer comes
 * out. What a tool does is the caller's.
 *
 * Two generations are spoken, told apart by each request (modelcontextprotocol.io/specification):
 *   2025-11-25 and before: "initialize", then requests without a version;
 *   2026-07-28: no handshake; every request says its version in params._meta, and
 *   "server/discover" tells what there is.
 * Nothing is remembered between two messages.
 *
 * What a tool answers comes from telemetry and from people, so somebody else may have written it,
 * also to whoever reads the answer here. It is never given bare: a sentence says what it is, and
 * each of its lines stands behind a mark that no line can end (mcp_text.h).
 */
#ifndef FL_MCP_H
#define FL_MCP_H

#include <stdbool.h>
#include <stdio.h>

#include "arena.h"
#include "buf.h"

enum {
    FL_MCP_MAX_MESSAGE_BYTES = 1 << 20, /* a service's document is the largest thing in one */
    FL_MCP_MAX_REPLY_BYTES = 1 << 20,
    FL_MCP_MAX_ANSWER_BYTES = 16 << 10, /* of a tool: about 4,000 tokens */
    FL_MCP_MAX_ARGUMENTS = 12,
    FL_MCP_MAX_VALUES = 64 /* of a list */
};

typedef enum fl_mcp_kind {
    FL_MCP_TEXT,
    FL_MCP_TEXTS, /* a list of them */
    FL_MCP_COUNT  /* a whole number from 1 */
} fl_mcp_kind;

typedef struct fl_mcp_argument {
    const char *name;
    fl_mcp_kind kind;
    bool required;
    unsigned most;    /* of a COUNT */
    const char *help; /* a sentence for the model */
} fl_mcp_argument;

typedef struct fl_mcp_tool {
    const char *name, *title;
    const char *description;
    fl_mcp_argument arguments[FL_MCP_MAX_ARGUMENTS]; /* ended by one without a name */
    bool writes;                                     /* only where that was allowed */
} fl_mcp_tool;

/* One argument as it was given: texts without NUL, counts as their digits. */
typedef struct fl_mcp_given {
    const fl_mcp_argument *argument;
    const char *values[FL_MCP_MAX_VALUES];
    size_t count;
} fl_mcp_given;

typedef struct fl_mcp_call {
    const fl_mcp_tool *tool;
    fl_mcp_given given[FL_MCP_MAX_ARGUMENTS];
    size_t given_count;
    fl_arena *arena; /* of the message */
    /* To be filled. */
    fl_buf text;     /* what the tool found: anybody's words */
    fl_buf again;    /* how to see it again: our own words */
    bool has_failed; /* `text` says why */
} fl_mcp_call;

/* NULL where it was not given. */
const fl_mcp_given *fl_mcp_given_of(const fl_mcp_call *call, const char *name);

typedef struct fl_mcp {
    const fl_mcp_tool *tools;
    size_t tool_count;
    bool allows_writing;
    const char *version; /* of this program */
    size_t max_answer_bytes;
    void (*run)(void *payload, fl_mcp_call *call);
    void *payload;
} fl_mcp;

/* What became of a message, for transports that have a word for it. */
typedef enum fl_mcp_outcome {
    FL_MCP_ANSWERED,
    FL_MCP_SILENT, /* a notification, or an answer to what was never asked */
    FL_MCP_MALFORMED,
    FL_MCP_BAD_VERSION,
    FL_MCP_NO_METHOD
} fl_mcp_outcome;

/* `reply` comes empty and becomes one JSON text without a newline; empty where nobody is answered.
 * Every failure is an answer. */
fl_mcp_outcome fl_mcp_handle(const fl_mcp *mcp, fl_slice message, fl_buf *reply);

/* The same of a transport that says the version beside the message (MCP-Protocol-Version; "" where
 * it does not): it has to be one that is spoken, and of a stateless request its own. */
fl_mcp_outcome fl_mcp_handle_versioned(const fl_mcp *mcp, fl_slice message, const char *version,
                                       fl_buf *reply);

/* Messages are lines of `in`, answers lines of `out`, until `in` ends. A line that is too long is
 * answered as such and passed over. FL_E_IO, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_mcp_serve_lines(const fl_mcp *mcp, int in, FILE *out, fl_error *err);

#endif
