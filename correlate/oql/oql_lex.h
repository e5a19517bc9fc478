/*
 * oql_lex.h - a query's text to words, each with its place.
 */
#ifndef FL_OQL_LEX_H
#define FL_OQL_LEX_H

#include "faultline/status.h"

typedef enum fl_oql_token_kind {
    FL_OQL_T_END,
    FL_OQL_T_NAME,    /* a word, a keyword: `text` */
    FL_OQL_T_NUMBER,  /* `number` */
    FL_OQL_T_ADDRESS, /* written as 0x...: `number` */
    FL_OQL_T_REAL,    /* `real` */
    FL_OQL_T_TEXT,    /* "...": `text` without the quotes; there are no escapes */
    FL_OQL_T_CHAR,    /* 'x': its UTF-16 unit in `number` */
    FL_OQL_T_SIGN     /* one or two characters: `text` */
} fl_oql_token_kind;

typedef struct fl_oql_token {
    fl_oql_token_kind kind;
    fl_slice text; /* as it stands there, but for T_TEXT */
    size_t at, end;
    uint64_t number;
    double real;
} fl_oql_token;

/* The word at or behind `at`; blanks and comments (of //, -- and slash-star) are passed over.
 * FL_E_SYNTAX. */
FL_NODISCARD fl_status fl_oql_lex(fl_oql_token *out, fl_slice query, size_t at, fl_error *err);
/* Where a class's name that begins at `at` ends: identifiers with dots, "$", "/" and "[]". */
size_t fl_oql_lex_class(fl_slice query, size_t at);

#endif
