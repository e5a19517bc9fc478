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

#include <stddef.h>

#include "config.h"
#include "faultline/status.h"

/* One sentence for people, without what a stranger sent. */
typedef void fl_serve_say(void *payload, const char *sentence);

typedef struct fl_serve_options {
    /* Borrowed until a reload with another one, or the stop, has returned. */
    const fl_config *config;
    const char
        *data_path;    /* folder of the archive, made where it is missing; its parent is there */
    const char *store; /* URL of the incidents and the graph */
    const char *notify_socket; /* NULL: nobody to tell */
    const char *version;
    const struct fl_http_route *routes; /* more of them, of the caller's; they outlive the stop */
    size_t route_count;
    fl_serve_say *say;
    void *say_to;
} fl_serve_options;

typedef struct fl_serve fl_serve;

/* The options' texts are borrowed until the stop. FL_E_IO: the folder is in use, an address is
 * taken. */
FL_NODISCARD fl_status fl_serve_start(fl_serve **out, const fl_serve_options *options,
                                      fl_error *err);
/* About once a second. */
void fl_serve_tick(fl_serve *serve, int64_t now_ns);
/* What can be changed while it runs is taken over from `fresh`, which is borrowed as the first one
 * was. On failure everything stays as it was. */
FL_NODISCARD fl_status fl_serve_reload(fl_serve *serve, const fl_config *fresh, fl_error *err);
/* Everything that was accepted is safe when it returns. NULL is a no-op. */
void fl_serve_stop(fl_serve *serve);

#endif
