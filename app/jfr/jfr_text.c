/*
 * jfr_text.c - a recording as one page: what machine and when, then each list with its largest
 * rows.
 *
 *   head         recording, machine, program, warnings
 *   Memory       the verdict, where it was asked for
 *   collections, processors
 *   sites        by group: allocations, execution, native code, exceptions, monitors
 *   what stays   old objects by holder, live objects by class
 *
 * Rows begin with their figures, since these are what the eye goes down; names come last and wrap.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "jfr_view.h"
#include "leak_report.h"
#include "page.h"
#include "slice.h"
#include "timestamp.h"

enum { LABEL = 2, VALUE = 14, FIGURE = 2, SHARE = 13, EVENTS = 22, NAME = 38 };
enum { ARENA_BYTES = 256 << 20, CHAIN_STEPS = 6, MS = 1000000 };

const char *const fl_jfr_view_names[FL_JFR_VIEW_COUNT + 1] = {
    "summary", "allocations", "execution", "native",  "exceptions", "locks",
    "gc",      "load",        "old",       "objects", "events",     NULL};

/* What all lists of a page are written with. */
struct writing {
    fl_page page;
    const fl_jfr_shown *shown;
    const fl_jfr_recording *recording;
    fl_arena *arena;
    fl_error *err;
};

fl_jfr_gc_totals fl_jfr_gc_totals_of(const fl_jfr_recording *recording)
{
    fl_jfr_gc_totals out = {.collections = recording->gc_count,
                            .first_after_bytes = -1,
                            .last_after_bytes = -1,
                            .committed_bytes = -1};
    int64_t span_ns = recording->totals.to_ns - recording->totals.from_ns;
    for (size_t i = 0; i < recording->gc_count; i++) {
        const fl_jfr_gc *gc = &recording->gcs[i];
        out.pauses_ns = fl_profile_add(out.pauses_ns, gc->pauses_ns);
        if (gc->longest_ns > out.longest_ns)
            out.longest_ns = gc->longest_ns;
        if (gc->after_bytes < 0)
            continue;
        if (out.first_after_bytes < 0)
            out.first_after_bytes = gc->after_bytes;
        out.last_after_bytes = gc->after_bytes;
        out.committed_bytes = gc->committed_bytes;
    }
    out.pause_ratio = span_ns > 0 ? (double)out.pauses_ns / (double)span_ns : (double)NAN;
    return out;
}

/* An empty line before each list. */
static void heading(struct writing *w, const char *text)
{
    assert(w->page.column == 0);
    fl_page_newline(&w->page);
    fl_page_put(&w->page, FL_INK_BOLD, text);
    fl_page_newline(&w->page);
}

/* A dim word, then a text that may wrap under itself. */
static void labelled(struct writing *w, const char *label, const char *text)
{
    fl_page_labelled(&w->page, (fl_page_row){LABEL, VALUE}, label, FL_INK_PLAIN, text);
}

/* How many rows of a list are shown. */
static size_t rows_of(const struct writing *w, size_t count)
{
    size_t most = w->shown->rows;
    return most == 0 || count < most ? count : most;
}

/* What was left out is counted, never dropped silently. */
static void write_more(struct writing *w, size_t count)
{
    if (rows_of(w, count) == count)
        return;
    fl_page_pad(&w->page, LABEL);
    fl_page_printf(&w->page, FL_INK_DIM, "%zu more (--rows 0)", count - rows_of(w, count));
    fl_page_newline(&w->page);
}

/* A name of the recording for printf's "%s"; "?" where there is none, or no memory. */
static const char *name_of(struct writing *w, uint32_t name)
{
    const char *text = fl_arena_cstr(w->arena, fl_jfr_name(w->recording->names, name));
    return text != NULL && text[0] != '\0' ? text : "?";
}

/* Pauses and waits: one unit for all, so that rows compare at a glance. */
static const char *ms_text(char out[32], int64_t ns)
{
    snprintf(out, 32, "%.1f ms", (double)ns / 1e6);
    return out;
}

/* ---- who, when, what of leaks ---- */

/* What was recorded, where, and what is wrong with the file. */
static void write_head(struct writing *w)
{
    const fl_jfr_recording *recording = w->recording;
    const fl_jfr_totals *totals = &recording->totals;
    char text[256], from[FL_TIME_TEXT], span[FL_TIME_TEXT], count[FL_COUNT_TEXT];
    snprintf(text, sizeof(text), "%s, %s, in %llu chunk%s; format %u.%u",
             fl_time_format_s(from, totals->from_ns),
             fl_duration_format(span, (totals->to_ns - totals->from_ns) / MS * MS),
             (unsigned long long)totals->chunks, totals->chunks == 1 ? "" : "s", totals->major,
             totals->minor);
    labelled(w, "Recording", text);
    if (recording->version != FL_JFR_NONE)
        labelled(w, "Machine", name_of(w, recording->version));
    if (recording->arguments != FL_JFR_NONE)
        labelled(w, "Program", name_of(w, recording->arguments));
    snprintf(text, sizeof(text), "%s of %zu kinds", fl_page_count(count, totals->events),
             totals->count_count);
    labelled(w, "Events", text);
    for (size_t i = 0; i < totals->warning_count; i++)
        fl_page_labelled(&w->page, (fl_page_row){LABEL, VALUE}, "Warning", FL_INK_WARN,
                         totals->warnings[i]);
    if (recording->lost_bytes > 0) {
        snprintf(text, sizeof(text), "the recorder lost %s bytes of events",
                 fl_page_count(count, recording->lost_bytes));
        fl_page_labelled(&w->page, (fl_page_row){LABEL, VALUE}, "Warning", FL_INK_WARN, text);
    }
}

/* The one sentence on memory, with what it rests on and what to collect next. */
static void write_verdict(struct writing *w)
{
    const fl_leak_report *report = w->shown->report;
    char percent[FL_PERCENT_TEXT];
    if (report == NULL)
        return;
    heading(w, "Memory");
    fl_page_pad(&w->page, LABEL);
    bool is_bad = report->verdict == FL_LEAK_LEAK || report->verdict == FL_LEAK_GC_PRESSURE;
    fl_page_put(&w->page, is_bad ? FL_INK_BAD : FL_INK_PLAIN,
                fl_leak_verdict_name(report->verdict));
    if (report->verdict != FL_LEAK_NOT_ENOUGH_DATA)
        fl_page_printf(&w->page, FL_INK_PLAIN, " (%s)",
                       fl_page_percent(percent, report->confidence));
    fl_page_newline(&w->page);
    for (size_t i = 0; i < report->finding_count; i++) {
        const fl_leak_finding *finding = &report->findings[i];
        if (finding->holder != NULL)
            labelled(w, "kept by", finding->holder);
        for (size_t k = 0; k < finding->evidence_count; k++)
            labelled(w, k == 0 ? "because" : "", finding->evidence[k].text);
    }
    for (size_t i = 0; i < report->collect_count; i++)
        labelled(w, i == 0 ? "collect" : "", report->collect[i]);
}

/* ---- sites ---- */

static const struct group_words {
    fl_jfr_view view;
    const char *title;
    bool is_bytes, is_time;
} words[FL_JFR_GROUP_COUNT] = {
    [FL_JFR_ALLOCATIONS] = {FL_JFR_VIEW_ALLOCATIONS, "Allocations", true, false},
    [FL_JFR_RUNNING] = {FL_JFR_VIEW_EXECUTION, "Execution", false, false},
    [FL_JFR_IN_NATIVE] = {FL_JFR_VIEW_NATIVE, "Native code", false, false},
    [FL_JFR_THROWN] = {FL_JFR_VIEW_EXCEPTIONS, "Exceptions", false, false},
    [FL_JFR_WAITING] = {FL_JFR_VIEW_LOCKS, "Waiting for monitors", false, true},
};

/* "Leaky.handle:9" */
static void write_frame(struct writing *w, const fl_jfr_frame *frame)
{
    if (frame->function == FL_JFR_NONE)
        fl_page_put(&w->page, FL_INK_DIM, "(no stack)");
    else if (frame->line > 0)
        fl_page_printf(&w->page, FL_INK_PLAIN, "%s:%u", name_of(w, frame->function), frame->line);
    else
        fl_page_put(&w->page, FL_INK_PLAIN, name_of(w, frame->function));
}

/* Figure, share, events, then the line and the class. */
static void write_place(struct writing *w, const fl_jfr_place *place, const fl_jfr_sites *all,
                        const struct group_words *is)
{
    assert(all->events > 0);
    char text[FL_BYTES_TEXT + 16], count[FL_COUNT_TEXT], percent[FL_PERCENT_TEXT];
    double share = all->amount > 0 ? (double)place->amount / (double)all->amount
                                   : (double)place->events / (double)all->events;
    fl_page_pad(&w->page, FIGURE);
    if (is->is_bytes)
        fl_page_put(&w->page, FL_INK_BOLD, fl_bytes_text(text, (double)place->amount));
    else if (is->is_time)
        fl_page_put(&w->page, FL_INK_BOLD, ms_text(text, place->amount));
    else
        fl_page_put(&w->page, FL_INK_BOLD, fl_page_count(count, place->events));
    fl_page_pad(&w->page, SHARE);
    fl_page_put(&w->page, FL_INK_PLAIN, fl_page_percent(percent, share));
    fl_page_pad(&w->page, EVENTS);
    fl_page_printf(&w->page, FL_INK_DIM, "%s events", fl_page_count(count, place->events));
    fl_page_pad(&w->page, NAME);
    write_frame(w, &place->frame);
    if (place->type != FL_JFR_NONE)
        fl_page_printf(&w->page, FL_INK_DIM, "  %s", name_of(w, place->type));
    fl_page_newline(&w->page);
}

/* A group of which there are no events is left out, unless it was asked for. */
static fl_status write_group(struct writing *w, fl_jfr_group group, bool is_asked)
{
    assert(group < FL_JFR_GROUP_COUNT);
    const fl_jfr_sites *all = &w->recording->groups[group];
    char title[96], count[FL_COUNT_TEXT], bytes[FL_BYTES_TEXT];
    fl_jfr_places places;
    if (all->events == 0 && !is_asked)
        return FL_OK;
    fl_status status = fl_jfr_places_of(&places, w->recording, group, w->arena, w->err);
    if (status != FL_OK)
        return status;
    snprintf(title, sizeof(title), "%s: %s events%s%s", words[group].title,
             fl_page_count(count, all->events), words[group].is_bytes ? ", " : "",
             words[group].is_bytes ? fl_bytes_text(bytes, (double)all->amount) : "");
    heading(w, title);
    for (size_t i = 0; i < rows_of(w, places.count); i++)
        write_place(w, &places.items[i], all, &words[group]);
    write_more(w, places.count);
    return FL_OK;
}

/* ---- collections and load ---- */

/* How much of the time the program stood still, and whether the heap comes back down. */
static void write_gc_totals(struct writing *w)
{
    char text[256], first[FL_BYTES_TEXT], last[FL_BYTES_TEXT], whole[FL_BYTES_TEXT];
    char pauses[32], longest[32], percent[FL_PERCENT_TEXT];
    fl_jfr_gc_totals gc = fl_jfr_gc_totals_of(w->recording);
    snprintf(text, sizeof(text), "%llu, pauses %s in all, %s the longest; %s of the time",
             (unsigned long long)gc.collections, ms_text(pauses, gc.pauses_ns),
             ms_text(longest, gc.longest_ns), fl_page_percent(percent, gc.pause_ratio));
    labelled(w, "collections", text);
    if (gc.first_after_bytes < 0)
        return;
    snprintf(text, sizeof(text), "%s after the first, %s after the last, of %s",
             fl_bytes_text(first, (double)gc.first_after_bytes),
             fl_bytes_text(last, (double)gc.last_after_bytes),
             fl_bytes_text(whole, (double)gc.committed_bytes));
    labelled(w, "heap in use", text);
}

/* Those with the longest pauses would hide the trend: in the order of time. */
static void write_collections(struct writing *w, bool is_asked)
{
    char time[FL_TIME_TEXT], before[FL_BYTES_TEXT], after[FL_BYTES_TEXT], pause[32];
    if (w->recording->gc_count == 0 && !is_asked)
        return;
    heading(w, "Garbage collection");
    write_gc_totals(w);
    for (size_t i = 0; is_asked && i < rows_of(w, w->recording->gc_count); i++) {
        const fl_jfr_gc *gc = &w->recording->gcs[i];
        fl_page_pad(&w->page, LABEL);
        fl_page_put(&w->page, FL_INK_DIM, fl_time_format(time, gc->time_ns));
        fl_page_printf(
            &w->page, FL_INK_PLAIN, "  %-9s > %-9s %10s",
            fl_bytes_text(before, gc->before_bytes < 0 ? (double)NAN : (double)gc->before_bytes),
            fl_bytes_text(after, gc->after_bytes < 0 ? (double)NAN : (double)gc->after_bytes),
            ms_text(pause, gc->pauses_ns));
        fl_page_printf(&w->page, FL_INK_PLAIN, "  %s, %s", name_of(w, gc->name),
                       name_of(w, gc->cause));
        fl_page_newline(&w->page);
    }
    if (is_asked)
        write_more(w, w->recording->gc_count);
}

/* The average hides a burst: the largest is beside it. */
static void write_load(struct writing *w, bool is_asked)
{
    const fl_jfr_recording *recording = w->recording;
    char time[FL_TIME_TEXT];
    double own = 0, most = 0, machine = 0;
    if (recording->load_count == 0 && !is_asked)
        return;
    for (size_t i = 0; i < recording->load_count; i++) {
        double both = recording->loads[i].user + recording->loads[i].system;
        own += both;
        most = both > most ? both : most;
        machine += recording->loads[i].machine;
    }
    double count = recording->load_count > 0 ? (double)recording->load_count : 1;
    heading(w, "Processors");
    fl_page_pad(&w->page, LABEL);
    fl_page_printf(&w->page, FL_INK_PLAIN,
                   "program %.0f %% on average, %.0f %% at most; machine %.0f %% (%zu samples)",
                   100 * own / count, 100 * most, 100 * machine / count, recording->load_count);
    fl_page_newline(&w->page);
    for (size_t i = 0; is_asked && i < rows_of(w, recording->load_count); i++) {
        const fl_jfr_load *load = &recording->loads[i];
        fl_page_pad(&w->page, LABEL);
        fl_page_put(&w->page, FL_INK_DIM, fl_time_format(time, load->time_ns));
        fl_page_printf(&w->page, FL_INK_PLAIN, "  user %5.1f %%  system %5.1f %%  machine %5.1f %%",
                       100 * load->user, 100 * load->system, 100 * load->machine);
        fl_page_newline(&w->page);
    }
    if (is_asked)
        write_more(w, recording->load_count);
}

/* ---- what stays ---- */

/* Its figures and its name, the chain of one example, and who allocated that. */
static fl_status write_holding(struct writing *w, const fl_jfr_holding *holding)
{
    assert(holding->example < w->recording->old_count);
    fl_jfr_frame frame;
    const char *chain = fl_jfr_chain_text(w->recording, holding->example, CHAIN_STEPS, w->arena);
    if (chain == NULL)
        return fl_fail(w->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a chain");
    fl_page_pad(&w->page, FIGURE);
    fl_page_printf(&w->page, FL_INK_BOLD, "%llu", (unsigned long long)holding->objects);
    fl_page_pad(&w->page, SHARE);
    fl_page_put(&w->page, FL_INK_PLAIN, holding->type[0] != '\0' ? holding->type : "?");
    if (holding->holder[0] != '\0')
        fl_page_printf(&w->page, FL_INK_PLAIN, " kept by %s", holding->holder);
    if (holding->container != NULL)
        fl_page_printf(&w->page, FL_INK_DIM, " (%s)", holding->container);
    fl_page_newline(&w->page);
    if (holding->holder[0] != '\0') {
        fl_page_pad(&w->page, SHARE);
        fl_page_wrap(&w->page, FL_INK_DIM, chain);
        fl_page_newline(&w->page);
    }
    if (fl_jfr_own_frame(&frame, w->recording->names, holding->stack)) {
        fl_page_pad(&w->page, SHARE);
        fl_page_put(&w->page, FL_INK_DIM, "allocated at ");
        write_frame(w, &frame);
        fl_page_newline(&w->page);
    }
    return FL_OK;
}

/* Holders of own code first: these are what can be changed. */
static fl_status write_old(struct writing *w, bool is_asked)
{
    fl_jfr_holdings holdings;
    char title[96];
    if (w->recording->old_count == 0 && !is_asked)
        return FL_OK;
    fl_status status = fl_jfr_holdings_of(&holdings, w->recording, w->arena, w->err);
    if (status != FL_OK)
        return status;
    snprintf(title, sizeof(title), "Objects that stayed: %llu of the sample",
             (unsigned long long)holdings.objects);
    heading(w, title);
    for (size_t i = 0; i < rows_of(w, holdings.count) && status == FL_OK; i++)
        status = write_holding(w, &holdings.items[i]);
    write_more(w, holdings.count);
    if (holdings.unchained > 0)
        labelled(w, "note",
                 w->recording->has_chains
                     ? "what is kept by nobody was garbage that had not been collected yet, or the"
                       " search for its roots ran out of time"
                     : "who keeps them is recorded with path-to-gc-roots=true");
    return status;
}

/* What is alive now, and how much more than at the first count. */
static void write_objects(struct writing *w, bool is_asked)
{
    char bytes[FL_BYTES_TEXT], grown[FL_BYTES_TEXT], count[FL_COUNT_TEXT];
    if (w->recording->live_count == 0 && !is_asked)
        return;
    heading(w, "Live objects after collections");
    for (size_t i = 0; i < rows_of(w, w->recording->live_count); i++) {
        const fl_jfr_live *live = &w->recording->lives[i];
        fl_page_pad(&w->page, FIGURE);
        fl_page_put(&w->page, FL_INK_BOLD, fl_bytes_text(bytes, (double)live->last_bytes));
        fl_page_pad(&w->page, SHARE);
        fl_page_printf(&w->page, FL_INK_PLAIN, "%s%s",
                       live->last_bytes >= live->first_bytes ? "+" : "",
                       fl_bytes_text(grown, (double)live->last_bytes - (double)live->first_bytes));
        fl_page_pad(&w->page, NAME - 10);
        fl_page_put(&w->page, FL_INK_DIM, fl_page_count(count, (uint64_t)live->last_count));
        fl_page_pad(&w->page, NAME);
        fl_page_put(&w->page, FL_INK_PLAIN, name_of(w, live->type));
        fl_page_newline(&w->page);
    }
    write_more(w, w->recording->live_count);
}

/* Every kind that the recording has: what else could be looked at with other tools. */
static void write_events(struct writing *w)
{
    char count[FL_COUNT_TEXT];
    heading(w, "Events");
    for (size_t i = 0; i < rows_of(w, w->recording->totals.count_count); i++) {
        const fl_jfr_count *kind = &w->recording->counts[i];
        const char *name = fl_arena_cstr(w->arena, kind->name);
        fl_page_pad(&w->page, FIGURE);
        fl_page_printf(&w->page, FL_INK_BOLD, "%12s", fl_page_count(count, kind->events));
        fl_page_printf(&w->page, FL_INK_DIM, " %14s bytes  ", fl_page_count(count, kind->bytes));
        fl_page_put(&w->page, FL_INK_PLAIN, name != NULL ? name : "?");
        fl_page_newline(&w->page);
    }
    write_more(w, w->recording->totals.count_count);
}

/* ---- the page ---- */

/* The order of the page: what a person asks first stands first. */
static fl_status write_all(struct writing *w)
{
    fl_jfr_view view = w->shown->view;
    bool all = view == FL_JFR_VIEW_SUMMARY;
    fl_status status = FL_OK;
    write_head(w);
    if (all)
        write_verdict(w);
    if (all || view == FL_JFR_VIEW_GC)
        write_collections(w, view == FL_JFR_VIEW_GC);
    if (all || view == FL_JFR_VIEW_LOAD)
        write_load(w, view == FL_JFR_VIEW_LOAD);
    for (int i = 0; i < FL_JFR_GROUP_COUNT && status == FL_OK; i++)
        if (all || view == words[i].view)
            status = write_group(w, (fl_jfr_group)i, view == words[i].view);
    if (status == FL_OK && (all || view == FL_JFR_VIEW_OLD))
        status = write_old(w, view == FL_JFR_VIEW_OLD);
    if (all || view == FL_JFR_VIEW_OBJECTS)
        write_objects(w, view == FL_JFR_VIEW_OBJECTS);
    if (view == FL_JFR_VIEW_EVENTS)
        write_events(w);
    return status;
}

fl_status fl_jfr_view_text(fl_buf *out, const fl_jfr_shown *shown, const fl_report_style *style,
                           fl_error *err)
{
    assert(out != NULL && shown->recording != NULL && shown->view < FL_JFR_VIEW_COUNT);
    fl_arena arena = fl_arena_of(ARENA_BYTES);
    struct writing w = {.page = fl_page_on(out, style),
                        .shown = shown,
                        .recording = shown->recording,
                        .arena = &arena,
                        .err = err};
    fl_status status = write_all(&w);
    fl_arena_dispose(&arena);
    return status == FL_OK ? fl_buf_check(out, "the page", err) : status;
}
