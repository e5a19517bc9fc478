/*
 * serve.h - the daemon: its parts, started and stopped in order.
 *
 *   start   folder of data (one process) -> HTTP listens, answers probes -> archive is recovered ->
 *           routes -> ready
 *   stop    nothing new is accepted -> requests under way are finished -> what uses the archive ->
 *           the archive is sealed -> the folder is free
 *
 * Everything runs in threads of the parts. The caller has one thread of its own, which waits for
 * signals and calls fl_serve_tick() about once a second. No signal, environment or terminal is
 * touched here.
 */
#ifndef FL_SERVE_H
#define FL_SERVE_H

#include <stdbool.h>

#include "archive.h"
#include "http.h"

enum { FL_SERVE_MAX_LISTEN = FL_HTTP_MAX_LISTENERS };

/* One sentence for people, without what a stranger sent. */
typedef void fl_serve_say(void *payload, const char *sentence);

typedef struct fl_serve_options {
    const char
        *data_path; /* folder of the archive, made where it is missing; its parent is there */
    const char *listen[FL_SERVE_MAX_LISTEN]; /* none: FL_SERVE_DEFAULT_LISTEN, of which only the
                                                first has to be free */
    size_t listen_count;
    bool allow_unauthenticated; /* beyond loopback although nobody has to say who he is */
    fl_http_options http;
    fl_archive_options archive;
    /* Of webhooks; empty: that webhook is taken from this machine alone. */
    fl_slice github_secret, gitlab_token;
    const char *notify_socket; /* NULL: nobody to tell */
    const char *version;
    fl_serve_say *say;
    void *say_to;
} fl_serve_options;

/* OTLP and everything else, Loki, Zipkin, Pyroscope: the ports that their senders try first. */
extern const char *const fl_serve_default_listen[];
extern const size_t fl_serve_default_listen_count;

typedef struct fl_serve fl_serve;

/* The options' texts are borrowed until the stop. FL_E_IO: the folder is in use, an address is
 * taken. */
FL_NODISCARD fl_status fl_serve_start(fl_serve **out, const fl_serve_options *options,
                                      fl_error *err);
/* About once a second. */
void fl_serve_tick(fl_serve *serve, int64_t now_ns);
/* What can be read again is, and what cannot is said. */
void fl_serve_reload(fl_serve *serve);
/* Everything that was accepted is safe when it returns. NULL is a no-op. */
void fl_serve_stop(fl_serve *serve);
/* Port of the i-th address; 0: it is not listened on. */
unsigned fl_serve_port(const fl_serve *serve, size_t i);

#endif
