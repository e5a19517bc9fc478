/*
 * serve_incidents.c - incidents as a part of the daemon: started when their store can be reached,
 * fed by what is received, and counted.
 *
 * Receiving does not depend on them: a store that cannot be reached is said, tried again, and costs
 * nothing that was accepted.
 */
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "serve_priv.h"
#include "timestamp.h"

static const int64_t again_ns = 30 * FL_NS_PER_S; /* before another try to reach the store */

/* fl_incidents_options.read */
static fl_status read_archive(void *payload, int64_t from_ns, int64_t to_ns, const fl_sink *sink,
                              fl_error *err)
{
    fl_serve *serve = payload;
    return fl_archive_read(serve->archive, from_ns, to_ns, sink, err);
}

/* fl_incidents_options.read_recent */
static fl_status read_recent(void *payload, int64_t since_ns, const fl_sink *sink, fl_error *err)
{
    fl_serve *serve = payload;
    return fl_archive_read_recent(serve->archive, since_ns, sink, err);
}

/* On a worker, behind the commit: it copies and does not wait. */
void fl_serve_tap_incidents(void *payload, const fl_archive_batch *batch)
{
    fl_serve *serve = payload;
    fl_incidents *incidents = serve->incidents;
    if (incidents != NULL)
        fl_incidents_batch(incidents, batch);
}

/* Which machine, and which of its daemons: the same after a restart. */
static void name_owner(char *out, size_t size, const fl_serve *serve)
{
    char host[256] = "localhost";
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    (void)snprintf(out, size, "%s:%s", host, serve->options.data_path);
}

static fl_status start(fl_serve *serve, fl_error *err)
{
    const fl_config_incidents *config = &serve->options.config->incidents;
    char owner[1024];
    fl_incidents *incidents;
    name_owner(owner, sizeof(owner), serve);
    const fl_incidents_options options = {.store = serve->options.store,
                                          .owner = owner,
                                          .read = read_archive,
                                          .read_recent = read_recent,
                                          .payload = serve,
                                          .entries = config->entry.items,
                                          .entry_count = config->entry.count,
                                          .past_ns = config->baseline_ns,
                                          .sustained_ns = config->sustained_ns,
                                          .quiet_ns = config->close_after_ns,
                                          .triage_every_ns = config->triage_every_ns,
                                          .lease_ns = config->claim_lease_ns,
                                          .most_open = (size_t)config->open_most};
    fl_status status = fl_incidents_start(&incidents, &options, err);
    if (status == FL_OK)
        serve->incidents = incidents;
    return status;
}

void fl_serve_try_incidents(fl_serve *serve, int64_t now_ns)
{
    fl_error why = {0};
    if (serve->incidents != NULL || !serve->options.config->incidents.enabled ||
        serve->options.store == NULL || now_ns - serve->incidents_tried_ns < again_ns)
        return;
    bool is_first = serve->incidents_tried_ns == 0;
    serve->incidents_tried_ns = now_ns;
    char sentence[FL_SERVE_SENTENCE];
    if (start(serve, &why) != FL_OK)
        (void)snprintf(sentence, sizeof(sentence), "no incidents are opened yet: %s", why.message);
    else
        (void)snprintf(sentence, sizeof(sentence), "incidents are opened and kept");
    /* Once, and when it has changed: not every half minute. */
    if (serve->options.say != NULL && (is_first || serve->incidents != NULL))
        serve->options.say(serve->options.say_to, sentence);
}

void fl_serve_put_incidents(fl_metrics *m, fl_incidents *incidents)
{
    const fl_incidents_stats s = fl_incidents_stats_of(incidents);
    fl_metrics_one_gauge(m, "faultline_incidents_open", "Incidents that are open", (double)s.open);
    fl_metrics_one_gauge(m, "faultline_incident_signs", "Alerts and breaks of open incidents",
                         (double)s.signs);
    fl_metrics_counter(m, "faultline_incidents_total", "Incidents by what became of them");
    fl_metrics_count(m, "event", "opened", s.opened);
    fl_metrics_count(m, "event", "closed", s.closed);
    fl_metrics_count(m, "event", "merged", s.merged);
    fl_metrics_count(m, "event", "restored", s.restored);
    fl_metrics_count(m, "event", "claimed", s.claimed);
    fl_metrics_one_counter(m, "faultline_incident_signs_total", "Alerts and breaks that were taken",
                           s.signs_taken);
    fl_metrics_one_counter(m, "faultline_incident_signs_refused_total",
                           "Alerts and breaks that there was no room for", s.signs_refused);
    fl_metrics_one_counter(m, "faultline_triages_total", "Triages of open incidents", s.triages);
    fl_metrics_one_counter(m, "faultline_triages_failed_total", "Triages that gave no answer",
                           s.triages_failed);
    fl_metrics_counter(m, "faultline_triage_seconds_total", "Time that triages took");
    fl_metrics_number(m, NULL, NULL, (double)s.triage_ns / 1e9);
    fl_metrics_one_gauge(m, "faultline_incident_wait_longest_seconds",
                         "The longest time from a sign's arrival to its page",
                         (double)s.longest_wait_ns / 1e9);
    fl_metrics_one_counter(m, "faultline_incident_store_failures_total",
                           "Writings to the store that had to be tried again", s.store_failures);
    fl_metrics_one_counter(m, "faultline_watch_missed_total",
                           "Batches that were not watched whole, for want of memory",
                           s.taps_failed);
    fl_metrics_one_gauge(m, "faultline_watch_services", "Services that are seen",
                         (double)s.services);
    fl_metrics_one_gauge(m, "faultline_watch_entries", "Of these, such as are called from outside",
                         (double)s.entries);
    fl_metrics_counter(m, "faultline_watch_records_total", "Records that the watch was told of");
    fl_metrics_count(m, "kind", "span", s.spans);
    fl_metrics_count(m, "kind", "point", s.points);
    fl_metrics_count(m, "kind", "log", s.logs);
    fl_metrics_count(m, "kind", "alert", s.alerts);
    fl_metrics_one_counter(m, "faultline_watch_breaks_total", "Sustained breaks that were found",
                           s.breaks);
}
