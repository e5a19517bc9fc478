/*
 * hash.c - SipHash-1-3 with a process key, and a folded-multiply hash that never changes.
 *
 * fl_hash_stable, for an input of n bytes read as little-endian words (K are odd constants, the
 * first 64 fractional bits of the square roots of 2, 3, 5 and 7, made odd):
 *
 *     fold(a, b) = low 64 bits ^ high 64 bits of the 128-bit product a * b
 *     step(s, a, b) = rotl(s, 23) + fold(s ^ a ^ K0, b ^ K1)
 *     s = n * K2; for each whole 16 bytes (a, b): s = step(s, a, b)
 *     the rest, 0 to 15 bytes, padded with zeros to (a, b): s = step(s, a, b)
 *     result = mix(s ^ K3)
 *
 * From 64 bytes on, two such states take 16 bytes each of every 32 so that their multiplications
 * overlap; they meet in s = step(s, t, rotl(t, 32)). The rotated sum keeps the state alive where a
 * factor is zero. It is not keyed: who knows it can build collisions, so no table of hostile text
 * is placed by it. Cost: about 1 ns for a short text, some 10 GB/s for a long one.
 */
#include "hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "hash_priv.h"

static const uint64_t K0 = UINT64_C(0x6a09e667f3bcc909);
static const uint64_t K1 = UINT64_C(0xbb67ae8584caa73b);
static const uint64_t K2 = UINT64_C(0x3c6ef372fe94f82b);
static const uint64_t K3 = UINT64_C(0xa54ff53a5f1d36f1);

enum { TWO_LANES_FROM = 64 };

/* `bits` is 1 to 63: the other shift must not be by 64. */
static inline uint64_t rotl(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* Compilers make one load of it. */
static inline uint64_t read_le64(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* Widened, as it is combined with others to 64 bits. */
static inline uint64_t read_le32(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

/* The last `len` < 8 bytes, padded with zeros, by loads that overlap where that is no matter. */
static inline uint64_t read_le_tail(const unsigned char *p, size_t len)
{
    assert(len < 8);
    if (len >= 4)
        return read_le32(p) | read_le32(p + len - 4) << 8 * (len - 4);
    if (len == 0)
        return 0;
    size_t middle = len / 2, last = len - 1;
    return p[0] | (uint64_t)p[middle] << 8 * middle | (uint64_t)p[last] << 8 * last;
}

uint64_t fl_hash_mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* The whole 128-bit product counts: its low half alone would ignore the factors' high bits. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 u128;
    u128 product = (u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t al = a & UINT32_MAX, ah = a >> 32, bl = b & UINT32_MAX, bh = b >> 32;
    uint64_t ll = al * bl, lh = al * bh, hl = ah * bl;
    uint64_t middle = (ll >> 32) + (lh & UINT32_MAX) + (hl & UINT32_MAX);
    uint64_t high = ah * bh + (lh >> 32) + (hl >> 32) + (middle >> 32);
    return (middle << 32 | (ll & UINT32_MAX)) ^ high;
#endif
}

/* One turn of fl_hash_stable, as in the formula above. */
static inline uint64_t step(uint64_t state, uint64_t a, uint64_t b)
{
    return rotl(state, 23) + fold(state ^ a ^ K0, b ^ K1);
}

uint64_t fl_hash_stable(fl_slice bytes)
{
    const unsigned char *p = bytes.ptr;
    size_t left = bytes.len;
    uint64_t state = (uint64_t)left * K2;
    if (left >= TWO_LANES_FROM) {
        uint64_t other = ~state;
        for (; left >= 32; left -= 32, p += 32) {
            state = step(state, read_le64(p), read_le64(p + 8));
            other = step(other, read_le64(p + 16), read_le64(p + 24));
        }
        state = step(state, other, rotl(other, 32));
    }
    for (; left >= 16; left -= 16, p += 16)
        state = step(state, read_le64(p), read_le64(p + 8));
    if (left >= 8)
        state = step(state, read_le64(p), read_le_tail(p + 8, left - 8));
    else
        state = step(state, read_le_tail(p, left), 0);
    return fl_hash_mix(state ^ K3);
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

/* SipRound (Aumasson and Bernstein, SipHash, INDOCRYPT 2012). */
static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

/* The numbers of rounds are constants at each call, so that the loops are unrolled. */
static inline uint64_t siphash(unsigned c_rounds, unsigned d_rounds, const uint64_t key[2],
                               fl_slice bytes)
{
    struct sip s = {
        .v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key[1] ^ UINT64_C(0x7465646279746573),
    };
    const unsigned char *p = bytes.ptr;
    size_t left = bytes.len;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word = read_le64(p);
        s.v3 ^= word;
        for (unsigned i = 0; i < c_rounds; i++)
            sip_round(&s);
        s.v0 ^= word;
    }
    uint64_t last = (uint64_t)bytes.len << 56 | read_le_tail(p, left);
    s.v3 ^= last;
    for (unsigned i = 0; i < c_rounds; i++)
        sip_round(&s);
    s.v0 ^= last;
    s.v2 ^= 0xff;
    for (unsigned i = 0; i < d_rounds; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t fl_hash_siphash(unsigned c_rounds, unsigned d_rounds, const uint64_t key[2],
                         fl_slice bytes)
{
    assert(c_rounds > 0 && d_rounds > 0);
    return siphash(c_rounds, d_rounds, key, bytes);
}

static uint64_t process_key[2];
static atomic_bool key_is_drawn;
static pthread_once_t draw_once = PTHREAD_ONCE_INIT;

/* Once a process; never written anywhere, so that nobody can build collisions beforehand. */
static void draw_key(void)
{
    /* A kernel without getentropy leaves the clock and the layout of memory: weaker, never wrong.
     */
    if (getentropy(process_key, sizeof(process_key)) != 0) {
        struct timespec now = {0};
        clock_gettime(CLOCK_MONOTONIC, &now);
        process_key[0] = fl_hash_mix((uint64_t)now.tv_nsec + (uint64_t)(uintptr_t)&now);
        process_key[1] = fl_hash_mix((uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&draw_key);
    }
    atomic_store_explicit(&key_is_drawn, true, memory_order_release);
}

const uint64_t *fl_hash_process_key(void)
{
    if (!atomic_load_explicit(&key_is_drawn, memory_order_acquire))
        pthread_once(&draw_once, draw_key);
    return process_key;
}

uint64_t fl_hash_keyed(fl_slice bytes)
{
    return siphash(1, 3, fl_hash_process_key(), bytes);
}
