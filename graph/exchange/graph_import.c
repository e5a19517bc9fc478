/*
 * graph_import.c - from rows to batches, a table after the other.
 *
 *   document := '{' "schema" ':' "faultline.graph/1" { ',' member } '}'
 *   member   := name ':' value         of the tables, in their order, each an array of rows
 *
 * An edge whose ends are known here is checked with its place; those of nodes that only the store
 * has are checked by it, batch by batch, and the message then names the batch's lines.
 */
#include "graph_import.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "import_row.h"
#include "import_window.h"
#include "json.h"
#include "map.h"
#include "mem.h"
#include "slice.h"

enum {
    BATCH_ROWS = 5000,      /* as many as the stores take in one statement */
    BATCH_TEXT = 16u << 20, /* of a batch's texts */
    MAX_TEXT = 32u << 20,   /* a batch and one row more */
    MAX_KINDS = 8u << 20    /* nodes whose kinds are remembered; then it begins anew */
};

typedef enum table { NODES, EDGES, EVIDENCE, TABLE_COUNT } table;
static const char *const table_names[TABLE_COUNT] = {"nodes", "edges", "evidence"};

/* One batch is of one table. */
typedef struct import {
    fl_graph_imported *out;
    fl_store *store; /* NULL: only check */
    fl_window window;
    fl_arena arena;
    fl_map *kinds;
    table at;
    fl_graph_node *nodes;
    fl_graph_edge *edges;
    fl_graph_evidence *evidence;
    size_t count;
    fl_window_value first; /* row of the batch; its text is gone */
} import;

/* ---- batches ---- */

/* The counts of a batch are those of its transaction; a document has many. */
static void count_added(fl_graph_added *sum, const fl_graph_added *more)
{
    sum->nodes += more->nodes;
    sum->edges += more->edges;
    sum->evidence += more->evidence;
}

/* Kinds are kept here where no store does it, as it would (plus one: 0 is a new place). */
static fl_status keep_kinds(import *in, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; in->at == NODES && status == FL_OK && i < in->count; i++) {
        uint64_t *slot;
        status = fl_map_slot(&slot, in->kinds, in->nodes[i].id, NULL, err);
        if (status == FL_OK)
            *slot = (uint64_t)in->nodes[i].kind + 1;
    }
    return status;
}

/* Add what was collected. */
static fl_status end_batch(import *in, fl_error *err)
{
    fl_error inner = {0};
    fl_graph_added added = {0};
    fl_graph_batch batch = {.kinds = in->kinds,
                            .nodes = in->nodes,
                            .edges = in->edges,
                            .evidence = in->evidence,
                            .node_count = in->at == NODES ? in->count : 0,
                            .edge_count = in->at == EDGES ? in->count : 0,
                            .evidence_count = in->at == EVIDENCE ? in->count : 0};
    if (in->count == 0)
        return FL_OK;
    if (fl_map_count(in->kinds) + 2 * BATCH_ROWS > MAX_KINDS)
        fl_map_clear(in->kinds);
    fl_status status = in->store == NULL ? keep_kinds(in, &inner)
                                         : fl_graph_add(&added, in->store, &batch, &inner);
    if (status != FL_OK)
        return fl_fail(err, status, in->first.offset, "%.60s:%llu to %llu: %.100s",
                       in->window.source->name, (unsigned long long)in->first.line,
                       (unsigned long long)in->window.line, inner.message);
    count_added(&in->out->added, &added);
    in->count = 0;
    fl_arena_reset(&in->arena);
    return FL_OK;
}

/* ---- rows ---- */

/* FL_OK also where an end is not known here. */
static fl_status check_ends(const import *in, const fl_graph_edge *edge, fl_error *err)
{
    const uint64_t *from = fl_map_find(in->kinds, edge->from);
    const uint64_t *to = fl_map_find(in->kinds, edge->to);
    if (from == NULL || to == NULL)
        return FL_OK;
    fl_node_kind from_kind = (fl_node_kind)(*from - 1), to_kind = (fl_node_kind)(*to - 1);
    if (fl_edge_allowed(edge->kind, from_kind, to_kind))
        return FL_OK;
    return fl_fail(err, FL_E_SYNTAX, 0, "no edge \"%s\" leads from a %s to a %s",
                   fl_edge_kind_name(edge->kind), fl_node_kind_name(from_kind),
                   fl_node_kind_name(to_kind));
}

/* Into the next place of the batch; a failure has its offset from the beginning of the object. */
static fl_status read_row(import *in, fl_slice object, fl_error *err)
{
    fl_status status;
    assert(in->count < BATCH_ROWS);
    switch (in->at) {
    case NODES:
        in->out->nodes++;
        return fl_import_node(&in->nodes[in->count], &in->arena, object, err);
    case EDGES:
        in->out->edges++;
        status = fl_import_edge(&in->edges[in->count], &in->arena, object, err);
        return status == FL_OK ? check_ends(in, &in->edges[in->count], err) : status;
    case EVIDENCE:
        in->out->evidence++;
        return fl_import_evidence(&in->evidence[in->count], &in->arena, object, err);
    case TABLE_COUNT:
        break;
    }
    assert(false);
    return FL_OK;
}

/* A batch also ends where its texts grow large: what it takes is bounded whatever rows there are.
 */
static fl_status take_row(import *in, fl_error *err)
{
    fl_error inner = {0};
    fl_window_value row;
    fl_status status = fl_window_take(&row, &in->window, err);
    if (status != FL_OK)
        return status;
    if (in->count == 0)
        in->first = row;
    if (read_row(in, row.text, &inner) != FL_OK)
        return fl_window_fail(&in->window, &row, &inner, err);
    in->count++;
    return in->count == BATCH_ROWS || in->arena.used_bytes > BATCH_TEXT ? end_batch(in, err)
                                                                        : FL_OK;
}

/* '[' rows ']' */
static fl_status read_table(import *in, fl_error *err)
{
    int next = 0;
    fl_status status = fl_window_expect(&in->window, '[', err);
    if (status == FL_OK)
        status = fl_window_peek(&next, &in->window, err);
    while (status == FL_OK && next != ']') {
        status = take_row(in, err);
        if (status == FL_OK)
            status = fl_window_peek(&next, &in->window, err);
        if (status == FL_OK && next != ']')
            status = fl_window_expect(&in->window, ',', err);
    }
    if (status == FL_OK)
        status = fl_window_expect(&in->window, ']', err);
    return status == FL_OK ? end_batch(in, err) : status;
}

/* ---- the document ---- */

/* A value that must be a string, decoded; borrowed from the arena or the window. */
static fl_status take_string(fl_slice *out, import *in, fl_window_value *value, fl_error *err)
{
    fl_status status = fl_window_take(value, &in->window, err);
    if (status != FL_OK)
        return status;
    fl_json json = fl_json_over(value->text, &in->arena);
    *out = fl_json_string(&json);
    (void)fl_json_finish(&json);
    return fl_json_ok(&json) ? FL_OK : fl_window_fail(&in->window, value, &json.err, err);
}

/* A complaint about `at` in the words of this file. */
static fl_status fail_at(import *in, const fl_window_value *at, fl_status status,
                         const char *message, fl_error *err)
{
    fl_error inner = {0};
    (void)fl_fail(&inner, status, 0, "%s", message);
    return fl_window_fail(&in->window, at, &inner, err);
}

/* Another version may mean something else by the same names. */
static fl_status read_schema(import *in, fl_error *err)
{
    static const char wanted[] = "faultline.graph/1";
    char message[96];
    fl_window_value value;
    fl_slice schema;
    fl_status status = take_string(&schema, in, &value, err);
    if (status != FL_OK || fl_slice_equal(schema, FL_SLICE(wanted)))
        return status;
    snprintf(message, sizeof(message), "schema is \"%.*s\", and this program reads %s",
             schema.len < 30 ? (int)schema.len : 30, (const char *)schema.ptr, wanted);
    return fail_at(in, &value, FL_E_UNSUPPORTED, message, err);
}

/* Tables that were read already are those below *next; the schema comes before all. */
static fl_status read_member(import *in, bool *has_schema, unsigned *next, fl_error *err)
{
    fl_window_value value;
    fl_slice name = {0};
    fl_status status = take_string(&name, in, &value, err);
    unsigned found = 0;
    if (status != FL_OK)
        return status;
    while (found < TABLE_COUNT && !fl_slice_equal(name, fl_slice_of(table_names[found])))
        found++;
    bool is_schema = fl_slice_equal(name, FL_SLICE("schema"));
    if ((is_schema && *has_schema) || (!is_schema && !*has_schema) ||
        (found < TABLE_COUNT && found < *next))
        return fail_at(in, &value, FL_E_SYNTAX,
                       "the members are not schema, nodes, edges, evidence, in this order", err);
    status = fl_window_expect(&in->window, ':', err);
    if (status != FL_OK)
        return status;
    if (is_schema) {
        *has_schema = true;
        return read_schema(in, err);
    }
    if (found == TABLE_COUNT) /* of a newer minor version */
        return fl_window_take(&value, &in->window, err);
    in->at = (table)found;
    *next = found + 1;
    return read_table(in, err);
}

/* A document may end without its tables: an empty graph is one. */
static fl_status read_document(import *in, fl_error *err)
{
    bool has_schema = false;
    unsigned next_table = 0;
    int next = 0;
    fl_status status = fl_window_expect(&in->window, '{', err);
    while (status == FL_OK && next != '}') {
        status = read_member(in, &has_schema, &next_table, err);
        if (status == FL_OK)
            status = fl_window_peek(&next, &in->window, err);
        if (status == FL_OK && next != '}')
            status = fl_window_expect(&in->window, ',', err);
    }
    if (status == FL_OK)
        status = fl_window_expect(&in->window, '}', err);
    if (status == FL_OK)
        status = fl_window_peek(&next, &in->window, err);
    const fl_window_value here = {.offset = in->window.offset, .line = in->window.line};
    if (status == FL_OK && next >= 0)
        return fail_at(in, &here, FL_E_SYNTAX, "there is more behind the document", err);
    return status;
}

/* Once for the whole document: a batch reuses what the one before it had. */
static fl_status allocate(import *in, fl_error *err)
{
    fl_status status = fl_map_create(&in->kinds, MAX_KINDS, err);
    in->nodes = fl_mem_calloc(BATCH_ROWS, sizeof(*in->nodes));
    in->edges = fl_mem_calloc(BATCH_ROWS, sizeof(*in->edges));
    in->evidence = fl_mem_calloc(BATCH_ROWS, sizeof(*in->evidence));
    if (status == FL_OK && (in->nodes == NULL || in->edges == NULL || in->evidence == NULL))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a batch of the graph");
    return status;
}

/* Everything that was allocated goes on the one way out. */
fl_status fl_graph_import(fl_graph_imported *out, fl_store *store, const fl_graph_source *source,
                          fl_error *err)
{
    assert(out != NULL && source != NULL);
    *out = (fl_graph_imported){0};
import in = {.out = out, .store = store, .arena = fl_arena_of(MAX_TEXT) };
    fl_status status = fl_window_open(&in.window, source, err);
    if (status == FL_OK)
        status = allocate(&in, err);
    if (status == FL_OK)
        status = read_document(&in, err);
    fl_window_close(&in.window);
    fl_map_destroy(in.kinds);
    fl_mem_free(in.nodes);
    fl_mem_free(in.edges);
    fl_mem_free(in.evidence);
    fl_arena_dispose(&in.arena);
    return status;
}
