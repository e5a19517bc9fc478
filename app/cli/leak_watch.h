/*
 * leak_watch.h - a running program asked for its profiles, once or again and again: the asker of
 * faultline/leak_run.h.
 */
#ifndef FL_LEAK_WATCH_H
#define FL_LEAK_WATCH_H

#include "faultline/leak_run.h"

typedef struct fl_leak_watch {
    int64_t watch_ns, every_ns;                       /* 0: once */
    bool collect_first;                               /* garbage, before each heap profile */
    bool (*wait)(void *payload, int64_t duration_ns); /* false ends it, with what there is */
    bool (*stopped)(void *payload); /* asked during a request; true ends it as well */
    void *payload;
} fl_leak_watch;

/* `payload` is the fl_leak_watch. Fails where the first round brings nothing, as of fetch.h, and as
 * fl_leak_take() does. */
FL_NODISCARD fl_status fl_leak_watch_ask(void *payload, const char *address, fl_leak_taker *taker,
                                         fl_error *err);

#endif
