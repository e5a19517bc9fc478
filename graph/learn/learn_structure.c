/*
 * learn_structure.c - what is said by structure and not in sentences: tables, logs, plans.
 *
 *   table  whose first row names columns as sections are named: Symptom | Cause | Fix
 *   log    a line that reports an error; its fingerprint is the template that triage gives it
 *   plan   a definition (name, trigger, actions), or the steps of a run with their outcomes:
 *          {"plan", "run", "step", "trigger", "cause", "service", "action", "target", "key",
 *           "value", "outcome"}; outcome "cleared": the symptom was gone after this step,
 *          "not-cleared": it was not
 *
 * A table is known by its first row. In one without a column for causes nothing is said of causes,
 * and it is passed over. A cell is a phrase as a sentence's part is: "unknown" names nothing.
 *
 * A log line's fingerprint is the miner's form of it: no time, no level, numbers masked, so that
 * the line in a ticket of last year and the one that triage reads today are one symptom. Frames of
 * a stack trace say where and not what, and differ between versions: they are left out.
 *
 * Of a plan's step only outcomes about the symptom count. That a step was done says that a program
 * ran, not that it helped.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "learn_priv.h"
#include "logmask.h"
#include "mem.h"
#include "slice.h"

enum { MAX_COLUMNS = 16 };

/* A text as one sentence; false: it holds none. */
static bool sentence_of(fl_sentence *out, learning *l, fl_slice text)
{
    fl_sentences from = {.block = text, .arena = &l->scratch};
    bool nomem;
    bool found = fl_sentence_next(out, &from, &nomem);
    if (nomem)
        l->status = fl_fail(l->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a document");
    return found;
}

/* A whole text as a claim. */
static claim claim_of(learning *l, fl_slice text, const char *rule)
{
    fl_sentence s;
    if (!sentence_of(&s, l, text))
        return (claim){.at = {.offset = 0}};
    return fl_learn_claim(l, &s, 0, s.text.len, rule);
}

/* ---- tables ---- */

/* The cells of a row, trimmed; at most MAX_COLUMNS. */
static size_t cells_of(fl_slice out[MAX_COLUMNS], fl_slice row)
{
    size_t count = 0, start = 0;
    while (start < row.len && row.ptr[start] == '|')
        start++;
    for (size_t at = start; at <= row.len && count < MAX_COLUMNS; at++) {
        if (at < row.len && row.ptr[at] != '|')
            continue;
        if (at < row.len || fl_slice_trim(fl_slice_part(row, start, at)).len > 0)
            out[count++] = fl_slice_trim(fl_slice_part(row, start, at));
        if (at + 1 < row.len && row.ptr[at + 1] == '|') /* Jira's "||" */
            at++;
        start = at + 1 < row.len ? at + 1 : row.len;
        if (at >= row.len)
            break;
    }
    return count;
}

/* "|---|:--:|" holds nothing. */
static bool is_divider(fl_slice row)
{
    for (size_t i = 0; i < row.len; i++)
        if (strchr("|-: \t", row.ptr[i]) == NULL)
            return false;
    return true;
}

/* A column's name is read as a heading is. */
static fl_section section_of_cell(learning *l, fl_slice cell)
{
    fl_sentence s;
    return sentence_of(&s, l, cell) ? fl_learn_section_of(l->rules, s.lower) : FL_SECTION_NONE;
}

/* The first row says what the columns hold; a table of two without a cause holds labels. */
static void take_head(learning *l, const fl_slice *cells, size_t count)
{
    assert(count <= MAX_COLUMNS);
    l->in_table = true;
    l->column_count = count;
    for (size_t i = 0; i < count; i++)
        l->columns[i] = section_of_cell(l, cells[i]);
}

/* "| Service | checkout |" */
static void take_label_row(learning *l, const fl_slice *cells)
{
    fl_section section = section_of_cell(l, cells[0]);
    claim value = claim_of(l, cells[1], "label");
    if (section == FL_SECTION_SERVICE && value.text.len > 0)
        l->service = value.text;
}

void fl_learn_row(learning *l, const fl_block *block)
{
    fl_slice cells[MAX_COLUMNS];
    claim roles[FL_SECTION_COUNT] = {{.at = {.offset = 0}}};
    size_t count = cells_of(cells, block->text);
    static_assert(sizeof(l->columns) / sizeof(l->columns[0]) == MAX_COLUMNS, "as wide as a row");
    if (is_divider(block->text))
        return;
    bool is_head = !l->in_table;
    if (is_head)
        take_head(l, cells, count);
    if (count == 2)
        take_label_row(l, cells);
    if (is_head)
        return;
    for (size_t i = 0; i < count && i < l->column_count; i++)
        if (roles[l->columns[i]].text.len == 0)
            roles[l->columns[i]] = claim_of(l, cells[i], "table");
    const claim *cause = &roles[FL_SECTION_CAUSE];
    if (cause->text.len == 0)
        return;
    fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, &roles[FL_SECTION_SYMPTOM], cause, false);
    fl_propose_pair(l, FL_EDGE_RESOLVED_BY, cause, &roles[FL_SECTION_FIX], false);
}

/* ---- logs ---- */

/* It reports that something went wrong: by its level, or by a word. */
static bool is_error(const learning *l, const fl_log_form *form, const fl_sentence *s)
{
    enum { SEVERITY_ERROR = 17 };
    size_t exception = fl_slice_find(s->lower, FL_SLICE("exception"));
    return form->severity >= SEVERITY_ERROR || exception < s->lower.len ||
           fl_learn_has(l->rules, FL_PHRASES(FL_WORD_FAILURE), s->lower);
}

/* "at com.example.Pool.get(Pool.java:12)" is where, not what. */
static bool is_frame(fl_slice lower)
{
    return fl_slice_starts_with(lower, FL_SLICE("at ")) ||
           fl_slice_starts_with(lower, FL_SLICE("file \"")) ||
           fl_slice_starts_with(lower, FL_SLICE("... "));
}

/* "a.b.PoolException: no connection left": type and message, as triage takes them from a template
 * (correlate/rank/explain.c). */
static void find_exception(claim *log)
{
    static const fl_slice endings[] = {FL_SLICE_INIT("Exception:"), FL_SLICE_INIT("Error:")};
    fl_slice text = log->text;
    for (size_t start = 0; start < text.len;) {
        size_t end = start + fl_slice_find(fl_slice_part(text, start, text.len), FL_SLICE(" "));
        fl_slice word = fl_slice_part(text, start, end);
        for (size_t k = 0; k < sizeof(endings) / sizeof(endings[0]); k++) {
            if (word.len <= endings[k].len || !fl_slice_ends_with(word, endings[k]) ||
                end + 1 >= text.len)
                continue;
            log->exception = fl_slice_part(word, 0, word.len - 1);
            log->message = fl_slice_part(text, end + 1, text.len);
            return;
        }
        start = end + 1;
    }
}

void fl_learn_log_line(learning *l, const fl_block *block)
{
    assert(l->account.log_count <= MAX_LOGS);
    fl_sentence s;
    account *a = &l->account;
    fl_log_form *form = NULL;
    bool is_place_for_logs = l->section == FL_SECTION_SYMPTOM || l->section == FL_SECTION_LOG ||
                             l->section == FL_SECTION_NONE;
    if (!is_place_for_logs || a->log_count == MAX_LOGS || !sentence_of(&s, l, block->text) ||
        is_frame(s.lower))
        return;
    form = fl_mem_alloc(sizeof(*form));
    if (form == NULL) {
        l->status = fl_fail(l->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a document");
        return;
    }
    fl_log_form_of(form, block->text, 0);
    fl_slice text = fl_log_form_text(form);
    text.len = text.len < FL_MAX_PHRASE_BYTES ? text.len : 0;
    if (text.len > 0 && is_error(l, form, &s)) {
        claim log = {.text = fl_arena_copy(&l->scratch, text),
                     .at = fl_learn_place(l, &s, "log line")};
        log.at.is_hedged = false;
        if (log.text.ptr != NULL)
            find_exception(&log);
        if (log.text.ptr == NULL)
            l->status = fl_fail(l->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a document");
        else
            fl_account_keep(a->logs, &a->log_count, MAX_LOGS, &log);
    }
    fl_mem_free(form);
}

/* ---- plans ---- */

/* A member of the step; empty where it has none. */
static fl_slice field(const learning *l, const char *label)
{
    for (size_t i = 0; i < l->document->count; i++)
        if (fl_slice_equal(l->document->blocks[i].label, fl_slice_of(label)))
            return l->document->blocks[i].text;
    return (fl_slice){0};
}

/* "config-update spring.redis.jedis.pool.max-active=250": what was done, and not to which pod. */
static claim fix_of(learning *l, fl_slice action, fl_slice key, fl_slice value)
{
    char *text = key.len > 0 && value.len > 0
                     ? fl_arena_printf(&l->scratch, "%.*s %.*s=%.*s", FL_SLICE_ARG(action),
                                       FL_SLICE_ARG(key), FL_SLICE_ARG(value))
                     : fl_arena_printf(&l->scratch, "%.*s", FL_SLICE_ARG(action));
    if (text == NULL)
        l->status = fl_fail(l->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a document");
    return claim_of(l, fl_slice_of(text), "plan");
}

/* A fix that did not help says nothing of the cause. */
static void say_plan(learning *l, const claim *cause, const claim *fix, bool contradicts)
{
    assert(cause != NULL && fix != NULL);
    claim trigger = claim_of(l, field(l, "trigger"), "plan"),
          plan = claim_of(l, field(l, "plan"), "plan");
    fl_propose_pair(l, FL_EDGE_RESOLVED_BY, cause, fix, contradicts);
    if (contradicts)
        return;
    fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, &trigger, cause, false);
    fl_propose_pair(l, FL_EDGE_IMPLEMENTS, &plan, fix, false);
}

void fl_learn_plan(learning *l)
{
    assert(l->document->kind == FL_DOCUMENT_PLAN);
    fl_slice outcome = field(l, "outcome"), cause_text = field(l, "cause");
    l->block = l->document->count > 0 ? &l->document->blocks[0] : NULL;
    bool cleared = fl_slice_equal(outcome, FL_SLICE("cleared"));
    bool persists = fl_slice_equal(outcome, FL_SLICE("not-cleared"));
    if (l->block == NULL || (!cleared && !persists))
        return;
    claim cause = claim_of(l, cause_text.len > 0 ? cause_text : field(l, "plan"), "plan");
    claim fix = fix_of(l, field(l, "action"), field(l, "key"), field(l, "value"));
    /* The sentence to show is the step itself. */
    char *step = fl_arena_printf(&l->scratch, "plan %.*s: %.*s; trigger %.*s; outcome %.*s",
                                 FL_SLICE_ARG(field(l, "plan")), FL_SLICE_ARG(fix.text),
                                 FL_SLICE_ARG(field(l, "trigger")), FL_SLICE_ARG(outcome));
    if (step == NULL) {
        l->status = fl_fail(l->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a document");
        return;
    }
    fix.at.sentence = cause.at.sentence = fl_slice_of(step);
    fix.at.is_hedged = cause.at.is_hedged = false;
    say_plan(l, &cause, &fix, persists);
}

/* The value of "label: value", quotes off; empty: another line. */
static fl_slice value_of(fl_slice line, const char *label)
{
    size_t len = strlen(label);
    bool is_it =
        fl_slice_starts_with(line, fl_slice_of(label)) && line.len > len && line.ptr[len] == ':';
    fl_slice value = is_it ? fl_slice_trim(fl_slice_part(line, len + 1, line.len)) : (fl_slice){0};
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = fl_slice_part(value, 1, value.len - 1);
    return value;
}

/* A setting that an action of the plan makes is a fix for what the plan is named after. */
static void take_plan_setting(learning *l, fl_slice value)
{
    assert(l->plan_name.text.len > 0);
    claim fix = fix_of(l, fl_slice_of(l->plan_step), fl_slice_of(l->plan_key), value);
    fix.at.sentence = fix.text;
    fl_propose_pair(l, FL_EDGE_RESOLVED_BY, &l->plan_name, &fix, false);
    fl_propose_pair(l, FL_EDGE_IMPLEMENTS, &l->plan_name, &fix, false);
}

bool fl_learn_plan_line(learning *l, fl_slice line)
{
    assert(l->block != NULL);
    line = fl_slice_trim(line);
    if (fl_slice_starts_with(line, FL_SLICE("- ")))
        line = fl_slice_part(line, 2, line.len);
    fl_slice name = value_of(line, "name"), trigger = value_of(line, "trigger"),
             type = value_of(line, "type"), key = value_of(line, "key"),
             value = value_of(line, "value");
    if (name.len > 0) {
        l->plan_name = claim_of(l, name, "plan");
        l->plan_trigger.text.len = 0;
    } else if (trigger.len > 0 && l->plan_name.text.len > 0) {
        l->plan_trigger = claim_of(l, trigger, "plan");
        l->plan_trigger.at.sentence = trigger;
        l->plan_name.at.sentence = trigger;
        fl_propose_pair(l, FL_EDGE_EXPLAINED_BY, &l->plan_trigger, &l->plan_name, false);
    } else if (type.len > 0) {
        snprintf(l->plan_step, sizeof(l->plan_step), "%.*s", FL_SLICE_ARG(type));
        l->plan_key[0] = '\0';
    } else if (key.len > 0) {
        snprintf(l->plan_key, sizeof(l->plan_key), "%.*s", FL_SLICE_ARG(key));
    } else if (value.len > 0 && l->plan_key[0] != '\0' && l->plan_trigger.text.len > 0) {
        take_plan_setting(l, value);
    }
    return name.len > 0 || trigger.len > 0 || type.len > 0 || key.len > 0 || value.len > 0;
}
