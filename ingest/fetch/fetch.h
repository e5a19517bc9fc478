/*
 * fetch.h - ask a running program over HTTP for its profiles without doing it harm.
 *
 * One fetcher is one connection to one target at a time: it has no second request in flight, by
 * construction, and says what its requests cost the target. Each answer has a limit in time, in
 * speed, in bytes on the wire and in bytes after decompression. Redirects are followed a few times
 * and never to another scheme. Nothing is taken from the environment (no proxy, no .netrc).
 *
 * Passwords in URLs are used and never shown: messages leave them out.
 */
#ifndef FL_FETCH_H
#define FL_FETCH_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_fetch fl_fetch;

/* Zero (or NULL) in a field: its default. */
typedef struct fl_fetch_options {
    int64_t connect_timeout_ns;  /* 5 s */
    int64_t total_timeout_ns;    /* 60 s, besides the seconds that are asked for, also in a query */
    int64_t slow_ns;             /* 15 s at less than slow_bytes_per_s end a request */
    uint64_t slow_bytes_per_s;   /* 128 */
    uint64_t max_wire_bytes;     /* FL_MAX_FETCH_WIRE_BYTES */
    uint64_t max_bytes;          /* FL_MAX_FETCH_BYTES, decompressed */
    unsigned max_redirects;      /* 5 */
    const char *ca_file;         /* of certificates, in place of the system's */
    bool (*should_stop)(void *); /* asked about once a second; true ends with FL_E_STOPPED */
    void *should_stop_of;
} fl_fetch_options;

/* What the requests of a fetcher, or one of them, took. */
typedef struct fl_fetch_cost {
    uint64_t requests;
    uint64_t wire_bytes; /* answers with their headers, as sent */
    int64_t duration_ns; /* from asking to the last byte */
} fl_fetch_cost;

typedef struct fl_fetch_answer {
    fl_slice body;            /* decompressed; valid until the fetcher's next request */
    const char *content_type; /* empty where none was sent; as long as the body */
    int64_t time_ns;          /* when it was asked */
    fl_fetch_cost cost;
} fl_fetch_answer;

FL_NODISCARD fl_status fl_fetch_create(fl_fetch **out, const fl_fetch_options *options,
                                       fl_error *err);
void fl_fetch_destroy(fl_fetch *fetch); /* NULL is a no-op */
/* Of all requests so far, failed ones included. */
fl_fetch_cost fl_fetch_total(const fl_fetch *fetch);

/*
 * GET one URL. Errors name the URL and the reason: FL_E_SYNTAX (no http or https URL),
 * FL_E_NOTFOUND (HTTP 404), FL_E_UNSUPPORTED (a web page: a login before it?), FL_E_LIMIT (too
 * many bytes, redirects, or too slow), FL_E_IO (no connection, another HTTP status with the first
 * line that the server gave for it), FL_E_STOPPED, FL_E_NOMEM.
 */
FL_NODISCARD fl_status fl_fetch_get(fl_fetch_answer *out, fl_fetch *fetch, const char *url,
                                    fl_error *err);

enum { FL_FETCH_URL = 1024 };

/* The profiles of net/http/pprof, as names in a URL. */
typedef enum fl_fetch_profile {
    FL_FETCH_HEAP,
    FL_FETCH_ALLOCS,
    FL_FETCH_GOROUTINE,
    FL_FETCH_GOROUTINELEAK,
    FL_FETCH_BLOCK,
    FL_FETCH_MUTEX,
    FL_FETCH_THREADCREATE,
    FL_FETCH_CPU, /* "profile": takes the seconds that are asked for */
    FL_FETCH_PROFILE_COUNT
} fl_fetch_profile;
const char *fl_fetch_profile_name(fl_fetch_profile profile);

/* Where a program serves its profiles. */
typedef struct fl_fetch_target {
    char base[FL_FETCH_URL]; /* ".../debug/pprof/" */
    char vars[FL_FETCH_URL]; /* ".../debug/vars" of expvar beside it, which may not exist */
    bool is_single;          /* the URL named one profile: ask for `base` as it is, nothing else */
    bool has[FL_FETCH_PROFILE_COUNT]; /* what its index lists */
} fl_fetch_target;

/* Find the index of net/http/pprof at or below `url`: "http://host:6060" is enough. A URL that
 * names a profile (".../debug/pprof/heap?gc=1") is taken as it is, without a request. FL_E_NOTFOUND
 * where there is no index; otherwise as fl_fetch_get. */
FL_NODISCARD fl_status fl_fetch_find(fl_fetch_target *out, fl_fetch *fetch, const char *url,
                                     fl_error *err);

/* How to ask for a profile. Nothing of this is asked for unless it is set: gc=1 makes the program
 * collect its garbage first, seconds make it compare or sample over a time. */
typedef struct fl_fetch_ask {
    unsigned seconds; /* 0: not asked */
    unsigned debug;   /* 0: protobuf; 1, 2: texts */
    bool gc;
} fl_fetch_ask;
FL_NODISCARD fl_status fl_fetch_pprof(fl_fetch_answer *out, fl_fetch *fetch,
                                      const fl_fetch_target *target, fl_fetch_profile profile,
                                      const fl_fetch_ask *ask, fl_error *err);

/* `url` without user and password, and its scheme. FL_E_SYNTAX where it is no http or https URL. */
FL_NODISCARD fl_status fl_fetch_show_url(char shown[FL_FETCH_URL], char scheme[8], const char *url,
                                         fl_error *err);
/* Whether a word of a command line is meant as a URL: "scheme://". */
bool fl_fetch_is_url(const char *text);

#endif
