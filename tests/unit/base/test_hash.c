#include "hash.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fl_test.h"
#include "hash_priv.h"

static unsigned char counted[300]; /* byte i is i modulo 256 */

static void setup(void)
{
    for (size_t i = 0; i < sizeof(counted); i++)
        counted[i] = (unsigned char)i;
}

/* The published vectors of SipHash-2-4: the program of the paper's authors, key 00..0f, input of
 * `len` bytes 00, 01, 02 ... */
START_TEST(siphash_2_4_gives_the_published_values)
{
    static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    static const uint64_t expected[] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
        UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
        UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
        UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
        UINT64_C(0xa129ca6149be45e5), UINT64_C(0x3f2acc7f57c29bdb),
    };
    for (size_t len = 0; len < sizeof(expected) / sizeof(expected[0]); len++)
        ck_assert_uint_eq(fl_hash_siphash(2, 4, key, (fl_slice){counted, len}), expected[len]);
}
END_TEST

/* CPython 3.11 hashes bytes with SipHash-1-3, and with PYTHONHASHSEED=0 its key is zero: the values
 * are hash(bytes(range(len))) there. The first three stand in the authors' repository too. */
START_TEST(siphash_1_3_gives_the_published_values)
{
    static const uint64_t key[2] = {0, 0};
    static const struct {
        size_t len;
        uint64_t hash;
    } expected[] = {
        {0, UINT64_C(0xd1fba762150c532c)},  {1, UINT64_C(0x68a914128e01e473)},
        {2, UINT64_C(0x010bac45c41e3669)},  {15, UINT64_C(0xf30eb725bb91c9ea)},
        {63, UINT64_C(0x385d3e39e5f37359)}, {64, UINT64_C(0x75e05fd5bbc870c6)},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ck_assert_uint_eq(fl_hash_siphash(1, 3, key, (fl_slice){counted, expected[i].len}),
                          expected[i].hash);
    ck_assert_uint_eq(fl_hash_siphash(1, 3, key, BYTES("a")), UINT64_C(0x407448d2b89b1813));
    ck_assert_uint_eq(fl_hash_siphash(1, 3, key, BYTES("abc")), UINT64_C(0xc03bc3a0042630f2));
}
END_TEST

START_TEST(the_keyed_hash_is_siphash_1_3_under_the_process_key)
{
    for (size_t len = 0; len < 100; len++) {
        fl_slice bytes = {counted, len};
        ck_assert_uint_eq(fl_hash_keyed(bytes),
                          fl_hash_siphash(1, 3, fl_hash_process_key(), bytes));
    }
}
END_TEST

/* Two processes that start from here draw their own keys; two draws are alike once in 2^64. */
START_TEST(each_process_draws_its_own_key)
{
    uint64_t hashes[2];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    for (int i = 0; i < 2; i++) {
        pid_t child = fork(); /* before this test has drawn a key */
        if (child == 0) {
            uint64_t hash = fl_hash_keyed(BYTES("x"));
            _exit(write(ends[1], &hash, sizeof(hash)) == sizeof(hash) ? 0 : 1);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(read(ends[0], &hashes[i], sizeof(hashes[i])), sizeof(hashes[i]));
    }
    ck_assert_uint_ne(hashes[0], hashes[1]);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

static void *hash_in_thread(void *payload)
{
    *(uint64_t *)payload = fl_hash_keyed(BYTES("the same text"));
    return NULL;
}

START_TEST(all_threads_see_one_key)
{
    pthread_t threads[8];
    uint64_t hashes[8];
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hash_in_thread, &hashes[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(hashes[i], hashes[0]);
    }
}
END_TEST

/* Stored identities rest on these. They were computed by a second implementation, in Python, from
 * the formula at the top of hash.c. They must never change. */
START_TEST(the_stable_hash_never_changes)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } expected[] = {
        {0, UINT64_C(0xa7549fd5d3c4d3b5)},   {1, UINT64_C(0xe3c224767eb7ae6b)},
        {2, UINT64_C(0xc36f73db9c78a605)},   {3, UINT64_C(0x58d6456bd340ced1)},
        {4, UINT64_C(0x28b11beef72ac813)},   {7, UINT64_C(0xbbe9fb756eeeb024)},
        {8, UINT64_C(0x757a6ae32e136c52)},   {9, UINT64_C(0x2260dac41408a23c)},
        {15, UINT64_C(0x92b52f031ade87e2)},  {16, UINT64_C(0x880165ae083fa605)},
        {17, UINT64_C(0x2d80e37ece4d4b45)},  {31, UINT64_C(0x8c991ce54f5390f1)},
        {32, UINT64_C(0xa8313968600f914a)},  {33, UINT64_C(0x362ac68b749193c6)},
        {63, UINT64_C(0x780a180d2975e1e6)},  {64, UINT64_C(0x168e9386baa9199d)},
        {65, UINT64_C(0xe4ffdd71996fb99c)},  {95, UINT64_C(0x973ee6bb042b6daa)},
        {96, UINT64_C(0x33c92eddfcffebaf)},  {97, UINT64_C(0xf7461c456b3f9ca5)},
        {100, UINT64_C(0xb1c32c31adabc154)}, {128, UINT64_C(0xe731aed2daafdc13)},
        {129, UINT64_C(0xed794f44960410af)}, {256, UINT64_C(0x74dbf2ef0a273a02)},
        {300, UINT64_C(0x30178e3e2173a7e2)},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ck_assert_uint_eq(fl_hash_stable((fl_slice){counted, expected[i].len}), expected[i].hash);
    ck_assert_uint_eq(fl_hash_stable((fl_slice){0}), expected[0].hash);
}
END_TEST

START_TEST(the_stable_hash_reads_any_alignment)
{
    unsigned char shifted[160];
    for (size_t at = 0; at < 16; at++) {
        memcpy(shifted + at, counted, 130);
        for (size_t len = 0; len <= 130; len++)
            ck_assert_uint_eq(fl_hash_stable((fl_slice){shifted + at, len}),
                              fl_hash_stable((fl_slice){counted, len}));
    }
}
END_TEST

static unsigned bits_set(uint64_t word)
{
    unsigned count = 0;
    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

/* Each input bit flips each output bit about half of the time. With 256 trials a bit's share has a
 * standard deviation of 0.031; 0.2 off is six of them. */
START_TEST(every_input_bit_reaches_every_output_bit)
{
    static const size_t lengths[] = {3, 8, 13, 16, 40, 64, 131};
    enum { TRIALS = 256 };
    uint64_t noise = 9;
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
        size_t len = lengths[k], step = len > 24 ? 7 : 1;
        for (size_t bit = 0; bit < len * 8; bit += step) {
            unsigned flips[64] = {0}, total = 0;
            for (int trial = 0; trial < TRIALS; trial++) {
                unsigned char bytes[131];
                for (size_t i = 0; i < len; i++)
                    bytes[i] = (unsigned char)((noise = fl_hash_mix(noise + i)) >> 5);
                uint64_t before = fl_hash_stable((fl_slice){bytes, len});
                bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
                uint64_t changed = before ^ fl_hash_stable((fl_slice){bytes, len});
                total += bits_set(changed);
                for (unsigned out = 0; out < 64; out++)
                    flips[out] += (unsigned)(changed >> out & 1);
            }
            ck_assert_msg(total > 30 * TRIALS && total < 34 * TRIALS, "length %zu bit %zu: %u", len,
                          bit, total);
            for (unsigned out = 0; out < 64; out++)
                ck_assert_msg(flips[out] > TRIALS * 30 / 100 && flips[out] < TRIALS * 70 / 100,
                              "length %zu bit %zu flips bit %u %u times", len, bit, out,
                              flips[out]);
        }
    }
}
END_TEST

static int compare_words(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void assert_distinct(uint64_t *hashes, size_t count)
{
    qsort(hashes, count, sizeof(*hashes), compare_words);
    size_t collisions = 0; /* one check for all: each costs a message to the parent */
    for (size_t i = 1; i < count; i++)
        collisions += hashes[i - 1] == hashes[i];
    ck_assert_uint_eq(collisions, 0);
}

/* A million each; chance alone gives a collision once in 2^25 runs, and the inputs never vary. */
START_TEST(alike_texts_do_not_collide)
{
    enum { COUNT = 1000000 };
    uint64_t *hashes = malloc(COUNT * sizeof(*hashes));
    char text[64];
    for (size_t i = 0; i < COUNT; i++) {
        int len = snprintf(text, sizeof(text), "ts-order-service-%zu", i);
        hashes[i] = fl_hash_stable((fl_slice){(unsigned char *)text, (size_t)len});
    }
    assert_distinct(hashes, COUNT);
    for (size_t i = 0; i < COUNT; i++) { /* zeros of every length, and one byte set in them */
        unsigned char zeros[1000] = {0};
        size_t len = i % 1000 + 1, at = i / 1000;
        if (at < len)
            zeros[at] = 1;
        hashes[i] = at < len ? fl_hash_stable((fl_slice){zeros, len}) : i;
    }
    assert_distinct(hashes, COUNT);
    for (uint64_t i = 0; i < COUNT; i++) { /* two words with few bits, of both lanes */
        unsigned char words[64] = {0};
        memcpy(words + 8 * (i % 8), &(uint64_t){i / 8 + 1}, 8);
        hashes[i] = fl_hash_stable((fl_slice){words, 64});
    }
    assert_distinct(hashes, COUNT);
    free(hashes);
}
END_TEST

/* splitmix64's finaliser, whose first outputs from seed 0 are published with the generator. */
START_TEST(mix_is_splitmix64)
{
    static const uint64_t expected[] = {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
                                        UINT64_C(0x06c45d188009454f)};
    for (uint64_t i = 0; i < 3; i++)
        ck_assert_uint_eq(fl_hash_mix((i + 1) * UINT64_C(0x9e3779b97f4a7c15)), expected[i]);
    ck_assert_uint_eq(fl_hash_mix(0), 0);
}
END_TEST

static Suite *hash_suite(void)
{
    Suite *suite = suite_create("base/hash");
    TCase *cases = tcase_create("hash");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, NULL);
    /* first, for CK_FORK=no: the others draw this process's key */
    tcase_add_test(cases, each_process_draws_its_own_key);
    tcase_add_test(cases, siphash_2_4_gives_the_published_values);
    tcase_add_test(cases, siphash_1_3_gives_the_published_values);
    tcase_add_test(cases, the_keyed_hash_is_siphash_1_3_under_the_process_key);
    tcase_add_test(cases, all_threads_see_one_key);
    tcase_add_test(cases, the_stable_hash_never_changes);
    tcase_add_test(cases, the_stable_hash_reads_any_alignment);
    tcase_add_test(cases, every_input_bit_reaches_every_output_bit);
    tcase_add_test(cases, alike_texts_do_not_collide);
    tcase_add_test(cases, mix_is_splitmix64);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(hash_suite)
