/*
 * pyroscope.c - the query of an upload, and the profile in its body.
 *
 *   query := pair ("&" pair)*   pair := key "=" value     value is percent-encoded (RFC 3986), + a
 * space name  := app [ "{" [ key "=" value ("," key "=" value)* ] "}" ] form  := "--" boundary CRLF
 * headers CRLF CRLF bytes (CRLF "--" boundary ...)* "--"   (RFC 2046)
 */
#include "pyroscope.h"

#include <assert.h>
#include <string.h>

#include "number.h"
#include "quote.h"
#include "slice.h"
#include "timestamp.h"
#include "utf8.h"

enum { MAX_BOUNDARY = 70 /* RFC 2046, section 5.1.1 */ };

static fl_slice behind(fl_slice text, size_t at)
{
    assert(at <= text.len);
    return at == 0 ? text : (fl_slice){.ptr = text.ptr + at, .len = text.len - at};
}

/* Up to the first `end` and the rest behind it. */
static fl_slice take_until(fl_slice *rest, unsigned char end)
{
    const unsigned char *found = rest->len > 0 ? memchr(rest->ptr, end, rest->len) : NULL;
    fl_slice head = *rest;
    if (found == NULL) {
        *rest = behind(*rest, rest->len);
        return head;
    }
    head.len = (size_t)(found - rest->ptr);
    *rest = behind(*rest, head.len + 1);
    return head;
}

/* Percent-decoded; `at` is the value's offset in the query. */
static fl_status decode(fl_slice *out, fl_slice text, size_t at, fl_arena *arena, fl_error *err)
{
    unsigned char *plain = fl_arena_bytes(arena, text.len);
    size_t len = 0;
    if (plain == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a query of %zu bytes",
                       text.len);
    for (size_t i = 0; i < text.len; i++) {
        plain[len] = text.ptr[i] == '+' ? ' ' : text.ptr[i];
        if (text.ptr[i] == '%') {
            fl_slice digits = {.ptr = text.ptr + i + 1, .len = text.len - i - 1 < 2 ? 0 : 2};
            if (!fl_parse_hex(digits, plain + len, 1))
                return fl_fail(err, FL_E_SYNTAX, at + i, "a '%%' without two hexadecimal digits");
            i += 2;
        }
        len++;
    }
    *out = (fl_slice){.ptr = plain, .len = len};
    if (fl_utf8_valid_prefix(*out) < len)
        return fl_fail(err, FL_E_SYNTAX, at, "a value of the query is not UTF-8");
    return FL_OK;
}

/* The application's name and the labels behind it, as Pyroscope writes both into one. */
static fl_status read_name(fl_pyroscope_upload *out, fl_slice name, size_t at, fl_error *err)
{
    fl_slice rest = name;
    out->app = fl_slice_trim(take_until(&rest, '{'));
    if (out->app.len == 0)
        return fl_fail(err, FL_E_SYNTAX, at, "'name' is empty");
    if (out->app.len == fl_slice_trim(name).len)
        return FL_OK;
    rest = fl_slice_trim(rest);
    if (rest.len == 0 || rest.ptr[rest.len - 1] != '}')
        return fl_fail(err, FL_E_SYNTAX, at, "the labels of 'name' do not end with '}'");
    rest.len--;
    while (rest.len > 0) {
        fl_slice value = take_until(&rest, ',');
        fl_slice key = take_until(&value, '=');
        fl_labels_add(&out->labels, fl_slice_trim(key), fl_slice_trim(value));
    }
    return FL_OK;
}

/* Digits alone tell the unit; nanoseconds are what some clients send. */
static fl_status read_time(int64_t *out, fl_slice text, size_t at, const char *key, fl_error *err)
{
    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9' ||
        fl_time_parse(out, text, 0, NULL) != FL_OK)
        return fl_fail(err, FL_E_SYNTAX, at, "'%s' is not an epoch", key);
    return FL_OK;
}

/* One key of the query; what is not known here, a later version of a client may send. */
static fl_status read_pair(fl_pyroscope_upload *out, fl_slice key, fl_slice value, size_t at,
                           fl_error *err)
{
    char shown[FL_QUOTE_TEXT];
    if (fl_slice_equal(key, FL_SLICE("name")))
        return read_name(out, value, at, err);
    if (fl_slice_equal(key, FL_SLICE("from")))
        return read_time(&out->from_ns, value, at, "from", err);
    if (fl_slice_equal(key, FL_SLICE("until")))
        return read_time(&out->until_ns, value, at, "until", err);
    if (fl_slice_equal(key, FL_SLICE("format")) && !fl_slice_equal(value, FL_SLICE("pprof")))
        return fl_fail(err, FL_E_UNSUPPORTED, at, "format '%s' is not read, pprof is",
                       fl_quote(shown, value));
    if (fl_slice_equal(key, FL_SLICE("sampleRate")) && !fl_parse_u64(value, &out->sample_rate))
        return fl_fail(err, FL_E_SYNTAX, at, "'sampleRate' is not a number");
    if (fl_slice_equal(key, FL_SLICE("units")))
        out->units = value;
    else if (fl_slice_equal(key, FL_SLICE("aggregationType")))
        out->aggregation = value;
    else if (fl_slice_equal(key, FL_SLICE("spyName")))
        out->spy = value;
    return FL_OK;
}

fl_status fl_pyroscope_parameter(fl_pyroscope_upload *upload, fl_slice key, fl_slice value,
                                 fl_error *err)
{
    assert(upload != NULL);
    return read_pair(upload, key, value, 0, err);
}

fl_status fl_pyroscope_check(const fl_pyroscope_upload *upload, fl_error *err)
{
    if (upload->app.len == 0)
        return fl_fail(err, FL_E_SYNTAX, 0, "the query has no 'name'");
    if (upload->from_ns > 0 && upload->until_ns > 0 && upload->until_ns < upload->from_ns)
        return fl_fail(err, FL_E_SYNTAX, 0, "'until' is before 'from'");
    return FL_OK;
}

fl_status fl_pyroscope_query(fl_pyroscope_upload *out, fl_slice query, fl_arena *arena,
                             fl_error *err)
{
    assert(out != NULL && arena != NULL);
    fl_slice rest = query;
    fl_status status = FL_OK;
    memset(out, 0, sizeof(*out));
    while (rest.len > 0 && status == FL_OK) {
        fl_slice value = take_until(&rest, '&');
        fl_slice key = take_until(&value, '=');
        size_t at = value.len > 0 ? (size_t)(value.ptr - query.ptr) : 0;
        status = decode(&value, value, at, arena, err);
        if (status == FL_OK)
            status = read_pair(out, key, value, at, err);
    }
    return status == FL_OK ? fl_pyroscope_check(out, err) : status;
}

/* ---- forms ---- */

/* The boundary that a form's Content-Type tells; empty where it is no form. */
static fl_slice boundary_of(fl_slice content_type)
{
    static const fl_slice media = FL_SLICE_INIT("multipart/form-data"),
                          key = FL_SLICE_INIT("boundary=");
    fl_slice none = {0};
    if (!fl_slice_starts_with(content_type, media))
        return none;
    size_t at = fl_slice_find(content_type, key);
    if (at == content_type.len)
        return none;
    fl_slice rest = behind(content_type, at + key.len);
    fl_slice boundary = fl_slice_trim(take_until(&rest, ';'));
    if (boundary.len >= 2 && boundary.ptr[0] == '"' && boundary.ptr[boundary.len - 1] == '"')
        boundary = (fl_slice){.ptr = boundary.ptr + 1, .len = boundary.len - 2};
    return boundary;
}

static bool is_profile(fl_slice headers)
{
    return fl_slice_find(headers, FL_SLICE("name=\"profile\"")) < headers.len ||
           fl_slice_find(headers, FL_SLICE("name=profile")) < headers.len;
}

fl_status fl_pyroscope_profile(fl_slice *profile, fl_slice content_type, fl_slice body,
                               fl_error *err)
{
    unsigned char mark[4 + MAX_BOUNDARY] = {'\r', '\n', '-', '-'};
    fl_slice boundary = boundary_of(content_type), rest = body;
    assert(profile != NULL);
    *profile = body;
    if (!fl_slice_starts_with(content_type, FL_SLICE("multipart/form-data")))
        return FL_OK;
    *profile = (fl_slice){0};
    if (boundary.len == 0 || boundary.len > MAX_BOUNDARY)
        return fl_fail(err, FL_E_SYNTAX, 0, "a form whose boundary is not 1 to 70 bytes");
    memcpy(mark + 4, boundary.ptr, boundary.len);
    fl_slice between = {.ptr = mark, .len = 4 + boundary.len};
    if (!fl_slice_starts_with(body, behind(between, 2)))
        return fl_fail(err, FL_E_SYNTAX, 0, "a form that does not begin with its boundary");
    rest = behind(rest, between.len - 2);
    for (;;) {
        size_t offset = (size_t)(rest.ptr - body.ptr);
        if (fl_slice_starts_with(rest, FL_SLICE("--")))
            return fl_fail(err, FL_E_SYNTAX, offset, "a form without a part 'profile'");
        size_t head = fl_slice_find(rest, FL_SLICE("\r\n\r\n"));
        if (head == rest.len)
            return fl_fail(err, FL_E_TRUNCATED, body.len, "a form ends inside the part at byte %zu",
                           offset);
        fl_slice headers = {.ptr = rest.ptr, .len = head};
        rest = behind(rest, head + 4);
        size_t end = fl_slice_find(rest, between);
        if (end == rest.len)
            return fl_fail(err, FL_E_TRUNCATED, body.len, "a form ends inside the part at byte %zu",
                           offset);
        if (is_profile(headers)) {
            *profile = (fl_slice){.ptr = rest.ptr, .len = end};
            return FL_OK;
        }
        rest = behind(rest, end + between.len);
    }
}
