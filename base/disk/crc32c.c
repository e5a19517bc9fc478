/*
 * crc32c.c - with SSE 4.2's instruction 8 bytes at a time, where the processor has it; else by four
 * tables of which each turns one byte of a word (Kounavis and Berry, "A systematic approach to
 * building high performance software-based CRC generators", 2005).
 */
#include "crc32c.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

/* Reflected. */
static const uint32_t POLYNOMIAL = 0x82F63B78;

static uint32_t table[4][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* table[t][b]: what byte b has become t bytes later. */
static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
        table[0][byte] = crc;
    }
    for (size_t t = 1; t < 4; t++)
        for (size_t byte = 0; byte < 256; byte++)
            table[t][byte] = table[t - 1][byte] >> 8 ^ table[0][table[t - 1][byte] & 0xFF];
}

uint32_t fl_crc32c_portable(uint32_t crc, fl_slice bytes)
{
    if (bytes.len == 0)
        return crc;
    const unsigned char *at = bytes.ptr, *end = at + bytes.len;
    assert(at != NULL);
    (void)pthread_once(&once, make_tables);
    crc = ~crc;
    for (; end - at >= 4; at += 4) {
        crc ^=
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        crc = table[3][crc & 0xFF] ^ table[2][crc >> 8 & 0xFF] ^ table[1][crc >> 16 & 0xFF] ^
              table[0][crc >> 24];
    }
    for (; at < end; at++)
        crc = crc >> 8 ^ table[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t crc, fl_slice bytes)
{
    if (bytes.len == 0)
        return crc;
    const unsigned char *at = bytes.ptr, *end = at + bytes.len;
    uint64_t wide = ~crc;
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; at < end; at++)
        crc = _mm_crc32_u8(crc, *at);
    return ~crc;
}

uint32_t fl_crc32c(uint32_t crc, fl_slice bytes)
{
    return __builtin_cpu_supports("sse4.2") ? with_instruction(crc, bytes)
                                            : fl_crc32c_portable(crc, bytes);
}
#else
uint32_t fl_crc32c(uint32_t crc, fl_slice bytes)
{
    return fl_crc32c_portable(crc, bytes);
}
#endif
