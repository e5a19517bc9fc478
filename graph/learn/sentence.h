/*
 * sentence.h - blocks to sentences, and clauses to phrases that can name a node.
 *
 * A sentence is cleaned: inline markup goes, white space is single, wide punctuation is narrow. Its
 * copy in small letters has the same length, so that a place in one is a place in the other.
 */
#ifndef FL_SENTENCE_H
#define FL_SENTENCE_H

#include "learn_rules.h"

/* Longer ones are data, not prose, and are passed over. */
enum { FL_MAX_SENTENCE_BYTES = 2000, FL_MAX_PHRASE_BYTES = 280 };

typedef struct fl_sentence {
    fl_slice text, lower;
    size_t at;       /* of its first byte in the block's text */
    bool is_chinese; /* holds characters that are words: clauses end at commas */
    bool is_question;
} fl_sentence;

typedef struct fl_sentences {
    fl_slice block;
    size_t pos;
    fl_arena *arena; /* for the cleaned texts */
} fl_sentences;

/* The next sentence of the block; false at its end or for want of memory (*nomem). */
bool fl_sentence_next(fl_sentence *out, fl_sentences *from, bool *nomem);

/* A part of the sentence without what stands around the words that matter: blanks, punctuation,
 * lead-ins ("unfortunately"), auxiliaries at the end ("was"). Empty where nothing is left that
 * names anything: too short or too long, or a bare "this". */
fl_slice fl_sentence_phrase(const fl_learn_rules *rules, const fl_sentence *sentence, size_t start,
                            size_t end);
/* The same without the judgement: only punctuation and words around it go. */
fl_slice fl_sentence_strip(const fl_learn_rules *rules, const fl_sentence *sentence, size_t start,
                           size_t end);
/* Where the clause before `cue` begins, and where the one from `from` on ends. */
size_t fl_sentence_clause_start(const fl_sentence *sentence, size_t cue);
size_t fl_sentence_clause_end(const fl_sentence *sentence, size_t from);

#endif
