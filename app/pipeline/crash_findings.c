/*
 * crash_findings.c - a crash report is one moment: it says that memory ran out, and how full the
 * heap was, but not what filled it. So the verdict is a crash, and a leak is for the heap dumps and
 * the collector's logs of the time before to tell.
 */
#include "crash_findings.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "slice.h"

enum { MAX_EVIDENCE = FL_CRASH_MAX_MEMORY_ERRORS + 5 };

/* What is collected for the one finding. */
typedef struct collecting {
    fl_arena *arena;
    fl_leak_evidence *evidence;
    size_t count;
    bool failed;
} collecting;

static void put(collecting *to, const char *text)
{
    assert(to->count < MAX_EVIDENCE);
    to->failed |= text == NULL;
    to->evidence[to->count++] =
        (fl_leak_evidence){.source = FL_LEAK_FROM_LOG, .text = text, .value = NAN, .unit = ""};
}

static bool says(const char *text, const char *what)
{
    return text != NULL && strstr(text, what) != NULL;
}

/* The last exceptions of the program, where one was for want of memory; NULL: none was. */
static const char *last_exception(const fl_crash *crash)
{
    for (size_t i = 0; i < crash->event_count; i++)
        for (size_t k = crash->events[i].count; k > 0; k--)
            if (says(crash->events[i].last[k - 1], "OutOfMemoryError"))
                return crash->events[i].last[k - 1];
    return NULL;
}

/* The category of Native Memory Tracking that has most. */
static const char *largest_text(fl_arena *arena, const fl_crash *crash)
{
    const fl_crash_category *most = &crash->categories[0];
    assert(crash->category_count > 0);
    for (size_t i = 1; i < crash->category_count; i++)
        if (crash->categories[i].committed_bytes > most->committed_bytes)
            most = &crash->categories[i];
    if (crash->committed_bytes == 0)
        return fl_arena_printf(arena, "native memory: most of it %s (%llu MiB)", most->name,
                               (unsigned long long)(most->committed_bytes >> 20));
    return fl_arena_printf(arena, "native memory: %llu MiB committed, most of it %s (%llu MiB)",
                           (unsigned long long)(crash->committed_bytes >> 20), most->name,
                           (unsigned long long)(most->committed_bytes >> 20));
}

/* What ran out, then how it was. */
static void collect(collecting *to, const fl_crash *crash)
{
    const char *exception = last_exception(crash);
    if (crash->cause == FL_CRASH_OUT_OF_MEMORY || crash->cause == FL_CRASH_JAVA_MEMORY ||
        says(crash->detail, "OutOfMemory"))
        put(to, crash->detail != NULL ? crash->detail : "the machine had no memory");
    for (size_t i = 0; i < crash->memory_error_count; i++)
        put(to, fl_arena_printf(to->arena, "errors thrown before, by kind: %s",
                                crash->memory_errors[i]));
    if (exception != NULL)
        put(to, fl_arena_printf(to->arena, "among the last events: %s", exception));
    if (to->count == 0)
        return;
    if (crash->heap_count > 0)
        put(to, fl_arena_printf(to->arena, "the heap at the crash: %s", crash->heap[0]));
    if (crash->category_count > 0)
        put(to, largest_text(to->arena, crash));
    if (crash->java_threads > 0)
        put(to, fl_arena_printf(to->arena, "%llu Java threads at the crash",
                                (unsigned long long)crash->java_threads));
}

fl_status fl_crash_finding(fl_leak_finding *out, bool *has, const fl_crash *crash, fl_arena *arena,
                           fl_error *err)
{
    const fl_leak_interval unknown = {NAN, NAN, NAN};
    assert(out != NULL && has != NULL && crash != NULL);
    collecting to = {.arena = arena,
                     .evidence = fl_arena_alloc(arena, MAX_EVIDENCE, sizeof(*to.evidence))};
    *has = false;
    if (to.evidence != NULL)
        collect(&to, crash);
    if (to.evidence == NULL || to.failed)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a crash report");
    *has = to.count > 0;
    *out = (fl_leak_finding){.verdict = FL_LEAK_CRASH,
                             .subject = FL_LEAK_PROGRAM,
                             .confidence = 1, /* the virtual machine itself says so */
                             .growth_bytes_per_hour = unknown,
                             .growth_per_hour = unknown,
                             .seconds_to_limit = unknown,
                             .support = 1u << FL_LEAK_FROM_LOG,
                             .evidence = to.evidence,
                             .evidence_count = to.count};
    return FL_OK;
}
