/*
 * logchar.c - the table behind logchar.h, 16 bytes a row.
 *
 * The letters a to f stand apart from the others because a word of them alone may be an identifier
 * in hexadecimal. '_' counts as a letter: names of programs are one word. Bytes from 80 on are
 * letters, so that words in any script stay whole without decoding them.
 */
#include "logchar.h"

enum {
    D = FL_CHAR_DIGIT,
    H = FL_CHAR_HEX,
    A = FL_CHAR_ALPHA,
    U = FL_CHAR_HIGH,
    B = FL_CHAR_BLANK,
    J = FL_CHAR_JOIN
};

const unsigned char fl_char_kind[256] = {
    B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, /* 00 */
    B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, /* 10 */
    B, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, J, J, 0, J, J, /* 20 */
    D, D, D, D, D, D, D, D, D, D, J, 0, 0, 0, 0, 0, /* 30 */
    0, H, H, H, H, H, H, A, A, A, A, A, A, A, A, A, /* 40 */
    A, A, A, A, A, A, A, A, A, A, A, 0, 0, 0, 0, A, /* 50 */
    0, H, H, H, H, H, H, A, A, A, A, A, A, A, A, A, /* 60 */
    A, A, A, A, A, A, A, A, A, A, A, 0, 0, 0, 0, B, /* 70 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 80 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 90 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* a0 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* b0 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* c0 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* d0 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* e0 */
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* f0 */
};
