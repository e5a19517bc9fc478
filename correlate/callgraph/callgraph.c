/*
 * callgraph.c - two passes over the samples: sums of functions, then calls between those that stay.
 *
 * Invariants:
 *   (1) a name's number is its row in `tallies`; a row's mark is the last sample that counted it,
 *       so that recursion counts once without a set to clear;
 *   (2) edges likewise: `seen` is the last sample that counted the edge;
 *   (3) order is total: by magnitude, then by name, and names differ.
 *
 * Cost: an addition for each frame of each sample; the second pass costs a look into a map for each
 * frame, and is left out where no function that stays was ever inlined and no edges are wanted.
 */
#include "callgraph.h"

#include <assert.h>
#include <stdlib.h>

#include "callgraph_priv.h"
#include "faultline/limits.h"
#include "map.h"
#include "mem.h"

/* A name and what it holds, by invariant (1). */
typedef struct tally {
    int64_t flat, cum;
    uint32_t mark;
    uint32_t node;   /* its place in the order, FL_PROFILE_NONE: trimmed */
    bool is_inlined; /* at one place at least */
} tally;

/* Everything lives as long as the view that the caller holds. */
typedef struct builder {
    fl_callgraph view; /* first: its address is the builder's */
    fl_call_inputs inputs;
    tally *tallies;
    size_t name_count;
    int64_t all_total, base_total, flat_sum;
    uint32_t stamp; /* of the sample in hand */
    fl_call_node *nodes;
    fl_map *edge_of; /* caller << 32 | callee -> index + 1 */
    fl_call_edge *in, *out;
    uint32_t *seen; /* stamps of `in` */
    size_t edge_count, edge_cap;
} builder;

/* INT64_MIN has no positive counterpart: it saturates. */
static int64_t magnitude(int64_t value)
{
    if (value == INT64_MIN)
        return INT64_MAX;
    return value < 0 ? -value : value;
}

static fl_status fail_nomem(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a call graph");
}

/* --- the first pass: functions --- */

/* Once for each name of the stack, and once more for the innermost. */
static void tally_sample(builder *b, const fl_call_input *input, const fl_profile_sample *sample,
                         int64_t weight)
{
    const uint32_t *stack = &input->profile->stack[sample->stack_at];
    const fl_sym *names = input->names;
    tally *tallies = b->tallies;
    uint32_t stamp = ++b->stamp;
    for (uint32_t k = 0; k < sample->stack_count; k++) {
        tally *t = &tallies[names[stack[k]]];
        if (t->mark == stamp)
            continue;
        t->mark = stamp;
        t->cum = fl_profile_add(t->cum, weight);
    }
    tally *leaf = &tallies[names[stack[0]]];
    leaf->flat = fl_profile_add(leaf->flat, weight);
}

/* Totals count every sample, filtered out or not, so that percentages are of the whole. */
static void tally_input(builder *b, const fl_call_input *input)
{
    const fl_profile *profile = input->profile;
    for (size_t i = 0; i < profile->sample_count; i++) {
        int64_t value = fl_profile_value(profile, i, input->type);
        if (value == 0)
            continue;
        b->all_total = fl_profile_add(b->all_total, magnitude(value));
        if (input->is_base)
            b->base_total = fl_profile_add(b->base_total, magnitude(value));
        if (profile->samples[i].stack_count > 0 && fl_call_keeps(input, &profile->samples[i]))
            tally_sample(b, input, &profile->samples[i], input->is_base ? -value : value);
    }
    for (size_t i = 0; i < profile->frame_count; i++)
        if (profile->frames[i].inlined)
            b->tallies[input->names[i]].is_inlined = true;
}

/* Sums first, then the total that percentages are of. */
static fl_status tally_all(builder *b, fl_error *err)
{
    b->name_count = fl_intern_count(b->inputs.names);
    b->tallies = fl_mem_calloc(b->name_count, sizeof(*b->tallies));
    if (b->tallies == NULL)
        return fail_nomem(err);
    size_t samples = 0;
    for (size_t i = 0; i < b->inputs.count; i++)
        samples += b->inputs.items[i].profile->sample_count;
    if (samples >= UINT32_MAX / 2) /* stamps of both passes */
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %u samples", UINT32_MAX / 2);
    for (size_t i = 0; i < b->inputs.count; i++)
        tally_input(b, &b->inputs.items[i]);
    b->view.total = b->base_total > 0 ? b->base_total : b->all_total;
    for (size_t i = 0; i < b->name_count; i++)
        b->flat_sum = fl_profile_add(b->flat_sum, b->tallies[i].flat);
    return FL_OK;
}

/* --- which stay, and in which order --- */

/* Truncated, as pprof does, so that the same rows are kept. */
static int64_t cutoff_of(const builder *b, double fraction)
{
    double cutoff = (double)b->flat_sum * fraction;
    assert(fraction >= 0 && fraction <= 1);
    return cutoff >= 0x1p62 || cutoff <= -0x1p62 ? INT64_C(1) << 62 : magnitude((int64_t)cutoff);
}

/* Descending by magnitude: a large decrease matters as a large increase. */
static int compare_numbers(int64_t a, int64_t b)
{
    int64_t left = magnitude(a), right = magnitude(b);
    return left > right ? -1 : left < right;
}

/* By what a function holds itself. */
static int compare_flat(const void *a, const void *b)
{
    const fl_call_node *left = a, *right = b;
    int order = compare_numbers(left->flat, right->flat);
    return order != 0 ? order : fl_slice_compare(left->name, right->name);
}

/* By what is held on its behalf. */
static int compare_cum(const void *a, const void *b)
{
    const fl_call_node *left = a, *right = b;
    int order = compare_numbers(left->cum, right->cum);
    return order != 0 ? order : fl_slice_compare(left->name, right->name);
}

/* Nodes remember their row in in_at until edges are counted. */
static size_t collect_nodes(builder *b, int64_t cutoff)
{
    size_t count = 0;
    for (size_t i = 0; i < b->name_count; i++) {
        const tally *t = &b->tallies[i];
        if (t->flat == 0 && t->cum == 0)
            continue;
        if (magnitude(t->cum) < cutoff) {
            b->view.dropped_nodes++;
            continue;
        }
        b->nodes[count++] = (fl_call_node){.name = fl_intern_text(b->inputs.names, (fl_sym)i),
                                           .flat = t->flat,
                                           .cum = t->cum,
                                           .in_at = (uint32_t)i};
    }
    return count;
}

/* The rows that stay get their places; tallies learn them. */
static fl_status choose_nodes(builder *b, const fl_call_query *query, fl_error *err)
{
    fl_callgraph *view = &b->view;
    b->nodes = fl_mem_calloc(b->name_count, sizeof(*b->nodes));
    if (b->nodes == NULL)
        return fail_nomem(err);
    size_t count = collect_nodes(b, cutoff_of(b, query->node_fraction));
    qsort(b->nodes, count, sizeof(*b->nodes), query->by_cum ? compare_cum : compare_flat);
    view->kept_nodes = count;
    if (query->node_count > 0 && count > query->node_count)
        count = query->node_count;
    view->nodes = b->nodes;
    view->node_count = count;
    for (size_t i = 0; i < b->name_count; i++)
        b->tallies[i].node = FL_PROFILE_NONE;
    for (size_t i = 0; i < count; i++) {
        b->tallies[b->nodes[i].in_at].node = (uint32_t)i;
        b->nodes[i].in_at = 0;
        view->shown_flat = fl_profile_add(view->shown_flat, b->nodes[i].flat);
    }
    return FL_OK;
}

/* --- the second pass: calls --- */

/* Edges and their stamps grow together. */
static fl_status grow_edges(builder *b, fl_error *err)
{
    size_t cap = b->edge_cap == 0 ? 256 : b->edge_cap * 2;
    fl_call_edge *in = fl_mem_realloc(b->in, cap, sizeof(*in));
    if (in == NULL)
        return fail_nomem(err);
    b->in = in;
    uint32_t *seen = fl_mem_realloc(b->seen, cap, sizeof(*seen));
    if (seen == NULL)
        return fail_nomem(err);
    b->seen = seen;
    b->edge_cap = cap;
    return FL_OK;
}

/* By invariant (2) a call that recurs in one sample counts once. */
static fl_status add_call(builder *b, const fl_call_edge *call, fl_error *err)
{
    uint64_t *slot, key = (uint64_t)call->caller << 32 | call->callee;
    fl_status status = fl_map_slot(&slot, b->edge_of, key, NULL, err);
    if (status != FL_OK)
        return status;
    if (*slot == 0) {
        if (b->edge_count == b->edge_cap)
            status = grow_edges(b, err);
        if (status != FL_OK)
            return status;
        b->in[b->edge_count] = *call;
        b->seen[b->edge_count] = b->stamp;
        assert(b->edge_count < b->edge_cap);
        *slot = ++b->edge_count;
        return FL_OK;
    }
    fl_call_edge *edge = &b->in[*slot - 1];
    if (b->seen[*slot - 1] == b->stamp)
        return FL_OK;
    b->seen[*slot - 1] = b->stamp;
    edge->weight = fl_profile_add(edge->weight, call->weight);
    edge->is_residual |= call->is_residual;
    edge->is_inlined &= call->is_inlined;
    return FL_OK;
}

/* What the second pass knows of a frame, in one word: its node, and whether it is inlined itself
 * and its function anywhere. It takes the place of the frame's name, which has had its use. */
enum { FRAME_INLINED = 1, NAME_INLINED = 2, NODE_SHIFT = 2 };

static void number_frames(const builder *b, fl_call_input *input)
{
    const fl_profile *profile = input->profile;
    for (size_t i = 0; i < profile->frame_count; i++) {
        assert(input->names[i] < b->name_count);
        const tally *t = &b->tallies[input->names[i]];
        uint32_t flags =
            (profile->frames[i].inlined ? FRAME_INLINED : 0) | (t->is_inlined ? NAME_INLINED : 0);
        bool stays = t->node != FL_PROFILE_NONE;
        input->names[i] = stays ? t->node << NODE_SHIFT | flags : FL_PROFILE_NONE;
    }
}

/* From the outermost call inwards. Where edges are not wanted, only calls of what is inlined
 * somewhere are counted: `flags` of one such frame, else 0 for all. */
static fl_status count_calls(builder *b, const fl_call_input *input,
                             const fl_profile_sample *sample, fl_call_edge call, uint32_t flags)
{
    const uint32_t *stack = &input->profile->stack[sample->stack_at];
    fl_status status = FL_OK;
    b->stamp++;
    call.caller = FL_PROFILE_NONE;
    call.is_residual = false;
    for (uint32_t k = sample->stack_count; k > 0 && status == FL_OK; k--) {
        uint32_t frame = input->names[stack[k - 1]];
        if (frame == FL_PROFILE_NONE) {
            call.is_residual = true;
            continue;
        }
        call.callee = frame >> NODE_SHIFT;
        call.is_inlined = (frame & FRAME_INLINED) != 0;
        if (call.caller != FL_PROFILE_NONE && call.caller != call.callee &&
            (frame & flags) == flags)
            status = add_call(b, &call, NULL);
        call.caller = call.callee;
        call.is_residual = false;
    }
    return status;
}

/* One source; a base counts negative. */
static fl_status count_input(builder *b, fl_call_input *input, bool all, fl_error *err)
{
    number_frames(b, input);
    const fl_profile *profile = input->profile;
    fl_status status = FL_OK;
    for (size_t i = 0; i < profile->sample_count && status == FL_OK; i++) {
        int64_t value = fl_profile_value(profile, i, input->type);
        fl_call_edge call = {.weight = input->is_base ? -value : value};
        const fl_profile_sample *sample = &profile->samples[i];
        if (value != 0 && sample->stack_count > 0 && fl_call_keeps(input, sample))
            status = count_calls(b, input, sample, call, all ? 0 : NAME_INLINED);
    }
    return status == FL_OK ? FL_OK : fail_nomem(err);
}

/* Calls below the cutoff leave; those that stay close up. */
static void trim_edges(builder *b, int64_t cutoff)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->edge_count; i++)
        if (magnitude(b->in[i].weight) >= cutoff)
            b->in[kept++] = b->in[i];
    b->edge_count = kept;
}

/* Whether the second pass can change anything that top shows. */
static bool any_inlined(const builder *b)
{
    for (size_t i = 0; i < b->name_count; i++)
        if (b->tallies[i].node != FL_PROFILE_NONE && b->tallies[i].is_inlined)
            return true;
    return false;
}

/* A function is inlined where all calls of it that stay are, partly where some are. */
static void tell_inlining(builder *b)
{
    enum { SOME_REAL = 1, SOME_INLINED = 2 };
    for (size_t i = 0; i < b->edge_count; i++) {
        fl_call_node *callee = &b->nodes[b->in[i].callee];
        callee->in_count |= b->in[i].is_inlined ? SOME_INLINED : SOME_REAL;
    }
    for (size_t i = 0; i < b->view.node_count; i++) {
        fl_call_node *node = &b->nodes[i];
        if (node->in_count == SOME_INLINED)
            node->inlining = FL_CALL_INLINED;
        else if (node->in_count == (SOME_INLINED | SOME_REAL))
            node->inlining = FL_CALL_PARTLY_INLINED;
        node->in_count = 0;
    }
}

/* --- calls in two orders --- */

/* An edge with what it is sorted by. */
typedef struct edge_row {
    uint32_t group; /* the node whose list it is in */
    uint32_t rank;  /* of the other node's name among all names */
    uint64_t weight;
    fl_call_edge edge;
} edge_row;

/* By list, heaviest first, then by name. */
static int compare_rows(const void *a, const void *b)
{
    const edge_row *left = a, *right = b;
    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return left->rank < right->rank ? -1 : left->rank > right->rank;
}

/* A name on its way to its rank. */
typedef struct ranked {
    fl_slice name;
    uint32_t node;
} ranked;

/* Names of nodes differ, so no two are equal. */
static int compare_ranked(const void *a, const void *b)
{
    return fl_slice_compare(((const ranked *)a)->name, ((const ranked *)b)->name);
}

/* ranks[node]: the place of its name in the order of names. */
static fl_status rank_names(uint32_t *ranks, const builder *b, fl_error *err)
{
    size_t count = b->view.node_count;
    ranked *items = fl_mem_calloc(count, sizeof(*items));
    if (items == NULL)
        return fail_nomem(err);
    for (size_t i = 0; i < count; i++)
        items[i] = (ranked){b->nodes[i].name, (uint32_t)i};
    qsort(items, count, sizeof(*items), compare_ranked);
    for (size_t i = 0; i < count; i++)
        ranks[items[i].node] = (uint32_t)i;
    fl_mem_free(items);
    return FL_OK;
}

/* Fill b->in or b->out, and where each node's part of it is. */
static void order_edges(builder *b, edge_row *rows, const uint32_t *ranks, bool by_callee)
{
    for (size_t i = 0; i < b->edge_count; i++) {
        fl_call_edge *edge = &rows[i].edge;
        uint32_t other = by_callee ? edge->caller : edge->callee;
        rows[i].group = by_callee ? edge->callee : edge->caller;
        rows[i].rank = ranks[other];
        rows[i].weight = (uint64_t)magnitude(edge->weight);
    }
    qsort(rows, b->edge_count, sizeof(*rows), compare_rows);
    for (size_t i = 0; i < b->edge_count; i++) {
        fl_call_node *node = &b->nodes[rows[i].group];
        uint32_t *count = by_callee ? &node->in_count : &node->out_count;
        if ((*count)++ == 0)
            *(by_callee ? &node->in_at : &node->out_at) = (uint32_t)i;
        (by_callee ? b->in : b->out)[i] = rows[i].edge;
    }
}

/* Both orders, for callers and for callees. */
static fl_status publish_edges(builder *b, fl_error *err)
{
    size_t count = b->edge_count;
    edge_row *rows = fl_mem_calloc(count, sizeof(*rows));
    uint32_t *ranks = fl_mem_calloc(b->view.node_count, sizeof(*ranks));
    b->out = fl_mem_calloc(count, sizeof(*b->out));
    fl_status status = rows != NULL && ranks != NULL && b->out != NULL ? FL_OK : fail_nomem(err);
    if (status == FL_OK)
        status = rank_names(ranks, b, err);
    if (status == FL_OK) {
        for (size_t i = 0; i < count; i++)
            rows[i].edge = b->in[i];
        order_edges(b, rows, ranks, true);
        order_edges(b, rows, ranks, false);
        b->view.in = b->in;
        b->view.out = b->out;
        b->view.edge_count = count;
    }
    fl_mem_free(rows);
    fl_mem_free(ranks);
    return status;
}

/* --- the whole --- */

/* Only where they are asked for, or tell what was inlined. */
static fl_status count_edges(builder *b, const fl_call_query *query, fl_error *err)
{
    if (!query->with_edges && !any_inlined(b))
        return FL_OK;
    size_t most = FL_MAX_PROFILE_TABLE;
    fl_status status = fl_map_create(&b->edge_of, most, err);
    for (size_t i = 0; i < b->inputs.count && status == FL_OK; i++)
        status = count_input(b, &b->inputs.items[i], query->with_edges, err);
    if (status != FL_OK)
        return status;
    trim_edges(b, cutoff_of(b, query->edge_fraction));
    tell_inlining(b);
    return query->with_edges ? publish_edges(b, err) : FL_OK;
}

/* On failure what was built so far goes with the view. */
fl_status fl_callgraph_create(fl_callgraph **out, const fl_call_source *sources,
                              size_t source_count, const fl_call_query *query, fl_error *err)
{
    assert(out != NULL && query != NULL && source_count > 0);
    *out = NULL;
    builder *b = fl_mem_calloc(1, sizeof(*b));
    if (b == NULL)
        return fail_nomem(err);
    fl_status status = fl_call_inputs_init(&b->inputs, sources, source_count, query, err);
    if (status == FL_OK)
        status = tally_all(b, err);
    if (status == FL_OK)
        status = choose_nodes(b, query, err);
    if (status == FL_OK)
        status = count_edges(b, query, err);
    if (status != FL_OK) {
        fl_callgraph_destroy(&b->view);
        return status;
    }
    b->view.type = b->inputs.type;
    b->view.unit = b->inputs.unit;
    b->view.focus_matched = b->inputs.focus_matched;
    b->view.ignore_matched = b->inputs.ignore_matched;
    *out = &b->view;
    return FL_OK;
}

/* Names go with the inputs that interned them. */
void fl_callgraph_destroy(fl_callgraph *graph)
{
    if (graph == NULL)
        return;
    builder *b = (builder *)graph;
    fl_call_inputs_dispose(&b->inputs);
    fl_map_destroy(b->edge_of);
    fl_mem_free(b->tallies);
    fl_mem_free(b->nodes);
    fl_mem_free(b->in);
    fl_mem_free(b->out);
    fl_mem_free(b->seen);
    fl_mem_free(b);
}
