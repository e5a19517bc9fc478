/*
 * demangle_priv.h - the machine that reads a mangled name, between the files that are its rules.
 */
#ifndef FL_DEMANGLE_PRIV_H
#define FL_DEMANGLE_PRIV_H

#include "demangle.h"

/* ---- words: demangle_words.c ---- */

/* "int" of 'i'; NULL: no builtin type. */
const char *fl_demangle_builtin(unsigned char letter);
/* "char32_t" of "Di"; NULL: none of two letters. */
const char *fl_demangle_long_builtin(fl_slice two);
/* "operator+" of "pl"; NULL: no operator. *operands: 1 or 2 where it may stand in an expression,
 * else 0. */
const char *fl_demangle_operator(fl_slice two, unsigned *operands);
/* "std::allocator" of 'a' in "Sa", and the name of its class without scopes. */
const char *fl_demangle_abbreviation(unsigned char letter, const char **base);
/* "vtable for " of "TV": a word in front of a type; NULL: none. */
const char *fl_demangle_special(fl_slice two);

/* ---- the machine ---- */

/* No name of LLVM, clang, libstdc++ or libjvm (160,000) comes near: what passes them was made to.
 * The steps bound the time, the text the room. */
enum {
    FL_DM_MAX_TASKS = 1024,
    FL_DM_MAX_NODES = 512,
    FL_DM_MAX_SUBSTITUTIONS = 512,
    FL_DM_MAX_PARAMETERS = 256,
    FL_DM_MAX_SCOPES = 16,
    FL_DM_MAX_PACKS = 4,
    FL_DM_MAX_STEPS = 32 << 10,
    FL_DM_MAX_TEXT = 16 << 10
};

/* What a pointer, a reference or a qualifier behind it has to know of a type. */
typedef enum fl_dm_kind {
    FL_DM_IS_PLAIN,
    FL_DM_IS_FUNCTION,
    FL_DM_IS_ARRAY,
    FL_DM_IS_LVALUE,
    FL_DM_IS_RVALUE
} fl_dm_kind;

/* A value: a type, a name, an argument or a list of them. */
typedef struct fl_dm_node {
    fl_slice left, right; /* what is declared stands between them */
    fl_slice base;        /* the last name alone: what a constructor is called */
    fl_dm_kind kind;
    bool is_template; /* ends with arguments: a function then has its return type */
    bool is_special;  /* but not a constructor or a conversion */
    bool is_counted;  /* its last component became a substitution */
    unsigned pack;    /* a substitution made inside of this expansion; 0: none */
} fl_dm_node;

/* One rule of the grammar, or what is to be done with its parts when these were read. A rule takes
 * its parts off the values, the last first, and leaves one. */
typedef enum fl_dm_op {
    FL_DM_ENCODING,
    FL_DM_SIGNATURE,
    FL_DM_COMPOSE,
    FL_DM_PARAMETERS,
    FL_DM_NEXT_PARAMETER,
    FL_DM_JOIN,
    FL_DM_GLUE,
    FL_DM_TYPE,
    FL_DM_QUALIFY,
    FL_DM_POINTER,
    FL_DM_FUNCTION,
    FL_DM_ARRAY,
    FL_DM_MEMBER,
    FL_DM_SUBSTITUTE,
    FL_DM_NAME,
    FL_DM_NAME_END,
    FL_DM_NESTED,
    FL_DM_SCOPE,
    FL_DM_UNQUALIFIED,
    FL_DM_LAMBDA,
    FL_DM_CONVERSION,
    FL_DM_LOCAL,
    FL_DM_RESTORE,
    FL_DM_APPEND,
    FL_DM_ARGUMENTS,
    FL_DM_NEXT_ARGUMENT,
    FL_DM_NEXT_ELEMENT,
    FL_DM_KEEP,
    FL_DM_LITERAL,
    FL_DM_END,
    FL_DM_PACK,
    FL_DM_EXPRESSION,
    FL_DM_UNARY,
    FL_DM_BINARY,
    FL_DM_MEMBER_OF,
    FL_DM_NEXT_LEVEL,
    FL_DM_COUNT
} fl_dm_op;

typedef struct fl_dm_task {
    fl_dm_op op;
    bool is_own;   /* of the encoding's own name: its arguments are what T_ means */
    size_t number; /* of the fl_dm_op */
} fl_dm_task;

/* An argument of the function's template, which T_ stands for; of a pack, its elements. */
typedef struct fl_dm_parameter {
    size_t first, count; /* elements */
    bool is_pack;
} fl_dm_parameter;

/* What an encoding inside of another one must not change. */
typedef struct fl_dm_scope {
    fl_slice qualifiers;
    size_t live_first, live_count, parameter_count, element_count;
} fl_dm_scope;

/* An expansion that is being read. */
typedef struct fl_dm_pack {
    size_t start, substitutions; /* where it is read again */
    size_t index, count;         /* count SIZE_MAX: no pack was met in it */
    unsigned id;
} fl_dm_pack;

/* 125 KB, which is too much for the stack of a thread. */
typedef struct fl_dm_machine {
    fl_slice in;
    size_t at;
    fl_arena *arena;
    bool failed; /* not understood, or beyond a bound */
    fl_dm_task tasks[FL_DM_MAX_TASKS];
    size_t task_count;
    fl_dm_node nodes[FL_DM_MAX_NODES];
    size_t node_count;
    fl_dm_node substitutions[FL_DM_MAX_SUBSTITUTIONS];
    size_t substitution_count;
    fl_dm_node elements[FL_DM_MAX_PARAMETERS];
    fl_dm_parameter parameters[FL_DM_MAX_PARAMETERS];
    fl_dm_scope now, scopes[FL_DM_MAX_SCOPES];
    size_t scope_count;
    fl_dm_pack packs[FL_DM_MAX_PACKS];
    size_t pack_count;
    unsigned last_pack;
} fl_dm_machine;

/* The stacks: demangle_machine.c. What is pushed last is done first; a stack that is full, or empty
 * where something is taken, fails the name. */
void fl_dm_fail(fl_dm_machine *m);
void fl_dm_push(fl_dm_machine *m, fl_dm_op what, bool is_own, size_t number);
void fl_dm_put(fl_dm_machine *m, fl_dm_node value);
void fl_dm_put_text(fl_dm_machine *m, fl_slice text);
fl_dm_node fl_dm_take(fl_dm_machine *m);

/* The input. Behind its end there are zeros, which are no letter of any rule. */
unsigned char fl_dm_peek(const fl_dm_machine *m, size_t ahead);
fl_slice fl_dm_two(const fl_dm_machine *m);
bool fl_dm_take_letter(fl_dm_machine *m, unsigned char letter);
void fl_dm_expect(fl_dm_machine *m, unsigned char letter);
bool fl_dm_is_digit(unsigned char c);
bool fl_dm_take_number(fl_dm_machine *m,
                       size_t *out); /* false: no digit, or more than any name has */

/* The parts one after the other; a text that grows beyond FL_DM_MAX_TEXT fails the name. */
fl_slice fl_dm_join(fl_dm_machine *m, const fl_slice *parts, size_t count);
#define FL_DM_TEXT(m, ...)                                                                         \
    fl_dm_join((m), (const fl_slice[]){__VA_ARGS__},                                               \
               sizeof((const fl_slice[]){__VA_ARGS__}) / sizeof(fl_slice))
fl_slice fl_dm_whole(fl_dm_machine *m, const fl_dm_node *value);

/* The topmost value becomes a substitution; "S0_" and "T0_" at the place become values. */
void fl_dm_substitute(fl_dm_machine *m);
void fl_dm_take_substitution(fl_dm_machine *m);
void fl_dm_take_parameter(fl_dm_machine *m);

/* Types: demangle_types.c. */
size_t fl_dm_take_qualifiers(fl_dm_machine *m);  /* "rVK": 4, 2, 1 */
fl_slice fl_dm_take_reference(fl_dm_machine *m); /* " &" of 'R', " &&" of 'O', or nothing */
void fl_dm_begin_arguments(fl_dm_machine *m, bool is_own);
void fl_dm_op_join(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_glue(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_qualify(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_pointer(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_function(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_array(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_member(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_substitute(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_pack(fl_dm_machine *m, fl_dm_task now);
void fl_dm_op_type(fl_dm_machine *m, fl_dm_task now);

/* Of a name without "_Z": its text, in `scratch`, or an empty slice where it is not understood. */
fl_slice fl_demangle_parse(fl_slice name, fl_arena *scratch);

#endif
