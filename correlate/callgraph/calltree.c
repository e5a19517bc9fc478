/*
 * calltree.c - every stack once: a trie of names from the outermost call inwards.
 *
 * Invariants: node 0 is the root; a node's parent stands before it, so that sums and layouts are
 * loops and not recursion. Children are linked by name at the end, as their order of arrival is
 * that of the samples.
 */
#include <assert.h>
#include <stdlib.h>

#include "callgraph_priv.h"
#include "faultline/limits.h"
#include "map.h"
#include "mem.h"

/* Nodes move while they are added: they are known by index. */
typedef struct builder {
    fl_call_tree view; /* first: its address is the builder's */
    fl_call_inputs inputs;
    fl_call_tree_node *nodes;
    size_t count, cap;
    fl_map *child_of; /* parent << 32 | name -> node */
} builder;

static fl_status fail_nomem(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a call tree");
}

/* Doubling; the index of the new node is the old count. */
static fl_status add_node(builder *b, const fl_call_tree_node *node, fl_error *err)
{
    if (b->count == b->cap) {
        size_t cap = b->cap == 0 ? 256 : b->cap * 2;
        fl_call_tree_node *nodes = fl_mem_realloc(b->nodes, cap, sizeof(*nodes));
        if (nodes == NULL)
            return fail_nomem(err);
        b->nodes = nodes;
        b->cap = cap;
    }
    b->nodes[b->count++] = *node;
    return FL_OK;
}

/* The child of that name; added where there is none. */
static fl_status step_down(uint32_t *node, builder *b, fl_sym name, fl_error *err)
{
    uint64_t *slot;
    assert(*node < b->count);
    fl_status status = fl_map_slot(&slot, b->child_of, (uint64_t)*node << 32 | name, NULL, err);
    if (status == FL_OK && *slot == 0) {
        fl_call_tree_node child = {.name = fl_intern_text(b->inputs.names, name),
                                   .parent = *node,
                                   .first_child = FL_PROFILE_NONE,
                                   .next = FL_PROFILE_NONE,
                                   .depth = b->nodes[*node].depth + 1};
        *slot = b->count;
        status = add_node(b, &child, err);
        if (child.depth > b->view.max_depth)
            b->view.max_depth = child.depth;
    }
    if (status == FL_OK)
        *node = (uint32_t)*slot;
    return status;
}

/* What is there, and what the base had, are kept apart. */
static void count(fl_call_tree_node *node, int64_t value, bool is_base)
{
    int64_t *sum = is_base ? &node->base : &node->value;
    *sum = fl_profile_add(*sum, value);
}

/* From the outermost call inwards; every node on the way counts. */
static fl_status add_sample(builder *b, const fl_call_input *input, const fl_profile_sample *sample,
                            int64_t value, fl_error *err)
{
    const uint32_t *stack = input->profile->stack;
    uint32_t node = 0;
    fl_status status = FL_OK;
    count(&b->nodes[0], value, input->is_base);
    for (uint32_t k = sample->stack_count; k > 0 && status == FL_OK; k--) {
        status = step_down(&node, b, input->names[stack[sample->stack_at + k - 1]], err);
        if (status == FL_OK)
            count(&b->nodes[node], value, input->is_base);
    }
    return status;
}

/* Samples that the filters let through. */
static fl_status add_input(builder *b, const fl_call_input *input, fl_error *err)
{
    const fl_profile *profile = input->profile;
    fl_status status = FL_OK;
    for (size_t i = 0; i < profile->sample_count && status == FL_OK; i++) {
        int64_t value = fl_profile_value(profile, i, input->type);
        if (value != 0 && fl_call_keeps(input, &profile->samples[i]))
            status = add_sample(b, input, &profile->samples[i], value, err);
    }
    return status;
}

/* A node on its way to its place among its siblings. */
typedef struct ranked {
    fl_slice name;
    uint32_t node;
} ranked;

/* The last name first: linking puts each before those that are there. */
static int compare_ranked(const void *a, const void *b)
{
    const ranked *left = a, *right = b;
    int order = fl_slice_compare(right->name, left->name);
    return order != 0 ? order : (left->node < right->node) - (left->node > right->node);
}

/* One sort for all: siblings keep its order. */
static fl_status link_children(builder *b, fl_error *err)
{
    ranked *items = fl_mem_calloc(b->count, sizeof(*items));
    if (items == NULL)
        return fail_nomem(err);
    for (size_t i = 1; i < b->count; i++)
        items[i - 1] = (ranked){b->nodes[i].name, (uint32_t)i};
    qsort(items, b->count - 1, sizeof(*items), compare_ranked);
    for (size_t i = 0; i + 1 < b->count; i++) {
        fl_call_tree_node *node = &b->nodes[items[i].node], *parent = &b->nodes[node->parent];
        node->next = parent->first_child;
        parent->first_child = items[i].node;
    }
    fl_mem_free(items);
    return FL_OK;
}

/* The root is there even where no sample is. */
static fl_status build(builder *b, fl_error *err)
{
    fl_call_tree_node root = {.name = {(const unsigned char *)"", 0},
                              .parent = FL_PROFILE_NONE,
                              .first_child = FL_PROFILE_NONE,
                              .next = FL_PROFILE_NONE};
    fl_status status = fl_map_create(&b->child_of, FL_MAX_PROFILE_TABLE, err);
    if (status == FL_OK)
        status = add_node(b, &root, err);
    for (size_t i = 0; i < b->inputs.count && status == FL_OK; i++)
        status = add_input(b, &b->inputs.items[i], err);
    return status == FL_OK ? link_children(b, err) : status;
}

/* As for the graph: what was built goes with the view. */
fl_status fl_call_tree_create(fl_call_tree **out, const fl_call_source *sources,
                              size_t source_count, const fl_call_query *query, fl_error *err)
{
    assert(out != NULL && query != NULL && source_count > 0);
    *out = NULL;
    builder *b = fl_mem_calloc(1, sizeof(*b));
    if (b == NULL)
        return fail_nomem(err);
    fl_status status = fl_call_inputs_init(&b->inputs, sources, source_count, query, err);
    if (status == FL_OK)
        status = build(b, err);
    if (status != FL_OK) {
        fl_call_tree_destroy(&b->view);
        return status;
    }
    b->view.type = b->inputs.type;
    b->view.unit = b->inputs.unit;
    b->view.nodes = b->nodes;
    b->view.node_count = b->count;
    *out = &b->view;
    return FL_OK;
}

/* Names go with the inputs that interned them. */
void fl_call_tree_destroy(fl_call_tree *tree)
{
    if (tree == NULL)
        return;
    builder *b = (builder *)tree;
    fl_call_inputs_dispose(&b->inputs);
    fl_map_destroy(b->child_of);
    fl_mem_free(b->nodes);
    fl_mem_free(b);
}
