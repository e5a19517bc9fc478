/*
 * sched_places.c - stacks to places, and to what they are within.
 *
 * A place is the innermost frame that is not the standard library's; where all are, the outermost
 * one that is not the runtime's (a server's goroutine waits in net/http), else the outermost. What
 * a stack is within is told by the names of the frames above that one:
 *
 *   read, write   runtime.mapaccess*, mapassign*, mapdelete* (all versions)
 *   double        runtime.hashGrow, makeBucketArray: the whole next array at once (to Go 1.23)
 *   grow          the same, and growWork*, evacuate*;
 *                 internal/runtime/maps rehash, grow, split, growToTable, growToSmall (from 1.24)
 *   mutex         sync.(*Mutex).Lock and (*RWMutex), lockSlow
 */
#include <string.h>

#include "go_packages.h"
#include "sched_priv.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

bool fl_sched_is_standard(fl_slice function)
{
    size_t end = 0;
    while (end < function.len && function.ptr[end] != '/' && function.ptr[end] != '.')
        end++;
    if (end == function.len)
        return true; /* names without a package are the assembler's */
    if (function.ptr[end] == '.' && memchr(function.ptr, '/', function.len) != NULL &&
        fl_slice_find(function, FL_SLICE("(")) > fl_slice_find(function, FL_SLICE("/")))
        return false; /* a domain: example.com/app.f */
    return fl_go_is_standard(fl_slice_part(function, 0, end));
}

/* ---- what a frame says ---- */

static bool has(fl_slice text, const char *part)
{
    return fl_slice_find(text, fl_slice_of(part)) < text.len;
}

static bool starts(fl_slice text, const char *prefix)
{
    return fl_slice_starts_with(text, fl_slice_of(prefix));
}

/* Functions of the runtime itself: of bucket maps, and the entry points of both kinds. */
static unsigned bucket_map_flags(fl_slice name)
{
    static const char *const growing[] = {"growWork", "evacuate"};
    fl_slice rest = fl_slice_part(name, sizeof("runtime.") - 1, name.len);
    for (size_t i = 0; i < COUNT(growing); i++)
        if (starts(rest, growing[i]))
            return IN_MAP_GROW;
    if (starts(rest, "hashGrow") || starts(rest, "makeBucketArray"))
        return IN_MAP_GROW | IN_MAP_DOUBLE;
    if (starts(rest, "mapassign") || starts(rest, "mapdelete"))
        return IN_MAP_WRITE;
    return starts(rest, "mapaccess") ? IN_MAP_READ : 0;
}

/* Of the tables that grow; lookups have no frames of their own. */
static unsigned swiss_map_flags(fl_slice name)
{
    static const char *const growing[] = {".rehash",      ".grow",        ".split",
                                          ".growToTable", ".growToSmall", ".installTableSplit"};
    for (size_t i = 0; i < COUNT(growing); i++)
        if (has(name, growing[i]))
            return IN_MAP_GROW;
    return 0;
}

/* A function says what everything below it is part of. */
static unsigned frame_flags(fl_slice name)
{
    if (starts(name, "internal/runtime/maps."))
        return swiss_map_flags(name);
    if (starts(name, "runtime/trace.") || starts(name, "runtime/pprof.") ||
        starts(name, "net/http/pprof."))
        return IN_TRACER;
    if (starts(name, "runtime."))
        return bucket_map_flags(name);
    if ((starts(name, "sync.(*") || starts(name, "internal/sync.(*")) && has(name, "Mutex)"))
        return IN_MUTEX;
    return 0;
}

/* What a goroutine in this function of the standard library waits for, where no reason was given.
 */
static uint8_t hint_of(fl_slice name)
{
    static const struct {
        const char *prefix;
        fl_sched_class class;
    } hints[] = {
        {"runtime.chan", FL_SCHED_CHANNEL},
        {"runtime.selectgo", FL_SCHED_SELECT},
        {"runtime.netpoll", FL_SCHED_NETWORK},
        {"internal/poll.runtime_poll", FL_SCHED_NETWORK},
        {"time.Sleep", FL_SCHED_SLEEP},
        {"runtime.timeSleep", FL_SCHED_SLEEP},
        {"sync.runtime_Semacq", FL_SCHED_SYNC},
        {"sync.runtime_notify", FL_SCHED_SYNC},
        {"internal/sync.runtime_Semacq", FL_SCHED_SYNC},
        {"runtime.block", FL_SCHED_SELECT},
    };
    for (size_t i = 0; i < COUNT(hints); i++)
        if (starts(name, hints[i].prefix))
            return (uint8_t)hints[i].class;
    return FL_SCHED_OTHER;
}

/* ---- stacks ---- */

static fl_slice name_of(const fl_sched *sched, const fl_gotrace_frame *frame)
{
    return fl_gotrace_text(sched->view, frame->function);
}

/* The runtime's packages, not what else is in its folder (runtime/pprof). */
static bool is_runtime(fl_slice name)
{
    return starts(name, "runtime.") || starts(name, "internal/runtime/");
}

/* The frame that is the stack's place; `count` > 0. */
static size_t place_frame(const fl_sched *sched, const fl_gotrace_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!fl_sched_is_standard(name_of(sched, &frames[i])))
            return i;
    for (size_t i = count; i-- > 0;)
        if (!is_runtime(name_of(sched, &frames[i])))
            return i;
    return count - 1;
}

/* Once for each stack: millions of events have some thousands of them. */
static void look_at(fl_sched *sched, sched_stack *out, const fl_gotrace_frame *frames, size_t count)
{
    size_t at = place_frame(sched, frames, count);
    unsigned flags = 0;
    out->hint = FL_SCHED_OTHER;
    for (size_t i = 0; i <= at; i++) {
        fl_slice name = name_of(sched, &frames[i]);
        flags |= i < at ? frame_flags(name) : 0;
        if (out->hint == FL_SCHED_OTHER)
            out->hint = hint_of(name);
    }
    for (size_t i = at; i < count; i++)
        flags |= frame_flags(name_of(sched, &frames[i])) & IN_TRACER;
    if ((flags & IN_MAP_GROW) != 0)
        flags |= IN_MAP_WRITE;
    if (is_runtime(name_of(sched, &frames[at])) &&
        !fl_slice_equal(name_of(sched, &frames[count - 1]), FL_SLICE("runtime.main")))
        flags |= IN_RUNTIME;
    sched_place place = {
        .function = frames[at].function, .file = frames[at].file, .line = frames[at].line};
    uint64_t key = (uint64_t)place.function << 32 | place.line;
    out->place = fl_sched_row(sched, &sched->places, key, &place);
    out->flags = (uint8_t)flags;
}

sched_stack *fl_sched_stack_make(fl_sched *sched, uint32_t stack)
{
    assert(stack < sched->view->stack_count);
    if (stack >= sched->stack_count) {
        size_t count = sched->view->stack_count;
        if (!fl_sched_reserve(sched, (void **)&sched->stacks, &sched->stack_cap, count,
                              sizeof(*sched->stacks)))
            return NULL;
        for (; sched->stack_count < count; sched->stack_count++)
            sched->stacks[sched->stack_count] = (sched_stack){.place = SCHED_NONE,
                                                              .row = SCHED_NONE,
                                                              .reason = SCHED_UNASKED,
                                                              .flags = IN_UNSEEN,
                                                              .hint = FL_SCHED_OTHER};
    }
    sched_stack *known = &sched->stacks[stack];
    if (known->place == SCHED_NONE) {
        size_t count;
        const fl_gotrace_frame *frames = fl_gotrace_stack(sched->view, stack, &count);
        known->place = 0;
        known->flags = 0;
        if (count > 0)
            look_at(sched, known, frames, count);
    }
    return known;
}

fl_sym fl_sched_start_of(const fl_sched *sched, uint32_t stack)
{
    size_t count;
    const fl_gotrace_frame *frames = fl_gotrace_stack(sched->view, stack, &count);
    return count > 0 ? frames[count - 1].function : FL_GOTRACE_NONE;
}

/* Reasons are those of the runtime's traceBlockReasonStrings and its predecessors' event names. */
fl_sched_class fl_sched_class_of(fl_slice reason, const sched_stack *stack)
{
    unsigned flags = stack->flags;
    static const struct {
        const char *prefix;
        fl_sched_class class;
    } reasons[] = {
        {"chan ", FL_SCHED_CHANNEL},
        {"select", FL_SCHED_SELECT},
        {"sync", FL_SCHED_SYNC},
        {"network", FL_SCHED_NETWORK},
        {"sleep", FL_SCHED_SLEEP},
        {"GC ", FL_SCHED_GC},
        {"wait until GC ends", FL_SCHED_GC},
        {"system goroutine wait", FL_SCHED_SYSTEM},
        {"system call", FL_SCHED_SYSCALL},
    };
    if ((flags & IN_MUTEX) != 0)
        return FL_SCHED_MUTEX;
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (starts(reason, reasons[i].prefix))
            return (flags & IN_RUNTIME) != 0 && reasons[i].class != FL_SCHED_GC ? FL_SCHED_SYSTEM
                                                                                : reasons[i].class;
    return (flags & IN_RUNTIME) != 0 ? FL_SCHED_SYSTEM : (fl_sched_class)stack->hint;
}
