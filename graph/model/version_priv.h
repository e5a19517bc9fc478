/*
 * version_priv.h - what the ecosystems share: one descriptor each, and numbers of any length.
 */
#ifndef FL_VERSION_PRIV_H
#define FL_VERSION_PRIV_H

#include "slice.h"
#include "version.h"

typedef struct fl_version_order {
    const char *name;
    /* Text within FL_VERSION_BYTES, not empty. */
    fl_status (*check)(fl_slice text, fl_error *err);
    int (*compare)(fl_slice a, fl_slice b);
    /* The first number of the three that "^" or "~" lets change, into `below` (3 numbers as
     * digits, "major.minor.patch"); NULL where the ecosystem knows neither. */
    fl_status (*ceiling)(fl_slice text, char comparator, char below[FL_VERSION_BYTES + 8]);
} fl_version_order;

extern const fl_version_order fl_order_semver, fl_order_go, fl_order_maven, fl_order_debian;

static inline bool fl_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline bool fl_is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline int fl_sign(int difference)
{
    return (difference > 0) - (difference < 0);
}

/* How many digits `text` starts with. */
static inline size_t fl_digits(fl_slice text)
{
    size_t n = 0;
    while (n < text.len && fl_is_digit(text.ptr[n]))
        n++;
    return n;
}

static inline fl_slice fl_slice_from(fl_slice text, size_t start)
{
    return (fl_slice){.ptr = text.ptr + start, .len = text.len - start};
}

static inline fl_slice fl_slice_first(fl_slice text, size_t len)
{
    return (fl_slice){.ptr = text.ptr, .len = len};
}

/* Two runs of digits as numbers, however long; an empty one is 0. */
int fl_digits_compare(fl_slice a, fl_slice b);

#endif
