/*
 * given_signatures.c - the order in which they are loaded: the later replaces what has its name.
 */
#include "given_signatures.h"

size_t fl_given_signature_paths(const char *out[FL_MAX_GIVEN + 1], char config[FL_LOCATION_BYTES],
                                const fl_args *args)
{
    size_t count = fl_args_list(args, "signatures", out);
    if (fl_location_signatures(config))
        out[count++] = config;
    return count;
}

fl_status fl_given_signatures(fl_signatures **out, const fl_args *args, fl_error *err)
{
    const char *own[FL_MAX_GIVEN + 1];
    char config[FL_LOCATION_BYTES];
    size_t count = fl_given_signature_paths(own, config, args);
    fl_status status = fl_signatures_create(out, err);
    if (status == FL_OK)
        status = fl_signatures_add_built_in(*out, err);
    return status == FL_OK ? fl_signatures_load(*out, own, count, err) : status;
}
