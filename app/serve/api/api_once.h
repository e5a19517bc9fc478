/*
 * api_once.h - a request that is repeated under the same key has its effect once (the header
 * Idempotency-Key): the second is given the first one's answer.
 *
 * What was answered is kept for a day, in memory: the newest API_ONCE_MOST keys. After a restart
 * the same request is done again, which the graph takes for what it knows: saying a thing of the
 * same incident twice is saying it once.
 */
#ifndef FL_API_ONCE_H
#define FL_API_ONCE_H

#include "http.h"

enum { API_ONCE_MOST = 512, API_ONCE_KEY_BYTES = 255 };

typedef struct fl_api_once fl_api_once; /* any thread */

FL_NODISCARD fl_status fl_api_once_create(fl_api_once **out, fl_error *err);
void fl_api_once_destroy(fl_api_once *once); /* NULL is a no-op */

typedef enum fl_api_once_turn {
    FL_API_ONCE_FREE,    /* no key: do it, and tell nobody */
    FL_API_ONCE_FIRST,   /* do it, then fl_api_once_end() */
    FL_API_ONCE_ANSWERED /* the reply is there: the first one's, or a problem */
} fl_api_once_turn;

/* *place is for the end. Problems: 400 a key that is none, 409 the first is still under way, 422
 * the key was another request's, 503 too many are under way. */
fl_api_once_turn fl_api_once_begin(size_t *place, fl_api_once *once, const fl_http_request *request,
                                   fl_http_reply *reply, int64_t now_ns);
/* What failed for reasons of ours (5xx) is forgotten: it may be tried again. */
void fl_api_once_end(fl_api_once *once, size_t place, const fl_http_reply *reply);

#endif
