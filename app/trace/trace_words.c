/*
 * trace_words.c - the words that text, JSON and pictures of traces share.
 */
#include <assert.h>
#include <stdio.h>

#include "trace_view.h"

static const struct {
    const char *title, *advice;
} findings[] = {
    [FL_SCHED_GC_POINTERS] = {"a large heap full of pointers makes every collection long",
                              "keep large constant structures without pointers, or collect less "
                              "often (GOGC, GOMEMLIMIT)"},
    [FL_SCHED_ASSIST_STORM] = {"goroutines pay for the collector while they allocate",
                               "allocate less here, or give the heap more room (GOGC, GOMEMLIMIT)"},
    [FL_SCHED_STW_TAIL] = {"the world is stopped for long",
                           "look for what stops it so often or so long: reads of memory "
                           "statistics, a starved system"},
    [FL_SCHED_MAP_SPIKE] =
        {"a map that grows makes single operations slow",
         "give the map its size at the start, shard it, or use Go 1.24 or later"},
    [FL_SCHED_CONVOY] =
        {"goroutines stand in line for one lock",
         "hold the lock for less, shard what it guards, or share it between readers"},
    [FL_SCHED_LEAKED] = {"goroutines are created and never end",
                         "give each a way to end: a context, a closed channel, a buffered answer"},
};
_Static_assert(sizeof(findings) / sizeof(findings[0]) == FL_SCHED_FINDING_COUNT,
               "each kind of finding has its words");

const char *fl_trace_finding_title(fl_sched_finding_kind kind)
{
    assert(kind < FL_SCHED_FINDING_COUNT);
    return findings[kind].title;
}

const char *fl_trace_finding_advice(fl_sched_finding_kind kind)
{
    assert(kind < FL_SCHED_FINDING_COUNT);
    return findings[kind].advice;
}

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
