/*
 * metric_ranks.c - roles as an order of asking.
 */
#include "metric_ranks.h"

#include <assert.h>

#include "arena.h"
#include "fl_metric_roles_yaml.h"
#include "inputs.h"
#include "mem.h"
#include "roles.h"
#include "slice.h"
#include "sources.h"

enum { MAX_ROLES_BYTES = 1 << 20 };

/* From 100 on a metric is asked for after all others (sources.h). */
static const int ranks[FL_ROLE_COUNT] = {
    [FL_ROLE_ERRORS] = 1, [FL_ROLE_LATENCY] = 2, [FL_ROLE_POOL] = 3,    [FL_ROLE_QUEUE] = 4,
    [FL_ROLE_CPU] = 5,    [FL_ROLE_MEMORY] = 6,  [FL_ROLE_TRAFFIC] = 7, [FL_ROLE_NETWORK] = 8,
    [FL_ROLE_DISK] = 9,   [FL_ROLE_OTHER] = 100,
};

struct fl_ranked_metrics {
    fl_roles *roles;
};

/* The same table as that of the ranking: what it cannot use is not asked for first. */
fl_status fl_ranked_metrics_create(fl_ranked_metrics **out, const char *roles, fl_error *err)
{
    fl_arena arena = fl_arena_of(MAX_ROLES_BYTES + 4096);
    fl_slice own = {0};
    *out = NULL;
    fl_ranked_metrics *ranked = fl_mem_calloc(1, sizeof(*ranked));
    if (ranked == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric roles");
    fl_status status = fl_roles_create(&ranked->roles, err);
    if (status == FL_OK && roles != NULL)
        status = fl_inputs_read(&own, roles, MAX_ROLES_BYTES, &arena, err);
    if (status == FL_OK && roles != NULL)
        status = fl_roles_add(ranked->roles, own, roles, err);
    if (status == FL_OK)
        status = fl_roles_add(ranked->roles, fl_metric_roles_yaml, "metric-roles.yaml", err);
    fl_arena_dispose(&arena);
    if (status != FL_OK) {
        fl_ranked_metrics_destroy(ranked);
        return status;
    }
    *out = ranked;
    return FL_OK;
}

void fl_ranked_metrics_destroy(fl_ranked_metrics *ranked)
{
    if (ranked == NULL)
        return;
    fl_roles_destroy(ranked->roles);
    fl_mem_free(ranked);
}

/* When a process of a counter began, and what Prometheus notes of its own scrapes, are no symptom
 * of anybody. A unit is not known of a name alone. */
int fl_ranked_metrics_rank(void *payload, fl_slice metric, bool *is_host)
{
    const fl_ranked_metrics *ranked = payload;
    fl_metric_role role;
    *is_host = false;
    if (fl_slice_ends_with(metric, FL_SLICE("_created")) ||
        fl_slice_starts_with(metric, FL_SLICE("scrape_")))
        return FL_RANK_NEVER;
    if (fl_roles_find(&role, ranked->roles, metric, (fl_slice){0}, NULL) != FL_OK)
        return ranks[FL_ROLE_OTHER];
    assert((unsigned)role.role < FL_ROLE_COUNT);
    *is_host = role.is_host;
    return ranks[role.role];
}
