/*
 * loki.c - from labels and metadata to log records.
 *
 *   labels := "{" [ label ("," label)* [","] ] "}"      label := name "=" string
 *   string := '"' (byte | escape)* '"' | '`' byte* '`'  escape := Go's: \n \t \r \a \b \f \v \\ \"
 * \' \xHH \uHHHH \UHHHHHHHH \OOO
 *
 * How severe a line is, is said by a label or by metadata; which trace it belongs to, by metadata.
 * Words for severity are those of syslog, winston, zap, log4j and pino; numbers are OpenTelemetry's
 * SeverityNumber.
 */
#include "loki.h"

#include <assert.h>

#include "bytes.h"
#include "faultline/limits.h"
#include "loki_priv.h"
#include "number.h"
#include "slice.h"
#include "utf8.h"

static const fl_slice severity_names[] = {
    FL_SLICE_INIT("level"),         FL_SLICE_INIT("severity"), FL_SLICE_INIT("detected_level"),
    FL_SLICE_INIT("log_level"),     FL_SLICE_INIT("loglevel"), FL_SLICE_INIT("lvl"),
    FL_SLICE_INIT("severity_text"),
};

static const struct {
    fl_slice word;
    int number;
} severities[] = {
    {FL_SLICE_INIT("trace"), 1},       {FL_SLICE_INIT("silly"), 1},
    {FL_SLICE_INIT("verbose"), 1},     {FL_SLICE_INIT("debug"), 5},
    {FL_SLICE_INIT("dbug"), 5},        {FL_SLICE_INIT("info"), 9},
    {FL_SLICE_INIT("http"), 9},        {FL_SLICE_INIT("informational"), 9},
    {FL_SLICE_INIT("information"), 9}, {FL_SLICE_INIT("notice"), 10},
    {FL_SLICE_INIT("warn"), 13},       {FL_SLICE_INIT("warning"), 13},
    {FL_SLICE_INIT("err"), 17},        {FL_SLICE_INIT("eror"), 17},
    {FL_SLICE_INIT("error"), 17},      {FL_SLICE_INIT("crit"), 18},
    {FL_SLICE_INIT("critical"), 18},   {FL_SLICE_INIT("dpanic"), 18},
    {FL_SLICE_INIT("alert"), 19},      {FL_SLICE_INIT("panic"), 21},
    {FL_SLICE_INIT("emerg"), 21},      {FL_SLICE_INIT("emergency"), 21},
    {FL_SLICE_INIT("fatal"), 21},
};

void fl_loki_open(struct loki *x, fl_intake *to, fl_slice bytes, bool is_text, fl_error *err)
{
    assert(to->sink->resource != NULL && to->sink->log != NULL);
    x->to = to;
    x->arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    x->labels.count = x->stream_labels = 0;
    x->labels.dropped = 0;
    x->err = err;
    fl_intake_begin(to, bytes, is_text);
}

void fl_loki_close(struct loki *x)
{
    fl_arena_dispose(&x->arena);
}

/* ---- labels as text ---- */

/* One escape behind its backslash; the number of bytes written to out[4], 0 where it is none. */
static size_t unescape(unsigned char out[4], fl_slice text, size_t *at)
{
    static const char plain[] = "abfnrtv\\'\"", means[] = "\a\b\f\n\r\t\v\\'\"";
    if (*at == text.len)
        return 0;
    unsigned char c = text.ptr[(*at)++];
    const char *found = c != '\0' ? strchr(plain, c) : NULL;
    if (found != NULL) {
        out[0] = (unsigned char)means[found - plain];
        return 1;
    }
    bool octal = c >= '0' && c <= '7';
    size_t digits = octal ? 2 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    uint32_t value = octal ? c - (uint32_t)'0' : 0;
    if (digits == 0 || text.len - *at < digits)
        return 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned char d = text.ptr[(*at)++];
        uint32_t digit = d >= '0' && d <= '9' ? d - (uint32_t)'0' : (d | 32u) - 'a' + 10;
        if (digit > (octal ? 7 : 15))
            return 0;
        value = value * (octal ? 8 : 16) + digit;
    }
    if (octal || c == 'x') { /* a byte: Go writes those that are no UTF-8 so, which is no label */
        out[0] = (unsigned char)value;
        return value < 0x80 ? 1 : 0;
    }
    bool is_scalar = value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    return is_scalar ? fl_utf8_encode(out, value) : 0;
}

/* The string that begins at *at; false where it is none, or for want of memory (*status). */
static bool read_string(fl_slice *out, struct loki *x, fl_slice text, size_t *at, fl_status *status)
{
    unsigned char quote = *at < text.len ? text.ptr[*at] : 0;
    if (quote != '"' && quote != '`')
        return false;
    size_t from = ++*at;
    while (*at < text.len && text.ptr[*at] != quote && (quote == '`' || text.ptr[*at] != '\\'))
        ++*at;
    *out = (fl_slice){.ptr = text.ptr + from, .len = *at - from};
    if (*at == text.len)
        return false;
    if (text.ptr[(*at)++] == quote)
        return true;
    --*at; /* an escape: what comes of it is never longer than it was */
    unsigned char *plain = fl_arena_bytes(&x->arena, text.len - from);
    size_t len = *at - from;
    if (plain == NULL) {
        *status = FL_E_NOMEM;
        return false;
    }
    memcpy(plain, text.ptr + from, len);
    while (*at < text.len && text.ptr[*at] != quote) {
        unsigned char c = text.ptr[(*at)++], bytes[4] = {c};
        size_t count = c == '\\' ? unescape(bytes, text, at) : 1;
        if (count == 0)
            return false;
        memcpy(plain + len, bytes, count);
        len += count;
    }
    *out = (fl_slice){.ptr = plain, .len = len};
    return *at < text.len && text.ptr[(*at)++] == quote;
}

static void skip_space(fl_slice text, size_t *at)
{
    while (*at < text.len && (text.ptr[*at] == ' ' || text.ptr[*at] == '\t'))
        ++*at;
}

static bool take_byte(fl_slice text, size_t *at, unsigned char wanted)
{
    skip_space(text, at);
    if (*at == text.len || text.ptr[*at] != wanted)
        return false;
    ++*at;
    return true;
}

/* A name goes up to its '='; names of any characters are written as strings. */
static bool read_name(fl_slice *out, struct loki *x, fl_slice text, size_t *at, fl_status *status)
{
    skip_space(text, at);
    if (*at < text.len && text.ptr[*at] == '"')
        return read_string(out, x, text, at, status) && out->len > 0;
    size_t from = *at;
    while (*at < text.len && text.ptr[*at] != '=' && text.ptr[*at] != ' ' && text.ptr[*at] != '}' &&
           text.ptr[*at] != ',' && text.ptr[*at] != '"')
        ++*at;
    *out = (fl_slice){.ptr = text.ptr + from, .len = *at - from};
    return out->len > 0;
}

bool fl_loki_read_labels(struct loki *x, fl_slice text, size_t *bad_at, fl_status *status)
{
    size_t at = 0;
    fl_labels_clear(&x->labels);
    bool good = take_byte(text, &at, '{'), more = good && !take_byte(text, &at, '}');
    while (good && more) {
        fl_slice name, value;
        good = read_name(&name, x, text, &at, status) && take_byte(text, &at, '=');
        skip_space(text, &at);
        good = good && read_string(&value, x, text, &at, status);
        if (good)
            fl_labels_add(&x->labels, name, value);
        bool comma = good && take_byte(text, &at, ',');
        more = good && !take_byte(text, &at, '}');
        good = good && (comma || !more);
    }
    skip_space(text, &at);
    *bad_at = at;
    return good && at == text.len;
}

/* ---- records ---- */

static bool same_word(fl_slice text, fl_slice word)
{
    if (text.len != word.len)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = text.ptr[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != word.ptr[i])
            return false;
    }
    return true;
}

/* pino's levels are 10 to 60 in tens, trace to fatal. */
static int severity_of(fl_slice text)
{
    static const int tens[] = {0, 1, 5, 9, 13, 17, 21};
    uint64_t number;
    for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++)
        if (same_word(text, severities[i].word))
            return severities[i].number;
    if (fl_parse_u64(text, &number) && number % 10 == 0 && number <= 60)
        return tens[number / 10];
    return 0;
}

/* Of the labels from `from` on, the first name of the list that is there. */
static fl_slice severity_text_of(const struct loki *x, size_t from)
{
    for (size_t n = 0; n < sizeof(severity_names) / sizeof(severity_names[0]); n++)
        for (size_t i = from; i < x->labels.count; i++)
            if (fl_slice_equal(x->labels.items[i].key, severity_names[n]))
                return x->labels.items[i].value.text;
    return (fl_slice){0};
}

fl_status fl_loki_begin_stream(struct loki *x)
{
    fl_status status = fl_labels_announce(&x->resource, &x->labels, x->to->sink, x->err);
    x->stream_labels = x->labels.count;
    x->severity_text = severity_text_of(x, 0);
    x->severity = severity_of(x->severity_text);
    return status;
}

/* Ids in hexadecimal, as Loki's OTLP endpoint and promtail's stages write them. Zipkin's and
 * Jaeger's older ones have 16 digits. Whatever else is there stays an attribute. */
static void read_ids(const struct loki *x, fl_log *log)
{
    unsigned char bytes[16] = {0};
    assert(x->stream_labels <= x->labels.count);
    for (size_t i = x->stream_labels; i < x->labels.count; i++) {
        fl_slice name = x->labels.items[i].key, text = x->labels.items[i].value.text;
        bool is_trace =
            same_word(name, FL_SLICE("trace_id")) || same_word(name, FL_SLICE("traceid"));
        bool is_span = same_word(name, FL_SLICE("span_id")) || same_word(name, FL_SLICE("spanid"));
        if (is_trace && fl_parse_hex(text, bytes, 16))
            log->trace = (fl_trace_id){.hi = fl_bytes_be64(bytes), .lo = fl_bytes_be64(bytes + 8)};
        else if (is_trace && fl_parse_hex(text, bytes, 8))
            log->trace = (fl_trace_id){.lo = fl_bytes_be64(bytes)};
        else if (is_span && fl_parse_hex(text, bytes, 8))
            log->span = fl_bytes_be64(bytes);
    }
}

fl_status fl_loki_push_entry(struct loki *x, int64_t time_ns, fl_slice line)
{
    assert(x->labels.count >= x->stream_labels);
    fl_log log = {.time_ns = time_ns,
                  .severity = x->severity,
                  .severity_text = x->severity_text,
                  .body = line,
                  .attrs = {.items = x->labels.items, .count = x->labels.count}};
    fl_slice own = severity_text_of(x, x->stream_labels);
    int severity = own.len > 0 ? severity_of(own) : 0;
    if (severity > 0 || x->severity == 0) { /* the entry knows better than its stream */
        log.severity = severity;
        log.severity_text = own.len > 0 ? own : x->severity_text;
    }
    read_ids(x, &log);
    return x->to->sink->log(x->to->sink->payload, x->resource, &log, x->err);
}
