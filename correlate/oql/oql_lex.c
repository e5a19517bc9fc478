/*
 * oql_lex.c - words of a query. One pass without state; a word is read when it is asked for.
 *
 *   name    := ( letter | "_" | "$" | byte from 0x80 on ) { the same, or a digit }
 *   number  := digits [ "." digits ] [ ("e" | "E") ["+" | "-"] digits ] [ "l" | "f" | "d" ]
 *   address := "0x" 1 to 16 hexadecimal digits
 *   text    := double quote, anything but one, double quote
 *   char    := single quote, one character of at most 16 bits, single quote
 *   comment := "//" or "--" up to the end of the line, or "/ *" up to "* /"
 *
 * A name of a class has dots and brackets in it, which elsewhere are words of their own: where one
 * must stand, the statement asks for it with fl_oql_lex_class().
 *
 * Invariant: a word begins at or behind the place that was asked for and ends behind its beginning,
 * but for the end itself, so that reading on from where a word ends always comes to the end.
 */
#include "oql_lex.h"

#include <assert.h>

#include "number.h"
#include "slice.h"

/* A byte of the query; NUL behind its end, which no query contains. */
static unsigned char at_of(fl_slice query, size_t at)
{
    return at < query.len ? query.ptr[at] : '\0';
}

/* In the C locale, whatever the program's. */
static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Either case, as addresses are printed by some tools and pasted from others. */
static bool is_hex(unsigned char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Java's identifiers may have any letter of Unicode: what is not ASCII counts as one. */
static bool is_name(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80 ||
           is_digit(c);
}

/* The end of the line; of a comment that ends with a star and a slash, what is behind it. */
static fl_status pass_comment(size_t *at, fl_slice query, fl_error *err)
{
    assert(*at + 1 < query.len);
    size_t from = *at;
    if (query.ptr[from + 1] != '*') {
        while (*at < query.len && query.ptr[*at] != '\n')
            (*at)++;
        return FL_OK;
    }
    for (size_t i = from + 2; i + 1 < query.len; i++)
        if (query.ptr[i] == '*' && query.ptr[i + 1] == '/') {
            *at = i + 2;
            return FL_OK;
        }
    return fl_fail(err, FL_E_SYNTAX, from, "comment is not closed");
}

/* White space and comments may stand between any two words. */
static fl_status pass_blanks(size_t *at, fl_slice query, fl_error *err)
{
    assert(*at <= query.len);
    fl_status status = FL_OK;
    while (status == FL_OK && *at < query.len) {
        unsigned char c = query.ptr[*at], next = at_of(query, *at + 1);
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            (*at)++;
        else if ((c == '/' && (next == '/' || next == '*')) || (c == '-' && next == '-'))
            status = pass_comment(at, query, err);
        else
            break;
    }
    return status;
}

/* 0x and up to sixteen digits. */
static fl_status lex_address(fl_oql_token *token, fl_slice query, fl_error *err)
{
    assert(token->at + 1 < query.len);
    size_t from = token->at + 2, end = from;
    while (is_hex(at_of(query, end))) {
        if (token->number >> 60 != 0)
            return fl_fail(err, FL_E_SYNTAX, token->at, "address has more than 64 bits");
        unsigned char c = query.ptr[end++];
        unsigned digit = is_digit(c) ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10u;
        token->number = token->number << 4 | digit;
    }
    if (end == from)
        return fl_fail(err, FL_E_SYNTAX, token->at, "expected hexadecimal digits after 0x");
    token->kind = FL_OQL_T_ADDRESS;
    token->end = end;
    return FL_OK;
}

/* The end of digits, of a fraction and of an exponent; *is_real where there is one of these. */
static size_t number_end(fl_slice query, size_t at, bool *is_real)
{
    assert(is_digit(at_of(query, at)));
    while (is_digit(at_of(query, at)))
        at++;
    if (at_of(query, at) == '.' && is_digit(at_of(query, at + 1))) {
        *is_real = true;
        at++;
        while (is_digit(at_of(query, at)))
            at++;
    }
    if ((at_of(query, at) | 0x20) != 'e')
        return at;
    size_t digits = at + 1 + (at_of(query, at + 1) == '+' || at_of(query, at + 1) == '-');
    if (!is_digit(at_of(query, digits)))
        return at;
    *is_real = true;
    while (is_digit(at_of(query, digits)))
        digits++;
    return digits;
}

/* A suffix says as in Java what is meant: 1L, 1f, 1d. Leading zeros are no octal. */
static fl_status lex_number(fl_oql_token *token, fl_slice query, fl_error *err)
{
    assert(token->at < query.len);
    bool is_real = false;
    size_t end = number_end(query, token->at, &is_real);
    fl_slice digits = fl_slice_part(query, token->at, end);
    unsigned char suffix = at_of(query, end) | 0x20;
    if (suffix == 'f' || suffix == 'd')
        is_real = true;
    if (suffix == 'f' || suffix == 'd' || (suffix == 'l' && !is_real))
        end++;
    token->end = end;
    token->kind = is_real ? FL_OQL_T_REAL : FL_OQL_T_NUMBER;
    while (digits.len > 1 && digits.ptr[0] == '0' && is_digit(digits.ptr[1]))
        digits = fl_slice_part(digits, 1, digits.len);
    if (is_name(at_of(query, end)))
        return fl_fail(err, FL_E_SYNTAX, end, "unexpected letter behind a number");
    int64_t whole = 0;
    bool fits = is_real ? fl_parse_double(digits, &token->real) : fl_parse_i64(digits, &whole);
    if (!fits)
        return fl_fail(err, FL_E_SYNTAX, token->at, "number does not fit into 64 bits");
    token->number = (uint64_t)whole;
    return FL_OK;
}

/* Backslashes are ordinary characters: a regular expression is written as it is. */
static fl_status lex_text(fl_oql_token *token, fl_slice query, fl_error *err)
{
    assert(query.ptr[token->at] == '"');
    size_t end = token->at + 1;
    while (end < query.len && query.ptr[end] != '"')
        end++;
    if (end == query.len)
        return fl_fail(err, FL_E_SYNTAX, token->at, "text is not closed by a quote");
    token->kind = FL_OQL_T_TEXT;
    token->text = fl_slice_part(query, token->at + 1, end);
    token->end = end + 1;
    return FL_OK;
}

/* One character of at most 16 bits between single quotes; the query is valid UTF-8. */
static fl_status lex_char(fl_oql_token *token, fl_slice query, fl_error *err)
{
    assert(query.ptr[token->at] == '\'');
    size_t at = token->at + 1;
    unsigned char first = at_of(query, at);
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
    if (first == '\'' || first >= 0xf0 || at_of(query, at + len) != '\'')
        return fl_fail(err, FL_E_SYNTAX, token->at,
                       "expected one character between single quotes; a text has double ones");
    token->number = len == 1 ? first : first & (len == 2 ? 0x1fu : 0x0fu);
    for (size_t i = 1; i < len; i++)
        token->number = token->number << 6 | (query.ptr[at + i] & 0x3fu);
    token->kind = FL_OQL_T_CHAR;
    token->end = at + len + 1;
    return FL_OK;
}

/* The longer signs stand first, so that <= is not read as < and =. */
static fl_status lex_sign(fl_oql_token *token, fl_slice query, fl_error *err)
{
    assert(token->at < query.len);
    static const char *const signs[] = {"!=", "<>", "<=", ">=", "=", "<", ">", "+", "-", "*",
                                        "/",  "%",  "(",  ")",  "[", "]", ".", ",", "@", ";"};
    fl_slice rest = fl_slice_part(query, token->at, query.len);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (fl_slice_starts_with(rest, fl_slice_of(signs[i]))) {
            token->kind = FL_OQL_T_SIGN;
            token->end = token->at + strlen(signs[i]);
            return FL_OK;
        }
    unsigned char c = query.ptr[token->at];
    bool is_shown = c > ' ' && c < 0x7f;
    return fl_fail(err, FL_E_SYNTAX, token->at, is_shown ? "unexpected '%c'" : "unexpected byte %d",
                   c);
}

/* The kind is told by the first character, of an address by two. */
fl_status fl_oql_lex(fl_oql_token *out, fl_slice query, size_t at, fl_error *err)
{
    assert(out != NULL && at <= query.len);
    *out = (fl_oql_token){0};
    fl_status status = pass_blanks(&at, query, err);
    out->at = out->end = at;
    if (status != FL_OK || at == query.len)
        return status;
    unsigned char c = query.ptr[at], next = at_of(query, at + 1);
    if (c == '0' && (next | 0x20) == 'x')
        status = lex_address(out, query, err);
    else if (is_digit(c))
        status = lex_number(out, query, err);
    else if (c == '"')
        return lex_text(out, query, err);
    else if (c == '\'')
        status = lex_char(out, query, err);
    else if (!is_name(c))
        status = lex_sign(out, query, err);
    else {
        out->kind = FL_OQL_T_NAME;
        while (is_name(at_of(query, out->end)))
            out->end++;
    }
    out->text = fl_slice_part(query, at, out->end);
    return status;
}

/* Where a class must stand, "a.b.C[]" is one word; the caller has seen its first name. */
size_t fl_oql_lex_class(fl_slice query, size_t at)
{
    assert(at < query.len);
    size_t end = at;
    for (;;) {
        unsigned char c = at_of(query, end);
        bool joins = (c == '.' || c == '/') && is_name(at_of(query, end + 1));
        if (!is_name(c) && !joins)
            break;
        end++;
    }
    while (at_of(query, end) == '[' && at_of(query, end + 1) == ']')
        end += 2;
    return end;
}
