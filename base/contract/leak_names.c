/*
 * leak_names.c - the vocabulary of leak reports and of signature files, read in both directions.
 *
 * The index in a table is the enum's value. Words that were ever written into a signature or a
 * report stay.
 */
#include <assert.h>
#include <string.h>

#include "faultline/leak.h"
#include "faultline/leak_run.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const verdicts[] = {
    [FL_LEAK_NOT_ENOUGH_DATA] = "not-enough-data",
    [FL_LEAK_NO_LEAK] = "no-leak",
    [FL_LEAK_BOUNDED_GROWTH] = "bounded-growth",
    [FL_LEAK_CHURN] = "churn",
    [FL_LEAK_RETENTION] = "retention",
    [FL_LEAK_LATENCY] = "latency",
    [FL_LEAK_GC_PRESSURE] = "gc-pressure",
    [FL_LEAK_LEAK] = "leak",
    [FL_LEAK_CRASH] = "crash",
};
static_assert(COUNT(verdicts) == FL_LEAK_VERDICT_COUNT, "a verdict has no name");

static const char *const subjects[] = {
    [FL_LEAK_SITE] = "site",
    [FL_LEAK_GOROUTINES] = "goroutines",
    [FL_LEAK_LOCK] = "lock",
    [FL_LEAK_PROGRAM] = "program",
};
static_assert(COUNT(subjects) == FL_LEAK_SUBJECT_COUNT, "a subject has no name");

static const char *const sources[] = {
    [FL_LEAK_FROM_HEAP] = "heap",           [FL_LEAK_FROM_ALLOCS] = "allocs",
    [FL_LEAK_FROM_GOROUTINE] = "goroutine", [FL_LEAK_FROM_BLOCK] = "block",
    [FL_LEAK_FROM_MUTEX] = "mutex",         [FL_LEAK_FROM_CPU] = "cpu",
    [FL_LEAK_FROM_MEMSTATS] = "memstats",   [FL_LEAK_FROM_LOG] = "log",
    [FL_LEAK_FROM_TRACE] = "trace",
};
static_assert(COUNT(sources) == FL_LEAK_SOURCE_COUNT, "a source has no name");

static const char *const measured_names[] = {
    [FL_LEAK_IN_PROFILES] = "profiles",
    [FL_LEAK_IN_TRACES] = "traces",
    [FL_LEAK_IN_HEAPS] = "heap dumps",
};
static_assert(COUNT(measured_names) == FL_LEAK_MEASURED_COUNT, "a kind of features has no name");

#define TEXT(name_, text_)                                                                         \
    {                                                                                              \
        .name = name_, .unit = "text", .text = text_, .is_text = true                              \
    }
#define IN_DUMPS(name_, unit_, text_, is_text_)                                                    \
    {                                                                                              \
        .name = name_, .unit = unit_, .text = text_, .is_text = is_text_, .in = FL_LEAK_IN_HEAPS   \
    }
#define TRACED_TEXT(name_, text_)                                                                  \
    {                                                                                              \
        .name = name_, .unit = "text", .text = text_, .is_text = true, .in = FL_LEAK_IN_TRACES     \
    }
#define TRACED(name_, unit_, text_)                                                                \
    {                                                                                              \
        .name = name_, .unit = unit_, .text = text_, .in = FL_LEAK_IN_TRACES                       \
    }
#define NUMBER(name_, unit_, text_)                                                                \
    {                                                                                              \
        .name = name_, .unit = unit_, .text = text_                                                \
    }

static const fl_leak_feature_info features[] = {
    [FL_LEAK_F_FRAMES] = TEXT("frames", "any frame of any of the stacks, runtime included"),
    [FL_LEAK_F_LEAF] = TEXT("leaf", "the innermost frame"),
    [FL_LEAK_F_FUNCTION] = TEXT("function", "the innermost frame of the user's own code"),
    [FL_LEAK_F_CALLEE] =
        TEXT("callee", "what the user's own code called; empty: it allocates itself"),
    [FL_LEAK_F_CREATED_BY] = TEXT("created_by", "who started the goroutine"),
    [FL_LEAK_F_STATE] = TEXT("state", "what the goroutine waits for, such as chan receive"),
    [FL_LEAK_F_SHAPE] = TEXT("shape", "growing, bounded, step, sawtooth, flat, falling or unclear"),
    [FL_LEAK_F_LOG] = TEXT("log", "the line of a fatal error or a panic"),
    [FL_LEAK_F_GROWTH_Z] = NUMBER("growth_z", "", "slope over its standard error"),
    [FL_LEAK_F_MANN_KENDALL_Z] =
        NUMBER("mann_kendall_z", "", "Mann and Kendall's test for a trend"),
    [FL_LEAK_F_LEVEL_Z] = NUMBER("level_z", "", "the last value's distance from those before it"),
    [FL_LEAK_F_GROWTH_RATIO] = NUMBER("growth_ratio", "ratio", "the last level over the first"),
    [FL_LEAK_F_GROWTH_PERCENT_PER_HOUR] =
        NUMBER("growth_percent_per_hour", "percent", "of the first level, by the hour"),
    [FL_LEAK_F_GROWTH_PER_HOUR] = NUMBER("growth_per_hour", "", "bytes or goroutines by the hour"),
    [FL_LEAK_F_LATE_SHARE] = NUMBER("late_share", "ratio", "slope of the last half over all's"),
    [FL_LEAK_F_STEP_SHARE] = NUMBER("step_share", "ratio", "the largest step over the whole rise"),
    [FL_LEAK_F_FALL_SHARE] =
        NUMBER("fall_share", "ratio", "the largest fall over the largest value"),
    [FL_LEAK_F_LEVEL] = NUMBER("level", "", "bytes or goroutines at the end"),
    [FL_LEAK_F_HEAP_SHARE] = NUMBER("heap_share", "ratio", "of all bytes in use at the end"),
    [FL_LEAK_F_GROWTH_SHARE] = NUMBER("growth_share", "ratio", "of the growth of all bytes in use"),
    [FL_LEAK_F_ALLOC_BYTES_PER_S] = NUMBER("alloc_bytes_per_s", "bytes/s", "bytes allocated"),
    [FL_LEAK_F_ALLOC_OBJECTS_PER_S] = NUMBER("alloc_objects_per_s", "1/s", "objects allocated"),
    [FL_LEAK_F_ALLOC_SHARE] = NUMBER("alloc_share", "ratio", "of all bytes allocated meanwhile"),
    [FL_LEAK_F_OBJECT_SHARE] =
        NUMBER("object_share", "ratio", "of all objects allocated meanwhile"),
    [FL_LEAK_F_RETAINED_RATIO] =
        NUMBER("retained_ratio", "ratio", "rise of bytes in use over bytes allocated meanwhile"),
    [FL_LEAK_F_TURNOVER] = NUMBER("turnover", "ratio", "objects ever allocated over those in use"),
    [FL_LEAK_F_BLOCK_BYTES] = NUMBER("block_bytes", "bytes", "the block size with most bytes"),
    [FL_LEAK_F_BLOCK_COUNT] = NUMBER("block_count", "", "distinct block sizes"),
    [FL_LEAK_F_LADDER_STEPS] = NUMBER("ladder_steps", "", "longest chain of doubling block sizes"),
    [FL_LEAK_F_LADDER_REACHED] =
        NUMBER("ladder_reached", "", "1 where the chain got a new top within the series"),
    [FL_LEAK_F_TABLE_SHARE] =
        NUMBER("table_share", "ratio", "of bytes in use, in blocks that are map tables"),
    [FL_LEAK_F_LARGEST_BLOCK_BYTES] = NUMBER("largest_block_bytes", "bytes", "the largest block"),
    [FL_LEAK_F_WAIT_MINUTES] = NUMBER("wait_minutes", "min", "the longest wait of this stack"),
    [FL_LEAK_F_PAIR_BALANCE] =
        NUMBER("pair_balance", "ratio", "smaller over larger count of two stacks of one creator"),
    [FL_LEAK_F_DELAY_PER_S] = NUMBER("delay_per_s", "s/s", "time waited by the second"),
    [FL_LEAK_F_WAITS_PER_S] = NUMBER("waits_per_s", "1/s", "waits"),
    [FL_LEAK_F_SNAPSHOTS] = NUMBER("snapshots", "", "snapshots that tell something new"),
    [FL_LEAK_F_SPAN_S] = NUMBER("span_s", "s", "from the first snapshot to the last"),
    [FL_LEAK_F_HEAP_BYTES] = NUMBER("heap_bytes", "bytes", "in use at the end"),
    [FL_LEAK_F_HEAP_OBJECTS] = NUMBER("heap_objects", "", "in use at the end"),
    [FL_LEAK_F_GC_PER_S] = NUMBER("gc_per_s", "1/s", "garbage collections"),
    [FL_LEAK_F_GC_CPU_RATIO] =
        NUMBER("gc_cpu_ratio", "ratio", "of the processors, for collections"),
    [FL_LEAK_F_GC_CYCLE_MS] = NUMBER("gc_cycle_ms", "ms", "processor time of a collection"),
    [FL_LEAK_F_GC_PAUSE_MS] = NUMBER("gc_pause_ms", "ms", "pause of a collection"),
    [FL_LEAK_F_GOROUTINES] = NUMBER("goroutines", "", "goroutines at the end"),
    [FL_LEAK_F_CPU_SHARE] = NUMBER("cpu_share", "ratio", "of the processor samples"),
    [FL_LEAK_F_CPU_MAP_SAMPLES] = NUMBER("cpu_map_samples", "", "its samples in the code of maps"),
    [FL_LEAK_F_CPU_MAP_WRITES] = NUMBER("cpu_map_writes", "", "its samples in writes to maps"),
    [FL_LEAK_F_CPU_MAP_GROWS] = NUMBER("cpu_map_grows", "", "its samples in maps made larger"),
    [FL_LEAK_F_CPU_SAMPLES] = NUMBER("cpu_samples", "", "processor samples of the program"),
    [FL_LEAK_F_CPU_GC_SHARE] =
        NUMBER("cpu_gc_share", "ratio", "of the samples, the collector, idle workers left out"),
    [FL_LEAK_F_CPU_ASSIST_SHARE] =
        NUMBER("cpu_assist_share", "ratio", "of the samples, allocations that help the collector"),
    [FL_LEAK_F_CPU_ALLOC_SHARE] = NUMBER("cpu_alloc_share", "ratio", "of the samples, allocation"),
    [FL_LEAK_F_CPU_LOCK_SHARE] =
        NUMBER("cpu_lock_share", "ratio", "of the samples, contended locks of sync"),
    [FL_LEAK_F_CPU_BUSY] = NUMBER("cpu_busy", "", "processors in use"),
    [FL_LEAK_F_TRACE_PLACE] =
        TRACED_TEXT("trace_place", "the line's function of the user's own code"),
    [FL_LEAK_F_TRACE_SPAN_S] = TRACED("trace_span_s", "s", "how long it was traced"),
    [FL_LEAK_F_TRACE_CPU_RATIO] =
        TRACED("trace_cpu_ratio", "ratio", "processor time by samples over what seems to run"),
    [FL_LEAK_F_TRACE_MARK_SHARE] =
        TRACED("trace_mark_share", "ratio", "of the time, in which marking was under way"),
    [FL_LEAK_F_TRACE_MARK_MS_PER_MB] =
        TRACED("trace_mark_ms_per_mb", "ms/MB", "marking for each megabyte that stays alive"),
    [FL_LEAK_F_TRACE_ALIVE_BYTES] =
        TRACED("trace_alive_bytes", "bytes", "what stays alive after a collection"),
    [FL_LEAK_F_TRACE_STOPS] = TRACED("trace_stops", "", "stops of the world for one reason"),
    [FL_LEAK_F_TRACE_STOP_P99_MS] =
        TRACED("trace_stop_p99_ms", "ms", "one of a hundred stops took longer"),
    [FL_LEAK_F_TRACE_STOP_IDLE_SHARE] =
        TRACED("trace_stop_idle_share", "ratio",
               "of these stops, in which no sample shows that the program ran"),
    [FL_LEAK_F_TRACE_STOP_SHARE] =
        TRACED("trace_stop_share", "ratio", "of the time, in which the world stood"),
    [FL_LEAK_F_TRACE_ASSISTS] =
        TRACED("trace_assists", "", "times that goroutines marked for the collector"),
    [FL_LEAK_F_TRACE_ASSIST_SHARE] =
        TRACED("trace_assist_share", "ratio", "of what goroutines ran, marking for the collector"),
    [FL_LEAK_F_TRACE_DOUBLING_MS] =
        TRACED("trace_doubling_ms", "ms", "of a processor, the longest doubling of a bucket map"),
    [FL_LEAK_F_TRACE_SLOW_DOUBLED] =
        TRACED("trace_slow_doubled", "", "slow regions in which a bucket map was doubled"),
    [FL_LEAK_F_TRACE_SLOW_GREW] = TRACED("trace_slow_grew", "", "slow regions in which a map grew"),
    [FL_LEAK_F_TRACE_SLOW_GREW_SHARE] =
        TRACED("trace_slow_grew_share", "ratio", "of slow regions, those in which a map grew"),
    [FL_LEAK_F_TRACE_WAITS_FOR] =
        TRACED_TEXT("trace_waits_for", "channel, select, mutex, sync, network, sleep, syscall, gc"),
    [FL_LEAK_F_TRACE_STARTED] = TRACED("trace_started", "", "goroutines that one place started"),
    [FL_LEAK_F_TRACE_ENDED_SHARE] =
        TRACED("trace_ended_share", "ratio", "of those started, those that ended"),
    [FL_LEAK_F_TRACE_CREATION_SHARE] =
        TRACED("trace_creation_share", "ratio", "of the time, from the first creation to the last"),
    [FL_LEAK_F_TRACE_WAITING_SHARE] =
        TRACED("trace_waiting_share", "ratio", "of those alive at the end, those that wait"),
    [FL_LEAK_F_TRACE_REPLACED_RATIO] =
        TRACED("trace_replaced_ratio", "ratio",
               "older goroutines of the function that ended over started"),
    [FL_LEAK_F_TRACE_QUEUE] =
        TRACED("trace_queue", "", "goroutines in line for a lock, on average"),
    [FL_LEAK_F_TRACE_WAITS] = TRACED("trace_waits", "", "waits for a lock that ended"),
    [FL_LEAK_F_TRACE_WAITS_PER_S] = TRACED("trace_waits_per_s", "1/s", "waits for a lock"),
    [FL_LEAK_F_HEAP_SIGN] = IN_DUMPS("heap_sign", "text", "map-grows, queue-unbounded, ...", true),
    [FL_LEAK_F_HEAP_HOLDER] =
        IN_DUMPS("heap_holder", "text", "the static or the field that holds it", true),
    [FL_LEAK_F_HEAP_PATH] =
        IN_DUMPS("heap_path", "text", "classes and statics from the roots down", true),
    [FL_LEAK_F_HEAP_DUMPS] = IN_DUMPS("heap_dumps", "", "heap dumps that were compared", false),
    [FL_LEAK_F_HEAP_GROWTH_RATIO] =
        IN_DUMPS("heap_growth_ratio", "ratio", "of what the holder keeps, last over first", false),
    [FL_LEAK_F_HEAP_RETAINED_BYTES] =
        IN_DUMPS("heap_retained_bytes", "bytes", "kept by the holder in the last dump", false),
};
static_assert(COUNT(features) == FL_LEAK_FEATURE_COUNT, "a feature has no row");

/* The index of `name` in a table, or `count`. */
static size_t index_of(const char *const *table, size_t count, fl_slice name)
{
    assert(table != NULL);
    for (size_t i = 0; i < count; i++) {
        if (strlen(table[i]) == name.len && memcmp(table[i], name.ptr, name.len) == 0)
            return i;
    }
    return count;
}

const char *fl_leak_verdict_name(fl_leak_verdict verdict)
{
    assert((unsigned)verdict < FL_LEAK_VERDICT_COUNT);
    return verdicts[verdict];
}

bool fl_leak_verdict_find(fl_leak_verdict *out, fl_slice name)
{
    assert(out != NULL);
    size_t at = index_of(verdicts, COUNT(verdicts), name);
    if (at < COUNT(verdicts))
        *out = (fl_leak_verdict)at;
    return at < COUNT(verdicts);
}

const char *fl_leak_subject_name(fl_leak_subject subject)
{
    assert((unsigned)subject < FL_LEAK_SUBJECT_COUNT);
    return subjects[subject];
}

bool fl_leak_subject_find(fl_leak_subject *out, fl_slice name)
{
    assert(out != NULL);
    size_t at = index_of(subjects, COUNT(subjects), name);
    if (at < COUNT(subjects))
        *out = (fl_leak_subject)at;
    return at < COUNT(subjects);
}

const char *fl_leak_source_name(fl_leak_source source)
{
    assert((unsigned)source < FL_LEAK_SOURCE_COUNT);
    return sources[source];
}

const char *fl_leak_measured_name(fl_leak_measured measured)
{
    assert((unsigned)measured < FL_LEAK_MEASURED_COUNT);
    return measured_names[measured];
}

const fl_leak_feature_info *fl_leak_feature_info_of(fl_leak_feature feature)
{
    assert((unsigned)feature < FL_LEAK_FEATURE_COUNT);
    return &features[feature];
}

bool fl_leak_feature_find(fl_leak_feature *out, fl_slice name)
{
    assert(out != NULL);
    for (size_t i = 0; i < COUNT(features); i++) {
        if (strlen(features[i].name) == name.len &&
            memcmp(features[i].name, name.ptr, name.len) == 0) {
            *out = (fl_leak_feature)i;
            return true;
        }
    }
    return false;
}

static const char *const inputs[] = {
    [FL_LEAK_INPUT_HEAP] = "heap",           [FL_LEAK_INPUT_ALLOCS] = "allocs",
    [FL_LEAK_INPUT_GOROUTINE] = "goroutine", [FL_LEAK_INPUT_BLOCK] = "block",
    [FL_LEAK_INPUT_MUTEX] = "mutex",         [FL_LEAK_INPUT_CPU] = "cpu",
    [FL_LEAK_INPUT_OTHER] = "other",         [FL_LEAK_INPUT_STATS] = "memstats",
    [FL_LEAK_INPUT_CRASH] = "crash",         [FL_LEAK_INPUT_TRACE] = "trace",
};
static_assert(COUNT(inputs) == FL_LEAK_INPUT_COUNT, "an input has no name");

const char *fl_leak_input_name(fl_leak_input input)
{
    assert((unsigned)input < COUNT(inputs));
    return inputs[input];
}
