/*
 * api_events.h - what changes among the incidents, told to those who listen (server-sent events).
 *
 *   retry: 2000
 *
 *   id: 1795436835307269351                        stored_ns: where to go on after a break
 *   event: incident
 *   data: {"id": ..., "state": ..., "verdict": ..., "service": ..., "cause": ..., "probability":
 * ...}
 *
 *   event: reset     what came since the client's last event is not known any more: ask for the
 * list event: store     data: {"reachable": false}, and true when it is back :                a
 * comment every API_EVENTS_BEAT_S seconds, so that a break is noticed
 *
 * One thread looks into the store, API_EVENTS_HZ times a second and only while somebody listens: so
 * incidents of other daemons are told as well, and of those that were triaged by hand. An event is
 * told about a second after it was stored.
 */
#ifndef FL_API_EVENTS_H
#define FL_API_EVENTS_H

#include "http.h"
#include "store_pool.h"

enum {
    API_EVENTS_LISTENERS = 64, /* at once: each holds a connection */
    API_EVENTS_KEPT = 1024,    /* for those who are behind */
    API_EVENTS_BEAT_S = 15,
    API_EVENTS_HZ = 1,
    API_EVENTS_MINUTES = 15 /* then a listener comes again, and shows his token again */
};

typedef struct fl_api_events fl_api_events; /* any thread */

FL_NODISCARD fl_status fl_api_events_create(fl_api_events **out, fl_store_pool *pool,
                                            fl_error *err);
/* Nobody may listen. NULL is a no-op. */
void fl_api_events_destroy(fl_api_events *events);
/* The reply becomes a stream; `last` is the client's Last-Event-ID or NULL. FL_E_LIMIT: there are
 * as many listeners as there may be. */
FL_NODISCARD fl_status fl_api_events_listen(fl_http_reply *reply, fl_api_events *events,
                                            const char *last, fl_error *err);
size_t fl_api_events_listeners(fl_api_events *events);
/* One look into the store, which the thread takes by itself: for tests. */
void fl_api_events_look(fl_api_events *events);

#endif
