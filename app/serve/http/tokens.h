/*
 * tokens.h - bearer tokens: a file that knows them by their hashes, and new ones.
 *
 *   file := { line "\n" } ; line := "" | "#" any | ROLE SPACE HASH [ SPACE NAME ]
 *
 * ROLE is ingest, read or admin, HASH the SHA-256 of the token in hexadecimal, NAME for people. A
 * token has 192 random bits, so that its hash needs neither salt nor slowness. One token may stand
 * there with several roles.
 */
#ifndef FL_TOKENS_H
#define FL_TOKENS_H

#include "buf.h"
#include "http.h"

enum { FL_MAX_TOKENS = 4096, FL_TOKEN_TEXT = 64 };

typedef struct fl_tokens fl_tokens;

/* FL_E_SYNTAX "PATH:LINE: what is wrong", of which nothing is what stands there; FL_E_NOTFOUND,
 * FL_E_IO, FL_E_LIMIT, FL_E_NOMEM. A file without any token is one that lets nobody in. */
FL_NODISCARD fl_status fl_tokens_load(fl_tokens **out, const char *path, fl_error *err);
/* The same of text that was read; `name` is for messages. */
FL_NODISCARD fl_status fl_tokens_read(fl_tokens **out, fl_slice text, const char *name,
                                      fl_error *err);
void fl_tokens_destroy(fl_tokens *tokens); /* NULL is a no-op */
size_t fl_tokens_count(const fl_tokens *tokens);

/* Whether the token is known at all, and whether it grants the role. The time depends on how many
 * tokens there are and on the length of `token`, not on which one it is. */
bool fl_tokens_grant(const fl_tokens *tokens, fl_slice token, fl_http_role role, bool *is_known);

/* A new one: "flt_" and 48 hexadecimal digits; FL_E_IO where the system has no randomness. */
FL_NODISCARD fl_status fl_token_make(char out[FL_TOKEN_TEXT], fl_error *err);
/* Its line in a file, with the newline. */
void fl_token_line(fl_buf *out, const char *token, fl_http_role role, const char *name);
/* FL_ROLE_NONE: no such word. */
fl_http_role fl_role_of(fl_slice word);

#endif
