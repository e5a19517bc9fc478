/*
 * oql.h - a query language over the objects of a heap, after that of Eclipse MAT.
 *
 *   select  := SELECT [DISTINCT] [AS RETAINED SET] ( "*" | OBJECTS item | item { "," item } )
 *              FROM [OBJECTS] [INSTANCEOF] source [alias] [WHERE expr] { UNION "(" select ")" }
 *   item    := expr [AS ( name | "text" )]
 *   source  := class name | "regex over class names" | 0xADDRESS { "," 0xADDRESS }
 *            | id { "," id } | "(" select ")" | "(" expr ")", the last with OBJECTS only
 *   expr    := or; lowest first: OR, AND, NOT, = != <> IS [NOT] NULL, < <= > >= [NOT] LIKE "regex"
 *              [NOT] IN expr, + -, * / %, unary -, then the postfix .field .@attribute .method(...)
 *              [index]
 *   primary := alias | field | @attribute | function(...) | literal | "(" expr ")" | "(" select ")"
 *
 * Words are recognised in any case; names of fields are not. Without OBJECTS a source names classes
 * and stands for their instances, with it for the objects themselves. A path through null is null;
 * null is in no list, is not LIKE anything, and neither less nor greater than anything. LIKE and
 * a regex in FROM match the whole text. docs/oql.md has all of it, with what differs from MAT.
 *
 * No recursion: a query becomes a list of instructions over a stack of values, subqueries are
 * answered before what they stand in. They do not see the alias outside of them.
 */
#ifndef FL_OQL_H
#define FL_OQL_H

#include "heap.h"

/* A longer query is refused; what people write has some hundred bytes. */
#define FL_OQL_MAX_TEXT_BYTES (64u << 10)
/* Open brackets, calls, operators and subqueries that wait for their right side. */
#define FL_OQL_MAX_DEPTH 128u
/* Columns of one SELECT. */
#define FL_OQL_MAX_COLUMNS 64u
/* Of a text that toString() gives, and of a value in an answer. */
#define FL_OQL_MAX_VALUE_BYTES (64u << 10)
#define FL_OQL_MAX_LIST_ITEMS  64u

typedef struct fl_oql fl_oql;

/* Read a query. `text` is not needed afterwards. FL_E_SYNTAX with the offset of the word that is
 * wrong, FL_E_LIMIT, FL_E_NOMEM. The caller owns *out. */
FL_NODISCARD fl_status fl_oql_parse(fl_oql **out, fl_slice text, fl_error *err);
void fl_oql_destroy(fl_oql *oql); /* NULL is a no-op */

/* What a query asks of the heap: the tree of dominators, the index of who refers to whom. */
bool fl_oql_needs_tree(const fl_oql *oql);
bool fl_oql_needs_inbound(const fl_oql *oql);

typedef enum fl_oql_kind {
    FL_OQL_NULL,
    FL_OQL_BOOL,
    FL_OQL_INT,
    FL_OQL_FLOAT,
    FL_OQL_CHAR, /* a UTF-16 unit, in `number` */
    FL_OQL_TEXT, /* UTF-8 */
    FL_OQL_OBJECT,
    FL_OQL_OBJECTS, /* a list of objects */
    FL_OQL_VALUES   /* a list of values */
} fl_oql_kind;

typedef struct fl_oql_value {
    fl_oql_kind kind;
    bool is_sorted; /* OBJECTS: rising */
    union {
        int64_t number; /* BOOL, INT, CHAR */
        double real;
        fl_slice text;
        fl_heap_object object;
        struct {
            const fl_heap_object *objects;
            size_t count; /* at the same place as of `values` */
        };
        struct {
            const struct fl_oql_value *values;
            size_t value_count;
        };
    };
} fl_oql_value;

typedef struct fl_oql_row {
    const fl_oql_value *cells; /* one a column */
    fl_heap_object object;     /* that the row is about */
} fl_oql_row;

/* The answer: the first rows, and how many there are. Of a list in a cell only the first
 * FL_OQL_MAX_LIST_ITEMS are there; its count is how many it had. The columns of SELECT * and of
 * OBJECTS are the object, its shallow and its retained size. */
typedef struct fl_oql_table {
    const fl_slice *columns;
    size_t column_count;
    const fl_oql_row *rows;
    size_t row_count;
    uint64_t total; /* rows that there would be without a limit */
} fl_oql_table;

typedef struct fl_oql_options {
    size_t limit; /* rows kept */
} fl_oql_options;

typedef struct fl_oql_answer fl_oql_answer;

/* Answer a query. The heap has what the query needs (see above) and outlives the answer.
 * FL_E_NOTFOUND: no class, object or field of this name; FL_E_SYNTAX: values that do not fit, with
 * the offset in the query; FL_E_LIMIT: a regular expression or a list that takes too much;
 * FL_E_NOMEM. The caller owns *out. */
FL_NODISCARD fl_status fl_oql_run(fl_oql_answer **out, const fl_oql *oql, const fl_heap *heap,
                                  const fl_oql_options *options, fl_error *err);
void fl_oql_answer_destroy(fl_oql_answer *answer); /* NULL is a no-op */
const fl_oql_table *fl_oql_table_of(const fl_oql_answer *answer);

#endif
