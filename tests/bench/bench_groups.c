/*
 * bench_groups.c - how well signs of trouble are put together: made-up faults whose signs are known
 * to belong together, told to the groups as a daemon would tell them.
 *
 *     bench_groups [DAYS [SEED]]
 *
 * Each of DAYS (200) systems a situation is another: 40 services in four layers, of which each
 * calls one to three of the layers below, on twelve machines. A fault shows at its service (two
 * rules) and at those that call it, at each hop with 0.8, at entries also as a break; rules fire up
 * to five minutes after the fault began, 10 s later for each hop, and end up to five minutes after
 * it did. One fault in five is of a machine and of all that runs on it; one in ten also shows at a
 * callee.
 *
 * Two signs belong together where a fault has both. Precision: of the pairs that were put together,
 * how many belong; recall: of those that belong, how many were put together. Both are asked of
 * signs as they come, without a ranking and with one that is asked every two minutes, knows each
 * fault of the time with 0.9, takes a caller of it for another cause with 0.2 and a callee with
 * 0.1, and in one of ten answers puts any service first.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"

enum { SERVICES = 40, LAYERS = 4, NODES = 12, RULES = 60, MAX_FAULTS = 16, DAY_S = 86400 };
#define NS INT64_C(1000000000)

typedef struct fault {
    int service, node; /* node -1: of the service alone */
    int from_s, to_s;
    int rules;               /* of each service that it shows at */
    bool mistaken[SERVICES]; /* for it, by a ranking */
} fault;

typedef struct made_sign {
    unsigned faults, may; /* a bit each: those that it is of, and those that would explain it */
    int service, node, rule, hops;
    int onset_s, told_s, cleared_s;
    uint64_t key, group; /* group: where it was in the end */
} made_sign;

typedef struct event {
    int at_s;
    size_t sign;
    bool is_end;
} event;

typedef struct score {
    double precision, recall; /* sums over days */
    double faults, incidents, rooted, days, whole;
} score;

static uint64_t state = 1;
static bool calls_[SERVICES][SERVICES];
static int hops_[SERVICES][SERVICES]; /* from caller to callee; 0: does not */
static int node_of[SERVICES];
static char names[SERVICES][16], nodes[NODES][16], rules[RULES][16];
static made_sign signs[SERVICES * RULES + NODES];
static event events[2 * (SERVICES * RULES + NODES)];
static size_t sign_count, event_count;
static fault faults[MAX_FAULTS];
static size_t fault_count;
static bool has_ranking;
static double roots_right, groups_ended;

static double uniform(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static int below(int limit)
{
    return (int)(uniform() * limit);
}

/* ---- a system ---- */

static int layer_of(int service)
{
    return service * LAYERS / SERVICES;
}

static void make_system(void)
{
    memset(calls_, 0, sizeof(calls_));
    memset(hops_, 0, sizeof(hops_));
    for (int s = 0; s < SERVICES; s++) {
        snprintf(names[s], sizeof(names[s]), "s%d", s);
        node_of[s] = below(NODES);
        for (int left = 1 + below(3); left > 0 && layer_of(s) < LAYERS - 1; left--) {
            int first = (layer_of(s) + 1) * SERVICES / LAYERS;
            calls_[s][first + below(SERVICES - first)] = true;
        }
    }
    for (int s = SERVICES - 1; s >= 0; s--)
        for (int c = 0; c < SERVICES; c++) {
            if (!calls_[s][c])
                continue;
            hops_[s][c] = 1;
            for (int d = 0; d < SERVICES; d++)
                if (hops_[c][d] > 0 && (hops_[s][d] == 0 || hops_[s][d] > hops_[c][d] + 1))
                    hops_[s][d] = hops_[c][d] + 1;
        }
}

static bool share_callers(int a, int b)
{
    if (a == b || hops_[a][b] > 0 || hops_[b][a] > 0)
        return true;
    for (int s = 0; s < SERVICES; s++)
        if (hops_[s][a] > 0 && hops_[s][b] > 0)
            return true;
    return false;
}

/* ---- its signs ---- */

/* A rule fires once for all faults that it is of. */
static void add_sign(int service, int node, int rule, size_t of, int hops)
{
    const fault *f = &faults[of];
    int onset = f->from_s + 10 * hops + below(300), cleared = f->to_s + below(300);
    if (rule == 0)
        onset = f->from_s + below(60); /* a break says when it began */
    if (onset >= f->to_s)
        return; /* over before the rule fired */
    for (size_t i = 0; i < sign_count; i++) {
        made_sign *s = &signs[i];
        if (s->service != service || s->node != node || s->rule != rule ||
            s->cleared_s + 120 < onset || s->onset_s > cleared + 120)
            continue;
        s->faults |= 1u << of;
        s->onset_s = onset < s->onset_s ? onset : s->onset_s;
        s->cleared_s = cleared > s->cleared_s ? cleared : s->cleared_s;
        return;
    }
    if (sign_count == sizeof(signs) / sizeof(signs[0]))
        return;
    signs[sign_count] = (made_sign){.faults = 1u << of,
                                    .service = service,
                                    .node = node,
                                    .rule = rule,
                                    .hops = hops,
                                    .onset_s = onset,
                                    .cleared_s = cleared,
                                    .key = sign_count + 1};
    sign_count++;
}

static void add_effects(size_t of, int service, double at_least)
{
    for (int s = 0; s < SERVICES; s++) {
        int hops = hops_[s][service];
        if (s != service && (hops == 0 || uniform() > pow(0.8, hops)))
            continue;
        if (s == service && uniform() > at_least)
            continue;
        for (int rule = 1; rule <= faults[of].rules; rule++)
            if (uniform() < 0.7)
                add_sign(s, -1, rule, of, hops);
        if (layer_of(s) == 0)
            add_sign(s, -1, 0, of, hops);
    }
}

static void make_signs(size_t of)
{
    const fault *f = &faults[of];
    if (f->node >= 0) {
        add_sign(-1, f->node, 1, of, 0);
        for (int s = 0; s < SERVICES; s++)
            if (node_of[s] == f->node)
                add_effects(of, s, 0.8);
        return;
    }
    add_effects(of, f->service, 0.9);
    for (int s = 0; s < SERVICES; s++)
        if (calls_[f->service][s] && uniform() < 0.05)
            add_sign(s, -1, 1, of, 1);
}

static int compare_events(const void *left, const void *right)
{
    const event *a = left, *b = right;
    if (a->at_s != b->at_s)
        return a->at_s < b->at_s ? -1 : 1;
    if (a->sign != b->sign)
        return a->sign < b->sign ? -1 : 1;
    return a->is_end - b->is_end;
}

/* What a service calls, directly or not, explains it, and what else runs on the machine. */
static unsigned explained_by(const made_sign *s)
{
    unsigned may = s->faults;
    for (size_t f = 0; f < fault_count; f++) {
        const fault *one = &faults[f];
        bool is_time = s->onset_s >= one->from_s && s->onset_s <= one->to_s + 300;
        for (int of = 0; of < SERVICES && is_time; of++)
            if (of == one->service || (one->node >= 0 && node_of[of] == one->node))
                may |=
                    (unsigned)(s->service == of || (s->service >= 0 && hops_[s->service][of] > 0))
                    << f;
    }
    return may;
}

/* Alertmanager waits half a minute for what comes with it; a break needs two minutes and a look. */
static void make_events(void)
{
    event_count = 0;
    for (size_t i = 0; i < sign_count; i++) {
        made_sign *s = &signs[i];
        s->may = explained_by(s);
        s->told_s = s->onset_s + (s->rule == 0 ? 140 + below(60) : 15 + below(30));
        events[event_count++] = (event){s->told_s, i, false};
        int end = s->cleared_s > s->told_s ? s->cleared_s : s->told_s + 1;
        events[event_count++] = (event){end, i, true};
    }
    qsort(events, event_count, sizeof(events[0]), compare_events);
}

/* ---- a day ---- */

static bool is_root(const fl_group *group)
{
    for (size_t m = 0; m < group->member_count; m++) {
        const made_sign *s = &signs[group->members[m].sign->key - 1];
        for (size_t f = 0; f < fault_count; f++)
            if ((s->faults >> f & 1) != 0 && group->root != NULL &&
                (faults[f].node >= 0 ? node_of[atoi(group->root + 1)] == faults[f].node
                                     : strcmp(group->root, names[faults[f].service]) == 0))
                return true;
    }
    return false;
}

static void note_end(void *payload, const fl_group *group, const fl_group *into)
{
    (void)payload;
    if (into != NULL)
        return;
    groups_ended++;
    roots_right += is_root(group);
    for (size_t m = 0; m < group->member_count; m++)
        signs[group->members[m].sign->key - 1].group = group->key;
}

static void tell(fl_groups *groups, const event *e)
{
    const made_sign *s = &signs[e->sign];
    uint64_t key;
    const fl_sign sign = {.key = s->key,
                          .kind = s->rule == 0 ? FL_SIGN_ERRORS : FL_SIGN_ALERT,
                          .onset_ns = s->onset_s * NS,
                          .cleared_ns = e->is_end ? e->at_s * NS : 0,
                          .name = rules[s->rule],
                          .service = s->service >= 0 ? names[s->service] : NULL,
                          .node = s->service >= 0 ? nodes[node_of[s->service]] : nodes[s->node],
                          .value = NAN,
                          .baseline = NAN};
    if (fl_groups_tell(&key, groups, &sign, e->at_s * NS, NULL) != FL_OK)
        exit(1);
}

/* A ranking looks at the telemetry of the group's time: faults that had begun, in some order. */
static void rank(fl_groups *groups, uint64_t key, int now_s)
{
    const char *found[2 * MAX_FAULTS * SERVICES + 1];
    size_t count = 0;
    if (uniform() < 0.1)
        found[count++] = names[below(SERVICES)];
    size_t first = (size_t)below((int)fault_count);
    for (size_t i = 0; i < fault_count; i++) {
        const fault *f = &faults[(first + i) % fault_count];
        if (now_s < f->from_s + 60 || now_s > f->to_s + 600 || uniform() > 0.9)
            continue;
        for (int s = 0; s < SERVICES; s++)
            if (s == f->service || (f->node >= 0 && node_of[s] == f->node))
                found[count++] = names[s];
        for (int s = 0; s < SERVICES; s++)
            if (f->mistaken[s])
                found[count++] = names[s];
    }
    const fl_causes causes = {found, count};
    if (count > 0 && fl_groups_diagnose(groups, key, &causes, now_s * NS, NULL) != FL_OK)
        exit(1);
}

static void rank_all(fl_groups *groups, int now_s)
{
    uint64_t keys[256];
    size_t count = fl_groups_count(groups);
    for (size_t i = 0; i < count && i < 256; i++)
        keys[i] = fl_groups_at(groups, i)->key;
    for (size_t i = 0; i < count && i < 256; i++)
        rank(groups, keys[i], now_s);
}

static void run_day(void)
{
    fl_calls *calls;
    fl_groups *groups;
    if (fl_calls_create(&calls, NULL) != FL_OK)
        exit(1);
    for (int s = 0; s < SERVICES; s++)
        for (int c = 0; c < SERVICES; c++) {
            uint32_t from, to;
            if (!calls_[s][c])
                continue;
            if (fl_calls_service(&from, calls,
                                 (fl_slice){(unsigned char *)names[s], strlen(names[s])},
                                 NULL) != FL_OK ||
                fl_calls_service(&to, calls,
                                 (fl_slice){(unsigned char *)names[c], strlen(names[c])},
                                 NULL) != FL_OK)
                exit(1);
            fl_calls_add(calls, from, to);
        }
    const fl_groups_options options = {.calls = calls, .ended = note_end};
    if (fl_groups_create(&groups, &options, NULL) != FL_OK)
        exit(1);
    size_t next = 0;
    for (int now_s = 0; now_s < 2 * DAY_S && (next < event_count || fl_groups_count(groups) > 0);
         now_s += 10) {
        for (; next < event_count && events[next].at_s <= now_s; next++)
            tell(groups, &events[next]);
        if (has_ranking && now_s % 120 == 0)
            rank_all(groups, now_s);
        fl_groups_settle(groups, now_s * NS);
    }
    fl_groups_destroy(groups);
    fl_calls_destroy(calls);
}

static bool is_of_one(unsigned bits)
{
    return (bits & (bits - 1)) == 0;
}

static void count_pairs(score *out)
{
    double together = 0, belong = 0, right = 0, found = 0;
    unsigned seen = 0;
    for (size_t i = 0; i < sign_count; i++) {
        seen |= signs[i].faults;
        for (size_t k = 0; k < i; k++) {
            bool is = signs[i].group != 0 && signs[i].group == signs[k].group;
            bool may = (signs[i].may & signs[k].may) != 0;
            bool should = signs[i].may == signs[k].may && is_of_one(signs[i].may);
            together += is;
            belong += should;
            right += is && may;
            found += is && should;
        }
    }
    /* each day counts the same, however many signs it has */
    if (belong > 0) {
        out->days++;
        out->recall += found / belong;
        out->precision += together > 0 ? right / together : 1;
        out->whole += found == belong && right == together;
    }
    for (size_t f = 0; f < fault_count; f++)
        out->faults += seen >> f & 1;
}

/* ---- situations ---- */

typedef enum relation { ALONE, APART, SHARED, CALLING } relation;

static bool is_related(relation how, int a, int b)
{
    if (how == APART)
        return !share_callers(a, b) && node_of[a] != node_of[b];
    if (how == SHARED)
        return share_callers(a, b) && a != b && hops_[a][b] == 0 && hops_[b][a] == 0;
    return hops_[b][a] > 0; /* the second calls the first */
}

/* The first fault, and those that come with it; false where the system has no such services. */
static bool choose(relation how, size_t count)
{
    for (int tries = 0; tries < 2000; tries++) {
        bool fits = true;
        for (size_t i = 0; i < count; i++)
            faults[i].service = below(SERVICES);
        for (size_t i = 1; i < count; i++)
            for (size_t k = 0; k < i; k++)
                fits &= is_related(how, faults[k].service, faults[i].service);
        if (fits)
            return true;
    }
    return false;
}

typedef struct situation {
    const char *name;
    relation how;
    size_t count;
    int after_s, first_s, rest_s; /* each begins so long after the one before, and lasts */
    int rules;
    bool is_machine;
} situation;

static const situation situations[] = {
    {"one fault", ALONE, 1, 0, 1800, 0, 2, false},
    {"one fault of a machine", ALONE, 1, 0, 1800, 0, 2, true},
    {"two at once, apart", APART, 2, 0, 1800, 1800, 2, false},
    {"two at once, callers in common", SHARED, 2, 0, 1800, 1800, 2, false},
    {"two at once, one calls the other", CALLING, 2, 0, 1800, 1800, 2, false},
    {"one 5 minutes after the other, apart", APART, 2, 300, 1800, 1800, 2, false},
    {"5 minutes after, callers in common", SHARED, 2, 300, 1800, 1800, 2, false},
    {"a caller 25 minutes after, the first lasts", CALLING, 2, 1500, 5400, 1800, 2, false},
    {"25 minutes after, callers in common", SHARED, 2, 1500, 5400, 1800, 2, false},
    {"after the end of the first, same callers", SHARED, 2, 2400, 1200, 1800, 2, false},
    {"three short ones over a long one, apart", APART, 4, 4500, 36000, 900, 2, false},
    {"three short ones over a long one, shared", SHARED, 4, 4500, 36000, 900, 2, false},
    {"a storm of one fault", ALONE, 1, 0, 1800, 0, 50, false},
    {"a storm of two, callers in common", SHARED, 2, 60, 1800, 1800, 50, false},
};

static void try_situation(const situation *s, int days, bool ranked)
{
    score total = {0};
    double signs_all = 0;
    has_ranking = ranked;
    roots_right = groups_ended = 0;
    for (int day = 0; day < days; day++) {
        state = (uint64_t)day * 7919 + 17;
        make_system();
        if (s->how != ALONE && !choose(s->how, s->count))
            continue;
        if (s->how == ALONE)
            faults[0].service = below(SERVICES);
        fault_count = s->count;
        for (size_t f = 0; f < s->count; f++) {
            int from = 3600 + (int)f * s->after_s;
            faults[f].node = s->is_machine ? node_of[faults[f].service] : -1;
            faults[f].from_s = from;
            faults[f].to_s = from + (f == 0 ? s->first_s : s->rest_s);
            faults[f].rules = s->rules;
            for (int k = 0; k < SERVICES; k++)
                faults[f].mistaken[k] = (calls_[k][faults[f].service] && uniform() < 0.2) ||
                                        (calls_[faults[f].service][k] && uniform() < 0.1);
        }
        sign_count = 0;
        for (size_t f = 0; f < s->count; f++)
            make_signs(f);
        make_events();
        run_day();
        count_pairs(&total);
        signs_all += (double)sign_count;
    }
    printf(
        "%-44s %-9s %5.0f days %7.1f signs: precision %.3f recall %.3f, faultless days %.2f; %.2f "
        "incidents a fault, root right %.2f\n",
        s->name, ranked ? "ranked" : "unranked", total.days, signs_all / total.days,
        total.precision / total.days, total.recall / total.days, total.whole / total.days,
        groups_ended / total.faults, roots_right / groups_ended);
}

int main(int count, char **words)
{
    int days = count > 1 ? atoi(words[1]) : 200;
    for (int i = 0; i < NODES; i++)
        snprintf(nodes[i], sizeof(nodes[i]), "n%d", i);
    for (int i = 0; i < RULES; i++)
        snprintf(rules[i], sizeof(rules[i]), "Rule%d", i);
    for (size_t i = 0; i < sizeof(situations) / sizeof(situations[0]); i++) {
        try_situation(&situations[i], days, false);
        try_situation(&situations[i], days, true);
    }
    return 0;
}
