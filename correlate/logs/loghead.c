/*
 * loghead.c - recognise by shape, never by value: "99:99:99" is dropped like a time, because a
 * line's form must not depend on the moment it was written.
 *
 * Every matcher takes the rest of the line and returns the byte after what it matched, or NULL.
 *
 *   line  := priority? item{0,6} text
 *   item  := ('[' | '(')? (time | klog | level | pair) separator?
 *   time  := clock | iso date clock? | epoch | syslog date | day-first date
 *   pair  := ("time" | "ts" | "level" | ...) '=' '"'? (time | level) '"'?
 *
 * Of times two are dropped (a container runtime puts its own before the program's). What is not
 * recognised stays in the text: the masks of logmask.c take its digits, so a time in an unknown
 * shape costs a template and never an answer.
 *
 * Cost: a few comparisons for each item; the text behind the head is looked at for a level and a
 * location only as far as the limits below.
 */
#include "loghead.h"

#include <assert.h>
#include <string.h>

#include "logchar.h"
#include "slice.h"

enum {
    HEAD_ITEMS = 6,       /* times, levels and the like that are dropped at most */
    PEEK_TOKENS = 3,      /* tokens after a time in which a level is looked for */
    LOCATION_TOKENS = 4,  /* tokens in which a location is looked for */
    LOCATION_REACH = 256, /* bytes in which these tokens must lie */
    LOCATION_BYTES = 160,
    LINE_DIGITS = 6
};

typedef const unsigned char *cursor;

/* False at the end, as the next two are: no matcher checks bounds on its own. */
static bool is_digit(cursor p, cursor end)
{
    return p < end && fl_char_is(*p, FL_CHAR_DIGIT);
}

/* As is_digit(), for word characters. */
static bool is_word(cursor p, cursor end)
{
    return p < end && fl_char_is(*p, FL_CHAR_WORD);
}

/* As is_digit(), for the character `c`. */
static bool is_char(cursor p, cursor end, char c)
{
    return p < end && *p == (unsigned char)c;
}

/* Past `min` to `max` digits. */
static cursor digits_at(cursor p, cursor end, size_t min, size_t max)
{
    cursor start = p;
    while (is_digit(p, end) && (size_t)(p - start) < max)
        p++;
    return (size_t)(p - start) >= min && !is_digit(p, end) ? p : NULL;
}

/* "Z", "+01:00", "-0800", " +0000", " UTC"; `p` itself where there is none. */
static cursor skip_zone(cursor p, cursor end)
{
    if (is_char(p, end, 'Z'))
        return p + 1;
    cursor q = is_char(p, end, ' ') ? p + 1 : p;
    if (end - q >= 3 && (memcmp(q, "UTC", 3) == 0 || memcmp(q, "GMT", 3) == 0))
        return is_word(q + 3, end) ? p : q + 3;
    if (!is_char(q, end, '+') && !is_char(q, end, '-'))
        return p;
    cursor after = digits_at(q + 1, end, 4, 4);
    if (after == NULL && (after = digits_at(q + 1, end, 2, 2)) != NULL && is_char(after, end, ':'))
        after = digits_at(after + 1, end, 2, 2);
    return after != NULL && !is_word(after, end) ? after : p;
}

/* "17:24:35", "17:24:35.540", "17:24:35,540+01:00". */
static cursor clock_at(cursor p, cursor end)
{
    p = digits_at(p, end, 1, 2);
    for (int i = 0; i < 2; i++) {
        if (p == NULL || !is_char(p, end, ':'))
            return NULL;
        p = digits_at(p + 1, end, 2, 2);
    }
    if (p == NULL)
        return NULL;
    if ((is_char(p, end, '.') || is_char(p, end, ',')) && is_digit(p + 1, end)) {
        p = digits_at(p + 1, end, 1, 9);
        if (p == NULL)
            return NULL;
    }
    p = skip_zone(p, end);
    return is_word(p, end) || (is_char(p, end, ':') && is_word(p + 1, end)) ? NULL : p;
}

/* A clock after a date, where there is one. */
static cursor skip_clock(cursor p, cursor end)
{
    cursor q = p;
    if (is_char(p, end, 'T') || is_char(p, end, '_') || is_char(p, end, ':'))
        q++;
    else
        while (is_char(q, end, ' '))
            q++;
    cursor after = q > p ? clock_at(q, end) : NULL;
    return after != NULL ? after : p;
}

/* "2023-01-29", "2023/01/29", "2023.01.29", each with or without a clock. */
static cursor iso_at(cursor p, cursor end)
{
    cursor year = digits_at(p, end, 4, 4);
    if (year == NULL || year == end || strchr("-/.", *year) == NULL)
        return NULL;
    cursor month = digits_at(year + 1, end, 2, 2);
    if (month == NULL || !is_char(month, end, (char)*year))
        return NULL;
    cursor day = digits_at(month + 1, end, 2, 2);
    if (day == NULL)
        return NULL;
    cursor after = skip_clock(day, end);
    return is_word(after, end) || is_char(after, end, '-') ? NULL : after;
}

/* Seconds, milli-, micro- or nanoseconds since 1970: 10, 13, 16 or 19 digits, or with a point. */
static cursor epoch_at(cursor p, cursor end)
{
    cursor after = digits_at(p, end, 10, 19);
    if (after == NULL || (after - p - 10) % 3 != 0 || *p > '2')
        return NULL;
    if (is_char(after, end, '.') && is_digit(after + 1, end))
        after = digits_at(after + 1, end, 1, 9);
    if (after == NULL || after == end)
        return after;
    return strchr(" \t])|\"", *after) != NULL && *after != '\0' ? after : NULL;
}

/* `names` are three letters each, one after the other. */
static bool is_name_of(cursor p, cursor end, const char *names)
{
    if (end - p < 3)
        return false;
    for (; *names != '\0'; names += 3)
        if (memcmp(p, names, 3) == 0)
            return true;
    return false;
}

/* English names only, as C and syslog write them. */
static bool is_month(cursor p, cursor end)
{
    return is_name_of(p, end, "JanFebMarAprMayJunJulAugSepOctNovDec") && !is_word(p + 3, end);
}

/* "Jan  2 15:04:05", "Jan 2 2006 15:04:05", "Mon Jan  2 15:04:05 2006". */
static cursor syslog_at(cursor p, cursor end)
{
    if (is_name_of(p, end, "MonTueWedThuFriSatSun") && is_char(p + 3, end, ' '))
        p += 4;
    if (!is_month(p, end) || !is_char(p + 3, end, ' '))
        return NULL;
    p += 4;
    if (is_char(p, end, ' '))
        p++;
    p = digits_at(p, end, 1, 2);
    if (p == NULL || !is_char(p, end, ' '))
        return NULL;
    cursor year = digits_at(p + 1, end, 4, 4);
    cursor after = clock_at(year != NULL && is_char(year, end, ' ') ? year + 1 : p + 1, end);
    if (after != NULL && is_char(after, end, ' ')) {
        year = digits_at(after + 1, end, 4, 4);
        if (year != NULL && !is_word(year, end))
            after = year;
    }
    return after;
}

/* "29/Jan/2023:09:34:00 +0000", "29 Jan 2023 09:34:00". */
static cursor day_first_at(cursor p, cursor end)
{
    cursor day = digits_at(p, end, 1, 2);
    if (day == NULL || (!is_char(day, end, '/') && !is_char(day, end, ' ')) || end - day < 5 ||
        !is_name_of(day + 1, end, "JanFebMarAprMayJunJulAugSepOctNovDec") || day[4] != *day)
        return NULL;
    cursor year = digits_at(day + 5, end, 4, 4);
    cursor after = year != NULL ? skip_clock(year, end) : NULL;
    return after != NULL && after > year ? after : NULL;
}

/* A time in any of the shapes above; the first byte rules most of them out. */
static cursor time_at(cursor p, cursor end)
{
    if (p == end)
        return NULL;
    if (!fl_char_is(*p, FL_CHAR_DIGIT))
        return *p >= 'A' && *p <= 'Z' ? syslog_at(p, end) : NULL;
    cursor after = clock_at(p, end);
    if (after == NULL)
        after = iso_at(p, end);
    if (after == NULL)
        after = epoch_at(p, end);
    return after != NULL ? after : day_first_at(p, end);
}

static const struct {
    char word[9];
    unsigned char len;
    unsigned char severity;
} levels[] = {
    {"INFO", 4, 9},     {"WARN", 4, 13},  {"ERROR", 5, 17},    {"DEBUG", 5, 5},  {"TRACE", 5, 1},
    {"WARNING", 7, 13}, {"FATAL", 5, 21}, {"CRITICAL", 8, 21}, {"NOTICE", 6, 9}, {"SEVERE", 6, 17},
    {"CRIT", 4, 21},    {"ERR", 3, 17},   {"PANIC", 5, 21},    {"ALERT", 5, 21}, {"EMERG", 5, 21},
    {"DBG", 3, 5},      {"INF", 3, 9},    {"WRN", 3, 13},      {"FTL", 3, 21},   {"FINE", 4, 5},
    {"FINEST", 6, 1},
};

int fl_log_level(fl_slice word)
{
    char upper[8];
    if (word.len < 3 || word.len > sizeof(upper))
        return 0;
    for (size_t i = 0; i < word.len; i++)
        upper[i] = (char)(word.ptr[i] & 0xdf); /* ASCII letters only, or no match below */
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (levels[i].len == word.len && memcmp(levels[i].word, upper, word.len) == 0)
            return levels[i].severity;
    return 0;
}

/* ASCII letters, all of them capital. */
static bool is_upper(fl_slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < 'A' || word.ptr[i] > 'Z')
            return false;
    return true;
}

/* The run of word characters at `p`; empty where there is none. */
static fl_slice word_at(cursor p, cursor end)
{
    cursor start = p;
    while (is_word(p, end))
        p++;
    return (fl_slice){.ptr = start, .len = (size_t)(p - start)};
}

/* A level word. `trusted`: the place alone makes it one (after a time or an opening bracket);
 * otherwise "Error while reading" is a sentence, and only "ERROR" or "error:" is a level. */
static cursor level_at(cursor p, cursor end, bool trusted, int *severity)
{
    if (!is_word(p, end) || fl_char_is(*p, FL_CHAR_DIGIT | FL_CHAR_HIGH))
        return NULL;
    fl_slice word = word_at(p, end);
    int found = fl_log_level(word);
    if (found == 0)
        return NULL;
    cursor after = p + word.len;
    bool is_marked = is_char(after, end, ':') || is_char(after, end, '|');
    bool is_alone = after == end || fl_char_is(*after, FL_CHAR_BLANK) || *after == ']' ||
                    *after == ')' || *after == '>' || *after == ',' || *after == '"';
    if (!is_marked && !(is_alone && (trusted || is_upper(word))))
        return NULL;
    *severity = found;
    return after;
}

/* glog and klog: "E0129 09:34:00.123456". */
static cursor klog_at(cursor p, cursor end, int *severity)
{
    static const char letters[] = "IWEF";
    const char *letter = p < end && *p != '\0' ? strchr(letters, *p) : NULL;
    cursor day = letter != NULL ? digits_at(p + 1, end, 4, 4) : NULL;
    if (day == NULL || !is_char(day, end, ' '))
        return NULL;
    cursor after = clock_at(day + 1, end);
    if (after != NULL)
        *severity = 9 + 4 * (int)(letter - letters);
    return after;
}

/* syslog's "<34>" and "<34>1 " (RFC 3164, RFC 5424); the low three bits are the severity. */
static cursor priority_at(cursor p, cursor end, int *severity)
{
    static const int of[8] = {21, 21, 21, 17, 13, 9, 9, 5};
    cursor after = is_char(p, end, '<') ? digits_at(p + 1, end, 1, 3) : NULL;
    if (after == NULL || !is_char(after, end, '>'))
        return NULL;
    int value = 0;
    for (cursor q = p + 1; q < after; q++)
        value = value * 10 + (*q - '0');
    if (value > 191)
        return NULL;
    after++;
    if (time_at(after, end) == NULL) {
        if (!is_char(after, end, '1') || !is_char(after + 1, end, ' '))
            return NULL;
        after += 2;
    }
    *severity = of[value & 7];
    return after;
}

/* logfmt's "time=…", "ts=…", "level=…", quoted or not. */
static cursor pair_at(cursor p, cursor end, int *severity)
{
    static const char *const times[] = {"time", "ts", "t", "timestamp", "date"};
    static const char *const names[] = {"level", "lvl", "severity"};
    fl_slice key = word_at(p, end);
    cursor value = p + key.len;
    if (key.len == 0 || key.len > 9 || !is_char(value, end, '='))
        return NULL;
    value += is_char(value + 1, end, '"') ? 2 : 1;
    cursor after = NULL;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (fl_slice_equal(key, fl_slice_of(times[i])))
            after = time_at(value, end);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (fl_slice_equal(key, fl_slice_of(names[i])))
            after = level_at(value, end, true, severity);
    return after != NULL && is_char(after, end, '"') ? after + 1 : after;
}

/* What stands between dropped items and after the last: "]", then one of ":", "|", ",", "-". */
static cursor skip_separator(cursor p, cursor end)
{
    if (is_char(p, end, ']') || is_char(p, end, ')') || is_char(p, end, '>'))
        p++;
    cursor q = fl_char_skip_blank(p, end);
    if (is_char(q, end, ':') || is_char(q, end, '|') || is_char(q, end, ','))
        return q + 1;
    bool is_dash = is_char(q, end, '-') && q + 1 < end && fl_char_is(q[1], FL_CHAR_BLANK);
    return is_dash ? q + 1 : p;
}

/* Logback puts the thread between time and level: look a little further, but keep the text. */
static int peek_level(cursor p, cursor end)
{
    for (int i = 0; i < PEEK_TOKENS; i++) {
        p = fl_char_skip_blank(p, end);
        if (is_char(p, end, '['))
            p++;
        fl_slice word = word_at(p, end);
        int severity = 0;
        if (word.len > 0 && is_upper(word) && level_at(p, end, false, &severity) != NULL)
            return severity;
        cursor limit = end - p > LOCATION_REACH ? p + LOCATION_REACH : end;
        while (p < limit && !fl_char_is(*p, FL_CHAR_BLANK))
            p++;
    }
    return 0;
}

struct head {
    cursor end;
    int severity;
    int times;
    int items;
};

/* One time, level or the like at `p`, or NULL. */
static cursor item_at(struct head *head, cursor p, bool is_bracketed)
{
    cursor after = NULL;
    if (head->times < 2) {
        after = time_at(p, head->end);
        if (after == NULL && head->severity == 0)
            after = klog_at(p, head->end, &head->severity);
        head->times += after != NULL;
    }
    if (after == NULL && head->severity == 0)
        after = level_at(p, head->end, is_bracketed || head->items > 0, &head->severity);
    return after != NULL ? after : pair_at(p, head->end, &head->severity);
}

fl_log_head fl_log_head_of(fl_slice line)
{
    assert(line.ptr != NULL || line.len == 0);
    struct head head = {.end = line.ptr + line.len};
    cursor p = fl_char_skip_blank(line.ptr, head.end);
    cursor after = priority_at(p, head.end, &head.severity);
    if (after != NULL)
        p = after;
    for (; head.items < HEAD_ITEMS; head.items++) {
        cursor item = fl_char_skip_blank(p, head.end);
        bool is_bracketed = is_char(item, head.end, '[') || is_char(item, head.end, '(');
        if (is_bracketed)
            item = fl_char_skip_blank(item + 1, head.end);
        after = item_at(&head, item, is_bracketed);
        if (after == NULL)
            break;
        p = skip_separator(after, head.end);
    }
    if (head.severity == 0 && head.times > 0)
        head.severity = peek_level(p, head.end);
    return (fl_log_head){.rest = p, .severity = head.severity};
}

/* Of languages whose loggers print file and line. */
static bool is_source_extension(fl_slice ext)
{
    static const char *const known[] = {"go", "py",  "java", "kt", "scala", "js",  "ts", "c",
                                        "cc", "cpp", "h",    "rs", "rb",    "php", "cs", "ex"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (fl_slice_equal(ext, fl_slice_of(known[i])))
            return true;
    return false;
}

/* The bytes before `mark`, back to `from`, that are word characters or in `others`. */
static cursor back_to(cursor from, cursor mark, const char *others)
{
    cursor p = mark;
    while (p > from && (fl_char_is(p[-1], FL_CHAR_DIGIT | FL_CHAR_HEX | FL_CHAR_ALPHA) ||
                        (p[-1] != '\0' && strchr(others, p[-1]) != NULL)))
        p--;
    return p;
}

/* "f.s.FoodServiceImpl", "o.a.c.c.C.[.[.[.[dispatcherServlet]", "FoodServiceImpl": a dot or a
 * hump, so that "order#42" is no location. */
static cursor logger_before(cursor from, cursor mark)
{
    cursor p = back_to(from, mark, ".$[]/-");
    while (p < mark && !fl_char_is(*p, FL_CHAR_HEX | FL_CHAR_ALPHA))
        p++;
    for (cursor q = p; q + 1 < mark; q++)
        if (*q == '.' || (*q >= 'a' && *q <= 'z' && q[1] >= 'A' && q[1] <= 'Z'))
            return p;
    return NULL;
}

/* "file.go", "pkg/sub/file.go", "C:\src\File.cs" without its drive. */
static cursor file_before(cursor from, cursor mark)
{
    cursor p = back_to(from, mark, "./\\$@+~-");
    cursor dot = mark;
    while (dot > p && *dot != '.')
        dot--;
    bool has_stem = dot > p && fl_char_is(dot[-1], FL_CHAR_WORD);
    fl_slice ext = {.ptr = dot + 1, .len = has_stem ? (size_t)(mark - dot - 1) : 0};
    return has_stem && is_source_extension(ext) ? p : NULL;
}

/* The location whose '#' or ':' is at `mark`, in a token that starts at `token`. */
static bool location_at(fl_slice *out, cursor token, cursor mark, cursor end)
{
    cursor after = digits_at(mark + 1, end, 1, LINE_DIGITS);
    if (after == NULL || is_word(after, end) ||
        (is_char(after, end, '.') && is_word(after + 1, end)))
        return false;
    cursor start = *mark == '#' ? logger_before(token, mark) : file_before(token, mark);
    if (start == NULL || start == mark || after - start > LOCATION_BYTES)
        return false;
    *out = (fl_slice){.ptr = start, .len = (size_t)(after - start)};
    return true;
}

bool fl_log_location(fl_slice *out, fl_slice text)
{
    assert(out != NULL);
    cursor p = fl_char_skip_blank(text.ptr, text.ptr + text.len), end = text.ptr + text.len;
    cursor limit = end - p > LOCATION_REACH ? p + LOCATION_REACH : end;
    for (int i = 0; i < LOCATION_TOKENS; i++) {
        while (p < limit && fl_char_is(*p, FL_CHAR_BLANK) && *p != '\n') {
            cursor after = fl_char_skip_ansi(p, limit);
            p = after > p ? after : p + 1;
        }
        for (cursor token = p; p < limit && !fl_char_is(*p, FL_CHAR_BLANK); p++)
            if ((*p == '#' || *p == ':') && is_digit(p + 1, end) && location_at(out, token, p, end))
                return true;
    }
    return false;
}

bool fl_log_is_location(fl_slice text)
{
    fl_slice found;
    return fl_log_location(&found, text) && fl_slice_equal(found, text);
}
