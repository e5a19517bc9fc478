/*
 * sha256.c - SHA-256 block by block.
 *
 * Names of the working variables are those of FIPS 180-4, section 6.2. Cost: some 10 ns a byte
 * without the processor's own instructions; webhooks are small.
 */
#include "sha256.h"

#include <assert.h>
#include <string.h>

enum { BLOCK = 64, LENGTH_BYTES = 8, ROUNDS = 64 };

struct sha256 {
    uint32_t h[8];
    uint64_t len; /* bytes so far */
    unsigned char block[BLOCK];
};

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void schedule(uint32_t w[ROUNDS], const unsigned char *block)
{
    for (size_t t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (size_t t = 16; t < ROUNDS; t++) {
        uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
}

static void compress(uint32_t h[8], const unsigned char *block)
{
    uint32_t w[ROUNDS], v[8];
    schedule(w, block);
    memcpy(v, h, sizeof(v));
    for (size_t t = 0; t < ROUNDS; t++) {
        uint32_t a = v[0], e = v[4];
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t choice = (e & v[5]) ^ (~e & v[6]);
        uint32_t t1 = v[7] + s1 + choice + k[t] + w[t];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t majority = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (size_t i = 0; i < 8; i++)
        h[i] += v[i];
}

static void begin(struct sha256 *s)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->h, start, sizeof(start));
    s->len = 0;
}

static void add(struct sha256 *s, fl_slice bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        size_t filled = (size_t)(s->len % BLOCK), len = BLOCK - filled;
        len = bytes.len - at < len ? bytes.len - at : len;
        memcpy(s->block + filled, bytes.ptr + at, len);
        at += len;
        s->len += len;
        if (s->len % BLOCK == 0)
            compress(s->h, s->block);
    }
}

static void finish(struct sha256 *s, unsigned char out[FL_SHA256_BYTES])
{
    static const unsigned char padding[BLOCK] = {0x80};
    unsigned char length[LENGTH_BYTES];
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        length[i] = (unsigned char)(s->len * 8 >> (56 - 8 * i));
    size_t filled = (size_t)(s->len % BLOCK);
    size_t len = filled < BLOCK - LENGTH_BYTES ? BLOCK - LENGTH_BYTES - filled
                                               : 2 * BLOCK - LENGTH_BYTES - filled;
    add(s, (fl_slice){.ptr = padding, .len = len});
    add(s, (fl_slice){.ptr = length, .len = sizeof(length)});
    assert(s->len % BLOCK == 0);
    for (size_t i = 0; i < FL_SHA256_BYTES; i++)
        out[i] = (unsigned char)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void fl_sha256(unsigned char out[FL_SHA256_BYTES], fl_slice bytes)
{
    struct sha256 s;
    begin(&s);
    add(&s, bytes);
    finish(&s, out);
}

void fl_hmac_sha256(unsigned char out[FL_SHA256_BYTES], fl_slice key, fl_slice message)
{
    unsigned char block[BLOCK] = {0}, inner[FL_SHA256_BYTES];
    struct sha256 s;
    if (key.len > BLOCK)
        fl_sha256(block, key);
    else if (key.len > 0)
        memcpy(block, key.ptr, key.len);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36;
    begin(&s);
    add(&s, (fl_slice){.ptr = block, .len = BLOCK});
    add(&s, message);
    finish(&s, inner);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    begin(&s);
    add(&s, (fl_slice){.ptr = block, .len = BLOCK});
    add(&s, (fl_slice){.ptr = inner, .len = sizeof(inner)});
    finish(&s, out);
}

bool fl_secret_equal(fl_slice secret, fl_slice given)
{
    assert(secret.len > 0); /* an empty secret would let everybody in */
    volatile unsigned char differs = secret.len != given.len;
    for (size_t i = 0; i < given.len; i++)
        differs |= (unsigned char)(given.ptr[i] ^ secret.ptr[i % secret.len]);
    return differs == 0;
}
