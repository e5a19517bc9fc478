/*
 * facts.h - what was measured of a subject, and the signature that describes it best.
 *
 * A kind of evidence (execution traces, heap dumps, ...) brings signatures to what it sees:
 *   1. include/faultline/leak.h   a member of fl_leak_measured, features at the end of
 *                                 fl_leak_feature
 *   2. base/contract/leak_names.c the kind's word, a row of each feature with `in` that kind;
 *                                 the features' names in schemas/json/signature.schema.json
 *   3. schemas/signatures/        a YAML file, a line in ingest/signatures/built_in.c and
 *                                 CMakeLists.txt
 *   4. the analysis               fl_rules_create() with the library's items and the kind; for each
 *                                 subject its facts to fl_rules_best(), and a finding where one
 *                                 holds, with fl_rules_confidence() and fl_rules_against()
 * Reading, listing, testing and --signatures of one's own need nothing more.
 *
 * A condition on a feature that is not among the facts does not hold, whatever its operator, so
 * that subjects of one kind with different facts are told apart by what is asked of them. Of
 * several facts of one text feature (frames), one has to match, and none may for `lacks`.
 *
 * Cost: a signature is given up at its first condition that does not hold; an expression is
 * compiled when it is first needed.
 */
#ifndef FL_FACTS_H
#define FL_FACTS_H

#include "faultline/leak.h"

typedef struct fl_fact {
    fl_leak_feature feature;
    double number;    /* of a number; NaN: not known */
    const char *text; /* of a text */
} fl_fact;

typedef struct fl_facts {
    fl_leak_subject subject;
    int go_from, go_to; /* minor versions that the runtime may have; 0: not known */
    const fl_fact *items;
    size_t count;
} fl_facts;

typedef struct fl_rules fl_rules;

/* Those of `count` signatures that are measured in `in`, which are borrowed as long as the rules
 * and what they answer. The caller owns *out. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_rules_create(fl_rules **out, const fl_leak_signature *signatures,
                                       size_t count, fl_leak_measured in, fl_error *err);
void fl_rules_destroy(fl_rules *rules); /* NULL is a no-op */

/* *out NULL: none holds. Of several the one that fl_leak_signature_beats() the others. FL_E_NOMEM,
 * FL_E_SYNTAX where a pattern is no regular expression. */
FL_NODISCARD fl_status fl_rules_best(const fl_leak_signature **out, fl_rules *rules,
                                     const fl_facts *facts, fl_error *err);

/* What speaks against a signature that holds: texts of its conditions, the first of them. */
enum { FL_MAX_AGAINST = 8 };
typedef struct fl_against {
    const char *texts[FL_MAX_AGAINST];
    size_t count;
} fl_against;

/* Of one that these rules answered. Fails as fl_rules_best(). */
FL_NODISCARD fl_status fl_rules_against(fl_against *out, fl_rules *rules,
                                        const fl_leak_signature *signature, const fl_facts *facts,
                                        fl_error *err);
/* The prior, its odds halved by each of `against`. */
double fl_rules_confidence(const fl_leak_signature *signature, size_t against);

#endif
