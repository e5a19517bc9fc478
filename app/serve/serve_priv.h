/*
 * serve_priv.h - the daemon's parts, for the files that start, count and show them.
 */
#ifndef FL_SERVE_PRIV_H
#define FL_SERVE_PRIV_H

#include <stdatomic.h>

#include "archive.h"
#include "disk.h"
#include "receive.h"
#include "serve.h"

typedef enum fl_serve_state {
    FL_SERVE_RECOVERING,
    FL_SERVE_READY,
    FL_SERVE_REFUSING, /* the disk takes nothing */
    FL_SERVE_STOPPING
} fl_serve_state;

typedef struct fl_serve_address {
    const char *text; /* as it was asked for */
    unsigned port;    /* 0: not listened on */
} fl_serve_address;

struct fl_serve {
    fl_serve_options options;
    int64_t started_ns;
    _Atomic int state; /* of fl_serve_state */
    fl_serve_address addresses[FL_SERVE_MAX_LISTEN];
    size_t address_count;
    fl_disk *disk;
    fl_http *http;
    fl_archive *archive;
    fl_receive *receive;
};

/* "recovering", "ready", "refusing", "stopping". */
const char *fl_serve_state_name(fl_serve_state state);

/* --- serve_routes.c: /healthz, /readyz, /metrics, /v1/status --- */
FL_NODISCARD fl_status fl_serve_add_routes(fl_serve *serve, fl_error *err);
/* --- serve_metrics.c: all figures of all parts --- */
void fl_serve_metrics(fl_serve *serve, fl_buf *out);
/* --- serve_status.c: the document of `faultline status` --- */
FL_NODISCARD fl_status fl_serve_status(fl_serve *serve, fl_buf *out, fl_error *err);

#endif
