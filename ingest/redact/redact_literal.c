/*
 * redact_literal.c - what every match of a pattern must hold, read off the pattern.
 *
 *   pattern := branch ("|" branch)*       branches are those outside of all parentheses
 *   branch  := (letter | "\" punctuation | class | group | assertion | quantifier)*
 *
 * A run of letters ends at anything else, and a letter before "?", "*" or "{" is none. What stands
 * in parentheses is passed over: it may be optional or one of several. So the answer may be less
 * than what is needed, never more. Patterns with (?x), (?#, (*VERB) or \Q are not read at all.
 *
 * A match of the pattern as written is meant in any case of letters, as redact_scan.c compares.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "redact_priv.h"
#include "slice.h"

/* A pattern being read. */
struct reader {
    const char *at, *end;
    char run[FL_REDACT_LITERAL_BYTES], best[FL_REDACT_LITERAL_BYTES];
    size_t run_len, best_len;
};

static void end_run(struct reader *in)
{
    if (in->run_len > in->best_len) {
        memcpy(in->best, in->run, in->run_len);
        in->best_len = in->run_len;
    }
    in->run_len = 0;
}

/* A letter that a match holds, unless a quantifier follows that allows none of it. */
static void add(struct reader *in, char c)
{
    bool is_optional = in->at < in->end && strchr("?*{", *in->at) != NULL;
    if ((unsigned char)c >= 0x80 || is_optional || in->run_len + 1 == sizeof(in->run)) {
        end_run(in);
        return;
    }
    in->run[in->run_len++] = (char)tolower((unsigned char)c);
    if (in->at < in->end && *in->at == '+') /* one or more: what follows may be far */
        end_run(in);
}

/* Behind the ']' of a class whose '[' was read; a ']' that comes first is one of it. */
static bool skip_class(struct reader *in)
{
    const char *begin = in->at + (in->at < in->end && *in->at == '^');
    for (in->at = begin; in->at < in->end; in->at++) {
        if (*in->at == '\\' || (*in->at == '[' && in->at + 1 < in->end && in->at[1] == ':'))
            in->at++; /* [:alpha:] ends with ":]", whose ']' must not end the class */
        else if (*in->at == ':' && in->at + 1 < in->end && in->at[1] == ']')
            in->at++;
        else if (*in->at == ']' && in->at > begin) {
            in->at++;
            return true;
        }
    }
    return false;
}

/* Behind the ')' of a group whose '(' was read. */
static bool skip_group(struct reader *in)
{
    size_t depth = 1;
    while (in->at < in->end && depth > 0) {
        char c = *in->at++;
        if (c == '\\' && in->at < in->end)
            in->at++;
        else if (c == '[' && !skip_class(in))
            return false;
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
    }
    return depth == 0;
}

/* An escaped letter is a class or an assertion, punctuation is itself. */
static bool read_escape(struct reader *in)
{
    if (in->at == in->end)
        return false;
    char c = *in->at++;
    if (ispunct((unsigned char)c)) {
        add(in, c);
        return true;
    }
    end_run(in);
    return strchr("bBdDsSwWnrtAzZG", c) != NULL; /* others take arguments: \x41, \p{L}, \1, \Q */
}

/* A quantifier's braces, "{2}", "{2,}" or "{2,3}"; what they count was seen before. Versions of
 * PCRE2 differ in what other braces are. */
static bool skip_braces(struct reader *in)
{
    const char *begin = in->at;
    while (in->at < in->end && (isdigit((unsigned char)*in->at) || *in->at == ','))
        in->at++;
    bool is_count = in->at > begin && in->at < in->end && *in->at == '}' && *begin != ',';
    in->at += is_count;
    return is_count;
}

/* Groups that say how the rest is to be read; "(?i)" says what holds here anyway. */
static bool changes_reading(const struct reader *in)
{
    fl_slice rest = {(const unsigned char *)in->at, (size_t)(in->end - in->at)};
    if (fl_slice_starts_with(rest, FL_SLICE("*")) || fl_slice_starts_with(rest, FL_SLICE("?#")))
        return true;
    if (!fl_slice_starts_with(rest, FL_SLICE("?")))
        return false;
    for (size_t i = 1; i < rest.len && (isalpha(rest.ptr[i]) || rest.ptr[i] == '-'); i++)
        if (rest.ptr[i] == 'x')
            return true;
    return false;
}

/* False where the pattern is not understood. */
static bool read_one(struct reader *in)
{
    char c = *in->at++;
    switch (c) {
    case '\\':
        return read_escape(in);
    case '[':
        end_run(in);
        return skip_class(in);
    case '(':
        end_run(in);
        return !changes_reading(in) && skip_group(in);
    case '{':
        end_run(in);
        return skip_braces(in);
    case '^':
    case '$':
    case '.':
    case '?':
    case '*':
    case '+':
        end_run(in);
        return true;
    default:
        add(in, c);
        return true;
    }
}

void fl_redact_literals(fl_redact_needs *out, fl_slice pattern)
{
    struct reader in = {.at = (const char *)pattern.ptr,
                        .end = (const char *)pattern.ptr + pattern.len};
    *out = (fl_redact_needs){0};
    while (in.at <= in.end) {
        bool ends = in.at == in.end || *in.at == '|';
        if (!ends) {
            if (!read_one(&in)) {
                out->count = 0;
                return;
            }
            continue;
        }
        in.at++;
        end_run(&in);
        if (out->count == FL_REDACT_MAX_BRANCHES || in.best_len < FL_REDACT_GRAM) {
            out->count = 0;
            return;
        }
        memcpy(out->text[out->count], in.best, in.best_len);
        out->text[out->count++][in.best_len] = '\0';
        in.best_len = 0;
    }
}
