/*
 * path_evidence.c - the edges of a path by their ids, which follow from what they join.
 */
#include "path_evidence.h"

#include <assert.h>
#include <stdlib.h>

#include "slice.h"

enum { MAX_EDGES = FL_MAX_SYMPTOMS + 64 }; /* symptoms, and the fixes that recall keeps */

typedef struct gathering {
    fl_arena *arena;
    fl_graph_evidence *items;
    size_t count;
    bool cut, ok;
} gathering;

/* A copy in the arena; NULL stays NULL. */
static const char *copy_text(gathering *g, const char *text)
{
    const char *copy = text != NULL ? fl_arena_cstr(g->arena, fl_slice_of(text)) : NULL;
    g->ok = g->ok && (text == NULL || copy != NULL);
    return copy;
}

/* What is beyond the bound is said by `cut`. */
static fl_status take(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    gathering *g = payload;
    g->cut = g->cut || g->count == FL_MAX_PATH_ROWS;
    if (g->count == FL_MAX_PATH_ROWS)
        return FL_OK;
    fl_graph_evidence *row = &g->items[g->count++];
    *row = *item;
    row->author = copy_text(g, item->author);
    row->reference = copy_text(g, item->reference);
    row->note = copy_text(g, item->note);
    return g->ok ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the evidence");
}

/* Newest first; ids settle a tie. */
static int by_time(const void *a, const void *b)
{
    const fl_graph_evidence *x = a, *y = b;
    if (x->at_ns != y->at_ns)
        return x->at_ns > y->at_ns ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* An id of an edge that is not there has no evidence: nobody need ask which symptoms point here. */
static size_t edges_of(uint64_t ids[MAX_EDGES], const fl_path *path, const fl_symptoms *symptoms)
{
    const fl_slice none = {.ptr = NULL, .len = 0};
    size_t count = 0;
    for (size_t i = 0; i < symptoms->count && count < MAX_EDGES; i++)
        ids[count++] = fl_edge_id(FL_EDGE_EXPLAINED_BY, symptoms->nodes[i].id, path->cause, none);
    for (size_t i = 0; i < path->fix_count && count < MAX_EDGES; i++)
        ids[count++] = fl_edge_id(FL_EDGE_RESOLVED_BY, path->cause, path->fixes[i].id, none);
    return count;
}

/* One question a path: its edges are some dozens, and their evidence lies in runs. */
static fl_status read_path(fl_path_rows *out, fl_store *store, const fl_path *path,
                           const fl_memory_question *asked, fl_arena *arena, fl_error *err)
{
    uint64_t ids[MAX_EDGES];
    gathering g = {.arena = arena,
                   .ok = true,
                   .items = fl_arena_alloc(arena, FL_MAX_PATH_ROWS, sizeof(*g.items))};
    size_t count = edges_of(ids, path, asked->symptoms);
    if (g.items == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the evidence");
    if (count == 0)
        return FL_OK;
    const fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                        .as_of_ns = asked->now_ns,
                                        .limit = FL_MAX_PATH_ROWS + 1,
                                        .ids = ids,
                                        .id_count = fl_graph_sort_ids(ids, count)};
    fl_status status = fl_graph_evidence_for(store, &question, take, &g, err);
    if (status == FL_OK)
        qsort(g.items, g.count, sizeof(*g.items), by_time);
    *out = (fl_path_rows){.items = g.items, .count = g.count, .cut = g.cut};
    return status;
}

/* A path is looked at only when it is told, so that the recall itself stays as quick as it is. */
fl_status fl_path_evidence(const fl_path_rows **out, fl_store *store,
                           const fl_memory_question *question, const fl_memory *memory,
                           fl_arena *arena, fl_error *err)
{
    assert(out != NULL && question->symptoms != NULL);
    fl_path_rows *rows = fl_arena_alloc(arena, memory->path_count + 1, sizeof(*rows));
    fl_status status = FL_OK;
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the evidence");
    for (size_t i = 0; status == FL_OK && i < memory->path_count; i++)
        status = read_path(&rows[i], store, &memory->paths[i], question, arena, err);
    *out = rows;
    return status;
}
