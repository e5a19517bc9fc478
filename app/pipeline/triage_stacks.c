/*
 * triage_stacks.c - the stacks of two profiles in one tree, cut down to what carries the change.
 *
 * A frame weighs what changed of it, and a little for what it holds, so that the part that stayed
 * the same is there to compare with. It weighs no less than any frame below it: the heaviest ones
 * are then a tree, and no frame stands without its callers. Cost: one sort of all frames.
 *
 * Invariants: a frame stands behind its parent, in the tree that is read and in what is kept; the
 * first is the root; siblings are in the order of their names, so that the same profiles give the
 * same picture, whatever the order of their samples. What is left out is counted, and what it held
 * stays in its callers: their boxes are wider than those above them.
 */
#include "triage_stacks.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "callgraph.h"
#include "mem.h"
#include "pprof.h"
#include "slice.h"

enum {
    MAX_NAME_BYTES = 200, /* of a function: enough for people, little enough to be kept */
    MAX_DEPTH = 64        /* rows of a picture */
};
#define CONTEXT (1.0 / 16) /* of what did not change: there to compare with */

/* On its way to its place by weight. */
typedef struct weighed {
    double weight;
    uint32_t node;
} weighed;

/* One tree being cut. */
typedef struct picking {
    const fl_call_tree *tree;
    weighed *order;  /* heaviest first, once sorted */
    uint32_t *place; /* of each node among the frames; FL_PROFILE_NONE: it is left out */
    size_t kept;
} picking;

/* As doubles: a difference of two sums may not fit. Negative sums hold nothing. */
static double weight_of(const fl_call_tree_node *node)
{
    double value = (double)node->value, base = (double)node->base;
    if (node->depth > MAX_DEPTH)
        return 0;
    return fabs(value - base) + CONTEXT * fmax(0, fmax(value, base));
}

/* Callers before what they call: a node stands behind its parent. */
static int compare_weighed(const void *left, const void *right)
{
    const weighed *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

/* Which frames stay. */
static void pick(picking *p)
{
    const fl_call_tree *tree = p->tree;
    for (size_t i = tree->node_count; i-- > 0;) {
        const fl_call_tree_node *node = &tree->nodes[i];
        assert(i == 0 || node->parent < i);
        p->order[i].node = (uint32_t)i;
        p->order[i].weight = fmax(p->order[i].weight, weight_of(node));
        if (i > 0 && node->depth <= MAX_DEPTH)
            p->order[node->parent].weight = fmax(p->order[node->parent].weight, p->order[i].weight);
        p->place[i] = FL_PROFILE_NONE;
    }
    qsort(p->order, tree->node_count, sizeof(p->order[0]), compare_weighed);
    while (p->kept < tree->node_count && p->kept < FL_PICTURE_FRAMES &&
           p->order[p->kept].weight > 0)
        p->place[p->order[p->kept++].node] = 0;
}

/* From a node on, along its siblings. */
static uint32_t first_kept(const picking *p, uint32_t node)
{
    while (node != FL_PROFILE_NONE && p->place[node] == FL_PROFILE_NONE)
        node = p->tree->nodes[node].next;
    return node;
}

/* The next one, depth first. */
static uint32_t next_kept(const picking *p, uint32_t at)
{
    uint32_t found = first_kept(p, p->tree->nodes[at].first_child);
    while (found == FL_PROFILE_NONE && at != FL_PROFILE_NONE) {
        found = first_kept(p, p->tree->nodes[at].next);
        at = p->tree->nodes[at].parent;
    }
    return found;
}

/* Not cut within a character. */
static const char *name_of(const fl_call_tree_node *node, fl_arena *arena)
{
    fl_slice name = node->depth > 0 ? node->name : FL_SLICE("all");
    if (name.len > MAX_NAME_BYTES) {
        name.len = MAX_NAME_BYTES;
        while (name.len > 0 && (name.ptr[name.len] & 0xc0) == 0x80)
            name.len--;
    }
    return fl_arena_cstr(arena, name);
}

/* Depth first, and by number: a parent has its place before what hangs on it asks for it. Texts are
 * copied, as the tree and the profiles go. */
static fl_status copy(fl_picture_stacks *out, picking *p, fl_arena *arena, fl_error *err)
{
    const fl_call_tree *tree = p->tree;
    fl_picture_frame *frames = fl_arena_alloc(arena, p->kept + 1, sizeof(*frames));
    size_t count = 0;
    out->unit = fl_arena_cstr(arena, tree->unit);
    if (frames == NULL || out->unit == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for stacks");
    for (uint32_t at = p->kept > 0 ? 0 : FL_PROFILE_NONE; at != FL_PROFILE_NONE;
         at = next_kept(p, at)) {
        const fl_call_tree_node *node = &tree->nodes[at];
        assert(count < p->kept);
        frames[count] = (fl_picture_frame){.name = name_of(node, arena),
                                           .parent = at > 0 ? p->place[node->parent] : 0,
                                           .before = (double)node->base,
                                           .after = (double)node->value};
        if (frames[count].name == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for stacks");
        p->place[at] = (uint32_t)count++;
    }
    assert(count == p->kept);
    out->frames = frames;
    out->frame_count = count;
    out->frames_left_out = tree->node_count - count;
    return FL_OK;
}

/* A tree of the root alone says nothing. */
static fl_status cut(fl_picture_stacks *out, const fl_call_tree *tree, fl_arena *arena,
                     fl_error *err)
{
    picking p = {.tree = tree,
                 .order = fl_mem_calloc(tree->node_count, sizeof(*p.order)),
                 .place = fl_mem_calloc(tree->node_count, sizeof(*p.place))};
    fl_status status = FL_OK;
    if (p.order == NULL || p.place == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for stacks");
    else
        pick(&p);
    if (status == FL_OK && p.kept > 1)
        status = copy(out, &p, arena, err);
    fl_mem_free(p.order);
    fl_mem_free(p.place);
    return status;
}

/* Both profiles, and the tree of them. */
static fl_status read_tree(fl_call_tree **out, fl_profile *profiles[2],
                           const fl_triage_stacks_pair *pair, fl_error *err)
{
    static const fl_pprof_options options = {.normalise_names = true, .in_logs = true};
    const char *const paths[2] = {pair->before, pair->after};
    fl_call_source sources[2];
    fl_status status = FL_OK;
    for (int i = 0; i < 2 && status == FL_OK; i++) {
        status = fl_profile_create(&profiles[i], err);
        if (status == FL_OK)
            status = fl_profile_read_file(profiles[i], paths[i], &options, err);
        sources[i] = (fl_call_source){.profile = profiles[i], .name = paths[i], .is_base = i == 0};
    }
    const fl_call_query query = {.type = pair->type};
    return status == FL_OK ? fl_call_tree_create(out, sources, 2, &query, err) : status;
}

fl_status fl_triage_stacks_read(fl_picture_stacks *out, const fl_triage_stacks_pair *pair,
                                fl_arena *arena, fl_error *err)
{
    fl_profile *profiles[2] = {NULL, NULL};
    fl_call_tree *tree = NULL;
    fl_error why = {0};
    assert(out != NULL && pair->before != NULL && pair->after != NULL && pair->type != NULL);
    *out = (fl_picture_stacks){.service = pair->service,
                               .type = pair->type,
                               .before_ns = pair->before_ns,
                               .after_ns = pair->after_ns};
    fl_status status = read_tree(&tree, profiles, pair, &why);
    if (status == FL_OK)
        status = cut(out, tree, arena, &why);
    fl_call_tree_destroy(tree);
    fl_profile_destroy(profiles[0]);
    fl_profile_destroy(profiles[1]);
    return status == FL_E_NOMEM ? fl_fail(err, status, FL_NO_OFFSET, "%s", why.message) : FL_OK;
}
