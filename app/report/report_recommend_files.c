/*
 * report_recommend_files.c - advice as files for other programs: Markdown, a rule file of
 * Prometheus, a policy in Rego.
 *
 * Markdown: every character of ASCII punctuation may be escaped by a backslash (CommonMark 0.31,
 * section 2.4), and so all of it is in text of others, which then cannot be markup or HTML.
 * Rules: texts are quoted as JSON, which is YAML; "{{" starts a template in labels and annotations,
 * and is written as a template that prints it.
 * Rego: texts are quoted as JSON, which Rego's strings are; none stands in a comment.
 *
 * A policy denies what the service's file says now, and not everything but the advised value: a
 * team that measured and chose another value is not to be stopped by a library. It warns of what a
 * file cannot show.
 *
 * Rules carry the service as a label and select by job: an alert of one service is silent for all
 * others, and what routes alerts by service finds it.
 */
#include <assert.h>

#include "report_recommend.h"
#include "report_recommend_priv.h"
#include "slice.h"

enum { MAX_TEXT_BYTES = 256 << 10 };

/* ---- Markdown ---- */

/* ASCII punctuation, as CommonMark defines it. */
static bool is_punctuation(unsigned char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

/* A text of others in a line. A dot, comma, colon or slash within a word starts nothing, and pages
 * of backslashes are hard to read in a diff. */
static void md_slice(fl_buf *out, fl_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = text.ptr[i];
        bool within = i > 0 && text.ptr[i - 1] > ' ' && strchr(".,:/'-=%()", c) != NULL;
        if (c < ' ' || c == 0x7F)
            fl_buf_char(out, ' ');
        else if (c == 0xE2 && i + 2 < text.len &&
                 (text.ptr[i + 1] == 0x80 || text.ptr[i + 1] == 0x81))
            i += 2; /* marks that reorder text, and dashes: neither is missed */
        else {
            if (is_punctuation(c) && !within)
                fl_buf_char(out, '\\');
            fl_buf_char(out, (char)c);
        }
    }
}

/* The same of a C string. */
static void md_text(fl_buf *out, const char *text)
{
    md_slice(out, fl_slice_of(text));
}

/* An address as a link, anything else as text. */
static void md_reference(fl_buf *out, const char *text)
{
    bool plain = strncmp(text, "https://", 8) == 0;
    for (const char *c = text; *c != '\0' && plain; c++)
        plain = *c > ' ' && *c < 0x7F && strchr("<>\"`\\", *c) == NULL;
    if (plain)
        fl_buf_printf(out, "<%s>", text);
    else
        md_text(out, text);
}

/* The end of the bold text, which an alert's expression stays out of: it is long. */
static void md_what(fl_buf *out, const fl_recommendation *item, const fl_service *service)
{
    const fl_advice_words *words = &item->words;
    fl_buf text = fl_buf_of(MAX_TEXT_BYTES);
    if (words->kind == FL_ADVICE_ALERT) {
        fl_recommend_expression(&text, item, service);
        md_slice(out, words->name);
        fl_buf_text(out, "**: ");
        md_slice(out, fl_buf_slice(&text));
        fl_buf_text(out, " for ");
        md_slice(out, words->duration);
    } else {
        md_text(out, item->text);
        fl_buf_text(out, "**");
    }
    fl_buf_dispose(&text);
}

/* A list below the advice: ticking that off ticks the reasons off. */
static void md_path(fl_buf *out, const fl_recommend_path *path)
{
    fl_buf gate = fl_buf_of(MAX_TEXT_BYTES);
    fl_buf_text(out, "  - because: ");
    md_text(out, path->title);
    fl_buf_text(out, " (");
    for (size_t i = 0; i < path->gate_count; i++) {
        fl_buf_text(out, i > 0 ? ", " : "");
        fl_recommend_gate_text(&gate, &path->gates[i]);
        md_slice(out, fl_buf_slice(&gate));
        fl_buf_clear(&gate);
    }
    fl_buf_text(out, ")\n");
    if (path->why != NULL) {
        fl_buf_text(out, "  - why: ");
        md_text(out, path->why);
        fl_buf_char(out, '\n');
    }
    for (size_t i = 0; i < path->reference_count; i++) {
        fl_buf_text(out, "  - source: ");
        md_reference(out, path->references[i]);
        fl_buf_char(out, '\n');
    }
    fl_buf_dispose(&gate);
}

/* A task: boxes are ticked before the launch. */
static void md_item(fl_buf *out, const fl_recommendation *item, const fl_service *service)
{
    char belief[FL_BELIEF_TEXT], incidents[FL_BELIEF_TEXT];
    fl_buf_text(out, "- [ ] **");
    md_what(out, item, service);
    if (item->now != NULL) {
        fl_buf_text(out, " (now ");
        md_text(out, item->now);
        fl_buf_char(out, ')');
    }
    fl_buf_printf(out, "\n  - sure: %s; would have been for %s\n",
                  fl_recommend_belief(belief, item),
                  fl_recommend_incidents(incidents, item->prevented));
    for (size_t i = 0; i < item->path_count; i++)
        md_path(out, &item->paths[i]);
    for (size_t i = 0; i < item->plan_count; i++) {
        fl_buf_text(out, "  - plan: ");
        md_text(out, item->plans[i]);
        fl_buf_char(out, '\n');
    }
}

fl_status fl_report_recommend_markdown(fl_buf *out, const fl_recommend_shown *shown, fl_error *err)
{
    assert(shown->service != NULL && shown->advice != NULL);
    const fl_recommended *advice = shown->advice;
    fl_buf_text(out, "# Baseline for ");
    md_text(out, shown->service->name);
    fl_buf_printf(out, "\n\n%zu causes apply; %zu pieces of advice are followed already.%s\n",
                  advice->causes, advice->met,
                  advice->cut ? " A limit was met: there may be more." : "");
    if (advice->count == 0 && advice->risk_count == 0)
        fl_buf_text(out, "\nNo recommendation.\n");
    for (size_t i = 0; i < advice->count; i++) {
        fl_advice_kind kind = advice->items[i].words.kind;
        if (i == 0 || advice->items[i - 1].words.kind != kind)
            fl_buf_printf(out, "\n## %s\n\n", fl_advice_kind_name(kind));
        md_item(out, &advice->items[i], shown->service);
    }
    if (advice->risk_count > 0)
        fl_buf_text(out, "\n## known to lead to trouble, without a fix\n\n");
    for (size_t i = 0; i < advice->risk_count; i++) {
        fl_buf_text(out, "- [ ] **");
        md_text(out, advice->risks[i].title);
        fl_buf_text(out, "**\n");
        md_path(out, &advice->risks[i]);
    }
    if (advice->unsure_count > 0)
        fl_buf_text(out, "\n## cannot be told\n\n");
    for (size_t i = 0; i < advice->unsure_count; i++) {
        fl_buf_text(out, "- ");
        md_text(out, advice->unsure[i].cause);
        fl_buf_text(out, ": the file says nothing that compares with ");
        md_text(out, advice->unsure[i].gate.name);
        fl_buf_char(out, ' ');
        md_text(out, advice->unsure[i].gate.gate != NULL ? advice->unsure[i].gate.gate : "");
        fl_buf_char(out, '\n');
    }
    return fl_buf_check(out, "the answer", err);
}

/* ---- Prometheus ---- */

/* Quoted, and no template: "{{" is printed by one. */
static void rules_text(fl_buf *out, const char *text)
{
    fl_buf plain = fl_buf_of(MAX_TEXT_BYTES);
    for (const char *c = text; *c != '\0'; c++) {
        bool opens = c[0] == '{' && c[1] == '{';
        fl_buf_text(&plain, opens ? "{{ \"{{\" }}" : "");
        if (opens)
            c++;
        else
            fl_buf_char(&plain, *c);
    }
    fl_recommend_quote(out, plain.ptr != NULL ? plain.ptr : "");
    if (plain.status != FL_OK && out->status == FL_OK)
        out->status = plain.status;
    fl_buf_dispose(&plain);
}

/* The first path is the surest, and speaks for the alert. */
static void rules_item(fl_buf *out, const fl_recommendation *item, const fl_service *service,
                       const char *expression)
{
    char belief[FL_BELIEF_TEXT];
    const fl_recommend_path *path = &item->paths[0];
    fl_buf_printf(out, "      - alert: %.*s\n        expr: ", FL_SLICE_ARG(item->words.name));
    fl_recommend_quote(out, expression);
    fl_buf_printf(out, "\n        for: %.*s\n        labels:\n          service: ",
                  FL_SLICE_ARG(item->words.duration));
    rules_text(out, service->name);
    fl_buf_text(out, "\n          origin: faultline\n        annotations:\n          summary: ");
    rules_text(out, path->title);
    fl_buf_text(out, "\n          description: ");
    rules_text(out, path->why != NULL ? path->why : path->title);
    fl_buf_text(out, "\n          confidence: ");
    rules_text(out, fl_recommend_belief(belief, item));
    fl_buf_char(out, '\n');
}

fl_status fl_report_recommend_rules(fl_buf *out, const fl_recommend_shown *shown, fl_error *err)
{
    assert(shown->service != NULL && shown->advice != NULL);
    const fl_recommended *advice = shown->advice;
    fl_buf expression = fl_buf_of(MAX_TEXT_BYTES);
    size_t written = 0;
    for (size_t i = 0; i < advice->count; i++) {
        const fl_recommendation *item = &advice->items[i];
        if (item->words.kind != FL_ADVICE_ALERT)
            continue;
        fl_buf_clear(&expression);
        fl_recommend_expression(&expression, item, shown->service);
        if (!fl_recommend_closes(fl_buf_slice(&expression))) {
            fl_buf_printf(out, "# %.*s is left out: its expression does not close\n",
                          FL_SLICE_ARG(item->words.name));
            continue;
        }
        if (written++ == 0)
            fl_buf_text(out, "groups:\n  - name: faultline-baseline\n    rules:\n");
        rules_item(out, item, shown->service, expression.ptr);
    }
    if (written == 0)
        fl_buf_text(out, "# no alert is recommended\ngroups: []\n");
    fl_status status = fl_buf_check(&expression, "an expression", err);
    fl_buf_dispose(&expression);
    return status == FL_OK ? fl_buf_check(out, "the rules", err) : status;
}

/* ---- Rego ---- */

/* What the person reads whose deployment is denied. */
static void rego_message(fl_buf *out, const fl_recommendation *item)
{
    char belief[FL_BELIEF_TEXT];
    fl_buf text = fl_buf_of(MAX_TEXT_BYTES);
    fl_buf_printf(&text, "%s: %s; %s", item->text, item->paths[0].title,
                  fl_recommend_belief(belief, item));
    fl_recommend_quote(out, text.ptr != NULL ? text.ptr : "");
    if (text.status != FL_OK && out->status == FL_OK)
        out->status = text.status;
    fl_buf_dispose(&text);
}

/* Names of settings come as slices of the fix's text. */
static void rego_slice(fl_buf *out, fl_slice text)
{
    fl_buf copy = fl_buf_of(MAX_TEXT_BYTES);
    fl_buf_add(&copy, text);
    fl_recommend_quote(out, copy.ptr != NULL ? copy.ptr : "");
    fl_buf_dispose(&copy);
}

/* What holds while the advice is not followed: the setting is what it is now. */
static void rego_condition(fl_buf *out, const fl_recommendation *item)
{
    bool is_component = item->words.kind == FL_ADVICE_UPGRADE;
    if (is_component) {
        fl_buf_text(out, "\tsome component in input.components\n\tcomponent.name == ");
        fl_recommend_quote(out, item->now_name);
        fl_buf_text(out, "\n\tcomponent.version == ");
        fl_recommend_quote(out, item->now);
    } else if (item->now != NULL) {
        fl_buf_text(out, "\tsetting(");
        fl_recommend_quote(out, item->now_name);
        fl_buf_text(out, ") == ");
        fl_recommend_quote(out, item->now);
    } else {
        fl_buf_text(out, "\tsetting(");
        rego_slice(out, item->words.name);
        fl_buf_text(out, ") == null");
    }
}

/* Whether a file can show that it is not followed. */
static bool is_shown_by_file(const fl_recommendation *item)
{
    fl_advice_kind kind = item->words.kind;
    if (kind == FL_ADVICE_UPGRADE)
        return item->now != NULL && item->now_name != NULL;
    return kind == FL_ADVICE_SET || kind == FL_ADVICE_AVOID || kind == FL_ADVICE_LIMIT;
}

fl_status fl_report_recommend_rego(fl_buf *out, const fl_recommend_shown *shown, fl_error *err)
{
    assert(shown->service != NULL && shown->advice != NULL);
    const fl_recommended *advice = shown->advice;
    fl_buf_text(
        out, "# Written by faultline recommend. The input is the service's file as JSON; config\n"
             "# may be nested or dotted.\n"
             "package faultline.baseline\n\n"
             "import rego.v1\n\n"
             "default setting(_) := null\n\n"
             "setting(name) := as_text(input.config[name])\n\n"
             "setting(name) := as_text(object.get(input.config, split(name, \".\"), null)) if {\n"
             "\tnot input.config[name]\n"
             "\tobject.get(input.config, split(name, \".\"), null) != null\n"
             "}\n\n"
             "as_text(value) := value if is_string(value)\n\n"
             "as_text(value) := sprintf(\"%v\", [value]) if not is_string(value)\n\n"
             "service := ");
    fl_recommend_quote(out, shown->service->name);
    fl_buf_char(out, '\n');
    for (size_t i = 0; i < advice->count; i++) {
        const fl_recommendation *item = &advice->items[i];
        bool shows = is_shown_by_file(item);
        fl_buf_printf(out, "\n%s contains message if {\n\tinput.name == service\n",
                      shows ? "deny" : "warn");
        if (shows) {
            rego_condition(out, item);
            fl_buf_char(out, '\n');
        }
        fl_buf_text(out, "\tmessage := ");
        rego_message(out, item);
        fl_buf_text(out, "\n}\n");
    }
    for (size_t i = 0; i < advice->risk_count; i++) {
        fl_buf_text(out, "\nwarn contains message if {\n\tinput.name == service\n\tmessage := ");
        fl_recommend_quote(out, advice->risks[i].title);
        fl_buf_text(out, "\n}\n");
    }
    return fl_buf_check(out, "the policy", err);
}
