/*
 * amount.h - a number with its unit, as people read it.
 *
 * The contract keeps base units (milliseconds, bytes) and writes whole doubles; a sentence, a chart
 * and a table say "1.31 s" and "163 MB". One rule, so that a number reads alike wherever it stands.
 */
#ifndef FL_AMOUNT_H
#define FL_AMOUNT_H

enum { FL_AMOUNT_TEXT = 48 };

/* `unit` is a UCUM unit or annotation ("ms", "By", "{line}"), NULL or "1" for a bare number. Three
 * significant digits, whole numbers whole up to a million; times and bytes go up to the unit that
 * suits, other large numbers get k, M, G, T. "n/a" for what is not finite. Returns `out`. */
const char *fl_amount(char out[FL_AMOUNT_TEXT], double value, const char *unit);

#endif
