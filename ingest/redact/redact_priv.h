/*
 * redact_priv.h - the parts of compiled rules: what is looked for first, and what then decides.
 */
#ifndef FL_REDACT_PRIV_H
#define FL_REDACT_PRIV_H

#include <stdatomic.h>

#include "arena.h"
#include "redact.h"
#include "regex.h"

/* ---- the first pass (redact_scan.c) ---- */

enum {
    FL_REDACT_GRAM = 4,           /* bytes of a literal that the first pass looks for */
    FL_REDACT_MAX_LITERALS = 512, /* of all rules */
    FL_REDACT_MAP_BITS = 14,      /* hashes of grams */
    FL_REDACT_SLOTS = 2048        /* a power of two, above twice the literals */
};

/* A literal that a text must hold, in any case, for a rule to match. */
typedef struct fl_redact_literal {
    fl_slice text;  /* small letters, at least FL_REDACT_GRAM bytes */
    size_t gram_at; /* where in it the bytes are that are looked for */
    uint64_t rules; /* a bit each */
} fl_redact_literal;

typedef struct fl_redact_scan {
    unsigned char map[1 << (FL_REDACT_MAP_BITS - 3)]; /* a bit for each hash of a gram */
    uint16_t slots[FL_REDACT_SLOTS]; /* by hash, open: 1 + the index of a literal; 0: none */
    fl_redact_literal literals[FL_REDACT_MAX_LITERALS];
    size_t literal_count;
    uint64_t at_rules;    /* that need an '@' */
    uint64_t digit_rules; /* that need as many digits as a card has */
    uint64_t any_rules;   /* that may match anywhere */
} fl_redact_scan;

/* Let texts that hold `literal` be looked at by `rules`. FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_redact_scan_add(fl_redact_scan *scan, fl_arena *arena, fl_slice literal,
                                          uint64_t rules, fl_error *err);
/* The rules that could match somewhere in `text`. */
uint64_t fl_redact_scan_text(const fl_redact_scan *scan, fl_slice text);

/* ---- literals out of patterns (redact_literal.c) ---- */

enum { FL_REDACT_MAX_BRANCHES = 16, FL_REDACT_LITERAL_BYTES = 64 };

typedef struct fl_redact_needs {
    size_t count; /* of branches; 0: nothing is known to be needed */
    char text[FL_REDACT_MAX_BRANCHES][FL_REDACT_LITERAL_BYTES];
} fl_redact_needs;

/* The longest run of plain letters in each branch of `pattern` that a match must hold. A pattern
 * that is not understood needs nothing. */
void fl_redact_literals(fl_redact_needs *out, fl_slice pattern);

/* ---- rules (redact_rules.c) ---- */

typedef struct fl_redact_compiled {
    char name[FL_REDACT_NAME_BYTES];
    fl_slice replace;
    fl_regex *regex;
    bool is_card; /* what matched must be a card's number */
} fl_redact_compiled;

/* The last four letters of a word or a key, as small letters, with '-' for '_': most names are told
 * apart by them, at the price of a comparison. */
typedef struct fl_redact_end {
    uint32_t bytes, mask; /* the last byte lowest; the mask is of those that the word has */
} fl_redact_end;

struct fl_redact_rules {
    atomic_size_t users;
    fl_arena arena;
    fl_redact_compiled rules[FL_REDACT_MAX_RULES];
    size_t count;
    fl_redact_scan scan;
    /* Keys that name secrets: whole ones, and last words. */
    const char *const *words;
    size_t word_count;
    const char *const *keys;
    size_t key_count;
    const fl_redact_end *word_ends, *own_ends; /* of words, of keys */
    uint64_t key_ends[4]; /* a bit for the last byte of each, in small and capital letters */
    /* Of the rules, then of keys, then of texts that a pattern gave up on. */
    atomic_uint_fast64_t *counts;
};

enum { FL_REDACT_BY_KEY = FL_REDACT_MAX_RULES, FL_REDACT_UNCHECKED = FL_REDACT_MAX_RULES + 1 };

/* Whether a key's last word, or the whole, is one whose value is secret. */
bool fl_redact_is_secret(const fl_redact_rules *rules, fl_slice key);
/* Digits, with single blanks or '-' between, that are the number of a payment card. */
bool fl_redact_is_card(fl_slice text);

#endif
