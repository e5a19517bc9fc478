/*
 * pattern.c - a text as a pattern and its variables: "took 17 ms at node-3" is "took \x11 ms at
 * \x12" with 17 and "node-3".
 *
 *   word     := a run of letters, digits, "_" and "-"
 *   variable := a word with a digit; digits alone (and digits with a short unit) are an integer,
 *               16 or 32 hexadecimal digits and UUIDs are ids, which stand once in a block
 *   clock    := \x15 zone code mark           "17:24:52.465" at most a minute from the record's own
 *                                             time: zone is " " and 15 minutes for each step above
 *                                             it; code is how many digits the fraction has ("n":
 *                                             nine without the zeros at the end), mark stands
 *                                             before them; the variable is the distance, in units
 *                                             of the last digit: a logger's clock runs before the
 *                                             collector's
 *   date     := \x16 day                      "2023-01-29" of it: "0" the day before in UTC, "1"
 *                                             the same, "2" the next
 *
 * The ids and the day that the record itself has are no variables: they are known already.
 *
 * Lossless, and blind to what a text means: the miner of log templates is a layer above. The idea
 * is CLP's (Rodrigues et al., OSDI 2021).
 */
#include <assert.h>
#include <string.h>

#include "block_priv.h"
#include "digits.h"
#include "slice.h"
#include "timestamp.h"

enum { MAX_UNIT = 3, MAX_DIGITS = 18 };

/* A minus belongs to words: ids and dates hold it, and no integer is then negative. */
static bool is_word(unsigned char c)
{
    return fl_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How many digits an integer at the word's beginning has: as many as are followed by a unit only.
 * 0: it is none, or would not be written the same way again. */
static size_t integer_len(fl_slice word)
{
    size_t len = 0;
    while (len < word.len && fl_is_digit(word.ptr[len]))
        len++;
    if (len == 0 || len > MAX_DIGITS || word.len - len > MAX_UNIT ||
        (word.ptr[0] == '0' && len > 1))
        return 0;
    for (size_t i = len; i < word.len; i++)
        if (!is_letter(word.ptr[i]))
            return 0;
    return len;
}

static int64_t integer_of(fl_slice digits)
{
    uint64_t value = 0;
    (void)fl_digits_read(digits.ptr, digits.ptr + digits.len, &value);
    return (int64_t)value;
}

/* Whoever calls has checked that there is room. */
static void add_variable(block_pattern *out, const block_variable *variable)
{
    assert(out->count < BLOCK_MAX_TEXT_VARIABLES);
    out->items[out->count++] = *variable;
    fl_buf_char(&out->pattern, (char)variable->kind);
}

/* In lower case, as everybody writes them; others are texts. */
static void put_hex(unsigned char *out, uint64_t value)
{
    for (int i = 15; i >= 0; i--, value >>= 4)
        out[i] = (unsigned char)"0123456789abcdef"[value & 15];
}

static const block_own *with_digits(block_own *own)
{
    if (!own->has_digits) {
        put_hex(own->trace_digits, own->trace.hi);
        put_hex(own->trace_digits + 16, own->trace.lo);
        put_hex(own->span_digits, own->span);
        own->has_digits = true;
    }
    return own;
}

/* A word that is one of the record's ids leaves a mark, and no variable. */
static bool is_own_id(block_pattern *out, fl_slice word, block_own *own)
{
    if (own == NULL || (word.len != BLOCK_TRACE_DIGITS && word.len != BLOCK_SPAN_DIGITS))
        return false;
    (void)with_digits(own);
    if (word.len == BLOCK_TRACE_DIGITS &&
        memcmp(word.ptr, own->trace_digits, BLOCK_TRACE_DIGITS) == 0)
        fl_buf_char(&out->pattern, VARIABLE_TRACE);
    else if (word.len == BLOCK_SPAN_DIGITS &&
             memcmp(word.ptr, own->span_digits, BLOCK_SPAN_DIGITS) == 0)
        fl_buf_char(&out->pattern, VARIABLE_SPAN);
    else
        return false;
    return true;
}

/* -1: no digit in lower case. */
static int hex_value(unsigned char c)
{
    if (fl_is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* All of `len` characters; dashes are passed over where `dashes` has their bit. */
static bool read_hex(fl_trace_id *out, const unsigned char *text, size_t len, uint64_t dashes)
{
    fl_trace_id id = {0};
    for (size_t i = 0; i < len; i++) {
        int value = hex_value(text[i]);
        if (dashes >> i & 1 ? text[i] != '-' : value < 0)
            return false;
        if (dashes >> i & 1)
            continue;
        id.hi = id.hi << 4 | id.lo >> 60;
        id.lo = id.lo << 4 | (uint64_t)value;
    }
    *out = id;
    return true;
}

/* 8-4-4-4-12. */
static const uint64_t uuid_dashes =
    UINT64_C(1) << 8 | UINT64_C(1) << 13 | UINT64_C(1) << 18 | UINT64_C(1) << 23;

unsigned char fl_block_id_kind(fl_trace_id *out, fl_slice word)
{
    if (word.len == BLOCK_UUID_LEN && read_hex(out, word.ptr, word.len, uuid_dashes))
        return VARIABLE_UUID;
    if (word.len == BLOCK_TRACE_DIGITS && read_hex(out, word.ptr, word.len, 0))
        return VARIABLE_HEX32;
    if (word.len == BLOCK_SPAN_DIGITS && read_hex(out, word.ptr, word.len, 0))
        return VARIABLE_HEX16;
    return 0;
}

/* Words without a digit are part of the pattern: they tell statements apart. */
static void take_word(block_pattern *out, fl_slice word, block_own *own)
{
    bool has_digit = false;
    if (is_own_id(out, word, own))
        return;
    for (size_t i = 0; i < word.len && !has_digit; i++)
        has_digit = fl_is_digit(word.ptr[i]);
    if (!has_digit) {
        fl_buf_add(&out->pattern, word);
        return;
    }
    size_t digits = integer_len(word);
    fl_slice number = {word.ptr, digits};
    block_variable variable = {.text = word, .kind = VARIABLE_INTEGER};
    if (digits > 0)
        variable.integer = integer_of(number);
    else /* an id is rarely alone: others repeat it */
        variable.kind = own != NULL ? fl_block_id_kind(&variable.id, word) : 0;
    if (variable.kind == 0)
        variable.kind = VARIABLE_TEXT;
    add_variable(out, &variable);
    if (digits > 0)
        fl_buf_add(&out->pattern, (fl_slice){word.ptr + digits, word.len - digits});
}

/* --- the record's own time --- */

enum {
    DAY_S = 86400,
    ZONE_S = 900,
    NEAR_S = 60,
    CLOCK_LEN = 8,
    DATE_LEN = 10,
    FRACTION_DIGITS = 9,
    TRIMMED_DIGITS = 7 /* so many without a zero at the end are nine that were trimmed */
};

static const int64_t POWERS[] = {1,      10,      100,      1000,      10000,
                                 100000, 1000000, 10000000, 100000000, 1000000000};

/* Two digits; -1: they are not. */
static int two_digits(const unsigned char *at)
{
    return fl_is_digit(at[0]) && fl_is_digit(at[1]) ? (at[0] - '0') * 10 + at[1] - '0' : -1;
}

/* Times before 1970 have none that is told. */
static int64_t own_second(const block_own *own)
{
    return own->time_ns / FL_NS_PER_S;
}

/* The record's time of the day in UTC, in units of so many digits of a second. */
static int64_t own_units(const block_own *own, size_t digits)
{
    return own->time_ns % (DAY_S * FL_NS_PER_S) / POWERS[FRACTION_DIGITS - digits];
}

/* The seconds of the day that "17:24:52" tells; -1: it is none. */
static int64_t clock_second(fl_slice text)
{
    if (text.len < CLOCK_LEN || text.ptr[2] != ':' || text.ptr[5] != ':')
        return -1;
    int hour = two_digits(text.ptr), minute = two_digits(text.ptr + 3);
    int second = two_digits(text.ptr + 6);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return -1;
    return hour * 3600 + minute * 60 + second;
}

/* How many digits stand behind a mark; FRACTION_DIGITS + 1: more, or digits without a mark. */
static size_t fraction_len(fl_slice rest)
{
    size_t count = 0;
    if (rest.len > 0 && fl_is_digit(rest.ptr[0]))
        return FRACTION_DIGITS + 1;
    if (rest.len < 2 || (rest.ptr[0] != '.' && rest.ptr[0] != ','))
        return 0;
    while (count <= FRACTION_DIGITS && 1 + count < rest.len && fl_is_digit(rest.ptr[1 + count]))
        count++;
    return count;
}

/* How far a time of the day is from the record's, less a zone in steps of 15 minutes; false: more
 * than a minute. */
static bool read_distance(int64_t *zone, int64_t *distance, int64_t told, const block_own *own,
                          size_t digits)
{
    int64_t step = ZONE_S * POWERS[digits], day = DAY_S * POWERS[digits];
    int64_t ahead = (told - own_units(own, digits) + day) % day;
    *zone = (ahead + step / 2) / step;
    *distance = ahead - *zone * step;
    *zone %= DAY_S / ZONE_S;
    return *distance <= NEAR_S * POWERS[digits] && *distance >= -NEAR_S * POWERS[digits];
}

/* The length of a clock at the beginning of `rest` that tells the record's time, and leaves its
 * mark; 0: there is none. */
static size_t take_clock(block_pattern *out, fl_slice rest, const block_own *own)
{
    int64_t second = clock_second(rest), zone, told;
    if (second < 0)
        return 0;
    fl_slice behind = {rest.ptr + CLOCK_LEN, rest.len - CLOCK_LEN};
    size_t count = fraction_len(behind), digits = count;
    if (count > FRACTION_DIGITS)
        return 0;
    bool is_trimmed = count >= TRIMMED_DIGITS && behind.ptr[count] != '0';
    if (is_trimmed)
        digits = FRACTION_DIGITS;
    told = second * POWERS[digits];
    for (size_t i = 0; i < count; i++)
        told += (behind.ptr[1 + i] - '0') * POWERS[digits - 1 - i];
    block_variable variable = {.kind = VARIABLE_CLOCK};
    if (!read_distance(&zone, &variable.integer, told, own, digits))
        return 0;
    add_variable(out, &variable);
    fl_buf_char(&out->pattern, (char)(' ' + zone));
    fl_buf_char(&out->pattern, is_trimmed ? 'n' : (char)('0' + count));
    fl_buf_char(&out->pattern, count > 0 ? (char)behind.ptr[0] : '0');
    return count > 0 ? CLOCK_LEN + 1 + count : CLOCK_LEN;
}

static void put_number(char *to, int64_t value, size_t len)
{
    for (size_t i = len; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
}

/* "2023-01-29", `days` after the record's day in UTC. */
static void put_date(char out[DATE_LEN], const block_own *own, int64_t days)
{
    int64_t year, month, day, own_day = own_second(own) / DAY_S + days;
    fl_time_date(own_day > 0 ? own_day : 0, &year, &month, &day);
    put_number(out, year, 4);
    out[4] = out[7] = '-';
    put_number(out + 5, month, 2);
    put_number(out + 8, day, 2);
}

/* The same of a date. */
static size_t take_date(block_pattern *out, fl_slice rest, const block_own *own)
{
    char date[DATE_LEN];
    if (rest.len < DATE_LEN || rest.ptr[4] != '-' || rest.ptr[7] != '-')
        return 0;
    for (int days = -1; days <= 1; days++) {
        put_date(date, own, days);
        if (memcmp(date, rest.ptr, DATE_LEN) == 0) {
            fl_buf_char(&out->pattern, VARIABLE_DATE);
            fl_buf_char(&out->pattern, (char)('1' + days));
            return DATE_LEN;
        }
    }
    return 0;
}

/* What of the record's time stands at the beginning of `rest`, where a word begins: a date, a
 * clock, or one behind the other. Its length. */
static size_t take_own_time(block_pattern *out, fl_slice rest, const block_own *own)
{
    if (own == NULL || own->time_ns < 0 || !fl_is_digit(rest.ptr[0]))
        return 0;
    size_t date = take_date(out, rest, own);
    if (date == 0)
        return take_clock(out, rest, own);
    if (date + 1 >= rest.len || (rest.ptr[date] != 'T' && rest.ptr[date] != ' '))
        return date;
    size_t before = out->pattern.len;
    fl_buf_char(&out->pattern, (char)rest.ptr[date]);
    size_t clock = take_clock(out, (fl_slice){rest.ptr + date + 1, rest.len - date - 1}, own);
    if (clock > 0)
        return date + 1 + clock;
    if (out->pattern.status == FL_OK)
        out->pattern.len = before;
    return date;
}

/* One variable, and a pattern that is no more than its mark. */
static void take_whole(block_pattern *out, fl_slice text)
{
    fl_buf_clear(&out->pattern);
    out->count = 0;
    add_variable(out, &(block_variable){.text = text, .kind = VARIABLE_TEXT});
}

void fl_block_take_apart(block_pattern *out, fl_slice text, block_own *own)
{
    size_t at = 0;
    fl_buf_clear(&out->pattern);
    out->count = 0;
    while (at < text.len) {
        size_t start = at;
        unsigned char c = text.ptr[at];
        if ((c >= VARIABLE_INTEGER && c <= VARIABLE_LAST) ||
            out->count == BLOCK_MAX_TEXT_VARIABLES) {
            take_whole(out, text);
            return;
        }
        size_t own_time = take_own_time(out, (fl_slice){text.ptr + at, text.len - at}, own);
        if (own_time > 0) {
            at += own_time;
            continue;
        }
        while (at < text.len && is_word(text.ptr[at]))
            at++;
        if (at > start)
            take_word(out, (fl_slice){text.ptr + start, at - start}, own);
        else
            fl_buf_add(&out->pattern, (fl_slice){text.ptr + at++, 1});
    }
}

/* How many bytes a mark has besides itself. */
static size_t mark_len(unsigned char mark)
{
    if (mark == VARIABLE_CLOCK)
        return 3;
    return mark == VARIABLE_DATE ? 1 : 0;
}

static bool has_column(unsigned char mark)
{
    return mark == VARIABLE_INTEGER || mark == VARIABLE_TEXT || mark == VARIABLE_CLOCK ||
           mark == VARIABLE_UUID || mark == VARIABLE_HEX32 || mark == VARIABLE_HEX16;
}

/* Marks of what the record has itself have no column, but for the distance of a clock. */
size_t fl_block_pattern_kinds(fl_column_kind kinds[BLOCK_MAX_TEXT_VARIABLES], fl_slice pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < pattern.len && count < BLOCK_MAX_TEXT_VARIABLES;
         i += 1 + mark_len(pattern.ptr[i]))
        if (has_column(pattern.ptr[i]))
            kinds[count++] = pattern.ptr[i] == VARIABLE_TEXT ? FL_COLUMN_TEXT : FL_COLUMN_I64;
    return count;
}

/* Whatever bytes say: the time of a day. */
static void put_clock(fl_buf *out, const unsigned char mark[3], int64_t distance,
                      const block_own *own)
{
    char digits[FRACTION_DIGITS], text[CLOCK_LEN] = "00:00:00";
    size_t count = mark[1] >= '0' && mark[1] <= '9' ? (size_t)(mark[1] - '0') : FRACTION_DIGITS;
    int64_t day = DAY_S * POWERS[count], zone = (mark[0] - (int64_t)' ') * ZONE_S * POWERS[count];
    int64_t units = own->time_ns < 0 ? 0 : own_units(own, count);
    units = ((units + zone % day + distance % day) % day + day) % day;
    int64_t second = units / POWERS[count];
    put_number(text, second / 3600, 2);
    put_number(text + 3, second / 60 % 60, 2);
    put_number(text + 6, second % 60, 2);
    fl_buf_add(out, (fl_slice){(const unsigned char *)text, CLOCK_LEN});
    put_number(digits, units % POWERS[count], count);
    while (mark[1] == 'n' && count > 0 && digits[count - 1] == '0')
        count--;
    if (count > 0) {
        fl_buf_char(out, (char)mark[2]);
        fl_buf_add(out, (fl_slice){(const unsigned char *)digits, count});
    }
}

/* The record's own ids and day. */
static void put_own(fl_buf *out, const unsigned char *mark, block_own *own)
{
    char date[DATE_LEN];
    if (mark[0] == VARIABLE_TRACE) {
        fl_buf_add(out, (fl_slice){with_digits(own)->trace_digits, BLOCK_TRACE_DIGITS});
    } else if (mark[0] == VARIABLE_SPAN) {
        fl_buf_add(out, (fl_slice){with_digits(own)->span_digits, BLOCK_SPAN_DIGITS});
    } else if (own->time_ns >= 0) {
        put_date(date, own, mark[1] - (int64_t)'1');
        fl_buf_add(out, (fl_slice){(const unsigned char *)date, DATE_LEN});
    }
}

size_t fl_block_put_id(unsigned char out[BLOCK_UUID_LEN], unsigned char kind, int64_t place,
                       const fl_block_ids *uuids)
{
    unsigned char digits[BLOCK_TRACE_DIGITS];
    if (place < 0 || (uint64_t)place > uuids->count)
        return 0;
    fl_trace_id id = place > 0 ? uuids->items[place - 1] : (fl_trace_id){0};
    put_hex(digits, id.hi);
    put_hex(digits + 16, id.lo);
    if (kind == VARIABLE_HEX16) {
        memcpy(out, digits + 16, BLOCK_SPAN_DIGITS);
        return BLOCK_SPAN_DIGITS;
    }
    if (kind == VARIABLE_HEX32) {
        memcpy(out, digits, BLOCK_TRACE_DIGITS);
        return BLOCK_TRACE_DIGITS;
    }
    for (size_t i = 0, at = 0; i < BLOCK_UUID_LEN; i++)
        out[i] = uuid_dashes >> i & 1 ? '-' : digits[at++];
    return BLOCK_UUID_LEN;
}

/* Columns are used up from left to right, as their marks come. A mark that is cut off says nothing.
 */
bool fl_block_put_together(fl_buf *out, fl_slice pattern, const fl_rows_column *columns, size_t row,
                           block_own *own, const fl_block_ids *uuids)
{
    unsigned char id[BLOCK_UUID_LEN];
    for (size_t i = 0; i < pattern.len; i += 1 + mark_len(pattern.ptr[i])) {
        unsigned char c = pattern.ptr[i];
        if (c == VARIABLE_INTEGER)
            fl_buf_printf(out, "%lld", (long long)(columns++)->integers[row]);
        else if (c == VARIABLE_TEXT)
            fl_buf_add(out, (columns++)->texts[row]);
        else if (c >= VARIABLE_UUID && c <= VARIABLE_HEX16) {
            size_t len = fl_block_put_id(id, c, (columns++)->integers[row], uuids);
            if (len == 0)
                return false;
            fl_buf_add(out, (fl_slice){id, len});
        } else if (c == VARIABLE_CLOCK) {
            int64_t distance = (columns++)->integers[row];
            if (i + 3 < pattern.len)
                put_clock(out, pattern.ptr + i + 1, distance, own);
        } else if (c < VARIABLE_TRACE || c > VARIABLE_DATE)
            fl_buf_char(out, (char)c);
        else if (i + mark_len(c) < pattern.len)
            put_own(out, pattern.ptr + i, own);
    }
    return true;
}
