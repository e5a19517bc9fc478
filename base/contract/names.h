/*
 * names.h - the words of the JSON contract, from a word back to its value.
 *
 * The other direction (fl_cause_name() and its kin) is part of the installed API and declared in
 * faultline/incident.h; both read the same tables in names.c.
 */
#ifndef FL_NAMES_H
#define FL_NAMES_H

#include <stdbool.h>

#include "faultline/incident.h"
#include "faultline/picture.h"
#include "faultline/timeline.h"

/* False, with *out untouched, when `name` is NULL or not a word of the contract. */
bool fl_modality_parse(fl_modality *out, const char *name);
bool fl_cause_parse(fl_cause *out, const char *name);
bool fl_resource_parse(fl_resource_kind *out, const char *name);
bool fl_locus_parse(fl_locus_kind *out, const char *name);
bool fl_verdict_parse(fl_verdict *out, const char *name);
bool fl_role_parse(fl_role *out, const char *name);
bool fl_picture_kind_parse(fl_picture_kind *out, const char *name);
bool fl_kept_kind_parse(fl_kept_kind *out, const char *name);

#endif
