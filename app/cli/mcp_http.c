/*
 * mcp_http.c - "Streamable HTTP" of the Model Context Protocol, as far as a server needs it that
 * has nothing to stream: a message by POST, its answer as JSON; 202 where nobody is answered. GET,
 * which would ask for a stream, is 405 by the table of routes.
 *
 * MCP-Protocol-Version has to be one that is spoken, and of the stateless protocol the one of the
 * message itself. What is wrong with a message of that protocol has an HTTP status as well; the
 * clients of before take any status but 2xx for the end of the connection.
 */
#include "mcp_http.h"

#include <assert.h>

#include "slice.h"

static unsigned status_of(fl_mcp_outcome outcome)
{
    switch (outcome) {
    case FL_MCP_ANSWERED:
        return 200;
    case FL_MCP_SILENT:
        return 202;
    case FL_MCP_NO_METHOD:
        return 404;
    case FL_MCP_MALFORMED:
    case FL_MCP_BAD_VERSION:
        break;
    }
    return 400;
}

static void answer(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    const fl_mcp_tools *tools = context;
    const char *version = fl_http_header(request, "MCP-Protocol-Version");
    assert(tools != NULL);
    if (!fl_http_is_type(request, "application/json")) {
        fl_http_problem(reply, 415, "a message is application/json");
        return;
    }
    fl_buf said = fl_buf_of(FL_MCP_MAX_REPLY_BYTES);
    fl_mcp_outcome outcome =
        fl_mcp_handle_versioned(&tools->mcp, request->body, version != NULL ? version : "", &said);
    reply->status = status_of(outcome);
    if (said.len > 0)
        reply->content_type = "application/json";
    fl_buf_add(&reply->body, fl_buf_slice(&said));
    fl_buf_dispose(&said);
}

fl_http_route fl_mcp_http_route(fl_mcp_tools *tools)
{
    assert(tools != NULL);
    return (fl_http_route){.method = "POST",
                           .path = "/mcp",
                           .role = FL_ROLE_READ,
                           .max_body_bytes = FL_MCP_MAX_MESSAGE_BYTES,
                           .run = answer,
                           .context = tools};
}
