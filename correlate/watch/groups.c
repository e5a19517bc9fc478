/*
 * groups.c - signs come, find their group or open one, and go with it.
 *
 * Invariants:
 *   (1) each sign is in one group, and by_key leads to it;
 *   (2) a group has a member; members[0] opened it, unless it left;
 *   (3) open[] is in the order in which the groups were opened.
 *
 * Cost: a sign asks each open group once, and a group each of its members in the worst case.
 */
#include "groups.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups_priv.h"
#include "hash.h"
#include "map.h"
#include "mem.h"
#include "sign.h"
#include "slice.h"

static const int64_t default_effect_ns = INT64_C(900) * 1000000000;
static const int64_t default_quiet_ns = INT64_C(300) * 1000000000;

const char *fl_why_name(fl_why why)
{
    static const char *const names[FL_WHY_COUNT] = {
        "first", "same-service", "calls", "called-by", "aftermath", "same-node", "same-rule"};
    assert((unsigned)why < FL_WHY_COUNT);
    return names[why];
}

const char *fl_sign_kind_name(fl_sign_kind kind)
{
    static const char *const names[FL_SIGN_KIND_COUNT] = {"alert", "errors", "latency", "traffic"};
    assert((unsigned)kind < FL_SIGN_KIND_COUNT);
    return names[kind];
}

/* What was not asked for gets the defaults that the header states. */
fl_status fl_groups_create(fl_groups **out, const fl_groups_options *options, fl_error *err)
{
    assert(options->calls != NULL);
    *out = NULL;
    fl_groups *groups = fl_mem_calloc(1, sizeof(*groups));
    if (groups == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for incidents");
    groups->options = *options;
    fl_groups_options *o = &groups->options;
    o->effect_ns = o->effect_ns > 0 ? o->effect_ns : default_effect_ns;
    o->quiet_ns = o->quiet_ns > 0 ? o->quiet_ns : default_quiet_ns;
    o->max_groups = o->max_groups > 0 ? o->max_groups : FL_MAX_GROUPS;
    o->max_signs = o->max_signs > 0 ? o->max_signs : FL_MAX_SIGNS;
    fl_status status = fl_map_create(&groups->by_key, o->max_signs, err);
    groups->open = fl_mem_calloc(o->max_groups, sizeof(*groups->open));
    if (status == FL_OK && groups->open == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for incidents");
    if (status != FL_OK) {
        fl_groups_destroy(groups);
        return status;
    }
    *out = groups;
    return FL_OK;
}

/* The group alone: its signs are somebody else's by now, or freed before. */
static void free_group(fl_open *group)
{
    fl_mem_free(group->kept);
    fl_mem_free(group->members);
    fl_mem_free(group);
}

/* Those that the group still has. */
static void free_signs(fl_open *group)
{
    for (size_t i = 0; i < group->out.member_count; i++)
        fl_mem_free(group->kept[i]);
}

void fl_groups_destroy(fl_groups *groups)
{
    if (groups == NULL)
        return;
    for (size_t i = 0; i < groups->count; i++) {
        free_signs(groups->open[i]);
        free_group(groups->open[i]);
    }
    fl_map_destroy(groups->by_key);
    fl_mem_free(groups->open);
    fl_mem_free(groups);
}

size_t fl_groups_count(const fl_groups *groups)
{
    return groups->count;
}

const fl_group *fl_groups_at(const fl_groups *groups, size_t index)
{
    assert(index < groups->count);
    return &groups->open[index]->out;
}

/* There are few groups at a time: a walk is enough. */
static fl_open *find_group(const fl_groups *groups, uint64_t key)
{
    for (size_t i = 0; i < groups->count; i++)
        if (groups->open[i]->out.key == key)
            return groups->open[i];
    return NULL;
}

const fl_group *fl_groups_find(const fl_groups *groups, uint64_t key)
{
    const fl_open *group = find_group(groups, key);
    return group != NULL ? &group->out : NULL;
}

/* ---- signs ---- */

/* A copy that belongs to no group yet; the caller frees it. */
static fl_status keep_sign(fl_kept_sign **out, fl_groups *groups, const fl_sign *sign,
                           fl_error *err)
{
    fl_kept_sign *kept = fl_mem_calloc(1, sizeof(*kept) + fl_sign_text_bytes(sign));
    *out = NULL;
    if (kept == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a sign of trouble");
    fl_sign_copy(&kept->sign, (char *)(kept + 1), sign);
    fl_status status = fl_calls_service(&kept->service, groups->options.calls,
                                        fl_slice_of(kept->sign.service), err);
    if (status != FL_OK) {
        fl_mem_free(kept);
        return status;
    }
    *out = kept;
    return FL_OK;
}

static fl_kept_sign *find_sign(const fl_groups *groups, uint64_t key)
{
    const uint64_t *value = fl_map_find(groups->by_key, key);
    return value != NULL ? (fl_kept_sign *)(uintptr_t)*value : NULL;
}

/* The map forgets no single key. It was as large before: there is memory for it. */
static void index_again(fl_groups *groups)
{
    fl_map_clear(groups->by_key);
    for (size_t g = 0; g < groups->count; g++)
        for (size_t i = 0; i < groups->open[g]->out.member_count; i++) {
            uint64_t *slot = NULL;
            fl_kept_sign *kept = groups->open[g]->kept[i];
            fl_status status = fl_map_slot(&slot, groups->by_key, kept->sign.key, NULL, NULL);
            assert(status == FL_OK);
            (void)status;
            *slot = (uintptr_t)kept;
        }
}

/* ---- a group's members ---- */

/* What follows from the members. */
static void sum_up(fl_open *group)
{
    fl_group *out = &group->out;
    assert(out->member_count > 0);
    out->onset_ns = INT64_MAX;
    out->last_ns = INT64_MIN;
    out->lasting_count = 0;
    group->machine = NULL;
    int64_t cleared = 0;
    for (size_t i = 0; i < out->member_count; i++) {
        const fl_sign *sign = &group->kept[i]->sign;
        out->onset_ns = sign->onset_ns < out->onset_ns ? sign->onset_ns : out->onset_ns;
        out->last_ns = sign->onset_ns > out->last_ns ? sign->onset_ns : out->last_ns;
        out->lasting_count += sign->cleared_ns == 0;
        if (sign->service == NULL && group->machine == NULL)
            group->machine = sign->node;
        cleared = sign->cleared_ns > cleared ? sign->cleared_ns : cleared;
    }
    out->cleared_ns = out->lasting_count == 0 ? cleared : 0;
    out->members = group->members;
}

/* Every change that a reader may see goes through here: the version tells him of it. */
static void touch(fl_open *group, int64_t now_ns)
{
    sum_up(group);
    group->out.changed_ns = now_ns;
    group->out.version++;
}

/* The name is copied: it may be of a sign that goes before the group does. */
static void set_root(fl_open *group, const char *name, uint32_t service)
{
    group->root = service;
    group->out.root = NULL;
    if (name == NULL)
        return;
    (void)snprintf(group->root_name, sizeof(group->root_name), "%s", name);
    group->out.root = group->root_name;
}

/* Before anything is changed, so that a failure changes nothing. */
static fl_status make_room(fl_open *group, size_t more, fl_error *err)
{
    size_t wanted = group->out.member_count + more;
    if (wanted <= group->capacity)
        return FL_OK;
    size_t capacity = wanted > 2 * group->capacity ? wanted : 2 * group->capacity;
    fl_kept_sign **kept = fl_mem_realloc(group->kept, capacity, sizeof(*kept));
    if (kept == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an incident's signs");
    group->kept = kept;
    fl_member *members = fl_mem_realloc(group->members, capacity, sizeof(*members));
    if (members == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an incident's signs");
    group->members = members;
    group->out.members = members;
    group->capacity = capacity;
    return FL_OK;
}

/* Room was made. */
static void append(fl_open *group, fl_kept_sign *kept, const fl_relation *how)
{
    assert(group->out.member_count < group->capacity && how->distance != FL_UNRELATED);
    size_t at = group->out.member_count++;
    kept->of[0] = '\0';
    if (how->of != NULL)
        (void)snprintf(kept->of, sizeof(kept->of), "%s", how->of);
    kept->group = group;
    group->kept[at] = kept;
    group->members[at] = (fl_member){.sign = &kept->sign,
                                     .why = how->why,
                                     .of = how->of != NULL ? kept->of : NULL,
                                     .hops = how->hops};
}

/* The sign is nobody's then: the caller finds it a place. */
static void take_out(fl_open *group, size_t at)
{
    size_t behind = group->out.member_count - at - 1;
    memmove(group->kept + at, group->kept + at + 1, behind * sizeof(*group->kept));
    memmove(group->members + at, group->members + at + 1, behind * sizeof(*group->members));
    group->out.member_count--;
}

/* ---- groups ---- */

/* There are as many as there are causes at a time, which is few; the limit is for what goes wrong.
 */

static const fl_relation first_of_all = {.distance = 0, .why = FL_WHY_FIRST};

/* An empty group, the newest. */
static fl_status open_group(fl_open **out, fl_groups *groups, fl_kept_sign *kept, int64_t now_ns,
                            fl_error *err)
{
    *out = NULL;
    if (groups->count == groups->options.max_groups)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %zu incidents at once",
                       groups->options.max_groups);
    fl_open *group = fl_mem_calloc(1, sizeof(*group));
    if (group == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an incident");
    fl_status status = make_room(group, 1, err);
    if (status != FL_OK) {
        free_group(group);
        return status;
    }
    /* The sign that opened a group may leave it and open another. */
    for (group->out.key = kept->sign.key; find_group(groups, group->out.key) != NULL;)
        group->out.key = fl_hash_mix(group->out.key + 1);
    group->out.opened_ns = now_ns;
    set_root(group, kept->sign.service, kept->service);
    groups->open[groups->count++] = group;
    *out = group;
    return FL_OK;
}

/* Its members went elsewhere, or are over. The place in the order closes. */
static void drop_group(fl_groups *groups, fl_open *group)
{
    size_t at = 0;
    while (groups->open[at] != group)
        at++;
    assert(at < groups->count);
    memmove(groups->open + at, groups->open + at + 1,
            (groups->count - at - 1) * sizeof(*groups->open));
    groups->count--;
    free_group(group);
}

/* The nearest group, of equal ones the oldest; NULL where the sign belongs to none. */
static fl_open *nearest(fl_relation *how, const fl_groups *groups, const fl_kept_sign *kept,
                        const fl_reach *reach)
{
    fl_open *best = NULL;
    how->distance = FL_UNRELATED;
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->open[i]->out.member_count == 0)
            continue;
        fl_relation found = fl_groups_relate(groups, groups->open[i], kept, reach);
        if (found.distance >= how->distance)
            continue;
        *how = found;
        best = groups->open[i];
    }
    return best;
}

/* The members of `from` follow; the one that opened it now says why it is here. */
static fl_status join(fl_groups *groups, fl_open *into, fl_open *from, const fl_relation *how,
                      fl_error *err)
{
    assert(into != from && from->out.member_count > 0);
    fl_status status = make_room(into, from->out.member_count, err);
    if (status != FL_OK)
        return status;
    if (groups->options.ended != NULL)
        groups->options.ended(groups->options.payload, &from->out, &into->out);
    for (size_t i = 0; i < from->out.member_count; i++) {
        const fl_member *old = &from->members[i];
        const fl_relation own = {0, old->why, old->of, old->hops};
        append(into, from->kept[i], old->why == FL_WHY_FIRST ? how : &own);
    }
    if (from->out.opened_ns < into->out.opened_ns)
        into->out.opened_ns = from->out.opened_ns;
    drop_group(groups, from);
    return FL_OK;
}

/* Whether another incident has the same trouble as one whose root `reach` is of: it was diagnosed
 * so, or all of its signs lead there and began when these did. */
static bool is_the_same(const fl_groups *groups, const fl_open *group, const fl_open *other,
                        const fl_reach *reach)
{
    int64_t apart = other->out.last_ns - group->out.last_ns;
    if (other == group || other->root == FL_NO_SERVICE || group->root == FL_NO_SERVICE ||
        llabs(apart) > groups->options.effect_ns)
        return false;
    if (other->root == group->root)
        return true;
    return !other->out.is_diagnosed && reach->callers[other->root] > 0;
}

/* The older of both stays, and its trouble is where that of `group` is. */
static fl_status unite(fl_open **out, fl_groups *groups, fl_open *group, fl_open *other,
                       const fl_reach *reach, fl_error *err)
{
    unsigned hops = other->root != group->root ? reach->callers[other->root] : 0;
    fl_relation how = {0, hops > 0 ? FL_WHY_CALLS : FL_WHY_SAME_SERVICE, group->out.root, hops};
    fl_open *into = group, *from = other;
    char was[FL_MAX_SIGN_TEXT_BYTES];
    if (other->out.opened_ns < group->out.opened_ns) {
        into = other;
        from = group;
        (void)snprintf(was, sizeof(was), "%s", other->out.root);
        set_root(other, group->out.root, group->root);
        other->out.is_diagnosed = group->out.is_diagnosed;
        how = (fl_relation){0, hops > 0 ? FL_WHY_CALLED : FL_WHY_SAME_SERVICE, was, hops};
    }
    *out = into;
    return join(groups, into, from, &how, err);
}

/* The trouble of a group has moved: others may turn out to be the same. */
static fl_status gather(fl_groups *groups, fl_open **group, const fl_reach *reach, int64_t now_ns,
                        fl_error *err)
{
    size_t i = 0;
    while (i < groups->count) {
        if (!is_the_same(groups, *group, groups->open[i], reach)) {
            i++;
            continue;
        }
        fl_status status = unite(group, groups, *group, groups->open[i], reach, err);
        if (status != FL_OK)
            return status;
        touch(*group, now_ns);
        i = 0; /* places have moved */
    }
    return FL_OK;
}

/* A machine that tells of trouble itself: what runs on it was not in trouble by itself. The oldest
 * stays, and its trouble is where it was. */
static fl_status gather_machine(fl_groups *groups, fl_open **group, const char *node,
                                int64_t now_ns, fl_error *err)
{
    size_t i = 0;
    while (i < groups->count) {
        fl_open *other = groups->open[i];
        if (!fl_groups_share_machine(groups, *group, other, node)) {
            i++;
            continue;
        }
        bool is_older = other->out.opened_ns < (*group)->out.opened_ns;
        fl_open *into = is_older ? other : *group, *from = is_older ? *group : other;
        const fl_relation how = {0, FL_WHY_SAME_NODE, node, 0};
        if (into->out.root == NULL || (from->out.is_diagnosed && !into->out.is_diagnosed))
            set_root(into, from->out.root, from->root);
        into->out.is_diagnosed |= from->out.is_diagnosed;
        fl_status status = join(groups, into, from, &how, err);
        if (status != FL_OK)
            return status;
        *group = into;
        touch(into, now_ns);
        i = 0; /* places have moved */
    }
    return FL_OK;
}

/* A sign that is in no group yet goes into the nearest, or opens one. On failure it is still the
 * caller's. */
static fl_status place(uint64_t *key, fl_groups *groups, fl_kept_sign *kept, int64_t now_ns,
                       fl_error *err)
{
    fl_reach reach;
    fl_relation how;
    fl_calls_reach(&reach, groups->options.calls, kept->service);
    fl_open *group = nearest(&how, groups, kept, &reach);
    fl_status status =
        group != NULL ? make_room(group, 1, err) : open_group(&group, groups, kept, now_ns, err);
    if (status != FL_OK)
        return status;
    if (group->out.member_count == 0)
        how = first_of_all;
    append(group, kept, &how);
    if (how.why == FL_WHY_CALLED || (how.why == FL_WHY_SAME_NODE && group->out.root == NULL))
        set_root(group, kept->sign.service, kept->service);
    touch(group, now_ns);
    if (how.why == FL_WHY_CALLED)
        status = gather(groups, &group, &reach, now_ns, err);
    /* One that was let go stays apart: who lets it go still holds the group that it left. */
    if (status == FL_OK && kept->sign.node != NULL && kept->left == 0)
        status = gather_machine(groups, &group, kept->sign.node, now_ns, err);
    *key = group->out.key;
    return status;
}

/* News of a sign that is known. */
static void update(fl_kept_sign *kept, const fl_sign *sign, int64_t now_ns)
{
    bool is_news = (kept->sign.cleared_ns == 0) != (sign->cleared_ns == 0);
    kept->sign.cleared_ns = sign->cleared_ns;
    if (isfinite(sign->value))
        kept->sign.value = sign->value;
    if (is_news)
        touch(kept->group, now_ns);
}

/* One that had cleared before it was told of opens nothing: there is nothing left to explain. */
fl_status fl_groups_tell(uint64_t *key, fl_groups *groups, const fl_sign *sign, int64_t now_ns,
                         fl_error *err)
{
    assert((unsigned)sign->kind < FL_SIGN_KIND_COUNT);
    *key = 0;
    fl_kept_sign *kept = find_sign(groups, sign->key);
    if (kept != NULL) {
        update(kept, sign, now_ns);
        *key = kept->group->out.key;
        return FL_OK;
    }
    if (sign->cleared_ns != 0)
        return FL_OK;
    if (fl_map_count(groups->by_key) == groups->options.max_signs)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %zu signs of trouble at once",
                       groups->options.max_signs);
    uint64_t *slot = NULL;
    fl_status status = keep_sign(&kept, groups, sign, err);
    if (status != FL_OK)
        return status;
    status = fl_map_slot(&slot, groups->by_key, sign->key, NULL, err);
    if (status == FL_OK) {
        *slot = (uintptr_t)kept;
        status = place(key, groups, kept, now_ns, err);
    }
    if (status != FL_OK && kept->group == NULL) {
        fl_mem_free(kept);
        index_again(groups);
    }
    return status;
}

/* ---- what a ranking says ---- */

/* A ranking sees all of the telemetry, and so also the causes of other incidents of the same time.
 * Of its causes a group takes the first that explains what the group has: two incidents at once
 * then have two causes, in whichever order the ranking has them. */

/* How many of a group's signs a cause would explain; these are marked. */
static size_t explained(const fl_groups *groups, const fl_open *group, uint32_t service,
                        const fl_reach *reach)
{
    size_t count = 0;
    for (size_t i = 0; i < group->out.member_count; i++) {
        bool is = fl_groups_explains(groups, group, service, reach, group->kept[i]);
        group->kept[i]->is_explained |= is;
        count += is;
    }
    return count;
}

/* The cause that explains most of a group's signs, of equal ones the likeliest. It has half of them
 * at least, or all causes together have: what a ranking does not know of does not take a group
 * apart. FL_NO_SERVICE: there is none. */
static fl_status choose(uint32_t *out, const char **name, const fl_groups *groups,
                        const fl_open *group, const fl_causes *causes, fl_error *err)
{
    fl_reach reach;
    size_t most = 0, known = 0, all = group->out.member_count;
    *out = FL_NO_SERVICE;
    for (size_t i = 0; i < all; i++)
        group->kept[i]->is_explained = false;
    for (size_t i = 0; i < causes->count && most < all; i++) {
        uint32_t service;
        fl_status status = fl_calls_service(&service, groups->options.calls,
                                            fl_slice_of(causes->services[i]), err);
        if (status != FL_OK)
            return status;
        if (service == FL_NO_SERVICE)
            continue;
        fl_calls_reach(&reach, groups->options.calls, service);
        size_t count = explained(groups, group, service, &reach);
        if (count <= most)
            continue;
        most = count;
        *out = service;
        *name = causes->services[i];
    }
    for (size_t i = 0; i < all; i++)
        known += group->kept[i]->is_explained;
    if (2 * known < all)
        *out = FL_NO_SERVICE;
    return FL_OK;
}

/* Signs that the cause does not explain; they are in no group while they look for one. The group
 * keeps at least one. */
static fl_status let_go(fl_groups *groups, fl_open *group, const fl_reach *reach, int64_t now_ns,
                        fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = group->out.member_count; i-- > 0 && status == FL_OK;) {
        fl_kept_sign *kept = group->kept[i];
        uint64_t key;
        if (group->out.member_count == 1 ||
            fl_groups_explains(groups, group, group->root, reach, kept) ||
            fl_groups_is_aftermath(group, reach, kept))
            continue;
        fl_member was = group->members[i];
        take_out(group, i);
        kept->left = group->out.key;
        status = place(&key, groups, kept, now_ns, err);
        if (status != FL_OK && kept->group == group) { /* no room elsewhere: it stays */
            const fl_relation back = {0, was.why, was.of, was.hops};
            append(group, kept, &back);
        }
    }
    touch(group, now_ns);
    return status;
}

/* The same diagnosis again is no news, so that a triage that is repeated moves nothing. */
fl_status fl_groups_diagnose(fl_groups *groups, uint64_t key, const fl_causes *causes,
                             int64_t now_ns, fl_error *err)
{
    fl_open *group = find_group(groups, key);
    uint32_t service;
    const char *name = NULL;
    fl_reach reach;
    if (group == NULL)
        return FL_OK;
    fl_status status = choose(&service, &name, groups, group, causes, err);
    if (status != FL_OK || service == FL_NO_SERVICE)
        return status;
    if (group->out.is_diagnosed && group->root == service)
        return FL_OK;
    set_root(group, name, service);
    group->out.is_diagnosed = true;
    fl_calls_reach(&reach, groups->options.calls, service);
    status = let_go(groups, group, &reach, now_ns, err);
    return status == FL_OK ? gather(groups, &group, &reach, now_ns, err) : status;
}

/* ---- the end ---- */

/* From the newest: closing one does not move those that are still to be asked. */
void fl_groups_settle(fl_groups *groups, int64_t now_ns)
{
    bool any = false;
    for (size_t i = groups->count; i-- > 0;) {
        fl_open *group = groups->open[i];
        if (group->out.lasting_count > 0 ||
            now_ns - group->out.cleared_ns < groups->options.quiet_ns)
            continue;
        if (groups->options.ended != NULL)
            groups->options.ended(groups->options.payload, &group->out, NULL);
        free_signs(group);
        drop_group(groups, group);
        any = true;
    }
    if (any)
        index_again(groups);
}

/* ---- what was kept elsewhere ---- */

/* The first makes the group. */
static fl_status restore_member(fl_groups *groups, fl_open **group, const fl_group *from,
                                const fl_member *member, fl_error *err)
{
    fl_kept_sign *kept;
    uint64_t *slot = NULL;
    fl_status status = keep_sign(&kept, groups, member->sign, err);
    if (status != FL_OK)
        return status;
    const fl_relation how = {0, member->why, member->of, member->hops};
    status = fl_map_slot(&slot, groups->by_key, kept->sign.key, NULL, err);
    if (status == FL_OK && *group == NULL)
        status = open_group(group, groups, kept, from->opened_ns, err);
    if (status == FL_OK)
        status = make_room(*group, 1, err);
    if (status != FL_OK) {
        fl_mem_free(kept);
        return status;
    }
    append(*group, kept, &how);
    *slot = (uintptr_t)kept;
    return FL_OK;
}

/* A sign that another group has by now stays there: it was told of since. */
fl_status fl_groups_restore(fl_groups *groups, const fl_group *from, fl_error *err)
{
    fl_open *group = NULL;
    fl_status status = FL_OK;
    assert(find_group(groups, from->key) == NULL);
    for (size_t i = 0; i < from->member_count && status == FL_OK; i++)
        if (find_sign(groups, from->members[i].sign->key) == NULL)
            status = restore_member(groups, &group, from, &from->members[i], err);
    if (group != NULL) {
        uint32_t service = FL_NO_SERVICE;
        group->out.key = from->key;
        if (status == FL_OK)
            status =
                fl_calls_service(&service, groups->options.calls, fl_slice_of(from->root), err);
        set_root(group, from->root, service);
        group->out.is_diagnosed = from->is_diagnosed;
        touch(group, from->changed_ns);
    }
    index_again(groups);
    return status;
}
