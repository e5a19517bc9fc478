/*
 * jfr_kinds.c - which events are told, and which of their fields in which slot.
 *
 * By name: the numbers of types differ from JDK to JDK, and from recording to recording. A field
 * that a version does not have is left 0.
 */
#include <assert.h>

#include "jfr_priv.h"

#define BIT(slot) (1u << (slot))

/* All of the events that have a moment and a stack name them alike. */
#define TIME                                                                                       \
    {                                                                                              \
        "startTime", FL_JFR_SLOT_TIME                                                              \
    }
#define DURATION                                                                                   \
    {                                                                                              \
        "duration", FL_JFR_SLOT_DURATION                                                           \
    }
#define STACK                                                                                      \
    {                                                                                              \
        "stackTrace", FL_JFR_SLOT_STACK                                                            \
    }
#define THREAD                                                                                     \
    {                                                                                              \
        "eventThread", FL_JFR_SLOT_THREAD                                                          \
    }

static const fl_jfr_row rows[] = {
    /* JDK 16 on: a sample, with the bytes that it stands for. */
    {.event = "jdk.ObjectAllocationSample",
     .kind = FL_JFR_ALLOCATION,
     .wanted = {TIME, STACK, {"objectClass", FL_JFR_SLOT_TYPE}, {"weight", FL_JFR_SLOT_A}}},
    /* Before: each buffer that a thread allocates in, told by the object that wanted it. It stands
     * for what the buffer holds. */
    {.event = "jdk.ObjectAllocationInNewTLAB",
     .kind = FL_JFR_ALLOCATION,
     .wanted = {TIME, STACK, {"objectClass", FL_JFR_SLOT_TYPE}, {"tlabSize", FL_JFR_SLOT_A}}},
    {.event = "jdk.ObjectAllocationOutsideTLAB",
     .kind = FL_JFR_ALLOCATION,
     .wanted = {TIME, STACK, {"objectClass", FL_JFR_SLOT_TYPE}, {"allocationSize", FL_JFR_SLOT_A}}},
    /* Every 10 or 20 ms a few threads that run Java code are looked at; those that wait are not. A
     * sample stands for no fixed time, since how many are looked at depends on how many there are.
     */
    {.event = "jdk.ExecutionSample",
     .kind = FL_JFR_EXECUTION,
     .wanted = {TIME, STACK, {"sampledThread", FL_JFR_SLOT_THREAD}}},
    /* JDK 25 on: by the processor's own clock. */
    {.event = "jdk.CPUTimeSample",
     .kind = FL_JFR_EXECUTION,
     .ticks = BIT(FL_JFR_SLOT_A),
     .wanted = {TIME, STACK, THREAD, {"samplingPeriod", FL_JFR_SLOT_A}}},
    /* The same of threads in native code, waiting for the network included: no processor time. */
    {.event = "jdk.NativeMethodSample",
     .kind = FL_JFR_NATIVE,
     .wanted = {TIME, STACK, {"sampledThread", FL_JFR_SLOT_THREAD}}},
    /* Off by default, since an exception costs less than its event. */
    {.event = "jdk.JavaExceptionThrow",
     .kind = FL_JFR_EXCEPTION,
     .wanted = {TIME, STACK, {"thrownClass", FL_JFR_SLOT_TYPE}}},
    {.event = "jdk.JavaErrorThrow",
     .kind = FL_JFR_EXCEPTION,
     .wanted = {TIME, STACK, {"thrownClass", FL_JFR_SLOT_TYPE}}},
    /* Only waits above the threshold of the settings, 10 or 20 ms by default: the sum is a floor.
     */
    {.event = "jdk.JavaMonitorEnter",
     .kind = FL_JFR_LOCK,
     .wanted = {TIME, DURATION, STACK, THREAD, {"monitorClass", FL_JFR_SLOT_TYPE}}},
    /* Of a concurrent collector the duration is long and its pauses are short: both are told. */
    {.event = "jdk.GarbageCollection",
     .kind = FL_JFR_COLLECTION,
     .ticks = BIT(FL_JFR_SLOT_B) | BIT(FL_JFR_SLOT_C),
     .wanted = {TIME,
                DURATION,
                {"gcId", FL_JFR_SLOT_A},
                {"name", FL_JFR_SLOT_TEXT},
                {"cause", FL_JFR_SLOT_CAUSE},
                {"sumOfPauses", FL_JFR_SLOT_B},
                {"longestPause", FL_JFR_SLOT_C}}},
    /* Twice a collection; "when" is a constant of its own, "Before GC" and "After GC". */
    {.event = "jdk.GCHeapSummary",
     .kind = FL_JFR_HEAP,
     .wanted = {TIME,
                {"gcId", FL_JFR_SLOT_A},
                {"when", FL_JFR_SLOT_TEXT},
                {"heapSpace.committedSize", FL_JFR_SLOT_B},
                {"heapSpace.reservedSize", FL_JFR_SLOT_D},
                {"heapUsed", FL_JFR_SLOT_C}}},
    /* Fractions of all processors of the machine, or of the container where the JVM knows of one.
     */
    {.event = "jdk.CPULoad",
     .kind = FL_JFR_CPU_LOAD,
     .wanted = {TIME,
                {"jvmUser", FL_JFR_SLOT_A},
                {"jvmSystem", FL_JFR_SLOT_B},
                {"machineTotal", FL_JFR_SLOT_C}}},
    /* Classes that have more than half a percent of the heap; off by default, as each costs a walk
     * over the heap. */
    {.event = "jdk.ObjectCountAfterGC",
     .kind = FL_JFR_OBJECTS,
     .wanted = {TIME,
                {"objectClass", FL_JFR_SLOT_TYPE},
                {"count", FL_JFR_SLOT_A},
                {"totalSize", FL_JFR_SLOT_B}}},
    {.event = "jdk.ObjectCount",
     .kind = FL_JFR_OBJECTS,
     .wanted = {TIME,
                {"objectClass", FL_JFR_SLOT_TYPE},
                {"count", FL_JFR_SLOT_A},
                {"totalSize", FL_JFR_SLOT_B}}},
    /* One address is of both the object and its chain; `type` is then the chain's first. */
    {.event = "jdk.OldObjectSample",
     .kind = FL_JFR_OLD_OBJECT,
     .moments = BIT(FL_JFR_SLOT_A),
     .wanted = {TIME,
                STACK,
                {"allocationTime", FL_JFR_SLOT_A},
                {"objectSize", FL_JFR_SLOT_B},
                {"lastKnownHeapUsage", FL_JFR_SLOT_C},
                {"arrayElements", FL_JFR_SLOT_D},
                {"object", FL_JFR_SLOT_TYPE},
                {"root", FL_JFR_SLOT_ROOT}}},
    /* All throwables, those without an event of their own included. */
    {.event = "jdk.ExceptionStatistics",
     .kind = FL_JFR_THROWABLES,
     .wanted = {TIME, {"throwables", FL_JFR_SLOT_A}}},
    /* At the beginning of each chunk. "javaArguments" are the main class and its arguments. */
    {.event = "jdk.JVMInformation",
     .kind = FL_JFR_MACHINE,
     .wanted = {TIME,
                {"jvmName", FL_JFR_SLOT_TEXT},
                {"jvmVersion", FL_JFR_SLOT_CAUSE},
                {"javaArguments", FL_JFR_SLOT_THREAD},
                {"pid", FL_JFR_SLOT_A}}},
    /* One for each setting of each event: "cutoff" of the old objects says whether chains were
     * looked for. */
    {.event = "jdk.ActiveSetting",
     .kind = FL_JFR_SETTING,
     .wanted = {TIME, {"name", FL_JFR_SLOT_TEXT}, {"value", FL_JFR_SLOT_CAUSE}}},
    /* A thread's buffer was full before it could be written: counts are then floors. */
    {.event = "jdk.DataLoss", .kind = FL_JFR_LOSS, .wanted = {TIME, {"amount", FL_JFR_SLOT_A}}},
};

const fl_jfr_row *fl_jfr_row_of(fl_slice name)
{
    assert(name.len == 0 || name.ptr != NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fl_slice_equal(name, fl_slice_of(rows[i].event)))
            return &rows[i];
    return NULL;
}
