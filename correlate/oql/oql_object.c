/*
 * oql_object.c - what a query asks of objects: fields, attributes, neighbours, elements.
 *
 * A field is looked for in the object's class first, then in those that it inherits from; of an
 * object of java.lang.Class it is a static. One that an object does not have is null, since the
 * rows of FROM "pattern" have different classes; whether any object had it is noted, and a name
 * that none had is refused at the end.
 *
 * Cost: a field is one search among the names of a class and one read of the dump; neighbours of an
 * object are as many reads as it has fields or elements.
 */
#include <assert.h>
#include <string.h>

#include "oql_eval.h"
#include "slice.h"
#include "sort.h"

/* What is not there, and of what kind of value. */
static void fail_value(fl_oql_machine *machine, const char *what, const fl_oql_value *value)
{
    assert(what != NULL);
    if (machine->status == FL_OK)
        machine->status = fl_fail(machine->err, FL_E_SYNTAX, machine->at, "%s of %s", what,
                                  fl_oql_kind_name(value->kind));
}

fl_oql_value fl_oql_object_value(fl_heap_object object)
{
    if (object == FL_HEAP_NONE)
        return (fl_oql_value){.kind = FL_OQL_NULL};
    return (fl_oql_value){.kind = FL_OQL_OBJECT, .object = object};
}

/* A size, a count, an address. */
static fl_oql_value whole(uint64_t number)
{
    return (fl_oql_value){.kind = FL_OQL_INT, .number = (int64_t)number};
}

/* A text that lives as long as the row, or longer. */
static fl_oql_value text_value(fl_slice text)
{
    return (fl_oql_value){.kind = FL_OQL_TEXT, .text = text};
}

/* A value of the dump by its bits; a reference to what the dump does not have is null. */
static fl_oql_value value_of_bits(const fl_heap *heap, fl_heap_type type, uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float single;
    fl_oql_value value = {.kind = FL_OQL_INT, .number = (int64_t)bits};
    switch (type) {
    case FL_HEAP_REFERENCE:
        return fl_oql_object_value(bits == 0 ? FL_HEAP_NONE : fl_heap_find(heap, bits));
    case FL_HEAP_BOOLEAN:
        return (fl_oql_value){.kind = FL_OQL_BOOL, .number = bits != 0};
    case FL_HEAP_CHAR:
        value.kind = FL_OQL_CHAR;
        return value;
    case FL_HEAP_FLOAT:
        memcpy(&single, &low, sizeof(single));
        return (fl_oql_value){.kind = FL_OQL_FLOAT, .real = (double)single};
    case FL_HEAP_DOUBLE:
        value.kind = FL_OQL_FLOAT;
        memcpy(&value.real, &bits, sizeof(value.real));
        return value;
    default:
        return value;
    }
}

/* ---- fields ---- */

bool fl_oql_length(const fl_oql_machine *machine, const fl_oql_value *value, uint64_t *length)
{
    assert(value != NULL && length != NULL);
    fl_heap_item item;
    switch (value->kind) {
    case FL_OQL_OBJECTS:
    case FL_OQL_VALUES:
        *length = value->count;
        return true;
    case FL_OQL_OBJECT:
        *length = 0;
        if (!fl_heap_item_of(machine->heap, value->object, &item) ||
            (item.kind != FL_HEAP_ITEM_OBJECTS && item.kind != FL_HEAP_ITEM_VALUES))
            return false;
        *length = item.count;
        return true;
    default:
        return false;
    }
}

/* What every array and every class has, though no dump says so. */
static bool own_field(const fl_oql_machine *machine, fl_slice name, fl_oql_value *top)
{
    assert(top->kind == FL_OQL_OBJECT);
    uint64_t length;
    uint32_t meant = fl_heap_class_meant(machine->heap, top->object);
    if (meant != FL_HEAP_NONE && fl_oql_is_word(name, "name")) {
        *top = text_value(fl_heap_class_at(machine->heap, meant)->name);
        return true;
    }
    if (!fl_oql_is_word(name, "length") || !fl_oql_length(machine, top, &length))
        return false;
    *top = whole(length);
    return true;
}

/* The value before the dot becomes that of its field. A path goes on from null as null, which is
 * why `h.table.length` needs no test of `h.table`. */
void fl_oql_step_field(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    assert(step->op == FL_OQL_FIELD || step->op == FL_OQL_HEAD);
    if (top->kind == FL_OQL_NULL)
        return;
    if (top->kind != FL_OQL_OBJECT) {
        fail_value(machine, "there is no field", top);
        return;
    }
    fl_heap_type type;
    uint64_t bits;
    fl_oql_seek *seek = &machine->seeks[step - machine->query->steps];
    fl_heap_object object = top->object;
    bool found = fl_heap_field(machine->heap, object, step->name, &type, &bits);
    if (found)
        *top = value_of_bits(machine->heap, type, bits);
    else if (own_field(machine, step->name, top))
        found = true;
    else
        *top = (fl_oql_value){.kind = FL_OQL_NULL};
    seek->was_found |= found;
    if (!seek->was_tried)
        seek->class_index = fl_heap_class_of(machine->heap, object);
    seek->was_tried = true;
}

/* Beyond the end stands null, and not a failure: rows have arrays of different lengths. */
void fl_oql_element(fl_oql_machine *machine, fl_oql_value *top, const fl_oql_value *index)
{
    assert(index != NULL);
    uint64_t length;
    if (top->kind == FL_OQL_NULL)
        return;
    if (!fl_oql_length(machine, top, &length)) {
        fail_value(machine, "there is no element", top);
        return;
    }
    if (index->kind != FL_OQL_INT) {
        fail_value(machine, "an element's place is a number, not that", index);
        return;
    }
    uint64_t at = (uint64_t)index->number;
    if (at >= length) {
        *top = (fl_oql_value){.kind = FL_OQL_NULL};
    } else if (top->kind == FL_OQL_OBJECTS) {
        *top = fl_oql_object_value(top->objects[at]);
    } else if (top->kind == FL_OQL_VALUES) {
        *top = top->values[at];
    } else {
        fl_heap_item item;
        bool is_there = fl_heap_item_of(machine->heap, top->object, &item);
        assert(is_there);
        (void)is_there;
        fl_heap_type type =
            item.kind == FL_HEAP_ITEM_OBJECTS ? FL_HEAP_REFERENCE : (fl_heap_type)item.type;
        unsigned id_bytes = item.count > 0 ? (unsigned)(item.body.len / item.count) : 0;
        *top = value_of_bits(
            machine->heap, type,
            fl_heap_value(machine->heap, &item, type, at * fl_heap_type_bytes(type, id_bytes)));
    }
}

/* ---- attributes ---- */

static fl_oql_value class_object(const fl_heap *heap, uint32_t class_index)
{
    if (class_index == FL_HEAP_NONE)
        return (fl_oql_value){.kind = FL_OQL_NULL};
    return fl_oql_object_value(fl_heap_class_at(heap, class_index)->object);
}

/* "thread, Java frame": each kind of root that names the object once, or null. */
static fl_oql_value root_info(fl_oql_machine *machine, fl_heap_object object)
{
    assert(object < fl_heap_count(machine->heap));
    size_t count;
    unsigned seen = 0;
    char text[256];
    size_t len = 0;
    const fl_heap_root *roots = fl_heap_roots_of(machine->heap, object, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = fl_heap_root_kind_name(roots[i].kind);
        size_t more = strlen(name) + 2;
        if ((seen & 1u << roots[i].kind) != 0 || len + more > sizeof(text))
            continue;
        seen |= 1u << roots[i].kind;
        memcpy(text + len, ", ", 2);
        memcpy(text + len + 2, name, more - 2);
        len += more;
    }
    if (len == 0)
        return (fl_oql_value){.kind = FL_OQL_NULL};
    fl_slice kept =
        fl_arena_copy(&machine->row, (fl_slice){.ptr = (unsigned char *)text + 2, .len = len - 2});
    if (kept.ptr == NULL)
        fl_oql_fail_out_of_memory(machine);
    return text_value(kept);
}

/* Of an object of java.lang.Class; null of others. */
static fl_oql_value class_attribute(const fl_heap *heap, uint32_t attribute, fl_heap_object object)
{
    assert(object < fl_heap_count(heap));
    uint32_t meant = fl_heap_class_meant(heap, object);
    if (meant == FL_HEAP_NONE)
        return (fl_oql_value){.kind = FL_OQL_NULL};
    const fl_heap_class *class = fl_heap_class_at(heap, meant);
    switch (attribute) {
    case FL_OQL_A_NAME:
        return text_value(class->name);
    case FL_OQL_A_NUMBER_OF_OBJECTS:
        return whole(class->count);
    case FL_OQL_A_CLASS_LOADER_ID:
        return class->loader == FL_HEAP_NONE ? (fl_oql_value){.kind = FL_OQL_NULL}
                                             : whole(class->loader);
    default:
        assert(attribute == FL_OQL_A_SUPER_CLASS);
        return class_object(heap, class->super);
    }
}

/* Names are made for the row. */
static fl_oql_value name_attribute(fl_oql_machine *machine, uint32_t attribute,
                                   fl_heap_object object)
{
    assert(attribute < FL_OQL_ATTRIBUTE_COUNT);
    fl_slice text = {0};
    if (attribute == FL_OQL_A_TECHNICAL_NAME) {
        text = fl_oql_technical_name(machine, object);
    } else if (attribute == FL_OQL_A_DISPLAY_NAME) {
        text = fl_oql_display_name(machine, object);
    } else {
        assert(attribute == FL_OQL_A_CLASS_SPECIFIC_NAME);
        if (!fl_oql_object_text(machine, object, &text))
            return (fl_oql_value){.kind = FL_OQL_NULL};
        text = fl_arena_copy(&machine->row, text);
    }
    if (text.ptr == NULL)
        fl_oql_fail_out_of_memory(machine);
    return text_value(text);
}

/* The table of what MAT's manual calls property accessors. */
static fl_oql_value object_attribute(fl_oql_machine *machine, uint32_t attribute,
                                     fl_heap_object object)
{
    assert(attribute < FL_OQL_ATTRIBUTE_COUNT);
    const fl_heap *heap = machine->heap;
    fl_oql_value self = fl_oql_object_value(object);
    uint64_t length;
    switch (attribute) {
    case FL_OQL_A_CLASS:
    case FL_OQL_A_CLAZZ:
        return class_object(heap, fl_heap_class_of(heap, object));
    case FL_OQL_A_OBJECT_ID:
        return whole(object);
    case FL_OQL_A_OBJECT_ADDRESS:
        return whole(fl_heap_id(heap, object));
    case FL_OQL_A_USED_HEAP_SIZE:
        return whole(fl_heap_shallow_bytes(heap, object));
    case FL_OQL_A_RETAINED_HEAP_SIZE:
        return whole(fl_heap_retained_bytes(heap, object));
    case FL_OQL_A_GC_ROOT_INFO:
        return root_info(machine, object);
    case FL_OQL_A_LENGTH:
        return fl_oql_length(machine, &self, &length) ? whole(length)
                                                      : (fl_oql_value){.kind = FL_OQL_NULL};
    case FL_OQL_A_VALUE_ARRAY:
    case FL_OQL_A_REFERENCE_ARRAY:
        return fl_oql_length(machine, &self, &length) ? self : (fl_oql_value){.kind = FL_OQL_NULL};
    case FL_OQL_A_DISPLAY_NAME:
    case FL_OQL_A_TECHNICAL_NAME:
    case FL_OQL_A_CLASS_SPECIFIC_NAME:
        return name_attribute(machine, attribute, object);
    default:
        return class_attribute(heap, attribute, object);
    }
}

/* What MAT knows of an object besides its fields. */
void fl_oql_step_attribute(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    assert(step->op == FL_OQL_ATTRIBUTE);
    uint64_t length;
    if (top->kind == FL_OQL_NULL)
        return;
    if (top->kind == FL_OQL_OBJECT)
        *top = object_attribute(machine, step->which, top->object);
    else if (step->which == FL_OQL_A_LENGTH && fl_oql_length(machine, top, &length))
        *top = whole(length);
    else
        fail_value(machine, "there is no such attribute", top);
}

/* ---- neighbours ---- */

static size_t count_edges(const fl_heap *heap, fl_heap_object object)
{
    size_t count = 0;
    fl_heap_edge edge;
    fl_heap_edges edges = fl_heap_edges_of(heap, object);
    while (fl_heap_edges_next(&edges, &edge))
        count++;
    return count;
}

/* Sorted and without repetition: arrays often refer to one object many times. */
bool fl_oql_outbounds(fl_oql_machine *machine, fl_heap_object object, fl_oql_value *out)
{
    assert(out != NULL);
    size_t count = count_edges(machine->heap, object), unique = 0, i = 0;
    fl_keyed *items = fl_arena_alloc(&machine->row, 2 * count + 1, sizeof(*items));
    fl_heap_object *objects = fl_arena_alloc(&machine->row, count + 1, sizeof(*objects));
    if (items == NULL || objects == NULL) {
        fl_oql_fail_out_of_memory(machine);
        return false;
    }
    fl_heap_edge edge;
    fl_heap_edges edges = fl_heap_edges_of(machine->heap, object);
    while (i < count && fl_heap_edges_next(&edges, &edge))
        items[i++].key = edge.to;
    fl_sort_keyed(items, items + count, i);
    for (size_t k = 0; k < i; k++)
        if (unique == 0 || objects[unique - 1] != items[k].key)
            objects[unique++] = (fl_heap_object)items[k].key;
    *out = (fl_oql_value){
        .kind = FL_OQL_OBJECTS, .is_sorted = true, .objects = objects, .count = unique};
    return true;
}

/* A number is an object's id, as in MAT. */
static fl_heap_object object_of(const fl_oql_machine *machine, const fl_oql_value *value)
{
    if (value->kind == FL_OQL_OBJECT)
        return value->object;
    bool is_id = value->kind == FL_OQL_INT && value->number >= 0 &&
                 value->number < (int64_t)fl_heap_count(machine->heap);
    return is_id ? (fl_heap_object)value->number : FL_HEAP_NONE;
}

/* A negative number as its 64 bits, as Long.toHexString() has it. */
static fl_oql_value to_hex(fl_oql_machine *machine, const fl_oql_value *value)
{
    if (value->kind != FL_OQL_INT && value->kind != FL_OQL_CHAR) {
        fail_value(machine, "toHex() takes a number, not that", value);
        return *value;
    }
    char *text =
        fl_arena_printf(&machine->row, "0x%llx", (unsigned long long)(uint64_t)value->number);
    if (text == NULL)
        fl_oql_fail_out_of_memory(machine);
    return text_value(fl_slice_of(text));
}

/* Lists of neighbours are the heap's own; only what is referred to must be gathered. */
static void call_about_object(fl_oql_machine *machine, uint32_t function, fl_oql_value *top)
{
    assert(function < FL_OQL_FUNCTION_COUNT);
    const fl_heap *heap = machine->heap;
    fl_heap_object object = object_of(machine, top);
    if (object == FL_HEAP_NONE) {
        fail_value(machine, "the function takes an object, not that", top);
        return;
    }
    *top = (fl_oql_value){.kind = FL_OQL_OBJECTS};
    switch (function) {
    case FL_OQL_CLASSOF:
        *top = class_object(heap, fl_heap_class_of(heap, object));
        break;
    case FL_OQL_DOMINATOROF:
        *top = fl_oql_object_value(fl_heap_idom(heap, object));
        break;
    case FL_OQL_DOMINATORS:
        top->objects = fl_heap_dominated(heap, object, &top->count);
        break;
    case FL_OQL_INBOUNDS:
        top->objects = fl_heap_inbound(heap, object, &top->count);
        break;
    default:
        assert(function == FL_OQL_OUTBOUNDS);
        (void)fl_oql_outbounds(machine, object, top);
        break;
    }
}

/* toString() alone also takes values that are no objects. */
void fl_oql_step_call(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    assert(step->op == FL_OQL_CALL && step->which < FL_OQL_FUNCTION_COUNT);
    if (step->which == FL_OQL_TO_STRING) {
        fl_slice text = fl_oql_text_of(machine, top);
        if (top->kind != FL_OQL_NULL)
            *top = text_value(text);
    } else if (top->kind == FL_OQL_NULL) {
        return;
    } else if (step->which == FL_OQL_TO_HEX) {
        *top = to_hex(machine, top);
    } else {
        call_about_object(machine, step->which, top);
    }
}
