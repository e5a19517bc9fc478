/*
 * leak_json.c - a leak report as its JSON contract (schemas/json/leak.schema.json), and signatures
 * for programs.
 *
 * The contract's members come first and in its order; what is ours on top of it (cause, sketch,
 * title, support ...) stands behind them, so that a reader who knows only the contract is served.
 * What is not known is null, lists are empty and not null, times are RFC 3339 in UTC.
 */
#include <assert.h>
#include <math.h>

#include "json_put.h"
#include "leak_put.h"
#include "leak_report.h"

/* Members of an object that is not known are null one by one: a reader asks without a test. */
json_t *fl_leak_put_interval(fl_put *w, fl_leak_interval interval)
{
    json_t *object = json_object();
    fl_put_number(w, object, "value", interval.value);
    fl_put_number(w, object, "low", interval.low);
    fl_put_number(w, object, "high", interval.high);
    return object;
}

/* "at" is null for what is of no moment. */
static json_t *evidence_of(fl_put *w, const fl_leak_evidence *evidence)
{
    json_t *object = json_object();
    fl_put_text(w, object, "profile", fl_leak_source_name(evidence->source));
    fl_put_text(w, object, "text", evidence->text);
    fl_put_moment(w, object, "at", evidence->at_ns);
    fl_put_number(w, object, "value", evidence->value);
    fl_put_text(w, object, "unit", evidence->unit);
    return object;
}

/* An array of texts. */
json_t *fl_leak_put_texts(fl_put *w, const char *const *texts, size_t count)
{
    json_t *array = json_array();
    assert(texts != NULL || count == 0);
    for (size_t i = 0; i < count; i++)
        fl_put_item(w, array, fl_put_text_of(texts[i]));
    return array;
}

/* The profiles that say the same, each counted once. */
static json_t *support_of(fl_put *w, unsigned support)
{
    json_t *array = json_array();
    assert(support < 1u << FL_LEAK_SOURCE_COUNT);
    for (int i = 0; i < FL_LEAK_SOURCE_COUNT; i++)
        if (support & 1u << i)
            fl_put_item(w, array, json_string_nocheck(fl_leak_source_name((fl_leak_source)i)));
    return array;
}

/* A line of 0 is none. */
static void put_line(fl_put *w, json_t *object, uint64_t line)
{
    if (line > 0)
        fl_put_count(w, object, "line", line);
    else
        fl_put_value(w, object, "line", json_null());
}

/* What the library says about this kind; nothing where no signature holds. */
static void put_advice(fl_put *w, json_t *object, const fl_leak_signature *signature)
{
    static const fl_leak_signature none = {0};
    const fl_leak_signature *from = signature != NULL ? signature : &none;
    fl_put_text(w, object, "fix", from->fix);
    fl_put_value(w, object, "references",
                 fl_leak_put_texts(w, from->references, from->reference_count));
    fl_put_text(w, object, "title", from->title);
    fl_put_text(w, object, "cause", from->cause);
    fl_put_text(w, object, "sketch", from->sketch);
}

/* NULL where no signature holds: the verdict then rests on the growth alone. */
static const char *kind_of(const fl_leak_finding *finding)
{
    return finding->signature != NULL ? finding->signature->name : NULL;
}

/* Who calls the function where it grows; null where it has one caller, or several grow. */
static json_t *caller_of(fl_put *w, const fl_leak_finding *finding)
{
    if (finding->caller == NULL)
        return json_null();
    json_t *object = json_object();
    fl_put_text(w, object, "function", finding->caller);
    fl_put_text(w, object, "file", finding->caller_file);
    put_line(w, object, finding->caller_line);
    return object;
}

/* Contract first, then ours. */
json_t *fl_leak_put_finding(fl_put *w, const fl_leak_finding *finding)
{
    assert(finding->evidence != NULL || finding->evidence_count == 0);
    json_t *object = json_object(), *evidence = json_array();
    for (size_t i = 0; i < finding->evidence_count; i++)
        fl_put_item(w, evidence, evidence_of(w, &finding->evidence[i]));
    fl_put_text(w, object, "verdict", fl_leak_verdict_name(finding->verdict));
    fl_put_text(w, object, "kind", kind_of(finding));
    fl_put_text(w, object, "function", finding->function);
    fl_put_text(w, object, "file", finding->file);
    put_line(w, object, finding->line);
    fl_put_text(w, object, "holder", finding->holder);
    fl_put_value(w, object, "growth_bytes_per_hour",
                 fl_leak_put_interval(w, finding->growth_bytes_per_hour));
    fl_put_value(w, object, "evidence", evidence);
    fl_put_value(w, object, "against",
                 fl_leak_put_texts(w, finding->against, finding->against_count));
    put_advice(w, object, finding->signature);
    fl_put_rounded(w, object, "confidence", finding->confidence);
    fl_put_text(w, object, "subject", fl_leak_subject_name(finding->subject));
    fl_put_value(w, object, "growth_per_hour", fl_leak_put_interval(w, finding->growth_per_hour));
    fl_put_value(w, object, "seconds_to_limit", fl_leak_put_interval(w, finding->seconds_to_limit));
    fl_put_value(w, object, "support", support_of(w, finding->support));
    fl_put_value(w, object, "caller", caller_of(w, finding));
    if (finding->path_count > 0)
        fl_put_path(w, object, "path", finding->path, finding->path_count);
    return object;
}

void fl_leak_put_verdict(fl_put *w, json_t *object, const fl_leak_report *report)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < report->finding_count; i++)
        fl_put_item(w, findings, fl_leak_put_finding(w, &report->findings[i]));
    fl_put_text(w, object, "verdict", fl_leak_verdict_name(report->verdict));
    fl_put_text(w, object, "kind",
                report->finding_count > 0 ? kind_of(&report->findings[0]) : NULL);
    fl_put_rounded(w, object, "confidence", report->confidence);
    fl_put_value(w, object, "findings", findings);
    fl_put_value(w, object, "warnings",
                 fl_leak_put_texts(w, report->warnings, report->warning_count));
    fl_put_value(w, object, "collect",
                 fl_leak_put_texts(w, report->collect, report->collect_count));
}

/* A moment of 0 is none. */
static void put_moment(fl_put *w, json_t *object, const char *key, int64_t time_ns)
{
    if (time_ns != 0)
        fl_put_time(w, object, key, time_ns);
    else
        fl_put_value(w, object, key, json_null());
}

/* What the answer rests on, and what asking cost. */
static json_t *series_of(fl_put *w, const fl_leak_shown *shown)
{
    const fl_leak_report *report = shown->report;
    const fl_leak_inputs *inputs = shown->inputs;
    json_t *object = json_object(), *counts = json_object(), *cost = json_object();
    for (int i = 0; i < FL_LEAK_INPUT_COUNT; i++)
        fl_put_count(w, counts, fl_leak_input_name((fl_leak_input)i), inputs->counts[i]);
    fl_put_text(w, object, "runtime", report->runtime);
    fl_put_count(w, object, "snapshots", report->snapshot_count);
    fl_put_count(w, object, "used", report->used_count);
    put_moment(w, object, "from", report->from_ns);
    put_moment(w, object, "to", report->to_ns);
    fl_put_number(w, object, "sampling_floor_bytes", report->sampling_floor_bytes);
    fl_put_value(w, object, "inputs", counts);
    fl_put_count(w, object, "unreadable", inputs->unreadable);
    fl_put_count(w, cost, "requests", inputs->requests);
    fl_put_count(w, cost, "bytes", inputs->fetched_bytes);
    fl_put_rounded(w, cost, "seconds", (double)inputs->fetching_ns / 1e9);
    fl_put_value(w, object, "cost", cost);
    return object;
}

/* The whole contract, member by member in its order. */
static json_t *document_of(fl_put *w, const fl_leak_shown *shown)
{
    const fl_leak_report *report = shown->report;
    json_t *object = json_object(), *findings = json_array(), *ruled_out = json_array();
    for (size_t i = 0; i < report->finding_count; i++)
        fl_put_item(w, findings, fl_leak_put_finding(w, &report->findings[i]));
    for (size_t i = 0; i < report->ruled_out_count; i++) {
        json_t *item = json_object();
        fl_put_text(w, item, "kind", report->ruled_out[i].kind);
        fl_put_text(w, item, "text", report->ruled_out[i].text);
        fl_put_item(w, ruled_out, item);
    }
    fl_put_value(w, object, "schema", json_string_nocheck("faultline.leak/1"));
    fl_put_text(w, object, "verdict", fl_leak_verdict_name(report->verdict));
    fl_put_text(w, object, "kind",
                report->finding_count > 0 ? kind_of(&report->findings[0]) : NULL);
    fl_put_rounded(w, object, "confidence", report->confidence);
    fl_put_value(w, object, "findings", findings);
    fl_put_value(w, object, "ruled_out", ruled_out);
    fl_put_value(w, object, "warnings",
                 fl_leak_put_texts(w, report->warnings, report->warning_count));
    fl_put_value(w, object, "collect",
                 fl_leak_put_texts(w, report->collect, report->collect_count));
    fl_put_value(w, object, "series", series_of(w, shown));
    return object;
}

fl_status fl_leak_report_json(fl_buf *out, const fl_leak_shown *shown, fl_error *err)
{
    assert(out != NULL && shown->report != NULL && shown->inputs != NULL);
    fl_put w = {.status = FL_OK};
    return fl_put_document(out, &w, document_of(&w, shown), err);
}

/* ---- signatures ---- */

/* As a file of signatures has it: {"feature", the operator's word, "text"}. */
static json_t *condition_of(fl_put *w, const fl_leak_condition *condition)
{
    static const char *const words[] = {"at_least", "at_most", "matches", "lacks"};
    assert(condition->op < FL_LEAK_OP_COUNT);
    json_t *object = json_object();
    fl_put_text(w, object, "feature", fl_leak_feature_info_of(condition->feature)->name);
    if (condition->pattern != NULL)
        fl_put_text(w, object, words[condition->op], condition->pattern);
    else
        fl_put_number(w, object, words[condition->op], condition->value);
    if (condition->text != NULL)
        fl_put_text(w, object, "text", condition->text);
    return object;
}

/* In the order of the file. */
static json_t *conditions_of(fl_put *w, const fl_leak_condition *items, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        fl_put_item(w, array, condition_of(w, &items[i]));
    return array;
}

/* "1.24", or absent for no bound. */
static void put_version(fl_put *w, json_t *object, const char *key, int minor)
{
    if (minor > 0)
        fl_put_value(w, object, key, json_sprintf("1.%d", minor));
}

fl_status fl_signature_json(fl_buf *out, const fl_leak_signature *items, size_t count,
                            fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *array = json_array();
    assert(items != NULL || count == 0);
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        fl_put_text(&w, object, "name", items[i].name);
        fl_put_text(&w, object, "title", items[i].title);
        fl_put_text(&w, object, "verdict", fl_leak_verdict_name(items[i].verdict));
        fl_put_text(&w, object, "subject", fl_leak_subject_name(items[i].subject));
        put_version(&w, object, "go_from", items[i].go_min);
        put_version(&w, object, "go_to", items[i].go_max);
        fl_put_number(&w, object, "prior", items[i].prior);
        fl_put_value(&w, object, "must", conditions_of(&w, items[i].must, items[i].must_count));
        fl_put_value(&w, object, "any", conditions_of(&w, items[i].any, items[i].any_count));
        fl_put_value(&w, object, "against",
                     conditions_of(&w, items[i].against, items[i].against_count));
        fl_put_text(&w, object, "cause", items[i].cause);
        fl_put_text(&w, object, "fix", items[i].fix);
        fl_put_text(&w, object, "sketch", items[i].sketch);
        fl_put_value(&w, object, "references",
                     fl_leak_put_texts(&w, items[i].references, items[i].reference_count));
        fl_put_item(&w, array, object);
    }
    return fl_put_document(out, &w, array, err);
}
