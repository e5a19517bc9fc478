/*
 * graph_ahead.c - rows by what they were asked for, in an arena.
 *
 * A run is what the store said to one id: a chain of rows in the store's order. It is complete if
 * there were fewer rows than its limit; else it answers questions up to that limit only. Runs are
 * found by a hash of table, scope and id; as-of times are compared, a run of another one is none.
 *
 * Invariants:
 *   (1) a run holds the first rows that the store has for its id, in the store's order, and never
 *       a part of them with a gap;
 *   (2) after a failure, and when the budget is spent, no run is left: a half-filled one would pass
 *       for an answer;
 *   (3) nothing outlives a write to this store; what others write meanwhile is not seen, which is
 *       what a walk in one transaction would do too.
 *
 * Cost: a row is about 100 bytes and its texts; an answer is a look-up and a walk of its chain. A
 * step of a walk is one statement and one way to the server, however many nodes it has.
 */
#include "graph_ahead.h"

#include <assert.h>
#include <string.h>

#include "arena.h"
#include "hash.h"
#include "map.h"
#include "mem.h"
#include "slice.h"
#include "store_priv.h"

/* Of one recall: some ten thousand rows of evidence at 200 bytes, and much room. */
enum { MAX_AHEAD_BYTES = 64 << 20, MAX_RUNS = 1 << 20 };

/* Of which kind the rows of a run are; without its notes, evidence is no answer to others. */
typedef enum table { TABLE_NODE, TABLE_EDGE, TABLE_EVIDENCE, TABLE_BRIEF } table;

/* A row of any kind; texts are in the arena. */
typedef struct kept_row {
    struct kept_row *next;
    union {
        fl_graph_node node;
        fl_graph_edge edge;
        fl_graph_evidence evidence;
    } is;
} kept_row;

/* What the store said to one id. `limit` is what was asked with, `count` what came. */
typedef struct run {
    uint64_t id;
    table of;
    fl_graph_scope scope;
    int64_t as_of_ns;
    size_t limit, count;
    kept_row *first, *last;
} run;

struct fl_graph_ahead {
    fl_arena arena;
    fl_map *runs;
    bool full; /* the budget is spent: what is not there is asked of the store */
};

/* Equal keys of unequal things are told apart by find_run(); the later is then not kept. */
static uint64_t key_of(table of, fl_graph_scope scope, uint64_t id)
{
    return fl_hash_mix(id ^ fl_hash_mix((uint64_t)of << 8 | (uint64_t)scope));
}

/* The pointer is kept as a number. */
static run *find_run(const struct fl_graph_ahead *ahead, table of, fl_graph_scope scope,
                     uint64_t id)
{
    const uint64_t *slot = fl_map_find(ahead->runs, key_of(of, scope, id));
    run *found = slot != NULL ? (run *)(uintptr_t)*slot : NULL;
    bool is_it = found != NULL && found->id == id && found->of == of && found->scope == scope;
    return is_it ? found : NULL;
}

/* NULL where the store has to be asked. */
static const run *answer_to(const fl_store *store, table of, const fl_graph_question *question)
{
    const struct fl_graph_ahead *ahead = store->ahead;
    if (ahead == NULL || question->ids != NULL || question->scope == FL_GRAPH_ALL)
        return NULL;
    const run *found = find_run(ahead, of, question->scope, question->id);
    if (found == NULL || found->as_of_ns != question->as_of_ns)
        return NULL;
    bool is_complete = found->count < found->limit;
    bool is_enough = question->limit != 0 && question->limit <= found->limit;
    return is_complete || is_enough ? found : NULL;
}

bool fl_graph_ahead_answers_nodes(fl_status *status, const fl_store *store,
                                  const fl_graph_question *question, const fl_graph_walk *to,
                                  fl_error *err)
{
    const run *found = answer_to(store, TABLE_NODE, question);
    if (found == NULL)
        return false;
    size_t left = question->limit != 0 ? question->limit : SIZE_MAX;
    *status = FL_OK;
    for (const kept_row *r = found->first; *status == FL_OK && r != NULL && left-- > 0; r = r->next)
        *status = to->node(&r->is.node, to->payload, err);
    return true;
}

bool fl_graph_ahead_answers_edges(fl_status *status, const fl_store *store,
                                  const fl_graph_question *question, const fl_graph_walk *to,
                                  fl_error *err)
{
    const run *found = answer_to(store, TABLE_EDGE, question);
    if (found == NULL)
        return false;
    size_t left = question->limit != 0 ? question->limit : SIZE_MAX;
    *status = FL_OK;
    for (const kept_row *r = found->first; *status == FL_OK && r != NULL && left-- > 0; r = r->next)
        *status = to->edge(&r->is.edge, to->payload, err);
    return true;
}

bool fl_graph_ahead_answers_evidence(fl_status *status, const fl_store *store,
                                     const fl_graph_question *question, const fl_graph_walk *to,
                                     fl_error *err)
{
    const run *found = answer_to(store, TABLE_EVIDENCE, question);
    if (found == NULL && question->brief)
        found = answer_to(store, TABLE_BRIEF, question);
    if (found == NULL)
        return false;
    size_t left = question->limit != 0 ? question->limit : SIZE_MAX;
    *status = FL_OK;
    for (const kept_row *r = found->first; *status == FL_OK && r != NULL && left-- > 0; r = r->next)
        *status = to->evidence(&r->is.evidence, to->payload, err);
    return true;
}

/* ---- reading ---- */

/* What a walk of several ids fills. */
typedef struct filling {
    struct fl_graph_ahead *ahead;
    const fl_graph_question *question;
    table of;
} filling;

/* A row to fill at the end of its run; NULL where the budget is spent. */
static kept_row *place_for(const filling *f, uint64_t id)
{
    run *to = find_run(f->ahead, f->of, f->question->scope, id);
    assert(to != NULL); /* a row that was not asked for */
    kept_row *row = fl_arena_alloc(&f->ahead->arena, 1, sizeof(*row));
    if (row == NULL) {
        f->ahead->full = true;
        return NULL;
    }
    *(to->last != NULL ? &to->last->next : &to->first) = row;
    to->last = row;
    to->count++;
    return row;
}

/* NULL for NULL, and where the budget is spent. */
static const char *keep_text(struct fl_graph_ahead *ahead, const char *text)
{
    if (text == NULL)
        return NULL;
    const char *copy = fl_arena_cstr(&ahead->arena, fl_slice_of(text));
    ahead->full = ahead->full || copy == NULL;
    return copy;
}

/* The visitors of a walk that reads ahead: copies into the arena, or the end of reading ahead. */
static fl_status keep_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    const filling *f = payload;
    kept_row *row = place_for(f, node->id);
    (void)err;
    if (row == NULL)
        return FL_E_STOPPED;
    row->is.node = *node;
    row->is.node.key = keep_text(f->ahead, node->key);
    row->is.node.title = keep_text(f->ahead, node->title);
    return f->ahead->full ? FL_E_STOPPED : FL_OK;
}

/* The end of an edge that it was asked by. */
static fl_status keep_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    const filling *f = payload;
    fl_graph_scope scope = f->question->scope;
    uint64_t id = scope == FL_GRAPH_OUT ? edge->from : scope == FL_GRAPH_IN ? edge->to : edge->id;
    kept_row *row = place_for(f, id);
    (void)err;
    if (row == NULL)
        return FL_E_STOPPED;
    row->is.edge = *edge;
    row->is.edge.qualifier = keep_text(f->ahead, edge->qualifier);
    return f->ahead->full ? FL_E_STOPPED : FL_OK;
}

static fl_status keep_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    const filling *f = payload;
    kept_row *row = place_for(f, item->edge);
    (void)err;
    if (row == NULL)
        return FL_E_STOPPED;
    row->is.evidence = *item;
    row->is.evidence.author = keep_text(f->ahead, item->author);
    row->is.evidence.reference = keep_text(f->ahead, item->reference);
    row->is.evidence.note = keep_text(f->ahead, item->note);
    return f->ahead->full ? FL_E_STOPPED : FL_OK;
}

/* Made when something is first read ahead. */
static fl_status open_ahead(fl_store *store, fl_error *err)
{
    if (store->ahead != NULL)
        return FL_OK;
    struct fl_graph_ahead *ahead = fl_mem_calloc(1, sizeof(*ahead));
    if (ahead == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
    ahead->arena = fl_arena_of(MAX_AHEAD_BYTES);
    fl_status status = fl_map_create(&ahead->runs, MAX_RUNS, err);
    if (status != FL_OK) {
        fl_mem_free(ahead);
        return status;
    }
    store->ahead = ahead;
    return FL_OK;
}

/* Empty runs for those ids that have none, which are left in `ids`, sorted. */
static fl_status begin_runs(size_t *left, filling *f, uint64_t *ids, size_t count, fl_error *err)
{
    size_t new_count = 0;
    count = fl_graph_sort_ids(ids, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t *slot;
        bool added;
        fl_status status = fl_map_slot(&slot, f->ahead->runs,
                                       key_of(f->of, f->question->scope, ids[i]), &added, err);
        if (status != FL_OK)
            return status;
        if (!added)
            continue;
        run *new_run = fl_arena_alloc(&f->ahead->arena, 1, sizeof(*new_run));
        if (new_run == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
        *new_run = (run){.id = ids[i],
                         .of = f->of,
                         .scope = f->question->scope,
                         .as_of_ns = f->question->as_of_ns,
                         .limit = f->question->limit};
        *slot = (uint64_t)(uintptr_t)new_run;
        ids[new_count++] = ids[i];
    }
    *left = new_count;
    return FL_OK;
}

/* Runs that are not whole answer nothing. */
static void drop_runs(struct fl_graph_ahead *ahead)
{
    assert(ahead->full);
    fl_map_clear(ahead->runs);
    fl_arena_dispose(&ahead->arena);
}

static fl_status walk(fl_store *store, filling *f, const fl_graph_question *asked, fl_error *err)
{
    const fl_graph_kind *graph = store->kind->graph;
    switch (f->of) {
    case TABLE_NODE:
        return graph->nodes(store, asked, keep_node, f, err);
    case TABLE_EDGE:
        return graph->edges(store, asked, keep_edge, f, err);
    case TABLE_EVIDENCE:
    case TABLE_BRIEF:
        return graph->evidence(store, asked, keep_evidence, f, err);
    }
    assert(false);
    return FL_OK;
}

static fl_status pass_over(const fl_graph_node *node, void *payload, fl_error *err)
{
    (void)node;
    (void)payload;
    (void)err;
    return FL_OK;
}

/* A store in memory keeps by itself what it is asked for and did not have yet. */
static fl_status warm_nodes(fl_store *store, const fl_graph_question *question, const uint64_t *ids,
                            size_t count, fl_error *err)
{
    fl_graph_question asked = *question;
    uint64_t *sorted = fl_mem_alloc(count * sizeof(*sorted));
    if (sorted == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
    memcpy(sorted, ids, count * sizeof(*sorted));
    asked.ids = sorted;
    asked.id_count = fl_graph_sort_ids(sorted, count);
    fl_status status = store->kind->graph->nodes(store, &asked, pass_over, NULL, err);
    fl_mem_free(sorted);
    return status;
}

/* What is known already is not asked again; of what is left, one walk. */
static fl_status read_ahead(fl_store *store, table of, const fl_graph_question *question,
                            const uint64_t *ids, size_t count, fl_error *err)
{
    assert(question->limit != 0 && question->scope != FL_GRAPH_ALL);
    if (count == 0 || store->kind->graph->is_near)
        return FL_OK;
    fl_status status = open_ahead(store, err);
    if (status != FL_OK || store->ahead->full)
        return status;
    uint64_t *sorted = fl_mem_alloc(count * sizeof(*sorted));
    if (sorted == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
    memcpy(sorted, ids, count * sizeof(*sorted));
    filling f = {.ahead = store->ahead, .question = question, .of = of};
    fl_graph_question asked = *question;
    status = begin_runs(&asked.id_count, &f, sorted, count, err);
    asked.ids = sorted;
    if (status == FL_OK && asked.id_count > 0)
        status = walk(store, &f, &asked, err);
    fl_mem_free(sorted);
    if (status == FL_E_STOPPED || (status == FL_E_NOMEM && store->ahead->full))
        status = FL_OK;
    if (status != FL_OK)
        fl_graph_ahead_forget(store);
    else if (store->ahead->full)
        drop_runs(store->ahead);
    return status;
}

/* The three by which others read ahead; what each does is in the header. */
fl_status fl_graph_ahead_nodes(fl_store *store, const fl_graph_question *question,
                               const uint64_t *ids, size_t count, fl_error *err)
{
    if (count > 0 && store->kind->graph->is_near)
        return warm_nodes(store, question, ids, count, err);
    return read_ahead(store, TABLE_NODE, question, ids, count, err);
}

fl_status fl_graph_ahead_edges(fl_store *store, const fl_graph_question *question,
                               const uint64_t *ids, size_t count, fl_error *err)
{
    return read_ahead(store, TABLE_EDGE, question, ids, count, err);
}

fl_status fl_graph_ahead_evidence(fl_store *store, const fl_graph_question *question,
                                  const uint64_t *ids, size_t count, fl_error *err)
{
    table of = question->brief ? TABLE_BRIEF : TABLE_EVIDENCE;
    return read_ahead(store, of, question, ids, count, err);
}

void fl_graph_ahead_forget(fl_store *store)
{
    if (store->ahead == NULL)
        return;
    fl_arena_dispose(&store->ahead->arena);
    fl_map_destroy(store->ahead->runs);
    fl_mem_free(store->ahead);
    store->ahead = NULL;
}
