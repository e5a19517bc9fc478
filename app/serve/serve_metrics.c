/*
 * serve_metrics.c - the figures of all parts, by Prometheus' conventions. One function a part.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "metrics.h"
#include "serve_priv.h"
#include "timestamp.h"

/* Named as the client libraries name them; proc(5). */
static void put_process(fl_metrics *m, const fl_serve *serve)
{
    struct timespec cpu = {0};
    unsigned long pages = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    if (statm != NULL && fscanf(statm, "%lu %lu", &pages, &resident) != 2)
        resident = 0;
    if (statm != NULL)
        (void)fclose(statm);
    fl_metrics_counter(m, "process_cpu_seconds_total", "Time of user and system spent");
    fl_metrics_number(m, NULL, NULL, (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
    fl_metrics_one_gauge(m, "process_resident_memory_bytes", "Memory that is in use",
                         (double)resident * (double)sysconf(_SC_PAGESIZE));
    fl_metrics_one_gauge(m, "process_start_time_seconds", "When the process began, since the epoch",
                         (double)serve->started_ns / 1e9);
}

static void put_build(fl_metrics *m, const fl_serve *serve)
{
    fl_metrics_gauge(m, "faultline_build_info", "Always 1; the label tells the version");
    fl_metrics_count(m, "version", serve->options.version, 1);
    fl_metrics_one_gauge(m, "faultline_ready", "1 where data is taken",
                         serve->state == FL_SERVE_READY);
}

static void put_http(fl_metrics *m, fl_http *http)
{
    static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    fl_http_stats s = fl_http_stats_of(http);
    fl_metrics_one_gauge(m, "faultline_http_connections", "Connections that are open",
                         s.connections);
    fl_metrics_one_counter(m, "faultline_http_connections_total", "Connections that were accepted",
                           s.connections_total);
    fl_metrics_one_counter(m, "faultline_http_connections_refused_total",
                           "Connections that were closed at once: there were too many",
                           s.connections_refused);
    fl_metrics_one_counter(m, "faultline_http_connections_overdue_total",
                           "Connections that were closed for being too slow or idle too long",
                           s.connections_overdue);
    fl_metrics_one_counter(m, "faultline_http_requests_total", "Requests whose head was read",
                           s.requests);
    fl_metrics_counter(m, "faultline_http_answers_total", "Answers by the class of their status");
    for (size_t i = 1; i < sizeof(classes) / sizeof(classes[0]); i++)
        fl_metrics_count(m, "class", classes[i], s.answers[i]);
    fl_metrics_counter(m, "faultline_http_refused_total", "Requests that reached no handler");
    for (size_t i = 0; i < FL_HTTP_REFUSALS; i++)
        fl_metrics_count(m, "reason", fl_http_refusal_names[i], s.refused[i]);
    fl_metrics_one_counter(m, "faultline_http_wire_bytes_total", "Bytes of bodies as they came",
                           s.wire_bytes);
    fl_metrics_one_counter(m, "faultline_http_body_bytes_total",
                           "Bytes of bodies after decompression", s.body_bytes);
    fl_metrics_one_gauge(m, "faultline_http_memory_bytes", "Memory of requests that are under way",
                         (double)s.budget_used_bytes);
    fl_metrics_one_gauge(m, "faultline_http_memory_limit_bytes",
                         "Beyond it requests are told to come again", (double)s.budget_bytes);
    fl_metrics_one_gauge(m, "faultline_workers", "Threads that run handlers", s.workers.threads);
    fl_metrics_one_gauge(m, "faultline_workers_busy", "Threads that run one now", s.workers.busy);
    fl_metrics_one_gauge(m, "faultline_workers_queued", "Requests that wait for a thread",
                         (double)s.workers.queued);
}

void fl_serve_metrics(fl_serve *serve, fl_buf *out)
{
    fl_metrics m = {.out = out};
    put_process(&m, serve);
    put_build(&m, serve);
    put_http(&m, serve->http);
}
