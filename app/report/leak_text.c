/*
 * leak_text.c - a leak report as one page, in the four steps in which a person looks for a leak.
 *
 *   the verdict     one line, then the kind of bug
 *   1 Phenomenon    what is seen from outside: the growth, and the time that is left
 *   2 Snapshot      who holds it now: function, line, what keeps it
 *   3 Comparison    the snapshots against each other: the evidence, profile by profile
 *   4 Verification  which profiles agree, what speaks against it, what was ruled out
 *   Fix             why it happens, what to change, where others had it
 *   Also            further findings, one line each
 *   Collect next    what would make the answer surer
 *
 * Layout, in columns: 0 headings, LABEL the values of labels, EVIDENCE the sentences of evidence.
 * Nothing is in a colour that is not also in a word.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "leak_report.h"
#include "page.h"
#include "timestamp.h"

enum { BODY = 2, LABEL = 13, EVIDENCE = 15 };

const char *fl_bytes_text(char out[FL_BYTES_TEXT], double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    if (isnan(bytes)) {
        snprintf(out, FL_BYTES_TEXT, "n/a");
        return out;
    }
    double shown = bytes > 9e18 ? 9e18 : bytes < -9e18 ? -9e18 : bytes;
    while (fabs(shown) >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        shown /= 1024;
        unit++;
    }
    snprintf(out, FL_BYTES_TEXT, fabs(shown) < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s",
             shown + 0.0, units[unit]);
    return out;
}

/* Beyond years a number of seconds says no more than that. */
static const char *seconds_text(char out[FL_TIME_TEXT], double seconds)
{
    double most = 10.0 * 365 * 86400;
    if (isnan(seconds))
        snprintf(out, FL_TIME_TEXT, "n/a");
    else if (seconds > most)
        snprintf(out, FL_TIME_TEXT, "over 10 years");
    else if (seconds < 60)
        fl_duration_format(out, (int64_t)(seconds < 0 ? 0 : seconds) * FL_NS_PER_S);
    else
        fl_duration_format(out, (int64_t)(seconds / 60) * 60 * FL_NS_PER_S);
    return out;
}

/* How a verdict reads, and whether it is good news. */
static const struct verdict_words {
    const char *words;
    fl_ink ink;
} verdicts[FL_LEAK_VERDICT_COUNT] = {
    [FL_LEAK_NOT_ENOUGH_DATA] = {"Not enough data", FL_INK_WARN},
    [FL_LEAK_NO_LEAK] = {"No leak", FL_INK_GOOD},
    [FL_LEAK_BOUNDED_GROWTH] = {"Growth that ends", FL_INK_GOOD},
    [FL_LEAK_CHURN] = {"Churn", FL_INK_WARN},
    [FL_LEAK_RETENTION] = {"Memory retained after a peak", FL_INK_WARN},
    [FL_LEAK_LATENCY] = {"Pauses", FL_INK_WARN},
    [FL_LEAK_GC_PRESSURE] = {"Pressure on the garbage collector", FL_INK_WARN},
    [FL_LEAK_LEAK] = {"Leak", FL_INK_BAD},
    [FL_LEAK_CRASH] = {"Crash", FL_INK_BAD},
};

/* What fits the page. */
static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

/* Between two steps there is an empty line. */
static void heading(fl_page *page, const char *text)
{
    assert(page->column == 0);
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, text);
    fl_page_newline(page);
}

/* A dim word, then a text that may wrap under itself. */
static void labelled(fl_page *page, const char *name, const char *text)
{
    fl_page_labelled(page, (fl_page_row){BODY, LABEL}, name, FL_INK_PLAIN, text);
}

/* The same without a label; nothing for NULL. */
static void paragraph(fl_page *page, const char *text)
{
    if (text == NULL)
        return;
    fl_page_pad(page, BODY);
    fl_page_wrap(page, FL_INK_PLAIN, text);
    fl_page_newline(page);
}

/* What was left out is counted, never dropped silently. */
static void write_more(fl_page *page, size_t hidden)
{
    if (hidden == 0)
        return;
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_DIM, "%zu more in the JSON answer (--format json)", hidden);
    fl_page_newline(page);
}

/* A list of sentences with a mark before each, under a heading; nothing where there are none. */
static void sentences(fl_page *page, const char *title, const char *mark, const char *const *items,
                      size_t count)
{
    if (count == 0)
        return;
    heading(page, title);
    for (size_t i = 0; i < at_most(count, FL_LEAK_REPORT_FIRST); i++) {
        fl_page_pad(page, BODY);
        fl_page_put(page, FL_INK_WARN, mark);
        fl_page_put(page, FL_INK_PLAIN, " ");
        fl_page_wrap(page, FL_INK_PLAIN, items[i]);
        fl_page_newline(page);
    }
    write_more(page, count - at_most(count, FL_LEAK_REPORT_FIRST));
}

/* "FUNCTION", or who else it is about. */
static const char *where_of(const fl_leak_finding *finding)
{
    if (finding->function != NULL)
        return finding->function;
    return finding->subject == FL_LEAK_PROGRAM ? "the program" : "(function not known)";
}

/* One line that answers the question, and one that names the kind of bug. */
static void write_verdict(fl_page *page, const fl_leak_report *report)
{
    char percent[FL_PERCENT_TEXT];
    const struct verdict_words *words = &verdicts[report->verdict];
    assert(report->verdict < FL_LEAK_VERDICT_COUNT && words->words != NULL);
    const fl_leak_finding *first = report->finding_count > 0 ? &report->findings[0] : NULL;
    fl_page_put(page, words->ink, words->words);
    if (first != NULL) {
        fl_page_put(page, FL_INK_PLAIN, ": ");
        fl_page_printf(page, FL_INK_BOLD, "%.300s", where_of(first));
    }
    if (report->verdict != FL_LEAK_NOT_ENOUGH_DATA)
        fl_page_printf(page, FL_INK_PLAIN, " (%s)", fl_page_percent(percent, report->confidence));
    fl_page_newline(page);
    if (first != NULL && first->signature != NULL) {
        fl_page_pad(page, BODY);
        fl_page_printf(page, FL_INK_BOLD, "%s", first->signature->name);
        fl_page_put(page, FL_INK_PLAIN, ": ");
        fl_page_wrap(page, FL_INK_PLAIN, first->signature->title);
        fl_page_newline(page);
    }
    fl_page_newline(page);
}

/* "10 heap, 10 allocs, 3 goroutine" */
static void write_inputs(fl_page *page, const fl_leak_inputs *inputs)
{
    char text[256] = "";
    size_t used = 0;
    for (int i = 0; i < FL_LEAK_INPUT_COUNT && used < sizeof(text); i++)
        if (inputs->counts[i] > 0)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%llu %s",
                                     used > 0 ? ", " : "", (unsigned long long)inputs->counts[i],
                                     fl_leak_input_name((fl_leak_input)i));
    labelled(page, "Read", used > 0 ? text : "nothing of use");
    if (inputs->requests == 0)
        return;
    char bytes[FL_BYTES_TEXT], spent[FL_TIME_TEXT];
    snprintf(text, sizeof(text), "%llu requests to the server, %s, %s in all",
             (unsigned long long)inputs->requests,
             fl_bytes_text(bytes, (double)inputs->fetched_bytes),
             fl_duration_format(spent, inputs->fetching_ns));
    labelled(page, "Cost", text);
}

/* What the answer rests on. */
static void write_series(fl_page *page, const fl_leak_shown *shown)
{
    const fl_leak_report *report = shown->report;
    char text[256], from[FL_TIME_TEXT], to[FL_TIME_TEXT], span[FL_TIME_TEXT];
    labelled(page, "Runtime", report->runtime != NULL ? report->runtime : "not known");
    write_inputs(page, shown->inputs);
    if (report->from_ns == 0 && report->to_ns == 0)
        return;
    snprintf(text, sizeof(text), "%s to %s (%s); the trend rests on %zu snapshots of %zu",
             fl_time_format_s(from, report->from_ns), fl_time_format_s(to, report->to_ns),
             fl_duration_format(span, report->to_ns - report->from_ns), report->used_count,
             report->snapshot_count);
    labelled(page, "Series", text);
}

/* "+1.2 GiB/h (95 %: 1.1 GiB to 1.3 GiB)" */
static void growth_text(char *out, size_t size, const fl_leak_finding *finding)
{
    char value[FL_BYTES_TEXT], low[FL_BYTES_TEXT], high[FL_BYTES_TEXT];
    fl_leak_interval growth = finding->growth_bytes_per_hour;
    if (!isnan(growth.value))
        snprintf(out, size, "%s an hour (95 %%: %s to %s)", fl_bytes_text(value, growth.value),
                 fl_bytes_text(low, growth.low), fl_bytes_text(high, growth.high));
    else if (!isnan(finding->growth_per_hour.value))
        snprintf(out, size, "%.0f goroutines an hour (95 %%: %.0f to %.0f)",
                 finding->growth_per_hour.value, finding->growth_per_hour.low,
                 finding->growth_per_hour.high);
    else
        snprintf(out, size, "not measured");
}

/* Step 1: what a dashboard shows, with its interval, and how long that can go on. */
static void write_phenomenon(fl_page *page, const fl_leak_shown *shown,
                             const fl_leak_finding *finding)
{
    char text[256], limit[FL_BYTES_TEXT], value[FL_TIME_TEXT], low[FL_TIME_TEXT],
        high[FL_TIME_TEXT];
    assert(finding != NULL);
    heading(page, "1 Phenomenon");
    growth_text(text, sizeof(text), finding);
    labelled(page, "grows by", text);
    if (shown->limit_bytes == 0)
        return;
    fl_leak_interval left = finding->seconds_to_limit;
    fl_bytes_text(limit, (double)shown->limit_bytes);
    if (isnan(left.value))
        snprintf(text, sizeof(text), "%s is not reached as far as can be told", limit);
    else
        snprintf(text, sizeof(text), "%s is reached in %s (95 %%: %s to %s)", limit,
                 seconds_text(value, left.value), seconds_text(low, left.low),
                 isnan(left.high) ? "never" : seconds_text(high, left.high));
    labelled(page, "limit", text);
}

/* Step 2: one place in the code to open. */
static void write_snapshot(fl_page *page, const fl_leak_finding *finding)
{
    char text[512];
    heading(page, "2 Snapshot");
    static const char *const words[FL_LEAK_SUBJECT_COUNT] = {
        [FL_LEAK_SITE] = "allocated",
        [FL_LEAK_GOROUTINES] = "waits",
        [FL_LEAK_LOCK] = "waited for",
        [FL_LEAK_PROGRAM] = "in",
    };
    assert(finding->subject < FL_LEAK_SUBJECT_COUNT);
    labelled(page, words[finding->subject], where_of(finding));
    if (finding->file != NULL) {
        snprintf(text, sizeof(text), finding->line > 0 ? "%.400s:%llu" : "%.400s", finding->file,
                 (unsigned long long)finding->line);
        labelled(page, "at", text);
    }
    if (finding->caller != NULL) {
        snprintf(text, sizeof(text),
                 finding->caller_file != NULL ? "%.200s (%.200s:%llu)" : "%.200s", finding->caller,
                 finding->caller_file, (unsigned long long)finding->caller_line);
        labelled(page, "called by", text);
    }
    if (finding->holder != NULL)
        labelled(page, "kept by", finding->holder);
}

/* Step 3: profile, then its sentence. */
static void write_evidence(fl_page *page, const fl_leak_finding *finding)
{
    assert(finding->evidence != NULL || finding->evidence_count == 0);
    heading(page, "3 Comparison");
    for (size_t i = 0; i < finding->evidence_count; i++) {
        fl_page_pad(page, BODY);
        fl_page_put(page, FL_INK_GOOD, "+ ");
        fl_page_put(page, FL_INK_DIM, fl_leak_source_name(finding->evidence[i].source));
        fl_page_pad(page, EVIDENCE);
        fl_page_wrap(page, FL_INK_PLAIN, finding->evidence[i].text);
        fl_page_newline(page);
    }
    if (finding->evidence_count == 0)
        paragraph(page, "no figure stands out");
}

/* Which kinds of profile say the same on their own. */
static void support_text(char *out, size_t size, unsigned support)
{
    size_t used = 0, count = 0;
    assert(size > 0 && support < 1u << FL_LEAK_SOURCE_COUNT);
    out[0] = '\0';
    for (int i = 0; i < FL_LEAK_SOURCE_COUNT && used < size; i++) {
        if (!(support & 1u << i))
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", count++ > 0 ? ", " : "",
                                 fl_leak_source_name((fl_leak_source)i));
    }
    if (count == 0)
        snprintf(out, size, "none");
    else if (count == 1 && used < size)
        snprintf(out + used, size - used, " alone");
}

/* What a reader would suspect next, and why not. */
static void write_ruled_out(fl_page *page, const fl_leak_report *report, bool has_finding)
{
    size_t shown = at_most(report->ruled_out_count, FL_LEAK_REPORT_FIRST);
    for (size_t i = 0; i < shown; i++) {
        fl_page_pad(page, BODY);
        if (has_finding) {
            fl_page_put(page, FL_INK_DIM, i == 0 ? "ruled out" : "");
            fl_page_pad(page, LABEL);
        }
        fl_page_printf(page, FL_INK_PLAIN, "%.64s: ", report->ruled_out[i].kind);
        fl_page_wrap(page, FL_INK_PLAIN, report->ruled_out[i].text);
        fl_page_newline(page);
    }
    write_more(page, report->ruled_out_count - shown);
}

/* Step 4. Without a finding it is what was ruled out alone. */
static void write_verification(fl_page *page, const fl_leak_report *report,
                               const fl_leak_finding *finding)
{
    char text[128];
    if (finding == NULL && report->ruled_out_count == 0)
        return;
    heading(page, finding != NULL ? "4 Verification" : "Ruled out");
    if (finding != NULL) {
        support_text(text, sizeof(text), finding->support);
        labelled(page, "agree", text);
        for (size_t i = 0; i < finding->against_count; i++)
            labelled(page, i == 0 ? "against" : "", finding->against[i]);
    }
    write_ruled_out(page, report, finding != NULL);
}

/* Code keeps its lines and its indentation. */
static void write_sketch(fl_page *page, const char *sketch)
{
    char line[512];
    while (sketch != NULL && *sketch != '\0') {
        size_t len = strcspn(sketch, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)at_most(len, sizeof(line) - 1), sketch);
        fl_page_pad(page, BODY + 4);
        fl_page_put(page, FL_INK_DIM, line);
        fl_page_newline(page);
        sketch += len + (sketch[len] == '\n');
    }
}

/* Cause, change, code, and where others met the same. */
static void write_fix(fl_page *page, const fl_leak_signature *signature)
{
    if (signature == NULL)
        return;
    heading(page, "Fix");
    labelled(page, "why", signature->cause);
    labelled(page, "do", signature->fix);
    write_sketch(page, signature->sketch);
    for (size_t i = 0; i < at_most(signature->reference_count, FL_LEAK_REPORT_FIRST); i++) {
        fl_page_pad(page, BODY);
        fl_page_put(page, FL_INK_DIM, i == 0 ? "see" : "");
        fl_page_pad(page, LABEL);
        fl_page_put(page, FL_INK_PLAIN, signature->references[i]); /* there to be copied */
        fl_page_newline(page);
    }
}

/* Findings behind the first, in a line each. */
static void write_others(fl_page *page, const fl_leak_report *report)
{
    char growth[160], percent[FL_PERCENT_TEXT];
    size_t shown = at_most(report->finding_count, FL_LEAK_REPORT_FIRST + 1);
    if (shown < 2)
        return;
    heading(page, "Also");
    for (size_t i = 1; i < shown; i++) {
        const fl_leak_finding *finding = &report->findings[i];
        growth_text(growth, sizeof(growth), finding);
        fl_page_pad(page, BODY);
        fl_page_put(page, verdicts[finding->verdict].ink, fl_leak_verdict_name(finding->verdict));
        fl_page_printf(page, FL_INK_PLAIN, " (%s) ", fl_page_percent(percent, finding->confidence));
        fl_page_printf(page, FL_INK_BOLD, "%.200s", where_of(finding));
        if (finding->signature != NULL)
            fl_page_printf(page, FL_INK_PLAIN, ", %s", finding->signature->name);
        if (!isnan(finding->growth_bytes_per_hour.value) || !isnan(finding->growth_per_hour.value))
            fl_page_printf(page, FL_INK_PLAIN, ", %s", growth);
        fl_page_newline(page);
    }
    write_more(page, report->finding_count - shown);
}

fl_status fl_leak_report_text(fl_buf *out, const fl_leak_shown *shown, const fl_report_style *style,
                              fl_error *err)
{
    assert(shown->report != NULL && shown->inputs != NULL);
    const fl_leak_report *report = shown->report;
    const fl_leak_finding *first = report->finding_count > 0 ? &report->findings[0] : NULL;
    fl_page page = fl_page_on(out, style);
    write_verdict(&page, report);
    write_series(&page, shown);
    if (first != NULL) {
        write_phenomenon(&page, shown, first);
        write_snapshot(&page, first);
        write_evidence(&page, first);
    }
    write_verification(&page, report, first);
    write_fix(&page, first != NULL ? first->signature : NULL);
    write_others(&page, report);
    sentences(&page, "Collect next", ">", report->collect, report->collect_count);
    sentences(&page, "Warnings", "!", report->warnings, report->warning_count);
    return fl_buf_check(out, "the report", err);
}
