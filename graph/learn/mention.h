/*
 * mention.h - components with versions, and configuration with values, where a sentence names them.
 *
 *   component = name ("@" | ":" | "/" | " " | " version " | " v")? range?
 *   range     = version (to version)? | version and-later | before version | ...
 *   name      = one of the rules' components | a word with '-' or '_' in front of a version
 *   config    = key '=' value, without blanks: "redis.timeout=2000ms", "-XX:MaxRAMPercentage=75"
 */
#ifndef FL_MENTION_H
#define FL_MENTION_H

#include "sentence.h"

enum { FL_MAX_MENTIONS = 8, FL_RANGE_TEXT = 96, FL_QUALIFIER_TEXT = 112 };

typedef struct fl_mention {
    bool is_config;
    bool is_bound;             /* the sentence says that what it is about depends on the version:
                                  "before 1.2", "fixed in 1.2", "upgraded to 1.2" */
    fl_slice name;             /* of the component, or "key=value"; empty: a version alone */
    fl_ecosystem versions;     /* of the component */
    fl_slice version;          /* the first one named; empty: none */
    char range[FL_RANGE_TEXT]; /* "=1.2.3", "<1.2.3", ">=1.2 <=1.4", "*" */
} fl_mention;

/* In their order; at most FL_MAX_MENTIONS, more are left out. Names are the rules' own, or point
 * into the sentence. */
size_t fl_mentions_find(fl_mention out[FL_MAX_MENTIONS], const fl_learn_rules *rules,
                        const fl_sentence *sentence);

/* The qualifier of an edge to the component: "maven <6.2.6", "*". */
void fl_mention_qualifier(char out[FL_QUALIFIER_TEXT], const fl_mention *mention);

#endif
