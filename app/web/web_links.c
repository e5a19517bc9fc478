/*
 * web_links.c - addresses in other tools at which the raw data of a query can be seen.
 *
 * They are those that the tools write themselves: Prometheus' graph page, Jaeger's search,
 * Grafana's Explore ("Generate Explore URLs from external tools" in Grafana's manual): one pane as
 * JSON, with the data source by its uid, as a browser knows it. Nothing is fetched from there.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "html.h"
#include "json_put.h"
#include "timestamp.h"
#include "web_priv.h"

enum { NUMBER_TEXT = 32 };
static const int64_t around_ns = 1800 * FL_NS_PER_S;

/* In the order of web_link_kind. */
static const char *const source_types[] = {"prometheus", "loki", "tempo"};

/* PromQL and LogQL are expressions, TraceQL is a query: so these data sources name them. */
static json_t *query_of(fl_put *w, web_link_kind kind, const char *uid, const char *query)
{
    json_t *object = json_object(), *source = json_object();
    fl_put_text(w, source, "type", source_types[kind]);
    fl_put_text(w, source, "uid", uid);
    fl_put_text(w, object, "refId", "A");
    fl_put_value(w, object, "datasource", source);
    if (kind == WEB_LINK_TRACES)
        fl_put_text(w, object, "queryType", "traceql");
    fl_put_text(w, object, kind == WEB_LINK_TRACES ? "query" : "expr", query);
    return object;
}

/* Grafana takes times as milliseconds in a text. */
static json_t *range_of(fl_put *w, fl_range shown)
{
    char from_ms[NUMBER_TEXT], to_ms[NUMBER_TEXT];
    json_t *object = json_object();
    (void)snprintf(from_ms, sizeof(from_ms), "%lld", (long long)(shown.from_ns / FL_NS_PER_MS));
    (void)snprintf(to_ms, sizeof(to_ms), "%lld", (long long)(shown.to_ns / FL_NS_PER_MS));
    fl_put_text(w, object, "from", from_ms);
    fl_put_text(w, object, "to", to_ms);
    return object;
}

static bool put_panes(fl_buf *out, web_link_kind kind, const char *uid, const char *query,
                      fl_range shown)
{
    fl_put w = {.status = FL_OK};
    json_t *panes = json_object(), *pane = json_object(), *queries = json_array();
    fl_put_text(&w, pane, "datasource", uid);
    fl_put_item(&w, queries, query_of(&w, kind, uid, query));
    fl_put_value(&w, pane, "queries", queries);
    fl_put_value(&w, pane, "range", range_of(&w, shown));
    fl_put_value(&w, panes, "a", pane);
    bool is_whole = w.status == FL_OK && fl_put_dump(out, panes, JSON_COMPACT);
    json_decref(panes);
    return is_whole && out->status == FL_OK;
}

/* A query that is too long for an address, or that there is no memory for, has no link: half of one
 * would lead to another place. */
void web_put_grafana(fl_buf *out, const fl_web *web, web_link_kind kind, const char *query,
                     fl_range shown)
{
    const char *const uids[] = {web->links[WEB_GRAFANA_PROMETHEUS], web->links[WEB_GRAFANA_LOKI],
                                web->links[WEB_GRAFANA_TEMPO]};
    fl_buf panes = fl_buf_of(FL_HTML_TEXT_BYTES);
    assert((size_t)kind < sizeof(uids) / sizeof(uids[0]));
    if (web->links[WEB_GRAFANA] == NULL || uids[kind] == NULL || query == NULL)
        return;
    if (put_panes(&panes, kind, uids[kind], query, shown))
        fl_html(out,
                " <a class=\"at-lane\" rel=\"noreferrer\" href=\"$/explore?schemaVersion=1"
                "&amp;orgId=1&amp;panes=@\">Grafana</a>",
                web->links[WEB_GRAFANA], panes.ptr);
    fl_buf_dispose(&panes);
}

/* An hour around the evidence. */
static void put_prometheus(fl_buf *out, const fl_web *web, const char *query, int64_t at_ns)
{
    char end[FL_TIME_TEXT];
    if (query == NULL || web->links[WEB_PROMETHEUS] == NULL)
        return;
    fl_time_format_s(end, at_ns + around_ns);
    end[10] = ' ';
    end[19] = '\0';
    fl_html(out,
            " <a class=\"at-lane\" rel=\"noreferrer\" href=\"$/graph?g0.expr=@&amp;g0.tab=0"
            "&amp;g0.range_input=1h&amp;g0.end_input=@\">Prometheus</a>",
            web->links[WEB_PROMETHEUS], query, end);
}

/* Its search knows no TraceQL: all traces of the service. */
static void put_jaeger(fl_buf *out, const fl_web *web, const char *service, int64_t at_ns)
{
    char from_us[NUMBER_TEXT], to_us[NUMBER_TEXT];
    if (service == NULL || web->links[WEB_JAEGER] == NULL)
        return;
    (void)snprintf(from_us, sizeof(from_us), "%lld", (long long)((at_ns - around_ns) / 1000));
    (void)snprintf(to_us, sizeof(to_us), "%lld", (long long)((at_ns + around_ns) / 1000));
    fl_html(out,
            " <a class=\"at-lane\" rel=\"noreferrer\" href=\"$/search?service=@&amp;start=@"
            "&amp;end=@&amp;lookback=custom\">Jaeger</a>",
            web->links[WEB_JAEGER], service, from_us, to_us);
}

/* The incident's window with half an hour on each side, so that what was before is there to compare
 * with. */
static fl_range shown_of(const fl_incident *incident)
{
    return (fl_range){incident->window.from_ns - around_ns, incident->window.to_ns + around_ns};
}

/* Changes, topology and what is remembered have no place elsewhere. */
void web_put_evidence_links(fl_buf *out, const web_case *of, const char *service,
                            const fl_evidence *e)
{
    int64_t at_ns = e->at_ns != 0 ? e->at_ns : of->incident->at_ns;
    fl_range shown = shown_of(of->incident);
    if (e->modality == FL_MODALITY_METRICS) {
        put_prometheus(out, of->web, e->query, at_ns);
        web_put_grafana(out, of->web, WEB_LINK_METRICS, e->query, shown);
    } else if (e->modality == FL_MODALITY_TRACES) {
        put_jaeger(out, of->web, service, at_ns);
        web_put_grafana(out, of->web, WEB_LINK_TRACES, e->query, shown);
    } else if (e->modality == FL_MODALITY_LOGS) {
        web_put_grafana(out, of->web, WEB_LINK_LOGS, e->query, shown);
    }
}

/* What the lane shows, as far as its axis goes. */
void web_put_lane_link(fl_buf *out, const web_case *of, const fl_lane *lane)
{
    const fl_picture *picture = of->picture;
    fl_range shown = {picture->from_ns,
                      picture->from_ns + (int64_t)picture->step_count * picture->step_ns};
    if (lane->kind == FL_PICTURE_METRIC)
        web_put_grafana(out, of->web, WEB_LINK_METRICS, lane->query, shown);
    else if (lane->kind == FL_PICTURE_LOG)
        web_put_grafana(out, of->web, WEB_LINK_LOGS, lane->query, shown);
    else if (lane->kind == FL_PICTURE_TRACE)
        web_put_grafana(out, of->web, WEB_LINK_TRACES, lane->query, shown);
}
