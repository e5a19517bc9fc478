/*
 * config_value.c - one value, from the text that a person wrote to what the program uses.
 *
 *   bool      := "true" | "false"
 *   address   := host ":" port;  host := name | IPv4 | "[" IPv6 "]" | "*";  "*" is 0.0.0.0
 *   url       := ("http" | "https") "://" host [":" port] ["/" ...], with neither user nor "#"
 *   file      := a name, relative to the folder of the file that it stands in
 *
 * Types come from the table and never from how a scalar looks: "no" is a text, "1.10" is not 1.1,
 * "12:30:00" is no number (the traps of YAML 1.1).
 */
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_priv.h"
#include "number.h"
#include "quote.h"
#include "regex.h"
#include "slice.h"
#include "timestamp.h"

/* One value being read. */
struct value {
    fl_arena *arena;
    const fl_config_field *field;
    const fl_config_text *from;
    char *why;
};

/* "'x' is not ..." */
static fl_status refuse(struct value *in, const char *what)
{
    char shown[FL_QUOTE_TEXT];
    snprintf(in->why, FL_CONFIG_WHY, "'%s' %.*s", fl_quote(shown, in->from->text),
             FL_CONFIG_WHY - FL_QUOTE_TEXT - 4, what);
    return FL_E_SYNTAX;
}

/* The text itself, NUL-terminated. */
static fl_status copy(const char **out, struct value *in, fl_slice text)
{
    *out = fl_arena_cstr(in->arena, text);
    return *out != NULL ? FL_OK : FL_E_NOMEM;
}

/* ---- numbers ---- */

/* YAML 1.1 has a dozen more words for it, of which "no" is also a country. */
static fl_status read_bool(bool *to, struct value *in)
{
    bool is_true = fl_slice_equal(in->from->text, FL_SLICE("true"));
    if (!is_true && !fl_slice_equal(in->from->text, FL_SLICE("false")))
        return refuse(in, "is neither true nor false");
    *to = is_true;
    return FL_OK;
}

/* Bounds are always given: a number without one is a promise that nobody tested. */
static fl_status read_count(uint64_t *to, struct value *in)
{
    const fl_config_field *field = in->field;
    char what[80];
    uint64_t count;
    assert(field->most > 0);
    if (fl_parse_u64(in->from->text, &count) && count >= field->least && count <= field->most) {
        *to = count;
        return FL_OK;
    }
    snprintf(what, sizeof(what), "is not a whole number from %llu to %llu",
             (unsigned long long)field->least, (unsigned long long)field->most);
    return refuse(in, what);
}

/* Both ends are possible: never, and always. */
static fl_status read_ratio(double *to, struct value *in)
{
    double ratio;
    if (!fl_parse_double(in->from->text, &ratio) || !(ratio >= 0 && ratio <= 1))
        return refuse(in, "is not a number from 0 to 1");
    *to = ratio;
    return FL_OK;
}

/* With or without a unit; nothing is 0 bytes large. */
static fl_status read_size(uint64_t *to, struct value *in)
{
    char what[80];
    uint64_t bytes;
    if (!fl_parse_size(in->from->text, &bytes))
        return refuse(in, "is not a size like 64MiB, 2GB or 800000");
    if (bytes < in->field->least) {
        snprintf(what, sizeof(what), "is less than %llu bytes",
                 (unsigned long long)in->field->least);
        return refuse(in, what);
    }
    *to = bytes;
    return FL_OK;
}

/* As everywhere in the program; the least stands in milliseconds. */
static fl_status read_duration(int64_t *to, struct value *in)
{
    char what[80], least[FL_TIME_TEXT];
    int64_t ns, least_ns = (int64_t)in->field->least * FL_NS_PER_MS;
    if (fl_duration_parse(&ns, in->from->text, NULL) != FL_OK)
        return refuse(in, "is not a duration like 90s, 5m, 250ms or 1h30m");
    if (ns < least_ns) {
        snprintf(what, sizeof(what), "is less than %s", fl_duration_format(least, least_ns));
        return refuse(in, what);
    }
    *to = ns;
    return FL_OK;
}

/* ---- words ---- */

/* Which of the row's choices; their number where it is none. */
static size_t choice_at(const fl_config_field *field, fl_slice text)
{
    size_t at = 0;
    assert(field->choices != NULL);
    while (field->choices[at] != NULL && !fl_slice_equal(text, fl_slice_of(field->choices[at])))
        at++;
    return at;
}

/* With all that it could be. */
static fl_status refuse_choice(struct value *in)
{
    char what[FL_CONFIG_WHY];
    size_t used = (size_t)snprintf(what, sizeof(what), "is none of");
    for (size_t i = 0; in->field->choices[i] != NULL && used < sizeof(what); i++)
        used += (size_t)snprintf(what + used, sizeof(what) - used, "%s %s", i > 0 ? "," : "",
                                 in->field->choices[i]);
    return refuse(in, what);
}

/* The number of the choice is the value of an enum in config.h, which has the same order. */
static fl_status read_choice(int *to, struct value *in)
{
    size_t at = choice_at(in->field, in->from->text);
    if (in->field->choices[at] == NULL)
        return refuse_choice(in);
    *to = (int)at;
    return FL_OK;
}

/* A text, of those that are possible where these are known. */
static fl_status read_word(const char **to, struct value *in)
{
    if (in->field->choices != NULL &&
        in->field->choices[choice_at(in->field, in->from->text)] == NULL)
        return refuse_choice(in);
    return copy(to, in, in->from->text);
}

/* A pattern is compiled once to see whether it can be; PCRE2's own sentence names it. */
static fl_status read_pattern(const char **to, struct value *in)
{
    fl_regex *regex = NULL;
    fl_error err = {0};
    fl_status status = fl_regex_create(&regex, in->from->text, false, &err);
    fl_regex_destroy(regex);
    if (status == FL_E_SYNTAX || status == FL_E_LIMIT) {
        snprintf(in->why, FL_CONFIG_WHY, "%.150s", err.message);
        return FL_E_SYNTAX;
    }
    return status == FL_OK ? copy(to, in, in->from->text) : status;
}

/* ---- places ---- */

/* Letters, digits, '-', '.', '_', and for IPv6 ':' and '%'. */
static bool is_host(fl_slice host, bool is_v6)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = host.ptr[i];
        bool plain = isalnum(c) || c == '-' || c == '.' || c == '_';
        if (c >= 0x80 || (!plain && !(is_v6 && (c == ':' || c == '%'))))
            return false;
    }
    return host.len > 0;
}

/* Digits and nothing else, 0 to 65535. */
static bool is_port(uint16_t *out, fl_slice digits)
{
    uint64_t port;
    if (digits.len == 0 || digits.len > 5 || !fl_parse_u64(digits, &port) || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* Offset of the last ':', or the length where there is none. */
static size_t last_colon(fl_slice text)
{
    for (size_t i = text.len; i > 0; i--)
        if (text.ptr[i - 1] == ':')
            return i - 1;
    return text.len;
}

/* "host" out of "host:port" and "[host]:port". */
static fl_status read_address(fl_config_address *to, struct value *in)
{
    fl_slice text = in->from->text;
    size_t colon = last_colon(text);
    unsigned char bytes[16];
    fl_slice host = fl_slice_part(text, 0, colon);
    bool is_v6 = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (colon == text.len || !is_port(&to->port, fl_slice_part(text, colon + 1, text.len)))
        return refuse(in, "is not an address with a port, like 127.0.0.1:4318 or [::1]:4318");
    if (is_v6)
        host = fl_slice_part(host, 1, host.len - 1);
    if (fl_slice_equal(host, FL_SLICE("*")))
        host = FL_SLICE("0.0.0.0");
    if (!is_host(host, is_v6))
        return refuse(in, "is not an address with a port, like 127.0.0.1:4318 or [::1]:4318");
    fl_status status = copy(&to->host, in, host);
    if (status == FL_OK && is_v6 && inet_pton(AF_INET6, to->host, bytes) != 1)
        return refuse(in, "has no IPv6 address between its brackets");
    return status;
}

/* What stands between "://" and the path of a URL. */
static fl_slice authority_of(fl_slice url)
{
    size_t begin = fl_slice_find(url, FL_SLICE("://")), end;
    begin = begin < url.len ? begin + 3 : url.len;
    for (end = begin; end < url.len && strchr("/?#", url.ptr[end]) == NULL; end++)
        ;
    return fl_slice_part(url, begin, end);
}

/* memchr() over a slice, which may be empty. */
static bool has_byte(fl_slice text, int byte)
{
    return text.len > 0 && memchr(text.ptr, byte, text.len) != NULL;
}

/* Nothing of a URL that holds a user is shown: its password may be in it. */
static fl_status refuse_password(struct value *in, const char *instead)
{
    snprintf(in->why, FL_CONFIG_WHY, "a password does not stand in a URL; %s", instead);
    return FL_E_SYNTAX;
}

/* What a client may be handed: curl would take far more than is meant here. */
static fl_status read_url(const char **to, struct value *in)
{
    fl_slice text = in->from->text, authority = authority_of(text);
    uint16_t port;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7F)
            return refuse(in, "is not a URL: it holds white space");
    if (has_byte(authority, '@'))
        return refuse_password(in, "give user and password_file");
    if (!fl_slice_starts_with(text, FL_SLICE("http://")) &&
        !fl_slice_starts_with(text, FL_SLICE("https://")))
        return refuse(in, "is not a URL that begins with http:// or https://");
    if (has_byte(text, '#'))
        return refuse(in, "is a URL with a '#', which is sent to no server");
    bool is_v6 = authority.len > 0 && authority.ptr[0] == '[';
    size_t colon = last_colon(authority);
    if (is_v6 && colon < authority.len &&
        has_byte(fl_slice_part(authority, colon, authority.len), ']'))
        colon = authority.len;
    fl_slice host = fl_slice_part(authority, 0, colon);
    if (is_v6)
        host = host.len > 2 && host.ptr[host.len - 1] == ']' ? fl_slice_part(host, 1, host.len - 1)
                                                             : (fl_slice){0};
    if (!is_host(host, is_v6))
        return refuse(in, "is a URL without a host");
    if (colon < authority.len &&
        !is_port(&port, fl_slice_part(authority, colon + 1, authority.len)))
        return refuse(in, "is a URL whose port is not a number");
    /* a path is put behind it */
    while (text.len > 0 && text.ptr[text.len - 1] == '/')
        text.len--;
    return copy(to, in, text);
}

/* A file, "sqlite:" and a file, or a connection URI of PostgreSQL, whose password stands in a file
 * as libpq has it; a flag or a variable may hold it, as they may for every other command. */
static fl_status read_store(const char **to, struct value *in)
{
    fl_slice text = in->from->text, authority = authority_of(text);
    size_t at = authority.len;
    while (at > 0 && authority.ptr[at - 1] != '@')
        at--;
    bool has_password = (at > 0 && has_byte(fl_slice_part(authority, 0, at - 1), ':')) ||
                        fl_slice_find(text, FL_SLICE("password=")) < text.len;
    if (has_password && in->from->folder != NULL)
        return refuse_password(in, "add ?passfile=FILE, as libpq reads it");
    return copy(to, in, text);
}

/* ---- files ---- */

/* Beside the configuration, unless it begins at the root. */
static fl_status read_path(const char **to, struct value *in)
{
    fl_slice text = in->from->text;
    if (in->from->folder == NULL || text.ptr[0] == '/')
        return copy(to, in, text);
    *to = fl_arena_printf(in->arena, "%s/%.*s", in->from->folder, FL_SLICE_ARG(text));
    return *to != NULL ? FL_OK : FL_E_NOMEM;
}

/* systemd hands secrets over in a folder of their own (LoadCredential=): a plain name is one of
 * those where there is such a file. */
static fl_status read_secret(const char **to, struct value *in)
{
    struct stat about;
    fl_slice text = in->from->text;
    if (in->from->credentials != NULL && !has_byte(text, '/')) {
        *to = fl_arena_printf(in->arena, "%s/%.*s", in->from->credentials, FL_SLICE_ARG(text));
        if (*to == NULL)
            return FL_E_NOMEM;
        if (stat(*to, &about) == 0)
            return FL_OK;
    }
    return read_path(to, in);
}

size_t fl_config_item_size(const fl_config_field *field)
{
    assert(field->kind == FL_CONFIG_TEXTS || field->kind == FL_CONFIG_ADDRESSES);
    return field->kind == FL_CONFIG_TEXTS ? sizeof(const char *) : sizeof(fl_config_address);
}

fl_status fl_config_value(void *to, fl_arena *arena, const fl_config_field *field,
                          const fl_config_text *from, char why[FL_CONFIG_WHY])
{
    fl_config_text trimmed = *from;
    trimmed.text = fl_slice_trim(from->text);
    struct value in = {.arena = arena, .field = field, .from = &trimmed, .why = why};
    if (trimmed.text.len == 0) {
        snprintf(why, FL_CONFIG_WHY, "the value is empty");
        return FL_E_SYNTAX;
    }
    switch (field->kind) {
    case FL_CONFIG_BOOL:
        return read_bool(to, &in);
    case FL_CONFIG_COUNT:
        return read_count(to, &in);
    case FL_CONFIG_RATIO:
        return read_ratio(to, &in);
    case FL_CONFIG_SIZE:
        return read_size(to, &in);
    case FL_CONFIG_DURATION:
        return read_duration(to, &in);
    case FL_CONFIG_CHOICE:
        return read_choice(to, &in);
    case FL_CONFIG_TEXT:
    case FL_CONFIG_WORD:
    case FL_CONFIG_TEXTS:
        return read_word(to, &in);
    case FL_CONFIG_URL:
        return read_url(to, &in);
    case FL_CONFIG_STORE:
        return read_store(to, &in);
    case FL_CONFIG_FILE_NAME:
    case FL_CONFIG_FOLDER:
        return read_path(to, &in);
    case FL_CONFIG_SECRET:
        return read_secret(to, &in);
    case FL_CONFIG_PATTERN:
        return read_pattern(to, &in);
    case FL_CONFIG_ADDRESSES:
        return read_address(to, &in);
    case FL_CONFIG_SECTION:
    case FL_CONFIG_ITEMS:
        break;
    }
    return refuse(&in, "is not a mapping"); /* which the caller sees before */
}
