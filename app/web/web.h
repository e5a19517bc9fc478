/*
 * web.h - the pages: a list of incidents, an incident, the knowledge graph.
 *
 *   /                the incidents, newest first; /?service=&state=&after=
 *   /incidents/ID    one of them, by its id or enough of its beginning
 *   /incidents/ID/timeline.json  what is drawn there, as numbers; ID is whole
 *   /graph           search in the knowledge graph; /graph?q=&kind=&node=
 *   /static/B/NAME   style, scripts and icon of this build B
 *
 * Pages are whole without a script: HTML and SVG out of the document that the store keeps. Scripts
 * add to them (docs/web.md). Nothing comes from elsewhere, and the Content-Security-Policy permits
 * nothing else.
 */
#ifndef FL_WEB_H
#define FL_WEB_H

#include "http.h"

typedef struct fl_web fl_web;

typedef struct fl_web_options {
    const char *store;             /* URL; copied */
    int64_t (*now)(void *payload); /* NULL: the clock */
    void *payload;
    /* Addresses for a browser, and what Grafana there knows as data sources (uid); copied. NULL: no
     * links there. */
    const char *prometheus, *jaeger, *grafana;
    const char *grafana_prometheus, *grafana_loki, *grafana_tempo;
} fl_web_options;

/* The store is opened with the first page. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_web_create(fl_web **out, const fl_web_options *options, fl_error *err);
/* No handler may be running. NULL is a no-op. */
void fl_web_destroy(fl_web *web);
FL_NODISCARD fl_status fl_web_add_routes(fl_web *web, fl_http *http, fl_error *err);

#endif
