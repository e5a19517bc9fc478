/*
 * version_maven.c - the "Version Order Specification" of Maven's POM reference.
 *
 * A version is cut into tokens at dots, hyphens, underscores and between digits and letters (which
 * counts as a hyphen); an empty token is 0. Null tokens (0, "", final, ga, release) are dropped
 * from the end, and again before each hyphen. What remains is compared token by token, the shorter
 * version padded with null tokens. Between different prefixes ".qualifier" = "-qualifier" <
 * "-number" < ".number".
 */
#include <assert.h>

#include "version_priv.h"

#define TOKENS (2 * FL_VERSION_BYTES) /* a separator and a transition at every byte */

typedef struct token {
    fl_slice text;
    bool hyphen; /* else a dot, or the first */
    bool number;
    bool before_number; /* "a", "b" and "m" stand for alpha, beta, milestone only there */
} token;

typedef struct tokens {
    token at[TOKENS];
    size_t count;
} tokens;

/* Qualifiers that have a place of their own, in order; "" is the release itself. */
static const char *const known[] = {"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"};
enum { RELEASE = 5, UNKNOWN = sizeof(known) / sizeof(known[0]) };

static const struct {
    const char *name, *is;
    bool before_number;
} aliases[] = {
    {"final", "", false}, {"ga", "", false},   {"release", "", false},   {"cr", "rc", false},
    {"a", "alpha", true}, {"b", "beta", true}, {"m", "milestone", true},
};

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* ASCII, as the specification writes its qualifiers. */
static int lower_compare(fl_slice a, fl_slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return lower(a.ptr[i]) < lower(b.ptr[i]) ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

/* What an alias stands for. */
static fl_slice qualifier_of(const token *t)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if ((!aliases[i].before_number || t->before_number) &&
            lower_compare(t->text, fl_slice_of(aliases[i].name)) == 0)
            return fl_slice_of(aliases[i].is);
    return t->text;
}

static size_t place_of(fl_slice qualifier)
{
    for (size_t i = 0; i < UNKNOWN; i++)
        if (lower_compare(qualifier, fl_slice_of(known[i])) == 0)
            return i;
    return UNKNOWN;
}

/* 0 and every name of a release. */
static bool is_null(const token *t)
{
    if (t->number)
        return fl_digits_compare(t->text, (fl_slice){0}) == 0;
    return place_of(qualifier_of(t)) == RELEASE;
}

static bool is_separator(unsigned char c)
{
    return c == '.' || c == '-' || c == '_';
}

/* Where the token that starts at `at` ends: at a separator, the end, or a transition. */
static size_t token_end(fl_slice text, size_t at)
{
    size_t end = at;
    while (end < text.len && !is_separator(text.ptr[end]) &&
           fl_is_digit(text.ptr[end]) == fl_is_digit(text.ptr[at]))
        end++;
    return end;
}

/* Into tokens; a version that ends with a separator ends with an empty one. */
static void cut(tokens *out, fl_slice text)
{
    bool hyphen = false;
    out->count = 0;
    for (size_t at = 0; at <= text.len;) {
        size_t end = token_end(text, at);
        assert(out->count < TOKENS);
        token *t = &out->at[out->count++];
        *t = (token){.text = {.ptr = text.ptr + at, .len = end - at}, .hyphen = hyphen};
        t->number = end == at || fl_is_digit(text.ptr[at]);
        t->before_number = !t->number && end < text.len && fl_is_digit(text.ptr[end]);
        hyphen = end < text.len && text.ptr[end] != '.';
        at = end < text.len && !is_separator(text.ptr[end]) ? end : end + 1;
    }
}

/* Drop null tokens from the end, and before each hyphen. The first token stays. */
static void trim(tokens *all)
{
    size_t end = all->count; /* the tokens from here on stay */
    for (size_t i = all->count; i > 1; i--) {
        if (end == i && is_null(&all->at[i - 1])) {
            memmove(&all->at[i - 1], &all->at[i], (all->count - i) * sizeof(token));
            all->count--;
            end = i - 1;
        } else if (all->at[i - 1].hyphen) {
            end = i - 1;
        }
    }
}

/* ".qualifier" = "-qualifier" < "-number" < ".number" */
static int kind_of(const token *t)
{
    if (!t->number)
        return 0;
    return t->hyphen ? 1 : 2;
}

static int token_compare(const token *a, const token *b)
{
    int order = kind_of(a) - kind_of(b);
    if (order != 0)
        return fl_sign(order);
    if (a->number)
        return fl_digits_compare(a->text, b->text);
    fl_slice left = qualifier_of(a), right = qualifier_of(b);
    size_t left_place = place_of(left), right_place = place_of(right);
    if (left_place != right_place)
        return left_place < right_place ? -1 : 1;
    return left_place < UNKNOWN ? 0 : lower_compare(left, right);
}

/* What a version that has ended is padded with: 0 for a number, "" for a qualifier. */
static token padding_for(const token *other)
{
    return (token){.hyphen = other->hyphen, .number = other->number && !other->hyphen};
}

static int compare(fl_slice a, fl_slice b)
{
    tokens left, right;
    cut(&left, a);
    cut(&right, b);
    trim(&left);
    trim(&right);
    for (size_t i = 0; i < left.count || i < right.count; i++) {
        token padding = padding_for(i < left.count ? &left.at[i] : &right.at[i]);
        int order = token_compare(i < left.count ? &left.at[i] : &padding,
                                  i < right.count ? &right.at[i] : &padding);
        if (order != 0)
            return order;
    }
    return 0;
}

static fl_status check(fl_slice text, fl_error *err)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f ||
            memchr("[](),|<>=!", text.ptr[i], 10) != NULL)
            return fl_fail(err, FL_E_SYNTAX, i, "version: this character has no place");
    return FL_OK;
}

const fl_version_order fl_order_maven = {"maven", check, compare, NULL};
