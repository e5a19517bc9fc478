/*
 * loggroup.c - a total order over the forms, then one walk over them.
 *
 * Order: severity, forms with a location first, location, scope, token count, text. Distinct forms
 * never compare equal, so the walk, and all that greedy grouping decides on it, depends on the set
 * of forms alone. The numbers of scopes order groups of one location, each of which is a function
 * of its own members; groups that read the same are one template; so the numbers reach no answer.
 *
 * Forms with one severity, location and scope are one group. The others walk the tree of their
 * (severity, token count), as in Drain (He, Zhu, Zheng and Lyu, ICWS 2017, section IV): two levels
 * keyed by the first tokens that hold no mask, at most MAX_CHILDREN children a node of which the
 * last takes the rest, and at each leaf the group of highest similarity, if that is at least 1/2,
 * else a new one. Similarity counts the positions with equal tokens over the positions where not
 * both are masked; Drain's simSeq divides by all positions, which rates lines with many masks too
 * low.
 *
 * A group's text is a function of the set of its members: with n the least token count and S the
 * positions below n where all members agree,
 *     all have n tokens:  token i for i in S, else <*>
 *     else:               the tokens before the first position outside of S, then <*>
 * Both n and S are built by meets (minimum, intersection), which are associative and commutative.
 *
 * Cost: O(bytes of text x MAX_GROUPS) at worst; memory: one byte a token of each group's first
 * form.
 */
#include "loggroup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"

enum {
    TREE_TOKENS = 2,    /* levels that are keyed by a token */
    MAX_CHILDREN = 100, /* of a node, as in Drain */
    MAX_GROUPS = 64     /* of a leaf; more forms join the nearest */
};

typedef const struct fl_miner_form form;

struct group {
    form *first;              /* in the walk, so none is shorter */
    unsigned char *is_masked; /* per token of `first`: some member differs there */
    bool is_open;             /* some member is longer */
    uint32_t rank;            /* its template's index */
    struct group *next;       /* at the same leaf */
    struct group *next_of_all;
};

struct node {
    fl_slice key; /* ptr is NULL in the child that takes the rest */
    uint32_t at;  /* the key's position in the line */
    size_t child_count;
    struct node *children, *next;
    struct group *groups;
    size_t group_count;
};

struct grouping {
    fl_arena *arena;  /* the result's */
    fl_arena scratch; /* nodes and groups */
    form **sorted;
    struct group **group_of; /* per form, in the caller's order */
    form *forms;
    size_t count;
    struct group *all;
    size_t group_count;
};

/* One sentence for all that grouping allocates. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to group log lines");
}

/* Empty for a form without one. */
static fl_slice location_of(form *f)
{
    return (fl_slice){.ptr = f->text.ptr + f->location_at, .len = f->location_len};
}

/* As strcmp(): a subtraction of unsigned numbers would not tell which is less. */
static int compare_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* The order of the comment above; for qsort over pointers. */
static int compare_forms(const void *left, const void *right)
{
    form *a = *(form *const *)left, *b = *(form *const *)right;
    int order = compare_numbers(a->severity, b->severity);
    if (order == 0)
        order = compare_numbers(a->is_other, b->is_other);
    if (order == 0)
        order = compare_numbers(b->location_len > 0, a->location_len > 0);
    if (order == 0)
        order = fl_slice_compare(location_of(a), location_of(b));
    if (order == 0)
        order = compare_numbers(a->scope, b->scope);
    if (order == 0)
        order = compare_numbers(a->token_count, b->token_count);
    return order != 0 ? order : fl_slice_compare(a->text, b->text);
}

/* The token at *p, which moves past it and the space behind it. */
static inline fl_slice next_token(const unsigned char **p, const unsigned char *end)
{
    const unsigned char *start = *p, *q = start;
    while (q < end && *q != ' ')
        q++;
    *p = q < end ? q + 1 : q;
    return (fl_slice){.ptr = start, .len = (size_t)(q - start)};
}

/* The whole token is variable. */
static bool is_mask(fl_slice token)
{
    return token.len == 3 && memcmp(token.ptr, "<*>", 3) == 0;
}

/* Some part of it is: such a token keys no level of the tree. */
static bool holds_mask(fl_slice token)
{
    return fl_slice_find(token, FL_SLICE("<*>")) < token.len;
}

/* Of one member. NULL when memory ran out. */
static struct group *new_group(struct grouping *g, form *first)
{
    assert(first >= g->forms && first < g->forms + g->count);
    struct group *group = fl_arena_alloc(&g->scratch, 1, sizeof(*group));
    unsigned char *is_masked = fl_arena_alloc(&g->scratch, first->token_count, 1);
    if (group == NULL || is_masked == NULL)
        return NULL;
    *group = (struct group){.first = first, .is_masked = is_masked, .next_of_all = g->all};
    g->all = group;
    g->group_count++;
    g->group_of[first - g->forms] = group;
    return group;
}

/* The meet of the group's text and the form's. */
static void join(struct grouping *g, struct group *group, form *f)
{
    const unsigned char *p = group->first->text.ptr, *p_end = p + group->first->text.len;
    const unsigned char *q = f->text.ptr, *q_end = q + f->text.len;
    assert(f->severity == group->first->severity);
    assert(f->token_count >= group->first->token_count);
    if (f->token_count > group->first->token_count)
        group->is_open = true;
    for (uint32_t i = 0; i < group->first->token_count; i++)
        if (!fl_slice_equal(next_token(&p, p_end), next_token(&q, q_end)))
            group->is_masked[i] = 1;
    g->group_of[f - g->forms] = group;
}

struct ratio {
    uint32_t same, of;
};

/* Of a group and a form of the same length. Nothing but masks on both sides is full similarity. */
static struct ratio similarity(const struct group *group, form *f)
{
    const unsigned char *p = group->first->text.ptr, *p_end = p + group->first->text.len;
    const unsigned char *q = f->text.ptr, *q_end = q + f->text.len;
    struct ratio ratio = {0};
    assert(f->token_count == group->first->token_count && !group->is_open);
    for (uint32_t i = 0; i < group->first->token_count; i++) {
        fl_slice a = next_token(&p, p_end), b = next_token(&q, q_end);
        bool is_masked = group->is_masked[i] != 0 || is_mask(a);
        if (is_masked && is_mask(b))
            continue;
        ratio.of++;
        ratio.same += !is_masked && fl_slice_equal(a, b);
    }
    return ratio.of > 0 ? ratio : (struct ratio){1, 1};
}

/* By cross products: exact, where divisions would round. */
static bool is_higher(struct ratio a, struct ratio b)
{
    return (uint64_t)a.same * b.of > (uint64_t)b.same * a.of;
}

/* The child for `key`, made where it is new; NULL when memory ran out. */
static struct node *child_of(struct grouping *g, struct node *node, fl_slice key, uint32_t at)
{
    struct node *rest = NULL;
    for (struct node *child = node->children; child != NULL; child = child->next) {
        if (child->key.ptr == NULL)
            rest = child;
        else if (child->at == at && fl_slice_equal(child->key, key))
            return child;
    }
    if (rest != NULL)
        return rest;
    struct node *child = fl_arena_alloc(&g->scratch, 1, sizeof(*child));
    if (child == NULL)
        return NULL;
    node->child_count++;
    assert(node->child_count <= MAX_CHILDREN);
    if (node->child_count < MAX_CHILDREN)
        child->key = key, child->at = at;
    child->next = node->children;
    node->children = child;
    return child;
}

/* Down the tree by the first tokens that hold no mask. */
static struct node *leaf_of(struct grouping *g, struct node *root, form *f)
{
    const unsigned char *p = f->text.ptr, *end = p + f->text.len;
    struct node *node = root;
    int depth = 0;
    for (uint32_t at = 0; at < f->token_count && depth < TREE_TOKENS && node != NULL; at++) {
        fl_slice token = next_token(&p, end);
        if (holds_mask(token))
            continue;
        node = child_of(g, node, token, at);
        depth++;
    }
    return node;
}

/* To the group that is nearest, and near enough; else it begins one. */
static fl_status add_to_tree(struct grouping *g, struct node *root, form *f, fl_error *err)
{
    struct node *leaf = leaf_of(g, root, f);
    if (leaf == NULL)
        return no_memory(err);
    struct group *best = NULL;
    struct ratio best_ratio = {0, 1};
    for (struct group *group = leaf->groups; group != NULL; group = group->next) {
        struct ratio ratio = similarity(group, f);
        if (best == NULL || is_higher(ratio, best_ratio)) {
            best = group;
            best_ratio = ratio;
        }
    }
    bool is_near = best != NULL && (uint64_t)best_ratio.same * 2 >= best_ratio.of;
    if (is_near || leaf->group_count == MAX_GROUPS) {
        assert(best != NULL);
        join(g, best, f);
        return FL_OK;
    }
    struct group *group = new_group(g, f);
    if (group == NULL)
        return no_memory(err);
    group->next = leaf->groups;
    leaf->groups = group;
    leaf->group_count++;
    return FL_OK;
}

/* Forms between which the walk compares nothing but texts; they stand side by side. */
static bool same_bucket(form *a, form *b)
{
    return a->severity == b->severity && a->is_other == b->is_other && a->scope == b->scope &&
           fl_slice_equal(location_of(a), location_of(b)) &&
           (a->location_len > 0 || a->token_count == b->token_count);
}

/* Walk the sorted forms, bucket by bucket: a location of a scope, or a token count with its own
 * tree. */
static fl_status walk(struct grouping *g, fl_error *err)
{
    struct node *root = NULL;
    struct group *group = NULL;
    for (size_t i = 0; i < g->count; i++) {
        form *f = g->sorted[i];
        bool is_first = i == 0 || !same_bucket(g->sorted[i - 1], f);
        if (f->location_len > 0 || f->is_other) {
            if (!is_first)
                join(g, group, f);
            else if ((group = new_group(g, f)) == NULL)
                return no_memory(err);
            continue;
        }
        if (is_first && (root = fl_arena_alloc(&g->scratch, 1, sizeof(*root))) == NULL)
            return no_memory(err);
        fl_status status = add_to_tree(g, root, f, err);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

/* Bytes that hold the group's text: a mask may replace a shorter token, and one may end it. */
static size_t room_for(const struct group *group)
{
    size_t masked = 0;
    for (uint32_t i = 0; i < group->first->token_count; i++)
        masked += group->is_masked[i];
    return group->first->text.len + masked * 2 + 5;
}

/* NULL when memory ran out. */
static char *render(fl_arena *arena, const struct group *group)
{
    if (group->first->is_other)
        return fl_arena_cstr(arena, FL_SLICE("<other>"));
    if (group->first->text.len == 0 && !group->is_open)
        return fl_arena_cstr(arena, FL_SLICE("<empty>"));
    const unsigned char *p = group->first->text.ptr, *end = p + group->first->text.len;
    char *text = (char *)fl_arena_bytes(arena, room_for(group));
    if (text == NULL)
        return NULL;
    char *out = text;
    fl_slice last = {0};
    for (uint32_t i = 0; i < group->first->token_count; i++) {
        fl_slice token = next_token(&p, end);
        if (group->is_masked[i] && group->is_open)
            break;
        last = group->is_masked[i] ? FL_SLICE("<*>") : token;
        memcpy(out, last.ptr, last.len);
        out += last.len;
        *out++ = ' ';
    }
    if (group->is_open && !is_mask(last)) {
        memcpy(out, "<*> ", 4);
        out += 4;
    }
    assert(out > text);
    out[-1] = '\0';
    return text;
}

/* Of the location where there is one: its text may gain a mask when more lines are seen. */
static uint64_t id_of(const fl_log_template *t)
{
    uint64_t hash = fl_hash_stable(fl_slice_of(t->location != NULL ? t->location : t->text));
    return fl_hash_mix(hash ^ (uint64_t)t->severity ^ (t->location != NULL ? 32 : 0));
}

/* What a reader sees of a group; its texts live in the result's arena. */
static fl_status make_template(fl_log_template *out, struct grouping *g, struct group *group,
                               fl_error *err)
{
    fl_log_template t = {.severity = group->first->severity,
                         .is_error = group->first->severity >= 17,
                         .text = render(g->arena, group)};
    if (t.text == NULL)
        return no_memory(err);
    if (group->first->location_len > 0) {
        t.location = fl_arena_cstr(g->arena, location_of(group->first));
        if (t.location == NULL)
            return no_memory(err);
    }
    t.id = id_of(&t);
    *out = t;
    return FL_OK;
}

struct ranked {
    fl_log_template template;
    struct group *group;
};

static int compare_templates(const fl_log_template *a, const fl_log_template *b)
{
    int order = compare_numbers((size_t)a->severity, (size_t)b->severity);
    if (order == 0)
        order = strcmp(a->text, b->text);
    if (order == 0 && a->location != NULL && b->location != NULL)
        return strcmp(a->location, b->location);
    return order != 0 ? order : (a->location != NULL) - (b->location != NULL);
}

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    return compare_templates(&a->template, &b->template);
}

/* Templates in their order; two groups that came to read the same are one template. */
static fl_status rank(fl_log_groups *out, struct grouping *g, struct ranked *ranked, fl_error *err)
{
    size_t count = 0;
    for (struct group *group = g->all; group != NULL; group = group->next_of_all, count++) {
        fl_status status = make_template(&ranked[count].template, g, group, err);
        if (status != FL_OK)
            return status;
        ranked[count].group = group;
    }
    assert(count == g->group_count);
    if (count > 0)
        qsort(ranked, count, sizeof(*ranked), compare_ranked);
    for (size_t i = 0; i < count; i++) {
        const fl_log_template *t = &ranked[i].template;
        if (out->count == 0 || compare_templates(&out->templates[out->count - 1], t) != 0)
            out->templates[out->count++] = *t;
        ranked[i].group->rank = (uint32_t)(out->count - 1);
    }
    for (size_t i = 0; i < g->count; i++)
        out->template_of[i] = g->group_of[i]->rank;
    return FL_OK;
}

/* Results in the caller's arena, everything else in the scratch. */
static fl_status sort_and_walk(fl_log_groups *out, struct grouping *g, fl_error *err)
{
    for (size_t i = 0; i < g->count; i++)
        g->sorted[i] = &g->forms[i];
    if (g->count > 0)
        qsort(g->sorted, g->count, sizeof(*g->sorted), compare_forms);
    fl_status status = walk(g, err);
    if (status != FL_OK)
        return status;
    out->templates = fl_arena_alloc(g->arena, g->group_count, sizeof(*out->templates));
    out->template_of = fl_arena_alloc(g->arena, g->count, sizeof(*out->template_of));
    struct ranked *ranked = fl_arena_alloc(&g->scratch, g->group_count, sizeof(*ranked));
    if (out->templates == NULL || out->template_of == NULL || ranked == NULL)
        return no_memory(err);
    return rank(out, g, ranked, err);
}

fl_status fl_log_group(fl_log_groups *out, fl_arena *arena, const struct fl_miner_form *forms,
                       size_t count, fl_error *err)
{
    assert(out != NULL && arena != NULL && (forms != NULL || count == 0));
    *out = (fl_log_groups){0};
    struct grouping g = {
        .arena = arena, .scratch = fl_arena_of(SIZE_MAX), .forms = forms, .count = count};
    g.sorted = fl_arena_alloc(&g.scratch, count, sizeof(*g.sorted));
    g.group_of = fl_arena_alloc(&g.scratch, count, sizeof(*g.group_of));
    fl_status status =
        g.sorted != NULL && g.group_of != NULL ? sort_and_walk(out, &g, err) : no_memory(err);
    fl_arena_dispose(&g.scratch);
    return status;
}
