/*
 * signatures.h - the library of leak signatures: YAML in, what faultline/leak.h calls a signature
 * out. The built-in files are in schemas/signatures/, their form in
 * schemas/json/signature.schema.json.
 *
 *   signatures:
 *     - name: map-only-grows        # the kind that a finding is given; small letters, digits, '-'
 *       title: A map only grows
 *       verdict: leak               # as fl_leak_verdict_name()
 *       subject: site               # site, goroutines, lock, program
 *       prior: 0.9                  # how often it is right where all of it holds
 *       go_from: '1.24'             # first and last Go version in which it is true; absent: any
 *       go_to: '1.26'
 *       must:                       # conditions, all of which hold
 *         - {feature: growth_z, at_least: 3.5}
 *         - {feature: frames, matches: 'PCRE2', text: 'what it means when it holds'}
 *       any: []                     # of which one holds, where there are some
 *       against: []                 # each with a text; shown, and less confidence
 *       forms: []                   # instead of the four above: several ways to look
 *       cause: ...
 *       fix: ...
 *       sketch: |                   # code
 *         ...
 *       references: ['https://...']
 *
 * A signature with forms becomes one entry a form: form's conditions come after the common ones.
 */
#ifndef FL_SIGNATURES_H
#define FL_SIGNATURES_H

#include "faultline/leak.h"

typedef struct fl_signatures fl_signatures;

/* Where an entry comes from. */
typedef enum fl_signature_origin { FL_SIGNATURE_BUILT_IN, FL_SIGNATURE_OWN } fl_signature_origin;

/* An empty library. The caller owns *out. */
FL_NODISCARD fl_status fl_signatures_create(fl_signatures **out, fl_error *err);
void fl_signatures_destroy(fl_signatures *library); /* NULL is a no-op */

/* Add a document's signatures. An own one replaces the built-in one of its name; two of one origin
 * are refused. All or nothing: after a failure the library is as it was. FL_E_SYNTAX:
 * "SOURCE:LINE:COLUMN: what is wrong"; FL_E_LIMIT: too many; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_signatures_add(fl_signatures *library, fl_slice yaml, const char *source,
                                         fl_signature_origin origin, fl_error *err);

/* Add the built-in library, schemas/signatures/. */
FL_NODISCARD fl_status fl_signatures_add_built_in(fl_signatures *library, fl_error *err);

/* All entries, by name, the forms of one in their order. Borrowed until the next add. */
const fl_leak_signature *fl_signatures_items(const fl_signatures *library, size_t *count);
/* The document that entry `at` of the items stands in, and its line. */
const char *fl_signatures_source(const fl_signatures *library, size_t at, size_t *line);
/* Whether it is built in. */
fl_signature_origin fl_signatures_origin_of(const fl_signatures *library, size_t at);

#endif
