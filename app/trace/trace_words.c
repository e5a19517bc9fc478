/*
 * trace_words.c - how text and pictures of traces write a duration.
 */
#include <stdio.h>

#include "trace_view.h"

const char *fl_trace_duration(char out[FL_TRACE_DURATION], int64_t ns)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double value = (double)ns / units[i].ns;
        if (value >= 1) {
            int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
            snprintf(out, FL_TRACE_DURATION, "%.*f %s", decimals, value, units[i].name);
            return out;
        }
    }
    snprintf(out, FL_TRACE_DURATION, "%lld ns", (long long)ns);
    return out;
}
