/*
 * hash.h - two hashes with two purposes.
 *
 * fl_hash_keyed: SipHash-1-3 (Aumasson and Bernstein, INDOCRYPT 2012) with a key drawn per
 * process: for tables that hold hostile text. Its value must never reach an answer or a file.
 * fl_hash_stable: an unkeyed 64-bit hash, the same on every machine and run: for identities that
 * are stored or that decide sampling.
 */
#ifndef FL_HASH_H
#define FL_HASH_H

#include "faultline/status.h"

/* O(len), of any bytes; the empty slice has a hash as well. */
uint64_t fl_hash_keyed(fl_slice bytes);
uint64_t fl_hash_stable(fl_slice bytes);
/* A bijective finaliser (splitmix64), for integers used as table keys or to combine hashes. */
uint64_t fl_hash_mix(uint64_t value);

#endif
