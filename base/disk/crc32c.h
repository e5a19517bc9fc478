/*
 * crc32c.h - the CRC of iSCSI, ext4 and leveldb: polynomial 0x1EDC6F41 (Castagnoli), reflected, RFC
 * 3720 section 12.1. Processors have an instruction for it.
 */
#ifndef FL_CRC32C_H
#define FL_CRC32C_H

#include "faultline/status.h"

/* The CRC of what `crc` was of (0: nothing), followed by `bytes`. */
uint32_t fl_crc32c(uint32_t crc, fl_slice bytes);
/* The same by tables: what processors without the instruction use, and what tests compare with. */
uint32_t fl_crc32c_portable(uint32_t crc, fl_slice bytes);

#endif
