/*
 * web_priv.h - what the pages share.
 *
 * A handler borrows a store, reads all that its page shows, gives the store back and only then
 * writes: a slow page holds no connection.
 */
#ifndef FL_WEB_PRIV_H
#define FL_WEB_PRIV_H

#include <jansson.h>

#include "arena.h"
#include "faultline/picture.h"
#include "graph_view.h"
#include "html.h"
#include "memory.h"
#include "store_pool.h"
#include "web.h"

enum {
    WEB_STORES = 4,      /* connections that are open at once: pages are read by few people */
    WEB_BUILD_TEXT = 17, /* 16 digits of what the static files are */
    WEB_AGE_TEXT = 32,
    WEB_MAX_PAGE = 32 << 20
};

/* A file that pages ask for, as it is sent with and without compression. */
typedef struct web_file {
    const char *name, *type;
    fl_slice bytes;
    fl_buf packed;
} web_file;

enum { WEB_FILES = 6 };
/* Where links lead to. */
enum {
    WEB_PROMETHEUS,
    WEB_JAEGER,
    WEB_GRAFANA,
    WEB_GRAFANA_PROMETHEUS,
    WEB_GRAFANA_LOKI,
    WEB_GRAFANA_TEMPO,
    WEB_LINK_COUNT
};

struct fl_web {
    fl_web_options options;
    char *links[WEB_LINK_COUNT]; /* NULL: no links there */
    fl_store_pool *stores;
    web_file files[WEB_FILES];
    char build[WEB_BUILD_TEXT];
};

int64_t web_now(const fl_web *web);

/* --- web.c: stores and answers --- */
FL_NODISCARD fl_status web_borrow(fl_store **out, fl_web *web, fl_error *err);
/* `status` of what was asked of it: a connection that failed may never work again. */
void web_return(fl_web *web, fl_store *store, fl_status status);
/* The page becomes the reply: policy, tag, compression. Disposes of `page`. */
void web_send(fl_http_reply *reply, const fl_http_request *request, fl_buf *page);
/* What a failure of the store is to a browser: only one that may pass is asked for again. */
unsigned web_code_of(fl_status status);
/* True: the path or a parameter is no UTF-8, which no store takes, and `reply` says so. */
bool web_refuse(fl_web *web, const fl_http_request *request, fl_http_reply *reply);
/* A page that says what is the matter, with that status. */
void web_complain(fl_web *web, const fl_http_request *request, fl_http_reply *reply,
                  unsigned status, const char *sentence);

/* --- web_static.c --- */
FL_NODISCARD fl_status web_static_load(fl_web *web, fl_error *err);
void web_static_dispose(fl_web *web);
void web_static(void *context, const fl_http_request *request, fl_http_reply *reply);

/* --- web_frame.c: what stands around every page, and words that pages share --- */
typedef struct web_frame {
    const char *title;
    const char *here;   /* path of the page's place in the navigation; NULL: none */
    const char *script; /* a static file; NULL: that of every page alone */
    bool is_live;       /* the script asks for the page again when something changed */
    bool is_retried;    /* a refusal: by the script, or the browser itself, after some seconds */
} web_frame;
void web_begin(fl_buf *out, const fl_web *web, const web_frame *frame);
void web_end(fl_buf *out);
/* <time>: seconds, of the day in UTC. Nothing where it is 0. */
void web_time(fl_buf *out, int64_t at_ns);
/* "5 min" */
const char *web_age(char out[WEB_AGE_TEXT], int64_t age_ns);
/* A bar as SVG, and the number beside it, which says the same. */
void web_probability(fl_buf *out, double ratio);
/* A query or command to be run again, with its button. */
void web_query(fl_buf *out, const char *query);

/* --- the pages --- */
void web_list(void *context, const fl_http_request *request, fl_http_reply *reply);
void web_graph(void *context, const fl_http_request *request, fl_http_reply *reply);
void web_incident(void *context, const fl_http_request *request, fl_http_reply *reply);

/* All that one incident's page shows; it lives in `arena`, but `live`, which is the page's own. */
typedef struct web_case {
    const fl_web *web;
    const fl_incident *incident;
    const fl_picture *picture; /* NULL: none is kept */
    json_t *live;              /* of a daemon's incident; NULL: none */
    const fl_memory *memory;
    const char *memory_failed; /* the sentence; NULL: it did not */
    int64_t now_ns;
} web_case;
/* --- web_verdict.c, web_hypotheses.c, web_context.c --- */
void web_put_verdict(fl_buf *out, const web_case *of);
void web_put_hypotheses(fl_buf *out, const web_case *of);
void web_put_memory(fl_buf *out, const web_case *of);
/* A mean with its interval and what it rests on. */
void web_put_belief(fl_buf *out, const fl_confidence *c, size_t items);
void web_put_paths(fl_buf *out, const fl_memory *memory);
/* --- web_graph.c, web_node.c --- */
typedef struct web_node {
    fl_graph_node_view view;
    fl_graph_around around;
    fl_memory memory; /* of a symptom */
    bool has_memory;
    int64_t now_ns;
} web_node;
/* Words where there are some. */
const char *web_node_name(const fl_graph_node *node);
void web_node_link(fl_buf *out, const fl_graph_node *node);
void web_put_node(fl_buf *out, const web_node *of);
/* --- web_links.c: each nothing where no such tool is configured --- */
typedef enum web_link_kind { WEB_LINK_METRICS, WEB_LINK_LOGS, WEB_LINK_TRACES } web_link_kind;
void web_put_grafana(fl_buf *out, const fl_web *web, web_link_kind kind, const char *query,
                     fl_range shown);
void web_put_evidence_links(fl_buf *out, const web_case *of, const char *service,
                            const fl_evidence *e);
void web_put_lane_link(fl_buf *out, const web_case *of, const fl_lane *lane);
/* --- web_timeline.c --- */
void web_put_timeline(fl_buf *out, const web_case *of);
void web_put_events(fl_buf *out, const fl_picture *picture);
/* --- web_calls.c --- */
void web_put_calls(fl_buf *out, const web_case *of);
/* --- web_flame.c --- */
void web_put_flames(fl_buf *out, const web_case *of);
/* --- web_context.c --- */
void web_put_findings(fl_buf *out, const web_case *of);
void web_put_context(fl_buf *out, const web_case *of);

#endif
