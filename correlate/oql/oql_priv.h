/*
 * oql_priv.h - a query as it is run: per SELECT a list of steps over a stack of values.
 *
 * Queries stand in the order in which they are complete, so one stands behind its subqueries; the
 * last is the whole. A conditional jump leaves its value where it jumps and takes it otherwise.
 */
#ifndef FL_OQL_PRIV_H
#define FL_OQL_PRIV_H

#include "arena.h"
#include "oql.h"
#include "regex.h"

typedef enum fl_oql_op {
    FL_OQL_PUSH,   /* `value` */
    FL_OQL_SELF,   /* the object of the row */
    FL_OQL_HEAD,   /* a name at the start of a path: the alias, else a field of the row's object */
    FL_OQL_RESULT, /* of the subquery `which` */
    FL_OQL_FIELD,  /* `name` of the top */
    FL_OQL_ATTRIBUTE, /* `which` of the top */
    FL_OQL_CALL,      /* function `which` of `args` values */
    FL_OQL_METHOD,    /* method `which` of a value and `args` more */
    FL_OQL_LIST,      /* of `args` values */
    FL_OQL_INDEX,
    FL_OQL_NEGATE,
    FL_OQL_NOT,
    FL_OQL_TO_BOOL,
    FL_OQL_IS_NULL, /* from here on `is_negated` may be set */
    FL_OQL_LIKE,    /* `regex` */
    FL_OQL_IN,
    FL_OQL_EQUAL,
    FL_OQL_LESS,
    FL_OQL_GREATER, /* negated LESS and GREATER are not >= and <=: null */
    FL_OQL_AT_MOST,
    FL_OQL_AT_LEAST,
    FL_OQL_ADD,
    FL_OQL_SUBTRACT,
    FL_OQL_MULTIPLY,
    FL_OQL_DIVIDE,
    FL_OQL_REMAINDER,
    FL_OQL_JUMP_FALSE, /* AND: to `which` */
    FL_OQL_JUMP_TRUE   /* OR */
} fl_oql_op;

typedef struct fl_oql_step {
    fl_oql_op op;
    bool is_negated;
    uint32_t which;
    uint32_t args;
    uint32_t at; /* offset in the query's text */
    union {
        fl_oql_value value;
        fl_slice name;
        const fl_regex *regex;
    };
} fl_oql_step;

/* Steps [from, to) of a query. */
typedef struct fl_oql_range {
    uint32_t from, to;
} fl_oql_range;

typedef struct fl_oql_column {
    fl_slice name;
    fl_oql_range steps;
} fl_oql_column;

typedef enum fl_oql_from {
    FL_OQL_FROM_NAME,    /* `name` of a class */
    FL_OQL_FROM_PATTERN, /* `regex` over names of classes */
    FL_OQL_FROM_ADDRESSES,
    FL_OQL_FROM_IDS,
    FL_OQL_FROM_QUERY, /* the answer of the subquery `query` */
    FL_OQL_FROM_STEPS  /* what `steps` give */
} fl_oql_from;

typedef struct fl_oql_source {
    fl_oql_from kind;
    bool is_objects; /* else classes, whose instances are meant */
    bool with_subclasses;
    uint32_t at;
    fl_slice name;
    const fl_regex *regex;
    uint64_t *numbers;
    uint32_t number_count, number_cap;
    uint32_t query;
    fl_oql_range steps;
} fl_oql_source;

typedef struct fl_oql_query {
    fl_oql_step *steps;
    uint32_t step_count, step_cap;
    uint32_t depth, max_depth; /* of the stack of values; 0 between expressions */
    fl_oql_column columns[FL_OQL_MAX_COLUMNS];
    uint32_t column_count; /* 0: SELECT * */
    bool is_distinct, is_objects, is_retained_set;
    bool has_where;
    bool is_part; /* of a UNION: answered with the query that names it */
    fl_oql_source source;
    fl_slice alias;
    fl_oql_range where;
    uint32_t *unions; /* queries whose rows follow */
    uint32_t union_count, union_cap;
    uint32_t at;
} fl_oql_query;

/* A regular expression of the query, in the order of the text. */
typedef struct fl_oql_pattern {
    struct fl_oql_pattern *next;
    fl_regex *regex;
} fl_oql_pattern;

struct fl_oql {
    fl_arena arena; /* all below */
    fl_slice text;
    fl_oql_query **queries;
    uint32_t query_count, query_cap;
    fl_oql_pattern *patterns;
    bool needs_tree, needs_inbound;
};

/* --- names (oql_names.c) --- */
typedef enum fl_oql_function {
    FL_OQL_CLASSOF,
    FL_OQL_DOMINATOROF,
    FL_OQL_DOMINATORS,
    FL_OQL_INBOUNDS,
    FL_OQL_OUTBOUNDS,
    FL_OQL_TO_HEX,
    FL_OQL_TO_STRING,
    FL_OQL_FUNCTION_COUNT
} fl_oql_function;

typedef enum fl_oql_attribute {
    FL_OQL_A_CLASS,
    FL_OQL_A_CLASS_LOADER_ID,
    FL_OQL_A_CLASS_SPECIFIC_NAME,
    FL_OQL_A_CLAZZ,
    FL_OQL_A_DISPLAY_NAME,
    FL_OQL_A_GC_ROOT_INFO,
    FL_OQL_A_LENGTH,
    FL_OQL_A_NAME,
    FL_OQL_A_NUMBER_OF_OBJECTS,
    FL_OQL_A_OBJECT_ADDRESS,
    FL_OQL_A_OBJECT_ID,
    FL_OQL_A_REFERENCE_ARRAY,
    FL_OQL_A_RETAINED_HEAP_SIZE,
    FL_OQL_A_SUPER_CLASS,
    FL_OQL_A_TECHNICAL_NAME,
    FL_OQL_A_USED_HEAP_SIZE,
    FL_OQL_A_VALUE_ARRAY,
    FL_OQL_ATTRIBUTE_COUNT
} fl_oql_attribute;

typedef enum fl_oql_method {
    FL_OQL_M_CONTAINS,
    FL_OQL_M_ENDS_WITH,
    FL_OQL_M_EQUALS,
    FL_OQL_M_GET,
    FL_OQL_M_INDEX_OF,
    FL_OQL_M_IS_EMPTY,
    FL_OQL_M_LENGTH,
    FL_OQL_M_SIZE,
    FL_OQL_M_STARTS_WITH,
    FL_OQL_M_TO_LOWER_CASE,
    FL_OQL_M_TO_STRING,
    FL_OQL_M_TO_UPPER_CASE,
    FL_OQL_M_TRIM,
    FL_OQL_METHOD_COUNT
} fl_oql_method;

/* Rows of static tables; `args` is how many a call takes. */
typedef struct fl_oql_name {
    const char *text;
    uint32_t args;
} fl_oql_name;

extern const fl_oql_name fl_oql_functions[FL_OQL_FUNCTION_COUNT];
extern const fl_oql_name fl_oql_attributes[FL_OQL_ATTRIBUTE_COUNT];
extern const fl_oql_name fl_oql_methods[FL_OQL_METHOD_COUNT];

/* Whether two words are the same but for the case of ASCII letters. */
bool fl_oql_is_word(fl_slice text, const char *word);
/* The row of `text` (any case), or `count`. */
uint32_t fl_oql_name_find(const fl_oql_name *names, uint32_t count, fl_slice text);
/* "a, b and c" of the table's names, as many as `cap` holds; "a, b ..." where it holds not all. */
void fl_oql_name_list(char *out, size_t cap, const fl_oql_name *names, uint32_t count);

#endif
