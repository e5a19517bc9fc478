/*
 * version.h - the order of component versions, as each ecosystem defines it, and ranges of them.
 *
 * semver  Semantic Versioning 2.0.0, section 11. A leading "v" is taken, and so are versions with
 *         fewer than three numbers (the rest is 0), since components in the field write them.
 * go      The same with Go's "v" and "+incompatible"; pseudo-versions (v0.0.0-20191109021931-
 *         daa7c04131f5) need no rule of their own: they are pre-releases by construction
 *         (Go Modules Reference, "Pseudo-versions").
 * maven   The "Version Order Specification" of the POM reference.
 * debian  deb-version(7): epoch:upstream-revision, where "~" sorts before the end of the text.
 *
 * Numbers are compared as digits, so that none is too long. Nothing is allocated.
 */
#ifndef FL_VERSION_H
#define FL_VERSION_H

#include <stdbool.h>

#include "faultline/status.h"

typedef enum fl_ecosystem {
    FL_ECOSYSTEM_SEMVER,
    FL_ECOSYSTEM_GO,
    FL_ECOSYSTEM_MAVEN,
    FL_ECOSYSTEM_DEBIAN,
    FL_ECOSYSTEM_COUNT
} fl_ecosystem;

/* No version in use is near it; it bounds what a hostile one can cost. */
#define FL_VERSION_BYTES 256

const char *fl_ecosystem_name(fl_ecosystem ecosystem); /* "semver" */
bool fl_ecosystem_of(fl_slice name, fl_ecosystem *out);

/* FL_E_SYNTAX where `text` is no version of the ecosystem, with the offset of what is wrong;
 * FL_E_LIMIT above FL_VERSION_BYTES. */
FL_NODISCARD fl_status fl_version_check(fl_ecosystem ecosystem, fl_slice text, fl_error *err);
/* <0, 0, >0. Both must have passed fl_version_check(). A total order on what it calls different:
 * texts that it calls equal (1.0 and 1 in Maven) are the same version. */
int fl_version_compare(fl_ecosystem ecosystem, fl_slice a, fl_slice b);

/*
 * Ranges:  any ( "||" any )*,  any = comparator+ | interval
 *   comparator  ("=" | "!=" | "<" | "<=" | ">" | ">=" | "^" | "~")? VERSION, all of them must hold;
 *               spaces or commas between. "^1.2.3" is >=1.2.3 below the next change of the first
 *               number that is not 0, "~1.2.3" below the next of the second, as npm and Cargo say.
 *   interval    Maven's "[1.0,2.0)", "(,1.5]", "[1.3]".
 *   "*"         every version.
 * A pre-release lies in a range when the order says so: 2.0.0-rc.1 is in "<2.0.0".
 */
FL_NODISCARD fl_status fl_version_range_check(fl_ecosystem ecosystem, fl_slice range,
                                              fl_error *err);
/* `range` and `version` must have passed their checks. */
bool fl_version_in_range(fl_ecosystem ecosystem, fl_slice range, fl_slice version);

#endif
