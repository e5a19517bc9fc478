/*
 * redact.h - secrets and personal data taken out of records before anything is stored: a sink in
 * front of another.
 *
 *   decoder -> fl_redact_sink() -> archive batch
 *
 * Texts (log bodies, names of spans and events, values of attributes, labels and texts of alerts,
 * values of changes) pass a table of rules, each a pattern whose first group, or whole, is replaced
 * by "[redacted:NAME]". Attributes whose key names a secret ("password", "authorization") lose
 * their value whatever it is. The built-in table is schemas/redaction.yaml.
 *
 * Cost: one pass over each text decides which rules could match at all (redact_scan.c); a pattern
 * runs only where a literal that it needs was seen. A pattern that backtracks too much on a text
 * costs the text: it becomes "[redacted:unchecked]", since nobody knows what it held.
 */
#ifndef FL_REDACT_H
#define FL_REDACT_H

#include "faultline/record.h"

enum { FL_REDACT_MAX_RULES = 64, FL_REDACT_NAME_BYTES = 49 };

typedef struct fl_redact_rule {
    const char *name;    /* small letters, digits and '-' */
    const char *pattern; /* PCRE2 */
    const char *replace; /* NULL: "[redacted:NAME]" */
    bool ignore_case;
} fl_redact_rule;

typedef struct fl_redact_options {
    bool without_builtin;
    const char *const *without; /* names of built-in rules to leave out */
    size_t without_count;
    const char *const *keys; /* attributes whose values are never kept, whole keys in any case */
    size_t key_count;
    const fl_redact_rule *rules; /* the user's own, before the built-in ones */
    size_t rule_count;
    /* Told of a rule that has to run on every text, since its pattern needs no literal of four
     * bytes. May be NULL. */
    void (*slow)(void *payload, const char *name);
    void *payload;
} fl_redact_options;

/* Compiled rules and their counts, for any number of threads. They go when the last who has them
 * gave them back. */
typedef struct fl_redact_rules fl_redact_rules;

/* Texts are copied. FL_E_SYNTAX with a sentence ("redaction rule 'x': pattern ..."), FL_E_NOTFOUND
 * (a built-in rule that there is not), FL_E_LIMIT, FL_E_NOMEM. The caller owns *out. */
FL_NODISCARD fl_status fl_redact_rules_create(fl_redact_rules **out,
                                              const fl_redact_options *options, fl_error *err);
/* One more has them; returns `rules`. */
fl_redact_rules *fl_redact_rules_keep(fl_redact_rules *rules);
/* One fewer. NULL is a no-op. */
void fl_redact_rules_destroy(fl_redact_rules *rules);

typedef struct fl_redact_count {
    char name[FL_REDACT_NAME_BYTES]; /* of the rule; "key" for keys that name a secret,
                                        "unchecked" */
    uint64_t redacted;               /* places */
} fl_redact_count;

/* The counts in the order of the table; returns how many. Numbers only grow. */
size_t fl_redact_counts(const fl_redact_rules *rules, fl_redact_count out[FL_REDACT_MAX_RULES + 2]);

/* One thread's sink. */
typedef struct fl_redact fl_redact;

/* `rules` are kept, `behind` is borrowed until it is destroyed. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_redact_create(fl_redact **out, fl_redact_rules *rules,
                                        const fl_sink *behind, fl_error *err);
void fl_redact_destroy(fl_redact *redact); /* NULL is a no-op */
const fl_sink *fl_redact_sink(const fl_redact *redact);

/* One text: itself where nothing is to be taken out, else a copy that lives until the next call of
 * this or of the sink. FL_E_NOMEM, FL_E_LIMIT. */
FL_NODISCARD fl_status fl_redact_text(fl_slice *out, fl_redact *redact, fl_slice text,
                                      fl_error *err);

#endif
