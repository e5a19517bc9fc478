/*
 * gclog.c - a log line by line: which grammar a line is of, what is handed out, what is counted.
 *
 * Cost: one memchr for a line's end and some for its decorations; nothing else is done with a line
 * that says nothing. docs/benchmarks.md has the figures.
 */
#include "gclog_read.h"

#include <assert.h>
#include <string.h>

#include "gclog_priv.h"

enum { MAX_LINE_BYTES = 64 << 10 };

/* As their makers call them. */
static const char *const collectors[] = {
    [FL_GC_COLLECTOR_UNKNOWN] = "not known",
    [FL_GC_COLLECTOR_SERIAL] = "Serial",
    [FL_GC_COLLECTOR_PARALLEL] = "Parallel",
    [FL_GC_COLLECTOR_CMS] = "CMS",
    [FL_GC_COLLECTOR_G1] = "G1",
    [FL_GC_COLLECTOR_Z] = "ZGC",
    [FL_GC_COLLECTOR_SHENANDOAH] = "Shenandoah",
    [FL_GC_COLLECTOR_EPSILON] = "Epsilon",
};
/* The words of the JSON contract. */
static const char *const kinds[] = {
    [FL_GC_YOUNG] = "young",           [FL_GC_MIXED] = "mixed", [FL_GC_FULL] = "full",
    [FL_GC_DEGENERATE] = "degenerate", [FL_GC_MARK] = "mark",   [FL_GC_CYCLE] = "cycle",
    [FL_GC_STALL] = "stall",
};
static const char *const troubles[] = {
    [FL_GC_EVACUATION_FAILED] = "evacuation-failed",
    [FL_GC_PROMOTION_FAILED] = "promotion-failed",
    [FL_GC_CONCURRENT_FAILED] = "concurrent-failed",
    [FL_GC_HUMONGOUS] = "humongous",
    [FL_GC_EXPLICIT] = "explicit",
    [FL_GC_METASPACE] = "metaspace",
};

_Static_assert(sizeof(collectors) / sizeof(collectors[0]) == FL_GC_COLLECTOR_COUNT, "all named");
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == FL_GC_KIND_COUNT, "all named");
_Static_assert(sizeof(troubles) / sizeof(troubles[0]) == FL_GC_TROUBLE_COUNT, "all named");

const char *fl_gc_collector_name(fl_gc_collector collector)
{
    assert((unsigned)collector < FL_GC_COLLECTOR_COUNT);
    return collectors[collector];
}

const char *fl_gc_kind_name(fl_gc_kind kind)
{
    assert((unsigned)kind < FL_GC_KIND_COUNT);
    return kinds[kind];
}

const char *fl_gc_trouble_name(fl_gc_trouble trouble)
{
    assert((unsigned)trouble < FL_GC_TROUBLE_COUNT);
    return troubles[trouble];
}

unsigned fl_gclog_trouble_of(fl_slice text)
{
    static const struct {
        const char *begin;
        fl_gc_trouble trouble;
    } words[] = {
        {"Evacuation Failure", FL_GC_EVACUATION_FAILED}, /* : Allocation, Java 22 on */
        {"to-space exhausted", FL_GC_EVACUATION_FAILED},
        {"to-space overflow", FL_GC_EVACUATION_FAILED},
        {"promotion failed", FL_GC_PROMOTION_FAILED},
        {"concurrent mode failure", FL_GC_CONCURRENT_FAILED},
        {"concurrent mode interrupted", FL_GC_CONCURRENT_FAILED},
        {"G1 Humongous Allocation", FL_GC_HUMONGOUS},
        {"System.gc()", FL_GC_EXPLICIT},
        {"System", FL_GC_EXPLICIT}, /* Java 6 and 7 */
        {"Metadata GC", FL_GC_METASPACE},
        {"Last ditch collection", FL_GC_METASPACE},
    };
    /* JNI holds the region: its objects stay where they are, and room is not what lacks. */
    if (fl_slice_equal(text, FL_SLICE("Evacuation Failure: Pinned")))
        return 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (fl_slice_starts_with(text, fl_slice_of(words[i].begin)))
            return 1u << words[i].trouble;
    return 0;
}

fl_gc_event fl_gclog_event(fl_gc_kind kind)
{
    return (fl_gc_event){.kind = kind,
                         .time_ns = -1,
                         .since_ns = -1,
                         .pause_ns = -1,
                         .before_bytes = -1,
                         .after_bytes = -1,
                         .capacity_bytes = -1,
                         .promoted_bytes = -1,
                         .humongous_bytes = -1,
                         .metaspace_bytes = -1};
}

void fl_gclog_hand_out(fl_gclog *log, const fl_gc_event *event)
{
    assert(event->name.len > 0 && event->line > 0);
    log->about->events++;
    if (log->status == FL_OK)
        log->status = log->visitor->event(log->visitor->payload, event, log->err);
}

void fl_gclog_reject(fl_gclog *log, uint64_t offset, const char *message)
{
    assert(message != NULL);
    if (log->about->rejected++ == 0)
        (void)fl_fail(&log->about->first_reject, FL_E_SYNTAX, offset, "%s", message);
}

/* All lines, up to the end or the visitor's refusal. */
/* The order matters only for Java 8, of which a collection may go on over several lines: each line
 * is asked for that first. Unified logging is told by its brackets, and everything else is passed
 * over. */
static fl_status read_lines(fl_gclog *log, fl_lines *lines, fl_error *err)
{
    fl_line line;
    bool more = true;
    fl_status status = FL_OK;
    while (status == FL_OK && log->status == FL_OK) {
        status = fl_lines_next(lines, &line, &more, err);
        if (status != FL_OK || !more)
            break;
        log->about->lines++;
        if (fl_gclog_is_java8(log, line.text))
            fl_gclog_java8(log, &line);
        else
            fl_gclog_unified(log, &line);
    }
    if (log->status == FL_OK)
        fl_gclog_java8_end(log);
    return status == FL_OK ? log->status : status;
}

fl_status fl_gclog_read(fl_gc_about *out, fl_stream *in, const fl_gclog_visitor *visitor,
                        fl_error *err)
{
    fl_lines *lines = NULL;
    assert(out != NULL && in != NULL && visitor != NULL && visitor->event != NULL);
    *out = (fl_gc_about){.max_bytes = -1, .region_bytes = -1};
    fl_gclog log = {.visitor = visitor, .about = out, .err = err};
    fl_status status = fl_lines_create(&lines, in, MAX_LINE_BYTES, err);
    if (status == FL_OK)
        status = read_lines(&log, lines, err);
    fl_lines_destroy(lines);
    if (status != FL_OK || out->events > 0)
        return status;
    if (out->rejected > 0)
        return fl_fail(err, FL_E_SYNTAX, out->first_reject.offset, "%s", out->first_reject.message);
    if (out->collector == FL_GC_COLLECTOR_UNKNOWN)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "no garbage collection log of a Java virtual machine");
    return FL_OK;
}

/* A tag of the collector among the decorations: "[gc", "[gc,start". */
static bool has_gc_tag(fl_slice line)
{
    size_t at = fl_slice_find(line, FL_SLICE("[gc"));
    return at + 3 < line.len && fl_gclog_is_one_of(line.ptr[at + 3], ",] ");
}

/* Line by line, since a program may have printed something before its first collection. */
bool fl_gclog_sniff(fl_slice head)
{
    const fl_gclog closed = {0};
    for (size_t pos = 0; pos < head.len;) {
        const unsigned char *feed = memchr(head.ptr + pos, '\n', head.len - pos);
        size_t end = feed != NULL ? (size_t)(feed - head.ptr) : head.len;
        fl_slice line = fl_slice_part(head, pos, end), message;
        if (fl_gclog_is_java8(&closed, line))
            return true;
        if (fl_gclog_message(&message, line) &&
            (has_gc_tag(fl_slice_part(line, 0, line.len - message.len)) ||
             fl_slice_starts_with(message, FL_SLICE("GC("))))
            return true;
        pos = end + 1;
    }
    return false;
}
