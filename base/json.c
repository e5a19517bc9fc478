/*
 * json.c - walking the structure, and reading values.
 *
 *   value  := object | array | string | number | "true" | "false" | "null"
 *   object := "{" (string ":" value ("," string ":" value)*)? "}"
 *   array  := "[" (value ("," value)*)? "]"      white space (20 09 0A 0D) around each token
 *
 * Each reading function checks the bytes that it steps over and nothing beyond them: a document is
 * right only after fl_json_finish(). Depth is a counter and a bit a level, object or array, so that
 * neither walking nor skipping recurses. Failures are made in functions marked COLD, out of the way
 * of the code that runs for every token.
 *
 * Cost: one look at each byte of a string (many at a time where it is plain ASCII), a copy only of
 * strings with escapes.
 */
#include "json.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "digits.h"
#include "json_text_priv.h"
#include "number.h"
#include "slice.h"
#include "utf8.h"

#if defined(__GNUC__)
#define COLD __attribute__((cold, noinline))
#else
#define COLD
#endif

typedef const unsigned char *bytes_at;

static const unsigned char kind_of[256] = {
    ['{'] = FL_JSON_OBJECT, ['['] = FL_JSON_ARRAY,  ['"'] = FL_JSON_STRING, ['-'] = FL_JSON_NUMBER,
    ['0'] = FL_JSON_NUMBER, ['1'] = FL_JSON_NUMBER, ['2'] = FL_JSON_NUMBER, ['3'] = FL_JSON_NUMBER,
    ['4'] = FL_JSON_NUMBER, ['5'] = FL_JSON_NUMBER, ['6'] = FL_JSON_NUMBER, ['7'] = FL_JSON_NUMBER,
    ['8'] = FL_JSON_NUMBER, ['9'] = FL_JSON_NUMBER, ['t'] = FL_JSON_TRUE,   ['f'] = FL_JSON_FALSE,
    ['n'] = FL_JSON_NULL,
};

static const char *const kind_names[] = {
    [FL_JSON_END] = "no value",    [FL_JSON_OBJECT] = "an object", [FL_JSON_ARRAY] = "an array",
    [FL_JSON_STRING] = "a string", [FL_JSON_NUMBER] = "a number",  [FL_JSON_TRUE] = "true",
    [FL_JSON_FALSE] = "false",     [FL_JSON_NULL] = "null",
};

/* Not stored: two fields that must agree are one too many. */
static bytes_at end_of(const fl_json *in)
{
    return in->bytes.ptr + in->bytes.len;
}

/* Of a place that the reader has reached, in bytes from its start. */
static size_t offset_of(const fl_json *in, bytes_at p)
{
    assert(p >= in->bytes.ptr && p <= end_of(in));
    return (size_t)(p - in->bytes.ptr);
}

/* The first comparison alone decides for documents without white space. */
static inline bytes_at skip_space(bytes_at p, bytes_at end)
{
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Behind white space; the end of the input where nothing is left. */
static inline bytes_at next_token(const fl_json *in)
{
    return skip_space(in->bytes.ptr + in->pos, end_of(in));
}

fl_json fl_json_over(fl_slice bytes, fl_arena *arena)
{
    static const unsigned char nothing;
    assert(bytes.ptr != NULL || bytes.len == 0);
    if (bytes.ptr == NULL)
        bytes.ptr = &nothing;
    return (fl_json){.bytes = bytes, .arena = arena};
}

/* Invariant (2) of json.h. */
static bool stop(fl_json *in)
{
    assert(in->err.status != FL_OK);
    in->pos = in->bytes.len;
    return false;
}

COLD bool fl_json_fail(fl_json *in, size_t pos, const char *format, ...)
{
    char message[sizeof(in->err.message)];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    (void)fl_fail(&in->err, FL_E_SYNTAX, pos, "%s", message);
    return stop(in);
}

/* `sentence` is the whole message; it holds no formats. */
COLD static bool fail_at(fl_json *in, bytes_at p, const char *sentence)
{
    return fl_json_fail(in, offset_of(in, p), "%s", sentence);
}

/* `p`, the next token, is not what was `wanted`. */
COLD static bool fail_found(fl_json *in, bytes_at p, const char *wanted)
{
    size_t pos = offset_of(in, p);
    if (p == end_of(in))
        return fl_json_fail(in, pos, "expected %s, found the end of the input", wanted);
    if (kind_of[*p] != FL_JSON_END)
        return fl_json_fail(in, pos, "expected %s, found %s", wanted, kind_names[kind_of[*p]]);
    if (*p > ' ' && *p < 0x7f)
        return fl_json_fail(in, pos, "expected %s, found '%c'", wanted, *p);
    return fl_json_fail(in, pos, "expected %s, found byte 0x%02x", wanted, *p);
}

fl_json_mark fl_json_here(const fl_json *in)
{
    return (fl_json_mark){.pos = in->pos, .depth = in->depth, .first = in->first};
}

void fl_json_rewind(fl_json *in, fl_json_mark mark)
{
    assert(mark.pos <= in->bytes.len && mark.depth <= FL_JSON_MAX_DEPTH);
    in->pos = mark.pos;
    in->depth = mark.depth;
    in->first = mark.first;
    in->err = (fl_error){0};
}

/* Strings with something beyond plain ASCII: `p` is where the plain run from `start` on ended. */
static bytes_at rare_string_end(fl_json *in, bytes_at start, bytes_at p, bool high, bool *escaped)
{
    bytes_at end = end_of(in);
    while (p < end && *p == '\\') {
        const char *why;
        size_t len = fl_json_escape_len(p, end, &why);
        if (len == 0 && why != NULL)
            (void)fail_at(in, p, why);
        if (len == 0 && why == NULL)
            (void)fail_at(in, start - 1, "string without a closing quote");
        if (len == 0)
            return NULL;
        *escaped = true;
        p = fl_json_plain(p + len, end, &high);
    }
    if (p == end || *p != '"') {
        if (p == end)
            (void)fail_at(in, start - 1, "string without a closing quote");
        else
            (void)fl_json_fail(in, offset_of(in, p),
                               "control character 0x%02x in a string must be escaped", *p);
        return NULL;
    }
    fl_slice inside = {.ptr = start, .len = (size_t)(p - start)};
    size_t valid = high ? fl_utf8_valid_prefix(inside) : inside.len;
    if (valid < inside.len) {
        (void)fail_at(in, start + valid, "invalid UTF-8 in a string");
        return NULL;
    }
    return p;
}

/* The closing quote of the string whose inside starts at `start`, all of it checked; NULL on
 * failure. */
static inline bytes_at string_end(fl_json *in, bytes_at start, bool *escaped)
{
    bool high = false;
    bytes_at p = fl_json_plain(start, end_of(in), &high);
    *escaped = false;
    if (!high && p < end_of(in) && *p == '"')
        return p;
    return rare_string_end(in, start, p, high, escaped);
}

/* Decode into the arena. Decoded text is never longer than what it was written as. */
COLD static fl_slice unescaped(fl_json *in, bytes_at start, bytes_at end)
{
    size_t len = (size_t)(end - start), pos = offset_of(in, start - 1);
    unsigned char *out = in->arena != NULL ? fl_arena_bytes(in->arena, len) : NULL;
    if (out != NULL)
        return (fl_slice){.ptr = out, .len = fl_json_unescape(out, start, end)};
    bool over_budget = in->arena == NULL || len > in->arena->max_bytes - in->arena->used_bytes;
    if (over_budget)
        (void)fl_fail(&in->err, FL_E_LIMIT, pos, "no room to decode a string of %zu bytes", len);
    else
        (void)fl_fail(&in->err, FL_E_NOMEM, pos, "no memory to decode a string of %zu bytes", len);
    (void)stop(in);
    return (fl_slice){0};
}

/* The string whose opening quote is at `p`; stands behind it. ptr is NULL on failure. */
static inline fl_slice read_string(fl_json *in, bytes_at p)
{
    bool escaped;
    bytes_at start = p + 1, end = string_end(in, start, &escaped);
    if (end == NULL)
        return (fl_slice){0};
    in->pos = (size_t)(end + 1 - in->bytes.ptr);
    if (escaped)
        return unescaped(in, start, end);
    return (fl_slice){.ptr = start, .len = (size_t)(end - start)};
}

fl_json_kind fl_json_peek(fl_json *in)
{
    bytes_at p = next_token(in);
    if (p == end_of(in))
        return FL_JSON_END;
    if (kind_of[*p] == FL_JSON_END)
        (void)fail_found(in, p, "a value");
    return (fl_json_kind)kind_of[*p];
}

/* The kind of the container at `depth`, as push() has noted it. */
static inline bool is_object_at(const fl_json *in, uint32_t depth)
{
    return in->is_object[depth / 64] >> depth % 64 & 1;
}

/* Note the kind of a container at `depth`, its bracket at `p`; false when that is too deep. */
static inline bool push(fl_json *in, uint32_t depth, bytes_at p)
{
    if (depth >= FL_JSON_MAX_DEPTH) {
        (void)fl_fail(&in->err, FL_E_LIMIT, offset_of(in, p),
                      "containers are nested more than %d deep", FL_JSON_MAX_DEPTH);
        return stop(in);
    }
    uint64_t bit = UINT64_C(1) << depth % 64, *word = &in->is_object[depth / 64];
    *word = *p == '{' ? *word | bit : *word & ~bit;
    return true;
}

/* Stand before the first member or element; the bracket was the next token. */
static inline bool enter(fl_json *in, unsigned char bracket, const char *wanted)
{
    bytes_at p = next_token(in);
    if (p == end_of(in) || *p != bracket)
        return fail_found(in, p, wanted);
    if (!push(in, in->depth, p))
        return false;
    in->depth++;
    in->first = true;
    in->pos = (size_t)(p + 1 - in->bytes.ptr);
    return true;
}

bool fl_json_enter_object(fl_json *in)
{
    return enter(in, '{', "an object");
}

bool fl_json_enter_array(fl_json *in)
{
    return enter(in, '[', "an array");
}

/* Behind the closing bracket at `p`. False, as the loop over the members ends with it. */
static inline bool leave(fl_json *in, bytes_at p)
{
    assert(in->depth > 0);
    in->depth--;
    in->first = false;
    in->pos = (size_t)(p + 1 - in->bytes.ptr);
    return false;
}

/* From the comma at `p`, or from `p` itself where nothing came before, to the key's quote. */
static inline bytes_at key_start(fl_json *in, bytes_at p, bool first)
{
    bytes_at end = end_of(in);
    if (!first) {
        if (p == end || *p != ',') {
            (void)fail_at(in, p, "expected ',' or '}' after a member");
            return NULL;
        }
        p = skip_space(p + 1, end);
    }
    if (p < end && *p == '"')
        return p;
    (void)fail_at(in, p, first ? "expected a key or '}'" : "expected a key after ','");
    return NULL;
}

/* Behind the colon that follows a key, which ended before `p`; NULL on failure. */
static inline bytes_at colon_end(fl_json *in, bytes_at p)
{
    p = skip_space(p, end_of(in));
    if (p < end_of(in) && *p == ':')
        return p + 1;
    (void)fail_at(in, p, "expected ':' after a key");
    return NULL;
}

bool fl_json_next_member(fl_json *in, fl_slice *key)
{
    bytes_at p = next_token(in);
    if (p < end_of(in)) { /* not failed: by invariant (2) */
        assert(in->depth > 0 && is_object_at(in, in->depth - 1));
        if (*p == '}')
            return leave(in, p);
    }
    p = key_start(in, p, in->first);
    if (p == NULL)
        return false;
    in->first = false;
    fl_slice text = read_string(in, p);
    if (text.ptr == NULL)
        return false;
    p = colon_end(in, in->bytes.ptr + in->pos);
    if (p == NULL)
        return false;
    in->pos = (size_t)(p - in->bytes.ptr);
    *key = text;
    return true;
}

/* From the comma at `p`, or from `p` itself where nothing came before, to the element. */
static inline bytes_at element_start(fl_json *in, bytes_at p, bool first)
{
    bytes_at end = end_of(in);
    if (!first) {
        if (p == end || *p != ',') {
            (void)fail_at(in, p, "expected ',' or ']' after an element");
            return NULL;
        }
        p = skip_space(p + 1, end);
    }
    if (p < end && *p != ']')
        return p;
    (void)fail_at(in, p, first ? "expected an element or ']'" : "expected an element after ','");
    return NULL;
}

bool fl_json_next_element(fl_json *in)
{
    bytes_at p = next_token(in);
    if (p < end_of(in)) {
        assert(in->depth > 0 && !is_object_at(in, in->depth - 1));
        if (*p == ']')
            return leave(in, p);
    }
    p = element_start(in, p, in->first);
    if (p == NULL)
        return false;
    in->first = false;
    in->pos = (size_t)(p - in->bytes.ptr);
    return true;
}

fl_slice fl_json_string(fl_json *in)
{
    bytes_at p = next_token(in);
    if (p < end_of(in) && *p == '"')
        return read_string(in, p);
    (void)fail_found(in, p, "a string");
    return (fl_slice){0};
}

/* Behind the word true, false or null that starts at `p`; NULL on failure. */
static bytes_at literal_end(fl_json *in, bytes_at p)
{
    const char *word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
    size_t len = strlen(word);
    if ((size_t)(end_of(in) - p) >= len && memcmp(p, word, len) == 0)
        return p + len;
    (void)fl_json_fail(in, offset_of(in, p), "expected %s", word);
    return NULL;
}

bool fl_json_bool(fl_json *in)
{
    bytes_at p = next_token(in);
    if (p == end_of(in) || (*p != 't' && *p != 'f'))
        return fail_found(in, p, "true or false");
    bytes_at end = literal_end(in, p);
    if (end == NULL)
        return false;
    in->pos = offset_of(in, end);
    return *p == 't';
}

bool fl_json_null(fl_json *in)
{
    bytes_at p = next_token(in);
    if (p == end_of(in) || *p != 'n')
        return false;
    bytes_at end = literal_end(in, p);
    if (end == NULL)
        return false;
    in->pos = offset_of(in, end);
    return true;
}

/* A number as it was written, in quotes or not. */
typedef struct number {
    fl_decimal decimal;
    fl_slice text;
    bool is_decimal; /* false: a string that holds something else */
} number;

/* The number at `p`, a token; false on failure. */
static bool read_number(fl_json *in, bytes_at p, const char *wanted, number *out)
{
    size_t bad_at;
    const char *why;
    if (p == end_of(in) || (*p != '"' && kind_of[*p] != FL_JSON_NUMBER))
        return fail_found(in, p, wanted);
    if (*p == '"') {
        out->text = read_string(in, p);
        if (out->text.ptr == NULL)
            return false;
        size_t len = fl_decimal_scan(&out->decimal, out->text, &bad_at, &why);
        out->is_decimal = len > 0 && len == out->text.len;
        return true;
    }
    out->text = (fl_slice){.ptr = p, .len = (size_t)(end_of(in) - p)};
    out->text.len = fl_decimal_scan(&out->decimal, out->text, &bad_at, &why);
    if (out->text.len == 0)
        return fail_at(in, p + bad_at, why);
    in->pos = offset_of(in, p + out->text.len);
    out->is_decimal = true;
    return true;
}

/* The common case in one go: an integer of at most 19 digits, in quotes or not, and nothing
 * unusual about it. False leaves everything to the thorough way. */
static inline bool read_short_integer(fl_json *in, bytes_at p, uint64_t *magnitude, bool *negative)
{
    bytes_at end = end_of(in);
    bool quoted = p < end && *p == '"';
    p += quoted;
    *negative = p < end && *p == '-';
    p += *negative;
    bytes_at digits = p;
    uint64_t value = 0;
    p = fl_digits_read(p, end, &value);
    if (p == end || p == digits || p - digits > 19 || (*digits == '0' && p - digits > 1))
        return false;
    if (quoted ? *p != '"' : *p == '.' || (*p | 0x20) == 'e')
        return false;
    *magnitude = value;
    in->pos = (size_t)(p + quoted - in->bytes.ptr);
    return true;
}

int64_t fl_json_i64(fl_json *in)
{
    uint64_t magnitude;
    bool negative;
    bytes_at p = next_token(in);
    if (read_short_integer(in, p, &magnitude, &negative) && magnitude <= INT64_MAX)
        return negative ? -(int64_t)magnitude : (int64_t)magnitude;
    number found;
    int64_t value;
    if (!read_number(in, p, "an integer", &found))
        return 0;
    if (found.is_decimal && fl_decimal_i64(&found.decimal, found.text, &value))
        return value;
    (void)fail_at(in, p, "expected an integer of 64 bits");
    return 0;
}

uint64_t fl_json_u64(fl_json *in)
{
    uint64_t value;
    bool negative;
    bytes_at p = next_token(in);
    if (read_short_integer(in, p, &value, &negative) && !negative)
        return value;
    number found;
    if (!read_number(in, p, "an integer", &found))
        return 0;
    if (found.is_decimal && fl_decimal_u64(&found.decimal, found.text, &value))
        return value;
    (void)fail_at(in, p, "expected an unsigned integer of 64 bits");
    return 0;
}

double fl_json_double(fl_json *in)
{
    bytes_at p = next_token(in);
    number found;
    double value;
    if (!read_number(in, p, "a number", &found))
        return 0;
    if (!found.is_decimal) {
        if (fl_parse_double(found.text, &value)) /* NaN and the infinities */
            return value;
        (void)fail_at(in, p, "expected a number in the string");
        return 0;
    }
    if (fl_decimal_double(&found.decimal, found.text, &value))
        return value;
    (void)fail_at(in, p, "number beyond the range of a double");
    return 0;
}

/* Behind the run of digits at `p`, which may be empty. */
static inline bytes_at digits_end(bytes_at p, bytes_at end)
{
    while (p < end && fl_is_digit(*p))
        p++;
    return p;
}

/* Behind the number at `p`; NULL where it breaks the grammar. */
static inline bytes_at number_end(bytes_at p, bytes_at end)
{
    p += *p == '-';
    bytes_at digits = p;
    p = digits_end(p, end);
    if (p == digits || (*digits == '0' && p - digits > 1))
        return NULL;
    if (p < end && *p == '.') {
        digits = ++p;
        p = digits_end(p, end);
        if (p == digits)
            return NULL;
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        digits = p;
        p = digits_end(p, end);
        if (p == digits)
            return NULL;
    }
    return p;
}

/* Behind the string, number or word at `p`; NULL on failure. */
static inline bytes_at skip_scalar(fl_json *in, bytes_at p)
{
    bool escaped;
    bytes_at end;
    switch (p < end_of(in) ? kind_of[*p] : FL_JSON_END) {
    case FL_JSON_STRING:
        end = string_end(in, p + 1, &escaped);
        return end != NULL ? end + 1 : NULL;
    case FL_JSON_NUMBER:
        end = number_end(p, end_of(in));
        if (end == NULL) {
            number broken; /* read again for the sentence */
            bool failed = !read_number(in, p, "a number", &broken);
            assert(failed);
        }
        return end;
    case FL_JSON_TRUE:
    case FL_JSON_FALSE:
    case FL_JSON_NULL:
        return literal_end(in, p);
    default:
        (void)fail_found(in, p, "a value");
        return NULL;
    }
}

/* From the comma at `p`, or from `p` where nothing came before, to the next value of the container
 * at `depth`; NULL on failure. */
static inline bytes_at skip_to_value(fl_json *in, bytes_at p, bool object, bool first)
{
    if (!object)
        return element_start(in, p, first);
    bool escaped;
    p = key_start(in, p, first);
    if (p != NULL)
        p = string_end(in, p + 1, &escaped);
    if (p != NULL)
        p = colon_end(in, p + 1);
    return p != NULL ? skip_space(p, end_of(in)) : NULL;
}

/* One turn is one value: a container is opened and its first value is next, or a scalar is stepped
 * over and whatever ends after it is closed. */
static bytes_at skip_value(fl_json *in, bytes_at p)
{
    const bytes_at end = end_of(in);
    uint32_t depth = in->depth;
    while (p != NULL) {
        if (p < end && (*p == '{' || *p == '[')) {
            if (!push(in, depth, p))
                return NULL;
            bool object = *p == '{';
            p = skip_space(p + 1, end);
            if (p == end || *p != (object ? '}' : ']')) {
                depth++;
                p = skip_to_value(in, p, object, true);
                continue;
            }
            p++;
        } else {
            p = skip_scalar(in, p);
        }
        bool object = false;
        for (; p != NULL && depth > in->depth; depth--, p++) {
            object = is_object_at(in, depth - 1);
            p = skip_space(p, end);
            if (p == end || *p != (object ? '}' : ']'))
                break;
        }
        if (p == NULL || depth == in->depth)
            return p;
        p = skip_to_value(in, p, object, false);
    }
    return NULL;
}

void fl_json_skip(fl_json *in)
{
    bytes_at end = skip_value(in, next_token(in));
    if (end != NULL)
        in->pos = offset_of(in, end);
}

fl_slice fl_json_raw(fl_json *in)
{
    bytes_at start = next_token(in), end = skip_value(in, start);
    if (end == NULL)
        return (fl_slice){0};
    in->pos = offset_of(in, end);
    return (fl_slice){.ptr = start, .len = (size_t)(end - start)};
}

bool fl_json_finish(fl_json *in)
{
    if (!fl_json_ok(in))
        return false;
    assert(in->depth == 0);
    bytes_at p = next_token(in);
    if (p < end_of(in))
        return fail_found(in, p, "the end of the input");
    in->pos = in->bytes.len;
    return true;
}
