/*
 * roles.h - what a metric measures, told from its name by a table of rules
 * (schemas/metric-roles.yaml).
 *
 *   rules:
 *     - match: 'cpu.*(percent|utili[sz]ation)'   # PCRE2, anywhere in the name, case ignored
 *       role: cpu                                # or traffic, errors, latency, memory, network,
 *                                                # disk, pool, queue, other
 *       unit: '%'                                # optional: only series with this unit
 *       scale: share                             # share | value; default value
 *       of: 100                                  # share: what the whole is
 *       host: true                               # about the node, not the service; default false
 *       bad: up                                  # up | down | either; default up
 *
 * The first rule that matches counts. A user's file goes before the built-in one.
 */
#ifndef FL_ROLES_H
#define FL_ROLES_H

#include "faultline/timeline.h"

typedef struct fl_roles fl_roles;

typedef struct fl_metric_role {
    fl_role role;
    fl_scale scale;
    double share_of;
    bool is_host;
    int8_t bad_when;
} fl_metric_role;

/* An empty table: everything is `other`. The caller owns *out. */
FL_NODISCARD fl_status fl_roles_create(fl_roles **out, fl_error *err);
void fl_roles_destroy(fl_roles *roles); /* NULL is a no-op */
/* Append the rules of a YAML document. FL_E_SYNTAX: "SOURCE:LINE:COLUMN: what is wrong". */
FL_NODISCARD fl_status fl_roles_add(fl_roles *roles, fl_slice yaml, const char *source,
                                    fl_error *err);
FL_NODISCARD fl_status fl_roles_find(fl_metric_role *out, const fl_roles *roles, fl_slice metric,
                                     fl_slice unit, fl_error *err);

#endif
