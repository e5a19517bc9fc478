/*
 * sign.h - copies of signs, whose texts belong to somebody else.
 */
#ifndef FL_SIGN_H
#define FL_SIGN_H

#include "groups.h"

/* Room for a sign's texts; each counts up to FL_MAX_SIGN_TEXT_BYTES. */
size_t fl_sign_text_bytes(const fl_sign *sign);
/* `texts` has that room, and lives as long as the copy. */
void fl_sign_copy(fl_sign *out, char *texts, const fl_sign *sign);

#endif
