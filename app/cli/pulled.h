/*
 * pulled.h - the servers that a command line names as sources: --prometheus, --loki, --tempo,
 * --jaeger, and how to log in there.
 */
#ifndef FL_PULLED_H
#define FL_PULLED_H

#include "faultline/triage.h"
#include "metric_ranks.h"
#include "sources.h"
#include "terminal.h"

enum { FL_MAX_PULLED = 32 };

/* Sources in the order of kinds; texts are of the command line. */
typedef struct fl_pulled_sources {
    fl_source items[FL_MAX_PULLED];
    size_t count;
} fl_pulled_sources;

/* FL_E_SYNTAX: the sentence for whoever typed it. */
FL_NODISCARD fl_status fl_pulled_sources_of(fl_pulled_sources *out, const fl_args *args,
                                            fl_error *err);

/* A triage's feeds, one a source: the first that is read pulls for all. */
typedef struct fl_pulled {
    fl_pulled_sources sources;
    fl_gather_request request;
    fl_gathered out[FL_MAX_PULLED];
    fl_triage_feed feeds[FL_MAX_PULLED];
    struct fl_pulled_feed {
        struct fl_pulled *all;
        size_t index;
    } each[FL_MAX_PULLED];
    fl_ranked_metrics *ranked;
    bool is_done;
    fl_progress *progress;
} fl_pulled;

/* `at_ns` and the window are the triage's, --before and --service the command line's. Disposed of
 * also where it fails. */
FL_NODISCARD fl_status fl_pulled_init(fl_pulled *out, const fl_args *args,
                                      const fl_triage_request *request, fl_progress *progress,
                                      fl_error *err);
void fl_pulled_dispose(fl_pulled *pulled);
/* What was left out at a limit, source by source, on `err`. */
void fl_pulled_tell(const fl_pulled *pulled, fl_cli *cli);

/* The options of fl_pulled_sources_of(). */
#define FL_PULLED_OPTION(word, tool, what)                                                         \
    {                                                                                              \
        .name = (word), .kind = FL_OPTION_TEXT, .repeatable = true, .argument = "URL",             \
        .help = "A " tool " to ask for " what                                                      \
    }
#define FL_PULLED_OPTIONS                                                                          \
    FL_PULLED_OPTION("prometheus", "Prometheus, or what answers as it does,", "metrics"),          \
        FL_PULLED_OPTION("loki", "Grafana Loki", "logs"),                                          \
        FL_PULLED_OPTION("tempo", "Grafana Tempo", "traces"),                                      \
        FL_PULLED_OPTION("jaeger", "Jaeger", "traces"),                                            \
        {.name = "token-file",                                                                     \
         .kind = FL_OPTION_TEXT,                                                                   \
         .repeatable = true,                                                                       \
         .argument = "KIND=FILE",                                                                  \
         .help = "A file with the bearer token of the sources of a kind, as prometheus=FILE"},     \
        {.name = "tenant",                                                                         \
         .kind = FL_OPTION_TEXT,                                                                   \
         .argument = "NAME",                                                                       \
         .help = "Whose telemetry to ask for where a source keeps that of several tenants "        \
                 "(X-Scope-OrgID)"},                                                               \
    {                                                                                              \
        .name = "ca-file", .kind = FL_OPTION_FILE, .argument = "FILE",                             \
        .help = "Certificates that sources are checked with, in place of the system's"             \
    }

#endif
