/*
 * quantity.c - one table of units, each with its dimension.
 *
 * Units of a bound are those that mean one thing only; values may also have the short ones.
 *
 * A plain number is no time: Spring reads 2000 as milliseconds, Go's flags refuse it, and others
 * take seconds. It is a size, though: every program that takes one without a unit means bytes.
 */
#include "quantity.h"

#include <assert.h>
#include <math.h>

#include "number.h"
#include "slice.h"

typedef struct unit {
    const char *name;
    fl_dimension dimension;
    double scale;
    bool is_plain_spoken; /* means the same everywhere: fit for a bound */
} unit;

#define KIB 1024.0
static const unit units[] = {
    {"%", FL_DIMENSION_PLAIN, 1, true},
    {"ns", FL_DIMENSION_TIME, 1e-9, true},
    {"us", FL_DIMENSION_TIME, 1e-6, true},
    {"ms", FL_DIMENSION_TIME, 1e-3, true},
    {"s", FL_DIMENSION_TIME, 1, true},
    {"sec", FL_DIMENSION_TIME, 1, true},
    {"m", FL_DIMENSION_TIME, 60, false},
    {"min", FL_DIMENSION_TIME, 60, true},
    {"h", FL_DIMENSION_TIME, 3600, true},
    {"d", FL_DIMENSION_TIME, 86400, true},
    {"b", FL_DIMENSION_SIZE, 1, true},
    {"k", FL_DIMENSION_SIZE, KIB, false},
    {"ki", FL_DIMENSION_SIZE, KIB, true},
    {"kib", FL_DIMENSION_SIZE, KIB, true},
    {"kb", FL_DIMENSION_SIZE, 1e3, true},
    {"m", FL_DIMENSION_SIZE, KIB *KIB, false},
    {"mi", FL_DIMENSION_SIZE, KIB *KIB, true},
    {"mib", FL_DIMENSION_SIZE, KIB *KIB, true},
    {"mb", FL_DIMENSION_SIZE, 1e6, true},
    {"g", FL_DIMENSION_SIZE, KIB *KIB *KIB, false},
    {"gi", FL_DIMENSION_SIZE, KIB *KIB *KIB, true},
    {"gib", FL_DIMENSION_SIZE, KIB *KIB *KIB, true},
    {"gb", FL_DIMENSION_SIZE, 1e9, true},
    {"t", FL_DIMENSION_SIZE, KIB *KIB *KIB *KIB, false},
    {"ti", FL_DIMENSION_SIZE, KIB *KIB *KIB *KIB, true},
    {"tib", FL_DIMENSION_SIZE, KIB *KIB *KIB *KIB, true},
    {"tb", FL_DIMENSION_SIZE, 1e12, true},
};

/* Letters of either case: "512M" and "512m" are one heap. */
static bool is_named(const char *name, fl_slice text)
{
    size_t i = 0;
    for (; i < text.len && name[i] != '\0'; i++) {
        unsigned char c = text.ptr[i];
        if ((c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c) != (unsigned char)name[i])
            return false;
    }
    return i == text.len && name[i] == '\0';
}

/* A number and the letters behind it at *at; false where there is no number. */
static bool next_part(double *number, fl_slice *letters, fl_slice text, size_t *at)
{
    fl_decimal decimal;
    size_t bad_at;
    const char *why;
    fl_slice rest = {.ptr = text.ptr + *at, .len = text.len - *at};
    size_t digits = 0;
    /* "1e3" is a number and "1e" is none, but "2h" must end before its unit. */
    while (digits < rest.len && (rest.ptr[digits] == '.' || rest.ptr[digits] == '-' ||
                                 (rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')))
        digits++;
    fl_slice written = {.ptr = rest.ptr, .len = digits};
    if (digits == 0 || fl_decimal_scan(&decimal, written, &bad_at, &why) != digits ||
        !fl_decimal_double(&decimal, written, number))
        return false;
    while (digits < rest.len && rest.ptr[digits] == ' ')
        digits++;
    size_t end = digits;
    while (end < rest.len && !(rest.ptr[end] >= '0' && rest.ptr[end] <= '9') &&
           rest.ptr[end] != '.' && rest.ptr[end] != '-')
        end++;
    *letters = fl_slice_trim((fl_slice){.ptr = rest.ptr + digits, .len = end - digits});
    *at += end;
    return true;
}

/* NULL where the dimension has no such unit. */
static const unit *unit_of(fl_slice letters, fl_dimension dimension)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].dimension == dimension && is_named(units[i].name, letters))
            return &units[i];
    return NULL;
}

/* Parts follow each other only in times: "1m30s". */
static bool read_parts(double *out, fl_dimension dimension, fl_slice text, bool is_bound)
{
    double sum = 0, number;
    fl_slice letters;
    size_t at = 0, parts = 0;
    for (; at < text.len; parts++) {
        if (!next_part(&number, &letters, text, &at))
            return false;
        const unit *found = unit_of(letters, dimension);
        bool has_unit = letters.len > 0;
        if (has_unit && (found == NULL || (is_bound && !found->is_plain_spoken)))
            return false;
        if (!has_unit && dimension == FL_DIMENSION_TIME && number != 0)
            return false;
        if (!has_unit && dimension == FL_DIMENSION_SIZE && is_bound)
            return false;
        sum += number * (found != NULL ? found->scale : 1);
    }
    if (parts == 0 || (parts > 1 && dimension != FL_DIMENSION_TIME) || !isfinite(sum))
        return false;
    *out = sum;
    return true;
}

bool fl_quantity_read(double *out, fl_dimension dimension, fl_slice text)
{
    assert(text.len == 0 || text.ptr != NULL);
    return read_parts(out, dimension, fl_slice_trim(text), false);
}

bool fl_quantity_bound(double *out, fl_dimension *dimension, fl_slice text)
{
    static const fl_dimension order[] = {FL_DIMENSION_PLAIN, FL_DIMENSION_TIME, FL_DIMENSION_SIZE};
    assert(text.len == 0 || text.ptr != NULL);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (read_parts(out, order[i], fl_slice_trim(text), true)) {
            *dimension = order[i];
            return true;
        }
    }
    return false;
}
