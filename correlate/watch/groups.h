/*
 * groups.h - signs of trouble to incidents: those that one cause explains are one, and it is said
 * why; those that do not belong open their own.
 *
 * A sign is an alert or a break that the watch found. A sign belongs to an incident where, within
 * the time in which effects arrive,
 *     it is of the service that the trouble is at, or of one that the incident has already;
 *     its service calls that one, over however many others: callers feel their callees;
 *     that one calls it, and so do all that the incident has: then the trouble is rather there;
 *     or the one is of a machine, and the other of what runs on it, or calls what does.
 * Of several the nearest wins. Services of one machine do not belong together for that, until a
 * sign of the machine itself comes: then their incidents become one.
 *
 * What is a cause, a ranking says better than the order of calls: fl_groups_diagnose() moves the
 * trouble to where a ranked cause is, and signs that this does not explain leave for an incident of
 * their own. How often that is right: docs/benchmarks.md, bench_groups.
 *
 * No clock and no thread: times come with the calls. Same calls, same groups.
 */
#ifndef FL_GROUPS_H
#define FL_GROUPS_H

#include "calls.h"

typedef enum fl_sign_kind {
    FL_SIGN_ALERT,
    FL_SIGN_ERRORS,  /* more of a service's requests fail */
    FL_SIGN_LATENCY, /* they take longer */
    FL_SIGN_TRAFFIC, /* they stay away */
    FL_SIGN_KIND_COUNT
} fl_sign_kind;

/* Texts that are not known are NULL. */
typedef struct fl_sign {
    uint64_t key; /* the same sign, told again, has the same */
    fl_sign_kind kind;
    int64_t onset_ns;
    int64_t cleared_ns;                    /* 0: it lasts */
    const char *name;                      /* of the rule, or what broke */
    const char *service, *instance, *node; /* whose it is */
    const char *severity, *summary, *url;
    double value, baseline; /* of a break; NaN where there is none */
} fl_sign;

typedef enum fl_why {
    FL_WHY_FIRST,        /* it opened the incident */
    FL_WHY_SAME_SERVICE, /* of the service that `of` names, as others are */
    FL_WHY_CALLS,        /* it calls `of`, where the trouble is, over `hops` calls */
    FL_WHY_CALLED,    /* `of`, which has trouble, calls it, as all others do: the trouble moved */
    FL_WHY_AFTERMATH, /* the diagnosed cause `of` calls it, and was first */
    FL_WHY_SAME_NODE, /* of the machine `of`, or on it */
    FL_WHY_SAME_RULE, /* of the rule `of`, and neither tells whose */
    FL_WHY_COUNT
} fl_why;

/* Words for documents: "same-service", "errors". */
const char *fl_why_name(fl_why why);
const char *fl_sign_kind_name(fl_sign_kind kind);

typedef struct fl_member {
    const fl_sign *sign;
    fl_why why;
    const char *of; /* NULL for FL_WHY_FIRST */
    unsigned hops;
} fl_member;

/* Borrowed until the next call that changes the groups. */
typedef struct fl_group {
    uint64_t key;      /* its first sign's: the incident's for good */
    const char *root;  /* the service where the trouble seems to be; NULL: not known */
    bool is_diagnosed; /* a ranking says so */
    int64_t opened_ns, changed_ns;
    int64_t onset_ns, last_ns; /* of its signs: the first and the last to begin */
    int64_t cleared_ns;        /* when the last of its signs had cleared; 0: one lasts */
    uint64_t version;          /* rises with every change */
    const fl_member *members;
    size_t member_count, lasting_count;
} fl_group;

typedef struct fl_groups fl_groups;

typedef struct fl_groups_options {
    fl_calls *calls; /* borrowed; learns the names of services */
    /* Signs of one cause begin within it. 0: 15 minutes: a rule waits up to that long before it
     * fires, and rules differ (kubernetes-mixin: 'for' is 15m for most). */
    int64_t effect_ns;
    int64_t
        quiet_ns; /* an incident ends when all its signs have been clear for so long; 0: 5 min */
    size_t max_groups, max_signs; /* 0: FL_MAX_GROUPS, FL_MAX_SIGNS */
    /* An incident is over (`into` NULL), or was found to be part of another. May be NULL. */
    void (*ended)(void *payload, const fl_group *group, const fl_group *into);
    void *payload;
} fl_groups_options;

enum { FL_MAX_GROUPS = 4096, FL_MAX_SIGNS = 65536, FL_MAX_SIGN_TEXT_BYTES = 1024 };

/* The caller owns *out. */
FL_NODISCARD fl_status fl_groups_create(fl_groups **out, const fl_groups_options *options,
                                        fl_error *err);
void fl_groups_destroy(fl_groups *groups); /* NULL is a no-op */

/* A new sign, or news of one: it is copied, its texts cut at FL_MAX_SIGN_TEXT_BYTES. *key: of the
 * group that it belongs to; 0 where it is over before it was ever known. FL_E_LIMIT: there is no
 * room, and nothing has changed. */
FL_NODISCARD fl_status fl_groups_tell(uint64_t *key, fl_groups *groups, const fl_sign *sign,
                                      int64_t now_ns, fl_error *err);
/* Services of causes, the likeliest first, all of them real. */
typedef struct fl_causes {
    const char *const *services;
    size_t count;
} fl_causes;

/* What a ranking says of a group; nothing where there is no such group. The cause that explains
 * most of its signs, of equal ones the likeliest, is where the trouble is; signs that this does not
 * explain leave. Explained is what is of the cause, calls it, or runs on its machine where that has
 * signs of its own. Where all causes together explain less than half of the signs, the ranking does
 * not know of this trouble, and nothing changes. */
FL_NODISCARD fl_status fl_groups_diagnose(fl_groups *groups, uint64_t key, const fl_causes *causes,
                                          int64_t now_ns, fl_error *err);
/* End the incidents that are over. */
void fl_groups_settle(fl_groups *groups, int64_t now_ns);

/* A group and its signs as they were kept elsewhere; the first member is the one that opened it. */
FL_NODISCARD fl_status fl_groups_restore(fl_groups *groups, const fl_group *group, fl_error *err);

/* How many groups are known. */
size_t fl_groups_count(const fl_groups *groups);
/* Oldest first. */
const fl_group *fl_groups_at(const fl_groups *groups, size_t index);
/* NULL: there is none. */
const fl_group *fl_groups_find(const fl_groups *groups, uint64_t key);

#endif
