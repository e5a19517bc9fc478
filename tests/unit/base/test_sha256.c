/*
 * SHA-256 and HMAC: the vectors of FIPS 180-4's examples and of RFC 4231, and GitHub's own example.
 */
#include "sha256.h"

#include <stdio.h>

#include "fl_test.h"

static const char *hex_of(const unsigned char *bytes)
{
    static char text[2 * FL_SHA256_BYTES + 1];
    for (size_t i = 0; i < FL_SHA256_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

/* `text` again and again, `times` in all. */
static const struct {
    const char *text;
    size_t times;
    const char *digest;
} digests[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

START_TEST(digests_are_those_of_the_standard)
{
    unsigned char out[FL_SHA256_BYTES];
    size_t len = strlen(digests[_i].text);
    unsigned char *bytes = malloc(len * digests[_i].times + 1);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < digests[_i].times; i++)
        memcpy(bytes + i * len, digests[_i].text, len);
    fl_sha256(out, (fl_slice){.ptr = bytes, .len = len * digests[_i].times});
    ck_assert_str_eq(hex_of(out), digests[_i].digest);
    free(bytes);
}
END_TEST

#define BYTES_20(c) c c c c c c c c c c c c c c c c c c c c
#define BYTES_50(c) BYTES_20(c) BYTES_20(c) c c c c c c c c c c

static const struct {
    fl_slice key;
    size_t key_times; /* of a key of one byte */
    fl_slice message;
    const char *mac;
} macs[] = {
    {BYTES_INIT("\x0b"), 20, BYTES_INIT("Hi There"),
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {BYTES_INIT("Jefe"), 1, BYTES_INIT("what do ya want for nothing?"),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {BYTES_INIT("\xaa"), 20, BYTES_INIT(BYTES_50("\xdd")),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {BYTES_INIT("\xaa"), 131, BYTES_INIT("Test Using Larger Than Block-Size Key - Hash Key First"),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {BYTES_INIT("\xaa"), 131,
     BYTES_INIT("This is a test using a larger than block-size key and a larger than block-size "
                "data. The key needs to be hashed before being used by the HMAC algorithm."),
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    {BYTES_INIT("It's a Secret to Everybody"), 1, BYTES_INIT("Hello, World!"),
     "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
};

START_TEST(macs_are_those_of_the_standard)
{
    unsigned char key[200], out[FL_SHA256_BYTES];
    fl_slice whole = {.ptr = key, .len = macs[_i].key.len * macs[_i].key_times};
    for (size_t i = 0; i < whole.len; i++)
        key[i] = macs[_i].key.ptr[i % macs[_i].key.len];
    fl_hmac_sha256(out, whole, macs[_i].message);
    ck_assert_str_eq(hex_of(out), macs[_i].mac);
}
END_TEST

/* The digest of the digests of 0 to 129 bytes 'x', as Python's hashlib has it. */
START_TEST(padding_is_right_at_every_length)
{
    unsigned char bytes[130], digests_of[130 * FL_SHA256_BYTES], out[FL_SHA256_BYTES];
    memset(bytes, 'x', sizeof(bytes));
    for (size_t len = 0; len < sizeof(bytes); len++)
        fl_sha256(digests_of + len * FL_SHA256_BYTES, (fl_slice){.ptr = bytes, .len = len});
    fl_sha256(out, (fl_slice){.ptr = digests_of, .len = sizeof(digests_of)});
    ck_assert_str_eq(hex_of(out),
                     "6d0989028287a2bd990515b95658bb810cf688b69517dfc49e4b3778e0b6d923");
}
END_TEST

START_TEST(secrets_are_equal_or_not)
{
    ck_assert(fl_secret_equal(SLICE("token"), SLICE("token")));
    ck_assert(!fl_secret_equal(SLICE("token"), SLICE("tokem")));
    ck_assert(!fl_secret_equal(SLICE("token"), SLICE("toke")));
    ck_assert(!fl_secret_equal(SLICE("token"), SLICE("tokentoken")));
    ck_assert(!fl_secret_equal(SLICE("token"), SLICE("")));
}
END_TEST

static Suite *sha256_suite(void)
{
    Suite *suite = suite_create("base/sha256");
    TCase *cases = tcase_create("sha256");
    tcase_add_loop_test(cases, digests_are_those_of_the_standard, 0,
                        sizeof(digests) / sizeof(digests[0]));
    tcase_add_loop_test(cases, macs_are_those_of_the_standard, 0, sizeof(macs) / sizeof(macs[0]));
    tcase_add_test(cases, padding_is_right_at_every_length);
    tcase_add_test(cases, secrets_are_equal_or_not);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(sha256_suite)
