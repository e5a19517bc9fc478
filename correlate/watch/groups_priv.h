/*
 * groups_priv.h - what the groups keep, for their own files.
 */
#ifndef FL_GROUPS_PRIV_H
#define FL_GROUPS_PRIV_H

#include "groups.h"

enum { FL_MAX_OF_BYTES = 128 };

/* A sign and its texts, in one block. */
typedef struct fl_kept_sign {
    fl_sign sign;
    uint32_t service; /* in the calls; FL_NO_SERVICE */
    uint64_t left;    /* the group that it left and does not go back to; 0: none */
    struct fl_open *group;
    bool is_explained;        /* by a cause that a group is asked about */
    char of[FL_MAX_OF_BYTES]; /* what its reason names; a longer name is cut */
} fl_kept_sign;

/* A group; members[i].sign is the sign of kept[i]. */
typedef struct fl_open {
    fl_group out;
    fl_kept_sign **kept;
    fl_member *members;
    size_t capacity;
    uint32_t root;       /* in the calls */
    const char *machine; /* that has signs of its own here, which name no service; NULL: none */
    char root_name[FL_MAX_SIGN_TEXT_BYTES];
} fl_open;

struct fl_groups {
    fl_groups_options options;
    fl_open **open; /* oldest first */
    size_t count;
    struct fl_map *by_key; /* a sign's key to its fl_kept_sign */
};

/* How a sign would belong to a group; the lower the nearer. */
typedef struct fl_relation {
    unsigned distance; /* FL_UNRELATED: not */
    fl_why why;
    const char *of;
    unsigned hops;
} fl_relation;
#define FL_UNRELATED UINT32_MAX

/* `reach` is of the sign's service. */
fl_relation fl_groups_relate(const fl_groups *groups, const fl_open *group,
                             const fl_kept_sign *sign, const fl_reach *reach);
/* Whether two groups of one time have the trouble of a machine, which one of them has a sign of:
 * the trouble of the other is on it, or it has one as well. */
bool fl_groups_share_machine(const fl_groups *groups, const fl_open *group, const fl_open *other,
                             const char *node);
/* Whether a cause at `service`, whose reach it is, explains the sign. */
bool fl_groups_explains(const fl_groups *groups, const fl_open *group, uint32_t service,
                        const fl_reach *reach, const fl_kept_sign *sign);

/* Whether it is of what that cause calls itself, and not older than the incident: what the cause
 * had done to it. It need not leave, but makes no cause likelier. */
bool fl_groups_is_aftermath(const fl_open *group, const fl_reach *reach, const fl_kept_sign *sign);

#endif
