/*
 * gc_text.c - what collections say, as one page: the verdict, the figures that a person compares,
 * findings with their evidence, pauses by name and cause, and the longest with the command that
 * shows each line again.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gc_report.h"
#include "leak_report.h"
#include "page.h"
#include "sparkline.h"
#include "timestamp.h"

enum { BODY = 2, LABEL = 15, GROUPS = 12, MS_TEXT = 24 };

/* How a verdict reads. Without a finding the words say what is known of the heap, since that is
 * what a reader wants to exclude. */
static const struct {
    const char *words;
    fl_ink ink;
} verdicts[FL_LEAK_VERDICT_COUNT] = {
    [FL_LEAK_NOT_ENOUGH_DATA] = {"No finding; whether the heap grows cannot be told", FL_INK_WARN},
    [FL_LEAK_NO_LEAK] = {"No finding: the heap does not grow", FL_INK_GOOD},
    [FL_LEAK_BOUNDED_GROWTH] = {"No finding: the heap grew and then stayed", FL_INK_GOOD},
    [FL_LEAK_CHURN] = {"Churn", FL_INK_WARN},
    [FL_LEAK_RETENTION] = {"Memory retained", FL_INK_WARN},
    [FL_LEAK_LATENCY] = {"Pauses", FL_INK_WARN},
    [FL_LEAK_GC_PRESSURE] = {"Pressure on the garbage collector", FL_INK_WARN},
    [FL_LEAK_LEAK] = {"Leak", FL_INK_BAD},
    [FL_LEAK_CRASH] = {"Crash", FL_INK_BAD},
};

/* A dim word, then a text that wraps under itself. */
static void labelled(fl_page *page, const char *name, const char *text)
{
    fl_page_labelled(page, (fl_page_row){BODY, LABEL}, name, FL_INK_PLAIN, text);
}

/* Between two parts there is an empty line. */
static void heading(fl_page *page, const char *text)
{
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, text);
    fl_page_newline(page);
}

/* "0.02", "7.4", "1234" milliseconds: three digits are enough. */
static const char *ms_text(char out[MS_TEXT], int64_t ns)
{
    double ms = (double)ns / 1e6;
    int digits = ms < 0.995 ? 2 : ms < 99.5 ? 1 : 0;
    if (ns >= 0)
        snprintf(out, MS_TEXT, "%.*f", digits, ms);
    else
        snprintf(out, MS_TEXT, "-");
    return out;
}

/* One line that answers the question; a certainty is not claimed where there is no answer. */
static void write_verdict(fl_page *page, const fl_gc_report *report)
{
    const fl_leak_report *verdict = &report->verdict;
    char percent[FL_PERCENT_TEXT];
    fl_page_put(page, verdicts[verdict->verdict].ink, verdicts[verdict->verdict].words);
    if (verdict->verdict != FL_LEAK_NOT_ENOUGH_DATA)
        fl_page_printf(page, FL_INK_PLAIN, " (%s)", fl_page_percent(percent, verdict->confidence));
    fl_page_newline(page);
    fl_page_newline(page);
}

/* What was read, and of which virtual machine: a reader sees at once whether it is the right log.
 */
static void write_java(fl_page *page, const fl_gc_report *report)
{
    char text[256], lines[FL_COUNT_TEXT], events[FL_COUNT_TEXT], from[FL_TIME_TEXT],
        to[FL_TIME_TEXT], span[FL_TIME_TEXT], size[FL_BYTES_TEXT];
    const fl_gc_about *about = &report->about;
    snprintf(text, sizeof(text), "%s lines of %zu file%s, %s events",
             fl_page_count(lines, about->lines), report->file_count,
             report->file_count == 1 ? "" : "s", fl_page_count(events, about->events));
    labelled(page, "Read", text);
    snprintf(text, sizeof(text), "%s%s%s%s%s", fl_gc_collector_name(about->collector),
             about->version[0] != '\0' ? ", Java " : "", about->version,
             about->max_bytes > 0 ? ", at most " : "",
             about->max_bytes > 0 ? fl_bytes_text(size, (double)about->max_bytes) : "");
    labelled(page, "Collector", text);
    if (report->span_ns < 0)
        return;
    fl_duration_format(span, report->span_ns);
    if (report->from_ns >= 0)
        snprintf(text, sizeof(text), "%s to %s (%s)", fl_time_format_s(from, report->from_ns),
                 fl_time_format_s(to, report->to_ns), span);
    else
        snprintf(text, sizeof(text), "%s", span);
    labelled(page, "Time", text);
    if (report->restarts > 0) {
        snprintf(text, sizeof(text), "%s times within", fl_page_count(lines, report->restarts));
        labelled(page, "Restarted", text);
    }
}

/* Of how many, how much of the time, and the quantiles that people compare. */
static void write_durations(fl_page *page, const char *label, const fl_gc_durations *d,
                            double ratio)
{
    char text[256], count[FL_COUNT_TEXT], p50[MS_TEXT], p99[MS_TEXT], max[MS_TEXT], share[48] = "";
    if (d->count == 0)
        return;
    if (!isnan(ratio))
        snprintf(share, sizeof(share), ", %.2g %% of the time", 100 * ratio);
    snprintf(text, sizeof(text), "%s%s; median %s ms, 99 %% %s ms, longest %s ms",
             fl_page_count(count, d->count), share, ms_text(p50, d->p50_ns),
             ms_text(p99, d->p99_ns), ms_text(max, d->max_ns));
    labelled(page, label, text);
}

/* A row of the levels, what shape it has, and by how much it grows where it does. */
static void write_level(fl_page *page, const char *label, const fl_gc_level *level,
                        const char *of_what)
{
    char row[FL_SPARKLINE_TEXT], text[512], first[FL_BYTES_TEXT], last[FL_BYTES_TEXT],
        growth[FL_BYTES_TEXT];
    if (level->count == 0)
        return;
    const fl_sparkline line = {.values = level->bytes,
                               .count = level->count,
                               .usual_low = NAN,
                               .usual_high = NAN,
                               .onset = FL_SPARKLINE_NOWHERE,
                               .window_from = FL_SPARKLINE_NOWHERE,
                               .window_to = FL_SPARKLINE_NOWHERE,
                               .most = 24,
                               .unicode = page->style.unicode};
    bool grows = strcmp(level->shape, "growing") == 0;
    snprintf(text, sizeof(text), "%s  %s to %s %s; %s%s%s%s", fl_sparkline_write(row, &line),
             fl_bytes_text(first, level->bytes[0]),
             fl_bytes_text(last, level->bytes[level->count - 1]), of_what, level->shape,
             grows ? ", by " : "", grows ? fl_bytes_text(growth, level->per_hour.value) : "",
             grows ? " an hour" : "");
    labelled(page, label, text);
}

/* In the order in which a person asks: how long, how bad at worst, how much is made, what stays. */
static void write_figures(fl_page *page, const fl_gc_report *report)
{
    char text[256], allocated[FL_BYTES_TEXT], promoted[FL_BYTES_TEXT];
    write_durations(page, "Pauses", &report->pauses, report->pause_ratio);
    if (!isnan(report->worst_pause_ratio)) {
        snprintf(text, sizeof(text), "%.2g %% in pauses, %.0f s after the first collection",
                 100 * report->worst_pause_ratio, (double)report->worst_at_ns / 1e9);
        labelled(page, "Worst minute", text);
    }
    write_durations(page, "Stalls", &report->stalls, NAN);
    if (!isnan(report->alloc_bytes_per_s)) {
        snprintf(text, sizeof(text), "%s a second; promoted %s a second",
                 fl_bytes_text(allocated, report->alloc_bytes_per_s),
                 fl_bytes_text(promoted, report->promoted_bytes_per_s));
        labelled(page, "Allocated", text);
    }
    write_level(page, "Heap", &report->heap,
                report->heap_is_after_old ? "after collections of the old part"
                                          : "after collections, garbage of the old part included");
    write_level(page, "Metaspace", &report->metaspace, "in use");
}

/* Each with its certainty, its kind, and below it the figures that it rests on. */
static void write_findings(fl_page *page, const fl_leak_report *verdict)
{
    char percent[FL_PERCENT_TEXT];
    if (verdict->finding_count == 0)
        return;
    heading(page, "Findings");
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const fl_leak_finding *finding = &verdict->findings[i];
        fl_page_pad(page, BODY);
        fl_page_put(page, verdicts[finding->verdict].ink, fl_leak_verdict_name(finding->verdict));
        fl_page_printf(page, FL_INK_PLAIN, " (%s) ", fl_page_percent(percent, finding->confidence));
        if (finding->signature != NULL) {
            fl_page_printf(page, FL_INK_BOLD, "%s", finding->signature->name);
            fl_page_put(page, FL_INK_PLAIN, ": ");
            fl_page_wrap(page, FL_INK_PLAIN, finding->signature->title);
        }
        fl_page_newline(page);
        for (size_t k = 0; k < finding->evidence_count; k++) {
            fl_page_pad(page, BODY);
            fl_page_put(page, FL_INK_GOOD, "+ ");
            fl_page_wrap(page, FL_INK_PLAIN, finding->evidence[k].text);
            fl_page_newline(page);
        }
    }
}

/* A table: of each name and cause how many, how long in all and each. What does not fit the page is
 * counted, never dropped silently. */
static void write_groups(fl_page *page, const fl_gc_report *report)
{
    char count[FL_COUNT_TEXT], total[MS_TEXT], p50[MS_TEXT], p99[MS_TEXT], max[MS_TEXT];
    size_t shown = report->group_count < GROUPS ? report->group_count : GROUPS;
    if (shown == 0)
        return;
    heading(page, "Pauses by name and cause (milliseconds)");
    fl_page_printf(page, FL_INK_DIM, "  %9s %10s %8s %8s %8s  what", "count", "total", "median",
                   "99 %", "longest");
    fl_page_newline(page);
    for (size_t i = 0; i < shown; i++) {
        const fl_gc_group *group = &report->groups[i];
        const fl_gc_durations *d = &group->pauses;
        fl_page_printf(page, FL_INK_PLAIN, "  %9s %10s %8s %8s %8s  ",
                       fl_page_count(count, d->count), ms_text(total, d->total_ns),
                       ms_text(p50, d->p50_ns), ms_text(p99, d->p99_ns), ms_text(max, d->max_ns));
        fl_page_printf(page, FL_INK_PLAIN, "%s%s%s", group->name,
                       group->cause[0] != '\0' ? ", " : "", group->cause);
        fl_page_newline(page);
    }
    if (report->group_count > shown) {
        fl_page_printf(page, FL_INK_DIM, "  %zu more in the JSON answer (--format json)",
                       report->group_count - shown);
        fl_page_newline(page);
    }
}

/* When: the wall clock, else the time since the start. */
static const char *when_text(char out[FL_TIME_TEXT], const fl_gc_pause *pause)
{
    if (pause->time_ns >= 0)
        return fl_time_format_s(out, pause->time_ns);
    if (pause->since_ns >= 0)
        snprintf(out, FL_TIME_TEXT, "%.3f s", (double)pause->since_ns / 1e9);
    else
        out[0] = '\0';
    return out;
}

/* Each with the command that prints its line, there to be copied. */
static void write_longest(fl_page *page, const fl_gc_report *report)
{
    char ms[MS_TEXT], when[FL_TIME_TEXT], again[FL_GC_AGAIN_TEXT];
    size_t shown = report->longest_count < 5 ? report->longest_count : 5;
    if (shown == 0)
        return;
    heading(page, "Longest");
    for (size_t i = 0; i < shown; i++) {
        const fl_gc_pause *pause = &report->longest[i];
        fl_page_printf(page, FL_INK_PLAIN, "  %8s ms  %s  ", ms_text(ms, pause->pause_ns),
                       when_text(when, pause));
        fl_page_put(page, FL_INK_PLAIN, pause->name);
        fl_page_put(page, FL_INK_DIM, "  ");
        fl_page_put(page, FL_INK_DIM, fl_gc_again(again, pause->file, pause->line));
        fl_page_newline(page);
    }
}

/* Of the first finding, on which the verdict rests: why it happens, and what to change. */
static void write_fix(fl_page *page, const fl_leak_report *verdict)
{
    const fl_leak_signature *signature =
        verdict->finding_count > 0 ? verdict->findings[0].signature : NULL;
    if (signature == NULL)
        return;
    heading(page, "Fix");
    labelled(page, "why", signature->cause);
    labelled(page, "do", signature->fix);
    for (size_t i = 0; i < signature->reference_count; i++)
        labelled(page, i == 0 ? "see" : "", signature->references[i]);
}

/* A list under a heading; nothing where it is empty. */
static void sentences(fl_page *page, const char *title, const char *const *items, size_t count)
{
    if (count > 0)
        heading(page, title);
    for (size_t i = 0; i < count; i++) {
        fl_page_pad(page, BODY);
        fl_page_wrap(page, FL_INK_PLAIN, items[i]);
        fl_page_newline(page);
    }
}

fl_status fl_gc_report_text(fl_buf *out, const fl_gc_report *report, const fl_report_style *style,
                            fl_error *err)
{
    assert(out != NULL && report != NULL);
    const fl_leak_report *verdict = &report->verdict;
    fl_page page = fl_page_on(out, style);
    write_verdict(&page, report);
    write_java(&page, report);
    write_figures(&page, report);
    write_findings(&page, verdict);
    write_groups(&page, report);
    write_longest(&page, report);
    write_fix(&page, verdict);
    sentences(&page, "Collect next", verdict->collect, verdict->collect_count);
    sentences(&page, "Warnings", verdict->warnings, verdict->warning_count);
    return fl_buf_check(out, "the report", err);
}
