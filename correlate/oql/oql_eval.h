/*
 * oql_eval.h - the machine that answers expressions about one object after the other.
 */
#ifndef FL_OQL_EVAL_H
#define FL_OQL_EVAL_H

#include "buf.h"
#include "oql_priv.h"

/* What one row may take: texts and lists. */
#define FL_OQL_MAX_ROW_BYTES (64u << 20)

/* Whether a field's name was ever right, and whose it was not. */
typedef struct fl_oql_seek {
    bool was_tried, was_found;
    uint32_t class_index;
} fl_oql_seek;

/* The texts of a subquery's list, sorted: IN looks for one by halves. */
typedef struct fl_oql_texts {
    const fl_oql_value *values; /* whose they are; NULL: of none */
    fl_slice *sorted;
    size_t count;
} fl_oql_texts;

typedef struct fl_oql_machine {
    const fl_oql *oql;
    const fl_heap *heap;
    const fl_oql_value *answers; /* of the subqueries */
    const fl_oql_texts *texts;   /* the same */
    fl_oql_value *stack;
    fl_arena row; /* what the values of a row point to */
    char *text;   /* FL_OQL_MAX_VALUE_BYTES, for one text at a time */
    fl_error *err;
    fl_status status; /* the first failure */
    /* of the query that is asked */
    const fl_oql_query *query;
    fl_oql_seek *seeks; /* one a step */
    fl_heap_object self;
    uint32_t at; /* of the step, for what is wrong with it */
} fl_oql_machine;

/* The value of some steps for `machine->self`; it lives until the row is forgotten. */
FL_NODISCARD fl_status fl_oql_evaluate(fl_oql_value *out, fl_oql_machine *machine,
                                       fl_oql_range steps);
/* Of a condition: null is false. */
FL_NODISCARD fl_status fl_oql_holds(bool *out, fl_oql_machine *machine, fl_oql_range steps);

/* Ends the evaluation; what fl_oql_evaluate() and fl_oql_holds() return from then on. */
void fl_oql_fail_out_of_memory(fl_oql_machine *machine);
/* "a number", "an object": what a value is, for a sentence. */
const char *fl_oql_kind_name(fl_oql_kind kind);

/* --- about objects (oql_object.c) --- */
fl_oql_value fl_oql_object_value(fl_heap_object object); /* NULL of FL_HEAP_NONE */
void fl_oql_step_field(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top);
void fl_oql_step_attribute(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top);
void fl_oql_step_call(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top);
/* The element of an array or a list; null beyond its end. */
void fl_oql_element(fl_oql_machine *machine, fl_oql_value *top, const fl_oql_value *index);
/* False where it has no length. */
bool fl_oql_length(const fl_oql_machine *machine, const fl_oql_value *value, uint64_t *length);
/* What an object refers to, each once, rising. */
bool fl_oql_outbounds(fl_oql_machine *machine, fl_heap_object object, fl_oql_value *out);

/* --- texts (oql_text.c) --- */
/* The text that an object stands for: of a String, a boxed value, a thread, a class; false where it
 * stands for none. In machine->text. */
bool fl_oql_object_text(fl_oql_machine *machine, fl_heap_object object, fl_slice *out);
/* As toString() gives it, in the row's memory; ptr NULL when that ran out. */
fl_slice fl_oql_text_of(fl_oql_machine *machine, const fl_oql_value *value);
/* The same where it is looked at before the next text is made: an object's stays in machine->text,
 * so that a condition over many costs no memory. */
fl_slice fl_oql_text_in_place(fl_oql_machine *machine, const fl_oql_value *value);
/* "java.util.HashMap @ 0x7f0012", in the row's memory. */
fl_slice fl_oql_technical_name(fl_oql_machine *machine, fl_heap_object object);
fl_slice fl_oql_display_name(fl_oql_machine *machine, fl_heap_object object);
void fl_oql_step_method(fl_oql_machine *machine, const fl_oql_step *step, fl_oql_value *top);
bool fl_oql_equal(fl_oql_machine *machine, const fl_oql_value *a, const fl_oql_value *b);
bool fl_oql_contains(fl_oql_machine *machine, const fl_oql_value *list, const fl_oql_value *value);

#endif
