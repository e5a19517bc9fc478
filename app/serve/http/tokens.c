/*
 * tokens.c - hashes in an array, of which each look compares all.
 */
#include "tokens.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "mem.h"
#include "number.h"
#include "sha256.h"
#include "slice.h"
#include "stream.h"

enum { RANDOM_BYTES = 24, MAX_LINE_BYTES = 1024 };

typedef struct known_token {
    unsigned char hash[FL_SHA256_BYTES];
    fl_http_role role;
} known_token;

struct fl_tokens {
    size_t count;
    known_token items[FL_MAX_TOKENS];
};

static const char *const role_names[] = {NULL, "ingest", "read", "admin"};

fl_http_role fl_role_of(fl_slice word)
{
    for (unsigned i = 1; i < sizeof(role_names) / sizeof(role_names[0]); i++)
        if (fl_slice_equal(word, fl_slice_of(role_names[i])))
            return (fl_http_role)i;
    return FL_ROLE_NONE;
}

/* The next word of `rest`, which loses it; empty at the end. */
static fl_slice next_word(fl_slice *rest)
{
    *rest = fl_slice_trim(*rest);
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t')
        len++;
    fl_slice word = fl_slice_part(*rest, 0, len);
    *rest = fl_slice_part(*rest, len, rest->len);
    return word;
}

/* What stands in the line is in no message: it might be the token itself. */
static fl_status read_line(fl_tokens *tokens, const fl_line *line, const char *name, fl_error *err)
{
    fl_slice rest = fl_slice_trim(line->text);
    if (rest.len == 0 || rest.ptr[0] == '#')
        return FL_OK;
    fl_http_role role = fl_role_of(next_word(&rest));
    fl_slice hash = next_word(&rest);
    if (tokens->count == FL_MAX_TOKENS)
        return fl_fail(err, FL_E_LIMIT, line->offset, "%.120s: more than %d tokens", name,
                       FL_MAX_TOKENS);
    known_token *token = &tokens->items[tokens->count];
    if (role == FL_ROLE_NONE)
        return fl_fail(err, FL_E_SYNTAX, line->offset,
                       "%.120s:%llu: a line begins with ingest, read or admin", name,
                       (unsigned long long)line->number);
    if (line->too_long || !fl_parse_hex(hash, token->hash, sizeof(token->hash)))
        return fl_fail(err, FL_E_SYNTAX, line->offset,
                       "%.120s:%llu: the role is followed by the 64 digits of a SHA-256", name,
                       (unsigned long long)line->number);
    token->role = role;
    tokens->count++;
    return FL_OK;
}

static fl_status read_lines(fl_tokens *tokens, fl_stream *in, const char *name, fl_error *err)
{
    fl_lines *lines;
    fl_line line;
    bool more = true;
    fl_status status = fl_lines_create(&lines, in, MAX_LINE_BYTES, err);
    if (status != FL_OK)
        return status;
    while (status == FL_OK && more) {
        status = fl_lines_next(lines, &line, &more, err);
        if (status == FL_OK && more)
            status = read_line(tokens, &line, name, err);
    }
    fl_lines_destroy(lines);
    return status;
}

/* Takes the stream. */
static fl_status read_stream(fl_tokens **out, fl_stream *in, const char *name, fl_error *err)
{
    fl_tokens *tokens = fl_mem_calloc(1, sizeof(*tokens));
    fl_status status = tokens != NULL
                           ? read_lines(tokens, in, name, err)
                           : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for tokens");
    fl_stream_close(in);
    if (status != FL_OK) {
        fl_tokens_destroy(tokens);
        return status;
    }
    *out = tokens;
    return FL_OK;
}

fl_status fl_tokens_load(fl_tokens **out, const char *path, fl_error *err)
{
    fl_stream *in;
    assert(out != NULL && path != NULL);
    *out = NULL;
    fl_status status = fl_stream_open(&in, path, err);
    return status == FL_OK ? read_stream(out, in, path, err) : status;
}

fl_status fl_tokens_read(fl_tokens **out, fl_slice text, const char *name, fl_error *err)
{
    fl_stream *in;
    assert(out != NULL && name != NULL);
    *out = NULL;
    fl_status status = fl_stream_over(&in, text, name, err);
    return status == FL_OK ? read_stream(out, in, name, err) : status;
}

/* The hashes are of no use to whoever reads memory later, but they cost nothing to wipe. */
void fl_tokens_destroy(fl_tokens *tokens)
{
    if (tokens == NULL)
        return;
    memset(tokens->items, 0, sizeof(tokens->items));
    fl_mem_free(tokens);
}

size_t fl_tokens_count(const fl_tokens *tokens)
{
    assert(tokens != NULL);
    return tokens->count;
}

/* No look ends early, and none depends on the one before. */
bool fl_tokens_grant(const fl_tokens *tokens, fl_slice token, fl_http_role role, bool *is_known)
{
    unsigned char hash[FL_SHA256_BYTES];
    unsigned known = 0, granted = 0;
    assert(tokens != NULL && role != FL_ROLE_NONE && is_known != NULL);
    fl_sha256(hash, token);
    for (size_t i = 0; i < tokens->count; i++) {
        const known_token *at = &tokens->items[i];
        unsigned is_same = fl_secret_equal((fl_slice){.ptr = at->hash, .len = sizeof(at->hash)},
                                           (fl_slice){.ptr = hash, .len = sizeof(hash)});
        known |= is_same;
        granted |= is_same & (unsigned)(at->role == role || at->role == FL_ROLE_ADMIN);
    }
    *is_known = known != 0;
    return granted != 0;
}

static void put_hex(char *out, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

fl_status fl_token_make(char out[FL_TOKEN_TEXT], fl_error *err)
{
    static const char prefix[] = "flt_"; /* what finds leaked ones by a search */
    unsigned char bytes[RANDOM_BYTES];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "no random bytes for a token: %s",
                       strerror(errno));
    memcpy(out, prefix, sizeof(prefix) - 1);
    put_hex(out + sizeof(prefix) - 1, bytes, sizeof(bytes));
    return FL_OK;
}

void fl_token_line(fl_buf *out, const char *token, fl_http_role role, const char *name)
{
    unsigned char hash[FL_SHA256_BYTES];
    char text[2 * FL_SHA256_BYTES + 1];
    assert(role != FL_ROLE_NONE && role <= FL_ROLE_ADMIN);
    fl_sha256(hash, fl_slice_of(token));
    put_hex(text, hash, sizeof(hash));
    fl_buf_printf(out, "%s %s", role_names[role], text);
    if (name != NULL)
        fl_buf_printf(out, " %s", name);
    fl_buf_char(out, '\n');
}
