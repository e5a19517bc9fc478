/*
 * learn_rules.h - the phrases by which documents are understood: data, in schemas/learn/.
 *
 *   sections:    what a heading or a label announces
 *   cues:        phrases between the parts of a sentence ("caused by")
 *   words:       lists of single words ("might")
 *   components:  names of software
 *
 * All of them are phrases in small letters that are looked for in one pass over a text: by its
 * first two bytes a place leads to the few phrases that begin so, the longest first. The cost of a
 * byte does not depend on the text, so that no document is slow.
 */
#ifndef FL_LEARN_RULES_H
#define FL_LEARN_RULES_H

#include <stdbool.h>

#include "arena.h"
#include "version.h"

typedef enum fl_section {
    FL_SECTION_NONE,
    FL_SECTION_SYMPTOM,
    FL_SECTION_LOG,
    FL_SECTION_CAUSE,
    FL_SECTION_FIX,
    FL_SECTION_RULED_OUT,
    FL_SECTION_ENVIRONMENT,
    FL_SECTION_SERVICE,
    FL_SECTION_DATE,
    FL_SECTION_SKIP,
    FL_SECTION_COUNT
} fl_section;

/* What a phrase is. Cues first, then the lists of words. */
typedef enum fl_phrase_kind {
    FL_CUE_EXPLAINED_BY, /* effect CUE cause */
    FL_CUE_EXPLAINS,     /* cause CUE effect */
    FL_CUE_BECAUSE_FIRST,
    FL_CUE_ROOT,
    FL_CUE_FIX,
    FL_CUE_FIX_LEFT,
    FL_CUE_FIX_BETWEEN,
    FL_CUE_INTRODUCED,
    FL_CUE_INTRODUCED_BETWEEN,
    FL_CUE_RULED_OUT_LEFT,
    FL_CUE_RULED_OUT,
    FL_CUE_SUSPECTED,
    FL_CUE_LIST,
    FL_CUE_WHY,
    FL_WORD_HEDGE,
    FL_WORD_NEGATION,
    FL_WORD_NOT_BEFORE,
    FL_WORD_NOT_BEHIND,
    FL_WORD_INSTRUCTION,
    FL_WORD_DISCARD,
    FL_WORD_FAILURE,
    FL_WORD_ACTION,
    FL_WORD_REPORT,
    FL_WORD_AFTER_UPGRADE,
    FL_WORD_LEAD,
    FL_WORD_TAIL,
    FL_WORD_VAGUE,
    FL_WORD_BEFORE,
    FL_WORD_UNTIL,
    FL_WORD_SINCE,
    FL_WORD_AND_LATER,
    FL_WORD_AND_EARLIER,
    FL_WORD_TO,
    FL_WORD_FIXED_IN,
    FL_WORD_UPGRADED,
    FL_WORD_AFFECTED,
    FL_PHRASE_COMPONENT,
    FL_PHRASE_KIND_COUNT
} fl_phrase_kind;

/* Bits of a set of kinds. */
#define FL_PHRASES(kind) (UINT64_C(1) << (kind))

typedef struct fl_component {
    const char *name;
    fl_ecosystem versions;
} fl_component;

typedef struct fl_phrase {
    fl_slice text;
    fl_phrase_kind kind;
    const fl_component *component; /* COMPONENT */
} fl_phrase;

typedef struct fl_learn_rules fl_learn_rules;

/* The rules that are compiled in. The caller owns *out. */
FL_NODISCARD fl_status fl_learn_rules_create(fl_learn_rules **out, fl_error *err);
void fl_learn_rules_destroy(fl_learn_rules *rules); /* NULL is a no-op */
/* A document of rules more, from `source`, before the first use. FL_E_SYNTAX about a mistake, with
 * its place: "SOURCE:LINE:COLUMN: ...". */
FL_NODISCARD fl_status fl_learn_rules_add(fl_learn_rules *rules, fl_slice text, const char *source,
                                          fl_error *err);

/* The role of a heading or a label, which is in small letters; NONE where it has none. */
fl_section fl_learn_section_of(const fl_learn_rules *rules, fl_slice heading);
/* The longest phrase of one of the `kinds` (FL_PHRASES) that begins at `at` of a text in small
 * letters; NULL: none. Phrases of Latin letters are whole words. */
const fl_phrase *fl_learn_phrase_at(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower,
                                    size_t at);
/* The first from `at` on; *found is its place. */
const fl_phrase *fl_learn_phrase_from(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower,
                                      size_t at, size_t *found);
/* Whether there is any. */
bool fl_learn_has(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower);
/* The whole text is one phrase. */
bool fl_learn_is(const fl_learn_rules *rules, uint64_t kinds, fl_slice lower);
/* Whether one of the words that end a cue's phrase ("由 X 引入") is at `at`; its length, 0: none.
 */
size_t fl_learn_end_at(const fl_learn_rules *rules, fl_phrase_kind cue, fl_slice lower, size_t at);

#endif
