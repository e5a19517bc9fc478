/*
 * signatures_load.h - a user's signatures, from files and folders.
 */
#ifndef FL_SIGNATURES_LOAD_H
#define FL_SIGNATURES_LOAD_H

#include "signatures.h"

/* Add the documents of `paths` as own ones: files, and of folders the .yaml and .yml files right in
 * them. In the order of their paths. Fails as fl_signatures_add(), FL_E_IO, FL_E_LIMIT. */
FL_NODISCARD fl_status fl_signatures_load(fl_signatures *library, const char *const *paths,
                                          size_t count, fl_error *err);

#endif
