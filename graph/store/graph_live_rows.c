/*
 * graph_live_rows.c - growing arrays, and the runs in them.
 */
#include "graph_live_rows.h"

#include <assert.h>
#include <string.h>

#include "graph_live.h"
#include "mem.h"
#include "slice.h"

enum { FIRST_ROOM = 1024, FEW = 65536 /* left behind: not worth writing an array anew */ };

#define MOST           ((size_t)UINT32_MAX - 1)
#define MAX_TEXT_BYTES ((size_t)FL_MAX_LIVE_GRAPH_BYTES)

/* One sentence for every allocation here. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the graph");
}

fl_status fl_live_rows_open(fl_live_rows *rows, fl_error *err)
{
    *rows = (fl_live_rows){0};
    fl_status status = fl_intern_create(&rows->texts, MAX_TEXT_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&rows->node_numbers, MOST, err);
    if (status == FL_OK)
        status = fl_map_create(&rows->edge_numbers, MOST, err);
    if (status != FL_OK)
        fl_live_rows_dispose(rows);
    return status;
}

void fl_live_rows_dispose(fl_live_rows *rows)
{
    fl_intern_destroy(rows->texts);
    fl_map_destroy(rows->node_numbers);
    fl_map_destroy(rows->edge_numbers);
    fl_mem_free(rows->nodes);
    fl_mem_free(rows->edges);
    fl_mem_free(rows->items);
    fl_mem_free(rows->places);
    *rows = (fl_live_rows){0};
}

size_t fl_live_rows_bytes(const fl_live_rows *rows)
{
    return rows->node_room * sizeof(*rows->nodes) + rows->edge_room * sizeof(*rows->edges) +
           rows->item_room * sizeof(*rows->items) + rows->place_room * sizeof(*rows->places);
}

/* One of the arrays: `pointer` is the place of the pointer to it. */
typedef struct array {
    void *pointer;
    size_t *room;
    size_t count, size;
} array;

/* Room for `more` rows beyond those that are there. Numbers of all of them fit into 32 bits. */
static fl_status make_room(const fl_live_rows *rows, const array *of, size_t more, fl_error *err)
{
    size_t room = *of->room, count = of->count;
    assert(count <= room);
    if (more <= room - count)
        return FL_OK;
    size_t wanted = room > 0 ? room + room / 2 : FIRST_ROOM;
    wanted = wanted < count + more ? count + more : wanted;
    uint64_t bytes = fl_live_rows_bytes(rows) + (uint64_t)(wanted - room) * of->size;
    if (wanted > MOST || bytes > FL_MAX_LIVE_GRAPH_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "the graph would take more than %llu bytes of memory",
                       (unsigned long long)FL_MAX_LIVE_GRAPH_BYTES);
    void *grown; /* pointers of every type are alike in size and bits */
    memcpy(&grown, of->pointer, sizeof(grown));
    grown = fl_mem_realloc(grown, wanted, of->size);
    if (grown == NULL)
        return no_memory(err);
    memcpy(of->pointer, &grown, sizeof(grown));
    *of->room = wanted;
    return FL_OK;
}

static fl_status room_for_nodes(fl_live_rows *rows, size_t more, fl_error *err)
{
    const array nodes = {&rows->nodes, &rows->node_room, rows->node_count, sizeof(*rows->nodes)};
    return make_room(rows, &nodes, more, err);
}

static fl_status room_for_edges(fl_live_rows *rows, size_t more, fl_error *err)
{
    const array edges = {&rows->edges, &rows->edge_room, rows->edge_count, sizeof(*rows->edges)};
    return make_room(rows, &edges, more, err);
}

static fl_status room_for_items(fl_live_rows *rows, size_t more, fl_error *err)
{
    const array items = {&rows->items, &rows->item_room, rows->item_count, sizeof(*rows->items)};
    return make_room(rows, &items, more, err);
}

static fl_status room_for_places(fl_live_rows *rows, size_t more, fl_error *err)
{
    const array places = {&rows->places, &rows->place_room, rows->place_count,
                          sizeof(*rows->places)};
    return make_room(rows, &places, more, err);
}

const fl_live_node *fl_live_rows_node(const fl_live_rows *rows, uint64_t id)
{
    const uint64_t *number = fl_map_find(rows->node_numbers, id);
    return number != NULL ? &rows->nodes[*number] : NULL;
}

fl_live_edge *fl_live_rows_edge(const fl_live_rows *rows, uint64_t id)
{
    const uint64_t *number = fl_map_find(rows->edge_numbers, id);
    return number != NULL ? &rows->edges[*number] : NULL;
}

/* The text with its NUL, so that it can be told as it is kept. */
static fl_status keep_text(fl_sym *out, fl_live_rows *rows, const char *text, fl_error *err)
{
    *out = FL_LIVE_NO_TEXT;
    if (text == NULL)
        return FL_OK;
    const fl_slice bytes = {.ptr = (const unsigned char *)text, .len = strlen(text) + 1};
    return fl_intern_put(out, rows->texts, bytes, err);
}

/* NULL for none. The NUL was kept with it. */
static const char *told_text(const fl_live_rows *rows, fl_sym text)
{
    return text != FL_LIVE_NO_TEXT ? (const char *)fl_intern_text(rows->texts, text).ptr : NULL;
}

/* A node is whatever an edge leads to. */
static fl_status number_node(uint32_t *out, fl_live_rows *rows, uint64_t id, fl_error *err)
{
    uint64_t *slot;
    bool added;
    fl_status status = room_for_nodes(rows, 1, err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, rows->node_numbers, id, &added, err);
    if (status != FL_OK)
        return status;
    if (added) {
        *slot = rows->node_count;
        rows->nodes[rows->node_count++] = (fl_live_node){.id = id, .key = FL_LIVE_NO_TEXT};
    }
    *out = (uint32_t)*slot;
    return FL_OK;
}

/* Rows of nodes never change: what was read once is true. The key is last, and says so. */
fl_status fl_live_rows_name_node(fl_live_rows *rows, const fl_graph_node *node, fl_error *err)
{
    const uint64_t *number = fl_map_find(rows->node_numbers, node->id);
    fl_sym key;
    if (number == NULL || rows->nodes[*number].key != FL_LIVE_NO_TEXT)
        return FL_OK;
    fl_live_node *to = &rows->nodes[*number];
    fl_status status = keep_text(&to->title, rows, node->title, err);
    if (status == FL_OK)
        status = keep_text(&key, rows, node->key, err);
    if (status != FL_OK)
        return status;
    to->kind = (unsigned char)node->kind;
    to->recorded_ns = node->recorded_ns;
    to->key = key;
    return FL_OK;
}

/* The table is last: what it names is whole. */
fl_status fl_live_rows_add_edge(fl_live_rows *rows, const fl_graph_edge *edge, fl_error *err)
{
    uint64_t *slot;
    if (fl_live_rows_edge(rows, edge->id) != NULL)
        return FL_OK;
    fl_live_edge kept = {
        .id = edge->id, .recorded_ns = edge->recorded_ns, .kind = (unsigned char)edge->kind};
    fl_status status = room_for_edges(rows, 1, err);
    if (status == FL_OK)
        status = keep_text(&kept.qualifier, rows, edge->qualifier, err);
    if (status == FL_OK)
        status = number_node(&kept.from, rows, edge->from, err);
    if (status == FL_OK)
        status = number_node(&kept.to, rows, edge->to, err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, rows->edge_numbers, edge->id, NULL, err);
    if (status != FL_OK)
        return status;
    *slot = rows->edge_count;
    rows->edges[rows->edge_count++] = kept;
    return FL_OK;
}

/* ---- runs of edges ---- */

/* Ids as the store orders them: the same 64 bits as signed numbers. */
static int64_t order_of(uint64_t id)
{
    int64_t bits;
    memcpy(&bits, &id, sizeof(bits));
    return bits;
}

/* The run with `edge` in its place, behind the last one, where there is room. */
static void extend_run(fl_live_rows *rows, fl_live_run *run, uint32_t edge)
{
    int64_t order = order_of(rows->edges[edge].id);
    const uint32_t *old = rows->places + run->from;
    uint32_t *to = rows->places + rows->place_count, before = 0;
    assert(rows->place_room - rows->place_count > run->count);
    while (before < run->count && order_of(rows->edges[old[before]].id) < order)
        before++;
    memcpy(to, old, before * sizeof(*to));
    to[before] = edge;
    memcpy(to + before + 1, old + before, (run->count - before) * sizeof(*to));
    rows->left_places += run->count;
    *run = (fl_live_run){.from = (uint32_t)rows->place_count, .count = run->count + 1};
    rows->place_count += run->count;
}

/* Room for both ends first, so that an edge never stands at one of them only. */
static fl_status link_one(fl_live_rows *rows, uint32_t edge, fl_error *err)
{
    fl_live_node *from = &rows->nodes[rows->edges[edge].from];
    fl_live_node *to = &rows->nodes[rows->edges[edge].to];
    size_t more = (size_t)from->out.count + to->in.count + 2;
    fl_status status = room_for_places(rows, more, err);
    if (status != FL_OK)
        return status;
    extend_run(rows, &from->out, edge);
    extend_run(rows, &to->in, edge);
    return FL_OK;
}

/* All edges at once, which are there in the order of their ids: a counting sort. */
static fl_status link_all(fl_live_rows *rows, fl_error *err)
{
    assert(rows->linked == 0 && rows->place_count == 0);
    fl_status status = room_for_places(rows, 2 * rows->edge_count, err);
    if (status != FL_OK)
        return status;
    uint32_t at = 0;
    for (size_t e = 0; e < rows->edge_count; e++) {
        rows->nodes[rows->edges[e].from].out.count++;
        rows->nodes[rows->edges[e].to].in.count++;
    }
    for (size_t n = 0; n < rows->node_count; n++) {
        fl_live_node *node = &rows->nodes[n];
        node->out.from = at;
        node->in.from = at + node->out.count;
        at = node->in.from + node->in.count;
        node->out.count = node->in.count = 0; /* counted up again as they are placed */
    }
    for (uint32_t e = 0; e < rows->edge_count; e++) {
        fl_live_run *out = &rows->nodes[rows->edges[e].from].out;
        fl_live_run *in = &rows->nodes[rows->edges[e].to].in;
        rows->places[out->from + out->count++] = e;
        rows->places[in->from + in->count++] = e;
    }
    rows->place_count = at;
    rows->linked = rows->edge_count;
    assert(rows->place_count == 2 * rows->edge_count);
    return FL_OK;
}

/* As a walk over all edges gives them; what several refreshes left may not be. */
static bool are_in_order(const fl_live_rows *rows)
{
    for (size_t e = 1; e < rows->edge_count; e++)
        if (order_of(rows->edges[e].id) <= order_of(rows->edges[e - 1].id))
            return false;
    return true;
}

fl_status fl_live_rows_link(fl_live_rows *rows, fl_error *err)
{
    if (rows->linked == 0 && are_in_order(rows))
        return link_all(rows, err);
    for (; rows->linked < rows->edge_count; rows->linked++) {
        fl_status status = link_one(rows, (uint32_t)rows->linked, err);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

/* ---- evidence ---- */

/* Texts that were kept for an item that then has no room stay, and do no harm. */
fl_status fl_live_rows_add_item(fl_live_rows *rows, const fl_graph_evidence *item, fl_error *err)
{
    fl_live_item kept = {.id = item->id,
                         .at_ns = item->at_ns,
                         .recorded_ns = item->recorded_ns,
                         .source = (unsigned char)item->source,
                         .supports = item->supports};
    fl_status status = room_for_items(rows, 1, err);
    if (status == FL_OK)
        status = keep_text(&kept.author, rows, item->author, err);
    if (status == FL_OK)
        status = keep_text(&kept.reference, rows, item->reference, err);
    if (status == FL_OK)
        status = keep_text(&kept.note, rows, item->note, err);
    if (status == FL_OK)
        rows->items[rows->item_count++] = kept;
    return status;
}

void fl_live_rows_keep_items(fl_live_rows *rows, uint32_t edge, fl_live_run items)
{
    assert(edge < rows->edge_count && (size_t)items.from + items.count <= rows->item_count);
    rows->left_items += rows->edges[edge].items.count;
    rows->edges[edge].items = items;
}

/* Into an array of their own, in the order of the edges. */
static fl_status tidy_items(fl_live_rows *rows, fl_error *err)
{
    size_t kept = rows->item_count - rows->left_items, at = 0;
    fl_live_item *items = fl_mem_alloc((kept + 1) * sizeof(*items));
    if (items == NULL)
        return no_memory(err);
    for (size_t e = 0; e < rows->edge_count; e++) {
        fl_live_run *run = &rows->edges[e].items;
        if (run->count > 0)
            memcpy(items + at, rows->items + run->from, run->count * sizeof(*items));
        run->from = (uint32_t)at;
        at += run->count;
    }
    assert(at == kept);
    fl_mem_free(rows->items);
    rows->items = items;
    rows->item_count = kept;
    rows->item_room = kept + 1;
    rows->left_items = 0;
    return FL_OK;
}

/* Behind what was moved before; empty runs may be anywhere. */
static void move_run(uint32_t *places, size_t *at, const fl_live_rows *rows, fl_live_run *run)
{
    if (run->count > 0)
        memcpy(places + *at, rows->places + run->from, run->count * sizeof(*places));
    run->from = (uint32_t)*at;
    *at += run->count;
}

/* The same for the edges of the nodes. */
static fl_status tidy_places(fl_live_rows *rows, fl_error *err)
{
    size_t kept = rows->place_count - rows->left_places, at = 0;
    uint32_t *places = fl_mem_alloc((kept + 1) * sizeof(*places));
    if (places == NULL)
        return no_memory(err);
    for (size_t n = 0; n < rows->node_count; n++) {
        move_run(places, &at, rows, &rows->nodes[n].out);
        move_run(places, &at, rows, &rows->nodes[n].in);
    }
    assert(at == kept);
    fl_mem_free(rows->places);
    rows->places = places;
    rows->place_count = kept;
    rows->place_room = kept + 1;
    rows->left_places = 0;
    return FL_OK;
}

fl_status fl_live_rows_tidy(fl_live_rows *rows, fl_error *err)
{
    fl_status status = FL_OK;
    if (rows->left_items > FEW && rows->left_items > rows->item_count / 2)
        status = tidy_items(rows, err);
    if (status == FL_OK && rows->left_places > FEW && rows->left_places > rows->place_count / 2)
        status = tidy_places(rows, err);
    return status;
}

/* ---- telling ---- */

void fl_live_rows_tell_node(fl_graph_node *out, const fl_live_rows *rows, const fl_live_node *node)
{
    assert(node->key != FL_LIVE_NO_TEXT);
    *out = (fl_graph_node){.id = node->id,
                           .kind = (fl_node_kind)node->kind,
                           .key = told_text(rows, node->key),
                           .title = told_text(rows, node->title),
                           .recorded_ns = node->recorded_ns};
}

void fl_live_rows_tell_edge(fl_graph_edge *out, const fl_live_rows *rows, uint32_t number)
{
    assert(number < rows->edge_count);
    const fl_live_edge *edge = &rows->edges[number];
    *out = (fl_graph_edge){.id = edge->id,
                           .kind = (fl_edge_kind)edge->kind,
                           .from = rows->nodes[edge->from].id,
                           .to = rows->nodes[edge->to].id,
                           .qualifier = told_text(rows, edge->qualifier),
                           .recorded_ns = edge->recorded_ns};
}

void fl_live_rows_tell_item(fl_graph_evidence *out, const fl_live_rows *rows, uint64_t edge,
                            uint32_t place)
{
    assert(place < rows->item_count);
    const fl_live_item *item = &rows->items[place];
    *out = (fl_graph_evidence){.id = item->id,
                               .edge = edge,
                               .source = (fl_evidence_source)item->source,
                               .author = told_text(rows, item->author),
                               .reference = told_text(rows, item->reference),
                               .supports = item->supports != 0,
                               .at_ns = item->at_ns,
                               .recorded_ns = item->recorded_ns,
                               .note = told_text(rows, item->note)};
}
