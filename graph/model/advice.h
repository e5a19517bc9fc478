/*
 * advice.h - what a fix tells somebody to do, out of its words.
 *
 *   set NAME=VALUE                      a value that a setting should have
 *   avoid NAME=VALUE | avoid NAME       one that it should not, or a setting to do without
 *   limit NAME=VALUE                    a bound on a resource
 *   upgrade NAME to VERSION
 *   alert NAME if PROMQL for DURATION   $service stands for the service's name
 *   check TEXT                          before a launch
 *   anything else                       something to do, as it is written
 *
 * The curated library writes its fixes so, and people may: `faultline resolve --fix 'set
 * pool.max=64'` is then advice that a new service's configuration can be compared with. Names and
 * values have no blanks. What does not fit a form is not wrong: it is something to do.
 */
#ifndef FL_ADVICE_H
#define FL_ADVICE_H

#include "faultline/status.h"

typedef enum fl_advice_kind {
    FL_ADVICE_SET,
    FL_ADVICE_AVOID,
    FL_ADVICE_LIMIT,
    FL_ADVICE_UPGRADE,
    FL_ADVICE_ALERT,
    FL_ADVICE_CHECK,
    FL_ADVICE_DO,
    FL_ADVICE_KIND_COUNT
} fl_advice_kind;

const char *fl_advice_kind_name(fl_advice_kind kind); /* "set" */

typedef struct fl_advice_words { /* borrowed from the text */
    fl_advice_kind kind;
    fl_slice name;     /* of the setting, resource, component or alert; empty for check and do */
    fl_slice value;    /* the value, version or expression; empty: none */
    fl_slice duration; /* of an alert: "5m" */
    fl_slice text;     /* of check and do */
} fl_advice_words;

/* What is none of the other kinds, or lacks a part of one, is FL_ADVICE_DO with the whole text. */
void fl_advice_read(fl_advice_words *out, fl_slice text);

#endif
