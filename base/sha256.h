/*
 * sha256.h - SHA-256 (FIPS 180-4), HMAC with it (RFC 2104), and a comparison whose time tells
 * nothing: what the signatures of webhooks need. Not for passwords.
 */
#ifndef FL_SHA256_H
#define FL_SHA256_H

#include <stdbool.h>

#include "faultline/status.h"

enum { FL_SHA256_BYTES = 32 };

/* FIPS 180-4, of the whole of `bytes`. */
void fl_sha256(unsigned char out[FL_SHA256_BYTES], fl_slice bytes);
/* RFC 2104, with keys of any length. */
void fl_hmac_sha256(unsigned char out[FL_SHA256_BYTES], fl_slice key, fl_slice message);
/* The time depends on the length of `given` alone: it is what a stranger sends. */
bool fl_secret_equal(fl_slice secret, fl_slice given);

#endif
