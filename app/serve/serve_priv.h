/*
 * serve_priv.h - the daemon's parts, for the files that start, count and show them.
 */
#ifndef FL_SERVE_PRIV_H
#define FL_SERVE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "api.h"
#include "archive.h"
#include "disk.h"
#include "grpc.h"
#include "http.h"
#include "incidents.h"
#include "kafka.h"
#include "metrics.h"
#include "puller.h"
#include "receive.h"
#include "serve.h"
#include "tail.h"
#include "web.h"

typedef enum fl_serve_state {
    FL_SERVE_RECOVERING,
    FL_SERVE_READY,
    FL_SERVE_REFUSING, /* the disk takes nothing */
    FL_SERVE_STOPPING
} fl_serve_state;

enum { FL_SERVE_SENTENCE = 512 }; /* bytes of what is said at once */
enum { FL_SERVE_LISTENERS = FL_HTTP_MAX_LISTENERS + FL_GRPC_MAX_LISTENERS };

typedef struct fl_serve_listener {
    char address[64]; /* as it was asked for */
    unsigned port;
    bool is_grpc;
} fl_serve_listener;

/* Records a second, of the last whole period. */
typedef struct fl_serve_rates {
    int64_t since_ns; /* when the period that is under way began */
    uint64_t before[FL_RECEIVE_PROTOCOLS];
    _Atomic double per_s[FL_RECEIVE_PROTOCOLS];
} fl_serve_rates;

/* Parts stand in the order in which they are started; NULL before that. */
struct fl_serve {
    fl_serve_options options;
    int64_t started_ns;
    _Atomic int state; /* of fl_serve_state */
    fl_serve_listener listeners[FL_SERVE_LISTENERS];
    size_t listener_count;
    fl_disk *disk;
    fl_http *http;
    fl_tail *tail;
    fl_archive *_Atomic archive;     /* its figures are asked for while it is recovered */
    fl_incidents *_Atomic incidents; /* NULL also where their store cannot be reached */
    int64_t incidents_tried_ns;
    fl_api *_Atomic api;
    fl_web *web; /* NULL where there is no store */
    fl_receive *_Atomic receive;
    fl_grpc *_Atomic grpc;
    fl_kafka *_Atomic kafka; /* NULL, too, where it is not read */
    fl_serve_rates rates;
    pthread_mutex_t puller_lock; /* a reload brings another one, while figures are asked for */
    fl_puller *puller;           /* NULL also where nothing is to be pulled */
    uint64_t refused_before, batches_before; /* by the archive, at the last tick */
};

/* "recovering", "ready", "refusing", "stopping". */
const char *fl_serve_state_name(fl_serve_state state);

/* --- serve_routes.c: /healthz, /readyz, /metrics, /v1/status --- */
FL_NODISCARD fl_status fl_serve_add_routes(fl_serve *serve, fl_error *err);
/* --- serve_incidents.c --- */
/* A try where they are not there, now and then: a store that cannot be reached is no failure. */
void fl_serve_try_incidents(fl_serve *serve, int64_t now_ns);
/* A tap (receive.h) whose payload is the daemon. */
void fl_serve_tap_incidents(void *payload, const fl_archive_batch *batch);
void fl_serve_put_incidents(fl_metrics *m, fl_incidents *incidents);
/* --- serve_api.c: /v1, over the store of the incidents --- */
FL_NODISCARD fl_status fl_serve_start_api(fl_serve *serve, fl_error *err);
void fl_serve_put_api(fl_metrics *m, fl_api *api);
/* --- serve_metrics.c: all figures of all parts --- */
void fl_serve_metrics(fl_serve *serve, fl_buf *out);
/* From the owner's thread, about once a second. */
void fl_serve_count_rates(fl_serve *serve, int64_t now_ns);
/* --- serve_status.c: the document of `faultline status` --- */
FL_NODISCARD fl_status fl_serve_status(fl_serve *serve, fl_buf *out, fl_error *err);

#endif
