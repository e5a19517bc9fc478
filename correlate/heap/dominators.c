/*
 * dominators.c - depth-first numbers, predecessors, semidominators, dominators.
 *
 * Everything after the search speaks in its numbers: 1 is the first vertex that was met, 0 the root
 * above the roots. Invariants: parent[i] < i; idom[i] <= parent[i]; an ancestor that a path was
 * compressed to is above every vertex that is not done yet.
 */
#include "dominators.h"

#include <assert.h>
#include <string.h>

#include "mem.h"

typedef struct search {
    uint32_t count;     /* vertices that were met */
    uint32_t *number;   /* [vertex]; 0: not met */
    uint32_t *vertex;   /* [number] */
    uint32_t *parent;   /* [number]; in the end the dominator */
    uint32_t *cursor;   /* [number] next edge; then where the predecessors end */
    uint32_t *before;   /* predecessors, as numbers */
    uint32_t *ancestor; /* [number] */
    uint32_t *label;    /* [number] smallest semidominator on the compressed path */
    uint32_t *semi;     /* [number] */
} search;

/* Not zeroed: each is written before it is read. Page faults are a third of the cost, hence the
 * hint. */
static uint32_t *numbers(size_t count, fl_error *err)
{
    uint32_t *made = fl_mem_alloc((count > 0 ? count : 1) * sizeof(*made));
    if (made == NULL)
        (void)fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the dominator tree");
    else
        fl_mem_expect_fill(made, count * sizeof(*made));
    return made;
}

/* A vertex gets its number, its parent, and its list of edges to go through. */
static void meet(search *s, const fl_flow *flow, uint32_t vertex, uint32_t parent)
{
    uint32_t number = ++s->count;
    s->number[vertex] = number;
    s->vertex[number] = vertex;
    s->parent[number] = parent;
    s->cursor[number] = flow->starts[vertex];
}

/* The stack is the path of parents; each has its place in its own list of edges. */
static void walk(search *s, const fl_flow *flow)
{
    for (size_t r = 0; r < flow->root_count; r++) {
        assert(flow->roots[r] < flow->count);
        if (s->number[flow->roots[r]] != 0)
            continue;
        meet(s, flow, flow->roots[r], 0);
        for (uint32_t at = s->count; at != 0;) {
            uint32_t edge = s->cursor[at];
            if (edge == FL_FLOW_NONE) {
                at = s->parent[at];
                continue;
            }
            uint32_t target = flow->targets[edge];
            s->cursor[at] = target & FL_FLOW_LAST ? FL_FLOW_NONE : edge + 1;
            target &= ~FL_FLOW_LAST;
            if (s->number[target] == 0) {
                meet(s, flow, target, at);
                at = s->count;
            }
        }
    }
}

/* Targets of reached vertices become numbers on the way, so that the second pass does not ask
 * again. */
static size_t count_predecessors(search *s, const fl_flow *flow)
{
    size_t edges = 0;
    memset(s->cursor, 0, ((size_t)s->count + 1) * sizeof(*s->cursor));
    for (uint32_t i = 1; i <= s->count; i++) {
        uint32_t edge = flow->starts[s->vertex[i]];
        if (edge == FL_FLOW_NONE)
            continue;
        for (uint32_t last = 0; last == 0; edge++) {
            last = flow->targets[edge] & FL_FLOW_LAST;
            uint32_t number = s->number[flow->targets[edge] & ~FL_FLOW_LAST];
            flow->targets[edge] = number | last;
            s->cursor[number]++;
            edges++;
        }
    }
    return edges;
}

/* Afterwards cursor[i] is where the predecessors of i end, and those of i + 1 begin. */
static fl_status collect_predecessors(search *s, const fl_flow *flow, fl_error *err)
{
    size_t edges = count_predecessors(s, flow);
    s->before = numbers(edges, err);
    if (s->before == NULL)
        return FL_E_NOMEM;
    uint32_t sum = 0;
    for (uint32_t i = 0; i <= s->count; i++) {
        uint32_t own = s->cursor[i];
        s->cursor[i] = sum;
        sum += own;
    }
    for (uint32_t i = 1; i <= s->count; i++) {
        uint32_t edge = flow->starts[s->vertex[i]];
        if (edge == FL_FLOW_NONE)
            continue;
        for (uint32_t last = 0; last == 0; edge++) {
            last = flow->targets[edge] & FL_FLOW_LAST;
            s->before[s->cursor[flow->targets[edge] & ~FL_FLOW_LAST]++] = i;
        }
    }
    return FL_OK;
}

/* The smallest semidominator on the path from `at` up to what is not done yet. The way back is kept
 * in the ancestors that are about to change. */
static uint32_t evaluate(search *s, uint32_t at, uint32_t first_done)
{
    uint32_t *ancestor = s->ancestor, *label = s->label;
    if (ancestor[at] < first_done)
        return label[at];
    uint32_t below = 0;
    while (ancestor[at] >= first_done) {
        uint32_t next = ancestor[at];
        ancestor[at] = below;
        below = at;
        at = next;
    }
    uint32_t top = ancestor[at], best = label[at];
    while (below != 0) {
        uint32_t here = below;
        below = ancestor[here];
        ancestor[here] = top;
        if (best < label[here])
            label[here] = best;
        else
            best = label[here];
    }
    return best;
}

/* Roots have 0 already. */
static void find_semidominators(search *s)
{
    for (uint32_t i = s->count; i > 0; i--) {
        uint32_t semi = s->semi[i];
        for (uint32_t e = s->cursor[i - 1]; e < s->cursor[i] && semi > 0; e++) {
            uint32_t found = evaluate(s, s->before[e], i + 1);
            semi = found < semi ? found : semi;
        }
        s->semi[i] = s->label[i] = semi;
    }
}

/* The second half: semidominators from the last vertex to the first, dominators from the first on.
 */
static fl_status find_dominators(search *s, const fl_flow *flow, fl_error *err)
{
    size_t room = (size_t)s->count + 1;
    s->ancestor = numbers(room, err);
    s->label = numbers(room, err);
    s->semi = numbers(room, err);
    if (s->ancestor == NULL || s->label == NULL || s->semi == NULL)
        return FL_E_NOMEM;
    memcpy(s->ancestor, s->parent, room * sizeof(*s->parent));
    memcpy(s->semi, s->parent, room * sizeof(*s->parent));
    for (uint32_t i = 0; i <= s->count; i++)
        s->label[i] = i;
    for (size_t r = 0; r < flow->root_count; r++)
        s->semi[s->number[flow->roots[r]]] = 0;
    find_semidominators(s);
    for (uint32_t i = 1; i <= s->count; i++) {
        uint32_t dominator = s->parent[i];
        while (dominator > s->semi[i])
            dominator = s->parent[dominator];
        s->parent[i] = dominator;
    }
    return FL_OK;
}

/* From numbers back to vertices, in arrays that are of no use any more. */
static void give(fl_dominators *out, search *s, const fl_flow *flow)
{
    uint32_t *idom = s->number;
    memset(idom, 0xff, flow->count * sizeof(*idom));
    for (uint32_t i = 1; i <= s->count; i++)
        idom[s->vertex[i]] = s->parent[i] == 0 ? FL_DOM_ROOT : s->vertex[s->parent[i]];
    memmove(s->vertex, s->vertex + 1, s->count * sizeof(*s->vertex));
    *out = (fl_dominators){.idom = idom, .order = s->vertex, .reached = s->count};
    s->number = s->vertex = NULL;
}

/* The graph goes as soon as its predecessors are there: both together are the peak. */
fl_status fl_dominators_find(fl_dominators *out, fl_flow *flow, fl_error *err)
{
    size_t room = (size_t)flow->count + 1;
    search s = {.number = fl_mem_calloc(room, sizeof(*s.number)),
                .vertex = numbers(room, err),
                .parent = numbers(room, err),
                .cursor = numbers(room, err)};
    fl_status status = FL_OK;
    *out = (fl_dominators){0};
    if (s.number == NULL || s.vertex == NULL || s.parent == NULL || s.cursor == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the dominator tree");
    if (status == FL_OK) {
        s.parent[0] = 0;
        walk(&s, flow);
        status = collect_predecessors(&s, flow, err);
    }
    fl_mem_free(flow->starts);
    fl_mem_free(flow->targets);
    flow->starts = flow->targets = NULL;
    if (status == FL_OK)
        status = find_dominators(&s, flow, err);
    if (status == FL_OK)
        give(out, &s, flow);
    uint32_t *const rest[] = {s.number, s.vertex,   s.parent, s.cursor,
                              s.before, s.ancestor, s.label,  s.semi};
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        fl_mem_free(rest[i]);
    return status;
}
