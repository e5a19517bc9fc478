#include "utf8.h"

#include <stdbool.h>

#include "fl_test.h"

/* check notes each ck_assert in a file; a million of them is what this saves. */
#define EXPECT_UINT(got, wanted)                                                                   \
    do {                                                                                           \
        size_t got_ = (got), wanted_ = (wanted);                                                   \
        if (got_ != wanted_)                                                                       \
            ck_assert_uint_eq(got_, wanted_);                                                      \
    } while (0)

static size_t valid_len(const unsigned char *bytes, size_t len)
{
    return fl_utf8_valid_prefix((fl_slice){.ptr = bytes, .len = len});
}

START_TEST(every_scalar_value_survives_a_round_trip)
{
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        if (code >= 0xd800 && code <= 0xdfff)
            continue;
        unsigned char bytes[4];
        size_t len = fl_utf8_encode(bytes, code);
        EXPECT_UINT(len, code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);
        EXPECT_UINT(valid_len(bytes, len), len);
        uint32_t decoded = 0;
        EXPECT_UINT(fl_utf8_decode(&decoded, (fl_slice){.ptr = bytes, .len = len}), len);
        EXPECT_UINT(decoded, code);
        if (len > 1)
            EXPECT_UINT(valid_len(bytes, len - 1), 0);
    }
}
END_TEST

/* What RFC 3629 allows, said in another way: decode, and see that the shortest form was used. */
static bool is_sequence(const unsigned char *b, size_t len)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t wanted = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc0 || b[0] > 0xf7 || len != wanted)
        return false;
    uint32_t code = b[0] & (0x7fu >> wanted);
    for (size_t i = 1; i < len; i++) {
        if (b[i] >> 6 != 2)
            return false;
        code = code << 6 | (b[i] & 0x3fu);
    }
    return code >= lowest[len] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

START_TEST(every_pair_and_every_edge_of_longer_sequences_is_judged_as_the_standard_says)
{
    static const unsigned char edge[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                         0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf4, 0xff};
    enum { EDGES = sizeof(edge) };
    for (unsigned lead = 0x80; lead <= 0xff; lead++)
        for (unsigned second = 0; second <= 0xff; second++) {
            unsigned char b[4] = {(unsigned char)lead, (unsigned char)second, 0, 0};
            EXPECT_UINT(valid_len(b, 2), is_sequence(b, 2) ? 2 : 0);
            for (size_t i = 0; i < EDGES; i++) {
                b[2] = edge[i];
                if (!is_sequence(b, 2))
                    EXPECT_UINT(valid_len(b, 3), is_sequence(b, 3) ? 3 : 0);
                for (size_t j = 0; j < EDGES && lead >= 0xf0; j++) {
                    b[3] = edge[j];
                    EXPECT_UINT(valid_len(b, 4), is_sequence(b, 4) ? 4 : 0);
                }
            }
        }
}
END_TEST

START_TEST(the_first_bad_byte_is_found_wherever_it_stands)
{
    unsigned char text[70];
    for (size_t at = 0; at < sizeof(text); at++)
        for (size_t accent = 0; accent + 1 < sizeof(text); accent++) {
            memset(text, 'a', sizeof(text));
            memcpy(text + accent, "\xc3\xa9", 2);
            text[at] = 0xff;
            size_t expected = at == accent + 1 ? accent : at; /* the sequence, not its tail */
            if (at == accent)
                expected = at;
            EXPECT_UINT(valid_len(text, sizeof(text)), expected);
        }
    EXPECT_UINT(fl_utf8_valid_prefix((fl_slice){0}), 0);
}
END_TEST

static Suite *utf8_suite(void)
{
    Suite *suite = suite_create("base/utf8");
    TCase *cases = tcase_create("utf8");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, every_scalar_value_survives_a_round_trip);
    tcase_add_test(cases,
                   every_pair_and_every_edge_of_longer_sequences_is_judged_as_the_standard_says);
    tcase_add_test(cases, the_first_bad_byte_is_found_wherever_it_stands);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(utf8_suite)
