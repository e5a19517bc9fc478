/*
 * web_verdict.c - the top of an incident's page: what it was, how sure that is, when it began, what
 * there was to look at. Words as in the terminal (report_text.c).
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "timestamp.h"
#include "web_priv.h"

/* One line that answers the question; everything below it is the proof. */
static void put_sentence(fl_buf *out, const fl_incident *incident)
{
    char percent[FL_PERCENT_TEXT];
    const fl_hypothesis *best = incident->hypotheses;
    const char *service = incident->hypothesis_count > 0 ? best->service : NULL;
    service = service != NULL ? service : "(service not named)";
    if (incident->hypothesis_count == 0)
        fl_buf_text(out, "<h1>No confident cause</h1>\n<p class=\"verdict\">Nothing stands out "
                         "from the baseline.</p>\n");
    else if (incident->verdict == FL_VERDICT_CAUSE_FOUND)
        fl_html(out, "<h1>$ <span class=\"cause\">$</span> <span class=\"sure\">$</span></h1>\n",
                service, fl_cause_name(best->cause), fl_page_percent(percent, best->probability));
    else
        fl_html(out,
                "<h1>No confident cause</h1>\n<p class=\"verdict\">The best candidate, <b>$</b>, "
                "reaches $.</p>\n",
                service, fl_page_percent(percent, best->probability));
}

/* Of a daemon's incident: whether it goes on, and where its signs point. */
static void put_state(fl_buf *out, const json_t *live)
{
    assert(live == NULL || json_is_object(live));
    const char *state = json_string_value(json_object_get(live, "state"));
    const char *merged = json_string_value(json_object_get(live, "merged_to"));
    if (state == NULL)
        return;
    fl_html(out, "<span class=\"badge $\">$</span> ", state, state);
    if (merged != NULL)
        fl_html(out, "into <a href=\"/incidents/@\">$</a> ", merged, merged);
}

/* From when, and how long: the end is of no use to a reader. */
static void put_range(fl_buf *out, const char *name, fl_range range)
{
    char length[FL_TIME_TEXT];
    if (range.from_ns == 0 && range.to_ns == 0)
        return;
    fl_html(out, "<div><dt>$</dt><dd>", name);
    web_time(out, range.from_ns);
    fl_html(out, " <span class=\"dim\">for $</span></dd></div>\n",
            fl_duration_format(length, range.to_ns - range.from_ns));
}

/* The interval is short beside a day: its times of the day say it. */
static void put_onset(fl_buf *out, fl_onset onset)
{
    char low[FL_TIME_TEXT], high[FL_TIME_TEXT];
    if (onset.at_ns == 0)
        return;
    assert(onset.low_ns <= onset.at_ns && onset.at_ns <= onset.high_ns);
    fl_buf_text(out, "<div><dt>Onset</dt><dd>");
    web_time(out, onset.at_ns);
    low[0] = high[0] = '\0';
    fl_time_format_s(low, onset.low_ns);
    fl_time_format_s(high, onset.high_ns);
    low[19] = high[19] = '\0'; /* of the day alone, without the zone */
    fl_html(out, " <span class=\"dim\">90 %: $ to $</span></dd></div>\n", low + 11, high + 11);
}

/* How much was looked at. */
static void put_data(fl_buf *out, const fl_incident *incident)
{
    const struct {
        uint64_t count;
        const char *name;
    } data[] = {{incident->metric_series, "metric series"}, {incident->log_records, "log lines"},
                {incident->log_templates, "templates"},     {incident->trace_spans, "spans"},
                {incident->trace_edges, "calls"},           {incident->change_events, "changes"}};
    char count[FL_COUNT_TEXT];
    bool any = false;
    fl_buf_text(out, "<div><dt>Looked at</dt><dd>");
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        if (data[i].count == 0)
            continue;
        fl_html(out, "$$ $", any ? ", " : "", fl_page_count(count, data[i].count), data[i].name);
        any = true;
    }
    fl_buf_text(out, any ? "</dd></div>\n" : "nothing</dd></div>\n");
}

/* What was not there: said beside what was, so that nobody takes silence for health. */
static void put_missing(fl_buf *out, const fl_incident *incident)
{
    bool any = false;
    for (int i = 0; i < FL_MODALITY_COUNT; i++) {
        if (!incident->missing[i])
            continue;
        fl_buf_text(out, any ? ", " : "<div><dt>Missing</dt><dd class=\"warn\">");
        fl_html(out, "$", fl_modality_name((fl_modality)i));
        any = true;
    }
    if (any)
        fl_buf_text(out, " <span class=\"dim\">(not evidence of health)</span></dd></div>\n");
}

/* What may make the answer wrong is never hidden by a good verdict. */
static void put_warnings(fl_buf *out, const fl_incident *incident)
{
    enum { FIRST = 5 };
    char more[64];
    if (incident->warning_count == 0)
        return;
    fl_buf_text(out, "<ul class=\"warnings\" aria-label=\"Warnings\">\n");
    for (size_t i = 0; i < incident->warning_count && i < FIRST; i++)
        fl_html(out, "<li>$</li>\n", incident->warnings[i]);
    if (incident->warning_count > FIRST) {
        (void)snprintf(more, sizeof(more), "%zu", incident->warning_count - FIRST);
        fl_html(out, "<li><details><summary>$ more</summary><ul>\n", more);
        for (size_t i = FIRST; i < incident->warning_count; i++)
            fl_html(out, "<li>$</li>\n", incident->warnings[i]);
        fl_buf_text(out, "</ul></details></li>\n");
    }
    fl_buf_text(out, "</ul>\n");
}

/* In the order in which a reader asks: what, how sure, when, out of what. */
void web_put_verdict(fl_buf *out, const web_case *of)
{
    const fl_incident *incident = of->incident;
    char age[WEB_AGE_TEXT];
    assert(incident != NULL);
    fl_buf_text(out, "<p class=\"crumb\">");
    put_state(out, of->live);
    fl_html(out, "<span class=\"id\">$</span> <span class=\"dim\">$ ago</span></p>\n", incident->id,
            web_age(age, of->now_ns - incident->at_ns));
    put_sentence(out, incident);
    fl_buf_text(out, "<dl class=\"facts\">\n");
    put_onset(out, incident->onset);
    put_range(out, "Window", incident->window);
    put_range(out, "Baseline", incident->baseline);
    put_data(out, incident);
    put_missing(out, incident);
    fl_buf_text(out, "</dl>\n");
    put_warnings(out, incident);
}
