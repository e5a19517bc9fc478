/*
 * pull.h - many bounded GETs at once, from a few servers that may be slow, ill or gone.
 *
 * A source is one server: a base URL, how to log in, and how it is spared. What is asked of it
 * waits in order until it has a free place. Each request ends in exactly one call of its `done`,
 * whatever happens: with the body, decompressed, or with the reason.
 *
 *   limits     time to connect, time in all, speed, bytes on the wire, bytes when decompressed
 *   retry      connections that fail or break, and HTTP 429, 500, 502, 503 and 504, with growing
 *              pauses half of which are random; Retry-After is waited for; never a query that was
 *              too slow: it would be again
 *   breaker    after some failures in a row a source is left alone for a time, and what waits for
 *              it fails at once; then one request goes as a probe
 *   redirects  a few, to the same host and port only, or to its https
 *
 * Nothing but http and https is ever asked, and nothing is taken from the environment. Passwords
 * and tokens are read from files when they are needed, and are in no message.
 */
#ifndef FL_PULL_H
#define FL_PULL_H

#include <stdbool.h>

#include "buf.h"
#include "faultline/status.h"

typedef struct fl_pull fl_pull;               /* one thread */
typedef struct fl_pull_source fl_pull_source; /* lives as long as its fl_pull */

/* Zero (or NULL) in a field: its default. Texts are copied. */
typedef struct fl_pull_options {
    uint64_t seed;               /* of the pauses' random half */
    unsigned max_parallel;       /* requests in flight, of all sources; 16 */
    bool (*should_stop)(void *); /* asked some times a second; true ends all with FL_E_STOPPED */
    void *should_stop_of;
} fl_pull_options;

/* A part of an answer of HTTP 2xx, as it comes: of one that goes on for as long as somebody
 * listens. False ends it. */
typedef bool fl_pull_part(void *payload, fl_slice bytes);

typedef struct fl_pull_source_options {
    const char *url;           /* what every path is appended to: "http://host:9090/prefix" */
    const char *token_file;    /* sent as a bearer token */
    const char *user;          /* basic authentication; also out of the URL */
    const char *password_file; /* of `user` */
    const char *ca_file;       /* certificates, in place of the system's */
    const char *cert_file;     /* shown to the server, with key_file */
    const char *key_file;
    const char *tenant; /* sent as X-Scope-OrgID, which Loki and Tempo know; NULL: none */
    bool keep_packed;   /* the body stays as it was sent, compressed or not */
    fl_pull_part *part; /* gets the bodies, as they are sent; done then gets none */
    void *part_of;
    unsigned max_parallel;      /* 4 */
    unsigned max_tries;         /* of a request; 4 */
    unsigned max_redirects;     /* 3 */
    int64_t connect_timeout_ns; /* 5 s */
    int64_t total_timeout_ns;   /* of one try; 60 s */
    int64_t slow_ns;            /* 30 s at less than slow_bytes_per_s end a try */
    uint64_t slow_bytes_per_s;  /* 64 */
    uint64_t max_wire_bytes;    /* 64 MiB */
    uint64_t max_bytes;         /* 256 MiB, decompressed */
    int64_t pause_ns;           /* before the second try, doubled each time; 250 ms */
    int64_t max_pause_ns;       /* 30 s: a server that asks for more is not waited for */
    unsigned breaker_failures;  /* in a row; 5 */
    int64_t breaker_ns;         /* left alone after that, doubled each time up to 16-fold; 30 s */
} fl_pull_source_options;

typedef struct fl_pull_answer {
    fl_status status;    /* FL_OK, or as below */
    const char *message; /* one sentence with the URL; "" where status is FL_OK */
    long http;           /* of the last try; 0: there was no answer */
    fl_slice body;       /* decompressed; borrowed during the call; also of a refusal */
    int64_t sent_ns;     /* when the last try began */
    int64_t received_ns; /* when its first byte came; 0: none did */
    int64_t server_ns;   /* the server's clock by its Date, whole seconds; 0: not told */
    int64_t duration_ns; /* of the last try */
    unsigned tries;      /* 0: it was not asked at all */
} fl_pull_answer;

/* What becomes of an answer; may ask for more of the same fl_pull. A status other than FL_OK ends
 * fl_pull_step() with it. An answer's status: FL_E_NOTFOUND (HTTP 404), FL_E_LIMIT (too large, too
 * slow, too many redirects), FL_E_TRUNCATED, FL_E_SYNTAX (its compression breaks), FL_E_UNSUPPORTED
 * (a redirect to elsewhere), FL_E_STOPPED, FL_E_NOMEM, FL_E_IO (all else). */
typedef fl_status fl_pull_done(void *payload, const fl_pull_answer *answer, fl_error *err);

FL_NODISCARD fl_status fl_pull_create(fl_pull **out, const fl_pull_options *options, fl_error *err);
/* What is under way is dropped without a word. NULL is a no-op. */
void fl_pull_destroy(fl_pull *pull);
/* FL_E_SYNTAX: the URL is none of http or https, or has a query; FL_E_LIMIT: too many sources. */
enum { FL_MAX_PULL_SOURCES = 1024 };
FL_NODISCARD fl_status fl_pull_add(fl_pull_source **out, fl_pull *pull,
                                   const fl_pull_source_options *options, fl_error *err);
/* Without user and password; lives as long as the source. */
const char *fl_pull_source_url(const fl_pull_source *source);

/* Ask for `path`, which begins with "/" and may have a query, encoded. It is sent in some step. */
enum { FL_MAX_PULL_PATH = 16384 };
FL_NODISCARD fl_status fl_pull_get(fl_pull_source *source, const char *path, fl_pull_done *done,
                                   void *payload, fl_error *err);
/* Do what can be done, and wait at most `wait_ns` where there is nothing. */
FL_NODISCARD fl_status fl_pull_step(fl_pull *pull, int64_t wait_ns, fl_error *err);
/* Until every request has ended. */
FL_NODISCARD fl_status fl_pull_run(fl_pull *pull, fl_error *err);
/* How many requests have not ended. */
size_t fl_pull_outstanding(const fl_pull *pull);

typedef enum fl_pull_state {
    FL_PULL_CLOSED, /* asked as ever */
    FL_PULL_OPEN,   /* left alone */
    FL_PULL_HALF    /* one probe is on its way, or may go */
} fl_pull_state;

typedef struct fl_pull_stats {
    uint64_t requests;   /* tries that were sent */
    uint64_t retries;    /* of these */
    uint64_t failures;   /* requests that ended in a failure */
    uint64_t left_alone; /* of these: never sent, as the breaker was open */
    uint64_t wire_bytes; /* answers with their headers, as sent */
    int64_t busy_ns;     /* sum of the tries' durations */
    fl_pull_state state;
} fl_pull_stats;
fl_pull_stats fl_pull_stats_of(const fl_pull_source *source);

/* Append `text` so that it can stand in a query's value (RFC 3986, 2.3: all but the unreserved). */
void fl_pull_escape(fl_buf *out, fl_slice text);

#endif
