/*
 * gclog_unified.c - unified logging, Java 9 and later.
 *
 *   line        = *( "[" decoration "]" ) SP message
 *   decoration  = wall clock | uptime | milliseconds | ... | level | tags, each as it was asked for
 *   message     = [ "GC(" number ") " ] text
 *
 * Decorations come in the order that the JVM fixes, whatever was asked for, and are padded to the
 * widest seen so far; so they are told by their form, and tags are not needed at all. What is read:
 *
 *   GC(n) Pause Young (Normal) (G1 Evacuation Pause) 6M->2M(128M) 7.405ms     a pause
 *   GC(n) Pause Mark Start 0.008ms                                            of Z; "Y: ", "O: "
 * before GC(n) Garbage Collection (Warmup) 56M(58%)->8M(8%) [0.185s]               a cycle of Z;
 *         Minor Collection, Major Collection of generational Z
 *   GC(n) Concurrent cleanup 31M->12M(96M) 0.05ms                             a cycle of Shenandoah
 *   Allocation Stall (main) 12.3ms; Relocation Stall                          a thread of Z waits
 *   GC(n) Old regions: 5->7; Humongous regions: 0->2; Metaspace: 1K(2K)->1K(2K)
 *   GC(n) Tenured: 5559K(32768K)->7163K(32768K); ParOldGen: ...; CMS: ...
 *   Using G1; Version: ...; CPUs: ...; Heap Region Size: 1M; Heap Max Capacity: 96M
 *
 * A pause without a duration is its beginning (tag gc,start) and is passed over. Phases of G1 are
 * indented, and so is everything below them.
 */
#include <assert.h>
#include <string.h>

#include "gclog_priv.h"
#include "number.h"

/* A log of 107 MB has a million lines, and one in ten says something. */
bool fl_gclog_message(fl_slice *out, fl_slice text)
{
    enum { LONGEST = 96 };
    size_t at = 0;
    while (at < text.len && text.ptr[at] == '[') {
        size_t left = text.len - at;
        const unsigned char *end = memchr(text.ptr + at, ']', left < LONGEST ? left : LONGEST);
        if (end == NULL)
            return false;
        at = (size_t)(end - text.ptr) + 1;
    }
    if (at > 0 && (at == text.len || text.ptr[at] != ' '))
        return false;
    *out = fl_slice_part(text, at > 0 ? at + 1 : 0, text.len);
    return at > 0 || fl_slice_starts_with(text, FL_SLICE("GC(")) ||
           fl_slice_starts_with(text, FL_SLICE("Using "));
}

/* "0.531s", "531ms", "1769115889892ms", "531000000ns": false where it is no time. */
static bool take_uptime(fl_gc_event *event, fl_slice decoration)
{
    /* Milliseconds since 1970 or since the start: 30 years of uptime lie between. */
    const int64_t earliest_epoch_ns = INT64_C(946684800) * 1000000000;
    fl_slice in = decoration;
    int64_t ns;
    if (!fl_gclog_take_duration(&in, &ns) || in.len > 0)
        return false;
    if (ns >= earliest_epoch_ns)
        event->time_ns = ns;
    else
        event->since_ns = ns;
    return true;
}

/* What the decorations tell of the time. A stamp that is none is a host name or a number. */
static void take_times(fl_gc_event *event, fl_slice text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] == '[') {
        const unsigned char *end = memchr(text.ptr + at, ']', text.len - at);
        assert(end != NULL); /* fl_gclog_message() went over them */
        size_t close = (size_t)(end - text.ptr);
        fl_slice decoration = fl_slice_part(text, at + 1, close);
        if (!fl_gclog_time(decoration, &event->time_ns))
            (void)take_uptime(event, decoration);
        at = close + 1;
    }
}

/* The lines of collection `number` so far; a new one takes the place of the oldest. */
static fl_gc_open *open_of(fl_gclog *log, uint64_t number)
{
    for (size_t i = 0; i < GC_OPEN_COLLECTIONS; i++)
        if (log->open[i].is_used && log->open[i].number == number)
            return &log->open[i];
    fl_gc_open *open = &log->open[log->next_open];
    log->next_open = (log->next_open + 1) % GC_OPEN_COLLECTIONS;
    *open = (fl_gc_open){.is_used = true,
                         .number = number,
                         .promoted_bytes = -1,
                         .humongous_bytes = -1,
                         .metaspace_bytes = -1};
    return open;
}

/* "5->7(25)", regions. */
static bool take_regions(fl_slice in, int64_t *before, int64_t *after)
{
    return fl_gclog_take_scaled(&in, 1, before) && fl_gclog_take(&in, "->") &&
           fl_gclog_take_scaled(&in, 1, after);
}

/* What a heap line says of the old part, of humongous objects, of classes. True where it is one. */
static bool take_detail(fl_gclog *log, uint64_t number, fl_slice in)
{
    int64_t before, after, region = log->about->region_bytes;
    fl_gc_sizes sizes;
    bool is_old = fl_gclog_take(&in, "Old regions: "), is_humongous = false;
    if (!is_old)
        is_humongous = fl_gclog_take(&in, "Humongous regions: ");
    if (is_old || is_humongous) {
        const int64_t most = INT64_C(1) << 40;
        if (region <= 0 || !take_regions(in, &before, &after) || before > most / region ||
            after > most / region * 4096)
            return true;
        fl_gc_open *open = open_of(log, number);
        if (is_old)
            open->promoted_bytes = after > before ? (after - before) * region : 0;
        else
            open->humongous_bytes = after * region;
        return true;
    }
    if (fl_gclog_take(&in, "Metaspace: ")) {
        if (fl_gclog_take_sizes(&in, &sizes))
            open_of(log, number)->metaspace_bytes = sizes.after;
        else if (fl_gclog_take_size(&in, &after) && fl_gclog_take(&in, " used"))
            open_of(log, number)->metaspace_bytes = after;
        return true;
    }
    if (!fl_gclog_take(&in, "Tenured: ") && !fl_gclog_take(&in, "ParOldGen: ") &&
        !fl_gclog_take(&in, "PSOldGen: ") && !fl_gclog_take(&in, "CMS: ") &&
        !fl_gclog_take(&in, "Old: "))
        return false;
    if (fl_gclog_take_sizes(&in, &sizes))
        open_of(log, number)->promoted_bytes =
            sizes.after > sizes.before ? sizes.after - sizes.before : 0;
    return true;
}

/* Marks that stand on a line of their own before the collection's last. */
static void take_mark(fl_gclog *log, uint64_t number, fl_slice in)
{
    if (fl_gclog_take(&in, "To-space exhausted") || fl_gclog_take(&in, "Evacuation Failure"))
        open_of(log, number)->troubles |= 1u << FL_GC_EVACUATION_FAILED;
    else if (fl_gclog_take(&in, "Promotion failed"))
        open_of(log, number)->troubles |= 1u << FL_GC_PROMOTION_FAILED;
    else if (fl_gclog_take(&in, "Concurrent Mark Abort") ||
             fl_gclog_take(&in, "Concurrent mode failure"))
        open_of(log, number)->troubles |= 1u << FL_GC_CONCURRENT_FAILED;
}

/* The first beginning that fits counts: the longer ones stand before the shorter. */
static fl_gc_kind kind_of(fl_slice name)
{
    static const struct {
        const char *begin;
        fl_gc_kind kind;
    } kinds[] = {
        {"Pause Young (Mixed", FL_GC_MIXED},
        {"Pause Young", FL_GC_YOUNG},
        {"Pause Mixed", FL_GC_MIXED},
        {"Pause Full", FL_GC_FULL},
        {"Pause Degenerated", FL_GC_DEGENERATE},
        {"Pause Initial Mark (G1", FL_GC_YOUNG}, /* up to Java 11: a young one as well */
        {"Pause", FL_GC_MARK},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        fl_slice rest = name;
        if (fl_gclog_take(&rest, kinds[i].begin))
            return kinds[i].kind;
    }
    return FL_GC_CYCLE;
}

/* Groups in parentheses behind a name: G1's kinds of young ones and Shenandoah's of marks belong to
 * it, "Evacuation Failure" marks it, and of the others the last is the cause. */
static void take_groups(fl_gc_event *event, fl_slice *in, fl_slice title)
{
    static const char *const parts_of_name[] = {
        "Normal", "Concurrent Start", "Prepare Mixed", "Mixed",
        "Major",  "unload classes",   "Young",         "Old",
        "Global"};
    fl_slice inside;
    while (fl_slice_starts_with(*in, FL_SLICE("("))) {
        if (!fl_gclog_take_group(in, &inside))
            break;
        bool is_name = false;
        for (size_t i = 0; i < sizeof(parts_of_name) / sizeof(parts_of_name[0]); i++)
            is_name |= fl_slice_equal(inside, fl_slice_of(parts_of_name[i]));
        unsigned trouble = fl_gclog_trouble_of(inside);
        event->troubles |= trouble;
        if (is_name)
            event->name = fl_slice_part(title, 0, title.len - in->len);
        else if ((trouble & 1u << FL_GC_EVACUATION_FAILED) == 0 &&
                 !fl_slice_starts_with(inside, FL_SLICE("Evacuation Failure")))
            event->cause = inside;
        (void)fl_gclog_take(in, " ");
    }
}

/* Where the name of a pause ends: before a parenthesis, before a number. */
static size_t name_length(fl_slice text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] != '(' && (text.ptr[at] < '0' || text.ptr[at] > '9'))
        at++;
    return at;
}

/* A pause or a cycle. One that says nothing behind its name is only its beginning. */
static void take_collection(fl_gclog *log, const fl_line *line, uint64_t number, fl_slice title)
{
    fl_gc_event event = fl_gclog_event(kind_of(title));
    fl_gc_sizes sizes = {-1, -1, -1};
    size_t len = name_length(title);
    fl_slice in = fl_slice_part(title, len, title.len);
    event.name = fl_slice_trim(fl_slice_part(title, 0, len));
    take_groups(&event, &in, title);
    event.name = fl_slice_trim(event.name);
    if (in.len == 0 || fl_slice_equal(in, FL_SLICE("Aborted")))
        return;
    bool has_sizes = fl_gclog_take_sizes(&in, &sizes);
    (void)fl_gclog_take(&in, " ");
    bool has_time = fl_gclog_take_duration(&in, &event.pause_ns);
    if ((!has_sizes && !has_time) || in.len > 0) {
        fl_gclog_reject(log, line->offset + (line->text.len - in.len),
                        "what a collection took is not as a Java virtual machine writes it");
        return;
    }
    if (event.kind == FL_GC_CYCLE) {
        event.pause_ns = -1;
        if (!has_sizes) /* a phase of it */
            return;
    }
    const fl_gc_open *open = open_of(log, number);
    event.before_bytes = sizes.before;
    event.after_bytes = sizes.after;
    event.capacity_bytes = sizes.capacity;
    event.troubles |= open->troubles;
    event.metaspace_bytes = open->metaspace_bytes;
    event.humongous_bytes = open->humongous_bytes;
    if (event.kind == FL_GC_YOUNG || event.kind == FL_GC_MIXED)
        event.promoted_bytes = open->promoted_bytes;
    event.line = line->number;
    take_times(&event, line->text);
    fl_gclog_java8_end(log); /* events come in the order of their lines */
    fl_gclog_hand_out(log, &event);
}

/* "Allocation Stall (main) 12.345ms": who waited stands where a cause does. */
static bool take_stall(fl_gclog *log, const fl_line *line, fl_slice message)
{
    fl_gc_event event = fl_gclog_event(FL_GC_STALL);
    fl_slice in = message;
    if (!fl_gclog_take(&in, "Allocation Stall ") && !fl_gclog_take(&in, "Relocation Stall "))
        return false;
    event.name = fl_slice_part(message, 0, message.len - in.len - 1);
    if (!fl_gclog_take_group(&in, &event.cause) || !fl_gclog_take(&in, " ") ||
        !fl_gclog_take_duration(&in, &event.pause_ns) || in.len > 0) {
        fl_gclog_reject(log, line->offset + (line->text.len - in.len),
                        "how long a thread stalled is not as a Java virtual machine writes it");
        return true;
    }
    event.line = line->number;
    take_times(&event, line->text);
    fl_gclog_java8_end(log); /* events come in the order of their lines */
    fl_gclog_hand_out(log, &event);
    return true;
}

/* "Using G1", "Using The Z Garbage Collector", "Using Concurrent Mark Sweep" */
static fl_gc_collector collector_of(fl_slice text)
{
    static const struct {
        const char *begin;
        fl_gc_collector collector;
    } names[] = {
        {"G1", FL_GC_COLLECTOR_G1},
        {"Parallel", FL_GC_COLLECTOR_PARALLEL},
        {"Serial", FL_GC_COLLECTOR_SERIAL},
        {"The Z Garbage Collector", FL_GC_COLLECTOR_Z},
        {"Shenandoah", FL_GC_COLLECTOR_SHENANDOAH},
        {"Concurrent Mark Sweep", FL_GC_COLLECTOR_CMS},
        {"Epsilon", FL_GC_COLLECTOR_EPSILON},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        fl_slice rest = text;
        if (fl_gclog_take(&rest, names[i].begin))
            return names[i].collector;
    }
    return FL_GC_COLLECTOR_UNKNOWN;
}

/* What is said once, at the start. */
/* Said within the first lines as a rule, but rotated files say it again, or never. */
static void take_about(fl_gc_about *about, fl_slice in)
{
    int64_t count;
    if (fl_gclog_take(&in, "Using ")) {
        fl_gc_collector found = collector_of(in);
        if (found != FL_GC_COLLECTOR_UNKNOWN)
            about->collector = found;
    } else if (fl_gclog_take(&in, "Version: ")) {
        size_t len = in.len < sizeof(about->version) ? in.len : sizeof(about->version) - 1;
        for (size_t i = 0; i < len; i++)
            about->version[i] = in.ptr[i] >= ' ' && in.ptr[i] < 127 ? (char)in.ptr[i] : '?';
        about->version[len] = '\0';
    } else if (fl_gclog_take(&in, "CPUs: ")) {
        if (fl_gclog_take_scaled(&in, 1, &count))
            about->cpus = (uint64_t)count;
    } else if (fl_gclog_take(&in, "Heap Region Size: ") || fl_gclog_take(&in, "Heap region size: "))
        (void)fl_gclog_take_size(&in, &about->region_bytes);
    else if (fl_gclog_take(&in, "Heap Max Capacity: ") || fl_gclog_take(&in, "Max Capacity: "))
        (void)fl_gclog_take_size(&in, &about->max_bytes);
}

/* "GC(12) ", and for generational Z the generation behind it. */
static bool take_number(fl_slice *in, uint64_t *number)
{
    fl_slice rest = *in;
    int64_t value;
    if (!fl_gclog_take(&rest, "GC(") || !fl_gclog_take_scaled(&rest, 1, &value) ||
        !fl_gclog_take(&rest, ") "))
        return false;
    if (!fl_gclog_take(&rest, "Y: ") && !fl_gclog_take(&rest, "y: "))
        (void)(fl_gclog_take(&rest, "O: ") || fl_gclog_take(&rest, "o: "));
    *number = (uint64_t)value;
    *in = rest;
    return true;
}

void fl_gclog_unified(fl_gclog *log, const fl_line *line)
{
    fl_slice in;
    uint64_t number;
    if (!fl_gclog_message(&in, line->text) || in.len == 0)
        return;
    if (!take_number(&in, &number)) {
        if (!take_stall(log, line, in))
            take_about(log->about, in);
        return;
    }
    if (in.len == 0 || in.ptr[0] == ' ') /* a phase */
        return;
    if (fl_slice_starts_with(in, FL_SLICE("Pause ")) ||
        fl_slice_starts_with(in, FL_SLICE("Garbage Collection ")) ||
        fl_slice_starts_with(in, FL_SLICE("Minor Collection ")) ||
        fl_slice_starts_with(in, FL_SLICE("Major Collection ")) ||
        fl_slice_starts_with(in, FL_SLICE("Concurrent cleanup")))
        take_collection(log, line, number, in);
    else if (!take_detail(log, number, in))
        take_mark(log, number, in);
}
