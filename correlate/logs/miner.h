/*
 * miner.h - log lines to templates: a fixed-depth parse tree as in Drain (He et al., ICWS 2017),
 * made independent of the order of its input. The rules are in docs/templates.md.
 *
 * Two steps. fl_miner_add() masks one line to its form, a pure function of the line: times, ids,
 * numbers, addresses and words that hold digits become <*>; a leading timestamp and level are
 * dropped, a code location (Class#line, file.go:12) stays. Forms are few; lines are many, so this
 * is the fast step. fl_miner_finish() sorts the distinct forms and groups them: all forms with the
 * same scope, code location and level are one template; the others go through the parse tree
 * (level, token count, first tokens, then similarity). The template's text keeps the tokens that
 * all members share.
 *
 * A scope is whose lines they are, a service. Bare file names repeat between services
 * ("main.go:12"), so a location means nothing without it; lines without one are shared by all.
 *
 * Only where a miner is full does the order of lines count: which forms were kept.
 */
#ifndef FL_MINER_H
#define FL_MINER_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_miner fl_miner;

typedef struct fl_log_template {
    /* Stable across runs and machines: a hash of the level and the location or else the text, for
     * the text at a location may gain a mask when more lines are seen. Unique within a scope. */
    uint64_t id;
    /* Without the leading time and level, with the code location; valid UTF-8 without control
     * characters. "<empty>" for lines without text, "<other>" for those over the budget. */
    const char *text;
    const char *location; /* "Class#line", "file.go:12"; NULL where lines carry none */
    int severity;  /* 1, 5, 9, 13, 17 or 21: the class, from the record or the line; 0: none */
    bool is_error; /* severity 17 (ERROR) and above */
} fl_log_template;

/* A miner that keeps at most `max_forms` distinct forms (and `max_bytes` of their text); lines
 * beyond that share one form a level, whose template reads "<other>". The caller owns *out. */
FL_NODISCARD fl_status fl_miner_create(fl_miner **out, size_t max_forms, size_t max_bytes,
                                       fl_error *err);
void fl_miner_destroy(fl_miner *miner); /* NULL is a no-op */

/* The form of one line. `severity` is OTLP's number, 0 where the record had none (then a level
 * word at the head of the line counts). Forms are dense ids from 0 in order of appearance. Which
 * number a scope has does not reach the templates. */
FL_NODISCARD fl_status fl_miner_add(uint32_t *form, fl_miner *miner, uint32_t scope, fl_slice line,
                                    int severity, fl_error *err);
size_t fl_miner_form_count(const fl_miner *miner);
bool fl_miner_is_full(const fl_miner *miner); /* a line went to <other> */

/* Group the forms. After it, no more lines. On FL_E_NOMEM nothing changed. */
FL_NODISCARD fl_status fl_miner_finish(fl_miner *miner, fl_error *err);
/* Templates are sorted by severity, then text, then location, and distinct in these; the same lines
 * in the same scopes give the same list. */
size_t fl_miner_template_count(const fl_miner *miner);
const fl_log_template *fl_miner_template(const fl_miner *miner, size_t index);
size_t fl_miner_template_of(const fl_miner *miner, uint32_t form); /* index into the list */

#endif
