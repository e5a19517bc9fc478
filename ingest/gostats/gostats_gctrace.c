/*
 * gostats_gctrace.c - the lines that GODEBUG=gctrace=1 writes to standard error.
 *
 *   gc N @S.SSSs P%[ (checking for goroutine leaks)]: A+B+C ms clock, a+b/c/d+e ms cpu,
 *       X->Y->Z MB, G MB goal, [S MB stacks, L MB globals, ]K P[ (forced)]
 *
 * A and C are the two pauses and B marks beside the program; a and e are the pauses' CPU time, b
 * that of assists, c of workers, d of idle ones; X, Y and Z are the heap before, after and what was
 * found alive. Since Go 1.5; the stacks and globals since 1.18. Counters are summed up over the
 * lines, so that they count from the first line seen. Other lines are passed over.
 */
#include <assert.h>
#include <string.h>

#include "gostats_priv.h"
#include "number.h"
#include "slice.h"

typedef struct fl_gctrace_line {
    double number, since_start_s, cpu_percent;
    double clock_ms[3];
    double cpu_ms[5]; /* pause, assist, workers, idle, pause */
    double before_mb, after_mb, live_mb, goal_mb;
    bool is_forced;
} fl_gctrace_line;

/* Step over `text`, or stay. */
static bool take_text(fl_slice *in, fl_slice text)
{
    if (!fl_slice_starts_with(*in, text))
        return false;
    *in = (fl_slice){.ptr = in->ptr + text.len, .len = in->len - text.len};
    return true;
}

/* A number of at least 0; more than 1e15 of any unit here is no measurement. */
static bool take_number(fl_slice *in, double *out)
{
    fl_decimal decimal;
    size_t bad_at;
    const char *why;
    size_t len = fl_decimal_scan(&decimal, *in, &bad_at, &why);
    fl_slice text = {.ptr = in->ptr, .len = len};
    if (len == 0 || decimal.negative || !fl_decimal_double(&decimal, text, out) || *out > 1e15)
        return false;
    *in = (fl_slice){.ptr = in->ptr + len, .len = in->len - len};
    return true;
}

/* A number and the text behind it. */
static bool take(fl_slice *in, double *out, fl_slice behind)
{
    return take_number(in, out) && take_text(in, behind);
}

#define TAKE(out, behind) take(&in, (out), FL_SLICE(behind))

/* One line from its "gc " on; false where it is not wholly as Go writes it. */
static bool parse(fl_gctrace_line *out, fl_slice in)
{
    *out = (fl_gctrace_line){0};
    if (!take_text(&in, FL_SLICE("gc ")) || !TAKE(&out->number, " @") ||
        !TAKE(&out->since_start_s, "s ") || !TAKE(&out->cpu_percent, "%"))
        return false;
    (void)take_text(&in, FL_SLICE(" (checking for goroutine leaks)"));
    if (!take_text(&in, FL_SLICE(": ")) || !TAKE(&out->clock_ms[0], "+") ||
        !TAKE(&out->clock_ms[1], "+") || !TAKE(&out->clock_ms[2], " ms clock, "))
        return false;
    if (!TAKE(&out->cpu_ms[0], "+") || !TAKE(&out->cpu_ms[1], "/") || !TAKE(&out->cpu_ms[2], "/") ||
        !TAKE(&out->cpu_ms[3], "+") || !TAKE(&out->cpu_ms[4], " ms cpu, "))
        return false;
    if (!TAKE(&out->before_mb, "->") || !TAKE(&out->after_mb, "->") ||
        !TAKE(&out->live_mb, " MB, ") || !TAKE(&out->goal_mb, " MB goal, "))
        return false;
    out->is_forced = fl_slice_ends_with(in, FL_SLICE("(forced)"));
    return true;
}

/* A shipper's prefix may hold anything but " gc ". */
bool fl_gctrace_find(size_t *at, fl_slice line)
{
    static const fl_slice gc = FL_SLICE_INIT("gc "), behind_prefix = FL_SLICE_INIT(" gc ");
    double number;
    *at = 0;
    if (!fl_slice_starts_with(line, gc)) {
        *at = fl_slice_find(line, behind_prefix) + 1;
        if (*at >= line.len)
            return false;
    }
    assert(*at < line.len);
    fl_slice rest = {.ptr = line.ptr + *at, .len = line.len - *at};
    return take_text(&rest, gc) && take(&rest, &number, FL_SLICE(" @"));
}

/* `sum` carries the counters over the lines. */
static void to_row(fl_gostats_row *row, const fl_gctrace_line *line, fl_gostats_row *sum)
{
    static const double ns_per_ms = 1e6, bytes_per_mb = 1048576;
    const double *cpu = line->cpu_ms;
    assert(line->number >= 0 && line->since_start_s >= 0);
    sum->values[FL_GOSTAT_PAUSE_TOTAL_NS] += (line->clock_ms[0] + line->clock_ms[2]) * ns_per_ms;
    sum->values[FL_GOSTAT_MARK_ASSIST_NS] += cpu[1] * ns_per_ms;
    sum->values[FL_GOSTAT_GC_CPU_NS] += (cpu[0] + cpu[1] + cpu[2] + cpu[4]) * ns_per_ms;
    sum->values[FL_GOSTAT_NUM_FORCED_GC] += line->is_forced;
    fl_gostats_row_clear(row);
    for (int s = FL_GOSTAT_NUM_FORCED_GC; s <= FL_GOSTAT_GC_CPU_NS; s++)
        row->values[s] = sum->values[s];
    row->time_ns = (int64_t)(line->since_start_s < 9e9 ? line->since_start_s * 1e9 : 9e18);
    row->values[FL_GOSTAT_NUM_GC] = line->number;
    row->values[FL_GOSTAT_GC_CPU_RATIO] = line->cpu_percent / 100;
    row->values[FL_GOSTAT_HEAP_ALLOC_BYTES] = line->after_mb * bytes_per_mb;
    row->values[FL_GOSTAT_HEAP_LIVE_BYTES] = line->live_mb * bytes_per_mb;
    row->values[FL_GOSTAT_NEXT_GC_BYTES] = line->goal_mb * bytes_per_mb;
}

_Static_assert(FL_GOSTAT_NUM_FORCED_GC + 3 == FL_GOSTAT_GC_CPU_NS, "the summed columns adjoin");

/* Line by line, as a program's own output stands between. */
fl_status fl_gostats_read_gctrace(fl_gostats_rows *rows, fl_slice bytes, fl_error *err)
{
    fl_gostats_row sum = {0};
    rows->is_since_start = true;
    for (size_t pos = 0; pos < bytes.len;) {
        const unsigned char *feed = memchr(bytes.ptr + pos, '\n', bytes.len - pos);
        size_t end = feed != NULL ? (size_t)(feed - bytes.ptr) : bytes.len, at;
        fl_slice text = fl_slice_trim((fl_slice){.ptr = bytes.ptr + pos, .len = end - pos});
        if (fl_gctrace_find(&at, text)) {
            fl_gctrace_line line;
            fl_gostats_row row;
            if (parse(&line, (fl_slice){.ptr = text.ptr + at, .len = text.len - at})) {
                to_row(&row, &line, &sum);
                fl_status status = fl_gostats_rows_add(rows, &row, err);
                if (status != FL_OK)
                    return status;
            } else
                fl_gostats_reject(rows, pos, "a line of gctrace is not as Go writes it");
        }
        pos = end + 1;
    }
    return FL_OK;
}
