/*
 * profile_text.h - names out of profiles, made fit for a terminal, for JSON and for XML.
 *
 * Names are bytes that somebody else chose. On a terminal, control characters and marks that
 * reorder text become '?'; in JSON and XML what is not UTF-8 becomes U+FFFD, and in XML also what
 * XML 1.0 cannot hold.
 */
#ifndef FL_PROFILE_TEXT_H
#define FL_PROFILE_TEXT_H

#include "buf.h"

/* Append `text` as the place it goes to can hold it; see above. */
void fl_profile_text_terminal(fl_buf *out, fl_slice text);
void fl_profile_text_json(fl_buf *out, fl_slice text); /* with its quotes */
void fl_profile_text_xml(fl_buf *out, fl_slice text);

#endif
