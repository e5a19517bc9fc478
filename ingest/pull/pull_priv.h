/*
 * pull_priv.h - between the queue, one transfer, and the rules of trying again.
 */
#ifndef FL_PULL_PRIV_H
#define FL_PULL_PRIV_H

#include "fetch.h"
#include "pull.h"
#include "slice.h"

/* ---- the rules (pull_rules.c): numbers in, numbers out ---- */

/* Half of the pause is fixed, half random, so that many askers of one server drift apart. */
typedef struct fl_pull_pause {
    int64_t first_ns, max_ns;
} fl_pull_pause;
/* After `tries` tries, at least `asked_ns`, what the server asks for. Below 0: it asks for more
 * than max_ns. `random` is the generator's state. */
int64_t fl_pull_pause_ns(const fl_pull_pause *rule, unsigned tries, int64_t asked_ns,
                         uint64_t *random);

/* Circuit breaker of one source (Nygard, Release It!, 2007). */
typedef struct fl_pull_breaker {
    unsigned limit;   /* failures in a row that open it */
    int64_t first_ns; /* how long it stays open at first */
    unsigned failures, openings;
    int64_t until_ns; /* open until then, monotonic */
    fl_pull_state state;
    bool is_probing;
} fl_pull_breaker;

/* Whether a request may go now; *wait tells one that may not to stay in the queue, as a probe is on
 * its way, and not to fail. */
bool fl_pull_breaker_permits(fl_pull_breaker *breaker, int64_t now_ns, bool *wait);
void fl_pull_breaker_sent(fl_pull_breaker *breaker);
void fl_pull_breaker_learn(fl_pull_breaker *breaker, bool failed, int64_t now_ns);

/* What becomes of a URL that redirects: the same host and port, or from http to the same host's
 * https. Both are whole URLs. FL_E_UNSUPPORTED, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_pull_may_follow(const char *from, const char *to, fl_error *err);

/* ---- one request (pull_transfer.c) ---- */

/* Why a callback ended a transfer: curl itself only says that one did. */
typedef enum pull_end { PULL_NOT_ENDED, PULL_TOO_LARGE, PULL_NO_MEMORY } pull_end;

typedef struct pull_get {
    struct pull_get *next; /* in its source's queue */
    fl_pull_source *source;
    fl_pull_done *done;
    void *payload;
    void *easy;    /* CURL; NULL while it waits */
    void *headers; /* curl_slist; NULL: none of our own */
    char *url;     /* the whole of it; after a redirect the new one */
    fl_buf wire;
    pull_end ended;
    unsigned tries, redirects;
    int64_t due_ns;  /* monotonic: not before */
    int64_t sent_ns; /* of the last try */
    int64_t sent_at_ns, first_byte_ns, server_ns;
    char reason[256]; /* curl's own words */
} pull_get;

struct fl_pull_source {
    fl_pull *pull;
    fl_pull_source_options options; /* texts are own copies */
    char shown[FL_FETCH_URL];
    pull_get *first, *last; /* that wait */
    unsigned in_flight;
    fl_pull_breaker breaker;
    char last_failure[128];
    fl_pull_stats stats;
};

/* What a try ended in. */
typedef struct pull_result {
    fl_status status;
    bool is_retryable; /* it may go better next time */
    bool is_failure;   /* of the server, for the breaker */
    long http;
    int64_t asked_ns;   /* Retry-After; 0: not asked */
    const char *follow; /* a redirect to follow; borrowed from the transfer */
    fl_error why;
} pull_result;

/* A handle with everything set, in get->easy; its secrets are read here. */
FL_NODISCARD fl_status fl_pull_prepare(pull_get *get, fl_error *err);
/* What a finished transfer means; `code` is curl's. The body, decompressed, goes into `body`. */
void fl_pull_judge(pull_result *out, pull_get *get, int code, fl_buf *body);
/* The handle is given back. */
void fl_pull_release(pull_get *get);

#endif
