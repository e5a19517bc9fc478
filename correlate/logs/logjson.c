/*
 * logjson.c - one pass over the members of the outermost object, then one over those that count.
 *
 * Not a JSON parser: a log line may be cut, and its text is worth having all the same. Nested
 * values are skipped by counting brackets outside of strings, so depth costs nothing.
 *
 * Which member is what: `roles` below, by the names that zap, logrus, pino, bunyan, logstash,
 * structlog and others use. With a text, the line reads "caller text error=...", as the same
 * program would print it; without one, all members but time and level as key=value. So a service
 * that switches its format to JSON keeps lines that a person recognises.
 *
 * At most MAX_MEMBERS members are looked at, and the text is cut at the buffer's end.
 */
#include "logjson.h"

#include <assert.h>
#include <string.h>

#include "logchar.h"
#include "loghead.h"
#include "slice.h"
#include "utf8.h"

enum { MAX_MEMBERS = 32 };

enum role { ROLE_OTHER, ROLE_TEXT, ROLE_LEVEL, ROLE_TIME, ROLE_CALLER, ROLE_ERROR };

struct member {
    fl_slice key, value; /* a string's value is without its quotes, escapes undecoded */
    bool is_string;
    enum role role;
};

static const struct {
    fl_slice key;
    enum role role;
} roles[] = {
    {FL_SLICE_INIT("msg"), ROLE_TEXT},        {FL_SLICE_INIT("message"), ROLE_TEXT},
    {FL_SLICE_INIT("@message"), ROLE_TEXT},   {FL_SLICE_INIT("log"), ROLE_TEXT},
    {FL_SLICE_INIT("event"), ROLE_TEXT},      {FL_SLICE_INIT("level"), ROLE_LEVEL},
    {FL_SLICE_INIT("severity"), ROLE_LEVEL},  {FL_SLICE_INIT("lvl"), ROLE_LEVEL},
    {FL_SLICE_INIT("levelname"), ROLE_LEVEL}, {FL_SLICE_INIT("log.level"), ROLE_LEVEL},
    {FL_SLICE_INIT("@level"), ROLE_LEVEL},    {FL_SLICE_INIT("time"), ROLE_TIME},
    {FL_SLICE_INIT("ts"), ROLE_TIME},         {FL_SLICE_INIT("timestamp"), ROLE_TIME},
    {FL_SLICE_INIT("@timestamp"), ROLE_TIME}, {FL_SLICE_INIT("asctime"), ROLE_TIME},
    {FL_SLICE_INIT("caller"), ROLE_CALLER},   {FL_SLICE_INIT("source"), ROLE_CALLER},
    {FL_SLICE_INIT("error"), ROLE_ERROR},     {FL_SLICE_INIT("err"), ROLE_ERROR},
};
enum { ROLE_COUNT = sizeof(roles) / sizeof(roles[0]) };

/* Keys are compared as written: an escape in a key is not worth decoding. */
static enum role role_of(fl_slice key)
{
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (fl_slice_equal(key, roles[i].key))
            return roles[i].role;
    return ROLE_OTHER;
}

/* JSON's four. */
static const unsigned char *skip_space(const unsigned char *p, const unsigned char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* The string whose opening quote is at *at; *at moves past the closing one, or to the end. */
static fl_slice take_string(const unsigned char **at, const unsigned char *end)
{
    const unsigned char *start = *at + 1, *p = start;
    while (p < end && *p != '"')
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    *at = p < end ? p + 1 : end;
    return (fl_slice){.ptr = start, .len = (size_t)(p - start)};
}

/* A number, word, array or object: up to the comma or brace that ends it. */
static fl_slice take_raw(const unsigned char **at, const unsigned char *end)
{
    const unsigned char *start = *at, *p = start;
    for (size_t depth = 0; p < end; p++) {
        if (*p == '"') {
            (void)take_string(&p, end);
            p--; /* the loop steps over the closing quote, or over the last byte of a cut string */
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (depth == 0 && (*p == ',' || *p == '}' || *p == ']')) {
            break;
        } else if (*p == '}' || *p == ']') {
            depth--;
        }
    }
    *at = p;
    return (fl_slice){.ptr = start, .len = (size_t)(p - start)};
}

/* The members of the object at `p`, up to its end or to the first byte that makes no sense. */
static size_t take_members(struct member *members, const unsigned char *p, const unsigned char *end)
{
    size_t count = 0;
    assert(p < end && *p == '{');
    do {
        p = skip_space(p + 1, end);
        if (p == end || *p != '"')
            break;
        struct member *m = &members[count];
        m->key = take_string(&p, end);
        p = skip_space(p, end);
        if (p == end || *p != ':')
            break;
        p = skip_space(p + 1, end);
        if (p == end)
            break;
        m->is_string = *p == '"';
        m->value = m->is_string ? take_string(&p, end) : fl_slice_trim(take_raw(&p, end));
        m->role = role_of(m->key);
        p = skip_space(p, end);
        count++;
    } while (count < MAX_MEMBERS && p < end && *p == ',');
    return count;
}

struct writer {
    unsigned char *p, *end;
};

/* Past the end of the buffer bytes are dropped: the caller sees that it is full. */
static void put_byte(struct writer *out, unsigned char c)
{
    if (out->p < out->end)
        *out->p++ = c;
}

/* As much of them as fits. */
static void put_bytes(struct writer *out, fl_slice bytes)
{
    size_t room = (size_t)(out->end - out->p);
    size_t len = bytes.len < room ? bytes.len : room;
    if (len > 0)
        memcpy(out->p, bytes.ptr, len);
    out->p += len;
}

/* -1 for what is no hexadecimal digit. */
static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return fl_char_is(c, FL_CHAR_HEX) ? (c | 0x20) - 'a' + 10 : -1;
}

/* The code unit of "\uXXXX" at `p` + 2; -1 where it is malformed. */
static int32_t code_unit(const unsigned char *p, const unsigned char *end)
{
    if (end - p < 6)
        return -1;
    int32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* The escape at `p`; a surrogate becomes '?', a control character is white space later. */
static const unsigned char *put_escape(struct writer *out, const unsigned char *p,
                                       const unsigned char *end)
{
    assert(*p == '\\');
    if (end - p < 2)
        return end;
    int32_t unit = p[1] == 'u' ? code_unit(p, end) : -1;
    if (unit >= 0) {
        unsigned char utf8[4] = {'?'};
        bool is_surrogate = unit >= 0xd800 && unit < 0xe000;
        size_t len = is_surrogate ? 1 : fl_utf8_encode(utf8, (uint32_t)unit);
        put_bytes(out, (fl_slice){.ptr = utf8, .len = len});
        return p + 6;
    }
    put_byte(out, strchr("bfnrt", p[1]) != NULL ? ' ' : p[1]);
    return p + 2;
}

/* Strings are decoded; numbers and nested values stay as they were written. */
static void put_value(struct writer *out, const struct member *m)
{
    if (!m->is_string) {
        put_bytes(out, m->value);
        return;
    }
    for (const unsigned char *p = m->value.ptr, *end = p + m->value.len; p < end;) {
        if (*p == '\\')
            p = put_escape(out, p, end);
        else
            put_byte(out, *p++);
    }
}

/* As in logfmt, which the masks know. */
static void put_pair(struct writer *out, const struct member *m)
{
    put_bytes(out, m->key);
    put_byte(out, '=');
    put_value(out, m);
}

/* A level word, or pino's and bunyan's number: 10 is trace, 60 is fatal. */
static int level_of(const struct member *m)
{
    if (m->is_string)
        return fl_log_level(m->value);
    bool is_number = m->value.len == 2 && m->value.ptr[1] == '0' && m->value.ptr[0] >= '1' &&
                     m->value.ptr[0] <= '6';
    return is_number ? (m->value.ptr[0] - '1') * 4 + 1 : 0;
}

/* The member of that role; of several texts, the key that stands first in the table. */
static const struct member *find_role(const struct member *members, size_t count, enum role role)
{
    assert(count <= MAX_MEMBERS);
    for (size_t r = 0; r < ROLE_COUNT; r++)
        for (size_t i = 0; roles[r].role == role && i < count; i++)
            if (members[i].role == role && fl_slice_equal(members[i].key, roles[r].key))
                return &members[i];
    return NULL;
}

/* A caller that is a location stands first, where fl_log_location() looks for it. */
static void put_message(struct writer *out, const struct member *text, const struct member *caller,
                        const struct member *error)
{
    if (caller != NULL && caller->is_string && fl_log_is_location(caller->value)) {
        put_value(out, caller);
        put_byte(out, ' ');
    }
    put_value(out, text);
    if (error != NULL && error->is_string && error->value.len > 0) {
        put_byte(out, ' ');
        put_pair(out, error);
    }
}

/* Time and level are the line's head, which is dropped in every format. */
static void put_members(struct writer *out, const struct member *members, size_t count)
{
    assert(count > 0 && count <= MAX_MEMBERS);
    for (size_t i = 0; i < count; i++) {
        if (members[i].role == ROLE_TIME || members[i].role == ROLE_LEVEL)
            continue;
        put_pair(out, &members[i]);
        put_byte(out, ' ');
    }
}

bool fl_log_json_text(fl_log_json *out, fl_slice line, unsigned char *buffer, size_t cap)
{
    assert(out != NULL && buffer != NULL);
    struct member members[MAX_MEMBERS];
    const unsigned char *end = line.ptr + line.len;
    const unsigned char *p = skip_space(line.ptr, end);
    if (p == end || *p != '{')
        return false;
    size_t count = take_members(members, p, end);
    if (count == 0)
        return false;

    struct writer writer = {.p = buffer, .end = buffer + cap};
    const struct member *text = find_role(members, count, ROLE_TEXT);
    const struct member *level = find_role(members, count, ROLE_LEVEL);
    if (text != NULL && text->is_string)
        put_message(&writer, text, find_role(members, count, ROLE_CALLER),
                    find_role(members, count, ROLE_ERROR));
    else
        put_members(&writer, members, count);
    *out = (fl_log_json){.text = {.ptr = buffer, .len = (size_t)(writer.p - buffer)},
                         .severity = level != NULL ? level_of(level) : 0};
    return true;
}
