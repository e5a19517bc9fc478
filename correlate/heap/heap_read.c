/*
 * heap_read.c - values, texts and references of one object, out of the dump when they are asked
 * for.
 *
 * References come in the order: the object's class; then fields of the class itself and of its
 * super classes, elements, or what a class record has; then what lies on the stack of a thread.
 */
#include <assert.h>

#include "dominators.h"
#include "heap_priv.h"
#include "mem.h"
#include "search.h"
#include "slice.h"
#include "utf8.h"

/* --- values --- */

/* Whole numbers have signs, but for char and boolean. */
static uint64_t widen(uint64_t bits, fl_heap_type type, unsigned width)
{
    assert(width >= 1 && width <= 8);
    bool has_sign = type == FL_HEAP_BYTE || type == FL_HEAP_SHORT || type == FL_HEAP_INT;
    if (!has_sign || (bits >> (8 * width - 1) & 1) == 0)
        return bits;
    return bits | UINT64_MAX << (8 * width);
}

uint64_t fl_heap_value(const fl_heap *heap, const fl_heap_item *item, fl_heap_type type,
                       uint64_t at)
{
    unsigned width = fl_heap_type_bytes(type, heap->source.id_bytes);
    if (width == 0 || at > item->body.len)
        return 0;
    return widen(fl_heap_id_in(item->body, (size_t)at, width), type, width);
}

/* Of a class object, its statics are its fields. */
static bool static_value(const fl_heap *heap, uint32_t meant, fl_slice name, fl_heap_type *type,
                         uint64_t *bits)
{
    const fl_heap_class *facts = fl_heap_facts(heap, meant);
    for (uint32_t i = 0; i < facts->static_count; i++) {
        const fl_heap_member *member = &facts->statics[i];
        if (!fl_slice_equal(member->name, name))
            continue;
        *type = member->type;
        *bits = widen(member->value, member->type,
                      fl_heap_type_bytes(member->type, heap->source.id_bytes));
        return true;
    }
    return false;
}

bool fl_heap_field(const fl_heap *heap, fl_heap_object object, fl_slice name, fl_heap_type *type,
                   uint64_t *bits)
{
    uint32_t index = fl_heap_class_of(heap, object), meant = fl_heap_class_meant(heap, object);
    uint32_t whole = fl_heap_facts(heap, index)->value_bytes;
    fl_heap_item item;
    if (meant != FL_HEAP_NONE)
        return static_value(heap, meant, name, type, bits);
    for (; index != FL_HEAP_NONE; index = fl_heap_facts(heap, index)->super) {
        const fl_heap_class *facts = fl_heap_facts(heap, index);
        for (uint32_t i = 0; i < facts->field_count; i++) {
            if (!fl_slice_equal(facts->fields[i].name, name))
                continue;
            if (!fl_heap_item_of(heap, object, &item) || item.kind != FL_HEAP_ITEM_INSTANCE)
                return false;
            *type = facts->fields[i].type;
            *bits =
                fl_heap_value(heap, &item, *type, whole - facts->value_bytes + facts->fields[i].at);
            return true;
        }
    }
    return false;
}

fl_heap_object fl_heap_follow(const fl_heap *heap, fl_heap_object object, const char *name)
{
    fl_heap_type type;
    uint64_t id;
    if (!fl_heap_field(heap, object, fl_slice_of(name), &type, &id) || type != FL_HEAP_REFERENCE ||
        id == 0)
        return FL_HEAP_NONE;
    return fl_heap_find(heap, id);
}

/* --- texts --- */

/* Append one character; false where there is no room. */
static bool put_char(char *out, size_t cap, size_t *len, uint32_t c)
{
    unsigned char bytes[4];
    size_t count = 0;
    if (c < 0x80)
        bytes[count++] = (unsigned char)c;
    else if (c < 0x800) {
        bytes[count++] = (unsigned char)(0xc0 | c >> 6);
        bytes[count++] = (unsigned char)(0x80 | (c & 0x3f));
    } else {
        if (c >= 0x10000) {
            bytes[count++] = (unsigned char)(0xf0 | c >> 18);
            bytes[count++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
        } else
            bytes[count++] = (unsigned char)(0xe0 | c >> 12);
        bytes[count++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        bytes[count++] = (unsigned char)(0x80 | (c & 0x3f));
    }
    if (cap - 1 - *len < count)
        return false;
    for (size_t i = 0; i < count; i++)
        out[(*len)++] = (char)bytes[i];
    return true;
}

/* One unit of UTF-16: chars are big-endian; bytes of a compact string are in the machine's order,
 * which is little-endian wherever Java has them. */
static uint32_t unit_at(const fl_heap_item *item, size_t i)
{
    assert(2 * i + 1 < item->body.len);
    const unsigned char *p = item->body.ptr + 2 * i;
    return item->type == FL_HEAP_CHAR ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static size_t put_utf16(char *out, size_t cap, const fl_heap_item *item, size_t from, size_t count)
{
    size_t len = 0;
    for (size_t i = from; i < from + count; i++) {
        uint32_t c = unit_at(item, i);
        bool is_high = c >= 0xd800 && c < 0xdc00, is_low = c >= 0xdc00 && c < 0xe000;
        uint32_t low = is_high && i + 1 < from + count ? unit_at(item, i + 1) : 0;
        if (is_high && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i++;
        } else if (is_high || is_low)
            c = 0xfffd; /* half of a pair */
        if (!put_char(out, cap, &len, c))
            break;
    }
    return len;
}

/* A number that a version of String may have and another may not. */
static uint64_t number_field(const fl_heap *heap, fl_heap_object object, const char *name,
                             uint64_t fallback)
{
    fl_heap_type type;
    uint64_t bits;
    return fl_heap_field(heap, object, fl_slice_of(name), &type, &bits) ? bits : fallback;
}

/* char[] with offset and count before Java 7u6, char[] up to 8, byte[] with a coder from 9 on. */
bool fl_heap_string(const fl_heap *heap, fl_heap_object object, char *out, size_t cap)
{
    assert(cap > 0);
    const fl_heap_class *facts = fl_heap_facts(heap, fl_heap_class_of(heap, object));
    fl_heap_object value = fl_heap_follow(heap, object, "value");
    fl_heap_item item;
    out[0] = '\0';
    if (!fl_slice_equal(facts->name, FL_SLICE("java.lang.String")) || value == FL_HEAP_NONE ||
        !fl_heap_item_of(heap, value, &item) || item.kind != FL_HEAP_ITEM_VALUES ||
        (item.type != FL_HEAP_CHAR && item.type != FL_HEAP_BYTE))
        return false;
    size_t len = 0, unit = 2;
    if (item.type == FL_HEAP_BYTE && number_field(heap, object, "coder", 0) == 0)
        unit = 1;
    size_t most = item.body.len / unit;
    uint64_t from = number_field(heap, object, "offset", 0); /* before Java 7u6 */
    uint64_t count = number_field(heap, object, "count", most);
    from = from < most ? from : most;
    count = count < most - from ? count : most - from;
    if (unit == 2)
        len = put_utf16(out, cap, &item, (size_t)from, (size_t)count);
    else
        for (size_t i = 0; i < count && put_char(out, cap, &len, item.body.ptr[from + i]); i++)
            continue;
    out[len] = '\0';
    return true;
}

/* --- references --- */

enum { AT_CLASS, AT_FIELDS, AT_ELEMENTS, AT_RECORD, AT_STATICS, AT_STACK, AT_END };

fl_heap_edges fl_heap_edges_of(const fl_heap *heap, fl_heap_object object)
{
    assert(object < heap->ids.count);
    fl_heap_edges edges = {.heap = heap, .from = object};
    if (!fl_heap_item_of(heap, object, &edges.item))
        edges.phase = AT_END;
    return edges;
}

/* Null, and what the dump does not have, is none. */
static bool is_edge(const fl_heap *heap, fl_heap_edge *edge, uint64_t id)
{
    edge->to = id != 0 ? fl_heap_find(heap, id) : FL_HEAP_NONE;
    return edge->to != FL_HEAP_NONE;
}

/* Own fields, then those of each super class; an instance that is shorter than its class has no
 * more of them. */
static bool next_field(fl_heap_edges *at, fl_heap_edge *edge)
{
    const fl_heap *heap = at->heap;
    uint32_t own = fl_heap_class_of(heap, at->from);
    uint32_t whole = fl_heap_facts(heap, own)->value_bytes;
    while (at->class_index != FL_HEAP_NONE) {
        const fl_heap_class *facts = fl_heap_facts(heap, at->class_index);
        while (at->next < facts->field_count) {
            const fl_heap_member *member = &facts->fields[at->next++];
            uint64_t place = (uint64_t)(whole - facts->value_bytes) + member->at;
            if (place >= at->item.body.len)
                return false;
            if (member->type != FL_HEAP_REFERENCE)
                continue;
            edge->kind = FL_HEAP_EDGE_FIELD;
            edge->member = member;
            edge->is_weak = heap->is_weak[own] && at->class_index == heap->reference_class &&
                            at->next - 1 == heap->referent;
            if (is_edge(heap, edge, fl_heap_value(heap, &at->item, member->type, place)))
                return true;
        }
        at->class_index = facts->super;
        at->next = 0;
    }
    return false;
}

static bool next_element(fl_heap_edges *at, fl_heap_edge *edge)
{
    unsigned width = at->heap->source.id_bytes;
    edge->kind = FL_HEAP_EDGE_ELEMENT;
    while (at->next < at->item.count) {
        edge->index = at->next++;
        if (is_edge(at->heap, edge,
                    fl_heap_id_in(at->item.body, (size_t)edge->index * width, width)))
            return true;
    }
    return false;
}

/* Super class, loader, signers, protection domain. */
static bool next_of_record(fl_heap_edges *at, fl_heap_edge *edge)
{
    static const fl_heap_edge_kind kinds[] = {FL_HEAP_EDGE_SUPER, FL_HEAP_EDGE_LOADER,
                                              FL_HEAP_EDGE_OTHER, FL_HEAP_EDGE_OTHER};
    unsigned width = at->heap->source.id_bytes;
    while (at->next < 4) {
        uint32_t i = at->next++;
        edge->kind = kinds[i];
        if (is_edge(at->heap, edge,
                    i == 0 ? at->item.class_id
                           : fl_heap_id_in(at->item.body, (size_t)(i - 1) * width, width)))
            return true;
    }
    return false;
}

static bool next_static(fl_heap_edges *at, fl_heap_edge *edge)
{
    const fl_heap_class *facts = fl_heap_facts(at->heap, at->class_index);
    edge->kind = FL_HEAP_EDGE_STATIC;
    while (at->next < facts->static_count) {
        edge->member = &facts->statics[at->next++];
        if (edge->member->type == FL_HEAP_REFERENCE && is_edge(at->heap, edge, edge->member->value))
            return true;
    }
    return false;
}

static uint64_t thread_of_held(const void *held, size_t i)
{
    return ((const struct fl_heap_held *)held)[i].thread;
}

/* The first time, the place of the thread's own is searched. */
static bool next_on_stack(fl_heap_edges *at, fl_heap_edge *edge)
{
    const fl_heap *heap = at->heap;
    if (at->next == 0)
        at->next =
            (uint32_t)fl_search_first(heap->held, heap->held_count, thread_of_held, at->from);
    if (at->next == heap->held_count || heap->held[at->next].thread != at->from)
        return false;
    edge->kind = FL_HEAP_EDGE_STACK;
    edge->to = heap->held[at->next].object;
    edge->index = heap->held[at->next++].frame;
    return true;
}

/* Every object has a class, which may not be in a dump that was cut. */
static bool class_edge(const fl_heap_edges *at, fl_heap_edge *edge)
{
    edge->kind = FL_HEAP_EDGE_CLASS;
    edge->to = fl_heap_facts(at->heap, fl_heap_class_of(at->heap, at->from))->object;
    return edge->to != FL_HEAP_NONE;
}

/* Which phase follows the object's class, by what it is. */
static uint32_t first_phase(fl_heap_edges *at)
{
    switch (at->item.kind) {
    case FL_HEAP_ITEM_INSTANCE:
        at->class_index = fl_heap_class_of(at->heap, at->from);
        return AT_FIELDS;
    case FL_HEAP_ITEM_OBJECTS:
        return AT_ELEMENTS;
    case FL_HEAP_ITEM_CLASS:
        at->class_index = fl_census_find_class(at->heap->census, at->item.id);
        return AT_RECORD;
    default:
        return AT_STACK;
    }
}

/* Each phase gives what it has and then goes on to the next one. */
bool fl_heap_edges_next(fl_heap_edges *at, fl_heap_edge *edge)
{
    while (at->phase != AT_END) {
        *edge = (fl_heap_edge){.to = FL_HEAP_NONE};
        bool found = false, is_done = true;
        switch (at->phase) {
        case AT_CLASS:
            found = class_edge(at, edge);
            break;
        case AT_FIELDS:
            found = next_field(at, edge);
            break;
        case AT_ELEMENTS:
            found = next_element(at, edge);
            break;
        case AT_RECORD:
            found = next_of_record(at, edge);
            break;
        case AT_STATICS:
            found = next_static(at, edge);
            break;
        default:
            found = next_on_stack(at, edge);
            break;
        }
        is_done = at->phase == AT_CLASS || !found;
        if (is_done) {
            uint32_t after[] = {AT_CLASS, AT_STACK, AT_STACK, AT_STATICS, AT_STACK, AT_END};
            at->phase = at->phase == AT_CLASS ? first_phase(at) : after[at->phase];
            at->next = 0;
        }
        if (found)
            return true;
    }
    return false;
}

/* --- who refers to it --- */

/* Without the references to classes by their instances: they are as many as the objects, and say
 * nothing that the histogram does not. */
fl_status fl_heap_index_inbound(fl_heap *heap, fl_error *err)
{
    size_t count = heap->ids.count;
    if (heap->inbound_starts != NULL)
        return FL_OK;
    uint32_t *starts = fl_mem_calloc(count + 2, sizeof(*starts)), *from = NULL;
    fl_heap_edge edge;
    uint64_t sum = 0;
    /* Twice the same walk: counted, then placed. */
    for (uint32_t o = 0; o < count && starts != NULL; o++)
        for (fl_heap_edges at = fl_heap_edges_of(heap, o); fl_heap_edges_next(&at, &edge);)
            if (edge.kind != FL_HEAP_EDGE_CLASS)
                starts[edge.to + 2]++;
    for (size_t i = 2; i < count + 2 && starts != NULL; i++) {
        sum += starts[i];
        starts[i] = (uint32_t)sum;
    }
    if (starts != NULL && sum < UINT32_MAX)
        from = fl_mem_alloc(((size_t)sum + 1) * sizeof(*from));
    if (from == NULL) {
        fl_mem_free(starts);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the references");
    }
    for (uint32_t o = 0; o < count; o++)
        for (fl_heap_edges at = fl_heap_edges_of(heap, o); fl_heap_edges_next(&at, &edge);)
            if (edge.kind != FL_HEAP_EDGE_CLASS)
                from[starts[edge.to + 1]++] = o;
    heap->inbound_starts = starts;
    heap->inbound = from;
    return FL_OK;
}

const fl_heap_object *fl_heap_inbound(const fl_heap *heap, fl_heap_object object, size_t *count)
{
    assert(heap->inbound_starts != NULL && object < heap->ids.count);
    *count = heap->inbound_starts[object + 1] - heap->inbound_starts[object];
    return heap->inbound + heap->inbound_starts[object];
}
