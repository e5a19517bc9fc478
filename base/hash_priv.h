/*
 * hash_priv.h - the parts of hash.c that base/ and the tests use.
 */
#ifndef FL_HASH_PRIV_H
#define FL_HASH_PRIV_H

#include "faultline/status.h"

/* SipHash-c-d; the tests run it against the published vectors of SipHash-2-4 and -1-3. */
uint64_t fl_hash_siphash(unsigned c_rounds, unsigned d_rounds, const uint64_t key[2],
                         fl_slice bytes);
/* Two random words, drawn once per process. Thread-safe. */
const uint64_t *fl_hash_process_key(void);

#endif
