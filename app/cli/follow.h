/*
 * follow.h - one incident, seen again whenever it changes: at a daemon, or in a store.
 *
 * A daemon is listened to (GET /v1/incidents/events) and asked when it says that something changed,
 * and now and then in any case; one that tells no events is asked every two seconds. A store is
 * looked into every second. Whoever goes away is tried again, first after half a second, then after
 * twice as long each time, up to half a minute.
 */
#ifndef FL_FOLLOW_H
#define FL_FOLLOW_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_follow fl_follow;

typedef struct fl_follow_options {
    const char *server, *token_file; /* a daemon; server NULL: the store */
    const char *store;
    bool (*should_stop)(void *); /* asked while an answer is waited for; NULL: never */
    void *payload;
} fl_follow_options;

/* What one step found; several of these at once, or nothing. */
typedef struct fl_follow_news {
    bool is_new;  /* the document or the picture is another one */
    bool is_gone; /* there is no such incident any more */
    bool is_lost; /* nobody answered, for the first time in a row: `why`, and when it is tried again
                   */
    bool is_back; /* somebody answers again */
    const char *document, *picture; /* as they are now, until the next step; picture NULL: none */
    int64_t again_ns;
    char why[sizeof(((fl_error *)0)->message)];
} fl_follow_news;

/* The texts of the options live as long as *out. FL_E_SYNTAX, FL_E_IO, FL_E_NOMEM ... */
FL_NODISCARD fl_status fl_follow_open(fl_follow **out, const fl_follow_options *options,
                                      fl_error *err);
void fl_follow_close(fl_follow *follow); /* NULL is a no-op */
/* Of which incident: its id or the beginning of it. What comes next is new. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_follow_turn_to(fl_follow *follow, const char *id, fl_error *err);
/* Look where it is time to, else wait at most `wait_ns` for a reason to. A failure of the very
 * first look is the caller's: a wrong address or id is not waited for. FL_E_STOPPED as should_stop
 * says.
 */
FL_NODISCARD fl_status fl_follow_step(fl_follow *follow, int64_t wait_ns, fl_follow_news *news,
                                      fl_error *err);

/* ---- where it is looked (follow_server.c, follow_store.c) ---- */

typedef struct fl_follow_place {
    /* The text of the incident or of its picture; the caller frees it with fl_mem_free. A picture
     * that is not there is NULL. FL_E_NOTFOUND: no such incident; else nobody answers. */
    fl_status (*look)(void *place, const char *id, char **document, fl_error *err);
    fl_status (*picture)(void *place, const char *id, char **picture, fl_error *err);
    /* Wait at most `wait_ns`; whether it is said that something changed. */
    bool (*wait)(void *place, const char *id, int64_t wait_ns);
    /* How often to look without being told. */
    int64_t (*every_ns)(void *place);
    void (*close)(void *place);
} fl_follow_place;

extern const fl_follow_place fl_follow_server, fl_follow_store;
FL_NODISCARD fl_status fl_follow_server_open(void **out, const fl_follow_options *options,
                                             fl_error *err);
FL_NODISCARD fl_status fl_follow_store_open(void **out, const fl_follow_options *options,
                                            fl_error *err);

#endif
