/*
 * dominators.c - depth-first numbers, edges that matter, semidominators, dominators.
 *
 * Everything speaks in the numbers of the search: 1 is the first vertex that was met, 0 the root
 * above the roots. Invariants: parent[i] < i; idom[i] <= parent[i]; an ancestor that a path was
 * compressed to is above every vertex that is not done yet.
 *
 * Memory is most of the cost of a large heap, so that an array is what the next step needs once its
 * own step is over:
 *
 *   mark     [vertex]  first edge; once met, its number; in the end its dominator
 *   parent   [number]  in the tree of the search; in the end the dominator
 *   semi     [number]  the next edge to go through; once left, the smallest predecessor seen so
 *                      far; in the end the semidominator
 *   label    [number]  the list of edges that end here; once done, the smallest semidominator on
 *                      the compressed path
 *   ancestor [number]  where a path was compressed to; in the end the vertex
 *
 * An edge is looked at once, in the search. Down the tree it says who the parent is; from further
 * above, the source itself is a candidate, of which the smallest counts; back to the parent, a bit
 * is enough. Other edges back and across have to wait until their source is done. Of two that end
 * in the same vertex, whose sources lie on one path down the tree, the lower one says all that the
 * upper one would: so that a list whose nodes all refer to one object costs one edge.
 */
#include "dominators.h"

#include <assert.h>
#include <stdbool.h>

#include "mem.h"

#define MET  0x80000000u /* in mark: a number, no first edge */
#define OPEN 0x80000000u /* in semi: on the path that is searched; the next edge */
#define BACK 0x80000000u /* in parent: an edge leads back to it */

/* Edges that wait, in blocks that never move: a list for each vertex that they end in. */
typedef struct waiting {
    uint32_t from;
    uint32_t next; /* 0: the last one */
} waiting;

enum { BLOCK_SHIFT = 18, BLOCK_EDGES = 1 << BLOCK_SHIFT };
#define MAX_BLOCKS ((size_t)(FL_FLOW_MOST >> BLOCK_SHIFT) + 1)

typedef struct search {
    uint32_t count; /* vertices that were met */
    uint32_t *mark, *parent, *semi, *label, *ancestor;
    waiting **blocks;  /* [MAX_BLOCKS] */
    uint32_t last;     /* edge that waits; 0: none */
    bool is_too_large; /* sticky: no memory for the edges */
} search;

/* Not zeroed: each is written before it is read. Page faults are most of the cost, hence the hint.
 */
static uint32_t *numbers(size_t count)
{
    uint32_t *made = fl_mem_alloc(count * sizeof(*made));
    fl_mem_expect_fill(made, count * sizeof(*made));
    return made;
}

static inline waiting *edge_at(const search *s, uint32_t index)
{
    return &s->blocks[index >> BLOCK_SHIFT][index & (BLOCK_EDGES - 1)];
}

/* Index 0 ends a list, so that the first block begins with a place that is not used. */
static void add_edge(search *s, uint32_t from, uint32_t to)
{
    uint32_t index = s->last + 1;
    waiting **block = &s->blocks[index >> BLOCK_SHIFT];
    assert(from > to && index <= FL_FLOW_MOST);
    if (*block == NULL) {
        *block = fl_mem_alloc(sizeof(waiting) * BLOCK_EDGES);
        fl_mem_expect_fill(*block, sizeof(waiting) * BLOCK_EDGES);
    }
    if (*block == NULL) {
        s->is_too_large = true;
        return;
    }
    *edge_at(s, index) = (waiting){.from = from, .next = s->label[to]};
    s->label[to] = index;
    s->last = index;
}

/* `from` is where the search is: what was met after it lies below it, and what is open above. */
static inline void hold_back(search *s, uint32_t from, uint32_t to)
{
    if ((s->parent[from] & ~BACK) == to) {
        s->parent[from] |= BACK;
        return;
    }
    waiting *before = s->label[to] != 0 ? edge_at(s, s->label[to]) : NULL;
    if (before == NULL || (before->from < from && (s->semi[before->from] & OPEN) == 0))
        add_edge(s, from, to);
    else if (before->from < from)
        before->from = from;
}

/* A vertex gets its number, its parent, and its list of edges to go through. */
static inline uint32_t meet(search *s, uint32_t vertex, uint32_t parent)
{
    uint32_t number = ++s->count;
    s->parent[number] = parent;
    s->semi[number] = OPEN | s->mark[vertex];
    s->label[number] = 0;
    s->mark[vertex] = MET | number;
    return number;
}

/* An edge to a vertex that has a number. One that is below was left already. */
static inline void meet_again(search *s, uint32_t from, uint32_t to)
{
    if (to < from)
        hold_back(s, from, to);
    else if (to > from && from < s->semi[to])
        s->semi[to] = from;
}

/* The stack is the path of parents; each has its place in its own list of edges. */
static void walk_from(search *s, const uint32_t *targets, uint32_t root)
{
    for (uint32_t at = meet(s, root, 0); at != 0 && !s->is_too_large;) {
        uint32_t edge = s->semi[at] & ~OPEN;
        if (edge == FL_FLOW_NONE) {
            at = s->semi[at] = s->parent[at] & ~BACK;
            continue;
        }
        uint32_t target = targets[edge];
        s->semi[at] = OPEN | (target & FL_FLOW_LAST ? FL_FLOW_NONE : edge + 1);
        target &= ~FL_FLOW_LAST;
        if ((s->mark[target] & MET) == 0)
            at = meet(s, target, at);
        else
            meet_again(s, at, s->mark[target] & ~MET);
    }
}

/* Roots may be met below others first: nothing but the root above dominates them. */
static void walk(search *s, const fl_flow *flow)
{
    for (size_t r = 0; r < flow->root_count; r++) {
        assert(flow->roots[r] < flow->count);
        if ((s->mark[flow->roots[r]] & MET) == 0)
            walk_from(s, flow->targets, flow->roots[r]);
    }
    for (size_t r = 0; r < flow->root_count; r++)
        s->semi[s->mark[flow->roots[r]] & ~MET] = 0;
}

/* The smallest semidominator on the path from `at` up to what is not done yet. The way back is kept
 * in the ancestors that are about to change. */
static uint32_t evaluate(search *s, uint32_t at, uint32_t first_done)
{
    uint32_t *ancestor = s->ancestor, *label = s->label;
    assert(at >= first_done);
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

/* From the last vertex to the first. One that leads back to its parent hands on what it has: the
 * parent is the next above. */
static void find_semidominators(search *s)
{
    for (uint32_t i = s->count; i > 0; i--) {
        uint32_t semi = s->semi[i], parent = s->parent[i] & ~BACK;
        for (uint32_t e = s->label[i]; e != 0 && semi > 0; e = edge_at(s, e)->next) {
            uint32_t found = evaluate(s, edge_at(s, e)->from, i + 1);
            semi = found < semi ? found : semi;
        }
        s->semi[i] = s->label[i] = semi;
        if ((s->parent[i] & BACK) != 0 && semi < s->semi[parent])
            s->semi[parent] = semi;
        s->ancestor[i] = s->parent[i] = parent;
    }
}

/* From the first vertex to the last: above a vertex, parents are dominators already. */
static void find_dominators(search *s)
{
    for (uint32_t i = 1; i <= s->count; i++) {
        uint32_t dominator = s->parent[i];
        while (dominator > s->semi[i])
            dominator = s->parent[dominator];
        s->parent[i] = dominator;
    }
}

/* From numbers back to vertices, in arrays that are of no use any more. */
static void give(fl_dominators *out, search *s, uint32_t vertices)
{
    uint32_t *order = s->ancestor, *idom = s->mark;
    for (uint32_t v = 0; v < vertices; v++)
        if ((s->mark[v] & MET) != 0)
            order[(s->mark[v] & ~MET) - 1] = v;
        else
            idom[v] = FL_DOM_NOTHING;
    for (uint32_t i = 1; i <= s->count; i++) {
        uint32_t dominator = s->parent[i];
        idom[order[i - 1]] = dominator == 0 ? FL_DOM_ROOT : order[dominator - 1];
    }
    *out = (fl_dominators){.idom = idom, .order = order, .reached = s->count};
    s->mark = s->ancestor = NULL;
}

static void dispose(search *s)
{
    for (size_t i = 0; s->blocks != NULL && i < MAX_BLOCKS && s->blocks[i] != NULL; i++)
        fl_mem_free(s->blocks[i]);
    uint32_t *const rest[] = {s->mark, s->parent, s->semi, s->label, s->ancestor};
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        fl_mem_free(rest[i]);
    fl_mem_free(s->blocks);
}

/* The edges go before the last array comes: they are the peak together with what they lead to. */
fl_status fl_dominators_find(fl_dominators *out, fl_flow *flow, fl_error *err)
{
    size_t room = (size_t)flow->count + 1;
    assert(flow->count <= FL_FLOW_MOST);
    search s = {.mark = flow->starts,
                .parent = numbers(room),
                .semi = numbers(room),
                .label = numbers(room),
                .blocks = fl_mem_calloc(MAX_BLOCKS, sizeof(*s.blocks))};
    *out = (fl_dominators){0};
    bool ok = s.parent != NULL && s.semi != NULL && s.label != NULL && s.blocks != NULL;
    if (ok) {
        walk(&s, flow);
        ok = !s.is_too_large;
    }
    fl_mem_free(flow->targets);
    flow->starts = flow->targets = NULL;
    s.ancestor = ok ? numbers(room) : NULL;
    ok = s.ancestor != NULL;
    if (ok) {
        find_semidominators(&s);
        find_dominators(&s);
        give(out, &s, flow->count);
    }
    dispose(&s);
    return ok ? FL_OK
              : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the dominator tree");
}
