/*
 * mcp_tools.h - the commands as tools of an assistant (mcp.h).
 */
#ifndef FL_MCP_TOOLS_H
#define FL_MCP_TOOLS_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli.h"
#include "mcp.h"

enum { FL_MCP_MAX_TOOLS = 16, FL_MCP_MAX_ROOTS = 16 };

typedef struct fl_mcp_tools_options {
    const char *store;        /* NULL: the default one */
    const char *const *roots; /* folders from which tools may read files; none: no such tools */
    size_t root_count;
    bool allows_writing;
} fl_mcp_tools_options;

typedef struct fl_mcp_tools {
    fl_mcp mcp;
    fl_mcp_tool offered[FL_MCP_MAX_TOOLS];
    fl_arena arena;
    const char *roots[FL_MCP_MAX_ROOTS]; /* absolute, without links */
    size_t root_count;
    char store[4096];     /* empty: the default one */
    pthread_mutex_t lock; /* one tool at a time: each may take much memory */
    atomic_uint waiting;  /* for the lock, or with it */
} fl_mcp_tools;

/* FL_E_NOTFOUND for a root that is no folder. The caller disposes of *out, also after a failure. */
FL_NODISCARD fl_status fl_mcp_tools_init(fl_mcp_tools *out, const fl_mcp_tools_options *options,
                                         fl_error *err);
void fl_mcp_tools_dispose(fl_mcp_tools *tools);

#endif
