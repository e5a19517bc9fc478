/*
 * gate.h - when a cause applies to a service: the qualifiers of `requires` edges.
 *
 *   of a component   ECOSYSTEM " " RANGE     "maven >=6.0.0 <6.3.0" (version.h); "*": any version
 *   of a config      test ("||" test)*       ">=1s <5min || absent"
 *     test           condition+              all of them hold
 *     condition      "absent" | "present"
 *                  | ("=" | "!=") TEXT       letters of either case alike, no blanks within
 *                  | (">=" | ">" | "<=" | "<") QUANTITY     quantity.h
 *
 * A config's key is the name of a setting, and then the edge has a qualifier, or "name=value", and
 * then that value is what is required. An edge without a qualifier requires the component in any
 * version, or the setting with any value.
 */
#ifndef FL_GATE_H
#define FL_GATE_H

#include <stdbool.h>

#include "version.h"

typedef enum fl_gate_answer {
    FL_GATE_FAILS,
    FL_GATE_UNKNOWN, /* the value cannot be compared: no version, another dimension */
    FL_GATE_HOLDS
} fl_gate_answer;

/* FL_E_SYNTAX or FL_E_LIMIT with the offset of what is wrong. */
FL_NODISCARD fl_status fl_gate_check_component(fl_slice qualifier, fl_error *err);
FL_NODISCARD fl_status fl_gate_check_config(fl_slice qualifier, fl_error *err);

/* Qualifiers that do not pass their check are unknown: a store may hold anything. `version` may be
 * empty: it was not said. */
fl_gate_answer fl_gate_component(fl_slice qualifier, fl_slice version);
/* `value` NULL: the setting is not there. */
fl_gate_answer fl_gate_config(fl_slice qualifier, const fl_slice *value);
/* True where the gate can hold for a setting that is not there. */
bool fl_gate_takes_absence(fl_slice qualifier);

#endif
