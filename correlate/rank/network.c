/*
 * network.c - whose network is slow? A wire has two ends. The fewest services that explain all slow
 * wires are named, greedily: a service by the wires into it, and by those out of it when they
 * agree; by the wires out of it alone only where at least two are slow, since one slow wire says
 * nothing on which end is at fault and the callee is the likelier one.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "rank_priv.h"

struct solver {
    struct rank *r;
    double *left; /* per value stream: evidence not yet explained */
    double *into, *out_of;
    uint32_t *positive_out;
};

static void sum_up(struct solver *x)
{
    const fl_streams *s = x->r->streams;
    size_t services = x->r->timeline->service_count;
    memset(x->into, 0, services * sizeof(*x->into));
    memset(x->out_of, 0, services * sizeof(*x->out_of));
    memset(x->positive_out, 0, services * sizeof(*x->positive_out));
    for (size_t i = 0; i < s->value_count; i++) {
        const fl_value_stream *wire = &s->values[i];
        if (wire->kind != FL_STREAM_WIRE)
            continue;
        x->into[wire->callee] += x->left[i];
        x->out_of[wire->caller] += x->left[i];
        x->positive_out[wire->caller] += x->left[i] > 0;
    }
}

static double score_of(const struct solver *x, uint32_t service)
{
    double into = x->into[service], out_of = x->out_of[service];
    if (into > 0)
        return fmax(into, into + out_of);
    return x->positive_out[service] >= 2 ? out_of : 0;
}

static fl_status add_network(struct solver *x, uint32_t service, double score, fl_error *err)
{
    assert(score > 0);
    const fl_streams *s = x->r->streams;
    bool takes_in = x->into[service] > 0, takes_out = x->out_of[service] > 0;
    struct candidate c = {.service = service,
                          .cause = FL_CAUSE_NETWORK_DELAY,
                          .resource = FL_RESOURCE_NETWORK,
                          .locus = FL_LOCUS_EDGE,
                          .score = score,
                          .order = 3};
    double best = 0;
    for (uint32_t i = 0; i < s->value_count; i++) {
        const fl_value_stream *wire = &s->values[i];
        bool mine = wire->kind == FL_STREAM_WIRE && ((takes_in && wire->callee == service) ||
                                                     (takes_out && wire->caller == service));
        if (!mine)
            continue;
        if (x->left[i] != 0) /* not measured, or explained by another service */
            fl_rank_add_part(&c, PART_VALUE, i, x->left[i]);
        if (x->left[i] > best) {
            best = x->left[i];
            c.locus_name =
                fl_arena_printf(x->r->arena, "%s -> %s", x->r->timeline->services[wire->caller],
                                x->r->timeline->services[wire->callee]);
        }
        if (x->left[i] > 0)
            x->left[i] = 0;
    }
    x->r->network[service] = (uint32_t)x->r->candidate_count;
    return c.locus_name == NULL
               ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the names of calls")
               : fl_rank_add(x->r, &c, err);
}

static fl_status solve(struct solver *x, fl_error *err)
{
    fl_status status = FL_OK;
    size_t services = x->r->timeline->service_count;
    /* Each round explains at least one wire, so there are no more rounds than services. */
    for (size_t round = 0; round < services && status == FL_OK; round++) {
        uint32_t best = FL_NO_INDEX;
        double best_score = 0;
        sum_up(x);
        for (uint32_t i = 0; i < services; i++)
            if (score_of(x, i) > best_score) {
                best = i;
                best_score = score_of(x, i);
            }
        if (best == FL_NO_INDEX)
            break;
        status = add_network(x, best, best_score, err);
    }
    return status;
}

fl_status fl_rank_network(struct rank *r, fl_error *err)
{
    struct solver x = {.r = r};
    size_t services = r->timeline->service_count;
    fl_status status = FL_RANK_NEW(r->arena, r->network, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.left, r->streams->value_count, "wires", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.into, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.out_of, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.positive_out, services, "services", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < services; i++)
        r->network[i] = FL_NO_INDEX;
    for (size_t i = 0; i < r->streams->value_count; i++)
        if (r->streams->values[i].kind == FL_STREAM_WIRE)
            x.left[i] = r->values[i].test.lbf;
    return solve(&x, err);
}
