/*
 * naming.h - give the frames of a profile the names that it lacks: addresses by the program's own
 * tables, places in generated JavaScript by source maps.
 */
#ifndef FL_NAMING_H
#define FL_NAMING_H

#include "faultline/profile.h"

typedef struct fl_naming fl_naming;

FL_NODISCARD fl_status fl_naming_create(fl_naming **out, fl_error *err);
void fl_naming_destroy(fl_naming *naming); /* NULL is a no-op */
/* A program (fl_symbols_open); several are asked in the order given. */
FL_NODISCARD fl_status fl_naming_add_binary(fl_naming *naming, const char *path, fl_error *err);
/* A source map, or all files of a folder that end in ".map". FL_E_NOTFOUND: "PATH holds no .map
 * files"; otherwise as fl_srcmap_read, with the path. */
FL_NODISCARD fl_status fl_naming_add_map(fl_naming *naming, const char *path, fl_error *err);
/* Whether anything was added. */
bool fl_naming_has_any(const fl_naming *naming);

/* What was done to one profile. */
typedef struct fl_naming_result {
    uint64_t named_addresses;   /* locations that a program named */
    uint64_t unnamed_addresses; /* locations without a name that are still without one */
    uint64_t mapped_places;     /* frames that a source map led to their source */
    bool is_other_build; /* the profile's program and the given one have build ids that differ */
} fl_naming_result;

/* *out becomes a copy of `in` with the names there are; texts of `in` stay borrowed, so that it has
 * to live as long as the content of `out`. Locations that have names already keep them, unless a
 * source map speaks of their file. A program of another build is not asked. */
FL_NODISCARD fl_status fl_naming_apply(fl_profile *out, const fl_naming *naming,
                                       const fl_profile *in, fl_naming_result *result,
                                       fl_error *err);

#endif
