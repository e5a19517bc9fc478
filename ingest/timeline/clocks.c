/*
 * clocks.c - whose clock differs, as calls between two entities tell it.
 *
 * A client waits for its server: in true time the server's span lies within the client's. By the
 * two clocks, with the client's span [c0, c1], the server's [s0, s1] and the server's clock ahead
 * by d, that says
 *
 *     s1 - c1  <=  d  <=  s0 - c0
 *
 * whose width is what the call spent on the way (there and back), and whose middle is the
 * difference of the two spans' middles: the estimate of NTP (RFC 5905, 8), with the same bound of
 * its error, half of the delay. Of a pair's calls the quarter with the least delay is taken, as
 * NTP's clock filter does (RFC 5905, 10), of these the median; the error is the half of their
 * median delay, or what nine of ten of them are off by where that is more: a clock that was set
 * meanwhile has no offset.
 *
 * That a clock differs is said only where the network cannot explain it: where nine of ten calls
 * exclude d = 0, the offset is beyond its error, and beyond what whole milliseconds round to. A
 * server that works on after its client gave up looks like one whose clock is ahead: such a call is
 * longer than its client's and does not count, and where nobody says which span is the client's and
 * which the server's, only a server that begins before it was called is believed.
 *
 * Entities between whose calls nothing speaks against equal clocks share one. Offsets add up along
 * the calls with the least error; nobody knows the true time, so the clock that most spans agree
 * with is the reference.
 *
 * Cost: one pass over the spans with a look-up for each call; memory for MAX_CALLS of each pair.
 */
#include <assert.h>
#include <stdlib.h>

#include "mem.h"
#include "sort.h"
#include "timeline_priv.h"

enum {
    MIN_CALLS = 8,    /* 2^-8: by chance not even one of 200 pairs is one-sided */
    MAX_CALLS = 256,  /* of a pair; spans come by a hash of their trace, so the first are as any */
    MAX_SKEWED = 1024 /* pairs whose clocks differ; joining them takes their square */
};
/* Both of a pair's times may be cut to whole milliseconds. */
static const int64_t least_offset_ns = 2000000;
/* Beyond a wrong time zone it is no clock that differs; nothing overflows within it. */
static const int64_t most_offset_ns = INT64_C(86400) * 1000000000;

typedef enum verdict { UNKNOWN, SAME, SKEWED } verdict;

/* What one call says of d: [middle - delay / 2, middle + delay / 2]. */
struct call {
    int64_t middle_ns, delay_ns;
};

/* Calls of one entity by another. */
struct pair {
    uint32_t caller, callee;
    uint32_t count, first; /* calls[first ..] */
    bool is_told;          /* all of them say which is the client and which the server */
    verdict verdict;
    int64_t offset_ns, error_ns; /* of the callee's clock against the caller's */
};

/* Entities whose clocks agree, by the smallest number among them. */
struct group {
    uint32_t parent; /* union-find */
    uint64_t spans;
    bool is_reached;
    uint32_t origin;             /* the group that offsets are counted from */
    int64_t offset_ns, error_ns; /* against the origin's */
    uint64_t calls;
};

struct clocks {
    fl_timeline_builder *b;
    fl_map *ids; /* caller << 32 | callee -> pair */
    struct pair *pairs;
    size_t pair_count;
    struct call *calls;
    struct group *groups; /* by entity */
    uint32_t skewed[MAX_SKEWED];
    size_t skewed_count;
};

/* --- the calls --- */

static bool is_near(int64_t a, int64_t b)
{
    return a >= 0 && b >= 0 && a - b <= most_offset_ns && b - a <= most_offset_ns;
}

static bool is_call(const fl_timeline *t, const fl_span_row *server)
{
    if (server->parent == FL_NO_INDEX || server->duration_ns < 0)
        return false;
    const fl_span_row *client = &t->spans[server->parent];
    bool may_serve = server->kind == FL_SPAN_SERVER || server->kind == FL_SPAN_UNSPECIFIED;
    bool may_call = client->kind == FL_SPAN_CLIENT || client->kind == FL_SPAN_UNSPECIFIED;
    return may_serve && may_call && client->duration_ns >= server->duration_ns &&
           client->duration_ns <= most_offset_ns && is_near(client->start_ns, server->start_ns) &&
           t->entities[client->entity].service != t->entities[server->entity].service;
}

static bool is_told(const fl_timeline *t, const fl_span_row *server)
{
    return server->kind == FL_SPAN_SERVER && t->spans[server->parent].kind == FL_SPAN_CLIENT;
}

static struct call call_of(const fl_timeline *t, const fl_span_row *server)
{
    const fl_span_row *client = &t->spans[server->parent];
    int64_t delay_ns = client->duration_ns - server->duration_ns;
    return (struct call){.middle_ns = server->start_ns - client->start_ns - delay_ns / 2,
                         .delay_ns = delay_ns};
}

/* The pair of a call; a new one where it is the first. */
static fl_status find_pair(struct pair **out, struct clocks *c, const fl_span_row *server,
                           fl_error *err)
{
    uint32_t caller = c->b->timeline.spans[server->parent].entity;
    uint64_t *slot;
    bool added;
    fl_status status =
        fl_map_slot(&slot, c->ids, (uint64_t)caller << 32 | server->entity, &added, err);
    if (status == FL_OK && added) {
        *slot = c->pair_count;
        status = fl_tl_grow((void **)&c->pairs, c->pair_count, sizeof(*c->pairs), err);
        if (status == FL_OK)
            c->pairs[c->pair_count++] =
                (struct pair){.caller = caller, .callee = server->entity, .is_told = true};
    }
    if (status == FL_OK)
        *out = &c->pairs[*slot];
    return status;
}

/* Count the calls of each pair, or put them there. */
static fl_status visit_calls(struct clocks *c, bool put, fl_error *err)
{
    const fl_timeline *t = &c->b->timeline;
    fl_status status = FL_OK;
    for (size_t i = 0; i < t->span_count && status == FL_OK; i++) {
        struct pair *pair;
        if (!is_call(t, &t->spans[i]))
            continue;
        status = find_pair(&pair, c, &t->spans[i], err);
        if (status != FL_OK || pair->count == MAX_CALLS)
            continue;
        if (put)
            c->calls[pair->first + pair->count] = call_of(t, &t->spans[i]);
        pair->is_told &= is_told(t, &t->spans[i]);
        pair->count++;
    }
    return status;
}

static fl_status gather_calls(struct clocks *c, fl_error *err)
{
    uint32_t total = 0;
    fl_status status = visit_calls(c, false, err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < c->pair_count; i++) {
        c->pairs[i].first = total;
        total += c->pairs[i].count;
        c->pairs[i].count = 0;
    }
    c->calls = fl_mem_calloc(total, sizeof(*c->calls));
    if (c->calls == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %u calls", total);
    return visit_calls(c, true, err);
}

/* --- a pair --- */

static int compare_delays(const void *left, const void *right)
{
    const struct call *a = left, *b = right;
    if (a->delay_ns != b->delay_ns)
        return a->delay_ns < b->delay_ns ? -1 : 1;
    return (a->middle_ns > b->middle_ns) - (a->middle_ns < b->middle_ns);
}

/* Relative to the first: within days doubles hold nanoseconds exactly. */
static void measure(struct pair *pair, const struct call *calls, size_t count)
{
    double values[MAX_CALLS];
    assert(count > 0 && count <= MAX_CALLS);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(calls[i].middle_ns - calls[0].middle_ns);
    double middle = fl_select(values, count, count / 2);
    for (size_t i = 0; i < count; i++) {
        double away = (double)(calls[i].middle_ns - calls[0].middle_ns) - middle;
        values[i] = away < 0 ? -away : away;
    }
    double spread = fl_select(values, count, count * 9 / 10);
    double half_delay = (double)calls[count / 2].delay_ns / 2; /* sorted */
    pair->offset_ns = calls[0].middle_ns + (int64_t)middle;
    pair->error_ns = (int64_t)(spread > half_delay ? spread : half_delay);
}

static void judge(struct pair *pair, struct call *calls)
{
    size_t against = 0, best = pair->count / 4;
    if (pair->count < MIN_CALLS)
        return;
    for (size_t i = 0; i < pair->count; i++) {
        int64_t half = calls[i].delay_ns / 2;
        against += calls[i].middle_ns - half > 0 || calls[i].middle_ns + half < 0;
    }
    if (10 * against <= pair->count) {
        pair->verdict = SAME;
        return;
    }
    qsort(calls, pair->count, sizeof(*calls), compare_delays);
    measure(pair, calls, best > MIN_CALLS ? best : MIN_CALLS);
    int64_t size_ns = pair->offset_ns < 0 ? -pair->offset_ns : pair->offset_ns;
    bool is_clear = 10 * against >= 9 * (size_t)pair->count && size_ns > pair->error_ns &&
                    size_ns >= least_offset_ns;
    if (is_clear && (pair->is_told || pair->offset_ns < 0))
        pair->verdict = SKEWED;
}

/* --- all of them together --- */

static uint32_t root_of(struct clocks *c, uint32_t entity)
{
    struct group *groups = c->groups;
    while (groups[entity].parent != entity) {
        groups[entity].parent = groups[groups[entity].parent].parent;
        entity = groups[entity].parent;
    }
    return entity;
}

static fl_status make_groups(struct clocks *c, fl_error *err)
{
    const fl_timeline *t = &c->b->timeline;
    c->groups = fl_mem_calloc(t->entity_count, sizeof(*c->groups));
    if (c->groups == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu clocks", t->entity_count);
    for (uint32_t i = 0; i < t->entity_count; i++)
        c->groups[i].parent = i;
    for (size_t i = 0; i < c->pair_count; i++) {
        if (c->pairs[i].verdict != SAME)
            continue;
        uint32_t a = root_of(c, c->pairs[i].caller), b = root_of(c, c->pairs[i].callee);
        c->groups[a > b ? a : b].parent = a > b ? b : a;
    }
    for (size_t i = 0; i < t->span_count; i++)
        c->groups[root_of(c, t->spans[i].entity)].spans++;
    return FL_OK;
}

/* The pair with the least error that leads from what is reached to what is not; NULL: none. */
static const struct pair *next_pair(struct clocks *c, uint32_t origin)
{
    const struct pair *best = NULL;
    int64_t least_ns = INT64_MAX;
    for (size_t i = 0; i < c->skewed_count; i++) {
        const struct pair *pair = &c->pairs[c->skewed[i]];
        const struct group *from = &c->groups[root_of(c, pair->caller)];
        const struct group *to = &c->groups[root_of(c, pair->callee)];
        if (from->is_reached == to->is_reached)
            continue;
        const struct group *known = from->is_reached ? from : to;
        if (known->origin == origin && known->error_ns + pair->error_ns < least_ns) {
            least_ns = known->error_ns + pair->error_ns;
            best = pair;
        }
    }
    return best;
}

/* Offsets of everything that calls lead to from `origin`, against it. */
static void spread_from(struct clocks *c, uint32_t origin)
{
    c->groups[origin].is_reached = true;
    c->groups[origin].origin = origin;
    for (const struct pair *pair; (pair = next_pair(c, origin)) != NULL;) {
        uint32_t from = root_of(c, pair->caller), to = root_of(c, pair->callee);
        bool is_forward = c->groups[from].is_reached;
        const struct group *known = &c->groups[is_forward ? from : to];
        struct group *found = &c->groups[is_forward ? to : from];
        assert(!found->is_reached);
        found->is_reached = true;
        found->origin = origin;
        found->offset_ns = known->offset_ns + (is_forward ? pair->offset_ns : -pair->offset_ns);
        found->error_ns = known->error_ns + pair->error_ns;
        found->calls = pair->count;
    }
}

static bool is_same_clock(const struct group *a, const struct group *b)
{
    int64_t apart = a->offset_ns - b->offset_ns;
    return (apart < 0 ? -apart : apart) <= a->error_ns + b->error_ns;
}

/* Of the groups that were reached from `origin` the one that most spans agree with. */
static uint32_t reference_of(struct clocks *c, uint32_t origin)
{
    uint32_t best = origin;
    uint64_t most = 0;
    for (size_t i = 0; i < 2 * c->skewed_count; i++) {
        const struct pair *pair = &c->pairs[c->skewed[i / 2]];
        uint32_t at = root_of(c, i % 2 == 0 ? pair->caller : pair->callee);
        uint64_t spans = 0;
        if (c->groups[at].origin != origin || !c->groups[at].is_reached)
            continue;
        for (uint32_t e = 0; e < c->b->timeline.entity_count; e++) {
            const struct group *other = &c->groups[e];
            if (other->is_reached && other->origin == origin &&
                is_same_clock(other, &c->groups[at]))
                spans += other->spans;
        }
        if (spans > most || (spans == most && at < best)) {
            most = spans;
            best = at;
        }
    }
    return best;
}

/* Count the offsets of one origin from its reference instead. */
static void refer(struct clocks *c, uint32_t origin)
{
    uint32_t reference = reference_of(c, origin);
    struct group zero = c->groups[reference];
    for (uint32_t e = 0; e < c->b->timeline.entity_count; e++) {
        struct group *group = &c->groups[e];
        if (!group->is_reached || group->origin != origin)
            continue;
        bool is_same = e == reference || is_same_clock(group, &zero);
        group->offset_ns = is_same ? 0 : group->offset_ns - zero.offset_ns;
        group->error_ns += zero.error_ns;
        if (group->calls == 0)
            group->calls = zero.calls;
    }
}

/* The clocks that differ, by entity. */
static fl_status tell(struct clocks *c, fl_error *err)
{
    fl_timeline *t = &c->b->timeline;
    fl_clock *clocks;
    size_t count = 0;
    for (uint32_t e = 0; e < t->entity_count; e++)
        count += c->groups[root_of(c, e)].offset_ns != 0;
    fl_status status = FL_TL_NEW(c->b, clocks, count, "clocks", err);
    if (status != FL_OK)
        return status;
    count = 0;
    for (uint32_t e = 0; e < t->entity_count; e++) {
        const struct group *group = &c->groups[root_of(c, e)];
        if (group->offset_ns != 0)
            clocks[count++] = (fl_clock){.entity = e,
                                         .offset_ns = group->offset_ns,
                                         .error_ns = group->error_ns,
                                         .calls = group->calls};
    }
    t->clocks = clocks;
    t->clock_count = count;
    return FL_OK;
}

static fl_status join(struct clocks *c, fl_error *err)
{
    fl_status status = make_groups(c, err);
    for (size_t i = 0; i < c->skewed_count && status == FL_OK; i++) {
        uint32_t origin = root_of(c, c->pairs[c->skewed[i]].caller);
        if (c->groups[origin].is_reached)
            continue;
        spread_from(c, origin);
        refer(c, origin);
    }
    return status == FL_OK ? tell(c, err) : status;
}

fl_status fl_tl_find_clocks(fl_timeline_builder *b, fl_error *err)
{
    struct clocks c = {.b = b};
    fl_status status = fl_map_create(&c.ids, b->timeline.span_count + 1, err);
    if (status == FL_OK)
        status = gather_calls(&c, err);
    for (size_t i = 0; i < c.pair_count && status == FL_OK; i++) {
        judge(&c.pairs[i], c.calls + c.pairs[i].first);
        if (c.pairs[i].verdict == SKEWED && c.skewed_count < MAX_SKEWED)
            c.skewed[c.skewed_count++] = (uint32_t)i;
    }
    if (status == FL_OK && c.skewed_count > 0)
        status = join(&c, err);
    fl_map_destroy(c.ids);
    fl_mem_free(c.pairs);
    fl_mem_free(c.calls);
    fl_mem_free(c.groups);
    return status;
}

/* --- putting times right --- */

/* The window of a moment; the one where it was before where there is none. */
static uint32_t window_at(const fl_timeline_builder *b, int64_t time_ns, uint32_t before)
{
    size_t low = 0, high = b->timeline.window_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->sorted_windows[middle].to_ns <= time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_in = low < b->timeline.window_count && b->sorted_windows[low].from_ns <= time_ns;
    return is_in ? (uint32_t)low : before;
}

fl_status fl_tl_set_clocks(fl_timeline_builder *b, fl_error *err)
{
    const fl_timeline *t = &b->timeline;
    fl_span_row *rows = (fl_span_row *)b->spans.rows;
    struct raw_log *logs = (struct raw_log *)b->logs.rows;
    int64_t *offsets = fl_mem_calloc(t->entity_count, sizeof(*offsets));
    if (offsets == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu clocks", t->entity_count);
    for (size_t i = 0; i < t->clock_count; i++)
        offsets[t->clocks[i].entity] = t->clocks[i].offset_ns;
    for (size_t i = 0; i < t->span_count; i++) {
        rows[i].start_ns -= offsets[rows[i].entity];
        if (offsets[rows[i].entity] != 0)
            rows[i].window = window_at(b, rows[i].start_ns, rows[i].window);
    }
    for (size_t i = 0; i < b->logs.count; i++) {
        logs[i].time_ns -= offsets[logs[i].entity];
        if (offsets[logs[i].entity] != 0)
            logs[i].window = window_at(b, logs[i].time_ns, logs[i].window);
    }
    fl_mem_free(offsets);
    fl_sort_rows(rows, t->span_count, sizeof(*rows), &fl_tl_span_order);
    fl_sort_rows(logs, b->logs.count, sizeof(*logs), &fl_tl_log_order);
    return FL_OK;
}
