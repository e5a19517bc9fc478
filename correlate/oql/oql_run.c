/*
 * oql_run.c - a query over a heap: the objects of its source, the rows of its select list, the
 * answer.
 *
 * Queries are answered in their order: subqueries to lists of values, the last to a table. Cost: a
 * query over classes looks at every object's class once.
 *
 * A row takes memory only while it is looked at; what is kept of it goes into the answer's arena
 * (a table's cells) or into the run's (a subquery's values). Lists of a subquery grow by doubling,
 * 4 bytes an object; they become lists of values, 32 bytes each, at the first value that is none.
 *
 * Invariants: at any time one query is being answered, and `sink` is where its rows go. Answers of
 * subqueries are whole before the first row of what they stand in is looked at, so that an answer
 * depends on the heap and the text alone: objects come in the order of their addresses, rows in
 * that of the objects, parts of a UNION in that of the text.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "intern.h"
#include "mem.h"
#include "oql_eval.h"
#include "oql_retained.h"
#include "slice.h"

/* Rows of an answer, values of a subquery, keys of DISTINCT. */
static const size_t ANSWER_BYTES = 512u << 20, SEEN_BYTES = 256u << 20;

struct fl_oql_answer {
    fl_arena arena;
    fl_oql_table table;
    fl_oql_row *rows;
    size_t row_cap;
    fl_slice columns[FL_OQL_MAX_COLUMNS];
};

/* Where the rows of a query go. */
typedef struct sink {
    fl_oql_answer *answer;   /* the last query's: a table */
    fl_heap_object *objects; /* else a subquery's: a list, of values from the first that is none */
    fl_oql_value *values;
    size_t count, cap;
    size_t limit;
    unsigned char *seen_objects; /* DISTINCT: one bit an object */
    fl_intern *seen;             /* DISTINCT of rows: their texts */
    bool is_distinct;
} sink;

typedef struct run {
    fl_oql_machine machine;
    fl_oql_value *answers;
    fl_oql_texts *texts;
    fl_oql_value *stack;
    fl_arena kept; /* lists of subqueries, texts in them */
    bool *wanted;  /* classes */
    sink sink;
} run;

/* One sentence for all that could not be kept. */
static fl_status fail_memory(run *r)
{
    fl_oql_fail_out_of_memory(&r->machine);
    return r->machine.status;
}

/* The first failure is the query's. */
static fl_status fail_with(run *r, fl_status status)
{
    assert(status != FL_OK);
    if (r->machine.status == FL_OK)
        r->machine.status = status;
    return r->machine.status;
}

/* ---- rows ---- */

/* A value that outlives its row. Lists are cut, and lists in them emptied. */
static bool keep_value(fl_arena *arena, fl_oql_value *value, size_t max_items)
{
    assert(arena != NULL);
    size_t items = value->count < max_items ? value->count : max_items;
    if (value->kind == FL_OQL_TEXT) {
        value->text = fl_arena_copy(arena, value->text);
        return value->text.ptr != NULL;
    }
    if (value->kind == FL_OQL_OBJECTS) {
        fl_heap_object *objects = fl_arena_alloc(arena, items + 1, sizeof(*objects));
        if (objects == NULL)
            return false;
        if (items > 0)
            memcpy(objects, value->objects, items * sizeof(*objects));
        value->objects = objects;
    } else if (value->kind == FL_OQL_VALUES) {
        fl_oql_value *values = fl_arena_alloc(arena, items + 1, sizeof(*values));
        if (values == NULL)
            return false;
        for (size_t i = 0; i < items; i++) {
            values[i] = value->values[i];
            bool is_list = values[i].kind == FL_OQL_OBJECTS || values[i].kind == FL_OQL_VALUES;
            if (is_list)
                values[i] = (fl_oql_value){.kind = FL_OQL_NULL};
            if (values[i].kind == FL_OQL_TEXT) {
                values[i].text = fl_arena_copy(arena, values[i].text);
                if (values[i].text.ptr == NULL)
                    return false;
            }
        }
        value->values = values;
    }
    return true;
}

/* Rows beyond the limit cost a count. */
static fl_status add_row(run *r, const fl_oql_value *cells, size_t count, fl_heap_object object)
{
    assert(count > 0 && r->sink.answer != NULL);
    fl_oql_answer *answer = r->sink.answer;
    answer->table.total++;
    if (answer->table.row_count >= r->sink.limit)
        return FL_OK;
    if (answer->table.row_count == answer->row_cap) {
        size_t cap = answer->row_cap == 0 ? 16 : 2 * answer->row_cap;
        fl_oql_row *rows = fl_mem_realloc(answer->rows, cap, sizeof(*rows));
        if (rows == NULL)
            return fail_memory(r);
        answer->rows = rows;
        answer->row_cap = cap;
        answer->table.rows = rows;
    }
    fl_oql_value *kept = fl_arena_alloc(&answer->arena, count, sizeof(*kept));
    if (kept == NULL)
        return fail_memory(r);
    for (size_t i = 0; i < count; i++) {
        kept[i] = cells[i];
        if (!keep_value(&answer->arena, &kept[i], FL_OQL_MAX_LIST_ITEMS))
            return fail_memory(r);
    }
    answer->rows[answer->table.row_count++] = (fl_oql_row){.cells = kept, .object = object};
    return FL_OK;
}

/* From a list of objects to one of values, when the first comes that is no object. */
static bool widen(run *r)
{
    assert(r->sink.values == NULL);
    sink *s = &r->sink;
    s->values = fl_mem_calloc(s->cap == 0 ? 16 : s->cap, sizeof(*s->values));
    if (s->values == NULL)
        return false;
    s->cap = s->cap == 0 ? 16 : s->cap;
    for (size_t i = 0; i < s->count; i++)
        s->values[i] = fl_oql_object_value(s->objects[i]);
    fl_mem_free(s->objects);
    s->objects = NULL;
    return true;
}

/* Twice the room for whichever of the two lists there is. */
static bool list_grow(sink *s)
{
    assert(s->values == NULL || s->objects == NULL);
    size_t cap = s->cap == 0 ? 16 : 2 * s->cap;
    if (s->values != NULL) {
        fl_oql_value *values = fl_mem_realloc(s->values, cap, sizeof(*values));
        if (values == NULL)
            return false;
        s->values = values;
    } else {
        fl_heap_object *objects = fl_mem_realloc(s->objects, cap, sizeof(*objects));
        if (objects == NULL)
            return false;
        s->objects = objects;
    }
    s->cap = cap;
    return true;
}

/* The first column of a subquery's rows. */
static fl_status add_to_list(run *r, fl_oql_value value)
{
    assert(r->sink.answer == NULL);
    sink *s = &r->sink;
    if (value.kind != FL_OQL_OBJECT && s->values == NULL && !widen(r))
        return fail_memory(r);
    if (s->count == s->cap && !list_grow(s))
        return fail_memory(r);
    if (!keep_value(&r->kept, &value, FL_OQL_MAX_LIST_ITEMS))
        return fail_memory(r);
    if (s->values != NULL)
        s->values[s->count++] = value;
    else
        s->objects[s->count++] = value.object;
    return FL_OK;
}

/* What tells a value from others: two that have the same key are the same. */
static void put_key(run *r, fl_buf *key, const fl_oql_value *value)
{
    if (value->kind == FL_OQL_OBJECT) {
        fl_buf_printf(key, "%d:%u:", (int)value->kind, value->object);
        return;
    }
    fl_slice text = fl_oql_text_of(&r->machine, value);
    fl_buf_printf(key, "%d:%zu:", (int)value->kind, text.len);
    if (text.ptr != NULL)
        fl_buf_add(key, text);
    if (value->kind == FL_OQL_OBJECTS) /* their text is their length */
        fl_buf_add(key, (fl_slice){.ptr = (const unsigned char *)value->objects,
                                   .len = value->count * sizeof(*value->objects)});
}

/* Whether these cells come for the first time. */
static bool is_new_row(run *r, const fl_oql_value *cells, size_t count)
{
    assert(r->sink.is_distinct && count > 0);
    fl_buf key = fl_buf_of(FL_OQL_MAX_ROW_BYTES);
    fl_error err = {0};
    for (size_t i = 0; i < count; i++) {
        put_key(r, &key, &cells[i]);
        for (size_t k = 0; cells[i].kind == FL_OQL_VALUES && k < cells[i].value_count; k++)
            put_key(r, &key, &cells[i].values[k]);
    }
    fl_sym sym;
    size_t before = fl_intern_count(r->sink.seen);
    fl_status status = fl_buf_check(&key, "a row", &err);
    if (status == FL_OK)
        status = fl_intern_put(&sym, r->sink.seen, fl_buf_slice(&key), &err);
    fl_buf_dispose(&key);
    if (status != FL_OK)
        fail_with(r, fl_fail(r->machine.err, status, FL_NO_OFFSET, "%s", err.message));
    return status == FL_OK && fl_intern_count(r->sink.seen) > before;
}

/* Exact, at a bit for each object of the heap. */
static bool is_new_object(run *r, fl_heap_object object)
{
    assert(object < fl_heap_count(r->machine.heap));
    unsigned char *byte = &r->sink.seen_objects[object / 8],
                  bit = (unsigned char)(1u << object % 8);
    bool is_new = (*byte & bit) == 0;
    *byte |= bit;
    return is_new;
}

/* A row that is about an object: SELECT *, SELECT OBJECTS. */
static fl_status emit_object(run *r, fl_heap_object object)
{
    const fl_heap *heap = r->machine.heap;
    if (r->sink.is_distinct && !is_new_object(r, object))
        return r->machine.status;
    fl_oql_value cells[3] = {fl_oql_object_value(object)};
    if (r->sink.answer == NULL)
        return add_to_list(r, cells[0]);
    cells[1] =
        (fl_oql_value){.kind = FL_OQL_INT, .number = (int64_t)fl_heap_shallow_bytes(heap, object)};
    cells[2] =
        (fl_oql_value){.kind = FL_OQL_INT, .number = (int64_t)fl_heap_retained_bytes(heap, object)};
    return add_row(r, cells, 3, object);
}

/* A row of select items. */
static fl_status emit_cells(run *r, const fl_oql_value *cells, size_t count, fl_heap_object object)
{
    assert(count > 0);
    if (r->sink.is_distinct && !is_new_row(r, cells, count))
        return r->machine.status;
    if (r->sink.answer == NULL)
        return add_to_list(r, cells[0]);
    return add_row(r, cells, count, object);
}

static fl_status fail_no_object(run *r, const fl_oql_value *value)
{
    return fail_with(r, fl_fail(r->machine.err, FL_E_SYNTAX, r->machine.at,
                                "OBJECTS takes objects, not %s", fl_oql_kind_name(value->kind)));
}

/* One value is an object, none (null), or several. */
static fl_status emit_objects(run *r, const fl_oql_value *value)
{
    fl_status status = FL_OK;
    if (value->kind == FL_OQL_OBJECT)
        return emit_object(r, value->object);
    if (value->kind == FL_OQL_OBJECTS) {
        for (size_t i = 0; i < value->count && status == FL_OK; i++)
            status = emit_object(r, value->objects[i]);
        return status;
    }
    if (value->kind != FL_OQL_VALUES)
        return value->kind == FL_OQL_NULL ? FL_OK : fail_no_object(r, value);
    for (size_t i = 0; i < value->value_count && status == FL_OK; i++)
        status = value->values[i].kind == FL_OQL_OBJECT ? emit_object(r, value->values[i].object)
                                                        : fail_no_object(r, &value->values[i]);
    return status;
}

/* ---- one object of the source ---- */

static fl_status emit_columns(run *r, const fl_oql_query *query, fl_heap_object object)
{
    assert(query->column_count > 0);
    fl_oql_value cells[FL_OQL_MAX_COLUMNS];
    fl_status status = FL_OK;
    bool is_counted = r->sink.answer != NULL && !r->sink.is_distinct &&
                      r->sink.answer->table.row_count >= r->sink.limit;
    if (is_counted && !query->is_objects) {
        r->sink.answer->table.total++;
        return FL_OK;
    }
    for (uint32_t i = 0; i < query->column_count && status == FL_OK; i++)
        status = fl_oql_evaluate(&cells[i], &r->machine, query->columns[i].steps);
    if (status != FL_OK)
        return status;
    return query->is_objects ? emit_objects(r, &cells[0])
                             : emit_cells(r, cells, query->column_count, object);
}

/* The condition, then the select list; what the row took is given back. */
static fl_status visit(run *r, const fl_oql_query *query, fl_heap_object object)
{
    assert(object < fl_heap_count(r->machine.heap));
    bool holds = true;
    fl_status status = FL_OK;
    r->machine.self = object;
    if (query->has_where)
        status = fl_oql_holds(&holds, &r->machine, query->where);
    if (status == FL_OK && holds)
        status = query->column_count == 0 ? emit_object(r, object) : emit_columns(r, query, object);
    fl_arena_reset(&r->machine.row);
    return status;
}

/* ---- sources ---- */

/* BEFORE NAME BEHIND, at the source. */
static fl_status fail_source(run *r, fl_status status, const char *before, const char *name,
                             const char *behind)
{
    return fail_with(r, fl_fail(r->machine.err, status, r->machine.query->source.at, "%s%s%s",
                                before, name, behind));
}

/* The classes of a name; false where there are none. */
static bool want_name(run *r, fl_slice name)
{
    const fl_heap *heap = r->machine.heap;
    bool found = false;
    uint32_t index = fl_heap_find_class(heap, name, 0);
    while (index != FL_HEAP_NONE) {
        r->wanted[index] = found = true;
        index = fl_heap_find_class(heap, name, index + 1);
    }
    return found;
}

/* Names of classes are matched once, not once an object. */
static fl_status want_pattern(run *r, const fl_oql_source *source)
{
    assert(source->regex != NULL);
    fl_error err = {0};
    fl_status status = FL_OK;
    size_t count = fl_heap_class_count(r->machine.heap);
    for (uint32_t i = 0; i < count && status == FL_OK; i++)
        status = fl_regex_match(&r->wanted[i], source->regex,
                                fl_heap_class_at(r->machine.heap, i)->name, &err);
    return status == FL_OK ? FL_OK : fail_source(r, status, "", err.message, "");
}

/* A class is wanted where one that it inherits from is. */
static void want_subclasses(run *r)
{
    assert(r->wanted != NULL);
    const fl_heap *heap = r->machine.heap;
    uint32_t count = (uint32_t)fl_heap_class_count(heap);
    bool changed = true;
    while (changed) { /* once a generation, at worst */
        changed = false;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t super = fl_heap_class_at(heap, i)->super;
            if (!r->wanted[i] && super != FL_HEAP_NONE && r->wanted[super])
                r->wanted[i] = changed = true;
        }
    }
}

/* The object that a number of the source names. */
static fl_status object_at(run *r, const fl_oql_source *source, uint32_t i, fl_heap_object *out)
{
    assert(i < source->number_count);
    uint64_t number = source->numbers[i];
    bool is_address = source->kind == FL_OQL_FROM_ADDRESSES;
    char name[32];
    snprintf(name, sizeof(name), is_address ? "0x%llx" : "%llu", (unsigned long long)number);
    *out = is_address                                ? fl_heap_find(r->machine.heap, number)
           : number < fl_heap_count(r->machine.heap) ? (fl_heap_object)number
                                                     : FL_HEAP_NONE;
    if (*out == FL_HEAP_NONE)
        return fail_source(r, FL_E_NOTFOUND, "there is no object ", name, " in the dump");
    return FL_OK;
}

/* The objects that a source gives by itself: addresses, ids, a subquery, an expression. */
static fl_status listed(run *r, const fl_oql_source *source, fl_oql_value *out)
{
    if (source->kind == FL_OQL_FROM_QUERY) {
        *out = r->answers[source->query];
        return FL_OK;
    }
    if (source->kind == FL_OQL_FROM_STEPS) {
        r->machine.self = FL_HEAP_NONE;
        fl_status status = fl_oql_evaluate(out, &r->machine, source->steps);
        if (status == FL_OK && !keep_value(&r->kept, out, SIZE_MAX))
            status = fail_memory(r);
        fl_arena_reset(&r->machine.row);
        return status;
    }
    fl_heap_object *objects = fl_arena_alloc(&r->kept, source->number_count, sizeof(*objects));
    if (objects == NULL)
        return fail_memory(r);
    fl_status status = FL_OK;
    for (uint32_t i = 0; i < source->number_count && status == FL_OK; i++)
        status = object_at(r, source, i, &objects[i]);
    *out =
        (fl_oql_value){.kind = FL_OQL_OBJECTS, .objects = objects, .count = source->number_count};
    return status;
}

/* In the order of the list, an object as often as it stands there. */
static fl_status visit_list(run *r, const fl_oql_query *query, const fl_oql_value *list)
{
    fl_status status = FL_OK;
    if (list->kind == FL_OQL_NULL)
        return FL_OK;
    if (list->kind == FL_OQL_OBJECT)
        return visit(r, query, list->object);
    if (list->kind != FL_OQL_OBJECTS)
        return fail_source(r, FL_E_SYNTAX, "FROM takes objects, not ",
                           fl_oql_kind_name(list->kind == FL_OQL_VALUES && list->value_count > 0
                                                ? list->values[0].kind
                                                : list->kind),
                           "");
    for (size_t i = 0; i < list->count && status == FL_OK; i++)
        status = visit(r, query, list->objects[i]);
    return status;
}

/* What MAT does with a list that stands without OBJECTS: its classes are meant. */
static fl_status want_listed(run *r, const fl_oql_value *list)
{
    for (size_t i = 0; list->kind == FL_OQL_OBJECTS && i < list->count; i++) {
        uint32_t meant = fl_heap_class_meant(r->machine.heap, list->objects[i]);
        if (meant == FL_HEAP_NONE)
            return fail_source(r, FL_E_SYNTAX, "FROM takes classes, and here stands none",
                               "; FROM OBJECTS takes objects", "");
        r->wanted[meant] = true;
    }
    return FL_OK;
}

/* Instances of the wanted classes; with OBJECTS the objects of the classes themselves. */
static fl_status visit_classes(run *r, const fl_oql_query *query)
{
    const fl_heap *heap = r->machine.heap;
    fl_status status = FL_OK;
    if (query->source.is_objects) {
        uint32_t count = (uint32_t)fl_heap_class_count(heap);
        for (uint32_t i = 0; i < count && status == FL_OK; i++)
            if (r->wanted[i] && fl_heap_class_at(heap, i)->object != FL_HEAP_NONE)
                status = visit(r, query, fl_heap_class_at(heap, i)->object);
        return status;
    }
    fl_heap_object count = (fl_heap_object)fl_heap_count(heap);
    for (fl_heap_object i = 0; i < count && status == FL_OK; i++)
        if (r->wanted[fl_heap_class_of(heap, i)])
            status = visit(r, query, i);
    return status;
}

/* Which classes or objects the source names, then each of them. */
static fl_status visit_source(run *r, const fl_oql_query *query)
{
    assert(query == r->machine.query);
    const fl_oql_source *source = &query->source;
    fl_oql_value list = {.kind = FL_OQL_NULL};
    fl_status status = FL_OK;
    char name[160];
    memset(r->wanted, 0, fl_heap_class_count(r->machine.heap) * sizeof(*r->wanted));
    if (source->kind == FL_OQL_FROM_NAME && !want_name(r, source->name)) {
        snprintf(name, sizeof(name), "%.*s", FL_SLICE_ARG(source->name));
        return fail_source(r, FL_E_NOTFOUND, "there is no class ", name, " in the dump");
    }
    if (source->kind == FL_OQL_FROM_PATTERN)
        status = want_pattern(r, source);
    else if (source->kind != FL_OQL_FROM_NAME)
        status = listed(r, source, &list);
    if (status != FL_OK)
        return status;
    if (source->kind > FL_OQL_FROM_PATTERN) {
        if (source->is_objects)
            return visit_list(r, query, &list);
        status = want_listed(r, &list);
    }
    if (source->with_subclasses)
        want_subclasses(r);
    return status == FL_OK ? visit_classes(r, query) : status;
}

/* ---- a query ---- */

/* A name that was right for no object is most likely misspelt. */
static fl_status check_seeks(run *r, const fl_oql_query *query)
{
    assert(query == r->machine.query);
    for (uint32_t i = 0; i < query->step_count; i++) {
        const fl_oql_seek *seek = &r->machine.seeks[i];
        if (!seek->was_tried || seek->was_found)
            continue;
        char name[80], list[80] = "no field of its own";
        size_t len = 0;
        const fl_heap_class *class = fl_heap_class_at(r->machine.heap, seek->class_index);
        for (uint32_t k = 0; k < class->field_count && len < sizeof(list); k++)
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s", k > 0 ? ", " : "",
                                    FL_SLICE_ARG(class->fields[k].name));
        snprintf(name, sizeof(name), "%.*s", FL_SLICE_ARG(class->name));
        fl_slice wrong = query->steps[i].name;
        wrong.len = wrong.len > 40 ? 40 : wrong.len;
        return fail_with(r, fl_fail(r->machine.err, FL_E_NOTFOUND, query->steps[i].at,
                                    "no object has a field '%.*s'; %s has %s", FL_SLICE_ARG(wrong),
                                    name, list));
    }
    return FL_OK;
}

/* One SELECT without what a UNION adds to it. */
static fl_status run_one(run *r, const fl_oql_query *query)
{
    assert(r->machine.seeks == NULL);
    r->machine.query = query;
    r->machine.seeks = fl_mem_calloc(query->step_count + 1, sizeof(*r->machine.seeks));
    if (r->machine.seeks == NULL)
        return fail_memory(r);
    fl_status status = visit_source(r, query);
    if (status == FL_OK)
        status = check_seeks(r, query);
    fl_mem_free(r->machine.seeks);
    r->machine.seeks = NULL;
    return status;
}

/* What a DISTINCT has seen is kept over all parts of a UNION. */
static fl_status begin_distinct(run *r, const fl_oql_query *query)
{
    assert(r->sink.seen == NULL && r->sink.seen_objects == NULL);
    fl_error err = {0};
    r->sink.is_distinct = query->is_distinct;
    if (!query->is_distinct)
        return FL_OK;
    r->sink.seen_objects = fl_mem_calloc(fl_heap_count(r->machine.heap) / 8 + 1, 1);
    if (r->sink.seen_objects == NULL || fl_intern_create(&r->sink.seen, SEEN_BYTES, &err) != FL_OK)
        return fail_memory(r);
    return FL_OK;
}

/* Lists that became answers were taken out before. */
static void end_sink(sink *s)
{
    fl_mem_free(s->seen_objects);
    fl_intern_destroy(s->seen);
    fl_mem_free(s->objects);
    fl_mem_free(s->values);
    *s = (sink){0};
}

/* With the parts of its UNION. */
static fl_status run_query(run *r, const fl_oql_query *query)
{
    fl_status status = begin_distinct(r, query);
    if (status == FL_OK)
        status = run_one(r, query);
    for (uint32_t i = 0; i < query->union_count && status == FL_OK; i++)
        status = run_one(r, r->machine.oql->queries[query->unions[i]]);
    return status;
}

/* What the rows of a query retain together, in place of them. */
static fl_status emit_retained(run *r, const fl_heap_object *objects, size_t count)
{
    const fl_heap *heap = r->machine.heap;
    unsigned char *kept = fl_mem_calloc(fl_heap_count(heap) / 8 + 1, 1);
    if (kept == NULL)
        return fail_memory(r);
    fl_status status = fl_oql_reach_without(kept, heap, objects, count, r->machine.err);
    if (status != FL_OK)
        fail_with(r, status);
    fl_heap_object total = (fl_heap_object)fl_heap_count(heap);
    for (fl_heap_object i = 0; i < total && status == FL_OK; i++)
        if (!fl_oql_bit(kept, i) && fl_heap_is_reached(heap, i))
            status = emit_object(r, i);
    fl_mem_free(kept);
    return status;
}

/* The rows go into a list first, whatever the sink is. */
static fl_status run_retained(run *r, const fl_oql_query *query)
{
    sink outer = r->sink;
    r->sink = (sink){0};
    fl_status status = run_query(r, query);
    sink list = r->sink;
    r->sink = outer;
    if (status == FL_OK && list.values != NULL)
        status = fail_source(r, FL_E_SYNTAX, "AS RETAINED SET takes objects", "", "");
    if (status == FL_OK)
        status = emit_retained(r, list.objects, list.count);
    end_sink(&list);
    return status;
}

static fl_status run_any(run *r, const fl_oql_query *query)
{
    return query->is_retained_set ? run_retained(r, query) : run_query(r, query);
}

static bool is_rising(const fl_heap_object *objects, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (objects[i - 1] >= objects[i])
            return false;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return fl_slice_compare(*(const fl_slice *)a, *(const fl_slice *)b);
}

/* A copy in order where a list has texts alone; FROM, [] and get() need the list's own order. */
static fl_status sort_texts(run *r, const fl_oql_value *list, fl_oql_texts *out)
{
    assert(list->kind == FL_OQL_VALUES);
    for (size_t i = 0; i < list->value_count; i++)
        if (list->values[i].kind != FL_OQL_TEXT)
            return FL_OK;
    out->sorted = fl_mem_calloc(list->value_count + 1, sizeof(*out->sorted));
    if (out->sorted == NULL)
        return fail_memory(r);
    for (size_t i = 0; i < list->value_count; i++)
        out->sorted[i] = list->values[i].text;
    qsort(out->sorted, list->value_count, sizeof(*out->sorted), by_text);
    out->values = list->values;
    out->count = list->value_count;
    return FL_OK;
}

/* A list of a subquery; the sink's arrays become it. */
static fl_status run_subquery(run *r, uint32_t index)
{
    assert(index + 1 < r->machine.oql->query_count);
    fl_status status = run_any(r, r->machine.oql->queries[index]);
    sink *s = &r->sink;
    if (status == FL_OK && s->values != NULL) {
        r->answers[index] =
            (fl_oql_value){.kind = FL_OQL_VALUES, .values = s->values, .value_count = s->count};
        s->values = NULL;
        status = sort_texts(r, &r->answers[index], &r->texts[index]);
    } else if (status == FL_OK) {
        r->answers[index] = (fl_oql_value){.kind = FL_OQL_OBJECTS,
                                           .is_sorted = is_rising(s->objects, s->count),
                                           .objects = s->objects,
                                           .count = s->count};
        s->objects = NULL;
    }
    end_sink(s);
    return status;
}

/* Rows that are objects have the three columns that MAT shows. */
static void name_columns(fl_oql_answer *answer, const fl_oql_query *query)
{
    static const char *const names[] = {"object", "shallow", "retained"};
    bool is_objects = query->column_count == 0 || query->is_objects || query->is_retained_set;
    answer->table.column_count = is_objects ? 3 : query->column_count;
    for (size_t i = 0; i < answer->table.column_count; i++)
        answer->columns[i] = is_objects ? fl_slice_of(names[i])
                                        : fl_arena_copy(&answer->arena, query->columns[i].name);
    answer->table.columns = answer->columns;
}

/* Subqueries first; parts of a UNION are answered with what they are parts of. */
static fl_status run_all(run *r, fl_oql_answer *answer, size_t limit)
{
    assert(r->machine.oql->query_count > 0);
    const fl_oql *oql = r->machine.oql;
    fl_status status = FL_OK;
    uint32_t last = oql->query_count - 1;
    for (uint32_t i = 0; i < last && status == FL_OK; i++)
        if (!oql->queries[i]->is_part)
            status = run_subquery(r, i);
    if (status != FL_OK)
        return status;
    name_columns(answer, oql->queries[last]);
    for (size_t i = 0; i < answer->table.column_count; i++)
        if (answer->columns[i].ptr == NULL)
            return fail_memory(r);
    r->sink = (sink){.answer = answer, .limit = limit};
    status = run_any(r, oql->queries[last]);
    end_sink(&r->sink);
    return status;
}

/* Whatever was made, after success and failure alike. */
static void dispose(run *r)
{
    for (uint32_t i = 0; r->answers != NULL && i < r->machine.oql->query_count; i++) {
        if (r->answers[i].kind == FL_OQL_OBJECTS)
            fl_mem_free((void *)(uintptr_t)r->answers[i].objects);
        if (r->answers[i].kind == FL_OQL_VALUES)
            fl_mem_free((void *)(uintptr_t)r->answers[i].values);
    }
    for (uint32_t i = 0; r->texts != NULL && i < r->machine.oql->query_count; i++)
        fl_mem_free(r->texts[i].sorted);
    end_sink(&r->sink);
    fl_mem_free(r->answers);
    fl_mem_free(r->texts);
    fl_mem_free(r->stack);
    fl_mem_free(r->wanted);
    fl_mem_free(r->machine.text);
    fl_arena_dispose(&r->machine.row);
    fl_arena_dispose(&r->kept);
}

/* Room for all that the queries need at once. */
static bool prepare(run *r, const fl_oql *oql)
{
    uint32_t depth = 0;
    for (uint32_t i = 0; i < oql->query_count; i++)
        if (oql->queries[i]->max_depth > depth)
            depth = oql->queries[i]->max_depth;
    r->answers = fl_mem_calloc(oql->query_count, sizeof(*r->answers));
    r->texts = fl_mem_calloc(oql->query_count, sizeof(*r->texts));
    r->stack = fl_mem_calloc((size_t)depth + 2, sizeof(*r->stack));
    r->wanted = fl_mem_calloc(fl_heap_class_count(r->machine.heap) + 1, sizeof(*r->wanted));
    r->machine.text = fl_mem_alloc(FL_OQL_MAX_VALUE_BYTES);
    if (r->answers == NULL || r->texts == NULL || r->stack == NULL || r->wanted == NULL ||
        r->machine.text == NULL)
        return false;
    r->machine.text[0] = '\0';
    r->machine.stack = r->stack + 1; /* one before the first is where an empty stack's top is */
    r->machine.answers = r->answers;
    r->machine.texts = r->texts;
    return true;
}

/* The run and all it took are given back before the answer is handed out: an answer keeps only
 * its rows. */
fl_status fl_oql_run(fl_oql_answer **out, const fl_oql *oql, const fl_heap *heap,
                     const fl_oql_options *options, fl_error *err)
{
    assert(out != NULL && oql != NULL && heap != NULL && options != NULL && oql->query_count > 0);
    *out = NULL;
    run r = {.machine = {.oql = oql, .heap = heap, .err = err}};
    r.machine.row = fl_arena_of(FL_OQL_MAX_ROW_BYTES);
    r.kept = fl_arena_of(ANSWER_BYTES);
    fl_oql_answer *answer = fl_mem_calloc(1, sizeof(*answer));
    fl_status status = FL_OK;
    if (answer == NULL || !prepare(&r, oql)) {
        status = fail_memory(&r);
    } else {
        answer->arena = fl_arena_of(ANSWER_BYTES);
        status = run_all(&r, answer, options->limit);
    }
    dispose(&r);
    if (status != FL_OK) {
        fl_oql_answer_destroy(answer);
        return status;
    }
    *out = answer;
    return FL_OK;
}

/* Rows, cells and texts lie in one arena. */
void fl_oql_answer_destroy(fl_oql_answer *answer)
{
    if (answer == NULL)
        return;
    fl_arena_dispose(&answer->arena);
    fl_mem_free(answer->rows);
    fl_mem_free(answer);
}

/* Borrowed from the answer. */
const fl_oql_table *fl_oql_table_of(const fl_oql_answer *answer)
{
    assert(answer != NULL);
    return &answer->table;
}
