/*
 * serve_redact.h - redaction as the configuration says it.
 */
#ifndef FL_SERVE_REDACT_H
#define FL_SERVE_REDACT_H

#include "config.h"
#include "redact.h"

/* Told the name of a rule that runs on every text. */
typedef void fl_serve_redact_slow(void *payload, const char *name);

/* The caller gives *out back. A failure says where in the configuration it stands. */
FL_NODISCARD fl_status fl_serve_redaction(fl_redact_rules **out, const fl_config *config,
                                          fl_serve_redact_slow *slow, void *payload, fl_error *err);

#endif
