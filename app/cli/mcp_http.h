/*
 * mcp_http.h - the tools of an assistant over HTTP: POST /mcp of the daemon.
 */
#ifndef FL_MCP_HTTP_H
#define FL_MCP_HTTP_H

#include "http.h"
#include "mcp_tools.h"

/* The route, which asks for the role "read". `tools` is borrowed for as long as it is served. */
fl_http_route fl_mcp_http_route(fl_mcp_tools *tools);

#endif
