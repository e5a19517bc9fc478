/*
 * location.h - where the store is: --store, or the user's state folder.
 */
#ifndef FL_LOCATION_H
#define FL_LOCATION_H

#include "args.h"
#include "store.h"

enum { FL_LOCATION_BYTES = 4096 };

/* The URL that --store gives, or $XDG_STATE_HOME/faultline/faultline.db, or the same below
 * ~/.local/state (XDG Base Directory Specification; a relative XDG_STATE_HOME is ignored, as it
 * says). FL_E_NOTFOUND where neither is known. With `make`, the default's folders are made. */
FL_NODISCARD fl_status fl_location_find(char out[FL_LOCATION_BYTES], const fl_args *args, bool make,
                                        fl_error *err);

/* The daemon's folder and its store: what is given, or in the user's state folder, which is made.
 * The same failures. */
FL_NODISCARD fl_status fl_location_data(char out[FL_LOCATION_BYTES], const char *given,
                                        fl_error *err);
FL_NODISCARD fl_status fl_location_store(char out[FL_LOCATION_BYTES], const char *given,
                                         fl_error *err);

/* The folder with the user's own signatures, $XDG_CONFIG_HOME/faultline/signatures or the same
 * below ~/.config; false where there is none. */
bool fl_location_signatures(char out[FL_LOCATION_BYTES]);

/* Where packed heap dumps are unpacked: $TMPDIR, or /var/tmp, since memory would not do and /tmp is
 * memory in many places. */
const char *fl_location_temp(void);

/* The URL as it may be shown: a password in it is three stars. */
void fl_location_show(char out[FL_LOCATION_BYTES], const char *url);

#endif
