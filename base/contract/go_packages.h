/*
 * go_packages.h - which of Go's packages are the standard library's, by their paths.
 */
#ifndef FL_GO_PACKAGES_H
#define FL_GO_PACKAGES_H

#include <stdbool.h>

#include "faultline/status.h"

/* Whether packages of the standard library begin with this element ("net" of "net/http"). */
bool fl_go_is_standard(fl_slice first_element);

#endif
