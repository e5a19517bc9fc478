/*
 * profile_measure.c - units by the rules of pprof's internal/measurement, so that figures compare.
 *
 * A unit's name counts without case and without a plural's s. What is neither bytes nor time is a
 * plain number. The unit of a value is the largest that is not larger than it.
 */
#include "profile_measure.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "slice.h"

enum { MAX_ALIASES = 3 };

/* A unit and the names it goes by. */
typedef struct unit {
    fl_measure measure;
    const char *aliases[MAX_ALIASES + 1];
} unit;

static const unit bytes[] = {
    {{"B", 1}, {"b", "byte"}},
    {{"kB", 0x1p10}, {"kb", "kbyte", "kilobyte"}},
    {{"MB", 0x1p20}, {"mb", "mbyte", "megabyte"}},
    {{"GB", 0x1p30}, {"gb", "gbyte", "gigabyte"}},
    {{"TB", 0x1p40}, {"tb", "tbyte", "terabyte"}},
    {{"PB", 0x1p50}, {"pb", "pbyte", "petabyte"}},
    {{NULL, 0}, {NULL}},
};
static const unit times[] = {
    {{"ns", 1}, {"ns", "nanosecond"}},    {{"us", 1e3}, {"\xce\xbcs", "us", "microsecond"}},
    {{"ms", 1e6}, {"ms", "millisecond"}}, {{"s", 1e9}, {"s", "sec", "second"}},
    {{"hrs", 3600e9}, {"hour", "hr"}},    {{NULL, 0}, {NULL}},
};
/* What a value below the smallest unit is shown in. */
static const fl_measure default_bytes = {"B", 1}, default_time = {"s", 1e9}, plain = {"", 1};

/* Aliases are lower case. */
static bool is_alias(const unit *candidate, fl_slice name)
{
    for (size_t i = 0; candidate->aliases[i] != NULL; i++)
        if (fl_slice_equal(name, fl_slice_of(candidate->aliases[i])))
            return true;
    return false;
}

/* Tables end with a unit without a name. */
static const unit *find_unit(const unit *table, fl_slice name)
{
    for (; table->measure.name != NULL; table++)
        if (is_alias(table, name))
            return table;
    return NULL;
}

/* The table a unit is in, and its factor there; NULL for one that is in none. */
static const unit *table_of(fl_slice name, double *factor)
{
    char lower[16];
    if (name.len >= sizeof(lower))
        return NULL;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = name.ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    fl_slice text = {(const unsigned char *)lower, name.len};
    if (text.len > 2 && lower[text.len - 1] == 's')
        text.len--;
    static const unit *const tables[] = {bytes, times};
    for (size_t i = 0; i < 2; i++) {
        const unit *found = find_unit(tables[i], text);
        *factor = found != NULL ? found->measure.factor : 0;
        if (found != NULL)
            return tables[i];
    }
    return NULL;
}

/* The largest unit that `value`, in the smallest one, reaches. */
static fl_measure scale_of(const unit *table, double value)
{
    fl_measure best = table == bytes ? default_bytes : default_time;
    for (; table->measure.name != NULL; table++)
        if (value / table->measure.factor >= 1)
            best = table->measure;
    return best;
}

/* As a double: INT64_MIN has no positive counterpart. */
static double magnitude(int64_t value)
{
    return fabs((double)value);
}

fl_measure fl_measure_of(fl_slice name, int64_t value)
{
    double factor;
    const unit *table = table_of(name, &factor);
    if (table == NULL)
        return plain;
    fl_measure scaled = scale_of(table, magnitude(value) * factor);
    scaled.factor /= factor;
    return scaled;
}

fl_measure fl_measure_for(fl_slice name, int64_t smallest, int64_t largest)
{
    assert(smallest >= 0);
    if (smallest == 0)
        smallest = largest;
    fl_measure low = fl_measure_of(name, smallest), high = fl_measure_of(name, largest);
    /* Where they differ much, the small may shrink to hundredths. */
    bool differ = strcmp(low.name, high.name) != 0;
    if (differ && smallest < INT64_MAX / 100 && smallest * 100 < largest)
        return fl_measure_of(name, smallest * 100);
    return low;
}

const char *fl_measure_format(char out[FL_MEASURE_TEXT], int64_t value, fl_measure measure)
{
    assert(measure.name != NULL && measure.factor > 0);
    int len = snprintf(out, FL_MEASURE_TEXT - 4, "%.2f", (double)value / measure.factor);
    assert(len > 3 && len < FL_MEASURE_TEXT - 4);
    if (strcmp(out + len - 3, ".00") == 0)
        out[len - 3] = '\0';
    if (strcmp(out, "0") == 0 || strcmp(out, "-0") == 0)
        return memcpy(out, "0", 2);
    size_t used = strlen(out);
    memcpy(out + used, measure.name, strlen(measure.name) + 1);
    return out;
}

const char *fl_percentage_format(char out[FL_PERCENTAGE_TEXT], int64_t value, int64_t total)
{
    double ratio = total != 0 ? fabs((double)value / (double)total) * 100 : 0;
    if (ratio >= 99.95 && ratio <= 100.05)
        snprintf(out, FL_PERCENTAGE_TEXT, "  100%%");
    else if (ratio >= 1)
        snprintf(out, FL_PERCENTAGE_TEXT, "%5.2f%%", ratio);
    else
        snprintf(out, FL_PERCENTAGE_TEXT, "%5.2g%%", ratio);
    return out;
}
