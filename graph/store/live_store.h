/*
 * live_store.h - incidents that daemons keep open, in the store that they share.
 *
 * An incident has one keeper at a time, who renews a lease. Each sign of trouble belongs to one
 * open incident: where two daemons open one for the same sign, the one with the lower id stays.
 */
#ifndef FL_LIVE_STORE_H
#define FL_LIVE_STORE_H

#include "store.h"

enum { FL_LIVE_ID_BYTES = 64 };

typedef struct fl_live { /* borrowed during a visit */
    const char *id;
    const char *state;     /* "open", "closed", "merged" */
    const char *merged_to; /* of merged; else NULL */
    const char *owner;
    int64_t lease_ns;
    int64_t opened_ns, changed_ns;
    int64_t closed_ns;     /* 0: open */
    const char *body;      /* what the keeper needs to go on */
    const uint64_t *signs; /* rising, none twice; a visit tells of none */
    size_t sign_count;
} fl_live;

/* Write an incident that is ours, and that its signs belong to it; when it is no longer open they
 * belong to none. *is_ours false: another daemon keeps it, and nothing of it
 * was written. `other`: the open incident of another owner, with the lowest id, that one of the
 * signs belongs to;
 * "": none. Between incidents of one owner a sign is of the one that was written last. */
typedef struct fl_live_published {
    bool is_ours;
    char other[FL_LIVE_ID_BYTES];
} fl_live_published;
FL_NODISCARD fl_status fl_live_publish(fl_live_published *out, fl_store *store, const fl_live *live,
                                       int64_t now_ns, fl_error *err);

/* Who claims, and until when he keeps what he has. */
typedef struct fl_live_claimer {
    const char *owner;
    int64_t now_ns, lease_ns;
    bool with_own; /* also those that he had: after a restart */
} fl_live_claimer;

typedef fl_status fl_live_visit(const fl_live *live, void *payload, fl_error *err);
/* Take over open incidents whose lease is over, in no order; each goes to one claimer, however many
 * ask at once (FOR UPDATE SKIP LOCKED). The visitor may not use the store. */
FL_NODISCARD fl_status fl_live_claim(fl_store *store, const fl_live_claimer *by,
                                     fl_live_visit *visit, void *payload, fl_error *err);
/* Keep all of ours for longer. */
FL_NODISCARD fl_status fl_live_renew(fl_store *store, const fl_live_claimer *by, fl_error *err);

#endif
