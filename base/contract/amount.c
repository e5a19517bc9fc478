/* What a number is called in a larger unit: decimal steps, as UCUM's prefixes are. */
#include "amount.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A step from one unit to the next larger one, in the order in which they are climbed. */
typedef struct step {
    const char *unit, *larger;
    double factor;
} step;

static const step steps[] = {{"ns", "us", 1e3}, {"us", "ms", 1e3}, {"ms", "s", 1e3},
                             {"By", "kB", 1e3}, {"kB", "MB", 1e3}, {"MB", "GB", 1e3},
                             {"GB", "TB", 1e3}, {"TB", "PB", 1e3}};
enum { STEPS = sizeof(steps) / sizeof(steps[0]), NUMBER_TEXT = 24 };

/* 999.6 of a unit would be printed as 1000 of it. */
static bool is_large(double value, double factor)
{
    return fabs(value) >= factor - 0.5;
}

/* "kB" and its kin are only names for By; a bare count climbs by letters, beyond a million. */
static const char *letter_for(double *value)
{
    static const char *const letters[] = {"", "k", "M", "G", "T"};
    size_t at = 0;
    if (fabs(*value) < 999999.5)
        return "";
    while (is_large(*value, 1e3) && at + 1 < sizeof(letters) / sizeof(letters[0])) {
        *value /= 1e3;
        at++;
    }
    return letters[at];
}

/* Three significant digits without an exponent, which %g would write from 1000 on. */
static void write_number(char out[NUMBER_TEXT], double value)
{
    bool is_whole = value == nearbyint(value) || is_large(value, 1e3);
    if (is_whole && fabs(value) < 1e15)
        (void)snprintf(out, NUMBER_TEXT, "%.0f", value + 0.0); /* no "-0" */
    else
        (void)snprintf(out, NUMBER_TEXT, "%.3g", value);
}

const char *fl_amount(char out[FL_AMOUNT_TEXT], double value, const char *unit)
{
    assert(out != NULL);
    const char *shown = unit != NULL && strcmp(unit, "1") != 0 ? unit : "";
    if (!isfinite(value)) {
        (void)snprintf(out, FL_AMOUNT_TEXT, "n/a");
        return out;
    }
    bool has_steps = false;
    for (size_t i = 0; i < STEPS; i++)
        if (strcmp(shown, steps[i].unit) == 0) {
            has_steps = true;
            if (is_large(value, steps[i].factor)) {
                value /= steps[i].factor;
                shown = steps[i].larger;
            }
        }
    if (strcmp(shown, "By") == 0)
        shown = "B";
    const char *letter = has_steps ? "" : letter_for(&value);
    char number[NUMBER_TEXT];
    write_number(number, value);
    (void)snprintf(out, FL_AMOUNT_TEXT, "%s%s%s%.24s", number, letter, shown[0] != '\0' ? " " : "",
                   shown);
    return out;
}
