/*
 * oql_eval.c - steps over a stack of values: operators and conditions.
 *
 * A step takes its values from the top of the stack and leaves one there. How deep the stack gets
 * was counted when the steps were made. The first failure ends the expression and the query.
 *
 * Kinds. Whole numbers are Java's long, others its double; a character is a number where one is
 * asked for. Equality of different kinds: numbers by value; a text and a character, a text and an
 * object by the object's text (MAT: never equal, so that toString() must stand there); a number and
 * an object by the object's address. Null equals null alone.
 *
 * Texts and lists that steps make live in the row's arena; those of the heap, of the query and of
 * subqueries are borrowed.
 */
#include "oql_eval.h"

#include <assert.h>
#include <math.h>

#include "slice.h"

/* Memory and the row's budget look alike to who asks an arena: the sentence names both. */
void fl_oql_fail_out_of_memory(fl_oql_machine *machine)
{
    if (machine->status == FL_OK)
        machine->status =
            fl_fail(machine->err, FL_E_NOMEM, FL_NO_OFFSET,
                    "out of memory answering a query, or a row takes more than %u MiB",
                    FL_OQL_MAX_ROW_BYTES >> 20);
}

/* With its article, so that a sentence about a value reads as one. */
const char *fl_oql_kind_name(fl_oql_kind kind)
{
    static const char *const names[] = {
        [FL_OQL_NULL] = "null",        [FL_OQL_BOOL] = "a truth value", [FL_OQL_INT] = "a number",
        [FL_OQL_FLOAT] = "a number",   [FL_OQL_CHAR] = "a character",   [FL_OQL_TEXT] = "a text",
        [FL_OQL_OBJECT] = "an object", [FL_OQL_OBJECTS] = "a list",     [FL_OQL_VALUES] = "a list"};
    assert((size_t)kind < sizeof(names) / sizeof(names[0]));
    return names[kind];
}

/* What was tried with which kinds of values; the place is that of the step. */
static void fail_kinds(fl_oql_machine *machine, const char *what, const fl_oql_value *a,
                       const fl_oql_value *b)
{
    assert(what != NULL && a != NULL);
    if (machine->status != FL_OK)
        return;
    const char *first = fl_oql_kind_name(a->kind);
    machine->status =
        b == NULL ? fl_fail(machine->err, FL_E_SYNTAX, machine->at, "cannot %s %s", what, first)
                  : fl_fail(machine->err, FL_E_SYNTAX, machine->at, "cannot %s %s and %s", what,
                            first, fl_oql_kind_name(b->kind));
}

/* A character counts as its UTF-16 unit, as in Java. */
static bool is_number(const fl_oql_value *value)
{
    return value->kind == FL_OQL_INT || value->kind == FL_OQL_FLOAT || value->kind == FL_OQL_CHAR;
}

static double real_of(const fl_oql_value *value)
{
    assert(is_number(value));
    return value->kind == FL_OQL_FLOAT ? value->real : (double)value->number;
}

/* What conditions leave on the stack. */
static void set_bool(fl_oql_value *out, bool value)
{
    *out = (fl_oql_value){.kind = FL_OQL_BOOL, .number = value};
}

/* ---- comparing ---- */

/* -1, 0, 1; 2 where they have no order (NaN). */
static int order_of(fl_oql_machine *machine, const fl_oql_value *a, const fl_oql_value *b)
{
    if (a->kind == FL_OQL_TEXT && b->kind == FL_OQL_TEXT) {
        int order = fl_slice_compare(a->text, b->text);
        return (order > 0) - (order < 0);
    }
    if (!is_number(a) || !is_number(b)) {
        fail_kinds(machine, "compare", a, b);
        return 2;
    }
    if (a->kind != FL_OQL_FLOAT && b->kind != FL_OQL_FLOAT)
        return (a->number > b->number) - (a->number < b->number);
    double x = real_of(a), y = real_of(b);
    return isnan(x) || isnan(y) ? 2 : (x > y) - (x < y);
}

/* Null is neither less nor greater: what is missing meets no condition. */
static void compare(fl_oql_machine *machine, fl_oql_op op, fl_oql_value *top)
{
    assert(op >= FL_OQL_LESS && op <= FL_OQL_AT_LEAST);
    const fl_oql_value *a = &top[-1], *b = top;
    if (a->kind == FL_OQL_NULL || b->kind == FL_OQL_NULL) {
        set_bool(&top[-1], false);
        return;
    }
    int order = order_of(machine, a, b);
    bool holds = (op == FL_OQL_LESS && order == -1) || (op == FL_OQL_GREATER && order == 1) ||
                 (op == FL_OQL_AT_MOST && order <= 0) ||
                 (op == FL_OQL_AT_LEAST && (order == 0 || order == 1));
    set_bool(&top[-1], holds);
}

/* No kinds fail to compare: values of kinds that have nothing in common are not equal. */
bool fl_oql_equal(fl_oql_machine *machine, const fl_oql_value *a, const fl_oql_value *b)
{
    assert(a != NULL && b != NULL);
    if (a->kind > b->kind) { /* each pair one way round: NULL, BOOL, numbers, TEXT, OBJECT */
        const fl_oql_value *first = b;
        b = a;
        a = first;
    }
    if (is_number(a) && is_number(b))
        return a->kind == FL_OQL_FLOAT || b->kind == FL_OQL_FLOAT ? real_of(a) == real_of(b)
                                                                  : a->number == b->number;
    switch (b->kind) {
    case FL_OQL_NULL:
        return true;
    case FL_OQL_BOOL:
        return a->kind == FL_OQL_BOOL && a->number == b->number;
    case FL_OQL_TEXT:
        return (a->kind == FL_OQL_TEXT || a->kind == FL_OQL_CHAR) &&
               fl_slice_equal(fl_oql_text_in_place(machine, a), b->text);
    case FL_OQL_OBJECT:
        if (a->kind == FL_OQL_OBJECT)
            return a->object == b->object;
        if (a->kind == FL_OQL_INT)
            return fl_heap_id(machine->heap, b->object) == (uint64_t)a->number;
        return a->kind == FL_OQL_TEXT && fl_slice_equal(a->text, fl_oql_text_in_place(machine, b));
    default:
        return false;
    }
}

/* ---- membership ---- */

static bool has_object(const fl_oql_value *list, fl_heap_object object)
{
    assert(list->kind == FL_OQL_OBJECTS);
    if (!list->is_sorted) {
        for (size_t i = 0; i < list->count; i++)
            if (list->objects[i] == object)
                return true;
        return false;
    }
    size_t from = 0, to = list->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (list->objects[middle] < object)
            from = middle + 1;
        else
            to = middle;
    }
    return from < list->count && list->objects[from] == object;
}

/* The sorted texts of a list; NULL where it has none. */
static const fl_oql_texts *texts_of(const fl_oql_machine *machine, const fl_oql_value *list)
{
    for (uint32_t i = 0; i < machine->oql->query_count; i++)
        if (machine->texts[i].values != NULL && machine->texts[i].values == list->values)
            return &machine->texts[i];
    return NULL;
}

/* Other kinds than these are equal to no text. */
static bool has_text(fl_oql_machine *machine, const fl_oql_texts *texts, const fl_oql_value *value)
{
    if (value->kind != FL_OQL_TEXT && value->kind != FL_OQL_CHAR && value->kind != FL_OQL_OBJECT)
        return false;
    fl_slice text = fl_oql_text_in_place(machine, value);
    size_t from = 0, to = texts->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (fl_slice_compare(texts->sorted[middle], text) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from < texts->count && fl_slice_equal(texts->sorted[from], text);
}

/* A number among objects is an object's id, as in MAT. */
bool fl_oql_contains(fl_oql_machine *machine, const fl_oql_value *list, const fl_oql_value *value)
{
    assert(list->kind == FL_OQL_OBJECTS || list->kind == FL_OQL_VALUES);
    if (list->kind == FL_OQL_OBJECTS) {
        bool is_id = value->kind == FL_OQL_INT && value->number >= 0 &&
                     value->number < (int64_t)fl_heap_count(machine->heap);
        if (value->kind == FL_OQL_OBJECT || is_id)
            return has_object(list, is_id ? (fl_heap_object)value->number : value->object);
        return false;
    }
    const fl_oql_texts *texts = texts_of(machine, list);
    if (texts != NULL)
        return has_text(machine, texts, value);
    for (size_t i = 0; i < list->value_count; i++)
        if (fl_oql_equal(machine, &list->values[i], value))
            return true;
    return false;
}

/* Null is in no list, nor NOT IN one: MAT's rule, which SQL shares. */
static void step_in(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    assert(step->op == FL_OQL_IN);
    fl_oql_value *value = &top[-1], list = *top;
    fl_heap_item item;
    if (list.kind == FL_OQL_OBJECT && fl_heap_item_of(machine->heap, list.object, &item) &&
        item.kind == FL_HEAP_ITEM_OBJECTS)
        (void)fl_oql_outbounds(machine, list.object, &list);
    if (list.kind == FL_OQL_NULL || value->kind == FL_OQL_NULL)
        set_bool(value, false);
    else if (list.kind != FL_OQL_OBJECTS && list.kind != FL_OQL_VALUES)
        fail_kinds(machine, "look into", &list, NULL);
    else
        set_bool(value, fl_oql_contains(machine, &list, value) != step->is_negated);
}

/* Lists among the values are opened, so that IN (a, b) and IN (SELECT ...) read alike. */
static void step_list(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *first)
{
    assert(step->args > 0);
    if (step->args == 1 && (first->kind == FL_OQL_OBJECTS || first->kind == FL_OQL_VALUES))
        return;
    fl_oql_value *values = fl_arena_alloc(&machine->row, step->args, sizeof(*values));
    if (values == NULL) {
        fl_oql_fail_out_of_memory(machine);
        return;
    }
    memcpy(values, first, step->args * sizeof(*values));
    *first = (fl_oql_value){.kind = FL_OQL_VALUES, .values = values, .value_count = step->args};
}

/* A match that needs too many steps ends the query: it would for each row. */
static void step_like(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    assert(step->op == FL_OQL_LIKE && step->regex != NULL);
    bool matched = false, is_null = top->kind == FL_OQL_NULL;
    if (!is_null) {
        fl_slice text = fl_oql_text_of(machine, top);
        fl_error err = {0};
        if (text.ptr == NULL)
            return;
        fl_status status = fl_regex_match(&matched, step->regex, text, &err);
        if (status != FL_OK && machine->status == FL_OK)
            machine->status = fl_fail(machine->err, status, step->at, "%s", err.message);
    }
    set_bool(top, !is_null && matched != step->is_negated);
}

/* ---- arithmetic ---- */

static void real_arithmetic(fl_oql_op op, fl_oql_value *a, double y)
{
    double x = real_of(a);
    double result = op == FL_OQL_ADD        ? x + y
                    : op == FL_OQL_SUBTRACT ? x - y
                    : op == FL_OQL_MULTIPLY ? x * y
                    : op == FL_OQL_DIVIDE   ? x / y
                                            : fmod(x, y);
    *a = (fl_oql_value){.kind = FL_OQL_FLOAT, .real = result};
}

/* As Java's long: what does not fit wraps around. */
static void whole_arithmetic(fl_oql_machine *machine, fl_oql_op op, fl_oql_value *a, int64_t y)
{
    assert(a->kind == FL_OQL_INT || a->kind == FL_OQL_CHAR);
    uint64_t x = (uint64_t)a->number, result = 0;
    bool divides = op == FL_OQL_DIVIDE || op == FL_OQL_REMAINDER;
    if (divides && y == 0) {
        if (machine->status == FL_OK)
            machine->status = fl_fail(machine->err, FL_E_SYNTAX, machine->at, "division by zero");
        return;
    }
    if (op == FL_OQL_ADD)
        result = x + (uint64_t)y;
    else if (op == FL_OQL_SUBTRACT || (divides && y == -1))
        result = op == FL_OQL_SUBTRACT ? x - (uint64_t)y : op == FL_OQL_DIVIDE ? 0 - x : 0;
    else if (op == FL_OQL_MULTIPLY)
        result = x * (uint64_t)y;
    else
        result = (uint64_t)(op == FL_OQL_DIVIDE ? a->number / y : a->number % y);
    *a = (fl_oql_value){.kind = FL_OQL_INT, .number = (int64_t)result};
}

/* As Java's + does where one side is a text; null is "null". */
static void join_texts(fl_oql_machine *machine, fl_oql_value *top)
{
    assert(top[-1].kind == FL_OQL_TEXT || top->kind == FL_OQL_TEXT);
    fl_slice a = fl_oql_text_of(machine, &top[-1]), b = fl_oql_text_of(machine, top);
    if (a.ptr == NULL || b.ptr == NULL)
        return;
    unsigned char *both = fl_arena_bytes(&machine->row, a.len + b.len + 1);
    if (both == NULL) {
        fl_oql_fail_out_of_memory(machine);
        return;
    }
    memcpy(both, a.ptr, a.len);
    memcpy(both + a.len, b.ptr, b.len);
    top[-1] = (fl_oql_value){.kind = FL_OQL_TEXT, .text = {.ptr = both, .len = a.len + b.len}};
}

/* Of two values the one below becomes the result; null makes it null. */
static void arithmetic(fl_oql_machine *machine, fl_oql_op op, fl_oql_value *top)
{
    assert(op >= FL_OQL_ADD && op <= FL_OQL_REMAINDER);
    fl_oql_value *a = &top[-1];
    if (op == FL_OQL_ADD && (a->kind == FL_OQL_TEXT || top->kind == FL_OQL_TEXT))
        join_texts(machine, top);
    else if (a->kind == FL_OQL_NULL || top->kind == FL_OQL_NULL)
        *a = (fl_oql_value){.kind = FL_OQL_NULL};
    else if (!is_number(a) || !is_number(top))
        fail_kinds(machine, "calculate with", a, top);
    else if (a->kind == FL_OQL_FLOAT || top->kind == FL_OQL_FLOAT)
        real_arithmetic(op, a, real_of(top));
    else
        whole_arithmetic(machine, op, a, top->number);
}

/* Null stays null. */
static void negate(fl_oql_machine *machine, fl_oql_value *top)
{
    if (top->kind == FL_OQL_FLOAT)
        top->real = -top->real;
    else if (is_number(top))
        *top = (fl_oql_value){.kind = FL_OQL_INT, .number = (int64_t)(0 - (uint64_t)top->number)};
    else if (top->kind != FL_OQL_NULL)
        fail_kinds(machine, "negate", top, NULL);
}

/* ---- conditions ---- */

static bool truth_of(fl_oql_machine *machine, const fl_oql_value *value)
{
    if (value->kind != FL_OQL_BOOL && value->kind != FL_OQL_NULL)
        fail_kinds(machine, "take for a condition", value, NULL);
    return value->kind == FL_OQL_BOOL && value->number != 0;
}

/* How far the top moves, and what it becomes. */
static fl_oql_value *step_binary(fl_oql_machine *machine, const fl_oql_step *step,
                                 fl_oql_value *top)
{
    switch (step->op) {
    case FL_OQL_IN:
        step_in(machine, step, top);
        break;
    case FL_OQL_EQUAL:
        set_bool(&top[-1], fl_oql_equal(machine, &top[-1], top) != step->is_negated);
        break;
    case FL_OQL_INDEX:
        fl_oql_element(machine, &top[-1], top);
        break;
    case FL_OQL_LESS:
    case FL_OQL_GREATER:
    case FL_OQL_AT_MOST:
    case FL_OQL_AT_LEAST:
        compare(machine, step->op, top);
        break;
    default:
        arithmetic(machine, step->op, top);
        break;
    }
    return top - 1;
}

/* The value on top becomes another. */
static void step_unary(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    switch (step->op) {
    case FL_OQL_FIELD:
        fl_oql_step_field(machine, step, top);
        break;
    case FL_OQL_ATTRIBUTE:
        fl_oql_step_attribute(machine, step, top);
        break;
    case FL_OQL_NEGATE:
        negate(machine, top);
        break;
    case FL_OQL_NOT:
        set_bool(top, !truth_of(machine, top));
        break;
    case FL_OQL_TO_BOOL:
        set_bool(top, truth_of(machine, top));
        break;
    case FL_OQL_IS_NULL:
        set_bool(top, (top->kind == FL_OQL_NULL) != step->is_negated);
        break;
    default:
        assert(step->op == FL_OQL_LIKE);
        step_like(machine, step, top);
        break;
    }
}

/* False where the step takes values. */
static bool step_push(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *next)
{
    assert(next > machine->stack - 1);
    switch (step->op) {
    case FL_OQL_PUSH:
        *next = step->value;
        return true;
    case FL_OQL_SELF:
        *next = fl_oql_object_value(machine->self);
        return true;
    case FL_OQL_HEAD:
        *next = fl_oql_object_value(machine->self);
        fl_oql_step_field(machine, step, next);
        return true;
    case FL_OQL_RESULT:
        *next = machine->answers[step->which];
        return true;
    default:
        return false;
    }
}

/* The arguments stand above one another; the result takes the place of the lowest. */
static fl_oql_value *step_call(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top)
{
    assert(top >= machine->stack);
    fl_oql_value *first = top - step->args + (step->op == FL_OQL_METHOD ? 0 : 1);
    if (step->op == FL_OQL_LIST)
        step_list(machine, step, first);
    else if (step->op == FL_OQL_CALL)
        fl_oql_step_call(machine, step, first);
    else
        fl_oql_step_method(machine, step, first);
    return first;
}

/* Runs from the first step to the last but where a condition jumps, always forwards: an
 * expression ends after at most as many steps as it has. */
fl_status fl_oql_evaluate(fl_oql_value *out, fl_oql_machine *machine, fl_oql_range steps)
{
    assert(steps.from < steps.to && steps.to <= machine->query->step_count);
    fl_oql_value *top = machine->stack - 1;
    for (uint32_t i = steps.from; i < steps.to && machine->status == FL_OK; i++) {
        const fl_oql_step *step = &machine->query->steps[i];
        machine->at = step->at;
        if (step_push(machine, step, top + 1)) {
            top++;
        } else if (step->op == FL_OQL_JUMP_FALSE || step->op == FL_OQL_JUMP_TRUE) {
            bool holds = truth_of(machine, top);
            set_bool(top, holds);
            if (holds == (step->op == FL_OQL_JUMP_TRUE))
                i = step->which - 1;
            else
                top--;
        } else if (step->op == FL_OQL_CALL || step->op == FL_OQL_METHOD ||
                   step->op == FL_OQL_LIST) {
            top = step_call(machine, step, top);
        } else if (step->op == FL_OQL_INDEX || step->op >= FL_OQL_IN) {
            top = step_binary(machine, step, top);
        } else {
            step_unary(machine, step, top);
        }
    }
    if (machine->status == FL_OK) {
        assert(top == machine->stack);
        *out = *top;
    }
    return machine->status;
}

/* A condition's value is that of its last step; what it borrowed is forgotten with the row. */
fl_status fl_oql_holds(bool *out, fl_oql_machine *machine, fl_oql_range steps)
{
    assert(out != NULL);
    fl_oql_value value;
    *out = false;
    if (fl_oql_evaluate(&value, machine, steps) == FL_OK)
        *out = truth_of(machine, &value);
    return machine->status;
}
