/*
 * graph_find.c - exact ways first, which cost one look each; then one walk that gathers what begins
 * so and, for the message, what is nearest.
 */
#include "graph_find.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "edits.h"
#include "number.h"
#include "quote.h"
#include "slice.h"
#include "timestamp.h"

enum {
    LISTED = 3,            /* of several that fit */
    LOOK_AT_CLOCK = 256,   /* nodes between two looks */
    MAX_COMPARED = 200000, /* nodes that are compared for the nearest: a second, about */
    ID_TEXT = 24
};

typedef struct finding {
    fl_arena *arena;
    fl_slice word;
    bool has_kind; /* it was written "kind:..." */
    fl_node_kind kind;
    fl_slice key; /* what stands behind the kind */
    fl_graph_node found[LISTED];
    size_t count;
    fl_graph_node nearest;
    size_t nearest_edits, compared;
    int64_t until_ns; /* of the monotonic clock; 0: no limit */
    uint64_t seen;
    bool is_late;
} finding;

fl_status fl_graph_node_copy(fl_graph_node *out, const fl_graph_node *node, fl_arena *arena,
                             fl_error *err)
{
    fl_graph_node copy = *node;
    copy.key = fl_arena_cstr(arena, fl_slice_of(node->key));
    copy.title = node->title != NULL ? fl_arena_cstr(arena, fl_slice_of(node->title)) : NULL;
    if (copy.key == NULL || (node->title != NULL && copy.title == NULL))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the nodes");
    *out = copy;
    return FL_OK;
}

/* Counts all, keeps the first few. */
static fl_status keep(const fl_graph_node *node, void *payload, fl_error *err)
{
    finding *f = payload;
    for (size_t i = 0; i < f->count && i < LISTED; i++)
        if (f->found[i].id == node->id)
            return FL_OK;
    fl_status status = FL_OK;
    if (f->count < LISTED)
        status = fl_graph_node_copy(&f->found[f->count], node, f->arena, err);
    f->count++;
    return status;
}

/* An id that nobody has is no failure: nothing is found. */
static fl_status look_up(finding *f, fl_store *store, uint64_t id, int64_t as_of_ns, fl_error *err)
{
    const fl_graph_question one = {.scope = FL_GRAPH_ONE, .id = id, .as_of_ns = as_of_ns};
    return fl_graph_nodes(store, &one, keep, f, err);
}

/* kind:key, id, key of any kind: the first way that finds something ends it. */
static fl_status look_up_exactly(finding *f, fl_store *store, int64_t as_of_ns, fl_error *err)
{
    uint64_t id;
    fl_status status = FL_OK;
    if (f->has_kind)
        status = look_up(f, store, fl_node_id(f->kind, f->key), as_of_ns, err);
    if (status == FL_OK && f->count == 0 && fl_parse_u64(f->word, &id))
        status = look_up(f, store, id, as_of_ns, err);
    if (f->count > 0)
        return status;
    for (fl_node_kind kind = 0; status == FL_OK && kind < FL_NODE_KIND_COUNT; kind++)
        status = look_up(f, store, fl_node_id(kind, f->word), as_of_ns, err);
    return status;
}

/* Bytewise, and so as it was written: keys tell upper case from lower. */
static bool begins(const char *text, fl_slice word)
{
    return text != NULL && fl_slice_starts_with(fl_slice_of(text), word);
}

/* A beginning of the key, the title, or the id. */
static bool fits(const finding *f, const fl_graph_node *node)
{
    char id[ID_TEXT];
    if (f->has_kind && node->kind == f->kind &&
        (begins(node->key, f->key) || begins(node->title, f->key)))
        return true;
    snprintf(id, sizeof(id), "%" PRIu64, node->id);
    return begins(node->key, f->word) || begins(node->title, f->word) || begins(id, f->word);
}

/* Lower case of both ends; a text that holds the word is as near as one letter. */
static size_t distance(fl_slice word, const char *text)
{
    char a[FL_MAX_EDITS_WORD + 1], b[FL_MAX_EDITS_WORD + 1];
    fl_slice other = fl_slice_of(text), both[2] = {word, other};
    char *lower[2] = {a, b};
    size_t lens[2];
    if (word.len > 2 && fl_slice_find(other, word) < other.len)
        return 1;
    for (size_t k = 0; k < 2; k++) {
        lens[k] = both[k].len < FL_MAX_EDITS_WORD ? both[k].len : FL_MAX_EDITS_WORD;
        for (size_t i = 0; i < lens[k]; i++) {
            char c = (char)both[k].ptr[i];
            lower[k][i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
    }
    size_t longer = lens[0] > lens[1] ? lens[0] : lens[1];
    size_t apart = longer - (lens[0] > lens[1] ? lens[1] : lens[0]);
    if (apart > fl_edits_most(longer))
        return SIZE_MAX;
    size_t edits = fl_edits((fl_slice){.ptr = (unsigned char *)a, .len = lens[0]},
                            (fl_slice){.ptr = (unsigned char *)b, .len = lens[1]});
    return edits <= fl_edits_most(longer) ? edits : SIZE_MAX;
}

/* The nearest so far, of the kind that was named; the first of those that are equally near. */
static fl_status compare(finding *f, const fl_graph_node *node, fl_error *err)
{
    fl_slice word = f->has_kind ? f->key : f->word;
    if ((f->has_kind && node->kind != f->kind) || f->compared++ >= MAX_COMPARED)
        return FL_OK;
    size_t edits = distance(word, node->key), of_title = SIZE_MAX;
    if (node->title != NULL)
        of_title = distance(word, node->title);
    edits = of_title < edits ? of_title : edits;
    if (edits >= f->nearest_edits)
        return FL_OK;
    f->nearest_edits = edits;
    return fl_graph_node_copy(&f->nearest, node, f->arena, err);
}

/* As soon as something fits, nobody asks what is nearest. */
static fl_status visit(const fl_graph_node *node, void *payload, fl_error *err)
{
    finding *f = payload;
    f->is_late = f->until_ns != 0 && f->seen++ % LOOK_AT_CLOCK == LOOK_AT_CLOCK - 1 &&
                 fl_time_monotonic() > f->until_ns;
    if (f->is_late)
        return fl_fail(err, FL_E_STOPPED, FL_NO_OFFSET, "the search took too long");
    if (fits(f, node))
        return keep(node, f, err);
    return f->count == 0 ? compare(f, node, err) : FL_OK;
}

/* "cause:pool", cut where it is long. */
static void write_name(char *out, size_t size, const fl_graph_node *node)
{
    char key[FL_QUOTE_TEXT];
    snprintf(out, size, "%s:%s", fl_node_kind_name(node->kind),
             fl_quote(key, fl_slice_of(node->key)));
}

/* The first few in the order of the store, each as it may be typed. */
static fl_status fail_several(const finding *f, const char *word, fl_error *err)
{
    char names[128] = "", name[FL_QUOTE_TEXT + 16];
    size_t used = 0;
    for (size_t i = 0; i < f->count && i < LISTED && used < sizeof(names); i++) {
        write_name(name, sizeof(name), &f->found[i]);
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%.38s", i > 0 ? ", " : "",
                                 name);
    }
    return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "'%.30s' may be one of %zu nodes: %s%s", word,
                   f->count, names, f->count > LISTED ? " ..." : "");
}

/* The hint is shown and never taken. */
static fl_status fail_none(const finding *f, const char *word, fl_error *err)
{
    char quoted[FL_QUOTE_TEXT], name[FL_QUOTE_TEXT + 16];
    (void)fl_quote(quoted, fl_slice_of(word));
    if (f->nearest_edits == SIZE_MAX)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "no node '%s' in the graph", quoted);
    write_name(name, sizeof(name), &f->nearest);
    return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                   "no node '%.50s' in the graph; did you mean"
                   " '%s'?",
                   quoted, name);
}

/* One that was found may not be the only one. */
static fl_status fail_late(const finding *f, const char *word, fl_error *err)
{
    char quoted[FL_QUOTE_TEXT];
    assert(f->is_late);
    return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                   f->count == 0 ? "no node '%.50s' was found in time: name it by kind:key or id"
                                 : "'%.50s' may be one of several nodes: name it by kind:key or id",
                   fl_quote(quoted, fl_slice_of(word)));
}

/* Over all of them, until the time is over. */
static fl_status walk(finding *f, fl_store *store, const fl_graph_find_question *question,
                      fl_error *err)
{
    const fl_graph_question all = {.as_of_ns = question->as_of_ns};
    fl_error why = {0};
    f->until_ns = question->time_ns > 0 ? fl_time_monotonic() + question->time_ns : 0;
    fl_status status = fl_graph_nodes(store, &all, visit, f, &why);
    if (f->is_late)
        return fail_late(f, question->word, err);
    return status != FL_OK ? fl_fail(err, status, FL_NO_OFFSET, "%s", why.message) : FL_OK;
}

/* A key may hold a colon itself: what stands before the first one is a kind only where it is the
 * name of one. */
fl_status fl_graph_find(fl_graph_node *out, fl_store *store, const fl_graph_find_question *question,
                        fl_arena *arena, fl_error *err)
{
    const char *word = question->word;
    assert(out != NULL && word != NULL);
    const char *colon = strchr(word, ':');
    finding f = {.arena = arena, .word = fl_slice_of(word), .nearest_edits = SIZE_MAX};
    if (f.word.len == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a node without a name");
    if (colon != NULL) {
        fl_slice kind = {.ptr = f.word.ptr, .len = (size_t)(colon - word)};
        f.has_kind = fl_node_kind_of(kind, &f.kind);
        f.key = fl_slice_of(colon + 1);
    }
    fl_status status = look_up_exactly(&f, store, question->as_of_ns, err);
    if (status == FL_OK && f.count == 0)
        status = walk(&f, store, question, err);
    if (status != FL_OK)
        return status;
    if (f.count > 1)
        return fail_several(&f, word, err);
    if (f.count == 0)
        return fail_none(&f, word, err);
    *out = f.found[0];
    return FL_OK;
}
