/*
 * redact_card.c - whether digits are the number of a payment card.
 *
 * ISO/IEC 7812: the last digit makes the Luhn sum a multiple of ten, which one number in ten does
 * by chance; so the first digits and the length must be those of an issuer as well. What issuers
 * publish: Visa 4 (16), Mastercard 51-55 and 2221-2720 (16), American Express 34 and 37 (15),
 * Discover 6011, 644-649 and 65 (16), JCB 3528-3589 (16), Diners 300-305, 36, 38 and 39 (14),
 * UnionPay 62 (16 to 19). Visa's rare numbers of 13 and 19 digits are left out: times in
 * milliseconds and identifiers have such lengths.
 */
#include "redact_priv.h"

/* What a number begins with: `from` to `to`, both of `digits`. */
static const struct {
    unsigned from, to, digits, least, most;
} issuers[] = {
    {4, 4, 1, 16, 16},       {51, 55, 2, 16, 16},     {2221, 2720, 4, 16, 16}, {34, 34, 2, 15, 15},
    {37, 37, 2, 15, 15},     {6011, 6011, 4, 16, 16}, {644, 649, 3, 16, 16},   {65, 65, 2, 16, 16},
    {3528, 3589, 4, 16, 16}, {300, 305, 3, 14, 14},   {36, 36, 2, 14, 14},     {38, 39, 2, 14, 14},
    {62, 62, 2, 16, 19},
};

enum { MOST_DIGITS = 19 };

static bool has_issuer(const unsigned char *digits, size_t count)
{
    for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
        unsigned begin = 0;
        for (size_t k = 0; k < issuers[i].digits; k++)
            begin = begin * 10 + digits[k];
        if (begin >= issuers[i].from && begin <= issuers[i].to && count >= issuers[i].least &&
            count <= issuers[i].most)
            return true;
    }
    return false;
}

/* Every second digit from the right is doubled, its digits added (ISO/IEC 7812-1, annex B). */
static bool has_luhn(const unsigned char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = digits[count - 1 - i];
        unsigned doubled = i % 2 == 1 ? 2 * digit : digit;
        sum += doubled > 9 ? doubled - 9 : doubled;
    }
    return sum % 10 == 0;
}

bool fl_redact_is_card(fl_slice text)
{
    unsigned char digits[MOST_DIGITS];
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = text.ptr[i] - (unsigned)'0';
        if (digit > 9)
            continue;
        if (count == MOST_DIGITS)
            return false;
        digits[count++] = (unsigned char)digit;
    }
    return count >= 14 && has_issuer(digits, count) && has_luhn(digits, count);
}
