/*
 * report_recommend.c - words and quotes that the forms share, and the page for the terminal.
 *
 * The page is by what is to be done, not by cause: who prepares a launch goes through settings,
 * then alerts, then checks. Each piece of advice says how sure it is in the same words, with its
 * interval and what it rests on; a mean alone would make one ticket look like fifty.
 *
 * JSON's quotes serve three formats: a JSON text is one in YAML 1.2 and in Rego as well. Marks that
 * reorder text are escaped in all of them: a rule that reads otherwise than it runs is an attack.
 */
#include "report_recommend.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "report_recommend_priv.h"
#include "slice.h"
#include "utf8.h"

/* ---- shared ---- */

const char *fl_recommend_belief(char out[FL_BELIEF_TEXT], const fl_recommendation *item)
{
    const fl_confidence *c = &item->confidence;
    assert(c->low <= c->mean && c->mean <= c->high);
    snprintf(out, FL_BELIEF_TEXT, "%.2f (90 %% %.2f to %.2f, n = %zu)", c->mean, c->low, c->high,
             item->evidence);
    return out;
}

const char *fl_recommend_incidents(char out[FL_BELIEF_TEXT], size_t count)
{
    snprintf(out, FL_BELIEF_TEXT, "%zu incident%s", count, count == 1 ? "" : "s");
    return out;
}

void fl_recommend_gate_text(fl_buf *out, const fl_recommend_gate *gate)
{
    if (gate->found == NULL && !gate->is_component)
        fl_buf_printf(out, "%s is not set", gate->name);
    else if (gate->found == NULL)
        fl_buf_printf(out, "%s", gate->name);
    else
        fl_buf_printf(out, gate->is_component ? "%s %s" : "%s = %s", gate->name, gate->found);
}

/* Inside a PromQL string: a backslash, a quote and a line's end would end or change it. */
static void add_promql(fl_buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\' || *c == '"')
            fl_buf_char(out, '\\');
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            fl_buf_printf(out, "\\x%02x", (unsigned char)*c);
        else
            fl_buf_char(out, *c);
    }
}

void fl_recommend_expression(fl_buf *out, const fl_recommendation *item, const fl_service *service)
{
    static const fl_slice place = FL_SLICE_INIT("$service");
    fl_slice text = item->words.value;
    bool quoted = false;
    assert(item->words.kind == FL_ADVICE_ALERT);
    for (size_t i = 0; i < text.len; i++) {
        fl_slice rest = {.ptr = text.ptr + i, .len = text.len - i};
        if (quoted && fl_slice_starts_with(rest, place)) {
            add_promql(out, service->name);
            i += place.len - 1;
            continue;
        }
        fl_buf_char(out, (char)text.ptr[i]);
        if (quoted && text.ptr[i] == '\\' && i + 1 < text.len)
            fl_buf_char(out, (char)text.ptr[++i]);
        else if (text.ptr[i] == '"')
            quoted = !quoted;
    }
}

bool fl_recommend_closes(fl_slice expression)
{
    char open[64];
    size_t depth = 0;
    for (size_t i = 0; i < expression.len; i++) {
        char c = (char)expression.ptr[i];
        if (c == '"' || c == '\'' || c == '`') {
            size_t at = i + 1;
            while (at < expression.len && (char)expression.ptr[at] != c)
                at += c != '`' && expression.ptr[at] == '\\' ? 2 : 1;
            if (at >= expression.len)
                return false;
            i = at;
        } else if (c == '(' || c == '[' || c == '{') {
            if (depth == sizeof(open))
                return false;
            open[depth++] = c == '(' ? ')' : c == '[' ? ']' : '}';
        } else if ((c == ')' || c == ']' || c == '}') && (depth == 0 || open[--depth] != c)) {
            return false;
        } else if (c == '#' || c == '\n') { /* a comment would hide the rest */
            return false;
        }
    }
    return depth == 0 && fl_slice_trim(expression).len > 0;
}

/* U+202A..202E, U+2066..2069, U+200E, U+200F, U+2028 and U+2029: marks that reorder or break. */
static bool is_mark(fl_slice rest)
{
    if (rest.len < 3 || rest.ptr[0] != 0xE2)
        return false;
    return (rest.ptr[1] == 0x80 && (rest.ptr[2] == 0x8E || rest.ptr[2] == 0x8F ||
                                    (rest.ptr[2] >= 0xA8 && rest.ptr[2] <= 0xAE))) ||
           (rest.ptr[1] == 0x81 && rest.ptr[2] >= 0xA6 && rest.ptr[2] <= 0xA9);
}

void fl_recommend_quote(fl_buf *out, const char *text)
{
    fl_slice rest = fl_slice_of(text);
    fl_buf_char(out, '"');
    while (rest.len > 0) {
        unsigned char c = rest.ptr[0];
        size_t taken = 1;
        if (c == '"' || c == '\\')
            fl_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            fl_buf_text(out, "\\n");
        else if (c < ' ' || c == 0x7F)
            fl_buf_printf(out, "\\u%04x", c);
        else if (is_mark(rest))
            fl_buf_printf(out, "\\u%04x",
                          0x2000u | (unsigned)(rest.ptr[1] & 0x3F) << 6 | (rest.ptr[2] & 0x3Fu));
        else if (c < 0x80)
            fl_buf_char(out, (char)c);
        taken = is_mark(rest) ? 3 : taken;
        if (c >= 0x80 && !is_mark(rest)) {
            size_t len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
            fl_slice one = {.ptr = rest.ptr, .len = len <= rest.len ? len : rest.len};
            bool good = one.len == len && fl_utf8_valid_prefix(one) == len;
            /* C1 controls steer terminals as C0 ones do. */
            if (good && len == 2 && c == 0xC2 && rest.ptr[1] < 0xA0)
                fl_buf_printf(out, "\\u%04x", rest.ptr[1]);
            else
                fl_buf_add(out, good ? one : FL_SLICE("\xEF\xBF\xBD"));
            taken = good ? len : 1;
        }
        rest = (fl_slice){.ptr = rest.ptr + taken, .len = rest.len - taken};
    }
    fl_buf_char(out, '"');
}

/* ---- the page ---- */

enum { INDENT = 2, BODY = 12, MAX_LINE_BYTES = 64 << 10, FIRST_PATHS = 3 };

static const fl_page_row row = {INDENT, BODY};

/* An imperative, which the lines below complete. */
static const char *heading_of(fl_advice_kind kind)
{
    static const char *const headings[FL_ADVICE_KIND_COUNT] = {
        [FL_ADVICE_SET] = "Set",     [FL_ADVICE_AVOID] = "Avoid",
        [FL_ADVICE_LIMIT] = "Limit", [FL_ADVICE_UPGRADE] = "Upgrade",
        [FL_ADVICE_ALERT] = "Alert", [FL_ADVICE_CHECK] = "Check before launch",
        [FL_ADVICE_DO] = "Do",
    };
    return headings[kind];
}

/* A line that is made of parts, then wrapped as one. */
static void labelled_buf(fl_page *page, const char *label, fl_buf *line)
{
    fl_page_labelled(page, row, label, FL_INK_PLAIN, line->ptr != NULL ? line->ptr : "");
    fl_buf_clear(line);
}

/* Why this service: the cause, with what opened its gates, and where it is written. */
static void write_path(fl_page *page, const fl_recommend_path *path, fl_buf *line)
{
    fl_buf_printf(line, "%s (", path->title);
    for (size_t i = 0; i < path->gate_count; i++) {
        fl_buf_text(line, i > 0 ? ", " : "");
        fl_recommend_gate_text(line, &path->gates[i]);
    }
    fl_buf_char(line, ')');
    labelled_buf(page, "because", line);
    if (path->why != NULL)
        fl_page_labelled(page, row, "why", FL_INK_PLAIN, path->why);
    for (size_t i = 0; i < path->reference_count && i < 2; i++)
        fl_page_labelled(page, row, i == 0 ? "source" : "", FL_INK_DIM, path->references[i]);
}

/* One piece of advice: what, what is there now, how sure, and by which paths. */
static void write_item(fl_page *page, const fl_recommendation *item, const fl_service *service,
                       fl_buf *line)
{
    char belief[FL_BELIEF_TEXT], incidents[FL_BELIEF_TEXT];
    const fl_advice_words *words = &item->words;
    fl_page_pad(page, INDENT);
    if (words->kind == FL_ADVICE_ALERT) {
        fl_buf_printf(line, "%.*s: ", FL_SLICE_ARG(words->name));
        fl_recommend_expression(line, item, service);
        fl_buf_printf(line, " for %.*s", FL_SLICE_ARG(words->duration));
    } else if (words->text.len > 0) {
        fl_buf_add(line, words->text);
    } else {
        fl_buf_printf(line, words->kind == FL_ADVICE_UPGRADE ? "%.*s to %.*s" : "%.*s = %.*s",
                      FL_SLICE_ARG(words->name), FL_SLICE_ARG(words->value));
        if (words->value.len == 0)
            line->len -= 3;
    }
    fl_page_wrap(page, FL_INK_BOLD, line->ptr != NULL ? line->ptr : "");
    fl_buf_clear(line);
    fl_page_newline(page);
    if (item->now != NULL)
        fl_page_labelled(page, row, "now", FL_INK_WARN, item->now);
    fl_buf_printf(line, "%s; would have been for %s", fl_recommend_belief(belief, item),
                  fl_recommend_incidents(incidents, item->prevented));
    labelled_buf(page, "sure", line);
    for (size_t i = 0; i < item->path_count && i < FIRST_PATHS; i++)
        write_path(page, &item->paths[i], line);
    for (size_t i = 0; i < item->plan_count; i++)
        fl_page_labelled(page, row, "plan", FL_INK_PLAIN, item->plans[i]);
}

/* Nothing to say is an answer, and says what it rests on. */
static void write_head(fl_page *page, const fl_recommend_shown *shown)
{
    const fl_recommended *advice = shown->advice;
    fl_page_put(page, FL_INK_BOLD, "Baseline for ");
    fl_page_wrap(page, FL_INK_BOLD, shown->service->name);
    fl_page_newline(page);
    fl_page_printf(page, FL_INK_PLAIN, "%zu piece%s of advice, from %zu cause%s that appl%s%s",
                   advice->count, advice->count == 1 ? "" : "s", advice->causes,
                   advice->causes == 1 ? "" : "s", advice->causes == 1 ? "ies" : "y",
                   advice->cut ? "; a limit was met, there may be more" : "");
    if (advice->met > 0)
        fl_page_printf(page, FL_INK_PLAIN, "; %zu more followed already", advice->met);
    fl_page_newline(page);
    if (advice->count == 0 && advice->met == 0 && advice->risk_count == 0)
        fl_page_wrap(page, FL_INK_PLAIN,
                     "No recommendation: the graph knows no cause that these components and "
                     "settings meet. 'faultline graph init' loads the curated library.\n");
}

/* A cause that has no fix yet is still worth to be known before the launch. */
static void write_risks(fl_page *page, const fl_recommended *advice, fl_buf *line)
{
    if (advice->risk_count == 0)
        return;
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, "Known to lead to trouble, without a fix");
    fl_page_newline(page);
    for (size_t i = 0; i < advice->risk_count; i++) {
        const fl_recommend_path *risk = &advice->risks[i];
        fl_buf_printf(line, "%.2f (90 %% %.2f to %.2f, n = %zu); diagnosed in %zu incident%s",
                      risk->confidence.mean, risk->confidence.low, risk->confidence.high,
                      risk->supporting + risk->contradicting, risk->incidents,
                      risk->incidents == 1 ? "" : "s");
        labelled_buf(page, "sure", line);
        write_path(page, risk, line);
    }
}

/* A version that is not said, a number without a unit: who wrote the file can tell. */
static void write_unsure(fl_page *page, const fl_recommended *advice, fl_buf *line)
{
    if (advice->unsure_count == 0)
        return;
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, "Cannot be told");
    fl_page_newline(page);
    for (size_t i = 0; i < advice->unsure_count; i++) {
        const fl_recommend_unsure *u = &advice->unsure[i];
        fl_buf_printf(line, "%s: needs %s %s, and the file says ", u->cause, u->gate.name,
                      u->gate.gate != NULL ? u->gate.gate : "");
        fl_buf_text(line, u->gate.found != NULL ? u->gate.found : "no version");
        fl_page_pad(page, INDENT);
        fl_page_wrap(page, FL_INK_PLAIN, line->ptr != NULL ? line->ptr : "");
        fl_buf_clear(line);
        fl_page_newline(page);
    }
}

fl_status fl_report_recommend_text(fl_buf *out, const fl_recommend_shown *shown,
                                   const fl_report_style *style, fl_error *err)
{
    assert(shown->service != NULL && shown->advice != NULL);
    const fl_recommended *advice = shown->advice;
    fl_page page = fl_page_on(out, style);
    fl_buf line = fl_buf_of(MAX_LINE_BYTES);
    write_head(&page, shown);
    for (size_t i = 0; i < advice->count; i++) {
        fl_advice_kind kind = advice->items[i].words.kind;
        if (i == 0 || advice->items[i - 1].words.kind != kind) {
            fl_page_newline(&page);
            fl_page_put(&page, FL_INK_BOLD, heading_of(kind));
            fl_page_newline(&page);
        }
        write_item(&page, &advice->items[i], shown->service, &line);
    }
    write_risks(&page, advice, &line);
    write_unsure(&page, advice, &line);
    fl_status status = fl_buf_check(&line, "a line", err);
    fl_buf_dispose(&line);
    return status == FL_OK ? fl_buf_check(out, "the answer", err) : status;
}
