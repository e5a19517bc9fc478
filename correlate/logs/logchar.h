/*
 * logchar.h - what each byte of a log line is, in one table look-up.
 */
#ifndef FL_LOGCHAR_H
#define FL_LOGCHAR_H

#include <stdbool.h>

enum {
    FL_CHAR_DIGIT = 1,  /* 0-9 */
    FL_CHAR_HEX = 2,    /* a-f, A-F */
    FL_CHAR_ALPHA = 4,  /* the other letters and '_' */
    FL_CHAR_HIGH = 8,   /* 0x80 and above: part of UTF-8, or not */
    FL_CHAR_BLANK = 16, /* space, control characters and DEL */
    FL_CHAR_JOIN = 32,  /* . : / , + may stand inside of a number, an address or a time */
    FL_CHAR_WORD = FL_CHAR_DIGIT | FL_CHAR_HEX | FL_CHAR_ALPHA | FL_CHAR_HIGH
};

extern const unsigned char fl_char_kind[256];

static inline bool fl_char_is(unsigned char c, unsigned kinds)
{
    return (fl_char_kind[c] & kinds) != 0;
}

/* Past the ECMA-48 control sequence ("ESC [ 31 m") at `p`, or `p` where there is none. */
static inline const unsigned char *fl_char_skip_ansi(const unsigned char *p,
                                                     const unsigned char *end)
{
    if (end - p < 2 || p[0] != 0x1b || p[1] != '[')
        return p;
    const unsigned char *q = p + 2;
    while (q < end && *q >= 0x20 && *q < 0x40)
        q++;
    return q < end && *q >= 0x40 && *q < 0x7f ? q + 1 : p;
}

/* Past white space, control characters and control sequences. */
static inline const unsigned char *fl_char_skip_blank(const unsigned char *p,
                                                      const unsigned char *end)
{
    while (p < end && fl_char_is(*p, FL_CHAR_BLANK)) {
        const unsigned char *q = fl_char_skip_ansi(p, end);
        p = q > p ? q : p + 1;
    }
    return p;
}

#endif
