/*
 * group_relate.c - how a sign belongs to an incident.
 *
 * Services on one machine do not belong together for that: a machine runs many. Only a sign of the
 * machine itself, which names no service, ties them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "groups_priv.h"

enum { /* kinds of relation in their order; hops add to them */
       OF_THE_ROOT,
       OF_A_MEMBER,
       CALLS_ROOT,
       CALLED_BY_ROOT = CALLS_ROOT + FL_MAX_CALL_HOPS + 1,
       AFTER_ROOT = CALLED_BY_ROOT + FL_MAX_CALL_HOPS + 1,
       ON_NODE,
       OF_RULE
};

static const fl_relation none = {.distance = FL_UNRELATED};

static bool is_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A diagnosed cause goes on having effects; what is not diagnosed only for so long. */
static bool is_in_time(const fl_groups *groups, const fl_open *group, int64_t onset_ns)
{
    int64_t effect = groups->options.effect_ns;
    if (onset_ns < group->out.onset_ns - effect)
        return false;
    bool goes_on = group->out.is_diagnosed && group->out.lasting_count > 0;
    return goes_on || onset_ns <= group->out.last_ns + effect;
}

static bool has_service(const fl_open *group, const char *service)
{
    for (size_t i = 0; i < group->out.member_count; i++)
        if (is_same(group->kept[i]->sign.service, service))
            return true;
    return false;
}

/* Everything that the group has is of the service that reaches out, or calls it. */
static bool all_call(const fl_open *group, const fl_kept_sign *sign, const fl_reach *reach)
{
    for (size_t i = 0; i < group->out.member_count; i++) {
        uint32_t service = group->kept[i]->service;
        bool is_known = service != FL_NO_SERVICE;
        if (!is_same(group->kept[i]->sign.service, sign->sign.service) &&
            !(is_known && reach->callers[service] > 0))
            return false;
    }
    return true;
}

/* By the calls between the sign's service and the root. */
static fl_relation by_calls(const fl_open *group, const fl_kept_sign *sign, const fl_reach *reach)
{
    if (group->root == FL_NO_SERVICE || sign->service == FL_NO_SERVICE)
        return none;
    assert(group->out.root != NULL);
    unsigned below = reach->callees[group->root], above = reach->callers[group->root];
    if (below > 0)
        return (fl_relation){CALLS_ROOT + below, FL_WHY_CALLS, group->out.root, below};
    if (above > 0 && !group->out.is_diagnosed && all_call(group, sign, reach))
        return (fl_relation){CALLED_BY_ROOT + above, FL_WHY_CALLED, group->out.root, above};
    if (above == 1 && group->out.is_diagnosed && sign->sign.onset_ns >= group->out.onset_ns)
        return (fl_relation){AFTER_ROOT, FL_WHY_AFTERMATH, group->out.root, above};
    return none;
}

/* What runs on a machine that has signs of its own has its trouble, each as the root has. */
static fl_relation by_machine(const fl_open *group, const fl_reach *reach)
{
    fl_relation best = none;
    for (size_t i = 0; i < group->out.member_count && group->machine != NULL; i++) {
        const fl_kept_sign *kept = group->kept[i];
        if (kept->service == FL_NO_SERVICE || !is_same(kept->sign.node, group->machine))
            continue;
        unsigned below = reach->callees[kept->service];
        if (below > 0 && CALLS_ROOT + below < best.distance)
            best = (fl_relation){CALLS_ROOT + below, FL_WHY_CALLS, group->kept[i]->sign.service,
                                 below};
    }
    return best;
}

/* By the machine, where one of both is a sign of the machine itself. */
static fl_relation by_node(const fl_open *group, const fl_kept_sign *sign)
{
    const char *node = sign->sign.node;
    for (size_t i = 0; i < group->out.member_count && node != NULL; i++) {
        const fl_sign *other = &group->kept[i]->sign;
        if (is_same(other->node, node) && (other->service == NULL || sign->sign.service == NULL))
            return (fl_relation){ON_NODE, FL_WHY_SAME_NODE, other->node, 0};
    }
    return none;
}

static bool is_of_nobody(const fl_sign *sign)
{
    return sign->service == NULL && sign->node == NULL;
}

fl_relation fl_groups_relate(const fl_groups *groups, const fl_open *group,
                             const fl_kept_sign *sign, const fl_reach *reach)
{
    const fl_sign *first = &group->kept[0]->sign;
    assert(group->out.member_count > 0);
    if (!is_in_time(groups, group, sign->sign.onset_ns) || sign->left == group->out.key)
        return none;
    if (is_same(group->out.root, sign->sign.service))
        return (fl_relation){OF_THE_ROOT, FL_WHY_SAME_SERVICE, group->out.root, 0};
    fl_relation found = by_calls(group, sign, reach);
    if (has_service(group, sign->sign.service) && found.distance > OF_A_MEMBER)
        return (fl_relation){OF_A_MEMBER, FL_WHY_SAME_SERVICE, sign->sign.service, 0};
    if (found.distance == FL_UNRELATED)
        found = by_node(group, sign);
    if (found.distance == FL_UNRELATED)
        found = by_machine(group, reach);
    if (found.distance == FL_UNRELATED && is_of_nobody(first) && is_of_nobody(&sign->sign) &&
        is_same(first->name, sign->sign.name))
        return (fl_relation){OF_RULE, FL_WHY_SAME_RULE, first->name, 0};
    return found;
}

/* Where the trouble of a group seems to be, runs there. */
static bool is_root_on(const fl_open *group, const char *node)
{
    for (size_t i = 0; i < group->out.member_count && group->out.root != NULL; i++) {
        const fl_sign *of = &group->kept[i]->sign;
        if (is_same(of->node, node) && is_same(of->service, group->out.root))
            return true;
    }
    return false;
}

bool fl_groups_share_machine(const fl_groups *groups, const fl_open *group, const fl_open *other,
                             const char *node)
{
    assert(node != NULL);
    bool has = is_same(group->machine, node), other_has = is_same(other->machine, node);
    if (other == group || (!has && !other_has) ||
        llabs(other->out.last_ns - group->out.last_ns) > groups->options.effect_ns)
        return false;
    return (has || is_root_on(group, node)) && (other_has || is_root_on(other, node));
}

/* A cause on a machine that has signs of its own is that machine's: so are the other signs on it,
 * and those of what calls them. */
static bool machine_explains(const fl_groups *groups, const fl_open *group, uint32_t service,
                             const fl_kept_sign *sign)
{
    bool is_there = false;
    for (size_t i = 0; i < group->out.member_count && group->machine != NULL; i++)
        is_there |= group->kept[i]->service == service &&
                    is_same(group->kept[i]->sign.node, group->machine);
    if (!is_there)
        return false;
    fl_reach reach;
    fl_calls_reach(&reach, groups->options.calls, sign->service);
    return is_same(sign->sign.node, group->machine) ||
           by_machine(group, &reach).distance != FL_UNRELATED;
}

bool fl_groups_explains(const fl_groups *groups, const fl_open *group, uint32_t service,
                        const fl_reach *reach, const fl_kept_sign *sign)
{
    if (sign->service == FL_NO_SERVICE)
        return sign->sign.service == NULL; /* a machine's: nothing is known against it */
    if (sign->service == service || reach->callers[sign->service] > 0)
        return true;
    return machine_explains(groups, group, service, sign);
}

/* Rules wait for different times before they fire: whose sign was first of both says nothing. */
bool fl_groups_is_aftermath(const fl_open *group, const fl_reach *reach, const fl_kept_sign *sign)
{
    return sign->service != FL_NO_SERVICE && reach->callees[sign->service] == 1 &&
           sign->sign.onset_ns >= group->out.onset_ns;
}
