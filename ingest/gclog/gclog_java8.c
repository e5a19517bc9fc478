/*
 * gclog_java8.c - what Java 5 to 8 write with -XX:+PrintGC and -XX:+PrintGCDetails.
 *
 *   line       = [ date ": " ] [ uptime ": " ] collection
 *   collection = "[GC" | "[Full GC" ... "]" [ " [Times: ...]" ]
 *
 *   [GC (Allocation Failure)  65536K->10720K(251392K), 0.0096783 secs]
 *   [GC (Allocation Failure) [PSYoungGen: 274441K->28637K(305152K)] 274441K->28645K(1005056K),
 * 0.0585 secs] [Full GC (Ergonomics) [PSYoungGen: 9K->0K(27K)] [ParOldGen: 71K->65K(83K)]
 * 84K->65K(111K), [Metaspace: ...], 0.9 secs] [GC (Allocation Failure) 64.3: [ParNew (promotion
 * failed): 61K->61K(61K), 0.1 secs]64.4: [CMS (concurrent mode failure): 10K->8K(11K), 2.1 secs]
 * 70K->8K(72K), [Metaspace: ...], 2.2 secs] [GC (CMS Final Remark) [YG occupancy: ...]... [1
 * CMS-remark: 10K(11K)] 12K(15K), 0.011 secs] [GC pause (G1 Evacuation Pause) (young) (to-space
 * exhausted), 0.0059346 secs]   and lines later [Eden: 24.0M(24.0M)->0.0B(13.0M) Survivors: ...
 * Heap: 24.0M(256.0M)->21.9M(256.0M)] [GC remark ..., 0.01 secs]; [GC cleanup 117M->106M(138M),
 * 0.0015 secs]
 *
 * Sizes and a duration at the depth of the first bracket are the collection's, deeper ones a
 * section's. Other switches put lines of their own into the middle of a collection: what goes on
 * then begins with a colon, a comma or a parenthesis, and the depth is kept from line to line.
 */
#include <assert.h>
#include <string.h>

#include "gclog_priv.h"

static fl_slice behind(fl_slice text, size_t count)
{
    return fl_slice_part(text, count, text.len);
}

/* "2015-05-26T14:45:37.987-0200: " and "151.126: ", each where it is. */
static void take_stamps(fl_slice *in, fl_gc_event *event)
{
    enum { STAMP = 28 };
    fl_slice rest;
    int64_t ns;
    if (in->len > STAMP + 1 && fl_gclog_time(fl_slice_part(*in, 0, STAMP), &ns) &&
        in->ptr[STAMP] == ':') {
        event->time_ns = ns;
        *in = behind(*in, STAMP + 1);
        (void)fl_gclog_take(in, " ");
    }
    rest = *in;
    if (fl_gclog_take_scaled(&rest, 1000000000, &ns) && fl_gclog_take(&rest, ": ")) {
        event->since_ns = ns;
        *in = rest;
    }
}

/* Behind stamps. What G1 does beside the program is no collection. */
static bool begins(fl_slice text)
{
    return (fl_slice_starts_with(text, FL_SLICE("[GC")) &&
            !fl_slice_starts_with(text, FL_SLICE("[GC concurrent"))) ||
           fl_slice_starts_with(text, FL_SLICE("[Full GC"));
}

bool fl_gclog_is_java8(const fl_gclog *log, fl_slice text)
{
    fl_gc_event ignored;
    fl_slice in = text;
    if (text.len == 0)
        return false;
    if (text.ptr[0] == '[')
        return begins(text);
    if (text.ptr[0] >= '0' && text.ptr[0] <= '9') {
        take_stamps(&in, &ignored);
        return in.len < text.len && begins(in);
    }
    if (fl_slice_starts_with(text, FL_SLICE("CommandLine flags: ")))
        return true;
    return log->java8.is_open && fl_gclog_is_one_of(text.ptr[0], " ,:(");
}

/* The same words as the bytes, NUL-terminated, what does not fit cut. */
static void keep(char out[GC_TEXT], fl_slice text)
{
    size_t len = text.len < GC_TEXT ? text.len : GC_TEXT - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] != '\0' ? (char)text.ptr[i] : '?';
    out[len] = '\0';
}

static bool is_word(const char *text, const char *const *words)
{
    size_t i = 0;
    while (words[i] != NULL && strcmp(text, words[i]) != 0)
        i++;
    return words[i] != NULL;
}

/* "a->b(c)" of a section: what it is of tells its name. */
static void take_section_sizes(fl_gc_java8 *j, const fl_gc_sizes *sizes)
{
    static const char *const young[] = {"PSYoungGen", "DefNew", "ParNew", NULL};
    static const char *const old[] = {"ParOldGen", "PSOldGen", "Tenured", "CMS", NULL};
    static const char *const classes[] = {"Metaspace", "PSPermGen", "CMS Perm", "Perm", NULL};
    if (is_word(j->section, young)) {
        j->young_before = sizes->before;
        j->young_after = sizes->after;
    }
    j->has_old |= is_word(j->section, old);
    if (is_word(j->section, classes))
        j->event.metaspace_bytes = sizes->after;
}

/* A group in parentheses: a mark, a part of G1's name, or the cause. */
static void take_group(fl_gc_java8 *j, fl_slice inside)
{
    unsigned trouble = fl_gclog_trouble_of(inside);
    const unsigned failures = 1u << FL_GC_EVACUATION_FAILED | 1u << FL_GC_PROMOTION_FAILED |
                              1u << FL_GC_CONCURRENT_FAILED;
    j->event.troubles |= trouble;
    if (j->depth != 1 || (trouble & failures) != 0)
        return;
    if (fl_slice_equal(inside, FL_SLICE("mixed"))) {
        j->event.kind = FL_GC_MIXED;
        keep(j->name, FL_SLICE("GC pause (mixed)"));
    } else if (fl_slice_equal(inside, FL_SLICE("initial-mark")))
        keep(j->name, FL_SLICE("GC pause (initial-mark)"));
    else if (!fl_slice_equal(inside, FL_SLICE("young"))) {
        keep(j->cause, inside);
        if (fl_slice_starts_with(inside, FL_SLICE("CMS ")))
            j->event.kind = FL_GC_MARK;
    }
}

/* A number at a place where one can begin: sizes, a level of the heap, or a duration. */
/* What stands where tells what it is: CMS' pauses tell a level with its capacity and no arrow; a
 * number that is none of these (a count of threads, an age) is stepped over, digit by digit. */
static void take_figure(fl_gc_java8 *j, fl_slice *in)
{
    fl_gc_sizes sizes;
    fl_slice rest = *in;
    int64_t value;
    fl_gc_event *event = &j->event;
    if (fl_gclog_take_sizes(in, &sizes)) {
        if (j->depth == 1) {
            event->before_bytes = sizes.before;
            event->after_bytes = sizes.after;
            event->capacity_bytes = sizes.capacity;
        } else if (j->depth == 2)
            take_section_sizes(j, &sizes);
    } else if (j->depth == 1 && fl_gclog_take_size(&rest, &value) && fl_gclog_take(&rest, "(")) {
        event->before_bytes = event->after_bytes = value; /* CMS marks, and frees nothing */
        *in = rest;
    } else if (fl_gclog_take_duration(in, &value)) {
        if (j->depth == 1)
            event->pause_ns = value;
    } else
        while (in->len > 0 && in->ptr[0] >= '0' && in->ptr[0] <= '9')
            *in = behind(*in, 1);
}

/* Of a section the name, up to a stamp that CMS may write right behind it. */
static void open_bracket(fl_gc_java8 *j, fl_slice in)
{
    size_t len = 0;
    if (++j->depth != 2)
        return;
    while (len < in.len && !fl_gclog_is_one_of(in.ptr[len], len > 0 ? ":([],0123456789" : ":([],"))
        len++;
    keep(j->section, fl_slice_trim(fl_slice_part(in, 0, len)));
}

/* A part of a collection, from where it goes on. */
/* Cost: each byte is looked at once, or twice where a number could begin there. */
static void scan(fl_gc_java8 *j, fl_slice in)
{
    unsigned char last = ' ';
    assert(j->is_open && j->depth >= 0);
    while (in.len > 0 && !j->is_whole) {
        unsigned char c = in.ptr[0];
        fl_slice inside;
        if (c >= '0' && c <= '9' && fl_gclog_is_one_of(last, " :,")) {
            take_figure(j, &in);
        } else if (c == '(' && fl_gclog_take_group(&in, &inside)) {
            take_group(j, inside);
        } else {
            in = behind(in, 1);
            if (c == '[')
                open_bracket(j, in);
            else if (c == ']')
                j->is_whole = --j->depth <= 0;
        }
        last = c;
    }
}

/* Its name, before the first parenthesis or figure, and what follows from that. */
static void begin(fl_gclog *log, const fl_line *line, fl_slice in, const fl_gc_event *stamps)
{
    fl_gc_java8 *j = &log->java8;
    fl_slice rest = in;
    fl_gclog_java8_end(log);
    *j = (fl_gc_java8){.is_open = true, .offset = line->offset, .young_before = -1, .depth = 0};
    j->event = fl_gclog_event(FL_GC_YOUNG);
    j->event.time_ns = stamps->time_ns;
    j->event.since_ns = stamps->since_ns;
    j->event.line = line->number;
    if (fl_gclog_take(&rest, "[Full GC")) {
        j->event.kind = FL_GC_FULL;
        keep(j->name, FL_SLICE("Full GC"));
    } else if (fl_gclog_take(&rest, "[GC remark") || fl_gclog_take(&rest, "[GC cleanup")) {
        j->event.kind = FL_GC_MARK;
        keep(j->name, fl_slice_part(in, 1, in.len - rest.len));
    } else {
        bool is_g1 = fl_gclog_take(&rest, "[GC pause");
        if (!is_g1)
            (void)fl_gclog_take(&rest, "[GC");
        keep(j->name, is_g1 ? FL_SLICE("GC pause (young)") : FL_SLICE("GC"));
        if (is_g1)
            log->about->collector = FL_GC_COLLECTOR_G1;
    }
    j->depth = 1;
    scan(j, rest);
}

void fl_gclog_java8_end(fl_gclog *log)
{
    fl_gc_java8 *j = &log->java8;
    fl_gc_event *event = &j->event;
    if (!j->is_open)
        return;
    j->is_open = false;
    if (event->pause_ns < 0) {
        fl_gclog_reject(log, j->offset, "a collection has no duration");
        return;
    }
    if (j->has_old && event->kind == FL_GC_YOUNG) {
        event->kind = FL_GC_FULL; /* a young one that went on with the old part */
        keep(j->name, FL_SLICE("GC and Full GC"));
    }
    bool is_young = event->kind == FL_GC_YOUNG;
    if (is_young && j->young_before >= 0 && event->before_bytes >= 0) {
        int64_t before = event->before_bytes - j->young_before;
        int64_t after = event->after_bytes - j->young_after;
        event->promoted_bytes = after > before ? after - before : 0;
    }
    if (event->kind == FL_GC_MARK && j->cause[0] != '\0') {
        memcpy(j->name, j->cause, sizeof(j->name));
        j->cause[0] = '\0';
    }
    event->name = fl_slice_of(j->name);
    event->cause = fl_slice_of(j->cause);
    fl_gclog_hand_out(log, event);
}

/* "CommandLine flags: ... -XX:+UseParallelGC": the only place that names the collector. */
static void take_flags(fl_gc_about *about, fl_slice text)
{
    static const struct {
        fl_slice flag;
        fl_gc_collector collector;
    } flags[] = {
        {FL_SLICE_INIT("-XX:+UseG1GC"), FL_GC_COLLECTOR_G1},
        {FL_SLICE_INIT("-XX:+UseConcMarkSweepGC"), FL_GC_COLLECTOR_CMS},
        {FL_SLICE_INIT("-XX:+UseParallelGC"), FL_GC_COLLECTOR_PARALLEL},
        {FL_SLICE_INIT("-XX:+UseParallelOldGC"), FL_GC_COLLECTOR_PARALLEL},
        {FL_SLICE_INIT("-XX:+UseSerialGC"), FL_GC_COLLECTOR_SERIAL},
        {FL_SLICE_INIT("-XX:+UseShenandoahGC"), FL_GC_COLLECTOR_SHENANDOAH},
    };
    static const fl_slice max = FL_SLICE_INIT("-XX:MaxHeapSize=");
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (fl_slice_find(text, flags[i].flag) < text.len)
            about->collector = flags[i].collector;
    size_t at = fl_slice_find(text, max);
    if (at < text.len) {
        fl_slice in = behind(text, at + max.len);
        (void)fl_gclog_take_scaled(&in, 1, &about->max_bytes);
    }
}

/* G1's details: the heap stands some lines below the pause. */
static void go_on(fl_gclog *log, fl_slice text)
{
    static const fl_slice heap = FL_SLICE_INIT(" Heap: ");
    fl_gc_java8 *j = &log->java8;
    if (!j->is_whole) {
        fl_slice rest = fl_slice_trim(text);
        if (rest.len > 0 && fl_gclog_is_one_of(rest.ptr[0], ":,("))
            scan(j, rest);
        return;
    }
    size_t at = fl_slice_find(text, heap);
    fl_gc_sizes sizes;
    if (at == text.len || j->event.before_bytes >= 0)
        return;
    fl_slice in = behind(text, at + heap.len);
    if (fl_gclog_take_sizes(&in, &sizes)) {
        j->event.before_bytes = sizes.before;
        j->event.after_bytes = sizes.after;
        j->event.capacity_bytes = sizes.capacity;
    }
}

void fl_gclog_java8(fl_gclog *log, const fl_line *line)
{
    fl_gc_event stamps = fl_gclog_event(FL_GC_YOUNG);
    fl_slice in = line->text;
    if (fl_slice_starts_with(in, FL_SLICE("CommandLine flags: "))) {
        take_flags(log->about, in);
        return;
    }
    take_stamps(&in, &stamps);
    if (begins(in))
        begin(log, line, in, &stamps);
    else if (log->java8.is_open)
        go_on(log, line->text);
}
