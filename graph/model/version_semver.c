/*
 * version_semver.c - Semantic Versioning 2.0.0, and Go's versions, which are the same with a "v".
 *
 *   version     = ["v"] number ["." number ["." number]] ["-" pre-release] ["+" build]
 *   pre-release = identifier *("." identifier)      identifier = 1*(letter / digit / "-")
 */
#include <assert.h>

#include "version_priv.h"

#define NUMBERS 3

typedef struct parts {
    fl_slice number[NUMBERS]; /* digits; empty where not written */
    size_t written;
    fl_slice pre_release; /* without its "-"; NULL where there is none */
} parts;

/* One to three numbers. */
static fl_status read_numbers(parts *out, fl_slice text, size_t *at, fl_error *err)
{
    for (out->written = 0; out->written < NUMBERS;) {
        size_t digits = fl_digits(fl_slice_from(text, *at));
        if (digits == 0)
            return fl_fail(err, FL_E_SYNTAX, *at, "version: a number is expected");
        out->number[out->written++] = fl_slice_first(fl_slice_from(text, *at), digits);
        *at += digits;
        if (*at == text.len || text.ptr[*at] != '.')
            break;
        if (out->written < NUMBERS)
            *at += 1;
    }
    return FL_OK;
}

/* Dot-separated identifiers, none empty, from *at up to `stop` or the end. */
static fl_status read_identifiers(fl_slice *out, fl_slice text, size_t *at, char stop,
                                  fl_error *err)
{
    size_t start = *at, length = 0;
    for (;; ++*at) {
        bool ends = *at == text.len || text.ptr[*at] == (unsigned char)stop;
        if (ends || text.ptr[*at] == '.') {
            if (length == 0)
                return fl_fail(err, FL_E_SYNTAX, *at, "version: an identifier is empty");
            if (ends)
                break;
            length = 0;
        } else {
            unsigned char c = text.ptr[*at];
            if (!fl_is_digit(c) && !fl_is_letter(c) && c != '-')
                return fl_fail(err, FL_E_SYNTAX, *at, "version: this character has no place");
            length++;
        }
    }
    *out = (fl_slice){.ptr = text.ptr + start, .len = *at - start};
    return FL_OK;
}

/* The whole text. */
static fl_status read_parts(parts *out, fl_slice text, fl_error *err)
{
    size_t at = text.len > 0 && (text.ptr[0] == 'v' || text.ptr[0] == 'V') ? 1 : 0;
    *out = (parts){0};
    fl_status status = read_numbers(out, text, &at, err);
    if (status == FL_OK && at < text.len && text.ptr[at] == '-') {
        at++;
        status = read_identifiers(&out->pre_release, text, &at, '+', err);
    }
    if (status == FL_OK && at < text.len && text.ptr[at] == '+') {
        fl_slice build;
        at++;
        status = read_identifiers(&build, text, &at, '\0', err);
    }
    if (status == FL_OK && at < text.len)
        return fl_fail(err, FL_E_SYNTAX, at, "version: this character has no place");
    return status;
}

static fl_status check(fl_slice text, fl_error *err)
{
    parts ignored;
    return read_parts(&ignored, text, err);
}

/* The "v" is what tells a Go version from any other. */
static fl_status check_go(fl_slice text, fl_error *err)
{
    if (text.ptr[0] != 'v')
        return fl_fail(err, FL_E_SYNTAX, 0, "version: Go's versions start with v");
    return check(text, err);
}

/* Cut the next identifier off. */
static fl_slice next_identifier(fl_slice *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '.')
        n++;
    fl_slice identifier = fl_slice_first(*rest, n);
    *rest = fl_slice_from(*rest, n < rest->len ? n + 1 : n);
    return identifier;
}

/* Numbers before words, numbers by value, words by ASCII. */
static int identifier_compare(fl_slice a, fl_slice b)
{
    bool a_number = fl_digits(a) == a.len, b_number = fl_digits(b) == b.len;
    if (a_number && b_number)
        return fl_digits_compare(a, b);
    if (a_number != b_number)
        return a_number ? -1 : 1;
    return fl_sign(fl_slice_compare(a, b));
}

/* A release is beyond its pre-releases; of equal beginnings the longer is beyond. */
static int pre_release_compare(fl_slice a, fl_slice b)
{
    if (a.ptr == NULL || b.ptr == NULL)
        return (a.ptr == NULL) - (b.ptr == NULL);
    while (a.len > 0 && b.len > 0) {
        int order = identifier_compare(next_identifier(&a), next_identifier(&b));
        if (order != 0)
            return order;
    }
    return (a.len > 0) - (b.len > 0);
}

static int compare(fl_slice a, fl_slice b)
{
    parts left, right;
    fl_status status = read_parts(&left, a, NULL);
    assert(status == FL_OK);
    status = read_parts(&right, b, NULL);
    assert(status == FL_OK);
    for (size_t i = 0; i < NUMBERS; i++) {
        int order = fl_digits_compare(left.number[i], right.number[i]);
        if (order != 0)
            return order;
    }
    return pre_release_compare(left.pre_release, right.pre_release);
}

/* Which number the next version beyond "^" or "~" changes. */
static size_t number_that_changes(const parts *version, char comparator)
{
    if (comparator == '~')
        return version->written > 1 ? 1 : 0;
    for (size_t i = 0; i + 1 < version->written; i++)
        if (fl_digits_compare(version->number[i], (fl_slice){0}) != 0)
            return i;
    return version->written - 1;
}

static void append(char *out, size_t *len, fl_slice text)
{
    memcpy(out + *len, text.ptr, text.len);
    *len += text.len;
}

/* digits + 1, in decimal. */
static void append_next(char *out, size_t *len, fl_slice digits)
{
    size_t nines = 0;
    while (nines < digits.len && digits.ptr[digits.len - 1 - nines] == '9')
        nines++;
    size_t kept = digits.len - nines;
    append(out, len, fl_slice_first(digits, kept));
    if (kept == 0)
        out[(*len)++] = '1';
    else
        out[*len - 1]++;
    memset(out + *len, '0', nines);
    *len += nines;
}

/* "v" and the numbers up to the one that changes. */
static fl_status ceiling(fl_slice text, char comparator, char below[FL_VERSION_BYTES + 8])
{
    parts version;
    fl_status status = read_parts(&version, text, NULL);
    assert(status == FL_OK);
    assert(version.written >= 1);
    size_t changes = number_that_changes(&version, comparator), len = 0;
    below[len++] = 'v';
    for (size_t i = 0; i < changes; i++) {
        append(below, &len, version.number[i]);
        below[len++] = '.';
    }
    append_next(below, &len, version.number[changes]);
    /* "-0" is the lowest pre-release: those of the ceiling are beyond it as well. */
    memcpy(below + len, "-0", sizeof("-0"));
    return status;
}

const fl_version_order fl_order_semver = {"semver", check, compare, ceiling};
const fl_version_order fl_order_go = {"go", check_go, compare, ceiling};
