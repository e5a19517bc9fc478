/*
 * oql_parse.h - what reading statements and reading expressions share.
 *
 * An expression is read by operator precedence: values become steps at once, what waits for its
 * right side (operators, brackets, calls) waits on a stack. Where a subquery begins, the expression
 * is left as it is; when the subquery has ended, it goes on.
 */
#ifndef FL_OQL_PARSE_H
#define FL_OQL_PARSE_H

#include "oql_lex.h"
#include "oql_priv.h"

typedef enum fl_oql_waiting_kind {
    FL_OQL_W_BASE, /* of an expression */
    FL_OQL_W_PREFIX,
    FL_OQL_W_BINARY,
    FL_OQL_W_JOINT, /* AND, OR: `which` is the jump that must know its end */
    FL_OQL_W_PAREN, /* from here on brackets */
    FL_OQL_W_LIST,
    FL_OQL_W_CALL,
    FL_OQL_W_METHOD,
    FL_OQL_W_INDEX,
    FL_OQL_W_QUERY
} fl_oql_waiting_kind;

typedef struct fl_oql_waiting {
    fl_oql_waiting_kind kind;
    fl_oql_op op;
    int precedence;
    bool is_negated;
    uint32_t which, args;
    uint32_t at;
} fl_oql_waiting;

/* Where a SELECT stands. */
typedef enum fl_oql_stage {
    FL_OQL_S_HEAD,
    FL_OQL_S_ITEM,
    FL_OQL_S_FROM,
    FL_OQL_S_FROM_STEPS,
    FL_OQL_S_FROM_END, /* behind a subquery or steps */
    FL_OQL_S_WHERE,
    FL_OQL_S_UNION,
    FL_OQL_S_UNION_END,
    FL_OQL_S_END
} fl_oql_stage;

typedef struct fl_oql_frame {
    fl_oql_query *query;
    fl_oql_stage stage;
    uint32_t answer; /* the subquery that has just ended */
} fl_oql_frame;

enum { FL_OQL_MAX_FRAMES = 32 };

typedef struct fl_oql_parser {
    fl_oql *oql;
    fl_error *err;
    fl_status status; /* the first failure */
    fl_oql_token token, ahead;
    size_t consumed; /* where the last word that was taken ends */
    fl_oql_waiting waiting[FL_OQL_MAX_DEPTH];
    uint32_t waiting_count;
    fl_oql_frame frames[FL_OQL_MAX_FRAMES];
    uint32_t frame_count;
    bool wants_value, is_after_in;
    bool is_ended; /* the expression */
} fl_oql_parser;

/* --- words and failures (oql_parse.c) --- */
/* Take the word that stands next. */
void fl_oql_advance(fl_oql_parser *parser);
bool fl_oql_at_sign(const fl_oql_parser *parser, const char *sign);
bool fl_oql_at_word(const fl_oql_parser *parser, const char *word);
/* Whether the word behind the next is the sign `(` or the word SELECT. */
bool fl_oql_ahead_is_open(const fl_oql_parser *parser);
bool fl_oql_ahead_is_select(const fl_oql_parser *parser);
/* Take it if it stands there. */
bool fl_oql_take_sign(fl_oql_parser *parser, const char *sign);
bool fl_oql_take_word(fl_oql_parser *parser, const char *word);
/* Fail unless a sign or a word stands there, and take it. */
void fl_oql_need_sign(fl_oql_parser *parser, const char *sign);
/* "expected WHAT, found 'x'". */
void fl_oql_fail_expected(fl_oql_parser *parser, const char *what);
void fl_oql_fail_memory(fl_oql_parser *parser);
bool fl_oql_is_reserved(fl_slice word);
/* Compile a pattern that begins at `at`; NULL on failure. */
const fl_regex *fl_oql_pattern_of(fl_oql_parser *parser, fl_slice pattern, size_t at);
/* Begin a SELECT whose first word stands next. */
void fl_oql_begin_query(fl_oql_parser *parser);
fl_oql_query *fl_oql_current(fl_oql_parser *parser);
/* Twice the room, at least 8; `items` on failure. */
void *fl_oql_grown(fl_oql_parser *parser, void *items, uint32_t *cap, size_t size);

/* --- expressions (oql_expression.c) --- */
void fl_oql_expression_begin(fl_oql_parser *parser);
/* Read until the expression ends (is_ended), a subquery begins or something fails. */
void fl_oql_expression_run(fl_oql_parser *parser);
/* A subquery that stood in the expression has ended. */
void fl_oql_expression_resume(fl_oql_parser *parser, uint32_t answer);

#endif
