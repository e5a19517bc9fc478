/*
 * given_signatures.h - the library of leak signatures, with those of the user's own.
 */
#ifndef FL_GIVEN_SIGNATURES_H
#define FL_GIVEN_SIGNATURES_H

#include "args.h"
#include "location.h"
#include "signatures_load.h"

/* --signatures, where what it names comes on top of what is built in. */
#define FL_OPTION_SIGNATURES                                                                       \
    {                                                                                              \
        .name = "signatures", .kind = FL_OPTION_FOLDER, .repeatable = true, .argument = "DIR",     \
        .help = "A YAML file with signatures of your own, or a folder of them; one replaces the"   \
                " built-in one of its name"                                                        \
    }

/* What --signatures names, and the user's folder, whose name is written to `config`: the paths in
 * `out`, in the order in which they are loaded. Returns how many. */
size_t fl_given_signature_paths(const char *out[FL_MAX_GIVEN + 1], char config[FL_LOCATION_BYTES],
                                const fl_args *args);
/* What is built in, what --signatures names, and the user's folder (fl_location_signatures()). The
 * caller owns *out, also on failure. */
FL_NODISCARD fl_status fl_given_signatures(fl_signatures **out, const fl_args *args, fl_error *err);

#endif
