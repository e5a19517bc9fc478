/*
 * graph_search.c - one walk; the best so far stand sorted, the worst of them is pushed out.
 */
#include "graph_search.h"

#include <assert.h>
#include <string.h>

#include "graph_find.h"
#include "slice.h"
#include "timestamp.h"

enum { LOOK_AT_CLOCK = 256 }; /* nodes between two looks */

/* How well a node fits; the lower, the better. */
typedef enum fit { FIT_WHOLE, FIT_BEGINNING, FIT_WORD, FIT_INSIDE, FIT_NOT } fit;

typedef struct place {
    fit fit;
    fl_graph_node node;
} place;

typedef struct search {
    const fl_graph_search_question *question;
    fl_slice word;
    fl_node_kind kind;
    fl_arena *arena;
    place *places; /* `most`, sorted */
    size_t count, fitting, seen;
    int64_t until_ns; /* monotonic; 0: none */
    bool is_late;
} search;

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static bool begins_with(fl_slice text, size_t at, fl_slice word)
{
    if (text.len - at < word.len)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (lower(text.ptr[at + i]) != lower(word.ptr[i]))
            return false;
    return true;
}

static bool is_letter(unsigned char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c >= 0x80;
}

/* Quadratic at worst in texts of at most four kilobytes. */
static fit fit_of(const char *given, fl_slice word)
{
    fl_slice text = fl_slice_of(given);
    fit best = FIT_NOT;
    if (word.len == 0)
        return FIT_INSIDE;
    for (size_t at = 0; at + word.len <= text.len && best > FIT_WORD; at++) {
        if (!begins_with(text, at, word))
            continue;
        bool is_word = at > 0 && !is_letter(text.ptr[at - 1]);
        fit here = at > 0                 ? (is_word ? FIT_WORD : FIT_INSIDE)
                   : word.len == text.len ? FIT_WHOLE
                                          : FIT_BEGINNING;
        best = here < best ? here : best;
    }
    return best;
}

/* Whether `a` stands before `b`. */
static bool is_before(const place *a, const place *b)
{
    if (a->fit != b->fit)
        return a->fit < b->fit;
    if (a->node.kind != b->node.kind)
        return a->node.kind < b->node.kind;
    return strcmp(a->node.key, b->node.key) < 0;
}

/* A copy of the node goes where it belongs, and the last one makes room. */
static fl_status insert(search *s, place found, fl_error *err)
{
    size_t at = s->count;
    if (s->count == s->question->most && !is_before(&found, &s->places[s->count - 1]))
        return FL_OK;
    fl_status status = fl_graph_node_copy(&found.node, &found.node, s->arena, err);
    if (status != FL_OK)
        return status;
    if (s->count < s->question->most)
        s->count++;
    else
        at--;
    for (; at > 0 && is_before(&found, &s->places[at - 1]); at--)
        s->places[at] = s->places[at - 1];
    s->places[at] = found;
    return FL_OK;
}

static fl_status look_at(const fl_graph_node *node, void *payload, fl_error *err)
{
    search *s = payload;
    s->is_late = s->until_ns != 0 && s->seen++ % LOOK_AT_CLOCK == LOOK_AT_CLOCK - 1 &&
                 fl_time_monotonic() > s->until_ns;
    if (s->is_late)
        return fl_fail(err, FL_E_STOPPED, FL_NO_OFFSET, "the search took too long");
    if (s->question->kind != NULL && node->kind != s->kind)
        return FL_OK;
    fit key = fit_of(node->key, s->word);
    fit title = node->title != NULL ? fit_of(node->title, s->word) : FIT_NOT;
    const place found = {.fit = key < title ? key : title, .node = *node};
    if (found.fit == FIT_NOT)
        return FL_OK;
    s->fitting++;
    return insert(s, found, err);
}

/* "service, component, ...", or how many of them fit into a sentence. */
static fl_status refuse_kind(const char *given, fl_error *err)
{
    char known[120] = "";
    size_t used = 0;
    for (int k = 0; k < FL_NODE_KIND_COUNT; k++) {
        const char *name = fl_node_kind_name((fl_node_kind)k);
        if (used + strlen(name) + 3 > sizeof(known))
            break;
        memcpy(known + used, k > 0 ? ", " : "", k > 0 ? 2 : 0);
        used += k > 0 ? 2 : 0;
        memcpy(known + used, name, strlen(name) + 1);
        used += strlen(name);
    }
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "'%.30s' is no kind of node; known: %s", given,
                   known);
}

static fl_status tell(fl_graph_found *out, const search *s, fl_error *err)
{
    fl_graph_node *nodes = fl_arena_alloc(s->arena, s->count + 1, sizeof(*nodes));
    if (nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for nodes");
    for (size_t i = 0; i < s->count; i++)
        nodes[i] = s->places[i].node;
    *out = (fl_graph_found){.nodes = nodes,
                            .count = s->count,
                            .fitting = s->fitting,
                            .cut = s->is_late              ? FL_GRAPH_CUT_TIME
                                   : s->fitting > s->count ? FL_GRAPH_CUT_ROWS
                                                           : FL_GRAPH_WHOLE};
    return FL_OK;
}

/* What was found until the time was over is the answer, and says that it was cut. */
fl_status fl_graph_search(fl_graph_found *out, fl_store *store,
                          const fl_graph_search_question *question, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && question->most > 0 && question->most <= FL_SEARCH_MOST);
    search s = {.question = question,
                .word = fl_slice_of(question->word != NULL ? question->word : ""),
                .arena = arena,
                .until_ns = question->time_ns > 0 ? fl_time_monotonic() + question->time_ns : 0};
    const fl_graph_question all = {.scope = FL_GRAPH_ALL, .as_of_ns = question->as_of_ns};
    if (question->kind != NULL && !fl_node_kind_of(fl_slice_of(question->kind), &s.kind))
        return refuse_kind(question->kind, err);
    s.places = fl_arena_alloc(arena, question->most, sizeof(*s.places));
    if (s.places == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for nodes");
    fl_error why = {0};
    fl_status status = fl_graph_nodes(store, &all, look_at, &s, &why);
    if (status != FL_OK && !s.is_late)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", why.message);
    return tell(out, &s, err);
}
