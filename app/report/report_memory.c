/*
 * report_memory.c - confidence in words: the mean, its 90 % interval, and how much it rests on.
 *
 * A mean alone would make 1 of 1 look better than 48 of 50, so that no line shows one without its
 * interval and n.
 */
#include "report_memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "page.h"
#include "timestamp.h"

enum { INDENT = 2, BODY = 12, STATE = 15, WHY = 24, BELIEF_TEXT = 80, MOST_TITLES = 5 };

static const fl_page_row row = {INDENT, BODY}, why = {BODY, WHY};

/* "0.82 (90 % interval 0.61 to 0.94, n = 7)" */
static const char *belief_text(char out[BELIEF_TEXT], const fl_confidence *c, size_t items)
{
    assert(c->low <= c->mean && c->mean <= c->high);
    snprintf(out, BELIEF_TEXT, "%.2f (90 %% interval %.2f to %.2f, n = %zu)", c->mean, c->low,
             c->high, items);
    return out;
}

/* The cause and the author stand in the head, so that a line names only the other end. */
static void write_moved(fl_page *page, const fl_moved *moved)
{
    char before[BELIEF_TEXT], after[BELIEF_TEXT];
    bool is_fix = moved->kind == FL_EDGE_RESOLVED_BY;
    fl_page_labelled(page, row, is_fix ? "fixed by" : "explains", FL_INK_PLAIN,
                     is_fix ? moved->to : moved->from);
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_DIM, "%s -> ",
                   belief_text(before, &moved->before, moved->items_before));
    fl_page_put(page, moved->after.mean >= moved->before.mean ? FL_INK_GOOD : FL_INK_BAD,
                belief_text(after, &moved->after, moved->items_after));
    fl_page_newline(page);
}

fl_status fl_report_learnt_text(fl_buf *out, const char *what, const fl_lesson *lesson,
                                const fl_learnt *learnt, const fl_report_style *style,
                                fl_error *err)
{
    assert(lesson->incident != NULL && lesson->cause != NULL);
    fl_page page = fl_page_on(out, style);
    fl_page_printf(&page, FL_INK_PLAIN, "Incident %.64s %s by %.64s", lesson->incident->id, what,
                   lesson->author);
    fl_page_put(&page, FL_INK_WARN, learnt->added.evidence == 0 ? "; this was known before" : "");
    fl_page_newline(&page);
    fl_page_labelled(&page, row, "cause", FL_INK_BOLD, lesson->cause->title);
    fl_page_pad(&page, INDENT);
    fl_page_put(&page, FL_INK_DIM, "because");
    fl_page_pad(&page, BODY);
    fl_page_printf(&page, FL_INK_PLAIN, "%s %.64s: %.2f observations, %.2f at the incident's age",
                   fl_source_name(lesson->source), lesson->author, learnt->weight, learnt->aged);
    fl_page_newline(&page);
    for (size_t i = 0; i < learnt->count; i++)
        write_moved(&page, &learnt->moved[i]);
    return fl_buf_check(out, "the answer", err);
}

const char *fl_recheck_name(fl_recheck_state state)
{
    static const char *const names[] = {[FL_RECHECK_NOT_SEEN] = "not-seen",
                                        [FL_RECHECK_CLEARED] = "cleared",
                                        [FL_RECHECK_STILL_THERE] = "still-there"};
    assert((size_t)state < sizeof(names) / sizeof(names[0]));
    return names[state];
}

/* The three figures and the query: whoever doubts the verdict can look. */
static void write_recheck(fl_page *page, const fl_hypothesis *h, const fl_recheck *item)
{
    static const fl_ink inks[] = {[FL_RECHECK_NOT_SEEN] = FL_INK_WARN,
                                  [FL_RECHECK_CLEARED] = FL_INK_GOOD,
                                  [FL_RECHECK_STILL_THERE] = FL_INK_BAD};
    const fl_evidence *e = item->evidence;
    fl_page_pad(page, INDENT);
    fl_page_put(page, inks[item->state], fl_recheck_name(item->state));
    fl_page_pad(page, STATE);
    fl_page_printf(page, FL_INK_BOLD, "%.200s: %s", h->service != NULL ? h->service : "(unknown)",
                   fl_cause_name(h->cause));
    fl_page_newline(page);
    if (e == NULL)
        return;
    fl_page_pad(page, STATE);
    char before[FL_AMOUNT_TEXT], during[FL_AMOUNT_TEXT], after[FL_AMOUNT_TEXT];
    fl_page_printf(page, FL_INK_PLAIN, "before %s, during %s, after %s",
                   fl_amount(before, e->baseline, e->unit), fl_amount(during, e->value, e->unit),
                   fl_amount(after, item->after, e->unit));
    fl_page_newline(page);
    fl_page_pad(page, STATE);
    fl_page_put(page, FL_INK_DIM, e->query != NULL ? e->query : "");
    fl_page_newline(page);
}

fl_status fl_report_verified_text(fl_buf *out, const fl_incident *incident,
                                  const fl_verified *verified, const fl_report_style *style,
                                  fl_error *err)
{
    char from[FL_TIME_TEXT], length[FL_TIME_TEXT];
    assert(verified->items != NULL);
    fl_page page = fl_page_on(out, style);
    fl_page_printf(&page, FL_INK_PLAIN, "After the fix, %s from %s: ",
                   fl_duration_format(length, verified->window.to_ns - verified->window.from_ns),
                   fl_time_format(from, verified->window.from_ns));
    fl_page_put(&page, FL_INK_BOLD, fl_recheck_name(verified->verdict));
    fl_page_newline(&page);
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        if (fl_symptoms_telemetry_nats(&incident->hypotheses[i]) >= FL_SYMPTOM_NATS)
            write_recheck(&page, &incident->hypotheses[i], &verified->items[i]);
    if (verified->verdict == FL_RECHECK_NOT_SEEN)
        fl_page_put(&page, FL_INK_WARN, "Nothing was learnt: data that is missing is no recovery");
    fl_page_newline(&page);
    return fl_buf_check(out, "the answer", err);
}

/* "fixed by" under the cause that it fixes. */
static void write_fix(fl_page *page, const fl_path_fix *fix)
{
    char belief[BELIEF_TEXT];
    fl_page_labelled(page, row, "fixed by", FL_INK_PLAIN, fix->title);
    fl_page_pad(page, BODY);
    fl_page_put(page, FL_INK_DIM, belief_text(belief, &fix->confidence, fix->count));
    fl_page_newline(page);
}

/* What is known beyond what is told; nothing where that is all. */
static void write_rest(fl_page *page, size_t count, const char *one, const char *many)
{
    if (count == 0)
        return;
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_DIM, "%zu more %s", count, count == 1 ? one : many);
    fl_page_newline(page);
}

/* In how many of the incidents and documents that tell of such symptoms, and how sure that makes.
 */
static void write_path(fl_page *page, const fl_path *path)
{
    char belief[BELIEF_TEXT], last[FL_TIME_TEXT];
    fl_page_labelled(page, row, "cause", FL_INK_BOLD, path->title);
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_PLAIN, "explained %zu of %zu: %s", path->supporting,
                   fl_path_items(path),
                   belief_text(belief, &path->confidence, fl_path_items(path)));
    if (path->contradicting > 0)
        fl_page_printf(page, FL_INK_BAD, "; %zu against", path->contradicting);
    if (path->automatic > 0)
        fl_page_printf(page, FL_INK_WARN, "; %zu not confirmed", path->automatic);
    if (path->last_ns != 0)
        fl_page_printf(page, FL_INK_DIM, "; last %s", fl_time_format_s(last, path->last_ns));
    fl_page_newline(page);
    for (size_t i = 0; i < path->fix_count; i++)
        write_fix(page, &path->fixes[i]);
    write_rest(page, path->known_fixes - path->fix_count, "fix is known", "fixes are known");
}

/* Texts under a word; a few, and how many more there are. */
static void write_titles(fl_page *page, const char *word, const char *const *titles, size_t count)
{
    for (size_t i = 0; i < count && i < MOST_TITLES; i++)
        fl_page_labelled(page, why, i == 0 ? word : "", FL_INK_PLAIN, titles[i]);
    if (count <= MOST_TITLES)
        return;
    fl_page_pad(page, WHY);
    fl_page_printf(page, FL_INK_DIM, "and %zu more", count - MOST_TITLES);
    fl_page_newline(page);
}

/* How alike, in what, and what it was then. */
static void write_similar(fl_page *page, const fl_similar *similar)
{
    char overlap[FL_PERCENT_TEXT];
    fl_page_pad(page, INDENT);
    fl_page_put(page, FL_INK_DIM, "alike");
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_PLAIN, "%.64s: %s, %zu of %zu symptoms shared", similar->incident,
                   fl_page_percent(overlap, similar->overlap), similar->shared, similar->ours);
    if (similar->theirs > similar->shared)
        fl_page_printf(page, FL_INK_DIM, "; %zu others there", similar->theirs - similar->shared);
    fl_page_newline(page);
    write_titles(page, "in common", similar->both, similar->shared);
    write_titles(page, "only here", similar->here, similar->ours - similar->shared);
    write_titles(page, "only there", similar->there, similar->there_count);
    write_titles(page, "it was", similar->causes, similar->cause_count);
    write_titles(page, "helped", similar->fixes, similar->fix_count);
}

fl_status fl_report_memory_text(fl_buf *out, const fl_memory *memory, const fl_report_style *style,
                                fl_error *err)
{
    assert(memory->paths != NULL || memory->path_count == 0);
    fl_page page = fl_page_on(out, style);
    if (memory->seen == 0) {
        fl_page_put(&page, FL_INK_BOLD, "Not seen before");
        fl_page_put(&page, FL_INK_PLAIN,
                    memory->path_count > 0 ? "; what is known of such symptoms from elsewhere"
                                           : "");
    } else {
        fl_page_put(&page, FL_INK_BOLD, "Seen before");
        fl_page_printf(&page, FL_INK_PLAIN, " in %zu incident%s%s", memory->seen,
                       memory->seen == 1 ? "" : "s", memory->cut ? " or more" : "");
    }
    fl_page_newline(&page);
    for (size_t i = 0; i < memory->path_count; i++)
        write_path(&page, &memory->paths[i]);
    write_rest(&page, memory->causes - memory->path_count, "cause is known", "causes are known");
    for (size_t i = 0; i < memory->similar_count; i++)
        write_similar(&page, &memory->similar[i]);
    return fl_buf_check(out, "the answer", err);
}

fl_status fl_report_similar_text(fl_buf *out, const fl_memory *memory, const fl_report_style *style,
                                 fl_error *err)
{
    assert(memory->similar_count <= memory->seen);
    fl_page page = fl_page_on(out, style);
    if (memory->seen == 0)
        fl_page_put(&page, FL_INK_PLAIN,
                    memory->cut ? "No incident with one of these symptoms was found in time"
                                : "No other incident shows any of these symptoms");
    else
        fl_page_printf(&page, FL_INK_PLAIN, "%zu incident%s%s any of these symptoms", memory->seen,
                       memory->cut ? " or more" : "", memory->seen == 1 ? " shows" : "s show");
    fl_page_newline(&page);
    for (size_t i = 0; i < memory->similar_count; i++)
        write_similar(&page, &memory->similar[i]);
    return fl_buf_check(out, "the answer", err);
}
